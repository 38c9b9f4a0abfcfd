import type { PublicKey } from "@solana/web3.js";

/*
 * What accounts and events hold, in plain values: slots and amounts (base units of the task's mint) as bigint, shares
 * in basis points and counts as number, one word for each state.
 */

/** Words for the numbers that the program stores, in their order. */
export const ROLES = ["worker", "witness"] as const;
export const TASK_STATUSES = ["active", "paused", "retired"] as const;
export const VOTE_WEIGHTS = ["node", "stake"] as const;
export const REWARD_RULES = ["all", "majority"] as const;
export const OPINIONS = ["valid", "downtime", "malice"] as const;
export const SUBMISSION_STATUSES = ["submitted", "underAudit", "acquitted", "convicted"] as const;
export const OUTCOMES = [
  "open",
  "noVerdict",
  "acquitted",
  "convictedDowntime",
  "convictedMalice",
] as const;
export const VOTE_STATES = ["committed", "revealed", "claimed"] as const;
export const GATE_KINDS = [
  "open",
  "allowlist",
  "token",
  "collection",
  "standing",
  "member",
] as const;

/** Workers submit work; both vote and call audits. */
export type Role = (typeof ROLES)[number];
export type TaskStatus = (typeof TASK_STATUSES)[number];
/** What a vote weighs: one for each node, or the node's stake. */
export type VoteWeight = (typeof VOTE_WEIGHTS)[number];
/** Who shares the voters' part: everyone who voted, or the side that won. */
export type RewardRule = (typeof REWARD_RULES)[number];
export type Opinion = (typeof OPINIONS)[number];
/** What a node can be accused of. */
export type Accusation = Exclude<Opinion, "valid">;
export type SubmissionStatus = (typeof SUBMISSION_STATUSES)[number];
export type Outcome = (typeof OUTCOMES)[number];
export type VoteState = (typeof VOTE_STATES)[number];

/** Who may take a role. Checked at joining and again at every submission, accusation and vote; never at leaving. */
export type Gate =
  | { readonly kind: "open" }
  /** Owners that the creator allowed. */
  | { readonly kind: "allowlist" }
  /** Owners of at least this many base units of a mint. */
  | { readonly kind: "token"; readonly mint: PublicKey; readonly least: bigint }
  /** Owners of a token whose Token-2022 mint is a member of a group. */
  | { readonly kind: "collection"; readonly group: PublicKey }
  /** Owners of a node of another task that was paid often enough and convicted seldom enough. */
  | {
      readonly kind: "standing";
      readonly task: PublicKey;
      readonly leastRoundsPaid: bigint;
      readonly mostConvictions: number;
    }
  /** Owners of a node of another task with stake that isn't leaving. */
  | { readonly kind: "member"; readonly task: PublicKey };

/** What a creator decides once and for all. */
export interface TaskRules {
  /** Length of a round, in slots. */
  readonly roundSlots: bigint;
  /** Work is taken in the first slots of a round. */
  readonly submissionSlots: bigint;
  /** Audits may be opened until this many slots after the submission window. */
  readonly auditSlots: bigint;
  /** Slots for committed votes; 0 for open votes. */
  readonly commitSlots: bigint;
  /** Slots for votes. */
  readonly revealSlots: bigint;
  /** Slots between asking to leave and leaving; at least all windows together. */
  readonly leaveDelaySlots: bigint;
  readonly workerMinStake: bigint;
  readonly witnessMinStake: bigint;
  readonly bountyPerRound: bigint;
  /** What an accusation puts at stake. */
  readonly initiatorBond: bigint;
  /** What a vote puts at stake. */
  readonly voteDeposit: bigint;
  /** Least votes besides the initiator's. */
  readonly quorumVotes: number;
  /** Least part of the stake that could vote, in basis points. */
  readonly quorumBps: number;
  /** Part of the stake that downtime costs, in basis points. */
  readonly downtimeBps: number;
  /** Part of the stake that malice costs, in basis points; not below `downtimeBps`. */
  readonly maliceBps: number;
  /** The initiator's part of a slash on top of its share as a voter, in basis points. */
  readonly initiatorBonusBps: number;
  /** The pool's part of a slash, in basis points. The voters share the rest. */
  readonly poolBps: number;
  readonly voteWeight: VoteWeight;
  readonly rewardRule: RewardRule;
  /** Who may be a worker. */
  readonly workerGate: Gate;
  /** Who may be a witness. */
  readonly witnessGate: Gate;
}

/** A function that a task is bound to. */
export interface FunctionRef {
  /** SHA-256 of the function. */
  readonly hash: Uint8Array;
  /** Where to get it; at most 128 bytes. */
  readonly uri: string;
}

export interface Task {
  readonly address: PublicKey;
  readonly creator: PublicKey;
  readonly mint: PublicKey;
  readonly vault: PublicKey;
  readonly id: bigint;
  /** First slot of round 0. */
  readonly startSlot: bigint;
  readonly rules: TaskRules;
  readonly auditFunction: FunctionRef;
  /** Null where the task names none. */
  readonly taskFunction: FunctionRef | null;
  /** Base units that bounties are paid from. */
  readonly pool: bigint;
  /** All nodes' stake that isn't leaving, bonds and deposits included. */
  readonly activeStake: bigint;
  /** Node accounts. */
  readonly nodes: number;
  /** Round accounts. */
  readonly rounds: number;
  /** Allowlist entries. */
  readonly entries: number;
  readonly status: TaskStatus;
}

export interface Node {
  readonly address: PublicKey;
  readonly task: PublicKey;
  /** The key that gets the money. */
  readonly owner: PublicKey;
  /** The key that submits, accuses and votes. */
  readonly operator: PublicKey;
  readonly role: Role;
  readonly joinedSlot: bigint;
  /** All that can be slashed, the leaving part included. */
  readonly stake: bigint;
  readonly leaving: bigint;
  /** First slot at which `leaving` can be withdrawn; 0 where nothing leaves. */
  readonly leaveSlot: bigint;
  /** Stake that votes only on work submitted after `recentSlot`. */
  readonly recent: bigint;
  readonly recentSlot: bigint;
  /** Bonds and deposits that audits hold; not part of `stake`. */
  readonly lent: bigint;
  /** The most that open audits can slash. */
  readonly exposed: bigint;
  /** Shares that can be withdrawn from `lockedUntil` on. */
  readonly locked: bigint;
  readonly lockedUntil: bigint;
  /** Shares that came while `locked` was filled. */
  readonly lockedNext: bigint;
  readonly lockedNextUntil: bigint;
  /** Can be withdrawn at once. */
  readonly payable: bigint;
  /** Open audits against the node; it can't withdraw while there is one. */
  readonly openAudits: number;
  /** Submissions and votes of the node, and audits begun by it, whose accounts are not closed. */
  readonly live: number;
  readonly submissions: number;
  readonly roundsPaid: number;
  readonly convictionsDowntime: number;
  readonly convictionsMalice: number;
  readonly votesWithMajority: number;
  readonly votesAgainstMajority: number;
  readonly votesUnrevealed: number;
}

/** One round: what it can pay, and what happened in it. */
export interface Round {
  readonly address: PublicKey;
  readonly task: PublicKey;
  /** Paid the rent. */
  readonly payer: PublicKey;
  readonly number: bigint;
  /** Taken out of the pool at the first submission, in base units. */
  readonly reserve: bigint;
  /** What is left of `reserve`. */
  readonly left: bigint;
  readonly submissions: number;
  readonly convictions: number;
  /** Submissions whose bounty was claimed. */
  readonly paid: number;
  readonly openAudits: number;
  /** Submission accounts that are not closed. */
  readonly liveSubmissions: number;
}

/** A creator's permission for one owner to take one role. */
export interface AllowEntry {
  readonly address: PublicKey;
  readonly task: PublicKey;
  readonly owner: PublicKey;
  readonly role: Role;
}

export interface Submission {
  readonly address: PublicKey;
  readonly task: PublicKey;
  readonly owner: PublicKey;
  /** Paid the rent. */
  readonly payer: PublicKey;
  /** SHA-256 of the work. */
  readonly payloadHash: Uint8Array;
  readonly payloadUri: string;
  readonly round: bigint;
  readonly slot: bigint;
  /** Active stake of all other nodes when the work came. */
  readonly othersStake: bigint;
  /** Audits opened so far: the next one's attempt. */
  readonly audits: number;
  /** Audit accounts that are not closed. */
  readonly liveAudits: number;
  /** Whether the bounty was claimed. */
  readonly paid: boolean;
  readonly status: SubmissionStatus;
}

/** Votes of one opinion. */
export interface Tally {
  readonly nodes: number;
  /** Their frozen stake, in base units. */
  readonly stake: bigint;
}

/** The rules that decide and share an audit: those of {@link TaskRules} when it opened. */
export type CaseRules = Pick<
  TaskRules,
  | "quorumVotes"
  | "quorumBps"
  | "downtimeBps"
  | "maliceBps"
  | "initiatorBonusBps"
  | "poolBps"
  | "voteWeight"
  | "rewardRule"
>;

export interface Audit {
  readonly address: PublicKey;
  readonly task: PublicKey;
  readonly submission: PublicKey;
  /** Owner of the accusing node. */
  readonly initiator: PublicKey;
  /** Owner of the accused node. */
  readonly accused: PublicKey;
  /** Paid the rent. */
  readonly payer: PublicKey;
  readonly submissionSlot: bigint;
  readonly openSlot: bigint;
  /** First slot at which votes are taken. */
  readonly revealSlot: bigint;
  /** First slot at which no vote is taken and the audit can be resolved. */
  readonly endSlot: bigint;
  readonly accusedStake: bigint;
  /** The most that the audit can slash. */
  readonly exposed: bigint;
  /** Stake that could vote. */
  readonly eligibleStake: bigint;
  /** What the accusation weighs by stake. */
  readonly initiatorStake: bigint;
  /** The initiator's bond while the audit is open. */
  readonly bond: bigint;
  readonly voteDeposit: bigint;
  /** The initiator's accusation included. */
  readonly votes: Readonly<Record<Opinion, Tally>>;
  /** The voters' part of slash or bond. */
  readonly votersPot: bigint;
  readonly votersWeight: bigint;
  /** What is left of `votersPot`. */
  readonly votersLeft: bigint;
  /** Votes that are not claimed. */
  readonly unclaimed: number;
  /** Vote accounts that are not closed. */
  readonly liveVotes: number;
  readonly rules: CaseRules;
  readonly accusation: Accusation;
  readonly outcome: Outcome;
  readonly attempt: number;
}

export interface Vote {
  readonly address: PublicKey;
  readonly audit: PublicKey;
  /** Owner of the voting node. */
  readonly owner: PublicKey;
  /** Paid the rent. */
  readonly payer: PublicKey;
  /** {@link voteCommitment} of verdict and salt; null for an open vote. */
  readonly commitment: Uint8Array | null;
  /** Frozen weight by stake, in base units. */
  readonly weight: bigint;
  /** Base units, until claimed. */
  readonly deposit: bigint;
  /** Says nothing while the vote is committed. */
  readonly opinion: Opinion;
  readonly state: VoteState;
}
