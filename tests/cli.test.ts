import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { MintInfo, Task } from "@securing-tasks/client";
import {
  SecuringTasksClient,
  auditEnd,
  fetchMint,
  roundAt,
  roundStart,
  taskAddress,
  tokenAccountOf,
  vaultAddress,
} from "@securing-tasks/client";
import { Game } from "@securing-tasks/demo/game";
import { createMint, getOrCreateAssociatedTokenAccount, mintTo } from "@solana/spl-token";
import { Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import getPort from "get-port";
import { RULES, witnesses, workers } from "./utils/games";
import { localnet } from "./utils/validator";

const BIN = join(__dirname, "../app/cli/bin/securing-tasks.js");
const SOL = 1_000_000_000n;
/** One token of the test's mint, in base units. */
const TOKEN = 1_000_000n;

/** What a process of the command line ended with. */
interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Failure {
  readonly error: {
    readonly name: string;
    readonly code: number | null;
    readonly message: string;
  };
}

/** A line of `watch --json`. */
interface Watched {
  readonly event: string;
  readonly account?: string;
}

/** Somebody with a key of their own. */
interface Person {
  readonly key: Keypair;
  readonly file: string;
}

describe("the command line", () => {
  let folder: string;
  let nobody: Person;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "securing-tasks-cli-"));
    nobody = await person("nobody");
  });

  after(() => rm(folder, { recursive: true, force: true }));

  async function person(name: string, sol = 0n): Promise<Person> {
    const key = Keypair.generate();
    const file = join(folder, `${name}.json`);
    await writeFile(file, JSON.stringify([...key.secretKey]), { mode: 0o600 });
    if (sol > 0n) await localnet().fund(key.publicKey, sol * SOL);
    return { key, file };
  }

  function start(args: readonly string[], who: Person, url?: string): ChildProcess {
    const all = [...args, "--url", url ?? localnet().connection.rpcEndpoint, "--keypair", who.file];
    // Nothing of the machine's own settings may show.
    const env = { PATH: process.env["PATH"], HOME: folder };
    return spawn(process.execPath, [BIN, ...all], { env, stdio: ["ignore", "pipe", "pipe"] });
  }

  async function run(args: readonly string[], who: Person, url?: string): Promise<Ran> {
    const child = start(args, who, url);
    let [stdout, stderr] = ["", ""];
    child.stdout?.on("data", (part: Buffer) => (stdout += part.toString()));
    child.stderr?.on("data", (part: Buffer) => (stderr += part.toString()));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, stdout, stderr };
  }

  /** What a command prints for scripts. */
  async function json<T>(args: readonly string[], who: Person): Promise<T> {
    const { code, stdout, stderr } = await run([...args, "--json"], who);
    expect(code, `${args.join(" ")}\n${stdout}${stderr}`).to.equal(0);
    expect(stderr).to.equal("");
    return JSON.parse(stdout) as T;
  }

  /** How a command fails, for scripts. */
  async function failure(
    args: readonly string[],
    who: Person,
    url?: string,
  ): Promise<Failure["error"] & { readonly exit: number | null }> {
    const { code, stdout, stderr } = await run([...args, "--json"], who, url);
    expect(stdout).to.equal("");
    expect(stderr).not.to.match(/\n\s+at /);
    return { ...(JSON.parse(stderr) as Failure).error, exit: code };
  }

  describe("takes a task through its whole life by processes alone", () => {
    let mint: MintInfo;
    let creator: Person;
    let task: PublicKey;
    let client: SecuringTasksClient;
    let crew: Record<"honest" | "liar" | "first" | "second" | "third", Person>;
    let operators: typeof crew;
    let round: bigint;
    let audit: string;
    let watcher: ChildProcess;
    const watched: Watched[] = [];
    let watcherWords = "";
    const wallets = new Map<Person, bigint>();

    const STAKES = { honest: 20n, liar: 30n, first: 10n, second: 10n, third: 10n };
    const names = Object.keys(STAKES) as (keyof typeof STAKES)[];
    const each = <T>(act: (name: keyof typeof STAKES) => Promise<T>): Promise<T[]> =>
      Promise.all(names.map(act));

    /** The task at this moment. */
    const fetched = (): Promise<Task> => client.fetch("task", task);

    async function holding(who: Person): Promise<bigint> {
      const address = tokenAccountOf(mint, who.key.publicKey);
      const { value } = await localnet().connection.getTokenAccountBalance(address);
      return BigInt(value.amount);
    }

    before(async () => {
      const chain = localnet();
      const bank = Keypair.generate();
      await chain.fund(bank.publicKey, 100n * SOL);
      const address = await createMint(chain.connection, bank, bank.publicKey, null, 6);
      mint = await fetchMint(chain.connection, address);
      client = new SecuringTasksClient(chain.provider(bank));
      const endow = async (who: Person, tokens: bigint): Promise<void> => {
        const account = await getOrCreateAssociatedTokenAccount(
          chain.connection,
          bank,
          address,
          who.key.publicKey,
        );
        await mintTo(chain.connection, bank, address, account.address, bank, tokens * TOKEN);
        wallets.set(who, tokens * TOKEN);
      };
      creator = await person("creator", 10n);
      await endow(creator, 100n);
      const made = await each(async (name) => {
        const who = await person(name, 10n);
        await endow(who, 40n);
        return [name, who] as const;
      });
      crew = Object.fromEntries(made) as typeof crew;
      const hot = await each(async (name) => [name, await person(`${name}-hot`, 10n)] as const);
      operators = Object.fromEntries(hot) as typeof crew;
    });

    after(() => {
      watcher.kill();
    });

    it("creates it from a file", async () => {
      await writeFile(join(folder, "audit.js"), 'export function audit() { return "valid"; }\n');
      await writeFile(
        join(folder, "task.yaml"),
        [
          `mint: ${mint.address.toBase58()}`,
          "auditFunction:",
          "  file: audit.js",
          "rules:",
          "  roundWindow: 900 slots",
          "  submissionWindow: 100 slots",
          "  auditWindow: 300 slots",
          "  commitWindow: 0",
          "  revealWindow: 500 slots",
          "  leaveDelay: 900 slots",
          "  workerStake: 20",
          "  witnessStake: 5",
          "  bounty: 1",
          "  bond: 0.5",
          "  voteDeposit: 100000 base",
          "  quorumVotes: 2",
          "  quorumStake: 30%",
          "  downtimeSlash: 10%",
          "  maliceSlash: 50%",
          "  initiatorBonus: 30%",
          "  poolShare: 10%",
          "  voteWeight: node",
          "  reward: all",
          "",
        ].join("\n"),
      );
      const made = await json<{
        readonly task: string;
        readonly id: string;
        readonly auditFunction: { readonly hash: string };
      }>(["task", "create", "--file", join(folder, "task.yaml")], creator);
      task = new PublicKey(made.task);
      expect(made.task).to.equal(taskAddress(creator.key.publicKey, BigInt(made.id)).toBase58());
      const { rules, auditFunction } = await fetched();
      expect(rules).to.include({ roundSlots: 900n, bountyPerRound: TOKEN, voteDeposit: 100_000n });
      expect(made.auditFunction.hash).to.equal(Buffer.from(auditFunction.hash).toString("hex"));
    });

    it("follows it live from another process", async () => {
      watcher = start(["watch", task.toBase58(), "--past", "1", "--json"], nobody);
      watcher.stderr?.on("data", (part: Buffer) => (watcherWords += part.toString()));
      if (!watcher.stdout) throw new Error("It has no output.");
      const first = new Promise<void>((resolve) => {
        createInterface({ input: watcher.stdout as NodeJS.ReadableStream }).on("line", (line) => {
          watched.push(JSON.parse(line) as Watched);
          resolve();
        });
      });
      await first;
      expect(watched.map(({ event }) => event)).to.deep.equal(["taskCreated"]);
    });

    it("funds it, and shows it", async () => {
      const funded = await json<{ readonly pool: string }>(
        ["task", "fund", task.toBase58(), "--amount", "5"],
        creator,
      );
      expect(funded.pool).to.equal("5000000");
      const shown = await json<{ readonly pool: string; readonly decimals: number }>(
        ["task", "show", task.toBase58()],
        nobody,
      );
      expect(shown).to.include({ pool: "5000000", decimals: 6 });
      const listed = await json<readonly { readonly address: string }[]>(
        ["task", "list", "--mine"],
        creator,
      );
      expect(listed.map(({ address }) => address)).to.deep.equal([task.toBase58()]);
    });

    it("joins nodes whose hot keys are others than their owners'", async () => {
      await each(async (name) => {
        const joined = await json<{ readonly stake: string; readonly operator: string }>(
          [
            ...["node", "join", task.toBase58()],
            ...["--role", name === "honest" || name === "liar" ? "worker" : "witness"],
            ...["--stake", STAKES[name].toString(), "--operator", operators[name].file],
          ],
          crew[name],
        );
        expect(joined).to.include({
          stake: (STAKES[name] * TOKEN).toString(),
          operator: operators[name].key.publicKey.toBase58(),
        });
      });
      const status = await json<{ readonly owner: string; readonly withdrawable: string }>(
        ["node", "status", task.toBase58()],
        operators.liar,
      );
      expect(status).to.include({
        owner: crew.liar.key.publicKey.toBase58(),
        withdrawable: "0",
      });
    });

    it("accuses work, votes on it, and decides", async () => {
      const now = await localnet().slot();
      round = roundAt(await fetched(), now) + 1n;
      await localnet().waitForSlot(roundStart(await fetched(), round));
      await Promise.all(
        (["honest", "liar"] as const).map((name) =>
          client
            .submitWork({
              task,
              owner: crew[name].key.publicKey,
              operator: operators[name].key.publicKey,
              round,
              payloadHash: sha256(name),
              payloadUri: `ipfs://${name}`,
            })
            .signers([operators[name].key])
            .rpc(),
        ),
      );
      const opened = await json<{ readonly audit: string; readonly endSlot: string }>(
        [
          ...["audit", "open", task.toBase58(), "--round", round.toString()],
          ...["--accused", crew.liar.key.publicKey.toBase58(), "--accusation", "malice"],
        ],
        operators.first,
      );
      audit = opened.audit;
      const votes = (["second", "third"] as const).map((name) =>
        json<{ readonly state: string }>(
          ["audit", "vote", audit, "--opinion", "malice"],
          operators[name],
        ),
      );
      const early = failure(["audit", "resolve", audit], nobody);
      for (const { state } of await Promise.all(votes)) expect(state).to.equal("revealed");
      expect(await early).to.include({ exit: 1, name: "votingOpen" });
      await localnet().waitForSlot(BigInt(opened.endSlot));
      const resolved = await json<{
        readonly outcome: string;
        readonly resolved: Readonly<Record<string, string>>;
      }>(["audit", "resolve", audit], creator);
      expect(resolved.outcome).to.equal("convictedMalice");
      // Half of 30; of it 30% and a third of 60% for the initiator, the other thirds for the voters.
      expect(resolved.resolved).to.include({
        slash: "15000000",
        initiatorAward: "7500000",
        votersPot: "6000000",
      });
    });

    it("claims shares and bounties for everybody", async () => {
      await localnet().waitForSlot(auditEnd(await fetched(), round));
      const claims = await Promise.all(
        (["second", "third", "honest"] as const).map((name) =>
          json<{ readonly shares: string; readonly bounties: string }>(
            ["audit", "claim", task.toBase58()],
            operators[name],
          ),
        ),
      );
      expect(claims.map(({ shares, bounties }) => [shares, bounties])).to.deep.equal([
        ["3000000", "0"],
        ["3000000", "0"],
        ["0", "500000"],
      ]);
      const again = await json<{ readonly votes: number }>(
        ["audit", "claim", task.toBase58()],
        operators.second,
      );
      expect(again.votes).to.equal(0);
    });

    it("lets nodes leave with what is theirs", async () => {
      const refused = await failure(
        ["node", "leave", task.toBase58(), "--amount", "6"],
        crew.first,
      );
      expect(refused).to.include({ exit: 1, name: "stakeBelowMinimum" });
      expect(refused.code).to.be.a("number");
      await each(async (name) => {
        const left = await json<{ readonly leaveSlot: string; readonly leaving: string }>(
          ["node", "leave", task.toBase58(), "--all"],
          crew[name],
        );
        await localnet().waitForSlot(BigInt(left.leaveSlot));
        const paid = await json<{ readonly left: string }>(
          ["node", "withdraw", task.toBase58()],
          crew[name],
        );
        expect(paid.left).to.equal("0");
      });
      const gains = await each(async (name) => {
        const who = crew[name];
        return [name, (await holding(who)) - (wallets.get(who) ?? 0n)] as const;
      });
      expect(Object.fromEntries(gains)).to.deep.equal({
        honest: 500_000n,
        liar: -15_000_000n,
        first: 7_500_000n,
        second: 3_000_000n,
        third: 3_000_000n,
      });
    });

    it("retires and closes it, and nothing is left", async () => {
      const alive = await failure(["task", "close", task.toBase58()], creator);
      expect(alive).to.include({ exit: 1, name: "notRetired" });
      const retired = await json<{ readonly paid: string }>(
        ["task", "retire", task.toBase58()],
        creator,
      );
      // Without the round's reserve, and with a tenth of the slash.
      expect(retired.paid).to.equal("5500000");
      const full = await failure(["task", "close", task.toBase58()], creator);
      expect(full).to.include({ exit: 1, name: "notEmpty" });
      expect(full.message).to.include(`round ${round.toString()} is over, with 2 submissions`);
      const closed = await json<{ readonly closed: boolean }>(
        ["task", "close", task.toBase58(), "--sweep"],
        creator,
      );
      expect(closed.closed).to.equal(true);
      for (const address of [task, vaultAddress(task)]) {
        expect(await localnet().account(address)).to.equal(null);
      }
      expect(await client.ofTask("node", task)).to.deep.equal([]);
      expect(await client.ofTask("submission", task)).to.deep.equal([]);
      expect((await holding(creator)) - (wallets.get(creator) ?? 0n)).to.equal(TOKEN);
    });

    it("has told everything, once and in order", async () => {
      // The last line comes when the watching process has read the last transaction.
      const isLast = ({ event, account }: Watched): boolean =>
        event === "accountClosed" && account === task.toBase58();
      while (!watched.some(isLast)) {
        expect(watcher.exitCode, watcherWords).to.equal(null);
        await new Promise((resolve) => {
          watcher.once("close", resolve);
          watcher.stdout?.once("data", resolve);
        });
      }
      const count = (event: string): number => watched.filter((one) => one.event === event).length;
      expect(watched.slice(0, 2).map(({ event }) => event)).to.deep.equal([
        "taskCreated",
        "taskFunded",
      ]);
      expect({
        joined: count("nodeJoined"),
        submitted: count("workSubmitted"),
        opened: count("auditOpened"),
        votes: count("voteCast"),
        resolved: count("auditResolved"),
        closed: count("accountClosed"),
        claimed: count("voteClaimed"),
        paid: count("bountyClaimed"),
        withdrawn: count("withdrawn"),
      }).to.deep.equal({
        joined: 5,
        submitted: 2,
        opened: 1,
        votes: 2,
        resolved: 1,
        closed: 12,
        claimed: 2,
        paid: 1,
        withdrawn: 5,
      });
    });
  });

  describe("keeps secret votes", () => {
    it("commits, keeps the salt in a private file, and reveals", async () => {
      const game = await Game.start({
        chain: localnet(),
        currency: "token",
        rules: {
          ...RULES,
          roundSlots: 700n,
          submissionSlots: 60n,
          auditSlots: 60n,
          commitSlots: 200n,
          revealSlots: 200n,
          leaveDelaySlots: 700n,
        },
        seats: [...workers(5_000n, "worker"), ...witnesses(4_000n, "caller", "voter")],
        pool: 10_000n,
      });
      const submission = await game.submit("worker", await game.round());
      const { address, revealSlot } = await game.accuse("caller", submission, "downtime");
      const file = join(folder, "voter-operator.json");
      const { operator, owner } = game.player("voter");
      await writeFile(file, JSON.stringify([...operator.secretKey]));
      const voter = { key: operator, file };
      const args = ["audit", "vote", address.toBase58()];
      const committed = await json<{ readonly state: string; readonly vote: string }>(
        [...args, "--opinion", "valid"],
        voter,
      );
      expect(committed.state).to.equal("committed");
      const salt = join(
        folder,
        `.config/securing-tasks/salts/${address.toBase58()}-${owner.publicKey.toBase58()}-valid.json`,
      );
      expect((await stat(salt)).mode & 0o777).to.equal(0o600);
      expect(await failure([...args, "--reveal"], voter)).to.include({
        exit: 1,
        name: "votingClosed",
      });
      await localnet().waitForSlot(revealSlot);
      const elsewhere = await failure(
        [...args, "--reveal", "--salts", join(folder, "empty")],
        voter,
      );
      expect(elsewhere).to.include({ exit: 1, name: "SaltMissing" });
      const revealed = await json<{ readonly opinion: string }>([...args, "--reveal"], voter);
      expect(revealed.opinion).to.equal("valid");
      expect(await readFile(salt).catch(() => "gone")).to.equal("gone");
    });
  });

  describe("makes SOL out of wrapped SOL by itself", () => {
    it("funds a task and leaves no wrapped SOL behind", async () => {
      const game = await Game.start({
        chain: localnet(),
        currency: "sol",
        rules: RULES,
        seats: [],
        pool: 0n,
      });
      const funder = await person("funder", 3n);
      const address = game.task.address.toBase58();
      const before = await localnet().connection.getBalance(funder.key.publicKey);
      const { pool, signature } = await json<{ readonly pool: string; readonly signature: string }>(
        ["task", "fund", address, "--amount", "1.25"],
        funder,
      );
      expect(pool).to.equal("1250000000");
      const { fee } = await localnet().outcome(signature);
      const after = await localnet().connection.getBalance(funder.key.publicKey);
      expect(BigInt(before - after)).to.equal(1_250_000_000n + fee);
      const poor = await failure(["task", "fund", address, "--amount", "50"], funder);
      expect(poor).to.include({ exit: 1, name: "InsufficientFunds" });
      expect(poor.message).to.match(/holds 1\.749\d* SOL, and 50 SOL are needed/);
      const broke = await failure(["task", "fund", address, "--amount", "1"], nobody);
      expect(broke).to.include({ exit: 1, name: "InsufficientFunds" });
    });
  });

  describe("says what went wrong", () => {
    it("an unknown task", async () => {
      const nothing = Keypair.generate().publicKey.toBase58();
      const { exit, name, message } = await failure(["task", "show", nothing], nobody);
      expect([exit, name]).to.deep.equal([1, "NotFound"]);
      expect(message).to.include(`There is no task at ${nothing}`);
    });

    it("a key that is not the creator's", async () => {
      const game = await Game.start({
        chain: localnet(),
        currency: "token",
        rules: RULES,
        seats: [],
        pool: 0n,
      });
      const other = await person("other", 1n);
      const { exit, name, message } = await failure(
        ["task", "pause", game.task.address.toBase58()],
        other,
      );
      expect([exit, name]).to.deep.equal([1, "notCreator"]);
      expect(message).to.include(game.creator.publicKey.toBase58());
    });

    it("a file with errors, each with its line", async () => {
      const file = join(folder, "wrong.yaml");
      await writeFile(file, "preset: seed\nrules:\n  bounti: 1\n");
      const { exit, message } = await failure(["task", "create", "--file", file], nobody);
      expect(exit).to.equal(2);
      expect(message).to.match(/wrong\.yaml:3:3: .*Did you mean `bounty`\?/);
    });

    it("an RPC server that can't be reached", async () => {
      const url = `http://127.0.0.1:${await getPort()}`;
      const { exit, name, message } = await failure(["key", "show"], nobody, url);
      expect([exit, name]).to.deep.equal([3, "NetworkError"]);
      expect(message).to.include("Check --url");
    });
  });
});

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
