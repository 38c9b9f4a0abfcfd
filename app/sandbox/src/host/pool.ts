import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Listener, Thread, Threads } from "../core/run";
import type { FromWorker, ToWorker } from "../core/wire";
import { during } from "./patience";
import { timeOf } from "./thread-time";

/** Threads that wait for the next run, and how long before they end. */
const MOST_IDLE = 4;
const IDLE_MS = 30_000;

/** A thread of Node.js, and who listens to it. */
class NodeThread implements Thread {
  private readonly worker = new Worker(join(__dirname, "worker.js"), {
    // Nothing of the node's environment, arguments or standard streams inside.
    argv: [],
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8, stackSizeMb: 16 },
  });
  private listener: Listener | null = null;
  private idling: NodeJS.Timeout | undefined;

  constructor() {
    this.worker
      .on("message", (message: FromWorker) => this.listener?.hear(message))
      // A thread that is being ended may still fail.
      .on("error", (error: NodeJS.ErrnoException) => {
        this.listener?.broken(error.message, error.code === "ERR_WORKER_OUT_OF_MEMORY");
        this.drop();
      })
      .on("exit", () => {
        this.listener?.gone();
        this.drop();
      });
  }

  postMessage(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  begin(listener: Listener): void {
    clearTimeout(this.idling);
    this.idling = undefined;
    this.listener = listener;
    this.worker.ref();
  }

  /** An idle thread doesn't keep the process alive. */
  rest(): void {
    this.listener = null;
    this.worker.unref();
    idle.push(this);
    this.idling = setTimeout(() => {
      this.drop();
    }, IDLE_MS).unref();
  }

  /** Nothing is left of what a run did to its thread. */
  end(): void {
    this.listener = null;
    void this.worker.terminate();
  }

  /** Ends where it waits for a run. */
  private drop(): void {
    const at = idle.indexOf(this);
    if (at < 0) return;
    clearTimeout(this.idling);
    idle.splice(at, 1);
    this.end();
  }
}

const idle: NodeThread[] = [];

/** Threads of this process. */
export const THREADS: Threads<NodeThread> = {
  take: (listener) => {
    const thread = idle.pop() ?? new NodeThread();
    thread.begin(listener);
    return thread;
  },
  giveBack: (thread) => {
    if (idle.length < MOST_IDLE) thread.rest();
    else thread.end();
  },
  end: (thread) => {
    thread.end();
  },
  timeOf,
  during,
};
