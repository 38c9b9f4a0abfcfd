import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import type { ChainTransaction, Doors, TaskFacts } from "@securing-tasks/sandbox";
import { encodeText, fromAddress, fromBase64, toAddress } from "./bytes";
import { PAGE } from "./reach";
import { draw } from "./sample";

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

/** Where a submission is looked for. */
export interface Sought {
  readonly address: string;
  /** Slots in which it can have been made, the last excluded. None is closed before that one. */
  readonly first: number;
  readonly end: number;
}

/** The submission of an owner for a round. Throws for what are no addresses. */
export function soughtOf(program: string, task: TaskFacts, round: number, owner: string): Sought {
  const first = task.startSlot + round * task.roundSlots;
  const address = submissionAddress(program, task.address, round, owner);
  return { address, first, end: first + task.submissionSlots };
}

export interface Found {
  readonly signature: string;
  readonly submitted: Submitted;
}

/** What a transaction logged of the submission with this address. */
export function foundIn(
  { signature, failed, logs }: ChainTransaction,
  program: string,
  address: string,
): Found | null {
  if (failed) return null;
  const submitted = submittedIn(logs, program).find(({ submission }) => submission === address);
  return submitted ? { signature, submitted } : null;
}

/** How far a search goes: it asks doors at most `pages` + 2 log2(1,000 `pages`) + `most` times, rounded up. */
export interface Reach {
  /** Thousands of transactions that are listed. */
  readonly pages: number;
  /** Transactions that are looked through. */
  readonly most: number;
  /** Of more than that, whether they are drawn: the owner itself may have put the first ones there. Else the oldest are looked through. */
  readonly drawn: boolean;
}

/**
 * Looks for a submission among the transactions of its address. Null where there is none; "hidden" where only a transaction whose logs
 * were cut can have made it; "lost" where so many name the address that it can't be told.
 */
export async function findSubmission(
  doors: Doors,
  program: string,
  { address, first, end }: Sought,
  { pages, most, drawn }: Reach,
): Promise<Found | "hidden" | "lost" | null> {
  const { signatures, whole } = await listed(doors, address, pages);
  const known = new Map<number, ChainTransaction>();
  const get = async (at: number): Promise<ChainTransaction> => {
    const signature = signatures[at] ?? "";
    const transaction = known.get(at) ?? (await doors.transaction(signature));
    // The server lists it, so what is missing is the server's history.
    if (!transaction) throw new Error(`The RPC server lists ${signature} and has no such thing.`);
    known.set(at, transaction);
    return transaction;
  };

  // Anybody can name the address in hundreds of transactions. But what it holds begins with the submission, unless a stranger pays for it,
  // and stays until its round takes no more: so the first transaction that leaves something there is found by halves.
  const firstThat = async (fits: (transaction: ChainTransaction) => boolean): Promise<number> => {
    let [low, high] = [0, signatures.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (fits(await get(middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  const few = whole && signatures.length <= most;
  const from = few
    ? 0
    : await firstThat((one) => one.slot >= end || (one.slot >= first && holds(one, address)));
  if (from === 0 && !whole) return "lost";
  const to = few || !drawn ? from : await firstThat(({ slot }) => slot >= end);
  if (to - from > most) {
    // Where nobody paid in advance it is the first. Who did can hide it among as many as it likes, and not know which are looked at.
    const places = new Map(signatures.slice(from, to).map((one, at) => [one, from + at]));
    const oldest = signatures.slice(from, from + Math.ceil(most / 4));
    const others = signatures.slice(from + oldest.length, to).sort();
    for (const signature of [...oldest, ...draw(others, most - oldest.length)]) {
      const found = foundIn(await get(places.get(signature) ?? 0), program, address);
      if (found) return found;
    }
    return "lost";
  }

  let left = most;
  const cut: string[] = [];
  /** Looks through one transaction after the other, from one on, until one is out of the slots. */
  const look = async (start: number, step: 1 | -1): Promise<Found | "lost" | null> => {
    for (let at = start; at >= 0 && at < signatures.length; at += step) {
      if (left-- <= 0) return "lost";
      const transaction = await get(at);
      const { slot, failed, logs } = transaction;
      if (step > 0 ? slot >= end : slot < first) return null;
      if (slot < first || slot >= end) continue;
      const found = foundIn(transaction, program, address);
      if (found) return found;
      // One that leaves nothing at the address made nothing there.
      if (!failed && logs.includes("Log truncated") && holds(transaction, address)) {
        cut.push(transaction.signature);
      }
    }
    return null;
  };
  // A server may give transactions of one slot in any order: a stranger's cut logs, before the owner's own, must convict nobody.
  const seen = (await look(from, 1)) ?? (cut.length > 0 ? await look(from - 1, -1) : null);
  return seen ?? (cut.length > 0 ? "hidden" : null);
}

/** Signatures of the transactions that touched an address, oldest first, and whether these are all. */
async function listed(
  doors: Doors,
  address: string,
  pages: number,
): Promise<{ readonly signatures: readonly string[]; readonly whole: boolean }> {
  const newest: string[] = [];
  for (let page = 0; page < pages; page++) {
    const before = newest.at(-1);
    const got = await doors.signatures(address, { limit: PAGE, ...(before && { before }) });
    newest.push(...got);
    if (got.length < PAGE) return { signatures: newest.reverse(), whole: true };
  }
  return { signatures: newest.reverse(), whole: false };
}

/** Whether an address has lamports after a transaction. */
function holds({ accounts, lamportsAfter }: ChainTransaction, address: string): boolean {
  return BigInt(lamportsAfter[accounts.indexOf(address)] ?? "0") > 0n;
}

/** A transaction that somebody named; null where it is unknown, or the name is no signature. */
export async function namedTransaction(
  doors: Doors,
  signature: string,
): Promise<ChainTransaction | null> {
  try {
    return await doors.transaction(signature);
  } catch (error) {
    // The accused would have no audit of its work end, if naming nonsense were a failure.
    if (error instanceof Error && "reason" in error && error.reason === "refused") return null;
    throw error;
  }
}
