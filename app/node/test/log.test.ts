import { roundAt, roundStart } from "@securing-tasks/client";
import { expect } from "chai";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Hand } from "./utils/bench";
import { Bench, CLI } from "./utils/bench";

/** Much to tell, so that it shows who is told. */
const LOG = { logLevel: "debug" } as const;

describe("a daemon whose log goes nowhere", function () {
  this.timeout(240_000);
  let bench: Bench;
  let hand: Hand;

  beforeEach(async () => {
    bench = await Bench.make();
    hand = await bench.hire("worker", "worker", 2_000n, LOG);
  });

  afterEach(() => bench.end());

  /** It works, round after round, counts what it can't log, and ends when it is told to. */
  async function works(child: ChildProcess): Promise<void> {
    const task = await bench.client.fetch("task", bench.task);
    for (let rounds = 1; rounds <= 2; rounds += 1) {
      const round = roundAt(task, await bench.chain.waitForSlot(task.startSlot));
      await bench.until("work is submitted", async () => {
        const made = await bench.client.ofTask("submission", bench.task);
        return made.some((one) => one.round === round);
      });
      if (rounds === 1) {
        await bench.chain.waitForSlot(roundStart(task, round + 1n));
      }
    }
    await bench.until(
      "lines are dropped",
      async () => ((await bench.metric(hand, "log_lines_dropped_total")) ?? 0) > 0,
    );
    child.kill("SIGTERM");
    const begun = performance.now();
    if (child.exitCode === null) await once(child, "exit");
    expect([child.exitCode, child.signalCode]).to.deep.equal([0, null]);
    expect(performance.now() - begun).to.be.below(10_000);
  }

  it("works on where the disk is full", async () => {
    const full = openSync("/dev/full", "w");
    const child = bench.run(hand, ["ignore", full, "inherit"]);
    closeSync(full);
    await works(child);
  });

  it("works on where nobody reads any more", async () => {
    const child = bench.run(hand, ["ignore", "pipe", "inherit"], { program: CLI });
    (child.stdout as Readable).destroy();
    await works(child);
  });

  it("goes on where whoever reads stands still, and keeps only so much for it", async () => {
    const log = join(__dirname, "../dist/host/log.js");
    const many = `
      const { standardOutput } = require(${JSON.stringify(log)});
      let dropped = 0;
      const lines = standardOutput(() => (dropped += 1));
      for (let line = 0; line < 5_000; line += 1) lines.write("x".repeat(999) + "\\n");
      setImmediate(() => {
        process.stderr.write(JSON.stringify({ dropped, waiting: process.stdout.writableLength }));
        process.exit(0);
      });`;
    const child = spawn(process.execPath, ["-e", many], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.pause();
    let said = "";
    child.stderr.on("data", (part: Buffer) => (said += part.toString()));
    await once(child, "close");
    const { dropped, waiting } = JSON.parse(said) as { dropped: number; waiting: number };
    expect(waiting).to.be.within(1_000_000, 1_048_576);
    expect(dropped).to.be.within(3_000, 3_951);
  });
});
