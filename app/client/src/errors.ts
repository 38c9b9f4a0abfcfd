import { ArgumentError } from "./arguments";
import { Expired, OutcomeUnknown } from "./fate";
import type { SecuringTasks } from "./idl/securing_tasks";
import idl from "./idl/securing_tasks.json";
import { PROGRAM_ID } from "./pda";
import type { Accounts, Reason } from "./runtime";
import { NO_ACCOUNTS, SERVER_REASONS, hasOwnNumbers, logged, numbered, worded } from "./runtime";

/** Name of a refusal of the program, as in its IDL. */
export type RefusalName = SecuringTasks["errors"][number]["name"];

/** A refusal in plain words. */
export interface Explanation {
  /** What is wrong and the way out. */
  readonly message: string;
  /** The program's name for it, or null when something else refused. */
  readonly name: RefusalName | null;
  /** What else refused, sorted; null for refusals of the program, and for what nobody knows. */
  readonly reason: Reason | null;
  /** The refusing program's number for it, or null when it has none. */
  readonly code: number | null;
  /** Log lines of the transaction, when it got so far. */
  readonly logs: readonly string[];
}

/** Every refusal of the program: what is wrong, and the way out. */
const REFUSALS: Readonly<Record<RefusalName, string>> = {
  overflow:
    "The amount is too large: with it a balance would pass 18446744073709551615 base units, or a slot would. Use a smaller one.",
  invariantBroken:
    "The program stopped, because the account would have broken its own rules. Nothing changed. This is a bug: please report the transaction.",
  amountZero: "The amount is zero. Give one above zero.",

  auditFunctionMissing:
    "The task has no audit function: nobody could tell good work from bad. Give the SHA-256 of one.",
  uriTooLong: "The URI is longer than 128 bytes. Use a shorter one, such as a content address.",
  bondZero: "The initiator's bond is zero, so accusing would cost nothing. Set it above zero.",
  sharesOverWhole:
    "A share, slash or quorum is over 10,000 basis points, or initiator's bonus and pool's part together are. Lower them.",
  bonusZero:
    "The initiator's bonus is zero, so nobody would have a reason to accuse. Set it above zero.",
  slashZero: "The slash for malice is zero, so an audit could cost nothing. Set it above zero.",
  maliceBelowDowntime:
    "The slash for malice is below the slash for downtime. Make it the same or larger.",
  quorumZero:
    "The quorum asks for no vote, so that an accusation would convict by itself. Ask for at least one.",
  windowZero:
    "The round or the submission, audit or reveal window is zero slots long. Give each at least one slot.",
  submissionWindowTooLong:
    "The submission window is longer than the round. Shorten it, or make the round longer.",
  auditWindowsTooLong:
    "Audit, commit and reveal windows together are longer than a round. Shorten them, or make the round longer.",
  leaveDelayTooShort:
    "The leave delay is shorter than the longest case, so a node could leave before it is judged. Make it at least as long as submission, audit, commit and reveal windows together, with appeals the appeal window and those of votes once more.",
  windowTooLong:
    "A round or the leave delay is longer than 78,840,000 slots, about a year, which could lock stake for ever. Shorten it.",
  minimumStakeZero:
    "The minimum stake of workers or witnesses is zero. Set both above zero: it is all that keeps one owner from running many nodes.",
  stakeOverBounty:
    "The worker's minimum stake is over 100 rounds' bounties. Lower it, raise the bounty, or allow a large stake in so many words.",
  unknownRule:
    "The vote weight, reward rule or gate is not one that exists. Choose one that this client names.",
  gateKeyMissing: "The gate names no mint, collection or task. Name the one that it asks about.",

  mintTransferFee:
    "The mint charges transfer fees, so the vault would get less than was deposited. Use a mint without them.",
  mintTransferHook:
    "The mint calls a program of its own at every transfer, which could block withdrawals. Use a mint without a transfer hook.",
  mintPermanentDelegate:
    "The mint has a permanent delegate, who could empty the vault. Use a mint without one.",
  mintNonTransferable: "The mint's tokens can't be transferred. Use another mint.",
  mintPausable: "The mint can be paused, which would lock every stake. Use a mint that can't.",
  mintConfidentialTransfer:
    "The mint has confidential transfers, whose amounts the program can't see. Use a mint without them.",
  mintDefaultFrozen:
    "The mint freezes new accounts, so the vault could not be used. Use a mint that does not.",
  mintClosable:
    "The mint can be closed and made anew with other rules. Use a mint without a close authority.",
  mintExtensionUnknown:
    "The mint has an extension that the program does not know, so it can't tell whether the vault is safe. Use another mint.",

  mintMismatch:
    "The token account or mint is not of the task's mint. Use an account that holds the task's tokens.",
  tokenProgramMismatch:
    "The token program does not own the task's mint. Pass the one that does: Token or Token-2022.",
  vaultMismatch: "The vault is not the task's. Let the client fill it in.",
  wrongTask: "An account belongs to another task. Use accounts of one task.",
  wrongNode:
    "The node is not the one that this audit, vote or submission is about. Use the node of the owner it names.",
  wrongSubmission: "The submission is not the one that this audit is about. Use the one it names.",
  wrongRound: "The round is not the one of this submission. Use the round it names.",
  wrongAudit: "The vote was cast in another audit. Use the audit it names.",
  notCreator: "Only the task's creator may do this. Sign with the creator's key.",
  notOwner: "Only the node's owner may do this. Sign with the key that joined the task.",
  notOperator:
    "Only the node's operator may do this. Sign with the operator's key, or let the owner name another operator.",

  taskRetired:
    "The task is retired: it takes no more funds, nodes or work. Audits of what was submitted, claims and withdrawals go on.",
  unknownRole: "A node is a worker or a witness. Choose one of the two.",
  stakeBelowMinimum:
    "The node's stake would be below the minimum of its role. Add stake, keep more of it, or leave with all of it.",
  stakeTooSmall:
    "The node has less stake that is not leaving. Use a smaller amount, or add stake first.",
  stakePledged:
    "The stake is pledged to the node's own open accusations, appeals and unrevealed votes. Have those resolved and claimed, which anyone may, or add stake.",
  nothingToRestake:
    "The node has nothing that could become stake: nothing is payable, and no share's lock is over.",
  nothingLeaving: "No stake of the node is leaving. There is nothing to take back.",
  nothingToWithdraw:
    "Nothing of the node can be withdrawn yet. Ask to leave first, and wait until the leave delay or the lock of its shares is over.",
  nodeAccused:
    "The node stands accused, so its stake can't leave. Anyone may resolve the audits once their votes are in; then try again.",

  witnessCannotSubmit:
    "Witnesses do not submit work. Join the task as a worker with another owner.",
  payloadMissing: "The work has no SHA-256. Give the hash of what was done.",
  roundNotCurrent:
    "The round is not the current one. Submit for the round that the current slot lies in.",
  submissionWindowClosed:
    "The submission window of this round is over. Submit in the first slots of the next round.",
  unknownVerdict:
    "The accusation or vote is not one that exists: accuse of downtime or malice, vote valid, downtime or malice.",
  auditWindowClosed: "The audit window of this work is over. It can't be audited any more.",
  earlierAuditOpen:
    "Another audit of this work was opened before, and audits are resolved in that order. Resolve the earlier one first; its votes are in.",
  alreadyDecided:
    "The work is convicted of this fault already, or of a worse one. Accuse it of malice if it was convicted of downtime alone.",
  stakeAddedTooOften:
    "Stake came to this node four times within the longest case, and a fifth part would make earlier stake young again. Wait until the oldest of the four is as old as the longest case.",
  joinedAfterSubmission:
    "The node joined after the work was submitted, so it has no say on it. It can vote on later work.",
  stakeTooRecent:
    "The node held less than its minimum stake before the work was submitted, so it has no say on it. It can vote on later work.",
  accusedCannotVote: "The accused can't vote on its own work.",
  initiatorAlreadyVoted: "The accusation is the initiator's vote. It has no second one.",
  votingClosed: "Votes are not taken at this slot: the window is over, or has not begun.",
  votingOpen: "Votes are still taken. Resolve the audit when its window is over.",
  alreadyResolved: "The audit is resolved already. Claim your share of it.",
  notResolved: "The audit is not resolved yet. Anyone may resolve it once its votes are in.",
  alreadyClaimed: "The vote is claimed already. Its share is with its node.",

  taskPaused:
    "The task is paused: it takes no nodes, work or new audits for now. Verdicts, claims and withdrawals go on. Wait until its creator resumes it.",
  notPaused: "The task is not paused. There is nothing to resume.",
  notRetired: "The task is not retired. Its creator must retire it first.",
  gateClosed:
    "The owner does not pass the task's gate for this role. Get what the gate asks for; leaving is never gated.",
  votesAreCommitted:
    "The task's votes are committed before they are told. Commit to your vote, and reveal it in the reveal window.",
  votesAreOpen: "The task's votes are open: there is no commit window. Cast your vote instead.",
  commitmentMissing: "The commitment is all zeros. Let the client make it.",
  commitmentMismatch:
    "Verdict and salt are not those of the commitment. Reveal with the salts that this vote was committed with.",
  alreadyRevealed: "The vote is revealed already. It counts.",
  roundUndecided:
    "The round can still change: its audit window is not over, or an audit is open. Try again when that is over.",
  convictedEarnsNothing: "The work was convicted, so it earns no bounty.",
  alreadyPaid: "The bounty is claimed already. It is with the worker's node.",
  notEmpty:
    "Something is still owed, or another account depends on this one. Claim, withdraw and close what it is first.",
  wrongPayer: "The rent goes to the one who paid it. Let the client fill in the account.",
  taskReplaced:
    "The task was closed and made again at its address since you read it, perhaps with other rules. Read it again before you join.",

  slashFloorsToZero:
    "Of a worker's minimum stake the slash for downtime or malice is less than one base unit, so that the penalty could not be taken. Raise the minimum stake or the slash.",
  bonusFloorsToZero:
    "Of the slash for malice at a worker's minimum stake the initiator's bonus is less than one base unit, so nobody would have a reason to accuse. Raise the minimum stake, the slash or the bonus.",
  pledgeOverMinimum:
    "The deposit, or initiator's and appeal's bond together, is over the minimum stake of workers or of witnesses: a node at its minimum could not accuse, appeal or vote. Lower them, or raise both minimum stakes.",
  quorumOverHalf:
    "The quorum is over 5,000 basis points of the eligible weight: with more than half of it awake and honest nothing could be decided. Lower it.",
  gateOnItself:
    "The gate asks for tokens of the task's own mint, or for a node of the task itself, which nobody has before joining. Ask for a minimum stake, another mint or another task.",

  panelTooSmall:
    "A panel of one or two seats could be one owner's. Give it at least 3, or 0 where everybody judges.",
  panelWithoutAppeal:
    "The panel's verdicts could not be appealed, or not for 150 slots, and a lucky draw would stand for ever. Set an appeal window of at least so many and an appeal's bond, or have everybody judge with 0 seats.",
  panelWindowTooShort:
    "The first window for votes is shorter than 528 slots: a panel is drawn in it, and needs as long again to vote. Make the commit window, or without one the reveal window, at least so long, or have everybody judge with 0 seats.",
  quorumOverPanel:
    "The quorum asks for more votes than half of a panel has. Lower it to half of the seats and one half at most, or seat more.",
  appealBondZero:
    "Of appeal window and appeal's bond one is zero and the other is not. Set both, or for no appeals neither.",
  secretHashMissing:
    "The task's audits are judged by a panel, and the accusation came without the hash of the secret that it is drawn by. Give one, and keep the secret for the draw.",
  evidenceHashMissing:
    "The evidence has an address and no SHA-256: anybody could change it later. Give its hash too, or leave both out.",
  noPanel: "The audit is judged by everybody: there is no panel to draw. Vote.",
  alreadyDrawn: "The panel is drawn already. Who is seated may vote.",
  drawTooEarly:
    "The panel can't be drawn yet: nobody may know the block that decides it at the accusation. Draw it one slot after the audit's draw slot.",
  drawTooLate:
    "The panel can't be drawn any more: 256 slots have passed since the audit's draw slot. Everybody eligible may vote now.",
  secretMismatch:
    "The secret is not the one that this audit was opened with the hash of. Draw with the initiator's.",
  panelNotDrawn:
    "The panel is not drawn yet. Have the initiator draw it, or wait until 256 slots after the audit's draw slot: then everybody eligible may vote.",
  notSeated:
    "The node has no seat on this audit's panel. Nothing is lost by that; it may vote if the audit is appealed.",
  appealClosed:
    "The audit can't be appealed at this slot: its votes are not all in, the appeal window is over, or the task has no appeals.",
  alreadyAppealed: "The audit was appealed already, which happens once. Vote in it instead.",
  appealOpen:
    "The audit can still be appealed. Resolve it when the appeal window is over, or appeal.",
  stakeAtRisk:
    "The node stands accused, and open audits could take the stake that the appeal needs. Add stake first, or let another node appeal.",
  revealWindowMissed:
    "The vote was committed before the appeal and not revealed in its own window. It can't be revealed any more; claim it once the audit is resolved.",

  notReleased:
    "The task is retired, and one leave delay has not passed since. Then anyone may pay its nodes out and clear it away; before that each owner leaves with its own key.",
};

/** What Anchor refuses before the program's own code runs. Users meet these when they fill in accounts by hand. */
const FRAMEWORK: Readonly<Record<number, string>> = {
  100: "The program does not know this instruction. Update the client, or check that the right program is deployed.",
  101: "The program does not know this instruction. Update the client, or check that the right program is deployed.",
  102: "The program can't read the instruction's arguments. Update the client.",
  2000: "An account that must be writable is not. Let the client fill in the accounts.",
  2002: "An account that must sign did not. Sign with its key.",
  2003: "An account breaks a rule of the instruction. Let the client fill in the accounts.",
  2004: "An account is not owned by the right program. Let the client fill in the accounts.",
  2006: "An account is not at the address that follows from the others. Let the client fill in the accounts.",
  2012: "An account is not the one that another names. Let the client fill in the accounts.",
  2040: "The same account is in two places. A node can't accuse or pay itself: use two different accounts.",
  3001: "An account that must exist does not, or is empty. Check the address, and that it was created.",
  3002: "An account is of another kind than the instruction needs. Let the client fill in the accounts.",
  3003: "An account can't be read: it is shorter than it must be. Check the address.",
  3005: "The instruction has too few accounts. Let the client fill in the accounts.",
  3007: "An account is owned by another program: it may not be created yet. Check the address.",
  3008: "A program's address is wrong. Let the client fill in the accounts.",
  3010: "An account that must sign did not. Sign with its key.",
  3012: "An account that must exist does not. Check the address, and that it was created.",
  4100: "The program was deployed under another address than it was compiled for. Deploy it with its own key.",
};

const FRAMEWORK_REASONS: Readonly<Record<number, Reason>> = {
  2002: "missingSignature",
  2006: "wrongSeeds",
  3001: "missingAccount",
  3007: "wrongProgram",
  3010: "missingSignature",
  3012: "missingAccount",
};

const NAMES = new Map<number, RefusalName>(
  idl.errors.map(({ code, name }) => [code, camelCase(name) as RefusalName]),
);

/** Codes of the program's refusals, by name. */
export const REFUSAL_CODES = Object.fromEntries(
  [...NAMES].map(([code, name]) => [name, code]),
) as Readonly<Record<RefusalName, number>>;

/**
 * Says in plain words why a transaction was refused. Takes whatever was thrown: an error of the connection or of
 * Anchor's builder, from any chain. What it doesn't know, it hands on in the words it came in.
 */
export function explain(error: unknown): Explanation {
  // What it quotes may look like anything.
  if ([ArgumentError, Expired, OutcomeUnknown].some((own) => error instanceof own)) {
    const reason = error instanceof ArgumentError ? "argument" : null;
    return { message: textOf(error), name: null, reason, code: null, logs: [] };
  }
  const logs = logsOf(error);
  const text = textOf(error);
  const failure = failedIn(logs);
  const code = codeIn(failure?.reason ?? text) ?? ownCode(error);
  const accounts = accountsIn(error);
  const nothing = { name: null, reason: null, code, logs };
  // Said by the program that refused, before others add their words.
  const told = failure && logged(logs, accounts);
  if (told) return { ...nothing, ...told };
  if (code !== null) {
    // Without logs the number is taken for the program's own, since it is the one that was called.
    const program = failure?.program ?? PROGRAM_ID.toBase58();
    const name = program === PROGRAM_ID.toBase58() ? NAMES.get(code) : undefined;
    if (name) return { ...nothing, name, message: REFUSALS[name] };
    const known = numbered(program, code, accounts);
    if (known) return { ...nothing, ...known };
    const message = hasOwnNumbers(program) ? undefined : FRAMEWORK[code];
    if (message !== undefined) {
      return { ...nothing, reason: FRAMEWORK_REASONS[code] ?? null, message };
    }
  }
  const known = worded(failure ? [failure.reason, text] : [text], accounts);
  return { ...nothing, ...(known ?? { message: text.trim() }) };
}

/** The innermost program that failed, which is the first to say so. */
function failedIn(logs: readonly string[]): { program: string; reason: string } | undefined {
  for (const line of logs) {
    const [, program, reason] = /^Program (\w+) failed: (.*)$/.exec(line) ?? [];
    if (program !== undefined && reason !== undefined) return { program, reason };
  }
  return undefined;
}

function codeIn(text: string): number | null {
  const hex = /custom program error: 0x([0-9a-f]+)/i.exec(text)?.[1];
  if (hex !== undefined) return parseInt(hex, 16);
  const decimal = /"Custom":\s*(\d+)/.exec(text)?.[1];
  return decimal === undefined ? null : Number(decimal);
}

/** Anchor's own errors carry the number apart from the text. */
function ownCode(error: unknown): number | null {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "number" && code >= 0 ? code : null;
}

/** The accounts of what was refused, where {@link refused} noted them. */
function accountsIn(error: unknown): Accounts {
  const { accounts } = (error ?? {}) as { accounts?: Accounts };
  return accounts && "keys" in accounts && "named" in accounts ? accounts : NO_ACCOUNTS;
}

/** Whether an RPC server gave no answer, or a useless one: what was asked may be done all the same, and can be asked again. */
export function isServerTrouble(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (SERVER_REASONS.has(explain(one).reason)) return true;
  }
  return false;
}

function logsOf(error: unknown): readonly string[] {
  const { logs } = (error ?? {}) as { logs?: unknown };
  return Array.isArray(logs) ? logs.filter((line) => typeof line === "string") : [];
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { transactionError } = error as { transactionError?: { message?: string } };
  return transactionError?.message ?? (error.message || error.toString());
}

/** As Anchor's client writes the names of the IDL. */
function camelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
