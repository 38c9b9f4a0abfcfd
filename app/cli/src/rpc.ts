import { boundedConnection } from "@securing-tasks/sandbox";
import type { Connection } from "@solana/web3.js";
import pRetry from "p-retry";
import type { Settings } from "./solana-config";

const RETRIES = 3;
const TIMEOUT_MS = 30_000;

/**
 * A connection whose requests are made again after short pauses when the server can't be reached, is busy (429) or broken (5xx). Every
 * request may be made twice, a transaction's bytes too: the chain takes them once.
 */
export function connect(settings: Settings): Connection {
  // The rest of an endpoint's URL may be a key.
  const { host } = new URL(settings.rpcUrl);
  const ask = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    let answer: Response;
    try {
      answer = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      const reason = cause instanceof Error && cause.message !== "" ? cause.message : String(error);
      throw new Error(`fetch failed: ${host} gives no answer (${reason})`, { cause: error });
    }
    if (answer.status === 429 || answer.status >= 500) {
      await answer.body?.cancel();
      throw new Error(`fetch failed: ${host} answered with status ${answer.status}`);
    }
    return answer;
  };
  const patiently: typeof fetch = (url, init) =>
    pRetry(() => ask(url, init), { retries: RETRIES, minTimeout: 250, randomize: true });
  return boundedConnection(settings.rpcUrl, {
    commitment: settings.commitment,
    disableRetryOnRateLimit: true,
    fetch: patiently,
    ...(settings.wsUrl !== undefined && { wsEndpoint: settings.wsUrl }),
  });
}
