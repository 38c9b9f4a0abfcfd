import type { Opinion } from "@securing-tasks/client";
import type { Download as DownloadRequest, Downloaded } from "@securing-tasks/sandbox/core";
import type { Connection } from "@solana/web3.js";

/*
 * What the core is given by what it runs on. The core itself knows no files, threads, sockets and databases, so that it runs in Node.js and
 * in a browser alike.
 */

/** How urgent the calls are that something makes: the host has those go first that have least time. */
export interface Urgency {
  /** Has all calls that `act` makes go before those that have longer than so many milliseconds. */
  within<T>(ms: number, act: () => T): T;
  /** By when what is being done must be done, by {@link performance}'s clock. */
  dueTime(): number;
}

/** What nobody gave a time for is as urgent as what must be done within this. */
export const UNHURRIED_MS = 30_000;

/** Of a host that does not know what a call is made for: all are as urgent. */
export const UNHURRIED: Urgency = {
  within: (_ms, act) => act(),
  dueTime: () => performance.now() + UNHURRIED_MS,
};

/** What a server tells of one subscription, until the signal ends it or the server does. Rejects with what is wrong with it. */
export type Subscribe = (
  wsUrl: string,
  /** Of JSON-RPC, such as `slotSubscribe`. */
  method: string,
  params: readonly unknown[],
  signal: AbortSignal,
  /** Called when the server has taken the subscription: all that happens from now on is told. */
  onBegin: () => void,
) => AsyncIterable<unknown>;

/** Has another server asked from now on, where the host knows several: this one's answers are no use. */
export function askAnother(connection: Connection): void {
  if ("askAnother" in connection) (connection as Connection & { askAnother(): void }).askAnother();
}

/** Asks a server once, follows no redirects, and stops reading past the limit. Rejects where there is no answer. */
export type Download = (url: URL, request: DownloadRequest) => Promise<Downloaded>;

/** A log line: what it is about, and words. */
type Line = (about: object, message: string) => void;

export interface Log {
  readonly debug: Line;
  readonly info: Line;
  readonly warn: Line;
  readonly error: Line;
}

interface Counted<Labels extends readonly unknown[] = readonly []> {
  inc(...labels: Labels): void;
}

/** What is counted of duties. */
export interface Metrics {
  readonly submissions: Counted;
  readonly accusations: Counted;
  readonly reveals: Counted;
  readonly keptReveals: Counted;
  readonly lostReveals: Counted;
  readonly draws: Counted;
  readonly missedDraws: Counted;
  readonly appeals: Counted;
  readonly evidence: Counted;
  readonly rpcErrors: Counted;
  readonly chores: Counted<[{ readonly chore: string }]>;
  readonly checks: Counted<[{ readonly result: string }]>;
  readonly sandboxFailures: Counted<[{ readonly function: string; readonly kind: string }]>;
  vote(opinion: Opinion): void;
}
