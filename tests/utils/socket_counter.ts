import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { freePair } from "@securing-tasks/client/localnet";

/** What went through a counter: bytes of TCP, with heads of HTTP and frames of WebSocket, but neither TLS nor the heads of TCP and IP. */
export interface Traffic {
  /** Bytes from the server to the client. */
  received: number;
  /** Bytes from the client to the server. */
  sent: number;
  connections: number;
  /** What was asked, by method of JSON-RPC; over HTTP and in WebSocket messages. */
  requests: Record<string, number>;
  /** What servers told by themselves, by method of JSON-RPC. */
  notifications: Record<string, number>;
  /** Frames of WebSocket that only ask or say whether somebody is there. */
  pings: number;
}

/** Nothing yet. */
export function noTraffic(): Traffic {
  return { received: 0, sent: 0, connections: 0, requests: {}, notifications: {}, pings: 0 };
}

/** What came since an earlier {@link SocketCounter.traffic}. */
export function trafficSince(now: Traffic, before: Traffic): Traffic {
  const less = (a: Record<string, number>, b: Record<string, number>): Record<string, number> =>
    Object.fromEntries(
      Object.entries(a)
        .map(([name, count]): [string, number] => [name, count - (b[name] ?? 0)])
        .filter(([, count]) => count > 0),
    );
  return {
    received: now.received - before.received,
    sent: now.sent - before.sent,
    connections: now.connections - before.connections,
    requests: less(now.requests, before.requests),
    notifications: less(now.notifications, before.notifications),
    pings: now.pings - before.pings,
  };
}

/** Bytes in and out. */
export function bytesOf({ received, sent }: Traffic): number {
  return received + sent;
}

export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}

/**
 * Stands before a server on this machine, passes every byte on, and counts. One for each client whose traffic is asked for. It knows HTTP and
 * WebSocket only as far as to tell which methods of JSON-RPC were asked for.
 */
export class SocketCounter {
  private readonly counted = noTraffic();
  private readonly open = new Set<Socket>();

  private constructor(
    private readonly servers: readonly Server[],
    private readonly port: number,
  ) {}

  /**
   * Before one server, or before an RPC server and the one that takes its subscriptions: then it takes them on the next port, as all
   * clients expect.
   *
   * @param behind Ports on this machine.
   */
  static async start(
    ...behind: readonly [number] | readonly [number, number]
  ): Promise<SocketCounter> {
    const port = behind.length === 2 ? await freePair() : 0;
    const servers = behind.map((target) =>
      createServer({ noDelay: true }, (client) => {
        counter.accept(client, target);
      }),
    );
    for (const [index, server] of servers.entries()) {
      server.listen(port === 0 ? 0 : port + index, "127.0.0.1");
      await once(server, "listening");
    }
    const [first] = servers;
    const counter = new SocketCounter(servers, (first?.address() as AddressInfo).port);
    return counter;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** All so far. */
  traffic(): Traffic {
    const { requests, notifications } = this.counted;
    return { ...this.counted, requests: { ...requests }, notifications: { ...notifications } };
  }

  async close(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    await Promise.all(
      this.servers.map((server) => new Promise((resolve) => server.close(resolve))),
    );
  }

  private accept(client: Socket, target: number): void {
    const { counted } = this;
    counted.connections += 1;
    const server = connect({ port: target, host: "127.0.0.1", noDelay: true });
    const asked = new Stream();
    const told = new Stream();
    client.on("data", (part: Buffer) => {
      counted.sent += part.length;
      this.note(asked.read(part), counted.requests);
      if (!server.write(part)) client.pause();
    });
    server.on("data", (part: Buffer) => {
      counted.received += part.length;
      // Answers name no method, and may be long: only messages of WebSocket are looked into.
      if (asked.isUpgraded) {
        told.isUpgraded = true;
        this.note(told.read(part), counted.notifications);
      }
      if (!client.write(part)) server.pause();
    });
    client.on("drain", () => server.resume());
    server.on("drain", () => client.resume());
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.open.add(one);
      one.on("error", () => other.destroy());
      one.on("end", () => other.end());
      one.once("close", () => {
        this.open.delete(one);
        other.destroy();
      });
    }
  }

  private note({ methods, pings }: Seen, counts: Record<string, number>): void {
    for (const method of methods) counts[method] = (counts[method] ?? 0) + 1;
    this.counted.pings += pings;
  }
}

interface Seen {
  readonly methods: readonly string[];
  readonly pings: number;
}

const METHOD = /"method":\s*"(\w+)"/g;
/** Letters behind which a method may be cut in two. */
const LONGEST = 80;
const HEAD_END = "\r\n\r\n";
const PING = 0x9;
const PONG = 0xa;

/** One direction of a connection: HTTP, and frames of WebSocket once it is upgraded. */
class Stream {
  isUpgraded = false;
  private rest = Buffer.alloc(0);
  private text = "";
  private headDone = false;

  read(part: Buffer): Seen {
    if (this.headDone) return this.frames(part);
    if (!this.isUpgraded) {
      this.text += part.toString("latin1");
      if (/^upgrade:\s*websocket/im.test(this.text)) this.isUpgraded = true;
      else return { methods: this.take(), pings: 0 };
    } else this.text += part.toString("latin1");
    const end = this.text.indexOf(HEAD_END);
    if (end < 0) return { methods: [], pings: 0 };
    this.headDone = true;
    const frames = Buffer.from(this.text.slice(end + HEAD_END.length), "latin1");
    this.text = "";
    return this.frames(frames);
  }

  /** Methods in the text so far, of which what may be half of one is kept. */
  private take(): readonly string[] {
    const found = [...this.text.matchAll(METHOD)];
    const last = found.at(-1);
    const seen = last ? last.index + last[0].length : 0;
    this.text = this.text.slice(Math.max(seen, this.text.length - LONGEST));
    return found.map(([, method]) => method ?? "");
  }

  private frames(part: Buffer): Seen {
    this.rest = Buffer.concat([this.rest, part]);
    const methods: string[] = [];
    let pings = 0;
    for (;;) {
      const frame = readFrame(this.rest);
      if (!frame) return { methods, pings };
      this.rest = this.rest.subarray(frame.length);
      if (frame.opcode === PING || frame.opcode === PONG) pings += 1;
      else {
        const { 1: method } =
          new RegExp(METHOD.source).exec(frame.payload.toString("latin1")) ?? [];
        if (method !== undefined) methods.push(method);
      }
    }
  }
}

/** A frame of WebSocket. */
export interface Frame {
  readonly opcode: number;
  /** Without its mask. */
  readonly payload: Buffer;
  /** Bytes of all of it. */
  readonly length: number;
}

/** The first frame of WebSocket in these bytes; null while not all of it is there. */
export function readFrame(bytes: Buffer): Frame | null {
  if (bytes.length < 2) return null;
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const sizeBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const masked = second >= 0x80;
  const head = 2 + sizeBytes + (masked ? 4 : 0);
  if (bytes.length < head) return null;
  const size =
    sizeBytes === 2
      ? bytes.readUInt16BE(2)
      : sizeBytes === 8
        ? Number(bytes.readBigUInt64BE(2))
        : short;
  const length = head + size;
  if (bytes.length < length) return null;
  const payload = Buffer.from(bytes.subarray(head, length));
  if (masked) {
    const mask = bytes.subarray(head - 4, head);
    for (let at = 0; at < size; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0);
  }
  return { opcode: first & 0x0f, payload, length };
}
