import { MemorySaltStore } from "@securing-tasks/client";
import { FileSaltStore } from "@securing-tasks/client/files";
import { Game } from "@securing-tasks/demo/game";
import { expect } from "chai";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RULES, claimAll, expectRefusal, lockedShares, witnesses, workers } from "./utils/games";
import { refusal } from "./utils/refusal";
import { CHAINS } from "./utils/validator";

for (const [where, chain] of CHAINS) {
  describe(`committed votes ${where}`, () => {
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "securing-tasks-salts-"));
    });

    afterEach(async () => {
      await rm(folder, { recursive: true });
    });

    it("are secret until all are in; who never reveals loses its deposit to the pool", async () => {
      const game = await Game.start({
        chain: await chain(),
        currency: "token",
        rules: {
          ...RULES,
          roundSlots: 160n,
          submissionSlots: 40n,
          auditSlots: 40n,
          commitSlots: 60n,
          revealSlots: 60n,
          leaveDelaySlots: 200n,
        },
        seats: [
          ...workers(5_000n, "Ada", "Ben", "Cleo", "Dora"),
          ...witnesses(1_500n, "Wanda", "Wim"),
        ],
        pool: 1_000n,
        salts: new FileSaltStore(folder),
      });
      const work = await game.submit("Ben", await game.round());
      const audit = await game.accuse("Ada", work, "malice");
      for (const name of ["Cleo", "Dora", "Wanda"]) await game.commit(name, audit, "malice");
      await game.commit("Wim", audit, "valid");
      expect(await readdir(folder)).to.have.length(4);

      // Nothing is told yet but that they voted.
      const votes = await game.client.votesIn(audit.address);
      expect(votes.map(({ state }) => state)).to.deep.equal(Array(4).fill("committed"));
      const before = await game.client.fetch("audit", audit.address);
      expect([before.votes.valid.nodes, before.votes.malice.nodes]).to.deep.equal([0, 1]);

      const { task, client, salts } = game;
      const { owner, operator } = game.player("Cleo");
      const cleo = { task: task.address, audit: audit.address, voter: owner.publicKey };
      const own = { ...cleo, operator: operator.publicKey };
      const open = client.castVote({ ...own, opinion: "malice" });
      await expectRefusal(game, /is there already/, open, operator);
      const early = await client.revealVote({ ...cleo, salts });
      await expectRefusal(game, "votingClosed", early);
      const elsewhere = client.revealVote({ ...cleo, salts: new MemorySaltStore() });
      expect((await refusal(elsewhere)).message).to.match(/is not in this store/);

      // Cleo changed her mind too late: the second commitment is refused, and the first still opens.
      const second = await client.commitVote({ ...own, opinion: "valid", salts });
      await expectRefusal(game, /is there already/, second.builder, operator);
      for (const name of ["Cleo", "Dora", "Wanda"]) await game.reveal(name, audit);
      const again = client.program.methods
        .revealVote(2, [...new Uint8Array(32)])
        .accountsPartial(await early.pubkeys());
      await expectRefusal(game, "alreadyRevealed", again);
      expect(await readdir(folder)).to.have.length(1);

      const resolved = await game.resolve(audit);
      expect(resolved.outcome).to.equal("convictedMalice");
      await claimAll(game, audit);
      // 60 % of the half of 5,000 for the four who told; nothing for Wim.
      const share = 1_500n / 4n;
      expect(await lockedShares(game)).to.deep.equal({
        Ada: 750n + share,
        Ben: 0n,
        Cleo: share,
        Dora: share,
        Wanda: share,
        Wim: 0n,
      });
      const wim = await game.node("Wim");
      expect([wim.stake, wim.votesUnrevealed]).to.deep.equal([1_490n, 1]);
      expect((await game.ledger()).pool).to.equal(500n + 250n + 10n);

      const end = await game.end();
      expect([end.total, end.vault]).to.deep.equal([0n, 0n]);
      expect(game.index.differences(null)).to.deep.equal([]);
    });
  });
}
