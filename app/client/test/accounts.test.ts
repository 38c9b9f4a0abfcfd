import { SecuringTasksClient, decodeAccount } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Keypair } from "@solana/web3.js";
import type { PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";

const { program } = new SecuringTasksClient(EmbeddedChain.start().provider(Keypair.generate()));

/** Bytes in the order of the program's sources, written by hand: a change of its layout must be seen here. */
function bytes(kind: string, ...parts: readonly (PublicKey | Buffer)[]): Buffer {
  const discriminator = createHash("sha256").update(`account:${kind}`).digest().subarray(0, 8);
  return Buffer.concat([
    discriminator,
    ...parts.map((part) => (Buffer.isBuffer(part) ? part : part.toBuffer())),
  ]);
}

function u64(...values: readonly bigint[]): Buffer {
  const buffer = Buffer.alloc(8 * values.length);
  values.forEach((value, index) => buffer.writeBigUInt64LE(value, 8 * index));
  return buffer;
}

function u32(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => buffer.writeUInt32LE(value, 4 * index));
  return buffer;
}

const u8 = (...values: readonly number[]): Buffer => Buffer.from(values);
const key = (seed: number): PublicKey => Keypair.fromSeed(new Uint8Array(32).fill(seed)).publicKey;
const address = key(99);

describe("decoding", () => {
  it("reads a node, numbers over 2^53 included", () => {
    const most = 2n ** 64n - 1n;
    const data = bytes(
      "Node",
      ...[key(1), key(2), key(3)],
      u64(10n, most, 12n, 13n, 14n, 15n, 16n, 17n, 18n, 19n, 20n, 21n, 22n),
      u32(31, 32, 33, 34, 35, 36, 37, 38),
      u8(1, 255),
    );
    expect(decodeAccount(program, "node", address, data)).to.deep.equal({
      address,
      task: key(1),
      owner: key(2),
      operator: key(3),
      joinedSlot: 10n,
      stake: most,
      leaving: 12n,
      leaveSlot: 13n,
      recent: 14n,
      recentSlot: 15n,
      lent: 16n,
      exposed: 17n,
      locked: 18n,
      lockedUntil: 19n,
      lockedNext: 20n,
      lockedNextUntil: 21n,
      payable: 22n,
      openAudits: 31,
      submissions: 32,
      roundsPaid: 33,
      convictionsDowntime: 34,
      convictionsMalice: 35,
      votesWithMajority: 36,
      votesAgainstMajority: 37,
      votesUnrevealed: 38,
      role: "witness",
    });
  });

  it("reads a submission, its URI without what lies behind it", () => {
    const uri = Buffer.alloc(128, "x");
    const length = uri.write("ipfs://größe");
    const hash = Buffer.alloc(32, 7);
    const data = bytes(
      "Submission",
      ...[key(1), key(2), key(3), hash],
      u8(length, 0),
      uri,
      u64(4n, 5n, 6n),
      u8(2, 3, 255),
    );
    expect(decodeAccount(program, "submission", address, data)).to.deep.equal({
      address,
      task: key(1),
      owner: key(2),
      payer: key(3),
      payloadHash: new Uint8Array(32).fill(7),
      payloadUri: "ipfs://größe",
      round: 4n,
      slot: 5n,
      othersStake: 6n,
      audits: 2,
      status: "convicted",
    });
  });

  const vote = (state: number): Buffer =>
    bytes("Vote", key(1), key(2), key(3), Buffer.alloc(32), u64(4n, 5n), u8(2, state, 255));

  it("reads a vote", () => {
    expect(decodeAccount(program, "vote", address, vote(2))).to.deep.equal({
      address,
      audit: key(1),
      owner: key(2),
      payer: key(3),
      weight: 4n,
      deposit: 5n,
      opinion: "malice",
      state: "claimed",
    });
  });

  it("says so when the account is of a newer program", () => {
    expect(() => decodeAccount(program, "vote", address, vote(9))).to.throw(/Update the client/);
  });

  it("refuses an account of another kind", () => {
    expect(() => decodeAccount(program, "node", address, vote(2))).to.throw();
  });
});
