import type { TransactionOutcome } from "@securing-tasks/client";
import { tokenAccountOf, wrapSol } from "@securing-tasks/client";
import { Game } from "@securing-tasks/demo/game";
import { createSyncNativeInstruction } from "@solana/spl-token";
import { Transaction } from "@solana/web3.js";
import { expect } from "chai";
import { CommandLine, Following } from "./utils/command_line";
import { RULES } from "./utils/games";
import { localnet } from "./utils/validator";

interface Told {
  readonly event: string;
  readonly amount?: string;
  readonly signature: string;
  readonly why?: string;
  readonly differences?: readonly Readonly<Record<string, string>>[];
}

describe("watch, where a stranger fills the log", () => {
  let game: Game;
  let cli: CommandLine;
  const watching: Following[] = [];

  before(async () => {
    const chain = localnet();
    game = await Game.start({ chain, currency: "sol", rules: RULES, seats: [], pool: 1_000n });
    await chain.fund(game.creator.publicKey, 1_000_000_000n);
    cli = await CommandLine.open();
  });

  after(async () => {
    for (const one of watching) one.stop();
    await cli.close();
  });

  /** A gift to the pool, behind so many instructions of the token program that log much and do nothing. */
  async function gift(amount: bigint, fillers: number): Promise<TransactionOutcome> {
    const { client, task, creator, bank } = game;
    const funded = await client
      .fundTask({ task, funder: creator.publicKey, amount })
      .preInstructions(wrapSol(creator.publicKey, amount))
      .transaction();
    const source = tokenAccountOf(task.mint, creator.publicKey);
    const filled = new Transaction().add(
      ...Array.from({ length: fillers }, () => createSyncNativeInstruction(source)),
      ...funded.instructions,
    );
    return localnet().send(filled, [bank, creator]);
  }

  async function watch(...flags: readonly string[]): Promise<Following> {
    const { address } = game.task;
    const words = ["watch", address.toBase58(), ...flags];
    const one = new Following(cli.start(words, await cli.person("nobody")));
    watching.push(one);
    return one;
  }

  it("tells what the accounts say, and goes on", async () => {
    const past = await gift(1n, 45);
    expect(past.logs).to.include("Log truncated");
    expect(game.client.events(past)).to.deep.equal({ events: [], complete: false });
    const scripts = await watch("--past", "1", "--json");
    const told = (): Told[] => scripts.lines.map((line) => JSON.parse(line) as Told);
    const people = await watch();
    await scripts.until(() => scripts.lines.length > 0);
    await people.until(() => people.words.includes("Ctrl-C ends it"));

    const plain = await gift(2n, 0);
    await scripts.until(() => scripts.lines.length === 2);
    const full = await gift(3n, 45);
    await scripts.until(() => scripts.lines.length === 3);
    await people.until(() => people.lines.length === 3);
    const more = await gift(4n, 0);
    await scripts.until(() => scripts.lines.length === 4);
    await people.until(() => people.lines.length === 4);

    const address = game.task.address.toBase58();
    const why = ({ signature }: TransactionOutcome): string =>
      `The log of transaction ${signature} is not complete.`;
    expect(told().map(({ event, amount, signature }) => [event, amount, signature])).to.deep.equal([
      ["healed", undefined, past.signature],
      ["taskFunded", "2", plain.signature],
      ["healed", undefined, full.signature],
      ["taskFunded", "4", more.signature],
    ]);
    const [before, , healed] = told();
    expect([before?.why, before?.differences]).to.deep.equal([why(past), []]);
    expect([healed?.why, healed?.differences]).to.deep.equal([
      why(full),
      [{ of: "task", address, field: "pool", events: "1003", chain: "1006" }],
    ]);
    const short = (key: string): string => `${key.slice(0, 8)}…`;
    const creator = short(game.creator.publicKey.toBase58());
    expect(people.lines.map((line) => line.replace(/^\d+ +/, ""))).to.deep.equal([
      `${creator} gives 0.000000002 SOL; the pool has 0.000001003 SOL`,
      `${why(full)} What it did is read from the accounts:`,
      `pool of task ${short(address)} is 1006, and was 1003`,
      `${creator} gives 0.000000004 SOL; the pool has 0.00000101 SOL`,
    ]);
  });
});
