export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a JSON text says, with or without a byte order mark; undefined where it is none. */
export function parseJson(content: string | Uint8Array): unknown {
  try {
    const text =
      typeof content === "string"
        ? content.replace(/^\ufeff/, "")
        : new TextDecoder("utf-8", { fatal: true }).decode(content);
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The object that a JSON text holds; null for anything else. */
export function parseObject(content: string | Uint8Array): JsonObject | null {
  const value = parseJson(content);
  return isObject(value) ? value : null;
}
