import type { Audit } from "@securing-tasks/client";
import { isSeated, weightOn } from "@securing-tasks/client";
import { expect } from "chai";
import type { Crew } from "./fleet";
import { Fleet } from "./fleet";
import type { Host } from "./host";

/** A round is long enough for an audit without an appeal. */
const RULES = `
  roundWindow: 1100 slots
  submissionWindow: 100 slots
  auditWindow: 300 slots
  commitWindow: 528 slots
  revealWindow: 120 slots
  leaveDelay: 2300 slots
  appealWindow: 200 slots
  appealBond: 20000
  panelSeats: 5
  workerStake: 300000
  witnessStake: 100000
  bounty: 600000
  bond: 10000
  voteDeposit: 1000
  quorumVotes: 1
  quorumStake: 1000 bp
  downtimeSlash: 1000 bp
  maliceSlash: 5000 bp
  initiatorBonus: 3000 bp
  poolShare: 1000 bp
  voteWeight: node
  reward: all
`;

/**
 * The initiator has half of the stake and no vote, two witnesses have more than a fifth each, and so a seat for sure. Of the others hardly
 * any is drawn: enough are left to turn what the panel says.
 */
const CREW: readonly Crew[] = [
  {
    ...{ name: "initiator", role: "worker", stake: 10_000_000n },
    settings: { samples: 2 },
  },
  // Who knows that its host lies does not pay for an appeal.
  { name: "liar", role: "worker", stake: 350_000n, settings: { appeal: false } },
  { name: "dark", role: "worker", stake: 350_000n },
  { name: "heavy-1", role: "witness", stake: 4_000_000n },
  { name: "heavy-2", role: "witness", stake: 4_000_000n },
  ...Array.from({ length: 7 }, (_, at): Crew => ({
    name: `light-${at + 1}`,
    role: "witness",
    stake: 100_000n,
  })),
];
/** All that may vote on either: not the accused, nor the initiator. */
const VOTERS = CREW.length - 2;

describe("twelve daemons with a panel of five", () => {
  let fleet: Fleet;
  /** As they ended. */
  let lied: Audit;
  let darkened: Audit;
  /** Who asked for the liar's and the dark one's work until the first counts were over, and for the dark one's after the appeal. */
  let askedLiar: readonly string[];
  let askedDark: readonly string[];
  let askedAgain: readonly string[];

  before("play a conviction, and another that an appeal turns, by themselves", async () => {
    fleet = await Fleet.start({
      crew: CREW,
      rules: RULES,
      pool: 20_000_000n,
      timeoutMs: 5_000,
      // What is closed could not be looked at in the end.
      settings: { samples: 0, chores: { close: false } },
    });
    await Promise.all(fleet.members.map(({ daemon }) => daemon.start()));
    const round = (await fleet.round()) + 1n;
    const [liar, dark] = [hostOf("liar"), hostOf("dark")];
    await fleet.reach(round);
    liar.guard();
    dark.guard();
    liar.lie();
    dark.hangUp();
    const began = performance.now();

    const audits = await until(async () => {
      const all = await fleet.client.ofTask("audit", fleet.task.address);
      const two = ["liar", "dark"].map((name) => all.find((one) => isOf(one, name)));
      return two.every((one) => one !== undefined) ? two : null;
    });
    const [first, second] = audits as [Audit, Audit];
    // Each misbehaves for as long as anybody of its panel looks. Whoever looks later finds it well.
    const behave = async (host: Host, { revealSlot }: Audit): Promise<number> => {
      await fleet.chain.waitForSlot(revealSlot);
      const ended = performance.now();
      await host.behave();
      return ended;
    };
    const [liarEnded, darkEnded] = await Promise.all([behave(liar, first), behave(dark, second)]);
    await until(async () => (await now(second)).appealSlot > 0n);
    [lied, darkened] = await Promise.all(
      [first, second].map((one) =>
        until(async () => {
          const found = await now(one);
          return found.outcome !== "open" && found;
        }),
      ) as [Promise<Audit>, Promise<Audit>],
    );
    askedLiar = whoAsked(liar, began, liarEnded);
    askedDark = whoAsked(dark, began, darkEnded);
    askedAgain = whoAsked(dark, darkEnded, Infinity);
    // Shares are claimed, and the ledger stands.
    await until(async () =>
      [await now(lied), await now(darkened)].every((one) => one.unclaimed === 0),
    );
    await Promise.all(fleet.members.map(({ daemon }) => daemon.stop()));
  });

  after(async () => {
    // Not there when it could not start.
    await (fleet as Fleet | undefined)?.close();
  });

  it("draw two panels, and ask nobody else for a verdict", async () => {
    for (const [audit, asked] of [
      [lied, askedLiar],
      [darkened, askedDark],
    ] as const) {
      const seated = await seatedIn(audit);
      expect(seated).to.include.members(["heavy-1", "heavy-2"]);
      expect(seated.length, "seats").to.be.below(VOTERS);
      // All who judge must look, and the initiator did before.
      expect([fleet.nameOf(audit.initiator), ...seated]).to.include.members([...asked]);
    }
    // All who judge the dark one must ask it; what the liar signed is brought to whoever judges that.
    expect(askedDark).to.have.members(["initiator", ...(await seatedIn(darkened))]);
    const lines = (msg: string): number =>
      fleet.members.flatMap(({ daemon }) => daemon.lines).filter((line) => line.msg === msg).length;
    expect([lines("draw"), lines("appeal")]).to.deep.equal([2, 1]);
  });

  it("convict the liar by the panel alone", async () => {
    expect([lied.outcome, lied.appealSlot]).to.deep.equal(["convictedMalice", 0n]);
    const voters = await votersOf(lied);
    expect(voters).to.have.members(await seatedIn(lied));
  });

  it("acquit the one that was dark for the panel, once it appeals and all others look", async () => {
    expect([darkened.firstOutcome, darkened.outcome]).to.deep.equal([
      "convictedDowntime",
      "acquitted",
    ]);
    expect(darkened.appellant && fleet.nameOf(darkened.appellant)).to.equal("dark");
    const seated = await seatedIn(darkened);
    const { votes } = darkened;
    expect([votes.downtime.nodes, votes.malice.nodes]).to.deep.equal([seated.length + 1, 0]);
    expect(votes.valid.nodes).to.equal(VOTERS - seated.length);
    // Whoever samples goes on with that.
    const others = CREW.map(({ name }) => name).filter(
      (name) => !["initiator", "dark", ...seated].includes(name),
    );
    expect(askedAgain.filter((name) => name !== "initiator")).to.have.members(others);
  });

  it("lose nothing by it but what the rules take, and reveal every vote", async () => {
    for (const member of fleet.members) {
      const { votesUnrevealed, bonds, commitments } = await fleet.node(member);
      expect([votesUnrevealed, bonds, commitments], member.name).to.deep.equal([0, 0n, 0]);
    }
    const stakeOf = async (name: string): Promise<bigint> =>
      (await fleet.node(fleet.member(name))).stake;
    expect(await stakeOf("dark")).to.equal(350_000n);
    expect(await stakeOf("liar")).to.equal(175_000n);
    // Its accusation of the dark one failed.
    expect(await stakeOf("initiator")).to.equal(9_990_000n);
    await fleet.audited(await fleet.events());
  });

  const now = ({ address }: Audit): Promise<Audit> => fleet.client.fetch("audit", address);
  const isOf = ({ accused }: Audit, name: string): boolean => fleet.nameOf(accused) === name;

  function hostOf(name: string): Host {
    const { host } = fleet.member(name);
    if (!host) throw new Error(`${name} has no host.`);
    return host;
  }

  /** Asks at every slot until there is an answer. */
  async function until<T>(ask: () => Promise<T | null | false>): Promise<T> {
    for (;;) {
      const answer = await ask();
      if (answer !== null && answer !== false) return answer;
      await fleet.chain.waitForSlot((await fleet.chain.slot()) + 5n);
    }
  }

  /** Names of those who may vote and have a seat, by what the chain says. */
  async function seatedIn(audit: Audit): Promise<readonly string[]> {
    const { seed } = audit;
    if (!seed) throw new Error("No panel was drawn.");
    const seated = await Promise.all(
      fleet.members.map(async (member) => {
        const { owner } = member;
        const node = await fleet.node(member);
        const weight = weightOn(node, fleet.task.rules, audit.submissionSlot);
        const isParty = [audit.accused, audit.initiator].some((one) => one.equals(owner.publicKey));
        return !isParty && isSeated(seed, owner.publicKey, weight, audit) ? [member.name] : [];
      }),
    );
    return seated.flat();
  }

  async function votersOf({ address }: Audit): Promise<readonly string[]> {
    return (await fleet.client.votesIn(address)).map(({ owner }) => fleet.nameOf(owner));
  }

  /** Names of those who asked a host for its work in this time. */
  function whoAsked({ asked }: Host, from: number, to: number): readonly string[] {
    const operators = asked
      .filter(({ at, operator }) => from <= at && at < to && operator !== null)
      .map(({ operator }) => operator);
    return fleet.members
      .filter(({ operator }) => operators.includes(operator.publicKey.toBase58()))
      .map(({ name }) => name);
  }
});
