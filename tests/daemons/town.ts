import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Audit, Node, Role, Task, TaskRules } from "@securing-tasks/client";
import {
  OPINIONS,
  PROGRAM_ID,
  SecuringTasksClient,
  WRAPPED_SOL,
  auditAddress,
  decodeAccount,
  isSeated,
  longestCase,
  nodeAddress,
  panelSeed,
  roundAddress,
  roundStart,
  secretHash,
  submissionAddress,
  taskAddress,
  voteAddress,
  voteCommitment,
  wrapSol,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { NodeConfigInput } from "@securing-tasks/node";
import { BN } from "@coral-xyz/anchor";
import type { IdlInstruction } from "@coral-xyz/anchor/dist/cjs/idl";
import { Keypair, PublicKey, TransactionInstruction } from "@solana/web3.js";
import getPort from "get-port";
import { StandIn } from "../../app/node/test/utils/stand_in";
import { blockAt } from "../utils/rpc_server";
import { SocketCounter } from "../utils/socket_counter";
import { RULES } from "../utils/games";
import { Daemon } from "./daemon";

/*
 * A task with any number of workers on a chain in this process, behind an RPC server that a daemon in a process of its own can't tell from a
 * cluster's. What the others do is played here: they submit, judge, claim and close as their daemons would.
 */

const BYTECODE = join(__dirname, "../../target/deploy/securing_tasks.so");
const FAST_CLOCK = join(__dirname, "../utils/fast_clock.cjs");
/** Of a public cluster. */
const SLOT_MS = 400;
const STAKE = 1_000_000n;
const BOND = 100n;
const SOL = 1_000_000_000n;
/** As the program has it: slots from an accusation to the block that its panel is drawn by. */
const DRAW_DELAY = 8n;
/** Where in a round its work, the accusations, and what is left to be done come; in slots. */
const WORK = { from: 20, until: 280 } as const;
const ACCUSATIONS = { from: 320, until: 480 } as const;
/** No bounty is paid while an audit of the round is open. */
const CLAIMS = { early: { from: 605, until: 905 }, late: { from: 1_325, until: 1_475 } } as const;
const AFTER_VERDICT = 60;
/** Most secrets to try for a panel as it is wanted. */
const MOST_SECRETS = 20_000_000;

const WINDOWS: TaskRules = {
  ...RULES,
  roundSlots: 1_500n,
  submissionSlots: 300n,
  auditSlots: 300n,
  commitSlots: 528n,
  revealSlots: 160n,
  appealSlots: 150n,
  appealBond: 100n,
  workerMinStake: STAKE / 2n,
  witnessMinStake: STAKE / 2n,
  bountyPerRound: 1_000_000n,
  initiatorBond: BOND,
  voteDeposit: 10n,
  quorumBps: 0,
  quorumVotes: 1,
  panelSeats: 31,
};
/** Rounds of ten minutes, which hold all that follows from their work. */
export const TOWN_RULES: TaskRules = { ...WINDOWS, leaveDelaySlots: longestCase(WINDOWS) };

/** The work is to say who one is and which round it is. */
const AUDIT = `
export async function audit(context) {
  const { owner, round, payloadHash, payloadUri } = context.submission;
  const payload = new TextDecoder().decode(await context.fetch(payloadHash, payloadUri));
  return payload === owner + " " + round ? "valid" : "malicious";
}`;
const WORK_FUNCTION = `
export function work(context) {
  return context.owner + " " + context.round;
}`;

interface Neighbour {
  readonly owner: PublicKey;
  readonly node: PublicKey;
}

/** A daemon, and what goes between it and the RPC server. */
export interface Resident {
  readonly name: string;
  readonly role: Role;
  readonly owner: PublicKey;
  readonly daemon: Daemon;
  /** Before RPC and subscriptions. */
  readonly rpc: SocketCounter;
}

export interface TownOptions {
  /** Workers, besides the daemons. */
  readonly workers: number;
  /** Slots pass so many times as fast as on a public cluster, and the daemons' clocks with them. */
  readonly speed: number;
}

/** Votes that are counted and claimed. */
export function votesOf({ votesWithMajority, votesAgainstMajority }: Node): number {
  return votesWithMajority + votesAgainstMajority;
}

/** What happens in a round, besides what the daemons do. */
export interface Script {
  /** Whether the others submit work. */
  readonly work: boolean;
  /** Pieces of work that are accused. All that have seats judge them valid. */
  readonly audits: number;
}

interface Case {
  readonly address: PublicKey;
  readonly submission: PublicKey;
  readonly accused: Neighbour;
  readonly secret: Uint8Array;
  jurors: readonly Neighbour[];
}

export class Town {
  readonly residents: Resident[] = [];
  /** Slots that have passed, and real milliseconds that they took. */
  passed = { slots: 0, ms: 0 };
  private readonly neighbours: Neighbour[] = [];
  /** What is to be played, by slot. */
  private readonly moves = new Map<number, (() => void)[]>();
  private readonly idl: ReadonlyMap<string, IdlInstruction>;
  private nextAudit = 0;
  private accuser: Neighbour | null = null;
  private readonly deafServers: Server[] = [];
  /** Slots at which the clock's next tick is due. */
  private dueAt = 0;

  private constructor(
    readonly folder: string,
    private readonly standIn: StandIn,
    private readonly chain: EmbeddedChain,
    private readonly client: SecuringTasksClient,
    readonly task: Task,
    /** Pays for everything, and is the operator of all neighbours. */
    private readonly bank: Keypair,
    private readonly storage: Server,
    /** Before the one who serves all work of the neighbours. */
    readonly payloads: SocketCounter,
    private readonly options: TownOptions,
  ) {
    const { instructions } = client.program.idl;
    this.idl = new Map(instructions.map((one) => [one.name, one as IdlInstruction]));
  }

  static async start(options: TownOptions): Promise<Town> {
    const folder = await mkdtemp(join(tmpdir(), "securing-tasks-town-"));
    const bytecode = await readFile(BYTECODE);
    const chain = EmbeddedChain.start([{ id: PROGRAM_ID, bytecode }]);
    const bank = Keypair.generate();
    await chain.fund(bank.publicKey, 1_000n * SOL);
    const standIn = await StandIn.start(chain);
    const client = new SecuringTasksClient(chain.provider(bank));
    const functionOf = async (
      name: string,
      code: string,
    ): Promise<{ hash: Uint8Array; uri: string }> => {
      const file = join(folder, name);
      await writeFile(file, code);
      return { hash: sha256(code), uri: pathToFileURL(file).href };
    };
    const address = taskAddress(bank.publicKey, 1n);
    const ref = { address, mint: WRAPPED_SOL };
    const funder = bank.publicKey;
    const pool = 10n * SOL;
    await client
      .createTask({
        creator: bank.publicKey,
        id: 1n,
        mint: WRAPPED_SOL,
        rules: TOWN_RULES,
        allowLargeStake: true,
        auditFunction: await functionOf("audit.js", AUDIT),
        taskFunction: await functionOf("work.js", WORK_FUNCTION),
      })
      .rpc();
    await client
      .fundTask({ task: ref, funder, amount: pool })
      .preInstructions(wrapSol(funder, pool))
      .rpc();
    const storage = createServer(({ url = "" }, answer) => {
      answer.end(decodeURIComponent(url.slice(1)));
    });
    storage.listen(0, "127.0.0.1");
    await once(storage, "listening");
    const payloads = await SocketCounter.start((storage.address() as AddressInfo).port);
    const task = await client.fetch("task", address);
    const town = new Town(folder, standIn, chain, client, task, bank, storage, payloads, options);
    await town.settle();
    return town;
  }

  /** The round of now. */
  get round(): bigint {
    return (BigInt(this.standIn.slot) - this.task.startSlot) / TOWN_RULES.roundSlots;
  }

  /** The slot of now, counted from the round's first. */
  get at(): number {
    return this.standIn.slot - Number(roundStart(this.task, this.round));
  }

  /**
   * A daemon in a process of its own joins.
   *
   * @param subscriptions Whether its server takes any.
   */
  async hire(
    name: string,
    role: Role,
    config: Partial<NodeConfigInput> = {},
    subscriptions = true,
  ): Promise<Resident> {
    const [owner, operator] = [Keypair.generate(), Keypair.generate()];
    for (const { publicKey } of [owner, operator]) await this.chain.fund(publicKey, 10n * SOL);
    const key = async (whose: string, { secretKey }: Keypair): Promise<string> => {
      const file = join(this.folder, `${name}-${whose}.json`);
      await writeFile(file, JSON.stringify([...secretKey]), { mode: 0o600 });
      return file;
    };
    const { port } = this.standIn;
    // Where nothing listens but what says so.
    const socketPort = subscriptions ? port + 1 : await this.deaf();
    const rpc = await SocketCounter.start(port, socketPort);
    const httpPort = await getPort();
    const full: NodeConfigInput = {
      rpcUrl: rpc.url,
      task: this.task.address.toBase58(),
      owner: owner.publicKey.toBase58(),
      role,
      operatorKeypair: await key("operator", operator),
      state: join(this.folder, `${name}-state`),
      join: { ownerKeypair: await key("owner", owner), stake: STAKE.toString() },
      allowPrivateNetwork: true,
      ...(role === "worker" && {
        http: { host: "127.0.0.1", port: httpPort, publicUrl: `http://127.0.0.1:${httpPort}` },
      }),
      ...config,
    };
    const { speed } = this.options;
    const env = { NODE_OPTIONS: `--require ${FAST_CLOCK}`, CLOCK_SPEED: String(speed) };
    const daemon = await Daemon.make(this.folder, name, full, false, speed === 1 ? {} : env);
    const resident = { name, role, owner: owner.publicKey, daemon, rpc };
    this.residents.push(resident);
    // It waits for slots that only pass here.
    await this.passUntil(daemon.start());
    return resident;
  }

  /** Has everything played that a round's script says. To be called before the round begins. */
  play(round: bigint, { work, audits }: Script): void {
    const start = Number(roundStart(this.task, round));
    if (!work) return;
    const { neighbours } = this;
    const address = roundAddress(this.task.address, round);
    neighbours.forEach((neighbour, index) => {
      const slot = start + spread(index, neighbours.length, WORK);
      this.move(slot, () => {
        this.submit(neighbour, round, address);
      });
    });
    const cases: Case[] = [];
    const accused = neighbours.slice(0, audits);
    accused.forEach((neighbour, index) => {
      const slot = start + spread(index, audits, ACCUSATIONS);
      this.move(slot, () => {
        cases.push(this.accuse(neighbour, round, index === 0));
      });
    });
    neighbours.slice(audits).forEach((neighbour, index, { length }) => {
      const slot = start + spread(index, length, audits > 0 ? CLAIMS.late : CLAIMS.early);
      this.move(slot, () => {
        this.claimAndClose(neighbour, round);
      });
    });
  }

  /** What the chain has of a daemon's node. */
  nodeOf({ owner }: Resident): Node {
    const address = nodeAddress(this.task.address, owner);
    return decodeAccount(this.client.program, "node", address, this.standIn.bytes(address));
  }

  /** Lets so many slots pass. */
  async pass(slots: number): Promise<void> {
    for (let left = slots; left > 0; left -= 1) await this.tick();
  }

  /** Lets slots pass up to one of this round. */
  async reach(at: number): Promise<void> {
    await this.pass(at - this.at);
  }

  /** Lets slots pass until the next round begins. */
  async finishRound(): Promise<void> {
    await this.pass(Number(TOWN_RULES.roundSlots) - this.at);
  }

  async close(): Promise<void> {
    await this.passUntil(Promise.all(this.residents.map(({ daemon }) => daemon.stop())));
    for (const { rpc } of this.residents) await rpc.close();
    await this.payloads.close();
    for (const server of this.deafServers) server.close();
    this.storage.closeAllConnections();
    this.storage.close();
    await this.standIn.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The port of a server that takes no subscriptions, as HTTP servers say it. */
  private async deaf(): Promise<number> {
    const server = createServer((_asked, answer) => answer.writeHead(404).end());
    server.on("upgrade", (_asked, socket) => {
      socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.deafServers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** Lets slots pass until something that waits for them is done. */
  private async passUntil(doing: Promise<unknown>): Promise<void> {
    const state = { done: false };
    const ending = doing.finally(() => (state.done = true));
    // Its failure is told below.
    ending.catch(() => undefined);
    while (!state.done) await this.pass(1);
    await ending;
  }

  private async tick(): Promise<void> {
    const slotMs = SLOT_MS / this.options.speed;
    const began = performance.now();
    const { slot } = this.standIn;
    for (const move of this.moves.get(slot) ?? []) move();
    this.moves.delete(slot);
    await this.standIn.tick();
    // Late is late: the next slot does not come sooner for it.
    this.dueAt = Math.max(this.dueAt + slotMs, performance.now());
    await new Promise((resolve) => setTimeout(resolve, this.dueAt - performance.now()));
    this.passed = {
      slots: this.passed.slots + 1,
      ms: this.passed.ms + performance.now() - began,
    };
  }

  private move(slot: number, what: () => void): void {
    if (slot < this.standIn.slot) throw new Error("It is too late for what is to be played.");
    const known = this.moves.get(slot);
    if (known) known.push(what);
    else this.moves.set(slot, [what]);
  }

  /** All neighbours are there: one joins, and the others are written as it stands there. */
  private async settle(): Promise<void> {
    const { client, task, bank, standIn } = this;
    const { program } = client;
    const ref = { address: task.address, mint: WRAPPED_SOL };
    const joinAs = async (role: Role, amount: bigint): Promise<Neighbour> => {
      const key = Keypair.generate();
      await this.chain.fund(key.publicKey, 10n * SOL);
      const owner = key.publicKey;
      await client
        .joinTask({
          task: ref,
          owner,
          operator: bank.publicKey,
          role,
          amount,
          startSlot: task.startSlot,
        })
        .preInstructions(wrapSol(owner, amount))
        .signers([key])
        .rpc();
      return { owner, node: nodeAddress(task.address, owner) };
    };
    this.accuser = await joinAs("witness", STAKE);
    const first = await joinAs("worker", STAKE);
    // What was sent beside the server it does not know of.
    standIn.notice(task.address, this.accuser.node, first.node);
    this.neighbours.push(first);
    await standIn.tick();
    const stored = standIn.bytes(first.node);
    const { coder } = program;
    const like = coder.accounts.decode<Record<string, unknown>>("node", stored);
    const same = await coder.accounts.encode("node", like);
    if (!same.equals(stored)) throw new Error("A node's bytes are not what they are written as.");
    const more = this.options.workers - 1;
    for (let made = 0; made < more; made += 1) {
      // Nobody needs a neighbour's key: its operator is the bank.
      const owner = new PublicKey(sha256(`neighbour ${made}`));
      const [node, bump] = PublicKey.findProgramAddressSync(
        [Buffer.from("node"), task.address.toBuffer(), owner.toBuffer()],
        PROGRAM_ID,
      );
      const data = await coder.accounts.encode("node", { ...like, owner, bump });
      standIn.plant({
        address: node,
        owner: PROGRAM_ID,
        lamports: standIn.lamports(first.node),
        data,
      });
      this.neighbours.push({ owner, node });
    }
    const now = coder.accounts.decode<{
      nodes: number;
      electorate: { stake: BN; nodes: number };
    }>("task", standIn.bytes(task.address));
    const stake = new BN((STAKE * BigInt(more)).toString());
    const data = await coder.accounts.encode("task", {
      ...now,
      nodes: now.nodes + more,
      electorate: {
        ...now.electorate,
        stake: now.electorate.stake.add(stake),
        nodes: now.electorate.nodes + more,
      },
    });
    standIn.plant({
      address: task.address,
      owner: PROGRAM_ID,
      lamports: standIn.lamports(task.address),
      data,
    });
    // Stake votes on work of later slots only.
    await this.standIn.tick();
  }

  private submit({ owner, node }: Neighbour, round: bigint, roundAccount: PublicKey): void {
    const text = `${owner.toBase58()} ${round.toString()}`;
    const args = {
      roundNumber: new BN(round.toString()),
      payloadHash: [...sha256(text)],
      payloadUri: `${this.payloads.url}/${encodeURIComponent(text)}`,
    };
    this.execute("submitWork", args, {
      ...this.signed(node),
      round: roundAccount,
      submission: submissionAddress(this.task.address, round, owner),
    });
  }

  private accuse(accused: Neighbour, round: bigint, isOurs: boolean): Case {
    const { task, standIn, accuser } = this;
    if (!accuser) throw new Error("Nobody is there to accuse.");
    const submission = submissionAddress(task.address, round, accused.owner);
    const index = this.nextAudit;
    this.nextAudit += 1;
    const address = auditAddress(submission, accuser.owner, index);
    const drawSlot = BigInt(standIn.slot) + DRAW_DELAY;
    const secret = this.secretFor(address, submission, drawSlot, isOurs);
    const args = {
      accusation: OPINIONS.indexOf("malice"),
      secretHash: [...secretHash(secret)],
      evidenceHash: [...new Uint8Array(32)],
      evidenceUri: "",
    };
    this.execute("openAudit", args, {
      ...this.signed(accused.node),
      submission,
      round: roundAddress(task.address, round),
      accused: accused.node,
      initiator: accuser.node,
      audit: address,
    });
    const made: Case = { address, submission, accused, secret, jurors: [] };
    this.move(Number(drawSlot) + 2, () => {
      this.draw(made, round);
    });
    return made;
  }

  /** One by which the daemons have seats, or have none. */
  private secretFor(
    address: PublicKey,
    submission: PublicKey,
    drawSlot: bigint,
    isOurs: boolean,
  ): Uint8Array {
    const { program } = this.client;
    const work = decodeAccount(program, "submission", submission, this.standIn.bytes(submission));
    const about = { eligible: work.others, rules: TOWN_RULES };
    const { length } = this.residents;
    // In a small task everybody has a seat.
    const everybody = work.others.nodes <= TOWN_RULES.panelSeats;
    const hash = blockHash(drawSlot);
    for (let tried = 0; tried < MOST_SECRETS; tried += 1) {
      const secret = sha256(`${address.toBase58()} ${tried}`);
      const seed = panelSeed(address, secret, hash);
      const seated = this.residents.filter(({ owner }) =>
        isSeated(seed, owner, STAKE, about),
      ).length;
      if (everybody || seated === (isOurs ? length : 0)) return secret;
    }
    throw new Error("No secret draws the panel that is wanted.");
  }

  private draw(one: Case, round: bigint): void {
    this.execute("drawPanel", { secret: [...one.secret] }, { audit: one.address });
    const audit = this.auditOf(one);
    const { seed } = audit;
    if (!seed) throw new Error("The panel was not drawn.");
    one.jurors = this.neighbours.filter(
      ({ owner }) => !owner.equals(one.accused.owner) && isSeated(seed, owner, STAKE, audit),
    );
    const [now, reveal, end] = [this.standIn.slot, Number(audit.revealSlot), Number(audit.endSlot)];
    const over = end + Number(TOWN_RULES.appealSlots);
    const { length } = one.jurors;
    one.jurors.forEach((juror, index) => {
      const salt = sha256(`salt ${juror.owner.toBase58()} ${one.address.toBase58()}`);
      const opinion = OPINIONS.indexOf("valid");
      const vote = voteAddress(one.address, juror.owner);
      const secret = { audit: one.address, voter: juror.owner, opinion: "valid", salt } as const;
      const accounts = { ...this.signed(juror.node), audit: one.address, vote };
      this.move(spread(index, length, { from: now + 5, until: reveal - 5 }), () => {
        this.execute("commitVote", { commitment: [...voteCommitment(secret)] }, accounts);
      });
      this.move(spread(index, length, { from: reveal + 1, until: end - 5 }), () => {
        this.execute("revealVote", { opinion, salt: [...salt] }, accounts);
      });
      this.move(spread(index, length, { from: over + 2, until: over + AFTER_VERDICT }), () => {
        this.execute("claimVote", {}, accounts);
        this.execute("closeVote", {}, { ...accounts, payer: this.bank.publicKey });
      });
    });
    this.move(over + 1, () => {
      this.resolve(one, round);
    });
    this.finish(one, round, over + AFTER_VERDICT + 5);
  }

  private resolve(one: Case, round: bigint): void {
    // A daemon may have been sooner.
    if (this.auditOf(one).outcome !== "open") return;
    this.execute(
      "resolveAudit",
      {},
      {
        task: this.task.address,
        audit: one.address,
        submission: one.submission,
        round: roundAddress(this.task.address, round),
        accused: one.accused.node,
        initiator: this.accuser?.node ?? PublicKey.default,
      },
    );
  }

  /** Once all have closed their votes, the daemons too. */
  private finish(one: Case, round: bigint, slot: number): void {
    this.move(slot, () => {
      if (this.auditOf(one).liveVotes > 0) {
        this.finish(one, round, slot + 5);
        return;
      }
      this.execute(
        "closeAudit",
        {},
        {
          submission: one.submission,
          initiator: this.accuser?.node ?? PublicKey.default,
          audit: one.address,
          payer: this.bank.publicKey,
        },
      );
      // Audits that were opened later may still be open.
      const paid = Number(roundStart(this.task, round)) + CLAIMS.late.from;
      this.move(Math.max(paid, slot + 1), () => {
        this.claimAndClose(one.accused, round);
      });
    });
  }

  private claimAndClose({ owner, node }: Neighbour, round: bigint): void {
    const accounts = {
      task: this.task.address,
      round: roundAddress(this.task.address, round),
      submission: submissionAddress(this.task.address, round, owner),
      node,
      payer: this.bank.publicKey,
    };
    this.execute("claimBounty", {}, accounts);
    this.execute("closeSubmission", {}, accounts);
  }

  private auditOf({ address }: Case): Audit {
    return decodeAccount(this.client.program, "audit", address, this.standIn.bytes(address));
  }

  private signed(node: PublicKey): Record<string, PublicKey> {
    const { publicKey } = this.bank;
    return { payer: publicKey, operator: publicKey, task: this.task.address, node };
  }

  /** Anchor's builders take a while to find out what is known here. */
  private execute(name: string, args: object, accounts: Record<string, PublicKey>): void {
    const { program } = this.client;
    const known = this.idl.get(name);
    if (!known) throw new Error(`The program has no instruction ${name}.`);
    const keys = known.accounts.map((one) => {
      if (!("name" in one) || "accounts" in one) throw new Error("Accounts are not flat.");
      const { name: account, writable, signer, optional, address } = one;
      const fixed = address === undefined ? undefined : new PublicKey(address);
      const pubkey = accounts[account] ?? fixed ?? (optional === true ? PROGRAM_ID : undefined);
      if (!pubkey) throw new Error(`${name} needs the account ${account}.`);
      return { pubkey, isWritable: writable === true, isSigner: signer === true };
    });
    const data = program.coder.instruction.encode(name, args);
    this.standIn.execute(this.bank.publicKey, [
      new TransactionInstruction({ programId: PROGRAM_ID, keys, data }),
    ]);
  }
}

/** The place of one of many, as far apart as they can be. */
function spread(
  index: number,
  count: number,
  { from, until }: { readonly from: number; readonly until: number },
): number {
  return from + Math.floor((index * (until - from)) / count);
}

function blockHash(slot: bigint): Uint8Array {
  return new PublicKey(String(blockAt(Number(slot))["blockhash"])).toBytes();
}

function sha256(text: string): Uint8Array {
  return Uint8Array.from(createHash("sha256").update(text).digest());
}
