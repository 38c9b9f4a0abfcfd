import type { MintInfo } from "@securing-tasks/client";
import {
  WRAPPED_SOL,
  fetchMint,
  shownDifferently,
  tokenAccountOf,
  unwrapSol,
  wrapMissingSol,
  wrapSol,
  wrappedSol,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import {
  AuthorityType,
  ExtensionType,
  TOKEN_2022_PROGRAM_ID,
  createInitializeInterestBearingMintInstruction,
  createInitializeMint2Instruction,
  createInitializeScaledUiAmountConfigInstruction,
  createSetAuthorityInstruction,
  getMintLen,
} from "@solana/spl-token";
import type { PublicKey, TransactionInstruction } from "@solana/web3.js";
import { Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import { refusal } from "../../../tests/utils/refusal";

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

describe("wrapped SOL that is there", () => {
  it("counts before more is wrapped", async () => {
    const chain = EmbeddedChain.start();
    const { connection } = chain;
    const owner = Keypair.generate();
    await chain.fund(owner.publicKey, 10n * SOL);
    const wrap = async (amount: bigint): Promise<void> => {
      const lacking = await wrapMissingSol(connection, owner.publicKey, amount);
      if (lacking.length > 0) await chain.send(new Transaction().add(...lacking), [owner]);
    };
    expect(await wrappedSol(connection, owner.publicKey)).to.equal(null);
    for (const [amount, held] of [
      [SOL, SOL],
      [3n * SOL, 3n * SOL],
      [3n * SOL, 3n * SOL],
      [1n, 3n * SOL],
      [3n * SOL + 1n, 3n * SOL + 1n],
    ] as const) {
      await wrap(amount);
      expect(await wrappedSol(connection, owner.publicKey)).to.equal(held);
    }
  });

  it("is not counted, nor added to, where the account was given away", async () => {
    const chain = EmbeddedChain.start();
    const { connection } = chain;
    const owner = Keypair.generate();
    const other = Keypair.generate().publicKey;
    await chain.fund(owner.publicKey, 10n * SOL);
    await chain.send(new Transaction().add(...wrapSol(owner.publicKey, SOL)), [owner]);
    const account = tokenAccountOf(WRAPPED_SOL, owner.publicKey);
    const give = createSetAuthorityInstruction(
      account,
      owner.publicKey,
      AuthorityType.AccountOwner,
      other,
    );
    await chain.send(new Transaction().add(give), [owner]);
    for (const ask of [
      wrappedSol(connection, owner.publicKey),
      wrapMissingSol(connection, owner.publicKey, 5n * SOL),
    ]) {
      const { message } = await refusal(ask);
      for (const key of [account, owner.publicKey, other]) {
        expect(message).to.contain(key.toBase58());
      }
    }
  });

  it("is none where somebody sent SOL to the address alone", async () => {
    const chain = EmbeddedChain.start();
    const owner = Keypair.generate();
    await chain.fund(tokenAccountOf(WRAPPED_SOL, owner.publicKey), SOL);
    expect(await wrappedSol(chain.connection, owner.publicKey)).to.equal(null);
  });
});

describe("fetchMint", () => {
  const chain = EmbeddedChain.start();

  it("reads wrapped SOL", async () => {
    expect(await fetchMint(chain.connection, WRAPPED_SOL.address)).to.deep.equal(WRAPPED_SOL);
  });

  it("knows mints of which wallets show another amount", async () => {
    const payer = Keypair.generate();
    await chain.fund(payer.publicKey, 10n * SOL);
    const key = payer.publicKey;
    const make = async (
      extension: ExtensionType,
      enable: (mint: PublicKey) => TransactionInstruction,
    ): Promise<MintInfo> => {
      const mint = Keypair.generate();
      const space = getMintLen([extension]);
      const account = SystemProgram.createAccount({
        ...{ fromPubkey: key, newAccountPubkey: mint.publicKey, space },
        lamports: Number(await chain.rentMinimum(space)),
        programId: TOKEN_2022_PROGRAM_ID,
      });
      const begin = createInitializeMint2Instruction(
        mint.publicKey,
        6,
        key,
        null,
        TOKEN_2022_PROGRAM_ID,
      );
      const all = [account, enable(mint.publicKey), begin];
      await chain.send(new Transaction().add(...all), [payer, mint]);
      return fetchMint(chain.connection, mint.publicKey);
    };
    const scaled = await make(ExtensionType.ScaledUiAmountConfig, (mint) =>
      createInitializeScaledUiAmountConfigInstruction(mint, key, 2, TOKEN_2022_PROGRAM_ID),
    );
    const interest = await make(ExtensionType.InterestBearingConfig, (mint) =>
      createInitializeInterestBearingMintInstruction(mint, key, 500, TOKEN_2022_PROGRAM_ID),
    );
    expect([scaled.shown, interest.shown]).to.deep.equal(["scaled", "interest"]);
    expect(shownDifferently(scaled)).to.include("factor").and.include("base units");
    expect(shownDifferently(interest)).to.include("interest").and.include("base units");
    expect(shownDifferently(WRAPPED_SOL)).to.equal(null);
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
