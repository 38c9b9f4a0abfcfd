import { ACCOUNT_BYTES, rentOf } from "@securing-tasks/client";
import type {
  AccountKind,
  Audit,
  Node,
  Round,
  Submission,
  Task,
  Vote,
} from "@securing-tasks/client";
import type { Judgement, Plan, PlanOptions, View, Work } from "@securing-tasks/node";
import { plan } from "@securing-tasks/node";
import { Keypair } from "@solana/web3.js";
import type { PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { RULES } from "../../../tests/utils/games";

const key = (): PublicKey => Keypair.generate().publicKey;
const [me, operator, other, third] = [key(), key(), key(), key()];

/** Round 0: work until slot 1,040, audits until 1,090; round 1 begins at 1,100. */
const task: Task = {
  address: key(),
  creator: key(),
  mint: key(),
  vault: key(),
  id: 1n,
  startSlot: 1_000n,
  rules: RULES,
  auditFunction: { hash: new Uint8Array(32).fill(1), uri: "" },
  taskFunction: null,
  pool: 0n,
  activeStake: 0n,
  nodes: 3,
  rounds: 0,
  entries: 0,
  status: "active",
};

const worker: Node = {
  address: key(),
  task: task.address,
  owner: me,
  operator,
  role: "worker",
  joinedSlot: 900n,
  stake: 5_000n,
  leaving: 0n,
  leaveSlot: 0n,
  recent: 5_000n,
  recentSlot: 900n,
  lent: 0n,
  exposed: 0n,
  locked: 0n,
  lockedUntil: 0n,
  lockedNext: 0n,
  lockedNextUntil: 0n,
  payable: 0n,
  openAudits: 0,
  live: 0,
  submissions: 0,
  roundsPaid: 0,
  convictionsDowntime: 0,
  convictionsMalice: 0,
  votesWithMajority: 0,
  votesAgainstMajority: 0,
  votesUnrevealed: 0,
};
const witness: Node = { ...worker, role: "witness", stake: 1_500n, recent: 1_500n };

const submissionOf = (owner: PublicKey, changes: Partial<Submission> = {}): Submission => ({
  address: key(),
  task: task.address,
  owner,
  payer: key(),
  payloadHash: new Uint8Array(32).fill(2),
  payloadUri: "",
  round: 0n,
  slot: 1_010n,
  othersStake: 0n,
  audits: 0,
  liveAudits: 0,
  paid: false,
  status: "submitted",
  ...changes,
});

const auditOf = (submission: Submission, changes: Partial<Audit> = {}): Audit => ({
  address: key(),
  task: task.address,
  submission: submission.address,
  initiator: third,
  accused: submission.owner,
  payer: key(),
  submissionSlot: submission.slot,
  openSlot: 1_050n,
  revealSlot: 1_050n,
  endSlot: 1_080n,
  accusedStake: 0n,
  exposed: 0n,
  eligibleStake: 0n,
  initiatorStake: 0n,
  bond: 101n,
  voteDeposit: 10n,
  votes: {
    valid: { nodes: 0, stake: 0n },
    downtime: { nodes: 0, stake: 0n },
    malice: { nodes: 1, stake: 0n },
  },
  votersPot: 0n,
  votersWeight: 0n,
  votersLeft: 0n,
  unclaimed: 0,
  liveVotes: 0,
  rules: RULES,
  accusation: "malice",
  outcome: "open",
  attempt: 0,
  ...changes,
});

const voteOf = (audit: Audit, state: Vote["state"]): Vote => ({
  address: key(),
  audit: audit.address,
  owner: me,
  payer: operator,
  commitment: null,
  weight: 0n,
  deposit: 10n,
  opinion: "valid",
  state,
});

const roundOf = (changes: Partial<Round> = {}): Round => ({
  address: key(),
  task: task.address,
  payer: key(),
  number: 0n,
  reserve: 500n,
  left: 500n,
  submissions: 1,
  convictions: 0,
  paid: 0,
  openAudits: 0,
  liveSubmissions: 1,
  ...changes,
});

interface Memory {
  readonly works?: readonly Work[];
  readonly samples?: readonly PublicKey[];
  readonly checks?: ReadonlyMap<Submission, Judgement["opinion"]>;
  /** Slot of all checks. */
  readonly seen?: bigint;
  /** Whether there is evidence of what all checks found. */
  readonly evidence?: boolean;
  readonly opinions?: ReadonlyMap<Audit, Judgement["opinion"]>;
  readonly accusations?: number;
}

function view(changes: Partial<View>, votes: readonly Vote[] = []): View {
  return {
    slot: 0n,
    task,
    node: witness,
    operatorLamports: 1_000_000_000,
    rounds: [],
    submissions: [],
    audits: [],
    votes: new Map(votes.map((vote) => [vote.audit.toBase58(), vote])),
    ...changes,
  };
}

/** Kinds of what is due, and when to look again. */
function due(
  ...args: Parameters<typeof planned>
): readonly [duties: readonly string[], wakeAt: bigint | null] {
  const { duties, wakeAt } = planned(...args);
  return [
    duties.map((duty) => ("opinion" in duty ? `${duty.kind} ${duty.opinion}` : duty.kind)),
    wakeAt,
  ];
}

function planned(
  seen: View,
  now: bigint,
  memory: Memory = {},
  chores: Partial<PlanOptions["config"]["chores"]> = {},
): Plan {
  const told = (
    all: ReadonlyMap<{ readonly address: PublicKey }, Judgement["opinion"]> | undefined,
    name: string,
  ): Judgement | null => {
    const found = [...(all ?? [])].find(([{ address }]) => address.toBase58() === name);
    return found ? { opinion: found[1], reason: "" } : null;
  };
  return plan(seen, now, {
    owner: me,
    operator,
    config: {
      samples: 1,
      chores: { resolve: true, claim: true, close: true, spreadSlots: 0, ...chores },
    },
    store: {
      work: (round) => memory.works?.find((work) => work.round === round) ?? null,
      sample: () => memory.samples?.map((owner) => owner.toBase58()) ?? null,
      check: (name) => {
        const found = told(memory.checks, name);
        return found && { ...found, slot: memory.seen ?? now, evidence: memory.evidence ?? false };
      },
      opinion: (name) => told(memory.opinions, name),
      accusations: () => memory.accusations ?? 0,
    },
    mostFee: 5_000n,
  });
}

describe("what is due", () => {
  const work: Work = { round: 0n, hash: "", uri: "", payload: new Uint8Array() };

  it("is work in the submission window, once, the same after a restart, and by a worker that may", () => {
    const seen = view({ node: worker });
    expect(due(seen, 999n)).to.deep.equal([[], null]);
    expect(due(seen, 1_000n)).to.deep.equal([["work"], 1_100n]);
    expect(due(seen, 1_000n, { works: [work] })[0]).to.deep.equal(["submit"]);
    expect(due(seen, 1_037n)[0]).to.deep.equal(["work"]);
    expect(due(seen, 1_038n)).to.deep.equal([[], 1_100n]);
    expect(due(seen, 1_100n, { works: [work] })[0]).to.deep.equal(["work"]);
    expect(due(view({ node: witness }), 1_000n)[0]).to.deep.equal([]);
    for (const status of ["paused", "retired"] as const) {
      expect(due(view({ node: worker, task: { ...task, status } }), 1_000n)[0]).to.deep.equal([]);
    }
    const leaving = { ...worker, leaving: 3_001n };
    expect(due(view({ node: leaving }), 1_000n)[0]).to.deep.equal([]);
    expect(due(view({ node: { ...worker, leaving: 3_000n } }), 1_000n)[0]).to.deep.equal(["work"]);
    const submissions = [submissionOf(me)];
    expect(due(view({ node: worker, submissions }), 1_000n)[0]).to.deep.equal([]);
  });

  it("is a look at samples between submission and audit window's end, and an accusation of who fails it", () => {
    const submission = submissionOf(other);
    const seen = view({ submissions: [submission] });
    expect(due(seen, 1_040n)).to.deep.equal([[], 1_041n]);
    expect(due(seen, 1_041n)[0]).to.deep.equal(["sample"]);
    expect(due(seen, 1_041n, { samples: [] })[0]).to.deep.equal([]);
    expect(due(seen, 1_041n, { samples: [third] })[0]).to.deep.equal([]);
    const samples = [other];
    expect(due(seen, 1_087n, { samples })[0]).to.deep.equal(["check"]);
    expect(due(seen, 1_088n, { samples })[0]).to.deep.equal([]);
    for (const innocent of ["valid", null] as const) {
      const checks = new Map([[submission, innocent]]);
      expect(due(seen, 1_050n, { samples, checks })[0]).to.deep.equal([]);
    }
    const checks = new Map([[submission, "malice" as const]]);
    expect(due(seen, 1_050n, { samples, checks })[0]).to.deep.equal(["accuse"]);
    expect(due(seen, 1_050n, { samples, checks, accusations: 1 })[0]).to.deep.equal(["accuse"]);
    expect(due(seen, 1_050n, { samples, checks, accusations: 2 })[0]).to.deep.equal([]);
    for (const changes of [
      { status: "acquitted" },
      { status: "underAudit" },
      { status: "convicted" },
      { audits: 3 },
    ] as const) {
      const changed = { ...submission, ...changes };
      const guilty = new Map([[changed, "malice" as const]]);
      const found = due(view({ submissions: [changed] }), 1_050n, { samples, checks: guilty });
      expect(found[0]).to.deep.equal([]);
    }
  });

  it("is another look at what was seen longer ago than 150 slots, and no accusation of that", () => {
    const submission = submissionOf(other);
    const windows = { ...RULES, roundSlots: 1_000n, submissionSlots: 40n, auditSlots: 500n };
    const seen = view({ task: { ...task, rules: windows }, submissions: [submission] });
    const memory = { samples: [other], checks: new Map([[submission, "downtime" as const]]) };
    const at = (now: bigint, more: Memory = {}): readonly string[] =>
      due(seen, now, { ...memory, seen: 1_050n, ...more })[0];
    expect(at(1_200n)).to.deep.equal(["accuse"]);
    expect(at(1_201n)).to.deep.equal(["check"]);
    // What the accused signed is as true as on the first day.
    expect(at(1_201n, { evidence: true })).to.deep.equal(["accuse"]);
    // Nothing that could be done with the answer.
    expect(at(1_201n, { accusations: 2 })).to.deep.equal([]);
    expect(at(1_201n, { checks: new Map([[submission, "valid" as const]]) })).to.deep.equal([]);
  });

  it("is only what the operator's SOL pays for, and owed reveals come before all", () => {
    const FEE = 5_000n;
    const rent = (kind: AccountKind): bigint => rentOf(ACCOUNT_BYTES[kind]);
    const of = (lamports: bigint, changes: Partial<View>, votes: readonly Vote[] = []): Plan =>
      planned(view({ operatorLamports: Number(rentOf(0) + lamports), ...changes }, votes), 1_030n, {
        works: [work],
        opinions: new Map(audits.map((one) => [one, "malice" as const])),
      });
    const kinds = ({ duties }: Plan): string[] => duties.map(({ kind }) => kind);
    const submissions = [submissionOf(other, { status: "underAudit" })];
    const [first, second] = [submissionOf(other), submissionOf(third)].map((one) =>
      auditOf(one, { initiator: key(), openSlot: 1_020n, revealSlot: 1_065n }),
    ) as [Audit, Audit];
    const audits = [first, second];
    const work: Work = { round: 0n, hash: "", uri: "", payload: new Uint8Array() };

    const submit = rent("submission") + rent("round") + FEE;
    const working = { node: worker };
    expect(kinds(of(submit, working))).to.deep.equal(["submit"]);
    const poor = of(submit - 1n, working);
    expect([kinds(poor), poor.short]).to.deep.equal([[], true]);

    const commit = rent("vote") + 2n * FEE;
    expect(kinds(of(2n * commit, { submissions, audits }))).to.deep.equal(["commit", "commit"]);
    const one = of(2n * commit - 1n, { submissions, audits });
    expect([kinds(one), one.short]).to.deep.equal([["commit"], true]);
    const owing = [voteOf(first, "committed")];
    expect(kinds(of(commit + FEE, { submissions, audits }, owing))).to.deep.equal(["commit"]);
    expect(kinds(of(commit + FEE - 1n, { submissions, audits }, owing))).to.deep.equal([]);
    const rich = of(10n * commit, { submissions, audits });
    expect(rich.short).to.equal(false);
  });

  it("is no accusation by who has no say, can't pay the bond, or where the task is paused", () => {
    const submission = submissionOf(other);
    const memory = { samples: [other], checks: new Map([[submission, "downtime" as const]]) };
    const by = (node: Node, changed: Task = task): readonly string[] =>
      due(view({ node, task: changed, submissions: [submission] }), 1_050n, memory)[0];
    expect(by(witness)).to.deep.equal(["accuse"]);
    expect(by({ ...witness, joinedSlot: 1_010n })).to.deep.equal([]);
    expect(by({ ...witness, recentSlot: 1_010n, recent: 501n })).to.deep.equal([]);
    expect(by({ ...witness, recentSlot: 1_010n, recent: 500n })).to.deep.equal(["accuse"]);
    expect(by({ ...witness, stake: 1_101n, recent: 0n })).to.deep.equal(["accuse"]);
    expect(by({ ...witness, stake: 1_100n, recent: 0n })).to.deep.equal([]);
    expect(by({ ...witness, exposed: 1_400n })).to.deep.equal([]);
    expect(by(witness, { ...task, status: "paused" })).to.deep.equal([]);
    expect(by(witness, { ...task, status: "retired" })).to.deep.equal(["accuse"]);
  });

  it("is an opinion on an audit first, then the vote, and none by a party or where there is no opinion", () => {
    const submission = submissionOf(other, { status: "underAudit" });
    const audit = auditOf(submission);
    const of = (changed: Audit, now: bigint, memory: Memory = {}): readonly string[] =>
      due(view({ submissions: [submission], audits: [changed] }), now, {
        samples: [],
        ...memory,
      })[0];
    expect(of(audit, 1_060n)).to.deep.equal(["judge"]);
    const opinions = new Map([[audit, "valid" as const]]);
    expect(of(audit, 1_060n, { opinions })).to.deep.equal(["cast valid"]);
    expect(of(audit, 1_077n, { opinions })).to.deep.equal(["cast valid"]);
    expect(of(audit, 1_078n, { opinions })).to.deep.equal([]);
    expect(of(audit, 1_060n, { opinions: new Map([[audit, null]]) })).to.deep.equal([]);
    expect(of({ ...audit, initiator: me }, 1_060n)).to.deep.equal([]);
    expect(of({ ...audit, accused: me }, 1_060n)).to.deep.equal([]);
    expect(of({ ...audit, submissionSlot: 900n }, 1_060n)).to.deep.equal([]);
    expect(of({ ...audit, voteDeposit: 501n }, 1_060n)).to.deep.equal([]);
  });

  it("is a commitment before the reveal window and the reveal in it", () => {
    const submission = submissionOf(other, { status: "underAudit" });
    const audit = auditOf(submission, { revealSlot: 1_065n });
    const opinions = new Map([[audit, "malice" as const]]);
    const submissions = [submission];
    const open = view({ submissions, audits: [audit] });
    const memory = { samples: [], opinions };
    expect(due(open, 1_062n, memory)[0]).to.deep.equal(["commit malice"]);
    expect(due(open, 1_063n, memory)[0]).to.deep.equal([]);
    const committed = view({ submissions, audits: [audit] }, [voteOf(audit, "committed")]);
    expect(due(committed, 1_064n, memory)).to.deep.equal([[], 1_065n]);
    expect(due(committed, 1_065n, memory)[0]).to.deep.equal(["reveal"]);
    expect(due(committed, 1_079n, memory)[0]).to.deep.equal(["reveal"]);
    expect(due(committed, 1_080n, memory)[0]).to.deep.equal(["resolve"]);
    const revealed = view({ submissions, audits: [audit] }, [voteOf(audit, "revealed")]);
    expect(due(revealed, 1_065n, memory)[0]).to.deep.equal([]);
  });

  it("is a verdict after the votes, by each node at another time", () => {
    const submission = submissionOf(other, { status: "underAudit" });
    const audit = auditOf(submission);
    const seen = view({ submissions: [submission], audits: [audit] });
    expect(due(seen, 1_080n, { samples: [] })[0]).to.deep.equal(["resolve"]);
    const [, turn] = due(seen, 1_080n, { samples: [] }, { spreadSlots: 1_000_000_000 });
    expect(turn !== null && turn > 1_080n).to.equal(true);
    const turns = Array.from({ length: 50 }, () => {
      const again = auditOf(submission);
      const spread = view({ submissions: [submission], audits: [again] });
      return due(spread, 1_079n, { samples: [] }, { spreadSlots: 5 })[1];
    });
    expect(new Set(turns)).to.deep.equal(new Set([1_080n, 1_081n, 1_082n, 1_083n, 1_084n]));
    expect(due(seen, 1_080n, { samples: [] }, { resolve: false })[0]).to.deep.equal([]);
  });

  it("is to claim and close its own vote, and then the audit that it opened", () => {
    const submission = submissionOf(other, { status: "convicted", liveAudits: 1 });
    const audit = auditOf(submission, { outcome: "convictedMalice", liveVotes: 1 });
    const of = (changed: Audit, now = 1_100n, votes: readonly Vote[] = []): readonly string[] =>
      due(view({ submissions: [submission], audits: [changed] }, votes), now)[0];
    expect(of(audit, 1_100n, [voteOf(audit, "revealed")])).to.deep.equal(["claimVote"]);
    expect(of(audit, 1_100n, [voteOf(audit, "committed")])).to.deep.equal(["claimVote"]);
    expect(of(audit, 1_100n, [voteOf(audit, "claimed")])).to.deep.equal(["closeVote"]);
    expect(of(audit)).to.deep.equal([]);
    const mine = { ...audit, initiator: me, payer: operator };
    expect(of({ ...mine, liveVotes: 0 })).to.deep.equal(["closeAudit"]);
    expect(of(mine, 1_179n)).to.deep.equal([]);
    expect(of(mine, 1_180n)).to.deep.equal(["sweepAudit"]);
  });

  it("is to claim its bounty after the audit window, and to close work and round that are over", () => {
    const mine = submissionOf(me);
    const round = roundOf({ payer: operator });
    const of = (changes: Partial<View>, now: bigint): readonly [readonly string[], bigint | null] =>
      due(view({ rounds: [round], submissions: [mine], ...changes }), now, { samples: [] });
    expect(of({}, 1_089n)).to.deep.equal([[], 1_090n]);
    expect(of({}, 1_090n)[0]).to.deep.equal(["claimBounty"]);
    expect(of({ rounds: [{ ...round, openAudits: 1 }] }, 1_090n)[0]).to.deep.equal([]);
    const paid = { ...mine, paid: true };
    expect(of({ submissions: [paid] }, 1_090n)[0]).to.deep.equal(["closeSubmission"]);
    const audited = { ...paid, liveAudits: 1 };
    expect(of({ submissions: [audited] }, 1_090n)[0]).to.deep.equal([]);
    const convicted = { ...mine, status: "convicted" as const };
    expect(of({ submissions: [convicted] }, 1_039n)).to.deep.equal([[], 1_040n]);
    expect(of({ submissions: [convicted] }, 1_040n)[0]).to.deep.equal(["closeSubmission"]);
    const empty = { ...round, liveSubmissions: 0 };
    expect(of({ rounds: [empty], submissions: [] }, 1_090n)[0]).to.deep.equal(["closeRound"]);
    const others = { ...empty, payer: key() };
    expect(of({ rounds: [others], submissions: [] }, 1_090n)[0]).to.deep.equal([]);
  });

  it("is to finish for a worker that is gone only where its own rent waits for that, a round later", () => {
    const gone = submissionOf(other);
    const of = (payer: PublicKey, now: bigint, submission = gone): readonly string[] =>
      due(view({ rounds: [roundOf({ payer })], submissions: [submission] }), now)[0];
    expect(of(operator, 1_189n)).to.deep.equal([]);
    expect(of(operator, 1_190n)).to.deep.equal(["claimBounty"]);
    expect(of(operator, 1_190n, { ...gone, paid: true })).to.deep.equal(["closeSubmission"]);
    expect(of(key(), 1_190n)).to.deep.equal([]);
  });
});
