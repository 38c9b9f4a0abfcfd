import type {
  AuditFacts,
  CommonFacts,
  Doors,
  Evidence,
  RespondFacts,
  ServiceRequest,
  ServiceResponse,
  Verdict,
  WorkFacts,
} from "./api";
import { Alarm } from "./alarm";
import { DoorError, VERDICTS } from "./api";
import { MOST_EVIDENCE, isEvidence } from "./evidence";
import type { LoadedFunction } from "./loaded";
import { Patience } from "./patience";
import type { Answer, DoorReply, Entry, FromWorker, RunOrder, ToWorker } from "./wire";

export interface Limits {
  /** Most memory of the sandbox, in bytes. Default: 64 MiB. */
  readonly memoryBytes?: number;
  /**
   * Most time of a processor that the function may have, in milliseconds. Default: 10,000. Half of `totalMs` at most. A machine that is
   * busy, throttled or paused takes longer for it and takes none of it away.
   */
  readonly computeMs?: number;
  /**
   * Most time in all, in milliseconds in which the node is awake. Default: 60,000. When it is over, the node was too slow, or its RPC server
   * was: the function and strangers have half of it each, and are ended before. Strangers' servers (`http`, and `fetch` with a URI) get half of it: after that
   * their calls reject as `timeout`, so that a server which answers slowly is found to be slow, instead of ending every audit of it.
   * `liveDoors` count that half; the node's own look at its network is not part of it.
   */
  readonly totalMs?: number;
  /** Most calls through doors. Default: 256. */
  readonly doorCalls?: number;
  /** Most bytes of a payload or of the body of a response. Default: 1 MiB, the most that another node's `fetch` takes. */
  readonly answerBytes?: number;
}

/** Why a run gave nothing to go by. */
export interface SandboxFailure {
  readonly kind: "error" | "memory" | "time" | "doorCalls" | "badAnswer";
  readonly message: string;
  /**
   * Whether the node itself was in trouble (its RPC server, network or thread), so that another run may end otherwise. False where the
   * function or what it was told is at fault: it would do the same again.
   */
  readonly ours: boolean;
}

/** Outcome of a run. Nothing that a function does makes these promises reject. */
export type Ran<T> = (
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: SandboxFailure }
) & {
  /** What the function logged, at most 100 lines of 1,000 characters. */
  readonly log: readonly string[];
  readonly computeMs: number;
  /** What an audit function kept as evidence of malice. Empty or missing where it said something else. */
  readonly evidence?: readonly Evidence[];
};

/** A thread in which functions run, by `serveRuns`. */
export interface Thread {
  postMessage(message: ToWorker): void;
}

/** Is told what a thread says, and how it ends. */
export interface Listener {
  readonly hear: (message: FromWorker) => void;
  /** It ended by an error. */
  readonly broken: (message: string, outOfMemory: boolean) => void;
  readonly gone: () => void;
}

/** Threads, as the host has them. */
export interface Threads<T extends Thread = Thread> {
  /** A thread for one run. */
  take(listener: Listener): T;
  /** After a run that ended well: it may have another. From here on the listener is told nothing. */
  giveBack(thread: T): void;
  /** After any other run. From here on the listener is told nothing. */
  end(thread: T): void;
  /** Milliseconds of a processor that a thread has had, by the name that it gave itself. */
  timeOf(name: string | null): number;
  /** Has what strangers' servers take within this call counted: the doors, which may be wrapped, know whose patience it is. */
  during<R>(patience: Patience, call: () => Promise<R>): Promise<R>;
}

const DEFAULTS = {
  memoryBytes: 64 * 1024 * 1024,
  computeMs: 10_000,
  totalMs: 60_000,
  doorCalls: 256,
  answerBytes: 1024 * 1024,
} as const satisfies Required<Limits>;

/**
 * How much more time of a processor than its limit a thread may have before it is ended; the engine itself stops nearly always before.
 */
const GRACE_MS = 2_000;
/** How often a thread is looked at that is past its limit by the wall's clock, in milliseconds. */
const LOOK_MS = 200;
/** How many times its time by the wall's clock a run may take on a machine that is hardly awake. */
const MOST_ASLEEP = 4;

/**
 * Runs `audit(context)`. A failure is no verdict: a node that gets one does not vote.
 *
 * @param evidence What this node or others kept about the submission. What is none is left out, and what is over 80 pieces.
 */
export async function runAudit(
  threads: Threads,
  fn: LoadedFunction,
  facts: AuditFacts,
  doors: Doors,
  limits: Limits = {},
  evidence: readonly Evidence[] = [],
): Promise<Ran<Verdict>> {
  const known = evidence.filter((one) => isEvidence(facts, one)).slice(0, MOST_EVIDENCE);
  const ran = await run(threads, "audit", fn, facts, null, doors, limits, known);
  const judged = mapped(ran, (answer) => {
    if (answer.kind !== "json") return bad("the file exports no function `audit`");
    const value: unknown = JSON.parse(answer.json);
    const said = answer.json.slice(0, 100);
    return (
      VERDICTS.find((word) => word === value) ??
      bad(`it answered ${said}, not one of ${VERDICTS.join(", ")}`)
    );
  });
  const kept = judged.ok && judged.value === "malicious" ? (ran.evidence ?? []) : [];
  return { ...judged, evidence: kept };
}

/** Runs `work(context)`. */
export async function runWork(
  threads: Threads,
  fn: LoadedFunction,
  facts: WorkFacts,
  doors: Doors,
  limits: Limits = {},
): Promise<Ran<Uint8Array>> {
  const ran = await run(threads, "work", fn, facts, null, doors, limits);
  return mapped(ran, (answer) => {
    if (answer.kind === "missing") return bad("the file exports no function `work`");
    if (answer.kind === "bytes") return answer.bytes;
    const payload = new TextEncoder().encode(String(JSON.parse(answer.json)));
    const most = limits.answerBytes ?? DEFAULTS.answerBytes;
    return payload.length > most ? bad(`its answer has more than ${most} bytes`) : payload;
  });
}

/** Runs `respond(request, context)`; a file without `respond` answers 404. */
export async function runRespond(
  threads: Threads,
  fn: LoadedFunction,
  request: ServiceRequest,
  facts: RespondFacts,
  doors: Doors,
  limits: Limits = {},
): Promise<Ran<ServiceResponse>> {
  const ran = await run(threads, "respond", fn, facts, request, doors, limits);
  return mapped(ran, (answer) => {
    if (answer.kind !== "json") {
      return { status: 404, body: JSON.stringify({ error: "this task answers no requests" }) };
    }
    const response = JSON.parse(answer.json) as ServiceResponse;
    const { status = 200, contentType = "application/json" } = response;
    const most = limits.answerBytes ?? DEFAULTS.answerBytes;
    if (Buffer.byteLength(response.body) > most) {
      return bad(`its answer has more than ${most} bytes`);
    }
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      return bad(`it answered with status ${status}, not one from 200 to 599`);
    }
    // A line break would let it write headers of its own.
    if (!/^[\x20-\x7e]{1,100}$/.test(contentType)) return bad("its contentType is none");
    return response;
  });
}

class Bad {
  constructor(readonly message: string) {}
}

function bad(message: string): Bad {
  return new Bad(message);
}

function mapped<T>(ran: Ran<Answer>, map: (answer: Answer) => T | Bad): Ran<T> {
  if (!ran.ok) return ran;
  const { log, computeMs } = ran;
  const value = map(ran.value);
  if (!(value instanceof Bad)) return { ok: true, value, log, computeMs };
  const failure = { kind: "badAnswer", message: value.message, ours: false } as const;
  return { ok: false, failure, log, computeMs };
}

function run(
  threads: Threads,
  entry: Entry,
  fn: LoadedFunction,
  facts: CommonFacts,
  request: ServiceRequest | null,
  doors: Doors,
  limits: Limits,
  evidence: readonly Evidence[] = [],
): Promise<Ran<Answer>> {
  const { totalMs, computeMs, ...most } = { ...DEFAULTS, ...limits };
  const order: RunOrder = {
    type: "run",
    entry,
    code: fn.code,
    facts: JSON.stringify(facts),
    request: request === null ? null : JSON.stringify(request),
    evidence: JSON.stringify(evidence),
    seed: facts.seed,
    now: facts.now,
    computeMs: Math.min(computeMs, totalMs / 2),
    ...most,
  };
  return new Promise((resolve) => {
    new Session(threads, order, doors, totalMs, resolve);
  });
}

/** One run, seen from the node: it holds the doors, and ends the thread when the function doesn't end by itself. */
class Session {
  private readonly log: string[] = [];
  private readonly patience: Patience;
  private readonly total: Alarm;
  private readonly wall: ReturnType<typeof setTimeout>;
  private watch: ReturnType<typeof setTimeout> | undefined;
  private begun: Extract<FromWorker, { readonly type: "begun" }> | undefined;
  private computeMs = 0;
  private over = false;
  private readonly thread: Thread;

  constructor(
    private readonly threads: Threads,
    private readonly order: RunOrder,
    private readonly doors: Doors,
    totalMs: number,
    private readonly resolve: (ran: Ran<Answer>) => void,
  ) {
    this.patience = new Patience(totalMs / 2);
    const late = (): void => {
      this.kill({ kind: "time", message: `it took more than ${totalMs} ms in all`, ours: true });
    };
    this.total = new Alarm(totalMs, late);
    this.wall = setTimeout(late, MOST_ASLEEP * totalMs);
    this.thread = threads.take({ hear: this.hear, broken: this.broken, gone: this.gone });
    this.thread.postMessage(order);
  }

  private readonly broken = (message: string, full: boolean): void => {
    this.kill({ kind: full ? "memory" : "error", message, ours: !full });
  };

  private readonly gone = (): void => {
    this.kill({ kind: "error", message: "its thread ended", ours: true });
  };

  private tell(reply: DoorReply): void {
    this.thread.postMessage(reply);
    this.computing();
  }

  /** From here on it computes, until it says that it waits. */
  private computing(): void {
    clearTimeout(this.watch);
    const { begun } = this;
    if (begun === undefined) return;
    const most = this.order.computeMs + GRACE_MS;
    const look = (): void => {
      // What the machine did meanwhile is not the function's doing: it counts what its thread had of a processor.
      const had = this.threads.timeOf(begun.thread) - begun.threadMs;
      if (had <= most) {
        this.watch = setTimeout(look, Math.max(LOOK_MS, most - had));
        return;
      }
      this.computeMs = had;
      const message = `it computed for more than ${this.order.computeMs} ms`;
      this.kill({ kind: "time", message, ours: false });
    };
    this.watch = setTimeout(look, most - this.computeMs);
  }

  private readonly hear = (message: FromWorker): void => {
    if (this.over) return;
    switch (message.type) {
      case "begun":
        this.begun = message;
        this.computing();
        return;
      case "call":
        void this.open(message.call, message.door, message.args);
        return;
      case "log":
        this.log.push(message.line);
        return;
      case "waiting":
        this.computeMs = message.computeMs;
        clearTimeout(this.watch);
        return;
      case "done": {
        this.computeMs = message.computeMs;
        const { outcome } = message;
        const { log, computeMs } = this;
        if (!this.close()) return;
        if (message.sound) this.threads.giveBack(this.thread);
        else this.threads.end(this.thread);
        if ("message" in outcome) {
          this.resolve({ ok: false, failure: { ...outcome, ours: false }, log, computeMs });
        } else {
          this.resolve({ ok: true, value: outcome, log, computeMs, evidence: message.kept });
        }
      }
    }
  };

  private async open(call: number, door: keyof Doors, args: string): Promise<void> {
    try {
      const answer = await this.threads.during(this.patience, () =>
        callDoor(this.doors, door, args),
      );
      if (this.over) return;
      this.tell({
        type: "reply",
        call,
        answer: answer instanceof Uint8Array ? { bytes: answer } : { json: JSON.stringify(answer) },
      });
    } catch (error) {
      if (this.over) return;
      if (error instanceof DoorError && !error.ours) {
        const { reason, message } = error;
        this.tell({ type: "reply", call, answer: { reason, message } });
        return;
      }
      // Never an accusation, so the function doesn't even get to see it.
      const why = error instanceof Error ? error.message : String(error);
      const message = `the node itself is in trouble: ${door}: ${why}`;
      this.kill({ kind: "error", message, ours: true });
    }
  }

  private kill(failure: SandboxFailure): void {
    if (!this.close()) return;
    this.threads.end(this.thread);
    this.resolve({ ok: false, failure, log: this.log, computeMs: this.computeMs });
  }

  /** False where the run was over already. */
  private close(): boolean {
    if (this.over) return false;
    this.over = true;
    this.patience.end();
    this.total.stop();
    clearTimeout(this.wall);
    clearTimeout(this.watch);
    return true;
  }
}

/** Types inside the sandbox are nothing to rely on: each door checks what it is asked. */
function callDoor(doors: Doors, door: keyof Doors, args: string): Promise<unknown> {
  const list: unknown = JSON.parse(args);
  if (!Array.isArray(list)) throw new DoorError("refused", `${door} was not called with a list`);
  const call = doors[door].bind(doors) as (...args: readonly unknown[]) => Promise<unknown>;
  return call(...(list as readonly unknown[]));
}
