import type { Audit } from "@securing-tasks/client";
import {
  MemorySaltStore,
  WRAPPED_SOL,
  nodeAddress,
  roundStart,
  voteAddress,
} from "@securing-tasks/client";
import { expect } from "chai";
import { rmSync } from "node:fs";
import type { Hand } from "./utils/bench";
import { Bench } from "./utils/bench";
import { Inside } from "./utils/inside";
import type { LogLine } from "./utils/inside";

const WINDOWS = {
  roundSlots: 1_000n,
  submissionSlots: 500n,
  auditSlots: 300n,
  commitSlots: 100n,
  revealSlots: 100n,
  leaveDelaySlots: 1_200n,
};

describe("a daemon that lost its state folder", function () {
  this.timeout(200_000);
  let bench: Bench;
  let daemon: Inside | null;

  beforeEach(async () => {
    bench = await Bench.make(WINDOWS);
    daemon = null;
  });

  afterEach(async () => {
    await daemon?.stop();
    await bench.end();
  });

  const line = (msg: string): Promise<LogLine> =>
    bench.until(`it says "${msg}"`, () => Promise.resolve(daemon?.said(msg)[0]));

  /** Ends it, and takes its state and the owner's key away. */
  async function lose(hand: Hand): Promise<void> {
    await daemon?.stop();
    rmSync(hand.config.state, { recursive: true });
    rmSync(hand.config.join?.ownerKeypair ?? "", { force: true });
  }

  /** A worker that has submitted its work of round 0. */
  async function worker(): Promise<{ readonly hand: Hand; readonly uri: string }> {
    const hand = await bench.hire("worker", "worker", 3_000n);
    daemon = new Inside(hand.config);
    await daemon.start();
    const submission = await bench.until("its work", async () => {
      const [first] = await bench.client.ofTask("submission", bench.task);
      return first;
    });
    return { hand, uri: submission.payloadUri };
  }

  it("makes the payload of its work again and serves it, while it waits for another instance, and joins no second time", async () => {
    const { hand, uri } = await worker();
    await lose(hand);
    daemon = new Inside(hand.config);
    await daemon.start();
    await line("made a lost payload again");
    const answer = await fetch(uri);
    expect(answer.status).to.equal(200);
    expect(await answer.text()).to.equal(`${hand.owner.publicKey.toBase58()} 0`);
    await line("ANOTHER INSTANCE");
    expect(daemon.said("transaction sent")).to.deep.equal([]);
    const { stake } = await bench.client.fetch(
      "node",
      nodeAddress(bench.task, hand.owner.publicKey),
    );
    expect(stake).to.equal(3_000n);
  });

  it("says loudly that it can't make the payload that is on the chain, and serves no other", async () => {
    const { hand, uri } = await worker();
    await lose(hand);
    daemon = new Inside({ ...hand.config, secrets: { more: " and more" }, quietSlots: 0 });
    await daemon.start();
    const { round, hash, level } = await line("A PAYLOAD IS LOST");
    expect([round, level]).to.deep.equal(["0", 50]);
    expect(uri).to.contain(String(hash));
    expect((await fetch(uri)).status).to.equal(404);
    // Once.
    await bench.chain.waitForSlot((await bench.chain.slot()) + 50n);
    const task = await bench.client.fetch("task", bench.task);
    await bench.chain.waitForSlot(roundStart(task, 1n));
    await line("submit");
    expect(daemon.said("A PAYLOAD IS LOST")).to.have.length(1);
  });

  it("does not join again after its owner has left", async () => {
    const hand = await bench.hire("witness", "witness", 1_000n);
    daemon = new Inside(hand.config);
    await daemon.start();
    await daemon.stop();
    const { client, chain, task } = bench;
    const owner = hand.owner.publicKey;
    await bench.send(client.requestLeave({ task, owner }), hand.owner);
    await chain.waitForSlot((await chain.slot()) + WINDOWS.leaveDelaySlots);
    await bench.send(
      client.withdraw({ task: { address: task, mint: WRAPPED_SOL }, owner }),
      hand.owner,
    );
    await bench.send(client.closeNode({ task, owner }), hand.owner);
    rmSync(hand.config.state, { recursive: true });
    daemon = new Inside(hand.config);
    const refusal = await daemon.start().then(
      () => "",
      (error: unknown) => String(error),
    );
    expect(refusal).to.contain("its owner has left the task").and.to.contain("node join");
    expect(await client.find("node", nodeAddress(task, owner))).to.equal(null);
  });

  describe("as a witness that has voted and accused", () => {
    let hand: Hand;
    let audit: Audit;

    const ownVote = (state: string): Promise<true> =>
      bench.until(`the vote is ${state}`, async () => {
        const address = voteAddress(audit.address, hand.owner.publicKey);
        return (await bench.client.find("vote", address))?.state === state;
      });

    beforeEach(async () => {
      hand = await bench.hire("witness", "witness", 1_000n);
      daemon = new Inside({ ...hand.config, samples: 0 });
      await daemon.start();
      audit = await bench.quarrel();
      await bench.chain.waitForSlot(audit.openSlot + 40n);
      await ownVote("committed");
    });

    it("reveals all the same, while it waits for another instance: the salt follows from the operator's key", async () => {
      await lose(hand);
      daemon = new Inside({ ...hand.config, samples: 0 });
      await daemon.start();
      await line("ANOTHER INSTANCE");
      await bench.chain.waitForSlot(audit.revealSlot);
      await ownVote("revealed");
      expect(daemon.said("A SALT IS LOST")).to.deep.equal([]);
      const { commitments } = await bench.client.fetch(
        "node",
        nodeAddress(bench.task, hand.owner.publicKey),
      );
      expect(commitments).to.equal(0);
    });
  });

  it("tells once which deposit is lost where no salt of its key fits, and works on", async () => {
    const hand = await bench.hire("witness", "witness", 1_000n);
    daemon = new Inside({ ...hand.config, samples: 0, quietSlots: 0 });
    await daemon.start();
    await daemon.stop();
    const audit = await bench.quarrel();
    // As by a version that made salts up, whose state is gone.
    const { builder } = await bench.client.commitVote({
      task: bench.task,
      audit: audit.address,
      voter: hand.owner.publicKey,
      operator: hand.operator.publicKey,
      opinion: "malice",
      salts: new MemorySaltStore(),
    });
    await bench.send(builder, hand.operator);
    await daemon.start();
    await bench.chain.waitForSlot(audit.revealSlot);
    const told = await line("A SALT IS LOST");
    expect([told.audit, told.deposit, told.until, told.level]).to.deep.equal([
      audit.address.toBase58(),
      audit.voteDeposit.toString(),
      audit.endSlot.toString(),
      50,
    ]);
    await bench.chain.waitForSlot(audit.endSlot + 30n);
    // Resolved: it works on.
    await bench.until("a verdict", async () => {
      const found = await bench.client.find("audit", audit.address);
      return found?.outcome !== "open";
    });
    expect(daemon.said("A SALT IS LOST")).to.have.length(1);
    expect(daemon.said("failed, will try again")).to.deep.equal([]);
  });

  it("knows its own accusations from the chain, and makes none twice", async () => {
    const hand = await bench.hire("witness", "witness", 1_500n);
    daemon = new Inside(hand.config);
    await daemon.start();
    const liar = await bench.join("worker", 2_000n);
    const round = 0n;
    await bench.chain.waitForSlot((await bench.chain.slot()) + 1n);
    const work = { payloadHash: new Uint8Array(32).fill(7), payloadUri: "liar:" };
    const about = { task: bench.task, owner: liar.publicKey, round };
    await bench.send(bench.client.submitWork({ ...about, ...work }), liar);
    const task = await bench.client.fetch("task", bench.task);
    await bench.chain.waitForSlot(roundStart(task, 0n) + 500n + 120n);
    const audits = (): Promise<Audit[]> => bench.client.ofTask("audit", bench.task);
    await bench.until("an accusation", async () => (await audits()).length > 0);
    await lose(hand);
    daemon = new Inside({ ...hand.config, quietSlots: 0 });
    await daemon.start();
    await bench.chain.waitForSlot((await bench.chain.slot()) + 30n);
    await line("checked");
    await bench.chain.waitForSlot((await bench.chain.slot()) + 30n);
    await line("running");
    expect(await audits()).to.have.length(1);
    expect(daemon.said("accuse")).to.deep.equal([]);
  });
});
