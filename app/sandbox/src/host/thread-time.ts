/*
 * Processor time of one thread. A function is limited by it and not by a clock on the wall: on a machine that is busy, throttled or
 * stopped, the wall's clock goes on while nothing is computed, and whoever keeps a voter's machine busy would have its vote.
 *
 * Linux counts it for each thread, newer versions of Node.js tell it elsewhere too (process.threadCpuUsage, 22.19 and 23.9). Without both
 * it is the whole process's, which is never less than the thread's: a stopped or throttled process is told from a computing one there too,
 * only other threads of the same process aren't.
 */
import { openSync, readFileSync, readSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

interface Usage {
  readonly user: number;
  readonly system: number;
}

const milliseconds = ({ user, system }: Usage): number => (user + system) / 1_000;
const ofProcess = (): number => milliseconds(process.cpuUsage());

/** The first number is nanoseconds on a processor. */
function parse(schedstat: string): number {
  return Number.parseInt(schedstat, 10) / 1e6;
}

/** Where other threads of this process find this one's time; null where nobody tells it. */
export const THIS_THREAD: string | null = (() => {
  try {
    const path = `/proc/self/task/${basename(readlinkSync("/proc/thread-self"))}/schedstat`;
    return parse(readFileSync(path, "latin1")) > 0 ? path : null;
  } catch {
    return null;
  }
})();

/** Milliseconds that this thread has had of a processor. */
export const threadTime: () => number = (() => {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => Usage };
  if (threadCpuUsage !== undefined) return () => milliseconds(threadCpuUsage.call(process));
  if (THIS_THREAD === null) return ofProcess;
  const file = openSync(THIS_THREAD, "r");
  const text = Buffer.alloc(64);
  return () => parse(text.toString("latin1", 0, readSync(file, text, 0, text.length, 0)));
})();

/** Milliseconds that a thread has had, by its {@link THIS_THREAD}; 0 where it has ended. */
export function timeOf(thread: string | null): number {
  if (thread === null) return ofProcess();
  try {
    return parse(readFileSync(thread, "latin1"));
  } catch {
    return 0;
  }
}
