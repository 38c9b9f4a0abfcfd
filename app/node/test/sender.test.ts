import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { SendStep, SenderOptions } from "@securing-tasks/node";
import { Sender, Stopped, Store } from "@securing-tasks/node";
import type { Connection, TransactionInstruction } from "@solana/web3.js";
import {
  ComputeBudgetInstruction,
  ComputeBudgetProgram,
  Keypair,
  SystemProgram,
  Transaction,
} from "@solana/web3.js";
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refusal } from "../../../tests/utils/refusal";

const GIFT = 1_000_000n;

describe("sending", () => {
  let folder: string;
  let store: Store;
  let chain: EmbeddedChain;
  let payer: Keypair;
  let receiver: Keypair;
  let steps: SendStep[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "securing-tasks-sender-"));
    store = new Store(folder);
    chain = EmbeddedChain.start();
    payer = Keypair.generate();
    receiver = Keypair.generate();
    steps = [];
    await chain.fund(payer.publicKey, 1_000_000_000n);
  });

  afterEach(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });

  const sender = (options: Partial<SenderOptions> = {}): Sender =>
    new Sender({
      connection: chain.connection,
      outbox: store,
      payer,
      pollMs: 2,
      resendMs: 10,
      onStep: (step) => steps.push(step),
      ...options,
    });

  /** A gift: done twice, it would show. */
  const gift = {
    key: "gift",
    instructions: (): Promise<TransactionInstruction[]> =>
      Promise.resolve([
        SystemProgram.transfer({
          fromPubkey: payer.publicKey,
          toPubkey: receiver.publicKey,
          lamports: GIFT,
        }),
      ]),
  };

  const received = (): Promise<number> => chain.connection.getBalance(receiver.publicKey);

  /** The chain's connection with some of its requests replaced. */
  const troubled = (changes: Partial<Connection>): Connection =>
    Object.assign(Object.create(chain.connection) as Connection, changes);

  /** A process that is killed at some point of sending leaves its letter behind. */
  async function die(connection: Connection): Promise<void> {
    const controller = new AbortController();
    const dead = sender({
      connection,
      signal: controller.signal,
      onStep: () => {
        controller.abort();
      },
    });
    expect(await refusal(dead.send(gift))).to.be.instanceOf(Stopped);
    expect(store.letters()).to.have.length(1);
  }

  it("lands once and leaves nothing in the outbox", async () => {
    const delivery = await sender().send(gift);
    expect(delivery.status).to.equal("landed");
    expect(store.letters()).to.deep.equal([]);
    expect(await received()).to.equal(Number(GIFT));
    expect(steps.map(({ step }) => step)).to.deep.equal(["sent", "landed"]);
  });

  it("asks for the compute that it needs, and pays no more than it may", async () => {
    const sent: Uint8Array[] = [];
    const connection = troubled({
      sendRawTransaction: (raw, options) => {
        sent.push(Uint8Array.from(raw));
        return chain.connection.sendRawTransaction(raw, options);
      },
    });
    await sender({ connection, priorityFee: 5_000n }).send(gift);
    const fees = { priorityFee: 10_000_000_000n, maxFeeLamports: 2_000n };
    await sender({ connection, ...fees }).send(gift);
    await sender({ connection, ...fees, computeUnitLimit: 20_000 }).send(gift);
    const budgets = sent.map((raw) => {
      const [limit, price] = Transaction.from(raw).instructions.filter(({ programId }) =>
        programId.equals(ComputeBudgetProgram.programId),
      );
      if (!limit || !price) throw new Error("A budget is missing.");
      return [
        ComputeBudgetInstruction.decodeSetComputeUnitLimit(limit).units,
        Number(ComputeBudgetInstruction.decodeSetComputeUnitPrice(price).microLamports),
      ];
    });
    const [first, second, third] = budgets;
    expect(first?.[0]).to.be.within(450, 2_000);
    expect(first?.[1]).to.equal(5_000);
    expect(Math.round(((second?.[0] ?? 0) * (second?.[1] ?? 0)) / 1_000_000)).to.equal(2_000);
    expect(third).to.deep.equal([20_000, 100_000]);
  });

  it("does not send what the chain would refuse, and says why", async () => {
    const poor = { ...gift, instructions: () => tooMuch() };
    const tooMuch = (): Promise<TransactionInstruction[]> =>
      Promise.resolve([
        SystemProgram.transfer({
          fromPubkey: payer.publicKey,
          toPubkey: receiver.publicKey,
          lamports: 5_000_000_000n,
        }),
      ]);
    for (const options of [{}, { computeUnitLimit: 1_000 }]) {
      const delivery = await sender(options).send(poor);
      expect(delivery.status).to.equal("refused");
      if (delivery.status === "refused") {
        expect(delivery.explanation.message).to.match(/has not enough SOL/);
      }
      expect(store.letters()).to.deep.equal([]);
    }
    expect(await chain.connection.getBalance(payer.publicKey)).to.equal(1_000_000_000);
  });

  it("killed before it sent anything, sends the same bytes at the next start", async () => {
    await die(
      troubled({ sendRawTransaction: () => Promise.reject(new Error("fetch failed: killed")) }),
    );
    expect(await received()).to.equal(0);
    const [letter] = store.letters();
    const settled = await sender().settleAll();
    const delivery = settled.get("gift");
    expect(delivery?.status === "landed" && delivery.signature).to.equal(letter?.signature);
    expect(await received()).to.equal(Number(GIFT));
  });

  it("killed after it sent, finds that it landed, and does not send again", async () => {
    await die(chain.connection);
    expect(await received()).to.equal(Number(GIFT));
    const settled = await sender().settleAll();
    expect(settled.get("gift")?.status).to.equal("landed");
    expect(steps.map(({ step }) => step)).to.deep.equal(["landed"]);
    expect(await received()).to.equal(Number(GIFT));
    expect(store.letters()).to.deep.equal([]);
  });

  it("brings what an earlier process left to its end before it makes anything new", async () => {
    await die(
      troubled({ sendRawTransaction: () => Promise.reject(new Error("fetch failed: killed")) }),
    );
    const [letter] = store.letters();
    const delivery = await sender().send(gift);
    expect(delivery.status === "landed" && delivery.signature).to.equal(letter?.signature);
    expect(await received()).to.equal(Number(GIFT));
  });

  it("makes a new transaction only when the old one can't land any more", async () => {
    await die(
      troubled({ sendRawTransaction: () => Promise.reject(new Error("fetch failed: killed")) }),
    );
    const [letter] = store.letters();
    await chain.waitForSlot(200n);
    const silent = troubled({ sendRawTransaction: () => Promise.resolve("") });
    expect((await sender({ connection: silent }).settleAll()).get("gift")).to.deep.equal({
      status: "expired",
    });
    expect(await received()).to.equal(0);
    const delivery = await sender().send(gift);
    expect(delivery.status).to.equal("landed");
    expect(delivery.status === "landed" && delivery.signature).not.to.equal(letter?.signature);
    expect(await received()).to.equal(Number(GIFT));
  });

  it("takes nothing for expired that a server behind the others can't know yet", async () => {
    await die(
      troubled({ sendRawTransaction: () => Promise.reject(new Error("fetch failed: killed")) }),
    );
    await chain.waitForSlot(200n);
    let asked = 0;
    const behind = troubled({
      sendRawTransaction: () => Promise.resolve(""),
      getSignatureStatus: (signature, options) => {
        asked += 1;
        return chain.connection
          .getSignatureStatus(signature, options)
          .then(({ value }) => ({ context: { slot: 0 }, value }));
      },
    });
    const controller = new AbortController();
    const waiting = sender({ connection: behind, signal: controller.signal }).settleAll();
    while (asked < 5) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect(await refusal(waiting)).to.be.instanceOf(Stopped);
    expect(store.letters()).to.have.length(1);
  });

  it("waits out a server in trouble with the same bytes, and an answer that got lost is no second gift", async () => {
    let turns = 0;
    const bytes = new Set<string>();
    const fail = (): Promise<never> => Promise.reject(new Error("fetch failed: ECONNREFUSED"));
    const connection = troubled({
      sendRawTransaction: async (raw, options) => {
        turns += 1;
        bytes.add(Buffer.from(raw).toString("hex"));
        if (turns < 3) return fail();
        await chain.connection.sendRawTransaction(raw, options);
        return fail();
      },
      getSignatureStatus: (signature, options) =>
        turns === 2
          ? fail().finally(() => (turns += 1))
          : chain.connection.getSignatureStatus(signature, options),
    });
    expect((await sender({ connection }).send(gift)).status).to.equal("landed");
    expect(bytes.size).to.equal(1);
    expect(await received()).to.equal(Number(GIFT));
    expect(steps.filter(({ step }) => step === "trouble").length).to.be.at.least(3);
  });

  it("is one transaction for two calls at once", async () => {
    const one = sender();
    const [a, b] = await Promise.all([one.send(gift), one.send(gift)]);
    expect(a).to.deep.equal(b);
    expect(await received()).to.equal(Number(GIFT));
  });

  it("tells why a transaction failed in its block", async () => {
    const rival = Keypair.generate();
    const connection = troubled({
      sendRawTransaction: async (raw, options) => {
        // Between check and block, the money went elsewhere.
        const drain = SystemProgram.transfer({
          fromPubkey: payer.publicKey,
          toPubkey: rival.publicKey,
          lamports: 998_900_000n,
        });
        await chain.send(new Transaction().add(drain), [payer]);
        return chain.connection.sendRawTransaction(raw, { ...options, skipPreflight: true });
      },
    });
    const delivery = await sender({ connection }).send({
      ...gift,
      instructions: () =>
        Promise.resolve([
          SystemProgram.transfer({
            fromPubkey: payer.publicKey,
            toPubkey: receiver.publicKey,
            lamports: 2_000_000n,
          }),
        ]),
    });
    expect(delivery.status).to.equal("refused");
    expect(steps.map(({ step }) => step)).to.deep.equal(["sent", "failed"]);
    expect(store.letters()).to.deep.equal([]);
  });

  describe("what is urgent, and leaders don't take", () => {
    const priceOf = (raw: Uint8Array): number =>
      Transaction.from(raw)
        .instructions.filter(({ programId }) => programId.equals(ComputeBudgetProgram.programId))
        .filter(
          (one) => ComputeBudgetInstruction.decodeInstructionType(one) !== "SetComputeUnitLimit",
        )
        .map((one) => Number(ComputeBudgetInstruction.decodeSetComputeUnitPrice(one).microLamports))
        .reduce((a, b) => a + b, 0);

    /** Takes what pays this much, and loses the rest. */
    const dear = (least: number, prices: Set<number>, asked = 0): Connection =>
      troubled({
        getRecentPrioritizationFees: () => Promise.resolve([{ slot: 1, prioritizationFee: asked }]),
        sendRawTransaction: (raw, options) => {
          const bytes = Uint8Array.from(raw);
          prices.add(priceOf(bytes));
          return priceOf(bytes) < least
            ? Promise.resolve("")
            : chain.connection.sendRawTransaction(raw, options);
        },
      });
    const kinds = (): readonly string[] => steps.map(({ step }) => step);

    it("is told within seconds, costs what the chain asks now, and is done once", async () => {
      const prices = new Set<number>();
      const connection = dear(7_000, prices, 7_000);
      const delivery = await sender({ connection, raiseMs: 20 }).send({ ...gift, urgent: true });
      expect(delivery.status).to.equal("landed");
      expect([...prices]).to.deep.equal([0, 7_000]);
      const told = kinds().filter((step) => step !== "resent");
      expect(told).to.deep.equal(["sent", "late", "raised", "landed"]);
      expect(await received()).to.equal(Number(GIFT));
      expect(store.letters()).to.deep.equal([]);
    });

    it("costs twice as much each time, and never more than it may", async () => {
      const prices = new Set<number>();
      const options = { raiseMs: 20, maxFeeLamports: 10n, computeUnitLimit: 1_000 };
      const controller = new AbortController();
      const waiting = sender({
        ...options,
        connection: dear(Infinity, prices),
        priorityFee: 3_000n,
        signal: controller.signal,
      }).send({ ...gift, urgent: true });
      while (kinds().filter((step) => step === "late").length < 5) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      controller.abort();
      expect(await refusal(waiting)).to.be.instanceOf(Stopped);
      expect([...prices]).to.deep.equal([3_000, 6_000, 10_000]);
      // The next process finds them all.
      expect(store.letters()).to.have.length(3);
      await chain.waitForSlot(200n);
      const lost = troubled({ sendRawTransaction: () => Promise.resolve("") });
      const settled = await sender({ connection: lost }).settleAll();
      expect([...settled.values()].map(({ status }) => status)).to.deep.equal(
        Array<string>(3).fill("expired"),
      );
    });

    it("stays as it is where it is not urgent: done twice, it would be two", async () => {
      const prices = new Set<number>();
      const controller = new AbortController();
      const connection = dear(1, prices);
      const waiting = sender({ connection, raiseMs: 5, signal: controller.signal }).send(gift);
      while (kinds().length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
      controller.abort();
      expect(await refusal(waiting)).to.be.instanceOf(Stopped);
      expect([...prices]).to.deep.equal([0]);
      expect(new Set(kinds())).to.deep.equal(new Set(["sent", "resent"]));
    });
  });

  it("takes a server that does not know its own blockhash for no refusal", async () => {
    let asked = 0;
    const simulating = (err: (asked: number) => string | null): Connection => {
      const { connection } = chain;
      return new Proxy(connection, {
        get: (target, name) => {
          const value = Reflect.get(target, name) as unknown;
          if (name !== "simulateTransaction" || typeof value !== "function") return value;
          return async (...given: unknown[]) => {
            asked += 1;
            const found = (await value.apply(target, given)) as { value: object };
            const failure = err(asked);
            return failure === null
              ? found
              : { ...found, value: { ...found.value, err: failure, logs: [] } };
          };
        },
      });
    };
    const connection = simulating((count) => (count < 4 ? "BlockhashNotFound" : null));
    expect((await sender({ connection }).send(gift)).status).to.equal("landed");
    expect(asked).to.equal(4);
    const never = simulating(() => "BlockhashNotFound");
    expect(
      String(await refusal(sender({ connection: never }).send({ ...gift, key: "b" }))),
    ).to.match(/does not know the blockhashes that it gives/);
  });
});
