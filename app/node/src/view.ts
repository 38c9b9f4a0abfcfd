import type {
  Audit,
  Node,
  Round,
  SecuringTasksClient,
  Submission,
  Task,
  Vote,
} from "@securing-tasks/client";
import { decodeAccount, voteAddress } from "@securing-tasks/client";
import type { PublicKey } from "@solana/web3.js";

/** Everything on the chain that a node may have to do something about, read at about one slot. */
export interface View {
  /** Slot of the confirmed bank that answered first. */
  readonly slot: bigint;
  readonly task: Task;
  readonly node: Node;
  readonly operatorLamports: number;
  readonly rounds: readonly Round[];
  readonly submissions: readonly Submission[];
  readonly audits: readonly Audit[];
  /** Own votes, by the audit's address. */
  readonly votes: ReadonlyMap<string, Vote>;
}

/** Most addresses in one request. */
const BATCH = 100;

/** Reads views with few requests: five, and one more for every hundred audits. */
export class Viewer {
  /** Audits that took no more votes at a slot at which there was none of ours. */
  private readonly voteless = new Set<string>();

  constructor(
    private readonly client: SecuringTasksClient,
    private readonly keys: {
      readonly task: PublicKey;
      readonly node: PublicKey;
      readonly owner: PublicKey;
      readonly operator: PublicKey;
    },
  ) {}

  /** No view where task or node is not there at that slot. Rejects when the server does not answer. */
  async read(): Promise<{ readonly slot: bigint; readonly view: View | null }> {
    const { program } = this.client;
    const { task, node, operator } = this.keys;
    const [own, rounds, submissions, audits] = await Promise.all([
      program.provider.connection.getMultipleAccountsInfoAndContext(
        [task, node, operator],
        "confirmed",
      ),
      this.client.ofTask("round", task),
      this.client.ofTask("submission", task),
      this.client.ofTask("audit", task),
    ]);
    const [taskInfo, nodeInfo, operatorInfo] = own.value;
    const slot = BigInt(own.context.slot);
    const there = [taskInfo, nodeInfo].every((info) => info?.owner.equals(program.programId));
    if (!taskInfo || !nodeInfo || !there) return { slot, view: null };
    const view: View = {
      slot,
      task: decodeAccount(program, "task", task, taskInfo.data),
      node: decodeAccount(program, "node", node, nodeInfo.data),
      operatorLamports: operatorInfo?.lamports ?? 0,
      rounds,
      submissions,
      audits,
      votes: await this.votes(audits, slot),
    };
    return { slot, view };
  }

  private async votes(audits: readonly Audit[], slot: bigint): Promise<Map<string, Vote>> {
    const { program } = this.client;
    const asked = audits.filter(({ address }) => !this.voteless.has(address.toBase58()));
    const votes = new Map<string, Vote>();
    for (let start = 0; start < asked.length; start += BATCH) {
      const batch = asked.slice(start, start + BATCH);
      const addresses = batch.map(({ address }) =>
        voteAddress(address, this.keys.owner, program.programId),
      );
      const infos = await program.provider.connection.getMultipleAccountsInfo(addresses, {
        commitment: "confirmed",
        minContextSlot: Number(slot),
      });
      batch.forEach((audit, index) => {
        const [info, address] = [infos[index], addresses[index]];
        const name = audit.address.toBase58();
        if (info?.owner.equals(program.programId) && address) {
          votes.set(name, decodeAccount(program, "vote", address, info.data));
        } else if (audit.endSlot <= slot) this.voteless.add(name);
      });
    }
    const live = new Set(audits.map(({ address }) => address.toBase58()));
    for (const name of this.voteless) if (!live.has(name)) this.voteless.delete(name);
    return votes;
  }
}
