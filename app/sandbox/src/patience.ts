import { DoorError } from "./api";
import type { Doors } from "./api";

/**
 * The time that strangers' servers may take in one run, all together; calls at the same time count once. Without it a server could make
 * every audit of it last too long and end without a verdict, by answering each question just in time.
 */
export class Patience {
  private readonly waiting = new Set<(error: DoorError) => void>();
  private since = 0;
  private used = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param budgetMs Milliseconds. */
  constructor(private readonly budgetMs: number) {}

  /** Rejects as `timeout` when the time is used up. The node's own RPC server and gateways are no strangers. */
  async wait<T>(door: keyof Doors, args: string, call: () => Promise<T>): Promise<T> {
    if (door !== "http" && !(door === "fetch" && args.includes(","))) return call();
    if (this.used >= this.budgetMs) throw this.spent();
    let giveUp: (error: DoorError) => void = () => undefined;
    const end = new Promise<never>((_resolve, reject) => {
      giveUp = reject;
    });
    if (this.waiting.size === 0) {
      this.since = performance.now();
      this.timer = setTimeout(() => {
        this.used = this.budgetMs;
        for (const reject of this.waiting) reject(this.spent());
      }, this.budgetMs - this.used);
    }
    this.waiting.add(giveUp);
    try {
      return await Promise.race([call(), end]);
    } finally {
      this.waiting.delete(giveUp);
      if (this.waiting.size === 0) {
        clearTimeout(this.timer);
        this.used += performance.now() - this.since;
      }
    }
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private spent(): DoorError {
    return new DoorError("timeout", `the servers took more than ${this.budgetMs} ms together`);
  }
}
