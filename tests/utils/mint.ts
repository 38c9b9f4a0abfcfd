import type { Chain } from "@securing-tasks/client";
import { createTokenAccount, tokenAccountOf } from "@securing-tasks/client";
import {
  MINT_SIZE,
  TOKEN_PROGRAM_ID,
  createInitializeMint2Instruction,
  createMintToInstruction,
} from "@solana/spl-token";
import type { PublicKey } from "@solana/web3.js";
import { Keypair, SystemProgram, Transaction } from "@solana/web3.js";

/**
 * A mint of a test's own. Sent by the chain, not by the token library's actions: those go by a blockhash that web3.js keeps for 30 seconds,
 * and where slots take 50 ms it is too old after 7.
 */
export class TestMint {
  readonly tokenProgram = TOKEN_PROGRAM_ID;

  private constructor(
    private readonly chain: Chain,
    /** Pays for everything, and may mint. */
    private readonly bank: Keypair,
    readonly address: PublicKey,
  ) {}

  static async make(chain: Chain, bank: Keypair, decimals: number): Promise<TestMint> {
    const mint = Keypair.generate();
    await chain.send(
      new Transaction().add(
        SystemProgram.createAccount({
          fromPubkey: bank.publicKey,
          newAccountPubkey: mint.publicKey,
          lamports: Number(await chain.rentMinimum(MINT_SIZE)),
          space: MINT_SIZE,
          programId: TOKEN_PROGRAM_ID,
        }),
        createInitializeMint2Instruction(mint.publicKey, decimals, bank.publicKey, null),
      ),
      [bank, mint],
    );
    return new TestMint(chain, bank, mint.publicKey);
  }

  /** Mints into an owner's account, which is made where there is none. Base units. */
  async give(owner: PublicKey, amount: bigint): Promise<void> {
    const { address, bank } = this;
    const account = tokenAccountOf(this, owner);
    await this.chain.send(
      new Transaction().add(
        createTokenAccount(this, owner, bank.publicKey),
        createMintToInstruction(address, account, bank.publicKey, amount),
      ),
      [bank],
    );
  }
}
