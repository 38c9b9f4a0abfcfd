import { sha256Hex } from "../shared/bytes";

/** The service that this task pays for. Replace it by yours: both files use this one function, so they never disagree. */
export function answer(question: number, task: string, owner: string): string {
  // Owner and task are part of the question: another worker's honest server can't be passed off as one's own, since it gives other
  // answers, and none to a question with another owner.
  let text = `${task}/${owner}/${question}`;
  for (let turn = 0; turn < 10; turn++) text = sha256Hex(text);
  return text;
}
