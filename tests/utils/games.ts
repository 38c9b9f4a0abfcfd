import type { Audit, RefusalName, TaskRules } from "@securing-tasks/client";
import { assertBalanced, explain, readLedger } from "@securing-tasks/client";
import type { Game, Seat, Sendable } from "@securing-tasks/demo/game";
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
  quorumVotes: 2,
  quorumBps: 3_000,
  downtimeBps: 1_000,
  maliceBps: 5_000,
  initiatorBonusBps: 3_000,
  poolBps: 1_000,
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
