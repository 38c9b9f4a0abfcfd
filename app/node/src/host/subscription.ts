import { on } from "node:events";
import { MOST_RPC_BYTES } from "@securing-tasks/sandbox";
import WebSocket from "ws";

const HANDSHAKE_MS = 10_000;
/** Default. */
const PING_MS = 10_000;
/** Letters of what is no notification that are shown. */
const SHOWN = 80;

interface Message {
  readonly id?: unknown;
  readonly error?: { readonly message?: unknown };
  readonly params?: { readonly result?: unknown };
}

/**
 * What a server tells of one subscription, over a socket of its own, until the signal ends it or the socket closes. Rejects with what is
 * wrong with server or message.
 *
 * Attack: a server sends what is no JSON, or no end of it. What a library's parser throws in the handler of an event would end the process.
 *
 * @param method Of JSON-RPC, such as `slotSubscribe`.
 * @param onBegin Called when the server has taken the subscription: all that happens from now on is told.
 * @param pingMs A socket that says nothing for two of these, not even that it is there, is given up. Milliseconds.
 */
export async function* subscribe(
  wsUrl: string,
  method: string,
  params: readonly unknown[],
  signal: AbortSignal,
  onBegin: () => void,
  pingMs = PING_MS,
): AsyncGenerator<unknown, void, void> {
  const socket = new WebSocket(wsUrl, {
    maxPayload: MOST_RPC_BYTES,
    handshakeTimeout: HANDSHAKE_MS,
    perMessageDeflate: false,
  });
  // Also after nobody waits for a message any more.
  socket.on("error", () => undefined);
  socket.once("open", () => {
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: method, method, params }));
  });
  let isThere = true;
  for (const sign of ["open", "message", "pong"]) socket.on(sign, () => (isThere = true));
  const pings = setInterval(() => {
    if (!isThere) socket.terminate();
    else if (socket.readyState === WebSocket.OPEN) {
      isThere = false;
      socket.ping();
    }
  }, pingMs);
  try {
    const messages = on(socket, "message", { signal, close: ["close"] });
    for await (const [data] of messages as AsyncIterable<[WebSocket.RawData]>) {
      const text = (data as Buffer).toString();
      const message = parse(text);
      if (!message) {
        const begin = JSON.stringify(text.slice(0, SHOWN));
        throw new Error(`What the RPC server told is no JSON-RPC: ${begin}`);
      }
      if (message.error) {
        throw new Error(`The RPC server refuses ${method}: ${String(message.error.message)}`);
      }
      if (message.id === method) onBegin();
      if (message.params?.result !== undefined) yield message.params.result;
    }
  } finally {
    clearInterval(pings);
    socket.terminate();
  }
}

function parse(text: string): Message | null {
  try {
    const message = JSON.parse(text) as Message | null;
    return typeof message === "object" ? message : null;
  } catch {
    return null;
  }
}
