import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";
import type { Socket } from "node:net";
import { MOST_SEALED_BYTES } from "@securing-tasks/client";
import type {
  Ran,
  RespondFacts,
  SandboxFailure,
  ServiceRequest,
  ServiceResponse,
  TaskFacts,
} from "@securing-tasks/sandbox";
import { SUBMISSION_HEADER, isWellFormed, requestOf } from "@securing-tasks/sandbox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Auditors } from "../core/auditors";
import { AUDITOR_HEADER } from "../core/auditors";
import type { NodeConfig } from "./config";
import type { Inbox } from "../core/inbox";
import type { Keeper } from "../core/keeper";
import { MOST_HANDOVER_BYTES } from "../core/inbox";
import type { Caller } from "../core/lane";
import { FairLane, LaneFull } from "../core/lane";
import type { Metrics } from "./metrics";
import type { Signer } from "../core/signer";
import type { Store } from "./store";

export interface ServiceOptions {
  readonly config: Pick<NodeConfig, "http" | "metrics" | "secrets" | "owner">;
  /** The hot key's address, in base58. */
  readonly operator: string;
  /** By which this process knows itself at an address that others are told. */
  readonly instance: string;
  readonly metrics: Metrics;
  readonly task: TaskFacts;
  /** A payload that this node submitted, by SHA-256 in hex. */
  readonly payload: (hash: string) => Uint8Array | null;
  /** Answers a question below `/task`; null where the task has no function. */
  readonly respond:
    ((request: ServiceRequest, facts: RespondFacts) => Promise<Ran<ServiceResponse>>) | null;
  readonly auditors: Pick<Auditors, "whoAsks">;
  readonly signer: Pick<Signer, "pick" | "headers">;
  readonly evidence: Pick<Store, "evidence" | "evidenceOf" | "recording">;
  readonly inbox: Pick<Inbox, "take">;
  /** Takes reveals of others; null where this node keeps none. */
  readonly keeper: Pick<Keeper, "take"> | null;
  /** Null while the node can read the chain, else why not. */
  readonly trouble: () => string | null;
}

/** What a daemon listens on; nothing at all for a witness that was not asked to. */
export interface Service {
  /** Of the REST service; null where there is none. */
  readonly url: string | null;
  close(): Promise<void>;
}

/** What strangers may hold of a daemon at once, all of them and one address alone, and for how long. */
export interface Bounds {
  readonly connections: number;
  readonly connectionsOfOne: number;
  /** Pieces of evidence and lists of them that are being sent: no payload or answer takes their places. */
  readonly evidence: number;
  readonly evidenceOfOne: number;
  /** Payloads and answers that are being made or sent, but for those that nodes asked for. */
  readonly responses: number;
  readonly responsesOfOne: number;
  /** Of their bodies. */
  readonly bytes: number;
  readonly bytesOfOne: number;
  /** The same of what the task's nodes asked for, and of one node. What is more counts as its address's. */
  readonly nodes: number;
  readonly nodesOfOne: number;
  readonly nodeBytes: number;
  readonly nodeBytesOfOne: number;
  /** Until a request is there in full, from the first byte; or from the connection, where none comes. */
  readonly requestMs: number;
  /** From a request's headers until the operating system has the last byte of the response. */
  readonly responseMs: number;
}

const MIB = 1024 * 1024;

// A storage audit fetches up to 50 payloads at once, and auditors may share an address: one address has room for that twice over, and no
// two addresses take all there is. Bytes only count where an operator allows answers over the usual 1 MiB. There are more connections
// than responses, so that `/healthz` has some left. Evidence is small (64 KiB), and a juror asks for one piece after the other.
const BOUNDS: Bounds = {
  connections: 512,
  connectionsOfOne: 160,
  evidence: 256,
  evidenceOfOne: 32,
  responses: 384,
  responsesOfOne: 128,
  bytes: 384 * MIB,
  bytesOfOne: 128 * MIB,
  nodes: 192,
  nodesOfOne: 64,
  nodeBytes: 192 * MIB,
  nodeBytesOfOne: 64 * MIB,
  requestMs: 10_000,
  responseMs: 30_000,
};

/** Whoever scrapes metrics needs no more. */
const METRICS_CONNECTIONS = 32;

/**
 * Starts the REST service and, where asked for, metrics on an address of their own.
 *
 * @param given For tests, which can't wait for as long.
 */
export async function serve(
  options: ServiceOptions,
  given: Partial<Bounds> = {},
): Promise<Service> {
  const { http, metrics } = options.config;
  const bounds = { ...BOUNDS, ...given };
  const servers: FastifyInstance[] = [];
  const listen = async (
    { host, port }: { readonly host: string; readonly port: number },
    most: Pick<Bounds, "connections" | "connectionsOfOne">,
    fill: (server: FastifyInstance, exchangeOf: ExchangeOf) => void,
  ): Promise<string> => {
    // Loaded only where something listens: an idle witness does without.
    const { fastify } = await import("fastify");
    const server = fastify({
      bodyLimit: http?.maxBodyBytes ?? 0,
      requestTimeout: bounds.requestMs,
      // Strangers get no places to sit in. A proxy keeps its connections, and would have to guess when they close.
      ...(!http?.trustProxy && { keepAliveTimeout: bounds.requestMs }),
      http: {
        headersTimeout: bounds.requestMs,
        // By default only every 30 seconds, whatever the timeouts say.
        connectionsCheckingInterval: bounds.requestMs / 10,
        // Node.js would answer those without one by itself, and nothing would count them.
        requireHostHeader: false,
      },
      forceCloseConnections: true,
      // Only what the proxy itself has added: most proxies append to what a client claims, who could be a new address in each request.
      trustProxy: http?.trustProxy === true ? (_address, hop) => hop === 0 : false,
    });
    servers.push(server);
    fill(server, watch(server, { ...bounds, ...most }));
    return server.listen({ host, port });
  };
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
  };
  try {
    const url = http
      ? await listen(
          http,
          // All connections are the proxy's. It has to bound those of an address.
          http.trustProxy ? { ...bounds, connectionsOfOne: bounds.connections } : bounds,
          (server, exchangeOf) => {
            addMetrics(server, options.metrics);
            addService(server, options, http, bounds, exchangeOf);
          },
        )
      : null;
    if (metrics) {
      const most = { connections: METRICS_CONNECTIONS, connectionsOfOne: METRICS_CONNECTIONS };
      await listen(metrics, most, (server) => {
        addMetrics(server, options.metrics);
      });
    }
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Requests of one connection without their responses. Nobody sends more than one, but to have a node hold what it makes of each. */
const MOST_PIPELINED = 8;

type ExchangeOf = (request: FastifyRequest) => Exchange;

/** Bounds connections, and how long each exchange takes. */
function watch(server: FastifyInstance, bounds: Bounds): ExchangeOf {
  const exchanges = new WeakMap<IncomingMessage, Exchange>();
  const open = new WeakMap<Socket, Set<Exchange>>();
  // Each is a file of the process, which needs some for its own connections to the RPC server.
  const connections = new Places(bounds.connections, bounds.connectionsOfOne);
  server.server.on("connection", (socket) => {
    const own = new Set<Exchange>();
    const giveBack = connections.take(whom(socket.remoteAddress ?? ""), {
      idle: () => own.size === 0,
      end: () => socket.destroy(),
    });
    if (!giveBack) {
      socket.destroy();
      return;
    }
    open.set(socket, own);
    socket.once("close", () => {
      giveBack();
      // A response that waits behind another one hears nothing of its connection's end.
      for (const exchange of own) exchange.end();
    });
  });
  // Nor those that expect what it does not know.
  server.server.on("checkExpectation", (request: IncomingMessage) => {
    request.socket.destroy();
  });
  server.addHook("onRequest", (request, reply, done) => {
    const { socket } = request.raw;
    const own = open.get(socket);
    if (!own || socket.destroyed || own.size >= MOST_PIPELINED) {
      reply.hijack();
      socket.destroy();
      return;
    }
    const caller = { name: whom(request.ip), isNode: false };
    const exchange = new Exchange(socket, bounds.responseMs, caller);
    exchanges.set(request.raw, exchange);
    own.add(exchange);
    exchange.whenOver(() => {
      own.delete(exchange);
    });
    reply.raw.once("close", () => {
      exchange.end();
    });
    done();
  });
  return (request) => {
    const exchange = exchanges.get(request.raw);
    if (!exchange) throw new Error("This request is not watched.");
    return exchange;
  };
}

/** A request and its response, until the operating system has all of it or the connection is gone. */
class Exchange {
  private over = false;
  private readonly acts: (() => void)[] = [];
  private readonly deadline: NodeJS.Timeout;

  constructor(
    private readonly socket: Socket,
    ms: number,
    public caller: Caller,
  ) {
    // Whatever moves meanwhile: who reads a few bytes now and then would be served for ever.
    this.deadline = setTimeout(() => {
      this.breakOff();
    }, ms);
  }

  /** A reset, so that the operating system drops what it holds as well. */
  breakOff(): void {
    this.socket.resetAndDestroy();
  }

  /** At once if it is over already: a function may answer after its client is gone. */
  whenOver(act: () => void): void {
    if (this.over) act();
    else this.acts.push(act);
  }

  end(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.deadline);
    for (const act of this.acts) act();
  }
}

/** Counts what is taken, so that neither all nor one takes too much. */
class Tally {
  private total = 0;
  private readonly counts = new Map<string, number>();

  constructor(
    private readonly most: number,
    private readonly mostOfOne: number,
  ) {}

  /** What gives it back; null where it is too much. The first may always take, however much it is. */
  take(who: string, amount: number): (() => void) | null {
    const count = this.counts.get(who) ?? 0;
    if (count > 0 && count + amount > this.mostOfOne) return null;
    if (this.total > 0 && this.total + amount > this.most) return null;
    this.add(who, amount);
    return () => {
      this.add(who, -amount);
    };
  }

  private add(who: string, amount: number): void {
    this.total += amount;
    const count = (this.counts.get(who) ?? 0) + amount;
    if (count === 0) this.counts.delete(who);
    else this.counts.set(who, count);
  }
}

/** What somebody has a place for. */
interface Guest {
  /** Whether nothing would be lost with it. */
  idle(): boolean;
  end(): void;
}

/**
 * Places that no few can take from the many: where all are taken, one of whoever has most is ended for whoever has fewer. Else three or
 * four strangers with as many as one may have would keep everybody out.
 */
class Places {
  private total = 0;
  private readonly guests = new Map<string, Set<Guest>>();

  constructor(
    private readonly most: number,
    private readonly mostOfOne: number,
  ) {}

  /** What gives it back; null where there is none. */
  take(who: string, guest: Guest): (() => void) | null {
    const count = this.guests.get(who)?.size ?? 0;
    if (count >= this.mostOfOne) return null;
    if (this.total >= this.most && !this.makeRoom(count)) return null;
    const own = this.guests.get(who) ?? new Set();
    this.guests.set(who, own.add(guest));
    this.total += 1;
    return () => {
      this.giveBack(who, guest);
    };
  }

  /** For one who has so many. */
  private makeRoom(count: number): boolean {
    const greediest = [...this.guests].reduce((one, other) =>
      other[1].size > one[1].size ? other : one,
    );
    const [who, { size }] = greediest;
    const guests = [...greediest[1]];
    const leaving = guests.find((guest) => guest.idle()) ?? guests.at(-1);
    // With one more than the newcomer, the two would take the place from each other for ever.
    if (size <= count + 1 || !leaving) return false;
    this.giveBack(who, leaving);
    leaving.end();
    return true;
  }

  private giveBack(who: string, guest: Guest): void {
    const own = this.guests.get(who);
    if (!own?.delete(guest)) return;
    this.total -= 1;
    if (own.size === 0) this.guests.delete(who);
  }
}

/** Whom an address counts as: with IPv6, everybody has a network of 2^64 addresses to come from. */
function whom(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!isIPv6(plain)) return plain;
  const [left = [], right = []] = plain.split("::").map((half) => half.split(":"));
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0");
  return [...left, ...zeros, ...right].slice(0, 4).join(":");
}

function addMetrics(server: FastifyInstance, { registry }: Metrics): void {
  server.get("/metrics", async (_request, reply) => {
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}

function addService(
  server: FastifyInstance,
  options: ServiceOptions,
  limits: NonNullable<NodeConfig["http"]>,
  bounds: Bounds,
  exchangeOf: ExchangeOf,
): void {
  const nodes = new Tally(bounds.nodes, bounds.nodesOfOne);
  const nodeBytes = new Tally(bounds.nodeBytes, bounds.nodeBytesOfOne);
  const responses = new Tally(bounds.responses, bounds.responsesOfOne);
  const bytes = new Tally(bounds.bytes, bounds.bytesOfOne);
  /** For as long as the exchange takes. */
  const take = (tally: Tally, who: string, exchange: Exchange, amount: number): boolean => {
    const giveBack = tally.take(who, amount);
    if (giveBack) exchange.whenOver(giveBack);
    return giveBack !== null;
  };
  const takeBytes = (exchange: Exchange, amount: number): boolean => {
    const { name, isNode } = exchange.caller;
    return take(isNode ? nodeBytes : bytes, name, exchange, amount);
  };
  const refuse = (reply: FastifyReply): FastifyReply =>
    reply.code(503).header("retry-after", "1").send({ error: "This node is busy." });
  // Before the body, which would be held as well.
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const exchange = exchangeOf(request);
    const { name, isNode } = exchange.caller;
    // A node has its place already.
    if (!isNode && !take(responses, name, exchange, 1)) await refuse(reply);
  };

  const evidences = new Places(bounds.evidence, bounds.evidenceOfOne);
  const onEvidence = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const exchange = exchangeOf(request);
    const guest = {
      idle: () => false,
      end: () => {
        exchange.breakOff();
      },
    };
    const giveBack = evidences.take(whom(request.ip), guest);
    if (!giveBack) await refuse(reply);
    else exchange.whenOver(giveBack);
  };

  const gate = new Gate(limits.requestsPerSecond);
  // Jurors may share an address with those who ask for much else.
  const evidenceGate = new Gate(limits.requestsPerSecond);
  server.addHook("onRequest", async (request, reply) => {
    if (request.url === "/healthz") return;
    const ofEvidence = request.routeOptions.url?.startsWith("/evidence");
    const own = ofEvidence ? evidenceGate : gate;
    const exchange = exchangeOf(request);
    const { method, url: path } = request;
    const header = request.headers[AUDITOR_HEADER];
    if (!ofEvidence && typeof header === "string") {
      const name = await options.auditors.whoAsks(header, { method, path });
      if (name !== null && take(nodes, name, exchange, 1)) exchange.caller = { name, isNode: true };
    }
    if (own.admits(exchange.caller.name)) return;
    await reply.code(429).header("retry-after", "1").send({ error: "Too many requests." });
  });
  server.addHook("onResponse", (_request, reply, done) => {
    options.metrics.requests.inc({ status: reply.statusCode });
    done();
  });
  // A body is for the task function, whatever it says that it is.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body: Buffer, done) => {
    // Read as UTF-8 all the same, it would be another text than was sent.
    if (isUtf8(body)) done(null, body.toString());
    else done(Object.assign(new Error("The body is no UTF-8 text."), { statusCode: 400 }));
  });

  server.get("/healthz", async (_request, reply) => {
    // It serves, and that is what is asked: an RPC server that is down is no downtime of this service.
    return reply.send({ ok: true, trouble: options.trouble(), instance: options.instance });
  });

  const payloads = new Payloads(options.payload);
  server.get<{ Params: { hash: string } }>(
    "/payload/:hash",
    { onRequest },
    async (request, reply) => {
      const { hash } = request.params;
      const payload = /^[0-9a-f]{64}$/.test(hash) ? payloads.find(hash) : null;
      if (!payload) return reply.code(404).send({ error: "This node submitted no such payload." });
      if (!takeBytes(exchangeOf(request), payload.length)) return refuse(reply);
      payloads.share(hash, payload, exchangeOf(request));
      return reply
        .type("application/octet-stream")
        .header("x-content-type-options", "nosniff")
        .header("cache-control", "public, max-age=31536000, immutable")
        .send(payload);
    },
  );

  server.get<{ Params: { submission: string } }>(
    "/evidence/of/:submission",
    { onRequest: onEvidence },
    async (request, reply) =>
      reply.send({ evidence: options.evidence.evidenceOf(request.params.submission) }),
  );
  server.post(
    "/evidence",
    { onRequest: onEvidence, bodyLimit: MOST_HANDOVER_BYTES },
    async ({ body }, reply) => {
      try {
        const taken = await options.inbox.take(typeof body === "string" ? body : "");
        return await reply.code(taken.status).send({ message: taken.message });
      } catch (error) {
        if (!(error instanceof LaneFull)) throw error;
        return refuse(reply);
      }
    },
  );
  const recordings = new Payloads((hash) => {
    const text = options.evidence.recording(hash);
    return text === null ? null : Buffer.from(text);
  });
  server.get<{ Params: { hash: string } }>(
    "/evidence/:hash",
    { onRequest: onEvidence },
    async (request, reply) => {
      const { hash } = request.params;
      let piece: string | Buffer | null = options.evidence.evidence(hash);
      if (piece === null) {
        // What went with an accusation may be as large as payloads, and is held and counted as they are.
        piece = recordings.find(hash);
        if (piece && !takeBytes(exchangeOf(request), piece.length)) return refuse(reply);
        if (piece) recordings.share(hash, piece, exchangeOf(request));
      }
      if (piece === null) return reply.code(404).send({ error: "This node has no such evidence." });
      return reply
        .type("application/json")
        .header("x-content-type-options", "nosniff")
        .header("cache-control", "public, max-age=31536000, immutable")
        .send(piece);
    },
  );

  const { keeper } = options;
  if (keeper) {
    server.post(
      "/reveals",
      { onRequest, bodyLimit: MOST_SEALED_BYTES },
      async ({ body }, reply) => {
        try {
          const kept = await keeper.take(typeof body === "string" ? body : "");
          return await reply.code(kept.status).send({ message: kept.message });
        } catch (error) {
          if (!(error instanceof LaneFull)) throw error;
          return refuse(reply);
        }
      },
    );
  }

  const { respond, signer } = options;
  // No audit of this node waits for it: those have a lane of their own.
  const questions = new FairLane(limits.concurrency, limits.queue);
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    if (!respond) return reply.code(404).send({ error: "This node answers nothing." });
    const { method, url: path, body: sent } = request;
    const question = requestOf(method, path, typeof sent === "string" ? sent : "");
    if (!question) return reply.code(400).send(ODD);
    try {
      const asked = request.headers[SUBMISSION_HEADER];
      // With the clock that the function is given, and before it runs.
      const signing = await signer.pick(typeof asked === "string" ? asked : undefined);
      const facts = {
        task: options.task,
        seed: randomBytes(32).toString("hex"),
        now: Date.now(),
        round: signing && Number(signing.round),
        owner: options.config.owner.toBase58(),
        operator: options.operator,
        publicUrl: limits.publicUrl,
        secrets: options.config.secrets,
      };
      const { caller } = exchangeOf(request);
      const ran = await questions.run(caller, () => respond(question, facts));
      const said = sayable(ran);
      if (typeof said === "string") {
        options.metrics.sandboxFailures.inc({ function: "respond", kind: said });
        return await reply.code(500).send(FAILED);
      }
      const { status = 200, contentType = "application/json", body } = said;
      if (!takeBytes(exchangeOf(request), Buffer.byteLength(body))) return await refuse(reply);
      const exchange = { method, path, body: question.body, status, answer: body };
      return await reply
        .code(status)
        .headers(signing ? signer.headers(signing, exchange) : {})
        .header("content-type", contentType)
        .header("x-content-type-options", "nosniff")
        .send(body);
    } catch (error) {
      if (!(error instanceof LaneFull)) throw error;
      return refuse(reply);
    }
  };
  for (const url of ["/task", "/task/*"]) {
    const method = ["GET", "POST", "PUT", "DELETE"];
    // A HEAD would have an answer signed that is not sent.
    server.route({ method, url, onRequest, handler: answer, exposeHeadRoute: false });
  }
}

/**
 * What is answered where the task function fails. Never signed, like all that the service says in the function's place: an honest node that
 * is short of memory would have signed an answer that is not the function's, and that is proof of malice to whoever compares the two.
 */
const FAILED = { error: "The task function failed." };

/** What is answered to {@link requestOf}'s odd ones. */
const ODD = {
  error: "Ask for a path and query that need no clean-up, in UTF-8, each name in the query once.",
};

/** Statuses that come without a body, whatever the function gave for one. */
const BODILESS: readonly number[] = [204, 205, 304];

/** What the function said, or why it failed. What would not arrive as it is signed is no answer. */
function sayable(ran: Ran<ServiceResponse>): ServiceResponse | SandboxFailure["kind"] {
  if (!ran.ok) return ran.failure.kind;
  const { status = 200, body } = ran.value;
  const arrives = isWellFormed(body) && (body === "" || !BODILESS.includes(status));
  return arrives ? ran.value : "badAnswer";
}

/** One copy of each payload for all who are being sent it: memory grows with what is asked for, not with who asks. */
class Payloads {
  private readonly shared = new Map<string, { readonly payload: Buffer; readers: number }>();

  constructor(private readonly read: ServiceOptions["payload"]) {}

  find(hash: string): Buffer | null {
    const shared = this.shared.get(hash);
    if (shared) return shared.payload;
    const read = this.read(hash);
    return read && Buffer.from(read.buffer, read.byteOffset, read.byteLength);
  }

  /** Until the exchange is over. */
  share(hash: string, payload: Buffer, exchange: Exchange): void {
    const shared = this.shared.get(hash) ?? { payload, readers: 0 };
    this.shared.set(hash, shared);
    shared.readers += 1;
    exchange.whenOver(() => {
      shared.readers -= 1;
      if (shared.readers === 0) this.shared.delete(hash);
    });
  }
}

/** Most addresses remembered within a second; more are as good as one. */
const MOST_ADDRESSES = 10_000;

/** So many requests a second for each address. */
class Gate {
  private second = 0;
  private readonly counts = new Map<string, number>();

  constructor(private readonly most: number) {}

  admits(address: string): boolean {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.second) {
      this.second = second;
      this.counts.clear();
    }
    const name = this.counts.size < MOST_ADDRESSES ? address : "everybody else";
    const count = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, count);
    return count <= this.most;
  }
}
