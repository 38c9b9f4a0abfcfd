import { AnchorProvider, Wallet } from "@coral-xyz/anchor";
import type { FunctionRef, SaltStore, Task } from "@securing-tasks/client";
import {
  DerivedSaltStore,
  LAMPORTS_PER_SIGNATURE,
  PROGRAM_ID,
  SecuringTasksClient,
  WRAPPED_SOL,
  collectionProof,
  deriveSaltKey,
  drawSecretOf,
  explain,
  fetchMint,
  keypairSigner,
  nodeAddress,
  secretOf,
  shownDifferently,
  wrapMissingSol,
} from "@securing-tasks/client";
import type {
  AuditFacts,
  DoorOptions,
  Doors,
  Evidence,
  LoadedFunction,
  Ran,
  Recording,
  RespondFacts,
  ServiceRequest,
  ServiceResponse,
  SubmissionFacts,
  Verdict,
  WorkFacts,
} from "@securing-tasks/sandbox";
import {
  download,
  liveDoors,
  loadFunction,
  recordDoors,
  runAudit,
  runRespond,
  runWork,
  taskFacts,
} from "@securing-tasks/sandbox";
import type { AccountInfo, Connection, Keypair, PublicKey } from "@solana/web3.js";
import { SolanaJSONRPCError } from "@solana/web3.js";
import { createHash, randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { join } from "node:path";
import pRetry from "p-retry";
import type { Logger } from "pino";
import { pino } from "pino";
import { Auditors, auditorHeader, pathBelow } from "../core/auditors";
import type { NodeConfig } from "./config";
import { SharedConnection } from "./connection";
import { Doer } from "../core/doer";
import { ChainSource, untouchedAudits } from "../core/chain_source";
import { Follower, subscriptionUrl } from "../core/follower";
import { Inbox } from "../core/inbox";
import type { Sighting } from "../core/instances";
import { Instances, wasThere } from "../core/instances";
import { Keeper } from "../core/keeper";
import { Kept } from "../core/kept";
import { readNews } from "../core/news";
import type { Habits } from "../core/pace";
import { STATUS_MS, habitsOf } from "../core/pace";
import { Roster } from "../core/roster";
import { readKeypair } from "./keys";
import { standardOutput } from "./log";
import { Metrics } from "./metrics";
import { PatientOutbox } from "../core/outbox";
import { serviceOf } from "../core/peers";
import type { Duty, Plan, PlanOptions } from "../core/plan";
import { owesReveal, plan } from "../core/plan";
import { connect } from "./rpc";
import type { Errand, SendStep } from "../core/sender";
import { Sender, backoff, pause } from "../core/sender";
import type { Service } from "./service";
import { serve } from "./service";
import { Signer } from "../core/signer";
import { DAY_SLOTS, Sponsor } from "../core/sponsor";
import type { Identity } from "./store";
import { SqliteSaltStore, StateError, Store } from "./store";
import { subscribe } from "./subscription";
import { urgency, within } from "./urgency";
import type { View } from "../core/view";
import { Viewer } from "../core/view";

/** What a daemon is made of. Tests make dishonest ones by replacing a part. */
export interface NodeParts {
  readonly logger: Logger;
  readonly connection: Connection;
  readonly loadFunction: (ref: FunctionRef) => Promise<LoadedFunction>;
  readonly runAudit: (
    fn: LoadedFunction,
    facts: AuditFacts,
    evidence: readonly Evidence[],
    recording: Recording,
  ) => Promise<Ran<Verdict>>;
  readonly runWork: (fn: LoadedFunction, facts: WorkFacts) => Promise<Ran<Uint8Array>>;
  readonly runRespond: (
    fn: LoadedFunction,
    request: ServiceRequest,
    facts: RespondFacts,
  ) => Promise<Ran<ServiceResponse>>;
}

export interface RunningNode {
  /** Where the REST service listens; null where there is none. */
  readonly url: string | null;
  /** Ends when the daemon has stopped; rejects with the reason when it had to by itself. */
  readonly done: Promise<void>;
  /** Stops cleanly: what is on its way is settled at the next start. */
  stop(): Promise<void>;
}

/** How long to try to reach the RPC server at the start. */
const START_LIMIT_MS = 60_000;
/** A look is as urgent as what is due in so many milliseconds. */
const LOOK_MS = 3_000;
/** Calls that one look makes, with some more for hundreds of audits. */
const LOOK_CALLS = 6;
/** For the look at itself. */
const SELF_MS = 5_000;
/** Pauses between such looks. */
const SELF_PAUSE_MS = 1_000;
const MOST_SELF_PAUSE_MS = 10_000;
/** Slots between two looks for another instance of this node, while it waits. */
const WAITING_SLOTS = 25n;
/** A change of the own node so long after anything was sent is another's work. */
const OWN_MS = 60_000;
/** Failures of these looks after which it begins all the same. */
const BLIND_LOOKS = 3;
/** What harms nobody where another instance does it too, and can't wait. */
const HARMLESS: readonly Duty["kind"][] = ["reveal", "restore", "draw"];
const MOST_HEALTH_BYTES = 4_096;
/** Looks at the chain that must agree that task or node is gone. */
const GONE_LOOKS = 12;
/** The newest slot is kept again after so many: each time costs a write to disk. */
const CURSOR_SLOTS = 25n;
/** More transactions than there are. */
const UNBOUNDED = 2n ** 64n;
/** What is told where a sponsor does not pay. */
const SPONSOR_TROUBLE = {
  none: "THE SPONSOR DOES NOT PAY: what is due waits, and deposits are lost with reveals that wait too long",
  operator: "the sponsor does not pay: the operator does",
} as const;
/** Below this the hot key may soon not pay rent and fees, in lamports. */
const LOW_LAMPORTS = 20_000_000;

/**
 * Starts a daemon. Resolves when it has found task and node, joined if it was asked to, settled what an earlier process left on its
 * way, and listens. Rejects with the reason and the way out when it can't do its work.
 */
export async function startNode(
  config: NodeConfig,
  parts: Partial<NodeParts> = {},
): Promise<RunningNode> {
  const operator = readKeypair(config.operatorKeypair, "operator");
  const metrics = new Metrics();
  const logger =
    parts.logger ??
    pino(
      {
        level: config.logLevel,
        base: { task: config.task.toBase58(), owner: config.owner.toBase58() },
        timestamp: pino.stdTimeFunctions.isoTime,
      },
      standardOutput(() => {
        metrics.droppedLines.inc();
      }),
    );
  const store = new Store(config.state);
  const daemon = new Daemon(config, operator, store, logger, metrics, parts);
  try {
    await daemon.start();
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  return daemon;
}

class Daemon implements RunningNode {
  readonly done: Promise<void>;
  private readonly ending = new AbortController();
  private readonly connection: Connection;
  private readonly client: SecuringTasksClient;
  private readonly sender: Sender;
  private readonly sponsor: Sponsor | null;
  /** What was told last of what it does not pay. */
  private toldSponsor = "";
  private readonly outbox: PatientOutbox;
  private readonly instances: Instances;
  private readonly follower: Follower;
  private readonly source: ChainSource;
  private viewer: Viewer | null = null;
  /** Until the task's rules are known, as full. */
  private habits: Habits | null = null;
  /** Moment of {@link performance}'s clock at which something was sent last. */
  private sentAt = -Infinity;
  private service: Service | null = null;
  private doer: Doer | null = null;
  private salts: SaltStore | null = null;
  private looping: Promise<void> = Promise.resolve();
  private settling: Promise<void> = Promise.resolve();
  private stopping: Promise<void> | null = null;
  private wakeUp: () => void = nothing;
  private woken = false;
  private trouble: string | null = null;
  private poor = false;
  private short = false;
  /** Newest round of which it was told that its work earns nothing. */
  private unpaid: bigint | null = null;
  private stateTrouble: string | null = null;
  /** What the last lists left out. */
  private leftOut = "";
  /** By which it knows itself from outside. */
  private readonly instance = randomBytes(16).toString("hex");
  private reached = false;
  /** Whether nothing of another instance keeps it from its work. */
  private begun = false;
  /** The newest that was seen of another instance. */
  private other: Sighting | null = null;
  /** Slot at which that was told last. */
  private toldOther: bigint | null = null;
  private watchedAt: bigint | null = null;
  private blindLooks = 0;
  /** What was seen last. */
  private view: View | null = null;
  /** From it come the moments at which this node looks at others' work: nobody but the operator's key can tell them. */
  private readonly secret: Uint8Array;
  /** Newest slot that was looked at. */
  private cursor = 0n;
  private keptCursor = 0n;
  private settleDone: { resolve: () => void; reject: (error: Error) => void } = {
    resolve: nothing,
    reject: nothing,
  };

  constructor(
    private readonly config: NodeConfig,
    private readonly operator: Keypair,
    private readonly store: Store,
    private readonly log: Logger,
    private readonly metrics: Metrics,
    private readonly parts: Partial<NodeParts>,
  ) {
    this.secret = createHash("sha256")
      .update("securing-tasks/moments")
      .update(operator.secretKey)
      .digest();
    // All that waits listens to it.
    setMaxListeners(0, this.ending.signal);
    this.done = new Promise((resolve, reject) => {
      this.settleDone = { resolve, reject };
    });
    // Who does not wait for the end may still call `stop`.
    this.done.catch(nothing);
    this.connection =
      parts.connection ??
      connect({
        rpcUrls: config.rpcUrls,
        timeoutMs: config.rpcTimeoutMs,
        ...config.rpcLimits,
        signal: this.ending.signal,
        onSlot: (slot) => {
          this.follower.clock.hear(slot);
        },
        onTrouble: (message) => {
          this.metrics.rpcErrors.inc();
          this.log.debug({ message }, "RPC trouble");
        },
        onDisagreement: (message) => {
          this.log.warn({ message }, "RPC servers");
        },
      });
    this.client = new SecuringTasksClient(
      new AnchorProvider(this.connection, new Wallet(operator), { commitment: "confirmed" }),
    );
    this.outbox = new PatientOutbox(store, {
      onTrouble: (error) => {
        this.noteState(error);
      },
    });
    this.instances = new Instances({
      client: this.client,
      node: nodeAddress(config.task, config.owner),
      operator: operator.publicKey,
      isOwn: (signature) => this.outbox.hasSent(signature),
    });
    this.sponsor = config.sponsor
      ? new Sponsor({
          ...config.sponsor,
          user: operator.publicKey,
          urgency,
          signal: this.ending.signal,
          onResult: (result) => {
            this.metrics.sponsor.inc({ result });
          },
        })
      : null;
    this.sender = new Sender({
      connection: this.connection,
      outbox: this.outbox,
      urgency,
      payer: operator,
      ...(this.sponsor && { sponsor: this.sponsor }),
      priorityFee: config.priorityFee,
      maxFeeLamports: config.maxFeeLamports,
      ...(config.computeUnitLimit !== undefined && { computeUnitLimit: config.computeUnitLimit }),
      pollMs: Math.min(STATUS_MS[config.profile], config.pollMs),
      signal: this.ending.signal,
      onStep: (step) => {
        this.noteStep(step);
      },
    });
    const node = nodeAddress(config.task, config.owner);
    this.source = new ChainSource(this.client, config.task, () => {
      if (this.connection instanceof SharedConnection) this.connection.askAnother();
    });
    const commitment = { commitment: "confirmed", encoding: "base64" };
    const filters = untouchedAudits(this.client, config.task);
    this.follower = new Follower({
      connection: this.connection,
      wsUrl: config.wsUrl === "none" ? null : (config.wsUrl ?? subscriptionUrl(config.rpcUrl)),
      subscribe: (...given) => subscribe(...given, this.habits?.pingMs),
      subscriptions: [
        {
          method: "programSubscribe",
          params: [PROGRAM_ID.toBase58(), { ...commitment, filters }],
          hear: (news) => {
            const { address, slot, info } = readNews(news);
            return address !== null && this.hear(address, slot, info);
          },
        },
        {
          method: "accountSubscribe",
          params: [node.toBase58(), commitment],
          hear: (news) => {
            const { slot, info } = readNews(news);
            if (performance.now() - this.sentAt > OWN_MS) this.watchedAt = null;
            return this.hear(node, slot, info);
          },
        },
      ],
      pollMs: (isTold) => this.pollMs(isTold),
      signal: this.ending.signal,
      onWake: () => {
        this.wake();
      },
      onGap: () => {
        this.viewer?.doubt();
      },
      onTrouble: (message) => {
        this.log.debug({ message }, "a subscription ended");
      },
    });
  }

  private hear(address: PublicKey, slot: bigint, info: AccountInfo<Buffer>): boolean {
    const seen = this.source.read(address, slot, info);
    return this.viewer?.tell(seen, this.follower.guess) ?? true;
  }

  /** Longest time between two looks at the chain. */
  private pollMs(isTold: boolean): number {
    const { pollMs } = this.config;
    const slots = this.habits?.pollSlots;
    if (!slots) return pollMs;
    return Math.min(pollMs, this.follower.duration(isTold ? slots.told : slots.untold));
  }

  get url(): string | null {
    return this.service?.url ?? null;
  }

  async start(): Promise<void> {
    const { config, store, connection } = this;
    const genesis = await pRetry(() => connection.getGenesisHash(), {
      retries: 100,
      maxRetryTime: START_LIMIT_MS,
      maxTimeout: 5_000,
      randomize: true,
      signal: this.ending.signal,
    }).catch((error: unknown) => {
      throw new Error(
        `The RPC server ${config.rpcUrl} can't be reached: ${explain(error).message} Check \`rpcUrl\`.`,
        { cause: error },
      );
    });
    store.requireIdentity({ cluster: genesis }, config.state);
    await this.catchUp();
    const task = await this.findTask();
    const identity = {
      cluster: genesis,
      program: PROGRAM_ID.toBase58(),
      task: config.task.toBase58(),
      "first slot": task.startSlot.toString(),
      owner: config.owner.toBase58(),
    };
    store.requireIdentity(identity, config.state);
    if (config.role === "worker" && !task.taskFunction) {
      throw new Error(
        "The task names no task function, so a worker has nothing to run. Take `role: witness`, or submit work by other means.",
      );
    }
    // What an earlier process left on its way: nothing is sent in its place before its fate is known. The rest goes on.
    this.settling = within(0, () => this.sender.settleAll()).then(
      (settled) => {
        for (const [key, { status }] of settled) {
          this.log.info({ key, status }, "settled what was left on its way");
        }
      },
      () => {
        // Stopped before that: the next start goes on with it.
      },
    );
    this.habits = habitsOf(config.profile, task.rules);
    await this.enter(task, identity);

    const saltKey = await deriveSaltKey(keypairSigner(this.operator));
    const salts = new DerivedSaltStore(saltKey, new SqliteSaltStore(store));
    this.salts = salts;
    const load = this.loader();
    const viewer = this.lookOut(this.habits);
    this.viewer = viewer;
    this.doer = new Doer({
      config,
      client: this.client,
      connection,
      operator: this.operator,
      store,
      isReached: () => this.reached,
      keep: (write) => this.keep(write),
      salts,
      drawSecret: (audit) => drawSecretOf(saltKey, audit),
      sender: this.sender,
      follower: this.follower,
      roster: new Roster(this.client),
      metrics: this.metrics,
      log: this.log,
      gate: this.gate(),
      loadFunction: load,
      runAudit: this.parts.runAudit ?? ((...asked) => this.runAudit(...asked)),
      runWork: this.parts.runWork ?? ((fn, facts) => this.runWork(fn, facts)),
      within,
      download,
      onDone: (duty, slot) => {
        viewer.touch(duty, slot);
        this.wake();
      },
      signal: this.ending.signal,
    });
    const { taskFunction } = task;
    const runRespond =
      this.parts.runRespond ?? ((fn, request, facts) => this.runRespond(fn, request, facts));
    this.service = await serve({
      config,
      operator: this.operator.publicKey.toBase58(),
      instance: this.instance,
      metrics: this.metrics,
      task: taskFacts(task),
      payload: (hash) => store.payload(hash),
      respond:
        taskFunction &&
        (async (request, facts) => runRespond(await load(taskFunction), request, facts)),
      auditors: new Auditors({
        asked: { task: config.task.toBase58(), worker: config.owner.toBase58() },
        rules: task.rules,
        nodes: () => this.client.ofTask("node", config.task),
        follower: this.follower,
      }),
      signer: new Signer({
        task: config.task,
        owner: config.owner,
        operator: this.operator,
        store,
        follower: this.follower,
      }),
      evidence: store,
      inbox: new Inbox({ client: this.client, connection, store, view: () => this.view }),
      keeper: config.keeper
        ? new Keeper({ config: config.keeper, client: this.client, store, view: () => this.view })
        : null,
      trouble: () => this.trouble,
    });
    void this.reachSelf();
    void this.meetSponsor();
    this.follower.start();
    this.looping = this.loop(viewer);
    this.log.info({ url: this.url, role: config.role, sponsor: this.sponsor?.host }, "running");
  }

  stop(): Promise<void> {
    this.stopping ??= this.shutDown();
    return this.stopping;
  }

  private async shutDown(): Promise<void> {
    this.ending.abort();
    this.wake();
    await this.service?.close();
    await this.looping;
    await Promise.all([this.settling, this.doer?.idle()]);
    this.store.close();
    this.log.info("stopped");
    this.settleDone.resolve();
  }

  /** Says who pays, and what of its configuration would keep it from that. Never rejects. */
  private async meetSponsor(): Promise<void> {
    const { sponsor } = this;
    if (!sponsor) return;
    const { host, fallback, maxPerDay } = sponsor;
    try {
      const faults = await sponsor.faults();
      const address = (await sponsor.address()).toBase58();
      this.log.info({ host, address, fallback, maxPerDay }, "a sponsor pays fees and rents");
      if (faults.length > 0) this.log.warn({ host, faults }, "the sponsor may not pay for a node");
    } catch (error) {
      if (this.ending.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      this.log.warn({ message }, "the sponsor does not say who it is");
    }
  }

  /** Tells once what the sponsor's trouble puts at stake, and when it pays again. */
  private tellSponsor(view: View, now: bigint): void {
    const { sponsor } = this;
    if (!sponsor) return;
    const { trouble, fallback } = sponsor;
    const owed = view.audits.filter(
      ({ address, endSlot }) =>
        now < endSlot && view.votes.get(address.toBase58())?.state === "committed",
    );
    const about = trouble ? `${trouble.reason} ${owed.length > 0}` : "";
    if (about !== this.toldSponsor) {
      if (trouble) {
        const deposits = owed.reduce((sum, one) => sum + one.voteDeposit, 0n).toString();
        const until = owed
          .map(({ endSlot }) => endSlot)
          .reduce(sooner, null)
          ?.toString();
        const stake = { reveals: owed.length, deposits, ...(until !== undefined && { until }) };
        const message = trouble.message;
        this.log.error({ message, fallback, ...stake }, SPONSOR_TROUBLE[fallback]);
      } else this.log.info("the sponsor pays again");
    }
    this.toldSponsor = about;
  }

  /** Looks until it is reached by the address that others are told: work that nobody else can get is taken for down. */
  private async reachSelf(): Promise<void> {
    const { http } = this.config;
    const url = `${http?.publicUrl ?? ""}/healthz`;
    let told: string | null = null;
    for (let failures = 0; http && !this.ending.signal.aborted; failures += 1) {
      const why = await this.faultOfSelf(url);
      if (why === null)
        this.log.info({ url }, "reached itself by the address that others are told");
      else if (why !== told) {
        this.log.error(
          { url, why },
          "CAN'T REACH ITSELF by `http.publicUrl`: where others can't neither, its work is taken for down, and its stake is slashed. " +
            (http.checkSelf
              ? "It submits nothing until it can. Check address, port forwarding, firewall and proxy; where others can reach it and only this machine can't, as behind some routers, set `http.checkSelf: false`"
              : "It submits all the same, since `http.checkSelf` is false"),
        );
      }
      told = why;
      this.reached = why === null || !http.checkSelf;
      if (this.reached) {
        this.wake();
        return;
      }
      const ms = backoff(SELF_PAUSE_MS, failures, MOST_SELF_PAUSE_MS);
      await pause(ms, this.ending.signal);
    }
  }

  /** Why it is not this process that answers there; null where it is. Never rejects. */
  private async faultOfSelf(url: string): Promise<string | null> {
    const { allowPrivateNetwork } = this.config;
    try {
      const limits = { timeoutMs: SELF_MS, maxBytes: MOST_HEALTH_BYTES, allowPrivateNetwork };
      const { status, bytes } = await download(new URL(url), limits);
      if (status !== 200) return `it answered with status ${status}`;
      const said: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
      const { instance } = (said ?? {}) as { readonly instance?: unknown };
      return instance === this.instance ? null : "another service answered";
    } catch (error) {
      if (error instanceof SyntaxError) return "another service answered";
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Waits for a server that is behind what an earlier process saw. */
  private async catchUp(): Promise<void> {
    this.cursor = this.keptCursor = this.store.cursor();
    await pRetry(
      async () => {
        const slot = BigInt(await this.connection.getSlot("confirmed"));
        if (slot >= this.cursor) return;
        throw new Error(
          `The RPC server ${this.config.rpcUrl} is at slot ${slot.toString()}, behind ${this.cursor.toString()}, which this node has seen. Wait until it has caught up, or use another.`,
        );
      },
      {
        retries: 1_000,
        factor: 1.2,
        minTimeout: 250,
        maxTimeout: 5_000,
        maxRetryTime: START_LIMIT_MS,
        signal: this.ending.signal,
      },
    );
  }

  private async findTask(): Promise<Task> {
    const { task, rpcUrl } = this.config;
    const info = await this.connection.getAccountInfo(task);
    if (info && !info.owner.equals(PROGRAM_ID)) {
      throw new Error(
        `${task.toBase58()} belongs to the program ${info.owner.toBase58()} and not to ${PROGRAM_ID.toBase58()}. Check \`task\`, and that \`rpcUrl\` is of the right cluster.`,
      );
    }
    if (!info) {
      const program = await this.connection.getAccountInfo(PROGRAM_ID);
      const why = program
        ? "Check `task`."
        : `The program ${PROGRAM_ID.toBase58()} is not there neither: is \`rpcUrl\` of the right cluster?`;
      throw new Error(`There is no task at ${task.toBase58()} on ${rpcUrl}. ${why}`);
    }
    return this.client.fetch("task", task);
  }

  /** Checks that the node is the configured one, after joining where that was asked for. */
  private async enter(task: Task, identity: Identity): Promise<void> {
    const { owner, role, join: joining } = this.config;
    const address = nodeAddress(task.address, owner);
    let node = await this.client.find("node", address);
    if (!node) {
      // Whoever has left would find the money that came back staked again, by a service manager's restart.
      if (this.store.hasJoined()) {
        throw new Error(
          `The node of ${owner.toBase58()} is gone: its owner has left the task and closed it. To take part again, join with \`securing-tasks node join\`.`,
        );
      }
      if (joining && (await this.wasThere(address))) {
        throw new Error(
          `The node of ${owner.toBase58()} is gone, though the state does not know that it was there: its owner has left the task and closed it. To take part again, join with \`securing-tasks node join\`.`,
        );
      }
      if (!joining) {
        throw new Error(
          `${owner.toBase58()} has no node in the task ${task.address.toBase58()}. Join it first with \`securing-tasks node join\`, or give \`join: { ownerKeypair, stake }\`.`,
        );
      }
      await this.join(task, joining, identity);
      node = await this.client.fetch("node", address);
    }
    if (!node.operator.equals(this.operator.publicKey)) {
      throw new Error(
        `The node's operator is ${node.operator.toBase58()}, and \`operatorKeypair\` is the key of ${this.operator.publicKey.toBase58()}. Use the operator's key, or name this one with \`securing-tasks node operator\`.`,
      );
    }
    if (node.role !== role) {
      throw new Error(
        `The node is a ${node.role}, and the configuration says \`role: ${role}\`. Change that.`,
      );
    }
    this.store.keepIdentity(identity);
    this.store.keepJoined(address.toBase58());
  }

  /** Whether the chain's history has the node. Where the server keeps none, it can't be told. */
  private async wasThere(node: PublicKey): Promise<boolean> {
    try {
      return await wasThere(this.client, node);
    } catch (error) {
      if (!(error instanceof SolanaJSONRPCError)) throw error;
      const { message } = error;
      this.log.warn({ message }, "can't tell whether this node was there before");
      return false;
    }
  }

  /** The one time that the owner's key is used. It is not kept. */
  private async join(
    task: Task,
    { ownerKeypair, stake }: NonNullable<NodeConfig["join"]>,
    identity: Identity,
  ): Promise<void> {
    const owner = readKeypair(ownerKeypair, "owner");
    if (!owner.publicKey.equals(this.config.owner)) {
      throw new Error(
        `${ownerKeypair} is the key of ${owner.publicKey.toBase58()}, and \`owner\` is ${this.config.owner.toBase58()}. Use the owner's key.`,
      );
    }
    const mint = await fetchMint(this.connection, task.mint);
    const differs = shownDifferently(mint);
    if (differs !== null) this.log.warn(differs);
    this.store.keepIdentity(identity);
    const errand: Errand = {
      key: "join",
      signers: [owner],
      instructions: async () => [
        ...(task.mint.equals(WRAPPED_SOL.address)
          ? await wrapMissingSol(this.connection, owner.publicKey, stake)
          : []),
        await this.client
          .joinTask({
            task: { address: task.address, mint },
            owner: owner.publicKey,
            operator: this.operator.publicKey,
            role: this.config.role,
            amount: stake,
            startSlot: task.startSlot,
            ...this.gate(),
          })
          .instruction(),
      ],
    };
    // A server in trouble, or one that does not know its own blockhashes, is no reason to end.
    const delivery = await pRetry(() => this.sender.send(errand), {
      retries: 100,
      maxRetryTime: START_LIMIT_MS,
      maxTimeout: 5_000,
      randomize: true,
      signal: this.ending.signal,
      onFailedAttempt: ({ error }) => {
        this.log.warn({ message: explain(error).message }, "could not join yet");
      },
    });
    if (delivery.status === "refused") {
      throw new Error(`The task could not be joined. ${delivery.explanation.message}`);
    }
    if (delivery.status === "expired") {
      throw new Error("The chain did not take the transaction that joins. Start again.");
    }
    this.store.keepJoined(nodeAddress(task.address, owner.publicKey).toBase58());
    this.log.info({ signature: delivery.signature, stake: stake.toString() }, "joined");
  }

  private gate(): { readonly gate?: ReturnType<typeof collectionProof> } {
    const { collectionMint, owner } = this.config;
    return collectionMint ? { gate: collectionProof(collectionMint, owner) } : {};
  }

  /** Fetches each function once. */
  private loader(): (ref: FunctionRef) => Promise<LoadedFunction> {
    const loaded = new Map<string, Promise<LoadedFunction>>();
    const load =
      this.parts.loadFunction ??
      ((ref: FunctionRef) =>
        loadFunction(ref, {
          gateways: this.config.gateways,
          cache: join(this.config.state, "functions"),
          onTrouble: (message) => {
            this.log.warn({ message }, "goes on without the cache");
          },
        }));
    return (ref) => {
      const name = Buffer.from(ref.hash).toString("hex");
      const found = loaded.get(name) ?? load(ref);
      loaded.set(name, found);
      // What failed is tried anew by the next who needs it.
      found.catch(() => loaded.delete(name));
      return found;
    };
  }

  /** What functions reach the world through. An RPC server that has not seen the accused's work yet may not answer for the chain. */
  private doors(accused?: SubmissionFacts): Doors {
    const { gateways, probes, allowPrivateNetwork, door } = this.config;
    return liveDoors({
      connection: this.connection,
      gateways,
      probes,
      allowPrivateNetwork,
      ...(door.timeoutMs !== undefined && { timeoutMs: door.timeoutMs }),
      ...(door.maxBytes !== undefined && { maxBytes: door.maxBytes }),
      ...(accused && { minSlot: accused.slot, introduce: this.introduction(accused) }),
    });
  }

  /** The accused's own service, and no other, is told that a node of the task asks. */
  private introduction(accused: SubmissionFacts): NonNullable<DoorOptions["introduce"]> {
    const service = serviceOf(accused.payloadUri, accused.payloadHash);
    return ({ method, url }) => {
      const path = service === null ? null : pathBelow(service, url);
      if (path === null) return null;
      const asking = { task: this.config.task.toBase58(), worker: accused.owner, method, path };
      return auditorHeader(this.operator, asking, this.follower.guess);
    };
  }

  private runAudit(
    fn: LoadedFunction,
    facts: AuditFacts,
    evidence: readonly Evidence[],
    recording: Recording,
  ): Promise<Ran<Verdict>> {
    const { audit } = this.config.limits;
    const doors = recordDoors(this.doors(facts.submission), recording);
    return runAudit(fn, facts, doors, audit, evidence);
  }

  private runWork(fn: LoadedFunction, facts: WorkFacts): Promise<Ran<Uint8Array>> {
    return runWork(fn, facts, this.doors(), this.config.limits.work);
  }

  private runRespond(
    fn: LoadedFunction,
    request: ServiceRequest,
    facts: RespondFacts,
  ): Promise<Ran<ServiceResponse>> {
    const limits = { ...RESPOND_LIMITS, ...this.config.limits.respond };
    return runRespond(fn, request, facts, this.doors(), limits);
  }

  /** What is kept of the task, with all that this node has to do with. */
  private lookOut({ pace, listSlots }: Habits): Viewer {
    const { store, sponsor } = this;
    const { task, owner } = this.config;
    const operator = this.operator.publicKey;
    const keys = { task, node: nodeAddress(task, owner), owner, operator };
    const concerns = {
      sample: (round: bigint) => store.sample(round),
      owed: () => store.owed(owner),
      judged: () => store.judged(),
      proven: () => store.accusable(this.cursor),
      payers: () => [operator, ...(sponsor?.key ? [sponsor.key] : [])],
    };
    return new Viewer(this.source, new Kept(keys, concerns, pace), listSlots);
  }

  /** Looks at the chain whenever there may be something to do, and has it done. */
  private async loop(viewer: Viewer): Promise<void> {
    let failures = 0;
    let gone = 0;
    while (!this.ending.signal.aborted) {
      this.woken = false;
      const began = performance.now();
      try {
        gone = (await within(LOOK_MS, () => this.look(viewer))) ? 0 : gone + 1;
        failures = 0;
        this.trouble = null;
        if (gone >= GONE_LOOKS) {
          this.fail(
            new Error(
              "The task or its node is not on the chain any more. There is nothing left to do.",
            ),
          );
          return;
        }
      } catch (error) {
        if (error instanceof Fatal || (error instanceof StateError && error.damaged)) {
          this.fail(error);
          return;
        }
        failures += 1;
        const { message } = explain(error);
        if (error instanceof StateError) {
          this.noteState(error);
          this.trouble = message;
        } else {
          this.metrics.rpcErrors.inc();
          this.trouble = `The chain can't be read: ${message}`;
          this.log.warn({ message, failures }, "can't look at the chain");
        }
        await pause(backoff(250, failures), this.ending.signal);
        continue;
      }
      // Not more often, however fast the chain moves. Where calls wait for each other, those of looks are a fifth at most.
      const least = Math.min(Math.max(this.config.pollMs / 10, 50), 500);
      const calls = this.connection instanceof SharedConnection ? this.connection.msPerCall : 0;
      const took = Math.min(performance.now() - began, LOOK_CALLS * calls);
      await pause(Math.max(least, Math.min(4 * took, this.config.pollMs)), this.ending.signal);
      await this.sleep();
    }
  }

  /** False where there is nothing to look at. */
  private async look(viewer: Viewer): Promise<boolean> {
    const { slot, view: seen, short: lists } = await viewer.read(this.follower.slot);
    if (!(this.connection instanceof SharedConnection)) this.follower.clock.hear(slot);
    const left = lists.join();
    if (left !== this.leftOut) {
      if (left !== "") this.log.warn({ lists }, "the RPC server leaves out what the chain counts");
      else this.log.info("the RPC server's lists are whole again");
    }
    this.leftOut = left;
    if (slot < this.cursor) {
      // A server that was started again shows the past for a while: what is done would be due again, and what is there be gone.
      viewer.doubt();
      throw new Error(
        `The RPC server is behind: at slot ${slot.toString()} of ${this.cursor.toString()}.`,
      );
    }
    if (!seen) {
      this.follower.sleep(null);
      return false;
    }
    const view = await this.confirmed(viewer, seen);
    const now = await this.follower.now();
    // Only now: a server of another chain may be at any slot, and this node could wait for that for ever.
    this.cursor = view.slot;
    this.view = view;
    if (slot >= this.keptCursor + CURSOR_SLOTS) {
      const kept = this.keep(() => {
        this.store.moveCursor(slot);
        this.store.forgetReveals(slot, slot - BigInt(DAY_SLOTS));
      });
      if (kept) {
        this.keptCursor = slot;
        this.stateTrouble = null;
      }
    }
    if (!view.node.operator.equals(this.operator.publicKey)) {
      throw new Fatal(
        `The owner named another operator, ${view.node.operator.toBase58()}. This key can do nothing more.`,
      );
    }
    this.metrics.slot.set(Number(now));
    this.metrics.slotLag.set(Math.max(Number(now - view.slot), 0));
    this.metrics.node(view.node, view.task.rules);
    this.metrics.operatorLamports.set(view.operatorLamports);
    const newest = now > view.slot ? now : view.slot;
    this.tellSponsor(view, newest);
    // Where a sponsor pays everything, the operator needs none.
    const poor = this.needsSol && view.operatorLamports < LOW_LAMPORTS;
    if (poor && !this.poor) {
      const lamports = view.operatorLamports;
      this.log.warn({ lamports }, "the operator's SOL runs low: it pays fees and rent");
    }
    this.poor = poor;
    const { duties, wakeAt, short, unpaid } = this.plan(view, newest);
    if (short && !this.short) {
      const lamports = view.operatorLamports;
      this.log.error(
        { lamports },
        this.sponsor
          ? "`sponsor.maxPerDay` is too little for all that is due"
          : "the operator has too little SOL for all that is due",
      );
    }
    this.short = short;
    if (unpaid !== null && unpaid !== this.unpaid) {
      const works = this.config.workUnpaid;
      const about = { round: unpaid.toString(), works };
      this.log.warn(about, "the task's pool is empty: work in this round earns nothing");
    }
    this.unpaid = unpaid ?? this.unpaid;
    const mayAct = await this.mayAct(view, newest);
    const due = mayAct ? duties : duties.filter(({ kind }) => HARMLESS.includes(kind));
    const retryAt = this.doer?.start(view, due) ?? null;
    this.follower.sleep(earlier(earlier(wakeAt, retryAt), viewer.wakeAt(newest)));
    return true;
  }

  /** What a view says after what is due by it was read again. */
  private async confirmed(viewer: Viewer, view: View): Promise<View> {
    const now = this.follower.slot > view.slot ? this.follower.slot : view.slot;
    const due = this.doer?.ready(this.plan(view, now).duties) ?? [];
    const since = view.slot - (this.habits?.freshSlots ?? 0n);
    return (await viewer.confirm(due, since))?.view ?? view;
  }

  private plan(view: View, now: bigint): Plan {
    return plan(view, now, {
      config: this.config,
      owner: this.config.owner,
      operator: this.operator.publicKey,
      ...this.sponsored(view),
      store: this.store,
      secret: this.secret,
      mostFee: this.mostFee(),
    });
  }

  /** False as long as another instance of this node was active lately. Ends where the configuration says so, but not while a reveal is owed. */
  private async mayAct(view: View, now: bigint): Promise<boolean> {
    const { onOtherInstance } = this.config;
    const quietSlots = BigInt(this.config.quietSlots);
    if (quietSlots === 0n) return true;
    const watchSlots = this.habits?.watchSlots ?? WAITING_SLOTS;
    const pauseSlots = this.begun ? watchSlots : WAITING_SLOTS;
    const isDue = this.watchedAt === null || now >= this.watchedAt + pauseSlots;
    if (this.begun) {
      if (isDue) void this.watch(now);
      return true;
    }
    if (isDue && !(await this.watch(now))) {
      this.blindLooks += 1;
      this.watchedAt = null;
      if (this.blindLooks < BLIND_LOOKS) return false;
      this.log.warn("can't tell whether another instance of this node is active: goes on");
    }
    const { other } = this;
    if (other && now <= other.slot + quietSlots) {
      if (onOtherInstance === "end" && !(await this.owesReveal(view, now))) {
        throw new Fatal(
          `Another instance of this node is active: ${about(other)}. ${WAY_OUT} This one ends, as \`onOtherInstance\` says.`,
        );
      }
      return false;
    }
    if (other)
      this.log.info({ slots: quietSlots.toString() }, "the other instance is quiet: begins");
    this.begun = true;
    return true;
  }

  /** Whether there is a vote that this one can reveal. */
  private async owesReveal({ audits, votes }: View, now: bigint): Promise<boolean> {
    for (const audit of audits) {
      const { address } = audit;
      const vote = votes.get(address.toBase58());
      if (!vote || !owesReveal(audit, vote, now)) continue;
      const known = (await this.salts?.find(address, this.config.owner)) ?? [];
      if (secretOf(vote.commitment, known)) return true;
    }
    return false;
  }

  /** Looks for what another instance sent, and tells it once in a while. Whether it could look. Never rejects. */
  private async watch(now: bigint): Promise<boolean> {
    this.watchedAt = now;
    const quietSlots = BigInt(this.config.quietSlots);
    try {
      const found = await this.instances.look(now - quietSlots);
      if (!found) return true;
      this.other = found;
      if (this.toldOther !== null && found.slot <= this.toldOther + quietSlots) return true;
      this.toldOther = found.slot;
      const { signature, slot } = found;
      const secondsAgo = Math.round(this.follower.duration(now - slot) / 1_000);
      const what = this.begun
        ? "Both go on: what the chain takes once is done once, but each pays, and answers for what the other signs."
        : `This one waits until nothing of it was seen for ${quietSlots} slots, and only reveals what it has committed.`;
      this.log.warn(
        { signature, slot: slot.toString(), secondsAgo },
        `ANOTHER INSTANCE of this node is active. ${what} ${WAY_OUT}`,
      );
      return true;
    } catch (error) {
      if (this.ending.signal.aborted) return false;
      this.log.warn({ message: explain(error).message }, "can't look for another instance");
      return false;
    }
  }

  private get needsSol(): boolean {
    return this.sponsor?.fallback !== "none";
  }

  /** What may be asked of the sponsor; nothing where there is none. */
  private sponsored({ slot }: View): Pick<PlanOptions, "sponsor"> {
    const { sponsor } = this;
    if (!sponsor) return {};
    const { key: address, maxPerDay, fallback, trouble } = sponsor;
    const sent = maxPerDay === undefined ? 0 : this.outbox.sentSince(Number(slot) - DAY_SLOTS);
    const left = maxPerDay === undefined ? UNBOUNDED : BigInt(Math.max(maxPerDay - sent, 0));
    const isOwn = fallback === "operator" && (trouble !== null || left === 0n);
    return { sponsor: { address, left: isOwn ? null : left } };
  }

  /** Lamports that one transaction may cost. */
  private mostFee(): bigint {
    // What leaders don't take costs more and more, up to that.
    return LAMPORTS_PER_SIGNATURE + this.config.maxFeeLamports;
  }

  private sleep(): Promise<void> {
    if (this.woken || this.ending.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.wakeUp = resolve;
    });
  }

  private wake(): void {
    this.woken = true;
    this.wakeUp();
    this.wakeUp = nothing;
  }

  /** Writes what the node can go on without for a while. Whether it is written. */
  private keep(write: () => void): boolean {
    try {
      write();
    } catch (error) {
      this.noteState(error);
      return false;
    }
    return true;
  }

  /** Told once for each reason: it may come many times a second. */
  private noteState(error: unknown): void {
    if (error instanceof StateError && error.damaged) throw error;
    this.metrics.stateErrors.inc();
    const message = error instanceof Error ? error.message : String(error);
    if (message === this.stateTrouble) return;
    this.stateTrouble = message;
    this.log.error({ message }, "the state can't be written: what can do without goes on");
  }

  private fail(error: Error): void {
    this.log.error({ message: error.message }, "ends");
    this.settleDone.reject(error);
    // The loop that calls this is waited for by the stop.
    setImmediate(() => void this.stop());
  }

  private noteStep({ step, ...rest }: SendStep): void {
    this.metrics.sends.inc({ step });
    this.sentAt = performance.now();
    if (step === "trouble") {
      this.metrics.rpcErrors.inc();
      this.log.warn(rest, "trouble with a transaction");
    } else if (step === "late" || step === "raised") {
      this.log.warn(rest, step === "late" ? "a transaction is not taken" : "its price is raised");
    } else this.log.debug(rest, `transaction ${step}`);
  }
}

/** A stranger's question may not cost what an audit may. */
const RESPOND_LIMITS = { memoryBytes: 33_554_432, computeMs: 1_000, totalMs: 10_000, doorCalls: 8 };

/** Something that no waiting mends. */
class Fatal extends Error {}

const WAY_OUT =
  "It may be a daemon on another machine, the command line with the operator's key, or this node before its state was lost. " +
  "Stop the other, or name another operator for this one with `securing-tasks node operator`. Where you are sure that there is no other, set `quietSlots: 0`.";

/** What is told of another instance's transaction. */
function about({ signature, slot }: Sighting): string {
  return `the operator's key signed ${signature} at slot ${slot}, and this state did not send it`;
}

function earlier(a: bigint | null, b: bigint | null): bigint | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

function sooner(a: bigint | null, b: bigint): bigint {
  return a === null || b < a ? b : a;
}

function nothing(): void {
  // Nothing to do.
}
