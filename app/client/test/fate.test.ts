import type { Asked, Fate, Sent } from "@securing-tasks/client";
import { Expired, OutcomeUnknown, explain, fateOf, settle } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { SignatureStatus } from "@solana/web3.js";
import {
  Keypair,
  SolanaJSONRPCError,
  SystemProgram,
  Transaction,
  TransactionMessage,
  VersionedTransaction,
} from "@solana/web3.js";
import { expect } from "chai";
import { dice } from "../../../tests/utils/dice";
import { refusal } from "../../../tests/utils/refusal";

const SIGNATURE = "a transaction";
/** Blocks between a processed and a final one. */
const FINAL = 32;
/** Final blocks that every server remembers. */
const CACHE = 300;
const LIFE = 150;

interface Block {
  readonly slot: number;
  readonly height: number;
}

/** One of the servers behind an address. */
interface Server {
  /** How many slots it is behind. */
  readonly lag: number;
  /** Final blocks whose transactions it can look up; null for one without a history, which says so. */
  readonly history: number | null;
  /** Its newest blocks are of a fork that the others leave: at most so many. */
  readonly fork: number;
}

type Roll = (sides: number) => number;

/**
 * A cluster in which one transaction is on its way: time goes on with every question, slots are skipped, sendings are dropped or arrive late,
 * and each question is answered by any of several servers.
 */
class Cluster implements Asked {
  private readonly blocks: Block[] = [];
  private now = 1_000;
  private height = 900;
  /** Slots in which a copy reaches a leader. */
  private arrivals: number[] = [];
  landed: Block | null = null;
  readonly sent: Sent;

  constructor(
    private readonly roll: Roll,
    private readonly servers: readonly Server[],
    private readonly fails: boolean,
    /** How many of a hundred sendings reach a leader. */
    private readonly arriving: number,
  ) {
    for (let slot = this.now - 400; slot < this.now; slot += 1) {
      this.blocks.push({ slot, height: this.height + slot - this.now });
    }
    const { slot, height } = this.tip(this.now - roll(20));
    this.sent = {
      signature: SIGNATURE,
      lastValidBlockHeight: height + LIFE,
      minSlot: slot,
    };
  }

  pass(slots: number): void {
    for (let count = 0; count < slots; count += 1) {
      this.now += 1;
      if (this.roll(10) === 0) continue;
      this.height += 1;
      const block = { slot: this.now, height: this.height };
      this.blocks.push(block);
      const arrived = this.arrivals.some((slot) => slot <= this.now);
      this.arrivals = this.arrivals.filter((slot) => slot > this.now);
      const lives = this.height <= this.sent.lastValidBlockHeight;
      if (arrived && lives && !this.landed) this.landed = block;
    }
  }

  /** Whether it lands after all, once everything has arrived. */
  get landsInTheEnd(): boolean {
    this.pass(1_000);
    return this.landed !== null;
  }

  readonly push = (): Promise<void> => {
    if (this.roll(100) < this.arriving) this.arrivals.push(this.now + 1 + this.roll(200));
    return this.roll(3) === 0 ? Promise.reject(new Error("502")) : Promise.resolve();
  };

  getEpochInfo = (asked?: unknown): ReturnType<Asked["getEpochInfo"]> => {
    const server = this.answering();
    const behind = asked === "finalized" ? FINAL : asked === "confirmed" ? 2 : 0;
    // A fork that is left has blocks where the others have none.
    const extra = asked === "finalized" ? 0 : server.fork;
    const { slot, height } = this.tip(this.now - server.lag - behind);
    return Promise.resolve({
      absoluteSlot: slot + extra,
      blockHeight: height + extra,
      epoch: 0,
      slotIndex: 0,
      slotsInEpoch: 0,
    });
  };

  getSignatureStatus = (
    signature: string,
    config?: { readonly searchTransactionHistory: boolean },
  ): ReturnType<Asked["getSignatureStatus"]> => {
    expect(signature).to.equal(SIGNATURE);
    const { lag, history, fork } = this.answering();
    const top = this.tip(this.now - lag);
    if (config?.searchTransactionHistory === true && history === null) {
      const error = {
        code: -32_011,
        message: "Transaction history is not available from this node",
      };
      return Promise.reject(new SolanaJSONRPCError(error));
    }
    const root = this.tip(top.slot - FINAL);
    const known = Math.max(CACHE, config?.searchTransactionHistory === true ? (history ?? 0) : 0);
    const { landed } = this;
    const seen =
      landed !== null && landed.slot <= top.slot - fork && landed.height > root.height - known;
    const level = !landed || landed.slot > top.slot - 2 ? "processed" : "confirmed";
    const value: SignatureStatus | null = seen
      ? {
          slot: landed.slot,
          confirmations: 1,
          err: null,
          confirmationStatus: landed.slot <= root.slot ? "finalized" : level,
        }
      : null;
    return Promise.resolve({ context: { slot: top.slot }, value });
  };

  private answering(): Server {
    this.pass(this.roll(12));
    // Nobody waits for ever, nor does this.
    if (this.now > 6_000 || (this.fails && this.roll(5) === 0))
      throw new Error("fetch failed: ECONNRESET");
    const server = this.servers[this.roll(this.servers.length)];
    if (!server) throw new Error("There is no server.");
    return server;
  }

  /** The newest block at a slot. */
  private tip(slot: number): Block {
    const found = this.blocks.findLast((block) => block.slot <= slot);
    if (!found) throw new Error("The model begins later.");
    return found;
  }
}

/** Servers of every kind, from well kept to far behind. */
function servers(roll: Roll): Server[] {
  return Array.from({ length: 1 + roll(4) }, () => ({
    lag: roll(3) === 0 ? roll(350) : roll(10),
    history: roll(3) === 0 ? null : ([0, 500, 100_000][roll(3)] ?? 0),
    fork: roll(4) === 0 ? 1 + roll(20) : 0,
  }));
}

describe("what was sent", () => {
  it("is never called unsent where it lands later, whatever servers say", async () => {
    const found = { landed: 0, expired: 0, unknown: 0 };
    for (let seed = 1; seed <= 500; seed += 1) {
      const roll = dice(seed * 7_919);
      const cluster = new Cluster(roll, servers(roll), roll(2) === 0, [0, 2, 33][roll(3)] ?? 0);
      // A process that slept asks late, and for the first time.
      const slept = roll(2) === 0;
      let fate: Fate["status"];
      if (slept) {
        for (let turn = 0; turn < 5; turn += 1) {
          await cluster.push().catch(() => undefined);
          cluster.pass(roll(30));
        }
        cluster.pass(roll(roll(2) === 0 ? 200 : 1_000));
      }
      try {
        ({ status: fate } = await settle(cluster, cluster.sent, {
          ...(!slept && { push: cluster.push }),
          pollMs: 0,
          resendMs: 1,
          patienceMs: 100,
        }));
      } catch (error) {
        if (!(error instanceof OutcomeUnknown)) throw error;
        fate = "unknown";
      }
      if (fate === "expired") {
        expect(cluster.landsInTheEnd, `seed ${seed}`).to.equal(false);
        found.expired += 1;
      } else if (fate === "landed") {
        expect(cluster.landed, `seed ${seed}`).not.to.equal(null);
        found.landed += 1;
      } else found.unknown += 1;
    }
    // It is said where it can be said: most of the sendings have an end.
    expect(found.landed).to.be.above(80);
    expect(found.expired).to.be.above(150);
    expect(found.unknown).to.be.below(170);
  }).timeout(120_000);

  const still = (changes: Partial<Asked>): Asked => ({
    getSignatureStatus: () => Promise.resolve({ context: { slot: 1_100 }, value: null }),
    getEpochInfo: () =>
      Promise.resolve({
        ...{ absoluteSlot: 1_100, blockHeight: 1_001, epoch: 0, slotIndex: 0, slotsInEpoch: 0 },
      }),
    ...changes,
  });
  const sent = { signature: SIGNATURE, lastValidBlockHeight: 1_000, minSlot: 900 };
  const unknown = { status: "unknown", seen: false, forgotten: false };

  it("is over where a server knows all final blocks that could hold it, and not it", async () => {
    expect(await fateOf(still({}), sent)).to.deep.equal({ status: "expired" });
    expect(await fateOf(still({}), { ...sent, lastValidBlockHeight: 1_001 })).to.deep.equal(
      unknown,
    );
    expect(await fateOf(still({}), { ...sent, minSlot: 1_101 })).to.deep.equal(unknown);
    const behind = still({
      getSignatureStatus: () => Promise.resolve({ context: { slot: 1_099 }, value: null }),
    });
    expect(await fateOf(behind, sent)).to.deep.equal(unknown);
  });

  it("is asked for at the height that is final", async () => {
    const asked: unknown[] = [];
    const noting = still({
      getEpochInfo: (commitment) => {
        asked.push(commitment);
        return still({}).getEpochInfo();
      },
    });
    await fateOf(noting, sent);
    expect(asked).to.deep.equal(["finalized"]);
  });

  it("is not known any more where servers may have forgotten it", async () => {
    const ahead = still({
      getSignatureStatus: () => Promise.resolve({ context: { slot: 1_250 }, value: null }),
    });
    expect(await fateOf(ahead, sent)).to.deep.equal({ ...unknown, forgotten: true });
    const error = await refusal(settle(ahead, sent));
    expect(error).to.be.instanceOf(OutcomeUnknown);
    expect(explain(error).message)
      .to.include(SIGNATURE)
      .and.not.match(/send it again/i);
  });

  it("has failed where its block says so, and landed where it is as sure as was asked", async () => {
    const with_ = (status: Partial<SignatureStatus>): Asked =>
      still({
        getSignatureStatus: () =>
          Promise.resolve({
            context: { slot: 1_100 },
            value: {
              ...{ slot: 950, confirmations: 1, err: null, confirmationStatus: "confirmed" },
              ...status,
            },
          }),
      });
    expect(await fateOf(with_({}), sent)).to.deep.equal({ status: "landed", slot: 950n });
    expect(await fateOf(with_({}), sent, "finalized")).to.deep.equal({ ...unknown, seen: true });
    expect(await fateOf(with_({ confirmationStatus: "processed" }), sent)).to.deep.equal({
      ...unknown,
      seen: true,
    });
    const err = { InstructionError: [0, { Custom: 1 }] };
    expect(await fateOf(with_({ err }), sent)).to.deep.equal({
      status: "failed",
      slot: 950n,
      error: err,
    });
  });

  it("is waited for while servers give no answer, and then nobody knows", async () => {
    let pushed = 0;
    const gone = still({ getSignatureStatus: () => Promise.reject(new Error("fetch failed: x")) });
    const error = await refusal(
      settle(gone, sent, {
        push: () => {
          pushed += 1;
          return Promise.reject(new Error("custom program error: 0x1"));
        },
        patienceMs: 30,
        pollMs: 1,
      }),
    );
    expect(error).to.be.instanceOf(OutcomeUnknown);
    expect(pushed).to.equal(1);
  });

  describe("by the client's provider", () => {
    const SOL = 1_000_000_000n;
    let chain: EmbeddedChain;
    let payer: Keypair;
    let receiver: Keypair;

    beforeEach(async () => {
      chain = EmbeddedChain.start();
      [payer, receiver] = [Keypair.generate(), Keypair.generate()];
      await chain.fund(payer.publicKey, 10n * SOL);
    });

    const gift = (): Transaction =>
      new Transaction().add(
        SystemProgram.transfer({
          fromPubkey: payer.publicKey,
          toPubkey: receiver.publicKey,
          lamports: SOL,
        }),
      );
    const received = (): Promise<number> => chain.connection.getBalance(receiver.publicKey);

    it("is paid once where every answer to the sending is an error", async () => {
      const { connection } = chain;
      const send = connection.sendRawTransaction.bind(connection);
      connection.sendRawTransaction = async (...given) => {
        await send(...given);
        throw new Error("502 Bad Gateway: <html>");
      };
      await chain.provider(payer).sendAndConfirm(gift());
      expect(await received()).to.equal(Number(SOL));
    });

    it("is over only once its blocks are", async () => {
      const { connection } = chain;
      connection.sendRawTransaction = async () => {
        await chain.waitForSlot((await chain.slot()) + 200n);
        return "";
      };
      const error = await refusal(chain.provider(payer).sendAndConfirm(gift()));
      expect(error).to.be.instanceOf(Expired);
      expect(await received()).to.equal(0);
    });

    it("has an end where it brought its own blockhash, too", async () => {
      const versioned = async (): Promise<VersionedTransaction> => {
        const { blockhash } = await chain.connection.getLatestBlockhash();
        return new VersionedTransaction(
          new TransactionMessage({
            payerKey: payer.publicKey,
            recentBlockhash: blockhash,
            instructions: gift().instructions,
          }).compileToV0Message(),
        );
      };
      const provider = chain.provider(payer);
      await provider.sendAll([{ tx: await versioned() }, { tx: gift() }]);
      expect(await received()).to.equal(Number(2n * SOL));
      const old = await versioned();
      await chain.waitForSlot((await chain.slot()) + 200n);
      // Nothing was sent: the check before it says so.
      expect((await refusal(provider.sendAndConfirm(old))).message).to.include("BlockhashNotFound");
      expect(await received()).to.equal(Number(2n * SOL));
    });

    it("is not called unsent where only its record is missing", async () => {
      const error = await refusal(chain.outcome("1".repeat(64)));
      expect(error.message)
        .to.include("not said by that")
        .and.not.match(/send it again/i);
    });
  });
});
