import type { AuditFacts, Context, Verdict } from "@securing-tasks/sandbox";
import type { VrfParameters } from "../parameters";
import { fetchContent } from "../shared/doors";
import { findSubmission } from "../shared/submissions";
import { readPayload } from "./payload";
import { isKey, message, verify } from "./scheme";

declare const PARAMETERS: VrfParameters;

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
  const earlier =
    round === 0
      ? null
      : await findSubmission(
          context,
          program,
          { task, owner, round: round - 1 },
          { most: mostSearched, ...(before && { hint: before.signature }) },
        );
  if (!draw || !before) {
    return earlier ? guilty("a key was named for this round, and nothing is drawn") : "valid";
  }
  if (!earlier) return guilty("no key was named for this round");
  const contentBefore = await fetchContent(context, earlier.submitted.payloadHash, before.uri);
  if (!contentBefore) return "downtime";
  const payloadBefore = readPayload(contentBefore, { task, owner, round: round - 1 });
  if (!payloadBefore) return guilty("what should have named the key names none");

  const drawnOn = message(task, round, owner, context.roundSeed);
  if (!verify(draw, drawnOn, payloadBefore.key))
    return guilty("output and proof are not the key's");
  return "valid";
}
