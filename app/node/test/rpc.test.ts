import { explain } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { RpcOptions } from "../src/host/rpc";
import { connect } from "../src/host/rpc";
import type { Connection } from "@solana/web3.js";
import { Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import { pause } from "../src/core/sender";
import { refusal } from "../../../tests/utils/refusal";
import type { Answer, RpcServerOptions } from "../../../tests/utils/rpc_server";
import { RpcServer, chainAnswers } from "../../../tests/utils/rpc_server";
import { within } from "../src/host/urgency";

const SIGNATURE = "1".repeat(64);
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

  it("are no answer where it is cut off, another's, of an older slot than was asked for, too short, or of another shape", async () => {
    const slot = { slot: 1 };
    const spoils: readonly ((answer: Answer) => string)[] = [
      (answer) => JSON.stringify(answer).slice(0, -20),
      (answer) => JSON.stringify({ ...answer, id: "another" }),
      (answer) => JSON.stringify([answer]),
      () => "null",
      (answer) => JSON.stringify({ ...answer, result: null }),
      (answer) => JSON.stringify({ ...answer, result: undefined }),
      (answer) => JSON.stringify({ ...answer, result: undefined, error: "busy" }),
      (answer) => JSON.stringify({ ...answer, result: "well" }),
      (answer) => JSON.stringify({ ...answer, result: { context: slot, value: null } }),
      (answer) => JSON.stringify({ ...answer, result: { context: slot, value: [] } }),
      (answer) => JSON.stringify({ ...answer, result: { context: slot, value: [{}] } }),
      (answer) => JSON.stringify({ ...answer, result: { value: [null] } }),
      (answer) => JSON.stringify({ ...answer, result: { context: { slot: 0 }, value: [null] } }),
      ({ id }) => JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_016, message: "late" } }),
      ({ id }) => JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_603, message: "ill" } }),
    ];
    for (const [index, spoil] of spoils.entries()) {
      const server = await serve({
        spoil: (_asked, response, answer) => {
          const first = server.asked.length === 1;
          if (first) response.end(spoil(answer));
          return first;
        },
      });
      const found = await reach([server]).getMultipleAccountsInfo([key], { minContextSlot: 1 });
      expect(found, String(index)).to.deep.equal([null]);
      expect(server.asked, String(index)).to.have.length(2);
    }
  });

  it("are not believed where one is of a slot that there can't be by now, and are where all are", async () => {
    const chain = EmbeddedChain.start();
    await chain.waitForSlot(5n);
    let ahead = 0;
    const server = await serve({
      answer: chainAnswers(chain),
      spoil: ({ method }, response, answer) => {
        const { result } = answer as { result: { context?: object } };
        if (ahead === 0 || method === "getBlocks") return false;
        ahead -= 1;
        const far = method === "getSlot" ? 9e15 : { ...result, context: { slot: 9e15 } };
        response.end(JSON.stringify({ ...answer, result: far }));
        return true;
      },
    });
    const connection = reach([server]);
    expect(await connection.getSlot()).to.equal(5);
    ahead = 1;
    expect(await connection.getSlot()).to.equal(5);
    ahead = 2;
    const { context } = await connection.getMultipleAccountsInfoAndContext([key]);
    expect(context.slot).to.equal(5);
    ahead = 3;
    expect(await connection.getSlot()).to.equal(9e15);
    // Back again at once.
    expect(await connection.getSlot()).to.equal(5);
  });

  it("of every kind are made again where the answer is nothing, and say so in the end", async () => {
    let nothing = true;
    const server = await serve({
      spoil: (_asked, response, { id }) => {
        if (nothing) response.end(JSON.stringify({ jsonrpc: "2.0", id, result: null }));
        return nothing;
      },
    });
    const connection = reach([server], { perSecond: 1_000 });
    const asks: readonly (() => Promise<unknown>)[] = [
      () => connection.getSlot(),
      () => connection.getGenesisHash(),
      () => connection.getEpochInfo(),
      () => connection.getLatestBlockhash(),
      () => connection.getAccountInfo(key),
      () => connection.getProgramAccounts(key),
      () => connection.getSignatureStatus(SIGNATURE),
      () => connection.getBlocks(1, 2),
    ];
    const refused = await Promise.all(asks.map((ask) => refusal(ask())));
    for (const { message } of refused) expect(message).to.match(/gave no answer to get\w+: result/);
    nothing = false;
    await Promise.all(asks.map((ask) => ask()));
  });

  it("give answers that are errors to who asked, at once", async () => {
    const error = { code: -32_602, message: "wrong" };
    const server = await serve({ answer: () => ({ error }) });
    expect((await refusal(reach([server]).getSlot())).message).to.match(/wrong/);
    expect(server.asked).to.have.length(1);
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

  it("ask once for accounts that many need, and give each its own", async () => {
    const chain = EmbeddedChain.start();
    const [rich, poor, none] = [1, 2, 3].map(() => Keypair.generate().publicKey);
    if (!rich || !poor || !none) throw new Error("Keys are missing.");
    await chain.fund(rich, 3_000_000n);
    await chain.fund(poor, 2_000_000n);
    const server = await serve({ answer: chainAnswers(chain) });
    const connection = reach([server]);
    const infos = await Promise.all(
      [rich, none, poor].map((one) => connection.getAccountInfo(one)),
    );
    expect(infos.map((info) => info?.lamports)).to.deep.equal([3_000_000, undefined, 2_000_000]);
    await many(150, () => connection.getAccountInfo(Keypair.generate().publicKey));
    expect(server.asked).to.have.length(3);
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

    it("tell no slot of another chain, nor of a server that is only compared", async () => {
      const far = EmbeddedChain.start();
      await far.waitForSlot(5_000n);
      const [own, other] = [
        await serve(),
        await serve({ answer: chainAnswers(far, key.toBase58()) }),
      ];
      const slots: bigint[] = [];
      const connection = reach([own, other], { onSlot: (slot) => slots.push(slot) });
      await connection.getBlocks(1, 1);
      await connection.getSlot();
      expect(slots.filter((slot) => slot >= 100n)).to.deep.equal([]);
      expect(slots).to.have.length.greaterThan(0);
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

    it("never go to one of another chain while all others are gone, and go on when one is back", async () => {
      const [own, other] = [
        await serve(),
        await serve({ answer: chainAnswers(EmbeddedChain.start(), key.toBase58()) }),
      ];
      const connection = reach([own, other]);
      await connection.getBlocks(1, 1);
      const { url } = own;
      await own.close();
      closing.splice(0, 1);
      const asked = refusal(connection.getBlocks(1, 2));
      await refusal(connection.sendRawTransaction(Buffer.from([1]), { skipPreflight: true }));
      expect((await asked).message).to.match(/gives no answer/);
      expect([other.count("getBlocks"), other.count("sendTransaction")]).to.deep.equal([0, 0]);
      const back = await serve({ port: Number(new URL(url).port) });
      await connection.getBlocks(1, 3);
      expect(back.count("getBlocks")).to.equal(1);
      expect(other.count("getBlocks")).to.equal(0);
    });

    it("go to the other while one takes none, also those that wait already", async () => {
      const busy = await serve({
        spoil: ({ method }, response) => {
          if (method !== "getBlocks") return false;
          response.writeHead(429, { "retry-after": "20" }).end();
          return true;
        },
      });
      const well = await serve();
      const connection = reach([busy, well]);
      const began = performance.now();
      await many(10, (index) => connection.getBlocks(1, index + 1));
      await many(10, (index) => connection.getBlocks(1, index + 1));
      expect(well.count("getBlocks")).to.equal(20);
      expect(busy.count("getBlocks")).to.be.within(1, 10);
      expect(performance.now() - began).to.be.below(15_000);
    });

    it("go to the other where one answers with nothing of use", async () => {
      const bad = await serve({
        spoil: (_asked, response) => {
          response.end(HTML);
          return true;
        },
      });
      const connection = reach([bad, await serve()]);
      expect(await many(10, (index) => connection.getBlocks(1, index + 1))).to.have.length(10);
      expect(bad.count("getBlocks")).to.equal(0);
    });

    it("end with an error where both are dead", async () => {
      const [a, b] = [await serve(), await serve()];
      const connection = reach([a, b]);
      await Promise.all([a.close(), b.close()]);
      closing.splice(0, 2);
      const error = await refusal(connection.getSlot());
      expect(explain(error).message).to.match(/reached|network/);
      await refusal(connection.sendRawTransaction(Buffer.from([1]), { skipPreflight: true }));
    });

    it("bring a transaction to both", async () => {
      const [a, b] = [await serve(), await serve()];
      const connection = reach([a, b]);
      await connection
        .sendRawTransaction(Buffer.from([1]), { skipPreflight: true })
        .catch(() => "");
      // The first answer is enough: the other server may be asked a little later.
      while (a.count("sendTransaction") + b.count("sendTransaction") < 2) await pause(5);
      expect([a.count("sendTransaction"), b.count("sendTransaction")]).to.deep.equal([1, 1]);
    });
  });
});
