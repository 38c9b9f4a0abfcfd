import { randomBytes } from "node:crypto";
import type { RespondFacts, ServiceRequest, ServiceResponse } from "@securing-tasks/sandbox";
import type { Ran, TaskFacts } from "@securing-tasks/sandbox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { NodeConfig } from "./config";
import { LaneFull } from "./lane";
import type { Metrics } from "./metrics";

export interface ServiceOptions {
  readonly config: Pick<NodeConfig, "http" | "metrics" | "secrets" | "owner">;
  readonly metrics: Metrics;
  readonly task: TaskFacts;
  /** A payload that this node submitted, by SHA-256 in hex. */
  readonly payload: (hash: string) => Uint8Array | null;
  /** Answers a question below `/task`; null where the task has no function. */
  readonly respond:
    ((request: ServiceRequest, facts: RespondFacts) => Promise<Ran<ServiceResponse>>) | null;
  /** Null while the node can read the chain, else why not. */
  readonly trouble: () => string | null;
}

/** What a daemon listens on; nothing at all for a witness that was not asked to. */
export interface Service {
  /** Of the REST service; null where there is none. */
  readonly url: string | null;
  close(): Promise<void>;
}

/** Slow senders are cut off after this long. */
const REQUEST_MS = 10_000;

/** Starts the REST service and, where asked for, metrics on an address of their own. */
export async function serve(options: ServiceOptions): Promise<Service> {
  const { http, metrics } = options.config;
  const servers: FastifyInstance[] = [];
  const listen = async (
    { host, port }: { readonly host: string; readonly port: number },
    fill: (server: FastifyInstance) => void,
  ): Promise<string> => {
    // Loaded only where something listens: an idle witness does without.
    const { fastify } = await import("fastify");
    const server = fastify({
      bodyLimit: http?.maxBodyBytes ?? 0,
      requestTimeout: REQUEST_MS,
      connectionTimeout: 3 * REQUEST_MS,
      forceCloseConnections: true,
      trustProxy: http?.trustProxy ?? false,
    });
    servers.push(server);
    fill(server);
    return server.listen({ host, port });
  };
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
  };
  try {
    const url = http
      ? await listen(http, (server) => {
          addMetrics(server, options.metrics);
          addService(server, options, http);
        })
      : null;
    if (metrics) {
      await listen(metrics, (server) => {
        addMetrics(server, options.metrics);
      });
    }
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
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
): void {
  const gate = new Gate(limits.requestsPerSecond);
  server.addHook("onRequest", async (request, reply) => {
    if (request.url === "/healthz" || gate.admits(request.ip)) return;
    await reply.code(429).header("retry-after", "1").send({ error: "Too many requests." });
  });
  server.addHook("onResponse", (_request, reply, done) => {
    options.metrics.requests.inc({ status: reply.statusCode });
    done();
  });
  // A body is for the task function, whatever it says that it is.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    done(null, body);
  });

  server.get("/healthz", async (_request, reply) => {
    // It serves, and that is what is asked: an RPC server that is down is no downtime of this service.
    return reply.send({ ok: true, trouble: options.trouble() });
  });

  server.get<{ Params: { hash: string } }>("/payload/:hash", async (request, reply) => {
    const { hash } = request.params;
    const payload = /^[0-9a-f]{64}$/.test(hash) ? options.payload(hash) : null;
    if (!payload) return reply.code(404).send({ error: "This node submitted no such payload." });
    return reply
      .type("application/octet-stream")
      .header("x-content-type-options", "nosniff")
      .header("cache-control", "public, max-age=31536000, immutable")
      .send(Buffer.from(payload));
  });

  const { respond } = options;
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    if (!respond) return reply.code(404).send({ error: "This node answers nothing." });
    try {
      const ran = await respond(toServiceRequest(request), {
        task: options.task,
        seed: randomBytes(32).toString("hex"),
        now: Date.now(),
        owner: options.config.owner.toBase58(),
        publicUrl: limits.publicUrl,
        secrets: options.config.secrets,
      });
      if (!ran.ok) {
        options.metrics.sandboxFailures.inc({ function: "respond", kind: ran.failure.kind });
        return await reply.code(500).send({ error: "The task function failed." });
      }
      const { status = 200, contentType = "application/json", body } = ran.value;
      return await reply
        .code(status)
        .header("content-type", contentType)
        .header("x-content-type-options", "nosniff")
        .send(body);
    } catch (error) {
      if (!(error instanceof LaneFull)) throw error;
      return reply.code(503).header("retry-after", "1").send({ error: "This node is busy." });
    }
  };
  for (const url of ["/task", "/task/*"]) {
    server.route({ method: ["GET", "POST", "PUT", "DELETE"], url, handler: answer });
  }
}

function toServiceRequest(request: FastifyRequest): ServiceRequest {
  const url = new URL(request.url, "http://node.invalid");
  return {
    method: request.method,
    path: url.pathname.slice("/task".length) || "/",
    query: Object.fromEntries(url.searchParams),
    body: typeof request.body === "string" ? request.body : "",
  };
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
