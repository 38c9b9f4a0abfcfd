import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { expect } from "chai";
import { DoorError, runAudit, runRespond, runWork } from "@securing-tasks/sandbox";
import type { Doors, SandboxFailure } from "@securing-tasks/sandbox";
import { Engine } from "../dist/core/engine";
import { compileQuickJs } from "../dist/host/quickjs";
import { AUDIT, WORK, audit, doorsWith, functionOf } from "./utils";

/** The failure of a run that must not end well. */
async function failureOf(run: ReturnType<typeof audit>): Promise<SandboxFailure> {
  const ran = await run;
  if (ran.ok) throw new Error(`it answered ${ran.value}`);
  return ran.failure;
}

/** What a function that logs its findings logs. */
async function logOf(body: string, doors: Partial<Doors> = {}): Promise<readonly string[]> {
  const ran = await audit(`${body}; return "valid";`, {}, doors);
  expect(ran, JSON.stringify(ran)).to.include({ ok: true, value: "valid" });
  return ran.log;
}

/** What a child process makes of a script that has the sandbox; `steer` is called when the function begins to compute. */
async function child(script: string, steer: (child: ChildProcess) => void = () => undefined) {
  const file = require.resolve("@securing-tasks/sandbox");
  const started = spawn(
    process.execPath,
    ["-e", `const sandbox = require(${JSON.stringify(file)}); ${script}`],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let said = "";
  started.stdout.on("data", (part: Buffer) => {
    if (said === "") steer(started);
    said += part.toString();
  });
  await once(started, "close");
  return JSON.parse(said.split("\n").at(-2) ?? "") as unknown;
}

/** A run in a process of its own: what it logged, and by how many MiB the process has grown meanwhile. */
async function alone(body: string, limit: number) {
  const code = JSON.stringify(`export async function audit(c) { ${body} }`);
  return (await child(`
    const resident = () => process.memoryUsage.rss() / 2 ** 20;
    const wait = () => new Promise((resolve) => setTimeout(resolve, 100, null));
    const run = (code) => sandbox.runAudit({ code }, ${JSON.stringify(AUDIT)}, { account: wait, http: wait }, { memoryBytes: ${limit} * 2 ** 20, computeMs: 30_000, totalMs: 120_000 });
    (async () => {
      for (let i = 0; i < 3; i++) await run("export const audit = () => 'valid'");
      const before = resident();
      let most = before;
      setInterval(() => (most = Math.max(most, resident())), 5).unref();
      const ran = await run(${code});
      if (!ran.ok) throw new Error(JSON.stringify(ran));
      console.log(JSON.stringify({ log: ran.log, grown: most - before }));
    })();`)) as { readonly log: readonly string[]; readonly grown: number };
}

/** Shorter than the default, so that tests of it are short. */
const SHORT = { computeMs: 400 };

describe("a function in the sandbox", () => {
  it("answers with each verdict, now or later", async () => {
    for (const verdict of ["valid", "downtime", "malicious"]) {
      const now = functionOf(`export const audit = () => "${verdict}"`);
      expect(await runAudit(now, AUDIT, doorsWith())).to.include({ ok: true, value: verdict });
      expect(await audit(`await null; return "${verdict}"`)).to.include({
        ok: true,
        value: verdict,
      });
    }
  });

  it("sees its facts, frozen, and nothing of another kind", async () => {
    const [facts, frozen] = await logOf(
      `const { log, http, account, transaction, signatures, fetch, evidence, proof, keep, ...facts } = c;
       log(JSON.stringify(facts));
       log([c, c.task, c.submission].every(Object.isFrozen))`,
    );
    expect(JSON.parse(facts ?? "")).to.deep.equal(AUDIT);
    expect(frozen).to.equal("true");
  });

  it("finds nothing of Node, no timers, no second thread and no garbage collector", async () => {
    const names = [
      ..."process require module Buffer global fetch XMLHttpRequest WebAssembly std os".split(" "),
      ..."setTimeout setInterval setImmediate performance Atomics SharedArrayBuffer".split(" "),
      ..."WeakRef FinalizationRegistry Worker navigator crypto gc Intl".split(" "),
    ];
    const log = await logOf(
      `for (const name of ${JSON.stringify(names)}) if (name in globalThis) c.log(name);
       // A constructor's way out of other sandboxes: the host's own Function.
       for (const escape of [c.log, c.http, c.http({ url: "" }).catch(() => 0), c, c.task]) {
         const own = escape.constructor.constructor("return globalThis")();
         if (own !== globalThis || "process" in own) c.log("escaped");
       }`,
    );
    expect(log).to.deep.equal([]);
  });

  it("has small helpers that authors expect", async () => {
    const log = await logOf(
      `const text = "zero \\0, ä, 😀, lone \\ud800";
       const bytes = new TextEncoder().encode(text);
       c.log(bytes.length);
       c.log(new TextDecoder().decode(bytes) === text.toWellFormed());
       c.log(new TextDecoder("utf-8").decode(bytes.subarray(5, 6)).charCodeAt(0));
       try { new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255])) } catch (e) { c.log(e.name) }
       c.log(btoa("hi\\0") + atob("aGkA").length);
       c.log(sha256("abc").slice(0, 8) + sha256(new Uint8Array(1e5)).slice(0, 8));
       await new Promise((resolve) => queueMicrotask(resolve));
       console.log("a", 1, { b: 2 }, new Uint8Array([1]), undefined);`,
    );
    expect(log).to.deep.equal([
      "26",
      "true",
      "0",
      "TypeError",
      "aGkA3",
      "ba7816bf9192c25b",
      'a 1 {"b":2} {"0":1} undefined',
    ]);
  });

  it("has a clock that stands still, in UTC whatever the node's time zone", async () => {
    const zone = process.env["TZ"];
    process.env["TZ"] = "America/New_York";
    try {
      const log = await logOf(
        `const begun = Date.now();
         for (let i = 0; i < 1e6; i++);
         c.log(Date.now() - begun + ", " + (begun === c.now) + ", " + (+new Date() === c.now));
         c.log(new Date().getTimezoneOffset() + " " + new Date().getHours() + " " + Date());
         c.log(new Date(2024, 5, 1, 12).toISOString() + " " + Date.parse("2024-06-01T12:00"));`,
      );
      expect(log).to.deep.equal([
        "0, true, true",
        "0 12 Thu Feb 29 2024 12:34:56 GMT+0000",
        `2024-06-01T12:00:00.000Z ${Date.UTC(2024, 5, 1, 12)}`,
      ]);
    } finally {
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  });

  it("draws the same random numbers from the same seed, others from another", async () => {
    const draw = functionOf(
      `export function audit(c) { for (let i = 0; i < 50; i++) c.log(Math.random()); return "valid" }`,
    );
    const once = await runAudit(draw, AUDIT, doorsWith());
    const again = await runAudit(draw, AUDIT, doorsWith());
    const other = await runAudit(draw, { ...AUDIT, seed: "03".repeat(32) }, doorsWith());
    expect(again.log).to.deep.equal(once.log);
    expect(other.log[0]).not.to.equal(once.log[0]);
    const numbers = once.log.map(Number);
    expect(new Set(numbers).size).to.equal(50);
    expect(numbers.every((x) => x >= 0 && x < 1)).to.be.true;
  });

  it("draws what xoshiro128** draws", async () => {
    const seeded = { ...AUDIT, seed: "00000001000000020000000300000004".padEnd(64, "0") };
    const draw = functionOf(`export const audit = (c) => { c.log(Math.random()); return "valid" }`);
    const { log } = await runAudit(draw, seeded, doorsWith());
    // Of the state 1, 2, 3, 4 the reference draws 11520 and 0 first.
    expect(Number(log[0])).to.equal(((11_520 >>> 5) * 2 ** 26) / 2 ** 53);
  });

  it("gets answers of doors, bytes as bytes, and refusals as errors with a reason", async () => {
    const log = await logOf(
      `const answer = await c.http({ url: "https://a/", headers: { b: "c" } });
       c.log(answer.body + answer.status);
       const bytes = await c.fetch("00");
       c.log((bytes instanceof Uint8Array) + " " + bytes.length + " " + bytes[9]);
       c.log(JSON.stringify(await c.account("x")));
       try { await c.transaction("y") } catch (e) { c.log((e instanceof Error) + e.reason + e.message) }`,
      {
        http: (request) =>
          Promise.resolve({ status: 200, headers: {}, body: `\0${JSON.stringify(request)}` }),
        fetch: () => Promise.resolve(Uint8Array.from({ length: 1_000 }, (_, i) => i)),
        account: () => Promise.resolve(null),
        transaction: () => Promise.reject(new DoorError("refused", "no\0")),
      },
    );
    expect(log).to.deep.equal([
      '\0{"url":"https://a/","headers":{"b":"c"}}200',
      "true 1000 9",
      "null",
      "truerefusedno\0",
    ]);
  });

  it("does not let one run see another's changes", async () => {
    await audit(`globalThis.left = 1; Object.prototype.left = 1; return "valid"`);
    expect(await logOf(`c.log(typeof left + typeof {}.left)`)).to.deep.equal([
      "undefinedundefined",
    ]);
  });
});

describe("a payload", () => {
  const work = (body: string, limits = {}) =>
    runWork(functionOf(`export async function work(c) { ${body} }`), WORK, doorsWith(), limits);

  it("is text or bytes", async () => {
    const text = await work(`return "ä\\0" + c.secrets.key`);
    expect(text.ok && Buffer.from(text.value).toString()).to.equal("ä\0hidden");
    const bytes = await work(`return new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4)`);
    expect(bytes.ok && [...bytes.value]).to.deep.equal([1, 2, 3]);
  });

  it("is nothing else, and not too large", async () => {
    for (const odd of ["1", "undefined", "{}", "new Uint16Array(2)", "[1]", "Symbol()"]) {
      const ran = await work(`return ${odd}`);
      expect(!ran.ok && ran.failure.kind, odd).to.equal("badAnswer");
    }
    for (const large of [`"x".repeat(1001)`, `"ä".repeat(501)`, "new Uint8Array(1001)"]) {
      const ran = await work(`return ${large}`, { answerBytes: 1_000 });
      expect(!ran.ok && ran.failure.kind, large).to.equal("badAnswer");
    }
    expect(await work(`return "x".repeat(1000)`, { answerBytes: 1_000 })).to.include({ ok: true });
    const none = await runWork(functionOf("export const audit = 1"), WORK, doorsWith());
    expect(!none.ok && none.failure.message).to.equal("the file exports no function `work`");
  });
});

describe("a response", () => {
  const facts = { ...WORK, round: null };
  const request = { method: "GET", path: "/answer", query: { question: "2" }, body: "" };
  const respond = (code: string) => runRespond(functionOf(code), request, facts, doorsWith());

  it("comes from `respond`, and is 404 where the file has none", async () => {
    const ran = await respond(
      `export const respond = (q, c) => ({ body: q.method + q.path + q.query.question + c.owner })`,
    );
    expect(ran.ok && ran.value).to.deep.equal({ body: `GET/answer2${facts.owner}` });
    const none = await respond(`export const work = () => ""`);
    expect(none.ok && none.value.status).to.equal(404);
  });

  it("has a text as body, a status and a content type without a line break", async () => {
    for (const odd of [
      `"text"`,
      `{}`,
      `{ body: 1 }`,
      `{ body: "", status: 99 }`,
      `{ body: "", status: "200" }`,
      `{ body: "", status: 200.5 }`,
      `{ body: "", contentType: "text/html\\r\\nset-cookie: a=b" }`,
      `{ body: "x".repeat(2 ** 20 + 1) }`,
      `null`,
    ]) {
      const ran = await respond(`export const respond = () => (${odd})`);
      expect(!ran.ok && ran.failure.kind, odd).to.equal("badAnswer");
    }
    const get = await respond(`export const respond = () => ({ get body() { throw 1 } })`);
    expect(!get.ok && get.failure).to.deep.equal({
      kind: "error",
      message: "it threw 1",
      ours: false,
    });
  });
});

describe("the sandbox's limits", () => {
  it("end loops, whether they are written or of promises", async () => {
    for (const loop of [
      "for (;;);",
      "for (;;) await null;",
      "const f = () => Promise.resolve().then(f); await f();",
      `/(a+)+b/.test("a".repeat(60))`,
      "try { for (;;); } catch {} finally { for (;;); }",
    ]) {
      expect((await failureOf(audit(loop, SHORT))).kind, loop).to.equal("time");
    }
    const outside = functionOf("for (;;); export const audit = 1");
    expect((await failureOf(runAudit(outside, AUDIT, doorsWith(), SHORT))).kind).to.equal("time");
  });

  it("end built-ins that ask no interrupt handler for years", async () => {
    for (const builtIn of [
      "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
      `"a".repeat(2e7).indexOf("a".repeat(1e7) + "b")`,
    ]) {
      expect((await failureOf(audit(builtIn, SHORT))).kind, builtIn).to.equal("time");
    }
  });

  it("leave the node's own thread free while a function computes", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 10);
    await audit("for (;;);", SHORT);
    clearInterval(timer);
    expect(turns).to.be.greaterThan(5);
  });

  it("end a function that eats memory, in every way", async () => {
    for (const eater of [
      "const a = []; for (;;) a.push(new Uint8Array(1e5));",
      `let s = "x"; for (;;) s += s + "y" + [s].join();`,
      "new ArrayBuffer(2 ** 31 - 1)",
      "const a = []; for (;;) a.push({});",
      "Array.from({ length: 1e9 })",
    ]) {
      const failure = await failureOf(audit(eater, { memoryBytes: 16 * 1024 * 1024 }));
      expect(failure.message, eater).to.match(/out of memory|string too long|too large/);
    }
    const outcome = await failureOf(audit(`return "valid"`, { memoryBytes: 1_000 }));
    expect(outcome.kind).to.equal("memory");
  });

  it("tell too little memory as such, though no error finds room either, and whatever the function throws then", async () => {
    for (const eater of [
      "let a = null; for (;;) a = { a };",
      "const a = []; for (let i = 0; ; i++) a.push({ i });",
      `const a = []; for (let i = 0; ; i++) a.push("k" + i);`,
      "const f = (a) => () => a; let a; for (;;) a = f(a);",
      "try { let a = null; for (;;) a = [a]; } catch { throw new Error('mine') }",
    ]) {
      const failure = await failureOf(audit(eater, { memoryBytes: 4 * 1024 * 1024 }));
      expect(failure.kind, eater).to.equal("memory");
    }
  });

  it("hold all that a function has, wherever it comes from: no more is resident", async function () {
    this.timeout(240_000);
    for (const [limit, fill] of [
      [8, "new Uint8Array(65_536).fill(1)"],
      [32, `"x".repeat(65_536) + n`],
      [8, `new TextEncoder().encode("x".repeat(65_536))`],
      [64, "new Uint8Array(65_536).fill(1)"],
    ] as const) {
      const { log, grown } = await alone(
        `const held = []; let n = 0;
         try { for (;; n++) held.push(${fill}); } catch {}
         c.log(n); await c.account(""); return "valid"`,
        limit,
      );
      expect((Number(log[0]) * 65_536) / 2 ** 20, fill).to.be.within(limit / 2, limit);
      expect(grown, `${limit} of ${fill}`).to.be.lessThan(limit + 40);
    }
  });

  it("bound what the host needs to lend a hand", async function () {
    this.timeout(240_000);
    for (const help of [
      "new TextDecoder().decode(bytes)",
      "new TextEncoder().encode(text)",
      "atob(text)",
      "btoa(text)",
      "sha256(bytes)",
      `try { c.http({ url: text }) } catch {}`,
      `c.proof(bytes, { path: text }, { status: 200, headers: {}, body: text })`,
      "c.keep({ text })",
      "c.log(text)",
    ]) {
      const { grown } = await alone(
        `const bytes = new Uint8Array(2 ** 22).fill(1), text = "QUJD".repeat(2 ** 20);
         for (let i = 0; i < 3; i++) ${help}
         return "valid"`,
        64,
      );
      // Before, 16 MiB of a text took 200 in the host.
      expect(grown, help).to.be.lessThan(64 + 50);
    }
  });

  it("leave a function room after many large answers that it dropped", async () => {
    // Else an accused that sends some would end every audit of its work.
    const large = "x".repeat(1024 * 1024);
    const ran = await audit(
      `for (let i = 0; i < 60; i++) {
         await c.http({ url: "" });
         await c.fetch("");
         try { await c.transaction("") } catch {}
       }
       return "valid"`,
      {},
      {
        http: () => Promise.resolve({ status: 200, headers: {}, body: large }),
        fetch: () => Promise.resolve(new Uint8Array(1024 * 1024)),
        transaction: () => Promise.reject(new DoorError("refused", large)),
      },
    );
    expect(ran, JSON.stringify(ran)).to.include({ ok: true, value: "valid" });
  });

  it("end deep recursion, of functions, texts and values", async () => {
    for (const deep of [
      "(function f() { f(); })()",
      `JSON.parse("[".repeat(1e6))`,
      `new Function("(".repeat(1e6))()`,
      "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x",
      "const a = []; a[0] = a; String(a.flat(Infinity))",
    ]) {
      const failure = await failureOf(audit(deep, { computeMs: 5_000 }));
      expect(failure.kind, deep).to.be.oneOf(["error", "memory"]);
    }
  });

  it("end a function that waits for something that never comes, at once", async () => {
    for (const [what, wait] of [
      ["a promise", "await new Promise(() => {})"],
      ["a thenable", "await { then() {} }"],
      ["a poisoned then", "Promise.prototype.then = () => {}; await Promise.all([1, c.log])"],
    ] as const) {
      const failure = await failureOf(audit(wait));
      expect(failure, what).to.deep.equal({
        kind: "error",
        message: "it waits for something that never comes",
        ours: false,
      });
    }
    const file = functionOf("await new Promise(() => {}); export const audit = () => 1");
    expect((await failureOf(runAudit(file, AUDIT, doorsWith()))).kind).to.equal("error");
  });

  it("end a run when its total time is over, though a door answers never", async () => {
    const never = { account: () => new Promise<never>(() => undefined) };
    const failure = await failureOf(audit(`await c.account("x")`, { totalMs: 300 }, never));
    expect(failure).to.deep.equal({
      kind: "time",
      message: "it took more than 300 ms in all",
      ours: true,
    });
  });

  it("do not count waiting as computing", async () => {
    const slow = {
      account: () => new Promise<null>((resolve) => setTimeout(resolve, 600, null)),
    };
    const ran = await audit(`await c.account("x"); return "valid"`, SHORT, slow);
    expect(ran).to.include({ ok: true, value: "valid" });
    expect(ran.computeMs).to.be.lessThan(400);
  });

  it("end a run that calls through doors too often", async () => {
    const http = () => Promise.resolve({ status: 200, headers: {}, body: "" });
    const loop = (n: number) =>
      audit(
        `for (let i = 0; i < ${n}; i++) await c.http({ url: "" }); return "valid"`,
        { doorCalls: 10 },
        { http },
      );
    expect(await loop(10)).to.include({ ok: true });
    expect((await failureOf(loop(11))).kind).to.equal("doorCalls");
    const flood = audit(`for (;;) c.http({ url: "" }).catch(() => 0)`, { doorCalls: 10 }, { http });
    expect((await failureOf(flood)).kind).to.equal("doorCalls");
  });

  it("cut the log", async () => {
    const log = await logOf(`for (let i = 0; i < 5000; i++) console.log("x".repeat(2000))`);
    expect(log).to.have.length(100);
    expect(log[0]).to.have.length(1_000);
  });
});

describe("a machine that is busy, throttled or paused", function () {
  this.timeout(240_000);
  const SUM = "let sum = 0; for (let i = 0; i < 2e6; i++) sum = (sum + i * i) | 0;";

  it("ends no honest function: what counts is its thread's own time of a processor", async () => {
    const { computeMs } = await audit(`${SUM} return "valid"`);
    const busy = Array.from(
      { length: 8 * availableParallelism() },
      () => new Worker("for (;;);", { eval: true }),
    );
    try {
      const begun = performance.now();
      const ran = await audit(`${SUM} return "valid"`, { computeMs: 3 * computeMs });
      expect(performance.now() - begun, "it was not held up").to.be.greaterThan(3 * computeMs);
      expect(ran, JSON.stringify(ran)).to.include({ ok: true, value: "valid" });
    } finally {
      await Promise.all(busy.map((worker) => worker.terminate()));
    }
  });

  it("ends none either where its process was stopped in between, while it computes or waits", async () => {
    for (const [step, totalMs] of [
      [SUM, 30_000],
      [`await c.account("");`, 5_000],
    ] as const) {
      const body = `await c.http({}); ${step} return "valid"`;
      const code = JSON.stringify(`export async function audit(c) { ${body} }`);
      const ran = await child(
        `const http = async () => (console.log("begins"), null);
         const account = () => new Promise((resolve) => setTimeout(resolve, 500, null));
         sandbox.runAudit({ code: ${code} }, ${JSON.stringify(AUDIT)}, { http, account }, { computeMs: 2_000, totalMs: ${totalMs} })
           .then((ran) => console.log(JSON.stringify(ran)));`,
        ({ pid }) => {
          process.kill(pid ?? 0, "SIGSTOP");
          setTimeout(() => process.kill(pid ?? 0, "SIGCONT"), 6_000);
        },
      );
      expect(ran, JSON.stringify(ran)).to.include({ ok: true, value: "valid" });
    }
  });

  it("is at fault itself where all of a run's time is over", async () => {
    const account = () => new Promise<never>(() => undefined);
    const failure = await failureOf(audit(`await c.account("")`, { totalMs: 200 }, { account }));
    expect(failure).to.include({ kind: "time", ours: true });
  });

  it("does not hide a function that computes for ever", async () => {
    const failure = await failureOf(audit("for (;;);", { computeMs: 300 }));
    expect(failure).to.deep.equal({
      kind: "time",
      message: "it computed for more than 300 ms",
      ours: false,
    });
  });
});

describe("an engine that is used again", () => {
  const facts = (byte: number) => ({
    ...WORK,
    round: null,
    seed: byte.toString(16).padStart(2, "0").repeat(32),
    now: 1_700_000_000_000 + byte,
  });
  /** What the callers get, one after the other. */
  const ask = async (code: string, callers: number, path = "/") => {
    const answers: string[] = [];
    for (let i = 1; i <= callers; i++) {
      const request = { method: "GET", path, query: { caller: String(i) }, body: "" };
      const ran = await runRespond(functionOf(code), request, facts(i), doorsWith());
      answers.push(ran.ok ? ran.value.body : ran.failure.kind);
    }
    return answers;
  };

  it("shows a caller nothing of another: variables, globals, prototypes, what still waits", async () => {
    for (const state of [
      "n++",
      "globalThis.n = (globalThis.n ?? 0) + 1",
      "Object.prototype.n = ({}.n ?? 0) + 1",
      "kept.push(query.caller); n = kept.length",
      "Array.prototype.push = () => 0; n = kept.push === [].concat.push ? 1 : [].push()",
      "Promise.resolve().then(() => { n = 7 }); n = n + 1",
      "http({ url: '' }).catch(() => { n = 9 }); n = n + 1",
      "console.log(++n)",
      "Math.random = () => 1; JSON.stringify = undefined; Date = null; n = 1",
      "big.push(new Uint8Array(1e6).fill(1)); n = big.length",
      "(function f(i) { if (i > 0) f(i - 1); })(500); n++",
    ]) {
      const code = `let n = 0; const kept = [], big = [];
        export const respond = ({ query }, { http }) => { ${state}; return { body: String(globalThis.n ?? {}.n ?? n) } }`;
      expect(new Set(await ask(code, 4)).size, state).to.equal(1);
    }
  });

  it("gives each caller its own lots and clock, as a new engine does, also where the file uses them as it is loaded", async () => {
    for (const early of [
      "0",
      "Math.random()",
      "Date.now()",
      "new Date().toISOString()",
      "Date()",
    ]) {
      const code = `const early = ${early}; console.log("loaded");
        export const respond = () => ({ body: [early, Math.random(), Date.now()].join() })`;
      const again = await ask(code, 3);
      const fresh = await Promise.all(
        again.map(async (_answer, i) => {
          const other = functionOf(`${code} // ${early} ${i}`);
          const request = { method: "GET", path: "/", query: {}, body: "" };
          const ran = await runRespond(other, request, facts(i + 1), doorsWith());
          expect(ran.log).to.deep.equal(["loaded"]);
          return ran.ok ? ran.value.body : ran.failure.message;
        }),
      );
      expect(again, early).to.deep.equal(fresh);
      expect(new Set(again).size, early).to.equal(3);
    }
  });

  it("is as new after a caller whose run failed", async () => {
    const code = `let n = 0;
      export const respond = async ({ query }) => {
        n++;
        if (query.caller === "1") throw new Error("mine");
        if (query.caller === "2") await new Promise(() => 0);
        if (query.caller === "3") { const a = []; for (;;) a.push({}); }
        if (query.caller === "4") return 5;
        return { body: String(n) };
      }`;
    expect(await ask(code, 6)).to.deep.equal(["error", "error", "memory", "badAnswer", "1", "1"]);
  });

  it("has every byte of its memory back, whatever was run", async () => {
    const engine = await Engine.start(8 * 1024 * 1024, await compileQuickJs());
    const { context } = engine;
    const before = Buffer.from(engine.bytes);
    const none = () => undefined;
    for (const code of [
      "1",
      "globalThis.a = []; for (let i = 0; i < 1e4; i++) a.push({ i })",
      "globalThis.a = new Uint8Array(2 ** 22).fill(255)",
      "(function f(i) { if (i > 0) f(i - 1) })(300)",
      "new RegExp('(a'.repeat(200) + ')'.repeat(200)).exec('a'.repeat(1e5))",
      "const a = []; for (;;) a.push({})",
      "Promise.resolve().then(() => 1); Math.random()",
    ]) {
      engine.inside = {
        host: {
          call: none,
          log: none,
          payload: none,
          proof: none,
          keep: none,
          hash: none,
          encode: none,
          decode: none,
          atob: none,
          btoa: none,
        },
        interrupted: () => false,
        imported: none,
      };
      context.evalCode(code);
      expect(before.equals(engine.bytes.subarray(0, before.length)), code).to.be.false;
      expect(engine.putBack(), code).to.be.true;
      const now = engine.bytes;
      expect(before.equals(now.subarray(0, before.length)), code).to.be.true;
      expect(
        now.subarray(before.length).every((byte) => byte === 0),
        code,
      ).to.be.true;
    }
  });
});

describe("a function that misbehaves", () => {
  it("is told apart from one that accuses, whatever it throws or answers", async () => {
    for (const [body, kind] of [
      [`throw new Error("malicious")`, "error"],
      [`throw "malicious"`, "error"],
      [`throw null`, "error"],
      [`throw undefined`, "error"],
      [`throw { get message() { throw 1 }, toJSON() { throw 2 } }`, "error"],
      [`throw new Proxy({}, { get() { throw 1 } })`, "error"],
      [`throw Symbol("malicious")`, "error"],
      [`throw { message: { toString() { throw 1 } }, stack: 1n }`, "error"],
      [`return { get then() { throw 1 } }`, "error"],
      [`return { then(_, reject) { reject("malicious") } }`, "error"],
      [`return "Malicious"`, "badAnswer"],
      [`return "malicious "`, "badAnswer"],
      [`return new String("malicious")`, "badAnswer"],
      [`return ["malicious"]`, "badAnswer"],
      [
        `return { toString() { return "malicious" }, toJSON() { return "malicious" } }`,
        "badAnswer",
      ],
      [`return true`, "badAnswer"],
      [`return "x".repeat(1e7)`, "badAnswer"],
      [`return`, "badAnswer"],
      [`return () => "malicious"`, "badAnswer"],
      [`return 1n`, "badAnswer"],
    ] as const) {
      expect((await failureOf(audit(body))).kind, body).to.equal(kind);
    }
  });

  it("is told what a syntax error or a missing export is", async () => {
    const broken = await failureOf(runAudit(functionOf("export const ="), AUDIT, doorsWith()));
    expect(broken.message).to.match(/^SyntaxError: .*\n\s+at audit\.js:1:/);
    const none = await failureOf(runAudit(functionOf("export const x = 1"), AUDIT, doorsWith()));
    expect(none).to.deep.equal({
      kind: "badAnswer",
      message: "the file exports no function `audit`",
      ours: false,
    });
  });

  it("imports nothing, neither as a statement nor when it runs", async () => {
    const statement = functionOf(`import fs from "node:fs"; export const audit = () => "valid"`);
    const failure = await failureOf(runAudit(statement, AUDIT, doorsWith()));
    expect(failure.message).to.equal('the file imports "node:fs": bundle it into one file');
    const caught = audit(`try { await import("x") } catch {} return "malicious"`);
    expect((await failureOf(caught)).message).to.contain('the file imports "x"');
  });

  it("poisons its own prototypes alone", async () => {
    for (const poison of [
      `Object.prototype.toJSON = () => "malicious"`,
      `Promise.prototype.then = () => { throw 1 }`,
      `Object.defineProperty(Object.prototype, "then", { get() { throw 1 } })`,
      `Object.defineProperty(Object.prototype, "kind", { get: () => "value", set() {} })`,
      `JSON.stringify = JSON.parse = () => { throw 1 }`,
      `globalThis.Promise = globalThis.Object = globalThis.Reflect = undefined`,
      `Function.prototype.apply = Function.prototype.call = () => "malicious"`,
      `Array.prototype[Symbol.iterator] = () => { throw 1 }`,
      `Symbol.prototype.toString = String.prototype.slice = () => "malicious"`,
    ]) {
      const code = `${poison}; export const audit = () => "valid"`;
      const ran = await runAudit(functionOf(code), AUDIT, doorsWith());
      expect(ran, poison).to.include({ ok: true, value: "valid" });
    }
  });

  it("never sees trouble of the node itself, so it can't make an accusation of it", async () => {
    const catching = (door: string) =>
      audit(
        `try { await c.${door}("x") } catch {} return "malicious"`,
        {},
        {
          account: () => Promise.reject(new DoorError("timeout", "RPC is slow", true)),
          transaction: () => Promise.reject(new Error("a mistake of ours")),
        },
      );
    expect(await failureOf(catching("account"))).to.deep.equal({
      kind: "error",
      message: "the node itself is in trouble: account: RPC is slow",
      ours: true,
    });
    expect(await failureOf(catching("transaction"))).to.include({ kind: "error", ours: true });
  });

  it("is not at fault where its thread ends or breaks, unless for lack of memory", async () => {
    const endings: readonly [(worker: Worker) => unknown, boolean][] = [
      [(worker) => worker.terminate(), true],
      [(worker) => worker.emit("error", new Error("broken")), true],
      [
        (worker) =>
          worker.emit(
            "error",
            Object.assign(new Error("full"), { code: "ERR_WORKER_OUT_OF_MEMORY" }),
          ),
        false,
      ],
    ];
    for (const [end, ours] of endings) {
      const workers: Worker[] = [];
      // eslint-disable-next-line @typescript-eslint/unbound-method -- is called with its `this`
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (this: Worker, message: unknown) {
        workers.push(this);
        postMessage.call(this, message);
      };
      try {
        const account = () => {
          for (const worker of workers) end(worker);
          return new Promise<never>(() => undefined);
        };
        const failure = await failureOf(audit(`await c.account("x")`, {}, { account }));
        expect(failure).to.include({ kind: ours ? "error" : "memory", ours });
      } finally {
        Worker.prototype.postMessage = postMessage;
      }
    }
  });

  it("asks doors for odd things without harm", async () => {
    const log = await logOf(
      `const loop = {}; loop.loop = loop;
       for (const odd of [loop, 1n, { get url() { throw new Error("mine") } }, { url: "x".repeat(2 ** 20) }]) {
         try { await c.http(odd) } catch (e) { c.log(e.name + ": " + e.message) }
       }
       Array.prototype.toJSON = () => "no list";
       try { await c.http({ url: "" }) } catch (e) { c.log(e.reason) }`,
    );
    expect(log).to.have.length(5);
    expect(log[2]).to.equal("Error: mine");
    expect(log[3]).to.equal("RangeError: the call asks too much at once");
    expect(log[4]).to.equal("refused");
  });

  it("runs beside others without mixing them up", async () => {
    const runs = Array.from({ length: 6 }, (_, i) =>
      audit(
        `const { body } = await c.http({ url: "${i}" }); c.log(body); return "valid"`,
        {},
        { http: ({ url }) => Promise.resolve({ status: 200, headers: {}, body: url }) },
      ),
    );
    expect((await Promise.all(runs)).map(({ log }) => log[0])).to.deep.equal([
      "0",
      "1",
      "2",
      "3",
      "4",
      "5",
    ]);
  });

  it("leaves nothing behind: a hundred runs that fill their memory take no more than a few", async () => {
    const fill = () =>
      audit(
        `const a = []; for (let i = 0; i < 300; i++) a.push(new Uint8Array(1e5).fill(1));
         c.http({ url: "" }).catch(() => 0); return "valid"`,
      );
    for (let i = 0; i < 10; i++) await fill();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 100; i++) expect(await fill()).to.include({ ok: true });
    // One run takes 30 MB: what was not given back would be 3 GB.
    expect(process.memoryUsage.rss() - before).to.be.lessThan(300e6);
  });
});
