import { equalBytes } from "@noble/curves/utils";
import { TOKEN_2022_PROGRAM_ID, TOKEN_PROGRAM_ID } from "@solana/spl-token";
import type { Message, VersionedMessage } from "@solana/web3.js";
import { SystemProgram } from "@solana/web3.js";
import idl from "./idl/securing_tasks.json";
import { PROGRAM_ID } from "./pda";

/*
 * Refusals of whatever stands around the program: the runtime, the system and token programs, RPC servers. One table for client, command
 * line and daemon: whose account it is, what is missing, and the way out.
 */

/** What kind of refusal it is, for whoever must act on it. */
export type Reason =
  /** Nothing was encoded: {@link ArgumentError}. */
  | "argument"
  | "alreadyThere"
  | "missingAccount"
  /** An account is not at the address that follows from the others. */
  | "wrongSeeds"
  | "wrongAddress"
  | "wrongProgram"
  | "missingSignature"
  | "lackOfSol"
  | "lackOfTokens"
  | "carriesData"
  | "frozen"
  | "memoMissing"
  | "cpiGuard"
  | "notAllowed"
  | "blockhash"
  | "alreadyProcessed"
  | "compute"
  | "notDeployed"
  | "malformed"
  /** The RPC server takes no more requests for now. */
  | "busy"
  /** It answers, and not with what was asked. */
  | "badServer"
  | "unreachable";

/** Reasons that say something of an RPC server, and nothing of what it was asked. */
export const SERVER_REASONS: ReadonlySet<Reason | null> = new Set<Reason>([
  "busy",
  "badServer",
  "unreachable",
]);

export interface Known {
  readonly reason: Reason;
  readonly message: string;
}

/** The accounts of what was refused, as far as they are known. */
export interface Accounts {
  /** All of the transaction, in its order: the first pays. */
  readonly keys: readonly string[];
  /** Those of the program's instruction that was refused, by their names in the IDL. */
  readonly named: Readonly<Record<string, string | undefined>>;
}

export const NO_ACCOUNTS: Accounts = { keys: [], named: {} };

/** The accounts of a message, and of the instruction at `index` where it is the program's. */
export function accountsOf(message: Message | VersionedMessage, index?: number): Accounts {
  const keys = message.staticAccountKeys.map((key) => key.toBase58());
  const at = index === undefined ? undefined : message.compiledInstructions[index];
  if (!at || keys[at.programIdIndex] !== PROGRAM_ID.toBase58()) return { keys, named: {} };
  const discriminator = Buffer.from(at.data.subarray(0, 8));
  const known = idl.instructions.find((one) =>
    equalBytes(Uint8Array.from(one.discriminator), discriminator),
  );
  const named = (known?.accounts ?? []).map(({ name }, place) => {
    const key = keys[at.accountKeyIndexes[place] ?? -1];
    return [name, key] as const;
  });
  return { keys, named: Object.fromEntries(named) };
}

const of = (key: string | undefined): string => (key === undefined ? "" : ` ${key}`);
const payer = ({ keys }: Accounts): string => of(keys[0]);
const source = ({ named }: Accounts): string => of(named.source);
const destination = ({ named }: Accounts): string => of(named.destination);
/** Every token account that may be meant. */
const tokenAccounts = ({ named: { source: from, destination: to } }: Accounts): string =>
  of(from ?? to);

type Say = (accounts: Accounts) => string;
type Row = readonly [reason: Reason, say: Say];

/** The system program's numbers. */
const SYSTEM: Readonly<Record<number, Row>> = {
  0: ["alreadyThere", () => "What this would create is there already: it can be done once only."],
  1: ["lackOfSol", () => "The paying account has not enough SOL for rent and fee. Send it some."],
};

/** The numbers of Token and Token-2022. */
const TOKEN: Readonly<Record<number, Row>> = {
  0: [
    "lackOfSol",
    (at) => `The token account${tokenAccounts(at)} would fall below its rent. Leave it more SOL.`,
  ],
  1: [
    "lackOfTokens",
    (at) =>
      `The token account${source(at)} holds fewer tokens than the amount. Use a smaller amount, or send it tokens first.`,
  ],
  2: ["wrongAddress", () => "The mint is not a mint. Check the address."],
  3: [
    "wrongAddress",
    (at) =>
      `The token account${tokenAccounts(at)} is of another mint. Use an account that holds the task's tokens.`,
  ],
  4: [
    "notAllowed",
    (at) =>
      `The signer does not own the token account${source(at)}. Use its owner's key, or an account of yours.`,
  ],
  17: [
    "frozen",
    (at) =>
      `The token account${tokenAccounts(at)} is frozen by the mint's freeze authority. Only that authority can thaw it; until then use another token account.`,
  ],
  36: [
    "memoMissing",
    (at) =>
      `The token account${destination(at)} that is paid takes no payment without a memo, and got none. Its owner takes that back (spl-token disable-required-transfer-memos), or names another token account.`,
  ],
  37: ["notAllowed", () => "The mint's tokens can't be transferred. Use another mint."],
  42: [
    "cpiGuard",
    (at) =>
      `The token account${source(at)} that pays has a CPI guard, so that no program may move its tokens. Its owner takes the guard off (spl-token disable-cpi-guard), or pays from another token account.`,
  ],
  43: [
    "cpiGuard",
    (at) =>
      `The CPI guard of the token account${source(at)} lets no program burn its tokens. Take it off (spl-token disable-cpi-guard).`,
  ],
  44: [
    "cpiGuard",
    (at) =>
      `The CPI guard of the token account${tokenAccounts(at)} lets no program close it. Take it off (spl-token disable-cpi-guard).`,
  ],
  45: [
    "cpiGuard",
    (at) =>
      `The CPI guard of the token account${tokenAccounts(at)} lets no program approve a delegate. Take it off (spl-token disable-cpi-guard).`,
  ],
};

/** Log lines of the system program, which has one number for many reasons, or none. */
const LOGGED: readonly (readonly [
  line: RegExp,
  reason: Reason,
  say: (found: readonly string[], at: Accounts) => string,
])[] = [
  [
    /^Transfer: insufficient lamports (\d+), need (\d+)/,
    "lackOfSol",
    ([, has = "", needs = ""], at) =>
      `The paying account${payerOf(at)} has not enough SOL for rent and fee: it has ${has} lamports, and ${needs} are needed. Send it some.`,
  ],
  [
    /must not carry data/,
    "carriesData",
    (_, at) =>
      `The paying account${payerOf(at)} holds data, as one of a nonce or of another program does, and such an account can't pay. Let an ordinary wallet pay (\`payer\`, or --payer).`,
  ],
  [
    /^Create Account: account .* already in use/,
    "alreadyThere",
    () => "What this would create is there already: it can be done once only.",
  ],
];

/** Who pays rent: the one whom the instruction names, or the one who pays the fee. */
function payerOf({ keys, named }: Accounts): string {
  return of(named.payer ?? named.operator ?? keys[0]);
}

/** The runtime's own words, as its code and as people write them. The first that fits is taken. */
const WORDS: readonly (readonly [
  pattern: RegExp,
  reason: Reason,
  say: (found: readonly string[], at: Accounts) => string,
])[] = [
  [
    /missing required signature|MissingRequiredSignature|signature verification failed/i,
    "missingSignature",
    () => "An account that must sign did not. Sign with its key.",
  ],
  [
    /uninitialized account|account is not initialized|UninitializedAccount/i,
    "missingAccount",
    () => "An account that must exist does not. Check the address, and that it was created.",
  ],
  [
    /invalid account owner|InvalidAccountOwner|not owned by the expected program|incorrect program id|IncorrectProgramId|provided owner is not allowed|IllegalOwner/i,
    "wrongProgram",
    () =>
      "An account is owned by another program than it must be: it may not be created yet, or belong to another token program. Check the address.",
  ],
  [
    /provided seeds do not result in a valid address|could not create program address|InvalidSeeds/i,
    "wrongSeeds",
    () =>
      "An account is not at the address that follows from the others. Let the client fill in the accounts.",
  ],
  [
    /invalid account data|account data too small|InvalidAccountData|AccountDataTooSmall/i,
    "wrongAddress",
    () =>
      "An account is of another kind than the instruction needs, or does not exist. Check the address.",
  ],
  [
    /already initialized|account already in use|AccountAlreadyInitialized/i,
    "alreadyThere",
    () => "What this would create is there already: it can be done once only.",
  ],
  [
    /insufficient account keys|NotEnoughAccountKeys/i,
    "malformed",
    () => "The instruction has too few accounts. Let the client fill in the accounts.",
  ],
  [
    /invalid (instruction data|program argument)|InvalidInstructionData|InvalidArgument/i,
    "malformed",
    () =>
      "The program can't read the instruction. Update the client, or check that the right program is deployed.",
  ],
  [
    /InsufficientFundsForRent(?:\W*account_index\W*(\d+))?|insufficient funds for rent/i,
    "lackOfSol",
    ([, index], at) =>
      `The account${of(index === undefined ? undefined : at.keys[Number(index)])} would be left with too little SOL to exist: an account without data must hold 890,880 lamports (0.00089088 SOL), or nothing. Send it some more.`,
  ],
  [
    /insufficient funds for fee|InsufficientFundsForFee/i,
    "lackOfSol",
    (_, at) => `The account${payer(at)} that pays the fee has too little SOL for it. Send it some.`,
  ],
  [
    /no record of a prior credit|account ?not ?found/i,
    "lackOfSol",
    (_, at) => `The account${payer(at)} that pays the fee has no SOL. Send it some.`,
  ],
  [
    /InvalidAccountForFee|this account may not be used to pay/i,
    "carriesData",
    (_, at) =>
      `The account${payer(at)} can't pay fees: it belongs to a program. Let an ordinary wallet pay (\`payer\`, or --payer).`,
  ],
  [
    /blockhash ?not ?found|block height exceeded|was not confirmed in/i,
    "blockhash",
    () =>
      "The server does not know the transaction's blockhash: it is over, or newer than that server. Whether the transaction was executed is not said by that: look at its signature before you send anything in its place.",
  ],
  [
    /already ?(been )?processed/i,
    "alreadyProcessed",
    () =>
      "The chain has executed this very transaction already. Look at its outcome before you send it again.",
  ],
  [
    /computational budget exceeded|ComputationalBudgetExceeded|exceeded CUs meter/i,
    "compute",
    () =>
      "The transaction needs more compute than it asked for. Put fewer instructions into one transaction.",
  ],
  [
    /attempt to load a program that does not exist|may not be used for executing instructions|unsupported program id|ProgramAccountNotFound|InvalidProgramForExecution|UnsupportedProgramId/i,
    "notDeployed",
    () =>
      `The program ${PROGRAM_ID.toBase58()} is not deployed on this chain. Deploy it, or check the network.`,
  ],
  [
    /(?:^|answered |status |code:? ?)429\b|too many requests|rate limit/i,
    "busy",
    () =>
      "The RPC server takes no more requests for now (429). Wait a moment and ask less often, or use another server.",
  ],
  [
    /(?:^|answered |status |failed to [\w ]+: )(5\d\d)\b/i,
    "badServer",
    ([, status = ""]) =>
      `The RPC server is in trouble (status ${status}). Try again in a moment, or use another server.`,
  ],
  [
    /node is (?:behind|unhealthy)/i,
    "badServer",
    () => "The RPC server is behind the chain. Try again in a moment, or use another server.",
  ],
  [
    /<!doctype html|<html|unexpected token|is not valid JSON|unexpected end of JSON|to satisfy a union of/i,
    "badServer",
    () =>
      "The RPC server answered with something else than JSON-RPC, such as a web page. Check its address, or use another server.",
  ],
  [
    /fetch failed|failed to fetch|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|socket hang up|other side closed|made no new slot/i,
    "unreachable",
    () => "The chain can't be reached. Check its RPC address and your network.",
  ],
];

/** Whether a program's numbers are its own, and not those of Anchor. */
export function hasOwnNumbers(program: string): boolean {
  return tableOf(program) !== undefined;
}

function tableOf(program: string): Readonly<Record<number, Row>> | undefined {
  if (program === SystemProgram.programId.toBase58()) return SYSTEM;
  const token = [TOKEN_PROGRAM_ID, TOKEN_2022_PROGRAM_ID].some((id) => id.toBase58() === program);
  return token ? TOKEN : undefined;
}

/** A program's number in words. Undefined for one that no table has. */
export function numbered(program: string, code: number, at: Accounts): Known | undefined {
  const row = tableOf(program)?.[code];
  return row && { reason: row[0], message: row[1](at) };
}

/** What the failing program's log says. */
export function logged(logs: readonly string[], at: Accounts): Known | undefined {
  for (const line of logs) {
    const text = /^Program log: (.*)$/.exec(line)?.[1] ?? line;
    for (const [pattern, reason, say] of LOGGED) {
      const found = pattern.exec(text);
      if (found) return { reason, message: say(found, at) };
    }
  }
  return undefined;
}

/** The runtime's or a server's words, explained. */
export function worded(texts: readonly string[], at: Accounts): Known | undefined {
  for (const [pattern, reason, say] of WORDS) {
    for (const text of texts) {
      const found = pattern.exec(text);
      if (found) return { reason, message: say(found, at) };
    }
  }
  return undefined;
}
