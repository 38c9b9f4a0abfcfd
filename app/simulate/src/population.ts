import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { TaskRules } from "@securing-tasks/client";
import { ROLES } from "@securing-tasks/client";
import { PlacedYaml, readYaml, sentence } from "@securing-tasks/node/yaml";
import { isScalar, visit } from "yaml";
import { z } from "zod";
import { STRATEGIES, STRATEGY_NAMES } from "./strategies";
import type { StrategyModule } from "./strategy";
import type { Group } from "./world";

/** A population's file, or a strategy that it names, can't be used. A line for each fault, with the way out. */
export class PopulationError extends Error {
  override readonly name = "PopulationError";
}

/** What amounts and stakes in a file depend on. */
export interface Currency {
  readonly rules: Pick<TaskRules, "workerMinStake" | "witnessMinStake" | "bountyPerRound">;
  /** Base units of an amount as people write it. Throws a sentence. */
  readonly amount: (text: string) => bigint;
}

const AMOUNTS: readonly string[] = ["stake", "workPrice", "checkPrice"];
/** More than any machine plays. */
const MOST_NODES = 1_000_000;

const amount = z.string('must be an amount, like 12.5 or "100 base"');
const chance = z
  .number("must be a number from 0 to 1")
  .min(0, "must be from 0 to 1")
  .max(1, "must be from 0 to 1");
const group = z.strictObject({
  strategy: z.string("must be a strategy's name, or the path of its module"),
  role: z.enum(ROLES),
  count: z
    .int("must be a whole number of nodes")
    .min(1, "must be 1 or more")
    .max(MOST_NODES, `must be at most ${MOST_NODES}`),
  stake: amount.exactOptional(),
  workPrice: amount.exactOptional(),
  checkPrice: amount.exactOptional(),
  faulty: chance.default(0),
  checkError: chance.default(0),
  parameters: z.record(z.string(), z.number("must be a number")).default({}),
});
const schema = z.strictObject({
  workPrice: amount,
  checkPrice: amount,
  groups: z
    .record(z.string(), group, "must be a mapping, from a group's name to what it is")
    .refine((groups) => Object.keys(groups).length > 0, "must have a group"),
});

/** Reads a population's file. Throws a {@link PopulationError}. */
export async function readPopulation(file: string, currency: Currency): Promise<Group[]> {
  const content = readYaml(file, (message) => new PopulationError(message));
  return parsePopulation(content, file, currency);
}

/** The same for a file's content. Modules are found from the file's folder. */
export async function parsePopulation(
  content: string,
  file: string,
  { rules, amount: read }: Currency,
): Promise<Group[]> {
  const yaml = new PlacedYaml(content, file);
  if (yaml.faults.length > 0) throw new PopulationError(yaml.faults.join("\n"));
  // Amounts must not go through floating point.
  visit(yaml.document, {
    Pair: (_, { key, value }) => {
      const named = isScalar(key) && AMOUNTS.includes(String(key.value));
      if (named && isScalar(value) && typeof value.value === "number" && value.source !== undefined)
        value.value = value.source;
    },
  });
  const where = (path: readonly PropertyKey[]): string =>
    `${yaml.place(path)}: ${path.length === 0 ? "the file" : `\`${path.map(String).join(".")}\``}`;
  const parsed = schema.safeParse(yaml.document.toJS() ?? {});
  if (!parsed.success) {
    const faults = parsed.error.issues.flatMap((issue) => {
      if (issue.code !== "unrecognized_keys") return [`${where(issue.path)} ${told(issue)}`];
      return issue.keys.map(
        (key) =>
          `${yaml.place([...issue.path, key], true)}: \`${[...issue.path, key].map(String).join(".")}\` is no setting. Remove it; there are ${settings(issue.path).join(", ")}.`,
      );
    });
    throw new PopulationError(faults.join("\n"));
  }
  const found = parsed.data;
  const faults: string[] = [];
  const amountAt = (path: readonly PropertyKey[], text: string): bigint => {
    try {
      return read(text);
    } catch (error) {
      faults.push(`${where(path)}: ${error instanceof Error ? error.message : String(error)}`);
      return 0n;
    }
  };
  const groups: Group[] = [];
  for (const [name, one] of Object.entries(found.groups)) {
    const at = (key: string): readonly PropertyKey[] => ["groups", name, key];
    const priced = (key: "workPrice" | "checkPrice"): bigint =>
      one[key] === undefined ? amountAt([key], found[key]) : amountAt(at(key), one[key]);
    const module = await strategyOf(one.strategy, file).catch((error: unknown) => {
      faults.push(
        `${where(at("strategy"))} ${error instanceof Error ? error.message : String(error)}`,
      );
      return null;
    });
    const usual = module?.parameters ?? {};
    for (const key of module ? Object.keys(one.parameters) : []) {
      if (key in usual) continue;
      const known = Object.keys(usual);
      faults.push(
        `${yaml.place([...at("parameters"), key], true)}: \`${key}\` is no parameter of ${one.strategy}. ${known.length > 0 ? `There are ${known.join(", ")}` : "Remove it: there is none"}.`,
      );
    }
    const least = one.role === "worker" ? rules.workerMinStake : rules.witnessMinStake;
    const stake = one.stake === undefined ? least : amountAt(at("stake"), one.stake);
    if (stake < least && faults.length === 0) {
      faults.push(
        `${where(at("stake"))} is below the task's minimum of a ${one.role}, ${least.toString()} base units. Raise it, or leave it out.`,
      );
    }
    groups.push({
      ...{ name, strategy: one.strategy, count: one.count, role: one.role, stake },
      make: () => {
        if (!module) throw new PopulationError(`${one.strategy} is no strategy.`);
        return module.make({ ...usual, ...one.parameters });
      },
      ...{ workPrice: priced("workPrice"), checkPrice: priced("checkPrice") },
      ...{ faulty: one.faulty, checkError: one.checkError },
    });
  }
  if (faults.length > 0) throw new PopulationError([...new Set(faults)].join("\n"));
  return groups;
}

/** Who plays where nobody is named: the honest, one who works badly, and a small cartel. */
export function usualPopulation({ rules }: Pick<Currency, "rules">): Group[] {
  const group = (
    name: string,
    strategy: keyof typeof STRATEGIES,
    role: Group["role"],
    count: number,
  ): Group => ({
    ...{ name, strategy, role, count },
    make: () => {
      const module: StrategyModule = STRATEGIES[strategy];
      return module.make(module.parameters ?? {});
    },
    stake: role === "worker" ? rules.workerMinStake : rules.witnessMinStake,
    workPrice: rules.bountyPerRound / 40n,
    checkPrice: rules.bountyPerRound / 1_000n,
    ...{ faulty: 0, checkError: 0 },
  });
  return [
    group("workers", "honest", "worker", 8),
    group("witnesses", "honest", "witness", 8),
    group("shirkers", "shirker", "worker", 1),
    group("cartel", "convictingCartel", "witness", 3),
  ];
}

async function strategyOf(name: string, file: string): Promise<StrategyModule> {
  if (name in STRATEGIES) return STRATEGIES[name as keyof typeof STRATEGIES];
  const all = `One of ${STRATEGY_NAMES.join(", ")}, or a path like ./mine.js.`;
  if (!/[./\\]/.test(name)) throw new PopulationError(`is no strategy. ${all}`);
  const path = resolve(dirname(resolve(file)), name);
  let loaded: unknown;
  try {
    loaded = await import(pathToFileURL(path).href);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PopulationError(
      `can't be loaded: ${sentence(reason)} Give a JavaScript module, compiled if it is TypeScript.`,
    );
  }
  // What TypeScript compiles to CommonJS has its default export once more inside.
  let found = loaded as { default?: unknown } & Partial<StrategyModule>;
  while (typeof found.make !== "function" && typeof found.default === "object" && found.default) {
    found = found.default;
  }
  if (typeof found.make !== "function") {
    throw new PopulationError("has no default export with `about` and `make`. Write one.");
  }
  return found as StrategyModule;
}

function settings(path: readonly PropertyKey[]): readonly string[] {
  return Object.keys(path.length === 0 ? schema.shape : group.shape);
}

function told(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value") return `must be ${issue.values.map(String).join(" or ")}.`;
  if (issue.code === "invalid_type" && issue.expected === "object") {
    return "must be a mapping, with a line `name: value` for each setting.";
  }
  return sentence(issue.message);
}
