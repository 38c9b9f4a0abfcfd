import { isObject, parseObject } from "../shared/json";
import type { Draw } from "./scheme";

/** What a worker submits in a round. */
export interface VrfPayload {
  readonly task: string;
  readonly owner: string;
  readonly round: number;
  /** Draws in the next round. */
  readonly key: string;
  /** What was drawn with the key of the round before; null in the first round of a worker, and in the first after a pause. */
  readonly draw: Draw | null;
  /** The submission of the round before, which named the key. */
  readonly before: { readonly signature: string; readonly uri: string } | null;
}

/** Reads a payload; null for what is none of this task, owner and round. */
export function readPayload(
  content: Uint8Array,
  expected: Pick<VrfPayload, "task" | "owner" | "round">,
): VrfPayload | null {
  const said = parseObject(content);
  if (said?.task !== expected.task || said.owner !== expected.owner) return null;
  const { round, key, draw, before } = said;
  if (round !== expected.round || typeof key !== "string") return null;
  if (draw === null && before === null) return { ...expected, key, draw, before };
  if (!isObject(draw) || !isObject(before)) return null;
  const { output, proof } = draw;
  const { signature, uri } = before;
  return typeof output === "string" &&
    typeof proof === "string" &&
    typeof signature === "string" &&
    typeof uri === "string"
    ? { ...expected, key, draw: { output, proof }, before: { signature, uri } }
    : null;
}
