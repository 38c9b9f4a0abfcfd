import type { ChainTransaction, CommonFacts, Doors } from "@securing-tasks/sandbox";
import type { BridgeVaultParameters } from "../parameters";

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
  { startSlot, roundSlots }: CommonFacts["task"],
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

/** Pages of 1,000 signatures that are looked through. */
const MOST_PAGES = 5;

/** The vault's transactions, as far as they are looked at. */
export class History {
  private readonly known = new Map<string, ChainTransaction>();
  private readonly signatures: string[] = [];

  private constructor(
    private readonly doors: Doors,
    private readonly rules: BridgeVaultParameters,
  ) {}

  /** Reads signatures back to this slot. */
  static async since(doors: Doors, rules: BridgeVaultParameters, slot: number): Promise<History> {
    const history = new History(doors, rules);
    const { signatures } = history;
    for (let page = 0; page < MOST_PAGES; page++) {
      const before = signatures.at(-1);
      const more = await doors.signatures(rules.tokenAccount ?? rules.vault, {
        limit: PAGE,
        ...(before !== undefined && { before }),
      });
      signatures.push(...more);
      const oldest = more.at(-1);
      if (oldest === undefined || more.length < PAGE) return history;
      if ((await history.transaction(oldest)).slot < slot) return history;
    }
    throw new Error(`The vault has over ${MOST_PAGES * PAGE} transactions since slot ${slot}.`);
  }

  /** Signatures of the transactions in these slots, newest first. */
  async within({ first, end }: Span): Promise<readonly string[]> {
    return this.signatures.slice(await this.firstBefore(end), await this.firstBefore(first));
  }

  /** What a transaction of the history did to the vault; null where it did nothing to it. */
  async movement(signature: string): Promise<Movement | null> {
    return movement(await this.transaction(signature), this.rules);
  }

  /** Place of the newest transaction before this slot. */
  private async firstBefore(slot: number): Promise<number> {
    let [low, high] = [0, this.signatures.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = await this.transaction(this.signatures[middle] ?? "");
      if (at.slot < slot) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private async transaction(signature: string): Promise<ChainTransaction> {
    const found = this.known.get(signature) ?? (await this.doors.transaction(signature));
    // No verdict: a server that lost a transaction says nothing about the accused.
    if (!found) throw new Error(`The RPC server lists transaction ${signature} and has it not.`);
    this.known.set(signature, found);
    return found;
  }
}

const PAGE = 1_000;
