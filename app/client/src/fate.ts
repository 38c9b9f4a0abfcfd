import type {
  Connection,
  SignatureStatus,
  SolanaJSONRPCError,
  TransactionError,
} from "@solana/web3.js";

/*
 * What became of a transaction that was sent. This is the one place that decides it, for client, command line and daemon: whoever is told
 * that nothing happened sends money again, so that is said only where the chain has said it.
 */

/** A signed transaction that may be on its way. */
export interface Sent {
  readonly signature: string;
  /** The last block height at which it can land. Infinity for one with a durable nonce. */
  readonly lastValidBlockHeight: number;
  /** Slot of the server that gave the blockhash: one that is behind it knows nothing of it. */
  readonly minSlot: number;
}

/** What a chain says of a transaction. */
export type Fate =
  | { readonly status: "landed"; readonly slot: bigint }
  /** Executed, refused and paid for. */
  | { readonly status: "failed"; readonly slot: bigint; readonly error: TransactionError }
  /** It has not landed and can't any more: nothing happened, and nothing of it will. */
  | { readonly status: "expired" }
  /** `forgotten`: it can't land any more, and it is too long ago to be sure that it has not. Waiting does not help. */
  | { readonly status: "unknown"; readonly seen: boolean; readonly forgotten: boolean };

/** What is asked to find out. */
export type Asked = Pick<Connection, "getEpochInfo" | "getSignatureStatus">;

/** Nobody can say whether a transaction was executed. Whoever sends it anew before looking may pay twice. */
export class OutcomeUnknown extends Error {
  override readonly name = "OutcomeUnknown";

  constructor(
    readonly signature: string,
    readonly why: string,
    options?: ErrorOptions,
  ) {
    super(
      `Nobody knows yet whether the transaction ${signature} was executed. ${why} Look at its signature before you send anything in its place.`,
      options,
    );
  }
}

/** The chain did not take a transaction, and never will. */
export class Expired extends Error {
  override readonly name = "Expired";

  constructor(readonly signature: string) {
    super(
      `The transaction ${signature} was not executed in time and never will be: nothing was paid. Send it again, on a busy chain with a higher priority fee.`,
    );
  }
}

/** Every server remembers what it executed in its last so many final blocks, with a history or without one. */
const REMEMBERED_BLOCKS = 300;
/** So many blocks a transaction can wait for. */
const BLOCKHASH_BLOCKS = 150;
/** A server's word for it that it was started without a history. */
const NO_HISTORY = -32_011;

/**
 * Asks once what became of a transaction. Rejects where a server gives no answer.
 *
 * That it is over needs two words: of a server whose final blocks are past the last one that can hold it, for others may still be undone;
 * and of one that has come at least as far, still remembers all of the time in between, and does not know it. Behind one address there may
 * be many servers, each at a slot and with a history of its own.
 */
export async function fateOf(
  connection: Asked,
  { signature, lastValidBlockHeight, minSlot }: Sent,
  reached: "confirmed" | "finalized" = "confirmed",
): Promise<Fate> {
  const recent = await connection.getSignatureStatus(signature);
  if (recent.value) return read(recent.value, reached);
  const unknown = { status: "unknown", seen: false, forgotten: false } as const;
  const { absoluteSlot, blockHeight = 0 } = await connection.getEpochInfo("finalized");
  if (blockHeight <= lastValidBlockHeight || absoluteSlot < minSlot) return unknown;
  const { context, value } = await connection
    .getSignatureStatus(signature, { searchTransactionHistory: true })
    .catch((error: unknown) => {
      if ((error as Partial<SolanaJSONRPCError>).code !== NO_HISTORY) throw error;
      return connection.getSignatureStatus(signature);
    });
  if (value) return read(value, reached);
  if (context.slot < absoluteSlot) return unknown;
  // No more blocks than slots.
  const height = blockHeight + context.slot - absoluteSlot;
  const remembered = height - REMEMBERED_BLOCKS <= lastValidBlockHeight - BLOCKHASH_BLOCKS;
  return remembered ? { status: "expired" } : { ...unknown, forgotten: true };
}

function read(
  { confirmationStatus, err, slot }: SignatureStatus,
  reached: "confirmed" | "finalized",
): Fate {
  // A block that is only processed may be undone.
  if (confirmationStatus !== "finalized" && confirmationStatus !== reached) {
    return { status: "unknown", seen: true, forgotten: false };
  }
  return err === null
    ? { status: "landed", slot: BigInt(slot) }
    : { status: "failed", slot: BigInt(slot), error: err };
}

export interface SettleOptions {
  /** How sure the chain must be. Default: confirmed. */
  readonly reached?: "confirmed" | "finalized";
  /** Sends the signed bytes: the same ones, which the chain takes once. */
  readonly push?: () => Promise<unknown>;
  /** Told of what it waits for. */
  readonly say?: (text: string) => void;
  /** Longest pause between questions, in milliseconds. Default: 400. */
  readonly pollMs?: number;
  /** How often the bytes are sent again, in milliseconds. Default: 4,000. */
  readonly resendMs?: number;
  /** How long servers may give no answer before nobody waits any more, in milliseconds: longer than a blockhash lives. Default: 90,000. */
  readonly patienceMs?: number;
}

/** The first pause; each is longer than the one before. */
const FIRST_PAUSE_MS = 25;

/**
 * Sends a transaction until its fate is known. What goes wrong on the way says nothing about it: a server may have passed on what it
 * answers with an error. Throws {@link OutcomeUnknown} where the chain gives no answer for too long, or can give none any more.
 */
export async function settle(
  connection: Asked,
  sent: Sent,
  options: SettleOptions = {},
): Promise<Exclude<Fate, { readonly status: "unknown" }>> {
  const { lastValidBlockHeight } = sent;
  const { reached, push, say, pollMs = 400, resendMs = 4_000, patienceMs = 90_000 } = options;
  let refused: unknown;
  const send = async (): Promise<void> => {
    await push?.().catch((error: unknown) => {
      refused = error;
    });
  };
  await send();
  say?.("waiting for confirmation");
  let sentAt = performance.now();
  let heardAt = performance.now();
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, pollMs)) {
    try {
      const fate = await fateOf(connection, sent, reached);
      if (fate.status !== "unknown") return fate;
      // What has a durable nonce never is over: nobody waits for that.
      if (lastValidBlockHeight < Infinity) heardAt = performance.now();
      if (fate.forgotten) {
        throw new OutcomeUnknown(
          sent.signature,
          "It is too long ago for the server to say: it can't be executed any more, but may have been.",
        );
      }
      if (!fate.seen && performance.now() - sentAt >= resendMs) {
        await send();
        sentAt = performance.now();
      }
    } catch (error) {
      if (error instanceof OutcomeUnknown) throw error;
      if (performance.now() - heardAt > patienceMs) {
        throw new OutcomeUnknown(sent.signature, "The chain gives no answer.", {
          cause: error ?? refused,
        });
      }
      say?.("the chain does not answer, asking again");
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, pollMs)));
  }
}
