import type { Audit } from "@securing-tasks/client";
import type { RecordedRun } from "@securing-tasks/sandbox";
import { replayRun } from "@securing-tasks/sandbox";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Hand } from "./utils/bench";
import { Bench } from "./utils/bench";
import { Inside } from "./utils/inside";

const WINDOWS = {
  roundSlots: 1_000n,
  submissionSlots: 500n,
  auditSlots: 300n,
  revealSlots: 100n,
  leaveDelaySlots: 1_200n,
};
/** What nobody should have submitted. */
const WORK = "not what was asked for";

describe("a daemon's accusation", function () {
  this.timeout(100_000);
  let bench: Bench;
  let daemon: Inside | null;
  let web: Server;

  beforeEach(async () => {
    bench = await Bench.make(WINDOWS);
    daemon = null;
    web = createServer((_request, response) => response.end(WORK)).listen(0, "127.0.0.1");
    await once(web, "listening");
  });

  afterEach(async () => {
    await daemon?.stop();
    web.closeAllConnections();
    web.close();
    await bench.end();
  });

  /** A worker does the wrong work, and a witness finds it. */
  async function accused(hand: Hand): Promise<Audit> {
    daemon = new Inside({ ...hand.config, rpcUrl: `${bench.rpcUrl}/?api-key=SECRET` });
    await daemon.start();
    const worker = await bench.join("worker", 2_000n);
    await bench.chain.waitForSlot((await bench.chain.slot()) + 1n);
    const { port } = web.address() as AddressInfo;
    const work = {
      ...{ task: bench.task, owner: worker.publicKey, round: 0n },
      payloadHash: createHash("sha256").update(WORK).digest(),
      payloadUri: `http://127.0.0.1:${port}/work`,
    };
    await bench.send(bench.client.submitWork(work), worker);
    const { startSlot } = await bench.client.fetch("task", bench.task);
    await bench.chain.waitForSlot(startSlot + 500n + 120n);
    return bench.until("an accusation", async () => {
      const [audit] = await bench.client.ofTask("audit", bench.task);
      return audit;
    });
  }

  /** The URI stands in the event alone. */
  async function uriOf({ address }: Audit): Promise<string | undefined> {
    const { connection } = bench.chain;
    const signatures = await connection.getSignaturesForAddress(address);
    for (const { signature } of signatures) {
      const { events } = bench.client.events(await bench.chain.outcome(signature));
      for (const event of events) if (event.name === "auditOpened") return event.data.evidenceUri;
    }
    return undefined;
  }

  it("rests on the recording of its run, which anybody gets from its service and plays again", async () => {
    const hand = await bench.hire("witness", "witness", 1_500n);
    const audit = await accused(hand);
    const uri = (await uriOf(audit)) ?? "";
    const hash = Buffer.from(audit.evidenceHash ?? []).toString("hex");
    expect(uri).to.equal(`${hand.config.http?.publicUrl ?? ""}/evidence/${hash}`);
    const answer = await fetch(uri);
    expect(answer.status).to.equal(200);
    const text = await answer.text();
    expect(createHash("sha256").update(text).digest("hex")).to.equal(hash);

    web.closeAllConnections();
    web.close();
    const run = JSON.parse(text) as RecordedRun;
    expect(run.facts.submission.address).to.equal(audit.submission.toBase58());
    expect(run.calls.map(({ door }) => door)).to.deep.equal(["fetch"]);
    expect(await replayRun(run)).to.include({ ok: true, value: "malicious" });

    // Nothing of who ran it.
    const secretKey = Buffer.from(
      JSON.parse(readFileSync(hand.config.operatorKeypair, "utf8")) as number[],
    );
    const operator = Keypair.fromSecretKey(secretKey).publicKey.toBase58();
    for (const own of [
      "SECRET",
      bench.rpcUrl,
      bench.folder,
      operator,
      hand.owner.publicKey.toBase58(),
    ]) {
      expect(text, own).not.to.contain(own);
    }

    // After a restart too.
    await daemon?.stop();
    await daemon?.start();
    expect(await (await fetch(uri)).text()).to.equal(text);
  });

  it("has a hash and no address where nobody could get it", async () => {
    const hand = await bench.hire("witness", "witness", 1_500n);
    const config = { ...hand.config };
    delete config.http;
    const audit = await accused({ ...hand, config });
    expect(audit.evidenceHash).to.have.length(32);
    expect(await uriOf(audit)).to.equal("");
  });
});
