import type { Audit } from "@securing-tasks/client";
import { nodeAddress, roundStart, voteAddress } from "@securing-tasks/client";
import type { NodeConfigInput } from "@securing-tasks/node";
import type { Keypair, TransactionInstruction } from "@solana/web3.js";
import { PublicKey, SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import getPort from "get-port";
import { join } from "node:path";
import type { LogLine } from "../../../tests/daemons/daemon";
import { Daemon } from "../../../tests/daemons/daemon";
import type { Hand } from "./utils/bench";
import { Bench } from "./utils/bench";

const WINDOWS = {
  roundSlots: 1_000n,
  submissionSlots: 900n,
  auditSlots: 50n,
  commitSlots: 50n,
  revealSlots: 50n,
  leaveDelaySlots: 1_200n,
};
const QUIET = 300;

/** What it says where it sees another instance. */
const isAlarm = ({ msg }: LogLine): boolean => msg.startsWith("ANOTHER INSTANCE");

describe("a daemon whose operator's key works elsewhere too", function () {
  this.timeout(120_000);
  let bench: Bench;
  let daemons: Daemon[];

  beforeEach(async () => {
    bench = await Bench.make(WINDOWS);
    daemons = [];
  });

  afterEach(async () => {
    for (const daemon of daemons) await daemon.kill();
    await bench.end();
  });

  /** A daemon with a hand's keys, on a state of its own. */
  async function daemonOf(
    hand: Hand,
    name: string,
    more: Partial<NodeConfigInput> = {},
  ): Promise<Daemon> {
    const port = await getPort();
    const daemon = await Daemon.make(bench.folder, name, {
      ...hand.config,
      state: join(bench.folder, `state of ${name}`),
      logLevel: "debug",
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

  /** Waits until it has looked at the chain and thought about it a few times more. */
  async function looks(daemon: Daemon): Promise<void> {
    for (let look = 0; look < 3; look += 1) {
      await bench.chain.waitForSlot((await bench.chain.slot()) + 1n);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect(daemon.words).to.equal("");
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
    const done = first.lines.find(({ msg }) => msg === "submit");

    const second = await daemonOf(hand, "second");
    const alarm = second.next(isAlarm);
    await second.start();
    const { signature, slot, secondsAgo, level, msg } = await alarm;
    expect([signature, slot]).to.deep.equal([done?.signature, done?.slot]);
    expect(secondsAgo).to.be.a("number");
    expect(level).to.equal(40);
    expect(msg).to.contain(`${QUIET} slots`).and.to.contain("`quietSlots: 0`");
    expect(msg).to.contain("another machine").and.to.contain("`securing-tasks node operator`");

    // As long as the first works, the second does not.
    await bench.chain.waitForSlot(await startOf(1n));
    await submitted(hand, 1n);
    await looks(second);
    await first.kill();
    const [last] = await bench.chain.connection.getSignaturesForAddress(
      nodeAddress(bench.task, hand.owner.publicKey),
    );
    await bench.chain.waitForSlot(BigInt(last?.slot ?? 0) + BigInt(QUIET));
    await looks(second);
    expect(second.lines.filter(({ msg: said }) => said === "transaction sent")).to.deep.equal([]);
    const begins = second.next(({ msg: said }) => said.startsWith("the other instance is quiet"));
    await bench.chain.waitForSlot(BigInt(last?.slot ?? 0) + BigInt(QUIET) + 1n);
    await begins;
    await bench.chain.waitForSlot(await startOf(2n));
    await submitted(hand, 2n);
    expect(second.lines.some(({ msg: said }) => said === "submit")).to.equal(true);
  });

  it("ends where its configuration says so", async () => {
    const hand = await bench.hire("worker", "worker", 3_000n);
    const first = await daemonOf(hand, "first");
    await first.start();
    await submitted(hand, 0n);
    const second = await daemonOf(hand, "second", { onOtherInstance: "end" });
    const ends = second.next(({ msg }) => msg === "ends");
    await second.start();
    const { message } = await ends;
    const done = first.lines.find(({ msg }) => msg === "submit");
    expect(message)
      .to.contain(String(done?.signature))
      .and.to.contain(`slot ${String(done?.slot)}`);
    await bench.until("it ends", () => Promise.resolve(second.words.includes("onOtherInstance")));
    expect(second.lines.filter(({ msg }) => msg === "transaction sent")).to.deep.equal([]);
  });

  it("goes on at once after a restart: what its own state sent is its own", async () => {
    const hand = await bench.hire("worker", "worker", 3_000n);
    const daemon = await daemonOf(hand, "only");
    await daemon.start();
    await submitted(hand, 0n);
    await daemon.kill();
    await daemon.start();
    await bench.chain.waitForSlot(await startOf(1n));
    await submitted(hand, 1n);
    expect(daemon.lines.filter(isAlarm)).to.deep.equal([]);
  });

  it("waits for what was done by hand, and not for ever", async () => {
    const hand = await bench.hire("worker", "worker", 3_000n);
    const joins = await daemonOf(hand, "joins");
    await joins.start();
    await submitted(hand, 0n);
    await joins.kill();
    // The same as a state that was lost.
    const daemon = await daemonOf(hand, "later");
    const alarm = daemon.next(isAlarm);
    await daemon.start();
    await alarm;
    await looks(daemon);
    expect(daemon.lines.filter(({ msg }) => msg === "transaction sent")).to.deep.equal([]);
    await bench.chain.waitForSlot(await startOf(1n));
    await submitted(hand, 1n);
  });

  it("does not mind strangers that name it, whatever they sign", async () => {
    const hand = await bench.hire("worker", "worker", 3_000n);
    const joins = await daemonOf(hand, "joins", { samples: 0 });
    await joins.start();
    await submitted(hand, 0n);
    await joins.kill();
    const last = await bench.chain.waitForSlot((await bench.chain.slot()) + BigInt(QUIET) + 50n);

    const stranger = await bench.join("witness", 1_000n);
    const named = [nodeAddress(bench.task, hand.owner.publicKey), hand.operator.publicKey];
    const transfer = SystemProgram.transfer({
      fromPubkey: stranger.publicKey,
      toPubkey: stranger.publicKey,
      lamports: 1,
    });
    for (const pubkey of named) transfer.keys.push({ pubkey, isSigner: false, isWritable: false });
    await send(transfer, stranger);
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
    await bench.chain.waitForSlot(await startOf(1n));
    await submitted(hand, 1n);
    expect(daemon.lines.filter(isAlarm)).to.deep.equal([]);
  });

  it("says once in a while that it sees another while it runs, and goes on", async () => {
    const hand = await bench.hire("worker", "worker", 3_000n);
    const daemon = await daemonOf(hand, "only");
    await daemon.start();
    await submitted(hand, 0n);
    const alarm = daemon.next(isAlarm);
    const signature = await send(await byHand(hand), hand.operator);
    await bench.chain.waitForSlot((await bench.chain.slot()) + 200n);
    expect((await alarm).signature).to.equal(signature);
    await send(await byHand(hand), hand.operator);
    await bench.chain.waitForSlot((await bench.chain.slot()) + 200n);
    await looks(daemon);
    expect(daemon.lines.filter(isAlarm)).to.have.length(1);
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
      await daemon.kill();
      await send(await byHand(hand), hand.operator);
      const alarm = daemon.next(isAlarm);
      const ends = daemon.next(({ msg }) => msg === "ends");
      await daemon.start();
      await alarm;
      await looks(daemon);
      await bench.chain.waitForSlot(audit.revealSlot);
      await vote("revealed");
      if (onOtherInstance === "end") await ends;
      else {
        await bench.chain.waitForSlot(audit.endSlot + 30n);
        await looks(daemon);
        // Resolving waits.
        expect(await bench.client.fetch("audit", audit.address)).to.include({ outcome: "open" });
      }
    });
  }
});
