import type { Connection } from "@solana/web3.js";
import { AHEAD_SLOTS, Clock } from "./clock";
import type { Subscribe } from "./host";
import { backoff, pause } from "./sender";

/** Something that a server tells of, over a socket of its own. */
export interface Subscription {
  /** Of JSON-RPC, such as `programSubscribe`. */
  readonly method: string;
  readonly params: readonly unknown[];
  /** Takes what is told, and throws where it makes no sense. Whether it is a reason to look. */
  readonly hear: (news: unknown) => boolean;
}

export interface FollowerOptions {
  readonly connection: Pick<Connection, "getSlot">;
  /** Where the server takes subscriptions; null where none are made. */
  readonly wsUrl: string | null;
  readonly subscribe: Subscribe;
  readonly subscriptions: readonly Subscription[];
  /** Longest time between two looks at the chain, in milliseconds, with all subscriptions and without. */
  readonly pollMs: (isTold: boolean) => number;
  /** Called when it is time for a look. */
  readonly onWake: () => void;
  /** Called when something may have been missed: subscriptions began anew. */
  readonly onGap: () => void;
  /** Told why a subscription ended; it is made again. */
  readonly onTrouble: (message: string) => void;
  readonly signal: AbortSignal;
}

/** A slot that is older is asked for at a look. */
const SILENCE_MS = 5_000;
const MIN_SLEEP_MS = 50;
const RETRY_MS = 500;
/** A server that has no subscriptions is asked again after so long. */
const MOST_RETRY_MS = 600_000;
const FEW_FAILURES = 8;
/** One that lasted so long was no failure. */
const LASTED_MS = 60_000;

/**
 * Says when to look at the chain: when something is told, at a slot that was asked for, and at the latest every so often. It follows
 * subscriptions, and does without them where there are none.
 */
export class Follower {
  readonly clock: Clock;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Subscriptions that the server has taken. */
  private begun = 0;

  constructor(private readonly options: FollowerOptions) {
    this.clock = new Clock({ getSlot: () => options.connection.getSlot("processed") });
  }

  /** Follows until the signal ends it. */
  start(): void {
    const { signal, subscriptions, wsUrl } = this.options;
    for (const one of subscriptions) if (wsUrl !== null) void this.keep(wsUrl, one);
    signal.addEventListener("abort", () => {
      clearTimeout(this.timer);
    });
  }

  /** The newest slot. Asks for it where none was heard of lately. */
  now(): Promise<bigint> {
    return this.clock.now(Math.min(SILENCE_MS, 20 * this.duration(1n)));
  }

  /** A slot that is reached by now. */
  get slot(): bigint {
    return this.clock.slot;
  }

  /** The newest slot that was heard of: no guess. */
  get known(): bigint {
    return this.clock.known;
  }

  /** The slot that it is by now, most likely. */
  get guess(): bigint {
    return this.clock.guess;
  }

  /** Whether all that is followed is told. */
  get isTold(): boolean {
    const { subscriptions } = this.options;
    return subscriptions.length > 0 && this.begun === subscriptions.length;
  }

  /** How long these many slots will take, in milliseconds. */
  duration(slots: bigint): number {
    return this.clock.duration(slots);
  }

  /** Wakes at this slot, or after the longest time between two looks. */
  sleep(wakeAt: bigint | null): void {
    const { onWake, signal } = this.options;
    const pollMs = this.options.pollMs(this.isTold);
    clearTimeout(this.timer);
    if (signal.aborted) return;
    const due = wakeAt === null ? pollMs : this.duration(wakeAt - this.clock.guess);
    this.timer = setTimeout(onWake, Math.max(Math.min(pollMs, due), MIN_SLEEP_MS));
  }

  /** Subscribes, and again whenever the subscription ends, each time with a socket of its own. */
  private async keep(wsUrl: string, { method, params, hear }: Subscription): Promise<void> {
    const { signal, subscribe, onTrouble, onWake, onGap } = this.options;
    let failures = 0;
    while (!signal.aborted) {
      const going = { isBegun: false };
      const since = performance.now();
      const begin = (): void => {
        if (!going.isBegun) this.begun += 1;
        going.isBegun = true;
        // What happened in between was not told.
        onGap();
        onWake();
      };
      try {
        for await (const one of subscribe(wsUrl, method, params, signal, begin)) {
          this.note(one);
          if (hear(one)) onWake();
          failures = 0;
        }
        onTrouble(`The RPC server closed ${method}.`);
      } catch (error) {
        if (this.options.signal.aborted) return;
        onTrouble(error instanceof Error ? error.message : String(error));
      }
      if (going.isBegun) this.begun -= 1;
      // A look by the clock of who is told nothing.
      onWake();
      failures = going.isBegun && performance.now() - since > LASTED_MS ? 1 : failures + 1;
      const most = failures > FEW_FAILURES ? MOST_RETRY_MS : undefined;
      await pause(backoff(RETRY_MS, failures, most), signal);
    }
  }

  private note(news: unknown): void {
    const { context } = (news ?? {}) as { readonly context?: { readonly slot?: unknown } };
    const slot = context?.slot;
    if (!Number.isSafeInteger(slot)) throw new Error("The RPC server told of no slot.");
    const heard = BigInt(slot as number);
    // Attack, or slip: all that is true would be of the past. Where the machine slept, the next look tells how far the chain is.
    if (this.clock.known > 0n && heard > this.clock.guess + AHEAD_SLOTS) return;
    this.clock.hear(heard);
  }
}

/** Where a server takes subscriptions, by the rule of all clients: on the next port, where the address names one. */
export function subscriptionUrl(rpcUrl: string): string {
  const url = new URL(rpcUrl);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (url.port !== "") url.port = String(Number(url.port) + 1);
  return url.href;
}
