import type { Command } from "commander";

export function registerTaskCreate(task: Command): Command {
  return task;
}
