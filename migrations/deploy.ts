import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AnchorProvider } from "@coral-xyz/anchor";
import type { Chain } from "@securing-tasks/client";
import { ConnectionChain, explain } from "@securing-tasks/client";
import type { PublicKey } from "@solana/web3.js";
import {
  Connection,
  Keypair,
  SendTransactionError,
  SystemProgram,
  Transaction,
} from "@solana/web3.js";
import { Command } from "commander";
import ora from "ora";
import pLimit from "p-limit";
import * as loader from "./upgradeable-loader";

export interface Deployment {
  readonly chain: Chain;
  /** Pays rent and fees. */
  readonly payer: Keypair;
  /** May upgrade the program from now on. */
  readonly authority: Keypair;
  /** Its public key is the program id. Signs the first deployment only. */
  readonly program: Keypair;
  readonly bytecode: Uint8Array;
  /** Told of the parts of the bytecode that are on the chain. */
  readonly onProgress?: (written: number, parts: number) => void;
}

export type DeploymentResult = "deployed" | "upgraded" | "unchanged";

/** Largest transaction that fits a packet, in bytes. */
const PACKET = 1232;
/** Requests under way at once. */
const PARALLEL = 16;
/** Slots that written parts get to appear before they are sent again. */
const PATIENCE = 16n;
/** Rounds of sending without any progress after which we give up. */
const ROUNDS = 10;
/** The loader's least extension of a program, in bytes. */
const LEAST_EXTENSION = 10_240;
const LAMPORTS_PER_SIGNATURE = 5_000n;

/**
 * Puts the program on the chain, or brings it up to date, or finds that there is nothing to do. May be run again after
 * anything, also after it was interrupted: it goes on from what is on the chain.
 */
export async function deploy(deployment: Deployment): Promise<DeploymentResult> {
  const { chain, payer, authority, program, bytecode } = deployment;
  const current = await currentBytecode(chain, program.publicKey, authority.publicKey);
  if (current && holds(current, bytecode)) return "unchanged";

  await checkFunds(deployment, current);
  const buffer = await fillBuffer(deployment);

  if (!current) {
    const create = SystemProgram.createAccount({
      fromPubkey: payer.publicKey,
      newAccountPubkey: program.publicKey,
      lamports: Number(await chain.rentMinimum(loader.PROGRAM_SIZE)),
      space: loader.PROGRAM_SIZE,
      programId: loader.UPGRADEABLE_LOADER,
    });
    const finish = loader.deployWithMaxDataLen({
      payer: payer.publicKey,
      program: program.publicKey,
      buffer,
      authority: authority.publicKey,
      maxDataLen: bytecode.length,
    });
    await finishWith(chain, new Transaction().add(create, finish), [
      payer,
      ...others(payer, program, authority),
    ]);
  } else {
    const missing = bytecode.length - current.length;
    if (missing > 0) {
      const extend = loader.extendProgram({
        program: program.publicKey,
        payer: payer.publicKey,
        additionalBytes: Math.max(missing, LEAST_EXTENSION),
      });
      await nextSlot(chain, await chain.send(new Transaction().add(extend), [payer]));
    }
    const finish = loader.upgrade({
      program: program.publicKey,
      buffer,
      authority: authority.publicKey,
      spill: payer.publicKey,
    });
    await finishWith(chain, new Transaction().add(finish), [payer, ...others(payer, authority)]);
  }
  // New bytecode runs from the slot after its deployment.
  await chain.waitForSlot((await chain.slot()) + 1n);
  return current ? "upgraded" : "deployed";
}

/** Anchor's migration: deploys with the provider's wallet as payer and upgrade authority. */
export default async function migrate(provider: AnchorProvider): Promise<void> {
  const { payer } = provider.wallet;
  if (!payer) {
    throw new Error("The provider's wallet is not a key file: use one, it pays and signs.");
  }
  await report({
    chain: new ConnectionChain(provider.connection),
    payer,
    authority: payer,
    program: await readKeypair(DEFAULT_PROGRAM),
    bytecode: await readBytecode(DEFAULT_BYTECODE),
  });
}

/** The bytecode on the chain, or null when the program is not there. Throws when this authority can't change it. */
async function currentBytecode(
  chain: Chain,
  program: PublicKey,
  authority: PublicKey,
): Promise<Buffer | null> {
  const account = await chain.account(program);
  if (!account) return null;
  const id = program.toBase58();
  if (!loader.isProgram(account)) {
    throw new Error(
      `${id} is taken by something that can't be upgraded. Deploy with another program key.`,
    );
  }
  const data = await chain.account(loader.programDataAddress(program));
  const current = data && loader.readProgramData(data);
  if (!current) {
    throw new Error(`Program ${id} has been closed for ever. Deploy with another program key.`);
  }
  if (!current.authority) {
    throw new Error(
      `Program ${id} is final: nobody may upgrade it. Deploy with another program key.`,
    );
  }
  if (!current.authority.equals(authority)) {
    throw new Error(
      `Only ${current.authority.toBase58()} may upgrade program ${id}, and the authority given is ` +
        `${authority.toBase58()}. Give the right key with --authority.`,
    );
  }
  return current.bytes;
}

/** Whether the room on the chain holds exactly this bytecode, with zeros behind it. */
function holds(room: Buffer, bytecode: Uint8Array): boolean {
  return (
    room.length >= bytecode.length &&
    room.subarray(0, bytecode.length).equals(bytecode) &&
    room.subarray(bytecode.length).every((byte) => byte === 0)
  );
}

async function checkFunds(deployment: Deployment, current: Buffer | null): Promise<void> {
  const { chain, payer, bytecode } = deployment;
  const rent = (bytes: number): Promise<bigint> => chain.rentMinimum(bytes);
  const buffer = await chain.account(bufferKey(deployment).publicKey);
  let needed = await rent(loader.PROGRAM_DATA_HEADER + bytecode.length);
  if (current) needed += await rent(LEAST_EXTENSION);
  else needed += await rent(loader.PROGRAM_SIZE);
  // The payer must keep what an empty account needs.
  needed += await rent(0);
  needed -= BigInt(buffer?.lamports ?? 0);
  // One transaction for each part, two signatures at most, and a handful around them.
  needed += BigInt(Math.ceil(bytecode.length / 900) + 10) * 2n * LAMPORTS_PER_SIGNATURE;
  const held = BigInt(await chain.connection.getBalance(payer.publicKey));
  if (held < needed) {
    throw new Error(
      `The deployment needs ${sol(needed)} SOL, and its payer ${payer.publicKey.toBase58()} holds ${sol(held)} SOL. ` +
        `Send it ${sol(needed - held)} SOL and run this again.`,
    );
  }
}

/**
 * The buffer's key follows from the authority and the bytecode, so that a second run finds the buffer of an
 * interrupted one, and nobody else can make it.
 */
function bufferKey({ authority, bytecode }: Pick<Deployment, "authority" | "bytecode">): Keypair {
  const seed = createHash("sha256")
    .update("securing-tasks deployment buffer")
    .update(authority.secretKey)
    .update(createHash("sha256").update(bytecode).digest())
    .digest();
  return Keypair.fromSeed(seed);
}

/** Writes the bytecode into a buffer, in parallel, and reads it back until every byte is there. */
async function fillBuffer(deployment: Deployment): Promise<PublicKey> {
  const { chain, payer, authority, bytecode, onProgress } = deployment;
  const { connection } = chain;
  const key = bufferKey(deployment);
  const buffer = key.publicKey;
  const space = loader.BUFFER_HEADER + bytecode.length;

  if (!(await chain.account(buffer))) {
    const create = SystemProgram.createAccount({
      fromPubkey: payer.publicKey,
      newAccountPubkey: buffer,
      lamports: Number(await chain.rentMinimum(space)),
      space,
      programId: loader.UPGRADEABLE_LOADER,
    });
    const initialize = loader.initializeBuffer(buffer, authority.publicKey);
    await chain.send(new Transaction().add(create, initialize), [payer, key]);
  }

  const signers = [payer, ...others(payer, authority)];
  const parts = splitToFit(
    bytecode,
    (offset, bytes) =>
      new Transaction().add(loader.write(buffer, authority.publicKey, offset, bytes)),
    payer.publicKey,
  );
  const missing = async (): Promise<Part[]> => {
    const account = await chain.account(buffer);
    const there = account && loader.readBuffer(account);
    if (!there) throw new Error(`The buffer ${buffer.toBase58()} vanished. Run this again.`);
    const left = parts.filter(
      ({ offset, bytes }) => !there.bytes.subarray(offset, offset + bytes.length).equals(bytes),
    );
    onProgress?.(parts.length - left.length, parts.length);
    return left;
  };

  let left = await missing();
  for (let idle = 0; left.length > 0;) {
    const { blockhash } = await connection.getLatestBlockhash();
    const limit = pLimit(PARALLEL);
    await Promise.all(
      left.map(({ transaction }) =>
        limit(() => {
          transaction.recentBlockhash = blockhash;
          transaction.sign(...signers);
          return connection.sendRawTransaction(transaction.serialize(), { skipPreflight: true });
        }),
      ),
    );
    const before = left.length;
    const until = (await chain.slot()) + PATIENCE;
    for (let slot = await chain.slot(); left.length > 0 && slot < until;) {
      left = await missing();
      if (left.length > 0) slot = await chain.waitForSlot(slot + 1n);
    }
    idle = left.length < before ? 0 : idle + 1;
    if (idle === ROUNDS) {
      throw new Error(
        `${left.length} of ${parts.length} parts of the bytecode don't reach the chain. Run this again: it goes on from here.`,
      );
    }
  }
  return buffer;
}

interface Part {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly transaction: Transaction;
}

/** Cuts bytecode into the largest parts whose transactions fit a packet. */
function splitToFit(
  bytecode: Uint8Array,
  make: (offset: number, bytes: Uint8Array) => Transaction,
  payer: PublicKey,
): Part[] {
  const smallest = make(0, new Uint8Array(128));
  smallest.feePayer = payer;
  smallest.recentBlockhash = PACKET_BLOCKHASH;
  const unsigned = smallest.serialize({ requireAllSignatures: false, verifySignatures: false });
  const size = PACKET - (unsigned.length - 128);
  return Array.from({ length: Math.ceil(bytecode.length / size) }, (_, index) => {
    const offset = index * size;
    const bytes = bytecode.subarray(offset, offset + size);
    const transaction = make(offset, bytes);
    transaction.feePayer = payer;
    return { offset, bytes, transaction };
  });
}

/** Any blockhash will do to measure a transaction. */
const PACKET_BLOCKHASH = "11111111111111111111111111111111";

/** Sends the transaction that makes the buffer the program. Here the chain looks at the bytecode for the first time. */
async function finishWith(
  chain: Chain,
  transaction: Transaction,
  signers: readonly [Keypair, ...Keypair[]],
): Promise<void> {
  try {
    await chain.send(transaction, signers);
  } catch (error) {
    const logs = error instanceof SendTransactionError ? (error.logs ?? []) : [];
    if (!logs.some((line) => line.includes("sbpf_version"))) throw error;
    throw new Error(
      "The chain does not run the version of sBPF that this bytecode is compiled for. " +
        "Compile the program for a version that the chain has enabled.",
      { cause: error },
    );
  }
}

async function nextSlot(chain: Chain, { slot }: { readonly slot: bigint }): Promise<void> {
  await chain.waitForSlot(slot + 1n);
}

/** The signers besides the payer, each once. */
function others(payer: Keypair, ...signers: readonly Keypair[]): Keypair[] {
  const seen = new Set([payer.publicKey.toBase58()]);
  return signers.filter(({ publicKey }) => {
    const key = publicKey.toBase58();
    return seen.has(key) ? false : seen.add(key);
  });
}

/** Lamports as SOL, rounded up to what people can send. */
function sol(lamports: bigint): string {
  const micro = (lamports + 999n) / 1000n;
  return `${micro / 1_000_000n}.${(micro % 1_000_000n).toString().padStart(6, "0")}`;
}

const ROOT = join(__dirname, "..");
const DEFAULT_PROGRAM = join(ROOT, "migrations/localnet-program-keypair.json");
const DEFAULT_BYTECODE = join(ROOT, "target/deploy/securing_tasks.so");

async function readKeypair(path: string): Promise<Keypair> {
  try {
    return Keypair.fromSecretKey(
      Uint8Array.from(JSON.parse(await readFile(path, "utf8")) as number[]),
    );
  } catch (error) {
    throw new Error(`${path} is not a key file as Solana's tools write it.`, { cause: error });
  }
}

async function readBytecode(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`There is no program at ${path}. Build it: npm run program`, { cause: error });
  }
}

async function report(deployment: Deployment): Promise<void> {
  const id = deployment.program.publicKey.toBase58();
  const spinner = ora({ text: `Comparing program ${id} with the chain`, stream: process.stdout });
  spinner.start();
  try {
    const result = await deploy({
      ...deployment,
      onProgress: (written, parts) => {
        spinner.text = `Writing the bytecode of ${id}: ${written} of ${parts} parts`;
      },
    });
    spinner.succeed(
      result === "unchanged" ? `Program ${id} is up to date` : `Program ${id} is ${result}`,
    );
  } catch (error) {
    spinner.fail();
    throw error;
  }
}

async function main(): Promise<void> {
  const command = new Command("deploy")
    .description("Deploys the program, or upgrades it when its bytecode differs")
    .option("--url <address>", "RPC address of the chain", "http://127.0.0.1:8899")
    .requiredOption("--payer <file>", "key that pays rent and fees")
    .option("--authority <file>", "key that may upgrade the program (default: the payer)")
    .option("--program <file>", "key whose public key is the program id", DEFAULT_PROGRAM)
    .option("--bytecode <file>", "compiled program", DEFAULT_BYTECODE)
    .parse();
  const { url, payer, authority, program, bytecode } = command.opts<{
    url: string;
    payer: string;
    authority?: string;
    program: string;
    bytecode: string;
  }>();
  await report({
    chain: new ConnectionChain(new Connection(url, "confirmed")),
    payer: await readKeypair(payer),
    authority: await readKeypair(authority ?? payer),
    program: await readKeypair(program),
    bytecode: await readBytecode(bytecode),
  });
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(explain(error).message);
    process.exitCode = 1;
  });
}
