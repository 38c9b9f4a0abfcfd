const TICK_MS = 20;
/** How late a timer comes on a machine that is awake. */
const LATE_MS = 10;
const STALL_MS = 1_000;

/**
 * A timer that counts the time in which this node was awake. While its event loop is blocked, its processor taken away or its machine
 * paused, an answer can't be heard, and the server is not to blame for that: such time is not counted, however short its pieces are.
 */
export class Alarm {
  private left: number;
  private begun = 0;
  private due = Infinity;
  private late = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param ms Milliseconds. */
  constructor(
    private readonly ms: number,
    private readonly ring: () => void,
  ) {
    this.left = ms;
    this.arm();
  }

  /** Whether the node stood still for more than a second, at any time until now or until the alarm was stopped. */
  get stalled(): boolean {
    return this.late || performance.now() - this.due > STALL_MS;
  }

  /** Milliseconds awake until the alarm was stopped. */
  get elapsed(): number {
    return this.ms - this.left;
  }

  stop(): void {
    clearTimeout(this.timer);
    if (this.due === Infinity) return;
    this.late = this.stalled;
    const now = performance.now();
    this.left -= (now - this.due > LATE_MS ? this.due : now) - this.begun;
    this.due = Infinity;
  }

  private arm(): void {
    this.begun = performance.now();
    const step = Math.min(TICK_MS, this.left);
    this.due = this.begun + step;
    this.timer = setTimeout(() => {
      this.stop();
      // Timers are exact to a millisecond.
      if (this.left < 1) this.ring();
      else this.arm();
    }, step);
  }
}
