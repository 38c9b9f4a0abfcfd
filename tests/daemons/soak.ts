import { randomInt } from "node:crypto";
import { Command } from "commander";
import type { TaskEvent } from "@securing-tasks/client";
import { roundAt, voteAddress } from "@securing-tasks/client";
import type { NodeConfigInput } from "@securing-tasks/node";
import type { PublicKey } from "@solana/web3.js";
import { VersionedTransaction } from "@solana/web3.js";
import type { LogLine } from "./daemon";
import { LIGHT } from "./daemon";
import { calm, faultPlan, isSwallowed } from "./faults";
import type { Crew, Member } from "./fleet";
import { Fleet } from "./fleet";
import { dice } from "../utils/dice";

/*
 * npm run soak: many rounds, eight daemons, half of them with `profile: light`, each killed now and then at a random moment, hosts that lie or
 * go dark for a round. Ends with what must hold: no vote stayed shut, nobody voted twice or paid for it, and the ledger is the chain's.
 *
 * npm run soak -- --faults: the same, but what each daemon takes for RPC servers are proxies of its own, which spoil what the validator says by
 * plans of their own (faults.ts). Some disks are full now and then, one log is lost from the start, one daemon has a quarter of a processor.
 * What ends by itself is started again, as a service manager would. A reveal may be lost only where its proxies swallowed every send of a whole
 * window, and nobody honest may be convicted.
 */

interface Play {
  readonly rounds: number;
  readonly windows: string;
  /** Slots of a round. */
  readonly roundSlots: bigint;
  /** One round of so many has a host that lies or is dark. */
  readonly badOneIn: number;
  readonly settings?: Partial<NodeConfigInput>;
}

const PLAIN: Play = {
  rounds: 40,
  roundSlots: 300n,
  badOneIn: 3,
  windows: `
  roundWindow: 300 slots
  submissionWindow: 80 slots
  auditWindow: 80 slots
  commitWindow: 70 slots
  revealWindow: 130 slots
  leaveDelay: 400 slots`,
};

/** Windows that are longer than most faults, and requests that are given up within a part of one. */
const FAULTY: Play = {
  rounds: 50,
  roundSlots: 720n,
  badOneIn: 1,
  windows: `
  roundWindow: 720 slots
  submissionWindow: 140 slots
  auditWindow: 180 slots
  commitWindow: 140 slots
  revealWindow: 400 slots
  leaveDelay: 1000 slots`,
  settings: { rpcTimeoutMs: 2_000, recheckMs: 2_000 },
};

/**
 * A node that can reach the chain for so long can reveal: after a fault it pauses for five seconds at most, and a request that hangs is given up
 * after two.
 */
const PATIENCE_MS = 8_000;
/** 50 ms slots: no round is over sooner. */
const SLOT_MS = 50;

const RULES = `
  workerStake: 1000000
  witnessStake: 500000
  bounty: 600000
  bond: 10000
  voteDeposit: 1000
  quorumVotes: 2
  quorumStake: 3000 bp
  downtimeSlash: 50 bp
  maliceSlash: 200 bp
  initiatorBonus: 3000 bp
  poolShare: 1000 bp
  voteWeight: node
  reward: all
`;

/** What an attempt to do twice would look like on the chain: refused there, and paid for. */
const ONCE = ["joinTask", "submitWork", "castVote", "commitVote", "revealVote"];

const CREW: readonly Crew[] = [
  ...[1, 2, 3, 4, 5].map((n) => ({
    name: `worker-${n}`,
    role: "worker" as const,
    stake: 50_000_000n,
  })),
  ...[1, 2, 3].map((n) => ({ name: `witness-${n}`, role: "witness" as const, stake: 5_000_000n })),
];

const THROTTLED = "witness-2";
const WITH_FAULTS: Readonly<Record<string, Partial<Crew>>> = {
  "worker-1": { proxies: 2 },
  "worker-4": { ownDisk: true },
  "worker-5": { logLost: true },
  "witness-1": { proxies: 2 },
  "witness-3": { ownDisk: true },
};

const say = (text: string): void => {
  process.stdout.write(`[soak] ${text}\n`);
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function soak(play: Play, { rounds, minutes, seed, faults }: Told): Promise<void> {
  const roll = dice(seed);
  const any = <T>(all: readonly T[]): T => all[roll(all.length)] as T;
  const most =
    minutes === null ? rounds : Math.ceil((minutes * 60_000) / SLOT_MS / Number(play.roundSlots));
  const length = minutes === null ? `${rounds} rounds` : `${minutes} minutes`;
  say(`seed ${seed}, ${length}; starting a validator, a task and eight daemons ...`);
  const fleet = await Fleet.start({
    crew: CREW.map((one, index) => ({
      ...(faults && { proxies: 1 }),
      ...one,
      ...(faults && WITH_FAULTS[one.name]),
      ...(index % 2 === 1 && { settings: LIGHT }),
    })),
    rules: `${play.windows}${RULES}`,
    pool: 600_000n * BigInt(most + 20),
    ...(play.settings && { settings: play.settings }),
  });
  const clock = new SlotClock(fleet);
  const kills = { idle: 0, sending: 0, committed: 0 };
  const proxies = fleet.members.flatMap((member) => member.proxies);
  const disks = fleet.members.filter(({ disk }) => disk !== null);
  if (faults && disks.length === 0) {
    say("SKIPPED: full disks. Only root may mount small ones, on Linux.");
  }
  /** Who misbehaved in which round. */
  const bads = new Set<string>();
  try {
    await Promise.all(fleet.members.map(({ daemon }) => daemon.start()));
    const began = performance.now();
    for (const { name, daemon } of faults ? fleet.members : []) {
      daemon.keep();
      if (name === THROTTLED) daemon.throttle();
    }
    for (const proxy of proxies) proxy.follow(faultPlan(1 + roll(2 ** 30)));
    const workers = fleet.members.filter(({ host }) => host !== null);
    for (let played = 0; ; played += 1) {
      const left = minutes === null ? Infinity : minutes - (performance.now() - began) / 60_000;
      if (minutes === null ? played >= rounds : left <= 0) break;
      const round = (await fleet.round()) + 1n;
      await fleet.reach(round);
      const bad = roll(play.badOneIn) === 0 ? any(workers) : null;
      const what = bad ? any(["lies", "is dark"]) : "";
      if (bad) bads.add(`${bad.name} ${round.toString()}`);
      if (bad && what === "lies") bad.host?.lie();
      if (bad && what === "is dark") await bad.host?.goDark();
      const killed: string[] = [];
      const mortal = faults
        ? fleet.members.filter(({ name }) => name !== THROTTLED)
        : fleet.members;
      const late = fleet.reach(round, (play.roundSlots * 3n) / 5n);
      const victims = new Set(Array.from({ length: 1 + roll(2) }, () => any(mortal)));
      const hurt = disks.length > 0 ? any(disks) : null;
      const hurtMs = [2_000 + roll(8_000), 4_000 + roll(10_000)] as const;
      await Promise.all([
        ...[...victims].map(async (member) => {
          const wanted = any(bad ? AMID_AUDITS : AMID_WORK);
          const when = await moment(member, wanted, roll(8_000), late);
          await member.daemon.kill();
          kills[when] += 1;
          killed.push(`${member.name} (${when})`);
          await pause(roll(1_500));
          const started = member.daemon.start();
          // With a server that is silent that may take longer than the round.
          if (!faults) await started;
          else started.catch(nothing);
        }),
        hurt && fillDisk(hurt, ...hurtMs),
      ]);
      // Not so late that the next one could be missed: then nothing would happen in it.
      await fleet.reach(round, play.roundSlots - 20n);
      await bad?.host?.behave();
      const more = `${bad ? `; ${bad.name} ${what}` : ""}${hurt ? `; ${hurt.name}'s disk was full` : ""}`;
      const progress = minutes === null ? `${played + 1}/${rounds}` : `${played + 1}`;
      const time = minutes === null ? "" : ` (${left.toFixed(1)} minutes were left)`;
      say(`round ${progress}${time}: killed ${killed.join(", ")}${more}`);
    }
    // The last audits and bounties.
    for (const proxy of proxies) proxy.rest();
    await fleet.reach((await fleet.round()) + 2n);
    const dropped = await Promise.all(
      fleet.members
        .filter(({ logLost }) => logLost)
        .map(async ({ name, daemon }) => [name, await daemon.metric("log_lines_dropped_total")]),
    );
    await Promise.all(fleet.members.map(({ daemon }) => daemon.stop()));
    clock.stop();
    for (const [name, count] of dropped)
      say(`${name}: its log was lost, ${count ?? "?"} lines since its last start`);
    await judge(fleet, { kills, clock, bads });
  } finally {
    clock.stop();
    await fleet.close();
  }
}

type Moment = "idle" | "sending" | "committed";

/** When to kill. Nothing is committed to in a round without an audit. */
const AMID_WORK: readonly Moment[] = ["idle", "sending"];
const AMID_AUDITS: readonly Moment[] = ["idle", "sending", "committed", "committed"];

/** Waits for a moment of some kind, until it is too late for it in this round. Returns which kind it is. */
async function moment(
  { daemon }: Member,
  wanted: Moment,
  afterMs: number,
  late: Promise<void>,
): Promise<Moment> {
  if (wanted === "idle") {
    await pause(afterMs);
    return "idle";
  }
  const word = wanted === "sending" ? "transaction sent" : "commit";
  return await Promise.race([
    daemon.next((line: LogLine) => line.msg === word).then(() => wanted),
    late.then(() => "idle" as const),
  ]);
}

/** Fills a daemon's disk for a while. */
async function fillDisk({ disk }: Member, afterMs: number, forMs: number): Promise<void> {
  await pause(afterMs);
  await disk?.fill();
  await pause(forMs);
  await disk?.free();
}

/** When each slot was the newest, by {@link performance}'s clock. */
class SlotClock {
  private readonly seen: { readonly slot: bigint; readonly at: number }[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor(fleet: Fleet) {
    this.timer = setInterval(() => {
      fleet.chain.slot().then(
        (slot) => this.seen.push({ slot, at: performance.now() }),
        () => {
          // The next time.
        },
      );
    }, 250);
  }

  /** The moment at which a slot had come. */
  at(slot: bigint): number {
    return this.seen.find((one) => one.slot >= slot)?.at ?? Infinity;
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

/** What was done to the daemons. */
interface Deeds {
  readonly kills: Readonly<Record<string, number>>;
  readonly clock: SlotClock;
  /** Names and rounds of those that misbehaved. */
  readonly bads: ReadonlySet<string>;
}

async function judge(fleet: Fleet, { kills, clock, bads }: Deeds): Promise<void> {
  const events = await fleet.events();
  const index = await fleet.audited(events);
  const nodes = await Promise.all(fleet.members.map((member) => fleet.node(member)));
  const sum = (of: (node: (typeof nodes)[number]) => number): number =>
    nodes.reduce((total, node) => total + of(node), 0);
  const shut = unrevealed(fleet, events);
  const swallowed = shut.filter((one) => wasSwallowed(fleet, clock, one));
  const lost = shut.filter((one) => !swallowed.includes(one));
  const votes = sum((node) => node.votesWithMajority + node.votesAgainstMajority);
  const failed = await failedAtOnce(fleet);
  const withFaults = fleet.members.some(({ proxies }) => proxies.length > 0);
  // What a proxy delays may come too late, and is refused then: paid for, but once.
  const wrong = withFaults ? failed.filter(({ twice }) => twice) : failed;
  const late = failed.filter((one) => !wrong.includes(one));
  const { outcomes, honest } = convictions(fleet, events, bads);

  say(`killed: ${JSON.stringify(kills)}`);
  if (withFaults) tellOfFaults(fleet);
  say(`submissions: ${sum(({ submissions }) => submissions)}, decided votes: ${votes}`);
  say(`audits by outcome: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  say(`audits that the chain still holds: ${index.audits.size}`);
  say(`honest work convicted: ${honest.length === 0 ? 0 : honest.join("; ")}`);
  say(
    `committed votes: ${count(events, "voteCommitted")}, revealed: ${count(events, "voteRevealed")}`,
  );
  say(`reveals that proxies swallowed in their whole window: ${swallowed.length}`);
  for (const one of swallowed) tellOfShut("swallowed", fleet, clock, one);
  say(`lost reveals: ${lost.length}`);
  for (const one of lost) tellOfShut("lost", fleet, clock, one);
  if (late.length > 0)
    say(`refused, and not done before: ${late.map(({ what }) => what).join(", ")}`);
  say(`done twice: ${wrong.length === 0 ? 0 : wrong.map(({ what }) => what).join(", ")}`);
  say("the ledger of all events is the chain's, and the vault's");
  if (lost.length > 0 || wrong.length > 0) throw new Error("Something was lost or done twice.");
  if (withFaults && honest.length > 0) throw new Error("Honest work was convicted.");
  if (votes === 0)
    throw new Error("Nothing was voted on: this run shows nothing. Play more rounds.");
}

function count(events: readonly TaskEvent[], name: TaskEvent["name"]): number {
  return events.filter((event) => event.name === name).length;
}

/** How audits ended, and which of them convicted somebody who had done nothing wrong in that round. */
function convictions(
  fleet: Fleet,
  events: readonly TaskEvent[],
  bads: ReadonlySet<string>,
): { readonly outcomes: ReadonlyMap<string, number>; readonly honest: readonly string[] } {
  const outcomes = new Map<string, number>();
  const opened = new Map<string, bigint>();
  const honest: string[] = [];
  for (const { name, data } of events) {
    if (name === "auditOpened") {
      opened.set(data.audit.toBase58(), roundAt(fleet.task, data.slot));
    } else if (name === "auditResolved") {
      const { outcome, audit, accused } = data;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      const round = opened.get(audit.toBase58())?.toString() ?? "?";
      const who = fleet.nameOf(accused);
      if (outcome.startsWith("convicted") && !bads.has(`${who} ${round}`)) {
        honest.push(`${who} in round ${round}: ${outcome}`);
      }
    }
  }
  return { outcomes, honest };
}

/** A committed vote that stayed shut, and the slots in which it could be opened. */
interface Shut {
  readonly member: Member;
  readonly audit: PublicKey;
  readonly revealSlot: bigint;
  readonly endSlot: bigint;
}

function unrevealed(fleet: Fleet, events: readonly TaskEvent[]): Shut[] {
  const { commitSlots } = fleet.task.rules;
  const shut = new Map<string, Shut>();
  const windows = new Map<string, { readonly revealSlot: bigint; readonly endSlot: bigint }>();
  for (const { name, data } of events) {
    if (name === "auditOpened") {
      const { audit, slot, endSlot } = data;
      windows.set(audit.toBase58(), { revealSlot: slot + commitSlots, endSlot });
    } else if (name === "voteCommitted" || name === "voteRevealed") {
      const { audit, voter } = data;
      const key = voteAddress(audit, voter).toBase58();
      const window = windows.get(audit.toBase58());
      const member = fleet.members.find(({ owner }) => owner.publicKey.equals(voter));
      if (name === "voteRevealed") shut.delete(key);
      else if (window && member) shut.set(key, { member, audit, ...window });
    }
  }
  return [...shut.values()];
}

function windowOf(
  clock: SlotClock,
  { revealSlot, endSlot }: Shut,
): { from: number; until: number } {
  return { from: clock.at(revealSlot), until: clock.at(endSlot) };
}

function isReveal(fleet: Fleet, { member, audit }: Shut): (raw: Uint8Array) => boolean {
  const vote = voteAddress(audit, member.owner.publicKey);
  return (raw) => {
    const { message } = VersionedTransaction.deserialize(raw);
    const reveals = message.compiledInstructions.some(
      ({ data }) => instructionOf(fleet, data) === "revealVote",
    );
    return reveals && message.staticAccountKeys.some((key) => key.equals(vote));
  };
}

function wasSwallowed(fleet: Fleet, clock: SlotClock, shut: Shut): boolean {
  const records = shut.member.proxies.map(({ record }) => record);
  if (records.length === 0) return false;
  return isSwallowed(records, isReveal(fleet, shut), windowOf(clock, shut), PATIENCE_MS);
}

/** All that can help to find out why. */
function tellOfShut(word: string, fleet: Fleet, clock: SlotClock, shut: Shut): void {
  const { member, audit, revealSlot, endSlot } = shut;
  const window = windowOf(clock, shut);
  const { from, until } = window;
  const ms = (at: number): number => Math.round(at - from);
  say(
    `${word}: ${member.name}'s vote in ${audit.toBase58()}, to be revealed from slot ${revealSlot.toString()} to ${endSlot.toString()} (${ms(until)} ms)`,
  );
  const isIt = isReveal(fleet, shut);
  for (const [index, { record }] of member.proxies.entries()) {
    const sends = record.sends.filter(({ at, raw }) => at >= from && at < until && isIt(raw));
    const passed = sends.filter((one) => one.passed).length;
    say(`  server ${index + 1}: sent ${sends.length} times, passed on ${passed} times`);
    for (const { fault, deaf, half, ...time } of record.struck) {
      if (time.until <= from || time.from >= until) continue;
      const how = `${deaf ? ", deaf" : ""}${half ? ", every second request" : ""}`;
      say(`    ${fault}${how}: from ${ms(time.from)} to ${ms(time.until)} ms`);
    }
  }
  const times = calm(
    member.proxies.map(({ record }) => record),
    window,
  );
  say(`  without: ${times.map((one) => `${ms(one.from)} to ${ms(one.until)} ms`).join(", ")}`);
  for (const line of member.daemon.lines) {
    if (JSON.stringify(line).includes(audit.toBase58())) say(`  it said ${JSON.stringify(line)}`);
  }
}

function tellOfFaults({ members }: Fleet): void {
  const requests = new Map<string, number>();
  const strikes = new Map<string, number>();
  const add = (to: Map<string, number>, name: string, more: number): void => {
    to.set(name, (to.get(name) ?? 0) + more);
  };
  let [sends, swallowed, rolledBack, madeStale] = [0, 0, 0, 0];
  for (const { name, daemon, proxies } of members) {
    for (const { record } of proxies) {
      for (const { fault } of record.struck) add(strikes, fault, 1);
      for (const [fault, number] of Object.entries(record.requests)) add(requests, fault, number);
      rolledBack += record.rolledBack;
      madeStale += record.madeStale;
      sends += record.sends.length;
      swallowed += record.sends.filter(({ passed }) => !passed).length;
    }
    const memory = `${Math.round(daemon.mostMemory)} MB at most`;
    const failures = daemon.lines.filter(({ msg }) => FAILURES.includes(msg));
    say(
      `${name}: ${memory}, ended by itself ${daemon.ends.length} times, functions failed ${failures.length} times`,
    );
    for (const why of new Set(daemon.ends)) say(`  ${why}`);
    for (const why of new Set(
      failures.map(({ kind, message }) => `${String(kind)}: ${String(message)}`),
    )) {
      say(`  ${why}`);
    }
  }
  const list = (of: ReadonlyMap<string, number>): string => JSON.stringify(Object.fromEntries(of));
  say(`faults: ${list(strikes)}`);
  say(`requests by the fault that struck them: ${list(requests)}`);
  say(
    `messages to subscribers that were rolled back: ${rolledBack}, that were stale: ${madeStale}`,
  );
  say(`transactions sent: ${sends} times, of these swallowed by a proxy: ${swallowed}`);
}

/** What a daemon says where a function gave nothing to go by. */
const FAILURES: readonly string[] = ["the task function failed", "the audit function failed"];

/** Something that is done once, tried without success. */
interface Failed {
  readonly what: string;
  /** It was done, before that or after. */
  readonly twice: boolean;
}

/** Transactions of the daemons' keys that failed on the chain at something that is done once. */
async function failedAtOnce(fleet: Fleet): Promise<Failed[]> {
  const { connection } = fleet.chain;
  const found: Failed[] = [];
  for (const member of fleet.members) {
    const done = new Set<string>();
    const failed: { readonly name: string; readonly key: string }[] = [];
    let before: string | undefined;
    for (;;) {
      const page = await connection.getSignaturesForAddress(
        member.operator.publicKey,
        before === undefined ? {} : { before },
      );
      for (const { signature, err } of page) {
        const record = await connection.getTransaction(signature, {
          commitment: "confirmed",
          maxSupportedTransactionVersion: 0,
        });
        const message = record?.transaction.message;
        for (const { data, accountKeyIndexes } of message?.compiledInstructions ?? []) {
          const name = instructionOf(fleet, data);
          if (name === undefined || !ONCE.includes(name)) continue;
          const accounts = accountKeyIndexes.map((at) =>
            message?.staticAccountKeys[at]?.toBase58(),
          );
          const key = [name, ...accounts].join(" ");
          if (err === null) done.add(key);
          else failed.push({ name, key });
        }
      }
      before = page.at(-1)?.signature;
      if (before === undefined) break;
    }
    for (const { name, key } of failed) {
      found.push({ what: `${member.name} ${name}`, twice: done.has(key) });
    }
  }
  return found;
}

function instructionOf(fleet: Fleet, data: Uint8Array): string | undefined {
  const known = fleet.client.program.idl.instructions;
  return known.find(({ discriminator }) => Buffer.from(discriminator).equals(data.subarray(0, 8)))
    ?.name;
}

function nothing(): void {
  // It is started again.
}

interface Told {
  readonly rounds: number;
  /** Null where rounds are counted. */
  readonly minutes: number | null;
  readonly seed: number;
  readonly faults: boolean;
}

const program = new Command("soak")
  .description("Plays many rounds with eight daemons that are killed at random")
  .option(
    "--rounds <number>",
    `rounds to play; ${PLAIN.rounds}, and ${FAULTY.rounds} with --faults`,
  )
  .option("--minutes <number>", "how long to play, in place of rounds")
  .option("--seed <number>", "what goes wrong, and when", String(1 + randomInt(2 ** 31 - 2)))
  .option("--faults", "servers, disks and processors go wrong, too")
  .parse();
const given = program.opts<{ rounds?: string; minutes?: string; seed: string; faults?: boolean }>();
const faults = given.faults === true;
const play = faults ? FAULTY : PLAIN;

soak(play, {
  rounds: Number(given.rounds ?? play.rounds),
  minutes: given.minutes === undefined ? null : Number(given.minutes),
  seed: Number(given.seed),
  faults,
}).then(
  () => process.exit(0),
  (error: unknown) => {
    say(`ERROR: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  },
);
