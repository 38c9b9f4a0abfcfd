import type { FunctionRef } from "@securing-tasks/client";
import { shown } from "./web";

/** A function whose bytes have the hash that the task is bound to. */
export interface LoadedFunction {
  /** SHA-256 of the file. */
  readonly hash: Uint8Array;
  readonly code: string;
}

/** A file that was fetched and has the right hash. Throws where it is no text. */
export function loaded(ref: FunctionRef, bytes: Uint8Array): LoadedFunction {
  try {
    return { hash: ref.hash, code: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (cause) {
    throw new Error(`The function ${shown(ref.uri)} is no UTF-8 text: the task can't be run.`, {
      cause,
    });
  }
}
