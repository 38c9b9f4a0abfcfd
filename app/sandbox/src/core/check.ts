import type { AuditFacts, Doors, Verdict } from "./api";
import type { LoadedFunction } from "./loaded";
import { sha256Hex } from "./primitives";
import { Recording, callKey, recordDoors, replayDoors } from "./recording";
import { runAudit } from "./run";
import type { Limits, Ran, SandboxFailure, Threads } from "./run";

/** What `audit check` found. */
export interface CheckReport {
  readonly deterministic: boolean;
  /** The verdict of each run: twice over the recorded inputs with the facts' seed, twice with another. */
  readonly runs: readonly {
    readonly seed: string;
    readonly verdict: Verdict | null;
    readonly failure: SandboxFailure | null;
  }[];
  /** Why it is refused, in words for the function's author; empty where it is not. */
  readonly problems: readonly string[];
}

/**
 * Runs an audit function over the recorded inputs twice and on two seeds: the verdict must not move. Each second run gets answers that it
 * waits for at the same time the other way round. With the other seed it may ask the world more; no other run but the first may.
 */
export async function checkAudit(
  threads: Threads,
  fn: LoadedFunction,
  facts: AuditFacts,
  doors: Doors,
  limits: Limits = {},
): Promise<CheckReport> {
  const runs: CheckReport["runs"][number][] = [];
  const problems: string[] = [];
  /** Runs once and writes down what was asked. */
  const run = async (seed: string, through: Doors, name: string) => {
    const recording = new Recording();
    const recorded = recordDoors(through, recording);
    const ran = await runAudit(threads, fn, { ...facts, seed }, recorded, limits);
    await recording.settled();
    if (!ran.ok) problems.push(`${name} failed (${ran.failure.kind}): ${ran.failure.message}`);
    return { ran, recording };
  };
  const note = (seed: string, ran: Ran<Verdict>): void => {
    runs.push({
      seed,
      verdict: ran.ok ? ran.value : null,
      failure: ran.ok ? null : ran.failure,
    });
  };
  const repeat = async (seed: string, recorded: Recording, name: string): Promise<void> => {
    for (const lastFirst of [false, true]) {
      const which = `${name}, ${lastFirst ? "answers in the opposite order" : "answers at once"}`;
      const { ran, recording } = await run(seed, replayDoors(recorded, { lastFirst }), which);
      note(seed, ran);
      if (ran.ok && asked(recording) !== asked(recorded)) {
        problems.push(
          `${which}: it asked other questions than the run that was recorded. What it asks must follow from facts, seed and answers alone.`,
        );
      }
    }
  };

  const first = await run(facts.seed, doors, "the run that is recorded");
  if (!first.ran.ok) {
    note(facts.seed, first.ran);
    return { deterministic: false, runs, problems };
  }
  await repeat(facts.seed, first.recording, "with the task's seed");

  const other = sha256Hex(`another seed than ${facts.seed}`);
  const known = replayDoors(first.recording, { otherwise: doors });
  const second = await run(other, known, "the run with another seed that is recorded");
  if (second.ran.ok) await repeat(other, second.recording, "with another seed");
  else note(other, second.ran);

  const verdicts = [first.ran, second.ran]
    .flatMap((ran) => (ran.ok ? [ran.value] : []))
    .concat(runs.flatMap(({ verdict }) => verdict ?? []));
  if (new Set(verdicts).size > 1) {
    problems.push(
      `the verdict moves: ${[...new Set(verdicts)].join(", ")}. It must not hang on the seed, on the order of answers or on anything else that differs between nodes.`,
    );
  }
  return { deterministic: problems.length === 0, runs, problems };
}

/** All questions of a run; their order may follow from the order of the answers. */
function asked(recording: Recording): string {
  return recording.calls.map(callKey).sort().join("\n");
}
