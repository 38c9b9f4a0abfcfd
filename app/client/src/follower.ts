import type { PublicKey } from "@solana/web3.js";
import type { TransactionOutcome } from "./chain";
import type { SecuringTasksClient } from "./client";
import type { TaskEvent } from "./events";
import type { Difference } from "./indexer";
import { MissingEvent, TaskIndex } from "./indexer";
import { readAccounts } from "./ledger";
import type { TaskRules } from "./types";

/** What was made good from the accounts, because events did not tell it. */
export interface Healed {
  /** What showed that events are missing, as a sentence. */
  readonly why: string;
  /** What the index had otherwise; none where what is missing was in an earlier reading, or of another task. */
  readonly differences: readonly Difference[];
}

/** What one transaction did in a task. */
export interface Followed {
  /** The task's events that its log has, in order. */
  readonly events: readonly TaskEvent[];
  /** Null where they tell all that it did. */
  readonly healed: Healed | null;
}

/**
 * Keeps a {@link TaskIndex} right, whatever becomes of the events. Anybody can send an instruction whose event never reaches the log. Where
 * one is missing, the accounts are read again and taken over.
 */
export class TaskFollower {
  readonly index: TaskIndex;
  /** The slots of the last reading: all that happened before the first is in it, nothing after the last is. */
  private reading: { readonly from: bigint; readonly to: bigint } | null = null;
  /** Slot of the newest transaction that was taken. */
  private newest = 0n;
  /** Whether the accounts must be read again before anything else is taken, and why where events are missing. */
  private due: { readonly why: string | null } | null = null;
  /** Audits whose task was asked for. */
  private readonly asked = new Map<string, boolean>();

  /** To begin with, the index is empty, for a task that is made later; {@link heal} begins in the middle. */
  constructor(
    private readonly client: SecuringTasksClient,
    readonly task: PublicKey,
    rules: TaskRules,
  ) {
    this.index = new TaskIndex(task, rules, client.program.programId);
  }

  /**
   * Takes the next successful transaction of the program: every one, in order, one at a time. Rejects where the chain can't be asked; then take
   * the same one again.
   */
  async take(outcome: TransactionOutcome): Promise<Followed> {
    const { slot, signature } = outcome;
    const logged = this.client.events(outcome);
    const events: TaskEvent[] = [];
    for (const event of logged.events) if (await this.isOurs(event)) events.push(event);
    if (slot > this.newest) this.newest = slot;
    const why = logged.complete ? null : `The log of transaction ${signature} is not complete.`;
    if (!this.due) {
      const { from, to } = this.reading ?? { from: 0n, to: -1n };
      // What happened before the reading is in it. A transaction of its own slots may be, and no event says so.
      if (slot < from) return { events, healed: why === null ? null : { why, differences: [] } };
      if (why !== null || (slot <= to && events.length > 0)) this.due = { why };
      else if (slot > to) this.apply(events);
    }
    if (!this.due) return { events, healed: null };
    const { why: missing } = this.due;
    const differences = await this.heal();
    return { events, healed: missing === null ? null : { why: missing, differences } };
  }

  /**
   * Reads all accounts of the task and takes them over. Returns what the index had otherwise. Rejects where the server has not reached
   * `minSlot`, or what was known before.
   */
  async heal(minSlot = 0n): Promise<readonly Difference[]> {
    const least = [this.newest, this.reading?.to ?? 0n].reduce((a, b) => (a > b ? a : b), minSlot);
    const { accounts, from, to } = await readAccounts(this.client, this.task, least);
    this.reading = { from, to };
    this.due = null;
    return this.index.takeOver(accounts);
  }

  private apply(events: readonly TaskEvent[]): void {
    try {
      for (const event of events) this.index.applyOurs(event);
    } catch (error) {
      if (!(error instanceof MissingEvent)) throw error;
      this.due = { why: error.message };
    }
  }

  /** Votes, reveals and claims name an audit and not its task. */
  private async isOurs({ data }: TaskEvent): Promise<boolean> {
    if ("task" in data) {
      const ours = data.task.equals(this.task);
      if ("audit" in data) this.asked.set(data.audit.toBase58(), ours);
      return ours;
    }
    const name = data.audit.toBase58();
    if (this.index.audits.has(name)) return true;
    const known = this.asked.get(name);
    if (known !== undefined) return known;
    const audit = await this.client.find("audit", data.audit);
    const ours = audit?.task.equals(this.task) ?? false;
    this.asked.set(name, ours);
    return ours;
  }
}
