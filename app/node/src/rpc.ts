import { Connection } from "@solana/web3.js";
import pRetry, { AbortError } from "p-retry";
import { SharedConnection } from "./connection";
import { Limiter, dueTime } from "./limiter";

export interface RpcOptions {
  /** Servers of one chain. All that answer are used: the one that is furthest, and another where that fails. */
  readonly rpcUrls: readonly string[];
  /** Most time for one answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Most calls a second to one server. Default: 40. */
  readonly perSecond?: number;
  /** Most calls that wait for one server's answers at once. Default: 16. */
  readonly atOnce?: number;
  /** Told of every request that got no answer, also of those that will be made again. */
  readonly onTrouble?: (message: string) => void;
  /** Told when servers disagree, and when they do no more. */
  readonly onDisagreement?: (message: string) => void;
  /** Ends all waiting. */
  readonly signal?: AbortSignal;
}

/** Tries before a request counts as failed. Whoever made it waits longer and asks anew. */
const TRIES = 6;
/** Of them those in which no server answered at all. */
const SILENT_TRIES = 3;
/** Most bytes of one answer: the largest account has 10 MiB, which are 14 in base64. */
const MOST_BYTES = 16 * 1024 * 1024;
const PER_SECOND = 40;
const AT_ONCE = 16;
/** Letters of what is no answer that are shown. */
const SHOWN = 80;
/** Most time for the first answer of each, in milliseconds. */
const FIRST_LOOK_MS = 3_000;
/** How often several servers are compared. */
const COMPARE_MS = 5_000;
/** Slots that one may be behind another before it is that one's turn. */
const BEHIND_SLOTS = 8;
/** Slots that one may be behind another before that is told. */
const FAR_BEHIND_SLOTS = 150;

/** What a server says about itself, in answers that are errors: it has not come so far, or is not well. Another may be. */
const ILL = new Set([-32_005, -32_014, -32_016]);
const TOO_MANY = new Set([429, -32_029, -32_429]);

interface Call {
  readonly jsonrpc: string;
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** No use, but may be of use when it is asked again, or another server is. */
class Failed extends Error {
  constructor(
    message: string,
    /** Whether the server gave no answer at all. */
    readonly silent = false,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * A connection to one or more servers. Each call waits for its turn ({@link Limiter}), has a time-out and a bound of bytes, is looked at,
 * and made again, by itself, where the answer is none. All calls may be made twice, a transaction's bytes too: the chain takes them once.
 */
export function connect(options: RpcOptions): Connection {
  const servers = new Servers(options);
  const [first] = options.rpcUrls;
  if (first === undefined) throw new Error("`rpcUrls` names no server.");
  return new SharedConnection(
    first,
    {
      commitment: "confirmed",
      disableRetryOnRateLimit: true,
      fetch: async (_url, init) => new Response(await servers.ask(init?.body as string)),
    },
    () => servers.msPerCall,
  );
}

class Servers {
  /** The furthest first. */
  private readonly all: Server[];
  private comparedAt = -Infinity;
  private comparing: Promise<void> | null = null;
  private told = "";

  constructor(private readonly options: RpcOptions) {
    this.all = options.rpcUrls.map(
      (url) => new Server(url, options, () => this.all.some(({ isOfUse }) => isOfUse)),
    );
  }

  get msPerCall(): number {
    return this.all[0]?.limiter.msPerCall ?? 0;
  }

  async ask(body: string): Promise<string> {
    const call = JSON.parse(body) as Call;
    const due = dueTime();
    await this.compare();
    const servers = (): readonly Server[] => {
      const ofUse = this.all.filter(({ isOfUse }) => isOfUse);
      return ofUse.length > 0 ? ofUse : this.all.filter(({ isForeign }) => !isForeign);
    };
    if (call.method !== "sendTransaction") return this.patiently(servers, call, due);
    // What comes to leaders on more ways is taken sooner.
    const sent = servers().map((server) => this.patiently(() => [server], call, due));
    return Promise.any(sent).catch((error: unknown) => {
      throw error instanceof AggregateError ? error.errors[0] : error;
    });
  }

  /** Each try with another server, as long as there are some. */
  private patiently(servers: () => readonly Server[], call: Call, due: number): Promise<string> {
    const { onTrouble } = this.options;
    let silent = 0;
    let tries = 0;
    return pRetry(
      () => {
        const all = servers();
        const server = all[tries++ % all.length];
        if (!server) throw new AbortError("There is no RPC server to ask.");
        return server.ask(call, due);
      },
      {
        retries: TRIES - 1,
        minTimeout: 50,
        maxTimeout: 1_000,
        randomize: true,
        shouldRetry: ({ error }) => {
          if (!(error instanceof Failed)) return false;
          if (error.silent) silent += 1;
          return silent < SILENT_TRIES;
        },
        onFailedAttempt: ({ error }) => {
          onTrouble?.(error.message);
        },
      },
    );
  }

  /** Now and then, where there are several: which is the furthest, and whether they are of one chain. */
  private async compare(): Promise<void> {
    if (this.all.length < 2) return;
    const now = performance.now();
    if (now - this.comparedAt >= COMPARE_MS) {
      const first = this.comparedAt === -Infinity;
      this.comparedAt = now;
      this.comparing = this.look(first);
    }
    // Before that, one of another chain could be asked.
    if (this.all.every(({ genesis }) => genesis === null)) await this.comparing;
  }

  private async look(first: boolean): Promise<void> {
    // Whoever asked first is not kept waiting for long by one that gives no answer.
    const looks = this.all.map((server) => server.look(first ? FIRST_LOOK_MS : COMPARE_MS));
    await Promise.all(looks);
    const known = this.all.filter(({ genesis }) => genesis !== null);
    const [leading] = known;
    if (!leading) return;
    for (const server of known) server.isForeign = server.genesis !== leading.genesis;
    const [current] = this.all;
    const furthest = known
      .filter(({ isForeign }) => !isForeign)
      .reduce((a, b) => (b.slot > a.slot ? b : a));
    if (current && (current.isForeign || furthest.slot > current.slot + BEHIND_SLOTS)) {
      this.all.sort((a, b) => Number(a.isForeign) - Number(b.isForeign) || b.slot - a.slot);
    }
    this.tell(
      known.flatMap(({ isForeign, host, slot, genesis }) => {
        if (isForeign) {
          return `${host} is of another chain (genesis ${genesis}) than ${leading.host} (${leading.genesis}), and is not asked any more`;
        }
        const behind = furthest.slot - slot;
        if (behind <= FAR_BEHIND_SLOTS) return [];
        return `${host} is at slot ${slot}, ${behind} behind ${furthest.host}`;
      }),
    );
  }

  private tell(faults: readonly string[]): void {
    // Slots change all the time; what is told again is that another server is behind, or none.
    const about = faults.map((fault) => fault.split(" at slot ")[0]).join();
    if (about !== this.told) {
      this.options.onDisagreement?.(
        faults.length > 0 ? `${faults.join("; ")}.` : "The RPC servers agree again.",
      );
    }
    this.told = about;
  }
}

class Server {
  readonly limiter: Limiter;
  /** The rest of a URL may be a key. */
  readonly host: string;
  /** Null until it is known. */
  genesis: string | null = null;
  /** Whether it is of another chain than the others. */
  isForeign = false;
  /** Newest confirmed slot when it was looked at; -1 where it gave no answer. */
  slot = -1;
  /** Whether it gave no answer last. */
  isSilent = false;

  constructor(
    private readonly url: string,
    private readonly options: RpcOptions,
    /** Whether there is a server that does better than one that is silent. */
    private readonly isAnyOfUse: () => boolean,
  ) {
    const { perSecond = PER_SECOND, atOnce = AT_ONCE, signal } = options;
    this.limiter = new Limiter({ perSecond, atOnce, ...(signal && { signal }) });
    this.host = new URL(url).host;
  }

  get isOfUse(): boolean {
    return !this.isForeign && !this.isSilent;
  }

  /** Finds out how far it is, and of which chain. */
  async look(timeoutMs: number): Promise<void> {
    const due = performance.now() + COMPARE_MS;
    const get = async <T>(method: string, ...params: readonly unknown[]): Promise<T> => {
      const call = { jsonrpc: "2.0", id: "look", method, params };
      return (JSON.parse(await this.ask(call, due, timeoutMs)) as { result: T }).result;
    };
    try {
      this.genesis ??= await get<string>("getGenesisHash");
      this.slot = await get<number>("getSlot", { commitment: "confirmed" });
    } catch (error) {
      // What comes back at this address may be another.
      this.slot = -1;
      this.genesis = null;
      this.options.onTrouble?.(error instanceof Error ? error.message : String(error));
    }
  }

  /** One try, when its turn comes. Throws {@link Failed} where there is no answer, or none of use. */
  ask(call: Call, due: number, timeoutMs = this.options.timeoutMs): Promise<string> {
    return this.limiter.run(() => this.once(call, timeoutMs), due);
  }

  private async once(call: Call, timeoutMs: number): Promise<string> {
    const { host, limiter } = this;
    const madeAt = performance.now();
    const { status, retryAfterMs, text } = await this.post(JSON.stringify(call), timeoutMs);
    if (status === 429 || (status === 503 && retryAfterMs !== undefined)) {
      limiter.tooMany(madeAt, retryAfterMs);
      throw new Failed(`The RPC server ${host} takes no more calls for now: it answered ${status}`);
    }
    if (status >= 500) {
      throw this.silent(`The RPC server ${host} is in trouble: it answered ${status}`);
    }
    this.isSilent = false;
    const answer = parse(text);
    const { code, message } = answer?.error ?? {};
    if (code !== undefined && TOO_MANY.has(code)) {
      limiter.tooMany(madeAt);
      throw new Failed(`The RPC server ${host} takes no more calls for now: it answered 429`);
    }
    limiter.answered();
    if (status >= 400 && !answer) {
      throw new Failed(`The RPC server ${host} refuses calls: it answered ${status}`);
    }
    if (!answer || answer.id !== call.id) {
      const begin = JSON.stringify(text.slice(0, SHOWN));
      throw new Failed(`What the RPC server ${host} answered is not valid JSON-RPC: ${begin}`);
    }
    if (code !== undefined && ILL.has(code)) {
      throw new Failed(`The RPC server ${host} is behind or ill: ${message ?? ""} (${code})`);
    }
    const fault = answer.error ? null : faultOf(call, answer.result);
    if (fault !== null) {
      throw new Failed(`The RPC server ${host} gave no answer to ${call.method}: ${fault}`);
    }
    return text;
  }

  private async post(
    body: string,
    timeoutMs: number,
  ): Promise<{ status: number; retryAfterMs: number | undefined; text: string }> {
    const { host, url } = this;
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const { status, headers } = answer;
      return { status, retryAfterMs: wait(headers.get("retry-after")), text: await read(answer) };
    } catch (error) {
      if (error instanceof TooLong) {
        throw new Failed(`The answer of the RPC server ${host} has over ${MOST_BYTES} bytes`);
      }
      const { cause } = error as { cause?: unknown };
      const reason = cause instanceof Error ? cause.message : String(error);
      throw this.silent(`fetch failed: the RPC server ${host} gives no answer (${reason})`, error);
    }
  }

  /** It gives no answer. Where another does, nobody waits for it. */
  private silent(message: string, cause?: unknown): Failed {
    const failed = new Failed(message, true, { cause });
    this.isSilent = true;
    this.limiter.silent();
    if (this.isAnyOfUse()) this.limiter.sendAway(failed);
    return failed;
  }
}

class TooLong extends Error {}

interface Answer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly message?: string };
}

function parse(text: string): Answer | null {
  try {
    const answer = JSON.parse(text) as Answer | null;
    return answer?.result !== undefined || answer?.error ? answer : null;
  } catch {
    return null;
  }
}

/** Answers that may be nothing. */
const NULLABLE: readonly string[] = ["getBlock", "getBlockTime", "getTransaction"];
/** Questions about many that are answered one by one. */
const LISTS: readonly string[] = ["getMultipleAccounts", "getSignatureStatuses"];

/** Why a result can't be the answer to a call; null where it can. */
function faultOf({ method, params }: Call, result: unknown): string | null {
  if (result === undefined) return "there is no result";
  if (result === null) return NULLABLE.includes(method) ? null : "it is nothing";
  const { context, value } = result as { context?: { slot?: unknown }; value?: unknown };
  const { minContextSlot } = (params.at(-1) ?? {}) as { minContextSlot?: number };
  if (context !== undefined) {
    if (!Number.isSafeInteger(context.slot)) return "it is of no slot";
    if (minContextSlot !== undefined && Number(context.slot) < minContextSlot) {
      return `it is of slot ${String(context.slot)}, before ${minContextSlot}`;
    }
  }
  if (LISTS.includes(method)) {
    const asked = (params[0] as readonly unknown[]).length;
    const got = Array.isArray(value) ? value.length : 0;
    if (got !== asked) return `it has ${got} entries for ${asked}`;
  }
  if (method === "getProgramAccounts" && !Array.isArray(value ?? result)) return "it is no list";
  return null;
}

/** Milliseconds of a `Retry-After`, which is in seconds or a date. */
function wait(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(header)
    ? Number(header) * 1_000
    : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

async function read(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop closes the connection.
  for await (const part of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > MOST_BYTES) throw new TooLong();
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
