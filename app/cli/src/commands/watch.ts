import type { Difference, TaskEvent, TaskEventNamed, TransactionOutcome } from "@securing-tasks/client";
import { TaskFollower } from "@securing-tasks/client";
import type { Command } from "commander";
import { PublicKey } from "@solana/web3.js";
import { act, leaf } from "../command";
import { UsageError, failureOf } from "../failures";
import type { TaskView } from "../lookup";
import { openTask } from "../lookup";
import { during, jsonLine, note } from "../output";
import type { Session } from "../session";

/** How long to wait for news that nobody announces, in milliseconds. */
const POLL_MS = 2_000;
/** Signatures that one question gives, at most. */
const PAGE = 1_000;

export function registerWatch(root: Command): void {
  act<{ count?: string; past?: string }>(
    leaf(root, "watch [task]", "follow what happens in a task, live, until Ctrl-C", [
      "TASK",
      "TASK --past 20 --json",
    ])
      .option("--past <n>", "begin with this many transactions of the past")
      .option("--count <n>", "end after this many events"),
    async (session, options, given) => {
      const view = await openTask(session, given);
      const past = whole("--past", options.past ?? "0");
      const count = options.count === undefined ? null : whole("--count", options.count);
      await new Watch(session, view).run(past, count);
    },
  );
}

function whole(flag: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError(`${flag} can't be "${text}". Give a whole number up to 999999.`);
}

/**
 * Reads every transaction of the program once, in order, and tells those of a task. A subscription says when to look; the looking itself
 * needs none, so that nothing is lost while the connection is. What a log doesn't tell is told from the accounts.
 */
class Watch {
  /** The newest transaction that was read. */
  private last: string | undefined;
  /** Transactions told before the watch began: one may come in between, and is news too. */
  private readonly past = new Set<string>();
  private readonly follower: TaskFollower;
  private told = 0;

  constructor(
    private readonly session: Session,
    private readonly view: TaskView,
  ) {
    const { address, rules } = view.task;
    this.follower = new TaskFollower(session.client, address, rules);
  }

  async run(past: number, count: number | null): Promise<void> {
    const { session, view } = this;
    const { connection } = session.chain;
    const { programId } = session.client.program;
    // Reveals and closings don't name the task: only the program has them all.
    const [newest] = await connection.getSignaturesForAddress(programId, { limit: 1 }, "confirmed");
    this.last = newest?.signature;
    const before =
      past === 0
        ? []
        : await connection.getSignaturesForAddress(view.task.address, { limit: past }, "confirmed");
    // The accounts are read after all that is past.
    const slot = BigInt(before[0]?.slot ?? newest?.slot ?? 0);
    await during(session, "reading the task's accounts", () => this.follower.heal(slot));
    for (const { signature, err } of before.reverse()) {
      this.past.add(signature);
      if (err === null) await this.tell(signature, count, true);
    }
    note(session, `Watching ${view.task.address.toBase58()}; Ctrl-C ends it.`);
    let wake: () => void = () => undefined;
    const subscription = connection.onLogs(
      programId,
      () => {
        wake();
      },
      "confirmed",
    );
    let trouble: string | null = null;
    try {
      while (count === null || this.told < count) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, POLL_MS);
        });
        try {
          await this.look(count);
          if (trouble !== null) note(session, "The chain answers again; nothing was missed.");
          trouble = null;
        } catch (error) {
          // A server may be down, busy, or behind itself. None of that ends a watch: whoever runs it does.
          const { message } = failureOf(error);
          if (message !== trouble) note(session, `${message} Trying again.`);
          trouble = message;
        }
        if (count === null || this.told < count) await woken;
      }
    } finally {
      await connection.removeOnLogsListener(subscription);
    }
  }

  /** Reads what is new, oldest first. */
  private async look(count: number | null): Promise<void> {
    const { connection } = this.session.chain;
    const { programId } = this.session.client.program;
    const fresh: { readonly signature: string; readonly failed: boolean }[] = [];
    for (let before: string | undefined; ;) {
      const page = await connection.getSignaturesForAddress(
        programId,
        {
          limit: PAGE,
          ...(this.last !== undefined && { until: this.last }),
          ...(before !== undefined && { before }),
        },
        "confirmed",
      );
      fresh.push(...page.map(({ signature, err }) => ({ signature, failed: err !== null })));
      before = page.at(-1)?.signature;
      if (page.length < PAGE) break;
    }
    for (const { signature, failed } of fresh.reverse()) {
      if (!failed && !this.past.has(signature)) await this.tell(signature, count);
      this.last = signature;
      if (count !== null && this.told >= count) return;
    }
  }

  private async tell(signature: string, count: number | null, past = false): Promise<void> {
    const { session, view } = this;
    const outcome: TransactionOutcome = await session.chain.outcome(signature);
    // All of a transaction is known before any of it is told: an attempt that breaks off is made again from its begin.
    const { events, healed } = await this.follower.take(outcome);
    const slot = outcome.slot.toString();
    for (const event of events.slice(0, count === null ? events.length : count - this.told)) {
      this.told += 1;
      if (session.json) jsonLine({ event: event.name, ...event.data, signature });
      else process.stdout.write(`${slot}  ${sentence(event, view)}\n`);
    }
    // A log that is cut off may be of another task.
    if (!healed || (healed.differences.length === 0 && !past)) return;
    const { why, differences } = healed;
    if (session.json) jsonLine({ event: "healed", why, differences, signature });
    else {
      const found = differences.map((one) => `\n${slot}    ${difference(one)}`).join("");
      process.stdout.write(`${slot}  ${why} What it did is read from the accounts:${found}\n`);
    }
  }
}

/** What events told otherwise than the accounts, in a short line. */
function difference({ of, address, field, events, chain }: Difference): string {
  const what = `${of} ${address.toBase58().slice(0, 8)}…`;
  return field === "account"
    ? `${what} is ${chain}, and was ${events}`
    : `${field} of ${what} is ${chain}, and was ${events}`;
}

/** An event in a short line. */
export function sentence(event: TaskEvent, { say }: Pick<TaskView, "say">): string {
  const short = (key: PublicKey): string => `${key.toBase58().slice(0, 8)}…`;
  switch (event.name) {
    case "taskCreated":
      return `the task is made by ${short(event.data.creator)}`;
    case "taskFunded":
      return `${short(event.data.funder)} gives ${say(event.data.amount)}; the pool has ${say(event.data.pool)}`;
    case "taskPaused":
      return "the task is paused";
    case "taskResumed":
      return "the task goes on";
    case "taskRetired":
      return `the task is retired; ${say(event.data.amount)} go to its creator`;
    case "nodeAllowed":
      return `${short(event.data.owner)} may join as a ${event.data.role}`;
    case "nodeDisallowed":
      return `${short(event.data.owner)} may not join as a ${event.data.role} any more`;
    case "nodeJoined":
      return `${short(event.data.owner)} joins as a ${event.data.role} with ${say(event.data.stake)}`;
    case "stakeAdded":
      return `${short(event.data.owner)} adds ${say(event.data.amount)} to its stake`;
    case "restaked":
      return `${short(event.data.owner)} makes stake of ${say(event.data.amount)} that it earned`;
    case "leaveRequested":
      return `${short(event.data.owner)} asks for ${say(event.data.amount)} to leave at slot ${event.data.leaveSlot.toString()}`;
    case "leaveCancelled":
      return `${short(event.data.owner)} stays with ${say(event.data.amount)}`;
    case "withdrawn":
      return `${short(event.data.owner)} withdraws ${say(event.data.amount)}`;
    case "stakeReturned":
      return `${short(event.data.owner)} is paid out: ${say(event.data.amount)}`;
    case "operatorSet":
      return `${short(event.data.owner)} has a new operator, ${short(event.data.operator)}`;
    case "workSubmitted":
      return `round ${event.data.round.toString()}: ${short(event.data.owner)} submits work`;
    case "auditOpened":
      return `audit ${short(event.data.audit)}: ${short(event.data.initiator)} accuses ${short(event.data.accused)} of ${event.data.accusation}${evidence(event.data)}${event.data.drawSlot > 0n ? `; its panel is drawn after slot ${event.data.drawSlot.toString()}` : ""}`;
    case "panelDrawn":
      return `audit ${short(event.data.audit)}: its panel is drawn`;
    case "auditAppealed":
      return `audit ${short(event.data.audit)}: ${short(event.data.appellant)} appeals with a bond of ${say(event.data.bond)}; the first count was ${event.data.firstOutcome}, and everybody may vote until slot ${event.data.endSlot.toString()}`;
    case "voteCast":
      return `audit ${short(event.data.audit)}: ${short(event.data.voter)} votes ${event.data.opinion}`;
    case "voteCommitted":
      return `audit ${short(event.data.audit)}: ${short(event.data.voter)} commits to a vote`;
    case "voteRevealed":
      return `audit ${short(event.data.audit)}: ${short(event.data.voter)} reveals ${event.data.opinion}`;
    case "auditResolved":
      return `audit ${short(event.data.audit)}: ${event.data.outcome}; ${event.data.bondLost > 0n ? `a bond of ${say(event.data.bondLost)} lost` : `${say(event.data.slash)} slashed`}${event.data.appealBondLost > 0n ? `; an appeal's bond of ${say(event.data.appealBondLost)} lost` : ""}`;
    case "voteClaimed":
      return `audit ${short(event.data.audit)}: ${short(event.data.voter)} ${event.data.depositLost > 0n ? `loses ${say(event.data.depositLost)}, never having revealed` : `gets a share of ${say(event.data.share)}`}`;
    case "bountyClaimed":
      return `round ${event.data.round.toString()}: ${short(event.data.owner)} gets a bounty of ${say(event.data.amount)}`;
    case "accountClosed":
      return `${short(event.data.account)} is closed`;
  }
}

/** Where an accusation's evidence is, or nothing. */
function evidence({
  evidenceHash,
  evidenceUri,
}: Pick<TaskEventNamed<"auditOpened">["data"], "evidenceHash" | "evidenceUri">): string {
  if (evidenceHash.every((byte) => byte === 0)) return "";
  const hash = Buffer.from(evidenceHash).toString("hex");
  // Whoever accuses wrote the address.
  return `; evidence ${evidenceUri === "" ? hash : JSON.stringify(evidenceUri)}`;
}
