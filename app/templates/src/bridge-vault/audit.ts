import type { AuditFacts, Context, Verdict } from "@securing-tasks/sandbox";
import type { BridgeVaultParameters } from "../parameters";
import { fetchContent } from "../shared/doors";
import { isObject, parseObject } from "../shared/json";
import { configured } from "../shared/parameters";
import { draw } from "../shared/sample";
import type { Payout } from "./flow";
import { History, isOrder, pays, spans } from "./flow";

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
  const report = payoutsOf(payload, owner, round, rules.mostPayouts);
  if (!report) return guilty("the payload is no report of this round");

  const { inflows, payouts } = spans(context.task, round, rules);
  const history = await History.since(context, rules, inflows.first);
  const [ins, outs] = [await history.within(inflows), await history.within(payouts)];

  const listed = new Set<string>();
  const used = new Set<string>();
  let total = 0n;
  for (const { signature, inflow } of report) {
    if (listed.has(signature) || !outs.includes(signature)) {
      return guilty(`${signature} is listed twice or is not of these slots`);
    }
    if (inflow === null) return guilty(`${signature} pays for nothing`);
    if (used.has(inflow) || !ins.includes(inflow)) {
      return guilty(
        `${signature} pays for ${inflow}, which is paid for already or not of its slots`,
      );
    }
    listed.add(signature);
    used.add(inflow);
    const [paid, came] = [await history.movement(signature), await history.movement(inflow)];
    if (!paid || !came || !pays(paid, came, rules)) {
      return guilty(`${signature} is no payout for ${inflow}`);
    }
    total -= paid.amount;
  }
  if (total > BigInt(rules.maxPerRound))
    return guilty(`${total} went out, more than a round may see`);

  // Whoever floods the vault with transactions leaves a part of them to chance, and never the listed ones.
  let left = rules.mostOthers;
  const some = (signatures: readonly string[], known: ReadonlySet<string>): readonly string[] => {
    const others = signatures.filter((signature) => !known.has(signature));
    const chosen = others.length <= left ? others : draw(others, left);
    left -= chosen.length;
    return chosen;
  };
  for (const signature of some(outs, listed)) {
    const moved = await history.movement(signature);
    if (moved && moved.amount < 0n) return guilty(`${signature} went out and is not listed`);
  }
  if (!rules.settleAll) return "valid";
  for (const signature of some(ins, used)) {
    const moved = await history.movement(signature);
    if (moved && moved.amount > 0n && isOrder(moved, rules)) {
      context.log(`${signature} came in and was not paid out`);
      return "downtime";
    }
  }
  return "valid";
}

/** The payouts of a report; null where it is none of this owner and round. */
function payoutsOf(
  payload: Uint8Array,
  owner: string,
  round: number,
  most: number,
): readonly Payout[] | null {
  const report = parseObject(payload);
  if (report?.owner !== owner || report.round !== round) return null;
  const { payouts } = report;
  if (!Array.isArray(payouts) || payouts.length > most) return null;
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
