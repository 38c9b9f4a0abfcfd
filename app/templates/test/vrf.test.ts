import { bls12_381 } from "@noble/curves/bls12-381.js";
import type { LoadedFunction, WorkFacts } from "@securing-tasks/sandbox";
import { runWork } from "@securing-tasks/sandbox";
import { expect } from "chai";
import { randomBytes } from "node:crypto";
import type { Draw } from "../src/vrf/scheme";
import { drawOn, isKey, keyPair, message, verify } from "../src/vrf/scheme";
import { loadTemplate, localDoors, runBuilder, someWorkFacts } from "./utils";

const ZERO_KEY = `c0${"00".repeat(47)}`;
const ZERO_PROOF = `c0${"00".repeat(95)}`;

const secret = (): string => randomBytes(32).toString("hex");

describe("the VRF template", function () {
  this.timeout(120_000);

  describe("its scheme", () => {
    const drawnOn = message("task", 3, "owner", "seed");
    const { key, secretKey } = keyPair("11".repeat(32), "task");
    const draw = drawOn(drawnOn, secretKey);

    it("verifies what was drawn, which is always the same", () => {
      expect(verify(draw, drawnOn, key)).to.equal(true);
      expect(drawOn(drawnOn, secretKey)).to.deep.equal(draw);
      expect(draw.output).to.match(/^[0-9a-f]{64}$/);
    });

    it("draws something else for another round, owner, seed, task and key", () => {
      const outputs = new Set([
        draw.output,
        ...[
          message("task", 4, "owner", "seed"),
          message("task", 3, "other", "seed"),
          message("task", 3, "owner", "other"),
          message("other", 3, "owner", "seed"),
        ].map((other) => {
          expect(verify(draw, other, key)).to.equal(false);
          return drawOn(other, secretKey).output;
        }),
        drawOn(drawnOn, keyPair("11".repeat(32), "other").secretKey).output,
        drawOn(drawnOn, keyPair("12".repeat(32), "task").secretKey).output,
      ]);
      expect(outputs.size).to.equal(7);
      expect(verify(draw, drawnOn, keyPair("12".repeat(32), "task").key)).to.equal(false);
    });

    it("refuses every other output and proof", () => {
      const other = drawOn(message("task", 4, "owner", "seed"), secretKey);
      const { Fp } = bls12_381.fields;
      // The same point with its sign turned, with a coordinate over the field's order, and with flags that say otherwise.
      const bytes = Buffer.from(draw.proof, "hex");
      const turned = Buffer.from(bytes);
      turned[0] = (turned[0] ?? 0) ^ 0x20;
      const over = Buffer.from(bytes);
      const tail = BigInt(`0x${over.subarray(48).toString("hex")}`) + Fp.ORDER;
      over.write(tail.toString(16).padStart(96, "0"), 48, "hex");
      const forgeries: Draw[] = [
        { ...draw, output: other.output },
        { ...draw, proof: other.proof },
        ...[
          ZERO_PROOF,
          turned.toString("hex"),
          over.toString("hex"),
          "",
          "00".repeat(96),
          draw.proof.toUpperCase(),
          `${draw.proof}00`,
        ].map((proof) => ({ ...draw, proof })),
      ];
      for (const forged of forgeries) {
        expect(verify(forged, drawnOn, key), JSON.stringify(forged)).to.equal(false);
      }
    });

    it("refuses what is no key, above all one whose output everybody knows", () => {
      expect(isKey(key)).to.equal(true);
      // On the curve, but in another group: its proofs would not be the only ones.
      const stray = `8${"4".padStart(95, "0")}`;
      expect(() => bls12_381.G1.Point.fromHex(stray)).to.throw("not in prime-order subgroup");
      for (const odd of [
        ZERO_KEY,
        stray,
        "",
        key.slice(2),
        `${key}00`,
        key.toUpperCase(),
        7,
        null,
      ]) {
        expect(isKey(odd), String(odd)).to.equal(false);
      }
      const zero = bls12_381.longSignatures.Signature.toHex(bls12_381.G2.Point.ZERO);
      expect(zero).to.equal(ZERO_PROOF);
    });

    it("says how to make a secret, where there is none", () => {
      for (const odd of [undefined, "", "password", "11".repeat(31), "ZZ".repeat(32)]) {
        expect(() => keyPair(odd, "task")).to.throw("Set secrets.vrfKey");
      }
    });
  });

  describe("its work", () => {
    let work: LoadedFunction;
    let facts: WorkFacts;

    before(async () => {
      await runBuilder();
      ({ work } = await loadTemplate("vrf", {}));
      facts = someWorkFacts({ round: 0, secrets: { vrfKey: secret() } });
    });

    it("names a key first, which no one can tell from its secret, and draws nothing", async () => {
      const ran = await runWork(work, facts, localDoors());
      if (!ran.ok) throw new Error(ran.failure.message);
      const text = Buffer.from(ran.value).toString();
      expect(text).not.to.contain(facts.secrets.vrfKey);
      expect(JSON.parse(text)).to.deep.equal({
        task: facts.task.address,
        owner: facts.owner,
        round: 0,
        key: keyPair(facts.secrets.vrfKey, facts.task.address).key,
        draw: null,
        before: null,
      });
    });

    it("says what is missing: a secret", async () => {
      const ran = await runWork(work, { ...facts, secrets: {} }, localDoors());
      expect(ran.ok ? "" : ran.failure.message).to.contain("Set secrets.vrfKey");
    });
  });
});
