import type { Submission, Task } from "@securing-tasks/client";
import { longestCase } from "@securing-tasks/client";
import type { Connection } from "@solana/web3.js";
import { PublicKey, SolanaJSONRPCError } from "@solana/web3.js";
import type { AuditFacts, TaskFacts, WorkFacts } from "./api";
import { hashing } from "./primitives";

export function taskFacts(task: Task): TaskFacts {
  return {
    address: task.address.toBase58(),
    creator: task.creator.toBase58(),
    id: task.id.toString(),
    mint: task.mint.toBase58(),
    startSlot: Number(task.startSlot),
    roundSlots: Number(task.rules.roundSlots),
    submissionSlots: Number(task.rules.submissionSlots),
    bountyPerRound: task.rules.bountyPerRound.toString(),
  };
}

/**
 * The same on every node: seed and time come from the block in which the work was submitted. Throws an Error when the RPC server hasn't
 * the block (any more).
 */
export async function auditFacts(
  connection: Connection,
  task: Task,
  submission: Submission,
): Promise<AuditFacts> {
  const { hash, time } = await blockOf(connection, Number(submission.slot));
  const round = await roundBegin(connection, task, submission.round);
  return {
    task: taskFacts(task),
    submission: {
      address: submission.address.toBase58(),
      owner: submission.owner.toBase58(),
      round: Number(submission.round),
      slot: Number(submission.slot),
      payloadHash: Buffer.from(submission.payloadHash).toString("hex"),
      payloadUri: submission.payloadUri,
      caseEnd: Number(caseEnd(task, submission.round)),
    },
    roundSeed: round.seed,
    seed: seed("securing-tasks/audit", hash, submission.address.toBytes()),
    now: time,
  };
}

/** Last slot at which an audit of a round's work can be open. */
function caseEnd({ startSlot, rules }: Task, round: bigint): bigint {
  // One that is opened in the last slot of the window takes all stages, and all of them again where it is appealed.
  return startSlot + round * rules.roundSlots + longestCase(rules);
}

/** Seed and time come from the first block of the round. Throws an Error when there is none yet, or none any more. */
export async function workFacts(
  connection: Connection,
  task: Task,
  round: bigint,
  node: {
    readonly owner: PublicKey;
    readonly operator: PublicKey;
    readonly publicUrl: string | null;
    readonly secrets: Readonly<Record<string, string>>;
  },
): Promise<WorkFacts> {
  const begin = await roundBegin(connection, task, round);
  return {
    task: taskFacts(task),
    round: Number(round),
    owner: node.owner.toBase58(),
    operator: node.operator.toBase58(),
    publicUrl: node.publicUrl,
    secrets: node.secrets,
    seed: begin.seed,
    now: begin.time,
  };
}

/** Seed and time of a round. */
async function roundBegin(
  connection: Connection,
  task: Task,
  round: bigint,
): Promise<{ readonly seed: string; readonly time: number }> {
  const { roundSlots } = task.rules;
  const start = Number(task.startSlot + round * roundSlots);
  const { hash, time } = await kept(connection, `from ${start}`, async () => {
    const slot = await firstBlock(connection, start, start + Number(roundSlots) - 1);
    const block = await blockOf(connection, slot);
    // A server that has begun to clean the round up would give a later block as the first, and with it another seed than all others.
    if (block.parent >= start) throw new Error(missing(connection, start));
    return block;
  });
  const number = new Uint8Array(8);
  new DataView(number.buffer).setBigUint64(0, round, true);
  return { seed: seed("securing-tasks/work", hash, task.address.toBytes(), number), time };
}

function seed(tag: string, ...parts: readonly Uint8Array[]): string {
  const hash = hashing();
  hash.update(new TextEncoder().encode(tag));
  for (const part of parts) hash.update(part);
  return hash.hex();
}

/** Slots that one question for blocks spans: most blocks come within a few, and servers limit the span. */
const SPAN = 1_000;

async function firstBlock(connection: Connection, first: number, last: number): Promise<number> {
  for (let from = first; from <= last; from += SPAN) {
    const to = Math.min(from + SPAN - 1, last);
    const [slot] = await patiently(connection, from, () =>
      connection.getBlocks(from, to, "confirmed"),
    );
    if (slot !== undefined) return slot;
    if ((await connection.getSlot("confirmed")) <= to) {
      throw new Error(`No block is confirmed from slot ${first} on: the round has not begun yet.`);
    }
  }
  throw new Error(missing(connection, first));
}

interface Block {
  readonly hash: Uint8Array;
  /** Slot of the block before. */
  readonly parent: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Blocks that many audits ask for, by connection. */
const blocks = new WeakMap<Connection, Map<string, Promise<Block>>>();
/** Those that were asked for last. */
const MOST_BLOCKS = 1_000;

/** Asks once for what stays as it is. What could not be had is asked for anew. */
function kept(connection: Connection, name: string, ask: () => Promise<Block>): Promise<Block> {
  const known = blocks.get(connection) ?? new Map<string, Promise<Block>>();
  blocks.set(connection, known);
  const block = known.get(name) ?? ask();
  known.delete(name);
  known.set(name, block);
  block.catch(() => {
    if (known.get(name) === block) known.delete(name);
  });
  const [oldest] = known.keys();
  if (known.size > MOST_BLOCKS && oldest !== undefined) known.delete(oldest);
  return block;
}

function blockOf(connection: Connection, slot: number): Promise<Block> {
  return kept(connection, `at ${slot}`, () => readBlock(connection, slot));
}

async function readBlock(connection: Connection, slot: number): Promise<Block> {
  const block = await patiently(connection, slot, () =>
    connection.getBlock(slot, {
      commitment: "confirmed",
      maxSupportedTransactionVersion: 0,
      rewards: false,
      transactionDetails: "none",
    }),
  );
  if (block === null || block.blockTime === null) throw new Error(missing(connection, slot));
  return {
    // A blockhash and an address are both 32 bytes in base58.
    hash: new PublicKey(block.blockhash).toBytes(),
    parent: block.parentSlot,
    time: block.blockTime * 1_000,
  };
}

/** A server that is busy has a block a little after it has confirmed it. */
const NOT_YET = -32_004;
/** The block or slot is not there: skipped, or cleaned up. */
const GONE = new Set([-32_001, -32_007, -32_009]);
const TRIES = 20;
const PAUSE_MS = 250;

async function patiently<T>(
  connection: Connection,
  slot: number,
  ask: () => Promise<T>,
): Promise<T> {
  for (let left = TRIES; ; left--) {
    try {
      return await ask();
    } catch (error) {
      const code = error instanceof SolanaJSONRPCError ? error.code : undefined;
      const wait = code === NOT_YET && left > 0;
      if (GONE.has(Number(code)) || (code === NOT_YET && !wait)) {
        throw new Error(missing(connection, slot), { cause: error });
      }
      if (!wait) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

function missing(connection: Connection, slot: number): string {
  // The rest of an endpoint's URL may be a key.
  const { host } = new URL(connection.rpcEndpoint);
  return (
    `The RPC server ${host} has no block of slot ${slot}, or has it no more. ` +
    "Use one that keeps the blocks of all rounds that can still be audited."
  );
}
