import type { Ledger, Task } from "@securing-tasks/client";
import { auditEnd, heldBy, readLedger, submissionEnd } from "@securing-tasks/client";
import { formatWhen } from "./amounts";
import { note } from "./output";
import type { Sendable } from "./send";
import { sendAll } from "./send";
import type { Session } from "./session";

/** One step of the sweep: what, and the instructions that are due now. */
interface Step {
  readonly what: string;
  readonly builders: readonly Sendable[];
}

/**
 * Does all that anybody may do now with the accounts of a task, in the order in which they depend on one another. Answers the signatures.
 */
export async function sweep(session: Session, task: Task): Promise<string[]> {
  const signatures: string[] = [];
  for (const step of STEPS) {
    // Each step frees what the next one closes.
    const ledger = await readLedger(session.client, task.address);
    const { what, builders } = step(session, ledger, await session.chain.slot());
    for (const { signature } of await sendAll(session, builders, what)) signatures.push(signature);
    if (builders.length > 0) note(session, `${what}: ${builders.length}`);
  }
  return signatures;
}

type MakeStep = (session: Session, ledger: Ledger, now: bigint) => Step;

const STEPS: readonly MakeStep[] = [
  ({ client }, { audits, submissions }, now) => ({
    what: "resolving audits",
    builders: audits
      .filter(({ outcome, endSlot }) => outcome === "open" && now >= endSlot)
      .map((audit) => {
        const work = submissions.find(({ address }) => address.equals(audit.submission));
        return client.resolveAudit({ ...audit, ...(work && { round: work.round }) });
      }),
  }),
  ({ client }, { task, audits, votes }) => ({
    what: "claiming votes",
    builders: votes
      .filter(({ state, audit }) => {
        const judged = audits.find(({ address }) => address.equals(audit));
        return state !== "claimed" && judged?.outcome !== "open";
      })
      .map(({ audit, owner }) => client.claimVote({ task: task.address, audit, voter: owner })),
  }),
  ({ client }, { task, votes }) => ({
    what: "closing votes",
    builders: votes
      .filter(({ state }) => state === "claimed")
      .map((vote) => client.closeVote({ ...vote, task: task.address })),
  }),
  ({ client }, { audits }) => ({
    what: "closing audits",
    builders: audits
      .filter(({ outcome, liveVotes }) => outcome !== "open" && liveVotes === 0)
      .map((audit) => client.closeAudit(audit)),
  }),
  ({ client }, { task, submissions, rounds }, now) => ({
    what: "claiming bounties",
    builders: submissions
      .filter(({ status, paid, round }) => {
        const open = rounds.find(({ number }) => number === round)?.openAudits ?? 0;
        return status !== "convicted" && !paid && open === 0 && now >= auditEnd(task, round);
      })
      .map((submission) => client.claimBounty(submission)),
  }),
  ({ client }, { task, submissions }, now) => ({
    what: "closing submissions",
    builders: submissions
      .filter(
        ({ status, paid, liveAudits, round }) =>
          (paid || status === "convicted") && liveAudits === 0 && now >= submissionEnd(task, round),
      )
      .map((submission) => client.closeSubmission(submission)),
  }),
  ({ client }, { rounds }) => ({
    what: "closing rounds",
    builders: rounds
      .filter(({ liveSubmissions }) => liveSubmissions === 0)
      .map((round) => client.closeRound(round)),
  }),
  ({ client, wallet }, { task, nodes }) => ({
    what: "closing nodes",
    builders:
      task.status === "retired"
        ? nodes
            .filter((node) => heldBy(node) === 0n && node.live === 0)
            .map(({ owner }) =>
              client.closeNode({ task: task.address, owner, closer: wallet.publicKey }),
            )
        : [],
  }),
  ({ client, wallet }, { task, entries }) => ({
    what: "closing allowlist entries",
    builders: wallet.publicKey.equals(task.creator)
      ? entries.map(({ role, owner }) =>
          client.disallowNode({ task: task.address, creator: task.creator, role, owner }),
        )
      : [],
  }),
];

/** What keeps a task from being closed, and who can do what about it, in plain words. */
export function blockers(
  ledger: Ledger,
  now: bigint,
  say: (amount: bigint) => string,
  slotMs: number,
): string[] {
  const { task, audits, votes, submissions, rounds, nodes, entries } = ledger;
  const found: string[] = [];
  const when = (slot: bigint): string => formatWhen(slot, now, slotMs);
  for (const { address, outcome, endSlot } of audits) {
    if (outcome !== "open") continue;
    found.push(
      now < endSlot
        ? `the audit ${address.toBase58()} takes votes; it can be resolved ${when(endSlot)}`
        : `the audit ${address.toBase58()} waits to be resolved, by anybody`,
    );
  }
  const unclaimed = votes.filter(({ state }) => state !== "claimed").length;
  if (unclaimed > 0) found.push(`${unclaimed} votes are not claimed; anybody may, once resolved`);
  const closable =
    votes.length - unclaimed + audits.filter(({ outcome }) => outcome !== "open").length;
  if (closable > 0)
    found.push(`${closable} votes and audits are decided and not closed; anybody may`);
  for (const { number } of rounds) {
    const end = auditEnd(task, number);
    const works = submissions.filter(({ round }) => round === number).length;
    found.push(
      now < end
        ? `round ${number.toString()} can still be audited; it can be paid and closed ${when(end)}`
        : `round ${number.toString()} is over, with ${works} submissions to be paid or closed, by anybody`,
    );
  }
  for (const node of nodes) {
    const held = heldBy(node);
    const free = [node.leaveSlot, node.lockedUntil, node.lockedNextUntil].reduce((a, b) =>
      a > b ? a : b,
    );
    const owner = node.owner.toBase58();
    if (held > 0n) {
      found.push(
        node.stake > node.leaving
          ? `the node of ${owner} owns ${say(held)}; its owner must ask to leave, and withdraw`
          : `the node of ${owner} owns ${say(held)}; its owner can withdraw ${now < free ? when(free) : "now"}`,
      );
    } else found.push(`the node of ${owner} owns nothing and can be closed, by anybody`);
  }
  if (entries.length > 0)
    found.push(`${entries.length} entries of the allowlist are open; the creator can close them`);
  return found;
}
