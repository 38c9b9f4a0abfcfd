import type { Context, WorkFacts } from "@securing-tasks/sandbox";
import type { VrfParameters } from "../parameters";
import { fetchContent } from "../shared/doors";
import { findSubmission } from "../shared/submissions";
import type { VrfPayload } from "./payload";
import { readPayload } from "./payload";
import { drawOn, keyPair, message } from "./scheme";

declare const PARAMETERS: VrfParameters;

export async function work(context: Context<WorkFacts>): Promise<string> {
  const { owner, round, seed, publicUrl } = context;
  const { address: task } = context.task;
  const { key, secretKey } = keyPair(context.secrets.vrfKey, task);
  const first: VrfPayload = { task, owner, round, key, draw: null, before: null };
  if (round === 0) return JSON.stringify(first);

  const { program, mostSearched } = PARAMETERS;
  const sought = { task, owner, round: round - 1 };
  const earlier = await findSubmission(context, program, sought, { most: mostSearched });
  if (!earlier) return JSON.stringify(first);

  if (publicUrl === null) {
    throw new Error(
      "This task needs a REST service: set http.publicUrl in the node's configuration.",
    );
  }
  // Where the node serves what it submitted.
  const { payloadHash } = earlier.submitted;
  const uri = `${publicUrl.replace(/\/+$/, "")}/payload/${payloadHash}`;
  const content = await fetchContent(context, payloadHash, uri);
  if (!content) throw new Error(`The payload of the round before is not at ${uri}.`);
  // Drawn with another key than was named, it would be taken for a lie.
  if (readPayload(content, sought)?.key !== key) {
    throw new Error(
      "Another key was named for this round: set secrets.vrfKey back to what it was, or leave out a round.",
    );
  }
  const payload: VrfPayload = {
    ...first,
    draw: drawOn(message(task, round, owner, seed), secretKey),
    before: { signature: earlier.signature, uri },
  };
  return JSON.stringify(payload);
}
