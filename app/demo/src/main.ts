import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Accusation, Chain, Opinion, TaskRules } from "@securing-tasks/client";
import { PROGRAM_ID, explain } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Localnet, findValidator } from "@securing-tasks/client/localnet";
import { Command } from "commander";
import ora from "ora";
import colors from "picocolors";
import { Game } from "./game";
import type { Seat } from "./game";
import { finalTable, gainsTable, ledgerTable, sol, worth } from "./report";

const ROOT = join(__dirname, "../../..");
const BYTECODE = join(ROOT, "target/deploy/securing_tasks.so");
const SOL = 1_000_000_000n;

/** Windows long enough to act in on a validator, short enough to wait for. */
const RULES: TaskRules = {
  roundSlots: 120n,
  submissionSlots: 30n,
  auditSlots: 60n,
  commitSlots: 0n,
  revealSlots: 60n,
  leaveDelaySlots: 150n,
  workerMinStake: 4n * SOL,
  witnessMinStake: SOL,
  bountyPerRound: SOL / 2n,
  initiatorBond: SOL / 5n,
  voteDeposit: SOL / 20n,
  appealSlots: 0n,
  appealBond: 0n,
  quorumVotes: 3,
  quorumBps: 5_000,
  downtimeBps: 1_000,
  maliceBps: 5_000,
  initiatorBonusBps: 3_000,
  poolBps: 1_000,
  panelSeats: 0,
  voteWeight: "node",
  rewardRule: "all",
  workerGate: { kind: "open" },
  witnessGate: { kind: "open" },
};

const SEATS: readonly Seat[] = [
  { name: "Ada", role: "worker", stake: 6n * SOL },
  { name: "Ben", role: "worker", stake: 10n * SOL },
  { name: "Cleo", role: "worker", stake: 8n * SOL },
  { name: "Dora", role: "worker", stake: 5n * SOL },
  { name: "Emil", role: "worker", stake: 5n * SOL },
  { name: "Wanda", role: "witness", stake: 2n * SOL },
  { name: "Wim", role: "witness", stake: 2n * SOL },
];

/** One audit of one node's work. */
interface Story {
  readonly title: string;
  readonly worker: string;
  readonly initiator: string;
  readonly accusation: Accusation;
  readonly votes: readonly (readonly [name: string, opinion: Opinion])[];
}

const STORIES: readonly Story[] = [
  {
    title: "Ben delivers wrong work. Ada accuses him of malice, and the majority agrees.",
    worker: "Ben",
    initiator: "Ada",
    accusation: "malice",
    votes: [
      ["Cleo", "malice"],
      ["Dora", "malice"],
      ["Emil", "valid"],
      ["Wanda", "malice"],
      ["Wim", "malice"],
    ],
  },
  {
    title:
      "Cleo works well. Emil accuses her of downtime all the same, and the majority acquits her.",
    worker: "Cleo",
    initiator: "Emil",
    accusation: "downtime",
    votes: [
      ["Ada", "valid"],
      ["Dora", "valid"],
      ["Wanda", "valid"],
      ["Wim", "downtime"],
    ],
  },
  {
    title: "Dora works. Ada accuses her, and only Wim votes: too thin to decide.",
    worker: "Dora",
    initiator: "Ada",
    accusation: "malice",
    votes: [["Wim", "malice"]],
  },
];

async function play(chain: Chain): Promise<void> {
  const spinner = ora({ stream: process.stdout, isSilent: !process.stdout.isTTY });
  const quietly = async <T>(work: () => Promise<T>): Promise<T> => {
    spinner.start();
    try {
      return await work();
    } finally {
      spinner.stop();
    }
  };
  const game = await quietly(() =>
    Game.start({
      chain,
      currency: "sol",
      rules: RULES,
      seats: SEATS,
      pool: 3n * SOL,
      onStep: (step) => {
        spinner.text = step;
      },
    }),
  );
  console.log(
    `A task pays in SOL. Its creator put ${sol(3n * SOL)} SOL into the bounty pool; ${game.players.size} nodes have joined.\n`,
  );

  for (const [index, story] of STORIES.entries()) {
    const before = worth(game, await game.ledger());
    const start = game.events.length;
    console.log(colors.bold(`${index + 1}. ${story.title}`));
    const outcome = await quietly(() => playStory(game, story));
    const ledger = await game.ledger();
    console.log(`Outcome: ${colors.bold(OUTCOME_WORDS[outcome])}`);
    console.log(gainsTable(game, before, worth(game, ledger), game.events.slice(start)));
    console.log(`${ledgerTable(game, ledger)}\n`);
  }

  console.log(
    colors.bold(
      "Everyone leaves, all accounts are closed, and the creator takes what is left of the pool.",
    ),
  );
  const end = await quietly(() => game.end());
  console.log(finalTable(game));
  console.log(ledgerTable(game, end));
  console.log(`${await game.accountsLeft()} accounts of the task are left.`);
}

const OUTCOME_WORDS = {
  open: "open",
  noVerdict: "no verdict",
  acquitted: "acquitted",
  convictedDowntime: "convicted of downtime",
  convictedMalice: "convicted of malice",
} as const;

async function playStory(game: Game, story: Story): Promise<keyof typeof OUTCOME_WORDS> {
  const submission = await game.submit(story.worker, await game.round());
  const audit = await game.accuse(story.initiator, submission, story.accusation);
  for (const [name, opinion] of story.votes) await game.vote(name, audit, opinion);
  const { outcome } = await game.resolve(audit);
  for (const [name] of story.votes) await game.claim(name, audit);
  if (!outcome.startsWith("convicted")) await game.claimBounty(submission);
  return outcome;
}

async function startChain(onValidator: boolean): Promise<Chain> {
  const bytecode = await readFile(BYTECODE).catch((error: unknown) => {
    throw new Error(`There is no program at ${BYTECODE}. Build it: npm run program`, {
      cause: error,
    });
  });
  if (!onValidator) {
    return EmbeddedChain.start([{ id: PROGRAM_ID, bytecode }]);
  }
  return Localnet.start({
    validator: await findValidator(join(ROOT, "toolchain/validator.sh")),
    programs: [{ id: PROGRAM_ID, bytecode: BYTECODE }],
  });
}

async function main(): Promise<void> {
  const { validator } = new Command("demo")
    .description("Plays the audit game: a conviction, an acquittal, and a vote too thin to decide")
    .option(
      "--validator",
      "play on a solana-test-validator, started for it, instead of in this process",
    )
    .parse()
    .opts<{ validator?: boolean }>();
  const started = Date.now();
  const chain = await startChain(validator === true);
  try {
    await play(chain);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    const where = validator === true ? "a solana-test-validator" : "LiteSVM in this process";
    console.log(colors.dim(`Played in ${seconds} s on ${where}.`));
  } finally {
    await chain.close();
  }
}

main().catch((error: unknown) => {
  console.error(explain(error).message);
  if (process.env.DEBUG !== undefined) console.error(error);
  process.exitCode = 1;
});
