import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { utils } from "@coral-xyz/anchor";
import { PROGRAM_ID } from "@securing-tasks/client";
import type { EmbeddedChain } from "@securing-tasks/client/embedded";
import { freePair } from "@securing-tasks/client/localnet";
import { address as toAddress, lamports as toLamports } from "@solana/kit";
import type { PublicKey, TransactionInstruction } from "@solana/web3.js";
import { TransactionMessage, VersionedTransaction } from "@solana/web3.js";
import type { LiteSVM } from "litesvm";
import { randomBytes } from "node:crypto";
import type { WebSocket } from "ws";
import { WebSocketServer } from "ws";
import { blockAt } from "../../../../tests/utils/rpc_server";

/** Slots between a transaction's coming and its being executed and confirmed, as on a public cluster. */
const LANDING_SLOTS = 2;
/** As public clusters number theirs: digits are bytes. */
const FIRST_SLOT = 400_000_000n;
const VERSION = "3.1.8";
const RECENT_FEES = 150;
const UNKNOWN_METHOD = -32_601;

type Json = Readonly<Record<string, unknown>>;

/** As the chain in this process answers inside. */
interface Inside {
  readonly rpc: {
    readonly svm: LiteSVM;
    answerOne(call: object): Json & { readonly result?: unknown };
  };
}

interface Call {
  readonly id: unknown;
  readonly method: string;
  readonly params?: readonly unknown[];
}

type Filter =
  | { readonly dataSize: number }
  | {
      readonly memcmp: {
        readonly offset: number;
        readonly bytes: string;
        readonly encoding?: string;
      };
    };

interface Options {
  readonly encoding?: string;
  readonly filters?: readonly Filter[];
  readonly dataSlice?: { readonly offset: number; readonly length: number };
  readonly withContext?: boolean;
  readonly skipPreflight?: boolean;
  readonly until?: string;
  readonly before?: string;
  readonly limit?: number;
}

/** What a program's account holds. */
interface Held {
  readonly data: Buffer;
  readonly lamports: number;
  /** In base64, once somebody wanted that. */
  text?: string;
}

interface Subscription {
  readonly number: number;
  readonly socket: WebSocket;
  readonly kind: "account" | "program" | "slot" | "signature";
  /** Address or signature. */
  readonly of: string;
  readonly options: Options;
}

interface Sent {
  readonly signature: string;
  readonly slot: number;
  readonly err: unknown;
}

/** Bytes for an account, as `setAccount` of the chain takes them. */
export interface Planted {
  readonly address: PublicKey;
  readonly owner: PublicKey;
  readonly lamports: bigint;
  readonly data: Uint8Array;
}

/**
 * An RPC server with subscriptions over a chain in this process, in the words of a validator, so that its bytes are worth counting. What a
 * slot changed is told once, at its end. Transactions are executed {@link LANDING_SLOTS} slots after they came. Time goes on by
 * {@link StandIn.tick} alone.
 */
export class StandIn {
  private readonly held = new Map<string, Held>();
  private readonly changed = new Set<string>();
  private readonly subscriptions = new Map<number, Subscription>();
  /** Addresses that somebody subscribed to, and how often. */
  private readonly watched = new Map<string, number>();
  private coming: { readonly at: number; readonly raw: string; readonly signature: string }[] = [];
  private readonly history = new Map<string, Sent[]>();
  private readonly sockets: WebSocketServer;
  private last = 0;

  private constructor(
    private readonly chain: EmbeddedChain,
    private readonly http: Server,
    readonly port: number,
  ) {
    const { rpc } = chain as unknown as Inside;
    for (const one of rpc.svm.getProgramAccounts(toAddress(PROGRAM_ID.toBase58()))) {
      this.held.set(one.address, { data: Buffer.from(one.data), lamports: Number(one.lamports) });
    }
    this.sockets = new WebSocketServer({
      port: port + 1,
      host: "127.0.0.1",
      perMessageDeflate: false,
    });
    this.sockets.on("connection", (socket) => {
      this.accept(socket);
    });
  }

  /** Moves the chain's clock to where public clusters' are. */
  static async start(chain: EmbeddedChain): Promise<StandIn> {
    await chain.waitForSlot(FIRST_SLOT);
    const port = await freePair();
    const http = createServer((asked, answer) => {
      void standIn.take(asked, answer);
    });
    const standIn = new StandIn(chain, http, port);
    http.listen(port, "127.0.0.1");
    await Promise.all([once(http, "listening"), once(standIn.sockets, "listening")]);
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get slot(): number {
    return Number(this.svm.getClock().slot);
  }

  /** Executes what others send at once, unsigned. Throws where it fails. */
  execute(payer: PublicKey, instructions: readonly TransactionInstruction[]): void {
    const { blockhash } = this.ask("getLatestBlockhash").value as { blockhash: string };
    const message = new TransactionMessage({
      payerKey: payer,
      recentBlockhash: blockhash,
      instructions: [...instructions],
    }).compileToLegacyMessage();
    const signatures = Array.from({ length: message.header.numRequiredSignatures }, () =>
      Uint8Array.from(randomBytes(64)),
    );
    const raw = Buffer.from(new VersionedTransaction(message, signatures).serialize());
    this.svm.withSigverify(false);
    try {
      const fault = this.run(raw.toString("base64"), message);
      if (fault !== null) throw new Error(`What was played failed: ${JSON.stringify(fault)}`);
    } finally {
      this.svm.withSigverify(true);
    }
  }

  /** Writes an account as a program would leave it. */
  plant({ address, owner, lamports, data }: Planted): void {
    const { svm } = this;
    // Plain values: it has no constructor of its own.
    svm.setAccount({
      address: toAddress(address.toBase58()),
      programAddress: toAddress(owner.toBase58()),
      lamports: toLamports(lamports),
      data,
      executable: false,
      space: BigInt(data.length),
    });
    this.look(address.toBase58());
  }

  /** What an account of the program holds. Throws where there is none. */
  bytes(address: PublicKey): Buffer {
    return this.heldAt(address).data;
  }

  lamports(address: PublicKey): bigint {
    return BigInt(this.heldAt(address).lamports);
  }

  /** Takes notice of an account that changed without this server. */
  notice(...addresses: readonly PublicKey[]): void {
    for (const address of addresses) this.look(address.toBase58());
  }

  /** Tells what this slot changed, and begins the next one: what was sent to it by then is executed in it. */
  async tick(): Promise<void> {
    const slot = this.slot;
    this.tell(slot);
    await this.chain.waitForSlot(BigInt(slot + 1));
    const due = this.coming.filter(({ at }) => at <= slot + 1);
    this.coming = this.coming.filter(({ at }) => at > slot + 1);
    for (const { raw } of due) {
      this.run(raw, VersionedTransaction.deserialize(Buffer.from(raw, "base64")).message);
    }
    for (const one of this.subscriptions.values()) {
      if (one.kind === "slot") {
        notify(one, "slotNotification", { slot: slot + 1, parent: slot, root: slot - 31 });
      }
    }
  }

  async close(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate();
    this.sockets.close();
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, "close");
  }

  private heldAt(address: PublicKey): Held {
    const held = this.held.get(address.toBase58());
    if (!held) throw new Error(`There is no account of the program at ${address.toBase58()}.`);
    return held;
  }

  private get svm(): LiteSVM {
    return (this.chain as unknown as Inside).rpc.svm;
  }

  private ask(method: string, ...params: readonly unknown[]): { readonly value: unknown } {
    const { rpc } = this.chain as unknown as Inside;
    return rpc.answerOne({ id: 1, method, params }).result as { readonly value: unknown };
  }

  /** The error of an executed transaction; null where there is none. What is refused unexecuted changes nothing, as if it was never sent. */
  private run(raw: string, message: VersionedTransaction["message"]): unknown {
    const { rpc } = this.chain as unknown as Inside;
    const sent = rpc.answerOne({
      ...{ id: 1, method: "sendTransaction" },
      params: [raw, { encoding: "base64", skipPreflight: true }],
    });
    if (typeof sent.result !== "string") return sent["error"];
    const { value } = this.ask("getSignatureStatuses", [sent.result]);
    const [status] = value as readonly { readonly err: unknown; readonly slot: number }[];
    const record = { signature: sent.result, slot: this.slot, err: status?.err ?? null };
    message.staticAccountKeys.forEach((key, index) => {
      const name = key.toBase58();
      const known = this.history.get(name);
      if (known) known.push(record);
      else this.history.set(name, [record]);
      if (message.isAccountWritable(index)) this.look(name);
    });
    for (const one of this.subscriptions.values()) {
      if (one.kind === "signature" && one.of === sent.result) this.tellSignature(one, record);
    }
    return record.err;
  }

  /** Looks whether an account has changed. */
  private look(name: string): void {
    const account = this.svm.getAccount(toAddress(name));
    const before = this.held.get(name);
    const isOurs = account.exists && account.programAddress === PROGRAM_ID.toBase58();
    if (isOurs) {
      const data = Buffer.from(account.data);
      const lamports = Number(account.lamports);
      if (before?.lamports === lamports && before.data.equals(data)) return;
      this.held.set(name, { data, lamports });
      this.changed.add(name);
    } else {
      this.held.delete(name);
      if (before || this.watched.has(name)) this.changed.add(name);
    }
  }

  /** What changed in a slot, once each, as it was at its end. */
  private tell(slot: number): void {
    const context = { slot };
    const programs = [...this.subscriptions.values()].filter(({ kind }) => kind === "program");
    const accounts = [...this.subscriptions.values()].filter(({ kind }) => kind === "account");
    for (const name of this.changed) {
      const held = this.held.get(name);
      if (held) {
        for (const one of programs) {
          if (!fits(held.data, one.options.filters)) continue;
          const value = { pubkey: name, account: shown(held, one.options) };
          notify(one, "programNotification", { context, value });
        }
      }
      for (const one of accounts) {
        if (one.of !== name) continue;
        const value = held ? shown(held, one.options) : this.other(name, one.options);
        notify(one, "accountNotification", { context, value });
      }
    }
    this.changed.clear();
  }

  /** An account of another program; one that is gone as validators tell it. */
  private other(name: string, options: Options): unknown {
    const { value } = this.ask("getAccountInfo", name, options);
    const gone = { lamports: 0, data: ["", "base64"], owner: "1".repeat(32), executable: false };
    return value ?? { ...gone, rentEpoch: 0, space: 0 };
  }

  private async take(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    let body: Call | Call[];
    try {
      body = JSON.parse(await text(asked)) as Call | Call[];
    } catch {
      // Of one who was killed in the middle of it.
      answer.writeHead(400).end();
      return;
    }
    const said = JSON.stringify(
      Array.isArray(body) ? body.map((one) => this.answer(one)) : this.answer(body),
    );
    answer.writeHead(200, {
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(said),
    });
    answer.end(said);
  }

  private answer(call: Call): Json {
    const { id, method, params = [] } = call;
    const result = this.result(method, params);
    if (result !== undefined) return { jsonrpc: "2.0", result, id };
    const { rpc } = this.chain as unknown as Inside;
    const answer = rpc.answerOne({ ...call, params });
    const inside = answer.result as { readonly context?: object } | null | undefined;
    if (inside?.context === undefined) return answer;
    const context = { apiVersion: VERSION, ...inside.context };
    return { jsonrpc: "2.0", result: { ...inside, context }, id };
  }

  /** Undefined leaves it to the chain. */
  private result(method: string, [first, second]: readonly unknown[]): unknown {
    const now = this.slot;
    const context = { apiVersion: VERSION, slot: now };
    const options = (second ?? {}) as Options;
    switch (method) {
      case "getGenesisHash":
        return PROGRAM_ID.toBase58();
      case "getBlocks": {
        const from = Number(first);
        const length = Math.max(Math.min(Number(second), now) - from + 1, 0);
        return Array.from({ length }, (_, index) => from + index);
      }
      case "getBlock":
        return blockAt(Number(first));
      case "getFeeForMessage":
        return { context, value: 5_000 };
      case "getRecentPrioritizationFees":
        return Array.from({ length: RECENT_FEES }, (_, index) => ({
          slot: now - RECENT_FEES + index,
          prioritizationFee: 0,
        }));
      case "getProgramAccounts": {
        const found = [...this.held]
          .filter(([, { data }]) => fits(data, options.filters))
          .map(([pubkey, held]) => ({ pubkey, account: shown(held, options) }));
        return options.withContext === true ? { context, value: found } : found;
      }
      case "getAccountInfo": {
        const held = this.held.get(String(first));
        return held && { context, value: shown(held, options) };
      }
      case "getSignaturesForAddress":
        return this.signatures(String(first), options);
      case "sendTransaction":
        return this.receive(String(first), options);
      default:
        return undefined;
    }
  }

  /** Takes a transaction, unless it is refused before. */
  private receive(raw: string, { skipPreflight }: Options): string | undefined {
    const { signatures } = VersionedTransaction.deserialize(Buffer.from(raw, "base64"));
    const signature = utils.bytes.bs58.encode(signatures[0] ?? new Uint8Array(64));
    if (skipPreflight !== true) {
      const { value } = this.ask("simulateTransaction", raw, { encoding: "base64" });
      // The chain says why.
      if ((value as { readonly err: unknown }).err !== null) return undefined;
    }
    const known = this.coming.some((one) => one.signature === signature);
    if (!known) this.coming.push({ at: this.slot + LANDING_SLOTS, raw, signature });
    return signature;
  }

  /** The newest first. */
  private signatures(of: string, { until, before, limit = 1_000 }: Options): readonly unknown[] {
    const all = [...(this.history.get(of) ?? [])].reverse();
    const end = all.findIndex(({ signature }) => signature === until);
    const start = all.findIndex(({ signature }) => signature === before);
    return all
      .slice(start + 1, end < 0 ? undefined : end)
      .slice(0, limit)
      .map((one) => ({
        ...{ blockTime: 1_700_000_000 + one.slot, confirmationStatus: "finalized", err: one.err },
        ...{ memo: null, signature: one.signature, slot: one.slot, transactionIndex: 7 },
      }));
  }

  private accept(socket: WebSocket): void {
    socket.on("error", () => {
      socket.terminate();
    });
    socket.on("message", (part: Buffer) => {
      const { id, method, params = [] } = JSON.parse(part.toString()) as Call;
      const say = (answer: Json): void => {
        socket.send(JSON.stringify({ jsonrpc: "2.0", ...answer, id }));
      };
      const [, kind, end] =
        /^(account|program|slot|signature)(Subscribe|Unsubscribe)$/.exec(method) ?? [];
      if (kind === undefined) {
        say({ error: { code: UNKNOWN_METHOD, message: "Method not found" } });
      } else if (end === "Unsubscribe") {
        const number = Number(params[0]);
        const isThere = this.subscriptions.get(number)?.socket === socket;
        if (isThere) this.drop(number);
        say({ result: isThere });
      } else {
        const number = (this.last += 1);
        const of = kind === "slot" ? "" : String(params[0]);
        const options = (params[1] ?? {}) as Options;
        const made: Subscription = {
          number,
          socket,
          kind: kind as Subscription["kind"],
          of,
          options,
        };
        this.subscriptions.set(number, made);
        if (kind === "account") this.watched.set(of, (this.watched.get(of) ?? 0) + 1);
        say({ result: number });
        const [status] = kind === "signature" ? this.statusOf(of) : [];
        if (status) this.tellSignature(made, status);
      }
    });
    socket.once("close", () => {
      for (const [number, one] of this.subscriptions) if (one.socket === socket) this.drop(number);
    });
  }

  private statusOf(signature: string): readonly (Sent | null)[] {
    return this.ask("getSignatureStatuses", [signature]).value as readonly (Sent | null)[];
  }

  private tellSignature(one: Subscription, { slot, err }: Pick<Sent, "slot" | "err">): void {
    notify(one, "signatureNotification", { context: { slot }, value: { err } });
    this.drop(one.number);
  }

  private drop(number: number): void {
    const one = this.subscriptions.get(number);
    this.subscriptions.delete(number);
    if (one?.kind !== "account") return;
    const left = (this.watched.get(one.of) ?? 1) - 1;
    if (left > 0) this.watched.set(one.of, left);
    else this.watched.delete(one.of);
  }
}

function notify({ socket, number }: Subscription, method: string, result: object): void {
  socket.send(JSON.stringify({ jsonrpc: "2.0", method, params: { result, subscription: number } }));
}

/** An account as RPC shows it. */
function shown(held: Held, { encoding, dataSlice }: Options): object {
  if (encoding !== undefined && encoding !== "base64") {
    throw new Error(`The stand-in does not show accounts in ${encoding}.`);
  }
  const { data, lamports } = held;
  const part = dataSlice && data.subarray(dataSlice.offset, dataSlice.offset + dataSlice.length);
  const text = part ? part.toString("base64") : (held.text ??= data.toString("base64"));
  return {
    ...{ data: [text, "base64"], executable: false, lamports, owner: PROGRAM_ID.toBase58() },
    ...{ rentEpoch: Number(2n ** 64n - 1n), space: data.length },
  };
}

function fits(data: Buffer, filters: readonly Filter[] = []): boolean {
  return filters.every((filter) => {
    if ("dataSize" in filter) return data.length === filter.dataSize;
    const { offset } = filter.memcmp;
    const wanted = bytesOf(filter);
    const end = offset + wanted.length;
    return data.length >= end && data.compare(wanted, 0, wanted.length, offset, end) === 0;
  });
}

/** Filters come thousands of times, always the same. */
const decoded = new WeakMap<Filter, Buffer>();

function bytesOf(filter: Extract<Filter, { memcmp: unknown }>): Buffer {
  const known = decoded.get(filter);
  if (known) return known;
  const { bytes, encoding } = filter.memcmp;
  const made =
    encoding === "base64"
      ? Buffer.from(bytes, "base64")
      : Buffer.from(utils.bytes.bs58.decode(bytes));
  decoded.set(filter, made);
  return made;
}
