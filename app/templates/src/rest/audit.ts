import type { AuditFacts, Context, HttpAnswer, Verdict } from "@securing-tasks/sandbox";
import type { RestParameters } from "../parameters";
import { ask, fetchContent } from "../shared/doors";
import { parseObject } from "../shared/json";
import { answer } from "./answer";
import { baseOf } from "./service";

declare const PARAMETERS: RestParameters;

/** Requests of one audit that may be made a second time: one lost packet is no downtime, and a slow server can't hold an audit up. */
const RETRIES = 2;

export async function audit(context: Context<AuditFacts>): Promise<Verdict> {
  const { submission, task } = context;
  const payload = await fetchContent(context, submission.payloadHash, submission.payloadUri);
  if (!payload) return "downtime";
  const said = parseObject(payload);
  if (said?.owner !== submission.owner || said.round !== submission.round) return "malicious";
  if (typeof said.service !== "string") return "malicious";
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
    const got = await get(`/task/answer?question=${question}&owner=${submission.owner}`);
    const answered = got && parseObject(got.body);
    // What does not even speak of the question, like the error page of a proxy, is no answer and so no lie.
    if (answered?.question !== question || answered.owner !== submission.owner) return "downtime";
    if (answered.answer !== answer(question, task.address, submission.owner)) {
      context.log(`question ${question}: wrong answer`);
      return "malicious";
    }
  }
  return "valid";
}
