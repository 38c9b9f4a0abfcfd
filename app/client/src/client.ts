import type { MethodsNamespace, Provider } from "@coral-xyz/anchor";
import { BN, Program } from "@coral-xyz/anchor";
import type { GetProgramAccountsFilter, PublicKey } from "@solana/web3.js";
import type { AccountName, Accounts } from "./accounts";
import { decodeAccount } from "./accounts";
import type { TaskEvent } from "./events";
import { parseEvents } from "./events";
import type { SecuringTasks } from "./idl/securing_tasks";
import idl from "./idl/securing_tasks.json";
import * as pda from "./pda";
import type { MintInfo } from "./tokens";
import { createTokenAccount, fetchMint, tokenAccountOf } from "./tokens";
import type { Accusation, Audit, FunctionRef, Opinion, Role, Task, TaskRules } from "./types";
import { OPINIONS, REWARD_RULES, ROLES, VOTE_WEIGHTS } from "./types";

/** A task's address with the mint it pays in: what every instruction that moves tokens needs to know. */
export interface TaskRef {
  readonly address: PublicKey;
  readonly mint: Pick<MintInfo, "address" | "tokenProgram">;
}

type Methods = MethodsNamespace<SecuringTasks>;
type Builder<N extends keyof Methods> = ReturnType<Methods[N]>;

/**
 * The program, typed. Every instruction is a method that fills in all accounts that follow from others and returns
 * Anchor's builder: send it with `.signers([…]).rpc()`, take its `.instruction()`, or add instructions of your own.
 *
 * Amounts are base units of the task's mint. Refusals are explained by `explain`.
 */
export class SecuringTasksClient {
  readonly program: Program<SecuringTasks>;

  /** The provider's wallet pays the fees of what is sent through this client. */
  constructor(provider: Provider) {
    this.program = new Program<SecuringTasks>(idl, provider);
  }

  /** Address and mint of a task that exists. Throws when there is none. */
  async taskRef(address: PublicKey): Promise<TaskRef> {
    const task = await this.fetch("task", address);
    return { address, mint: await fetchMint(this.program.provider.connection, task.mint) };
  }

  /** The account at an address. Throws when there is none, or one of another kind. */
  async fetch<N extends AccountName>(name: N, address: PublicKey): Promise<Accounts[N]> {
    const found = await this.find(name, address);
    if (found) return found;
    throw new Error(
      `There is no ${name} at ${address.toBase58()}. Check the address, the network, and that it was created.`,
    );
  }

  /** The account at an address, or null when there is none. Throws when it is of another kind. */
  async find<N extends AccountName>(name: N, address: PublicKey): Promise<Accounts[N] | null> {
    const account = await this.program.provider.connection.getAccountInfo(address);
    // Lamports sent to an address before its account exists do not make the account.
    if (!account?.owner.equals(this.program.programId)) return null;
    return decodeAccount(this.program, name, address, account.data);
  }

  /** All nodes, submissions or audits of a task. */
  ofTask<N extends "node" | "submission" | "audit">(
    name: N,
    task: PublicKey,
  ): Promise<Accounts[N][]> {
    return this.startingWith(name, task);
  }

  /** All votes in an audit, claimed ones too. The initiator's accusation is in the audit itself. */
  votesIn(audit: PublicKey): Promise<Accounts["vote"][]> {
    return this.startingWith("vote", audit);
  }

  /** The program's events among the log lines of a transaction, in order. */
  events(logs: readonly string[]): TaskEvent[] {
    return parseEvents(this.program, logs);
  }

  /**
   * Makes a task. The creator signs and pays the rent. The rules never change.
   *
   * `allowLargeStake` lets the worker's minimum stake be over 100 rounds' bounties. Refused with an error of its own for
   * each rule out of bounds, without an audit function, and for mints whose tokens can move without the program.
   */
  createTask(args: {
    readonly creator: PublicKey;
    /** Any number that the creator has not used. */
    readonly id: bigint;
    readonly mint: Pick<MintInfo, "address" | "tokenProgram">;
    readonly rules: TaskRules;
    readonly auditFunction: FunctionRef;
    readonly taskFunction?: FunctionRef;
    readonly allowLargeStake?: boolean;
  }): Builder<"createTask"> {
    const task = pda.taskAddress(args.creator, args.id, this.program.programId);
    const none: FunctionRef = { hash: new Uint8Array(32), uri: "" };
    const taskFunction = args.taskFunction ?? none;
    return this.program.methods
      .createTask(
        bn(args.id),
        rulesArgs(args.rules, args.allowLargeStake ?? false),
        [...args.auditFunction.hash],
        args.auditFunction.uri,
        [...taskFunction.hash],
        taskFunction.uri,
      )
      .accountsPartial({
        creator: args.creator,
        task,
        mint: args.mint.address,
        vault: this.vault(task),
        tokenProgram: args.mint.tokenProgram,
      });
  }

  /** Adds to the bounty pool. The funder signs. Refused for 0 and for a retired task. */
  fundTask(args: {
    readonly task: TaskRef;
    readonly funder: PublicKey;
    readonly amount: bigint;
    /** Default: the funder's associated token account. */
    readonly source?: PublicKey;
  }): Builder<"fundTask"> {
    return this.program.methods.fundTask(bn(args.amount)).accountsPartial({
      ...this.money(args.task),
      funder: args.funder,
      source: args.source ?? tokenAccountOf(args.task.mint, args.funder),
    });
  }

  /**
   * Ends a task for ever and pays what is in the pool to the creator, who signs. May be repeated for what later verdicts
   * add to the pool.
   */
  retireTask(args: {
    readonly task: TaskRef;
    readonly creator: PublicKey;
    /** Default: the creator's associated token account, made when it is missing. */
    readonly destination?: PublicKey;
  }): Builder<"retireTask"> {
    return this.program.methods
      .retireTask()
      .accountsPartial({
        ...this.money(args.task),
        creator: args.creator,
        destination: args.destination ?? tokenAccountOf(args.task.mint, args.creator),
      })
      .preInstructions(args.destination ? [] : [createTokenAccount(args.task.mint, args.creator)]);
  }

  /** Makes a node. Its owner signs, pays the rent and deposits the first stake, at least the role's minimum. */
  joinTask(args: {
    readonly task: TaskRef;
    readonly owner: PublicKey;
    readonly role: Role;
    readonly amount: bigint;
    /** The hot key. Default: the owner, which is fine for trying things out. */
    readonly operator?: PublicKey;
    /** Default: the owner's associated token account. */
    readonly source?: PublicKey;
  }): Builder<"joinTask"> {
    return this.program.methods
      .joinTask(ROLES.indexOf(args.role), args.operator ?? args.owner, bn(args.amount))
      .accountsPartial({
        ...this.money(args.task),
        owner: args.owner,
        node: this.node(args.task.address, args.owner),
        source: args.source ?? tokenAccountOf(args.task.mint, args.owner),
      });
  }

  /** Adds to a node's stake. The owner signs. It votes only on work submitted later. */
  addStake(args: {
    readonly task: TaskRef;
    readonly owner: PublicKey;
    readonly amount: bigint;
    /** Default: the owner's associated token account. */
    readonly source?: PublicKey;
  }): Builder<"addStake"> {
    return this.program.methods.addStake(bn(args.amount)).accountsPartial({
      ...this.money(args.task),
      owner: args.owner,
      node: this.node(args.task.address, args.owner),
      source: args.source ?? tokenAccountOf(args.task.mint, args.owner),
    });
  }

  /** Asks for stake to leave: `amount`, or all. The owner signs. It can be slashed until it is withdrawn. */
  requestLeave(args: {
    readonly task: PublicKey;
    readonly owner: PublicKey;
    readonly amount?: bigint;
  }): Builder<"requestLeave"> {
    return this.program.methods
      .requestLeave(args.amount === undefined ? null : bn(args.amount))
      .accountsPartial({
        owner: args.owner,
        task: args.task,
        node: this.node(args.task, args.owner),
      });
  }

  /** Takes back the request to leave. The owner signs. */
  cancelLeave(args: {
    readonly task: PublicKey;
    readonly owner: PublicKey;
  }): Builder<"cancelLeave"> {
    return this.program.methods.cancelLeave().accountsPartial({
      owner: args.owner,
      task: args.task,
      node: this.node(args.task, args.owner),
    });
  }

  /** Pays out all that can leave now. The owner signs. Refused while the node stands accused. */
  withdraw(args: {
    readonly task: TaskRef;
    readonly owner: PublicKey;
    /** Default: the owner's associated token account, made when it is missing. */
    readonly destination?: PublicKey;
  }): Builder<"withdraw"> {
    return this.program.methods
      .withdraw()
      .accountsPartial({
        ...this.money(args.task),
        owner: args.owner,
        node: this.node(args.task.address, args.owner),
        destination: args.destination ?? tokenAccountOf(args.task.mint, args.owner),
      })
      .preInstructions(args.destination ? [] : [createTokenAccount(args.task.mint, args.owner)]);
  }

  /** Names another hot key. The owner signs. */
  setOperator(args: {
    readonly task: PublicKey;
    readonly owner: PublicKey;
    readonly operator: PublicKey;
  }): Builder<"setOperator"> {
    return this.program.methods.setOperator(args.operator).accountsPartial({
      owner: args.owner,
      node: this.node(args.task, args.owner),
    });
  }

  /** Submits work for the current round, once. The operator signs and pays the rent. */
  submitWork(args: {
    readonly task: PublicKey;
    readonly owner: PublicKey;
    /** Default: the owner. */
    readonly operator?: PublicKey;
    /** The current round: {@link roundAt}. */
    readonly round: bigint;
    /** SHA-256 of the work. */
    readonly payloadHash: Uint8Array;
    /** Where the work is; at most 128 bytes. */
    readonly payloadUri: string;
  }): Builder<"submitWork"> {
    return this.program.methods
      .submitWork(bn(args.round), [...args.payloadHash], args.payloadUri)
      .accountsPartial({
        operator: args.operator ?? args.owner,
        task: args.task,
        node: this.node(args.task, args.owner),
        submission: this.submission(args.task, args.round, args.owner),
      });
  }

  /** Accuses the work of a node in a round. The initiator's operator signs and pays the rent; a bond leaves its stake. */
  openAudit(args: {
    readonly task: PublicKey;
    readonly round: bigint;
    /** Owner of the accused node. */
    readonly accused: PublicKey;
    /** Owner of the accusing node. */
    readonly initiator: PublicKey;
    /** Default: the initiator. */
    readonly operator?: PublicKey;
    readonly accusation: Accusation;
    /** Audits that the submission had before: its `audits`. Default: 0. */
    readonly attempt?: number;
  }): Builder<"openAudit"> {
    const submission = this.submission(args.task, args.round, args.accused);
    return this.program.methods.openAudit(OPINIONS.indexOf(args.accusation)).accountsPartial({
      operator: args.operator ?? args.initiator,
      task: args.task,
      submission,
      accused: this.node(args.task, args.accused),
      initiator: this.node(args.task, args.initiator),
      audit: pda.auditAddress(submission, args.attempt ?? 0, this.program.programId),
    });
  }

  /** Votes, once and for good. The voter's operator signs and pays the rent; a deposit leaves its stake. */
  castVote(args: {
    readonly task: PublicKey;
    readonly audit: PublicKey;
    /** Owner of the voting node. */
    readonly voter: PublicKey;
    /** Default: the voter. */
    readonly operator?: PublicKey;
    readonly opinion: Opinion;
  }): Builder<"castVote"> {
    return this.program.methods.castVote(OPINIONS.indexOf(args.opinion)).accountsPartial({
      operator: args.operator ?? args.voter,
      task: args.task,
      audit: args.audit,
      node: this.node(args.task, args.voter),
      vote: pda.voteAddress(args.audit, args.voter, this.program.programId),
    });
  }

  /** Decides an audit after its last vote and shares slash or bond. Nobody in particular signs. */
  resolveAudit(
    audit: Pick<Audit, "address" | "task" | "submission" | "accused" | "initiator">,
  ): Builder<"resolveAudit"> {
    return this.program.methods.resolveAudit().accountsPartial({
      task: audit.task,
      audit: audit.address,
      submission: audit.submission,
      accused: this.node(audit.task, audit.accused),
      initiator: this.node(audit.task, audit.initiator),
    });
  }

  /** Credits a voter's share and gives its deposit back. Nobody in particular signs. */
  claimVote(args: {
    readonly task: PublicKey;
    readonly audit: PublicKey;
    /** Owner of the voting node. */
    readonly voter: PublicKey;
  }): Builder<"claimVote"> {
    return this.program.methods.claimVote().accountsPartial({
      task: args.task,
      audit: args.audit,
      vote: pda.voteAddress(args.audit, args.voter, this.program.programId),
      node: this.node(args.task, args.voter),
    });
  }

  private async startingWith<N extends AccountName>(
    name: N,
    key: PublicKey,
  ): Promise<Accounts[N][]> {
    const { coder, provider, programId } = this.program;
    // Every account but the task begins with the account it belongs to, behind the discriminator.
    const filters: GetProgramAccountsFilter[] = [
      { memcmp: coder.accounts.memcmp(name) as { offset: number; bytes: string } },
      { memcmp: { offset: 8, bytes: key.toBase58() } },
    ];
    const found = await provider.connection.getProgramAccounts(programId, { filters });
    return found.map(({ pubkey, account }) =>
      decodeAccount(this.program, name, pubkey, account.data),
    );
  }

  private money(task: TaskRef): {
    task: PublicKey;
    mint: PublicKey;
    vault: PublicKey;
    tokenProgram: PublicKey;
  } {
    return {
      task: task.address,
      mint: task.mint.address,
      vault: this.vault(task.address),
      tokenProgram: task.mint.tokenProgram,
    };
  }

  private vault(task: PublicKey): PublicKey {
    return pda.vaultAddress(task, this.program.programId);
  }

  private node(task: PublicKey, owner: PublicKey): PublicKey {
    return pda.nodeAddress(task, owner, this.program.programId);
  }

  private submission(task: PublicKey, round: bigint, owner: PublicKey): PublicKey {
    return pda.submissionAddress(task, round, owner, this.program.programId);
  }
}

/** The round that a slot lies in. Throws for slots before the task. */
export function roundAt(task: Pick<Task, "startSlot" | "rules">, slot: bigint): bigint {
  if (slot < task.startSlot) {
    throw new Error(`The task's first round starts at slot ${task.startSlot.toString()}.`);
  }
  return (slot - task.startSlot) / task.rules.roundSlots;
}

/** First slot of a round. Work is taken from it on, for `submissionSlots`. */
export function roundStart(task: Pick<Task, "startSlot" | "rules">, round: bigint): bigint {
  return task.startSlot + round * task.rules.roundSlots;
}

function rulesArgs(
  rules: TaskRules,
  allowLargeStake: boolean,
): Parameters<Methods["createTask"]>[1] {
  return {
    roundSlots: bn(rules.roundSlots),
    submissionSlots: bn(rules.submissionSlots),
    auditSlots: bn(rules.auditSlots),
    commitSlots: bn(rules.commitSlots),
    revealSlots: bn(rules.revealSlots),
    leaveDelaySlots: bn(rules.leaveDelaySlots),
    workerMinStake: bn(rules.workerMinStake),
    witnessMinStake: bn(rules.witnessMinStake),
    bountyPerRound: bn(rules.bountyPerRound),
    initiatorBond: bn(rules.initiatorBond),
    voteDeposit: bn(rules.voteDeposit),
    quorumVotes: rules.quorumVotes,
    quorumBps: rules.quorumBps,
    downtimeBps: rules.downtimeBps,
    maliceBps: rules.maliceBps,
    initiatorBonusBps: rules.initiatorBonusBps,
    poolBps: rules.poolBps,
    voteWeight: VOTE_WEIGHTS.indexOf(rules.voteWeight),
    rewardRule: REWARD_RULES.indexOf(rules.rewardRule),
    workerGate: 0,
    witnessGate: 0,
    allowLargeStake,
  };
}

/** Throws for what no u64 can hold, before the encoder cuts it off in silence. */
function bn(value: bigint): BN {
  if (value < 0n || value >= 2n ** 64n) {
    throw new RangeError(
      `${value.toString()} is no amount: give one from 0 to 18446744073709551615.`,
    );
  }
  return new BN(value.toString());
}
