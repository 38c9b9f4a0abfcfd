import { Cancelled, UsageError } from "./failures";
import type { Session } from "./session";

type Asker = Pick<Session, "interactive" | "yes" | "json">;

/** Questions go where progress goes: standard output is for the answer. */
const WHERE = { output: process.stderr };

export interface Question<T> {
  /** The flag that gives the same, such as "--amount AMOUNT". */
  readonly flag: string;
  readonly message: string;
  /** Reads what was written. Throws a sentence, which is shown, and asks again. */
  readonly read: (text: string) => T;
  /** What a person gets by pressing Enter. */
  readonly suggestion?: string;
  /** What scripts get without the flag. */
  readonly fallback?: string;
}

/** What the flag says; else, in a terminal, what somebody answers; else a {@link UsageError} that names the flag. */
export async function askFor<T>(
  session: Asker,
  given: string | undefined,
  question: Question<T>,
): Promise<T> {
  const { flag, message, read, fallback, suggestion = fallback } = question;
  if (given !== undefined) return read(given);
  if (!session.interactive) {
    if (fallback !== undefined) return read(fallback);
    throw new UsageError(`${flag} is missing: ${lower(message)}.`);
  }
  const { input } = await import("@inquirer/prompts");
  const text = await input(
    {
      message,
      ...(suggestion !== undefined && { default: suggestion }),
      validate: (answer) => {
        try {
          read(answer);
          return true;
        } catch (error) {
          return error instanceof Error ? error.message : String(error);
        }
      },
    },
    WHERE,
  );
  return read(text);
}

/** The same for one of a few words. */
export async function askOneOf<T extends string>(
  session: Asker,
  given: string | undefined,
  question: {
    readonly flag: string;
    readonly message: string;
    readonly choices: readonly { readonly value: T; readonly about?: string }[];
  },
): Promise<T> {
  const { flag, message, choices } = question;
  const words = choices.map(({ value }) => value);
  if (given !== undefined) {
    const found = words.find((word) => word === given);
    if (found !== undefined) return found;
    throw new UsageError(`${flag} can't be "${given}". Use ${words.join(" or ")}.`);
  }
  if (!session.interactive) {
    throw new UsageError(`${flag} is missing: ${lower(message)}. Use ${words.join(" or ")}.`);
  }
  const { select } = await import("@inquirer/prompts");
  return select(
    {
      message,
      choices: choices.map(({ value, about }) => ({
        value,
        name: about === undefined ? value : `${value} - ${about}`,
      })),
    },
    WHERE,
  );
}

/**
 * Asks before something that can't be undone. Scripts (--json or --yes) are taken at their word; where nobody can be asked, a
 * {@link UsageError} says to pass --yes.
 */
export async function confirm(session: Asker, message: string): Promise<boolean> {
  if (session.yes || session.json) return true;
  if (!session.interactive) {
    throw new UsageError(
      `Nobody is there to answer "${message}". Pass --yes to go on without being asked.`,
    );
  }
  const { confirm: ask } = await import("@inquirer/prompts");
  return ask({ message, default: false }, WHERE);
}

/** Throws what a cancelled question throws, unless it is confirmed. */
export async function mustConfirm(session: Asker, message: string): Promise<void> {
  if (await confirm(session, message)) return;
  throw new Cancelled();
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/[?:.]+$/, "");
}
