import type { Explanation, Reason, RefusalName } from "@securing-tasks/client";

/**
 * What a refusal means for whoever wanted something done: `done` somebody did it, `late` it can't be done any more, `never` not by
 * this node, `early` in a moment, `retry` when something else has changed.
 */
export type RefusalKind = "done" | "late" | "never" | "early" | "retry";

const KINDS: Partial<Record<RefusalName, RefusalKind>> = {
  alreadyDecided: "done",
  alreadyResolved: "done",
  alreadyClaimed: "done",
  alreadyPaid: "done",
  alreadyRevealed: "done",
  initiatorAlreadyVoted: "done",
  alreadyDrawn: "done",
  alreadyAppealed: "done",

  auditWindowClosed: "late",
  submissionWindowClosed: "late",
  revealWindowMissed: "late",
  taskRetired: "late",
  drawTooLate: "late",

  joinedAfterSubmission: "never",
  stakeTooRecent: "never",
  accusedCannotVote: "never",
  witnessCannotSubmit: "never",
  convictedEarnsNothing: "never",
  commitmentMismatch: "never",
  votesAreCommitted: "never",
  votesAreOpen: "never",
  payloadMissing: "never",
  uriTooLong: "never",
  taskReplaced: "never",
  noPanel: "never",
  secretMismatch: "never",
  notSeated: "never",

  // The server may be some slots behind the ones this node has heard of, or ahead of them.
  roundNotCurrent: "early",
  votingClosed: "early",
  votingOpen: "early",
  roundUndecided: "early",
  earlierAuditOpen: "early",
  notResolved: "early",
  notEmpty: "early",
  drawTooEarly: "early",
  panelNotDrawn: "early",
  appealClosed: "early",
  appealOpen: "early",
};

/**
 * The account to be made is there, or the one to be closed is gone. Or another accusation of this node came first, and took the address.
 */
const DONE: ReadonlySet<Reason | null> = new Set<Reason>([
  "alreadyThere",
  "missingAccount",
  "wrongProgram",
  "wrongSeeds",
]);

/** Sorts a refusal. `early` for windows too: whoever waits knows when they end. */
export function refusalKind({ name, reason }: Explanation): RefusalKind {
  if (name !== null) return KINDS[name] ?? "retry";
  if (reason === "argument") return "never";
  return DONE.has(reason) ? "done" : "retry";
}
