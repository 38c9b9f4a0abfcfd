import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { PROGRAM_ID, explain, heldBy } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Game } from "@securing-tasks/demo/game";
import { expect } from "chai";
import { RULES, witnesses, workers } from "../../../tests/utils/games";
import { refusal } from "../../../tests/utils/refusal";
import { statusLines, whyNothing, withdrawable } from "../src/commands/node";

const BYTECODE = join(__dirname, "../../../target/deploy/securing_tasks.so");

/** Deposits of 600 out of stakes of 1,000. */
const rules = {
  ...RULES,
  roundSlots: 200n,
  commitSlots: 30n,
  leaveDelaySlots: 300n,
  voteDeposit: 600n,
  quorumVotes: 2,
};

describe("what of a node can be withdrawn", () => {
  it("is what the program pays, at every slot, and its name for nothing is the program's", async () => {
    const bytecode = await readFile(BYTECODE);
    const game = await Game.start({
      chain: EmbeddedChain.start([{ id: PROGRAM_ID, bytecode }]),
      currency: "token",
      rules,
      seats: [...workers(2_000n, "worker"), ...witnesses(1_000n, "caller", "silent", "b", "c")],
      pool: 0n,
    });
    const work = await game.submit("worker", await game.round());
    const audit = await game.accuse("caller", work, "malice");
    for (const name of ["silent", "b", "c"]) await game.commit(name, audit, "valid");
    for (const name of ["b", "c"]) await game.reveal(name, audit);
    const names = ["worker", "caller", "silent", "b"] as const;
    for (const name of names) {
      const { owner } = game.player(name);
      const request = { task: game.task.address, owner: owner.publicKey };
      await game.send(game.client.requestLeave(request), owner);
    }
    /** Tries it, and compares. Gives what was paid, or why nothing was. */
    const withdraw = async (name: (typeof names)[number]): Promise<bigint | string | null> => {
      const before = await game.node(name);
      // A transaction is executed in the slot that it finds.
      const now = await game.chain.slot();
      const due = withdrawable(before, rules, now);
      const { owner } = game.player(name);
      const sent = game.send(
        game.client.withdraw({ task: game.task, owner: owner.publicKey }),
        owner,
      );
      if (due === 0n) {
        const { name: reason } = explain(await refusal(sent));
        expect(whyNothing(before, now), name).to.equal(reason);
        return reason;
      }
      await sent;
      expect(heldBy(before) - heldBy(await game.node(name)), name).to.equal(due);
      return due;
    };
    const all = async (): Promise<(bigint | string | null)[]> => {
      const found = [];
      for (const name of names) found.push(await withdraw(name));
      return found;
    };
    const nothing = "nothingToWithdraw";
    expect(await all()).to.deep.equal(["nodeAccused", nothing, nothing, nothing]);
    await game.chain.waitForSlot((await game.node("b")).leaveSlot);
    // A bond of 101 is open, and a vote that was never revealed.
    expect(await all()).to.deep.equal(["nodeAccused", 899n, 400n, 1_000n]);
    expect(await all()).to.deep.equal(["nodeAccused", "stakePledged", "stakePledged", nothing]);
    await game.resolve(audit);
    // The bond is lost, and the deposit with the claim.
    expect(await all()).to.deep.equal([2_000n, nothing, "stakePledged", nothing]);
    await game.claim("silent", audit);
    expect((await game.node("silent")).stake).to.equal(0n);
    expect(await all()).to.deep.equal([nothing, nothing, nothing, nothing]);
  });
});

describe("a node's status", () => {
  it("has what slashes took of the stake that stayed, as long as it counts", async () => {
    const bytecode = await readFile(BYTECODE);
    const game = await Game.start({
      chain: EmbeddedChain.start([{ id: PROGRAM_ID, bytecode }]),
      currency: "token",
      rules: { ...rules, commitSlots: 0n, quorumBps: 1_000 },
      seats: [...workers(6_000n, "worker"), ...witnesses(1_000n, "caller", "b", "c")],
      pool: 0n,
    });
    const { owner } = game.player("worker");
    const work = await game.submit("worker", await game.round());
    const leave = { task: game.task.address, owner: owner.publicKey, amount: 1_000n };
    await game.send(game.client.requestLeave(leave), owner);
    const audit = await game.accuse("caller", work, "malice");
    for (const name of ["b", "c"]) await game.vote(name, audit, "malice");
    const lines = async (now: bigint): Promise<string[]> => {
      const say = (amount: bigint): string => `${amount} tokens`;
      const view = { task: await game.client.fetch("task", game.task.address), say };
      // Coloured where a terminal or a CI is thought to show colours.
      const all = statusLines(view, await game.node("worker"), now, 400).map(
        stripVTControlCharacters,
      );
      return all.filter((line) => line.startsWith("slashed"));
    };
    expect(await lines(await game.chain.slot())).to.deep.equal([]);
    await game.resolve(audit);
    const now = await game.chain.slot();
    const [line, ...more] = await lines(now);
    // Half of 6,000, of which the leaving 1,000 went first.
    expect(line)
      .to.match(/^slashed\s+2000 tokens at slot /)
      .and.to.contain(now.toString());
    expect(more).to.deep.equal([]);
    expect(await lines(now + 1_000n)).to.deep.equal([]);
  });
});
