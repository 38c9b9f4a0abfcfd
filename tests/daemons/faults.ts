import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createHttpServer } from "node:http";
import type { Server as TcpServer, Socket } from "node:net";
import { connect, createServer as createTcpServer } from "node:net";
import type { TransformCallback } from "node:stream";
import { Transform } from "node:stream";
import { text } from "node:stream/consumers";
import { utils } from "@coral-xyz/anchor";
import { freePair } from "@securing-tasks/client/localnet";
import { VersionedTransaction } from "@solana/web3.js";
import { dice } from "../utils/dice";
import { readFrame } from "../utils/socket_counter";

/**
 * What a server may do to whoever relies on it: break connections, answer late, answer 200 with HTML or what somebody else asked for, give
 * empty lists of accounts, half an answer, one without an end, 429 with `Retry-After` or 503, nothing at all, or take transactions and send
 * them nowhere. `stale`: all that it says is of slots long ago by its own word. `rollBack`: blocks that were confirmed are gone, so that it
 * answers and tells what was before them; what they did comes again later, or is told no more.
 */
export const FAULTS = [
  "drop",
  "delay",
  "lie",
  "empty",
  "truncate",
  "flood",
  "stale",
  "rollBack",
  "busy",
  "silent",
  "swallow",
] as const;
export type Fault = (typeof FAULTS)[number];

/** How a fault strikes. */
export interface Strike {
  readonly fault: Fault;
  /** The validator does not even hear what is asked. Else only the answer is spoiled: what was sent is executed, and nobody told. */
  readonly deaf: boolean;
  /** Strikes every second request only. */
  readonly half: boolean;
}

/** A fault of a plan: after some time without any, for a while. */
export interface Spell extends Strike {
  readonly calmMs: number;
  readonly forMs: number;
}

/** A fault that was there, by {@link performance}'s clock. */
export interface Struck extends Strike {
  readonly from: number;
  /** Infinity while it lasts. */
  until: number;
}

/** A transaction that somebody wanted sent. */
export interface Send {
  /** Moment of {@link performance}'s clock. */
  readonly at: number;
  readonly raw: Uint8Array;
  readonly fault: Fault | null;
  /** Whether the validator had it. */
  passed: boolean;
}

/** What a proxy did. */
export interface FaultRecord {
  readonly struck: Struck[];
  readonly sends: Send[];
  /** Requests by the fault that struck them. */
  readonly requests: Record<Fault | "none", number>;
  /** Most bytes of one endless answer that were taken, or are on their way. */
  mostFlooded: number;
  /** Messages to subscribers of what was before, and those that had to wait or never came. */
  rolledBack: number;
  /** Messages to subscribers of slots long ago. */
  madeStale: number;
}

/** Longer than any window of the soak, now and then; else a node can wait it out. */
const LONG_ONE_IN = 8;
const DELAY_MS = 1_000;
const RETRY_AFTER_SECONDS = 2;
/** So old is what a server says that was rolled back. */
const BACK_MS = 8_000;
/** Answers that are kept for that: one a second, of each question. */
const KEPT_EVERY_MS = 1_000;
const KEPT = 20;
/** So far behind is what is stale, in slots. */
const STALE_SLOTS = 200;
const LISTS: ReadonlySet<string> = new Set(["getProgramAccounts", "getTokenAccountsByOwner"]);
/** Subscriptions have nothing of the like. */
const HTTP_ONLY: ReadonlySet<Fault> = new Set(["empty", "swallow"]);
/** Messages are spoiled, and not the connection. */
const OF_MESSAGES: ReadonlySet<Fault> = new Set(["stale", "rollBack"]);
/** Answers that are nothing but a slot, or as good as one. */
const SLOTS: ReadonlySet<string> = new Set(["getSlot", "getBlockHeight", "getEpochInfo"]);
const WRITES: ReadonlySet<string> = new Set(["sendTransaction", "simulateTransaction"]);
const JSON_TYPE = "application/json";
const HTML = "<!DOCTYPE html><html><body><h1>Welcome to nginx!</h1></body></html>";
const FLOOD = Buffer.alloc(65_536, "0,");
/** As fast as a machine that others need too can bear: some 50 MB a second. */
const FLOOD_PAUSE_MS = 1;

/** Faults without an end, the same for the same seed. */
export function* faultPlan(seed: number): Generator<Spell, never> {
  const roll = dice(seed);
  for (;;) {
    const fault = FAULTS[roll(FAULTS.length)] as Fault;
    const long = roll(LONG_ONE_IN) === 0;
    yield {
      fault,
      deaf: roll(2) === 0,
      half: roll(3) === 0,
      calmMs: 3_000 + roll(9_000),
      forMs: long ? 20_000 + roll(20_000) : 500 + roll(5_500),
    };
  }
}

/** With these, what is asked by address is answered, and what is sent arrives. */
const BEARABLE: ReadonlySet<Fault> = new Set(["delay", "empty"]);

interface Stretch {
  readonly from: number;
  readonly until: number;
}

/** When, between two moments, one of a node's servers at least did what it was asked. Every second request is enough. */
export function calm(records: readonly FaultRecord[], { from, until }: Stretch): Stretch[] {
  const found: { from: number; until: number }[] = [];
  for (const { struck } of records) {
    let begin = from;
    for (const one of struck) {
      if (one.half || BEARABLE.has(one.fault) || one.until <= begin || one.from >= until) continue;
      if (one.from > begin) found.push({ from: begin, until: one.from });
      begin = one.until;
    }
    if (begin < until) found.push({ from: begin, until });
  }
  const joined: { from: number; until: number }[] = [];
  for (const one of found.sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && one.from <= last.until) last.until = Math.max(last.until, one.until);
    else joined.push(one);
  }
  return joined;
}

/**
 * Whether the faults of all of a node's servers are the reason why something was never done between two moments: none passed on such a
 * transaction, and there was never one that did what it was asked for as long as a node may take to try.
 *
 * @param isIt Which transactions would have done it.
 */
export function isSwallowed(
  records: readonly FaultRecord[],
  isIt: (raw: Uint8Array) => boolean,
  window: Stretch,
  patienceMs: number,
): boolean {
  const { from, until } = window;
  const passed = records.some(({ sends }) =>
    sends.some((one) => one.passed && one.at >= from && one.at < until && isIt(one.raw)),
  );
  return !passed && calm(records, window).every((one) => one.until - one.from < patienceMs);
}

interface Call {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

interface Past {
  readonly at: number;
  readonly body: string;
}

/** A validator's RPC server as one node sees it, over HTTP and, on the next port, WebSocket. It passes everything on until it is told otherwise. */
export class FaultProxy {
  readonly record: FaultRecord = {
    struck: [],
    sends: [],
    requests: Object.fromEntries(
      ["none", ...FAULTS].map((fault) => [fault, 0]),
    ) as FaultRecord["requests"],
    mostFlooded: 0,
    rolledBack: 0,
    madeStale: 0,
  };
  private mode: Struck | null = null;
  private turn = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly closing = new AbortController();
  /** Answers of before, oldest first, by what was asked. */
  private readonly past = new Map<string, Past[]>();
  private slots: { readonly at: number; readonly slot: number }[] = [];
  /** Subscribers' sockets, each with the validator's at its other end, where there is one. */
  private readonly pairs = new Map<Socket, Line | null>();

  private constructor(
    private readonly http: Server,
    private readonly sockets: TcpServer,
    private readonly port: number,
    private readonly behind: { readonly url: string; readonly socketPort: number },
    private readonly now: () => number,
  ) {}

  /**
   * @param rpcUrl Of a validator on this machine, which takes subscriptions on the next port.
   * @param now The clock that its record goes by, in milliseconds. Default: {@link performance}'s.
   */
  static async start(rpcUrl: string, now = (): number => performance.now()): Promise<FaultProxy> {
    const port = await freePair();
    const http = createHttpServer((asked, answer) => {
      proxy.take(asked, answer).catch(() => {
        asked.socket.destroy();
      });
    });
    const sockets = createTcpServer((client) => {
      proxy.accept(client);
    });
    const behind = { url: rpcUrl, socketPort: Number(new URL(rpcUrl).port) + 1 };
    const proxy = new FaultProxy(http, sockets, port, behind, now);
    await listen(http, port);
    await listen(sockets, port + 1);
    return proxy;
  }

  get rpcUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** From now on, this fault strikes. */
  strike(strike: Strike): void {
    this.behave();
    const { fault, deaf, half } = strike;
    const mode = { fault, deaf, half, from: this.now(), until: Infinity };
    this.mode = mode;
    this.record.struck.push(mode);
    if (fault === "drop") this.http.closeAllConnections();
    for (const [client, line] of this.pairs) {
      if (this.hit()) this.spoil(client, line, mode);
    }
  }

  /** From now on, everything is passed on. */
  behave(): void {
    const { mode } = this;
    if (!mode) return;
    mode.until = this.now();
    this.mode = null;
    for (const line of this.pairs.values()) line?.told.behave();
    // What stood still has lost what it did not pass on.
    for (const [client] of this.pairs) if (client.isPaused()) client.destroy();
  }

  /** Strikes by a plan, until {@link rest} or {@link close}. */
  follow(plan: Iterator<Spell, never>): void {
    const { value: spell } = plan.next();
    this.timer = setTimeout(() => {
      this.strike(spell);
      this.timer = setTimeout(() => {
        this.behave();
        this.follow(plan);
      }, spell.forMs);
    }, spell.calmMs);
  }

  /** Ends the plan and the fault. */
  rest(): void {
    clearTimeout(this.timer);
    this.behave();
  }

  async close(): Promise<void> {
    this.rest();
    this.closing.abort();
    for (const [client, line] of this.pairs) {
      client.destroy();
      line?.server.destroy();
    }
    this.http.closeAllConnections();
    await Promise.all([
      new Promise((resolve) => this.http.close(resolve)),
      new Promise((resolve) => this.sockets.close(resolve)),
    ]);
  }

  /** The fault that strikes now, if this one is hit. */
  private hit(): Struck | null {
    if (!this.mode) return null;
    this.turn += 1;
    return this.mode.half && this.turn % 2 === 0 ? null : this.mode;
  }

  /** Faults of two kinds take turns, also where every second request is hit. */
  private get other(): boolean {
    return this.turn % 4 < 2;
  }

  private async take(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await text(asked);
    const mode = this.hit();
    const fault = mode?.fault ?? null;
    this.record.requests[fault ?? "none"] += 1;
    const calls = callsOf(body);
    const sends = calls
      .filter(({ method }) => method === "sendTransaction")
      .map(({ params: [raw] }): Send => {
        const bytes = Uint8Array.from(Buffer.from(String(raw), "base64"));
        return { at: this.now(), raw: bytes, fault, passed: false };
      });
    this.record.sends.push(...sends);
    const forward = async (): Promise<Reply> => {
      const { method = "POST", url = "/" } = asked;
      const response = await fetch(new URL(url, this.behind.url), {
        method,
        ...(method === "POST" && { headers: { "content-type": JSON_TYPE }, body }),
        signal: this.closing.signal,
      });
      const type = response.headers.get("content-type") ?? "text/plain";
      const reply = { status: response.status, type, body: await response.text() };
      for (const send of sends) send.passed = true;
      return reply;
    };
    const only = calls.length === 1 ? (calls[0] as Call) : null;

    switch (fault) {
      case null:
        say(answer, this.remember(only, await forward()));
        return;
      case "delay":
        await pause(DELAY_MS);
        say(answer, this.remember(only, await forward()));
        return;
      case "empty":
        say(answer, emptied(only, await forward()));
        return;
      case "rollBack":
        say(answer, (mode && only && this.before(mode, only)) ?? (await forward()));
        return;
      case "stale":
        say(answer, aged(only, await forward()));
        return;
      case "truncate":
        this.cut(answer, await forward());
        return;
      case "busy":
        if (this.other) {
          answer.setHeader("retry-after", RETRY_AFTER_SECONDS);
          say(answer, { status: 429, type: "text/plain", body: "Too many requests" });
        } else say(answer, { status: 503, type: "text/plain", body: "Service Unavailable" });
        return;
      case "swallow":
        say(answer, only?.method === "sendTransaction" ? signatureOf(only) : await forward());
        return;
    }
    if (mode?.deaf === false) await forward();
    switch (fault) {
      case "lie":
        say(
          answer,
          this.other
            ? { status: 200, type: "text/html", body: HTML }
            : { status: 200, type: JSON_TYPE, body: '{"jsonrpc":"2.0","result":7,"id":"another"}' },
        );
        return;
      case "drop":
        asked.socket.destroy();
        return;
      case "flood":
        answer.writeHead(200, { "content-type": JSON_TYPE });
        await flood(answer, '{"jsonrpc":"2.0","id":"1","result":[', (bytes) => {
          this.record.mostFlooded = Math.max(this.record.mostFlooded, bytes);
        });
        return;
      case "silent":
        // Until whoever asked gives up.
        return;
    }
  }

  /** Half an answer: one time as if that was all, one time with the connection lost. */
  private cut(answer: ServerResponse, { status, type, body }: Reply): void {
    const half = Buffer.from(body).subarray(0, Buffer.byteLength(body) / 2);
    const lost = this.other;
    const length = lost ? Buffer.byteLength(body) : half.length;
    answer.writeHead(status, { "content-type": type, "content-length": length });
    answer.write(half, () => {
      if (lost) answer.destroy();
      else answer.end();
    });
  }

  private remember(call: Call | null, reply: Reply): Reply {
    if (!call || WRITES.has(call.method) || reply.status !== 200) return reply;
    const at = this.now();
    const slot = /^.{0,200}?"context":\{[^}]*"slot":(\d+)/.exec(reply.body)?.[1];
    if (slot !== undefined) this.slots = [...this.slots.slice(-200), { at, slot: Number(slot) }];
    const key = JSON.stringify([call.method, call.params]);
    const kept = this.past.get(key) ?? [];
    if (at - (kept.at(-1)?.at ?? -Infinity) < KEPT_EVERY_MS) return reply;
    // Those that are asked again go to the end: the map stays in the order of their last answers.
    this.past.delete(key);
    this.past.set(key, [...kept.slice(1 - KEPT), { at, body: reply.body }]);
    for (const [old, answers] of this.past) {
      if (at - (answers.at(-1)?.at ?? 0) < KEPT * KEPT_EVERY_MS) break;
      this.past.delete(old);
    }
    return reply;
  }

  /** What it would have said some time before the fault. Null for what it can do in the present alone. */
  private before({ from }: Struck, call: Call): Reply | null {
    if (WRITES.has(call.method)) return null;
    const at = from - BACK_MS;
    const is = (answer: object): Reply => replyTo(call, answer);
    const kept = this.past.get(JSON.stringify([call.method, call.params]));
    const then = kept?.findLast((one) => one.at <= at) ?? kept?.[0];
    if (then) return is(JSON.parse(then.body) as object);
    const slot = (this.slots.findLast((one) => one.at <= at) ?? this.slots[0])?.slot ?? 1;
    if (call.method === "getSignatureStatuses" && Array.isArray(call.params[0])) {
      return is({ result: { context: { slot }, value: call.params[0].map(() => null) } });
    }
    return is(tooNew(slot));
  }

  private accept(client: Socket): void {
    this.pairs.set(client, null);
    client.once("close", () => this.pairs.delete(client));
    client.on("error", nothing);
    const mode = this.hit();
    const passes = !mode || mode.fault === "delay" || HTTP_ONLY.has(mode.fault);
    if (!passes && !OF_MESSAGES.has(mode.fault)) {
      this.spoil(client, null, mode);
      return;
    }
    const meet = (): void => {
      if (client.destroyed) return;
      const server = connect(this.behind.socketPort, "127.0.0.1");
      const told = new Told(this.record, this.now);
      this.pairs.set(client, { server, told });
      server.on("error", nothing);
      server.once("close", () => client.destroy());
      client.once("close", () => server.destroy());
      client.pipe(server).pipe(told).pipe(client);
      if (mode && OF_MESSAGES.has(mode.fault)) told.spoil(mode);
    };
    if (mode?.fault === "delay") setTimeout(meet, DELAY_MS);
    else meet();
  }

  /** A subscriber's connection, new where there is no server's yet. */
  private spoil(client: Socket, line: Line | null, mode: Struck): void {
    const { server, told } = line ?? {};
    const { fault } = mode;
    if (!HTTP_ONLY.has(fault) && !OF_MESSAGES.has(fault)) told?.unpipe(client);
    switch (fault) {
      case "empty":
      case "swallow":
        return;
      case "stale":
      case "rollBack":
        told?.spoil(mode);
        return;
      case "delay":
        setTimeout(() => told?.pipe(client), DELAY_MS);
        return;
      case "drop":
        client.destroy();
        return;
      case "busy":
        if (server) client.destroy();
        else client.end(`HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\n\r\n`);
        return;
      case "lie":
        client.end(
          server ? textFrame(HTML) : `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n${HTML}`,
        );
        return;
      case "truncate":
        // The head of a message without the message.
        client.end(server ? Buffer.from([0x81, 0x7e, 0x01]) : "HTTP/1.1 101 Swi");
        return;
      case "flood": {
        // A message of 2^40 bytes.
        const head = Buffer.from([0x81, 0x7f, 0, 0, 1, 0, 0, 0, 0, 0]);
        void flood(client, server ? head : "HTTP/1.1 200 OK\r\n\r\n");
        return;
      }
      case "silent":
        client.unpipe();
        client.pause();
        return;
    }
  }
}

/** A subscriber's way to the validator, and what that tells on it. */
interface Line {
  readonly server: Socket;
  readonly told: Told;
}

interface Notification {
  readonly method?: string;
  readonly params?: {
    readonly subscription?: unknown;
    readonly result?: {
      readonly context?: { readonly slot: number };
      readonly value?: { readonly pubkey?: string } | null;
    };
  };
}

const HEAD_END = "\r\n\r\n";
const UPGRADED = "HTTP/1.1 101";
const TEXT = 0x1;
const WHOLE_TEXT = 0x81;

/** What a validator tells one subscriber: frames of WebSocket behind the head of its answer, or whatever it is. */
class Told extends Transform {
  private mode: Struck | null = null;
  private rest = Buffer.alloc(0);
  private isPlain = false;
  private headDone = false;
  /** What was told of each account, oldest first. */
  private readonly past = new Map<string, { readonly at: number; readonly text: string }[]>();
  /** What blocks did that are gone. */
  private withheld: string[] = [];
  private newest = 0;
  private turns = 0;

  constructor(
    private readonly record: FaultRecord,
    private readonly now: () => number,
  ) {
    super();
  }

  /** From now on, what it is told is stale; or what was told last is undone. */
  spoil(mode: Struck): void {
    this.mode = mode;
    if (mode.fault !== "rollBack") return;
    for (const told of this.past.values()) {
      const before = told.findLast(({ at }) => at <= mode.from - BACK_MS);
      if (!before || before === told.at(-1)) continue;
      this.turns += 1;
      this.record.rolledBack += 1;
      // In a block of another fork, which may be of a later slot, or as it was told then.
      const slot = this.turns % 2 === 0 ? null : this.newest;
      this.push(textFrame(slot === null ? before.text : withSlot(before.text, () => slot)));
    }
  }

  /** From now on, it tells the truth: what was undone comes again, or nobody speaks of it any more. */
  behave(): void {
    if (this.mode?.fault === "rollBack" && !this.mode.deaf) {
      for (const one of this.withheld) this.push(textFrame(one));
    }
    this.withheld = [];
    this.mode = null;
  }

  override _transform(part: Buffer, _encoding: string, done: TransformCallback): void {
    this.rest = Buffer.concat([this.rest, part]);
    if (!this.headDone && !this.isPlain) this.readHead();
    if (this.isPlain) {
      this.push(this.rest);
      this.rest = Buffer.alloc(0);
    } else if (this.headDone) this.readFrames();
    done();
  }

  private readHead(): void {
    const { rest } = this;
    const begin = rest.subarray(0, UPGRADED.length).toString("latin1");
    this.isPlain = !UPGRADED.startsWith(begin);
    const end = rest.indexOf(HEAD_END);
    if (this.isPlain || end < 0) return;
    this.headDone = true;
    this.push(rest.subarray(0, end + HEAD_END.length));
    this.rest = rest.subarray(end + HEAD_END.length);
  }

  private readFrames(): void {
    for (let frame = readFrame(this.rest); frame; frame = readFrame(this.rest)) {
      const raw = this.rest.subarray(0, frame.length);
      this.rest = this.rest.subarray(frame.length);
      const text = frame.opcode === TEXT ? frame.payload.toString() : null;
      const told = text === null ? null : parse(text);
      if (text === null || told?.params === undefined) this.push(raw);
      else this.pass(text, told, raw);
    }
  }

  private pass(text: string, told: Notification, raw: Buffer): void {
    const { subscription, result } = told.params ?? {};
    const slot = result?.context?.slot;
    if (this.mode?.fault === "stale") {
      this.record.madeStale += 1;
      this.push(textFrame(withSlot(text, (one) => one - STALE_SLOTS)));
      return;
    }
    if (slot === undefined) {
      this.push(raw);
      return;
    }
    this.newest = Math.max(this.newest, slot);
    if (this.mode?.fault === "rollBack") {
      this.record.rolledBack += 1;
      this.withheld.push(text);
      return;
    }
    const key = `${String(subscription)} ${result?.value?.pubkey ?? ""}`;
    const known = this.past.get(key) ?? [];
    this.past.set(key, [...known.slice(1 - KEPT), { at: this.now(), text }]);
    this.push(raw);
  }
}

function parse(text: string): Notification | null {
  try {
    return JSON.parse(text) as Notification | null;
  } catch {
    return null;
  }
}

/** A whole message of WebSocket from a server. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([WHOLE_TEXT, length]), payload]);
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = WHOLE_TEXT;
  if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** The same, as of another slot: of the context, or of all that a slot's own news tells. */
function withSlot(text: string, change: (slot: number) => number): string {
  return text.replace(/"(slot|parent|root)":(\d+)/g, (_all, name: string, slot: string) => {
    return `"${name}":${change(Number(slot))}`;
  });
}

function replyTo({ id }: Call, answer: object): Reply {
  const body = JSON.stringify({ jsonrpc: "2.0", ...answer, id });
  return { status: 200, type: JSON_TYPE, body };
}

/** As a server says that it has not come so far as it was asked to be. */
function tooNew(contextSlot: number): object {
  const message = "Minimum context slot has not been reached";
  return { error: { code: -32016, message, data: { contextSlot } } };
}

/** What a server says that is many slots behind, by its own word: of what it answers, only the slots differ. */
function aged(call: Call | null, reply: Reply): Reply {
  if (!call || WRITES.has(call.method)) return reply;
  const back = (slot: number): number => Math.max(slot - STALE_SLOTS, 0);
  const answer = JSON.parse(reply.body) as { result?: unknown };
  const { result } = answer;
  if (SLOTS.has(call.method)) {
    if (typeof result === "number") return replyTo(call, { result: back(result) });
    const { absoluteSlot, blockHeight, ...rest } = result as Record<string, number>;
    const older = { absoluteSlot: back(absoluteSlot ?? 0), blockHeight: back(blockHeight ?? 0) };
    return replyTo(call, { result: { ...rest, ...older } });
  }
  const { context, value } = (result ?? {}) as { context?: { slot: number }; value?: unknown };
  if (!context) return reply;
  const slot = back(context.slot);
  const least = call.params
    .map((one) => (one as { minContextSlot?: unknown } | null)?.minContextSlot)
    .find((one) => typeof one === "number");
  if (least !== undefined && least > slot) return replyTo(call, tooNew(slot));
  return replyTo(call, { result: { context: { ...context, slot }, value } });
}

/** Calls of a request's body, one or many; none where it holds none. */
function callsOf(body: string): readonly Call[] {
  try {
    const parsed = JSON.parse(body) as Call | Call[];
    return Array.isArray(parsed) ? parsed : [parsed];
  } catch {
    return [];
  }
}

function emptied(call: Call | null, reply: Reply): Reply {
  if (!call || !LISTS.has(call.method)) return reply;
  const answer = JSON.parse(reply.body) as { result?: unknown };
  const { result } = answer;
  if (Array.isArray(result)) answer.result = [];
  else if (typeof result === "object" && result !== null) answer.result = { ...result, value: [] };
  return { ...reply, body: JSON.stringify(answer) };
}

/** As a server says it that has taken a transaction. */
function signatureOf({ id, params: [raw] }: Call): Reply {
  const { signatures } = VersionedTransaction.deserialize(Buffer.from(String(raw), "base64"));
  const result = utils.bytes.bs58.encode(signatures[0] as Uint8Array);
  return { status: 200, type: JSON_TYPE, body: JSON.stringify({ jsonrpc: "2.0", result, id }) };
}

function say(answer: ServerResponse, { status, type, body }: Reply): void {
  answer.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  answer.end(body);
}

/** Bytes without an end, until nobody takes them any more. */
async function flood(
  to: ServerResponse | Socket,
  head: string | Buffer,
  onTaken: (bytes: number) => void = nothing,
): Promise<void> {
  to.write(head);
  for (let bytes = 0; !to.destroyed; bytes += FLOOD.length) {
    onTaken(bytes);
    const room = to.write(FLOOD);
    if (room) await pause(FLOOD_PAUSE_MS);
    else {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          to.off("drain", go).off("close", go);
          resolve();
        };
        to.on("drain", go).on("close", go);
      });
    }
  }
}

function listen(server: Server | TcpServer, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function nothing(): void {
  // Whoever was at the other end is gone.
}
