import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Node, Role, Task, TaskEvent } from "@securing-tasks/client";
import {
  ConnectionChain,
  SecuringTasksClient,
  TaskIndex,
  assertBalanced,
  nodeAddress,
  readLedger,
  roundAt,
  roundStart,
  tokenAccountOf,
} from "@securing-tasks/client";
import { findValidator } from "@securing-tasks/client/localnet";
import type { NodeConfigInput } from "@securing-tasks/node";
import {
  SIGNATURE_HEADER,
  SLOT_HEADER,
  SUBMISSION_HEADER,
  auditFacts,
  signAnswer,
} from "@securing-tasks/sandbox";
import { TOKEN_PROGRAM_ID } from "@solana/spl-token";
import { Connection, Keypair, PublicKey } from "@solana/web3.js";
import getPort from "get-port";
import { CLI, Daemon } from "./daemon";
import { Disk } from "./disk";
import { FaultProxy } from "./faults";
import type { Forger } from "./host";
import { Host } from "./host";
import { TestMint } from "../utils/mint";
import { FragileValidator } from "./validator";

const run = promisify(execFile);
const ROOT = join(__dirname, "../..");
const BYTECODE = join(ROOT, "target/deploy/securing_tasks.so");
const SOL = 1_000_000_000;

/** Who runs a daemon. */
export interface Crew {
  readonly name: string;
  readonly role: Role;
  /** First stake, in base units. */
  readonly stake: bigint;
  /** Servers that it is told of, each a proxy of its own before the validator. Default: none but the validator. */
  readonly proxies?: number;
  /** Gives its state a disk of its own, where that can be done here. */
  readonly ownDisk?: boolean;
  /** Its log goes to a device that is full. */
  readonly logLost?: boolean;
  /** In place of what all daemons are told. */
  readonly settings?: Partial<NodeConfigInput>;
}

export interface FleetOptions {
  readonly crew: readonly Crew[];
  /** The part of the task's file that says them, as YAML. */
  readonly rules: string;
  /** Base units of a mint without decimals. */
  readonly pool: bigint;
  /** Most ms that a worker may take for an answer. Default: 1,000. */
  readonly timeoutMs?: number;
  /** For every daemon. */
  readonly settings?: Partial<NodeConfigInput>;
}

/** One of the crew: its keys, its daemon, and the host that others see of a worker. */
export interface Member extends Omit<Crew, "proxies"> {
  readonly owner: Keypair;
  readonly ownerFile: string;
  readonly operator: Keypair;
  readonly daemon: Daemon;
  readonly host: Host | null;
  /** What it takes for RPC servers. */
  readonly proxies: readonly FaultProxy[];
  /** Null where none was asked for, or none can be had here. */
  readonly disk: Disk | null;
  /** Tokens in the owner's wallet before it joined. */
  readonly wallet: bigint;
}

/** A task made by the command line alone, and the daemons that run it, each in a process of its own, on a validator of their own. */
export class Fleet {
  private constructor(
    readonly folder: string,
    readonly validator: FragileValidator,
    readonly chain: ConnectionChain,
    readonly client: SecuringTasksClient,
    readonly creator: string,
    readonly task: Task,
    readonly members: readonly Member[],
  ) {}

  static async start(options: FleetOptions): Promise<Fleet> {
    const folder = await mkdtemp(join(tmpdir(), "securing-tasks-fleet-"));
    const binary = await findValidator(join(ROOT, "toolchain/validator.sh"));
    const validator = await FragileValidator.start(binary, BYTECODE);
    try {
      return await Fleet.on(validator, folder, options);
    } catch (error) {
      await validator.close();
      throw error;
    }
  }

  private static async on(
    validator: FragileValidator,
    folder: string,
    options: FleetOptions,
  ): Promise<Fleet> {
    const chain = new ConnectionChain(new Connection(validator.rpcUrl, "confirmed"));
    const bank = Keypair.generate();
    await chain.fund(bank.publicKey, BigInt(10_000 * SOL));
    const mint = await TestMint.make(chain, bank, 0);
    const endow = async (owner: PublicKey, amount: bigint): Promise<void> => {
      await chain.fund(owner, BigInt(100 * SOL));
      await mint.give(owner, amount);
    };

    const creator = await keep(folder, "creator", Keypair.generate());
    await endow(creator.key.publicKey, options.pool);
    const file = join(folder, "task.yaml");
    await writeFile(file, taskFile(mint.address, options));
    const made = await cli<{ task: string }>(validator, creator.file, [
      ...["task", "create", "--file", file],
    ]);
    await cli(validator, creator.file, [
      ...["task", "fund", made.task, "--amount", options.pool.toString()],
    ]);

    const address = new PublicKey(made.task);
    const client = new SecuringTasksClient(chain.provider(bank));
    const task = await client.fetch("task", address);
    const members: Member[] = [];
    for (const [index, one] of options.crew.entries()) {
      const owner = await keep(folder, `${one.name}-owner`, Keypair.generate());
      const operator = await keep(folder, `${one.name}-operator`, Keypair.generate());
      const wallet = one.stake + 1_000n;
      await endow(owner.key.publicKey, wallet);
      await chain.fund(operator.key.publicKey, BigInt(100 * SOL));
      const port = await getPort();
      const forge = forger(chain, client, task, operator.key);
      const host = one.role === "worker" ? await Host.start(await getPort(), port, forge) : null;
      const proxies: FaultProxy[] = [];
      while (proxies.length < (one.proxies ?? 0)) {
        proxies.push(await FaultProxy.start(validator.rpcUrl));
      }
      const state = join(folder, `${one.name}-state`);
      const disk = one.ownDisk === true ? await Disk.mount(state) : null;
      const config: NodeConfigInput = {
        ...(proxies.length > 0
          ? { rpcUrls: proxies.map(({ rpcUrl }) => rpcUrl) }
          : { rpcUrl: validator.rpcUrl }),
        task: made.task,
        owner: owner.key.publicKey.toBase58(),
        role: one.role,
        operatorKeypair: operator.file,
        state,
        join: { ownerKeypair: owner.file, stake: one.stake.toString() },
        ...(host && { http: { host: "127.0.0.1", port, publicUrl: host.url } }),
        samples: index % 2 === 0 ? 2 : 1,
        recheckMs: 500,
        pollMs: 1_000,
        allowPrivateNetwork: true,
        logLevel: "debug",
        ...options.settings,
        ...one.settings,
      };
      const daemon = await Daemon.make(folder, one.name, config, one.logLost);
      members.push({
        ...one,
        owner: owner.key,
        ownerFile: owner.file,
        operator: operator.key,
        daemon,
        host,
        proxies,
        disk,
        wallet,
      });
    }
    return new Fleet(folder, validator, chain, client, creator.file, task, members);
  }

  member(name: string): Member {
    const found = this.members.find((one) => one.name === name);
    if (!found) throw new Error(`Nobody is called ${name}.`);
    return found;
  }

  nameOf(owner: PublicKey): string {
    return this.members.find((one) => one.owner.publicKey.equals(owner))?.name ?? "a stranger";
  }

  /** Runs the command line with somebody's key. */
  cli<T>(keyFile: string, args: readonly string[]): Promise<T> {
    return cli(this.validator, keyFile, args);
  }

  async round(): Promise<bigint> {
    return roundAt(this.task, await this.chain.slot());
  }

  /** Waits for a slot of a round, counted from its first. */
  async reach(round: bigint, slot = 0n): Promise<void> {
    await this.chain.waitForSlot(roundStart(this.task, round) + slot);
  }

  node(member: Member): Promise<Node> {
    return this.client.fetch("node", nodeAddress(this.task.address, member.owner.publicKey));
  }

  /** Tokens in an owner's wallet. */
  async wallet(member: Member): Promise<bigint> {
    const account = tokenAccountOf(
      { address: this.task.mint, tokenProgram: TOKEN_PROGRAM_ID },
      member.owner.publicKey,
    );
    const { value } = await this.chain.connection.getTokenAccountBalance(account);
    return BigInt(value.amount);
  }

  /** What the program's transactions so far told, oldest first. */
  async events(): Promise<TaskEvent[]> {
    const all: TaskEvent[] = [];
    for (const signature of await this.history()) {
      const { events, complete } = this.client.events(await this.chain.outcome(signature));
      if (!complete) throw new Error(`The log of transaction ${signature} is not complete.`);
      all.push(...events);
    }
    return all;
  }

  /** What {@link events} add up to, as the index has it; compared with the chain to the unit. */
  async audited(events: readonly TaskEvent[]): Promise<TaskIndex> {
    const index = new TaskIndex(this.task.address, this.task.rules);
    for (const event of events) index.apply(event);
    const ledger = await readLedger(this.client, this.task.address);
    assertBalanced(ledger);
    const [difference] = index.differences(ledger);
    if (difference) {
      const { of, address, field, events, chain } = difference;
      throw new Error(
        `The events say that ${field} of ${of} ${address.toBase58()} is ${events}, and the chain says ${chain}.`,
      );
    }
    return index;
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map(({ daemon }) => daemon.stop()));
    for (const { host, proxies, disk } of this.members) {
      await host?.goDark();
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await disk?.unmount();
    }
    await this.chain.close();
    await this.validator.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Signatures of all successful transactions of the program, oldest first. */
  private async history(): Promise<string[]> {
    const { connection } = this.chain;
    const { programId } = this.client.program;
    const [all, done]: [string[], string[]] = [[], []];
    for (;;) {
      const before = all.at(-1);
      const page = await connection.getSignaturesForAddress(programId, before ? { before } : {});
      if (page.length === 0) return done.reverse();
      all.push(...page.map(({ signature }) => signature));
      // Two daemons may do the same at once: the second one's transaction fails, and has no event.
      done.push(...page.filter(({ err }) => err === null).map(({ signature }) => signature));
    }
  }
}

/** Signs lies with a worker's key, for the submission and slot of the honest answers that they take the place of. */
function forger(
  { connection }: ConnectionChain,
  client: SecuringTasksClient,
  task: Task,
  { secretKey }: Keypair,
): Forger {
  return async (exchange, headers) => {
    const [address, slot] = [headers[SUBMISSION_HEADER], headers[SLOT_HEADER]];
    if (typeof address !== "string") return {};
    const found = await client.fetch("submission", new PublicKey(address));
    const { submission, roundSeed } = await auditFacts(connection, task, found);
    const { owner, round, payloadHash } = submission;
    const what = { task: task.address.toBase58(), submission: address, owner, round };
    const said = { ...exchange, slot: Number(slot) };
    const signature = signAnswer(secretKey, { ...what, payloadHash, roundSeed }, said);
    return { [SIGNATURE_HEADER]: signature };
  };
}

/** Runs the command line as a script would, and gives what it prints. */
async function cli<T>(
  validator: FragileValidator,
  keyFile: string,
  args: readonly string[],
): Promise<T> {
  const all = [CLI, ...args, "--url", validator.rpcUrl, "--keypair", keyFile, "--json", "--yes"];
  const { stdout } = await run(process.execPath, all);
  return JSON.parse(stdout) as T;
}

function taskFile(mint: PublicKey, { rules, timeoutMs = 1_000 }: FleetOptions): string {
  return [
    `mint: ${mint.toBase58()}`,
    `template: { name: rest, parameters: { timeoutMs: ${timeoutMs} } }`,
    "out: functions",
    "rules:",
    ...rules.split("\n"),
    "",
  ].join("\n");
}

/** Writes a key as the Solana CLI does. */
async function keep(
  folder: string,
  name: string,
  key: Keypair,
): Promise<{ readonly key: Keypair; readonly file: string }> {
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify([...key.secretKey]), { mode: 0o600 });
  return { key, file };
}
