import { AnchorProvider, Wallet, utils } from "@coral-xyz/anchor";
import type { ConfirmOptions } from "@solana/web3.js";
import {
  Connection,
  Keypair,
  PublicKey,
  SystemProgram,
  Transaction,
  VersionedTransaction,
} from "@solana/web3.js";
import type {
  AccountInfo,
  BlockhashWithExpiryBlockHeight,
  Signer,
  VersionedTransactionResponse,
} from "@solana/web3.js";
import { must } from "./arguments";
import type { Sent } from "./fate";
import { Expired, settle } from "./fate";
import { refused, simulate } from "./simulation";

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
/** Transactions of the faucet, one after the other, that may expire. */
const FUNDINGS = 3;
/** After that without news of a slot, the chain is asked. */
const SILENCE_MS = 3_000;

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
        `The server has no record of the transaction ${signature}: it may keep none, be behind, or never have seen it. That it was not executed is not said by that; ask for its status, or another server.`,
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
    const { connection } = this;
    const amount = Number(must.u64("fund", "lamports", lamports));
    for (let left = FUNDINGS; ; left -= 1) {
      const signature = await connection.requestAirdrop(address, amount);
      const { context, value } = await connection.getLatestBlockhashAndContext("processed");
      const { lastValidBlockHeight } = value;
      const sent = { signature, lastValidBlockHeight, minSlot: context.slot };
      const { status } = await settle(connection, sent);
      if (status === "landed") return;
      // It never will: on a busy machine the faucet's transaction may get lost.
      if (left === 1) throw new Expired(signature);
    }
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

/** For how many blocks a blockhash can be used. */
const BLOCKHASH_BLOCKS = 150;

/**
 * Anchor's provider with two differences. Sending the same instructions twice in a row does what it says: two equal transactions with one
 * blockhash are one transaction to a chain, so the second waits for the next blockhash. And it says that a transaction was not executed
 * only where the chain has said so ({@link settle}): throws a `SendTransactionError` for what is refused, {@link Expired} and
 * {@link OutcomeUnknown}.
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
    const { connection } = this;
    const versioned = transaction instanceof VersionedTransaction;
    const sent = await (versioned
      ? this.signVersioned(transaction, signers, options)
      : this.sign(transaction, signers, options));
    const { signature } = sent;
    const bytes = transaction.serialize();
    // Apart from sending: an error of that would not say whether an earlier try had arrived.
    if (options.skipPreflight !== true && !versioned) {
      await simulate(connection, transaction.compileMessage(), options.preflightCommitment);
    }
    const fate = await settle(connection, sent, {
      reached: options.commitment === "finalized" ? "finalized" : "confirmed",
      push: () => connection.sendRawTransaction(bytes, { skipPreflight: true }),
    });
    if (fate.status === "expired") throw new Expired(signature);
    if (fate.status === "failed") {
      // It passed the check before sending and failed in its block: the node keeps the reason.
      const failed = await this.chain.outcome(signature).catch(() => null);
      const message = versioned ? transaction.message : transaction.compileMessage();
      throw refused("send", fate.error, failed?.logs ?? [], { signature, message });
    }
    return signature;
  }

  /** One after another, each as {@link sendAndConfirm}. Anchor's own takes a time-out for an end. */
  override async sendAll(
    transactions: { tx: Transaction | VersionedTransaction; signers?: Signer[] }[],
    options?: ConfirmOptions,
  ): Promise<string[]> {
    const signatures: string[] = [];
    for (const { tx, signers } of transactions) {
      signatures.push(await this.sendAndConfirm(tx, signers, options));
    }
    return signatures;
  }

  private async sign(
    transaction: Transaction,
    signers: readonly Signer[],
    { commitment }: ConfirmOptions,
  ): Promise<Sent> {
    transaction.feePayer ??= this.publicKey;
    // A newer blockhash could be of a fork that dies, and the transaction with it.
    const { context, value } = await this.connection.getLatestBlockhashAndContext(commitment);
    let latest = value;
    for (;;) {
      transaction.recentBlockhash = latest.blockhash;
      for (const signer of signers) transaction.partialSign(signer);
      await this.wallet.signTransaction(transaction);
      const id = transaction.signature;
      if (!id) throw new Error("The fee payer did not sign the transaction: pass it as a signer.");
      const signature = utils.bytes.bs58.encode(id);
      const { blockhash, lastValidBlockHeight } = latest;
      if (this.chain.claimSignature(signature, lastValidBlockHeight)) {
        return { signature, lastValidBlockHeight, minSlot: context.slot };
      }
      latest = await this.chain.blockhashAfter(blockhash);
    }
  }

  /** A versioned transaction comes with its blockhash: whoever made it chose that. */
  private async signVersioned(
    transaction: VersionedTransaction,
    signers: Signer[],
    { preflightCommitment }: ConfirmOptions,
  ): Promise<Sent> {
    transaction.sign(signers);
    const { message } = await this.wallet.signTransaction(transaction);
    const [id] = transaction.signatures;
    if (!id) throw new Error("The transaction has no signature: sign it with its fee payer.");
    const signature = utils.bytes.bs58.encode(id);
    // A server that takes the blockhash now is not before it.
    const { slot } = await simulate(this.connection, message, preflightCommitment, false);
    if (advancesNonce(transaction)) {
      return { signature, lastValidBlockHeight: Infinity, minSlot: slot };
    }
    const { blockHeight = Infinity } = await this.connection.getEpochInfo({
      commitment: "processed",
      minContextSlot: slot,
    });
    // Its life may have begun long before: no matter, this is for when it ends at the latest.
    return { signature, lastValidBlockHeight: blockHeight + BLOCKHASH_BLOCKS, minSlot: 0 };
  }
}

/** Whether a transaction can land as long as a nonce is not used up, whatever its blockhash. */
function advancesNonce({ message }: VersionedTransaction): boolean {
  const [first] = message.compiledInstructions;
  const program = first && message.staticAccountKeys[first.programIdIndex];
  if (!first || !program?.equals(SystemProgram.programId) || first.data.length < 4) return false;
  const ADVANCE_NONCE = 4;
  return Buffer.from(first.data).readUInt32LE() === ADVANCE_NONCE;
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

  /** Closes the subscription socket, which would otherwise try for ever to reach a server that went away without a word. */
  override close(): Promise<void> {
    // web3.js has no public way to do this.
    const { _rpcWebSocket: socket } = this.connection as unknown as {
      readonly _rpcWebSocket: { setAutoReconnect(reconnect: boolean): void; close(): void };
    };
    socket.setAutoReconnect(false);
    socket.close();
    return Promise.resolve();
  }

  /** Asks at once and after every new slot until there is an answer. */
  private watchSlots<T>(ask: () => Promise<T | undefined>, what: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let done = false;
      let asking = false;
      let again = false;
      let timer: NodeJS.Timeout | undefined;
      let heard = true;
      let newest: bigint | undefined;
      const subscription = this.connection.onSlotChange(() => {
        heard = true;
        check();
      });
      // A subscription can fall silent while the chain goes on.
      const silence = setInterval(() => {
        if (heard) {
          heard = false;
          return;
        }
        this.slot().then(
          (slot) => {
            if (done || slot === newest) return;
            newest = slot;
            check();
          },
          () => undefined,
        );
      }, SILENCE_MS);
      const finish = (act: () => void): void => {
        if (done) return;
        done = true;
        clearTimeout(timer);
        clearInterval(silence);
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
