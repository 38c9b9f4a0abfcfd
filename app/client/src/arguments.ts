import type { MethodsNamespace } from "@coral-xyz/anchor";
import { PublicKey } from "@solana/web3.js";
import { z } from "zod";
import type { SecuringTasksClient } from "./client";
import type { SecuringTasks } from "./idl/securing_tasks";
import type { SaltStore } from "./salts";
import { OPINIONS, REWARD_RULES, ROLES, VOTE_WEIGHTS } from "./types";

/*
 * What every builder takes. The encoders below this client cut, wrap and round in silence: a hash of 31 bytes shifts all that follows it,
 * 1.5 becomes 1, NaN becomes 0, and a word that is none becomes 255. So all is looked at before anything is encoded.
 */

/** An argument that the program could not be given as it is. Nothing was encoded or sent. */
export class ArgumentError extends RangeError {
  override readonly name = "ArgumentError";

  constructor(
    /** The method that was called. */
    readonly method: string,
    /** The argument's path, such as `rules.quorumBps`. */
    readonly argument: string,
    readonly value: unknown,
    /** What it must be. */
    readonly wanted: string,
  ) {
    super(`${method}: \`${argument}\` is ${inWords(value)}. Give ${wanted}.`);
  }
}

type Instruction = keyof MethodsNamespace<SecuringTasks>;
type Arguments<N extends Instruction> = Parameters<SecuringTasksClient[N]>[0];

/** What may be left out may be undefined too. */
type Loose<T> = T extends PublicKey | Uint8Array | SaltStore
  ? T
  : T extends object
    ? { readonly [K in keyof T]: Loose<T[K]> | (object extends Pick<T, K> ? undefined : never) }
    : T;

function field<T>(wanted: string, fits: (value: unknown) => boolean): z.ZodType<T> {
  return z.custom<T>(fits, wanted);
}

function unsigned(bits: 8 | 16 | 32, most = 2 ** bits - 1): z.ZodType<number> {
  return field(
    `a whole number from 0 to ${most}`,
    (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most,
  );
}

function bytes(count: number): z.ZodType<Uint8Array> {
  return field(
    `${count} bytes as a Uint8Array`,
    (value) => value instanceof Uint8Array && value.length === count,
  );
}

function word<const W extends string>(words: readonly W[]): z.ZodType<W> {
  return field(`one of ${words.map((one) => `"${one}"`).join(", ")}`, (value) =>
    words.some((one) => one === value),
  );
}

/** Most bytes of a URI. */
const URI_BYTES = 128;

const address = field<PublicKey>(
  "an address as a PublicKey",
  (value) => value instanceof PublicKey,
);
const u64 = field<bigint>(
  "a bigint from 0n to 18446744073709551615n",
  (value) => typeof value === "bigint" && value >= 0n && value < 2n ** 64n,
);
const u32 = unsigned(32);
const bps = unsigned(16, 10_000);
const hash = bytes(32);
const flag = field<boolean>("true or false", (value) => typeof value === "boolean");
const uri = field<string>(`text of at most ${URI_BYTES} bytes in UTF-8`, (value) => {
  if (typeof value !== "string") return false;
  const encoded = Buffer.from(value, "utf8");
  // A surrogate without its other half would be encoded as another character.
  return encoded.length <= URI_BYTES && encoded.toString("utf8") === value;
});
const role = word(ROLES);
const opinion = word(OPINIONS);
const salts = field<SaltStore>("a store of salts", (value) => {
  const { keep, find, forget } = (value ?? {}) as Partial<SaltStore>;
  return [keep, find, forget].every((method) => typeof method === "function");
});
const mint = z.object({ address, tokenProgram: address }, "a mint: `address` and `tokenProgram`");
const task = z.object({ address, mint }, "a task: `address` and `mint`");
const gateProof = z
  .object({ proof: address, mint: address.optional() }, "a gate's proof")
  .optional();
const functionRef = z.object({ hash, uri }, "a function: `hash` and `uri`");
const evidenceRef = z.object({ hash, uri }, "evidence: `hash` and `uri`");
const gate = z.discriminatedUnion(
  "kind",
  [
    z.object({ kind: z.literal("open") }),
    z.object({ kind: z.literal("allowlist") }),
    z.object({ kind: z.literal("token"), mint: address, least: u64 }),
    z.object({ kind: z.literal("collection"), group: address }),
    z.object({
      kind: z.literal("standing"),
      task: address,
      leastRoundsPaid: u64,
      mostConvictions: u32,
    }),
    z.object({ kind: z.literal("member"), task: address }),
  ],
  "a gate: open, allowlist, token, collection, standing or member",
);
const rules = z.object(
  {
    roundSlots: u64,
    submissionSlots: u64,
    auditSlots: u64,
    commitSlots: u64,
    revealSlots: u64,
    leaveDelaySlots: u64,
    workerMinStake: u64,
    witnessMinStake: u64,
    bountyPerRound: u64,
    initiatorBond: u64,
    voteDeposit: u64,
    appealSlots: u64,
    appealBond: u64,
    quorumVotes: u32,
    quorumBps: bps,
    downtimeBps: bps,
    maliceBps: bps,
    initiatorBonusBps: bps,
    poolBps: bps,
    panelSeats: unsigned(16),
    voteWeight: word(VOTE_WEIGHTS),
    rewardRule: word(REWARD_RULES),
    workerGate: gate,
    witnessGate: gate,
  },
  "the task's rules",
);

const ofCreator = { task: address, creator: address };
const ofOwner = { task: address, owner: address };
const operator = address.optional();
const payer = address.optional();
const ballot = {
  task: address,
  audit: address,
  voter: address,
  operator,
  payer,
  opinion,
  gate: gateProof,
};
const submission = { address, task: address, owner: address, round: u64 };

/** An instruction that is missing here doesn't compile, nor does an argument that its builder needs. */
const ARGUMENTS: { readonly [N in Instruction]: z.ZodType<Loose<Arguments<N>>> } = {
  createTask: z.object({
    creator: address,
    payer,
    id: u64,
    mint,
    rules,
    auditFunction: functionRef,
    taskFunction: functionRef.optional(),
    allowLargeStake: flag.optional(),
  }),
  fundTask: z.object({ task, funder: address, amount: u64, source: address.optional() }),
  retireTask: z.object({ task, creator: address, destination: address.optional() }),
  pauseTask: z.object(ofCreator),
  resumeTask: z.object(ofCreator),
  allowNode: z.object({ ...ofCreator, payer, role, owner: address }),
  disallowNode: z.object({ task: address, remover: address, role, owner: address, payer }),
  joinTask: z.object({
    task,
    owner: address,
    payer,
    role,
    amount: u64,
    startSlot: u64,
    operator,
    source: address.optional(),
    gate: gateProof,
  }),
  addStake: z.object({ task, owner: address, amount: u64, source: address.optional() }),
  requestLeave: z.object({ ...ofOwner, amount: u64.optional() }),
  restake: z.object(ofOwner),
  cancelLeave: z.object(ofOwner),
  withdraw: z.object({ task, owner: address, destination: address.optional() }),
  returnStake: z.object({
    task,
    owner: address,
    destination: address.optional(),
    funder: address.optional(),
  }),
  setOperator: z.object({ ...ofOwner, operator: address }),
  submitWork: z.object({
    ...ofOwner,
    operator,
    payer,
    round: u64,
    payloadHash: hash,
    payloadUri: uri,
    gate: gateProof,
  }),
  openAudit: z.object({
    task: address,
    round: u64,
    accused: address,
    initiator: address,
    operator,
    payer,
    accusation: word(["downtime", "malice"]),
    evidence: evidenceRef.optional(),
    secretHash: hash.optional(),
    index: u32.optional(),
    gate: gateProof,
  }),
  drawPanel: z.object({ audit: address, secret: hash }),
  castVote: z.object(ballot),
  commitVote: z.object({ ...ballot, salts }),
  revealVote: z.object({ task: address, audit: address, voter: address, salts }),
  appealAudit: z.object({ task: address, audit: address, appellant: address, operator }),
  resolveAudit: z.object({
    address,
    task: address,
    submission: address,
    accused: address,
    initiator: address,
    appellant: address.nullable(),
    round: u64.optional(),
  }),
  claimVote: z.object({ task: address, audit: address, voter: address }),
  claimBounty: z.object(submission),
  closeVote: z.object({ address, audit: address, owner: address, payer: address, task: address }),
  closeAudit: z.object({
    address,
    task: address,
    submission: address,
    initiator: address,
    payer: address,
  }),
  closeSubmission: z.object({ ...submission, payer: address }),
  closeRound: z.object({ address, task: address, payer: address }),
  closeNode: z.object({ ...ofOwner, closer: address.optional(), payer }),
  closeTask: z.object({
    task,
    creator: address,
    destination: address.optional(),
    payer,
    funder: address.optional(),
  }),
};

/** What a builder was given, once all of it can be encoded as it is. Throws an {@link ArgumentError}. */
export function checked<N extends Instruction>(method: N, given: Arguments<N>): Arguments<N> {
  return parsed(ARGUMENTS[method] as z.ZodType<Arguments<N>>, method, given, "arguments");
}

/** The same for one argument of anything else that encodes. */
export const must = {
  u64: (method: string, argument: string, value: bigint): bigint =>
    parsed(u64, method, value, argument),
  u32: (method: string, argument: string, value: number): number =>
    parsed(u32, method, value, argument),
  hash: (method: string, argument: string, value: Uint8Array): Uint8Array =>
    parsed(hash, method, value, argument),
  word: <const W extends string>(
    words: readonly W[],
    method: string,
    argument: string,
    value: W,
  ): W => parsed(word(words), method, value, argument),
};

function parsed<T>(schema: z.ZodType<T>, method: string, given: unknown, whole: string): T {
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  const [issue] = error.issues;
  const path = issue?.path ?? [];
  const value = path.reduce<unknown>(
    (at, key) => (at as Readonly<Record<PropertyKey, unknown>>)[key],
    given,
  );
  const argument = path.length === 0 ? whole : path.join(".");
  throw new ArgumentError(method, argument, value, issue?.message ?? "another value");
}

/** A value as its caller would know it again, and no longer than a line. Of an object no more than its kind: it may be a key. */
function inWords(value: unknown): string {
  if (value === undefined) return "missing";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  const text = written(value);
  return text.length > 100 ? `${typeof value} of ${text.length} characters` : text;
}

function written(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "object":
      return value === null ? "null" : `[${kindOf(value)}]`;
    default:
      return typeof value === "function" ? "[Function]" : String(value);
  }
}

/** What made it, where that can be told. */
function kindOf(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor === "function" ? constructor.name : "Object";
}
