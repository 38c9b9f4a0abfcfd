import type { AccountKind, Gate, TaskRules } from "@securing-tasks/client";
import { DRAW_WINDOW, longestCase } from "@securing-tasks/client";
import { SLOT_MS, formatDuration, formatShare, formatSlots, formatTokens, group } from "../amounts";
import type { Money } from "../lookup";
import { table } from "../output";
import type { Case } from "./economics";
import {
  COALITION_BPS,
  WEIGHED,
  bountyShare,
  judge,
  panelChance,
  part,
  poolLasts,
  roundsAtRisk,
  timeline,
  votingSlots,
  warnings,
} from "./economics";
import { RULE_NAMES, RULE_TABLE } from "./rules";

/** What creating a task costs its creator, in lamports. */
export interface Costs {
  readonly taskRent: bigint;
  readonly vaultRent: bigint;
  readonly fees: bigint;
  /** Lamports that go into the pool; 0 where the task does not pay in SOL. */
  readonly pool: bigint;
  readonly total: bigint;
}

export interface Preview {
  readonly rules: TaskRules;
  readonly money: Money;
  /** What goes into the pool at once, in base units. */
  readonly fund: bigint;
  /** Lamports that each account must hold. */
  readonly rent: Readonly<Record<AccountKind, bigint>>;
  readonly costs: Costs;
}

/** How many workers and voters the examples have. */
const WORKERS = 3;
const VOTERS = 10;
/** Of a larger quorum, the examples have no more: what one of so many gets is next to nothing. */
const MOST_PLAYED = 10_000;

const sol = (lamports: bigint): string => formatTokens(lamports, 9, "SOL");

/** All that a creator should know before paying, line by line. */
export function previewLines(preview: Preview): string[] {
  return [
    "Rules, for ever",
    ...ruleLines(preview),
    "",
    "What an audit of a worker with the least stake moves",
    ...auditLines(preview),
    "",
    ...wordLines(preview),
    "",
    "Who judges, and when it is final",
    ...juryLines(preview),
    "",
    "Time line of a round",
    ...timeLines(preview),
    "",
    "Costs",
    ...costLines(preview),
    ...warnings(preview.rules).flatMap((warning) => ["", `Warning: ${warning}`]),
  ];
}

/** A gate as a creator writes it, amounts in base units. */
function gateText(gate: Gate): string {
  switch (gate.kind) {
    case "open":
    case "allowlist":
      return gate.kind;
    case "token":
      return `token:${gate.mint.toBase58()}:${gate.least.toString()} base`;
    case "collection":
      return `collection:${gate.group.toBase58()}`;
    case "standing":
      return `standing:${gate.task.toBase58()}:${gate.leastRoundsPaid.toString()}:${gate.mostConvictions}`;
    case "member":
      return `member:${gate.task.toBase58()}`;
  }
}

function ruleLines(preview: Preview): string[] {
  const { say } = preview.money;
  const shown = (name: (typeof RULE_NAMES)[number]): string => {
    const { rule, kind } = RULE_TABLE[name];
    const value: unknown = preview.rules[rule];
    switch (kind) {
      case "slots":
        return formatSlots(value as bigint);
      case "amount":
        return say(value as bigint);
      case "share":
        return formatShare(value as number);
      case "gate":
        return gateText(value as Gate);
      default:
        return String(value);
    }
  };
  return table(
    ["rule", "value", "what it is"],
    RULE_NAMES.map((name) => [name, shown(name), RULE_TABLE[name].about]),
  );
}

function auditLines(preview: Preview): string[] {
  const { rules } = preview;
  const { say } = preview.money;
  // One voter alone could only tie with the caller.
  const few = Math.min(Math.max(rules.quorumVotes, 2), MOST_PLAYED);
  const many = Math.max(rules.panelSeats > 0 ? rules.panelSeats - 1 : VOTERS, few);
  const play = (verdict: "downtime" | "malice" | "valid", voters: number) => {
    const facts: Case = {
      accusedStake: rules.workerMinStake,
      accusation: verdict === "valid" ? "malice" : verdict,
      initiatorStake: rules.witnessMinStake,
      votes: Array.from({ length: voters }, () => ({
        opinion: verdict,
        stake: rules.witnessMinStake,
      })),
    };
    const voteWeight = rules.panelSeats > 0 ? "node" : rules.voteWeight;
    const quorumVotes = Math.min(rules.quorumVotes, voters);
    return judge({ ...rules, voteWeight, quorumVotes }, facts);
  };
  const verdicts = ["downtime", "malice", "valid"] as const;
  const row = (title: string, cell: (verdict: (typeof verdicts)[number]) => string): string[] => [
    title,
    ...verdicts.map(cell),
  ];
  const signed = (amount: bigint): string => (amount > 0n ? `+${say(amount)}` : say(amount));
  const counts = few === many ? [few] : [few, many];
  return table(
    ["", "guilty of downtime", "guilty of malice", "acquitted"],
    [
      row("the worker", (verdict) => {
        const { slash, accusedGain } = play(verdict, few);
        return signed(accusedGain - slash);
      }),
      ...counts.map((voters) =>
        row(`the caller, with ${voters} other voters`, (verdict) => {
          const { initiatorGain, initiatorLoss } = play(verdict, voters);
          return signed(initiatorGain - initiatorLoss);
        }),
      ),
      ...counts.map((voters) =>
        row(`each of ${voters} other voters`, (verdict) =>
          signed(play(verdict, voters).shares[0] ?? 0n),
        ),
      ),
      row("the pool", (verdict) => signed(play(verdict, few).pool)),
    ],
  );
}

function wordLines(preview: Preview): string[] {
  const { rules, fund } = preview;
  const { say } = preview.money;
  const share = bountyShare(rules.bountyPerRound, WORKERS);
  const risk = roundsAtRisk(rules, WORKERS);
  const lasts = poolLasts(fund, rules.bountyPerRound);
  const revealed = rules.commitSlots > 0n;
  const stakeInBounties =
    rules.bountyPerRound > 0n ? rules.workerMinStake / rules.bountyPerRound : null;
  const lines = [
    `A worker stakes at least ${say(rules.workerMinStake)}${stakeInBounties === null ? "" : `, ${stakeInBounties.toString()} rounds' bounties`}, and a witness ${say(rules.witnessMinStake)}.`,
    `With ${WORKERS} workers, each earns ${say(share)} a round. A wrong one loses ${say(part(rules.workerMinStake, rules.maliceBps))}${risk === null ? "" : `, the pay of ${risk.toString()} rounds: lying pays only if it is caught less than once in so many`}; one that is down loses ${say(part(rules.workerMinStake, rules.downtimeBps))}.`,
    `Who calls an audit risks a bond of ${say(rules.initiatorBond)}, lost if the worker is acquitted. ${revealed ? `A secret vote costs ${say(rules.voteDeposit)} if it is never opened` : "A vote risks nothing"}. Nothing of it leaves the stake before it is lost: a node with the least stake accuses and votes.`,
    quorumLine(rules),
  ];
  if (fund === 0n) {
    lines.push(
      `Nothing is put into the pool yet: workers are paid once somebody funds the task with ${say(rules.bountyPerRound)} a round.`,
    );
  } else if (lasts) {
    const time = formatDuration(lasts.rounds * rules.roundSlots);
    lines.push(
      `The pool of ${say(fund)} lasts ${group(lasts.rounds)} rounds, ~${time}${lasts.rest > 0n ? `, and pays ${say(lasts.rest)} in one more` : ""}.`,
    );
  }
  return lines;
}

/** Parts of the stake, in basis points, for which the chance to win a draw is told. */
const COALITIONS = [1_000, COALITION_BPS, 4_500] as const;

/** A chance in percent, to two digits. */
function chanceText(chance: number): string {
  return chance < 0.0001 ? "less than 0.01%" : `${Number((chance * 100).toPrecision(2))}%`;
}

function juryLines({ rules, money }: Preview): string[] {
  const { panelSeats, appealSlots, appealBond } = rules;
  const voted = votingSlots(rules);
  const lines: string[] = [];
  if (panelSeats === 0) {
    lines.push(
      "Every node may check and vote in every audit: each asks the accused, and pays fee and rent of its vote. For tasks of more than a hundred nodes, think of a panel (panelSeats).",
    );
  } else {
    const chances = COALITIONS.map(
      (share) => `${formatShare(share)} of the stake: ${chanceText(panelChance(rules, share))}`,
    );
    lines.push(
      `About ${group(panelSeats)} nodes are drawn for each audit, by stake; a seat is one vote, and no other node asks the accused. Whoever opens an audit draws within ${group(DRAW_WINDOW)} slots; else everybody may vote.`,
      `The chance that one coalition has most of a panel's votes, its own accusation included, where all that are seated vote: ${chances.join("; ")}.`,
    );
  }
  if (appealSlots === 0n) {
    lines.push(
      `A verdict is final ${formatDuration(voted)} after the accusation. Nothing turns it (appealWindow 0).`,
    );
  } else {
    lines.push(
      `Any node may appeal within ${formatDuration(appealSlots)} of the last vote, once, with a bond of ${money.say(appealBond)} out of its stake. Then everybody eligible may vote once more, and the whole count decides. The bond comes back if the outcome changes; else pool and voters have it. Nobody is paid for an appeal.`,
      `A verdict is final ${formatDuration(voted + appealSlots)} after the accusation, and ${formatDuration(2n * voted + appealSlots)} after it at most, with an appeal.`,
    );
  }
  return lines;
}

/** What the quorum is good for, and what it costs. */
function quorumLine({ quorumVotes, quorumBps, voteWeight, panelSeats }: TaskRules): string {
  const others = `${group(quorumVotes)} vote${quorumVotes === 1 ? "" : "s"} besides the initiator's`;
  const share = `${formatShare(quorumBps)} of ${panelSeats > 0 ? `the ${group(panelSeats)} seats` : `${WEIGHED[voteWeight]} but the accused's`}`;
  return `A verdict needs ${others}${quorumBps === 0 ? "" : ` and ${share}`} on its own side: nobody with less decides, however many sleep, and at least so much must be awake to decide anything.`;
}

const WINDOWS = {
  submission: "work is taken",
  audit: "audits may be opened",
  vote: "votes, at the latest",
  commit: "secret votes, at the latest",
  reveal: "secret votes are opened, at the latest",
  appeal: "an outcome may be appealed, at the latest",
  appealVote: "votes on appeal, at the latest",
  appealCommit: "secret votes on appeal, at the latest",
  appealReveal: "those are opened, at the latest",
} as const;

function timeLines({ rules }: Preview): string[] {
  return [
    ...table(
      ["window", "from slot", "until slot", "ends after"],
      [
        ...timeline(rules).map(({ what, from, until }) => [
          WINDOWS[what],
          from.toString(),
          until.toString(),
          formatDuration(until),
        ]),
        ["next round begins", rules.roundSlots.toString(), "", formatDuration(rules.roundSlots)],
        [
          "bounties are paid, if no audit is open",
          (rules.submissionSlots + rules.auditSlots).toString(),
          "",
          formatDuration(rules.submissionSlots + rules.auditSlots),
        ],
        ["last verdict", longestCase(rules).toString(), "", formatDuration(longestCase(rules))],
      ],
    ),
    `Times are at ${SLOT_MS} ms a slot; a busy network is slower.`,
  ];
}

function costLines(preview: Preview): string[] {
  const { costs, rent, fund, money } = preview;
  const inSol = money.unit === "SOL";
  const now: (readonly [string, string, string])[] = [
    ["rent of the task", sol(costs.taskRent), "back when it is closed"],
    ["rent of the vault", sol(costs.vaultRent), "back when it is closed"],
    ["transaction fees", sol(costs.fees), ""],
    ...(inSol && fund > 0n
      ? [["into the pool", sol(fund), "back when the task is retired, unless paid out"] as const]
      : []),
    ["now, in all", sol(costs.total), ""],
    ...(!inSol && fund > 0n
      ? [
          [
            "into the pool",
            money.say(fund),
            "back when the task is retired, unless paid out",
          ] as const,
        ]
      : []),
  ];
  const later: (readonly [string, string, string])[] = [
    ["each node that joins", sol(rent.node), "by its owner, or --payer; back when it is closed"],
    ["each round", sol(rent.round), "by its first worker; back when it is closed"],
    ["each submission", sol(rent.submission), "by its worker; back when it is closed"],
    ["each audit", sol(rent.audit), "by who opens it; back when it is closed"],
    ["each vote", sol(rent.vote), "by its voter; back when it is closed"],
    [
      "each allowed owner",
      sol(rent.allowEntry),
      "by you, or --payer; back when it is taken off the list",
    ],
  ];
  return table(["for", "amount", ""], [...now, ...later]);
}
