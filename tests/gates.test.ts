import type { Chain, TaskRules } from "@securing-tasks/client";
import { collectionProof, tokenAccountOf } from "@securing-tasks/client";
import { Game } from "@securing-tasks/demo/game";
import { TOKEN_2022_PROGRAM_ID, TOKEN_PROGRAM_ID } from "@solana/spl-token";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { RULES, expectRefusal } from "./utils/games";
import { Minter } from "./utils/minter";
import { refusal } from "./utils/refusal";
import { CHAINS } from "./utils/validator";

const SOL = 1_000_000_000n;

for (const [where, chain] of CHAINS) {
  describe(`gates ${where}`, () => {
    const game = async (here: Chain, rules: Partial<TaskRules>): Promise<Game> =>
      Game.start({
        chain: here,
        currency: "token",
        rules: { ...RULES, ...rules },
        seats: [],
        pool: 500n,
      });
    const worker = (name: string, owner: Keypair): Parameters<Game["join"]>[0] => ({
      name,
      role: "worker",
      stake: 2_500n,
      owner,
    });
    const witness = (name: string, owner: Keypair): Parameters<Game["join"]>[0] => ({
      name,
      role: "witness",
      stake: 2_500n,
      owner,
    });

    /** A join that the gate must refuse. */
    async function expectClosed(of: Game, seat: Parameters<Game["join"]>[0]): Promise<void> {
      const owner = await of.newcomer(seat.stake, seat.owner);
      const { task } = of;
      const { role, stake: amount } = seat;
      const startSlot = await of.startSlot();
      const join = { task, owner: owner.publicKey, role, amount, startSlot };
      const builder = of.client.joinTask(join);
      await expectRefusal(of, "gateClosed", builder, owner);
    }

    it("take an allowlist of 300 from a CSV, and again without doing it twice", async () => {
      const only = await game(await chain(), { workerGate: { kind: "allowlist" } });
      await only.chain.fund(only.creator.publicKey, SOL);
      const owners = Array.from({ length: 299 }, () => Keypair.generate());
      const lines = owners.map(({ publicKey }) => publicKey.toBase58());
      const csv = ["owner,role", ...lines, `${lines[0] ?? ""},witness`].join("\n");
      expect(await only.allow(lines.slice(0, 20).join("\n"), "worker")).to.equal(20);
      const progress: number[] = [];
      expect(
        await only.allow(csv, "worker", (done, all) => {
          expect(all).to.equal(300);
          progress.push(done);
        }),
      ).to.equal(280);
      expect(progress).to.have.length(1 + Math.ceil(280 / 11));
      expect([progress[0], progress.at(-1)]).to.deep.equal([20, 300]);
      expect(progress).to.deep.equal([...progress].sort((a, b) => a - b));
      expect(await only.allow(csv, "worker")).to.equal(0);
      expect((await only.client.fetch("task", only.task.address)).entries).to.equal(300);

      await only.join(worker("one of them", owners[250] ?? Keypair.generate()));
      await expectClosed(only, worker("nobody", Keypair.generate()));
      const end = await only.end();
      expect([end.total, end.vault]).to.deep.equal([0n, 0n]);
      expect(only.index.differences(null)).to.deep.equal([]);
    });

    it("let in who is on the list, holds the token, or did well in another task", async () => {
      const here = await chain();
      const minter = await Minter.start(here);
      const mint = await minter.mint();
      const first = await game(here, {
        workerGate: { kind: "allowlist" },
        witnessGate: { kind: "token", mint, least: 100n },
      });
      const { client, task, creator } = first;
      const [ada, ben, wanda] = [Keypair.generate(), Keypair.generate(), Keypair.generate()];

      const listed = [ada, ben].map((key) => key.publicKey.toBase58());
      expect(await first.allow(listed.join("\n"), "worker")).to.equal(2);
      await first.join(worker("Ada", ada));
      await first.join(worker("Ben", ben));
      await expectClosed(first, worker("Carl", Keypair.generate()));
      await expectClosed(first, witness("Wanda", wanda));
      await minter.give(mint, wanda.publicKey, 99n);
      await expectClosed(first, witness("Wanda", wanda));
      await minter.give(mint, wanda.publicKey, 1n);
      await first.join(witness("Wanda", wanda));

      // Off the list, Ben's next work is refused.
      const benOut = { task: task.address, remover: creator.publicKey, owner: ben.publicKey };
      await first.send(client.disallowNode({ ...benOut, role: "worker" }), creator);
      await minter.take(mint, wanda, 1n);
      const round = await first.round();
      const work = await first.submit("Ada", round);
      const closed = client.submitWork({
        task: task.address,
        owner: ben.publicKey,
        operator: first.player("Ben").operator.publicKey,
        round,
        payloadHash: new Uint8Array(32).fill(1),
        payloadUri: "",
      });
      await expectRefusal(first, "gateClosed", closed, first.player("Ben").operator);
      // Whoever lost what another gate asks for still accuses and votes: it could be taken from jurors.
      await first.resolve(await first.accuse("Wanda", work, "malice"));
      await first.claimBounty(work);

      // Another task takes its witnesses by what they did in the first, and its workers from the first's nodes.
      const second = await game(here, {
        workerGate: { kind: "member", task: task.address },
        witnessGate: {
          kind: "standing",
          task: task.address,
          leastRoundsPaid: 1n,
          mostConvictions: 0,
        },
      });
      await second.join(witness("Ada", ada));
      await expectClosed(second, witness("Ben", ben));
      await second.join(worker("Ben", ben));
      await expectClosed(second, worker("Carl", Keypair.generate()));
      const audit = await second.accuse(
        "Ada",
        await second.submit("Ben", await second.round()),
        "downtime",
      );
      expect((await second.resolve(audit)).outcome).to.equal("noVerdict");

      // No member any more, Ben gets no work in; what he has leaves all the same.
      await first.send(
        client.requestLeave({ task: task.address, owner: ben.publicKey }),
        first.player("Ben").owner,
      );
      const late = client.submitWork({
        task: second.task.address,
        owner: ben.publicKey,
        operator: second.player("Ben").operator.publicKey,
        round: await second.round(),
        payloadHash: new Uint8Array(32).fill(1),
        payloadUri: "",
      });
      await expectRefusal(second, "gateClosed", late, second.player("Ben").operator);

      await Promise.all(
        [first, second].map(async (one) => {
          const end = await one.end();
          expect([end.total, end.vault]).to.deep.equal([0n, 0n]);
          expect(one.index.differences(null)).to.deep.equal([]);
        }),
      );
    });

    it("let in who holds a token of the collection", async () => {
      const here = await chain();
      const minter = await Minter.start(here);
      const group = await minter.group();
      const [member, stranger] = [await minter.member(group), await minter.mint()];
      const only = await game(here, { workerGate: { kind: "collection", group } });
      const ada = Keypair.generate();
      await minter.give(member, ada.publicKey, 1n, TOKEN_2022_PROGRAM_ID);
      await minter.give(stranger, ada.publicKey, 1n);

      const join = {
        task: only.task,
        owner: (await only.newcomer(2_500n, ada)).publicKey,
        role: "worker",
        amount: 2_500n,
        startSlot: await only.startSlot(),
      } as const;
      const unnamed = only.client.joinTask(join);
      expect((await refusal(unnamed.instruction())).message).to.contain("Say which");
      const wallet = { address: stranger, tokenProgram: TOKEN_PROGRAM_ID };
      const gate = { proof: tokenAccountOf(wallet, ada.publicKey), mint: stranger };
      await expectRefusal(only, "gateClosed", only.client.joinTask({ ...join, gate }), ada);

      await only.join({ ...worker("Ada", ada), gate: collectionProof(member, ada.publicKey) });
      await only.submit("Ada", await only.round());
      const end = await only.end();
      expect([end.total, end.vault]).to.deep.equal([0n, 0n]);
      expect(only.index.differences(null)).to.deep.equal([]);
    });
  });
}
