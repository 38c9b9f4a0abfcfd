import type { AuditFacts, Context, Verdict } from "@securing-tasks/sandbox";
import type { StorageParameters } from "../parameters";
import { fetchAll, fetchContent } from "../shared/doors";
import { draw } from "../shared/sample";
import { fits, itemsOf } from "./content";

declare const PARAMETERS: StorageParameters;

export async function audit(context: Context<AuditFacts>): Promise<Verdict> {
  const { kind, samples, mostBytes } = PARAMETERS;
  const { owner, round, payloadHash, payloadUri } = context.submission;
  const payload = await fetchContent(context, payloadHash, payloadUri);
  if (!payload) return "downtime";
  if (kind === "content") {
    return payload.length <= mostBytes && fits(payload, PARAMETERS) ? "valid" : "malicious";
  }

  const items = itemsOf(payload, owner, round, PARAMETERS);
  if (!items) return "malicious";
  const sample = draw(items, samples);
  const contents = await fetchAll(context, sample);
  // What has the hash that the worker named is the worker's word. Its lies weigh more than what is missing.
  for (const [at, { sha256, size }] of sample.entries()) {
    const content = contents[at];
    if (!content) continue;
    // Called from here, and not from a function within: `fits` has as much stack as in `work`, and so comes to the same.
    if (content.length !== size || !fits(content, PARAMETERS)) {
      context.log(`${sha256} is not what the manifest and the task say`);
      return "malicious";
    }
  }
  const missing = sample.find((_, at) => !contents[at]);
  if (missing) {
    context.log(`${missing.sha256} is not at ${missing.uri}`);
    return "downtime";
  }
  return "valid";
}
