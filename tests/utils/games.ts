import type { Audit, Chain, RefusalName, TaskRules } from "@securing-tasks/client";
import { assertBalanced, explain, longestCase, readLedger } from "@securing-tasks/client";
import type { Seat, Sendable } from "@securing-tasks/demo/game";
import { Game } from "@securing-tasks/demo/game";
import type { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { refusal } from "./refusal";

/** Rules whose windows a test can act in on a validator and wait for. Amounts are small, so that sums are easy to read. */
export const RULES: TaskRules = {
  roundSlots: 100n,
  submissionSlots: 40n,
  auditSlots: 50n,
  commitSlots: 0n,
  revealSlots: 40n,
  leaveDelaySlots: 130n,
  workerMinStake: 2_000n,
  witnessMinStake: 1_000n,
  bountyPerRound: 500n,
  initiatorBond: 101n,
  voteDeposit: 10n,
  appealSlots: 0n,
  appealBond: 0n,
  quorumVotes: 2,
  quorumBps: 3_000,
  downtimeBps: 1_000,
  maliceBps: 5_000,
  initiatorBonusBps: 3_000,
  poolBps: 1_000,
  panelSeats: 0,
  voteWeight: "node",
  rewardRule: "all",
  workerGate: { kind: "open" },
  witnessGate: { kind: "open" },
};

export function workers(stake: bigint, ...names: readonly string[]): Seat[] {
  return names.map((name) => ({ name, role: "worker", stake }));
}

export function witnesses(stake: bigint, ...names: readonly string[]): Seat[] {
  return names.map((name) => ({ name, role: "witness", stake }));
}

export const SEATS = [
  ...workers(5_000n, "Ada", "Ben", "Cleo"),
  ...witnesses(1_500n, "Wanda", "Wim", "Willa"),
];

/**
 * Rules of a life that is played at once, on a chain whose time stands still. So many seats that all are seated, and no panel fills the
 * quorum: an appeal must.
 */
export function rulesWith(votes: "open" | "committed"): TaskRules {
  const rules: TaskRules = {
    ...RULES,
    roundSlots: 1_000n,
    submissionSlots: 100n,
    auditSlots: 200n,
    commitSlots: votes === "open" ? 0n : 528n,
    revealSlots: votes === "open" ? 528n : 80n,
    appealSlots: 150n,
    appealBond: 60n,
    panelSeats: 65_535,
  };
  return { ...rules, leaveDelaySlots: longestCase(rules) };
}

/** Locked shares of every node, by name. */
export async function lockedShares(game: Game): Promise<Record<string, bigint>> {
  const { nodes } = await game.ledger();
  return Object.fromEntries(
    nodes.map((node) => [game.nameOf(node.owner), node.locked + node.lockedNext]),
  );
}

/** Everyone who voted claims. */
export async function claimAll(game: Game, audit: Audit): Promise<void> {
  for (const vote of await game.client.votesIn(audit.address)) {
    await game.claim(game.nameOf(vote.owner), audit);
  }
}

/** Sends what must be refused, for this reason, and sees that it changed nothing. */
export async function expectRefusal(
  game: Game,
  reason: RefusalName | RegExp,
  builder: Sendable,
  ...signers: readonly Keypair[]
): Promise<void> {
  const before = await readLedger(game.client, game.task.address);
  const explained = explain(await refusal(game.send(builder, ...signers)));
  const where = `${explained.message}\n${explained.logs.join("\n")}`;
  if (typeof reason === "string") expect(explained.name, where).to.equal(reason);
  else expect(explained.message, where).to.match(reason);
  const after = await readLedger(game.client, game.task.address);
  assertBalanced(after);
  expect(after).to.deep.equal(before);
}

/** Plays a task's whole life, in which every kind of event happens. */
export async function playLife(chain: Chain, votes: "open" | "committed"): Promise<Game> {
  const game = await Game.start({
    chain,
    currency: "token",
    rules: rulesWith(votes),
    seats: SEATS,
    pool: 1_000n,
  });
  const { client, task, creator } = game;
  const creatorOf = { task: task.address, creator: creator.publicKey };
  await game.send(client.pauseTask(creatorOf), creator);
  await game.send(client.resumeTask(creatorOf), creator);
  const entry = { ...creatorOf, role: "worker", owner: creator.publicKey } as const;
  await game.send(client.allowNode(entry), creator);
  await game.send(client.disallowNode({ ...entry, remover: creator.publicKey }), creator);
  const { owner, operator } = game.player("Ada");
  const ada = { task: task.address, owner: owner.publicKey };
  await game.send(client.requestLeave({ ...ada, amount: 1_000n }), owner);
  await game.send(client.cancelLeave(ada), owner);
  await game.newcomer(100n, owner);
  await game.send(client.addStake({ task, owner: owner.publicKey, amount: 100n }), owner);
  await game.send(client.setOperator({ ...ada, operator: owner.publicKey }), owner);
  await game.send(client.setOperator({ ...ada, operator: operator.publicKey }), owner);
  const round = await game.round();
  const work = await game.submit("Ben", round);
  const good = await game.submit("Ada", round);
  const say = async (audit: Audit, ...voters: readonly string[]): Promise<void> => {
    if (votes === "committed") {
      for (const name of voters) await game.commit(name, audit, "malice");
      for (const name of voters) await game.reveal(name, audit);
    } else for (const name of voters) await game.vote(name, audit, "malice");
  };
  const audit = await game.draw(await game.accuse("Wanda", work, "malice"));
  await say(audit, "Cleo", "Wim");
  await say(await game.appeal("Willa", audit), "Willa");
  const { firstOutcome, outcome } = await game.resolve(audit);
  expect([firstOutcome, outcome]).to.deep.equal(["noVerdict", "convictedMalice"]);
  await claimAll(game, audit);
  await game.claimBounty(good);
  await game.send(client.restake(ada), owner);
  await game.send(client.retireTask({ task, creator: creator.publicKey }), creator);
  await chain.waitForSlot((await chain.slot()) + game.rules.leaveDelaySlots);
  await game.send(client.returnStake({ task, owner: game.player("Wim").owner.publicKey }));
  await game.end();
  return game;
}
