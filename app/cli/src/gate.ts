import type { GateProof, MintInfo, Role, Task } from "@securing-tasks/client";
import { collectionProof } from "@securing-tasks/client";
import { TOKEN_2022_PROGRAM_ID, getTokenGroupMemberState, unpackMint } from "@solana/spl-token";
import type { Connection, PublicKey } from "@solana/web3.js";
import { askFor } from "./ask";
import { readAddress } from "./keys";
import type { Session } from "./session";

/** The flag that answers a gate of a collection. */
export const COLLECTION = [
  "--collection-mint <mint>",
  "the token to show where the gate asks for one of a collection",
] as const;

/** What an owner shows to its role's gate; the client finds all but a token of a collection, which only the owner knows. */
export async function gateOf(
  session: Session,
  { rules }: Task,
  role: Role,
  owner: PublicKey,
  given: string | undefined,
): Promise<{ readonly gate?: GateProof }> {
  const gate = role === "worker" ? rules.workerGate : rules.witnessGate;
  if (gate.kind !== "collection") return {};
  const mint = await askFor(session, given, {
    flag: "--collection-mint MINT",
    message: `The task asks for a token of the collection ${gate.group.toBase58()}: which of yours?`,
    read: (text) => readAddress(text, "mint"),
  });
  return { gate: collectionProof(mint, owner) };
}

/** The collection that a mint is a token of; null for none. */
export async function groupOf(
  connection: Connection,
  { address, tokenProgram }: MintInfo,
): Promise<PublicKey | null> {
  if (!tokenProgram.equals(TOKEN_2022_PROGRAM_ID)) return null;
  const mint = unpackMint(address, await connection.getAccountInfo(address), tokenProgram);
  return getTokenGroupMemberState(mint)?.group ?? null;
}
