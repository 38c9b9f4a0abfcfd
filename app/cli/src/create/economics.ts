import type {
  Accusation,
  CaseRules as FrozenRules,
  Opinion,
  RefusalName,
  TaskRules,
} from "@securing-tasks/client";
import { LAMPORTS_PER_SIGNATURE } from "@securing-tasks/client";

/*
 * What a task's rules mean in money, rent and time, as pure functions on integers. Amounts are base units of the task's mint, rent and
 * fees are lamports, windows are slots. Divisions floor as the program's do.
 */

/** Basis points in a whole. */
export const WHOLE_BPS = 10_000n;

/** The program takes a worker's minimum stake of at most this many rounds' bounties, unless a larger one is allowed. */
export const MOST_STAKE_IN_BOUNTIES = 100n;

/** Above this many rounds' bounties a worker's minimum stake is worth a warning. */
const HIGH_STAKE_IN_BOUNTIES = 50n;

/** Longest round and leave delay that the program takes, in slots. */
const MOST_SLOTS = 78_840_000n;

/** `floor(amount * bps / 10,000)`. */
export function part(amount: bigint, bps: number): bigint {
  return (amount * BigInt(bps)) / WHOLE_BPS;
}

export interface SlashSplit {
  /** The initiator's, on top of its share as a voter. */
  readonly bonus: bigint;
  /** Everyone's who voted, the initiator included. */
  readonly voters: bigint;
  /** The task's pool's, with what the other two floors leave over. */
  readonly pool: bigint;
}

type SplitRules = Pick<TaskRules, "initiatorBonusBps" | "poolBps">;

const votersBps = ({ initiatorBonusBps, poolBps }: SplitRules): number =>
  Number(WHOLE_BPS) - initiatorBonusBps - poolBps;

/** How a slash is shared; the parts sum to it. */
export function splitSlash(slash: bigint, rules: SplitRules): SlashSplit {
  const bonus = part(slash, rules.initiatorBonusBps);
  const voters = part(slash, votersBps(rules));
  return { bonus, voters, pool: slash - bonus - voters };
}

/** How the bond of an acquitted node's accuser is shared; the parts sum to it. */
export function splitBond(
  bond: bigint,
  rules: SplitRules,
): { readonly accused: bigint; readonly voters: bigint } {
  const voters = part(bond, votersBps(rules));
  return { accused: bond - voters, voters };
}

/** One vote, with the voter's stake. */
export interface Ballot {
  readonly opinion: Opinion;
  readonly stake: bigint;
}

export interface Case {
  /** The accused's stake when the audit opens. */
  readonly accusedStake: bigint;
  readonly accusation: Accusation;
  readonly initiatorStake: bigint;
  /** Votes besides the initiator's. */
  readonly votes: readonly Ballot[];
  /** Stake of all nodes but the accused. Default: of those who vote. */
  readonly eligibleStake?: bigint;
}

export type CaseRules = FrozenRules & Pick<TaskRules, "initiatorBond">;

/** What an audit moves once it is resolved and all have claimed. */
export interface Judgement {
  readonly outcome: "convictedDowntime" | "convictedMalice" | "acquitted" | "noVerdict";
  /** What the accused loses. */
  readonly slash: bigint;
  /** What the initiator gains besides its bond: bonus and share. */
  readonly initiatorGain: bigint;
  /** What the initiator loses: its bond after an acquittal. */
  readonly initiatorLoss: bigint;
  /** What the accused gains: its part of a lost bond. */
  readonly accusedGain: bigint;
  /** Shares of the votes, in their order. */
  readonly shares: readonly bigint[];
  /** What the pool gains, the floors' remainders included. */
  readonly pool: bigint;
}

/** Judges as the program does. */
export function judge(rules: CaseRules, facts: Case): Judgement {
  const { accusedStake, accusation, initiatorStake, votes } = facts;
  const weigh = (stake: bigint): bigint => (rules.voteWeight === "stake" ? stake : 1n);
  const all = [{ opinion: accusation, stake: initiatorStake }, ...votes];
  const sum = (one: (ballot: Ballot) => bigint, of: readonly Ballot[]): bigint =>
    of.reduce((total, ballot) => total + one(ballot), 0n);
  const weight = (keep: (opinion: Opinion) => boolean): bigint =>
    sum(
      ({ stake }) => weigh(stake),
      all.filter(({ opinion }) => keep(opinion)),
    );
  const valid = weight((opinion) => opinion === "valid");
  const guilty = weight((opinion) => opinion !== "valid");
  const malice = weight((opinion) => opinion === "malice");
  const revealed = sum(({ stake }) => stake, all);
  const eligible = facts.eligibleStake ?? revealed;
  // Rounded up: a threshold must not be met by less.
  const least = eligible - part(eligible, Number(WHOLE_BPS) - rules.quorumBps);
  const quorum = votes.length >= rules.quorumVotes && revealed >= least;

  const nothing = { slash: 0n, initiatorGain: 0n, initiatorLoss: 0n, accusedGain: 0n };
  if (!quorum || valid === guilty) {
    return { ...nothing, outcome: "noVerdict", shares: votes.map(() => 0n), pool: 0n };
  }
  const convicted = guilty > valid;
  const rewarded = ({ opinion }: Ballot): boolean =>
    rules.rewardRule === "all" || (opinion !== "valid") === convicted;
  const shareOut = (pot: bigint, whole: bigint) =>
    votes.map((ballot) => (rewarded(ballot) ? (pot * weigh(ballot.stake)) / whole : 0n));
  const total = (amounts: readonly bigint[]): bigint => amounts.reduce((a, b) => a + b, 0n);

  if (!convicted) {
    const split = splitBond(rules.initiatorBond, rules);
    const whole = rules.rewardRule === "all" ? valid + guilty - weigh(initiatorStake) : valid;
    const shares = shareOut(split.voters, whole);
    return {
      ...nothing,
      outcome: "acquitted",
      initiatorLoss: rules.initiatorBond,
      accusedGain: split.accused,
      shares,
      pool: split.voters - total(shares),
    };
  }
  const outcome = malice * 2n > valid + guilty ? "convictedMalice" : "convictedDowntime";
  const slash = part(
    accusedStake,
    outcome === "convictedMalice" ? rules.maliceBps : rules.downtimeBps,
  );
  const split = splitSlash(slash, rules);
  const whole = rules.rewardRule === "all" ? valid + guilty : guilty;
  const share = (split.voters * weigh(initiatorStake)) / whole;
  const shares = shareOut(split.voters, whole);
  return {
    ...nothing,
    outcome,
    slash,
    initiatorGain: split.bonus + share,
    shares,
    pool: split.pool + split.voters - share - total(shares),
  };
}

/** What each of the workers is paid for a round in which nobody was convicted. */
export function bountyShare(reserve: bigint, workers: number): bigint {
  return reserve / BigInt(workers);
}

/** How long a pool lasts without income: rounds paid in full, and what a last round pays. */
export function poolLasts(
  pool: bigint,
  bountyPerRound: bigint,
): { readonly rounds: bigint; readonly rest: bigint } | null {
  return bountyPerRound === 0n
    ? null
    : { rounds: pool / bountyPerRound, rest: pool % bountyPerRound };
}

/**
 * For how many rounds' pay a liar risks the slash for malice: one that is caught more seldom than once in so many rounds gains by lying.
 * Null where the work is unpaid.
 */
export function roundsAtRisk(rules: TaskRules, workers: number): bigint | null {
  const pay = bountyShare(rules.bountyPerRound, workers);
  return pay === 0n ? null : part(rules.workerMinStake, rules.maliceBps) / pay;
}

/** A stretch of a round's life, in slots from the round's first: [from, until). */
export interface Stretch {
  readonly what: "submission" | "audit" | "vote" | "commit" | "reveal";
  readonly from: bigint;
  readonly until: bigint;
}

/** A round's windows; those of votes are for an audit that opens as late as it can. */
export function timeline(rules: TaskRules): readonly Stretch[] {
  const { submissionSlots, auditSlots, commitSlots, revealSlots } = rules;
  const opened = submissionSlots + auditSlots;
  const committed = opened + commitSlots;
  return [
    { what: "submission", from: 0n, until: submissionSlots },
    { what: "audit", from: 0n, until: opened },
    ...(commitSlots === 0n
      ? [{ what: "vote", from: opened, until: opened + revealSlots } as const]
      : [
          { what: "commit", from: opened, until: committed } as const,
          { what: "reveal", from: committed, until: committed + revealSlots } as const,
        ]),
  ];
}

/** Longest time from the begin of a round to the end of the last vote on its work. */
export function longestCase(rules: TaskRules): bigint {
  return rules.submissionSlots + rules.auditSlots + rules.commitSlots + rules.revealSlots;
}

/** What a transaction costs: its signatures, and a priority fee in micro-lamports for each unit of its compute limit. */
export function transactionFee(signatures: number, unitLimit = 0n, microLamports = 0n): bigint {
  // The runtime rounds the priority fee up.
  const priority = (unitLimit * microLamports + 999_999n) / 1_000_000n;
  return LAMPORTS_PER_SIGNATURE * BigInt(signatures) + priority;
}

/** Rules that the program refuses, with its name for it, the rule at fault and the way out. */
export interface RuleFault {
  readonly rule: keyof TaskRules;
  readonly refusal: RefusalName;
  readonly message: string;
}

/** All that `create_task` would refuse of these rules; empty where it takes them. */
export function ruleFaults(rules: TaskRules, allowLargeStake: boolean): RuleFault[] {
  const faults: RuleFault[] = [];
  const refuse = (
    when: boolean,
    rule: keyof TaskRules,
    refusal: RefusalName,
    message: string,
  ): void => {
    if (when) faults.push({ rule, refusal, message });
  };
  const over = (bps: number): boolean => BigInt(bps) > WHOLE_BPS;
  for (const rule of [
    "quorumBps",
    "downtimeBps",
    "maliceBps",
    "initiatorBonusBps",
    "poolBps",
  ] as const) {
    refuse(over(rules[rule]), rule, "sharesOverWhole", "is over 100%. Lower it.");
  }
  if (!over(rules.initiatorBonusBps) && !over(rules.poolBps)) {
    refuse(
      over(rules.initiatorBonusBps + rules.poolBps),
      "poolBps",
      "sharesOverWhole",
      "and the initiator's bonus together are over 100%. Lower one.",
    );
  }
  refuse(
    rules.initiatorBonusBps === 0,
    "initiatorBonusBps",
    "bonusZero",
    "is zero, so nobody would have a reason to accuse. Set it above zero.",
  );
  refuse(
    rules.maliceBps === 0,
    "maliceBps",
    "slashZero",
    "is zero, so lying would cost nothing. Set it above zero.",
  );
  refuse(
    rules.maliceBps < rules.downtimeBps,
    "maliceBps",
    "maliceBelowDowntime",
    "is below the slash for downtime. Make it the same or larger.",
  );
  refuse(
    rules.initiatorBond === 0n,
    "initiatorBond",
    "bondZero",
    "is zero, so accusing would cost nothing. Set it above zero.",
  );
  refuse(
    rules.quorumVotes === 0,
    "quorumVotes",
    "quorumZero",
    "is zero, so that an accusation would convict by itself. Ask for at least one.",
  );
  for (const rule of ["roundSlots", "submissionSlots", "auditSlots", "revealSlots"] as const) {
    refuse(rules[rule] === 0n, rule, "windowZero", "is zero slots long. Give it at least one.");
  }
  for (const rule of ["roundSlots", "leaveDelaySlots"] as const) {
    refuse(
      rules[rule] > MOST_SLOTS,
      rule,
      "windowTooLong",
      `is longer than ${MOST_SLOTS.toString()} slots, about a year. Shorten it.`,
    );
  }
  refuse(
    rules.submissionSlots > rules.roundSlots,
    "submissionSlots",
    "submissionWindowTooLong",
    `is longer than the round of ${rules.roundSlots.toString()} slots. Shorten it, or make the round longer.`,
  );
  const audit = rules.auditSlots + rules.commitSlots + rules.revealSlots;
  refuse(
    audit > rules.roundSlots,
    "auditSlots",
    "auditWindowsTooLong",
    `and the windows for votes are ${audit.toString()} slots together, longer than the round of ${rules.roundSlots.toString()}. Shorten them, or make the round longer.`,
  );
  const all = longestCase(rules);
  refuse(
    rules.leaveDelaySlots < all,
    "leaveDelaySlots",
    "leaveDelayTooShort",
    `is shorter than all windows together, ${all.toString()} slots, so that a node could leave before it is judged. Make it at least as long.`,
  );
  for (const rule of ["workerMinStake", "witnessMinStake"] as const) {
    refuse(
      rules[rule] === 0n,
      rule,
      "minimumStakeZero",
      "is zero. Set it above zero: it is all that keeps one owner from running many nodes.",
    );
  }
  refuse(
    !allowLargeStake && rules.workerMinStake > rules.bountyPerRound * MOST_STAKE_IN_BOUNTIES,
    "workerMinStake",
    "stakeOverBounty",
    `is over ${MOST_STAKE_IN_BOUNTIES.toString()} rounds' bounties. Lower it, raise the bounty, or allow a large stake in so many words (allowLargeStake).`,
  );
  return faults;
}

/** What the program takes and a creator may regret, in plain words. */
export function warnings(rules: TaskRules): string[] {
  const found: string[] = [];
  const { bountyPerRound, workerMinStake, witnessMinStake } = rules;
  if (bountyPerRound === 0n) {
    found.push("The bounty is zero: nobody is paid for work.");
  } else if (workerMinStake > bountyPerRound * MOST_STAKE_IN_BOUNTIES) {
    found.push(
      `A worker must stake ${(workerMinStake / bountyPerRound).toString()} rounds' bounties, which is overly large: few will join, and the rich vote alone.`,
    );
  } else if (workerMinStake > bountyPerRound * HIGH_STAKE_IN_BOUNTIES) {
    found.push(
      `A worker must stake ${(workerMinStake / bountyPerRound).toString()} rounds' bounties, which is much.`,
    );
  }
  if (rules.maliceBps === rules.downtimeBps) {
    found.push(
      "Downtime costs as much as malice: a node that fails by accident is treated as a liar.",
    );
  }
  const least = part(workerMinStake, rules.downtimeBps);
  const bonus = part(least, rules.initiatorBonusBps);
  if (rules.downtimeBps > 0 && rules.initiatorBond > part(workerMinStake, rules.maliceBps)) {
    found.push(
      "The bond is larger than all that a worker of minimum stake can lose: few will dare to accuse.",
    );
  }
  if (rules.downtimeBps > 0 && bonus === 0n) {
    found.push("The bonus for an accusation of downtime rounds to zero: nobody will accuse.");
  }
  if (rules.initiatorBond > witnessMinStake * 10n) {
    found.push(
      "The bond is over ten times a witness's minimum stake: witnesses can't afford to accuse.",
    );
  }
  if (rules.voteDeposit === 0n && rules.commitSlots > 0n) {
    found.push("The vote deposit is zero: a committed vote that is never revealed costs nothing.");
  }
  if (rules.rewardRule === "majority" && rules.commitSlots === 0n) {
    found.push(
      "Votes are open and only the majority is rewarded: nodes will copy the first votes instead of checking.",
    );
  }
  if (rules.voteWeight === "node" && rules.workerGate.kind === "open") {
    found.push(
      "Votes count by node and anybody may join: one owner can get many votes, each for one minimum stake.",
    );
  }
  return found;
}
