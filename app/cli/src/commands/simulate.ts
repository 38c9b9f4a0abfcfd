import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TaskRules } from "@securing-tasks/client";
import { formatAmount } from "@securing-tasks/client";
import type { Found, Group, RunResult, Summary } from "@securing-tasks/simulate";
import type { Command } from "commander";
import { PublicKey } from "@solana/web3.js";
import { formatTokens, group as grouped, parseAmount } from "../amounts";
import { act, leaf } from "../command";
import type { PresetName } from "../create/presets";
import { PRESETS, PRESET_TABLE } from "../create/presets";
import { gateMints, readRules } from "../create/rules";
import type { TaskFile } from "../create/schema";
import { readTaskFile } from "../create/schema";
import { UsageError } from "../failures";
import { during, facts, note, result, table } from "../output";
import type { Session } from "../session";

interface SimulateOptions {
  readonly file?: string;
  readonly preset?: string;
  readonly bounty?: string;
  readonly decimals?: string;
  readonly population?: string;
  readonly rounds: string;
  readonly seed: string;
  readonly seeds: string;
  readonly find?: boolean;
  readonly program?: string;
}

/** Where the build leaves the program. */
const PROGRAM = join(__dirname, "../../../../target/deploy/securing_tasks.so");
const SOL_DECIMALS = 9;

/** `simulate`. */
export function registerSimulate(root: Command): void {
  const simulate = leaf(
    root,
    "simulate",
    "play many rounds of a task here, with the real program: who wins and who loses by its rules",
    [
      "--preset seed --rounds 10",
      "--preset strict --find",
      "--file task.yaml --population population.yaml --rounds 100 --seeds 5 --json",
    ],
  )
    .option("-f, --file <file>", "the task's YAML file, as `task create` takes it")
    .option("--preset <name>", `rules to play by: ${PRESETS.join(" or ")}`)
    .option("--bounty <amount>", "of a round (default: the file's, or 1)")
    .option("--decimals <n>", "of the task's mint, where that is not SOL")
    .option("--population <file>", "YAML file with who plays (default: a small usual one)")
    .option("--rounds <n>", "rounds of each run", "10")
    .option("--seed <text>", "the same seed plays the same again", "1")
    .option("--seeds <n>", "runs, each with a seed of its own", "1")
    .option("--find", "search the least nodes with which a cartel that convicts the innocent gains")
    .option("--program <file>", "the compiled program (default: the one that was built here)");
  act<SimulateOptions>(simulate, run);
}

async function run(session: Session, options: SimulateOptions): Promise<void> {
  // LiteSVM is loaded for this command alone.
  const simulator = await import("@securing-tasks/simulate");
  const { rules, decimals } = readTask(options);
  const rounds = count("--rounds", options.rounds);
  const seeds = seedsOf(options.seed, count("--seeds", options.seeds));
  const bytecode = readProgram(options.program ?? PROGRAM);
  const currency = { rules, amount: (text: string) => parseAmount(text, decimals) };
  let groups: readonly Group[];
  try {
    groups =
      options.population === undefined
        ? simulator.usualPopulation(currency)
        : await simulator.readPopulation(options.population, currency);
  } catch (error) {
    if (error instanceof simulator.PopulationError) throw new UsageError(error.message);
    throw error;
  }
  if (rules.workerGate.kind !== "open" || rules.witnessGate.kind !== "open") {
    note(session, "All who play are taken to have passed the task's gates.");
  }
  const playAll = async (
    played: readonly Group[],
    say: (text: string) => void,
  ): Promise<RunResult[]> => {
    const runs: RunResult[] = [];
    for (const [at, seed] of seeds.entries()) {
      const onProgress = (settled: number): void => {
        say(`seed ${at + 1} of ${seeds.length}, round ${settled} of ${rounds}`);
      };
      runs.push(
        await simulator.play({ bytecode, rules, groups: played, rounds, seed, onProgress }),
      );
    }
    return runs;
  };
  if (options.find) {
    const cartel = groups.find(({ strategy }) => strategy === "convictingCartel");
    if (!cartel) {
      throw new UsageError(
        "--find: nobody plays the strategy convictingCartel. Give the population a group with it.",
      );
    }
    const found = await during(session, "searching", (spinner) =>
      simulator.findCheapest(groups, cartel.name, (played) => {
        const { count: heads = 0 } = played.find(({ name }) => name === cartel.name) ?? {};
        return playAll(played, (text) => {
          spinner.say(`${heads} nodes of ${cartel.name}, ${text}`);
        });
      }),
    );
    const sentence = foundSentence(found, rounds, decimals);
    result(session, { ...found, rounds, seeds, sentence }, [sentence]);
    return;
  }
  const runs = await during(session, "making the task", (spinner) =>
    playAll(groups, (text) => {
      spinner.say(text);
    }),
  );
  const summary = simulator.summarize(runs);
  result(session, { ...summary, runs }, summaryLines(summary, decimals));
}

/** Rules and the decimals of the task's mint, from file and flags. */
function readTask(options: SimulateOptions): {
  readonly rules: TaskRules;
  readonly decimals: number;
} {
  const { file, preset, bounty } = options;
  if (file === undefined && preset === undefined) {
    throw new UsageError(
      `There are no rules to play by. Give --preset ${PRESETS.join(" or ")}, or --file task.yaml.`,
    );
  }
  const found: TaskFile = file === undefined ? { rules: {} } : readTaskFile(file);
  const decimals = decimalsOf(found, options);
  const name = preset === undefined ? (found.preset ?? null) : presetOf(preset);
  const text = bounty ?? (file === undefined ? "1" : undefined);
  const rules = {
    ...found.rules,
    ...(text !== undefined && { bounty: { text, where: "--bounty" } }),
  };
  const none = PublicKey.default;
  return {
    decimals,
    rules: readRules(
      rules,
      name === null ? null : PRESET_TABLE[name].rules,
      {
        task: decimals,
        // What a gate asks for is not asked here.
        gates: new Map(gateMints(rules).map((mint) => [mint.toBase58(), SOL_DECIMALS])),
      },
      found.allowLargeStake ?? false,
      { task: none, mint: none, group: null },
    ),
  };
}

function decimalsOf({ mint }: TaskFile, { decimals }: SimulateOptions): number {
  if (decimals !== undefined) {
    if (/^\d{1,2}$/.test(decimals)) return Number(decimals);
    throw new UsageError(`--decimals "${decimals}" is no number of decimals. Give one, such as 6.`);
  }
  if (mint && mint.text.trim().toUpperCase() !== "SOL") {
    throw new UsageError(
      `${mint.where}: nobody asks a chain here how many decimals the mint has. Give --decimals.`,
    );
  }
  return SOL_DECIMALS;
}

function presetOf(name: string): PresetName {
  const found = PRESETS.find((preset) => preset === name);
  if (found !== undefined) return found;
  throw new UsageError(`--preset can't be "${name}". Use ${PRESETS.join(" or ")}.`);
}

function count(flag: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`${flag} "${text}" is no whole number from 1 to 999999. Give one.`);
}

/** The first run of several is the one of the seed alone. */
export function seedsOf(seed: string, runs: number): string[] {
  return Array.from({ length: runs }, (_, at) => (at === 0 ? seed : `${seed}.${at + 1}`));
}

function readProgram(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch {
    throw new UsageError(
      `There is no program at ${file}. Build it with \`npm run program\`, or give its file with --program.`,
    );
  }
}

/** An attack's price in one sentence. */
export function foundSentence(found: Found, rounds: number, decimals: number): string {
  const { group, heads, tried, others, stake, net } = found;
  const amount = (value: bigint): string => formatTokens(value, decimals);
  const over = `over ${rounds} round${rounds === 1 ? "" : "s"}`;
  if (heads === null) {
    return `${group}: no number of nodes up to ${grouped(tried)} gains ${over}, against ${grouped(others.heads)} others that stake ${amount(others.stake)}; so many lose ${amount(-net)}.`;
  }
  const ofHeads = heads / (heads + others.heads);
  const ofStake = Number(stake) / Number(stake + others.stake);
  return `${group} gains from ${grouped(heads)} node${heads === 1 ? "" : "s"} on, ${percent(ofHeads)} of all nodes and ${percent(ofStake)} of all stake: ${amount(stake)} staked bring ${amount(net)} ${over}, against ${grouped(others.heads)} others that stake ${amount(others.stake)}.`;
}

function summaryLines({ rounds, seeds, groups, task }: Summary, decimals: number): string[] {
  const amount = (value: bigint): string => formatAmount(value, decimals);
  const sol = (value: bigint): string => formatAmount(value, SOL_DECIMALS);
  const share = (value: number | null): string =>
    value === null ? "there was none" : percent(value);
  return [
    ...table(
      [
        ...["group", "strategy", "nodes", "stake", "bounties", "shares", "lost", "work", "checks"],
        ...["net", "return a round", "fees SOL", "rent SOL"],
      ],
      groups.map((one) => [
        ...[one.name, one.strategy, grouped(one.nodes), amount(one.stake), amount(one.bounties)],
        ...[amount(one.shares), amount(one.lost), amount(one.work), amount(one.checks)],
        amount(one.net),
        `${percent(one.returnPerRound.mean)}${seeds.length > 1 ? ` ± ${percent(one.returnPerRound.deviation)}` : ""}`,
        ...[sol(one.fees), sol(one.rent)],
      ]),
    ),
    ...facts([
      ["played", `${rounds} rounds, ${seeds.length === 1 ? "1 seed" : `${seeds.length} seeds`}`],
      ["bad work convicted", share(task.badConvicted)],
      ["good work convicted", share(task.goodConvicted)],
      ["bounty for bad work", share(task.bountyForBad)],
      ["audits", `${task.audits}, of which ${task.noVerdict} without a verdict`],
      ["checks", `${amount(task.checksPerRound)} a round`],
      ["audits' fees", `${sol(task.auditFeesPerRound)} SOL a round`],
    ]),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}
