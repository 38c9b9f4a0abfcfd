import { BN } from "@coral-xyz/anchor";
import { PublicKey } from "@solana/web3.js";

/**
 * Turns what Anchor decodes into plain values: BN to bigint, the program's byte strings to text, hashes to bytes, and
 * the numbers of the given fields to their words.
 */
export function plain(value: unknown, words: Words): unknown {
  if (BN.isBN(value)) return BigInt(value.toString());
  if (value instanceof PublicKey || value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) {
    return value.length === 32
      ? Uint8Array.from(value as number[])
      : value.map((one) => plain(one, words));
  }
  if (isByteString(value)) {
    return Buffer.from(value.data.slice(0, value.len)).toString("utf8");
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      key,
      word(words[key], field) ?? plain(field, words),
    ]),
  );
}

/** The words of each field that has some, in the order of its numbers. */
export type Words = Readonly<Record<string, readonly string[] | undefined>>;

function word(words: readonly string[] | undefined, value: unknown): string | undefined {
  if (!words || typeof value !== "number") return undefined;
  const found = words[value];
  if (found === undefined) {
    throw new Error(
      `The account holds the state ${value}, which this client does not know: it is of a newer program. Update the client.`,
    );
  }
  return found;
}

function isByteString(value: object): value is { len: number; data: number[] } {
  return "len" in value && "data" in value;
}
