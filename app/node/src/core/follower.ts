import { PROGRAM_ID } from "@securing-tasks/client";
import type { Connection, PublicKey } from "@solana/web3.js";
import type { Subscribe } from "./host";
import { backoff, pause } from "./sender";

export interface FollowerOptions {
  readonly connection: Connection;
  /** Where the server takes subscriptions. */
  readonly wsUrl: string;
  readonly subscribe: Subscribe;
  readonly task: PublicKey;
  /** Longest time between two looks at the chain, in milliseconds. */
  readonly pollMs: number;
  /** Called when it is time for a look. */
  readonly onWake: () => void;
  /** Told why a subscription ended; it is made again. */
  readonly onTrouble: (message: string) => void;
  readonly signal: AbortSignal;
}

/** A subscription that is silent for this long is not relied on. */
const SILENCE_MS = 5_000;
/** Until it is measured. */
const SLOT_MS = 400;
const MIN_SLEEP_MS = 50;
const RETRY_MS = 500;

/**
 * Says when to look at the chain: when an account of the task changes, when a slot comes that was asked for, and at the latest every so
 * often. It follows subscriptions, and does without them when they are silent.
 */
export class Follower {
  private newest = 0n;
  /** Moment of {@link performance}'s clock, which nobody sets back. */
  private heardAt = -Infinity;
  private msPerSlot = SLOT_MS;
  private wakeAt: bigint | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: FollowerOptions) {}

  /** Follows until the signal ends it. */
  start(): void {
    const { task, signal, onWake } = this.options;
    void this.keep("slotSubscribe", [], (news) => {
      const slot = (news as { readonly slot?: unknown } | null)?.slot;
      if (!Number.isSafeInteger(slot)) throw new Error("The RPC server told of no slot.");
      const heard = BigInt(slot as number);
      this.hear(heard);
      if (this.wakeAt !== null && heard >= this.wakeAt) {
        this.wakeAt = null;
        onWake();
      }
    });
    void this.keep(
      "programSubscribe",
      [
        PROGRAM_ID.toBase58(),
        {
          commitment: "confirmed",
          encoding: "base64",
          // Every account of a task but itself begins with its address, votes with their audit's.
          filters: [{ memcmp: { offset: 8, bytes: task.toBase58(), encoding: "base58" } }],
        },
      ],
      onWake,
    );
    signal.addEventListener("abort", () => {
      clearTimeout(this.timer);
    });
  }

  /** The newest slot. Asks for it when the subscription is silent. */
  async now(): Promise<bigint> {
    if (performance.now() - this.heardAt > Math.min(SILENCE_MS, 20 * this.msPerSlot)) {
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
    const { pollMs, onWake, signal } = this.options;
    this.wakeAt = wakeAt;
    clearTimeout(this.timer);
    if (signal.aborted) return;
    // Without a subscription the clock has to do.
    const due = wakeAt === null ? pollMs : this.duration(wakeAt - this.newest);
    this.timer = setTimeout(onWake, Math.max(Math.min(pollMs, due), MIN_SLEEP_MS));
  }

  /** Subscribes, and again whenever the subscription ends, each time with a socket of its own. */
  private async keep(
    method: string,
    params: readonly unknown[],
    hear: (news: unknown) => void,
  ): Promise<void> {
    const { wsUrl, subscribe, signal, onTrouble, onWake } = this.options;
    let failures = 0;
    while (!signal.aborted) {
      const begin = (): void => {
        // What happened in between was not told.
        if (failures > 0) onWake();
      };
      try {
        for await (const one of subscribe(wsUrl, method, params, signal, begin)) {
          hear(one);
          failures = 0;
        }
        onTrouble(`The RPC server closed ${method}.`);
      } catch (error) {
        if (this.options.signal.aborted) return;
        onTrouble(error instanceof Error ? error.message : String(error));
      }
      failures += 1;
      await pause(backoff(RETRY_MS, failures), signal);
    }
  }

  private hear(slot: bigint): void {
    const now = performance.now();
    const passed = Number(slot - this.newest);
    if (this.heardAt > -Infinity && passed > 0 && passed < 100) {
      this.msPerSlot = 0.95 * this.msPerSlot + 0.05 * ((now - this.heardAt) / passed);
    }
    // Not the highest ever heard: slots go back when a fork dies, or a server is started again.
    this.newest = slot;
    this.heardAt = now;
  }
}

/** Where a server takes subscriptions, by the rule of all clients: on the next port, where the address names one. */
export function subscriptionUrl(rpcUrl: string): string {
  const url = new URL(rpcUrl);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (url.port !== "") url.port = String(Number(url.port) + 1);
  return url.href;
}
