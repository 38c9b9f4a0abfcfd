import { Connection } from "@solana/web3.js";
import { expect } from "chai";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { Follower } from "../src/core/follower";
import { subscribe } from "../src/host/subscription";

describe("a subscription", () => {
  let server: WebSocketServer;
  let ending: AbortController;
  /** What the server does with the n-th socket, once it asks for something. */
  let answer: (socket: WebSocket, method: string, count: number) => void;
  let count: number;

  beforeEach(async () => {
    ending = new AbortController();
    count = 0;
    server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      socket.on("message", (data: Buffer) => {
        const { method } = JSON.parse(data.toString()) as { method: string };
        answer(socket, method, count++);
      });
    });
    await once(server, "listening");
  });

  afterEach(async () => {
    ending.abort();
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });

  const url = (): string => `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const reply = (socket: WebSocket, method: string): void => {
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: method, result: 1 }));
  };
  const notify = (socket: WebSocket, result: unknown): void => {
    socket.send(JSON.stringify({ jsonrpc: "2.0", method: "slotNotification", params: { result } }));
  };
  const listen = async (): Promise<{ begun: number; news: unknown[]; error: string | null }> => {
    const found = { begun: 0, news: [] as unknown[], error: null as string | null };
    const begin = (): void => {
      found.begun += 1;
    };
    try {
      for await (const one of subscribe(url(), "slotSubscribe", [], ending.signal, begin)) {
        found.news.push(one);
      }
    } catch (error) {
      found.error = error instanceof Error ? error.message : String(error);
    }
    return found;
  };

  it("tells what comes, until the server closes it", async () => {
    answer = (socket, method): void => {
      reply(socket, method);
      notify(socket, { slot: 5 });
      notify(socket, { slot: 6 });
      socket.close();
    };
    const news = [{ slot: 5 }, { slot: 6 }];
    expect(await listen()).to.deep.equal({ begun: 1, news, error: null });
  });

  const nonsense: readonly (readonly [what: string, message: string | Buffer, error: RegExp])[] = [
    ["a web page", "<!DOCTYPE html><title>Busy</title>", /no JSON-RPC: "<!DOCTYPE html>/],
    ["nothing", "", /no JSON-RPC: ""/],
    ["null", "null", /no JSON-RPC: "null"/],
    ["a number", "5", /no JSON-RPC: "5"/],
    ["bytes", Buffer.of(0xff, 0xfe), /no JSON-RPC/],
    ["no end", Buffer.alloc(17 * 1024 * 1024, "["), /payload/i],
    [
      "a refusal",
      '{"id":"slotSubscribe","error":{"code":-32601,"message":"No."}}',
      /refuses.*No\./,
    ],
  ];
  for (const [what, message, error] of nonsense) {
    it(`ends with a reason when the server tells ${what}`, async () => {
      answer = (socket, method): void => {
        if (what !== "a refusal") reply(socket, method);
        socket.send(message);
      };
      const found = await listen();
      expect(found.news).to.deep.equal([]);
      expect(found.error).to.match(error);
    });
  }

  it("passes over messages that are no news", async () => {
    answer = (socket, method): void => {
      reply(socket, method);
      for (const odd of [{}, { method: "x" }, { params: null }, { params: {} }, []]) {
        socket.send(JSON.stringify(odd));
      }
      notify(socket, { slot: 7 });
      socket.close();
    };
    expect((await listen()).news).to.deep.equal([{ slot: 7 }]);
  });

  it("ends with a reason where nobody listens, or somebody else", async () => {
    const port = (server.address() as AddressInfo).port;
    await new Promise((resolve) => {
      server.close(resolve);
    });
    const dead = subscribe(`ws://127.0.0.1:${port}`, "x", [], ending.signal, () => undefined);
    const error = await dead.next().then(
      () => null,
      (reason: unknown) => String(reason),
    );
    expect(error).to.match(/ECONNREFUSED/);
    server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
  });

  it("ends when it is told to, with its socket", async () => {
    let asked: () => void = () => undefined;
    const going = new Promise<void>((resolve) => (asked = resolve));
    answer = (): void => {
      asked();
    };
    const listening = listen();
    await going;
    const [socket] = server.clients;
    const closed = socket && once(socket, "close");
    ending.abort();
    await closed;
    expect((await listening).news).to.deep.equal([]);
  });

  it("is made again by the follower after nonsense and after what is no slot, and wakes it", async () => {
    const troubles: string[] = [];
    let gaps = 0;
    let woken: () => void = () => undefined;
    const wake = new Promise<void>((resolve) => (woken = resolve));
    const contexts: unknown[] = [{ slot: "5" }, null];
    answer = (socket, method, at): void => {
      reply(socket, method);
      if (at < 1) socket.send("<html>");
      else if (contexts.length > 0) notify(socket, { context: contexts.shift() });
      else notify(socket, { context: { slot: 123 } });
    };
    const follower = new Follower({
      connection: new Connection("http://127.0.0.1:9"),
      wsUrl: url(),
      subscribe,
      subscriptions: [{ method: "accountSubscribe", params: [], hear: () => true }],
      pollMs: () => 60_000,
      signal: ending.signal,
      onWake: () => {
        if (follower.slot >= 123n) woken();
      },
      onGap: () => (gaps += 1),
      onTrouble: (message) => troubles.push(message),
    });
    follower.sleep(123n);
    follower.start();
    await wake;
    expect(Number(await follower.now())).to.be.within(123, 130);
    expect(follower.isTold).to.equal(true);
    expect(gaps).to.equal(4);
    expect(troubles.filter((one) => one.includes("no JSON-RPC"))).to.not.be.empty;
    expect(troubles.filter((one) => one.includes("no slot"))).to.have.length(2);
  });

  it("is done without where there is none, at the pace for that", async () => {
    const looks: boolean[] = [];
    let woken: () => void = () => undefined;
    const wake = new Promise<void>((resolve) => (woken = resolve));
    const follower = new Follower({
      connection: new Connection("http://127.0.0.1:9"),
      wsUrl: null,
      subscribe,
      subscriptions: [{ method: "accountSubscribe", params: [], hear: () => true }],
      pollMs: (isTold) => {
        looks.push(isTold);
        return 60;
      },
      signal: ending.signal,
      onWake: () => {
        woken();
      },
      onGap: () => undefined,
      onTrouble: () => undefined,
    });
    follower.start();
    follower.sleep(null);
    await wake;
    expect(looks).to.deep.equal([false]);
    expect(count).to.equal(0);
  });
});
