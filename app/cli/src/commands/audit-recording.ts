import { readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { AuditFacts, RecordedRun, Verdict } from "@securing-tasks/sandbox";
import { EXIT, UsageError, UserError } from "../failures";
import { recordedRunSchema } from "../facts";
import { readAddress } from "../keys";
import { account } from "../lookup";
import { during, facts, note, result } from "../output";
import type { Session } from "../session";
import { expand } from "../solana-config";

/** What of a vote says the same as a verdict. */
const ACCUSED: Readonly<Record<Verdict, string>> = {
  valid: "valid",
  downtime: "downtime",
  malicious: "malice",
};

/**
 * Plays a recorded run again, and shows what it says. With an audit, the chain is asked whether this is what the accusation rests on; without
 * one, nothing is.
 */
export async function checkRecording(
  session: Session,
  path: string,
  auditAddress: string | undefined,
): Promise<void> {
  const { recordedHash, replayRun } = await import("@securing-tasks/sandbox");
  const { text, run } = await readRun(path);
  const hash = recordedHash(text);
  const problems: string[] = [];
  const code = recordedHash(run.code);
  if (code !== run.function) {
    problems.push(`the function in it has the SHA-256 ${code}, and not ${run.function} as it says`);
  }
  const ran = await during(session, "playing it again", () => replayRun(run));
  if (!ran.ok)
    problems.push(`it can't be played again (${ran.failure.kind}): ${ran.failure.message}`);
  else if (ran.value !== run.verdict) {
    problems.push(`it says ${ran.value} when it is played again, and ${run.verdict} was recorded`);
  }
  const evidence =
    auditAddress === undefined ? null : await compare(session, auditAddress, run, hash);
  result(
    session,
    {
      hash,
      function: run.function,
      submission: run.facts.submission.address,
      verdict: ran.ok ? ran.value : null,
      recorded: run.verdict,
      evidenceHash: evidence?.hash ?? null,
      isEvidence: evidence?.isEvidence ?? null,
      log: ran.log,
    },
    facts([
      ["hash", hash],
      ["work", run.facts.submission.address],
      ["function", run.function],
      ["verdict", ran.ok ? ran.value : "none"],
      ["calls", String(run.calls.length)],
      ...(evidence ? ([["evidence", evidence.hash ?? "none"]] as const) : []),
      // Strangers wrote the function.
      ...ran.log.map((line) => ["said", line.replace(/\p{C}/gu, "?")] as const),
    ]),
  );
  if (evidence && !evidence.isEvidence) {
    const found = evidence.hash === null ? "it has none" : `that has the hash ${evidence.hash}`;
    throw new UserError(
      `This is not the evidence of the audit: ${found}, and this file ${hash}. Get the file anew, byte for byte, from the URI in the audit's event.`,
      { exitCode: EXIT.refused, name: "NotTheEvidence" },
    );
  }
  const all = [...problems, ...(evidence?.problems ?? [])];
  if (all.length > 0) {
    throw new UserError(
      ["The recording is worth nothing:", ...all.map((one) => `- ${one}`)].join("\n"),
      {
        exitCode: EXIT.refused,
        name: "NotReproduced",
      },
    );
  }
  note(
    session,
    evidence
      ? "It is the evidence of the audit, and says again what was recorded."
      : "It says again what was recorded. Whether it is an audit's evidence: --audit ADDRESS",
  );
}

/** Whether the accusation rests on this recording, and whether that is of the work and the function that the chain knows. */
async function compare(
  session: Session,
  given: string,
  run: RecordedRun,
  hash: string,
): Promise<{
  readonly hash: string | null;
  readonly isEvidence: boolean;
  readonly problems: readonly string[];
}> {
  const { auditFacts } = await import("@securing-tasks/sandbox");
  const audit = await account(session, "audit", readAddress(given, "audit"));
  const [task, work] = [
    await account(session, "task", audit.task),
    await account(session, "submission", audit.submission),
  ];
  const problems: string[] = [];
  const bound = Buffer.from(task.auditFunction.hash).toString("hex");
  if (bound !== run.function) {
    problems.push(`it ran the function ${run.function}, and the task's is ${bound}`);
  }
  if (ACCUSED[run.verdict] !== audit.accusation) {
    problems.push(`it found ${run.verdict}, and the audit accuses of ${audit.accusation}`);
  }
  let known: AuditFacts | null = null;
  try {
    known = await auditFacts(session.chain.connection, task, work);
  } catch (error) {
    note(
      session,
      `Seeds are not checked. ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const isSame = known
    ? isDeepStrictEqual(known, run.facts)
    : run.facts.submission.address === work.address.toBase58();
  if (!isSame) problems.push("it was given other facts than the chain has of the accused work");
  const { evidenceHash } = audit;
  const found = evidenceHash && Buffer.from(evidenceHash).toString("hex");
  return { hash: found, isEvidence: found === hash, problems };
}

async function readRun(
  path: string,
): Promise<{ readonly text: string; readonly run: RecordedRun }> {
  const full = expand(path);
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(full));
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(
      `The recording ${full} can't be read: ${error instanceof Error ? error.message : String(error)}. Give the path of the file that an audit's evidence URI leads to.`,
    );
  }
  const { success, error } = recordedRunSchema.safeParse(json);
  // As it is written: functions may look at the order of what they are given.
  if (success) return { text, run: json as RecordedRun };
  throw new UsageError(
    error.issues
      .slice(0, 5)
      .map(({ path: at, message }) => `${full}: \`${at.join(".") || "the file"}\`: ${message}.`)
      .join("\n"),
  );
}
