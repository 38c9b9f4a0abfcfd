import type { Group, RunResult } from "./world";

/** Where an attack begins to pay. */
export interface Found {
  readonly group: string;
  /** Least nodes of the group that gain; null where none of up to `tried` do. */
  readonly heads: number | null;
  /** Most nodes that were tried. */
  readonly tried: number;
  /** Nodes and stake of all others, in base units. */
  readonly others: { readonly heads: number; readonly stake: bigint };
  /** What the attackers stake, and what they gain of it in all rounds, mean over the seeds; base units. */
  readonly stake: bigint;
  readonly net: bigint;
}

/**
 * The least number of nodes, at their stake, with which a group gains, by bisection: so it takes for granted that more nodes never gain
 * less often.
 *
 * @param run Plays these groups, once for each seed.
 */
export async function findCheapest(
  groups: readonly Group[],
  attackers: string,
  run: (groups: readonly Group[]) => Promise<readonly RunResult[]>,
): Promise<Found> {
  const group = groups.find(({ name }) => name === attackers);
  if (!group) throw new Error(`There is no group ${attackers}.`);
  const rest = groups.filter((one) => one !== group);
  const others = {
    heads: rest.reduce((sum, { count }) => sum + count, 0),
    stake: rest.reduce((sum, { count, stake }) => sum + BigInt(count) * stake, 0n),
  };
  const tried = Math.max(
    2 * others.heads,
    Number((2n * others.stake + group.stake - 1n) / group.stake),
  );
  const netOf = async (count: number): Promise<bigint> => {
    const runs = await run(groups.map((one) => (one === group ? { ...one, count } : one)));
    const nets = runs.flatMap((result) => result.groups.filter(({ name }) => name === attackers));
    return nets.reduce((sum, { net }) => sum + net, 0n) / BigInt(nets.length);
  };
  const found = (heads: number | null, net: bigint): Found => ({
    ...{ group: attackers, heads, tried, others, net },
    stake: BigInt(heads ?? tried) * group.stake,
  });
  // From below, doubling: runs of many nodes are slow.
  let [low, high] = [0, 1];
  let net = await netOf(high);
  while (net <= 0n) {
    if (high >= tried) return found(null, net);
    low = high;
    high = Math.min(2 * high, tried);
    net = await netOf(high);
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const gained = await netOf(middle);
    if (gained > 0n) [high, net] = [middle, gained];
    else low = middle;
  }
  return found(high, net);
}
