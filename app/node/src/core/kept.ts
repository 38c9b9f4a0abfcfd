import type { Accounts, Audit, Round, Submission, Task } from "@securing-tasks/client";
import {
  DRAW_WINDOW,
  auditAddress,
  auditEnd,
  resolvableAt,
  roundAddress,
  roundAt,
  submissionAddress,
  submissionEnd,
  voteAddress,
} from "@securing-tasks/client";
import { PublicKey } from "@solana/web3.js";
import { nameOf } from "./name";
import type { Duty } from "./plan";
import { caseEnd } from "./plan";
import type { View } from "./view";

/** Kinds of accounts that a node has duties for. */
export type Kind = "task" | "node" | "round" | "submission" | "audit" | "vote";

/** An account of the program, read. */
export type Found = {
  readonly [K in Kind]: { readonly kind: K; readonly value: Accounts[K] };
}[Kind];

/** What an account was at a slot; `found` is null where it is none of the program's. */
export interface Seen {
  readonly address: PublicKey;
  readonly slot: bigint;
  readonly found: Found | null;
  readonly lamports: number;
}

/** A list of the task's accounts, by what all of them have in common. */
export type Query =
  | { readonly of: "openAudits" }
  | { readonly of: "auditsOf"; readonly submission: PublicKey }
  | { readonly of: "auditsBy"; readonly initiator: PublicKey }
  | { readonly of: "auditsPaidBy"; readonly payer: PublicKey }
  | { readonly of: "votesOf"; readonly owner: PublicKey }
  | { readonly of: "submissionsOf"; readonly owner: PublicKey }
  | { readonly of: "submissionsIn"; readonly round: bigint }
  | { readonly of: "roundsPaidBy"; readonly payer: PublicKey };

/** A list that must be read, and in words why. */
export interface Doubt {
  readonly query: Query;
  readonly why: string;
}

export interface Keys {
  readonly task: PublicKey;
  readonly node: PublicKey;
  readonly owner: PublicKey;
  readonly operator: PublicKey;
}

/** What a node has to do with, besides what the chain says by itself. */
export interface Concerns {
  /** Owners whose work of a round it checks; null where that is not known yet. */
  sample(round: bigint): readonly string[] | null;
  /** Audits in which it may owe a reveal. */
  owed(): readonly PublicKey[];
  /** Audits of which it has an opinion. */
  judged(): readonly PublicKey[];
  /** Submissions that it has something against. */
  proven(): readonly PublicKey[];
  /** To whom rents come back that it sees to. */
  payers(): readonly PublicKey[];
}

/** After how many slots what is kept is read again; 0: at each look. What matters at a slot is read then, whatever this says. */
export interface Pace {
  /** Task, node and operator. */
  readonly base: bigint;
  /** What waits for nothing but time. */
  readonly cold: bigint;
  /** What others may have done by now: verdicts, claims, closings. */
  readonly chores: bigint;
  /** An audit that may be appealed. */
  readonly appeal: bigint;
  /** What is not there. */
  readonly gone: bigint;
}

interface Entry extends Seen {
  /** Number of the look in which it was read; 0 where it was told. */
  readonly look: number;
}

/** Something that is wanted, and when it must be read again. */
interface Wanted {
  readonly address: PublicKey;
  readonly age: bigint;
  /** Slots at which it may become another. */
  readonly moments: readonly bigint[];
}

interface Concerned {
  readonly all: ReadonlyMap<string, Wanted>;
  readonly rounds: readonly Round[];
  readonly submissions: readonly Submission[];
  readonly audits: readonly Audit[];
}

/** Rounds whose work can be audited at one time, at most. */
const MOST_ROUNDS = 64n;
/** A round is asked for so many slots before it begins: clocks of servers differ. */
const EARLY_SLOTS = 32n;
/** A block that so many others stand on is never rolled back. */
const FINAL_SLOTS = 32n;
/** Addresses that follow from others are not computed anew at each look. */
const MOST_DERIVED = 20_000;
/** What was let go is remembered for so many slots: what is told so late is told no more. */
const PAST_SLOTS = 10_000n;

/**
 * What a node keeps of its task: the newest that was seen of each account that it has a duty for. No I/O: what is told and what is answered
 * is put in, what must be asked for comes out.
 *
 * An older slot never takes a newer one's place. Of the same slot an answer counts more than what is told, and else the later one: they differ only
 * where a block was rolled back. What is closed is kept as closed at its slot, so that what was told before and comes late does not bring it back.
 */
export class Kept {
  private readonly entries = new Map<string, Entry>();
  /** Slots of what was let go: a late word of before does not bring it back. */
  private readonly past = new Map<string, bigint>();
  /** What must be read again, at this slot or a later one. */
  private readonly touched = new Map<string, { address: PublicKey; slot: bigint }>();
  /** What was done, and is read again at a slot at which no fork can have taken it back. */
  private readonly settling = new Map<string, { address: PublicKey; slot: bigint }>();
  private readonly derived = new Map<string, PublicKey>();
  private look = 0;
  private last: { readonly now: bigint; readonly concerned: Concerned } | null = null;

  constructor(
    readonly keys: Keys,
    private readonly concerns: Concerns,
    readonly pace: Pace,
  ) {}

  /** Begins another look: what is read from here on need not be read again in it. */
  begin(): void {
    this.look += 1;
    this.last = null;
  }

  /** Takes what was answered. */
  answer(seen: Seen): void {
    this.past.delete(nameOf(seen.address));
    this.put(seen, this.look);
  }

  /** Takes what was told by a subscription. Whether it is anything new. */
  tell(seen: Seen): boolean {
    const name = nameOf(seen.address);
    const past = this.past.get(name);
    if (past !== undefined && seen.slot <= past) return false;
    this.past.delete(name);
    const known = this.entries.get(name);
    if (known && known.look > 0 && seen.slot === known.slot) return false;
    return this.put(seen, 0);
  }

  private put(seen: Seen, look: number): boolean {
    const name = nameOf(seen.address);
    const known = this.entries.get(name);
    if (known && seen.slot < known.slot) return false;
    this.entries.set(name, { ...seen, look });
    this.last = null;
    const touched = this.touched.get(name);
    if (touched && seen.slot >= touched.slot) this.touched.delete(name);
    return true;
  }

  /** Has accounts read again, as of this slot or later: something was done to them, or what is known of them can't be right. */
  touch(addresses: readonly PublicKey[], slot: bigint): void {
    for (const address of addresses) {
      const name = nameOf(address);
      const { slot: before } = this.touched.get(name) ?? { slot: -1n };
      const known = this.entries.get(name);
      if (slot > before && (!known || known.slot < slot)) this.touched.set(name, { address, slot });
    }
  }

  /** Has accounts read again once what was done to them at a slot can't be rolled back any more. */
  settle(addresses: readonly PublicKey[], slot: bigint): void {
    for (const address of addresses) {
      this.settling.set(nameOf(address), { address, slot: slot + FINAL_SLOTS });
    }
  }

  /** Has all that is kept read again. */
  touchAll(): void {
    for (const [name, { address, slot }] of this.entries) {
      this.touched.set(name, { address, slot: slot + 1n });
    }
  }

  /**
   * After a list: what it should have and has not is read by its address. A list is not all there is: a server may give a shorter one, or
   * none.
   */
  listed(query: Query, names: ReadonlySet<string>, slot: bigint): void {
    const missing = [...this.entries.values()].filter(
      ({ address, found }) => found && !names.has(nameOf(address)) && this.isIn(query, found),
    );
    this.touch(
      missing.map(({ address }) => address),
      slot,
    );
  }

  /** What must be read now. */
  due(now: bigint): PublicKey[] {
    for (const [name, { address, slot }] of this.settling) {
      if (slot > now) continue;
      this.settling.delete(name);
      this.touch([address], slot);
    }
    const { all } = this.concerned(now);
    const due: PublicKey[] = [];
    for (const [name, wanted] of all) {
      const known = this.entries.get(name);
      if (!known || this.isStale(name, known, wanted, now)) due.push(wanted.address);
    }
    for (const [name, { address }] of this.touched) {
      if (all.has(name)) continue;
      // Once is enough for what nobody wants.
      if (this.entries.get(name)?.look === this.look) this.touched.delete(name);
      else due.push(address);
    }
    return due;
  }

  /** What is read where nothing is due, to see how far the chain is. */
  least(now: bigint): PublicKey {
    const { task } = this.base();
    if (!task || now < task.startSlot) return this.keys.node;
    return this.roundOf(roundAt(task, now));
  }

  /** Of these, what was not seen in this look nor lately. */
  unsure(addresses: readonly PublicKey[], since: bigint): PublicKey[] {
    const all = new Map(addresses.map((one) => [nameOf(one), one]));
    return [...all].flatMap(([name, address]) => {
      const known = this.entries.get(name);
      return known && (known.look === this.look || known.slot >= since) ? [] : [address];
    });
  }

  private isStale(name: string, known: Entry, { age, moments }: Wanted, now: bigint): boolean {
    if (known.look === this.look) return false;
    if (this.touched.has(name)) return true;
    if (known.slot + age <= now) return true;
    return moments.some((moment) => known.slot < moment && moment <= now);
  }

  /** Lists that must be read: those of which the chain counts more than is known, with words for that. */
  doubts(now: bigint): Doubt[] {
    const { rounds, submissions, audits } = this.concerned(now);
    const doubts: Doubt[] = [];
    const compare = (
      what: string,
      counted: number,
      known: readonly Entry[],
      by: Entry | undefined,
      query: () => readonly Query[],
    ): void => {
      if (!by) return;
      const { address, slot, look } = by;
      if (known.length < counted && look !== this.look) {
        // It may be less by now.
        this.touch([address], slot + 1n);
      } else if (known.length < counted) {
        const why = `${known.length} of ${counted} ${what}`;
        doubts.push(...query().map((one) => ({ query: one, why })));
      } else if (known.length > counted) {
        this.touch(
          known.map(({ address }) => address),
          slot,
        );
      }
    };
    const entriesOf = (all: readonly { readonly address: PublicKey }[]): Entry[] =>
      all.flatMap(({ address }) => this.entries.get(nameOf(address)) ?? []);
    const { task, node } = this.base();
    const byName = new Map(submissions.map((one) => [nameOf(one.address), one]));
    const bySubmission = groups(audits, ({ submission }) => nameOf(submission));
    const byRound = groups(audits, ({ submission }) =>
      String(byName.get(nameOf(submission))?.round),
    );
    for (const round of rounds) {
      const by = this.entries.get(nameOf(round.address));
      const all = byRound.get(String(round.number)) ?? [];
      const open = all.filter(({ outcome }) => outcome === "open");
      const query = (): Query[] => [{ of: "openAudits" }];
      compare(`open audits of round ${round.number}`, round.openAudits, entriesOf(open), by, query);
      // One may have been resolved, and another opened: the count would be the same.
      const slot = by?.slot ?? 0n;
      const over = open.filter((one) => task && resolvableAt(one, task.rules) <= slot);
      this.touch(
        over.map(({ address }) => address),
        slot,
      );
      if (!this.isOwed(round, now)) continue;
      const works = submissions.filter((one) => one.round === round.number);
      compare(
        `submissions of round ${round.number}`,
        round.liveSubmissions,
        entriesOf(works),
        by,
        () => [{ of: "submissionsIn", round: round.number }],
      );
    }
    for (const submission of submissions) {
      const name = nameOf(submission.address);
      const all = entriesOf(bySubmission.get(name) ?? []);
      compare(`audits of ${name}`, submission.liveAudits, all, this.entries.get(name), () => [
        { of: "auditsOf", submission: submission.address },
      ]);
    }
    if (node) {
      const { owner } = this.keys;
      const begun = audits.filter(({ initiator }) => initiator.equals(owner));
      const appeals = audits.filter(
        ({ appellant, outcome }) => outcome === "open" && appellant?.equals(owner) === true,
      );
      const own = [
        ...entriesOf(submissions.filter((one) => one.owner.equals(owner))),
        ...this.votes(audits).values(),
        ...entriesOf(begun),
        ...entriesOf(appeals),
      ];
      if (own.length < node.live) {
        // An appeal is in no list of its own.
        const ended = audits.filter(
          ({ endSlot, appealSlot }) => endSlot <= now && appealSlot === 0n,
        );
        this.touch(
          ended.map(({ address }) => address),
          now,
        );
      }
      compare("own accounts", node.live, own, this.entries.get(nameOf(this.keys.node)), () => [
        { of: "submissionsOf", owner },
        { of: "votesOf", owner },
        { of: "auditsBy", initiator: owner },
      ]);
    }
    return doubts;
  }

  /** Lists of all that there may be a duty for: for who knows nothing, or may have missed something. */
  everything(): Query[] {
    const { owner } = this.keys;
    const payers = this.concerns.payers();
    return [
      { of: "openAudits" },
      { of: "submissionsOf", owner },
      { of: "votesOf", owner },
      { of: "auditsBy", initiator: owner },
      ...payers.map((payer): Query => ({ of: "auditsPaidBy", payer })),
      ...payers.map((payer): Query => ({ of: "roundsPaidBy", payer })),
    ];
  }

  /** Lets go what there is no duty for. */
  prune(now: bigint): void {
    const { all } = this.concerned(now);
    for (const [name, { slot, found }] of this.entries) {
      if (all.has(name)) continue;
      this.entries.delete(name);
      this.last = null;
      if (found === null || found.kind === "audit") this.past.set(name, slot);
    }
    for (const [name, slot] of this.past) if (slot + PAST_SLOTS < now) this.past.delete(name);
  }

  /** What a duty stands on, and what doing it changes. */
  standsOn(duty: Duty): PublicKey[] {
    const { task, node, operator, owner } = this.keys;
    const found = [task, node, operator];
    if ("audit" in duty) {
      found.push(duty.audit.address, duty.audit.submission, this.voteIn(duty.audit.address));
    }
    if ("submission" in duty) found.push(duty.submission.address);
    if (duty.kind === "closeVote") found.push(duty.vote.address, duty.vote.audit);
    if (duty.kind === "closeRound") found.push(duty.round.address);
    if (duty.kind === "accuse") {
      found.push(auditAddress(duty.submission.address, owner, duty.index));
    }
    const round = roundOf(duty);
    if (round !== null) found.push(this.roundOf(round));
    if (round !== null && duty.kind === "submit") found.push(this.workOf(round, owner));
    return found;
  }

  private roundOf(number: bigint): PublicKey {
    return this.derive(`round ${number}`, () => roundAddress(this.keys.task, number));
  }

  private workOf(round: bigint, owner: string | PublicKey): PublicKey {
    const name = typeof owner === "string" ? owner : nameOf(owner);
    return this.derive(`submission ${round} ${name}`, () =>
      submissionAddress(this.keys.task, round, new PublicKey(name)),
    );
  }

  /** What there is a duty for; null where task or node is not there. */
  view(slot: bigint): View | null {
    const { task, node } = this.base();
    if (!task || !node) return null;
    const { rounds, submissions, audits } = this.concerned(slot);
    const votes = [...this.votes(audits)].flatMap(([name, { found }]) =>
      found?.kind === "vote" ? [[name, found.value] as const] : [],
    );
    return {
      slot,
      task,
      node,
      operatorLamports: this.entries.get(nameOf(this.keys.operator))?.lamports ?? 0,
      rounds,
      submissions,
      audits,
      votes: new Map(votes),
    };
  }

  /** First slot after this one at which something may be seen that no duty waits for; null where none is known. */
  wakeAt(now: bigint): bigint | null {
    const { task } = this.base();
    if (!task) return null;
    const { rounds, audits } = this.concerned(now);
    const moments = [
      ...windowOf(task, now).map((number) => submissionEnd(task, number) + 1n),
      ...rounds.filter((one) => this.isPaidBack(one)).map((one) => patienceOf(task, one)),
      ...audits.filter((one) => mayBeAppealed(one, task, now)).map(() => now + this.pace.appeal),
      ...[...this.settling.values()].map(({ slot }) => slot),
    ].filter((moment) => moment > now);
    return moments.reduce<bigint | null>(
      (soonest, moment) => (soonest === null || moment < soonest ? moment : soonest),
      null,
    );
  }

  private base(): { readonly task: Task | null; readonly node: Accounts["node"] | null } {
    return {
      task: this.valueOf("task", this.keys.task),
      node: this.valueOf("node", this.keys.node),
    };
  }

  private valueOf<K extends Kind>(kind: K, address: PublicKey): Accounts[K] | null {
    const found = this.entries.get(nameOf(address))?.found;
    return found?.kind === kind ? (found.value as Accounts[K]) : null;
  }

  /** Own votes, by the audit's address. */
  private votes(audits: readonly Audit[]): Map<string, Entry> {
    const votes = new Map<string, Entry>();
    for (const { address } of audits) {
      const known = this.entries.get(nameOf(this.voteIn(address)));
      if (known?.found?.kind === "vote") votes.set(nameOf(address), known);
    }
    return votes;
  }

  private voteIn(audit: PublicKey): PublicKey {
    return this.derive(`vote ${nameOf(audit)}`, () => voteAddress(audit, this.keys.owner));
  }

  private derive(name: string, make: () => PublicKey): PublicKey {
    const known = this.derived.get(name);
    if (known) return known;
    if (this.derived.size >= MOST_DERIVED) this.derived.clear();
    const made = make();
    this.derived.set(name, made);
    return made;
  }

  private concerned(now: bigint): Concerned {
    if (this.last?.now !== now) this.last = { now, concerned: this.concern(now) };
    return this.last.concerned;
  }

  /** What there is a duty for, as far as is known by now. */
  private concern(now: bigint): Concerned {
    const { keys, concerns, pace } = this;
    const all = new Map<string, Wanted>();
    const want = (address: PublicKey, age: bigint, moments: readonly bigint[] = []): void => {
      const name = nameOf(address);
      const known = all.get(name);
      const isSooner = !known || age < known.age;
      all.set(name, {
        address,
        age: isSooner ? age : known.age,
        moments: known ? [...known.moments, ...moments] : moments,
      });
    };
    const { task, node } = this.base();
    const age = task && node ? pace.base : 0n;
    for (const address of [keys.task, keys.node, keys.operator]) want(address, age);
    if (!task || !node) return { all, rounds: [], submissions: [], audits: [] };

    const known = [...this.entries.values()];
    const founds = known.flatMap(({ found }) => found ?? []);
    const audits = founds.flatMap((one) => (one.kind === "audit" ? [one.value] : []));
    const submissions = founds.flatMap((one) => (one.kind === "submission" ? [one.value] : []));
    const rounds = founds.flatMap((one) => (one.kind === "round" ? [one.value] : []));

    const wantedWorks = new Map<string, PublicKey>();
    const wantWork = (address: PublicKey): void => {
      wantedWorks.set(nameOf(address), address);
    };
    const window = windowOf(task, now);
    for (const number of window) {
      if (node.role === "worker") wantWork(this.workOf(number, keys.owner));
      for (const owner of concerns.sample(number) ?? []) wantWork(this.workOf(number, owner));
    }
    for (const address of concerns.proven()) wantWork(address);
    const owedRounds = new Set(
      rounds.filter((one) => this.isOwed(one, now)).map(({ number }) => number),
    );
    for (const one of submissions) {
      if (one.owner.equals(keys.owner) || owedRounds.has(one.round)) wantWork(one.address);
    }
    const isOwn = (audit: Audit): boolean =>
      audit.outcome === "open" ||
      audit.initiator.equals(keys.owner) ||
      this.isPaidBack(audit) ||
      this.votes([audit]).size > 0;
    const votedIn = founds.flatMap((one) => (one.kind === "vote" ? [one.value.audit] : []));
    const named = new Map(
      [...concerns.owed(), ...concerns.judged(), ...votedIn].map((one) => [nameOf(one), one]),
    );
    for (const audit of audits) {
      if (isOwn(audit) || named.has(nameOf(audit.address))) wantWork(audit.submission);
    }
    const works = submissions.filter(({ address }) => wantedWorks.has(nameOf(address)));
    const ofWorks = audits.filter(({ submission }) => wantedWorks.has(nameOf(submission)));
    const bySubmission = groups(ofWorks, ({ submission }) => nameOf(submission));

    for (const audit of ofWorks) {
      const { address, drawSlot, revealSlot, endSlot, outcome } = audit;
      const resolvable = resolvableAt(audit, task.rules);
      const isOpen = outcome === "open";
      const draws = drawSlot > 0n ? [drawSlot + 1n, drawSlot + DRAW_WINDOW] : [];
      let often = isOpen && now < resolvable ? pace.cold : pace.chores;
      if (mayBeAppealed(audit, task, now) && pace.appeal < often) often = pace.appeal;
      want(address, often, isOpen ? [...draws, revealSlot, endSlot, resolvable] : []);
      const vote = this.voteIn(address);
      const seen = this.entries.get(nameOf(vote));
      const mayVote = ![audit.initiator, audit.accused].some((one) => one.equals(keys.owner));
      if (seen?.found) want(vote, often, [revealSlot, endSlot, resolvable]);
      // Who has not voted before the verdict never will.
      else if (mayVote && (isOpen || !seen)) want(vote, pace.gone, [revealSlot, endSlot]);
    }
    for (const [name, address] of named) {
      if (!all.has(name)) want(address, pace.gone);
      const vote = this.voteIn(address);
      if (!all.has(nameOf(vote)) && !this.entries.get(name)) want(vote, pace.gone);
    }
    for (const [name, address] of wantedWorks) {
      const work = this.valueOf("submission", address);
      const moments = (bySubmission.get(name) ?? []).flatMap((one) => [
        one.openSlot,
        resolvableAt(one, task.rules),
      ]);
      const over = work && auditEnd(task, work.round);
      if (over === null) want(address, pace.gone, moments);
      else want(address, now < over ? pace.cold : pace.chores, [over, ...moments]);
    }
    const wantedRounds = new Map<bigint, bigint>();
    // An audit may have been opened in a round's last slots, and nobody was told: it is counted there once no other can be.
    for (const number of windowOf(task, now, caseEnd)) wantedRounds.set(number, pace.gone);
    for (const number of window) wantedRounds.set(number, 0n);
    for (const { number, payer } of rounds) {
      if (this.isPaidBack({ payer }) && !wantedRounds.has(number))
        wantedRounds.set(number, pace.chores);
    }
    for (const { round, owner } of works) {
      if (owner.equals(keys.owner) && !wantedRounds.has(round))
        wantedRounds.set(round, pace.chores);
    }
    for (const [number, often] of wantedRounds) {
      const address = this.roundOf(number);
      // Nobody makes a round that is over.
      const isGone = often > 0n && this.entries.get(nameOf(address))?.found === null;
      const moments = [auditEnd(task, number), patienceOf(task, { number })];
      want(address, isGone ? pace.gone : often, moments);
    }
    return {
      all,
      rounds: rounds.filter(({ number }) => wantedRounds.has(number)),
      submissions: works,
      audits: ofWorks,
    };
  }

  private isPaidBack({ payer }: Pick<Round, "payer">): boolean {
    return this.concerns.payers().some((one) => one.equals(payer));
  }

  /** Whether it is for this node to see to the work of all others in a round. */
  private isOwed(round: Round, now: bigint): boolean {
    const { task } = this.base();
    return task !== null && this.isPaidBack(round) && now >= patienceOf(task, round);
  }

  private isIn(query: Query, found: Found): boolean {
    switch (query.of) {
      case "openAudits":
        return found.kind === "audit" && found.value.outcome === "open";
      case "auditsOf":
        return found.kind === "audit" && found.value.submission.equals(query.submission);
      case "auditsBy":
        return found.kind === "audit" && found.value.initiator.equals(query.initiator);
      case "auditsPaidBy":
        return found.kind === "audit" && found.value.payer.equals(query.payer);
      case "votesOf":
        return found.kind === "vote" && found.value.owner.equals(query.owner);
      case "submissionsOf":
        return found.kind === "submission" && found.value.owner.equals(query.owner);
      case "submissionsIn":
        return found.kind === "submission" && found.value.round === query.round;
      case "roundsPaidBy":
        return found.kind === "round" && found.value.payer.equals(query.payer);
    }
  }
}

/** Number of the round that a duty is about. */
function roundOf(duty: Duty): bigint | null {
  if (duty.kind === "submit") return duty.work.round;
  if ("submission" in duty) return duty.submission.round;
  return "round" in duty && typeof duty.round === "bigint" ? duty.round : null;
}

function groups<T>(all: readonly T[], nameOfOne: (one: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const one of all) {
    const name = nameOfOne(one);
    const group = found.get(name);
    if (group) group.push(one);
    else found.set(name, [one]);
  }
  return found;
}

/** Rounds whose work can be audited now or in a moment. */
function windowOf(
  task: Task,
  now: bigint,
  endOf: (task: Task, round: bigint) => bigint = auditEnd,
): bigint[] {
  if (now + EARLY_SLOTS < task.startSlot) return [];
  const found: bigint[] = [];
  const soon = now + EARLY_SLOTS;
  for (let number = roundAt(task, soon); number >= 0n; number -= 1n) {
    if (endOf(task, number) <= now || BigInt(found.length) >= MOST_ROUNDS) break;
    found.push(number);
  }
  return found;
}

/** Slot from which on whoever paid a round's rent sees to the work of those that are gone. */
function patienceOf(task: Task, { number }: Pick<Round, "number">): bigint {
  return auditEnd(task, number) + task.rules.roundSlots;
}

function mayBeAppealed(audit: Audit, { rules }: Task, now: bigint): boolean {
  const { outcome, appealSlot, endSlot } = audit;
  if (outcome !== "open" || appealSlot > 0n) return false;
  return endSlot <= now && now < resolvableAt(audit, rules);
}
