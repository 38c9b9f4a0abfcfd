import type { Role, SecuringTasksClient, Submission, Task } from "@securing-tasks/client";
import { ROLES, decodeAccount, submissionAddress } from "@securing-tasks/client";
import { PublicKey } from "@solana/web3.js";
import { OFFSETS, at, ofKind, roundBytes } from "./chain_source";
import { draw } from "./peers";
import type { SampleRequest } from "./sampling";
import { behind, sample, watched } from "./sampling";
import type { View } from "./view";

/** Most submissions of a round that are listed by who did not submit. */
const MOST_LISTED = 512;
/** Addresses that are asked for at once. */
const PROBES = 16;
const MOST_PROBES = 100;
/** Other workers, drawn, whose services are looked for. */
const DRAWN = 16;
/** Services that are enough. */
const ENOUGH = 8;
/** Slots for which those that were drawn serve all who ask: many audits are due together, and each address takes milliseconds to compute. */
const NEAR_SLOTS = 32n;
const KEY_BYTES = 32;
/** The first two words that the program stores as numbers, in base58. */
const WORD: Readonly<Record<Role, string>> = { worker: "1", witness: "2" };

interface Listed {
  readonly slot: bigint;
  readonly owners: readonly string[];
}

/** Work of workers that were drawn. */
interface Near {
  readonly slot: bigint;
  readonly rounds: string;
  readonly works: Promise<readonly Submission[]>;
}

/**
 * Who takes part in a task, by owners in base58. Read once, and again when somebody may have come or gone; nobody's work is read but that of
 * who is asked about.
 */
export class Roster {
  private readonly lists = new Map<Role, Listed>();
  private near: Near | null = null;

  constructor(private readonly client: SecuringTasksClient) {}

  /**
   * Owners whose work of a round a node checks, by {@link sample}; null where the server has less than the chain counts. What it costs does not
   * grow with the submissions, but for who did not submit: up to {@link MOST_LISTED} are listed, and of more nobody needs all.
   */
  async samples(
    view: View,
    round: bigint,
    { seed, self, samples }: Pick<SampleRequest, "seed" | "self" | "samples">,
  ): Promise<readonly string[] | null> {
    const { task } = view;
    if (!(await this.isWhole(task, view.slot))) return null;
    const [workers, witnesses] = ROLES.map((role) => this.lists.get(role)?.owners ?? []);
    if (!workers || !witnesses) return null;
    const found = view.rounds.find(({ number }) => number === round);
    const counted = found?.liveSubmissions ?? 0;
    const submitted = view.submissions.some(
      (one) => one.round === round && one.owner.toBase58() === self,
    );
    // Whichever is less to read: those that submitted, or the next ones until enough of them did.
    const probes = (samples * workers.length) / Math.max(counted, 1);
    if (submitted ? counted <= probes : counted <= MOST_LISTED) {
      const submitters = await this.submitters(task, round, view.slot);
      if (submitters.length < counted) return null;
      const nodes = [...workers, ...witnesses];
      return sample({ seed, submitters, nodes, self, samples });
    }
    const ring = submitted ? behind(seed, workers, self) : watched(seed, workers, witnesses, self);
    return this.firstThatSubmitted(task, round, ring, samples, view.slot);
  }

  /** Work of these owners, and of some others that are drawn, in a round or else in another: where their services are. */
  async neighbours(
    view: Pick<View, "task" | "slot">,
    rounds: readonly bigint[],
    first: readonly string[],
  ): Promise<readonly Submission[]> {
    const works = await Promise.all([
      this.worksOf(view.task, rounds, first),
      this.drawnNear(view, rounds),
    ]);
    return works.flat();
  }

  private drawnNear(
    { task, slot }: Pick<View, "task" | "slot">,
    rounds: readonly bigint[],
  ): Promise<readonly Submission[]> {
    const { near } = this;
    const key = rounds.join();
    if (near?.rounds === key && slot < near.slot + NEAR_SLOTS) return near.works;
    const works = this.drawNear(task, slot, rounds);
    const found = { slot, rounds: key, works };
    this.near = found;
    // Who asks next asks anew.
    works.catch(() => {
      if (this.near === found) this.near = null;
    });
    return works;
  }

  private async drawNear(
    task: Task,
    slot: bigint,
    rounds: readonly bigint[],
  ): Promise<readonly Submission[]> {
    if (!this.lists.has("worker")) await this.list("worker", task, slot);
    const workers = this.lists.get("worker")?.owners ?? [];
    return this.worksOf(task, rounds, draw(workers, DRAWN));
  }

  /** Work of these owners in the first of these rounds, and in the next where that is not enough. */
  private async worksOf(
    task: Task,
    rounds: readonly bigint[],
    owners: readonly string[],
  ): Promise<readonly Submission[]> {
    const found: Submission[] = [];
    for (const round of new Set(rounds)) {
      if (found.length >= Math.min(ENOUGH, owners.length)) break;
      found.push(...(await this.works(task, round, owners)));
    }
    return found;
  }

  private async works(
    task: Task,
    round: bigint,
    owners: readonly string[],
  ): Promise<readonly Submission[]> {
    const { program } = this.client;
    const addresses = owners.map((owner) => workOf(task, round, owner));
    if (addresses.length === 0) return [];
    const infos = await program.provider.connection.getMultipleAccountsInfo(addresses, "confirmed");
    return addresses.flatMap((address, index) => {
      const info = infos[index];
      if (!info?.owner.equals(program.programId)) return [];
      return [decodeAccount(program, "submission", address, info.data)];
    });
  }

  /**
   * Whether all nodes are known. A node that comes or goes changes what can vote, so the slot of the last such change tells of each, also of one
   * that comes as another goes.
   */
  private async isWhole(task: Task, slot: bigint): Promise<boolean> {
    const isWhole = (): boolean => {
      const lists = ROLES.flatMap((role) => this.lists.get(role) ?? []);
      const count = lists.reduce((sum, { owners }) => sum + owners.length, 0);
      return lists.every((one) => task.beforeSlot <= one.slot) && count >= task.nodes;
    };
    if (this.lists.size === ROLES.length && isWhole()) return true;
    for (const role of ROLES) await this.list(role, task, slot);
    return isWhole();
  }

  /** A server that is behind would leave somebody out of the ring, and what he did unseen. */
  private async list(role: Role, task: Task, minSlot: bigint): Promise<void> {
    const filters = [
      ofKind(this.client, "node"),
      at(OFFSETS.of, task.address),
      at(OFFSETS.node.role, WORD[role]),
    ];
    const { slot, owners } = await this.owners(filters, OFFSETS.node.owner, minSlot);
    this.lists.set(role, { slot, owners });
  }

  private async submitters(task: Task, round: bigint, minSlot: bigint): Promise<string[]> {
    const filters = [
      ofKind(this.client, "submission"),
      at(OFFSETS.of, task.address),
      at(OFFSETS.submission.round, roundBytes(round)),
    ];
    return (await this.owners(filters, OFFSETS.submission.owner, minSlot)).owners;
  }

  private async owners(
    filters: ReturnType<typeof at>[],
    offset: number,
    minSlot: bigint,
  ): Promise<{ slot: bigint; owners: string[] }> {
    const { program } = this.client;
    const { context, value } = await program.provider.connection.getProgramAccounts(
      program.programId,
      {
        commitment: "confirmed",
        filters,
        dataSlice: { offset, length: KEY_BYTES },
        withContext: true,
        minContextSlot: Number(minSlot),
      },
    );
    const owners = value.map(({ account }) => new PublicKey(account.data).toBase58());
    return { slot: BigInt(context.slot), owners };
  }

  private async firstThatSubmitted(
    task: Task,
    round: bigint,
    ring: readonly string[],
    most: number,
    minSlot: bigint,
  ): Promise<string[]> {
    const { program } = this.client;
    const found: string[] = [];
    const probes = Math.min(Math.max(2 * most, PROBES), MOST_PROBES);
    for (let start = 0; start < ring.length && found.length < most; start += probes) {
      const owners = ring.slice(start, start + probes);
      const infos = await program.provider.connection.getMultipleAccountsInfo(
        owners.map((owner) => workOf(task, round, owner)),
        {
          commitment: "confirmed",
          minContextSlot: Number(minSlot),
          dataSlice: { offset: 0, length: 0 },
        },
      );
      const there = owners.filter(
        (_owner, index) => infos[index]?.owner.equals(program.programId) === true,
      );
      found.push(...there);
    }
    return found.slice(0, most);
  }
}

function workOf(task: Task, round: bigint, owner: string): PublicKey {
  return submissionAddress(task.address, round, new PublicKey(owner));
}
