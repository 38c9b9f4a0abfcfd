import { createHash } from "node:crypto";
import type {
  AccountKind,
  Accusation,
  Audit,
  Opinion,
  Round,
  Submission,
  Vote,
} from "@securing-tasks/client";
import {
  ACCOUNT_BYTES,
  activeStake,
  auditEnd,
  rentOf,
  roundAt,
  roundStart,
  submissionEnd,
} from "@securing-tasks/client";
import type { PublicKey } from "@solana/web3.js";
import type { NodeConfig } from "./config";
import type { Store, Work } from "./store";
import type { View } from "./view";
import { canLend, hasSay, minStake } from "./view";

/** Something to do now. `key` names it on every look at the chain; `until` is the first slot at which it is too late. */
export type Duty = { readonly key: string; readonly until?: bigint } & (
  | { readonly kind: "work"; readonly round: bigint }
  | { readonly kind: "submit"; readonly work: Work }
  | { readonly kind: "sample"; readonly round: bigint }
  | { readonly kind: "check"; readonly submission: Submission }
  | { readonly kind: "accuse"; readonly submission: Submission; readonly accusation: Accusation }
  | { readonly kind: "judge"; readonly audit: Audit; readonly submission: Submission }
  | { readonly kind: "cast" | "commit"; readonly audit: Audit; readonly opinion: Opinion }
  | { readonly kind: "reveal"; readonly audit: Audit }
  | { readonly kind: "resolve"; readonly audit: Audit; readonly round: bigint }
  | { readonly kind: "claimVote"; readonly audit: Audit; readonly vote: Vote }
  | { readonly kind: "closeVote"; readonly vote: Vote }
  | { readonly kind: "closeAudit"; readonly audit: Audit }
  | { readonly kind: "sweepAudit"; readonly audit: Audit }
  | { readonly kind: "claimBounty"; readonly submission: Submission }
  | { readonly kind: "closeSubmission"; readonly submission: Submission }
  | { readonly kind: "closeRound"; readonly round: Round }
);

export interface Plan {
  readonly duties: readonly Duty[];
  /** Slot at which there may be more to do, if nothing happens before; null where none is known. */
  readonly wakeAt: bigint | null;
  /** Whether the operator has too few lamports for all that would be due. */
  readonly short: boolean;
}

export interface PlanOptions {
  readonly config: Pick<NodeConfig, "samples" | "chores">;
  readonly owner: PublicKey;
  readonly operator: PublicKey;
  readonly store: Pick<Store, "work" | "sample" | "check" | "opinion" | "accusations">;
  /** Most lamports that one transaction's fees may be. */
  readonly mostFee: bigint;
}

/** A transaction made this close to the end of its window would come too late. */
const MARGIN = 2n;
/** Audits that one submission can have. */
const MOST_AUDITS = 3;
/** Audits that this node opens on one submission: one more after an audit without a verdict. */
const MOST_ACCUSATIONS = 2;
/** What was seen longer ago is seen to again before anybody is accused of it: whoever was down may be up. */
const FRESH_SLOTS = 150n;
/** What must stay with the operator, or it could not pay at all. */
const EMPTY_ACCOUNT = rentOf(0);

/**
 * What is due, from chain and state alone: nothing is remembered between two looks, so a process that is killed loses nothing but time.
 * `now` is the newest slot that the node has heard of.
 */
export function plan(view: View, now: bigint, options: PlanOptions): Plan {
  const planner = new Planner(view, now, options);
  planner.work();
  planner.sampling();
  for (const audit of view.audits) planner.audit(audit);
  planner.rounds();
  return { duties: planner.duties, wakeAt: planner.wakeAt, short: planner.short };
}

class Planner {
  readonly duties: Duty[] = [];
  wakeAt: bigint | null = null;
  short = false;
  private readonly submissions: ReadonlyMap<string, Submission>;
  /** Lamports that may be spent: the fees of all reveals that are owed are put aside, else they would cost their deposits. */
  private free: bigint;

  constructor(
    private readonly view: View,
    private readonly now: bigint,
    private readonly options: PlanOptions,
  ) {
    this.submissions = new Map(view.submissions.map((one) => [one.address.toBase58(), one]));
    const owed = view.audits.filter(
      ({ address, endSlot }) =>
        now < endSlot && view.votes.get(address.toBase58())?.state === "committed",
    );
    this.free =
      BigInt(view.operatorLamports) - EMPTY_ACCOUNT - BigInt(owed.length) * options.mostFee;
  }

  /** Work for the current round. */
  work(): void {
    const { task, node } = this.view;
    if (node.role !== "worker" || task.status !== "active" || this.now < task.startSlot) return;
    const round = roundAt(task, this.now);
    this.at(roundStart(task, round + 1n));
    const until = submissionEnd(task, round);
    if (this.now + MARGIN >= until || activeStake(node) < minStake(task, node)) return;
    if (this.view.submissions.some((one) => one.round === round && this.isMe(one.owner))) return;
    const work = this.options.store.work(round);
    if (!work) this.do({ kind: "work", key: `work:${round.toString()}`, round, until });
    else if (this.pays(["submission", "round"])) {
      this.do({ kind: "submit", key: `submit:${round.toString()}`, work, until });
    }
  }

  /** Work of others that nobody has accused yet. */
  sampling(): void {
    const { task, node } = this.view;
    if (this.options.config.samples === 0 || task.status === "paused") return;
    for (const round of new Set(this.view.submissions.map((one) => one.round))) {
      const until = auditEnd(task, round);
      if (this.now + MARGIN >= until) continue;
      if (this.now <= submissionEnd(task, round)) {
        this.at(submissionEnd(task, round) + 1n);
        continue;
      }
      const owners = this.options.store.sample(round);
      if (!owners) {
        this.do({ kind: "sample", key: `sample:${round.toString()}`, round, until });
        continue;
      }
      for (const submission of this.view.submissions) {
        if (submission.round !== round || submission.status !== "submitted") continue;
        if (!owners.includes(submission.owner.toBase58())) continue;
        // Who has no say can't accuse, and who can't pay the bond neither.
        if (!hasSay(task, node, submission.slot)) continue;
        if (!canLend(task, node, task.rules.initiatorBond)) continue;
        this.suspect(submission, until);
      }
    }
  }

  private suspect(submission: Submission, until: bigint): void {
    const { store } = this.options;
    const address = submission.address.toBase58();
    const check = store.check(address);
    if (check?.opinion === null || check?.opinion === "valid") return;
    if (submission.audits >= MOST_AUDITS || store.accusations(address) >= MOST_ACCUSATIONS) return;
    // Evidence does not age: whoever signed a lie may be dark by now.
    if (!check || (!check.evidence && this.now > check.slot + FRESH_SLOTS)) {
      this.do({ kind: "check", key: `check:${address}`, submission, until });
      return;
    }
    if (!this.pays(["audit"])) return;
    const key = `accuse:${address}:${submission.audits}`;
    this.do({ kind: "accuse", key, submission, accusation: check.opinion, until });
  }

  audit(audit: Audit): void {
    const name = audit.address.toBase58();
    const vote = this.view.votes.get(name);
    if (audit.outcome === "open") {
      if (vote) this.reveal(audit, vote);
      else this.vote(audit, name);
      this.resolve(audit, name);
    } else this.afterwards(audit, name, vote);
  }

  private vote(audit: Audit, name: string): void {
    const { task, node } = this.view;
    if (this.isMe(audit.initiator) || this.isMe(audit.accused)) return;
    const committed = audit.revealSlot > audit.openSlot;
    const until = committed ? audit.revealSlot : audit.endSlot;
    if (this.now + MARGIN >= until || !hasSay(task, node, audit.submissionSlot)) return;
    if (audit.voteDeposit > 0n && !canLend(task, node, audit.voteDeposit)) return;
    const known = this.options.store.opinion(name);
    if (!known) {
      const submission = this.submissions.get(audit.submission.toBase58());
      if (submission) this.do({ kind: "judge", key: `judge:${name}`, audit, submission, until });
    } else if (known.opinion !== null) {
      // A commitment is worth nothing without its reveal.
      const fees = committed ? 2n : 1n;
      if (!this.pays(["vote"], fees)) return;
      const kind = committed ? "commit" : "cast";
      this.do({ kind, key: `vote:${name}`, audit, opinion: known.opinion, until });
    }
  }

  private reveal(audit: Audit, vote: Vote): void {
    if (vote.state !== "committed" || this.now >= audit.endSlot) return;
    if (this.now < audit.revealSlot) this.at(audit.revealSlot);
    else {
      const key = `reveal:${audit.address.toBase58()}`;
      this.do({ kind: "reveal", key, audit, until: audit.endSlot });
    }
  }

  /** Anyone may, and it is needed once: each node waits a little, and each another while. */
  private resolve(audit: Audit, name: string): void {
    const { chores } = this.options.config;
    const submission = this.submissions.get(audit.submission.toBase58());
    if (!chores.resolve || !submission) return;
    const due = audit.endSlot + this.turn(name, chores.spreadSlots);
    if (this.now < due) this.at(due);
    else this.do({ kind: "resolve", key: `resolve:${name}`, audit, round: submission.round });
  }

  private afterwards(audit: Audit, name: string, vote: Vote | undefined): void {
    const { chores } = this.options.config;
    if (vote && vote.state !== "claimed") {
      if (chores.claim) this.do({ kind: "claimVote", key: `claimVote:${name}`, audit, vote });
      return;
    }
    if (!chores.close) return;
    if (vote) {
      this.do({ kind: "closeVote", key: `closeVote:${name}`, vote });
      return;
    }
    if (!this.isMe(audit.initiator) && !audit.payer.equals(this.options.operator)) return;
    if (audit.liveVotes === 0) this.do({ kind: "closeAudit", key: `closeAudit:${name}`, audit });
    else {
      // Voters claim by themselves. One that is gone must not hold back the rent of all others.
      const patience = audit.endSlot + this.view.task.rules.roundSlots;
      if (this.now < patience) this.at(patience);
      else this.do({ kind: "sweepAudit", key: `sweepAudit:${name}`, audit });
    }
  }

  /** What rounds that are over leave to be claimed and closed. */
  rounds(): void {
    const { task, rounds, submissions } = this.view;
    const { close } = this.options.config.chores;
    const byNumber = new Map(rounds.map((round) => [round.number, round]));
    for (const submission of submissions) {
      const round = byNumber.get(submission.round);
      if (!round) continue;
      if (this.isMe(submission.owner)) this.finish(submission, round);
      else if (close && round.payer.equals(this.options.operator)) {
        // Workers claim by themselves. One that is gone must not hold back the rent of the round.
        const patience = auditEnd(task, round.number) + task.rules.roundSlots;
        if (this.now < patience) this.at(patience);
        else this.finish(submission, round);
      }
    }
    if (!close) return;
    for (const round of rounds) {
      if (!round.payer.equals(this.options.operator) || round.liveSubmissions > 0) continue;
      if (this.now < submissionEnd(task, round.number)) continue;
      this.do({ kind: "closeRound", key: `closeRound:${round.number.toString()}`, round });
    }
  }

  private finish(submission: Submission, round: Round): void {
    const { task } = this.view;
    const { claim, close } = this.options.config.chores;
    const name = submission.address.toBase58();
    if (!submission.paid && submission.status !== "convicted") {
      const over = auditEnd(task, round.number);
      if (this.now < over) this.at(over);
      else if (claim && round.openAudits === 0) {
        this.do({ kind: "claimBounty", key: `claimBounty:${name}`, submission });
      }
      return;
    }
    if (!close || submission.liveAudits > 0) return;
    const over = submissionEnd(task, round.number);
    if (this.now < over) this.at(over);
    else this.do({ kind: "closeSubmission", key: `closeSubmission:${name}`, submission });
  }

  /** A number below `slots` that follows from what is to be done and who may do it. */
  private turn(name: string, slots: number): bigint {
    if (slots === 0) return 0n;
    const hash = createHash("sha256").update(name).update(this.options.owner.toBuffer()).digest();
    return BigInt(hash.readUInt32LE(0) % slots);
  }

  /** Whether the operator can pay these accounts' rent and so many transactions' fees; they are put aside then. */
  private pays(made: readonly AccountKind[], fees = 1n): boolean {
    const rent = made.reduce((sum, kind) => sum + rentOf(ACCOUNT_BYTES[kind]), 0n);
    const cost = rent + fees * this.options.mostFee;
    if (this.free < cost) {
      this.short = true;
      return false;
    }
    this.free -= cost;
    return true;
  }

  private isMe(owner: PublicKey): boolean {
    return owner.equals(this.options.owner);
  }

  private do(duty: Duty): void {
    this.duties.push(duty);
  }

  private at(slot: bigint): void {
    if (slot <= this.now) return;
    if (this.wakeAt === null || slot < this.wakeAt) this.wakeAt = slot;
  }
}
