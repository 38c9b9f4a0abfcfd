import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StrategyName, Group, Parameters } from "@securing-tasks/simulate";
import { STRATEGIES } from "@securing-tasks/simulate";

export const BYTECODE = readFileSync(join(__dirname, "../../../target/deploy/securing_tasks.so"));

/** A group with prices of a hundredth and a thousandth of its stake. */
export function group(
  strategy: StrategyName,
  count: number,
  given: Partial<Group> & Pick<Group, "role" | "stake">,
  parameters: Parameters = {},
): Group {
  const module = STRATEGIES[strategy];
  const usual: Parameters = "parameters" in module ? module.parameters : {};
  return {
    name: strategy,
    strategy,
    make: () => module.make({ ...usual, ...parameters }),
    count,
    workPrice: given.stake / 100n,
    checkPrice: given.stake / 1_000n,
    faulty: 0,
    checkError: 0,
    ...given,
  };
}
