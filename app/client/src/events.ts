import type { IdlEvents, Program } from "@coral-xyz/anchor";
import type { BN } from "@coral-xyz/anchor";
import type { TransactionOutcome } from "./chain";
import type { SecuringTasks } from "./idl/securing_tasks";
import { plain } from "./plain";
import type { Accusation, Opinion, Outcome, Role } from "./types";
import { OPINIONS, OUTCOMES, ROLES } from "./types";

type Raw = IdlEvents<SecuringTasks>;

/** Fields that the program logs as numbers and this client gives as words. */
interface Worded {
  readonly role: Role;
  readonly accusation: Accusation;
  readonly opinion: Opinion;
  readonly outcome: Outcome;
  readonly firstOutcome: Outcome;
}

type Fields<T> = {
  readonly [K in keyof T]: K extends keyof Worded
    ? Worded[K]
    : T[K] extends BN
      ? bigint
      : T[K] extends number[]
        ? Uint8Array
        : T[K];
};

/** An event of the program: its name and fields, amounts in base units and slots as bigint. */
export type TaskEvent = {
  readonly [N in keyof Raw]: { readonly name: N; readonly data: Fields<Raw[N]> };
}[keyof Raw];

/** One kind of event. */
export type TaskEventNamed<N extends TaskEvent["name"]> = Extract<TaskEvent, { name: N }>;

const WORDS = {
  role: ROLES,
  accusation: OPINIONS,
  opinion: OPINIONS,
  outcome: OUTCOMES,
  firstOutcome: OUTCOMES,
};

/** What a transaction's log tells of the program. */
export interface LoggedEvents {
  /** In order. */
  readonly events: readonly TaskEvent[];
  /**
   * Whether that is all: every instruction of the program has its event here. The runtime keeps 10,000 bytes of a log, and
   * whoever sends a transaction decides what else is in it: without its event an instruction was executed all the same.
   */
  readonly complete: boolean;
}

/** What the runtime writes in place of the first line that it had no room for. Shorter ones may still come. */
const TRUNCATED = "Log truncated";
/** Of these lines a program can write none: its own begin with "Program log:", "Program data:" or "Program return:". */
const INVOKED = /^Program ([1-9A-HJ-NP-Za-km-z]+) invoke \[\d+\]$/;
const ENDED = /^Program [1-9A-HJ-NP-Za-km-z]+ (?:success$|failed: )/;
const DATA = "Program data: ";

/**
 * The program's events in what a successful transaction logged. Anchor's parser finds none of instructions that another program called,
 * and takes what other programs log for ours where lines between are left out.
 */
export function parseEvents(
  program: Program<SecuringTasks>,
  { logs, programs }: Pick<TransactionOutcome, "logs" | "programs">,
): LoggedEvents {
  const own = program.programId.toBase58();
  const events: TaskEvent[] = [];
  const running: { readonly program: string; told: boolean }[] = [];
  let [calls, told] = [0, 0];
  const cut = logs.indexOf(TRUNCATED);
  for (const line of cut < 0 ? logs : logs.slice(0, cut)) {
    const invoked = INVOKED.exec(line)?.[1];
    const now = running.at(-1);
    if (invoked !== undefined) {
      running.push({ program: invoked, told: false });
      if (invoked === own) calls += 1;
    } else if (ENDED.test(line)) {
      running.pop();
    } else if (now?.program === own && line.startsWith(DATA)) {
      const event = program.coder.events.decode(line.slice(DATA.length));
      if (!event) continue;
      events.push({ name: event.name, data: plain(event.data, WORDS) } as TaskEvent);
      if (!now.told) told += 1;
      now.told = true;
    }
  }
  const executed = programs?.filter((one) => one.equals(program.programId)).length;
  // Without a record of what was executed, a log is believed that has an end and a begin.
  const whole = executed === undefined ? cut < 0 && logs.length > 0 : calls === executed;
  return { events, complete: whole && told === calls };
}
