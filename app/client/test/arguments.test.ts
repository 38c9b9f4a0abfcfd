import { BN, BorshInstructionCoder } from "@coral-xyz/anchor";
import type { GateProof, SaltStore, TaskRules } from "@securing-tasks/client";
import {
  ArgumentError,
  GATE_KINDS,
  MemorySaltStore,
  OPINIONS,
  REWARD_RULES,
  ROLES,
  SecuringTasksClient,
  VOTE_WEIGHTS,
  allowEntryAddress,
  auditAddress,
  explain,
  roundAddress,
  taskAddress,
  voteCommitment,
  wrapSol,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { TOKEN_PROGRAM_ID } from "@solana/spl-token";
import type { TransactionInstruction } from "@solana/web3.js";
import { Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { dice } from "../../../tests/utils/dice";
import { refusal } from "../../../tests/utils/refusal";

const client = new SecuringTasksClient(EmbeddedChain.start().provider(Keypair.generate()));
const { idl } = client.program;

type Instruction = (typeof idl.instructions)[number]["name"];
type Arguments<N extends Instruction> = Parameters<SecuringTasksClient[N]>[0];
/** With everything that may be left out: an argument that a builder gets is an argument that is tried here. */
type Whole<T> = T extends PublicKey | Uint8Array | SaltStore
  ? T
  : T extends object
    ? { readonly [K in keyof T]-?: Whole<Exclude<T[K], undefined>> }
    : T;

const roll = dice(11);
const byte = (): number => roll(256);
const bytes = (): Uint8Array => Uint8Array.from({ length: 32 }, byte);
const key = (): PublicKey => new PublicKey(bytes());
const below = (bits: bigint): bigint =>
  Buffer.from(bytes()).readBigUInt64LE() % 2n ** BigInt(1 + roll(Number(bits)));
const u64 = (): bigint => below(64n);
const u32 = (): number => Number(below(32n));
const bps = (): number => roll(10_001);
const one = <const T>(words: readonly T[]): T => words[roll(words.length)] as T;
const task = (): { address: PublicKey; mint: { address: PublicKey; tokenProgram: PublicKey } } => ({
  address: key(),
  mint: { address: key(), tokenProgram: TOKEN_PROGRAM_ID },
});
const gate = (): Required<GateProof> => ({ proof: key(), mint: key() });
const text = (): string => one(["", "ipfs://x", "é".repeat(64), "x".repeat(128), "𝄞".repeat(32)]);
const rules = (): TaskRules => ({
  ...{ roundSlots: u64(), submissionSlots: u64(), auditSlots: u64(), commitSlots: u64() },
  ...{ revealSlots: u64(), leaveDelaySlots: u64(), workerMinStake: u64(), witnessMinStake: u64() },
  ...{ bountyPerRound: u64(), initiatorBond: u64(), voteDeposit: u64(), quorumVotes: u32() },
  ...{ appealSlots: u64(), appealBond: u64(), panelSeats: roll(2 ** 16) },
  ...{ quorumBps: bps(), downtimeBps: bps(), maliceBps: bps(), initiatorBonusBps: bps() },
  ...{ poolBps: bps(), voteWeight: one(VOTE_WEIGHTS), rewardRule: one(REWARD_RULES) },
  workerGate: one([
    { kind: "token", mint: key(), least: u64() },
    { kind: "collection", group: key() },
  ]),
  witnessGate: one([
    { kind: "standing", task: key(), leastRoundsPaid: u64(), mostConvictions: u32() },
    { kind: "member", task: key() },
  ]),
});
const ballot = () => ({
  ...{ task: key(), audit: key(), voter: key(), operator: key(), payer: key() },
  opinion: one(OPINIONS),
  gate: gate(),
});
const work = () => ({ address: key(), task: key(), owner: key(), round: u64() });
const ofOwner = () => ({ task: key(), owner: key() });
const ofCreator = () => ({ task: key(), creator: key() });

/** What each instruction of the program can be given; one that is missing here doesn't compile, and is told below. */
const GIVEN: { readonly [N in Instruction]: () => Whole<Arguments<N>> } = {
  createTask: () => ({
    ...{ creator: key(), payer: key(), id: u64(), mint: task().mint, rules: rules() },
    auditFunction: { hash: bytes(), uri: text() },
    taskFunction: { hash: bytes(), uri: text() },
    allowLargeStake: one([true, false]),
  }),
  fundTask: () => ({ task: task(), funder: key(), amount: u64(), source: key() }),
  retireTask: () => ({ task: task(), creator: key(), destination: key() }),
  pauseTask: ofCreator,
  resumeTask: ofCreator,
  allowNode: () => ({ ...ofCreator(), payer: key(), role: one(ROLES), owner: key() }),
  disallowNode: () => ({ ...ofOwner(), remover: key(), role: one(ROLES), payer: key() }),
  joinTask: () => ({
    ...{ task: task(), owner: key(), payer: key(), role: one(ROLES), amount: u64() },
    ...{ startSlot: u64(), operator: key(), source: key(), gate: gate() },
  }),
  addStake: () => ({ task: task(), owner: key(), amount: u64(), source: key() }),
  requestLeave: () => ({ ...ofOwner(), amount: u64() }),
  restake: ofOwner,
  cancelLeave: ofOwner,
  withdraw: () => ({ task: task(), owner: key(), destination: key() }),
  returnStake: () => ({ task: task(), owner: key(), destination: key(), funder: key() }),
  setOperator: () => ({ ...ofOwner(), operator: key() }),
  submitWork: () => ({
    ...{ ...ofOwner(), operator: key(), payer: key(), round: u64(), gate: gate() },
    ...{ payloadHash: bytes(), payloadUri: text() },
  }),
  openAudit: () => ({
    ...{ task: key(), round: u64(), accused: key(), initiator: key(), operator: key() },
    ...{ payer: key(), accusation: one(["downtime", "malice"]), index: u32(), gate: gate() },
    ...{ evidence: { hash: bytes(), uri: text() }, secretHash: bytes() },
  }),
  drawPanel: () => ({ audit: key(), secret: bytes() }),
  castVote: ballot,
  commitVote: () => ({ ...ballot(), salts: new MemorySaltStore() }),
  revealVote: () => {
    const { task, audit, voter } = ballot();
    return { task, audit, voter, salts: new MemorySaltStore() };
  },
  appealAudit: () => ({ task: key(), audit: key(), appellant: key(), operator: key() }),
  resolveAudit: () => ({
    ...{ address: key(), task: key(), submission: key(), accused: key(), initiator: key() },
    ...{ appellant: key(), round: u64() },
  }),
  claimVote: () => ({ task: key(), audit: key(), voter: key() }),
  claimBounty: work,
  closeVote: () => ({ ...ofOwner(), address: key(), audit: key(), payer: key() }),
  closeAudit: () => ({
    ...{ address: key(), task: key(), submission: key(), initiator: key(), payer: key() },
  }),
  closeSubmission: () => ({ ...work(), payer: key() }),
  closeRound: () => ({ address: key(), task: key(), payer: key() }),
  closeNode: () => ({ ...ofOwner(), closer: key(), payer: key() }),
  closeTask: () => ({
    ...{ task: task(), creator: key(), destination: key(), payer: key(), funder: key() },
  }),
};
const NAMES = idl.instructions.map(({ name }) => name);

/** What may be left out. */
const LEFT_OUT: Partial<Record<Instruction, readonly string[]>> = {
  createTask: ["payer", "taskFunction", "allowLargeStake"],
  fundTask: ["source"],
  retireTask: ["destination"],
  allowNode: ["payer"],
  disallowNode: ["payer"],
  joinTask: ["payer", "operator", "source", "gate"],
  addStake: ["source"],
  requestLeave: ["amount"],
  withdraw: ["destination"],
  returnStake: ["destination", "funder"],
  submitWork: ["operator", "payer", "gate"],
  openAudit: ["operator", "payer", "evidence", "secretHash", "index", "gate"],
  castVote: ["operator", "payer", "gate"],
  commitVote: ["operator", "payer", "gate"],
  appealAudit: ["operator"],
  resolveAudit: ["round"],
  closeNode: ["closer", "payer"],
  closeTask: ["destination", "payer", "funder"],
};

interface Made {
  instruction(): Promise<TransactionInstruction>;
}
type Kept = Made | { readonly builder: Made };

/** Calls a builder as somebody does whose compiler checks nothing. */
async function build(name: Instruction, given: unknown): Promise<TransactionInstruction> {
  const loose = client as unknown as Record<Instruction, (given: unknown) => Kept | Promise<Kept>>;
  const made = await loose[name](given);
  return await ("builder" in made ? made.builder : made).instruction();
}

/** Every value in what is given, by path. */
function leaves(
  value: unknown,
  path: readonly string[] = [],
  root = value,
): (readonly [string[], unknown, unknown])[] {
  const whole =
    value instanceof PublicKey ||
    value instanceof Uint8Array ||
    value instanceof MemorySaltStore ||
    typeof value !== "object" ||
    value === null;
  if (whole) return [[[...path], value, root]];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name], root));
}

function replaced(given: unknown, [first, ...rest]: readonly string[], value: unknown): unknown {
  if (first === undefined) return value;
  const object = given as Readonly<Record<string, unknown>>;
  return { ...object, [first]: replaced(object[first], rest, value) };
}

const ODD = [null, {}, [], "", Symbol("odd"), () => 1n];

/** Values that can't be encoded as they are, in place of one that can. */
function wrong(path: readonly string[], value: unknown): readonly unknown[] {
  const last = path.at(-1) ?? "";
  if (value instanceof PublicKey) {
    const odd = [value.toBase58(), value.toBytes(), Keypair.generate(), new BN(1), 1, 1n];
    // Nobody appealed.
    return [...ODD.filter((one) => one !== null || last !== "appellant"), ...odd];
  }
  if (value instanceof Uint8Array) {
    const sizes = [0, 1, 31, 33, 64].map((size) => new Uint8Array(size));
    const likes = [[...value], Buffer.from(value).toString("hex"), new Uint16Array(32)];
    return [...ODD, ...sizes, ...likes, new Array<number>(32).fill(256)];
  }
  switch (typeof value) {
    case "bigint":
      return [...ODD, -1n, 2n ** 64n, 2n ** 128n, 1, 1.5, NaN, "1", new BN(1), true];
    case "number": {
      const most = last.endsWith("Bps") ? 10_000 : last === "panelSeats" ? 65_535 : 2 ** 32 - 1;
      return [...ODD, -1, most + 1, 0.5, NaN, Infinity, -Infinity, 1n, "1", new BN(1), true];
    }
    case "boolean":
      return [...ODD, 1, 0, "true", "false"];
    case "string": {
      const uri = last.endsWith("ri");
      const texts = uri
        ? ["x".repeat(129), "é".repeat(65), "𝄞".repeat(33), "\ud800", "ipfs://\udc00x"]
        : ["Worker", "toString", "0", " ", "node ", "open\0", "__proto__"];
      return [...ODD.filter((odd) => !uri || odd !== ""), ...texts, 0, 1, 1n, ["worker"]];
    }
    default:
      return ODD;
  }
}

const coder = new BorshInstructionCoder(idl);

/** The arguments as whoever reads the instruction finds them. */
async function read(name: Instruction, given: unknown): Promise<Readonly<Record<string, unknown>>> {
  const { data } = await build(name, given);
  const plain = (value: unknown): unknown => {
    if (BN.isBN(value)) return BigInt(value.toString());
    if (value instanceof PublicKey || Array.isArray(value)) return value;
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
  };
  return plain(coder.decode(Buffer.from(data))?.data) as Readonly<Record<string, unknown>>;
}

describe("arguments", () => {
  it("are known here of every instruction of the program", () => {
    expect(Object.keys(GIVEN).sort()).to.deep.equal([...NAMES].sort());
  });

  for (const name of NAMES) {
    it(`of ${name} are refused by name and value where they can't be encoded as they are`, async () => {
      // More than once, for each kind of gate.
      const all = Array.from({ length: 6 }, (): unknown => GIVEN[name]());
      for (const [path, value, good] of all.flatMap((one) => leaves(one))) {
        for (const bad of wrong(path, value)) {
          const given = replaced(good, path, bad);
          const error = await refusal(build(name, given));
          const what = `${name} ${path.join(".")} = ${typeof bad}: ${error.message}`;
          expect(error, what).to.be.instanceOf(ArgumentError);
          if (!(error instanceof ArgumentError)) continue;
          const { method, argument, value: told } = error;
          expect([method, argument], what).to.deep.equal([name, path.join(".")]);
          expect(Object.is(told, bad), what).to.equal(true);
          expect(error.message, what)
            .to.include(`\`${argument}\``)
            .and.match(/Give .*\.$/);
          expect(explain(error).message).to.equal(error.message);
        }
      }
      for (const none of [undefined, null, 1, "x"]) {
        expect(await refusal(build(name, none))).to.be.instanceOf(ArgumentError);
      }
    });

    it(`of ${name} that must be there are refused where they are missing`, async () => {
      const given = GIVEN[name]() as Readonly<Record<string, unknown>>;
      for (const missing of Object.keys(given)) {
        const rest = Object.fromEntries(Object.entries(given).filter(([one]) => one !== missing));
        if (LEFT_OUT[name]?.includes(missing)) continue;
        const error = await refusal(build(name, rest));
        expect(error, `${name} ${missing}`).to.be.instanceOf(ArgumentError);
        expect(error.message).to.include(`\`${missing}\` is missing`);
      }
    });
  }

  it("of a gate are those of its kind, and the kind is one that exists", async () => {
    for (const side of ["workerGate", "witnessGate"]) {
      for (const kind of [...GATE_KINDS, "Open", "", undefined]) {
        const given = replaced(GIVEN.createTask(), ["rules", side], { kind });
        if (kind === "open" || kind === "allowlist") await build("createTask", given);
        else expect(await refusal(build("createTask", given))).to.be.instanceOf(ArgumentError);
      }
    }
  });

  it("are what the program reads, whatever they are", async () => {
    for (let turn = 0; turn < 60; turn += 1) {
      const made = GIVEN.createTask();
      const { rules: written, ...rest } = await read("createTask", made);
      expect(rest).to.deep.include({
        id: made.id,
        auditFunctionHash: [...made.auditFunction.hash],
        auditFunctionUri: made.auditFunction.uri,
        taskFunctionHash: [...made.taskFunction.hash],
        taskFunctionUri: made.taskFunction.uri,
      });
      const numbers = Object.entries(made.rules).filter(
        ([, value]) => typeof value === "bigint" || typeof value === "number",
      );
      expect(numbers.length).to.be.above(15);
      expect(written).to.deep.include({
        ...Object.fromEntries(numbers),
        voteWeight: VOTE_WEIGHTS.indexOf(made.rules.voteWeight),
        rewardRule: REWARD_RULES.indexOf(made.rules.rewardRule),
        allowLargeStake: made.allowLargeStake,
      });

      const join = GIVEN.joinTask();
      const { operator, ...joined } = await read("joinTask", join);
      const { amount, startSlot } = join;
      expect(joined).to.deep.equal({ role: ROLES.indexOf(join.role), amount, startSlot });
      expect(operator).to.deep.equal(join.operator);
    }
  });

  it("of addresses, commitments and wrapped SOL are looked at too", () => {
    const own = key();
    const attempts: readonly (() => unknown)[] = [
      ...[1.5, NaN, -1, 2 ** 32].map((index) => () => auditAddress(own, own, index)),
      ...[-1n, 2n ** 64n, 1 as never].flatMap((number) => [
        () => taskAddress(own, number),
        () => roundAddress(own, number),
        () => wrapSol(own, number),
      ]),
      () => allowEntryAddress(own, "boss" as never, own),
      () => voteCommitment({ audit: own, voter: own, opinion: "good" as never, salt: bytes() }),
      () => voteCommitment({ audit: own, voter: own, opinion: "valid", salt: new Uint8Array(31) }),
      () =>
        voteCommitment({ audit: own, voter: own, opinion: "valid", salt: [...bytes()] as never }),
    ];
    for (const attempt of attempts) expect(attempt).to.throw(ArgumentError);
  });
});
