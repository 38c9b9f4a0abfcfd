import { auditEnd } from "@securing-tasks/client";
import type { Audit, Opinion } from "@securing-tasks/client";
import type { PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { dice } from "../../../tests/utils/dice";
import type { Concerns, Pace, Seen } from "../src/core/kept";
import { Kept } from "../src/core/kept";
import type { Duty, PlanOptions } from "../src/core/plan";
import { plan } from "../src/core/plan";
import type { View } from "../src/core/view";
import { Viewer } from "../src/core/view";
import { KEYS, ME, OPERATOR, OWNERS, SmallWorld } from "./utils/small_world";

const PACE: Pace = { base: 0n, cold: 20n, chores: 12n, appeal: 4n, gone: 40n };
const WORLDS = 15;
const STEPS = 90;

/** What a node might know of things by their names: always the same. */
const about = (name: string, sides: number): number =>
  (createHash("sha256").update(name).digest()[0] ?? 0) % sides;
const opinionOf = (audit: string): Opinion | null => {
  const opinions = [null, null, "valid", "downtime", "malice"] as const;
  return opinions[about(`opinion ${audit}`, opinions.length)] ?? null;
};
const isProven = (submission: string): boolean => about(`proof ${submission}`, 6) === 0;
const sampleOf = (round: bigint): string[] | null => {
  if (about(`known ${round}`, 4) === 0) return null;
  return OWNERS.slice(1)
    .map((owner) => owner.toBase58())
    .filter((owner) => about(`sample ${round} ${owner}`, 4) === 0);
};

function concernsOf(world: SmallWorld): Concerns {
  const seen = new Map<string, PublicKey>();
  return {
    sample: sampleOf,
    owed: () => [],
    // Nobody has an opinion of an audit that it never saw open.
    judged: () => {
      for (const one of world.all("audit")) {
        const name = one.address.toBase58();
        if (one.outcome === "open" && opinionOf(name) !== null) seen.set(name, one.address);
      }
      return [...seen.values()];
    },
    proven: () =>
      world
        .all("submission")
        .flatMap(({ address }) => (isProven(address.toBase58()) ? [address] : [])),
    payers: () => [OPERATOR],
  };
}

const options = (judged: readonly string[]): PlanOptions => ({
  owner: ME,
  operator: OPERATOR,
  config: {
    samples: 1,
    workUnpaid: true,
    appeal: true,
    chores: { resolve: true, claim: true, close: true, spreadSlots: 3 },
    keepers: [],
    keepersEarly: false,
  },
  store: {
    work: () => null,
    workHash: () => null,
    sample: sampleOf,
    check: () => null,
    opinion: (audit) => {
      if (!judged.includes(audit)) return null;
      return { opinion: opinionOf(audit), reason: "" };
    },
    accusations: () => [],
    evidenceSince: (submission) => (isProven(submission) ? 1_000n : null),
    handed: (submission) => (about(`handed ${submission}`, 2) === 0 ? 1 : null),
    entrusted: () => [],
    keptReveals: () => [],
  },
  secret: new Uint8Array(32).fill(3),
  mostFee: 5_000n,
});

const keysOf = (duties: readonly Duty[]): string[] => duties.map(({ key }) => key).sort();

/** With all in an order of its own. */
function sorted(view: View | null): unknown {
  if (!view) return null;
  const order = <T extends { readonly address: PublicKey }>(all: readonly T[]): T[] =>
    [...all].sort((a, b) => (a.address.toBase58() < b.address.toBase58() ? -1 : 1));
  return {
    ...view,
    rounds: order(view.rounds),
    submissions: order(view.submissions),
    audits: order(view.audits),
    votes: [...view.votes].sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}

/** A world, what a node keeps of it, and the lines between them. */
class Story {
  readonly roll: (sides: number) => number;
  readonly world: SmallWorld;
  readonly concerns: Concerns;
  readonly kept: Kept;
  readonly viewer: Viewer;
  /** Told, and on the way for long. */
  private readonly late: Seen[] = [];

  constructor(seed: number) {
    this.roll = dice(seed * 7_919 + 1);
    this.world = new SmallWorld(this.roll, seed % 3 === 0 ? "worker" : "witness");
    this.concerns = concernsOf(this.world);
    this.kept = new Kept(KEYS, this.concerns, PACE);
    this.viewer = new Viewer(this.world, this.kept, 10_000n);
  }

  /** Some of what is told is lost, some comes twice, some late. */
  deliver(): void {
    for (const seen of this.world.news.splice(0)) {
      const fate = this.roll(10);
      if (fate >= 3) this.viewer.tell(seen);
      if (fate >= 7) this.late.push(seen);
      if (fate === 9) this.viewer.tell(seen);
    }
    if (this.late.length > 0 && this.roll(3) === 0) {
      const [one] = this.late.splice(this.roll(this.late.length), 1);
      if (one) this.viewer.tell(one);
    }
  }

  deliverAll(): void {
    for (const seen of this.late.splice(0).reverse()) this.viewer.tell(seen);
  }

  async step(): Promise<void> {
    this.world.step();
    if (this.roll(25) === 0) this.world.rollBack();
    this.deliver();
    // What comes anew with a subscription.
    if (this.roll(30) === 0) this.viewer.doubt();
    if (this.roll(3) > 0) await this.viewer.read().catch(this.behind);
  }

  /** After a rollback a server may be behind what another has shown. */
  private readonly behind = (error: unknown): null => {
    expect(String(error)).to.match(/There is no slot/);
    return null;
  };

  /** Reads all anew: after a doubt, or when all that is kept is due for it. */
  async check(): Promise<void> {
    this.world.lag = 0;
    const isDoubt = this.roll(3) > 0;
    if (isDoubt) this.viewer.doubt();
    this.world.pass(isDoubt ? 1n : PACE.gone + 1n);
    await this.viewer.read();
  }
}

describe("the kept view", () => {
  it("is, after a check, what a full read gives of what there is a duty for, and has the same duties", async () => {
    const kinds = new Set<string>();
    for (let seed = 1; seed <= WORLDS; seed += 1) {
      const story = new Story(seed);
      const { world, concerns } = story;
      for (let left = STEPS; left > 0; left -= 1) await story.step();
      await story.check();
      // Old news changes nothing any more.
      story.deliverAll();
      const kept = story.kept.view(world.slot);
      const full = world.view();
      const whole = new Kept(KEYS, concerns, PACE);
      const all = [...full.rounds, ...full.submissions, ...full.audits, ...full.votes.values()];
      const keys = [KEYS.task, KEYS.node, KEYS.operator, ...all.map(({ address }) => address)];
      for (const seen of await world.accounts(keys)) whole.answer(seen);
      expect(sorted(kept), `world ${seed}`).to.deep.equal(sorted(whole.view(world.slot)));
      const judged = concerns.judged().map((one) => one.toBase58());
      const wanted = plan(full, world.slot, options(judged));
      const found = kept && plan(kept, world.slot, options(judged));
      expect(keysOf(found?.duties ?? []), `world ${seed}`).to.deep.equal(keysOf(wanted.duties));
      for (const { kind } of wanted.duties) kinds.add(kind);
    }
    // Else it would say little.
    expect([...kinds]).to.include.members([
      "judge",
      "sample",
      "check",
      "accuse",
      "resolve",
      "closeAudit",
      "claimBounty",
    ]);
  });

  it("has each open audit of work that can be audited at the next look, whatever is told of it", async () => {
    let compared = 0;
    for (let seed = 1; seed <= WORLDS; seed += 1) {
      const story = new Story(seed);
      const { world, viewer } = story;
      world.lag = 0;
      await viewer.read();
      for (let left = STEPS; left > 0; left -= 1) {
        world.step();
        const [late, lost] = [story.roll(4) === 0, world.news.splice(0)];
        if (late) for (const seen of lost) viewer.tell(seen);
        const { view, short } = await viewer.read();
        expect(short).to.deep.equal([]);
        const { task, audits, submissions } = world.view();
        const roundOf = (one: PublicKey): bigint =>
          submissions.find(({ address }) => address.equals(one))?.round ?? 0n;
        const open = audits
          .filter(({ outcome }) => outcome === "open")
          .filter(({ submission }) => world.slot < auditEnd(task, roundOf(submission)));
        const names = view?.audits.map(({ address }) => address.toBase58());
        for (const { address } of open) expect(names).to.include(address.toBase58());
        compared += open.length;
      }
    }
    expect(compared).to.be.above(500);
  });

  it("sees what is opened in the last slots of a round's audits in time to vote, though nothing was told", async () => {
    let compared = 0;
    const concerns: Concerns = {
      sample: () => [],
      owed: () => [],
      judged: () => [],
      proven: () => [],
      payers: () => [OPERATOR],
    };
    for (let seed = 1; seed <= 15; seed += 1) {
      const world = new SmallWorld(dice(seed * 7_919 + 1), "witness");
      const viewer = new Viewer(world, new Kept(KEYS, concerns, PACE), 9_000n);
      world.lag = 0;
      const seen = new Set<string>();
      const open = new Set<string>();
      for (let left = 60; left > 0; left -= 1) {
        // Whoever looks seldom, as light does.
        for (let steps = 4; steps > 0; steps -= 1) world.step();
        world.news.splice(0);
        const { view } = await viewer.read();
        for (const { address } of view?.audits ?? []) seen.add(address.toBase58());
        const { task, audits, submissions } = world.view();
        for (const { address, outcome, submission, revealSlot } of audits) {
          if (outcome !== "open" || world.slot >= revealSlot) continue;
          const work = submissions.find((one) => one.address.equals(submission));
          if (work && world.slot >= auditEnd(task, work.round)) open.add(address.toBase58());
        }
      }
      compared += open.size;
      expect([...open].filter((name) => !seen.has(name))).to.deep.equal([]);
    }
    expect(compared).to.be.above(30);
  });

  it("sees that what was done is rolled back, however seldom it reads that otherwise", async () => {
    const slow = { base: 9_000n, cold: 9_000n, chores: 9_000n, appeal: 9_000n, gone: 9_000n };
    let cases = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const world = new SmallWorld(dice(seed), "witness");
      world.lag = 0;
      const viewer = new Viewer(world, new Kept(KEYS, concernsOf(world), slow), 9_000n);
      const read = async (): Promise<View | null> => (await viewer.read(world.slot)).view;
      const before = new Set<string>();
      let audit: Audit | undefined;
      for (let left = STEPS; left > 0 && !audit; left -= 1) {
        world.step();
        const voted = [...world.view().votes.keys()].find((name) => !before.has(name));
        if (voted !== undefined) before.add(voted);
        audit = world
          .all("audit")
          .find((one) => one.address.toBase58() === voted && one.openSlot + 8n < world.slot);
      }
      if (!audit) continue;
      const name = audit.address.toBase58();
      await read();
      const doneAt = world.slot;
      viewer.touch({ kind: "commit", key: "", audit, opinion: "valid" }, doneAt);
      await read();
      world.rollBack();
      expect(world.view().votes.has(name)).to.equal(false);
      // Where nothing else shows it.
      if ((await read())?.votes.has(name) !== true) continue;
      expect(viewer.wakeAt(world.slot)).to.satisfy((slot: bigint) => slot <= doneAt + 32n);
      world.pass(40n);
      expect((await read())?.votes.has(name)).to.equal(false);
      cases += 1;
    }
    expect(cases).to.be.above(2);
  });

  it("has no duty of a stale word once what it stands on was read again", async () => {
    for (let seed = 1; seed <= WORLDS / 2; seed += 1) {
      const story = new Story(seed);
      const { world, viewer } = story;
      for (let left = STEPS; left > 0; left -= 1) await story.step();
      world.lag = 0;
      await viewer.read();
      const kept = story.kept.view(world.slot);
      if (!kept) continue;
      const duties = kept.audits.map((audit): Duty => ({ kind: "closeAudit", key: "", audit }));
      await viewer.confirm(duties, world.slot);
      const after = story.kept.view(world.slot);
      const { audits } = world.view();
      for (const one of after?.audits ?? []) {
        const real = audits.find(({ address }) => address.equals(one.address));
        expect(one, `world ${seed}`).to.deep.equal(real);
      }
    }
  });
});
