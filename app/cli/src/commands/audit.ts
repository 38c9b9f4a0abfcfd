import { readFile } from "node:fs/promises";
import type { Audit, Submission, TaskEventNamed } from "@securing-tasks/client";
import {
  OPINIONS,
  auditAddress,
  auditEnd,
  isConvicted,
  juryOf,
  openAudits,
  sealReveal,
  submissionAddress,
  voteAddress,
} from "@securing-tasks/client";
import type { AuditFacts, LoadedFunction } from "@securing-tasks/sandbox";
import type { Command } from "commander";
import type { PublicKey } from "@solana/web3.js";
import { createHash } from "node:crypto";
import { formatShare, formatWhen, group } from "../amounts";
import { askFor, askOneOf, mustConfirm } from "../ask";
import { act, leaf } from "../command";
import { part } from "../create/economics";
import { EXIT, UsageError, UserError } from "../failures";
import { auditFactsSchema } from "../facts";
import { COLLECTION, gateOf } from "../gate";
import { readAddress } from "../keys";
import type { TaskView } from "../lookup";
import { account, askAddress, openTask, operatedNode } from "../lookup";
import { during, facts, note, result, table } from "../output";
import type { Sent } from "../send";
import { afterwards, send, sendAll, told } from "../send";
import type { Session } from "../session";
import { checkRecording } from "./audit-recording";
import {
  SALTS,
  handToKeepers,
  openSalts,
  readKeepers,
  registerReveal,
  writeSealed,
} from "./audit-reveal";

export function registerAudit(root: Command): void {
  const audit = root.command("audit").description("accuse work, vote, decide, take shares");

  act<{
    submission?: string;
    accused?: string;
    round?: string;
    accusation?: string;
    owner?: string;
    collectionMint?: string;
  }>(
    leaf(audit, "open [task]", "accuse work of downtime or malice; the operator signs", [
      "TASK --accused OWNER --round 12 --accusation malice",
      "TASK --submission SUBMISSION --accusation downtime",
    ])
      .option("--submission <address>", "the work")
      .option("--accused <owner>", "or who did it")
      .option("--round <number>", "and in which round")
      .option("--accusation <fault>", "downtime or malice")
      .option("--owner <address>", "owner of the accusing node, where the key operates several")
      .option(...COLLECTION),
    async (session, options, given) => {
      const view = await openTask(session, given);
      const { task } = view;
      const node = await operatedNode(session, task, ownerOf(options.owner));
      const submission = await findSubmission(session, view, options);
      const accusation = await askOneOf(session, options.accusation, {
        flag: "--accusation FAULT",
        message: "Of what?",
        choices: [
          { value: OPINIONS[1], about: "it can't be checked: nobody answers" },
          { value: OPINIONS[2], about: "it is wrong" },
        ],
      });
      const gate = await gateOf(session, task, node.role, node.owner, options.collectionMint);
      const open = openAudits(submission);
      if (open > 0) {
        note(
          session,
          `${group(open)} other audit${open === 1 ? " of this work is" : "s of this work are"} open. They are resolved first, and all together take no more than the slash for malice.`,
        );
      }
      await mustConfirm(
        session,
        `Accuse ${submission.owner.toBase58()} of ${accusation}? If it is acquitted, a bond of ${view.say(task.rules.initiatorBond)} is taken from the stake.`,
      );
      const sent = await send(
        session,
        session.client.openAudit({
          task: task.address,
          round: submission.round,
          accused: submission.owner,
          initiator: node.owner,
          operator: session.wallet.publicKey,
          accusation,
          index: node.audits,
          ...gate,
        }),
        [],
        "opening the audit",
      );
      const address = auditAddress(submission.address, node.owner, node.audits);
      const opened = await afterwards(() => account(session, "audit", address));
      const slotMs = await session.slotMs();
      result(
        session,
        {
          ...(opened ?? told(sent, "auditOpened")),
          audit: address,
          others: open,
          signature: sent.signature,
        },
        [
          ...(opened
            ? auditLines(view, opened, sent.slot, slotMs)
            : facts([["audit", address.toBase58()]])),
          ...facts([
            ["others open", group(open)],
            ["signature", sent.signature],
          ]),
        ],
      );
    },
  );

  act<{ open?: boolean }>(
    leaf(audit, "list [task]", "audits of a task that are not closed", [
      "TASK",
      "TASK --open --json",
    ]).option("--open", "only those without an outcome"),
    async (session, options, given) => {
      const view = await openTask(session, given);
      const all = await during(session, "reading audits", () =>
        session.client.ofTask("audit", view.task.address),
      );
      const found = all
        .filter(({ outcome }) => !options.open || outcome === "open")
        .sort((a, b) =>
          a.openSlot < b.openSlot ? -1 : a.openSlot > b.openSlot ? 1 : a.attempt - b.attempt,
        );
      const now = await session.chain.slot();
      const slotMs = await session.slotMs();
      result(
        session,
        found,
        found.length === 0
          ? ["There are no such audits."]
          : table(
              ["audit", "accused", "work", "of", "votes", "outcome"],
              found.map((one) => [
                one.address.toBase58(),
                one.accused.toBase58(),
                nth(one),
                one.accusation,
                group(OPINIONS.reduce((sum, opinion) => sum + one.votes[opinion].nodes, 0)),
                one.outcome === "open" ? `open, ${stage(one, now, slotMs)}` : one.outcome,
              ]),
            ),
      );
    },
  );

  act(
    leaf(audit, "show [audit]", "one audit and its votes", ["AUDIT"]),
    async (session, _, given) => {
      const found = await openAudit(session, given);
      const view = await openTask(session, found.task.toBase58());
      const votes = await session.client.votesIn(found.address);
      const earlier = await earlierOpen(session, found);
      const now = await session.chain.slot();
      const shown = { ...found, slot: now, ballots: votes };
      result(session, { ...shown, earlierOpen: earlier.map(({ address }) => address) }, [
        ...auditLines(view, found, now, await session.slotMs()),
        ...(earlier.length > 0 ? facts([["resolved first", names(earlier)]]) : []),
        ...(votes.length === 0
          ? []
          : table(
              ["voter", "vote", "weight", "share"],
              votes.map((vote) => [
                vote.owner.toBase58(),
                vote.state === "committed" ? "secret" : vote.opinion,
                view.say(vote.weight),
                vote.state === "claimed" ? "claimed" : "not claimed",
              ]),
            )),
      ]);
    },
  );

  act<{
    opinion?: string;
    owner?: string;
    salts?: string;
    keeper?: readonly string[];
    sealedOut?: string;
    collectionMint?: string;
  }>(
    leaf(
      audit,
      "vote [audit]",
      "vote openly, or commit to a vote that is revealed later; the operator signs",
      ["AUDIT --opinion malice", "AUDIT --opinion malice --keeper https://node.example"],
    )
      .option("--opinion <opinion>", "valid, downtime or malice")
      .option("--owner <address>", "owner of the voting node, where the key operates several")
      .option(
        "--keeper <url...>",
        "services of nodes that reveal a secret vote; they know it at once",
      )
      .option("--sealed-out <file>", "writes what reveals a secret vote, for whoever is to do it")
      .option(...SALTS)
      .option(...COLLECTION),
    async (session, options, given) => {
      const found = await openAudit(session, given);
      const view = await openTask(session, found.task.toBase58());
      const node = await operatedNode(session, view.task, ownerOf(options.owner));
      const keepers = readKeepers(options.keeper);
      const ballot = {
        task: found.task,
        audit: found.address,
        voter: node.owner,
        operator: session.wallet.publicKey,
      };
      const secret = found.revealSlot > found.openSlot;
      if (!secret && (keepers.length > 0 || options.sealedOut !== undefined)) {
        throw new UsageError(
          "Votes are open in this task: there is nothing to reveal later. Leave --keeper and --sealed-out out.",
        );
      }
      const now = await session.chain.slot();
      const slotMs = await session.slotMs();
      const vote = voteAddress(found.address, node.owner);
      const opinion = await askOneOf(session, options.opinion, {
        flag: "--opinion OPINION",
        message: "What do you vote?",
        choices: OPINIONS.map((value) => ({ value })),
      });
      const gate = await gateOf(session, view.task, node.role, node.owner, options.collectionMint);
      await mustConfirm(
        session,
        `Vote ${opinion}? A vote is for good${secret ? `, and a deposit of ${view.say(found.voteDeposit)} is taken from the stake unless you reveal it, ${formatWhen(found.revealSlot, now, slotMs)}` : ""}.`,
      );
      const salts = await openSalts(session, options.salts);
      const committed = secret
        ? await session.client.commitVote({ ...ballot, opinion, salts, ...gate })
        : null;
      const sealed = committed && sealReveal(found.task, committed.secret);
      if (sealed && options.sealedOut !== undefined) await writeSealed(options.sealedOut, sealed);
      const made = committed?.builder ?? session.client.castVote({ ...ballot, opinion, ...gate });
      const sent = await send(session, made, [], secret ? "committing to the vote" : "voting");
      const kept = sealed ? await handToKeepers(session, sealed, keepers) : [];
      result(
        session,
        {
          audit: found.address,
          vote,
          voter: node.owner,
          opinion,
          state: secret ? "committed" : "revealed",
          revealSlot: found.revealSlot,
          endSlot: found.endSlot,
          keepers: kept,
          signature: sent.signature,
        },
        [
          ...facts([
            ["voted", `${opinion}${secret ? ", in secret" : ""}`],
            ["signature", sent.signature],
          ]),
          ...(secret
            ? [
                `Reveal it ${formatWhen(found.revealSlot, now, slotMs)}, before slot ${group(found.endSlot)}, or lose the deposit of ${view.say(found.voteDeposit)}:`,
                `  securing-tasks audit reveal ${found.address.toBase58()}`,
              ]
            : []),
        ],
      );
    },
  );

  act(
    leaf(audit, "resolve [audit]", "decide an audit whose votes are in; anybody may", ["AUDIT"]),
    async (session, _, given) => {
      const found = await openAudit(session, given);
      const view = await openTask(session, found.task.toBase58());
      const now = await session.chain.slot();
      if (found.outcome === "open" && now < found.endSlot) {
        throw new UserError(
          `Votes are taken until slot ${group(found.endSlot)}, ${formatWhen(found.endSlot, now, await session.slotMs())}. Resolve it then.`,
          { name: "votingOpen" },
        );
      }
      // Who has resolved it already is told so by the program.
      const earlier = found.outcome === "open" ? await earlierOpen(session, found) : [];
      if (earlier.length > 0) {
        note(
          session,
          `Audits of the same work were opened before, and come first: ${names(earlier)}`,
        );
      }
      const all = await sendAll(
        session,
        [...earlier, found].map((one) => session.client.resolveAudit(one)),
        "resolving",
      );
      const resolved = await afterwards(() => openAudit(session, found.address.toBase58()));
      const event = resolvedIn(all, found);
      const signatures = all.map(({ signature }) => signature);
      result(
        session,
        {
          ...(resolved ?? found),
          ...(event && { outcome: event.outcome }),
          audit: found.address,
          resolved: event,
          earlier: earlier.map(({ address }) => address),
          signature: signatures.at(-1) ?? null,
          signatures,
        },
        [
          ...facts([
            ...(event
              ? ([
                  ["outcome", event.outcome],
                  ["slash", view.say(event.slash)],
                  ["bond lost", view.say(event.bondLost)],
                  ["to the initiator", view.say(event.initiatorAward)],
                  ["for the voters", view.say(event.votersPot)],
                ] as const)
              : []),
            ...earlier.map(
              (one) =>
                [
                  "before it",
                  `${one.address.toBase58()}: ${resolvedIn(all, one)?.outcome ?? "resolved"}`,
                ] as const,
            ),
            ["signature", signatures.at(-1) ?? ""],
          ]),
          ...((resolved ?? found).unclaimed > 0
            ? [`Voters take their shares: securing-tasks audit claim ${found.task.toBase58()}`]
            : []),
        ],
      );
    },
  );

  act<{ owner?: string }>(
    leaf(audit, "claim [task]", "credit a node with all its shares and bounties that are due", [
      "TASK",
      "TASK --owner OWNER",
    ]).option("--owner <address>", "for another node: anybody may claim for anybody"),
    async (session, options, given) => {
      const view = await openTask(session, given);
      const node = await operatedNode(session, view.task, ownerOf(options.owner));
      await claimAll(session, view, node.owner);
    },
  );

  registerReveal(audit);
  registerCheck(audit);
}

function registerCheck(audit: Command): void {
  act<{
    submission?: string;
    facts?: string;
    recording?: string;
    audit?: string;
    gateway?: readonly string[];
    allowPrivateNetwork?: boolean;
  }>(
    leaf(
      audit,
      "check [file]",
      "run an audit function again and again: its verdict must not move; or play a recorded run again",
      [
        "audit.js --facts facts.json",
        "audit.js --submission SUBMISSION",
        "--submission SUBMISSION",
        "--recording evidence.json --audit AUDIT",
      ],
    )
      .option(
        "--submission <address>",
        "check it on this work; without FILE, the task's own function",
      )
      .option("--facts <file>", "or on the facts in this JSON file")
      .option("--recording <file>", "plays the recorded run in this file again, without a network")
      .option("--audit <address>", "and looks whether it is the evidence of this audit")
      .option("--gateway <url...>", "content-addressed stores: URL/<SHA-256>")
      .option("--allow-private-network", "let it call private and loopback addresses"),
    async (session, options, file) => {
      const { recording, submission } = options;
      if (recording !== undefined) {
        if (file !== undefined || submission !== undefined || options.facts !== undefined) {
          throw new UsageError(
            "A recording has its own function and facts. Give --recording FILE without others; --audit ADDRESS may stand beside it.",
          );
        }
        await checkRecording(session, recording, options.audit);
        return;
      }
      if (options.audit !== undefined) {
        throw new UsageError("--audit ADDRESS goes with --recording FILE. Give that.");
      }
      const { auditFacts, checkAudit, liveDoors, loadFunction } =
        await import("@securing-tasks/sandbox");
      if (options.submission !== undefined && options.facts !== undefined) {
        throw new UsageError("Give one of --submission ADDRESS and --facts FILE.");
      }
      const { connection } = session.chain;
      const gateways = options.gateway ?? [];
      const allowPrivateNetwork = options.allowPrivateNetwork ?? false;
      let given: AuditFacts;
      let fn: LoadedFunction | null = file === undefined ? null : await readFunction(file);
      if (options.facts === undefined) {
        const flag = "--submission ADDRESS (or --facts FILE)";
        const address = await askAddress(session, options.submission, "the work", flag);
        const work = await account(session, "submission", address);
        const task = await account(session, "task", work.task);
        given = await during(session, "reading the block of the work", () =>
          auditFacts(connection, task, work),
        );
        fn ??= await during(session, "fetching the audit function", () =>
          loadFunction(task.auditFunction, { gateways, allowPrivateNetwork }),
        );
      } else given = await readFacts(options.facts);
      const checked =
        fn ??
        (await readFunction(
          await askFor(session, undefined, {
            flag: "FILE",
            message: "File of the function to check?",
            read: (text) => text.trim(),
          }),
        ));
      const report = await during(session, "running it again and again", () =>
        checkAudit(checked, given, liveDoors({ connection, gateways, allowPrivateNetwork })),
      );
      const [first] = report.runs;
      result(
        session,
        { hash: checked.hash, verdict: first?.verdict ?? null, ...report },
        table(
          ["run", "seed", "verdict"],
          report.runs.map(({ seed, verdict, failure }, index) => [
            String(index + 1),
            `${seed.slice(0, 8)}…`,
            verdict ?? `failed (${failure?.kind ?? ""})`,
          ]),
        ),
      );
      if (!report.deterministic) {
        throw new UserError(
          ["The function is refused:", ...report.problems.map((one) => `- ${one}`)].join("\n"),
          { exitCode: EXIT.refused, name: "NotDeterministic" },
        );
      }
      note(session, "Every run came to the same verdict.");
    },
  );
}

async function claimAll(session: Session, view: TaskView, owner: PublicKey): Promise<void> {
  const { client } = session;
  const { task } = view;
  const now = await session.chain.slot();
  const [audits, submissions, rounds] = await during(session, "looking for what is due", () =>
    Promise.all([
      client.ofTask("audit", task.address),
      client.ofTask("submission", task.address),
      client.ofTask("round", task.address),
    ]),
  );
  const decided = audits.filter(({ outcome }) => outcome !== "open");
  const votes = (
    await Promise.all(
      decided.map(({ address }) => client.find("vote", voteAddress(address, owner))),
    )
  ).flatMap((vote) => (vote && vote.state !== "claimed" ? [vote] : []));
  const paid = submissions.filter((work) => {
    const open = rounds.find(({ number }) => number === work.round)?.openAudits ?? 0;
    return (
      work.owner.equals(owner) &&
      !work.paid &&
      !isConvicted(work) &&
      open === 0 &&
      now >= auditEnd(task, work.round)
    );
  });
  const builders = [
    ...votes.map(({ audit }) => client.claimVote({ task: task.address, audit, voter: owner })),
    ...paid.map((work) => client.claimBounty(work)),
  ];
  const sums = { shares: 0n, depositsLost: 0n, bounties: 0n };
  const sent = await sendAll(session, builders, "claiming");
  for (const event of sent.flatMap(({ events }) => events)) {
    if (event.name === "voteClaimed") {
      sums.shares += event.data.share;
      sums.depositsLost += event.data.depositLost;
    } else if (event.name === "bountyClaimed") sums.bounties += event.data.amount;
  }
  result(
    session,
    {
      task: task.address,
      owner,
      votes: votes.length,
      submissions: paid.length,
      ...sums,
      signatures: sent.map(({ signature }) => signature),
    },
    builders.length === 0
      ? [
          "Nothing is due: votes can be claimed once their audit is resolved, bounties once their round can't be audited any more.",
        ]
      : facts([
          [
            "shares",
            `${view.say(sums.shares)} of ${votes.length} votes, locked for the leave delay`,
          ],
          ...(sums.depositsLost > 0n
            ? [
                [
                  "deposits lost",
                  `${view.say(sums.depositsLost)}, for votes never revealed`,
                ] as const,
              ]
            : []),
          ["bounties", `${view.say(sums.bounties)} of ${paid.length} submissions`],
          ["signature", sent.at(-1)?.signature ?? ""],
        ]),
  );
}

async function openAudit(session: Session, given: string | undefined): Promise<Audit> {
  return account(session, "audit", await askAddress(session, given, "the audit", "AUDIT"));
}

/** Audits of the same work that were opened before and are not resolved, in the order in which they must be. */
async function earlierOpen(
  session: Session,
  { task, submission, attempt }: Audit,
): Promise<Audit[]> {
  const all = await during(session, "looking for earlier audits", () =>
    session.client.ofTask("audit", task),
  );
  return all
    .filter(
      (one) => one.submission.equals(submission) && one.outcome === "open" && one.attempt < attempt,
    )
    .sort((a, b) => a.attempt - b.attempt);
}

function names(audits: readonly Audit[]): string {
  return audits.map(({ address }) => address.toBase58()).join(", ");
}

/** What the transactions say of an audit's end; null where the server keeps no record. */
function resolvedIn(
  sent: readonly Sent[],
  { address }: Audit,
): TaskEventNamed<"auditResolved">["data"] | null {
  for (const event of sent.flatMap(({ events }) => events)) {
    if (event.name === "auditResolved" && event.data.audit.equals(address)) return event.data;
  }
  return null;
}

/** Which audit of which work. */
function nth({ submission, attempt }: Audit): string {
  return `${submission.toBase58().slice(0, 8)}… #${group(attempt + 1)}`;
}

async function findSubmission(
  session: Session,
  view: TaskView,
  options: { readonly submission?: string; readonly accused?: string; readonly round?: string },
): Promise<Submission> {
  if (options.submission !== undefined) {
    const address = await askAddress(session, options.submission, "the work", "--submission");
    const found = await account(session, "submission", address);
    if (found.task.equals(view.task.address)) return found;
    throw new UserError(`The work ${address.toBase58()} is of another task. Name that one.`, {
      name: "wrongTask",
    });
  }
  const accused = await askFor(session, options.accused, {
    flag: "--submission ADDRESS, or --accused OWNER",
    message: "Owner of the node to accuse?",
    read: (text) => readAddress(text, "owner"),
  });
  const round = await askFor(session, options.round, {
    flag: "--round NUMBER",
    message: "In which round?",
    read: (text) => {
      if (/^\d{1,19}$/.test(text.trim())) return BigInt(text.trim());
      throw new UsageError(`"${text}" is no round. Give its number.`);
    },
  });
  return account(session, "submission", submissionAddress(view.task.address, round, accused));
}

function ownerOf(text: string | undefined): PublicKey | undefined {
  return text === undefined ? undefined : readAddress(text, "owner");
}

async function readFunction(path: string): Promise<LoadedFunction> {
  try {
    const bytes = await readFile(path);
    return {
      hash: createHash("sha256").update(bytes).digest(),
      code: new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    };
  } catch {
    throw new UsageError(
      `The function ${path} can't be read as text. Give the path of a bundled JavaScript file.`,
    );
  }
}

async function readFacts(path: string): Promise<AuditFacts> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new UsageError(
      `The facts ${path} can't be read: ${error instanceof Error ? error.message : String(error)}. Give the path of a JSON file.`,
    );
  }
  const parsed = auditFactsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new UsageError(
    parsed.error.issues
      .map(({ path: at, message }) => `${path}: \`${at.join(".") || "the file"}\`: ${message}.`)
      .join("\n"),
  );
}

/** What an open audit waits for. */
function stage(audit: Audit, now: bigint, slotMs: number): string {
  if (now >= audit.endSlot) return "to be resolved, by anybody";
  if (now < audit.revealSlot)
    return `commits until ${formatWhen(audit.revealSlot, now, slotMs)}`.replace("until in", "for");
  return `votes until ${formatWhen(audit.endSlot, now, slotMs)}`.replace("until in", "for");
}

/** The most that a verdict takes, together with what earlier ones on the work took. */
function atStake({ accusedStake, rules }: Audit): bigint {
  return part(accusedStake, rules.maliceBps);
}

/** What one side needs to decide. */
function quorumLine(audit: Audit, say: (amount: bigint) => string): string {
  const { rules, eligible } = audit;
  const by = rules.voteWeight === "stake" ? say(eligible.stake) : `${group(eligible.nodes)} nodes`;
  const of = juryOf(audit) === "panel" ? `${group(rules.panelSeats)} seats` : by;
  return `${group(rules.quorumVotes)} votes besides the initiator's and ${formatShare(rules.quorumBps)} of ${of}, on the side that decides`;
}

function auditLines(view: TaskView, audit: Audit, now: bigint, slotMs: number): string[] {
  const { say } = view;
  return facts([
    ["audit", audit.address.toBase58()],
    ["accused", `${audit.accused.toBase58()}, of ${audit.accusation}`],
    ["work", `${audit.submission.toBase58()}, audit #${group(audit.attempt + 1)} of it`],
    ["initiator", audit.initiator.toBase58()],
    ["outcome", audit.outcome === "open" ? stage(audit, now, slotMs) : audit.outcome],
    [
      "at stake",
      `up to ${say(atStake(audit))} of ${say(audit.accusedStake)}; bond ${say(audit.bond)}`,
    ],
    [
      "votes",
      OPINIONS.map(
        (opinion) =>
          `${group(audit.votes[opinion].nodes)} ${opinion} (${say(audit.votes[opinion].stake)})`,
      ).join(", "),
    ],
    ["quorum", quorumLine(audit, say)],
    ...(audit.unclaimed > 0 ? [["not claimed", `${group(audit.unclaimed)} votes`] as const] : []),
  ]);
}
