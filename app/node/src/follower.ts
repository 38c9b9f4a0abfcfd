import { PROGRAM_ID } from "@securing-tasks/client";
import type { Connection, PublicKey } from "@solana/web3.js";
import type { RpcSubscriptionsChannel } from "@solana/rpc-subscriptions";
import {
  createRpcSubscriptionsTransportFromChannelCreator,
  createSolanaRpcSubscriptionsFromTransport,
  getRpcSubscriptionsChannelWithAutoping,
  getRpcSubscriptionsChannelWithBigIntJSONSerialization,
} from "@solana/rpc-subscriptions";
import { createWebSocketChannel } from "@solana/rpc-subscriptions-channel-websocket";
import { backoff, pause } from "./sender";

export interface FollowerOptions {
  readonly connection: Connection;
  /** Where the server takes subscriptions. */
  readonly wsUrl: string;
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

/** A subscription's connection is pinged after so long without a message, in milliseconds. */
const PING_MS = 5_000;
/** Bytes that wait for the connection before the sender does. */
const SEND_BYTES = 131_072;

type Server = ReturnType<typeof connectTo>;

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
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: FollowerOptions) {}

  /** Follows until the signal ends it. */
  start(): void {
    const { task, signal, onWake } = this.options;
    void this.keep(
      (server, abortSignal) => server.slotNotifications().subscribe({ abortSignal }),
      ({ slot }) => {
        this.hear(slot);
        if (this.wakeAt !== null && slot >= this.wakeAt) {
          this.wakeAt = null;
          onWake();
        }
      },
    );
    void this.keep(
      (server, abortSignal) =>
        server
          .programNotifications(PROGRAM_ID.toBase58() as never, {
            commitment: "confirmed",
            encoding: "base64",
            // Every account of a task but itself begins with its address, votes with their audit's.
            filters: [
              { memcmp: { offset: 8n, bytes: task.toBase58() as never, encoding: "base58" } },
            ],
          })
          .subscribe({ abortSignal }),
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
  private async keep<T>(
    subscribe: (server: Server, signal: AbortSignal) => Promise<AsyncIterable<T>>,
    hear: (news: T) => void,
  ): Promise<void> {
    const { wsUrl, signal, onTrouble, onWake } = this.options;
    let failures = 0;
    while (!signal.aborted) {
      const ending = new AbortController();
      const end = (): void => {
        ending.abort();
      };
      signal.addEventListener("abort", end);
      try {
        const server = connectTo(wsUrl, (error) => {
          ending.abort(error);
        });
        const news = await subscribe(server, ending.signal);
        // What happened in between was not told.
        if (failures > 0) onWake();
        for await (const one of news) {
          failures = 0;
          hear(one);
        }
        ending.signal.throwIfAborted();
      } catch (error) {
        onTrouble(error instanceof Error ? error.message : String(error));
      } finally {
        signal.removeEventListener("abort", end);
        ending.abort();
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

/** @param onFault Told of a message that can't be read. */
function connectTo(url: string, onFault: (error: unknown) => void) {
  const transport = createRpcSubscriptionsTransportFromChannelCreator(async ({ abortSignal }) => {
    const socket = await createWebSocketChannel({
      url,
      sendBufferHighWatermark: SEND_BYTES,
      signal: abortSignal,
    });
    const channel = getRpcSubscriptionsChannelWithBigIntJSONSerialization(guard(socket, onFault));
    return getRpcSubscriptionsChannelWithAutoping({ abortSignal, channel, intervalMs: PING_MS });
  });
  return createSolanaRpcSubscriptionsFromTransport(transport);
}

/** What is no message, such as a gateway's web page, the library throws where nobody could catch it: that would end the process. */
function guard<Out, In>(
  channel: RpcSubscriptionsChannel<Out, In>,
  onFault: (error: unknown) => void,
): RpcSubscriptionsChannel<Out, In> {
  const on: typeof channel.on = (type, subscriber, options) =>
    channel.on(
      type,
      ((message: never) => {
        try {
          (subscriber as (message: never) => void)(message);
        } catch (error) {
          onFault(error);
        }
      }) as typeof subscriber,
      options,
    );
  return { ...channel, on };
}
