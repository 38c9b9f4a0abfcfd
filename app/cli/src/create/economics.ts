import type {
  Accusation,
  CaseRules as FrozenRules,
  Gate,
  Opinion,
  RefusalName,
  TaskRules,
} from "@securing-tasks/client";
import { LAMPORTS_PER_SIGNATURE, longestCase } from "@securing-tasks/client";
import type { PublicKey } from "@solana/web3.js";
import { formatShare } from "../amounts";

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

/** Largest quorum that the program takes: with a larger one, half and one that are awake could decide nothing. */
const MOST_QUORUM_BPS = 5_000;

/** Below this quorum few are enough to decide while the others sleep: worth a warning. */
const LOW_QUORUM_BPS = 2_000;

/** Least seats of a panel, and of the window in which it is drawn and votes the least slots. */
const LEAST_SEATS = 3;
const LEAST_PANEL_WINDOW = 528n;

/** Shortest appeal window with a panel, in slots. */
const LEAST_APPEAL_WINDOW = 150n;

/** A coalition of this part of the stake is what a panel is measured by, in basis points. */
export const COALITION_BPS = 3_300;

/** Above this chance that a third of the stake wins a panel by luck, it is worth a warning. */
const HIGH_CHANCE = 0.1;

/** Longest round and leave delay that the program takes, in slots. */
const MOST_SLOTS = 78_840_000n;

/** What is weighed, in words. */
export const WEIGHED = { node: "all nodes", stake: "all stake" } as const;

/** `floor(amount * bps / 10,000)`. */
export function part(amount: bigint, bps: number): bigint {
  return (amount * BigInt(bps)) / WHOLE_BPS;
}

export interface SlashSplit {
  /** Of a slash the initiator's, on top of its share as a voter; of a bond the acquitted node's. */
  readonly bonus: bigint;
  /** Everyone's who voted, the initiator included. */
  readonly voters: bigint;
  /** The task's pool's, with what the other two floors leave over. */
  readonly pool: bigint;
}

type SplitRules = Pick<TaskRules, "initiatorBonusBps" | "poolBps">;

const votersBps = ({ initiatorBonusBps, poolBps }: SplitRules): number =>
  Number(WHOLE_BPS) - initiatorBonusBps - poolBps;

/** How a slash, or the bond of who accused an acquitted node, is shared; the parts sum to it. */
export function splitSlash(slash: bigint, rules: SplitRules): SlashSplit {
  const bonus = part(slash, rules.initiatorBonusBps);
  const voters = part(slash, votersBps(rules));
  return { bonus, voters, pool: slash - bonus - voters };
}

/** One vote, with the voter's stake. */
export interface Ballot {
  readonly opinion: Opinion;
  readonly stake: bigint;
}

export interface Case {
  /** The accused's stake when the audit opens, and what earlier verdicts on the work had taken of it. */
  readonly accusedStake: bigint;
  readonly accusation: Accusation;
  readonly initiatorStake: bigint;
  /** Votes besides the initiator's. */
  readonly votes: readonly Ballot[];
  /** Weight of all nodes but the accused, in the unit of the rules' vote weight. Default: of those who vote. */
  readonly eligible?: bigint;
  /** What earlier verdicts on the work have taken by the time of this one. Default: nothing. */
  readonly slashed?: bigint;
  /** Stake that the accused has left at the verdict. Default: all. */
  readonly accusedLeft?: bigint;
  /** Stake that the initiator has left at the verdict. Default: all. */
  readonly initiatorLeft?: bigint;
}

export type CaseRules = Omit<FrozenRules, "panelSeats"> & Pick<TaskRules, "initiatorBond">;

/** What an audit moves once it is resolved and all have claimed. */
export interface Judgement {
  readonly outcome: "convictedDowntime" | "convictedMalice" | "acquitted" | "noVerdict";
  /** What the accused loses. */
  readonly slash: bigint;
  /** What the initiator gains: bonus and share. */
  readonly initiatorGain: bigint;
  /** What the initiator loses: of its bond what is there, after an acquittal. */
  readonly initiatorLoss: bigint;
  /** What the accused gains: its part of a lost bond. */
  readonly accusedGain: bigint;
  /** Shares of the votes, in their order. */
  readonly shares: readonly bigint[];
  /** What the pool gains, the floors' remainders included. */
  readonly pool: bigint;
}

/** Votes of one opinion, or of several. */
interface Side {
  /** Besides the initiator's. */
  readonly others: number;
  /** The initiator's included. */
  readonly weight: bigint;
}

/** Judges as the program does, without an appeal. A panel's votes weigh one each: give it the rules with that weight. */
export function judge(rules: CaseRules, facts: Case): Judgement {
  const { accusedStake, accusation, initiatorStake, votes, slashed = 0n } = facts;
  const { accusedLeft = accusedStake - slashed, initiatorLeft = initiatorStake } = facts;
  const weigh = (stake: bigint): bigint => (rules.voteWeight === "stake" ? stake : 1n);
  const side = (...opinions: readonly Opinion[]): Side => {
    const others = votes.filter(({ opinion }) => opinions.includes(opinion));
    const own = opinions.includes(accusation) ? weigh(initiatorStake) : 0n;
    return {
      others: others.length,
      weight: total([own, ...others.map(({ stake }) => weigh(stake))]),
    };
  };
  const [valid, downtime, malice] = [side("valid"), side("downtime"), side("malice")];
  const guilty = side("downtime", "malice");
  const all = valid.weight + guilty.weight;
  const { eligible = all } = facts;
  // Rounded up: a threshold must not be met by less.
  const quorum = eligible - part(eligible, Number(WHOLE_BPS) - rules.quorumBps);
  // On the side that decides: else who comes to vote against it would fill its quorum.
  const decides = ({ others, weight }: Side, against: bigint): boolean =>
    weight > against && others >= rules.quorumVotes && weight >= quorum;

  const nothing = { slash: 0n, initiatorGain: 0n, initiatorLoss: 0n, accusedGain: 0n };
  /** Who shares a pot, by how it ends. */
  const shareOut = (pot: bigint, whole: bigint, won: readonly Opinion[]): readonly bigint[] =>
    votes.map(({ opinion, stake }) =>
      rules.rewardRule === "all" || won.includes(opinion) ? (pot * weigh(stake)) / whole : 0n,
    );
  const convict = (outcome: "convictedDowntime" | "convictedMalice"): Judgement => {
    const forMalice = outcome === "convictedMalice";
    // Who said less than the verdict did not win: friends of a liar would share its slash.
    const won: readonly Opinion[] = forMalice ? ["malice"] : ["downtime", "malice"];
    const whole = part(accusedStake, forMalice ? rules.maliceBps : rules.downtimeBps);
    const due = whole > slashed ? whole - slashed : 0n;
    const slash = least(due, accusedLeft);
    const split = splitSlash(slash, rules);
    const weight = rules.rewardRule === "all" ? all : side(...won).weight;
    const paid = rules.rewardRule === "all" || won.includes(accusation);
    const share = paid ? (split.voters * weigh(initiatorStake)) / weight : 0n;
    const shares = shareOut(split.voters, weight, won);
    return {
      ...nothing,
      outcome,
      slash,
      initiatorGain: split.bonus + share,
      shares,
      pool: split.pool + split.voters - share - total(shares),
    };
  };

  if (decides(malice, valid.weight + downtime.weight)) return convict("convictedMalice");
  if (decides(guilty, valid.weight)) return convict("convictedDowntime");
  if (!decides(valid, guilty.weight)) {
    return { ...nothing, outcome: "noVerdict", shares: votes.map(() => 0n), pool: 0n };
  }
  const bond = least(rules.initiatorBond, initiatorLeft);
  // Shared as a slash is: the acquitted node has what would be a bonus.
  const split = splitSlash(bond, rules);
  const weight = rules.rewardRule === "all" ? all - weigh(initiatorStake) : valid.weight;
  const shares = shareOut(split.voters, weight, ["valid"]);
  return {
    ...nothing,
    outcome: "acquitted",
    initiatorLoss: bond,
    accusedGain: split.bonus,
    shares,
    pool: split.pool + split.voters - total(shares),
  };
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function total(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
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
  readonly what:
    | "submission"
    | "audit"
    | "vote"
    | "commit"
    | "reveal"
    | "appeal"
    | "appealVote"
    | "appealCommit"
    | "appealReveal";
  readonly from: bigint;
  readonly until: bigint;
}

/** A round's windows; those of votes and appeals are for an audit that opens, and is appealed, as late as it can. */
export function timeline(rules: TaskRules): readonly Stretch[] {
  const { submissionSlots, auditSlots, appealSlots } = rules;
  const opened = submissionSlots + auditSlots;
  const votes = ballots(rules, opened, "vote", "commit", "reveal");
  const voted = opened + votingSlots(rules);
  const appealed = voted + appealSlots;
  return [
    { what: "submission", from: 0n, until: submissionSlots },
    { what: "audit", from: 0n, until: opened },
    ...votes,
    ...(appealSlots === 0n
      ? []
      : [
          { what: "appeal", from: voted, until: appealed } as const,
          ...ballots(rules, appealed, "appealVote", "appealCommit", "appealReveal"),
        ]),
  ];
}

function ballots(
  { commitSlots, revealSlots }: TaskRules,
  from: bigint,
  ...[vote, commit, reveal]: readonly [Stretch["what"], Stretch["what"], Stretch["what"]]
): Stretch[] {
  const committed = from + commitSlots;
  return commitSlots === 0n
    ? [{ what: vote, from, until: from + revealSlots }]
    : [
        { what: commit, from, until: committed },
        { what: reveal, from: committed, until: committed + revealSlots },
      ];
}

/** From an accusation, or an appeal, to the end of its votes, in slots. */
export function votingSlots({
  commitSlots,
  revealSlots,
}: Pick<TaskRules, "commitSlots" | "revealSlots">): bigint {
  return commitSlots + revealSlots;
}

/**
 * The chance that who holds this part of the stake, in basis points, convicts whom it accuses by a panel's count, if all that are seated
 * vote: its accusation counts, whether it is seated or not. Only an appeal turns that.
 *
 * Seats are drawn each by itself, so that those of many small nodes are Poisson distributed. Fewer and larger nodes spread less.
 */
export function panelChance(
  {
    panelSeats,
    quorumVotes,
    quorumBps,
  }: Pick<TaskRules, "panelSeats" | "quorumVotes" | "quorumBps">,
  shareBps: number,
): number {
  const own = (panelSeats * shareBps) / Number(WHOLE_BPS);
  const others = panelSeats - own;
  const quorum = Math.max(quorumVotes, (panelSeats * quorumBps) / Number(WHOLE_BPS) - 1);
  // What lies further out is less than what a double can tell from nothing.
  const most = Math.ceil(panelSeats + 12 * Math.sqrt(panelSeats));
  let chance = 0;
  let noMoreOthers = 0;
  for (let seats = 0, log = -own, logOthers = -others; seats <= most; seats += 1) {
    noMoreOthers += Math.exp(logOthers);
    if (seats >= quorum) chance += Math.exp(log) * noMoreOthers;
    log += Math.log(own / (seats + 1));
    logOthers += Math.log(others / (seats + 1));
  }
  return chance;
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

/** What a gate of a task must not ask for. */
export interface Own {
  readonly task: PublicKey;
  readonly mint: PublicKey;
  /** The collection that the mint is a token of; null for none. */
  readonly group: PublicKey | null;
}

/** All that `create_task` would refuse of these rules, in its order; empty where it takes them. */
export function ruleFaults(rules: TaskRules, allowLargeStake: boolean, own: Own): RuleFault[] {
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
  for (const rule of ["downtimeBps", "maliceBps", "initiatorBonusBps", "poolBps"] as const) {
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
  refuse(
    rules.quorumBps > MOST_QUORUM_BPS,
    "quorumBps",
    "quorumOverHalf",
    "is over 50%: with half and one of the weight awake and honest nothing could be decided. Lower it.",
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
  refuse(
    rules.appealSlots === 0n && rules.appealBond > 0n,
    "appealSlots",
    "appealBondZero",
    "is zero, and the appeal's bond is not. Set both, or for no appeals neither.",
  );
  refuse(
    rules.appealBond === 0n && rules.appealSlots > 0n,
    "appealBond",
    "appealBondZero",
    "is zero, so that appealing would cost nothing. Set it above zero, or for no appeals set the window to zero.",
  );
  if (rules.panelSeats > 0) {
    refuse(
      rules.panelSeats < LEAST_SEATS,
      "panelSeats",
      "panelTooSmall",
      `is less than ${LEAST_SEATS}, and could be one owner's. Give a panel at least so many, or 0 where everybody judges.`,
    );
    refuse(
      rules.appealSlots < LEAST_APPEAL_WINDOW,
      "appealSlots",
      "panelWithoutAppeal",
      `is shorter than ${LEAST_APPEAL_WINDOW.toString()} slots, and audits are judged by a panel: a lucky draw would stand for ever. Set an appeal window of at least so many and an appeal's bond, or no seats.`,
    );
    const half = Math.floor((rules.panelSeats + 1) / 2);
    refuse(
      rules.quorumVotes > half,
      "quorumVotes",
      "quorumOverPanel",
      `is over half of a panel of ${rules.panelSeats}. Ask for at most ${half}, or seat more.`,
    );
    const first = rules.commitSlots > 0n ? "commitSlots" : "revealSlots";
    refuse(
      rules[first] < LEAST_PANEL_WINDOW,
      first,
      "panelWindowTooShort",
      `is shorter than ${LEAST_PANEL_WINDOW.toString()} slots, in which a panel is drawn and votes. Make it at least so long, or have everybody judge (panelSeats 0).`,
    );
  }
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
  const minimum = least(rules.workerMinStake, rules.witnessMinStake);
  for (const rule of ["initiatorBond", "voteDeposit"] as const) {
    refuse(
      rules[rule] > minimum,
      rule,
      "pledgeOverMinimum",
      "is over a role's least stake: a node that has no more could not accuse or vote. Lower it, or raise both least stakes.",
    );
  }
  refuse(
    rules.initiatorBond <= minimum && rules.initiatorBond + rules.appealBond > minimum,
    "appealBond",
    "pledgeOverMinimum",
    "and the initiator's bond together are over a role's least stake: a node that has no more could not accuse and appeal. Lower one, or raise both least stakes.",
  );
  for (const rule of ["downtimeBps", "maliceBps"] as const) {
    refuse(
      rules[rule] > 0 && part(rules.workerMinStake, rules[rule]) === 0n,
      rule,
      "slashFloorsToZero",
      "of a worker's least stake is less than one base unit, so that it could not be taken. Raise the slash or that stake.",
    );
  }
  refuse(
    part(part(rules.workerMinStake, rules.maliceBps), rules.initiatorBonusBps) === 0n,
    "initiatorBonusBps",
    "bonusFloorsToZero",
    "of the slash for malice at a worker's least stake is less than one base unit, so that nobody would have a reason to accuse. Raise the bonus, the slash or that stake.",
  );
  const all = longestCase(rules);
  refuse(
    rules.leaveDelaySlots < all,
    "leaveDelaySlots",
    "leaveDelayTooShort",
    `is shorter than the longest case, ${all.toString()} slots with all windows${rules.appealSlots > 0n ? " and an appeal" : ""}, so that a node could leave before it is judged. Make it at least as long.`,
  );
  for (const rule of ["workerGate", "witnessGate"] as const) {
    const on = asksForItself(rules[rule], own);
    refuse(on !== null, rule, "gateOnItself", on ?? "");
  }
  return faults;
}

/** Why a gate asks for what a task's own nodes can't show; null where it doesn't. */
function asksForItself(gate: Gate, { task, mint, group }: Own): string | null {
  switch (gate.kind) {
    case "open":
    case "allowlist":
      return null;
    case "token":
      return gate.mint.equals(mint)
        ? "asks for tokens of the task's own mint, and those that are staked are in the wallet no more. Ask for a least stake, or another mint."
        : null;
    case "collection":
      return group && gate.group.equals(group)
        ? "asks for a token of the collection that the task's own mint belongs to. Ask for a least stake, or another collection."
        : null;
    case "standing":
    case "member":
      return gate.task.equals(task)
        ? "asks for a node of the task itself, which nobody has before joining. Name another task."
        : null;
  }
}

/** What the program takes and a creator may regret, in plain words. */
export function warnings(rules: TaskRules): string[] {
  const found: string[] = [];
  const { bountyPerRound, workerMinStake } = rules;
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
  const bonus = part(part(workerMinStake, rules.downtimeBps), rules.initiatorBonusBps);
  if (rules.initiatorBond > part(workerMinStake, rules.maliceBps)) {
    found.push(
      "The bond is larger than all that a worker of minimum stake can lose: few will dare to accuse.",
    );
  }
  if (rules.downtimeBps > 0 && bonus === 0n) {
    found.push("The bonus for an accusation of downtime rounds to zero: nobody will accuse of it.");
  }
  if (rules.quorumBps < LOW_QUORUM_BPS) {
    const of = rules.panelSeats > 0 ? "a panel's seats" : WEIGHED[rules.voteWeight];
    found.push(
      `The quorum is low: where the others sleep, ${rules.quorumVotes + 1} nodes that agree${rules.quorumBps === 0 ? "" : ` and have ${formatShare(rules.quorumBps)} of ${of}`} convict whom they like, and ${rules.quorumVotes} clear their friends.`,
    );
  }
  if (rules.panelSeats > 0 && panelChance(rules, COALITION_BPS) > HIGH_CHANCE) {
    found.push(
      `The panel is small: with ${formatShare(COALITION_BPS)} of the stake somebody wins one draw in ${Math.floor(1 / panelChance(rules, COALITION_BPS))} by luck, and an appeal must turn it.`,
    );
  }
  if (rules.appealSlots > 0n && rules.appealBond < rules.initiatorBond) {
    found.push(
      "An appeal costs less than an accusation that fails: whoever is convicted will appeal, and delay what he loses.",
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
