import { PublicKey } from "@solana/web3.js";
import { bytesOrNull } from "./accounts";
import type { TaskEvent, TaskEventNamed } from "./events";
import type { TaskAccounts } from "./ledger";
import { verdictOf, weightIn } from "./panels";
import { PROGRAM_ID, allowEntryAddress, nodeAddress, roundAddress, voteAddress } from "./pda";
import type { Mutable, NodeState } from "./replay";
import * as replay from "./replay";
import type {
  AllowEntry,
  Audit,
  Electorate,
  Node,
  Opinion,
  Outcome,
  Round,
  Submission,
  SubmissionStatus,
  Tally,
  Task,
  TaskRules,
  Vote,
} from "./types";
import { OPINIONS, SUBMISSION_STATUSES } from "./types";

const NOBODY: Electorate = { stake: 0n, nodes: 0 };
/** Over this the program's sum of stake and slashes does not go. */
const MOST = 2n ** 64n - 1n;

/** What events tell of a task; the rest of it never changes. */
export type IndexedTask = Pick<
  Task,
  | "address"
  | "creator"
  | "payer"
  | "mint"
  | "startSlot"
  | "pool"
  | "electorate"
  | "before"
  | "beforeSlot"
  | "retiredSlot"
  | "nodes"
  | "rounds"
  | "entries"
  | "status"
>;

/** What events tell of a round. They don't say who paid what work and votes rent: an operator or its sponsor. */
export type IndexedRound = Omit<Round, "payer">;

/** What events tell of a submission: not where the work is either. */
export type IndexedSubmission = Omit<Submission, "payer" | "payloadUri">;

/** What events tell of an audit: the secret's hash is nobody's business but the draw's. */
export type IndexedAudit = Omit<Audit, "payer" | "secretHash">;

export type IndexedVote = Omit<Vote, "payer">;

/** Where events and chain do not agree. */
export interface Difference {
  /** Kind of account. */
  readonly of: string;
  readonly address: PublicKey;
  readonly field: string;
  /** What the events add up to. */
  readonly events: string;
  readonly chain: string;
}

/** An event doesn't follow from those before it: one of them is missing. What the index holds is worth nothing until it takes over accounts. */
export class MissingEvent extends Error {
  override readonly name = "MissingEvent";

  constructor(
    /** The event that doesn't follow. */
    readonly event: TaskEvent,
    override readonly cause: Error,
  ) {
    super(
      `An event before ${event.name} is missing: ${cause.message} Feed the index every event from the task's creation on, or have it take over the accounts.`,
    );
  }
}

type AuditState = Mutable<Omit<IndexedAudit, "votes">> & { votes: Record<Opinion, Tally> };
type Data<N extends TaskEvent["name"]> = TaskEventNamed<N>["data"];

/**
 * Rebuilds all accounts of a task from its events and its rules. Feed it every event of the program in order: those of other tasks
 * pass by. {@link differences} compares what came out with the chain. Anybody can keep an event out of a log; `TaskFollower` notices
 * that and heals the index.
 */
export class TaskIndex {
  /** Null before the task is created and after it is closed. */
  task: Readonly<IndexedTask> | null = null;
  /** All by address. An account that was closed is gone. */
  readonly nodes = new Map<string, Readonly<Node>>();
  readonly entries = new Map<string, Readonly<AllowEntry>>();
  readonly rounds = new Map<string, Readonly<IndexedRound>>();
  readonly submissions = new Map<string, Readonly<IndexedSubmission>>();
  readonly audits = new Map<string, Readonly<IndexedAudit>>();
  readonly votes = new Map<string, Readonly<IndexedVote>>();

  /** Whether it has been there. */
  private made = false;

  constructor(
    readonly address: PublicKey,
    private rules: TaskRules,
    private readonly program = PROGRAM_ID,
  ) {}

  /** Takes the next event. Throws {@link MissingEvent} when an earlier one is missing. */
  apply(event: TaskEvent): void {
    const { data } = event;
    const ours =
      "task" in data ? data.task.equals(this.address) : this.audits.has(data.audit.toBase58());
    if (ours) this.applyOurs(event);
  }

  /** Takes the next event of this task, as the caller knows. Throws {@link MissingEvent} when an earlier one is missing. */
  applyOurs(event: TaskEvent): void {
    try {
      this.follow(event);
    } catch (error) {
      throw new MissingEvent(event, error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Takes over what was read, null where there is no task, in place of what events told. Returns where that was otherwise. */
  takeOver(accounts: TaskAccounts | null): Difference[] {
    const differences = this.differences(accounts);
    this.task = accounts && { ...accounts.task };
    if (accounts) this.rules = accounts.task.rules;
    refill(this.nodes, accounts?.nodes);
    refill(this.entries, accounts?.entries);
    refill(this.rounds, accounts?.rounds);
    refill(this.submissions, accounts?.submissions);
    refill(
      this.audits,
      accounts?.audits.map((audit) => ({ ...audit, votes: { ...audit.votes } })),
    );
    refill(this.votes, accounts?.votes);
    this.made ||= accounts !== null;
    return differences;
  }

  /**
   * What the events add up to and the chain does not say, or says otherwise. `accounts` is what `readLedger` or `readAccounts` read after
   * the last event, or null where there is no task any more.
   */
  differences(accounts: TaskAccounts | null): Difference[] {
    const found: Difference[] = [];
    const compare = (
      of: string,
      indexed: Iterable<{ readonly address: PublicKey }>,
      chain: Iterable<{ readonly address: PublicKey }>,
    ): void => {
      const rest = new Map([...chain].map((account) => [account.address.toBase58(), account]));
      for (const account of indexed) {
        const { address } = account;
        const real = rest.get(address.toBase58());
        rest.delete(address.toBase58());
        if (!real) {
          found.push({ of, address, field: "account", events: "there", chain: "not there" });
          continue;
        }
        const fields = new Map(Object.entries(real));
        for (const [field, value] of Object.entries(account)) {
          const [events, told] = [text(value), text(fields.get(field))];
          if (events !== told) found.push({ of, address, field, events, chain: told });
        }
      }
      for (const { address } of rest.values()) {
        found.push({ of, address, field: "account", events: "not there", chain: "there" });
      }
    };
    compare("task", this.task ? [this.task] : [], accounts ? [accounts.task] : []);
    compare("node", this.nodes.values(), accounts?.nodes ?? []);
    compare("allowlist entry", this.entries.values(), accounts?.entries ?? []);
    compare("round", this.rounds.values(), accounts?.rounds ?? []);
    compare("submission", this.submissions.values(), accounts?.submissions ?? []);
    compare("audit", this.audits.values(), accounts?.audits ?? []);
    compare("vote", this.votes.values(), accounts?.votes ?? []);
    return found;
  }

  private follow(event: TaskEvent): void {
    switch (event.name) {
      case "taskCreated":
        this.createTask(event.data);
        break;
      case "taskFunded":
        this.theTask().pool += event.data.amount;
        this.agree(event, "pool", this.theTask().pool);
        break;
      case "taskPaused":
        this.theTask().status = "paused";
        break;
      case "taskResumed":
        this.theTask().status = "active";
        break;
      case "taskRetired": {
        const task = this.theTask();
        this.agree(event, "amount", task.pool);
        task.pool = 0n;
        if (task.status !== "retired") task.retiredSlot = event.data.slot;
        task.status = "retired";
        break;
      }
      case "nodeAllowed":
        this.allow(event.data);
        break;
      case "nodeDisallowed": {
        const { role, owner } = event.data;
        this.entries.delete(this.entryAddress(role, owner).toBase58());
        this.theTask().entries -= 1;
        break;
      }
      case "nodeJoined":
        this.join(event.data);
        break;
      case "stakeAdded": {
        const { owner, amount, slot } = event.data;
        const node = this.node(owner);
        this.change(node, slot, () => {
          replay.addStake(node, amount, slot, this.rules);
        });
        this.agree(event, "stake", node.stake);
        break;
      }
      case "restaked": {
        const { owner, slot } = event.data;
        const node = this.node(owner);
        const amount = this.change(node, slot, () => replay.restake(node, slot, this.rules));
        this.agree(event, "amount", amount);
        this.agree(event, "stake", node.stake);
        break;
      }
      case "leaveRequested": {
        const { owner, amount, leaveSlot, slot } = event.data;
        const node = this.node(owner);
        this.change(node, slot, () => {
          replay.requestLeave(node, amount, leaveSlot, slot, this.rules);
        });
        this.agree(event, "leaving", node.leaving);
        break;
      }
      case "leaveCancelled": {
        const { owner, slot } = event.data;
        const node = this.node(owner);
        this.agree(event, "amount", node.leaving);
        this.change(node, slot, () => {
          replay.cancelLeave(node, slot, this.rules);
        });
        break;
      }
      case "withdrawn": {
        const node = this.node(event.data.owner);
        this.agree(event, "amount", replay.withdraw(node, event.data.slot, this.rules));
        this.agree(event, "stake", node.stake);
        this.agree(event, "locked", node.locked + node.lockedNext);
        break;
      }
      case "stakeReturned": {
        const node = this.node(event.data.owner);
        const amount = this.change(node, event.data.slot, () => replay.empty(node));
        this.agree(event, "amount", amount);
        break;
      }
      case "operatorSet":
        this.node(event.data.owner).operator = event.data.operator;
        break;
      case "workSubmitted":
        this.submit(event.data);
        break;
      case "auditOpened":
        this.openAudit(event);
        break;
      case "panelDrawn":
        this.audit(event.data.audit).seed = event.data.seed;
        break;
      case "auditAppealed":
        this.appeal(event);
        break;
      case "voteCast":
        this.seat({ ...event.data, commitment: null, state: "revealed" });
        this.count(event.data);
        break;
      case "voteCommitted":
        this.seat({ ...event.data, opinion: "valid", state: "committed" });
        this.node(event.data.voter).commitments += 1;
        break;
      case "voteRevealed": {
        const vote = this.vote(event.data);
        vote.opinion = event.data.opinion;
        vote.state = "revealed";
        this.node(event.data.voter).commitments -= 1;
        this.agree(event, "weight", vote.weight);
        this.count(event.data);
        break;
      }
      case "auditResolved":
        this.resolve(event);
        break;
      case "voteClaimed":
        this.claimVote(event);
        break;
      case "bountyClaimed":
        this.claimBounty(event.data);
        break;
      case "accountClosed":
        this.close(event);
        break;
    }
  }

  private createTask({ task, creator, payer, mint, slot }: Data<"taskCreated">): void {
    // Its creator may close it and make another at its address.
    if (this.made) throw new Error("the task was made again, and no event tells its new rules.");
    this.made = true;
    this.task = {
      address: task,
      creator,
      payer,
      mint,
      startSlot: slot,
      pool: 0n,
      electorate: NOBODY,
      before: NOBODY,
      beforeSlot: 0n,
      retiredSlot: 0n,
      nodes: 0,
      rounds: 0,
      entries: 0,
      status: "active",
    };
  }

  private allow({ task, role, owner, payer }: Data<"nodeAllowed">): void {
    const address = this.entryAddress(role, owner);
    this.entries.set(address.toBase58(), { address, task, owner, payer, role });
    this.theTask().entries += 1;
  }

  private join({ task, owner, operator, payer, role, stake, slot }: Data<"nodeJoined">): void {
    const address = nodeAddress(task, owner, this.program);
    const node: NodeState = {
      address,
      task,
      owner,
      operator,
      payer,
      role,
      joinedSlot: slot,
      stake: 0n,
      leaving: 0n,
      leaveSlot: 0n,
      askedToLeave: replay.NOTHING_DEPARTED,
      slashed: replay.NOTHING_DEPARTED,
      arrivals: [],
      before: NOBODY,
      beforeSlot: 0n,
      risk: 0n,
      bonds: 0n,
      commitments: 0,
      locked: 0n,
      lockedUntil: 0n,
      lockedNext: 0n,
      lockedNextUntil: 0n,
      payable: 0n,
      openAudits: 0,
      live: 0,
      audits: 0,
      submissions: 0,
      roundsPaid: 0,
      convictionsDowntime: 0,
      convictionsMalice: 0,
      votesWithMajority: 0,
      votesAgainstMajority: 0,
      votesUnrevealed: 0,
    };
    this.change(node, slot, () => {
      replay.addStake(node, stake, slot, this.rules);
    });
    this.nodes.set(address.toBase58(), node);
    this.theTask().nodes += 1;
  }

  private submit(data: Data<"workSubmitted">): void {
    const task = this.theTask();
    const node = this.node(data.owner);
    const address = roundAddress(this.address, data.round, this.program);
    if (!this.rounds.has(address.toBase58())) {
      this.rounds.set(address.toBase58(), {
        address,
        task: this.address,
        number: data.round,
        reserve: data.reserve,
        left: data.reserve,
        submissions: 0,
        convictions: 0,
        paid: 0,
        openAudits: 0,
        liveSubmissions: 0,
      });
      task.rounds += 1;
      task.pool -= data.reserve;
    }
    const round = this.round(data.round);
    round.submissions += 1;
    round.liveSubmissions += 1;
    this.submissions.set(data.submission.toBase58(), {
      address: data.submission,
      task: this.address,
      owner: data.owner,
      payloadHash: data.payloadHash,
      round: data.round,
      slot: data.slot,
      others: replay.othersBefore(task, node, data.slot, this.rules),
      slashed: 0n,
      audits: 0,
      decided: 0,
      liveAudits: 0,
      paid: false,
      status: "submitted",
    });
    node.submissions += 1;
    node.live += 1;
  }

  private openAudit(event: TaskEventNamed<"auditOpened">): void {
    const { data } = event;
    const submission = this.submission(data.submission);
    const round = this.round(submission.round);
    const [initiator, accused] = [this.node(data.initiator), this.node(data.accused)];
    const { rules } = this;
    this.agree(event, "index", BigInt(initiator.audits));
    this.agree(event, "bond", rules.initiatorBond);
    initiator.bonds += data.bond;
    initiator.audits += 1;
    initiator.live += 1;
    this.agree(event, "accusedStake", replay.least(accused.stake + submission.slashed, MOST));
    replay.accuse(accused, data.accusedStake, rules);
    const none: Tally = { nodes: 0, stake: 0n };
    const audit: AuditState = {
      address: data.audit,
      task: this.address,
      submission: data.submission,
      initiator: data.initiator,
      accused: data.accused,
      appellant: null,
      evidenceHash: bytesOrNull(data.evidenceHash),
      seed: null,
      submissionSlot: submission.slot,
      openSlot: data.slot,
      drawSlot: data.drawSlot,
      appealSlot: 0n,
      revealSlot: data.slot + rules.commitSlots,
      endSlot: data.endSlot,
      accusedStake: data.accusedStake,
      eligible: submission.others,
      initiatorStake: data.weight,
      bond: data.bond,
      voteDeposit: rules.voteDeposit,
      votes: { valid: none, downtime: none, malice: none },
      votersPot: 0n,
      votersWeight: 0n,
      votersLeft: 0n,
      unclaimed: 0,
      liveVotes: 0,
      rules: {
        quorumVotes: rules.quorumVotes,
        quorumBps: rules.quorumBps,
        downtimeBps: rules.downtimeBps,
        maliceBps: rules.maliceBps,
        initiatorBonusBps: rules.initiatorBonusBps,
        poolBps: rules.poolBps,
        panelSeats: rules.panelSeats,
        voteWeight: rules.voteWeight,
        rewardRule: rules.rewardRule,
      },
      accusation: data.accusation,
      outcome: "open",
      firstOutcome: "open",
      index: data.index,
      attempt: submission.audits,
    };
    this.audits.set(data.audit.toBase58(), audit);
    this.count({ audit: data.audit, opinion: data.accusation, weight: data.weight });
    submission.audits += 1;
    submission.liveAudits += 1;
    round.openAudits += 1;
  }

  /** Everybody eligible is called, with new windows. */
  private appeal(event: TaskEventNamed<"auditAppealed">): void {
    const { data } = event;
    const audit = this.audit(data.audit);
    const appellant = this.node(data.appellant);
    const { appealBond, commitSlots, revealSlots } = this.rules;
    this.agree(event, "bond", appealBond);
    this.agree(event, "firstOutcome", verdictOf(audit));
    this.agree(event, "revealSlot", data.slot + commitSlots);
    this.agree(event, "endSlot", data.revealSlot + revealSlots);
    appellant.bonds += data.bond;
    appellant.live += 1;
    audit.appellant = data.appellant;
    audit.firstOutcome = data.firstOutcome;
    audit.appealSlot = data.slot;
    audit.revealSlot = data.revealSlot;
    audit.endSlot = data.endSlot;
  }

  /** A vote takes its seat: open, or committed and not told yet. */
  private seat(
    data: Pick<Vote, "audit" | "commitment" | "weight" | "opinion" | "state"> & {
      readonly voter: PublicKey;
    },
  ): void {
    const { audit, voter, commitment, weight, opinion, state } = data;
    const node = this.node(voter);
    node.live += 1;
    const held = this.audit(audit);
    held.unclaimed += 1;
    held.liveVotes += 1;
    const address = voteAddress(audit, voter, this.program);
    this.votes.set(address.toBase58(), {
      address,
      audit,
      owner: voter,
      commitment,
      weight,
      opinion,
      state,
      onAppeal: held.appealSlot > 0n,
    });
  }

  private count(data: {
    readonly audit: PublicKey;
    readonly opinion: Opinion;
    readonly weight: bigint;
  }): void {
    const { votes } = this.audit(data.audit);
    const { nodes, stake } = votes[data.opinion];
    votes[data.opinion] = { nodes: nodes + 1, stake: stake + data.weight };
  }

  private resolve(event: TaskEventNamed<"auditResolved">): void {
    const { data } = event;
    const { slot, outcome } = data;
    const audit = this.audit(data.audit);
    const submission = this.submission(audit.submission);
    const round = this.round(submission.round);
    const [initiator, accused] = [this.node(data.initiator), this.node(data.accused)];
    const { status } = submission;
    audit.outcome = outcome;
    submission.decided += 1;
    initiator.bonds -= audit.bond;
    let [slash, bondLost, appealBondLost] = [0n, 0n, 0n];
    switch (outcome) {
      case "open":
      case "noVerdict":
        break;
      case "acquitted":
        submission.status = gravest(status, outcome);
        bondLost = this.change(initiator, slot, () =>
          replay.slash(initiator, audit.bond, slot, this.rules),
        );
        break;
      case "convictedDowntime":
      case "convictedMalice": {
        submission.status = gravest(status, outcome);
        const { downtimeBps, maliceBps } = audit.rules;
        const bps = outcome === "convictedMalice" ? maliceBps : downtimeBps;
        const left = replay.bpsOf(audit.accusedStake, bps) - submission.slashed;
        slash = this.change(accused, slot, () =>
          replay.slash(accused, left > 0n ? left : 0n, slot, this.rules),
        );
        submission.slashed += slash;
        if (submission.status !== status) {
          if (status === "convictedDowntime") accused.convictionsDowntime -= 1;
          else round.convictions += 1;
          if (outcome === "convictedMalice") accused.convictionsMalice += 1;
          else accused.convictionsDowntime += 1;
        }
      }
    }
    if (audit.appellant) {
      const appellant = this.node(audit.appellant);
      const { appealBond } = this.rules;
      appellant.bonds -= appealBond;
      appellant.live -= 1;
      // An appeal that changes nothing costs its bond.
      if (outcome === audit.firstOutcome) {
        appealBondLost = this.change(appellant, slot, () =>
          replay.slash(appellant, appealBond, slot, this.rules),
        );
      }
    }
    fillPot(audit, slash + bondLost, replay.appealPart(appealBondLost, audit.rules));
    this.agree(event, "slash", slash);
    this.agree(event, "bondLost", bondLost);
    this.agree(event, "appealBondLost", appealBondLost);
    this.agree(event, "votersPot", audit.votersLeft);
    countVote(initiator, audit, audit.accusation);
    replay.release(accused);
    replay.lockReward(accused, data.accusedAward, slot, this.rules);
    replay.lockReward(initiator, data.initiatorAward, slot, this.rules);
    this.theTask().pool += data.poolAward;
    round.openAudits -= 1;
  }

  private claimVote(event: TaskEventNamed<"voteClaimed">): void {
    const { data } = event;
    const audit = this.audit(data.audit);
    const vote = this.vote(data);
    const node = this.node(data.voter);
    let lost = 0n;
    if (vote.state === "committed") {
      node.commitments -= 1;
      lost = this.change(node, data.slot, () =>
        replay.slash(node, audit.voteDeposit, data.slot, this.rules),
      );
      node.votesUnrevealed += 1;
    } else countVote(node, audit, vote.opinion);
    this.agree(event, "depositLost", lost);
    replay.lockReward(node, data.share, data.slot, this.rules);
    this.theTask().pool += data.poolAward + lost;
    audit.votersLeft -= data.share + data.poolAward;
    audit.unclaimed -= 1;
    vote.state = "claimed";
  }

  private claimBounty({ submission, owner, round, amount }: Data<"bountyClaimed">): void {
    this.submission(submission).paid = true;
    const own = this.round(round);
    own.paid += 1;
    own.left -= amount;
    const node = this.node(owner);
    node.payable += amount;
    if (amount > 0n) node.roundsPaid += 1;
  }

  /** The event does not say what was closed: only one kind of account is at the address. */
  private close(event: TaskEventNamed<"accountClosed">): void {
    const { account, poolAward, slot } = event.data;
    const key = account.toBase58();
    const task = this.theTask();
    const [vote, audit] = [this.votes.get(key), this.audits.get(key)];
    const [submission, round] = [this.submissions.get(key), this.rounds.get(key)];
    const node = this.nodes.get(key);
    if (vote) {
      this.audit(vote.audit).liveVotes -= 1;
      this.node(vote.owner).live -= 1;
    } else if (audit) {
      this.submission(audit.submission).liveAudits -= 1;
      this.node(audit.initiator).live -= 1;
    } else if (submission) {
      this.round(submission.round).liveSubmissions -= 1;
      this.node(submission.owner).live -= 1;
    } else if (round) {
      this.agree(event, "poolAward", round.left);
      task.pool += poolAward;
      task.rounds -= 1;
    } else if (node) {
      replay.closeNode(task, node, slot, this.rules);
      task.nodes -= 1;
    } else if (account.equals(this.address)) {
      this.agree(event, "poolAward", task.pool);
      this.task = null;
    } else {
      throw gap(`account ${key}`);
    }
    for (const accounts of [this.votes, this.audits, this.submissions, this.rounds, this.nodes]) {
      accounts.delete(key);
    }
  }

  /** Throws where an event says something else than those before it add up to. */
  private agree<E extends TaskEvent>(
    event: E,
    field: keyof E["data"] & string,
    rebuilt: bigint | Outcome,
  ): void {
    const told = text((event.data as Readonly<Record<string, unknown>>)[field]);
    if (told === rebuilt.toString()) return;
    throw new Error(
      `it says that ${field} is ${told}, and by the events before it that is ${rebuilt.toString()}.`,
    );
  }

  private change<T>(node: NodeState, slot: bigint, transition: () => T): T {
    return replay.change(this.theTask(), node, slot, this.rules, transition);
  }

  // What is handed out is read-only; only the index itself changes it.

  private theTask(): Mutable<IndexedTask> {
    if (!this.task) throw gap("task");
    return this.task;
  }

  private node(owner: PublicKey): NodeState {
    return known("node", this.nodes, nodeAddress(this.address, owner, this.program));
  }

  private round(number: bigint): Mutable<IndexedRound> {
    return known("round", this.rounds, roundAddress(this.address, number, this.program));
  }

  private submission(address: PublicKey): Mutable<IndexedSubmission> {
    return known("submission", this.submissions, address);
  }

  private audit(address: PublicKey): AuditState {
    return known("audit", this.audits, address);
  }

  private vote(data: {
    readonly audit: PublicKey;
    readonly voter: PublicKey;
  }): Mutable<IndexedVote> {
    return known("vote", this.votes, voteAddress(data.audit, data.voter, this.program));
  }

  private entryAddress(role: AllowEntry["role"], owner: PublicKey): PublicKey {
    return allowEntryAddress(this.address, role, owner, this.program);
  }
}

/** Whether an opinion was on the side that won; null where nobody won. Who said less than the verdict did not win. */
function isMajority({ outcome }: Pick<Audit, "outcome">, opinion: Opinion): boolean | null {
  switch (outcome) {
    case "open":
    case "noVerdict":
      return null;
    case "acquitted":
      return opinion === "valid";
    case "convictedDowntime":
      return opinion !== "valid";
    case "convictedMalice":
      return opinion === "malice";
  }
}

/** The voters' part of a slash or a lost bond, and of an appeal in vain, and what they are shared by. */
function fillPot(audit: AuditState, amount: bigint, appeal: bigint): void {
  const { rules, votes, initiatorStake, accusation, outcome } = audit;
  // Where nobody won, what an appeal leaves is everybody's but the initiator's.
  const convicted = outcome !== "acquitted" && outcome !== "noVerdict";
  if (outcome === "noVerdict" && appeal === 0n) return;
  const paid = OPINIONS.filter(
    (one) => rules.rewardRule === "all" || isMajority(audit, one) !== false,
  );
  const own = weightIn(audit, { nodes: 1, stake: initiatorStake });
  const shares = paid.includes(accusation);
  let weight = paid.reduce((sum, one) => sum + weightIn(audit, votes[one]), 0n);
  if (!convicted && shares) weight -= own;
  // Nobody voted besides: it is the pool's.
  if (outcome === "noVerdict" && weight === 0n) return;
  const pot = replay.bpsOf(amount, replay.votersBps(rules)) + appeal;
  const share = convicted && shares ? (pot * own) / weight : 0n;
  audit.votersPot = pot;
  audit.votersWeight = weight;
  audit.votersLeft = pot - share;
}

function countVote(node: NodeState, audit: Pick<Audit, "outcome">, opinion: Opinion): void {
  const won = isMajority(audit, opinion);
  if (won === null) return;
  if (won) node.votesWithMajority += 1;
  else node.votesAgainstMajority += 1;
}

function gravest(a: SubmissionStatus, b: SubmissionStatus): SubmissionStatus {
  return SUBMISSION_STATUSES.indexOf(a) > SUBMISSION_STATUSES.indexOf(b) ? a : b;
}

function known<T>(kind: string, accounts: ReadonlyMap<string, T>, address: PublicKey): Mutable<T> {
  const found = accounts.get(address.toBase58());
  if (!found) throw gap(`${kind} ${address.toBase58()}`);
  return found;
}

function gap(what: string): Error {
  return new Error(`it tells of the ${what}, and none before it did.`);
}

function refill<T extends { readonly address: PublicKey }>(
  held: Map<string, T>,
  accounts: readonly T[] = [],
): void {
  held.clear();
  for (const account of accounts) held.set(account.address.toBase58(), { ...account });
}

/** A value as text, the same for equal values. */
function text(value: unknown): string {
  if (value instanceof PublicKey) return value.toBase58();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([key, field]) => `${key}: ${text(field)}`).join(", ")}}`;
  }
  return String(value);
}
