import { ed25519 } from "@noble/curves/ed25519";
import { sha512 } from "@noble/hashes/sha2";
import { sha256 } from "@noble/hashes/sha2";
import { bytesToHex, concatBytes } from "@noble/hashes/utils";

/*
 * Hashes and signatures. They are here in JavaScript, for every place; a host that has faster ones gives them. Both must say the same of
 * whatever they are given: what is evidence to one node and none to another splits the voters.
 */

/** SHA-256 of what comes piece by piece. */
export interface Hashing {
  update(bytes: Uint8Array): unknown;
  /** Of all pieces, as 64 hex digits. Once. */
  hex(): string;
}

export interface Primitives {
  hashing(): Hashing;
  /** An ed25519 signature. `seed` is the first half of the secret key. */
  sign(seed: Uint8Array, bytes: Uint8Array): Uint8Array;
  /** Whether a key of 32 bytes signed this. May throw for what is no key or signature. */
  verify(key: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean;
}

/** Those of every place. */
export const PORTABLE: Primitives = {
  hashing: () => {
    const hash = sha256.create();
    return { update: (bytes) => hash.update(bytes), hex: () => bytesToHex(hash.digest()) };
  },
  sign: (seed, bytes) => ed25519.sign(bytes, seed.slice(0, 32)),
  verify,
};

let used = PORTABLE;

/** Those that are used from now on. */
export function usePrimitives(primitives: Primitives): void {
  used = primitives;
}

export const hashing = (): Hashing => used.hashing();
export const sign: Primitives["sign"] = (seed, bytes) => used.sign(seed, bytes);
export const isSignedBy: Primitives["verify"] = (key, bytes, signature) =>
  used.verify(key, bytes, signature);

/** SHA-256 of bytes, or of a text in UTF-8, as 64 hex digits. */
export function sha256Hex(content: string | Uint8Array): string {
  const hash = used.hashing();
  hash.update(typeof content === "string" ? new TextEncoder().encode(content) : content);
  return hash.hex();
}

/**
 * By the rule of OpenSSL: the equation without its cofactor, and no encoding of the signature's point but the one that comes out.
 *
 * Attack: the library's own rules take more signatures, or others, of keys and points that were made for that. The accused would sign what
 * binds it before some voters and not before others.
 */
function verify(key: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== 32 || signature.length !== 64) return false;
  const { Point } = ed25519;
  const [point, scalar] = [signature.subarray(0, 32), littleEndian(signature.subarray(32))];
  if (scalar >= Point.Fn.ORDER) return false;
  const challenge = Point.Fn.create(littleEndian(sha512(concatBytes(point, key, bytes))));
  const claimed = Point.fromBytes(key, true)
    .negate()
    .multiplyUnsafe(challenge)
    .add(Point.BASE.multiplyUnsafe(scalar));
  return claimed.toBytes().every((byte, at) => byte === point[at]);
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytesToHex(Uint8Array.from(bytes).reverse())}`);
}
