import { decode } from "bs58";
import type { AskedFor, AuditFacts, Evidence, HttpAnswer, SignedAnswer } from "./api";
import { isSignedBy, sha256Hex, sign } from "./primitives";

/** In a request: the address of the submission that the answer is to be signed for. In an answer: the one that it is signed for. */
export const SUBMISSION_HEADER = "securing-tasks-submission";
/** Slot at which the signed answer was asked for. */
export const SLOT_HEADER = "securing-tasks-slot";
/** The signature, as 128 hex digits. */
export const SIGNATURE_HEADER = "securing-tasks-signature";

/** Most bytes of a piece of evidence as {@link evidenceText} writes it: what is longer proves nothing, to any node. */
export const MOST_EVIDENCE_BYTES = 65_536;
/** Most pieces that one run is given. */
export const MOST_EVIDENCE = 80;

/** The submission that an answer is signed for. */
export interface SignedFor {
  readonly task: string;
  /** Address of the submission, which is derived from program, task, round and owner. */
  readonly submission: string;
  readonly owner: string;
  readonly round: number;
  /** The seed of the round: it comes from a block, and so from one chain. */
  readonly roundSeed: string;
  /** SHA-256 of the payload, as 64 hex digits. */
  readonly payloadHash: string;
}

/** A request, its answer, and the slot at which it was asked for. */
export type Exchange = Omit<SignedAnswer, "signature">;

/**
 * Signs an answer. `seed` is the first half of an ed25519 secret key. Gives 128 hex digits. Throws for text that is not well formed: what
 * is sent of it would be another.
 */
export function signAnswer(seed: Uint8Array, what: SignedFor, exchange: Exchange): string {
  const { path, body, answer } = exchange;
  if (![path, body, answer].every(isWellFormed)) {
    throw new Error("A text with half of a surrogate pair can't be signed.");
  }
  return signBytes(seed, statement(what, exchange));
}

/** Signs with an ed25519 key, of which `seed` is the first half. Gives 128 hex digits. */
export function signBytes(seed: Uint8Array, bytes: Uint8Array): string {
  return Buffer.from(sign(seed, bytes)).toString("hex");
}

/**
 * Whether a text is one in UTF-8 too. Halves of surrogate pairs all become U+FFFD there, and have one hash with it: who signed one text
 * would have signed the others as well.
 */
export function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

/**
 * What is signed. All that tells one answer from another is in it, so that an old answer, one of another round, task or chain, or one to
 * another request is none. Each line is a hash, a number, an address or a method: none can run into the next.
 */
function statement(what: SignedFor, exchange: Exchange): Buffer {
  const lines = [
    "securing-tasks/answer",
    what.task,
    what.submission,
    what.owner,
    what.round,
    what.roundSeed,
    what.payloadHash,
    exchange.method,
    sha256Hex(exchange.path),
    sha256Hex(exchange.body),
    exchange.status,
    sha256Hex(exchange.answer),
    exchange.slot,
  ];
  // No transaction begins with this byte: the operator's key must never sign one that a stranger made up by his request.
  return Buffer.concat([Buffer.of(255), Buffer.from(lines.join("\n"))]);
}

/**
 * The key that signs a node's answers for a submission: `operator` of its payload, a JSON object, in base58. So the key is bound by the
 * payload's hash on the chain, and whoever has another operator later gets rid of nothing. Null where the payload names none.
 */
export function operatorOf(payload: Uint8Array): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
    const { operator } = JSON.parse(text) as { readonly operator?: unknown };
    if (typeof operator !== "string" || operator.length > 44) return null;
    return decode(operator).length === 32 ? operator : null;
  } catch {
    return null;
  }
}

/** What an answer proves of the accused: null where its key did not sign it for this submission, this request and while the case lasts. */
export function proofOf(
  facts: AuditFacts,
  payload: Uint8Array,
  asked?: AskedFor,
  answer?: HttpAnswer,
): Evidence | null {
  const evidence = {
    submission: facts.submission.address,
    payload: Buffer.from(payload).toString("base64"),
    said: asked && answer ? signedIn(asked, answer) : null,
  };
  return isEvidence(facts, evidence) ? evidence : null;
}

function signedIn({ path, method = "GET", body = "" }: AskedFor, answer: HttpAnswer): SignedAnswer {
  const slot = answer.headers[SLOT_HEADER] ?? "";
  const signature = answer.headers[SIGNATURE_HEADER] ?? "";
  const at = /^\d{1,15}$/.test(slot) ? Number(slot) : -1;
  return { method, path, body, status: answer.status, answer: answer.body, slot: at, signature };
}

/** Whether this is evidence about the submission, whoever brings it: forged, replayed and mutilated evidence is none. */
export function isEvidence(facts: AuditFacts, value: unknown): value is Evidence {
  const { submission, task, roundSeed } = facts;
  if (!isShaped(value) || value.submission !== submission.address) return false;
  if (Buffer.byteLength(evidenceText(value)) > MOST_EVIDENCE_BYTES) return false;
  const payload = Buffer.from(value.payload, "base64");
  if (payload.toString("base64") !== value.payload) return false;
  if (sha256Hex(payload) !== submission.payloadHash) return false;
  const { said } = value;
  if (said === null) return true;
  if (said.slot < submission.slot || said.slot > submission.caseEnd) return false;
  const operator = operatorOf(payload);
  if (operator === null) return false;
  const { owner, round, payloadHash } = submission;
  const what = { owner, round, payloadHash, roundSeed };
  const signed = statement({ ...what, task: task.address, submission: submission.address }, said);
  return isSignature(operator, signed, said.signature);
}

/** Whether a key in base58 signed this. Never throws, whatever it is given. */
export function isSignature(signer: string, signed: Uint8Array, signature: string): boolean {
  try {
    return isSignedBy(decode(signer), signed, Buffer.from(signature, "hex"));
  } catch {
    return false;
  }
}

/** The one way to write it down; its SHA-256 is its name. */
export function evidenceText({ submission, payload, said }: Evidence): string {
  return JSON.stringify({
    submission,
    payload,
    said: said && {
      method: said.method,
      path: said.path,
      body: said.body,
      status: said.status,
      answer: said.answer,
      slot: said.slot,
      signature: said.signature,
    },
  });
}

/** What a text says that came with this name; null where it isn't what the name is of, or is no evidence about the submission. */
export function readEvidence(facts: AuditFacts, text: string, hash: string): Evidence | null {
  if (text.length > MOST_EVIDENCE_BYTES || sha256Hex(text) !== hash) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isEvidence(facts, value) && evidenceText(value) === text ? value : null;
  } catch {
    return null;
  }
}

/** SHA-256 of the canonical text, as 64 hex digits. */
export function evidenceHash(evidence: Evidence): string {
  return sha256Hex(evidenceText(evidence));
}

function isShaped(value: unknown): value is Evidence {
  if (typeof value !== "object" || value === null) return false;
  const { submission, payload, said } = value as Record<string, unknown>;
  if (typeof submission !== "string" || typeof payload !== "string") return false;
  if (said === null) return true;
  if (typeof said !== "object") return false;
  const { method, path, body, status, answer, slot, signature } = said as Record<string, unknown>;
  return (
    [path, body, answer].every((text) => typeof text === "string" && isWellFormed(text)) &&
    [status, slot].every((number) => Number.isSafeInteger(number)) &&
    typeof method === "string" &&
    /^[A-Z]{1,16}$/.test(method) &&
    typeof signature === "string" &&
    /^[0-9a-f]{128}$/.test(signature)
  );
}
