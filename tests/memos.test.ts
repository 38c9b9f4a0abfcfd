import { explain, takingPayment, tokenAccountOf } from "@securing-tasks/client";
import { Game } from "@securing-tasks/demo/game";
import {
  ExtensionType,
  createEnableRequiredMemoTransfersInstruction,
  createReallocateInstruction,
  getAccount,
  getMemoTransfer,
} from "@solana/spl-token";
import { Transaction } from "@solana/web3.js";
import { expect } from "chai";
import { RULES, workers } from "./utils/games";
import { refusal } from "./utils/refusal";
import { CHAINS } from "./utils/validator";

for (const [where, chain] of CHAINS) {
  describe(`token accounts that take no payment without a memo ${where}`, () => {
    it("are paid where their owner signs, and ask for memos ever after", async () => {
      const game = await Game.start({
        chain: await chain(),
        currency: "token-2022",
        rules: RULES,
        seats: workers(5_000n, "picky"),
        pool: 0n,
      });
      const { owner } = game.player("picky");
      const { mint } = game.task;
      const account = tokenAccountOf(mint, owner.publicKey);
      await game.chain.send(
        new Transaction().add(
          createReallocateInstruction(
            account,
            game.bank.publicKey,
            [ExtensionType.MemoTransfer],
            owner.publicKey,
            [],
            mint.tokenProgram,
          ),
          createEnableRequiredMemoTransfersInstruction(account, owner.publicKey),
        ),
        [game.bank, owner],
      );
      const both = { task: game.task.address, owner: owner.publicKey };
      await game.send(game.client.requestLeave(both), owner);
      await game.chain.waitForSlot((await game.node("picky")).leaveSlot);

      const withdraw = () => game.client.withdraw({ task: game.task, owner: owner.publicKey });
      const { reason, message } = explain(await refusal(game.send(withdraw(), owner)));
      expect(reason).to.equal("memoMissing");
      expect(message).to.include(account.toBase58());

      const { connection } = game.chain;
      const { before, after } = await takingPayment(connection, mint, account, owner.publicKey);
      await game.send(withdraw().preInstructions(before).postInstructions(after), owner);
      const paid = await getAccount(connection, account, undefined, mint.tokenProgram);
      expect(paid.amount).to.equal(5_000n);
      expect(getMemoTransfer(paid)?.requireIncomingTransferMemos).to.equal(true);
      const other = await takingPayment(connection, mint, account, game.bank.publicKey);
      expect(other).to.deep.equal({ before: [], after: [] });
    });
  });
}
