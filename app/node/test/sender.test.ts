import { ArgumentError } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { Delivery, Errand, Letter, SendStep, SenderOptions } from "@securing-tasks/node";
import { Sender, Stopped, Store } from "@securing-tasks/node";
import type { Connection, PublicKey, TransactionInstruction } from "@solana/web3.js";
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
import { dueTime, urgency, within } from "../src/host/urgency";
import { refusal } from "../../../tests/utils/refusal";

const GIFT = 1_000_000n;

describe("sending", () => {
  let folder: string;
  let store: Store;
  let chain: EmbeddedChain;
  let payer: Keypair;
  let receiver: Keypair;
  let steps: SendStep[];
  /** Ends with the test: a transaction that nobody takes is sent for as long as the chain stands still. */
  let life: AbortController;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "securing-tasks-sender-"));
    store = new Store(folder);
    chain = EmbeddedChain.start();
    payer = Keypair.generate();
    receiver = Keypair.generate();
    steps = [];
    life = new AbortController();
    await chain.fund(payer.publicKey, 1_000_000_000n);
  });

  afterEach(() => {
    life.abort();
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
      signal: life.signal,
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
      expect([...settled]).to.deep.equal([["gift", { status: "expired" }]]);
      expect(store.letters()).to.deep.equal([]);
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

  describe("what may share a transaction", () => {
    let friends: readonly Keypair[];
    let sent: Set<string>;
    let counting: Connection;

    beforeEach(() => {
      friends = Array.from({ length: 14 }, () => Keypair.generate());
      sent = new Set();
      counting = noting();
    });

    /** Notes what is sent. `before` is called with each new transaction and its number. */
    const noting = (before: (number: number) => Promise<boolean> | boolean = () => true) =>
      troubled({
        sendRawTransaction: async (raw, options) => {
          const bytes = Buffer.from(raw).toString("base64");
          const isNew = !sent.has(bytes);
          sent.add(bytes);
          if (isNew && !(await before(sent.size))) return "";
          return chain.connection.sendRawTransaction(raw, { ...options, skipPreflight: true });
        },
      });

    /** A gift to a friend of this number, from the payer or another. */
    const giftTo = (
      number: number,
      changes: Partial<Errand> = {},
      from = payer,
      lamports = GIFT,
      more: readonly PublicKey[] = [],
    ): Errand => ({
      key: `gift:${number}`,
      shares: "gifts",
      ...(from !== payer && { signers: [from] }),
      instructions: () => {
        const toPubkey = friends[number]?.publicKey ?? payer.publicKey;
        const one = SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey, lamports });
        for (const pubkey of more) one.keys.push({ pubkey, isSigner: false, isWritable: false });
        return Promise.resolve([one]);
      },
      ...changes,
    });
    const gifts = (count: number, changes: Partial<Errand> = {}): Errand[] =>
      Array.from({ length: count }, (_, number) => giftTo(number, changes));
    const balances = (count: number): Promise<number[]> =>
      Promise.all(
        friends.slice(0, count).map(({ publicKey }) => chain.connection.getBalance(publicKey)),
      );
    const statuses = (deliveries: readonly Delivery[]): string[] =>
      deliveries.map(({ status }) => status);
    const all = (count: number): number[] => Array<number>(count).fill(Number(GIFT));
    const limitOf = (raw: string): number => {
      const [limit] = Transaction.from(Buffer.from(raw, "base64")).instructions;
      if (!limit) throw new Error("There is no limit.");
      return ComputeBudgetInstruction.decodeSetComputeUnitLimit(limit).units;
    };

    it("is one transaction, with the compute that all of it needs together", async () => {
      const one = sender({ connection: counting });
      const deliveries = await Promise.all(gifts(5).map((gift) => one.send(gift)));
      expect(statuses(deliveries)).to.deep.equal(Array<string>(5).fill("landed"));
      expect(new Set(deliveries.map((it) => it.status === "landed" && it.signature)).size).to.equal(
        1,
      );
      expect(await balances(5)).to.deep.equal(all(5));
      expect([...sent].map(limitOf)[0]).to.be.within(5 * 150, 2_000);
      expect(sent.size).to.equal(1);
      expect(steps.map(({ step }) => step)).to.deep.equal(["sent", "landed"]);
      expect(store.letters()).to.deep.equal([]);
    });

    const strangers = (): PublicKey[] =>
      Array.from({ length: 8 }, () => Keypair.generate().publicKey);

    it("is as much as a transaction holds, in bytes and in what it logs", async () => {
      const own = Array.from({ length: 14 }, (_, number) =>
        number < 6
          ? giftTo(number, {}, payer, GIFT, strangers())
          : giftTo(number, { shares: "small ones" }),
      );
      const one = sender({ connection: counting });
      await Promise.all(own.map((gift) => one.send(gift)));
      expect(await balances(14)).to.deep.equal(all(14));
      const shapes = [...sent].map((raw) => {
        const bytes = Buffer.from(raw, "base64");
        expect(bytes.length).to.be.at.most(1_232);
        return Transaction.from(bytes).instructions.length - 1;
      });
      // 8 keys of 32 bytes each leave room for three.
      expect(shapes.sort()).to.deep.equal([2, 3, 3, 6]);
    });

    it("is split where the chain refuses it, and what is well lands", async () => {
      const one = sender({ connection: counting });
      const [first, second, third] = gifts(3) as [Errand, Errand, Errand];
      const bad = giftTo(3, {}, payer, 5_000_000_000n);
      const deliveries = await Promise.all(
        [first, bad, second, third].map((gift) => one.send(gift)),
      );
      expect(statuses(deliveries)).to.deep.equal(["landed", "refused", "landed", "landed"]);
      expect(await balances(4)).to.deep.equal([...all(3), 0]);
      expect(sent.size).to.equal(3);
      expect(store.letters()).to.deep.equal([]);
    });

    it("is split where it can't be made, and what can't be made is refused alone", async () => {
      const one = sender({ connection: counting });
      const odd = giftTo(2, {
        instructions: () => Promise.reject(new ArgumentError("send", "uri", "", "shorter")),
      });
      const deliveries = await Promise.all([...gifts(2), odd].map((gift) => one.send(gift)));
      expect(statuses(deliveries)).to.deep.equal(["landed", "landed", "refused"]);
      expect(sent.size).to.equal(1);
    });

    it("is split where it fails in its block, and nothing is done twice", async () => {
      const poor = Keypair.generate();
      await chain.fund(poor.publicKey, 2_000_000n);
      const connection = noting(async (number) => {
        if (number > 1) return true;
        // Between check and block, the money went elsewhere.
        const drain = SystemProgram.transfer({
          fromPubkey: poor.publicKey,
          toPubkey: receiver.publicKey,
          lamports: 2_000_000n,
        });
        await chain.send(new Transaction().add(drain), [payer, poor]);
        return true;
      });
      const one = sender({ connection });
      const own = [...gifts(2), giftTo(2, {}, poor)];
      const deliveries = await Promise.all(own.map((gift) => one.send(gift)));
      expect(statuses(deliveries)).to.deep.equal(["landed", "landed", "refused"]);
      expect(await balances(3)).to.deep.equal([...all(2), 0]);
      // The three together, and two of them alone.
      expect(sent.size).to.equal(3);
      expect(store.letters()).to.deep.equal([]);
    });

    it("shares nothing with what has another word, is more urgent, or owed", async () => {
      const one = sender({ connection: counting });
      const own = [
        giftTo(0),
        giftTo(1, { shares: "others" }),
        giftTo(2, { urgent: true }),
        giftTo(3, { urgent: true, owed: true }),
        { ...gift, key: "alone" },
      ];
      const deliveries = await Promise.all(own.map((each) => one.send(each)));
      expect(statuses(deliveries)).to.deep.equal(Array<string>(5).fill("landed"));
      expect(sent.size).to.equal(5);
    });

    it("is sent alone where all transactions have one limit", async () => {
      const one = sender({ connection: counting, computeUnitLimit: 1_000 });
      await Promise.all(gifts(3).map((each) => one.send(each)));
      expect(sent.size).to.equal(3);
      expect(await balances(3)).to.deep.equal(all(3));
    });

    /** A process that is killed when all of it is in the outbox, and is sent or not. */
    async function dieSharing(
      count: number,
      connection: Connection,
      own = gifts(count),
    ): Promise<Letter> {
      const controller = new AbortController();
      const dead = sender({
        connection,
        signal: controller.signal,
        onStep: () => {
          controller.abort();
        },
      });
      const ends = own.map((each) => refusal(dead.send(each)));
      for (const end of await Promise.all(ends)) expect(end).to.be.instanceOf(Stopped);
      const [letter, ...more] = store.letters();
      if (!letter) throw new Error("There is no letter.");
      expect(more).to.deep.equal([]);
      expect(letter.keys).to.deep.equal(gifts(count).map(({ key }) => key));
      return letter;
    }
    const down = (): Connection =>
      troubled({ sendRawTransaction: () => Promise.reject(new Error("fetch failed: killed")) });

    it("killed before it was sent, lands as it is at the next start, and all know it", async () => {
      const { signature } = await dieSharing(3, down());
      const next = sender({ connection: counting });
      const [settled, again] = await Promise.all([next.settleAll(), next.send(giftTo(1))]);
      expect([...settled.keys()]).to.deep.equal(gifts(3).map(({ key }) => key));
      for (const delivery of [...settled.values(), again]) {
        expect(delivery.status === "landed" && delivery.signature).to.equal(signature);
      }
      expect(await balances(3)).to.deep.equal(all(3));
      expect(steps.filter(({ step }) => step === "landed")).to.have.length(1);
      expect(sent.size).to.equal(1);
      expect(store.letters()).to.deep.equal([]);
    });

    it("killed after it was sent, is found and not sent again, whoever asks", async () => {
      const { signature } = await dieSharing(3, chain.connection);
      const next = sender({ connection: counting });
      const found = await next.send(giftTo(2));
      expect(found.status === "landed" && found.signature).to.equal(signature);
      expect(await balances(3)).to.deep.equal(all(3));
      expect(sent.size).to.equal(0);
      expect(store.letters()).to.deep.equal([]);
    });

    it("killed and too late to land, has expired for all, and is made anew", async () => {
      await dieSharing(2, down());
      await chain.waitForSlot(200n);
      const settled = await sender({ connection: noting(() => false) }).settleAll();
      expect([...settled]).to.deep.equal(gifts(2).map(({ key }) => [key, { status: "expired" }]));
      sent.clear();
      const next = sender({ connection: counting });
      await Promise.all(gifts(2).map((each) => next.send(each)));
      expect(await balances(2)).to.deep.equal(all(2));
      expect(sent.size).to.equal(1);
    });

    it("killed and refused at the next start for one of them, is made anew for the others", async () => {
      const poor = Keypair.generate();
      await chain.fund(poor.publicKey, 2_000_000n);
      const own = [giftTo(0), giftTo(1, {}, poor)];
      await dieSharing(2, down(), own);
      const drain = SystemProgram.transfer({
        fromPubkey: poor.publicKey,
        toPubkey: receiver.publicKey,
        lamports: 2_000_000n,
      });
      await chain.send(new Transaction().add(drain), [payer, poor]);
      const next = sender({ connection: counting });
      const deliveries = await Promise.all(own.map((each) => next.send(each)));
      expect(statuses(deliveries)).to.deep.equal(["landed", "refused"]);
      expect(await balances(2)).to.deep.equal([Number(GIFT), 0]);
      expect(sent.size).to.equal(2);
      expect(store.letters()).to.deep.equal([]);
    });

    it("costs more where it is urgent and leaders don't take it, all of it together", async () => {
      // Of each two transactions the first is lost.
      const connection = noting((number) => number % 2 === 0);
      const one = sender({ connection, raiseMs: 20, resendMs: 1_000_000 });
      const deliveries = await Promise.all(
        gifts(3, { urgent: true }).map((each) => one.send(each)),
      );
      expect(statuses(deliveries)).to.deep.equal(Array<string>(3).fill("landed"));
      expect(sent.size).to.equal(2);
      expect(steps.map(({ step }) => step)).to.include("raised");
      expect(await balances(3)).to.deep.equal(all(3));
      expect(store.letters()).to.deep.equal([]);
    });

    it("is as urgent as the most urgent of it", async () => {
      const dues: number[] = [];
      const connection = troubled({
        getLatestBlockhashAndContext: (commitment) => {
          dues.push(dueTime() - performance.now());
          return chain.connection.getLatestBlockhashAndContext(commitment);
        },
      });
      const one = sender({ connection, urgency });
      await Promise.all([
        within(600_000, () => one.send(giftTo(0, { urgent: true }))),
        within(30_000, () => one.send(giftTo(1, { urgent: true }))),
      ]);
      expect(dues[0]).to.be.below(30_000);
    });

    it("is sent alone where leaders don't take it and its price can't be raised", async () => {
      const priceOf = (raw: Uint8Array | Buffer | number[]): number => {
        const budget = Transaction.from(Buffer.from(raw as Uint8Array)).instructions.find(
          (one) =>
            one.programId.equals(ComputeBudgetProgram.programId) &&
            ComputeBudgetInstruction.decodeInstructionType(one) === "SetComputeUnitPrice",
        );
        if (!budget) return 0;
        const { microLamports } = ComputeBudgetInstruction.decodeSetComputeUnitPrice(budget);
        return Number(microLamports);
      };
      const least = 150_000;
      const connection = troubled({
        getRecentPrioritizationFees: () => Promise.resolve([{ slot: 1, prioritizationFee: least }]),
        sendRawTransaction: (raw, options) =>
          priceOf(raw) < least
            ? Promise.resolve("")
            : chain.connection.sendRawTransaction(raw, { ...options, skipPreflight: true }),
      });
      const one = sender({ connection, raiseMs: 20, maxFeeLamports: 100n });
      const all = await Promise.all(gifts(6, { urgent: true }).map((gift) => one.send(gift)));
      expect(statuses(all)).to.deep.equal(Array<string>(6).fill("landed"));
      expect(await balances(6)).to.deep.equal(Array<number>(6).fill(Number(GIFT)));
    });

    it("left by an earlier process, keeps nobody waiting who is in a hurry", async () => {
      const { raw } = await dieSharing(2, down());
      const lost = Buffer.from(raw).toString("base64");
      const connection = troubled({
        sendRawTransaction: (bytes, options) => {
          if (Buffer.from(bytes).toString("base64") === lost) return Promise.resolve("");
          return counting.sendRawTransaction(bytes, options);
        },
      });
      const controller = new AbortController();
      const next = sender({ connection, raiseMs: 20, signal: controller.signal });
      const settling = refusal(next.settleAll());
      const delivery = await next.send(giftTo(1, { urgent: true }));
      expect(delivery.status).to.equal("landed");
      expect(await balances(2)).to.deep.equal([0, Number(GIFT)]);
      // What it was made with is still on its way.
      expect(store.letters()).to.have.length(1);
      controller.abort();
      expect(await settling).to.be.instanceOf(Stopped);
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
