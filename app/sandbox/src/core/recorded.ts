import type { AuditFacts, Evidence, Verdict } from "./api";
import type { LoadedFunction } from "./loaded";
import { sha256Hex } from "./primitives";
import { Recording, replayDoors } from "./recording";
import type { RecordedCall } from "./recording";
import { runAudit } from "./run";
import type { Limits, Ran, Threads } from "./run";

/**
 * A run of an audit function, with all that it was given and told: whoever has it plays it again without a network. It says why somebody was
 * accused. It proves no more than what the accused signed in it: its maker could have made up the rest.
 */
export interface RecordedRun {
  readonly version: 1;
  /** SHA-256 of the function's file, as 64 hex digits. */
  readonly function: string;
  /** The file. */
  readonly code: string;
  readonly facts: AuditFacts;
  /** What was known before. */
  readonly evidence: readonly Evidence[];
  /** What was asked and answered. Of failures the reasons alone: words about them may tell of the node that ran it. */
  readonly calls: readonly RecordedCall[];
  readonly verdict: Verdict;
}

/** Most bytes of a recorded run in JSON. */
export const MOST_RECORDED_BYTES = 4 * 1024 * 1024;

/** What a run is recorded in. */
export function runRecording(): Recording {
  return new Recording(MOST_RECORDED_BYTES);
}

/**
 * A run as it is kept and hashed: JSON without a space, its fields in one order. Null where it could not be played again: something of it is
 * not in the recording, or the node that ran it was in trouble.
 */
export async function recordedText(
  fn: LoadedFunction,
  facts: AuditFacts,
  evidence: readonly Evidence[],
  recording: Recording,
  verdict: Verdict,
): Promise<string | null> {
  // A function may end without waiting for all its calls.
  await recording.settled();
  if (!recording.isWhole || recording.calls.some(({ failure }) => failure?.ours)) return null;
  const calls = recording.calls.map((call): RecordedCall =>
    call.failure
      ? { ...call, failure: { reason: call.failure.reason, message: call.failure.reason } }
      : call,
  );
  const hash = Buffer.from(fn.hash).toString("hex");
  const text = canonicalRun({
    version: 1,
    function: hash,
    code: fn.code,
    facts,
    evidence,
    calls,
    verdict,
  });
  return Buffer.byteLength(text) > MOST_RECORDED_BYTES ? null : text;
}

/** The one way to write a run down. What functions are given keeps its order: they may look at it. */
export function canonicalRun(run: RecordedRun): string {
  const { version, function: hash, code, facts, evidence, calls, verdict } = run;
  return JSON.stringify({ version, function: hash, code, facts, evidence, calls, verdict });
}

/** SHA-256 of a text in UTF-8, as 64 hex digits. */
export function recordedHash(text: string): string {
  return sha256Hex(text);
}

/** Plays a run again, with the answers that are recorded and no others. It fails where the function asks for what is not there. */
export function replayRun(
  threads: Threads,
  run: RecordedRun,
  limits: Limits = {},
): Promise<Ran<Verdict>> {
  const fn = { hash: Buffer.from(run.function, "hex"), code: run.code };
  return runAudit(threads, fn, run.facts, replayDoors(Recording.from(run)), limits, run.evidence);
}
