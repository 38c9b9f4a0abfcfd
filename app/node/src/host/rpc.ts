import { MOST_RPC_BYTES, TooLong, readBounded } from "@securing-tasks/sandbox";
import { Connection } from "@solana/web3.js";
import pRetry, { AbortError } from "p-retry";
import type { Call } from "../core/answers";
import { faultOf, readAnswer, readRetryAfter, slotOf } from "../core/answers";
import { SharedConnection } from "./connection";
import { Limiter } from "../core/limiter";
import { dueTime } from "./urgency";

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
  /** Told the slot of every answer that says one. */
  readonly onSlot?: (slot: bigint) => void;
  /** Ends all waiting. */
  readonly signal?: AbortSignal;
}

/** Tries before a request counts as failed. Whoever made it waits longer and asks anew. */
const TRIES = 6;
/** Of them those in which no server answered at all. */
const SILENT_TRIES = 3;
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
/** Slots that an answer may be ahead of the one before, besides those that there can be in between. */
const AHEAD_SLOTS = 1_000;
const SHORTEST_SLOT_MS = 10;
/** Answers in a row that are not believed for being further ahead. */
const JUMPS = 2;
/** Slots that one may be behind another before that is told. */
const FAR_BEHIND_SLOTS = 150;

/** What a server says about itself, in answers that are errors: it has not come so far, or is not well. Another may be, or it in a moment. */
const ILL = new Set([-32_000, -32_005, -32_014, -32_016, -32_603]);
const TOO_MANY = new Set([429, -32_029, -32_429]);

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
    servers,
  );
}

class Servers {
  /** The furthest first. */
  private readonly all: Server[];
  /** Genesis hash of the first that gave one: those of another are never asked. Null until it is known, and where there is one server. */
  chain: string | null = null;
  private comparedAt = -Infinity;
  private comparing: Promise<void> | null = null;
  private told = "";

  constructor(private readonly options: RpcOptions) {
    this.all = options.rpcUrls.map((url) => new Server(url, options, this));
  }

  get isOne(): boolean {
    return this.all.length === 1;
  }

  get isAnyOfUse(): boolean {
    return this.all.some(({ isOwn, isOfUse }) => isOwn && isOfUse);
  }

  get msPerCall(): number {
    return this.all[0]?.limiter.msPerCall ?? 0;
  }

  askAnother(): void {
    const other = this.all.findIndex(({ isOwn, isOfUse }, at) => at > 0 && isOwn && isOfUse);
    if (other > 0) this.all.unshift(...this.all.splice(other, 1));
  }

  async ask(body: string): Promise<string> {
    const call = JSON.parse(body) as Call;
    const due = dueTime();
    await this.compare();
    if (call.method !== "sendTransaction") return this.patiently(() => this.askable, call, due);
    // What comes to leaders on more ways is taken sooner.
    const sent = this.askable.map((server) => this.patiently(() => [server], call, due));
    return Promise.any(sent).catch((error: unknown) => {
      throw (error instanceof AggregateError && error.errors[0]) ?? this.nobody;
    });
  }

  /** Those that take calls now, or else all that are of the chain. */
  private get askable(): readonly Server[] {
    const own = this.isOne ? this.all : this.all.filter(({ isOwn }) => isOwn);
    const ofUse = own.filter(({ isOfUse }) => isOfUse);
    return ofUse.length > 0 ? ofUse : own;
  }

  private get nobody(): Error {
    const hosts = this.all.map(({ host }) => host).join(", ");
    return new Error(`fetch failed: none of the RPC servers gives an answer (${hosts})`);
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
        if (!server) throw new AbortError(this.nobody);
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
    if (this.isOne) return;
    const isTime = this.chain === null || performance.now() - this.comparedAt >= COMPARE_MS;
    if (!this.comparing && isTime) {
      this.comparedAt = performance.now();
      this.comparing = this.look().finally(() => {
        this.comparing = null;
      });
    }
    // Before that, one of another chain could be asked.
    if (this.chain === null) await this.comparing;
  }

  private async look(): Promise<void> {
    // Whoever asked first is not kept waiting for long by one that gives no answer.
    const timeoutMs = this.chain === null ? FIRST_LOOK_MS : COMPARE_MS;
    await Promise.all(this.all.map((server) => server.look(timeoutMs)));
    this.chain ??= this.all.find(({ genesis }) => genesis !== null)?.genesis ?? null;
    const sure = this.all.filter(({ isSure }) => isSure);
    const furthest = sure.filter(({ isOwn }) => isOwn).sort((a, b) => b.slot - a.slot)[0];
    if (!furthest) return;
    const [current] = this.all;
    if (!current?.isOwn || furthest.slot > current.slot + BEHIND_SLOTS) {
      this.all.sort((a, b) => Number(b.isOwn) - Number(a.isOwn) || b.slot - a.slot);
    }
    this.tell(
      sure.flatMap(({ isOwn, host, slot, genesis }) => {
        if (!isOwn) {
          return `${host} is of another chain (genesis ${genesis}) than the others (${this.chain}), and is not asked`;
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
  /** Of the chain that it was of last; null until it is known. */
  genesis: string | null = null;
  /** Whether it still must be of that chain: what comes back at its address may be another. */
  isSure = false;
  /** Newest confirmed slot when it was looked at; -1 where it gave no answer. */
  slot = -1;
  /** Whether it gave no answer last. */
  private isSilent = false;
  /** The slot of the last answer that was believed, and when it came. */
  private heard: { readonly slot: number; readonly at: number } | null = null;
  private jumps = 0;

  constructor(
    private readonly url: string,
    private readonly options: RpcOptions,
    private readonly among: Servers,
  ) {
    const { perSecond = PER_SECOND, atOnce = AT_ONCE, signal } = options;
    this.limiter = new Limiter({ perSecond, atOnce, ...(signal && { signal }) });
    this.host = new URL(url).host;
  }

  get isOwn(): boolean {
    return this.genesis !== null && this.genesis === this.among.chain;
  }

  /** Whether it takes calls now. */
  get isOfUse(): boolean {
    return (this.isSure || this.among.isOne) && !this.isSilent && !this.limiter.isRefused;
  }

  /** Finds out how far it is, and of which chain. */
  async look(timeoutMs: number): Promise<void> {
    if (this.limiter.isRefused) return;
    const due = performance.now() + COMPARE_MS;
    const get = async <T>(method: string, ...params: readonly unknown[]): Promise<T> => {
      const call = { jsonrpc: "2.0", id: "look", method, params };
      return (JSON.parse(await this.ask(call, due, timeoutMs)) as { result: T }).result;
    };
    try {
      if (!this.isSure) this.genesis = await get<string>("getGenesisHash");
      this.slot = await get<number>("getSlot", { commitment: "confirmed" });
      this.isSure = true;
    } catch (error) {
      this.slot = -1;
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
    const { status, retryAfterMs, text } = await this.post(JSON.stringify(call), timeoutMs, madeAt);
    if (status === 429 || (status === 503 && retryAfterMs !== undefined)) {
      throw this.refused(status, madeAt, retryAfterMs);
    }
    if (status >= 500) {
      throw this.silent(`The RPC server ${host} is in trouble: it answered ${status}`, madeAt);
    }
    this.isSilent = false;
    const answer = readAnswer(text, call);
    const { code, message } = answer?.error ?? {};
    if (code !== undefined && TOO_MANY.has(code)) {
      throw this.refused(code, madeAt);
    }
    limiter.answered();
    if (!answer) {
      const begin = JSON.stringify(text.slice(0, SHOWN));
      throw new Failed(
        status >= 400
          ? `The RPC server ${host} refuses calls: it answered ${status}`
          : `What the RPC server ${host} answered is not valid JSON-RPC: ${begin}`,
      );
    }
    if (code !== undefined && ILL.has(code)) {
      throw new Failed(`The RPC server ${host} is behind or ill: ${message} (${code})`);
    }
    const fault =
      "result" in answer ? (faultOf(call, answer.result) ?? this.jump(call, answer.result)) : null;
    if (fault !== null) {
      throw new Failed(`The RPC server ${host} gave no answer to ${call.method}: ${fault}`);
    }
    return text;
  }

  /**
   * Why an answer is of no slot that there can be by now; null where it may be. One that says so a few times in a row is believed: it was
   * behind itself.
   *
   * Attack, or slip: after one answer of a slot far ahead, all that is true would be of the past for ever.
   */
  private jump(call: Call, result: unknown): string | null {
    const slot = slotOf(call, result);
    if (slot === null) return null;
    const { heard } = this;
    const at = performance.now();
    const most = heard ? heard.slot + AHEAD_SLOTS + (at - heard.at) / SHORTEST_SLOT_MS : Infinity;
    if (heard && slot > most && this.jumps < JUMPS) {
      this.jumps += 1;
      return `it is of slot ${slot}, far ahead of ${heard.slot}`;
    }
    this.jumps = 0;
    this.heard = { slot, at };
    // That of one that is only compared may be of another chain, or far behind.
    if (call.id !== "look") this.options.onSlot?.(BigInt(slot));
    return null;
  }

  private async post(
    body: string,
    timeoutMs: number,
    madeAt: number,
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
      return {
        status,
        retryAfterMs: readRetryAfter(headers.get("retry-after")),
        text: await readBounded(answer),
      };
    } catch (error) {
      if (error instanceof TooLong) {
        const message = `The answer of the RPC server ${host} has over ${MOST_RPC_BYTES} bytes`;
        // As many at once as may be made would fill the memory.
        throw this.silent(message, madeAt, error);
      }
      const { cause } = error as { cause?: unknown };
      const reason = cause instanceof Error ? cause.message : String(error);
      throw this.silent(
        `fetch failed: the RPC server ${host} gives no answer (${reason})`,
        madeAt,
        error,
      );
    }
  }

  /** It gives no answer. */
  private silent(message: string, madeAt: number, cause?: unknown): Failed {
    const failed = new Failed(message, true, { cause });
    this.isSilent = true;
    this.isSure = false;
    this.limiter.silent(madeAt);
    this.leaveToOthers(failed);
    return failed;
  }

  private refused(code: number, madeAt: number, retryAfterMs?: number): Failed {
    const failed = new Failed(
      `The RPC server ${this.host} takes no more calls for now: it answered ${code}`,
    );
    this.limiter.tooMany(madeAt, retryAfterMs);
    this.leaveToOthers(failed);
    return failed;
  }

  /** Nobody waits for it where another is of use. */
  private leaveToOthers(failed: Failed): void {
    if (this.among.isAnyOfUse) this.limiter.sendAway(failed);
  }
}
