import type { AuditFacts, Context, Verdict } from "@securing-tasks/sandbox";
import type { BridgeVaultParameters } from "../parameters";
import { fetchContent } from "../shared/doors";
import { isObject, parseObject } from "../shared/json";
import { configured } from "../shared/parameters";
import { draw } from "../shared/sample";
import type { Payout } from "./flow";
import { History, isOrder, leastPayout, notBefore, pays, spans } from "./flow";

declare const PARAMETERS: BridgeVaultParameters | null;

export async function audit(context: Context<AuditFacts>): Promise<Verdict> {
  const rules = configured(PARAMETERS);
  const { owner, round, payloadHash, payloadUri } = context.submission;
  const guilty = (why: string): Verdict => {
    context.log(why);
    return "malicious";
  };

  const payload = await fetchContent(context, payloadHash, payloadUri);
  if (!payload) return "downtime";
  const report = payoutsOf(payload, owner, round);
  if (!report) return guilty("the payload is no report of this round");

  const { inflows, payouts } = spans(context.task, round, rules);
  const history = await History.since(context, rules, inflows.first);
  const ins = new Set(await history.within(inflows));
  const outs = new Set(await history.within(payouts));

  const listed = new Set<string>();
  const used = new Set<string>();
  for (const { signature, inflow } of report) {
    if (listed.has(signature) || !outs.has(signature)) {
      return guilty(`${signature} is listed twice or is not of these slots`);
    }
    if (inflow === null) return guilty(`${signature} pays for nothing`);
    if (used.has(inflow) || !ins.has(inflow)) {
      return guilty(
        `${signature} pays for ${inflow}, which is paid for already or not of its slots`,
      );
    }
    listed.add(signature);
    used.add(inflow);
  }
  // Many payouts are no crime. All of them would take more door calls than a run has, so of too many a part is left to chance.
  const { mostPayouts, mostOthers } = rules;
  let total = 0n;
  for (const { signature, inflow } of sample(report, mostPayouts)) {
    const paid = await history.movement(signature);
    const came = inflow === null ? null : await history.movement(inflow);
    if (!paid || !came || !pays(paid, came, rules)) {
      return guilty(`${signature} is no payout for ${String(inflow)}`);
    }
    total -= paid.amount;
  }
  const most = BigInt(rules.maxPerRound);
  if (total > most) return guilty(`${total} went out, more than a round may see`);

  // Servers list the transactions of one slot in their own order: sorted, all nodes draw the same.
  const others = (signatures: Iterable<string>, known: ReadonlySet<string>): string[] =>
    [...signatures].filter((signature) => !known.has(signature)).sort();
  // Nobody has to pay more than the audit looks at, or for what came in before the task was made.
  const settled = !rules.settleAll || report.length >= mostPayouts;
  const owed = settled ? [] : await history.within(notBefore(context.task.startSlot, inflows));
  const [unlisted, unpaid] = [others(outs, listed), others(owed, used)];
  // Whoever floods the vault with transactions leaves a part of them to chance. Each side has half of the budget at least, and all that
  // the other leaves: dust on one side doesn't switch the other's check off.
  const share = Math.max(Math.ceil(mostOthers / 2), mostOthers - unpaid.length);
  for (const signature of sample(unlisted, share)) {
    const moved = await history.movement(signature);
    if (moved && moved.amount < 0n) return guilty(`${signature} went out and is not listed`);
  }
  const rest = Math.max(1, mostOthers - Math.min(unlisted.length, share));
  for (const signature of sample(unpaid, rest)) {
    const moved = await history.movement(signature);
    if (!moved || moved.amount <= 0n || !isOrder(moved, rules)) continue;
    // To pay what doesn't fit into the round any more would be malice.
    if (total + leastPayout(moved, rules) > most) continue;
    context.log(`${signature} came in and was not paid out`);
    return "downtime";
  }
  return "valid";
}

/** All, or of more than this a part. */
function sample<T>(all: readonly T[], most: number): readonly T[] {
  return all.length <= most ? all : draw(all, most);
}

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
