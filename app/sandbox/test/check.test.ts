import { expect } from "chai";
import {
  DoorError,
  Recording,
  checkAudit,
  recordDoors,
  replayDoors,
} from "@securing-tasks/sandbox";
import type { CheckReport, Doors, Limits } from "@securing-tasks/sandbox";
import { AUDIT, doorsWith, functionOf } from "./utils";

const reasonOf = ({ reason, message, ours }: DoorError) => ({ reason, message, ours });

describe("a recording", () => {
  it("gives every answer again, equal calls theirs in order, after a way through JSON", async () => {
    let n = 0;
    const doors = doorsWith({
      http: ({ url }) => Promise.resolve({ status: ++n, headers: {}, body: url }),
      account: () => Promise.resolve(null),
      fetch: () => Promise.resolve(new Uint8Array([0, 255])),
      transaction: () => Promise.reject(new DoorError("unreachable", "RPC is down", true)),
    });
    const play = async (through: Doors): Promise<readonly unknown[]> =>
      (
        await Promise.allSettled([
          through.http({ url: "a" }),
          through.http({ url: "b" }),
          through.http({ url: "a" }),
          through.account("x"),
          through.fetch("00"),
          through.transaction("y"),
          through.signatures("z", { limit: 1 }),
        ])
      ).map((end) => (end.status === "fulfilled" ? end.value : reasonOf(end.reason as DoorError)));
    const recording = new Recording();
    const live = await play(recordDoors(doors, recording));
    const read = Recording.from(JSON.parse(JSON.stringify(recording)) as Recording);
    expect(await play(replayDoors(read))).to.deep.equal(live);
    expect(await play(replayDoors(read, { lastFirst: true }))).to.deep.equal(live);
    expect(recording.calls.map(({ door }) => door).join()).to.equal(
      "http,http,http,account,fetch,transaction,signatures",
    );
  });

  it("answers nothing that was not asked, nor once more than it was", async () => {
    const recording = new Recording();
    const doors = recordDoors(doorsWith({ account: () => Promise.resolve(null) }), recording);
    await doors.account("x");
    const again = replayDoors(recording);
    expect(await again.account("x")).to.be.null;
    for (const call of [again.account("x"), again.account("y"), again.signatures("x")]) {
      const error: unknown = await call.catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(DoorError).and.include({ reason: "refused", ours: true });
    }
  });

  it("can be asked the last question first", async () => {
    const recording = new Recording();
    const doors = recordDoors(doorsWith({ account: () => Promise.resolve(null) }), recording);
    for (const address of ["a", "b", "c"]) await doors.account(address);
    const order: string[] = [];
    const turned = replayDoors(recording, { lastFirst: true });
    await Promise.all(
      ["a", "b", "c"].map(async (address) => {
        await turned.account(address);
        order.push(address);
      }),
    );
    expect(order.join("")).to.equal("cba");
  });
});

describe("the check of an audit function", () => {
  const check = (
    body: string,
    doors: Partial<Doors> = {},
    limits: Limits = {},
  ): Promise<CheckReport> =>
    checkAudit(
      functionOf(`export async function audit(c) { ${body} }`),
      AUDIT,
      doorsWith(doors),
      limits,
    );
  /** A server that says what it is asked, and sometimes answers later. */
  const echo: Partial<Doors> = {
    http: async ({ url }) => {
      if (url === "slow") await new Promise((resolve) => setTimeout(resolve, 50));
      return { status: 200, headers: {}, body: url };
    },
  };

  it("passes one whose verdict does not move, though it asks other questions on another seed", async () => {
    const asked = new Set<string>();
    const report = await check(
      `const { body } = await c.http({ url: String(Math.random()) });
       await c.http({ url: "same" });
       return Number(body) < 1 ? "malicious" : "valid"`,
      {
        http: ({ url }) => {
          asked.add(url);
          return Promise.resolve({ status: 200, headers: {}, body: url });
        },
      },
    );
    expect(report.problems).to.deep.equal([]);
    expect(report.deterministic).to.be.true;
    expect(report.runs.map(({ verdict }) => verdict)).to.deep.equal(Array(4).fill("malicious"));
    expect(new Set(report.runs.map(({ seed }) => seed)).size).to.equal(2);
    expect(asked.size).to.equal(3);
  });

  it("passes one that finds downtime, and many answers at once", async () => {
    const down = await check(`try { await c.http({ url: "x" }) } catch { return "downtime" }`);
    expect(down).to.include({ deterministic: true });
    const all = await check(
      `const answers = await Promise.all(["slow", "a", "b"].map((url) => c.http({ url })));
       return answers.map(({ body }) => body).join() === "slow,a,b" ? "valid" : "malicious"`,
      echo,
    );
    expect(all).to.include({ deterministic: true });
  });

  it("refuses one that judges by chance", async () => {
    // With this many draws two seeds never agree.
    const report = await check(
      `let n = 0; for (let i = 0; i < 64; i++) n = n * 2 + (Math.random() < 0.5 ? 1 : 0);
       return n === ${coins()} ? "valid" : "malicious"`,
    );
    expect(report.deterministic).to.be.false;
    expect(report.problems.join()).to.contain("the verdict moves: valid, malicious");
  });

  it("refuses one that judges by which answer comes first", async () => {
    const report = await check(
      `const first = await Promise.race(["slow", "quick"].map((url) => c.http({ url })));
       return first.body === "quick" ? "valid" : "malicious"`,
      echo,
    );
    expect(report.deterministic).to.be.false;
    expect(report.problems.join()).to.contain("the verdict moves");
  });

  it("refuses one that judges by the order in which answers come", async () => {
    const report = await check(
      `const came = [];
       await Promise.all(["a", "b"].map(async (url) => came.push((await c.http({ url })).body)));
       return came[0] === "a" ? "valid" : "malicious"`,
      echo,
    );
    expect(report.deterministic).to.be.false;
    expect(report.runs.map(({ verdict }) => verdict)).to.include.members(["valid", "malicious"]);
  });

  it("refuses one that asks other questions when answers come in another order", async () => {
    const report = await check(
      `const came = [];
       await Promise.all(["a", "b"].map(async (url) => came.push((await c.http({ url })).body)));
       await c.http({ url: "first " + came[0] }).catch(() => 0);
       return "valid"`,
      echo,
    );
    expect(report.deterministic).to.be.false;
    expect(report.problems.join()).to.contain('http({"url":"first b"}) was not recorded');
  });

  it("refuses one that asks fewer questions when answers come in another order", async () => {
    const report = await check(
      `const first = await Promise.race(["a", "b"].map((url) => c.http({ url })));
       if (first.body === "a") await c.http({ url: "c" });
       return "valid"`,
      echo,
    );
    expect(report.problems.join()).to.contain("it asked other questions");
  });

  it("refuses one that fails, with the failure", async () => {
    const thrown = await check(`throw new Error("oh")`);
    expect(thrown.runs).to.have.length(1);
    expect(thrown.runs[0]?.failure?.kind).to.equal("error");
    expect(thrown.problems.join()).to.contain("Error: oh");
    const endless = await check("for (;;);", {}, { computeMs: 200 });
    expect(endless.runs[0]?.failure?.kind).to.equal("time");
    const word = await check(`return "maybe"`);
    expect(word.problems.join()).to.contain("badAnswer");
  });

  it("refuses one that fails on another seed alone", async () => {
    const report = await check(
      `if (c.seed !== ${JSON.stringify(AUDIT.seed)}) throw new Error("oh"); return "valid"`,
    );
    expect(report.runs.map(({ verdict }) => verdict)).to.deep.equal(["valid", "valid", null]);
    expect(report.problems).to.have.length(1);
    expect(report.problems[0]).to.contain("another seed").and.contain("Error: oh");
  });

  it("does not take the node's own trouble for a verdict", async () => {
    const report = await check(`try { await c.account("x") } catch {} return "malicious"`, {
      account: () => Promise.reject(new DoorError("timeout", "RPC is slow", true)),
    });
    expect(report.runs.map(({ verdict }) => verdict)).to.deep.equal([null]);
    expect(report.problems.join()).to.contain("RPC is slow");
  });
});

/** What the facts' seed gives for 64 coins, drawn by the same generator here. */
function coins(): number {
  const word = (at: number): number => parseInt(AUDIT.seed.slice(8 * at, 8 * at + 8), 16);
  const s = Uint32Array.from([0, 1, 2, 3].map(word));
  const [a, b, c, d] = [0, 1, 2, 3];
  const turn = (x: number, k: number): number => ((x << k) | (x >>> (32 - k))) >>> 0;
  const at = (i: number): number => s[i] ?? 0;
  const next = (): number => {
    const result = Math.imul(turn(Math.imul(at(b), 5), 7), 9) >>> 0;
    const t = at(b) << 9;
    s[c] = at(c) ^ at(a);
    s[d] = at(d) ^ at(b);
    s[b] = at(b) ^ at(c);
    s[a] = at(a) ^ at(d);
    s[c] = at(c) ^ t;
    s[d] = turn(at(d), 11);
    return result;
  };
  let n = 0;
  for (let i = 0; i < 64; i++) {
    const draw = ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
    n = n * 2 + (draw < 0.5 ? 1 : 0);
  }
  return n;
}
