import { sha256 } from "@noble/hashes/sha2";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils";
import type { Connection, PublicKey } from "@solana/web3.js";
import { SolanaJSONRPCError } from "@solana/web3.js";

const TAG = "securing-tasks:sample:v1";

/** Who looks at whose work. Owners are in base58. */
export interface SampleRequest {
  /** {@link roundSeed} of the round. */
  readonly seed: Uint8Array;
  /** Owners who submitted work in the round. */
  readonly submitters: readonly string[];
  /** Owners of all nodes of the task. */
  readonly nodes: readonly string[];
  readonly self: string;
  /** How many submissions to check. */
  readonly samples: number;
}

/**
 * Owners whose work a node checks. The seed puts the submitters in a ring, and each checks the next ones after itself: one sample each
 * covers everybody. Nodes that did not submit begin at places spread evenly over the ring. Anybody can compute it, and nobody could
 * know it while work was taken; nobody checks itself.
 */
export function sample({ seed, submitters, nodes, self, samples }: SampleRequest): string[] {
  const ring = shuffled(seed, submitters);
  const place = ring.indexOf(self);
  let start = place + 1;
  if (place === -1) {
    const watchers = shuffled(
      seed,
      [...nodes, self].filter((owner) => !ring.includes(owner)),
    );
    start = Math.floor((watchers.indexOf(self) * ring.length) / watchers.length);
  }
  const count = Math.min(samples, place === -1 ? ring.length : ring.length - 1);
  return Array.from({ length: count }, (_, step) => ring[(start + step) % ring.length] ?? self);
}

/**
 * The same for a node that submitted, without knowing who else did: all workers in the order of the ring, from the one behind it on. The first of
 * them that submitted are its samples.
 */
export function behind(seed: Uint8Array, workers: readonly string[], self: string): string[] {
  const ring = shuffled(seed, [...workers, self]);
  const place = ring.indexOf(self);
  return [...ring.slice(place + 1), ...ring.slice(0, place)];
}

/**
 * For a node that did not submit, where too many did to list them all: witnesses begin at places spread evenly over the ring of all workers,
 * workers behind their own.
 */
export function watched(
  seed: Uint8Array,
  workers: readonly string[],
  witnesses: readonly string[],
  self: string,
): string[] {
  if (workers.includes(self)) return behind(seed, workers, self);
  const ring = shuffled(seed, workers);
  const watchers = shuffled(seed, [...witnesses, self]);
  const start = Math.floor((watchers.indexOf(self) * ring.length) / watchers.length);
  return [...ring.slice(start), ...ring.slice(0, start)];
}

/** Without doubles, by hash: no order that an owner could choose. */
function shuffled(seed: Uint8Array, owners: readonly string[]): string[] {
  const keyed = [...new Set(owners)].map((owner): readonly [string, string] => [
    bytesToHex(sha256(concatBytes(seed, utf8ToBytes(owner)))),
    owner,
  ]);
  return keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, owner]) => owner);
}

/**
 * Seed of a round's samples: from the first block at or after the end of its submission window, which nobody knew while work was
 * taken. Null while there is no such block. Throws an Error where the server lacks it and gives a later one: that one would make another
 * ring than everybody else's, and some work would be checked by nobody.
 */
export async function roundSeed(
  connection: Connection,
  task: PublicKey,
  round: bigint,
  submissionEnd: bigint,
): Promise<Uint8Array | null> {
  const from = Number(submissionEnd);
  const [first] = await connection.getBlocks(from, from + SEARCH_SLOTS, "confirmed");
  if (first === undefined) return null;
  try {
    const block = await connection.getBlock(first, {
      commitment: "confirmed",
      maxSupportedTransactionVersion: 0,
      rewards: false,
      transactionDetails: "none",
    });
    if (!block) return null;
    if (block.parentSlot >= from) {
      // The rest of an endpoint's URL may be a key.
      const { host } = new URL(connection.rpcEndpoint);
      throw new Error(
        `The RPC server ${host} gives the block of slot ${first} as the first from slot ${from} on, and its parent is of slot ${block.parentSlot}: blocks are missing. Use one that has them all.`,
      );
    }
    return sha256(
      concatBytes(
        utf8ToBytes(TAG),
        task.toBytes(),
        utf8ToBytes(`${round.toString()} ${block.blockhash}`),
      ),
    );
  } catch (error) {
    // A server that is busy has a block a little after it has confirmed it.
    if (error instanceof SolanaJSONRPCError && error.code === NOT_YET) return null;
    throw error;
  }
}

/** Slots can be skipped for long. */
const SEARCH_SLOTS = 500;
const NOT_YET = -32_004;
