import type {
  AuditFacts,
  Limits,
  LoadedFunction,
  Ran,
  RespondFacts,
  ServiceRequest,
  WorkFacts,
} from "@securing-tasks/sandbox";

/** What a sandbox thread needs to know once. */
export interface ThreadData {
  readonly rpcUrl: string;
  readonly rpcTimeoutMs: number;
  readonly gateways: readonly string[];
  readonly allowPrivateNetwork: boolean;
  readonly timeoutMs?: number | undefined;
  readonly maxBytes?: number | undefined;
}

/** One run of a function. */
export type Job = { readonly fn: LoadedFunction; readonly limits: Limits } & (
  | { readonly kind: "audit"; readonly facts: AuditFacts }
  | { readonly kind: "work"; readonly facts: WorkFacts }
  | { readonly kind: "respond"; readonly facts: RespondFacts; readonly request: ServiceRequest }
);

export interface Numbered {
  readonly id: number;
  readonly job: Job;
}

export interface Answered {
  readonly id: number;
  readonly ran: Ran<unknown>;
}
