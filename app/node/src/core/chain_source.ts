import { utils } from "@coral-xyz/anchor";
import type { SecuringTasksClient } from "@securing-tasks/client";
import { decodeAccount } from "@securing-tasks/client";
import type { AccountInfo, GetProgramAccountsFilter } from "@solana/web3.js";
import type { PublicKey } from "@solana/web3.js";
import type { Found, Kind, Query, Seen } from "./kept";
import { nameOf } from "./kept";
import type { Source } from "./view";

/** Most addresses in one request. */
const BATCH = 100;

/** Where fields are that lists are asked by, in bytes; a discriminator of 8 is in front. Behind it all begin with the account they are of. */
export const OFFSETS = {
  of: 8,
  audit: { submission: 40, initiator: 72, payer: 136, liveVotes: 452, outcome: 483 },
  vote: { owner: 40 },
  submission: { owner: 40, round: 266 },
  round: { payer: 40 },
  node: { owner: 40, role: 608 },
} as const;

/** One zero byte, in base58: the first of the words that the program stores as numbers. */
const FIRST_WORD = "1";
/** Four of them. */
const NONE_U32 = "1111";

type Bytes = { readonly offset: number; readonly bytes: string };

/** Accounts of a kind. */
export function ofKind({ program }: SecuringTasksClient, kind: Kind): GetProgramAccountsFilter {
  return { memcmp: program.coder.accounts.memcmp(kind) as Bytes };
}

export function at(offset: number, key: PublicKey | string): GetProgramAccountsFilter {
  return { memcmp: { offset, bytes: typeof key === "string" ? key : nameOf(key) } };
}

/**
 * Audits of a task in which there is no vote: they are told when they are opened, and when their panel is drawn. What votes do to an audit is not:
 * of a thousand voters there would be thousands of words.
 */
export function untouchedAudits(
  client: SecuringTasksClient,
  task: PublicKey,
): GetProgramAccountsFilter[] {
  return [ofKind(client, "audit"), at(OFFSETS.of, task), at(OFFSETS.audit.liveVotes, NONE_U32)];
}

/** Reads accounts of the program over RPC, each as of which slot it is. */
export class ChainSource implements Source {
  constructor(
    private readonly client: SecuringTasksClient,
    private readonly task: PublicKey,
    readonly askAnother: () => void = () => undefined,
  ) {}

  async accounts(addresses: readonly PublicKey[], minSlot?: bigint): Promise<Seen[]> {
    const { connection } = this.client.program.provider;
    const found: Seen[] = [];
    for (let start = 0; start < addresses.length; start += BATCH) {
      const batch = addresses.slice(start, start + BATCH);
      const { context, value } = await connection.getMultipleAccountsInfoAndContext(batch, {
        commitment: "confirmed",
        ...(minSlot !== undefined && { minContextSlot: Number(minSlot) }),
      });
      const slot = BigInt(context.slot);
      batch.forEach((address, index) => {
        found.push(this.read(address, slot, value[index] ?? null));
      });
    }
    return found;
  }

  async list(query: Query, minSlot?: bigint): Promise<{ slot: bigint; seen: Seen[] }> {
    const { program } = this.client;
    const { context, value } = await program.provider.connection.getProgramAccounts(
      program.programId,
      {
        commitment: "confirmed",
        filters: this.filters(query),
        withContext: true,
        ...(minSlot !== undefined && { minContextSlot: Number(minSlot) }),
      },
    );
    const slot = BigInt(context.slot);
    return { slot, seen: value.map(({ pubkey, account }) => this.read(pubkey, slot, account)) };
  }

  /** What an account's bytes say. What is of no kind that a node has duties for, or of another task, is none. */
  read(address: PublicKey, slot: bigint, info: AccountInfo<Buffer> | null): Seen {
    const lamports = info?.lamports ?? 0;
    return { address, slot, lamports, found: info && this.decode(address, info) };
  }

  private decode(address: PublicKey, { owner, data }: AccountInfo<Buffer>): Found | null {
    const { program } = this.client;
    if (!owner.equals(program.programId)) return null;
    const known = program.idl.accounts.find(({ discriminator }) =>
      Buffer.from(discriminator).equals(data.subarray(0, 8)),
    );
    switch (known?.name) {
      case "task":
        return { kind: "task", value: decodeAccount(program, "task", address, data) };
      case "node":
        return this.own({ kind: "node", value: decodeAccount(program, "node", address, data) });
      case "round":
        return this.own({ kind: "round", value: decodeAccount(program, "round", address, data) });
      case "submission": {
        const value = decodeAccount(program, "submission", address, data);
        return this.own({ kind: "submission", value });
      }
      case "audit":
        return this.own({ kind: "audit", value: decodeAccount(program, "audit", address, data) });
      case "vote":
        return { kind: "vote", value: decodeAccount(program, "vote", address, data) };
      default:
        return null;
    }
  }

  private own(found: Exclude<Found, { readonly kind: "task" | "vote" }>): Found | null {
    return found.value.task.equals(this.task) ? found : null;
  }

  private filters(query: Query): GetProgramAccountsFilter[] {
    const { audit, vote, submission, round } = OFFSETS;
    const ours = (kind: Kind): GetProgramAccountsFilter[] => [
      ofKind(this.client, kind),
      at(OFFSETS.of, this.task),
    ];
    switch (query.of) {
      case "openAudits":
        return [...ours("audit"), at(audit.outcome, FIRST_WORD)];
      case "auditsOf":
        return [...ours("audit"), at(audit.submission, query.submission)];
      case "auditsBy":
        return [...ours("audit"), at(audit.initiator, query.initiator)];
      case "auditsPaidBy":
        return [...ours("audit"), at(audit.payer, query.payer)];
      case "votesOf":
        return [ofKind(this.client, "vote"), at(vote.owner, query.owner)];
      case "submissionsOf":
        return [...ours("submission"), at(submission.owner, query.owner)];
      case "submissionsIn":
        return [...ours("submission"), at(submission.round, roundBytes(query.round))];
      case "roundsPaidBy":
        return [...ours("round"), at(round.payer, query.payer)];
    }
  }
}

/** A round's number as it is stored, in base58. */
export function roundBytes(round: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(round);
  return utils.bytes.bs58.encode(bytes);
}
