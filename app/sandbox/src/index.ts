export * from "./api";
export { loadFunction } from "./load";
export type { LoadOptions, LoadedFunction } from "./load";
export { auditFacts, taskFacts, workFacts } from "./facts";
export { liveDoors } from "./doors";
export type { DoorOptions } from "./doors";
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
export type { Limits, Ran, SandboxFailure } from "./run";
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
export { download } from "./download";
export type { Download, Downloaded } from "./download";
export { isPublic } from "./download";
