import { utils } from "@coral-xyz/anchor";
import type { Explanation, Fate, Simulated } from "@securing-tasks/client";
import {
  ArgumentError,
  OutcomeUnknown,
  explain,
  fateOf,
  refused,
  simulate,
} from "@securing-tasks/client";
import type { Connection, Keypair, PublicKey, TransactionInstruction } from "@solana/web3.js";
import {
  ComputeBudgetInstruction,
  ComputeBudgetProgram,
  SendTransactionError,
  Transaction,
} from "@solana/web3.js";
import type { Sponsor } from "./sponsor";
import { DAY_SLOTS, SponsorError } from "./sponsor";
import type { Letter } from "./state";

/** Where a sender keeps what is on its way; a state is one. */
export interface Outbox {
  letters(): Letter[];
  letter(key: string): Letter | null;
  /** Keeps a letter for good before it returns. Throws when there is one for its key. */
  post(letter: Letter): void;
  settle(key: string): void;
  /** Letters that were posted from this slot on, as far back as a day. */
  sentSince(slot: number): number;
}

export interface SenderOptions {
  readonly connection: Connection;
  readonly outbox: Outbox;
  /** Signs everything, and pays the fees where no sponsor does. */
  readonly payer: Keypair;
  /** Pays in its place. */
  readonly sponsor?: Sponsor;
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
  /** After how long what is urgent costs more, each time, in milliseconds. Default: 5,000. */
  readonly raiseMs?: number;
  /** Told of every step, for logs and metrics. */
  readonly onStep?: (step: SendStep) => void;
  /** Ends all waiting. What is on its way stays in the outbox. */
  readonly signal?: AbortSignal;
}

export interface SendStep {
  readonly step:
    | "sent"
    | "resent"
    | "late"
    | "raised"
    | "landed"
    | "expired"
    | "failed"
    | "refused"
    | "unsponsored"
    | "trouble";
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
  /** @param payer Pays the fee, and the rent of what they make. */
  instructions(payer: PublicKey): Promise<readonly TransactionInstruction[]>;
  readonly signers?: readonly Keypair[];
  /**
   * Whether it has a deadline, and the program takes it once only, whatever else is sent: what leaders don't take for a while is then sent
   * again at a higher price, beside the first.
   */
  readonly urgent?: boolean;
  /** Whether something is lost that was pledged, unless it lands: a sponsor is asked for it whatever its bound. */
  readonly owed?: boolean;
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
/** Transactions of one errand that are on their way together. */
const MOST_LETTERS = 6;
/** Micro-lamports for each compute unit: the first price where there was none and the chain names none. */
const FIRST_PRICE = 1_000n;
/** Of what others paid lately to write to the same accounts, the share that paid less. */
const OUTBID = 0.9;
/** Accounts that may be named when it is asked for. */
const MOST_ACCOUNTS = 128;
/** Tries of a simulation that fails for its blockhash, which says nothing of what is simulated. */
const SIMULATIONS = 10;

/**
 * Sends transactions so that nothing is done twice, whatever happens to process or server. Every transaction is signed and kept in
 * an outbox before it is sent, then sent again, the same bytes, until it is confirmed or its blockhash is over; only then may another be
 * made in its place. What is urgent is sent beside it at a higher price, for the program takes only one of them.
 */
export class Sender {
  private readonly pollMs: number;
  private readonly resendMs: number;
  private readonly raiseMs: number;
  private readonly busy = new Map<string, Promise<Delivery>>();

  constructor(private readonly options: SenderOptions) {
    this.pollMs = options.pollMs ?? 500;
    this.resendMs = options.resendMs ?? 2_000;
    this.raiseMs = options.raiseMs ?? 5_000;
  }

  /** Finds out what became of everything that an earlier process left on its way. */
  async settleAll(): Promise<ReadonlyMap<string, Delivery>> {
    const all = this.options.outbox.letters().map(async (letter) => {
      const delivery = await this.alone(letter.key, () => this.deliver([letter], false));
      return [letter.key, delivery] as const;
    });
    return new Map(await Promise.all(all));
  }

  /**
   * Sends, and waits until the fate is known: confirmed, refused, or expired. What is on its way for the same key, from another call or
   * an earlier process, is brought to its end instead, and that is the answer. Rejects when the server can't be asked before anything
   * was sent, with {@link SponsorError} when nobody pays for it, and with {@link Stopped}.
   */
  send(errand: Errand): Promise<Delivery> {
    return this.alone(errand.key, async () => {
      const waiting = this.waiting(errand.key);
      if (waiting.length > 0) return await this.deliver(waiting, false, errand);
      const made = await this.write(errand, errand.key, this.options.priorityFee ?? 0n);
      if ("status" in made) return made;
      this.options.outbox.post(made);
      return await this.deliver([made], true, errand);
    });
  }

  /** What is on its way for an errand, the dearest last. */
  private waiting(key: string): Letter[] {
    const { outbox } = this.options;
    return Array.from({ length: MOST_LETTERS }, (_, count) => letterKey(key, count)).flatMap(
      (name) => outbox.letter(name) ?? [],
    );
  }

  private alone(key: string, act: () => Promise<Delivery>): Promise<Delivery> {
    const busy = this.busy.get(key);
    if (busy) return busy;
    const going = act().finally(() => this.busy.delete(key));
    this.busy.set(key, going);
    return going;
  }

  /** Makes and signs a transaction that the chain would take now, or says why it would not. */
  private async write(errand: Errand, key: string, price: bigint): Promise<Letter | Delivery> {
    const { payer, sponsor } = this.options;
    if (!sponsor) return this.make(errand, key, price, payer.publicKey);
    try {
      const address = await sponsor.address();
      return await sponsor.inTurn(() => this.make(errand, key, price, address, sponsor));
    } catch (error) {
      if (!(error instanceof SponsorError)) throw error;
      this.tell({ step: "unsponsored", key, message: error.message });
      if (sponsor.fallback === "none") throw error;
    }
    // What the sponsor was asked for can't land beside it: the operator has not signed that, or anyone may do it.
    return this.make(errand, key, price, payer.publicKey);
  }

  private async make(
    errand: Errand,
    key: string,
    price: bigint,
    feePayer: PublicKey,
    sponsor?: Sponsor,
  ): Promise<Letter | Delivery> {
    const { connection, outbox, payer, computeUnitLimit } = this.options;
    let instructions: readonly TransactionInstruction[];
    try {
      instructions = await errand.instructions(feePayer);
    } catch (error) {
      if (error instanceof ArgumentError) return this.refuse(errand.key, error);
      throw error;
    }
    // A newer blockhash could be of a fork that dies, and the transaction with it.
    const { context, value: latest } = await connection.getLatestBlockhashAndContext("confirmed");
    const draft = new Transaction({ feePayer, ...latest }).add(
      ComputeBudgetProgram.setComputeUnitLimit({ units: computeUnitLimit ?? MOST_UNITS }),
      ...instructions,
    );
    let used: number | null;
    try {
      // Before anything is sent: after that, a refusal may be that of a second arrival.
      ({ units: used } = await this.simulate(draft));
    } catch (error) {
      if (!(error instanceof SendTransactionError)) throw error;
      const { reason, message } = explain(error);
      if (sponsor && reason === "lackOfSol" && message.includes(feePayer.toBase58())) {
        throw sponsor.poor(message);
      }
      return this.refuse(errand.key, error);
    }
    const units =
      computeUnitLimit ??
      Math.min(Math.ceil((used ?? MOST_UNITS) * 1.2) + BUDGET_UNITS, MOST_UNITS);
    const transaction = new Transaction({ feePayer, ...latest }).add(
      ...this.budget(units, price),
      ...instructions,
    );
    if (sponsor) {
      const { maxPerDay = Infinity } = sponsor;
      if (errand.owed !== true && outbox.sentSince(context.slot - DAY_SLOTS) >= maxPerDay) {
        throw sponsor.spent();
      }
      await sponsor.sign(transaction);
    }
    const signers = signersOf(transaction);
    const own = [payer, ...(errand.signers ?? [])].filter(({ publicKey }) =>
      signers.some((one) => one.equals(publicKey)),
    );
    if (own.length > 0) transaction.partialSign(...own);
    const { signature } = transaction;
    if (!signature) throw new Error("The payer did not sign.");
    return {
      key,
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

  /** As the chain would execute it. A server that does not know its own blockhash says nothing, and is asked again. */
  private async simulate(draft: Transaction): Promise<Simulated> {
    for (let left = SIMULATIONS; ; left -= 1) {
      try {
        return await simulate(this.options.connection, draft.compileMessage());
      } catch (error) {
        const stale =
          error instanceof SendTransactionError && /blockhash ?not ?found/i.test(error.message);
        if (!stale) throw error;
        if (left <= 1) {
          throw new Error(
            "The RPC server does not know the blockhashes that it gives. It is behind.",
            { cause: error },
          );
        }
      }
      await this.pause(this.pollMs);
      if (this.options.signal?.aborted === true) throw new Stopped();
    }
  }

  private budget(units: number, price: bigint): TransactionInstruction[] {
    const most = this.mostPrice(units);
    const microLamports = most !== null && most < price ? most : price;
    return [
      ComputeBudgetProgram.setComputeUnitLimit({ units }),
      ...(microLamports > 0n ? [ComputeBudgetProgram.setComputeUnitPrice({ microLamports })] : []),
    ];
  }

  /** Micro-lamports for each compute unit; null where there is no limit. */
  private mostPrice(units: number): bigint | null {
    const { maxFeeLamports } = this.options;
    return maxFeeLamports === undefined ? null : (maxFeeLamports * 1_000_000n) / BigInt(units);
  }

  /**
   * Sends the same bytes until their fate is known. Trouble with the server is waited out.
   *
   * @param letters Of one errand, the dearest last. The program takes one of them only, so what one does is done.
   */
  private async deliver(letters: Letter[], first: boolean, errand?: Errand): Promise<Delivery> {
    const { connection, outbox } = this.options;
    let sentAt = -Infinity;
    /** When it was first with a server, and when it was there at the price that it has now. */
    let begun = Infinity;
    let raisedAt = Infinity;
    let fresh = first;
    let troubles = 0;
    let ended: readonly [Letter, Fate] | null = null;
    for (;;) {
      if (this.options.signal?.aborted) throw new Stopped();
      const [dearest] = letters.slice(-1);
      if (!dearest) throw new Error("There is nothing to send.");
      const { key, signature } = dearest;
      try {
        let seen = false;
        for (const letter of fresh ? [] : [...letters]) {
          const fate = await fateOf(connection, letter);
          if (fate.status === "unknown" && !fate.forgotten) {
            seen ||= fate.seen;
            continue;
          }
          if (fate.status === "landed") {
            for (const one of letters) outbox.settle(one.key);
            return await this.finish(letter, fate);
          }
          // What failed may have come second: the other's fate says more.
          if (!ended || ended[1].status === "expired") ended = [letter, fate];
          outbox.settle(letter.key);
          letters.splice(letters.indexOf(letter), 1);
          if (letters.length === 0) return await this.finish(...ended);
        }
        const late = performance.now() - raisedAt >= this.raiseMs;
        if (errand?.urgent === true && late && !seen && troubles === 0) {
          const seconds = Math.round((performance.now() - begun) / 1_000);
          const message = `The chain has not taken it for ${seconds} s.`;
          this.tell({ step: "late", key, signature, message });
          const raised = await this.raise(errand, letters);
          raisedAt = raised ? Infinity : performance.now();
          if (raised) {
            letters.push(raised);
            sentAt = -Infinity;
            continue;
          }
        }
        if (performance.now() - sentAt >= this.resendMs && letters.includes(dearest)) {
          sentAt = performance.now();
          await connection.sendRawTransaction(dearest.raw, { skipPreflight: true, maxRetries: 0 });
          begun = Math.min(begun, performance.now());
          raisedAt = Math.min(raisedAt, performance.now());
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

  /** Another transaction of an errand, at the price that the chain asks now; null where it may cost no more. */
  private async raise(errand: Errand, letters: readonly Letter[]): Promise<Letter | null> {
    const [dearest] = letters.slice(-1);
    const count = Array.from({ length: MOST_LETTERS }, (_, index) => index).find((index) =>
      letters.every(({ key }) => key !== letterKey(errand.key, index)),
    );
    if (!dearest || count === undefined) return null;
    const transaction = Transaction.from(dearest.raw);
    const { units, price } = readBudget(transaction);
    const asked = await this.asked(transaction);
    const wanted = [2n * price, asked, FIRST_PRICE].reduce((a, b) => (b > a ? b : a));
    const most = this.mostPrice(units);
    const next = most !== null && most < wanted ? most : wanted;
    if (next <= price) return null;
    const made = await this.write(errand, letterKey(errand.key, count), next).catch(
      (error: unknown) => {
        if (error instanceof SponsorError) return null;
        throw error;
      },
    );
    // Perhaps it is done by now. What is on its way will tell.
    if (!made || "status" in made) return null;
    this.options.outbox.post(made);
    const message = `It is sent at ${next} micro-lamports a unit, after ${price}.`;
    this.tell({ step: "raised", key: made.key, signature: made.signature, message });
    return made;
  }

  /** What others paid lately who wrote to the same accounts, in micro-lamports for each compute unit. */
  private async asked(transaction: Transaction): Promise<bigint> {
    const lockedWritableAccounts = transaction.instructions
      .flatMap(({ keys }) => keys.filter(({ isWritable }) => isWritable))
      .map(({ pubkey }) => pubkey)
      .slice(0, MOST_ACCOUNTS);
    const fees = await this.options.connection
      .getRecentPrioritizationFees({ lockedWritableAccounts })
      .catch(() => []);
    const paid = fees.map(({ prioritizationFee }) => prioritizationFee).sort((a, b) => a - b);
    return BigInt(Math.ceil(paid[Math.floor(paid.length * OUTBID)] ?? 0));
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

function signersOf(transaction: Transaction): readonly PublicKey[] {
  const { accountKeys, header } = transaction.compileMessage();
  return accountKeys.slice(0, header.numRequiredSignatures);
}

/** Names of an errand's transactions: the first has its own. */
function letterKey(key: string, count: number): string {
  return count === 0 ? key : `${key} (${count + 1})`;
}

/** What a transaction asks for and pays. */
function readBudget({ instructions }: Transaction): { units: number; price: bigint } {
  const budget = { units: MOST_UNITS, price: 0n };
  for (const one of instructions) {
    if (!one.programId.equals(ComputeBudgetProgram.programId)) continue;
    const kind = ComputeBudgetInstruction.decodeInstructionType(one);
    if (kind === "SetComputeUnitLimit") {
      budget.units = ComputeBudgetInstruction.decodeSetComputeUnitLimit(one).units;
    } else if (kind === "SetComputeUnitPrice") {
      const { microLamports } = ComputeBudgetInstruction.decodeSetComputeUnitPrice(one);
      budget.price = BigInt(microLamports);
    }
  }
  return budget;
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
