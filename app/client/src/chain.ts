import { AnchorProvider, Wallet, utils } from "@coral-xyz/anchor";
import type { ConfirmOptions } from "@solana/web3.js";
import {
  Connection,
  Keypair,
  PublicKey,
  SendTransactionError,
  Transaction,
  VersionedTransaction,
} from "@solana/web3.js";
import type {
  AccountInfo,
  BlockhashWithExpiryBlockHeight,
  Signer,
  VersionedTransactionResponse,
} from "@solana/web3.js";

/** What became of a transaction that was executed. */
export interface TransactionOutcome {
  readonly signature: string;
  /** Slot in which it was executed. */
  readonly slot: bigint;
  /** Log lines in order, as far as the runtime kept them; {@link parseEvents} reads them. */
  readonly logs: readonly string[];
  /** The program of every instruction that was executed, inner ones too. Null where the server keeps no record of those. */
  readonly programs: readonly PublicKey[] | null;
  /** Compute units used by the whole transaction. */
  readonly computeUnits: bigint;
  /** Lamports that the first signer paid for it. */
  readonly fee: bigint;
}

/** How long a chain may stand still before {@link Chain.waitForSlot} gives up, in milliseconds. */
const STALL_LIMIT_MS = 60_000;

/** How long a chain may take to write down what it confirmed. One that keeps no history never does. */
const RECORD_LIMIT_SLOTS = 600;

/**
 * A Solana chain, wherever it runs. `ConnectionChain` reaches one over RPC, `EmbeddedChain` runs one in this process.
 * Both hand out a web3.js `Connection`, so whatever works with one works with the other, errors included.
 */
export abstract class Chain {
  abstract readonly connection: Connection;

  /** Transactions sent and not yet expired: signature to the last block height at which it can still land. */
  private readonly inFlight = new Map<string, number>();

  /** Waits until transactions are executed in this slot or a later one. Returns the slot reached. */
  abstract waitForSlot(slot: bigint): Promise<bigint>;

  /** Waits for a blockhash other than this one. */
  abstract blockhashAfter(blockhash: string): Promise<BlockhashWithExpiryBlockHeight>;

  /** Releases what the chain holds open. Safe to call twice. */
  abstract close(): Promise<void>;

  /** An Anchor provider whose transactions this key pays for and signs. */
  provider(payer: Keypair): ChainProvider {
    return new ChainProvider(this, new Wallet(payer));
  }

  /** The slot in which a transaction sent now would be executed, at the earliest. */
  async slot(): Promise<bigint> {
    return BigInt(await this.connection.getSlot("processed"));
  }

  /** Sends a transaction. The first signer pays. Throws a `SendTransactionError` with logs when it is refused. */
  async send(
    transaction: Transaction,
    signers: readonly [Keypair, ...Keypair[]],
  ): Promise<TransactionOutcome> {
    const [payer, ...rest] = signers;
    return this.outcome(await this.provider(payer).sendAndConfirm(transaction, rest));
  }

  /** Logs and cost of a confirmed transaction. Throws when the chain does not know the signature. */
  async outcome(signature: string): Promise<TransactionOutcome> {
    const found = await this.record(signature);
    if (!found) {
      throw new Error(
        `The chain has no transaction ${signature}. It was never confirmed: send it again.`,
      );
    }
    return {
      signature,
      slot: BigInt(found.slot),
      logs: found.meta?.logMessages ?? [],
      programs: programsOf(found),
      computeUnits: BigInt(found.meta?.computeUnitsConsumed ?? 0),
      fee: BigInt(found.meta?.fee ?? 0),
    };
  }

  /** What the chain wrote down of a transaction. */
  protected record(signature: string): Promise<VersionedTransactionResponse | null> {
    return this.connection.getTransaction(signature, {
      commitment: "confirmed",
      maxSupportedTransactionVersion: 0,
    });
  }

  /** The account at an address, or null. */
  account(address: PublicKey): Promise<AccountInfo<Buffer> | null> {
    return this.connection.getAccountInfo(address);
  }

  /** Lamports an account of this many bytes must hold to stay. */
  async rentMinimum(bytes: number): Promise<bigint> {
    return BigInt(await this.connection.getMinimumBalanceForRentExemption(bytes));
  }

  /** Gives an address lamports from the faucet: for development chains only, others refuse. */
  async fund(address: PublicKey, lamports: bigint): Promise<void> {
    const latest = await this.connection.getLatestBlockhash();
    const signature = await this.connection.requestAirdrop(address, Number(lamports));
    await this.connection.confirmTransaction({ signature, ...latest });
  }

  /** Notes that a signature is being sent; false when it is on its way already. */
  claimSignature(signature: string, lastValidBlockHeight: number): boolean {
    if (this.inFlight.has(signature)) return false;
    for (const [old, height] of this.inFlight) {
      // The newest block height is at least 150 below the expiry of the newest blockhash.
      if (height < lastValidBlockHeight - 150) this.inFlight.delete(old);
    }
    this.inFlight.set(signature, lastValidBlockHeight);
    return true;
  }
}

function programsOf(record: VersionedTransactionResponse): PublicKey[] | null {
  const { meta, transaction } = record;
  const { innerInstructions, loadedAddresses } = meta ?? {};
  if (!innerInstructions) return null;
  const { message } = transaction;
  const keys = message.getAccountKeys(
    loadedAddresses && { accountKeysFromLookups: loadedAddresses },
  );
  const inner = innerInstructions.flatMap(({ instructions }) => instructions);
  return [...message.compiledInstructions, ...inner].map(({ programIdIndex }) => {
    const program = keys.get(programIdIndex);
    if (!program) throw new Error("The chain's record names a program that isn't in it.");
    return program;
  });
}

/** Checks are made against the newest slot, results are read once a majority of the stake has confirmed them. */
const OPTIONS: ConfirmOptions = { commitment: "confirmed", preflightCommitment: "processed" };

/**
 * Anchor's provider with one difference: sending the same instructions twice in a row does what it says. Two equal
 * transactions with one blockhash are one transaction to a chain, so the second waits for the next blockhash.
 */
export class ChainProvider extends AnchorProvider {
  constructor(
    readonly chain: Chain,
    wallet: Wallet,
  ) {
    super(chain.connection, wallet, OPTIONS);
  }

  override async sendAndConfirm(
    transaction: Transaction | VersionedTransaction,
    signers: Signer[] = [],
    options: ConfirmOptions = this.opts,
  ): Promise<string> {
    // A versioned transaction comes with its blockhash: whoever made it chose that.
    if (transaction instanceof VersionedTransaction) {
      return super.sendAndConfirm(transaction, signers, options);
    }
    transaction.feePayer ??= this.publicKey;
    const { connection } = this;
    // A newer blockhash could be of a fork that dies, and the transaction with it.
    let latest = await connection.getLatestBlockhash(options.commitment);
    for (;;) {
      transaction.recentBlockhash = latest.blockhash;
      for (const signer of signers) transaction.partialSign(signer);
      await this.wallet.signTransaction(transaction);
      const id = transaction.signature;
      if (!id) throw new Error("The fee payer did not sign the transaction: pass it as a signer.");
      if (this.chain.claimSignature(utils.bytes.bs58.encode(id), latest.lastValidBlockHeight)) {
        break;
      }
      latest = await this.chain.blockhashAfter(latest.blockhash);
    }
    const signature = await connection.sendRawTransaction(transaction.serialize(), options);
    const { value } = await connection.confirmTransaction(
      { signature, ...latest },
      options.commitment,
    );
    if (value.err !== null) {
      // It passed the check before sending and failed in its block: the node keeps the reason.
      const failed = await this.chain.outcome(signature).catch(() => null);
      throw new SendTransactionError({
        action: "send",
        signature,
        transactionMessage: `Transaction failed: ${JSON.stringify(value.err)}`,
        logs: [...(failed?.logs ?? [])],
      });
    }
    return signature;
  }
}

/** A chain behind an RPC address. */
export class ConnectionChain extends Chain {
  constructor(override readonly connection: Connection) {
    super();
  }

  override async waitForSlot(slot: bigint): Promise<bigint> {
    return this.watchSlots(async () => {
      const now = await this.slot();
      return now >= slot ? now : undefined;
    }, `slot ${slot.toString()}`);
  }

  /** A validator confirms a transaction first and writes it down after, on a busy machine many slots after. */
  protected override async record(signature: string): Promise<VersionedTransactionResponse | null> {
    const found = await super.record(signature);
    if (found) return found;
    const { value: status } = await this.connection.getSignatureStatus(signature);
    if (!status) return null;
    let slotsLeft = RECORD_LIMIT_SLOTS;
    return this.watchSlots(async () => {
      const record = await super.record(signature);
      slotsLeft -= 1;
      return record ?? (slotsLeft > 0 ? undefined : null);
    }, `the record of transaction ${signature}`);
  }

  override async blockhashAfter(blockhash: string): Promise<BlockhashWithExpiryBlockHeight> {
    return this.watchSlots(async () => {
      const latest = await this.connection.getLatestBlockhash("confirmed");
      return latest.blockhash === blockhash ? undefined : latest;
    }, "a new blockhash");
  }

  override async close(): Promise<void> {
    // Nothing is held open between calls.
  }

  /** Asks at once and after every new slot until there is an answer. */
  private watchSlots<T>(ask: () => Promise<T | undefined>, what: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let done = false;
      let asking = false;
      let again = false;
      let timer: NodeJS.Timeout | undefined;
      const subscription = this.connection.onSlotChange(() => {
        check();
      });
      const finish = (act: () => void): void => {
        if (done) return;
        done = true;
        clearTimeout(timer);
        void this.connection.removeSlotChangeListener(subscription).finally(act);
      };
      const check = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          finish(() => {
            reject(
              new Error(
                `The chain made no new slot for ${STALL_LIMIT_MS / 1000} seconds while waiting for ${what}. ` +
                  "Check that its validator runs and can be reached.",
              ),
            );
          });
        }, STALL_LIMIT_MS);
        if (asking) {
          again = true;
          return;
        }
        asking = true;
        again = false;
        ask().then(
          (answer) => {
            asking = false;
            if (answer !== undefined)
              finish(() => {
                resolve(answer);
              });
            else if (again) check();
          },
          (error: unknown) => {
            finish(() => {
              reject(error instanceof Error ? error : new Error(String(error)));
            });
          },
        );
      };
      check();
    });
  }
}
