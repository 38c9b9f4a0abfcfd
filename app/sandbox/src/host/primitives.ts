import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import type { Primitives } from "../core/primitives";

/** What comes before the 32 bytes of a key in their DER encodings (RFC 8410). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** Of OpenSSL: ten times as fast. */
export const NATIVE: Primitives = {
  hashing: () => {
    const hash = createHash("sha256");
    return { update: (bytes) => hash.update(bytes), hex: () => hash.digest("hex") };
  },
  sign: (seed, bytes) => {
    const key = Buffer.concat([PKCS8, seed.subarray(0, 32)]);
    return sign(null, bytes, createPrivateKey({ key, format: "der", type: "pkcs8" }));
  },
  verify: (publicKey, bytes, signature) => {
    const key = Buffer.concat([SPKI, publicKey]);
    return verify(null, bytes, createPublicKey({ key, format: "der", type: "spki" }), signature);
  },
};
