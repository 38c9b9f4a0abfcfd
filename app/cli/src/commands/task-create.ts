import { TEMPLATES, templateInfo } from "@securing-tasks/templates";
import type { Command } from "commander";
import { Option } from "commander";
import { PAYER, act, leaf } from "../command";
import type { CreateOptions } from "../create/create";
import { PRESETS, PRESET_TABLE } from "../create/presets";
import { FORMS, RULE_NAMES, RULE_TABLE, flagOf } from "../create/rules";

const list = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** `task create`. */
export function registerTaskCreate(task: Command): void {
  const create = leaf(
    task,
    "create",
    "make a task: see what its rules mean and cost, then send it",
    [
      "",
      "--file task.yaml",
      "--preset seed --mint SOL --bounty 0.1 --template rest --fund 1",
      "--preset strict --mint MINT --bounty 12.5 --audit-function audit.js --dry-run",
    ],
  )
    .option("-f, --file <file>", "YAML file with all that follows; flags win over it")
    .option("--preset <name>", `rules to start from: ${PRESETS.join(" or ")}`)
    .option("--mint <mint>", "what the task pays in: SOL, or a mint's address")
    .option("--fund <amount>", "put this into the pool at once")
    .option("--id <number>", "tells your tasks apart; a new one if left out")
    .option("--allow-large-stake", "let workers stake over 100 rounds' bounties")
    .option(...PAYER)
    .option("--dry-run", "show everything and send nothing")
    .optionsGroup("Functions:")
    .option("--template <name>", `ready-made functions: ${TEMPLATES.join(", ")}`)
    .option("--param <name=value>", "a template's parameter; may be given often", list)
    .option("--out <folder>", "where a template's files are written (default: ./NAME-task)")
    .option("--audit-function <file>", "audit function: one bundled JavaScript file")
    .option("--audit-uri <uri>", "where nodes get it (default: the file, on this machine alone)")
    .option("--audit-hash <sha256>", "its SHA-256, to be checked")
    .option("--task-function <file>", "task function, the same way")
    .option("--task-uri <uri>", "where workers get it")
    .option("--task-hash <sha256>", "its SHA-256, to be checked")
    .option("--sample <file>", "JSON with a submission's facts to try the audit function with")
    .option("--secret <name=value>", "for trying the task function alone; kept nowhere", list)
    .option("--skip-check", "do not try the audit function")
    .optionsGroup("Rules:");
  for (const name of RULE_NAMES) {
    const { about, kind } = RULE_TABLE[name];
    create.addOption(
      new Option(`${flagOf(name)} <${FORMS[kind].placeholder.toLowerCase()}>`, about),
    );
  }
  create.addHelpText(
    "after",
    [
      "",
      "Presets:",
      ...PRESETS.map((name) => `  ${name.padEnd(13)} ${PRESET_TABLE[name].about}`),
      "Templates:",
      ...TEMPLATES.map((name) => `  ${name.padEnd(13)} ${templateInfo(name).description}`),
      "How rules are written:",
      ...[FORMS.slots, FORMS.amount, FORMS.share, FORMS.gate].map(
        ({ placeholder, example }) => `  ${placeholder.toLowerCase().padEnd(13)} ${example}`,
      ),
    ].join("\n"),
  );
  act<CreateOptions & Record<string, unknown>>(create, async (session, options) => {
    // The sandbox and all that belongs to it are loaded for this command alone.
    const { createTask } = await import("../create/create.js");
    await createTask(session, options);
  });
}
