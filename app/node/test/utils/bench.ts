import type { ChildProcess, StdioOptions } from "node:child_process";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Audit, Role, TaskRules } from "@securing-tasks/client";
import {
  PROGRAM_ID,
  SecuringTasksClient,
  WRAPPED_SOL,
  roundAt,
  taskAddress,
  wrapSol,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { NodeConfigInput } from "@securing-tasks/node";
import type { PublicKey, TransactionInstruction } from "@solana/web3.js";
import { Keypair, Transaction } from "@solana/web3.js";
import getPort from "get-port";
import { RULES } from "../../../../tests/utils/games";

const BYTECODE = join(__dirname, "../../../../target/deploy/securing_tasks.so");
/** `securing-tasks node run` does the same as the daemon by itself. */
export const CLI = [join(__dirname, "../../../cli/dist/main.js"), "node", "run"];
const MAIN = join(__dirname, "../../dist/host/main.js");

/** The work is to say who one is and which round it is. Who gives `liar:` as the address lies. */
const AUDIT = `
export async function audit(context) {
  const { owner, round, payloadHash, payloadUri } = context.submission;
  if (payloadUri.startsWith("liar:")) return "malicious";
  const payload = new TextDecoder().decode(await context.fetch(payloadHash, payloadUri));
  return payload === owner + " " + round ? "valid" : "malicious";
}`;
const WORK = `
export function work(context) {
  return context.owner + " " + context.round + (context.secrets.more ?? "");
}
export function respond(request) {
  return { body: request.path };
}`;

/** One of the task's nodes. */
export interface Hand {
  readonly name: string;
  readonly owner: Keypair;
  readonly operator: Keypair;
  readonly config: NodeConfigInput;
  readonly configFile: string;
}

interface Sendable {
  instruction(): Promise<TransactionInstruction>;
}

interface RpcRequest {
  readonly id: string;
  readonly method: string;
  readonly params?: readonly unknown[];
}

/** What a test's server answers in the chain's place; undefined leaves it to the chain. */
export type Answers = (request: RpcRequest) => unknown;

/** A whole chain in this process, a task on it, and daemons in processes of their own, which reach it by RPC. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), "securing-tasks-bench-"));
  /** Asked first, for each request. */
  answers: Answers = () => undefined;
  private readonly children: ChildProcess[] = [];

  private constructor(
    readonly chain: EmbeddedChain,
    readonly client: SecuringTasksClient,
    readonly task: PublicKey,
    private readonly creator: Keypair,
    private readonly server: Server,
  ) {}

  static async make(changes: Partial<TaskRules> = {}, pool = 50_000n): Promise<Bench> {
    const chain = EmbeddedChain.start([{ id: PROGRAM_ID, bytecode: readFileSync(BYTECODE) }]);
    const creator = Keypair.generate();
    await chain.fund(creator.publicKey, 2_000_000_000n);
    const client = new SecuringTasksClient(chain.provider(creator));
    const task = taskAddress(creator.publicKey, 1n);
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        void bench.answer(JSON.parse(body) as RpcRequest).then((answer) => {
          response.setHeader("content-type", "application/json");
          response.end(JSON.stringify(answer));
        });
      });
    });
    const bench = new Bench(chain, client, task, creator, server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    await client
      .createTask({
        creator: creator.publicKey,
        id: 1n,
        mint: WRAPPED_SOL,
        rules: { ...RULES, ...changes },
        auditFunction: bench.functionOf("audit.js", AUDIT),
        taskFunction: bench.functionOf("work.js", WORK),
      })
      .rpc();
    if (pool > 0n) await bench.pay(pool);
    return bench;
  }

  get rpcUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Adds to the task's pool. */
  async pay(amount: bigint): Promise<void> {
    const funder = this.creator.publicKey;
    await this.client
      .fundTask({ task: { address: this.task, mint: WRAPPED_SOL }, funder, amount })
      .preInstructions(wrapSol(funder, amount))
      .rpc();
  }

  /** Makes keys and a configuration that asks to join. */
  async hire(
    name: string,
    role: Role,
    stake: bigint,
    more: Partial<NodeConfigInput> = {},
  ): Promise<Hand> {
    const [owner, operator] = [Keypair.generate(), Keypair.generate()];
    for (const { publicKey } of [owner, operator]) await this.chain.fund(publicKey, 100_000_000n);
    const keyFile = (whose: string, { secretKey }: Keypair): string => {
      const file = join(this.folder, `${name}-${whose}.json`);
      writeFileSync(file, JSON.stringify([...secretKey]));
      return file;
    };
    const port = await getPort();
    const config: NodeConfigInput = {
      rpcUrl: this.rpcUrl,
      task: this.task.toBase58(),
      owner: owner.publicKey.toBase58(),
      role,
      operatorKeypair: keyFile("operator", operator),
      state: join(this.folder, name),
      join: { ownerKeypair: keyFile("owner", owner), stake: stake.toString() },
      allowPrivateNetwork: true,
      recheckMs: 50,
      pollMs: 100,
      chores: { spreadSlots: 0 },
      http: { host: "127.0.0.1", port, publicUrl: `http://127.0.0.1:${port}` },
      ...more,
    };
    const configFile = join(this.folder, `${name}.json`);
    writeFileSync(configFile, JSON.stringify(config));
    return { name, owner, operator, config, configFile };
  }

  /** Sends an instruction, which this key pays for, and all of these sign. */
  async send(builder: Sendable, payer: Keypair, ...signers: readonly Keypair[]): Promise<void> {
    await this.chain.send(new Transaction().add(await builder.instruction()), [payer, ...signers]);
  }

  /** A node without a daemon joins: its owner is its operator. */
  async join(role: Role, amount: bigint): Promise<Keypair> {
    const owner = Keypair.generate();
    await this.chain.fund(owner.publicKey, 200_000_000n);
    const task = await this.client.fetch("task", this.task);
    const wrap = new Transaction().add(...wrapSol(owner.publicKey, amount));
    await this.chain.send(wrap, [owner]);
    const { startSlot } = task;
    const ref = { address: this.task, mint: WRAPPED_SOL };
    const given = { task: ref, owner: owner.publicKey, role, amount, startSlot };
    await this.send(this.client.joinTask(given), owner);
    return owner;
  }

  /** A worker lies in the current round, and another accuses it. */
  async quarrel(): Promise<Audit> {
    const [liar, accuser] = [await this.join("worker", 2_000n), await this.join("worker", 2_000n)];
    const task = await this.client.fetch("task", this.task);
    const round = roundAt(task, await this.chain.waitForSlot((await this.chain.slot()) + 1n));
    const [payloadHash, payloadUri] = [new Uint8Array(32).fill(7), "liar:"];
    const work = { task: this.task, owner: liar.publicKey, round, payloadHash, payloadUri };
    await this.send(this.client.submitWork(work), liar);
    const parties = { accused: liar.publicKey, initiator: accuser.publicKey };
    const about = { task: this.task, round, ...parties, accusation: "malice" as const };
    await this.send(this.client.openAudit(about), accuser);
    const [audit] = await this.client.ofTask("audit", this.task);
    if (!audit) throw new Error("No audit was opened.");
    return audit;
  }

  /** A daemon in a process of its own. */
  run(
    hand: Hand,
    stdio: StdioOptions,
    { program = [MAIN], shell }: { program?: readonly string[]; shell?: string } = {},
  ): ChildProcess {
    const args = [...program, "--config", hand.configFile];
    // What a shell sets holds for the process that takes its place.
    const child =
      shell === undefined
        ? spawn(process.execPath, args, { stdio })
        : spawn("/bin/sh", ["-c", `${shell}; exec "$0" "$@"`, process.execPath, ...args], {
            stdio,
          });
    this.children.push(child);
    return child;
  }

  /** Asks every 50 ms until there is an answer. */
  async until<T>(what: string, ask: () => Promise<T | null | undefined | false>): Promise<T> {
    const last = performance.now() + 90_000;
    for (;;) {
      const answer = await ask();
      if (answer !== null && answer !== undefined && answer !== false) return answer;
      if (performance.now() > last) throw new Error(`It never happened: ${what}.`);
      await sleep(50);
    }
  }

  /** One of the daemon's metrics; null while it does not serve them. */
  async metric(hand: Hand, name: string): Promise<number | null> {
    const answer = await fetch(`${hand.config.http?.publicUrl ?? ""}/metrics`).catch(() => null);
    const text = (await answer?.text()) ?? "";
    const found = new RegExp(`^securing_tasks_${name} (\\S+)$`, "m").exec(text)?.[1];
    return found === undefined ? null : Number(found);
  }

  async end(): Promise<void> {
    for (const child of this.children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    this.server.closeAllConnections();
    this.server.close();
    rmSync(this.folder, { recursive: true });
  }

  private functionOf(name: string, code: string): { hash: Uint8Array; uri: string } {
    const file = join(this.folder, name);
    writeFileSync(file, code);
    return { hash: createHash("sha256").update(code).digest(), uri: pathToFileURL(file).href };
  }

  private async answer(request: RpcRequest): Promise<object> {
    const { id, method, params = [] } = request;
    const result = this.answers(request) ?? (await this.history(method, params));
    if (result !== undefined) return { jsonrpc: "2.0", id, result };
    // The connection's own way of asking, with which the chain's answer comes as it is.
    const { connection } = this.chain as unknown as {
      connection: { _rpcRequest(method: string, params: readonly unknown[]): Promise<object> };
    };
    return { ...(await connection._rpcRequest(method, params)), id };
  }

  /** What the chain in this process keeps no record of: every slot had a block. */
  private async history(method: string, [first, last]: readonly unknown[]): Promise<unknown> {
    if (method === "getGenesisHash") return this.creator.publicKey.toBase58();
    const now = Number(await this.chain.slot());
    if (method === "getBlocks") {
      const [from, to] = [Number(first), Math.min(Number(last), now)];
      return Array.from({ length: Math.max(to - from + 1, 0) }, (_, index) => from + index);
    }
    if (method === "getBlock") {
      const hash = createHash("sha256").update(String(first)).digest();
      const blockhash = Keypair.fromSeed(hash).publicKey.toBase58();
      const parentSlot = Number(first) - 1;
      return { blockhash, previousBlockhash: blockhash, parentSlot, blockTime: 1, blockHeight: 1 };
    }
    return undefined;
  }
}
