import { utils } from "@coral-xyz/anchor";
import type { TaskEvent, TaskEventNamed } from "@securing-tasks/client";
import type { Keypair, SignatureStatus } from "@solana/web3.js";
import {
  ComputeBudgetProgram,
  SendTransactionError,
  Transaction,
  VersionedTransaction,
} from "@solana/web3.js";
import { transactionFee } from "./create/economics";
import { EXIT, UserError, failureOf, isNetworkTrouble } from "./failures";
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
  /** Lamports; null where the server keeps no record. */
  readonly fee: bigint | null;
  /** The program's events, in order; none where the server keeps no record. */
  readonly events: readonly TaskEvent[];
}

/** How often the chain is asked what became of a transaction, and how often its bytes are sent again, in milliseconds. */
const POLL_MS = 400;
const RESEND_MS = 4_000;
/** How long a chain may give no answer before nobody waits any more, in milliseconds: longer than a blockhash lives. */
const PATIENCE_MS = 90_000;
/** How long to wait for the record of what is confirmed, in milliseconds. */
const RECORD_MS = 20_000;
/** For what a simulation can't know: an address that is found at another bump, another path. */
const MARGIN_UNITS = 2_000;
const MOST_UNITS = 1_400_000;
/** Instructions that fit one transaction, in bytes and in compute. */
const BATCH = 6;

/**
 * Sends what a builder made, paid for by the session's payer, and waits until it is confirmed. Throws what the chain refuses, for
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
    const sent = await deliver(session, await builder.transaction(), signers, (text) => {
      spinner.say(`${label}: ${text}`);
    });
    const url = session.explorer(sent.signature);
    if (url !== null) note(session, link(url));
    if (sent.fee === null) {
      note(session, `${sent.signature} is executed. The server keeps no record of what it did.`);
    }
    return sent;
  });
}

/** Sends what many builders made, in as few transactions as it takes, one after another. */
export async function sendAll(
  session: Session,
  builders: readonly Sendable[],
  label: string,
): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (let start = 0; start < builders.length; start += BATCH) {
    const some = builders.slice(start, start + BATCH);
    const transaction = async (): Promise<Transaction> =>
      new Transaction().add(...(await Promise.all(some.map((one) => one.transaction()))));
    const done = Math.min(start + BATCH, builders.length);
    const progress = `${label} (${done} of ${builders.length})`;
    sent.push(await send(session, { transaction }, [], progress));
  }
  return sent;
}

/** As {@link send}, and shows nothing: for one of several that are on their way at a time. */
export async function deliver(
  session: Session,
  made: Transaction,
  signers: readonly Keypair[] = [],
  say: (text: string) => void = () => undefined,
): Promise<Sent> {
  const { chain, commitment } = session;
  const reached = commitment === "processed" ? "confirmed" : commitment;
  let latest = await chain.connection.getLatestBlockhash(reached);
  const build = (units: number, blockhash: string): Transaction =>
    assemble(session, made, signers, units, blockhash);
  const limit = await unitLimit(session, build(MOST_UNITS, latest.blockhash));
  let transaction = build(limit, latest.blockhash);
  while (!chain.claimSignature(signatureOf(transaction), latest.lastValidBlockHeight)) {
    // Sent a moment ago: the same thing twice needs a blockhash of its own.
    latest = await chain.blockhashAfter(latest.blockhash);
    transaction = build(limit, latest.blockhash);
  }
  const signature = signatureOf(transaction);
  const bytes = transaction.serialize();
  const look = session.explorer(signature) ?? `solana confirm ${signature} --url ${session.rpcUrl}`;
  let interrupt: (() => void) | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = () => {
      reject(
        new UserError(
          `Interrupted while the transaction ${signature} was on its way: it may still be executed. ` +
            `Don't repeat the command before you have looked: ${look}`,
          { exitCode: EXIT.cancelled, name: "OutcomeUnknown", signature },
        ),
      );
    };
    process.once("SIGINT", interrupt);
  });
  try {
    return await Promise.race([
      interrupted,
      settle(session, signature, bytes, latest.lastValidBlockHeight, reached, say),
    ]);
  } catch (error) {
    // A verdict of the chain, or known words. Anything else says nothing about the transaction.
    if (error instanceof UserError || error instanceof SendTransactionError) throw error;
    throw new UserError(
      `Nobody knows yet whether the transaction ${signature} was executed. ${failureOf(error).message} ` +
        `Don't repeat the command before you have looked: ${look}`,
      { exitCode: EXIT.network, name: "OutcomeUnknown", signature },
    );
  } finally {
    if (interrupt) process.removeListener("SIGINT", interrupt);
  }
}

/**
 * What sending this would cost in lamports: its signatures, and the priority fee for its compute limit. Throws what the chain would
 * refuse.
 */
export async function feeOf(
  session: Session,
  builder: Sendable,
  signers: readonly Keypair[] = [],
): Promise<bigint> {
  const made = await builder.transaction();
  const { blockhash } = await session.chain.connection.getLatestBlockhash();
  const trial = assemble(session, made, signers, MOST_UNITS, blockhash);
  const units = BigInt(await unitLimit(session, trial));
  return transactionFee(trial.signatures.length, units, session.priorityFee);
}

function assemble(
  { wallet, payer, priorityFee }: Session,
  made: Transaction,
  signers: readonly Keypair[],
  units: number,
  blockhash: string,
): Transaction {
  const transaction = new Transaction();
  if (priorityFee > 0n) {
    transaction.add(ComputeBudgetProgram.setComputeUnitPrice({ microLamports: priorityFee }));
  }
  transaction.add(ComputeBudgetProgram.setComputeUnitLimit({ units }), ...made.instructions);
  transaction.feePayer = payer.publicKey;
  transaction.recentBlockhash = blockhash;
  const keys = new Map([payer, wallet, ...signers].map((key) => [key.publicKey.toBase58(), key]));
  transaction.sign(...keys.values());
  return transaction;
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
  await push().catch((error: unknown) => {
    // A server that takes it and gives no answer: it may be on its way all the same.
    if (!isNetworkTrouble(error)) throw error;
  });
  say("waiting for confirmation");
  let sentAt = Date.now();
  let heardAt = Date.now();
  for (;;) {
    const fate = await fateOf(session, signature, lastValidBlockHeight).catch((error: unknown) => {
      // A server that restarts, or is behind, is no answer: ask again for as long as the transaction could live.
      if (Date.now() - heardAt > PATIENCE_MS) throw error;
      say("the chain does not answer, asking again");
      return null;
    });
    if (fate) heardAt = Date.now();
    const { status = null, expired = false } = fate ?? {};
    const level = status?.confirmationStatus;
    if (status && (level === "finalized" || level === reached)) {
      say("reading what it did");
      const record = await Promise.race([
        // What is known already is worth more than a server that can't say more.
        chain.outcome(signature).catch(() => null),
        new Promise<null>((resolve) => {
          setTimeout(resolve, RECORD_MS, null);
        }),
      ]);
      if (status.err !== null) {
        throw new SendTransactionError({
          action: "send",
          signature,
          transactionMessage: `Transaction failed: ${JSON.stringify(status.err)}`,
          logs: [...(record?.logs ?? [])],
        });
      }
      if (!record) return { signature, slot: BigInt(status.slot), fee: null, events: [] };
      const { slot, fee } = record;
      return { signature, slot, fee, events: client.events(record).events };
    }
    if (!status && expired) {
      throw new UserError(
        `The transaction ${signature} was not executed in time and never will be: nothing was paid. Run the command again, on a busy chain with a higher --priority-fee.`,
        { name: "Expired", signature },
      );
    }
    if (!status && Date.now() - sentAt >= RESEND_MS) {
      // It has been sent once: an error now may mean that it has landed.
      await push().catch(() => undefined);
      sentAt = Date.now();
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** An event of a transaction, where its record is known. */
export function told<N extends TaskEvent["name"]>(
  { events }: Sent,
  name: N,
): TaskEventNamed<N>["data"] | undefined {
  const found = events.find((event) => event.name === name) as TaskEventNamed<N> | undefined;
  return found?.data as TaskEventNamed<N>["data"] | undefined;
}

/** A look at what a transaction left behind. Null where nobody answers: it is done all the same, and must not look undone. */
export function afterwards<T>(look: () => Promise<T>): Promise<T | null> {
  return look().catch(() => null);
}

/** What a server knows of a transaction, and whether its blockhash was over before it was asked. */
async function fateOf(
  { chain: { connection } }: Session,
  signature: string,
  lastValidBlockHeight: number,
): Promise<{ readonly status: SignatureStatus | null; readonly expired: boolean }> {
  const { blockHeight = 0, absoluteSlot } = await connection.getEpochInfo("confirmed");
  const over = blockHeight > lastValidBlockHeight;
  const { context, value } = await connection.getSignatureStatus(signature, {
    searchTransactionHistory: over,
  });
  // Behind one address there may be many servers: one that is further back may not have seen the transaction yet.
  return { status: value, expired: over && context.slot >= absoluteSlot };
}

/** The compute limit for a transaction: what it needs now, and some more. */
async function unitLimit(session: Session, trial: Transaction): Promise<number> {
  const units = await simulate(session, trial);
  return units + Math.ceil(units / 10) + MARGIN_UNITS;
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
      transactionMessage: `Transaction simulation failed: ${inWords(value.err)}`,
      logs: value.logs ?? [],
    });
  }
  return value.unitsConsumed ?? 200_000;
}

/** A simulation names these as the runtime's code does; everybody else, `explain` too, knows them in words. */
const WORDS: Readonly<Record<string, string>> = {
  AccountNotFound: "Attempt to debit an account but found no record of a prior credit",
  InsufficientFundsForFee: "Insufficient funds for fee",
  InsufficientFundsForRent: "Insufficient funds for rent",
  ProgramAccountNotFound: "Attempt to load a program that does not exist",
};

function inWords(error: object | string): string {
  const [name = ""] = typeof error === "string" ? [error] : Object.keys(error);
  return WORDS[name] ?? (typeof error === "string" ? error : JSON.stringify(error));
}

function signatureOf(transaction: Transaction): string {
  const { signature } = transaction;
  if (!signature) throw new Error("The fee payer did not sign the transaction.");
  return utils.bytes.bs58.encode(signature);
}
