import { resolve } from "node:path";
import type { AccountKind, MintInfo, TaskRules } from "@securing-tasks/client";
import {
  ACCOUNT_BYTES,
  WRAPPED_SOL,
  fetchMint,
  isServerTrouble,
  shownDifferently,
  taskAddress,
  vaultAddress,
  wrappedSol,
} from "@securing-tasks/client";
import { liveDoors } from "@securing-tasks/sandbox";
import { TEMPLATES, parameterOf, templateInfo } from "@securing-tasks/templates";
import type { TemplateName } from "@securing-tasks/templates";
import { ACCOUNT_SIZE } from "@solana/spl-token";
import { PublicKey } from "@solana/web3.js";
import { formatDuration } from "../amounts";
import { askFor, askOneOf, mustConfirm } from "../ask";
import { UsageError, UserError } from "../failures";
import { groupOf } from "../gate";
import type { Money } from "../lookup";
import { moneyOf, wrapForPayment } from "../lookup";
import { during, facts, note, result, warn } from "../output";
import { feeOf, send } from "../send";
import type { Session } from "../session";
import { withPayer } from "../session";
import { transactionFee, warnings } from "./economics";
import type { BoundFunction } from "./functions";
import { bindFunction, bundle, parseParameter } from "./functions";
import type { PresetName } from "./presets";
import { PRESETS, PRESET_TABLE, SUGGESTED_SEATS, suggestedAppeal } from "./presets";
import type { Costs } from "./preview";
import { previewLines } from "./preview";
import type { Rehearsal } from "./rehearsal";
import { checkWithSample, readSample, rehearse } from "./rehearsal";
import type { RuleName, WrittenRules } from "./rules";
import { RULE_NAMES, RULE_TABLE, flagOf, gateMints, readRule, readRules } from "./rules";
import type { FunctionSource, TaskFile, TemplateChoice } from "./schema";
import { readTaskFile } from "./schema";

/** The flags of `task create`. */
export interface CreateOptions extends Readonly<Partial<Record<RuleName, string>>> {
  readonly file?: string;
  readonly preset?: string;
  readonly id?: string;
  readonly mint?: string;
  readonly fund?: string;
  readonly allowLargeStake?: boolean;
  readonly template?: string;
  readonly param?: readonly string[];
  readonly out?: string;
  readonly auditFunction?: string;
  readonly auditUri?: string;
  readonly auditHash?: string;
  readonly taskFunction?: string;
  readonly taskUri?: string;
  readonly taskHash?: string;
  readonly sample?: string;
  readonly secret?: readonly string[];
  readonly skipCheck?: boolean;
  readonly payer?: string;
  readonly dryRun?: boolean;
}

/** Makes a task: reads and asks what it shall be, tries its functions, explains what it means and costs, and sends it. */
export async function createTask(opened: Session, options: CreateOptions): Promise<void> {
  const session = withPayer(opened, options.payer);
  const creator = session.wallet.publicKey;
  const payer = session.payer.publicKey;
  const file = withFlags(
    options.file === undefined ? { rules: {} } : readTaskFile(options.file),
    options,
  );
  const { connection } = session.chain;

  const preset = await choosePreset(session, file, options.file !== undefined);
  const mint = await chooseMint(session, file);
  const money = moneyOf(mint);
  const bounty = await withBounty(session, file, money);
  // Who names a preset knows of rules.
  const asked = file.preset === undefined ? preset : null;
  const written = await withJury(session, bounty, asked, money);
  const gates = new Map<string, number>();
  for (const one of gateMints(written)) {
    gates.set(one.toBase58(), (await fetchMint(connection, one)).decimals);
  }
  const allowLargeStake = file.allowLargeStake ?? false;
  const id = readId(file);
  const address = taskAddress(creator, id);
  const rules = readRules(
    written,
    preset === null ? null : PRESET_TABLE[preset].rules,
    { task: mint.decimals, gates },
    allowLargeStake,
    { task: address, mint: mint.address, group: await groupOf(connection, mint) },
  );
  const functions = await bindFunctions(session, file);
  const fund = await chooseFund(session, file, money, rules);
  if (await session.client.find("task", address)) {
    throw new UserError(
      `You have a task with the id ${id.toString()} already: ${address.toBase58()}. Leave the id out, or choose another.`,
      { name: "TaskExists" },
    );
  }

  const rehearsal = await tryFunctions(session, functions, file, options, {
    address,
    creator,
    id,
    mint,
    rules,
  });
  const { audit, task } = functions;
  const differs = shownDifferently(mint);
  const told = [
    ...(differs === null ? [] : [differs]),
    ...audit.warnings,
    ...(task?.warnings ?? []),
    ...(rehearsal?.warnings ?? []),
    ...(options.skipCheck
      ? ["The audit function was not tried (--skip-check): nobody knows whether nodes will agree."]
      : []),
  ];

  const builder = session.client.createTask({
    creator,
    payer,
    id,
    mint,
    rules,
    auditFunction: audit.ref,
    ...(task && { taskFunction: task.ref }),
    allowLargeStake,
  });
  const { lines, costs, short, poor } = await during(session, "computing the costs", async () => {
    const kinds = Object.keys(ACCOUNT_BYTES) as AccountKind[];
    const minima = await Promise.all(
      kinds.map(async (kind) => [kind, await session.chain.rentMinimum(ACCOUNT_BYTES[kind])]),
    );
    const rent = Object.fromEntries(minima) as Record<AccountKind, bigint>;
    const inSol = money.unit === "SOL";
    const pool = inSol ? fund : 0n;
    const rents = rent.task + rent.vault;
    const wrapped = inSol && fund > 0n ? await wrappedSol(connection, creator) : 0n;
    // An account that is there already holds its rent.
    const lent = wrapped === null ? await session.chain.rentMinimum(ACCOUNT_SIZE) : 0n;
    const lacking = pool > (wrapped ?? 0n) ? pool - (wrapped ?? 0n) : 0n;
    const base = transactionFee(payer.equals(creator) ? 1 : 2);
    const balances: readonly Balance[] = await Promise.all(
      (payer.equals(creator) ? [creator] : [payer, creator]).map(async (who) => ({
        who,
        has: BigInt(await connection.getBalance(who)),
      })),
    );
    const lacks = (fees: bigint): UserError | null =>
      shortOf(balances, [
        { who: payer, amount: rents + fees },
        { who: creator, amount: lacking + lent, back: lent },
      ]);
    // Who can't pay can't be told the priority fee either: a trial would be refused.
    const rich = lacks(base) === null;
    const poor =
      rich && fund > 0n ? await addFunding(session, builder, address, money, fund) : null;
    const fees = rich && !poor && session.priorityFee > 0n ? await feeOf(session, builder) : base;
    const costs: Costs = {
      taskRent: rent.task,
      vaultRent: rent.vault,
      pool,
      fees,
      total: rents + pool + fees,
    };
    const lines = previewLines({ rules, money, fund, rent, costs });
    return { costs, short: lacks(fees), poor, lines };
  });

  const answer = {
    task: address,
    creator,
    payer,
    id,
    mint: mint.address,
    decimals: mint.decimals,
    vault: vaultAddress(address),
    auditFunction: shownFunction(audit),
    taskFunction: task ? shownFunction(task) : null,
    rules,
    allowLargeStake,
    fund,
    costs,
    check: rehearsal ? rehearsal.verdicts : "skipped",
    warnings: [...told, ...warnings(rules)],
  };
  const named = facts([
    ["task", address.toBase58()],
    ["creator", creator.toBase58()],
    ...(payer.equals(creator) ? [] : [["payer", payer.toBase58()] as const]),
    ["id", id.toString()],
    ["mint", `${mint.address.toBase58()} (${money.unit}, ${mint.decimals} decimals)`],
    ["audit function", `${hex(audit)} ${audit.ref.uri}`],
    ["task function", task ? `${hex(task)} ${task.ref.uri}` : "none"],
    ["tried", triedLine(rehearsal)],
  ]);
  if (options.dryRun) {
    for (const text of told) warn(session, text);
    if (poor) warn(session, poor.message);
    result(session, { ...answer, signature: null }, [...named, "", ...lines]);
    return;
  }
  for (const line of [...named, "", ...lines, ""]) note(session, line);
  for (const text of told) warn(session, text);

  // By the balances that were counted with: after others, the pool might be left out.
  if (short) throw short;
  if (poor) throw poor;
  await mustConfirm(session, "Make this task? Its rules never change.");
  const sent = await send(session, builder, [], "making the task");
  result(session, { ...answer, signature: sent.signature, slot: sent.slot, fee: sent.fee }, [
    ...facts([
      ["task", address.toBase58()],
      ["signature", sent.signature],
    ]),
    `Look at it:  securing-tasks task show ${address.toBase58()}`,
    `Join it:     securing-tasks node join ${address.toBase58()}`,
  ]);
}

/** Lamports of somebody. */
interface Balance {
  readonly who: PublicKey;
  readonly has: bigint;
}

/** What somebody must have, in lamports, and how much of it comes back in the same transaction. */
interface Due {
  readonly who: PublicKey;
  readonly amount: bigint;
  readonly back?: bigint;
}

/** Says who hasn't got what it must have; null where all have. */
function shortOf(balances: readonly Balance[], dues: readonly Due[]): UserError | null {
  for (const { who, has } of balances) {
    const own = dues.filter((due) => due.who.equals(who));
    const sum = own.reduce((total, { amount }) => total + amount, 0n);
    const back = own.reduce((total, due) => total + (due.back ?? 0n), 0n);
    if (has >= sum) continue;
    return new UserError(
      `${who.toBase58()} holds ${lamports(has)}, and ${lamports(sum)} are needed${back > 0n ? `, of which ${lamports(back)} come back at once` : ""}. Send it more SOL.`,
      { name: "InsufficientFunds" },
    );
  }
  return null;
}

const lamports = (amount: bigint): string => moneyOf(WRAPPED_SOL).say(amount);
const hex = ({ ref }: BoundFunction): string => Buffer.from(ref.hash).toString("hex");
const shownFunction = (one: BoundFunction) => ({ hash: hex(one), uri: one.ref.uri });

function triedLine(rehearsal: Rehearsal | null): string {
  if (!rehearsal) return "no";
  return Object.entries(rehearsal.verdicts)
    .map(([who, verdict]) => `${PLAYED[who] ?? who}: ${verdict ?? "failed"}`)
    .join(", ");
}

const PLAYED: Readonly<Record<string, string>> = {
  honest: "an honest worker",
  emptyPayload: "an empty payload",
  dark: "a worker that does not answer",
  sample: "the sample",
};

/** What stands in the file, with flags in its place where they are given. */
function withFlags(file: TaskFile, options: CreateOptions): TaskFile {
  const flag = (name: string, text: string) => ({ text, where: flagOf(name) });
  const rules: WrittenRules = {
    ...file.rules,
    ...Object.fromEntries(
      RULE_NAMES.flatMap((name) => {
        const text = options[name];
        return text === undefined ? [] : [[name, flag(name, text)]];
      }),
    ),
  };
  const template = templateOf(file.template, options);
  // A template brings its own files.
  const templated = template !== undefined;
  const source = (
    kind: "audit" | "task",
    base: FunctionSource | undefined,
    path: string | undefined,
    uri: string | undefined,
    hash: string | undefined,
  ): FunctionSource | undefined => {
    if (hash !== undefined && !/^[0-9a-f]{64}$/i.test(hash)) {
      throw new UsageError(`--${kind}-hash "${hash}" is no SHA-256. Give 64 hex digits.`);
    }
    const found = {
      ...base,
      ...(path !== undefined && { file: resolve(path) }),
      ...(uri !== undefined && { uri }),
      ...(hash !== undefined && { hash: hash.toLowerCase() }),
    };
    if (Object.keys(found).length === 0) return undefined;
    if (found.file === undefined && found.uri === undefined && !templated) {
      throw new UsageError(
        `--${kind}-hash alone says nothing of where nodes get the function. Give --${kind}-uri or --${kind}-function too.`,
      );
    }
    return found;
  };
  const audit = source(
    "audit",
    file.auditFunction,
    options.auditFunction,
    options.auditUri,
    options.auditHash,
  );
  const task = source(
    "task",
    file.taskFunction,
    options.taskFunction,
    options.taskUri,
    options.taskHash,
  );
  return {
    ...file,
    rules,
    ...(options.preset !== undefined && {
      preset: oneOf(PRESETS, options.preset, "--preset"),
    }),
    ...(options.id !== undefined && { id: flag("id", options.id) }),
    ...(options.mint !== undefined && { mint: flag("mint", options.mint) }),
    ...(options.fund !== undefined && { fund: flag("fund", options.fund) }),
    ...(options.allowLargeStake && { allowLargeStake: true }),
    ...(audit && { auditFunction: audit }),
    ...(task && { taskFunction: task }),
    ...(template && { template }),
    ...(options.out !== undefined && { out: resolve(options.out) }),
    ...(options.sample !== undefined && { sample: resolve(options.sample) }),
  };
}

function templateOf(
  base: TemplateChoice | undefined,
  { template, param = [] }: CreateOptions,
): TemplateChoice | undefined {
  const name = template === undefined ? base?.name : oneOf(TEMPLATES, template, "--template");
  if (name === undefined) {
    if (param.length > 0) {
      throw new UsageError(
        "--param sets a template's parameter: name the template with --template.",
      );
    }
    return undefined;
  }
  // Parameters of another template are none of this one's.
  const kept = name === base?.name ? base.parameters : {};
  const set = param.map((text) => parseParameter(name, text));
  return { name, parameters: { ...kept, ...Object.fromEntries(set) } };
}

function oneOf<T extends string>(words: readonly T[], text: string, flag: string): T {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw new UsageError(`${flag} can't be "${text}". Use ${words.join(" or ")}.`);
}

async function choosePreset(session: Session, file: TaskFile, fromFile: boolean) {
  if (file.preset !== undefined) return file.preset;
  // A file without a preset means to say everything itself.
  if (fromFile || !session.interactive) return null;
  return askOneOf(session, undefined, {
    flag: "--preset NAME",
    message: "Which rules to start from?",
    choices: PRESETS.map((value) => ({ value, about: PRESET_TABLE[value].about })),
  });
}

async function chooseMint(session: Session, { mint }: TaskFile): Promise<MintInfo> {
  const text = await askFor(session, mint?.text, {
    flag: "--mint MINT",
    message: "Which mint does the task pay in? SOL, or a mint's address",
    suggestion: "SOL",
    read: (answer) => {
      const trimmed = answer.trim();
      if (/^sol$/i.test(trimmed) || isAddress(trimmed)) return trimmed;
      throw new UsageError(
        `${mint ? `${mint.where}: ` : ""}"${answer}" is no mint. Give SOL, or a mint's address in base58.`,
      );
    },
  });
  if (/^sol$/i.test(text)) return WRAPPED_SOL;
  try {
    return await during(session, "reading the mint", () =>
      fetchMint(session.chain.connection, new PublicKey(text)),
    );
  } catch (error) {
    if (isServerTrouble(error) || !(error instanceof Error)) throw error;
    throw new UserError(`${mint ? `${mint.where}: ` : ""}${error.message}`, { name: "NoMint" });
  }
}

function isAddress(text: string): boolean {
  try {
    return new PublicKey(text).toBase58() === text;
  } catch {
    return false;
  }
}

async function withBounty(session: Session, file: TaskFile, money: Money): Promise<WrittenRules> {
  // Without a terminal, all rules that are missing are named at once.
  if (file.rules.bounty || !session.interactive) return file.rules;
  const text = await askFor(session, undefined, {
    flag: "--bounty AMOUNT",
    message: `How many ${money.unit} do the workers of a round share?`,
    read: (answer) => {
      money.read(answer);
      return answer;
    },
  });
  return { ...file.rules, bounty: { text, where: "--bounty" } };
}

/** Who judges, where a person starts from a preset and has not said so. Scripts have flags, and everybody without them. */
async function withJury(
  session: Session,
  written: WrittenRules,
  preset: PresetName | null,
  money: Money,
): Promise<WrittenRules> {
  const { panelSeats, appealWindow, appealBond, bounty } = written;
  if (!session.interactive || !preset || panelSeats || appealWindow || appealBond) return written;
  const choice = await askOneOf<"everybody" | "appeals" | "panel">(session, undefined, {
    flag: "--panel-seats SEATS",
    message: "Who judges audits?",
    choices: [
      { value: "everybody", about: "every node, and a verdict is final" },
      { value: "appeals", about: "every node, and an outcome can be appealed once" },
      { value: "panel", about: "a few nodes drawn by stake, with appeals: for tasks of many" },
    ],
  });
  if (choice === "everybody") return written;
  const rules = PRESET_TABLE[preset].rules(money.read(bounty?.text ?? "0"));
  const suggested = suggestedAppeal(rules);
  const ask = async (
    name: "panelSeats" | "appealWindow" | "appealBond",
    message: string,
    suggestion: string,
  ): Promise<WrittenRules> => {
    const flag = flagOf(name);
    const decimals = { task: money.mint.decimals, gates: new Map<string, number>() };
    const text = await askFor(session, undefined, {
      flag,
      message,
      suggestion,
      read: (answer) => {
        readRule(RULE_TABLE[name].kind, answer, decimals);
        return answer;
      },
    });
    return { [name]: { text, where: flag } };
  };
  return {
    ...written,
    ...(choice === "panel" &&
      (await ask("panelSeats", "About how many seats?", String(SUGGESTED_SEATS)))),
    ...(await ask(
      "appealWindow",
      "How long after the last vote may somebody appeal?",
      formatDuration(suggested.appealSlots).replaceAll(" ", ""),
    )),
    ...(await ask(
      "appealBond",
      "What does an appeal cost that changes nothing?",
      `${suggested.appealBond.toString()} base`,
    )),
  };
}

async function chooseFund(
  session: Session,
  { fund }: TaskFile,
  money: Money,
  rules: TaskRules,
): Promise<bigint> {
  return askFor(session, fund?.text, {
    flag: "--fund AMOUNT",
    message: `How many ${money.unit} to put into the pool now? A round takes ${money.say(rules.bountyPerRound)}`,
    fallback: "0",
    read: (answer) => {
      try {
        return money.read(answer);
      } catch (error) {
        const { message } = error as Error;
        throw new UsageError(fund ? `${fund.where}: ${message}` : message);
      }
    },
  });
}

/** Without one: the time, so that no id is used twice. */
function readId({ id }: TaskFile): bigint {
  if (!id) return BigInt(Date.now());
  if (/^\d{1,20}$/.test(id.text) && BigInt(id.text) < 2n ** 64n) return BigInt(id.text);
  throw new UsageError(
    `${id.where}: "${id.text}" is no id. Give a whole number from 0 to ${(2n ** 64n - 1n).toString()}.`,
  );
}

interface Functions {
  readonly audit: BoundFunction;
  readonly task: BoundFunction | null;
}

async function bindFunctions(session: Session, file: TaskFile): Promise<Functions> {
  let { auditFunction, taskFunction } = file;
  let template = file.template;
  const own = auditFunction?.file ?? auditFunction?.hash ?? auditFunction?.uri;
  if (!template && own === undefined) {
    if (!session.interactive) {
      throw new UsageError(
        "There is no audit function: nobody could tell good work from bad. Give --audit-function FILE, or --template NAME.",
      );
    }
    const choice = await askOneOf<TemplateName | "own">(session, undefined, {
      flag: "--template NAME",
      message: "What do workers do, and how is it audited?",
      choices: [
        ...TEMPLATES.map((name) => ({ value: name, about: templateInfo(name).description })),
        { value: "own", about: "my own audit function" },
      ],
    });
    if (choice === "own") {
      auditFunction = { file: resolve(await askPath(session, "audit")) };
      const work = await askPath(session, "task");
      if (work !== "") taskFunction = { file: resolve(work) };
    } else {
      template = { name: choice, parameters: await askParameters(session, choice) };
    }
  }
  if (template) {
    if (auditFunction?.file !== undefined || taskFunction?.file !== undefined) {
      throw new UsageError(
        "There are both a template and a file of one's own. Leave the template or the file out.",
      );
    }
    const folder = file.out ?? resolve(`${template.name}-task`);
    const made = await bundle(template, folder);
    note(session, `The template's files are in ${folder}.`);
    auditFunction = { ...auditFunction, file: made.audit };
    taskFunction = { ...taskFunction, file: made.work };
  }
  const bind = (kind: "audit" | "task", source: FunctionSource): Promise<BoundFunction> =>
    during(session, `looking at the ${kind} function`, () => bindFunction(kind, source));
  return {
    audit: await bind("audit", await withUri(session, "audit", auditFunction ?? {})),
    task: taskFunction ? await bind("task", await withUri(session, "task", taskFunction)) : null,
  };
}

function askPath(session: Session, kind: "audit" | "task"): Promise<string> {
  return askFor(session, undefined, {
    flag: `--${kind}-function FILE`,
    message:
      kind === "audit"
        ? "File of the audit function?"
        : "File of the task function? Nothing, if workers know their work",
    ...(kind === "task" && { fallback: "" }),
    read: (text) => {
      if (kind === "audit" && text.trim() === "") throw new UsageError("Give the path of a file.");
      return text.trim();
    },
  });
}

async function askParameters(
  session: Session,
  name: TemplateName,
): Promise<Readonly<Record<string, unknown>>> {
  const found: Record<string, unknown> = {};
  for (const [key, { about, default: usual }] of Object.entries(templateInfo(name).parameters)) {
    if (usual !== undefined) continue;
    found[key] = await askFor(session, undefined, {
      flag: `--param ${key}=VALUE`,
      message: `${key}: ${about}?`,
      read: (answer) => parameterOf(name, key, answer.trim()),
    });
  }
  return found;
}

async function withUri(
  session: Session,
  kind: "audit" | "task",
  source: FunctionSource,
): Promise<FunctionSource> {
  if (source.uri !== undefined || !session.interactive) return source;
  const uri = await askFor(session, undefined, {
    flag: `--${kind}-uri URI`,
    message: `Where do nodes get the ${kind} function? Its address on the web, or nothing for this machine alone`,
    fallback: "",
    read: (text) => {
      const trimmed = text.trim();
      if (trimmed !== "" && !URL.canParse(trimmed)) {
        throw new UsageError(`"${text}" is no address. Give one, like https://….`);
      }
      return trimmed;
    },
  });
  return uri === "" ? source : { ...source, uri };
}

/** Tries the audit function; null where its creator does not want that. Throws where its verdict can't be relied on. */
async function tryFunctions(
  session: Session,
  { audit, task }: Functions,
  { sample }: TaskFile,
  { skipCheck, secret = [] }: CreateOptions,
  facts: {
    readonly address: PublicKey;
    readonly creator: PublicKey;
    readonly id: bigint;
    readonly mint: MintInfo;
    readonly rules: TaskRules;
  },
): Promise<Rehearsal | null> {
  if (skipCheck) return null;
  const way = "Pass --skip-check to make the task all the same.";
  if (!audit.loaded) {
    throw new UsageError(
      `The audit function can't be tried before it can be read: give its file with --audit-function. ${way}`,
    );
  }
  const { loaded } = audit;
  const { connection } = session.chain;
  const stage = {
    audit: loaded,
    work: task?.loaded ?? null,
    task: {
      address: facts.address.toBase58(),
      creator: facts.creator.toBase58(),
      id: facts.id.toString(),
      mint: facts.mint.address.toBase58(),
      startSlot: await connection.getSlot(),
      roundSlots: Number(facts.rules.roundSlots),
      submissionSlots: Number(facts.rules.submissionSlots),
      bountyPerRound: facts.rules.bountyPerRound.toString(),
    },
    // The functions are the creator's own, and so is the network.
    doors: liveDoors({ connection, allowPrivateNetwork: true }),
    secrets: Object.fromEntries(secret.map(parseSecret)),
  };
  const found = await during(session, "trying the audit function", async () =>
    sample === undefined ? rehearse(stage) : checkWithSample(stage, await readSample(sample)),
  );
  if (found.problems.length === 0) return found;
  throw new UserError(
    [
      "The audit function is refused: nodes could not rely on its verdicts.",
      ...found.problems.map((problem) => `- ${problem}`),
      `Correct it and try again (securing-tasks audit check). ${way}`,
    ].join("\n"),
    { name: "AuditFunctionRefused" },
  );
}

function parseSecret(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  // The rest may be a key: it is not shown.
  if (at < 1) throw new UsageError("--secret: there is no `=`. Write it as NAME=VALUE.");
  return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Lets the same transaction fill the pool: a task and its first money come together or not at all. Gives the reason where the creator
 * hasn't got the money.
 */
async function addFunding(
  session: Session,
  builder: ReturnType<Session["client"]["createTask"]>,
  task: PublicKey,
  money: Money,
  amount: bigint,
): Promise<UserError | null> {
  const funder = session.wallet.publicKey;
  const ref = { address: task, mint: money.mint };
  try {
    const { before, after } = await wrapForPayment(session, money, funder, amount);
    const fund = await session.client.fundTask({ task: ref, funder, amount }).instruction();
    builder.postInstructions([...before, fund, ...after]);
    return null;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}
