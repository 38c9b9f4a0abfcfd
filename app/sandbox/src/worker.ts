/*
 * The thread in which functions run, one at a time. A thread of its own, because QuickJS asks its interrupt handler only between the
 * steps of a function, not within a built-in: `Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)` goes on for years, and only the
 * end of a thread ends it. It also keeps a long computation from holding up the node.
 */
import { readFile } from "node:fs/promises";
import { parentPort } from "node:worker_threads";
import type { QuickJSContext, QuickJSHandle, QuickJSWASMModule } from "quickjs-emscripten";
import { RELEASE_SYNC, newQuickJSWASMModuleFromVariant, newVariant } from "quickjs-emscripten";
import type { AskedFor, AuditFacts, Doors, Evidence, HttpAnswer } from "./api";
import { isEvidence, proofOf } from "./evidence";
import { guest } from "./guest";
import type { Host, Outcome } from "./guest";
import type { Answer, DoorReply, Failure, FromWorker, RunOrder, ToWorker } from "./wire";
import { LOG_CHARACTERS, LOG_LINES } from "./wire";

/** Most of a function's own stack. Where V8's overflows first, the engine breaks instead of the function, and the run fails. */
const STACK_BYTES = 256 * 1024;
/** What the engine itself and texts on their way through the wall need besides the function's memory. */
const ENGINE_PAGES = 1_024;
const INITIAL_PAGES = 256;
const PAGE_BYTES = 65_536;
/** Most of what one call may ask. */
const ARGS_CHARACTERS = 1 << 20;
const JOBS_AT_ONCE = 1_000;
/** Most pieces of evidence that one run keeps: one is enough. */
const MOST_KEPT = 4;

const port = parentPort;
if (port === null) throw new Error("worker.js runs as a worker thread alone");
const send = (message: FromWorker, ...move: readonly ArrayBuffer[]): void => {
  port.postMessage(message, move);
};

const RealDate = Date;
let fixedNow = 0;

/**
 * The only clock of the engine, which asks its host for the time and the time zone: it stands still, in UTC. This thread runs nothing
 * else that would need another.
 */
class FixedDate extends RealDate {
  static override now(): number {
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

/** Each run has an engine of its own, in a memory of its own, and nothing stays of it. */
const compiled = (async () => {
  const path = require.resolve("@jitl/quickjs-wasmfile-release-sync/wasm");
  return WebAssembly.compile(await readFile(path));
})();

async function engine(memoryBytes: number): Promise<QuickJSWASMModule> {
  const wasmMemory = new WebAssembly.Memory({
    initial: INITIAL_PAGES,
    maximum: Math.min(32_768, ENGINE_PAGES + Math.ceil(memoryBytes / PAGE_BYTES)),
  });
  return newQuickJSWASMModuleFromVariant(
    newVariant(RELEASE_SYNC, { wasmModule: await compiled, wasmMemory }),
  );
}

class Run {
  private readonly context: QuickJSContext;
  private readonly guest: QuickJSHandle;
  private result: QuickJSHandle | null = null;
  private ended: Failure | null = null;
  private payload: Uint8Array | null = null;
  private readonly kept: Evidence[] = [];
  private computeMs = 0;
  private entered: number | null = null;
  private calls = 0;
  private open = 0;
  private lines = 0;

  constructor(
    module: QuickJSWASMModule,
    private readonly order: RunOrder,
  ) {
    const runtime = module.newRuntime({
      memoryLimitBytes: order.memoryBytes,
      maxStackSizeBytes: STACK_BYTES,
      interruptHandler: () => this.ended !== null || this.overdue(),
      moduleLoader: (name) => {
        this.end("error", `the file imports ${JSON.stringify(name)}: bundle it into one file`);
        return { error: new Error("imports are refused") };
      },
    });
    this.context = runtime.newContext();
    const context = this.context;
    const host = context.newObject();
    for (const [name, fn] of Object.entries(this.host())) {
      context.newFunction(name, fn).consume((handle) => {
        context.setProp(host, name, handle);
      });
    }
    const make = context.unwrapResult(context.evalCode(`(${guest.toString()})`, "sandbox"));
    const seed = context.newString(order.seed);
    this.guest = context.unwrapResult(context.callFunction(make, context.undefined, host, seed));
    for (const handle of [host, make, seed]) handle.dispose();
  }

  start(): void {
    this.enter(() => {
      const { context, order } = this;
      const evaluated = context.evalCode(order.code, `${order.entry}.js`, { type: "module" });
      if (evaluated.error !== undefined) {
        this.end("error", this.describe(evaluated.error));
        return;
      }
      // A file with a top-level await gives its exports later.
      const state = context.getPromiseState(evaluated.value);
      if (state.type !== "pending") {
        this.exported(state);
        return;
      }
      this.loading = evaluated.value;
    });
  }

  private loading: QuickJSHandle | null = null;

  private exported(state: ReturnType<QuickJSContext["getPromiseState"]>): void {
    this.loading = null;
    if (state.type === "rejected") {
      this.end("error", this.describe(state.error));
      return;
    }
    if (state.type === "pending") return;
    const { entry, facts, request, evidence } = this.order;
    const order = `{"entry":"${entry}","facts":${facts},"request":${request ?? "null"},"evidence":${evidence}}`;
    this.result = this.ask("start", [state.value, this.text(order)]);
  }

  reply(reply: DoorReply): void {
    this.open--;
    this.enter(() => {
      const { answer, call } = reply;
      const id = this.context.newNumber(call);
      let done: QuickJSHandle;
      if ("json" in answer) done = this.ask("answer", [id, this.text(answer.json)]);
      else if ("bytes" in answer) {
        const { buffer, byteOffset, byteLength } = answer.bytes;
        const copy = buffer.slice(byteOffset, byteOffset + byteLength);
        done = this.ask("bytes", [id, this.context.newArrayBuffer(copy)]);
      } else {
        const message = this.text(JSON.stringify(answer.message));
        done = this.ask("fail", [id, this.text(answer.reason), message]);
      }
      done.dispose();
    });
  }

  /** Lets the engine run, then tells how far it came. True when the run is over. */
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
    this.computeMs += performance.now() - entered;
    this.entered = null;
    const { computeMs } = this;
    if (outcome === null) send({ type: "waiting", computeMs });
    else {
      current = null;
      send({ type: "done", outcome, kept: this.kept, computeMs });
    }
  }

  private pump(): void {
    const { context } = this;
    const { runtime } = context;
    for (;;) {
      while (this.ended === null && !this.overdue() && runtime.hasPendingJob()) {
        const done = runtime.executePendingJobs(JOBS_AT_ONCE);
        if (done.error !== undefined && !this.overdue()) {
          this.end("error", this.describe(done.error));
        }
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
    return { kind: "error", message: "it waits for something that never comes" };
  }

  private read(json: string): Answer | Failure {
    const { answerBytes } = this.order;
    const outcome = JSON.parse(json) as Outcome;
    switch (outcome.kind) {
      case "missing":
        return { kind: "missing" };
      case "thrown":
        return { kind: thrownKind(outcome.what), message: `it threw ${short(outcome.what)}` };
      case "odd":
        return { kind: "badAnswer", message: `it answered ${short(outcome.what)}` };
      case "bytes": {
        const bytes = this.payload ?? new Uint8Array();
        return bytes.length > answerBytes ? tooLong(answerBytes) : { kind: "bytes", bytes };
      }
      case "value": {
        const answer = JSON.stringify(outcome.value);
        return Buffer.byteLength(answer) > 2 * answerBytes
          ? tooLong(answerBytes)
          : { kind: "json", json: answer };
      }
    }
  }

  /**
   * Gives the arguments back, and whoever asks the result: what a handle holds stays in the function's memory, and an accused that sends a
   * few large answers would fill it. Handles that come once in a run go with its memory.
   */
  private ask(method: string, args: QuickJSHandle[]): QuickJSHandle {
    const { context } = this;
    const fn = context.getProp(this.guest, method);
    const result = context.callFunction(fn, this.guest, args);
    for (const handle of [fn, ...args]) handle.dispose();
    if (result.error !== undefined) {
      this.end("memory", this.describe(result.error));
      return context.undefined;
    }
    return result.value;
  }

  private text(text: string): QuickJSHandle {
    const handle = this.context.newString(text);
    // A text that found no room is no value.
    if (this.context.typeof(handle) !== "string") {
      this.end("memory", "no room for what comes through the wall");
    }
    return handle;
  }

  private host(): Record<string, (...args: QuickJSHandle[]) => QuickJSHandle | undefined> {
    const { context, order } = this;
    const text = (handle: QuickJSHandle): string =>
      String(JSON.parse(context.getString(handle)) as unknown);
    const json = (answer: string): QuickJSHandle => this.text(JSON.stringify(answer));
    const flag = (handle: QuickJSHandle): boolean => context.sameValue(handle, context.true);
    const call = (id: QuickJSHandle, door: QuickJSHandle, args: QuickJSHandle): undefined => {
      if (++this.calls > order.doorCalls) {
        this.end("doorCalls", `it called more than ${order.doorCalls} times through doors`);
        return;
      }
      const asked = context.getString(args);
      if (asked.length > ARGS_CHARACTERS) throw new RangeError("the call asks too much at once");
      this.open++;
      const name = context.getString(door) as keyof Doors;
      send({ type: "call", call: context.getNumber(id), door: name, args: asked });
    };
    const log = (line: QuickJSHandle): undefined => {
      if (this.lines++ < LOG_LINES) {
        send({ type: "log", line: text(line).slice(0, LOG_CHARACTERS) });
      }
    };
    const payload = (bytes: QuickJSHandle): undefined => {
      this.payload = bytesOf(context, bytes);
    };
    const encode = (source: QuickJSHandle): QuickJSHandle =>
      context.newArrayBuffer(new Uint8Array(Buffer.from(text(source), "utf8")).buffer);
    const decode = (bytes: QuickJSHandle, fatal: QuickJSHandle, keepBom: QuickJSHandle) => {
      const decoder = new TextDecoder("utf-8", { fatal: flag(fatal), ignoreBOM: flag(keepBom) });
      return json(decoder.decode(bytesOf(context, bytes)));
    };
    const proof = (bytes: QuickJSHandle, exchange: QuickJSHandle): QuickJSHandle => {
      const { asked, answer } = JSON.parse(context.getString(exchange)) as {
        readonly asked?: AskedFor;
        readonly answer?: HttpAnswer;
      };
      return this.text(
        JSON.stringify(proofOf(this.facts(), bytesOf(context, bytes), asked, answer)),
      );
    };
    const keep = (piece: QuickJSHandle): undefined => {
      const evidence: unknown = JSON.parse(context.getString(piece));
      if (this.kept.length < MOST_KEPT && isEvidence(this.facts(), evidence)) {
        this.kept.push(evidence);
      }
    };
    return {
      call,
      log,
      payload,
      proof,
      keep,
      encode,
      decode,
      atob: (source: QuickJSHandle) => json(atob(text(source))),
      btoa: (source: QuickJSHandle) => json(btoa(text(source))),
    } satisfies Record<keyof Host, unknown>;
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

  private overdue(): boolean {
    const since = this.entered === null ? 0 : performance.now() - this.entered;
    return this.computeMs + since > this.order.computeMs;
  }

  private end(kind: Failure["kind"], message: string): void {
    this.ended ??= { kind, message };
  }
}

function thrownKind(what: string): Failure["kind"] {
  return /^InternalError: out of memory\b/.test(what) ? "memory" : "error";
}

function tooLong(answerBytes: number): Failure {
  return { kind: "badAnswer", message: `its answer has more than ${answerBytes} bytes` };
}

function short(text: string): string {
  return text.trim().slice(0, LOG_CHARACTERS);
}

/** A copy: the engine's memory moves and ends. */
function bytesOf(context: QuickJSContext, handle: QuickJSHandle): Uint8Array {
  return context.getArrayBuffer(handle).consume(({ value }) => new Uint8Array(value));
}

let current: Run | null = null;

async function begin(order: RunOrder): Promise<void> {
  fixedNow = order.now;
  const begun = performance.now();
  try {
    const run = new Run(await engine(order.memoryBytes), order);
    current = run;
    send({ type: "begun" });
    run.start();
  } catch (error) {
    current = null;
    const why = error instanceof Error ? error.message : String(error);
    const outcome = { kind: "memory", message: `the engine did not start: ${why}` } as const;
    send({ type: "done", outcome, kept: [], computeMs: performance.now() - begun });
  }
}

globalThis.Date = FixedDate as DateConstructor;
port.on("message", (message: ToWorker) => {
  if (message.type === "run") void begin(message);
  else current?.reply(message);
});
