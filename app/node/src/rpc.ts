import { boundedConnection } from "@securing-tasks/sandbox";
import type { Connection } from "@solana/web3.js";
import pRetry from "p-retry";

export interface RpcOptions {
  readonly rpcUrl: string;
  /** Most time for one answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Told of every request that got no answer, also of those that will be made again. */
  readonly onTrouble?: (message: string) => void;
}

/** Tries before a request counts as failed. Whoever made it waits longer and asks anew. */
const RETRIES = 2;

/**
 * A connection whose requests have a time-out, and are made again after short random pauses when the server can't be reached, is busy
 * (429) or broken (5xx). All requests may be made twice, a transaction's bytes too: the chain takes them once.
 */
export function connect(options: RpcOptions): Connection {
  const ask = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    let answer: Response;
    try {
      answer = await fetch(url, { ...init, signal: AbortSignal.timeout(options.timeoutMs) });
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      const reason = cause instanceof Error ? cause.message : String(error);
      throw new Error(`fetch failed: ${reason}`, { cause: error });
    }
    if (answer.status === 429 || answer.status >= 500) {
      await answer.body?.cancel();
      throw new Error(`fetch failed: the RPC server answered ${answer.status}`);
    }
    return answer;
  };
  const patiently: typeof fetch = (url, init) =>
    pRetry(() => ask(url, init), {
      retries: RETRIES,
      minTimeout: 200,
      randomize: true,
      onFailedAttempt: ({ error }) => {
        options.onTrouble?.(error.message);
      },
    });
  return boundedConnection(options.rpcUrl, {
    commitment: "confirmed",
    disableRetryOnRateLimit: true,
    fetch: patiently,
  });
}
