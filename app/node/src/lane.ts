/** The lane has as many runs waiting as it takes. */
export class LaneFull extends Error {
  override readonly name = "LaneFull";
}

interface Waiting {
  readonly until: bigint;
  readonly go: () => void;
}

/** Lets so many runs go on at once, and so many wait for their turn: first those whose time is up first, then who came first. */
export class Lane {
  private going = 0;
  private readonly waiting: Waiting[] = [];

  constructor(
    private readonly concurrency: number,
    private readonly queue: number,
  ) {}

  /**
   * Rejects with {@link LaneFull} when too many wait.
   *
   * @param until Slot at which it is too late.
   */
  async run<T>(act: () => Promise<T>, until = 0n): Promise<T> {
    if (this.going < this.concurrency) this.going += 1;
    else if (this.waiting.length >= this.queue) {
      throw new LaneFull("Too many runs wait for their turn. Try again later.");
    } else {
      // Whoever ends hands its place on.
      await new Promise<void>((go) => {
        const behind = this.waiting.findIndex((other) => other.until > until);
        const place = behind === -1 ? this.waiting.length : behind;
        this.waiting.splice(place, 0, { until, go });
      });
    }
    try {
      return await act();
    } finally {
      const next = this.waiting.shift();
      if (next) next.go();
      else this.going -= 1;
    }
  }
}
