import { unpackAccount } from "@solana/spl-token";
import type { PublicKey } from "@solana/web3.js";
import type { Accounts } from "./accounts";
import { decodeAccount } from "./accounts";
import type { SecuringTasksClient } from "./client";
import type { AllowEntry, Audit, Node, Round, Submission, Task, Vote } from "./types";

/** A slot that is confirmed has its end: nothing is added to it any more. */
const COMMITMENT = "confirmed";

/** All accounts of a task. */
export interface TaskAccounts {
  readonly task: Task;
  readonly nodes: readonly Node[];
  readonly entries: readonly AllowEntry[];
  readonly rounds: readonly Round[];
  readonly submissions: readonly Submission[];
  readonly audits: readonly Audit[];
  readonly votes: readonly Vote[];
}

/** All accounts of a task as they were read, one kind after the other. */
export interface Reading {
  /** Null where there is no such task. */
  readonly accounts: TaskAccounts | null;
  /** What happened before this slot is in it. */
  readonly from: bigint;
  /** What happened after this slot is not. What happened from the one to the other, both included, may be in it or not, or by half. */
  readonly to: bigint;
}

/** All accounts of a task, who its money belongs to, and what its vault holds. Base units of the mint. */
export interface Ledger extends TaskAccounts {
  /** Nobody's yet: bounties come from here. */
  readonly pool: bigint;
  /** Stake, locked shares and what is payable, of all nodes. */
  readonly held: bigint;
  /** What is left of all rounds' reserves. */
  readonly reserves: bigint;
  /** What voters have not claimed of all audits. */
  readonly pots: bigint;
  /** All of the above. */
  readonly total: bigint;
  /** Tokens in the vault. */
  readonly vault: bigint;
}

/** What a node owns in its task's vault. Bonds and deposits are a part of its stake. */
export function heldBy(node: Node): bigint {
  return node.stake + node.locked + node.lockedNext + node.payable;
}

/** Reads all accounts of a task. Rejects where the server has not reached `minSlot`. */
export async function readAccounts(
  client: SecuringTasksClient,
  address: PublicKey,
  minSlot = 0n,
): Promise<Reading> {
  const { connection } = client.program.provider;
  const slots: bigint[] = [];
  const all = async <N extends Parameters<typeof client.startingWith>[0]>(
    name: N,
    key: PublicKey,
  ): Promise<Accounts[N][]> => {
    const { slot, accounts } = await client.startingWith(name, key, minSlot, COMMITMENT);
    slots.push(slot);
    return accounts;
  };
  const one = async (): Promise<Task | null> => {
    const { context, value } = await connection.getAccountInfoAndContext(address, {
      commitment: COMMITMENT,
      minContextSlot: Number(minSlot),
    });
    slots.push(BigInt(context.slot));
    return value?.owner.equals(client.program.programId)
      ? decodeAccount(client.program, "task", address, value.data)
      : null;
  };
  const votesOf = async (audits: readonly Audit[]): Promise<Vote[]> =>
    (await Promise.all(audits.map((audit) => all("vote", audit.address)))).flat();
  const [task, nodes, entries, rounds, submissions, [audits, votes]] = await Promise.all([
    one(),
    all("node", address),
    all("allowEntry", address),
    all("round", address),
    all("submission", address),
    all("audit", address).then(async (found) => [found, await votesOf(found)] as const),
  ]);
  const [from, to] = slots.reduce(
    ([first, last], slot) => [slot < first ? slot : first, slot > last ? slot : last],
    [slots[0] ?? minSlot, slots[0] ?? minSlot],
  );
  const accounts = task && { task, nodes, entries, rounds, submissions, audits, votes };
  return { accounts, from, to };
}

/**
 * Reads all accounts of a task and sums them. On a busy chain other transactions may come between the readings: read
 * again before you trust a difference.
 */
export async function readLedger(client: SecuringTasksClient, address: PublicKey): Promise<Ledger> {
  const { accounts } = await readAccounts(client, address);
  if (!accounts) {
    throw new Error(
      `There is no task at ${address.toBase58()}. Check the address, the network, and that it was created.`,
    );
  }
  const vaultAccount = await client.program.provider.connection.getAccountInfo(accounts.task.vault);
  return ledgerOf(
    accounts,
    unpackAccount(accounts.task.vault, vaultAccount, vaultAccount?.owner).amount,
  );
}

/** Sums all accounts of a task. `vault`: the tokens in its vault, in base units. */
export function ledgerOf(accounts: TaskAccounts, vault: bigint): Ledger {
  const { task, nodes, rounds, audits } = accounts;
  const held = sum(nodes.map(heldBy));
  const reserves = sum(rounds.map(({ left }) => left));
  const pots = sum(audits.map(({ votersLeft }) => votersLeft));
  return {
    ...accounts,
    pool: task.pool,
    held,
    reserves,
    pots,
    total: task.pool + held + reserves + pots,
    vault,
  };
}

/** Throws unless the vault holds to the unit what the ledger says. */
export function assertBalanced(ledger: Ledger): void {
  const { task, pool, held, reserves, pots, total, vault } = ledger;
  if (total === vault) return;
  throw new Error(
    `The ledger of task ${task.address.toBase58()} says ${String(total)} and its vault holds ${String(vault)}: ` +
      `pool ${String(pool)}, nodes ${String(held)}, rounds ${String(reserves)}, audits ${String(pots)}.`,
  );
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((a, b) => a + b, 0n);
}
