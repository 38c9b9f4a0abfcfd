import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import type { Doors } from "@securing-tasks/sandbox";
import { encodeText, fromAddress, fromBase64, toAddress } from "./bytes";

/*
 * Submissions of earlier rounds. Their accounts may be closed once they are paid, so they are found by the event that the program
 * logged: that stays on the chain.
 */

/** What the program's event `WorkSubmitted` says. */
export interface Submitted {
  readonly task: string;
  readonly submission: string;
  readonly owner: string;
  readonly round: number;
  /** 64 hex digits. */
  readonly payloadHash: string;
}

const DISCRIMINATOR = "88b9d2aed88c407d";
/** Discriminator, task, submission, owner, round (u64 LE), payload hash, reserve, slot. */
const EVENT_BYTES = 8 + 3 * 32 + 8 + 32 + 8 + 8;

/** The submissions among the log lines of a transaction. Only lines that the program itself wrote count. */
export function submittedIn(logs: readonly string[], program: string): Submitted[] {
  const found: Submitted[] = [];
  const running: string[] = [];
  for (const line of logs) {
    const [, who, what] = /^Program (\S+) (invoke \[\d+\]|success|failed)/.exec(line) ?? [];
    if (who !== undefined && what?.startsWith("invoke")) running.push(who);
    else if (who !== undefined && who === running.at(-1)) running.pop();
    // Any program can write any data: what it writes while it runs itself is its word, and not the called program's.
    const [, data] = /^Program data: (\S+)$/.exec(line) ?? [];
    if (data === undefined || running.at(-1) !== program) continue;
    const event = decode(fromBase64(data));
    if (event) found.push(event);
  }
  return found;
}

function decode(bytes: Uint8Array): Submitted | null {
  if (bytes.length !== EVENT_BYTES || bytesToHex(bytes.slice(0, 8)) !== DISCRIMINATOR) return null;
  const key = (at: number): string => toAddress(bytes.slice(at, at + 32));
  return {
    task: key(8),
    submission: key(40),
    owner: key(72),
    round: Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(104, true)),
    payloadHash: bytesToHex(bytes.slice(112, 144)),
  };
}

/** Where the program keeps an owner's submission for a round. Throws for what are no addresses. */
export function submissionAddress(
  program: string,
  task: string,
  round: number,
  owner: string,
): string {
  const number = new Uint8Array(8);
  new DataView(number.buffer).setBigUint64(0, BigInt(round), true);
  const seeds = [encodeText("submission"), keyOf(task), number, keyOf(owner)];
  const ending = concatBytes(keyOf(program), encodeText("ProgramDerivedAddress"));
  for (let bump = 255; bump >= 0; bump--) {
    const hash = sha256(concatBytes(...seeds, Uint8Array.of(bump), ending));
    if (!isPoint(hash)) return toAddress(hash);
  }
  throw new Error(`Nothing can be kept for ${owner}.`);
}

function keyOf(address: string): Uint8Array {
  const key = fromAddress(address);
  if (!key) throw new Error(`${address} is no address.`);
  return key;
}

function isPoint(bytes: Uint8Array): boolean {
  try {
    ed25519.Point.fromBytes(bytes, true);
    return true;
  } catch {
    return false;
  }
}

/**
 * The submission of an owner for a round, with its transaction, or null where there was none. Looks first at `hint`, a signature, then
 * among the transactions of the submission's address. Throws when these are more than `most`.
 */
export async function findSubmission(
  doors: Doors,
  program: string,
  sought: { readonly task: string; readonly round: number; readonly owner: string },
  options: { readonly hint?: string; readonly most: number },
): Promise<{ readonly signature: string; readonly submitted: Submitted } | null> {
  const address = submissionAddress(program, sought.task, sought.round, sought.owner);
  const look = async (signature: string): Promise<Submitted | undefined> => {
    const transaction = await doors.transaction(signature);
    if (!transaction || transaction.failed) return undefined;
    return submittedIn(transaction.logs, program).find(({ submission }) => submission === address);
  };
  const signatures = await doors.signatures(address, { limit: options.most + 1 });
  const { hint } = options;
  // A door refuses what is no signature, so the hint is only taken where the chain gave it too, or the list is not whole.
  const whole = signatures.length <= options.most;
  const hinted = hint !== undefined && (signatures.includes(hint) || (!whole && isSignature(hint)));
  const order = hinted ? [hint, ...signatures] : [...signatures].reverse();
  for (const signature of order.slice(0, options.most)) {
    const submitted = await look(signature);
    if (submitted) return { signature, submitted };
  }
  if (whole) return null;
  throw new Error(`Over ${options.most} transactions touch ${address}: too many to look through.`);
}

function isSignature(text: string): boolean {
  return /^[1-9A-HJ-NP-Za-km-z]{86,88}$/.test(text);
}
