import type {
  RespondFacts,
  ServiceRequest,
  ServiceResponse,
  SignedAnswer,
} from "@securing-tasks/sandbox";
import type { RestParameters } from "../parameters";
import { readRequest } from "../shared/request";
import { answer } from "./answer";

declare const PARAMETERS: RestParameters;

/** Of the facts, what an answer hangs on. An audit knows it too, and so what an honest worker answers to any request. */
export interface Asked {
  readonly owner: RespondFacts["owner"];
  readonly task: Pick<RespondFacts["task"], "address">;
}

export function respond({ method, path, query }: ServiceRequest, asked: Asked): ServiceResponse {
  const { owner, task } = asked;
  if (method !== "GET" || path !== "/answer") {
    return refuse(404, "Ask GET /task/answer?question=N.");
  }
  const question = /^[1-9]\d{0,15}$/.test(query.question ?? "") ? Number(query.question) : 0;
  if (question < 1 || question > PARAMETERS.biggestQuestion) {
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

/**
 * Whether a worker signed what no honest one does. An honest node signs what `respond` says and nothing else, not even that it is busy or
 * failed, so each byte counts: another status, one more field or a field twice is another answer, and may be read as another.
 */
export function isLie(said: SignedAnswer, asked: Asked): boolean {
  // "I can't answer", whatever comes with it, is what an honest server may say of itself, and no answer to anybody.
  if (said.status >= 500) return false;
  const request = readRequest(said);
  // An honest node's service refuses it unsigned, and its user has nothing to believe.
  if (!request) return false;
  try {
    const { status = 200, body } = respond(request, asked);
    return said.status !== status || said.answer !== body;
  } catch {
    // A worker's function fails there as well. An audit that fails would shield whoever signed something there.
    return false;
  }
}
