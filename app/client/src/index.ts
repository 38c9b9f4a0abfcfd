export { decodeAccount } from "./accounts";
export type { AccountName, Accounts } from "./accounts";
export { allowFromCsv, readAllowlist } from "./allowlist";
export type { AllowOptions, Permission } from "./allowlist";
export { ArgumentError } from "./arguments";
export { Chain, ChainProvider, ConnectionChain } from "./chain";
export type { TransactionOutcome } from "./chain";
export { SecuringTasksClient, auditEnd, roundAt, roundStart, submissionEnd } from "./client";
export type { Ballot, TaskRef } from "./client";
export { REFUSAL_CODES, explain, isServerTrouble } from "./errors";
export type { Explanation, RefusalName } from "./errors";
export { parseEvents } from "./events";
export type { LoggedEvents, TaskEvent, TaskEventNamed } from "./events";
export { Expired, OutcomeUnknown, fateOf, settle } from "./fate";
export type { Asked, Fate, Sent, SettleOptions } from "./fate";
export { TaskFollower } from "./follower";
export type { Followed, Healed } from "./follower";
export { collectionProof } from "./gates";
export type { GateProof } from "./gates";
export type { SecuringTasks } from "./idl/securing_tasks";
export { MissingEvent, TaskIndex } from "./indexer";
export type {
  Difference,
  IndexedAudit,
  IndexedRound,
  IndexedSubmission,
  IndexedTask,
  IndexedVote,
} from "./indexer";
export { assertBalanced, heldBy, ledgerOf, readAccounts, readLedger } from "./ledger";
export type { Ledger, Reading, TaskAccounts } from "./ledger";
export {
  DRAW_WINDOW,
  appealFault,
  eligibleIn,
  isSeated,
  isOfRunningCount,
  isSecret,
  juryOf,
  panelSeed,
  phaseOf,
  resolvableAt,
  seatOf,
  secretHash,
  verdictOf,
  weightIn,
} from "./panels";
export type { AuditPhase, Jury, Seating } from "./panels";
export * from "./pda";
export { ACCOUNT_BYTES, LAMPORTS_PER_SIGNATURE, rentOf } from "./rent";
export type { AccountKind } from "./rent";
export { activeStake, longestCase, minStake, pledged, weightOn } from "./replay";
export type { Reason } from "./runtime";
export {
  DerivedSaltStore,
  MemorySaltStore,
  SALT_TEXT,
  deriveSaltKey,
  drawSecretOf,
  keypairSigner,
  saltOf,
  secretOf,
  voteCommitment,
} from "./salts";
export type { SaltStore, VoteSecret } from "./salts";
export { MOST_SEALED_BYTES, readSealedReveal, sealReveal, sealedSecret } from "./sealed";
export type { SealedReveal } from "./sealed";
export { refused, simulate } from "./simulation";
export type { Simulated } from "./simulation";
export * from "./tokens";
export * from "./types";
