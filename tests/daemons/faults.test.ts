import { utils } from "@coral-xyz/anchor";
import type { Audit } from "@securing-tasks/client";
import {
  ConnectionChain,
  SecuringTasksClient,
  WRAPPED_SOL,
  roundAt,
  roundStart,
  taskAddress,
  voteAddress,
  wrapSol,
} from "@securing-tasks/client";
import { findValidator, freePair } from "@securing-tasks/client/localnet";
import type { NodeConfigInput, RunningNode } from "@securing-tasks/node";
import { checkNodeConfig, startNode } from "@securing-tasks/node";
import type { PublicKey } from "@solana/web3.js";
import { Connection, Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import getPort from "get-port";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { createServer as createHttpServer } from "node:http";
import type { Server as TcpServer, Socket } from "node:net";
import { connect, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { pino } from "pino";
import { RULES } from "../utils/games";
import type { LogLine } from "./daemon";
import { Daemon } from "./daemon";
import { Disk } from "./disk";
import type { Fault, FaultRecord, Strike } from "./faults";
import { readFrame } from "../utils/socket_counter";
import { FAULTS, FaultProxy, faultPlan, isSwallowed, textFrame } from "./faults";
import { FragileValidator } from "./validator";

const ROOT = join(__dirname, "../..");
const BYTECODE = join(ROOT, "target/deploy/securing_tasks.so");
/** For what must come, on however busy a machine. */
const LONG_MS = 30_000;

interface Asked {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** A notification, as a subscriber gets it. */
interface Told {
  readonly params: {
    readonly result: { readonly context: { readonly slot: number }; readonly value: unknown };
  };
}

const UPGRADED = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

describe("a proxy with faults", () => {
  let http: Server;
  let sockets: TcpServer;
  let proxy: FaultProxy;
  /** What the server behind it was asked. */
  let heard: string[];
  let slot: number;
  /** Milliseconds by which the proxy's clock is ahead. */
  let ahead: number;
  const open = new Set<Socket>();

  beforeEach(async () => {
    heard = [];
    slot = 100;
    ahead = 0;
    http = createHttpServer((asked, answer) => {
      void text(asked).then((body) => {
        const { method } = JSON.parse(body) as Asked;
        heard.push(method);
        const value = method === "getProgramAccounts" ? ["a", "b"] : [null];
        const result = method === "getProgramAccounts" ? value : { context: { slot }, value };
        answer.setHeader("content-type", "application/json");
        answer.end(JSON.stringify({ jsonrpc: "2.0", result, id: 7 }));
      });
    });
    sockets = createTcpServer((socket) => {
      open.add(socket);
      socket.on("error", () => open.delete(socket));
      socket.on("data", (part) => {
        const said = part.toString();
        socket.write(said.startsWith("GET ") ? UPGRADED : `heard ${said}`);
      });
    });
    const port = await freePair();
    http.listen(port, "127.0.0.1");
    sockets.listen(port + 1, "127.0.0.1");
    await Promise.all([once(http, "listening"), once(sockets, "listening")]);
    proxy = await FaultProxy.start(`http://127.0.0.1:${port}`, () => performance.now() + ahead);
  });

  afterEach(async () => {
    await proxy.close();
    for (const socket of open) socket.destroy();
    http.closeAllConnections();
    http.close();
    sockets.close();
  });

  const strike = (fault: Fault, more: Partial<Strike> = {}): void => {
    proxy.strike({ fault, deaf: false, half: false, ...more });
  };

  const ask = (method: string, params: readonly unknown[] = [], ms = LONG_MS): Promise<Response> =>
    fetch(proxy.rpcUrl, {
      method: "POST",
      body: JSON.stringify({ jsonrpc: "2.0", id: 7, method, params }),
      signal: AbortSignal.timeout(ms),
    });

  const answerOf = async (method: string, params?: readonly unknown[]): Promise<unknown> =>
    (await ask(method, params)).json();

  /** How an exchange that yields no answer ends. */
  const failure = async (asking: Promise<Response>): Promise<string> => {
    try {
      return `answered ${await (await asking).text()}`;
    } catch (error) {
      return (error as Error).name;
    }
  };

  /** Whoever hears messages of WebSocket. */
  const subscriber = async (): Promise<{ next(count: number): Promise<Told[]> }> => {
    const socket = connect(Number(new URL(proxy.rpcUrl).port) + 1, "127.0.0.1");
    let rest = Buffer.alloc(0);
    socket.on("data", (part) => (rest = Buffer.concat([rest, part])));
    const until = async (isThere: () => boolean): Promise<void> => {
      while (!isThere()) await once(socket, "data");
    };
    socket.write("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
    await until(() => rest.length >= UPGRADED.length);
    rest = rest.subarray(UPGRADED.length);
    const told: Told[] = [];
    return {
      next: async (count) => {
        await until(() => {
          for (let frame = readFrame(rest); frame; frame = readFrame(rest)) {
            rest = rest.subarray(frame.length);
            told.push(JSON.parse(frame.payload.toString()) as Told);
          }
          return told.length >= count;
        });
        return told;
      },
    };
  };

  /** Has the server behind the proxy tell all subscribers. */
  const tell = (text: string): void => {
    for (const socket of open) socket.write(textFrame(text));
  };

  const notification = (data: number, pubkey: string, at: number): string => {
    const result = { context: { slot: at }, value: { pubkey, data } };
    const params = { result, subscription: 3 };
    return JSON.stringify({ jsonrpc: "2.0", method: "programNotification", params });
  };

  const slotsOf = (told: readonly Told[]): unknown[] =>
    told.map(({ params }) => params.result.context.slot);

  const aTransaction = (): Buffer => {
    const payer = Keypair.generate();
    const transaction = new Transaction({
      feePayer: payer.publicKey,
      blockhash: Keypair.generate().publicKey.toBase58(),
      lastValidBlockHeight: 1,
    }).add(
      SystemProgram.transfer({
        fromPubkey: payer.publicKey,
        toPubkey: payer.publicKey,
        lamports: 1,
      }),
    );
    transaction.sign(payer);
    return transaction.serialize();
  };

  it("passes on what it gets while nothing is wrong, and notes the transactions", async () => {
    const found = await answerOf("getProgramAccounts");
    expect(found).to.deep.equal({ jsonrpc: "2.0", result: ["a", "b"], id: 7 });
    const raw = aTransaction();
    await ask("sendTransaction", [raw.toString("base64"), { encoding: "base64" }]);
    expect(heard).to.deep.equal(["getProgramAccounts", "sendTransaction"]);
    const [send, ...more] = proxy.record.sends;
    expect(more).to.deep.equal([]);
    expect(send?.raw).to.deep.equal(Uint8Array.from(raw));
    expect([send?.fault, send?.passed]).to.deep.equal([null, true]);
  });

  it("drops: connections break, and what was sent got there or not, as it was told", async () => {
    for (const deaf of [false, true]) {
      strike("drop", { deaf });
      expect(await failure(ask("sendTransaction", ["AA=="]))).to.equal("TypeError");
    }
    expect(heard).to.deep.equal(["sendTransaction"]);
    expect(proxy.record.sends.map(({ passed }) => passed)).to.deep.equal([true, false]);
    proxy.behave();
    expect((await ask("getProgramAccounts")).status).to.equal(200);
  });

  it("delays", async () => {
    strike("delay");
    expect(await failure(ask("getProgramAccounts", [], 500))).to.equal("TimeoutError");
    const started = performance.now();
    expect((await ask("getProgramAccounts")).status).to.equal(200);
    expect(performance.now() - started).to.be.above(1_000);
  });

  it("lies: 200 with HTML or what somebody else asked for, in all answers or every second one", async () => {
    strike("lie");
    const said: string[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      const answer = await ask("getProgramAccounts");
      expect(answer.status).to.equal(200);
      said.push(await answer.text());
    }
    expect(said.filter((one) => one.startsWith("<!DOCTYPE html>"))).to.have.length(4);
    expect(said.filter((one) => one.endsWith('"id":"another"}'))).to.have.length(4);
    strike("lie", { half: true });
    const honest: boolean[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      honest.push((await (await ask("getProgramAccounts")).text()).includes('"id":7'));
    }
    expect(honest.filter((one) => one)).to.have.length(2);
    expect(proxy.record.requests).to.include({ lie: 10, none: 2 });
  });

  it("empties lists of accounts, and nothing else", async () => {
    strike("empty");
    expect(await answerOf("getProgramAccounts")).to.deep.include({ result: [] });
    const others = await answerOf("getMultipleAccounts");
    expect(others).to.deep.include({ result: { context: { slot: 100 }, value: [null] } });
    const owned = await answerOf("getTokenAccountsByOwner");
    expect(owned).to.deep.include({ result: { context: { slot: 100 }, value: [] } });
  });

  it("truncates: half an answer, as if it was all or with the connection lost", async () => {
    strike("truncate");
    const ends: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) ends.push(await failure(ask("getProgramAccounts")));
    const cut = ends.filter((end) => end.startsWith("answered"));
    expect(cut.map((end) => end.slice(9))).to.deep.equal(
      Array<string>(2).fill('{"jsonrpc":"2.0","res'),
    );
    expect(ends.filter((end) => end === "TypeError")).to.have.length(2);
  });

  it("floods: an answer has no end", async () => {
    strike("flood");
    const { body } = await ask("getProgramAccounts");
    let bytes = 0;
    // Leaving the loop closes the connection.
    for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += part.length;
      if (bytes > 5_000_000) break;
    }
    expect(bytes).to.be.above(5_000_000);
    expect(proxy.record.mostFlooded).to.be.above(4_000_000);
  });

  it("swallows transactions, and answers as if it had taken them", async () => {
    strike("swallow");
    const raw = aTransaction();
    const { signature } = Transaction.from(raw);
    const said = await answerOf("sendTransaction", [raw.toString("base64")]);
    expect(said).to.deep.include({ id: 7, result: utils.bytes.bs58.encode(signature as Buffer) });
    expect((await ask("getProgramAccounts")).status).to.equal(200);
    expect(heard).to.deep.equal(["getProgramAccounts"]);
    expect(proxy.record.sends.map(({ passed }) => passed)).to.deep.equal([false]);
  });

  it("rolls back: what it said before the fault, and slots of the past", async () => {
    const get = { context: { slot: 100 }, value: [null] };
    expect(await answerOf("getAccountInfo", ["x"])).to.deep.include({ result: get });
    slot = 250;
    strike("rollBack");
    expect(await answerOf("getAccountInfo", ["x"])).to.deep.include({ result: get });
    const unseen = await answerOf("getSignatureStatuses", [["s", "t"]]);
    const unknown = { context: { slot: 100 }, value: [null, null] };
    expect(unseen).to.deep.include({ result: unknown });
    const asked = await answerOf("getMultipleAccounts", [[], { minContextSlot: 249 }]);
    expect(asked).to.have.nested.property("error.code", -32016);
    expect(asked).to.have.nested.property("error.data.contextSlot", 100);
    // What was sent is not undone by that.
    await ask("sendTransaction", ["AA=="]);
    expect(heard).to.deep.equal(["getAccountInfo", "sendTransaction"]);
    proxy.behave();
    const now = await answerOf("getAccountInfo", ["x"]);
    expect(now).to.have.nested.property("result.context.slot", 250);
  });

  it("is stale: all that it says is of slots long ago, also to subscribers", async () => {
    slot = 1_000;
    strike("stale");
    const get = { context: { slot: 800 }, value: [null] };
    expect(await answerOf("getMultipleAccounts", [[], {}])).to.deep.include({ result: get });
    const asked = await answerOf("getMultipleAccounts", [[], { minContextSlot: 801 }]);
    expect(asked).to.have.nested.property("error.code", -32016);
    const told = await subscriber();
    tell(notification(1, "x", 1_000));
    expect(slotsOf(await told.next(1))).to.deep.equal([800]);
    proxy.behave();
    tell(notification(2, "x", 1_001));
    expect(slotsOf(await told.next(2))).to.deep.equal([800, 1_001]);
    expect(proxy.record.madeStale).to.equal(1);
  });

  for (const again of [true, false]) {
    it(`rolls back what it told subscribers, which ${again ? "comes again" : "is told no more"}`, async () => {
      const told = await subscriber();
      for (const [turn, account] of ["x", "y"].entries()) tell(notification(turn, account, 100));
      await told.next(2);
      // Longer ago than what is rolled back.
      ahead += 10_000;
      for (const account of ["x", "y"]) tell(notification(7, account, 110));
      await told.next(4);
      strike("rollBack", { deaf: !again });
      const undone = (await told.next(6)).slice(4);
      expect(undone.map(({ params }) => params.result.value)).to.deep.equal([
        { pubkey: "x", data: 0 },
        { pubkey: "y", data: 1 },
      ]);
      // In a later block of another fork, and as it was told then.
      expect(slotsOf(undone)).to.deep.equal([110, 100]);
      tell(notification(8, "x", 111));
      tell(JSON.stringify({ jsonrpc: "2.0", result: 5, id: 1 }));
      // What is no news is passed on, and what was told before that was not.
      expect((await told.next(7)).at(-1)).to.deep.include({ result: 5 });
      proxy.behave();
      tell(notification(9, "y", 112));
      expect(slotsOf((await told.next(again ? 9 : 8)).slice(7))).to.deep.equal(
        again ? [111, 112] : [112],
      );
      expect(proxy.record.rolledBack).to.equal(3);
    });
  }

  it("is busy: 429 with Retry-After or 503, and the validator hears nothing", async () => {
    strike("busy");
    const said: unknown[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const { status, headers } = await ask("sendTransaction");
      said.push([status, headers.get("retry-after")]);
    }
    expect(said).to.have.deep.members([429, 429, 503, 503].map((n) => [n, n === 429 ? "2" : null]));
    expect(heard).to.deep.equal([]);
    expect(proxy.record.sends.map(({ fault, passed }) => [fault, passed])).to.deep.equal(
      Array(4).fill(["busy", false]),
    );
  });

  it("goes silent: no answer comes, though the validator may have heard", async () => {
    for (const deaf of [false, true]) {
      strike("silent", { deaf });
      expect(await failure(ask("sendTransaction", ["AA=="], 300))).to.equal("TimeoutError");
    }
    expect(heard).to.deep.equal(["sendTransaction"]);
  });

  it("does the like to subscriptions, the open ones and the new", async () => {
    const port = Number(new URL(proxy.rpcUrl).port) + 1;
    const subscribe = async (): Promise<Socket> => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => socket.destroy());
      await once(socket, "connect");
      return socket;
    };
    const heardBy = (socket: Socket, patienceMs: number): Promise<string> =>
      new Promise((resolve) => {
        const done = (text: string): void => {
          clearTimeout(timer);
          resolve(text);
        };
        const timer = setTimeout(done, patienceMs, "silence");
        socket.once("data", (part) => {
          done(part.toString("latin1"));
        });
        socket.once("close", () => {
          done("closed");
        });
        if (!socket.destroyed) socket.write("ping");
      });
    const expected: Record<Fault, [open: RegExp, fresh: RegExp]> = {
      drop: [/^closed$/, /^closed$/],
      busy: [/^closed$/, /^HTTP\/1.1 429 /],
      lie: [/^.C<!DOCTYPE/s, /^HTTP\/1.1 200 OK\r\n.*html/],
      truncate: [/^.~.$/s, /^HTTP\/1.1 101 Swi$/],
      silent: [/^silence$/, /^silence$/],
      empty: [/^heard ping$/, /^heard ping$/],
      stale: [/^heard ping$/, /^heard ping$/],
      rollBack: [/^heard ping$/, /^heard ping$/],
      swallow: [/^heard ping$/, /^heard ping$/],
      flood: [/^.\x7f/, /^HTTP\/1.1 200 OK/],
      delay: [/^silence$/, /^silence$/],
    };
    for (const fault of FAULTS) {
      const before = await subscribe();
      expect(await heardBy(before, LONG_MS)).to.equal("heard ping");
      strike(fault);
      const patienceMs = fault === "silent" || fault === "delay" ? 300 : LONG_MS;
      const told = heardBy(before, patienceMs);
      const after = await subscribe();
      const fresh = await heardBy(after, patienceMs);
      const old = await told;
      expect(old, `${fault}, open`).to.match(expected[fault][0]);
      expect(fresh, `${fault}, new`).to.match(expected[fault][1]);
      proxy.behave();
      for (const socket of [before, after]) socket.destroy();
    }
  });

  it("follows a plan, which its seed decides, and writes down what it did", async () => {
    const first = (seed: number): unknown[] => {
      const plan = faultPlan(seed);
      return Array.from({ length: 200 }, () => plan.next().value);
    };
    expect(first(5)).to.deep.equal(first(5)).and.not.to.deep.equal(first(6));
    const planned = new Set(first(5).map((spell) => (spell as Strike).fault));
    expect([...planned]).to.have.members([...FAULTS]);

    const spell = { fault: "busy", deaf: true, half: false, calmMs: 100, forMs: 200 } as const;
    function* plan(): Generator<typeof spell, never> {
      for (;;) yield spell;
    }
    const started = performance.now();
    proxy.follow(plan());
    const statuses = new Set<number>();
    while (proxy.record.struck.length < 3) statuses.add((await ask("getProgramAccounts")).status);
    proxy.rest();
    expect([...statuses].filter((status) => status !== 503)).to.have.members([200, 429]);
    const [one, two, three] = proxy.record.struck;
    expect(one?.from).to.be.above(started + 90);
    expect((one?.until ?? 0) - (one?.from ?? 0)).to.be.above(190);
    expect((two?.from ?? 0) - (one?.until ?? 0)).to.be.above(90);
    expect(three?.until).to.be.below(performance.now() + 1);
  });
});

describe("what faults are a reason for", () => {
  const window = { from: 1_000, until: 20_000 };
  const deaf = { fault: "silent", deaf: true, half: false } as const;
  const mine = (raw: Uint8Array): boolean => raw[0] === 1;
  const judge = (...records: readonly Partial<FaultRecord>[]): boolean => {
    const none = {
      struck: [],
      sends: [],
      requests: {} as never,
      mostFlooded: 0,
      rolledBack: 0,
      madeStale: 0,
    };
    const all = records.map((record) => ({ ...none, ...record }));
    return isSwallowed(all, mine, window, 5_000);
  };
  const send = (at: number, passed: boolean, raw = 1) => ({
    ...{ at, passed, raw: Uint8Array.of(raw) },
    fault: "silent" as const,
  });

  it("a window that they left no time in", () => {
    expect(judge({ struck: [{ ...deaf, from: 0, until: Infinity }] })).to.equal(true);
    const pieces = [
      { ...deaf, from: 4_000, until: 9_000 },
      { ...deaf, from: 13_000, until: 15_500 },
    ];
    expect(judge({ struck: pieces })).to.equal(true);
    expect(judge({ struck: pieces, sends: [send(5_000, false)] })).to.equal(true);
    expect(judge({ struck: pieces, sends: [send(5_000, true, 2)] })).to.equal(true);
    expect(judge({ struck: pieces, sends: [send(500, true)] })).to.equal(true);
  });

  it("not one in which the validator had the transaction, or there was time to send it", () => {
    const whole = [{ ...deaf, from: 0, until: Infinity }];
    expect(judge({ struck: whole, sends: [send(5_000, true)] })).to.equal(false);
    expect(judge({})).to.equal(false);
    expect(judge({ struck: [{ ...deaf, from: 7_000, until: 30_000 }] })).to.equal(false);
    expect(judge({ struck: [{ ...deaf, from: 0, until: 14_000 }] })).to.equal(false);
    expect(judge({ struck: [{ ...deaf, half: true, from: 0, until: Infinity }] })).to.equal(false);
    for (const fault of ["delay", "empty"] as const) {
      expect(judge({ struck: [{ ...deaf, fault, from: 0, until: Infinity }] })).to.equal(false);
    }
    const apart = [
      { ...deaf, from: 0, until: 7_000 },
      { ...deaf, from: 12_500, until: 30_000 },
    ];
    expect(judge({ struck: apart })).to.equal(false);
  });

  it("not one in which another server did what it was asked, alone or by turns", () => {
    const whole = { struck: [{ ...deaf, from: 0, until: Infinity }] };
    expect(judge(whole, whole)).to.equal(true);
    expect(judge(whole, {})).to.equal(false);
    expect(judge(whole, { ...whole, sends: [send(5_000, true)] })).to.equal(false);
    // Three seconds of the one, and then three of the other.
    const first = { struck: [{ ...deaf, from: 4_000, until: Infinity }] };
    const second = [0, 7_000].map((from, index) => ({
      ...{ ...deaf, from },
      until: index === 0 ? 4_000 : Infinity,
    }));
    expect(judge(first)).to.equal(true);
    expect(judge({ struck: second })).to.equal(true);
    expect(judge(first, { struck: second })).to.equal(false);
  });
});

/** Time enough for a busy machine to vote in, at 50 ms a slot. */
const WINDOWS = {
  roundSlots: 1_200n,
  submissionSlots: 1_000n,
  auditSlots: 100n,
  commitSlots: 240n,
  revealSlots: 400n,
  leaveDelaySlots: 1_800n,
};
/** Slots of the reveal window in which servers do nothing that they are asked. */
const STRUCK_SLOTS = 160n;
const TIMEOUT_MS = 3_000;
const AUDIT = `export const audit = () => "malicious";`;
const STAKE = 2_000n;

/** A witness, in this process, with servers of its own. */
interface Voter {
  readonly owner: Keypair;
  readonly operator: Keypair;
  readonly proxies: readonly FaultProxy[];
  readonly config: NodeConfigInput;
  readonly lines: LogLine[];
  node: RunningNode;
}

describe("witnesses, each with a server that is wrong in its own way,", () => {
  /** From before the audit until after it. */
  const always: Record<string, Partial<Strike> & { readonly fault: Fault }> = {
    lies: { fault: "lie", half: true },
    truncates: { fault: "truncate", half: true },
    delays: { fault: "delay" },
    "one of two is silent": { fault: "silent" },
  };
  /** In the first part of the reveal window. */
  const forAWhile: Record<string, Partial<Strike> & { readonly fault: Fault }> = {
    drops: { fault: "drop" },
    floods: { fault: "flood" },
    "is busy": { fault: "busy" },
    "goes silent": { fault: "silent" },
    "rolls back": { fault: "rollBack" },
    swallows: { fault: "swallow" },
  };
  const folder = mkdtempSync(join(tmpdir(), "securing-tasks-faults-"));
  let validator: FragileValidator | undefined;
  let chain: ConnectionChain;
  let client: SecuringTasksClient;
  let task: PublicKey;
  let audit: Audit;
  const voters = new Map<string, Voter>();
  /** Its log is lost, it has a quarter of a processor, and, where that can be had, a disk that is full once it has committed. */
  let poor: Daemon | undefined;
  let poorOwner: PublicKey;
  let disk: Disk | null = null;

  const keyFile = (name: string, { secretKey }: Keypair): string => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify([...secretKey]));
    return file;
  };

  const config = async (
    name: string,
    owner: Keypair,
    operator: Keypair,
    rpcUrls: string[],
  ): Promise<NodeConfigInput> => {
    await Promise.all(
      [owner, operator].map(({ publicKey }) => chain.fund(publicKey, 1_000_000_000n)),
    );
    const ownerKeypair = keyFile(`${name}-owner`, owner);
    return {
      rpcUrls,
      task: task.toBase58(),
      owner: owner.publicKey.toBase58(),
      role: "witness",
      operatorKeypair: keyFile(`${name}-operator`, operator),
      state: join(folder, `${name}-state`),
      join: { ownerKeypair, stake: STAKE.toString() },
      allowPrivateNetwork: true,
      samples: 0,
      pollMs: 1_000,
      rpcTimeoutMs: TIMEOUT_MS,
      logLevel: "debug",
      chores: { resolve: false, claim: false, close: false },
    };
  };

  const run = async (given: NodeConfigInput, lines: LogLine[]): Promise<RunningNode> => {
    const write = (line: string): void => void lines.push(JSON.parse(line) as LogLine);
    return startNode(checkNodeConfig(given), { logger: pino({ level: "debug" }, { write }) });
  };

  const voter = (name: string): Voter => {
    const found = voters.get(name);
    if (!found) throw new Error(`Nobody is called ${name}.`);
    return found;
  };

  const requests = (name: string, fault: Fault | "none", server = 0): number =>
    voter(name).proxies[server]?.record.requests[fault] ?? 0;

  const said = (name: string, message: string): LogLine[] =>
    voter(name).lines.filter(({ msg }) => msg === message);

  /** Who has not come so far with its vote. */
  const missing = async (state: "committed" | "revealed"): Promise<string[]> => {
    const all = [...voters].map(([name, { owner }]) => [name, owner.publicKey] as const);
    const found = await Promise.all(
      [...all, ["poor", poorOwner] as const].map(async ([name, owner]) => {
        const vote = await client.find("vote", voteAddress(audit.address, owner));
        return vote?.state === state ? [] : [name];
      }),
    );
    return found.flat();
  };

  const untilAll = async (state: "committed" | "revealed", end: bigint): Promise<string[]> => {
    for (;;) {
      const late = await missing(state);
      const slot = await chain.slot();
      if (late.length === 0 || slot >= end) return late;
      await chain.waitForSlot(slot + 4n);
    }
  };

  before("commit to an audit, have their servers go wrong, and reveal", async () => {
    const binary = await findValidator(join(ROOT, "toolchain/validator.sh"));
    validator = await FragileValidator.start(binary, BYTECODE);
    const { rpcUrl } = validator;
    chain = new ConnectionChain(new Connection(rpcUrl, "confirmed"));
    const creator = Keypair.generate();
    await chain.fund(creator.publicKey, 10_000_000_000n);
    client = new SecuringTasksClient(chain.provider(creator));
    task = taskAddress(creator.publicKey, 1n);
    const file = join(folder, "audit.js");
    writeFileSync(file, AUDIT);
    await client
      .createTask({
        creator: creator.publicKey,
        id: 1n,
        mint: WRAPPED_SOL,
        rules: { ...RULES, ...WINDOWS },
        auditFunction: {
          hash: createHash("sha256").update(AUDIT).digest(),
          uri: pathToFileURL(file).href,
        },
      })
      .rpc();

    const names = [...Object.keys(always), ...Object.keys(forAWhile), "empties"];
    const hiring = names.map(async (name) => {
      const [owner, operator] = [Keypair.generate(), Keypair.generate()];
      const proxies = [await FaultProxy.start(rpcUrl)];
      if (name === "one of two is silent") proxies.push(await FaultProxy.start(rpcUrl));
      const urls = proxies.map(({ rpcUrl }) => rpcUrl);
      const given = await config(name.replaceAll(" ", "-"), owner, operator, urls);
      const lines: LogLine[] = [];
      const node = await run(given, lines);
      voters.set(name, { owner, operator, proxies, config: given, lines, node });
    });
    const hirePoor = async (): Promise<void> => {
      const [owner, operator] = [Keypair.generate(), Keypair.generate()];
      poorOwner = owner.publicKey;
      const given = await config("poor", owner, operator, [rpcUrl]);
      disk = await Disk.mount(given.state);
      const port = await getPort();
      const http = { host: "127.0.0.1", port, publicUrl: `http://127.0.0.1:${port}` };
      poor = await Daemon.make(folder, "poor", { ...given, http }, true);
      await poor.start();
      poor.throttle();
    };
    await Promise.all([...hiring, hirePoor()]);

    for (const [name, strike] of Object.entries(always)) {
      voter(name).proxies[0]?.strike({ deaf: true, half: false, ...strike });
    }
    await quarrel();
    const late = await untilAll("committed", audit.revealSlot);
    expect(late, "no vote of").to.deep.equal([]);

    await disk?.fill();
    // What it committed to it can know from its state alone.
    const emptied = voter("empties");
    await emptied.node.stop();
    emptied.proxies[0]?.strike({ fault: "empty", deaf: false, half: false });
    emptied.node = await run(emptied.config, emptied.lines);
    for (const [name, strike] of Object.entries(forAWhile)) {
      voter(name).proxies[0]?.strike({ deaf: true, half: false, ...strike });
    }
    await chain.waitForSlot(audit.revealSlot + STRUCK_SLOTS);
    for (const name of Object.keys(forAWhile)) voter(name).proxies[0]?.behave();
    await untilAll("revealed", audit.endSlot);
  });

  after(async () => {
    for (const { node, proxies } of voters.values()) {
      await node.stop();
      await Promise.all(proxies.map((proxy) => proxy.close()));
    }
    // What comes later than a failure of the set-up is not there.
    await poor?.stop();
    await disk?.unmount();
    await (chain as ConnectionChain | undefined)?.close();
    await validator?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A worker lies, and another accuses it. */
  async function quarrel(): Promise<void> {
    const workers = [Keypair.generate(), Keypair.generate()] as const;
    const [liar, accuser] = workers;
    const ref = { address: task, mint: WRAPPED_SOL };
    const { startSlot } = await client.fetch("task", task);
    for (const worker of workers) {
      await chain.fund(worker.publicKey, 1_000_000_000n);
      const given = { task: ref, owner: worker.publicKey, role: "worker" as const };
      const joining = client.joinTask({ ...given, amount: STAKE, startSlot });
      const wrap = wrapSol(worker.publicKey, STAKE);
      await chain.send(new Transaction().add(...wrap, await joining.instruction()), [worker]);
    }
    const found = await client.fetch("task", task);
    // Who joins in a round has a say from the next slot on; the submission window must still be open then.
    let round = roundAt(found, await chain.waitForSlot((await chain.slot()) + 1n));
    const into = (await chain.slot()) - roundStart(found, round);
    if (into > WINDOWS.submissionSlots - 50n) {
      round += 1n;
      await chain.waitForSlot(roundStart(found, round));
    }
    const work = { task, owner: liar.publicKey, round, payloadHash: new Uint8Array(32).fill(7) };
    const submitting = client.submitWork({ ...work, payloadUri: "liar:" });
    await chain.send(new Transaction().add(await submitting.instruction()), [liar]);
    const parties = { accused: liar.publicKey, initiator: accuser.publicKey };
    const opening = client.openAudit({ task, round, ...parties, accusation: "malice" });
    await chain.send(new Transaction().add(await opening.instruction()), [accuser]);
    const [opened] = await client.ofTask("audit", task);
    if (!opened) throw new Error("No audit was opened.");
    audit = opened;
  }

  it("reveal all of their votes, and so does one on a poor machine", async () => {
    expect(await missing("revealed")).to.deep.equal([]);
  });

  it("do nothing twice", async () => {
    for (const [name, { operator }] of voters) {
      const all = await chain.connection.getSignaturesForAddress(
        operator.publicKey,
        {},
        "confirmed",
      );
      const failed = all.filter(({ err }) => err !== null);
      expect(failed, name).to.deep.equal([]);
      // It was given SOL, joined, committed and revealed.
      expect(all.length, name).to.equal(4);
    }
  });

  it("ask again, by itself, what is answered with a page or for another", () => {
    expect(requests("lies", "lie")).to.be.above(20);
    expect(said("lies", "can't look at the chain")).to.deep.equal([]);
  });

  // That lists are short is told where something is missing (view.test.ts): here subscriptions and addresses bring it all the same.
  it("miss nothing where lists are empty", () => {
    expect(requests("empties", "empty")).to.be.above(0);
    expect(said("empties", "can't look at the chain")).to.deep.equal([]);
  });

  it("go to another server where one is silent", () => {
    const name = "one of two is silent";
    expect(requests(name, "none", 1)).to.be.above(3 * requests(name, "silent"));
  });

  it("read no more of an endless answer than the longest has", () => {
    const [proxy] = voter("floods").proxies;
    // What the system has taken for them is on its way.
    expect(proxy?.record.mostFlooded).to.be.within(1_000_000, 26_000_000);
  });

  it("ask a server that is busy, silent or gone only now and then", () => {
    for (const [name, fault] of [
      ["is busy", "busy"],
      ["goes silent", "silent"],
      ["drops", "drop"],
    ] as const) {
      const [{ from, until } = { from: 0, until: 0 }] = voter(name).proxies[0]?.record.struck ?? [];
      const seconds = (until - from) / 1_000;
      expect(requests(name, fault), name).to.be.within(1, 5 + 2 * seconds);
    }
  });

  it("believe no server that has gone back in time", () => {
    expect(requests("rolls back", "rollBack")).to.be.above(0);
    const behind = said("rolls back", "can't look at the chain").filter(({ message }) =>
      /^The RPC server is behind: at slot/.test(String(message)),
    );
    expect(behind).not.to.deep.equal([]);
  });

  it("say within seconds that what they sent is not taken, and pay more for it", () => {
    const { sends } = voter("swallows").proxies[0]?.record ?? { sends: [] };
    expect(sends.some(({ passed }) => !passed)).to.equal(true);
    expect(said("swallows", "a transaction is not taken")).not.to.deep.equal([]);
    expect(said("swallows", "its price is raised")).not.to.deep.equal([]);
  });

  it("count the lines and writes that a full disk costs, and go on", async function () {
    expect(await poor?.metric("log_lines_dropped_total")).to.be.above(0);
    if (!disk) {
      console.log("      SKIPPED: a full disk. Only root may mount a small one, on Linux.");
      this.skip();
    }
    expect(await poor?.metric("state_errors_total")).to.be.above(0);
  });
});
