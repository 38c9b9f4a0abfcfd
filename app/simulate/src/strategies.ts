import type { Accusation, Opinion, Submission } from "@securing-tasks/client";
import type { Charge, Effort, Strategy, StrategyModule, View } from "./strategy";

/*
 * The strategies that come with the simulator. A worker of any of them works; what differs is what it does with others' work, with votes, or
 * with its own.
 */

const work = (): Effort => "work";

/** Whether somebody has accused the work of no less. */
function isCovered(view: View, submission: Submission, accusation: Accusation): boolean {
  return view
    .auditsOf(submission)
    .some((audit) => audit.accusation === "malice" || audit.accusation === accusation);
}

/** Others' work that nobody of the view's group submitted. */
function strangers(view: View): Submission[] {
  return view.submissions.filter(({ owner }) => !view.isFriend(owner));
}

/** Checks a share of others' work and accuses what it finds bad, unless somebody has. */
function accuseBad(view: View, share: number): Charge[] {
  const own = view.node.owner;
  return view.submissions.flatMap((submission): Charge[] => {
    if (submission.owner.equals(own) || !view.random.chance(share)) return [];
    const found = view.check(submission);
    if (found === "valid" || isCovered(view, submission, found)) return [];
    return [{ submission, accusation: found }];
  });
}

/** One accusation of malice for each work, by whoever of the group is asked first. */
function accuseAll(view: View, submissions: readonly Submission[], most: number): Charge[] {
  return submissions
    .filter((one) => !view.auditsOf(one).some(({ initiator }) => view.isFriend(initiator)))
    .slice(0, most)
    .map((submission) => ({ submission, accusation: "malice" }));
}

function honest(sample: number): Strategy & Required<Pick<Strategy, "accuse" | "vote">> {
  return {
    work,
    accuse: (view) => accuseBad(view, sample),
    vote: (view, _, submission) => view.check(submission),
  };
}

/** Part of others' work that an honest node looks at unasked. */
const SAMPLE = { sample: 0.2 };
/** Accusations of each node in a round. */
const MOST = { accusations: 1 };

export const STRATEGIES = {
  honest: {
    about: "works, checks a sample of others' work, accuses what is bad, votes as its checks say",
    parameters: SAMPLE,
    make: ({ sample = 0 }) => honest(sample),
  },
  partTime: {
    about: "honest, but asleep in a part of all rounds",
    parameters: { ...SAMPLE, asleep: 0.5 },
    make: ({ sample = 0, asleep = 0 }) => {
      const awake = honest(sample);
      const sleeps = new Map<string, boolean>();
      const isAsleep = (view: View): boolean => {
        const key = `${view.node.address.toBase58()} ${view.round}`;
        const known = sleeps.get(key) ?? view.random.chance(asleep);
        sleeps.set(key, known);
        return known;
      };
      return {
        work: (view) => (isAsleep(view) ? "none" : "work"),
        accuse: (view) => (isAsleep(view) ? [] : awake.accuse(view)),
        vote: (view, audit, submission) =>
          isAsleep(view) ? null : awake.vote(view, audit, submission),
      };
    },
  },
  lazyValid: {
    about: "works, and votes valid without looking",
    make: () => ({ work, vote: () => "valid" }),
  },
  lazyAccuser: {
    about: "works, and votes with every accusation without looking",
    make: () => ({ work, vote: (_, { accusation }) => accusation }),
  },
  copier: {
    about:
      "works, and votes late what most open votes say; where none is to be seen, with the accusation",
    make: () => ({
      work,
      vote: (view, { votes, accusation }) => {
        if (!view.last) return null;
        const opinions: readonly Opinion[] = ["valid", "downtime", "malice"];
        const leading = opinions.reduce((a, b) => (votes[b].nodes > votes[a].nodes ? b : a));
        const others = opinions.reduce((sum, one) => sum + votes[one].nodes, 0) - 1;
        return others > 0 ? leading : accusation;
      },
    }),
  },
  nonRevealer: {
    about: "honest, but never opens its secret votes",
    parameters: SAMPLE,
    make: ({ sample = 0 }) => ({ ...honest(sample), reveal: () => false }),
  },
  shirker: {
    about: "submits bad work in a part of all rounds, and is honest otherwise",
    parameters: { ...SAMPLE, shirk: 0.5 },
    make: ({ sample = 0, shirk = 0 }) => ({
      ...honest(sample),
      work: ({ random }) => (random.chance(shirk) ? "shirk" : "work"),
    }),
  },
  convictingCartel: {
    about: "one purse: accuses the innocent of malice, and all its nodes vote so",
    parameters: MOST,
    make: ({ accusations = 0 }) => ({
      work,
      accuse: (view) => accuseAll(view, strangers(view), accusations),
      vote: (view, audit, submission) => {
        if (view.isFriend(submission.owner)) return "valid";
        return view.isFriend(audit.initiator) ? audit.accusation : null;
      },
    }),
  },
  clearingCartel: {
    about: "one purse: submits bad work, and all its nodes clear each other",
    make: () => ({
      work: () => "shirk",
      vote: (view, audit, submission) => {
        if (view.isFriend(submission.owner)) return "valid";
        return audit.accusation;
      },
    }),
  },
  griefer: {
    about: "accuses the innocent of malice, whatever it costs, and votes in nothing",
    parameters: MOST,
    make: ({ accusations = 0 }) => ({
      accuse: (view) => accuseAll(view, strangers(view), accusations),
    }),
  },
  selfSlasher: {
    about:
      "one purse: submits bad work, accuses itself and votes for it, to get slash and bonus back",
    make: () => ({
      work: () => "shirk",
      accuse: (view) =>
        accuseAll(
          view,
          view.submissions.filter(
            ({ owner }) => view.isFriend(owner) && !owner.equals(view.node.owner),
          ),
          1,
        ),
      vote: (view, audit) => (view.isFriend(audit.accused) ? audit.accusation : null),
    }),
  },
} as const satisfies Readonly<Record<string, StrategyModule>>;

export type StrategyName = keyof typeof STRATEGIES;
export const STRATEGY_NAMES = Object.keys(STRATEGIES) as StrategyName[];
