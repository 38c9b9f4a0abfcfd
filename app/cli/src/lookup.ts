import type {
  AccountName,
  Accounts,
  Around,
  MintInfo,
  Node,
  Task,
  TaskRef,
} from "@securing-tasks/client";
import {
  WRAPPED_SOL,
  fetchMint,
  isServerTrouble,
  nodeAddress,
  takingPayment,
  tokenAccountOf,
  unwrapSol,
  wrapSol,
} from "@securing-tasks/client";
import type { Account } from "@solana/spl-token";
import {
  createInitializeAccount3Instruction,
  getAccountLenForMint,
  getMemoTransfer,
  unpackAccount,
  unpackMint,
} from "@solana/spl-token";
import type { TransactionInstruction } from "@solana/web3.js";
import { PublicKey, SystemProgram } from "@solana/web3.js";
import { formatTokens, parseAmount } from "./amounts";
import { askFor } from "./ask";
import { UserError, UsageError } from "./failures";
import { addressOf } from "./keys";
import { during } from "./output";
import type { Session } from "./session";

/** A task, and its money in words. */
export interface TaskView {
  readonly task: Task;
  readonly ref: TaskRef;
  readonly mint: MintInfo;
  /** What its money is called. */
  readonly unit: string;
  /** An amount with its unit. */
  readonly say: (amount: bigint) => string;
  /** Base units of an amount as people write it. */
  readonly read: (text: string) => bigint;
}

/** The money of a task. */
export type Money = Pick<TaskView, "mint" | "unit" | "say" | "read">;

/** The task that an argument names, asked for where it is missing. */
export async function openTask(session: Session, given: string | undefined): Promise<TaskView> {
  const address = await askAddress(session, given, "the task", "TASK");
  const task = await account(session, "task", address);
  const mint = await during(session, "reading the mint", () =>
    fetchMint(session.chain.connection, task.mint),
  );
  return viewOf(task, mint);
}

export function viewOf(task: Task, mint: MintInfo): TaskView {
  return { task, ref: { address: task.address, mint }, ...moneyOf(mint) };
}

/** A mint's amounts in words. */
export function moneyOf(mint: MintInfo): Money {
  const unit = mint.address.equals(WRAPPED_SOL.address) ? "SOL" : "tokens";
  return {
    mint,
    unit,
    say: (amount) => formatTokens(amount, mint.decimals, unit),
    read: (text) => parseAmount(text, mint.decimals),
  };
}

/** An account of the program. Throws a {@link UserError} where there is none, or one of another kind. */
export async function account<N extends AccountName>(
  session: Session,
  name: N,
  address: PublicKey,
): Promise<Accounts[N]> {
  const found = await during(session, `reading the ${name}`, () =>
    session.client.find(name, address).catch((error: unknown) => {
      if (isServerTrouble(error)) throw error;
      throw new UserError(
        `${address.toBase58()} is no ${name}: another kind of account of the program is there. Check the address.`,
        { name: "WrongAccount" },
      );
    }),
  );
  if (found) return found;
  throw new UserError(
    `There is no ${name} at ${address.toBase58()} on ${new URL(session.rpcUrl).host}. Check the address and --url; it may be closed already.`,
    { name: "NotFound" },
  );
}

export function askAddress(
  session: Session,
  given: string | undefined,
  what: string,
  flag: string,
): Promise<PublicKey> {
  return askFor(session, given, {
    flag,
    message: `Address of ${what}?`,
    read: (text) => readOnlyAddress(text, what),
  });
}

function readOnlyAddress(text: string, what: string): PublicKey {
  const found = addressOf(text.trim());
  if (found) return found;
  throw new UsageError(`"${text}" is no address of ${what}. Give 32 bytes in base58.`);
}

/** The node of an owner in a task. */
export function ownNode(session: Session, task: Task, owner: PublicKey): Promise<Node> {
  return account(session, "node", nodeAddress(task.address, owner)).catch((error: unknown) => {
    if (!(error instanceof UserError) || error.name !== "NotFound") throw error;
    throw new UserError(
      `${owner.toBase58()} has no node in this task. Join first (securing-tasks node join ${task.address.toBase58()}), or sign with another --keypair.`,
      { name: "NotFound" },
    );
  });
}

/** The node that the session's key operates: of the owner that is named, its own, or the one whose operator it is. */
export async function operatedNode(
  session: Session,
  task: Task,
  owner: PublicKey | undefined,
): Promise<Node> {
  if (owner) return ownNode(session, task, owner);
  const key = session.wallet.publicKey;
  const own = await session.client.find("node", nodeAddress(task.address, key));
  if (own) return own;
  const nodes = await during(session, "looking for the key's node", () =>
    session.client.ofTask("node", task.address),
  );
  const operated = nodes.filter((node) => node.operator.equals(key));
  const [node, more] = operated;
  if (node && !more) return node;
  throw new UserError(
    node
      ? `${key.toBase58()} operates ${operated.length} nodes of this task. Say which: --owner ADDRESS.`
      : `${key.toBase58()} neither owns nor operates a node of this task. Sign with a node's key (--keypair), or join first.`,
    { name: "NotFound" },
  );
}

/** What an owner's token account holds, in base units; null where there is none. */
export async function holding(
  session: Session,
  { mint }: Money,
  owner: PublicKey,
): Promise<bigint | null> {
  return (await tokenAccount(session, mint, tokenAccountOf(mint, owner)))?.amount ?? null;
}

async function tokenAccount(
  { chain }: Session,
  { tokenProgram }: MintInfo,
  address: PublicKey,
): Promise<Account | null> {
  const info = await chain.connection.getAccountInfo(address);
  return info?.owner.equals(tokenProgram) ? unpackAccount(address, info, tokenProgram) : null;
}

/**
 * Where somebody else can pay an owner: its usual token account, unless that takes nothing from strangers; then another of it, and what
 * makes it.
 *
 * Attack: an owner that gives its account away, or asks for a memo with every payment, would keep a retired task open for ever.
 */
export async function payOutAccount(
  session: Session,
  { mint }: Money,
  owner: PublicKey,
): Promise<{ readonly destination?: PublicKey; readonly before: TransactionInstruction[] }> {
  const takes = (account: Account): boolean =>
    account.owner.equals(owner) &&
    !account.isFrozen &&
    getMemoTransfer(account)?.requireIncomingTransferMemos !== true;
  const usual = await tokenAccount(session, mint, tokenAccountOf(mint, owner));
  if (!usual || takes(usual)) return { before: [] };
  const { connection } = session.chain;
  const { tokenProgram: programId } = mint;
  const base = session.payer.publicKey;
  for (let count = 0; ; count += 1) {
    const seed = `${owner.toBase58().slice(0, 24)}-${count}`;
    const destination = await PublicKey.createWithSeed(base, seed, programId);
    const there = await tokenAccount(session, mint, destination);
    if (there && takes(there)) return { destination, before: [] };
    if (there) continue;
    const info = await connection.getAccountInfo(mint.address);
    const space = getAccountLenForMint(unpackMint(mint.address, info, programId));
    const lamports = await connection.getMinimumBalanceForRentExemption(space);
    const made = {
      ...{ fromPubkey: base, basePubkey: base, newAccountPubkey: destination },
      ...{ seed, space, lamports, programId },
    };
    return {
      destination,
      before: [
        SystemProgram.createAccountWithSeed(made),
        createInitializeAccount3Instruction(destination, mint.address, owner, programId),
      ],
    };
  }
}

/** Instructions around a payment, such as those that make SOL out of wrapped SOL and the other way round. */
type Wrapping = Around;

/** For a payment out of a wallet. Throws a {@link UserError} where it hasn't got the amount. */
export async function wrapForPayment(
  session: Session,
  view: Money,
  owner: PublicKey,
  amount: bigint,
): Promise<Wrapping> {
  const held = await holding(session, view, owner);
  const poor = (has: bigint): UserError =>
    new UserError(
      `${owner.toBase58()} holds ${view.say(has)}, and ${view.say(amount)} are needed. Send it more${view.unit === "SOL" ? "" : ` of the mint ${view.mint.address.toBase58()}`}.`,
      { name: "InsufficientFunds" },
    );
  if (view.unit === "SOL") {
    const lamports = BigInt(await session.chain.connection.getBalance(owner));
    // What is wrapped already counts, and is spent first.
    const wrapped = held ?? 0n;
    if (lamports + wrapped < amount) throw poor(lamports + wrapped);
    // An account that was made for this alone is closed again: its rent comes back.
    return {
      before: wrapped >= amount ? [] : wrapSol(owner, amount - wrapped),
      after: held === null ? unwrapSol(owner) : [],
    };
  }
  if ((held ?? 0n) < amount) throw poor(held ?? 0n);
  return { before: [], after: [] };
}

/**
 * For a payment to a wallet, which signs for it: SOL comes out unwrapped, unless the owner keeps wrapped SOL there; and an account that
 * takes no payment without a memo takes this one.
 */
export async function unwrapPayment(
  session: Session,
  view: Money,
  owner: PublicKey,
): Promise<Wrapping> {
  const { mint } = view;
  if (view.unit !== "SOL") {
    const { connection } = session.chain;
    return takingPayment(connection, mint, tokenAccountOf(mint, owner), owner);
  }
  const held = await holding(session, view, owner);
  return { before: [], after: held === null || held === 0n ? unwrapSol(owner) : [] };
}
