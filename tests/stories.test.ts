import { WRAPPED_SOL, submissionAddress, tokenAccountOf } from "@securing-tasks/client";
import { Game } from "@securing-tasks/demo/game";
import type { Currency } from "@securing-tasks/demo/game";
import { ACCOUNT_SIZE } from "@solana/spl-token";
import { expect } from "chai";
import { RULES, claimAll, lockedShares, witnesses, workers } from "./utils/games";
import { localnet } from "./utils/validator";

const SEATS = [
  ...workers(5_000n, "Ada", "Cleo", "Dora", "Emil"),
  ...workers(9_999n, "Ben"),
  ...witnesses(1_500n, "Wanda", "Wim"),
];
const POOL = 10_000n;
/** Of a round with one worker. */
const BOUNTY = RULES.bountyPerRound;

function start(currency: Currency, rules = RULES): Promise<Game> {
  return Game.start({ chain: localnet(), currency, rules, seats: SEATS, pool: POOL });
}

/** What each player's own account holds after the end, by name, against what it put in. */
async function gains(game: Game): Promise<Record<string, bigint>> {
  const entries = [...game.players.values()].map(
    async ({ name, owner, stake }): Promise<[string, bigint]> => [
      name,
      (await game.wallet(owner.publicKey)) - stake,
    ],
  );
  return Object.fromEntries(await Promise.all(entries));
}

describe("a whole audit", () => {
  it("convicts of malice, in Token: the slash goes to initiator, voters and pool, and all of it leaves", async () => {
    const game = await start("token");
    const work = await game.submit("Ben", await game.round());
    const audit = await game.accuse("Ada", work, "malice");
    await game.vote("Cleo", audit, "malice");
    await game.vote("Dora", audit, "valid");
    await game.vote("Wanda", audit, "malice");
    await game.vote("Wim", audit, "downtime");
    const resolved = await game.resolve(audit);
    expect(resolved.outcome).to.equal("convictedMalice");
    await claimAll(game, audit);

    // Half of 9,999 is 4,999: 30 % to the initiator, 60 % to the five who voted, the rest and what floors leave to the pool.
    const [slash, bonus, voters] = [4_999n, 1_499n, 2_999n];
    const share = voters / 5n;
    expect(await lockedShares(game)).to.deep.equal({
      Ada: bonus + share,
      Ben: 0n,
      Cleo: share,
      Dora: share,
      Emil: 0n,
      Wanda: share,
      Wim: share,
    });
    // What the convicted work would have earned waits in its round.
    expect((await game.ledger()).reserves).to.equal(BOUNTY);
    expect((await game.ledger()).pool).to.equal(POOL - BOUNTY + slash - bonus - 5n * share);
    const accused = await game.node("Ben");
    expect(accused.convictionsMalice).to.equal(1);
    expect(accused.stake).to.equal(9_999n - slash);
    expect((await game.client.fetch("submission", work.address)).status).to.equal(
      "convictedMalice",
    );
    expect(game.events.map(({ name }) => name)).to.include.members([
      "taskCreated",
      "taskFunded",
      "nodeJoined",
      "workSubmitted",
      "auditOpened",
      "voteCast",
      "auditResolved",
      "voteClaimed",
    ]);

    const end = await game.end();
    expect([end.total, end.vault]).to.deep.equal([0n, 0n]);
    expect(await gains(game)).to.deep.equal({
      Ada: bonus + share,
      Ben: -slash,
      Cleo: share,
      Dora: share,
      Emil: 0n,
      Wanda: share,
      Wim: share,
    });
    expect(await game.wallet(game.creator.publicKey)).to.equal(POOL + slash - bonus - 5n * share);
  });

  it("acquits, in Token-2022: the bond goes to the accused, to the majority alone, and to the pool", async () => {
    const game = await start("token-2022", { ...RULES, rewardRule: "majority" });
    const work = await game.submit("Cleo", await game.round());
    const audit = await game.accuse("Emil", work, "downtime");
    await game.vote("Ada", audit, "valid");
    await game.vote("Dora", audit, "valid");
    await game.vote("Wanda", audit, "valid");
    await game.vote("Wim", audit, "malice");
    expect((await game.resolve(audit)).outcome).to.equal("acquitted");
    await claimAll(game, audit);

    // Of the bond of 101 the accused has 30 %, three voters of the majority share 60 %, the pool has the rest.
    const [share, bonus] = [20n, 30n];
    expect((await game.node("Emil")).stake).to.equal(5_000n - 101n);
    expect((await game.node("Wim")).votesAgainstMajority).to.equal(1);
    expect((await game.client.fetch("submission", work.address)).status).to.equal("acquitted");

    const end = await game.end();
    expect([end.total, end.vault]).to.deep.equal([0n, 0n]);
    expect(await gains(game)).to.deep.equal({
      Ada: share,
      Ben: 0n,
      Cleo: bonus + BOUNTY,
      Dora: share,
      Emil: -101n,
      Wanda: share,
      Wim: 0n,
    });
  });

  it("decides nothing on too few votes, in wrapped SOL: all comes back, and a second audit convicts", async () => {
    const rules = { ...RULES, roundSlots: 150n, auditSlots: 110n, leaveDelaySlots: 190n };
    const game = await start("sol", rules);
    const work = await game.submit("Dora", await game.round());
    const thin = await game.accuse("Ada", work, "malice");
    await game.vote("Wim", thin, "malice");
    expect((await game.resolve(thin)).outcome).to.equal("noVerdict");
    await claimAll(game, thin);
    for (const name of ["Ada", "Dora"]) expect((await game.node(name)).stake).to.equal(5_000n);
    expect((await game.node("Wim")).stake).to.equal(1_500n);
    expect((await game.node("Wim")).votesWithMajority).to.equal(0);

    // Not cleared: the same work is accused again.
    const again = await game.client.fetch(
      "submission",
      submissionAddress(game.task.address, work.round, work.owner),
    );
    expect([again.status, again.audits]).to.deep.equal(["submitted", 1]);
    const audit = await game.accuse("Cleo", again, "downtime");
    for (const name of ["Ben", "Emil", "Wim"]) await game.vote(name, audit, "downtime");
    expect((await game.resolve(audit)).outcome).to.equal("convictedDowntime");
    await claimAll(game, audit);
    expect((await game.node("Dora")).stake).to.equal(4_500n);

    // Everyone got SOL, and no wrapped SOL is left behind.
    const owner = game.player("Cleo").owner.publicKey;
    const { lamports } = (await localnet().account(game.player("Cleo").node)) ?? { lamports: 0 };
    const before = BigInt(await localnet().connection.getBalance(owner));
    const end = await game.end();
    expect([end.total, end.vault]).to.deep.equal([0n, 0n]);
    // 30 % of 500 as initiator and a fourth of 60 %; the rents of node and of the account that unwrapping closes come back too.
    const gained = BigInt(await localnet().connection.getBalance(owner)) - before;
    const rent = await localnet().rentMinimum(ACCOUNT_SIZE);
    expect(gained).to.equal(5_000n + 150n + 75n + rent + BigInt(lamports));
    expect(await localnet().account(tokenAccountOf(WRAPPED_SOL, owner))).to.equal(null);
  });
});
