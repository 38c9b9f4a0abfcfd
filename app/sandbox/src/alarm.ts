const TICK_MS = 500;
const STALL_MS = 1_000;

/**
 * A timer that notices when the node itself stood still meanwhile: its event loop blocked, its processor taken away, its machine paused.
 * An answer that came in that time was heard too late or never, and the server is not to blame.
 */
export class Alarm {
  private readonly end: number;
  private due = Infinity;
  private late = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    ms: number,
    private readonly ring: () => void,
  ) {
    this.end = performance.now() + ms;
    this.arm();
  }

  /** Whether the node stood still for more than a second, at any time until now or until the alarm was stopped. */
  get stalled(): boolean {
    return this.late || performance.now() - this.due > STALL_MS;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.late = this.stalled;
    this.due = Infinity;
  }

  /** In steps: a long wait would else hide a stall that was over before its end. */
  private arm(): void {
    const now = performance.now();
    this.due = Math.min(now + TICK_MS, this.end);
    this.timer = setTimeout(() => {
      const over = performance.now() >= this.end;
      this.stop();
      if (over) this.ring();
      else this.arm();
    }, this.due - now);
  }
}
