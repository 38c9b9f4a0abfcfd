import Table from "cli-table3";
import ora from "ora";
import pc from "picocolors";
import type { Session } from "./session";

/** Rows under a head, aligned, as lines. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const made = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true },
  });
  made.push(...rows.map((row) => [...row]));
  return made.toString().split("\n");
}

/** Names and values in two columns, as lines. */
export function facts(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${pc.dim(name.padEnd(width))}  ${value}`);
}

/** A command's one answer on standard output: a JSON document for scripts, lines for people. */
export function result(
  session: Pick<Session, "json">,
  data: unknown,
  lines: readonly string[],
): void {
  process.stdout.write(
    session.json ? `${toJson(data, 2)}\n` : lines.map((one) => `${one}\n`).join(""),
  );
}

/** One JSON document on a line of its own. */
export function jsonLine(data: unknown): void {
  process.stdout.write(`${toJson(data)}\n`);
}

/** What has happened so far, for people, on standard error. */
export function note(session: Pick<Session, "json">, text: string): void {
  if (!session.json) process.stderr.write(`${text}\n`);
}

export function warn(session: Pick<Session, "json">, text: string): void {
  note(session, `${pc.yellow("Warning:")} ${text}`);
}

/** JSON with bigints as decimal strings, addresses in base58 and bytes in hex. */
export function toJson(data: unknown, indent?: number): string {
  return JSON.stringify(
    data,
    function (this: Readonly<Record<string, unknown>>, key: string, value: unknown) {
      // A Buffer has made itself an object of numbers by now; its holder still has the bytes.
      const { [key]: whole } = this;
      if (whole instanceof Uint8Array) return Buffer.from(whole).toString("hex");
      return typeof value === "bigint" ? value.toString() : value;
    },
    indent,
  );
}

export interface Spinner {
  /** Says what goes on now. */
  say(text: string): void;
  stop(): void;
}

/** Says on standard error that something is going on: it turns in a terminal, and is silent for scripts. */
export function spinner(session: Pick<Session, "json">, text: string): Spinner {
  const turning = ora({
    text,
    stream: process.stderr,
    isEnabled: process.stderr.isTTY && !session.json,
    isSilent: session.json || !process.stderr.isTTY,
    discardStdin: false,
  }).start();
  return {
    say: (now) => {
      turning.text = now;
    },
    stop: () => {
      turning.stop();
    },
  };
}

/** Shows a spinner as long as something takes. */
export async function during<T>(
  session: Pick<Session, "json">,
  text: string,
  work: (spinner: Spinner) => Promise<T>,
): Promise<T> {
  const turning = spinner(session, text);
  try {
    return await work(turning);
  } finally {
    turning.stop();
  }
}
