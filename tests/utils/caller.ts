import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Chain } from "@securing-tasks/client";
import { PROGRAM_ID } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { AccountMeta } from "@solana/web3.js";
import { Keypair, PublicKey, TransactionInstruction } from "@solana/web3.js";
import { deploy } from "../../migrations/deploy";
import { BYTECODE, localnet, upgradeAuthority } from "./validator";

const CALLER_BYTECODE = join(__dirname, "../../target/sbpf-solana/release/libcaller.so");
const CALLER_KEY = Keypair.fromSeed(new Uint8Array(32).fill(0xca));
export const CALLER_ID = CALLER_KEY.publicKey;
const [vault, bump] = PublicKey.findProgramAddressSync([Buffer.from("vault")], CALLER_ID);
/** The address that the caller signs for, as a multisig does for its own. */
export const VAULT = vault;

/** Something that the caller does. */
export interface Step {
  readonly bytes: Buffer;
  /** The accounts of a call, with the called program behind them. */
  readonly keys: readonly AccountMeta[];
  /** Writes the step, whose accounts begin at `first` of the caller's. */
  readonly head: (first: number) => readonly number[];
  readonly kind: number;
  readonly times: number;
}

/** A line of log. */
export function log(text: string, times = 1): Step {
  return { kind: 0, times, bytes: Buffer.from(text), keys: [], head: () => [] };
}

/** A line of data, as an event is one. */
export function data(bytes: Buffer, times = 1): Step {
  return { kind: 1, times, bytes, keys: [], head: () => [] };
}

/** A call, for which the caller signs with {@link VAULT} where that must sign. */
export function call(called: TransactionInstruction, times = 1): Step {
  const at = called.keys.findIndex(({ pubkey, isSigner }) => isSigner && pubkey.equals(VAULT));
  const callee = { pubkey: called.programId, isSigner: false, isWritable: false };
  return {
    kind: 2,
    times,
    bytes: called.data,
    keys: [
      ...called.keys.map((key, index) => (index === at ? { ...key, isSigner: false } : key)),
      callee,
    ],
    head: (first) => {
      const count = called.keys.length;
      return [first + count, first, count, at < 0 ? 255 : at, bump];
    },
  };
}

/** One instruction of the caller, which does these steps one after the other. */
export function callerDoes(...steps: readonly Step[]): TransactionInstruction {
  const keys: AccountMeta[] = [];
  const parts = steps.map(({ kind, times, bytes, head, keys: own }) => {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(bytes.length);
    const part = Buffer.concat([Buffer.from([kind, times, ...head(keys.length)]), length, bytes]);
    keys.push(...own);
    return part;
  });
  return new TransactionInstruction({ programId: CALLER_ID, keys, data: Buffer.concat(parts) });
}

async function callerBytecode(): Promise<Buffer> {
  return readFile(CALLER_BYTECODE).catch((cause: unknown) => {
    throw new Error("The tests' caller is not built: run npm run caller.", { cause });
  });
}

/** Both kinds of chain, with the caller on them. */
export const CALLER_CHAINS: readonly (readonly [where: string, chain: () => Promise<Chain>])[] = [
  [
    "on a validator",
    async (): Promise<Chain> => {
      const chain = localnet();
      await deploy({
        chain,
        payer: upgradeAuthority,
        authority: upgradeAuthority,
        program: CALLER_KEY,
        bytecode: await callerBytecode(),
      });
      return chain;
    },
  ],
  [
    "embedded",
    async (): Promise<Chain> =>
      EmbeddedChain.start([
        { id: PROGRAM_ID, bytecode: await readFile(BYTECODE) },
        { id: CALLER_ID, bytecode: await callerBytecode() },
      ]),
  ],
];
