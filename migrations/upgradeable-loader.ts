import type { AccountInfo } from "@solana/web3.js";
import {
  PublicKey,
  SYSVAR_CLOCK_PUBKEY,
  SYSVAR_RENT_PUBKEY,
  SystemProgram,
  TransactionInstruction,
} from "@solana/web3.js";

/** The loader whose programs can be upgraded. web3.js does not speak its instructions. */
export const UPGRADEABLE_LOADER = new PublicKey("BPFLoaderUpgradeab1e11111111111111111111111");

/** Bytes before the bytecode in a buffer: kind and authority. */
export const BUFFER_HEADER = 37;
/** Bytes before the bytecode in a program's data: kind, slot of deployment and authority. */
export const PROGRAM_DATA_HEADER = 45;
/** Size of a program's own account: kind and address of its data. */
export const PROGRAM_SIZE = 36;

const KIND_BUFFER = 1;
const KIND_PROGRAM = 2;
const KIND_PROGRAM_DATA = 3;

/** The address of a program's data. */
export function programDataAddress(program: PublicKey): PublicKey {
  return PublicKey.findProgramAddressSync([program.toBuffer()], UPGRADEABLE_LOADER)[0];
}

export interface Bytecode {
  /** Who may write it, or null when nobody may any more. */
  readonly authority: PublicKey | null;
  /** The bytecode and the zeros behind it. */
  readonly bytes: Buffer;
}

/** Reads a buffer, or returns null when the account is something else. */
export function readBuffer(account: AccountInfo<Buffer>): Bytecode | null {
  return read(account, KIND_BUFFER, 4, BUFFER_HEADER);
}

/** Reads a program's data, or returns null when the account is something else: it has been closed, perhaps. */
export function readProgramData(account: AccountInfo<Buffer>): Bytecode | null {
  return read(account, KIND_PROGRAM_DATA, 12, PROGRAM_DATA_HEADER);
}

/** Whether an account is a program that can be upgraded. */
export function isProgram(account: AccountInfo<Buffer>): boolean {
  return account.owner.equals(UPGRADEABLE_LOADER) && kind(account) === KIND_PROGRAM;
}

export function initializeBuffer(buffer: PublicKey, authority: PublicKey): TransactionInstruction {
  return instruction(0, Buffer.alloc(0), [writable(buffer), readonly(authority)]);
}

export function write(
  buffer: PublicKey,
  authority: PublicKey,
  offset: number,
  bytes: Uint8Array,
): TransactionInstruction {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(offset, 0);
  head.writeBigUInt64LE(BigInt(bytes.length), 4);
  return instruction(1, Buffer.concat([head, bytes]), [writable(buffer), signer(authority)]);
}

export function deployWithMaxDataLen(accounts: {
  readonly payer: PublicKey;
  readonly program: PublicKey;
  readonly buffer: PublicKey;
  readonly authority: PublicKey;
  /** Largest bytecode the program can be upgraded to without being extended. */
  readonly maxDataLen: number;
}): TransactionInstruction {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(accounts.maxDataLen));
  return instruction(2, length, [
    { pubkey: accounts.payer, isSigner: true, isWritable: true },
    writable(programDataAddress(accounts.program)),
    writable(accounts.program),
    writable(accounts.buffer),
    readonly(SYSVAR_RENT_PUBKEY),
    readonly(SYSVAR_CLOCK_PUBKEY),
    readonly(SystemProgram.programId),
    signer(accounts.authority),
  ]);
}

export function upgrade(accounts: {
  readonly program: PublicKey;
  readonly buffer: PublicKey;
  readonly authority: PublicKey;
  /** Gets the buffer's rent back. */
  readonly spill: PublicKey;
}): TransactionInstruction {
  return instruction(3, Buffer.alloc(0), [
    writable(programDataAddress(accounts.program)),
    writable(accounts.program),
    writable(accounts.buffer),
    writable(accounts.spill),
    readonly(SYSVAR_RENT_PUBKEY),
    readonly(SYSVAR_CLOCK_PUBKEY),
    signer(accounts.authority),
  ]);
}

/** Makes room for a longer bytecode. */
export function extendProgram(accounts: {
  readonly program: PublicKey;
  readonly payer: PublicKey;
  readonly additionalBytes: number;
}): TransactionInstruction {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(accounts.additionalBytes);
  return instruction(6, bytes, [
    writable(programDataAddress(accounts.program)),
    writable(accounts.program),
    readonly(SystemProgram.programId),
    { pubkey: accounts.payer, isSigner: true, isWritable: true },
  ]);
}

type Meta = TransactionInstruction["keys"][number];

function instruction(tag: number, rest: Uint8Array, keys: Meta[]): TransactionInstruction {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(tag);
  return new TransactionInstruction({
    programId: UPGRADEABLE_LOADER,
    keys,
    data: Buffer.concat([head, rest]),
  });
}

function writable(pubkey: PublicKey): Meta {
  return { pubkey, isSigner: false, isWritable: true };
}

function readonly(pubkey: PublicKey): Meta {
  return { pubkey, isSigner: false, isWritable: false };
}

function signer(pubkey: PublicKey): Meta {
  return { pubkey, isSigner: true, isWritable: false };
}

function kind(account: AccountInfo<Buffer>): number | undefined {
  return account.data.length >= 4 ? account.data.readUInt32LE() : undefined;
}

function read(
  account: AccountInfo<Buffer>,
  wanted: number,
  authorityAt: number,
  header: number,
): Bytecode | null {
  const { data, owner } = account;
  if (!owner.equals(UPGRADEABLE_LOADER) || kind(account) !== wanted || data.length < header) {
    return null;
  }
  return {
    authority:
      data[authorityAt] === 1
        ? new PublicKey(data.subarray(authorityAt + 1, authorityAt + 33))
        : null,
    bytes: data.subarray(header),
  };
}
