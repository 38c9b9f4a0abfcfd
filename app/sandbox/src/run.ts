import type {
  AuditFacts,
  Doors,
  RespondFacts,
  ServiceRequest,
  ServiceResponse,
  Verdict,
  WorkFacts,
} from "./api";
import type { LoadedFunction } from "./load";

export interface Limits {
  /** Most memory of the sandbox, in bytes. Default: 64 MiB. */
  readonly memoryBytes?: number;
  /** Most time that the function may compute, waiting for doors not counted, in milliseconds. Default: 10,000. */
  readonly computeMs?: number;
  /** Most time in all, in milliseconds. Default: 60,000. */
  readonly totalMs?: number;
  /** Most calls through doors. Default: 256. */
  readonly doorCalls?: number;
}

/** Why a run gave nothing to go by. */
export interface SandboxFailure {
  readonly kind: "error" | "memory" | "time" | "doorCalls" | "badAnswer";
  readonly message: string;
}

/** Outcome of a run. Nothing that a function does makes these promises reject. */
export type Ran<T> = (
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: SandboxFailure }
) & {
  /** What the function logged, at most 100 lines of 1,000 characters. */
  readonly log: readonly string[];
  readonly computeMs: number;
};

/** Runs `audit(context)`. A failure is no verdict: a node that gets one does not vote. */
export function runAudit(
  fn: LoadedFunction,
  facts: AuditFacts,
  doors: Doors,
  limits: Limits = {},
): Promise<Ran<Verdict>> {
  return Promise.reject(
    new Error(
      `not built yet ${fn.code} ${facts.seed} ${String(doors)} ${String(limits.computeMs)}`,
    ),
  );
}

/** Runs `work(context)`. */
export function runWork(
  fn: LoadedFunction,
  facts: WorkFacts,
  doors: Doors,
  limits: Limits = {},
): Promise<Ran<Uint8Array>> {
  return Promise.reject(
    new Error(
      `not built yet ${fn.code} ${facts.seed} ${String(doors)} ${String(limits.computeMs)}`,
    ),
  );
}

/** Runs `respond(request, context)`; a file without `respond` answers 404. */
export function runRespond(
  fn: LoadedFunction,
  request: ServiceRequest,
  facts: RespondFacts,
  doors: Doors,
  limits: Limits = {},
): Promise<Ran<ServiceResponse>> {
  return Promise.reject(
    new Error(
      `not built yet ${fn.code} ${request.path} ${facts.seed} ${String(doors)} ${String(limits.computeMs)}`,
    ),
  );
}
