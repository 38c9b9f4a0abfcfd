import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type {
  AuditFacts,
  Doors,
  LoadedFunction,
  TaskFacts,
  Verdict,
  WorkFacts,
} from "@securing-tasks/sandbox";
import {
  DoorError,
  SIGNATURE_HEADER,
  SLOT_HEADER,
  SUBMISSION_HEADER,
  checkAudit,
  operatorOf,
  requestOf,
  runRespond,
  runWork,
  signAnswer,
} from "@securing-tasks/sandbox";
import { Keypair } from "@solana/web3.js";
import { z } from "zod";
import { UsageError } from "../failures";

/** What a rehearsal of the functions showed. */
export interface Rehearsal {
  /** How each worker that was played was judged; null where the audit function failed. */
  readonly verdicts: Readonly<Record<string, Verdict | null>>;
  /** Why the audit function is refused, in plain words; empty where it is not. */
  readonly problems: readonly string[];
  /** What its creator should know. */
  readonly warnings: readonly string[];
}

const hexText = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits in lower case");
const sampleSchema = z.strictObject({
  submission: z.strictObject({
    address: z.string(),
    owner: z.string(),
    round: z.number().int().nonnegative(),
    slot: z.number().int().nonnegative(),
    payloadHash: hexText,
    payloadUri: z.string(),
    caseEnd: z.number().int().nonnegative().default(Number.MAX_SAFE_INTEGER),
  }),
  /** The payload's text, where it is to be given to the function without asking its URI. */
  payload: z.string().optional(),
  seed: hexText.optional(),
  roundSeed: hexText.optional(),
  now: z.number().int().nonnegative().optional(),
});
export type Sample = z.output<typeof sampleSchema>;

/** Reads the facts of a submission from a JSON file. Throws a {@link UsageError} with every fault. */
export async function readSample(file: string): Promise<Sample> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new UsageError(
      `The sample ${file} can't be read: ${error instanceof Error ? error.message : String(error)}. Give the path of a JSON file.`,
    );
  }
  const parsed = sampleSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new UsageError(
    parsed.error.issues
      .map(({ path, message }) => `${file}: \`${path.join(".") || "the file"}\`: ${message}.`)
      .join("\n"),
  );
}

export interface Stage {
  readonly audit: LoadedFunction;
  readonly work: LoadedFunction | null;
  readonly task: TaskFacts;
  /** To the real world, for all that is not the played worker's. */
  readonly doors: Doors;
  /** What the task function needs. */
  readonly secrets: Readonly<Record<string, string>>;
}

const digest = (value: string | Uint8Array): string =>
  createHash("sha256").update(value).digest("hex");

/** Checks an audit function with the facts of a given submission. */
export async function checkWithSample(stage: Stage, sample: Sample): Promise<Rehearsal> {
  const { payload } = sample;
  const facts: AuditFacts = {
    task: stage.task,
    submission: sample.submission,
    seed: sample.seed ?? digest("sample"),
    roundSeed: sample.roundSeed ?? digest("sample round"),
    now: sample.now ?? Date.now(),
  };
  const doors =
    payload === undefined
      ? stage.doors
      : withPayload(stage.doors, sample.submission.payloadHash, Buffer.from(payload));
  const { verdict, problems } = await check(stage.audit, facts, doors);
  return { verdicts: { sample: verdict }, problems, warnings: [] };
}

/** Nobody has it, by the rules of names: RFC 2606. */
const SERVICE = "http://worker.invalid";

/**
 * Plays two workers, as there is no submission before the task is: an honest one whose payload and answers are the task function's, and
 * one that is dark. The audit function must come to the same verdict on each, run after run.
 */
export async function rehearse(stage: Stage): Promise<Rehearsal> {
  const owner = Keypair.generate().publicKey.toBase58();
  const operator = Keypair.generate();
  const now = Math.floor(Date.now() / 1_000) * 1_000;
  const warnings: string[] = [];
  const workFacts: WorkFacts = {
    task: stage.task,
    round: 0,
    owner,
    operator: operator.publicKey.toBase58(),
    publicUrl: SERVICE,
    secrets: stage.secrets,
    seed: digest("rehearsal round"),
    now,
  };
  let payload: Uint8Array | null = null;
  if (stage.work) {
    const ran = await runWork(stage.work, workFacts, stage.doors);
    if (ran.ok) payload = ran.value;
    else {
      warnings.push(
        `The task function gave no payload in the rehearsal (${ran.failure.message}), so the audit was tried on an empty one. If it needs secrets, pass them with --secret NAME=VALUE.`,
      );
    }
  }
  const content = payload ?? new TextEncoder().encode("{}");
  const payloadHash = digest(content);
  const facts: AuditFacts = {
    task: stage.task,
    submission: {
      address: Keypair.generate().publicKey.toBase58(),
      owner,
      round: 0,
      slot: stage.task.startSlot,
      payloadHash,
      payloadUri: `${SERVICE}/payload/${payloadHash}`,
      caseEnd: stage.task.startSlot + stage.task.roundSlots,
    },
    seed: digest("rehearsal"),
    roundSeed: workFacts.seed,
    now,
  };
  const worker = {
    facts: workFacts,
    submission: facts.submission,
    // A payload that names the operator has the answers signed by it, as a daemon's.
    signer: operatorOf(content) === workFacts.operator ? operator : null,
  };
  const played = withService(stage, worker, withPayload(stage.doors, payloadHash, content));
  const honest = await check(stage.audit, facts, played);
  const dark = await check(stage.audit, facts, darkDoors(stage.doors, payloadHash));
  const about = (who: string, problems: readonly string[]): string[] =>
    problems.map((problem) => `${who}: ${problem}`);
  if (payload && honest.verdict !== null && honest.verdict !== "valid") {
    warnings.push(
      `The audit function judges the task function's own work as ${honest.verdict}: an honest worker would be convicted. Check both functions before you bind a task to them.`,
    );
  }
  if (dark.verdict === "valid") {
    warnings.push(
      "The audit function judges a worker that does not answer as valid: nothing shows that a node is down.",
    );
  }
  if (dark.verdict === "malicious") {
    warnings.push(
      "The audit function judges a worker that does not answer as malicious: an accident costs as much as a lie.",
    );
  }
  return {
    verdicts: { [payload ? "honest" : "emptyPayload"]: honest.verdict, dark: dark.verdict },
    problems: [
      ...about(payload ? "an honest worker" : "a worker with an empty payload", honest.problems),
      ...about("a worker that does not answer", dark.problems),
    ],
    warnings,
  };
}

async function check(
  audit: LoadedFunction,
  facts: AuditFacts,
  doors: Doors,
): Promise<{ readonly verdict: Verdict | null; readonly problems: readonly string[] }> {
  const { runs, problems } = await checkAudit(audit, facts, doors);
  return { verdict: runs[0]?.verdict ?? null, problems };
}

/** Doors behind which one payload is there. */
function withPayload(doors: Doors, hash: string, payload: Uint8Array): Doors {
  return {
    ...through(doors),
    fetch: (wanted, uri) => (wanted === hash ? Promise.resolve(payload) : doors.fetch(wanted, uri)),
  };
}

/** A worker that is played, and its work. */
interface PlayedWorker {
  readonly facts: WorkFacts;
  readonly submission: AuditFacts["submission"];
  /** Signs what it answers; null where its payload names nobody who does. */
  readonly signer: Keypair | null;
}

/** Doors behind which a played worker serves what a node's REST service does. */
function withService({ work, task }: Stage, worker: PlayedWorker, doors: Doors): Doors {
  const { facts, submission, signer } = worker;
  return {
    ...through(doors),
    http: async (request) => {
      const url = new URL(request.url);
      if (url.origin !== SERVICE) return doors.http(request);
      const json = { "content-type": "application/json" };
      if (url.pathname === "/healthz") {
        return { status: 200, headers: json, body: JSON.stringify({ ok: true, trouble: null }) };
      }
      const { method = "GET", body: asked = "" } = request;
      const path = url.pathname + url.search;
      const question = requestOf(method, path, asked);
      if (!work || !question) return { status: 404, headers: json, body: "{}" };
      const ran = await runRespond(
        work,
        question,
        { ...facts, round: signer && facts.round },
        doors,
      );
      if (!ran.ok) return { status: 500, headers: json, body: "{}" };
      const { status = 200, contentType = "application/json", body } = ran.value;
      const headers = { "content-type": contentType };
      if (!signer) return { status, headers, body };
      const { address, slot, payloadHash } = submission;
      const signature = signAnswer(
        signer.secretKey,
        {
          ...{ task: task.address, submission: address, owner: facts.owner, round: facts.round },
          ...{ roundSeed: facts.seed, payloadHash },
        },
        { method, path, body: asked, status, answer: body, slot },
      );
      return {
        status,
        headers: {
          ...headers,
          [SUBMISSION_HEADER]: address,
          [SLOT_HEADER]: String(slot),
          [SIGNATURE_HEADER]: signature,
        },
        body,
      };
    },
  };
}

/** Doors behind which the played worker is gone. */
function darkDoors(doors: Doors, hash: string): Doors {
  const gone = () => Promise.reject(new DoorError("unreachable", "the played worker is dark"));
  return {
    ...through(doors),
    http: (request) => (request.url.startsWith(SERVICE) ? gone() : doors.http(request)),
    fetch: (wanted, uri) => (wanted === hash ? gone() : doors.fetch(wanted, uri)),
  };
}

/** Every door by itself: those of a class are no own properties. */
function through(doors: Doors): Doors {
  return {
    http: (request) => doors.http(request),
    account: (address) => doors.account(address),
    transaction: (signature) => doors.transaction(signature),
    signatures: (address, options) => doors.signatures(address, options),
    fetch: (hash, uri) => doors.fetch(hash, uri),
  };
}
