import { PublicKey } from "@solana/web3.js";
import type { TaskEvent, TaskEventNamed } from "./events";
import type { TaskAccounts } from "./ledger";
import { PROGRAM_ID, allowEntryAddress, nodeAddress, roundAddress, voteAddress } from "./pda";
import type { Mutable, NodeState } from "./replay";
import * as replay from "./replay";
import type {
  AllowEntry,
  Audit,
  CaseRules,
  Node,
  Opinion,
  Round,
  Submission,
  Tally,
  Task,
  TaskRules,
  Vote,
} from "./types";

/** What events tell of a task; the rest of it never changes. */
export type IndexedTask = Pick<
  Task,
  | "address"
  | "creator"
  | "mint"
  | "startSlot"
  | "pool"
  | "activeStake"
  | "nodes"
  | "rounds"
  | "entries"
  | "status"
>;

/** What events tell of a submission: all but where the work is. */
export type IndexedSubmission = Omit<Submission, "payloadUri">;

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

type AuditState = Mutable<Omit<Audit, "votes">> & { votes: Record<Opinion, Tally> };
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
  readonly rounds = new Map<string, Readonly<Round>>();
  readonly submissions = new Map<string, Readonly<IndexedSubmission>>();
  readonly audits = new Map<string, Readonly<Audit>>();
  readonly votes = new Map<string, Readonly<Vote>>();

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
      case "taskRetired":
        this.agree(event, "amount", this.theTask().pool);
        this.theTask().pool = 0n;
        this.theTask().status = "retired";
        break;
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
        replay.addStake(node, amount, slot, this.rules);
        this.theTask().activeStake += amount;
        this.agree(event, "stake", node.stake);
        break;
      }
      case "leaveRequested": {
        const { owner, amount, leaveSlot } = event.data;
        const node = this.node(owner);
        replay.requestLeave(node, amount, leaveSlot);
        this.theTask().activeStake -= amount;
        this.agree(event, "leaving", node.leaving);
        break;
      }
      case "leaveCancelled": {
        const { owner, amount, slot } = event.data;
        this.agree(event, "amount", this.node(owner).leaving);
        replay.cancelLeave(this.node(owner), slot, this.rules);
        this.theTask().activeStake += amount;
        break;
      }
      case "withdrawn": {
        const node = this.node(event.data.owner);
        this.agree(event, "amount", replay.withdraw(node, event.data.slot));
        this.agree(event, "stake", node.stake);
        this.agree(event, "locked", node.locked + node.lockedNext);
        break;
      }
      case "operatorSet":
        this.node(event.data.owner).operator = event.data.operator;
        break;
      case "workSubmitted":
        this.submit(event.data);
        break;
      case "auditOpened":
        this.openAudit(event.data);
        break;
      case "voteCast":
        this.seat({ ...event.data, commitment: null, state: "revealed" });
        this.count(event.data);
        break;
      case "voteCommitted":
        this.seat({ ...event.data, opinion: "valid", state: "committed" });
        break;
      case "voteRevealed": {
        const vote = this.vote(event.data);
        vote.opinion = event.data.opinion;
        vote.state = "revealed";
        this.agree(event, "weight", vote.weight);
        this.count(event.data);
        break;
      }
      case "auditResolved":
        this.resolve(event);
        break;
      case "voteClaimed":
        this.claimVote(event.data);
        break;
      case "bountyClaimed":
        this.claimBounty(event.data);
        break;
      case "accountClosed":
        this.close(event);
        break;
    }
  }

  private createTask({ task, creator, mint, slot }: Data<"taskCreated">): void {
    // Its creator may close it and make another at its address.
    if (this.made) throw new Error("the task was made again, and no event tells its new rules.");
    this.made = true;
    this.task = {
      address: task,
      creator,
      mint,
      startSlot: slot,
      pool: 0n,
      activeStake: 0n,
      nodes: 0,
      rounds: 0,
      entries: 0,
      status: "active",
    };
  }

  private allow({ task, role, owner }: Data<"nodeAllowed">): void {
    const address = this.entryAddress(role, owner);
    this.entries.set(address.toBase58(), { address, task, owner, role });
    this.theTask().entries += 1;
  }

  private join({ task, owner, operator, role, stake, slot }: Data<"nodeJoined">): void {
    const address = nodeAddress(task, owner, this.program);
    const node: NodeState = {
      address,
      task,
      owner,
      operator,
      role,
      joinedSlot: slot,
      stake: 0n,
      leaving: 0n,
      leaveSlot: 0n,
      recent: 0n,
      recentSlot: 0n,
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
    replay.addStake(node, stake, slot, this.rules);
    this.nodes.set(address.toBase58(), node);
    const own = this.theTask();
    own.nodes += 1;
    own.activeStake += stake;
  }

  private submit(data: Data<"workSubmitted">): void {
    const task = this.theTask();
    const node = this.node(data.owner);
    const address = roundAddress(this.address, data.round, this.program);
    if (!this.rounds.has(address.toBase58())) {
      this.rounds.set(address.toBase58(), {
        address,
        task: this.address,
        payer: node.operator,
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
      payer: node.operator,
      payloadHash: data.payloadHash,
      round: data.round,
      slot: data.slot,
      othersStake: task.activeStake - replay.votingStake(node),
      audits: 0,
      liveAudits: 0,
      paid: false,
      status: "submitted",
    });
    node.submissions += 1;
    node.live += 1;
  }

  private openAudit(data: Data<"auditOpened">): void {
    const submission = this.submission(data.submission);
    const round = this.round(submission.round);
    const [initiator, accused] = [this.node(data.initiator), this.node(data.accused)];
    const { voteWeight, rewardRule, ...rules } = this.rules;
    const caseRules: CaseRules = {
      quorumVotes: rules.quorumVotes,
      quorumBps: rules.quorumBps,
      downtimeBps: rules.downtimeBps,
      maliceBps: rules.maliceBps,
      initiatorBonusBps: rules.initiatorBonusBps,
      poolBps: rules.poolBps,
      voteWeight,
      rewardRule,
    };
    replay.lend(initiator, data.bond);
    initiator.live += 1;
    const others = this.theTask().activeStake - replay.votingStake(accused);
    const exposed = replay.bpsOf(data.accusedStake, rules.maliceBps);
    accused.openAudits += 1;
    accused.exposed += exposed;
    const none: Tally = { nodes: 0, stake: 0n };
    const audit: AuditState = {
      address: data.audit,
      task: this.address,
      submission: data.submission,
      initiator: data.initiator,
      accused: data.accused,
      payer: initiator.operator,
      submissionSlot: submission.slot,
      openSlot: data.slot,
      revealSlot: data.slot + rules.commitSlots,
      endSlot: data.endSlot,
      accusedStake: data.accusedStake,
      exposed,
      eligibleStake: replay.least(submission.othersStake, others),
      initiatorStake: data.weight,
      bond: data.bond,
      voteDeposit: rules.voteDeposit,
      votes: { valid: none, downtime: none, malice: none },
      votersPot: 0n,
      votersWeight: 0n,
      votersLeft: 0n,
      unclaimed: 0,
      liveVotes: 0,
      rules: caseRules,
      accusation: data.accusation,
      outcome: "open",
      attempt: submission.audits,
    };
    this.audits.set(data.audit.toBase58(), audit);
    this.count({ audit: data.audit, opinion: data.accusation, weight: data.weight });
    submission.audits += 1;
    submission.liveAudits += 1;
    submission.status = "underAudit";
    round.openAudits += 1;
  }

  /** A vote takes its seat: open, or committed and not told yet. */
  private seat(
    data: Pick<Vote, "audit" | "commitment" | "weight" | "deposit" | "opinion" | "state"> & {
      readonly voter: PublicKey;
    },
  ): void {
    const { audit, voter, commitment, weight, deposit, opinion, state } = data;
    const node = this.node(voter);
    replay.lend(node, deposit);
    node.live += 1;
    const held = this.audit(audit);
    held.unclaimed += 1;
    held.liveVotes += 1;
    const address = voteAddress(audit, voter, this.program);
    this.votes.set(address.toBase58(), {
      address,
      audit,
      owner: voter,
      payer: node.operator,
      commitment,
      weight,
      deposit,
      opinion,
      state,
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
    const task = this.theTask();
    const audit = this.audit(data.audit);
    const submission = this.submission(audit.submission);
    const round = this.round(submission.round);
    const [initiator, accused] = [this.node(data.initiator), this.node(data.accused)];
    const { bond } = audit;
    audit.outcome = data.outcome;
    audit.bond = 0n;
    switch (data.outcome) {
      case "open":
      case "noVerdict":
        submission.status = "submitted";
        break;
      case "acquitted":
        submission.status = "acquitted";
        replay.loseLent(initiator, bond);
        task.activeStake -= bond;
        initiator.votesAgainstMajority += 1;
        this.fillPot(audit, bond);
        break;
      case "convictedDowntime":
      case "convictedMalice":
        submission.status = "convicted";
        task.activeStake -= replay.slash(accused, data.slash);
        initiator.votesWithMajority += 1;
        if (data.outcome === "convictedMalice") accused.convictionsMalice += 1;
        else accused.convictionsDowntime += 1;
        this.fillPot(audit, data.slash);
        round.convictions += 1;
    }
    this.agree(event, "votersPot", audit.votersLeft);
    audit.votersLeft = data.votersPot;
    task.activeStake -= replay.takeBack(initiator, data.bondReturned);
    accused.openAudits -= 1;
    accused.exposed -= audit.exposed;
    replay.lockReward(accused, data.accusedAward, data.slot, this.rules);
    replay.lockReward(initiator, data.initiatorAward, data.slot, this.rules);
    task.pool += data.poolAward;
    round.openAudits -= 1;
  }

  /** The voters' part of a slash or a lost bond, and what it is shared by. */
  private fillPot(audit: AuditState, amount: bigint): void {
    const { rules, votes, initiatorStake } = audit;
    const weigh = (...opinions: readonly Opinion[]): bigint =>
      opinions.reduce((sum, opinion) => sum + replay.weightOf(votes[opinion], rules), 0n);
    const acquitted = audit.outcome === "acquitted";
    const accusation = replay.weightOf({ nodes: 1, stake: initiatorStake }, rules);
    const all = weigh("valid", "downtime", "malice") - (acquitted ? accusation : 0n);
    const majority = acquitted ? weigh("valid") : weigh("downtime", "malice");
    audit.votersPot = replay.bpsOf(amount, replay.votersBps(rules));
    audit.votersWeight = rules.rewardRule === "all" ? all : majority;
    const paid = acquitted ? 0n : (audit.votersPot * accusation) / audit.votersWeight;
    audit.votersLeft = audit.votersPot - paid;
  }

  private claimVote(data: Data<"voteClaimed">): void {
    const task = this.theTask();
    const audit = this.audit(data.audit);
    const vote = this.vote(data);
    const node = this.node(data.voter);
    if (vote.state === "committed") {
      replay.loseLent(node, data.depositLost);
      task.activeStake -= data.depositLost;
      node.votesUnrevealed += 1;
    } else {
      if (audit.outcome !== "noVerdict") {
        const acquitted = audit.outcome === "acquitted";
        if ((vote.opinion === "valid") === acquitted) node.votesWithMajority += 1;
        else node.votesAgainstMajority += 1;
      }
      task.activeStake -= replay.takeBack(node, data.deposit);
    }
    replay.lockReward(node, data.share, data.slot, this.rules);
    task.pool += data.poolAward + data.depositLost;
    audit.votersLeft -= data.share + data.poolAward;
    audit.unclaimed -= 1;
    vote.deposit -= data.deposit + data.depositLost;
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
    const { account, poolAward } = event.data;
    const key = account.toBase58();
    const task = this.theTask();
    const [vote, audit] = [this.votes.get(key), this.audits.get(key)];
    const [submission, round] = [this.submissions.get(key), this.rounds.get(key)];
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
    } else if (this.nodes.has(key)) {
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
    rebuilt: bigint,
  ): void {
    const told = text((event.data as Readonly<Record<string, unknown>>)[field]);
    if (told === rebuilt.toString()) return;
    throw new Error(
      `it says that ${field} is ${told}, and by the events before it that is ${rebuilt.toString()}.`,
    );
  }

  // What is handed out is read-only; only the index itself changes it.

  private theTask(): Mutable<IndexedTask> {
    if (!this.task) throw gap("task");
    return this.task;
  }

  private node(owner: PublicKey): NodeState {
    return known("node", this.nodes, nodeAddress(this.address, owner, this.program));
  }

  private round(number: bigint): Mutable<Round> {
    return known("round", this.rounds, roundAddress(this.address, number, this.program));
  }

  private submission(address: PublicKey): Mutable<IndexedSubmission> {
    return known("submission", this.submissions, address);
  }

  private audit(address: PublicKey): AuditState {
    return known("audit", this.audits, address);
  }

  private vote(data: { readonly audit: PublicKey; readonly voter: PublicKey }): Mutable<Vote> {
    return known("vote", this.votes, voteAddress(data.audit, data.voter, this.program));
  }

  private entryAddress(role: AllowEntry["role"], owner: PublicKey): PublicKey {
    return allowEntryAddress(this.address, role, owner, this.program);
  }
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
