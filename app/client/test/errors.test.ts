import type { Explanation } from "@securing-tasks/client";
import {
  PROGRAM_ID,
  REFUSAL_CODES,
  SecuringTasksClient,
  WRAPPED_SOL,
  explain,
  isServerTrouble,
  refused,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { ProgramError } from "@coral-xyz/anchor";
import {
  ExtensionType,
  TOKEN_2022_PROGRAM_ID,
  TOKEN_PROGRAM_ID,
  createEnableRequiredMemoTransfersInstruction,
  createFreezeAccountInstruction,
  createInitializeAccount3Instruction,
  createMint,
  createMintToInstruction,
  createTransferCheckedInstruction,
  getAccountLen,
} from "@solana/spl-token";
import type { TransactionInstruction } from "@solana/web3.js";
import { Connection, Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import { refusal } from "../../../tests/utils/refusal";

const { program } = new SecuringTasksClient(EmbeddedChain.start().provider(Keypair.generate()));

function logged(id: string, reason: string): Error {
  return Object.assign(new Error("Simulation failed."), {
    logs: [`Program ${id} invoke [1]`, `Program ${id} failed: ${reason}`],
  });
}

describe("explain", () => {
  const { errors } = program.idl;

  it("has a sentence with a way out for every refusal of the program, and no two alike", () => {
    const messages = errors.map(({ code, name, msg }) => {
      const hex = code.toString(16);
      const found = explain(logged(PROGRAM_ID.toBase58(), `custom program error: 0x${hex}`));
      expect(found.name).to.equal(name);
      expect(found.code).to.equal(code);
      expect(REFUSAL_CODES[name]).to.equal(code);
      expect(found.message, name).to.match(/^[A-Z].*\.$/);
      expect(found.message, name).not.to.equal(msg);
      return found.message;
    });
    expect(messages.length).to.be.greaterThan(60);
    expect(new Set(messages).size).to.equal(messages.length);
  });

  it("knows the program's errors as Anchor's builder throws them", () => {
    const error = new ProgramError(REFUSAL_CODES.amountZero, "The amount must be above zero");
    expect(explain(error).name).to.equal("amountZero");
  });

  it("knows a code without logs", () => {
    const error = new Error('Transaction failed: {"InstructionError":[0,{"Custom":6002}]}');
    expect(explain(error).name).to.equal("amountZero");
  });

  it("does not take another program's number for ours", () => {
    const other = Keypair.generate().publicKey.toBase58();
    const found = explain(logged(other, "custom program error: 0x1772"));
    expect(found).to.include({ name: null, code: 6002 });
  });

  it("blames the innermost program", () => {
    const [ours, token] = [PROGRAM_ID.toBase58(), TOKEN_PROGRAM_ID.toBase58()];
    const error = Object.assign(new Error("Simulation failed."), {
      logs: [
        `Program ${ours} invoke [1]`,
        `Program ${token} invoke [2]`,
        `Program ${token} failed: custom program error: 0x1`,
        `Program ${ours} failed: custom program error: 0x1`,
      ],
    });
    expect(explain(error).message).to.contain("holds fewer tokens than the amount");
  });

  it("explains a payer without SOL and one with too little", async () => {
    const chain = EmbeddedChain.start();
    const [rich, poor] = [Keypair.generate(), Keypair.generate()];
    const transfer = (from: Keypair, to: Keypair, lamports: bigint): Promise<unknown> =>
      chain.send(
        new Transaction().add(
          SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey: to.publicKey, lamports }),
        ),
        [from],
      );
    await chain.fund(rich.publicKey, 1_000_000_000n);
    expect(explain(await refusal(transfer(poor, rich, 1n))).message).to.contain("has no SOL");
    expect(explain(await refusal(transfer(rich, poor, 2_000_000_000n))).message).to.contain(
      "has not enough SOL",
    );
    expect(explain(await refusal(transfer(rich, poor, 1n))).message).to.contain("too little SOL");
  });

  it("says so when the program is not deployed", async () => {
    const chain = EmbeddedChain.start();
    const payer = Keypair.generate();
    await chain.fund(payer.publicKey, 1_000_000_000n);
    const client = new SecuringTasksClient(chain.provider(payer));
    const error = await refusal(
      client.requestLeave({ task: Keypair.generate().publicKey, owner: payer.publicKey }).rpc(),
    );
    expect(explain(error).message).to.equal(
      `The program ${PROGRAM_ID.toBase58()} is not deployed on this chain. Deploy it, or check the network.`,
    );
  });

  it("says so when the chain can't be reached", async () => {
    const nobody = new Connection("http://127.0.0.1:1", { disableRetryOnRateLimit: true });
    const error = await refusal(nobody.getSlot());
    expect(explain(error).message).to.contain("can't be reached");
  });

  describe("of what stands around the program", () => {
    const [payer, other] = [Keypair.generate(), Keypair.generate()];
    let chain: EmbeddedChain;

    before(async () => {
      chain = EmbeddedChain.start();
      await chain.fund(payer.publicKey, 10_000_000_000n);
    });

    const refusedFor = async (
      instructions: readonly TransactionInstruction[],
      ...signers: readonly Keypair[]
    ): Promise<Explanation> => {
      const transaction = new Transaction().add(...instructions);
      return explain(await refusal(chain.send(transaction, [payer, ...signers])));
    };
    const pay = (from: Keypair, lamports: bigint): TransactionInstruction =>
      SystemProgram.transfer({
        fromPubkey: from.publicKey,
        toPubkey: Keypair.generate().publicKey,
        lamports,
      });

    it("names the account that would be left with too little", async () => {
      const gift = pay(payer, 1n);
      const { reason, message } = await refusedFor([gift]);
      expect(reason).to.equal("lackOfSol");
      expect(message).to.include(String(gift.keys[1]?.pubkey.toBase58())).and.include("890,880");
    });

    it("names the payer that has nothing, and says how much is missing", async () => {
      const none = await refusal(chain.send(new Transaction().add(pay(other, 1n)), [other]));
      expect(explain(none).message).to.include(other.publicKey.toBase58());
      expect(explain(none).reason).to.equal("lackOfSol");
      const { message } = await refusedFor([pay(payer, 99_000_000_000n)]);
      expect(message).to.match(/it has \d+ lamports, and 99000000000 are needed/);
    });

    it("knows a payer that carries data", async () => {
      const nonce = Keypair.generate();
      await chain.send(
        new Transaction().add(
          SystemProgram.createAccount({
            fromPubkey: payer.publicKey,
            newAccountPubkey: nonce.publicKey,
            lamports: 1_000_000_000,
            space: 80,
            programId: SystemProgram.programId,
          }),
        ),
        [payer, nonce],
      );
      const { reason, message } = await refusedFor([pay(nonce, 1_000_000n)], nonce);
      expect(reason).to.equal("carriesData");
      expect(message).to.include("holds data").and.include("--payer");
    });

    it("knows token accounts that are frozen, that want a memo, and that are guarded", async () => {
      const mint = await createMint(
        chain.connection,
        payer,
        payer.publicKey,
        payer.publicKey,
        0,
        undefined,
        undefined,
        TOKEN_2022_PROGRAM_ID,
      );
      const make = async (...extensions: ExtensionType[]): Promise<Keypair> => {
        const account = Keypair.generate();
        const space = getAccountLen(extensions);
        const made = {
          ...{ fromPubkey: payer.publicKey, newAccountPubkey: account.publicKey, space },
          lamports: Number(await chain.rentMinimum(space)),
          programId: TOKEN_2022_PROGRAM_ID,
        };
        const open = createInitializeAccount3Instruction(
          account.publicKey,
          mint,
          payer.publicKey,
          TOKEN_2022_PROGRAM_ID,
        );
        const memo = createEnableRequiredMemoTransfersInstruction(
          account.publicKey,
          payer.publicKey,
        );
        const enable = extensions.includes(ExtensionType.MemoTransfer) ? [memo] : [];
        await chain.send(
          new Transaction().add(SystemProgram.createAccount(made), open, ...enable),
          [payer, account],
        );
        return account;
      };
      const [rich, picky] = [await make(), await make(ExtensionType.MemoTransfer)];
      const program = TOKEN_2022_PROGRAM_ID;
      const mintTo = createMintToInstruction(mint, rich.publicKey, payer.publicKey, 5, [], program);
      await chain.send(new Transaction().add(mintTo), [payer]);
      const move = (amount: number, to = picky.publicKey): TransactionInstruction =>
        createTransferCheckedInstruction(
          rich.publicKey,
          mint,
          to,
          payer.publicKey,
          amount,
          0,
          [],
          program,
        );
      expect((await refusedFor([move(1)])).reason).to.equal("memoMissing");
      expect((await refusedFor([move(9, (await make()).publicKey)])).reason).to.equal(
        "lackOfTokens",
      );
      const freeze = createFreezeAccountInstruction(
        rich.publicKey,
        mint,
        payer.publicKey,
        [],
        program,
      );
      expect((await refusedFor([freeze, move(1)])).reason).to.equal("frozen");
      const guarded = explain(logged(program.toBase58(), "custom program error: 0x2a"));
      expect(guarded.reason).to.equal("cpiGuard");
      expect(guarded.message).to.include("spl-token disable-cpi-guard");
    });

    it("says whose account it is where the program's instruction is known", () => {
      const task = { address: other.publicKey, mint: WRAPPED_SOL };
      const builder = new SecuringTasksClient(chain.provider(payer)).withdraw({
        ...{ task, owner: payer.publicKey, destination: PROGRAM_ID },
      });
      return builder.instruction().then((instruction) => {
        const transaction = new Transaction().add(instruction);
        transaction.feePayer = payer.publicKey;
        transaction.recentBlockhash = PROGRAM_ID.toBase58();
        const logs = [
          `Program ${TOKEN_2022_PROGRAM_ID.toBase58()} failed: custom program error: 0x24`,
        ];
        const error = refused("send", { InstructionError: [0, { Custom: 0x24 }] }, logs, {
          message: transaction.compileMessage(),
        });
        expect(explain(error).message).to.include(`The token account ${PROGRAM_ID.toBase58()}`);
      });
    });

    it("sorts what servers say, in whatever words", () => {
      const said: readonly (readonly [string, string])[] = [
        ["429 Too Many Requests: {}", "busy"],
        ["fetch failed: example.org answered with status 429", "busy"],
        ["fetch failed: the RPC server answered 429", "busy"],
        ["failed to get signature status: Too many requests for a specific RPC call", "busy"],
        ["503 Service Unavailable: ", "badServer"],
        ["fetch failed: example.org answered with status 502", "badServer"],
        ["Unexpected token '<', \"<html><bod\"... is not valid JSON", "badServer"],
        ["Unexpected end of JSON input", "badServer"],
        ["failed to send transaction: Node is behind by 150 slots", "badServer"],
        [
          "Expected the value to satisfy a union of `type | type`, but received: [object Object]",
          "badServer",
        ],
        ["fetch failed: ECONNREFUSED", "unreachable"],
        ["read ECONNRESET", "unreachable"],
      ];
      for (const [text, reason] of said) {
        expect(explain(new Error(text)).reason, text).to.equal(reason);
        expect(isServerTrouble(new Error("Odd.", { cause: new Error(text) })), text).to.equal(true);
      }
      for (const text of ["custom program error: 0x1ad", "at slot 429", "Odd."]) {
        expect(isServerTrouble(new Error(text)), text).to.equal(false);
      }
    });

    it("never calls anything unsent that it can't know to be", () => {
      for (const text of [
        "Transaction simulation failed: Blockhash not found",
        "BlockhashNotFound",
        "Signature 5x has expired: block height exceeded.",
        "Transaction was not confirmed in 30.00 seconds. It is unknown if it succeeded or failed.",
      ]) {
        const { reason, message } = explain(new Error(text));
        expect(reason, text).to.equal("blockhash");
        expect(message)
          .to.include("before you send")
          .and.not.match(/never will be/);
      }
    });
  });

  it("hands on what it does not know", () => {
    const words = "Something else.\nWith details.";
    expect(explain(new Error(words)).message).to.equal(words);
    expect(explain("a string").message).to.equal("a string");
  });
});
