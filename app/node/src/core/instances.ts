import { equalBytes } from "@noble/curves/utils";
import { PROGRAM_ID } from "@securing-tasks/client";
import type { SecuringTasksClient } from "@securing-tasks/client";
import type { PublicKey, VersionedTransactionResponse } from "@solana/web3.js";

/** A transaction that the operator's key signed, and that this state did not send. */
export interface Sighting {
  readonly signature: string;
  readonly slot: bigint;
}

export interface InstancesOptions {
  readonly client: SecuringTasksClient;
  /** Address of the node. */
  readonly node: PublicKey;
  readonly operator: PublicKey;
  /** Whether this daemon sent a transaction, or one before it on the same state. */
  readonly isOwn: (signature: string) => boolean;
}

/** Transactions that one look has listed, and those of them that it reads. */
const MOST_LISTED = 1_000;
const MOST_READ = 100;

/**
 * Finds out whether the operator's key works elsewhere: in a daemon on another machine, by hand, or for this node before its state was lost.
 * What counts are transactions that it signed, with an instruction that only operators sign.
 *
 * Attack: strangers name the node in transactions of theirs, to keep it from starting. Those lack the operator's signature. So many of them
 * hide what another instance sends, and do nothing more.
 */
export class Instances {
  /** The newest that was listed. */
  private newest: string | undefined;
  private readonly names: readonly string[];

  constructor(private readonly options: InstancesOptions) {
    this.names = options.client.program.idl.instructions
      .filter(({ accounts }) => accounts.some((one) => one.name === "operator" && "signer" in one))
      .map(({ name }) => name);
  }

  /** The newest of another instance among those that came since the last look, from this slot on; null where there is none. */
  async look(since: bigint): Promise<Sighting | null> {
    const { client, node, operator, isOwn } = this.options;
    const { connection } = client.program.provider;
    const until = this.newest === undefined ? {} : { until: this.newest };
    const limit = MOST_LISTED;
    const listed = await connection.getSignaturesForAddress(node, { limit, ...until }, "confirmed");
    const unknown = listed.filter(
      ({ slot, signature }) => BigInt(slot) >= since && !isOwn(signature),
    );
    let found: Sighting | null = null;
    for (const { signature, slot } of unknown.slice(0, MOST_READ)) {
      const transaction = await read(client, signature);
      if (!isSignedBy(transaction, operator) || !has(client, transaction, this.names)) continue;
      found = { signature, slot: BigInt(slot) };
      break;
    }
    // Only now: what could not be read is listed again.
    this.newest = listed[0]?.signature ?? this.newest;
    return found;
  }
}

/** Whether a node that is not there was there before, as far back as the server's history and its newest transactions go. */
export async function wasThere(client: SecuringTasksClient, node: PublicKey): Promise<boolean> {
  const { connection } = client.program.provider;
  const limit = MOST_LISTED;
  const listed = await connection.getSignaturesForAddress(node, { limit }, "confirmed");
  // Strangers' transactions name it too; none of them joins or closes it.
  const done = listed.filter(({ err }) => err === null).slice(0, MOST_READ);
  for (const { signature } of done) {
    if (has(client, await read(client, signature), ["joinTask", "closeNode"], node)) return true;
  }
  return false;
}

async function read(
  { program }: SecuringTasksClient,
  signature: string,
): Promise<VersionedTransactionResponse> {
  const transaction = await program.provider.connection.getTransaction(signature, {
    commitment: "confirmed",
    maxSupportedTransactionVersion: 0,
  });
  if (!transaction)
    throw new Error(`The RPC server lists the transaction ${signature} and has not got it.`);
  return transaction;
}

function isSignedBy({ transaction }: VersionedTransactionResponse, key: PublicKey): boolean {
  const { header, staticAccountKeys } = transaction.message;
  const signers = staticAccountKeys.slice(0, header.numRequiredSignatures);
  return signers.some((one) => one.equals(key));
}

/** Whether one of its instructions is the program's and has one of these names, and this account where one is given. */
function has(
  { program }: SecuringTasksClient,
  { transaction }: VersionedTransactionResponse,
  names: readonly string[],
  account?: PublicKey,
): boolean {
  const { compiledInstructions, staticAccountKeys: keys } = transaction.message;
  const ours = program.idl.instructions.filter(({ name }) => names.includes(name));
  return compiledInstructions.some(
    ({ programIdIndex, accountKeyIndexes, data }) =>
      keys[programIdIndex]?.equals(PROGRAM_ID) === true &&
      ours.some(({ discriminator: d }) =>
        equalBytes(Uint8Array.from(d), data.subarray(0, d.length)),
      ) &&
      (!account || accountKeyIndexes.some((index) => keys[index]?.equals(account) === true)),
  );
}
