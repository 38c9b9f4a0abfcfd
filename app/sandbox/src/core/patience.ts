import { Alarm } from "./alarm";
import { DoorError } from "./api";

/**
 * The time that strangers' servers may take in one run, all together, as far as this node was awake; calls at the same time count once.
 * Without it
 * a server could make every audit of it last too long and end without a verdict, by answering each question just in time.
 *
 * The doors themselves count, by {@link Patience.wait}, because only they know which part of a call is a stranger's and which is the node's
 * own look whether its network is up.
 */
export class Patience {
  private readonly waiting = new Set<(error: DoorError) => void>();
  private used = 0;
  private alarm: Alarm | undefined;
  private stalled = false;

  /** @param budgetMs Milliseconds. */
  constructor(private readonly budgetMs: number) {}

  /** Rejects as `timeout` when the time is used up. */
  async wait<T>(ask: () => Promise<T>): Promise<T> {
    if (this.used >= this.budgetMs) throw this.spent();
    let giveUp: (error: DoorError) => void = () => undefined;
    const end = new Promise<never>((_resolve, reject) => {
      giveUp = reject;
    });
    if (this.waiting.size === 0) {
      this.alarm = new Alarm(this.budgetMs - this.used, () => {
        this.end();
        this.used = this.budgetMs;
        for (const reject of this.waiting) reject(this.spent());
      });
    }
    this.waiting.add(giveUp);
    try {
      return await Promise.race([ask(), end]);
    } finally {
      this.waiting.delete(giveUp);
      if (this.waiting.size === 0) this.end();
    }
  }

  end(): void {
    const { alarm } = this;
    if (alarm === undefined) return;
    alarm.stop();
    this.stalled ||= alarm.stalled;
    this.used += alarm.elapsed;
    this.alarm = undefined;
  }

  /** Where the node itself stood still, who knows who used the time. */
  private spent(): DoorError {
    const slow = `the servers took more than ${this.budgetMs} ms together`;
    return this.stalled
      ? new DoorError("timeout", `${slow}; but this node itself stood still meanwhile`, true)
      : new DoorError("timeout", slow);
  }
}
