import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PROGRAM_ID, SecuringTasksClient, WRAPPED_SOL, taskAddress } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { judge, ruleFaults, splitSlash, warnings } from "../src/create/economics";
import { PRESETS, PRESET_TABLE, SUGGESTED_SEATS, suggestedAppeal } from "../src/create/presets";

const BYTECODE = join(__dirname, "../../../target/deploy/securing_tasks.so");
/** From none, over all where something could floor to zero, to the largest that stakes let be. */
const BOUNTIES = [
  ...Array.from({ length: 25 }, (_, bounty) => BigInt(bounty)),
  1_000_000n,
  1_000_000_000n,
  3n * 10n ** 17n,
];

describe("presets", () => {
  it("are taken by the program as they are, for small and large bounties", async () => {
    const chain = EmbeddedChain.start([{ id: PROGRAM_ID, bytecode: await readFile(BYTECODE) }]);
    const creator = Keypair.generate();
    await chain.fund(creator.publicKey, 1_000_000_000_000n);
    const client = new SecuringTasksClient(chain.provider(creator));
    let id = 0n;
    for (const name of PRESETS) {
      for (const bounty of BOUNTIES) {
        const preset = PRESET_TABLE[name].rules(bounty);
        // With a panel and appeals every other time, as they are suggested.
        const suggested = { panelSeats: SUGGESTED_SEATS, ...suggestedAppeal(preset) };
        const rules = id % 2n === 0n ? preset : { ...preset, ...suggested };
        id += 1n;
        const own = {
          task: taskAddress(creator.publicKey, id),
          mint: WRAPPED_SOL.address,
          group: null,
        };
        expect(ruleFaults(rules, bounty === 0n, own)).to.deep.equal([]);
        await client
          .createTask({
            creator: creator.publicKey,
            id,
            mint: WRAPPED_SOL,
            rules,
            allowLargeStake: bounty === 0n,
            auditFunction: { hash: new Uint8Array(32).fill(1), uri: "ipfs://audit" },
          })
          .rpc();
        const task = await client.fetch("task", taskAddress(creator.publicKey, id));
        expect(task.rules).to.deep.equal(rules);
      }
    }
  });

  const { seed, strict } = PRESET_TABLE;
  const bounty = 1_000_000n;

  it("seed: the initiator gets the larger portion, whoever votes, and everybody who votes gets some", () => {
    const rules = seed.rules(bounty);
    const { workerMinStake: accusedStake, witnessMinStake: stake } = rules;
    for (const voters of [3, 5, 30]) {
      const votes = Array.from({ length: voters }, (_, index) => ({
        // The last one is of another opinion.
        opinion: index === voters - 1 ? ("valid" as const) : ("malice" as const),
        stake,
      }));
      const { outcome, slash, initiatorGain, shares } = judge(rules, {
        accusedStake,
        accusation: "malice",
        initiatorStake: stake,
        votes,
      });
      expect(outcome).to.equal("convictedMalice");
      expect(slash).to.equal(accusedStake);
      expect(shares.every((share) => share > 0n && share < initiatorGain)).to.be.true;
    }
  });

  it("strict: votes are secret, weigh the stake, and only the majority is rewarded", () => {
    const rules = strict.rules(bounty);
    expect(rules).to.include({ voteWeight: "stake", rewardRule: "majority" });
    expect(rules.commitSlots > 0n).to.be.true;
    // The most there can be.
    expect(rules.quorumBps).to.equal(5_000);
    expect(seed.rules(bounty).quorumBps).to.be.below(5_000);
    expect(rules.quorumVotes).to.be.above(seed.rules(bounty).quorumVotes);
  });

  it("make accusing worth its bond, and lying dearer than accidents", () => {
    for (const name of PRESETS) {
      const rules = PRESET_TABLE[name].rules(bounty);
      const slash = (rules.workerMinStake * BigInt(rules.downtimeBps)) / 10_000n;
      expect(splitSlash(slash, rules).bonus >= rules.initiatorBond, name).to.be.true;
      expect(rules.maliceBps, name).to.be.above(rules.downtimeBps);
      expect(warnings(rules).join(), name).not.to.match(/overly large|copy|dare|low/);
    }
  });
});
