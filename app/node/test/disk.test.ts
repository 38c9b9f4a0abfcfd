import type { Audit } from "@securing-tasks/client";
import { auditEnd, voteAddress } from "@securing-tasks/client";
import { expect } from "chai";
import { execFileSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Hand } from "./utils/bench";
import { Bench } from "./utils/bench";

const WINDOWS = {
  roundSlots: 300n,
  submissionSlots: 60n,
  auditSlots: 60n,
  commitSlots: 60n,
  revealSlots: 60n,
  leaveDelaySlots: 500n,
};

describe("a daemon whose disk takes no more bytes", function () {
  this.timeout(300_000);
  let bench: Bench;
  let hand: Hand;
  let audit: Audit;
  let child: ChildProcess;

  beforeEach(async () => {
    bench = await Bench.make(WINDOWS);
    hand = await bench.hire("witness", "witness", 1_000n);
    child = bench.run(hand, ["ignore", "ignore", "inherit"]);
    await bench.until("it joins", async () => {
      const nodes = await bench.client.ofTask("node", bench.task);
      return nodes.length > 0;
    });
    audit = await bench.quarrel();
    await bench.chain.waitForSlot(audit.openSlot + 20n);
    await vote("committed");
  });

  afterEach(() => bench.end());

  /** Waits for the daemon's vote to come so far. */
  async function vote(state: "committed" | "revealed"): Promise<void> {
    const address = voteAddress(audit.address, hand.owner.publicKey);
    await bench.until(`the vote is ${state}`, async () => {
      const found = await bench.client.find("vote", address);
      return found?.state === state;
    });
  }

  it("reveals what it has committed, and goes on", async () => {
    execFileSync("prlimit", ["--pid", String(child.pid), "--fsize=0:"]);
    await bench.chain.waitForSlot(audit.revealSlot);
    await vote("revealed");
    await bench.until(
      "the failures are counted",
      async () => ((await bench.metric(hand, "state_errors_total")) ?? 0) > 0,
    );
    // There is room again: what it owes the state is written, and nothing is done twice.
    execFileSync("prlimit", ["--pid", String(child.pid), "--fsize=unlimited:"]);
    const task = await bench.client.fetch("task", bench.task);
    await bench.chain.waitForSlot(auditEnd(task, 0n) + task.rules.roundSlots);
    await bench.until("the vote is closed", async () => {
      const address = voteAddress(audit.address, hand.owner.publicKey);
      return (await bench.client.find("vote", address)) === null;
    });
    child.kill("SIGTERM");
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).to.equal(0);
  });

  it("reveals what was committed before it was killed", async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
    child = bench.run(hand, ["ignore", "ignore", "inherit"], { shell: "ulimit -f 0" });
    await bench.chain.waitForSlot(audit.revealSlot);
    await vote("revealed");
    expect(child.exitCode).to.equal(null);
  });
});
