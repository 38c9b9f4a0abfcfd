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

type Stored<T, Changes> = Omit<T, keyof Changes> & Changes;
type StoredTask = Stored<
  Task,
  {
    rules: TaskRules & { case: object; workerGate: unknown; witnessGate: unknown };
    taskFunction: FunctionRef;
  }
>;
type StoredAudit = Stored<Audit, { votes: { nodes: readonly number[]; stake: readonly bigint[] } }>;

/** What differs between the bytes and the types of this client. Bumps and what is reserved for later stay out. */
const SHAPES = {
  task: ({ bump: _, rules, taskFunction, ...rest }: StoredTask & Bump) => {
    const { case: caseRules, workerGate: _worker, witnessGate: _witness, ...others } = rules;
    return {
      ...rest,
      rules: { ...others, ...caseRules },
      taskFunction: taskFunction.hash.every((byte) => byte === 0) ? null : taskFunction,
    };
  },
  node: ({ bump: _, ...node }: Node & Bump) => node,
  submission: ({ bump: _, ...submission }: Submission & Bump) => submission,
  audit: ({ bump: _, votes, ...rest }: StoredAudit & Bump) => ({
    ...rest,
    votes: Object.fromEntries(
      OPINIONS.map((opinion, index): [Opinion, Tally] => [
        opinion,
        { nodes: votes.nodes[index] ?? 0, stake: votes.stake[index] ?? 0n },
      ]),
    ),
  }),
  // Committed votes are of a later version.
  vote: ({ bump: _, commitment: _commitment, ...vote }: Vote & Bump & { commitment: unknown }) =>
    vote,
};

interface Bump {
  readonly bump: number;
}
