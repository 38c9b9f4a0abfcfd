import type { NodeConfigInput } from "@securing-tasks/node";
import { Command } from "commander";
import type { Traffic } from "../utils/socket_counter";
import { bytesOf, sum, trafficSince } from "../utils/socket_counter";
import { LIGHT, processorSeconds, residentMegabytes } from "./daemon";
import type { Resident, Script } from "./town";
import { TOWN_RULES, Town, votesOf } from "./town";

/*
 * npm run bench:light: what a day costs a witness with `profile: light` in a task of 100 workers with rounds of ten minutes, in bytes in and out at
 * the socket. Towns run side by side, each with one witness in a process of its own, for an hour of the daemon's time: whole rounds of each kind
 * are measured, and a day is put together of them. Slots and all clocks of the daemon run faster than real, by the same factor, so that all
 * that goes by time (pings, polls) happens as often as in a real hour; an answer that takes a millisecond here takes `--speed` of the daemon's.
 */

const WORKERS = 100;
const ROUNDS_A_DAY = 144;
const AUDITS_A_DAY = 10;
/** Less would leave out what a light witness does once an hour: look at others' work. */
const ROUNDS_AN_HOUR = 6;
const MEGABYTE = 1_000_000;

interface Scene extends Script {
  readonly name: string;
  readonly subscriptions: boolean;
}

const SCENES: readonly Scene[] = [
  { name: "nothing", work: false, audits: 0, subscriptions: true },
  { name: "work", work: true, audits: 0, subscriptions: true },
  { name: "an audit", work: true, audits: 1, subscriptions: true },
  { name: "work, without subscriptions", work: true, audits: 0, subscriptions: false },
  { name: "an audit, without subscriptions", work: true, audits: 1, subscriptions: false },
];

/** Longer slots, by the daemon's clock, mean that this machine was too busy: what goes by time would be counted too often. */
const MOST_SLOT_MS = 500;

interface Found {
  /** How long a slot took, in milliseconds of the daemon's time. */
  readonly slotMs: number;
  /** Bytes in and out of an average round, payloads included. */
  readonly bytes: number;
  readonly memory: number;
}

const say = (text: string): void => {
  process.stdout.write(`[light] ${text}\n`);
};

const whole = (count: number): string => count.toFixed(0);

/** A town with its witness. */
interface Place {
  readonly scene: Scene;
  readonly town: Town;
  readonly witness: Resident;
}

async function setUp(scene: Scene, { speed, config }: Told): Promise<Place> {
  say(`${scene.name}: setting up ...`);
  const town = await Town.start({ workers: WORKERS, speed });
  const witness = await town.hire("witness", "witness", config, scene.subscriptions);
  return { scene, town, witness };
}

async function play({ scene, town, witness }: Place, { rounds, speed }: Told): Promise<Found> {
  const { name, ...script } = scene;
  try {
    const { rpc, daemon } = witness;
    const look = (): { rpc: Traffic; payloads: Traffic; seconds: number } => ({
      rpc: rpc.traffic(),
      payloads: town.payloads.traffic(),
      seconds: processorSeconds(daemon.pid ?? 0),
    });
    await town.finishRound();
    // In a first round it gets to know the task.
    town.play(town.round, script);
    await town.finishRound();
    const before = look();
    say(`${name}: started with ${whole(bytesOf(before.rpc) / 1_000)} kB, and a first round`);
    const { slots, ms } = town.passed;
    const votesBefore = votesOf(town.nodeOf(witness));
    for (let played = 0; played < rounds; played += 1) {
      town.play(town.round, script);
      await town.finishRound();
      say(`${name}: ${whole(bytesOf(look().rpc) / 1_000)} kB after ${played + 1} rounds`);
    }
    const now = look();
    const votes = votesOf(town.nodeOf(witness)) - votesBefore;
    if (votes !== rounds * script.audits) {
      throw new Error(
        `${name}: ${votes} votes of ${rounds * script.audits} count: of a node that does not do its part, figures mean nothing. Try a lower --speed.`,
      );
    }
    const traffic = trafficSince(now.rpc, before.rpc);
    const payloads = bytesOf(trafficSince(now.payloads, before.payloads));
    const memory = residentMegabytes(daemon.pid ?? 0);
    const slotMs = (speed * (town.passed.ms - ms)) / (town.passed.slots - slots);
    const each = (count: number): string => (count / rounds).toFixed(1);
    const counts = (of: Readonly<Record<string, number>>): string =>
      Object.entries(of)
        .map(([method, count]) => `${method} ${each(count)}`)
        .join(", ");
    say(
      [
        `${name}, a round:`,
        `${each(traffic.received)} bytes in and ${each(traffic.sent)} out, payloads ${each(payloads)}`,
        `${each(sum(traffic.requests))} requests (${counts(traffic.requests)})`,
        `${each(sum(traffic.notifications))} notifications (${counts(traffic.notifications)})`,
        `${each(traffic.pings)} pings and pongs, ${each(traffic.connections)} connections`,
        `${each(now.seconds - before.seconds)} s of a processor, ${each(votes)} votes`,
        `a slot took ${whole(slotMs)} ms of the daemon's time; resident at the end: ${whole(memory)} MB`,
      ].join("\n    "),
    );
    return { slotMs, bytes: (bytesOf(traffic) + payloads) / rounds, memory };
  } finally {
    await town.close();
  }
}

interface Told {
  readonly rounds: number;
  readonly speed: number;
  readonly config: Partial<NodeConfigInput>;
}

/** A target: what was measured, and the most that it may be. */
interface Target {
  readonly what: string;
  readonly megabytes: number;
  readonly most: number;
}

async function bench(told: Told, light: boolean): Promise<void> {
  const minutes = (told.rounds * Number(TOWN_RULES.roundSlots) * 400) / 60_000;
  say(
    `${WORKERS} workers, rounds of 10 minutes, ${minutes} minutes of the daemon's time at ${told.speed} times its speed, ${light ? "light" : "full"} profile`,
  );
  if (told.rounds % ROUNDS_AN_HOUR !== 0) {
    say(
      `NOTE: less than whole hours: what it does once an hour is counted too often, or left out.`,
    );
  }
  // One after the other: daemons that start at once would keep each other waiting, at so many times their speed.
  const places: Place[] = [];
  for (const scene of SCENES) places.push(await setUp(scene, told));
  const found = await Promise.all(places.map((place) => play(place, told)));
  const [nothing, work, audit, plainWork, plainAudit] = found;
  if (!nothing || !work || !audit || !plainWork || !plainAudit)
    throw new Error("A scene is missing.");
  const day = (quiet: Found, busy: Found): number =>
    ((ROUNDS_A_DAY - AUDITS_A_DAY) * quiet.bytes + AUDITS_A_DAY * busy.bytes) / MEGABYTE;
  const targets: readonly Target[] = [
    { what: `a day with ${AUDITS_A_DAY} audits, all judged`, megabytes: day(work, audit), most: 5 },
    { what: "a day on which all work and nobody is accused", megabytes: day(work, work), most: 5 },
    { what: "a day on which nothing happens", megabytes: day(nothing, nothing), most: 1 },
    {
      what: `a day with ${AUDITS_A_DAY} audits, without subscriptions`,
      megabytes: day(plainWork, plainAudit),
      most: 20,
    },
    {
      what: "resident at the end",
      megabytes: Math.max(...found.map(({ memory }) => memory)),
      most: 80,
    },
  ];
  say(
    `A day is ${ROUNDS_A_DAY} rounds: ${ROUNDS_A_DAY - AUDITS_A_DAY} as "work", ${AUDITS_A_DAY} as "an audit", in which the witness has a seat. Its start is not in it.`,
  );
  for (const { what, megabytes, most } of targets) {
    say(`${what}: ${megabytes.toFixed(2)} MB${light ? ` of ${most}` : ""}`);
  }
  if (found.some(({ slotMs }) => slotMs > MOST_SLOT_MS)) {
    throw new Error(
      `This machine is too busy for ${told.speed} times a cluster's speed: slots took over ${MOST_SLOT_MS} ms of the daemon's time. Try again, or with a lower --speed.`,
    );
  }
  const over = targets.filter(({ megabytes, most }) => megabytes > most);
  if (light && over.length > 0)
    throw new Error(`Over: ${over.map(({ what }) => what).join("; ")}.`);
}

const given = new Command("bench:light")
  .description("Measures what a day costs a witness with `profile: light`, in bytes at the socket")
  .option("--rounds <number>", "rounds of ten minutes to measure", String(ROUNDS_AN_HOUR))
  .option("--speed <number>", "how many times as fast slots pass and the daemon's clocks run", "6")
  .option("--full", "with `profile: full`, to compare")
  .parse()
  .opts<{ rounds: string; speed: string; full?: boolean }>();

const light = given.full !== true;
const config: Partial<NodeConfigInput> = light ? LIGHT : {};
bench({ rounds: Number(given.rounds), speed: Number(given.speed), config }, light).then(
  () => process.exit(0),
  (error: unknown) => {
    say(`ERROR: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  },
);
