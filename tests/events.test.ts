import { SecuringTasksClient } from "@securing-tasks/client";
import { Game } from "@securing-tasks/demo/game";
import { SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import { RULES } from "./utils/games";
import { CHAINS } from "./utils/validator";

for (const [where, chain] of CHAINS) {
  describe(`events ${where}`, () => {
    it("are all found where one transaction holds several instructions, of the program and others", async () => {
      const game = await Game.start({
        ...{ chain: await chain(), currency: "token", rules: RULES, seats: [], pool: 0n },
      });
      const { bank, creator } = game;
      const both = { task: game.task.address, creator: creator.publicKey };
      const client = new SecuringTasksClient(game.chain.provider(bank));
      const other = SystemProgram.transfer({
        ...{ fromPubkey: bank.publicKey, toPubkey: creator.publicKey, lamports: 1_000_000 },
      });
      const [pause, resume] = [
        await client.pauseTask(both).instruction(),
        await client.resumeTask(both).instruction(),
      ];
      const outcome = await game.chain.send(
        new Transaction().add(pause, other, resume, pause, other, resume),
        [bank, creator],
      );
      const { events, complete } = client.events(outcome);
      expect(complete).to.equal(true);
      expect(events.map(({ name }) => name)).to.deep.equal([
        ...["taskPaused", "taskResumed", "taskPaused", "taskResumed"],
      ]);
      expect(events.every(({ data }) => "task" in data && data.task.equals(both.task))).to.equal(
        true,
      );
    });
  });
}
