import { PROGRAM_ID, REFUSAL_CODES, SecuringTasksClient, explain } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { ProgramError } from "@coral-xyz/anchor";
import { TOKEN_PROGRAM_ID } from "@solana/spl-token";
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

  it("hands on what it does not know", () => {
    const words = "Something else.\nWith details.";
    expect(explain(new Error(words)).message).to.equal(words);
    expect(explain("a string").message).to.equal("a string");
  });
});
