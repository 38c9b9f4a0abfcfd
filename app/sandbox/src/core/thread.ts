/*
 * The thread in which functions run, one at a time. A thread of its own, because QuickJS asks its interrupt handler only between the
 * steps of a function, not within a built-in: `Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)` goes on for years, and only the
 * end of a thread ends it. It also keeps a long computation from holding up the node.
 */
import type { QuickJSContext, QuickJSHandle } from "quickjs-emscripten-core";
import type { AskedFor, AuditFacts, Doors, Evidence, HttpAnswer } from "./api";
import { Engine } from "./engine";
import type { CompiledQuickJs, Inside } from "./engine";
import { isEvidence, proofOf } from "./evidence";
import type { Outcome } from "./guest";
import { hashing } from "./primitives";
import type { Hashing } from "./primitives";
import type { Answer, DoorReply, Failure, FromWorker, RunOrder, ToWorker } from "./wire";
import { LOG_CHARACTERS, LOG_LINES } from "./wire";

const JOBS_AT_ONCE = 1_000;
/** Most pieces of evidence that one run keeps: one is enough. */
const MOST_KEPT = 4;
/** Engines that wait for another run of the same function. */
const MOST_ENGINES = 2;

/** What the thread is given by its host. */
export interface ThreadHost {
  /** Tells the other side. */
  send(message: FromWorker): void;
  readonly quickjs: Promise<CompiledQuickJs>;
  /** Where other threads find this one's time; null where nobody tells it. */
  readonly name: string | null;
  /** Milliseconds that this thread has had of a processor; more where that can't be told. */
  time(): number;
}

let host: ThreadHost;
const send = (message: FromWorker): void => {
  host.send(message);
};

const RealDate = Date;
let fixedNow = 0;
/** How often the engine asked for the time. */
let looks = 0;

/**
 * The only clock of the engine, which asks its host for the time and the time zone: it stands still, in UTC. This thread runs nothing
 * else that would need another.
 */
class FixedDate extends RealDate {
  static override now(): number {
    looks++;
    return fixedNow;
  }
  override getTimezoneOffset(): number {
    return 0;
  }
  override getFullYear(): number {
    return this.getUTCFullYear();
  }
  override getMonth(): number {
    return this.getUTCMonth();
  }
  override getDate(): number {
    return this.getUTCDate();
  }
  override getDay(): number {
    return this.getUTCDay();
  }
  override getHours(): number {
    return this.getUTCHours();
  }
  override getMinutes(): number {
    return this.getUTCMinutes();
  }
  override getSeconds(): number {
    return this.getUTCSeconds();
  }
}

class Run implements Inside {
  readonly host: Inside["host"];
  private readonly context: QuickJSContext;
  private result: QuickJSHandle | null = null;
  private loading: QuickJSHandle | null = null;
  private ended: Failure | null = null;
  private payload: Uint8Array | null = null;
  private readonly kept: Evidence[] = [];
  private readonly log: string[] = [];
  /** What loading the file took, when that was done by a run before. */
  private readonly loadMs: number;
  /** Thread's time at the begin. */
  private readonly threadMs = host.time();
  private wallMs = 0;
  private entered: number | null = null;
  private hashing: Hashing | null = null;
  private calls = 0;
  private open = 0;
  private sound = true;

  constructor(
    private readonly engine: Engine,
    private readonly order: RunOrder,
  ) {
    this.context = engine.context;
    this.loadMs = engine.loaded?.computeMs ?? 0;
    this.host = this.lend();
    engine.inside = this;
  }

  start(): void {
    const { engine, order } = this;
    const { loaded } = engine;
    send({ type: "begun", thread: host.name, threadMs: this.threadMs - this.loadMs });
    this.enter(() => {
      this.ask("seed", [this.text(order.seed)])?.dispose();
      if (loaded !== null) {
        for (const line of loaded.log) this.say(line);
        this.call(loaded.module);
        return;
      }
      looks = 0;
      const { context } = this;
      const evaluated = context.evalCode(order.code, `${order.entry}.js`, { type: "module" });
      if (evaluated.error !== undefined) {
        this.fail(this.describe(evaluated.error));
        return;
      }
      // A file with a top-level await gives its exports later.
      const state = context.getPromiseState(evaluated.value);
      if (state.type === "pending") this.loading = evaluated.value;
      else this.exported(state);
    });
  }

  private exported(state: ReturnType<QuickJSContext["getPromiseState"]>): void {
    this.loading = null;
    if (state.type === "rejected") {
      this.fail(this.describe(state.error));
      return;
    }
    if (state.type === "pending") return;
    const { context, engine } = this;
    const drawn = this.ask("drawn", []);
    // What was drawn or read by the clock is this run's alone.
    if (drawn !== null && !context.sameValue(drawn, context.true) && looks === 0) {
      drawn.dispose();
      engine.mark({ module: state.value, computeMs: this.spent(), log: [...this.log] });
    }
    this.call(state.value);
  }

  private call(module: QuickJSHandle): void {
    const { entry, facts, request, evidence, answerBytes } = this.order;
    const order = `{"entry":"${entry}","facts":${facts},"request":${request ?? "null"},"evidence":${evidence},"most":${answerBytes}}`;
    this.result = this.ask("start", [module.dup(), this.text(order)]);
  }

  reply(reply: DoorReply): void {
    this.open--;
    this.enter(() => {
      const { answer, call } = reply;
      const id = this.context.newNumber(call);
      if ("json" in answer) this.ask("answer", [id, this.text(answer.json)])?.dispose();
      else if ("bytes" in answer) {
        const { buffer, byteOffset, byteLength } = answer.bytes;
        const copy = buffer.slice(byteOffset, byteOffset + byteLength);
        this.ask("bytes", [id, this.context.newArrayBuffer(copy)])?.dispose();
      } else {
        const message = this.text(JSON.stringify(answer.message));
        this.ask("fail", [id, this.text(answer.reason), message])?.dispose();
      }
    });
  }

  /** Lets the engine run, then tells how far it came. */
  private enter(step: () => void): void {
    const entered = performance.now();
    this.entered = entered;
    let outcome: Answer | Failure | null = null;
    try {
      step();
      this.pump();
      if (this.ended === null && !this.overdue()) outcome = this.outcome();
    } catch (error) {
      // The engine itself gave way, for lack of memory or stack. Its run is lost and it is thrown away.
      this.sound = false;
      this.end(
        this.overdue() ? "time" : "memory",
        `the engine broke off: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    if (this.overdue()) {
      this.ended = {
        kind: "time",
        message: `it computed for more than ${this.order.computeMs} ms`,
      };
    }
    outcome = this.ended ?? outcome;
    this.wallMs += performance.now() - entered;
    this.entered = null;
    const computeMs = this.spent();
    if (outcome === null) send({ type: "waiting", computeMs });
    else {
      const spoilt = "message" in outcome && (outcome.kind === "time" || outcome.kind === "memory");
      const sound = this.sound && !spoilt;
      current = null;
      send({ type: "done", outcome, kept: this.kept, computeMs, sound });
      if (sound) putAway(this.engine, this.order);
    }
  }

  private pump(): void {
    const { context } = this;
    const { runtime } = context;
    for (;;) {
      while (this.ended === null && !this.overdue() && runtime.hasPendingJob()) {
        const done = runtime.executePendingJobs(JOBS_AT_ONCE);
        if (done.error !== undefined && !this.overdue()) this.fail(this.describe(done.error));
      }
      if (this.loading === null || this.ended !== null || this.overdue()) return;
      const state = context.getPromiseState(this.loading);
      if (state.type === "pending") return;
      this.exported(state);
    }
  }

  /** Null while a door may still bring something. */
  private outcome(): Answer | Failure | null {
    if (this.result !== null) {
      const state = this.context.getPromiseState(this.result);
      if (state.type === "rejected") {
        return { kind: "memory", message: this.describe(state.error) };
      }
      if (state.type === "fulfilled") return this.read(this.context.getString(state.value));
    }
    if (this.open > 0) return null;
    return this.failure("it waits for something that never comes");
  }

  private read(json: string): Answer | Failure {
    const { answerBytes } = this.order;
    const outcome = JSON.parse(json) as Outcome;
    switch (outcome.kind) {
      case "missing":
        return { kind: "missing" };
      case "long":
        return tooLong(answerBytes);
      case "thrown":
        return this.failure(`it threw ${short(outcome.what)}`);
      case "odd":
        return { kind: "badAnswer", message: `it answered ${short(outcome.what)}` };
      case "bytes":
        return { kind: "bytes", bytes: this.payload ?? new Uint8Array() };
      case "value": {
        const answer = JSON.stringify(outcome.value);
        return Buffer.byteLength(answer) > 2 * answerBytes
          ? tooLong(answerBytes)
          : { kind: "json", json: answer };
      }
    }
  }

  /** Null where the guest gave way: then the run is over. */
  private ask(...asked: Parameters<Engine["ask"]>): QuickJSHandle | null {
    const result = this.engine.ask(...asked);
    if (result.error === undefined) return result.value;
    this.end("memory", this.describe(result.error));
    return null;
  }

  private text(text: string): QuickJSHandle {
    const handle = this.context.newString(text);
    // A text that found no room is no value.
    if (this.context.typeof(handle) !== "string") {
      this.end("memory", "no room for what comes through the wall");
    }
    return handle;
  }

  private say(line: string): void {
    if (this.log.push(line) <= LOG_LINES) send({ type: "log", line });
  }

  private lend(): Inside["host"] {
    const { context } = this;
    const text = (handle: QuickJSHandle): string =>
      String(JSON.parse(context.getString(handle)) as unknown);
    const json = (answer: string): QuickJSHandle => this.text(JSON.stringify(answer));
    const flag = (handle: QuickJSHandle): boolean => context.sameValue(handle, context.true);
    return {
      call: (id, door, args): undefined => {
        const { doorCalls } = this.order;
        if (++this.calls > doorCalls) {
          this.end("doorCalls", `it called more than ${doorCalls} times through doors`);
          return;
        }
        this.open++;
        const name = context.getString(door) as keyof Doors;
        send({
          type: "call",
          call: context.getNumber(id),
          door: name,
          args: context.getString(args),
        });
      },
      log: (line): undefined => {
        this.say(text(line).slice(0, LOG_CHARACTERS));
      },
      payload: (bytes): undefined => {
        this.payload = read(context, bytes, (value) => new Uint8Array(value));
      },
      hash: (bytes, last) => {
        this.hashing ??= hashing();
        read(context, bytes, (value) => this.hashing?.update(value));
        if (!flag(last)) return this.text("");
        const hex = this.hashing.hex();
        this.hashing = null;
        return this.text(hex);
      },
      encode: (source) =>
        context.newArrayBuffer(new Uint8Array(Buffer.from(text(source), "utf8")).buffer),
      decode: (bytes, fatal, keepBom) => {
        const decoder = new TextDecoder("utf-8", { fatal: flag(fatal), ignoreBOM: flag(keepBom) });
        return json(read(context, bytes, (value) => decoder.decode(value)));
      },
      proof: (bytes, exchange) => {
        const { asked, answer } = JSON.parse(context.getString(exchange)) as {
          readonly asked?: AskedFor;
          readonly answer?: HttpAnswer;
        };
        const payload = read(context, bytes, (value) => new Uint8Array(value));
        return this.text(JSON.stringify(proofOf(this.facts(), payload, asked, answer)));
      },
      keep: (piece): undefined => {
        const evidence: unknown = JSON.parse(context.getString(piece));
        if (this.kept.length < MOST_KEPT && isEvidence(this.facts(), evidence)) {
          this.kept.push(evidence);
        }
      },
      atob: (source) => json(atob(text(source))),
      btoa: (source) => json(btoa(text(source))),
    };
  }

  interrupted(): boolean {
    return this.ended !== null || this.overdue();
  }

  imported(name: string): void {
    this.end("error", `the file imports ${JSON.stringify(name)}: bundle it into one file`);
  }

  private facts(): AuditFacts {
    return JSON.parse(this.order.facts) as AuditFacts;
  }

  private describe(error: QuickJSHandle): string {
    const { context } = this;
    const part = (name: string): string => {
      const value = context.getProp(error, name);
      return context.typeof(value) === "string" ? context.getString(value) : "";
    };
    if (context.typeof(error) !== "object") return short(context.getString(error));
    return short(`${part("name") || "Error"}: ${part("message")}\n${part("stack")}`);
  }

  /** Milliseconds of a processor that the function had, as far as that is known: it is never more than the wall's. */
  private spent(): number {
    const wallMs = this.wallMs + (this.entered === null ? 0 : performance.now() - this.entered);
    if (this.loadMs + wallMs <= this.order.computeMs) return wallMs;
    return Math.min(wallMs, host.time() - this.threadMs);
  }

  private overdue(): boolean {
    return this.loadMs + this.spent() > this.order.computeMs;
  }

  /** Where memory was refused, whatever the function made of that: small objects leave no room even for an error. */
  private failure(message: string): Failure {
    const full = this.engine.full || /\bInternalError: out of memory\b/.test(message);
    return {
      kind: full ? "memory" : "error",
      message: full ? `out of memory: ${message}` : message,
    };
  }

  private fail(message: string): void {
    this.ended ??= this.failure(message);
  }

  private end(kind: Failure["kind"], message: string): void {
    this.ended ??= { kind, message };
  }
}

function tooLong(answerBytes: number): Failure {
  return { kind: "badAnswer", message: `its answer has more than ${answerBytes} bytes` };
}

function short(text: string): string {
  return text.trim().slice(0, LOG_CHARACTERS);
}

/** The bytes of a buffer inside, for as long as they are read. */
function read<T>(context: QuickJSContext, handle: QuickJSHandle, as: (bytes: Uint8Array) => T): T {
  return context.getArrayBuffer(handle).consume(({ value }) => as(value));
}

let current: Run | null = null;

/** Those last used come last. */
const engines: { readonly engine: Engine; readonly order: RunOrder }[] = [];

/** One that has this file loaded, or a new one. */
async function engineFor({ entry, code, memoryBytes }: RunOrder): Promise<Engine> {
  const at = engines.findIndex(
    ({ order }) =>
      order.code === code && order.entry === entry && order.memoryBytes === memoryBytes,
  );
  const [known] = at < 0 ? [] : engines.splice(at, 1);
  return known?.engine ?? Engine.start(memoryBytes, await host.quickjs);
}

function putAway(engine: Engine, order: RunOrder): void {
  if (!engine.putBack()) return;
  engines.push({ engine, order });
  if (engines.length > MOST_ENGINES) engines.shift();
}

async function begin(order: RunOrder): Promise<void> {
  fixedNow = order.now;
  const begun = performance.now();
  try {
    const run = new Run(await engineFor(order), order);
    current = run;
    run.start();
  } catch (error) {
    current = null;
    const why = error instanceof Error ? error.message : String(error);
    const outcome = { kind: "memory", message: `the engine did not start: ${why}` } as const;
    const computeMs = performance.now() - begun;
    send({ type: "done", outcome, kept: [], computeMs, sound: false });
  }
}

/** Serves runs in this thread, which is for nothing else: its clock stands still from now on. Returns what hears the other side. */
export function serveRuns(given: ThreadHost): (message: ToWorker) => void {
  host = given;
  globalThis.Date = FixedDate as DateConstructor;
  return (message) => {
    if (message.type === "run") void begin(message);
    else current?.reply(message);
  };
}
