import { unpackAccount, unpackMint } from "@solana/spl-token";
import { address, getTransactionDecoder, lamports as toLamports } from "@solana/kit";
import { utils } from "@coral-xyz/anchor";
import type {
  BlockhashWithExpiryBlockHeight,
  RpcResponseAndContext,
  SignatureResult,
  TransactionConfirmationStrategy,
} from "@solana/web3.js";
import { Connection, PublicKey, VersionedTransaction } from "@solana/web3.js";
import type { EncodedAccount } from "@solana/kit";
import { FailedTransactionMetadata, LiteSVM } from "litesvm";
import type { TransactionMetadata } from "litesvm";
import { createHash } from "node:crypto";
import { Chain } from "./chain";
import { formatAmount } from "./tokens";

/** A program to have on the chain from its first slot. */
export interface EmbeddedProgram {
  readonly id: PublicKey;
  readonly bytecode: Uint8Array;
}

/** Slots for which a blockhash can be used, as on a public cluster. */
const BLOCKHASH_SLOTS = 150n;

/** Blocks of which the runtime tells programs the hashes. */
const HASHED_BLOCKS = 512n;

/** A slot and the hash of its block, in base58. */
interface BlockHash {
  readonly slot: bigint;
  readonly hash: string;
}

/** What the runtime keeps of a transaction's log. Lines that don't fit are left out, and "Log truncated" stands for the first. */
const LOG_BYTES = 10_000n;

/** Executed transactions that can still be looked up. More than can carry a live blockhash in any sensible use. */
const REMEMBERED = 10_000;

/** The numbers JSON-RPC clients know these failures by. */
const SEND_REFUSED = -32002;
const UNKNOWN_METHOD = -32601;
const BAD_PARAMETERS = -32602;

/**
 * A whole Solana chain in this process: real bytecode, real token programs, no validator, no network, no waiting.
 *
 * It answers a web3.js `Connection` in the JSON-RPC of a validator, so Anchor and the token library see no difference.
 * Its time stands still until {@link waitForSlot} moves it. Every transaction makes a new blockhash.
 */
export class EmbeddedChain extends Chain {
  override readonly connection: Connection;

  private constructor(
    private readonly rpc: EmbeddedRpc,
    /**
     * The machine itself, for whoever sends so much that RPC and its records would cost more than the programs do. What is sent to it can't be
     * looked up by {@link connection}; accounts and time are the same.
     */
    readonly svm: LiteSVM,
  ) {
    super();
    this.connection = new EmbeddedConnection(rpc);
  }

  /** Starts a chain with these programs, and Solana's own token programs, at slot 1. */
  static start(programs: readonly EmbeddedProgram[] = []): EmbeddedChain {
    const svm = new LiteSVM()
      .withBlockhashCheck(false)
      .withTransactionHistory(0n)
      .withLogBytesLimit(LOG_BYTES)
      .withNativeMints();
    for (const program of programs) {
      svm.addProgram(address(program.id.toBase58()), program.bytecode);
    }
    svm.warpToSlot(1n);
    return new EmbeddedChain(new EmbeddedRpc(svm), svm);
  }

  /** Moves the clock to this slot, or leaves it where it is when the slot has passed. Takes no time. */
  override waitForSlot(slot: bigint): Promise<bigint> {
    return Promise.resolve(this.rpc.warpTo(slot));
  }

  override blockhashAfter(blockhash: string): Promise<BlockhashWithExpiryBlockHeight> {
    if (this.rpc.latestBlockhash().blockhash === blockhash) this.rpc.renewBlockhash();
    return Promise.resolve(this.rpc.latestBlockhash());
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A `Connection` whose requests never leave the process. */
class EmbeddedConnection extends Connection {
  constructor(rpc: EmbeddedRpc) {
    super("http://embedded.invalid", {
      commitment: "confirmed",
      fetch: (_url, init) => Promise.resolve(new Response(rpc.answer(init?.body as string))),
    });
  }

  // A transaction is final as soon as it is sent, so there is nothing to subscribe to.
  override async confirmTransaction(
    strategy: TransactionConfirmationStrategy | string,
  ): Promise<RpcResponseAndContext<SignatureResult>> {
    const signature = typeof strategy === "string" ? strategy : strategy.signature;
    const { context, value } = await this.getSignatureStatus(signature);
    if (!value)
      throw new Error(`The embedded chain has no transaction ${signature}: send it first.`);
    return { context, value: { err: value.err } };
  }
}

class RpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data?: Json,
  ) {
    super(message);
  }
}

type Json =
  string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

interface Executed {
  readonly slot: bigint;
  readonly transaction: VersionedTransaction;
  readonly error: Json;
  readonly logs: readonly string[];
  readonly inner: Json;
  readonly computeUnits: bigint;
  readonly fee: bigint;
}

/** The part of a validator's JSON-RPC that Anchor, the token library and this client use, over LiteSVM. */
class EmbeddedRpc {
  private readonly executed = new Map<string, Executed>();
  private readonly blockhashes = new Map<string, bigint>();

  constructor(private readonly svm: LiteSVM) {
    this.rememberBlockhash();
  }

  answer(body: string): string {
    const request = JSON.parse(body) as RpcRequest | RpcRequest[];
    return JSON.stringify(
      Array.isArray(request) ? request.map((one) => this.answerOne(one)) : this.answerOne(request),
    );
  }

  warpTo(slot: bigint): bigint {
    const now = this.slot();
    if (slot <= now) return now;
    this.svm.warpToSlot(slot);
    this.hashBlocks(now, slot);
    for (const [hash, since] of this.blockhashes) {
      if (slot - since > BLOCKHASH_SLOTS) this.blockhashes.delete(hash);
    }
    this.renewBlockhash();
    return slot;
  }

  /** Every slot from `from` on that is over before `until` has its block, which LiteSVM does not tell of. */
  private hashBlocks(from: bigint, until: bigint): void {
    const first = until - HASHED_BLOCKS;
    const made: BlockHash[] = this.svm
      .getSlotHashes()
      .filter(({ slot }) => slot >= first && slot < from);
    const fresh: BlockHash[] = [];
    for (let slot = until - 1n; slot >= from && slot >= first; slot -= 1n) {
      const hash = createHash("sha256").update(`block ${slot.toString()}`).digest();
      fresh.push({ slot, hash: utils.bytes.bs58.encode(hash) });
    }
    fresh.push(...made);
    // It takes plain values, and its class has no constructor.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    this.svm.setSlotHashes(fresh);
  }

  renewBlockhash(): void {
    this.svm.expireBlockhash();
    this.rememberBlockhash();
  }

  latestBlockhash(): BlockhashWithExpiryBlockHeight {
    return {
      blockhash: this.svm.latestBlockhash(),
      lastValidBlockHeight: Number(this.slot() + BLOCKHASH_SLOTS),
    };
  }

  private rememberBlockhash(): void {
    this.blockhashes.set(this.svm.latestBlockhash(), this.slot());
  }

  private slot(): bigint {
    return this.svm.getClock().slot;
  }

  private answerOne({ id, method, params = [] }: RpcRequest): Json {
    try {
      return { jsonrpc: "2.0", id, result: this.call(method, params) };
    } catch (error) {
      const { code, message, data } =
        error instanceof RpcError ? error : new RpcError(BAD_PARAMETERS, String(error));
      return { jsonrpc: "2.0", id, error: { code, message, data } };
    }
  }

  private call(method: string, params: readonly unknown[]): Json {
    const [first, second] = params;
    switch (method) {
      case "getSlot":
      case "getBlockHeight":
        return Number(this.slot());
      case "getEpochInfo":
        return {
          absoluteSlot: Number(this.slot()),
          blockHeight: Number(this.slot()),
          epoch: 0,
          slotIndex: Number(this.slot()),
          slotsInEpoch: 432_000,
        };
      case "getVersion":
        return { "solana-core": "embedded", "feature-set": 0 };
      case "getMinimumBalanceForRentExemption":
        return Number(this.svm.minimumBalanceForRentExemption(BigInt(first as number)));
      case "getLatestBlockhash":
        return this.withContext({ ...this.latestBlockhash() });
      case "isBlockhashValid":
        return this.withContext(this.blockhashes.has(first as string));
      case "getBalance":
        return this.withContext(Number(this.svm.getBalance(address(first as string)) ?? 0n));
      case "getAccountInfo":
        return this.withContext(this.accountJson(first as string, options(second)));
      case "getMultipleAccounts":
        return this.withContext(
          (first as string[]).map((key) => this.accountJson(key, options(second))),
        );
      case "getProgramAccounts":
        return this.programAccounts(first as string, options(second));
      case "getTokenAccountBalance":
        return this.withContext(this.tokenBalance(new PublicKey(first as string)));
      case "requestAirdrop":
        return this.airdrop(first as string, BigInt(second as number));
      case "simulateTransaction":
        return this.simulateRequest(first as string, options(second));
      case "sendTransaction":
        return this.send(first as string, options(second));
      case "getSignatureStatuses":
        return this.withContext((first as string[]).map((signature) => this.status(signature)));
      case "getTransaction":
        return this.transactionJson(first as string);
      case "getSignaturesForAddress":
        return this.signatures(first as string, options(second));
      default:
        throw new RpcError(UNKNOWN_METHOD, `The embedded chain does not answer ${method}.`);
    }
  }

  private withContext(value: Json): Json {
    return { context: { slot: Number(this.slot()) }, value };
  }

  private accountJson(key: string, { dataSlice }: AccountOptions): Json {
    const account = this.svm.getAccount(address(key));
    return account.exists ? encodeAccount(account, dataSlice) : null;
  }

  private programAccounts(
    program: string,
    { filters = [], dataSlice, withContext }: AccountOptions,
  ): Json {
    const found = this.svm
      .getProgramAccounts(address(program))
      .filter((account) => filters.every((filter) => matches(account.data, filter)))
      .map((account) => ({ pubkey: account.address, account: encodeAccount(account, dataSlice) }));
    return withContext ? this.withContext(found) : found;
  }

  private tokenBalance(key: PublicKey): Json {
    const read = (
      at: PublicKey,
    ): { info: Parameters<typeof unpackAccount>[1]; owner: PublicKey } => {
      const account = this.svm.getAccount(address(at.toBase58()));
      if (!account.exists) {
        throw new RpcError(BAD_PARAMETERS, "Invalid param: could not find account");
      }
      const owner = new PublicKey(account.programAddress);
      const info = {
        data: Buffer.from(account.data),
        executable: account.executable,
        lamports: Number(account.lamports),
        owner,
      };
      return { info, owner };
    };
    const { info, owner } = read(key);
    const token = unpackAccount(key, info, owner);
    const { decimals } = unpackMint(token.mint, read(token.mint).info, owner);
    const text = formatAmount(token.amount, decimals);
    return {
      amount: token.amount.toString(),
      decimals,
      uiAmount: Number(text),
      uiAmountString: text,
    };
  }

  private airdrop(key: string, amount: bigint): Json {
    const result = this.svm.airdrop(address(key), toLamports(amount));
    this.renewBlockhash();
    if (!result || result instanceof FailedTransactionMetadata) {
      throw new RpcError(
        BAD_PARAMETERS,
        "The faucet of the embedded chain has not enough lamports left.",
      );
    }
    const signature = utils.bytes.bs58.encode(result.signature());
    this.airdrops.add(signature);
    return signature;
  }

  private readonly airdrops = new Set<string>();

  private simulateRequest(encoded: string, config: SimulateOptions): Json {
    const bytes = Buffer.from(encoded, "base64");
    const transaction = VersionedTransaction.deserialize(bytes);
    const refusal = this.refusal(transaction, config.replaceRecentBlockhash === true);
    const { error, meta } =
      refusal === undefined
        ? this.simulate(bytes, config.sigVerify === true)
        : { error: refusal, meta: undefined };
    const returned = meta?.returnData();
    const returnedData = returned?.data() ?? new Uint8Array();
    return this.withContext({
      err: error,
      logs: meta?.logs() ?? [],
      unitsConsumed: Number(meta?.computeUnitsConsumed() ?? 0n),
      accounts: null,
      returnData:
        returned && returnedData.length > 0
          ? {
              programId: new PublicKey(returned.programId()).toBase58(),
              data: [Buffer.from(returnedData).toString("base64"), "base64"],
            }
          : null,
    });
  }

  private simulate(bytes: Uint8Array, verify: boolean): { error: Json; meta: TransactionMetadata } {
    this.svm.withSigverify(verify);
    try {
      const result = this.svm.simulateTransaction(getTransactionDecoder().decode(bytes));
      return {
        error: result instanceof FailedTransactionMetadata ? errorJson(result) : null,
        meta: result.meta(),
      };
    } finally {
      this.svm.withSigverify(true);
    }
  }

  private send(encoded: string, { skipPreflight }: SendOptions): Json {
    const bytes = Buffer.from(encoded, "base64");
    const transaction = VersionedTransaction.deserialize(bytes);
    const refusal = this.refusal(transaction, false);
    if (refusal !== undefined) throw sendRefused(refusal, []);
    // As on a validator, what fails the check before sending costs no fee and leaves no trace.
    if (skipPreflight !== true) {
      const { error, meta } = this.simulate(bytes, true);
      if (error !== null) throw sendRefused(error, meta.logs());
    }
    const result = this.svm.sendTransaction(getTransactionDecoder().decode(bytes));
    const failed = result instanceof FailedTransactionMetadata;
    const meta = failed ? result.meta() : result;
    const signature = utils.bytes.bs58.encode(first(transaction.signatures));
    this.executed.set(signature, {
      slot: this.slot(),
      transaction,
      error: failed ? errorJson(result) : null,
      logs: meta.logs(),
      inner: innerJson(meta),
      computeUnits: meta.computeUnitsConsumed(),
      fee: 5000n * BigInt(transaction.signatures.length),
    });
    if (this.executed.size > REMEMBERED) {
      const oldest = this.executed.keys().next();
      if (oldest.done !== true) this.executed.delete(oldest.value);
    }
    this.renewBlockhash();
    return signature;
  }

  /** What a validator checks before it executes anything, and LiteSVM does not check in its way. */
  private refusal(transaction: VersionedTransaction, anyBlockhash: boolean): Json | undefined {
    if (this.executed.has(utils.bytes.bs58.encode(first(transaction.signatures)))) {
      return "AlreadyProcessed";
    }
    if (!anyBlockhash && !this.blockhashes.has(transaction.message.recentBlockhash)) {
      return "BlockhashNotFound";
    }
    return undefined;
  }

  private status(signature: string): Json {
    if (this.airdrops.has(signature)) return this.finalStatus(this.slot(), null);
    const found = this.executed.get(signature);
    return found ? this.finalStatus(found.slot, found.error) : null;
  }

  private finalStatus(slot: bigint, error: Json): Json {
    return {
      slot: Number(slot),
      confirmations: null,
      err: error,
      status: error === null ? { Ok: null } : { Err: error },
      confirmationStatus: "finalized",
    };
  }

  /** The newest first. */
  private signatures(key: string, { before, until, limit = 1_000 }: HistoryOptions): Json {
    const all = [...this.executed].reverse();
    const end = until === undefined ? -1 : all.findIndex(([signature]) => signature === until);
    const start = before === undefined ? -1 : all.findIndex(([signature]) => signature === before);
    return all
      .slice(start + 1, end === -1 ? undefined : end)
      .filter(([, { transaction }]) =>
        transaction.message.staticAccountKeys.some((one) => one.toBase58() === key),
      )
      .slice(0, limit)
      .map(([signature, { slot, error }]) => ({
        ...{ signature, slot: Number(slot), err: error },
        ...{ memo: null, blockTime: null, confirmationStatus: "finalized" },
      }));
  }

  private transactionJson(signature: string): Json {
    const found = this.executed.get(signature);
    if (!found) return null;
    const { message, signatures } = found.transaction;
    return {
      slot: Number(found.slot),
      blockTime: null,
      version: message.version,
      transaction: {
        signatures: signatures.map((one) => utils.bytes.bs58.encode(one)),
        message: {
          header: { ...message.header },
          accountKeys: message.staticAccountKeys.map((key) => key.toBase58()),
          recentBlockhash: message.recentBlockhash,
          instructions: message.compiledInstructions.map((instruction) => ({
            programIdIndex: instruction.programIdIndex,
            accounts: instruction.accountKeyIndexes,
            data: utils.bytes.bs58.encode(Buffer.from(instruction.data)),
          })),
          addressTableLookups: [],
        },
      },
      meta: {
        err: found.error,
        fee: Number(found.fee),
        innerInstructions: found.inner,
        preBalances: [],
        postBalances: [],
        preTokenBalances: [],
        postTokenBalances: [],
        logMessages: found.logs,
        computeUnitsConsumed: Number(found.computeUnits),
      },
    };
  }
}

interface RpcRequest {
  readonly id: string;
  readonly method: string;
  readonly params?: readonly unknown[];
}

interface DataSlice {
  readonly offset: number;
  readonly length: number;
}

type Filter =
  | { readonly dataSize: number }
  | {
      readonly memcmp: {
        readonly offset: number;
        readonly bytes: string;
        readonly encoding?: string;
      };
    };

interface AccountOptions {
  readonly dataSlice?: DataSlice;
  readonly filters?: readonly Filter[];
  readonly withContext?: boolean;
}

interface SimulateOptions {
  readonly sigVerify?: boolean;
  readonly replaceRecentBlockhash?: boolean;
}

interface SendOptions {
  readonly skipPreflight?: boolean;
}

interface HistoryOptions {
  readonly before?: string;
  readonly until?: string;
  readonly limit?: number;
}

/** The last parameter of a request, which may be missing. */
function options(value: unknown): AccountOptions & SimulateOptions & SendOptions & HistoryOptions {
  return value ?? {};
}

function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new RpcError(BAD_PARAMETERS, "The transaction has no signature.");
  return item;
}

function encodeAccount(account: EncodedAccount, slice?: DataSlice): Json {
  const data = slice ? account.data.slice(slice.offset, slice.offset + slice.length) : account.data;
  return {
    data: [Buffer.from(data).toString("base64"), "base64"],
    executable: account.executable,
    lamports: Number(account.lamports),
    owner: account.programAddress,
    // What validators report for every account that pays no rent.
    rentEpoch: Number(2n ** 64n - 1n),
    space: account.data.length,
  };
}

/** The instructions that instructions called, as a validator lists them. */
function innerJson(meta: TransactionMetadata): Json {
  return meta
    .innerInstructions()
    .map((called, index) => ({
      index,
      instructions: called.map((inner) => {
        const instruction = inner.instruction();
        return {
          programIdIndex: instruction.programIdIndex(),
          accounts: [...instruction.accounts()],
          data: utils.bytes.bs58.encode(Buffer.from(instruction.data())),
          stackHeight: inner.stackHeight(),
        };
      }),
    }))
    .filter(({ instructions }) => instructions.length > 0);
}

function matches(data: EncodedAccount["data"], filter: Filter): boolean {
  if ("dataSize" in filter) return data.length === filter.dataSize;
  const { offset, bytes, encoding } = filter.memcmp;
  const wanted =
    encoding === "base64" ? Buffer.from(bytes, "base64") : utils.bytes.bs58.decode(bytes);
  return Buffer.compare(data.slice(offset, offset + wanted.length), wanted) === 0;
}

/**
 * LiteSVM's failure in the JSON of a validator, such as `{"InstructionError":[0,{"Custom":6000}]}`. Its bindings give
 * bare numbers for most failures, and the names only in their text.
 */
function errorJson(failed: FailedTransactionMetadata): Json {
  const text = /\berr: (.*?), meta: /s.exec(failed.toString())?.[1] ?? "Unknown";
  const instruction = /^InstructionError\((\d+), (.*)\)$/s.exec(text);
  if (!instruction) {
    const [name = text, index] = text.split(/[\s({]+/);
    const account = /account_index: (\d+)/.exec(text)?.[1];
    if (account !== undefined) return { [name]: { account_index: Number(account) } };
    return index !== undefined && /^\d+/.test(index) ? { [name]: parseInt(index, 10) } : name;
  }
  const [, at = "0", kind = ""] = instruction;
  const custom = /^Custom\((\d+)\)$/.exec(kind)?.[1];
  return {
    InstructionError: [Number(at), custom === undefined ? kind : { Custom: Number(custom) }],
  };
}

/** Failures before any instruction runs, in a validator's words. */
const TRANSACTION_ERRORS: Readonly<Record<string, string>> = {
  AccountNotFound: "Attempt to debit an account but found no record of a prior credit.",
  AlreadyProcessed: "This transaction has already been processed",
  BlockhashNotFound: "Blockhash not found",
  InsufficientFundsForFee: "Insufficient funds for fee",
  InsufficientFundsForRent: "Transaction results in an account with insufficient funds for rent",
  InvalidProgramForExecution: "This program may not be used for executing instructions",
  ProgramAccountNotFound: "Attempt to load a program that does not exist",
  SignatureFailure: "Transaction did not pass signature verification",
};

function sendRefused(error: Json, logs: readonly string[]): RpcError {
  return new RpcError(SEND_REFUSED, `Transaction simulation failed: ${errorText(error, logs)}`, {
    err: error,
    logs,
    accounts: null,
  });
}

function errorText(error: Json, logs: readonly string[]): string {
  if (typeof error === "string") return TRANSACTION_ERRORS[error] ?? error;
  const instruction = (error as { InstructionError?: readonly [number, Json] }).InstructionError;
  if (!instruction) {
    const [name = ""] = Object.keys(error as object);
    return TRANSACTION_ERRORS[name] ?? JSON.stringify(error);
  }
  const [index, kind] = instruction;
  // The runtime writes the reason in words into the last line of the log.
  const words = /^Program \w+ failed: (.*)$/.exec(logs.at(-1) ?? "")?.[1];
  return `Error processing Instruction ${index}: ${words ?? JSON.stringify(kind)}`;
}
