import type {
  Arrival,
  CaseRules,
  Departed,
  Electorate,
  Node,
  Role,
  Task,
  TaskRules,
} from "./types";

/*
 * The program's rules for a node's stake, on the same fields. What an indexer must know of them to follow a node by events alone.
 */

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type NodeState = Mutable<Node>;
/** A task as far as it knows who can vote. */
export type ElectorateState = Mutable<Pick<Task, "electorate" | "before" | "beforeSlot">>;

const WHOLE_BPS = 10_000;
/** Over this the program adds up nothing that was noted. */
const MOST_NOTED = 2n ** 64n - 1n;
/** Arrivals of stake that a node tells apart. */
const MOST_ARRIVALS = 4;
const NOBODY: Electorate = { stake: 0n, nodes: 0 };
export const NOTHING_DEPARTED: Departed = { parts: [], young: [] };

/** Stake that isn't leaving. */
export function activeStake(node: Pick<Node, "stake" | "leaving">): bigint {
  return node.stake - node.leaving;
}

/** The least stake that a role asks for. */
export function minStake(rules: TaskRules, { role }: { readonly role: Role }): bigint {
  return role === "worker" ? rules.workerMinStake : rules.witnessMinStake;
}

/** What must stay in a node's stake until its own accusations and commitments have ended, in base units. */
export function pledged(
  node: Pick<Node, "bonds" | "commitments">,
  rules: Pick<TaskRules, "voteDeposit">,
): bigint {
  return node.bonds + BigInt(node.commitments) * rules.voteDeposit;
}

/**
 * What a vote or accusation of the node weighs by stake on work that was submitted at `slot`: the least that it held ever since, and what it
 * asked to leave since. What was slashed since counts for the role's minimum. 0 where it has no say.
 */
export function weightOn(node: Node, rules: TaskRules, slot: bigint): bigint {
  if (node.joinedSlot >= slot) return 0n;
  const stays = activeStake(node) - since(node.arrivals, slot);
  const asked = wentSince(node.askedToLeave, slot);
  const standing = stays + asked + wentSince(node.slashed, slot);
  return standing >= minStake(rules, node) ? stays + least(asked, node.leaving) : 0n;
}

/** Longest time from a submission to the end of the last vote on it, in slots. An appeal has windows of its own. */
export function longestCase(rules: TaskRules): bigint {
  const { submissionSlots, auditSlots, commitSlots, revealSlots, appealSlots } = rules;
  const votes = commitSlots + revealSlots;
  const appeal = appealSlots > 0n ? appealSlots + votes : 0n;
  return submissionSlots + auditSlots + votes + appeal;
}

/** What a node could vote with on work of long ago. */
export function electorateOf(node: Node, rules: TaskRules): Electorate {
  const active = activeStake(node);
  return active >= minStake(rules, node) ? { stake: active, nodes: 1 } : NOBODY;
}

/** A transition of a node's stake, with what it does to the electorate. Every change of stake goes through here. */
export function change<T>(
  task: ElectorateState,
  node: NodeState,
  slot: bigint,
  rules: TaskRules,
  transition: () => T,
): T {
  const before = electorateOf(node, rules);
  if (node.beforeSlot !== slot) {
    node.before = before;
    node.beforeSlot = slot;
  }
  const result = transition();
  const after = electorateOf(node, rules);
  if (after.stake !== before.stake) {
    if (task.beforeSlot !== slot) {
      task.before = task.electorate;
      task.beforeSlot = slot;
    }
    task.electorate = sumOf(less(task.electorate, before), after);
  }
  return result;
}

/** What all nodes but this one could vote with just before `slot`, the current one. */
export function othersBefore(
  task: ElectorateState,
  node: Node,
  slot: bigint,
  rules: TaskRules,
): Electorate {
  const all = task.beforeSlot === slot ? task.before : task.electorate;
  const own = electorateBefore(node, slot, rules);
  return less(all, own);
}

/** Forgets a node, which has nothing left. */
export function closeNode(task: ElectorateState, node: Node, slot: bigint, rules: TaskRules): void {
  if (task.beforeSlot !== slot) return;
  task.before = less(task.before, electorateBefore(node, slot, rules));
}

export function addStake(node: NodeState, amount: bigint, slot: bigint, rules: TaskRules): void {
  node.stake += amount;
  arrive(node, amount, slot, rules);
}

/** Makes stake of what could leave besides stake, and answers how much. */
export function restake(node: NodeState, slot: bigint, rules: TaskRules): bigint {
  unlock(node, slot);
  const amount = node.payable;
  node.payable = 0n;
  addStake(node, amount, slot, rules);
  return amount;
}

export function requestLeave(
  node: NodeState,
  amount: bigint,
  leaveSlot: bigint,
  slot: bigint,
  rules: TaskRules,
): void {
  node.leaving += amount;
  node.leaveSlot = leaveSlot;
  const young = depart(node, amount, slot, rules);
  node.askedToLeave = noteDeparted(node.askedToLeave, amount, young, slot, rules);
}

export function cancelLeave(node: NodeState, slot: bigint, rules: TaskRules): void {
  const amount = node.leaving;
  node.leaving = 0n;
  nothingLeaves(node);
  arrive(node, amount, slot, rules);
}

/** Takes up to `due` of the stake, the leaving part first, and answers what was taken. */
export function slash(node: NodeState, due: bigint, slot: bigint, rules: TaskRules): bigint {
  const taken = least(due, node.stake);
  const fromLeaving = least(taken, node.leaving);
  node.stake -= taken;
  node.leaving -= fromLeaving;
  if (node.leaving === 0n) nothingLeaves(node);
  const active = taken - fromLeaving;
  if (active > 0n) {
    const young = depart(node, active, slot, rules);
    node.slashed = noteDeparted(node.slashed, active, young, slot, rules);
  }
  return taken;
}

/** An audit opens against the node, in which its stake was worth `accusedStake`. */
export function accuse(node: NodeState, accusedStake: bigint, { maliceBps }: CaseRules): void {
  node.risk = most(node.risk, bpsOf(accusedStake, maliceBps));
  node.openAudits += 1;
}

/** An audit against the node is resolved. */
export function release(node: NodeState): void {
  node.openAudits -= 1;
  if (node.openAudits === 0) node.risk = 0n;
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
export function withdraw(node: NodeState, slot: bigint, rules: TaskRules): bigint {
  unlock(node, slot);
  let amount = node.payable;
  node.payable = 0n;
  // An audit may still slash what is leaving.
  if (node.leaving > 0n && slot >= node.leaveSlot && node.openAudits === 0) {
    const bound = pledged(node, rules);
    const leaves = least(node.leaving, node.stake > bound ? node.stake - bound : 0n);
    amount += leaves;
    node.stake -= leaves;
    node.leaving -= leaves;
    if (node.leaving === 0n) nothingLeaves(node);
  }
  return amount;
}

/** Pays out all there is, whatever its delays, and answers how much that was. */
export function empty(node: NodeState): bigint {
  const amount = node.stake + node.locked + node.lockedNext + node.payable;
  Object.assign(node, {
    stake: 0n,
    leaving: 0n,
    leaveSlot: 0n,
    askedToLeave: NOTHING_DEPARTED,
    locked: 0n,
    lockedUntil: 0n,
    lockedNext: 0n,
    lockedNextUntil: 0n,
    payable: 0n,
    arrivals: [],
  } satisfies Partial<Node>);
  return amount;
}

/** A share of an amount in basis points, floored. */
export function bpsOf(amount: bigint, bps: number): bigint {
  return (amount * BigInt(bps)) / BigInt(WHOLE_BPS);
}

/** What the pool leaves the voters of a lost appeal's bond. */
export function appealPart(bond: bigint, { poolBps }: CaseRules): bigint {
  return bpsOf(bond, WHOLE_BPS - poolBps);
}

/** What bonus and pool leave for the voters, in basis points. */
export function votersBps(rules: CaseRules): number {
  return WHOLE_BPS - rules.initiatorBonusBps - rules.poolBps;
}

export function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
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

/** Notes stake that counts for work after `slot`. */
function arrive(node: NodeState, amount: bigint, slot: bigint, rules: TaskRules): void {
  const arrivals = note(remembered(node.arrivals, slot, rules), { slot, amount });
  if (!arrivals) throw new Error("stake comes where no place for it is left.");
  node.arrivals = arrivals;
}

/** Without the amounts of so long ago that no open vote can ask about them. */
function remembered(
  amounts: readonly Arrival[],
  slot: bigint,
  rules: TaskRules,
): readonly Arrival[] {
  return amounts.filter((one) => slot < one.slot + longestCase(rules));
}

/** An amount with others of its slot, or behind all; null where there is no place. */
function note(amounts: readonly Arrival[], one: Arrival): readonly Arrival[] | null {
  const at = amounts.findIndex(({ slot }) => slot === one.slot);
  if (at >= 0) return added(amounts, at, one.amount, one.slot);
  return amounts.length < MOST_ARRIVALS ? [...amounts, one] : null;
}

/** The amounts with more at one place, whose slot is set too. */
function added(
  amounts: readonly Arrival[],
  place: number,
  more: bigint,
  slot: bigint,
): readonly Arrival[] {
  return amounts.map((one, at) =>
    at === place ? { slot, amount: least(one.amount + more, MOST_NOTED) } : one,
  );
}

/** Notes what goes at `slot`, and what of it is young. What has no place counts with the last. */
function noteDeparted(
  departed: Departed,
  amount: bigint,
  youngParts: readonly Arrival[],
  slot: bigint,
  rules: TaskRules,
): Departed {
  const last = MOST_ARRIVALS - 1;
  let parts = remembered(departed.parts, slot, rules);
  parts = note(parts, { slot, amount }) ?? added(parts, last, amount, parts[last]?.slot ?? slot);
  let young = remembered(departed.young, slot, rules);
  for (const part of youngParts) {
    const younger = most(part.slot, young[last]?.slot ?? part.slot);
    young = note(young, part) ?? added(young, last, part.amount, younger);
  }
  return { parts, young };
}

/** The sum of what was noted at or after `slot`. */
function since(amounts: readonly Arrival[], slot: bigint): bigint {
  const sum = amounts.filter((one) => one.slot >= slot).reduce((all, one) => all + one.amount, 0n);
  return least(sum, MOST_NOTED);
}

/** What went since just before `slot` of what was there then. */
function wentSince({ parts, young }: Departed, slot: bigint): bigint {
  return most(since(parts, slot) - since(young, slot), 0n);
}

/** Nothing is leaving any more. */
function nothingLeaves(node: NodeState): void {
  node.leaveSlot = 0n;
  node.askedToLeave = NOTHING_DEPARTED;
}

/** Active stake goes: the youngest first. Answers what of it is young. */
function depart(
  node: NodeState,
  amount: bigint,
  slot: bigint,
  rules: TaskRules,
): readonly Arrival[] {
  const stays: Arrival[] = [];
  const goes: Arrival[] = [];
  let left = amount;
  for (const one of remembered(node.arrivals, slot, rules).toReversed()) {
    const part = least(left, one.amount);
    left -= part;
    if (part > 0n) goes.unshift({ slot: one.slot, amount: part });
    if (part < one.amount) stays.unshift({ slot: one.slot, amount: one.amount - part });
  }
  node.arrivals = stays;
  return goes;
}

/** What a node could vote with just before `slot`, the current one. */
function electorateBefore(node: Node, slot: bigint, rules: TaskRules): Electorate {
  return node.beforeSlot === slot ? node.before : electorateOf(node, rules);
}

function sumOf(a: Electorate, b: Electorate): Electorate {
  return { stake: a.stake + b.stake, nodes: a.nodes + b.nodes };
}

function less(a: Electorate, b: Electorate): Electorate {
  return { stake: a.stake - b.stake, nodes: a.nodes - b.nodes };
}
