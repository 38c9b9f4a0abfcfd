import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Node, Role } from "@securing-tasks/client";
import { ACCOUNT_BYTES, rentOf, tokenAccountOf } from "@securing-tasks/client";
import type { GameOptions } from "@securing-tasks/demo/game";
import { Game } from "@securing-tasks/demo/game";
import { AuthorityType, createSetAuthorityInstruction } from "@solana/spl-token";
import { Keypair, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import getPort from "get-port";
import type { Person } from "./utils/command_line";
import { CommandLine, ended } from "./utils/command_line";
import { RULES, witnesses, workers } from "./utils/games";
import { localnet } from "./utils/validator";

describe("the command line", () => {
  let cli: CommandLine;
  let nobody: Person;

  before(async () => {
    cli = await CommandLine.open();
    nobody = await cli.person("nobody");
  });

  after(() => cli.close());

  /** A game, its task's address as one types it, and its creator with SOL for fees. */
  async function play(
    options: Partial<GameOptions> = {},
  ): Promise<{ readonly game: Game; readonly task: string; readonly creator: Person }> {
    const game = await Game.start({
      chain: localnet(),
      currency: "token",
      rules: RULES,
      seats: [],
      pool: 0n,
      ...options,
    });
    const task = game.task.address.toBase58();
    return { game, task, creator: await cli.person(`creator-${task}`, 10n, game.creator) };
  }

  /** A player's owner or operator, with SOL for fees. */
  const keyOf = (game: Game, name: string, which: "owner" | "operator"): Promise<Person> =>
    cli.person(`${name}-${which}`, 1n, game.player(name)[which]);

  it("commits to a secret vote, keeps the salt in a private file, and reveals", async () => {
    const { game } = await play({
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
    const voter = await keyOf(game, "voter", "operator");
    const owner = game.player("voter").owner.publicKey;
    const args = ["audit", "vote", address.toBase58()];
    const committed = await cli.json<{ readonly state: string }>(
      [...args, "--opinion", "valid"],
      voter,
    );
    expect(committed.state).to.equal("committed");
    const salt = join(
      cli.folder,
      `.config/securing-tasks/salts/${address.toBase58()}-${owner.toBase58()}-valid.json`,
    );
    expect((await stat(salt)).mode & 0o777).to.equal(0o600);
    const reveal = ["audit", "reveal", address.toBase58()];
    expect(await cli.failure(reveal, voter)).to.include({ exit: 1, name: "votingClosed" });
    await localnet().waitForSlot(revealSlot);
    const revealed = await cli.json<{ readonly opinion: string }>(reveal, voter);
    expect(revealed.opinion).to.equal("valid");
    expect(await readFile(salt).catch(() => "gone")).to.equal("gone");
  });

  it("funds a task of SOL and leaves no wrapped SOL behind", async () => {
    const { task } = await play({ currency: "sol" });
    const funder = await cli.person("funder", 3n);
    const before = await localnet().connection.getBalance(funder.key.publicKey);
    const { pool, signature } = await cli.json<{
      readonly pool: string;
      readonly signature: string;
    }>(["task", "fund", task, "--amount", "1.25"], funder);
    expect(pool).to.equal("1250000000");
    const { fee } = await localnet().outcome(signature);
    const after = await localnet().connection.getBalance(funder.key.publicKey);
    expect(BigInt(before - after)).to.equal(1_250_000_000n + fee);
    const poor = await cli.failure(["task", "fund", task, "--amount", "50"], funder);
    expect(poor).to.include({ exit: 1, name: "InsufficientFunds" });
    expect(poor.message).to.match(/holds 1\.749\d* SOL, and 50 SOL are needed/);
    const broke = await cli.failure(["task", "fund", task, "--amount", "1"], nobody);
    expect(broke).to.include({ exit: 1, name: "InsufficientFunds" });
  });

  it("pauses a task and lets it go on", async () => {
    const { game, task, creator } = await play();
    const status = async (): Promise<string> =>
      (await game.client.fetch("task", game.task.address)).status;
    const said = await cli.json(["task", "pause", task], creator);
    expect(said).to.include({ task, status: "paused" });
    expect(await status()).to.equal("paused");
    const twice = await cli.failure(["task", "pause", task], creator);
    expect(twice).to.include({ exit: 1, name: "taskPaused" });
    expect(await cli.json(["task", "resume", task], creator)).to.include({ status: "active" });
    expect(await status()).to.equal("active");
    const goesOn = await cli.failure(["task", "resume", task], creator);
    expect(goesOn).to.include({ exit: 1, name: "notPaused" });
  });

  describe("keeps a task's allowlist", () => {
    /** Owner and role of every entry. */
    const entries = async (game: Game): Promise<string[]> => {
      const all = await game.client.ofTask("allowEntry", game.task.address);
      return all.map(({ owner, role }) => `${owner.toBase58()} ${role}`).sort();
    };
    const closed = { ...RULES, witnessGate: { kind: "allowlist" } } as const;

    it("of one owner at a time", async () => {
      const { game, task, creator } = await play({ rules: closed });
      const owner = Keypair.generate().publicKey.toBase58();
      const args = ["task", "allow", task, owner, "--role", "witness"];
      expect(await cli.json(args, creator)).to.include({ added: 1, already: 0 });
      expect(await entries(game)).to.deep.equal([`${owner} witness`]);
      expect(await cli.json(args, creator)).to.include({ added: 0, already: 1 });
      const listed = await cli.json<readonly { readonly owner: string; readonly role: string }[]>(
        ["task", "allow", task, "--list"],
        nobody,
      );
      expect(listed).to.have.length(1);
      expect(listed[0]).to.include({ owner, role: "witness" });
      expect(await cli.json([...args, "--remove"], creator)).to.include({ removed: 1, missing: 0 });
      expect(await entries(game)).to.deep.equal([]);
      expect(await cli.json([...args, "--remove"], creator)).to.include({ removed: 0, missing: 1 });
    });

    it("of a file, in several transactions, each with the priority fee", async () => {
      const { game, task, creator } = await play({ rules: closed });
      const owners = Array.from({ length: 400 }, () => Keypair.generate().publicKey.toBase58());
      const roles = owners.map((_, index): Role => (index % 2 === 0 ? "witness" : "worker"));
      const rows = owners.map((owner, index) =>
        roles[index] === "worker" ? `${owner},worker` : owner,
      );
      const file = join(cli.folder, "owners.csv");
      await writeFile(file, ["owner,role", ...rows, ""].join("\n"));
      const args = ["task", "allow", task, "--file", file, "--role", "witness"];
      const { signatures, ...said } = await cli.json<{ readonly signatures: readonly string[] }>(
        [...args, "--priority-fee", "1000000"],
        creator,
      );
      expect(said).to.include({ added: 400, already: 0 });
      expect(await entries(game)).to.deep.equal(
        owners.map((owner, index) => `${owner} ${roles[index] ?? ""}`).sort(),
      );
      expect(signatures).to.have.length(37);
      for (const signature of signatures) {
        // A lamport for each unit of compute, and thousands of those for each entry.
        const { fee } = await localnet().outcome(signature);
        expect(Number(fee)).to.be.above(15_000);
      }
      expect(await cli.json(args, creator)).to.include({ added: 0, already: 400 });
      // More than a pipe holds at once.
      const list = cli.words(["task", "allow", task, "--list", "--json"], nobody).join(" ");
      const { stdout } = await ended(cli.spawn("sh", ["-c", `${list} | cat`]));
      expect(stdout.length).to.be.above(65_536);
      expect(JSON.parse(stdout)).to.have.length(400);
    });

    it("and sends nothing of a list with lines that can't be read", async () => {
      const { game, task, creator } = await play({ rules: closed });
      const file = join(cli.folder, "wrong.csv");
      await writeFile(file, `${Keypair.generate().publicKey.toBase58()}\nnobody\n`);
      const { exit, message } = await cli.failure(
        ["task", "allow", task, "--file", file, "--role", "witness"],
        creator,
      );
      expect(exit).to.equal(2);
      expect(message).to.include('line 2 ("nobody" is no address)');
      expect(await entries(game)).to.deep.equal([]);
    });
  });

  it("opens an audit beside others, and resolves those that were opened before it first", async () => {
    const { game, task, creator } = await play({
      rules: {
        ...RULES,
        roundSlots: 1_200n,
        submissionSlots: 100n,
        auditSlots: 500n,
        revealSlots: 400n,
        leaveDelaySlots: 1_200n,
        quorumVotes: 2,
      },
      seats: [...workers(5_000n, "worker"), ...witnesses(4_000n, "friend", "honest", "b", "c")],
    });
    const work = await game.submit("worker", await game.round());
    const first = await game.accuse("friend", work, "downtime");
    const honest = await keyOf(game, "honest", "operator");
    const { audit, others, endSlot } = await cli.json<{
      readonly audit: string;
      readonly others: number;
      readonly endSlot: string;
    }>(
      [
        ...["audit", "open", task, "--submission", work.address.toBase58()],
        ...["--accusation", "malice"],
      ],
      honest,
    );
    expect(others).to.equal(1);
    const pledged = await cli.json(["node", "status", task], honest);
    expect(pledged).to.include({ pledged: "101", stake: "4000" });
    for (const name of ["b", "c"]) {
      const voter = await keyOf(game, name, "operator");
      await cli.json(["audit", "vote", audit, "--opinion", "malice"], voter);
    }
    const shown = await cli.json<{ readonly earlierOpen: readonly string[] }>(
      ["audit", "show", audit],
      nobody,
    );
    expect(shown.earlierOpen).to.deep.equal([first.address.toBase58()]);
    await localnet().waitForSlot(BigInt(endSlot));
    const resolved = await cli.json<{
      readonly outcome: string;
      readonly earlier: readonly string[];
      readonly resolved: Readonly<Record<string, string>>;
    }>(["audit", "resolve", audit], creator);
    expect(resolved.outcome).to.equal("convictedMalice");
    expect(resolved.resolved).to.include({ audit, slash: "2500" });
    expect(resolved.earlier).to.deep.equal([first.address.toBase58()]);
    const listed = await cli.json<
      readonly { readonly attempt: number; readonly outcome: string }[]
    >(["audit", "list", task], nobody);
    expect(listed.map(({ attempt, outcome }) => [attempt, outcome])).to.deep.equal([
      [0, "noVerdict"],
      [1, "convictedMalice"],
    ]);
    const again = await cli.failure(["audit", "resolve", audit], creator);
    expect(again).to.include({ exit: 1, name: "alreadyResolved" });
  });

  it("lets another key pay for a node and for entries of the list, and the rent goes back to it", async () => {
    const { game, task, creator } = await play({
      rules: { ...RULES, witnessGate: { kind: "allowlist" } },
    });
    const payer = await cli.person("payer", 1n);
    const owner = await cli.person("owner-without-sol");
    await game.newcomer(1_000n, owner.key);
    const hot = await cli.person("hot-of-owner");
    const rich = async (): Promise<bigint> =>
      BigInt(await localnet().connection.getBalance(payer.key.publicKey));
    const before = await rich();
    const allow = ["task", "allow", task, owner.key.publicKey.toBase58(), "--role", "witness"];
    await cli.json([...allow, "--payer", payer.file], creator);
    const join = ["node", "join", task, "--role", "witness", "--stake", "1000 base"];
    const joined = await cli.json<{ readonly signature: string }>(
      [...join, "--operator", hot.file, "--payer", payer.file],
      owner,
    );
    const ledger = await game.ledger();
    const mine = payer.key.publicKey.toBase58();
    expect(ledger.nodes.map((node) => node.payer.toBase58())).to.deep.equal([mine]);
    expect(ledger.entries.map((entry) => entry.payer.toBase58())).to.deep.equal([mine]);
    expect((await localnet().outcome(joined.signature)).fee).to.equal(10_000n);
    const { node, allowEntry } = ACCOUNT_BYTES;
    const [ofNode, ofEntry] = [rentOf(node), rentOf(allowEntry)];
    expect(before - (await rich())).to.equal(ofNode + ofEntry + 20_000n);
    await cli.json([...allow, "--remove"], creator);
    expect(before - (await rich())).to.equal(ofNode + 20_000n);
  });

  it("clears a retired task away for anybody, whatever its nodes leave behind", async () => {
    const { game, task, creator } = await play({
      rules: { ...RULES, workerGate: { kind: "allowlist" } },
      seats: witnesses(1_000n, "absent", "hostile"),
    });
    await game.allow(Keypair.generate().publicKey.toBase58(), "worker");
    const [absent, hostile] = [game.player("absent").owner, game.player("hostile").owner];
    // Its usual account is another's, and the creator's too: what is paid there would be no more its own.
    const { returnSlot } = await cli.json<{ readonly returnSlot: string }>(
      ["task", "retire", task],
      creator,
    );
    for (const owner of [hostile, creator.key]) {
      const give = createSetAuthorityInstruction(
        tokenAccountOf(game.task.mint, owner.publicKey),
        owner.publicKey,
        AuthorityType.AccountOwner,
        Keypair.generate().publicKey,
      );
      await localnet().send(new Transaction().add(give), [game.bank, owner]);
    }

    const { retiredSlot, rules } = await game.client.fetch("task", game.task.address);
    expect(returnSlot).to.equal((retiredSlot + rules.leaveDelaySlots).toString());
    const stranger = await cli.person("stranger", 1n);
    const early = await cli.failure(["task", "close", task], stranger);
    expect(early).to.include({ exit: 1, name: "notEmpty" });
    expect(early.message).to.match(/its owner can ask to leave, and withdraw; anybody may/);
    await localnet().waitForSlot(BigInt(returnSlot));
    const closed = await cli.json(["task", "close", task, "--sweep"], stranger);
    expect(closed).to.include({ closed: true, payer: creator.key.publicKey.toBase58() });
    expect(await game.client.find("task", game.task.address)).to.equal(null);
    for (const owner of [absent, hostile]) {
      const { value } = await localnet().connection.getParsedTokenAccountsByOwner(owner.publicKey, {
        mint: game.task.mint.address,
      });
      const amounts = value.map(
        ({ account }) =>
          (account.data.parsed as { info: { tokenAmount: { amount: string } } }).info.tokenAmount
            .amount,
      );
      expect(amounts).to.deep.equal(["1000"]);
    }
  });

  it("adds stake, names another operator, and takes a request to leave back", async () => {
    const { game, task } = await play({ seats: workers(5_000n, "worker") });
    const owner = await keyOf(game, "worker", "owner");
    await game.newcomer(700n, owner.key);
    const node = (): Promise<Node> => game.node("worker");

    const staked = await cli.json(["node", "stake", task, "--amount", "700 base"], owner);
    expect(staked).to.include({ amount: "700", stake: "5700" });
    expect((await node()).stake).to.equal(5_700n);
    const poor = await cli.failure(["node", "stake", task, "--amount", "1 base"], owner);
    expect(poor).to.include({ exit: 1, name: "InsufficientFunds" });

    const young = await cli.json<{
      readonly arrivals: readonly { readonly amount: string }[];
    }>(["node", "status", task], owner);
    expect(young.arrivals.at(-1)?.amount).to.equal("700");

    const hot = await cli.person("new-hot");
    const named = await cli.json(["node", "operator", task, hot.file], owner);
    expect(named).to.include({ operator: hot.key.publicKey.toBase58() });
    expect((await node()).operator.toBase58()).to.equal(hot.key.publicKey.toBase58());

    const asked = await cli.json(["node", "leave", task, "--amount", "1200 base"], owner);
    expect(asked).to.include({ leaving: "1200" });
    expect((await node()).leaving).to.equal(1_200n);
    const stays = await cli.json(["node", "leave", task, "--cancel"], owner);
    expect(stays).to.include({ leaving: "0", stake: "5700" });
    expect((await node()).leaving).to.equal(0n);
    const nothing = await cli.failure(["node", "leave", task, "--cancel"], owner);
    expect(nothing).to.include({ exit: 1, name: "nothingLeaving" });
  });

  it("closes a node when all of it can leave, and pays nothing before", async () => {
    const { game, task } = await play({ seats: witnesses(4_000n, "witness") });
    const owner = await keyOf(game, "witness", "owner");
    const part = await cli.json<{ readonly leaveSlot: string }>(
      ["node", "leave", task, "--amount", "500 base"],
      owner,
    );
    await localnet().waitForSlot(BigInt(part.leaveSlot));
    const early = await cli.failure(["node", "withdraw", task, "--close"], owner);
    expect(early).to.include({ exit: 1, name: "notEmpty" });
    expect(early.message).to.include("Nothing was sent");
    expect((await game.node("witness")).leaving).to.equal(500n);
    const all = await cli.json<{ readonly leaveSlot: string }>(
      ["node", "leave", task, "--all"],
      owner,
    );
    await localnet().waitForSlot(BigInt(all.leaveSlot));
    const closed = await cli.json(["node", "withdraw", task, "--close"], owner);
    expect(closed).to.include({ paid: "4000", left: "0", closed: true });
    expect(await game.client.find("node", game.player("witness").node)).to.equal(null);
  });

  describe("checks an audit function on work of the chain", () => {
    const SOUND = `export const audit = ({ submission }) =>
      submission.payloadUri.startsWith("ipfs://worker/") ? "valid" : "malicious";`;
    /** Its verdict is that of the answer that comes first. */
    const RACE = `export const audit = ({ account, task, submission }) =>
      Promise.race([
        account(task.address).then(() => "valid"),
        account(submission.address).then(() => "malicious"),
      ]);`;

    interface Checked {
      readonly hash: string;
      readonly verdict: string;
      readonly deterministic: boolean;
      readonly runs: readonly { readonly seed: string; readonly verdict: string }[];
    }

    /** Work for a task that is bound to {@link SOUND}. */
    async function submitted(): Promise<string> {
      const bound = join(cli.folder, "bound.js");
      await writeFile(bound, SOUND);
      const { game } = await play({
        seats: workers(5_000n, "worker"),
        auditFunction: { hash: sha256(SOUND), uri: `file://${bound}` },
      });
      const work = await game.submit("worker", await game.round());
      return work.address.toBase58();
    }

    it("the task's own, fetched by its URI", async () => {
      const work = await submitted();
      const { hash, verdict, deterministic, runs } = await cli.json<Checked>(
        ["audit", "check", "--submission", work],
        nobody,
      );
      expect({ hash, verdict, deterministic }).to.deep.equal({
        hash: Buffer.from(sha256(SOUND)).toString("hex"),
        verdict: "valid",
        deterministic: true,
      });
      expect(new Set(runs.map(({ seed }) => seed)).size).to.equal(2);
    });

    it("or another, and refuses one whose verdict moves", async () => {
      const work = await submitted();
      const file = join(cli.folder, "race.js");
      await writeFile(file, RACE);
      const { code, stdout, stderr } = await cli.run(
        ["audit", "check", file, "--submission", work, "--json"],
        nobody,
      );
      expect(code).to.equal(1);
      const { deterministic, runs } = JSON.parse(stdout) as Checked;
      expect(deterministic).to.equal(false);
      expect(runs.map(({ verdict }) => verdict)).to.include.members(["valid", "malicious"]);
      expect(JSON.parse(stderr)).to.have.nested.property("error.name", "NotDeterministic");
    });
  });

  describe("says what went wrong", () => {
    it("an unknown task", async () => {
      const nothing = Keypair.generate().publicKey.toBase58();
      const { exit, name, message } = await cli.failure(["task", "show", nothing], nobody);
      expect([exit, name]).to.deep.equal([1, "NotFound"]);
      expect(message).to.include(`There is no task at ${nothing}`);
    });

    it("a key that is not the creator's", async () => {
      const { game, task } = await play();
      const other = await cli.person("other", 1n);
      const { exit, name, message } = await cli.failure(["task", "pause", task], other);
      expect([exit, name]).to.deep.equal([1, "notCreator"]);
      expect(message).to.include(game.creator.publicKey.toBase58());
    });

    it("a file with errors, each with its line", async () => {
      const file = join(cli.folder, "wrong.yaml");
      await writeFile(file, "preset: seed\nrules:\n  bounti: 1\n");
      const { exit, message } = await cli.failure(["task", "create", "--file", file], nobody);
      expect(exit).to.equal(2);
      expect(message).to.match(/wrong\.yaml:3:3: .*Did you mean `bounty`\?/);
    });

    it("an RPC server that can't be reached", async () => {
      const port = await getPort();
      const lost = await CommandLine.open({
        url: `http://127.0.0.1:${port}`,
        websocket: `ws://127.0.0.1:${port}`,
      });
      const { exit, name, message } = await lost.failure(["key", "show"], nobody);
      expect([exit, name]).to.deep.equal([3, "NetworkError"]);
      expect(message).to.include("Check --url");
      await lost.close();
    });
  });
});

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
