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
  ConnectionChain,
  SecuringTasksClient,
  taskAddress,
  tokenAccountOf,
} from "@securing-tasks/client";
import { findValidator } from "@securing-tasks/client/localnet";
import { bundleTemplate } from "@securing-tasks/templates";
import {
  TOKEN_PROGRAM_ID,
  createAssociatedTokenAccountIdempotentInstruction,
  createMint,
  createMintToInstruction,
} from "@solana/spl-token";
import type { PublicKey } from "@solana/web3.js";
import { Connection, Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { Command } from "commander";
import pLimit from "p-limit";
import type { LogLine } from "./daemon";
import { Daemon } from "./daemon";
import { FragileValidator } from "./validator";

/*
 * npm run bench:node: how fast one witness on one core decides on work of the storage template (five contents of each manifest are
 * fetched, hashed and held against a JSON schema), and how much memory it needs while it has nothing to do.
 */

const ROOT = join(__dirname, "../..");
const SOL = 1_000_000_000;
const STAKE = 1_000_000n;
const ITEMS = 10;
const SAMPLED = 5;
const IDLE_MS = 20_000;

const say = (text: string): void => {
  process.stdout.write(`[bench] ${text}\n`);
};

async function bench(submissions: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "securing-tasks-bench-"));
  const binary = await findValidator(join(ROOT, "toolchain/validator.sh"));
  const bytecode = join(ROOT, "target/deploy/securing_tasks.so");
  const validator = await FragileValidator.start(binary, bytecode);
  const contents = new Map<string, string>();
  const storage = createServer(({ url = "" }, answer) => {
    const content = contents.get(url.slice(1));
    answer.writeHead(content === undefined ? 404 : 200).end(content);
  });
  const daemons: Daemon[] = [];
  const chain = new ConnectionChain(new Connection(validator.rpcUrl, "confirmed"));
  try {
    storage.listen(0, "127.0.0.1");
    await once(storage, "listening");
    const bank = Keypair.generate();
    await chain.fund(bank.publicKey, BigInt(100_000 * SOL));
    const client = new SecuringTasksClient(chain.provider(bank));
    const mint = {
      address: await createMint(chain.connection, bank, bank.publicKey, null, 0),
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
          roundSlots: 20_000n,
          submissionSlots: BigInt(600 + 12 * submissions),
          auditSlots: 10_000n,
          commitSlots: 0n,
          revealSlots: 1_000n,
          leaveDelaySlots: 40_000n,
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
    const { startSlot } = await client.fetch("task", address);

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
      rpcUrl: validator.rpcUrl,
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
    const { pid } = witness;
    if (pid === undefined) throw new Error("The witness has no process.");
    execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", "1", String(pid)]);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const idle = await memory(pid);
    say(`idle witness: ${idle.toFixed(0)} MB resident after ${IDLE_MS / 1_000} s`);

    say(`${submissions} workers join and submit ...`);
    const task: TaskRef = { address, mint };
    const limit = pLimit(8);
    await Promise.all(
      Array.from({ length: submissions }, (_, number) =>
        limit(() => submit(chain, client, task, startSlot, bank, endow, contents, storage, number)),
      ),
    );

    say("waiting for the end of the submission window ...");
    const [begin] = await logged(witness, "will check", 1);
    const checked = await logged(witness, "checked", submissions);
    const valid = checked.filter(({ opinion }) => opinion === "valid").length;
    if (valid !== submissions) throw new Error(`Only ${valid} of ${submissions} were found valid.`);
    const seconds = (timeOf(checked.at(-1)) - timeOf(begin)) / 1_000;
    say(`${submissions} submissions decided in ${seconds.toFixed(1)} s on one core`);
    say(`${(submissions / seconds).toFixed(1)} audits decided each second`);
    say(`busy witness: ${(await memory(pid)).toFixed(0)} MB resident at the end`);
  } finally {
    await Promise.all(daemons.map((daemon) => daemon.stop()));
    storage.close();
    await chain.close();
    await validator.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One worker joins and submits a manifest whose contents are all there. */
async function submit(
  chain: ConnectionChain,
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
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** When a line was written, in milliseconds since 1970. */
function timeOf(line: LogLine | undefined): number {
  return Date.parse(String(line?.["time"]));
}

/** Resident memory of a process, in MB. */
async function memory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_000;
}

const { submissions } = new Command("bench:node")
  .description("Measures one witness: audits decided each second, and memory while idle")
  .option("--submissions <number>", "submissions to decide on", "100")
  .parse()
  .opts<{ submissions: string }>();

bench(Number(submissions)).then(
  () => process.exit(0),
  (error: unknown) => {
    say(`ERROR: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  },
);
