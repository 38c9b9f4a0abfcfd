import type { Connection, PublicKey } from "@solana/web3.js";
import { PROGRAM_ID } from "@securing-tasks/client";

export interface FollowerOptions {
  readonly connection: Connection;
  readonly task: PublicKey;
  /** Longest time between two looks at the chain, in milliseconds. */
  readonly pollMs: number;
  /** Called when it is time for a look. */
  readonly onWake: () => void;
}

/** A subscription that is silent for this long is not relied on. */
const SILENCE_MS = 5_000;
/** Until it is measured. */
const SLOT_MS = 400;

/**
 * Says when to look at the chain: when an account of the task changes, when a slot comes that was asked for, and at the latest every so
 * often. It follows subscriptions, and does without them when they are silent.
 */
export class Follower {
  private newest = 0n;
  private heardAt = 0;
  private msPerSlot = SLOT_MS;
  private wakeAt: bigint | null = null;
  private timer: NodeJS.Timeout | undefined;
  private slots: number | undefined;
  private changes: number | undefined;

  constructor(private readonly options: FollowerOptions) {}

  start(): void {
    const { connection, task, onWake } = this.options;
    this.slots = connection.onSlotChange(({ slot }) => {
      this.hear(BigInt(slot));
      if (this.wakeAt !== null && this.newest >= this.wakeAt) {
        this.wakeAt = null;
        onWake();
      }
    });
    this.changes = connection.onProgramAccountChange(PROGRAM_ID, onWake, {
      commitment: "confirmed",
      filters: [{ memcmp: { offset: 8, bytes: task.toBase58() } }],
    });
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    const { connection } = this.options;
    if (this.slots !== undefined) await connection.removeSlotChangeListener(this.slots);
    if (this.changes !== undefined) {
      await connection.removeProgramAccountChangeListener(this.changes);
    }
  }

  /** The newest slot. Asks for it when the subscription is silent. */
  async now(): Promise<bigint> {
    if (Date.now() - this.heardAt > Math.min(SILENCE_MS, 20 * this.msPerSlot)) {
      this.hear(BigInt(await this.options.connection.getSlot("processed")));
    }
    return this.newest;
  }

  get slot(): bigint {
    return this.newest;
  }

  /** How long these many slots will take, in milliseconds. */
  duration(slots: bigint): number {
    return Number(slots) * this.msPerSlot;
  }

  /** Wakes at this slot, or after the longest time between two looks. */
  sleep(wakeAt: bigint | null): void {
    this.wakeAt = wakeAt;
    clearTimeout(this.timer);
    const { pollMs, onWake } = this.options;
    // Without a subscription the clock has to do.
    const due = wakeAt === null ? pollMs : this.duration(wakeAt - this.newest);
    this.timer = setTimeout(onWake, Math.max(Math.min(pollMs, due), MIN_SLEEP_MS));
  }

  private hear(slot: bigint): void {
    const now = Date.now();
    const passed = Number(slot - this.newest);
    // A server that was started again, or a fork that died: slots may go back.
    if (this.heardAt > 0 && passed > 0 && passed < 100) {
      this.msPerSlot = 0.95 * this.msPerSlot + 0.05 * ((now - this.heardAt) / passed);
    }
    this.newest = slot;
    this.heardAt = now;
  }
}

const MIN_SLEEP_MS = 50;
