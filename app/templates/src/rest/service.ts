import { fromAddress } from "../shared/bytes";
import { isWebAddress } from "../shared/doors";
import { parseObject } from "../shared/json";

/** The address below which a service is asked; null where it can't be. All files use this, so they never disagree. */
export function baseOf(publicUrl: string): string | null {
  return isWebAddress(publicUrl) && !/[?#]/.test(publicUrl) ? publicUrl.replace(/\/+$/, "") : null;
}

/** What a payload must say. */
export interface Payload {
  readonly service: string;
  readonly owner: string;
  readonly round: number;
  /** The key that signs the answers, in base58. */
  readonly operator: string;
}

/** What the payload of this owner's round says; null where it is none. */
export function readPayload(
  bytes: Uint8Array,
  { owner, round }: Pick<Payload, "owner" | "round">,
): Payload | null {
  const said = parseObject(bytes);
  if (said?.owner !== owner || said.round !== round) return null;
  const { service, operator } = said;
  if (typeof service !== "string" || typeof operator !== "string") return null;
  return fromAddress(operator) ? { service, owner, round, operator } : null;
}

/** Where a worker is asked a question. */
export function pathOf(question: number, owner: string): string {
  return `/task/answer?question=${question}&owner=${owner}`;
}

/** The question that is asked at this place; null where it is none of this worker. */
export function questionAt(path: string, owner: string, biggest: number): number | null {
  const question = Number(/^\/task\/answer\?question=(\d{1,16})&/.exec(path)?.[1]);
  const asks = question >= 1 && question <= biggest && path === pathOf(question, owner);
  return asks ? question : null;
}
