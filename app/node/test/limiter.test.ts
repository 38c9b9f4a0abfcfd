import { expect } from "chai";
import { refusal } from "../../../tests/utils/refusal";
import type { LimiterOptions } from "../src/core/limiter";
import { Limiter } from "../src/core/limiter";
import { MadeUpTime } from "./utils/made_up_time";

/** Of an answer, in milliseconds. */
const LATENCY = 50;

interface Rule {
  /** Calls that are taken within any so many milliseconds. */
  readonly most: number;
  readonly withinMs: number;
  readonly retryAfterMs?: number;
}

describe("the limiter of calls", () => {
  let time: MadeUpTime;

  beforeEach(() => {
    time = MadeUpTime.begin();
  });

  afterEach(() => {
    time.end();
  });

  const wait = (ms: number): Promise<void> => new Promise((go) => setTimeout(go, ms));
  const limiter = (options: Partial<LimiterOptions> = {}): Limiter =>
    new Limiter({ perSecond: 40, atOnce: 16, ...options });

  /** A server, and what it was asked. */
  class Behind {
    readonly taken: number[] = [];
    readonly refused: number[] = [];
    atOnce = 0;
    private open = 0;

    constructor(
      readonly limiter: Limiter,
      private rule: Rule | "silent",
    ) {}

    /** Has this be its rule from now on. */
    change(rule: Rule | "silent"): void {
      this.rule = rule;
    }

    /** One try. Whether it was answered. */
    try(due = 0): Promise<boolean> {
      return this.limiter.run(async () => {
        const at = performance.now();
        this.open += 1;
        this.atOnce = Math.max(this.atOnce, this.open);
        const { rule } = this;
        const isTaken = rule !== "silent" && this.within(at, rule) < rule.most;
        (isTaken ? this.taken : this.refused).push(at);
        await wait(LATENCY);
        this.open -= 1;
        if (isTaken) this.limiter.answered();
        else if (rule === "silent") this.limiter.silent(at);
        else this.limiter.tooMany(at, rule.retryAfterMs);
        return isTaken;
      }, due);
    }

    async ask(): Promise<void> {
      while (!(await this.try())) continue;
    }

    /** Most calls in any second. */
    get most(): number {
      const all = [...this.taken, ...this.refused];
      return Math.max(
        ...all.map((at) => all.filter((one) => one >= at && one < at + 1_000).length),
      );
    }

    private within(at: number, { withinMs }: Rule): number {
      return this.taken.filter((one) => one > at - withinMs).length;
    }
  }

  const many = (server: Behind, count: number): Promise<unknown> =>
    Promise.all(Array.from({ length: count }, () => server.ask()));

  it("lets no more go than it may, in a second and at once, however many wait", async () => {
    for (const count of [100, 1_000]) {
      const server = new Behind(limiter({ perSecond: 40, atOnce: 2 }), { most: 1e9, withinMs: 1 });
      await time.take(many(server, count));
      expect(server.atOnce).to.equal(2);
      expect(server.most).to.be.within(36, 48);
    }
  });

  it("finds out how many a server takes, and uses nearly all of it with few refusals", async () => {
    const rules: readonly Rule[] = [
      { most: 10, withinMs: 1_000, retryAfterMs: 1_000 },
      { most: 10, withinMs: 1_000 },
      { most: 3, withinMs: 1_000, retryAfterMs: 1_000 },
      { most: 30, withinMs: 1_000, retryAfterMs: 1_000 },
      // As public servers do.
      { most: 100, withinMs: 10_000, retryAfterMs: 5_000 },
    ];
    for (const rule of rules) {
      const perSecond = (1_000 * rule.most) / rule.withinMs;
      const seconds = 120;
      const server = new Behind(limiter(), rule);
      const ms = await time.take(many(server, seconds * perSecond));
      const used = (1_000 * seconds) / ms;
      const about = `${JSON.stringify(rule)}: ${used}, ${server.refused.length} refused`;
      expect(used, about).to.be.above(0.78);
      expect(server.refused.length, about).to.be.below(30);
    }
  });

  it("uses what a server takes again later", async () => {
    const server = new Behind(limiter(), { most: 4, withinMs: 1_000, retryAfterMs: 1_000 });
    await time.take(many(server, 40));
    server.change({ most: 1e9, withinMs: 1_000 });
    expect(await time.take(many(server, 2_000))).to.be.below(100_000);
  });

  it("waits as long as the server says, and no longer than half a minute", async () => {
    for (const [asked, kept] of [
      [2_000, 2_000],
      [999_999_999_000, 30_000],
    ] as const) {
      const server = new Behind(limiter(), { most: 0, withinMs: 1_000, retryAfterMs: asked });
      await time.take(server.try());
      expect(server.limiter.isRefused).to.be.true;
      server.change({ most: 10, withinMs: 1_000 });
      expect(await time.take(server.try())).to.be.within(kept, kept + 2 * LATENCY);
      expect(server.limiter.isRefused).to.be.false;
    }
  });

  it("is not let go on sooner by who names a shorter time later", async () => {
    const server = new Behind(limiter(), { most: 10, withinMs: 1_000 });
    server.limiter.tooMany(performance.now(), 10_000);
    server.limiter.tooMany(performance.now(), 100);
    expect(await time.take(server.try())).to.be.at.least(10_000);
  });

  it("takes what many calls on their way together say once", async () => {
    const one = limiter({ atOnce: 1 });
    const before = one.msPerCall;
    one.tooMany(performance.now());
    await time.take(wait(1));
    const lowered = one.msPerCall;
    expect(lowered).to.be.above(before);
    one.tooMany(performance.now() - 1);
    expect(one.msPerCall).to.equal(lowered);

    const silent = new Behind(limiter(), "silent");
    await time.take(wait(1_000));
    await time.take(Promise.all([1, 2, 3, 4].map(() => silent.try())));
    expect(silent.atOnce).to.equal(4);
    silent.change({ most: 1e9, withinMs: 1 });
    // After the first pause, and not the fourth.
    expect(await time.take(silent.try())).to.be.below(250 + 2 * LATENCY);
  });

  it("asks a server that gives no answer with one call after the other, less and less often", async () => {
    const server = new Behind(limiter(), "silent");
    let waiting = true;
    const asking = Array.from({ length: 50 }, async () => {
      while (waiting) await server.try();
    });
    await time.take(wait(60_000));
    const late = server.refused.filter((at) => at > 10_000);
    expect(late.length).to.be.within(8, 25);
    for (const [index, at] of late.slice(1).entries()) {
      expect(at - (late[index] ?? 0)).to.be.above(LATENCY);
    }
    server.change({ most: 1e9, withinMs: 1 });
    waiting = false;
    expect(await time.take(Promise.all(asking))).to.be.below(10_000);
    expect(server.atOnce).to.be.at.most(16);
  });

  it("lets go first whose time is up first", async () => {
    const one = limiter({ atOnce: 1 });
    const order: number[] = [];
    const runs = [50, 30, 40, 10, 20].map((due) =>
      one.run(() => {
        order.push(due);
        return wait(1);
      }, due),
    );
    await time.take(Promise.all(runs));
    // The first found nobody before it.
    expect(order).to.deep.equal([50, 10, 20, 30, 40]);
  });

  it("has all that wait end with an error when they are sent away, and when it is closed", async () => {
    const closing = new AbortController();
    const one = limiter({ atOnce: 1, signal: closing.signal });
    const slow = one.run(() => wait(1_000), 0);
    const sent = refusal(one.run(() => wait(1), 0));
    one.sendAway(new Error("Go elsewhere."));
    expect((await sent).message).to.equal("Go elsewhere.");
    const closed = refusal(one.run(() => wait(1), 0));
    closing.abort();
    expect((await closed).message).to.equal("The connection is closed.");
    expect((await refusal(one.run(() => wait(1), 0))).message).to.equal(
      "The connection is closed.",
    );
    await time.take(slow);
  });
});
