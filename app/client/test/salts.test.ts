import type { SaltStore, VoteSecret } from "@securing-tasks/client";
import {
  FileSaltStore,
  MemorySaltStore,
  SecuringTasksClient,
  voteCommitment,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
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
