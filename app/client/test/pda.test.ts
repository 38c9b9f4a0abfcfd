import {
  PROGRAM_ID,
  allowEntryAddress,
  auditAddress,
  nodeAddress,
  roundAddress,
  submissionAddress,
  taskAddress,
  vaultAddress,
  voteAddress,
} from "@securing-tasks/client";
import { PublicKey } from "@solana/web3.js";
import { expect } from "chai";
// Derived by another library, from the seeds that the program's sources name.
import vectors from "./vectors/pda.json";

describe("addresses", () => {
  it("belong to the program of the vectors", () => {
    expect(PROGRAM_ID.toBase58()).to.equal(vectors.program);
  });

  for (const vector of vectors.cases) {
    it(`of task ${vector.id}, round ${vector.round}, audit ${vector.index}`, () => {
      const key = (name: "creator" | "owner" | "voter"): PublicKey => new PublicKey(vector[name]);
      const task = taskAddress(key("creator"), BigInt(vector.id));
      const submission = submissionAddress(task, BigInt(vector.round), key("owner"));
      const audit = auditAddress(submission, key("voter"), vector.index);
      const { vault, node, vote, roundAccount, allowedWorker, allowedWitness } = vector;
      expect({
        task: task.toBase58(),
        vault: vaultAddress(task).toBase58(),
        node: nodeAddress(task, key("owner")).toBase58(),
        allowedWorker: allowEntryAddress(task, "worker", key("owner")).toBase58(),
        allowedWitness: allowEntryAddress(task, "witness", key("owner")).toBase58(),
        roundAccount: roundAddress(task, BigInt(vector.round)).toBase58(),
        submission: submission.toBase58(),
        audit: audit.toBase58(),
        vote: voteAddress(audit, key("owner")).toBase58(),
      }).to.deep.equal({
        task: vector.task,
        vault,
        node,
        allowedWorker,
        allowedWitness,
        roundAccount,
        submission: vector.submission,
        audit: vector.audit,
        vote,
      });
    });
  }

  it("refuse numbers that do not fit", () => {
    expect(() => taskAddress(PROGRAM_ID, 2n ** 64n)).to.throw(RangeError);
    expect(() => taskAddress(PROGRAM_ID, -1n)).to.throw(RangeError);
    expect(() => auditAddress(PROGRAM_ID, PROGRAM_ID, 2 ** 32)).to.throw(RangeError);
  });
});
