import type { Signer, TransactionInstruction } from "@solana/web3.js";
import { PublicKey, Transaction } from "@solana/web3.js";
import type { SecuringTasksClient } from "./client";
import { allowEntryAddress } from "./pda";
import type { Role } from "./types";
import { ROLES } from "./types";

/** One line of a list: an owner and the role it may take. */
export interface Permission {
  readonly owner: PublicKey;
  readonly role: Role;
}

export interface AllowOptions {
  readonly task: PublicKey;
  readonly creator: PublicKey;
  /** Who pays the rent of the entries. Default: the creator. */
  readonly payer?: PublicKey;
  /**
   * One owner a line, then, behind a comma or semicolon, `worker` or `witness` where it is not `role`. A first line
   * that begins with "owner", empty lines and lines that begin with # say nothing.
   */
  readonly csv: string;
  /** The role of lines that name none. */
  readonly role: Role;
  /** The creator's key, where the client's wallet is another. */
  readonly signers?: readonly Signer[];
  /** Signs one of the transactions, sends it, and gives its signature once it is confirmed. Default: the client's provider. */
  readonly send?: (transaction: Transaction) => Promise<string>;
  /** Told after every transaction how many of how many are on the list, those from before included. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** Entries that fit one transaction beside the creator's and a payer's signature. */
const BATCH = 11;
/** Transactions on their way at a time. */
const PARALLEL = 6;
/** Addresses that a validator answers about at once. */
const LOOKUP = 100;

/**
 * Puts every owner of a CSV on the task's allowlist, in as few transactions as it takes. Refuses the whole list when a line
 * can't be read. Who is on it already stays, so that an attempt that broke off is finished by making it again.
 */
export async function allowFromCsv(
  client: SecuringTasksClient,
  options: AllowOptions,
): Promise<{
  readonly added: number;
  readonly already: number;
  /** Of the transactions sent. */
  readonly signatures: readonly string[];
}> {
  const { task, creator, payer = creator, signers = [], onProgress } = options;
  const { provider } = client.program;
  const deliver =
    options.send ??
    ((transaction: Transaction): Promise<string> => {
      if (!provider.sendAndConfirm) throw new Error("The client's provider can't send.");
      return provider.sendAndConfirm(transaction, [...signers]);
    });
  const all = readAllowlist(options.csv, options.role);
  const missing = await withoutEntry(client, task, all);
  const already = all.length - missing.length;
  let added = 0;
  const signatures: string[] = [];
  const batches = slices(missing, BATCH);
  const next = batches.values();
  onProgress?.(already, all.length);
  // All take from one iterator, so that one failure leaves the rest unsent.
  const send = async (): Promise<void> => {
    for (const batch of next) {
      const instructions = await Promise.all(
        batch.map(({ owner, role }): Promise<TransactionInstruction> =>
          client.allowNode({ task, creator, payer, role, owner }).instruction(),
        ),
      );
      try {
        signatures.push(await deliver(new Transaction().add(...instructions)));
      } catch (error) {
        next.return?.();
        throw error;
      }
      added += batch.length;
      onProgress?.(already + added, all.length);
    }
  };
  const results = await Promise.allSettled(Array.from({ length: PARALLEL }, send));
  const failed = results.find((result) => result.status === "rejected");
  // As it was thrown, for `explain`; who was added is on the list all the same.
  if (failed) throw failed.reason;
  return { added, already, signatures };
}

/** Reads an allowlist, each owner and role once. Throws with the numbers of the lines that it can't read. */
export function readAllowlist(csv: string, role: Role): Permission[] {
  const permissions = new Map<string, Permission>();
  const wrong: string[] = [];
  csv.split(/\r?\n/).forEach((line, index) => {
    const [first = "", second = ""] = line.split(/[,;\t]/).map(unquote);
    if (first === "" || first.startsWith("#")) return;
    if (index === 0 && /^owner/i.test(first)) return;
    const owner = addressOf(first);
    const named = second === "" ? role : ROLES.find((one) => one === second.toLowerCase());
    if (!owner || !named) {
      wrong.push(
        `line ${index + 1} (${owner ? `"${second}" is no role` : `"${first}" is no address`})`,
      );
      return;
    }
    permissions.set(`${owner.toBase58()} ${named}`, { owner, role: named });
  });
  if (wrong.length > 0) {
    const shown = wrong.slice(0, 5).join(", ");
    const more = wrong.length > 5 ? ` and ${wrong.length - 5} more` : "";
    throw new Error(
      `The list has lines that can't be read: ${shown}${more}. Nothing was sent. Correct them and try again.`,
    );
  }
  return [...permissions.values()];
}

async function withoutEntry(
  client: SecuringTasksClient,
  task: PublicKey,
  permissions: readonly Permission[],
): Promise<Permission[]> {
  const { programId, provider } = client.program;
  const missing: Permission[] = [];
  for (const some of slices(permissions, LOOKUP)) {
    const found = await provider.connection.getMultipleAccountsInfo(
      some.map(({ owner, role }) => allowEntryAddress(task, role, owner, programId)),
      { dataSlice: { offset: 0, length: 0 } },
    );
    missing.push(...some.filter((_, index) => !found[index]?.owner.equals(programId)));
  }
  return missing;
}

function unquote(cell: string): string {
  return cell
    .trim()
    .replace(/^"(.*)"$/, "$1")
    .trim();
}

function addressOf(text: string): PublicKey | undefined {
  try {
    return new PublicKey(text);
  } catch {
    return undefined;
  }
}

function slices<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
