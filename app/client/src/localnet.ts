import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { Connection } from "@solana/web3.js";
import type { PublicKey } from "@solana/web3.js";
import { ConnectionChain } from "./chain";

export interface LocalnetOptions {
  /** Path of the `solana-test-validator` binary. */
  readonly validator: string;
  /** Programs to have from the first slot, each with the path of its bytecode. */
  readonly programs?: readonly { readonly id: PublicKey; readonly bytecode: string }[];
  /** Ticks in a slot; a tick takes 6.25 ms. A public cluster has 64. */
  readonly ticksPerSlot?: number;
  /** How long the validator may take to start, in milliseconds. */
  readonly startLimitMs?: number;
}

/**
 * Path of the validator: the environment variable `SOLANA_TEST_VALIDATOR`, else the last line that this script prints.
 * The script may take long the first time; what it says about that goes to standard error.
 */
export async function findValidator(script: string): Promise<string> {
  const { SOLANA_TEST_VALIDATOR: given } = process.env;
  if (given !== undefined && given !== "") return given;
  const child = spawn(script, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  const path = output.trim().split("\n").at(-1) ?? "";
  if (code !== 0 || path === "") {
    throw new Error(
      `${script} did not give a validator. Set SOLANA_TEST_VALIDATOR to the path of a solana-test-validator 4.2.0.`,
    );
  }
  return path;
}

/** 50 ms slots: the shortest at which a validator on two cores still confirms in time. */
const TICKS_PER_SLOT = 8;
/** What transactions and blocks can be asked for. Every slot takes 32 or more: by default only the last 300 would be kept. */
const HISTORY_SHREDS = 640_000;
const START_LIMIT_MS = 60_000;

/** Letters of its log that are shown. */
const LOG_LETTERS = 2_000;

/**
 * Runs the validator until standard input closes, and removes its ledger then. The system closes it when this process
 * ends, however it ends, so nothing is ever left behind. Where the validator ends by itself, it says the last of its log first.
 */
const KEEPER = `exec 3<&0; ledger=$1; shift; "$@" <&- & v=$!
(cat <&3 >/dev/null; kill -9 $v; rm -rf "$ledger") 2>/dev/null & wait $v; ended=$?
tail -c ${LOG_LETTERS} "$ledger/validator.log" >&2 2>/dev/null; exit $ended`;

/** A solana-test-validator of our own, on free loopback ports and a ledger that goes away with it. */
export class Localnet extends ConnectionChain {
  private constructor(
    connection: Connection,
    private readonly child: ChildProcess,
    private readonly ended: Promise<unknown>,
    private readonly ledger: string,
    private readonly words: () => string,
  ) {
    super(connection);
  }

  /** Starts a validator and waits until it executes transactions. Throws with its last words when it does not. */
  static async start(options: LocalnetOptions): Promise<Localnet> {
    const ledger = await mkdtemp(join(tmpdir(), "securing-tasks-ledger-"));
    const [rpc, faucet, gossip] = [await freePair(), await getPort(), await getPort()];
    const child = spawn(
      "sh",
      [
        "-c",
        KEEPER,
        "sh",
        ledger,
        options.validator,
        "--quiet",
        "--reset",
        ...["--ledger", ledger],
        ...["--rpc-port", String(rpc)],
        ...["--faucet-port", String(faucet)],
        ...["--gossip-port", String(gossip)],
        ...["--ticks-per-slot", String(options.ticksPerSlot ?? TICKS_PER_SLOT)],
        ...["--limit-ledger-size", String(HISTORY_SHREDS)],
        ...(options.programs ?? []).flatMap(({ id, bytecode }) => [
          "--bpf-program",
          id.toBase58(),
          bytecode,
        ]),
      ],
      // What it would log by default is a quarter of a gigabyte in an hour.
      { stdio: ["pipe", "ignore", "pipe"], env: { RUST_LOG: "warn", ...process.env } },
    );
    const ended = new Promise((resolve) => child.once("close", resolve));
    let words = "";
    child.stderr.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-LOG_LETTERS);
    });
    const connection = new Connection(`http://127.0.0.1:${rpc}`, "confirmed");
    const localnet = new Localnet(connection, child, ended, ledger, () => words);
    const limit = Date.now() + (options.startLimitMs ?? START_LIMIT_MS);
    // Before it answers there is no slot to wait for: ask until it does.
    while (!(await healthy(connection))) {
      if (child.exitCode !== null || Date.now() > limit) {
        const why = child.exitCode === null ? "did not start in time" : "ended while starting";
        const log = await readFile(join(ledger, "validator.log"), "utf8").catch(() => "");
        await localnet.close();
        throw new Error(
          `The validator ${options.validator} ${why}. It said:\n${words}${log.slice(-LOG_LETTERS)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return localnet;
  }

  /** Why it does not answer, with the end of its log; null where it does. */
  async fault(): Promise<string | null> {
    if (this.child.exitCode === null && (await healthy(this.connection))) return null;
    const log = await readFile(join(this.ledger, "validator.log"), "utf8").catch(() => "");
    const { exitCode, signalCode } = this.child;
    const ended = exitCode ?? signalCode;
    const what = ended === null ? "it does not answer" : `it ended by itself (${ended})`;
    const said = `${this.words()}${log.slice(-LOG_LETTERS)}`;
    return `The validator is gone: ${what}. It said:\n${said}`;
  }

  override async close(): Promise<void> {
    await super.close();
    this.child.stdin?.end();
    await this.ended;
    await rm(this.ledger, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function healthy(connection: Connection): Promise<boolean> {
  try {
    // The faucet and the blockhash need a slot or two more than the RPC server.
    return (await connection.getSlot("confirmed")) > 0;
  } catch {
    return false;
  }
}

/** A free port whose successor is free too: the validator serves subscriptions there. */
export async function freePair(): Promise<number> {
  for (;;) {
    const port = await getPort();
    if ((await getPort({ port: port + 1 })) === port + 1) return port;
  }
}
