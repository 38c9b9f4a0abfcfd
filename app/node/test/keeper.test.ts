import type { Audit, Opinion, SealedReveal } from "@securing-tasks/client";
import { MemorySaltStore, nodeAddress, sealReveal, voteAddress } from "@securing-tasks/client";
import type { NodeConfigInput } from "@securing-tasks/node";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import getPort from "get-port";
import type { Hand } from "./utils/bench";
import { Bench } from "./utils/bench";
import { Inside } from "./utils/inside";

const WINDOWS = {
  roundSlots: 1_000n,
  submissionSlots: 500n,
  auditSlots: 300n,
  commitSlots: 100n,
  revealSlots: 100n,
  leaveDelaySlots: 1_200n,
};

describe("a keeper", function () {
  this.timeout(200_000);
  let bench: Bench;
  let running: Inside[];

  beforeEach(async () => {
    bench = await Bench.make(WINDOWS);
    running = [];
  });

  afterEach(async () => {
    for (const one of running) await one.stop();
    await bench.end();
  });

  async function run(hand: Hand, more: Partial<NodeConfigInput> = {}): Promise<Inside> {
    const daemon = new Inside({ ...hand.config, samples: 0, ...more });
    running.push(daemon);
    await daemon.start();
    return daemon;
  }

  /** A witness whose daemon keeps reveals. */
  async function keep(
    keeper: NodeConfigInput["keeper"] = { for: "any" },
  ): Promise<{ readonly hand: Hand; readonly daemon: Inside; readonly url: string }> {
    const hand = await bench.hire("keeper", "witness", 1_000n, { keeper, quietSlots: 0 });
    return { hand, daemon: await run(hand), url: hand.config.http?.publicUrl ?? "" };
  }

  /** Somebody who commits, and sleeps from then on. */
  async function commit(voter: Keypair, audit: Audit, opinion: Opinion): Promise<SealedReveal> {
    const { builder, secret } = await bench.client.commitVote({
      task: bench.task,
      audit: audit.address,
      voter: voter.publicKey,
      opinion,
      salts: new MemorySaltStore(),
    });
    await bench.send(builder, voter);
    return sealReveal(bench.task, secret);
  }

  async function hand(url: string, sealed: unknown): Promise<readonly [number, string]> {
    const body = typeof sealed === "string" ? sealed : JSON.stringify(sealed);
    const answer = await fetch(`${url}/reveals`, { method: "POST", body });
    const { message } = (await answer.json()) as { readonly message: string };
    return [answer.status, message];
  }

  /** As soon as its daemon has seen the audit. */
  const handed = (url: string, sealed: SealedReveal): Promise<true> =>
    bench.until("the keeper takes it", async () => (await hand(url, sealed))[0] === 200);

  /** Daemons have had the time to do what is due. */
  async function looked(): Promise<void> {
    let looks = 0;
    bench.answers = ({ method }) => {
      if (method === "getMultipleAccounts") looks += 1;
      return undefined;
    };
    await bench.until("more looks", () => Promise.resolve(looks > 20));
  }

  const stateOf = async (audit: Audit, voter: Keypair["publicKey"]): Promise<string | null> =>
    (await bench.client.find("vote", voteAddress(audit.address, voter)))?.state ?? null;

  it("reveals in the second half of the window, after a restart too, and pays the fee", async () => {
    const { hand: own, daemon, url } = await keep();
    const voter = await bench.join("witness", 1_000n);
    const audit = await bench.quarrel();
    const sealed = await commit(voter, audit, "malice");
    await handed(url, sealed);
    await daemon.stop();
    await bench.chain.waitForSlot(audit.revealSlot);
    const before = await bench.chain.connection.getBalance(voter.publicKey);
    const again = await run(own);
    await bench.chain.waitForSlot(audit.revealSlot + 40n);
    await bench.until("it looks", () => bench.metric(own, "slot"));
    expect(await stateOf(audit, voter.publicKey)).to.equal("committed");
    await bench.chain.waitForSlot(audit.revealSlot + 80n);
    await bench.until(
      "a reveal",
      async () => (await stateOf(audit, voter.publicKey)) === "revealed",
    );
    await bench.until(
      "it is counted",
      async () => (await bench.metric(own, "kept_reveals_total")) === 1,
    );
    expect(await bench.chain.connection.getBalance(voter.publicKey)).to.equal(before);
    const { votes } = await bench.client.fetch("audit", audit.address);
    expect(votes.malice.nodes).to.be.at.least(2);
    // Once: the salt is known to all by now, and opens nothing more.
    expect(await hand(url, sealed)).to.deep.equal([
      409,
      "The vote is not secret, or not any more.",
    ]);
    expect(again.said("revealFor")).to.have.length(1);
  });

  it("pays nothing for who reveals by itself", async () => {
    const { hand: own, url } = await keep();
    const voter = await bench.join("witness", 1_000n);
    const audit = await bench.quarrel();
    const sealed = await commit(voter, audit, "malice");
    await handed(url, sealed);
    await bench.chain.waitForSlot(audit.revealSlot);
    await bench.send(bench.client.revealFor(sealed), voter);
    await bench.chain.waitForSlot(audit.revealSlot + 80n);
    await looked();
    await bench.chain.waitForSlot(audit.endSlot);
    await bench.until("a verdict", async () => {
      const found = await bench.client.find("audit", audit.address);
      return found?.outcome !== "open";
    });
    expect(await bench.metric(own, "kept_reveals_total")).to.equal(0);
    expect(running.flatMap((one) => one.said("revealFor"))).to.deep.equal([]);
    // Nor is it tried.
    const tried = running
      .flatMap((one) => one.said("somebody did it already"))
      .filter(({ duty }) => String(duty).startsWith("revealFor"));
    expect(tried).to.deep.equal([]);
  });

  it("takes what opens a committed vote of its task, and nothing else", async () => {
    const { url } = await keep();
    const voter = await bench.join("witness", 1_000n);
    const audit = await bench.quarrel();
    const sealed = await commit(voter, audit, "malice");
    const made = { ...sealed, salt: "11".repeat(32) };
    await bench.until("the keeper knows the audit", async () => {
      const [status, message] = await hand(url, made);
      return status === 400 && /does not open/.test(message);
    });
    await handed(url, sealed);
    const stranger = Keypair.generate().publicKey.toBase58();
    let asked = 0;
    bench.answers = ({ method }) => {
      if (method === "getAccountInfo") asked += 1;
      return undefined;
    };
    for (const [given, status, words] of [
      ["{", 400, /JSON/],
      [{ ...sealed, salt: "zz" }, 400, /64 hex digits/],
      [{ ...sealed, program: stranger }, 403, /another task/],
      [{ ...sealed, task: stranger }, 403, /another task/],
      [{ ...sealed, audit: stranger }, 404, /no such audit/],
      // The vote is known by now: what is made up for it costs no call.
      [{ ...sealed, salt: "00".repeat(32) }, 400, /does not open/],
      [{ ...sealed, opinion: "valid" }, 400, /does not open/],
    ] as const) {
      const [got, message] = await hand(url, given);
      expect([got, message], JSON.stringify(given)).to.satisfy(
        () => got === status && words.test(message),
      );
    }
    expect(asked).to.equal(0);
    expect(await hand(url, { ...sealed, voter: stranger })).to.deep.equal([
      404,
      "There is no such vote.",
    ]);
    const long = await fetch(`${url}/reveals`, { method: "POST", body: "x".repeat(1_025) });
    expect(long.status).to.equal(413);
    expect((await hand(url, sealed))[0]).to.equal(200);
    await bench.chain.waitForSlot(audit.endSlot);
    await bench.until("it is too late", async () => (await hand(url, sealed))[0] === 409);
  });

  it("keeps as much as its owner allows, and what is there already is no more", async () => {
    const { url } = await keep({ for: "any", max: 1 });
    const voters = [await bench.join("witness", 1_000n), await bench.join("witness", 1_000n)];
    const audit = await bench.quarrel();
    const sealed: SealedReveal[] = [];
    for (const voter of voters) sealed.push(await commit(voter, audit, "malice"));
    const [first, second] = sealed;
    if (!first || !second) throw new Error("There are two.");
    await handed(url, first);
    expect((await hand(url, second))[0]).to.equal(429);
    expect((await hand(url, first))[0]).to.equal(200);
  });

  it("counts what it paid in a day", async () => {
    const { hand: own, url } = await keep({ for: "any", maxPerDay: 1 });
    const voters = [await bench.join("witness", 1_000n), await bench.join("witness", 1_000n)];
    const audit = await bench.quarrel();
    const sealed: SealedReveal[] = [];
    for (const voter of voters) sealed.push(await commit(voter, audit, "malice"));
    const [first, second] = sealed;
    if (!first || !second) throw new Error("There are two.");
    await handed(url, first);
    expect((await hand(url, second))[0]).to.equal(429);
    await bench.chain.waitForSlot(audit.revealSlot + 80n);
    await bench.until(
      "it is counted",
      async () => (await bench.metric(own, "kept_reveals_total")) === 1,
    );
    // It has a place, and no money any more.
    expect((await hand(url, second))[0]).to.equal(429);
  });

  it("keeps for those whom its owner names alone, and without being asked to for nobody", async () => {
    const friend = await bench.join("witness", 1_000n);
    const stranger = await bench.join("witness", 1_000n);
    const { url } = await keep({ for: [friend.publicKey.toBase58()] });
    const none = await bench.hire("none", "witness", 1_000n, { quietSlots: 0 });
    await run(none);
    const audit = await bench.quarrel();
    const ours = await commit(friend, audit, "malice");
    const theirs = await commit(stranger, audit, "malice");
    await handed(url, ours);
    expect(await hand(url, theirs)).to.deep.equal([403, "This node keeps no reveals of yours."]);
    const body = JSON.stringify(ours);
    const answer = await fetch(`${none.config.http?.publicUrl ?? ""}/reveals`, {
      method: "POST",
      body,
    });
    expect(answer.status).to.equal(404);
  });

  describe("of a daemon", () => {
    /** A witness whose daemon has keepers, and that has committed. */
    async function voted(
      more: Partial<NodeConfigInput>,
    ): Promise<{ readonly hand: Hand; readonly daemon: Inside; readonly audit: Audit }> {
      const hand = await bench.hire("voter", "witness", 1_000n, { quietSlots: 0, ...more });
      const daemon = await run(hand);
      const audit = await bench.quarrel();
      await bench.chain.waitForSlot(audit.openSlot + 40n);
      await bench.until("its vote", async () => {
        return (await stateOf(audit, hand.owner.publicKey)) === "committed";
      });
      return { hand, daemon, audit };
    }

    it("hears of its vote when nobody can commit any more, and not before; all keepers are tried", async () => {
      const { hand: keeper, url } = await keep();
      const silent = `http://127.0.0.1:${await getPort()}`;
      const { hand, daemon, audit } = await voted({ keepers: [silent, `${url}/`] });
      await bench.chain.waitForSlot(audit.revealSlot - 1n);
      await bench.until("it looks", async () => {
        return Number(await bench.metric(hand, "slot")) >= Number(audit.revealSlot) - 1;
      });
      await looked();
      expect(daemon.said("handed a reveal")).to.deep.equal([]);
      await bench.chain.waitForSlot(audit.revealSlot);
      const told = await bench.until("it is handed", () =>
        Promise.resolve(daemon.said("handed a reveal")[0]),
      );
      expect([told.keeper, told.audit]).to.deep.equal([`${url}/`, audit.address.toBase58()]);
      await bench.until("the other is told of", () =>
        Promise.resolve(daemon.said("a keeper does not take")[0]),
      );
      // It is awake, and reveals by itself.
      await bench.until("its reveal", async () => {
        return (await stateOf(audit, hand.owner.publicKey)) === "revealed";
      });
      await bench.chain.waitForSlot(audit.revealSlot + 90n);
      expect(await bench.metric(keeper, "kept_reveals_total")).to.equal(0);
      expect(daemon.said("handed a reveal")).to.have.length(1);
    });

    it("reveals the vote of a phone that went to sleep", async () => {
      const { hand: keeper, url } = await keep();
      const { hand, daemon, audit } = await voted({ keepers: [url], keepersEarly: true });
      await bench.until("it is handed", () => Promise.resolve(daemon.said("handed a reveal")[0]));
      await daemon.stop();
      const { commitments } = await bench.client.fetch(
        "node",
        nodeAddress(bench.task, hand.owner.publicKey),
      );
      expect(commitments).to.equal(1);
      await bench.chain.waitForSlot(audit.revealSlot + 80n);
      await bench.until("a reveal", async () => {
        return (await stateOf(audit, hand.owner.publicKey)) === "revealed";
      });
      await bench.until("it is counted", async () => {
        return (await bench.metric(keeper, "kept_reveals_total")) === 1;
      });
    });
  });
});
