import { AsyncLocalStorage } from "node:async_hooks";
import type { Patience } from "../core/patience";

/** Doors may be wrapped to be recorded, so the run is known by the asynchronous context. */
const current = new AsyncLocalStorage<Patience>();

/** What strangers' servers take within this call is counted there. */
export function during<T>(patience: Patience, call: () => Promise<T>): Promise<T> {
  return current.run(patience, call);
}

/** Asks a stranger's server, at the cost of the run that this is part of, if it is part of one. */
export function patiently<T>(ask: () => Promise<T>): Promise<T> {
  return current.getStore()?.wait(ask) ?? ask();
}
