import { isSeated, longestCase, panelSeed } from "@securing-tasks/client";
import { Game } from "@securing-tasks/demo/game";
import { SYSVAR_SLOT_HASHES_PUBKEY } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { RULES, claimAll, expectRefusal, witnesses, workers } from "./utils/games";
import { localnet } from "./utils/validator";

const NAMES = Array.from({ length: 8 }, (_, index) => `W${index}`);

describe("panels and appeals on a validator", () => {
  it("draws by a real block's hash, and seats whom the client says", async () => {
    const rules = {
      ...RULES,
      ...{ roundSlots: 900n, revealSlots: 528n, appealSlots: 150n, appealBond: 60n },
      ...{ panelSeats: 3, quorumVotes: 2 },
    };
    const chain = localnet();
    const game = await Game.start({
      chain,
      currency: "token",
      rules: { ...rules, leaveDelaySlots: longestCase(rules) },
      seats: [...workers(5_000n, "Ada", "Ben"), ...witnesses(1_500n, ...NAMES)],
      pool: 1_000n,
    });
    const work = await game.submit("Ben", await game.round());
    const audit = await game.draw(await game.accuse("Ada", work, "malice"));
    const { data } = (await chain.account(SYSVAR_SLOT_HASHES_PUBKEY)) ?? { data: Buffer.alloc(0) };
    // Behind their number, from the newest on: a slot and its block's hash. Slots without a block are left out.
    const blocks = Array.from({ length: Number(data.readBigUInt64LE()) }, (_, index) => ({
      slot: data.readBigUInt64LE(8 + 40 * index),
      hash: Uint8Array.from(data.subarray(16 + 40 * index, 48 + 40 * index)),
    })).filter(({ slot }) => slot >= audit.drawSlot);
    const secret = createHash("sha256").update(audit.address.toBase58()).digest();
    const first = blocks.at(-1)?.hash ?? new Uint8Array(32);
    expect(audit.seed).to.deep.equal(panelSeed(audit.address, Uint8Array.from(secret), first));
    for (const name of NAMES) {
      const { owner, operator } = game.player(name);
      if (isSeated(audit.seed ?? first, owner.publicKey, 1_500n, audit)) {
        await game.vote(name, audit, "malice");
        continue;
      }
      const vote = game.client.castVote({
        ...{ task: game.task.address, audit: audit.address, voter: owner.publicKey },
        ...{ operator: operator.publicKey, opinion: "malice" },
      });
      await expectRefusal(game, "notSeated", vote, operator);
    }
  });

  it("turns a verdict by an appeal, and gives its bond back", async () => {
    const rules = { ...RULES, appealSlots: 40n, appealBond: 60n, quorumBps: 0 };
    const game = await Game.start({
      chain: localnet(),
      currency: "token",
      rules: { ...rules, leaveDelaySlots: longestCase(rules) },
      seats: [...workers(5_000n, "Ada", "Ben"), ...witnesses(1_500n, ...NAMES)],
      pool: 1_000n,
    });
    const work = await game.submit("Ben", await game.round());
    const audit = await game.accuse("Ada", work, "malice");
    for (const name of ["W0", "W1"]) await game.vote(name, audit, "malice");
    const appealed = await game.appeal("W2", audit);
    expect(appealed.firstOutcome).to.equal("convictedMalice");
    for (const name of ["W2", "W3", "W4", "W5"]) await game.vote(name, appealed, "valid");
    const resolved = await game.resolve(audit);
    expect(resolved.outcome).to.equal("acquitted");
    await claimAll(game, resolved);
    const { stake, bonds } = await game.node("W2");
    expect([stake, bonds]).to.deep.equal([1_500n, 0n]);
    await game.end();
  });
});
