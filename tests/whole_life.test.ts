import { PROGRAM_ID, tokenAccountOf } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Game, POCKET_MONEY } from "@securing-tasks/demo/game";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { RULES, claimAll, expectRefusal, witnesses, workers } from "./utils/games";
import { CHAINS } from "./utils/validator";

for (const [where, chain] of CHAINS) {
  describe(`a task's whole life ${where}`, () => {
    it("leaves no account behind, and every lamport but the fees comes back", async () => {
      const game = await Game.start({
        chain: await chain(),
        currency: "token",
        rules: { ...RULES, roundSlots: 150n, auditSlots: 100n, leaveDelaySlots: 190n },
        seats: [
          ...workers(5_000n, "Ada", "Ben", "Cleo"),
          ...witnesses(1_500n, "Wanda", "Wim", "Willa"),
        ],
        pool: 1_000n,
      });
      const { client, task, creator, bank } = game;
      const lamports = (key: Keypair): Promise<number> =>
        game.chain.connection.getBalance(key.publicKey);
      const [start, paid] = [await lamports(bank), game.fees];
      const creatorOf = { task: task.address, creator: creator.publicKey };

      // Pause and go on.
      await game.send(client.pauseTask(creatorOf), creator);
      await expectRefusal(game, "taskPaused", client.pauseTask(creatorOf), creator);
      const join = client.joinTask({
        task,
        owner: bank.publicKey,
        role: "witness",
        amount: 0n,
        startSlot: await game.startSlot(),
        source: tokenAccountOf(task.mint, creator.publicKey),
      });
      await expectRefusal(game, "taskPaused", join);
      await game.send(client.resumeTask(creatorOf), creator);
      await expectRefusal(game, "notPaused", client.resumeTask(creatorOf), creator);

      // What an owner does with its stake and its hot key.
      const { owner, operator } = game.player("Ada");
      const ada = { task: task.address, owner: owner.publicKey };
      await game.send(client.requestLeave({ ...ada, amount: 1_000n }), owner);
      await game.send(client.cancelLeave(ada), owner);
      for (const key of [Keypair.generate(), operator]) {
        await game.send(client.setOperator({ ...ada, operator: key.publicKey }), owner);
      }
      await expectRefusal(game, "notEmpty", client.closeNode(ada), owner);

      // Work, an audit too thin to decide, a second that convicts.
      const round = await game.round();
      const work = await game.submit("Ben", round);
      const good = await game.submit("Ada", round);
      const thin = await game.accuse("Wanda", work, "malice");
      await game.vote("Wim", thin, "valid");
      expect((await game.resolve(thin)).outcome).to.equal("noVerdict");
      const audit = await game.accuse(
        "Wanda",
        await client.fetch("submission", work.address),
        "malice",
      );
      for (const name of ["Cleo", "Wim", "Willa"]) await game.vote(name, audit, "malice");
      expect((await game.resolve(audit)).outcome).to.equal("convictedMalice");

      // Nothing closes while something is owed.
      const [vote] = await client.votesIn(thin.address);
      if (!vote) throw new Error("Wim's vote is gone.");
      const closeVote = client.closeVote({ ...vote, task: task.address });
      await expectRefusal(game, "notEmpty", closeVote);
      await claimAll(game, thin);
      await claimAll(game, audit);
      await expectRefusal(game, "notEmpty", client.closeAudit(thin));
      await expectRefusal(game, "roundUndecided", client.closeSubmission(good));
      const stranger = client.closeVote({ ...vote, task: task.address, payer: creator.publicKey });
      await expectRefusal(game, "wrongPayer", stranger);
      await game.claimBounty(good);
      await expectRefusal(game, "notEmpty", client.closeSubmission(work));
      const [open] = await client.ofTask("round", task.address);
      if (!open) throw new Error("The round is gone.");
      await expectRefusal(game, "notEmpty", client.closeRound(open));
      const closeTask = client.closeTask({ task, creator: creator.publicKey });
      await expectRefusal(game, "notRetired", closeTask);
      const closer = { ...ada, closer: bank.publicKey };
      await expectRefusal(game, "notRetired", client.closeNode(closer));

      const end = await game.end();
      expect([end.total, end.vault]).to.deep.equal([0n, 0n]);
      expect(game.index.task).to.equal(null);
      expect(game.index.differences(null)).to.deep.equal([]);
      expect(await game.accountsLeft()).to.equal(0);
      if (game.chain instanceof EmbeddedChain) {
        const left = await game.chain.connection.getProgramAccounts(PROGRAM_ID);
        expect(left).to.deep.equal([]);
      }

      const keys = [...game.players.values()].flatMap((player) => [player.owner, player.operator]);
      for (const key of [creator, ...keys]) {
        expect(await lamports(key)).to.equal(Number(POCKET_MONEY));
      }
      expect(start - (await lamports(bank))).to.equal(Number(game.fees - paid));
    });
  });
}
