import type { Context, WorkFacts } from "@securing-tasks/sandbox";
import type { StorageParameters } from "../parameters";
import { encodeText } from "../shared/bytes";
import { fetchContent, isWebAddress } from "../shared/doors";
import { isObject, parseJson } from "../shared/json";
import type { Item } from "./content";
import { fits, isHash } from "./content";

declare const PARAMETERS: StorageParameters;

/**
 * The node's secret `source` is the URL of what it keeps: the content itself, or a JSON list of { sha256, uri }. It may be an address
 * that only the node can reach; the URIs in the list must be for everybody.
 */
export async function work(context: Context<WorkFacts>): Promise<string> {
  const { kind, mostItems, leastItems, mostBytes } = PARAMETERS;
  const { source } = context.secrets;
  if (source === undefined) {
    throw new Error("Set secrets.source in the node's configuration: the URL of what it keeps.");
  }
  const { status, body } = await context.http({ url: source });
  if (status !== 200) throw new Error(`${source} answered with status ${status}.`);
  if (kind === "content") {
    // The door reads UTF-8 text and puts this sign where it finds anything else: what is submitted would not be the content.
    if (body.includes("\ufffd")) {
      throw new Error(
        `What ${source} gives is no UTF-8 text. Other contents are for tasks of the kind "manifest".`,
      );
    }
    const size = encodeText(body).length;
    if (size > mostBytes) {
      throw new Error(`${source} gives ${size} bytes, and the task takes ${mostBytes} at most.`);
    }
    if (!fits(body, PARAMETERS)) throw new Error(`What ${source} gives breaks the task's schema.`);
    return body;
  }

  const list = parseJson(body);
  if (!Array.isArray(list)) throw new Error(`${source} gives no JSON list of { sha256, uri }.`);
  const items = new Map<string, Item>();
  for (const entry of list) {
    if (items.size === mostItems) break;
    if (!isObject(entry) || !isHash(entry.sha256) || typeof entry.uri !== "string") {
      throw new Error(`${JSON.stringify(entry)} in ${source} is no { sha256, uri }.`);
    }
    const { sha256, uri } = entry;
    // What can't be vouched for is left out: naming it would be a lie, or downtime. That goes for an address that the audit would not take.
    const content = isWebAddress(uri) ? await fetchContent(context, sha256, uri) : null;
    if (content && content.length <= mostBytes && fits(content, PARAMETERS)) {
      items.set(sha256, { sha256, uri, size: content.length });
    } else context.log(`left out: ${sha256} at ${uri}`);
  }
  if (items.size < leastItems) {
    throw new Error(`Only ${items.size} of the least ${leastItems} items can be had.`);
  }
  return JSON.stringify({ owner: context.owner, round: context.round, items: [...items.values()] });
}
