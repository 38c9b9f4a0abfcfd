import { sha256 } from "@noble/hashes/sha2";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils";
import type { PublicKey } from "@solana/web3.js";
import { must } from "./arguments";
import type { Audit, Node, Opinion, Outcome, Tally, TaskRules, Vote } from "./types";

/*
 * Who judges an audit, until when, and what its votes come to: the program's rules on the same fields, shared by command line and daemon.
 */

const SEED_TAG = utf8ToBytes("securing-tasks:panel:v1");
const SEAT_TAG = utf8ToBytes("st:seat:");
const WHOLE_BPS = 10_000n;

/** The panel is drawn within this many slots after the draw slot, or never. */
export const DRAW_WINDOW = 256n;

/** What {@link SecuringTasksClient.openAudit} takes of a secret. */
export function secretHash(secret: Uint8Array): Uint8Array {
  return sha256(must.hash("secretHash", "secret", secret));
}

/** The seed of a panel, by the hash of the first block at or after the draw slot. */
export function panelSeed(audit: PublicKey, secret: Uint8Array, blockHash: Uint8Array): Uint8Array {
  return sha256(
    concatBytes(
      SEED_TAG,
      audit.toBytes(),
      must.hash("panelSeed", "secret", secret),
      must.hash("panelSeed", "blockHash", blockHash),
    ),
  );
}

/** Whether an owner's node of this frozen weight, in base units, has a seat: in proportion to its stake, to the bit as the program draws. */
export function isSeated(
  seed: Uint8Array,
  owner: PublicKey,
  weight: bigint,
  { eligible, rules }: Pick<Audit, "eligible" | "rules">,
): boolean {
  const hash = sha256(concatBytes(SEAT_TAG, must.hash("isSeated", "seed", seed), owner.toBytes()));
  const drawn = new DataView(hash.buffer, hash.byteOffset).getBigUint64(0, true);
  return drawn * eligible.stake < (weight * BigInt(rules.panelSeats)) << 64n;
}

type Seats = Pick<Audit, "seed" | "drawSlot" | "appealSlot" | "eligible" | "rules">;

/**
 * What keeps a node from the count that runs at `slot`, or nothing: whether it is a panel's, and it has no seat, or nobody has one yet.
 * That it is eligible at all, and that votes are taken, others say.
 */
export type Seating = "everybody" | "seated" | "notSeated" | "notDrawn";

/** The seat of an owner's node of this frozen weight in the count that runs at `slot`. */
export function seatOf(audit: Seats, owner: PublicKey, weight: bigint, slot: bigint): Seating {
  if (audit.rules.panelSeats === 0 || audit.appealSlot > 0n) return "everybody";
  if (audit.seed) return isSeated(audit.seed, owner, weight, audit) ? "seated" : "notSeated";
  return isDrawable(audit, slot) ? "notDrawn" : "everybody";
}

/** Whether the panel is still to be drawn: before that, nobody votes. */
function isDrawable({ seed, drawSlot, appealSlot, rules }: Seats, slot: bigint): boolean {
  return rules.panelSeats > 0 && !seed && appealSlot === 0n && slot < drawSlot + DRAW_WINDOW;
}

/** Who judges in the count that runs or ran last. */
export type Jury = "panel" | "everybody";

/** A panel, once it is drawn and until there is an appeal. */
export function juryOf({ seed, appealSlot }: Pick<Audit, "seed" | "appealSlot">): Jury {
  return seed && appealSlot === 0n ? "panel" : "everybody";
}

/** What an audit waits for. */
export interface AuditPhase {
  /**
   * `drawing`: the panel's draw, from one slot after the draw slot on. `committing`, `revealing`: secret votes. `voting`: open ones.
   * `appealable`: somebody may appeal. `resolvable`: anybody may resolve. `resolved`: nothing.
   */
  readonly name:
    "drawing" | "committing" | "voting" | "revealing" | "appealable" | "resolvable" | "resolved";
  /** First slot of the next phase, where time alone brings it. */
  readonly until: bigint | null;
}

type Timed = Seats & Pick<Audit, "openSlot" | "revealSlot" | "endSlot" | "outcome">;

/** Whether votes of the running count are committed before they are told. */
export function isSecret({
  openSlot,
  appealSlot,
  revealSlot,
}: Pick<Audit, "openSlot" | "appealSlot" | "revealSlot">): boolean {
  return revealSlot > (appealSlot > 0n ? appealSlot : openSlot);
}

/** Whether a vote was taken in the count that runs: a commitment of before an appeal opens no more after it. */
export function isOfRunningCount(
  { appealSlot }: Pick<Audit, "appealSlot">,
  { onAppeal }: Pick<Vote, "onAppeal">,
): boolean {
  return onAppeal === appealSlot > 0n;
}

/** What an audit waits for at a slot, by the task's rules. */
export function phaseOf(
  audit: Timed,
  rules: Pick<TaskRules, "appealSlots">,
  slot: bigint,
): AuditPhase {
  const { drawSlot, revealSlot, endSlot, outcome } = audit;
  if (outcome !== "open") return { name: "resolved", until: null };
  if (isDrawable(audit, slot)) return { name: "drawing", until: drawSlot + DRAW_WINDOW };
  if (slot < revealSlot) return { name: "committing", until: revealSlot };
  if (slot < endSlot) {
    return { name: isSecret(audit) ? "revealing" : "voting", until: endSlot };
  }
  const resolvable = resolvableAt(audit, rules);
  if (slot < resolvable) return { name: "appealable", until: resolvable };
  return { name: "resolvable", until: null };
}

/** First slot at which an audit can be resolved, unless it is appealed before. */
export function resolvableAt(
  { endSlot, appealSlot }: Pick<Audit, "endSlot" | "appealSlot">,
  { appealSlots }: Pick<TaskRules, "appealSlots">,
): bigint {
  return appealSlot > 0n ? endSlot : endSlot + appealSlots;
}

/** Why a node's stake does not allow an appeal, by the name of the refusal; null where it does. */
export function appealFault(
  { stake, bonds, risk, openAudits }: Pick<Node, "stake" | "bonds" | "risk" | "openAudits">,
  { appealBond }: Pick<TaskRules, "appealBond">,
): "stakePledged" | "stakeAtRisk" | null {
  const pledged = bonds + appealBond;
  if (pledged > stake) return "stakePledged";
  return risk > 0n && risk * BigInt(openAudits) + pledged > stake ? "stakeAtRisk" : null;
}

type Counted = Pick<
  Audit,
  "seed" | "appealSlot" | "votes" | "eligible" | "rules" | "accusation" | "firstOutcome"
>;

/** What votes weigh in the count: a seat of a panel one, else as the task says. */
export function weightIn(
  audit: Pick<Audit, "seed" | "appealSlot" | "rules">,
  { nodes, stake }: Tally,
): bigint {
  return juryOf(audit) === "everybody" && audit.rules.voteWeight === "stake"
    ? stake
    : BigInt(nodes);
}

/** What all that could vote weighs: of a panel its seats. */
export function eligibleIn(
  audit: Pick<Audit, "seed" | "appealSlot" | "eligible" | "rules">,
): bigint {
  if (juryOf(audit) === "panel") return BigInt(audit.rules.panelSeats);
  return weightIn(audit, audit.eligible);
}

/** What the votes that are in come to, as if they were all. After an appeal a count without a verdict leaves the first one's. */
export function verdictOf(audit: Counted): Exclude<Outcome, "open"> {
  const { accusation, votes, rules, firstOutcome } = audit;
  const eligible = eligibleIn(audit);
  // Rounded up: a threshold must not be met by less.
  const quorum = (eligible * BigInt(rules.quorumBps) + WHOLE_BPS - 1n) / WHOLE_BPS;
  const side = (...opinions: readonly Opinion[]): { others: number; weight: bigint } => ({
    others: opinions.reduce((sum, one) => sum + votes[one].nodes - (one === accusation ? 1 : 0), 0),
    weight: opinions.reduce((sum, one) => sum + weightIn(audit, votes[one]), 0n),
  });
  const decides = (own: ReturnType<typeof side>, against: ReturnType<typeof side>): boolean =>
    own.weight > against.weight && own.others >= rules.quorumVotes && own.weight >= quorum;
  const guilty = side("downtime", "malice");
  if (decides(side("malice"), side("valid", "downtime"))) return "convictedMalice";
  if (decides(guilty, side("valid"))) return "convictedDowntime";
  if (decides(side("valid"), guilty)) return "acquitted";
  return firstOutcome === "open" ? "noVerdict" : firstOutcome;
}
