import type {
  Accusation,
  Opinion,
  SecuringTasks,
  SecuringTasksClient,
} from "@securing-tasks/client";
import { OPINIONS } from "@securing-tasks/client";
import type { AccountMeta, PublicKey } from "@solana/web3.js";
import { SystemProgram, TransactionInstruction } from "@solana/web3.js";

/*
 * The instructions that a simulation sends by the hundred thousand. The client's builders look for accounts and check every argument, which
 * takes longer than the program does; here all addresses are known. A test compares each with the client's.
 */

type InstructionName = SecuringTasks["instructions"][number]["name"];

interface Slot {
  readonly name: string;
  readonly writable: boolean;
  readonly signer: boolean;
  readonly optional: boolean;
}

interface Frame {
  readonly discriminator: Buffer;
  readonly slots: readonly Slot[];
}

/** Addresses by their names in the program. What is left out must be optional, or the system program. */
type Named = Readonly<Record<string, PublicKey>>;

/** What is signed for by a node's operator, who pays the rent too. */
export interface Signing {
  readonly operator: PublicKey;
  readonly task: PublicKey;
}

export interface BallotAccounts extends Signing {
  readonly audit: PublicKey;
  readonly node: PublicKey;
  readonly vote: PublicKey;
}

export interface AuditAccounts {
  readonly task: PublicKey;
  readonly submission: PublicKey;
  readonly round: PublicKey;
  readonly accused: PublicKey;
  readonly initiator: PublicKey;
  readonly audit: PublicKey;
}

const NO_HASH = new Uint8Array(32);

/** Makes instructions of tasks with open gates. */
export class Encoder {
  private readonly frames: ReadonlyMap<string, Frame>;
  private readonly programId: PublicKey;

  constructor({ program }: Pick<SecuringTasksClient, "program">) {
    this.programId = program.programId;
    this.frames = new Map(
      program.idl.instructions.map(({ name, discriminator, accounts }) => [
        name,
        {
          discriminator: Buffer.from(discriminator),
          slots: accounts.map((account): Slot => {
            const { writable, signer, optional } = account as Partial<Slot>;
            return {
              name: account.name,
              writable: writable ?? false,
              signer: signer ?? false,
              optional: optional ?? false,
            };
          }),
        },
      ]),
    );
  }

  submitWork(
    accounts: Signing & {
      readonly node: PublicKey;
      readonly round: PublicKey;
      readonly submission: PublicKey;
    },
    round: bigint,
    payloadHash: Uint8Array,
    payloadUri: string,
  ): TransactionInstruction {
    const number = Buffer.alloc(8);
    number.writeBigUInt64LE(round);
    return this.encode("submitWork", paid(accounts), number, payloadHash, text(payloadUri));
  }

  openAudit(
    accounts: Signing & AuditAccounts,
    accusation: Accusation,
    secretHash: Uint8Array = NO_HASH,
  ): TransactionInstruction {
    return this.encode(
      "openAudit",
      paid(accounts),
      code(accusation),
      secretHash,
      NO_HASH,
      text(""),
    );
  }

  drawPanel(audit: PublicKey, secret: Uint8Array): TransactionInstruction {
    return this.encode("drawPanel", { audit }, secret);
  }

  castVote(accounts: BallotAccounts, opinion: Opinion): TransactionInstruction {
    return this.encode("castVote", paid(accounts), code(opinion));
  }

  commitVote(accounts: BallotAccounts, commitment: Uint8Array): TransactionInstruction {
    return this.encode("commitVote", paid(accounts), commitment);
  }

  revealVote(
    { audit, node, vote }: Pick<BallotAccounts, "audit" | "node" | "vote">,
    opinion: Opinion,
    salt: Uint8Array,
  ): TransactionInstruction {
    return this.encode("revealVote", { audit, node, vote }, code(opinion), salt);
  }

  /** Of an audit that nobody appealed. */
  resolveAudit(accounts: AuditAccounts): TransactionInstruction {
    return this.encode("resolveAudit", { ...accounts });
  }

  claimVote({ task, audit, vote, node }: Omit<BallotAccounts, "operator">): TransactionInstruction {
    return this.encode("claimVote", { task, audit, vote, node });
  }

  claimBounty(accounts: {
    readonly task: PublicKey;
    readonly round: PublicKey;
    readonly submission: PublicKey;
    readonly node: PublicKey;
  }): TransactionInstruction {
    return this.encode("claimBounty", { ...accounts });
  }

  closeVote(accounts: {
    readonly audit: PublicKey;
    readonly node: PublicKey;
    readonly vote: PublicKey;
    readonly payer: PublicKey;
  }): TransactionInstruction {
    return this.encode("closeVote", { ...accounts });
  }

  closeAudit(accounts: {
    readonly submission: PublicKey;
    readonly initiator: PublicKey;
    readonly audit: PublicKey;
    readonly payer: PublicKey;
  }): TransactionInstruction {
    return this.encode("closeAudit", { ...accounts });
  }

  closeSubmission(accounts: {
    readonly task: PublicKey;
    readonly round: PublicKey;
    readonly node: PublicKey;
    readonly submission: PublicKey;
    readonly payer: PublicKey;
  }): TransactionInstruction {
    return this.encode("closeSubmission", { ...accounts });
  }

  closeRound(accounts: {
    readonly task: PublicKey;
    readonly round: PublicKey;
    readonly payer: PublicKey;
  }): TransactionInstruction {
    return this.encode("closeRound", { ...accounts });
  }

  private encode(
    name: InstructionName,
    accounts: Named,
    ...data: readonly Uint8Array[]
  ): TransactionInstruction {
    const frame = this.frames.get(name);
    if (!frame) throw new Error(`The program has no instruction ${name}.`);
    const keys = frame.slots.map(({ name: slot, signer, writable, optional }): AccountMeta => {
      const given = accounts[slot];
      if (given) return { pubkey: given, isSigner: signer, isWritable: writable };
      // An account that is left out is written as the program's own address.
      const pubkey = optional ? this.programId : SystemProgram.programId;
      return { pubkey, isSigner: false, isWritable: false };
    });
    return new TransactionInstruction({
      programId: this.programId,
      keys,
      data: Buffer.concat([frame.discriminator, ...data]),
    });
  }
}

function paid(accounts: Signing): Named {
  return { payer: accounts.operator, ...accounts };
}

function code(opinion: Opinion): Uint8Array {
  return Uint8Array.of(OPINIONS.indexOf(opinion));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}
