import type { Context, WorkFacts } from "@securing-tasks/sandbox";
import type { BridgeVaultParameters } from "../parameters";
import { configured } from "../shared/parameters";
import type { Movement, Payout, Span } from "./flow";
import { History, movement, pays, spans } from "./flow";

declare const PARAMETERS: BridgeVaultParameters | null;

/** Reports what went out of the vault, and for which inflow. What moves the money is no part of this, and its keys are not here. */
export async function work(context: Context<WorkFacts>): Promise<string> {
  const rules = configured(PARAMETERS);
  const { owner, round } = context;
  const { inflows, payouts } = spans(context.task, round, rules);
  const history = await History.since(context, context.task, rules, inflows.first);
  const read = async (span: Span): Promise<Movement[]> => {
    const all = await history.readAll(await history.range(span));
    return all.flatMap((transaction) => movement(transaction, rules) ?? []);
  };
  const outs = (await read(payouts)).filter(({ amount }) => amount < 0n);
  const ins = outs.length === 0 ? [] : (await read(inflows)).filter(({ amount }) => amount > 0n);
  return JSON.stringify({ owner, round, payouts: matched(outs, ins, rules) });
}

/** Gives as many payouts as can be an inflow of their own (augmenting paths of a bipartite graph). */
function matched(
  outs: readonly Movement[],
  ins: readonly Movement[],
  rules: BridgeVaultParameters,
): Payout[] {
  const paidBy = new Map<Movement, Movement>();
  const place = (out: Movement, seen: Set<Movement>): boolean =>
    ins.some((inflow) => {
      if (seen.has(inflow) || !pays(out, inflow, rules)) return false;
      seen.add(inflow);
      const other = paidBy.get(inflow);
      if (other && !place(other, seen)) return false;
      paidBy.set(inflow, out);
      return true;
    });
  for (const out of outs) place(out, new Set());
  const inflowOf = new Map([...paidBy].map(([inflow, out]) => [out, inflow.signature]));
  return outs.map((out) => ({ signature: out.signature, inflow: inflowOf.get(out) ?? null }));
}
