import { WRAPPED_SOL, fetchMint, tokenAccountOf, unwrapSol, wrapSol } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";

const SOL = 1_000_000_000n;

describe("wrapped SOL", () => {
  it("wraps twice into one account and unwraps all of it", async () => {
    const chain = EmbeddedChain.start();
    const owner = Keypair.generate();
    await chain.fund(owner.publicKey, 10n * SOL);
    const account = tokenAccountOf(WRAPPED_SOL, owner.publicKey);

    await chain.send(new Transaction().add(...wrapSol(owner.publicKey, SOL)), [owner]);
    await chain.send(new Transaction().add(...wrapSol(owner.publicKey, SOL)), [owner]);
    const { value } = await chain.connection.getTokenAccountBalance(account);
    expect(value.amount).to.equal((2n * SOL).toString());

    await chain.send(new Transaction().add(...unwrapSol(owner.publicKey)), [owner]);
    expect(await chain.account(account)).to.equal(null);
    expect(await chain.connection.getBalance(owner.publicKey)).to.equal(
      Number(10n * SOL - 3n * 5000n),
    );
  });
});

describe("fetchMint", () => {
  const chain = EmbeddedChain.start();

  it("reads wrapped SOL", async () => {
    expect(await fetchMint(chain.connection, WRAPPED_SOL.address)).to.deep.equal(WRAPPED_SOL);
  });

  it("says so when there is no mint", async () => {
    const nowhere = Keypair.generate().publicKey;
    const message = await fetchMint(chain.connection, nowhere).catch(String);
    expect(message).to.contain(`There is no mint at ${nowhere.toBase58()}`);
  });

  it("says so when it is something else", async () => {
    const message = await fetchMint(chain.connection, SystemProgram.programId).catch(String);
    expect(message).to.contain("is not a mint");
  });
});
