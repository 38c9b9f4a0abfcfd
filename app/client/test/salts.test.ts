import type { SaltStore, VoteSecret } from "@securing-tasks/client";
import {
  DerivedSaltStore,
  MemorySaltStore,
  SALT_TEXT,
  SecuringTasksClient,
  deriveSaltKey,
  drawSecretOf,
  keypairSigner,
  readSealedReveal,
  saltOf,
  sealReveal,
  sealedSecret,
  secretOf,
  voteCommitment,
} from "@securing-tasks/client";
import { FileSaltStore } from "@securing-tasks/client/files";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Keypair, Message, PublicKey, VersionedMessage } from "@solana/web3.js";
import { expect } from "chai";
import { createHash, createPublicKey, verify } from "node:crypto";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refusal } from "../../../tests/utils/refusal";

const key = (seed: number): PublicKey => Keypair.fromSeed(new Uint8Array(32).fill(seed)).publicKey;
const secret = (opinion: VoteSecret["opinion"], salt: number): VoteSecret => ({
  audit: key(1),
  voter: key(2),
  opinion,
  salt: new Uint8Array(32).fill(salt),
});

describe("commitments", () => {
  it("are the hash that the program makes", () => {
    const program = new PublicKey(new Uint8Array(32).fill(9));
    const audit = new PublicKey(new Uint8Array(32).fill(1));
    const voter = new PublicKey(new Uint8Array(32).fill(2));
    const made = voteCommitment({ ...secret("malice", 3), audit, voter }, program);
    // From Python's hashlib, byte by byte: tag, 32 times 9, 32 times 1, 32 times 2, 2, 32 times 3.
    expect(Buffer.from(made).toString("hex")).to.equal(
      "a99d837a221afa449ee138c6653dee181c8cc351bda118929ba008a726d971b4",
    );
  });

  it("refuse a salt that is too short", () => {
    const short = { ...secret("valid", 1), salt: new Uint8Array(31) };
    expect(() => voteCommitment(short)).to.throw(RangeError, /32 bytes/);
  });
});

describe("derived salts", () => {
  const operator = Keypair.fromSeed(new Uint8Array(32).fill(5));
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

  it("follow from one signature, bit for bit", async () => {
    const salts = await deriveSaltKey(keypairSigner(operator));
    // From Python (cryptography's Ed25519, hashlib, hmac).
    expect(hex(salts)).to.equal("f3afc2599b1ce9467ba9293c95d13fc04d996e230e3e29799a0c877a45bd4e0c");
    expect(hex(saltOf(salts, key(1), key(2), "malice"))).to.equal(
      "9996e027cc76db2f918d2fd4b843e1e5eccfcbf56c496e8b323bfa71fe3cba12",
    );
    expect(hex(drawSecretOf(salts, key(1)))).to.equal(
      "141053de8ed859b5c086c4d20519342e554297caf823a3e7ab0bf4c15a4607ca",
    );
  });

  it("come from what the operator's key signs, which is no transaction", async () => {
    const asked: Uint8Array[] = [];
    const made = await deriveSaltKey((message) => {
      asked.push(message);
      return keypairSigner(operator)(message);
    });
    expect(asked.map((one) => Buffer.from(one).toString())).to.deep.equal([SALT_TEXT]);
    const signature = await keypairSigner(operator)(Buffer.from(SALT_TEXT));
    const spki = Buffer.concat([
      Buffer.from("302a300506032b6570032100", "hex"),
      operator.publicKey.toBuffer(),
    ]);
    const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
    expect(verify(null, Buffer.from(SALT_TEXT), publicKey, signature)).to.equal(true);
    expect(hex(made)).to.equal(createHash("sha256").update(signature).digest("hex"));
    expect(() => Message.from(Buffer.from(SALT_TEXT))).to.throw();
    expect(() => VersionedMessage.deserialize(Buffer.from(SALT_TEXT))).to.throw();
  });

  it("are others for each audit, voter, opinion and key", async () => {
    const [mine, other] = await Promise.all(
      [operator, Keypair.generate()].map((one) => deriveSaltKey(keypairSigner(one))),
    );
    if (!mine || !other) throw new Error("There are two.");
    const all = [
      saltOf(mine, key(1), key(2), "malice"),
      saltOf(mine, key(1), key(2), "downtime"),
      saltOf(mine, key(1), key(3), "malice"),
      saltOf(mine, key(3), key(2), "malice"),
      saltOf(other, key(1), key(2), "malice"),
      drawSecretOf(mine, key(1)),
      drawSecretOf(mine, key(2)),
    ].map(hex);
    expect(new Set(all).size).to.equal(all.length);
  });

  it("refuse a signature that is none", async () => {
    const { message } = await refusal(deriveSaltKey(() => Promise.resolve(new Uint8Array(63))));
    expect(message).to.contain("64 bytes");
    expect(() => new DerivedSaltStore(new Uint8Array(31))).to.throw(RangeError, /32 bytes/);
  });

  it("restore a lost store, and what is kept wins", async () => {
    const derived = await deriveSaltKey(keypairSigner(operator));
    const client = new SecuringTasksClient(EmbeddedChain.start().provider(Keypair.generate()));
    const ballot = { task: key(3), audit: key(1), voter: key(2), opinion: "malice" as const };
    const salts = new DerivedSaltStore(derived);
    const { secret: made } = await client.commitVote({ ...ballot, salts });
    expect(made.salt).to.deep.equal(saltOf(derived, key(1), key(2), "malice"));
    const lost = new DerivedSaltStore(derived);
    const found = await lost.find(key(1), key(2));
    expect(secretOf(voteCommitment(made), found)).to.deep.equal(made);
    expect(secretOf(new Uint8Array(32), found)).to.equal(null);
    expect(secretOf(null, found)).to.equal(null);

    // A salt from before is committed to again, and found.
    const old = new MemorySaltStore();
    await old.keep(secret("malice", 7));
    const both = new DerivedSaltStore(derived, old);
    const again = await client.commitVote({ ...ballot, salts: both });
    expect(again.secret).to.deep.equal(secret("malice", 7));
    const all = await both.find(key(1), key(2));
    expect(secretOf(voteCommitment(secret("malice", 7)), all)).to.deep.equal(secret("malice", 7));
    // Of each opinion what is derived as well: before the old store was found, it may have been used.
    expect(secretOf(voteCommitment(made), all)).to.deep.equal(made);
    await both.forget(key(1), key(2));
    expect(await old.find(key(1), key(2))).to.deep.equal([]);
  });
});

describe("sealed reveals", () => {
  const sealed = sealReveal(key(3), secret("downtime", 4));

  it("go through JSON, and open what they were sealed for", () => {
    const read = readSealedReveal(JSON.stringify(sealed));
    expect(read).to.deep.equal(sealed);
    expect(sealedSecret(read)).to.deep.equal(secret("downtime", 4));
  });

  it("name the fault of what is none", () => {
    const broken: readonly (readonly [unknown, RegExp])[] = [
      ["{", /JSON/],
      [{ ...sealed, version: 2 }, /`version`/],
      [{ ...sealed, opinion: "guilty" }, /`opinion`/],
      [{ ...sealed, salt: "00" }, /`salt`: must be 64 hex digits/],
      [{ ...sealed, voter: "me" }, /`voter`: must be an address/],
      [{ ...sealed, more: 1 }, /more/],
      [{ ...sealed, task: undefined }, /`task`/],
      [`${JSON.stringify(sealed)}${" ".repeat(1_024)}`, /over 1024 bytes/],
    ];
    for (const [given, fault] of broken) {
      const text = typeof given === "string" ? given : JSON.stringify(given);
      expect(() => readSealedReveal(text), text).to.throw(Error, fault);
    }
  });

  it("are refused on another program", () => {
    const client = new SecuringTasksClient(EmbeddedChain.start().provider(Keypair.generate()));
    const elsewhere = sealReveal(key(3), secret("downtime", 4), key(9));
    expect(() => client.revealFor(elsewhere)).to.throw(key(9).toBase58());
  });
});

describe("salt stores", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "securing-tasks-salts-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const stores: readonly (readonly [string, () => SaltStore])[] = [
    ["in memory", (): SaltStore => new MemorySaltStore()],
    ["in files", (): SaltStore => new FileSaltStore(join(folder, "salts"))],
  ];
  for (const [where, store] of stores) {
    it(`${where} keep what they got first, each opinion apart, and forget`, async () => {
      const salts = store();
      expect(await salts.find(key(1), key(2))).to.deep.equal([]);
      expect(await salts.keep(secret("malice", 1))).to.deep.equal(secret("malice", 1));
      expect(await salts.keep(secret("malice", 2))).to.deep.equal(secret("malice", 1));
      await salts.keep(secret("valid", 3));
      const kept = await salts.find(key(1), key(2));
      expect(kept).to.have.deep.members([secret("malice", 1), secret("valid", 3)]);
      expect(await salts.find(key(1), key(3))).to.deep.equal([]);
      await salts.forget(key(1), key(2));
      expect(await salts.find(key(1), key(2))).to.deep.equal([]);
    });
  }

  it("in files outlive their process, keep to their owner, and leave no drafts", async () => {
    const salts = new FileSaltStore(folder);
    // Two processes at once: both go on with the same salt.
    const kept = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        new FileSaltStore(folder).keep(secret("malice", index)),
      ),
    );
    expect(new Set(kept.map(({ salt }) => salt[0])).size).to.equal(1);
    expect(await salts.find(key(1), key(2))).to.deep.equal([kept[0]]);
    const names = await readdir(folder);
    expect(names).to.have.length(1);
    expect((await stat(join(folder, names[0] ?? ""))).mode & 0o777).to.equal(0o600);
  });

  it("say which file can't be read", async () => {
    const salts = new FileSaltStore(folder);
    await salts.keep(secret("malice", 1));
    const [name = ""] = await readdir(folder);
    await writeFile(join(folder, name), "{");
    const { message } = await refusal(salts.find(key(1), key(2)));
    expect(message).to.contain(name).and.to.contain("Restore it");
  });

  it("hold the salt before the commitment can be sent", async () => {
    const client = new SecuringTasksClient(EmbeddedChain.start().provider(Keypair.generate()));
    const full: SaltStore = {
      keep: () => Promise.reject(new Error("no space left on device")),
      find: () => Promise.resolve([]),
      forget: () => Promise.resolve(),
    };
    const ballot = { task: key(3), audit: key(1), voter: key(2), opinion: "malice" as const };
    const { message } = await refusal(client.commitVote({ ...ballot, salts: full }));
    expect(message).to.equal("no space left on device");

    const salts = new FileSaltStore(folder);
    const { secret: made } = await client.commitVote({ ...ballot, salts });
    expect(await salts.find(key(1), key(2))).to.deep.equal([made]);
    // Tried again, it commits to the same.
    expect((await client.commitVote({ ...ballot, salts })).secret).to.deep.equal(made);
  });
});
