import type { GroupResult, RunResult, TaskResult } from "./world";

/** A number over several seeds. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation; 0 for one seed. */
  readonly deviation: number;
}

/** A group over several seeds: amounts are means, floored, in base units, fees and rent in lamports. */
export interface GroupSummary extends Omit<GroupResult, "returnPerRound"> {
  readonly returnPerRound: Spread;
}

/** Shares from 0 to 1; null where there was nothing to take a share of. */
export interface TaskSummary {
  readonly badConvicted: number | null;
  readonly goodConvicted: number | null;
  /** Of bounty that was paid. */
  readonly bountyForBad: number | null;
  readonly audits: number;
  readonly noVerdict: number;
  /** Base units spent on checks in one round, mean. */
  readonly checksPerRound: bigint;
  /** Lamports of fees in one round that there would be none of without audits, mean. */
  readonly auditFeesPerRound: bigint;
}

export interface Summary {
  readonly rounds: number;
  readonly seeds: readonly string[];
  readonly groups: readonly GroupSummary[];
  readonly task: TaskSummary;
}

/** Sums up runs of the same rules, population and rounds. */
export function summarize(runs: readonly RunResult[]): Summary {
  const [first] = runs;
  if (!first) throw new Error("There is no run to sum up.");
  const { rounds } = first;
  const groups = first.groups.map((group, at): GroupSummary => {
    const all = runs.flatMap((run) => run.groups.slice(at, at + 1));
    const mean = (of: (one: GroupResult) => bigint): bigint => meanOf(all.map(of));
    const refused: Record<string, number> = {};
    for (const one of all) {
      for (const [name, count] of Object.entries(one.refused)) {
        refused[name] = (refused[name] ?? 0) + count;
      }
    }
    return {
      ...group,
      bounties: mean((one) => one.bounties),
      shares: mean((one) => one.shares),
      lost: mean((one) => one.lost),
      work: mean((one) => one.work),
      checks: mean((one) => one.checks),
      net: mean((one) => one.net),
      fees: mean((one) => one.fees),
      rent: mean((one) => one.rent),
      returnPerRound: spread(all.map((one) => one.returnPerRound)),
      refused,
    };
  });
  const tasks = runs.map(({ task }) => task);
  const total = (of: (one: TaskResult) => number): number =>
    tasks.reduce((sum, one) => sum + of(one), 0);
  const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);
  const perRound = (of: (one: TaskResult) => bigint): bigint =>
    meanOf(tasks.map(of)) / BigInt(rounds);
  return {
    rounds,
    seeds: runs.map(({ seed }) => seed),
    groups,
    task: {
      badConvicted: share(
        total((one) => one.badConvicted),
        total((one) => one.badWork),
      ),
      goodConvicted: share(
        total((one) => one.goodConvicted),
        total((one) => one.goodWork),
      ),
      bountyForBad: share(
        total((one) => Number(one.bountyForBad)),
        total((one) => Number(one.bounty)),
      ),
      audits: total((one) => one.audits),
      noVerdict: total((one) => one.noVerdict),
      checksPerRound: perRound((one) => one.checks),
      auditFeesPerRound: perRound((one) => one.auditFees),
    },
  };
}

export function spread(values: readonly number[]): Spread {
  const count = values.length;
  const mean = values.reduce((sum, one) => sum + one, 0) / count;
  const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return { mean, deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : 0 };
}

function meanOf(values: readonly bigint[]): bigint {
  const sum = values.reduce((total, one) => total + one, 0n);
  const count = BigInt(values.length);
  // Towards minus infinity, as everything floors.
  return sum >= 0n ? sum / count : -((-sum + count - 1n) / count);
}
