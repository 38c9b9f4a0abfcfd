import type { Chain } from "@securing-tasks/client";
import { giveTokens, newMint } from "@securing-tasks/demo/game";
import { TOKEN_PROGRAM_ID } from "@solana/spl-token";
import type { Keypair, PublicKey } from "@solana/web3.js";
import { Transaction } from "@solana/web3.js";

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
    return new TestMint(chain, bank, await newMint(chain, bank, decimals));
  }

  /** Mints into an owner's account, which is made where there is none. Base units. */
  async give(owner: PublicKey, amount: bigint): Promise<void> {
    const gift = giveTokens(this, this.bank.publicKey, owner, amount);
    await this.chain.send(new Transaction().add(...gift), [this.bank]);
  }
}
