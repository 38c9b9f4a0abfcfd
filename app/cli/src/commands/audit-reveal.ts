import { readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Audit, SaltStore, SealedReveal } from "@securing-tasks/client";
import {
  DerivedSaltStore,
  deriveSaltKey,
  isOfRunningCount,
  keypairSigner,
  readSealedReveal,
  voteAddress,
} from "@securing-tasks/client";
import { FileSaltStore } from "@securing-tasks/client/files";
import type { Entrusted } from "@securing-tasks/node";
import type { Command } from "commander";
import { PublicKey } from "@solana/web3.js";
import { formatWhen, group } from "../amounts";
import { PAYER, act, leaf } from "../command";
import { UsageError, UserError } from "../failures";
import { readAddress } from "../keys";
import { account, askAddress, openTask, operatedNode } from "../lookup";
import { facts, note, result } from "../output";
import type { Sendable } from "../send";
import { send, told } from "../send";
import type { Session } from "../session";
import { withPayer } from "../session";
import { expand } from "../solana-config";

/** The flag of commands that make or need the secrets of committed votes. */
export const SALTS = [
  "--salts <folder>",
  "keeps the secrets of committed votes, besides what follows from the operator's key",
  saltFolder(),
] as const;

/** Secrets that follow from the session's key, and those that are kept in a folder, which win. */
export async function openSalts(session: Session, folder = saltFolder()): Promise<SaltStore> {
  const key = await deriveSaltKey(keypairSigner(session.wallet));
  return new DerivedSaltStore(key, new FileSaltStore(resolve(expand(folder))));
}

/** Where this user's secrets of committed votes are. */
function saltFolder(): string {
  const { XDG_CONFIG_HOME: config } = process.env;
  const home = config === undefined || config === "" ? join(homedir(), ".config") : config;
  return join(home, "securing-tasks/salts");
}

export function registerReveal(audit: Command): void {
  act<{ owner?: string; payer?: string; salts?: string; sealed?: string }>(
    leaf(
      audit,
      "reveal [audit]",
      "open a committed vote: one's own by the operator's key, or anybody's by what was sealed for it",
      ["AUDIT", "--sealed vote.json"],
    )
      .option("--sealed <file>", "the vote that is in this file; any key pays")
      .option("--owner <address>", "owner of the voting node, where the key operates several")
      .option(...SALTS)
      .option(...PAYER),
    async (opened, options, given) => {
      const session = withPayer(opened, options.payer);
      if (options.sealed !== undefined) {
        if (given !== undefined || options.owner !== undefined) {
          throw new UsageError(
            "--sealed FILE says which vote of which audit it is. Give it alone.",
          );
        }
        const sealed = await readSealed(options.sealed);
        const found = await account(session, "audit", new PublicKey(sealed.audit));
        await reveal(session, found, new PublicKey(sealed.voter), () =>
          session.client.revealFor(sealed),
        );
        return;
      }
      const found = await account(
        session,
        "audit",
        await askAddress(session, given, "the audit", "AUDIT"),
      );
      const { task } = await openTask(session, found.task.toBase58());
      const owner = options.owner === undefined ? undefined : readAddress(options.owner, "owner");
      const node = await operatedNode(session, task, owner);
      const salts = await openSalts(session, options.salts);
      await reveal(session, found, node.owner, async () => {
        const ballot = { task: found.task, audit: found.address, voter: node.owner, salts };
        try {
          return await session.client.revealVote(ballot);
        } catch (error) {
          if (!/salt|cast openly/.test(String(error))) throw error;
          const { message } = error as Error;
          throw new UserError(message, { name: "SaltMissing" });
        }
      });
      await salts.forget(found.address, node.owner);
    },
  );
}

async function reveal(
  session: Session,
  audit: Audit,
  voter: PublicKey,
  make: () => Sendable | Promise<Sendable>,
): Promise<void> {
  const { address, revealSlot } = audit;
  const vote = voteAddress(address, voter);
  if (!isOfRunningCount(audit, await account(session, "vote", vote))) {
    throw new UserError(
      "The vote was committed before the appeal and not revealed in its own window. It can't be revealed any more: claim it once the audit is resolved.",
      { name: "revealWindowMissed" },
    );
  }
  const now = await session.chain.slot();
  if (now < revealSlot) {
    throw new UserError(
      `Votes are revealed from slot ${group(revealSlot)} on, ${formatWhen(revealSlot, now, await session.slotMs())}. Run this again then.`,
      { name: "votingClosed" },
    );
  }
  const sent = await send(session, await make(), [], "revealing the vote");
  const opinion = told(sent, "voteRevealed")?.opinion ?? null;
  result(
    session,
    { audit: address, vote, voter, opinion, state: "revealed", signature: sent.signature },
    facts([
      ["revealed", opinion ?? "the vote"],
      ["signature", sent.signature],
    ]),
  );
}

async function readSealed(path: string): Promise<SealedReveal> {
  const full = expand(path);
  let text: string;
  try {
    text = await readFile(full, "utf8");
  } catch {
    throw new UsageError(`The sealed reveal ${full} can't be read. Give the path of the file.`);
  }
  try {
    return readSealedReveal(text);
  } catch (error) {
    throw new UsageError(`${full}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Writes what opens a vote, readable by its owner alone, and never over anything else. */
export async function writeSealed(path: string, sealed: SealedReveal): Promise<void> {
  const full = expand(path);
  const text = `${JSON.stringify(sealed, null, 2)}\n`;
  try {
    await writeFile(full, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    // The same command once more.
    if ((await readFile(full, "utf8").catch(() => "")) === text) return;
    throw new UsageError(
      `${full} can't be written: ${error instanceof Error ? error.message : String(error)}. Nothing was sent. Choose another name.`,
    );
  }
}

/** Keepers as they are written on the command line. */
export function readKeepers(urls: readonly string[] = []): readonly string[] {
  for (const url of urls) {
    if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) continue;
    throw new UsageError(`--keeper "${url}" is no http:// or https:// URL of a node's service.`);
  }
  return urls;
}

/** Hands a reveal to keepers, and says which of them took it. */
export async function handToKeepers(
  session: Session,
  sealed: SealedReveal,
  keepers: readonly string[],
): Promise<
  readonly { readonly keeper: string; readonly taken: boolean; readonly message: string }[]
> {
  if (keepers.length === 0) return [];
  const { entrust } = await import("@securing-tasks/node");
  const { download } = await import("@securing-tasks/sandbox");
  let answers = await entrust(sealed, keepers, download);
  // A keeper looks at the chain now and then: it may not have seen the audit or the vote yet.
  for (let left = TRIES; left > 0 && answers.some(isOpen); left -= 1) {
    await sleep(TRY_MS);
    const again = await entrust(
      sealed,
      answers.filter(isOpen).map(({ keeper }) => keeper),
      download,
    );
    answers = answers.map((one) => again.find(({ keeper }) => keeper === one.keeper) ?? one);
  }
  for (const { keeper, taken, message } of answers) {
    note(session, taken ? `${keeper} keeps the reveal.` : `${keeper} does not keep it: ${message}`);
  }
  return answers.map(({ keeper, taken, message }) => ({ keeper, taken, message }));
}

/** How often keepers that may take it later are asked again, and how long after. */
const TRIES = 2;
const TRY_MS = 2_000;

function isOpen({ taken, final }: Pick<Entrusted, "taken" | "final">): boolean {
  return !taken && !final;
}
