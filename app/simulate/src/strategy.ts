import type {
  Accusation,
  Audit,
  Node,
  Opinion,
  Submission,
  Task,
  TaskRules,
} from "@securing-tasks/client";
import type { PublicKey } from "@solana/web3.js";
import type { Random } from "./random";

/** What a node sees: accounts of the chain, and what it paid for. Never a committed vote, nor whether work is good without a check. */
export interface View {
  readonly slot: bigint;
  /** The round that is asked about. */
  readonly round: bigint;
  readonly rules: TaskRules;
  readonly task: Task;
  /** Its own node. */
  readonly node: Node;
  /** The round's work. */
  readonly submissions: readonly Submission[];
  /** Its own stream: nothing else may decide what is left to chance. */
  readonly random: Random;
  /** How often the program refused it what, by the refusal's name. */
  readonly refused: ReadonlyMap<string, number>;
  /** Whether votes are asked for the last time. */
  readonly last: boolean;
  /** Audits of a work, oldest first, decided ones too. */
  auditsOf(submission: Submission): readonly Audit[];
  /** Whether an owner is of the same group: a coalition knows its own. */
  isFriend(owner: PublicKey): boolean;
  /** Runs the audit function on work. Costs the node the price of a check, once for each work. */
  check(submission: Submission): Opinion;
}

export interface Charge {
  readonly submission: Submission;
  readonly accusation: Accusation;
}

/** `work`: pays the price of work, which is good unless the world fails it. `shirk`: pays nothing, and what it submits is bad. */
export type Effort = "work" | "shirk" | "none";

/**
 * How the nodes of one group play. All methods may be left out: who says nothing does nothing. One object plays all nodes of a group, so
 * what a coalition agrees on can be kept in it.
 */
export interface Strategy {
  /** Asked of workers, at the start of each round. */
  work?(view: View): Effort;
  /** Asked of all, one after the other, when the submission window has ended: whom to accuse, and of what. */
  accuse?(view: View): readonly Charge[];
  /**
   * Asked of who may vote in an audit: early, in the middle and at the end of the window, until it answers. Null: not now. Open votes of
   * before are in the audit's tallies.
   */
  vote?(view: View, audit: Audit, submission: Submission): Opinion | null;
  /** Asked of who committed a vote; left out: it is revealed. */
  reveal?(view: View, audit: Audit): boolean;
}

/** What the population's file says under `parameters`. */
export type Parameters = Readonly<Record<string, number>>;

/** A strategy as it is written: with one line about it and the parameters that it takes, by their default. */
export interface StrategyModule {
  readonly about: string;
  readonly parameters?: Parameters;
  make(parameters: Parameters): Strategy;
}
