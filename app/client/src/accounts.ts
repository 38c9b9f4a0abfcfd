import type { Program } from "@coral-xyz/anchor";
import type { PublicKey } from "@solana/web3.js";
import type { SecuringTasks } from "./idl/securing_tasks";
import { plain } from "./plain";
import type {
  Audit,
  FunctionRef,
  Node,
  Opinion,
  Submission,
  Tally,
  Task,
  TaskRules,
  Vote,
} from "./types";
import {
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
  task: { status: TASK_STATUSES, ...CASE_WORDS },
  node: { role: ROLES },
  submission: { status: SUBMISSION_STATUSES },
  audit: { accusation: OPINIONS, outcome: OUTCOMES, ...CASE_WORDS },
  vote: { opinion: OPINIONS, state: VOTE_STATES },
};

type StoredTask = Omit<Task, "rules" | "taskFunction"> & {
  readonly rules: TaskRules & { readonly case: object };
  readonly taskFunction: FunctionRef;
};
type StoredAudit = Omit<Audit, "votes"> & {
  readonly votes: { readonly nodes: readonly number[]; readonly stake: readonly bigint[] };
};

/** What differs between the bytes and the types of this client. Bumps and what is kept for later versions stay out. */
const SHAPES = {
  task: (task: StoredTask) => ({
    ...without(task, "bump"),
    rules: { ...without(task.rules, "case", "workerGate", "witnessGate"), ...task.rules.case },
    taskFunction: task.taskFunction.hash.every((byte) => byte === 0) ? null : task.taskFunction,
  }),
  node: (node: Node) => without(node, "bump"),
  submission: (submission: Submission) => without(submission, "bump"),
  audit: (audit: StoredAudit) => ({
    ...without(audit, "bump"),
    votes: Object.fromEntries(
      OPINIONS.map((opinion, index): [Opinion, Tally] => [
        opinion,
        { nodes: audit.votes.nodes[index] ?? 0, stake: audit.votes.stake[index] ?? 0n },
      ]),
    ),
  }),
  vote: (vote: Vote) => without(vote, "bump", "commitment"),
};

function without(fields: object, ...names: readonly string[]): object {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
