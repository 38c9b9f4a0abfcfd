import type { IdlEvents, Program } from "@coral-xyz/anchor";
import { EventParser } from "@coral-xyz/anchor";
import type { BN } from "@coral-xyz/anchor";
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

const WORDS = { role: ROLES, accusation: OPINIONS, opinion: OPINIONS, outcome: OUTCOMES };

/** The program's events among the log lines of one transaction, in order. */
export function parseEvents(program: Program<SecuringTasks>, logs: readonly string[]): TaskEvent[] {
  const parser = new EventParser(program.programId, program.coder);
  return [...parser.parseLogs([...logs])].map(
    ({ name, data }) => ({ name, data: plain(data, WORDS) }) as TaskEvent,
  );
}
