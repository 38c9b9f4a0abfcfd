import type { CustomAccountResolver, MethodsNamespace, Provider } from "@coral-xyz/anchor";
import { BN, Program } from "@coral-xyz/anchor";
import type { Commitment, GetProgramAccountsFilter, TransactionInstruction } from "@solana/web3.js";
import { PublicKey } from "@solana/web3.js";
import type { AccountName, Accounts } from "./accounts";
import { decodeAccount } from "./accounts";
import { checked } from "./arguments";
import type { TransactionOutcome } from "./chain";
import type { LoggedEvents } from "./events";
import { parseEvents } from "./events";
import type { GateProof } from "./gates";
import { entryResolver, gateResolver } from "./gates";
import type { SecuringTasks } from "./idl/securing_tasks";
import idl from "./idl/securing_tasks.json";
import * as pda from "./pda";
import type { SaltStore, VoteSecret } from "./salts";
import { secretOf, voteCommitment, voteSecret } from "./salts";
import type { SealedReveal } from "./sealed";
import { sealedSecret } from "./sealed";
import type { MintInfo } from "./tokens";
import { createTokenAccount, fetchMint, tokenAccountOf } from "./tokens";
import type {
  Accusation,
  Audit,
  EvidenceRef,
  FunctionRef,
  Gate,
  Opinion,
  Role,
  Round,
  Submission,
  Task,
  TaskRules,
  Vote,
} from "./types";
import { GATE_KINDS, OPINIONS, REWARD_RULES, ROLES, VOTE_WEIGHTS } from "./types";

/** A task's address with the mint it pays in: what every instruction that moves tokens needs to know. */
export interface TaskRef {
  readonly address: PublicKey;
  readonly mint: Pick<MintInfo, "address" | "tokenProgram">;
}

/** One vote: whose, where, and which. */
export interface Ballot {
  readonly task: PublicKey;
  readonly audit: PublicKey;
  /** Owner of the voting node. */
  readonly voter: PublicKey;
  /** Default: the voter. */
  readonly operator?: PublicKey;
  /** Who pays the rent and gets it back. Default: the operator. */
  readonly payer?: PublicKey;
  readonly opinion: Opinion;
  /** Default: found from the task's gate. Only an allowlist asks here. */
  readonly gate?: GateProof;
}

/** What the program takes for none. */
const NO_HASH = new Uint8Array(32);

type Methods = MethodsNamespace<SecuringTasks>;
type Builder<N extends keyof Methods> = ReturnType<Methods[N]>;

/**
 * The program, typed. Every instruction is a method that fills in all accounts that follow from others and returns
 * Anchor's builder: send it with `.signers([…]).rpc()`, take its `.instruction()`, or add instructions of your own.
 *
 * Where a task has a gate, what proves that a node passes it is found when the builder makes its instruction; `gate` overrides
 * it, and a collection's gate needs it. Amounts are base units of the task's mint. Refusals are explained by `explain`.
 */
export class SecuringTasksClient {
  readonly program: Program<SecuringTasks>;

  /** The provider's wallet pays the fees of what is sent through this client. */
  constructor(provider: Provider) {
    this.program = new Program<SecuringTasks>(idl, provider, undefined, ({ name, accounts }) => {
      if (name === "openAudit") return (params) => this.resolveAuditAddress(params);
      const asked = (account: string): boolean => accounts.some((one) => one.name === account);
      if (asked("gateMint")) return (params) => gateResolver(this.program)(params);
      if (asked("gateProof")) return (params) => entryResolver(this.program)(params);
      return name === "resolveAudit" ? (params) => this.resolveRound(params) : undefined;
    });
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

  /** All nodes, allowlist entries, rounds, submissions or audits of a task. Rejects where the server has not reached `minSlot`. */
  ofTask<N extends "node" | "allowEntry" | "round" | "submission" | "audit">(
    name: N,
    task: PublicKey,
    minSlot?: bigint,
  ): Promise<Accounts[N][]> {
    return this.startingWith(name, task, minSlot).then(({ accounts }) => accounts);
  }

  /** All votes in an audit, claimed ones too. The initiator's accusation is in the audit itself. */
  votesIn(audit: PublicKey): Promise<Accounts["vote"][]> {
    return this.startingWith("vote", audit).then(({ accounts }) => accounts);
  }

  /** The program's events in what a successful transaction logged, and whether they are all that it caused. */
  events(outcome: Pick<TransactionOutcome, "logs" | "programs">): LoggedEvents {
    return parseEvents(this.program, outcome);
  }

  /**
   * Makes a task. The creator signs, and the payer, who pays the rent. The rules never change.
   *
   * `allowLargeStake` lets the worker's minimum stake be over 100 rounds' bounties. Refused with an error of its own for
   * each rule out of bounds, without an audit function, and for mints whose tokens can move without the program.
   */
  createTask(given: {
    readonly creator: PublicKey;
    /** Who pays the rent and gets it back. Default: the creator, which must not be an account that holds data. */
    readonly payer?: PublicKey;
    /** Any number that the creator has not used. */
    readonly id: bigint;
    readonly mint: Pick<MintInfo, "address" | "tokenProgram">;
    readonly rules: TaskRules;
    readonly auditFunction: FunctionRef;
    readonly taskFunction?: FunctionRef;
    readonly allowLargeStake?: boolean;
  }): Builder<"createTask"> {
    const args = checked("createTask", given);
    const task = pda.taskAddress(args.creator, args.id, this.program.programId);
    const none: FunctionRef = { hash: NO_HASH, uri: "" };
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
        payer: args.payer ?? args.creator,
        creator: args.creator,
        task,
        mint: args.mint.address,
        vault: this.vault(task),
        tokenProgram: args.mint.tokenProgram,
      });
  }

  /** Adds to the bounty pool. The funder signs. Refused for 0 and for a retired task. */
  fundTask(given: {
    readonly task: TaskRef;
    readonly funder: PublicKey;
    readonly amount: bigint;
    /** Default: the funder's associated token account. */
    readonly source?: PublicKey;
  }): Builder<"fundTask"> {
    const args = checked("fundTask", given);
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
  retireTask(given: {
    readonly task: TaskRef;
    readonly creator: PublicKey;
    /** Default: the creator's associated token account, made when it is missing. */
    readonly destination?: PublicKey;
  }): Builder<"retireTask"> {
    const args = checked("retireTask", given);
    return this.program.methods
      .retireTask()
      .accountsPartial({
        ...this.money(args.task),
        creator: args.creator,
        destination: args.destination ?? tokenAccountOf(args.task.mint, args.creator),
      })
      .preInstructions(args.destination ? [] : [createTokenAccount(args.task.mint, args.creator)]);
  }

  /** Stops joins, submissions and new audits; verdicts, claims and withdrawals go on. The creator signs. */
  pauseTask(given: {
    readonly task: PublicKey;
    readonly creator: PublicKey;
  }): Builder<"pauseTask"> {
    const args = checked("pauseTask", given);
    return this.program.methods.pauseTask().accountsPartial(args);
  }

  /** Ends a pause. The creator signs. */
  resumeTask(given: {
    readonly task: PublicKey;
    readonly creator: PublicKey;
  }): Builder<"resumeTask"> {
    const args = checked("resumeTask", given);
    return this.program.methods.resumeTask().accountsPartial(args);
  }

  /** Puts an owner on the allowlist of a role. The creator signs, and the payer, who pays the rent. */
  allowNode(given: {
    readonly task: PublicKey;
    readonly creator: PublicKey;
    /** Who pays the rent and gets it back. Default: the creator. */
    readonly payer?: PublicKey;
    readonly role: Role;
    /** The owner who may join. */
    readonly owner: PublicKey;
  }): Builder<"allowNode"> {
    const args = checked("allowNode", given);
    const { task, creator, role, owner } = args;
    return this.program.methods.allowNode(ROLES.indexOf(role), owner).accountsPartial({
      payer: args.payer ?? creator,
      creator,
      task,
      entry: pda.allowEntryAddress(task, role, owner, this.program.programId),
    });
  }

  /**
   * Takes an owner off the allowlist of a role; the rent goes to who paid it. The creator signs, or anyone one leave delay after the task
   * was retired. The owner's node may still leave.
   */
  disallowNode(given: {
    readonly task: PublicKey;
    /** Who signs: the creator, or in the end anyone. */
    readonly remover: PublicKey;
    readonly role: Role;
    readonly owner: PublicKey;
    /** Who paid the rent. Default: read from the entry. */
    readonly payer?: PublicKey;
  }): Builder<"disallowNode"> {
    const args = checked("disallowNode", given);
    const { task, remover, role, owner, payer } = args;
    return this.program.methods.disallowNode().accountsPartial({
      remover,
      task,
      entry: pda.allowEntryAddress(task, role, owner, this.program.programId),
      ...(payer && { payer }),
    });
  }

  /** Makes a node. Its owner signs and deposits the first stake, at least the role's minimum; the payer signs and pays the rent. */
  joinTask(given: {
    readonly task: TaskRef;
    readonly owner: PublicKey;
    /** Who pays the rent and gets it back. Default: the owner, which must not be an account that holds data. */
    readonly payer?: PublicKey;
    readonly role: Role;
    readonly amount: bigint;
    /** The task's, as the owner read it: joins no other task that its creator put in its place since. */
    readonly startSlot: bigint;
    /** The hot key. Default: the owner, which is fine for trying things out. */
    readonly operator?: PublicKey;
    /** Default: the owner's associated token account. */
    readonly source?: PublicKey;
    /** Default: found from the task's gate. */
    readonly gate?: GateProof;
  }): Builder<"joinTask"> {
    const args = checked("joinTask", given);
    return this.program.methods
      .joinTask(
        ROLES.indexOf(args.role),
        args.operator ?? args.owner,
        bn(args.amount),
        bn(args.startSlot),
      )
      .accountsPartial({
        ...this.money(args.task),
        payer: args.payer ?? args.owner,
        owner: args.owner,
        node: this.node(args.task.address, args.owner),
        source: args.source ?? tokenAccountOf(args.task.mint, args.owner),
        ...gateAccounts(args.gate),
      });
  }

  /**
   * Adds to a node's stake. The owner signs. It votes only on work submitted later, and what was there before is as old as it was; so a
   * fifth addition within one longest case is refused.
   */
  addStake(given: {
    readonly task: TaskRef;
    readonly owner: PublicKey;
    readonly amount: bigint;
    /** Default: the owner's associated token account. */
    readonly source?: PublicKey;
  }): Builder<"addStake"> {
    const args = checked("addStake", given);
    return this.program.methods.addStake(bn(args.amount)).accountsPartial({
      ...this.money(args.task),
      owner: args.owner,
      node: this.node(args.task.address, args.owner),
      source: args.source ?? tokenAccountOf(args.task.mint, args.owner),
    });
  }

  /** Asks for stake to leave: `amount`, or all. The owner signs. It can be slashed until it is withdrawn. */
  requestLeave(given: {
    readonly task: PublicKey;
    readonly owner: PublicKey;
    readonly amount?: bigint;
  }): Builder<"requestLeave"> {
    const args = checked("requestLeave", given);
    return this.program.methods
      .requestLeave(args.amount === undefined ? null : bn(args.amount))
      .accountsPartial({
        owner: args.owner,
        task: args.task,
        node: this.node(args.task, args.owner),
      });
  }

  /**
   * Makes stake of what is payable and of shares whose lock is over, without a transfer; it votes like stake that is added now. The owner
   * signs.
   */
  restake(given: { readonly task: PublicKey; readonly owner: PublicKey }): Builder<"restake"> {
    const args = checked("restake", given);
    return this.program.methods.restake().accountsPartial({
      owner: args.owner,
      task: args.task,
      node: this.node(args.task, args.owner),
    });
  }

  /** Takes back the request to leave; the stake is as young as if it came now. The owner signs. */
  cancelLeave(given: {
    readonly task: PublicKey;
    readonly owner: PublicKey;
  }): Builder<"cancelLeave"> {
    const args = checked("cancelLeave", given);
    return this.program.methods.cancelLeave().accountsPartial({
      owner: args.owner,
      task: args.task,
      node: this.node(args.task, args.owner),
    });
  }

  /** Pays out all that can leave now; no stake while the node stands accused, and none that is pledged. The owner signs. */
  withdraw(given: {
    readonly task: TaskRef;
    readonly owner: PublicKey;
    /** Default: the owner's associated token account, made when it is missing. */
    readonly destination?: PublicKey;
  }): Builder<"withdraw"> {
    const args = checked("withdraw", given);
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

  /**
   * Pays a node of a retired task out to its owner, one leave delay after the end: stake, shares and what is payable. Nobody in
   * particular signs.
   */
  returnStake(given: {
    readonly task: TaskRef;
    readonly owner: PublicKey;
    /** A token account of the owner. Default: its associated one, made when it is missing. */
    readonly destination?: PublicKey;
    /** Who pays for a missing token account. Default: the client's wallet. */
    readonly funder?: PublicKey;
  }): Builder<"returnStake"> {
    const args = checked("returnStake", given);
    return this.program.methods
      .returnStake()
      .accountsPartial({
        ...this.money(args.task),
        node: this.node(args.task.address, args.owner),
        destination: args.destination ?? tokenAccountOf(args.task.mint, args.owner),
      })
      .preInstructions(args.destination ? [] : [this.tokenAccountFor(args, args.owner)]);
  }

  /** Names another hot key. The owner signs. */
  setOperator(given: {
    readonly task: PublicKey;
    readonly owner: PublicKey;
    readonly operator: PublicKey;
  }): Builder<"setOperator"> {
    const args = checked("setOperator", given);
    return this.program.methods.setOperator(args.operator).accountsPartial({
      owner: args.owner,
      node: this.node(args.task, args.owner),
    });
  }

  /** Submits work for the current round, once. The operator signs, and the payer, who pays the rent. */
  submitWork(given: {
    readonly task: PublicKey;
    readonly owner: PublicKey;
    /** Default: the owner. */
    readonly operator?: PublicKey;
    /** Who pays the rent and gets it back. Default: the operator. */
    readonly payer?: PublicKey;
    /** The current round: {@link roundAt}. */
    readonly round: bigint;
    /** SHA-256 of the work. */
    readonly payloadHash: Uint8Array;
    /** Where the work is; at most 128 bytes. */
    readonly payloadUri: string;
    /** Default: found from the task's gate. */
    readonly gate?: GateProof;
  }): Builder<"submitWork"> {
    const args = checked("submitWork", given);
    const operator = args.operator ?? args.owner;
    return this.program.methods
      .submitWork(bn(args.round), [...args.payloadHash], args.payloadUri)
      .accountsPartial({
        payer: args.payer ?? operator,
        operator,
        task: args.task,
        node: this.node(args.task, args.owner),
        round: this.round(args.task, args.round),
        submission: this.submission(args.task, args.round, args.owner),
        ...gateAccounts(args.gate),
      });
  }

  /**
   * Accuses the work of a node in a round, whatever other audits of it are open. The initiator's operator signs, and the payer, who pays
   * the rent; a bond is pledged out of the initiator's stake. Where the task has panels, keep the secret for {@link drawPanel}.
   */
  openAudit(given: {
    readonly task: PublicKey;
    readonly round: bigint;
    /** Owner of the accused node. */
    readonly accused: PublicKey;
    /** Owner of the accusing node. */
    readonly initiator: PublicKey;
    /** Default: the initiator. */
    readonly operator?: PublicKey;
    /** Who pays the rent and gets it back. Default: the operator. */
    readonly payer?: PublicKey;
    readonly accusation: Accusation;
    /** What the accusation rests on. Default: nothing that anybody could look at. */
    readonly evidence?: EvidenceRef;
    /** Of the secret that the panel is drawn by: {@link secretHash}. Where the task has panels, it must be there. */
    readonly secretHash?: Uint8Array;
    /** Audits that the initiator's node has begun: its `audits`, and part of the address. Default: read from the node. */
    readonly index?: number;
    /** Default: found from the task's gate. Only an allowlist asks here. */
    readonly gate?: GateProof;
  }): Builder<"openAudit"> {
    const args = checked("openAudit", given);
    const submission = this.submission(args.task, args.round, args.accused);
    const operator = args.operator ?? args.initiator;
    const { hash, uri } = args.evidence ?? { hash: NO_HASH, uri: "" };
    return this.program.methods
      .openAudit(
        OPINIONS.indexOf(args.accusation),
        [...(args.secretHash ?? NO_HASH)],
        [...hash],
        uri,
      )
      .accountsPartial({
        payer: args.payer ?? operator,
        operator,
        task: args.task,
        submission,
        round: this.round(args.task, args.round),
        accused: this.node(args.task, args.accused),
        initiator: this.node(args.task, args.initiator),
        ...(args.index !== undefined && {
          audit: pda.auditAddress(submission, args.initiator, args.index, this.program.programId),
        }),
        ...(args.gate && { gateProof: args.gate.proof }),
      });
  }

  /**
   * Draws an audit's panel, from one slot after its draw slot on and less than {@link DRAW_WINDOW} slots after it. Nobody in particular
   * signs: the secret is the right.
   */
  drawPanel(given: {
    readonly audit: PublicKey;
    /** 32 bytes: what the audit was opened with the hash of. */
    readonly secret: Uint8Array;
  }): Builder<"drawPanel"> {
    const args = checked("drawPanel", given);
    return this.program.methods.drawPanel([...args.secret]).accountsPartial({ audit: args.audit });
  }

  /** Votes, once and for good. The voter's operator signs, and the payer, who pays the rent. */
  castVote(given: Ballot): Builder<"castVote"> {
    const args = checked("castVote", given);
    return this.program.methods
      .castVote(OPINIONS.indexOf(args.opinion))
      .accountsPartial(this.ballotAccounts(args));
  }

  /**
   * Commits to a vote, once and for good, where the task has a commit window. The voter's operator signs, and the payer, who pays the
   * rent; a deposit is pledged out of the node's stake, and lost unless the vote is revealed.
   *
   * Makes the salt and has it kept before it returns, so that nothing is sent that could not be revealed.
   */
  async commitVote(
    given: Ballot & { readonly salts: SaltStore },
  ): Promise<{ readonly builder: Builder<"commitVote">; readonly secret: VoteSecret }> {
    const args = checked("commitVote", given);
    const secret = await args.salts.keep(voteSecret(args.audit, args.voter, args.opinion));
    const commitment = voteCommitment(secret, this.program.programId);
    const builder = this.program.methods
      .commitVote([...commitment])
      .accountsPartial(this.ballotAccounts(args));
    return { builder, secret };
  }

  /** Opens a committed vote in the reveal window, with the salt that was kept for it. Nobody in particular signs: the salt is the right. */
  async revealVote(given: {
    readonly task: PublicKey;
    readonly audit: PublicKey;
    /** Owner of the voting node. */
    readonly voter: PublicKey;
    /** The store that {@link commitVote} was given. */
    readonly salts: SaltStore;
  }): Promise<Builder<"revealVote">> {
    const args = checked("revealVote", given);
    const { task, audit, voter, salts } = args;
    const address = this.vote(audit, voter);
    const { commitment } = await this.fetch("vote", address);
    const secrets = await salts.find(audit, voter);
    const secret = secretOf(commitment, secrets, this.program.programId);
    if (!secret) {
      throw new Error(
        commitment
          ? `The salt of the vote ${address.toBase58()} is not in this store. Reveal with the store that it was committed with.`
          : `The vote ${address.toBase58()} was cast openly. There is nothing to reveal.`,
      );
    }
    return this.revealing(task, secret);
  }

  /** Opens somebody's committed vote in the reveal window, with what its voter handed over. Nobody in particular signs. */
  revealFor(sealed: SealedReveal): Builder<"revealVote"> {
    const { program } = sealed;
    if (program !== this.program.programId.toBase58()) {
      throw new Error(
        `The sealed reveal is of the program ${program}, and this client's is ${this.program.programId.toBase58()}. Use it on the chain that it is from.`,
      );
    }
    return this.revealing(new PublicKey(sealed.task), sealedSecret(sealed));
  }

  private revealing(
    task: PublicKey,
    { audit, voter, opinion, salt }: VoteSecret,
  ): Builder<"revealVote"> {
    return this.program.methods
      .revealVote(OPINIONS.indexOf(opinion), [...salt])
      .accountsPartial({ audit, node: this.node(task, voter), vote: this.vote(audit, voter) });
  }

  /**
   * Has an audit counted once more, by everybody eligible, after its last vote and before it can be resolved; once. By the operator of any
   * node of the task, who signs; a bond is pledged out of the node's stake, and lost unless the outcome becomes another.
   */
  appealAudit(given: {
    readonly task: PublicKey;
    readonly audit: PublicKey;
    /** Owner of the appealing node. */
    readonly appellant: PublicKey;
    /** Default: the appellant. */
    readonly operator?: PublicKey;
  }): Builder<"appealAudit"> {
    const args = checked("appealAudit", given);
    return this.program.methods.appealAudit().accountsPartial({
      operator: args.operator ?? args.appellant,
      task: args.task,
      audit: args.audit,
      node: this.node(args.task, args.appellant),
    });
  }

  /**
   * Decides an audit once its votes are in and nobody can appeal any more ({@link resolvableAt}), and shares slash and bonds. Audits of
   * one submission are resolved in the order in which they were opened. Nobody in particular signs.
   *
   * Give it the audit as it is: an appeal since would be refused as `votingOpen`.
   */
  resolveAudit(
    given: Pick<
      Audit,
      "address" | "task" | "submission" | "accused" | "initiator" | "appellant"
    > & {
      /** The round of the accused work. Default: read from the submission. */
      readonly round?: bigint;
    },
  ): Builder<"resolveAudit"> {
    const audit = checked("resolveAudit", given);
    const { task, accused, initiator, appellant } = audit;
    // Behind the others, where it is none of them.
    const third = appellant && ![accused, initiator].some((one) => one.equals(appellant));
    return this.program.methods
      .resolveAudit()
      .accountsPartial({
        task,
        audit: audit.address,
        submission: audit.submission,
        ...(audit.round !== undefined && { round: this.round(task, audit.round) }),
        accused: this.node(task, accused),
        initiator: this.node(task, initiator),
      })
      .remainingAccounts(
        third ? [{ pubkey: this.node(task, appellant), isSigner: false, isWritable: true }] : [],
      );
  }

  /** Credits a voter's share, or takes the deposit of a vote that was never revealed. Nobody in particular signs. */
  claimVote(given: {
    readonly task: PublicKey;
    readonly audit: PublicKey;
    /** Owner of the voting node. */
    readonly voter: PublicKey;
  }): Builder<"claimVote"> {
    const args = checked("claimVote", given);
    return this.program.methods.claimVote().accountsPartial({
      task: args.task,
      audit: args.audit,
      vote: this.vote(args.audit, args.voter),
      node: this.node(args.task, args.voter),
    });
  }

  /** Credits a worker's part of its round's reserve, once nothing can change the round any more. Nobody in particular signs. */
  claimBounty(
    given: Pick<Submission, "address" | "task" | "owner" | "round">,
  ): Builder<"claimBounty"> {
    const submission = checked("claimBounty", given);
    return this.program.methods.claimBounty().accountsPartial({
      task: submission.task,
      round: this.round(submission.task, submission.round),
      submission: submission.address,
      node: this.node(submission.task, submission.owner),
    });
  }

  /** Closes a claimed vote; the rent goes to who paid it. Nobody in particular signs, as for all that is closed here. */
  closeVote(
    given: Pick<Vote, "address" | "audit" | "owner" | "payer"> & { readonly task: PublicKey },
  ): Builder<"closeVote"> {
    const vote = checked("closeVote", given);
    return this.program.methods.closeVote().accountsPartial({
      audit: vote.audit,
      node: this.node(vote.task, vote.owner),
      vote: vote.address,
      payer: vote.payer,
    });
  }

  /** Closes a resolved audit whose votes are closed. */
  closeAudit(
    given: Pick<Audit, "address" | "task" | "submission" | "initiator" | "payer">,
  ): Builder<"closeAudit"> {
    const audit = checked("closeAudit", given);
    return this.program.methods.closeAudit().accountsPartial({
      submission: audit.submission,
      initiator: this.node(audit.task, audit.initiator),
      audit: audit.address,
      payer: audit.payer,
    });
  }

  /** Closes work that was paid or convicted and whose audits are closed, once its round can't be audited any more. */
  closeSubmission(
    given: Pick<Submission, "address" | "task" | "owner" | "round" | "payer">,
  ): Builder<"closeSubmission"> {
    const submission = checked("closeSubmission", given);
    return this.program.methods.closeSubmission().accountsPartial({
      task: submission.task,
      round: this.round(submission.task, submission.round),
      node: this.node(submission.task, submission.owner),
      submission: submission.address,
      payer: submission.payer,
    });
  }

  /** Closes a round whose submissions are closed; what nobody earned goes back to the pool. */
  closeRound(given: Pick<Round, "address" | "task" | "payer">): Builder<"closeRound"> {
    const round = checked("closeRound", given);
    return this.program.methods.closeRound().accountsPartial({
      task: round.task,
      round: round.address,
      payer: round.payer,
    });
  }

  /**
   * Closes a node that owns nothing and that nothing needs; the rent goes to who paid it. The owner signs, or anyone once the task is
   * retired.
   */
  closeNode(given: {
    readonly task: PublicKey;
    readonly owner: PublicKey;
    /** Who signs. Default: the owner. */
    readonly closer?: PublicKey;
    /** Who paid the rent. Default: read from the node. */
    readonly payer?: PublicKey;
  }): Builder<"closeNode"> {
    const args = checked("closeNode", given);
    return this.program.methods.closeNode().accountsPartial({
      closer: args.closer ?? args.owner,
      task: args.task,
      node: this.node(args.task, args.owner),
      ...(args.payer && { payer: args.payer }),
    });
  }

  /**
   * Closes a retired task without nodes, rounds and entries; the vault's tokens go to the creator, the rent to who paid it. Nobody in
   * particular signs.
   */
  closeTask(given: {
    readonly task: TaskRef;
    readonly creator: PublicKey;
    /** A token account of the creator. Default: its associated one, made when it is missing. */
    readonly destination?: PublicKey;
    /** Who paid the rent. Default: read from the task. */
    readonly payer?: PublicKey;
    /** Who pays for a missing token account. Default: the client's wallet. */
    readonly funder?: PublicKey;
  }): Builder<"closeTask"> {
    const args = checked("closeTask", given);
    return this.program.methods
      .closeTask()
      .accountsPartial({
        ...this.money(args.task),
        destination: args.destination ?? tokenAccountOf(args.task.mint, args.creator),
        ...(args.payer && { payer: args.payer }),
      })
      .preInstructions(args.destination ? [] : [this.tokenAccountFor(args, args.creator)]);
  }

  /** Fills in where an audit will be, and what opens the gate to it. */
  private readonly resolveAuditAddress: CustomAccountResolver<SecuringTasks> = async (params) => {
    const resolved = await entryResolver(this.program)(params);
    const { submission, initiator, audit } = resolved.accounts;
    if (!audit && submission instanceof PublicKey && initiator instanceof PublicKey) {
      const { owner, audits } = await this.fetch("node", initiator);
      const { programId } = this.program;
      resolved.accounts.audit = pda.auditAddress(submission, owner, audits, programId);
    }
    return resolved;
  };

  /** An audit does not say in which round its submission was made. */
  private readonly resolveRound: CustomAccountResolver<SecuringTasks> = async ({ accounts }) => {
    const { submission, round } = accounts;
    if (!round && submission instanceof PublicKey) {
      const work = await this.fetch("submission", submission);
      accounts.round = this.round(work.task, work.round);
    }
    return { accounts, resolved: 0 };
  };

  /**
   * All accounts that belong to a task, or of votes to an audit, and the slot at whose end they were so. Rejects where the server has not
   * reached `minSlot`.
   */
  async startingWith<N extends Exclude<AccountName, "task">>(
    name: N,
    key: PublicKey,
    minSlot?: bigint,
    commitment?: Commitment,
  ): Promise<{ readonly slot: bigint; readonly accounts: Accounts[N][] }> {
    const { coder, provider, programId } = this.program;
    // Every account but the task begins with the account it belongs to, behind the discriminator.
    const filters: GetProgramAccountsFilter[] = [
      { memcmp: coder.accounts.memcmp(name) as { offset: number; bytes: string } },
      { memcmp: { offset: 8, bytes: key.toBase58() } },
    ];
    const { context, value } = await provider.connection.getProgramAccounts(programId, {
      filters,
      withContext: true,
      ...(commitment !== undefined && { commitment }),
      ...(minSlot !== undefined && { minContextSlot: Number(minSlot) }),
    });
    return {
      slot: BigInt(context.slot),
      accounts: value.map(({ pubkey, account }) =>
        decodeAccount(this.program, name, pubkey, account.data),
      ),
    };
  }

  private ballotAccounts(ballot: Ballot): {
    payer: PublicKey;
    operator: PublicKey;
    task: PublicKey;
    audit: PublicKey;
    node: PublicKey;
    vote: PublicKey;
    gateProof?: PublicKey;
  } {
    const operator = ballot.operator ?? ballot.voter;
    return {
      payer: ballot.payer ?? operator,
      operator,
      task: ballot.task,
      audit: ballot.audit,
      node: this.node(ballot.task, ballot.voter),
      vote: this.vote(ballot.audit, ballot.voter),
      ...(ballot.gate && { gateProof: ballot.gate.proof }),
    };
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

  private tokenAccountFor(
    { task, funder }: { readonly task: TaskRef; readonly funder?: PublicKey },
    owner: PublicKey,
  ): TransactionInstruction {
    return createTokenAccount(task.mint, owner, funder ?? this.program.provider.publicKey);
  }

  private vault(task: PublicKey): PublicKey {
    return pda.vaultAddress(task, this.program.programId);
  }

  private node(task: PublicKey, owner: PublicKey): PublicKey {
    return pda.nodeAddress(task, owner, this.program.programId);
  }

  private vote(audit: PublicKey, voter: PublicKey): PublicKey {
    return pda.voteAddress(audit, voter, this.program.programId);
  }

  private round(task: PublicKey, round: bigint): PublicKey {
    return pda.roundAddress(task, round, this.program.programId);
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
    appealSlots: bn(rules.appealSlots),
    appealBond: bn(rules.appealBond),
    quorumVotes: rules.quorumVotes,
    quorumBps: rules.quorumBps,
    downtimeBps: rules.downtimeBps,
    maliceBps: rules.maliceBps,
    initiatorBonusBps: rules.initiatorBonusBps,
    poolBps: rules.poolBps,
    panelSeats: rules.panelSeats,
    voteWeight: VOTE_WEIGHTS.indexOf(rules.voteWeight),
    rewardRule: REWARD_RULES.indexOf(rules.rewardRule),
    workerGate: gateArgs(rules.workerGate),
    witnessGate: gateArgs(rules.witnessGate),
    allowLargeStake,
  };
}

function gateArgs(gate: Gate): Parameters<Methods["createTask"]>[1]["workerGate"] {
  const kind = GATE_KINDS.indexOf(gate.kind);
  const none = { kind, key: PublicKey.default, least: bn(0n), most: 0 };
  switch (gate.kind) {
    case "open":
    case "allowlist":
      return none;
    case "token":
      return { ...none, key: gate.mint, least: bn(gate.least) };
    case "collection":
      return { ...none, key: gate.group };
    case "standing":
      return {
        ...none,
        key: gate.task,
        least: bn(gate.leastRoundsPaid),
        most: gate.mostConvictions,
      };
    case "member":
      return { ...none, key: gate.task };
  }
}

/** Nothing, where the proof is to be found later. */
function gateAccounts(gate: GateProof | undefined): {
  gateProof?: PublicKey;
  gateMint?: PublicKey;
} {
  if (!gate) return {};
  return { gateProof: gate.proof, ...(gate.mint && { gateMint: gate.mint }) };
}

/** First slot at which work of a round is not taken any more. */
export function submissionEnd(task: Pick<Task, "startSlot" | "rules">, round: bigint): bigint {
  return roundStart(task, round) + task.rules.submissionSlots;
}

/** First slot at which work of a round can't be audited any more, and bounties can be claimed. */
export function auditEnd(task: Pick<Task, "startSlot" | "rules">, round: bigint): bigint {
  return submissionEnd(task, round) + task.rules.auditSlots;
}

function bn(value: bigint): BN {
  return new BN(value.toString());
}
