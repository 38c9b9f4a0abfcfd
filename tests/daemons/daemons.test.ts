import type { Audit, Submission } from "@securing-tasks/client";
import { isConvicted } from "@securing-tasks/client";
import { expect } from "chai";
import type { Member } from "./fleet";
import { Fleet } from "./fleet";

const RULES = `
  roundWindow: 420 slots
  submissionWindow: 100 slots
  auditWindow: 200 slots
  commitWindow: 90 slots
  revealWindow: 90 slots
  leaveDelay: 500 slots
  workerStake: 1000000
  witnessStake: 500000
  bounty: 600000
  bond: 10000
  voteDeposit: 1000
  quorumVotes: 2
  quorumStake: 3000 bp
  downtimeSlash: 1000 bp
  maliceSlash: 5000 bp
  initiatorBonus: 3000 bp
  poolShare: 1000 bp
  voteWeight: node
  reward: all
`;
const BOUNTY = 600_000n;
const POOL = 20_000_000n;

/** Rounds in which a host begins to misbehave. */
const LIES_FROM = 3n;
const DARK_FROM = 5n;
const LAST = 6n;

describe("five daemons", () => {
  let fleet: Fleet;
  let killed: Member;
  let audits: Audit[];
  let submissions: Submission[];

  before("play seven rounds by themselves", async () => {
    // Either slash leaves less than the minimum stake: each misbehaves for one round only.
    fleet = await Fleet.start({
      crew: [
        { name: "honest", role: "worker", stake: 3_000_000n },
        { name: "liar", role: "worker", stake: 1_500_000n },
        { name: "dark", role: "worker", stake: 1_050_000n },
        { name: "witness-1", role: "witness", stake: 700_000n },
        { name: "witness-2", role: "witness", stake: 900_000n },
      ],
      rules: RULES,
      pool: POOL,
      // What is closed could not be looked at in the end.
      settings: { chores: { close: false } },
    });
    await Promise.all(fleet.members.map(({ daemon }) => daemon.start()));
    expect(Number(await fleet.round()), "round in which all run").to.be.at.most(1);

    // Killed while its work is on its way.
    const honest = fleet.member("honest").daemon;
    await fleet.reach(2n);
    await honest.next(({ msg, key }) => msg === "transaction sent" && isOf(key, "submit"));
    await honest.kill();
    await honest.start();

    await fleet.reach(LIES_FROM);
    fleet.member("liar").host?.lie();
    // Killed when its vote is committed, and gone until votes are revealed. The initiator commits to nothing, and a worker that is gone
    // for so long would be found dark.
    const witnesses = fleet.members.filter(({ role }) => role === "witness");
    killed = await Promise.race(
      witnesses.map(async (member) => {
        await member.daemon.next(({ msg }) => msg === "commit");
        return member;
      }),
    );
    await killed.daemon.kill();
    await fleet.reach(LIES_FROM, 250n);
    await killed.daemon.start();

    // The chain itself is gone for a while, in the middle of a submission window.
    await fleet.reach(4n, 10n);
    await fleet.validator.restart();

    await fleet.reach(DARK_FROM);
    await fleet.member("dark").host?.goDark();

    await fleet.reach(LAST, 200n);
    for (;;) {
      submissions = await fleet.client.ofTask("submission", fleet.task.address);
      submissions = submissions.filter(({ round }) => round <= LAST);
      if (submissions.every(({ paid, status }) => paid || isConvicted({ status }))) break;
      await fleet.chain.waitForSlot((await fleet.chain.slot()) + 5n);
    }
    await Promise.all(fleet.members.map(({ daemon }) => daemon.stop()));
    audits = await fleet.client.ofTask("audit", fleet.task.address);
  });

  after(async () => {
    // Not there when it could not start.
    await (fleet as Fleet | undefined)?.close();
  });

  it("submit each round once, whatever was killed", () => {
    const rounds = (name: string): bigint[] =>
      submissions
        .filter(({ owner }) => fleet.nameOf(owner) === name)
        .map(({ round }) => round)
        .sort((a, b) => Number(a - b));
    expect(rounds("honest").filter((round) => round >= 2n)).to.deep.equal([2n, 3n, 4n, 5n, 6n]);
    expect(rounds("liar").filter((round) => round >= 2n)).to.deep.equal([2n, 3n]);
    expect(rounds("dark").filter((round) => round >= 2n)).to.deep.equal([2n, 3n, 4n, 5n]);
  });

  it("convict the liar of malice, the dark one of downtime, and accuse nobody else", () => {
    const verdicts = audits.map(({ accused, outcome, submission }) => ({
      accused: fleet.nameOf(accused),
      outcome,
      round: submissions.find(({ address }) => address.equals(submission))?.round,
    }));
    const liar = { accused: "liar", outcome: "convictedMalice", round: LIES_FROM };
    const dark = { accused: "dark", outcome: "convictedDowntime", round: DARK_FROM };
    // Two may accuse before either sees the other's audit, and no more than two: all of them heard the liar.
    const [lies, silences] = [liar, dark].map(({ accused }) =>
      verdicts.filter((verdict) => verdict.accused === accused),
    );
    expect(verdicts).to.have.deep.members([...(lies ?? []), ...(silences ?? [])]);
    expect(lies).to.deep.include(liar).and.to.have.length.within(1, 2);
    expect(silences).to.deep.include(dark).and.to.have.length.within(1, 2);
    expect(new Set(verdicts.map(({ outcome, round }) => `${outcome} ${round}`)).size).to.equal(2);
  });

  it("reveal every vote, though one was killed after its commitment", async () => {
    for (const member of fleet.members) {
      expect((await fleet.node(member)).votesUnrevealed, member.name).to.equal(0);
    }
    const malice = audits.filter(({ outcome }) => outcome === "convictedMalice");
    const votes = malice.map(({ address }) => fleet.client.votesIn(address));
    const voters = (await Promise.all(votes)).flat();
    expect(voters.map(({ owner }) => fleet.nameOf(owner))).to.include(killed.name);
  });

  it("end with what a hand-kept ledger says, in the vault and in the wallets", async () => {
    const { gains, pool } = await ledger(fleet, audits, submissions);
    await fleet.audited(await fleet.events());
    const rounds = await fleet.client.ofTask("round", fleet.task.address);
    const task = await fleet.client.fetch("task", fleet.task.address);
    // What a convicted worker would have earned stays in its round until somebody closes it.
    const left = rounds.reduce((sum, one) => sum + one.left, task.pool);
    expect(left, "pool and what is left of rounds").to.equal(pool);

    const { members } = fleet;
    const address = fleet.task.address.toBase58();
    for (const { ownerFile } of members)
      await fleet.cli(ownerFile, ["node", "leave", address, "--all"]);
    await fleet.chain.waitForSlot((await fleet.chain.slot()) + fleet.task.rules.leaveDelaySlots);
    for (const member of members) {
      await fleet.cli(member.ownerFile, ["node", "withdraw", address]);
      const gain = (await fleet.wallet(member)) - member.wallet;
      expect(gain, member.name).to.equal(gains.get(member));
    }
  });
});

/** What everybody gains or loses, by the rules above and who did what. */
async function ledger(
  fleet: Fleet,
  audits: readonly Audit[],
  submissions: readonly Submission[],
): Promise<{ readonly gains: ReadonlyMap<Member, bigint>; readonly pool: bigint }> {
  const gains = new Map(fleet.members.map((member) => [member, 0n]));
  const gain = (name: string, amount: bigint): void => {
    const member = fleet.member(name);
    gains.set(member, (gains.get(member) ?? 0n) + amount);
  };
  let pool = POOL;

  // A round's bounty is shared by all that submitted; a convicted one's part goes back.
  for (const round of new Set(submissions.map(({ round }) => round))) {
    const all = submissions.filter((one) => one.round === round);
    const part = BOUNTY / BigInt(all.length);
    for (const { owner, status } of all) {
      if (isConvicted({ status })) continue;
      gain(fleet.nameOf(owner), part);
      pool -= part;
    }
  }

  // One submission is slashed once for one fault: only the first verdict on it moves money.
  const first = audits.filter(
    (audit) =>
      !audits.some((one) => one.submission.equals(audit.submission) && one.attempt < audit.attempt),
  );
  for (const audit of first) {
    const guilty = fleet.nameOf(audit.accused);
    // Half of 1,500,000 for malice; a tenth of 1,050,000 for downtime.
    const slash = guilty === "liar" ? 750_000n : 105_000n;
    const bonus = (slash * 3n) / 10n;
    const toPool = slash / 10n;
    const voters = (await fleet.client.votesIn(audit.address)).map(({ owner }) => owner);
    const all = [...voters, audit.initiator].map((owner) => fleet.nameOf(owner));
    const share = (slash - bonus - toPool) / BigInt(all.length);
    gain(guilty, -slash);
    gain(fleet.nameOf(audit.initiator), bonus);
    for (const name of all) gain(name, share);
    pool += slash - bonus - share * BigInt(all.length);
  }
  return { gains, pool };
}

function isOf(key: unknown, kind: string): boolean {
  return typeof key === "string" && key.startsWith(kind);
}
