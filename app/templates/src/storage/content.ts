import "./url";
import { Validator } from "@cfworker/json-schema";
import { isWebAddress } from "../shared/doors";
import { isObject, parseJson, parseObject } from "../shared/json";
import type { StorageParameters } from "../parameters";
import { withBoundedPatterns } from "./patterns";

/** A content that is kept. */
export interface Item {
  /** 64 hex digits. */
  readonly sha256: string;
  readonly uri: string;
  /** In bytes. */
  readonly size: number;
}

/*
 * The accused chooses the content, and an audit that it could make throw or take too long would be nobody's vote. So what is looked at
 * is bounded, and what is beyond does not fit. `work` asks the same, and leaves such content out.
 */
/** JSON values that one audit looks at, all contents together. In the sandbox, 100,000 took 6 seconds with a plain anyOf, of 10. */
const MOST_VALUES = 50_000;
const MOST_DEPTH = 64;
/** Names and positions on the way to a value: the schema library writes them out for each value, so one long name would cost that often. */
const MOST_PATH = 1_000;
/** What patterns of the schema are given in one audit, in characters, each text squared: 20,000,000 take a plain one about a second. */
const MOST_MATCHED = 20_000_000;

/** Whether the bytes are JSON that the schema allows; whatever they are, where there is no schema. Never throws. */
export function fits(
  content: string | Uint8Array,
  { schema, kind, samples }: Pick<StorageParameters, "schema" | "kind" | "samples">,
): boolean {
  if (schema === null) return true;
  const value = parseJson(content);
  // Each content has its share, so that it is the same content for `work`, which looks at others beside it, and for every audit.
  const shares = kind === "content" ? 1 : samples;
  const mostValues = Math.floor(MOST_VALUES / shares);
  if (value === undefined || !isBounded(value, mostValues)) return false;
  try {
    return withBoundedPatterns(
      Math.floor(MOST_MATCHED / shares),
      () => new Validator(schema, "2020-12").validate(value).valid,
    );
  } catch {
    // Too little stack or memory, or a mistake in the schema that only content of this kind brings to light.
    return false;
  }
}

/** Looks no further than its bounds, and without recursion. */
function isBounded(value: unknown, mostValues: number): boolean {
  const rest = [{ value, depth: 0, path: 0 }];
  let seen = 0;
  for (let next = rest.pop(); next; next = rest.pop()) {
    const { value: one, depth, path } = next;
    if (++seen > mostValues || depth > MOST_DEPTH || path > MOST_PATH) return false;
    if (typeof one !== "object" || one === null) continue;
    const entries = Object.entries(one);
    if (seen + rest.length + entries.length > mostValues) return false;
    for (const [key, inner] of entries) {
      rest.push({ value: inner, depth: depth + 1, path: path + key.length });
    }
  }
  return true;
}

export function isHash(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

/** The items of a manifest; null where it is not what a manifest of this task must be. */
export function itemsOf(
  payload: Uint8Array,
  owner: string,
  round: number,
  limits: Pick<StorageParameters, "leastItems" | "mostItems" | "mostBytes">,
): readonly Item[] | null {
  const manifest = parseObject(payload);
  if (manifest?.owner !== owner || manifest.round !== round) return null;
  const { items } = manifest;
  if (!Array.isArray(items)) return null;
  if (items.length < limits.leastItems || items.length > limits.mostItems) return null;
  const all = items.filter((item): item is Item => isItem(item, limits.mostBytes));
  // The same content twice is paid for once.
  const different = new Set(all.map(({ sha256 }) => sha256)).size;
  return different === items.length ? all : null;
}

function isItem(value: unknown, mostBytes: number): value is Item {
  if (!isObject(value)) return false;
  const { sha256, uri, size } = value;
  return (
    isHash(sha256) &&
    isWebAddress(uri) &&
    typeof size === "number" &&
    Number.isInteger(size) &&
    size >= 0 &&
    size <= mostBytes
  );
}
