import { PROGRAM_ID, SecuringTasksClient } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";

const client = new SecuringTasksClient(EmbeddedChain.start().provider(Keypair.generate()));
const key = Keypair.fromSeed(new Uint8Array(32).fill(5)).publicKey;

/** An event as the program logs it: discriminator and fields, in base64. */
function line(name: string, ...fields: readonly Buffer[]): string {
  const discriminator = createHash("sha256").update(`event:${name}`).digest().subarray(0, 8);
  return `Program data: ${Buffer.concat([discriminator, ...fields]).toString("base64")}`;
}

function u64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(value);
  return buffer;
}

const cast = line(
  "VoteCast",
  ...[key.toBuffer(), key.toBuffer(), Buffer.from([1]), u64(2n ** 64n - 1n), u64(10n), u64(77n)],
);

describe("events", () => {
  it("come in order, in plain values", () => {
    const events = client.events([
      `Program ${PROGRAM_ID.toBase58()} invoke [1]`,
      "Program log: Instruction: cast_vote",
      cast,
      line("OperatorSet", key.toBuffer(), key.toBuffer(), key.toBuffer(), u64(78n)),
      `Program ${PROGRAM_ID.toBase58()} success`,
    ]);
    expect(events).to.deep.equal([
      {
        name: "voteCast",
        data: {
          audit: key,
          voter: key,
          opinion: "downtime",
          weight: 2n ** 64n - 1n,
          deposit: 10n,
          slot: 77n,
        },
      },
      { name: "operatorSet", data: { task: key, owner: key, operator: key, slot: 78n } },
    ]);
  });

  it("of another program are not ours", () => {
    const other = Keypair.generate().publicKey.toBase58();
    expect(
      client.events([`Program ${other} invoke [1]`, cast, `Program ${other} success`]),
    ).to.deep.equal([]);
  });

  it("are none where nothing was logged", () => {
    expect(client.events([])).to.deep.equal([]);
  });
});
