import { z } from "zod";

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
