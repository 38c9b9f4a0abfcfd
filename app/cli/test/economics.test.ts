import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AccountKind, Accusation, Opinion, TaskRules } from "@securing-tasks/client";
import {
  ACCOUNT_BYTES,
  PROGRAM_ID,
  ArgumentError,
  SecuringTasksClient,
  WRAPPED_SOL,
  allowEntryAddress,
  explain,
  fetchMint,
  isSeated,
  longestCase,
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
import { RULES as GAME_RULES, claimAll, witnesses, workers } from "../../../tests/utils/games";
import { Minter } from "../../../tests/utils/minter";
import { refusal } from "../../../tests/utils/refusal";
import type { Ballot, Case, Judgement, Own } from "../src/create/economics";
import {
  bountyShare,
  judge,
  panelChance,
  poolLasts,
  roundsAtRisk,
  ruleFaults,
  timeline,
  transactionFee,
  warnings,
} from "../src/create/economics";
import { groupOf } from "../src/gate";

/** The games' have four heads besides the accused: half of them, and half of their stake, can decide. */
const RULES: TaskRules = { ...GAME_RULES, quorumVotes: 2 };
/** The longest case with an appeal. */
const APPEALS: Partial<TaskRules> = { appealSlots: 20n, appealBond: 50n, leaveDelaySlots: 190n };
const PANEL: Partial<TaskRules> = {
  ...APPEALS,
  ...{ roundSlots: 1_500n, revealSlots: 528n, appealSlots: 150n, leaveDelaySlots: 9_000n },
  panelSeats: 3,
};

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

const STAKES = { Mallory: 3_333n, Alice: 2_017n, Bob: 1_511n, Carol: 1_213n, Dave: 1_709n };
type Name = keyof typeof STAKES;
const JURY = ["Alice", "Bob", "Carol", "Dave"] as const;

/** One audit: who accuses, and what the others say; who says nothing sleeps. */
interface Play {
  readonly by: Name;
  readonly of: Accusation;
  readonly say: Readonly<Partial<Record<Name, Opinion>>>;
}

/** Plays audits of one submission side by side, and compares what each moves with what {@link judge} says. Gives the outcomes. */
async function play(rules: TaskRules, plays: readonly Play[]): Promise<string[]> {
  const game = await start(rules);
  const submission = await game.submit("Mallory", await game.round());
  const audits = [];
  for (const { by, of } of plays) audits.push(await game.accuse(by, submission, of));
  for (const [index, audit] of audits.entries()) {
    for (const [name, opinion] of Object.entries(plays[index]?.say ?? {})) {
      await game.vote(name, audit, opinion);
    }
  }
  const held = async (name: string): Promise<bigint> => {
    const node = await game.node(name);
    return node.stake + node.locked + node.lockedNext + node.payable;
  };
  const outcomes = [];
  let slashed = 0n;
  for (const [index, audit] of audits.entries()) {
    const { by, of, say } = plays[index] ?? { by: "Alice", of: "malice", say: {} };
    const votes = Object.entries(say).map(([name, opinion]): [Name, Ballot] => [
      name as Name,
      { opinion, stake: STAKES[name as Name] },
    ]);
    const eligible =
      rules.voteWeight === "node" ? 4n : JURY.reduce((sum, name) => sum + STAKES[name], 0n);
    const judged = judge(rules, {
      accusedStake: STAKES.Mallory,
      accusation: of,
      initiatorStake: STAKES[by],
      votes: votes.map(([, ballot]) => ballot),
      eligible,
      slashed,
      accusedLeft: (await game.node("Mallory")).stake,
      initiatorLeft: (await game.node(by)).stake,
    });
    const names = Object.keys(STAKES) as Name[];
    const before = await Promise.all(names.map(held));
    const { pool } = (await game.ledger()).task;
    const resolved = await game.resolve(audit);
    await claimAll(game, resolved);
    expect(resolved.outcome, `audit ${index}`).to.equal(judged.outcome);
    const after = await Promise.all(names.map(held));
    const gained = names.map((name) => {
      if (name === "Mallory") return judged.accusedGain - judged.slash;
      if (name === by) return judged.initiatorGain - judged.initiatorLoss;
      return judged.shares[votes.findIndex(([voter]) => voter === name)] ?? 0n;
    });
    expect(after.map((amount, at) => amount - (before[at] ?? 0n))).to.deep.equal(gained);
    expect((await game.ledger()).task.pool - pool, "pool").to.equal(judged.pool);
    slashed += judged.slash;
    outcomes.push(judged.outcome);
  }
  return outcomes;
}

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
    [
      "malice has the majority and not the quorum's votes: downtime has both",
      { ...RULES, quorumVotes: 3 },
      "malice",
      ["malice", "downtime", "malice"],
      "convictedDowntime",
    ],
    [
      "votes against it don't fill a conviction's quorum",
      { ...RULES, quorumVotes: 3 },
      "malice",
      ["malice", "valid", "malice"],
      "noVerdict",
    ],
    ["conviction by stake", byStake, "malice", ["malice", "valid", "malice"], "convictedMalice"],
    ["acquittal by stake", byStake, "malice", ["valid", "valid", "valid"], "acquitted"],
    ["majority rewarded", majority, "malice", ["malice", "valid", "malice"], "convictedMalice"],
    [
      "who said less than the verdict has no share for the majority",
      majority,
      "malice",
      ["malice", "downtime", "malice"],
      "convictedMalice",
    ],
    [
      "an accusation of less than the verdict has the bonus alone",
      majority,
      "downtime",
      ["malice", "malice", "malice"],
      "convictedMalice",
    ],
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
      ["malice", "valid", "malice"],
      "convictedMalice",
    ],
  ];
  for (const [title, rules, of, [Bob, Carol, Dave], outcome] of cases) {
    it(`judges as the program does: ${title}`, async () => {
      expect(await play(rules, [{ by: "Alice", of, say: { Bob, Carol, Dave } }])).to.deep.equal([
        outcome,
      ]);
    });
  }

  it("takes the difference for a graver verdict, and nothing twice", async () => {
    const down = { Carol: "downtime", Dave: "downtime" } as const;
    const lied = { Carol: "malice", Dave: "malice" } as const;
    const plays: readonly Play[] = [
      { by: "Alice", of: "downtime", say: { ...down, Bob: "downtime" } },
      { by: "Bob", of: "malice", say: { ...lied, Alice: "malice" } },
      { by: "Carol", of: "malice", say: { Alice: "malice", Bob: "malice", Dave: "malice" } },
    ];
    expect(await play(RULES, plays)).to.deep.equal([
      "convictedDowntime",
      "convictedMalice",
      "convictedMalice",
    ]);
    const facts = { accusedStake: 3_333n, accusation: "malice", initiatorStake: 1n } as const;
    const votes = [1n, 2n].map((stake) => ({ opinion: "malice", stake }) as const);
    const slash = (slashed: bigint): bigint => judge(RULES, { ...facts, votes, slashed }).slash;
    expect([slash(0n), slash(333n), slash(1_666n), slash(2_000n)]).to.deep.equal([
      1_666n,
      1_333n,
      0n,
      0n,
    ]);
    expect(judge(RULES, { ...facts, votes, accusedLeft: 7n }).slash).to.equal(7n);
  });

  it("takes of a lost bond what is there", async () => {
    // All but 20 of a stake of 2,000 is lost before its accusation fails; the bond is 101.
    const rules = { ...RULES, maliceBps: 9_900 };
    const game = await Game.start({
      chain: await chain(),
      currency: "token",
      rules,
      seats: [...workers(2_000n, "Ann", "Mallory"), ...witnesses(1_511n, "Bob", "Carol", "Dave")],
      pool: 0n,
    });
    const round = await game.round();
    const lie = await game.submit("Ann", round);
    const work = await game.submit("Mallory", round);
    const first = await game.accuse("Bob", lie, "malice");
    const second = await game.accuse("Ann", work, "malice");
    for (const name of ["Carol", "Dave"]) {
      await game.vote(name, first, "malice");
      await game.vote(name, second, "valid");
    }
    await game.vote("Bob", second, "valid");
    await game.resolve(first);
    expect((await game.node("Ann")).stake).to.equal(20n);
    await claimAll(game, await game.resolve(second));
    const judged = judge(rules, {
      accusedStake: 2_000n,
      accusation: "malice",
      initiatorStake: 2_000n,
      initiatorLeft: 20n,
      votes: Array.from({ length: 3 }, () => ({ opinion: "valid", stake: 1_511n }) as const),
    });
    expect(judged.initiatorLoss).to.equal(20n);
    expect((await game.node("Ann")).stake).to.equal(0n);
    expect((await game.node("Mallory")).locked).to.equal(judged.accusedGain);
    expect((await game.node("Carol")).locked).to.equal(judged.shares[0]);
  });

  it("judges as the program does whatever the rules and whoever votes or sleeps", async function () {
    this.timeout(300_000);
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 12; seed += 1) {
      const pick = draws(seed);
      const from = <T>(...all: readonly [T, ...T[]]): T => all[pick(all.length)] ?? all[0];
      const downtimeBps = from(0, 5, 777, 3_333);
      const rules: TaskRules = {
        ...RULES,
        quorumVotes: from(1, 2, 3),
        quorumBps: from(0, 2_499, 2_500, 2_501, 5_000),
        downtimeBps,
        maliceBps: downtimeBps + from(500, 6_667),
        initiatorBonusBps: from(100, 3_333, 5_000),
        poolBps: from(0, 1_111, 5_000),
        voteWeight: from("node", "stake"),
        rewardRule: from("all", "majority"),
      };
      // Most are of one mind, and some sleep.
      const usual = from<Opinion>("valid", "downtime", "malice");
      const mind = (): Opinion | null =>
        from<Opinion | null>(usual, usual, usual, "valid", "downtime", "malice", null);
      const plays = (["Alice", "Bob"] as const).map((by): Play => ({
        by,
        of: from<Accusation>("downtime", "malice"),
        say: Object.fromEntries(
          JURY.filter((name) => name !== by).flatMap((name) => {
            const opinion = mind();
            return opinion ? [[name, opinion]] : [];
          }),
        ),
      }));
      try {
        for (const outcome of await play(rules, plays)) outcomes.add(outcome);
      } catch (error) {
        throw new Error(`With seed ${seed}: ${String(error)}`, { cause: error });
      }
    }
    expect([...outcomes].sort()).to.deep.equal([
      "acquitted",
      "convictedDowntime",
      "convictedMalice",
      "noVerdict",
    ]);
  });

  it("lets nobody's vote help another side", () => {
    const rank = ({ outcome }: Judgement): number =>
      ["acquitted", "noVerdict", "convictedDowntime", "convictedMalice"].indexOf(outcome);
    for (let seed = 1; seed <= 3_000; seed += 1) {
      const pick = draws(seed);
      const opinions = ["valid", "downtime", "malice"] as const;
      const ballot = (): Ballot => ({
        opinion: opinions[pick(3)] ?? "valid",
        stake: BigInt(1 + pick(50)),
      });
      const rules: TaskRules = {
        ...RULES,
        quorumVotes: 1 + pick(4),
        quorumBps: pick(5_001),
        voteWeight: pick(2) === 0 ? "node" : "stake",
      };
      const facts: Case = {
        accusedStake: 1_000n,
        accusation: pick(2) === 0 ? "downtime" : "malice",
        initiatorStake: 10n,
        votes: Array.from({ length: pick(7) }, ballot),
        eligible: BigInt(8 + pick(400)),
      };
      const more = ballot();
      const before = rank(judge(rules, facts));
      const after = rank(judge(rules, { ...facts, votes: [...facts.votes, more] }));
      const what = `seed ${seed}: ${more.opinion}`;
      if (more.opinion === "valid") expect(after, what).to.be.at.most(before);
      else if (more.opinion === "malice" || before < 2) expect(after, what).to.be.at.least(before);
      else expect(after, what).to.be.at.least(2);
    }
  });

  it("knows the quorum's edges, in votes, in heads and in stake", () => {
    const facts = { accusedStake: 1_000n, accusation: "malice", initiatorStake: 100n } as const;
    const vote = { opinion: "malice", stake: 100n } as const;
    const votes = (count: number) => Array.from({ length: count }, () => vote);
    expect(judge(RULES, { ...facts, votes: votes(1) }).outcome).to.equal("noVerdict");
    expect(judge(RULES, { ...facts, votes: votes(2) }).outcome).to.equal("convictedMalice");
    // 3,000 bp of 11 heads are 3.3: rounded up, three are not enough.
    const heads = { ...facts, votes: votes(2) };
    expect(judge(RULES, { ...heads, eligible: 11n }).outcome).to.equal("noVerdict");
    expect(judge(RULES, { ...heads, eligible: 10n }).outcome).to.equal("convictedMalice");
    // And of 1,334 base units 400.2.
    const thin = { ...facts, votes: votes(3) };
    expect(judge(byStake, { ...thin, eligible: 1_334n }).outcome).to.equal("noVerdict");
    expect(judge(byStake, { ...thin, eligible: 1_333n }).outcome).to.equal("convictedMalice");
    // Who votes against it fills no quorum of it.
    const against = [...votes(2), { opinion: "valid", stake: 299n } as const];
    expect(judge(byStake, { ...facts, votes: against, eligible: 1_333n }).outcome).to.equal(
      "noVerdict",
    );
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
    const minter = await Minter.start(embedded);
    const group = await minter.group();
    const { connection } = client.program.provider;
    const member = await fetchMint(connection, await minter.member(group));
    expect(await groupOf(connection, member)).to.deep.equal(group);
    expect(await groupOf(connection, WRAPPED_SOL)).to.equal(null);
    const least = { workerMinStake: 9n, witnessMinStake: 9n, initiatorBond: 9n, voteDeposit: 9n };
    const standing = { kind: "standing", leastRoundsPaid: 1n, mostConvictions: 0 } as const;
    type Change = Partial<TaskRules> | ((own: Own) => Partial<TaskRules>);
    const changes: readonly Change[] = [
      {},
      { quorumBps: 5_001 },
      { quorumBps: 5_000 },
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
      { initiatorBond: 1_001n },
      { voteDeposit: 1_001n },
      { initiatorBond: 1_000n, voteDeposit: 1_000n },
      { appealSlots: 1n, leaveDelaySlots: 1_000n },
      { appealBond: 1n },
      APPEALS,
      { ...APPEALS, leaveDelaySlots: longestCase({ ...RULES, ...APPEALS }) - 1n },
      { ...APPEALS, initiatorBond: 900n, appealBond: 100n },
      { ...APPEALS, initiatorBond: 900n, appealBond: 101n },
      { panelSeats: 3 },
      PANEL,
      { ...PANEL, panelSeats: 2 },
      { ...PANEL, panelSeats: 1, quorumVotes: 1 },
      { ...PANEL, quorumVotes: 3 },
      { ...PANEL, panelSeats: 4, quorumVotes: 3 },
      { ...PANEL, panelSeats: 5, quorumVotes: 3 },
      { ...PANEL, revealSlots: 527n },
      { ...PANEL, commitSlots: 527n },
      { ...PANEL, commitSlots: 528n, revealSlots: 10n },
      { ...PANEL, appealSlots: 0n, appealBond: 0n },
      { ...PANEL, appealSlots: 149n },
      { ...PANEL, panelSeats: 65_535 },
      { workerMinStake: 100n },
      least,
      { ...least, workerMinStake: 10n },
      { ...least, downtimeBps: 0 },
      { ...least, downtimeBps: 0, maliceBps: 1_111 },
      { ...least, downtimeBps: 0, maliceBps: 1_112, initiatorBonusBps: 9_000, poolBps: 0 },
      { ...least, downtimeBps: 0, maliceBps: 1_112, initiatorBonusBps: 10_000, poolBps: 0 },
      { initiatorBonusBps: 9 },
      { initiatorBonusBps: 10 },
      ({ mint }) => ({ workerGate: { kind: "token", mint, least: 1n } }),
      ({ mint }) => ({ witnessGate: { kind: "token", mint, least: 0n } }),
      { witnessGate: { kind: "token", mint: group, least: 1n } },
      ({ task }) => ({ workerGate: { ...standing, task } }),
      ({ task }) => ({ witnessGate: { kind: "member", task } }),
      { workerGate: { ...standing, task: group }, witnessGate: { kind: "member", task: group } },
      { workerGate: { kind: "collection", group } },
      { witnessGate: { kind: "collection", group: member.address } },
    ];
    const seen = new Set<string>();
    for (const mint of [WRAPPED_SOL, member]) {
      for (const [index, change] of changes.entries()) {
        const id = BigInt(index + (mint === member ? changes.length : 0));
        const task = taskAddress(creator.publicKey, id);
        const own = { task, mint: mint.address, group: mint === member ? group : null };
        const changed = typeof change === "function" ? change(own) : change;
        const rules = { ...RULES, ...changed };
        const [fault] = ruleFaults(rules, false, own);
        // A share of over one is no argument: refused before anything is encoded, and so by no program.
        const send = async (): Promise<string> =>
          client
            .createTask({
              creator: creator.publicKey,
              id,
              mint,
              rules,
              auditFunction: { hash: new Uint8Array(32).fill(1), uri: "ipfs://audit" },
            })
            .rpc();
        const what = JSON.stringify(changed, (_, value: unknown) =>
          typeof value === "bigint" ? value.toString() : value,
        );
        if (!fault) {
          await send();
          expect(await client.find("task", task), what).not.to.equal(null);
        } else if (rules.maliceBps > 10_000) {
          const error = await send().catch((reason: unknown) => reason);
          expect(error, what).to.be.instanceOf(ArgumentError);
          expect(error, what).to.include({ argument: "rules.maliceBps", value: rules.maliceBps });
        } else {
          expect(explain(await refusal(send())).name, what).to.equal(fault.refusal);
          seen.add(fault.refusal);
        }
      }
    }
    expect([...seen]).to.include.members([
      "quorumOverHalf",
      "pledgeOverMinimum",
      "slashFloorsToZero",
      "bonusFloorsToZero",
      "gateOnItself",
      "appealBondZero",
      "panelTooSmall",
      "panelWithoutAppeal",
      "panelWindowTooShort",
      "quorumOverPanel",
    ]);
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

  it("lays an appeal's windows behind them, to the end of the longest case", () => {
    const rules = { ...RULES, ...APPEALS };
    const laid = timeline(rules);
    expect(laid.slice(3)).to.deep.equal([
      { what: "appeal", from: 130n, until: 150n },
      { what: "appealVote", from: 150n, until: 190n },
    ]);
    const secret = { ...rules, auditSlots: 20n, commitSlots: 30n };
    const [, , , , , commit, reveal] = timeline(secret);
    expect([commit?.what, reveal?.what]).to.deep.equal(["appealCommit", "appealReveal"]);
    expect(reveal?.until).to.equal(longestCase(secret));
  });

  it("knows the chance that a coalition wins a panel by luck, as draws by the program's rule fall", () => {
    const rules = { panelSeats: 15, quorumVotes: 2, quorumBps: 2_000 };
    const roll = draws(17);
    const [crowd, coalition, trials] = [500, 200, 400];
    const accused = {
      eligible: { stake: BigInt(crowd), nodes: crowd },
      rules: { ...RULES, ...rules },
    };
    const owners = Array.from({ length: crowd }, () => Keypair.generate().publicKey);
    let won = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const seed = Uint8Array.from({ length: 32 }, () => roll(256));
      let [own, others] = [0, 0];
      for (const [index, owner] of owners.entries()) {
        if (!isSeated(seed, owner, 1n, accused)) continue;
        if (index < coalition) own += 1;
        else others += 1;
      }
      if (own + 1 > others && own >= 2 && own + 1 >= 3) won += 1;
    }
    const chance = panelChance(rules, 4_000);
    const deviation = Math.sqrt(chance * (1 - chance) * trials);
    expect(Math.abs(won - chance * trials)).to.be.below(5 * deviation);
    // More seats leave less to luck; a quorum can only lower it; and numbers of any size are taken.
    const of = (panelSeats: number, share: number): number =>
      panelChance({ ...rules, panelSeats }, share);
    expect(of(31, 3_300)).to.be.within(0.03, 0.04).and.below(of(15, 3_300));
    expect(panelChance({ ...rules, quorumVotes: 8 }, 3_300)).to.be.below(of(15, 3_300));
    expect([of(65_535, 3_300) < 1e-99, of(65_535, 6_000) > 0.99, of(31, 0)]).to.deep.equal([
      true,
      true,
      0,
    ]);
  });

  it("warns of small panels and of appeals that cost less than what they turn", () => {
    const panel = { ...RULES, ...PANEL };
    expect(warnings({ ...panel, panelSeats: 15 }).join()).to.include("The panel is small");
    expect(warnings({ ...panel, panelSeats: 31 }).join()).not.to.include("The panel is small");
    expect(warnings(panel).join()).to.include("An appeal costs less");
    expect(warnings({ ...panel, appealBond: 101n }).join()).not.to.include("An appeal costs less");
    expect(warnings({ ...panel, quorumBps: 0 }).join()).to.include("3 nodes that agree convict");
    expect(warnings({ ...panel, quorumBps: 1_000 }).join()).to.include("10% of a panel's seats");
  });

  it("warns of stakes that are overly large, and says for how much pay a liar risks its stake", () => {
    expect(warnings(RULES).join()).not.to.include("overly large");
    expect(warnings({ ...RULES, workerMinStake: 60_000n }).join()).to.include(
      "120 rounds' bounties, which is overly large",
    );
    expect(warnings(RULES).join()).not.to.include("quorum");
    expect(warnings({ ...RULES, quorumVotes: 4, quorumBps: 1_999 }).join()).to.include(
      "where the others sleep, 5 nodes that agree and have 19.99% of all nodes convict whom they like, and 4 clear their friends",
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

/** The same draws for the same seed: numbers from 0 to below `count`. */
function draws(seed: number): (count: number) => number {
  let state = BigInt(seed) * 0x9e3779b97f4a7c15n;
  return (count) => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number((state >> 33n) % BigInt(count));
  };
}
