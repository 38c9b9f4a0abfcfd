import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Audit, Node, Seating, Submission, TaskEventNamed } from "@securing-tasks/client";
import {
  DRAW_WINDOW,
  FileSaltStore,
  OPINIONS,
  auditAddress,
  auditEnd,
  deriveSaltKey,
  drawSecretOf,
  isConvicted,
  isSecret,
  juryOf,
  keypairSigner,
  openAudits,
  phaseOf,
  resolvableAt,
  seatOf,
  secretHash,
  submissionAddress,
  verdictOf,
  voteAddress,
  weightOn,
} from "@securing-tasks/client";
import type { AuditFacts, LoadedFunction } from "@securing-tasks/sandbox";
import type { Command } from "commander";
import type { PublicKey } from "@solana/web3.js";
import { createHash } from "node:crypto";
import { formatDuration, formatShare, formatWhen, group } from "../amounts";
import { askFor, askOneOf, mustConfirm } from "../ask";
import { PAYER, act, leaf } from "../command";
import { part } from "../create/economics";
import { EXIT, UsageError, UserError } from "../failures";
import { evidenceOf, openingOf } from "../evidence";
import { auditFactsSchema } from "../facts";
import { readAddress } from "../keys";
import type { TaskView } from "../lookup";
import { account, askAddress, openTask, operatedNode } from "../lookup";
import { during, facts, note, result, table } from "../output";
import type { Sent } from "../send";
import { afterwards, send, sendAll, told } from "../send";
import type { Session } from "../session";
import { withPayer } from "../session";
import { expand } from "../solana-config";

export function registerAudit(root: Command): void {
  const audit = root.command("audit").description("accuse work, vote, decide, take shares");

  act<{
    submission?: string;
    accused?: string;
    round?: string;
    accusation?: string;
    evidence?: string;
    evidenceUri?: string;
    owner?: string;
    payer?: string;
  }>(
    leaf(audit, "open [task]", "accuse work of downtime or malice; the operator signs", [
      "TASK --accused OWNER --round 12 --accusation malice",
      "TASK --submission SUBMISSION --accusation downtime",
      "TASK --submission SUBMISSION --accusation malice --evidence run.json --evidence-uri https://example.com/run.json",
    ])
      .option("--submission <address>", "the work")
      .option("--accused <owner>", "or who did it")
      .option("--round <number>", "and in which round")
      .option("--accusation <fault>", "downtime or malice")
      .option("--evidence <file>", "what it rests on: its SHA-256 goes with the accusation")
      .option("--evidence-uri <uri>", "and where others get that file")
      .option("--owner <address>", "owner of the accusing node, where the key operates several")
      .option(...PAYER),
    async (opened, options, given) => {
      const session = withPayer(opened, options.payer);
      const evidence = await evidenceOf(options.evidence, options.evidenceUri);
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
      const address = auditAddress(submission.address, node.owner, node.audits);
      const sent = await send(
        session,
        session.client.openAudit({
          task: task.address,
          round: submission.round,
          accused: submission.owner,
          initiator: node.owner,
          operator: session.wallet.publicKey,
          payer: session.payer.publicKey,
          accusation,
          ...(evidence && { evidence }),
          ...(task.rules.panelSeats > 0 && {
            secretHash: secretHash(await drawSecret(session, address)),
          }),
          index: node.audits,
        }),
        [],
        "opening the audit",
      );
      const found = await afterwards(() => account(session, "audit", address));
      const slotMs = await session.slotMs();
      result(
        session,
        {
          ...(found ?? told(sent, "auditOpened")),
          audit: address,
          others: open,
          signature: sent.signature,
        },
        [
          ...(found
            ? auditLines(view, found, sent.slot, slotMs)
            : facts([["audit", address.toBase58()]])),
          ...facts([
            ["others open", group(open)],
            ["signature", sent.signature],
          ]),
          ...(found && found.drawSlot > 0n
            ? [
                `Nobody votes before the panel is drawn. Draw it before slot ${group(found.drawSlot + DRAW_WINDOW)}, ${formatWhen(found.drawSlot + DRAW_WINDOW, sent.slot, slotMs)}, with this key; else everybody may vote:`,
                `  securing-tasks audit draw ${address.toBase58()}`,
              ]
            : []),
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
                one.outcome === "open"
                  ? `open, ${stage(one, view.task, now, slotMs)}`
                  : one.outcome,
              ]),
            ),
      );
    },
  );

  act<{ owner?: string }>(
    leaf(audit, "show [audit]", "one audit and its votes", ["AUDIT", "AUDIT --owner OWNER"]).option(
      "--owner <address>",
      "say whether this owner's node is seated (default: the key's own)",
    ),
    async (session, options, given) => {
      const found = await openAudit(session, given);
      const view = await openTask(session, found.task.toBase58());
      const votes = await session.client.votesIn(found.address);
      const earlier = await earlierOpen(session, found);
      const now = await session.chain.slot();
      const opening = found.evidenceHash && (await openingOf(session, found.address));
      const seat = await ownSeat(session, view, found, now, ownerOf(options.owner));
      const shown = {
        ...found,
        slot: now,
        phase: phaseOf(found, view.task.rules, now),
        jury: juryOf(found),
        count: verdictOf(found),
        evidenceUri: opening?.evidenceUri ?? null,
        seat: seat && { owner: seat.node.owner, seat: seat.seat },
        ballots: votes,
      };
      result(session, { ...shown, earlierOpen: earlier.map(({ address }) => address) }, [
        ...auditLines(view, found, now, await session.slotMs(), opening?.evidenceUri),
        ...(seat
          ? facts([["seat of your node", `${SEATINGS[seat.seat]} (${seat.node.owner.toBase58()})`]])
          : []),
        ...(earlier.length > 0 ? facts([["resolved first", names(earlier)]]) : []),
        ...(votes.length === 0
          ? []
          : table(
              ["voter", "vote", "weight", "share"],
              votes.map((vote) => [
                vote.owner.toBase58(),
                `${vote.state === "committed" ? "secret" : vote.opinion}${vote.onAppeal ? ", on appeal" : ""}`,
                view.say(vote.weight),
                vote.state === "claimed" ? "claimed" : "not claimed",
              ]),
            )),
      ]);
    },
  );

  act<{
    opinion?: string;
    reveal?: boolean;
    owner?: string;
    payer?: string;
    salts?: string;
  }>(
    leaf(
      audit,
      "vote [audit]",
      "vote openly, or commit to a vote and reveal it; the operator signs",
      ["AUDIT --opinion malice", "AUDIT --reveal"],
    )
      .option("--opinion <opinion>", "valid, downtime or malice")
      .option("--reveal", "open the vote that this machine committed to")
      .option("--owner <address>", "owner of the voting node, where the key operates several")
      .option("--salts <folder>", "keeps the secrets of committed votes", saltFolder())
      .option(...PAYER),
    async (opened, options, given) => {
      const session = withPayer(opened, options.payer);
      const found = await openAudit(session, given);
      const view = await openTask(session, found.task.toBase58());
      const node = await operatedNode(session, view.task, ownerOf(options.owner));
      const salts = new FileSaltStore(resolve(expand(options.salts ?? saltFolder())));
      const own = { task: found.task, audit: found.address, voter: node.owner };
      const secret = isSecret(found);
      const now = await session.chain.slot();
      const slotMs = await session.slotMs();
      const vote = voteAddress(found.address, node.owner);
      if (options.reveal) {
        const { onAppeal } = await account(session, "vote", vote);
        if (found.appealSlot > 0n && !onAppeal) {
          throw new UserError(
            "The vote was committed before the appeal and not revealed in its own window. It can't be revealed any more: claim it once the audit is resolved.",
            { name: "revealWindowMissed" },
          );
        }
        if (now < found.revealSlot) {
          throw new UserError(
            `Votes are revealed from slot ${group(found.revealSlot)} on, ${formatWhen(found.revealSlot, now, slotMs)}. Run this again then.`,
            { name: "votingClosed" },
          );
        }
        const sent = await send(
          session,
          await session.client.revealVote({ ...own, salts }).catch((error: unknown) => {
            if (/salt|cast openly/.test(String(error))) {
              throw new UserError(error instanceof Error ? error.message : String(error), {
                name: "SaltMissing",
              });
            }
            throw error;
          }),
          [],
          "revealing the vote",
        );
        await salts.forget(found.address, node.owner);
        const opinion = told(sent, "voteRevealed")?.opinion ?? null;
        result(
          session,
          {
            audit: found.address,
            vote,
            voter: node.owner,
            opinion,
            state: "revealed",
            signature: sent.signature,
          },
          facts([
            ["revealed", opinion ?? "the vote"],
            ["signature", sent.signature],
          ]),
        );
        return;
      }
      mustBeSeated(view, found, node, now, slotMs);
      const ballot = {
        ...own,
        operator: session.wallet.publicKey,
        payer: session.payer.publicKey,
      };
      const opinion = await askOneOf(session, options.opinion, {
        flag: "--opinion OPINION",
        message: "What do you vote?",
        choices: OPINIONS.map((value) => ({ value })),
      });
      await mustConfirm(
        session,
        `Vote ${opinion}? A vote is for good${secret ? `, and a deposit of ${view.say(found.voteDeposit)} is taken from the stake unless you reveal it, ${formatWhen(found.revealSlot, now, slotMs)}` : ""}.`,
      );
      const made = secret
        ? (await session.client.commitVote({ ...ballot, opinion, salts })).builder
        : session.client.castVote({ ...ballot, opinion });
      const sent = await send(session, made, [], secret ? "committing to the vote" : "voting");
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
                `  securing-tasks audit vote ${found.address.toBase58()} --reveal`,
              ]
            : []),
        ],
      );
    },
  );

  registerDraw(audit);
  registerAppeal(audit);

  act(
    leaf(audit, "resolve [audit]", "decide an audit whose votes are in; anybody may", ["AUDIT"]),
    async (session, _, given) => {
      const found = await openAudit(session, given);
      const view = await openTask(session, found.task.toBase58());
      const now = await session.chain.slot();
      const end = resolvableAt(found, view.task.rules);
      if (found.outcome === "open" && now < end) {
        const slotMs = await session.slotMs();
        const until = (slot: bigint): string => `${group(slot)}, ${formatWhen(slot, now, slotMs)}`;
        throw now < found.endSlot
          ? new UserError(
              `Votes are taken until slot ${until(found.endSlot)}. Resolve it ${end > found.endSlot ? `once nobody can appeal any more, at slot ${group(end)}` : "then"}.`,
              { name: "votingOpen" },
            )
          : new UserError(
              `The audit can be appealed until slot ${until(end)}. Resolve it then, or appeal: securing-tasks audit appeal ${found.address.toBase58()}`,
              { name: "appealOpen" },
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
                  ...(found.appellant
                    ? ([
                        ["appealed by", found.appellant.toBase58()],
                        ["first outcome", found.firstOutcome],
                        ["appeal's bond lost", view.say(event.appealBondLost)],
                      ] as const)
                    : []),
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

  registerCheck(audit);
}

function registerDraw(audit: Command): void {
  act(
    leaf(
      audit,
      "draw [audit]",
      "draw the panel of an audit that this key opened; waits for the slot where it is near",
      ["AUDIT"],
    ),
    async (session, _, given) => {
      const found = await openAudit(session, given);
      const { address, drawSlot, seed } = found;
      if (!found.secretHash) {
        throw new UserError("This audit has no panel: everybody votes.", { name: "noPanel" });
      }
      if (seed) throw new UserError("The panel is drawn already.", { name: "alreadyDrawn" });
      const secret = await drawSecret(session, address);
      if (!Buffer.from(secretHash(secret)).equals(found.secretHash)) {
        throw new UserError(
          `${session.wallet.publicKey.toBase58()} did not open this audit: another key's secret draws its panel. Sign with the operator's that opened it (--keypair), or wait until slot ${group(drawSlot + DRAW_WINDOW)}: then everybody may vote.`,
          { name: "secretMismatch" },
        );
      }
      // A few slots: whoever opens an audit draws right behind it.
      if ((await session.chain.slot()) <= drawSlot) {
        await during(session, `waiting for slot ${group(drawSlot + 1n)}`, () =>
          session.chain.waitForSlot(drawSlot + 1n),
        );
      }
      const sent = await send(
        session,
        session.client.drawPanel({ audit: address, secret }),
        [],
        "drawing the panel",
      );
      const drawn = await afterwards(() => account(session, "audit", address));
      const view = await openTask(session, found.task.toBase58());
      const own = drawn && (await ownSeat(session, view, drawn, sent.slot, undefined));
      result(
        session,
        {
          audit: address,
          seed: drawn?.seed ?? told(sent, "panelDrawn")?.seed ?? null,
          seat: own && { owner: own.node.owner, seat: own.seat },
          signature: sent.signature,
        },
        facts([
          ["panel", `drawn: about ${group(found.rules.panelSeats)} seats`],
          ...(own ? [["seat of your node", SEATINGS[own.seat]] as const] : []),
          ["signature", sent.signature],
        ]),
      );
    },
  );
}

function registerAppeal(audit: Command): void {
  act<{ owner?: string }>(
    leaf(
      audit,
      "appeal [audit]",
      "have everybody count an audit once more; the operator of any node of the task signs",
      ["AUDIT"],
    ).option("--owner <address>", "owner of the appealing node, where the key operates several"),
    async (session, options, given) => {
      const found = await openAudit(session, given);
      const view = await openTask(session, found.task.toBase58());
      const { rules } = view.task;
      const now = await session.chain.slot();
      const slotMs = await session.slotMs();
      mustBeAppealable(found, view, now, slotMs);
      const node = await operatedNode(session, view.task, ownerOf(options.owner));
      const bond = view.say(rules.appealBond);
      const first = verdictOf(found);
      const windows = rules.commitSlots + rules.revealSlots;
      note(session, `The first count: ${first}, by ${juryOf(found)}.`);
      note(
        session,
        `${bond} of the stake of ${node.owner.toBase58()} is lent until the end, ~${formatDuration(windows, slotMs)} from now. Everybody eligible may vote; votes that are in stay.`,
      );
      note(
        session,
        `It comes back if the outcome becomes another. If it does not, or the second count comes to no verdict, pool and voters have it. Nobody is paid for an appeal.`,
      );
      await mustConfirm(session, `Appeal against ${first}, with a bond of ${bond}?`);
      const sent = await send(
        session,
        session.client.appealAudit({
          task: found.task,
          audit: found.address,
          appellant: node.owner,
          operator: session.wallet.publicKey,
        }),
        [],
        "appealing",
      );
      const event = told(sent, "auditAppealed");
      result(
        session,
        {
          audit: found.address,
          appellant: node.owner,
          bond: rules.appealBond,
          firstOutcome: event?.firstOutcome ?? first,
          revealSlot: event?.revealSlot ?? null,
          endSlot: event?.endSlot ?? null,
          signature: sent.signature,
        },
        [
          ...facts([
            ["appealed", `${event?.firstOutcome ?? first}, with ${bond} of the stake`],
            ...(event
              ? [
                  [
                    "votes",
                    `until slot ${group(event.endSlot)}, ${formatWhen(event.endSlot, sent.slot, slotMs)}`,
                  ] as const,
                ]
              : []),
            ["signature", sent.signature],
          ]),
        ],
      );
    },
  );
}

/** Throws why an audit can't be appealed now. */
function mustBeAppealable(
  audit: Audit,
  { task: { rules } }: TaskView,
  now: bigint,
  slotMs: number,
): void {
  const closed = (why: string): UserError => new UserError(why, { name: "appealClosed" });
  if (rules.appealSlots === 0n) throw closed("This task has no appeals: its verdicts are final.");
  if (audit.appealSlot > 0n) {
    throw new UserError(
      `${audit.appellant?.toBase58() ?? "Somebody"} appealed already, and an audit is appealed once. Vote in it.`,
      { name: "alreadyAppealed" },
    );
  }
  if (audit.outcome !== "open") throw closed(`The audit is resolved: ${audit.outcome}.`);
  if (now < audit.endSlot) {
    throw closed(
      `Votes are taken until slot ${group(audit.endSlot)}, ${formatWhen(audit.endSlot, now, slotMs)}. Appeal then, when you see what they come to.`,
    );
  }
  const end = resolvableAt(audit, rules);
  if (now >= end) {
    throw closed(
      `The time to appeal ended at slot ${group(end)}, ${formatWhen(end, now, slotMs)}. Anybody may resolve it now.`,
    );
  }
}

/** Throws where a node has no seat in the count that runs. */
function mustBeSeated(
  { task: { rules } }: TaskView,
  audit: Audit,
  node: Node,
  now: bigint,
  slotMs: number,
): void {
  if (audit.outcome !== "open") return;
  const weight = weightOn(node, rules, audit.submissionSlot);
  // Who has no say at all is told so by the program.
  if (weight === 0n) return;
  switch (seatOf(audit, node.owner, weight, now)) {
    case "everybody":
    case "seated":
      return;
    case "notDrawn": {
      const end = audit.drawSlot + DRAW_WINDOW;
      throw new UserError(
        `The panel is not drawn yet. Vote once its initiator has drawn it, if you are seated then (securing-tasks audit show ${audit.address.toBase58()}); from slot ${group(end)} on, ${formatWhen(end, now, slotMs)}, everybody may vote.`,
        { name: "panelNotDrawn" },
      );
    }
    case "notSeated":
      throw new UserError(
        `The node of ${node.owner.toBase58()} has no seat on this audit's panel, so there is nothing to do or lose. It may vote if the audit is appealed.`,
        { name: "notSeated" },
      );
  }
}

const SEATINGS: Readonly<Record<Seating, string>> = {
  everybody: "everybody may vote",
  seated: "seated",
  notSeated: "not seated: nothing to do or lose",
  notDrawn: "the panel is not drawn yet",
};

/** A node and its seat: of the owner that is named, or of the session's key; null where that has none, or the audit no panel. */
async function ownSeat(
  session: Session,
  { task }: TaskView,
  audit: Audit,
  now: bigint,
  owner: PublicKey | undefined,
): Promise<{ readonly node: Node; readonly seat: Seating } | null> {
  if (audit.drawSlot === 0n && !owner) return null;
  const node = await operatedNode(session, task, owner).catch((error: unknown) => {
    // Whoever only looks has no key, or no node.
    if (error instanceof UserError && !owner) return null;
    throw error;
  });
  if (!node || node.owner.equals(audit.accused) || node.owner.equals(audit.initiator)) return null;
  const weight = weightOn(node, task.rules, audit.submissionSlot);
  return weight === 0n ? null : { node, seat: seatOf(audit, node.owner, weight, now) };
}

/** The secret that the session's key draws an audit's panel by: the daemon of the same operator derives the same. */
async function drawSecret(session: Session, audit: PublicKey): Promise<Uint8Array> {
  return drawSecretOf(await deriveSaltKey(keypairSigner(session.wallet)), audit);
}

function registerCheck(audit: Command): void {
  act<{
    submission?: string;
    facts?: string;
    gateway?: readonly string[];
    allowPrivateNetwork?: boolean;
  }>(
    leaf(
      audit,
      "check [file]",
      "run an audit function again and again: its verdict must not move",
      [
        "audit.js --facts facts.json",
        "audit.js --submission SUBMISSION",
        "--submission SUBMISSION",
      ],
    )
      .option(
        "--submission <address>",
        "check it on this work; without FILE, the task's own function",
      )
      .option("--facts <file>", "or on the facts in this JSON file")
      .option("--gateway <url...>", "content-addressed stores: URL/<SHA-256>")
      .option("--allow-private-network", "let it call private and loopback addresses"),
    async (session, options, file) => {
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

/** Where this user's secrets of committed votes are. */
function saltFolder(): string {
  const { XDG_CONFIG_HOME: config } = process.env;
  const home = config === undefined || config === "" ? join(homedir(), ".config") : config;
  return join(home, "securing-tasks/salts");
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
function stage(audit: Audit, { rules }: TaskView["task"], now: bigint, slotMs: number): string {
  const { name, until } = phaseOf(audit, rules, now);
  const appealed = audit.appealSlot > 0n ? " on appeal" : "";
  const time = until === null ? "" : formatWhen(until, now, slotMs).replace(/^in /, "");
  switch (name) {
    case "drawing":
      return `panel to be drawn, within ${time}`;
    case "committing":
      return `commits${appealed} for ${time}`;
    case "voting":
    case "revealing":
      return `votes${appealed} for ${time}`;
    case "appealable":
      return `${verdictOf(audit)} unless appealed, within ${time}`;
    case "resolvable":
      return "to be resolved, by anybody";
    case "resolved":
      return audit.outcome;
  }
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

/** Who judges, in words. */
function juryLine(audit: Audit, now: bigint): string {
  const { rules, drawSlot, appealSlot, seed } = audit;
  if (drawSlot === 0n) return "everybody";
  if (appealSlot > 0n) return "everybody, on appeal";
  const seats = `a panel of about ${group(rules.panelSeats)}, one vote each`;
  if (seed) return `${seats}, drawn`;
  return now < drawSlot + DRAW_WINDOW
    ? `${seats}, to be drawn between slots ${group(drawSlot + 1n)} and ${group(drawSlot + DRAW_WINDOW - 1n)}`
    : "everybody, since the panel was not drawn in time";
}

/** Whoever accuses wrote the address: it is shown as text. */
function evidenceLine(hash: Uint8Array, uri: string | undefined): string {
  const where = uri === undefined || uri === "" ? "" : ` at ${JSON.stringify(uri)}`;
  return `SHA-256 ${Buffer.from(hash).toString("hex")}${where}`;
}

function auditLines(
  view: TaskView,
  audit: Audit,
  now: bigint,
  slotMs: number,
  evidenceUri?: string,
): string[] {
  const { say } = view;
  return facts([
    ["audit", audit.address.toBase58()],
    ["accused", `${audit.accused.toBase58()}, of ${audit.accusation}`],
    ["work", `${audit.submission.toBase58()}, audit #${group(audit.attempt + 1)} of it`],
    ["initiator", audit.initiator.toBase58()],
    ["outcome", stage(audit, view.task, now, slotMs)],
    ["judged by", juryLine(audit, now)],
    ...(audit.evidenceHash
      ? [["evidence", evidenceLine(audit.evidenceHash, evidenceUri)] as const]
      : []),
    ...(audit.appellant
      ? [
          [
            "appealed",
            `by ${audit.appellant.toBase58()} at slot ${group(audit.appealSlot)}, against ${audit.firstOutcome}`,
          ] as const,
        ]
      : []),
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
