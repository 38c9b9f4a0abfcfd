import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import type { LookupFunction, Socket } from "node:net";
import * as ipaddr from "ipaddr.js";
import { Agent, buildConnector, request } from "undici";
import type { Dispatcher } from "undici";
import { Alarm } from "../core/alarm";
import { DoorError } from "../core/api";
import { hostOf } from "../core/web";
import type { Download, Downloaded } from "../core/web";
import { addressesOf } from "./names";

/** Azure's host serves its guests' secrets on this address, which looks public. */
const METADATA = new Set(["168.63.129.16"]);

/** All of IPv6 that is given to anybody: what is outside of it leads, if anywhere, to this machine. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");

/**
 * Against server-side request forgery (SSRF): anybody may write a task's functions, and the accused chooses the URLs that they call. None
 * of them may reach the node's home network, the services of its machine, or the metadata service of its cloud.
 */
export function isPublic(address: string): boolean {
  if (METADATA.has(address)) return false;
  if (!ipaddr.isValid(address)) return false;
  // An IPv4 address in IPv6's clothes is judged as what it is.
  const plain = ipaddr.process(address);
  if (plain.range() !== "unicast") return false;
  return plain instanceof ipaddr.IPv4 || plain.match(GLOBAL_IPV6);
}

/**
 * Addresses that functions may call, of a name or of an address itself. The connection is then made to these alone: a name that has one
 * address when it is checked and another when it is called (DNS rebinding) gets nowhere.
 */
async function publicAddresses(
  host: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly LookupAddress[]> {
  const family = isIP(host);
  const found =
    family === 0 ? await addressesOf(host, timeoutMs, signal) : [{ address: host, family }];
  const open = found.filter(({ address }) => isPublic(address));
  if (open.length > 0) return open;
  throw new DoorError(
    "refused",
    `${host} is a private address, which functions may not call (allowPrivateNetwork permits it, for tests and home networks)`,
  );
}

/** Finds what was found before. */
function known(addresses: readonly LookupAddress[]): LookupFunction {
  return (_hostname, { all }, callback) => {
    const [first] = addresses;
    process.nextTick(() => {
      if (all === true) callback(null, [...addresses]);
      else callback(null, first?.address ?? "", first?.family);
    });
  };
}

// One request for each connection: a kept one may be closed by the server just when the next request goes out, and that would look like
// downtime. A probe over a kept one would not notice that names are not found any more.
const OPTIONS: Agent.Options = { pipelining: 0, maxHeaderSize: 16_384 };

const HEAD_BYTES = 65_536;

/**
 * Ends a connection over which more comes than a body of this size can need. A body's own size says little: heads before the answer's,
 * extensions of its chunks and what follows the last one can be as long as a server likes.
 */
function measure(socket: Socket, maxBytes: number): void {
  const most = 2 * maxBytes + HEAD_BYTES;
  const push = socket.push.bind(socket);
  let size = 0;
  socket.push = (part: Uint8Array | null, encoding) => {
    size += part?.length ?? 0;
    if (Math.max(size, socket.bytesRead) <= most) return push(part, encoding);
    socket.destroy(
      new DoorError("tooLarge", `over ${most} bytes came for an answer of ${maxBytes}`),
    );
    return false;
  };
}

/** Asks a server once, follows no redirects, and stops reading past the limit. Throws a {@link DoorError}. */
export async function download(url: URL, options: Download): Promise<Downloaded> {
  const { timeoutMs, maxBytes, allowPrivateNetwork } = options;
  const control = new AbortController();
  const { signal } = control;
  const alarm = new Alarm(timeoutMs, () => {
    control.abort(late(url, timeoutMs));
  });
  let agent: Agent | undefined;
  try {
    const connect = buildConnector({
      // The alarm is the clock. By default each address but the last has 250 ms, and a server far away would look down.
      timeout: 0,
      autoSelectFamilyAttemptTimeout: 1_000,
      ...(!allowPrivateNetwork && {
        lookup: known(await publicAddresses(hostOf(url), timeoutMs, signal)),
      }),
    });
    agent = new Agent({
      ...OPTIONS,
      connect: (target, done) => {
        connect(target, (...[error, socket]) => {
          if (error !== null) done(error, null);
          else {
            measure(socket, maxBytes);
            done(null, socket);
          }
        });
      },
    });
    const answer = await request(url, {
      method: options.method ?? "GET",
      headers: options.headers ?? {},
      body: options.body ?? null,
      dispatcher: agent,
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return {
      status: answer.statusCode,
      headers: headersOf(answer.headers),
      bytes: await readAll(answer.body, maxBytes),
    };
  } catch (error) {
    const failure = doorError(url, error, timeoutMs);
    const { reason, message } = failure;
    if (!alarm.stalled || (reason !== "unreachable" && reason !== "timeout")) throw failure;
    throw new DoorError(reason, `${message}; but this node itself stood still meanwhile`, true);
  } finally {
    alarm.stop();
    void agent?.destroy();
  }
}

async function readAll(body: Dispatcher.ResponseData["body"], maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    size += part.length;
    // Leaving the loop closes the connection.
    if (size > maxBytes) throw new DoorError("tooLarge", `the answer has over ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function headersOf(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
}

/**
 * The node ran out of something of its own. EADDRNOTAVAIL is no such thing: a node without IPv6 gets it from every IPv6 address, and an
 * accused that names one would have no judges. When the node runs out of ports, the look at its network fails likewise.
 */
const OWN_CODES = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);
const TIME_CODES = new Set(["UND_ERR_CONNECT_TIMEOUT", "ETIMEDOUT", "ETIMEOUT"]);

function late(url: URL, timeoutMs: number): DoorError {
  return new DoorError("timeout", `${url.host} did not answer within ${timeoutMs} ms`);
}

function doorError(url: URL, error: unknown, timeoutMs: number): DoorError {
  for (const cause of causes(error)) {
    if (cause instanceof DoorError) return cause;
    const { code = "", message } = cause as NodeJS.ErrnoException;
    if (TIME_CODES.has(code)) return late(url, timeoutMs);
    if (OWN_CODES.has(code)) return new DoorError("unreachable", message, true);
    if (code === "UND_ERR_HEADERS_OVERFLOW") return new DoorError("tooLarge", message);
    if (code === "UND_ERR_INVALID_ARG") return new DoorError("refused", message);
  }
  const [first] = causes(error);
  const why = first === undefined ? "no answer" : first.message || first.name;
  return new DoorError("unreachable", `${url.host} could not be reached: ${why}`);
}

/** An error, what caused it, and all the errors that it sums up. */
function causes(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const inner = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return [error, ...inner.flatMap(causes), ...causes(error.cause)];
}
