import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { TaskRef } from "@securing-tasks/client";
import {
  PROGRAM_ID,
  SecuringTasksClient,
  taskAddress,
  tokenAccountOf,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { newMint } from "@securing-tasks/demo/game";
import { bundleTemplate } from "@securing-tasks/templates";
import {
  TOKEN_PROGRAM_ID,
  createAssociatedTokenAccountIdempotentInstruction,
  createMintToInstruction,
} from "@solana/spl-token";
import type { PublicKey } from "@solana/web3.js";
import { Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { Command } from "commander";
import { RpcServer, chainAnswers } from "../utils/rpc_server";
import type { LogLine } from "./daemon";
import { Daemon } from "./daemon";

/*
 * npm run bench:node: how fast one witness on one core decides on work of the storage template (five contents of each manifest are
 * fetched, hashed and held against a JSON schema), and how much memory it needs meanwhile and while it has nothing to do.
 *
 * A witness spreads its looks over the audit window, and would mostly wait. So this one is stopped while the work is submitted and until
 * the first look at each is due: then all are due at once. The chain is an embedded one behind an RPC server, whose time stands still.
 */

const ROOT = join(__dirname, "../..");
const SOL = 1_000_000_000;
const STAKE = 1_000_000n;
const ITEMS = 10;
const SAMPLED = 5;
const IDLE_MS = 20_000;
const AUDIT_SLOTS = 100_000n;
/** Submissions that share a block, as those of many workers do. */
const IN_A_BLOCK = 4;
/** Of the audit window, so that the first of the three looks at each work is due, and the second is not. */
const FIRST_LOOKS = 3n;
/** Of a processor's time, as Linux counts it for processes. */
const TICKS_PER_SECOND = 100;
/** How often the memory is looked at. */
const LOOK_MS = 100;

const say = (text: string): void => {
  process.stdout.write(`[bench] ${text}\n`);
};

async function bench(submissions: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "securing-tasks-bench-"));
  const bytecode = await readFile(join(ROOT, "target/deploy/securing_tasks.so"));
  const chain = EmbeddedChain.start([{ id: PROGRAM_ID, bytecode }]);
  const rpc = await RpcServer.start({ answer: chainAnswers(chain) });
  const contents = new Map<string, string>();
  const storage = createServer(({ url = "" }, answer) => {
    const content = contents.get(url.slice(1));
    answer.writeHead(content === undefined ? 404 : 200).end(content);
  });
  const daemons: Daemon[] = [];
  try {
    storage.listen(0, "127.0.0.1");
    await once(storage, "listening");
    const bank = Keypair.generate();
    await chain.fund(bank.publicKey, BigInt(100_000 * SOL));
    const client = new SecuringTasksClient(chain.provider(bank));
    const mint = {
      address: await newMint(chain, bank, 0),
      tokenProgram: TOKEN_PROGRAM_ID,
    };
    const endow = (owner: PublicKey): Transaction =>
      new Transaction().add(
        SystemProgram.transfer({ fromPubkey: bank.publicKey, toPubkey: owner, lamports: SOL }),
        createAssociatedTokenAccountIdempotentInstruction(
          bank.publicKey,
          tokenAccountOf(mint, owner),
          owner,
          mint.address,
        ),
        createMintToInstruction(
          mint.address,
          tokenAccountOf(mint, owner),
          bank.publicKey,
          2n * STAKE,
        ),
      );

    const parameters = {
      samples: SAMPLED,
      schema: {
        type: "object",
        properties: { name: { type: "string" }, values: { type: "array", maxItems: 100 } },
        required: ["name", "values"],
      },
    };
    const { audit, work } = await bundleTemplate("storage", parameters, folder);
    const uri = (path: string): string => pathToFileURL(path).href;
    const auditFunction = { hash: audit.hash, uri: uri(audit.path) };
    const taskFunction = { hash: work.hash, uri: uri(work.path) };
    const address = taskAddress(bank.publicKey, 1n);
    await client
      .createTask({
        creator: bank.publicKey,
        id: 1n,
        mint,
        rules: {
          roundSlots: 200_000n,
          submissionSlots: 10_000n,
          auditSlots: AUDIT_SLOTS,
          commitSlots: 0n,
          revealSlots: 1_000n,
          leaveDelaySlots: 400_000n,
          workerMinStake: STAKE,
          witnessMinStake: STAKE,
          bountyPerRound: STAKE,
          initiatorBond: 100n,
          voteDeposit: 10n,
          appealSlots: 0n,
          appealBond: 0n,
          quorumVotes: 1,
          quorumBps: 0,
          downtimeBps: 100,
          maliceBps: 1_000,
          initiatorBonusBps: 3_000,
          poolBps: 1_000,
          panelSeats: 0,
          voteWeight: "node",
          rewardRule: "all",
          workerGate: { kind: "open" },
          witnessGate: { kind: "open" },
        },
        auditFunction,
        taskFunction,
      })
      .rpc();
    const { startSlot, rules } = await client.fetch("task", address);

    say("starting the witness, which has nothing to do yet ...");
    const [owner, operator] = [Keypair.generate(), Keypair.generate()];
    await chain.send(endow(owner.publicKey), [bank]);
    await chain.send(endow(operator.publicKey), [bank]);
    const key = async (name: string, { secretKey }: Keypair): Promise<string> => {
      const file = join(folder, `${name}.json`);
      await writeFile(file, JSON.stringify([...secretKey]), { mode: 0o600 });
      return file;
    };
    const witness = await Daemon.make(folder, "witness", {
      rpcUrl: rpc.url,
      rpcLimits: { perSecond: 1_000, atOnce: 64 },
      task: address.toBase58(),
      owner: owner.publicKey.toBase58(),
      role: "witness",
      operatorKeypair: await key("operator", operator),
      state: join(folder, "state"),
      // More than the least: an accusation's bond must leave that.
      join: { ownerKeypair: await key("owner", owner), stake: (2n * STAKE).toString() },
      samples: submissions,
      allowPrivateNetwork: true,
    });
    daemons.push(witness);
    await witness.start();
    pin(witness);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const { resident } = await usage(witness);
    say(`idle witness: ${resident.toFixed(0)} MB resident after ${IDLE_MS / 1_000} s`);
    await witness.stop();

    say(`${submissions} workers join and submit ...`);
    const task: TaskRef = { address, mint };
    for (let number = 0; number < submissions; number += 1) {
      if (number % IN_A_BLOCK === 0) await chain.waitForSlot((await chain.slot()) + 1n);
      await submit(chain, client, task, startSlot, bank, endow, contents, storage, number);
    }

    await chain.waitForSlot(startSlot + rules.submissionSlots + AUDIT_SLOTS / FIRST_LOOKS);
    await witness.start();
    pin(witness);
    const begun = await logged(witness, "will check", 1);
    const before = await usage(witness);
    const checked = await logged(witness, "checked", submissions);
    const after = await usage(witness);
    const valid = checked.filter(({ opinion }) => opinion === "valid").length;
    if (valid !== checked.length) {
      throw new Error(`Only ${valid} of ${checked.length} were found valid.`);
    }
    const seconds = (timeOf(checked.at(-1)) - timeOf(begun[0])) / 1_000;
    const half = checked.slice(Math.floor(checked.length / 2));
    const halfSeconds = (timeOf(half.at(-1)) - timeOf(half[0])) / 1_000;
    const processor = after.seconds - before.seconds;
    const rate = (count: number, time: number): string => (count / time).toFixed(1);
    say(`${checked.length} submissions decided in ${seconds.toFixed(1)} s on one core`);
    say(`${rate(checked.length, seconds)} audits decided each second`);
    say(`${rate(half.length, halfSeconds)} each second in the second half`);
    say(`${rate(checked.length, processor)} each second that the core was the witness's own`);
    say(`busy witness: ${after.peak.toFixed(0)} MB resident at most`);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const later = await usage(witness);
    say(`idle again: ${later.resident.toFixed(0)} MB resident after ${IDLE_MS / 1_000} s`);
  } finally {
    await Promise.all(daemons.map((daemon) => daemon.stop()));
    storage.close();
    await rpc.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One worker joins and submits a manifest whose contents are all there. */
async function submit(
  chain: EmbeddedChain,
  client: SecuringTasksClient,
  task: TaskRef,
  startSlot: bigint,
  bank: Keypair,
  endow: (owner: PublicKey) => Transaction,
  contents: Map<string, string>,
  storage: Server,
  number: number,
): Promise<void> {
  const { port } = storage.address() as AddressInfo;
  const keep = (content: string): { sha256: string; uri: string; size: number } => {
    const sha256 = createHash("sha256").update(content).digest("hex");
    contents.set(sha256, content);
    return { sha256, uri: `http://127.0.0.1:${port}/${sha256}`, size: content.length };
  };
  const worker = Keypair.generate();
  const owner = worker.publicKey;
  const items = Array.from({ length: ITEMS }, (_, item) =>
    keep(
      JSON.stringify({
        name: `${number}/${item}`,
        values: Array.from({ length: 50 }, Math.random),
      }),
    ),
  );
  const manifest = keep(JSON.stringify({ owner: owner.toBase58(), round: 0, items }));
  const join = client.joinTask({ task, owner, role: "worker", amount: STAKE, startSlot });
  const work = client.submitWork({
    task: task.address,
    owner,
    round: 0n,
    payloadHash: Buffer.from(manifest.sha256, "hex"),
    payloadUri: manifest.uri,
  });
  await chain.send(endow(owner), [bank]);
  await chain.send(new Transaction().add(await join.instruction(), await work.instruction()), [
    worker,
  ]);
}

/** The lines of one kind, once there are so many. */
async function logged({ lines }: Daemon, what: string, count: number): Promise<LogLine[]> {
  for (;;) {
    const found = lines.filter(({ msg }) => msg === what);
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** When a line was written, in milliseconds since 1970. */
function timeOf(line: LogLine | undefined): number {
  return Date.parse(String(line?.["time"]));
}

/** What a daemon has used: seconds of processors, and MB that are resident, now and at most. */
async function usage({
  pid,
}: Daemon): Promise<{ seconds: number; resident: number; peak: number }> {
  const [stat, status] = await Promise.all(
    ["stat", "status"].map((file) => readFile(`/proc/${String(pid)}/${file}`, "utf8")),
  );
  // The name, in brackets, may have spaces in it.
  const fields = stat?.slice(stat.lastIndexOf(")")).split(" ") ?? [];
  const [user, system] = [fields[12], fields[13]].map(Number);
  const megabytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status ?? "")?.[1]) / 1_000;
  return {
    seconds: ((user ?? 0) + (system ?? 0)) / TICKS_PER_SECOND,
    resident: megabytes("VmRSS"),
    peak: megabytes("VmHWM"),
  };
}

/** To one core, all of its threads. */
function pin({ pid }: Daemon): void {
  execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", "1", String(pid)]);
}

const { submissions } = new Command("bench:node")
  .description("Measures one witness: audits decided each second, and memory")
  .option("--submissions <number>", "submissions to decide on", "400")
  .parse()
  .opts<{ submissions: string }>();

bench(Number(submissions)).then(
  () => process.exit(0),
  (error: unknown) => {
    say(`ERROR: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  },
);
