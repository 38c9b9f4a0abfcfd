import type { Submission, Task } from "@securing-tasks/client";
import type { Connection, PublicKey } from "@solana/web3.js";
import type { AuditFacts, TaskFacts, WorkFacts } from "./api";

export function taskFacts(task: Task): TaskFacts {
  throw new Error(`not built yet: ${task.address.toBase58()}`);
}

/** The same on every node: seed and time come from the block in which the work was submitted. */
export function auditFacts(
  connection: Connection,
  task: Task,
  submission: Submission,
): Promise<AuditFacts> {
  return Promise.reject(
    new Error(
      `not built yet: ${connection.rpcEndpoint} ${submission.payloadUri} ${task.id.toString()}`,
    ),
  );
}

/** Seed and time come from the first block of the round. */
export function workFacts(
  connection: Connection,
  task: Task,
  round: bigint,
  node: {
    readonly owner: PublicKey;
    readonly publicUrl: string | null;
    readonly secrets: Readonly<Record<string, string>>;
  },
): Promise<WorkFacts> {
  return Promise.reject(
    new Error(
      `not built yet: ${connection.rpcEndpoint} ${round.toString()} ${task.id.toString()} ${node.owner.toBase58()}`,
    ),
  );
}
