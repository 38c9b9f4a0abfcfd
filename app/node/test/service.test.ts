import type { Node } from "@securing-tasks/client";
import type {
  DoorOptions,
  Ran,
  ServiceRequest,
  ServiceResponse,
  WorkFacts,
} from "@securing-tasks/sandbox";
import { liveDoors } from "@securing-tasks/sandbox";
import { Connection, Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { RULES } from "../../../tests/utils/games";
import { someWorkFacts } from "../../templates/test/utils";
import { AUDITOR_HEADER, Auditors, auditorHeader, pathBelow } from "../src/core/auditors";
import type { Asking } from "../src/core/auditors";
import { Metrics } from "../src/host/metrics";
import { LaneFull } from "../src/core/lane";
import type { Bounds, Service, ServiceOptions } from "../src/host/service";
import { serve } from "../src/host/service";

const MIB = 1024 * 1024;
/** Far more than the operating system takes for a client that does not read. */
const BIG = Buffer.alloc(16 * MIB, "payload ");
const SMALL = Buffer.from("payload");
const big = `/payload/${"b".repeat(64)}`;
const small = `/payload/${"5".repeat(64)}`;
const PIECE = "e".repeat(64);
const evidence = `/evidence/${PIECE}`;
/** A recording that went with an accusation. */
const RECORDED = "c".repeat(64);
/** No test waits for so long but on a machine that is far too busy. */
const LONG_MS = 25_000;
/** As long as evidence can be. */
const EVIDENCE = "e".repeat(65_536);

describe("the REST service among strangers", () => {
  let service: Service;
  let port: number;
  let clients: Client[];
  let drip: NodeJS.Timeout | undefined;
  /** Payloads that were read from the state. */
  let reads: string[];
  let answers: ((body: string) => void)[];
  let questions: ServiceRequest[];
  /** What answers in place of the test, if anything. */
  let respond: ServiceOptions["respond"];
  let keeper: ServiceOptions["keeper"];
  const worker = Keypair.generate().publicKey;
  const facts: WorkFacts = someWorkFacts({ owner: worker.toBase58() });
  /** Of the task, on the chain. */
  let nodes: Node[];
  let nodeReads: number;
  let slot: bigint;

  beforeEach(() => {
    clients = [];
    reads = [];
    answers = [];
    questions = [];
    respond = null;
    keeper = null;
    nodes = [];
    nodeReads = 0;
    slot = 1_000n;
  });

  afterEach(async () => {
    clearInterval(drip);
    for (const { socket } of clients) socket.destroy();
    await service.close();
  });

  /** Questions below `/task` wait until `answers` are given. */
  async function start(
    bounds: Partial<Bounds> = {},
    {
      trustProxy = false,
      metricsPort,
      requestsPerSecond = 100_000,
      concurrency = 1_000,
      queue = 64,
    }: {
      trustProxy?: boolean;
      metricsPort?: number;
      requestsPerSecond?: number;
      concurrency?: number;
      queue?: number;
    } = {},
  ): Promise<void> {
    const http: ServiceOptions["config"]["http"] = {
      host: "127.0.0.1",
      port: 0,
      publicUrl: "https://node.example",
      maxBodyBytes: 65_536,
      concurrency,
      queue,
      requestsPerSecond,
      trustProxy,
      checkSelf: true,
    };
    // What an earlier service still has to answer is not this one's.
    const [own, given] = [questions, answers];
    service = await serve(
      {
        config: {
          http,
          metrics: metricsPort ? { host: "127.0.0.1", port: metricsPort } : undefined,
          secrets: {},
          owner: worker,
        },
        operator: facts.operator,
        instance: "one",
        metrics: new Metrics(),
        task: facts.task,
        payload: (hash) => {
          reads.push(hash);
          return { b: BIG, "5": SMALL }[hash.charAt(0)] ?? null;
        },
        respond: (question, about) => {
          if (respond) return respond(question, about);
          return new Promise<Ran<ServiceResponse>>((resolve) => {
            own.push(question);
            given.push((body) => {
              resolve({ ok: true, value: { body }, log: [], computeMs: 0 });
            });
          });
        },
        auditors: new Auditors({
          asked: { task: facts.task.address, worker: worker.toBase58() },
          rules: RULES,
          nodes: () => {
            nodeReads += 1;
            return Promise.resolve(nodes);
          },
          follower: { now: () => Promise.resolve(slot), guess: 0n },
        }),
        signer: { pick: () => Promise.resolve(null), headers: () => ({}) },
        evidence: {
          evidence: (hash) => (hash === PIECE ? EVIDENCE : null),
          evidenceOf: () => [PIECE],
          recording: (hash) => (hash === RECORDED ? BIG.toString() : null),
        },
        inbox: { take: () => Promise.resolve({ status: 200, message: "Kept." }) },
        keeper,
        trouble: () => null,
      },
      bounds,
    );
    port = Number(new URL(service.url ?? "").port);
  }

  /** A connection whose answers nobody reads. */
  async function open(localAddress = "127.0.0.1"): Promise<Client> {
    const client = new Client(connect({ port, host: "127.0.0.1", localAddress }));
    clients.push(client);
    await once(client.socket, "connect");
    return client;
  }

  /** Asks, and reads no answer. */
  async function ask(path: string, address?: string): Promise<Client> {
    const client = await open();
    client.ask(path, address);
    return client;
  }

  /** Has so many answers being made, if there is room for them. */
  async function fill(count: number, address?: string): Promise<void> {
    const most = answers.length + count;
    await until(async () => {
      const before = answers.length;
      const missing = Array.from({ length: most - before });
      const asked = await Promise.all(missing.map(() => ask("/task", address)));
      // Each is refused or being answered: on a busy machine, others must not be asked meanwhile.
      await until(() => {
        const refused = asked.filter(({ socket }) => socket.bytesRead > 0);
        return answers.length - before + refused.length >= asked.length;
      });
      return answers.length === most;
    });
  }

  async function status(
    path: string,
    address?: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    const from = address === undefined ? {} : { "x-forwarded-for": address };
    const headers = { connection: "close", ...from, ...more };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers,
      signal: AbortSignal.timeout(LONG_MS),
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  /** Whatever strangers do, these are answered. */
  async function expectAlive(): Promise<void> {
    expect([await status("/healthz"), await status("/metrics")]).to.deep.equal([200, 200]);
  }

  async function until(what: () => boolean | Promise<boolean>): Promise<void> {
    const end = performance.now() + LONG_MS;
    while (!(await what())) {
      if (performance.now() > end) throw new Error(`It did not come to that in ${LONG_MS} ms.`);
      await sleep(10);
    }
  }

  it("refuses payloads and answers while one address has too many unread ones, and others while all have", async () => {
    await start({ responses: 6, responsesOfOne: 4 }, { trustProxy: true });
    for (let at = 0; at < 4; at++) await ask(big, "192.0.2.1");
    await until(async () => (await status(small, "192.0.2.1")) === 503);
    expect(await status("/task/x", "192.0.2.1")).to.equal(503);
    expect(await status(small, "192.0.2.2")).to.equal(200);
    for (let at = 0; at < 2; at++) await ask(big, "192.0.2.2");
    await until(async () => (await status(small, "192.0.2.2")) === 503);
    expect(await status(small, "192.0.2.3")).to.equal(503);
    await expectAlive();

    for (const { socket } of clients) socket.destroy();
    await until(async () => (await status(small, "192.0.2.3")) === 200);
    for (const address of ["192.0.2.1", "192.0.2.2"]) {
      expect(await status(big, address)).to.equal(200);
    }
  });

  it("has room for 128 of an address and 384 in all, and is whole when they are gone", async () => {
    await start({}, { trustProxy: true });
    for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) {
      await fill(128, address);
      expect(await status(small, address)).to.equal(503);
    }
    expect(await status(small, "192.0.2.4")).to.equal(503);
    await expectAlive();

    for (const { socket } of clients) socket.destroy();
    await fill(128, "192.0.2.1");
  });

  it("has places for evidence that no payload, answer or question takes", async () => {
    await start({ responses: 4, responsesOfOne: 2, bytes: 1, bytesOfOne: 1 }, { trustProxy: true });
    await fill(2, "192.0.2.1");
    await fill(2, "192.0.2.2");
    for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) {
      expect(await status(small, address)).to.equal(503);
      expect(await status(evidence, address)).to.equal(200);
      expect(await status("/evidence/of/x", address)).to.equal(200);
    }

    await service.close();
    await start({}, { trustProxy: true, requestsPerSecond: 3 });
    const asked = await Promise.all(Array.from({ length: 20 }, () => status(small, "192.0.2.1")));
    expect(asked).to.include(429);
    expect(await status(evidence, "192.0.2.1")).to.equal(200);
    const more = await Promise.all(Array.from({ length: 20 }, () => status(evidence, "192.0.2.1")));
    expect(more).to.include(429);
    expect(await status(evidence, "192.0.2.2")).to.equal(200);
  });

  it("counts what went with an accusation as the payload that it may be as large as, and holds one copy", async () => {
    const recorded = `/evidence/${RECORDED}`;
    await start({ bytes: 20 * MIB, bytesOfOne: 20 * MIB }, { trustProxy: true });
    await ask(recorded, "192.0.2.1");
    await until(async () => (await status(recorded, "192.0.2.2")) === 503);
    expect(await status(evidence, "192.0.2.2")).to.equal(200);
    for (const { socket } of clients) socket.destroy();
    await until(async () => (await status(recorded, "192.0.2.2")) === 200);
    expect(await status(`/evidence/${"d".repeat(64)}`, "192.0.2.2")).to.equal(404);
  });

  it("takes reveals where it keeps some, of a thousand bytes and as many as other questions", async () => {
    const post = async (body: string): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${port}/reveals`, { method: "POST", body });
      await answer.arrayBuffer();
      return answer.status;
    };
    await start();
    expect(await post("{}")).to.equal(404);
    await service.close();
    const taken: string[] = [];
    keeper = {
      take: (body) => {
        taken.push(body);
        if (body === "full") return Promise.reject(new LaneFull("full"));
        return Promise.resolve({ status: 409, message: "Too late." });
      },
    };
    await start({}, { requestsPerSecond: 4 });
    expect(await post("one")).to.equal(409);
    expect(await post("full")).to.equal(503);
    expect(await post("x".repeat(1_025))).to.equal(413);
    expect(taken).to.deep.equal(["one", "full"]);
    const more = await Promise.all(Array.from({ length: 20 }, () => post("more")));
    expect(more).to.include(429);
  });

  it("bounds evidence on its way for each address, and takes a place from who has most", async () => {
    await start({ evidence: 3, evidenceOfOne: 2 }, { trustProxy: true });
    /** Asks for what waits behind an answer that is not made: nobody can hold a place for longer. */
    const hold = async (address: string): Promise<Client> => {
      const client = await ask("/task", address);
      client.ask(evidence, address);
      client.socket.resume();
      return client;
    };
    const first = await hold("192.0.2.1");
    const second = await hold("192.0.2.1");
    await until(async () => (await status(evidence, "192.0.2.1")) === 503);
    const other = await hold("192.0.2.2");
    await until(() => answers.length === 3);
    // All three are taken. One that has none yet comes in, but for none who has as many.
    await until(async () => (await status("/healthz")) === 200);
    expect(await status(evidence, "192.0.2.3")).to.equal(200);
    await until(() => second.ended);
    expect([first.ended, other.ended]).to.deep.equal([false, false]);
    await hold("192.0.2.3");
    await until(async () => (await status(evidence, "192.0.2.4")) === 503);
    expect([first.ended, other.ended]).to.deep.equal([false, false]);
    first.socket.destroy();
    await until(async () => (await status(evidence, "192.0.2.4")) === 200);
  });

  it("asks the function what the client asked for, byte for byte, or nothing at all", async () => {
    await start();
    const said = async (request: string): Promise<string> => {
      const client = await open();
      client.socket.write(`${request} HTTP/1.1\r\nHost: node\r\n\r\n`);
      return client.answer();
    };
    for (const target of [
      "/task/../answer",
      "/task/a/%2e%2e/answer",
      "/task/./answer",
      "/task\\answer",
      "/task/answer#x",
      "/task/answer?q=1&q=2",
      "/task/answer?q=%ff",
      "/task/%zz",
      "http://node/task/answer",
    ]) {
      const answer = await said(`GET ${target}`);
      expect(answer, target).to.match(/^HTTP\/1.1 40[04] /);
      expect(answer, target).not.to.contain("securing-tasks-");
    }
    expect(await said("GET /task/../answer")).to.match(/ 400 /);
    // A body is a text, or would be another one.
    const client = await open();
    client.socket.write("POST /task HTTP/1.1\r\nHost: node\r\nContent-Length: 2\r\n\r\n");
    client.socket.write(Buffer.of(97, 255));
    expect(await client.answer()).to.match(/^HTTP\/1.1 400 /);
    expect(await said("HEAD /task")).to.match(/^HTTP\/1.1 404 /);
    expect(questions).to.deep.equal([]);

    await ask("/task/a//b/%20?x=a+%C3%A4&y");
    await until(() => questions.length === 1);
    expect(questions).to.deep.equal([
      { method: "GET", path: "/a//b/%20", query: { x: "a ä", y: "" }, body: "" },
    ]);
    const post = await open();
    post.socket.write("POST /task HTTP/1.1\r\nHost: node\r\nContent-Length: 6\r\n\r\n\ufeffä\n");
    await until(() => questions.length === 2);
    expect(questions[1]).to.include({ method: "POST", path: "/", body: "\ufeffä\n" });
  });

  it("holds one copy of a payload, however many are being sent it", async () => {
    await start();
    for (let at = 0; at < 7; at++) await ask(big);
    expect(await status(big)).to.equal(200);
    expect(reads).to.have.length(1);

    for (const { socket } of clients) socket.destroy();
    await until(async () => {
      await status(big);
      return reads.length > 1;
    });
  });

  it("refuses what would be too many bytes unread, but never the first", async () => {
    await start({ bytes: 40 * MIB, bytesOfOne: 20 * MIB }, { trustProxy: true });
    await ask(big, "192.0.2.1");
    await until(async () => (await status(big, "192.0.2.1")) === 503);
    expect(await status(small, "192.0.2.1")).to.equal(200);
    const asked = status("/task", "192.0.2.1");
    await until(() => answers.length === 1);
    answers[0]?.("x".repeat(5 * MIB));
    expect(await asked).to.equal(503);

    await ask(big, "192.0.2.2");
    await until(async () => (await status(big, "192.0.2.2")) === 503);
    expect(await status(big, "192.0.2.3")).to.equal(503);
    for (const { socket } of clients) socket.destroy();
    await until(async () => (await status(big, "192.0.2.1")) === 200);

    // A function that answers after its client is gone takes nothing.
    const late = await ask("/task", "192.0.2.1");
    await until(() => answers.length === 2);
    late.socket.destroy();
    await until(() => late.ended);
    await status("/healthz");
    answers[1]?.("x".repeat(5 * MIB));
    expect(await status(big, "192.0.2.1")).to.equal(200);

    await service.close();
    await start({ bytes: MIB, bytesOfOne: MIB });
    expect(await status(big)).to.equal(200);
  });

  it("takes no client's word for its address, and all of an IPv6 network for one", async () => {
    await start({ responses: 9, responsesOfOne: 1 }, { trustProxy: true });
    const full = async (address: string): Promise<boolean> =>
      (await status(small, address)) === 503;
    await ask(big, "192.0.2.1");
    await until(() => full("192.0.2.1"));
    expect(await full("198.51.100.1, 192.0.2.1")).to.equal(true);
    expect(await full("::ffff:192.0.2.1")).to.equal(true);
    expect(await full("::ffff:192.0.2.2")).to.equal(false);
    await ask(big, "2001:db8:1:2::1");
    await until(() => full("2001:db8:1:2::1"));
    expect(await full("2001:db8:1:2:3:4:5:6")).to.equal(true);
    expect(await full("2001:db8:1:3::1")).to.equal(false);
    expect(await full("2001:db8::1:2:0:1")).to.equal(false);
  });

  it("cuts off at the deadline who reads nothing, a little at a time, or waits for an answer that does not come", async () => {
    await start({ responseMs: 500, responses: 3, responsesOfOne: 3 });
    const silent = await ask(big);
    const trickling = await ask(big);
    const waiting = await ask("/task");
    await until(async () => (await status(small)) === 503);
    const began = Date.now();
    drip = setInterval(() => {
      trickling.socket.read();
    }, 20);
    waiting.socket.resume();
    await until(() => trickling.ended && waiting.ended);
    expect(Date.now() - began).to.be.below(3_000);
    expect(trickling.socket.bytesRead).to.be.below(BIG.length);
    expect(await status(big)).to.equal(200);
    silent.socket.resume();
    await until(() => silent.ended);
    expect(silent.socket.bytesRead).to.be.below(BIG.length);
  });

  it("lets one connection ask again and again, and past the deadlines of what it has been given", async () => {
    await start({ responseMs: 300, responses: 2, responsesOfOne: 2 });
    const client = await open();
    for (let asked = 0; asked < 10; asked++) {
      client.ask(small);
      expect(await client.answer()).to.match(/^HTTP\/1.1 200/);
      await sleep(50);
    }
  });

  it("cuts off who is slow to ask, or asks for nothing", async () => {
    await start({ requestMs: 300 });
    const idle = await open();
    const head = await open();
    head.socket.write("GET /healthz HTTP/1.1\r\nHost: node\r\n");
    const body = await open();
    body.socket.write("POST /task HTTP/1.1\r\nHost: node\r\nContent-Length: 100\r\n\r\n");
    const kept = await ask("/healthz");
    drip = setInterval(() => {
      head.socket.write("X-Slow: yes\r\n");
      body.socket.write("x");
    }, 50);
    for (const { socket } of clients) socket.resume();
    await until(() => [idle, head, body, kept].every(({ ended }) => ended));
    expect(answers).to.have.length(0);
  });

  it("refuses connections over the most, while those that are there go on", async () => {
    await start({ connections: 3, connectionsOfOne: 3 });
    const [first] = [await open(), await open("127.0.0.2"), await open("127.0.0.3")];
    const refused = await open("127.0.0.4");
    refused.socket.resume();
    await until(() => refused.ended);
    first.ask("/healthz");
    expect(await first.answer()).to.match(/^HTTP\/1.1 200/);
    first.socket.destroy();
    await until(async () => (await status(small).catch(() => 0)) === 200);
  });

  it("closes a connection of the address that has most for one that has fewer, an idle one first", async () => {
    await start({ connections: 6, connectionsOfOne: 4 });
    const busy = await open("127.0.0.2");
    busy.ask("/task");
    await until(() => answers.length === 1);
    const idle = await open("127.0.0.2");
    const others = [await open("127.0.0.2"), await open("127.0.0.2")];
    const few = [await open("127.0.0.3"), await open("127.0.0.3")];
    for (const { socket } of clients) socket.resume();
    // Two strangers hold all there is. A juror comes in all the same.
    const juror = await open("127.0.0.4");
    juror.ask(evidence);
    expect(await juror.answer()).to.match(/^HTTP\/1.1 200/);
    await until(() => idle.ended);
    const all = [busy, ...others, ...few, juror];
    expect(all.map(({ ended }) => ended)).to.deep.equal(all.map(() => false));
    for (const address of ["127.0.0.5", "127.0.0.6", "127.0.0.7"]) {
      const next = await open(address);
      next.ask("/healthz");
      expect(await next.answer()).to.match(/^HTTP\/1.1 200/);
    }
    // Each of six has one by now: nobody has more than who comes.
    const late = await open("127.0.0.8");
    late.socket.resume();
    await until(() => late.ended);
    expect([busy.ended, juror.ended, ...others.map(({ ended }) => ended)]).to.deep.equal([
      ...[false, false],
      ...[true, true],
    ]);
    expect(few.filter(({ ended }) => ended)).to.have.length(1);
  });

  it("has 32 connections where there are only metrics", async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const metricsPort = (probe.address() as AddressInfo).port;
    probe.close();
    await start({}, { metricsPort });
    port = metricsPort;
    const first = await open();
    for (let at = 1; at < 32; at++) await open();
    const refused = await open();
    refused.socket.resume();
    await until(() => refused.ended);
    first.ask("/metrics");
    expect(await first.answer()).to.match(/^HTTP\/1.1 200/);
  });

  it("refuses connections of an address that has too many, but not those of a proxy", async () => {
    await start({ connections: 9, connectionsOfOne: 2 });
    const first = await open();
    await open();
    const refused = await open();
    refused.socket.resume();
    await until(() => refused.ended);
    first.ask("/healthz");
    expect(await first.answer()).to.match(/^HTTP\/1.1 200/);
    const other = await open("127.0.0.2");
    other.ask("/healthz");
    expect(await other.answer()).to.match(/^HTTP\/1.1 200/);
    first.socket.destroy();
    await until(async () => (await status(small).catch(() => 0)) === 200);

    await service.close();
    await start({ connections: 9, connectionsOfOne: 2 }, { trustProxy: true });
    for (let at = 0; at < 4; at++) await open();
    expect(await status(small, "192.0.2.1")).to.equal(200);
  });

  const ABORTED: Readonly<Record<string, (client: Client) => void>> = {
    "a payload": (client) => {
      client.ask(big);
    },
    "an answer that is being made": (client) => {
      client.ask("/task");
    },
    "the body of a request": (client) => {
      client.socket.write("POST /task HTTP/1.1\r\nHost: node\r\nContent-Length: 100\r\n\r\nx");
    },
    // The second is not told that it won't ever be sent.
    "two answers of one connection": (client) => {
      client.ask("/task");
      client.ask("/task");
    },
  };
  for (const [what, begin] of Object.entries(ABORTED)) {
    it(`gives all back when connections are aborted in the middle of ${what}`, async () => {
      await start({ responses: 4, responsesOfOne: 4 });
      for (let at = 0; at < 4; at++) begin(await open());
      await until(async () => (await status(small)) === 503);
      for (const { socket } of clients) socket.resetAndDestroy();
      await fill(4);
    });
  }

  /** The operator of a node with a stake in the task. */
  function join(stake = RULES.witnessMinStake): Keypair {
    const operator = Keypair.generate();
    nodes.push({ role: "witness", stake, operator: operator.publicKey } as Node);
    return operator;
  }

  /** What an auditor adds to a question of this service. */
  function signed(by: Keypair, path: string, but: Partial<Asking> & { slot?: bigint } = {}) {
    const asking = { task: facts.task.address, worker: worker.toBase58(), method: "GET", path };
    return auditorHeader(by, { ...asking, ...but }, but.slot ?? slot);
  }

  describe("that flood it", () => {
    const three = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
    let flooding: boolean;
    /** Statuses of the answers that strangers got. */
    let got: string[];

    beforeEach(() => {
      flooding = true;
      got = [];
      respond = async () => {
        await sleep(20);
        return { ok: true, value: { body: "answer" }, log: [], computeMs: 0 };
      };
    });

    afterEach(() => {
      flooding = false;
    });

    /** Connections of an address, each of which asks one question after the other. */
    async function flood(address: string, connections: number): Promise<void> {
      for (let at = 0; at < connections; at++) {
        const client = await open(address);
        client.socket.on("data", (data: Buffer) => {
          got.push(data.toString("latin1", 9, 12));
          // A moment later: the machine is not what they flood.
          setTimeout(() => {
            if (flooding) client.ask("/task/stranger");
          }, 100);
        });
        client.ask("/task/stranger");
      }
    }

    /** Twelve questions of an auditor, one after the other. */
    async function audit(by?: Keypair): Promise<number[]> {
      const said: number[] = [];
      for (let question = 1; question <= 12; question++) {
        const path = `/task/answer?question=${question}`;
        said.push(await status(path, undefined, by && signed(by, path)));
      }
      return said;
    }

    const ALL = Array.from({ length: 12 }, () => 200);

    it("an auditor has all of its answers while three addresses ask all the time", async () => {
      await start({}, { concurrency: 2 });
      for (const address of three) await flood(address, 40);
      await until(() => got.includes("503"));
      expect(await audit()).to.deep.equal(ALL);
    });

    it("a node's operator has all of its answers while more addresses ask than questions may wait, at their own or its address", async () => {
      const operator = join();
      await start({}, { concurrency: 2, queue: 4 });
      // None has more than another, so all have bad luck alike.
      for (let at = 2; at < 20; at++) await flood(`127.0.0.${at}`, 1);
      await flood("127.0.0.1", 20);
      await until(() => got.includes("503"));
      expect(await audit(operator)).to.deep.equal(ALL);
      expect(await audit()).to.include(503);
    });

    it("no stranger's long question keeps a node's operator waiting, and none takes its places for payloads", async () => {
      const operator = join();
      respond = null;
      await start({ responses: 6, responsesOfOne: 6 }, { concurrency: 2 });
      for (const address of three) {
        for (let at = 0; at < 2; at++) (await open(address)).ask("/task/long");
      }
      await until(() => questions.length === 2);
      await until(async () => (await status(small)) === 503);
      expect(await status(small, undefined, signed(operator, small))).to.equal(200);
      const asking = status("/task/a", undefined, signed(operator, "/task/a"));
      await until(() => questions.some(({ path }) => path === "/a"));
      answers.at(-1)?.("answer");
      expect(await asking).to.equal(200);
    });
  });

  it("lets a node hold so many places, and what is more counts as its address's", async () => {
    const [one, other] = [join(), join()];
    await start({ responses: 1, responsesOfOne: 1, nodes: 3, nodesOfOne: 2 });
    const hold = async (by: Keypair): Promise<void> => {
      const before = answers.length;
      const client = await open();
      client.ask("/task", undefined, signed(by, "/task"));
      await until(() => answers.length === before + 1);
    };
    const next = (by: Keypair) => status(small, undefined, signed(by, small));
    await hold(one);
    await hold(one);
    // By the address there is one more.
    expect(await next(one)).to.equal(200);
    await ask("/task");
    await until(() => answers.length === 3);
    expect([await next(one), await status(small), await next(other)]).to.deep.equal([
      503, 503, 200,
    ]);
    await hold(other);
    expect(await next(other)).to.equal(503);
    for (const { socket } of clients) socket.destroy();
    await until(async () => (await next(one)) === 200);
  });

  it("counts a node's requests and bytes apart from those of its address", async () => {
    const operator = join();
    await start({}, { requestsPerSecond: 3 });
    const many = await Promise.all(Array.from({ length: 20 }, () => status(small)));
    expect(many).to.include(429);
    expect(await status(small, undefined, signed(operator, small))).to.equal(200);
    await service.close();

    await start({ bytes: 1, bytesOfOne: 1, nodeBytes: 1, nodeBytesOfOne: 1 });
    await ask(big);
    await until(async () => (await status(small)) === 503);
    expect(await status(small, undefined, signed(operator, small))).to.equal(200);
    (await open()).ask(big, undefined, signed(operator, big));
    await until(async () => (await status(small, undefined, signed(operator, small))) === 503);
  });

  it("takes nobody for a node's operator but by a fresh signature for this node and this question, and reads the nodes once", async () => {
    const operator = join();
    const poor = join(RULES.witnessMinStake - 1n);
    await start({ responses: 1, responsesOfOne: 1 });
    await ask("/task");
    await until(() => answers.length === 1);
    const other = Keypair.generate().publicKey.toBase58();
    const whole = Object.values(signed(operator, small))[0] ?? "";
    const forged: Readonly<Record<string, string>>[] = [
      signed(operator, big),
      signed(operator, small, { worker: other }),
      signed(operator, small, { task: other }),
      signed(operator, small, { method: "POST" }),
      signed(operator, small, { slot: slot - 151n }),
      signed(operator, small, { slot: slot + 151n }),
      signed(poor, small),
      ...Array.from({ length: 20 }, () => signed(Keypair.generate(), small)),
      { [AUDITOR_HEADER]: whole.replace(".1000.", ".1001.") },
      { [AUDITOR_HEADER]: "x" },
    ];
    for (const headers of forged) {
      expect(await status(small, undefined, headers), JSON.stringify(headers)).to.equal(503);
    }
    for (const at of [slot - 150n, slot, slot + 150n]) {
      expect(await status(small, undefined, signed(operator, small, { slot: at }))).to.equal(200);
    }
    expect(nodeReads).to.equal(1);
  });

  it("is told who asks where it was busy before, by an audit function's doors", async () => {
    const operator = join();
    await start({ responses: 1, responsesOfOne: 1 });
    const url = service.url ?? "";
    const told: string[] = [];
    const doors = liveDoors({
      connection: new Connection(url),
      allowPrivateNetwork: true,
      introduce: (request) => {
        const path = pathBelow(url, request.url);
        told.push(String(path));
        return path === null ? null : signed(operator, path);
      },
    });
    expect(await doors.http({ url: `${url}${small}` })).to.include({ status: 200 });
    expect(told).to.deep.equal([]);
    await ask("/task");
    await until(() => answers.length === 1);
    expect(await status(small)).to.equal(503);
    expect(await doors.http({ url: `${url}${small}` })).to.include({ status: 200 });
    const hash = createHash("sha256").update(SMALL).digest("hex");
    expect(await doors.fetch(hash, `${url}${small}`)).to.deep.equal(SMALL);
    expect(told).to.deep.equal([small, small]);
  });

  it("gives auditors a storage audit's payloads while three addresses hold all places for strangers'", async () => {
    const operator = join();
    await start({ responses: 9, responsesOfOne: 3, nodes: 60, nodesOfOne: 50 });
    const url = service.url ?? "";
    const introduce: DoorOptions["introduce"] = (request) => {
      const path = pathBelow(url, request.url);
      return path === null ? null : signed(operator, path);
    };
    const connection = new Connection(url);
    const doors = liveDoors({ connection, allowPrivateNetwork: true, introduce });
    for (const address of ["127.0.0.2", "127.0.0.3", "127.0.0.4"]) {
      for (let at = 0; at < 3; at++) (await open(address)).ask(big);
    }
    await until(async () => (await status(small)) === 503);
    const hash = createHash("sha256").update(SMALL).digest("hex");
    const got = Array.from({ length: 50 }, () => doors.fetch(hash, `${url}${small}`));
    for (const payload of await Promise.all(got)) expect(payload).to.deep.equal(SMALL);
    // Still held: the auditor had other places.
    expect(await status(small)).to.equal(503);
  });

  it("is asked for the path below its address, and no other server is", () => {
    const below = (service: string, url: string) => pathBelow(service, new URL(url));
    expect(below("https://a.example", "https://a.example/task?x=1#y")).to.equal("/task?x=1");
    expect(below("https://a.example:443/", "https://a.example/task")).to.equal("/task");
    expect(below("https://a.example/b", "https://a.example/b/task")).to.equal("/task");
    for (const url of [
      "http://a.example/b/task",
      "https://a.example:8443/b/task",
      "https://b.a.example/b/task",
      "https://a.example/bc/task",
      "https://a.example/b",
    ]) {
      expect(below("https://a.example/b", url), url).to.equal(null);
    }
    expect(below("nowhere", "https://a.example/")).to.equal(null);
  });

  it("cuts off who asks on and on without reading", async () => {
    await start();
    for (const request of [
      `GET /task HTTP/1.1\r\nHost: node\r\n\r\n`,
      `GET /task HTTP/1.1\r\n\r\n`,
      `GET /task HTTP/1.1\r\nHost: node\r\nExpect: much\r\n\r\n`,
    ]) {
      const few = await open();
      const many = await open();
      few.socket.write(request.includes("Expect") ? "" : request.repeat(8));
      many.socket.write(request.repeat(9));
      many.socket.resume();
      await until(() => many.ended);
      expect(many.socket.bytesRead).to.equal(0);
      expect(few.ended).to.equal(false);
    }
    await expectAlive();
  });
});

/** A connection that is only read from when it is told to. */
class Client {
  ended = false;

  constructor(readonly socket: Socket) {
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.ended = true;
    });
  }

  ask(path: string, address?: string, headers: Readonly<Record<string, string>> = {}): void {
    const from = address === undefined ? {} : { "X-Forwarded-For": address };
    const lines = Object.entries({ Host: "node", ...from, ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    this.socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  }

  async answer(): Promise<string> {
    const [data] = (await once(this.socket, "data")) as [Buffer];
    return data.toString();
  }
}
