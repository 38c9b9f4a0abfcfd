import type { Audit } from "@securing-tasks/client";
import {
  ArgumentError,
  REFUSAL_CODES,
  WRAPPED_SOL,
  auditAddress,
  explain,
  nodeAddress,
  submissionAddress,
  taskAddress,
  tokenAccountOf,
  voteAddress,
  wrapSol,
} from "@securing-tasks/client";
import { Game } from "@securing-tasks/demo/game";
import {
  ExtensionType,
  TOKEN_2022_PROGRAM_ID,
  TOKEN_PROGRAM_ID,
  createInitializeMint2Instruction,
  createInitializeTransferFeeConfigInstruction,
  getMintLen,
} from "@solana/spl-token";
import { Keypair, PublicKey, SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import { RULES, claimAll, expectRefusal, witnesses, workers } from "./utils/games";
import { refusal } from "./utils/refusal";
import { CHAINS } from "./utils/validator";

const MOST = 2n ** 64n - 1n;

for (const [where, chain] of CHAINS) {
  describe(`refusals ${where}`, () => {
    // Every test sends what is refused and changes nothing, so all can share two tasks: one with an audit that is open as
    // long as the tests run, one whose audit is resolved.
    let open: Game;
    let audit: Audit;
    let closed: Game;
    let resolved: Audit;

    before(async () => {
      const chainHere = await chain();
      const seats = [
        ...workers(5_000n, "accused", "initiator", "voter", "other"),
        ...witnesses(1_500n, "witness", "idle"),
      ];
      open = await Game.start({
        chain: chainHere,
        currency: "token",
        rules: {
          ...RULES,
          roundSlots: 20_000n,
          submissionSlots: 10_000n,
          auditSlots: 5_000n,
          revealSlots: 5_000n,
          leaveDelaySlots: 20_000n,
        },
        seats,
        pool: 1_000n,
      });
      audit = await open.accuse(
        "initiator",
        await open.submit("accused", await open.round()),
        "malice",
      );
      await open.vote("voter", audit, "malice");
      await open.join({ name: "late", role: "worker", stake: 2_000n });

      closed = await Game.start({
        chain: chainHere,
        currency: "token-2022",
        rules: RULES,
        seats,
        pool: 0n,
      });
      resolved = await closed.accuse(
        "initiator",
        await closed.submit("accused", await closed.round()),
        "malice",
      );
      for (const name of ["voter", "other", "witness"]) await closed.vote(name, resolved, "malice");
      resolved = await closed.resolve(resolved);
      await claimAll(closed, resolved);
    });

    function owner(game: Game, name: string): Keypair {
      return game.player(name).owner;
    }

    function key(game: Game, name: string): PublicKey {
      return owner(game, name).publicKey;
    }

    describe("#fund_task", () => {
      it("rejects an amount of zero", async () => {
        const { client, task, creator } = open;
        const builder = client.fundTask({ task, funder: creator.publicKey, amount: 0n });
        await expectRefusal(open, "amountZero", builder, creator);
      });

      it("rejects the largest amount there is", async () => {
        const { client, task, creator } = open;
        const builder = client.fundTask({ task, funder: creator.publicKey, amount: MOST });
        await expectRefusal(open, "overflow", builder, creator);
      });

      it("rejects more than the funder holds", async () => {
        const { client, task, creator } = open;
        const builder = client.fundTask({ task, funder: creator.publicKey, amount: 1_000_000n });
        await expectRefusal(open, /holds fewer tokens than the amount/, builder, creator);
      });

      it("rejects another mint", async () => {
        const { client, task, creator } = open;
        const builder = client
          .fundTask({ task, funder: creator.publicKey, amount: 1n })
          .accountsPartial({ mint: WRAPPED_SOL.address });
        await expectRefusal(open, "mintMismatch", builder, creator);
      });

      it("rejects tokens of another mint", async () => {
        const { client, task, creator } = open;
        const builder = client
          .fundTask({
            task,
            funder: creator.publicKey,
            amount: 1n,
            source: tokenAccountOf(WRAPPED_SOL, creator.publicKey),
          })
          .preInstructions(wrapSol(creator.publicKey, 1n));
        await expectRefusal(open, "mintMismatch", builder, creator);
      });

      it("rejects the other token program", async () => {
        const { client, task, creator } = open;
        const builder = client
          .fundTask({ task, funder: creator.publicKey, amount: 1n })
          .accountsPartial({ tokenProgram: TOKEN_2022_PROGRAM_ID });
        await expectRefusal(open, "tokenProgramMismatch", builder, creator);
      });

      it("rejects a program that is no token program", async () => {
        const { client, task, creator } = open;
        const builder = client
          .fundTask({ task, funder: creator.publicKey, amount: 1n })
          .accountsPartial({ tokenProgram: SystemProgram.programId });
        await expectRefusal(open, /program/, builder, creator);
      });

      it("rejects a vault that is not the task's", async () => {
        const { client, task, creator } = open;
        const builder = client
          .fundTask({ task, funder: creator.publicKey, amount: 1n })
          .accountsPartial({ vault: tokenAccountOf(task.mint, key(open, "idle")) });
        await expectRefusal(open, "vaultMismatch", builder, creator);
      });
    });

    describe("#create_task", () => {
      const create = (
        game: Game,
        changes: Partial<typeof RULES>,
        id = 2n,
      ): ReturnType<Game["client"]["createTask"]> =>
        game.client.createTask({
          creator: game.creator.publicKey,
          id,
          mint: game.task.mint,
          rules: { ...RULES, ...changes },
          auditFunction: { hash: new Uint8Array(32).fill(1), uri: "" },
        });

      it("rejects a bond of zero", async () => {
        await expectRefusal(open, "bondZero", create(open, { initiatorBond: 0n }), open.creator);
      });

      it("rejects shares over the whole", async () => {
        const builder = create(open, { initiatorBonusBps: 6_000, poolBps: 4_001 });
        await expectRefusal(open, "sharesOverWhole", builder, open.creator);
      });

      it("rejects a leave delay that lets a node leave before it is judged", async () => {
        const builder = create(open, { leaveDelaySlots: 129n });
        await expectRefusal(open, "leaveDelayTooShort", builder, open.creator);
      });

      it("rejects a number that is taken", async () => {
        await expectRefusal(open, /is there already/, create(open, {}, 1n), open.creator);
      });

      it("rejects a mint with a transfer fee", async () => {
        const mint = Keypair.generate();
        const { creator } = open;
        const space = getMintLen([ExtensionType.TransferFeeConfig]);
        const make = new Transaction().add(
          SystemProgram.createAccount({
            fromPubkey: creator.publicKey,
            newAccountPubkey: mint.publicKey,
            lamports: Number(await open.chain.rentMinimum(space)),
            space,
            programId: TOKEN_2022_PROGRAM_ID,
          }),
          createInitializeTransferFeeConfigInstruction(
            mint.publicKey,
            creator.publicKey,
            creator.publicKey,
            100,
            1_000n,
            TOKEN_2022_PROGRAM_ID,
          ),
          createInitializeMint2Instruction(
            mint.publicKey,
            6,
            creator.publicKey,
            null,
            TOKEN_2022_PROGRAM_ID,
          ),
        );
        await open.chain.send(make, [creator, mint]);
        const builder = open.client.createTask({
          creator: creator.publicKey,
          id: 2n,
          mint: { address: mint.publicKey, tokenProgram: TOKEN_2022_PROGRAM_ID },
          rules: RULES,
          auditFunction: { hash: new Uint8Array(32).fill(1), uri: "" },
        });
        await expectRefusal(open, "mintTransferFee", builder, creator);
      });

      it("rejects a URI of 129 bytes, and an audit function without one's hash", () => {
        const create = (hash: Uint8Array, uri: string) => () =>
          open.client.createTask({
            creator: open.creator.publicKey,
            id: 2n,
            mint: open.task.mint,
            rules: RULES,
            auditFunction: { hash, uri },
          });
        const hash = new Uint8Array(32).fill(1);
        expect(create(hash, "x".repeat(129))).to.throw(ArgumentError, "`auditFunction.uri`");
        expect(create(hash.subarray(1), "")).to.throw(ArgumentError, "`auditFunction.hash`");
      });
    });

    describe("#join_task", () => {
      it("rejects a stake below the minimum", async () => {
        const newcomer = await open.newcomer(1_999n);
        const builder = open.client.joinTask({
          task: open.task,
          owner: newcomer.publicKey,
          role: "worker",
          amount: 1_999n,
          startSlot: await open.startSlot(),
        });
        await expectRefusal(open, "stakeBelowMinimum", builder, newcomer);
      });

      it("rejects an owner who has joined", async () => {
        const builder = open.client.joinTask({
          task: open.task,
          owner: key(open, "idle"),
          role: "witness",
          amount: 1_500n,
          startSlot: await open.startSlot(),
        });
        await expectRefusal(open, /is there already/, builder, owner(open, "idle"));
      });

      it("takes lamports at the node's address for no node", async () => {
        const newcomer = await open.newcomer(2_000n);
        const node = nodeAddress(open.task.address, newcomer.publicKey);
        await open.chain.fund(node, 1_000_000n);
        expect(await open.client.find("node", node)).to.equal(null);
        await open.send(
          open.client.joinTask({
            task: open.task,
            owner: newcomer.publicKey,
            role: "worker",
            amount: 2_000n,
            startSlot: await open.startSlot(),
          }),
          newcomer,
        );
        expect((await open.client.fetch("node", node)).stake).to.equal(2_000n);
      });
    });

    describe("#submit_work", () => {
      it("rejects a witness", async () => {
        const { operator } = open.player("witness");
        const builder = open.client.submitWork({
          task: open.task.address,
          owner: key(open, "witness"),
          operator: operator.publicKey,
          round: 0n,
          payloadHash: new Uint8Array(32).fill(1),
          payloadUri: "",
        });
        await expectRefusal(open, "witnessCannotSubmit", builder, operator);
      });

      it("rejects a round to come", async () => {
        const { operator } = open.player("other");
        const builder = open.client.submitWork({
          task: open.task.address,
          owner: key(open, "other"),
          operator: operator.publicKey,
          round: 1_000n,
          payloadHash: new Uint8Array(32).fill(1),
          payloadUri: "",
        });
        await expectRefusal(open, "roundNotCurrent", builder, operator);
      });

      it("rejects a key that is not the operator's", async () => {
        const builder = open.client.submitWork({
          task: open.task.address,
          owner: key(open, "other"),
          round: 0n,
          payloadHash: new Uint8Array(32).fill(1),
          payloadUri: "",
        });
        await expectRefusal(open, "notOperator", builder, owner(open, "other"));
      });
    });

    describe("#open_audit", () => {
      const accuse = (
        game: Game,
        initiator: string,
        accused: string,
      ): ReturnType<Game["client"]["openAudit"]> =>
        game.client.openAudit({
          task: game.task.address,
          round: 0n,
          accused: key(game, accused),
          initiator: key(game, initiator),
          operator: game.player(initiator).operator.publicKey,
          accusation: "malice",
        });

      it("rejects work that was never submitted", async () => {
        const builder = accuse(open, "other", "voter");
        await expectRefusal(open, /Check the address/, builder, open.player("other").operator);
      });

      it("rejects the same node as initiator and accused", async () => {
        const builder = accuse(open, "accused", "accused");
        await expectRefusal(
          open,
          /same account is in two places/,
          builder,
          open.player("accused").operator,
        );
      });

      it("rejects a node that joined after the submission", async () => {
        const builder = accuse(open, "late", "accused");
        await expectRefusal(open, "joinedAfterSubmission", builder, open.player("late").operator);
      });
    });

    describe("#cast_vote", () => {
      const vote = (game: Game, name: string, on: Audit): ReturnType<Game["client"]["castVote"]> =>
        game.client.castVote({
          task: game.task.address,
          audit: on.address,
          voter: key(game, name),
          operator: game.player(name).operator.publicKey,
          opinion: "malice",
        });

      it("rejects the accused", async () => {
        const builder = vote(open, "accused", audit);
        await expectRefusal(open, "accusedCannotVote", builder, open.player("accused").operator);
      });

      it("rejects the initiator", async () => {
        const builder = vote(open, "initiator", audit);
        await expectRefusal(
          open,
          "initiatorAlreadyVoted",
          builder,
          open.player("initiator").operator,
        );
      });

      it("rejects a second vote", async () => {
        const builder = vote(open, "voter", audit);
        await expectRefusal(open, /is there already/, builder, open.player("voter").operator);
      });

      it("rejects a voter who joined after the submission", async () => {
        const builder = vote(open, "late", audit);
        await expectRefusal(open, "joinedAfterSubmission", builder, open.player("late").operator);
      });

      it("rejects a vote after the end", async () => {
        const builder = vote(closed, "idle", resolved);
        await expectRefusal(closed, "votingClosed", builder, closed.player("idle").operator);
      });

      it("rejects another task's node", async () => {
        const { operator, node } = closed.player("other");
        const builder = vote(open, "other", audit).accountsPartial({
          payer: operator.publicKey,
          operator: operator.publicKey,
          node,
          vote: voteAddress(audit.address, key(closed, "other")),
        });
        await expectRefusal(open, "wrongTask", builder, operator);
      });
    });

    describe("#resolve_audit", () => {
      it("rejects an audit whose votes are still taken", async () => {
        await expectRefusal(open, "votingOpen", open.client.resolveAudit(audit));
      });

      it("rejects a second time", async () => {
        await expectRefusal(closed, "alreadyResolved", closed.client.resolveAudit(resolved));
      });

      it("rejects another node as the initiator", async () => {
        const builder = closed.client.resolveAudit({
          ...resolved,
          initiator: key(closed, "other"),
        });
        await expectRefusal(closed, "wrongNode", builder);
      });
    });

    describe("#claim_vote", () => {
      it("rejects a vote in an open audit", async () => {
        const builder = open.client.claimVote({
          task: open.task.address,
          audit: audit.address,
          voter: key(open, "voter"),
        });
        await expectRefusal(open, "notResolved", builder);
      });

      it("rejects a second claim", async () => {
        const builder = closed.client.claimVote({
          task: closed.task.address,
          audit: resolved.address,
          voter: key(closed, "voter"),
        });
        await expectRefusal(closed, "alreadyClaimed", builder);
      });

      it("rejects a share for another node", async () => {
        const builder = closed.client
          .claimVote({
            task: closed.task.address,
            audit: resolved.address,
            voter: key(closed, "voter"),
          })
          .accountsPartial({ node: closed.player("other").node });
        await expectRefusal(closed, "wrongNode", builder);
      });
    });

    describe("#withdraw", () => {
      it("rejects the accused", async () => {
        const builder = open.client.withdraw({ task: open.task, owner: key(open, "accused") });
        await expectRefusal(open, "nodeAccused", builder, owner(open, "accused"));
      });

      it("rejects a node that has nothing to take", async () => {
        const builder = open.client.withdraw({ task: open.task, owner: key(open, "idle") });
        await expectRefusal(open, "nothingToWithdraw", builder, owner(open, "idle"));
      });

      it("rejects the operator, who never takes money", async () => {
        const { operator, node } = open.player("idle");
        const builder = open.client
          .withdraw({ task: open.task, owner: operator.publicKey })
          .accountsPartial({ node });
        await expectRefusal(open, "notOwner", builder, operator);
      });
    });

    describe("#retire_task", () => {
      it("rejects anyone but the creator", async () => {
        const builder = open.client.retireTask({ task: open.task, creator: key(open, "idle") });
        await expectRefusal(open, "notCreator", builder, owner(open, "idle"));
      });
    });

    it("are explained as Anchor's builder throws them", async () => {
      const explained = explain(await refusal(open.client.resolveAudit(audit).rpc()));
      expect(explained.name).to.equal("votingOpen");
      expect(explained.code).to.equal(REFUSAL_CODES.votingOpen);
    });

    it("names a task that is not there", async () => {
      const nowhere = taskAddress(open.creator.publicKey, 99n);
      const message = await open.client.fetch("task", nowhere).catch(String);
      expect(message).to.contain(`There is no task at ${nowhere.toBase58()}`);
    });

    it("derives the addresses that the program made", () => {
      const submission = submissionAddress(open.task.address, 0n, key(open, "accused"));
      expect(audit.submission.equals(submission)).to.equal(true);
      expect(audit.address.equals(auditAddress(submission, audit.initiator, 0))).to.equal(true);
      expect(open.task.mint.tokenProgram.equals(TOKEN_PROGRAM_ID)).to.equal(true);
    });
  });
}
