import type { SealedReveal, VoteSecret } from "@securing-tasks/client";
import { SecuringTasksClient, sealReveal, voteCommitment } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { PatientOutbox, SqliteSaltStore, StateError, Store } from "@securing-tasks/node";
import type { Letter, Outbox } from "@securing-tasks/node";
import { Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const audit = Keypair.generate().publicKey;
const voter = Keypair.generate().publicKey;
const secret = (opinion: VoteSecret["opinion"], fill: number): VoteSecret => ({
  audit,
  voter,
  opinion,
  salt: new Uint8Array(32).fill(fill),
});

/** Keeps a salt, tells of it, and so on until it is killed. */
const KEEPER = `
const { SqliteSaltStore, Store } = require("@securing-tasks/node");
const { Keypair } = require("@solana/web3.js");
const { randomBytes } = require("node:crypto");
(async () => {
  const salts = new SqliteSaltStore(new Store(process.argv[1]));
  for (;;) {
    const audit = Keypair.generate().publicKey;
    const { salt } = await salts.keep({ audit, voter: audit, opinion: "malice", salt: randomBytes(32) });
    process.stdout.write(audit.toBase58() + " " + Buffer.from(salt).toString("hex") + "\\n");
  }
})();`;

describe("a daemon's state", () => {
  let folder: string;
  let store: Store;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "securing-tasks-state-"));
    store = new Store(folder);
  });

  afterEach(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });

  it("keeps the first salt of an opinion, whoever comes with another, and forgets all on request", async () => {
    const salts = new SqliteSaltStore(store);
    expect(await salts.keep(secret("malice", 1))).to.deep.equal(secret("malice", 1));
    expect(await salts.keep(secret("malice", 2))).to.deep.equal(secret("malice", 1));
    await salts.keep(secret("valid", 3));
    store.close();
    store = new Store(folder);
    const again = new SqliteSaltStore(store);
    expect(await again.find(audit, voter)).to.deep.equal([secret("valid", 3), secret("malice", 1)]);
    await again.forget(audit, voter);
    expect(await again.find(audit, voter)).to.deep.equal([]);
  });

  it("serves the client's committed votes", async () => {
    const client = new SecuringTasksClient(EmbeddedChain.start().provider(Keypair.generate()));
    const salts = new SqliteSaltStore(store);
    const task = Keypair.generate().publicKey;
    const made = await client.commitVote({ task, audit, voter, opinion: "valid", salts });
    const [kept] = await salts.find(audit, voter);
    expect(kept && voteCommitment(kept)).to.deep.equal(voteCommitment(made.secret));
  });

  it("has every salt that a process kept before it was killed", async function () {
    this.timeout(120_000);
    store.close();
    const told = new Map<string, string>();
    for (const most of [5, 40]) {
      const child = spawn(process.execPath, ["-e", KEEPER, folder], {
        cwd: __dirname,
        stdio: ["ignore", "pipe", "inherit"],
      });
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        const [name = "", salt = ""] = line.split(" ");
        if (salt.length === 64) told.set(name, salt);
        lines += 1;
        if (lines === most) child.kill("SIGKILL");
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
    expect(told.size).to.be.at.least(45);
    // The lock of a killed process is nobody's.
    store = new Store(folder);
    for (const [name, salt] of told) {
      const key = new PublicKey(name);
      const [kept] = store.salts(key, key);
      expect(Buffer.from(kept?.salt ?? []).toString("hex")).to.equal(salt);
    }
  });

  it("keeps reveals of others until they are paid or over, and counts what it paid", () => {
    const sealed = (voter: PublicKey): SealedReveal =>
      sealReveal(audit, { ...secret("malice", 1), voter });
    const all = [1, 2, 3].map(() => sealed(Keypair.generate().publicKey));
    const [first, second, third] = all;
    if (!first || !second || !third) throw new Error("There are three.");
    for (const [index, one] of all.entries()) store.keepReveal(one, 1_000n + BigInt(index));
    store.keepReveal(first, 9_000n);
    store.close();
    store = new Store(folder);
    expect(store.keptReveals()).to.have.deep.members(all);
    store.forgetReveal(second, true, 500n);
    expect([store.paidReveals(500n), store.paidReveals(501n)]).to.deep.equal([1, 0]);
    store.forgetReveals(1_000n, 500n);
    expect(store.keptReveals()).to.deep.equal([third]);
    expect(store.paidReveals(0n)).to.equal(1);
    store.forgetReveal(third, false, 600n);
    expect([store.keptReveals(), store.paidReveals(0n)]).to.deep.equal([[], 1]);
    store.forgetReveals(1_000n, 501n);
    expect(store.paidReveals(0n)).to.equal(0);
  });

  it("keeps the recordings that went with accusations before all others, and gives no others out", () => {
    const keep = (name: string, opinion: "downtime" | "malice", caseEnd = 10): void => {
      const content = `${name} ${opinion}`;
      const submission = name.split("/")[0] ?? "";
      store.keepRecording({ hash: content, submission, opinion, caseEnd, content });
    };
    keep("a/1", "malice");
    keep("a/2", "malice");
    keep("a/1", "downtime");
    expect(store.recordingOf("a", "malice")).to.equal("a/2 malice");
    expect(store.recordingOf("a", "downtime")).to.equal("a/1 downtime");
    expect(store.recordingOf("b", "malice")).to.equal(null);
    expect(store.recording("a/2 malice")).to.equal(null);
    store.publishRecording("a/2 malice");
    expect(store.recording("a/2 malice")).to.equal("a/2 malice");
    // A newer one takes the place of none that the chain names.
    keep("a/3", "malice");
    expect(store.recordingOf("a", "malice")).to.equal("a/3 malice");
    for (let at = 0; at < 40; at += 1) keep(`other${at}`, "malice", 100);
    expect(store.recording("a/2 malice")).to.equal("a/2 malice");
    expect(store.recordingOf("a", "downtime")).to.equal(null);
    expect(store.recordingOf("other39", "malice")).to.equal("other39 malice");
    expect(store.recordingOf("other0", "malice")).to.equal(null);
  });

  it("that is damaged says so at the start, names its file, and tells the way out", () => {
    const work = { round: 7n, hash: "ab".repeat(32) };
    store.keepWork({ ...work, payload: new Uint8Array(200_000).fill(1) });
    // All of it into the one file.
    const { db } = store as unknown as { db: { pragma(text: string): unknown } };
    db.pragma("wal_checkpoint(TRUNCATE)");
    store.close();
    const file = join(folder, "state.db");
    const whole = readFileSync(file);
    const reason = new RegExp(`^The state ${file} is damaged: .* move ${file} `);
    for (const [from, to] of [
      // No database at all, a page of a table, and a half of the file.
      [0, 100],
      [16_384, 24_576],
      [whole.length / 2, whole.length],
    ] as const) {
      writeFileSync(file, Buffer.from(whole).fill(0xa5, from, to));
      expect(() => new Store(folder), `${from}`).to.throw(StateError, reason);
    }
    writeFileSync(file, whole);
    // What refused to open it let go of it.
    store = new Store(folder);
    expect(store.work(7n)?.hash).to.equal(work.hash);
  });

  it("belongs to one process at a time, and says so", () => {
    expect(() => new Store(folder)).to.throw(/is in use by another process/);
    store.close();
    store = new Store(folder);
  });

  it("belongs to one task, owner and cluster", () => {
    const identity = { cluster: "one", task: "a" };
    store.requireIdentity(identity, folder);
    store.requireIdentity({ cluster: "two", task: "b" }, folder);
    store.keepIdentity(identity);
    store.requireIdentity(identity, folder);
    expect(() => {
      store.requireIdentity({ cluster: "one", task: "b" }, folder);
    }).to.throw(/belongs to another task: a, not b/);
  });

  it("sends the same payload and holds the same opinion after a restart, whatever comes later", () => {
    const payload = Uint8Array.from([1, 2, 3]);
    const hash = "ab".repeat(32);
    const work = { round: 7n, hash, payload };
    store.keepWork(work);
    store.keepOpinion("audit", { opinion: "malice", reason: "lies" });
    store.keepOpinion("silent", { opinion: null, reason: "failed" });
    store.keepSample(7n, ["x", "y"]);
    store.close();
    store = new Store(folder);
    const other = { ...work, hash: "cd".repeat(32), payload: Uint8Array.from([4]) };
    expect(store.keepWork(other).hash).to.equal(hash);
    expect(Uint8Array.from(store.payload(hash) ?? [])).to.deep.equal(payload);
    expect(store.payload(other.hash)).to.equal(null);
    const { opinion, reason } = store.keepOpinion("audit", { opinion: "valid", reason: "" });
    expect([opinion, reason]).to.deep.equal(["malice", "lies"]);
    expect(store.keepOpinion("silent", { opinion: "valid", reason: "" }).opinion).to.equal(null);
    store.keepSample(7n, ["z"]);
    expect(store.sample(7n)).to.deep.equal(["x", "y"]);
    expect([store.sample(8n), store.work(8n), store.opinion("x"), store.check("x")]).to.deep.equal([
      null,
      null,
      null,
      null,
    ]);
  });

  it("goes by the last check of a submission, and knows when that was", () => {
    store.keepCheck("submission", { opinion: "downtime", reason: "gone", slot: 4_000_000_000n });
    store.close();
    store = new Store(folder);
    const kept = store.check("submission");
    expect(kept).to.include({ opinion: "downtime", reason: "gone", slot: 4_000_000_000n });
    store.keepCheck("submission", { opinion: "valid", reason: "", slot: 4_000_000_001n });
    expect(store.check("submission")).to.include({ opinion: "valid", slot: 4_000_000_001n });
  });

  it("never forgets that the node was on the chain", () => {
    store.keepIdentity({ cluster: "one" });
    expect(store.hasJoined()).to.equal(false);
    store.keepJoined("node");
    store.close();
    store = new Store(folder);
    expect(store.hasJoined()).to.equal(true);
  });

  it("remembers how far it has seen the chain", () => {
    expect(store.cursor()).to.equal(0n);
    store.moveCursor(4_000_000_000n);
    store.close();
    store = new Store(folder);
    expect(store.cursor()).to.equal(4_000_000_000n);
  });

  it("has its own accusations once each, as they were last seen", () => {
    const first = { audit: "first", accusation: "malice", outcome: "open", endSlot: 5n } as const;
    const second = { ...first, audit: "second", accusation: "downtime" } as const;
    store.keepAccusation("submission", first);
    store.keepAccusation("submission", first);
    store.keepAccusation("submission", second);
    const decided = { ...first, outcome: "acquitted" } as const;
    store.keepAccusation("submission", decided);
    expect(store.accusations("submission")).to.deep.equal([decided, second]);
    expect(store.accusations("other")).to.deep.equal([]);
  });

  it("has one letter for a key", () => {
    const letter = {
      key: "vote:a",
      keys: ["vote:a"],
      signature: "s",
      blockhash: "b",
      lastValidBlockHeight: 5,
      minSlot: 4,
      raw: Uint8Array.from([9, 8]),
    };
    store.post(letter);
    expect(() => {
      store.post({ ...letter, signature: "t" });
    }).to.throw();
    expect(store.letter("vote:a")).to.deep.equal(letter);
    expect(store.letters()).to.deep.equal([letter]);
    store.settle("vote:a");
    expect([store.letter("vote:a"), store.letters()]).to.deep.equal([null, []]);
  });

  it("finds a letter by all that it does, and those of one thing in the order in which they were made", () => {
    const letter = (key: string, ...keys: string[]): Letter => ({
      ...{ key, keys, signature: key, blockhash: "b", lastValidBlockHeight: 5 },
      ...{ minSlot: 4, raw: Uint8Array.from([9]) },
    });
    const [pack, raised, alone] = [
      letter("vote:b & 1 more", "vote:b", "vote:a"),
      letter("vote:b & 1 more (2)", "vote:b", "vote:a"),
      letter("vote:a", "vote:a"),
    ];
    for (const one of [pack, raised, alone]) store.post(one);
    store.close();
    store = new Store(folder);
    expect(store.lettersOf("vote:a")).to.deep.equal([pack, raised, alone]);
    expect(store.lettersOf("vote:b")).to.deep.equal([pack, raised]);
    expect(store.lettersOf("vote:b & 1 more")).to.deep.equal([]);
    store.settle(pack.key);
    expect(store.lettersOf("vote:b")).to.deep.equal([raised]);
    store.settle(raised.key);
    expect([store.lettersOf("vote:a"), store.lettersOf("vote:b")]).to.deep.equal([[alone], []]);
  });

  it("knows what it sent after it is settled and after a restart, and forgets it after long", () => {
    const letter = (signature: string, minSlot: number): Letter => ({
      ...{ key: `vote:${signature}`, signature, blockhash: "b", lastValidBlockHeight: 5 },
      ...{ keys: [`vote:${signature}`], minSlot, raw: Uint8Array.from([9]) },
    });
    store.post(letter("first", 10));
    store.settle("vote:first");
    expect([store.hasSent("first"), store.hasSent("other")]).to.deep.equal([true, false]);
    store.close();
    store = new Store(folder);
    store.post(letter("second", 450_010));
    expect(store.hasSent("first")).to.equal(true);
    // Made anew within the life of one blockhash, it is the same transaction.
    store.settle("vote:second");
    store.post(letter("second", 450_010));
    store.post(letter("third", 450_011));
    expect([store.hasSent("first"), store.hasSent("second")]).to.deep.equal([false, true]);
  });

  it("has no room: what harms nobody when it is sent twice is on its way all the same, and the rest is not", () => {
    // SQLite's own limit makes a disk of any size full.
    const { db } = store as unknown as { db: { pragma(text: string): unknown } };
    const letter = (key: string, signature: string): Letter => {
      const raw = new Uint8Array(30_000);
      const keys = [key];
      return { key, keys, signature, blockhash: "b", lastValidBlockHeight: 5, minSlot: 4, raw };
    };
    const troubles: unknown[] = [];
    const outbox = new PatientOutbox(store, { onTrouble: (error) => troubles.push(error) });
    outbox.post(letter("vote:a", "first"));
    db.pragma("max_page_count = 1");
    for (const key of ["accuse:a:0", "join", "claimVote:a"]) {
      expect(() => {
        outbox.post(letter(key, "s"));
      }).to.throw(StateError, /state\.db can't be read or written: .*full.* Free space/);
    }
    expect(troubles).to.deep.equal([]);
    outbox.post(letter("reveal:a", "second"));
    expect(troubles).to.have.length(1);
    expect(outbox.letter("reveal:a")?.signature).to.equal("second");
    expect([store.hasSent("second"), outbox.hasSent("second")]).to.deep.equal([false, true]);
    expect(outbox.letters().map(({ key }) => key)).to.deep.equal(["vote:a", "reveal:a"]);
    expect(store.letters().map(({ key }) => key)).to.deep.equal(["vote:a"]);
    outbox.settle("reveal:a");
    expect(outbox.letter("reveal:a")).to.equal(null);
    db.pragma("max_page_count = 1000000");
    outbox.post(letter("accuse:a:0", "third"));
    expect(store.letters().map(({ key }) => key)).to.deep.equal(["accuse:a:0", "vote:a"]);
  });

  it("that can't forget what is over takes it for over, and forgets it later", () => {
    const letter = {
      ...{ key: "vote:a", signature: "first", blockhash: "b" },
      ...{ keys: ["vote:a"], lastValidBlockHeight: 5, minSlot: 4, raw: Uint8Array.from([9]) },
    };
    let full = false;
    const kept: Outbox & Pick<Store, "hasSent"> = {
      hasSent: (signature) => store.hasSent(signature),
      sentSince: (slot) => store.sentSince(slot),
      letters: () => store.letters(),
      letter: (key) => store.letter(key),
      lettersOf: (key) => store.lettersOf(key),
      post: (one) => {
        if (full) throw new Error("full");
        store.post(one);
      },
      settle: (key) => {
        if (full) throw new Error("full");
        store.settle(key);
      },
    };
    let troubles = 0;
    const outbox = new PatientOutbox(kept, { onTrouble: () => (troubles += 1) });
    outbox.post(letter);
    full = true;
    outbox.settle("vote:a");
    expect([outbox.letter("vote:a"), outbox.letters()]).to.deep.equal([null, []]);
    expect(store.letters()).to.have.length(1);
    outbox.post({ ...letter, signature: "second" });
    expect(outbox.letter("vote:a")?.signature).to.equal("second");
    outbox.settle("vote:a");
    expect(outbox.letter("vote:a")).to.equal(null);
    full = false;
    outbox.post({ ...letter, signature: "third" });
    expect(store.letters().map(({ signature }) => signature)).to.deep.equal(["third"]);
    expect(outbox.letter("vote:a")?.signature).to.equal("third");
    expect(troubles).to.be.at.least(3);
  });
});
