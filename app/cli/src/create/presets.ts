import type { TaskRules } from "@securing-tasks/client";
import { part } from "./economics";

export const PRESETS = ["seed", "strict"] as const;
export type PresetName = (typeof PRESETS)[number];

export interface Preset {
  /** One line, for help and questions. */
  readonly about: string;
  /** All rules, for a bounty per round in base units: stakes, bond and deposit follow from it. */
  readonly rules: (bounty: bigint) => TaskRules;
}

/** Slots of a minute, at 400 ms each. */
const MINUTE = 150n;

/** A part of an amount of which something must be left however small the amount is. */
const some = (amount: bigint, bps: number): bigint => {
  const found = part(amount, bps);
  return found > 0n ? found : 1n;
};

const open = { workerGate: { kind: "open" }, witnessGate: { kind: "open" } } as const;

/** Everybody judges, and a verdict is final. */
const NO_APPEALS = { appealSlots: 0n, appealBond: 0n } as const;

/** Full sets of rules to start from. Why each is as it is stands in TASKS.md. */
export const PRESET_TABLE: Readonly<Record<PresetName, Preset>> = {
  seed: {
    about: "open votes, one for each node, everybody who votes is rewarded; small stakes",
    rules: (bounty) => ({
      roundSlots: 10n * MINUTE,
      submissionSlots: 4n * MINUTE,
      auditSlots: 5n * MINUTE,
      commitSlots: 0n,
      revealSlots: 5n * MINUTE,
      leaveDelaySlots: 30n * MINUTE,
      workerMinStake: atLeastOne(bounty) * 20n,
      witnessMinStake: atLeastOne(bounty) * 5n,
      bountyPerRound: bounty,
      initiatorBond: some(bounty, 5_000),
      voteDeposit: some(bounty, 500),
      ...NO_APPEALS,
      quorumVotes: 2,
      quorumBps: 2_000,
      downtimeBps: 1_000,
      maliceBps: 10_000,
      initiatorBonusBps: 4_000,
      poolBps: 500,
      panelSeats: 0,
      voteWeight: "node",
      rewardRule: "all",
      ...open,
    }),
  },
  strict: {
    about:
      "secret votes that weigh the stake, only the majority is rewarded; larger stakes and quorum",
    rules: (bounty) => ({
      roundSlots: 30n * MINUTE,
      submissionSlots: 10n * MINUTE,
      auditSlots: 10n * MINUTE,
      commitSlots: 10n * MINUTE,
      revealSlots: 10n * MINUTE,
      leaveDelaySlots: 24n * 60n * MINUTE,
      workerMinStake: atLeastOne(bounty) * 50n,
      witnessMinStake: atLeastOne(bounty) * 10n,
      bountyPerRound: bounty,
      initiatorBond: some(bounty, 10_000),
      voteDeposit: some(bounty, 1_000),
      ...NO_APPEALS,
      quorumVotes: 3,
      quorumBps: 5_000,
      downtimeBps: 1_000,
      maliceBps: 10_000,
      initiatorBonusBps: 3_000,
      poolBps: 1_000,
      panelSeats: 0,
      voteWeight: "stake",
      rewardRule: "majority",
      ...open,
    }),
  },
};

/** Of work that is paid nothing, stakes still have a slash and a bonus that can be taken. */
function atLeastOne(amount: bigint): bigint {
  return amount > 0n ? amount : 1n;
}
