import { Connection } from "@solana/web3.js";
import type { ConnectionConfig } from "@solana/web3.js";

/** Most bytes of one answer of an RPC server: the largest account is 10 MiB, which are 14 in base64. */
export const MOST_RPC_BYTES = 16 * 1024 * 1024;

const bounded = new WeakSet<Connection>();

/**
 * A connection that reads no more of an answer than the longest one there is, and tells what is no answer of an RPC server. Without it an
 * endless one would fill the memory: web3.js reads all of it.
 */
export function boundedConnection(url: string, config: ConnectionConfig): Connection {
  const ask = config.fetch ?? fetch;
  const connection = new Connection(url, {
    ...config,
    fetch: async (...asked) => checked(await ask(...asked)),
  });
  bounded.add(connection);
  return connection;
}

/**
 * The same connection where it is bounded or a kind of its own, else one to the same server that is.
 *
 * @param timeoutMs After that a request is called off, in milliseconds.
 */
export function boundedAs(connection: Connection, timeoutMs: number): Connection {
  const plain = Object.getPrototypeOf(connection) === Connection.prototype;
  if (!plain || bounded.has(connection)) return connection;
  const { commitment, rpcEndpoint } = connection;
  return boundedConnection(rpcEndpoint, {
    ...(commitment !== undefined && { commitment }),
    disableRetryOnRateLimit: true,
    fetch: (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) }),
  });
}

async function checked(answer: Response): Promise<Response> {
  const { status, statusText, headers } = answer;
  const text = await readBounded(answer);
  if (answer.ok && text.trimStart().startsWith("<")) {
    throw new Error(
      `the RPC server answered with a web page (status ${status}) instead of JSON: look at what is at its URL, and at proxies in between`,
    );
  }
  return new Response(text, { status, statusText, headers });
}

/** An answer has more bytes than it may. */
export class TooLong extends Error {
  constructor(most: number) {
    super(`the RPC server's answer has over ${most} bytes`);
  }
}

/** The text of an answer, read no further than so many bytes. Rejects with {@link TooLong}. */
export async function readBounded(answer: Response, most = MOST_RPC_BYTES): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  // Not every browser has a loop over streams.
  const reader = answer.body?.getReader();
  try {
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      const part = read.value as Uint8Array;
      size += part.length;
      if (size > most) throw new TooLong(most);
      parts.push(part);
    }
  } finally {
    // Closes the connection where not all was read.
    await reader?.cancel().catch(() => undefined);
  }
  return Buffer.concat(parts).toString();
}
