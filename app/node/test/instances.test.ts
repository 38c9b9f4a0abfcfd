import type { Audit } from "@securing-tasks/client";
import { nodeAddress, roundStart, voteAddress } from "@securing-tasks/client";
import type { NodeConfigInput } from "@securing-tasks/node";
import type { Keypair, TransactionInstruction } from "@solana/web3.js";
import { PublicKey, SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import getPort from "get-port";
import { join } from "node:path";
import type { Hand } from "./utils/bench";
import { Bench } from "./utils/bench";
import { Inside } from "./utils/inside";
import type { LogLine } from "./utils/inside";

const WINDOWS = {
  roundSlots: 1_000n,
  submissionSlots: 900n,
  auditSlots: 50n,
  commitSlots: 50n,
  revealSlots: 50n,
  leaveDelaySlots: 1_200n,
};
/** More than a round: in each of them a worker shows itself. */
const QUIET = 1_100;
const ALARM = "ANOTHER INSTANCE";

describe("a daemon whose operator's key works elsewhere too", function () {
  this.timeout(200_000);
  let bench: Bench;
  let daemons: Inside[];
  /** Looks at the chain. */
  let asked: number;

  beforeEach(async () => {
    asked = 0;
    bench = await Bench.make(WINDOWS);
    bench.answers = ({ method }) => {
      if (method === "getMultipleAccounts") asked += 1;
      return undefined;
    };
    daemons = [];
  });

  afterEach(async () => {
    for (const daemon of daemons) await daemon.stop();
    await bench.end();
  });

  /** A daemon with a hand's keys, on a state of its own. */
  async function daemonOf(
    hand: Hand,
    name: string,
    more: Partial<NodeConfigInput> = {},
  ): Promise<Inside> {
    const port = await getPort();
    const daemon = new Inside({
      ...hand.config,
      state: join(bench.folder, `state of ${name}`),
      quietSlots: QUIET,
      ...(hand.config.http && {
        http: { host: "127.0.0.1", port, publicUrl: `http://127.0.0.1:${port}` },
      }),
      ...more,
    });
    daemons.push(daemon);
    return daemon;
  }

  /** Waits for the hand's work of a round. */
  const submitted = (hand: Hand, round: bigint): Promise<string> =>
    bench.until(`the work of round ${round}`, async () => {
      const all = await bench.client.ofTask("submission", bench.task);
      const own = all.find((one) => one.owner.equals(hand.owner.publicKey) && one.round === round);
      return own?.address.toBase58();
    });

  const line = (daemon: Inside, msg: string): Promise<LogLine> =>
    bench.until(`it says "${msg}"`, () => Promise.resolve(daemon.said(msg)[0]));

  /** Waits until it has looked at the chain a few times more. */
  async function looks(): Promise<void> {
    const before = asked;
    await bench.until("it looks at the chain", () => Promise.resolve(asked > before + 5));
  }

  const startOf = async (round: bigint): Promise<bigint> =>
    roundStart(await bench.client.fetch("task", bench.task), round);

  /** Work of round 0 that the operator submits by hand. */
  async function byHand(hand: Hand): Promise<TransactionInstruction> {
    const owner = hand.owner.publicKey;
    const work = { payloadHash: new Uint8Array(32).fill(7), payloadUri: "ipfs://work", round: 0n };
    const operator = hand.operator.publicKey;
    return bench.client.submitWork({ ...work, task: bench.task, owner, operator }).instruction();
  }

  /** Sends what the chain need not like. */
  async function send(instruction: TransactionInstruction, payer: Keypair): Promise<string> {
    const { connection } = bench.chain;
    const latest = await connection.getLatestBlockhash();
    const transaction = new Transaction({ feePayer: payer.publicKey, ...latest }).add(instruction);
    transaction.sign(payer);
    return connection.sendRawTransaction(transaction.serialize(), { skipPreflight: true });
  }

  it("waits at its start until the other is quiet, says why, and takes over then", async () => {
    const hand = await bench.hire("worker", "worker", 3_000n);
    const first = await daemonOf(hand, "first");
    await first.start();
    await submitted(hand, 0n);
    const done = await line(first, "submit");

    const second = await daemonOf(hand, "second");
    await second.start();
    const { signature, slot, secondsAgo, level, msg } = await line(second, ALARM);
    expect([signature, slot]).to.deep.equal([done.signature, done.slot]);
    expect(secondsAgo).to.be.a("number");
    expect(level).to.equal(40);
    expect(msg).to.contain(`${QUIET} slots`).and.to.contain("`quietSlots: 0`");
    expect(msg).to.contain("another machine").and.to.contain("`securing-tasks node operator`");

    // As long as the first works, the second does not.
    await bench.chain.waitForSlot(await startOf(1n));
    await submitted(hand, 1n);
    await looks();
    await first.stop();
    const [last] = await bench.chain.connection.getSignaturesForAddress(
      nodeAddress(bench.task, hand.owner.publicKey),
    );
    await bench.chain.waitForSlot(BigInt(last?.slot ?? 0) + BigInt(QUIET));
    await looks();
    expect(second.said("transaction sent")).to.deep.equal([]);
    await bench.chain.waitForSlot(BigInt(last?.slot ?? 0) + BigInt(QUIET) + 1n);
    await line(second, "the other instance is quiet");
    await bench.chain.waitForSlot(await startOf(2n));
    await submitted(hand, 2n);
    await line(second, "submit");
  });

  it("ends where its configuration says so", async () => {
    const hand = await bench.hire("worker", "worker", 3_000n);
    const first = await daemonOf(hand, "first");
    await first.start();
    await submitted(hand, 0n);
    const second = await daemonOf(hand, "second", { onOtherInstance: "end" });
    const { done: ended } = await second.start();
    const message = await ended.then(
      () => "",
      (error: unknown) => String(error),
    );
    const done = await line(first, "submit");
    expect(message)
      .to.contain(String(done.signature))
      .and.to.contain(`slot ${String(done.slot)}`);
    expect(message).to.contain("`onOtherInstance`").and.to.contain("`quietSlots: 0`");
    expect(second.said("transaction sent")).to.deep.equal([]);
  });

  it("goes on at once after a restart: what its own state sent is its own", async () => {
    const hand = await bench.hire("worker", "worker", 3_000n);
    const daemon = await daemonOf(hand, "only");
    await daemon.start();
    await submitted(hand, 0n);
    await daemon.stop();
    await daemon.start();
    await bench.chain.waitForSlot(await startOf(1n));
    await submitted(hand, 1n);
    expect(daemon.said(ALARM)).to.deep.equal([]);
  });

  it("waits for what was done by hand, and not for ever", async () => {
    const hand = await bench.hire("worker", "worker", 3_000n);
    const joins = await daemonOf(hand, "joins");
    await joins.start();
    await submitted(hand, 0n);
    await joins.stop();
    // The same as a state that was lost.
    const daemon = await daemonOf(hand, "later");
    await daemon.start();
    await line(daemon, ALARM);
    await looks();
    expect(daemon.said("transaction sent")).to.deep.equal([]);
    await bench.chain.waitForSlot((await startOf(1n)) + 200n);
    await submitted(hand, 1n);
  });

  it("does not mind strangers that name it, whatever they sign, nor what its key does besides", async () => {
    const hand = await bench.hire("worker", "worker", 3_000n);
    const joins = await daemonOf(hand, "joins", { samples: 0 });
    await joins.start();
    await submitted(hand, 0n);
    await joins.stop();
    const last = await bench.chain.waitForSlot(await startOf(2n));

    const stranger = await bench.join("witness", 1_000n);
    const named = [nodeAddress(bench.task, hand.owner.publicKey), hand.operator.publicKey];
    for (const payer of [hand.operator, stranger]) {
      const [fromPubkey, toPubkey] = [payer.publicKey, stranger.publicKey];
      const transfer = SystemProgram.transfer({ fromPubkey, toPubkey, lamports: 1 });
      for (const pubkey of named) {
        transfer.keys.push({ pubkey, isSigner: false, isWritable: false });
      }
      await send(transfer, payer);
    }
    // The program refuses it, and it stands on the chain all the same.
    const forged = await byHand(hand);
    for (const one of forged.keys) one.isSigner = false;
    await send(forged, stranger);
    const { connection } = bench.chain;
    const [listed] = await connection.getSignaturesForAddress(named[0] ?? PublicKey.default);
    expect(listed?.slot).to.equal(Number(last));
    expect(listed?.err).to.not.equal(null);

    const daemon = await daemonOf(hand, "later");
    await daemon.start();
    await submitted(hand, 2n);
    expect(daemon.said(ALARM)).to.deep.equal([]);
  });

  it("says once in a while that it sees another while it runs, and goes on", async () => {
    const hand = await bench.hire("worker", "worker", 3_000n);
    const daemon = await daemonOf(hand, "only");
    await daemon.start();
    await submitted(hand, 0n);
    const signature = await send(await byHand(hand), hand.operator);
    await bench.chain.waitForSlot((await bench.chain.slot()) + 200n);
    expect((await line(daemon, ALARM)).signature).to.equal(signature);
    await send(await byHand(hand), hand.operator);
    await bench.chain.waitForSlot((await bench.chain.slot()) + 200n);
    await looks();
    expect(daemon.said(ALARM)).to.have.length(1);
    await bench.chain.waitForSlot(await startOf(1n));
    await submitted(hand, 1n);
  });

  for (const onOtherInstance of ["wait", "end"] as const) {
    it(`reveals what it has committed before it ${onOtherInstance}s`, async () => {
      const hand = await bench.hire("witness", "witness", 1_000n, { http: undefined });
      const daemon = await daemonOf(hand, "only", { onOtherInstance });
      await daemon.start();
      const audit: Audit = await bench.quarrel();
      const vote = (state: string): Promise<true> =>
        bench.until(`the vote is ${state}`, async () => {
          const address = voteAddress(audit.address, hand.owner.publicKey);
          return (await bench.client.find("vote", address))?.state === state;
        });
      await bench.chain.waitForSlot(audit.openSlot + 20n);
      await vote("committed");
      await daemon.stop();
      await send(await byHand(hand), hand.operator);
      const { done } = await daemon.start();
      await line(daemon, ALARM);
      await looks();
      await bench.chain.waitForSlot(audit.revealSlot);
      await vote("revealed");
      if (onOtherInstance === "end") {
        const message = await done.then(
          () => "",
          (error: unknown) => String(error),
        );
        expect(message).to.contain("Another instance");
      } else {
        await bench.chain.waitForSlot(audit.endSlot + 30n);
        await looks();
        // Resolving waits.
        expect(await bench.client.fetch("audit", audit.address)).to.include({ outcome: "open" });
      }
    });
  }
});
