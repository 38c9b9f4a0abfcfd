import { utils } from "@coral-xyz/anchor";
import type { Explanation, Fate } from "@securing-tasks/client";
import {
  ArgumentError,
  OutcomeUnknown,
  explain,
  fateOf,
  refused,
  simulate,
} from "@securing-tasks/client";
import type { Connection, Keypair, TransactionInstruction } from "@solana/web3.js";
import { ComputeBudgetProgram, SendTransactionError, Transaction } from "@solana/web3.js";
import type { Letter } from "./store";

/** Where a sender keeps what is on its way; {@link Store} is one. */
export interface Outbox {
  letters(): Letter[];
  letter(key: string): Letter | null;
  /** Keeps a letter for good before it returns. Throws when there is one for its key. */
  post(letter: Letter): void;
  settle(key: string): void;
}

export interface SenderOptions {
  readonly connection: Connection;
  readonly outbox: Outbox;
  /** Pays the fees and signs everything. */
  readonly payer: Keypair;
  /** Micro-lamports for each compute unit. Default: 0. */
  readonly priorityFee?: bigint;
  /** Most lamports of priority fee for one transaction; the price is lowered to fit. Default: no limit. */
  readonly maxFeeLamports?: bigint;
  /** Compute units of every transaction. Default: what a simulation used, and a fifth more. */
  readonly computeUnitLimit?: number;
  /** How often to ask for news of what was sent, in milliseconds. Default: 500. */
  readonly pollMs?: number;
  /** How often to send the same bytes again, in milliseconds. Default: 2,000. */
  readonly resendMs?: number;
  /** Told of every step, for logs and metrics. */
  readonly onStep?: (step: SendStep) => void;
  /** Ends all waiting. What is on its way stays in the outbox. */
  readonly signal?: AbortSignal;
}

export interface SendStep {
  readonly step: "sent" | "resent" | "landed" | "expired" | "failed" | "refused" | "trouble";
  readonly key: string;
  readonly signature?: string;
  readonly message?: string;
}

/**
 * What became of it. `expired`: nothing happened, and nothing of it will. `refused` may also be that nobody can say any more, after a long
 * sleep: what the chain holds says it.
 */
export type Delivery =
  | { readonly status: "landed"; readonly signature: string; readonly slot: bigint }
  | { readonly status: "refused"; readonly explanation: Explanation }
  | { readonly status: "expired" };

/** What to send: instructions, made when the blockhash is known, and who must sign besides the payer. */
export interface Errand {
  /** What it does, and on what. Two errands of one key are never on their way at once. */
  readonly key: string;
  instructions(): Promise<readonly TransactionInstruction[]>;
  readonly signers?: readonly Keypair[];
}

/** Thrown by waits that were ended by the signal. */
export class Stopped extends Error {
  constructor() {
    super("The sender was stopped. What is on its way stays in its outbox.");
    this.name = "Stopped";
  }
}

/** A server that is back is found within this. */
const MOST_PAUSE_MS = 5_000;
const MOST_UNITS = 1_400_000;
/** The compute budget's own two instructions. */
const BUDGET_UNITS = 300;

/**
 * Sends transactions so that none is on its way twice, whatever happens to process or server. Every transaction is signed and kept in
 * an outbox before it is sent, then sent again, the same bytes, until it is confirmed or its blockhash is over; only then may another be
 * made in its place.
 */
export class Sender {
  private readonly pollMs: number;
  private readonly resendMs: number;
  private readonly busy = new Map<string, Promise<Delivery>>();

  constructor(private readonly options: SenderOptions) {
    this.pollMs = options.pollMs ?? 500;
    this.resendMs = options.resendMs ?? 2_000;
  }

  /** Finds out what became of everything that an earlier process left on its way. */
  async settleAll(): Promise<ReadonlyMap<string, Delivery>> {
    const all = this.options.outbox.letters().map(async (letter) => {
      const delivery = await this.alone(letter.key, () => this.deliver(letter, false));
      return [letter.key, delivery] as const;
    });
    return new Map(await Promise.all(all));
  }

  /**
   * Sends, and waits until the fate is known: confirmed, refused, or expired. What is on its way for the same key, from another call or
   * an earlier process, is brought to its end instead, and that is the answer. Rejects when the server can't be asked before anything
   * was sent, and with {@link Stopped}.
   */
  send(errand: Errand): Promise<Delivery> {
    return this.alone(errand.key, async () => {
      const waiting = this.options.outbox.letter(errand.key);
      if (waiting) return await this.deliver(waiting, false);
      const made = await this.write(errand);
      if ("status" in made) return made;
      this.options.outbox.post(made);
      return await this.deliver(made, true);
    });
  }

  private alone(key: string, act: () => Promise<Delivery>): Promise<Delivery> {
    const busy = this.busy.get(key);
    if (busy) return busy;
    const going = act().finally(() => this.busy.delete(key));
    this.busy.set(key, going);
    return going;
  }

  /** Makes and signs a transaction that the chain would take now, or says why it would not. */
  private async write(errand: Errand): Promise<Letter | Delivery> {
    const { connection, payer, computeUnitLimit } = this.options;
    let instructions: readonly TransactionInstruction[];
    try {
      instructions = await errand.instructions();
    } catch (error) {
      if (error instanceof ArgumentError) return this.refuse(errand.key, error);
      throw error;
    }
    // A newer blockhash could be of a fork that dies, and the transaction with it.
    const { context, value: latest } = await connection.getLatestBlockhashAndContext("confirmed");
    const draft = new Transaction({ feePayer: payer.publicKey, ...latest }).add(
      ComputeBudgetProgram.setComputeUnitLimit({ units: computeUnitLimit ?? MOST_UNITS }),
      ...instructions,
    );
    let used: number | null;
    try {
      // Before anything is sent: after that, a refusal may be that of a second arrival.
      ({ units: used } = await simulate(connection, draft.compileMessage()));
    } catch (error) {
      if (error instanceof SendTransactionError) return this.refuse(errand.key, error);
      throw error;
    }
    const units =
      computeUnitLimit ??
      Math.min(Math.ceil((used ?? MOST_UNITS) * 1.2) + BUDGET_UNITS, MOST_UNITS);
    const transaction = new Transaction({
      feePayer: payer.publicKey,
      blockhash: latest.blockhash,
      lastValidBlockHeight: latest.lastValidBlockHeight,
    }).add(...this.budget(units), ...instructions);
    transaction.sign(payer, ...(errand.signers ?? []));
    const { signature } = transaction;
    if (!signature) throw new Error("The payer did not sign.");
    return {
      key: errand.key,
      signature: utils.bytes.bs58.encode(signature),
      blockhash: latest.blockhash,
      lastValidBlockHeight: latest.lastValidBlockHeight,
      minSlot: context.slot,
      raw: Uint8Array.from(transaction.serialize()),
    };
  }

  private refuse(key: string, error: Error): Delivery {
    const explanation = explain(error);
    this.tell({ step: "refused", key, message: explanation.message });
    return { status: "refused", explanation };
  }

  private budget(units: number): TransactionInstruction[] {
    const { priorityFee = 0n, maxFeeLamports } = this.options;
    const most =
      maxFeeLamports === undefined ? priorityFee : (maxFeeLamports * 1_000_000n) / BigInt(units);
    const price = priorityFee < most ? priorityFee : most;
    return [
      ComputeBudgetProgram.setComputeUnitLimit({ units }),
      ...(price > 0n ? [ComputeBudgetProgram.setComputeUnitPrice({ microLamports: price })] : []),
    ];
  }

  /** Sends the same bytes until their fate is known. Trouble with the server is waited out. */
  private async deliver(letter: Letter, first: boolean): Promise<Delivery> {
    const { connection, outbox } = this.options;
    const { key, signature } = letter;
    let sentAt = -Infinity;
    let fresh = first;
    let troubles = 0;
    for (;;) {
      if (this.options.signal?.aborted) throw new Stopped();
      try {
        const fate = fresh ? null : await fateOf(connection, letter);
        if (fate && (fate.status !== "unknown" || fate.forgotten)) {
          outbox.settle(key);
          return await this.finish(letter, fate);
        }
        if (performance.now() - sentAt >= this.resendMs) {
          sentAt = performance.now();
          await connection.sendRawTransaction(letter.raw, { skipPreflight: true, maxRetries: 0 });
          this.tell({ step: fresh ? "sent" : "resent", key, signature });
        }
        fresh = false;
        troubles = 0;
        await this.pause(this.pollMs);
      } catch (error) {
        if (this.options.signal?.aborted) throw new Stopped();
        fresh = false;
        troubles += 1;
        this.tell({ step: "trouble", key, signature, message: explain(error).message });
        await this.pause(backoff(this.pollMs, troubles));
      }
    }
  }

  private async finish({ key, signature, raw }: Letter, fate: Fate): Promise<Delivery> {
    switch (fate.status) {
      case "landed":
        this.tell({ step: "landed", key, signature });
        return { status: "landed", signature, slot: fate.slot };
      case "expired":
        this.tell({ step: "expired", key, signature });
        return { status: "expired" };
      case "unknown": {
        const explanation = explain(
          new OutcomeUnknown(signature, "It is over, and too long ago for the server to say."),
        );
        this.tell({ step: "failed", key, signature, message: explanation.message });
        return { status: "refused", explanation };
      }
      case "failed": {
        const record = await this.options.connection
          .getTransaction(signature, { commitment: "confirmed", maxSupportedTransactionVersion: 0 })
          .catch(() => null);
        const message = Transaction.from(raw).compileMessage();
        const logs = record?.meta?.logMessages ?? [];
        const explanation = explain(refused("send", fate.error, logs, { signature, message }));
        this.tell({ step: "failed", key, signature, message: explanation.message });
        return { status: "refused", explanation };
      }
    }
  }

  private pause(ms: number): Promise<void> {
    return pause(ms, this.options.signal);
  }

  private tell(step: SendStep): void {
    this.options.onStep?.(step);
  }
}

/** A wait that a signal ends early. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}

/** Longer after each failure, up to a limit, and never the same for two nodes. All in milliseconds. */
export function backoff(base: number, failures: number, most = MOST_PAUSE_MS): number {
  const longest = Math.min(base * 2 ** Math.min(failures, 10), most);
  return longest * (0.5 + Math.random() / 2);
}
