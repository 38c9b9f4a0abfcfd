import { isIP } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Connection, TokenBalance, VersionedTransactionResponse } from "@solana/web3.js";
import { PublicKey } from "@solana/web3.js";
import { DoorError } from "../core/api";
import type {
  ChainAccount,
  ChainTransaction,
  Doors,
  HttpAnswer,
  HttpRequest,
  TokenChange,
} from "../core/api";
import { sha256Hex } from "../core/primitives";
import { boundedAs } from "../core/rpc";
import { gatewayUrl, hostOf, shown, webUrl } from "../core/web";
import type { Download, Downloaded } from "../core/web";
import { download } from "./download";
import { dnsAnswers } from "./names";
import { patiently } from "./patience";

export interface DoorOptions {
  /**
   * To the node's RPC server. One that {@link boundedConnection} did not make is only asked where the server is: requests go there directly.
   */
  readonly connection: Connection;
  /** Bases of content-addressed stores: `BASE/<hash>`. */
  readonly gateways?: readonly string[];
  /** Most time for one answer, in milliseconds. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Most bytes of one answer. Default: 1 MiB. */
  readonly maxBytes?: number;
  /**
   * Lets functions call private and loopback addresses, and names that only this machine or its network knows: for tests and home
   * networks. Default: false.
   */
  readonly allowPrivateNetwork?: boolean;
  /**
   * The slot that the RPC server must have reached: one behind it would say that things of the chain don't exist. Give the slot in which
   * the node saw the audit or submission. Default: not checked.
   */
  readonly minSlot?: number;
  /**
   * URLs of servers that are nearly always up, no matter what they answer. When a server can't be reached, one of these must be, or the
   * node takes its own network to be down. Give some where the RPC server is on the same machine or network. Default: the RPC server, over
   * a new connection.
   */
  readonly probes?: readonly string[];
  /**
   * Headers by which this node says who it is, for one request to a server that the function or the accused chose; null where that need
   * not know. They take the place of the function's of the same names. A server is told only once it was busy (429 or 503; it is asked
   * again at once) or gave no answer (it is told from then on): one that knew from the start whom it is judged by could keep its good
   * answers for those. Default: nobody is told.
   */
  readonly introduce?: (request: {
    readonly method: "GET" | "POST";
    readonly url: URL;
  }) => Readonly<Record<string, string>> | null;
}

/** Statuses of a server that may have an answer for somebody else, or later. */
const BUSY: readonly number[] = [429, 503];
const COMMITMENT = "confirmed";
const MOST_SIGNATURES = 1_000;
const MOST_WAIT_MS = 5_000;
/** How long a look at the network counts: an accused whose servers fail one call after the other must not use up the run by the looks. */
const FRESH_MS = 2_000;
/** Headers that say how the request itself is sent. */
const OWN_HEADERS = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The doors to the real world. */
export function liveDoors(options: DoorOptions): Doors {
  return new LiveDoors(options);
}

class LiveDoors implements Doors {
  private readonly connection: Connection;
  private readonly gateways: readonly string[];
  private readonly timeoutMs: number;
  private readonly maxBytes: number;
  private readonly allowPrivateNetwork: boolean;
  private readonly minContextSlot: { readonly minContextSlot?: number };
  private readonly probes: readonly string[];
  private readonly introduce: NonNullable<DoorOptions["introduce"]>;
  /** A server that is told who asks gave no answer to a stranger. */
  private silent = false;
  private readonly networkIsUp = remembered(() => this.probe());
  private readonly dnsIsUp = remembered(() => dnsAnswers(this.timeoutMs));

  constructor(options: DoorOptions) {
    this.gateways = options.gateways ?? [];
    this.timeoutMs = options.timeoutMs ?? 5_000;
    // Nobody waits for it any more by then.
    this.connection = boundedAs(options.connection, 2 * this.timeoutMs);
    this.maxBytes = options.maxBytes ?? 1024 * 1024;
    this.allowPrivateNetwork = options.allowPrivateNetwork ?? false;
    this.minContextSlot = options.minSlot === undefined ? {} : { minContextSlot: options.minSlot };
    this.introduce = options.introduce ?? (() => null);
    const { probes = [] } = options;
    this.probes = probes.length > 0 ? probes : [this.connection.rpcEndpoint];
  }

  async http(request: HttpRequest): Promise<HttpAnswer> {
    const { url, method, headers, body, timeoutMs, waitMs } = checkRequest(request);
    if (waitMs)
      await patiently(() => pause(waitMs * (1 + Math.random() / 2), null, { ref: false }));
    const {
      status,
      headers: names,
      bytes,
    } = await this.stranger(url, {
      ...(method === undefined ? {} : { method }),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
      timeoutMs: Math.min(timeoutMs ?? this.timeoutMs, this.timeoutMs),
    });
    // All of it: a byte order mark is part of what a node signed, and of a content's hash.
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    return { status, headers: names, body: text };
  }

  async account(address: string): Promise<ChainAccount | null> {
    const key = publicKey(address);
    const account = await this.chain(
      this.connection.getAccountInfo(key, {
        commitment: COMMITMENT,
        // No more than shows that it is too large: the accused may name the largest account there is.
        dataSlice: { offset: 0, length: this.maxBytes + 1 },
        ...this.minContextSlot,
      }),
    );
    if (account === null) return null;
    if (account.data.length > this.maxBytes) {
      throw new DoorError("tooLarge", `account ${address} has over ${this.maxBytes} bytes`);
    }
    return {
      owner: account.owner.toBase58(),
      lamports: String(account.lamports),
      data: account.data.toString("base64"),
    };
  }

  async transaction(signature: string): Promise<ChainTransaction | null> {
    checkSignature(signature);
    const found = await this.chain(
      this.connection.getTransaction(signature, {
        commitment: COMMITMENT,
        maxSupportedTransactionVersion: 0,
      }),
    );
    if (found !== null) return transactionOf(signature, found);
    // getTransaction takes no least slot: ask whether the server is behind.
    await this.chain(this.connection.getSlot({ commitment: COMMITMENT, ...this.minContextSlot }));
    return null;
  }

  async signatures(
    address: string,
    options: { readonly before?: string; readonly limit?: number } = {},
  ): Promise<readonly string[]> {
    const key = publicKey(address);
    const { before, limit = MOST_SIGNATURES } = (options as typeof options | null) ?? {};
    if (before !== undefined) checkSignature(before);
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_SIGNATURES) {
      throw new DoorError("refused", `the limit must be from 1 to ${MOST_SIGNATURES}`);
    }
    const found = await this.chain(
      this.connection.getSignaturesForAddress(
        key,
        { limit, ...(before === undefined ? {} : { before }), ...this.minContextSlot },
        COMMITMENT,
      ),
    );
    return found.map(({ signature }) => signature);
  }

  async fetch(hash: unknown, uri?: unknown): Promise<Uint8Array> {
    if (typeof hash !== "string" || !/^[0-9a-f]{64}$/i.test(hash)) {
      refuse("fetch was called without a SHA-256 in 64 hex digits");
    }
    if (uri === undefined || uri === null) return this.fromGateways(hash.toLowerCase());
    if (typeof uri !== "string") refuse("the URI must be text");
    const { status, bytes } = await this.stranger(webUrl(uri), {
      timeoutMs: this.timeoutMs,
      mayShare: true,
    });
    if (status !== 200) throw new DoorError("unreachable", `${shown(uri)}: status ${status}`);
    const found = sha256Hex(bytes);
    if (found !== hash.toLowerCase()) {
      throw new DoorError("wrongHash", `what is at ${shown(uri)} has the hash ${found}`);
    }
    return bytes;
  }

  /** The node chose its gateways: that one is down or serves something else says nothing about the content. */
  private async fromGateways(hash: string): Promise<Uint8Array> {
    let answered = false;
    for (const base of this.gateways) {
      try {
        const { status, bytes } = await download(gatewayUrl(base, hash), {
          timeoutMs: this.timeoutMs,
          maxBytes: this.maxBytes,
          allowPrivateNetwork: true,
        });
        if (status === 200 && sha256Hex(bytes) === hash) return bytes;
        answered ||= status === 404 || status === 410;
      } catch (error) {
        if (error instanceof DoorError && error.reason === "tooLarge") throw error;
      }
    }
    const trouble =
      this.gateways.length === 0
        ? "this node has no gateways: add some to its `gateways`"
        : `none of this node's ${this.gateways.length} gateways gave ${hash}`;
    throw new DoorError("unreachable", trouble, !answered);
  }

  /** A server that the function or the accused chose. */
  private async stranger(
    url: URL,
    request: Omit<Download, "maxBytes" | "allowPrivateNetwork">,
  ): Promise<Downloaded> {
    const { maxBytes, allowPrivateNetwork } = this;
    const ask = (own: Readonly<Record<string, string>>): Promise<Downloaded> => {
      const headers = { ...without(request.headers ?? {}, Object.keys(own)), ...own };
      return patiently(() => download(url, { ...request, headers, maxBytes, allowPrivateNetwork }));
    };
    const name = (): Readonly<Record<string, string>> | null =>
      this.introduce({ method: request.method ?? "GET", url });
    try {
      const told = this.silent ? name() : null;
      const answer = await ask(told ?? {});
      const more = told === null && BUSY.includes(answer.status) ? name() : null;
      return more ? await ask(more) : answer;
    } catch (error) {
      if (!(error instanceof DoorError)) throw error;
      const { reason, message, ours } = error;
      if (ours || (reason !== "unreachable" && reason !== "timeout")) throw error;
      this.silent ||= name() !== null;
      if (await this.couldReach(url)) throw error;
      const trouble = `${message}; but this node's own network seems to be down`;
      throw new DoorError(reason, trouble, true);
    }
  }

  /** Before a server is held to be down: whether this node reaches anything at all, and finds names the way it looked for this one. */
  private async couldReach(url: URL): Promise<boolean> {
    const byDns = !this.allowPrivateNetwork && isIP(hostOf(url)) === 0;
    const up = await Promise.all([this.networkIsUp(), byDns ? this.dnsIsUp() : true]);
    return up.every(Boolean);
  }

  private async probe(): Promise<boolean> {
    const { timeoutMs, maxBytes } = this;
    const one = async (url: string): Promise<void> => {
      try {
        await download(webUrl(url), { timeoutMs, maxBytes, allowPrivateNetwork: true });
      } catch (error) {
        // It did answer.
        if (!(error instanceof DoorError && error.reason === "tooLarge")) throw error;
      }
    };
    try {
      await Promise.any(this.probes.map(one));
      return true;
    } catch {
      return false;
    }
  }

  /** An answer of the node's RPC server; whatever goes wrong there is the node's trouble. */
  private async chain<T>(asked: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const message = `the RPC server did not answer within ${this.timeoutMs} ms`;
        reject(new DoorError("timeout", message, true));
      }, this.timeoutMs);
    });
    try {
      return await Promise.race([asked, late]);
    } catch (error) {
      if (error instanceof DoorError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new DoorError("unreachable", `the RPC server failed: ${why}`, true);
    } finally {
      clearTimeout(timer);
    }
  }
}

function without(
  headers: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !names.includes(name.toLowerCase())),
  );
}

/** A look that need not be had again for a while if it went well; looks at the same time are one. */
function remembered(look: () => Promise<boolean>): () => Promise<boolean> {
  let wellAt = -Infinity;
  let looking: Promise<boolean> | null = null;
  return async () => {
    if (performance.now() - wellAt < FRESH_MS) return true;
    looking ??= look().finally(() => {
      looking = null;
    });
    const well = await looking;
    if (well) wellAt = performance.now();
    return well;
  };
}

function refuse(message: string): never {
  throw new DoorError("refused", message);
}

/** Functions are JavaScript: a request may be anything. */
function checkRequest(request: unknown): Omit<HttpRequest, "url"> & { readonly url: URL } {
  if (typeof request !== "object" || request === null) refuse("http was called without a request");
  const { url, method, headers, body, timeoutMs, waitMs } = request as Record<string, unknown>;
  if (typeof url !== "string") refuse("http was called without a url");
  if (method !== undefined && method !== "GET" && method !== "POST") {
    refuse("http knows the methods GET and POST");
  }
  if (body !== undefined && typeof body !== "string") refuse("the body must be text");
  if (body !== undefined && method !== "POST") refuse("only POST takes a body");
  if (timeoutMs !== undefined && !(typeof timeoutMs === "number" && timeoutMs >= 1)) {
    refuse("timeoutMs must be a number of milliseconds, at least 1");
  }
  if (
    waitMs !== undefined &&
    !(typeof waitMs === "number" && waitMs >= 0 && waitMs <= MOST_WAIT_MS)
  ) {
    refuse(`waitMs must be a number of milliseconds, ${MOST_WAIT_MS} at most`);
  }
  return {
    url: webUrl(url),
    ...(method === undefined ? {} : { method }),
    ...(headers === undefined ? {} : { headers: checkHeaders(headers) }),
    ...(body === undefined ? {} : { body }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(waitMs === undefined ? {} : { waitMs }),
  };
}

function checkHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== "object" || headers === null) refuse("headers must be an object");
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]: [string, unknown]) => {
      if (typeof value !== "string") refuse(`header ${shown(name)} must be text`);
      if (OWN_HEADERS.has(name.toLowerCase())) refuse(`header ${shown(name)} can't be set`);
      return [name, value];
    }),
  );
}

function publicKey(address: unknown): PublicKey {
  try {
    if (typeof address === "string" && address.length <= 44) return new PublicKey(address);
  } catch {
    // Falls through to the refusal.
  }
  return refuse(`${shown(String(address))} is no address`);
}

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/**
 * Exactly, since the RPC server would refuse what is none: that would be the node's trouble, and the accused could end each audit of its
 * work by naming signatures that are a byte too long.
 */
function checkSignature(signature: unknown): asserts signature is string {
  if (typeof signature === "string" && /^[1-9A-HJ-NP-Za-km-z]{64,88}$/.test(signature)) {
    let value = 0n;
    for (const digit of signature) value = value * 58n + BigInt(BASE58.indexOf(digit));
    const zeros = /^1*/.exec(signature)?.[0].length ?? 0;
    const digits = value === 0n ? 0 : Math.ceil(value.toString(16).length / 2);
    if (zeros + digits === 64) return;
  }
  refuse(`${shown(String(signature))} is no signature`);
}

function transactionOf(signature: string, found: VersionedTransactionResponse): ChainTransaction {
  const { meta, slot, blockTime } = found;
  const { message } = found.transaction;
  if (meta === null) {
    throw new DoorError("unreachable", `the RPC server has no outcome of ${signature}`, true);
  }
  const accounts = message
    .getAccountKeys(
      meta.loadedAddresses === undefined ? {} : { accountKeysFromLookups: meta.loadedAddresses },
    )
    .keySegments()
    .flat()
    .map((key) => key.toBase58());
  return {
    signature,
    slot,
    blockTime: blockTime === null || blockTime === undefined ? null : blockTime * 1_000,
    failed: meta.err !== null,
    accounts,
    signers: accounts.slice(0, message.header.numRequiredSignatures),
    lamportsBefore: meta.preBalances.map(String),
    lamportsAfter: meta.postBalances.map(String),
    tokens: tokenChanges(accounts, meta.preTokenBalances ?? [], meta.postTokenBalances ?? []),
    logs: meta.logMessages ?? [],
  };
}

function tokenChanges(
  accounts: readonly string[],
  before: readonly TokenBalance[],
  after: readonly TokenBalance[],
): TokenChange[] {
  const changes = new Map<string, TokenChange>();
  for (const [side, balances] of [
    ["before", before],
    ["after", after],
  ] as const) {
    for (const { accountIndex, mint, owner = "", uiTokenAmount } of balances) {
      // An account can be closed and opened again in one transaction: as much of another mint is not what it had.
      const key = `${accountIndex}/${mint}/${owner}`;
      const account = accounts[accountIndex] ?? "";
      const known = changes.get(key) ?? { account, mint, owner, before: "0", after: "0" };
      changes.set(key, { ...known, [side]: uiTokenAmount.amount });
    }
  }
  return [...changes.values()];
}
