import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Game } from "@securing-tasks/demo/game";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { RULES } from "./utils/games";
import { localnet } from "./utils/validator";

const BIN = join(__dirname, "../app/cli/bin/securing-tasks.js");
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
    const text = await answer.text();
    if (fate === "loseAnswer") request.socket.destroy();
    else say(answer.status, text);
  }
}

describe("the command line on a bad line", () => {
  let folder: string;
  let game: Game;
  let line: BadLine;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "securing-tasks-line-"));
    game = await Game.start({
      chain: localnet(),
      currency: "sol",
      rules: RULES,
      seats: [],
      pool: 0n,
    });
    line = await BadLine.open();
    const key = Keypair.generate();
    await localnet().fund(key.publicKey, 1_000_000_000n);
    await writeFile(join(folder, "key.json"), JSON.stringify([...key.secretKey]));
    const socket = new URL(localnet().connection.rpcEndpoint);
    socket.protocol = "ws:";
    socket.port = String(Number(socket.port) + 1);
    await writeFile(
      join(folder, "config.yml"),
      `json_rpc_url: ${line.url}\nwebsocket_url: ${socket.href}\nkeypair_path: ${join(folder, "key.json")}\n`,
    );
  });

  after(async () => {
    line.close();
    await rm(folder, { recursive: true });
  });

  const pool = async (): Promise<bigint> =>
    (await game.client.fetch("task", game.task.address)).pool;

  function fund(): {
    readonly child: ChildProcess;
    readonly done: Promise<{ code: number | null; stdout: string; stderr: string }>;
  } {
    const args = ["task", "fund", game.task.address.toBase58(), "--amount", "1000000 base"];
    const child = spawn(
      process.execPath,
      [BIN, ...args, "--json", "--config", join(folder, "config.yml")],
      { env: { PATH: process.env["PATH"], HOME: folder }, stdio: ["ignore", "pipe", "pipe"] },
    );
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (part: Buffer) => (stdout += part.toString()));
    child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
    const done = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
      child.once("close", (code) => {
        resolve({ code, stdout, stderr });
      }),
    );
    return { child, done };
  }

  interface Failed {
    readonly error: {
      readonly name: string;
      readonly message: string;
      readonly signature: string;
    };
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

  it("says that nothing was paid once a transaction that never arrived is over", async () => {
    const before = await pool();
    line.fate = (method) => (method === "sendTransaction" ? "swallow" : "forward");
    const { code, stdout, stderr } = await fund().done;
    expect([code, stdout]).to.deep.equal([1, ""]);
    const { error } = JSON.parse(stderr) as Failed;
    expect(error.name).to.equal("Expired");
    expect(error.message).to.include(error.signature).and.include("nothing was paid");
    const { value } = await localnet().connection.getSignatureStatus(error.signature, {
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
    const { code, stdout, stderr } = await done;
    expect([code, stdout]).to.deep.equal([130, ""]);
    const { error } = JSON.parse(stderr) as Failed;
    expect(error.name).to.equal("OutcomeUnknown");
    expect(error.signature).to.match(/^[1-9A-HJ-NP-Za-km-z]{80,90}$/);
    expect(error.message).to.include(`solana confirm ${error.signature}`);
    expect(await pool()).to.equal(before);
  });
});
