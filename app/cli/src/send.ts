import { utils } from "@coral-xyz/anchor";
import type { TaskEvent } from "@securing-tasks/client";
import type { Keypair } from "@solana/web3.js";
import {
  ComputeBudgetProgram,
  SendTransactionError,
  Transaction,
  VersionedTransaction,
} from "@solana/web3.js";
import { EXIT, UserError, isNetworkTrouble } from "./failures";
import { during, note } from "./output";
import type { Session } from "./session";
import { link } from "./session";

/** What all of the client's builders can do. */
export interface Sendable {
  transaction(): Promise<Transaction>;
}

/** What became of a transaction. */
export interface Sent {
  readonly signature: string;
  readonly slot: bigint;
  /** Lamports. */
  readonly fee: bigint;
  /** The program's events, in order. */
  readonly events: readonly TaskEvent[];
}

/** How often the chain is asked what became of a transaction, and how often its bytes are sent again, in milliseconds. */
const POLL_MS = 400;
const RESEND_MS = 4_000;
/** For what a simulation can't know: an address that is found at another bump, another path. */
const MARGIN_UNITS = 2_000;

/**
 * Sends what a builder made, paid for by the session's key, and waits until it is confirmed. Throws what the chain refuses, for
 * {@link failureOf}. Only the same signed bytes are ever sent again, which the chain takes once; when nobody can say what became of
 * them, the error says so, and how to find out.
 */
export function send(
  session: Session,
  builder: Sendable,
  signers: readonly Keypair[],
  label: string,
): Promise<Sent> {
  return during(session, label, async (spinner) => {
    const transaction = await builder.transaction();
    const sent = await deliver(session, transaction, signers, (text) => {
      spinner.say(`${label}: ${text}`);
    });
    const url = session.explorer(sent.signature);
    if (url !== null) note(session, link(url));
    return sent;
  });
}

async function deliver(
  session: Session,
  made: Transaction,
  signers: readonly Keypair[],
  say: (text: string) => void,
): Promise<Sent> {
  const { chain, wallet, commitment, priorityFee } = session;
  const { connection } = chain;
  const reached = commitment === "processed" ? "confirmed" : commitment;
  let latest = await connection.getLatestBlockhash(reached);
  const keys = [...new Map([wallet, ...signers].map((key) => [key.publicKey.toBase58(), key]))];
  const build = (units: number, blockhash: string): Transaction => {
    const transaction = new Transaction();
    if (priorityFee > 0n) {
      transaction.add(ComputeBudgetProgram.setComputeUnitPrice({ microLamports: priorityFee }));
    }
    transaction.add(ComputeBudgetProgram.setComputeUnitLimit({ units }), ...made.instructions);
    transaction.feePayer = wallet.publicKey;
    transaction.recentBlockhash = blockhash;
    transaction.sign(...keys.map(([, key]) => key));
    return transaction;
  };
  const units = await simulate(session, build(1_400_000, latest.blockhash));
  let transaction = build(units + Math.ceil(units / 10) + MARGIN_UNITS, latest.blockhash);
  while (!chain.claimSignature(signatureOf(transaction), latest.lastValidBlockHeight)) {
    // Sent a moment ago: the same thing twice needs a blockhash of its own.
    latest = await chain.blockhashAfter(latest.blockhash);
    transaction = build(units + Math.ceil(units / 10) + MARGIN_UNITS, latest.blockhash);
  }
  const signature = signatureOf(transaction);
  const bytes = transaction.serialize();
  try {
    return await settle(session, signature, bytes, latest.lastValidBlockHeight, reached, say);
  } catch (error) {
    if (!isNetworkTrouble(error)) throw error;
    const look =
      session.explorer(signature) ?? `solana confirm ${signature} --url ${session.rpcUrl}`;
    throw new UserError(
      `The chain stopped answering, so nobody knows yet whether the transaction ${signature} was executed. ` +
        `Don't repeat the command before you have looked: ${look}`,
      { exitCode: EXIT.network, name: "OutcomeUnknown", signature },
    );
  }
}

async function settle(
  session: Session,
  signature: string,
  bytes: Buffer,
  lastValidBlockHeight: number,
  reached: "confirmed" | "finalized",
  say: (text: string) => void,
): Promise<Sent> {
  const { chain, client } = session;
  const { connection } = chain;
  const push = (): Promise<string> =>
    connection.sendRawTransaction(bytes, { skipPreflight: true, maxRetries: 0 });
  await push();
  say("waiting for confirmation");
  let sentAt = Date.now();
  for (;;) {
    const expired = (await connection.getBlockHeight("confirmed")) > lastValidBlockHeight;
    const { value } = await connection.getSignatureStatus(signature, {
      searchTransactionHistory: expired,
    });
    const level = value?.confirmationStatus;
    if (value && (level === "finalized" || level === reached)) {
      const { slot, fee, logs } = await chain.outcome(signature);
      if (value.err !== null) {
        throw new SendTransactionError({
          action: "send",
          signature,
          transactionMessage: `Transaction failed: ${JSON.stringify(value.err)}`,
          logs: [...logs],
        });
      }
      return { signature, slot, fee, events: client.events(logs) };
    }
    if (!value && expired) {
      throw new UserError(
        `The transaction ${signature} was not executed in time and never will be: nothing was paid. Run the command again, on a busy chain with a higher --priority-fee.`,
        { name: "Expired", signature },
      );
    }
    if (!value && Date.now() - sentAt >= RESEND_MS) {
      await push();
      sentAt = Date.now();
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Compute units that a transaction needs now. Throws as the chain would when it is refused. */
async function simulate({ chain }: Session, transaction: Transaction): Promise<number> {
  const { value } = await chain.connection.simulateTransaction(
    new VersionedTransaction(transaction.compileMessage()),
    { commitment: "processed", replaceRecentBlockhash: true, sigVerify: false },
  );
  if (value.err !== null) {
    throw new SendTransactionError({
      action: "simulate",
      signature: "",
      transactionMessage: `Transaction simulation failed: ${typeof value.err === "string" ? value.err : JSON.stringify(value.err)}`,
      logs: value.logs ?? [],
    });
  }
  return value.unitsConsumed ?? 200_000;
}

function signatureOf(transaction: Transaction): string {
  const { signature } = transaction;
  if (!signature) throw new Error("The fee payer did not sign the transaction.");
  return utils.bytes.bs58.encode(signature);
}
