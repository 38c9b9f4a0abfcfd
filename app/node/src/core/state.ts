import type { Audit, Opinion, SealedReveal } from "@securing-tasks/client";
import type { PublicKey } from "@solana/web3.js";

/** A payload that was made for a round. */
export interface Work {
  readonly round: bigint;
  /** SHA-256, as 64 hex digits. */
  readonly hash: string;
  readonly payload: Uint8Array;
}

/** Work that is on the chain. */
export interface Submitted extends Pick<Work, "round" | "hash" | "payload"> {
  /** Address of the submission. */
  readonly submission: string;
  /** At which it was submitted. */
  readonly slot: bigint;
  /** Seed of its round, as 64 hex digits. */
  readonly seed: string;
}

/** What a function said, and in words why; no opinion where it gave none. */
export interface Judgement {
  readonly opinion: Opinion | null;
  readonly reason: string;
  /** Whether evidence of it is kept, so that nobody has to look again. Default: no. */
  readonly evidence?: boolean;
}

/** Evidence about a submission. */
export interface KeptEvidence {
  /** SHA-256 of the content, as 64 hex digits. */
  readonly hash: string;
  /** Address of the submission. */
  readonly submission: string;
  /** Slot after which nobody needs it. */
  readonly caseEnd: number;
  readonly content: string;
}

/** Evidence that another node brought, and that nobody here has judged. */
export interface Told extends KeptEvidence {
  /** Owner of the node that brought it, in base58. */
  readonly sender: string;
  /** What that node has to say on the submission, in base units: friends of the accused must not crowd out whoever has more than they. */
  readonly weight: bigint;
}

/** A recorded run that found a submission guilty. */
export interface KeptRecording extends KeptEvidence {
  readonly opinion: Opinion;
}

/** What came of looking at a submission unasked. */
export interface Check extends Judgement {
  /** Slot at which it was seen. */
  readonly slot: bigint;
}

/** An audit that this node opened, as it was last seen on the chain. */
export interface OwnAccusation extends Pick<Audit, "accusation" | "outcome" | "endSlot"> {
  /** Address of the audit. */
  readonly audit: string;
}

/** A signed transaction that may be on its way. */
export interface Letter {
  /** Its name: there is never more than one letter of one. */
  readonly key: string;
  /** What it does, and on what. It does all of it, or nothing. */
  readonly keys: readonly string[];
  readonly signature: string;
  readonly blockhash: string;
  readonly lastValidBlockHeight: number;
  /** Slot of the bank that gave the blockhash. */
  readonly minSlot: number;
  readonly raw: Uint8Array;
}

/**
 * What a node must not forget. Every write is kept for good when the method returns; what can't be written throws. Addresses of accounts and
 * owners are in base58.
 */
export interface State {
  /**
   * Keeps a payload. Where one is kept for the round, that one stays and is returned: its hash may be on its way.
   *
   * @param seed Of the round. Without it, no answer is signed for this work.
   */
  keepWork(work: Work, seed?: string | null): Work;
  /** Takes the place of what is kept for the round: this one is on the chain. */
  restoreWork(work: Work, seed: string, submission: string, slot: bigint): void;
  /** Notes that the work of a round is on the chain. */
  keepSubmitted(round: bigint, hash: string, submission: string, slot: bigint): void;
  /** The work of a submission, or the newest that is on the chain. */
  submitted(submission: string | null): Submitted | null;
  work(round: bigint): Work | null;
  /** The hash alone, as 64 hex digits. */
  workHash(round: bigint): string | null;
  /** Forgets payloads of rounds before this one. */
  forgetWorks(before: bigint): void;
  /** Keeps the opinion on an audit. The first one stays and is returned. */
  keepOpinion(audit: string, found: Judgement): Judgement;
  /** Takes the place of a milder opinion: what the accused signed came to light before the vote. */
  raiseOpinion(audit: string, reason: string): Judgement;
  opinion(audit: string): Judgement | null;
  /** Audits on which there is an opinion, the newest of them. */
  judged(): PublicKey[];
  /** Keeps which owners' work of a round is to be checked. The first choice stays. */
  keepSample(round: bigint, owners: readonly string[]): void;
  sample(round: bigint): readonly string[] | null;
  /** Keeps what came of checking a submission unasked, in place of what was seen before; but of what there is evidence, that stays. */
  keepCheck(submission: string, check: Check): void;
  check(submission: string): Check | null;
  /** Keeps evidence until its case is over; of one submission a few pieces, and in all those whose cases end last. */
  keepEvidence(piece: KeptEvidence, now: bigint): void;
  /** Slot at which the first evidence about a submission was kept that still is; null where there is none. */
  evidenceSince(submission: string): bigint | null;
  /** Hashes of the evidence about a submission. */
  evidenceOf(submission: string): readonly string[];
  evidence(hash: string): string | null;
  /** Submissions against which there is evidence. */
  accusable(now: bigint): PublicKey[];
  /** Keeps what another node brought, as long as its case lasts: a few pieces of each, of one submission those of the heaviest nodes. */
  keepTold(piece: Told, now: bigint): void;
  /** What others brought about a submission: names and contents. */
  toldOf(submission: string): readonly Pick<Told, "hash" | "content">[];
  /** Keeps how many other workers took the evidence about a submission. */
  keepHanded(submission: string, workers: number): void;
  /** How many did; null where it was brought to none yet. */
  handed(submission: string): number | null;
  /** Keeps what is on the chain of an audit that this node opened. */
  keepAccusation(submission: string, accusation: OwnAccusation): void;
  /** The audits of a submission that this node opened, also those that are closed by now. */
  accusations(submission: string): readonly OwnAccusation[];
  /**
   * Keeps why a submission was found guilty, in place of what said the same before. Of all recordings those stay that went with an
   * accusation, and those whose cases end last.
   */
  keepRecording(recording: KeptRecording): void;
  /** Hash of the newest recording that says so of a submission; null where there is none. */
  recordingOf(submission: string, opinion: Opinion): string | null;
  /** From now on it is given to whoever asks: its hash goes with an accusation. */
  publishRecording(hash: string): void;
  /** Keeps what another node handed over, until its vote is revealed or its window is over. */
  keepReveal(sealed: SealedReveal, endSlot: bigint): void;
  keptReveals(): readonly SealedReveal[];
  /** @param paid Whether this node paid for revealing it. */
  forgetReveal(sealed: SealedReveal, paid: boolean, now: bigint): void;
  /** How many reveals of others this node paid for since a slot. */
  paidReveals(since: bigint): number;
  /** Keeps that a keeper has the reveal of an own vote, or will never take it. */
  keepEntrusted(audit: string, keeper: string): void;
  /** Keepers that need not be asked again. */
  entrusted(audit: string): readonly string[];
  forgetEntrusted(audit: string): void;
  /** Whether this state's own process sent it, within the last few days. */
  hasSent(signature: string): boolean;
}
