import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Audit, Node, Opinion, Submission, TaskRules } from "@securing-tasks/client";
import {
  PROGRAM_ID,
  auditAddress,
  explain,
  isConvicted,
  longestCase,
  openAudits,
  pledged,
  seatOf,
  tokenAccountOf,
  voteAddress,
  weightOn,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { Seat, Sendable } from "@securing-tasks/demo/game";
import { Game } from "@securing-tasks/demo/game";
import type { PublicKey } from "@solana/web3.js";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { dice } from "../../../tests/utils/dice";
import { RULES, claimAll, expectRefusal, witnesses, workers } from "../../../tests/utils/games";

const BYTECODE = join(__dirname, "../../../target/deploy/securing_tasks.so");
const SEATS = [
  ...workers(5_000n, "Ada", "Ben", "Cleo"),
  ...witnesses(1_500n, "Wanda", "Wim", "Willa"),
];

const LONG: TaskRules = {
  ...RULES,
  roundSlots: 400n,
  submissionSlots: 100n,
  auditSlots: 200n,
  commitSlots: 40n,
  revealSlots: 40n,
  leaveDelaySlots: 600n,
  quorumVotes: 2,
};

/** Seats for about half of the votes. */
const PANELS: Partial<TaskRules> = {
  roundSlots: 1_500n,
  commitSlots: 530n,
  appealSlots: 150n,
  appealBond: 77n,
  panelSeats: 3,
};
const OPEN: Partial<TaskRules> = { ...PANELS, commitSlots: 0n, revealSlots: 530n };

/** A game compares all accounts with what the events add up to, after every transaction. */
async function start(rules: TaskRules, seats: readonly Seat[] = SEATS): Promise<Game> {
  const bytecode = await readFile(BYTECODE);
  const chain = EmbeddedChain.start([{ id: PROGRAM_ID, bytecode }]);
  return Game.start({ chain, currency: "token", rules, seats, pool: 5_000n });
}

async function later(game: Game, slots: bigint): Promise<void> {
  await game.chain.waitForSlot((await game.chain.slot()) + slots);
}

describe("several audits of one work", () => {
  let game: Game;
  let work: Submission;
  const now = (): Promise<Submission> => game.client.fetch("submission", work.address);
  const everyone = (audit: Audit, opinion: "valid" | "downtime" | "malice", names: string[]) => ({
    commit: async (): Promise<void> => {
      for (const name of names) await game.commit(name, audit, opinion);
    },
    reveal: async (): Promise<void> => {
      for (const name of names) await game.reveal(name, audit);
    },
  });

  beforeEach(async () => {
    game = await start(LONG);
    work = await game.submit("Ben", await game.round());
  });

  it("are open side by side, decided in their order, and cost no more than the gravest", async () => {
    const cheap = await game.accuse("Wim", work, "downtime");
    const true_ = await game.accuse("Wanda", work, "malice");
    expect(openAudits(await now())).to.equal(2);
    expect([cheap.attempt, true_.attempt]).to.deep.equal([0, 1]);
    const both = [
      everyone(cheap, "downtime", ["Ada", "Cleo", "Willa"]),
      everyone(true_, "malice", ["Ada", "Cleo", "Willa"]),
    ];
    for (const votes of both) await votes.commit();
    expect((await game.node("Ada")).commitments).to.equal(2);
    expect(pledged(await game.node("Ada"), LONG)).to.equal(20n);
    for (const votes of both) await votes.reveal();
    await game.chain.waitForSlot(true_.endSlot);
    await expectRefusal(game, "earlierAuditOpen", game.client.resolveAudit(true_));
    expect((await game.resolve(cheap)).outcome).to.equal("convictedDowntime");
    const after = await now();
    expect([after.status, after.slashed, openAudits(after)]).to.deep.equal([
      "convictedDowntime",
      500n,
      1,
    ]);
    const { client, task } = game;
    const again = {
      task: task.address,
      round: work.round,
      accused: work.owner,
      initiator: game.player("Cleo").owner.publicKey,
      operator: game.player("Cleo").operator.publicKey,
    };
    const accuse = (accusation: "downtime" | "malice"): Sendable =>
      client.openAudit({ ...again, accusation });
    await expectRefusal(game, "alreadyDecided", accuse("downtime"), game.player("Cleo").operator);
    expect((await game.resolve(true_)).outcome).to.equal("convictedMalice");
    await expectRefusal(game, "alreadyDecided", accuse("malice"), game.player("Cleo").operator);
    const end = await now();
    expect([end.status, end.slashed, isConvicted(end)]).to.deep.equal([
      "convictedMalice",
      2_500n,
      true,
    ]);
    const ben = await game.node("Ben");
    expect([ben.stake, ben.convictionsDowntime, ben.convictionsMalice]).to.deep.equal([
      2_500n,
      0,
      1,
    ]);
    expect(game.index.rounds.size).to.equal(1);
    expect([...game.index.rounds.values()][0]?.convictions).to.equal(1);
    for (const audit of [cheap, true_]) await claimAll(game, audit);
    await game.end();
  });

  it("follow an acquittal, and a bond and a deposit are lost out of the stake", async () => {
    const first = await game.accuse("Wim", work, "downtime");
    expect((await game.node("Wim")).bonds).to.equal(LONG.initiatorBond);
    const votes = everyone(first, "valid", ["Ada", "Cleo"]);
    await votes.commit();
    await game.commit("Willa", first, "valid");
    await votes.reveal();
    expect((await game.resolve(first)).outcome).to.equal("acquitted");
    expect((await now()).status).to.equal("acquitted");
    const wim = await game.node("Wim");
    expect([wim.stake, wim.bonds, wim.votesAgainstMajority]).to.deep.equal([1_399n, 0n, 1]);
    await claimAll(game, first);
    const willa = await game.node("Willa");
    expect([willa.stake, willa.commitments, willa.votesUnrevealed]).to.deep.equal([1_490n, 0, 1]);

    const second = await game.accuse("Wim", work, "malice");
    expect(second.address.equals(auditAddress(work.address, wim.owner, 1))).to.equal(true);
    expect([second.index, second.attempt]).to.deep.equal([1, 1]);
    const guilty = everyone(second, "malice", ["Ada", "Cleo", "Willa"]);
    await guilty.commit();
    await guilty.reveal();
    expect((await game.resolve(second)).outcome).to.equal("convictedMalice");
    // An acquittal takes nothing back of what is due later.
    expect((await now()).slashed).to.equal(2_500n);
    await claimAll(game, second);
    await game.end();
  });
});

describe("stake that comes and goes", () => {
  it("weighs on each work the least that was held since, to the unit", async () => {
    const game = await start(LONG);
    const { client, task, chain } = game;
    const { owner } = game.player("Ada");
    const ada = { task: task.address, owner: owner.publicKey };
    const add = (amount: bigint): Sendable =>
      client.addStake({ task, owner: owner.publicKey, amount });
    await game.newcomer(10_000n, owner);
    const slots: bigint[] = [];
    for (const amount of [1n, 10n, 100n]) {
      await later(game, 5n);
      // Two of one slot take one place.
      await game.send(add(amount), owner);
      await game.send(add(amount), owner);
      slots.push(await chain.slot());
    }
    const weights = async (): Promise<readonly bigint[]> => {
      const node = await game.node("Ada");
      return slots.map((slot) => weightOn(node, LONG, slot + 1n));
    };
    expect((await game.node("Ada")).arrivals.map(({ amount }) => amount)).to.deep.equal([
      5_000n,
      2n,
      20n,
      200n,
    ]);
    expect(await weights()).to.deep.equal([5_002n, 5_022n, 5_222n]);
    await later(game, 1n);
    await expectRefusal(game, "stakeAddedTooOften", add(1_000n), owner);
    // What goes is the youngest, and votes on work from before it asked.
    await game.send(client.requestLeave({ ...ada, amount: 210n }), owner);
    const asked = await chain.slot();
    const { askedToLeave } = await game.node("Ada");
    expect(askedToLeave.young.map(({ amount }) => amount)).to.deep.equal([10n, 200n]);
    expect(await weights()).to.deep.equal([5_002n, 5_022n, 5_222n]);
    expect(weightOn(await game.node("Ada"), LONG, asked + 1n)).to.equal(5_012n);
    await later(game, 1n);
    await game.send(client.cancelLeave(ada), owner);
    expect(await weights()).to.deep.equal([5_002n, 5_012n, 5_012n]);
    const cancelled = await chain.slot();
    expect(weightOn(await game.node("Ada"), LONG, cancelled + 1n)).to.equal(5_222n);
    // The oldest are forgotten once no case can ask for them.
    await later(game, longestCase(LONG));
    await game.send(add(1_000n), owner);
    expect((await game.node("Ada")).arrivals).to.have.length(1);

    const work = await game.submit("Ben", await game.round());
    expect(weightOn(await game.node("Ada"), LONG, work.slot)).to.equal(6_222n);
    const audit = await game.accuse("Ada", work, "malice");
    expect(audit.initiatorStake).to.equal(6_222n);
    const node = await game.node("Ada");
    expect(weightOn(node, LONG, node.joinedSlot)).to.equal(0n);
    expect(weightOn({ ...node, leaving: node.stake - 1_999n }, LONG, work.slot)).to.equal(0n);
  });

  it("stays as far as it is pledged", async () => {
    const game = await start({ ...LONG, auditSlots: 300n, roundSlots: 500n });
    const { client, task } = game;
    const work = await game.submit("Ben", await game.round());
    const { owner } = game.player("Wim");
    await game.send(
      client.requestLeave({ task: task.address, owner: owner.publicKey, amount: 500n }),
      owner,
    );
    await later(game, 250n);
    const audit = await game.accuse("Wim", work, "malice");
    await later(game, 350n);
    await game.send(client.requestLeave({ task: task.address, owner: owner.publicKey }), owner);
    await later(game, LONG.leaveDelaySlots);
    await game.send(client.withdraw({ task, owner: owner.publicKey }), owner);
    const wim = await game.node("Wim");
    expect([wim.stake, wim.leaving, wim.bonds]).to.deep.equal([101n, 101n, 101n]);
    await expectRefusal(
      game,
      "stakePledged",
      client.withdraw({ task, owner: owner.publicKey }),
      owner,
    );
    await game.resolve(audit);
    await game.send(client.withdraw({ task, owner: owner.publicKey }), owner);
    expect((await game.node("Wim")).stake).to.equal(0n);
  });
});

describe("a retired task", () => {
  it("is paid out and cleared away by anybody, and every rent goes to its payer", async () => {
    const game = await start(
      { ...LONG, workerGate: { kind: "allowlist" } },
      witnesses(1_500n, "Wim"),
    );
    const { client, task, creator, bank, chain } = game;
    const sponsor = Keypair.generate();
    await chain.fund(sponsor.publicKey, 1_000_000_000n);
    const owner = await game.newcomer(5_000n);
    const allowed = { task: task.address, role: "worker", owner: owner.publicKey } as const;
    const payer = sponsor.publicKey;
    await game.send(
      client.allowNode({ ...allowed, creator: creator.publicKey, payer }),
      creator,
      sponsor,
    );
    const join = client.joinTask({
      task,
      owner: owner.publicKey,
      payer,
      role: "worker",
      amount: 5_000n,
      startSlot: await game.startSlot(),
    });
    await game.send(join, owner, sponsor);
    const lamports = async (key: PublicKey): Promise<bigint> =>
      BigInt((await chain.account(key))?.lamports ?? 0);
    const rents = await lamports(payer);
    expect(rents < 1_000_000_000n).to.equal(true);

    const stranger = { remover: bank.publicKey };
    const back = client.returnStake({ task, owner: owner.publicKey });
    await expectRefusal(game, "notRetired", back);
    await game.send(client.retireTask({ task, creator: creator.publicKey }), creator);
    await expectRefusal(game, "notReleased", back);
    await expectRefusal(game, "notCreator", client.disallowNode({ ...allowed, ...stranger }));
    await later(game, LONG.leaveDelaySlots);
    await expectRefusal(
      game,
      "notOwner",
      client.returnStake({
        task,
        owner: owner.publicKey,
        destination: tokenAccountOf(task.mint, creator.publicKey),
      }),
    );
    for (const one of [owner.publicKey, game.player("Wim").owner.publicKey]) {
      await game.send(client.returnStake({ task, owner: one }));
      const close = client.closeNode({ task: task.address, owner: one, closer: bank.publicKey });
      await game.send(close);
    }
    expect(await game.wallet(owner.publicKey)).to.equal(5_000n);
    await game.send(client.disallowNode({ ...allowed, ...stranger }));
    expect(await lamports(payer)).to.equal(1_000_000_000n);
    await game.send(client.closeTask({ task, creator: creator.publicKey }));
    expect(await game.accountsLeft()).to.equal(0);
  });
});

describe("a game that goes as it will", () => {
  const games: readonly (readonly [string, Partial<TaskRules>])[] = [
    ["by stake, the majority paid, committed", { voteWeight: "stake", rewardRule: "majority" }],
    ["by node, all paid, open", { commitSlots: 0n }],
    ["by panels and appeals, by stake, committed", { ...PANELS, voteWeight: "stake" }],
    ["by panels and appeals, the majority paid, open", { ...OPEN, rewardRule: "majority" }],
  ];
  games.forEach(([name, changes], number) => {
    it(`is told by its events alone, to the unit: ${name}`, async function () {
      this.timeout(300_000);
      const rules = { ...LONG, ...changes, quorumBps: 1_000 };
      const game = await start({ ...rules, leaveDelaySlots: longestCase(rules) });
      await wander(game, dice(number + 11), rules.panelSeats > 0 ? 2 : 3);
      const happened = new Set(game.events.map((event) => event.name));
      if (rules.panelSeats > 0) {
        // Seats are drawn by keys that are new each time: what comes of them, the stories of panels tell.
        for (const kind of ["panelDrawn", "auditAppealed", "auditResolved"] as const) {
          expect(happened.has(kind), kind).to.equal(true);
        }
        return;
      }
      const moves = ["leaveRequested", "leaveCancelled", "withdrawn", "stakeAdded"] as const;
      for (const kind of moves) expect(happened.has(kind), kind).to.equal(true);
      const outcomes = new Set(
        game.events.map((event) => (event.name === "auditResolved" ? event.data.outcome : null)),
      );
      for (const outcome of ["acquitted", "convictedDowntime", "convictedMalice"] as const) {
        expect(outcomes.has(outcome), outcome).to.equal(true);
      }
    });
  });
});

/** Plays rounds in which everybody moves stake, accuses, votes and leaves as the dice fall. */
async function wander(game: Game, roll: (sides: number) => number, rounds: number): Promise<void> {
  const { client, task, chain, rules } = game;
  const names = [...game.players.keys()];
  const any = <T>(all: readonly T[]): T => all[roll(all.length)] as T;
  const nodeOf = (name: string): Node => {
    const node = game.index.nodes.get(game.player(name).node.toBase58());
    if (!node) throw new Error(`${name} has no node.`);
    return node;
  };
  /** What the program refuses is refused; but there is never a difference. */
  const attempt = async <T>(move: Promise<T>): Promise<T | null> => {
    try {
      return await move;
    } catch (error) {
      if (explain(error).code === null) throw error;
      return null;
    }
  };
  const stir = async (): Promise<void> => {
    const name = any(names);
    const { owner } = game.player(name);
    const own = { task: task.address, owner: owner.publicKey };
    const amount = BigInt(1 + roll(900));
    const moves = [
      () => client.addStake({ task, owner: owner.publicKey, amount }),
      () => client.requestLeave({ ...own, amount }),
      () => client.restake(own),
      () => client.cancelLeave(own),
      () => client.cancelLeave(own),
      () => client.withdraw({ task, owner: owner.publicKey }),
    ];
    await attempt(game.send(any(moves)(), owner));
    await later(game, BigInt(roll(2)));
  };
  for (const { owner } of game.players.values()) await game.newcomer(100_000n, owner);
  for (let round = 0; round < rounds; round += 1) {
    const number = await game.round();
    const works: Submission[] = [];
    for (const name of ["Ada", "Ben", "Cleo"]) {
      await stir();
      const work = await attempt(game.submit(name, number));
      if (work) works.push(work);
    }
    const audits: Audit[] = [];
    for (let accusation = 0; accusation < 5 && works.length > 0; accusation += 1) {
      await stir();
      const fault = any(["downtime", "malice"] as const);
      const audit = await attempt(game.accuse(any(names), any(works), fault));
      if (audit) audits.push(audit);
    }
    const drawn: Audit[] = [];
    for (const audit of audits) {
      const panel = rules.panelSeats > 0 && roll(5) > 0 && (await attempt(game.draw(audit)));
      drawn.push(panel || audit);
    }
    const vote = async (audit: Audit, sense: Opinion): Promise<void> => {
      for (const name of names) {
        if (roll(6) === 0) continue;
        const opinion = roll(6) === 0 ? any(["valid", "downtime", "malice"] as const) : sense;
        const weight = weightOn(nodeOf(name), rules, audit.submissionSlot);
        const { owner } = game.player(name);
        const seat = seatOf(audit, owner.publicKey, weight, await chain.slot());
        const voted =
          rules.commitSlots > 0n
            ? await attempt(game.commit(name, audit, opinion).then(() => true))
            : await attempt(game.vote(name, audit, opinion).then(() => true));
        if (!voted) continue;
        expect(["everybody", "seated"]).to.include(seat);
        const address = voteAddress(audit.address, owner.publicKey);
        expect(game.index.votes.get(address.toBase58())?.weight).to.equal(weight);
      }
    };
    const reveal = async (all: readonly Audit[]): Promise<void> => {
      const last = all.at(-1);
      if (!last || rules.commitSlots === 0n) return;
      await chain.waitForSlot(last.revealSlot);
      for (const one of game.index.votes.values()) {
        const audit = all.find(({ address }) => address.equals(one.audit));
        if (!audit || one.state !== "committed" || roll(8) === 0) continue;
        await attempt(game.reveal(game.nameOf(one.owner), audit));
      }
    };
    const senses = ["malice", "valid", "downtime"] as const;
    // Where a panel was not drawn, everybody votes in the end.
    if (rules.panelSeats > 0) await later(game, 257n);
    for (const [index, audit] of drawn.entries()) {
      await vote(audit, senses[(index + round) % 3] ?? "valid");
    }
    await reveal(drawn);
    const appealed: Audit[] = [];
    for (const audit of rules.appealSlots > 0n ? drawn : []) {
      const appeal = roll(4) > 0 && (await attempt(game.appeal(any(names), audit)));
      if (appeal) appealed.push(appeal);
    }
    for (const audit of appealed) await vote(audit, any(senses));
    await reveal(appealed);
    for (const audit of audits) {
      await stir();
      await attempt(game.resolve(audit));
    }
    for (const audit of audits) await claimAll(game, audit);
    for (const name of names) {
      const { owner } = game.player(name);
      if (roll(2) === 0) await chain.waitForSlot(nodeOf(name).leaveSlot);
      await attempt(game.send(client.withdraw({ task, owner: owner.publicKey }), owner));
    }
  }
  await game.end();
}
