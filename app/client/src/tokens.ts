import {
  ExtensionType,
  NATIVE_MINT,
  TOKEN_2022_PROGRAM_ID,
  TOKEN_PROGRAM_ID,
  createAssociatedTokenAccountIdempotentInstruction,
  createCloseAccountInstruction,
  createDisableRequiredMemoTransfersInstruction,
  createEnableRequiredMemoTransfersInstruction,
  createSyncNativeInstruction,
  getAssociatedTokenAddressSync,
  getExtensionTypes,
  getMemoTransfer,
  unpackAccount,
  unpackMint,
} from "@solana/spl-token";
import type { Connection, PublicKey, TransactionInstruction } from "@solana/web3.js";
import { SystemProgram } from "@solana/web3.js";
import { must } from "./arguments";

/** A mint, and what is needed to move its tokens. */
export interface MintInfo {
  readonly address: PublicKey;
  /** Token or Token-2022, whichever owns the mint. */
  readonly tokenProgram: PublicKey;
  /** Digits after the point when people write an amount. Amounts in this client are in base units. */
  readonly decimals: number;
  /** Why wallets show another amount than base units with a point: the mint's extension. Missing where they show that. */
  readonly shown?: ShownBy;
}

/** Extensions of Token-2022 that change what wallets show, and not what is moved: a factor, or interest. */
export type ShownBy = "scaled" | "interest";

/** Reads a mint. Throws when there is none at the address. */
export async function fetchMint(connection: Connection, mint: PublicKey): Promise<MintInfo> {
  const account = await connection.getAccountInfo(mint);
  if (!account) {
    throw new Error(`There is no mint at ${mint.toBase58()}. Check the address and the network.`);
  }
  if (!isTokenProgram(account.owner)) {
    throw new Error(
      `${mint.toBase58()} is not a mint: neither Token nor Token-2022 owns it. Check the address.`,
    );
  }
  const found = unpackMint(mint, account, account.owner);
  const extensions = getExtensionTypes(found.tlvData);
  const shown = extensions.includes(ExtensionType.ScaledUiAmountConfig)
    ? "scaled"
    : extensions.includes(ExtensionType.InterestBearingConfig)
      ? "interest"
      : undefined;
  const { decimals } = found;
  return { address: mint, tokenProgram: account.owner, decimals, ...(shown && { shown }) };
}

/** What people must know before they read or write an amount of such a mint; null for others. */
export function shownDifferently({ shown }: Pick<MintInfo, "shown">): string | null {
  if (shown === undefined) return null;
  return `Wallets show another amount of this mint than is meant here: ${
    shown === "scaled"
      ? "its authority sets a factor that they multiply with, and may change it"
      : "they add interest that nobody pays"
  }. All amounts here, stakes, bounties and slashes, are of base units, which that does not change.`;
}

/** An amount of base units as people write it, exactly: 1500000 with 6 decimals is "1.5". */
export function formatAmount(amount: bigint, decimals: number): string {
  const sign = amount < 0n ? "-" : "";
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const rest = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return rest === "" ? `${sign}${whole}` : `${sign}${whole}.${rest}`;
}

/** The one token account of an owner that wallets know: where this client takes deposits from and pays to. */
export function tokenAccountOf(
  mint: Pick<MintInfo, "address" | "tokenProgram">,
  owner: PublicKey,
): PublicKey {
  // An owner off the curve is a program's account: a multisig may own a node.
  return getAssociatedTokenAddressSync(mint.address, owner, true, mint.tokenProgram);
}

/** Creates the owner's token account, or does nothing when it is there. */
export function createTokenAccount(
  mint: Pick<MintInfo, "address" | "tokenProgram">,
  owner: PublicKey,
  payer: PublicKey = owner,
): TransactionInstruction {
  return createAssociatedTokenAccountIdempotentInstruction(
    payer,
    tokenAccountOf(mint, owner),
    owner,
    mint.address,
    mint.tokenProgram,
  );
}

/** Instructions around a payment. */
export interface Around {
  readonly before: TransactionInstruction[];
  readonly after: TransactionInstruction[];
}

/**
 * What lets the program pay an owner's token account that takes no payment without a memo: nothing for others. Token-2022 looks for the
 * memo among the calls of the very program that pays, so one that the client sends beside it does not count; the owner, who signs for the
 * payment, takes the demand back for this one transaction.
 */
export async function takingPayment(
  connection: Pick<Connection, "getAccountInfo">,
  { tokenProgram }: Pick<MintInfo, "tokenProgram">,
  account: PublicKey,
  owner: PublicKey,
): Promise<Around> {
  const info = await connection.getAccountInfo(account);
  if (!info?.owner.equals(tokenProgram)) return { before: [], after: [] };
  const found = unpackAccount(account, info, tokenProgram);
  const asks = getMemoTransfer(found)?.requireIncomingTransferMemos === true;
  // Of somebody else's account nobody can take it back.
  if (!asks || !found.owner.equals(owner)) return { before: [], after: [] };
  return {
    before: [createDisableRequiredMemoTransfersInstruction(account, owner)],
    after: [createEnableRequiredMemoTransfersInstruction(account, owner)],
  };
}

/** Wrapped SOL, the mint with which a task is paid in SOL. */
export const WRAPPED_SOL: MintInfo = {
  address: NATIVE_MINT,
  tokenProgram: TOKEN_PROGRAM_ID,
  decimals: 9,
};

/** Turns lamports of the owner into wrapped SOL in the owner's token account, creating it when needed. */
export function wrapSol(owner: PublicKey, lamports: bigint): TransactionInstruction[] {
  const account = tokenAccountOf(WRAPPED_SOL, owner);
  return [
    createTokenAccount(WRAPPED_SOL, owner),
    SystemProgram.transfer({
      fromPubkey: owner,
      toPubkey: account,
      lamports: must.u64("wrapSol", "lamports", lamports),
    }),
    createSyncNativeInstruction(account),
  ];
}

/** What the owner's token account holds of wrapped SOL, in lamports; null where there is none. */
export async function wrappedSol(
  connection: Pick<Connection, "getAccountInfo">,
  owner: PublicKey,
): Promise<bigint | null> {
  const address = tokenAccountOf(WRAPPED_SOL, owner);
  const account = await connection.getAccountInfo(address);
  // Somebody may have sent SOL there before there was a token account.
  if (!account?.owner.equals(TOKEN_PROGRAM_ID)) return null;
  const { amount, owner: holder } = unpackAccount(address, account);
  if (!holder.equals(owner)) {
    // What is wrapped there is the other's, and what would be wrapped now as well.
    throw new Error(
      `The wrapped SOL account ${address.toBase58()} of ${owner.toBase58()} was given away, to ${holder.toBase58()}. Have that one give it back or close it, or pay from another key.`,
    );
  }
  return amount;
}

/** Wraps what the owner lacks of an amount: wrapped SOL that is there counts. */
export async function wrapMissingSol(
  connection: Pick<Connection, "getAccountInfo">,
  owner: PublicKey,
  amount: bigint,
): Promise<TransactionInstruction[]> {
  const held = (await wrappedSol(connection, owner)) ?? 0n;
  return held >= amount ? [] : wrapSol(owner, amount - held);
}

/**
 * Turns all wrapped SOL of the owner back into SOL, the account's rent included. The token program cannot unwrap a
 * part: to keep some wrapped, wrap it again.
 */
export function unwrapSol(owner: PublicKey): TransactionInstruction[] {
  return [createCloseAccountInstruction(tokenAccountOf(WRAPPED_SOL, owner), owner, owner)];
}

function isTokenProgram(program: PublicKey): boolean {
  return program.equals(TOKEN_PROGRAM_ID) || program.equals(TOKEN_2022_PROGRAM_ID);
}
