import type { ChainTransaction, Doors, TaskFacts } from "@securing-tasks/sandbox";
import type { BridgeVaultParameters } from "../parameters";
import { PAGE, REACH_CALLS, reachesBack } from "../shared/reach";

/*
 * The flow. What comes into the vault during one round goes out during the next, each inflow in one payout of its own, less at most
 * the fee, to one of the destinations or back to who paid in. The round after that is when it is reported and audited. Since an inflow
 * can be paid out in one round alone, it can't be paid out twice.
 */

/** What one transaction did to the vault. Amounts are lamports, or base units of the mint. */
export interface Movement {
  readonly signature: string;
  /** What came in, below zero for what went out. */
  readonly amount: bigint;
  /** Everyone else whose balance changed, by how much. */
  readonly others: ReadonlyMap<string, bigint>;
}

/** A payout and the inflow that it pays for, both as signatures. */
export interface Payout {
  readonly signature: string;
  /** Null for one that pays for nothing. */
  readonly inflow: string | null;
}

/** Slots between the first and the last (excluded). */
export interface Span {
  readonly first: number;
  readonly end: number;
}

/** What a report of a round is about: payouts, and before them the inflows that they pay for. */
export function spans(
  { startSlot, roundSlots }: TaskFacts,
  round: number,
  { lagSlots }: Pick<BridgeVaultParameters, "lagSlots">,
): { readonly inflows: Span; readonly payouts: Span } {
  // The newest slots are left for later: an RPC server may not know all of their transactions yet.
  const end = startSlot + round * roundSlots - lagSlots;
  const middle = end - roundSlots;
  return {
    inflows: { first: middle - roundSlots, end: middle },
    // What the vault did before its task was made breaks no rule.
    payouts: notBefore(startSlot, { first: middle, end }),
  };
}

/** What of a span is at this slot or later, maybe nothing. */
export function notBefore(slot: number, { first, end }: Span): Span {
  return { first: Math.max(first, slot), end: Math.max(end, slot) };
}

/** What a transaction did to the vault and to others: by account for SOL, by owner for tokens. Null where the vault has what it had. */
export function movement(
  transaction: ChainTransaction,
  { vault, mint, tokenAccount, mostFee }: BridgeVaultParameters,
): Movement | null {
  const changes = new Map<string, bigint>();
  const add = (who: string, change: bigint): void => {
    changes.set(who, (changes.get(who) ?? 0n) + change);
  };
  if (mint === null) {
    let fee = 0n;
    transaction.accounts.forEach((account, at) => {
      const [before, after] = [transaction.lamportsBefore[at], transaction.lamportsAfter[at]];
      const change = BigInt(after ?? "0") - BigInt(before ?? "0");
      add(account, change);
      fee -= change;
    });
    // The fee is all that goes to no account. It is no movement, unless it is so high that the vault could be emptied by fees.
    const [feePayer] = transaction.accounts;
    if (feePayer !== undefined && fee <= BigInt(mostFee)) add(feePayer, fee);
  } else {
    for (const token of transaction.tokens) {
      // Another token account of the vault's owner is somebody else: what goes there leaves the sight of this audit.
      const who = token.account === tokenAccount ? VAULT : token.owner;
      if (token.mint === mint) add(who, BigInt(token.after) - BigInt(token.before));
    }
  }
  const own = mint === null ? vault : VAULT;
  const amount = changes.get(own) ?? 0n;
  if (amount === 0n) return null;
  const others = new Map([...changes].filter(([who, change]) => who !== own && change !== 0n));
  return { signature: transaction.signature, amount, others };
}

const VAULT = "the vault";

/** Who paid in, where that is one party alone. */
export function depositor({ amount, others }: Movement): string | null {
  const payers = [...others].filter(([, change]) => change <= -amount);
  return payers.length === 1 ? (payers[0]?.[0] ?? null) : null;
}

/** Whether a payout is one for this inflow. */
export function pays(out: Movement, inflow: Movement, rules: BridgeVaultParameters): boolean {
  const paid = -out.amount;
  const gainers = [...out.others].filter(([, change]) => change > 0n);
  const [gainer] = gainers;
  // A payout does nothing else: what more it moved would have to be explained too.
  if (paid <= 0n || inflow.amount <= 0n || !gainer || gainers.length > 1) return false;
  const [who, gained] = gainer;
  const mayGain = rules.destinations.includes(who) || (rules.refunds && depositor(inflow) === who);
  return gained === paid && mayGain && paid <= inflow.amount && paid >= leastPayout(inflow, rules);
}

/** What a payout for this inflow comes to at least. */
export function leastPayout({ amount }: Movement, { feeBps }: BridgeVaultParameters): bigint {
  return amount - (amount * BigInt(feeBps)) / 10_000n;
}

/** Whether an inflow has to be paid out: it is no dust, no top-up by a destination, and there is somebody who may be paid. */
export function isOrder(inflow: Movement, rules: BridgeVaultParameters): boolean {
  const { destinations, leastInflow } = rules;
  const from = depositor(inflow);
  // Two who pay in together can't be refunded: with no destination, to pay would be malice.
  const payable = from === null ? destinations.length > 0 : !destinations.includes(from);
  return inflow.amount >= BigInt(leastInflow) && payable;
}

/** What the vault had before a transaction and after it, network fees included. */
export function balances(
  { signature, accounts, lamportsBefore, lamportsAfter, tokens }: ChainTransaction,
  { vault, mint, tokenAccount }: BridgeVaultParameters,
): { readonly before: bigint; readonly after: bigint } {
  if (mint === null) {
    const at = accounts.indexOf(vault);
    const [before, after] = [lamportsBefore[at], lamportsAfter[at]];
    if (before === undefined || after === undefined) {
      throw new Error(`The RPC server lists ${signature} for the vault, which is not in it.`);
    }
    return { before: BigInt(before), after: BigInt(after) };
  }
  // None of the mint where the account is closed, or is one of another mint for a while.
  const own = tokens.filter((token) => token.account === tokenAccount && token.mint === mint);
  const sum = (side: "before" | "after"): bigint =>
    own.reduce((total, token) => total + BigInt(token[side]), 0n);
  return { before: sum("before"), after: sum("after") };
}

/** Network fees that the vault paid in a transaction and that are no movement, in lamports. */
export function feePaid(transaction: ChainTransaction, rules: BridgeVaultParameters): bigint {
  const { before, after } = balances(transaction, rules);
  return (movement(transaction, rules)?.amount ?? 0n) - (after - before);
}

/**
 * Whether each transaction finds what the one before it left: whatever moved between two of them is missing in the list. Servers list the
 * transactions of one slot in their own order, so those are taken together, as a way over all of them from one balance to another.
 */
export function isUnbroken(
  oldestFirst: readonly ChainTransaction[],
  rules: BridgeVaultParameters,
): boolean {
  let left: string | null = null;
  for (let from = 0; from < oldestFirst.length;) {
    const slot = oldestFirst[from]?.slot;
    const open = new Map<string, number>();
    const count = (balance: bigint, by: number): void => {
      const key = String(balance);
      open.set(key, (open.get(key) ?? 0) + by);
    };
    for (; oldestFirst[from]?.slot === slot; from++) {
      const transaction = oldestFirst[from];
      if (!transaction) break;
      const { before, after } = balances(transaction, rules);
      count(before, 1);
      count(after, -1);
    }
    const ends = [...open].filter(([, times]) => times !== 0);
    const [first] = ends.find(([, times]) => times === 1) ?? [];
    const [last] = ends.find(([, times]) => times === -1) ?? [];
    if (ends.length === 0) {
      // Nothing moved, or all of it came back.
      if (left !== null && !open.has(left)) return false;
      const [only] = open.size === 1 ? open.keys() : [];
      left ??= only ?? null;
    } else {
      if (ends.length !== 2 || first === undefined || last === undefined) return false;
      if (left !== null && left !== first) return false;
      left = last;
    }
  }
  return true;
}

/** Pages of 1,000 signatures that are looked through. */
const MOST_PAGES = 100;
/** Transactions that are read of a slot beside a range, and one to see that it is over. */
const MOST_BESIDE = 4;
/** Door calls that the slots beside two ranges take at most. */
export const BESIDE_CALLS = 4 * (MOST_BESIDE + 1);

/** Places in a history, the last excluded. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The vault's transactions, as far as they are looked at. */
export class History {
  /** Oldest first. */
  readonly signatures: string[] = [];
  private readonly known = new Map<string, ChainTransaction>();

  private constructor(
    private readonly doors: Doors,
    private readonly task: TaskFacts,
    private readonly rules: BridgeVaultParameters,
    /** Door calls that are left. */
    public left: number,
  ) {}

  /** Reads signatures back to this slot. Throws where the RPC server does not go back so far, or the vault has too many. */
  static async since(
    doors: Doors,
    task: TaskFacts,
    rules: BridgeVaultParameters,
    slot: number,
    calls = Infinity,
  ): Promise<History> {
    const history = new History(doors, task, rules, calls);
    const newest: string[] = [];
    for (let page = 0; page < MOST_PAGES; page++) {
      const before = newest.at(-1);
      history.left--;
      const more = await doors.signatures(history.address, {
        limit: PAGE,
        ...(before !== undefined && { before }),
      });
      newest.push(...more);
      // Of many pages, not each is worth a call for its slot.
      if (more.length === PAGE && page > 3 && page % 8 !== 0) continue;
      const oldest = newest.at(-1);
      const last = oldest === undefined ? null : await history.transaction(oldest);
      const over = last !== null && last.slot < slot;
      if (!over && more.length === PAGE) continue;
      if (!over) await history.checkBeginning(last, slot);
      for (const signature of newest.reverse()) history.signatures.push(signature);
      return history;
    }
    throw new Error(`The vault has over ${MOST_PAGES * PAGE} transactions since slot ${slot}.`);
  }

  private get address(): string {
    return this.rules.tokenAccount ?? this.rules.vault;
  }

  /** Where the list does not go back to a slot: whether that is all there is, and not all that the server has kept. */
  private async checkBeginning(oldest: ChainTransaction | null, slot: number): Promise<void> {
    this.left -= REACH_CALLS + 1;
    const had = oldest
      ? balances(oldest, this.rules).before > 0n
      : (await this.doors.account(this.address)) !== null;
    if (had || !(await reachesBack(this.doors, this.task, slot))) {
      throw new Error(`The RPC server does not keep the vault's transactions since slot ${slot}.`);
    }
  }

  /** Where the transactions of these slots are. */
  async range({ first, end }: Span): Promise<Range> {
    return { from: await this.firstFrom(first), to: await this.firstFrom(end) };
  }

  within({ from, to }: Range): readonly string[] {
    return this.signatures.slice(from, to);
  }

  knows(signature: string): boolean {
    return this.known.has(signature);
  }

  /** Reads all of a range. Throws where these, and the slots beside them, don't go on from one another. */
  async readAll({ from, to }: Range): Promise<readonly ChainTransaction[]> {
    const all: ChainTransaction[] = [];
    for (const signature of this.within({ from, to })) all.push(await this.transaction(signature));
    const [before, after] = [await this.slotFrom(from - 1, -1), await this.slotFrom(to, 1)];
    if (!isUnbroken([...before.reverse(), ...all, ...after], this.rules)) {
      throw new Error("The RPC server's list of the vault's transactions has gaps.");
    }
    return all;
  }

  /** All transactions of the slot at a place, from there on; none where they are many, which anybody can bring about. */
  private async slotFrom(start: number, step: 1 | -1): Promise<ChainTransaction[]> {
    const found: ChainTransaction[] = [];
    for (let at = start; ; at += step) {
      const signature = this.signatures[at];
      if (signature === undefined) return found;
      if (found.length > MOST_BESIDE) return [];
      const next = await this.transaction(signature);
      if (found[0] && next.slot !== found[0].slot) return found;
      found.push(next);
    }
  }

  /** What a transaction of the history did to the vault; null where it did nothing to it. */
  async movement(signature: string): Promise<Movement | null> {
    return movement(await this.transaction(signature), this.rules);
  }

  /** What the vault had before and after the transaction at this place. */
  async balances(at: number): Promise<ReturnType<typeof balances>> {
    return balances(await this.transaction(this.signatures[at] ?? ""), this.rules);
  }

  /** Place of the oldest transaction from this slot on. */
  private async firstFrom(slot: number): Promise<number> {
    let [low, high] = [0, this.signatures.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = await this.transaction(this.signatures[middle] ?? "");
      if (at.slot >= slot) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private async transaction(signature: string): Promise<ChainTransaction> {
    const known = this.known.get(signature);
    if (known) return known;
    this.left--;
    const found = await this.doors.transaction(signature);
    // No verdict: a server that lost a transaction says nothing about the accused.
    if (!found) throw new Error(`The RPC server lists transaction ${signature} and has it not.`);
    this.known.set(signature, found);
    return found;
  }
}
