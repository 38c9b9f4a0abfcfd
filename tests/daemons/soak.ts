import { randomInt } from "node:crypto";
import { Command } from "commander";
import type { LogLine } from "./daemon";
import type { Member } from "./fleet";
import { Fleet } from "./fleet";
import { dice } from "../utils/dice";

/*
 * npm run soak: many rounds, eight daemons, each killed now and then at a random moment, hosts that lie or go dark for a round.
 * Ends with what must hold: no vote stayed shut, nobody voted twice or paid for it, and the ledger is the chain's.
 */

const RULES = `
  roundWindow: 300 slots
  submissionWindow: 80 slots
  auditWindow: 80 slots
  commitWindow: 70 slots
  revealWindow: 130 slots
  leaveDelay: 400 slots
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

const say = (text: string): void => {
  process.stdout.write(`[soak] ${text}\n`);
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function soak(rounds: number, seed: number): Promise<void> {
  const roll = dice(seed);
  const any = <T>(all: readonly T[]): T => all[roll(all.length)] as T;
  say(`seed ${seed}, ${rounds} rounds; starting a validator, a task and eight daemons ...`);
  const fleet = await Fleet.start({
    crew: [
      ...[1, 2, 3, 4, 5].map((n) => ({
        name: `worker-${n}`,
        role: "worker" as const,
        stake: 50_000_000n,
      })),
      ...[1, 2, 3].map((n) => ({
        name: `witness-${n}`,
        role: "witness" as const,
        stake: 5_000_000n,
      })),
    ],
    rules: RULES,
    pool: 600_000n * BigInt(rounds + 20),
  });
  const kills = { idle: 0, sending: 0, committed: 0 };
  try {
    await Promise.all(fleet.members.map(({ daemon }) => daemon.start()));
    const workers = fleet.members.filter(({ host }) => host !== null);
    const first = (await fleet.round()) + 1n;
    for (let played = 0; played < rounds; played += 1) {
      const round = first + BigInt(played);
      await fleet.reach(round);
      const bad = roll(3) === 0 ? any(workers) : null;
      const what = bad ? any(["lies", "is dark"]) : "";
      if (bad && what === "lies") bad.host?.lie();
      if (bad && what === "is dark") await bad.host?.goDark();
      const killed: string[] = [];
      const victims = new Set(Array.from({ length: 1 + roll(2) }, () => any(fleet.members)));
      await Promise.all(
        [...victims].map(async (member) => {
          const wanted = any(bad ? AMID_AUDITS : AMID_WORK);
          const when = await moment(member, wanted, roll(8_000));
          await member.daemon.kill();
          kills[when] += 1;
          killed.push(`${member.name} (${when})`);
          await pause(roll(1_500));
          await member.daemon.start();
        }),
      );
      await fleet.reach(round, 299n);
      await bad?.host?.behave();
      const faults = bad ? `; ${bad.name} ${what}` : "";
      say(`round ${played + 1}/${rounds}: killed ${killed.join(", ")}${faults}`);
    }
    // The last audits and bounties.
    await fleet.reach(first + BigInt(rounds) + 1n);
    await Promise.all(fleet.members.map(({ daemon }) => daemon.stop()));
    await judge(fleet, kills);
  } finally {
    await fleet.close();
  }
}

type Moment = "idle" | "sending" | "committed";

/** When to kill. Nothing is committed to in a round without an audit. */
const AMID_WORK: readonly Moment[] = ["idle", "sending"];
const AMID_AUDITS: readonly Moment[] = ["idle", "sending", "committed", "committed"];

/** Waits for a moment of some kind, but no longer than a few seconds. Returns which kind it is. */
async function moment({ daemon }: Member, wanted: Moment, afterMs: number): Promise<Moment> {
  if (wanted === "idle") {
    await pause(afterMs);
    return "idle";
  }
  const word = wanted === "sending" ? "transaction sent" : "commit";
  return await Promise.race([
    daemon.next((line: LogLine) => line.msg === word).then(() => wanted),
    pause(9_000).then(() => "idle" as const),
  ]);
}

async function judge(fleet: Fleet, kills: Readonly<Record<string, number>>): Promise<void> {
  const index = await fleet.audited();
  const audits = [...index.audits.values()];
  const outcomes = new Map<string, number>();
  for (const { outcome } of audits) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const nodes = await Promise.all(fleet.members.map((member) => fleet.node(member)));
  const sum = (of: (node: (typeof nodes)[number]) => number): number =>
    nodes.reduce((total, node) => total + of(node), 0);
  const lost = sum(({ votesUnrevealed }) => votesUnrevealed);
  const votes = sum((node) => node.votesWithMajority + node.votesAgainstMajority);
  const twice = await doneTwice(fleet);

  say(`killed: ${JSON.stringify(kills)}`);
  say(`submissions: ${sum(({ submissions }) => submissions)}, decided votes: ${votes}`);
  say(`audits the index still holds: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  say(
    `convictions: ${sum((node) => node.convictionsMalice)} of malice, ${sum((node) => node.convictionsDowntime)} of downtime`,
  );
  say(`lost reveals: ${lost}`);
  say(`done twice: ${twice.length === 0 ? 0 : twice.join(", ")}`);
  say("the ledger of all events is the chain's, and the vault's");
  if (lost > 0 || twice.length > 0) throw new Error("Something was lost or done twice.");
  if (votes === 0)
    throw new Error("Nothing was voted on: this run shows nothing. Play more rounds.");
}

/** Transactions of the daemons' keys that failed on the chain at something that is done once. */
async function doneTwice(fleet: Fleet): Promise<string[]> {
  const { connection } = fleet.chain;
  const found: string[] = [];
  for (const member of fleet.members) {
    let before: string | undefined;
    for (;;) {
      const page = await connection.getSignaturesForAddress(
        member.operator.publicKey,
        before === undefined ? {} : { before },
      );
      for (const { signature } of page.filter(({ err }) => err !== null)) {
        const record = await connection.getTransaction(signature, {
          commitment: "confirmed",
          maxSupportedTransactionVersion: 0,
        });
        const message = record?.transaction.message;
        for (const { data } of message?.compiledInstructions ?? []) {
          const name = instructionOf(fleet, data);
          if (name !== undefined && ONCE.includes(name)) found.push(`${member.name} ${name}`);
        }
      }
      before = page.at(-1)?.signature;
      if (before === undefined) break;
    }
  }
  return found;
}

function instructionOf(fleet: Fleet, data: Uint8Array): string | undefined {
  const known = fleet.client.program.idl.instructions;
  return known.find(({ discriminator }) => Buffer.from(discriminator).equals(data.subarray(0, 8)))
    ?.name;
}

const program = new Command("soak")
  .description("Plays many rounds with eight daemons that are killed at random")
  .option("--rounds <number>", "rounds to play", "40")
  .option("--seed <number>", "which daemons are killed, and when", String(randomInt(2 ** 31)))
  .parse();
const { rounds, seed } = program.opts<{ rounds: string; seed: string }>();

soak(Number(rounds), Number(seed)).then(
  () => process.exit(0),
  (error: unknown) => {
    say(`ERROR: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  },
);
