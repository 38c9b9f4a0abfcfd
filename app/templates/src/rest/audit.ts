import type { AuditContext, Evidence, HttpAnswer, Verdict } from "@securing-tasks/sandbox";
import type { RestParameters } from "../parameters";
import { encodeText, fromBase64, sha256Hex } from "../shared/bytes";
import { ask, fetchContent, waitOf } from "../shared/doors";
import { isLie, respond } from "./respond";
import { baseOf, pathOf, readPayload } from "./service";

declare const PARAMETERS: RestParameters;

/** Requests of one audit that may be made a second time: one lost packet is no downtime, and a slow server can't hold an audit up. */
const RETRIES = 2;
/** Answers "ask later" of one audit that are waited for: a busy server is not down, and one that is always busy is. */
const LATER = 4;

export async function audit(context: AuditContext): Promise<Verdict> {
  const { submission } = context;
  // First, since it needs nobody who still answers.
  const proof = context.evidence.find((one) => provesMalice(context, one));
  if (proof) {
    context.log("there is evidence of malice");
    context.keep(proof);
    return "malicious";
  }
  const { timeoutMs } = PARAMETERS;
  let later = LATER;
  /** How long to wait before the next request, in milliseconds; null where nobody asked for it, or too often. */
  const waitFor = (got: HttpAnswer | null): number | null => {
    const wait = waitOf(got);
    return wait !== null && later-- > 0 ? wait : null;
  };
  /** The payload where its server was busy: `fetch` does not tell. */
  const fetchLater = async (): Promise<Uint8Array | null> => {
    for (let waitMs: number | null = 0; waitMs !== null;) {
      const got: HttpAnswer | null = await ask(context, {
        url: submission.payloadUri,
        timeoutMs,
        waitMs,
      });
      const bytes = got?.status === 200 ? encodeText(got.body) : null;
      if (bytes && sha256Hex(bytes) === submission.payloadHash) return bytes;
      waitMs = waitFor(got);
    }
    return null;
  };
  const payload =
    (await fetchContent(context, submission.payloadHash, submission.payloadUri)) ??
    (await fetchLater());
  if (!payload) return "downtime";
  const said = readPayload(payload, submission);
  if (!said) {
    const word = context.proof(payload);
    // Too long to be evidence: malice to whoever has it and downtime to the others would help the one that goes dark. Downtime to all.
    if (!word) return "downtime";
    context.keep(word);
    return "malicious";
  }
  const service = baseOf(said.service);
  if (service === null) {
    // Nobody can ask there, as with a dead server: it is no lie.
    context.log(`${said.service} is no address of a service`);
    return "downtime";
  }

  let retries = RETRIES;
  /** Asks until it is answered as `right` says. What its operator signed is an answer too, and the last. */
  const get = async (
    path: string,
    right: (got: HttpAnswer) => boolean,
  ): Promise<"right" | "none" | Evidence> => {
    for (let waitMs = 0; ;) {
      const got = await ask(context, {
        url: service + path,
        headers: { "securing-tasks-submission": submission.address },
        timeoutMs,
        waitMs,
      });
      if (got && right(got)) return "right";
      // Whoever is in between can have made what is not signed. What is too long to be evidence is no answer either.
      const word = got && context.proof(payload, { path }, got);
      if (word && provesMalice(context, word)) return word;
      context.log(`${path}: ${got ? `no right answer, status ${got.status}` : "no answer"}`);
      const wait = waitFor(got);
      waitMs = wait ?? 0;
      if (wait === null && retries-- === 0) return "none";
    }
  };

  if ((await get("/healthz", ({ status }) => status === 200)) !== "right") return "downtime";
  for (let asked = 0; asked < PARAMETERS.questions; asked++) {
    const question = 1 + Math.floor(Math.random() * PARAMETERS.biggestQuestion);
    const query = { question: String(question), owner: submission.owner };
    const right = respond(
      { method: "GET", path: "/answer", query, body: "" },
      { owner: submission.owner, task: context.task },
    );
    const came = await get(
      pathOf(question, submission.owner),
      ({ status, body }) => status === (right.status ?? 200) && body === right.body,
    );
    if (came === "right") continue;
    if (came === "none") return "downtime";
    context.log(`question ${question}: a wrong answer, signed`);
    context.keep(came);
    return "malicious";
  }
  return "valid";
}

/** Whether the accused's own word, whoever heard it, is one that no honest worker gives. */
function provesMalice({ submission, task }: AuditContext, { payload, said }: Evidence): boolean {
  if (!readPayload(fromBase64(payload), submission)) return true;
  return said !== null && isLie(said, { owner: submission.owner, task });
}
