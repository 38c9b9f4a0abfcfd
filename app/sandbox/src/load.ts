import type { FunctionRef } from "@securing-tasks/client";

/** A function whose bytes have the hash that the task is bound to. */
export interface LoadedFunction {
  /** SHA-256 of the file. */
  readonly hash: Uint8Array;
  readonly code: string;
}

export interface LoadOptions {
  /** Bases of content-addressed stores, asked for `BASE/<hash>` when the URI gives nothing. */
  readonly gateways?: readonly string[];
  /** Folder that keeps what was fetched and checked, one file for each hash. */
  readonly cache?: string;
  /** Most bytes of a file. Default: 1 MiB. */
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
}

/** Fetches a function (file:, http:, https: or from a gateway) and refuses it unless its SHA-256 is the task's. */
export function loadFunction(ref: FunctionRef, options: LoadOptions = {}): Promise<LoadedFunction> {
  return Promise.reject(new Error(`not built yet: ${ref.uri} ${String(options.maxBytes)}`));
}
