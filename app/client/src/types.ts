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
/** From mildest to gravest. */
export const SUBMISSION_STATUSES = [
  "submitted",
  "acquitted",
  "convictedDowntime",
  "convictedMalice",
] as const;
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
/** Who shares the voters' part: everyone who voted, or those who voted for no less than the verdict. */
export type RewardRule = (typeof REWARD_RULES)[number];
export type Opinion = (typeof OPINIONS)[number];
/** What a node can be accused of. */
export type Accusation = Exclude<Opinion, "valid">;
/**
 * The gravest verdict so far: it never gets milder. `submitted` where there was none; `acquitted` bars no later audit. Whether an
 * audit is open now, {@link openAudits} says.
 */
export type SubmissionStatus = (typeof SUBMISSION_STATUSES)[number];
export type Outcome = (typeof OUTCOMES)[number];
export type VoteState = (typeof VOTE_STATES)[number];

/** Who may take a role. Checked at joining and again at every submission; an allowlist also at every accusation and vote; never at leaving. */
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
  /** Slots between asking to leave and leaving; at least the longest case: all windows together, with appeals those of votes twice. */
  readonly leaveDelaySlots: bigint;
  readonly workerMinStake: bigint;
  readonly witnessMinStake: bigint;
  readonly bountyPerRound: bigint;
  /** What an accusation that fails costs the accuser's stake. */
  readonly initiatorBond: bigint;
  /** What a committed vote costs the voter's stake if it is never revealed. */
  readonly voteDeposit: bigint;
  /** Slots after the last vote in which an outcome may be appealed; 0 for no appeals. */
  readonly appealSlots: bigint;
  /** What an appeal that changes nothing costs the appellant's stake; 0 for no appeals. */
  readonly appealBond: bigint;
  /** Least votes on the side that decides, besides the initiator's. */
  readonly quorumVotes: number;
  /** Least part of the eligible weight on the side that decides, in basis points; at most 5,000. */
  readonly quorumBps: number;
  /** Part of the stake that downtime costs, in basis points. */
  readonly downtimeBps: number;
  /** Part of the stake that malice costs, in basis points; not below `downtimeBps`. */
  readonly maliceBps: number;
  /** The initiator's part of a slash on top of its share as a voter, in basis points. */
  readonly initiatorBonusBps: number;
  /** The pool's part of a slash, in basis points. The voters share the rest. */
  readonly poolBps: number;
  /** About how many nodes are drawn to judge an audit, by stake; 0 where everybody judges. */
  readonly panelSeats: number;
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

/** What an accusation rests on. */
export interface EvidenceRef {
  /** SHA-256 of it. */
  readonly hash: Uint8Array;
  /** Where to get it; at most 128 bytes. */
  readonly uri: string;
}

/** Who can vote: nodes whose stake that isn't leaving is at least their role's minimum. */
export interface Electorate {
  /** Base units. */
  readonly stake: bigint;
  readonly nodes: number;
}

export interface Task {
  readonly address: PublicKey;
  readonly creator: PublicKey;
  /** Paid the rent. */
  readonly payer: PublicKey;
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
  /** What all nodes could vote with, if all their stake were old enough. */
  readonly electorate: Electorate;
  /** The same at the start of `beforeSlot`, the last slot in which it changed. */
  readonly before: Electorate;
  readonly beforeSlot: bigint;
  /** When the task ended; 0 before. */
  readonly retiredSlot: bigint;
  /** Node accounts. */
  readonly nodes: number;
  /** Round accounts. */
  readonly rounds: number;
  /** Allowlist entries. */
  readonly entries: number;
  readonly status: TaskStatus;
}

/** Stake that came lately: it votes only on work submitted after `slot`. */
export interface Arrival {
  readonly slot: bigint;
  /** Base units. */
  readonly amount: bigint;
}

/** Active stake that went lately, by a request to leave or by a slash; at most four of each, oldest first. */
export interface Departed {
  /** When it went. */
  readonly parts: readonly Arrival[];
  /** When that of it had come which was young as it went. */
  readonly young: readonly Arrival[];
}

export interface Node {
  readonly address: PublicKey;
  readonly task: PublicKey;
  /** The key that gets the money. */
  readonly owner: PublicKey;
  /** The key that submits, accuses and votes. */
  readonly operator: PublicKey;
  /** Paid the rent. */
  readonly payer: PublicKey;
  readonly role: Role;
  readonly joinedSlot: bigint;
  /** All that can be slashed, the leaving part, bonds and deposits included. */
  readonly stake: bigint;
  readonly leaving: bigint;
  /** First slot at which `leaving` can be withdrawn; 0 where nothing leaves. */
  readonly leaveSlot: bigint;
  /** What asked to leave since nothing was leaving, slashed or not. It still votes on work up to its request's slot. */
  readonly askedToLeave: Departed;
  /** What slashes took of active stake. For work up to their slots it counts for the role's minimum. */
  readonly slashed: Departed;
  /** Stake that came lately, oldest first; at most four. Stake that goes takes the youngest along. */
  readonly arrivals: readonly Arrival[];
  /** What the node could vote with at the start of `beforeSlot`, the last slot in which its stake changed. */
  readonly before: Electorate;
  readonly beforeSlot: bigint;
  /** Bonds of the node's own open accusations and appeals, out of its stake. */
  readonly bonds: bigint;
  /** The node's own commitments that are neither revealed nor claimed: each has a deposit out of its stake. */
  readonly commitments: number;
  /** Shares that can be withdrawn from `lockedUntil` on. */
  readonly locked: bigint;
  readonly lockedUntil: bigint;
  /** Shares that came while `locked` was filled. */
  readonly lockedNext: bigint;
  readonly lockedNextUntil: bigint;
  /** Can be withdrawn at once. */
  readonly payable: bigint;
  /** Base units that one of the open audits against the node may take at most; 0 where there is none. */
  readonly risk: bigint;
  /** Open audits against the node; it can't withdraw while there is one. */
  readonly openAudits: number;
  /** Submissions and votes of the node, and audits begun by it, whose accounts are not closed, and its appeals that are not decided. */
  readonly live: number;
  /** Audits begun by it so far: the next one's index. */
  readonly audits: number;
  readonly submissions: number;
  readonly roundsPaid: number;
  /** Submissions convicted, each once, by its gravest verdict. */
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
  /** Paid the rent. */
  readonly payer: PublicKey;
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
  /** What all other nodes could vote with just before the work came: what quorums and seats are a share of. */
  readonly others: Electorate;
  /** Base units that verdicts on it took from the node's stake. */
  readonly slashed: bigint;
  /** Audits opened so far. */
  readonly audits: number;
  /** Audits resolved so far, in the order in which they were opened. */
  readonly decided: number;
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
  | "panelSeats"
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
  /** SHA-256 of the secret that the panel is drawn by; null where there is no panel. */
  readonly secretHash: Uint8Array | null;
  /** What seats follow from; null before the draw. */
  readonly seed: Uint8Array | null;
  /** SHA-256 of what the accusation rests on; null for none. */
  readonly evidenceHash: Uint8Array | null;
  /** Owner of the node that appealed; null where none did. */
  readonly appellant: PublicKey | null;
  /** First slot at which votes are told; after an appeal of the final count's. */
  readonly revealSlot: bigint;
  /** First slot at which no vote is taken; after an appeal of the final count's. */
  readonly endSlot: bigint;
  /** The panel is drawn after this slot; 0 where there is no panel. */
  readonly drawSlot: bigint;
  /** When it was appealed; 0 where it was not. */
  readonly appealSlot: bigint;
  /** The accused's stake when the audit opened, and what earlier verdicts on the work had taken of it. */
  readonly accusedStake: bigint;
  /** Who could vote: all but the accused, just before the work came. Quorum and seats are a share of it. */
  readonly eligible: Electorate;
  /** What the accusation weighs by stake. */
  readonly initiatorStake: bigint;
  /** What the initiator loses of its stake if its accusation fails. */
  readonly bond: bigint;
  /** What a voter loses of its stake if it doesn't reveal its commitment. */
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
  /** What the first count came to; `open` where there was no appeal. */
  readonly firstOutcome: Outcome;
  /** The initiator's count of audits before this one: part of the address. */
  readonly index: number;
  /** Audits of the work that were opened before this one. They are resolved in that order. */
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
  /** Says nothing while the vote is committed. */
  readonly opinion: Opinion;
  readonly state: VoteState;
  /** Whether it came after the appeal. */
  readonly onAppeal: boolean;
}

/** Whether work was convicted of either fault: it earns nothing. */
export function isConvicted({ status }: Pick<Submission, "status">): boolean {
  return status === "convictedDowntime" || status === "convictedMalice";
}

/** Audits of the work that are not resolved. */
export function openAudits({ audits, decided }: Pick<Submission, "audits" | "decided">): number {
  return audits - decided;
}
