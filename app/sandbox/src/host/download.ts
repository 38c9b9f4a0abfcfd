import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import type { LookupFunction, Socket } from "node:net";
import * as ipaddr from "ipaddr.js";
import type { Client } from "undici";
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

/** Loaded when something is downloaded: a witness that waits needs no such client. */
type Undici = typeof import("undici");
const MOST_HEADER_BYTES = 16_384;
const HEAD_BYTES = 65_536;
/** How long a connection that may be shared waits for the next request. */
const KEPT_MS = 1_000;
/** Connections that wait. */
const MOST_KEPT = 32;
/** Of the time for an answer, what is waited for one over a kept connection before it is asked for over a new one. */
const KEPT_PART = 4;

/** One connection to a server, for one request at a time. */
class Line {
  readonly client: Client;
  /** Whether it is there, and may be used again. */
  isOpen = false;
  private readonly meter = new Meter();

  /**
   * @param shared Whether it may be kept. Else it is closed after one request: a kept one may be closed by the server just when the next
   * request goes out, and that would look like downtime. A probe over a kept one would not notice that names are not found any more.
   */
  constructor(
    private readonly undici: Undici,
    origin: string,
    addresses: readonly LookupAddress[] | null,
    shared: boolean,
  ) {
    const connect = undici.buildConnector({
      // The alarm is the clock. By default each address but the last has 250 ms, and a server far away would look down.
      timeout: 0,
      autoSelectFamilyAttemptTimeout: 1_000,
      ...(addresses && { lookup: known(addresses) }),
    });
    this.client = new undici.Client(origin, {
      pipelining: shared ? 1 : 0,
      keepAliveTimeout: KEPT_MS,
      keepAliveMaxTimeout: KEPT_MS,
      maxHeaderSize: MOST_HEADER_BYTES,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (target, done) => {
        connect(target, (...[error, socket]) => {
          if (error !== null) done(error, null);
          else {
            this.isOpen = true;
            this.meter.watch(socket);
            done(null, socket);
          }
        });
      },
    });
    this.client.on("disconnect", () => {
      this.isOpen = false;
    });
  }

  async ask(url: URL, options: Download, signal: AbortSignal): Promise<Downloaded> {
    const { method = "GET", headers = {}, body = null, maxBytes } = options;
    this.meter.begin(maxBytes);
    const answer = await this.undici.request(url, {
      method,
      headers,
      body,
      dispatcher: this.client,
      signal,
    });
    return {
      status: answer.statusCode,
      headers: headersOf(answer.headers),
      bytes: await readAll(answer.body, maxBytes),
    };
  }

  close(): void {
    this.isOpen = false;
    void this.client.destroy();
  }
}

/**
 * Ends a connection over which more comes than a body of this size can need. A body's own size says little: heads before the answer's,
 * extensions of its chunks and what follows the last one can be as long as a server likes.
 */
class Meter {
  private socket: Socket | null = null;
  private maxBytes = 0;
  private size = 0;
  private readBefore = 0;

  /** Counts from here on. */
  begin(maxBytes: number): void {
    this.maxBytes = maxBytes;
    this.size = 0;
    this.readBefore = this.socket?.bytesRead ?? 0;
  }

  watch(socket: Socket): void {
    this.socket = socket;
    this.readBefore = 0;
    const push = socket.push.bind(socket);
    socket.push = (part: Uint8Array | null, encoding) => {
      this.size += part?.length ?? 0;
      const most = 2 * this.maxBytes + HEAD_BYTES;
      if (Math.max(this.size, socket.bytesRead - this.readBefore) <= most) {
        return push(part, encoding);
      }
      const message = `over ${most} bytes came for an answer of ${this.maxBytes}`;
      socket.destroy(new DoorError("tooLarge", message));
      return false;
    };
  }
}

/** Connections that wait for another request, the newest last. */
let waiting: { readonly to: string; readonly line: Line }[] = [];

function takeKept(to: string): Line | null {
  waiting = waiting.filter(({ line }) => line.isOpen);
  const at = waiting.findLastIndex((one) => one.to === to);
  return at < 0 ? null : (waiting.splice(at, 1)[0]?.line ?? null);
}

function keep(to: string, line: Line): void {
  if (!line.isOpen) {
    line.close();
    return;
  }
  waiting.push({ to, line });
  if (waiting.length > MOST_KEPT) waiting.shift()?.line.close();
}

/** Asks a server once, follows no redirects, and stops reading past the limit. Throws a {@link DoorError}. */
export async function download(url: URL, options: Download): Promise<Downloaded> {
  const { timeoutMs, allowPrivateNetwork } = options;
  const control = new AbortController();
  const { signal } = control;
  const alarm = new Alarm(timeoutMs, () => {
    control.abort(late(url, timeoutMs));
  });
  const mayShare = options.mayShare === true;
  const to = `${url.origin} ${allowPrivateNetwork}`;
  try {
    const kept = mayShare ? takeKept(to) : null;
    const answer = kept && (await overKept(kept, url, options, signal));
    if (kept && answer) {
      keep(to, kept);
      return answer;
    }
    const addresses = allowPrivateNetwork
      ? null
      : await publicAddresses(hostOf(url), timeoutMs, signal);
    const line = new Line(await import("undici"), url.origin, addresses, mayShare);
    try {
      const found = await line.ask(url, options, signal);
      if (mayShare) keep(to, line);
      else line.close();
      return found;
    } catch (error) {
      line.close();
      throw error;
    }
  } catch (error) {
    const failure = doorError(url, error, timeoutMs);
    const { reason, message } = failure;
    if (!alarm.stalled || (reason !== "unreachable" && reason !== "timeout")) throw failure;
    throw new DoorError(reason, `${message}; but this node itself stood still meanwhile`, true);
  } finally {
    alarm.stop();
  }
}

/** Null where nothing came, or not soon: a new connection has to say why. */
async function overKept(
  line: Line,
  url: URL,
  options: Download,
  signal: AbortSignal,
): Promise<Downloaded | null> {
  const soon = AbortSignal.timeout(options.timeoutMs / KEPT_PART);
  try {
    return await line.ask(url, options, AbortSignal.any([signal, soon]));
  } catch {
    line.close();
    signal.throwIfAborted();
    return null;
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
