import { expect } from "chai";
import { auditFacts, taskFacts, workFacts } from "@securing-tasks/sandbox";
import type { Submission, Task } from "@securing-tasks/client";
import { Connection, Keypair, PublicKey } from "@solana/web3.js";
import type { Answer } from "../../../tests/utils/rpc_server";
import { RpcServer, blockAt } from "../../../tests/utils/rpc_server";

const [owner, address, creator, operator] = [1, 2, 3, 4].map(
  (n) => new PublicKey(Buffer.alloc(32, n)),
) as [PublicKey, PublicKey, PublicKey, PublicKey];
const NODE = { owner, operator, publicUrl: "http://a", secrets: { key: "hidden" } };

const TASK = {
  address,
  creator,
  mint: creator,
  id: 2n ** 60n,
  startSlot: 1_000n,
  rules: {
    roundSlots: 100n,
    submissionSlots: 40n,
    auditSlots: 30n,
    commitSlots: 5n,
    revealSlots: 6n,
    bountyPerRound: 2n ** 60n,
  },
} as Task;
const SUBMISSION = {
  address: owner,
  owner,
  round: 2n,
  slot: 1_210n,
  payloadHash: new Uint8Array(32).fill(255),
  payloadUri: "http://a/b",
} as Submission;

/** What an RPC server has kept; slots that are missing here were skipped. */
interface Kept {
  readonly blocks: readonly number[];
  /** First slot that it hasn't cleaned up. */
  readonly from?: number;
  readonly tip?: number;
  /** Times that a block is asked for before it is there. */
  late?: number;
  readonly timeless?: boolean;
}

describe("facts", () => {
  let server: RpcServer;
  let kept: Kept;

  before(async () => {
    server = await RpcServer.start({
      answer: (method, params) => answer(method, params.map(Number)),
    });
  });
  after(() => server.close());

  /** As a validator of version 4 does. */
  function answer(method: string, [first = 0, last = 0]: readonly number[]): Answer {
    const { blocks, from = 0, tip = Math.max(...blocks) } = kept;
    if (method === "getSlot") return { result: tip };
    if (method === "getBlocks") {
      return { result: blocks.filter((slot) => slot >= from && slot >= first && slot <= last) };
    }
    if (first < from) return { error: { code: -32_001, message: "cleaned up" } };
    if (first > tip || (kept.late ?? 0) > 0) {
      kept.late = (kept.late ?? 0) - 1;
      return { error: { code: -32_004, message: "Block not available" } };
    }
    if (!blocks.includes(first)) return { error: { code: -32_007, message: "skipped" } };
    const block = blockAt(first, Math.max(0, ...blocks.filter((slot) => slot < first)));
    return { result: kept.timeless === true ? { ...block, blockTime: null } : block };
  }

  const rpc = () => new Connection(server.url, "confirmed");
  const message = async (facts: Promise<unknown>): Promise<string> => {
    const error: unknown = await facts.then(
      () => null,
      (reason: unknown) => reason,
    );
    return (error as Error).message;
  };

  it("tell what a task is, large amounts as they are", () => {
    expect(taskFacts(TASK)).to.deep.equal({
      address: address.toBase58(),
      creator: creator.toBase58(),
      id: "1152921504606846976",
      mint: creator.toBase58(),
      startSlot: 1_000,
      roundSlots: 100,
      submissionSlots: 40,
      bountyPerRound: "1152921504606846976",
    });
  });

  it("of an audit hang on the submission's block, and on the round's", async () => {
    kept = { blocks: [1_199, 1_203, 1_204, 1_210] };
    const facts = await auditFacts(rpc(), TASK, SUBMISSION);
    expect(facts.now).to.equal((1_700_000_000 + 1_210) * 1_000);
    expect(facts.submission).to.deep.equal({
      address: owner.toBase58(),
      owner: owner.toBase58(),
      round: 2,
      slot: 1_210,
      payloadHash: "ff".repeat(32),
      payloadUri: "http://a/b",
      // Submissions until 1,240, accusations until 1,270, and both stages of the last one's vote.
      caseEnd: 1_281,
    });
    // What an appeal takes comes after that.
    const appealable = { ...TASK, rules: { ...TASK.rules, appealSlots: 20n } };
    const { submission } = await auditFacts(rpc(), appealable, SUBMISSION);
    expect(submission.caseEnd).to.equal(1_281 + 20 + 11);
    const work = await workFacts(rpc(), TASK, 2n, NODE);
    expect(facts.roundSeed).to.equal(work.seed);
    // All that differs makes another seed.
    const other = { ...SUBMISSION, address: Keypair.generate().publicKey };
    const seeds = [facts.seed, work.seed, (await auditFacts(rpc(), TASK, other)).seed];
    kept = { blocks: [1_199, 1_203, 1_204, 1_209] };
    seeds.push((await auditFacts(rpc(), TASK, { ...SUBMISSION, slot: 1_209n })).seed);
    expect(new Set(seeds).size).to.equal(4);
    for (const seed of seeds) expect(seed).to.match(/^[0-9a-f]{64}$/);
  });

  it("of work hang on the first block of the round, after skipped slots", async () => {
    kept = { blocks: [1_199, 1_203, 1_204] };
    const { seed, now, ...rest } = await workFacts(rpc(), TASK, 2n, NODE);
    expect(now).to.equal((1_700_000_000 + 1_203) * 1_000);
    expect(rest).to.deep.equal({
      task: taskFacts(TASK),
      round: 2,
      owner: owner.toBase58(),
      operator: operator.toBase58(),
      publicUrl: "http://a",
      secrets: { key: "hidden" },
    });
    kept = { blocks: [1_202, 1_299, 1_303] };
    expect((await workFacts(rpc(), TASK, 3n, NODE)).seed).not.to.equal(seed);
  });

  it("ask once for the blocks that many audits hang on, and anew for what was not to be had", async () => {
    const connection = rpc();
    kept = { blocks: [1_199, 1_203, 1_204, 1_210], from: 1_204 };
    expect(await message(auditFacts(connection, TASK, SUBMISSION))).to.be.a("string");
    kept = { blocks: [1_199, 1_203, 1_204, 1_210] };
    const before = server.asked.length;
    const others = Array.from({ length: 20 }, () => Keypair.generate().publicKey);
    const facts = await Promise.all(
      others.map((one) => auditFacts(connection, TASK, { ...SUBMISSION, address: one })),
    );
    expect(new Set(facts.map(({ roundSeed }) => roundSeed)).size).to.equal(1);
    // The round's first slot and its block; the submissions' was to be had before.
    expect(server.asked.length - before).to.equal(2);
  });

  it("wait for a block that a busy server writes late", async () => {
    kept = { blocks: [1_199, 1_203, 1_210], late: 2 };
    expect((await workFacts(rpc(), TASK, 2n, NODE)).now).to.equal((1_700_000_000 + 1_203) * 1_000);
  });

  it("are refused when the server has cleaned the round up, even in part", async () => {
    const blocks = [1_199, 1_203, 1_204, 1_210, 1_500];
    // 1204 would look like the first block of the round, if its parent didn't tell.
    for (const from of [1_204, 1_211]) {
      kept = { blocks, from };
      expect(await message(auditFacts(rpc(), TASK, SUBMISSION))).to.contain("has it no more");
      expect(await message(workFacts(rpc(), TASK, 2n, NODE))).to.contain("has it no more");
    }
  });

  it("are refused without a block, without its time, and before the round", async () => {
    kept = { blocks: [1_199, 1_203, 1_215] };
    expect(await message(auditFacts(rpc(), TASK, SUBMISSION))).to.contain("no block of slot 1210");
    kept = { blocks: [1_199, 1_203, 1_210], timeless: true };
    expect(await message(auditFacts(rpc(), TASK, SUBMISSION))).to.contain("no block of slot 1210");
    kept = { blocks: [1_199] };
    expect(await message(workFacts(rpc(), TASK, 2n, NODE))).to.contain("has not begun yet");
  });

  it("keep the key in the server's address out of errors", async () => {
    kept = { blocks: [1_199, 1_203, 1_215] };
    const secret = new Connection(`${server.url}/?api-key=hidden`, "confirmed");
    expect(await message(auditFacts(secret, TASK, SUBMISSION))).not.to.contain("hidden");
  });
});
