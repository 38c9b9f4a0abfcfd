import type { Submission } from "@securing-tasks/client";
import { Store } from "@securing-tasks/node";
import type {
  AuditFacts,
  Evidence,
  LoadedFunction,
  Ran,
  ServiceRequest,
  ServiceResponse,
  Verdict,
  WorkFacts,
} from "@securing-tasks/sandbox";
import {
  SIGNATURE_HEADER,
  SLOT_HEADER,
  SUBMISSION_HEADER,
  evidenceHash,
  evidenceText,
  isEvidence,
  runAudit,
  runRespond,
  runWork,
} from "@securing-tasks/sandbox";
import { Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Web,
  factsOf,
  loadTemplate,
  localDoors,
  runBuilder,
  someWorkFacts,
} from "../../templates/test/utils";
import { Metrics } from "../src/metrics";
import { askPeers, peersOf } from "../src/peers";
import type { Service } from "../src/service";
import { serve } from "../src/service";
import { Signer } from "../src/signer";

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
    readonly facts: WorkFacts = someWorkFacts({
      owner: this.owner.publicKey.toBase58(),
      operator: this.operator.publicKey.toBase58(),
    });
    slot = 0n;
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
      };
      this.service = await serve({
        config: { http, metrics: undefined, secrets: {}, owner: owner.publicKey },
        operator: operator.publicKey.toBase58(),
        metrics: new Metrics(),
        task: facts.task,
        payload: (hash) => store.payload(hash),
        respond: (request) => this.respond(request),
        signer: new Signer({
          task: new PublicKey(facts.task.address),
          owner: owner.publicKey,
          operator,
          store,
          slot: () => this.slot,
        }),
        evidence: store,
        trouble: () => null,
      });
      closing.push(() => this.goDark());
    }

    /** Works, and has its submission on the chain. */
    async submit(): Promise<void> {
      const { store, facts } = this;
      const ran = await runWork(work, { ...facts, publicUrl: this.url }, localDoors());
      if (!ran.ok) throw new Error(ran.failure.message);
      const payload = ran.value;
      const hash = createHash("sha256").update(payload).digest("hex");
      const uri = `${this.url}/payload/${hash}`;
      const round = BigInt(facts.round);
      store.keepWork({ round, hash, uri, payload }, facts.seed);
      this.about = factsOf(facts, { sha256: hash, uri });
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
    askPeers({ facts, peers: strangers(...urls), budgetMs });

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
      store.keepWork({ round: 8n, hash, uri: "", payload }, "04".repeat(32));
      expect((await headersOf())[0]).to.equal(audited.submission.address);
      store.keepSubmitted(8n, hash, SUBMISSION, worker.slot);
      expect((await headersOf())[0]).to.equal(SUBMISSION);
      const { address } = audited.submission;
      const old = await headersOf(PATH, { headers: { [SUBMISSION_HEADER]: address } });
      expect(old[0]).to.equal(address);
      expect(await binds(PATH, { headers: { [SUBMISSION_HEADER]: address } })).to.equal(true);
    });

    it("are signed where the task function fails", async () => {
      await worker.submit();
      const broken = { code: "export function respond() { throw 1; }", hash: Buffer.alloc(32) };
      const good = work;
      work = broken;
      try {
        expect((await fetch(worker.url + PATH)).status).to.equal(500);
        expect(await binds(PATH)).to.equal(true);
      } finally {
        work = good;
      }
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
        void sleep(20_000, undefined, { ref: false }).then(() => response.end());
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

    it("are the configured ones and workers of the task, but for oneself and the accused", async () => {
      const submission = (url: string, owner = Keypair.generate().publicKey): Submission => {
        const payloadHash = createHash("sha256").update(url).digest();
        const payloadUri = `${url}/payload/${payloadHash.toString("hex")}`;
        return { owner, payloadHash, payloadUri } as unknown as Submission;
      };
      const me = Keypair.generate().publicKey;
      const bases = (submissions: readonly Submission[], own: readonly string[] = []): string[] => {
        const but = [me.toBase58()];
        return peersOf(submissions, { but, allowPrivateNetwork: false }, own).map(
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
    });

    it("of strangers are not asked on one's own network", async () => {
      const { facts, lie } = await caught();
      const good = await peer({ evidence: [evidenceHash(lie)] }, evidenceText(lie));
      const peers = [{ base: good, allowPrivateNetwork: false }];
      expect(await askPeers({ facts, peers, budgetMs: 1_000 })).to.deep.equal([]);
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
