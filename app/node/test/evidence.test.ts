import type { Audit, Node, SecuringTasksClient, Submission, Task } from "@securing-tasks/client";
import { nodeAddress } from "@securing-tasks/client";
import type { Duty, View } from "@securing-tasks/node";
import { Store, checkNodeConfig } from "@securing-tasks/node";
import type {
  AuditFacts,
  Evidence,
  LoadedFunction,
  Ran,
  RespondFacts,
  ServiceRequest,
  ServiceResponse,
  Verdict,
  WorkFacts,
} from "@securing-tasks/sandbox";
import {
  SIGNATURE_HEADER,
  SLOT_HEADER,
  SUBMISSION_HEADER,
  download,
  evidenceHash,
  evidenceText,
  isEvidence,
  runAudit,
  runRespond,
  runWork,
  workFacts,
} from "@securing-tasks/sandbox";
import { Connection, Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import {
  Web,
  factsOf,
  loadTemplate,
  localDoors,
  runBuilder,
  someWorkFacts,
} from "../../templates/test/utils";
import { RULES } from "../../../tests/utils/games";
import { RpcServer, blockAt } from "../../../tests/utils/rpc_server";
import { Doer } from "../src/core/doer";
import { Inbox, handover } from "../src/core/inbox";
import { Metrics } from "../src/host/metrics";
import { accusersOf, askPeers, peersOf } from "../src/core/peers";
import type { Service } from "../src/host/service";
import { serve } from "../src/host/service";
import { within } from "../src/host/urgency";
import { Signer } from "../src/core/signer";

const key = (): PublicKey => Keypair.generate().publicKey;
const SUBMISSION = Keypair.generate().publicKey.toBase58();
/** Slots after the submission at which a worker here answers. */
const LATER = 5n;

describe("evidence among daemons", function () {
  this.timeout(60_000);
  let audit: LoadedFunction;
  let work: LoadedFunction;
  let folder: string;
  let closing: (() => Promise<unknown>)[];

  before(async () => {
    await runBuilder();
    ({ audit, work } = await loadTemplate("rest", { timeoutMs: 2_000 }));
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "securing-tasks-evidence-"));
    closing = [];
  });

  afterEach(async () => {
    for (const close of closing) await close();
    rmSync(folder, { recursive: true });
  });

  function open(name: string): Store {
    const store = new Store(join(folder, name));
    closing.push(() => {
      store.close();
      return Promise.resolve();
    });
    return store;
  }

  async function listen(listener: RequestListener): Promise<string> {
    const web = await Web.serve(listener);
    closing.push(() => web.close());
    return web.url;
  }

  /** A worker's service as a daemon has it, and what an audit of its work is told. */
  class Worker {
    readonly operator = Keypair.generate();
    readonly owner = Keypair.generate();
    facts: WorkFacts = someWorkFacts({
      owner: this.owner.publicKey.toBase58(),
      operator: this.operator.publicKey.toBase58(),
    });
    slot = 0n;
    /** What happens while the function runs. */
    meanwhile: (facts: RespondFacts) => void = () => undefined;
    /** What becomes of evidence that others bring. */
    inbox: Inbox["take"] = () => Promise.resolve({ status: 404, message: "" });
    private service: Service | null = null;
    private about: AuditFacts | null = null;

    constructor(
      private readonly lies: boolean,
      readonly store = open(`worker-${Math.random()}`),
    ) {}

    get url(): string {
      return this.service?.url ?? "";
    }

    get audited(): AuditFacts {
      if (!this.about) throw new Error("Nothing is submitted.");
      return this.about;
    }

    /** Listens; below `/task` it answers by the template's function. */
    async start(operator = this.operator): Promise<void> {
      const { facts, store, owner } = this;
      const http = {
        host: "127.0.0.1",
        port: 0,
        publicUrl: "https://node.example",
        maxBodyBytes: 65_536,
        concurrency: 2,
        queue: 64,
        requestsPerSecond: 100_000,
        trustProxy: false,
        checkSelf: true,
      };
      this.service = await serve({
        config: { http, metrics: undefined, secrets: {}, owner: owner.publicKey },
        operator: operator.publicKey.toBase58(),
        instance: "one",
        metrics: new Metrics(),
        task: facts.task,
        payload: (hash) => store.payload(hash),
        respond: async (request, facts) => {
          const ran = await this.respond(request);
          this.meanwhile(facts);
          return ran;
        },
        auditors: { whoAsks: () => Promise.resolve(null) },
        signer: new Signer({
          task: new PublicKey(facts.task.address),
          owner: owner.publicKey,
          operator,
          store,
          follower: { now: () => Promise.resolve(this.slot), known: 0n },
        }),
        evidence: store,
        inbox: { take: (body) => this.inbox(body) },
        keeper: null,
        trouble: () => null,
      });
      closing.push(() => this.goDark());
    }

    /** Works, and has its submission on the chain. */
    async submit(audited = factsOf): Promise<void> {
      const { store, facts } = this;
      const ran = await runWork(work, { ...facts, publicUrl: this.url }, localDoors());
      if (!ran.ok) throw new Error(ran.failure.message);
      const payload = ran.value;
      const hash = createHash("sha256").update(payload).digest("hex");
      const uri = `${this.url}/payload/${hash}`;
      const round = BigInt(facts.round);
      store.keepWork({ round, hash, payload }, facts.seed);
      this.about = audited(facts, { sha256: hash, uri });
      const { address, slot } = this.about.submission;
      store.keepSubmitted(round, hash, address, BigInt(slot));
      this.slot = BigInt(slot) + LATER;
    }

    async goDark(): Promise<void> {
      await this.service?.close();
      this.service = null;
    }

    private async respond(request: ServiceRequest): Promise<Ran<ServiceResponse>> {
      const ran = await runRespond(work, request, this.facts, localDoors());
      if (!ran.ok || !this.lies) return ran;
      const body = ran.value.body.replace(/"answer":"./, '"answer":"x');
      return { ...ran, value: { ...ran.value, body } };
    }
  }

  async function judge(facts: AuditFacts, known: readonly Evidence[] = []): Promise<Ran<Verdict>> {
    return runAudit(audit, facts, localDoors(), {}, known);
  }

  function keep(store: Store, facts: AuditFacts, evidence: Evidence): string {
    const hash = evidenceHash(evidence);
    const { address, caseEnd } = facts.submission;
    const content = evidenceText(evidence);
    store.keepEvidence({ hash, submission: address, caseEnd, content }, 0n);
    return hash;
  }

  /** A daemon that serves what its state holds. */
  async function juror(name: string): Promise<{ store: Store; url: string }> {
    const worker = new Worker(false, open(name));
    await worker.start();
    return { store: worker.store, url: worker.url };
  }

  /** A worker that lied once and is gone, and the lie. */
  async function caught(): Promise<{ facts: AuditFacts; lie: Evidence }> {
    const worker = new Worker(true);
    await worker.start();
    await worker.submit();
    const ran = await judge(worker.audited);
    expect(ran).to.deep.include({ ok: true, value: "malicious" });
    await worker.goDark();
    const [lie] = ran.evidence ?? [];
    if (!lie) throw new Error("Nothing was kept.");
    return { facts: worker.audited, lie };
  }

  const strangers = (...urls: readonly string[]) =>
    urls.map((base) => ({ base, allowPrivateNetwork: true }));
  const ask = (facts: AuditFacts, urls: readonly string[], budgetMs = 3_000) =>
    askPeers({ facts, peers: strangers(...urls), budgetMs, download });

  it("convicts of malice who lied once to another juror and went dark", async () => {
    const { facts, lie } = await caught();
    expect(await judge(facts)).to.deep.include({ ok: true, value: "downtime" });

    const first = await juror("first");
    const hash = keep(first.store, facts, lie);
    const dark = await juror("dark");
    const found = await ask(facts, [first.url, dark.url, "http://127.0.0.1:1"]);
    expect(found).to.deep.equal([lie]);
    const second = await judge(facts, found);
    expect(second).to.deep.include({ ok: true, value: "malicious", evidence: [lie] });

    const served = await fetch(`${first.url}/evidence/${hash}`);
    expect(
      createHash("sha256")
        .update(await served.text())
        .digest("hex"),
    ).to.equal(hash);
    expect((await fetch(`${first.url}/evidence/${"0".repeat(64)}`)).status).to.equal(404);
    const none = await fetch(`${first.url}/evidence/of/${SUBMISSION}`);
    expect(await none.json()).to.deep.equal({ evidence: [] });
  });

  describe("a service's answers", () => {
    const PATH = "/task/answer?question=7";
    let worker: Worker;

    beforeEach(async () => {
      worker = new Worker(false);
      await worker.start();
    });

    const headersOf = async (path = PATH, init: RequestInit = {}) => {
      const answer = await fetch(worker.url + path, init);
      await answer.arrayBuffer();
      return [SUBMISSION_HEADER, SLOT_HEADER, SIGNATURE_HEADER].map((name) =>
        answer.headers.get(name),
      );
    };
    const nothing = [null, null, null];

    /** Whether an answer is evidence of what it says. */
    async function binds(path: string, init: RequestInit = {}): Promise<boolean> {
      const answer = await fetch(worker.url + path, init);
      const { audited, store } = worker;
      const said = {
        method: init.method ?? "GET",
        path,
        body: typeof init.body === "string" ? init.body : "",
        status: answer.status,
        answer: await answer.text(),
        slot: Number(answer.headers.get(SLOT_HEADER)),
        signature: answer.headers.get(SIGNATURE_HEADER) ?? "",
      };
      const payload = store.payload(audited.submission.payloadHash) ?? Buffer.alloc(0);
      const evidence = {
        submission: audited.submission.address,
        payload: Buffer.from(payload).toString("base64"),
        said,
      };
      return isEvidence(audited, evidence);
    }

    it("are signed, errors and other methods too, once the work is on the chain", async () => {
      expect(await headersOf()).to.deep.equal(nothing);
      await worker.submit();
      const [submission, slot, signature] = await headersOf();
      expect(submission).to.equal(worker.audited.submission.address);
      expect(slot).to.equal(worker.slot.toString());
      expect(signature).to.match(/^[0-9a-f]{128}$/);
      expect(await binds(PATH)).to.equal(true);
      expect(await binds("/task/answer?question=0")).to.equal(true);
      expect(await binds("/task/answer?question=7", { method: "POST", body: "a b" })).to.be.true;
      const about = { [SUBMISSION_HEADER]: worker.audited.submission.address };
      expect(await binds(PATH, { headers: about })).to.equal(true);
      expect(await judge(worker.audited)).to.deep.include({ ok: true, value: "valid" });
    });

    it("are not signed for what this node did not submit, nor before the submission", async () => {
      await worker.submit();
      expect(await headersOf(PATH, { headers: { [SUBMISSION_HEADER]: SUBMISSION } })).to.deep.equal(
        nothing,
      );
      const { slot } = worker.audited.submission;
      worker.slot = BigInt(slot) - 1n;
      expect(await headersOf()).to.deep.equal(nothing);
      worker.slot = BigInt(slot);
      expect((await headersOf())[1]).to.equal(String(slot));
      // Another payload of this round is on the chain.
      worker.store.keepSubmitted(BigInt(worker.facts.round), "00".repeat(32), SUBMISSION, 0n);
      expect(worker.store.submitted(SUBMISSION)).to.equal(null);
    });

    it("are not signed by another operator than the payload names", async () => {
      await worker.submit();
      await worker.goDark();
      await worker.start(Keypair.generate());
      expect(await headersOf()).to.deep.equal(nothing);
    });

    it("are signed for the newest submission, or for the one that is asked for", async () => {
      await worker.submit();
      const { store, facts, audited } = worker;
      const payload = Buffer.from(JSON.stringify({ operator: facts.operator }));
      const hash = createHash("sha256").update(payload).digest("hex");
      store.keepWork({ round: 8n, hash, payload }, "04".repeat(32));
      expect((await headersOf())[0]).to.equal(audited.submission.address);
      store.keepSubmitted(8n, hash, SUBMISSION, worker.slot);
      expect((await headersOf())[0]).to.equal(SUBMISSION);
      const { address } = audited.submission;
      const old = await headersOf(PATH, { headers: { [SUBMISSION_HEADER]: address } });
      expect(old[0]).to.equal(address);
      expect(await binds(PATH, { headers: { [SUBMISSION_HEADER]: address } })).to.equal(true);
    });

    /** Answers with another function than the template's. */
    async function having(code: string, act: () => Promise<void>): Promise<void> {
      const good = work;
      work = { code, hash: Buffer.alloc(32) };
      try {
        await act();
      } finally {
        work = good;
      }
    }

    it("are not signed where the task function fails, or says what would not arrive: no honest node is bound by that", async () => {
      await worker.submit();
      for (const answer of [
        "throw 1",
        "return 7",
        'return { body: "\\ud800" }',
        'return { body: "\\udc00 and more" }',
        'return { status: 204, body: "x" }',
        'return { status: 205, body: "x" }',
        'return { status: 304, body: "x" }',
      ]) {
        await having(`export function respond() { ${answer}; }`, async () => {
          const { slot } = worker;
          // To whom nothing is signed neither.
          for (const at of [0n, slot]) {
            worker.slot = at;
            const { status, headers } = await fetch(worker.url + PATH);
            expect([status, headers.get(SIGNATURE_HEADER)], answer).to.deep.equal([500, null]);
          }
        });
      }
      for (const answer of ['{ body: "\\ufffd" }', '{ status: 204, body: "" }']) {
        await having(`export function respond() { return ${answer}; }`, async () => {
          expect(await binds(PATH), answer).to.equal(true);
        });
      }
    });

    it("are dated to when they were asked for, so that who makes them wait makes no lie of them", async () => {
      await worker.submit();
      const { slot } = worker;
      const asked: (number | null)[] = [];
      worker.meanwhile = (facts) => {
        asked.push(facts.round);
        worker.slot += 100n;
      };
      expect((await headersOf())[1]).to.equal(slot.toString());
      // What was asked for before the submission is not signed though it is there by now, and the function knows.
      worker.slot = BigInt(worker.audited.submission.slot) - 1n;
      expect(await headersOf()).to.deep.equal(nothing);
      expect(asked).to.deep.equal([worker.facts.round, null]);
    });
  });

  describe("peers", () => {
    /** A peer that says this of what it has, and of each piece. */
    const peer = (list: unknown, piece: string): Promise<string> =>
      listen((request, response) => {
        response.end(request.url?.includes("/of/") ? JSON.stringify(list) : piece);
      });

    it("are not believed what they forged, cut, or took from another case", async () => {
      const { facts, lie } = await caught();
      const text = evidenceText(lie);
      const sha256 = (content: string): string =>
        createHash("sha256").update(content).digest("hex");
      const evidence = (...hashes: unknown[]) => ({ evidence: hashes });
      const cut = text.slice(0, -20);
      const forged = text.replace(/"status":200/, '"status":201');
      const good = await peer(evidence(sha256(text)), text);
      const bad = await Promise.all([
        peer(evidence(sha256(text)), forged),
        peer(evidence(sha256(forged)), forged),
        peer(evidence(sha256(cut)), cut),
        peer(evidence("..", 7, null), text),
        peer(evidence(sha256(text).toUpperCase()), text),
        peer({ evidence: "none" }, text),
        peer(null, text),
        peer("x".repeat(9_000), text),
        peer(evidence(sha256(text)), `${text}${" ".repeat(70_000)}`),
      ]);
      expect(await ask(facts, bad)).to.deep.equal([]);
      expect(await ask(facts, [...bad, good])).to.deep.equal([lie]);
      const other = { ...facts, submission: { ...facts.submission, address: SUBMISSION } };
      expect(await ask(other, [good])).to.deep.equal([]);
    });

    it("cost no more than the time that is given, however slow they are", async () => {
      const { facts, lie } = await caught();
      const text = evidenceText(lie);
      const good = await peer({ evidence: [evidenceHash(lie)] }, text);
      const slow = await listen((_request, response) => {
        response.write(" ");
      });
      const begun = performance.now();
      expect(await ask(facts, [slow, good, slow], 400)).to.deep.equal([lie]);
      expect(performance.now() - begun).to.be.within(350, 2_500);
    });

    it("bring two pieces each at most, so that friends of the accused crowd nobody out", async () => {
      const { facts } = await caught();
      const asked: string[] = [];
      const many = Array.from({ length: 50 }, (_, at) => at.toString(16).padStart(64, "0"));
      const flood = await listen((request, response) => {
        asked.push(request.url ?? "");
        response.end(JSON.stringify({ evidence: many }));
      });
      expect(await ask(facts, [flood])).to.deep.equal([]);
      expect(asked).to.have.length(3);
    });

    it("are the configured ones and workers of the task, but for oneself and the accused", () => {
      const submission = (
        url: string,
        owner = Keypair.generate().publicKey,
        round = 0n,
      ): Submission => {
        const payloadHash = createHash("sha256").update(url).digest();
        const payloadUri = `${url}/payload/${payloadHash.toString("hex")}`;
        return { owner, payloadHash, payloadUri, round } as unknown as Submission;
      };
      const me = Keypair.generate().publicKey;
      const bases = (
        submissions: readonly Submission[],
        own: readonly string[] = [],
        accusers: readonly string[] = [],
      ): string[] => {
        const strangers = { but: [me.toBase58()], accusers, allowPrivateNetwork: false };
        return peersOf([submissions], strangers, own).map(
          ({ base, allowPrivateNetwork }) => `${base} ${allowPrivateNetwork}`,
        );
      };
      const found = bases(
        [
          submission("http://a/x"),
          submission("http://a/x"),
          submission("http://me", me),
          { ...submission("http://b"), payloadUri: "ipfs://content" },
        ],
        ["http://gateway/"],
      );
      expect(found).to.deep.equal(["http://gateway true", "http://a/x false"]);
      const crowd = Array.from({ length: 40 }, (_, at) => submission(`http://${at}`));
      const [one, two] = [bases(crowd), bases(crowd)];
      expect([one.length, two.length]).to.deep.equal([16, 16]);
      expect(one).not.to.deep.equal(two);
      // Who accused is always among them, but for a crowd of accusers.
      const last = crowd.slice(-1).map(({ owner }) => owner.toBase58());
      for (let turn = 0; turn < 5; turn++) {
        expect(bases(crowd, [], last))
          .to.have.length(17)
          .and.to.include("http://39 false");
      }
      const accusers = crowd.map(({ owner }) => owner.toBase58());
      expect(bases(crowd, [], accusers)).to.have.length(8);
      // A worker with many submissions has one place, where it was last.
      const friend = Keypair.generate().publicKey;
      const flood = Array.from({ length: 40 }, (_, at) =>
        submission(`http://friend/${at}`, friend, BigInt(40 - at)),
      );
      const few = bases([...flood, ...crowd.slice(0, 10)]);
      expect(few).to.have.length(11);
      expect(few.filter((base) => base.includes("friend"))).to.deep.equal([
        "http://friend/0 false",
      ]);
      expect(bases([...flood, ...crowd.slice(0, 1)], [], [friend.toBase58()])).to.deep.equal([
        "http://friend/0 false",
        "http://0 false",
      ]);
    });

    it("are asked first who accused of malice", () => {
      const submission = key();
      const by = (initiator: PublicKey, accusation: Audit["accusation"], of = submission): Audit =>
        ({ initiator, accusation, submission: of }) as Audit;
      const friends = Array.from({ length: 20 }, () => key());
      const honest = key();
      const found = accusersOf(
        [
          ...friends.map((friend) => by(friend, "downtime")),
          by(key(), "malice", key()),
          by(honest, "malice"),
        ],
        submission,
      );
      expect(found).to.have.length(21);
      expect(found[0]).to.equal(honest.toBase58());
    });

    it("of strangers are not asked on one's own network", async () => {
      const { facts, lie } = await caught();
      const good = await peer({ evidence: [evidenceHash(lie)] }, evidenceText(lie));
      const peers = [{ base: good, allowPrivateNetwork: false }];
      expect(await askPeers({ facts, peers, budgetMs: 1_000, download })).to.deep.equal([]);
    });
  });

  describe("in a daemon", () => {
    const task = {
      ...{ address: key(), creator: key(), mint: key(), id: 1n, startSlot: 1_000n, rules: RULES },
      auditFunction: { hash: new Uint8Array(32), uri: "" },
    } as unknown as Task;
    const slot = task.startSlot + 1n;

    /** An RPC server with a block in each slot. */
    const chain = async (): Promise<Connection> => {
      const server = await RpcServer.start({
        answer: (method, [first]) => ({
          result: method === "getBlocks" ? [first] : blockAt(Number(first)),
        }),
      });
      closing.push(() => server.close());
      return new Connection(server.url, "confirmed");
    };

    /** A worker that lies, on this chain. */
    async function liar(
      connection: Connection,
    ): Promise<{ worker: Worker; submission: Submission }> {
      const worker = new Worker(true);
      const [owner, operator] = [worker.owner.publicKey, worker.operator.publicKey];
      const node = { owner, operator, publicUrl: null, secrets: {} };
      worker.facts = await workFacts(connection, task, 0n, node);
      await worker.start();
      const submission = { address: key(), owner, round: 0n, slot } as Submission;
      await worker.submit((facts, { sha256, uri }) => {
        Object.assign(submission, { payloadHash: Buffer.from(sha256, "hex"), payloadUri: uri });
        const about = factsOf(facts, { sha256, uri });
        const address = submission.address.toBase58();
        return { ...about, submission: { ...about.submission, address, slot: Number(slot) } };
      });
      return { worker, submission };
    }

    const witness = { owner: key(), operator: Keypair.generate() };
    /** Transactions that a daemon would have sent. */
    let sent = 0;

    /** Does one duty of a witness with this state. Returns how many times it ran the audit function. */
    async function doOne(
      duty: Duty,
      store: Store,
      connection: Connection,
      submissions: readonly Submission[],
      audits: readonly Audit[] = [],
    ): Promise<number> {
      let runs = 0;
      const done = new Promise<void>((resolve) => {
        const doer = new Doer({
          keep: (write: () => void) => {
            write();
            return true;
          },
          config: checkNodeConfig({
            ...{ rpcUrl: connection.rpcEndpoint, task: task.address.toBase58(), role: "witness" },
            ...{ owner: witness.owner.toBase58(), operatorKeypair: "key", state: "state" },
            ...{ allowPrivateNetwork: true, recheckMs: 0 },
          }),
          connection,
          store,
          operator: witness.operator,
          sender: {
            send: () => {
              sent += 1;
              return Promise.resolve({ status: "expired" });
            },
          },
          follower: {
            slot: slot + 50n,
            known: slot + 50n,
            duration: (slots: bigint) => Number(slots) * 400,
          },
          roster: { neighbours: () => Promise.resolve([]) },
          metrics: new Metrics(),
          log: pino({ level: "silent" }),
          loadFunction: () => Promise.resolve(audit),
          runAudit: (_fn: LoadedFunction, facts: AuditFacts, known: readonly Evidence[]) => {
            runs += 1;
            return judge(facts, known);
          },
          onDone: resolve,
          within,
          download,
          signal: new AbortController().signal,
        } as unknown as ConstructorParameters<typeof Doer>[0]);
        const node = { role: "witness" };
        doer.start({ task, node, submissions, audits, slot } as unknown as View, [duty]);
      });
      await done;
      return runs;
    }

    it("is kept where it was heard, served to who asks, and worth a verdict there", async () => {
      const connection = await chain();
      const { worker, submission } = await liar(connection);
      const name = submission.address.toBase58();
      const until = slot + 1_000n;
      const check: Duty = { kind: "check", key: "check", submission, until };
      const ofAudit = (): Duty & { kind: "judge" } => {
        const accused = { address: key(), submission: submission.address } as Audit;
        return { kind: "judge", key: "judge", audit: accused, submission, until };
      };

      const first = await juror("first");
      // What was signed is no blip.
      expect(await doOne(check, first.store, connection, [submission])).to.equal(1);
      expect(first.store.check(name)).to.include({ opinion: "malice", evidence: true });
      const [hash = ""] = first.store.evidenceOf(name);
      expect(hash).to.match(/^[0-9a-f]{64}$/);

      await worker.goDark();
      await doOne(check, first.store, connection, [submission]);
      const again = ofAudit();
      await doOne(again, first.store, connection, [submission]);
      expect(first.store.opinion(again.audit.address.toBase58())).to.include({ opinion: "malice" });

      // Whom it knows by a submission of this task.
      const payloadHash = Buffer.alloc(32, 7);
      const payloadUri = `${first.url}/payload/${payloadHash.toString("hex")}`;
      const other = { ...submission, address: key(), owner: key(), payloadHash, payloadUri };
      const second = open("second");
      const judged = ofAudit();
      await doOne(judged, second, connection, [submission, other]);
      const opinion = second.opinion(judged.audit.address.toBase58());
      expect(opinion).to.include({ opinion: "malice", evidence: true });
      expect(second.evidenceOf(name)).to.deep.equal([hash]);

      // Among many workers, the one that accused is not missed.
      const crowd = Array.from({ length: 200 }, (_, at) => {
        const uri = `http://127.0.0.1:1/${at}/payload/${payloadHash.toString("hex")}`;
        return { ...other, address: key(), owner: key(), payloadUri: uri };
      });
      const fourth = open("fourth");
      const initiator = other.owner;
      const many = ofAudit();
      const audits = [{ ...many.audit, initiator, accusation: "malice" }] as Audit[];
      await doOne(many, fourth, connection, [submission, ...crowd, other], audits);
      expect(fourth.evidenceOf(name)).to.deep.equal([hash]);

      const third = open("third");
      const alone = ofAudit();
      await doOne(alone, third, connection, [submission]);
      const blind = third.opinion(alone.audit.address.toBase58());
      expect(blind).to.include({ opinion: "downtime", evidence: false });
      expect(third.evidenceOf(name)).to.deep.equal([]);
    });

    it("keeps a juror that heard nothing from an appeal of what others can prove", async () => {
      const connection = await chain();
      const { worker, submission } = await liar(connection);
      const name = submission.address.toBase58();
      const until = slot + 1_000n;
      const first = await juror("first");
      const check: Duty = { kind: "check", key: "check", submission, until };
      await doOne(check, first.store, connection, [submission]);
      await worker.goDark();
      const payloadHash = Buffer.alloc(32, 7);
      const payloadUri = `${first.url}/payload/${payloadHash.toString("hex")}`;
      const other = { ...submission, address: key(), owner: key(), payloadHash, payloadUri };
      const second = open("second");
      const audit = { address: key(), accused: submission.owner } as Audit;
      const appeal: Duty = {
        ...{ kind: "appeal", key: "appeal", opinion: "valid" },
        ...{ audit, submission, until },
      };
      sent = 0;
      await doOne(appeal, second, connection, [submission, other]);
      expect(second.check(name)).to.include({ opinion: "malice", evidence: true });
      expect(sent).to.equal(0);
    });

    /** An inbox of a worker of the task, with what it holds and what it asks the chain for. */
    function inboxOf(
      store: Store,
      connection: Connection,
      submissions: readonly Submission[],
      nodes: ReadonlyMap<string, Partial<Node>>,
    ): { readonly inbox: Inbox; readonly asked: string[] } {
      const asked: string[] = [];
      const names = new Map(
        [...nodes].map(([owner, node]) => [
          nodeAddress(task.address, new PublicKey(owner)).toBase58(),
          { ...node, owner: new PublicKey(owner) },
        ]),
      );
      const find = (_kind: string, address: PublicKey): Promise<unknown> => {
        asked.push(address.toBase58());
        return Promise.resolve(names.get(address.toBase58()) ?? null);
      };
      const inbox = new Inbox({
        client: { find } as unknown as SecuringTasksClient,
        connection,
        store,
        view: () => ({ task, submissions, slot: slot + 50n }) as unknown as View,
      });
      return { inbox, asked };
    }

    /** What an old node with this operator and stake looks like. */
    const nodeOf = (operator: PublicKey, stake = 5_000n): Partial<Node> => ({
      ...{ operator, stake, role: "witness", joinedSlot: 0n, leaving: 0n, arrivals: [] },
      ...{ slashed: { parts: [], young: [] }, askedToLeave: { parts: [], young: [] } },
    });

    it("is handed by a witness without a service to workers, and worth a verdict there", async () => {
      const connection = await chain();
      const { worker, submission } = await liar(connection);
      const name = submission.address.toBase58();
      const until = slot + 1_000n;
      const check: Duty = { kind: "check", key: "check", submission, until };
      const hand: Duty = { kind: "hand", key: "hand", submission, until };
      const heard = open("heard");
      await doOne(check, heard, connection, [submission]);
      await worker.goDark();
      const [hash = ""] = heard.evidenceOf(name);

      // Nobody is there who would take it.
      await doOne(hand, heard, connection, [submission]);
      expect(heard.handed(name)).to.equal(0);

      const payloadHash = Buffer.alloc(32, 7);
      const helper = new Worker(false);
      await helper.start();
      const payloadUri = `${helper.url}/payload/${payloadHash.toString("hex")}`;
      const other = { ...submission, address: key(), owner: key(), payloadHash, payloadUri };
      const submissions = [submission, other];
      const nodes = new Map([[witness.owner.toBase58(), nodeOf(witness.operator.publicKey)]]);
      const { inbox } = inboxOf(helper.store, connection, submissions, nodes);
      helper.inbox = (body) => inbox.take(body);
      await doOne(hand, heard, connection, submissions);
      expect(heard.handed(name)).to.equal(1);
      expect(helper.store.toldOf(name).map((told) => told.hash)).to.deep.equal([hash]);
      // Unjudged, it is served to nobody.
      expect(helper.store.evidenceOf(name)).to.deep.equal([]);

      const audited = { address: key(), submission: submission.address } as Audit;
      const judge: Duty = { kind: "judge", key: "judge", audit: audited, submission, until };
      await doOne(judge, helper.store, connection, submissions);
      const opinion = helper.store.opinion(audited.address.toBase58());
      expect(opinion).to.include({ opinion: "malice", evidence: true });
      expect(helper.store.evidenceOf(name)).to.deep.equal([hash]);
    });

    it("makes a vote of malice out of a milder opinion, until the vote is sent", async () => {
      const connection = await chain();
      const { worker, submission } = await liar(connection);
      const until = slot + 1_000n;
      const heard = open("heard");
      const check: Duty = { kind: "check", key: "check", submission, until };
      await doOne(check, heard, connection, [submission]);
      await worker.goDark();

      const juror = open("juror");
      const audited = { address: key(), submission: submission.address } as Audit;
      const name = audited.address.toBase58();
      juror.keepOpinion(name, { opinion: "downtime", reason: "dark" });
      const cast = {
        kind: "cast",
        key: "vote",
        audit: audited,
        opinion: "downtime",
        until,
      } as Duty;
      sent = 0;
      await doOne(cast, juror, connection, [submission]);
      expect([sent, juror.opinion(name)?.opinion]).to.deep.equal([1, "downtime"]);

      const about = submission.address.toBase58();
      const [hash = ""] = heard.evidenceOf(about);
      const content = heard.evidence(hash) ?? "";
      const piece = { hash, submission: about, caseEnd: 2_000_000, content };
      juror.keepTold({ ...piece, sender: "somebody", weight: 1n }, slot);
      await doOne(cast, juror, connection, [submission]);
      expect(sent).to.equal(1);
      expect(juror.opinion(name)).to.include({ opinion: "malice", evidence: true });
    });

    it("is taken from nodes with a say alone, and the chain is asked for nothing that proves nothing", async () => {
      const connection = await chain();
      const { submission } = await liar(connection);
      const until = slot + 1_000n;
      const heard = open("heard");
      await doOne({ kind: "check", key: "check", submission, until }, heard, connection, [
        submission,
      ]);
      const about = submission.address.toBase58();
      const content = heard.evidence(heard.evidenceOf(about)[0] ?? "") ?? "";
      const [young, thief] = [key(), Keypair.generate()];
      const store = open("inbox");
      const old = nodeOf(witness.operator.publicKey);
      const { inbox, asked } = inboxOf(
        store,
        connection,
        [submission],
        new Map([
          [witness.owner.toBase58(), old],
          [young.toBase58(), { ...old, joinedSlot: slot }],
          [submission.owner.toBase58(), old],
        ]),
      );
      const take = async (owner: PublicKey, operator = witness.operator, change = {}) => {
        const piece = { ...handover({ owner, operator }, submission.address, content), ...change };
        return (await inbox.take(JSON.stringify(piece))).status;
      };
      expect((await inbox.take("{")).status).to.equal(400);
      expect(await take(witness.owner, witness.operator, { more: 1 })).to.equal(400);
      expect(await take(witness.owner, witness.operator, { sender: "1" })).to.equal(400);
      expect(await take(witness.owner, witness.operator, { submission: "1" })).to.equal(400);
      expect(await take(witness.owner, witness.operator, { evidence: `${content} ` })).to.equal(
        400,
      );
      expect(asked).to.deep.equal([]);
      // Work that it has nothing to do with is looked for where a node of the task signed for it, and for nobody else.
      const strange = key();
      const unsigned = { submission: strange.toBase58() };
      expect(await take(witness.owner, witness.operator, unsigned)).to.equal(404);
      expect(asked).to.not.include(strange.toBase58());
      const signed = handover(
        { owner: witness.owner, operator: witness.operator },
        strange,
        content,
      );
      expect((await inbox.take(JSON.stringify(signed))).status).to.equal(404);
      expect(asked).to.include(strange.toBase58());
      expect(await take(witness.owner, thief)).to.equal(403);
      expect(await take(key())).to.equal(403);
      expect(await take(young)).to.equal(403);
      expect(await take(submission.owner)).to.equal(403);
      expect(store.toldOf(about)).to.deep.equal([]);
      expect(await take(witness.owner)).to.equal(200);
      expect(store.toldOf(about)).to.have.length(1);
    });

    it("can be signed for once the chain shows the submission, and for no other owner's", async () => {
      const connection = await chain();
      const store = open("own");
      const hash = Buffer.alloc(32, 5).toString("hex");
      store.keepWork({ round: 0n, hash, payload: Buffer.from("{}") }, "00".repeat(32));
      const owner = key();
      const submission = { address: key(), owner, round: 0n, slot } as Submission;
      Object.assign(submission, { payloadHash: Buffer.from(hash, "hex"), payloadUri: "" });
      const doer = new Doer({
        keep: (write: () => void) => {
          write();
          return true;
        },
        config: { owner },
        store,
        connection,
      } as unknown as ConstructorParameters<typeof Doer>[0]);
      const seen = (submissions: readonly Submission[]) =>
        doer.start({ submissions, audits: [], slot } as unknown as View, []);
      seen([{ ...submission, owner: key() }]);
      expect(store.submitted(null)).to.equal(null);
      seen([submission]);
      expect(store.submitted(null)).to.include({ submission: submission.address.toBase58(), slot });
    });
  });

  describe("in a state", () => {
    const piece = (hash: string, submission = SUBMISSION, caseEnd = 100) => ({
      hash,
      submission,
      caseEnd,
      content: `content of ${hash}`,
    });

    it("is kept over a restart, and until its case is over", () => {
      let store = open("state");
      store.keepEvidence(piece("a"), 0n);
      store.close();
      store = open("state");
      expect(store.evidence("a")).to.equal("content of a");
      store.keepEvidence(piece("b", "other", 200), 100n);
      expect(store.evidenceOf(SUBMISSION)).to.deep.equal(["a"]);
      store.keepEvidence(piece("c", "third", 200), 101n);
      expect(store.evidenceOf(SUBMISSION)).to.deep.equal([]);
      expect([store.evidence("a"), store.evidence("b")]).to.deep.equal([null, "content of b"]);
    });

    it("is bounded, for one submission and in all", () => {
      const store = open("state");
      for (const hash of ["a", "b", "c", "d", "e"]) store.keepEvidence(piece(hash), 0n);
      expect(store.evidenceOf(SUBMISSION)).to.deep.equal(["a", "b", "c", "d"]);
      for (let at = 0; at < 500; at++) store.keepEvidence(piece(`${at}`, `${at}`, 1_000 + at), 0n);
      // Those go first whose cases end first.
      expect(store.evidenceOf(SUBMISSION)).to.deep.equal([]);
      expect([store.evidence("0"), store.evidence("499")].includes(null)).to.equal(false);
    });

    it("that others brought is bounded by who brought it, and kept from the heaviest", () => {
      const store = open("state");
      const told = (hash: string, sender: string, weight: bigint, submission = SUBMISSION) => {
        store.keepTold({ ...piece(hash, submission), sender, weight }, 0n);
      };
      for (const hash of ["a", "b", "c"]) told(hash, "one", 5n);
      expect(store.toldOf(SUBMISSION).map(({ hash }) => hash)).to.deep.equal(["a", "b"]);
      for (let at = 0; at < 40; at++) told(`${at}`, `friend ${at}`, 4n);
      const kept = store.toldOf(SUBMISSION).map(({ hash }) => hash);
      expect(kept).to.have.length(24);
      expect(kept).to.include.members(["a", "b"]);
      told("heavy", "two", 10n ** 19n);
      expect(store.toldOf(SUBMISSION).map(({ hash }) => hash)).to.include("heavy");
      // The same from two is given once, and of another submission it is another's.
      told("heavy", "three", 10n ** 19n);
      expect(store.toldOf(SUBMISSION).filter(({ hash }) => hash === "heavy")).to.have.length(1);
      store.keepTold({ ...piece("z", "later", 200), sender: "one", weight: 1n }, 101n);
      expect(store.toldOf(SUBMISSION)).to.deep.equal([]);
    });

    it("has the slot of its first piece", () => {
      const store = open("state");
      expect(store.evidenceSince(SUBMISSION)).to.equal(null);
      store.keepEvidence(piece("a"), 7n);
      store.keepEvidence(piece("b"), 9n);
      expect(store.evidenceSince(SUBMISSION)).to.equal(7n);
      expect(store.handed(SUBMISSION)).to.equal(null);
      store.keepHanded(SUBMISSION, 0);
      store.keepHanded(SUBMISSION, 3);
      expect(store.handed(SUBMISSION)).to.equal(3);
    });

    it("makes what was found stay, whatever is seen later", () => {
      const store = open("state");
      const slot = 7n;
      store.keepCheck(SUBMISSION, { opinion: "downtime", reason: "gone", slot });
      store.keepCheck(SUBMISSION, { opinion: "malice", reason: "lied", slot, evidence: true });
      store.keepCheck(SUBMISSION, { opinion: "downtime", reason: "gone", slot: 9n });
      expect(store.check(SUBMISSION)).to.deep.equal({
        opinion: "malice",
        reason: "lied",
        slot,
        evidence: true,
      });
      store.keepOpinion("audit", { opinion: "malice", reason: "lied", evidence: true });
      expect(store.opinion("audit")).to.include({ opinion: "malice", evidence: true });
      store.keepOpinion("other", { opinion: "downtime", reason: "" });
      expect(store.opinion("other")?.evidence).to.equal(false);
    });
  });
});
