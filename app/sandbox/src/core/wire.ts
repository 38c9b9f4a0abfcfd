import type { DoorReason, Doors, Evidence } from "./api";
import type { SandboxFailure } from "./run";

/** Which function of a file runs. */
export type Entry = "audit" | "work" | "respond";

/** One run. All values cross as JSON texts: QuickJS cuts plain texts at their first zero. */
export interface RunOrder {
  readonly type: "run";
  readonly entry: Entry;
  readonly code: string;
  readonly facts: string;
  /** Of `respond`. */
  readonly request: string | null;
  /** Of `audit`. */
  readonly evidence: string;
  readonly seed: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly memoryBytes: number;
  readonly computeMs: number;
  readonly doorCalls: number;
  readonly answerBytes: number;
}

/** What came of a call through a door. */
export interface DoorReply {
  readonly type: "reply";
  readonly call: number;
  readonly answer:
    | { readonly json: string }
    | { readonly bytes: Uint8Array }
    | { readonly reason: DoorReason; readonly message: string };
}

export type ToWorker = RunOrder | DoorReply;

/** What a function answered, checked for shape and size alone. */
export type Answer =
  | { readonly kind: "json"; readonly json: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** The file has no such function. */
  | { readonly kind: "missing" };

/** Why a function came to nothing, as its thread sees it: from there it is never the node's own trouble. */
export type Failure = Pick<SandboxFailure, "kind" | "message">;

export type FromWorker =
  /** The engine stands; from here on the function computes. */
  | {
      readonly type: "begun";
      /** Where the thread's time is found, and how much of it was there when the function had used nothing. */
      readonly thread: string | null;
      readonly threadMs: number;
    }
  | {
      readonly type: "call";
      readonly call: number;
      readonly door: keyof Doors;
      readonly args: string;
    }
  | { readonly type: "log"; readonly line: string }
  /** Nothing to do until a door answers. */
  | { readonly type: "waiting"; readonly computeMs: number }
  | {
      readonly type: "done";
      readonly outcome: Answer | Failure;
      /** Evidence that the function kept. */
      readonly kept: readonly Evidence[];
      readonly computeMs: number;
      /** Whether the thread can have another run. */
      readonly sound: boolean;
    };

export const LOG_LINES = 100;
export const LOG_CHARACTERS = 1_000;
