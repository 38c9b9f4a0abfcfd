import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** The sandbox's own, many times as fast; missing elsewhere. */
const { sha256: lent } = globalThis as {
  readonly sha256?: (content: string | Uint8Array) => string;
};

/** SHA-256 of a UTF-8 text or of bytes, as 64 hex digits. */
export function sha256Hex(content: string | Uint8Array): string {
  if (lent !== undefined) return lent(content);
  return bytesToHex(sha256(typeof content === "string" ? encodeText(content) : content));
}

export function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text of these bytes, with a byte order mark where there is one; null where they are no UTF-8. */
export function decodeText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The bytes of 64 hex digits and the like; null for anything else. */
export function fromHex(text: unknown, length: number): Uint8Array | null {
  if (typeof text !== "string" || text.length !== 2 * length || !/^[0-9a-f]*$/.test(text)) {
    return null;
  }
  return Uint8Array.from({ length }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const KEY_BYTES = 32;

/** The 32 bytes of an address; null for a text that is none. */
export function fromAddress(text: string): Uint8Array | null {
  if (text.length > 44) return null;
  let number = 0n;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return null;
    number = number * 58n + BigInt(digit);
  }
  const bytes = new Uint8Array(KEY_BYTES);
  for (let at = KEY_BYTES - 1; at >= 0; at--) {
    bytes[at] = Number(number & 255n);
    number >>= 8n;
  }
  // There is one way to write an address: with a 1 for each zero byte at its beginning, and no 1 more.
  return number === 0n && toAddress(bytes) === text ? bytes : null;
}

/** The address with these 32 bytes. */
export function toAddress(bytes: Uint8Array): string {
  let number = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let text = "";
  for (; number > 0n; number /= 58n) text = ALPHABET.charAt(Number(number % 58n)) + text;
  const firstByte = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(firstByte < 0 ? bytes.length : firstByte) + text;
}
