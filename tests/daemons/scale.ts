import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NodeConfigInput } from "@securing-tasks/node";
import { Command } from "commander";
import type { Traffic } from "../utils/socket_counter";
import { bytesOf, sum, trafficSince } from "../utils/socket_counter";
import { LIGHT, processorSeconds, residentMegabytes } from "./daemon";
import type { Resident } from "./town";
import { TOWN_RULES, Town, votesOf } from "./town";

/*
 * npm run bench:scale -- --off-chain: what a round costs one witness and one worker off the chain, in tasks of 10 to 10,000 workers: requests,
 * bytes at the socket, processor seconds and memory. All workers submit; once nobody is accused, once 1 % of them.
 */

const SIZES = [10, 100, 1_000, 10_000] as const;
/** One in so many is audited. */
const AUDITED_ONE_IN = 100;
const DOC = join(__dirname, "../../docs/scale.md");
const HEADING = "## Off the chain";
/** What stands below it was written by hand. */
const BY_HAND = "### Before";

/** Longer slots, by the daemons' clocks, mean that this machine was too busy: what goes by time would be counted too often. */
const MOST_SLOT_MS = 500;

interface Row {
  /** How long a slot took, in milliseconds of the daemons' time. */
  readonly slotMs: number;
  readonly workers: number;
  readonly audits: number;
  readonly role: string;
  readonly votes: number;
  readonly traffic: Traffic;
  /** Of the round. */
  readonly seconds: number;
  /** Resident, at the round's end, in MB. */
  readonly memory: number;
}

const say = (text: string): void => {
  process.stdout.write(`[scale] ${text}\n`);
};

interface Told {
  readonly sizes: readonly number[];
  readonly speed: number;
  readonly light: boolean;
}

async function measure(workers: number, { speed, light }: Told): Promise<readonly Row[]> {
  say(`${workers} workers: setting up ...`);
  const town = await Town.start({ workers, speed });
  try {
    const config: Partial<NodeConfigInput> = light ? LIGHT : {};
    await town.hire("witness", "witness", config);
    await town.hire("worker", "worker", config);
    const rows: Row[] = [];
    await town.finishRound();
    for (const audits of [0, Math.max(1, Math.round(workers / AUDITED_ONE_IN))]) {
      // All of the round before is over, claimed and closed.
      town.play(town.round, { work: true, audits });
      const before = town.residents.map((one) => look(one, town));
      const { slots, ms } = town.passed;
      await town.finishRound();
      const slotMs = (speed * (town.passed.ms - ms)) / (town.passed.slots - slots);
      for (const [index, one] of town.residents.entries()) {
        const [then, now] = [before[index], look(one, town)];
        if (!then) continue;
        const did = now.submissions - then.submissions;
        const due = one.role === "worker" ? 1 : 0;
        const judged = audits > 0 ? 1 : 0;
        if (did !== due || now.votes - then.votes !== judged) {
          throw new Error(
            `The ${one.role} submitted ${did} times of ${due}, and ${now.votes - then.votes} of its votes count, of ${judged}: of a node that does not do its part, figures mean nothing. Try a lower --speed.`,
          );
        }
        rows.push({
          ...{ workers, audits, slotMs, role: one.role, memory: now.memory },
          votes: now.votes - then.votes,
          traffic: trafficSince(now.traffic, then.traffic),
          seconds: now.seconds - then.seconds,
        });
      }
      say(
        `${workers} workers, ${audits} audits: a slot took ${slotMs.toFixed(0)} ms of the daemons' time`,
      );
      for (const row of rows.slice(-town.residents.length)) {
        say(`  ${lineOf(row)}`);
        say(
          `    ${JSON.stringify(row.traffic.requests)} ${JSON.stringify(row.traffic.notifications)}`,
        );
      }
    }
    return rows;
  } finally {
    await town.close();
  }
}

interface Look {
  readonly traffic: Traffic;
  readonly seconds: number;
  readonly memory: number;
  readonly votes: number;
  readonly submissions: number;
}

function look(one: Resident, town: Town): Look {
  const { daemon, rpc } = one;
  const { pid } = daemon;
  if (pid === undefined) throw new Error("A daemon has ended.");
  const node = town.nodeOf(one);
  return {
    traffic: rpc.traffic(),
    seconds: processorSeconds(pid),
    memory: residentMegabytes(pid),
    votes: votesOf(node),
    submissions: node.submissions,
  };
}

function lineOf({ workers, audits, role, votes, traffic, seconds, memory }: Row): string {
  const kilobytes = (bytes: number): string => (bytes / 1_000).toFixed(0);
  const cells = [
    ...[workers, audits, role, votes, sum(traffic.requests), sum(traffic.notifications)],
    ...[kilobytes(traffic.received), kilobytes(traffic.sent), kilobytes(bytesOf(traffic))],
    ...[seconds.toFixed(1), memory.toFixed(0)],
  ];
  return `| ${cells.join(" | ")} |`;
}

function sectionOf(rows: readonly Row[], { speed, light }: Told): string {
  const minutes = (Number(TOWN_RULES.roundSlots) * 400) / 60_000;
  const [cpu] = /^model name\s*:\s*(.*)$/m
    .exec(execFileSync("cat", ["/proc/cpuinfo"]).toString())
    ?.slice(1) ?? ["?"];
  return [
    HEADING,
    "",
    `Written by \`npm run bench:scale -- --off-chain\`: what one round of ${minutes} minutes costs one witness and one worker${light ? " with `profile: light`" : ""}, each a daemon`,
    "in a process of its own (`securing-tasks node run`) with one sample, in tasks of so many workers who all submit; once nobody is accused, once 1 % of",
    "them. Panels have 31 seats; both daemons judge the first audit of the round and no other, so that their duties are the same in all tasks. The RPC server",
    "is a stand-in over a chain in the measuring process (LiteSVM with the program as built here), with a validator's envelopes, notifications of what a slot",
    `changed, and 2 slots until a transaction is confirmed. Slots, and all clocks of the daemons, run ${speed} times as fast as on a cluster: what goes by time happens`,
    "as often in a round. Bytes are those of TCP between daemon and server, with heads of HTTP and WebSocket frames, without TLS and compression.",
    `Processor: ${cpu ?? "?"}.`,
    "",
    "| workers | audits | role | votes | requests | notifications | received, kB | sent, kB | both, kB | processor, s | resident, MB |",
    "| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows.map(lineOf),
    "",
  ].join("\n");
}

/** Puts the section in the place of the one that is there. */
async function write(section: string): Promise<void> {
  const text = await readFile(DOC, "utf8");
  const start = text.indexOf(HEADING);
  const end = text.indexOf(BY_HAND);
  const before = start < 0 ? `${text.trimEnd()}\n\n` : text.slice(0, start);
  const after = end < 0 ? "" : `\n${text.slice(end)}`;
  await writeFile(DOC, `${before}${section}${after}`);
}

async function bench(told: Told, all: boolean): Promise<void> {
  const rows: Row[] = [];
  for (const size of told.sizes) rows.push(...(await measure(size, told)));
  const section = sectionOf(rows, told);
  process.stdout.write(`\n${section}`);
  if (rows.some(({ slotMs }) => slotMs > MOST_SLOT_MS)) {
    throw new Error(
      `This machine is too busy for ${told.speed} times a cluster's speed: slots took over ${MOST_SLOT_MS} ms of the daemons' time. Nothing is written. Try again, or with a lower --speed.`,
    );
  }
  if (all && !told.light) {
    await write(section);
    say("wrote docs/scale.md");
  }
}

const given = new Command("bench:scale --off-chain")
  .description(
    "Measures what a round costs one witness and one worker, in tasks of 10 to 10,000 workers",
  )
  .option(
    "--sizes <numbers>",
    "workers, with commas; all of them are written to docs/scale.md",
    SIZES.join(),
  )
  .option("--speed <number>", "how many times as fast slots pass and the daemons' clocks run", "4")
  .option("--light", "with `profile: light`; nothing is written")
  .parse()
  .opts<{ sizes: string; speed: string; light?: boolean }>();

bench(
  {
    sizes: given.sizes.split(",").map(Number),
    speed: Number(given.speed),
    light: given.light === true,
  },
  given.sizes === SIZES.join(),
).then(
  () => process.exit(0),
  (error: unknown) => {
    say(`ERROR: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  },
);
