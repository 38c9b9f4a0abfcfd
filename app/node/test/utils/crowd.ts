import type { Audit, TaskRules } from "@securing-tasks/client";
import {
  PROGRAM_ID,
  SecuringTasksClient,
  WRAPPED_SOL,
  auditAddress,
  submissionAddress,
  taskAddress,
  wrapSol,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { PublicKey } from "@solana/web3.js";
import { Keypair } from "@solana/web3.js";
import { readFileSync } from "node:fs";
import { RULES } from "../../../../tests/utils/games";

const bytecode = readFileSync("target/deploy/securing_tasks.so");
/** A witness, and as many audits as it is to vote in. */
export interface Crowd {
  readonly chain: EmbeddedChain;
  readonly client: SecuringTasksClient;
  readonly task: PublicKey;
  readonly audits: readonly Audit[];
  /** Of the witness. */
  readonly owner: PublicKey;
  readonly operator: Keypair;
}

export async function gather(
  count: number,
  window = 300n,
  changes: Partial<TaskRules> = {},
): Promise<Crowd> {
  const chain = EmbeddedChain.start([{ id: PROGRAM_ID, bytecode }]);
  const keypair = async (): Promise<Keypair> => {
    const made = Keypair.generate();
    await chain.fund(made.publicKey, 2_000_000_000n);
    return made;
  };
  const bank = await keypair();
  const client = new SecuringTasksClient(chain.provider(bank));
  const task = taskAddress(bank.publicKey, 1n);
  const ref = { hash: new Uint8Array(32).fill(1), uri: "ipfs://function" };
  await client
    .createTask({
      creator: bank.publicKey,
      id: 1n,
      mint: WRAPPED_SOL,
      rules: {
        ...RULES,
        roundSlots: 220n + 2n * window,
        submissionSlots: 100n,
        auditSlots: 120n,
        commitSlots: window,
        revealSlots: window,
        leaveDelaySlots: 220n + 2n * window,
        ...changes,
      },
      auditFunction: ref,
    })
    .rpc();
  const { startSlot } = await client.fetch("task", task);
  const operator = await keypair();
  const enter = async (role: "worker" | "witness", amount: bigint): Promise<Keypair> => {
    const owner = await keypair();
    const about = { role, amount, owner: owner.publicKey, startSlot };
    await client
      .joinTask({
        ...about,
        task: { address: task, mint: WRAPPED_SOL },
        ...(role === "witness" && { operator: operator.publicKey }),
      })
      .preInstructions(wrapSol(owner.publicKey, amount))
      .signers([owner])
      .rpc();
    return owner;
  };
  const witness = await enter("witness", 100_000n);
  const accuser = await enter("worker", 1_000_000n);
  const accused: Keypair[] = [];
  while (accused.length < count) accused.push(await enter("worker", 2_000n));
  const audits: Audit[] = [];
  const about = { task, round: 0n };
  for (const owner of accused) {
    // Each in a block of its own, as they mostly are.
    await chain.waitForSlot((await chain.slot()) + 1n);
    const payload = { payloadHash: new Uint8Array(32).fill(2), payloadUri: "ipfs://payload" };
    await client
      .submitWork({ ...about, owner: owner.publicKey, ...payload })
      .signers([owner])
      .rpc();
  }
  for (const [index, { publicKey }] of accused.entries()) {
    await client
      .openAudit({
        ...about,
        accused: publicKey,
        initiator: accuser.publicKey,
        accusation: "malice",
        index,
      })
      .signers([accuser])
      .rpc();
    const submission = submissionAddress(task, 0n, publicKey);
    const address = auditAddress(submission, accuser.publicKey, index);
    audits.push(await client.fetch("audit", address));
  }
  return { chain, client, task, audits, owner: witness.publicKey, operator };
}
