import type { AuditFacts, Context, Verdict } from "@securing-tasks/sandbox";
import type { BridgeVaultParameters } from "../parameters";
import { fetchContent } from "../shared/doors";
import { isObject, parseObject } from "../shared/json";
import { configured } from "../shared/parameters";
import { draw } from "../shared/sample";
import { namedTransaction } from "../shared/submissions";
import type { Movement, Payout, Range } from "./flow";
import {
  BESIDE_CALLS,
  History,
  feePaid,
  isOrder,
  leastPayout,
  notBefore,
  pays,
  spans,
} from "./flow";

declare const PARAMETERS: BridgeVaultParameters | null;

/** Door calls for the history: of 256, two are for the payload and one for a transaction that the report names. */
const CALLS = 253;

/** Why the accused is guilty. */
class Guilt extends Error {}

export async function audit(context: Context<AuditFacts>): Promise<Verdict> {
  const rules = configured(PARAMETERS);
  const { owner, round, payloadHash, payloadUri } = context.submission;
  const payload = await fetchContent(context, payloadHash, payloadUri);
  if (!payload) return "downtime";
  try {
    const report = payoutsOf(payload, owner, round);
    if (!report) throw new Guilt("the payload is no report of this round");
    return await Look.at(context, rules, report);
  } catch (error) {
    if (!(error instanceof Guilt)) throw error;
    context.log(error.message);
    return "malicious";
  }
}

/** One audit's look at a report. What throws {@link Guilt} has the transaction that proves it, or the report itself. */
class Look {
  private readonly inflowOf = new Map<string, string>();
  private readonly paidFor = new Set<string>();
  /** What was read of payouts that are right, and of the inflows that they pay for. */
  private readonly right = new Map<string, { readonly paid: bigint; readonly inflow: Movement }>();

  private constructor(
    private readonly context: Context<AuditFacts>,
    private readonly rules: BridgeVaultParameters,
    private readonly history: History,
    private readonly ins: ReadonlySet<string>,
    report: readonly Payout[],
  ) {
    for (const { signature, inflow } of report) {
      if (this.inflowOf.has(signature)) throw new Guilt(`${signature} is listed twice`);
      if (inflow === null) throw new Guilt(`${signature} pays for nothing`);
      if (this.paidFor.has(inflow)) throw new Guilt(`${inflow} is paid for twice`);
      this.inflowOf.set(signature, inflow);
      this.paidFor.add(inflow);
    }
  }

  static async at(
    context: Context<AuditFacts>,
    rules: BridgeVaultParameters,
    report: readonly Payout[],
  ): Promise<Verdict> {
    const { task } = context;
    const { inflows, payouts } = spans(task, context.submission.round, rules);
    const history = await History.since(context, task, rules, inflows.first, CALLS);
    const came = await history.range(inflows);
    const out = await history.range(payouts);
    // Nobody has to pay for what came in before the task was made.
    const due = await history.range(notBefore(task.startSlot, inflows));
    const owed = rules.settleAll ? due : { from: came.to, to: came.to };
    const ins = new Set(history.within(came));
    const look = new Look(context, rules, history, ins, report);
    const needed = new Set([
      ...history.within(out),
      ...history.within(owed),
      ...[...look.paidFor].filter((inflow) => ins.has(inflow)),
    ]);
    const unread = [...needed].filter((signature) => !history.knows(signature)).length;
    if (unread + BESIDE_CALLS <= history.left) return look.whole(out, owed);
    return look.part(out, owed, unread);
  }

  /** Everything in the two rounds. */
  private async whole(out: Range, owed: Range): Promise<Verdict> {
    const { context, history, rules } = this;
    // Before anything is judged: a list with gaps convicts nobody.
    const outs = await history.readAll(out);
    await history.readAll(owed);
    const listed = new Set(history.within(out));
    for (const [signature, inflow] of this.inflowOf) {
      if (!listed.has(signature)) await this.checkAbsent(signature);
      if (!this.ins.has(inflow)) await this.checkAbsent(inflow);
    }
    for (const signature of listed) await this.checkOut(signature);
    const fees = outs.reduce((sum, transaction) => sum + feePaid(transaction, rules), 0n);
    const most = BigInt(rules.mostFee) * BigInt(Math.max(rules.mostPayouts, this.inflowOf.size));
    if (fees > most) throw new Guilt(`${fees} lamports went for fees, more than ${most}`);
    this.checkTotal();
    for (const signature of history.within(owed)) {
      if (await this.isUnpaid(signature)) return "downtime";
    }
    context.log(`${outs.length} transactions of the round were read`);
    return "valid";
  }

  /**
   * More than can be read. Each transaction costs its sender next to nothing, so that none that was drawn is wrong says little, and
   * nothing is valid here. But what the vault had at two places says what went out between them, however much lies there: so the losses
   * are followed to their transactions, and no number of others covers them.
   */
  private async part(out: Range, owed: Range, unread: number): Promise<Verdict> {
    const { history } = this;
    const seen = async (signature: string): Promise<void> => {
      await this.checkOut(signature);
    };
    // With all payouts read, the round's total is known.
    if (2 * this.inflowOf.size <= history.left / 3) {
      for (const signature of history.within(out)) {
        if (this.inflowOf.has(signature)) await seen(signature);
      }
    }
    await this.follow(out, -1n, history.left / 2, seen);
    const unpaid: string[] = [];
    const came = async (signature: string): Promise<void> => {
      if (await this.isUnpaid(signature)) unpaid.push(signature);
    };
    await this.follow(owed, 1n, history.left / 2, came);
    await this.draw(out, history.left / 2, seen);
    await this.draw(owed, history.left - LAST, came);
    if (this.right.size === this.inflowOf.size) {
      this.checkTotal();
      for (const signature of unpaid) if (await this.isUnpaid(signature)) return "downtime";
    }
    throw new Error(
      `The two rounds have ${unread} more transactions than were known, which are more than an audit can read.`,
    );
  }

  /** Reads where the balance says that something was lost (or gained), the biggest loss first, at the cost of this many door calls. */
  private async follow(
    { from, to }: Range,
    sign: bigint,
    calls: number,
    look: (signature: string) => Promise<void>,
  ): Promise<void> {
    const { history } = this;
    const least = history.left - calls;
    const gaps: { readonly from: number; readonly to: number; readonly moved: bigint }[] = [];
    const add = async (before: number, after: number): Promise<void> => {
      if (after - before < 2) return;
      const left = (await history.balances(before)).after;
      const moved = ((await history.balances(after)).before - left) * sign;
      if (moved > 0n) gaps.push({ from: before, to: after, moved });
    };
    if (to <= from) return;
    for (const end of [from, to - 1]) await look(history.signatures[end] ?? "");
    await add(from, to - 1);
    while (history.left > least && gaps.length > 0) {
      gaps.sort((a, b) => (a.moved < b.moved ? -1 : a.moved > b.moved ? 1 : 0));
      const gap = gaps.pop();
      if (!gap) return;
      const middle = (gap.from + gap.to) >> 1;
      await look(history.signatures[middle] ?? "");
      await add(gap.from, middle);
      await add(middle, gap.to);
    }
  }

  /** Reads some by chance, at the cost of this many door calls. */
  private async draw(
    range: Range,
    calls: number,
    look: (signature: string) => Promise<void>,
  ): Promise<void> {
    const least = this.history.left - calls;
    // Servers list the transactions of one slot in their own order: sorted, all nodes draw the same.
    const all = [...this.history.within(range)].sort();
    for (const signature of draw(all, Math.floor(calls))) {
      if (this.history.left <= Math.max(least, LAST)) return;
      await look(signature);
    }
  }

  /** A transaction of the payouts' round: what went out must be listed, and pay for what is listed with it. */
  private async checkOut(signature: string): Promise<void> {
    const { history, ins, inflowOf, right, rules } = this;
    const inflow = inflowOf.get(signature);
    const moved = await history.movement(signature);
    if (inflow === undefined) {
      if (moved && moved.amount < 0n) throw new Guilt(`${signature} went out and is not listed`);
      return;
    }
    if (right.has(signature)) return;
    // Whether it never was, or is missing in the list of the RPC server, only a whole look tells.
    if (!ins.has(inflow)) return;
    const came = await history.movement(inflow);
    if (!moved || !came || !pays(moved, came, rules)) {
      throw new Guilt(`${signature} is no payout for ${inflow}`);
    }
    right.set(signature, { paid: -moved.amount, inflow: came });
  }

  /** What is listed and not in the history. */
  private async checkAbsent(signature: string): Promise<void> {
    const found = await namedTransaction(this.context, signature);
    const { vault, tokenAccount } = this.rules;
    const { inflows, payouts } = spans(
      this.context.task,
      this.context.submission.round,
      this.rules,
    );
    // One of these slots that is not listed is the server's gap.
    if (
      found?.accounts.includes(tokenAccount ?? vault) &&
      found.slot >= inflows.first &&
      found.slot < payouts.end &&
      !this.history.signatures.includes(signature)
    ) {
      throw new Error(`The RPC server has ${signature} and lists it not.`);
    }
    throw new Guilt(`${signature} is none of the vault's transactions of its slots`);
  }

  private checkTotal(): void {
    const total = [...this.right.values()].reduce((sum, { paid }) => sum + paid, 0n);
    if (total > BigInt(this.rules.maxPerRound)) {
      throw new Guilt(`${total} went out, more than a round may see`);
    }
  }

  /**
   * Whether this came in, had to be paid out and was not. A round pays as many orders and as much as it has to, the biggest first: with
   * small ones of its own, which are free, an operator could not get rid of others.
   */
  private async isUnpaid(signature: string): Promise<boolean> {
    const { context, history, paidFor, right, rules } = this;
    const moved = paidFor.has(signature) ? null : await history.movement(signature);
    if (!moved || moved.amount <= 0n || !isOrder(moved, rules)) return false;
    const bigger = [...right.values()].filter(({ inflow }) => inflow.amount >= moved.amount);
    if (bigger.length >= rules.mostPayouts) return false;
    const total = bigger.reduce((sum, { paid }) => sum + paid, 0n);
    // To pay what doesn't fit into the round any more would be malice.
    if (total + leastPayout(moved, rules) > BigInt(rules.maxPerRound)) return false;
    context.log(`${signature} came in and was not paid out`);
    return true;
  }
}

/** Door calls that are left over, for the second transaction of the last payout that is looked at. */
const LAST = 2;

/** The payouts of a report; null where it is none of this owner and round. */
function payoutsOf(payload: Uint8Array, owner: string, round: number): readonly Payout[] | null {
  const report = parseObject(payload);
  if (report?.owner !== owner || report.round !== round) return null;
  const { payouts } = report;
  if (!Array.isArray(payouts)) return null;
  const all = payouts.filter(isPayout);
  return all.length === payouts.length ? all : null;
}

function isPayout(value: unknown): value is Payout {
  return (
    isObject(value) &&
    typeof value.signature === "string" &&
    (value.inflow === null || typeof value.inflow === "string")
  );
}
