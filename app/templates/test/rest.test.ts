import type { LoadedFunction, WorkFacts } from "@securing-tasks/sandbox";
import { runRespond, runWork } from "@securing-tasks/sandbox";
import { expect } from "chai";
import { baseOf } from "../src/rest/service";
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

  it("convicts a service of malice that answers wrong", async () => {
    const facts = someWorkFacts();
    const service = await serve(async (request, response) => {
      const end = response.end.bind(response) as (body: string) => ServerResponse;
      response.end = ((body: string) =>
        end(body.replace(/"answer":"./, '"answer":"x'))) as typeof response.end;
      await honest(facts)(request, response);
    });
    await expectOf(facts, service, "malicious");
  });

  it("calls a service that hangs down, before the node's patience ends", async () => {
    const hanging = await serve(() => {
      // Never answers.
    });
    const payload = shelf.put(JSON.stringify({ service: hanging, owner: "me", round: 7 }));
    const { audit: impatient } = await loadTemplate("rest", { timeoutMs: 200 });
    const facts = factsOf(someWorkFacts({ owner: "me" }), payload);
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

  it("convicts whoever passes another worker's honest service off as its own", async () => {
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
    await expectOf(facts, proxy, "malicious");
  });

  it("convicts a payload of malice that is not what it must be", async () => {
    const facts = someWorkFacts();
    const service = await serve(honest(facts));
    const { owner, round } = facts;
    for (const payload of [
      "",
      "[]",
      "no JSON",
      Uint8Array.of(123, 255, 125),
      JSON.stringify({ owner, round }),
      JSON.stringify({ service: 7, owner, round }),
      JSON.stringify({ service, owner, round: round + 1 }),
      JSON.stringify({ service, owner: facts.task.address, round }),
    ]) {
      await expectVerdict(audit, factsOf(facts, shelf.put(payload)), doors, "malicious");
    }
  });

  it("calls an address that can't be asked down, and names none in its work", async () => {
    const facts = someWorkFacts();
    const { owner, round } = facts;
    for (const service of ["ftp://a.b", "http://a.b/?", "http://user@a.b", "http://ä.b", ""]) {
      const payload = shelf.put(JSON.stringify({ service, owner, round }));
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
