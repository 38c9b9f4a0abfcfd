import { readFile } from "node:fs/promises";
import type { Gate, Ledger, SecuringTasksClient, Task } from "@securing-tasks/client";
import {
  ROLES,
  allowFromCsv,
  allowEntryAddress,
  auditEnd,
  decodeAccount,
  fetchMint,
  readAllowlist,
  readLedger,
  roundAt,
  roundStart,
  shownDifferently,
  submissionEnd,
} from "@securing-tasks/client";
import type { Command } from "commander";
import type { GetProgramAccountsFilter, PublicKey } from "@solana/web3.js";
import { formatShare, formatSlots, formatWhen, group } from "../amounts";
import { askFor, askOneOf, confirm, mustConfirm } from "../ask";
import { PAYER, act, leaf } from "../command";
import { WEIGHED } from "../create/economics";
import { UsageError, UserError } from "../failures";
import { readAddress } from "../keys";
import type { TaskView } from "../lookup";
import { openTask, payOutAccount, unwrapPayment, viewOf, wrapForPayment } from "../lookup";
import { during, facts, note, result, spinner, table } from "../output";
import { afterwards, deliver, send, told } from "../send";
import type { Session } from "../session";
import { withPayer } from "../session";
import { blockers, releasedAt, sweep } from "../sweep";

/** Every command of `task` but `create`. */
export function registerTask(task: Command): void {
  act(
    leaf(task, "show [task]", "a task: rules, money, round, who takes part", [
      "TASK",
      "TASK --json",
    ]),
    async (session, _, given) => {
      const view = await openTask(session, given);
      const now = await session.chain.slot();
      const rounds = roundNow(view.task, now);
      const differs = shownDifferently(view.mint);
      result(
        session,
        {
          ...view.task,
          decimals: view.mint.decimals,
          shown: view.mint.shown ?? null,
          slot: now,
          round: rounds?.number ?? null,
        },
        [
          ...headLines(view),
          ...facts([
            ["round", rounds ? roundLine(rounds, now, await session.slotMs()) : "not begun"],
            ...(view.task.status === "retired"
              ? [
                  [
                    "all can be cleared",
                    whenReleased(view.task, now, await session.slotMs()),
                  ] as const,
                ]
              : []),
          ]),
          "",
          ...ruleLines(view),
          ...(differs === null ? [] : ["", differs]),
        ],
      );
    },
  );

  act<{ creator?: string; mine?: boolean; status?: string }>(
    leaf(task, "list", "tasks of everybody, or of one creator", [
      "--mine",
      "--status active --json",
    ])
      .option("--creator <address>", "of this creator alone")
      .option("--mine", "of the key that signs alone")
      .option("--status <status>", "active, paused or retired alone"),
    async (session, { creator, mine, status }) => {
      const of = mine
        ? session.wallet.publicKey
        : creator === undefined
          ? null
          : readAddress(creator, "creator");
      if (status !== undefined && !/^(active|paused|retired)$/.test(status)) {
        throw new UsageError(`--status can't be "${status}". Use active, paused or retired.`);
      }
      const all = await during(session, "reading tasks", () => allTasks(session, of));
      const found = all.filter((one) => status === undefined || one.status === status);
      if (session.json) {
        result(session, found, []);
        return;
      }
      const mints = new Map(
        await Promise.all(
          [...new Map(found.map(({ mint }) => [mint.toBase58(), mint])).values()].map(
            async (mint) =>
              [mint.toBase58(), await fetchMint(session.chain.connection, mint)] as const,
          ),
        ),
      );
      const rows = found.map((one) => {
        const mint = mints.get(one.mint.toBase58());
        const say = mint ? viewOf(one, mint).say : String;
        return [
          one.address.toBase58(),
          one.status,
          say(one.rules.bountyPerRound),
          say(one.pool),
          group(one.nodes),
        ];
      });
      result(
        session,
        found,
        found.length === 0
          ? ["There are no such tasks here. Make one: securing-tasks task create"]
          : table(["task", "status", "bounty per round", "pool", "nodes"], rows),
      );
    },
  );

  act<{ amount?: string }>(
    leaf(task, "fund [task]", "add to the pool that bounties are paid from", [
      "TASK --amount 12.5",
    ]).option("-a, --amount <amount>", 'tokens like 12.5, or base units like "100 base"'),
    async (session, options, given) => {
      const view = await openTask(session, given);
      const amount = await askFor(session, options.amount, {
        flag: "--amount AMOUNT",
        message: `How many ${view.unit} to add?`,
        read: view.read,
      });
      const funder = session.wallet.publicKey;
      const wrapping = await wrapForPayment(session, view, funder, amount);
      await mustConfirm(
        session,
        `Give ${view.say(amount)} to the pool? Nobody but workers and, at the end, the creator gets it back.`,
      );
      const sent = await send(
        session,
        session.client
          .fundTask({ task: view.ref, funder, amount })
          .preInstructions(wrapping.before)
          .postInstructions(wrapping.after),
        [],
        "funding the task",
      );
      const pool = told(sent, "taskFunded")?.pool ?? null;
      result(
        session,
        { task: view.task.address, amount, pool, signature: sent.signature },
        facts([
          ["added", view.say(amount)],
          ...(pool === null ? [] : [["pool", `${view.say(pool)}${lasting(view, pool)}`] as const]),
          ["signature", sent.signature],
        ]),
      );
    },
  );

  const switches = [
    {
      name: "pause",
      about: "take no nodes, work or new audits for now",
      build: (client: SecuringTasksClient, both: CreatorOfTask) => client.pauseTask(both),
      doing: "pausing the task",
      status: "paused",
      done: "The task is paused: verdicts, claims and withdrawals go on.",
    },
    {
      name: "resume",
      about: "end a pause",
      build: (client: SecuringTasksClient, both: CreatorOfTask) => client.resumeTask(both),
      doing: "resuming the task",
      status: "active",
      done: "The task goes on.",
    },
  ] as const;
  for (const { name, about, build, doing, status, done } of switches) {
    act(leaf(task, `${name} [task]`, about, ["TASK"]), async (session, _, given) => {
      const { task: found } = await openTask(session, given);
      mustBeCreator(session, found);
      const both = { task: found.address, creator: found.creator };
      const { signature } = await send(session, build(session.client, both), [], doing);
      result(session, { task: found.address, status, signature }, [
        done,
        ...facts([["signature", signature]]),
      ]);
    });
  }

  act(
    leaf(task, "retire [task]", "end a task for ever and get its pool back", ["TASK"]),
    async (session, _, given) => {
      const view = await openTask(session, given);
      mustBeCreator(session, view.task);
      if (view.task.status !== "retired") {
        await mustConfirm(
          session,
          "End the task for ever? It takes no more nodes and work; audits, claims and withdrawals go on.",
        );
      }
      const { creator } = view.task;
      const unwrap = await unwrapPayment(session, view, creator);
      const sent = await send(
        session,
        session.client
          .retireTask({ task: view.ref, creator })
          .preInstructions(unwrap.before)
          .postInstructions(unwrap.after),
        [],
        "retiring the task",
      );
      const { amount: paid = null, slot = sent.slot } = told(sent, "taskRetired") ?? {};
      const first = view.task.status === "retired" ? view.task.retiredSlot : slot;
      const returnSlot = releasedAt({ ...view.task, retiredSlot: first });
      result(
        session,
        { task: view.task.address, status: "retired", paid, returnSlot, signature: sent.signature },
        [
          ...facts([
            ...(paid === null ? [] : [["paid out", view.say(paid)] as const]),
            ["signature", sent.signature],
          ]),
          `When everybody has left: securing-tasks task close ${view.task.address.toBase58()}`,
          `From slot ${group(returnSlot)} on, ${formatWhen(returnSlot, sent.slot, await session.slotMs())}, anybody may pay all nodes out to their owners and close what is left: the same with --sweep.`,
        ],
      );
    },
  );

  act<{ sweep?: boolean }>(
    leaf(
      task,
      "close [task]",
      "close a retired task that everybody has left; rent goes back to who paid it",
      ["TASK", "TASK --sweep"],
    ).option("--sweep", "first do all that anybody may: resolve, claim, pay nodes out, close"),
    async (session, options, given) => {
      const view = await openTask(session, given);
      if (view.task.status !== "retired") {
        throw new UserError(
          `The task is ${view.task.status}. Its creator must end it first: securing-tasks task retire ${view.task.address.toBase58()}`,
          { name: "notRetired" },
        );
      }
      const look = (): Promise<Ledger> =>
        during(session, "reading all accounts of the task", () =>
          readLedger(session.client, view.task.address),
        );
      let ledger = await look();
      const signatures: string[] = [];
      if (accountsOf(ledger) > 0) {
        const wanted =
          options.sweep ??
          (session.interactive &&
            (await confirm(
              session,
              `${accountsOf(ledger)} accounts of the task are open. Close all that can be closed now?`,
            )));
        if (wanted) {
          signatures.push(...(await sweep(session, view)));
          ledger = await look();
        }
      }
      const now = await session.chain.slot();
      const left = blockers(ledger, now, view.say, await session.slotMs());
      if (left.length > 0) {
        throw new UserError(
          [
            "The task can't be closed yet:",
            ...left.map((one) => `- ${one}`),
            ...(options.sweep ? [] : ["What anybody may do is done with --sweep."]),
          ].join("\n"),
          { name: "notEmpty" },
        );
      }
      const { creator, payer, address } = view.task;
      const funder = session.wallet.publicKey;
      // Only the creator can turn its own wrapped SOL into SOL, and take its own account's demands back.
      const { destination, ...around } = funder.equals(creator)
        ? { destination: undefined, ...(await unwrapPayment(session, view, creator)) }
        : { after: [], ...(await payOutAccount(session, view, creator)) };
      const before = await session.chain.connection.getBalance(payer);
      const sent = await send(
        session,
        session.client
          .closeTask({
            ...{ task: view.ref, creator, payer, funder },
            ...(destination && { destination }),
          })
          .preInstructions(around.before)
          .postInstructions(around.after),
        [],
        "closing the task",
      );
      signatures.push(sent.signature);
      const after = await afterwards(() => session.chain.connection.getBalance(payer));
      const lamports = after === null ? null : BigInt(after - before);
      result(session, { task: address, closed: true, payer, lamports, signatures }, [
        `The task is closed; its rent is back with ${payer.toBase58()}, who paid it.`,
        ...facts([["signature", sent.signature]]),
      ]);
    },
  );

  registerAllow(task);
}

function registerAllow(task: Command): void {
  act<{ role?: string; file?: string; remove?: boolean; list?: boolean; payer?: string }>(
    leaf(
      task,
      "allow [task] [owner]",
      "say who may join, where a gate asks for the creator's list",
      [
        "TASK OWNER --role witness",
        "TASK --file owners.csv --role worker",
        "TASK OWNER --role witness --remove",
        "TASK --list",
      ],
    )
      .option("--role <role>", "worker or witness")
      .option(
        "-f, --file <csv>",
        "one owner a line, then, behind a comma, the role where it is not --role",
      )
      .option("--remove", "take them off the list; their nodes may still leave")
      .option("--list", "show who is on the list")
      .option(...PAYER),
    async (opened, options, given, one) => {
      const session = withPayer(opened, options.payer);
      const view = await openTask(session, given);
      const { address, creator, rules } = view.task;
      if (options.list) {
        const entries = await session.client.ofTask("allowEntry", address);
        result(
          session,
          entries,
          entries.length === 0
            ? ["Nobody is on the list."]
            : table(
                ["owner", "role"],
                entries.map(({ owner, role }) => [owner.toBase58(), role]),
              ),
        );
        return;
      }
      mustBeCreator(session, view.task);
      if (one !== undefined && options.file !== undefined) {
        throw new UsageError("Give one OWNER or --file CSV, not both.");
      }
      const role = await askOneOf(session, options.role, {
        flag: "--role ROLE",
        message: "For which role?",
        choices: ROLES.map((value) => ({ value })),
      });
      if (rules.workerGate.kind !== "allowlist" && rules.witnessGate.kind !== "allowlist") {
        note(session, "This task asks nobody for an entry on its list: both gates are others.");
      }
      const csv =
        options.file === undefined
          ? (
              await askFor(session, one, {
                flag: "OWNER (or --file CSV)",
                message: "Which owner?",
                read: (text) => readAddress(text, "owner"),
              })
            ).toBase58()
          : await readCsv(options.file);
      const permissions = usage(() => readAllowlist(csv, role));
      if (options.remove) {
        const there = (await session.client.ofTask("allowEntry", address)).map((entry) =>
          entry.address.toBase58(),
        );
        const listed = permissions.filter((entry) =>
          there.includes(allowEntryAddress(address, entry.role, entry.owner).toBase58()),
        );
        const signatures: string[] = [];
        for (const entry of listed) {
          const sent = await send(
            session,
            session.client.disallowNode({ task: address, remover: creator, ...entry }),
            [],
            `taking off ${entry.owner.toBase58()} (${signatures.length + 1} of ${listed.length})`,
          );
          signatures.push(sent.signature);
        }
        const missing = permissions.length - listed.length;
        result(session, { task: address, removed: listed.length, missing, signatures }, [
          `${listed.length} taken off the list${missing > 0 ? `; ${missing} were not on it` : ""}.`,
        ]);
        return;
      }
      const progress = spinner(session, "reading the list");
      try {
        const { added, already, signatures } = await allowFromCsv(session.client, {
          task: address,
          creator,
          payer: session.payer.publicKey,
          csv,
          role,
          send: async (transaction) => (await deliver(session, transaction)).signature,
          onProgress: (done, all) => {
            progress.say(`${done} of ${all} on the list`);
          },
        });
        progress.stop();
        result(session, { task: address, added, already, signatures }, [
          `${added} added${already > 0 ? `; ${already} were on the list already` : ""}.`,
        ]);
      } finally {
        progress.stop();
      }
    },
  );
}

interface CreatorOfTask {
  readonly task: PublicKey;
  readonly creator: PublicKey;
}

async function readCsv(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw new UsageError(`The list ${path} can't be read. Give the path of a CSV file.`);
  }
}

/** What a file of the user's makes the client throw. */
function usage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Better than the chain's refusal, since it knows whose key would do. */
function mustBeCreator(session: Session, { creator }: Task): void {
  const key = session.wallet.publicKey;
  if (key.equals(creator)) return;
  throw new UserError(
    `Only the task's creator ${creator.toBase58()} may do this, and --keypair is ${key.toBase58()}. Sign with the creator's key.`,
    { name: "notCreator" },
  );
}

async function allTasks(session: Session, creator: PublicKey | null): Promise<Task[]> {
  const { program } = session.client;
  const filters: GetProgramAccountsFilter[] = [
    { memcmp: program.coder.accounts.memcmp("task") as { offset: number; bytes: string } },
    // The first field behind the discriminator.
    ...(creator ? [{ memcmp: { offset: 8, bytes: creator.toBase58() } }] : []),
  ];
  const found = await session.chain.connection.getProgramAccounts(program.programId, { filters });
  return found
    .map(({ pubkey, account }) => decodeAccount(program, "task", pubkey, account.data))
    .sort((a, b) => (a.startSlot < b.startSlot ? 1 : a.startSlot > b.startSlot ? -1 : 0));
}

function accountsOf({ task }: Ledger): number {
  return task.nodes + task.rounds + task.entries;
}

/** When the nodes of a retired task can be paid out by anybody. */
function whenReleased(task: Task, now: bigint, slotMs: number): string {
  const at = releasedAt(task);
  return `by anybody${now < at ? `, ${formatWhen(at, now, slotMs)}` : " now"}: securing-tasks task close --sweep`;
}

interface RoundNow {
  readonly number: bigint;
  readonly submissionEnd: bigint;
  readonly auditEnd: bigint;
  readonly next: bigint;
}

function roundNow(task: Task, now: bigint): RoundNow | null {
  if (now < task.startSlot) return null;
  const number = roundAt(task, now);
  return {
    number,
    submissionEnd: submissionEnd(task, number),
    auditEnd: auditEnd(task, number),
    next: roundStart(task, number + 1n),
  };
}

function roundLine(round: RoundNow, now: bigint, slotMs: number): string {
  const open = now < round.submissionEnd;
  const what = open
    ? `takes work until ${formatWhen(round.submissionEnd, now, slotMs)}`.replace("until in", "for")
    : "takes no more work";
  return `${group(round.number)}, ${what}; the next begins ${formatWhen(round.next, now, slotMs)}`;
}

function headLines(view: TaskView): string[] {
  const { task, say } = view;
  return facts([
    ["task", task.address.toBase58()],
    ["creator", `${task.creator.toBase58()} (task ${task.id.toString()})`],
    ["status", task.status],
    ["mint", view.unit === "SOL" ? "SOL (wrapped)" : task.mint.toBase58()],
    ["pool", `${say(task.pool)}${lasting(view, task.pool)}`],
    ["nodes", group(task.nodes)],
    ["can vote", `${group(task.electorate.nodes)} with ${say(task.electorate.stake)}`],
    ["audit function", functionLine(task.auditFunction)],
    ["task function", task.taskFunction ? functionLine(task.taskFunction) : "none"],
  ]);
}

function functionLine({ hash, uri }: Task["auditFunction"]): string {
  return `${uri === "" ? "no URI" : uri}, SHA-256 ${Buffer.from(hash).toString("hex")}`;
}

/** For how many rounds a pool pays. */
function lasting({ task }: TaskView, pool: bigint): string {
  const { bountyPerRound } = task.rules;
  if (bountyPerRound === 0n) return "";
  const rounds = pool / bountyPerRound;
  return `, for ${group(rounds)} round${rounds === 1n ? "" : "s"}`;
}

function ruleLines({ task, say }: TaskView): string[] {
  const { rules } = task;
  return facts([
    ["round", formatSlots(rules.roundSlots)],
    ["submission window", formatSlots(rules.submissionSlots)],
    ["audit window", formatSlots(rules.auditSlots)],
    [
      "votes",
      rules.commitSlots === 0n ? "open" : `secret, ${formatSlots(rules.commitSlots)} to commit`,
    ],
    [rules.commitSlots === 0n ? "voting window" : "reveal window", formatSlots(rules.revealSlots)],
    ["leave delay", formatSlots(rules.leaveDelaySlots)],
    ["bounty per round", say(rules.bountyPerRound)],
    ["least stake", `worker ${say(rules.workerMinStake)}, witness ${say(rules.witnessMinStake)}`],
    [
      "bond, deposit",
      `${say(rules.initiatorBond)} for an accusation that fails${rules.commitSlots === 0n ? "" : `, ${say(rules.voteDeposit)} for a vote never revealed`}`,
    ],
    [
      "judged by",
      rules.panelSeats === 0
        ? "everybody"
        : `about ${group(rules.panelSeats)} nodes, drawn by stake, one vote each; on appeal by everybody`,
    ],
    [
      "appeals",
      rules.appealSlots === 0n
        ? "none: a verdict is final"
        : `for ${formatSlots(rules.appealSlots)} after the last vote, with a bond of ${say(rules.appealBond)}`,
    ],
    [
      "quorum",
      `${group(rules.quorumVotes)} votes besides the initiator's and ${formatShare(rules.quorumBps)} of ${rules.panelSeats > 0 ? "the seats, on appeal of " : ""}${WEIGHED[rules.voteWeight]} but the accused's, on the side that decides`,
    ],
    ["slash", `downtime ${formatShare(rules.downtimeBps)}, malice ${formatShare(rules.maliceBps)}`],
    [
      "of a slash",
      `initiator ${formatShare(rules.initiatorBonusBps)}, pool ${formatShare(rules.poolBps)}, rest to ${rules.rewardRule === "all" ? "all voters" : "the majority"}`,
    ],
    ["gates", `workers ${gateLine(rules.workerGate)}, witnesses ${gateLine(rules.witnessGate)}`],
  ]);
}

function gateLine(gate: Gate): string {
  switch (gate.kind) {
    case "open":
    case "allowlist":
      return gate.kind;
    case "token":
      return `${gate.least.toString()} base units of ${gate.mint.toBase58()}`;
    case "collection":
      return `a token of ${gate.group.toBase58()}`;
    case "standing":
      return `${gate.leastRoundsPaid.toString()} rounds paid and at most ${gate.mostConvictions} convictions in ${gate.task.toBase58()}`;
    case "member":
      return `a node of ${gate.task.toBase58()}`;
  }
}
