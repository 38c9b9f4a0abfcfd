import { bls12_381 } from "@noble/curves/bls12-381.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { encodeText, fromHex, sha256Hex } from "../shared/bytes";

/*
 * A verifiable random function from BLS signatures on BLS12-381: there is one signature for a key and a message, so its hash is an
 * output that nobody can choose or foretell without the key, and the signature is the proof. Keys are points of G1 (48 bytes), proofs
 * points of G2 (96 bytes).
 */
const { longSignatures: bls } = bls12_381;

const KEY_BYTES = 48;
const PROOF_BYTES = 96;

export interface KeyPair {
  readonly secretKey: Uint8Array;
  /** 96 hex digits. */
  readonly key: string;
}

/** What was drawn. */
export interface Draw {
  /** 64 hex digits. */
  readonly output: string;
  /** 192 hex digits. */
  readonly proof: string;
}

/** The keys that come of a worker's secret (64 hex digits), of its own for every task. Throws for another kind of secret. */
export function keyPair(secret: string | undefined, task: string): KeyPair {
  const seed = fromHex(secret, 32);
  if (!seed) {
    throw new Error(
      "Set secrets.vrfKey in the node's configuration: 64 random hex digits, as `openssl rand -hex 32` gives them.",
    );
  }
  const salt = encodeText("securing-tasks:vrf:key:v1");
  const { secretKey, publicKey } = bls.keygen(
    hkdf(sha256, seed, salt, encodeText(task), KEY_BYTES),
  );
  return { secretKey, key: publicKey.toHex() };
}

/** What is drawn on in a round: nobody could know the seed before the round, and all else stands in for whom it is. */
export function message(task: string, round: number, owner: string, roundSeed: string): Uint8Array {
  return encodeText(`securing-tasks:vrf:draw:v1/${task}/${round}/${owner}/${roundSeed}`);
}

export function drawOn(drawn: Uint8Array, secretKey: Uint8Array): Draw {
  const proof = bls.Signature.toHex(bls.sign(bls.hash(drawn), secretKey));
  return { output: outputOf(proof), proof };
}

/** Whether a draw is the one that this key makes of a message. */
export function verify({ output, proof }: Draw, drawn: Uint8Array, key: string): boolean {
  const [proofBytes, keyBytes] = [fromHex(proof, PROOF_BYTES), fromHex(key, KEY_BYTES)];
  if (!proofBytes || !keyBytes || !isKey(key) || output !== outputOf(proof)) return false;
  try {
    return bls.verify(proofBytes, bls.hash(drawn), keyBytes);
  } catch {
    return false;
  }
}

/** Whether this is a key: a point of the right group, and not its zero, whose proof would be the same for every message. */
export function isKey(key: unknown): key is string {
  const bytes = fromHex(key, KEY_BYTES);
  if (!bytes) return false;
  try {
    const point = bls12_381.G1.Point.fromBytes(bytes);
    point.assertValidity();
    return !point.is0() && bytesToHex(point.toBytes()) === key;
  } catch {
    return false;
  }
}

/** The proof has one way to be written, since it is decoded in strict form. */
function outputOf(proof: string): string {
  return sha256Hex(`securing-tasks:vrf:output:v1/${proof}`);
}
