import type { Chain } from "@securing-tasks/client";
import { createTokenAccount, tokenAccountOf } from "@securing-tasks/client";
import {
  ExtensionType,
  TOKEN_2022_PROGRAM_ID,
  TOKEN_PROGRAM_ID,
  createInitializeGroupInstruction,
  createInitializeGroupMemberPointerInstruction,
  createInitializeGroupPointerInstruction,
  createInitializeMemberInstruction,
  createInitializeMint2Instruction,
  createMintToInstruction,
  createTransferInstruction,
  getMintLen,
} from "@solana/spl-token";
import type { PublicKey, TransactionInstruction } from "@solana/web3.js";
import { Keypair, SystemProgram, Transaction } from "@solana/web3.js";

const SOL = 1_000_000_000n;
/** Room in an account for what an extension adds to it later. */
const EXTENSION_RENT = 2_000_000n;

/** Makes mints, and gives their tokens away. */
export class Minter {
  private constructor(
    private readonly chain: Chain,
    private readonly key: Keypair,
  ) {}

  static async start(chain: Chain): Promise<Minter> {
    const key = Keypair.generate();
    await chain.fund(key.publicKey, SOL);
    return new Minter(chain, key);
  }

  async mint(
    program = TOKEN_PROGRAM_ID,
    extension?: ExtensionType,
    before: (mint: PublicKey) => TransactionInstruction[] = (): TransactionInstruction[] => [],
    after: (mint: PublicKey) => TransactionInstruction[] = (): TransactionInstruction[] => [],
  ): Promise<PublicKey> {
    const mint = Keypair.generate();
    const space = getMintLen(extension === undefined ? [] : [extension]);
    await this.chain.send(
      new Transaction().add(
        SystemProgram.createAccount({
          fromPubkey: this.key.publicKey,
          newAccountPubkey: mint.publicKey,
          lamports: Number((await this.chain.rentMinimum(space)) + EXTENSION_RENT),
          space,
          programId: program,
        }),
        ...before(mint.publicKey),
        createInitializeMint2Instruction(mint.publicKey, 0, this.key.publicKey, null, program),
        ...after(mint.publicKey),
      ),
      [this.key, mint],
    );
    return mint.publicKey;
  }

  /** A mint that is a group. */
  group(): Promise<PublicKey> {
    const authority = this.key.publicKey;
    return this.mint(
      TOKEN_2022_PROGRAM_ID,
      ExtensionType.GroupPointer,
      (mint) => [createInitializeGroupPointerInstruction(mint, authority, mint)],
      (mint) => [
        createInitializeGroupInstruction({
          programId: TOKEN_2022_PROGRAM_ID,
          group: mint,
          mint,
          mintAuthority: authority,
          updateAuthority: authority,
          maxSize: 10n,
        }),
      ],
    );
  }

  /** A mint that is a member of a group. */
  member(group: PublicKey): Promise<PublicKey> {
    const authority = this.key.publicKey;
    return this.mint(
      TOKEN_2022_PROGRAM_ID,
      ExtensionType.GroupMemberPointer,
      (mint) => [createInitializeGroupMemberPointerInstruction(mint, authority, mint)],
      (mint) => [
        createInitializeMemberInstruction({
          programId: TOKEN_2022_PROGRAM_ID,
          member: mint,
          memberMint: mint,
          memberMintAuthority: authority,
          group,
          groupUpdateAuthority: authority,
        }),
      ],
    );
  }

  async give(
    mint: PublicKey,
    owner: PublicKey,
    amount: bigint,
    tokenProgram = TOKEN_PROGRAM_ID,
  ): Promise<void> {
    const of = { address: mint, tokenProgram };
    await this.chain.send(
      new Transaction().add(
        createTokenAccount(of, owner, this.key.publicKey),
        createMintToInstruction(
          mint,
          tokenAccountOf(of, owner),
          this.key.publicKey,
          amount,
          [],
          tokenProgram,
        ),
      ),
      [this.key],
    );
  }

  /** Takes tokens from an owner. */
  async take(mint: PublicKey, owner: Keypair, amount: bigint): Promise<void> {
    const of = { address: mint, tokenProgram: TOKEN_PROGRAM_ID };
    await this.chain.send(
      new Transaction().add(
        createTokenAccount(of, this.key.publicKey),
        createTransferInstruction(
          tokenAccountOf(of, owner.publicKey),
          tokenAccountOf(of, this.key.publicKey),
          owner.publicKey,
          amount,
        ),
      ),
      [this.key, owner],
    );
  }
}
