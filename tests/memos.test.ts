import type { Chain, MintInfo, TaskRules } from "@securing-tasks/client";
import {
  SecuringTasksClient,
  explain,
  takingPayment,
  taskAddress,
  tokenAccountOf,
  vaultAddress,
} from "@securing-tasks/client";
import type { Sendable } from "@securing-tasks/demo/game";
import { giveTokens, newMint } from "@securing-tasks/demo/game";
import {
  ExtensionType,
  TOKEN_2022_PROGRAM_ID,
  createEnableRequiredMemoTransfersInstruction,
  createInitializeAccount3Instruction,
  createMintToInstruction,
  createReallocateInstruction,
  getAccount,
  getAccountLen,
  getMemoTransfer,
} from "@solana/spl-token";
import { Keypair, PublicKey, SystemProgram, Transaction } from "@solana/web3.js";
import { TransactionInstruction } from "@solana/web3.js";
import { expect } from "chai";
import { CALLER_CHAINS, VAULT, call, callerDoes } from "./utils/caller";
import { RULES as USUAL } from "./utils/games";
import { refusal } from "./utils/refusal";

/** Nobody accuses anybody here, so that the shortest delay will do. */
const RULES: TaskRules = {
  ...USUAL,
  roundSlots: 40n,
  submissionSlots: 10n,
  auditSlots: 10n,
  revealSlots: 10n,
  leaveDelaySlots: 30n,
};

const MEMO = new TransactionInstruction({
  programId: new PublicKey("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"),
  keys: [],
  data: Buffer.from("what is due"),
});

/** Who creates a task, joins it and is paid: a key, or a multisig whose every instruction its program calls. */
interface Payee {
  readonly owner: PublicKey;
  readonly signers: readonly Keypair[];
  readonly way: (all: readonly TransactionInstruction[]) => readonly TransactionInstruction[];
}

const key = Keypair.generate();
const PAYEES: Readonly<Record<string, Payee>> = {
  "of a key": { owner: key.publicKey, signers: [key], way: (all) => all },
  "of a multisig": {
    ...{ owner: VAULT, signers: [] },
    way: (all) => [callerDoes(...all.map((one) => call(one)))],
  },
};

for (const [where, start] of CALLER_CHAINS) {
  for (const [whose, { owner, signers, way }] of Object.entries(PAYEES)) {
    // On a validator its slots must be waited for.
    if (where !== "embedded" && whose === "of a key") continue;

    describe(`a token account ${whose} that takes no payment without a memo ${where}`, () => {
      const bank = Keypair.generate();
      let chain: Chain;
      let client: SecuringTasksClient;
      let mint: MintInfo;
      let account: PublicKey;
      let slot = 0n;
      const task = () => ({ address: taskAddress(owner, 2n), mint });
      const both = () => ({ task: task().address, owner });

      const send = async (...all: readonly TransactionInstruction[]): Promise<void> => {
        const whole = new Transaction().add(...way(all));
        const asked = whole.instructions.flatMap(({ keys }) => keys.filter((one) => one.isSigner));
        const needed = signers.filter((one) =>
          asked.some(({ pubkey }) => pubkey.equals(one.publicKey)),
        );
        ({ slot } = await chain.send(whole, [bank, ...needed]));
      };
      const strangerSends = (...all: readonly TransactionInstruction[]): Promise<unknown> =>
        chain.send(new Transaction().add(...all), [bank]);
      const made = async (builder: Sendable): Promise<TransactionInstruction> => {
        const ours = (await builder.transaction()).instructions.at(-1);
        if (!ours) throw new Error("It makes no instruction.");
        return ours;
      };
      const around = () => takingPayment(chain.connection, mint, account, owner);
      const held = async (): Promise<bigint> => {
        const found = await getAccount(chain.connection, account, undefined, mint.tokenProgram);
        expect(getMemoTransfer(found)?.requireIncomingTransferMemos).to.equal(true);
        return found.amount;
      };
      const refusedFor = async (attempt: Promise<unknown>): Promise<void> => {
        const { reason, message } = explain(await refusal(attempt));
        expect(reason, message).to.equal("memoMissing");
      };

      /** Not paid as it is, nor with a memo beside it, but where its owner signs for it. */
      const paidWhereSigned = async (builder: Sendable, amount: bigint): Promise<void> => {
        const before = await held();
        const pay = await made(builder);
        await refusedFor(send(pay));
        await refusedFor(send(MEMO, pay));
        const { before: first, after } = await around();
        await send(...first, pay, ...after);
        expect(await held()).to.equal(before + amount);
      };

      before(async () => {
        chain = await start();
        await chain.fund(bank.publicKey, 10_000_000_000n);
        client = new SecuringTasksClient(chain.provider(bank));
        const address = await newMint(chain, bank, 6, TOKEN_2022_PROGRAM_ID);
        mint = { address, tokenProgram: TOKEN_2022_PROGRAM_ID, decimals: 6 };
        account = tokenAccountOf(mint, owner);
        await strangerSends(...giveTokens(mint, bank.publicKey, owner, 20_000n));
        await send(
          createReallocateInstruction(
            account,
            bank.publicKey,
            [ExtensionType.MemoTransfer],
            owner,
            [],
            mint.tokenProgram,
          ),
          createEnableRequiredMemoTransfersInstruction(account, owner),
        );
        await send(
          await made(
            client.createTask({
              ...{ creator: owner, payer: bank.publicKey, id: 2n, mint, rules: RULES },
              auditFunction: { hash: new Uint8Array(32).fill(7), uri: "ipfs://audit" },
            }),
          ),
        );
        await send(
          await made(client.fundTask({ task: task(), funder: owner, amount: 700n })),
          await made(
            client.joinTask({
              ...{ task: task(), owner, payer: bank.publicKey, role: "worker" },
              ...{ amount: 5_000n, startSlot: slot },
            }),
          ),
        );
        await send(await made(client.requestLeave(both())));
      });

      it("gets what is withdrawn", async () => {
        await chain.waitForSlot(slot + RULES.leaveDelaySlots);
        await paidWhereSigned(client.withdraw({ task: task(), owner }), 5_000n);
      });

      it("gets the pool of a task that is retired", async () => {
        await send(await made(client.addStake({ task: task(), owner, amount: 2_500n })));
        await paidWhereSigned(client.retireTask({ task: task(), creator: owner }), 700n);
      });

      it("gets the stake that is returned, with its owner's signature alone", async () => {
        await chain.waitForSlot(slot + RULES.leaveDelaySlots);
        const pay = await made(client.returnStake({ task: task(), owner }));
        await refusedFor(strangerSends(pay));
        await paidWhereSigned(client.returnStake({ task: task(), owner }), 2_500n);
      });

      it("keeps nobody from closing the task: another account of its owner gets what is there", async () => {
        const closeNode = await made(client.closeNode({ ...both(), closer: bank.publicKey }));
        const vault = vaultAddress(task().address);
        const { tokenProgram } = mint;
        const gift = createMintToInstruction(
          mint.address,
          vault,
          bank.publicKey,
          9n,
          [],
          tokenProgram,
        );
        await strangerSends(closeNode, gift);
        await refusedFor(
          strangerSends(await made(client.closeTask({ task: task(), creator: owner }))),
        );
        const other = Keypair.generate();
        const space = getAccountLen([ExtensionType.ImmutableOwner]);
        await chain.send(
          new Transaction().add(
            SystemProgram.createAccount({
              ...{ fromPubkey: bank.publicKey, newAccountPubkey: other.publicKey, space },
              ...{ lamports: Number(await chain.rentMinimum(space)) },
              programId: mint.tokenProgram,
            }),
            createInitializeAccount3Instruction(other.publicKey, mint.address, owner, tokenProgram),
          ),
          [bank, other],
        );
        const destination = other.publicKey;
        await strangerSends(
          await made(client.closeTask({ task: task(), creator: owner, destination })),
        );
        const paid = await getAccount(chain.connection, destination, undefined, mint.tokenProgram);
        expect(paid.amount).to.equal(9n);
        expect(await client.find("task", task().address)).to.equal(null);
      });

      it("is asked for nothing by who does not own it", async () => {
        const other = await takingPayment(chain.connection, mint, account, bank.publicKey);
        expect(other).to.deep.equal({ before: [], after: [] });
      });
    });
  }
}
