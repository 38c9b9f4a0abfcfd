import "./url";
import { Validator } from "@cfworker/json-schema";
import { isWebAddress } from "../shared/doors";
import { isObject, parseJson, parseObject } from "../shared/json";
import type { StorageParameters } from "../parameters";

/** A content that is kept. */
export interface Item {
  /** 64 hex digits. */
  readonly sha256: string;
  readonly uri: string;
  /** In bytes. */
  readonly size: number;
}

/** Whether the bytes are JSON that the schema allows; whatever they are, where there is no schema. */
export function fits(content: string | Uint8Array, schema: StorageParameters["schema"]): boolean {
  if (schema === null) return true;
  const value = parseJson(content);
  if (value === undefined) return false;
  return new Validator(schema, "2020-12").validate(value).valid;
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
