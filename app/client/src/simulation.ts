import type {
  Commitment,
  Connection,
  Message,
  TransactionError,
  VersionedMessage,
} from "@solana/web3.js";
import { SendTransactionError, VersionedTransaction } from "@solana/web3.js";
import { accountsOf } from "./runtime";

/** What a transaction would do now. */
export interface Simulated {
  /** Slot of the server that tried it. */
  readonly slot: number;
  /** Compute units; null where the server does not count. */
  readonly units: number | null;
}

/**
 * Tries what nobody has signed or sent. Throws a `SendTransactionError` as the chain would.
 *
 * @param anyBlockhash Whatever its blockhash: a server may not have seen that yet, which says nothing about the rest.
 */
export async function simulate(
  connection: Pick<Connection, "simulateTransaction">,
  message: Message | VersionedMessage,
  commitment: Commitment = "processed",
  anyBlockhash = true,
): Promise<Simulated> {
  const { context, value } = await connection.simulateTransaction(
    new VersionedTransaction(message),
    { commitment, replaceRecentBlockhash: anyBlockhash, sigVerify: false },
  );
  if (value.err !== null) throw refused("simulate", value.err, value.logs ?? [], { message });
  return { slot: context.slot, units: value.unitsConsumed ?? null };
}

/** What the runtime's JSON says of a transaction that failed, as an error that `explain` and Anchor know. */
export function refused(
  action: "send" | "simulate",
  failure: TransactionError,
  logs: readonly string[],
  { signature = "", message }: { signature?: string; message?: Message | VersionedMessage } = {},
): SendTransactionError {
  const { InstructionError: [index] = [] } = failure as { InstructionError?: readonly [number] };
  const error = new SendTransactionError({
    action,
    signature,
    transactionMessage: `Transaction ${action === "send" ? "failed" : "simulation failed"}: ${inWords(failure, logs)}`,
    logs: [...logs],
  });
  // Whose account it is, `explain` says.
  return message ? Object.assign(error, { accounts: accountsOf(message, index) }) : error;
}

function inWords(failure: TransactionError, logs: readonly string[]): string {
  if (typeof failure === "string") return failure;
  const { InstructionError: at } = failure as { InstructionError?: readonly [number, unknown] };
  if (!at) return JSON.stringify(failure);
  const [index, kind] = at;
  const { Custom: code } = (kind ?? {}) as { readonly Custom?: number };
  if (code !== undefined) {
    return `Error processing Instruction ${index}: custom program error: 0x${code.toString(16)}`;
  }
  // The runtime writes the reason in words into the last line of the log.
  const words = /^Program \w+ failed: (.*)$/.exec(logs.at(-1) ?? "")?.[1];
  return `Error processing Instruction ${index}: ${words ?? JSON.stringify(kind)}`;
}
