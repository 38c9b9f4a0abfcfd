import { join } from "node:path";
import { Worker } from "node:worker_threads";

/** Threads that wait for the next run, and how long before they end. */
const MOST_IDLE = 4;
const IDLE_MS = 30_000;

interface Idle {
  readonly worker: Worker;
  /** Ends the thread and takes it from the list. */
  readonly drop: () => void;
  readonly timer: NodeJS.Timeout;
}

const idle: Idle[] = [];

/** A thread for one run. */
export function takeWorker(): Worker {
  const waiting = idle.pop();
  if (waiting !== undefined) {
    const { worker, drop, timer } = waiting;
    clearTimeout(timer);
    worker.off("error", drop).off("exit", drop).ref();
    return worker;
  }
  return new Worker(join(__dirname, "worker.js"), {
    // Nothing of the node's environment, arguments or standard streams inside.
    argv: [],
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8, stackSizeMb: 16 },
  });
}

/** After a run that ended well. An idle thread doesn't keep the process alive. */
export function giveBack(worker: Worker): void {
  if (idle.length >= MOST_IDLE) {
    endWorker(worker);
    return;
  }
  const drop = (): void => {
    const at = idle.findIndex((one) => one.worker === worker);
    if (at >= 0) clearTimeout(idle.splice(at, 1)[0]?.timer);
    worker.off("error", drop).off("exit", drop);
    endWorker(worker);
  };
  worker.once("error", drop).once("exit", drop).unref();
  idle.push({ worker, drop, timer: setTimeout(drop, IDLE_MS).unref() });
}

/** After any other run: nothing is left of what it did to its thread. */
export function endWorker(worker: Worker): void {
  // A thread that is being ended may still fail.
  worker.on("error", () => undefined);
  void worker.terminate();
}
