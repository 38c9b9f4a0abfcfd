import { hmac } from "@noble/hashes/hmac";
import { sha256 } from "@noble/hashes/sha2";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils";
import type {
  AccountKind,
  Accusation,
  Audit,
  Opinion,
  Round,
  SealedReveal,
  Submission,
  Task,
  Vote,
} from "@securing-tasks/client";
import {
  ACCOUNT_BYTES,
  DRAW_WINDOW,
  activeStake,
  auditEnd,
  isConvicted,
  isOfRunningCount,
  isSecret,
  longestCase,
  minStake,
  rentOf,
  resolvableAt,
  roundAt,
  roundStart,
  seatOf,
  submissionEnd,
  verdictOf,
  weightOn,
} from "@securing-tasks/client";
import type { PublicKey } from "@solana/web3.js";
import { nameOf } from "./name";
import { serviceOf } from "./peers";
import type { Settings } from "./settings";
import type { State, Work } from "./state";
import type { View } from "./view";

/** Something to do now. `key` names it on every look at the chain; `until` is the first slot at which it is too late. */
export type Duty = { readonly key: string; readonly until?: bigint } & (
  | { readonly kind: "work"; readonly round: bigint }
  | { readonly kind: "submit"; readonly work: Work }
  | { readonly kind: "restore"; readonly submission: Submission }
  | { readonly kind: "sample"; readonly round: bigint }
  | { readonly kind: "check"; readonly submission: Submission }
  | { readonly kind: "hand"; readonly submission: Submission }
  | {
      readonly kind: "accuse";
      readonly submission: Submission;
      readonly accusation: Accusation;
      /** Audits that this node has begun before. */
      readonly index: number;
    }
  | { readonly kind: "draw"; readonly audit: Audit }
  | { readonly kind: "judge"; readonly audit: Audit; readonly submission: Submission }
  | { readonly kind: "cast" | "commit"; readonly audit: Audit; readonly opinion: Opinion }
  | { readonly kind: "reveal"; readonly audit: Audit }
  | { readonly kind: "entrust"; readonly audit: Audit; readonly vote: Vote }
  | { readonly kind: "revealFor"; readonly audit: Audit; readonly sealed: SealedReveal }
  | {
      readonly kind: "appeal";
      readonly audit: Audit;
      readonly submission: Submission;
      /** What this node saw, and the first count denies. */
      readonly opinion: Opinion;
    }
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
  /** Whether the operator has too few lamports for all that would be due, or its sponsor too few transactions left. */
  readonly short: boolean;
  /** The current round, where its work earns nothing because the pool is empty; null where it does. */
  readonly unpaid: bigint | null;
}

export interface PlanOptions {
  readonly config: Pick<
    Settings,
    | "samples"
    | "chores"
    | "http"
    | "workUnpaid"
    | "keepPayloadRounds"
    | "keepers"
    | "keepersEarly"
    | "keeper"
    | "appeal"
  > &
    Partial<Pick<Settings, "sampleEvery">>;
  readonly owner: PublicKey;
  readonly operator: PublicKey;
  /** Who pays in the operator's place. */
  readonly sponsor?: {
    /** Null while it is not known. */
    readonly address: PublicKey | null;
    /** Transactions that it may be asked for now, whatever the operator has; null where it does not pay, and the operator does. */
    readonly left: bigint | null;
  };
  readonly store: Pick<
    State,
    | "work"
    | "workHash"
    | "sample"
    | "check"
    | "opinion"
    | "accusations"
    | "evidenceSince"
    | "handed"
    | "entrusted"
    | "keptReveals"
  >;
  /** Of the operator alone: from it come the moments at which this node looks. */
  readonly secret: Uint8Array;
  /** Most lamports that one transaction's fees may be. */
  readonly mostFee: bigint;
}

/** A transaction made this close to the end of its window would come too late. */
const MARGIN = 2n;
/** Audits that this node opens on one submission: its bonds are not endless. */
const MOST_ACCUSATIONS = 3;
/** Looks at one piece of work, each in its own part of the audit window. */
const LOOKS = 3n;
/** After the last vote of an audit: to resolve it, to look again and to accuse. */
const VERDICT_SLOTS = 32n;
/** Votes, with their reveals, in audits that nobody has opened yet: chores for others leave enough to pay for them. */
const RESERVED_VOTES = 4n;
/** What was seen longer ago is seen to again before anybody is accused of it: whoever was down may be up. */
const FRESH_SLOTS = 150n;
/** What must stay with the operator, or it could not pay at all. */
const EMPTY_ACCOUNT = rentOf(0);

/** What was drawn lately: each plan asks for the same. */
const chances = new WeakMap<Uint8Array, Map<string, bigint>>();
const MOST_CHANCES = 50_000;

/** A number below 2^32 that nobody can tell without the secret, always the same for the same name. */
function chanceOf(secret: Uint8Array, name: string): bigint {
  const drawn = chances.get(secret) ?? new Map<string, bigint>();
  chances.set(secret, drawn);
  const known = drawn.get(name);
  if (known !== undefined) return known;
  const chance = firstOf(hmac(sha256, secret, name));
  if (drawn.size >= MOST_CHANCES) drawn.clear();
  drawn.set(name, chance);
  return chance;
}

/**
 * What is due, from chain and state alone: nothing is remembered between two looks, so a process that is killed loses nothing but time.
 * `now` is the newest slot that the node has heard of.
 */
export function plan(view: View, now: bigint, options: PlanOptions): Plan {
  const planner = new Planner(view, now, options);
  planner.work();
  planner.restoring();
  planner.sharing();
  planner.sampling();
  for (const audit of view.audits) planner.ballot(audit);
  planner.keeping();
  // Last of all: strangers decide how many chores there are.
  for (const audit of view.audits) planner.chores(audit);
  planner.rounds();
  return {
    duties: planner.duties,
    wakeAt: planner.wakeAt,
    short: planner.short,
    unpaid: planner.unpaid,
  };
}

class Planner {
  readonly duties: Duty[] = [];
  wakeAt: bigint | null = null;
  short = false;
  unpaid: bigint | null = null;
  private readonly submissions: ReadonlyMap<string, Submission>;
  /** By the submission's address. */
  private readonly audits = new Map<string, Audit[]>();
  /**
   * What may be spent: lamports, or transactions where a sponsor pays. That for all reveals that are owed is put aside, else they would cost
   * their deposits, and for own panels' draws, else everybody would have to judge.
   */
  private free: bigint;
  /** Of that, what one transaction takes. */
  private readonly fee: bigint;
  private readonly isSponsored: boolean;

  constructor(
    private readonly view: View,
    private readonly now: bigint,
    private readonly options: PlanOptions,
  ) {
    this.submissions = new Map(view.submissions.map((one) => [nameOf(one.address), one]));
    for (const audit of view.audits) {
      const of = nameOf(audit.submission);
      this.audits.set(of, [...(this.audits.get(of) ?? []), audit]);
    }
    const owed = view.audits.filter(
      (audit) =>
        owesReveal(audit, view.votes.get(nameOf(audit.address)), now) || this.mayDraw(audit),
    );
    const left = options.sponsor?.left ?? null;
    this.isSponsored = left !== null;
    this.fee = this.isSponsored ? 1n : options.mostFee;
    const all = left ?? BigInt(view.operatorLamports) - EMPTY_ACCOUNT;
    this.free = all - BigInt(owed.length) * this.fee;
  }

  /** Work for the current round. */
  work(): void {
    const { task, node } = this.view;
    if (node.role !== "worker" || task.status !== "active" || this.now < task.startSlot) return;
    const round = roundAt(task, this.now);
    this.at(roundStart(task, round + 1n));
    const until = submissionEnd(task, round);
    if (this.now + MARGIN >= until || activeStake(node) < minStake(task.rules, node)) return;
    if (this.view.submissions.some((one) => one.round === round && this.isMe(one.owner))) return;
    if (this.isUnpaid(round)) {
      this.unpaid = round;
      if (!this.options.config.workUnpaid) return;
    }
    const work = this.options.store.work(round);
    if (!work) this.do({ kind: "work", key: `work:${round.toString()}`, round, until });
    else if (this.pays(["submission", "round"])) {
      this.do({ kind: "submit", key: `submit:${round.toString()}`, work, until });
    }
  }

  /** Own work that can still be audited, and whose payload is to be served from here and is not in the state: that was lost. */
  restoring(): void {
    const { task, submissions } = this.view;
    const { http, keepPayloadRounds } = this.options.config;
    if (!http) return;
    for (const submission of submissions) {
      const { owner, round, payloadHash, payloadUri, status } = submission;
      const until = caseEnd(task, round);
      if (!this.isMe(owner) || this.now >= until || status === "convictedMalice") continue;
      const hash = Buffer.from(payloadHash).toString("hex");
      const forgets = keepPayloadRounds !== undefined ? BigInt(keepPayloadRounds) : null;
      if (forgets !== null && round + forgets < roundAt(task, this.now)) continue;
      if (serviceOf(payloadUri, hash) === null) continue;
      if (this.options.store.workHash(round) === hash) continue;
      this.do({ kind: "restore", key: `restore:${round.toString()}`, submission, until });
    }
  }

  /** Whether a round has a bounty by the rules, and nothing to pay it from: the first submission sets it aside. */
  private isUnpaid(number: bigint): boolean {
    const { task, rounds } = this.view;
    const round = rounds.find((one) => one.number === number);
    return task.rules.bountyPerRound > 0n && (round ? round.reserve : task.pool) === 0n;
  }

  /** Work of others that is to be looked at, or that there is something against. */
  sampling(): void {
    const { task } = this.view;
    if (this.options.config.samples === 0 || task.status === "paused") return;
    // Whose work it is to look at is not known before the seed is.
    const worked = this.view.rounds.filter(({ liveSubmissions }) => liveSubmissions > 0);
    const numbers = [
      ...worked.map((one) => one.number),
      ...this.view.submissions.map((one) => one.round),
    ];
    for (const round of new Set(numbers)) {
      const until = auditEnd(task, round);
      if (this.now + MARGIN >= until) continue;
      const works = this.view.submissions.filter((one) => one.round === round);
      for (const submission of works) this.hold(submission, until);
      if (this.now <= submissionEnd(task, round)) {
        this.at(submissionEnd(task, round) + 1n);
        continue;
      }
      const owners = this.options.store.sample(round) ?? (this.isSampled(round) ? null : []);
      if (!owners) {
        this.do({ kind: "sample", key: `sample:${round.toString()}`, round, until });
        continue;
      }
      const sampled = new Set(owners);
      for (const submission of works) {
        if (sampled.has(nameOf(submission.owner)) || this.isOverruled(submission))
          this.suspect(submission, until);
      }
    }
  }

  /** Nobody else can tell in which rounds it looks. */
  private isSampled(round: bigint): boolean {
    const every = BigInt(this.options.config.sampleEvery ?? 1);
    return this.moment(`round:${round.toString()}`, every) === 0n;
  }

  /** What is proven against somebody is brought to others before it is needed, and asked again where nobody took it. */
  sharing(): void {
    const { task, submissions } = this.view;
    for (const submission of submissions) {
      const until = caseEnd(task, submission.round);
      if (this.now >= until || submission.status === "convictedMalice") continue;
      const address = nameOf(submission.address);
      // Who has a service hands it on as well: else it would wait for that for ever before it accuses.
      if (!this.isProven(submission) || this.isTaken(submission)) continue;
      this.do({ kind: "hand", key: `hand:${address}`, submission, until });
    }
  }

  /** What the accused has signed is held against it, whoever heard it, and however old it is. */
  private hold(submission: Submission, until: bigint): void {
    if (!this.isProven(submission)) return;
    const address = nameOf(submission.address);
    const since = this.options.store.evidenceSince(address) ?? 0n;
    // Not before others were asked to take it. Where nobody did, the accused has the benefit of what it may have said to this node alone.
    if (this.options.store.handed(address) === null) return;
    if (!this.isShared(submission) && this.now > since + FRESH_SLOTS) return;
    this.accuseInTurn(submission, "malice", since, until);
  }

  private isProven(submission: Submission): boolean {
    const { store } = this.options;
    const address = nameOf(submission.address);
    if (store.evidenceSince(address) !== null) return true;
    const judged = this.auditsOf(submission).map((one) => store.opinion(nameOf(one.address)));
    return [store.check(address), ...judged].some(
      (found) => found?.opinion === "malice" && found.evidence === true,
    );
  }

  /**
   * Whether those who judge can get what this node has against somebody: from workers that took it, or from its own service, which
   * they ask first if it accuses.
   */
  private isShared(submission: Submission): boolean {
    if (this.isTaken(submission)) return true;
    const url = this.options.config.http?.publicUrl.replace(/\/+$/, "");
    if (url === undefined) return false;
    return this.view.submissions.some(
      ({ owner, payloadUri }) => this.isMe(owner) && payloadUri.startsWith(`${url}/payload/`),
    );
  }

  /** Whether another worker took what this node has against somebody. */
  private isTaken({ address }: Submission): boolean {
    return (this.options.store.handed(nameOf(address)) ?? 0) > 0;
  }

  /** Whether this node voted for more than the verdict. */
  private isOverruled({ status, address }: Submission): boolean {
    if (status !== "acquitted" && status !== "convictedDowntime") return false;
    return this.auditsOf({ address }).some((audit) => {
      const opinion = this.options.store.opinion(nameOf(audit.address))?.opinion;
      return opinion === "malice" || (opinion === "downtime" && status === "acquitted");
    });
  }

  private suspect(submission: Submission, until: bigint): void {
    if (this.isProven(submission) || submission.status === "convictedMalice") return;
    const address = nameOf(submission.address);
    const moments = this.moments(submission, until);
    for (const moment of moments) this.at(moment);
    const last = moments.filter((moment) => moment <= this.now).reduce(later, 0n);
    if (last === 0n) return;
    const found = this.options.store.check(address);
    const check = found && found.slot >= last ? found : null;
    if (check?.opinion === null || check?.opinion === "valid") return;
    const accusation = check?.opinion ?? "malice";
    if (!this.mayAccuse(submission, accusation)) return;
    if (check && check.slot < this.answered(submission)) return;
    if (!check || this.now > check.slot + FRESH_SLOTS) {
      this.do({ kind: "check", key: `check:${address}`, submission, until });
      return;
    }
    this.accuseInTurn(submission, accusation, check.slot, until);
  }

  /** Many look at about the same time. Who comes later sees the audit of who came first. */
  private accuseInTurn(
    submission: Submission,
    accusation: Accusation,
    since: bigint,
    until: bigint,
  ): void {
    const { spreadSlots } = this.options.config.chores;
    const due = since + this.turn(`accuse:${nameOf(submission.address)}`, BigInt(spreadSlots));
    if (this.now < due && due <= this.patience(until)) this.at(due);
    else this.accuse(submission, accusation, until);
  }

  /**
   * Slots at which this node looks at a piece of work, early enough to accuse: one in each part of the window, and one in what is left of
   * it after each verdict milder than malice, so that it can be seen whether that still holds.
   *
   * Attacks: a worker answers for the moments at which all look, and is dark for the rest of the window; a friend accuses when all is
   * well, and many times, to put off the next look.
   */
  private moments(submission: Submission, until: bigint): readonly bigint[] {
    const address = nameOf(submission.address);
    const begin = submissionEnd(this.view.task, submission.round) + 1n;
    const end = until - MARGIN;
    if (end <= begin) return [];
    const room = BigInt(this.options.config.chores.spreadSlots) + VERDICT_SLOTS;
    const half = (end - begin) / 2n;
    const part = (end - begin - (room < half ? room : half)) / LOOKS;
    const looks = Array.from({ length: Number(LOOKS) }, (_, at) => {
      const moment = this.moment(`look:${at}:${address}`, part);
      return begin + BigInt(at) * part + moment;
    });
    const after = this.verdicts(submission)
      .filter((slot) => slot < end)
      .map((slot) => {
        const left = end - slot;
        return slot + left / 4n + this.moment(`look:${slot.toString()}:${address}`, left / 2n);
      });
    return [...looks, ...after];
  }

  /** When milder verdicts than malice fell, as far as this node knows. */
  private verdicts(submission: Submission): readonly bigint[] {
    return [...this.auditsOf(submission), ...this.accusations(submission)]
      .filter(({ outcome }) => outcome === "acquitted" || outcome === "convictedDowntime")
      .map(({ endSlot }) => endSlot);
  }

  /** Until when what was seen is answered: by a verdict, or by what this node saw later as a juror. */
  private answered(submission: Submission): bigint {
    const looks = this.auditsOf(submission)
      .filter(({ outcome, address }) => {
        const opinion = this.options.store.opinion(nameOf(address))?.opinion;
        return outcome === "open" && (opinion === "valid" || opinion === "downtime");
      })
      .map(({ openSlot }) => openSlot);
    return [...this.verdicts(submission), ...looks].reduce(later, 0n);
  }

  /** Whether this node has a say on the work, a bond to pledge, and something new to say. */
  private mayAccuse(submission: Submission, accusation: Accusation): boolean {
    const { task, node } = this.view;
    const { status } = submission;
    if (status === "convictedMalice") return false;
    if (status === "convictedDowntime" && accusation === "downtime") return false;
    if (this.accusations(submission).length >= MOST_ACCUSATIONS) return false;
    if (weightOn(node, task.rules, submission.slot) === 0n) return false;
    return node.bonds + task.rules.initiatorBond <= node.stake;
  }

  private accuse(submission: Submission, accusation: Accusation, until: bigint): void {
    if (!this.mayAccuse(submission, accusation)) return;
    const open = this.auditsOf(submission).filter(({ outcome }) => outcome === "open");
    const own = this.accusations(submission);
    const { appealSlots } = this.view.task.rules;
    // Before its end an audit is open, whether this look at the chain shows it or not.
    const enough = own.some(
      (one) =>
        one.outcome === "open" &&
        (one.seen || this.now < one.endSlot + appealSlots) &&
        (one.accusation === "malice" || accusation === "downtime"),
    );
    if (enough) return;
    const proven = this.isProven(submission);
    // What is signed stays the same: who was acquitted of it is not accused of it again. An audit that was closed before this node saw
    // its outcome ended so if no other did.
    const failed = own.some(
      (one) =>
        one.accusation === accusation &&
        (one.outcome === "acquitted" ||
          (one.outcome === "open" && submission.status === "acquitted")),
    );
    if (failed && proven) return;
    // Whoever waits saves its bond, and all who vote a second vote. A friend's open audit must be no shield.
    const patience = this.patience(until);
    const verdict = open.map((one) => this.resolvable(one)).reduce(later, this.now);
    const inTime = open.length > 0 && verdict <= patience;
    // A proof that nobody else has takes an accusation of its own: who accuses is asked for it.
    const known = !proven || this.isTaken(submission);
    if (inTime || (known && open.some((one) => this.says(one, accusation, until, proven)))) {
      this.at(patience + 1n);
      return;
    }
    // The draw of its panel is to follow.
    if (!this.pays(["audit"], this.view.task.rules.panelSeats > 0 ? 2n : 1n)) return;
    const index = this.view.node.audits;
    const key = `accuse:${nameOf(submission.address)}:${index}`;
    this.do({ kind: "accuse", key, submission, accusation, index, until });
  }

  /** Last slot at which what is open may be waited for. */
  private patience(until: bigint): bigint {
    return until - VERDICT_SLOTS - BigInt(this.options.config.chores.spreadSlots);
  }

  /**
   * Whether this node says as much in an open audit as it could accuse of: an audit of its own would only ask the same again. While it
   * has no opinion there, it waits for that; with a proof it knows what it will say.
   */
  private says(audit: Audit, accusation: Accusation, until: bigint, proven: boolean): boolean {
    const name = nameOf(audit.address);
    const seat = this.seat(audit);
    if (!this.view.votes.has(name) && seat === "none") return false;
    const found = this.options.store.opinion(name);
    // Before the draw nobody knows who will have a say: a friend that never draws must be no shield.
    if (!found) {
      return (proven && seat !== "notDrawn") || this.now <= this.patience(until);
    }
    return found.opinion === "malice" || found.opinion === accusation;
  }

  /** Draws, votes, reveals and appeals. */
  ballot(audit: Audit): void {
    if (audit.outcome !== "open") return;
    const name = nameOf(audit.address);
    this.draw(audit, name);
    const vote = this.view.votes.get(name);
    if (vote) this.reveal(audit, vote);
    else this.vote(audit, name);
    this.appeal(audit, name);
  }

  /** Whether it is for this node to draw the audit's panel, now or in a few slots. */
  private mayDraw(audit: Audit): boolean {
    return (
      this.isMe(audit.initiator) && isUndrawn(audit) && this.now < audit.drawSlot + DRAW_WINDOW
    );
  }

  /** The panel of an own accusation, once a block is there that nobody could know at the opening. */
  private draw(audit: Audit, name: string): void {
    if (!this.mayDraw(audit)) return;
    const until = audit.drawSlot + DRAW_WINDOW;
    if (this.now <= audit.drawSlot) this.at(audit.drawSlot + 1n);
    // Its fee was put aside.
    else this.do({ kind: "draw", key: `draw:${name}`, audit, until });
  }

  /** Has a first count done again that denies what this node saw: by all, and once. */
  private appeal(audit: Audit, name: string): void {
    const { config, store } = this.options;
    const { appealSlots } = this.view.task.rules;
    const submission = this.submissions.get(nameOf(audit.submission));
    if (!config.appeal || audit.appealSlot > 0n || !submission) return;
    const until = audit.endSlot + appealSlots;
    if (this.now + MARGIN >= until) return;
    if (this.now < audit.endSlot) {
      this.at(audit.endSlot);
      return;
    }
    const counted = verdictOf(audit);
    const sight = this.sight(audit, submission, counted);
    if (sight === null || !denies(counted, sight)) return;
    const isParty = this.isMe(audit.accused) || this.isMe(audit.initiator);
    // All third nodes see it at the same time, and one bond is enough.
    const due = audit.endSlot + (isParty ? 0n : this.turn(`appeal:${name}`, appealSlots / 2n));
    if (this.now < due) {
      this.at(due);
      return;
    }
    // Whoever was dark may be back, and all who judge now would find it well.
    const address = nameOf(audit.submission);
    const isFresh = (store.check(address)?.slot ?? 0n) >= audit.endSlot;
    if (sight !== "valid" && !isFresh && !this.isProven(submission)) {
      const key = `check:${address}`;
      this.do({ kind: "check", key, submission, until });
    } else if (this.pays([])) {
      this.do({ kind: "appeal", key: `appeal:${name}`, audit, submission, opinion: sight, until });
    }
  }

  /**
   * What this node saw of the work in the time of an audit's first count, or later; the accused by having made it, the initiator before.
   * Null where nothing of that holds against the count.
   */
  private sight(audit: Audit, submission: Submission, counted: Audit["outcome"]): Opinion | null {
    const { store } = this.options;
    if (this.isMe(audit.accused)) {
      const hash = Buffer.from(submission.payloadHash).toString("hex");
      return store.workHash(submission.round) === hash ? "valid" : null;
    }
    // A proof that nobody else gets convinces nobody.
    if (this.isProven(submission)) return this.isShared(submission) ? "malice" : null;
    const judged = store.opinion(nameOf(audit.address))?.opinion ?? null;
    if (judged === "valid") return judged;
    const check = store.check(nameOf(submission.address));
    if (check && check.slot >= audit.endSlot) {
      // Who is up by now may have been down for the jurors.
      const passed = check.opinion === "valid" && counted === "convictedDowntime";
      return passed ? null : check.opinion;
    }
    if (judged !== null) return judged;
    if (this.isMe(audit.initiator)) return audit.accusation;
    return check && check.slot >= audit.openSlot ? check.opinion : null;
  }

  /** What an audit leaves to be done that anyone may do. */
  chores(audit: Audit): void {
    const name = nameOf(audit.address);
    if (audit.outcome === "open") this.resolve(audit, name);
    else this.afterwards(audit, name, this.view.votes.get(name));
  }

  /** First slot at which the running count takes no vote any more. */
  private votesUntil(audit: Audit): bigint {
    return isSecret(audit) ? audit.revealSlot : audit.endSlot;
  }

  /**
   * From when on jurors may look: of a panel since it is drawn at the latest.
   *
   * Attack: a friend of the accused draws when it suits, and all jurors' moments would be over by then.
   */
  private votesFrom({ openSlot, drawSlot, appealSlot }: Audit): bigint {
    if (appealSlot > 0n) return appealSlot;
    return drawSlot > 0n ? drawSlot + DRAW_WINDOW : openSlot;
  }

  /** Whether this node may vote in the running count; `notDrawn` where that is not known yet. */
  private seat(audit: Audit): "seat" | "notDrawn" | "none" {
    const { task, node } = this.view;
    if (this.isMe(audit.initiator) || this.isMe(audit.accused)) return "none";
    if (this.now + MARGIN >= this.votesUntil(audit)) return "none";
    const weight = weightOn(node, task.rules, audit.submissionSlot);
    if (weight === 0n) return "none";
    const seating = seatOf(audit, this.options.owner, weight, this.now);
    if (seating === "notDrawn") return seating;
    return seating === "notSeated" ? "none" : "seat";
  }

  private vote(audit: Audit, name: string): void {
    const seat = this.seat(audit);
    if (seat === "notDrawn") {
      // The draw wakes it; without one everybody judges.
      this.at(audit.drawSlot + 1n);
      this.at(audit.drawSlot + DRAW_WINDOW);
    }
    if (seat !== "seat") return;
    const until = this.votesUntil(audit);
    const from = this.votesFrom(audit);
    const known = this.options.store.opinion(name);
    if (known?.opinion === null) return;
    // A commitment is worth nothing without its reveal. Put aside before there is an opinion: the chores come after.
    const committed = isSecret(audit);
    const paid = this.pays(["vote"], committed ? 2n : 1n);
    if (!known) {
      const submission = this.submissions.get(nameOf(audit.submission));
      if (!submission) return;
      // Whoever knew when jurors look would be well for as long as that takes.
      const due = from + this.moment(`judge:${name}`, (until - from) / 4n);
      if (this.now < due && !this.isProven(submission)) this.at(due);
      else this.do({ kind: "judge", key: `judge:${name}`, audit, submission, until });
      return;
    }
    // What others heard is asked for once more before it is too late: it takes a while until it is with all who have a service.
    const due = from + ((until - from) * 3n) / 8n;
    if (this.now < due && known.opinion !== "malice") {
      this.at(due);
    } else if (paid) {
      const kind = committed ? "commit" : "cast";
      this.do({ kind, key: `vote:${name}`, audit, opinion: known.opinion, until });
    }
  }

  private reveal(audit: Audit, vote: Vote): void {
    if (!owesReveal(audit, vote, this.now)) return;
    this.entrust(audit, vote);
    if (this.now < audit.revealSlot) this.at(audit.revealSlot);
    else {
      const key = `reveal:${nameOf(audit.address)}`;
      this.do({ kind: "reveal", key, audit, until: audit.endSlot });
    }
  }

  /** Keepers are told a vote when nobody can commit any more: before, they could vote by it, or sell it. */
  private entrust(audit: Audit, vote: Vote): void {
    const { keepers, keepersEarly } = this.options.config;
    if (keepers.length === 0 || (this.now < audit.revealSlot && !keepersEarly)) return;
    const name = nameOf(audit.address);
    const told = this.options.store.entrusted(name);
    if (keepers.every((keeper) => told.includes(keeper))) return;
    this.do({ kind: "entrust", key: `entrust:${name}`, audit, vote, until: audit.endSlot });
  }

  /** Votes that others handed over: revealed in the second half of their window, each keeper at another slot, so that one of them pays. */
  keeping(): void {
    if (!this.options.config.keeper) return;
    for (const sealed of this.options.store.keptReveals()) {
      const audit = this.view.audits.find(({ address }) => nameOf(address) === sealed.audit);
      if (audit?.outcome !== "open" || this.now + MARGIN >= audit.endSlot) continue;
      const window = audit.endSlot - audit.revealSlot;
      const name = `${sealed.audit}:${sealed.voter}`;
      const due = audit.revealSlot + window / 2n + this.turn(`keep:${name}`, window / 4n);
      if (this.now < due) this.at(due);
      else {
        const until = audit.endSlot;
        this.chore({ kind: "revealFor", key: `revealFor:${name}`, audit, sealed, until });
      }
    }
  }

  /** Anyone may, and it is needed once: each node waits a little, and each another while. Audits of one submission have their order. */
  private resolve(audit: Audit, name: string): void {
    const { chores } = this.options.config;
    const submission = this.submissions.get(nameOf(audit.submission));
    if (!chores.resolve || submission?.decided !== audit.attempt) return;
    const due = this.resolvable(audit) + this.turn(name, BigInt(chores.spreadSlots));
    if (this.now < due) this.at(due);
    else {
      const { round } = submission;
      this.chore({ kind: "resolve", key: `resolve:${name}`, audit, round });
    }
  }

  private afterwards(audit: Audit, name: string, vote: Vote | undefined): void {
    const { chores } = this.options.config;
    if (vote && vote.state !== "claimed") {
      // Its own rent comes back behind that.
      const back = this.back("vote", vote.payer);
      if (chores.claim)
        this.chore({ kind: "claimVote", key: `claimVote:${name}`, audit, vote }, back);
      return;
    }
    if (!chores.close) return;
    if (vote) {
      const back = this.back("vote", vote.payer);
      this.chore({ kind: "closeVote", key: `closeVote:${name}`, vote }, back);
      return;
    }
    if (!this.isMe(audit.initiator) && !this.isPayer(audit.payer)) return;
    const back = this.back("audit", audit.payer);
    if (audit.liveVotes === 0) {
      this.chore({ kind: "closeAudit", key: `closeAudit:${name}`, audit }, back);
    } else {
      // Voters claim by themselves. One that is gone must not hold back the rent of all others.
      const patience = audit.endSlot + this.view.task.rules.roundSlots;
      const fees = 2n * BigInt(audit.liveVotes);
      if (this.now < patience) this.at(patience);
      else this.chore({ kind: "sweepAudit", key: `sweepAudit:${name}`, audit }, 0n, fees);
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
      else if (close && this.isPayer(round.payer)) {
        // Workers claim by themselves. One that is gone must not hold back the rent of the round.
        const patience = auditEnd(task, round.number) + task.rules.roundSlots;
        if (this.now < patience) this.at(patience);
        else this.finish(submission, round);
      }
    }
    if (!close) return;
    for (const round of rounds) {
      if (!this.isPayer(round.payer) || round.liveSubmissions > 0) continue;
      if (this.now < submissionEnd(task, round.number)) continue;
      const key = `closeRound:${round.number.toString()}`;
      this.chore({ kind: "closeRound", key, round }, this.back("round", round.payer));
    }
  }

  private finish(submission: Submission, round: Round): void {
    const { claim, close } = this.options.config.chores;
    const name = nameOf(submission.address);
    const over = auditEnd(this.view.task, round.number);
    if (this.now < over) {
      this.at(over);
      return;
    }
    const back = this.back("submission", submission.payer);
    if (!submission.paid && !isConvicted(submission)) {
      if (!claim || round.openAudits > 0) return;
      this.chore({ kind: "claimBounty", key: `claimBounty:${name}`, submission }, back);
    } else if (close && submission.liveAudits === 0) {
      this.chore({ kind: "closeSubmission", key: `closeSubmission:${name}`, submission }, back);
    }
  }

  /** A number below `slots` that follows from what is to be done and who may do it. */
  private turn(name: string, slots: bigint): bigint {
    if (slots === 0n) return 0n;
    return firstOf(sha256(concatBytes(utf8ToBytes(name), this.options.owner.toBytes()))) % slots;
  }

  /** A number below `slots` that nobody else can compute. */
  private moment(name: string, slots: bigint): bigint {
    if (slots <= 0n) return 0n;
    return chanceOf(this.options.secret, name) % slots;
  }

  /** Whether rent goes back to the operator, or to who paid in its place. Nodes of one sponsor all see to its rents. */
  private isPayer(payer: PublicKey): boolean {
    const { operator, sponsor } = this.options;
    return payer.equals(operator) || sponsor?.address?.equals(payer) === true;
  }

  /** Rent that accounts of this kind cost whom this budget is of. */
  private rent(kind: AccountKind): bigint {
    return this.isSponsored ? 0n : rentOf(ACCOUNT_BYTES[kind]);
  }

  /** Lamports of rent that closing an account gives back to this node. */
  private back(kind: AccountKind, payer: PublicKey): bigint {
    return payer.equals(this.options.operator) ? this.rent(kind) : 0n;
  }

  /**
   * Something that anyone may do, for so many transactions' fees. What brings no more back than it costs leaves enough for the votes that
   * are to come.
   *
   * Attack: a stranger makes so many chores that nothing is left to vote and reveal with.
   */
  private chore(duty: Duty, back = 0n, fees = 1n): void {
    const cost = fees * this.fee;
    const vote = this.rent("vote") + 2n * this.fee;
    const reserve = back > cost ? 0n : RESERVED_VOTES * vote;
    if (this.free < cost + reserve) {
      this.short = true;
      return;
    }
    this.free -= cost;
    this.do(duty);
  }

  /** Whether these accounts' rent and so many transactions' fees can be paid; they are put aside then. */
  private pays(made: readonly AccountKind[], fees = 1n): boolean {
    const rent = made.reduce((sum, kind) => sum + this.rent(kind), 0n);
    const cost = rent + fees * this.fee;
    if (this.free < cost) {
      this.short = true;
      return false;
    }
    this.free -= cost;
    return true;
  }

  /** Audits of the work that this node opened: those that are seen on the chain, as they are there, and all others. */
  private accusations(
    submission: Pick<Submission, "address">,
  ): readonly (Pick<Audit, "accusation" | "outcome" | "endSlot"> & { readonly seen: boolean })[] {
    const here = this.auditsOf(submission).filter(({ initiator }) => this.isMe(initiator));
    const names = new Set(here.map(({ address }) => nameOf(address)));
    const kept = this.options.store.accusations(nameOf(submission.address));
    return [
      ...here.map((one) => ({ ...one, seen: true })),
      ...kept.filter(({ audit }) => !names.has(audit)).map((one) => ({ ...one, seen: false })),
    ];
  }

  /** First slot at which an audit can be resolved, if nobody appeals before. */
  private resolvable(audit: Audit): bigint {
    return resolvableAt(audit, this.view.task.rules);
  }

  private auditsOf({ address }: Pick<Submission, "address">): readonly Audit[] {
    return this.audits.get(nameOf(address)) ?? [];
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

/** Whether a vote is a commitment that can still be revealed. */
export function canReveal(audit: Audit, vote: Vote | null | undefined): vote is Vote {
  return vote?.state === "committed" && isOfRunningCount(audit, vote);
}

/** Whether there is time left for that. */
export function owesReveal(audit: Audit, vote: Vote | null | undefined, now: bigint): vote is Vote {
  return canReveal(audit, vote) && now < audit.endSlot;
}

/** Whether a panel was to judge, and is not drawn. */
export function isUndrawn({ drawSlot, seed, appealSlot, outcome }: Audit): boolean {
  return outcome === "open" && drawSlot > 0n && !seed && appealSlot === 0n;
}

/** Whether a count says the opposite of what a node saw: a conviction of what was well, or none of what was not. */
export function denies(counted: Audit["outcome"], sight: Opinion): boolean {
  const convicts = counted === "convictedDowntime" || counted === "convictedMalice";
  return counted !== "open" && convicts === (sight === "valid");
}

/** First slot at which no vote on a round's work is taken any more, after an appeal neither. */
export function caseEnd(task: Task, round: bigint): bigint {
  return roundStart(task, round) + longestCase(task.rules);
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** The first four bytes of a hash, little-endian. */
function firstOf({ buffer, byteOffset }: Uint8Array): bigint {
  return BigInt(new DataView(buffer, byteOffset).getUint32(0, true));
}
