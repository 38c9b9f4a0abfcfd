import type { Audit, SealedReveal } from "@securing-tasks/client";
import { voteAddress } from "@securing-tasks/client";
import type { RecordedRun } from "@securing-tasks/sandbox";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Bench } from "../../node/test/utils/bench";
import { Inside } from "../../node/test/utils/inside";
import { spawn } from "node:child_process";
import type { Failed, Ran } from "../../../tests/utils/command_line";
import { ended, failed } from "../../../tests/utils/command_line";

const BIN = join(__dirname, "../bin/securing-tasks.js");
const WINDOWS = {
  roundSlots: 1_000n,
  submissionSlots: 500n,
  auditSlots: 300n,
  commitSlots: 100n,
  revealSlots: 100n,
  leaveDelaySlots: 1_200n,
};

describe("the command line among secret votes", function () {
  this.timeout(180_000);
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.make(WINDOWS);
  });

  afterEach(async () => {
    await bench.end();
  });

  function run(who: Keypair, ...args: readonly string[]): Promise<Ran> {
    const file = join(bench.folder, `${who.publicKey.toBase58()}.json`);
    writeFileSync(file, JSON.stringify([...who.secretKey]), { mode: 0o600 });
    const { PATH } = process.env;
    const env = { PATH, HOME: bench.folder, SECURING_TASKS_URL: bench.rpcUrl };
    const words = [BIN, ...args, "--keypair", file, "--json"];
    return ended(spawn(process.execPath, words, { cwd: bench.folder, env }));
  }

  async function json<T>(who: Keypair, ...args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await run(who, ...args);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as T;
  }

  async function failure(who: Keypair, ...args: readonly string[]): Promise<Failed> {
    return failed(await run(who, ...args));
  }

  const stateOf = async (audit: Audit, voter: Keypair): Promise<string | undefined> =>
    (await bench.client.find("vote", voteAddress(audit.address, voter.publicKey)))?.state;

  /** A witness and an audit that it may vote in. */
  async function dispute(): Promise<{
    readonly voter: Keypair;
    readonly audit: Audit;
    readonly name: string;
  }> {
    const voter = await bench.join("witness", 1_000n);
    const audit = await bench.quarrel();
    return { voter, audit, name: audit.address.toBase58() };
  }

  it("reveals by the operator's key alone, whatever was lost", async () => {
    const { voter, audit, name } = await dispute();
    await json(voter, "audit", "vote", name, "--opinion", "malice");
    rmSync(join(bench.folder, ".config"), { recursive: true });
    expect(await failure(voter, "audit", "reveal", name)).to.include({
      exit: 1,
      name: "votingClosed",
    });
    await bench.chain.waitForSlot(audit.revealSlot);
    const told = await json<{ readonly opinion: string }>(voter, "audit", "reveal", name);
    expect([told.opinion, await stateOf(audit, voter)]).to.deep.equal(["malice", "revealed"]);
  });

  it("says so where no salt of the key or the folder fits", async () => {
    const { voter, audit, name } = await dispute();
    await json(voter, "audit", "vote", name, "--opinion", "malice");
    const next = Keypair.generate();
    await bench.chain.fund(next.publicKey, 100_000_000n);
    const about = { task: bench.task, owner: voter.publicKey, operator: next.publicKey };
    await bench.send(bench.client.setOperator(about), voter);
    await bench.chain.waitForSlot(audit.revealSlot);
    const refused = await failure(
      next,
      "audit",
      "reveal",
      name,
      "--salts",
      join(bench.folder, "none"),
    );
    expect(refused).to.include({ exit: 1, name: "SaltMissing" });
    // What is kept opens it, whoever the operator is by now.
    await json(next, "audit", "reveal", name);
    expect(await stateOf(audit, voter)).to.equal("revealed");
  });

  it("seals a reveal into a private file, and reveals it with any key that pays", async () => {
    const { voter, audit, name } = await dispute();
    const file = join(bench.folder, "vote.json");
    const args = ["audit", "vote", name, "--opinion", "malice", "--sealed-out", file];
    writeFileSync(file, "mine");
    expect(await failure(voter, ...args)).to.include({ exit: 2, name: "UsageError" });
    expect([readFileSync(file, "utf8"), await stateOf(audit, voter)]).to.deep.equal([
      "mine",
      undefined,
    ]);
    rmSync(file);
    await json(voter, ...args);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    const sealed = JSON.parse(readFileSync(file, "utf8")) as SealedReveal;
    expect([sealed.audit, sealed.voter, sealed.opinion]).to.deep.equal([
      name,
      voter.publicKey.toBase58(),
      "malice",
    ]);

    const keeper = Keypair.generate();
    await bench.chain.fund(keeper.publicKey, 100_000_000n);
    expect(await failure(keeper, "audit", "reveal", "--sealed", file)).to.include({
      name: "votingClosed",
    });
    await bench.chain.waitForSlot(audit.revealSlot);
    const broken = join(bench.folder, "broken.json");
    writeFileSync(broken, "{}");
    expect(await failure(keeper, "audit", "reveal", "--sealed", broken)).to.include({ exit: 2 });
    expect(await failure(keeper, "audit", "reveal", name, "--sealed", file)).to.include({
      exit: 2,
    });
    writeFileSync(broken, JSON.stringify({ ...sealed, salt: "00".repeat(32) }));
    expect(await failure(keeper, "audit", "reveal", "--sealed", broken)).to.include({
      exit: 1,
      name: "commitmentMismatch",
    });
    await json(keeper, "audit", "reveal", "--sealed", file);
    expect(await stateOf(audit, voter)).to.equal("revealed");
    expect(await failure(keeper, "audit", "reveal", "--sealed", file)).to.include({
      name: "alreadyRevealed",
    });
  });

  it("hands a reveal to keepers, and says which of them took it", async () => {
    const hand = await bench.hire("keeper", "witness", 1_000n, {
      keeper: { for: "any" },
      quietSlots: 0,
    });
    const daemon = new Inside({ ...hand.config, samples: 0 });
    try {
      await daemon.start();
      const { voter, audit, name } = await dispute();
      const url = hand.config.http?.publicUrl ?? "";
      await bench.chain.waitForSlot(audit.openSlot + 30n);
      await bench.until("it sees the audit", async () => {
        const answer = await fetch(`${url}/reveals`, { method: "POST", body: "{}" });
        return answer.status === 400 && daemon.said("judged").length > 0;
      });
      const nobody = "http://127.0.0.1:9";
      const args = ["audit", "vote", name, "--opinion", "malice"];
      expect(await failure(voter, ...args, "--keeper", "node")).to.include({ exit: 2 });
      const { keepers } = await json<{ readonly keepers: readonly object[] }>(
        voter,
        ...args,
        "--keeper",
        url,
        nobody,
      );
      expect(keepers.map((one) => ({ ...one, message: "" }))).to.deep.equal([
        { keeper: url, taken: true, message: "" },
        { keeper: nobody, taken: false, message: "" },
      ]);
      await bench.chain.waitForSlot(audit.revealSlot + 80n);
      await bench.until("a reveal", async () => (await stateOf(audit, voter)) === "revealed");
    } finally {
      await daemon.stop();
    }
  });
});

describe("the command line and an accusation's evidence", function () {
  this.timeout(180_000);
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.make({ ...WINDOWS, commitSlots: 0n });
  });

  afterEach(async () => {
    await bench.end();
  });

  it("plays a recording again offline, and says whether it is the audit's", async () => {
    const content = "not what was asked for";
    const web = createServer((_request, response) => response.end(content)).listen(0, "127.0.0.1");
    await once(web, "listening");
    const hand = await bench.hire("witness", "witness", 1_500n);
    const daemon = new Inside(hand.config);
    const looker = Keypair.generate();
    const run = async (url: string, ...args: readonly string[]): Promise<Ran> => {
      const file = join(bench.folder, "looker.json");
      writeFileSync(file, JSON.stringify([...looker.secretKey]));
      const env = { PATH: process.env["PATH"], HOME: bench.folder, SECURING_TASKS_URL: url };
      const words = [BIN, "audit", "check", ...args, "--keypair", file, "--json"];
      return ended(spawn(process.execPath, words, { cwd: bench.folder, env }));
    };
    let audit: Audit;
    const file = join(bench.folder, "evidence.json");
    let text: string;
    try {
      await daemon.start();
      const worker = await bench.join("worker", 2_000n);
      await bench.chain.waitForSlot((await bench.chain.slot()) + 1n);
      const work = {
        ...{ task: bench.task, owner: worker.publicKey, round: 0n },
        payloadHash: createHash("sha256").update(content).digest(),
        payloadUri: `http://127.0.0.1:${(web.address() as AddressInfo).port}/work`,
      };
      await bench.send(bench.client.submitWork(work), worker);
      const { startSlot } = await bench.client.fetch("task", bench.task);
      await bench.chain.waitForSlot(startSlot + 500n + 120n);
      audit = await bench.until("an accusation", async () => {
        const [first] = await bench.client.ofTask("audit", bench.task);
        return first;
      });
      const hash = Buffer.from(audit.evidenceHash ?? []).toString("hex");
      text = await (await fetch(`${hand.config.http?.publicUrl ?? ""}/evidence/${hash}`)).text();
    } finally {
      await daemon.stop();
      web.closeAllConnections();
      web.close();
    }
    writeFileSync(file, text);
    const hash = createHash("sha256").update(text).digest("hex");
    const name = audit.address.toBase58();

    const offline = await run("http://127.0.0.1:9", "--recording", file);
    expect(offline.code, offline.stderr).to.equal(0);
    expect(JSON.parse(offline.stdout)).to.deep.include({
      ...{ hash, verdict: "malicious", recorded: "malicious" },
      ...{ submission: audit.submission.toBase58(), evidenceHash: null, isEvidence: null },
    });
    const ours = await run(bench.rpcUrl, "--recording", file, "--audit", name);
    expect(ours.code, ours.stderr).to.equal(0);
    expect(JSON.parse(ours.stdout)).to.deep.include({ hash, evidenceHash: hash, isEvidence: true });

    // A byte more, and it is another file.
    writeFileSync(file, `${text}\n`);
    const other = await run(bench.rpcUrl, "--recording", file, "--audit", name);
    expect([other.code, other.stderr]).to.satisfy(
      () => other.code === 1 && /NotTheEvidence/.test(other.stderr),
    );
    expect(JSON.parse(other.stdout)).to.deep.include({ evidenceHash: hash, isEvidence: false });

    // What is made up is told, by the chain's word or by its own.
    const made = JSON.parse(text) as RecordedRun;
    const told = async (
      change: Partial<RecordedRun>,
      ...args: readonly string[]
    ): Promise<string> => {
      writeFileSync(file, JSON.stringify({ ...made, ...change }));
      const { code, stderr } = await run(bench.rpcUrl, "--recording", file, ...args);
      return `${code ?? ""} ${stderr}`;
    };
    expect(await told({ verdict: "valid" })).to.match(/^1 .*NotReproduced.*says malicious/s);
    expect(await told({ code: `${made.code} ` })).to.match(/^1 .*NotReproduced.*has the SHA-256/s);
    expect(await told({ version: 2 as 1 })).to.match(/^2 .*`version`/s);
  });
});
