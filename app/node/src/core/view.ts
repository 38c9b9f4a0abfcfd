import type {
  Accounts,
  Audit,
  Node,
  Round,
  SecuringTasksClient,
  Submission,
  Task,
  Vote,
} from "@securing-tasks/client";
import { decodeAccount, voteAddress } from "@securing-tasks/client";
import type { AccountInfo, PublicKey } from "@solana/web3.js";
import { askAnother } from "./host";

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

/** How often what is not there is asked for again at once. */
const LOOKS = 3;
/** After that it is asked for at one look of so many. */
const RARELY = 20;

/** What was read, and at which slot. */
export interface Looked {
  readonly slot: bigint;
  readonly view: View | null;
  readonly short: readonly string[];
}

type Listed = "round" | "submission" | "audit";

/**
 * Reads views with few requests: five, and one more for every hundred audits.
 *
 * A list is not all there is: a server may give a shorter one, or none. What was in one before, and audits in which this node may owe a
 * reveal, are looked for by their addresses where a list does not have them.
 */
export class Viewer {
  /** Decided audits in which there is no vote of ours. Before the verdict an appeal may open one again, however late it is seen. */
  private readonly voteless = new Set<string>();
  /** What was in the last lists. */
  private readonly seen: Record<Listed, readonly PublicKey[]> = {
    round: [],
    submission: [],
    audit: [],
  };
  /** How often what may be owed was not there. */
  private readonly missed = new Map<string, number>();

  constructor(
    private readonly client: SecuringTasksClient,
    private readonly keys: {
      readonly task: PublicKey;
      readonly node: PublicKey;
      readonly owner: PublicKey;
      readonly operator: PublicKey;
    },
    /** Audits in which this node may owe a reveal. */
    private readonly owed: () => readonly PublicKey[] = () => [],
  ) {}

  /**
   * No view where task or node is not there at that slot. `short` says which lists have less than the chain counts, a few times in a row.
   * Rejects when the server does not answer.
   */
  async read(): Promise<Looked> {
    for (let look = 1; ; look += 1) {
      const found = await this.readOnce();
      const isWhole = found.view !== null && found.short.length === 0;
      const { connection } = this.client.program.provider;
      if (!isWhole) askAnother(connection);
      // What was closed between two answers is still counted in one of them.
      if (found.short.length === 0 || look === LOOKS) return found;
    }
  }

  private async readOnce(): Promise<Looked> {
    const { program } = this.client;
    const { task, node, operator } = this.keys;
    const [own, ...lists] = await Promise.all([
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
    if (!taskInfo || !nodeInfo || !there) return { slot, view: null, short: [] };
    const rounds = await this.whole("round", lists[0], slot);
    const submissions = await this.whole("submission", lists[1], slot);
    const audits = await this.whole("audit", lists[2], slot, this.mayOwe());
    const known = new Set(audits.map(({ address }) => address.toBase58()));
    for (const address of this.owed()) {
      const name = address.toBase58();
      if (known.has(name)) this.missed.delete(name);
      else this.missed.set(name, (this.missed.get(name) ?? 0) + 1);
    }
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
    return { slot, view, short: shortLists(view) };
  }

  private mayOwe(): readonly PublicKey[] {
    return this.owed().filter((address) => {
      const missed = this.missed.get(address.toBase58()) ?? 0;
      return missed < LOOKS || missed % RARELY === 0;
    });
  }

  /** A list, with what it should have and has not. */
  private async whole<N extends Listed>(
    name: N,
    list: readonly Accounts[N][],
    slot: bigint,
    more: readonly PublicKey[] = [],
  ): Promise<readonly Accounts[N][]> {
    const { program } = this.client;
    const there = new Set(list.map(({ address }) => address.toBase58()));
    const expected = new Map([...this.seen[name], ...more].map((key) => [key.toBase58(), key]));
    const missing = [...expected].filter(([key]) => !there.has(key)).map(([, key]) => key);
    const infos = await this.infos(missing, slot);
    const found = missing.flatMap((key, index) => {
      const info = infos[index];
      // What is closed may be made again at its address, by another kind never.
      if (!info?.owner.equals(program.programId)) return [];
      return [decodeAccount(program, name, key, info.data)];
    });
    const all = [...list, ...found];
    this.seen[name] = all.map(({ address }) => address);
    return all;
  }

  private async infos(
    addresses: readonly PublicKey[],
    slot: bigint,
  ): Promise<(AccountInfo<Buffer> | null)[]> {
    const infos: (AccountInfo<Buffer> | null)[] = [];
    for (let start = 0; start < addresses.length; start += BATCH) {
      const batch = await this.client.program.provider.connection.getMultipleAccountsInfo(
        addresses.slice(start, start + BATCH),
        { commitment: "confirmed", minContextSlot: Number(slot) },
      );
      infos.push(...batch);
    }
    return infos;
  }

  private async votes(audits: readonly Audit[], slot: bigint): Promise<Map<string, Vote>> {
    const { program } = this.client;
    const asked = audits.filter(({ address }) => !this.voteless.has(address.toBase58()));
    const addresses = asked.map(({ address }) =>
      voteAddress(address, this.keys.owner, program.programId),
    );
    const infos = await this.infos(addresses, slot);
    const votes = new Map<string, Vote>();
    asked.forEach((audit, index) => {
      const [info, address] = [infos[index], addresses[index]];
      const name = audit.address.toBase58();
      if (info?.owner.equals(program.programId) && address) {
        votes.set(name, decodeAccount(program, "vote", address, info.data));
      } else if (audit.outcome !== "open") this.voteless.add(name);
    });
    const live = new Set(audits.map(({ address }) => address.toBase58()));
    for (const name of this.voteless) if (!live.has(name)) this.voteless.delete(name);
    return votes;
  }
}

/** Lists that have less than the chain's own counts say. */
function shortLists({ task, rounds, submissions, audits }: View): readonly string[] {
  const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
  const counted = {
    rounds: [rounds.length, task.rounds],
    submissions: [submissions.length, sum(rounds.map((one) => one.liveSubmissions))],
    audits: [audits.length, sum(submissions.map((one) => one.liveAudits))],
  } as const;
  return Object.entries(counted)
    .filter(([, [here, all]]) => here < all)
    .map(([name, [here, all]]) => `${here} of ${all} ${name}`);
}
