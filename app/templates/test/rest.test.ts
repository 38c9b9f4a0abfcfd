import type {
  AuditFacts,
  Evidence,
  LoadedFunction,
  Verdict,
  WorkFacts,
} from "@securing-tasks/sandbox";
import {
  SIGNATURE_HEADER,
  SLOT_HEADER,
  SUBMISSION_HEADER,
  runAudit,
  runRespond,
  runWork,
  signAnswer,
} from "@securing-tasks/sandbox";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { answer } from "../src/rest/answer";
import { baseOf, pathOf } from "../src/rest/service";
import type { IncomingMessage, ServerResponse } from "node:http";
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
  ): Listener {
    return async (request, response) => {
      const end = response.end.bind(response) as (body: string) => ServerResponse;
      response.end = ((body: string) => {
        const said = body.replace(/"answer":"./, '"answer":"x');
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
    async function liar(mine: WorkFacts, sign: Sign = signer(operator)) {
      const audits: { facts?: AuditFacts } = {};
      const listener = lying(mine, (request, body) => {
        if (!audits.facts) throw new Error("Nothing is submitted yet.");
        return sign(audits.facts, request, body);
      });
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

    it("is no lie where it is right, or answers no question of this task", async () => {
      const { about, lie } = await heard();
      const payload = Buffer.from(lie.payload, "base64");
      const { owner } = about.submission;
      const body = (changes: object): string =>
        JSON.stringify({ question: 7, owner, answer: "none", ...changes });
      for (const evidence of [
        wrong(about, payload, { answer: body({ answer: answer(7, about.task.address, owner) }) }),
        wrong(about, payload, { answer: body({ question: 8 }) }),
        wrong(about, payload, { answer: body({ owner: about.task.address }) }),
        wrong(about, payload, { answer: "<html></html>" }),
        wrong(about, payload, { status: 500 }),
        wrong(about, payload, { method: "POST" }),
        wrong(about, payload, { body: "x" }),
        wrong(about, payload, { path: `${pathOf(7, owner)}&question=8` }),
        wrong(about, payload, { path: "/task/other?question=7" }),
        wrong(about, payload, {}, 0),
        wrong(about, payload, {}, 1_000_001),
        { ...lie, said: null },
      ]) {
        await expectJudged(about, [evidence], "downtime");
      }
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
    expect(await ask("/answer", { question: "1.5" })).to.equal(400);
    expect(await ask("/answer", {})).to.equal(400);
    expect(await ask("/", { question: "1" })).to.equal(404);
    expect(await ask("/answer", { question: "1" }, "POST")).to.equal(404);
  });
});
