import type { AuditFacts, Context, Verdict } from "@securing-tasks/sandbox";
import type { StorageParameters } from "../parameters";
import { fetchAll, fetchContent } from "../shared/doors";
import { draw } from "../shared/sample";
import { fits, itemsOf } from "./content";

declare const PARAMETERS: StorageParameters;

export async function audit(context: Context<AuditFacts>): Promise<Verdict> {
  const { kind, samples, schema, mostBytes } = PARAMETERS;
  const { owner, round, payloadHash, payloadUri } = context.submission;
  const payload = await fetchContent(context, payloadHash, payloadUri);
  if (!payload) return "downtime";
  if (kind === "content") {
    return payload.length <= mostBytes && fits(payload, schema) ? "valid" : "malicious";
  }

  const items = itemsOf(payload, owner, round, PARAMETERS);
  if (!items) return "malicious";
  const sample = draw(items, samples);
  const contents = await fetchAll(context, sample);
  // What has the hash that the worker named is the worker's word. Its lies weigh more than what is missing.
  const lie = sample.find(({ size }, at) => {
    const content = contents[at];
    return content ? content.length !== size || !fits(content, schema) : false;
  });
  if (lie) {
    context.log(`${lie.sha256} is not what the manifest and the task say`);
    return "malicious";
  }
  const missing = sample.find((_, at) => !contents[at]);
  if (missing) {
    context.log(`${missing.sha256} is not at ${missing.uri}`);
    return "downtime";
  }
  return "valid";
}
