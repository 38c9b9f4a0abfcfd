import type { Ledger, Node, Task } from "@securing-tasks/client";
import { auditEnd, heldBy, isConvicted, readLedger, resolvableAt } from "@securing-tasks/client";
import { formatWhen } from "./amounts";
import type { TaskView } from "./lookup";
import { payOutAccount } from "./lookup";
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
export async function sweep(session: Session, view: TaskView): Promise<string[]> {
  const signatures: string[] = [];
  for (const step of STEPS) {
    // Each step frees what the next one closes.
    const ledger = await readLedger(session.client, view.task.address);
    const { what, builders } = await step(session, ledger, await session.chain.slot(), view);
    for (const { signature } of await sendAll(session, builders, what)) signatures.push(signature);
    if (builders.length > 0) note(session, `${what}: ${builders.length}`);
  }
  return signatures;
}

type MakeStep = (
  session: Session,
  ledger: Ledger,
  now: bigint,
  view: TaskView,
) => Step | Promise<Step>;

const STEPS: readonly MakeStep[] = [
  ({ client }, { task, audits, submissions }, now) => ({
    what: "resolving audits",
    builders: audits
      .filter((audit) => audit.outcome === "open" && now >= resolvableAt(audit, task.rules))
      // Those of one work in the order in which they were opened.
      .sort((a, b) => a.attempt - b.attempt)
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
      .filter((work) => {
        const open = rounds.find(({ number }) => number === work.round)?.openAudits ?? 0;
        return !isConvicted(work) && !work.paid && open === 0 && now >= auditEnd(task, work.round);
      })
      .map((submission) => client.claimBounty(submission)),
  }),
  ({ client }, { task, submissions }, now) => ({
    what: "closing submissions",
    builders: submissions
      .filter(
        (work) =>
          (work.paid || isConvicted(work)) &&
          work.liveAudits === 0 &&
          now >= auditEnd(task, work.round),
      )
      .map((submission) => client.closeSubmission(submission)),
  }),
  ({ client }, { rounds }) => ({
    what: "closing rounds",
    builders: rounds
      .filter(({ liveSubmissions }) => liveSubmissions === 0)
      .map((round) => client.closeRound(round)),
  }),
  async (session, { task, nodes }, now, view) => ({
    what: "paying nodes out",
    builders: isReleased(task, now)
      ? await Promise.all(
          nodes
            .filter((node) => heldBy(node) > 0n && !isBound(node))
            .map(async ({ owner }) => {
              const funder = session.wallet.publicKey;
              const { destination, before } = await payOutAccount(session, view, owner);
              return session.client
                .returnStake({ task: view.ref, owner, funder, ...(destination && { destination }) })
                .preInstructions(before);
            }),
        )
      : [],
  }),
  ({ client, wallet }, { task, nodes }) => ({
    what: "closing nodes",
    builders:
      task.status === "retired"
        ? nodes
            .filter((node) => heldBy(node) === 0n && node.live === 0)
            .map(({ owner, payer }) =>
              client.closeNode({ task: task.address, owner, closer: wallet.publicKey, payer }),
            )
        : [],
  }),
  ({ client, wallet }, { task, entries }, now) => ({
    what: "closing allowlist entries",
    builders:
      wallet.publicKey.equals(task.creator) || isReleased(task, now)
        ? entries.map((entry) => client.disallowNode({ ...entry, remover: wallet.publicKey }))
        : [],
  }),
];

/** First slot at which anybody may pay a retired task's nodes out and clear away what is left. */
export function releasedAt({ retiredSlot, rules }: Pick<Task, "retiredSlot" | "rules">): bigint {
  return retiredSlot + rules.leaveDelaySlots;
}

function isReleased(task: Task, now: bigint): boolean {
  return task.status === "retired" && now >= releasedAt(task);
}

/** Whether a verdict or claim may still take of the node's stake. */
function isBound({ openAudits, bonds, commitments }: Node): boolean {
  return openAudits > 0 || bonds > 0n || commitments > 0;
}

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
  const anybody = isReleased(task, now) ? "anybody may" : `anybody may ${when(releasedAt(task))}`;
  for (const audit of audits) {
    const { address, outcome, endSlot } = audit;
    if (outcome !== "open") continue;
    const end = resolvableAt(audit, task.rules);
    found.push(
      now < end
        ? `the audit ${address.toBase58()} ${now < endSlot ? "takes votes" : "can be appealed"}; it can be resolved ${when(end)}`
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
      const own =
        node.stake > node.leaving
          ? "its owner can ask to leave, and withdraw"
          : `its owner can withdraw ${now < free ? when(free) : "now"}`;
      found.push(
        `the node of ${owner} owns ${say(held)}; ${own}; ${anybody}${isBound(node) ? ", once its audits and votes are resolved and claimed" : ""}`,
      );
    } else found.push(`the node of ${owner} owns nothing and can be closed, by anybody`);
  }
  if (entries.length > 0) {
    found.push(
      `${entries.length} entries of the allowlist are open; the creator can close them; ${anybody}`,
    );
  }
  return found;
}
