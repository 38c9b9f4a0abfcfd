import type {
  Audit,
  Gate,
  Node,
  Opinion,
  Role,
  Round,
  Submission,
  Task,
  TaskRef,
  TaskRules,
  VoteSecret,
} from "@securing-tasks/client";
import {
  LAMPORTS_PER_SIGNATURE,
  PROGRAM_ID,
  activeStake,
  assertBalanced,
  auditAddress,
  auditEnd,
  heldBy,
  isConvicted,
  isSecret,
  minStake,
  nodeAddress,
  resolvableAt,
  roundAddress,
  roundStart,
  seatOf,
  secretHash,
  submissionAddress,
  submissionEnd,
  taskAddress,
  tokenAccountOf,
  voteAddress,
  voteCommitment,
  weightOn,
} from "@securing-tasks/client";
import {
  ACCOUNT_SIZE,
  AccountState,
  AccountLayout,
  MINT_SIZE,
  MintLayout,
  TOKEN_PROGRAM_ID,
} from "@solana/spl-token";
import type { TransactionInstruction } from "@solana/web3.js";
import { Keypair, PublicKey } from "@solana/web3.js";
import type { AuditAccounts } from "./encoder";
import { Encoder } from "./encoder";
import type { Sending } from "./engine";
import { Engine } from "./engine";
import { Random } from "./random";
import type { Strategy, View } from "./strategy";

/** Nodes that play alike. */
export interface Group {
  readonly name: string;
  /** What it is called in the population's file. */
  readonly strategy: string;
  /** Makes the mind of the group, anew for each run. */
  readonly make: () => Strategy;
  readonly count: number;
  readonly role: Role;
  /** Of each node, in base units. */
  readonly stake: bigint;
  /** What one work costs a worker, in base units. */
  readonly workPrice: bigint;
  /** What looking at one work costs, in base units. */
  readonly checkPrice: bigint;
  /** The chance that work which was paid for is down all the same. */
  readonly faulty: number;
  /** The chance that a check shows the contrary. */
  readonly checkError: number;
}

export interface WorldOptions {
  /** The compiled program. */
  readonly bytecode: Uint8Array;
  /** Gates are taken for open: whoever plays has passed them. */
  readonly rules: TaskRules;
  readonly groups: readonly Group[];
  readonly rounds: number;
  readonly seed: string;
  readonly onProgress?: (settled: number, rounds: number) => void;
}

/** What a group earned and lost in a run: base units of the mint, fees and rent in lamports. */
export interface GroupResult {
  readonly name: string;
  readonly strategy: string;
  readonly nodes: number;
  /** At the beginning. */
  readonly stake: bigint;
  readonly bounties: bigint;
  /** Parts of slashes and of lost bonds. */
  readonly shares: bigint;
  /** Slashes, bonds and deposits. */
  readonly lost: bigint;
  /** Spent on work. */
  readonly work: bigint;
  /** Spent on checks. */
  readonly checks: bigint;
  /** Bounties and shares without losses, work and checks. */
  readonly net: bigint;
  /** `net` as a part of `stake`, in one round. */
  readonly returnPerRound: number;
  /** As if each instruction had been sent in a transaction of its own. */
  readonly fees: bigint;
  /** Most lamports that its accounts held at the end of a round's last audit, its nodes included. */
  readonly rent: bigint;
  /** Refusals of the program, by name. */
  readonly refused: Readonly<Record<string, number>>;
}

export interface TaskResult {
  readonly goodWork: number;
  readonly goodConvicted: number;
  readonly badWork: number;
  readonly badConvicted: number;
  readonly audits: number;
  readonly noVerdict: number;
  /** Base units that were paid for work. */
  readonly bounty: bigint;
  /** Of it for bad work. */
  readonly bountyForBad: bigint;
  /** Base units that all nodes spent on checks. */
  readonly checks: bigint;
  /** Lamports of accusations, votes, verdicts, claims and what closes them. */
  readonly auditFees: bigint;
  /** Base units in the pool at the end, without what was put there for rounds to come. */
  readonly poolGain: bigint;
}

export interface RunResult {
  readonly seed: string;
  readonly rounds: number;
  readonly groups: readonly GroupResult[];
  readonly task: TaskResult;
}

const OPEN: Gate = { kind: "open" };
const NO_PROOF = { proof: PROGRAM_ID, mint: PROGRAM_ID };
/** Lamports that every key is given: more than any of them can lock. */
const POCKET_MONEY = 10n ** 13n;
/** The first round that is played: everybody has joined before it. */
const FIRST_ROUND = 1n;

interface Player {
  readonly group: Group;
  readonly team: Team;
  readonly name: string;
  readonly owner: PublicKey;
  readonly operator: PublicKey;
  readonly node: PublicKey;
  readonly random: Random;
  /** What it owned in the vault when that was last looked at. */
  held: bigint;
  bounties: bigint;
  shares: bigint;
  lost: bigint;
  work: bigint;
  checks: bigint;
  fees: bigint;
  readonly refused: Map<string, number>;
}

interface Team {
  readonly group: Group;
  readonly mind: Strategy;
  readonly owners: Set<string>;
  rent: bigint;
}

/** One work of a round that is not settled. */
interface Work {
  readonly author: Player;
  readonly address: PublicKey;
  readonly truth: Opinion;
  /** What each node saw that looked. */
  readonly seen: Map<Player, Opinion>;
  readonly cases: Case[];
}

interface Case {
  readonly work: Work;
  readonly initiator: Player;
  readonly address: PublicKey;
  readonly accounts: AuditAccounts;
  readonly votes: Map<Player, Ballot>;
}

interface Ballot {
  readonly address: PublicKey;
  /** Null for an open vote. */
  readonly secret: VoteSecret | null;
}

interface PlayedRound {
  readonly number: bigint;
  readonly address: PublicKey;
  readonly works: Work[];
  readonly byAddress: Map<string, Work>;
  /** Audits that are not resolved. */
  open: number;
}

interface Moment {
  readonly slot: bigint;
  readonly act: () => void;
}

/** Plays one run. */
export async function play(options: WorldOptions): Promise<RunResult> {
  const world = await World.start(options);
  return world.run();
}

class World {
  private readonly encoder: Encoder;
  private readonly moments: Moment[] = [];
  private readonly byOwner = new Map<string, Player>();
  private readonly playing = new Map<bigint, PlayedRound>();
  private settled = 0;
  private readonly counts = { goodWork: 0, goodConvicted: 0, badWork: 0, badConvicted: 0 };
  private audits = 0;
  private noVerdict = 0;
  private bounty = 0n;
  private bountyForBad = 0n;
  private auditFees = 0n;

  private constructor(
    private readonly options: WorldOptions,
    private readonly rules: TaskRules,
    private readonly engine: Engine,
    private readonly task: PublicKey,
    private readonly teams: readonly Team[],
    private readonly players: readonly Player[],
    private readonly random: Random,
  ) {
    this.encoder = new Encoder(engine.client);
    for (const player of players) this.byOwner.set(player.owner.toBase58(), player);
  }

  static async start(options: WorldOptions): Promise<World> {
    const { bytecode, groups, seed, rounds } = options;
    const rules: TaskRules = { ...options.rules, workerGate: OPEN, witnessGate: OPEN };
    const key = (label: string): Keypair => Keypair.fromSeed(Random.bytes(seed, label));
    const bank = key("bank");
    const engine = Engine.start(bytecode, bank);
    const creator = key("creator").publicKey;
    const mint = { address: key("mint").publicKey, tokenProgram: TOKEN_PROGRAM_ID };
    const ref: TaskRef = { address: taskAddress(creator, 1n), mint };
    const pool = rules.bountyPerRound * BigInt(rounds);
    const players: Player[] = [];
    const teams = groups.map((group): Team => ({
      group,
      mind: group.make(),
      owners: new Set(),
      rent: 0n,
    }));
    const random = new Random(seed);
    for (const team of teams) {
      const { group } = team;
      for (let number = 1; number <= group.count; number += 1) {
        const name = `${group.name} ${number}`;
        const owner = key(`${name} owner`).publicKey;
        team.owners.add(owner.toBase58());
        players.push({
          ...{ group, team, name, owner },
          operator: key(`${name} operator`).publicKey,
          node: nodeAddress(ref.address, owner),
          random: random.fork(name),
          held: group.stake,
          ...{ bounties: 0n, shares: 0n, lost: 0n, work: 0n, checks: 0n, fees: 0n },
          refused: new Map(),
        });
      }
    }
    putMint(
      engine,
      mint.address,
      players.reduce((sum, { held }) => sum + held, pool),
    );
    putTokens(engine, mint, creator, pool);
    engine.give(creator, POCKET_MONEY);
    for (const { owner, operator, held } of players) {
      engine.give(owner, POCKET_MONEY);
      engine.give(operator, POCKET_MONEY);
      putTokens(engine, mint, owner, held);
    }
    const { client } = engine;
    const uri = "ipfs://simulated";
    const hash = Random.bytes(seed, "audit function");
    const made = { creator, id: 1n, mint, rules, auditFunction: { hash, uri } };
    engine.must(
      await client.createTask({ ...made, allowLargeStake: true }).instruction(),
      "Making the task",
    );
    if (pool > 0n) {
      const fund = client.fundTask({ task: ref, funder: creator, amount: pool });
      engine.must(await fund.instruction(), "Filling the pool");
    }
    const { startSlot } = engine.fetch("task", ref.address);
    for (const { owner, operator, group, held, name } of players) {
      const join = client.joinTask({
        ...{ task: ref, owner, operator, role: group.role, amount: held, startSlot },
        gate: NO_PROOF,
      });
      engine.must(await join.instruction(), `Joining of ${name}`);
    }
    return new World(options, rules, engine, ref.address, teams, players, random);
  }

  async run(): Promise<RunResult> {
    const { rounds } = this.options;
    const task = this.fetchTask();
    for (let number = FIRST_ROUND; number < FIRST_ROUND + BigInt(rounds); number += 1n) {
      const round: PlayedRound = {
        number,
        address: roundAddress(this.task, number),
        works: [],
        byAddress: new Map(),
        open: 0,
      };
      this.schedule(roundStart(task, number), () => {
        this.submit(round);
      });
    }
    // Moments of one slot are played in the order in which they were arranged.
    for (let next = this.moments.shift(); next; next = this.moments.shift()) {
      await this.engine.at(next.slot);
      next.act();
    }
    return this.result();
  }

  private schedule(slot: bigint, act: () => void): void {
    const at = this.moments.findIndex((one) => one.slot > slot);
    this.moments.splice(at < 0 ? this.moments.length : at, 0, { slot, act });
  }

  /** Every worker works, or does not. */
  private submit(round: PlayedRound): void {
    this.playing.set(round.number, round);
    const sendings: Sending[] = [];
    for (const player of this.random.shuffled(this.players)) {
      const { group, team } = player;
      const node = this.nodeOf(player);
      if (group.role !== "worker" || activeStake(node) < minStake(this.rules, node)) continue;
      const effort = team.mind.work?.(this.view(player, round)) ?? "none";
      if (effort === "none") continue;
      if (effort === "work") player.work += group.workPrice;
      const down = this.random.fork(`${player.name} round ${round.number}`).chance(group.faulty);
      const truth = effort === "shirk" ? "malice" : down ? "downtime" : "valid";
      const address = submissionAddress(this.task, round.number, player.owner);
      const work: Work = { author: player, address, truth, seen: new Map(), cases: [] };
      sendings.push(
        this.from(
          player,
          this.encoder.submitWork(
            { ...this.signing(player), round: round.address, submission: address },
            round.number,
            Random.bytes(this.options.seed, address.toBase58()),
            "",
          ),
          () => {
            round.works.push(work);
            round.byAddress.set(address.toBase58(), work);
          },
        ),
      );
    }
    this.engine.sendAll(sendings);
    this.schedule(submissionEnd(this.fetchTask(), round.number), () => {
      this.accuse(round);
    });
  }

  private accuse(round: PlayedRound): void {
    for (const player of this.random.shuffled(this.players)) {
      const { mind } = player.team;
      if (!mind.accuse) continue;
      for (const { submission, accusation } of mind.accuse(this.view(player, round))) {
        const work = round.byAddress.get(submission.address.toBase58());
        if (!work) throw new Error(`${player.name} accuses what is no work of this round.`);
        this.open(round, work, player, accusation);
      }
    }
    this.settleWhenDecided(round);
  }

  private open(
    round: PlayedRound,
    work: Work,
    initiator: Player,
    accusation: Exclude<Opinion, "valid">,
  ): void {
    const { audits } = this.nodeOf(initiator);
    const address = auditAddress(work.address, initiator.owner, audits);
    const accounts: AuditAccounts = {
      task: this.task,
      submission: work.address,
      round: round.address,
      accused: work.author.node,
      initiator: initiator.node,
      audit: address,
    };
    const panel = this.rules.panelSeats > 0;
    const instruction = this.encoder.openAudit(
      { operator: initiator.operator, ...accounts },
      accusation,
      ...(panel ? [secretHash(this.drawSecret(address))] : []),
    );
    const opened = this.sendFrom(initiator, instruction);
    if (!opened) return;
    this.audits += 1;
    round.open += 1;
    const one: Case = { work, initiator, address, accounts, votes: new Map() };
    work.cases.push(one);
    const audit = this.auditOf(one);
    // A panel can be drawn from the slot after its draw slot on.
    const drawn = audit.drawSlot + 1n;
    if (panel) {
      this.schedule(drawn, () => {
        this.sendFrom(initiator, this.encoder.drawPanel(address, this.drawSecret(address)));
      });
    }
    const secret = isSecret(audit);
    const start = panel ? drawn + 1n : audit.openSlot + 1n;
    const end = secret ? audit.revealSlot : audit.endSlot;
    const last = end - 1n;
    for (const slot of [...new Set([start, (start + last) / 2n, last])]) {
      this.schedule(slot, () => {
        this.vote(round, one, slot === last);
      });
    }
    if (secret) {
      this.schedule(audit.revealSlot, () => {
        this.reveal(round, one);
      });
    }
    this.schedule(resolvableAt(audit, this.rules), () => {
      this.resolve(round, one);
    });
  }

  private vote(round: PlayedRound, one: Case, last: boolean): void {
    const audit = this.auditOf(one);
    const submission = this.engine.fetch("submission", one.work.address);
    const secret = isSecret(audit);
    const sendings: Sending[] = [];
    for (const player of this.random.shuffled(this.players)) {
      const { mind } = player.team;
      if (!mind.vote || player === one.initiator || player === one.work.author) continue;
      if (one.votes.has(player)) continue;
      const node = this.nodeOf(player);
      const weight = weightOn(node, this.rules, audit.submissionSlot);
      if (weight === 0n) continue;
      const seat = seatOf(audit, player.owner, weight, this.engine.slot);
      if (seat !== "everybody" && seat !== "seated") continue;
      const opinion = mind.vote(this.view(player, round, last), audit, submission);
      if (opinion === null) continue;
      const accounts = {
        ...this.signing(player),
        audit: one.address,
        vote: voteAddress(one.address, player.owner),
      };
      const salt = Random.bytes(this.options.seed, `salt ${accounts.vote.toBase58()}`);
      const kept = { audit: one.address, voter: player.owner, opinion, salt };
      const instruction = secret
        ? this.encoder.commitVote(accounts, voteCommitment(kept))
        : this.encoder.castVote(accounts, opinion);
      sendings.push(
        this.from(player, instruction, () => {
          one.votes.set(player, { address: accounts.vote, secret: secret ? kept : null });
        }),
      );
    }
    this.sendAudit(sendings);
  }

  private reveal(round: PlayedRound, one: Case): void {
    const audit = this.auditOf(one);
    const sendings: Sending[] = [];
    for (const [player, { address, secret }] of one.votes) {
      const { mind } = player.team;
      if (!secret || mind.reveal?.(this.view(player, round), audit) === false) continue;
      const accounts = { audit: one.address, node: player.node, vote: address };
      sendings.push(
        this.from(player, this.encoder.revealVote(accounts, secret.opinion, secret.salt)),
      );
    }
    this.sendAudit(sendings);
  }

  private resolve(round: PlayedRound, one: Case): void {
    const { initiator, work } = one;
    this.sendAudit([
      this.from(initiator, this.encoder.resolveAudit(one.accounts), undefined, (refusal) => {
        throw new Error(`The audit of ${work.author.name} can't be resolved: ${refusal}.`);
      }),
    ]);
    if (this.auditOf(one).outcome === "noVerdict") this.noVerdict += 1;
    this.book(initiator, "shares");
    this.book(work.author, "shares");
    round.open -= 1;
    this.settleWhenDecided(round);
  }

  private settleWhenDecided(round: PlayedRound): void {
    if (round.open > 0) return;
    const end = auditEnd(this.fetchTask(), round.number);
    const now = this.engine.slot;
    this.schedule(end > now ? end : now, () => {
      this.settle(round);
    });
  }

  /** Everything that is owed for a round is claimed, and everything in it closed. */
  private settle(round: PlayedRound): void {
    const cases = round.works.flatMap((work) => work.cases);
    const votes = cases.flatMap((one) =>
      [...one.votes].map(([player, { address }]) => ({ one, player, vote: address })),
    );
    this.measureRent();
    this.sendAudit(
      votes.map(({ one, player, vote }) =>
        this.from(
          player,
          this.encoder.claimVote({
            ...{ task: this.task, audit: one.address, vote },
            node: player.node,
          }),
        ),
      ),
    );
    for (const player of new Set(votes.map(({ player }) => player))) this.book(player, "shares");

    const paidFor: Work[] = [];
    for (const work of round.works) {
      const convicted = isConvicted(this.engine.fetch("submission", work.address));
      if (work.truth === "valid") {
        this.counts.goodWork += 1;
        if (convicted) this.counts.goodConvicted += 1;
      } else {
        this.counts.badWork += 1;
        if (convicted) this.counts.badConvicted += 1;
      }
      if (!convicted) paidFor.push(work);
    }
    this.engine.sendAll(
      paidFor.map(({ author, address }) =>
        this.from(
          author,
          this.encoder.claimBounty({
            ...{ task: this.task, round: round.address, submission: address },
            node: author.node,
          }),
        ),
      ),
    );
    for (const { author, truth } of paidFor) {
      const paid = this.book(author, "bounties");
      this.bounty += paid;
      if (truth !== "valid") this.bountyForBad += paid;
    }

    this.sendAudit(
      votes.map(({ one, player, vote }) =>
        this.from(
          player,
          this.encoder.closeVote({
            ...{ audit: one.address, vote },
            node: player.node,
            payer: player.operator,
          }),
        ),
      ),
    );
    this.sendAudit(
      cases.map(({ initiator, accounts }) =>
        this.from(initiator, this.encoder.closeAudit({ ...accounts, payer: initiator.operator })),
      ),
    );
    this.engine.sendAll(
      round.works.map(({ author, address }) =>
        this.from(
          author,
          this.encoder.closeSubmission({
            ...{ task: this.task, round: round.address, submission: address },
            node: author.node,
            payer: author.operator,
          }),
        ),
      ),
    );
    const account = this.engine.find("round", round.address);
    if (account) this.close(account);
    this.playing.delete(round.number);
    this.settled += 1;
    this.balance();
    this.options.onProgress?.(this.settled, this.options.rounds);
  }

  private close({ address, payer }: Round): void {
    const player = this.players.find(({ operator }) => operator.equals(payer));
    if (!player) throw new Error("A round was paid for by nobody.");
    const instruction = this.encoder.closeRound({ task: this.task, round: address, payer });
    this.engine.sendAll([this.from(player, instruction)]);
  }

  /** Throws unless the vault holds to the unit what all accounts say. */
  private balance(): void {
    const rounds = [...this.playing.values()];
    const works = rounds.flatMap((round) => round.works);
    const found = <T>(one: T | null): T[] => (one === null ? [] : [one]);
    assertBalanced(
      this.engine.ledger({
        task: this.fetchTask(),
        nodes: this.players.map((player) => this.nodeOf(player)),
        rounds: rounds.flatMap(({ address }) => found(this.engine.find("round", address))),
        audits: works.flatMap((work) => work.cases).map((one) => this.auditOf(one)),
        // They hold nothing.
        ...{ entries: [], submissions: [], votes: [] },
      }),
    );
  }

  /** Lamports in accounts that the groups paid for, at their most. */
  private measureRent(): void {
    const locked = new Map<Team, bigint>();
    for (const { team, owner, operator } of this.players) {
      const left = this.engine.lamports(owner) + this.engine.lamports(operator);
      locked.set(team, (locked.get(team) ?? 0n) + 2n * POCKET_MONEY - left);
    }
    for (const [team, now] of locked) if (now > team.rent) team.rent = now;
  }

  /** Notes what a node gained or lost since it was last looked at, and gives what it gained. */
  private book(player: Player, kind: "bounties" | "shares"): bigint {
    const now = heldBy(this.nodeOf(player));
    const gain = now - player.held;
    player.held = now;
    if (gain < 0n) player.lost -= gain;
    else player[kind] += gain;
    return gain;
  }

  private view(player: Player, round: PlayedRound, last = false): View {
    const { engine, rules } = this;
    const workOf = ({ address }: Submission): Work => {
      const work = round.byAddress.get(address.toBase58());
      if (!work) throw new Error("There is no such work in this round.");
      return work;
    };
    let submissions: readonly Submission[] | undefined;
    return {
      slot: engine.slot,
      round: round.number,
      rules,
      task: this.fetchTask(),
      node: this.nodeOf(player),
      get submissions() {
        return (submissions ??= round.works.map(({ address }) =>
          engine.fetch("submission", address),
        ));
      },
      random: player.random,
      refused: player.refused,
      last,
      auditsOf: (submission) => workOf(submission).cases.map((one) => this.auditOf(one)),
      isFriend: (owner) => player.team.owners.has(owner.toBase58()),
      check: (submission) => this.check(player, workOf(submission)),
    };
  }

  private check(player: Player, { author, truth, seen }: Work): Opinion {
    const known = seen.get(player);
    if (known) return known;
    // Whoever made it knows what it is.
    if (author === player) return truth;
    player.checks += player.group.checkPrice;
    const wrong = player.random.chance(player.group.checkError);
    const shown = wrong ? (truth === "valid" ? "downtime" : "valid") : truth;
    seen.set(player, shown);
    return shown;
  }

  /** An instruction that a node sends. Refused ones cost no fee: they fail the check before sending. */
  private from(
    player: Player,
    instruction: TransactionInstruction,
    taken?: () => void,
    failed?: (refusal: string) => void,
  ): Sending {
    return {
      instruction,
      done: (refusal) => {
        if (refusal === null) {
          player.fees += LAMPORTS_PER_SIGNATURE;
          taken?.();
        } else {
          player.refused.set(refusal, (player.refused.get(refusal) ?? 0) + 1);
          failed?.(refusal);
        }
      },
    };
  }

  /** Of an audit, alone. Whether it was taken. */
  private sendFrom(player: Player, instruction: TransactionInstruction): boolean {
    let sent = false;
    this.sendAudit([
      this.from(player, instruction, () => {
        sent = true;
      }),
    ]);
    return sent;
  }

  /** Sends what there would be no need of without audits, and counts its fees. */
  private sendAudit(sendings: readonly Sending[]): void {
    this.engine.sendAll(
      sendings.map(({ instruction, done }) => ({
        instruction,
        done: (refusal) => {
          if (refusal === null) this.auditFees += LAMPORTS_PER_SIGNATURE;
          done?.(refusal);
        },
      })),
    );
  }

  private signing(player: Player) {
    return { operator: player.operator, task: this.task, node: player.node };
  }

  /** Everybody's secrets follow from the seed, and strategies do not see it. */
  private drawSecret(audit: PublicKey): Uint8Array {
    return Random.bytes(this.options.seed, `draw ${audit.toBase58()}`);
  }

  private fetchTask(): Task {
    return this.engine.fetch("task", this.task);
  }

  private nodeOf({ node }: Player): Node {
    return this.engine.fetch("node", node);
  }

  private auditOf({ address }: Case): Audit {
    return this.engine.fetch("audit", address);
  }

  private result(): RunResult {
    const { seed, rounds } = this.options;
    const groups = this.teams.map((team): GroupResult => {
      const { group } = team;
      const own = this.players.filter((player) => player.team === team);
      const sum = (of: (player: Player) => bigint): bigint =>
        own.reduce((total, player) => total + of(player), 0n);
      const refused: Record<string, number> = {};
      for (const player of own) {
        for (const [name, count] of player.refused) refused[name] = (refused[name] ?? 0) + count;
      }
      const stake = group.stake * BigInt(group.count);
      const [bounties, shares] = [sum((one) => one.bounties), sum((one) => one.shares)];
      const [lost, work] = [sum((one) => one.lost), sum((one) => one.work)];
      const checks = sum((one) => one.checks);
      const held = sum((player) => heldBy(this.nodeOf(player)));
      if (held - stake !== bounties + shares - lost) {
        throw new Error(`What ${group.name} gained is not what its nodes hold.`);
      }
      const net = bounties + shares - lost - work - checks;
      return {
        ...{ name: group.name, strategy: group.strategy, nodes: group.count, stake },
        ...{ bounties, shares, lost, work, checks, net },
        returnPerRound: stake > 0n ? Number(net) / Number(stake) / rounds : 0,
        ...{ fees: sum((one) => one.fees), rent: team.rent, refused },
      };
    });
    const pool = this.fetchTask().pool;
    return {
      seed,
      rounds,
      groups,
      task: {
        ...this.counts,
        ...{ audits: this.audits, noVerdict: this.noVerdict },
        ...{ bounty: this.bounty, bountyForBad: this.bountyForBad },
        checks: groups.reduce((total, { checks }) => total + checks, 0n),
        auditFees: this.auditFees,
        poolGain: pool + this.bounty - this.rules.bountyPerRound * BigInt(rounds),
      },
    };
  }
}

function putMint(engine: Engine, mint: PublicKey, supply: bigint): void {
  const data = Buffer.alloc(MINT_SIZE);
  MintLayout.encode(
    {
      mintAuthorityOption: 0,
      mintAuthority: PublicKey.default,
      supply,
      decimals: 0,
      isInitialized: true,
      freezeAuthorityOption: 0,
      freezeAuthority: PublicKey.default,
    },
    data,
  );
  engine.put(mint, TOKEN_PROGRAM_ID, data);
}

function putTokens(engine: Engine, mint: TaskRef["mint"], owner: PublicKey, amount: bigint): void {
  const data = Buffer.alloc(ACCOUNT_SIZE);
  AccountLayout.encode(
    {
      mint: mint.address,
      owner,
      amount,
      delegateOption: 0,
      delegate: PublicKey.default,
      state: AccountState.Initialized,
      isNativeOption: 0,
      isNative: 0n,
      delegatedAmount: 0n,
      closeAuthorityOption: 0,
      closeAuthority: PublicKey.default,
    },
    data,
  );
  engine.put(tokenAccountOf(mint, owner), TOKEN_PROGRAM_ID, data);
}
