import type {
  Context,
  RespondFacts,
  ServiceRequest,
  ServiceResponse,
  WorkFacts,
} from "@securing-tasks/sandbox";
import type { RestParameters } from "../parameters";
import { answer } from "./answer";
import type { Payload } from "./service";
import { baseOf } from "./service";

declare const PARAMETERS: RestParameters;

/** The work is to be there: the payload says where, and who signs what is answered. */
export function work({ publicUrl, owner, round, operator }: Context<WorkFacts>): string {
  if (publicUrl === null) {
    throw new Error(
      "This task needs a REST service: set http.publicUrl in the node's configuration.",
    );
  }
  const service = baseOf(publicUrl);
  if (service === null) {
    throw new Error(
      `The audit can't ask ${publicUrl}: set http.publicUrl in the node's configuration to an http(s) URL in plain ASCII, without a user name, ? or #.`,
    );
  }
  const payload: Payload = { service, owner, round, operator };
  return JSON.stringify(payload);
}

export function respond(
  { method, path, query }: ServiceRequest,
  { owner, task }: Context<RespondFacts>,
): ServiceResponse {
  if (method !== "GET" || path !== "/answer") {
    return refuse(404, "Ask GET /task/answer?question=N.");
  }
  const question = Number(query.question);
  if (!Number.isInteger(question) || question < 1 || question > PARAMETERS.biggestQuestion) {
    return refuse(400, `question must be a number from 1 to ${PARAMETERS.biggestQuestion}.`);
  }
  // Work done in another worker's name would be paid to that one.
  if (query.owner !== undefined && query.owner !== owner) {
    return refuse(404, `This is the node of ${owner}.`);
  }
  const said = { question, owner, answer: answer(question, task.address, owner) };
  return { body: JSON.stringify(said) };
}

function refuse(status: number, error: string): ServiceResponse {
  return { status, body: JSON.stringify({ error }) };
}
