#!/usr/bin/env node
import "./memory";
import { parseArgs } from "node:util";
import { readNodeConfig } from "./config";
import { startNode } from "./node";

/** The daemon by itself, as service managers run it: `--config FILE`. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: "string" } } });
  if (values.config === undefined) {
    throw new Error("Say which configuration to use: --config FILE.");
  }
  const node = await startNode(readNodeConfig(values.config));
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void node.stop());
  }
  await node.done;
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
