import { ACCOUNT_BYTES, rentOf, sealReveal } from "@securing-tasks/client";
import type {
  AccountKind,
  Audit,
  Node,
  Opinion,
  Round,
  SealedReveal,
  Submission,
  Task,
  Vote,
} from "@securing-tasks/client";
import type { Judgement, OwnAccusation, Plan, PlanOptions, View, Work } from "@securing-tasks/node";
import { plan } from "@securing-tasks/node";
import { Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { RULES } from "../../../tests/utils/games";

const key = (): PublicKey => Keypair.generate().publicKey;
const [me, operator, other, third] = [key(), key(), key(), key()];

/** Round 0: work until slot 1,040, audits until 1,090; round 1 begins at 1,100. */
const task: Task = {
  address: key(),
  creator: key(),
  payer: key(),
  mint: key(),
  vault: key(),
  id: 1n,
  startSlot: 1_000n,
  rules: RULES,
  auditFunction: { hash: new Uint8Array(32).fill(1), uri: "" },
  taskFunction: null,
  pool: 0n,
  electorate: { stake: 0n, nodes: 0 },
  before: { stake: 0n, nodes: 0 },
  beforeSlot: 0n,
  retiredSlot: 0n,
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
  payer: me,
  role: "worker",
  joinedSlot: 900n,
  stake: 5_000n,
  leaving: 0n,
  leaveSlot: 0n,
  askedToLeave: { parts: [], young: [] },
  slashed: { parts: [], young: [] },
  arrivals: [{ slot: 900n, amount: 5_000n }],
  before: { stake: 0n, nodes: 0 },
  beforeSlot: 900n,
  bonds: 0n,
  commitments: 0,
  locked: 0n,
  lockedUntil: 0n,
  lockedNext: 0n,
  lockedNextUntil: 0n,
  payable: 0n,
  openAudits: 0,
  risk: 0n,
  live: 0,
  audits: 7,
  submissions: 0,
  roundsPaid: 0,
  convictionsDowntime: 0,
  convictionsMalice: 0,
  votesWithMajority: 0,
  votesAgainstMajority: 0,
  votesUnrevealed: 0,
};
const witness: Node = { ...worker, role: "witness", stake: 1_500n, arrivals: [] };

const submissionOf = (owner: PublicKey, changes: Partial<Submission> = {}): Submission => ({
  address: key(),
  task: task.address,
  owner,
  payer: key(),
  payloadHash: new Uint8Array(32).fill(2),
  payloadUri: "",
  round: 0n,
  slot: 1_010n,
  others: { stake: 0n, nodes: 0 },
  slashed: 0n,
  audits: 0,
  decided: 0,
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
  appellant: null,
  evidenceHash: null,
  secretHash: null,
  seed: null,
  submissionSlot: submission.slot,
  openSlot: 1_050n,
  drawSlot: 0n,
  appealSlot: 0n,
  revealSlot: 1_050n,
  endSlot: 1_080n,
  accusedStake: 0n,
  eligible: { stake: 0n, nodes: 0 },
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
  firstOutcome: "open",
  index: 0,
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
  opinion: "valid",
  onAppeal: false,
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
  /** Whether there is evidence of all opinions. */
  readonly signed?: boolean;
  readonly accusations?: readonly OwnAccusation[];
  /** Slot at which the first evidence was kept. */
  readonly heard?: bigint;
  /** Workers that took it. */
  readonly handed?: number | null;
  readonly secret?: Uint8Array;
  /** Where this node has a service. */
  readonly publicUrl?: string;
  readonly keepPayloadRounds?: number;
  readonly appeal?: boolean;
  readonly sponsor?: PlanOptions["sponsor"];
  readonly keepers?: readonly string[];
  readonly keepersEarly?: boolean;
  /** Keepers that have the reveal. */
  readonly entrusted?: readonly string[];
  /** Reveals of others that this node keeps. */
  readonly kept?: readonly SealedReveal[];
}

/** What the state keeps of an own audit. */
const ownOf = (audit: Audit): OwnAccusation => ({
  audit: audit.address.toBase58(),
  accusation: audit.accusation,
  outcome: audit.outcome,
  endSlot: audit.endSlot,
});

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
  workUnpaid = true,
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
    ...(memory.sponsor && { sponsor: memory.sponsor }),
    config: {
      samples: 1,
      workUnpaid,
      appeal: memory.appeal ?? true,
      ...(memory.keepPayloadRounds !== undefined && {
        keepPayloadRounds: memory.keepPayloadRounds,
      }),
      chores: { resolve: true, claim: true, close: true, spreadSlots: 0, ...chores },
      keepers: [...(memory.keepers ?? [])],
      keepersEarly: memory.keepersEarly ?? false,
      ...(memory.kept && { keeper: { for: "any", max: 1, maxPerDay: 1 } }),
      ...(memory.publicUrl !== undefined && {
        http: { publicUrl: memory.publicUrl },
      }),
    },
    store: {
      work: (round) => memory.works?.find((work) => work.round === round) ?? null,
      workHash: (round) => memory.works?.find((work) => work.round === round)?.hash ?? null,
      sample: () => memory.samples?.map((owner) => owner.toBase58()) ?? null,
      check: (name) => {
        const found = told(memory.checks, name);
        return found && { ...found, slot: memory.seen ?? now, evidence: memory.evidence ?? false };
      },
      opinion: (name) => {
        const found = told(memory.opinions, name);
        return found && { ...found, evidence: memory.signed ?? false };
      },
      accusations: () => [...(memory.accusations ?? [])],
      evidenceSince: () => memory.heard ?? null,
      handed: () => memory.handed ?? (memory.heard === undefined ? null : 1),
      entrusted: () => [...(memory.entrusted ?? [])],
      keptReveals: () => [...(memory.kept ?? [])],
    },
    secret: memory.secret ?? SECRET,
    mostFee: FEE,
  });
}

const SECRET = new Uint8Array(32).fill(3);
const FEE = 5_000n;
const rent = (kind: AccountKind): bigint => rentOf(ACCOUNT_BYTES[kind]);

/** Of the same round: work until slot 1,040, audits until 1,540; round 1 begins at 2,000. */
const long: Task = {
  ...task,
  rules: { ...RULES, roundSlots: 1_000n, auditSlots: 500n },
};

describe("what is due", () => {
  const work: Work = { round: 0n, hash: "", payload: new Uint8Array() };

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

  it("is to make the payload of own work again that the state lost, as long as somebody may ask for it", () => {
    const hash = "02".repeat(32);
    const served = { payloadUri: `https://me.example/payload/${hash}` };
    const own = submissionOf(me, served);
    const restores = (submission: Submission, now: bigint, memory: Memory = {}): number => {
      const seen = view({ node: worker, submissions: [submission] });
      const { duties } = planned(seen, now, { publicUrl: "https://me.example", ...memory });
      return duties.filter(({ kind }) => kind === "restore").length;
    };
    const work = (name: string): Work => ({ round: 0n, hash: name, payload: new Uint8Array() });
    expect(restores(own, 1_020n)).to.equal(1);
    expect(restores(own, 1_020n, { works: [work(hash)] })).to.equal(0);
    // Another instance submitted before this one could.
    expect(restores(own, 1_020n, { works: [work("03".repeat(32))] })).to.equal(1);
    // The last vote on it may be in slot 1,129.
    expect([restores(own, 1_129n), restores(own, 1_130n)]).to.deep.equal([1, 0]);
    expect(restores({ ...own, owner: other }, 1_020n)).to.equal(0);
    expect(restores({ ...own, payloadUri: "ipfs://elsewhere" }, 1_020n)).to.equal(0);
    expect(restores({ ...own, status: "convictedMalice" }, 1_020n)).to.equal(0);
    expect(restores({ ...own, status: "convictedDowntime" }, 1_020n)).to.equal(1);
    // What is forgotten on purpose is not made again. Round 3 begins at slot 1,300.
    const late = { ...own, round: 1n };
    const long = (now: bigint, rounds: number): number => {
      const rules = { ...RULES, revealSlots: 500n };
      const seen = view({ node: worker, task: { ...task, rules }, submissions: [late] });
      const memory = { publicUrl: "https://me.example", keepPayloadRounds: rounds };
      return planned(seen, now, memory).duties.filter(({ kind }) => kind === "restore").length;
    };
    expect([long(1_399n, 2), long(1_400n, 2), long(1_400n, 3)]).to.deep.equal([1, 0, 1]);
  });

  it("is work that earns nothing where the pool is empty, which is said, or none where the node declines it", () => {
    const kinds = (seen: View, workUnpaid: boolean): [string[], bigint | null] => {
      const { duties, unpaid } = planned(seen, 1_000n, {}, {}, workUnpaid);
      return [duties.map(({ kind }) => kind), unpaid];
    };
    const empty = view({ node: worker });
    expect(kinds(empty, true)).to.deep.equal([["work"], 0n]);
    expect(kinds(empty, false)).to.deep.equal([[], 0n]);
    const funded = view({ node: worker, task: { ...task, pool: 1n } });
    const setAside = view({ node: worker, rounds: [roundOf({ payer: other })] });
    for (const seen of [funded, setAside]) {
      expect(kinds(seen, false)).to.deep.equal([["work"], null]);
    }
    const nothing = view({
      node: worker,
      rounds: [{ ...roundOf({ payer: other }), reserve: 0n }],
      task: { ...task, pool: 1n },
    });
    expect(kinds(nothing, false)).to.deep.equal([[], 0n]);
    const byRule = { ...task, rules: { ...task.rules, bountyPerRound: 0n } };
    expect(kinds(view({ node: worker, task: byRule }), false)).to.deep.equal([["work"], null]);
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
    const accused = planned(seen, 1_050n, { samples, checks }).duties;
    expect(accused).to.have.length(1);
    expect(accused[0]).to.include({
      kind: "accuse",
      accusation: "malice",
      index: 7,
      until: 1_090n,
    });
    const failed = [1, 2].map(() => ownOf(auditOf(submission, { outcome: "noVerdict" })));
    const after = (accusations: readonly OwnAccusation[]): readonly string[] =>
      due(seen, 1_050n, { samples, checks, accusations })[0];
    expect(after(failed)).to.deep.equal(["accuse"]);
    expect(after([...failed, ...failed.slice(1)])).to.deep.equal([]);
    const convicted = { ...submission, status: "convictedMalice" as const };
    const guilty = new Map([[convicted, "malice" as const]]);
    const found = due(view({ submissions: [convicted] }), 1_050n, { samples, checks: guilty });
    expect(found[0]).to.deep.equal([]);
  });

  it("is an accusation of what is held, once a verdict is milder than that and there is something new to say", () => {
    const of = (status: Submission["status"], memory: Memory, opinion: Judgement["opinion"]) => {
      const submission = submissionOf(other, { status, audits: 1, decided: 1 });
      const audit = auditOf(submission, {
        outcome: status === "acquitted" ? "acquitted" : "convictedDowntime",
        endSlot: 1_140n,
      });
      const seen = view({ task: long, submissions: [submission], audits: [audit] });
      return (now: bigint): readonly [readonly string[], bigint | null] =>
        due(seen, now, {
          samples: [other],
          ...(opinion !== null && { checks: new Map([[submission, opinion]]) }),
          ...memory,
        });
    };
    // Seen before the verdict: it answers that, and there is a look in the middle of what is left, 1,140 to 1,538.
    for (const status of ["acquitted", "convictedDowntime"] as const) {
      expect(of(status, { seen: 1_139n }, "malice")(1_139n)[0]).to.deep.equal([]);
      expect(of(status, { seen: 1_139n }, "malice")(1_507n)[0]).to.deep.equal(["check"]);
      expect(of(status, {}, null)(1_507n)[0]).to.deep.equal(["check"]);
      expect(of(status, { seen: 1_507n }, "malice")(1_507n)[0]).to.deep.equal(["accuse"]);
      expect(of(status, { seen: 1_507n }, "valid")(1_507n)[0]).to.deep.equal([]);
      // What the accused has signed does not age, and no verdict answers it.
      const signed = { seen: 1_045n, evidence: true, heard: 1_045n };
      expect(of(status, signed, "malice")(1_141n)[0]).to.deep.equal(["accuse"]);
    }
    expect(of("acquitted", { seen: 1_507n }, "downtime")(1_507n)[0]).to.deep.equal(["accuse"]);
    expect(of("convictedDowntime", { seen: 1_507n }, "downtime")(1_507n)[0]).to.deep.equal([]);
    const signed = { seen: 1_045n, evidence: true, heard: 1_045n };
    expect(of("convictedMalice", signed, "malice")(1_141n)[0]).to.deep.equal([]);
  });

  /** Slots at which a node looks at a piece of work that always looks valid. */
  function looks(
    submission: Submission,
    secret: Uint8Array,
    audits: readonly Audit[] = [],
  ): readonly bigint[] {
    const found: bigint[] = [];
    for (let now = 1_041n, seen = 0n; now < 1_540n; now++) {
      const checks = new Map(seen > 0n ? [[submission, "valid" as const]] : []);
      const opinions = new Map(audits.map((audit) => [audit, "valid" as const]));
      const votes = audits.map((audit) => voteOf(audit, "revealed"));
      const shown = view({ task: long, submissions: [submission], audits }, votes);
      const memory = { samples: [other], checks, seen, secret, opinions };
      if (!due(shown, now, memory, { resolve: false, claim: false })[0].includes("check")) continue;
      seen = now;
      found.push(now);
    }
    return found;
  }

  it("is three looks, each in another part of the window, at moments that nobody else can tell", () => {
    const submission = submissionOf(other);
    const many = Array.from({ length: 12 }, (_, at) =>
      looks(submission, new Uint8Array(32).fill(at)),
    );
    // From 1,041 to 1,506, so that there is time to accuse.
    for (const [first = 0n, second = 0n, third = 0n, ...more] of many) {
      expect(more).to.deep.equal([]);
      expect([first, third]).to.satisfy(() => first >= 1_041n && third < 1_507n);
      expect(first < 1_197n && second >= 1_196n && second < 1_352n && third >= 1_351n).to.equal(
        true,
      );
    }
    expect(new Set(many.map(String)).size).to.equal(12);
    // Whoever answers for 20 slots, and is dark for the rest, is seen dark.
    const up = (slot: bigint): boolean => slot >= 1_041n && slot < 1_061n;
    expect(many.every((slots) => slots.some((slot) => !up(slot)))).to.equal(true);
  });

  it("is no fewer looks for audits that friends of the accused open, and one more after each verdict", () => {
    const submission = submissionOf(other, { audits: 9, decided: 9 });
    const sham = (openSlot: bigint, changes: Partial<Audit> = {}): Audit =>
      auditOf(submission, { openSlot, revealSlot: openSlot, endSlot: openSlot + 60n, ...changes });
    const open = Array.from({ length: 9 }, (_, at) => sham(1_050n + 50n * BigInt(at)));
    const decided = open.slice(0, 3).map((one) => ({ ...one, outcome: "acquitted" as const }));
    const all = Array.from({ length: 3 }, (_, at) => {
      const secret = new Uint8Array(32).fill(at);
      const alone = looks(submission, secret);
      expect(looks(submission, secret, open)).to.deep.equal(alone);
      const after = looks({ ...submission, status: "acquitted" }, secret, decided);
      expect(after).to.include.members([...alone]);
      return after;
    });
    // Six each, but where two of them fall on one slot.
    expect(all.flat().length).to.be.within(15, 18);
  });

  it("is a look and an accusation by a juror that voted for more than the verdict, sampled or not", () => {
    const of = (status: Submission["status"], opinion: Opinion, signed: boolean) => {
      const submission = submissionOf(other, { status, audits: 1, decided: 1 });
      const audit = auditOf(submission, { outcome: "acquitted", endSlot: 1_140n });
      const seen = view({ task: long, submissions: [submission], audits: [audit] });
      const heard = signed ? { heard: 1_400n } : {};
      return due(seen, 1_507n, {
        samples: [],
        opinions: new Map([[audit, opinion]]),
        signed,
        ...heard,
      })[0];
    };
    expect(of("acquitted", "malice", false)).to.deep.equal(["check"]);
    expect(of("acquitted", "downtime", false)).to.deep.equal(["check"]);
    expect(of("convictedDowntime", "malice", false)).to.deep.equal(["check"]);
    expect(of("convictedDowntime", "downtime", false)).to.deep.equal([]);
    expect(of("acquitted", "valid", false)).to.deep.equal([]);
    expect(of("submitted", "malice", false)).to.deep.equal([]);
    for (const status of ["submitted", "acquitted", "convictedDowntime"] as const) {
      expect(of(status, "malice", true)).to.deep.equal(["accuse"]);
    }
  });

  it("is to wait for an open audit's verdict, and not so long that the window is over by then", () => {
    const submission = submissionOf(other, { audits: 1 });
    const of = (
      changes: Partial<Audit>,
      now: bigint,
      { said, ...memory }: Memory & { readonly said?: Judgement["opinion"] } = {},
    ) => {
      // Voted in already, so that the vote is not due.
      const audit = auditOf(submission, changes);
      const opinions = new Map(said === undefined ? [] : [[audit, said]]);
      const votes = audit.initiator.equals(me) ? [] : [voteOf(audit, "revealed")];
      const seen = view({ task: long, submissions: [submission], audits: [audit] }, votes);
      const checks = new Map([[submission, "malice" as const]]);
      const own = audit.initiator.equals(me) ? [ownOf(audit)] : [];
      return due(seen, now, { samples: [other], checks, opinions, accusations: own, ...memory });
    };
    // 32 slots for the verdict before the end, at 1,540. All of this node's own looks are before 1,507.
    expect(of({ endSlot: 1_508n }, 1_507n)).to.deep.equal([[], 1_508n]);
    const late = { endSlot: 1_509n };
    expect(of(late, 1_200n, { said: null })[0]).to.deep.equal(["accuse"]);
    // What this node says there already need not be asked twice, but where it has a proof that nobody else has.
    expect(of(late, 1_200n, { said: "malice" })[0]).to.deep.equal([]);
    const proof = { said: "malice" as const, evidence: true, heard: 1_150n };
    expect(of(late, 1_200n, proof)[0]).to.deep.equal([]);
    expect(of(late, 1_200n, { ...proof, handed: 0 })[0]).to.deep.equal(["hand", "accuse"]);
    // It need not look to know what it will say, however late it is.
    const sure = { evidence: true, heard: 1_150n };
    expect(of({ ...late, endSlot: 1_530n }, 1_510n, sure)[0]).to.deep.equal([]);
    expect(of({ ...late, endSlot: 1_530n }, 1_510n)[0]).to.deep.equal(["accuse"]);
    // Until it has looked.
    expect(of(late, 1_508n)[0]).to.deep.equal([]);
    // As a juror it saw nothing wrong, or less, from 1,050 on: what it saw before counts no more.
    for (const said of ["valid", "downtime"] as const) {
      expect(of(late, 1_195n, { said, seen: 1_049n })[0].includes("accuse")).to.equal(false);
      expect(of(late, 1_507n, { said, seen: 1_049n })[0]).to.deep.equal(["check"]);
      expect(of(late, 1_507n, { said, seen: 1_507n })[0]).to.deep.equal(["accuse"]);
    }
    // It may fail to look, and still wait for those who don't.
    expect(of({ endSlot: 1_508n }, 1_200n, { said: null })[0]).to.deep.equal([]);
    // Nobody resolves it.
    expect(of({ endSlot: 1_508n }, 1_508n)[0]).to.deep.equal(["resolve"]);
    expect(of({ endSlot: 1_508n }, 1_509n, { said: null })[0]).to.deep.equal(["accuse", "resolve"]);
    // What is held is looked at meanwhile, so that it is fresh.
    expect(of({ endSlot: 1_508n }, 1_300n, { seen: 1_100n })[0]).to.deep.equal(["check"]);
    const mine = { initiator: me, endSlot: 1_530n };
    expect(of({ ...mine, initiator: key() }, 1_200n, { said: null })[0]).to.deep.equal(["accuse"]);
    expect(of({ ...mine, accusation: "malice" }, 1_200n)[0]).to.deep.equal([]);
    expect(of({ ...mine, accusation: "downtime" }, 1_200n)[0]).to.deep.equal(["accuse"]);
    // The state may not know of it yet.
    const unknown = { accusations: [] };
    expect(of({ ...mine, accusation: "malice" }, 1_200n, unknown)[0]).to.deep.equal([]);
  });

  it("is an accusation by each node at another time, so that not all accuse at once, whatever it has", () => {
    for (const proof of [{}, { evidence: true, heard: 1_195n }]) {
      const turns = Array.from({ length: 80 }, () => {
        const submission = submissionOf(other);
        const checks = new Map([[submission, "malice" as const]]);
        const memory = { samples: [other], checks, seen: 1_195n, ...proof };
        const seen = view({ task: long, submissions: [submission] });
        const [first, at] = due(seen, 1_195n, memory, { spreadSlots: 5 });
        expect(due(seen, 1_199n, memory, { spreadSlots: 5 })[0]).to.satisfy(
          // Where the second look is due by then, that comes first.
          ([kind]: readonly string[]) => kind === "accuse" || kind === "check",
        );
        return first.length > 0 ? 1_195n : at;
      });
      expect(new Set(turns)).to.deep.equal(new Set([1_195n, 1_196n, 1_197n, 1_198n, 1_199n]));
    }
  });

  it("is evidence handed to others before it accuses, and no accusation of old evidence that nobody took", () => {
    const submission = submissionOf(other);
    const checks = new Map([[submission, "malice" as const]]);
    const of = (now: bigint, memory: Memory, changes: Partial<View> = {}): readonly string[] =>
      due(view({ task: long, submissions: [submission], ...changes }), now, {
        ...{ samples: [other], checks, seen: 1_100n, evidence: true, heard: 1_100n },
        ...memory,
      })[0];
    const seen = view({ task: long, submissions: [submission] });
    const untold = { samples: [other], checks, seen: 1_100n, evidence: true };
    expect(due(seen, 1_100n, untold)[0]).to.deep.equal(["hand"]);
    expect(of(1_100n, { handed: 1 })).to.deep.equal(["accuse"]);
    expect(of(1_500n, { handed: 1 })).to.deep.equal(["accuse"]);
    // Who is gone may have lied to this node alone.
    expect(of(1_250n, { handed: 0 })).to.deep.equal(["hand", "accuse"]);
    expect(of(1_251n, { handed: 0 })).to.deep.equal(["hand"]);
    // Who serves it itself hands it on all the same, and then accuses, however old it is and whether anybody took it or not.
    // Its own work is none that it would accuse.
    const payloadUri = "http://me/payload/00";
    const mine = submissionOf(me, { payloadUri, status: "convictedMalice" });
    const serving = { samples: [other], checks, evidence: true, publicUrl: "http://me/" };
    const both = view({ task: long, submissions: [submission, mine] });
    const by = (memory: Memory): readonly string[] =>
      due(both, 1_251n, { ...serving, heard: 1_100n, ...memory })[0];
    expect(due(both, 1_251n, serving)[0]).to.deep.equal(["hand"]);
    expect(by({ handed: 0 })).to.deep.equal(["hand", "accuse"]);
    expect(by({ handed: 1 })).to.deep.equal(["accuse"]);
    // Until the last vote, which may be 90 slots after the window.
    const last = 1_540n + RULES.commitSlots + RULES.revealSlots;
    expect(of(last - 1n, { handed: 0, samples: [] })).to.deep.equal(["hand"]);
    expect(of(last, { handed: 0, samples: [] })).to.deep.equal([]);
    const convicted = { ...submission, status: "convictedMalice" as const };
    expect(of(1_100n, { handed: 0 }, { submissions: [convicted] })).to.deep.equal([]);
  });

  it("is never the same accusation on the same evidence, once it failed", () => {
    const after = (
      changes: Partial<Audit>,
      status: Submission["status"] = "acquitted",
    ): readonly string[] => {
      const submission = submissionOf(other, { status, audits: 1, decided: 1 });
      const accusations = [ownOf(auditOf(submission, { initiator: me, ...changes }))];
      const seen = view({ task: long, submissions: [submission] });
      return due(seen, 1_150n, { samples: [other], heard: 1_100n, accusations })[0];
    };
    expect(after({ outcome: "acquitted" })).to.deep.equal([]);
    expect(after({ outcome: "noVerdict" })).to.deep.equal(["accuse"]);
    expect(after({ outcome: "convictedDowntime" })).to.deep.equal(["accuse"]);
    expect(after({ outcome: "acquitted", accusation: "downtime" })).to.deep.equal(["accuse"]);
    // It was closed before this node saw how it ended, or is not seen yet.
    expect(after({ outcome: "open" })).to.deep.equal([]);
    expect(after({ outcome: "open" }, "submitted")).to.deep.equal(["accuse"]);
    expect(after({ outcome: "open" }, "convictedDowntime")).to.deep.equal(["accuse"]);
    expect(after({ outcome: "open", endSlot: 1_151n }, "submitted")).to.deep.equal([]);
    const downtime = { outcome: "open", accusation: "downtime" } as const;
    expect(after({ ...downtime, endSlot: 1_150n })).to.deep.equal(["accuse"]);
  });

  it("is another look at what was seen longer ago than 150 slots, and no accusation of that", () => {
    // One of whose looks none falls between the slots below.
    const address = new PublicKey(Buffer.alloc(32, 9));
    const submission = submissionOf(other, { address });
    const seen = view({ submissions: [submission] });
    const memory = { samples: [other], checks: new Map([[submission, "downtime" as const]]) };
    const wide = { ...long, rules: { ...long.rules, auditSlots: 5_000n, roundSlots: 9_000n } };
    const at = (now: bigint, more: Memory = {}): readonly string[] =>
      due({ ...seen, task: wide }, now, { ...memory, seen: 2_700n, ...more })[0];
    expect(at(2_850n)).to.deep.equal(["accuse"]);
    expect(at(2_851n)).to.deep.equal(["check"]);
    // Nothing that could be done with the answer.
    const spent = [1, 2, 3].map(() => ownOf(auditOf(submission, { outcome: "noVerdict" })));
    expect(at(2_851n, { accusations: spent })).to.deep.equal([]);
    expect(at(2_851n, { checks: new Map([[submission, "valid" as const]]) })).to.deep.equal([]);
  });

  it("is only what the operator's SOL pays for, and owed reveals come before all", () => {
    const of = (lamports: bigint, changes: Partial<View>, votes: readonly Vote[] = []): Plan =>
      planned(view({ operatorLamports: Number(rentOf(0) + lamports), ...changes }, votes), 1_030n, {
        works: [work],
        opinions: new Map(audits.map((one) => [one, "malice" as const])),
      });
    const kinds = ({ duties }: Plan): string[] => duties.map(({ kind }) => kind);
    const submissions = [submissionOf(other, { audits: 2 })];
    const [first, second] = [submissionOf(other), submissionOf(third)].map((one) =>
      auditOf(one, { initiator: key(), openSlot: 1_020n, revealSlot: 1_065n }),
    ) as [Audit, Audit];
    const audits = [first, second];
    const work: Work = { round: 0n, hash: "", payload: new Uint8Array() };

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

  describe("and a sponsor pays for", () => {
    const payer = key();
    const submissions = [submissionOf(other, { audits: 2 })];
    const [first, second] = [submissionOf(other), submissionOf(third)].map((one) =>
      auditOf(one, { initiator: key(), openSlot: 1_020n, revealSlot: 1_065n }),
    ) as [Audit, Audit];
    const audits = [first, second];
    const by = (
      left: bigint | null,
      now: bigint,
      changes: Partial<View>,
      votes: readonly Vote[] = [],
    ) => {
      const { duties, short } = planned(view({ operatorLamports: 0, ...changes }, votes), now, {
        samples: [],
        sponsor: { address: payer, left },
        opinions: new Map(audits.map((one) => [one, "malice" as const])),
      });
      return [duties.map(({ kind }) => kind), short] as const;
    };

    it("is as much as it may be asked for, whatever the operator has, and owed reveals come before all", () => {
      expect(by(4n, 1_030n, { submissions, audits })).to.deep.equal([["commit", "commit"], false]);
      expect(by(3n, 1_030n, { submissions, audits })).to.deep.equal([["commit"], true]);
      const owing = [voteOf(first, "committed")];
      expect(by(3n, 1_030n, { submissions, audits }, owing)).to.deep.equal([["commit"], false]);
      expect(by(2n, 1_030n, { submissions, audits }, owing)).to.deep.equal([[], true]);
      const reveals = by(0n, 1_070n, { submissions, audits }, owing);
      expect(reveals).to.deep.equal([["reveal"], false]);
      const over = auditOf(submissionOf(other), { attempt: 0, endSlot: 1_060n, initiator: key() });
      const chore = { submissions: [{ ...submissionOf(other), address: over.submission }] };
      const resolved = (left: bigint) => by(left, 1_100n, { ...chore, audits: [over] })[0];
      expect([resolved(9n), resolved(8n)]).to.deep.equal([["resolve"], []]);
    });

    it("is what its rent is to come back of, and what the operator pays where it does not", () => {
      const paid = auditOf(submissionOf(other), {
        initiator: key(),
        outcome: "noVerdict",
        payer,
      });
      const seen = { audits: [paid], rounds: [roundOf({ payer, liveSubmissions: 0 })] };
      const close = ["closeAudit", "closeRound"];
      expect(by(10n, 1_300n, seen)[0]).to.deep.equal(close);
      const strangers = {
        audits: [{ ...paid, payer: key() }],
        rounds: [roundOf({ payer: key() })],
      };
      expect(by(10n, 1_300n, strangers)[0]).to.deep.equal([]);
      expect(by(null, 1_300n, seen)).to.deep.equal([[], true]);
      expect(by(null, 1_300n, { ...seen, operatorLamports: 1_000_000_000 })[0]).to.deep.equal(
        close,
      );
    });
  });

  it("is no accusation by who has no say, can't pay the bond, or where the task is paused", () => {
    const submission = submissionOf(other);
    const memory = { samples: [other], checks: new Map([[submission, "downtime" as const]]) };
    const by = (node: Node, changed: Task = task): readonly string[] =>
      due(view({ node, task: changed, submissions: [submission] }), 1_050n, memory)[0];
    expect(by(witness)).to.deep.equal(["accuse"]);
    expect(by({ ...witness, joinedSlot: 1_010n })).to.deep.equal([]);
    const young = (amount: bigint): Node => ({
      ...witness,
      arrivals: [{ slot: 1_010n, amount }],
    });
    expect(by(young(501n))).to.deep.equal([]);
    expect(by(young(500n))).to.deep.equal(["accuse"]);
    expect(by({ ...witness, stake: 1_000n })).to.deep.equal(["accuse"]);
    expect(by({ ...witness, leaving: 501n })).to.deep.equal([]);
    // Own open accusations alone count, with a bond of 101 each.
    expect(by({ ...witness, bonds: 1_399n })).to.deep.equal(["accuse"]);
    expect(by({ ...witness, bonds: 1_400n })).to.deep.equal([]);
    expect(by({ ...witness, openAudits: 9, commitments: 9 })).to.deep.equal(["accuse"]);
    expect(by(witness, { ...task, status: "paused" })).to.deep.equal([]);
    expect(by(witness, { ...task, status: "retired" })).to.deep.equal(["accuse"]);
  });

  it("is an opinion on an audit first, then the vote, and none by a party or where there is no opinion", () => {
    const submission = submissionOf(other, { audits: 1 });
    const audit = auditOf(submission);
    const of = (changed: Audit, now: bigint, memory: Memory = {}): readonly string[] =>
      due(view({ submissions: [submission], audits: [changed] }), now, {
        samples: [],
        ...memory,
      })[0];
    // In the first quarter of the window, which begins at 1,050 and ends at 1,080, at a moment of its own.
    const judges = Array.from({ length: 40 }, (_, at) => {
      const secret = new Uint8Array(32).fill(at);
      return [1_050n, 1_051n, 1_052n, 1_053n, 1_054n, 1_055n, 1_056n].find((slot) =>
        of(audit, slot, { secret }).includes("judge"),
      );
    });
    expect(new Set(judges)).to.deep.equal(
      new Set([1_050n, 1_051n, 1_052n, 1_053n, 1_054n, 1_055n, 1_056n]),
    );
    expect(of(audit, 1_060n)).to.deep.equal(["judge"]);
    // With a proof at once.
    expect(of(audit, 1_050n, { heard: 1_049n })).to.deep.equal(["judge"]);
    // Others may bring a proof of more than that until three eighths of the window are over.
    const opinions = new Map([[audit, "valid" as const]]);
    expect(of(audit, 1_060n, { opinions })).to.deep.equal([]);
    expect(of(audit, 1_061n, { opinions })).to.deep.equal(["cast valid"]);
    expect(of(audit, 1_077n, { opinions })).to.deep.equal(["cast valid"]);
    expect(of(audit, 1_078n, { opinions })).to.deep.equal([]);
    const guilty = new Map([[audit, "malice" as const]]);
    expect(of(audit, 1_050n, { opinions: guilty })).to.deep.equal(["cast malice"]);
    expect(of(audit, 1_060n, { opinions: new Map([[audit, null]]) })).to.deep.equal([]);
    expect(of({ ...audit, initiator: me }, 1_060n)).to.deep.equal([]);
    expect(of({ ...audit, accused: me }, 1_060n)).to.deep.equal([]);
    expect(of({ ...audit, submissionSlot: 900n }, 1_060n)).to.deep.equal([]);
    expect(of({ ...audit, voteDeposit: 5_000n }, 1_060n)).to.deep.equal(["judge"]);
  });

  it("is a vote in every open audit of a work, by a node at its minimum and whatever is pledged or accused", () => {
    const submission = submissionOf(other, { audits: 3 });
    const audits = [0, 1, 2].map((attempt) => auditOf(submission, { attempt }));
    const opinions = new Map(audits.map((audit) => [audit, "malice" as const]));
    const node = { ...witness, stake: 1_000n, bonds: 1_000n, commitments: 500, openAudits: 9 };
    const seen = view({ node, submissions: [submission], audits });
    expect(due(seen, 1_060n, { samples: [] })[0]).to.deep.equal(["judge", "judge", "judge"]);
    expect(due(seen, 1_060n, { samples: [], opinions })[0]).to.deep.equal(
      audits.map(() => "cast malice"),
    );
  });

  it("is a commitment before the reveal window and the reveal in it", () => {
    const submission = submissionOf(other, { audits: 1 });
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
    // A reveal that was missed before an appeal is not taken after it; one that came for it is.
    const appealed = { ...audit, appealSlot: 1_060n };
    const vote = voteOf(audit, "committed");
    const missed = view({ submissions, audits: [appealed] }, [vote]);
    expect(due(missed, 1_065n, { ...memory, keepers: ["https://a"] })[0]).to.deep.equal([]);
    const second = view({ submissions, audits: [appealed] }, [{ ...vote, onAppeal: true }]);
    expect(due(second, 1_065n, memory)[0]).to.deep.equal(["reveal"]);
  });

  it("is told to keepers when nobody can commit any more, and before only where they may know it", () => {
    const submission = submissionOf(other, { audits: 1 });
    const audit = auditOf(submission, { revealSlot: 1_065n });
    const memory = { samples: [], keepers: ["https://a", "https://b"] };
    const on = { submissions: [submission], audits: [audit] };
    const committed = view(on, [voteOf(audit, "committed")]);
    expect(due(committed, 1_064n, memory)).to.deep.equal([[], 1_065n]);
    expect(due(committed, 1_065n, memory)[0]).to.deep.equal(["entrust", "reveal"]);
    const half = { ...memory, entrusted: ["https://a"] };
    expect(due(committed, 1_065n, half)[0]).to.deep.equal(["entrust", "reveal"]);
    const all = { ...memory, entrusted: ["https://b", "https://a"] };
    expect(due(committed, 1_065n, all)[0]).to.deep.equal(["reveal"]);
    expect(due(committed, 1_051n, { ...memory, keepersEarly: true })[0]).to.deep.equal(["entrust"]);
    const revealed = view(on, [voteOf(audit, "revealed")]);
    expect(due(revealed, 1_065n, memory)[0]).to.deep.equal([]);
  });

  it("of another that this node keeps is revealed in the second half of the window, after all that is its own", () => {
    const submission = submissionOf(other, { audits: 1 });
    const [revealSlot, endSlot] = [1_100n, 1_200n];
    const audit = auditOf(submission, { revealSlot, endSlot });
    const secret = { audit: audit.address, voter: other, opinion: "malice" as const };
    const kept = [sealReveal(task.address, { ...secret, salt: new Uint8Array(32) })];
    const memory = { samples: [], kept };
    const seen = view({ submissions: [submission], audits: [audit] });
    const [none, at] = due(seen, 1_149n, memory);
    expect(none).to.deep.equal([]);
    expect(at !== null && at >= 1_150n && at < 1_175n, String(at)).to.equal(true);
    expect(due(seen, 1_174n, memory)[0]).to.deep.equal(["revealFor"]);
    expect(due(seen, 1_198n, memory)[0]).to.deep.equal([]);
    expect(due(view({ submissions: [submission] }), 1_174n, memory)[0]).to.deep.equal([]);
    const poor = view({ submissions: [submission], audits: [audit], operatorLamports: 1_000_000 });
    expect(due(poor, 1_174n, memory)[0]).to.deep.equal([]);
    expect(planned(poor, 1_174n, memory).short).to.equal(true);
  });

  it("is a verdict after the votes, by each node at another time", () => {
    const submission = submissionOf(other, { audits: 1 });
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

  it("is a verdict in the order in which the audits of a work were opened", () => {
    const submission = submissionOf(other, { audits: 3 });
    const audits = [2, 0, 1].map((attempt) => auditOf(submission, { attempt }));
    const turn = (decided: number): readonly (Audit | undefined)[] =>
      planned(view({ submissions: [{ ...submission, decided }], audits }), 1_080n, {
        samples: [],
      }).duties.map((duty) => (duty.kind === "resolve" ? duty.audit : undefined));
    expect(turn(0)).to.deep.equal([audits[1]]);
    expect(turn(1)).to.deep.equal([audits[2]]);
    expect(turn(2)).to.deep.equal([audits[0]]);
  });

  describe("for others, or to tidy up,", () => {
    const vote = rent("vote") + 2n * FEE;
    const of = (lamports: bigint, changes: Partial<View>, votes: readonly Vote[] = []) => {
      const rich = { operatorLamports: Number(rentOf(0) + lamports), ...changes };
      const { duties, short } = planned(view(rich, votes), 1_300n, { samples: [] });
      return [duties.map(({ kind }) => kind), short] as const;
    };
    const over = submissionOf(other, { audits: 9 });
    const open = auditOf(over, { initiator: key(), attempt: 0 });
    const decided = auditOf(over, { initiator: me, payer: operator, outcome: "noVerdict" });

    it("is nothing that spends what four votes to come cost, however many there are", () => {
      const submissions = [over, submissionOf(third, { audits: 1 })];
      const second = auditOf(submissions[1] ?? over, { attempt: 0 });
      const two = { submissions, audits: [open, second] };
      const all = ["resolve", "resolve"];
      expect(of(4n * vote + 2n * FEE, two)).to.deep.equal([all, false]);
      expect(of(4n * vote + 2n * FEE - 1n, two)).to.deep.equal([["resolve"], true]);
      expect(of(4n * vote, two)).to.deep.equal([[], true]);
      // A sweep takes two transactions for each vote.
      const sweep = { submissions: [over], audits: [{ ...decided, liveVotes: 3 }] };
      expect(of(4n * vote + 6n * FEE, sweep)).to.deep.equal([["sweepAudit"], false]);
      expect(of(4n * vote + 6n * FEE - 1n, sweep)).to.deep.equal([[], true]);
      const gone = { rounds: [roundOf({ payer: operator })], submissions: [submissionOf(other)] };
      expect(of(4n * vote + FEE, gone)).to.deep.equal([["claimBounty"], false]);
      expect(of(4n * vote + FEE - 1n, gone)).to.deep.equal([[], true]);
    });

    it("is what gives its own rent back, of all but the votes and reveals that are due", () => {
      const pending = auditOf(over, {
        initiator: key(),
        openSlot: 1_280n,
        revealSlot: 1_310n,
        endSlot: 1_350n,
        attempt: 1,
      });
      const mine = { submissions: [over], audits: [decided] };
      expect(of(FEE, mine)).to.deep.equal([["closeAudit"], false]);
      expect(of(FEE - 1n, mine)).to.deep.equal([[], true]);
      const owed = { ...mine, audits: [decided, pending] };
      const owing = [voteOf(pending, "committed")];
      expect(of(2n * FEE, owed, owing)[0]).to.deep.equal(["closeAudit"]);
      expect(of(2n * FEE - 1n, owed, owing)[0]).to.deep.equal([]);
      // Before there is an opinion too.
      expect(of(vote + FEE, owed)[0]).to.deep.equal(["judge", "closeAudit"]);
      expect(of(vote + FEE - 1n, owed)[0]).to.deep.equal(["judge"]);
      const voted = { submissions: [over], audits: [{ ...decided, initiator: other }] };
      for (const [state, kind] of [
        ["revealed", "claimVote"],
        ["claimed", "closeVote"],
      ] as const) {
        const votes = voted.audits.map((audit) => voteOf(audit, state));
        expect(of(FEE, voted, votes)).to.deep.equal([[kind], false]);
        expect(of(FEE - 1n, voted, votes)).to.deep.equal([[], true]);
      }
      const work = { rounds: [roundOf()], submissions: [submissionOf(me, { payer: operator })] };
      expect(of(FEE, work)).to.deep.equal([["claimBounty"], false]);
      expect(of(FEE - 1n, work)).to.deep.equal([[], true]);
      const paid = {
        ...work,
        submissions: work.submissions.map((one) => ({ ...one, paid: true })),
      };
      expect(of(FEE, paid)).to.deep.equal([["closeSubmission"], false]);
      expect(of(FEE - 1n, paid)).to.deep.equal([[], true]);
      const round = { rounds: [roundOf({ payer: operator, liveSubmissions: 0 })] };
      expect(of(FEE, round)).to.deep.equal([["closeRound"], false]);
      expect(of(FEE - 1n, round)).to.deep.equal([[], true]);
    });
  });

  it("is to claim and close its own vote, and then the audit that it opened", () => {
    const submission = submissionOf(other, { status: "convictedMalice", liveAudits: 1 });
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
    const convicted = { ...mine, status: "convictedDowntime" as const };
    expect(of({ submissions: [convicted] }, 1_089n)).to.deep.equal([[], 1_090n]);
    expect(of({ submissions: [convicted] }, 1_090n)[0]).to.deep.equal(["closeSubmission"]);
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

describe("what is due of panels and appeals", () => {
  /** Of the same round: votes take 600 slots to commit and 100 to reveal, and may be appealed for 100 more. */
  const rules: Task["rules"] = {
    ...RULES,
    roundSlots: 10_000n,
    auditSlots: 500n,
    commitSlots: 600n,
    revealSlots: 100n,
    appealSlots: 100n,
    appealBond: 60n,
    panelSeats: 3,
  };
  const seed = new Uint8Array(32).fill(5);
  /** Of which this node always has a seat, and of which hardly ever. */
  const few = 1_500n;
  const many = 1_500n << 40n;
  const submission = submissionOf(other, { audits: 1 });
  const undrawn = auditOf(submission, {
    drawSlot: 1_058n,
    revealSlot: 1_650n,
    endSlot: 1_750n,
    eligible: { stake: few, nodes: 1 },
    rules,
  });
  const seated = { ...undrawn, seed };
  const unseated = { ...seated, eligible: { stake: many, nodes: 1 } };
  const appealed: Audit = {
    ...unseated,
    appealSlot: 1_760n,
    revealSlot: 2_360n,
    endSlot: 2_460n,
    firstOutcome: "acquitted",
    appellant: third,
  };
  const of = (
    audit: Audit,
    now: bigint,
    memory: Memory = {},
    votes: readonly Vote[] = [],
    changes: Partial<View> = {},
  ): ReturnType<typeof due> => {
    const submissions = [submission];
    const seen = view(
      { task: { ...task, rules }, submissions, audits: [audit], ...changes },
      votes,
    );
    return due(seen, now, { samples: [], ...memory });
  };

  it("is the draw of the panel of an own accusation, from one slot after the draw slot on", () => {
    const own = { ...undrawn, initiator: me };
    expect(of(own, 1_058n)).to.deep.equal([[], 1_059n]);
    expect(of(own, 1_059n)[0]).to.deep.equal(["draw"]);
    expect(of(own, 1_313n)[0]).to.deep.equal(["draw"]);
    expect(of(own, 1_314n)[0]).to.deep.equal([]);
    const { duties } = planned(view({ task: { ...task, rules }, audits: [own] }), 1_060n);
    expect(duties[0]).to.include({ kind: "draw", until: 1_314n });
    expect(of({ ...own, seed }, 1_060n)[0]).to.deep.equal([]);
    expect(of(undrawn, 1_060n)[0]).to.deep.equal([]);
    expect(of({ ...own, outcome: "noVerdict" }, 1_060n)[0]).to.not.include("draw");
    // A task without panels.
    expect(of({ ...own, drawSlot: 0n }, 100n)[0]).to.deep.equal([]);
  });

  it("is no look by who has no seat, nor before the panel is drawn; undrawn it is everybody's", () => {
    const judges = (audit: Audit, memory: Memory = {}): bigint | undefined =>
      Array.from({ length: 600 }, (_, at) => 1_050n + BigInt(at)).find((slot) =>
        of(audit, slot, memory)[0].includes("judge"),
      );
    // 84 slots are a quarter of what is left when no panel can be drawn any more.
    expect(Number(judges(seated))).to.be.within(1_314, 1_397);
    expect(judges(unseated)).to.equal(undefined);
    expect(Number(judges({ ...undrawn, eligible: { stake: many, nodes: 1 } }))).to.be.within(
      1_314,
      1_397,
    );
    expect(of(undrawn, 1_057n)[1]).to.equal(1_059n);
    expect(of(undrawn, 1_060n)).to.deep.equal([[], 1_314n]);
    const moments = Array.from({ length: 40 }, (_, at) =>
      judges(seated, { secret: new Uint8Array(32).fill(at) }),
    );
    expect(new Set(moments).size).to.be.above(10);
    // With a proof at once, but not before the draw.
    expect(judges(seated, { heard: 1_049n })).to.equal(1_050n);
    expect(judges(undrawn, { heard: 1_049n })).to.equal(1_314n);
  });

  it("is the vote of who is seated, three eighths of the time after the last draw", () => {
    for (const audit of [seated, undrawn]) {
      const memory = { opinions: new Map([[audit, "valid" as const]]) };
      expect(of(audit, 1_439n, memory)[0]).to.deep.equal([]);
      expect(of(audit, 1_440n, memory)[0]).to.deep.equal(["commit valid"]);
      expect(of(audit, 1_647n, memory)[0]).to.deep.equal(["commit valid"]);
      expect(of(audit, 1_648n, memory)[0]).to.deep.equal([]);
    }
    const guilty = { opinions: new Map([[seated, "malice" as const]]) };
    expect(of(seated, 1_059n, guilty)[0]).to.deep.equal(["commit malice"]);
    expect(
      of(undrawn, 1_313n, { opinions: new Map([[undrawn, "malice" as const]]) })[0],
    ).to.deep.equal([]);
    const without = { opinions: new Map([[unseated, "malice" as const]]) };
    expect(of(unseated, 1_500n, without)[0]).to.deep.equal([]);
  });

  it("is the look and the vote of all after an appeal, but of who has voted", () => {
    const first = Array.from({ length: 400 }, (_, at) => 1_760n + BigInt(at)).find((slot) =>
      of(appealed, slot)[0].includes("judge"),
    );
    expect(Number(first)).to.be.within(1_760, 1_909);
    const memory = { opinions: new Map([[appealed, "valid" as const]]) };
    expect(of(appealed, 1_984n, memory)[0]).to.deep.equal([]);
    expect(of(appealed, 1_985n, memory)[0]).to.deep.equal(["commit valid"]);
    expect(of(appealed, 2_357n, memory)[0]).to.deep.equal(["commit valid"]);
    expect(of(appealed, 2_358n, memory)[0]).to.deep.equal([]);
    const voted = [voteOf(appealed, "revealed")];
    expect(of(appealed, 2_000n, memory, voted)[0]).to.deep.equal([]);
  });

  it("is the reveal of what was committed for the running count, and none of what an appeal made late", () => {
    const before = voteOf(seated, "committed");
    const late = { ...before, audit: appealed.address };
    const after = { ...late, onAppeal: true };
    expect(of(seated, 1_649n, {}, [before])).to.deep.equal([[], 1_650n]);
    expect(of(seated, 1_650n, {}, [before])[0]).to.deep.equal(["reveal"]);
    expect(of(seated, 1_749n, {}, [before])[0]).to.deep.equal(["reveal"]);
    expect(of(seated, 1_750n, {}, [before])[0]).to.deep.equal([]);
    expect(of(appealed, 2_360n, {}, [late])[0]).to.deep.equal([]);
    expect(of(appealed, 2_359n, {}, [after])).to.deep.equal([[], 2_360n]);
    expect(of(appealed, 2_360n, {}, [after])[0]).to.deep.equal(["reveal"]);
    expect(of(appealed, 2_459n, {}, [after])[0]).to.deep.equal(["reveal"]);
    expect(of(appealed, 2_460n, {}, [after])[0]).to.deep.equal(["resolve"]);
  });

  it("is a verdict once nobody can appeal, or right after the votes of an appeal", () => {
    expect(of(seated, 1_849n)).to.deep.equal([[], 1_850n]);
    expect(of(seated, 1_850n)[0]).to.deep.equal(["resolve"]);
    expect(of(appealed, 2_459n)).to.deep.equal([[], 2_460n]);
    expect(of(appealed, 2_460n)[0]).to.deep.equal(["resolve"]);
  });

  const votes = (valid: number, downtime: number, malice: number): Audit["votes"] => ({
    valid: { nodes: valid, stake: 0n },
    downtime: { nodes: downtime, stake: 0n },
    malice: { nodes: malice, stake: 0n },
  });
  const convicted = { ...seated, votes: votes(0, 0, 3) };
  const down = { ...seated, votes: votes(0, 2, 1) };
  const acquitted = { ...seated, votes: votes(2, 0, 1) };
  const undecided = { ...seated, votes: votes(1, 0, 1) };

  it("is an appeal by the accused whose work was convicted, where it made it, once and in time", () => {
    const accused = (audit: Audit): Audit => ({ ...audit, accused: me });
    const made = { works: [{ round: 0n, hash: "02".repeat(32), payload: new Uint8Array() }] };
    for (const audit of [convicted, down]) {
      expect(of(accused(audit), 1_749n, made)).to.deep.equal([[], 1_750n]);
      expect(of(accused(audit), 1_750n, made)[0]).to.deep.equal(["appeal valid"]);
      expect(of(accused(audit), 1_847n, made)[0]).to.deep.equal(["appeal valid"]);
      expect(of(accused(audit), 1_848n, made)[0]).to.deep.equal([]);
      expect(of(accused(audit), 1_750n)[0]).to.deep.equal([]);
      const works = [{ round: 0n, hash: "03".repeat(32), payload: new Uint8Array() }];
      expect(of(accused(audit), 1_750n, { works })[0]).to.deep.equal([]);
      expect(of(accused(audit), 1_750n, { ...made, appeal: false })[0]).to.deep.equal([]);
      const again = { ...accused(audit), appealSlot: 1_750n };
      expect(of(again, 1_750n, made)[0]).to.deep.equal(["resolve"]);
    }
    for (const audit of [acquitted, undecided]) {
      // Another vote may still come.
      expect(of(accused(audit), 1_749n, made)).to.deep.equal([[], 1_750n]);
      expect(of(accused(audit), 1_750n, made)[0]).to.deep.equal([]);
    }
    const without = { task: { ...task, rules: { ...rules, appealSlots: 0n } } };
    expect(of(accused(convicted), 1_750n, made, [], without)[0]).to.deep.equal(["resolve"]);
  });

  it("is an appeal by the initiator whose accusation failed, if it still sees what it accused of", () => {
    for (const audit of [acquitted, undecided]) {
      const own = { ...audit, initiator: me };
      const saw = (opinion: Judgement["opinion"], seen: bigint): readonly string[] =>
        of(own, 1_760n, { checks: new Map([[submission, opinion]]), seen })[0];
      expect(of(own, 1_749n)).to.deep.equal([[], 1_750n]);
      expect(of(own, 1_750n)[0]).to.deep.equal(["check"]);
      expect(saw("malice", 1_749n)).to.deep.equal(["check"]);
      expect(saw("malice", 1_750n)).to.deep.equal(["appeal malice"]);
      expect(saw("downtime", 1_750n)).to.deep.equal(["appeal downtime"]);
      expect(saw("valid", 1_750n)).to.deep.equal([]);
      expect(saw(null, 1_750n)).to.deep.equal([]);
      // What the accused signed needs no other look; but where nobody took it, nobody would believe it.
      expect(of(own, 1_750n, { heard: 1_045n })[0]).to.deep.equal(["appeal malice"]);
      expect(of(own, 1_750n, { heard: 1_045n, handed: 0 })[0]).to.deep.equal(["hand"]);
      expect(of(own, 1_750n, { appeal: false })[0]).to.deep.equal([]);
    }
    for (const audit of [convicted, down]) {
      expect(of({ ...audit, initiator: me }, 1_750n)[0]).to.deep.equal([]);
    }
  });

  it("is an appeal by a third node that saw otherwise in the votes' time, at a moment of its own", () => {
    const judged = (audit: Audit, opinion: Judgement["opinion"], more: Memory = {}) =>
      of(audit, 1_799n, { opinions: new Map([[audit, opinion]]), ...more })[0];
    for (const audit of [convicted, down]) {
      expect(judged(audit, "valid")).to.deep.equal(["appeal valid"]);
      expect(judged(audit, "malice")).to.deep.equal([]);
      expect(judged(audit, null)).to.deep.equal([]);
    }
    for (const audit of [acquitted, undecided]) {
      expect(judged(audit, "valid")).to.deep.equal([]);
      expect(judged(audit, "downtime")).to.deep.equal(["check"]);
      const fresh = { checks: new Map([[submission, "downtime" as const]]), seen: 1_790n };
      expect(judged(audit, "downtime", fresh)).to.deep.equal(["appeal downtime"]);
      // Who is down by now was not for this juror.
      expect(judged(audit, "valid", fresh)).to.deep.equal([]);
    }
    const checked = (audit: Audit, opinion: Judgement["opinion"], seen: bigint) =>
      of(audit, 1_799n, { checks: new Map([[submission, opinion]]), seen })[0];
    expect(of(convicted, 1_799n)[0]).to.deep.equal([]);
    expect(checked(convicted, "valid", 1_049n)).to.deep.equal([]);
    expect(checked(convicted, "valid", 1_050n)).to.deep.equal(["appeal valid"]);
    expect(checked(down, "valid", 1_749n)).to.deep.equal(["appeal valid"]);
    // Who is up by now may have been down.
    expect(checked(down, "valid", 1_750n)).to.deep.equal([]);
    expect(checked(convicted, "valid", 1_750n)).to.deep.equal(["appeal valid"]);
    expect(checked(acquitted, "malice", 1_049n)).to.deep.equal([]);
    expect(checked(acquitted, "malice", 1_050n)).to.deep.equal(["check"]);

    const moments = Array.from({ length: 60 }, () => {
      const one = { ...convicted, address: key() };
      const memory = { opinions: new Map([[one, "valid" as const]]) };
      const [now, at] = of(one, 1_750n, memory);
      if (now.length > 0) return 1_750n;
      const [before, after] = [of(one, (at ?? 0n) - 1n, memory), of(one, at ?? 0n, memory)];
      expect([before[0], after[0]]).to.deep.equal([[], ["appeal valid"]]);
      return at;
    });
    expect(new Set(moments).size).to.be.above(20);
    for (const moment of moments) expect(Number(moment)).to.be.within(1_750, 1_799);
  });

  it("is what the operator's SOL pays for: the fees of draws are put aside as those of reveals are", () => {
    const own = { ...undrawn, initiator: me };
    const accused = { ...convicted, accused: me };
    const paid = (lamports: bigint, audits: readonly Audit[], now: bigint, ...cast: Vote[]) => {
      const seen = view(
        {
          task: { ...task, rules },
          operatorLamports: Number(rentOf(0) + lamports),
          submissions: [submission],
          audits,
        },
        cast,
      );
      const works = [{ round: 0n, hash: "02".repeat(32), payload: new Uint8Array() }];
      const opinions = new Map(audits.map((one) => [one, "malice" as const]));
      return planned(seen, now, { samples: [], works, opinions }).duties.map(({ kind }) => kind);
    };
    const vote = rent("vote") + 2n * FEE;
    const second = { ...seated, address: key() };
    expect(paid(vote + FEE, [own, second], 1_060n)).to.deep.equal(["draw", "commit"]);
    expect(paid(vote + FEE - 1n, [own, second], 1_060n)).to.deep.equal(["draw"]);
    expect(paid(FEE, [accused], 1_750n)).to.deep.equal(["appeal"]);
    expect(paid(FEE - 1n, [accused], 1_750n)).to.deep.equal([]);
    // Nothing for a reveal that is lost.
    const late = { ...voteOf(appealed, "committed"), audit: appealed.address };
    const other = { ...appealed, address: key() };
    expect(paid(vote, [appealed, other], 2_000n, late)).to.deep.equal(["commit"]);
    const owed = { ...late, onAppeal: true };
    expect(paid(vote, [appealed, other], 2_000n, owed)).to.deep.equal([]);
  });

  it("is evidence handed to others until the last vote that an appeal allows", () => {
    const untold = { heard: 1_045n, handed: 0, samples: [] };
    const hands = (now: bigint): readonly string[] =>
      due(view({ task: { ...task, rules }, submissions: [submission] }), now, untold)[0];
    expect([hands(3_039n), hands(3_040n)]).to.deep.equal([["hand"], []]);
  });

  it("is an accusation only where the draw can be paid for too, and none beside an audit that is still drawn", () => {
    const target = submissionOf(other);
    const accusing = (lamports: bigint, panelSeats: number): readonly string[] =>
      due(
        view({
          task: { ...task, rules: { ...rules, panelSeats } },
          operatorLamports: Number(rentOf(0) + lamports),
          submissions: [target],
        }),
        1_100n,
        { samples: [other], heard: 1_045n },
      )[0].filter((kind) => kind === "accuse");
    const opening = rent("audit") + FEE;
    expect(accusing(opening, 0)).to.deep.equal(["accuse"]);
    expect(accusing(opening + FEE - 1n, 3)).to.deep.equal([]);
    expect(accusing(opening + FEE, 3)).to.deep.equal(["accuse"]);

    // An own audit that is not seen is open until nobody can appeal any more.
    const unseen = ownOf(auditOf(target, { initiator: me, endSlot: 1_200n }));
    const again = (now: bigint): readonly string[] => {
      const seen = view({ task: { ...task, rules }, submissions: [target] });
      return due(seen, now, { samples: [other], heard: 1_045n, accusations: [unseen] })[0];
    };
    expect([again(1_299n), again(1_300n)]).to.deep.equal([[], ["accuse"]]);

    // Whoever has no seat can't say it there. Before the draw it waits as long as there is time to accuse.
    const beside = (audit: Audit, now: bigint): readonly string[] =>
      of(audit, now, { samples: [other], heard: 1_045n })[0].filter((kind) => kind === "accuse");
    expect(beside(unseated, 1_100n)).to.deep.equal(["accuse"]);
    expect(beside(seated, 1_530n)).to.deep.equal([]);
    // A verdict that comes in time is waited for, and it comes when nobody can appeal any more.
    const early = { ...unseated, revealSlot: 1_300n, endSlot: 1_408n };
    expect(beside(early, 1_350n)).to.deep.equal([]);
    expect(beside({ ...early, endSlot: 1_409n }, 1_350n)).to.deep.equal(["accuse"]);
    expect(beside(undrawn, 1_100n)).to.deep.equal([]);
    const soon = { ...undrawn, drawSlot: 1_500n };
    expect(beside(soon, 1_508n)).to.deep.equal([]);
    expect(beside(soon, 1_509n)).to.deep.equal(["accuse"]);
  });
});
