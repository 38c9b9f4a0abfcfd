import type { CaseRules, Node, Tally, TaskRules } from "./types";

/*
 * What an indexer must know of the program's rules to follow a node by events alone: the same steps as the program's, on the
 * same fields.
 */

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type NodeState = Mutable<Node>;

const WHOLE_BPS = 10_000;

/** Stake that isn't leaving. */
export function activeStake(node: Node): bigint {
  return node.stake - node.leaving;
}

/** Active stake, and what audits hold of it. */
export function votingStake(node: Node): bigint {
  return activeStake(node) + node.lent;
}

export function addStake(node: NodeState, amount: bigint, slot: bigint, rules: TaskRules): void {
  node.stake += amount;
  markRecent(node, amount, slot, rules);
}

export function requestLeave(node: NodeState, amount: bigint, leaveSlot: bigint): void {
  node.leaving += amount;
  node.leaveSlot = leaveSlot;
  capRecent(node);
}

export function cancelLeave(node: NodeState, slot: bigint, rules: TaskRules): void {
  const amount = node.leaving;
  node.leaving = 0n;
  node.leaveSlot = 0n;
  markRecent(node, amount, slot, rules);
}

/** Lends a bond or deposit to an audit. */
export function lend(node: NodeState, amount: bigint): void {
  node.stake -= amount;
  node.lent += amount;
}

/** Takes a bond or deposit back. Answers what is active stake no more: a node that leaves with all it has takes it along. */
export function takeBack(node: NodeState, amount: bigint): bigint {
  const leaves = node.leaving > 0n && activeStake(node) === 0n;
  node.lent -= amount;
  node.stake += amount;
  if (!leaves) return 0n;
  node.leaving += amount;
  capRecent(node);
  return amount;
}

/** Loses a bond or deposit for good. */
export function loseLent(node: NodeState, amount: bigint): void {
  node.lent -= amount;
  capRecent(node);
}

/** Loses stake, the leaving part first. Answers how much of it was active. */
export function slash(node: NodeState, amount: bigint): bigint {
  const fromLeaving = least(amount, node.leaving);
  node.stake -= amount;
  node.leaving -= fromLeaving;
  if (node.leaving === 0n) node.leaveSlot = 0n;
  capRecent(node);
  return amount - fromLeaving;
}

/** Gets a share that is locked for the leave delay. */
export function lockReward(node: NodeState, amount: bigint, slot: bigint, rules: TaskRules): void {
  if (amount === 0n) return;
  unlock(node, slot);
  const until = slot + rules.leaveDelaySlots;
  if (node.locked === 0n) {
    node.locked = amount;
    node.lockedUntil = until;
  } else {
    node.lockedNext += amount;
    node.lockedNextUntil = until;
  }
}

/** Pays out all that can leave, and answers how much that was. */
export function withdraw(node: NodeState, slot: bigint): bigint {
  unlock(node, slot);
  let amount = node.payable;
  node.payable = 0n;
  // An audit may still slash what is leaving.
  if (node.openAudits === 0 && slot >= node.leaveSlot) {
    amount += node.leaving;
    node.stake -= node.leaving;
    node.leaving = 0n;
    node.leaveSlot = 0n;
  }
  return amount;
}

/** A share of an amount in basis points, floored. */
export function bpsOf(amount: bigint, bps: number): bigint {
  return (amount * BigInt(bps)) / BigInt(WHOLE_BPS);
}

/** What bonus and pool leave for the voters, in basis points. */
export function votersBps(rules: CaseRules): number {
  return WHOLE_BPS - rules.initiatorBonusBps - rules.poolBps;
}

/** What votes weigh by a task's rules. */
export function weightOf(tally: Tally, rules: CaseRules): bigint {
  return rules.voteWeight === "stake" ? tally.stake : BigInt(tally.nodes);
}

export function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function unlock(node: NodeState, slot: bigint): void {
  for (let box = 0; box < 2; box += 1) {
    if (slot < node.lockedUntil) continue;
    node.payable += node.locked;
    node.locked = node.lockedNext;
    node.lockedUntil = node.lockedNextUntil;
    node.lockedNext = 0n;
    node.lockedNextUntil = 0n;
  }
}

function markRecent(node: NodeState, amount: bigint, slot: bigint, rules: TaskRules): void {
  const longestCase =
    rules.submissionSlots + rules.auditSlots + rules.commitSlots + rules.revealSlots;
  if (slot >= node.recentSlot + longestCase) node.recent = 0n;
  node.recent += amount;
  node.recentSlot = slot;
}

function capRecent(node: NodeState): void {
  node.recent = least(node.recent, votingStake(node));
}
