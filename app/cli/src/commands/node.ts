import type { Node, RefusalName, Role, TaskRules } from "@securing-tasks/client";
import {
  ROLES,
  heldBy,
  longestCase,
  nodeAddress,
  pledged,
  shownDifferently,
} from "@securing-tasks/client";
import type { Command } from "commander";
import type { PublicKey } from "@solana/web3.js";
import { formatSlots, formatWhen, group } from "../amounts";
import { askFor, askOneOf, mustConfirm } from "../ask";
import { PAYER, act, leaf } from "../command";
import { part } from "../create/economics";
import { UsageError, UserError, failureOf } from "../failures";
import { COLLECTION, gateOf } from "../gate";
import { readAddress } from "../keys";
import type { TaskView } from "../lookup";
import { account, openTask, operatedNode, ownNode, unwrapPayment, wrapForPayment } from "../lookup";
import { during, facts, note, result, table, warn } from "../output";
import { afterwards, send, told } from "../send";
import { withPayer } from "../session";

export function registerNode(root: Command): void {
  const node = root.command("node").description("join tasks with a node, run it, take its money");

  act<{
    role?: string;
    stake?: string;
    operator?: string;
    collectionMint?: string;
    payer?: string;
  }>(
    leaf(node, "join [task]", "make a node: its owner signs and deposits the first stake", [
      "TASK --role worker --stake 100 --operator hot-key.json",
      "TASK --role witness --stake 25 --operator HOT_ADDRESS --json",
    ])
      .option("--role <role>", "worker or witness")
      .option("-s, --stake <amount>", 'tokens like 12.5, or base units like "100 base"')
      .option(
        "-o, --operator <address|file>",
        "the hot key that works, accuses and votes (default: the owner's)",
      )
      .option(...COLLECTION)
      .option(...PAYER),
    async (opened, options, given) => {
      const session = withPayer(opened, options.payer);
      const view = await openTask(session, given);
      const { task } = view;
      const { rules } = task;
      const owner = session.wallet.publicKey;
      const role = await askOneOf(session, options.role, {
        flag: "--role ROLE",
        message: "Which role?",
        choices: [
          {
            value: ROLES[0],
            about: `works, accuses and votes; stakes ${view.say(rules.workerMinStake)} or more`,
          },
          {
            value: ROLES[1],
            about: `accuses and votes; stakes ${view.say(rules.witnessMinStake)} or more`,
          },
        ],
      });
      const least = role === "worker" ? rules.workerMinStake : rules.witnessMinStake;
      const amount = await askFor(session, options.stake, {
        flag: "--stake AMOUNT",
        message: `How many ${view.unit} to stake?`,
        suggestion: view.say(least).split(" ")[0]?.replaceAll(",", "") ?? "",
        read: (text) => {
          const stake = view.read(text);
          if (stake >= least) return stake;
          throw new UsageError(
            `${view.say(stake)} is below the least stake of a ${role}, ${view.say(least)}. Stake more.`,
          );
        },
      });
      const operator = await askFor(session, options.operator, {
        flag: "--operator ADDRESS",
        message: "Address or keypair file of the operator, the hot key?",
        fallback: owner.toBase58(),
        read: (text) => readAddress(text, "operator"),
      });
      if (operator.equals(owner)) {
        warn(
          session,
          "Owner and operator are one key: whoever steals it from the machine that runs the node takes the stake, and all that comes later. Give another with --operator.",
        );
      } else await warnWithoutSol(session, operator);
      const differs = shownDifferently(view.mint);
      if (differs !== null) warn(session, differs);
      const gate = await gateOf(session, task, role, owner, options.collectionMint);
      const wrapping = await wrapForPayment(session, view, owner, amount);
      note(
        session,
        [
          ...riskLines(view, role, amount),
          ...(amount - least < rules.initiatorBond
            ? [
                `One lost bond leaves less than the least stake of ${view.say(least)}: the node has no say on later work then, until it gets more (node stake).`,
              ]
            : []),
          `Stake leaves ${formatSlots(rules.leaveDelaySlots)} after it was asked to, and can be slashed until it is withdrawn.`,
        ].join("\n"),
      );
      await mustConfirm(session, `Stake ${view.say(amount)} as a ${role}?`);
      const sent = await send(
        session,
        session.client
          .joinTask({
            task: view.ref,
            owner,
            payer: session.payer.publicKey,
            role,
            amount,
            operator,
            startSlot: task.startSlot,
            ...gate,
          })
          .preInstructions(wrapping.before)
          .postInstructions(wrapping.after),
        [],
        "joining the task",
      );
      const address = nodeAddress(task.address, owner);
      result(
        session,
        {
          task: task.address,
          node: address,
          owner,
          operator,
          payer: session.payer.publicKey,
          role,
          stake: amount,
          signature: sent.signature,
        },
        facts([
          ["node", address.toBase58()],
          ["role", role],
          ["stake", view.say(amount)],
          ["operator", operator.toBase58()],
          ["signature", sent.signature],
        ]),
      );
    },
  );

  // The daemon's own configuration says where its chain and keys are.
  leaf(node, "run", "run the daemon of a node until it is stopped", ["--config node.yaml"])
    .option("-c, --config <file>", "the daemon's configuration, YAML or JSON")
    .option("--json", "errors as JSON; the log always is JSON lines")
    .action(async (options: { readonly config?: string; readonly json?: boolean }) => {
      const json = options.json ?? false;
      const interactive = !json && process.stdin.isTTY && process.stderr.isTTY;
      const file = await askFor({ interactive, json, yes: false }, options.config, {
        flag: "--config FILE",
        message: "File of the daemon's configuration?",
        read: (text) => text.trim(),
      });
      const { readNodeConfig, startNode } = await import("@securing-tasks/node");
      // A daemon goes on without its log, whoever was to read it.
      process.stdout.removeAllListeners("error");
      try {
        const running = await startNode(readNodeConfig(file));
        for (const signal of ["SIGINT", "SIGTERM"] as const) {
          process.once(signal, () => void running.stop());
        }
        await running.done;
      } finally {
        // By then what is left of the log is taken, or never will be.
        setTimeout(() => process.exit(), LAST_WORDS_MS);
      }
    });

  act<{ owner?: string; all?: boolean }>(
    leaf(node, "status [task]", "what a node owns, what is locked, what it did", [
      "TASK",
      "TASK --owner OWNER --json",
      "TASK --all",
    ])
      .option("--owner <address>", "another owner's node (default: the node of the key that signs)")
      .option("--all", "all nodes of the task"),
    async (session, options, given) => {
      const view = await openTask(session, given);
      const now = await session.chain.slot();
      if (options.all) {
        const nodes = await during(session, "reading nodes", () =>
          session.client.ofTask("node", view.task.address),
        );
        result(
          session,
          nodes,
          nodes.length === 0
            ? ["The task has no nodes."]
            : table(
                ["owner", "role", "stake", "leaving", "pledged", "paid", "convicted", "accused"],
                nodes.map((one) => [
                  one.owner.toBase58(),
                  one.role,
                  view.say(one.stake),
                  dash(view, one.leaving),
                  dash(view, pledged(one, view.task.rules)),
                  `${group(one.roundsPaid)} of ${group(one.submissions)}`,
                  group(one.convictionsDowntime + one.convictionsMalice),
                  one.openAudits > 0 ? group(one.openAudits) : "-",
                ]),
              ),
        );
        return;
      }
      const found = await operatedNode(session, view.task, ownerOf(options.owner));
      result(
        session,
        {
          ...found,
          pledged: pledged(found, view.task.rules),
          withdrawable: withdrawable(found, view.task.rules, now),
          slot: now,
        },
        statusLines(view, found, now, await session.slotMs()),
      );
    },
  );

  act<{ amount?: string }>(
    leaf(node, "stake [task]", "add to a node's stake; the owner signs", [
      "TASK --amount 50",
    ]).option("-a, --amount <amount>", 'tokens like 12.5, or base units like "100 base"'),
    async (session, options, given) => {
      const view = await openTask(session, given);
      const owner = session.wallet.publicKey;
      const { address } = await ownNode(session, view.task, owner);
      const amount = await askFor(session, options.amount, {
        flag: "--amount AMOUNT",
        message: `How many ${view.unit} to add?`,
        read: view.read,
      });
      const wrapping = await wrapForPayment(session, view, owner, amount);
      await mustConfirm(session, `Add ${view.say(amount)} to the stake?`);
      const sent = await send(
        session,
        session.client
          .addStake({ task: view.ref, owner, amount })
          .preInstructions(wrapping.before)
          .postInstructions(wrapping.after),
        [],
        "adding stake",
      );
      const stake = told(sent, "stakeAdded")?.stake ?? null;
      result(
        session,
        { node: address, amount, stake, signature: sent.signature },
        facts([
          ["added", view.say(amount)],
          ...(stake === null ? [] : [["stake", view.say(stake)] as const]),
          ["signature", sent.signature],
        ]),
      );
    },
  );

  act(
    leaf(node, "restake [task]", "make stake of what was earned and can leave; the owner signs", [
      "TASK",
    ]),
    async (session, _options, given) => {
      const view = await openTask(session, given);
      const { address: task } = view.task;
      const owner = session.wallet.publicKey;
      const { address } = await ownNode(session, view.task, owner);
      const sent = await send(session, session.client.restake({ task, owner }), [], "restaking");
      const { amount = null, stake = null } = told(sent, "restaked") ?? {};
      result(
        session,
        { node: address, amount, stake, signature: sent.signature },
        facts([
          ...(amount === null ? [] : [["restaked", view.say(amount)] as const]),
          ...(stake === null ? [] : [["stake", view.say(stake)] as const]),
          ["signature", sent.signature],
        ]),
      );
    },
  );

  act<{ amount?: string; all?: boolean; cancel?: boolean }>(
    leaf(node, "leave [task]", "ask for stake to leave, or take that back; the owner signs", [
      "TASK --all",
      "TASK --amount 10",
      "TASK --cancel",
    ])
      .option("-a, --amount <amount>", "a part of the stake; the least stake must stay")
      .option("--all", "all stake")
      .option("--cancel", "stay: take the request back"),
    async (session, options, given) => {
      const view = await openTask(session, given);
      const { address: task, rules } = view.task;
      const owner = session.wallet.publicKey;
      const before = await ownNode(session, view.task, owner);
      const { address, stake } = before;
      const ways = [options.amount !== undefined, options.all, options.cancel].filter(Boolean);
      if (ways.length > 1) throw new UsageError("Give one of --amount, --all and --cancel.");
      if (options.cancel) {
        const sent = await send(
          session,
          session.client.cancelLeave({ task, owner }),
          [],
          "taking the request back",
        );
        result(
          session,
          { node: address, leaving: 0n, leaveSlot: 0n, stake, signature: sent.signature },
          facts([
            ["stays", view.say(before.leaving)],
            ["signature", sent.signature],
          ]),
        );
        return;
      }
      const active = before.stake - before.leaving;
      const amount = options.all
        ? null
        : await askFor(session, options.amount, {
            flag: "--amount AMOUNT or --all",
            message: `How many ${view.unit} (or "all")?`,
            suggestion: "all",
            read: (text) => (text.trim() === "all" ? null : view.read(text)),
          });
      if (before.leaving > 0n) {
        warn(session, "The delay begins anew for all that is leaving.");
      }
      await mustConfirm(
        session,
        `Ask for ${view.say(amount ?? active)} to leave, ${formatSlots(rules.leaveDelaySlots, await session.slotMs())} from now?`,
      );
      const sent = await send(
        session,
        session.client.requestLeave({ task, owner, ...(amount !== null && { amount }) }),
        [],
        "asking to leave",
      );
      const {
        leaving = before.leaving + (amount ?? active),
        leaveSlot = sent.slot + rules.leaveDelaySlots,
      } = told(sent, "leaveRequested") ?? {};
      const when = formatWhen(leaveSlot, sent.slot, await session.slotMs());
      result(
        session,
        { node: address, leaving, leaveSlot, stake, signature: sent.signature },
        facts([
          ["leaving", view.say(leaving)],
          ["can be withdrawn", `${when}, at slot ${group(leaveSlot)}`],
          ["signature", sent.signature],
        ]),
      );
    },
  );

  act<{ close?: boolean }>(
    leaf(node, "withdraw [task]", "take all that can leave now; the owner signs", [
      "TASK",
      "TASK --close",
    ]).option("--close", "close the node behind it and get its rent back, once it owns nothing"),
    async (session, options, given) => {
      const view = await openTask(session, given);
      const owner = session.wallet.publicKey;
      const before = await ownNode(session, view.task, owner);
      const now = await session.chain.slot();
      const due = withdrawable(before, view.task.rules, now);
      const left = heldBy(before) - due;
      if (options.close) {
        const why = keepsOpen(view, before, left);
        if (why !== null) {
          throw new UserError(
            `The node can't be closed: ${why}. Nothing was sent; without --close, what can leave is paid.`,
            { name: "notEmpty" },
          );
        }
        await mustConfirm(
          session,
          "Close the node? What it did, paid rounds and convictions, is forgotten with it.",
        );
      }
      if (due === 0n && !options.close) {
        throw new UserError(nothingYet(view, before, now, await session.slotMs()), {
          name: whyNothing(before, now),
        });
      }
      const signatures: string[] = [];
      let paid = 0n;
      if (due > 0n) {
        const unwrap = await unwrapPayment(session, view, owner);
        const sent = await send(
          session,
          session.client
            .withdraw({ task: view.ref, owner })
            .preInstructions(unwrap.before)
            .postInstructions(unwrap.after),
          [],
          "withdrawing",
        );
        paid = told(sent, "withdrawn")?.amount ?? due;
        signatures.push(sent.signature);
      }
      const after = await afterwards(() => ownNode(session, view.task, owner));
      let closed = false;
      if (options.close) {
        // What was paid is told, whatever becomes of this.
        try {
          const close = session.client.closeNode({ task: view.task.address, owner });
          signatures.push((await send(session, close, [], "closing the node")).signature);
          closed = true;
        } catch (error) {
          if (paid === 0n) throw error;
          warn(session, `The node is not closed: ${failureOf(error).message}`);
        }
      }
      const held = after ? heldBy(after) : left;
      result(
        session,
        { node: before.address, paid, left: held, closed, signatures },
        facts([
          ["paid out", view.say(paid)],
          ["left in the node", view.say(held)],
          ...(closed ? [["node", "closed"] as const] : []),
          ["signature", signatures.at(-1) ?? ""],
        ]),
      );
    },
  );

  act(
    leaf(node, "operator [task] [operator]", "name another hot key; the owner signs", [
      "TASK new-hot-key.json",
      "TASK ADDRESS",
    ]),
    async (session, _, given, text) => {
      const view = await openTask(session, given);
      const owner = session.wallet.publicKey;
      const { address, operator: old } = await ownNode(session, view.task, owner);
      const operator = await askFor(session, text, {
        flag: "OPERATOR",
        message: "Address or keypair file of the new operator?",
        read: (one) => readAddress(one, "operator"),
      });
      await warnWithoutSol(session, operator);
      await mustConfirm(
        session,
        `Let ${operator.toBase58()} work, accuse and vote instead of ${old.toBase58()}?`,
      );
      const sent = await send(
        session,
        session.client.setOperator({ task: view.task.address, owner, operator }),
        [],
        "naming the operator",
      );
      result(
        session,
        { node: address, operator, before: old, signature: sent.signature },
        facts([
          ["operator", operator.toBase58()],
          ["signature", sent.signature],
        ]),
      );
    },
  );
}

/** How long a daemon that has ended waits for whoever reads its log. */
const LAST_WORDS_MS = 1_000;

/** What a node can lose, and to whom. */
function riskLines({ task: { rules }, say }: TaskView, role: Role, stake: bigint): string[] {
  const hot = "Keep the operator's key safe, and the owner's key off the machine that has it:";
  if (role === "worker") {
    const [downtime, malice] = [rules.downtimeBps, rules.maliceBps].map((bps) => part(stake, bps));
    return [
      `Wrong work loses ${say(malice ?? 0n)} of the stake, and downtime ${say(downtime ?? 0n)}; an accusation that fails loses ${say(rules.initiatorBond)}.`,
      `${hot} whoever steals the operator's submits false work with it, accuses it himself, and takes most of what it loses. So that key is worth the whole stake.`,
    ];
  }
  return [
    `An accusation that fails loses ${say(rules.initiatorBond)} of the stake${rules.commitSlots > 0n ? `, and a vote that is never revealed ${say(rules.voteDeposit)}` : ""}.`,
    `${hot} whoever steals the operator's accuses the honest with it, and loses one bond after another. So that key is worth the whole stake, too.`,
  ];
}

function ownerOf(text: string | undefined): PublicKey | undefined {
  return text === undefined ? undefined : readAddress(text, "owner");
}

/** An operator pays for what it sends. */
async function warnWithoutSol(
  session: Parameters<typeof account>[0],
  operator: PublicKey,
): Promise<void> {
  const lamports = await session.chain.connection.getBalance(operator);
  if (lamports === 0) {
    warn(
      session,
      `The operator ${operator.toBase58()} has no SOL, and pays fees and rent of all it does. Send it some, or give its daemon a sponsor.`,
    );
  }
}

/** An amount, or a dash for nothing. */
function dash({ say }: TaskView, amount: bigint): string {
  return amount > 0n ? say(amount) : "-";
}

/** What `withdraw` pays at a slot. */
export function withdrawable(node: Node, rules: TaskRules, now: bigint): bigint {
  const unlocked = now >= node.lockedUntil ? node.locked : 0n;
  // The second box opens after the first.
  const next = now >= node.lockedUntil && now >= node.lockedNextUntil ? node.lockedNext : 0n;
  const leaving = node.openAudits === 0 && now >= node.leaveSlot ? leavable(node, rules) : 0n;
  return node.payable + unlocked + next + leaving;
}

/** What of the leaving stake is not pledged. */
function leavable(node: Node, rules: TaskRules): bigint {
  const bound = pledged(node, rules);
  const free = node.stake > bound ? node.stake - bound : 0n;
  return node.leaving < free ? node.leaving : free;
}

/** The program's name for it that nothing can be withdrawn. */
export function whyNothing(node: Node, now: bigint): RefusalName {
  if (node.openAudits > 0) return "nodeAccused";
  return node.leaving > 0n && now >= node.leaveSlot ? "stakePledged" : "nothingToWithdraw";
}

/** What is in the way of closing a node that `left` base units stay in; null where nothing is. */
function keepsOpen(view: TaskView, node: Node, left: bigint): string | null {
  if (left > 0n) return `${view.say(left)} of it can't leave yet (securing-tasks node status)`;
  if (node.live > 0) return `${group(node.live)} of its votes, audits or work are still open`;
  return null;
}

function nothingYet(view: TaskView, node: Node, now: bigint, slotMs: number): string {
  const waits: string[] = [];
  if (node.openAudits > 0) {
    waits.push("the node stands accused, so no stake leaves before the audit is resolved");
  }
  if (node.leaving > 0n && now >= node.leaveSlot) {
    waits.push(
      `${view.say(pledged(node, view.task.rules))} are pledged to the node's own open accusations, appeals and unrevealed votes, until those are resolved and claimed, which anybody may`,
    );
  }
  if (node.leaving > 0n && now < node.leaveSlot) {
    waits.push(`${view.say(node.leaving)} leave ${formatWhen(node.leaveSlot, now, slotMs)}`);
  }
  if (node.locked > 0n && now < node.lockedUntil) {
    waits.push(
      `${view.say(node.locked)} of shares unlock ${formatWhen(node.lockedUntil, now, slotMs)}`,
    );
  }
  if (node.stake > node.leaving) {
    waits.push(
      `${view.say(node.stake - node.leaving)} are staked: ask for them with securing-tasks node leave`,
    );
  }
  return `Nothing can be withdrawn now: ${waits.length > 0 ? waits.join("; ") : "the node owns nothing"}.`;
}

/** What stake is pledged to, in words. */
function pledges({ say }: Pick<TaskView, "say">, { bonds, commitments }: Node): string {
  return [
    ...(bonds > 0n ? [`${say(bonds)} to its own accusations and appeals`] : []),
    ...(commitments > 0
      ? [`deposits of ${group(commitments)} vote${commitments === 1 ? "" : "s"} to be revealed`]
      : []),
  ].join(", ");
}

/** What `status` prints of a node at a slot. */
export function statusLines(
  view: Pick<TaskView, "task" | "say">,
  node: Node,
  now: bigint,
  slotMs: number,
): string[] {
  const { say } = view;
  const { rules } = view.task;
  const locked: [string, string][] = [];
  for (const [amount, until] of [
    [node.locked, node.lockedUntil],
    [node.lockedNext, node.lockedNextUntil],
  ] as const) {
    if (amount > 0n)
      locked.push(["locked shares", `${say(amount)}, free ${formatWhen(until, now, slotMs)}`]);
  }
  return facts([
    ["node", node.address.toBase58()],
    ["owner", node.owner.toBase58()],
    ["operator", node.operator.toBase58()],
    ["role", node.role],
    ["stake", say(node.stake)],
    ...(node.leaving > 0n
      ? [["leaving", `${say(node.leaving)}, ${formatWhen(node.leaveSlot, now, slotMs)}`] as const]
      : []),
    ...(pledged(node, rules) > 0n
      ? [["pledged", `${say(pledged(node, rules))} of the stake: ${pledges(view, node)}`] as const]
      : []),
    ...node.slashed.parts
      .filter(({ slot }) => now < slot + longestCase(rules))
      .map(
        ({ slot, amount }) =>
          [
            "slashed",
            `${say(amount)} at slot ${group(slot)}, counted towards the least stake for work up to then (${formatWhen(slot + longestCase(rules), now, slotMs)})`,
          ] as const,
      ),
    ...node.arrivals
      .filter(({ slot }) => now < slot + longestCase(rules))
      .map(
        ({ slot, amount }) =>
          [
            "young stake",
            `${say(amount)}, votes on work after slot ${group(slot)} (${formatWhen(slot, now, slotMs)})`,
          ] as const,
      ),
    ...locked,
    ["can be withdrawn", say(withdrawable(node, rules, now))],
    [
      "accused",
      node.openAudits > 0
        ? `now, in ${group(node.openAudits)} audit${node.openAudits === 1 ? "" : "s"}, each of which takes ${say(node.risk)} at most: no stake leaves before they are resolved`
        : "no",
    ],
    ["work", `${group(node.submissions)} submitted, ${group(node.roundsPaid)} paid`],
    [
      "convicted",
      `${group(node.convictionsDowntime)} of downtime, ${group(node.convictionsMalice)} of malice`,
    ],
    [
      "votes",
      `${group(node.votesWithMajority)} with the majority, ${group(node.votesAgainstMajority)} against, ${group(node.votesUnrevealed)} not revealed`,
    ],
  ]);
}
