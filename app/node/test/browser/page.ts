/*
 * A witness as a page would have it: looks, judges and votes by the packages' own code. It is bundled for a browser and run where there is
 * nothing of Node.js.
 */
import { AnchorProvider } from "@coral-xyz/anchor";
import {
  DerivedSaltStore,
  MemorySaltStore,
  SecuringTasksClient,
  deriveSaltKey,
  keypairSigner,
  nodeAddress,
  saltOf,
} from "@securing-tasks/client";
import type { Opinion } from "@securing-tasks/client";
import {
  ChainSource,
  Kept,
  Sender,
  Viewer,
  habitsOf,
  plan,
  sample,
} from "@securing-tasks/node/core";
import type {
  Delivery,
  Duty,
  Judgement,
  Letter,
  Outbox,
  Plan,
  PlanOptions,
  SampleRequest,
  View,
} from "@securing-tasks/node/core";
import { auditFacts, runAudit, serveRuns } from "@securing-tasks/sandbox/core";
import type {
  CompiledQuickJs,
  Doors,
  FromWorker,
  Ran,
  Thread,
  Threads,
  ToWorker,
  Verdict,
} from "@securing-tasks/sandbox/core";
import type { Transaction, VersionedTransaction } from "@solana/web3.js";
import { Connection, Keypair, PublicKey } from "@solana/web3.js";

/** A witness that has accused and heard nobody, and keeps its opinions. */
class State {
  private readonly opinions = new Map<string, Judgement>();

  keepOpinion(audit: string, found: Judgement): void {
    this.opinions.set(audit, found);
  }

  readonly store: PlanOptions["store"] = {
    opinion: (audit) => this.opinions.get(audit) ?? null,
    work: () => null,
    workHash: () => null,
    sample: () => [],
    check: () => null,
    accusations: () => [],
    evidenceSince: () => null,
    handed: () => null,
    entrusted: () => [],
    keptReveals: () => [],
  };
}

class Letters implements Outbox {
  private readonly all = new Map<string, Letter>();
  letters = (): Letter[] => [...this.all.values()];
  letter = (key: string): Letter | null => this.all.get(key) ?? null;
  lettersOf = (key: string): Letter[] => this.letters().filter(({ keys }) => keys.includes(key));
  post = (letter: Letter): void => void this.all.set(letter.key, letter);
  settle = (key: string): void => void this.all.delete(key);
  sentSince = (): number => 0;
}

export interface WitnessOptions {
  readonly rpcUrl: string;
  readonly task: string;
  readonly owner: string;
  readonly operatorSecret: readonly number[];
  /** Starts a thread of its own; returns how it is told something. */
  readonly startWorker: (hear: (message: FromWorker) => void) => (message: ToWorker) => void;
}

export class Witness {
  private readonly connection: Connection;
  private readonly client: SecuringTasksClient;
  private readonly operator: Keypair;
  private readonly task: PublicKey;
  private readonly owner: PublicKey;
  private viewer: Viewer | null = null;
  private readonly state = new State();
  private readonly sender: Sender;
  private view: View | null = null;

  constructor(private readonly options: WitnessOptions) {
    this.operator = Keypair.fromSecretKey(Uint8Array.from(options.operatorSecret));
    [this.task, this.owner] = [new PublicKey(options.task), new PublicKey(options.owner)];
    this.connection = new Connection(options.rpcUrl, "confirmed");
    const sign = <T extends Transaction | VersionedTransaction>(transaction: T): Promise<T> => {
      if ("version" in transaction) transaction.sign([this.operator]);
      else transaction.partialSign(this.operator);
      return Promise.resolve(transaction);
    };
    const wallet = {
      publicKey: this.operator.publicKey,
      signTransaction: sign,
      signAllTransactions: <T extends Transaction | VersionedTransaction>(all: T[]) =>
        Promise.all(all.map(sign)),
    };
    this.client = new SecuringTasksClient(new AnchorProvider(this.connection, wallet, {}));
    const outbox = new Letters();
    this.sender = new Sender({ connection: this.connection, outbox, payer: this.operator });
  }

  private async lookOut(): Promise<Viewer> {
    const { rules } = await this.client.fetch("task", this.task);
    const { pace, listSlots } = habitsOf("light", rules);
    const operator = this.operator.publicKey;
    const node = nodeAddress(this.task, this.owner);
    const keys = { task: this.task, node, owner: this.owner, operator };
    const concerns = {
      sample: () => [],
      owed: () => [],
      judged: () => [],
      proven: () => [],
      payers: () => [operator],
    };
    const source = new ChainSource(this.client, this.task);
    return new Viewer(source, new Kept(keys, concerns, pace), listSlots);
  }

  /** What is due now. */
  async look(): Promise<Plan> {
    this.viewer ??= await this.lookOut();
    const { view } = await this.viewer.read();
    if (!view) throw new Error("There is no such task or node.");
    this.view = view;
    return planned(view, this.owner, this.operator.publicKey, this.state.store);
  }

  /** What an audit function says, run in a thread of its own. */
  async judge(
    { audit, submission }: Duty & { kind: "judge" },
    code: string,
  ): Promise<Ran<Verdict>> {
    if (!this.view) throw new Error("Nothing was looked at.");
    const facts = await auditFacts(this.connection, this.view.task, submission);
    const doors = { signatures: () => Promise.resolve(["one", "two"]) } as unknown as Doors;
    const { startWorker } = this.options;
    const fn = { hash: new Uint8Array(32), code };
    const ran = await runAudit(threadsOf(startWorker), fn, facts, doors);
    const opinion = ran.ok && ran.value === "malicious" ? "malice" : null;
    this.state.keepOpinion(audit.address.toBase58(), { opinion, reason: "it said so" });
    return ran;
  }

  async commit({ key, audit, opinion }: Duty & { kind: "cast" | "commit" }): Promise<Delivery> {
    const salts = new DerivedSaltStore(await saltKey(this.operator), new MemorySaltStore());
    return this.sender.send({
      key,
      instructions: async () => {
        const parties = { task: this.task, audit: audit.address, voter: this.owner };
        const ballot = { ...parties, operator: this.operator.publicKey, opinion, salts };
        const { builder } = await this.client.commitVote(ballot);
        return [await builder.instruction()];
      },
    });
  }
}

export function planned(
  view: View,
  owner: PublicKey,
  operator: PublicKey,
  store: PlanOptions["store"],
): Plan {
  return plan(view, view.slot, {
    config: {
      samples: 1,
      chores: { resolve: true, claim: true, close: true, spreadSlots: 0 },
      workUnpaid: true,
      keepers: [],
      keepersEarly: false,
      appeal: true,
    },
    owner,
    operator,
    store,
    secret: new Uint8Array(32).fill(5),
    mostFee: 10_000n,
  });
}

const saltKey = (operator: Keypair): Promise<Uint8Array> => deriveSaltKey(keypairSigner(operator));

/** The salt of a vote, in hex. */
export async function salt(
  operatorSecret: readonly number[],
  audit: string,
  voter: string,
  opinion: Opinion,
): Promise<string> {
  const key = await saltKey(Keypair.fromSecretKey(Uint8Array.from(operatorSecret)));
  const bytes = saltOf(key, new PublicKey(audit), new PublicKey(voter), opinion);
  return Buffer.from(bytes).toString("hex");
}

export function drawn(
  request: Omit<SampleRequest, "seed"> & { seed: readonly number[] },
): string[] {
  return sample({ ...request, seed: Uint8Array.from(request.seed) });
}

/** One worker for each run. */
function threadsOf(start: WitnessOptions["startWorker"]): Threads {
  return {
    take: ({ hear }): Thread => ({ postMessage: start(hear) }),
    giveBack: () => undefined,
    end: () => undefined,
    timeOf: () => 0,
    during: (_patience, call) => call(),
  };
}

/** The other side: what a worker's script is. */
export function worker(
  quickjs: Promise<CompiledQuickJs>,
  send: (message: FromWorker) => void,
): (message: ToWorker) => void {
  return serveRuns({ send, quickjs, name: null, time: () => performance.now() });
}
