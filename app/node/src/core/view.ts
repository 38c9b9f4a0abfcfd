import type { Audit, Node, Round, Submission, Task, Vote } from "@securing-tasks/client";
import type { PublicKey } from "@solana/web3.js";
import { AHEAD_SLOTS } from "./clock";
import type { Doubt, Kept, Query, Seen } from "./kept";
import { nameOf } from "./name";
import type { Duty } from "./plan";

/** Everything on the chain that a node has something to do about, or soon may have. */
export interface View {
  /** Slot of the confirmed bank that answered first. */
  readonly slot: bigint;
  readonly task: Task;
  readonly node: Node;
  readonly operatorLamports: number;
  readonly rounds: readonly Round[];
  readonly submissions: readonly Submission[];
  readonly audits: readonly Audit[];
  /** Own votes, by the audit's address. */
  readonly votes: ReadonlyMap<string, Vote>;
}

/** Where accounts are read. Each rejects where the server does not answer, or has not reached `minSlot`. */
export interface Source {
  /** These accounts, in this order. */
  accounts(addresses: readonly PublicKey[], minSlot?: bigint): Promise<readonly Seen[]>;
  list(
    query: Query,
    minSlot?: bigint,
  ): Promise<{ readonly slot: bigint; readonly seen: readonly Seen[] }>;
  /** This server's answers are no use: another is asked from now on, where there is one. */
  askAnother(): void;
}

/** How often what is not there is asked for again at once. */
const LOOKS = 3;
/** After that it is asked for at one look of so many. */
const RARELY = 20;
/** Accounts name others, and these others again. */
const MOST_PASSES = 12;

/** What changes nothing on the chain. */
const OFF_CHAIN: readonly Duty["kind"][] = [
  "work",
  "restore",
  "sample",
  "check",
  "hand",
  "judge",
  "entrust",
];

/** What was read, and at which slot. */
export interface Looked {
  readonly slot: bigint;
  readonly view: View | null;
  readonly short: readonly string[];
}

/**
 * Keeps a view: built once from lists, changed by what subscriptions tell, and checked against the chain by reading what it is made of
 * again, each part as often as it may have changed. Where the chain counts more than is known, the list of those is read.
 */
export class Viewer {
  private newest = 0n;
  /** Slot at which all lists were read last; null where they must be. */
  private listedAt: bigint | null = null;
  /** How often a list did not have what is counted. */
  private readonly missed = new Map<string, number>();

  /** @param listSlots After so many slots all lists are read again. */
  constructor(
    private readonly source: Source,
    private readonly kept: Kept,
    private readonly listSlots: bigint,
  ) {}

  /**
   * No view where task or node is not there at that slot. `short` says which lists have less than the chain counts, a few times in a row.
   * Rejects when the server does not answer.
   *
   * @param now A slot that is reached by now, as far as is known.
   */
  async read(now = 0n): Promise<Looked> {
    this.kept.begin();
    for (let look = 1; ; look += 1) {
      const found = await this.once(now, true);
      if (found.view === null || found.short.length > 0) this.source.askAnother();
      // What was closed between two answers is still counted in one of them.
      if (found.short.length === 0 || look === LOOKS) return found;
      this.kept.begin();
    }
  }

  /** Reads again what duties stand on and was not read lately, before they are done. Null where nothing had to be read. */
  async confirm(duties: readonly Duty[], since: bigint): Promise<Looked | null> {
    const grounds = duties.flatMap((duty) => this.kept.standsOn(duty));
    const unsure = this.kept.unsure(grounds, since);
    if (unsure.length === 0) return null;
    await this.get(unsure, this.newest);
    return this.once(this.newest);
  }

  /** Takes what a subscription told. Whether that is anything new. `guess` is the slot that it may be by now. */
  tell(seen: Seen, guess = 0n): boolean {
    const newest = guess > this.newest ? guess : this.newest;
    // Attack, or slip: a slot far ahead would keep all that is true from taking its place.
    if (seen.slot > newest + AHEAD_SLOTS) {
      this.doubt();
      return true;
    }
    return this.kept.tell(seen);
  }

  /** A duty ended: what it stands on is read again, as of the slot at which it was done where it was, and once more when that is final. */
  touch(duty: Duty, slot?: bigint): void {
    if (OFF_CHAIN.includes(duty.kind)) return;
    const grounds = this.kept.standsOn(duty);
    this.kept.touch(grounds, slot ?? this.newest + 1n);
    if (slot !== undefined) this.kept.settle(grounds, slot);
  }

  /** Something may have been missed: all lists, and all that is kept, are read at the next look. */
  doubt(): void {
    this.listedAt = null;
    this.kept.touchAll();
  }

  /** First slot at which something may be seen that no duty waits for; null where none is known. */
  wakeAt(now: bigint): bigint | null {
    return this.kept.wakeAt(now);
  }

  private async once(now: bigint, isNew = false): Promise<Looked> {
    const { kept } = this;
    const first = kept.due(now > this.newest ? now : this.newest);
    if (first.length === 0 && isNew) first.push(kept.least(now));
    const slot = first.length > 0 ? await this.get(first) : this.newest;
    if (slot > this.newest) this.newest = slot;
    const isListed = this.listedAt !== null && slot < this.listedAt + this.listSlots;
    if (!isListed && kept.view(slot)) {
      for (const query of kept.everything()) await this.list(query, slot);
      this.listedAt = slot;
    }
    const tried = new Set<string>();
    let doubts: readonly Doubt[] = [];
    for (let pass = 0; pass < MOST_PASSES; pass += 1) {
      const due = kept.due(slot);
      if (due.length > 0) {
        await this.get(due, slot);
        continue;
      }
      doubts = kept.doubts(slot);
      const more = kept.due(slot);
      const asked = doubts.filter(({ query }) => !tried.has(keyOf(query)));
      if (more.length === 0 && asked.length === 0) break;
      for (const { query } of asked) {
        const key = keyOf(query);
        if (tried.has(key)) continue;
        tried.add(key);
        if (this.isWorthIt(key)) await this.list(query, slot);
      }
    }
    this.forget(doubts);
    kept.prune(slot);
    const short = [...new Set(doubts.map(({ why }) => why))];
    return { slot, view: kept.view(slot), short };
  }

  private isWorthIt(key: string): boolean {
    const missed = this.missed.get(key) ?? 0;
    this.missed.set(key, missed + 1);
    return missed < LOOKS || missed % RARELY === 0;
  }

  /** What is whole again is asked for at once when it is short the next time. */
  private forget(doubts: readonly Doubt[]): void {
    const left = new Set(doubts.map(({ query }) => keyOf(query)));
    for (const key of this.missed.keys()) if (!left.has(key)) this.missed.delete(key);
  }

  private async get(addresses: readonly PublicKey[], minSlot?: bigint): Promise<bigint> {
    const all = await this.source.accounts(addresses, minSlot);
    for (const seen of all) this.kept.answer(seen);
    return all[0]?.slot ?? this.newest;
  }

  private async list(query: Query, minSlot: bigint): Promise<void> {
    const { slot, seen } = await this.source.list(query, minSlot);
    for (const one of seen) this.kept.answer(one);
    this.kept.listed(query, new Set(seen.map(({ address }) => nameOf(address))), slot);
  }
}

function keyOf(query: Query): string {
  return Object.values(query).map(String).join(" ");
}
