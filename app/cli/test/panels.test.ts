import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Audit, TaskRules } from "@securing-tasks/client";
import {
  DRAW_WINDOW,
  PROGRAM_ID,
  auditAddress,
  isSeated,
  longestCase,
  readAccounts,
  resolvableAt,
  verdictOf,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Game } from "@securing-tasks/demo/game";
import { expect } from "chai";
import type { Person } from "../../../tests/utils/command_line";
import { CommandLine } from "../../../tests/utils/command_line";
import { RULES, witnesses, workers } from "../../../tests/utils/games";
import { RpcServer, chainAnswers } from "../../../tests/utils/rpc_server";
import { sentence } from "../src/commands/watch";

const BYTECODE = join(__dirname, "../../../target/deploy/securing_tasks.so");
const NAMES = Array.from({ length: 12 }, (_, index) => `W${index}`);

interface Shown {
  readonly phase: { readonly name: string; readonly until: string | null };
  readonly jury: string;
  readonly count: string;
  readonly evidenceHash: string | null;
  readonly evidenceUri: string | null;
  readonly seat: { readonly owner: string; readonly seat: string } | null;
}

/** The commands as users have them, on a chain in this process whose time the test moves. */
describe("audits by a panel, by the command line", () => {
  let game: Game;
  let cli: CommandLine;
  let server: RpcServer;

  async function start(changes: Partial<TaskRules> = {}): Promise<void> {
    const bytecode = await readFile(BYTECODE);
    const chain = EmbeddedChain.start([{ id: PROGRAM_ID, bytecode }]);
    const rules = {
      ...RULES,
      ...{ roundSlots: 2_000n, submissionSlots: 100n, auditSlots: 200n, revealSlots: 600n },
      ...{ appealSlots: 150n, appealBond: 60n, panelSeats: 4, quorumVotes: 1, quorumBps: 0 },
      ...changes,
    };
    game = await Game.start({
      chain,
      currency: "token",
      rules: { ...rules, leaveDelaySlots: longestCase(rules) },
      seats: [...workers(5_000n, "Ada", "Ben"), ...witnesses(1_500n, ...NAMES)],
      pool: 5_000n,
    });
    server = await RpcServer.start({ answer: chainAnswers(chain) });
    cli = await CommandLine.open({ url: server.url, websocket: server.url.replace("http", "ws") });
  }

  afterEach(async () => {
    await cli.close();
    await server.close();
  });

  const operator = async (name: string): Promise<Person> => {
    const { operator: key } = game.player(name);
    await game.chain.fund(key.publicKey, 1_000_000_000n);
    return cli.person(`${name}-operator`, 0n, key);
  };

  /** A command that is refused by name, with these words of its own. */
  async function fails(
    args: readonly string[],
    who: Person,
    name: string,
    words: RegExp,
  ): Promise<void> {
    const failed = await cli.failure(args, who);
    expect(failed, failed.message).to.include({ exit: 1, name });
    expect(failed.message).to.match(words);
  }

  it("goes from the accusation to the verdict on appeal", async function () {
    this.timeout(240_000);
    await start();
    const { chain, client, task } = game;
    const work = await game.submit("Ben", await game.round());
    const ada = await operator("Ada");
    const evidence = "what was asked and answered";
    await writeFile(join(cli.folder, "run.json"), evidence);
    const uri = "https://example.com/run.json";
    const open = [
      ...["audit", "open", task.address.toBase58(), "--submission", work.address.toBase58()],
      ...["--accusation", "malice"],
    ];
    const alone = await cli.failure([...open, "--evidence-uri", uri], ada);
    expect(alone).to.include({ exit: 2, name: "UsageError" });
    expect(alone.message).to.include("Give the file too, with --evidence FILE");
    const missing = await cli.failure([...open, "--evidence", "none.json"], ada);
    expect(missing.message).to.include("The evidence none.json can't be read: there is no such");

    const opened = await cli.json<{ readonly audit: string; readonly drawSlot: string }>(
      [...open, "--evidence", "run.json", "--evidence-uri", uri],
      ada,
    );
    const address = auditAddress(work.address, game.player("Ada").owner.publicKey, 0);
    expect(opened.audit).to.equal(address.toBase58());
    const now = (): Promise<Audit> => client.fetch("audit", address);
    const show = (who: Person, ...more: readonly string[]): Promise<Shown> =>
      cli.json<Shown>(["audit", "show", opened.audit, ...more], who);

    // Before the draw.
    const some = await operator("W0");
    const early = await show(some);
    expect(early.phase).to.deep.equal({
      name: "drawing",
      until: ((await now()).drawSlot + DRAW_WINDOW).toString(),
    });
    expect(early.seat?.seat).to.equal("notDrawn");
    expect(early).to.deep.include({
      evidenceHash: createHash("sha256").update(evidence).digest("hex"),
      evidenceUri: uri,
    });
    const vote = ["audit", "vote", opened.audit, "--opinion", "malice"];
    await fails(vote, some, "panelNotDrawn", /from slot [\d,]+ on, in ~\d.*, everybody may vote/);
    await chain.waitForSlot(BigInt(opened.drawSlot) + 1n);
    const draw = ["audit", "draw", opened.audit];
    await fails(draw, some, "secretMismatch", /did not open this audit: another key's secret/);
    const drawn = await cli.json<{ readonly seed: string }>(draw, ada);
    const audit = await now();
    expect(drawn.seed).to.equal(Buffer.from(audit.seed ?? []).toString("hex"));
    await fails(draw, ada, "alreadyDrawn", /^The panel is drawn already\.$/);

    // Who is seated votes, and who is not is told so.
    const seated = NAMES.filter((name) =>
      isSeated(audit.seed ?? new Uint8Array(), game.player(name).owner.publicKey, 1_500n, audit),
    );
    const [out = ""] = NAMES.filter((name) => !seated.includes(name));
    const outside = await operator(out);
    expect((await show(outside)).seat?.seat).to.equal("notSeated");
    await fails(vote, outside, "notSeated", /has no seat .* so there is nothing to do or lose/);
    const [inside] = seated;
    if (inside !== undefined) {
      const own = await operator(inside);
      const { owner } = game.player(inside);
      expect((await show(some, "--owner", owner.publicKey.toBase58())).seat).to.deep.equal({
        owner: owner.publicKey.toBase58(),
        seat: "seated",
      });
      await cli.json(vote, own);
    }
    const text = (await cli.run(["audit", "show", opened.audit], outside)).stdout;
    expect(text).to.match(/judged by +a panel of about 4, one vote each, drawn/);
    expect(text).to.include(`at "${uri}"`);
    expect(text).to.include("4 seats, on the side that decides");

    // An appeal, once it is time.
    const appeal = ["audit", "appeal", opened.audit];
    await fails(appeal, outside, "appealClosed", /Appeal then, when you see what they come to/);
    const resolve = ["audit", "resolve", opened.audit];
    await fails(resolve, outside, "votingOpen", /once nobody can appeal any more, at slot/);
    await chain.waitForSlot(audit.endSlot);
    await fails(resolve, outside, "appealOpen", /or appeal: securing-tasks audit appeal/);
    const listed = (await cli.run(["audit", "list", task.address.toBase58()], outside)).stdout;
    const first = verdictOf(await now());
    expect(listed).to.include(`open, ${first} unless appealed, within`);
    const said = await cli.run([...appeal, "--yes"], outside);
    expect(said.code, said.stderr).to.equal(0);
    expect(said.stderr).to.include(`The first count: ${first}, by panel.`);
    expect(said.stderr).to.include("It comes back if the outcome becomes another");
    const who = game.player(out).owner.publicKey.toBase58();
    await fails(appeal, ada, "alreadyAppealed", new RegExp(`^${who} appealed already`));
    const appealed = await now();
    expect(appealed.firstOutcome).to.equal(first);
    await cli.json(["audit", "vote", opened.audit, "--opinion", "valid"], outside);
    // The game did not see what the commands sent.
    game.index.takeOver((await readAccounts(client, task.address)).accounts);
    for (const name of NAMES.filter((one) => one !== out && one !== inside).slice(0, 4)) {
      await game.vote(name, appealed, "valid");
    }
    await chain.waitForSlot(resolvableAt(appealed, game.rules));
    const resolved = await cli.json<{
      readonly outcome: string;
      readonly resolved: { readonly appealBondLost: string };
    }>(resolve, ada);
    expect(resolved.outcome).to.equal("acquitted");
    expect(resolved.resolved.appealBondLost).to.equal("0");
    const { stake, bonds } = await game.node(out);
    expect([stake, bonds]).to.deep.equal([1_500n, 0n]);
  });

  it("lets everybody vote where nobody drew, and another key pay for it", async function () {
    this.timeout(120_000);
    await start();
    const { chain } = game;
    const work = await game.submit("Ben", await game.round());
    const audit = await game.accuse("Ada", work, "malice");
    await chain.waitForSlot(audit.drawSlot + DRAW_WINDOW);
    const { operator: hot } = game.player("W3");
    const own = await cli.person("W3-operator", 0n, hot);
    const sponsor = await cli.person("sponsor");
    await chain.fund(sponsor.key.publicKey, 1_000_000_000n);
    const held = await chain.connection.getBalance(hot.publicKey);
    const vote = ["audit", "vote", audit.address.toBase58(), "--opinion", "malice"];
    await cli.json([...vote, "--payer", sponsor.file], own);
    expect(await chain.connection.getBalance(hot.publicKey)).to.equal(held);
    const [made] = await game.client.votesIn(audit.address);
    expect(made?.payer.equals(sponsor.key.publicKey)).to.equal(true);
    const late = await cli.failure(["audit", "draw", audit.address.toBase58()], own);
    expect(late).to.include({ exit: 1, name: "secretMismatch" });
  });

  it("reveals by any payer on appeal, but nothing of before it, and sweeps no audit too early", async function () {
    this.timeout(120_000);
    await start({ panelSeats: 0, commitSlots: 40n, revealSlots: 40n });
    const { chain, client, task } = game;
    const work = await game.submit("Ben", await game.round());
    const audit = await game.accuse("Ada", work, "malice");
    await game.commit("W0", audit, "malice");
    await chain.waitForSlot(audit.endSlot);
    const { creator } = game;
    await game.send(client.retireTask({ task, creator: creator.publicKey }), creator);
    const own = await operator("W1");
    const sweep = ["task", "close", task.address.toBase58(), "--sweep"];
    await fails(sweep, own, "notEmpty", /the audit \w+ can be appealed; it can be resolved in ~/);
    const appealed = await game.appeal("W2", audit);
    const address = audit.address.toBase58();
    const reveal = ["audit", "reveal", address];
    await fails(reveal, await operator("W0"), "revealWindowMissed", /committed before the appeal/);
    await cli.json(["audit", "vote", address, "--opinion", "valid"], own);
    await chain.waitForSlot(appealed.revealSlot);
    const sponsor = await cli.person("sponsor");
    await chain.fund(sponsor.key.publicKey, 1_000_000_000n);
    const told = await cli.json<{ readonly opinion: string }>(
      [...reveal, "--payer", sponsor.file],
      own,
    );
    expect(told.opinion).to.equal("valid");
  });

  it("tells what happens in a line each", async () => {
    await start();
    const say = (amount: bigint): string => `${amount.toString()} tokens`;
    const work = await game.submit("Ben", await game.round());
    const audit = await game.draw(await game.accuse("Ada", work, "malice"));
    await game.appeal("W0", audit);
    await game.resolve(audit);
    const lines = game.events.slice(-4).map((event) => sentence(event, { say }));
    expect(lines[0]).to.match(/accuses .{8}… of malice; its panel is drawn after slot \d+$/);
    expect(lines[1]).to.match(/its panel is drawn$/);
    expect(lines[2]).to.match(
      /appeals with a bond of 60 tokens; the first count was noVerdict, and everybody may vote until slot \d+$/,
    );
    expect(lines[3]).to.match(/noVerdict; 0 tokens slashed; an appeal's bond of 60 tokens lost$/);
  });
});
