import { expect } from "chai";
import getPort from "get-port";
import { once } from "node:events";
import type { Server } from "node:http";
import { createServer, request } from "node:http";
import type { Submission } from "@securing-tasks/client";
import type { Hand } from "./utils/bench";
import { Bench } from "./utils/bench";
import { Inside } from "./utils/inside";
import type { LogLine } from "./utils/inside";

const ALARM = "CAN'T REACH ITSELF";

describe("a daemon and the address that others are told", function () {
  this.timeout(200_000);
  let bench: Bench;
  let hand: Hand;
  let daemon: Inside;
  let server: Server | null;
  /** Where it listens, and what others are told. */
  let port: number;
  let told: number;

  beforeEach(async () => {
    server = null;
    // Its slots stand still: the submission window is open as long as the test wants.
    bench = await Bench.make();
    [port, told] = [await getPort(), await getPort()];
    const publicUrl = `http://127.0.0.1:${told}`;
    hand = await bench.hire("worker", "worker", 3_000n, {
      http: { host: "127.0.0.1", port, publicUrl },
    });
  });

  afterEach(async () => {
    await daemon.stop();
    await away();
    await bench.end();
  });

  const line = (wanted: (line: LogLine) => boolean): Promise<LogLine> =>
    bench.until("a line", () => Promise.resolve(daemon.lines.find(wanted)));
  const submissions = (): Promise<Submission[]> => bench.client.ofTask("submission", bench.task);

  /** Somebody at the address that others are told. */
  async function somebody(answer: Parameters<typeof createServer>[1]): Promise<void> {
    await away();
    server = createServer(answer ?? (() => undefined)).listen(told, "127.0.0.1");
    await once(server, "listening");
  }

  async function away(): Promise<void> {
    if (!server) return;
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    server = null;
  }

  it("submits nothing while nobody or another is there, says why and what to do, and submits once it is itself", async () => {
    daemon = new Inside(hand.config);
    await daemon.start();
    const { level, why, url, msg } = await line((one) => one.msg.startsWith(ALARM));
    expect([level, url]).to.deep.equal([50, `http://127.0.0.1:${told}/healthz`]);
    expect(why).to.contain("ECONNREFUSED");
    expect(msg).to.contain("port forwarding").and.to.contain("`http.checkSelf: false`");
    await line((one) => one.msg === "put off" && one.duty === "submit:0");
    expect(await submissions()).to.deep.equal([]);

    // Another node's service is well, too.
    await somebody((_asked, answer) => {
      answer.end(JSON.stringify({ ok: true, trouble: null, instance: "another" }));
    });
    await line((one) => one.why === "another service answered");
    expect(await submissions()).to.deep.equal([]);
    await somebody((_asked, answer) => {
      answer.end("<html>");
    });
    await bench.until("the other answers", () => Promise.resolve(server?.listening));
    expect(await submissions()).to.deep.equal([]);

    await somebody((asked, answer) => {
      request({ host: "127.0.0.1", port, path: asked.url }, (response) => {
        response.pipe(answer);
      }).end();
    });
    await line((one) => one.msg.startsWith("reached itself"));
    const [work] = await bench.until("its work", async () => {
      const all = await submissions();
      return all.length > 0 && all;
    });
    expect(work?.round).to.equal(0n);
    // Each reason once.
    expect(daemon.said(ALARM).length).to.be.within(2, 4);
  });

  it("submits all the same where its configuration says so, and tells", async () => {
    const { http } = hand.config;
    daemon = new Inside({ ...hand.config, ...(http && { http: { ...http, checkSelf: false } }) });
    await daemon.start();
    const { msg } = await line((one) => one.msg.startsWith(ALARM));
    expect(msg).to.contain("`http.checkSelf` is false");
    await bench.until("its work", async () => (await submissions()).length > 0);
  });
});
