import { PublicKey } from "@solana/web3.js";
import { must } from "./arguments";
import idl from "./idl/securing_tasks.json";
import type { Role } from "./types";
import { ROLES } from "./types";

/** The program's address. Its accounts live at addresses that follow from it. */
export const PROGRAM_ID = new PublicKey(idl.address);

/** A creator's task with this number. */
export function taskAddress(creator: PublicKey, id: bigint, program = PROGRAM_ID): PublicKey {
  return derive(program, "task", creator.toBuffer(), u64("taskAddress", "id", id));
}

/** The one token account of a task. */
export function vaultAddress(task: PublicKey, program = PROGRAM_ID): PublicKey {
  return derive(program, "vault", task.toBuffer());
}

/** The node of an owner in a task. */
export function nodeAddress(task: PublicKey, owner: PublicKey, program = PROGRAM_ID): PublicKey {
  return derive(program, "node", task.toBuffer(), owner.toBuffer());
}

/** A creator's permission for an owner to take a role. */
export function allowEntryAddress(
  task: PublicKey,
  role: Role,
  owner: PublicKey,
  program = PROGRAM_ID,
): PublicKey {
  const known = must.word(ROLES, "allowEntryAddress", "role", role);
  const roleByte = Buffer.from([ROLES.indexOf(known)]);
  return derive(program, "allow", task.toBuffer(), roleByte, owner.toBuffer());
}

/** A round of a task. */
export function roundAddress(task: PublicKey, round: bigint, program = PROGRAM_ID): PublicKey {
  return derive(program, "round", task.toBuffer(), u64("roundAddress", "round", round));
}

/** An owner's work for a round of a task. */
export function submissionAddress(
  task: PublicKey,
  round: bigint,
  owner: PublicKey,
  program = PROGRAM_ID,
): PublicKey {
  const number = u64("submissionAddress", "round", round);
  return derive(program, "submission", task.toBuffer(), number, owner.toBuffer());
}

/** An audit of a submission by its initiator's owner; `index` is how many audits the initiator's node had begun before. */
export function auditAddress(
  submission: PublicKey,
  initiator: PublicKey,
  index: number,
  program = PROGRAM_ID,
): PublicKey {
  const number = u32("auditAddress", "index", index);
  return derive(program, "audit", submission.toBuffer(), initiator.toBuffer(), number);
}

/** An owner's vote in an audit. */
export function voteAddress(audit: PublicKey, voter: PublicKey, program = PROGRAM_ID): PublicKey {
  return derive(program, "vote", audit.toBuffer(), voter.toBuffer());
}

function derive(program: PublicKey, kind: string, ...seeds: readonly Buffer[]): PublicKey {
  return PublicKey.findProgramAddressSync([Buffer.from(kind), ...seeds], program)[0];
}

function u32(method: string, argument: string, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(must.u32(method, argument, value));
  return bytes;
}

function u64(method: string, argument: string, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(must.u64(method, argument, value));
  return bytes;
}
