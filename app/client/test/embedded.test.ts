import { EmbeddedChain } from "@securing-tasks/client/embedded";
import {
  ASSOCIATED_TOKEN_PROGRAM_ID,
  NATIVE_MINT,
  TOKEN_2022_PROGRAM_ID,
  TOKEN_PROGRAM_ID,
  createAssociatedTokenAccountInstruction,
  createMint,
  createSyncNativeInstruction,
  getAssociatedTokenAddressSync,
  createAssociatedTokenAccount,
  getAccount,
  mintTo,
} from "@solana/spl-token";
import { Keypair, SystemProgram, Transaction, VersionedTransaction } from "@solana/web3.js";
import { expect } from "chai";
import { refusal } from "../../../tests/utils/refusal";

const SOL = 1_000_000_000n;

function transfer(from: Keypair, to: Keypair, lamports: bigint): Transaction {
  return new Transaction().add(
    SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey: to.publicKey, lamports }),
  );
}

describe("EmbeddedChain", () => {
  let chain: EmbeddedChain;
  let payer: Keypair;
  const other = Keypair.generate();

  beforeEach(async () => {
    chain = EmbeddedChain.start();
    payer = Keypair.generate();
    await chain.fund(payer.publicKey, 10n * SOL);
  });

  it("funds, transfers, and tells what a transaction cost", async () => {
    const outcome = await chain.send(transfer(payer, other, SOL), [payer]);
    expect(outcome.logs).to.have.length(2);
    expect(outcome.computeUnits).to.equal(150n);
    expect(await chain.connection.getBalance(other.publicKey)).to.equal(Number(SOL));
    expect(await chain.connection.getBalance(payer.publicKey)).to.equal(Number(9n * SOL) - 5000);
  });

  it("executes equal transactions as often as they are sent", async () => {
    await chain.send(transfer(payer, other, SOL), [payer]);
    await chain.send(transfer(payer, other, SOL), [payer]);
    const provider = chain.provider(payer);
    const signatures = await Promise.all(
      [1, 2, 3].map(() => provider.sendAndConfirm(transfer(payer, other, SOL))),
    );
    expect(new Set(signatures).size).to.equal(3);
    expect(await chain.connection.getBalance(other.publicKey)).to.equal(Number(5n * SOL));
  });

  it("refuses the same signed transaction a second time", async () => {
    const signed = transfer(payer, other, SOL);
    signed.recentBlockhash = (await chain.connection.getLatestBlockhash()).blockhash;
    signed.sign(payer);
    await chain.connection.sendRawTransaction(signed.serialize());
    const error = await refusal(chain.connection.sendRawTransaction(signed.serialize()));
    expect(error.message).to.contain("This transaction has already been processed");
  });

  it("takes a blockhash for 150 slots and not one more", async () => {
    const { blockhash } = await chain.connection.getLatestBlockhash();
    const signed = (lamports: bigint): Buffer => {
      const transaction = transfer(payer, other, lamports);
      transaction.recentBlockhash = blockhash;
      transaction.sign(payer);
      return transaction.serialize();
    };
    await chain.waitForSlot((await chain.slot()) + 150n);
    await chain.connection.sendRawTransaction(signed(SOL));
    await chain.waitForSlot((await chain.slot()) + 1n);
    const error = await refusal(chain.connection.sendRawTransaction(signed(2n * SOL)));
    expect(error.message).to.contain("Blockhash not found");
  });

  it("refuses as a validator does: code, reason and logs, and no fee", async () => {
    const error = await refusal(chain.send(transfer(payer, other, 11n * SOL), [payer]));
    expect(error.message).to.contain("Error processing Instruction 0: custom program error: 0x1");
    expect(error.logs?.join("\n")).to.contain("insufficient lamports");
    expect(await chain.connection.getBalance(payer.publicKey)).to.equal(Number(10n * SOL));
  });

  it("keeps the outcome of a transaction that was sent unchecked and failed", async () => {
    const error = await refusal(
      chain
        .provider(payer)
        .sendAndConfirm(transfer(payer, other, 11n * SOL), [], { skipPreflight: true }),
    );
    expect(error.message).to.contain("Error processing Instruction 0: custom program error: 0x1");
    expect(error.logs?.join("\n")).to.contain("insufficient lamports");
    expect(await chain.connection.getBalance(payer.publicKey)).to.equal(Number(10n * SOL) - 5000);
  });

  it("simulates without a signature and without effect", async () => {
    const good = await chain.provider(payer).simulate(transfer(payer, other, SOL));
    expect(good.logs).to.have.length(2);
    const bad = await chain.connection.simulateTransaction(
      new VersionedTransaction(
        Object.assign(transfer(payer, other, 11n * SOL), {
          feePayer: payer.publicKey,
          recentBlockhash: (await chain.connection.getLatestBlockhash()).blockhash,
        }).compileMessage(),
      ),
    );
    expect(bad.value.err).to.deep.equal({ InstructionError: [0, { Custom: 1 }] });
    expect(await chain.connection.getBalance(payer.publicKey)).to.equal(Number(10n * SOL));
  });

  it("moves its clock forward only, and at once", async () => {
    const start = await chain.slot();
    expect(await chain.waitForSlot(start + 100_000n)).to.equal(start + 100_000n);
    expect(await chain.waitForSlot(start)).to.equal(start + 100_000n);
  });

  it("names a request that it cannot answer", async () => {
    const error = await refusal(chain.connection.getInflationRate());
    expect(error.message).to.contain("The embedded chain does not answer getInflationRate.");
  });

  it("keeps 10,000 bytes of a log, and every instruction all the same", async () => {
    const account = getAssociatedTokenAddressSync(NATIVE_MINT, payer.publicKey);
    const { publicKey } = payer;
    const make = createAssociatedTokenAccountInstruction(
      publicKey,
      account,
      publicKey,
      NATIVE_MINT,
    );
    const made = await chain.send(new Transaction().add(make), [payer]);
    const [top, ...inner] = made.programs ?? [];
    expect(top?.equals(ASSOCIATED_TOKEN_PROGRAM_ID)).to.equal(true);
    expect(inner.map((program) => program.toBase58()).sort()).to.deep.equal(
      [SystemProgram.programId, ...Array.from({ length: 3 }, () => TOKEN_PROGRAM_ID)]
        .map((program) => program.toBase58())
        .sort(),
    );
    const bytes = (logs: readonly string[]): number => logs.join("").length;
    const sync = (times: number): Transaction =>
      new Transaction().add(
        ...Array.from({ length: times }, () => createSyncNativeInstruction(account)),
      );
    const short = await chain.send(sync(47), [payer]);
    expect(short.logs).to.have.length(3 * 47);
    const long = await chain.send(sync(60), [payer]);
    expect(long.programs).to.have.length(60);
    expect(long.logs.filter((line) => line === "Log truncated")).to.have.length(1);
    const kept = long.logs.filter((line) => line !== "Log truncated");
    expect(bytes(kept)).to.be.lessThan(10_000);
    expect(bytes(kept) + "Program data:".length * 10).to.be.greaterThan(bytes(short.logs));
  });

  for (const [name, program] of [
    ["Token", TOKEN_PROGRAM_ID],
    ["Token-2022", TOKEN_2022_PROGRAM_ID],
  ] as const) {
    it(`serves the token library with ${name}`, async () => {
      const { connection } = chain;
      const mint = await createMint(
        connection,
        payer,
        payer.publicKey,
        null,
        6,
        undefined,
        undefined,
        program,
      );
      const account = await createAssociatedTokenAccount(
        connection,
        payer,
        mint,
        payer.publicKey,
        undefined,
        program,
      );
      await mintTo(connection, payer, mint, account, payer, 1_500_000n, [], undefined, program);
      expect((await getAccount(connection, account, undefined, program)).amount).to.equal(
        1_500_000n,
      );
      const { value } = await connection.getTokenAccountBalance(account);
      expect(value).to.deep.equal({
        amount: "1500000",
        decimals: 6,
        uiAmount: 1.5,
        uiAmountString: "1.5",
      });
      const held = await connection.getProgramAccounts(program, {
        filters: [
          { memcmp: { offset: 0, bytes: mint.toBase58() } },
          { memcmp: { offset: 32, bytes: payer.publicKey.toBase58() } },
        ],
        dataSlice: { offset: 64, length: 8 },
      });
      expect(held.map(({ pubkey }) => pubkey.toBase58())).to.deep.equal([account.toBase58()]);
      expect(held[0]?.account.data.readBigUInt64LE()).to.equal(1_500_000n);

      const nowhere = Keypair.generate().publicKey;
      const [there, missing] = await connection.getMultipleAccountsInfo([account, nowhere]);
      expect(there?.owner.equals(program)).to.equal(true);
      expect(missing).to.equal(null);
      const ofSize = async (dataSize: number): Promise<number> =>
        (await connection.getProgramAccounts(program, { filters: [{ dataSize }] })).length;
      expect(await ofSize(there?.data.length ?? 0)).to.be.greaterThan(0);
      expect(await ofSize(1)).to.equal(0);
    });
  }
});
