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
import type { Connection, Keypair, TransactionInstruction } from "@solana/web3.js";
import {
  ComputeBudgetInstruction,
  ComputeBudgetProgram,
  PublicKey,
  SendTransactionError,
  SystemProgram,
  Transaction,
} from "@solana/web3.js";
import type { Urgency } from "./host";
import { UNHURRIED } from "./host";
import type { Sponsor } from "./sponsor";
import { DAY_SLOTS, SponsorError } from "./sponsor";
import type { Letter } from "./state";

/** Where a sender keeps what is on its way; a state is one. */
export interface Outbox {
  letters(): Letter[];
  letter(key: string): Letter | null;
  /** Those that do this, the newest last. */
  lettersOf(key: string): Letter[];
  /** Keeps a letter for good before it returns. Throws when there is one of its name. */
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
  /** Default: all calls are as urgent. */
  readonly urgency?: Urgency;
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
  /**
   * It may share a transaction with others of the same word, as urgent and as much owed as it. Where the chain refuses that, each is
   * sent alone. Default: it is sent alone.
   */
  readonly shares?: string;
}

/** An errand that waits for others. */
interface Waiting {
  readonly errand: Errand;
  /** By when it must be done, by {@link performance}'s clock. */
  readonly due: number;
  readonly resolve: (delivery: Delivery | Promise<Delivery>) => void;
  readonly reject: (error: unknown) => void;
}

/** Errands that are one transaction. */
interface Pack extends Errand {
  /** Of all of them. */
  readonly keys: readonly string[];
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
/** How long what may share a transaction waits for others, in milliseconds. */
const GATHER_MS = 50;
/** Errands of one transaction: what more of them log may be cut, and indexers and audits read logs. */
const MOST_SHARED = 6;
/** Bytes of a transaction, with what stands before its message: signatures, and their number. */
const MOST_BYTES = 1_232;
const SIGNATURE_BYTES = 64;
const NO_BLOCK = { blockhash: SystemProgram.programId.toBase58(), lastValidBlockHeight: 0 };
/** In a trial for size, where the sponsor is not known yet. */
const SOMEBODY = new PublicKey(new Uint8Array(32).fill(1));
/** What a sponsor refuses a transaction for that it may sign for a part of it. */
const SPLIT: ReadonlySet<string> = new Set(["refused", "lackOfSol"]);
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
  private readonly urgency: Urgency;
  private readonly busy = new Map<string, Promise<Delivery>>();
  /** What an earlier process left on its way, by what it does. */
  private readonly settling = new Map<string, Promise<Delivery>>();
  /** Errands that wait for others to share a transaction with, by their words. */
  private readonly gathering = new Map<string, Waiting[]>();

  constructor(private readonly options: SenderOptions) {
    this.pollMs = options.pollMs ?? 500;
    this.resendMs = options.resendMs ?? 2_000;
    this.raiseMs = options.raiseMs ?? 5_000;
    this.urgency = options.urgency ?? UNHURRIED;
  }

  /** Finds out what became of everything that an earlier process left on its way: by the key of each errand. */
  async settleAll(): Promise<ReadonlyMap<string, Delivery>> {
    const all = groupsOf(this.options.outbox.letters()).map(async (letters) => {
      const delivery = await this.settle(letters);
      return (letters[0]?.keys ?? []).map((key) => [key, delivery] as const);
    });
    const settled = new Map<string, Delivery>();
    for (const [key, delivery] of (await Promise.all(all)).flat()) {
      // What another letter did is done.
      if (settled.get(key)?.status !== "landed") settled.set(key, delivery);
    }
    return settled;
  }

  /**
   * Sends, and waits until the fate is known: confirmed, refused, or expired. What is on its way for the same key, from another call or
   * an earlier process, is brought to its end instead, and that is the answer. Rejects when the server can't be asked before anything
   * was sent, with {@link SponsorError} when nobody pays for it, and with {@link Stopped}.
   */
  send(errand: Errand): Promise<Delivery> {
    return this.alone(errand.key, async () => {
      const left = groupsOf(this.options.outbox.lettersOf(errand.key));
      if (left.length > 0) {
        return (await this.afterOthers(errand, left)) ?? (await this.sendOne(packOf([errand])));
      }
      return errand.shares === undefined || this.options.computeUnitLimit !== undefined
        ? await this.sendOne(packOf([errand]))
        : await this.gather(errand, errand.shares);
    });
  }

  /**
   * What became of that which is on its way for an errand, from an earlier process. Null where it is to be sent alone now: the transaction
   * that it shared was refused, for whosever sake, or it is urgent and that one takes too long.
   */
  private async afterOthers(
    errand: Errand,
    left: readonly (readonly Letter[])[],
  ): Promise<Delivery | null> {
    const settled = Promise.all(left.map((letters) => this.settle(letters, errand)));
    const isShared = left.some(([letter]) => (letter?.keys.length ?? 0) > 1);
    // Nothing more can be made of a shared one at a higher price: the others' errands are not known here. Sent alone, it can.
    const late = errand.urgent === true && isShared ? this.pause(this.raiseMs) : null;
    settled.catch(() => undefined);
    const deliveries = await (late ? Promise.race([settled, late]) : settled);
    if (this.options.signal?.aborted === true) throw new Stopped();
    if (!deliveries) return null;
    const landed = deliveries.find(({ status }) => status === "landed");
    if (landed) return landed;
    return isShared ? null : (deliveries[0] ?? null);
  }

  /** @param letters Of the same errands. */
  private settle(letters: readonly Letter[], errand?: Errand): Promise<Delivery> {
    const keys = letters[0]?.keys ?? [];
    const name = JSON.stringify(keys);
    const going = this.settling.get(name);
    if (going) return going;
    const single = keys.length === 1 && errand ? packOf([errand]) : undefined;
    const settling = this.deliver([...letters], false, single).finally(() => {
      this.settling.delete(name);
    });
    this.settling.set(name, settling);
    return settling;
  }

  /** Sends an errand with all others that come at about the same time. */
  private gather(errand: Errand, word: string): Promise<Delivery> {
    // What is more urgent, or owed, shares nothing with the rest, whatever word it has.
    const name = `${word} ${errand.urgent === true} ${errand.owed === true}`;
    const due = this.urgency.dueTime();
    return new Promise((resolve, reject) => {
      const waiting = this.gathering.get(name);
      if (waiting) {
        waiting.push({ errand, due, resolve, reject });
        return;
      }
      const all = [{ errand, due, resolve, reject }];
      this.gathering.set(name, all);
      void this.pause(GATHER_MS).then(() => {
        this.gathering.delete(name);
        if (this.options.signal?.aborted !== true)
          return this.inTime(all, () => this.sendShared(all));
        for (const one of all) one.reject(new Stopped());
      });
    });
  }

  private async sendShared(all: readonly Waiting[]): Promise<void> {
    for (const some of await this.share(all)) {
      const delivery = this.inTime(some, () => this.sendPack(some.map(({ errand }) => errand)));
      for (const { errand, due, resolve, reject } of some) {
        delivery.then((one) => {
          resolve(
            one ??
              this.inTime([{ errand, due, resolve, reject }], () => this.sendOne(packOf([errand]))),
          );
        }, reject);
      }
    }
  }

  /** As urgent as the most urgent of them. */
  private inTime<T>(all: readonly Waiting[], act: () => T): T {
    const due = Math.min(...all.map((one) => one.due));
    return this.urgency.within(due - performance.now(), act);
  }

  /** As many in one transaction as it holds. What can't be made is alone, and its own sending says why. */
  private async share(all: readonly Waiting[]): Promise<Waiting[][]> {
    const { payer, sponsor } = this.options;
    const feePayer = sponsor ? (sponsor.key ?? SOMEBODY) : payer.publicKey;
    const packs: Waiting[][] = [];
    let open: { pack: Waiting[]; instructions: readonly TransactionInstruction[] } | null = null;
    for (const waiting of all) {
      const own = await waiting.errand.instructions(feePayer).catch(() => null);
      if (!own) {
        packs.push([waiting]);
        continue;
      }
      const together: readonly TransactionInstruction[] = [...(open?.instructions ?? []), ...own];
      if (open && open.pack.length < MOST_SHARED && fits(feePayer, together)) {
        open.pack.push(waiting);
        open.instructions = together;
      } else {
        open = { pack: [waiting], instructions: own };
        packs.push(open.pack);
      }
    }
    return packs;
  }

  /** Null where each is to be sent alone: what one of them does to the others' transaction is no fate of theirs. */
  private async sendPack(errands: readonly Errand[]): Promise<Delivery | null> {
    if (errands.length === 1) return null;
    try {
      let split: () => void = () => undefined;
      const isStuck = new Promise<null>((resolve) => {
        split = () => {
          resolve(null);
        };
      });
      const sending = this.sendOne(packOf(errands), split);
      sending.catch(() => undefined);
      const delivery = await Promise.race([sending, isStuck]);
      return delivery?.status === "refused" ? null : delivery;
    } catch (error) {
      const isOver = error instanceof Stopped || error instanceof SponsorError;
      if (isOver && !(error instanceof SponsorError && SPLIT.has(error.reason))) throw error;
      // Nothing was sent.
      return null;
    }
  }

  private async sendOne(pack: Pack, onStuck?: () => void): Promise<Delivery> {
    const { outbox, priorityFee = 0n } = this.options;
    // One that an earlier process left may still have the first.
    const name = namesOf(pack).find((one) => outbox.letter(one) === null) ?? pack.key;
    const made = await this.write(pack, name, priorityFee);
    if ("status" in made) return made;
    outbox.post(made);
    return await this.deliver([made], true, pack, onStuck);
  }

  private alone(key: string, act: () => Promise<Delivery>): Promise<Delivery> {
    const busy = this.busy.get(key);
    if (busy) return busy;
    const going = act().finally(() => this.busy.delete(key));
    this.busy.set(key, going);
    return going;
  }

  /** Makes and signs a transaction that the chain would take now, or says why it would not. */
  private async write(errand: Pack, key: string, price: bigint): Promise<Letter | Delivery> {
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
    errand: Pack,
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
      keys: errand.keys,
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
   * @param letters Of the same errands, the dearest last. The program takes one of them only, so what one does is done.
   */
  private async deliver(
    letters: Letter[],
    first: boolean,
    errand?: Pack,
    onStuck?: () => void,
  ): Promise<Delivery> {
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
          // One of it is done by now, or alone each may cost more: beside it, each is sent alone.
          if (!raised) onStuck?.();
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
  private async raise(errand: Pack, letters: readonly Letter[]): Promise<Letter | null> {
    const [dearest] = letters.slice(-1);
    const name = namesOf(errand).find((one) => letters.every(({ key }) => key !== one));
    if (!dearest || name === undefined) return null;
    const transaction = Transaction.from(dearest.raw);
    const { units, price } = readBudget(transaction);
    const asked = await this.asked(transaction);
    const wanted = [2n * price, asked, FIRST_PRICE].reduce((a, b) => (b > a ? b : a));
    const most = this.mostPrice(units);
    const next = most !== null && most < wanted ? most : wanted;
    if (next <= price) return null;
    const made = await this.write(errand, name, next).catch((error: unknown) => {
      if (error instanceof SponsorError) return null;
      throw error;
    });
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

/** Errands as one, in this order. */
function packOf(errands: readonly Errand[]): Pack {
  const [first] = errands;
  if (!first) throw new Error("There is nothing to send.");
  const keys = errands.map(({ key }) => key);
  return {
    key: keys.length === 1 ? first.key : `${first.key} & ${keys.length - 1} more`,
    keys,
    instructions: async (payer) =>
      (await Promise.all(errands.map((one) => one.instructions(payer)))).flat(),
    signers: errands.flatMap(({ signers = [] }) => signers),
    urgent: first.urgent === true,
    owed: first.owed === true,
  };
}

/** Letters that do the same, together. */
function groupsOf(letters: readonly Letter[]): Letter[][] {
  const groups = new Map<string, Letter[]>();
  for (const letter of letters) {
    const name = JSON.stringify(letter.keys);
    groups.set(name, [...(groups.get(name) ?? []), letter]);
  }
  return [...groups.values()];
}

/** Whether a transaction has room for these, and the budget's two. */
function fits(feePayer: PublicKey, instructions: readonly TransactionInstruction[]): boolean {
  const transaction = new Transaction({ feePayer, ...NO_BLOCK }).add(
    ComputeBudgetProgram.setComputeUnitLimit({ units: MOST_UNITS }),
    ComputeBudgetProgram.setComputeUnitPrice({ microLamports: FIRST_PRICE }),
    ...instructions,
  );
  try {
    const message = transaction.compileMessage();
    const signatures = 1 + message.header.numRequiredSignatures * SIGNATURE_BYTES;
    return signatures + message.serialize().length <= MOST_BYTES;
  } catch {
    // Far more than web3.js has room for.
    return false;
  }
}

/** Names of the transactions of one pack. */
function namesOf({ key }: Pack): readonly string[] {
  return Array.from({ length: MOST_LETTERS }, (_, at) => (at === 0 ? key : `${key} (${at + 1})`));
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
