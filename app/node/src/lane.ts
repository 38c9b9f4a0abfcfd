/** The lane has as many runs waiting as it takes. */
export class LaneFull extends Error {
  override readonly name = "LaneFull";
}

/** Lets so many runs go on at once, and so many wait for their turn. */
export class Lane {
  private going = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly concurrency: number,
    private readonly queue: number,
  ) {}

  /** Rejects with {@link LaneFull} when too many wait. */
  async run<T>(act: () => Promise<T>): Promise<T> {
    if (this.going < this.concurrency) this.going += 1;
    else if (this.waiting.length >= this.queue) {
      throw new LaneFull("Too many runs wait for their turn. Try again later.");
    } else {
      // Whoever ends hands its place on.
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    try {
      return await act();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.going -= 1;
    }
  }
}
