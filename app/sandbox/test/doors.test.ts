import { createHash } from "node:crypto";
import { createServer } from "node:net";
import type { IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { expect } from "chai";
import { boundedConnection, checkAudit, liveDoors, runAudit } from "@securing-tasks/sandbox";
import type { DoorOptions, Doors, Ran, Verdict } from "@securing-tasks/sandbox";
import { Connection, Keypair } from "@solana/web3.js";
import { AUDIT, Web, deadUrl, functionOf, rejection, standStill } from "./utils";

/** A server that sends these bytes to whoever asks, and then others for ever. */
async function flood(first: string, more?: string) {
  let sent = 0;
  let ended: () => void = () => undefined;
  const sockets = new Set<Socket>();
  const flooding = {
    url: "",
    sent: () => sent,
    /** Of the last connection. */
    ended: Promise.resolve(),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    flooding.ended = new Promise((resolve) => (ended = resolve));
    const send = (): void => {
      while (more !== undefined && !socket.destroyed) {
        sent += more.length;
        if (!socket.write(more)) break;
      }
    };
    socket.once("data", () => {
      socket.write(first);
      send();
    });
    socket
      .on("drain", send)
      .on("close", ended)
      .on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  flooding.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return flooding;
}

describe("live doors", () => {
  const closing: Web[] = [];
  /** Answers every question for a slot, and nothing else. */
  let rpc: Web;
  let requests: string[] = [];

  const serve = async (listener: Parameters<typeof Web.serve>[0]): Promise<string> => {
    const web = await Web.serve(listener);
    closing.push(web);
    return web.url;
  };
  const doors = (options: Partial<DoorOptions> = {}): Doors =>
    liveDoors({
      connection: new Connection(rpc.url, {
        commitment: "confirmed",
        disableRetryOnRateLimit: true,
      }),
      allowPrivateNetwork: true,
      timeoutMs: 500,
      maxBytes: 10_000,
      ...options,
    });

  before(async () => {
    rpc = await Web.serve((request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        requests.push(request.method ?? "");
        if (request.method === "GET") {
          response.writeHead(405).end();
          return;
        }
        const { id, method } = JSON.parse(body) as { id: string; method: string };
        const result =
          method === "getSlot" ? { result: 5 } : { error: { code: -32_603, message: "broken" } };
        response.end(JSON.stringify({ jsonrpc: "2.0", id, ...result }));
      });
    });
  });
  beforeEach(() => (requests = []));
  afterEach(async () => {
    for (const web of closing.splice(0)) await web.close();
  });
  after(() => rpc.close());

  describe("to servers", () => {
    it("give an answer as it is, whatever its status", async () => {
      const url = await serve((request, response) => {
        let body = "";
        request.on("data", (part: Buffer) => (body += part.toString()));
        request.on("end", () => {
          const { a } = request.headers;
          response.writeHead(503, { "X-Name": "b", "Set-Cookie": ["c=1", "d=2"] });
          response.end(`${request.method ?? ""} ${String(a)} ${body} ä\0`);
        });
      });
      const answer = await doors().http({ url, method: "POST", headers: { A: "1" }, body: "hi" });
      expect(answer).to.deep.include({ status: 503, body: "POST 1 hi ä\0" });
      expect(answer.headers).to.include({ "x-name": "b", "set-cookie": "c=1, d=2" });
    });

    describe("that have many contents", () => {
      const content = Buffer.from("a content");
      const hash = createHash("sha256").update(content).digest("hex");

      /** Counts connections, and answers the first `good` requests of each; what it does then, the listener says. */
      async function counting(good: number, then: (request: IncomingMessage) => void) {
        let connections = 0;
        const answered = new Map<Socket, number>();
        const web = await Web.serve((request, response) => {
          const count = (answered.get(request.socket) ?? 0) + 1;
          answered.set(request.socket, count);
          if (count > good) then(request);
          else response.end(content);
        });
        web.onConnection(() => connections++);
        closing.push(web);
        return { url: web.url, connections: () => connections };
      }

      it("are asked for them over one connection, but for each question of a function over a new one", async () => {
        const { url, connections } = await counting(Infinity, () => undefined);
        for (let count = 0; count < 5; count += 1) {
          expect(Buffer.from(await doors().fetch(hash, url))).to.deep.equal(content);
        }
        expect(connections()).to.equal(1);
        await Promise.all(Array.from({ length: 3 }, () => doors().fetch(hash, url)));
        expect(connections()).to.equal(3);
        for (let count = 0; count < 2; count += 1) await doors().http({ url });
        expect(connections()).to.equal(5);
      });

      it("and close a kept connection under a request, or fall silent over it, are asked over a new one", async () => {
        for (const then of [({ socket }: IncomingMessage) => socket.destroy(), () => undefined]) {
          const { url, connections } = await counting(1, then);
          for (let count = 0; count < 3; count += 1) {
            expect(Buffer.from(await doors().fetch(hash, url))).to.deep.equal(content);
          }
          expect(connections()).to.equal(3);
        }
      });

      it("have each answer measured by itself", async () => {
        const long = Buffer.alloc(10_000, "x");
        const name = createHash("sha256").update(long).digest("hex");
        const web = await Web.serve((_request, response) => response.end(long));
        closing.push(web);
        let connections = 0;
        web.onConnection(() => connections++);
        for (let count = 0; count < 20; count += 1) {
          expect(Buffer.from(await doors().fetch(name, web.url))).to.deep.equal(long);
        }
        expect(connections).to.equal(1);
      });
    });

    it("tell a server who asks once it was busy or silent, and none that need not know", async () => {
      let status = 200;
      const seen: unknown[] = [];
      const url = await serve((request, response) => {
        seen.push([request.method, request.headers["a"], request.headers["who"]]);
        if (status !== 0) response.writeHead(request.headers["who"] === "me" ? 200 : status).end();
      });
      const ask = (told: boolean) => {
        const introduce: DoorOptions["introduce"] = ({ method, url: to }) =>
          told && method === "POST" && to.pathname === "/x" ? { who: "me" } : null;
        const door = doors({ introduce });
        const headers = { A: "1", Who: "function" };
        return () => door.http({ url: `${url}/x`, method: "POST", headers, body: "hi" });
      };
      const [stranger, me] = [
        ["POST", "1", "function"],
        ["POST", "1", "me"],
      ];
      expect(await ask(true)()).to.include({ status: 200 });
      for (status of [429, 503]) {
        expect(await ask(true)()).to.include({ status: 200 });
        expect(await ask(false)()).to.include({ status });
      }
      expect(seen.splice(0)).to.deep.equal([
        ...[stranger, stranger, me, stranger],
        ...[stranger, me, stranger],
      ]);
      status = 500;
      expect(await ask(true)()).to.include({ status });
      expect(seen.splice(0)).to.deep.equal([stranger]);

      status = 0;
      const again = ask(true);
      expect(await rejection(again())).to.include({ reason: "timeout", ours: false });
      status = 503;
      expect(await again()).to.include({ status: 200 });
      expect(seen).to.deep.equal([stranger, me]);
    });

    it("do not follow redirects", async () => {
      let followed = 0;
      const url = await serve((request, response) => {
        if (request.url === "/secret") followed++;
        response.writeHead(302, { location: "/secret" }).end();
      });
      const { status, headers } = await doors().http({ url });
      expect([status, headers["location"], followed]).to.deep.equal([302, "/secret", 0]);
    });

    it("give up on one that is slow, before, within and after its head", async () => {
      const silent = await serve(() => undefined);
      const half = await serve((_request, response) => {
        response.writeHead(200);
        response.write("half");
      });
      const drip = await serve((_request, response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write("."), 20);
        response.on("close", () => {
          clearInterval(timer);
        });
      });
      for (const url of [silent, half, drip]) {
        const begun = Date.now();
        expect(await rejection(doors().http({ url }))).to.include({
          reason: "timeout",
          ours: false,
        });
        expect(Date.now() - begun).to.be.within(450, 3_000);
      }
      const begun = Date.now();
      await rejection(doors({ timeoutMs: 10_000 }).http({ url: silent, timeoutMs: 50 }));
      await rejection(doors().http({ url: silent, timeoutMs: 60_000 }));
      expect(Date.now() - begun).to.be.lessThan(5_000);
    });

    it("stop reading an answer that is too large, and do not unpack one", async () => {
      let sent = 0;
      const endless = await serve((_request, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(1_000))) sent += 1_000;
        };
        response.on("drain", more);
        more();
      });
      expect((await rejection(doors().http({ url: endless }))).reason).to.equal("tooLarge");
      expect(sent).to.be.lessThan(20e6);
      const large = await serve((_request, response) => response.end(Buffer.alloc(10_001)));
      expect((await rejection(doors().http({ url: large }))).reason).to.equal("tooLarge");
      const fits = await serve((_request, response) => response.end("x".repeat(10_000)));
      expect((await doors().http({ url: fits })).body).to.have.length(10_000);
      const heads = await serve((_request, response) =>
        response.writeHead(200, { big: "x".repeat(20_000) }).end(),
      );
      expect((await rejection(doors().http({ url: heads }))).reason).to.equal("tooLarge");
      const packed = await serve((request, response) =>
        response.end(String(request.headers["accept-encoding"])),
      );
      expect((await doors().http({ url: packed })).body).to.equal("undefined");
    });

    it("stop reading whatever an answer is made of: heads before it, extensions of chunks, what comes after", async () => {
      const long = "x".repeat(8_000);
      const head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
      for (const [what, first, more] of [
        ["extensions", head, `1;${long}\r\nx\r\n`],
        ["heads", "", `HTTP/1.1 103 Early Hints\r\nlink: ${long}\r\n\r\n`],
        ["small chunks", head, "1\r\nx\r\n".repeat(1_000)],
        ["trailers", `${head}0\r\n`, `a: ${long}\r\n`],
      ] as const) {
        const server = await flood(first, more);
        try {
          const begun = performance.now();
          const error = await rejection(doors({ timeoutMs: 10_000 }).http({ url: server.url }));
          expect(error, what).to.include({ reason: "tooLarge", ours: false });
          expect(performance.now() - begun, what).to.be.lessThan(5_000);
          await server.ended;
          // What the operating systems hold for the two comes on top.
          expect(server.sent(), what).to.be.lessThan(20e6);
        } finally {
          server.close();
        }
      }
    });

    it("take an answer in many small chunks, and after a head or two", async () => {
      const server = await flood(
        `HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${"10;a=b\r\n0123456789abcdef\r\n".repeat(600)}0\r\n\r\n`,
      );
      try {
        expect((await doors().http({ url: server.url })).body).to.have.length(9_600);
      } finally {
        server.close();
      }
    });

    it("find out that nobody is there, or nobody who speaks HTTP", async () => {
      const rude = createServer((socket) => socket.resume().end("no HTTP\r\n\r\n"));
      await new Promise<void>((resolve) => rude.listen(0, "127.0.0.1", resolve));
      const { port } = rude.address() as AddressInfo;
      try {
        for (const url of [
          await deadUrl(),
          `http://127.0.0.1:${port}`,
          `https://127.0.0.1:${port}`,
          "http://name.invalid/",
        ]) {
          const error = await rejection(doors({ timeoutMs: 5_000 }).http({ url }));
          expect(error, url).to.include({ reason: "unreachable", ours: false });
        }
      } finally {
        await new Promise((resolve) => rude.close(resolve));
      }
    });

    it("refuse what is no request", async () => {
      const url = await serve((_request, response) => response.end("asked"));
      for (const odd of [
        undefined,
        null,
        "http://a/",
        {},
        { url: 1 },
        { url: "" },
        { url: "file:///etc/passwd" },
        { url: "data:text/plain,hi" },
        { url: "ftp://a/" },
        { url, method: "PUT" },
        { url, method: "GET", body: "hi" },
        { url, method: "POST", body: 1 },
        { url, headers: { a: 1 } },
        { url, headers: { Host: "elsewhere" } },
        { url, headers: { "Transfer-Encoding": "chunked" } },
        { url, headers: { a: "b\r\nc: d" } },
        { url, headers: { "a\r\nb": "c" } },
        { url, timeoutMs: 0 },
        { url, timeoutMs: "5" },
        { url, waitMs: "5" },
        { url, waitMs: -1 },
        { url, waitMs: 5_001 },
      ]) {
        const error = await rejection(doors().http(odd as never));
        expect(error, JSON.stringify(odd)).to.include({ reason: "refused", ours: false });
      }
    });

    it("never lead into a private network (SSRF)", async () => {
      let reached = 0;
      const url = await serve((_request, response) => {
        reached++;
        response.end();
      });
      const { port } = new URL(url);
      const guarded = doors({ allowPrivateNetwork: false });
      for (const host of [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "localhost",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fec0::1]",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
      ]) {
        const target = `http://${host}:${port}/`;
        expect(await rejection(guarded.http({ url: target })), host).to.include({
          reason: "refused",
          ours: false,
        });
        expect((await rejection(guarded.fetch("00".repeat(32), target))).reason).to.equal(
          "refused",
        );
      }
      expect(reached).to.equal(0);
      expect((await doors().http({ url })).status).to.equal(200);
      expect(reached).to.equal(1);
    });
  });

  describe("when a server can't be reached", () => {
    it("look whether the node's own network is up: else it is the node's trouble", async () => {
      const url = await deadUrl();
      expect((await rejection(doors().http({ url }))).ours).to.be.false;
      expect(requests).to.deep.equal(["GET"]);
      const alone = doors({ connection: new Connection(await deadUrl()) });
      expect(await rejection(alone.http({ url }))).to.include({
        reason: "unreachable",
        ours: true,
      });
      expect((await rejection(alone.fetch("00".repeat(32), url))).ours).to.be.true;
    });

    it("ask the probes where some are given: one of them must answer", async () => {
      const url = await deadUrl();
      const up = await serve((_request, response) => response.writeHead(404).end());
      const probed = (probes: string[]) => rejection(doors({ probes }).http({ url }));
      expect((await probed([await deadUrl(), up])).ours).to.be.false;
      expect((await probed([await deadUrl(), await deadUrl()])).ours).to.be.true;
      expect(requests).to.deep.equal([]);
    });

    it("look over a new connection: a kept one would not notice that names are not found any more", async () => {
      let connections = 0;
      const counted = await Web.serve((_request, response) => response.end());
      closing.push(counted);
      counted.onConnection(() => connections++);
      for (let i = 1; i <= 2; i++) {
        const connection = new Connection(counted.url);
        await connection.getSlot().catch(() => 0);
        const before = connections;
        expect((await rejection(doors({ connection }).http({ url: await deadUrl() }))).ours).to.be
          .false;
        expect(connections).to.equal(before + 1);
      }
    });

    it("take any answer of a probe for one, whatever its status and size", async () => {
      const url = await deadUrl();
      const large = await serve((_request, response) =>
        response.writeHead(500).end(Buffer.alloc(20_000)),
      );
      expect((await rejection(doors({ probes: [large] }).http({ url }))).ours).to.be.false;
    });

    it("look once for calls that fail at about the same time, so that the looks don't use up a run", async () => {
      const url = await deadUrl();
      const one = doors();
      await Promise.all(Array.from({ length: 5 }, () => rejection(one.http({ url }))));
      for (let i = 0; i < 5; i++) await rejection(one.http({ url }));
      expect(requests).to.deep.equal(["GET"]);
    });

    it("do not look when a server was reached", async () => {
      const url = await serve((_request, response) => response.end(Buffer.alloc(20_000)));
      await rejection(doors().http({ url }));
      await rejection(doors({ allowPrivateNetwork: false }).http({ url }));
      expect(requests).to.deep.equal([]);
    });
  });

  describe("when this node itself stands still", () => {
    it("do not blame a server for an answer that came meanwhile or never", async () => {
      const silent = await serve(() => undefined);
      const answer = rejection(doors().http({ url: silent }));
      setTimeout(standStill, 100, 2_000);
      expect(await answer).to.include({ reason: "timeout", ours: true });

      const breaks = await serve((_request, response) => {
        standStill(1_600);
        setTimeout(() => response.destroy(), 50);
      });
      const broken = await rejection(doors({ timeoutMs: 5_000 }).http({ url: breaks }));
      expect(broken).to.include({ reason: "unreachable", ours: true });

      // Over long before the server's time is.
      const early = rejection(doors({ timeoutMs: 2_500 }).http({ url: silent }));
      setTimeout(standStill, 100, 1_700);
      expect(await early).to.include({ reason: "timeout", ours: true });
    });

    it("blame it after a short halt", async () => {
      const silent = await serve(() => undefined);
      const answer = rejection(doors().http({ url: silent }));
      setTimeout(standStill, 100, 600);
      expect(await answer).to.include({ reason: "timeout", ours: false });
    });
  });

  describe("in a run", () => {
    const run = (body: string, through: Doors, totalMs: number): Promise<Ran<Verdict>> =>
      runAudit(functionOf(`export async function audit(c) { ${body} }`), AUDIT, through, {
        totalMs,
      });
    const patient = (options: Partial<DoorOptions> = {}) => doors({ timeoutMs: 5_000, ...options });

    it("let strangers' servers take half of the time: the function learns that they are slow", async () => {
      let asked = 0;
      const url = await serve(() => asked++);
      const ran = await run(
        `for (let i = 0; i < 5; i++) {
           try { await c.http({ url: "${url}" }) } catch (e) { c.log(e.reason) }
         }
         return "downtime"`,
        patient(),
        3_000,
      );
      expect(ran).to.include({ ok: true, value: "downtime" });
      expect(ran.log).to.deep.equal(Array(5).fill("timeout"));
      expect(asked).to.equal(1);
    });

    it("wait before they ask again, which is part of that time", async () => {
      const times: number[] = [];
      const url = await serve((_request, response) => {
        times.push(performance.now());
        response.end();
      });
      const ran = await run(
        `for (const waitMs of [0, 600, 5000]) {
           try { await c.http({ url: "${url}", waitMs }) } catch (e) { c.log(e.reason) }
         }
         return "downtime"`,
        patient(),
        4_000,
      );
      expect(ran).to.include({ ok: true, value: "downtime" });
      expect(ran.log).to.deep.equal(["timeout"]);
      expect(times).to.have.length(2);
      expect((times[1] ?? 0) - (times[0] ?? 0)).to.be.greaterThan(590);
    });

    it("look whether the network is up when that time is over, too", async () => {
      const url = await serve(() => undefined);
      const ran = await run(
        `try { await c.http({ url: "${url}" }) } catch {} return "downtime"`,
        patient({ probes: [await deadUrl()] }),
        2_000,
      );
      expect(!ran.ok && ran.failure).to.include({ kind: "error", ours: true });
    });

    it("do not take it for a server's where the node itself stood still", async () => {
      const url = await serve(() => setTimeout(standStill, 100, 1_800));
      const ran = await run(
        `try { await c.http({ url: "${url}" }) } catch {} return "downtime"`,
        patient(),
        6_000,
      );
      expect(!ran.ok && ran.failure).to.include({ kind: "error", ours: true });
    });

    it("do not count their own look at the network", async () => {
      const dead = await deadUrl();
      const url = await serve((_request, response) => response.end());
      const slow = await serve((_request, response) => {
        setTimeout(() => response.end(), 2_300);
      });
      const ran = await run(
        `try { await c.http({ url: "${dead}" }) } catch (e) { c.log(e.reason) }
         await c.http({ url: "${url}" });
         return "valid"`,
        patient({ probes: [slow] }),
        4_000,
      );
      expect(ran).to.include({ ok: true, value: "valid" });
      expect(ran.log).to.deep.equal(["unreachable"]);
    });

    it("are recorded as the function saw them", async () => {
      // It answers when the time is over: not in the recording either, or the verdict would move.
      const url = await serve((_request, response) => {
        setTimeout(() => response.end(), 2_200);
      });
      const fn = functionOf(
        `export async function audit(c) {
           try { await c.http({ url: "${url}" }); return "valid" } catch { return "downtime" }
         }`,
      );
      const report = await checkAudit(fn, AUDIT, patient(), { totalMs: 3_000 });
      expect(report.problems).to.deep.equal([]);
      expect(report.runs.map(({ verdict }) => verdict)).to.deep.equal(Array(4).fill("downtime"));
    });
  });

  describe("to contents", () => {
    const content = Buffer.from([0, 255, 128, 10]);
    const hash = createHash("sha256").update(content).digest("hex");
    const shelf = (found: Buffer = content) =>
      serve((request, response) => {
        response.statusCode = request.url?.endsWith(hash) === true ? 200 : 404;
        response.end(found);
      });

    it("give the bytes with a hash, from the URI alone where there is one", async () => {
      const url = await shelf();
      const answer = await doors().fetch(hash.toUpperCase(), `${url}/x/${hash}`);
      expect([...answer]).to.deep.equal([...content]);
      const gateways = [url];
      const missing = await rejection(doors({ gateways }).fetch(hash, `${url}/elsewhere`));
      expect(missing).to.include({ reason: "unreachable", ours: false });
    });

    it("give no bytes with another hash", async () => {
      const url = await shelf(Buffer.from("something else"));
      const error = await rejection(doors().fetch(hash, `${url}/${hash}`));
      expect(error).to.include({ reason: "wrongHash", ours: false });
    });

    it("ask the gateways one after the other", async () => {
      const wrong = await shelf(Buffer.from("something else"));
      const gateways = [await deadUrl(), wrong, `${await shelf()}/store/`];
      expect([...(await doors({ gateways }).fetch(hash))]).to.deep.equal([...content]);
    });

    it("tell what is nowhere from gateways that are in trouble", async () => {
      const other = "11".repeat(32);
      const [dead, good] = [await deadUrl(), await shelf()];
      const wrong = await shelf(Buffer.from("something else"));
      for (const [gateways, asked, ours] of [
        [[dead, good], other, false],
        [[dead], other, true],
        [[wrong], hash, true],
        [[], other, true],
      ] as const) {
        const error = await rejection(doors({ gateways }).fetch(asked));
        expect(error).to.include({ reason: "unreachable", ours });
      }
    });

    it("refuse what is no hash or no URL", async () => {
      for (const [odd, uri] of [
        ["", undefined],
        [`${hash}0`, undefined],
        [5, undefined],
        [hash, "file:///etc/passwd"],
        [hash, 5],
      ] as const) {
        const error = await rejection(doors().fetch(odd as string, uri as string));
        expect(error).to.include({ reason: "refused", ours: false });
      }
    });
  });

  describe("to the chain", () => {
    const address = Keypair.generate().publicKey.toBase58();

    it("take every trouble of the RPC server for the node's own", async () => {
      const hung = await serve(() => undefined);
      for (const [connection, reason] of [
        [new Connection(rpc.url), "unreachable"],
        [new Connection(await deadUrl()), "unreachable"],
        [new Connection(hung), "timeout"],
      ] as const) {
        const chain = doors({ connection });
        for (const answer of [
          chain.account(address),
          chain.signatures(address),
          chain.transaction("1".repeat(64)),
        ]) {
          expect(await rejection(answer)).to.include({ reason, ours: true });
        }
      }
    });

    it("read no more of an endless answer than an answer can have, whoever made the connection", async () => {
      const server = await flood(
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"jsonrpc":"2.0","result":"',
        "x".repeat(65_536),
      );
      try {
        for (const connection of [
          new Connection(server.url),
          boundedConnection(server.url, { disableRetryOnRateLimit: true }),
        ]) {
          const chain = doors({ connection, timeoutMs: 20_000 });
          const error = await rejection(chain.account(address));
          expect(error).to.include({ reason: "unreachable", ours: true });
          expect(error.message).to.contain("has over 16777216 bytes");
          await server.ended;
        }
        expect(server.sent()).to.be.lessThan(80e6);
      } finally {
        server.close();
      }
    });

    it("call off what nobody waits for any more", async () => {
      const server = await flood("HTTP/1.1 200 OK\r\n\r\n ");
      try {
        const chain = doors({ connection: new Connection(server.url), timeoutMs: 200 });
        expect(await rejection(chain.account(address))).to.include({ reason: "timeout" });
        await server.ended;
      } finally {
        server.close();
      }
    });

    it("tell a web page from an answer", async () => {
      const url = await serve((_request, response) =>
        response.end("<!doctype html><title>Welcome</title>"),
      );
      const error = await rejection(doors({ connection: new Connection(url) }).account(address));
      expect(error).to.include({ reason: "unreachable", ours: true });
      expect(error.message).to.contain("answered with a web page (status 200)");
    });

    it("ask for no more of an account than shows that it is too large", async () => {
      let asked = "";
      const url = await serve((request, response) => {
        request.on("data", (part: Buffer) => (asked += part.toString()));
        request.on("end", () => {
          const { id, params } = JSON.parse(asked) as {
            id: string;
            params: [string, { dataSlice: { length: number } }];
          };
          const data = [Buffer.alloc(params[1].dataSlice.length).toString("base64"), "base64"];
          const value = { owner: address, lamports: 1, data, executable: false, rentEpoch: 0 };
          response.end(
            JSON.stringify({ jsonrpc: "2.0", id, result: { context: { slot: 1 }, value } }),
          );
        });
      });
      const error = await rejection(doors({ connection: new Connection(url) }).account(address));
      expect(error).to.include({ reason: "tooLarge", ours: false });
      expect(asked).to.contain('"dataSlice":{"offset":0,"length":10001}');
    });

    it("refuse what is no address or signature without asking: the accused may have named it", async () => {
      const chain = doors();
      for (const answer of [
        chain.account("no address"),
        chain.account(address.repeat(2)),
        chain.account(5 as never),
        chain.signatures(address, { limit: 1_001 }),
        chain.signatures(address, { limit: 0.5 }),
        chain.signatures(address, { before: address }),
        chain.transaction("0".repeat(88)),
        // 65 bytes, and 63.
        chain.transaction("z".repeat(88)),
        chain.transaction("z".repeat(85)),
        chain.transaction("1".repeat(65)),
      ]) {
        expect(await rejection(answer)).to.include({ reason: "refused", ours: false });
      }
      expect(requests).to.deep.equal([]);
    });
  });
});
