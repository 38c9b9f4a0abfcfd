import type { Doors, TaskFacts } from "@securing-tasks/sandbox";

/** Signatures that a door gives at most. */
export const PAGE = 1_000;
/** Thousands of transactions of a task that are listed; each costs two door calls. */
const MOST_PAGES = 5;
export const REACH_CALLS = 2 * MOST_PAGES;

/**
 * Whether the RPC server keeps transactions from before this slot, or at least all since the task was made. One that has cleaned up lists
 * nothing of those rounds, and says nothing of it: what it doesn't list is no proof that it never was.
 */
export async function reachesBack(doors: Doors, task: TaskFacts, slot: number): Promise<boolean> {
  let before: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const got = await doors.signatures(task.address, { limit: PAGE, ...(before && { before }) });
    before = got.at(-1);
    const oldest = before === undefined ? null : await doors.transaction(before);
    if (!oldest) return false;
    // The task's account has money from the transaction on that made it, so one that finds none is no later than that.
    const held = oldest.lamportsBefore[oldest.accounts.indexOf(task.address)];
    if (oldest.slot < slot || held === "0") return true;
    if (got.length < PAGE) return false;
  }
  return false;
}
