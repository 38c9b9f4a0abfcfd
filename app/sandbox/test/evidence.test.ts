import { createHash } from "node:crypto";
import type { AuditFacts, Evidence, SignedAnswer } from "@securing-tasks/sandbox";
import {
  MOST_EVIDENCE_BYTES,
  SIGNATURE_HEADER,
  SLOT_HEADER,
  evidenceHash,
  evidenceText,
  isEvidence,
  operatorOf,
  readEvidence,
  runAudit,
  signAnswer,
} from "@securing-tasks/sandbox";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { AUDIT, doorsWith, functionOf } from "./utils";

const operator = Keypair.generate();
const sha256 = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex");

const PAYLOAD = Buffer.from(JSON.stringify({ operator: operator.publicKey.toBase58(), a: 1 }));
const FACTS: AuditFacts = {
  ...AUDIT,
  submission: { ...AUDIT.submission, payloadHash: sha256(PAYLOAD) },
};
const SLOT = FACTS.submission.slot + 5;
const EXCHANGE = {
  method: "GET",
  path: "/task/answer?question=7",
  body: "",
  status: 200,
  answer: '{"answer":"no"}',
  slot: SLOT,
};

/** What a node signs that submitted what these facts are of. */
function signedFor(facts: AuditFacts) {
  const { task, submission, roundSeed } = facts;
  const { owner, round, payloadHash } = submission;
  return {
    task: task.address,
    submission: submission.address,
    owner,
    round,
    payloadHash,
    roundSeed,
  };
}

function evidence(
  said: Partial<SignedAnswer> = {},
  facts = FACTS,
  key = operator,
  payload: Uint8Array = PAYLOAD,
): Evidence {
  const exchange = { ...EXCHANGE, ...said };
  const signature = signAnswer(key.secretKey, signedFor(facts), exchange);
  return {
    submission: facts.submission.address,
    payload: Buffer.from(payload).toString("base64"),
    said: { ...exchange, signature, ...said },
  };
}

/** The same facts, but for one. */
const otherwise = (changes: Partial<AuditFacts["submission"]>): AuditFacts => ({
  ...FACTS,
  submission: { ...FACTS.submission, ...changes },
});

describe("evidence", () => {
  it("is what the key of the payload signed, for this submission and request", () => {
    expect(isEvidence(FACTS, evidence())).to.equal(true);
    expect(isEvidence(FACTS, { ...evidence(), said: null })).to.equal(true);
    expect(operatorOf(PAYLOAD)).to.equal(operator.publicKey.toBase58());
  });

  it("of another task, submission, owner, round, chain, payload or key is none", () => {
    const other = Keypair.generate().publicKey.toBase58();
    for (const facts of [
      { ...FACTS, task: { ...FACTS.task, address: other } },
      { ...FACTS, roundSeed: "03".repeat(32) },
      otherwise({ owner: other }),
      otherwise({ round: 4 }),
    ]) {
      expect(isEvidence(FACTS, evidence({}, facts))).to.equal(false);
    }
    // Signed for another submission, and said to be of this one.
    const elsewhere = evidence({}, otherwise({ address: other }));
    expect(isEvidence(FACTS, elsewhere)).to.equal(false);
    expect(isEvidence(FACTS, { ...elsewhere, submission: FACTS.submission.address })).to.be.false;
    expect(isEvidence(otherwise({ address: other }), evidence())).to.equal(false);
    expect(isEvidence(FACTS, evidence({}, FACTS, Keypair.generate()))).to.equal(false);
    // Somebody else's payload names somebody else's key, and has not the hash on the chain.
    const thief = Keypair.generate();
    const forged = Buffer.from(JSON.stringify({ operator: thief.publicKey.toBase58() }));
    const payloadHash = sha256(forged);
    expect(isEvidence(FACTS, evidence({}, FACTS, thief, forged))).to.equal(false);
    expect(isEvidence(otherwise({ payloadHash }), evidence())).to.equal(false);
    expect(isEvidence(FACTS, evidence({}, otherwise({ payloadHash }), operator, PAYLOAD))).to.equal(
      false,
    );
  });

  it("of which a byte was changed is none", () => {
    const { said, ...rest } = evidence();
    if (!said) throw new Error("Nothing was said.");
    const changes: Partial<SignedAnswer>[] = [
      { method: "POST" },
      { path: "/task/answer?question=8" },
      { body: "x" },
      { status: 201 },
      { answer: '{"answer":"yes"}' },
      { slot: SLOT + 1 },
      { signature: said.signature.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) },
      { signature: said.signature.slice(2) },
      { signature: "" },
      { signature: said.signature.toUpperCase() },
    ];
    for (const change of changes) {
      expect(isEvidence(FACTS, { ...rest, said: { ...said, ...change } })).to.equal(false);
    }
    expect(isEvidence(FACTS, { ...rest, said })).to.equal(true);
  });

  it("counts from the submission to the end of the case", () => {
    const { slot, caseEnd } = FACTS.submission;
    const counts = [slot - 1, slot, caseEnd, caseEnd + 1].map((at) =>
      isEvidence(FACTS, evidence({ slot: at })),
    );
    expect(counts).to.deep.equal([false, true, true, false]);
  });

  it("has one way to be written, one name and a bound", () => {
    const one = evidence();
    const text = evidenceText(one);
    expect(readEvidence(FACTS, text, evidenceHash(one))).to.deep.equal(one);
    expect(readEvidence(FACTS, text, sha256("other"))).to.equal(null);
    for (const odd of [text.slice(0, -1), ` ${text}`, text.replace("{", '{"x":1,'), "null", "[]"]) {
      expect(readEvidence(FACTS, odd, sha256(odd))).to.equal(null);
    }
    // The same bytes in another base64.
    const padded = { ...one, payload: `${one.payload} ` };
    expect(isEvidence(FACTS, padded)).to.equal(false);
    const room = MOST_EVIDENCE_BYTES - Buffer.byteLength(evidenceText(evidence({ answer: "" })));
    expect(isEvidence(FACTS, evidence({ answer: "x".repeat(room) }))).to.equal(true);
    expect(isEvidence(FACTS, evidence({ answer: "x".repeat(room + 1) }))).to.equal(false);
  });

  it("has each thing in its text once, in plain spelling", () => {
    const one = evidence({ slot: 1_000 }, otherwise({ slot: 1_000 }));
    const facts = otherwise({ slot: 1_000 });
    const text = evidenceText(one);
    expect(readEvidence(facts, text, sha256(text))).to.deep.equal(one);
    for (const [plain, odd] of [
      ['"slot":1000', '"slot":1e3'],
      ['"slot":1000', '"slot":1000.0'],
      ['"slot":1000', '"slot":7,"slot":1000'],
      ['"status":200', '"status":500,"status":200'],
      ['"method":"GET"', '"method":"\\u0047ET"'],
      ['"body":""', '"body":"","x":1'],
      ['"said":', '"said":null,"said":'],
    ] as const) {
      const other = text.replace(plain, odd);
      expect(other).not.to.equal(text);
      expect(readEvidence(facts, other, sha256(other)), odd).to.equal(null);
    }
  });

  it("is of well-formed text alone: halves of surrogate pairs have the hash of another text", () => {
    for (const half of ["\ud800", "\udc00", "\udc00\ud800"]) {
      for (const name of ["path", "body", "answer"] as const) {
        const signed = evidence({ [name]: `a${"\ufffd".repeat(half.length)}` });
        expect(isEvidence(FACTS, signed)).to.equal(true);
        const forged = { ...signed, said: { ...signed.said, [name]: `a${half}` } };
        expect(isEvidence(FACTS, forged), name).to.equal(false);
        const text = JSON.stringify(forged);
        expect(readEvidence(FACTS, text, sha256(text))).to.equal(null);
        expect(() => evidence({ [name]: half }), name).to.throw("surrogate");
      }
    }
    expect(isEvidence(FACTS, evidence({ answer: "\ufeff\ud83d\ude00\u0000" }))).to.equal(true);
  });

  it("is nothing that only looks like it", () => {
    const { said, ...rest } = evidence();
    for (const odd of [
      null,
      7,
      {},
      { ...rest },
      { ...rest, said: 7 },
      { ...rest, said: { ...said, slot: String(SLOT) } },
      { ...rest, said: { ...said, path: 7 } },
      evidence({ method: "GET\nPOST" }),
      evidence({ method: "" }),
      { ...rest, payload: 7, said },
    ]) {
      expect(isEvidence(FACTS, odd)).to.equal(false);
    }
    for (const payload of ["", "no JSON", "null", '{"operator":7}', '{"operator":"1111"}']) {
      expect(operatorOf(Buffer.from(payload)), payload).to.equal(null);
    }
    // The operator is text that an address can be, and its key no point of the curve.
    const bad = Buffer.from(JSON.stringify({ operator: "3".repeat(43) }));
    const facts = otherwise({ payloadHash: sha256(bad) });
    expect(isEvidence(facts, evidence({}, facts, operator, bad))).to.equal(false);
  });

  describe("in a function", () => {
    /** Runs the body of an audit function. */
    const run = (body: string, known: readonly Evidence[] = []) =>
      runAudit(
        functionOf(`export async function audit(c) { ${body} }`),
        FACTS,
        doorsWith(),
        {},
        known,
      );
    const payload = `new TextEncoder().encode(${JSON.stringify(PAYLOAD.toString())})`;
    const { said } = evidence();
    const answer = {
      status: EXCHANGE.status,
      body: EXCHANGE.answer,
      headers: { [SLOT_HEADER]: String(SLOT), [SIGNATURE_HEADER]: said?.signature ?? "" },
    };
    const proof = (path: string, changes: object = {}): string =>
      `c.proof(${payload}, { path: "${path}" }, ${JSON.stringify({ ...answer, ...changes })})`;

    it("is made of a signed answer, kept, and handed to the node with the verdict", async () => {
      const ran = await run(`c.keep(${proof(EXCHANGE.path)}); return "malicious"`);
      expect(ran).to.deep.include({ ok: true, value: "malicious", evidence: [evidence()] });
    });

    it("is made of the payload alone", async () => {
      const ran = await run(`c.keep(c.proof(${payload})); return "malicious"`);
      expect(ran.evidence).to.deep.equal([{ ...evidence(), said: null }]);
      const none = await run(`return c.proof(new Uint8Array(3)) ? "malicious" : "valid"`);
      expect(none).to.deep.include({ ok: true, value: "valid" });
    });

    it("is not made of what was not signed for this request", async () => {
      const signature = "0".repeat(128);
      for (const made of [
        proof("/task/answer?question=8"),
        proof(EXCHANGE.path, { headers: {} }),
        proof(EXCHANGE.path, { headers: { ...answer.headers, [SIGNATURE_HEADER]: signature } }),
        proof(EXCHANGE.path, { headers: { ...answer.headers, [SLOT_HEADER]: "x" } }),
        proof(EXCHANGE.path, { headers: { ...answer.headers, [SLOT_HEADER]: "" } }),
        proof(EXCHANGE.path, { status: 500 }),
      ]) {
        const ran = await run(`return ${made} === null ? "valid" : "malicious"`);
        expect(ran, JSON.stringify(ran)).to.deep.include({ ok: true, value: "valid" });
      }
    });

    it("does not outlive another verdict, nor is there more of it than a few, nor any that is none", async () => {
      const made = proof(EXCHANGE.path);
      expect((await run(`c.keep(${made}); return "downtime"`)).evidence).to.deep.equal([]);
      const many = `const e = ${made}; for (let n = 0; n < 9; n++) c.keep(e);`;
      expect((await run(`${many} return "malicious"`)).evidence).to.have.length(4);
      const forged = `c.keep({ ...${made}, submission: "other" });`;
      expect((await run(`${forged} return "malicious"`)).evidence).to.deep.equal([]);
    });

    it("is given to it, frozen, when it is evidence", async () => {
      const forged = evidence({}, FACTS, Keypair.generate());
      const ran = await run(
        `c.log(JSON.stringify(c.evidence));
         return [c.evidence, c.evidence[0], c.evidence[0].said].every(Object.isFrozen) ? "valid" : "downtime"`,
        [forged, evidence(), { ...evidence(), submission: "other" }],
      );
      expect(ran).to.deep.include({ ok: true, value: "valid" });
      expect(JSON.parse(ran.log[0] ?? "")).to.deep.equal([evidence()]);
    });
  });
});
