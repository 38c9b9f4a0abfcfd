interface Timer {
  readonly at: number;
  readonly act: () => void;
}

/**
 * A clock that stands still while something is being done, and goes on at once to the next timer where nothing is: what is measured in it
 * is the same on every machine.
 */
export class MadeUpTime {
  private now = 0;
  private readonly timers = new Set<Timer>();
  private readonly real = {
    now: performance.now.bind(performance),
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
  };

  /** Takes the place of the machine's clock until {@link end}. */
  static begin(): MadeUpTime {
    const time = new MadeUpTime();
    performance.now = () => time.now;
    globalThis.setTimeout = ((act: () => void, ms = 0): Timer => {
      const timer = { at: time.now + Math.max(ms, 0), act };
      time.timers.add(timer);
      return timer;
    }) as never;
    globalThis.clearTimeout = ((timer: Timer) => time.timers.delete(timer)) as never;
    return time;
  }

  end(): void {
    performance.now = this.real.now;
    globalThis.setTimeout = this.real.setTimeout;
    globalThis.clearTimeout = this.real.clearTimeout;
  }

  /** Lets it pass until something is done. Rejects where nothing would ever do it. Returns how long it took, in milliseconds. */
  async take(done: Promise<unknown>): Promise<number> {
    const began = this.now;
    const state = { isDone: false };
    const settle = (): void => {
      state.isDone = true;
    };
    done.then(settle, settle);
    for (;;) {
      // All that follows from what was done comes first.
      await new Promise((resolve) => setImmediate(resolve));
      if (state.isDone) break;
      const [next] = [...this.timers].sort((a, b) => a.at - b.at);
      if (!next) throw new Error("Nothing is going on any more.");
      this.timers.delete(next);
      this.now = Math.max(this.now, next.at);
      next.act();
    }
    await done;
    return this.now - began;
  }
}
