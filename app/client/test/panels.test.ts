import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Audit, Opinion, Submission, TaskRules } from "@securing-tasks/client";
import {
  ArgumentError,
  DRAW_WINDOW,
  PROGRAM_ID,
  auditAddress,
  isSeated,
  isSecret,
  juryOf,
  longestCase,
  panelSeed,
  phaseOf,
  resolvableAt,
  seatOf,
  secretHash,
  verdictOf,
  voteAddress,
  weightOn,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type { Seat, Sendable } from "@securing-tasks/demo/game";
import { Game } from "@securing-tasks/demo/game";
import { Keypair, PublicKey, SYSVAR_SLOT_HASHES_PUBKEY } from "@solana/web3.js";
import { expect } from "chai";
import { dice } from "../../../tests/utils/dice";
import { RULES, claimAll, expectRefusal, witnesses, workers } from "../../../tests/utils/games";
import { refusal } from "../../../tests/utils/refusal";

const BYTECODE = join(__dirname, "../../../target/deploy/securing_tasks.so");
const sha256 = (text: string): Uint8Array =>
  Uint8Array.from(createHash("sha256").update(text).digest());

const rulesOf = (changes: Partial<TaskRules>): TaskRules => {
  const rules: TaskRules = {
    ...RULES,
    roundSlots: 2_000n,
    submissionSlots: 100n,
    auditSlots: 200n,
    revealSlots: 600n,
    appealSlots: 150n,
    appealBond: 60n,
    panelSeats: 4,
    quorumVotes: 1,
    quorumBps: 0,
    ...changes,
  };
  return { ...rules, leaveDelaySlots: longestCase(rules) };
};

/** Sixteen witnesses of unlike stakes, of whom four or so are drawn. */
const CROWD: readonly Seat[] = [
  ...workers(5_000n, "Ada", "Ben"),
  ...Array.from({ length: 16 }, (_, index): Seat => ({
    name: `W${index}`,
    role: "witness",
    stake: BigInt(1_000 + 317 * index),
  })),
];
const WITNESSES = CROWD.filter(({ role }) => role === "witness").map(({ name }) => name);

async function start(rules: TaskRules, seats: readonly Seat[] = CROWD): Promise<Game> {
  const chain = EmbeddedChain.start([{ id: PROGRAM_ID, bytecode: await readFile(BYTECODE) }]);
  return Game.start({ chain, currency: "token", rules, seats, pool: 5_000n });
}

/** What a vote in the running count would be refused for by the client's own reckoning. */
async function seatIn(game: Game, audit: Audit, name: string): Promise<string> {
  const node = await game.node(name);
  const weight = weightOn(node, game.rules, audit.submissionSlot);
  return seatOf(audit, node.owner, weight, await game.chain.slot());
}

const voteOf = (game: Game, audit: Audit, name: string, opinion: Opinion): Sendable => {
  const { owner, operator } = game.player(name);
  return game.client.castVote({
    task: game.task.address,
    audit: audit.address,
    voter: owner.publicKey,
    operator: operator.publicKey,
    opinion,
  });
};

describe("the panel of an audit", () => {
  let game: Game;
  let work: Submission;

  beforeEach(async () => {
    game = await start(rulesOf({}));
    work = await game.submit("Ben", await game.round());
  });

  it("seats whom the client says it seats, draw by draw, and nobody else", async function () {
    this.timeout(300_000);
    let [seated, refused] = [0, 0];
    for (const initiator of ["Ada", "W0", "W15"]) {
      const audit = await game.draw(await game.accuse(initiator, work, "malice"));
      expect(juryOf(audit)).to.equal("panel");
      for (const name of WITNESSES.filter((one) => one !== initiator)) {
        const { owner } = await game.node(name);
        const weight = CROWD.find((one) => one.name === name)?.stake ?? 0n;
        if (isSeated(audit.seed ?? new Uint8Array(), owner, weight, audit)) {
          await game.vote(name, audit, "malice");
          seated += 1;
        } else {
          const { operator } = game.player(name);
          await expectRefusal(game, "notSeated", voteOf(game, audit, name, "malice"), operator);
          refused += 1;
        }
      }
    }
    // Four of all stake that could vote each time; none of 45 would be one draw in 300,000.
    expect(seated).to.be.within(1, 30);
    expect(refused).to.be.above(0);
  });

  it("follows from the initiator's secret and the first block at or after the draw slot", async () => {
    const audit = await game.accuse("Ada", work, "malice");
    const drawn = await game.draw(audit);
    const { data } = (await game.chain.account(SYSVAR_SLOT_HASHES_PUBKEY)) ?? {
      data: Buffer.alloc(0),
    };
    // Behind their number, from the newest on: a slot and its block's hash.
    const hashes = Array.from({ length: Number(data.readBigUInt64LE()) }, (_, index) => ({
      slot: data.readBigUInt64LE(8 + 40 * index),
      hash: Uint8Array.from(data.subarray(16 + 40 * index, 48 + 40 * index)),
    }));
    const block = hashes.find(({ slot }) => slot === audit.drawSlot);
    const secret = sha256(audit.address.toBase58());
    expect(audit.secretHash).to.deep.equal(secretHash(secret));
    expect(audit.drawSlot - audit.openSlot).to.equal(8n);
    expect(drawn.seed).to.deep.equal(
      panelSeed(audit.address, secret, block?.hash ?? new Uint8Array(32)),
    );
  });

  it("is drawn in its time, once, by its secret; later everybody votes", async () => {
    const { client, chain } = game;
    const audit = await game.accuse("Ada", work, "malice");
    const draw = (secret = sha256(audit.address.toBase58()), of = audit.address): Sendable =>
      client.drawPanel({ audit: of, secret });
    const { operator } = game.player("W3");
    const vote = voteOf(game, audit, "W3", "malice");
    await chain.waitForSlot(audit.drawSlot);
    await expectRefusal(game, "drawTooEarly", draw());
    expect(await seatIn(game, audit, "W3")).to.equal("notDrawn");
    await expectRefusal(game, "panelNotDrawn", vote, operator);
    await chain.waitForSlot(audit.drawSlot + 1n);
    await expectRefusal(game, "secretMismatch", draw(new Uint8Array(32).fill(1)));

    const other = await game.accuse("W0", work, "malice");
    const drawn = await game.draw(other);
    const again = draw(sha256(other.address.toBase58()), other.address);
    await expectRefusal(game, "alreadyDrawn", again);
    expect(await seatIn(game, drawn, "W3")).to.be.oneOf(["seated", "notSeated"]);

    const end = audit.drawSlot + DRAW_WINDOW;
    await chain.waitForSlot(end - 1n);
    expect(phaseOf(audit, game.rules, end - 1n)).to.deep.equal({ name: "drawing", until: end });
    await expectRefusal(game, "panelNotDrawn", vote, operator);
    await chain.waitForSlot(end);
    await expectRefusal(game, "drawTooLate", draw());
    expect(await seatIn(game, audit, "W3")).to.equal("everybody");
    expect(phaseOf(audit, game.rules, end).name).to.equal("voting");
    await game.vote("W3", audit, "malice");
  });

  it("asks an accusation for its secret's hash, and evidence for its own", async () => {
    const { owner, operator } = game.player("Ada");
    const about = {
      task: game.task.address,
      round: work.round,
      accused: work.owner,
      initiator: owner.publicKey,
      operator: operator.publicKey,
      accusation: "malice",
    } as const;
    await expectRefusal(game, "secretHashMissing", game.client.openAudit(about), operator);
    const secret = { secretHash: sha256("secret") };
    const nowhere = { hash: new Uint8Array(32), uri: "https://example.com" };
    await expectRefusal(
      game,
      "evidenceHashMissing",
      game.client.openAudit({ ...about, ...secret, evidence: nowhere }),
      operator,
    );
    const evidence = { hash: sha256("evidence"), uri: "https://example.com/größe" };
    const events = await game.send(
      game.client.openAudit({ ...about, ...secret, evidence }),
      operator,
    );
    expect(events[0]?.data).to.deep.include({
      evidenceHash: evidence.hash,
      evidenceUri: evidence.uri,
    });
    const address = auditAddress(work.address, owner.publicKey, 0);
    const audit = await game.client.fetch("audit", address);
    expect([audit.evidenceHash, audit.secretHash]).to.deep.equal([
      evidence.hash,
      secret.secretHash,
    ]);
  });

  it("is none where the task has none", async () => {
    const everybody = await start(rulesOf({ panelSeats: 0 }), [
      ...workers(5_000n, "Ada", "Ben"),
      ...witnesses(1_000n, "W0"),
    ]);
    const own = await everybody.submit("Ben", await everybody.round());
    const audit = await everybody.accuse("Ada", own, "malice");
    expect([audit.drawSlot, audit.secretHash, juryOf(audit)]).to.deep.equal([
      0n,
      null,
      "everybody",
    ]);
    const draw = everybody.client.drawPanel({ audit: audit.address, secret: sha256("") });
    await expectRefusal(everybody, "noPanel", draw);
  });
});

describe("isSeated", () => {
  const draws = dice(13);
  const seed = (): Uint8Array => Uint8Array.from({ length: 32 }, () => draws(256));
  const owner = (): PublicKey => new PublicKey(seed());
  const audit = (stake: bigint, panelSeats: number): Pick<Audit, "eligible" | "rules"> => ({
    eligible: { stake, nodes: 1 },
    rules: { ...RULES, panelSeats },
  });
  const most = 2n ** 64n - 1n;

  it("seats in proportion to stake", () => {
    // A hundredth of the stake on a panel of 20: one draw in five.
    let seated = 0;
    for (let draw = 0; draw < 5_000; draw += 1) {
      if (isSeated(seed(), owner(), 10n, audit(1_000n, 20))) seated += 1;
    }
    // Five times the deviation of 28.
    expect(seated).to.be.within(860, 1_140);
  });

  it("is exact where the numbers are largest, and at both ends", () => {
    expect(isSeated(seed(), owner(), most, audit(most, 1))).to.equal(true);
    expect(isSeated(seed(), owner(), most, audit(most, 65_535))).to.equal(true);
    expect(isSeated(seed(), owner(), 0n, audit(most, 65_535))).to.equal(false);
    expect(isSeated(seed(), owner(), 1n, audit(0n, 3))).to.equal(true);
    // A lot's own edge: with this weight it is seated, with one less not. So no bit of it is lost.
    const [drawn, who] = [seed(), owner()];
    let [low, high] = [0n, most];
    while (low + 1n < high) {
      const middle = (low + high) / 2n;
      if (isSeated(drawn, who, middle, audit(most, 1))) high = middle;
      else low = middle;
    }
    const hash = createHash("sha256").update("st:seat:").update(drawn);
    const lot = hash.update(who.toBuffer()).digest().readBigUInt64LE();
    expect(high).to.equal((lot * most) / 2n ** 64n + 1n);
  });

  it("looks at what it is given", () => {
    expect(() => isSeated(new Uint8Array(31), owner(), 1n, audit(1n, 3))).to.throw(ArgumentError);
    expect(() => secretHash(new Uint8Array(33))).to.throw(ArgumentError);
    expect(() => panelSeed(owner(), seed(), new Uint8Array(0))).to.throw(ArgumentError);
  });
});

describe("an appeal", () => {
  const SEATS = [
    ...workers(5_000n, "Ada", "Ben"),
    ...witnesses(1_500n, "V1", "V2", "V3", "V4", "V5", "V6", "V7"),
  ];
  let game: Game;
  let work: Submission;

  /** Ada accuses Ben of malice, and these say so or not in the first count. */
  async function accuse(
    first: Readonly<Record<string, Opinion>>,
    changes: Partial<TaskRules> = {},
  ): Promise<Audit> {
    game = await start(rulesOf({ panelSeats: 0, quorumVotes: 2, ...changes }), SEATS);
    work = await game.submit("Ben", await game.round());
    const audit = await game.accuse("Ada", work, "malice");
    await voteAll(audit, first);
    return audit;
  }
  const voteAll = async (audit: Audit, votes: Readonly<Record<string, Opinion>>): Promise<void> => {
    for (const [name, opinion] of Object.entries(votes)) await game.vote(name, audit, opinion);
  };
  const appealOf = (name: string, { address }: Audit): Sendable => {
    const { owner, operator } = game.player(name);
    return game.client.appealAudit({
      task: game.task.address,
      audit: address,
      appellant: owner.publicKey,
      operator: operator.publicKey,
    });
  };
  const now = ({ address }: Audit): Promise<Audit> => game.client.fetch("audit", address);

  const convicting = { V1: "malice", V2: "malice" } as const;
  const acquitting = { V1: "valid", V2: "valid", V3: "valid" } as const;
  const stories: readonly {
    readonly title: string;
    readonly first: Readonly<Record<string, Opinion>>;
    readonly by: string;
    readonly second: Readonly<Record<string, Opinion>>;
    readonly outcomes: readonly [first: Audit["outcome"], last: Audit["outcome"]];
    /** What the appellant's stake loses in all. */
    readonly costs: bigint;
    readonly pool?: bigint;
  }[] = [
    {
      title: "by a stranger to the case turns a conviction, and its bond comes back",
      first: convicting,
      by: "V3",
      second: { V3: "valid", V4: "valid", V5: "valid", V6: "valid", V7: "valid" },
      outcomes: ["convictedMalice", "acquitted"],
      costs: 0n,
    },
    {
      title: "by the accused turns a conviction too",
      first: convicting,
      by: "Ben",
      second: { V3: "valid", V4: "valid", V5: "valid", V6: "valid" },
      outcomes: ["convictedMalice", "acquitted"],
      costs: 0n,
    },
    {
      title: "by the initiator turns an acquittal",
      first: acquitting,
      by: "Ada",
      second: { V4: "malice", V5: "malice", V6: "malice" },
      outcomes: ["acquitted", "convictedMalice"],
      costs: 0n,
    },
    {
      title: "turns a verdict into a milder one",
      first: convicting,
      by: "V7",
      second: { V3: "downtime", V4: "downtime", V5: "downtime", V6: "valid" },
      outcomes: ["convictedMalice", "convictedDowntime"],
      costs: 0n,
    },
    {
      title: "in vain costs a stranger its bond",
      first: convicting,
      by: "V3",
      second: { V3: "valid", V4: "valid" },
      outcomes: ["convictedMalice", "convictedMalice"],
      costs: 60n,
    },
    {
      title: "in vain costs the accused its bond besides the slash",
      first: convicting,
      by: "Ben",
      second: { V3: "malice" },
      outcomes: ["convictedMalice", "convictedMalice"],
      costs: 2_560n,
    },
    {
      title: "in vain costs the initiator both bonds",
      first: acquitting,
      by: "Ada",
      second: { V4: "malice" },
      outcomes: ["acquitted", "acquitted"],
      costs: 161n,
    },
    {
      title: "that comes to no verdict leaves the first one, and is in vain",
      first: convicting,
      by: "V7",
      second: { V3: "valid", V4: "valid", V5: "valid" },
      outcomes: ["convictedMalice", "convictedMalice"],
      costs: 60n,
    },
    {
      title:
        "against no verdict is in vain where there is none again, and the voters have its bond",
      first: { V1: "malice" },
      by: "V7",
      second: {},
      outcomes: ["noVerdict", "noVerdict"],
      costs: 60n,
    },
    {
      title: "without any voter gives its bond to the pool",
      first: {},
      by: "V7",
      second: {},
      outcomes: ["noVerdict", "noVerdict"],
      costs: 60n,
      pool: 60n,
    },
  ];
  for (const { title, first, by, second, outcomes, costs, pool } of stories) {
    it(title, async () => {
      const audit = await accuse(first);
      await game.chain.waitForSlot(audit.endSlot);
      expect(verdictOf(await now(audit))).to.equal(outcomes[0]);
      const before = await game.node(by);
      const appealed = await game.appeal(by, audit);
      expect(appealed.firstOutcome).to.equal(outcomes[0]);
      expect(isSecret(appealed)).to.equal(false);
      expect(phaseOf(appealed, game.rules, appealed.appealSlot).name).to.equal("voting");
      expect((await game.node(by)).bonds - before.bonds).to.equal(60n);
      await voteAll(appealed, second);
      expect(verdictOf(await now(audit))).to.equal(outcomes[1]);
      const { pool: held } = (await game.ledger()).task;
      const resolved = await game.resolve(audit);
      expect(resolved.outcome).to.equal(outcomes[1]);
      const after = await game.node(by);
      expect([before.stake - after.stake, after.bonds]).to.deep.equal([costs, 0n]);
      if (pool !== undefined) {
        expect((await game.ledger()).task.pool - held).to.equal(pool);
        expect(resolved.votersPot).to.equal(0n);
      }
      if (outcomes[1] === "noVerdict" && pool === undefined) {
        expect([resolved.votersPot, resolved.votersWeight]).to.deep.equal([54n, 1n]);
      }
      await claimAll(game, resolved);
      await game.end();
    });
  }

  it("is taken in its time, once, and keeps the audit open", async () => {
    const audit = await accuse(convicting);
    const { chain, rules } = game;
    const { operator } = game.player("V3");
    const appeal = appealOf("V3", audit);
    const phases = [audit.endSlot - 1n, audit.endSlot, audit.endSlot + 149n, audit.endSlot + 150n];
    expect(phases.map((slot) => phaseOf(audit, rules, slot).name)).to.deep.equal([
      "voting",
      "appealable",
      "appealable",
      "resolvable",
    ]);
    await chain.waitForSlot(audit.endSlot - 1n);
    await expectRefusal(game, "appealClosed", appeal, operator);
    await expectRefusal(game, "votingOpen", game.client.resolveAudit(audit));
    await chain.waitForSlot(resolvableAt(audit, rules) - 1n);
    await expectRefusal(game, "appealOpen", game.client.resolveAudit(audit));
    const appealed = await game.appeal("V3", audit);
    expect(appealed.appealSlot).to.equal(audit.endSlot + 149n);
    expect(resolvableAt(appealed, rules)).to.equal(appealed.endSlot);
    await expectRefusal(game, "alreadyAppealed", appealOf("V4", audit), game.player("V4").operator);
    await chain.waitForSlot(appealed.endSlot);
    // Without the appellant's node its bond could not be freed.
    const alone = game.client.resolveAudit({ ...appealed, appellant: null });
    await expectRefusal(game, "wrongNode", alone);
    await game.send(game.client.resolveAudit(appealed));
    expect((await now(audit)).outcome).to.equal("convictedMalice");

    const other = await accuse(convicting);
    await game.chain.waitForSlot(resolvableAt(other, rules));
    await expectRefusal(game, "appealClosed", appealOf("V3", other), game.player("V3").operator);
    const none = await accuse(convicting, { appealSlots: 0n, appealBond: 0n });
    await game.chain.waitForSlot(none.endSlot);
    await expectRefusal(game, "appealClosed", appealOf("V3", none), game.player("V3").operator);
    expect(phaseOf(none, game.rules, none.endSlot).name).to.equal("resolvable");
  });

  it("is not lent what open audits may take", async () => {
    const audit = await accuse(convicting);
    await game.accuse("V7", work, "malice");
    expect((await game.node("Ben")).risk).to.equal(2_500n);
    await game.chain.waitForSlot(audit.endSlot);
    const { owner, operator } = game.player("Ben");
    await expectRefusal(game, "stakeAtRisk", appealOf("Ben", audit), operator);
    await game.newcomer(60n, owner);
    await game.send(
      game.client.addStake({ task: game.task, owner: owner.publicKey, amount: 60n }),
      owner,
    );
    await game.appeal("Ben", audit);
  });

  it("calls those without a seat, and what panel members said stays", async () => {
    const opened = await accuse({}, { panelSeats: 3, voteWeight: "stake" });
    const audit = await game.draw(opened);
    const names = SEATS.map(({ name }) => name).filter((name) => /^V/.test(name));
    const without: string[] = [];
    for (const name of names) {
      if ((await seatIn(game, audit, name)) === "seated") await game.vote(name, audit, "malice");
      else without.push(name);
    }
    const said = names.length - without.length;
    const first = await now(audit);
    expect(verdictOf(first)).to.equal(said >= 2 ? "convictedMalice" : "noVerdict");
    await game.chain.waitForSlot(audit.endSlot);
    const appealed = await game.appeal(without[0] ?? "V1", audit);
    expect(juryOf(appealed)).to.equal("everybody");
    for (const name of without) {
      expect(await seatIn(game, appealed, name)).to.equal("everybody");
      await game.vote(name, appealed, "valid");
    }
    const counted = await now(audit);
    expect(counted.votes.malice.nodes + counted.votes.valid.nodes).to.equal(names.length + 1);
    const resolved = await game.resolve(audit);
    expect(resolved.outcome).to.equal(verdictOf(counted));
    await claimAll(game, resolved);
    await game.end();
  });

  it("takes no reveal of what was committed before it, and anybody reveals", async () => {
    const audit = await accuse({}, { commitSlots: 40n });
    expect(isSecret(audit)).to.equal(true);
    for (const name of ["V1", "V2", "V3"]) await game.commit(name, audit, "malice");
    // The bank sends what the voter would.
    await game.reveal("V1", audit);
    await game.reveal("V2", audit);
    await game.chain.waitForSlot(audit.endSlot);
    const appealed = await game.appeal("V7", audit);
    expect(isSecret(appealed)).to.equal(true);
    expect(phaseOf(appealed, game.rules, appealed.appealSlot).name).to.equal("committing");
    await game.commit("V4", appealed, "valid");
    await game.chain.waitForSlot(appealed.revealSlot);
    expect(phaseOf(appealed, game.rules, appealed.revealSlot).name).to.equal("revealing");
    const reveal = (name: string): Promise<Sendable> =>
      game.client.revealVote({
        task: game.task.address,
        audit: audit.address,
        voter: game.player(name).owner.publicKey,
        salts: game.salts,
      });
    await expectRefusal(game, "revealWindowMissed", await reveal("V3"));
    await game.send(await reveal("V4"));
    const votes = await game.client.votesIn(audit.address);
    expect(votes.filter(({ onAppeal }) => onAppeal)).to.have.length(1);
    const resolved = await game.resolve(audit);
    expect(resolved.outcome).to.equal("convictedMalice");
    await claimAll(game, resolved);
    expect((await game.node("V3")).votesUnrevealed).to.equal(1);
    await game.end();
  });
});

describe("rent that another pays", () => {
  it("goes back to it, and the operators' keys hold nothing", async () => {
    const game = await start(rulesOf({ panelSeats: 0, appealSlots: 0n, appealBond: 0n }), [
      ...workers(5_000n, "Ada", "Ben"),
      ...witnesses(1_500n, "Wim"),
    ]);
    const { client, chain, task } = game;
    const sponsor = Keypair.generate();
    const payer = sponsor.publicKey;
    await chain.fund(payer, 1_000_000_000n);
    const lamports = async (key: PublicKey): Promise<number> =>
      (await chain.account(key))?.lamports ?? 0;
    // Keys that were never paid anything.
    const hot = new Map<string, Keypair>();
    for (const name of ["Ada", "Ben", "Wim"]) {
      const operator = Keypair.generate();
      const { owner } = game.player(name);
      hot.set(name, operator);
      await game.send(
        client.setOperator({
          task: task.address,
          owner: owner.publicKey,
          operator: operator.publicKey,
        }),
        owner,
      );
    }
    const of = (name: string) => {
      const operator = hot.get(name);
      if (!operator) throw new Error(`${name} has no key.`);
      const { owner } = game.player(name);
      return { owner: owner.publicKey, operator };
    };
    const [ada, ben, wim] = [of("Ada"), of("Ben"), of("Wim")];
    const round = await game.round();
    await game.send(
      client.submitWork({
        ...{ task: task.address, owner: ben.owner, operator: ben.operator.publicKey, payer, round },
        ...{ payloadHash: sha256("work"), payloadUri: "ipfs://work" },
      }),
      ben.operator,
      sponsor,
    );
    await game.send(
      client.openAudit({
        ...{ task: task.address, round, accused: ben.owner, initiator: ada.owner, payer },
        ...{ operator: ada.operator.publicKey, accusation: "malice", index: 0 },
      }),
      ada.operator,
      sponsor,
    );
    const [audit] = await client.ofTask("audit", task.address);
    if (!audit) throw new Error("There is no audit.");
    await game.send(
      client.castVote({
        ...{ task: task.address, audit: audit.address, voter: wim.owner, payer },
        ...{ operator: wim.operator.publicKey, opinion: "malice" },
      }),
      wim.operator,
      sponsor,
    );
    const vote = await client.fetch("vote", voteAddress(audit.address, wim.owner));
    const [work] = await client.ofTask("submission", task.address);
    const [made] = await client.ofTask("round", task.address);
    for (const account of [audit, vote, work, made]) {
      expect(account?.payer.toBase58()).to.equal(payer.toBase58());
    }
    expect(await lamports(payer)).to.be.below(1_000_000_000);
    await claimAll(game, await game.resolve(audit));
    await game.end();
    expect(await lamports(payer)).to.equal(1_000_000_000);
    for (const { operator } of [ada, ben, wim]) {
      expect(await lamports(operator.publicKey)).to.equal(0);
    }
    const unsigned = client.submitWork({
      ...{ task: task.address, owner: ben.owner, operator: ben.operator.publicKey, payer, round },
      ...{ payloadHash: sha256("work"), payloadUri: "" },
    });
    expect((await refusal(game.send(unsigned, ben.operator))).message).to.match(/[Ss]ign/);
  });
});
