import { AsyncLocalStorage } from "node:async_hooks";
import type { Urgency } from "../core/host";
import { UNHURRIED_MS } from "../core/host";

const dueTimes = new AsyncLocalStorage<number>();

/** Has all calls that `act` makes go before those that have longer than so many milliseconds. */
export function within<T>(ms: number, act: () => T): T {
  return dueTimes.run(performance.now() + ms, act);
}

/** By when what is being done must be done, by {@link performance}'s clock. */
export function dueTime(): number {
  return dueTimes.getStore() ?? performance.now() + UNHURRIED_MS;
}

/** Known by the asynchronous context, so that no call has to be told for what it is made. */
export const urgency: Urgency = { within, dueTime };
