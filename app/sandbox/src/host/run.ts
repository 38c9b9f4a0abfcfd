import type {
  AuditFacts,
  Doors,
  Evidence,
  RespondFacts,
  ServiceRequest,
  ServiceResponse,
  Verdict,
  WorkFacts,
} from "../core/api";
import * as check from "../core/check";
import type { LoadedFunction } from "../core/loaded";
import * as recorded from "../core/recorded";
import * as core from "../core/run";
import type { Limits, Ran } from "../core/run";
import { THREADS } from "./pool";

/**
 * Runs `audit(context)`. A failure is no verdict: a node that gets one does not vote.
 *
 * @param evidence What this node or others kept about the submission. What is none is left out, and what is over 80 pieces.
 */
export function runAudit(
  fn: LoadedFunction,
  facts: AuditFacts,
  doors: Doors,
  limits?: Limits,
  evidence?: readonly Evidence[],
): Promise<Ran<Verdict>> {
  return core.runAudit(THREADS, fn, facts, doors, limits, evidence);
}

/** Runs `work(context)`. */
export function runWork(
  fn: LoadedFunction,
  facts: WorkFacts,
  doors: Doors,
  limits?: Limits,
): Promise<Ran<Uint8Array>> {
  return core.runWork(THREADS, fn, facts, doors, limits);
}

/** Runs `respond(request, context)`; a file without `respond` answers 404. */
export function runRespond(
  fn: LoadedFunction,
  request: ServiceRequest,
  facts: RespondFacts,
  doors: Doors,
  limits?: Limits,
): Promise<Ran<ServiceResponse>> {
  return core.runRespond(THREADS, fn, request, facts, doors, limits);
}

/**
 * Runs an audit function over the recorded inputs twice and on two seeds: the verdict must not move. Each second run gets answers that it
 * waits for at the same time the other way round. With the other seed it may ask the world more; no other run but the first may.
 */
export function checkAudit(
  fn: LoadedFunction,
  facts: AuditFacts,
  doors: Doors,
  limits?: Limits,
): Promise<check.CheckReport> {
  return check.checkAudit(THREADS, fn, facts, doors, limits);
}

/** Plays a run again, with the answers that are recorded and no others. It fails where the function asks for what is not there. */
export function replayRun(run: recorded.RecordedRun, limits?: Limits): Promise<Ran<Verdict>> {
  return recorded.replayRun(THREADS, run, limits);
}
