import type { Node } from "@securing-tasks/client";
import { SIGNATURE_HEADER, SLOT_HEADER, signAnswer } from "@securing-tasks/sandbox/core";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { RULES } from "../../../tests/utils/games";
import { AUDITOR_HEADER, Auditors, auditorHeader } from "../src/core/auditors";
import { AHEAD_SLOTS } from "../src/core/clock";
import type { DoerOptions } from "../src/core/doer";
import { Doer } from "../src/core/doer";
import { Follower } from "../src/core/follower";
import { Lane } from "../src/core/lane";
import { Signer } from "../src/core/signer";

const MINUTE = 60_000;

describe("a node that hears of no slot for long", () => {
  /** What {@link performance} says, and what the chain says. */
  let now: number;
  let chain: bigint;
  let asked: number;
  let isDown: boolean;
  let ending: AbortController;
  let follower: Follower;
  /** Tells this node of a slot, over a subscription. */
  let tell: (slot: bigint) => Promise<void>;
  const real = performance.now.bind(performance);

  beforeEach(() => {
    now = 1_000;
    performance.now = () => now;
    [chain, asked, isDown] = [10_000n, 0, false];
    ending = new AbortController();
    const news: object[] = [];
    let more: () => void = () => undefined;
    async function* subscribe(): AsyncGenerator {
      for (;;) {
        await new Promise<void>((resolve) => (more = resolve));
        yield* news.splice(0);
      }
    }
    tell = async (slot) => {
      news.push({ context: { slot: Number(slot) } });
      more();
      await new Promise((resolve) => setImmediate(resolve));
    };
    follower = new Follower({
      connection: {
        getSlot: () => {
          asked += 1;
          return isDown ? Promise.reject(new Error("It is down.")) : Promise.resolve(Number(chain));
        },
      },
      wsUrl: "ws://127.0.0.1:9",
      subscribe,
      subscriptions: [{ method: "accountSubscribe", params: [], hear: () => false }],
      pollMs: () => MINUTE,
      onWake: () => undefined,
      onGap: () => undefined,
      onTrouble: () => undefined,
      signal: ending.signal,
    });
    follower.start();
    follower.clock.hear(chain);
  });
  afterEach(() => {
    performance.now = real;
    ending.abort();
  });

  /** Time passes, and the chain goes on at this pace, unheard. */
  const pass = (ms: number, msPerSlot: number): void => {
    now += ms;
    chain += BigInt(Math.floor(ms / msPerSlot));
  };
  const PACES = { "as fast as before": 400, "slower by half": 600, "faster by a fourth": 300 };
  const keys = [Keypair.generate(), Keypair.generate(), Keypair.generate()] as const;
  const [operator, { publicKey: task }, { publicKey: owner }] = keys;

  const signer = (): Signer =>
    new Signer({
      task,
      owner,
      operator,
      follower,
      store: {
        submitted: () => ({
          round: 7n,
          hash: "ab".repeat(32),
          payload: Buffer.from(JSON.stringify({ operator: operator.publicKey.toBase58() })),
          submission: "submission",
          slot: 9_000n,
          seed: "04".repeat(32),
        }),
      },
    });
  const exchange = { method: "GET", path: "/task", body: "", status: 200, answer: "yes" };

  const auditors = (): Auditors =>
    new Auditors({
      asked: { task: task.toBase58(), worker: owner.toBase58() },
      rules: RULES,
      nodes: () => {
        const node = { role: "witness", stake: RULES.witnessMinStake };
        return Promise.resolve([{ ...node, operator: operator.publicKey } as Node]);
      },
      follower,
    });
  const question = { method: "GET", path: "/payload" };
  const whoAsks = (slot: bigint, by = operator, one = auditors()): Promise<string | null> => {
    const asking = { task: task.toBase58(), worker: owner.toBase58(), ...question };
    return one.whoAsks(auditorHeader(by, asking, slot)[AUDITOR_HEADER] ?? "", question);
  };

  for (const [pace, msPerSlot] of Object.entries(PACES)) {
    it(`signs its answers for the slot of now, on a chain ${pace}`, async () => {
      pass(30 * MINUTE, msPerSlot);
      const signing = await signer().pick(undefined);
      expect(signing?.askedSlot).to.equal(chain);
      if (!signing) throw new Error("Nothing is signed.");
      const headers = signer().headers(signing, exchange);
      expect(headers[SLOT_HEADER]).to.equal(chain.toString());
      const what = {
        ...{ task: task.toBase58(), submission: "submission", owner: owner.toBase58() },
        ...{ round: 7, roundSeed: "04".repeat(32), payloadHash: "ab".repeat(32) },
      };
      expect(headers[SIGNATURE_HEADER]).to.equal(
        signAnswer(operator.secretKey, what, { ...exchange, slot: Number(chain) }),
      );
    });

    it(`knows who asks by the slot of now, on a chain ${pace}`, async () => {
      pass(30 * MINUTE, msPerSlot);
      expect(await whoAsks(chain)).to.equal(operator.publicKey.toBase58());
      expect(await whoAsks(chain - 150n)).to.equal(operator.publicKey.toBase58());
      expect(await whoAsks(chain - 151n)).to.equal(null);
      expect(await whoAsks(chain + 151n)).to.equal(null);
    });
  }

  it("asks the chain for no stranger, and once for all who ask at once", async () => {
    pass(30 * MINUTE, 400);
    const one = auditors();
    for (const slot of [chain, 1n]) {
      expect(await whoAsks(slot, Keypair.generate(), one)).to.equal(null);
    }
    expect(asked).to.equal(0);
    const all = Array.from({ length: 20 }, () => whoAsks(chain, operator, one));
    expect(new Set(await Promise.all([...all, ...all]))).to.deep.equal(
      new Set([operator.publicKey.toBase58()]),
    );
    expect(asked).to.equal(1);
    // And again a while later.
    pass(MINUTE, 400);
    await whoAsks(chain, operator, one);
    expect(asked).to.equal(2);
  });

  it("that can't ask signs for what it knows, and knows others by its guess", async () => {
    isDown = true;
    pass(10 * MINUTE, 400);
    expect((await signer().pick(undefined))?.askedSlot).to.equal(10_000n);
    expect(await whoAsks(chain)).to.equal(operator.publicKey.toBase58());
    expect(await whoAsks(10_000n)).to.equal(null);
  });

  it("believes no slot that is further ahead than time allows", async () => {
    await tell(10_000n + AHEAD_SLOTS + 1n);
    expect(follower.known).to.equal(10_000n);
    await tell(2n ** 50n);
    expect(follower.known).to.equal(10_000n);
    await tell(10_000n + AHEAD_SLOTS);
    expect(follower.known).to.equal(10_000n + AHEAD_SLOTS);
    // What may have passed since.
    const { known } = follower;
    now += 10 * MINUTE;
    await tell(known + 1_500n + AHEAD_SLOTS + 1n);
    expect(follower.known).to.equal(known);
    await tell(known + 1_500n + AHEAD_SLOTS);
    expect(follower.known).to.equal(known + 1_500n + AHEAD_SLOTS);
  });

  it("gives nothing up as too late by a guess, and what is too late by what it heard", async () => {
    const doer = new Doer({ follower, signal: ending.signal } as unknown as DoerOptions);
    const own = doer as unknown as {
      inTurn(lane: Lane, until: bigint, act: () => Promise<string>): Promise<unknown>;
    };
    const turn = (): Promise<unknown> =>
      own.inTurn(new Lane(1, 1), 10_100n, () => Promise.resolve("done"));
    // The chain stands still.
    now += 10 * MINUTE;
    expect(follower.slot > 10_100n).to.equal(true);
    expect(await turn()).to.equal("done");
    await tell(10_099n);
    expect(await turn()).to.equal("done");
    await tell(10_100n);
    expect(await turn()).to.equal(null);
  });
});
