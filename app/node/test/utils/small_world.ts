import type { Accounts, Audit, Node, Submission, Task, Vote } from "@securing-tasks/client";
import {
  auditAddress,
  auditEnd,
  nodeAddress,
  resolvableAt,
  roundAddress,
  roundAt,
  submissionAddress,
  submissionEnd,
  voteAddress,
} from "@securing-tasks/client";
import { PublicKey } from "@solana/web3.js";
import { RULES } from "../../../../tests/utils/games";
import type { Found, Keys, Kind, Query, Seen } from "../../src/core/kept";
import type { Source, View } from "../../src/core/view";

const keyOf = (text: string): PublicKey => new PublicKey(Buffer.alloc(32, text));
export const TASK = keyOf("task");
export const OPERATOR = keyOf("operator");
export const OWNERS = ["me", "ada", "ben", "cleo", "dan", "eve"].map(keyOf);
export const ME = OWNERS[0] ?? TASK;
export const KEYS: Keys = {
  task: TASK,
  node: nodeAddress(TASK, ME),
  owner: ME,
  operator: OPERATOR,
};

/** Addresses are the same in all worlds, and take long to compute. */
const addresses = new Map<string, PublicKey>();
function once(name: string, make: () => PublicKey): PublicKey {
  const known = addresses.get(name) ?? make();
  addresses.set(name, known);
  return known;
}

type All = ReadonlyMap<string, Found>;

/**
 * A task whose accounts come and go as the program has them, with what servers tell of it: late, twice, in another order or never, from
 * slots behind, and of blocks that are rolled back.
 */
export class SmallWorld implements Source {
  slot = 1_000n;
  /** Most slots that an answer is behind. */
  lag = 3;
  /** Told, and not yet delivered. */
  readonly news: Seen[] = [];
  private accounts_: All;
  /** By slot, of the last ones. */
  private readonly past = new Map<bigint, All>();
  private opened = 0;

  constructor(
    private readonly roll: (sides: number) => number,
    role: Node["role"],
  ) {
    const task: Task = {
      address: TASK,
      creator: TASK,
      payer: TASK,
      mint: TASK,
      vault: TASK,
      id: 1n,
      startSlot: 1_000n,
      rules: { ...RULES, commitSlots: 10n, revealSlots: 15n, appealSlots: 12n, appealBond: 1n },
      auditFunction: { hash: new Uint8Array(32), uri: "" },
      taskFunction: null,
      pool: 10_000n,
      electorate: { stake: 0n, nodes: 0 },
      before: { stake: 0n, nodes: 0 },
      beforeSlot: 0n,
      retiredSlot: 0n,
      nodes: OWNERS.length,
      rounds: 0,
      entries: 0,
      status: "active",
    };
    const none = { parts: [], young: [] };
    const node: Node = {
      address: KEYS.node,
      task: TASK,
      owner: ME,
      operator: OPERATOR,
      payer: ME,
      role,
      joinedSlot: 900n,
      stake: 50_000n,
      leaving: 0n,
      leaveSlot: 0n,
      askedToLeave: none,
      slashed: none,
      arrivals: [{ slot: 900n, amount: 50_000n }],
      before: { stake: 0n, nodes: 0 },
      beforeSlot: 900n,
      bonds: 0n,
      commitments: 0,
      locked: 0n,
      lockedUntil: 0n,
      lockedNext: 0n,
      lockedNextUntil: 0n,
      payable: 0n,
      openAudits: 0,
      risk: 0n,
      live: 0,
      audits: 0,
      submissions: 0,
      roundsPaid: 0,
      convictionsDowntime: 0,
      convictionsMalice: 0,
      votesWithMajority: 0,
      votesAgainstMajority: 0,
      votesUnrevealed: 0,
    };
    const all: Found[] = [
      { kind: "task", value: task },
      { kind: "node", value: node },
    ];
    this.accounts_ = new Map(all.map((one) => [one.value.address.toBase58(), one]));
    this.past.set(this.slot, this.accounts_);
  }

  /** Some slots pass, and something happens. */
  step(): void {
    this.pass(BigInt(1 + this.roll(6)));
    this.act();
    this.past.set(this.slot, this.accounts_);
  }

  pass(slots: bigint): void {
    for (let left = slots; left > 0n; left -= 1n) {
      this.slot += 1n;
      this.past.set(this.slot, this.accounts_);
    }
    for (const slot of this.past.keys()) if (slot + 12n < this.slot) this.past.delete(slot);
  }

  /** The last blocks were of a fork that dies. */
  rollBack(): void {
    const before = [...this.past].filter(([slot]) => slot + 6n <= this.slot).at(-1);
    if (!before) return;
    this.accounts_ = before[1];
    for (const slot of this.past.keys()) if (slot > before[0]) this.past.set(slot, this.accounts_);
    this.pass(1n);
  }

  all<K extends Kind>(kind: K): readonly Accounts[K][] {
    return [...this.accounts_.values()].flatMap((one) =>
      one.kind === kind ? [one.value as Accounts[K]] : [],
    );
  }

  /** All of it. */
  view(): View {
    const [[task], [node]] = [this.all("task"), this.all("node")];
    if (!task || !node) throw new Error("The task is there always.");
    return {
      slot: this.slot,
      task,
      node,
      operatorLamports: 1_000_000_000,
      rounds: this.all("round"),
      submissions: this.all("submission"),
      audits: this.all("audit"),
      votes: new Map(
        this.all("vote")
          .filter(({ owner }) => owner.equals(ME))
          .map((one) => [one.audit.toBase58(), one]),
      ),
    };
  }

  accounts(keys: readonly PublicKey[], minSlot = 0n): Promise<Seen[]> {
    const { slot, accounts } = this.behind(minSlot);
    return Promise.resolve(keys.map((key) => seenOf(key, slot, accounts)));
  }

  list(query: Query, minSlot = 0n): Promise<{ slot: bigint; seen: Seen[] }> {
    const { slot, accounts } = this.behind(minSlot);
    const found = [...accounts.values()].filter((one) => isIn(query, one));
    return Promise.resolve({
      slot,
      seen: found.map((one) => seenOf(one.value.address, slot, accounts)),
    });
  }

  askAnother(): void {
    // There is one.
  }

  private behind(minSlot: bigint): { slot: bigint; accounts: All } {
    const lagged = this.slot - BigInt(this.roll(this.lag + 1));
    const slot = lagged < minSlot ? minSlot : lagged;
    const accounts = this.past.get(slot);
    if (!accounts) throw new Error(`There is no slot ${slot} at ${this.slot}.`);
    return { slot, accounts };
  }

  private act(): void {
    const [task] = this.all("task");
    if (!task || this.slot < task.startSlot) return;
    const deeds = [
      () => {
        this.submit(task);
      },
      () => {
        this.open(task);
      },
      () => {
        this.vote(task);
      },
      () => {
        this.judge(task);
      },
      () => {
        this.closeSome(task);
      },
    ];
    for (let left = 1 + this.roll(3); left > 0; left -= 1) deeds[this.roll(deeds.length)]?.();
  }

  private one<T>(all: readonly T[]): T | undefined {
    return all[this.roll(Math.max(all.length, 1))];
  }

  private put(found: Found): void {
    const name = found.value.address.toBase58();
    this.accounts_ = new Map(this.accounts_).set(name, found);
    const isTold = found.kind === "node" || (found.kind === "audit" && found.value.liveVotes === 0);
    const { address } = found.value;
    this.untell(address);
    if (isTold) this.news.push({ address, slot: this.slot, found, lamports: 1 });
  }

  /** One word of each slot: what an account was at its end. */
  private untell(address: PublicKey): void {
    const before = this.news.findIndex(
      (one) => one.slot === this.slot && one.address.equals(address),
    );
    if (before >= 0) this.news.splice(before, 1);
  }

  private remove(address: PublicKey): void {
    this.untell(address);
    const left = new Map(this.accounts_);
    left.delete(address.toBase58());
    this.accounts_ = left;
  }

  private live(change: number): void {
    const [node] = this.all("node");
    if (node) this.put({ kind: "node", value: { ...node, live: node.live + change } });
  }

  private submit(task: Task): void {
    const number = roundAt(task, this.slot);
    if (this.slot >= submissionEnd(task, number)) return;
    const [node] = this.all("node");
    const owner = this.one(node?.role === "worker" ? OWNERS : OWNERS.slice(1)) ?? ME;
    const name = `submission ${number} ${owner.toBase58()}`;
    const address = once(name, () => submissionAddress(TASK, number, owner));
    if (this.accounts_.has(address.toBase58())) return;
    const payer = owner.equals(ME) ? OPERATOR : owner;
    const round = this.all("round").find((one) => one.number === number) ?? {
      address: once(`round ${number}`, () => roundAddress(TASK, number)),
      task: TASK,
      payer,
      number,
      reserve: 500n,
      left: 500n,
      submissions: 0,
      convictions: 0,
      paid: 0,
      openAudits: 0,
      liveSubmissions: 0,
    };
    const { submissions, liveSubmissions } = round;
    const counts = { submissions: submissions + 1, liveSubmissions: liveSubmissions + 1 };
    this.put({ kind: "round", value: { ...round, ...counts } });
    const value: Submission = {
      address,
      task: TASK,
      owner,
      payer,
      payloadHash: new Uint8Array(32).fill(2),
      payloadUri: "",
      round: number,
      slot: this.slot,
      others: { stake: 0n, nodes: 0 },
      slashed: 0n,
      audits: 0,
      decided: 0,
      liveAudits: 0,
      paid: false,
      status: "submitted",
    };
    this.put({ kind: "submission", value });
    if (owner.equals(ME)) this.live(1);
  }

  private open(task: Task): void {
    const work = this.one(
      this.all("submission").filter((one) => this.slot < auditEnd(task, one.round)),
    );
    const round = this.all("round").find(({ number }) => number === work?.round);
    if (!work || !round || work.status === "convictedMalice") return;
    const initiator = this.one(OWNERS.filter((one) => !one.equals(work.owner))) ?? ME;
    // In another world another one.
    const index = this.opened++;
    const name = `audit ${work.address.toBase58()} ${initiator.toBase58()} ${index}`;
    const address = once(name, () => auditAddress(work.address, initiator, index));
    const value: Audit = {
      address,
      task: TASK,
      submission: work.address,
      initiator,
      accused: work.owner,
      payer: initiator.equals(ME) ? OPERATOR : initiator,
      appellant: null,
      evidenceHash: null,
      secretHash: null,
      seed: null,
      submissionSlot: work.slot,
      openSlot: this.slot,
      drawSlot: 0n,
      appealSlot: 0n,
      revealSlot: this.slot + task.rules.commitSlots,
      endSlot: this.slot + task.rules.commitSlots + task.rules.revealSlots,
      accusedStake: 0n,
      eligible: { stake: 0n, nodes: 0 },
      initiatorStake: 0n,
      bond: 101n,
      voteDeposit: 10n,
      votes: {
        valid: { nodes: 0, stake: 0n },
        downtime: { nodes: 0, stake: 0n },
        malice: { nodes: 1, stake: 0n },
      },
      votersPot: 0n,
      votersWeight: 0n,
      votersLeft: 0n,
      unclaimed: 0,
      liveVotes: 0,
      rules: task.rules,
      accusation: this.roll(2) === 0 ? "malice" : "downtime",
      outcome: "open",
      firstOutcome: "open",
      index,
      attempt: work.audits,
    };
    this.put({ kind: "audit", value });
    const counts = { audits: work.audits + 1, liveAudits: work.liveAudits + 1 };
    this.put({ kind: "submission", value: { ...work, ...counts } });
    this.put({ kind: "round", value: { ...round, openAudits: round.openAudits + 1 } });
    if (initiator.equals(ME)) this.live(1);
  }

  private vote(task: Task): void {
    const audit = this.one(this.all("audit").filter(({ outcome }) => outcome === "open"));
    if (!audit) return;
    if (this.slot >= audit.endSlot) {
      const isLate = this.slot >= resolvableAt(audit, task.rules);
      if (audit.appealSlot > 0n || isLate || this.roll(2) === 0) return;
      const appellant = this.one(OWNERS) ?? ME;
      const revealSlot = this.slot + task.rules.commitSlots;
      const windows = { revealSlot, endSlot: revealSlot + task.rules.revealSlots };
      const appeal = { appellant, appealSlot: this.slot, firstOutcome: "noVerdict", ...windows };
      this.put({ kind: "audit", value: { ...audit, ...appeal } as Audit });
      if (appellant.equals(ME)) this.live(1);
      return;
    }
    const owner = this.one(OWNERS) ?? ME;
    if (owner.equals(audit.accused) || owner.equals(audit.initiator)) return;
    const name = `vote ${audit.address.toBase58()} ${owner.toBase58()}`;
    const address = once(name, () => voteAddress(audit.address, owner));
    const known = this.accounts_.get(address.toBase58());
    if (known?.kind === "vote") {
      if (this.slot < audit.revealSlot || known.value.state !== "committed") return;
      this.put({ kind: "vote", value: { ...known.value, state: "revealed" } });
      return;
    }
    if (this.slot >= audit.revealSlot) return;
    const value: Vote = {
      address,
      audit: audit.address,
      owner,
      payer: OPERATOR,
      commitment: new Uint8Array(32).fill(1),
      weight: 1n,
      opinion: "valid",
      onAppeal: audit.appealSlot > 0n,
      state: "committed",
    };
    this.put({ kind: "vote", value });
    this.put({ kind: "audit", value: { ...audit, liveVotes: audit.liveVotes + 1 } });
    if (owner.equals(ME)) this.live(1);
  }

  private judge(task: Task): void {
    const due = this.all("audit").filter((one) => {
      const work = this.all("submission").find(({ address }) => address.equals(one.submission));
      const isTime = this.slot >= resolvableAt(one, task.rules);
      return one.outcome === "open" && isTime && work?.decided === one.attempt;
    });
    const audit = this.one(due);
    const work = this.all("submission").find((one) => audit?.submission.equals(one.address));
    const round = this.all("round").find(({ number }) => number === work?.round);
    if (!audit || !work || !round) return;
    const outcome = this.one(["acquitted", "noVerdict", "convictedMalice"] as const) ?? "acquitted";
    this.put({ kind: "audit", value: { ...audit, outcome } });
    const status = outcome === "noVerdict" ? work.status : outcome;
    this.put({ kind: "submission", value: { ...work, decided: work.decided + 1, status } });
    this.put({ kind: "round", value: { ...round, openAudits: round.openAudits - 1 } });
    if (audit.appellant?.equals(ME) === true) this.live(-1);
  }

  private closeSome(task: Task): void {
    for (const vote of this.all("vote")) {
      const audit = this.all("audit").find(({ address }) => address.equals(vote.audit));
      if (!audit || audit.outcome === "open" || this.roll(3) > 0) continue;
      if (vote.state !== "claimed") {
        this.put({ kind: "vote", value: { ...vote, state: "claimed" } });
        continue;
      }
      this.remove(vote.address);
      this.put({ kind: "audit", value: { ...audit, liveVotes: audit.liveVotes - 1 } });
      if (vote.owner.equals(ME)) this.live(-1);
    }
    for (const audit of this.all("audit")) {
      const work = this.all("submission").find((one) => audit.submission.equals(one.address));
      if (audit.outcome === "open" || audit.liveVotes > 0 || !work || this.roll(3) > 0) continue;
      this.remove(audit.address);
      this.put({ kind: "submission", value: { ...work, liveAudits: work.liveAudits - 1 } });
      if (audit.initiator.equals(ME)) this.live(-1);
    }
    for (const work of this.all("submission")) {
      const round = this.all("round").find(({ number }) => number === work.round);
      if (this.slot < auditEnd(task, work.round) || !round || this.roll(4) > 0) continue;
      if (work.liveAudits > 0 || round.openAudits > 0) continue;
      if (!work.paid) {
        this.put({ kind: "submission", value: { ...work, paid: true } });
        continue;
      }
      this.remove(work.address);
      const liveSubmissions = round.liveSubmissions - 1;
      this.put({ kind: "round", value: { ...round, liveSubmissions } });
      if (work.owner.equals(ME)) this.live(-1);
    }
    for (const round of this.all("round")) {
      if (round.liveSubmissions === 0 && this.slot >= submissionEnd(task, round.number))
        this.remove(round.address);
    }
  }
}

function seenOf(address: PublicKey, slot: bigint, accounts: All): Seen {
  const found = accounts.get(address.toBase58()) ?? null;
  const lamports = found || address.equals(OPERATOR) ? 1_000_000_000 : 0;
  return { address, slot, found, lamports };
}

function isIn(query: Query, { kind, value }: Found): boolean {
  switch (query.of) {
    case "openAudits":
      return kind === "audit" && value.outcome === "open";
    case "auditsOf":
      return kind === "audit" && value.submission.equals(query.submission);
    case "auditsBy":
      return kind === "audit" && value.initiator.equals(query.initiator);
    case "auditsPaidBy":
      return kind === "audit" && value.payer.equals(query.payer);
    case "votesOf":
      return kind === "vote" && value.owner.equals(query.owner);
    case "submissionsOf":
      return kind === "submission" && value.owner.equals(query.owner);
    case "submissionsIn":
      return kind === "submission" && value.round === query.round;
    case "roundsPaidBy":
      return kind === "round" && value.payer.equals(query.payer);
  }
}
