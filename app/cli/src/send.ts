import { utils } from "@coral-xyz/anchor";
import type { Sent as OnItsWay, TaskEvent, TaskEventNamed } from "@securing-tasks/client";
import { OutcomeUnknown, refused, settle, simulate } from "@securing-tasks/client";
import type { Keypair } from "@solana/web3.js";
import { ComputeBudgetProgram, SendTransactionError, Transaction } from "@solana/web3.js";
import { transactionFee } from "./create/economics";
import { EXIT, UserError, failureOf } from "./failures";
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

/** How long to wait for the record of what is confirmed, in milliseconds. */
const RECORD_MS = 20_000;
/** For what a simulation can't know: an address that is found at another bump, another path. */
const MARGIN_UNITS = 2_000;
const MOST_UNITS = 1_400_000;
/** Where a server does not count. */
const USUAL_UNITS = 200_000;
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
  const { context, value } = await chain.connection.getLatestBlockhashAndContext(reached);
  let latest = value;
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
  const { lastValidBlockHeight } = latest;
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
    const sent = await Promise.race([
      interrupted,
      settled(
        session,
        { signature, lastValidBlockHeight, minSlot: context.slot },
        bytes,
        reached,
        say,
      ),
    ]);
    session.executed.push(signature);
    return sent;
  } catch (error) {
    // A verdict of the chain, or known words. Anything else says nothing about the transaction.
    if (error instanceof UserError || error instanceof SendTransactionError) throw error;
    const [why, cause] = error instanceof OutcomeUnknown ? [error.why, error.cause] : ["", error];
    throw new UserError(
      `Nobody knows yet whether the transaction ${signature} was executed. ${cause === undefined ? why : failureOf(cause).message} ` +
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
  // A reveal that another pays for needs the wallet's signature no more.
  const message = transaction.compileMessage();
  const signing = message.accountKeys.slice(0, message.header.numRequiredSignatures);
  transaction.sign(...signing.flatMap((key) => keys.get(key.toBase58()) ?? []));
  return transaction;
}

async function settled(
  session: Session,
  sent: OnItsWay,
  bytes: Buffer,
  reached: "confirmed" | "finalized",
  say: (text: string) => void,
): Promise<Sent> {
  const { chain, client } = session;
  const { connection } = chain;
  const { signature } = sent;
  const fate = await settle(connection, sent, {
    reached,
    push: () => connection.sendRawTransaction(bytes, { skipPreflight: true, maxRetries: 0 }),
    say,
  });
  if (fate.status === "expired") {
    throw new UserError(
      `The transaction ${signature} was not executed in time and never will be: nothing was paid by it. Run the command again, on a busy chain with a higher --priority-fee.`,
      { name: "Expired", signature },
    );
  }
  say("reading what it did");
  const record = await Promise.race([
    // What is known already is worth more than a server that can't say more.
    chain.outcome(signature).catch(() => null),
    new Promise<null>((resolve) => {
      setTimeout(resolve, RECORD_MS, null);
    }),
  ]);
  if (fate.status === "failed") {
    const message = Transaction.from(bytes).compileMessage();
    throw refused("send", fate.error, record?.logs ?? [], { signature, message });
  }
  if (!record) return { signature, slot: fate.slot, fee: null, events: [] };
  const { slot, fee } = record;
  return { signature, slot, fee, events: client.events(record).events };
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

/** The compute limit for a transaction: what it needs now, and some more. Throws as the chain would when it is refused. */
async function unitLimit({ chain }: Session, trial: Transaction): Promise<number> {
  const { units } = await simulate(chain.connection, trial.compileMessage());
  const needed = units ?? USUAL_UNITS;
  return needed + Math.ceil(needed / 10) + MARGIN_UNITS;
}

function signatureOf(transaction: Transaction): string {
  const { signature } = transaction;
  if (!signature) throw new Error("The fee payer did not sign the transaction.");
  return utils.bytes.bs58.encode(signature);
}
