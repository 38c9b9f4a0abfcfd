import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Task } from "@securing-tasks/client";
import { SecuringTasksClient, WRAPPED_SOL } from "@securing-tasks/client";
import { Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { PRESET_TABLE, suggestedAppeal } from "../app/cli/src/create/presets";
import type { Person, Ran } from "./utils/command_line";
import { CommandLine, failed } from "./utils/command_line";
import { TestMint } from "./utils/mint";
import { localnet } from "./utils/validator";

const SOL = 1_000_000_000n;

/** An audit function that looks at what it is given, and finds a dark worker down. */
const AUDIT = `
export async function audit({ submission, fetch }) {
  try {
    const payload = await fetch(submission.payloadHash, submission.payloadUri);
    return new TextDecoder().decode(payload) === "done" ? "valid" : "malicious";
  } catch {
    return "downtime";
  }
}`;
const WORK = `export function work() { return "done"; }`;

/** What `task create --json` prints, as far as tests look at it. */
interface Created {
  readonly task: string;
  readonly signature: string | null;
  readonly fee: string;
  readonly costs: { readonly total: string; readonly fees: string; readonly pool: string };
  readonly auditFunction: { readonly hash: string; readonly uri: string };
  readonly check: unknown;
  readonly warnings: readonly string[];
}

describe("task create on a validator", () => {
  let cli: CommandLine;
  let folder: string;
  let person: Person;
  let creator: Keypair;
  let client: SecuringTasksClient;

  before(async () => {
    cli = await CommandLine.open();
    ({ folder } = cli);
    await writeFile(join(folder, "audit.js"), AUDIT);
    await writeFile(join(folder, "work.js"), WORK);
  });

  beforeEach(async () => {
    person = await cli.person("creator", 20n);
    creator = person.key;
    client = new SecuringTasksClient(localnet().provider(creator));
  });

  after(() => cli.close());

  const run = (...args: readonly string[]): Promise<Ran> =>
    cli.run(["task", "create", ...args], person);

  async function create(...args: readonly string[]): Promise<{ said: Created; task: Task }> {
    const said = await cli.json<Created>(["task", "create", ...args], person);
    return { said, task: await client.fetch("task", new PublicKey(said.task)) };
  }

  const lamports = async (): Promise<bigint> =>
    BigInt(await localnet().connection.getBalance(creator.publicKey));

  async function tasksMade(): Promise<PublicKey[]> {
    const found = await client.program.account.task.all([
      { memcmp: { offset: 8, bytes: creator.publicKey.toBase58() } },
    ]);
    return found.map(({ publicKey }) => publicKey);
  }

  /** As somebody types it who can be asked. */
  function inTerminal(...args: readonly string[]): Terminal {
    const command = cli.words(args, person).join(" ");
    const wide = `stty cols 300 rows 60; ${command}`;
    return new Terminal(cli.spawn("script", ["-qec", wide, "/dev/null"]));
  }

  it("makes what the file says, and costs what it said, to the lamport", async () => {
    await writeFile(
      join(folder, "task.yaml"),
      [
        "preset: strict",
        "id: 7",
        "mint: SOL",
        "fund: 0.5",
        "auditFunction: { file: audit.js }",
        "taskFunction: { file: work.js }",
        "rules:",
        "  bounty: 0.01",
        "  quorumVotes: 5",
        "  maliceSlash: 80%",
        "  roundWindow: 20000 slots",
      ].join("\n"),
    );
    const before = await lamports();
    const { said, task } = await create("--file", "task.yaml", "--quorum-votes", "4");
    expect(task.rules).to.deep.equal({
      ...PRESET_TABLE.strict.rules(SOL / 100n),
      quorumVotes: 4,
      maliceBps: 8_000,
      roundSlots: 20_000n,
    });
    expect([task.id, task.pool, task.creator.toBase58()]).to.deep.equal([
      7n,
      SOL / 2n,
      creator.publicKey.toBase58(),
    ]);
    expect(Buffer.from(task.auditFunction.hash).toString("hex")).to.equal(
      createHash("sha256").update(AUDIT).digest("hex"),
    );
    expect(task.auditFunction.uri).to.equal(said.auditFunction.uri);
    expect(said.check).to.deep.equal({ honest: "valid", dark: "downtime" });
    expect(said.warnings.join("\n")).to.include("nodes on other machines can't fetch it");
    expect(before - (await lamports())).to.equal(BigInt(said.costs.total));

    const again = failed(await run("--json", "--file", "task.yaml"));
    expect(again).to.include({ exit: 1, name: "TaskExists" });
  });

  it("binds a template by addresses of full length, funds it and foresees a priority fee", async () => {
    const server = await serve(join(folder, "published"));
    try {
      const { port } = server.address() as AddressInfo;
      const uri = (name: string): string => {
        const base = `http://127.0.0.1:${port}/`;
        return `${base}${"x".repeat(128 - base.length - name.length - 1)}/${name}`;
      };
      const template = ["--template", "rest", "--param", "questions=2", "--out", "published"];
      // Once to write the files that are then published.
      const trial = await run(
        "--json",
        "--dry-run",
        "--preset",
        "seed",
        "--mint",
        "SOL",
        "--bounty",
        "0.01",
        ...template,
      );
      expect(trial.code, trial.stderr).to.equal(0);
      expect(JSON.parse(trial.stdout)).to.include({ signature: null });

      const before = await lamports();
      const { said, task } = await create(
        ...["--preset", "seed", "--mint", "SOL", "--bounty", "0.01", "--fund", "0.1"],
        ...[...template, "--audit-uri", uri("audit.js"), "--task-uri", uri("work.js")],
        ...["--priority-fee", "12345"],
      );
      expect(said.check).to.deep.equal({ honest: "valid", dark: "downtime" });
      expect(said.warnings.join()).not.to.include("fetch");
      expect(Buffer.byteLength(task.auditFunction.uri)).to.equal(128);
      expect(task.rules).to.deep.equal(PRESET_TABLE.seed.rules(SOL / 100n));
      expect(task.pool).to.equal(SOL / 10n);
      expect(said.costs.fees).to.equal(said.fee);
      expect(BigInt(said.fee) > 5_000n).to.be.true;
      expect(before - (await lamports())).to.equal(BigInt(said.costs.total));
    } finally {
      server.close();
    }
  });

  it("takes tokens by their decimals, and refuses more than there are, before anything is sent", async () => {
    const mint = await TestMint.make(localnet(), creator, 6);
    await mint.give(creator.publicKey, 10_000_000n);
    const args = [
      ...["--preset", "seed", "--mint", mint.address.toBase58(), "--bounty", "1.5"],
      ...["--audit-function", "audit.js", "--bond", "7 base"],
    ];
    const poor = failed(await run("--json", ...args, "--fund", "10.000001"));
    expect(poor).to.include({ exit: 1, name: "InsufficientFunds" });
    expect(await tasksMade()).to.deep.equal([]);

    const { task } = await create(...args, "--fund", "10");
    expect(task.rules).to.deep.equal({
      ...PRESET_TABLE.seed.rules(1_500_000n),
      initiatorBond: 7n,
    });
    expect(task.pool).to.equal(10_000_000n);
    expect(task.taskFunction).to.equal(null);
  });

  it("refuses an audit function whose verdict moves, unless told not to try it", async () => {
    await writeFile(
      join(folder, "dice.js"),
      `export function audit() { return Math.random() < 0.5 ? "valid" : "downtime"; }`,
    );
    // The seeds of the rehearsal are always the same two, and differ on this.
    const args = [
      ...["--preset", "seed", "--mint", "SOL", "--bounty", "0.01"],
      ...["--audit-function", "dice.js", "--id", "1"],
    ];
    const refused = await run("--yes", ...args);
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.include("The audit function is refused");
    expect(refused.stderr).to.include("the verdict moves");
    expect(refused.stderr).not.to.include("    at ");
    const { said } = await create(...args, "--skip-check");
    expect(said.check).to.equal("skipped");
    expect(said.warnings.join()).to.include("was not tried");
  });

  it("lets another key pay rent and fees, and the creator what goes into the pool", async () => {
    const payer = person;
    const poor = await cli.person("creator-without-rent", 1n);
    const beggar = await cli.person("beggar-who-pays");
    const args = [
      ...["task", "create", "--preset", "seed", "--mint", "SOL", "--bounty", "0.01"],
      ...["--audit-function", "audit.js", "--fund", "0.5", "--payer"],
    ];
    const refused = await cli.failure([...args, beggar.file], poor);
    expect(refused).to.include({ exit: 1, name: "InsufficientFunds" });
    expect(refused.message).to.include(`${beggar.key.publicKey.toBase58()} holds 0 SOL`);

    const before = await lamports();
    const said = await cli.json<Created>([...args, payer.file], poor);
    const task = await client.fetch("task", new PublicKey(said.task));
    expect([task.creator, task.payer].map(String)).to.deep.equal(
      [poor.key.publicKey, creator.publicKey].map(String),
    );
    // Two signatures.
    expect([said.fee, said.costs.fees]).to.deep.equal(["10000", "10000"]);
    const pool = BigInt(said.costs.pool);
    expect(before - (await lamports())).to.equal(BigInt(said.costs.total) - pool);
    const left = await localnet().connection.getBalance(poor.key.publicKey);
    expect(SOL - BigInt(left)).to.equal(pool);
  });

  it("says what is missing to who can't pay", async () => {
    const { code, stderr, stdout } = await cli.run(
      [
        ...["task", "create", "--yes", "--preset", "seed", "--mint", "SOL", "--bounty", "0.01"],
        ...["--audit-function", "audit.js"],
      ],
      await cli.person("beggar"),
    );
    expect([code, stdout]).to.deep.equal([1, ""]);
    expect(stderr).to.match(/holds 0 SOL, and 0\.\d+ SOL are needed\. Send it more SOL\./);
  });

  it("asks in a terminal for all that is missing, explains, and asks before it pays", async () => {
    const session = inTerminal("task", "create");
    await session.answer("Which rules to start from?", "\r");
    await session.answer("Which mint does the task pay in?", "\r");
    await session.answer("How many SOL do the workers of a round share?", "much\r");
    await session.answer('"much" is no amount', "\x7f\x7f\x7f\x7f0.02\r");
    await session.answer("Who judges audits?", "\x1b[A\r");
    await session.answer("About how many seats?", "\r");
    await session.answer("How long after the last vote may somebody appeal?", "\r");
    await session.answer("What does an appeal cost that changes nothing?", "\r");
    await session.answer("What do workers do, and how is it audited?", "\x1b[A\r");
    await session.answer("File of the audit function?", "audit.js\r");
    await session.answer("File of the task function?", "work.js\r");
    await session.answer("Where do nodes get the audit function?", "\r");
    await session.answer("Where do nodes get the task function?", "\r");
    await session.answer("How many SOL to put into the pool now?", "0.2\r");
    await session.answer("Make this task? Its rules never change.", "y\r");
    const { code, text } = await session.end();
    expect(code, text).to.equal(0);
    for (const part of [
      "What an audit of a worker with the least stake moves",
      "The pool of 0.2 SOL lasts 10 rounds",
      "now, in all",
      "About 31 nodes are drawn for each audit",
      "an honest worker: valid, a worker that does not answer: downtime",
    ]) {
      expect(text).to.include(part);
    }
    const [address = PublicKey.default] = await tasksMade();
    const task = await client.fetch("task", address);
    const seed = PRESET_TABLE.seed.rules(SOL / 50n);
    expect(task.rules).to.deep.equal({ ...seed, panelSeats: 31, ...suggestedAppeal(seed) });
    expect(task.mint.equals(WRAPPED_SOL.address)).to.be.true;
    expect(task.pool).to.equal(SOL / 5n);
  });

  it("sends nothing when the last question is answered with no, or with Ctrl+C", async () => {
    const command = [
      ...["task", "create", "--preset", "seed", "--mint", "SOL", "--bounty", "0.02"],
      ...["--audit-function", "audit.js", "--audit-uri", "ipfs://audit", "--fund", "0"],
    ];
    const before = await lamports();
    for (const no of ["n\r", "\x03"]) {
      const session = inTerminal(...command);
      await session.answer("Make this task? Its rules never change.", no);
      const { code, text } = await session.end();
      expect(code, text).to.equal(130);
      expect(text).to.include("Cancelled");
    }
    expect(await lamports()).to.equal(before);
  });
});

/** Serves a folder's files under any path. */
async function serve(folder: string): Promise<Server> {
  await mkdir(folder, { recursive: true });
  const server = createServer((request, response) => {
    const name = (request.url ?? "").split("/").at(-1) ?? "";
    readFile(join(folder, name)).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** A program in a pseudo terminal: what it shows, and keys for it. */
class Terminal {
  private text = "";
  private readonly closed: Promise<number | null>;
  private wake: () => void = () => undefined;

  constructor(private readonly child: ChildProcess) {
    child.stdout?.on("data", (chunk: Buffer) => {
      this.text += chunk.toString();
      this.wake();
    });
    this.closed = new Promise((resolve) =>
      child.once("close", (code) => {
        this.wake();
        resolve(code);
      }),
    );
  }

  /** Waits until a question is shown, and presses keys. */
  async answer(question: string, keys: string): Promise<void> {
    while (!this.text.includes(question)) {
      if (this.child.exitCode !== null)
        throw new Error(`It never asked ${question}:\n${this.text}`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    this.child.stdin?.write(keys);
  }

  async end(): Promise<{ readonly code: number | null; readonly text: string }> {
    return { code: await this.closed, text: this.text };
  }
}
