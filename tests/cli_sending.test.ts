import type { ChildProcess } from "node:child_process";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket, Server as TcpServer } from "node:net";
import { connect, createServer as listen } from "node:net";
import { Game } from "@securing-tasks/demo/game";
import { expect } from "chai";
import getPort from "get-port";
import type { Person, Ran } from "./utils/command_line";
import { CommandLine, Following, ended, failed } from "./utils/command_line";
import { RULES } from "./utils/games";
import { localnet } from "./utils/validator";

const AMOUNT = 1_000_000n;

/** What becomes of a request on its way to the validator. */
type Fate =
  | "forward"
  /** The validator does it, and its answer gets lost. */
  | "loseAnswer"
  /** Nobody gets it, and the server that took it says that all is well. */
  | "swallow"
  | "unavailable";

interface Request {
  readonly method: string;
  readonly id: unknown;
}

/** A bad line between the command line and the validator. */
class BadLine {
  fate: (method: string) => Fate = () => "forward";
  /** What the command line hears in place of an answer. */
  edit: (method: string, answer: string) => string = (_, answer) => answer;
  private readonly server: Server = createServer((request, response) => {
    void this.pass(request, response);
  });

  static async open(): Promise<BadLine> {
    const line = new BadLine();
    await new Promise<void>((resolve) => line.server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString();
    const { method, id } = JSON.parse(body) as Request;
    const fate = this.fate(method);
    const say = (status: number, text: string): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(text);
    };
    if (fate === "unavailable") {
      say(503, "");
      return;
    }
    if (fate === "swallow") {
      say(200, JSON.stringify({ jsonrpc: "2.0", id, result: "1".repeat(64) }));
      return;
    }
    const headers = { "content-type": "application/json" };
    const answer = await fetch(localnet().connection.rpcEndpoint, {
      method: "POST",
      headers,
      body,
    });
    const text = this.edit(method, await answer.text());
    if (fate === "loseAnswer") request.socket.destroy();
    else say(answer.status, text);
  }
}

/** Where the validator's subscriptions are. */
function websocket(): URL {
  const url = new URL(localnet().connection.rpcEndpoint);
  url.protocol = "ws:";
  url.port = String(Number(url.port) + 1);
  return url;
}

/** A task of SOL without nodes. */
function emptyGame(): Promise<Game> {
  return Game.start({ chain: localnet(), currency: "sol", rules: RULES, seats: [], pool: 0n });
}

describe("the command line on a bad line", () => {
  let game: Game;
  let line: BadLine;
  let cli: CommandLine;
  let funder: Person;

  before(async () => {
    game = await emptyGame();
    line = await BadLine.open();
    cli = await CommandLine.open({ url: line.url, websocket: websocket().href });
    funder = await cli.person("funder", 1n);
  });

  beforeEach(() => {
    line.fate = () => "forward";
    line.edit = (_, answer) => answer;
  });

  after(async () => {
    line.close();
    await cli.close();
  });

  const pool = async (): Promise<bigint> =>
    (await game.client.fetch("task", game.task.address)).pool;

  function fund(): { readonly child: ChildProcess; readonly done: Promise<Ran> } {
    const args = ["task", "fund", game.task.address.toBase58(), "--amount", "1000000 base"];
    const child = cli.start([...args, "--json"], funder);
    return { child, done: ended(child) };
  }

  it("pays once where the answer to what it sent gets lost", async () => {
    const before = await pool();
    let lost = 0;
    line.fate = (method) => {
      if (method !== "sendTransaction") return "forward";
      lost += 1;
      return "loseAnswer";
    };
    const { code, stdout, stderr } = await fund().done;
    expect(code, stderr).to.equal(0);
    expect(lost).to.be.at.least(1);
    expect(await pool()).to.equal(before + AMOUNT);
    expect((JSON.parse(stdout) as { readonly pool: string }).pool).to.equal(String(await pool()));
  });

  it("pays once where the server is gone for a while after it took the transaction", async () => {
    const before = await pool();
    let gone = 0;
    let sent = false;
    line.fate = (method) => {
      if (sent && gone < 12) {
        gone += 1;
        return "unavailable";
      }
      sent ||= method === "sendTransaction";
      return "forward";
    };
    const { code, stderr } = await fund().done;
    expect(code, stderr).to.equal(0);
    expect(gone).to.equal(12);
    expect(await pool()).to.equal(before + AMOUNT);
  });

  it("says what it knows where the server is gone once the payment is confirmed", async () => {
    const before = await pool();
    let confirmed = false;
    line.fate = (method) => (confirmed && method !== "sendTransaction" ? "unavailable" : "forward");
    line.edit = (method, answer) => {
      confirmed ||=
        method === "getSignatureStatuses" &&
        /"confirmationStatus":"(confirmed|finalized)"/.test(answer);
      return answer;
    };
    const { code, stdout, stderr } = await fund().done;
    expect(code, stderr).to.equal(0);
    const said = JSON.parse(stdout) as { readonly signature: string; readonly pool: null };
    expect(said.pool).to.equal(null);
    expect((await localnet().outcome(said.signature)).slot > 0n).to.be.true;
    expect(await pool()).to.equal(before + AMOUNT);
  });

  it("takes no word of a server that is behind another for it that a transaction is over", async () => {
    const before = await pool();
    let asked = 0;
    // The first three servers are far ahead of all that answer about the transaction.
    line.edit = (method, answer) => {
      if (method !== "getEpochInfo" || (asked += 1) > 3) return answer;
      return answer.replace(
        /("absoluteSlot"|"blockHeight"):(\d+)/g,
        (_, name: string, number: string) => `${name}:${Number(number) + 10_000}`,
      );
    };
    line.fate = (method) => (method === "sendTransaction" && asked < 3 ? "swallow" : "forward");
    const { code, stderr } = await fund().done;
    expect(code, stderr).to.equal(0);
    expect(asked).to.be.above(3);
    expect(await pool()).to.equal(before + AMOUNT);
  });

  it("says that nothing was paid once a transaction that never arrived is over", async () => {
    const before = await pool();
    line.fate = (method) => (method === "sendTransaction" ? "swallow" : "forward");
    const { exit, name, message, signature } = failed(await fund().done);
    expect([exit, name]).to.deep.equal([1, "Expired"]);
    expect(message).to.include(signature).and.include("nothing was paid");
    const { value } = await localnet().connection.getSignatureStatus(signature, {
      searchTransactionHistory: true,
    });
    expect(value).to.equal(null);
    expect(await pool()).to.equal(before);
  });

  it("names the transaction that was on its way when it is interrupted", async () => {
    const before = await pool();
    let asked: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (asked = resolve));
    line.fate = (method) => {
      if (method === "getSignatureStatuses") asked();
      return method === "sendTransaction" ? "swallow" : "forward";
    };
    const { child, done } = fund();
    await Promise.race([waiting, done]);
    child.kill("SIGINT");
    const { exit, name, message, signature } = failed(await done);
    expect([exit, name]).to.deep.equal([130, "OutcomeUnknown"]);
    expect(signature).to.match(/^[1-9A-HJ-NP-Za-km-z]{80,90}$/);
    expect(message).to.include(`solana confirm ${signature}`);
    expect(await pool()).to.equal(before);
  });

  it("names the transaction that nobody could tell about any more", async () => {
    const before = await pool();
    let sent = false;
    line.fate = (method) => {
      if (sent) return "unavailable";
      sent = method === "sendTransaction";
      return "forward";
    };
    const { exit, name, message, signature } = failed(await fund().done);
    expect([exit, name]).to.deep.equal([3, "OutcomeUnknown"]);
    expect(message).to.include(`solana confirm ${signature}`);
    // It had arrived: who repeats the command without looking pays twice.
    expect((await localnet().outcome(signature)).slot > 0n).to.be.true;
    expect(await pool()).to.equal(before + AMOUNT);
  });
});

/** A line to the validator that can be cut, and mended at the same port. */
class CutLine {
  private server: TcpServer | undefined;
  private readonly sockets = new Set<Socket>();

  constructor(
    readonly port: number,
    private readonly to: number,
  ) {}

  async mend(): Promise<void> {
    const server = listen((near) => {
      const far = connect(this.to, "127.0.0.1");
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(socket);
        socket.pipe(other);
        // Told by its end.
        socket.on("error", () => undefined);
        socket.once("close", () => {
          this.sockets.delete(socket);
          other.destroy();
        });
      }
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
  }

  async cut(): Promise<void> {
    const { server } = this;
    if (!server) return;
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe("watch on a line that is cut", () => {
  it("goes on by itself when it is mended, and tells all of it once", async () => {
    const game = await emptyGame();
    const both = { task: game.task.address, creator: game.creator.publicKey };
    const pause = (): Promise<unknown> => game.send(game.client.pauseTask(both), game.creator);
    const resume = (): Promise<unknown> => game.send(game.client.resumeTask(both), game.creator);
    const rpc = new CutLine(
      await getPort(),
      Number(new URL(localnet().connection.rpcEndpoint).port),
    );
    const news = new CutLine(await getPort(), Number(websocket().port));
    await Promise.all([rpc.mend(), news.mend()]);
    const cli = await CommandLine.open({
      url: `http://127.0.0.1:${rpc.port}`,
      websocket: `ws://127.0.0.1:${news.port}`,
    });
    const watch = new Following(
      cli.start(
        ["watch", game.task.address.toBase58(), "--past", "1", "--count", "6"],
        await cli.person("nobody"),
      ),
    );
    try {
      const told = (): string[] => watch.lines.map((line) => line.replace(/^\d+ +/, ""));
      await watch.until(() => watch.words.includes("Ctrl-C ends it"));
      await pause();
      await watch.until(() => told().length === 2);
      for (const act of [resume, pause]) {
        const said = watch.words.length;
        await Promise.all([rpc.cut(), news.cut()]);
        await act();
        await watch.until(() => watch.words.includes("Trying again", said));
        await Promise.all([rpc.mend(), news.mend()]);
        await watch.until(() => watch.words.includes("nothing was missed", said));
      }
      // Only the subscription is gone.
      await news.cut();
      await resume();
      await watch.until(() => told().length === 5);
      await news.mend();
      await pause();
      expect(await watch.end(), watch.words).to.equal(0);
      const [first, ...rest] = told();
      expect(first).to.match(/^the task is made by /);
      const [paused, goesOn] = ["the task is paused", "the task goes on"];
      expect(rest).to.deep.equal([paused, goesOn, paused, goesOn, paused]);
    } finally {
      watch.stop();
      await Promise.all([rpc.cut(), news.cut(), cli.close()]);
    }
  });
});
