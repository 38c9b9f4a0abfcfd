import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Ran } from "@securing-tasks/sandbox";
import type { Answered, Job, ThreadData } from "./jobs";

export interface LaneOptions {
  readonly thread: ThreadData;
  /** Runs at once; while one waits for a door, others compute. */
  readonly concurrency: number;
  /** Runs that may wait for their turn. */
  readonly queue: number;
}

/** The lane has as many runs waiting as it takes. */
export class LaneFull extends Error {
  override readonly name = "LaneFull";
}

/** A thread that has nothing to do ends after this long: an idle node needs little memory. */
const IDLE_MS = 30_000;
/** The sandbox ends every run by itself. A thread that does not answer this long after is ended. */
const GRACE_MS = 15_000;
const DEFAULT_TOTAL_MS = 60_000;
const MOST_HEAP_MB = 256;

interface Waiting {
  readonly job: Job;
  readonly settle: (ran: Ran<unknown>) => void;
}

/** Runs functions in a thread of its own, which is there only while it is needed. */
export class Lane {
  private thread: Worker | null = null;
  private idle: NodeJS.Timeout | undefined;
  private readonly queue: Waiting[] = [];
  private readonly running = new Map<number, Waiting & { readonly alarm: NodeJS.Timeout }>();
  private next = 0;
  private closed = false;

  constructor(private readonly options: LaneOptions) {}

  /** Never rejects for what a function does; with {@link LaneFull} when too many runs wait. */
  run(job: Job): Promise<Ran<unknown>> {
    if (this.closed) return Promise.resolve(failed("The sandbox is closed."));
    if (this.running.size >= this.options.concurrency && this.queue.length >= this.options.queue) {
      return Promise.reject(new LaneFull("Too many runs wait for the sandbox. Try again later."));
    }
    return new Promise((settle) => {
      this.queue.push({ job, settle });
      this.advance();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const { settle } of this.queue.splice(0)) settle(failed("The sandbox was closed."));
    await this.end("The sandbox was closed.");
  }

  private advance(): void {
    while (this.running.size < this.options.concurrency) {
      const waiting = this.queue.shift();
      if (!waiting) break;
      clearTimeout(this.idle);
      const id = this.next++;
      const most = (waiting.job.limits.totalMs ?? DEFAULT_TOTAL_MS) + GRACE_MS;
      const alarm = setTimeout(() => {
        void this.end("The function kept its thread from answering.", "time");
      }, most);
      this.running.set(id, { ...waiting, alarm });
      this.open().postMessage({ id, job: waiting.job });
    }
    if (this.running.size === 0 && this.thread) {
      clearTimeout(this.idle);
      this.idle = setTimeout(() => {
        void this.end("The sandbox was idle.");
      }, IDLE_MS);
      this.idle.unref();
    }
  }

  private open(): Worker {
    if (this.thread) return this.thread;
    const thread = new Worker(join(__dirname, "thread.js"), {
      workerData: this.options.thread,
      // Nothing of the daemon's environment is anything to a function.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MB },
    });
    thread.on("message", ({ id, ran }: Answered) => {
      const done = this.running.get(id);
      this.running.delete(id);
      clearTimeout(done?.alarm);
      done?.settle(ran);
      this.advance();
    });
    thread.on("error", (error) => {
      if (this.thread === thread) void this.end(`The sandbox's thread broke: ${error.message}.`);
    });
    thread.on("exit", () => {
      if (this.thread === thread) void this.end("The sandbox's thread ended.");
    });
    this.thread = thread;
    return thread;
  }

  /** Ends the thread and everything that runs in it. The next run makes a new one. */
  private async end(message: string, kind: "error" | "time" = "error"): Promise<void> {
    clearTimeout(this.idle);
    const { thread } = this;
    this.thread = null;
    const lost = [...this.running.values()];
    this.running.clear();
    for (const { alarm, settle } of lost) {
      clearTimeout(alarm);
      settle(failed(message, kind));
    }
    await thread?.terminate();
    if (!this.closed) this.advance();
  }
}

function failed(message: string, kind: "error" | "time" = "error"): Ran<never> {
  return { ok: false, failure: { kind, message }, log: [], computeMs: 0 };
}
