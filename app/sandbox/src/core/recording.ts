import { DoorError } from "./api";
import type { DoorReason, Doors } from "./api";

/** One call through a door and what came of it. */
export interface RecordedCall {
  readonly door: keyof Doors;
  readonly args: readonly unknown[];
  /** The answer, bytes as { base64 }. Missing where the call failed. */
  readonly answer?: unknown;
  readonly failure?: {
    readonly reason: DoorReason;
    readonly message: string;
    readonly ours?: boolean;
  };
}

/** All calls of one run, in the order in which they were made. Can be written to a file as JSON and read back. */
export class Recording {
  readonly calls: RecordedCall[] = [];
  private readonly open = new Set<Promise<unknown>>();
  private bytes = 0;

  /** @param mostBytes Of questions and answers in JSON, about. What is more is not kept. Default: no limit. */
  constructor(private readonly mostBytes = Infinity) {}

  /** Whether all that was asked and answered is there. */
  get isWhole(): boolean {
    return this.bytes <= this.mostBytes;
  }

  /** Reads back what `JSON.stringify(recording)` wrote. */
  static from(json: { readonly calls: readonly RecordedCall[] }): Recording {
    const recording = new Recording();
    recording.calls.push(...json.calls);
    return recording;
  }

  /** Waits until every call has its answer: a function may end without waiting for all of them. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.open]);
  }

  toJSON(): { readonly calls: readonly RecordedCall[] } {
    return { calls: this.calls };
  }

  /** Makes a call and writes down what comes of it. */
  record(
    door: keyof Doors,
    args: readonly unknown[],
    call: () => Promise<unknown>,
  ): Promise<unknown> {
    this.bytes += sizeOf(args);
    if (!this.isWhole) return call();
    const at = this.calls.length;
    this.calls.push({ door, args, failure: UNFINISHED });
    const done = (async () => {
      try {
        const answer = await call();
        this.bytes += sizeOf(answer);
        if (this.isWhole) this.calls[at] = { door, args, answer: pack(answer) };
        return answer;
      } catch (error) {
        const { reason, message, ours } =
          error instanceof DoorError ? error : new DoorError("unreachable", String(error), true);
        this.calls[at] = { door, args, failure: { reason, message, ...(ours ? { ours } : {}) } };
        throw error;
      }
    })();
    this.open.add(done);
    const forget = () => this.open.delete(done);
    done.then(forget, forget);
    return done;
  }
}

const UNFINISHED = {
  reason: "unreachable",
  message: "the recording ended before",
  ours: true,
} as const;

type Pass = (door: keyof Doors, args: readonly unknown[]) => Promise<unknown>;

/** Doors that all lead through one function. */
function through(pass: Pass): Doors {
  const door =
    (name: keyof Doors) =>
    (...args: readonly unknown[]) =>
      pass(name, trimmed(args));
  return {
    http: door("http"),
    account: door("account"),
    transaction: door("transaction"),
    signatures: door("signatures"),
    fetch: door("fetch"),
  } as Doors;
}

/** Without the arguments at the end that say nothing, so that equal questions are equal. */
function trimmed(args: readonly unknown[]): readonly unknown[] {
  const last = args.findLastIndex((arg) => arg !== undefined && arg !== null);
  return args.slice(0, last + 1);
}

function call(doors: Doors, door: keyof Doors, args: readonly unknown[]): Promise<unknown> {
  return (doors[door].bind(doors) as (...args: readonly unknown[]) => Promise<unknown>)(...args);
}

/** Doors that write down every call. */
export function recordDoors(doors: Doors, recording: Recording): Doors {
  return through((door, args) => recording.record(door, args, () => call(doors, door, args)));
}

export interface ReplayOptions {
  /** What calls that were not recorded go to. Default: they reject as `refused`, which ends the run. */
  readonly otherwise?: Doors;
  /** Answers that are waited for at the same time come the last first, instead of at once. */
  readonly lastFirst?: boolean;
}

/**
 * Doors that give the recorded answers again; equal calls get theirs in the recorded order. A call that was not recorded rejects as
 * `refused`.
 */
export function replayDoors(recording: Recording, options: ReplayOptions = {}): Doors {
  const answers = new Map<string, RecordedCall[]>();
  for (const recorded of recording.calls) {
    const same = answers.get(callKey(recorded));
    if (same === undefined) answers.set(callKey(recorded), [recorded]);
    else same.push(recorded);
  }
  const turn = options.lastFirst === true ? lastFirst() : () => Promise.resolve();
  return through(async (door, args) => {
    const recorded = answers.get(callKey({ door, args }))?.shift();
    if (recorded === undefined) {
      if (options.otherwise !== undefined) return call(options.otherwise, door, args);
      const asked = JSON.stringify(args).slice(0, 300);
      throw new DoorError("refused", `${door}(${asked.slice(1, -1)}) was not recorded`, true);
    }
    await turn();
    const { failure } = recorded;
    if (failure !== undefined) {
      throw new DoorError(failure.reason, failure.message, failure.ours ?? false);
    }
    return unpack(recorded.answer);
  });
}

/** What was asked, as one text. */
export function callKey({ door, args }: Pick<RecordedCall, "door" | "args">): string {
  return JSON.stringify([door, ...args]);
}

/** How long no further call must come before the last one is answered, in milliseconds. */
const QUIET_MS = 20;

function lastFirst(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      waiting.pop()?.();
      if (waiting.length > 0) arm();
    }, QUIET_MS);
  };
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      arm();
    });
}

/** Bytes in JSON, about. */
function sizeOf(value: unknown): number {
  if (value instanceof Uint8Array) return Math.ceil((value.length * 4) / 3);
  const json = JSON.stringify(value) as string | undefined;
  return json?.length ?? 0;
}

function pack(answer: unknown): unknown {
  return answer instanceof Uint8Array ? { base64: Buffer.from(answer).toString("base64") } : answer;
}

/** Of all doors `fetch` alone gives bytes, and no other answer has this one field. */
function unpack(answer: unknown): unknown {
  if (typeof answer !== "object" || answer === null || !("base64" in answer)) return answer;
  return new Uint8Array(Buffer.from(String(answer.base64), "base64"));
}
