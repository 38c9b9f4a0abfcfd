/*
 * What one answer of the REST template costs: `taskset -c 0 node_modules/.bin/ts-node --transpile-only --project tests/tsconfig.json
 * app/sandbox/test/bench.ts`, after `npm run build`. Processor time is that of all threads.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runRespond } from "@securing-tasks/sandbox";
import { WORK, doorsWith, functionOf } from "./utils";

const WARM_UP = 50;
const ANSWERS = 1_000;
const FILE = join(__dirname, "../../templates/dist/bundles/rest/work.js");

async function main(): Promise<void> {
  const fn = functionOf(readFileSync(FILE, "utf8"));
  const answer = async (question: number): Promise<void> => {
    const query = { question: String(question) };
    const request = { method: "GET", path: "/answer", query, body: "" };
    const seed = randomBytes(32).toString("hex");
    const facts = { ...WORK, seed, now: Date.now() };
    const ran = await runRespond(fn, request, facts, doorsWith());
    if (!ran.ok || (ran.value.status ?? 200) !== 200) throw new Error(JSON.stringify(ran));
  };
  for (let i = 1; i <= WARM_UP; i++) await answer(i);
  const begun = performance.now();
  const before = process.cpuUsage();
  for (let i = 1; i <= ANSWERS; i++) await answer(i);
  const { user, system } = process.cpuUsage(before);
  const wall = ((performance.now() - begun) / ANSWERS).toFixed(2);
  const processor = ((user + system) / 1_000 / ANSWERS).toFixed(2);
  console.log(`${ANSWERS} answers, mean of one: ${processor} ms of a processor, ${wall} ms in all`);
}

void main();
