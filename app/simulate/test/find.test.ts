import { findCheapest, spread, summarize } from "@securing-tasks/simulate";
import type { Group, GroupResult, RunResult } from "@securing-tasks/simulate";
import { expect } from "chai";
import { group } from "./utils";

const GROUPS = [
  group("honest", 40, { role: "worker", stake: 100n }),
  group("convictingCartel", 3, { role: "witness", stake: 50n }),
];

function result(groups: readonly Group[], net: (count: number) => bigint): RunResult {
  const zero = { bounties: 0n, shares: 0n, lost: 0n, work: 0n, checks: 0n, fees: 0n, rent: 0n };
  return {
    ...{ seed: "a", rounds: 2 },
    groups: groups.map(({ name, strategy, count, stake }): GroupResult => ({
      ...zero,
      ...{ name, strategy, nodes: count, stake: BigInt(count) * stake, refused: { votingOver: 1 } },
      ...{ net: net(count), returnPerRound: Number(net(count)) / 100 },
    })),
    task: {
      ...{ goodWork: 10, goodConvicted: 1, badWork: 0, badConvicted: 0, audits: 4, noVerdict: 1 },
      ...{ bounty: 100n, bountyForBad: 25n, checks: 9n, auditFees: 10n, poolGain: 0n },
    },
  };
}

describe("the search for the cheapest attack", () => {
  const search = async (gains: number) => {
    const tried: number[] = [];
    const found = await findCheapest(GROUPS, "convictingCartel", (groups) => {
      tried.push(groups.at(-1)?.count ?? 0);
      return Promise.resolve([result(groups, (count) => (count >= gains ? 7n : -3n))]);
    });
    return { found, tried };
  };

  for (const gains of [1, 2, 3, 21, 64, 65, 160]) {
    it(`finds ${gains}, in few runs`, async () => {
      const { found, tried } = await search(gains);
      expect(found).to.deep.equal({
        ...{ group: "convictingCartel", heads: gains, tried: 160, net: 7n },
        ...{ stake: BigInt(gains) * 50n, others: { heads: 40, stake: 4_000n } },
      });
      expect(tried.length).to.be.at.most(16);
    });
  }

  it("says so where nothing gains", async () => {
    const { found } = await search(161);
    expect(found).to.include({ heads: null, tried: 160, stake: 8_000n, net: -3n });
  });
});

describe("a summary", () => {
  it("has means and spread over seeds, and no share of nothing", () => {
    const runs = [result(GROUPS, () => 10n), { ...result(GROUPS, () => -13n), seed: "b" }];
    const { groups, task, seeds } = summarize(runs);
    expect(seeds).to.deep.equal(["a", "b"]);
    expect(groups[0]).to.deep.include({ net: -2n, refused: { votingOver: 2 }, nodes: 40 });
    expect(groups[0]?.returnPerRound.mean).to.be.closeTo(-0.015, 1e-12);
    expect(groups[0]?.returnPerRound.deviation).to.be.closeTo(0.23 / Math.SQRT2, 1e-12);
    expect(task).to.deep.equal({
      ...{ badConvicted: null, goodConvicted: 0.1, bountyForBad: 0.25, audits: 8, noVerdict: 2 },
      ...{ checksPerRound: 4n, auditFeesPerRound: 5n },
    });
    expect(spread([5])).to.deep.equal({ mean: 5, deviation: 0 });
  });
});
