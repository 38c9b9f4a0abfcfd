import type { TaskRules } from "@securing-tasks/client";
import type { Pace } from "./kept";

/** How much a node reads to know as much as it needs. */
export type Profile = "full" | "light";

export interface Habits {
  readonly pace: Pace;
  /** After so many slots all lists are read again. */
  readonly listSlots: bigint;
  /** Slots between two looks for another instance of this node. */
  readonly watchSlots: bigint;
  /** What was read so many slots ago is good enough to act on. */
  readonly freshSlots: bigint;
  /** Pause between two signs of life over a socket, in milliseconds. */
  readonly pingMs: number;
  /** Longest time between two looks, in slots: with subscriptions, and without. Null: as configured. */
  readonly pollSlots: { readonly told: bigint; readonly untold: bigint } | null;
}

/** Pause between two questions about a transaction on its way, in milliseconds. */
export const STATUS_MS: Readonly<Record<Profile, number>> = { full: 500, light: 2_000 };
/** Slots in which an audit that was seen late is still judged and voted on. */
const VOTE_SLOTS = 75n;
const HOUR_SLOTS = 9_000n;

/**
 * What each profile reads, and how often. Light is for metered lines: it reads what must be known in time, as seldom as the shortest window of
 * the rules allows, and all else rarely. Whatever it acts on it reads first, as full does.
 */
export function habitsOf(
  profile: Profile,
  { commitSlots, revealSlots, appealSlots }: TaskRules,
): Habits {
  // In which votes are taken: an audit must be seen before it is over.
  const votes = commitSlots > 0n ? commitSlots : revealSlots;
  const appeal = most([least([votes, appealSlots > 0n ? appealSlots : votes]) / 4n, 4n]);
  if (profile === "full") {
    return {
      pace: { base: 0n, cold: 75n, chores: 25n, appeal, gone: 300n },
      listSlots: HOUR_SLOTS,
      watchSlots: 150n,
      freshSlots: 16n,
      pingMs: 10_000,
      pollSlots: null,
    };
  }
  const told = most([votes / 2n, votes - most([votes / 4n, VOTE_SLOTS])]);
  const untold = most([votes / 4n, 4n]);
  return {
    pace: { base: HOUR_SLOTS, cold: 4_500n, chores: 1_500n, appeal, gone: 24n * HOUR_SLOTS },
    listSlots: 6n * HOUR_SLOTS,
    watchSlots: HOUR_SLOTS,
    freshSlots: 32n,
    // A socket that nobody answers at is found out before a vote is lost by it.
    pingMs: Math.min(60_000, Number(votes) * 100),
    pollSlots: { told, untold },
  };
}

function least(all: readonly bigint[]): bigint {
  return all.reduce((a, b) => (b < a ? b : a));
}

function most(all: readonly bigint[]): bigint {
  return all.reduce((a, b) => (b > a ? b : a));
}
