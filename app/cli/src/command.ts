import type { Command, OptionValues } from "commander";
import { Option } from "commander";
import { afterOthers } from "./failures";
import type { Globals, Session } from "./session";
import { openSession } from "./session";
import { COMMITMENTS } from "./solana-config";

/** The options that every command takes, before and behind its name. */
export function globalOptions(): Option[] {
  return [
    new Option(
      "-u, --url <url>",
      "RPC URL, or localhost, devnet, testnet, mainnet-beta (default: the Solana CLI's)",
    ),
    new Option("-k, --keypair <file>", "key that signs and pays (default: the Solana CLI's)"),
    new Option("-C, --config <file>", "the Solana CLI's configuration"),
    new Option("--commitment <level>", "what counts as done").choices(COMMITMENTS),
    new Option("--priority-fee <n>", "micro-lamports for each compute unit"),
    new Option("--json", "one JSON document on standard output, and no questions"),
    new Option("-y, --yes", "no questions"),
    new Option("--no-color", "no colours"),
  ];
}

/** The flag of commands that make an account for somebody. */
export const PAYER = [
  "--payer <file>",
  "key that pays rent and fees, and gets the rent back (default: the one that signs)",
] as const;

/** A command that does something: `usage` is its name and arguments, `examples` its arguments only. */
export function leaf(
  parent: Command,
  usage: string,
  description: string,
  examples: readonly string[] = [],
): Command {
  const command = parent.command(usage).description(description);
  const path = `${parent.parent ? `${parent.name()} ` : ""}${command.name()}`;
  const lines = examples.map((example) => `  securing-tasks ${path} ${example}`.trimEnd());
  if (lines.length > 0) command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
  return command;
}

/** What a leaf does. Call it last: the global options come behind its own. */
// The caller knows its own options' names, and commander gives what belongs to them.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function act<O extends OptionValues>(
  command: Command,
  body: (session: Session, options: O, ...args: (string | undefined)[]) => Promise<void>,
): Command {
  const own = new Set(command.options.map(({ long }) => long));
  command.optionsGroup("Global options:");
  for (const option of globalOptions()) {
    if (!own.has(option.long)) command.addOption(option);
  }
  return command.action(async (...all: unknown[]) => {
    const args = all.slice(0, command.registeredArguments.length) as (string | undefined)[];
    const session = await openSession(globalsOf(command));
    try {
      await body(session, command.opts<O>(), ...args);
    } catch (error) {
      throw afterOthers(error, session.executed);
    }
  });
}

/** Global flags, whether they stand before or behind the command's name. */
export function globalsOf(command: Command): Globals {
  const known = new Set(globalOptions().map((option) => option.attributeName()));
  let found: OptionValues = {};
  for (let one: Command | null = command; one; one = one.parent) {
    const { options } = one;
    const given = Object.entries(one.opts()).filter(
      ([name]) =>
        known.has(name) &&
        options.some(
          (option) =>
            option.attributeName() === name &&
            globalOptions().some(({ flags }) => flags === option.flags),
        ),
    );
    // What stands nearer to the command's name wins.
    found = { ...Object.fromEntries(given), ...found };
  }
  return found;
}
