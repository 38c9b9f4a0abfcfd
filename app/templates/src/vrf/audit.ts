import type { AuditFacts, Context, Verdict } from "@securing-tasks/sandbox";
import type { VrfParameters } from "../parameters";
import { fetchContent } from "../shared/doors";
import { reachesBack } from "../shared/reach";
import { findSubmission, foundIn, namedTransaction, soughtOf } from "../shared/submissions";
import { readPayload } from "./payload";
import { isKey, message, verify } from "./scheme";

declare const PARAMETERS: VrfParameters;

/** Both searches, of `mostSearched` (110 at most) and of the slot, and what else is asked, stay within 256 door calls. */
const PAGES = 10;
const MOST_IN_SLOT = 40;

const HIDDEN = "the submission's transaction cuts its logs";

export async function audit(context: Context<AuditFacts>): Promise<Verdict> {
  const { program, mostSearched } = PARAMETERS;
  const { owner, round, payloadHash, payloadUri } = context.submission;
  const task = context.task.address;
  const guilty = (why: string): Verdict => {
    context.log(why);
    return "malicious";
  };

  const content = await fetchContent(context, payloadHash, payloadUri);
  if (!content) return "downtime";
  const payload = readPayload(content, { task, owner, round });
  if (!payload) return guilty("the payload is none of this task, owner and round");
  const { draw, before } = payload;
  if (!isKey(payload.key)) return guilty("the key for the next round is none");

  // The submission of the round before named the one key for this round, when nobody knew what it would draw on. Of several keys
  // a worker could use the one whose output it likes.
  const sought = round === 0 ? null : soughtOf(program, context.task, round - 1, owner);
  const search = async () => {
    if (!sought) return null;
    const reach = { pages: PAGES, most: mostSearched, drawn: true };
    const found = await findSubmission(context, program, sought, reach);
    // What is not found may be what this node's server has cleaned up.
    if (!found && !(await reachesBack(context, context.task, sought.first))) {
      throw new Error(`The RPC server does not keep what was submitted in round ${round - 1}.`);
    }
    return found;
  };
  if (!draw || !before) {
    const earlier = await search();
    if (!earlier) return (await isHidden(context)) ? guilty(HIDDEN) : "valid";
    // Only the program can make an account of its own there. One that is closed can still be found by what was logged.
    const proved =
      typeof earlier === "object" ||
      (sought && (await context.account(sought.address))?.owner === program);
    if (proved) return guilty("a key was named for this round, and nothing is drawn");
    // Anybody can see to this: whoever submits for the first time must not be convicted for it.
    throw new Error("Whether a key was named for this round can't be told.");
  }
  // The worker's own word spares a search, which others could make impossible, or the worker itself.
  const hinted = sought && (await namedTransaction(context, before.signature));
  const earlier = sought && hinted ? foundIn(hinted, program, sought.address) : await search();
  if (!earlier) return guilty("no key was named for this round");
  if (typeof earlier === "string") return "downtime";
  const contentBefore = await fetchContent(context, earlier.submitted.payloadHash, before.uri);
  if (!contentBefore) return "downtime";
  const payloadBefore = readPayload(contentBefore, { task, owner, round: round - 1 });
  if (!payloadBefore) return guilty("what should have named the key names none");

  const drawnOn = message(task, round, owner, context.roundSeed);
  if (!verify(draw, drawnOn, payloadBefore.key))
    return guilty("output and proof are not the key's");
  return (await isHidden(context)) ? guilty(HIDDEN) : "valid";
}

/**
 * Whether the audited submission can't be found by its event. Validators cut logs at 10,000 bytes, so a worker that logs as much before it
 * submits would leave no trace, and deny in the next round that it named a key. Throws where it can't be told.
 */
async function isHidden(context: Context<AuditFacts>): Promise<boolean> {
  const { address, slot } = context.submission;
  const found = await findSubmission(
    context,
    PARAMETERS.program,
    { address, first: slot, end: slot + 1 },
    { pages: PAGES, most: MOST_IN_SLOT, drawn: false },
  );
  if (found === null || found === "lost") {
    throw new Error(`The transaction that made ${address} can't be found.`);
  }
  return found === "hidden";
}
