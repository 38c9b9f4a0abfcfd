import { SecuringTasksClient, decodeAccount } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { Gate } from "@securing-tasks/client";
import { Keypair, PublicKey } from "@solana/web3.js";
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

function u16(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(2 * values.length);
  values.forEach((value, index) => buffer.writeUInt16LE(value, 2 * index));
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
      ...[key(1), key(2), key(3), key(4)],
      u64(10n, most, 12n, 13n),
      // Four places each for what asked to leave, was slashed or came, the used ones first; of what went, for the young part too.
      u64(43n, 44n, 47n, 48n, 0n, 0n, 0n, 0n),
      u64(49n, 50n, 0n, 0n, 0n, 0n, 0n, 0n),
      u64(45n, 46n, 0n, 0n, 0n, 0n, 0n, 0n),
      u64(51n, 52n, 0n, 0n, 0n, 0n, 0n, 0n),
      u64(14n, 15n, 16n, 17n, 0n, 0n, 0n, 0n),
      ...[u64(18n), u32(40), u64(19n, 23n)],
      u32(41),
      u64(24n, 25n, 26n, 27n, 28n),
      ...[u32(31), u64(52n), u32(39, 42, 32, 33, 34, 35, 36, 37, 38)],
      u8(1, 255),
    );
    expect(decodeAccount(program, "node", address, data)).to.deep.equal({
      address,
      task: key(1),
      owner: key(2),
      operator: key(3),
      payer: key(4),
      joinedSlot: 10n,
      stake: most,
      leaving: 12n,
      leaveSlot: 13n,
      askedToLeave: {
        parts: [
          { slot: 43n, amount: 44n },
          { slot: 47n, amount: 48n },
        ],
        young: [{ slot: 49n, amount: 50n }],
      },
      slashed: {
        parts: [{ slot: 45n, amount: 46n }],
        young: [{ slot: 51n, amount: 52n }],
      },
      arrivals: [
        { slot: 14n, amount: 15n },
        { slot: 16n, amount: 17n },
      ],
      before: { stake: 18n, nodes: 40 },
      beforeSlot: 19n,
      bonds: 23n,
      commitments: 41,
      locked: 24n,
      lockedUntil: 25n,
      lockedNext: 26n,
      lockedNextUntil: 27n,
      payable: 28n,
      openAudits: 31,
      risk: 52n,
      live: 39,
      audits: 42,
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
      u32(7),
      u64(8n),
      u32(9, 10, 11),
      u8(1, 3, 255),
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
      others: { stake: 6n, nodes: 7 },
      slashed: 8n,
      audits: 9,
      decided: 10,
      liveAudits: 11,
      paid: true,
      status: "convictedMalice",
    });
  });

  it("reads a round", () => {
    const data = bytes("Round", ...[key(1), key(2)], u64(3n, 4n, 5n), u32(6, 7, 8, 9, 10), u8(255));
    expect(decodeAccount(program, "round", address, data)).to.deep.equal({
      address,
      task: key(1),
      payer: key(2),
      number: 3n,
      reserve: 4n,
      left: 5n,
      submissions: 6,
      convictions: 7,
      paid: 8,
      openAudits: 9,
      liveSubmissions: 10,
    });
  });

  it("reads an allowlist entry", () => {
    const data = bytes("AllowEntry", key(1), key(2), key(3), u8(1, 255));
    expect(decodeAccount(program, "allowEntry", address, data)).to.deep.equal({
      address,
      task: key(1),
      owner: key(2),
      payer: key(3),
      role: "witness",
    });
  });

  /** A task with these gates; the URI of its audit function is "x", and it has no task function. */
  const task = (...gates: readonly [Buffer, Buffer]): Buffer =>
    bytes(
      "Task",
      ...[key(1), key(5), key(2), key(3)],
      u64(4n, 5n),
      // Rules: windows, stakes and bounty, then those of an audit.
      u64(11n, 12n, 13n, 14n, 15n, 16n, 17n, 18n, 19n, 20n, 21n, 29n, 30n),
      u32(22),
      u16(23, 24, 25, 26, 27, 28),
      u8(1, 1),
      ...gates,
      ...[Buffer.alloc(32, 7), u8(1, 0), Buffer.alloc(128, "x")],
      ...[Buffer.alloc(32), u8(0, 0), Buffer.alloc(128)],
      ...[u64(31n), u64(32n), u32(36), u64(37n), u32(38)],
      u64(39n, 40n),
      u32(33, 34, 35),
      u8(1, 255),
    );
  const gate = (kind: number, on: PublicKey, least: bigint, most: number): Buffer =>
    Buffer.concat([u8(kind), on.toBuffer(), u64(least), u32(most)]);
  const OPEN = gate(0, PublicKey.default, 0n, 0);

  it("reads a task", () => {
    const data = task(gate(4, key(8), 41n, 42), OPEN);
    expect(decodeAccount(program, "task", address, data)).to.deep.equal({
      address,
      creator: key(1),
      payer: key(5),
      mint: key(2),
      vault: key(3),
      id: 4n,
      startSlot: 5n,
      rules: {
        roundSlots: 11n,
        submissionSlots: 12n,
        auditSlots: 13n,
        commitSlots: 14n,
        revealSlots: 15n,
        leaveDelaySlots: 16n,
        workerMinStake: 17n,
        witnessMinStake: 18n,
        bountyPerRound: 19n,
        initiatorBond: 20n,
        voteDeposit: 21n,
        appealSlots: 29n,
        appealBond: 30n,
        quorumVotes: 22,
        quorumBps: 23,
        downtimeBps: 24,
        maliceBps: 25,
        initiatorBonusBps: 26,
        poolBps: 27,
        panelSeats: 28,
        voteWeight: "stake",
        rewardRule: "majority",
        workerGate: { kind: "standing", task: key(8), leastRoundsPaid: 41n, mostConvictions: 42 },
        witnessGate: { kind: "open" },
      },
      auditFunction: { hash: new Uint8Array(32).fill(7), uri: "x" },
      taskFunction: null,
      pool: 31n,
      electorate: { stake: 32n, nodes: 36 },
      before: { stake: 37n, nodes: 38 },
      beforeSlot: 39n,
      retiredSlot: 40n,
      nodes: 33,
      rounds: 34,
      entries: 35,
      status: "paused",
    });
  });

  it("reads gates of every kind", () => {
    const kinds: readonly Gate[] = [
      { kind: "open" },
      { kind: "allowlist" },
      { kind: "token", mint: key(8), least: 9n },
      { kind: "collection", group: key(8) },
      { kind: "standing", task: key(8), leastRoundsPaid: 9n, mostConvictions: 10 },
      { kind: "member", task: key(8) },
    ];
    for (const [kind, expected] of kinds.entries()) {
      const data = task(OPEN, gate(kind, key(8), 9n, 10));
      const { witnessGate } = decodeAccount(program, "task", address, data).rules;
      expect(witnessGate).to.deep.equal(expected);
    }
  });

  const vote = (state: number, commitment = Buffer.alloc(32)): Buffer =>
    bytes("Vote", key(1), key(2), key(3), commitment, u64(4n), u8(2, state, 1, 255));

  it("reads a vote", () => {
    expect(decodeAccount(program, "vote", address, vote(2))).to.deep.equal({
      address,
      audit: key(1),
      owner: key(2),
      payer: key(3),
      commitment: null,
      weight: 4n,
      opinion: "malice",
      state: "claimed",
      onAppeal: true,
    });
  });

  it("reads a committed vote", () => {
    const data = vote(0, Buffer.alloc(32, 7));
    const { commitment, state } = decodeAccount(program, "vote", address, data);
    expect([commitment, state]).to.deep.equal([new Uint8Array(32).fill(7), "committed"]);
  });

  const audit = (appellant: PublicKey, ...hashes: readonly Buffer[]): Buffer =>
    bytes(
      "Audit",
      ...[key(1), key(2), key(3), key(4), key(5), appellant, ...hashes],
      u64(11n, 12n, 40n, 41n, 13n, 14n, 15n, 16n),
      u32(20),
      u64(17n, 18n, 19n),
      u32(21, 22, 23),
      u64(24n, 25n, 26n),
      u64(27n, 28n, 29n),
      u32(30, 31),
      u32(32),
      u16(33, 34, 35, 36, 37, 42),
      u8(0, 1),
      u32(38, 39),
      u8(1, 4, 2, 255),
    );

  it("reads an audit", () => {
    const data = audit(key(6), Buffer.alloc(32, 7), Buffer.alloc(32, 8), Buffer.alloc(32, 9));
    expect(decodeAccount(program, "audit", address, data)).to.deep.equal({
      address,
      task: key(1),
      submission: key(2),
      initiator: key(3),
      accused: key(4),
      payer: key(5),
      appellant: key(6),
      evidenceHash: new Uint8Array(32).fill(7),
      secretHash: new Uint8Array(32).fill(8),
      seed: new Uint8Array(32).fill(9),
      submissionSlot: 11n,
      openSlot: 12n,
      drawSlot: 40n,
      appealSlot: 41n,
      revealSlot: 13n,
      endSlot: 14n,
      accusedStake: 15n,
      eligible: { stake: 16n, nodes: 20 },
      initiatorStake: 17n,
      bond: 18n,
      voteDeposit: 19n,
      votes: {
        valid: { nodes: 21, stake: 24n },
        downtime: { nodes: 22, stake: 25n },
        malice: { nodes: 23, stake: 26n },
      },
      votersPot: 27n,
      votersWeight: 28n,
      votersLeft: 29n,
      unclaimed: 30,
      liveVotes: 31,
      rules: {
        quorumVotes: 32,
        quorumBps: 33,
        downtimeBps: 34,
        maliceBps: 35,
        initiatorBonusBps: 36,
        poolBps: 37,
        panelSeats: 42,
        voteWeight: "node",
        rewardRule: "majority",
      },
      accusation: "downtime",
      outcome: "convictedMalice",
      firstOutcome: "acquitted",
      index: 38,
      attempt: 39,
    });
  });

  it("reads an audit without evidence, panel and appeal", () => {
    const zeros = Buffer.alloc(32);
    const data = audit(PublicKey.default, zeros, zeros, zeros);
    const { evidenceHash, secretHash, seed, appellant } = decodeAccount(
      program,
      "audit",
      address,
      data,
    );
    expect([evidenceHash, secretHash, seed, appellant]).to.deep.equal([null, null, null, null]);
  });

  it("says so when the account is of a newer program", () => {
    expect(() => decodeAccount(program, "vote", address, vote(9))).to.throw(/Update the client/);
  });

  it("refuses an account of another kind", () => {
    expect(() => decodeAccount(program, "node", address, vote(2))).to.throw();
  });
});
