import {
  NATIVE_MINT,
  TOKEN_2022_PROGRAM_ID,
  TOKEN_PROGRAM_ID,
  createAssociatedTokenAccountIdempotentInstruction,
  createCloseAccountInstruction,
  createSyncNativeInstruction,
  getAssociatedTokenAddressSync,
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
}

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
  const { decimals } = unpackMint(mint, account, account.owner);
  return { address: mint, tokenProgram: account.owner, decimals };
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
