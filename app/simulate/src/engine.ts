import type { AccountName, Accounts, RefusalName, TaskAccounts } from "@securing-tasks/client";
import {
  PROGRAM_ID,
  REFUSAL_CODES,
  SecuringTasksClient,
  decodeAccount,
  ledgerOf,
} from "@securing-tasks/client";
import type { Ledger } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { Transaction } from "@solana/kit";
import { address, lamports as toLamports } from "@solana/kit";
import { AccountLayout } from "@solana/spl-token";
import type { Keypair, PublicKey, TransactionInstruction } from "@solana/web3.js";
import { SystemProgram } from "@solana/web3.js";
import { FailedTransactionMetadata } from "litesvm";

/** An instruction as somebody would send it. */
export interface Sending {
  readonly instruction: TransactionInstruction;
  /** Told what became of it: null, or the refusal's name, or its words where it is none of the program's. */
  readonly done?: (refusal: string | null) => void;
}

/** Instructions that share a transaction. More save little, and would be over a transaction's accounts. */
const PACK = 8;
const NAMES = new Map(
  Object.entries(REFUSAL_CODES).map(([name, code]) => [code, name as RefusalName]),
);

/** An address as transactions need it: its bytes and its text, made once. */
interface Key {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * The chain of a simulation: LiteSVM with the program's bytecode. Signatures are not checked, since whoever plays has all keys; everything
 * else is as on a chain.
 */
export class Engine {
  /** Transactions that were executed, and those that failed as a pack and were sent one by one. */
  transactions = 0;
  private readonly keys = new WeakMap<PublicKey, Key>();
  /** Accounts as they were read, until a transaction may have changed them. */
  private readonly known = new Map<string, unknown>();
  private readonly fees: PublicKey;

  private constructor(
    readonly chain: EmbeddedChain,
    readonly client: SecuringTasksClient,
    bank: Keypair,
  ) {
    this.fees = bank.publicKey;
    chain.svm.withSigverify(false).withLogBytesLimit(0n);
  }

  /** A chain with this program. The bank pays the fees of all transactions, so that no node's rent is mixed with them. */
  static start(bytecode: Uint8Array, bank: Keypair): Engine {
    const chain = EmbeddedChain.start([{ id: PROGRAM_ID, bytecode }]);
    const engine = new Engine(chain, new SecuringTasksClient(chain.provider(bank)), bank);
    engine.give(bank.publicKey, 10n ** 15n);
    return engine;
  }

  /** Gives a key that has nothing lamports, out of nothing. */
  give(key: PublicKey, lamports: bigint): void {
    this.set(key, SystemProgram.programId, new Uint8Array(), lamports);
  }

  /** Puts an account on the chain as it is. */
  put(key: PublicKey, owner: PublicKey, data: Uint8Array): void {
    const rent = this.chain.svm.minimumBalanceForRentExemption(BigInt(data.length));
    this.set(key, owner, data, rent);
  }

  private set(key: PublicKey, owner: PublicKey, data: Uint8Array, lamports: bigint): void {
    this.chain.svm.setAccount({
      address: address(key.toBase58()),
      programAddress: address(owner.toBase58()),
      data,
      executable: false,
      lamports: toLamports(lamports),
      space: BigInt(data.length),
    });
  }

  lamports(key: PublicKey): bigint {
    return this.chain.svm.getBalance(address(this.key(key).text)) ?? 0n;
  }

  /** Moves the clock to a slot, or leaves it where that has passed. */
  async at(slot: bigint): Promise<void> {
    await this.chain.waitForSlot(slot);
  }

  get slot(): bigint {
    return this.chain.svm.getClock().slot;
  }

  /** Sends one instruction. Gives the refusal, or null. */
  send(instruction: TransactionInstruction): string | null {
    return this.execute([instruction]);
  }

  /** Sends one instruction that must not be refused. */
  must(instruction: TransactionInstruction, what: string): void {
    const refusal = this.send(instruction);
    if (refusal !== null) throw new Error(`${what} was refused: ${refusal}.`);
  }

  /** Sends what does not depend on each other, in order. Where a transaction of several fails, each is sent alone. */
  sendAll(sendings: readonly Sending[]): void {
    for (let start = 0; start < sendings.length; start += PACK) {
      const pack = sendings.slice(start, start + PACK);
      const whole = this.execute(pack.map(({ instruction }) => instruction));
      for (const { instruction, done } of pack) {
        const refusal = whole === null || pack.length === 1 ? whole : this.send(instruction);
        done?.(refusal);
      }
    }
  }

  /** An account as the client shows it, or null where there is none. What nothing has written to is not read again. */
  find<N extends AccountName>(name: N, key: PublicKey): Accounts[N] | null {
    const { text } = this.key(key);
    const known = this.known.get(text);
    if (known !== undefined) return known as Accounts[N];
    const account = this.chain.svm.getAccount(address(text));
    if (!account.exists || account.programAddress !== PROGRAM_ID.toBase58()) return null;
    const { program } = this.client;
    const found = decodeAccount(program, name, key, Buffer.from(account.data));
    this.known.set(text, found);
    return found;
  }

  fetch<N extends AccountName>(name: N, key: PublicKey): Accounts[N] {
    const found = this.find(name, key);
    if (!found) throw new Error(`There is no ${name} at ${key.toBase58()}.`);
    return found;
  }

  /** Sums accounts of a task and reads what its vault holds. */
  ledger(accounts: TaskAccounts): Ledger {
    const vault = this.chain.svm.getAccount(address(this.key(accounts.task.vault).text));
    if (!vault.exists) throw new Error("The task's vault is gone.");
    return ledgerOf(accounts, AccountLayout.decode(vault.data).amount);
  }

  private execute(instructions: readonly TransactionInstruction[]): string | null {
    this.transactions += 1;
    const result = this.chain.svm.sendTransaction(this.transaction(instructions));
    if (result instanceof FailedTransactionMetadata) return refusalOf(result.toString());
    for (const { keys } of instructions) {
      for (const { pubkey, isWritable } of keys) {
        if (isWritable) this.known.delete(this.key(pubkey).text);
      }
    }
    return null;
  }

  private key(key: PublicKey): Key {
    let found = this.keys.get(key);
    if (!found) {
      found = { bytes: key.toBytes(), text: key.toBase58() };
      this.keys.set(key, found);
    }
    return found;
  }

  /** A legacy transaction, whose signatures are numbers. Made at once: to have it decoded from bytes would take longer than to execute it. */
  private transaction(instructions: readonly TransactionInstruction[]): Transaction {
    const metas = new Map<string, { key: Key; signer: boolean; writable: boolean }>();
    const meet = (pubkey: PublicKey, signer: boolean, writable: boolean): void => {
      const key = this.key(pubkey);
      const known = metas.get(key.text);
      if (known) {
        known.signer ||= signer;
        known.writable ||= writable;
      } else metas.set(key.text, { key, signer, writable });
    };
    meet(this.fees, true, true);
    for (const { keys, programId } of instructions) {
      for (const { pubkey, isSigner, isWritable } of keys) meet(pubkey, isSigner, isWritable);
      meet(programId, false, false);
    }
    const all = [...metas.values()];
    const ordered = [
      ...all.filter(({ signer, writable }) => signer && writable),
      ...all.filter(({ signer, writable }) => signer && !writable),
      ...all.filter(({ signer, writable }) => !signer && writable),
      ...all.filter(({ signer, writable }) => !signer && !writable),
    ];
    const index = new Map(ordered.map(({ key }, at) => [key.text, at]));
    const place = (key: PublicKey): number => index.get(this.key(key).text) ?? 0;
    const signers = ordered.filter(({ signer }) => signer);
    const readonlySigners = signers.filter(({ writable }) => !writable).length;
    const readonlyOthers = all.filter(({ signer, writable }) => !signer && !writable).length;
    const signatures = signers.map(({ key }, at) => {
      const signature = Buffer.alloc(64);
      signature.writeUInt32LE(this.transactions, 0);
      signature.writeUInt8(at + 1, 4);
      return [key.text, signature] as const;
    });
    const parts: Uint8Array[] = [
      Uint8Array.of(signers.length, readonlySigners, readonlyOthers),
      compact(ordered.length),
      ...ordered.map(({ key }) => key.bytes),
      // Any blockhash will do.
      new Uint8Array(32),
      compact(instructions.length),
    ];
    for (const { programId, keys, data } of instructions) {
      parts.push(
        Uint8Array.of(place(programId)),
        compact(keys.length),
        Uint8Array.from(keys, ({ pubkey }) => place(pubkey)),
        compact(data.length),
        data,
      );
    }
    return {
      messageBytes: Buffer.concat(parts),
      signatures: Object.fromEntries(signatures),
    } as unknown as Transaction;
  }
}

/** The program's name of a refusal, or the runtime's words. LiteSVM tells it in its text alone. */
function refusalOf(failure: string): string {
  const code = /Custom\((\d+)\)/.exec(failure)?.[1];
  if (code !== undefined) return NAMES.get(Number(code)) ?? `error ${code}`;
  return /\berr: (.*?), meta: /s.exec(failure)?.[1] ?? failure.slice(0, 200);
}

/** A length as transactions hold it. */
function compact(length: number): Uint8Array {
  const bytes: number[] = [];
  let left = length;
  for (; left > 127; left >>= 7) bytes.push((left & 127) | 128);
  bytes.push(left);
  return Uint8Array.from(bytes);
}
