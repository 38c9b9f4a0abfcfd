import "@securing-tasks/node/memory";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { globalOptions } from "./command";
import { registerAudit } from "./commands/audit";
import { registerKey } from "./commands/key";
import { registerNode } from "./commands/node";
import { registerSimulate } from "./commands/simulate";
import { registerTask } from "./commands/task";
import { registerTaskCreate } from "./commands/task-create";
import { registerWatch } from "./commands/watch";
import { EXIT, failureOf } from "./failures";
import { toJson } from "./output";

/** All commands. Throws a `CommanderError` for what it can't parse, and for help and version once they are printed. */
function program(): Command {
  const { version } = JSON.parse(readFileSync(join(__dirname, "../package.json"), "utf8")) as {
    readonly version: string;
  };
  const root = new Command("securing-tasks")
    .description("Audited, staked work on Solana: for creators of tasks, and for their nodes")
    .version(version, "-V, --version", "print the version")
    .enablePositionalOptions()
    .exitOverride()
    // Shown once, with all other failures.
    .configureOutput({ outputError: () => undefined });
  for (const option of globalOptions()) root.addOption(option);
  const task = root.command("task").description("make tasks, look at them, run and end them");
  registerTaskCreate(task);
  registerTask(task);
  registerNode(root);
  registerAudit(root);
  registerWatch(root);
  registerSimulate(root);
  registerKey(root);
  return root;
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync([...argv]);
    return EXIT.ok;
  } catch (error) {
    // Help and version, which were asked for.
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    // A group without a command: its help was printed.
    if (error instanceof CommanderError && error.code === "commander.help") return EXIT.usage;
    const failure = failureOf(error);
    const { exitCode, ...shown } = failure;
    const words = argv.includes("--json") ? toJson({ error: shown }) : `Error: ${shown.message}`;
    process.stderr.write(`${words}\n`);
    if (process.env["DEBUG"] === "securing-tasks" && error instanceof Error) {
      process.stderr.write(`${error.stack ?? ""}\n`);
    }
    return exitCode;
  }
}

// Who reads only the first lines, as `head` does, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});

// Sockets that are still open must not hold the process, and what a pipe has not taken yet must not be lost.
void main(process.argv).then((code) => {
  process.exitCode = code;
  process.stdout.write("", () => {
    process.stderr.write("", () => process.exit(code));
  });
});
