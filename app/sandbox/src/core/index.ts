export * from "./api";
export { loaded } from "./loaded";
export type { LoadedFunction } from "./loaded";
export { auditFacts, taskFacts, workFacts } from "./facts";
export { MOST_RPC_BYTES, TooLong, boundedConnection, readBounded } from "./rpc";
export { Recording, recordDoors, replayDoors } from "./recording";
export type { RecordedCall, ReplayOptions } from "./recording";
export {
  MOST_RECORDED_BYTES,
  canonicalRun,
  recordedHash,
  recordedText,
  replayRun,
  runRecording,
} from "./recorded";
export type { RecordedRun } from "./recorded";
export { runAudit, runRespond, runWork } from "./run";
export type { Limits, Listener, Ran, SandboxFailure, Thread, Threads } from "./run";
export type { Patience } from "./patience";
export { serveRuns } from "./thread";
export type { ThreadHost } from "./thread";
export type { CompiledQuickJs } from "./engine";
export type { FromWorker, ToWorker } from "./wire";
export { PORTABLE, sha256Hex, usePrimitives } from "./primitives";
export type { Hashing, Primitives } from "./primitives";
export { checkAudit } from "./check";
export type { CheckReport } from "./check";
export {
  MOST_EVIDENCE_BYTES,
  SIGNATURE_HEADER,
  SLOT_HEADER,
  SUBMISSION_HEADER,
  evidenceHash,
  evidenceText,
  isEvidence,
  isSignature,
  isWellFormed,
  operatorOf,
  readEvidence,
  signAnswer,
  signBytes,
} from "./evidence";
export type { Exchange, SignedFor } from "./evidence";
export { requestOf } from "./request";
export type { Download, Downloaded } from "./web";
