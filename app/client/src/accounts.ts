import type { Program } from "@coral-xyz/anchor";
import { PublicKey } from "@solana/web3.js";
import type { SecuringTasks } from "./idl/securing_tasks";
import { plain } from "./plain";
import type {
  AllowEntry,
  Arrival,
  Audit,
  Departed,
  FunctionRef,
  Gate,
  Node,
  Opinion,
  Round,
  Submission,
  Tally,
  Task,
  TaskRules,
  Vote,
} from "./types";
import {
  GATE_KINDS,
  OPINIONS,
  OUTCOMES,
  REWARD_RULES,
  ROLES,
  SUBMISSION_STATUSES,
  TASK_STATUSES,
  VOTE_STATES,
  VOTE_WEIGHTS,
} from "./types";

/** The program's accounts by name, as this client shows them. */
export interface Accounts {
  readonly task: Task;
  readonly node: Node;
  readonly allowEntry: AllowEntry;
  readonly round: Round;
  readonly submission: Submission;
  readonly audit: Audit;
  readonly vote: Vote;
}

export type AccountName = keyof Accounts;

/**
 * Reads an account's bytes. Throws when they are of another kind of account.
 */
export function decodeAccount<N extends AccountName>(
  program: Program<SecuringTasks>,
  name: N,
  address: PublicKey,
  data: Buffer,
): Accounts[N] {
  const fields = plain(program.coder.accounts.decode(name, data), WORDS[name]) as object;
  return { ...SHAPES[name](fields as never), address } as unknown as Accounts[N];
}

const CASE_WORDS = { voteWeight: VOTE_WEIGHTS, rewardRule: REWARD_RULES };
const WORDS = {
  task: { status: TASK_STATUSES, kind: GATE_KINDS, ...CASE_WORDS },
  node: { role: ROLES },
  allowEntry: { role: ROLES },
  round: {},
  submission: { status: SUBMISSION_STATUSES },
  audit: { accusation: OPINIONS, outcome: OUTCOMES, firstOutcome: OUTCOMES, ...CASE_WORDS },
  vote: { opinion: OPINIONS, state: VOTE_STATES },
};

interface StoredGate {
  readonly kind: Gate["kind"];
  readonly key: PublicKey;
  readonly least: bigint;
  readonly most: number;
}
type StoredTask = Omit<Task, "rules" | "taskFunction"> & {
  readonly rules: Omit<TaskRules, "workerGate" | "witnessGate"> & {
    readonly case: object;
    readonly workerGate: StoredGate;
    readonly witnessGate: StoredGate;
  };
  readonly taskFunction: FunctionRef;
};
/** Fields that are all zeros for none. */
type OrNone = "secretHash" | "seed" | "evidenceHash" | "appellant";
type StoredAudit = Omit<Audit, "votes" | OrNone> & {
  readonly [K in OrNone]: NonNullable<Audit[K]>;
} & {
  readonly votes: { readonly nodes: readonly number[]; readonly stake: readonly bigint[] };
};

/** What differs between the bytes and the types of this client. Bumps stay out. */
const SHAPES = {
  task: (task: StoredTask) => ({
    ...without(task, "bump"),
    rules: {
      ...without(task.rules, "case"),
      ...task.rules.case,
      workerGate: gateOf(task.rules.workerGate),
      witnessGate: gateOf(task.rules.witnessGate),
    },
    taskFunction: isZero(task.taskFunction.hash) ? null : task.taskFunction,
  }),
  node: (node: Node) => ({
    ...without(node, "bump"),
    askedToLeave: departed(node.askedToLeave),
    slashed: departed(node.slashed),
    arrivals: filled(node.arrivals),
  }),
  allowEntry: (entry: AllowEntry) => without(entry, "bump"),
  round: (round: Round) => without(round, "bump"),
  submission: (submission: Submission) => without(submission, "bump"),
  audit: (audit: StoredAudit) => ({
    ...without(audit, "bump"),
    secretHash: bytesOrNull(audit.secretHash),
    seed: bytesOrNull(audit.seed),
    evidenceHash: bytesOrNull(audit.evidenceHash),
    appellant: keyOrNull(audit.appellant),
    votes: Object.fromEntries(
      OPINIONS.map((opinion, index): [Opinion, Tally] => [
        opinion,
        { nodes: audit.votes.nodes[index] ?? 0, stake: audit.votes.stake[index] ?? 0n },
      ]),
    ),
  }),
  vote: (vote: Vote & { readonly commitment: Uint8Array }) => ({
    ...without(vote, "bump"),
    commitment: bytesOrNull(vote.commitment),
  }),
};

function gateOf({ kind, key, least, most }: StoredGate): Gate {
  switch (kind) {
    case "open":
    case "allowlist":
      return { kind };
    case "token":
      return { kind, mint: key, least };
    case "collection":
      return { kind, group: key };
    case "standing":
      return { kind, task: key, leastRoundsPaid: least, mostConvictions: most };
    case "member":
      return { kind, task: key };
  }
}

function departed({ parts, young }: Departed): Departed {
  return { parts: filled(parts), young: filled(young) };
}

/** The places that are used. */
function filled(amounts: readonly Arrival[]): readonly Arrival[] {
  return amounts.filter(({ amount }) => amount > 0n);
}

/** Null for zeros. */
export function bytesOrNull(bytes: Uint8Array): Uint8Array | null {
  return isZero(bytes) ? null : bytes;
}

/** Null for nobody. */
export function keyOrNull(key: PublicKey): PublicKey | null {
  return key.equals(PublicKey.default) ? null : key;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function without(fields: object, ...names: readonly string[]): object {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
