import type { Ledger, Outcome, TaskEvent, TaskEventNamed } from "@securing-tasks/client";
import { formatAmount, heldBy } from "@securing-tasks/client";
import Table from "cli-table3";
import colors from "picocolors";
import type { Game } from "./game";

const DECIMALS = 9;

export function sol(lamports: bigint): string {
  return formatAmount(lamports, DECIMALS);
}

function change(lamports: bigint): string {
  if (lamports === 0n) return "0";
  return lamports > 0n ? colors.green(`+${sol(lamports)}`) : colors.red(sol(lamports));
}

/** A table without lines between its rows, and without colours where they would be noise. */
function tableOf(head: string[], colAligns: ("left" | "right")[]): Table.Table {
  return new Table({
    head,
    colAligns,
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    style: { head: [], border: [] },
  });
}

/** What everyone owns in the vault, and what belongs to nobody yet. */
export function worth(game: Game, ledger: Ledger): Map<string, bigint> {
  const nodes = new Map(ledger.nodes.map((node) => [game.nameOf(node.owner), heldBy(node)]));
  return new Map([
    ...[...game.players.keys()].map((name): [string, bigint] => [name, nodes.get(name) ?? 0n]),
    [POOL, ledger.pool],
    [ROUNDS, ledger.reserves],
  ]);
}

const POOL = "bounty pool";
const ROUNDS = "rounds";

/** Who had what, who gained and lost what, and why. */
export function gainsTable(
  game: Game,
  before: ReadonlyMap<string, bigint>,
  after: ReadonlyMap<string, bigint>,
  events: readonly TaskEvent[],
): string {
  const why = reasons(game, events);
  const table = tableOf(
    ["", "role", "had", "has", "change", "why"],
    ["left", "left", "right", "right", "right", "left"],
  );
  for (const [name, had] of before) {
    const has = after.get(name) ?? 0n;
    table.push([
      name,
      game.players.get(name)?.role ?? "",
      sol(had),
      sol(has),
      change(has - had),
      (why.get(name) ?? []).join("\n"),
    ]);
  }
  const sums = [before, after].map((all) => [...all.values()].reduce((a, b) => a + b, 0n));
  const [had = 0n, has = 0n] = sums;
  table.push([colors.bold("all"), "", sol(had), sol(has), change(has - had), ""]);
  return table.toString();
}

/** Vault and ledger, part by part. */
export function ledgerTable(game: Game, ledger: Ledger): string {
  const parts = {
    pool: ledger.pool,
    nodes: ledger.held,
    rounds: ledger.reserves,
    audits: ledger.pots,
    ledger: ledger.total,
    vault: ledger.vault,
  };
  const table = tableOf(
    Object.keys(parts),
    Object.keys(parts).map(() => "right"),
  );
  table.push(Object.values(parts).map(sol));
  return (
    `${table.toString()}\n` +
    `Vault, ledger and events agreed to the unit after each of ${game.checks} transactions.`
  );
}

/** What everyone put in and got out. */
export function finalTable(game: Game): string {
  const table = tableOf(["", "put in", "got out", "change"], ["left", "right", "right", "right"]);
  const sum = (events: readonly { data: { amount: bigint } }[]): bigint =>
    events.reduce((total, { data }) => total + data.amount, 0n);
  const all = { in: 0n, out: 0n };
  const row = (name: string, putIn: bigint, gotOut: bigint): void => {
    all.in += putIn;
    all.out += gotOut;
    table.push([name, sol(putIn), sol(gotOut), change(gotOut - putIn)]);
  };
  for (const { name, stake, owner } of game.players.values()) {
    const paid = named(game.events, "withdrawn").filter(({ data }) =>
      data.owner.equals(owner.publicKey),
    );
    row(name, stake, sum(paid));
  }
  row("creator", sum(named(game.events, "taskFunded")), sum(named(game.events, "taskRetired")));
  table.push([colors.bold("all"), sol(all.in), sol(all.out), change(all.out - all.in)]);
  return table.toString();
}

function named<N extends TaskEvent["name"]>(
  events: readonly TaskEvent[],
  name: N,
): TaskEventNamed<N>[] {
  return events.filter((event): event is TaskEventNamed<N> => event.name === name);
}

function percent(part: bigint, whole: bigint): string {
  return `${formatAmount((part * 10_000n) / whole, 2)}%`;
}

function isConviction(outcome: Outcome): boolean {
  return outcome === "convictedDowntime" || outcome === "convictedMalice";
}

/** One line for each thing that an audit did to someone. */
function reasons(game: Game, events: readonly TaskEvent[]): Map<string, string[]> {
  const lines = new Map<string, string[]>();
  const say = (name: string, line: string): void => {
    lines.set(name, [...(lines.get(name) ?? []), line]);
  };
  const opened = named(events, "auditOpened")[0]?.data;
  const resolved = named(events, "auditResolved")[0]?.data;
  if (!opened || !resolved) return lines;

  const [initiator, accused] = [game.nameOf(resolved.initiator), game.nameOf(resolved.accused)];
  const bond = sol(opened.bond);
  switch (resolved.outcome) {
    case "convictedDowntime":
    case "convictedMalice": {
      const fault = resolved.outcome === "convictedMalice" ? "malice" : "downtime";
      const { slash, initiatorAward } = resolved;
      const part = percent(slash, opened.accusedStake);
      say(accused, `convicted of ${fault}: loses ${part} of ${sol(opened.accusedStake)}`);
      say(initiator, `accused rightly: bonus and share of the slash, ${sol(initiatorAward)}`);
      break;
    }
    case "acquitted":
      say(accused, `acquitted: gets ${sol(resolved.accusedAward)} of the lost bond`);
      say(initiator, `accused wrongly: loses its bond, ${sol(resolved.bondLost)}`);
      break;
    case "noVerdict":
    case "open":
      say(accused, "no verdict: not cleared, can be audited again");
      say(initiator, `no verdict: its bond of ${bond} stays with it`);
  }
  for (const { data } of named(events, "workSubmitted")) {
    say(POOL, `sets ${sol(data.reserve)} aside for the round`);
  }
  for (const { data } of named(events, "bountyClaimed")) {
    say(game.nameOf(data.owner), `its bounty for the round, ${sol(data.amount)}`);
  }
  if (isConviction(resolved.outcome)) {
    say(ROUNDS, "convicted work earns nothing: its bounty waits for the round's end");
  }
  if (resolved.poolAward > 0n) {
    const of = isConviction(resolved.outcome) ? "slash" : "lost bond";
    say(POOL, `its part of the ${of}, ${sol(resolved.poolAward)}`);
  }

  const opinions = new Map(
    named(events, "voteCast").map(({ data }) => [game.nameOf(data.voter), data.opinion]),
  );
  for (const { data } of named(events, "voteClaimed")) {
    const name = game.nameOf(data.voter);
    const share = data.share > 0n ? `: share ${sol(data.share)}` : "";
    say(name, `voted ${opinions.get(name) ?? ""}${share}`);
    if (data.poolAward > 0n) say(POOL, `what rounding left over, ${sol(data.poolAward)}`);
  }
  for (const name of game.players.keys()) {
    if (!lines.has(name)) say(name, "did not vote");
  }
  return lines;
}
