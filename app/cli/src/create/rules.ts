import type { Gate, TaskRules } from "@securing-tasks/client";
import { REWARD_RULES, VOTE_WEIGHTS } from "@securing-tasks/client";
import { PublicKey } from "@solana/web3.js";
import { parseAmount, parseSlots } from "../amounts";
import { UsageError } from "../failures";
import type { Own } from "./economics";
import { ruleFaults } from "./economics";

/** How a rule is written. */
type Kind = "slots" | "amount" | "count" | "seats" | "share" | "weight" | "reward" | "gate";

interface RuleInfo {
  /** What the client calls it. */
  readonly rule: keyof TaskRules;
  readonly kind: Kind;
  /** One line, for the help. */
  readonly about: string;
}

/** All rules, by their names in files and, with hyphens, as flags. */
export const RULE_TABLE = {
  roundWindow: { rule: "roundSlots", kind: "slots", about: "length of a round" },
  submissionWindow: {
    rule: "submissionSlots",
    kind: "slots",
    about: "work is taken this long from the round's begin",
  },
  auditWindow: {
    rule: "auditSlots",
    kind: "slots",
    about: "audits may be opened this long after the submission window",
  },
  commitWindow: { rule: "commitSlots", kind: "slots", about: "for secret votes; 0 for open votes" },
  revealWindow: {
    rule: "revealSlots",
    kind: "slots",
    about: "for open votes, or to open secret ones",
  },
  leaveDelay: {
    rule: "leaveDelaySlots",
    kind: "slots",
    about: "from asking to leave to leaving; at least the longest case, all windows together",
  },
  workerStake: { rule: "workerMinStake", kind: "amount", about: "least stake of a worker" },
  witnessStake: { rule: "witnessMinStake", kind: "amount", about: "least stake of a witness" },
  bounty: { rule: "bountyPerRound", kind: "amount", about: "shared by the workers of a round" },
  bond: { rule: "initiatorBond", kind: "amount", about: "lost if an accusation fails" },
  voteDeposit: {
    rule: "voteDeposit",
    kind: "amount",
    about: "lost if a secret vote is never opened",
  },
  appealWindow: {
    rule: "appealSlots",
    kind: "slots",
    about: "an outcome may be appealed this long after its last vote; 0 for no appeals",
  },
  appealBond: {
    rule: "appealBond",
    kind: "amount",
    about: "lost if an appeal changes nothing; 0 for no appeals",
  },
  panelSeats: {
    rule: "panelSeats",
    kind: "seats",
    about: "about how many nodes are drawn by stake to judge an audit; 0 for everybody",
  },
  quorumVotes: {
    rule: "quorumVotes",
    kind: "count",
    about: "least votes on the side that decides, besides the initiator's",
  },
  quorumStake: {
    rule: "quorumBps",
    kind: "share",
    about: "least part of what could vote, or of a panel's seats, on that side; 50% at most",
  },
  downtimeSlash: {
    rule: "downtimeBps",
    kind: "share",
    about: "part of the stake lost for downtime",
  },
  maliceSlash: { rule: "maliceBps", kind: "share", about: "part of the stake lost for malice" },
  initiatorBonus: {
    rule: "initiatorBonusBps",
    kind: "share",
    about: "the initiator's part of a slash, besides its share as a voter",
  },
  poolShare: {
    rule: "poolBps",
    kind: "share",
    about: "the pool's part of a slash; the voters share the rest",
  },
  voteWeight: { rule: "voteWeight", kind: "weight", about: "what a vote counts: node or stake" },
  reward: { rule: "rewardRule", kind: "reward", about: "who is rewarded: all or majority" },
  workerGate: { rule: "workerGate", kind: "gate", about: "who may be a worker" },
  witnessGate: { rule: "witnessGate", kind: "gate", about: "who may be a witness" },
} as const satisfies Readonly<Record<string, RuleInfo>>;

export type RuleName = keyof typeof RULE_TABLE;
export const RULE_NAMES = Object.keys(RULE_TABLE) as RuleName[];

/** What each kind of rule looks like, for the help and for errors. */
export const FORMS: Readonly<
  Record<Kind, { readonly placeholder: string; readonly example: string }>
> = {
  slots: { placeholder: "TIME", example: '"10m" or "1500 slots"' },
  amount: { placeholder: "AMOUNT", example: '"12.5" tokens or "100 base" units' },
  count: { placeholder: "COUNT", example: "a whole number from 0 to 4294967295" },
  seats: { placeholder: "SEATS", example: "31, or 0 for everybody" },
  share: { placeholder: "SHARE", example: '"20%" or "2000 bp"' },
  weight: { placeholder: "WEIGHT", example: VOTE_WEIGHTS.join(" or ") },
  reward: { placeholder: "WHO", example: REWARD_RULES.join(" or ") },
  gate: {
    placeholder: "GATE",
    example:
      "open, allowlist, token:MINT:AMOUNT, collection:GROUP, standing:TASK:ROUNDS:CONVICTIONS or member:TASK",
  },
};

/** The flag of a rule: `--vote-deposit` for `voteDeposit`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** What somebody wrote, and where: `task.yaml:4:9: rules.bond` or `--bond`. */
export interface Written {
  readonly text: string;
  readonly where: string;
}

export type WrittenRules = Readonly<Partial<Record<RuleName, Written>>>;

const U64 = 2n ** 64n;

/** Everybody judges, and a verdict is final: what a task has whose creator says nothing of it. */
const JUDGED_BY_ALL = { appealSlots: 0n, appealBond: 0n, panelSeats: 0 } as const;

/** Mints named by gates, whose decimals are needed to read amounts of them. */
export function gateMints(written: WrittenRules): PublicKey[] {
  return (["workerGate", "witnessGate"] as const).flatMap((name) => {
    const [kind, mint] = (written[name]?.text ?? "").trim().split(":");
    const key = kind === "token" && mint !== undefined ? address(mint) : null;
    return key ? [key] : [];
  });
}

export interface Decimals {
  /** Of the task's mint. */
  readonly task: number;
  /** Of the mints of gates, by address. */
  readonly gates: ReadonlyMap<string, number>;
}

/**
 * Reads the rules that were written, over those of a preset. Throws a {@link UsageError} with a line for every rule that is missing or
 * can't be read, or that the program would refuse.
 */
export function readRules(
  written: WrittenRules,
  preset: ((bounty: bigint) => TaskRules) | null,
  decimals: Decimals,
  allowLargeStake: boolean,
  own: Own,
): TaskRules {
  const faults: string[] = [];
  const read: Partial<Record<keyof TaskRules, unknown>> = {};
  for (const name of RULE_NAMES) {
    const one = written[name];
    if (!one) continue;
    try {
      read[RULE_TABLE[name].rule] = readRule(RULE_TABLE[name].kind, one.text, decimals);
    } catch (error) {
      faults.push(`${one.where}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const bounty = read.bountyPerRound as bigint | undefined;
  const base: Partial<TaskRules> = {
    workerGate: { kind: "open" },
    witnessGate: { kind: "open" },
    ...JUDGED_BY_ALL,
    ...(preset?.(bounty ?? 0n) ?? {}),
  };
  const known = { ...base, ...read } as Partial<TaskRules>;
  for (const name of RULE_NAMES) {
    if (written[name]) continue;
    const { rule, about, kind } = RULE_TABLE[name];
    if (name === "bounty" ? bounty === undefined : known[rule] === undefined) {
      const way = preset
        ? `Write it under \`rules\`, or pass ${flagOf(name)}`
        : `Write it under \`rules\`, pass ${flagOf(name)}, or start from a preset (--preset seed)`;
      faults.push(
        `the rule \`${name}\` is missing (${about}). ${way}, like ${FORMS[kind].example}.`,
      );
    }
  }
  for (const name of RULE_NAMES) {
    const value: unknown = known[RULE_TABLE[name].rule];
    // What follows from a large bounty can be too large too.
    if (typeof value === "bigint" && value >= U64) {
      faults.push(
        `${written[name]?.where ?? `the rule \`${name}\``} is over ${(U64 - 1n).toString()} base units or slots, which the program can't count. Lower it, or the bounty.`,
      );
    }
  }
  const rules = known as TaskRules;
  if (faults.length === 0) {
    for (const { rule, message } of ruleFaults(rules, allowLargeStake, own)) {
      const name = RULE_NAMES.find((one) => RULE_TABLE[one].rule === rule);
      const where = name === undefined ? rule : (written[name]?.where ?? `the rule \`${name}\``);
      faults.push(`${where} ${message}`);
    }
  }
  if (faults.length > 0) throw new UsageError(faults.join("\n"));
  return rules;
}

/** Reads one rule. Throws a sentence. */
export function readRule(kind: Kind, text: string, decimals: Decimals): unknown {
  const trimmed = text.trim();
  switch (kind) {
    case "slots":
      return parseSlots(trimmed);
    case "amount":
      return parseAmount(trimmed, decimals.task);
    case "count":
      return wholeNumber(trimmed, 2n ** 32n - 1n);
    case "seats":
      return wholeNumber(trimmed, 2n ** 16n - 1n);
    case "share":
      return parseShare(trimmed);
    case "weight":
      return oneOf(VOTE_WEIGHTS, trimmed);
    case "reward":
      return oneOf(REWARD_RULES, trimmed);
    case "gate":
      return parseGate(trimmed, decimals.gates);
  }
}

/** A share in basis points, from "20%", "0.5%" or "2000 bp". A bare number is refused: 20 could mean either. */
export function parseShare(text: string): number {
  const percent = /^(\d{1,3})(?:\.(\d{1,2}))?\s*%$/.exec(text);
  const points = /^(\d{1,5})\s*bps?$/.exec(text);
  const bps = percent
    ? Number(percent[1]) * 100 + Number((percent[2] ?? "").padEnd(2, "0"))
    : points
      ? Number(points[1])
      : null;
  if (bps === null) {
    throw new Error(`"${text}" is no share. Write it like ${FORMS.share.example}.`);
  }
  if (bps > 10_000) throw new Error(`"${text}" is over 100%. Lower it.`);
  return bps;
}

/** A gate's text as in {@link FORMS}. */
export function parseGate(text: string, decimals: ReadonlyMap<string, number>): Gate {
  const [kind = "", ...rest] = text.split(":").map((one) => one.trim());
  const [first = "", second = "", third = ""] = rest;
  const expectParts = (count: number): void => {
    if (rest.length !== count) {
      throw new Error(`"${text}" is no gate. Write one of ${FORMS.gate.example}.`);
    }
  };
  const key = (): PublicKey => {
    const found = address(first);
    if (!found) throw new Error(`"${first}" is no address. Give 32 bytes in base58.`);
    return found;
  };
  switch (kind) {
    case "open":
    case "allowlist":
      expectParts(0);
      return { kind };
    case "token": {
      expectParts(2);
      const mint = key();
      return { kind, mint, least: parseAmount(second, decimals.get(mint.toBase58()) ?? 0) };
    }
    case "collection":
      expectParts(1);
      return { kind, group: key() };
    case "standing":
      expectParts(3);
      return {
        kind,
        task: key(),
        leastRoundsPaid: wholeNumber(second, U64 - 1n, BigInt),
        mostConvictions: wholeNumber(third, 2n ** 32n - 1n),
      };
    case "member":
      expectParts(1);
      return { kind, task: key() };
    default:
      throw new Error(`"${text}" is no gate. Write one of ${FORMS.gate.example}.`);
  }
}

function wholeNumber(text: string, most: bigint): number;
function wholeNumber(text: string, most: bigint, as: typeof BigInt): bigint;
function wholeNumber(text: string, most: bigint, as?: typeof BigInt): number | bigint {
  if (!/^\d{1,20}$/.test(text) || BigInt(text) > most) {
    throw new Error(`"${text}" is no whole number from 0 to ${most.toString()}. Write one.`);
  }
  return as ? as(text) : Number(text);
}

function oneOf<T extends string>(words: readonly T[], text: string): T {
  const found = words.find((word) => word === text);
  if (found === undefined) throw new Error(`"${text}" is none of ${words.join(", ")}. Write one.`);
  return found;
}

function address(text: string): PublicKey | null {
  try {
    return new PublicKey(text);
  } catch {
    return null;
  }
}
