import type { AuditFacts, Doors, Verdict } from "./api";
import type { LoadedFunction } from "./load";
import type { Limits, SandboxFailure } from "./run";

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

/** Runs an audit function over the recorded inputs twice and on two seeds: the verdict must not move. */
export function checkAudit(
  fn: LoadedFunction,
  facts: AuditFacts,
  doors: Doors,
  limits: Limits = {},
): Promise<CheckReport> {
  return Promise.reject(
    new Error(
      `not built yet ${fn.code} ${facts.seed} ${String(doors)} ${String(limits.computeMs)}`,
    ),
  );
}
