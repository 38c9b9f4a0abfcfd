import { Game } from "@securing-tasks/demo/game";
import type { Seat } from "@securing-tasks/demo/game";
import { expect } from "chai";
import { RULES, claimAll, lockedShares, workers } from "./utils/games";
import { localnet } from "./utils/validator";

describe("an audit with 30 voters", () => {
  it("weighs them by stake, pays the majority in proportion, and loses no unit", async () => {
    // Uneven stakes, so that every share is floored.
    const voters = Array.from({ length: 30 }, (_, index): Seat => ({
      name: `voter ${index}`,
      role: index % 2 === 0 ? "witness" : "worker",
      stake: 2_017n + 13n * BigInt(index),
    }));
    const game = await Game.start({
      chain: localnet(),
      currency: "token",
      rules: {
        ...RULES,
        voteWeight: "stake",
        rewardRule: "majority",
        quorumVotes: 24,
        roundSlots: 360n,
        submissionSlots: 60n,
        auditSlots: 60n,
        revealSlots: 300n,
        leaveDelaySlots: 420n,
      },
      seats: [...workers(1_000_003n, "accused"), ...workers(3_001n, "initiator"), ...voters],
      pool: 0n,
    });
    const work = await game.submit("accused", await game.round());
    const audit = await game.accuse("initiator", work, "malice");
    // Every fifth finds nothing wrong.
    const opinions = voters.map(({ name }, index) => ({
      name,
      opinion: index % 5 === 4 ? ("valid" as const) : ("malice" as const),
    }));
    for (const { name, opinion } of opinions) await game.vote(name, audit, opinion);

    const resolved = await game.resolve(audit);
    expect(resolved.outcome).to.equal("convictedMalice");
    expect(resolved.votes.valid.nodes).to.equal(6);
    expect(resolved.votes.malice.nodes).to.equal(25);
    expect(resolved.unclaimed).to.equal(30);
    await claimAll(game, audit);

    const [slash, bonus, pot] = [500_001n, 150_000n, 300_000n];
    const guilty = opinions.filter(({ opinion }) => opinion === "malice");
    const weight = (name: string): bigint => game.player(name).stake;
    const whole = guilty.reduce((sum, { name }) => sum + weight(name), weight("initiator"));
    const share = (name: string): bigint => (pot * weight(name)) / whole;
    const expected: Record<string, bigint> = {
      accused: 0n,
      initiator: bonus + share("initiator"),
    };
    for (const { name, opinion } of opinions) {
      expected[name] = opinion === "malice" ? share(name) : 0n;
    }
    expect(await lockedShares(game)).to.deep.equal(expected);
    const shared = Object.values(expected).reduce((sum, amount) => sum + amount, 0n);
    expect((await game.ledger()).pool).to.equal(slash - shared);

    const end = await game.end();
    expect([end.total, end.vault]).to.deep.equal([0n, 0n]);
  });
});
