import type { Context, WorkFacts } from "@securing-tasks/sandbox";
import type { VrfParameters } from "../parameters";
import { fetchContent } from "../shared/doors";
import { reachesBack } from "../shared/reach";
import { findSubmission, soughtOf } from "../shared/submissions";
import type { VrfPayload } from "./payload";
import { readPayload } from "./payload";
import { drawOn, keyPair, message } from "./scheme";

declare const PARAMETERS: VrfParameters;

/** As far as 256 door calls go: a worker that strangers keep from its own submission can't work. */
const REACH = { pages: 25, most: 200, drawn: false };

export async function work(context: Context<WorkFacts>): Promise<string> {
  const { owner, round, seed, publicUrl } = context;
  const { address: task } = context.task;
  const { key, secretKey } = keyPair(context.secrets.vrfKey, task);
  const first: VrfPayload = { task, owner, round, key, draw: null, before: null };
  if (round === 0) return JSON.stringify(first);

  const { program } = PARAMETERS;
  const sought = soughtOf(program, context.task, round - 1, owner);
  const earlier = await findSubmission(context, program, sought, REACH);
  // To draw nothing would be taken for a lie, if something was submitted.
  if (earlier === "hidden" || earlier === "lost") {
    throw new Error(
      `Whether something was submitted in the round before can't be told: too many transactions touch ${sought.address}, or their logs are cut. Leave out a round.`,
    );
  }
  if (!earlier) {
    if (await reachesBack(context, context.task, sought.first)) return JSON.stringify(first);
    throw new Error(
      `The RPC server does not keep what was submitted in round ${round - 1}: use one that keeps the transactions of three rounds.`,
    );
  }

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
  if (readPayload(content, { task, owner, round: round - 1 })?.key !== key) {
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
