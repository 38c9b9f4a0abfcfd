import type { Audit, Node, Role, TaskRules, Vote } from "@securing-tasks/client";
import {
  SecuringTasksClient,
  WRAPPED_SOL,
  assertBalanced,
  nodeAddress,
  readLedger,
  taskAddress,
  voteAddress,
  wrapSol,
} from "@securing-tasks/client";
import type { NodeConfigInput, NodeParts, RunningNode } from "@securing-tasks/node";
import { checkNodeConfig, startNode } from "@securing-tasks/node";
import type { LoadedFunction, Ran, Verdict } from "@securing-tasks/sandbox";
import { Keypair } from "@solana/web3.js";
import type { PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import getPort from "get-port";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { RULES } from "./utils/games";
import { refusal } from "./utils/refusal";
import { localnet } from "./utils/validator";

/** The work is to say who one is and which round it is; whoever says something else lies, who says nothing is down. */
const AUDIT = `
export async function audit(context) {
  const { owner, round, payloadHash, payloadUri } = context.submission;
  let payload;
  try {
    payload = await context.fetch(payloadHash, payloadUri);
  } catch (error) {
    if (error.reason === "unreachable" || error.reason === "timeout") return "downtime";
    throw error;
  }
  context.log(owner + " " + round + " says " + new TextDecoder().decode(payload));
  return new TextDecoder().decode(payload) === owner + " " + round ? "valid" : "malicious";
}`;
const WORK = `
export function work(context) {
  return context.owner + " " + context.round;
}
export function respond(request, context) {
  if (request.path === "/loop") for (;;);
  return { body: JSON.stringify({ ...request, owner: context.owner }) };
}`;

const WINDOWS = {
  roundSlots: 240n,
  submissionSlots: 60n,
  auditSlots: 100n,
  revealSlots: 120n,
  leaveDelaySlots: 600n,
  quorumVotes: 2,
  quorumBps: 3_000,
};

type Answer = Ran<Uint8Array>;

const said = (text: string): Promise<Answer> =>
  Promise.resolve({ ok: true, value: Buffer.from(text), log: [], computeMs: 0 });
const verdict = (value: Verdict): Promise<Ran<Verdict>> =>
  Promise.resolve({ ok: true, value, log: [], computeMs: 0 });

/** A task with daemons in this process. */
class Crew {
  readonly owners = new Map<string, Keypair>();
  private readonly running = new Map<string, RunningNode>();
  private readonly configs = new Map<string, NodeConfigInput>();

  private constructor(
    readonly folder: string,
    readonly client: SecuringTasksClient,
    readonly task: PublicKey,
  ) {}

  static async make(changes: Partial<TaskRules>): Promise<Crew> {
    const chain = localnet();
    const folder = mkdtempSync(join(tmpdir(), "securing-tasks-daemons-"));
    const creator = Keypair.generate();
    await chain.fund(creator.publicKey, 2_000_000_000n);
    const client = new SecuringTasksClient(chain.provider(creator));
    const address = taskAddress(creator.publicKey, 1n);
    const ref = (name: string, code: string): { hash: Uint8Array; uri: string } => {
      const file = join(folder, name);
      writeFileSync(file, code);
      return { hash: createHash("sha256").update(code).digest(), uri: pathToFileURL(file).href };
    };
    await client
      .createTask({
        creator: creator.publicKey,
        id: 1n,
        mint: WRAPPED_SOL,
        rules: { ...RULES, ...WINDOWS, ...changes },
        auditFunction: ref("audit.js", AUDIT),
        taskFunction: ref("work.js", WORK),
      })
      .rpc();
    await client
      .fundTask({
        task: { address, mint: WRAPPED_SOL },
        funder: creator.publicKey,
        amount: 50_000n,
      })
      .preInstructions(wrapSol(creator.publicKey, 50_000n))
      .rpc();
    return new Crew(folder, client, address);
  }

  /** Makes keys and a configuration that asks to join. */
  async hire(name: string, role: Role, stake: bigint, more: object = {}): Promise<void> {
    const chain = localnet();
    const [owner, operator] = [Keypair.generate(), Keypair.generate()];
    await Promise.all(
      [owner, operator].map(({ publicKey }) => chain.fund(publicKey, 100_000_000n)),
    );
    this.owners.set(name, owner);
    const keyFile = (whose: string, { secretKey }: Keypair): string => {
      const file = join(this.folder, `${name}-${whose}.json`);
      writeFileSync(file, JSON.stringify([...secretKey]));
      return file;
    };
    const port = await getPort();
    this.configs.set(name, {
      rpcUrl: chain.connection.rpcEndpoint,
      task: this.task.toBase58(),
      owner: owner.publicKey.toBase58(),
      role,
      operatorKeypair: keyFile("operator", operator),
      state: join(this.folder, name),
      join: { ownerKeypair: keyFile("owner", owner), stake: stake.toString() },
      allowPrivateNetwork: true,
      recheckMs: 50,
      pollMs: 500,
      logLevel: process.env.NODE_TEST_LOG === undefined ? "silent" : "debug",
      chores: { spreadSlots: 10 },
      ...(role === "worker" && {
        http: {
          host: "127.0.0.1",
          port,
          publicUrl: `http://127.0.0.1:${port}`,
          requestsPerSecond: 100,
        },
      }),
      ...more,
    });
  }

  config(name: string): NodeConfigInput {
    const config = this.configs.get(name);
    if (!config) throw new Error(`Nobody is called ${name}.`);
    return config;
  }

  async start(name: string, parts: Partial<NodeParts> = {}): Promise<RunningNode> {
    const node = await startNode(checkNodeConfig(this.config(name)), parts);
    this.running.set(name, node);
    return node;
  }

  async stop(name: string): Promise<void> {
    await this.running.get(name)?.stop();
    this.running.delete(name);
  }

  async end(): Promise<void> {
    await Promise.all([...this.running.keys()].map((name) => this.stop(name)));
    rmSync(this.folder, { recursive: true });
  }

  owner(name: string): PublicKey {
    const owner = this.owners.get(name);
    if (!owner) throw new Error(`Nobody is called ${name}.`);
    return owner.publicKey;
  }

  nameOf(key: PublicKey): string {
    const found = [...this.owners].find(([, { publicKey }]) => publicKey.equals(key));
    return found?.[0] ?? key.toBase58();
  }

  node(name: string): Promise<Node> {
    return this.client.fetch("node", nodeAddress(this.task, this.owner(name)));
  }

  vote(name: string, audit: Audit): Promise<Vote | null> {
    return this.client.find("vote", voteAddress(audit.address, this.owner(name)));
  }

  audits(): Promise<Audit[]> {
    return this.client.ofTask("audit", this.task);
  }

  /** Waits until there is an answer. */
  async until<T>(what: string, ask: () => Promise<T | null | undefined | false>): Promise<T> {
    const chain = localnet();
    const last = (await chain.slot()) + 2_000n;
    for (;;) {
      const answer = await ask();
      if (answer !== null && answer !== undefined && answer !== false) return answer;
      const now = await chain.slot();
      if (now > last) throw new Error(`It never happened: ${what}.`);
      await chain.waitForSlot(now + 4n);
    }
  }

  async balanced(): Promise<void> {
    assertBalanced(await readLedger(this.client, this.task));
  }
}

describe("daemons", () => {
  let crew: Crew;

  afterEach(async () => {
    await crew.end();
  });

  it("convict a worker that lies, pay each other by the book, and close what is over", async () => {
    crew = await Crew.make({});
    // One looks at all, so that there is one audit.
    await crew.hire("Wanda", "witness", 1_500n, { samples: 2 });
    await crew.hire("Wim", "witness", 1_500n, { samples: 0 });
    await crew.hire("Ada", "worker", 5_000n, { samples: 0 });
    await crew.hire("Ben", "worker", 10_000n, { samples: 0 });
    const wanda = await crew.start("Wanda");
    expect(wanda.url).to.equal(null);
    await crew.start("Wim");
    await crew.start("Ada");
    await crew.start("Ben", { runWork: () => said("Whatever you say.") });

    const audit = await crew.until("an audit", async () => (await crew.audits())[0]);
    expect(crew.nameOf(audit.accused)).to.equal("Ben");
    expect(audit.accusation).to.equal("malice");
    const decided = await crew.until("a verdict", async () => {
      const now = await crew.client.find("audit", audit.address);
      return now?.outcome === "open" ? null : (now ?? audit);
    });
    await crew.stop("Ben");
    if (decided.outcome !== "open") expect(decided.outcome).to.equal("convictedMalice");
    await crew.until(
      "all votes and the audit closed",
      async () => (await crew.audits()).length === 0,
    );

    // Half of 10,000: 30 % bonus, 10 % for the pool, the rest for the three who voted.
    const initiator = crew.nameOf(audit.initiator);
    for (const name of ["Ada", "Wanda", "Wim"]) {
      const { locked, lockedNext, commitments, votesWithMajority, votesAgainstMajority } =
        await crew.node(name);
      expect(locked + lockedNext, name).to.equal(name === initiator ? 2_500n : 1_000n);
      expect([commitments, votesWithMajority, votesAgainstMajority]).to.deep.equal([0, 1, 0]);
    }
    const ben = await crew.node("Ben");
    expect([ben.stake, ben.convictionsMalice, ben.convictionsDowntime]).to.deep.equal([
      5_000n,
      1,
      0,
    ]);

    // Ada's half of the round's bounty is hers, and its accounts are gone but for Ben's, who was stopped.
    await crew.until("Ada paid", async () => (await crew.node("Ada")).payable >= 250n);
    await crew.until("Ada's work closed", async () => {
      const submissions = await crew.client.ofTask("submission", crew.task);
      return !submissions.some(({ owner, paid }) => paid && owner.equals(crew.owner("Ada")));
    });
    await crew.balanced();
  });

  it("acquit an honest worker, and reveal after a restart what was committed before", async () => {
    crew = await Crew.make({ roundSlots: 480n, submissionSlots: 120n, commitSlots: 200n });
    for (const name of ["Wanda", "Wim", "Walt"]) await crew.hire(name, "witness", 1_500n);
    for (const name of ["Ada", "Cleo"]) await crew.hire(name, "worker", 5_000n);
    // Who joins after a submission has no vote on it: nobody submits before all have joined.
    let joined = (): void => undefined;
    const all = new Promise<void>((resolve) => (joined = resolve));
    const runWork: NodeParts["runWork"] = async (_work, { owner, round }) => {
      await all;
      return said(`${owner} ${round}`);
    };
    await crew.start("Wim");
    await crew.start("Walt");
    await crew.start("Wanda", { runAudit: () => verdict("malicious") });
    await crew.start("Ada", { runWork });
    await crew.start("Cleo", { runWork });
    joined();

    const audit = await crew.until("an audit", async () => (await crew.audits())[0]);
    expect(crew.nameOf(audit.initiator)).to.equal("Wanda");
    await crew.stop("Wanda");
    const accused = crew.nameOf(audit.accused);
    const other = accused === "Ada" ? "Cleo" : "Ada";

    await crew.until("Wim's commitment", () => crew.vote("Wim", audit));
    await crew.stop("Wim");
    expect((await crew.vote("Wim", audit))?.state).to.equal("committed");
    expect((await localnet().slot()) < audit.revealSlot).to.be.true;
    // The owner's key was for joining alone.
    rmSync(join(crew.folder, "Wim-owner.json"));
    await crew.start("Wim");
    await crew.until("Wim's reveal", async () => {
      const vote = await crew.vote("Wim", audit);
      return vote?.state !== "committed";
    });

    const decided = await crew.until("a verdict", async () => {
      const now = await crew.client.fetch("audit", audit.address);
      return now.outcome === "open" ? null : now;
    });
    expect(decided.outcome).to.equal("acquitted");
    expect(decided.votes.valid.nodes).to.equal(3);
    // The bond of 101 is shared like a slash: 30 % to the accused, the floored 60 % to the voters, the rest to the pool.
    await crew.start("Wanda");
    await crew.until("everything closed", async () => (await crew.audits()).length === 0);
    for (const name of ["Wim", "Walt", other]) {
      const { votesWithMajority, votesUnrevealed, commitments, locked, lockedNext } =
        await crew.node(name);
      expect([votesWithMajority, votesUnrevealed, commitments], name).to.deep.equal([1, 0, 0]);
      expect(locked + lockedNext, name).to.equal(decided.votersPot / 3n);
    }
    const wanda = await crew.node("Wanda");
    expect([wanda.stake, wanda.bonds, wanda.votesAgainstMajority]).to.deep.equal([1_399n, 0n, 1]);
    const freed = (await crew.node(accused)).locked;
    expect([freed, decided.votersPot]).to.deep.equal([30n, 60n]);
    for (const name of ["Ada", "Cleo"]) {
      await crew.until(`${name} paid`, async () => (await crew.node(name)).payable >= 250n);
    }
    await crew.balanced();
  });

  it("serve payloads, health, metrics and the task's own answers, and nothing else", async () => {
    crew = await Crew.make({});
    await crew.hire("Ada", "worker", 5_000n, { metrics: { port: await getPort() } });
    const { url } = await crew.start("Ada");
    if (url === null) throw new Error("It does not listen.");
    const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(url + path, init);

    const health = (await (await ask("/healthz")).json()) as { readonly instance: string };
    expect(health).to.deep.equal({ ok: true, trouble: null, instance: health.instance });
    // Enough that no other has the same.
    expect(health.instance).to.have.length.of.at.least(16);
    const question = await ask("/task/some/question?a=1&b=2", { method: "POST", body: "text" });
    expect(await question.json()).to.deep.equal({
      method: "POST",
      path: "/some/question",
      query: { a: "1", b: "2" },
      body: "text",
      owner: crew.owner("Ada").toBase58(),
    });
    const [submission] = await crew.until("work", async () => {
      const found = await crew.client.ofTask("submission", crew.task);
      return found.length > 0 && found;
    });
    const hash = Buffer.from(submission?.payloadHash ?? []).toString("hex");
    expect(submission?.payloadUri).to.equal(`${url}/payload/${hash}`);
    const payload = await ask(`/payload/${hash}`);
    expect(await payload.text()).to.equal(
      `${crew.owner("Ada").toBase58()} ${String(submission?.round)}`,
    );
    // The chain has it before the node has heard that it has.
    const metrics = await crew.until("a count", async () => {
      const text = await (await ask("/metrics")).text();
      return /^securing_tasks_submissions_total 1$/m.test(text) && text;
    });
    expect(metrics).to.match(/^securing_tasks_stake_base_units 5000$/m);
    const { metrics: alone } = crew.config("Ada");
    const own = await fetch(`http://127.0.0.1:${String(alone?.port)}/metrics`);
    expect(await own.text()).to.match(/securing_tasks_slot \d+/);

    const statuses = await Promise.all(
      ["/", "/payload/..%2Fstate.db", `/payload/${"0".repeat(64)}`, "/state.db"].map(
        async (path) => (await ask(path)).status,
      ),
    );
    expect(statuses).to.deep.equal([404, 404, 404, 404]);
    const large = await ask("/task/x", { method: "POST", body: "x".repeat(70_000) });
    expect(large.status).to.equal(413);
  });

  it("answer strangers no faster than they may ask, while the node goes on", async () => {
    crew = await Crew.make({});
    const port = await getPort();
    await crew.hire("Ada", "worker", 5_000n, {
      http: {
        host: "127.0.0.1",
        port,
        publicUrl: `http://127.0.0.1:${port}`,
        concurrency: 1,
        queue: 2,
        requestsPerSecond: 20,
      },
    });
    const { url } = await crew.start("Ada");
    const asked = Array.from({ length: 30 }, () => fetch(`${String(url)}/task/loop`));
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    const count = (wanted: number): number => statuses.filter((one) => one === wanted).length;
    expect(count(500), "ran into its limit").to.equal(3);
    expect(count(503), "too many waiting").to.be.greaterThan(0);
    expect(count(429), "too many a second").to.be.greaterThan(0);
    expect(count(500) + count(503) + count(429)).to.equal(30);
    await crew.until("work all the same", async () => {
      return (await crew.client.ofTask("submission", crew.task)).length > 0;
    });
  });

  it("say what is wrong and end when they can't do their work", async () => {
    crew = await Crew.make({});
    await crew.hire("Wanda", "witness", 1_500n);
    await crew.hire("Wim", "witness", 1_500n);
    const config = crew.config("Wanda");
    const member = { ...config };
    delete member.join;
    const attempt = async (changes: Partial<NodeConfigInput>, base = config): Promise<string> => {
      const input = { ...base, state: join(crew.folder, "attempt"), ...changes };
      const attempted = startNode(checkNodeConfig(input)).then((node) => node.stop());
      return (await refusal(attempted)).message;
    };
    expect(await attempt({}, member)).to.match(/has no node in the task.*node join/);
    const wim = crew.config("Wim");
    expect(await attempt({ owner: wim.owner })).to.match(/`owner` is .* Use the owner's key/);
    expect(await attempt({ operatorKeypair: join(crew.folder, "none.json") })).to.match(
      /operator's key .* can't be read/,
    );
    expect(await attempt({ task: Keypair.generate().publicKey.toBase58() })).to.match(
      /There is no task at .* Check `task`/,
    );
    expect(await attempt({ task: WRAPPED_SOL.address.toBase58() })).to.match(
      /belongs to the program/,
    );

    const wanda = await crew.start("Wanda");
    const { operatorKeypair } = wim;
    expect(await attempt({ operatorKeypair }, member)).to.match(/The node's operator is/);
    expect(await attempt({ state: config.state })).to.match(/in use by another process/);
    await crew.stop("Wanda");
    await wanda.done;
    expect(await attempt({ ...wim, state: config.state })).to.match(/belongs to another owner/);

    // The owner names another operator while the daemon runs.
    const again = await crew.start("Wanda");
    const owner = crew.owners.get("Wanda");
    if (!owner) throw new Error("Wanda has no key.");
    await crew.client
      .setOperator({ task: crew.task, owner: owner.publicKey, operator: crew.owner("Wim") })
      .signers([owner])
      .rpc();
    expect((await refusal(again.done)).message).to.match(/named another operator/);
  });

  it("do not join again by themselves once their owner has left", async () => {
    crew = await Crew.make({});
    await crew.hire("Wanda", "witness", 1_500n);
    const wanda = await crew.start("Wanda");
    const owner = crew.owners.get("Wanda");
    if (!owner) throw new Error("Wanda has no key.");
    const { publicKey } = owner;
    const ref = { address: crew.task, mint: WRAPPED_SOL };
    const { client } = crew;
    await client.requestLeave({ task: crew.task, owner: publicKey }).signers([owner]).rpc();
    await localnet().waitForSlot((await crew.node("Wanda")).leaveSlot);
    await client.withdraw({ task: ref, owner: publicKey }).signers([owner]).rpc();
    await client.closeNode({ task: crew.task, owner: publicKey }).signers([owner]).rpc();
    expect((await refusal(wanda.done)).message).to.match(/not on the chain any more/);
    await crew.stop("Wanda");
    // As a service manager would, with the same configuration.
    expect((await refusal(crew.start("Wanda"))).message).to.match(/its owner has left the task/);
    expect(await client.find("node", nodeAddress(crew.task, publicKey))).to.equal(null);
  });

  it("neither vote nor accuse where the audit function fails, whatever the reason", async () => {
    crew = await Crew.make({});
    for (const name of ["Wanda", "Wim"]) await crew.hire(name, "witness", 1_500n);
    await crew.hire("Ada", "worker", 5_000n);
    const runs: LoadedFunction[] = [];
    const broken = (fn: LoadedFunction): Promise<Ran<Verdict>> => {
      runs.push(fn);
      const failure = { kind: "time" as const, message: "too slow", ours: false };
      return Promise.resolve({ ok: false, failure, log: [], computeMs: 1 });
    };
    await crew.start("Wim", { runAudit: broken });
    await crew.start("Wanda", { runAudit: () => verdict("malicious") });
    await crew.start("Ada");
    const audit = await crew.until("an audit", async () => (await crew.audits())[0]);
    const decided = await crew.until("a verdict", async () => {
      const now = await crew.client.find("audit", audit.address);
      return now === null ? audit : now.outcome !== "open" && now;
    });
    if (decided.outcome !== "open") expect(decided.outcome).to.equal("noVerdict");
    expect(crew.nameOf(audit.initiator)).to.equal("Wanda");
    expect(runs.length).to.be.greaterThan(0);
    const wim = await crew.node("Wim");
    expect([wim.votesWithMajority, wim.votesAgainstMajority, wim.bonds]).to.deep.equal([0, 0, 0n]);
    expect(await crew.vote("Wim", audit)).to.equal(null);
  });
});
