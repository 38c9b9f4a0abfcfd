import type { AuditContext, Evidence, HttpAnswer, Verdict } from "@securing-tasks/sandbox";
import type { RestParameters } from "../parameters";
import { fromBase64 } from "../shared/bytes";
import { ask, fetchContent } from "../shared/doors";
import { parseObject } from "../shared/json";
import { answer } from "./answer";
import { baseOf, pathOf, questionAt, readPayload } from "./service";

declare const PARAMETERS: RestParameters;

/** Requests of one audit that may be made a second time: one lost packet is no downtime, and a slow server can't hold an audit up. */
const RETRIES = 2;

export async function audit(context: AuditContext): Promise<Verdict> {
  const { submission } = context;
  // First, since it needs nobody who still answers.
  const proof = context.evidence.find((one) => provesMalice(context, one));
  if (proof) {
    context.log("there is evidence of malice");
    context.keep(proof);
    return "malicious";
  }
  const payload = await fetchContent(context, submission.payloadHash, submission.payloadUri);
  if (!payload) return "downtime";
  const said = readPayload(payload, submission);
  if (!said) {
    const word = context.proof(payload);
    if (word) context.keep(word);
    return "malicious";
  }
  const service = baseOf(said.service);
  if (service === null) {
    // Nobody can ask there, as with a dead server: it is no lie.
    context.log(`${said.service} is no address of a service`);
    return "downtime";
  }

  let retries = RETRIES;
  const get = async (path: string): Promise<HttpAnswer | null> => {
    for (;;) {
      const got = await ask(context, {
        url: service + path,
        headers: { "securing-tasks-submission": submission.address },
        timeoutMs: PARAMETERS.timeoutMs,
      });
      if (got?.status === 200) return got;
      context.log(`${path}: ${got ? `status ${got.status}` : "no answer"}`);
      if (retries-- === 0) return null;
    }
  };

  if (!(await get("/healthz"))) return "downtime";
  for (let asked = 0; asked < PARAMETERS.questions; asked++) {
    const question = 1 + Math.floor(Math.random() * PARAMETERS.biggestQuestion);
    const path = pathOf(question, submission.owner);
    const got = await get(path);
    const judged = got && judge(context, question, got.body);
    // What does not even speak of the question, like the error page of a proxy, is no answer and so no lie.
    if (!got || judged === null) return "downtime";
    if (judged === "right") continue;
    const lie = context.proof(payload, { path }, got);
    context.log(`question ${question}: wrong answer, ${lie ? "signed" : "not signed"}`);
    // Whoever is in between can have made what is not signed.
    if (!lie) return "downtime";
    context.keep(lie);
    return "malicious";
  }
  return "valid";
}

/** Whether a body answers a question right; null where it is about something else. */
function judge(
  { submission, task }: AuditContext,
  question: number,
  body: string,
): "right" | "wrong" | null {
  const said = parseObject(body);
  if (said?.question !== question || said.owner !== submission.owner) return null;
  return said.answer === answer(question, task.address, submission.owner) ? "right" : "wrong";
}

/** Whether the accused's own word, whoever heard it, is one that no honest worker gives. */
function provesMalice(context: AuditContext, { payload, said }: Evidence): boolean {
  const { submission } = context;
  if (!readPayload(fromBase64(payload), submission)) return true;
  if (said?.method !== "GET" || said.body !== "" || said.status !== 200) return false;
  const question = questionAt(said.path, submission.owner, PARAMETERS.biggestQuestion);
  return question !== null && judge(context, question, said.answer) === "wrong";
}
