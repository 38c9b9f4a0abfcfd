import { unpackAccount } from "@solana/spl-token";
import type { PublicKey } from "@solana/web3.js";
import type { SecuringTasksClient } from "./client";
import type { AllowEntry, Audit, Node, Round, Submission, Task, Vote } from "./types";

/** All accounts of a task, who its money belongs to, and what its vault holds. Base units of the mint. */
export interface Ledger {
  readonly task: Task;
  readonly nodes: readonly Node[];
  readonly entries: readonly AllowEntry[];
  readonly rounds: readonly Round[];
  readonly submissions: readonly Submission[];
  readonly audits: readonly Audit[];
  readonly votes: readonly Vote[];
  /** Nobody's yet: bounties come from here. */
  readonly pool: bigint;
  /** Stake, locked shares and what is payable, of all nodes. */
  readonly held: bigint;
  /** What is left of all rounds' reserves. */
  readonly reserves: bigint;
  /** Bonds and the voters' pots of all audits. */
  readonly pots: bigint;
  /** Deposits of all votes. */
  readonly deposits: bigint;
  /** All of the above. */
  readonly total: bigint;
  /** Tokens in the vault. */
  readonly vault: bigint;
}

/** What a node owns in its task's vault. */
export function heldBy(node: Node): bigint {
  return node.stake + node.locked + node.lockedNext + node.payable;
}

/**
 * Reads all accounts of a task and sums them. On a busy chain other transactions may come between the readings: read
 * again before you trust a difference.
 */
export async function readLedger(client: SecuringTasksClient, address: PublicKey): Promise<Ledger> {
  const { connection } = client.program.provider;
  const task = await client.fetch("task", address);
  const vaultAccount = await connection.getAccountInfo(task.vault);
  const [nodes, entries, rounds, submissions, audits] = await Promise.all([
    client.ofTask("node", address),
    client.ofTask("allowEntry", address),
    client.ofTask("round", address),
    client.ofTask("submission", address),
    client.ofTask("audit", address),
  ]);
  const votes = (await Promise.all(audits.map((audit) => client.votesIn(audit.address)))).flat();
  const held = sum(nodes.map(heldBy));
  const reserves = sum(rounds.map(({ left }) => left));
  const pots = sum(audits.map(({ bond, votersLeft }) => bond + votersLeft));
  const deposits = sum(votes.map(({ deposit }) => deposit));
  return {
    task,
    nodes,
    entries,
    rounds,
    submissions,
    audits,
    votes,
    pool: task.pool,
    held,
    reserves,
    pots,
    deposits,
    total: task.pool + held + reserves + pots + deposits,
    vault: unpackAccount(task.vault, vaultAccount, vaultAccount?.owner).amount,
  };
}

/** Throws unless the vault holds to the unit what the ledger says. */
export function assertBalanced(ledger: Ledger): void {
  const { task, pool, held, reserves, pots, deposits, total, vault } = ledger;
  if (total === vault) return;
  throw new Error(
    `The ledger of task ${task.address.toBase58()} says ${String(total)} and its vault holds ${String(vault)}: ` +
      `pool ${String(pool)}, nodes ${String(held)}, rounds ${String(reserves)}, audits ${String(pots)}, votes ${String(deposits)}.`,
  );
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((a, b) => a + b, 0n);
}
