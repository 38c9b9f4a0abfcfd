import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AccountKind, Accusation, Opinion, TaskRules } from "@securing-tasks/client";
import {
  ACCOUNT_BYTES,
  PROGRAM_ID,
  SecuringTasksClient,
  WRAPPED_SOL,
  allowEntryAddress,
  explain,
  nodeAddress,
  rentOf,
  roundAddress,
  taskAddress,
  vaultAddress,
  voteAddress,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Game } from "@securing-tasks/demo/game";
import type { PublicKey } from "@solana/web3.js";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { RULES, claimAll, witnesses, workers } from "../../../tests/utils/games";
import { refusal } from "../../../tests/utils/refusal";
import type { Ballot } from "../src/create/economics";
import {
  bountyShare,
  judge,
  longestCase,
  poolLasts,
  roundsAtRisk,
  ruleFaults,
  timeline,
  transactionFee,
  warnings,
} from "../src/create/economics";

const BYTECODE = join(__dirname, "../../../target/deploy/securing_tasks.so");

async function chain(): Promise<EmbeddedChain> {
  return EmbeddedChain.start([{ id: PROGRAM_ID, bytecode: await readFile(BYTECODE) }]);
}

function start(rules: TaskRules): Promise<Game> {
  return chain().then((embedded) =>
    Game.start({
      chain: embedded,
      currency: "token",
      rules,
      // Odd stakes, so that every division leaves something over.
      seats: [
        ...workers(3_333n, "Mallory"),
        ...witnesses(2_017n, "Alice"),
        ...witnesses(1_511n, "Bob"),
        ...witnesses(1_213n, "Carol"),
        ...witnesses(1_709n, "Dave"),
      ],
      pool: 5_000n,
    }),
  );
}

const STAKES: Readonly<Record<string, bigint>> = { Bob: 1_511n, Carol: 1_213n, Dave: 1_709n };

describe("economics against the program", () => {
  const byStake = { ...RULES, voteWeight: "stake" } as const;
  const majority = { ...RULES, rewardRule: "majority" } as const;
  const cases: readonly [
    title: string,
    rules: TaskRules,
    accusation: Accusation,
    opinions: readonly [Opinion, Opinion, Opinion],
    outcome: string,
  ][] = [
    ["all agree on malice", RULES, "malice", ["malice", "malice", "malice"], "convictedMalice"],
    ["three of four for malice", RULES, "malice", ["malice", "valid", "malice"], "convictedMalice"],
    [
      "malice is no majority",
      RULES,
      "malice",
      ["downtime", "downtime", "malice"],
      "convictedDowntime",
    ],
    ["a tie", RULES, "downtime", ["downtime", "valid", "valid"], "noVerdict"],
    ["an acquittal", RULES, "malice", ["valid", "valid", "valid"], "acquitted"],
    ["conviction by stake", byStake, "malice", ["malice", "valid", "malice"], "convictedMalice"],
    ["acquittal by stake", byStake, "malice", ["valid", "valid", "valid"], "acquitted"],
    ["majority rewarded", majority, "malice", ["malice", "valid", "malice"], "convictedMalice"],
    ["majority of an acquittal", majority, "downtime", ["valid", "valid", "valid"], "acquitted"],
    [
      "by stake for the majority, most to the voters",
      {
        ...byStake,
        rewardRule: "majority",
        initiatorBonusBps: 777,
        poolBps: 123,
        maliceBps: 9_999,
      },
      "malice",
      ["malice", "valid", "downtime"],
      "convictedMalice",
    ],
  ];
  for (const [title, rules, accusation, opinions, outcome] of cases) {
    it(`judges as the program does: ${title}`, async () => {
      const game = await start(rules);
      const submission = await game.submit("Mallory", await game.round());
      const audit = await game.accuse("Alice", submission, accusation);
      const votes = Object.entries(STAKES).map(([name, stake], index): [string, Ballot] => [
        name,
        { opinion: opinions[index] ?? "valid", stake },
      ]);
      for (const [name, { opinion }] of votes) await game.vote(name, audit, opinion);
      const before = await game.ledger();
      const resolved = await game.resolve(audit);
      await claimAll(game, resolved);
      const after = await game.ledger();

      const judged = judge(rules, {
        accusedStake: 3_333n,
        accusation,
        initiatorStake: 2_017n,
        votes: votes.map(([, ballot]) => ballot),
      });
      expect(judged.outcome).to.equal(outcome);
      expect(resolved.outcome).to.equal(outcome);
      const held = async (name: string): Promise<bigint> => {
        const node = await game.node(name);
        return node.stake + node.locked + node.lockedNext + node.payable;
      };
      expect(await held("Mallory"), "accused").to.equal(3_333n - judged.slash + judged.accusedGain);
      expect(await held("Alice"), "initiator").to.equal(
        2_017n + judged.initiatorGain - judged.initiatorLoss,
      );
      for (const [index, [name, { stake }]] of votes.entries()) {
        expect(await held(name), name).to.equal(stake + (judged.shares[index] ?? 0n));
      }
      expect(after.task.pool - before.task.pool, "pool").to.equal(judged.pool);
    });
  }

  it("knows the quorum's edges, in votes and in stake", () => {
    const facts = { accusedStake: 1_000n, accusation: "malice", initiatorStake: 100n } as const;
    const vote = { opinion: "malice", stake: 100n } as const;
    const votes = (count: number) => Array.from({ length: count }, () => vote);
    expect(judge(RULES, { ...facts, votes: votes(2) }).outcome).to.equal("noVerdict");
    expect(judge(RULES, { ...facts, votes: votes(3) }).outcome).to.equal("convictedMalice");
    // 3,000 bp of 1,334 are 400.2: rounded up, 400 are not enough.
    const thin = { ...facts, votes: votes(3), eligibleStake: 1_334n };
    expect(judge(RULES, thin).outcome).to.equal("noVerdict");
    expect(judge(RULES, { ...thin, eligibleStake: 1_333n }).outcome).to.equal("convictedMalice");
  });

  it("pays bounties as the program does", async () => {
    const game = await Game.start({
      chain: await chain(),
      currency: "token",
      rules: RULES,
      seats: workers(2_000n, "A", "B", "C"),
      pool: 700n,
    });
    const round = await game.round();
    const names = ["A", "B", "C"];
    const submissions = [];
    for (const name of names) submissions.push(await game.submit(name, round));
    for (const submission of submissions) await game.claimBounty(submission);
    for (const name of names) {
      expect((await game.node(name)).payable).to.equal(bountyShare(500n, 3));
    }
    expect(poolLasts(700n, 500n)).to.deep.equal({ rounds: 1n, rest: 200n });
    const next = await game.submit("A", await game.round());
    const reserve = await game.client.fetch("round", roundAddress(game.task.address, next.round));
    expect(reserve.reserve).to.equal(200n);
  });

  it("knows rent of every account and fee of a transaction to the lamport", async () => {
    const gated: TaskRules = { ...RULES, witnessGate: { kind: "allowlist" } };
    const embedded = await chain();
    const game = await Game.start({
      chain: embedded,
      currency: "sol",
      rules: gated,
      seats: workers(3_000n, "Mallory", "Alice", "Bob"),
      pool: 1_000n,
    });
    const guest = Keypair.generate().publicKey;
    await game.allow(guest.toBase58(), "witness");
    const task = game.task.address;
    const submission = await game.submit("Mallory", await game.round());
    const audit = await game.accuse("Alice", submission, "downtime");
    await game.vote("Bob", audit, "valid");
    const bob = game.player("Bob").owner.publicKey;
    const addresses: Readonly<Record<AccountKind, PublicKey>> = {
      task,
      vault: vaultAddress(task),
      node: nodeAddress(task, bob),
      allowEntry: allowEntryAddress(task, "witness", guest),
      round: roundAddress(task, submission.round),
      submission: submission.address,
      audit: audit.address,
      vote: voteAddress(audit.address, bob),
    };
    for (const kind of Object.keys(ACCOUNT_BYTES) as AccountKind[]) {
      const account = await embedded.account(addresses[kind]);
      const rent = await embedded.rentMinimum(ACCOUNT_BYTES[kind]);
      // The vault of wrapped SOL holds the deposits too.
      const deposits = kind === "vault" ? (await game.ledger()).vault : 0n;
      expect(account?.data.length, kind).to.equal(ACCOUNT_BYTES[kind]);
      expect(rentOf(ACCOUNT_BYTES[kind])).to.equal(rent);
      expect(BigInt(account?.lamports ?? 0), kind).to.equal(rent + deposits);
    }
    const { fee } = await embedded.send(
      await game.client.pauseTask({ task, creator: game.creator.publicKey }).transaction(),
      [game.bank, game.creator],
    );
    expect(fee).to.equal(transactionFee(2));
  });

  it("refuses the rules that the program refuses, for the same reason, and no others", async () => {
    const embedded = await chain();
    const creator = Keypair.generate();
    await embedded.fund(creator.publicKey, 1_000_000_000_000n);
    const client = new SecuringTasksClient(embedded.provider(creator));
    const changes: readonly Partial<TaskRules>[] = [
      {},
      { quorumBps: 10_001 },
      { maliceBps: 10_001 },
      { initiatorBonusBps: 9_000, poolBps: 1_001 },
      { initiatorBonusBps: 9_000, poolBps: 1_000 },
      { initiatorBonusBps: 0 },
      { maliceBps: 0, downtimeBps: 0 },
      { maliceBps: 999 },
      { maliceBps: 1_000 },
      { initiatorBond: 0n },
      { quorumVotes: 0 },
      { roundSlots: 0n },
      { submissionSlots: 0n },
      { auditSlots: 0n },
      { revealSlots: 0n },
      { leaveDelaySlots: 78_840_001n },
      { leaveDelaySlots: 78_840_000n },
      { submissionSlots: 101n, leaveDelaySlots: 200n },
      { submissionSlots: 100n, leaveDelaySlots: 190n },
      { auditSlots: 61n, leaveDelaySlots: 200n },
      { auditSlots: 60n, leaveDelaySlots: 200n },
      { leaveDelaySlots: longestCase(RULES) - 1n },
      { workerMinStake: 0n },
      { witnessMinStake: 0n },
      { workerMinStake: 50_001n },
      { workerMinStake: 50_000n },
      { bountyPerRound: 0n },
      { voteDeposit: 0n, downtimeBps: 0, poolBps: 0, quorumBps: 0 },
    ];
    for (const [id, change] of changes.entries()) {
      const rules = { ...RULES, ...change };
      const [fault] = ruleFaults(rules, false);
      const sent = client
        .createTask({
          creator: creator.publicKey,
          id: BigInt(id),
          mint: WRAPPED_SOL,
          rules,
          auditFunction: { hash: new Uint8Array(32).fill(1), uri: "ipfs://audit" },
        })
        .rpc();
      const what = JSON.stringify(change, (_, value: unknown) =>
        typeof value === "bigint" ? value.toString() : value,
      );
      if (!fault) {
        await sent;
        expect(
          await client.find("task", taskAddress(creator.publicKey, BigInt(id))),
          what,
        ).not.to.equal(null);
      } else {
        expect(explain(await refusal(sent)).name, what).to.equal(fault.refusal);
      }
    }
  });

  it("lays the windows of a round end to end", () => {
    expect(timeline(RULES)).to.deep.equal([
      { what: "submission", from: 0n, until: 40n },
      { what: "audit", from: 0n, until: 90n },
      { what: "vote", from: 90n, until: 130n },
    ]);
    expect(timeline({ ...RULES, auditSlots: 20n, commitSlots: 30n }).slice(2)).to.deep.equal([
      { what: "commit", from: 60n, until: 90n },
      { what: "reveal", from: 90n, until: 130n },
    ]);
  });

  it("warns of stakes that are overly large, and says for how much pay a liar risks its stake", () => {
    expect(warnings(RULES).join()).not.to.include("overly large");
    expect(warnings({ ...RULES, workerMinStake: 60_000n }).join()).to.include(
      "120 rounds' bounties, which is overly large",
    );
    // Half of 2,000 against a third of 500 a round.
    expect(roundsAtRisk(RULES, 3)).to.equal(6n);
  });

  it("rounds a priority fee up", () => {
    expect(transactionFee(1)).to.equal(5_000n);
    expect(transactionFee(1, 100_000n, 11n)).to.equal(5_002n);
    expect(transactionFee(2, 200_000n, 5_000n)).to.equal(11_000n);
  });
});
