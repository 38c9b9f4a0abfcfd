import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  MemorySaltStore,
  PROGRAM_ID,
  SecuringTasksClient,
  auditAddress,
  nodeAddress,
  roundAddress,
  sealReveal,
  submissionAddress,
  voteAddress,
  voteCommitment,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Encoder } from "@securing-tasks/simulate";
import type { TransactionInstruction } from "@solana/web3.js";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";

const BYTECODE = readFileSync(join(__dirname, "../../../target/deploy/securing_tasks.so"));

describe("the simulator's encoder makes what the client's builder makes:", () => {
  const chain = EmbeddedChain.start([{ id: PROGRAM_ID, bytecode: BYTECODE }]);
  const client = new SecuringTasksClient(chain.provider(Keypair.generate()));
  const encoder = new Encoder(client);
  const [task, owner, accused, operator, payer] = Array.from(
    { length: 5 },
    () => Keypair.generate().publicKey,
  ) as [never, never, never, never, never];
  const number = 2n ** 40n + 3n;
  const node = nodeAddress(task, owner);
  const round = roundAddress(task, number);
  const submission = submissionAddress(task, number, accused);
  const audit = auditAddress(submission, owner, 7);
  const vote = voteAddress(audit, owner);
  const accounts = { operator, task, node, audit, vote };
  const audited = {
    ...{ task, submission, round, audit, initiator: node },
    accused: nodeAddress(task, accused),
  };
  // What a builder takes as it is: of a task without a gate the program stands for the proof.
  const gate = { proof: PROGRAM_ID, mint: PROGRAM_ID };
  const ballot = { task, audit, voter: owner, operator, opinion: "downtime", gate } as const;
  const secret = Uint8Array.from({ length: 32 }, (_, at) => at + 1);
  const salts = new MemorySaltStore();

  const same = (made: TransactionInstruction, wanted: TransactionInstruction): void => {
    const plain = ({ programId, keys, data }: TransactionInstruction) => ({
      program: programId.toBase58(),
      data: data.toString("hex"),
      keys: keys.map(({ pubkey, isSigner, isWritable }) => [
        pubkey.toBase58(),
        isSigner,
        isWritable,
      ]),
    });
    expect(plain(made)).to.deep.equal(plain(wanted));
  };

  it("submit_work", async () => {
    same(
      encoder.submitWork(
        { operator, task, node, round, submission: submissionAddress(task, number, owner) },
        number,
        secret,
        "ipfs://é",
      ),
      await client
        .submitWork({
          ...{ task, owner, operator, round: number, gate },
          ...{ payloadHash: secret, payloadUri: "ipfs://é" },
        })
        .instruction(),
    );
  });

  for (const secretHash of [undefined, secret]) {
    it(`open_audit ${secretHash ? "with" : "without"} a panel`, async () => {
      same(
        encoder.openAudit({ operator, ...audited }, "malice", secretHash),
        await client
          .openAudit({
            ...{ task, round: number, accused, initiator: owner, operator, index: 7, gate },
            ...{ accusation: "malice", ...(secretHash && { secretHash }) },
          })
          .instruction(),
      );
    });
  }

  it("draw_panel", async () => {
    same(encoder.drawPanel(audit, secret), await client.drawPanel({ audit, secret }).instruction());
  });

  it("cast_vote", async () => {
    same(encoder.castVote(accounts, "downtime"), await client.castVote(ballot).instruction());
  });

  it("commit_vote and reveal_vote", async () => {
    const { builder, secret: kept } = await client.commitVote({ ...ballot, salts });
    same(encoder.commitVote(accounts, voteCommitment(kept)), await builder.instruction());
    same(
      encoder.revealVote(accounts, "downtime", kept.salt),
      await client.revealFor(sealReveal(task, kept)).instruction(),
    );
  });

  it("resolve_audit", async () => {
    const given = { address: audit, task, submission, accused, initiator: owner, appellant: null };
    same(
      encoder.resolveAudit(audited),
      await client.resolveAudit({ ...given, round: number }).instruction(),
    );
  });

  it("claim_vote and claim_bounty", async () => {
    same(
      encoder.claimVote(accounts),
      await client.claimVote({ task, audit, voter: owner }).instruction(),
    );
    same(
      encoder.claimBounty({ task, round, submission, node }),
      await client.claimBounty({ address: submission, task, owner, round: number }).instruction(),
    );
  });

  it("close_vote, close_audit, close_submission and close_round", async () => {
    same(
      encoder.closeVote({ audit, node, vote, payer }),
      await client.closeVote({ address: vote, audit, owner, payer, task }).instruction(),
    );
    same(
      encoder.closeAudit({ submission, initiator: node, audit, payer }),
      await client
        .closeAudit({ address: audit, task, submission, initiator: owner, payer })
        .instruction(),
    );
    same(
      encoder.closeSubmission({ task, round, node, submission, payer }),
      await client
        .closeSubmission({ address: submission, task, owner, round: number, payer })
        .instruction(),
    );
    same(
      encoder.closeRound({ task, round, payer }),
      await client.closeRound({ address: round, task, payer }).instruction(),
    );
  });
});
