import PQueue from "p-queue";

export interface LimiterOptions {
  /** Most calls a second. */
  readonly perSecond: number;
  /** Most calls that wait for their answers at once. */
  readonly atOnce: number;
  /** Ends all waiting. */
  readonly signal?: AbortSignal;
}

/** Calls a second before it is known what the server takes. */
const FIRST_RATE = 20;
const LEAST_RATE = 0.5;
/** Of the rate at which a server refused a call. */
const LOWER = 0.9;
/** The first time it is what the server took in the second before, less this: as many, evenly, would be refused now and then. */
const MARGIN = 0.95;
/** But not less than this part: it may have been asked for few. */
const LOWEST = 0.5;
/** What each answer adds to the rate, in calls a second: before any is refused, and after that, for each second since. */
const FIRST_GROWTH = 1;
const GROWTH = 0.001;
/** Calls that are let go at once after a while without any, in seconds of the rate; where it is known what the server takes, in calls. */
const BURST = 0.2;
const KNOWN_BURST = 1.5;
/** Pauses while a server gives no answer, each with one call behind it, and after a refusal that names none. */
const FIRST_PAUSE_MS = 250;
const MOST_PAUSE_MS = 5_000;
const REFUSED_PAUSE_MS = 1_000;
/** What a server may ask for: longer, and a wrong word would cost votes. */
const MOST_RETRY_AFTER_MS = 30_000;

const CLOSED = "The connection is closed.";

/**
 * The way to one server: so many calls a second and at once, first those whose time is up first. It finds out by itself how many the server
 * takes: more and more until some are refused, then fewer. Where the server gives no answer, one call after the other asks whether it does
 * again, so that what failed is not asked by all at once.
 */
export class Limiter {
  private readonly queue: PQueue;
  private readonly waiting = new Set<(error: Error) => void>();
  private rate: number;
  /** Calls that may be made now. */
  private room = 1;
  private roomAt = performance.now();
  /** Nothing goes before this moment. */
  private closedUntil = 0;
  private opening: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private failedAt = -Infinity;
  private loweredAt = -Infinity;
  private refusedUntil = -Infinity;
  /** When the answers of the last second came, until it is known what the server takes. */
  private taken: number[] = [];

  constructor(private readonly options: LimiterOptions) {
    this.rate = Math.min(FIRST_RATE, options.perSecond);
    this.queue = new PQueue({ concurrency: options.atOnce });
    options.signal?.addEventListener("abort", () => {
      clearTimeout(this.opening);
      this.sendAway(new Error(CLOSED));
    });
  }

  /** Milliseconds that one call takes of the rate. */
  get msPerCall(): number {
    return 1_000 / this.rate;
  }

  /** Whether the server has said that it takes no calls now. */
  get isRefused(): boolean {
    return performance.now() < this.refusedUntil;
  }

  /** Makes a call when its turn comes. It tells with the other methods what came of it. */
  run<T>(call: () => Promise<T>, due: number): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.options.signal?.aborted === true) {
        reject(new Error(CLOSED));
        return;
      }
      this.waiting.add(reject);
      const go = async (): Promise<void> => {
        // Or it was sent away.
        if (!this.waiting.delete(reject)) return;
        this.leave();
        await call().then(resolve, reject);
      };
      void this.queue.add(go, { priority: -due });
    });
  }

  /** Has all that wait for their turn end with an error. */
  sendAway(error: Error): void {
    this.queue.clear();
    for (const reject of this.waiting) reject(error);
    this.waiting.clear();
  }

  /** The server answered. */
  answered(): void {
    const now = performance.now();
    if (!this.isKnown) this.taken = [...this.taken.filter((at) => at > now - 1_000), now];
    this.failures = 0;
    this.queue.concurrency = this.options.atOnce;
    // What nobody waited for says nothing about how many more there could be.
    if (this.queue.size === 0) return;
    // Slowly at first: each refusal costs a pause.
    const growth = this.isKnown ? (GROWTH * (now - this.loweredAt)) / 1_000 : FIRST_GROWTH;
    this.rate = Math.min(this.rate + growth, this.options.perSecond);
  }

  /**
   * The server refused a call: it takes no more for now.
   *
   * @param madeAt When the call was made: many that were on their way together say it once.
   */
  tooMany(madeAt: number, retryAfterMs = REFUSED_PAUSE_MS): void {
    const pauseMs = Math.min(retryAfterMs, MOST_RETRY_AFTER_MS);
    this.refusedUntil = Math.max(this.refusedUntil, performance.now() + pauseMs);
    this.close(pauseMs);
    if (madeAt <= this.loweredAt) return;
    const now = performance.now();
    const taken = MARGIN * this.taken.filter((at) => at > now - 1_000).length;
    const least = this.isKnown ? LOWER * this.rate : Math.max(taken, LOWEST * this.rate);
    this.rate = Math.max(Math.min(least, LOWER * this.rate), LEAST_RATE);
    this.loweredAt = now;
    this.room = Math.min(this.room, 0);
  }

  /**
   * The server gave no answer.
   *
   * @param madeAt When the call was made: many that were on their way together say it once.
   */
  silent(madeAt: number): void {
    if (madeAt <= this.failedAt) return;
    this.failedAt = performance.now();
    this.failures += 1;
    this.queue.concurrency = 1;
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** (this.failures - 1), MOST_PAUSE_MS);
    this.close(longest * (0.5 + Math.random() / 2));
  }

  /** Whether the server ever refused a call. */
  private get isKnown(): boolean {
    return this.loweredAt > -Infinity;
  }

  /** Counts a call that goes, and lets no other go before there is room for it. */
  private leave(): void {
    const now = performance.now();
    const most = this.isKnown ? KNOWN_BURST : Math.max(this.rate * BURST, 1);
    this.room = Math.min(this.room + ((now - this.roomAt) / 1_000) * this.rate, most) - 1;
    this.roomAt = now;
    if (this.room < 1) this.close((1 - this.room) * this.msPerCall);
  }

  private close(ms: number): void {
    if (this.options.signal?.aborted === true) return;
    const until = performance.now() + ms;
    if (until <= this.closedUntil) return;
    this.closedUntil = until;
    this.queue.pause();
    clearTimeout(this.opening);
    this.opening = setTimeout(() => this.queue.start(), ms);
  }
}
