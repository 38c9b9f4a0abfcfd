import { PROGRAM_ID, SecuringTasksClient } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { PublicKey } from "@solana/web3.js";
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
  ...[key.toBuffer(), key.toBuffer(), Buffer.from([1]), u64(2n ** 64n - 1n), u64(77n)],
);

const own = PROGRAM_ID.toBase58();
const other = Keypair.fromSeed(new Uint8Array(32).fill(6)).publicKey;
const moved = line("OperatorSet", key.toBuffer(), key.toBuffer(), key.toBuffer(), u64(78n));
const begin = (program: string, depth = 1): string => `Program ${program} invoke [${depth}]`;
const end = (program: string): string => `Program ${program} success`;

/** What is read where these programs were executed; null where nobody knows. */
function read(
  programs: readonly PublicKey[] | null,
  ...logs: readonly string[]
): { readonly names: readonly string[]; readonly complete: boolean } {
  const { events, complete } = client.events({ logs, programs });
  return { names: events.map(({ name }) => name), complete };
}

describe("events", () => {
  it("come in order, in plain values", () => {
    const { events } = client.events({
      logs: [begin(own), "Program log: Instruction: cast_vote", cast, moved, end(own)],
      programs: [PROGRAM_ID],
    });
    expect(events).to.deep.equal([
      {
        name: "voteCast",
        data: {
          audit: key,
          voter: key,
          opinion: "downtime",
          weight: 2n ** 64n - 1n,
          slot: 77n,
        },
      },
      { name: "operatorSet", data: { task: key, owner: key, operator: key, slot: 78n } },
    ]);
  });

  it("of another program are not ours", () => {
    const name = other.toBase58();
    for (const programs of [[other], null]) {
      expect(read(programs, begin(name), cast, end(name))).to.deep.equal({
        names: [],
        complete: true,
      });
    }
  });

  it("of an instruction that another program called are ours, and what that program logs is not", () => {
    const name = other.toBase58();
    const logs = [
      begin(name),
      // Anchor's parser takes the word for a call that never ends.
      "Program log: I invoke somebody",
      moved,
      begin(own, 2),
      begin(name, 3),
      moved,
      end(name),
      cast,
      end(own),
      moved,
      end(name),
    ];
    for (const programs of [[other, PROGRAM_ID, other], null]) {
      expect(read(programs, ...logs)).to.deep.equal({ names: ["voteCast"], complete: true });
    }
  });

  it("are missing where a log was cut off", () => {
    const name = other.toBase58();
    const before = [begin(own), cast, end(own)];
    const both = [PROGRAM_ID, PROGRAM_ID];
    expect(read(both, ...before, begin(own), "Log truncated", end(own))).to.deep.equal({
      names: ["voteCast"],
      complete: false,
    });
    expect(read(both, ...before, "Log truncated", end(own)).complete).to.equal(false);
    expect(read(null, ...before, "Log truncated", end(own)).complete).to.equal(false);
    // All of ours was told before.
    const rest = [begin(name), "Log truncated", end(name)];
    expect(read([PROGRAM_ID, other], ...before, ...rest).complete).to.equal(true);
    expect(read(null, ...before, ...rest).complete).to.equal(false);
  });

  it("are not what comes where lines between were left out: nobody knows whose it is", () => {
    const logs = [begin(own), cast, "Log truncated", moved, end(other.toBase58())];
    expect(read([PROGRAM_ID, other], ...logs)).to.deep.equal({
      names: ["voteCast"],
      complete: true,
    });
  });

  it("are missing where an instruction told none", () => {
    for (const programs of [[PROGRAM_ID], null]) {
      expect(read(programs, begin(own), end(own))).to.deep.equal({ names: [], complete: false });
    }
  });

  it("are none where nothing was logged, and missing where ours was executed or nobody knows", () => {
    expect(read([other])).to.deep.equal({ names: [], complete: true });
    expect(read([PROGRAM_ID])).to.deep.equal({ names: [], complete: false });
    expect(read(null)).to.deep.equal({ names: [], complete: false });
  });
});
