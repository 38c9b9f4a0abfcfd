import type {
  Audit,
  Chain,
  FunctionRef,
  GateProof,
  Ledger,
  MintInfo,
  Node,
  Opinion,
  Role,
  SaltStore,
  Submission,
  TaskEvent,
  TaskRef,
  TaskRules,
  TransactionOutcome,
} from "@securing-tasks/client";
import {
  MemorySaltStore,
  SecuringTasksClient,
  TaskIndex,
  WRAPPED_SOL,
  allowFromCsv,
  assertBalanced,
  auditAddress,
  auditEnd,
  createTokenAccount,
  fetchMint,
  heldBy,
  isConvicted,
  nodeAddress,
  readAccounts,
  readLedger,
  resolvableAt,
  roundAt,
  roundStart,
  secretHash,
  submissionAddress,
  taskAddress,
  tokenAccountOf,
  unwrapSol,
  vaultAddress,
  wrapSol,
} from "@securing-tasks/client";
import {
  MINT_SIZE,
  TOKEN_2022_PROGRAM_ID,
  TOKEN_PROGRAM_ID,
  createInitializeMint2Instruction,
  createMintToInstruction,
} from "@solana/spl-token";
import type { PublicKey, TransactionInstruction } from "@solana/web3.js";
import { Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { createHash } from "node:crypto";

/** A node to be. */
export interface Seat {
  readonly name: string;
  readonly role: Role;
  /** First stake, in base units. */
  readonly stake: bigint;
  /** Default: a new key. */
  readonly owner?: Keypair;
  /** What the node shows to its role's gate, where the client can't find it. */
  readonly gate?: GateProof;
}

/** A node's keys. The operator is a key of its own, as it should be. */
export interface Player extends Seat {
  readonly owner: Keypair;
  readonly operator: Keypair;
  /** Address of the node. */
  readonly node: PublicKey;
}

/** What a task pays in: SOL, or a new mint of either token program. */
export type Currency = "sol" | "token" | "token-2022";

export interface GameOptions {
  readonly chain: Chain;
  readonly currency: Currency;
  readonly rules: TaskRules;
  readonly seats: readonly Seat[];
  /** What the creator puts into the pool, in base units. */
  readonly pool: bigint;
  /** Default: one that nobody can fetch. */
  readonly auditFunction?: FunctionRef;
  /** Keeps the salts of committed votes. Default: in memory. */
  readonly salts?: SaltStore;
  /** Told of every step that is about to be taken. */
  readonly onStep?: (step: string) => void;
}

/** What all builders of the client can do, and all that is needed of them here. */
export interface Sendable {
  transaction(): Promise<Transaction>;
}

/** For fees and rent of everything that one player does. */
export const POCKET_MONEY = 100_000_000n;
/** A window that closes sooner than this is as good as closed. */
const SLOTS_TO_ACT = 20n;
const BANK_MONEY = 1_000_000_000_000n;
/** Instructions of set-up that fit one transaction. */
const BATCH = 6;

/**
 * A task with its nodes, to play audits in. After every transaction it compares vault and ledger, and all accounts with what the
 * events add up to; the first difference ends it.
 */
export class Game {
  /** Everything that happened, in order. */
  readonly events: TaskEvent[] = [];
  /** What the events add up to. */
  readonly index: TaskIndex;
  /** Transactions after which vault and ledger agreed. */
  checks = 0;
  /** Lamports that the bank paid for them. */
  fees = 0n;

  private constructor(
    readonly chain: Chain,
    readonly client: SecuringTasksClient,
    readonly task: TaskRef,
    readonly rules: TaskRules,
    readonly creator: Keypair,
    readonly salts: SaltStore,
    private readonly seated: Map<string, Player>,
    /** Pays all fees, and nothing else once the game has started. */
    readonly bank: Keypair,
    private readonly onStep: (step: string) => void,
  ) {
    this.index = new TaskIndex(task.address, rules);
  }

  /** Sets up mint, keys and money, makes the task, fills its pool and has every seat join. */
  static async start(options: GameOptions): Promise<Game> {
    const { chain, currency, rules, seats, pool } = options;
    const onStep =
      options.onStep ??
      ((): void => {
        // Nobody listens.
      });
    onStep("funding keys");
    const bank = Keypair.generate();
    await chain.fund(bank.publicKey, BANK_MONEY);
    const creator = Keypair.generate();
    const mint = await makeMint(chain, bank, currency);
    const task = { address: taskAddress(creator.publicKey, 1n), mint };
    const players = seats.map((seat): Player => {
      const owner = seat.owner ?? Keypair.generate();
      return {
        ...seat,
        owner,
        operator: Keypair.generate(),
        node: nodeAddress(task.address, owner.publicKey),
      };
    });
    await endow(chain, bank, mint, [
      { owner: creator.publicKey, amount: pool },
      ...players.map(({ owner, stake }) => ({ owner: owner.publicKey, amount: stake })),
    ]);
    await inBatches(
      chain,
      bank,
      players.map(({ operator }) => pay(bank, operator.publicKey, POCKET_MONEY)),
    );

    const client = new SecuringTasksClient(chain.provider(bank));
    const salts = options.salts ?? new MemorySaltStore();
    const game = new Game(chain, client, task, rules, creator, salts, new Map(), bank, onStep);
    onStep("creating the task");
    await game.send(
      client.createTask({
        creator: creator.publicKey,
        id: 1n,
        mint,
        rules,
        auditFunction: options.auditFunction ?? {
          hash: sha256("audit function"),
          uri: "ipfs://audit-function",
        },
        taskFunction: { hash: sha256("task function"), uri: "ipfs://task-function" },
      }),
      creator,
    );
    if (pool > 0n) {
      await game.send(
        client
          .fundTask({ task, funder: creator.publicKey, amount: pool })
          .preInstructions(game.wrap(creator, pool)),
        creator,
      );
    }
    for (const player of players) await game.enter(player);
    return game;
  }

  /** Sends what a builder made, paid for by the bank, and compares. Returns what happened. */
  async send(builder: Sendable, ...signers: readonly Keypair[]): Promise<TaskEvent[]> {
    const transaction = await builder.transaction();
    return this.take([await this.chain.send(transaction, [this.bank, ...signers])]);
  }

  /** Sends what moves no tokens, several in one transaction, with the keys that must sign each. */
  private async sendAll(
    all: readonly (readonly [Sendable, ...Keypair[]])[],
    size = BATCH,
  ): Promise<void> {
    for (let start = 0; start < all.length; start += size) {
      const batch = all.slice(start, start + size);
      const made = await Promise.all(batch.map(([builder]) => builder.transaction()));
      const whole = { transaction: () => Promise.resolve(new Transaction().add(...made)) };
      await this.send(whole, ...new Set(batch.flatMap(([, ...signers]) => signers)));
    }
  }

  /** Takes what transactions logged, and compares: vault with ledger, events with chain. */
  private async take(outcomes: readonly TransactionOutcome[]): Promise<TaskEvent[]> {
    for (const { fee } of outcomes) this.fees += fee;
    const logged = outcomes.map((outcome) => this.client.events(outcome));
    const events = logged.flatMap((log) => log.events);
    this.events.push(...events);
    if (logged.every(({ complete }) => complete)) {
      for (const event of events) this.index.apply(event);
    } else {
      this.index.takeOver((await readAccounts(this.client, this.task.address)).accounts);
    }
    const ledger = this.index.task ? await this.ledger() : null;
    if (ledger) assertBalanced(ledger);
    const [difference] = this.index.differences(ledger);
    if (difference) {
      const { of, address, field, events: told, chain } = difference;
      throw new Error(
        `The events say that ${field} of ${of} ${address.toBase58()} is ${told}, and the chain says ${chain}.`,
      );
    }
    this.checks += 1;
    return events;
  }

  /** Puts the owners of a CSV on the allowlist. Returns how many are new. */
  async allow(
    csv: string,
    role: Role,
    onProgress?: (done: number, all: number) => void,
  ): Promise<number> {
    const { added, signatures } = await allowFromCsv(this.client, {
      task: this.task.address,
      creator: this.creator.publicKey,
      csv,
      role,
      signers: [this.creator],
      ...(onProgress && { onProgress }),
    });
    await this.take(await Promise.all(signatures.map((one) => this.chain.outcome(one))));
    return added;
  }

  /** One more node joins. */
  async join(seat: Seat): Promise<void> {
    const owner = await this.newcomer(seat.stake, seat.owner);
    const operator = Keypair.generate();
    await inBatches(this.chain, this.bank, [pay(this.bank, operator.publicKey, POCKET_MONEY)]);
    const node = nodeAddress(this.task.address, owner.publicKey);
    await this.enter({ ...seat, owner, operator, node });
  }

  /** First slot of the task's first round. */
  async startSlot(): Promise<bigint> {
    return (await this.client.fetch("task", this.task.address)).startSlot;
  }

  /** Someone who holds this much, in base units, and has not joined. */
  async newcomer(amount: bigint, owner = Keypair.generate()): Promise<Keypair> {
    const gift = { owner: owner.publicKey, amount };
    await endow(this.chain, this.bank, this.task.mint, [gift]);
    return owner;
  }

  private async enter(player: Player): Promise<void> {
    this.onStep(`${player.name} joins as a ${player.role}`);
    await this.send(
      this.client
        .joinTask({
          task: this.task,
          owner: player.owner.publicKey,
          operator: player.operator.publicKey,
          role: player.role,
          amount: player.stake,
          startSlot: await this.startSlot(),
          ...gateOf(player),
        })
        .preInstructions(this.wrap(player.owner, player.stake)),
      player.owner,
    );
    this.seated.set(player.name, player);
  }

  get players(): ReadonlyMap<string, Player> {
    return this.seated;
  }

  ledger(): Promise<Ledger> {
    return readLedger(this.client, this.task.address);
  }

  player(name: string): Player {
    const found = this.players.get(name);
    if (!found) throw new Error(`Nobody is called ${name}.`);
    return found;
  }

  /** The player's name of an owner's key. */
  nameOf(owner: PublicKey): string {
    const found = [...this.players.values()].find((player) => player.owner.publicKey.equals(owner));
    return found?.name ?? owner.toBase58();
  }

  node(name: string): Promise<Node> {
    return this.client.fetch("node", this.player(name).node);
  }

  /**
   * The round to submit work for: this one while its window is open, else the next, which it waits for. Whoever has joined
   * by now has a say on work submitted then.
   */
  async round(): Promise<bigint> {
    const task = await this.client.fetch("task", this.task.address);
    // Nodes that joined in this very slot vote only on work of a later one.
    const slot = (await this.chain.slot()) + 1n;
    const current = roundAt(task, slot);
    const left = roundStart(task, current) + task.rules.submissionSlots - slot;
    const round = left >= SLOTS_TO_ACT ? current : current + 1n;
    const start = roundStart(task, round);
    this.onStep(`waiting for round ${String(round)}`);
    await this.chain.waitForSlot(start > slot ? start : slot);
    return round;
  }

  async submit(name: string, round: bigint): Promise<Submission> {
    const { owner, operator } = this.player(name);
    this.onStep(`${name} submits work for round ${String(round)}`);
    await this.send(
      this.client.submitWork({
        task: this.task.address,
        owner: owner.publicKey,
        operator: operator.publicKey,
        round,
        payloadHash: sha256(`${name} ${String(round)}`),
        payloadUri: `ipfs://${name}/${String(round)}`,
        ...gateOf(this.player(name)),
      }),
      operator,
    );
    return this.client.fetch(
      "submission",
      submissionAddress(this.task.address, round, owner.publicKey),
    );
  }

  async accuse(
    name: string,
    submission: Submission,
    accusation: Exclude<Opinion, "valid">,
  ): Promise<Audit> {
    const { owner, operator } = this.player(name);
    this.onStep(`${name} accuses ${this.nameOf(submission.owner)} of ${accusation}`);
    const { audits: index } = await this.node(name);
    const address = auditAddress(submission.address, owner.publicKey, index);
    await this.send(
      this.client.openAudit({
        task: this.task.address,
        round: submission.round,
        accused: submission.owner,
        initiator: owner.publicKey,
        operator: operator.publicKey,
        accusation,
        index,
        ...(this.rules.panelSeats > 0 && { secretHash: secretHash(this.drawSecret(address)) }),
        ...gateOf(this.player(name)),
      }),
      operator,
    );
    return this.client.fetch("audit", address);
  }

  /** Waits until the panel can be drawn, and draws it. */
  async draw(audit: Audit): Promise<Audit> {
    await this.chain.waitForSlot(audit.drawSlot + 1n);
    this.onStep("drawing the panel");
    await this.send(
      this.client.drawPanel({ audit: audit.address, secret: this.drawSecret(audit.address) }),
    );
    return this.client.fetch("audit", audit.address);
  }

  /** A game has no secrets from itself. */
  private drawSecret(audit: PublicKey): Uint8Array {
    return sha256(audit.toBase58());
  }

  /** Waits for the end of the votes and appeals. */
  async appeal(name: string, audit: Audit): Promise<Audit> {
    const { owner, operator } = this.player(name);
    await this.chain.waitForSlot(audit.endSlot);
    this.onStep(`${name} appeals`);
    await this.send(
      this.client.appealAudit({
        task: this.task.address,
        audit: audit.address,
        appellant: owner.publicKey,
        operator: operator.publicKey,
      }),
      operator,
    );
    return this.client.fetch("audit", audit.address);
  }

  async vote(name: string, audit: Audit, opinion: Opinion): Promise<void> {
    const { owner, operator } = this.player(name);
    this.onStep(`${name} votes ${opinion}`);
    await this.send(
      this.client.castVote({
        task: this.task.address,
        audit: audit.address,
        voter: owner.publicKey,
        operator: operator.publicKey,
        opinion,
        ...gateOf(this.player(name)),
      }),
      operator,
    );
  }

  /** Commits to a vote; the salt is kept in the game's store. */
  async commit(name: string, audit: Audit, opinion: Opinion): Promise<void> {
    const { owner, operator } = this.player(name);
    this.onStep(`${name} commits to a vote`);
    const { builder } = await this.client.commitVote({
      task: this.task.address,
      audit: audit.address,
      voter: owner.publicKey,
      operator: operator.publicKey,
      opinion,
      salts: this.salts,
      ...gateOf(this.player(name)),
    });
    await this.send(builder, operator);
  }

  /** Waits for the reveal window and opens a committed vote. */
  async reveal(name: string, audit: Audit): Promise<void> {
    const { owner } = this.player(name);
    this.onStep(`waiting for the reveal window, at slot ${String(audit.revealSlot)}`);
    await this.chain.waitForSlot(audit.revealSlot);
    this.onStep(`${name} reveals its vote`);
    const builder = await this.client.revealVote({
      task: this.task.address,
      audit: audit.address,
      voter: owner.publicKey,
      salts: this.salts,
    });
    await this.send(builder);
    await this.salts.forget(audit.address, owner.publicKey);
  }

  /** Waits until the votes are in and nobody can appeal, and decides. */
  async resolve({ address }: Pick<Audit, "address">): Promise<Audit> {
    // An appeal changes when.
    const audit = await this.client.fetch("audit", address);
    const end = resolvableAt(audit, this.rules);
    this.onStep(`waiting for the last vote, at slot ${String(end)}`);
    await this.chain.waitForSlot(end);
    this.onStep("resolving the audit");
    await this.send(this.client.resolveAudit(audit));
    return this.client.fetch("audit", address);
  }

  async claim(name: string, audit: Audit): Promise<void> {
    this.onStep(`${name} claims`);
    await this.send(
      this.client.claimVote({
        task: this.task.address,
        audit: audit.address,
        voter: this.player(name).owner.publicKey,
      }),
    );
  }

  /** Waits until the round can't change any more and claims a worker's bounty. */
  async claimBounty(submission: Submission): Promise<void> {
    const over = auditEnd(await this.client.fetch("task", this.task.address), submission.round);
    this.onStep(
      `waiting for the end of round ${String(submission.round)}, at slot ${String(over)}`,
    );
    await this.chain.waitForSlot(over);
    this.onStep(`${this.nameOf(submission.owner)} claims its bounty`);
    await this.send(this.client.claimBounty(submission));
  }

  /** Pays what is owed for all rounds and closes them with all that was in them. All votes must be claimed. */
  async settle(): Promise<void> {
    const { task, submissions, votes, audits, rounds } = await this.ledger();
    for (const submission of submissions) {
      if (!isConvicted(submission) && !submission.paid) await this.claimBounty(submission);
    }
    this.onStep("closing votes, audits, submissions and rounds");
    await this.sendAll(
      votes.map((vote) => [this.client.closeVote({ ...vote, task: this.task.address })]),
    );
    await this.sendAll(audits.map((audit) => [this.client.closeAudit(audit)]));
    for (const { number } of rounds) {
      await this.chain.waitForSlot(auditEnd(task, number));
    }
    await this.sendAll(submissions.map((submission) => [this.client.closeSubmission(submission)]));
    for (const round of rounds) await this.send(this.client.closeRound(round));
  }

  /**
   * Everyone leaves with everything, all accounts are closed, and the creator takes the rest of the pool: nothing may be left.
   * Returns the ledger as it was before the task itself was closed.
   */
  async end(): Promise<Ledger> {
    this.onStep("everyone asks to leave");
    const staying = (await this.ledger()).nodes.filter((node) => node.stake > node.leaving);
    await this.sendAll(
      staying.map((node) => [
        this.client.requestLeave({ task: this.task.address, owner: node.owner }),
        this.player(this.nameOf(node.owner)).owner,
      ]),
    );
    await this.settle();
    for (const { name, owner } of this.players.values()) {
      const node = await this.node(name);
      if (heldBy(node) === 0n) continue;
      const free = [node.leaveSlot, node.lockedUntil, node.lockedNextUntil].reduce((a, b) =>
        a > b ? a : b,
      );
      this.onStep(`waiting until ${name} may go, at slot ${String(free)}`);
      await this.chain.waitForSlot(free);
      this.onStep(`${name} withdraws`);
      await this.send(
        this.client
          .withdraw({ task: this.task, owner: owner.publicKey })
          .postInstructions(this.unwrap(owner)),
        owner,
      );
    }
    this.onStep("the creator retires the task");
    await this.send(
      this.client
        .retireTask({ task: this.task, creator: this.creator.publicKey })
        .postInstructions(this.unwrap(this.creator)),
      this.creator,
    );
    this.onStep("closing nodes, allowlist and task");
    const end = await this.ledger();
    const [task, creator] = [this.task.address, this.creator.publicKey];
    await this.sendAll(
      end.nodes.map(({ owner }) => [
        this.client.closeNode({ task, owner, closer: this.bank.publicKey }),
      ]),
    );
    await this.sendAll(
      end.entries.map(({ role, owner }) => [
        this.client.disallowNode({ task, remover: creator, role, owner }),
        this.creator,
      ]),
      3 * BATCH,
    );
    // Anybody may. But who pays for an account that is to be unwrapped is its owner.
    const unwrapped = this.paysInSol();
    await this.send(
      this.client
        .closeTask({ task: this.task, creator, ...(unwrapped && { funder: creator }) })
        .postInstructions(this.unwrap(this.creator)),
      ...(unwrapped ? [this.creator] : []),
    );
    const left = await this.accountsLeft();
    if (left > 0) throw new Error(`The task is closed, and ${left} accounts of it are left.`);
    return end;
  }

  /** Accounts of the task that exist, itself included. */
  async accountsLeft(): Promise<number> {
    const task = this.task.address;
    const audits = this.events.flatMap((event) =>
      event.name === "auditOpened" ? [event.data.audit] : [],
    );
    const found = await Promise.all<readonly unknown[]>([
      this.client.ofTask("node", task),
      this.client.ofTask("allowEntry", task),
      this.client.ofTask("round", task),
      this.client.ofTask("submission", task),
      this.client.ofTask("audit", task),
      ...audits.map((audit) => this.client.votesIn(audit)),
    ]);
    const itself = [task, vaultAddress(task)].map((address) => this.chain.account(address));
    const there = (await Promise.all(itself)).filter((account) => account !== null);
    return found.flat().length + there.length;
  }

  /** What a player's own token account holds, in base units. */
  async wallet(owner: PublicKey): Promise<bigint> {
    const { value } = await this.chain.connection.getTokenAccountBalance(
      tokenAccountOf(this.task.mint, owner),
    );
    return BigInt(value.amount);
  }

  private wrap(owner: Keypair, amount: bigint): TransactionInstruction[] {
    return this.paysInSol() ? wrapSol(owner.publicKey, amount) : [];
  }

  private unwrap(owner: Keypair): TransactionInstruction[] {
    return this.paysInSol() ? unwrapSol(owner.publicKey) : [];
  }

  private paysInSol(): boolean {
    return this.task.mint.address.equals(WRAPPED_SOL.address);
  }
}

function gateOf({ gate }: Seat): { readonly gate?: GateProof } {
  return gate ? { gate } : {};
}

async function makeMint(chain: Chain, bank: Keypair, currency: Currency): Promise<MintInfo> {
  if (currency === "sol") return WRAPPED_SOL;
  const program = currency === "token" ? TOKEN_PROGRAM_ID : TOKEN_2022_PROGRAM_ID;
  return fetchMint(chain.connection, await newMint(chain, bank, 6, program));
}

/** Makes a mint, whose tokens the bank may make. Gives its address. */
export async function newMint(
  chain: Chain,
  bank: Keypair,
  decimals: number,
  program: PublicKey = TOKEN_PROGRAM_ID,
): Promise<PublicKey> {
  const mint = Keypair.generate();
  await chain.send(
    new Transaction().add(
      SystemProgram.createAccount({
        fromPubkey: bank.publicKey,
        newAccountPubkey: mint.publicKey,
        lamports: Number(await chain.rentMinimum(MINT_SIZE)),
        space: MINT_SIZE,
        programId: program,
      }),
      createInitializeMint2Instruction(mint.publicKey, decimals, bank.publicKey, null, program),
    ),
    [bank, mint],
  );
  return mint.publicKey;
}

/** Makes tokens in an owner's account, which is made where there is none. */
export function giveTokens(
  mint: Pick<MintInfo, "address" | "tokenProgram">,
  bank: PublicKey,
  owner: PublicKey,
  amount: bigint,
): TransactionInstruction[] {
  const account = tokenAccountOf(mint, owner);
  return [
    createTokenAccount(mint, owner, bank),
    createMintToInstruction(mint.address, account, bank, amount, [], mint.tokenProgram),
  ];
}

/** Gives owners SOL for fees and rent, and what they stake or put into the pool. */
async function endow(
  chain: Chain,
  bank: Keypair,
  mint: TaskRef["mint"],
  gifts: readonly { readonly owner: PublicKey; readonly amount: bigint }[],
): Promise<void> {
  const inSol = mint.address.equals(WRAPPED_SOL.address);
  await inBatches(
    chain,
    bank,
    gifts.flatMap(({ owner, amount }) =>
      inSol
        ? [pay(bank, owner, POCKET_MONEY + amount)]
        : [pay(bank, owner, POCKET_MONEY), ...giveTokens(mint, bank.publicKey, owner, amount)],
    ),
  );
}

function pay(bank: Keypair, to: PublicKey, lamports: bigint): TransactionInstruction {
  return SystemProgram.transfer({ fromPubkey: bank.publicKey, toPubkey: to, lamports });
}

async function inBatches(
  chain: Chain,
  bank: Keypair,
  instructions: readonly TransactionInstruction[],
): Promise<void> {
  const starts = Array.from(
    { length: Math.ceil(instructions.length / BATCH) },
    (_, i) => i * BATCH,
  );
  await Promise.all(
    starts.map((start) =>
      chain.send(new Transaction().add(...instructions.slice(start, start + BATCH)), [bank]),
    ),
  );
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
