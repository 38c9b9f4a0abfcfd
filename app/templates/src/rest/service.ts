import { decodeText, fromAddress } from "../shared/bytes";
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

/** The one way to write it down. */
export function payloadText({ service, owner, round, operator }: Payload): string {
  return JSON.stringify({ service, owner, round, operator });
}

/**
 * What the payload of this owner's round says; null where it is none. It is taken byte for byte, as `work` writes it: a payload with a
 * field twice would name one key to the audit and another to a user, and one that is padded would leave no room in evidence for a lie.
 */
export function readPayload(
  bytes: Uint8Array,
  { owner, round }: Pick<Payload, "owner" | "round">,
): Payload | null {
  const text = decodeText(bytes);
  const said = text === null ? null : parseObject(text);
  const { service, operator } = said ?? {};
  if (typeof service !== "string" || typeof operator !== "string") return null;
  const payload = { service, owner, round, operator };
  return fromAddress(operator) && payloadText(payload) === text ? payload : null;
}

/** Where a worker is asked a question. */
export function pathOf(question: number, owner: string): string {
  return `/task/answer?question=${question}&owner=${owner}`;
}
