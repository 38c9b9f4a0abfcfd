import { parentPort, workerData } from "node:worker_threads";
import type { Doors, Ran } from "@securing-tasks/sandbox";
import { liveDoors, runAudit, runRespond, runWork } from "@securing-tasks/sandbox";
import type { Answered, Job, Numbered, ThreadData } from "./jobs";
import { connect } from "./rpc";

/*
 * A thread that runs functions, so that one that computes for long keeps the daemon from nothing: neither from revealing a vote nor from
 * answering health checks.
 */

const data = workerData as ThreadData;
const doors = liveDoors({
  connection: connect({ rpcUrl: data.rpcUrl, timeoutMs: data.rpcTimeoutMs }),
  gateways: data.gateways,
  allowPrivateNetwork: data.allowPrivateNetwork,
  ...(data.timeoutMs !== undefined && { timeoutMs: data.timeoutMs }),
  ...(data.maxBytes !== undefined && { maxBytes: data.maxBytes }),
});

function run(job: Job, open: Doors): Promise<Ran<unknown>> {
  switch (job.kind) {
    case "audit":
      return runAudit(job.fn, job.facts, open, job.limits);
    case "work":
      return runWork(job.fn, job.facts, open, job.limits);
    case "respond":
      return runRespond(job.fn, job.request, job.facts, open, job.limits);
  }
}

parentPort?.on("message", ({ id, job }: Numbered) => {
  void run(job, doors).then((ran) => {
    const answer: Answered = { id, ran };
    parentPort?.postMessage(answer);
  });
});
