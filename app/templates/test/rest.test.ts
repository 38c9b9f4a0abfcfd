import type {
  AuditFacts,
  Evidence,
  LoadedFunction,
  Ran,
  ServiceResponse,
  SignedAnswer,
  Verdict,
  WorkFacts,
} from "@securing-tasks/sandbox";
import {
  MOST_EVIDENCE_BYTES,
  SIGNATURE_HEADER,
  SLOT_HEADER,
  SUBMISSION_HEADER,
  isEvidence,
  requestOf,
  runAudit,
  runRespond,
  runWork,
  signAnswer,
} from "@securing-tasks/sandbox";
import { Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { answer } from "../src/rest/answer";
import { baseOf, pathOf } from "../src/rest/service";
import { readRequest } from "../src/shared/request";
import { LaneFull } from "../../node/src/core/lane";
import { Metrics } from "../../node/src/host/metrics";
import { serve as serveNode } from "../../node/src/host/service";
import { Signer } from "../../node/src/core/signer";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { request as httpRequest } from "node:http";
import {
  Shelf,
  Web,
  expectVerdict,
  factsOf,
  loadTemplate,
  localDoors,
  runBuilder,
  someWorkFacts,
} from "./utils";

/** Headers with which an answer is sent. */
type Sign = (about: AuditFacts, request: IncomingMessage, body: string) => Record<string, string>;

const OWNER = Keypair.generate().publicKey.toBase58();

/** Signs as a node does, but for what is changed. */
function signer(key: Keypair, changes: { slot?: number; path?: string } = {}): Sign {
  return (about, { url = "", method = "" }, answer) => {
    const slot = about.submission.slot + 1;
    const exchange = { method, path: url, body: "", status: 200, answer, slot, ...changes };
    return {
      [SLOT_HEADER]: String(exchange.slot),
      [SIGNATURE_HEADER]: signAnswer(key.secretKey, signedFor(about), exchange),
    };
  };
}

function signedFor({ task, submission, roundSeed }: AuditFacts) {
  const { address, owner, round, payloadHash } = submission;
  return { task: task.address, submission: address, owner, round, payloadHash, roundSeed };
}

/** What a lying worker makes of an answer. */
type Change = (body: string) => string;
const wrongAnswer: Change = (body) => body.replace(/"answer":"./, '"answer":"x');

type Listener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

describe("the REST template", function () {
  this.timeout(120_000);
  const doors = localDoors();
  const webs: { close(): Promise<void> }[] = [];
  let audit: LoadedFunction;
  let work: LoadedFunction;
  let shelf: Shelf;

  before(async () => {
    await runBuilder();
    ({ audit, work } = await loadTemplate("rest", { timeoutMs: 4_000 }));
  });

  beforeEach(async () => {
    webs.push((shelf = await Shelf.open()));
  });

  afterEach(async () => {
    await Promise.all(webs.splice(0).map((web) => web.close()));
  });

  async function serve(listener: Listener): Promise<string> {
    const web = await Web.serve((request, response) => void listener(request, response));
    webs.push(web);
    return web.url;
  }

  /** What a node of this owner answers, by the task's own function. */
  function honest(facts: WorkFacts): Listener {
    return async (request, response) => {
      const url = new URL(request.url ?? "", "http://node");
      if (url.pathname === "/healthz") {
        response.end('{"ok":true}');
        return;
      }
      const ran = await runRespond(
        work,
        {
          method: request.method ?? "",
          path: url.pathname.replace(/^\/task/, ""),
          query: Object.fromEntries(url.searchParams),
          body: "",
        },
        facts,
        doors,
      );
      if (!ran.ok) throw new Error(ran.failure.message);
      response.statusCode = ran.value.status ?? 200;
      response.end(ran.value.body);
    };
  }

  /** What one answers that lies, with the headers that are given. */
  function lying(
    facts: WorkFacts,
    sign: (...given: [IncomingMessage, string]) => object,
    change: Change = wrongAnswer,
  ): Listener {
    return async (request, response) => {
      const end = response.end.bind(response) as (body: string) => ServerResponse;
      response.end = ((body: string) => {
        const said = change(body);
        if (said !== body) {
          for (const [name, value] of Object.entries(sign(request, said))) {
            response.setHeader(name, String(value));
          }
        }
        return end(said);
      }) as typeof response.end;
      await honest(facts)(request, response);
    };
  }

  async function expectOf(
    facts: WorkFacts,
    service: string,
    verdict: "valid" | "downtime" | "malicious",
  ) {
    const ran = await runWork(work, { ...facts, publicUrl: service }, doors);
    if (!ran.ok) throw new Error(ran.failure.message);
    await expectVerdict(audit, factsOf(facts, shelf.put(ran.value)), doors, verdict);
  }

  it("clears a service that answers right", async () => {
    const facts = someWorkFacts();
    await expectOf(facts, await serve(honest(facts)), "valid");
  });

  it("calls a service down that answers wrong and signs nothing: anybody in between could have", async () => {
    const facts = someWorkFacts();
    await expectOf(facts, await serve(lying(facts, () => ({}))), "downtime");
  });

  describe("and what the accused signed", () => {
    const operator = Keypair.generate();
    const facts = (): WorkFacts =>
      someWorkFacts({ operator: operator.publicKey.toBase58(), owner: OWNER });

    /** A worker that lies, for as long as it is there, and what an audit of it is told. */
    async function liar(mine: WorkFacts, sign: Sign = signer(operator), change?: Change) {
      const audits: { facts?: AuditFacts } = {};
      const signed = (request: IncomingMessage, body: string) => {
        if (!audits.facts) throw new Error("Nothing is submitted yet.");
        return sign(audits.facts, request, body);
      };
      const listener = lying(mine, signed, change);
      const web = await Web.serve((request, response) => void listener(request, response));
      webs.push(web);
      const ran = await runWork(work, { ...mine, publicUrl: web.url }, doors);
      if (!ran.ok) throw new Error(ran.failure.message);
      const put = shelf.put(ran.value);
      audits.facts = factsOf(mine, put);
      return {
        facts: audits.facts,
        goDark: async () => {
          await web.close();
          shelf.remove(put.sha256);
        },
      };
    }

    async function judge(about: AuditFacts, evidence: readonly Evidence[] = []) {
      const ran = await runAudit(audit, about, doors, {}, evidence);
      if (!ran.ok) throw new Error(ran.failure.message);
      return ran;
    }

    async function expectJudged(
      about: AuditFacts,
      evidence: readonly Evidence[],
      verdict: Verdict,
    ): Promise<void> {
      expect((await judge(about, evidence)).value).to.equal(verdict);
    }

    /** A lie that somebody heard. */
    async function heard(): Promise<{ about: AuditFacts; lie: Evidence }> {
      const { facts: about, goDark } = await liar(facts());
      const ran = await judge(about);
      await goDark();
      const [lie] = ran.evidence ?? [];
      if (!lie) throw new Error("Nothing was kept.");
      return { about, lie };
    }

    it("is malice where it is wrong", async () => {
      const { facts: about } = await liar(facts());
      await expectVerdict(audit, about, doors, "malicious");
    });

    it("is malice for whoever has no more than the evidence, after the worker went dark", async () => {
      const { about, lie } = await heard();
      await expectJudged(about, [], "downtime");
      const ran = await judge(about, [lie]);
      expect([ran.value, ran.evidence]).to.deep.equal(["malicious", [lie]]);
    });

    it("is malice though the worker answers right again", async () => {
      const mine = facts();
      const service = await serve(honest(mine));
      const ran = await runWork(work, { ...mine, publicUrl: service }, doors);
      if (!ran.ok) throw new Error(ran.failure.message);
      const about = factsOf(mine, shelf.put(ran.value));
      const payload = Buffer.from(ran.value);
      await expectJudged(about, [wrong(about, payload)], "malicious");
      await expectJudged(about, [], "valid");
    });

    /** What a worker would sign that lies. */
    function wrong(
      about: AuditFacts,
      payload: Uint8Array,
      changes: Partial<NonNullable<Evidence["said"]>> = {},
      question = 7,
      key = operator,
    ): Evidence {
      const { owner, slot } = about.submission;
      const answer = JSON.stringify({ question, owner, answer: "none" });
      const path = pathOf(question, owner);
      const exchange = { method: "GET", path, body: "", status: 200, answer, slot, ...changes };
      const signature = signAnswer(key.secretKey, signedFor(about), exchange);
      return {
        submission: about.submission.address,
        payload: Buffer.from(payload).toString("base64"),
        said: { ...exchange, signature },
      };
    }

    it("is nothing where it was forged, or signed for something else", async () => {
      const { about, lie } = await heard();
      const { said } = lie;
      if (!said) throw new Error("Nothing was said.");
      const payload = Buffer.from(lie.payload, "base64");
      const { submission } = about;
      const elsewhere = (changes: Partial<AuditFacts["submission"]>): Evidence =>
        wrong({ ...about, submission: { ...submission, ...changes } }, payload);
      const other = Keypair.generate().publicKey.toBase58();
      for (const evidence of [
        wrong(about, payload, {}, 7, Keypair.generate()),
        wrong({ ...about, task: { ...about.task, address: other } }, payload),
        wrong({ ...about, roundSeed: "00".repeat(32) }, payload),
        { ...elsewhere({ address: other }), submission: submission.address },
        elsewhere({ round: submission.round + 1 }),
        elsewhere({ payloadHash: "00".repeat(32) }),
        wrong(about, payload, { slot: submission.slot - 1 }),
        wrong(about, payload, { slot: submission.caseEnd + 1 }),
        wrong(about, Buffer.from("{}")),
        { ...lie, said: { ...said, path: pathOf(1, submission.owner) } },
        { ...lie, said: { ...said, slot: said.slot + 1 } },
        { ...lie, said: { ...said, signature: said.signature.slice(2) } },
        { ...lie, payload: lie.payload.slice(4) },
      ]) {
        await expectJudged(about, [evidence], "downtime");
      }
      await expectJudged(about, [wrong(about, payload)], "malicious");
    });

    it("is a lie wherever it is not what the task's function says there", async () => {
      const { about, lie } = await heard();
      const payload = Buffer.from(lie.payload, "base64");
      const { owner } = about.submission;
      const right = { question: 7, owner, answer: answer(7, about.task.address, owner) };
      const said = JSON.stringify(right);
      const body = (changes: object): string => JSON.stringify({ ...right, ...changes });
      for (const evidence of [
        wrong(about, payload, { answer: body({ question: 8 }) }),
        wrong(about, payload, { answer: body({ owner: about.task.address }) }),
        wrong(about, payload, { answer: body({ more: 1 }) }),
        // Who reads the first of two reads a lie.
        wrong(about, payload, { answer: said.replace('"answer"', '"answer":"none","answer"') }),
        wrong(about, payload, { answer: `\ufeff${said}` }),
        wrong(about, payload, { answer: "<html></html>" }),
        wrong(about, payload, { answer: "" }),
        wrong(about, payload, { answer: said, status: 201 }),
        wrong(about, payload, { answer: said, status: 404 }),
        wrong(about, payload, { method: "POST" }),
        wrong(about, payload, { method: "POST", answer: said }),
        wrong(about, payload, { body: "x" }),
        wrong(about, payload, { path: "/task/answer?question=7" }),
        wrong(about, payload, { path: "/task/answer?x=%41&question=%37" }),
        wrong(about, payload, { path: "/task/other?question=7" }),
        wrong(about, payload, { path: "/task" }),
        wrong(about, payload, {}, 0),
        wrong(about, payload, {}, 1_000_001),
      ]) {
        await expectJudged(about, [evidence], "malicious");
      }
    });

    it("is no lie where the function says so, the server can't, or no honest one would have been asked", async () => {
      const { about, lie } = await heard();
      const payload = Buffer.from(lie.payload, "base64");
      const { owner } = about.submission;
      const right = { question: 7, owner, answer: answer(7, about.task.address, owner) };
      const said = JSON.stringify(right);
      const error = (text: string): string => JSON.stringify({ error: text });
      const most = "question must be a number from 1 to 1000000.";
      for (const evidence of [
        wrong(about, payload, { answer: said }),
        wrong(about, payload, { answer: said, path: "/task/answer?question=7" }),
        wrong(about, payload, { answer: said, path: "/task/answer?x=+&question=%37" }),
        wrong(about, payload, { answer: error(most), status: 400 }, 0),
        wrong(about, payload, { answer: error(most), status: 400, path: "/task/answer" }),
        wrong(about, payload, {
          answer: error(`This is the node of ${owner}.`),
          status: 404,
          path: "/task/answer?question=7&owner=other",
        }),
        wrong(about, payload, {
          answer: error("Ask GET /task/answer?question=N."),
          status: 404,
          method: "POST",
        }),
        wrong(about, payload, { status: 500 }),
        wrong(about, payload, { status: 503, answer: "busy" }),
        wrong(about, payload, { path: `${pathOf(7, owner)}&question=8` }),
        wrong(about, payload, { path: "/task/../answer?question=7" }),
        wrong(about, payload, { path: "/healthz" }),
        { ...lie, said: null },
      ]) {
        await expectJudged(about, [evidence], "downtime");
      }
    });

    it("is malice where it can be read as a lie, and none where it is too long to be shown", async () => {
      const pad = " ".repeat(MOST_EVIDENCE_BYTES);
      const changes: readonly (readonly [Change, Verdict])[] = [
        [(body) => body.replace(/^\{"question"/, '\ufeff{"question"'), "malicious"],
        [(body) => body.replace(/"answer":/, '"answer":"none","answer":'), "malicious"],
        [(body) => body.replace(/"answer":/, '"more":1,"answer":'), "malicious"],
        // As long as this no user may take it for an answer, wrong or right.
        [(body) => wrongAnswer(body).replace(/"answer":/, `${pad}"answer":`), "downtime"],
        [(body) => body.replace(/"answer":/, `${pad}"answer":`), "downtime"],
      ];
      for (const [change, verdict] of changes) {
        const { facts: about } = await liar(facts(), signer(operator), change);
        await expectVerdict(audit, about, doors, verdict);
      }
    });

    it("is not hidden by a payload that leaves no room for it", async () => {
      const mine = facts();
      const service = await serve(honest(mine));
      const { owner, round, operator: name } = mine;
      const text = JSON.stringify({ service, owner, round, operator: name });
      for (const [content, verdict] of [
        [text, "valid"],
        [` ${text}`, "malicious"],
        [`\ufeff${text}`, "malicious"],
        [text.replace('"operator"', '"operator":"x","operator"'), "malicious"],
        [text.replace("{", '{"more":1,'), "malicious"],
        [text.replace("{", `{${" ".repeat(40_000)}`), "malicious"],
        // Nobody who did not fetch it can ever see it, so that it is nothing to anybody.
        [text.replace("{", `{${" ".repeat(60_000)}`), "downtime"],
      ] as const) {
        await expectVerdict(audit, factsOf(mine, shelf.put(content)), doors, verdict);
      }
    });

    describe("as an honest node, whatever it is asked and whatever befalls it", () => {
      const random = randomFrom(11);
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
      const some = (most: number): number => Math.floor(random() * (most + 1));

      /** A request as anybody may send it, most of them about questions. */
      function anyRequest(): { method: string; path: string; body: string } {
        const method = pick(["GET", "GET", "GET", "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"]);
        const base = pick([
          ...Array<string>(8).fill("/task/answer"),
          ...["/task", "/task/", "/task/answer/", "/task//answer", "/task/%61nswer", "/task/x"],
          ...["/task/../answer", "/task/./answer", "/task/a/%2e./answer", "/task/answer%zz"],
        ]);
        const name = (): string =>
          pick(["question", "question", "owner", "quest%69on", "x", "", "%ff"]);
        const value = (): string =>
          pick([
            ...[
              String(1 + some(999_999)),
              String(1 + some(99)),
              "7",
              "%37",
              "+7",
              "07",
              "7.0",
              "1e3",
            ],
            ...[
              "0",
              "-1",
              "1000001",
              "9007199254740993",
              "",
              "0x10",
              "%EF%BC%97",
              "%",
              "7&&",
              "7=7",
            ],
            ...[OWNER, OWNER, `%${OWNER.charCodeAt(0).toString(16)}${OWNER.slice(1)}`, "other"],
          ]);
        const pairs = Array.from({ length: some(3) }, () => `${name()}=${value()}`);
        const plain = pathOf(1 + some(1_000_000), pick([OWNER, OWNER, "other"]));
        const path = pick([plain, [base, pairs.join("&")].join(pick(["?", "?", "?", "#"]))]);
        const body =
          method === "GET" || method === "HEAD" ? "" : pick(["", "a b", "\ufeffä", "{}"]);
        return { method, path, body };
      }

      /** The REST service of a daemon, whose function fails now and then, and all that it signed of what it was asked. */
      async function everythingSigned(mine: WorkFacts, about: AuditFacts, payload: Uint8Array) {
        const { submission, task } = about;
        const owner = new PublicKey(mine.owner);
        const work_ = {
          ...{ round: BigInt(mine.round), hash: submission.payloadHash, payload },
          ...{ submission: submission.address, slot: BigInt(submission.slot), seed: mine.seed },
        };
        const none = { evidence: () => null, evidenceOf: () => [], recording: () => null };
        const store = { submitted: () => work_, ...none };
        const failed = (kind: "error" | "memory" | "time"): Ran<ServiceResponse> => ({
          ...{ ok: false, failure: { kind, message: "", ours: false }, log: [], computeMs: 0 },
        });
        const slot = (): Promise<bigint> => Promise.resolve(BigInt(submission.slot + some(5)));
        const service = await serveNode({
          config: {
            http: {
              ...{ host: "127.0.0.1", port: 0, publicUrl: "https://node.example" },
              ...{ maxBodyBytes: 65_536, concurrency: 2, queue: 64 },
              ...{ requestsPerSecond: 100_000, trustProxy: false, checkSelf: true },
            },
            ...{ metrics: undefined, secrets: {}, owner },
          },
          operator: mine.operator,
          instance: "one",
          auditors: { whoAsks: () => Promise.resolve(null) },
          metrics: new Metrics(),
          task: mine.task,
          payload: () => null,
          respond: (request, given) => {
            const luck = random();
            if (luck < 0.05) return Promise.reject(new LaneFull());
            if (luck < 0.15) return Promise.resolve(failed(pick(["error", "memory", "time"])));
            return runRespond(work, request, given, doors);
          },
          signer: new Signer({
            ...{ task: new PublicKey(task.address), owner, operator, store },
            follower: { now: slot, known: 0n },
          }),
          evidence: store,
          inbox: { take: () => Promise.reject(new LaneFull()) },
          keeper: null,
          trouble: () => null,
        });
        webs.push(service);
        const port = Number(new URL(service.url ?? "").port);
        const heard: Evidence[] = [];
        const statuses = new Set<number>();
        for (let turn = 0; turn < 400; turn++) {
          const asked = anyRequest();
          const { status, headers, body } = await askRaw(port, asked);
          statuses.add(status);
          const signature = headers[SIGNATURE_HEADER];
          if (signature === undefined) continue;
          const at = Number(headers[SLOT_HEADER]);
          heard.push({
            submission: submission.address,
            payload: Buffer.from(payload).toString("base64"),
            said: { ...asked, status, answer: body, slot: at, signature: String(signature) },
          });
        }
        return { heard, statuses };
      }

      it("is never malice, and what its operator signs besides is", async () => {
        const mine = facts();
        const payload = Buffer.from(
          JSON.stringify({
            ...{ service: "https://node.example", owner: mine.owner },
            ...{ round: mine.round, operator: mine.operator },
          }),
        );
        const put = shelf.put(payload);
        shelf.remove(put.sha256);
        const about = factsOf(mine, put);
        const { heard: said, statuses } = await everythingSigned(mine, about, payload);
        expect([...statuses].sort()).to.deep.equal([200, 400, 404, 500, 503]);
        // All that is signed is what it says it is: the request as it was sent, and the answer as it came.
        expect(said.filter((one) => !isEvidence(about, one))).to.deep.equal([]);
        expect(new Set(said.map((one) => one.said?.status))).to.deep.equal(
          new Set([200, 404, 400]),
        );
        expect(said.length).to.be.above(150);
        for (let at = 0; at < said.length; at += 80) {
          await expectJudged(about, said.slice(at, at + 80), "downtime");
        }

        const changes: ((one: SignedAnswer) => Partial<SignedAnswer>)[] = [
          ({ status }) => ({
            status: pick([200, 201, 302, 400, 404, 429].filter((n) => n !== status)),
          }),
          ({ answer }) => ({ answer: `${answer} ` }),
          ({ answer }) => ({ answer: `\ufeff${answer}` }),
          ({ answer }) => ({ answer: answer.slice(0, -1) }),
          ({ answer }) => ({ answer: answer.replace("{", '{"answer":"x",') }),
          ({ answer }) => ({ answer: answer.replace(/.(?="\})/, "X") }),
          () => ({ answer: "<html></html>", status: 200 }),
        ];
        for (let turn = 0; turn < 60; turn++) {
          const one = pick(said).said;
          if (!one) throw new Error("Nothing was said.");
          const lie = wrong(about, payload, { ...one, ...pick(changes)(one) });
          await expectJudged(about, [lie], "malicious");
        }
      });
    });

    it("is downtime where the signature is another's, of another time, or cut", async () => {
      const sign = signer(operator);
      for (const bad of [
        signer(Keypair.generate()),
        signer(operator, { slot: 1 }),
        signer(operator, { path: "/task/answer?question=1" }),
        ((about, request, body) => ({
          ...sign(about, request, body),
          [SIGNATURE_HEADER]: "00",
        })) satisfies Sign,
        ((about, request, body) => {
          const { [SIGNATURE_HEADER]: signature = "" } = sign(about, request, body);
          return { [SIGNATURE_HEADER]: signature };
        }) satisfies Sign,
      ]) {
        const { facts: about } = await liar(facts(), bad);
        await expectVerdict(audit, about, doors, "downtime");
      }
    });

    it("is asked for this submission", async () => {
      const asked: unknown[] = [];
      const { facts: about } = await liar(facts(), (...given) => {
        asked.push(given[1].headers[SUBMISSION_HEADER]);
        return signer(operator)(...given);
      });
      await judge(about);
      expect(asked).to.deep.equal([about.submission.address]);
    });

    it("is a payload that is none, for whoever has it", async () => {
      const mine = facts();
      const put = shelf.put(JSON.stringify({ service: "http://a.b", owner: "other", round: 7 }));
      const about = factsOf(mine, put);
      const { value, evidence = [] } = await judge(about);
      expect([value, evidence.length]).to.deep.equal(["malicious", 1]);
      shelf.remove(put.sha256);
      await expectJudged(about, [], "downtime");
      await expectJudged(about, evidence, "malicious");
    });
  });

  it("calls a service that hangs down, before the node's patience ends", async () => {
    const hanging = await serve(() => {
      // Never answers.
    });
    const mine = someWorkFacts();
    const { owner, round, operator } = mine;
    const payload = shelf.put(JSON.stringify({ service: hanging, owner, round, operator }));
    const { audit: impatient } = await loadTemplate("rest", { timeoutMs: 200 });
    const facts = factsOf(mine, payload);
    await expectVerdict(impatient, facts, doors, "downtime");
  });

  it("calls a service that is dead or out of order down", async () => {
    const facts = someWorkFacts();
    const dead = await Web.serve(() => {
      // Never asked.
    });
    await dead.close();
    await expectOf(facts, dead.url, "downtime");
    for (const sick of ["/healthz", "/task/answer"]) {
      const service = await serve(async (request, response) => {
        if (request.url?.startsWith(sick) !== true) return honest(facts)(request, response);
        response.statusCode = 500;
        response.end();
      });
      await expectOf(facts, service, "downtime");
    }
  });

  it("takes the error page of a proxy for no answer, and so for no lie", async () => {
    const facts = someWorkFacts();
    const service = await serve((_request, response) => {
      response.end("<html>We are back soon!</html>");
    });
    await expectOf(facts, service, "downtime");
  });

  it("forgives one lost answer", async () => {
    const facts = someWorkFacts();
    let lost = 0;
    const service = await serve(async (request, response) => {
      if (lost++ === 1) request.socket.destroy();
      else await honest(facts)(request, response);
    });
    await expectOf(facts, service, "valid");
    expect(lost).to.be.greaterThan(5);
  });

  describe("asks a busy service later", () => {
    /** Says "later" as a busy node does, as long as it is busy. */
    const busy = (isBusy: (url: string) => boolean, otherwise: Listener): Listener => {
      return async (request, response) => {
        if (!isBusy(request.url ?? "")) return otherwise(request, response);
        response.writeHead(503, { "retry-after": "1" });
        response.end('{"error":"This node is busy."}');
      };
    };

    /** Audits it once. Returns the verdict and the milliseconds that it took. */
    async function look(mine: WorkFacts, service: string, payloadUri?: string) {
      const ran = await runWork(work, { ...mine, publicUrl: service }, doors);
      if (!ran.ok) throw new Error(ran.failure.message);
      const put = shelf.put(ran.value);
      const begin = performance.now();
      const audited = await runAudit(
        audit,
        factsOf(mine, { ...put, uri: payloadUri ?? put.uri }),
        doors,
      );
      const tookMs = performance.now() - begin;
      return { verdict: audited.ok ? audited.value : audited.failure.message, tookMs, put };
    }

    it("which is not down for it", async () => {
      const facts = someWorkFacts();
      let refused = 0;
      const service = await serve(busy(() => ++refused <= 4, honest(facts)));
      const { verdict, tookMs } = await look(facts, service);
      expect(verdict).to.equal("valid");
      expect(tookMs).to.be.greaterThan(3_900);
    });

    it("for the payload too", async () => {
      const facts = someWorkFacts();
      const service = await serve(honest(facts));
      let left = 4;
      let content = "";
      const store = await serve(
        busy(
          () => left-- > 0,
          (_request, response) => void response.end(content),
        ),
      );
      const { owner, round, operator } = facts;
      content = JSON.stringify({ service, owner, round, operator });
      expect((await look(facts, service, store)).verdict).to.equal("valid");
      // What was not submitted is no payload, however late it comes.
      left = 4;
      content += " ";
      expect((await look(facts, service, store)).verdict).to.equal("downtime");
    });

    it("not for ever: who is always busy is down, and holds nobody up", async () => {
      const facts = someWorkFacts();
      let asked = 0;
      const service = await serve(
        busy(
          () => ++asked > 0,
          () => undefined,
        ),
      );
      const { verdict, tookMs } = await look(facts, service);
      expect(verdict).to.equal("downtime");
      expect(asked).to.equal(7);
      expect(tookMs).to.be.lessThan(30_000);
    });

    it("within seconds, whatever it says", async () => {
      for (const [said, least] of [
        ["99999999999", 3_000],
        ["Fri, 31 Dec 2100 23:59:59 GMT", 3_000],
        ["0", 1_000],
        ["", 0],
      ] as const) {
        const facts = someWorkFacts();
        const times: number[] = [];
        const service = await serve(async (request, response) => {
          if (times.push(performance.now()) > 1) return honest(facts)(request, response);
          response.writeHead(429, said === "" ? {} : { "retry-after": said });
          response.end();
        });
        // A longer wait than a few seconds would be refused.
        expect((await look(facts, service)).verdict, said).to.equal("valid");
        expect((times[1] ?? 0) - (times[0] ?? 0), said).to.be.greaterThan(least - 10);
      }
    });
  });

  it("calls whoever passes another worker's honest service off as its own down", async () => {
    const [mine, theirs] = [someWorkFacts(), someWorkFacts()];
    const facts = { ...mine, task: theirs.task };
    // Pointed at it, the other's node answers nothing to a question with this owner.
    const other = await serve(honest(theirs));
    await expectOf(facts, other, "downtime");
    // Behind a proxy that puts the right owner in and out, the answers are wrong.
    const proxy = await serve(async (request, response) => {
      const asked = `${other}${request.url?.replace(facts.owner, theirs.owner) ?? ""}`;
      const answer = await (await fetch(asked)).text();
      response.end(answer.replace(theirs.owner, facts.owner));
    });
    await expectOf(facts, proxy, "downtime");
  });

  it("convicts a payload of malice that is not what it must be", async () => {
    const facts = someWorkFacts();
    const service = await serve(honest(facts));
    const { owner, round, operator } = facts;
    for (const payload of [
      "",
      "[]",
      "no JSON",
      Uint8Array.of(123, 255, 125),
      JSON.stringify({ owner, round, operator }),
      JSON.stringify({ service: 7, owner, round, operator }),
      JSON.stringify({ service, owner, round: round + 1, operator }),
      JSON.stringify({ service, owner: facts.task.address, round, operator }),
      JSON.stringify({ service, owner, round }),
      JSON.stringify({ service, owner, round, operator: "me" }),
    ]) {
      await expectVerdict(audit, factsOf(facts, shelf.put(payload)), doors, "malicious");
    }
  });

  it("calls an address that can't be asked down, and names none in its work", async () => {
    const facts = someWorkFacts();
    const { owner, round, operator } = facts;
    for (const service of ["ftp://a.b", "http://a.b/?", "http://user@a.b", "http://ä.b", ""]) {
      const payload = shelf.put(JSON.stringify({ service, owner, round, operator }));
      await expectVerdict(audit, factsOf(facts, payload), doors, "downtime");
      const ran = await runWork(work, { ...facts, publicUrl: service }, doors);
      expect(ran.ok ? "" : ran.failure.message).to.contain("set http.publicUrl");
    }
    expect(baseOf("http://worker_1:8080//")).to.equal("http://worker_1:8080");
    const service = (await serve(honest(facts))).replace("http", "HTTP");
    await expectOf(facts, `${service}/`, "valid");
  });

  it("calls a payload that can't be had down", async () => {
    const facts = someWorkFacts();
    const payload = shelf.put("{}");
    shelf.replace(payload.sha256, "something else");
    await expectVerdict(audit, factsOf(facts, payload), doors, "downtime");
    shelf.remove(payload.sha256);
    await expectVerdict(audit, factsOf(facts, payload), doors, "downtime");
    await expectVerdict(audit, factsOf(facts, { ...payload, uri: "ipfs://a" }), doors, "downtime");
    await expectVerdict(audit, factsOf(facts, { ...payload, uri: "" }), doors, "downtime");
  });

  it("says what to do when a worker has no service", async () => {
    const ran = await runWork(work, someWorkFacts(), doors);
    expect(ran.ok ? "" : ran.failure.message).to.contain("set http.publicUrl");
  });

  it("takes a request for what a node's service takes it for", () => {
    const random = randomFrom(12);
    const pick = (from: readonly string[]): string =>
      from[Math.floor(random() * from.length)] ?? "";
    const ascii = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at));
    const parts = [
      ...ascii,
      ...[
        "%41",
        "%2e",
        "%c3%a4",
        "%ff",
        "%ed%a0%80",
        "%00",
        "..",
        "/..",
        "/./",
        "&a=1",
        "&a",
        "?",
        "ä",
      ],
    ];
    let taken = 0;
    for (let turn = 0; turn < 50_000; turn++) {
      const tail = Array.from({ length: Math.floor(random() * 9) }, () => pick(parts)).join("");
      const target = pick(["/task", "/task/", "/task/a?", "/task?a=1&", "/task/b/c"]) + tail;
      const asked = requestOf("GET", target, "");
      if (!asked) continue;
      taken += 1;
      expect(readRequest({ method: "GET", path: target, body: "" }), target).to.deep.equal(asked);
    }
    expect(taken).to.be.above(10_000);
  });

  it("answers questions that make no sense with an error", async () => {
    const facts = someWorkFacts();
    const ask = async (path: string, query: Record<string, string>, method = "GET") => {
      const ran = await runRespond(work, { method, path, query, body: "" }, facts, doors);
      return ran.ok ? (ran.value.status ?? 200) : ran.failure.message;
    };
    expect(await ask("/answer", { question: "1" })).to.equal(200);
    expect(await ask("/answer", { question: "1", owner: facts.owner })).to.equal(200);
    expect(await ask("/answer", { question: "1", owner: "other" })).to.equal(404);
    expect(await ask("/answer", { question: "0" })).to.equal(400);
    for (const question of ["1.5", "1e3", "0x1", " 1", "01", "+1", "1000001", "9".repeat(17)]) {
      expect(await ask("/answer", { question }), question).to.equal(400);
    }
    expect(await ask("/answer", {})).to.equal(400);
    expect(await ask("/", { question: "1" })).to.equal(404);
    expect(await ask("/answer", { question: "1" }, "POST")).to.equal(404);
  });
});

/** Numbers from 0 to 1, the same in each run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word ^= word + Math.imul(word ^ (word >>> 7), 61 | word);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Asks without a URL parser, which would clean the path up. */
function askRaw(
  port: number,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: string },
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-length": Buffer.byteLength(body), connection: "close" };
    const asked = httpRequest({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => {
        const text = Buffer.concat(parts).toString();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
