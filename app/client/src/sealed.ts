import { PublicKey } from "@solana/web3.js";
import { z } from "zod";
import { PROGRAM_ID } from "./pda";
import type { VoteSecret } from "./salts";
import { OPINIONS } from "./types";

/**
 * All that it takes to reveal a committed vote, for a keeper who does that while the voter sleeps: no signature of the voter's is needed.
 * Whoever has it before the commit window is over knows the vote.
 */
export interface SealedReveal {
  readonly version: 1;
  /** Addresses in base58. */
  readonly program: string;
  readonly task: string;
  readonly audit: string;
  /** Owner of the voting node. */
  readonly voter: string;
  readonly opinion: (typeof OPINIONS)[number];
  /** 64 hex digits. */
  readonly salt: string;
}

/** Most bytes of a sealed reveal in JSON. */
export const MOST_SEALED_BYTES = 1_024;

const address = z.string().refine(isAddress, "must be an address in base58");
const schema = z.strictObject({
  version: z.literal(1),
  program: address,
  task: address,
  audit: address,
  voter: address,
  opinion: z.enum(OPINIONS),
  salt: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits"),
});

/** The sealed reveal of a vote, out of the secret that its commitment was made of. */
export function sealReveal(
  task: PublicKey,
  { audit, voter, opinion, salt }: VoteSecret,
  program = PROGRAM_ID,
): SealedReveal {
  return {
    version: 1,
    program: program.toBase58(),
    task: task.toBase58(),
    audit: audit.toBase58(),
    voter: voter.toBase58(),
    opinion,
    salt: Buffer.from(salt).toString("hex"),
  };
}

/** Reads one from JSON that somebody else wrote. Throws an Error that names the fault. */
export function readSealedReveal(text: string): SealedReveal {
  if (Buffer.byteLength(text) > MOST_SEALED_BYTES) {
    throw new Error(`It has over ${MOST_SEALED_BYTES} bytes, and is no sealed reveal.`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error("It is no JSON, and so no sealed reveal.");
  }
  const { data, error } = schema.safeParse(json);
  if (data) return data;
  const [issue] = error.issues;
  const where = issue?.path.join(".") ?? "";
  throw new Error(
    `It is no sealed reveal: ${where === "" ? "" : `\`${where}\`: `}${issue?.message ?? ""}.`,
  );
}

/** What a sealed reveal opens, for {@link voteCommitment}. */
export function sealedSecret({ audit, voter, opinion, salt }: SealedReveal): VoteSecret {
  return {
    audit: new PublicKey(audit),
    voter: new PublicKey(voter),
    opinion,
    salt: Uint8Array.from(Buffer.from(salt, "hex")),
  };
}

function isAddress(text: string): boolean {
  try {
    return new PublicKey(text).toBase58() === text;
  } catch {
    return false;
  }
}
