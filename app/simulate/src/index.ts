export { Encoder } from "./encoder";
export { Random } from "./random";
export { STRATEGIES, STRATEGY_NAMES } from "./strategies";
export type { StrategyName } from "./strategies";
export type { Charge, Effort, Parameters, Strategy, StrategyModule, View } from "./strategy";
export { play } from "./world";
export type { Group, GroupResult, RunResult, TaskResult, WorldOptions } from "./world";
