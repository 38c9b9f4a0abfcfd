import { Game } from "@securing-tasks/demo/game";
import { auditEnd } from "@securing-tasks/client";
import { expect } from "chai";
import { RULES, claimAll, expectRefusal, witnesses, workers } from "./utils/games";
import { CHAINS } from "./utils/validator";

for (const [where, chain] of CHAINS) {
  describe(`bounties ${where}`, () => {
    it("are paid for the work of one round after the audits of the next", async () => {
      const game = await Game.start({
        chain: await chain(),
        currency: "token-2022",
        rules: {
          ...RULES,
          // Work of a round can be audited in the first slots of the next.
          roundSlots: 120n,
          submissionSlots: 60n,
          auditSlots: 80n,
          revealSlots: 40n,
          leaveDelaySlots: 180n,
        },
        seats: [
          ...workers(5_000n, "Ada", "Ben", "Cleo"),
          ...witnesses(1_500n, "Wanda", "Wim", "Willa"),
        ],
        pool: 800n,
      });
      const { client } = game;
      const first = await game.round();
      const works = [];
      for (const name of ["Ada", "Ben", "Cleo"]) works.push(await game.submit(name, first));
      const [ada, ben, cleo] = works;
      if (!ada || !ben || !cleo) throw new Error("Somebody did not submit.");
      expect((await game.ledger()).pool).to.equal(300n);
      await expectRefusal(game, "roundUndecided", client.claimBounty(ada));

      // The next round: new work, for all that is left in the pool, and an audit of the old.
      const task = await client.fetch("task", game.task.address);
      await game.chain.waitForSlot(task.startSlot + (first + 1n) * task.rules.roundSlots);
      const second = await game.round();
      expect(second).to.equal(first + 1n);
      const audit = await game.accuse("Wanda", ben, "downtime");
      const next = await game.submit("Ada", second);
      const { pool, reserves } = await game.ledger();
      expect([pool, reserves]).to.deep.equal([0n, 500n + 300n]);
      for (const name of ["Cleo", "Wim", "Willa"]) await game.vote(name, audit, "downtime");

      // The audit is open longer than work of the first round can be audited: nobody is paid before its verdict.
      await game.chain.waitForSlot(auditEnd(task, first));
      expect(audit.endSlot > auditEnd(task, first)).to.equal(true);
      await expectRefusal(game, "roundUndecided", client.claimBounty(ada));
      expect((await game.resolve(audit)).outcome).to.equal("convictedDowntime");
      await claimAll(game, audit);

      await expectRefusal(game, "convictedEarnsNothing", client.claimBounty(ben));
      await game.claimBounty(ada);
      await expectRefusal(game, "alreadyPaid", client.claimBounty(ada));
      await game.claimBounty(cleo);
      const node = await game.node("Ada");
      expect([node.payable, node.roundsPaid]).to.deep.equal([166n, 1]);

      // A bounty can leave at once, even while other work of the same node stands accused.
      const idle = await game.accuse("Wim", next, "malice");
      const { owner } = game.player("Ada");
      await game.send(client.withdraw({ task: game.task, owner: owner.publicKey }), owner);
      expect(await game.wallet(owner.publicKey)).to.equal(166n);

      expect((await game.resolve(idle)).outcome).to.equal("noVerdict");
      await game.claimBounty(next);
      expect((await game.node("Ada")).payable).to.equal(300n);
      // Ben's part and what the floors left over.
      expect((await game.ledger()).reserves).to.equal(500n - 2n * 166n);
      const before = (await game.ledger()).pool;
      await game.settle();
      expect((await game.ledger()).pool).to.equal(before + 168n);

      const end = await game.end();
      expect([end.total, end.vault]).to.deep.equal([0n, 0n]);
      expect(game.index.differences(null)).to.deep.equal([]);
    });
  });
}
