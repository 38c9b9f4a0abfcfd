import { explain } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { RpcOptions } from "../src/rpc";
import { connect } from "../src/rpc";
import type { Connection } from "@solana/web3.js";
import { Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import { refusal } from "../../../tests/utils/refusal";
import type { RpcServerOptions } from "../../../tests/utils/rpc_server";
import { RpcServer, chainAnswers } from "../../../tests/utils/rpc_server";
import { Limiter, within } from "../src/limiter";

const HTML = "<!DOCTYPE html><html><body>Welcome</body></html>";
const key = Keypair.generate().publicKey;
const many = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

describe("calls to RPC servers", () => {
  let closing: (() => Promise<unknown>)[];

  beforeEach(() => {
    closing = [];
  });

  afterEach(async () => {
    for (const close of closing.reverse()) await close();
  });

  async function serve(options: Partial<RpcServerOptions> = {}): Promise<RpcServer> {
    const server = await RpcServer.start(options);
    closing.push(() => server.close());
    return server;
  }

  function reach(servers: readonly RpcServer[], more: Partial<RpcOptions> = {}): Connection {
    const ending = new AbortController();
    closing.push(() => {
      ending.abort();
      return Promise.resolve();
    });
    return connect({
      rpcUrls: servers.map(({ url }) => url),
      timeoutMs: 2_000,
      signal: ending.signal,
      ...more,
    });
  }

  it("go first whose time is up first, whoever came first", async () => {
    const limiter = new Limiter({ perSecond: 1_000, atOnce: 1 });
    const order: number[] = [];
    const dues = [50, 30, 40, 10, 20];
    await Promise.all(
      dues.map((due) =>
        limiter.run(() => {
          order.push(due);
          return Promise.resolve();
        }, due),
      ),
    );
    // The first found nobody before it.
    expect(order).to.deep.equal([50, 10, 20, 30, 40]);
  });

  it("go by the window of the duty that makes them", async () => {
    const server = await serve();
    const connection = reach([server], { perSecond: 20, atOnce: 1 });
    const ask = (ms: number, slot: number): Promise<unknown> =>
      within(ms, () => connection.getBlocks(slot, slot));
    await Promise.all([ask(60_000, 1), ask(50_000, 2), connection.getBlocks(3, 3), ask(100, 4)]);
    expect(server.asked.map(({ params }) => params[0])).to.deep.equal([1, 4, 3, 2]);
  });

  it("are bounded, however many there are: in a second, and at once", async () => {
    const server = await serve({
      spoil: (_asked, response, answer) => {
        setTimeout(() => response.end(JSON.stringify(answer)), 100);
        return true;
      },
    });
    const connection = reach([server], { perSecond: 40, atOnce: 3 });
    await many(60, (index) => connection.getBlocks(index, index));
    expect(server.atOnce).to.equal(3);
    const times = server.asked.map(({ at }) => at);
    const most = Math.max(
      ...times.map((at) => times.filter((one) => one >= at && one < at + 1_000).length),
    );
    expect(most).to.be.at.most(50);
  });

  it("are fewer where the server refuses some, and wait as long as it says; that is not told as a broken network", async () => {
    const server = await serve({ perSecond: 5, retryAfter: 2 });
    const troubles: string[] = [];
    const connection = reach([server], { onTrouble: (message) => troubles.push(message) });
    const asked = await many(12, (index) => connection.getBlocks(index, index));
    expect(asked).to.have.length(12);
    expect(server.refused).to.be.within(1, 8);
    const first = server.asked.findIndex(({ refused }) => refused);
    const until = (server.asked[first]?.at ?? 0) + 1_900;
    const late = server.asked.findIndex(({ at }) => at > until);
    // Those that were on their way already are all that came before that.
    expect(late - first).to.be.at.most(6);
    expect(
      server.asked.slice(first).filter(({ at, refused }) => !refused && at < until),
    ).to.have.length(0);
    for (const message of troubles) {
      expect(message).to.match(/takes no more calls for now/);
      expect(explain(new Error(message)).message).not.to.match(/reached|network/);
    }
  });

  it("of a server that refuses all of them say so in the end", async () => {
    const server = await serve({ perSecond: 0, retryAfter: 0.1 });
    const error = await refusal(reach([server]).getSlot());
    expect(explain(error).message)
      .to.match(/429/)
      .and.not.to.match(/reached|network/);
  });

  it("do not all come again at once where a server is in trouble", async () => {
    let sick = true;
    const server = await serve({
      spoil: (_asked, response) => {
        if (sick) response.writeHead(503).end();
        return sick;
      },
    });
    const connection = reach([server]);
    const asked = Promise.allSettled(
      Array.from({ length: 60 }, (_, index) => connection.getBlocks(index, index)),
    );
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(server.asked.length).to.be.at.most(16);
    sick = false;
    const ended = await asked;
    expect(ended.filter(({ status }) => status === "fulfilled").length).to.be.at.least(45);
  });

  it("are made again, each by itself, where every second answer is a web page", async () => {
    let turn = 0;
    const server = await serve({
      spoil: (_asked, response) => {
        turn += 1;
        if (turn % 2 === 1) response.end(HTML);
        return turn % 2 === 1;
      },
    });
    const connection = reach([server]);
    expect(await many(10, (index) => connection.getBlocks(index, index))).to.have.length(10);
    expect(server.asked.length).to.be.at.most(21);
  });

  it("are no answer where it is cut off, another's, of an older slot than was asked for, or too short", async () => {
    const spoils: readonly ((answer: Record<string, unknown>) => string)[] = [
      (answer) => JSON.stringify(answer).slice(0, -20),
      (answer) => JSON.stringify({ ...answer, id: "another" }),
      (answer) => JSON.stringify({ ...answer, result: null }),
      (answer) => JSON.stringify({ ...answer, result: { context: { slot: 1 }, value: [] } }),
      (answer) => JSON.stringify({ ...answer, result: { context: { slot: 0 }, value: [null] } }),
    ];
    for (const spoil of spoils) {
      const server = await serve({
        spoil: (_asked, response, answer) => {
          const first = server.asked.length === 1;
          if (first) response.end(spoil(answer));
          return first;
        },
      });
      const found = await reach([server]).getMultipleAccountsInfo([key], { minContextSlot: 1 });
      expect(found).to.deep.equal([null]);
      expect(server.asked).to.have.length(2);
    }
  });

  it("read no more of an endless answer than the longest has", async () => {
    let sent = 0;
    const part = Buffer.alloc(1_048_576, " ");
    const server = await serve({
      spoil: (_asked, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(part)) sent += part.length;
          sent += part.length;
        };
        response.on("drain", more);
        more();
        return true;
      },
    });
    const before = process.memoryUsage().rss;
    const error = await refusal(reach([server], { timeoutMs: 10_000 }).getSlot());
    expect(String(error)).to.match(/over 16777216 bytes/);
    expect(sent / server.asked.length).to.be.below(40_000_000);
    expect(process.memoryUsage().rss - before).to.be.below(150_000_000);
  });

  it("ask once for what many need", async () => {
    const server = await serve();
    const connection = reach([server]);
    const signatures = await many(300, () =>
      Promise.resolve(Keypair.generate().publicKey.toBase58()),
    );
    const statuses = await many(300, (index) =>
      connection.getSignatureStatus(signatures[index] ?? ""),
    );
    expect(statuses.every(({ value }) => value === null)).to.be.true;
    expect(server.count("getSignatureStatuses")).to.equal(2);
    await many(20, () => connection.getLatestBlockhashAndContext("confirmed"));
    await many(20, () => connection.getEpochInfo("finalized"));
    expect([server.count("getLatestBlockhash"), server.count("getEpochInfo")]).to.deep.equal([
      1, 1,
    ]);
  });

  it("give each who asks the status of its own transaction", async () => {
    const chain = EmbeddedChain.start();
    const server = await serve({ answer: chainAnswers(chain) });
    const connection = reach([server]);
    const payer = Keypair.generate();
    await chain.fund(payer.publicKey, 1_000_000_000n);
    const pay = (lamports: number): Promise<string> =>
      chain
        .send(
          new Transaction().add(
            SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: key, lamports }),
          ),
          [payer],
        )
        .then(({ signature }) => signature);
    const landed = [await pay(1_000_000), await pay(2_000_000)];
    const unknown = Keypair.generate().publicKey.toBase58();
    const asked = [landed[0] ?? "", unknown, landed[1] ?? ""];
    const statuses = await many(3, (index) => connection.getSignatureStatus(asked[index] ?? ""));
    expect(statuses.map(({ value }) => value?.confirmationStatus)).to.deep.equal([
      "finalized",
      undefined,
      "finalized",
    ]);
  });

  describe("where there are two", () => {
    it("go to the other when one gives no answer", async () => {
      const [dead, well] = [await serve(), await serve()];
      const connection = reach([dead, well]);
      expect(await connection.getSlot()).to.equal(1);
      const before = well.asked.length;
      await dead.close();
      closing.splice(0, 1);
      expect(await many(5, (index) => connection.getBlocks(1, 1 + index))).to.have.length(5);
      expect(well.asked.length).to.be.at.least(before + 5);
    });

    it("go to the one that is further, and how far the other is behind is told", async () => {
      const ahead = EmbeddedChain.start();
      await ahead.waitForSlot(1_000n);
      const [behind, further] = [await serve(), await serve({ answer: chainAnswers(ahead) })];
      const told: string[] = [];
      const connection = reach([behind, further], {
        onDisagreement: (message) => told.push(message),
      });
      expect(await connection.getSlot()).to.equal(1_000);
      expect(told).to.have.length(1);
      expect(told[0]).to.match(/ is at slot 1, 999 behind /);
    });

    it("never go to one of another chain than the first", async () => {
      const [own, other] = [
        await serve(),
        await serve({ answer: chainAnswers(EmbeddedChain.start(), key.toBase58()) }),
      ];
      const told: string[] = [];
      const connection = reach([own, other], { onDisagreement: (message) => told.push(message) });
      await many(5, (index) => connection.getBlocks(1, 1 + index));
      expect(other.count("getBlocks")).to.equal(0);
      expect(told).to.have.length(1);
      expect(told[0]).to.contain(key.toBase58());
    });

    it("bring a transaction to both", async () => {
      const [a, b] = [await serve(), await serve()];
      const connection = reach([a, b]);
      await connection
        .sendRawTransaction(Buffer.from([1]), { skipPreflight: true })
        .catch(() => "");
      expect([a.count("sendTransaction"), b.count("sendTransaction")]).to.deep.equal([1, 1]);
    });
  });
});
