import { voteAddress } from "@securing-tasks/client";
import { checkNodeConfig, startNode } from "@securing-tasks/node";
import type { LoadedFunction } from "@securing-tasks/sandbox";
import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RpcServer, chainAnswers } from "../utils/rpc_server";
import { gather } from "../../app/node/test/utils/crowd";

const AUDITS = Number(process.env["AUDITS"] ?? 60);
/** Of the windows for votes and for reveals. */
const WINDOW = BigInt(100 + 5 * AUDITS);
const SLOT_MS = 150;
const PER_SECOND = 10;

describe("a witness behind a server that limits calls", function () {
  this.timeout(400_000);
  let folder: string;
  let closing: (() => Promise<unknown>)[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "securing-tasks-limits-"));
    closing = [];
  });

  afterEach(async () => {
    for (const close of closing.reverse()) await close();
    rmSync(folder, { recursive: true });
  });

  it("commits and reveals all of its votes, and asks little more than it may", async () => {
    const { chain, client, task, audits, owner, operator } = await gather(AUDITS, WINDOW);

    const server = await RpcServer.start({
      answer: chainAnswers(chain),
      perSecond: PER_SECOND,
      retryAfter: 1,
    });
    closing.push(() => server.close());
    const operatorKeypair = join(folder, "operator.json");
    writeFileSync(operatorKeypair, JSON.stringify([...operator.secretKey]));
    const clock = setInterval(() => {
      void chain.slot().then((slot) => chain.waitForSlot(slot + 1n));
    }, SLOT_MS);
    closing.push(() => {
      clearInterval(clock);
      return Promise.resolve();
    });
    const node = await startNode(
      checkNodeConfig({
        rpcUrl: server.url,
        task: task.toBase58(),
        owner: owner.toBase58(),
        role: "witness",
        operatorKeypair,
        state: join(folder, "state"),
        samples: 0,
        chores: { resolve: false },
        logLevel: process.env.NODE_TEST_LOG === undefined ? "silent" : "debug",
      }),
      {
        loadFunction: () => Promise.resolve({} as LoadedFunction),
        runAudit: () => Promise.resolve({ ok: true, value: "valid", log: [], computeMs: 0 }),
      },
    );
    closing.push(() => node.stop());

    const states = (): Promise<string[]> =>
      Promise.all(
        audits.map(async ({ address }) => {
          const vote = await client.find("vote", voteAddress(address, owner));
          return vote?.state ?? "none";
        }),
      );
    const at = async (slot: bigint): Promise<void> => {
      while ((await chain.slot()) < slot) await new Promise((go) => setTimeout(go, SLOT_MS));
    };
    const [first] = audits;
    if (!first) throw new Error("There is no audit.");
    await at(first.revealSlot);
    const committed = (await states()).filter((state) => state !== "none").length;
    const calls = server.asked.length;
    await at(first.endSlot);
    const revealed = (await states()).filter((state) => state === "revealed").length;
    {
      const counts = new Map<string, number>();
      for (const { method } of server.asked) counts.set(method, (counts.get(method) ?? 0) + 1);
      const { refused, asked } = server;
      console.log({ committed, revealed, calls, all: asked.length, refused }, counts);
    }
    expect([committed, revealed]).to.deep.equal([AUDITS, AUDITS]);
    expect(server.refused).to.be.below(AUDITS);
    expect(calls).to.be.below(8 * AUDITS + 100);
  });
});
