import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Chain } from "@securing-tasks/client";
import { PROGRAM_ID } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Localnet, findValidator } from "@securing-tasks/client/localnet";
import { Keypair } from "@solana/web3.js";
import { deploy } from "../../migrations/deploy";

const ROOT = join(__dirname, "../..");
export const BYTECODE = join(ROOT, "target/deploy/securing_tasks.so");
const PROGRAM_KEY = join(ROOT, "migrations/localnet-program-keypair.json");

/** May upgrade the program that all tests use. */
export const upgradeAuthority = Keypair.generate();

let running: Localnet | undefined;

/** The validator that all tests share. */
export function localnet(): Localnet {
  if (!running) throw new Error("The validator is not running: run the tests with npm.");
  return running;
}

/** For what is tested on both kinds of chain. */
export const CHAINS: readonly (readonly [where: string, chain: () => Promise<Chain>])[] = [
  ["on a validator", (): Promise<Chain> => Promise.resolve(localnet())],
  [
    "embedded",
    async (): Promise<Chain> =>
      EmbeddedChain.start([{ id: PROGRAM_ID, bytecode: await readFile(BYTECODE) }]),
  ],
];

/** The key whose public key is the program id. */
export async function programKey(): Promise<Keypair> {
  const bytes = JSON.parse(await readFile(PROGRAM_KEY, "utf8")) as number[];
  return Keypair.fromSecretKey(Uint8Array.from(bytes));
}

/** Starts a validator that has no program yet, and deploys ours to it as anyone would. */
export async function mochaGlobalSetup(): Promise<void> {
  const validator = await findValidator(join(ROOT, "toolchain/validator.sh"));
  running = await Localnet.start({ validator });
  await running.fund(upgradeAuthority.publicKey, 100_000_000_000n);
  await deploy({
    chain: running,
    payer: upgradeAuthority,
    authority: upgradeAuthority,
    program: await programKey(),
    bytecode: await readFile(BYTECODE),
  });
}

export async function mochaGlobalTeardown(): Promise<void> {
  // Where it ended in the middle, every test behind that fails for a reason that says nothing.
  const fault = await running?.fault();
  if (fault) process.stderr.write(`${fault}\n`);
  await running?.close();
}
