import { z } from "zod";

/** The words of the sandbox, which is loaded only where something runs. */
const VERDICTS = ["valid", "downtime", "malicious"] as const;
const DOORS = ["http", "account", "transaction", "signatures", "fetch"] as const;
const REASONS = ["unreachable", "timeout", "tooLarge", "refused", "wrongHash"] as const;

const hex = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits in lower case");
const whole = z.number().int().nonnegative();
const amount = z.string().regex(/^\d+$/, "must be digits, as text");

/** The facts that an audit function is given, as a JSON file has them. */
export const auditFactsSchema = z.strictObject({
  task: z.strictObject({
    address: z.string(),
    creator: z.string(),
    id: amount,
    mint: z.string(),
    startSlot: whole,
    roundSlots: whole,
    submissionSlots: whole,
    bountyPerRound: amount,
  }),
  submission: z.strictObject({
    address: z.string(),
    owner: z.string(),
    round: whole,
    slot: whole,
    payloadHash: hex,
    payloadUri: z.string(),
    caseEnd: whole,
  }),
  seed: hex,
  roundSeed: hex,
  now: whole,
});

/** A recorded run, as the evidence of an accusation has it. */
export const recordedRunSchema = z.strictObject({
  version: z.literal(1),
  function: hex,
  code: z.string(),
  facts: auditFactsSchema,
  // What is no evidence is left out when it is played.
  evidence: z.array(z.unknown()),
  calls: z.array(
    z.strictObject({
      door: z.enum(DOORS),
      args: z.array(z.unknown()),
      answer: z.unknown().optional(),
      failure: z.strictObject({ reason: z.enum(REASONS), message: z.string() }).optional(),
    }),
  ),
  verdict: z.enum(VERDICTS),
});
