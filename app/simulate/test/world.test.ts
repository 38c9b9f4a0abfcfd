import { PRESET_TABLE, suggestedAppeal } from "../../cli/src/create/presets";
import { Engine, STRATEGY_NAMES, play } from "@securing-tasks/simulate";
import type { Group, RunResult, WorldOptions } from "@securing-tasks/simulate";
import { expect } from "chai";
import type { Ledger, TaskAccounts } from "@securing-tasks/client";
import { longestCase } from "@securing-tasks/client";
import { toJson } from "../../cli/src/output";
import { BYTECODE, group } from "./utils";

const BOUNTY = 1_000_000n;
const SEED = PRESET_TABLE.seed.rules(BOUNTY);
const STRICT = PRESET_TABLE.strict.rules(BOUNTY);
const PANEL = (() => {
  const rules = { ...STRICT, ...suggestedAppeal(STRICT), panelSeats: 5, quorumVotes: 1 };
  return { ...rules, leaveDelaySlots: longestCase(rules) };
})();

const worker = { role: "worker", stake: 50n * BOUNTY } as const;
const witness = { role: "witness", stake: 10n * BOUNTY } as const;

function run(groups: readonly Group[], given: Partial<WorldOptions> = {}): Promise<RunResult> {
  return play({ bytecode: BYTECODE, rules: SEED, groups, rounds: 3, seed: "a", ...given });
}

function of(result: RunResult, name: string) {
  const found = result.groups.find((one) => one.name === name);
  if (!found) throw new Error(`There is no group ${name}.`);
  return found;
}

describe("a simulated task", () => {
  it("plays every strategy by the rules of either preset and with a panel, and vault and ledger agree", async () => {
    const groups = STRATEGY_NAMES.flatMap((name) => [
      group(name, 2, { ...worker, name: `${name} at work` }),
      group(name, 1, { ...witness, name: `${name} looking on` }),
    ]);
    for (const rules of [SEED, STRICT, PANEL]) {
      const result = await run(groups, { rules });
      expect(result.task.audits, rules.voteWeight).to.be.above(10);
      expect(result.task.goodWork + result.task.badWork).to.be.above(40);
      expect(result.task.goodConvicted + result.task.badConvicted).to.be.above(0);
    }
  });

  it("ends with an error where vault and ledger differ by one unit", async () => {
    const { ledger } = Engine.prototype as { ledger: (this: Engine, of: TaskAccounts) => Ledger };
    const groups = [group("honest", 1, worker)];
    try {
      Engine.prototype.ledger = function (accounts) {
        const found = ledger.call(this, accounts);
        return { ...found, vault: found.vault + 1n };
      };
      const failure: unknown = await run(groups).catch((error: unknown) => error);
      expect(String(failure)).to.match(/The ledger of task \w+ says \d+ and its vault holds \d+:/);
    } finally {
      Engine.prototype.ledger = ledger;
    }
  });

  it("is the same again by its seed, and another by another", async () => {
    const groups = [
      group("honest", 4, { ...worker, faulty: 0.3, checkError: 0.05 }),
      group("convictingCartel", 3, witness),
      group("shirker", 2, worker),
    ];
    const [first, again, other] = [
      await run(groups, { rules: PANEL }),
      await run(groups, { rules: PANEL }),
      await run(groups, { rules: PANEL, seed: "b" }),
    ];
    expect(toJson(again)).to.equal(toJson(first));
    expect(toJson({ ...other, seed: first.seed })).not.to.equal(toJson(first));
  });

  it("convicts bad work and no other where all are honest and one shirks, and the shirker loses", async () => {
    const result = await run([
      group("honest", 6, worker, { sample: 1 }),
      group("honest", 4, { ...witness, name: "witnesses" }, { sample: 1 }),
      group("shirker", 1, worker, { shirk: 1 }),
    ]);
    const { goodWork, goodConvicted, badWork, badConvicted, bountyForBad, audits } = result.task;
    // Malice takes all: it is no worker any more after its first work.
    expect({ goodWork, goodConvicted, badWork, badConvicted, bountyForBad, audits }).to.deep.equal({
      ...{ goodWork: 18, goodConvicted: 0, badWork: 1, badConvicted: 1 },
      ...{ bountyForBad: 0n, audits: 1 },
    });
    expect(of(result, "shirker").lost).to.equal(worker.stake);
    // 5 % of the slash are the pool's, with what divisions leave over.
    expect(of(result, "honest").shares + of(result, "witnesses").shares).to.equal(
      worker.stake - result.task.poolGain,
    );
    // In the first round the convicted's part is nobody's.
    expect(of(result, "honest").bounties).to.equal(6n * (BOUNTY / 7n) + 2n * 6n * (BOUNTY / 6n));
  });

  it("shows that more witness heads than the honest have rob every worker by the preset `seed`, and fewer do not", async () => {
    const stakes = { worker: SEED.workerMinStake, witness: SEED.witnessMinStake };
    const played = (heads: number): Promise<RunResult> =>
      run([
        group("honest", 6, { role: "worker", stake: stakes.worker }),
        group(
          "convictingCartel",
          heads,
          { role: "witness", stake: stakes.witness },
          { accusations: 6 },
        ),
      ]);
    const robbed = await played(8);
    expect(of(robbed, "honest").lost).to.equal(6n * 20n * BOUNTY);
    expect(of(robbed, "convictingCartel").net > 6n * 10n * BOUNTY).to.be.true;
    const failed = await played(3);
    expect(failed.task.goodConvicted).to.equal(0);
    expect(of(failed, "convictingCartel").net < 0n).to.be.true;
  });

  it("pays the honest alone where nobody is accused, and nobody who only watches", async () => {
    const result = await run([group("honest", 3, worker), group("lazyValid", 1, witness)]);
    expect(result.task).to.include({ audits: 0, auditFees: 0n });
    // Work, claim and closing of each in each round, and closing of the round.
    expect(of(result, "honest").fees).to.equal(5_000n * (3n * 3n * 3n + 3n));
    expect(of(result, "lazyValid")).to.include({ net: 0n, fees: 0n, shares: 0n });
    expect(of(result, "honest").bounties).to.equal(3n * BOUNTY - 3n * (BOUNTY % 3n));
  });

  it("shows a strategy what the program refused it, by name", async () => {
    const seen: string[] = [];
    const griefer = group("griefer", 1, witness, { accusations: 1 });
    const { make } = griefer;
    const result = await run([
      group("honest", 3, worker),
      {
        ...griefer,
        stake: SEED.witnessMinStake,
        make: () => {
          const mind = make();
          return {
            accuse: (view) => {
              seen.push(...view.refused.keys());
              return mind.accuse?.(view) ?? [];
            },
          };
        },
      },
    ]);
    // After the first lost bond it is below its role's minimum.
    expect(of(result, "griefer")).to.deep.include({
      lost: SEED.initiatorBond,
      refused: { stakeTooRecent: 2 },
    });
    expect(seen).to.deep.equal(["stakeTooRecent"]);
  });
});
