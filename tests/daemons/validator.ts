import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROGRAM_ID } from "@securing-tasks/client";
import { freePair } from "@securing-tasks/client/localnet";
import { Connection } from "@solana/web3.js";
import getPort from "get-port";

/** 50 ms slots: a tick takes 6.25 ms. */
const TICKS_PER_SLOT = "8";
const START_LIMIT_MS = 90_000;

/** A validator that can be killed and started again on the ledger and the ports that it had. */
export class FragileValidator {
  private process: ChildProcess | undefined;
  /** Newest confirmed slot when it was killed. */
  private reached = 0;

  private constructor(
    private readonly binary: string,
    private readonly bytecode: string,
    private readonly ledger: string,
    private readonly ports: { readonly rpc: number; readonly faucet: number; gossip: number },
  ) {}

  static async start(binary: string, bytecode: string): Promise<FragileValidator> {
    const ledger = await mkdtemp(join(tmpdir(), "securing-tasks-ledger-"));
    const ports = { rpc: await freePair(), faucet: await getPort(), gossip: await getPort() };
    const validator = new FragileValidator(binary, bytecode, ledger, ports);
    await validator.run(["--reset"]);
    return validator;
  }

  get rpcUrl(): string {
    return `http://127.0.0.1:${this.ports.rpc}`;
  }

  /** As a power cut would: nothing is flushed. */
  async kill(): Promise<void> {
    const { process: child } = this;
    if (!child) return;
    this.reached = await new Connection(this.rpcUrl, "confirmed").getSlot().catch(() => 0);
    this.process = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.run([]);
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.ledger, { recursive: true, force: true, maxRetries: 5 });
  }

  private async run(more: readonly string[]): Promise<void> {
    const { rpc, faucet, gossip } = this.ports;
    const child = spawn(
      this.binary,
      [
        "--quiet",
        ...more,
        ...["--ledger", this.ledger],
        ...["--rpc-port", String(rpc)],
        ...["--faucet-port", String(faucet)],
        ...["--gossip-port", String(gossip)],
        ...["--ticks-per-slot", TICKS_PER_SLOT],
        // All that a test does, to read it again at the end.
        ...["--limit-ledger-size", "50000000"],
        ...["--bpf-program", PROGRAM_ID.toBase58(), this.bytecode],
      ],
      { stdio: "ignore" },
    );
    this.process = child;
    const connection = new Connection(this.rpcUrl, "confirmed");
    const limit = Date.now() + START_LIMIT_MS;
    // Before it answers there is no slot to wait for: ask until it has read its ledger again and makes new ones.
    for (;;) {
      if ((await connection.getSlot("confirmed").catch(() => 0)) > this.reached) return;
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > limit) {
        const log = await readFile(join(this.ledger, "validator.log"), "utf8").catch(() => "");
        await this.close();
        throw new Error(`The validator did not start. It said:\n${log.slice(-2_000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
