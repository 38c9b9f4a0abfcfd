import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { utils } from "@coral-xyz/anchor";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** One request, as a server gets it. */
export interface Asked {
  readonly method: string;
  readonly params: readonly unknown[];
  /** Moment of {@link performance}'s clock. */
  readonly at: number;
  /** With status 429. */
  readonly refused: boolean;
}

/** `result` or `error` of a JSON-RPC answer. */
export type Answer = Readonly<Record<string, unknown>>;

export interface RpcServerOptions {
  /** Default: {@link chainAnswers} of a chain without programs. */
  readonly answer?: (method: string, params: readonly unknown[]) => Answer | Promise<Answer>;
  /** Default: a free one. */
  readonly port?: number;
  /** Calls that are taken within any second; more get 429. Default: no limit. */
  readonly perSecond?: number;
  /** With 429: seconds or a date. */
  readonly retryAfter?: number | string;
  /** Answers in the chain's place, or changes its answer. False: the chain answers. */
  readonly spoil?: (asked: Asked, response: ServerResponse, answer: Answer) => boolean;
}

const SECOND = 1_000;

/** A JSON-RPC server over HTTP that counts, limits and spoils what it is asked. */
export class RpcServer {
  readonly asked: Asked[] = [];
  /** Most requests that waited for their answers at once. */
  atOnce = 0;
  private open = 0;

  private constructor(
    private readonly server: Server,
    private readonly options: RpcServerOptions,
    private readonly answer = options.answer ?? chainAnswers(EmbeddedChain.start()),
  ) {}

  static async start(options: RpcServerOptions = {}): Promise<RpcServer> {
    const server = createServer();
    const made = new RpcServer(server, options);
    server.on("request", (request, response) => {
      made.open += 1;
      made.atOnce = Math.max(made.atOnce, made.open);
      response.once("close", () => (made.open -= 1));
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        void made.take(Buffer.concat(parts).toString(), response);
      });
    });
    server.listen(options.port ?? 0, "127.0.0.1");
    await once(server, "listening");
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get refused(): number {
    return this.asked.filter(({ refused }) => refused).length;
  }

  /** How often a method was asked for. */
  count(method: string): number {
    return this.asked.filter((one) => one.method === method).length;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  private async take(body: string, response: ServerResponse): Promise<void> {
    const { id, method, params } = JSON.parse(body) as {
      id: string;
      method: string;
      params: readonly unknown[];
    };
    const at = performance.now();
    const { perSecond = Infinity, retryAfter, spoil } = this.options;
    const recent = this.asked.filter((one) => !one.refused && one.at > at - SECOND);
    const refused = recent.length >= perSecond;
    const asked = { method, params, at, refused };
    this.asked.push(asked);
    if (refused) {
      if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter);
      response.writeHead(429);
      response.end("Too many requests");
      return;
    }
    const answer = { jsonrpc: "2.0", ...(await this.answer(method, params)), id };
    if (spoil?.(asked, response, answer) === true) return;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer));
  }
}

/** What a server of this chain answers, with blocks made up. */
export function chainAnswers(
  chain: EmbeddedChain,
  genesis = hash("genesis"),
): NonNullable<RpcServerOptions["answer"]> {
  return async (method, [first, second, ...more]) => {
    const now = Number(await chain.slot());
    switch (method) {
      case "getGenesisHash":
        return { result: genesis };
      case "getEpochInfo":
        return {
          result: {
            absoluteSlot: now,
            blockHeight: now,
            epoch: 0,
            slotIndex: now,
            slotsInEpoch: 432_000,
          },
        };
      case "getBlocks": {
        const from = Number(first);
        const length = Math.max(Math.min(Number(second), now) - from + 1, 0);
        return { result: Array.from({ length }, (_, index) => from + index) };
      }
      case "getBlock":
        return { result: blockAt(Number(first)) };
      default: {
        const connection = chain.connection as unknown as {
          _rpcRequest(method: string, params: readonly unknown[]): Promise<Answer>;
        };
        const params = [first, second, ...more].filter((one) => one !== undefined);
        return connection._rpcRequest(method, params);
      }
    }
  };
}

/** A block that is made up: of each slot always the same one. */
export function blockAt(slot: number, parentSlot = slot - 1): Answer {
  return {
    blockhash: hash(`block ${slot}`),
    previousBlockhash: hash(`block ${parentSlot}`),
    parentSlot,
    blockTime: 1_700_000_000 + slot,
    blockHeight: slot,
  };
}

function hash(text: string): string {
  return utils.bytes.bs58.encode(createHash("sha256").update(text).digest());
}
