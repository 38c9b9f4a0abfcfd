import { bls12_381 } from "@noble/curves/bls12-381.js";
import type {
  AuditFacts,
  ChainTransaction,
  Doors,
  LoadedFunction,
  WorkFacts,
} from "@securing-tasks/sandbox";
import { DoorError, runAudit, runWork } from "@securing-tasks/sandbox";
import { expect } from "chai";
import { createHash, randomBytes } from "node:crypto";
import { fromAddress, toAddress } from "../src/shared/bytes";
import { submissionAddress } from "../src/shared/submissions";
import type { Draw } from "../src/vrf/scheme";
import { drawOn, isKey, keyPair, message, verify } from "../src/vrf/scheme";
import { factsOf, loadTemplate, localDoors, runBuilder, someWorkFacts } from "./utils";

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

  describe("its search for submissions", () => {
    let audit: LoadedFunction;
    let work: LoadedFunction;
    before(async () => {
      await runBuilder();
      ({ audit, work } = await loadTemplate("vrf", {}));
    });

    const verdictOf = async (made: Rounds, facts: AuditFacts): Promise<string> => {
      const ran = await runAudit(audit, facts, made.doors);
      return ran.ok ? ran.value : ran.failure.message;
    };
    const workOf = async (made: Rounds): Promise<unknown> => {
      const ran = await runWork(work, made.now, made.doors);
      return ran.ok ? JSON.parse(Buffer.from(ran.value).toString()) : ran.failure.message;
    };
    const unknown = toAddress(randomBytes(64).fill(200, 0, 1));

    it("is spared by the signature that the worker names, however many dust transactions there are", async () => {
      const made = new Rounds();
      made.fund(made.earlier, made.earlierSlot);
      made.dust(made.earlier, made.earlierSlot, 150);
      const before = made.submitEarlier();
      made.dust(made.earlier, made.earlierSlot + 1, 150);
      expect(await verdictOf(made, made.submit(made.drawn(before)))).to.equal("valid");
      const chosen = made.drawn(before, secret());
      expect(await verdictOf(made, made.again(chosen))).to.equal("malicious");
    });

    it("takes a worker by its word: malice where it names another transaction", async () => {
      const made = new Rounds();
      made.submitEarlier();
      const [other] = made.dust(made.earlier, made.earlierSlot + 1, 1);
      expect(await verdictOf(made, made.submit(made.drawn(other ?? "")))).to.equal("malicious");
    });

    it("ends in a verdict where a worker names what is no transaction, and hides its own by funds and dust", async () => {
      const made = new Rounds();
      made.fund(made.earlier, made.earlierSlot);
      made.dust(made.earlier, made.earlierSlot, 150);
      made.submitEarlier();
      const facts = made.submit(made.drawn("nonsense"));
      // Unless the sample has it.
      const verdicts = ["downtime", "valid"];
      expect(await verdictOf(made, facts)).to.be.oneOf(verdicts);
      expect(await verdictOf(made, made.again(made.drawn(unknown)))).to.be.oneOf(verdicts);
    });

    it("finds a withheld draw among thousands, and by its account", async () => {
      const made = new Rounds();
      made.dust(made.earlier, made.earlierSlot, 1_500);
      made.submitEarlier();
      made.dust(made.earlier, made.earlierSlot, 1_500);
      expect(await verdictOf(made, made.submit(made.naming()))).to.equal("malicious");
      const hidden = new Rounds();
      hidden.fund(hidden.earlier, hidden.earlierSlot);
      hidden.dust(hidden.earlier, hidden.earlierSlot, 150);
      hidden.submitEarlier();
      const facts = hidden.submit(hidden.naming());
      // Which are looked at is chance, and the submission of a later round decides it: 75 of 127.
      const found = new Set<string>();
      for (let at = 0; at < 24; at++) {
        found.add(await verdictOf(hidden, { ...facts, seed: secret() }));
      }
      expect([...found].filter((one) => one === "malicious")).to.have.length(1);
      for (const one of found) expect(one).to.match(/malicious|can't be told/);
      hidden.dust(hidden.earlier, hidden.earlierSlot, 3_000);
      hidden.programs.add(hidden.earlier);
      expect(await verdictOf(hidden, facts)).to.equal("malicious");
    });

    it("convicts nobody where the server does not keep the round before", async () => {
      const made = new Rounds();
      const before = made.submitEarlier();
      const facts = made.submit(made.drawn(before));
      expect(await verdictOf(made, facts)).to.equal("valid");
      made.keptFrom = made.slot - 1;
      expect(await verdictOf(made, facts)).to.contain("does not keep");
      // Nor is a draw withheld, or taken to be, by who can't see.
      expect(await verdictOf(made, made.again(made.naming()))).to.contain("does not keep");
      expect(await workOf(made)).to.contain("does not keep");
      const fresh = new Rounds();
      expect(await workOf(fresh)).to.deep.include({ draw: null, before: null });
      expect(await verdictOf(fresh, fresh.submit(fresh.drawn(before)))).to.equal("malicious");
    });

    it("convicts no first submission for the dust of strangers", async () => {
      const made = new Rounds();
      made.dust(made.earlier, made.earlierSlot, 1_500);
      made.dust(made.earlier, made.earlierSlot, 1, { cut: true });
      made.dust(made.address, made.slot, 30);
      expect(await verdictOf(made, made.submit(made.naming()))).to.equal("valid");
      made.dust(made.address, made.slot, 1_500);
      expect(await verdictOf(made, made.again(made.naming()))).to.equal("valid");
      // Money in advance costs more, and gets no more than that there is no verdict.
      made.fund(made.earlier, made.earlierSlot + 1);
      made.dust(made.earlier, made.earlierSlot + 2, 150);
      expect(await verdictOf(made, made.again(made.naming()))).to.contain("can't be told");
    });

    it("lets a worker find its own submission under the dust of strangers", async () => {
      const made = new Rounds();
      made.dust(made.earlier, made.earlierSlot - 1, 1_500);
      made.fund(made.earlier, made.earlierSlot);
      made.dust(made.earlier, made.earlierSlot, 150);
      const signature = made.submitEarlier();
      made.dust(made.earlier, made.earlierSlot + 1, 1_500);
      expect(await workOf(made)).to.deep.include({
        before: { signature, uri: `http://a.b/payload/${made.namedHash}` },
      });
    });

    it("convicts who cuts the logs of its submission", async () => {
      const made = new Rounds();
      expect(await verdictOf(made, made.submit(made.naming(), { cut: true }))).to.equal(
        "malicious",
      );
      const drawing = new Rounds();
      const before = drawing.submitEarlier();
      const facts = drawing.submit(drawing.drawn(before), { cut: true });
      expect(await verdictOf(drawing, facts)).to.equal("malicious");
    });

    it("convicts nobody for a stranger's cut logs, in whatever order they come", async () => {
      for (const dust of [0, 60]) {
        const made = new Rounds();
        made.fund(made.address, made.slot, { cut: true });
        const facts = made.submit(made.naming());
        made.fund(made.address, made.slot, { cut: true });
        made.dust(made.address, made.slot + 1, dust);
        expect(await verdictOf(made, facts)).to.equal("valid");
        // As a server lists them that keeps no order within a slot.
        const shuffled = new Rounds();
        shuffled.dust(shuffled.address, shuffled.slot - 1, dust);
        const other = shuffled.submit(shuffled.naming());
        shuffled.dust(shuffled.address, shuffled.slot, 9, { held: "0" });
        shuffled.fund(shuffled.address, shuffled.slot, { cut: true });
        expect(await verdictOf(shuffled, other)).to.equal("valid");
      }
    });

    it("gives no verdict where the submission of the round before may have been cut", async () => {
      const made = new Rounds();
      made.submitEarlier({ cut: true });
      expect(await verdictOf(made, made.submit(made.naming()))).to.contain("can't be told");
      expect(await workOf(made)).to.contain("can't be told");
    });
  });
});

const PROGRAM = "5keaxc4yHqGYy8zeiL9AauZhM4TjDPBHJfWPWhXxQoC5";

/** A worker's round and the one before, on a chain that is made up. */
class Rounds {
  readonly now = someWorkFacts({ secrets: { vrfKey: secret() }, publicUrl: "http://a.b" });
  readonly slot = this.now.task.startSlot + this.now.round * this.now.task.roundSlots + 3;
  readonly earlierSlot = this.slot - this.now.task.roundSlots;
  readonly address = this.addressIn(this.now.round);
  readonly earlier = this.addressIn(this.now.round - 1);
  /** Addresses of accounts that the program still has. */
  readonly programs = new Set<string>();
  namedHash = "";
  /** Oldest slot that the server keeps. */
  keptFrom = 0;

  private readonly contents = new Map<string, Uint8Array>();
  /** Oldest first. */
  private readonly chain: ChainTransaction[] = [];
  private readonly held = new Map<string, string>();

  constructor() {
    const { address, startSlot } = this.now.task;
    this.dust(address, startSlot - 5, 1, { held: "9" });
    this.dust(address, this.slot - 1, 1, { held: "9" });
  }

  readonly doors: Doors = {
    http: () => Promise.reject(new Error("nobody asks")),
    account: (address) =>
      Promise.resolve(
        this.programs.has(address) ? { owner: PROGRAM, lamports: "1", data: "" } : null,
      ),
    transaction: (signature) =>
      signature.length < 64
        ? Promise.reject(new DoorError("refused", "no signature"))
        : Promise.resolve(this.kept().find((known) => known.signature === signature) ?? null),
    signatures: (address, { before, limit = 1_000 } = {}) => {
      const all = this.kept()
        .filter(({ accounts }) => accounts.includes(address))
        .sort((a, b) => a.slot - b.slot)
        .map(({ signature }) => signature)
        .reverse();
      const from = before === undefined ? 0 : all.indexOf(before) + 1;
      return Promise.resolve(all.slice(from, from + limit));
    },
    fetch: (hash) => {
      const content = this.contents.get(hash);
      return content ? Promise.resolve(content) : Promise.reject(new DoorError("unreachable", ""));
    },
  };

  /** Transactions that do nothing but name an address. */
  dust(
    address: string,
    slot: number,
    count: number,
    { cut = false, held = this.held.get(address) ?? "0" } = {},
  ): string[] {
    const logs = cut ? ["Log truncated"] : [];
    return Array.from({ length: count }, () => this.add(address, slot, logs, held));
  }

  /** A stranger's money for an address. */
  fund(address: string, slot: number, options: { readonly cut?: boolean } = {}): void {
    this.held.set(address, "890880");
    this.dust(address, slot, 1, options);
  }

  /** Submits what names the key, in the round before. Returns the signature. */
  submitEarlier({ cut = false } = {}): string {
    const round = this.now.round - 1;
    this.namedHash = this.keep({ ...this.naming(), round });
    return this.put(round, this.earlierSlot, this.namedHash, cut);
  }

  submit(payload: object, { cut = false } = {}): AuditFacts {
    this.put(this.now.round, this.slot, this.keep(payload), cut);
    return this.again(payload);
  }

  /** As if this had been submitted. */
  again(payload: object): AuditFacts {
    const facts = factsOf(this.now, { sha256: this.keep(payload), uri: "http://a.b/c" });
    const { address, slot } = this;
    return { ...facts, submission: { ...facts.submission, address, slot } };
  }

  drawn(signature: string, vrfKey = this.now.secrets.vrfKey): object {
    const { task, round, owner, seed } = this.now;
    const { secretKey } = keyPair(vrfKey, task.address);
    const draw = drawOn(message(task.address, round, owner, seed), secretKey);
    return { ...this.naming(), draw, before: { signature, uri: "http://a.b/d" } };
  }

  naming(): object {
    const { task, round, owner, secrets } = this.now;
    const { key } = keyPair(secrets.vrfKey, task.address);
    return { task: task.address, owner, round, key, draw: null, before: null };
  }

  private kept(): ChainTransaction[] {
    return this.chain.filter(({ slot }) => slot >= this.keptFrom);
  }

  private addressIn(round: number): string {
    return submissionAddress(PROGRAM, this.now.task.address, round, this.now.owner);
  }

  private keep(payload: object): string {
    const bytes = Buffer.from(JSON.stringify(payload));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    this.contents.set(sha256, bytes);
    return sha256;
  }

  private put(round: number, slot: number, hash: string, cut: boolean): string {
    const address = this.addressIn(round);
    const { task, owner } = this.now;
    const keys = [task.address, address, owner].map((key) => fromAddress(key) ?? []);
    const numbers = Buffer.alloc(8);
    numbers.writeBigUInt64LE(BigInt(round));
    const event = Buffer.concat([
      Buffer.from("88b9d2aed88c407d", "hex"),
      ...keys.map((key) => Buffer.from(key)),
      numbers,
      Buffer.from(hash, "hex"),
      Buffer.alloc(16),
    ]);
    this.held.set(address, "2000000");
    const logged = [
      `Program ${PROGRAM} invoke [1]`,
      `Program data: ${event.toString("base64")}`,
      `Program ${PROGRAM} success`,
    ];
    return this.add(address, slot, cut ? ["Log truncated"] : logged, "2000000");
  }

  private add(address: string, slot: number, logs: readonly string[], held: string): string {
    const signature = toAddress(randomBytes(64).fill(200, 0, 1));
    this.chain.push({
      signature,
      slot,
      blockTime: null,
      failed: false,
      accounts: [address],
      signers: [],
      lamportsBefore: [this.chain.some(({ accounts }) => accounts[0] === address) ? held : "0"],
      lamportsAfter: [held],
      tokens: [],
      logs,
    });
    return signature;
  }
}
