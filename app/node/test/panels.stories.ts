import { rmSync, writeFileSync } from "node:fs";
import type { Audit, Opinion } from "@securing-tasks/client";
import {
  MemorySaltStore,
  WRAPPED_SOL,
  appealFault,
  drawSecretOf,
  explain,
  nodeAddress,
  roundAt,
  seatOf,
  secretHash,
  submissionEnd,
  verdictOf,
  weightOn,
  wrapSol,
} from "@securing-tasks/client";
import { Keypair, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import type { Hand } from "./utils/bench";
import { Bench } from "./utils/bench";
import { Inside } from "./utils/inside";
import { refusal } from "../../../tests/utils/refusal";

const RULES = {
  roundSlots: 10_000n,
  submissionSlots: 500n,
  auditSlots: 300n,
  commitSlots: 600n,
  revealSlots: 100n,
  appealSlots: 150n,
  appealBond: 60n,
  panelSeats: 9,
  leaveDelaySlots: 2_350n,
};
/** A ninth of all that may vote, and more: each such node has a seat, whatever is drawn. */
const HEAVY = 30_000n;
const LIGHT = 1_000n;
const KEY = new Uint8Array(32).fill(7);

describe("a panel and an appeal, by daemons", function () {
  this.timeout(300_000);
  let bench: Bench;
  let daemons: Inside[];
  /** Heavy nodes without a daemon: their votes are the test's. */
  let heavy: Keypair[];
  /** Light witnesses' daemons, and the accused's. */
  let witnesses: { readonly hand: Hand; readonly daemon: Inside }[];
  const salts = new MemorySaltStore();

  beforeEach(async () => {
    bench = await Bench.make(RULES);
    daemons = [];
    heavy = [];
    witnesses = [];
  });

  afterEach(async () => {
    await Promise.all(daemons.map((one) => one.stop()));
    await bench.end();
  });

  const run = async (hand: Hand, more: Partial<Hand["config"]> = {}): Promise<Inside> => {
    const chores = { spreadSlots: 0, close: false };
    const daemon = new Inside({ ...hand.config, samples: 0, chores, ...more });
    daemons.push(daemon);
    await daemon.start();
    return daemon;
  };

  const pass = async (slots: bigint): Promise<void> => {
    await bench.chain.waitForSlot((await bench.chain.slot()) + slots);
  };

  /** Three heavy nodes, five light witnesses, and then, so that all have a say on its work, a worker that may lie. */
  async function gather(more: string): Promise<{ hand: Hand; daemon: Inside }> {
    for (let at = 0; at < 3; at += 1) heavy.push(await bench.join("witness", HEAVY));
    for (let at = 0; at < 5; at += 1) {
      const hand = await bench.hire(`witness-${at}`, "witness", LIGHT);
      witnesses.push({ hand, daemon: await run(hand) });
    }
    await pass(1n);
    const hand = await bench.hire("accused", "worker", 2_000n, { secrets: { more } });
    return { hand, daemon: await run(hand) };
  }

  const audits = (): Promise<Audit[]> => bench.client.ofTask("audit", bench.task);
  const now = ({ address }: Audit): Promise<Audit> => bench.client.fetch("audit", address);
  const node = (owner: Keypair) =>
    bench.client.fetch("node", nodeAddress(bench.task, owner.publicKey));
  const becomes = (what: string, audit: Audit, is: (audit: Audit) => boolean): Promise<Audit> =>
    bench.until(what, async () => {
      const found = await now(audit);
      return is(found) && found;
    });

  const counts = (hand: Hand, metric: string): Promise<unknown> =>
    bench.until(metric, async () => (await bench.metric(hand, metric)) === 1);
  const judged = (daemon: Inside, { address }: Audit): number =>
    daemon.said("judged").filter((line) => line.audit === address.toBase58()).length;

  /** The first accusation that a daemon comes to by itself. */
  async function accusation(): Promise<Audit> {
    const task = await bench.client.fetch("task", bench.task);
    await bench.until("work of both", async () => {
      return (await bench.client.ofTask("submission", bench.task)).length === 2;
    });
    // A third of the audit window and more: the first look is due by then.
    await bench.chain.waitForSlot(submissionEnd(task, 0n) + 101n);
    return bench.until("an accusation", async () => (await audits())[0]);
  }

  /** A heavy node accuses the work of the current round. */
  async function accuse(initiator: Keypair, accused: Keypair): Promise<Audit> {
    await bench.until("work", async () => {
      const works = await bench.client.ofTask("submission", bench.task);
      return works.some(({ owner }) => owner.equals(accused.publicKey));
    });
    const task = await bench.client.fetch("task", bench.task);
    const round = roundAt(task, await bench.chain.slot());
    const parties = { accused: accused.publicKey, initiator: initiator.publicKey };
    const before = (await audits()).length;
    const secret = drawSecretOf(KEY, initiator.publicKey);
    const given = { task: bench.task, round, ...parties, accusation: "malice" as const };
    await pass(1n);
    const opening = bench.client.openAudit({ ...given, secretHash: secretHash(secret) });
    await bench.send(opening, initiator);
    const all = await audits();
    expect(all).to.have.length(before + 1);
    const audit = all.find((one) => one.initiator.equals(initiator.publicKey));
    if (!audit) throw new Error("No audit was opened.");
    await bench.chain.waitForSlot(audit.drawSlot + 1n);
    await bench.send(bench.client.drawPanel({ audit: audit.address, secret }), initiator);
    return now(audit);
  }

  async function commit(audit: Audit, voter: Keypair, opinion: Opinion): Promise<void> {
    const ballot = { task: bench.task, audit: audit.address, voter: voter.publicKey, opinion };
    const { builder } = await bench.client.commitVote({ ...ballot, salts });
    await bench.send(builder, voter);
  }

  async function reveal(audit: Audit, voter: Keypair): Promise<void> {
    const given = { task: bench.task, audit: audit.address, voter: voter.publicKey, salts };
    await bench.send(await bench.client.revealVote(given), voter);
  }

  /** Votes of light witnesses, once all that may have voted; who has no seat has not looked. Back when votes are told. */
  async function firstCount(
    audit: Audit,
    jurors: readonly Keypair[],
    opinion: Opinion,
  ): Promise<readonly string[]> {
    for (const juror of jurors) await commit(audit, juror, opinion);
    const { rules } = await bench.client.fetch("task", bench.task);
    const seated: string[] = [];
    for (const { hand } of witnesses) {
      const found = await node(hand.owner);
      const weight = weightOn(found, rules, audit.submissionSlot);
      const seat = seatOf(audit, hand.owner.publicKey, weight, await bench.chain.slot());
      if (seat === "seated") seated.push(hand.name);
      else expect(seat).to.equal("notSeated");
    }
    // The last moment at which a juror looks, and that at which it votes.
    await bench.chain.waitForSlot(audit.drawSlot + 256n + 130n);
    const count = jurors.length + seated.length;
    await becomes("all seats vote", audit, ({ liveVotes }) => liveVotes === count);
    await bench.chain.waitForSlot(audit.revealSlot);
    for (const juror of jurors) await reveal(audit, juror);
    const told = ({ votes }: Audit): number =>
      votes.valid.nodes + votes.downtime.nodes + votes.malice.nodes;
    await becomes("all reveal", audit, (one) => told(one) === count + 1);
    for (const { hand, daemon } of witnesses) {
      const looks = seated.includes(hand.name) ? 1 : 0;
      expect(judged(daemon, audit), hand.name).to.equal(looks);
    }
    await bench.chain.waitForSlot(audit.endSlot);
    return seated;
  }

  /** After the appeal all others vote, and somebody resolves. */
  async function finalCount(appealed: Audit, others: number): Promise<Audit> {
    const votes = appealed.liveVotes + others;
    // The last moment at which one looks, and that at which it votes.
    await bench.chain.waitForSlot(appealed.appealSlot + 230n);
    await becomes("all vote", appealed, ({ liveVotes }) => liveVotes === votes);
    await bench.chain.waitForSlot(appealed.revealSlot);
    const told = ({ votes: { valid, downtime, malice } }: Audit): number =>
      valid.nodes + downtime.nodes + malice.nodes;
    await becomes("all reveal", appealed, (one) => told(one) === votes + 1);
    await bench.chain.waitForSlot(appealed.endSlot);
    return becomes("a verdict", appealed, ({ outcome }) => outcome !== "open");
  }

  it("draws with nothing but its key, and turns an acquittal of what it sees to be a lie", async () => {
    const initiator = await bench.hire("initiator", "worker", 3_000n);
    // It lost its state before the draw, and draws all the same.
    const first = await run(initiator, { samples: 10 });
    await gather(" and a lie");
    const audit = await accusation();
    await first.stop();
    rmSync(initiator.config.state, { recursive: true });
    const second = await run(initiator, { quietSlots: 0 });
    expect((await now(audit)).seed).to.equal(null);
    await bench.chain.waitForSlot(audit.drawSlot + 1n);
    const drawn = await becomes("a draw", audit, ({ seed }) => seed !== null);
    await counts(initiator, "panels_drawn_total");

    const seated = await firstCount(drawn, heavy, "valid");
    const appealed = await becomes("an appeal", audit, ({ appealSlot }) => appealSlot > 0n);
    expect(appealed.firstOutcome).to.equal("acquitted");
    expect(appealed.appellant?.equals(initiator.owner.publicKey)).to.equal(true);
    expect(second.said("checked"), "its look before the appeal").to.have.length(1);
    await counts(initiator, "appeals_total");

    const { outcome, votes } = await finalCount(appealed, witnesses.length - seated.length);
    expect([outcome, votes.malice.nodes, votes.valid.nodes]).to.deep.equal([
      "convictedMalice",
      6,
      3,
    ]);
    const { bonds, stake } = await node(initiator.owner);
    expect([bonds, stake]).to.deep.equal([0n, 3_000n]);
    for (const { daemon } of witnesses) expect(judged(daemon, audit)).to.equal(1);
  });

  it("turns a conviction of its own good work, as soon as its stake can lend the bond, and says so until then", async () => {
    const { hand, daemon } = await gather("");
    const [one, two, three] = heavy as [Keypair, Keypair, Keypair];
    const audit = await accuse(one, hand.owner);
    // Half of 2,000 may go twice, so that no 60 are left.
    const other = await accuse(two, hand.owner);
    expect(other.attempt).to.equal(1);
    const seated = await firstCount(audit, [two, three], "malice");
    const cant = await bench.until("it says so", () =>
      Promise.resolve(daemon.said("CAN'T APPEAL")[0]),
    );
    expect(cant).to.include({ level: 50, fault: "stakeAtRisk", bond: "60" });
    const task = await bench.client.fetch("task", bench.task);
    const accused = await node(hand.owner);
    expect(appealFault(accused, task.rules)).to.equal("stakeAtRisk");
    const appeal = { task: bench.task, audit: audit.address, appellant: hand.owner.publicKey };
    const given = { ...appeal, operator: hand.operator.publicKey };
    const sent = bench.send(bench.client.appealAudit(given), hand.operator);
    expect(explain(await refusal(sent)).name).to.equal("stakeAtRisk");
    // One base unit too few.
    await addStake(hand.owner, 59n);
    expect(appealFault(await node(hand.owner), task.rules)).to.equal("stakeAtRisk");
    await addStake(hand.owner, 1n);
    expect(appealFault(await node(hand.owner), task.rules)).to.equal(null);
    const appealed = await becomes("an appeal", audit, ({ appealSlot }) => appealSlot > 0n);
    expect(appealed.firstOutcome).to.equal("convictedMalice");
    expect(appealed.appellant?.equals(hand.owner.publicKey)).to.equal(true);
    expect(daemon.said("CAN'T APPEAL")).to.have.length(1);
    const { outcome } = await finalCount(appealed, witnesses.length - seated.length);
    expect(outcome).to.equal("acquitted");
  });

  async function addStake(owner: Keypair, amount: bigint): Promise<void> {
    const { chain, client, task } = bench;
    await chain.send(new Transaction().add(...wrapSol(owner.publicKey, amount)), [owner]);
    const ref = { address: task, mint: WRAPPED_SOL };
    await bench.send(client.addStake({ task: ref, owner: owner.publicKey, amount }), owner);
  }

  it("is appealed by a juror that was outvoted, and by one of two alone", async () => {
    for (const name of ["juror-1", "juror-2"]) {
      const hand = await bench.hire(name, "witness", HEAVY);
      witnesses.push({ hand, daemon: await run(hand) });
    }
    const friends = [await bench.join("witness", HEAVY), await bench.join("witness", HEAVY)];
    const { hand } = await gather(" and a lie");
    const [initiator, ...more] = heavy as [Keypair, Keypair, Keypair];
    const audit = await accuse(initiator, hand.owner);
    const seated = await firstCount(audit, [...friends, ...more], "valid");
    expect(seated).to.include.members(["juror-1", "juror-2"]);
    expect((await now(audit)).appealSlot, "at once").to.equal(0n);
    // Each waits for a moment of its own in the first half.
    await pass(RULES.appealSlots / 2n);
    const appealed = await becomes("an appeal", audit, ({ appealSlot }) => appealSlot > 0n);
    const { outcome } = await finalCount(appealed, witnesses.length - seated.length);
    expect(outcome).to.equal("convictedMalice");
    const jurors = witnesses.filter(({ hand: { name } }) => seated.includes(name));
    const appeals = jurors.map(({ hand: { owner }, daemon }) => ({
      made: daemon.said("appeal").filter(({ msg }) => msg === "appeal").length,
      isAppellant: appealed.appellant?.equals(owner.publicKey) === true,
      errors: daemon.lines.filter(({ level }) => level > 40).map(({ msg, error }) => [msg, error]),
    }));
    const others = appeals.filter(({ isAppellant }) => !isAppellant);
    expect(appeals.filter(({ isAppellant }) => isAppellant)).to.deep.equal([
      { made: 1, isAppellant: true, errors: [] },
    ]);
    for (const one of others) {
      expect(one).to.deep.equal({ made: 0, isAppellant: false, errors: [] });
    }
  });

  it("is not asked for a count that lacks the last reveals, as a server that is behind gives it", async () => {
    const friends: Keypair[] = [];
    while (friends.length < 4) friends.push(await bench.join("witness", HEAVY));
    const { hand, daemon } = await gather("");
    const [initiator, ...jurors] = heavy as [Keypair, Keypair, Keypair];
    const audit = await accuse(initiator, hand.owner);
    for (const juror of jurors) await commit(audit, juror, "malice");
    for (const friend of friends) await commit(audit, friend, "valid");
    await bench.chain.waitForSlot(audit.revealSlot);
    for (const juror of jurors) await reveal(audit, juror);
    expect(verdictOf(await now(audit))).to.equal("convictedMalice");
    await freezeLists();
    for (const friend of friends) await reveal(audit, friend);
    await bench.chain.waitForSlot(audit.endSlot);
    await bench.until("a look at the count", () =>
      Promise.resolve(daemon.lines.some(({ why }) => why === "the count is another by now")),
    );
    const counted = await now(audit);
    expect([verdictOf(counted), counted.appealSlot]).to.deep.equal(["acquitted", 0n]);
  });

  /** From now on, lists of accounts are as they are at this moment. */
  async function freezeLists(): Promise<void> {
    const asked = new Map<string, unknown>();
    bench.answers = ({ method, params }) => {
      if (method === "getProgramAccounts") asked.set(JSON.stringify(params), params);
      return undefined;
    };
    // The daemon asks for all of them at each look: task, rounds, submissions, audits.
    await bench.until("all lists", () => Promise.resolve(asked.size >= 3));
    await pass(1n);
    const lists = new Map<string, unknown>();
    for (const [name, params] of asked) {
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "getProgramAccounts", params });
      const answer = await fetch(bench.rpcUrl, { method: "POST", body });
      lists.set(name, ((await answer.json()) as { result: unknown }).result);
    }
    bench.answers = ({ method, params }) =>
      method === "getProgramAccounts" ? lists.get(JSON.stringify(params)) : undefined;
  }

  it("is told where a panel can't be drawn with this key, and was not drawn in time: all judge then", async () => {
    const initiator = await bench.hire("initiator", "worker", 3_000n);
    const first = await run(initiator, { samples: 10 });
    await gather(" and a lie");
    const audit = await accusation();
    await first.stop();
    const { owner, config } = initiator;
    const operator = Keypair.generate();
    await bench.chain.fund(operator.publicKey, 100_000_000n);
    writeFileSync(config.operatorKeypair, JSON.stringify([...operator.secretKey]));
    const named = { task: bench.task, owner: owner.publicKey, operator: operator.publicKey };
    await bench.send(bench.client.setOperator(named), owner);
    const again = await run(initiator, { quietSlots: 0 });
    const says = (text: string): Promise<unknown> =>
      bench.until(text, () => Promise.resolve(again.said(text)[0]));
    await bench.chain.waitForSlot(audit.drawSlot + 1n);
    await says("the panel of an own accusation can't be drawn with this operator's key");
    expect((await now(audit)).seed).to.equal(null);
    await bench.chain.waitForSlot(audit.drawSlot + 256n);
    await says("the panel of an own accusation was not drawn in time");
    await counts(initiator, "draws_missed_total");
    await bench.chain.waitForSlot(audit.drawSlot + 256n + 130n);
    await becomes("all vote", audit, ({ liveVotes }) => liveVotes === witnesses.length);
  });
});
