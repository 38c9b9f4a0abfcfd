import { ArgumentError, explain, isServerTrouble } from "@securing-tasks/client";

/** What the process ends with. */
export const EXIT = {
  ok: 0,
  /** The chain refused, or something is not as the user thought. */
  refused: 1,
  /** A flag or file is wrong: nothing was tried. */
  usage: 2,
  /** The chain can't be reached, or what became of a transaction is unknown. */
  network: 3,
  cancelled: 130,
} as const;

/** A user's error: the message says what is wrong and the way out. No stack trace is shown. */
export class UserError extends Error {
  readonly exitCode: number;
  /** The refusing program's number. */
  readonly code: string | number | null;
  /** Of the transaction that it is about. */
  readonly signature: string | null;
  /** Transactions of the command that were executed before. */
  readonly executed: readonly string[];

  constructor(
    message: string,
    options: {
      readonly exitCode?: number;
      readonly name?: string;
      readonly code?: string | number | null;
      readonly signature?: string;
      readonly executed?: readonly string[];
    } = {},
  ) {
    super(message);
    this.name = options.name ?? "UserError";
    this.exitCode = options.exitCode ?? EXIT.refused;
    this.code = options.code ?? null;
    this.signature = options.signature ?? null;
    this.executed = options.executed ?? [];
  }
}

/** Wrong flags or files: exit code 2. */
export class UsageError extends UserError {
  constructor(message: string, name = "UsageError") {
    super(message, { exitCode: EXIT.usage, name });
  }
}

/** Somebody said no. */
export class Cancelled extends UserError {
  constructor() {
    super("Cancelled. Nothing more was sent.", { exitCode: EXIT.cancelled, name: "Cancelled" });
  }
}

/** What scripts get on standard error. */
export interface Failure {
  readonly exitCode: number;
  /** The program's name of a refusal, or one word for what else it is. */
  readonly name: string;
  readonly code: string | number | null;
  readonly message: string;
  readonly signature?: string;
  /** Transactions of the command that were executed before. Left out where there are none. */
  readonly executed?: readonly string[];
}

/** A failure of a command of several transactions: those before it were executed, and what it says of itself is not of them. */
export function afterOthers(error: unknown, executed: readonly string[]): unknown {
  if (executed.length === 0) return error;
  const { message, ...failure } = failureOf(error);
  const before = [
    `Of this command ${executed.length === 1 ? "a transaction was" : `${executed.length} transactions were`} executed before, and what they did stands:`,
    ...executed,
  ];
  return new UserError([message, ...before].join("\n"), { ...failure, executed });
}

/** Sorts whatever was thrown and says it in plain words. */
export function failureOf(error: unknown): Failure {
  if (error instanceof UserError) {
    const { exitCode, name, code, message, signature, executed } = error;
    const known = { exitCode, name, code, message, ...(signature !== null && { signature }) };
    return executed.length > 0 ? { ...known, executed } : known;
  }
  const { name = "", code } = (error ?? {}) as { name?: string; code?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  if (/^(Exit|Abort|Cancel)Prompt/.test(name)) {
    return failureOf(new Cancelled());
  }
  if (typeof code === "string" && code.startsWith("commander.")) {
    const plain = message.replace(/^error: /, "").trim();
    return { exitCode: EXIT.usage, name: "UsageError", code: null, message: plain };
  }
  if (error instanceof ArgumentError) return { exitCode: EXIT.usage, name, code: null, message };
  // The daemon's: a file that its user wrote.
  if (name === "ConfigError") return { exitCode: EXIT.usage, name, code: null, message };
  if (isServerTrouble(error)) {
    const { reason, message: said } = explain(error);
    if (reason === "busy" || reason === "badServer") {
      return { exitCode: EXIT.network, name: "NetworkError", code: null, message: said };
    }
    const why = message.replace(/^.*fetch failed: /s, "").replace(/\.$/, "");
    return {
      exitCode: EXIT.network,
      name: "NetworkError",
      code: null,
      message: `The chain can't be reached: ${why}. Check --url and your network.`,
    };
  }
  const explained = explain(error);
  return {
    exitCode: EXIT.refused,
    name: explained.name ?? "Refused",
    code: explained.code,
    message: explained.message,
  };
}
