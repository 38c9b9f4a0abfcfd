import { equalBytes } from "@noble/curves/utils";
import { sha256 } from "@noble/hashes/sha2";
import { bytesToHex } from "@noble/hashes/utils";
import type {
  Accusation,
  Audit,
  EvidenceRef,
  GateProof,
  Opinion,
  SaltStore,
  SecuringTasksClient,
  Submission,
  FunctionRef,
  Vote,
} from "@securing-tasks/client";
import {
  DRAW_WINDOW,
  PROGRAM_ID,
  appealFault,
  auditAddress,
  decodeAccount,
  explain,
  roundAt,
  sealReveal,
  sealedSecret,
  secretHash,
  secretOf,
  submissionEnd,
  verdictOf,
  voteAddress,
} from "@securing-tasks/client";
import type {
  AuditFacts,
  Evidence,
  LoadedFunction,
  Ran,
  Recording,
  Verdict,
  WorkFacts,
} from "@securing-tasks/sandbox/core";
import {
  auditFacts,
  evidenceHash,
  evidenceText,
  readEvidence,
  recordedHash,
  recordedText,
  runRecording,
  workFacts,
} from "@securing-tasks/sandbox/core";
import type { Connection, Keypair, PublicKey } from "@solana/web3.js";
import type { Follower } from "./follower";
import type { Download, Log, Metrics, Urgency } from "./host";
import { entrust } from "./keeper";
import { Lane } from "./lane";
import { handover } from "./inbox";
import type { Peer } from "./peers";
import { MOST_ACCUSERS, accusersOf, askPeers, handAround, peersOf, serviceOf } from "./peers";
import type { Duty } from "./plan";
import { canReveal, denies, isUndrawn } from "./plan";
import { refusalKind } from "./refusals";
import type { Roster } from "./roster";
import { roundSeed } from "./sampling";
import type { Delivery, Errand, Sender } from "./sender";
import { Stopped, backoff, pause } from "./sender";
import { SponsorError } from "./sponsor";
import type { Settings } from "./settings";
import type { Judgement, State } from "./state";
import type { View } from "./view";

export interface DoerOptions {
  readonly config: Settings;
  readonly client: SecuringTasksClient;
  readonly connection: Connection;
  readonly operator: Keypair;
  readonly store: State;
  /** Writes what the node can go on without for a while. Whether it is written. */
  readonly keep: (write: () => void) => boolean;
  readonly salts: SaltStore;
  /** What this node draws the panel of an own accusation by: the same after a restart. */
  readonly drawSecret: (audit: PublicKey) => Uint8Array;
  readonly sender: Sender;
  readonly follower: Follower;
  /** Who else takes part. */
  readonly roster: Pick<Roster, "samples" | "neighbours">;
  readonly metrics: Metrics;
  readonly log: Log;
  /** What the node shows to a gate that the client can't answer by itself. */
  readonly gate: { readonly gate?: GateProof };
  readonly loadFunction: (ref: FunctionRef) => Promise<LoadedFunction>;
  readonly runAudit: (
    fn: LoadedFunction,
    facts: AuditFacts,
    evidence: readonly Evidence[],
    recording: Recording,
  ) => Promise<Ran<Verdict>>;
  readonly runWork: (fn: LoadedFunction, facts: WorkFacts) => Promise<Ran<Uint8Array>>;
  /** Whether others can reach the node, as far as it can tell: no work is submitted before. */
  readonly isReached: () => boolean;
  /** Called when a duty ended, well or not; at which slot, where something was done on the chain. */
  readonly onDone: (duty: Duty, slot: bigint | undefined) => void;
  readonly within: Urgency["within"];
  /** How peers and keepers are asked. */
  readonly download: Download;
  readonly signal: AbortSignal;
}

/** How a duty ended: `wait` to be looked at again after a while, `over` never again. */
type End =
  | { readonly end: "done"; readonly slot?: bigint }
  | { readonly end: "wait"; readonly why: string }
  | { readonly end: "over"; readonly why: string };

interface Rest {
  failures: number;
  /** Not before this moment of {@link performance}'s clock, which nobody sets back. */
  notBefore: number;
  /** Not by a view older than this slot: it does not show yet what was done. */
  seenBy: bigint;
  over: boolean;
}

const DONE: End = { end: "done" };
const TOO_LATE: End = { end: "over", why: "its turn came too late" };
/** Runs of an audit function that throws, before the node gives up on a case. */
const MOST_RUNS = 3;
/** Audits that run at once: each has a thread. */
const AUDITS_AT_ONCE = 4;
/** Submissions about which peers are asked at once. */
const QUESTIONS_AT_ONCE = 4;
/** Runs of one check: two in a row must agree before anybody is accused. */
const MOST_CHECKS = 3;
/** Most time for asking peers what they heard, and most part of what is left of a window. */
const PEERS_MS = 5_000;
const PEERS_PART = 10;
/** What has no window waits for all that is due within this. */
const UNHURRIED_MS = 300_000;
/** Of where the evidence of an accusation is. */
const MOST_URI_BYTES = 128;
const RETRY_MS = 250;
const MOST_PAUSE_MS = 60_000;

/**
 * What is sent together. Reveals and votes share with their own kind alone: somebody else's chore must not make them fail. What anybody
 * may do is often done by somebody else a moment before, and shares nothing with what only this node does.
 */
const SHARES: Partial<Record<Duty["kind"], string>> = {
  reveal: "reveals",
  cast: "votes",
  commit: "votes",
  resolve: "verdicts",
  claimVote: "chores",
  closeVote: "chores",
  closeAudit: "chores",
  sweepAudit: "chores",
  claimBounty: "chores",
  closeSubmission: "chores",
  closeRound: "chores",
};
/** What has less time left is sent alone: there must be time to do it again. */
const SHARE_SLOTS = 64n;

/** An account that is left out is written as the program's own address. */
const NO_PROOF: GateProof = { proof: PROGRAM_ID, mint: PROGRAM_ID };

const APPEAL_FAULTS: Readonly<Record<NonNullable<ReturnType<typeof appealFault>>, string>> = {
  stakePledged: "the stake is pledged to this node's own open accusations and appeals.",
  stakeAtRisk: "what open audits against this node could take can't be pledged too.",
};

const OPINION_OF: Readonly<Record<Verdict, Opinion>> = {
  valid: "valid",
  downtime: "downtime",
  malicious: "malice",
};

/** Does what is due, each thing once at a time, and again later where it failed for a reason that may pass. */
export class Doer {
  private readonly running = new Map<string, Promise<void>>();
  private readonly rests = new Map<string, Rest>();
  private readonly runs = new Map<string, number>();
  private readonly audits = new Lane(AUDITS_AT_ONCE, Infinity);
  /** However many audits run, the work of this round does not wait for them. */
  private readonly works = new Lane(1, Infinity);
  /** To peers. */
  private readonly questions = new Lane(QUESTIONS_AT_ONCE, Infinity);
  /** Own submissions that the state knows to be on the chain. */
  private readonly submitted = new Set<string>();
  /** Own accusations whose panel was not drawn in time, which is told once. */
  private readonly undrawn = new Set<string>();
  /** Audits that this node would appeal, and its stake does not allow it, which is told once. */
  private readonly unlent = new Set<string>();

  constructor(private readonly options: DoerOptions) {}

  /** Begins what is not begun. Returns the slot by which something put off may be tried again, as far as can be told. */
  start(view: View, duties: readonly Duty[]): bigint | null {
    for (const audit of view.audits) {
      if (!audit.initiator.equals(this.options.config.owner)) continue;
      const { accusation, outcome, endSlot } = audit;
      const kept = { audit: audit.address.toBase58(), accusation, outcome, endSlot };
      this.options.keep(() => {
        this.options.store.keepAccusation(audit.submission.toBase58(), kept);
      });
    }
    this.noteSubmitted(view);
    this.noteUndrawn(view);
    let soonest: number | null = null;
    const now = performance.now();
    for (const duty of duties) {
      if (this.running.has(duty.key)) continue;
      const rest = this.rests.get(duty.key);
      if (rest && (rest.over || view.slot < rest.seenBy)) continue;
      if (rest && now < rest.notBefore) {
        if (soonest === null || rest.notBefore < soonest) soonest = rest.notBefore;
        continue;
      }
      this.running.set(duty.key, this.doOne(view, duty));
    }
    this.forget(duties);
    if (soonest === null) return null;
    const { follower } = this.options;
    const slots = Math.ceil((soonest - now) / Math.max(follower.duration(1n), 1));
    return follower.slot + BigInt(Math.max(slots, 1));
  }

  /** Those that would be begun by now. */
  ready(duties: readonly Duty[]): Duty[] {
    const now = performance.now();
    return duties.filter(({ key }) => {
      const rest = this.rests.get(key);
      return !this.running.has(key) && !(rest && (rest.over || now < rest.notBefore));
    });
  }

  /** From here on answers can be signed for it. */
  private noteSubmitted({ submissions }: View): void {
    const { config, keep, store } = this.options;
    for (const { address, owner, round, payloadHash, payloadUri, slot } of submissions) {
      const name = address.toBase58();
      if (!owner.equals(config.owner) || this.submitted.has(name)) continue;
      const hash = Buffer.from(payloadHash).toString("hex");
      const kept = keep(() => {
        store.keepSubmitted(round, hash, name, slot);
      });
      if (!kept) continue;
      this.submitted.add(name);
      const url = config.http?.publicUrl;
      if (url === undefined || payloadUri.startsWith(`${url}/`)) continue;
      this.options.log.warn(
        { round: round.toString(), payloadUri },
        "work was submitted with another address: keep it served there until nobody can audit it",
      );
    }
  }

  private noteUndrawn({ audits, slot }: View): void {
    for (const audit of audits) {
      const name = audit.address.toBase58();
      if (!audit.initiator.equals(this.options.config.owner) || !isUndrawn(audit)) continue;
      if (slot < audit.drawSlot + DRAW_WINDOW || this.undrawn.has(name)) continue;
      this.undrawn.add(name);
      this.options.metrics.missedDraws.inc();
      this.options.log.warn(
        { audit: name, drawSlot: audit.drawSlot.toString() },
        "the panel of an own accusation was not drawn in time: everybody eligible judges now",
      );
    }
  }

  /** Waits until nothing is being done. */
  async idle(): Promise<void> {
    await Promise.all(this.running.values());
  }

  /** What is not due any more need not be remembered. */
  private forget(duties: readonly Duty[]): void {
    const due = new Set(duties.map(({ key }) => key));
    for (const key of this.rests.keys()) {
      if (!due.has(key) && !this.running.has(key)) this.rests.delete(key);
    }
    for (const key of this.runs.keys()) if (!due.has(key)) this.runs.delete(key);
  }

  private async doOne(view: View, duty: Duty): Promise<void> {
    const { follower, log, signal } = this.options;
    const rest = this.rests.get(duty.key) ?? { failures: 0, notBefore: 0, seenBy: 0n, over: false };
    let doneAt: bigint | undefined;
    try {
      const { until } = duty;
      const ms = until === undefined ? UNHURRIED_MS : follower.duration(until - follower.slot);
      const ended = await this.options.within(ms, () => this.perform(view, duty));
      if (ended.end === "done") {
        rest.failures = 0;
        doneAt = ended.slot;
        rest.seenBy = doneAt ?? 0n;
        rest.notBefore = 0;
      } else if (ended.end === "over") {
        rest.over = true;
        log.info({ duty: duty.key, why: ended.why }, "given up");
      } else {
        this.putOff(rest, duty);
        log.debug({ duty: duty.key, why: ended.why }, "put off");
      }
    } catch (error) {
      if (signal.aborted || error instanceof Stopped) return;
      const isSponsors = error instanceof SponsorError;
      if (!isSponsors) this.options.metrics.rpcErrors.inc();
      this.putOff(rest, duty);
      const { message } = isSponsors ? error : explain(error);
      log.warn({ duty: duty.key, message, failures: rest.failures }, "failed, will try again");
    } finally {
      this.rests.set(duty.key, rest);
      this.running.delete(duty.key);
      this.options.onDone(duty, doneAt);
    }
  }

  private putOff(rest: Rest, { until }: Duty): void {
    const { follower } = this.options;
    // A window that closes is tried more often than what can wait.
    const left = until === undefined ? Infinity : follower.duration(until - follower.slot);
    const most = Math.max(Math.min(MOST_PAUSE_MS, left / 10), RETRY_MS);
    rest.failures += 1;
    rest.notBefore = performance.now() + backoff(RETRY_MS, rest.failures, most);
  }

  private perform(view: View, duty: Duty): Promise<End> {
    const { client, config, operator, salts } = this.options;
    const [task, owner] = [config.task, config.owner];
    const me = { task, operator: operator.publicKey, ...this.gate(view) };
    switch (duty.kind) {
      case "work":
        return this.work(view, duty.round, duty.until ?? 0n);
      case "sample":
        return this.sample(view, duty.round);
      case "check":
        return this.check(view, duty.submission, duty.until ?? 0n);
      case "hand":
        return this.hand(view, duty.submission);
      case "judge":
        return this.judge(view, duty);
      case "restore":
        return this.restore(view, duty.submission, duty.key, duty.until ?? 0n);
      case "submit": {
        const { round, hash } = duty.work;
        if (!this.options.isReached()) {
          return Promise.resolve({ end: "wait", why: "the node does not reach itself yet" });
        }
        return this.send(duty, async (payer) => {
          const payloadHash = Buffer.from(hash, "hex");
          // As of now: the address may have changed since the work was made.
          const payloadUri = `${config.http?.publicUrl ?? ""}/payload/${hash}`;
          const args = { ...me, payer, owner, round, payloadHash, payloadUri };
          return [await client.submitWork(args).instruction()];
        });
      }
      case "accuse":
        return this.accuse(view, duty);
      case "cast":
        return this.vote(view, duty, async (payer) => {
          const { audit, opinion } = duty;
          const ballot = { ...me, payer, audit: audit.address, voter: owner, opinion };
          return [await client.castVote(ballot).instruction()];
        });
      case "commit":
        return this.vote(view, duty, async (payer) => {
          const { audit, opinion } = duty;
          const ballot = { ...me, payer, audit: audit.address, voter: owner, opinion, salts };
          const { builder } = await client.commitVote(ballot);
          return [await builder.instruction()];
        });
      case "reveal":
        return this.reveal(view, duty);
      case "entrust":
        return this.entrust(duty);
      case "revealFor":
        return this.revealFor(duty);
      case "draw":
        return this.draw(duty);
      case "appeal":
        return this.appeal(view, duty);
      case "resolve":
        return this.send(duty, async () => [
          await client.resolveAudit({ ...duty.audit, round: duty.round }).instruction(),
        ]);
      case "claimVote":
        return this.claimVote(duty);
      case "closeVote":
        return this.closeVote(duty, duty.vote);
      case "closeAudit":
        return this.send(duty, async () => [await client.closeAudit(duty.audit).instruction()]);
      case "sweepAudit":
        return this.sweep(duty);
      case "claimBounty":
        return this.send(duty, async () => [
          await client.claimBounty(duty.submission).instruction(),
        ]);
      case "closeSubmission":
        return this.send(duty, async () => [
          await client.closeSubmission(duty.submission).instruction(),
        ]);
      case "closeRound":
        return this.send(duty, async () => [await client.closeRound(duty.round).instruction()]);
    }
  }

  /** Makes the payload of a round and keeps it. Sending it is the next duty. */
  private async work(view: View, round: bigint, until: bigint): Promise<End> {
    const { config, connection, store, log, metrics } = this.options;
    const { taskFunction } = view.task;
    const publicUrl = config.http?.publicUrl ?? null;
    if (!taskFunction || publicUrl === null) return { end: "over", why: "nothing to work with" };
    const fn = await this.options.loadFunction(taskFunction);
    const facts = await workFacts(connection, view.task, round, {
      owner: config.owner,
      operator: this.options.operator.publicKey,
      publicUrl,
      secrets: config.secrets,
    });
    const ran = await this.inTurn(this.works, until, () => this.options.runWork(fn, facts));
    if (!ran) return TOO_LATE;
    const about = { round: round.toString(), computeMs: ran.computeMs };
    if (!ran.ok) {
      const { kind, message } = ran.failure;
      metrics.sandboxFailures.inc({ function: "work", kind });
      log.error({ ...about, kind, message, log: ran.log }, "the task function failed");
      // What it works with may be there in a moment, as long as the window is open.
      return { end: "wait", why: message };
    }
    const payload = ran.value;
    const hash = bytesToHex(sha256(payload));
    if (config.keepPayloadRounds !== undefined) {
      store.forgetWorks(round - BigInt(config.keepPayloadRounds));
    }
    store.keepWork({ round, hash, payload }, facts.seed);
    log.info({ ...about, hash, bytes: payload.length }, "worked");
    return DONE;
  }

  /** Makes the payload of own work again that the state lost, so that it is served. What is not the same as on the chain is of no use. */
  private async restore(
    view: View,
    submission: Submission,
    key: string,
    until: bigint,
  ): Promise<End> {
    const { config, connection, store, log, metrics } = this.options;
    const { taskFunction } = view.task;
    const { address, round, slot } = submission;
    const hash = Buffer.from(submission.payloadHash).toString("hex");
    if (!taskFunction) return { end: "over", why: "nothing to work with" };
    const fn = await this.options.loadFunction(taskFunction);
    const facts = await workFacts(connection, view.task, round, {
      owner: config.owner,
      operator: this.options.operator.publicKey,
      // As it was then: it may be part of the payload.
      publicUrl: serviceOf(submission.payloadUri, hash),
      secrets: config.secrets,
    });
    const ran = await this.inTurn(this.works, until, () => this.options.runWork(fn, facts));
    if (!ran) return TOO_LATE;
    const about = { round: round.toString(), hash };
    if (!ran.ok) {
      const { kind, message } = ran.failure;
      metrics.sandboxFailures.inc({ function: "work", kind });
      log.error({ ...about, kind, message, log: ran.log }, "can't make a lost payload again");
      return { end: "wait", why: message };
    }
    const payload = ran.value;
    if (bytesToHex(sha256(payload)) === hash) {
      store.restoreWork({ round, hash, payload }, facts.seed, address.toBase58(), slot);
      log.warn(about, "made a lost payload again");
      return DONE;
    }
    const runs = (this.runs.get(key) ?? 0) + 1;
    this.runs.set(key, runs);
    if (runs < MOST_RUNS) return { end: "wait", why: "it is another payload" };
    log.error(
      { ...about, until: until.toString() },
      "A PAYLOAD IS LOST: it is not in the state, and the task function makes another one now. Whoever audits this work finds it down. Put a copy of the state back if there is one",
    );
    return { end: "over", why: "it is another payload" };
  }

  private async sample(view: View, round: bigint): Promise<End> {
    const { config, connection, roster, store, log } = this.options;
    const end = submissionEnd(view.task, round);
    const seed = await roundSeed(connection, config.task, round, end);
    if (!seed) return { end: "wait", why: "no block yet" };
    const self = config.owner.toBase58();
    const owners = await roster.samples(view, round, { seed, self, samples: config.samples });
    if (!owners) {
      return { end: "wait", why: "the server's list is shorter than what the chain counts" };
    }
    store.keepSample(round, owners);
    log.info({ round: round.toString(), owners }, "will check");
    return DONE;
  }

  /**
   * The slot of what was seen now. Never one before the view that asked for it: where the subscription is behind, a look would be too old
   * for its purpose as soon as it was done, and be done again without an end.
   */
  private seenSlot({ slot }: View): bigint {
    const { follower } = this.options;
    // No guess: a turn that is counted from a slot that is not there yet comes too late.
    return follower.known > slot ? follower.known : slot;
  }

  /** Looks at a submission unasked. Guilty is what two runs in a row say, so that a blip is nobody's fault. */
  private async check(view: View, submission: Submission, until: bigint): Promise<End> {
    const { config, follower, store, log, metrics, signal } = this.options;
    const address = submission.address.toBase58();
    let last: Opinion | null = null;
    for (let run = 0; run < MOST_CHECKS; run += 1) {
      const found = await this.judgement(view, submission, `check:${address}`, until);
      if ("end" in found) return found;
      const { opinion, reason, evidence = false } = found;
      // What the accused signed can be no blip.
      if (opinion === null || opinion === "valid" || opinion === last || evidence) {
        store.keepCheck(address, { opinion, reason, slot: this.seenSlot(view), evidence });
        metrics.checks.inc({ result: opinion ?? "failed" });
        const round = submission.round.toString();
        const about = { round, submission: address, opinion, reason, evidence };
        log.info({ ...about, runs: run + 1 }, "checked");
        return DONE;
      }
      last = opinion;
      if (opinion === "downtime") {
        const left = follower.duration(until - follower.slot);
        await pause(Math.min(config.recheckMs, Math.max(left / 4, 0)), signal);
        if (signal.aborted) throw new Stopped();
      }
    }
    const reason = "no two runs in a row agreed";
    store.keepCheck(address, { opinion: null, reason, slot: this.seenSlot(view) });
    metrics.checks.inc({ result: "failed" });
    log.warn({ submission: address }, `${reason}: nobody is accused`);
    return DONE;
  }

  /** Forms the opinion on an audit, once, and keeps it. Voting is the next duty. */
  private async judge(
    view: View,
    { key, audit, submission, until }: Duty & { kind: "judge" },
  ): Promise<End> {
    const { store, log } = this.options;
    const found = await this.judgement(view, submission, key, until ?? 0n);
    if ("end" in found) return found;
    const address = audit.address.toBase58();
    const { opinion, reason, evidence } = store.keepOpinion(address, found);
    const about = { audit: address, round: submission.round.toString(), opinion, reason, evidence };
    if (opinion === null) log.warn(about, "does not vote");
    else log.info(about, "judged");
    return DONE;
  }

  /** What the audit function says. No opinion where it failed: that is never the accused's fault. */
  private async judgement(
    view: View,
    submission: Submission,
    key: string,
    until: bigint,
  ): Promise<Judgement | End> {
    const { connection, metrics, log } = this.options;
    const fn = await this.options.loadFunction(view.task.auditFunction);
    const facts = await auditFacts(connection, view.task, submission);
    const known = await this.evidence(view, submission, facts, until);
    const recording = runRecording();
    const ran = await this.inTurn(this.audits, until, () =>
      this.options.runAudit(fn, facts, known, recording),
    );
    if (!ran) return TOO_LATE;
    if (ran.ok) {
      const evidence = this.keepEvidence(facts, ran.evidence ?? []);
      // A juror accuses by evidence alone.
      if (evidence || key === `check:${facts.submission.address}`) {
        await this.keepRecording(fn, facts, known, recording, ran.value);
      }
      return { opinion: OPINION_OF[ran.value], reason: ran.log.at(-1) ?? "", evidence };
    }
    const { kind, message, ours } = ran.failure;
    metrics.sandboxFailures.inc({ function: "audit", kind });
    log.warn({ duty: key, kind, ours, message, log: ran.log }, "the audit function failed");
    // This node's own trouble passes, and says nothing about anybody.
    if (ours) return { end: "wait", why: message };
    // What the function does wrong, it mostly does again.
    const runs = (this.runs.get(key) ?? 0) + 1;
    this.runs.set(key, runs);
    if (kind === "error" && runs < MOST_RUNS) return { end: "wait", why: message };
    return { opinion: null, reason: `${kind}: ${message}` };
  }

  /** What this node heard of the accused, or else what others did: what they brought first, and then what they give when they are asked. */
  private async evidence(
    view: View,
    submission: Submission,
    facts: AuditFacts,
    until: bigint,
  ): Promise<readonly Evidence[]> {
    const { follower } = this.options;
    const kept = this.kept(facts);
    if (kept.length > 0) return kept;
    const told = this.told(facts);
    const peers = await this.peers(view, submission);
    // Many audits at once would be many questions at once.
    const asked = await this.inTurn(this.questions, until, () => {
      const left = follower.duration(until - follower.slot);
      const budgetMs = Math.min(PEERS_MS, left / PEERS_PART);
      return askPeers({ facts, peers, budgetMs, download: this.options.download });
    });
    return [...told, ...(asked ?? [])];
  }

  private kept(facts: AuditFacts): readonly Evidence[] {
    const { store } = this.options;
    return store
      .evidenceOf(facts.submission.address)
      .flatMap((hash) => readEvidence(facts, store.evidence(hash) ?? "", hash) ?? []);
  }

  private told(facts: AuditFacts): readonly Evidence[] {
    const all = this.options.store.toldOf(facts.submission.address);
    return all.flatMap(({ hash, content }) => readEvidence(facts, content, hash) ?? []);
  }

  /** Who may have heard something of who made this. */
  private async peers(view: View, { owner, address, round }: Submission): Promise<Peer[]> {
    const { config, log, roster } = this.options;
    const { allowPrivateNetwork } = config;
    const but = [config.owner.toBase58(), owner.toBase58()];
    const accusers = accusersOf(view.audits, address);
    const rounds = [round, roundAt(view.task, view.slot)];
    const works = await roster
      .neighbours(view, rounds, accusers.slice(0, MOST_ACCUSERS))
      .catch((error: unknown) => {
        log.debug({ message: explain(error).message }, "can't look for peers");
        return [];
      });
    return peersOf(
      [view.submissions, works],
      { but, accusers, allowPrivateNetwork },
      config.evidence.peers,
    );
  }

  /** Brings what proves malice to other workers. */
  private async hand(view: View, submission: Submission): Promise<End> {
    const { config, operator, store, log } = this.options;
    const address = submission.address.toBase58();
    const [hash] = store.evidenceOf(address);
    const content = hash === undefined ? null : store.evidence(hash);
    if (content === null) return { end: "over", why: "the evidence is gone" };
    const piece = handover({ owner: config.owner, operator }, submission.address, content);
    const took = await handAround(piece, await this.peers(view, submission), this.options.download);
    store.keepHanded(address, took);
    log.info({ submission: address, took }, "handed evidence around");
    return took > 0 ? DONE : { end: "wait", why: "nobody took the evidence" };
  }

  /**
   * Votes; but who would say less than malice looks first whether others have heard more by now.
   *
   * Attack: the accused lies to one node alone, and is honest or dark for all others before that one could tell them.
   */
  private async vote(
    view: View,
    duty: Duty & { kind: "cast" | "commit" },
    instructions: Errand["instructions"],
  ): Promise<End> {
    const { connection, store, log } = this.options;
    const submission = view.submissions.find(({ address }) =>
      address.equals(duty.audit.submission),
    );
    if (duty.opinion !== "malice" && submission) {
      const until = duty.until ?? 0n;
      const facts = await auditFacts(connection, view.task, submission);
      const known = await this.evidence(view, submission, facts, until);
      const found = known.length > 0 ? await this.judgedBy(view, facts, known, until) : null;
      if (found) {
        const audit = duty.audit.address.toBase58();
        store.raiseOpinion(audit, found);
        log.info({ audit, opinion: "malice", reason: found }, "judged anew, by evidence");
        return { end: "wait", why: "there is evidence" };
      }
    }
    return this.send(duty, instructions);
  }

  /** Why it is malice by what is known; null where that proves none. */
  private async judgedBy(
    view: View,
    facts: AuditFacts,
    known: readonly Evidence[],
    until: bigint,
  ): Promise<string | null> {
    const fn = await this.options.loadFunction(view.task.auditFunction);
    const recording = runRecording();
    const ran = await this.inTurn(this.audits, until, () =>
      this.options.runAudit(fn, facts, known, recording),
    );
    if (!ran?.ok || ran.value !== "malicious") return null;
    await this.keepRecording(fn, facts, known, recording, ran.value);
    return this.keepEvidence(facts, ran.evidence ?? []) ? (ran.log.at(-1) ?? "") : null;
  }

  /** Keeps what proves malice, for others and for later. Whether there was any. */
  private keepEvidence(facts: AuditFacts, proofs: readonly Evidence[]): boolean {
    const { follower, metrics, store } = this.options;
    for (const proof of proofs) {
      const hash = evidenceHash(proof);
      if (store.evidence(hash) !== null) continue;
      const { address, caseEnd } = facts.submission;
      const content = evidenceText(proof);
      store.keepEvidence({ hash, submission: address, caseEnd, content }, follower.slot);
      metrics.evidence.inc();
    }
    return proofs.length > 0;
  }

  /** Keeps why somebody is guilty, for an accusation. */
  private async keepRecording(
    fn: LoadedFunction,
    facts: AuditFacts,
    known: readonly Evidence[],
    recording: Recording,
    verdict: Verdict,
  ): Promise<void> {
    const { keep, log, store } = this.options;
    if (verdict === "valid") return;
    const content = await recordedText(fn, facts, known, recording, verdict);
    const { address: submission, caseEnd } = facts.submission;
    if (content === null) {
      log.warn({ submission, verdict }, "the run can't be played again, and is no evidence");
      return;
    }
    const hash = recordedHash(content);
    keep(() => {
      store.keepRecording({ hash, submission, opinion: OPINION_OF[verdict], caseEnd, content });
    });
  }

  /** What goes with an accusation: the recording of the run that found it. */
  private reasons(submission: string, accusation: Accusation): EvidenceRef | null {
    const { config, keep, store } = this.options;
    const hash = store.recordingOf(submission, accusation);
    if (hash === null) return null;
    const isPublic = keep(() => {
      store.publishRecording(hash);
    });
    const url = config.http && `${config.http.publicUrl}/evidence/${hash}`;
    const uri = isPublic && url && Buffer.byteLength(url) <= MOST_URI_BYTES ? url : "";
    return { hash: Buffer.from(hash, "hex"), uri };
  }

  /** Runs something when its turn comes. Null where that was too late. A stop does not wait for it. */
  private async inTurn<T>(lane: Lane, until: bigint, act: () => Promise<T>): Promise<T | null> {
    const { follower, signal } = this.options;
    let stop: () => void = () => undefined;
    const stopped = new Promise<never>((_resolve, reject) => {
      stop = (): void => {
        reject(new Stopped());
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
    const run = lane.run(async () => {
      if (signal.aborted) throw new Stopped();
      // By what was heard, not by a guess: what is given up here is lost.
      return follower.known < until ? act() : null;
    }, until);
    try {
      return await Promise.race([run, stopped]);
    } finally {
      signal.removeEventListener("abort", stop);
      // Nobody waits for what comes of it after a stop.
      run.catch(() => undefined);
    }
  }

  /** Keeps that it accused before another look at the chain may miss it: a second accusation would take a second bond. */
  private async accuse(view: View, duty: Duty & { kind: "accuse" }): Promise<End> {
    const { client, config, operator, store } = this.options;
    const { submission, accusation, index } = duty;
    const evidence = this.reasons(submission.address.toBase58(), accusation);
    const audit = auditAddress(submission.address, config.owner, index);
    const drawn = view.task.rules.panelSeats > 0;
    const end = await this.send(duty, async (payer) => [
      await client
        .openAudit({
          task: config.task,
          payer,
          operator: operator.publicKey,
          ...this.gate(view),
          round: submission.round,
          accused: submission.owner,
          initiator: config.owner,
          accusation,
          index,
          ...(evidence && { evidence }),
          ...(drawn && { secretHash: secretHash(this.options.drawSecret(audit)) }),
        })
        .instruction(),
    ]);
    if (end.end === "done" && end.slot !== undefined) {
      const { commitSlots, revealSlots } = view.task.rules;
      store.keepAccusation(submission.address.toBase58(), {
        audit: audit.toBase58(),
        accusation,
        outcome: "open",
        endSlot: end.slot + commitSlots + revealSlots,
      });
    }
    return end;
  }

  private async draw(duty: Duty & { kind: "draw" }): Promise<End> {
    const { client, drawSecret, log } = this.options;
    const { address, secretHash: asked } = duty.audit;
    const secret = drawSecret(address);
    if (asked === null || !equalBytes(secretHash(secret), asked)) {
      log.warn(
        { audit: address.toBase58(), until: duty.until?.toString() },
        "the panel of an own accusation can't be drawn with this operator's key: whoever accused with another one draws it, or else everybody judges",
      );
      return { end: "over", why: "the secret is another's" };
    }
    return this.send(duty, async () => [
      await client.drawPanel({ audit: address, secret }).instruction(),
    ]);
  }

  /** Appeals, unless what others know shows that the count is right, or the stake does not allow it. */
  private async appeal(view: View, duty: Duty & { kind: "appeal" }): Promise<End> {
    const { client, config, operator, log } = this.options;
    const { audit, submission, opinion } = duty;
    const name = audit.address.toBase58();
    if (opinion === "valid" && !audit.accused.equals(config.owner)) {
      const { connection, store } = this.options;
      const until = duty.until ?? 0n;
      const facts = await auditFacts(connection, view.task, submission);
      const known = await this.evidence(view, submission, facts, until);
      const reason = known.length > 0 ? await this.judgedBy(view, facts, known, until) : null;
      if (reason !== null) {
        const slot = this.seenSlot(view);
        const found = { opinion: "malice", reason, slot, evidence: true } as const;
        store.keepCheck(submission.address.toBase58(), found);
        log.info({ audit: name, reason }, "no appeal: there is evidence");
        return { end: "wait", why: "there is evidence" };
      }
    }
    // Attack: on a list that a server read before the last reveals, any count looks wrong.
    const counted = await this.settled(audit);
    if (!counted || counted.appealSlot > 0n || !denies(verdictOf(counted), opinion)) {
      return { end: "wait", why: "the count is another by now" };
    }
    const fault = appealFault(view.node, view.task.rules);
    if (fault !== null) {
      if (!this.unlent.has(name)) {
        this.unlent.add(name);
        const { appealBond } = view.task.rules;
        const until = duty.until?.toString();
        log.error(
          { audit: name, bond: appealBond.toString(), until, fault },
          `CAN'T APPEAL: ${APPEAL_FAULTS[fault]} Add stake with \`securing-tasks node stake\` before the slot in \`until\`, or have another node appeal`,
        );
      }
      return { end: "wait", why: fault };
    }
    log.info({ audit: name, counted: verdictOf(counted), opinion }, "appeals");
    return this.send(duty, async () => [
      await client
        .appealAudit({
          task: config.task,
          audit: audit.address,
          appellant: config.owner,
          operator: operator.publicKey,
        })
        .instruction(),
    ]);
  }

  /** An audit once all votes of its running count are in; null where the server has none. */
  private async settled({ address, endSlot }: Audit): Promise<Audit | null> {
    const { program } = this.options.client;
    const info = await program.provider.connection.getAccountInfo(address, {
      commitment: "confirmed",
      minContextSlot: Number(endSlot),
    });
    if (!info?.owner.equals(program.programId)) return null;
    return decodeAccount(program, "audit", address, info.data);
  }

  /** What is shown to the gate. Nothing is asked for where it is open. */
  private gate({ task, node }: View): { readonly gate?: GateProof } {
    const { workerGate, witnessGate } = task.rules;
    const { kind } = node.role === "worker" ? workerGate : witnessGate;
    return kind === "open" ? { gate: NO_PROOF } : this.options.gate;
  }

  private async reveal(view: View, duty: Duty & { kind: "reveal" }): Promise<End> {
    const { client, config, salts, log } = this.options;
    const { address, voteDeposit, endSlot } = duty.audit;
    const commitment = view.votes.get(address.toBase58())?.commitment ?? null;
    const secret = secretOf(commitment, await salts.find(address, config.owner));
    if (!secret) {
      log.error(
        { audit: address.toBase58(), deposit: voteDeposit.toString(), until: endSlot.toString() },
        "A SALT IS LOST: this node's vote was committed with another salt than those in the state and those that follow from the operator's key, and its deposit goes unless another instance reveals it. Put a copy of the state back if there is one, or take the operator's key that it was committed with",
      );
      return { end: "over", why: "the salt is lost" };
    }
    return this.send(duty, async () => {
      const builder = await client.revealVote({
        task: config.task,
        audit: duty.audit.address,
        voter: config.owner,
        salts,
      });
      return [await builder.instruction()];
    });
  }

  /** Hands the reveal of an own vote to the keepers that don't have it yet. The node reveals by itself all the same when it is awake. */
  private async entrust({ audit, vote }: Duty & { kind: "entrust" }): Promise<End> {
    const { config, salts, store, log } = this.options;
    const name = audit.address.toBase58();
    const secret = secretOf(vote.commitment, await salts.find(audit.address, config.owner));
    if (!secret) return { end: "over", why: "the salt is lost" };
    const told = store.entrusted(name);
    const answers = await entrust(
      sealReveal(config.task, secret),
      config.keepers.filter((keeper) => !told.includes(keeper)),
      this.options.download,
    );
    let left = 0;
    for (const { keeper, taken, final, message } of answers) {
      const about = { audit: name, keeper, message };
      if (taken) log.info(about, "handed a reveal to a keeper");
      else log.warn({ ...about, final }, "a keeper does not take a reveal");
      const isKept =
        (taken || final) &&
        this.options.keep(() => {
          store.keepEntrusted(name, keeper);
        });
      if (!isKept) left += 1;
    }
    return left === 0 ? DONE : { end: "wait", why: "not all keepers have the reveal" };
  }

  /** Reveals a vote that its voter handed over and has not revealed by now. */
  private async revealFor(duty: Duty & { kind: "revealFor" }): Promise<End> {
    const { client, follower, metrics, store } = this.options;
    const { sealed } = duty;
    const { audit, voter } = sealedSecret(sealed);
    const vote = await client.find("vote", voteAddress(audit, voter));
    if (!canReveal(duty.audit, vote)) {
      this.options.keep(() => {
        store.forgetReveal(sealed, false, follower.slot);
      });
      return DONE;
    }
    const end = await this.send(duty, async () => [await client.revealFor(sealed).instruction()]);
    if (end.end === "done") {
      metrics.keptReveals.inc();
      this.options.keep(() => {
        store.forgetReveal(sealed, true, follower.slot);
      });
    }
    return end;
  }

  private async claimVote(duty: Duty & { kind: "claimVote" }): Promise<End> {
    const { client, config, salts, store } = this.options;
    const audit = duty.audit.address;
    const end = await this.send(duty, async () => [
      await client.claimVote({ task: config.task, audit, voter: config.owner }).instruction(),
    ]);
    if (end.end === "done") {
      await salts.forget(audit, config.owner);
      store.forgetEntrusted(audit.toBase58());
    }
    return end;
  }

  private closeVote(duty: Duty, vote: Vote): Promise<End> {
    const { client, config } = this.options;
    return this.send(duty, async () => [
      await client.closeVote({ ...vote, task: config.task }).instruction(),
    ]);
  }

  /** Claims and closes votes of others that are gone, one step at a time. */
  private async sweep(duty: Duty & { kind: "sweepAudit" }): Promise<End> {
    const { client, config } = this.options;
    const audit = duty.audit.address;
    const ends = (await client.votesIn(audit)).map((vote) => {
      const key = `${duty.key}:${vote.owner.toBase58()}`;
      return vote.state === "claimed"
        ? this.closeVote({ ...duty, key }, vote)
        : this.send({ ...duty, key }, async () => [
            await client.claimVote({ task: config.task, audit, voter: vote.owner }).instruction(),
          ]);
    });
    return (await Promise.all(ends)).find(({ end }) => end !== "done") ?? DONE;
  }

  private async send(duty: Duty, instructions: Errand["instructions"]): Promise<End> {
    // What has a window is done once, whatever is sent: a vote, a reveal, a submission and an audit have their addresses.
    const { follower, sender } = this.options;
    const { key, kind, until } = duty;
    const urgent = until !== undefined;
    const owed = kind === "reveal";
    const isHurried = urgent && follower.slot + SHARE_SLOTS > until;
    const shares = isHurried ? undefined : SHARES[kind];
    const delivery = await sender.send({
      key,
      instructions,
      urgent,
      owed,
      ...(shares !== undefined && { shares }),
    });
    return this.judgeDelivery(duty, delivery);
  }

  private judgeDelivery(duty: Duty, delivery: Delivery): End {
    const { log, follower } = this.options;
    if (delivery.status === "landed") {
      this.count(duty);
      const { signature, slot } = delivery;
      log.info({ ...about(duty), signature, slot: slot.toString() }, duty.kind);
      return { end: "done", slot };
    }
    if (delivery.status === "expired") return { end: "wait", why: "it expired" };
    const { explanation } = delivery;
    const kind = refusalKind(explanation);
    const why = explanation.name ?? explanation.message;
    switch (kind) {
      case "done":
        log.debug({ ...about(duty), why }, "somebody did it already");
        return { end: "wait", why };
      case "late":
      case "never":
        return { end: "over", why };
      case "early":
        if (duty.until !== undefined && follower.slot >= duty.until) return { end: "over", why };
        return { end: "wait", why };
      case "retry":
        log.warn({ ...about(duty), message: explanation.message }, "refused, will try again");
        return { end: "wait", why };
    }
  }

  private count(duty: Duty): void {
    const { metrics } = this.options;
    switch (duty.kind) {
      case "submit":
        metrics.submissions.inc();
        return;
      case "accuse":
        metrics.accusations.inc();
        return;
      case "cast":
      case "commit":
        metrics.vote(duty.opinion);
        return;
      case "reveal":
        metrics.reveals.inc();
        return;
      case "draw":
        metrics.draws.inc();
        return;
      case "appeal":
        metrics.appeals.inc();
        return;
      case "claimVote":
        metrics.chores.inc({ chore: duty.kind });
        if (duty.vote.state !== "committed") return;
        metrics.lostReveals.inc();
        this.options.log.error(about(duty), "a vote was never revealed, and its deposit is lost");
        return;
      default:
        metrics.chores.inc({ chore: duty.kind });
    }
  }
}

/** What a log line says of a duty. */
function about(duty: Duty): Readonly<Record<string, string>> {
  switch (duty.kind) {
    case "submit":
      return { round: duty.work.round.toString(), hash: duty.work.hash };
    case "accuse":
      return {
        round: duty.submission.round.toString(),
        accused: duty.submission.owner.toBase58(),
        accusation: duty.accusation,
      };
    case "cast":
    case "commit":
    case "appeal":
      return { audit: duty.audit.address.toBase58(), opinion: duty.opinion };
    default:
      return { duty: duty.key };
  }
}
