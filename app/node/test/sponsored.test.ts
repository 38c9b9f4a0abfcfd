import { utils } from "@coral-xyz/anchor";
import type { Audit, Role, TaskRules, Vote } from "@securing-tasks/client";
import {
  PROGRAM_ID,
  auditEnd,
  roundAddress,
  roundAt,
  submissionEnd,
  voteAddress,
} from "@securing-tasks/client";
import { ASSOCIATED_TOKEN_PROGRAM_ID, TOKEN_PROGRAM_ID } from "@solana/spl-token";
import type { PublicKey } from "@solana/web3.js";
import { ComputeBudgetProgram, SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import type { Hand } from "./utils/bench";
import { Bench } from "./utils/bench";
import type { LogLine } from "./utils/inside";
import { Inside } from "./utils/inside";
import { Paymaster, feeOf } from "./utils/paymaster";

const API_KEY = "api-key-4711";
const SPONSOR = { apiKey: API_KEY, perSecond: 100 };
const SOL = 1_000_000_000;
const WINDOWS = {
  roundSlots: 600n,
  submissionSlots: 160n,
  auditSlots: 300n,
  commitSlots: 60n,
  revealSlots: 60n,
  leaveDelaySlots: 600n,
};

describe("a node whose hot key holds no lamport", function () {
  this.timeout(200_000);
  let bench: Bench;
  let paymaster: Paymaster;
  let hand: Hand;
  let daemon: Inside;

  beforeEach(() => set({}, "witness"));

  async function set(rules: Partial<TaskRules>, role: Role): Promise<void> {
    bench = await Bench.make({ ...WINDOWS, ...rules });
    paymaster = await Paymaster.start({
      connection: bench.chain.connection,
      apiKey: API_KEY,
      // The last three to join with.
      allowedPrograms: [
        PROGRAM_ID,
        ComputeBudgetProgram.programId,
        SystemProgram.programId,
        TOKEN_PROGRAM_ID,
        ASSOCIATED_TOKEN_PROGRAM_ID,
      ],
    });
    await bench.chain.fund(paymaster.address, BigInt(SOL));
    hand = await bench.hire(role, role, 2_000n, {
      sponsor: { ...SPONSOR, url: paymaster.url },
      quietSlots: 0,
    });
    await empty(hand);
    daemon = new Inside({ ...hand.config, samples: 0 });
  }

  async function clear(): Promise<void> {
    await daemon.stop();
    await paymaster.close();
    await bench.end();
  }

  afterEach(clear);

  const lamports = (key: PublicKey): Promise<number> => bench.chain.connection.getBalance(key);

  /** Takes all that it was given away again. */
  async function empty({ operator }: Hand): Promise<void> {
    const has = await lamports(operator.publicKey);
    const away = SystemProgram.transfer({
      fromPubkey: operator.publicKey,
      toPubkey: paymaster.address,
      lamports: has - 5_000,
    });
    await bench.chain.send(new Transaction().add(away), [operator]);
    const rest = (await lamports(paymaster.address)) - SOL;
    const back = SystemProgram.transfer({
      fromPubkey: paymaster.address,
      toPubkey: bench.client.program.provider.publicKey ?? operator.publicKey,
      lamports: rest - 5_000,
    });
    await bench.chain.send(new Transaction().add(back), [paymaster.payer]);
    expect(await lamports(operator.publicKey)).to.equal(0);
    expect(await lamports(paymaster.address)).to.equal(SOL);
  }

  const line = (msg: string): Promise<LogLine> =>
    bench.until(`it says "${msg}"`, () => Promise.resolve(daemon.said(msg)[0]));

  const ownVote = (audit: Audit, state: Vote["state"]): Promise<Vote> =>
    bench.until(`the vote is ${state}`, async () => {
      const address = voteAddress(audit.address, hand.owner.publicKey);
      const vote = await bench.client.find("vote", address);
      return vote?.state === state ? vote : null;
    });

  /** A worker that lies, and that nobody has accused yet. */
  async function liar(): Promise<void> {
    const { client, chain, task } = bench;
    const worker = await bench.join("worker", 2_000n);
    const slot = await chain.waitForSlot((await chain.slot()) + 1n);
    const round = roundAt(await client.fetch("task", task), slot);
    const work = { payloadHash: new Uint8Array(32).fill(8), payloadUri: "liar:" };
    await bench.send(client.submitWork({ task, owner: worker.publicKey, round, ...work }), worker);
  }

  /** Lets slots pass until something is so. */
  async function go<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
    return bench.until(what, async () => {
      const found = await ask();
      if (found === null) await bench.chain.waitForSlot((await bench.chain.slot()) + 2n);
      return found;
    });
  }

  it("commits, reveals, accuses and closes; a sponsor pays, and gets all rents back", async () => {
    await daemon.start();
    const audit = await bench.quarrel();
    await liar();
    await bench.chain.waitForSlot(audit.openSlot + 30n);
    const { payer } = await ownVote(audit, "committed");
    expect(payer.equals(paymaster.address)).to.equal(true);
    await daemon.stop();

    // It has been asked for more by now, and a reveal is owed.
    const sponsor = { ...SPONSOR, url: paymaster.url, maxPerDay: 1 };
    daemon = new Inside({ ...hand.config, samples: 0, sponsor });
    await daemon.start();
    await bench.chain.waitForSlot(audit.revealSlot);
    await ownVote(audit, "revealed");
    await daemon.stop();

    daemon = new Inside({ ...hand.config, samples: 10 });
    await daemon.start();
    const task = await bench.client.fetch("task", bench.task);
    await bench.chain.waitForSlot(submissionEnd(task, 0n));
    const own = await go("its accusation", async () => {
      const audits = await bench.client.ofTask("audit", bench.task);
      return audits.find((one) => one.initiator.equals(hand.owner.publicKey)) ?? null;
    });
    expect(own.payer.equals(paymaster.address)).to.equal(true);
    const rents = SOL - (await fees()) - (await lamports(paymaster.address));
    expect(rents).to.be.greaterThan(0);
    // While it may accuse, it may do so again.
    await bench.chain.waitForSlot(own.endSlot);
    await go("all is closed", async () => {
      const audits = await bench.client.ofTask("audit", bench.task);
      const vote = await bench.client.find(
        "vote",
        voteAddress(audit.address, hand.owner.publicKey),
      );
      const left = audits.filter(({ payer }) => payer.equals(paymaster.address));
      const isOver = (await bench.chain.slot()) > auditEnd(task, 0n);
      return isOver && left.length === 0 && !vote ? true : null;
    });
    expect(await lamports(paymaster.address)).to.equal(SOL - (await fees()));
    expect(await lamports(hand.operator.publicKey)).to.equal(0);
    expect(daemon.said("the operator")).to.deep.equal([]);
    const { host, address } = await line("a sponsor pays fees and rents");
    expect([host, address]).to.deep.equal([
      new URL(paymaster.url).host,
      paymaster.address.toBase58(),
    ]);
  });

  it("says what is at stake while its sponsor is down, and goes on by itself", async () => {
    await daemon.start();
    const audit = await bench.quarrel();
    await bench.chain.waitForSlot(audit.openSlot + 30n);
    await ownVote(audit, "committed");
    paymaster.mode = "down";
    await bench.chain.waitForSlot(audit.revealSlot);
    const told = await line("THE SPONSOR DOES NOT PAY");
    expect([told.level, told.reveals, told.deposits, told.until]).to.deep.equal([
      50,
      1,
      audit.voteDeposit.toString(),
      audit.endSlot.toString(),
    ]);
    expect(told.message).to.match(/is in trouble: it answered 503/);
    const { message } = await line("failed, will try again");
    expect(message).to.equal(told.message);
    paymaster.mode = "honest";
    await ownVote(audit, "revealed");
    await line("the sponsor pays again");
    expect(JSON.stringify(daemon.lines)).not.to.contain(API_KEY);
  });

  it("works and votes openly in the same way, as a worker", async () => {
    await clear();
    await set({ commitSlots: 0n }, "worker");
    await daemon.start();
    const work = await bench.until("its work", async () => {
      const [first] = await bench.client.ofTask("submission", bench.task);
      return first;
    });
    const audit = await bench.quarrel();
    await bench.chain.waitForSlot(audit.openSlot + 30n);
    const vote = await bench.until("its vote", () =>
      bench.client.find("vote", voteAddress(audit.address, hand.owner.publicKey)),
    );
    const round = await bench.client.fetch("round", roundAddress(bench.task, 0n));
    for (const { payer } of [work, vote, round]) {
      expect(payer.equals(paymaster.address)).to.equal(true);
    }
    expect(await lamports(hand.operator.publicKey)).to.equal(0);
  });

  /** Lamports of what the sponsor signed and the chain took: a daemon may be stopped between the two. */
  async function fees(): Promise<number> {
    const signed = new Map(
      paymaster.signed.map((one) => [utils.bytes.bs58.encode(one.signature ?? []), feeOf(one)]),
    );
    const { value } = await bench.chain.connection.getSignatureStatuses([...signed.keys()]);
    return [...signed.values()].reduce((sum, fee, at) => sum + (value[at] ? fee : 0), 0);
  }
});
