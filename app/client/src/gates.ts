import type { CustomAccountResolver, Program } from "@coral-xyz/anchor";
import { TOKEN_2022_PROGRAM_ID } from "@solana/spl-token";
import { PublicKey } from "@solana/web3.js";
import { decodeAccount } from "./accounts";
import type { SecuringTasks } from "./idl/securing_tasks";
import { allowEntryAddress, nodeAddress } from "./pda";
import { fetchMint, tokenAccountOf } from "./tokens";
import type { Gate, Role } from "./types";
import { ROLES } from "./types";

/** What proves that an owner passes a gate. */
export interface GateProof {
  /** Allowlist entry, token account, or node in the task that the gate names. */
  readonly proof: PublicKey;
  /** The mint of the token account; for a collection's gate alone. */
  readonly mint?: PublicKey;
}

/** Proof that an owner holds a token of a collection: `mint` is the token's own, a member of the group. */
export function collectionProof(mint: PublicKey, owner: PublicKey): GateProof {
  return {
    proof: tokenAccountOf({ address: mint, tokenProgram: TOKEN_2022_PROGRAM_ID }, owner),
    mint,
  };
}

/** Somebody at a gate. */
interface Visitor {
  readonly gate: Gate;
  readonly task: PublicKey;
  readonly role: Role;
  readonly owner: PublicKey;
}

/** Finds what an owner shows to a gate, or null where it is open. Throws for a collection, whose tokens only the owner knows. */
async function findProof(
  program: Program<SecuringTasks>,
  { gate, task, role, owner }: Visitor,
): Promise<GateProof | null> {
  switch (gate.kind) {
    case "open":
      return null;
    case "allowlist":
      return { proof: allowEntryAddress(task, role, owner, program.programId) };
    case "token":
      return {
        proof: tokenAccountOf(await fetchMint(program.provider.connection, gate.mint), owner),
      };
    case "collection":
      throw new Error(
        `The task asks for a token of the collection ${gate.group.toBase58()}. Say which: pass \`gate: collectionProof(mint, owner)\`.`,
      );
    case "standing":
    case "member":
      return { proof: nodeAddress(gate.task, owner, program.programId) };
  }
}

/**
 * Anchor's hook for accounts that it can't find itself: fills in what proves that a node passes its task's gate. It runs
 * when a builder makes its instruction, and reads task and node in one request.
 */
export function gateResolver(
  program: Program<SecuringTasks>,
): CustomAccountResolver<SecuringTasks> {
  return async ({ accounts, args }) => {
    const { task, gateProof, gateMint } = accounts;
    if ((!gateProof || !gateMint) && task instanceof PublicKey) {
      const visitor = gateProof ? null : await findVisitor(program, task, accounts, args);
      const found = visitor && (await findProof(program, visitor));
      // An account that is left out is written as the program's own address.
      if (!gateProof) accounts.gateProof = found?.proof ?? program.programId;
      if (!gateMint) accounts.gateMint = found?.mint ?? program.programId;
    }
    return { accounts, resolved: 0 };
  };
}

/** The same for accusations and votes: of gates only an allowlist asks there, so that nobody takes a juror's seat by what another gate asks for. */
export function entryResolver(
  program: Program<SecuringTasks>,
): CustomAccountResolver<SecuringTasks> {
  return async ({ accounts, args }) => {
    const { task, gateProof } = accounts;
    if (!gateProof && task instanceof PublicKey) {
      const visitor = await findVisitor(program, task, accounts, args);
      const found = visitor?.gate.kind === "allowlist" && (await findProof(program, visitor));
      accounts.gateProof = found ? found.proof : program.programId;
    }
    return { accounts, resolved: 0 };
  };
}

/** Null where task or node is not there: the program will say so better. */
async function findVisitor(
  program: Program<SecuringTasks>,
  task: PublicKey,
  accounts: Readonly<Record<string, unknown>>,
  args: readonly unknown[],
): Promise<Visitor | null> {
  const node = accounts.initiator ?? accounts.node;
  if (!(node instanceof PublicKey)) return null;
  const [taskInfo, nodeInfo] = await program.provider.connection.getMultipleAccountsInfo([
    task,
    node,
  ]);
  if (!taskInfo?.owner.equals(program.programId)) return null;
  const { rules } = decodeAccount(program, "task", task, taskInfo.data);
  const gates: Readonly<Record<Role, Gate>> = {
    worker: rules.workerGate,
    witness: rules.witnessGate,
  };
  if (accounts.owner instanceof PublicKey) {
    // Joining: there is no node yet.
    const [role] = args as readonly [number];
    const joining = ROLES[role];
    return joining ? { gate: gates[joining], task, role: joining, owner: accounts.owner } : null;
  }
  if (!nodeInfo?.owner.equals(program.programId)) return null;
  const { role, owner } = decodeAccount(program, "node", node, nodeInfo.data);
  return { gate: gates[role], task, role, owner };
}
