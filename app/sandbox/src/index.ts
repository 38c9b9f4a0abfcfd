import { usePrimitives } from "./core/primitives";
import { NATIVE } from "./host/primitives";

usePrimitives(NATIVE);

// What is named below takes the place of the core's, which has its threads given.
export * from "./core";
export { checkAudit, replayRun, runAudit, runRespond, runWork } from "./host/run";
export { loadFunction } from "./host/load";
export type { LoadOptions } from "./host/load";
export { liveDoors } from "./host/doors";
export type { DoorOptions } from "./host/doors";
export { download, isPublic } from "./host/download";
