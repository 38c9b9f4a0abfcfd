import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519";
import { expect } from "chai";
import { createHash, randomBytes } from "node:crypto";
import { PORTABLE } from "../src/core/primitives";
import type { Primitives } from "../src/core/primitives";
import { NATIVE } from "../src/host/primitives";

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;

function bytesOf(scalar: bigint): Uint8Array {
  const hex = scalar.toString(16).padStart(64, "0");
  return Uint8Array.from(Buffer.from(hex, "hex")).reverse();
}

/** What both say; fails where they don't agree. */
function said(key: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  const [portable, native] = [PORTABLE, NATIVE].map((one: Primitives) => {
    try {
      return one.verify(key, bytes, signature);
    } catch {
      return false;
    }
  });
  const what = [key, bytes, signature].map((one) => Buffer.from(one).toString("hex")).join(" ");
  expect(portable, what).to.equal(native);
  return portable === true;
}

describe("hashes and signatures", () => {
  it("are the same in JavaScript and by OpenSSL", () => {
    for (let size = 0; size < 200; size += 5) {
      const [bytes, seed] = [randomBytes(size), randomBytes(32)];
      const [one, other] = [PORTABLE.hashing(), NATIVE.hashing()].map((hash) => {
        hash.update(bytes);
        hash.update(seed);
        return hash.hex();
      });
      expect(one).to.equal(other);
      expect(one).to.equal(createHash("sha256").update(bytes).update(seed).digest("hex"));
      const signature = PORTABLE.sign(seed, bytes);
      expect(Buffer.from(signature).equals(NATIVE.sign(seed, bytes))).to.equal(true);
      const key = ed25519.getPublicKey(seed);
      expect(said(key, bytes, signature)).to.equal(true);
      for (let tries = 0; tries < 3; tries += 1) {
        const [at = 0, bit = 0] = randomBytes(2);
        const changed = Uint8Array.from(signature);
        changed[at % 64] = (changed[at % 64] ?? 0) ^ (1 << (bit % 8));
        expect(said(key, bytes, changed)).to.equal(false);
        const other = Uint8Array.from(key);
        other[at % 32] = (other[at % 32] ?? 0) ^ (1 << (bit % 8));
        expect(said(other, bytes, signature)).to.equal(false);
      }
    }
  });

  it("are told from none by the same rule, whatever key or signature was made to be taken by some and not by others", () => {
    const torsion = ED25519_TORSION_SUBGROUP.map((hex) => Point.fromHex(hex, true));
    // The same points written in another way: y above the prime, or the sign of a zero.
    const odd = ["ee", "ed", "ec"].flatMap((first) =>
      ["7f", "ff"].map((last) => Buffer.from(`${first}${"ff".repeat(30)}${last}`, "hex")),
    );
    const zeros = ["01", "00"].map((first) => Buffer.from(`${first}${"00".repeat(30)}80`, "hex"));
    const small = [...torsion.map((one) => one.toBytes()), ...odd, ...zeros];
    let taken = 0;
    for (const key of small) {
      for (const point of small) {
        for (let message = 0; message < 8; message += 1) {
          const signature = Buffer.concat([point, new Uint8Array(32)]);
          if (said(key, Uint8Array.of(message), signature)) taken += 1;
        }
      }
    }
    expect(taken).to.be.greaterThan(100);

    const judged = { taken: 0, refused: 0 };
    for (let round = 0; round < 40; round += 1) {
      const [secret, nonce] = [7n + BigInt(round), 1_000n + BigInt(round)];
      const mixed = torsion[round % 8] ?? Point.ZERO;
      const key = Point.BASE.multiply(secret).add(mixed).toBytes();
      const point = Point.BASE.multiply(nonce).toBytes();
      const bytes = randomBytes(20);
      const hash = createHash("sha512").update(point).update(key).update(bytes).digest();
      const challenge = Point.Fn.create(BigInt(`0x${Buffer.from(hash).reverse().toString("hex")}`));
      const scalar = Point.Fn.create(nonce + challenge * secret);
      const signature = Buffer.concat([point, bytesOf(scalar)]);
      judged[said(key, bytes, signature) ? "taken" : "refused"] += 1;
      // The same number once more around.
      const above = Buffer.concat([point, bytesOf(scalar + ORDER)]);
      expect(said(key, bytes, above)).to.equal(false);
    }
    expect(judged.taken).to.be.greaterThan(4);
    expect(judged.refused).to.be.greaterThan(4);
    for (const length of [0, 31, 33, 63, 65]) {
      expect(said(new Uint8Array(32), new Uint8Array(1), new Uint8Array(length))).to.equal(false);
      expect(said(new Uint8Array(length), new Uint8Array(1), new Uint8Array(64))).to.equal(false);
    }
  });
});
