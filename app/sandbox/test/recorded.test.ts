import { createHash } from "node:crypto";
import { expect } from "chai";
import {
  DoorError,
  MOST_RECORDED_BYTES,
  canonicalRun,
  recordDoors,
  recordedHash,
  recordedText,
  replayRun,
  runAudit,
  runRecording,
} from "@securing-tasks/sandbox";
import type { Doors, RecordedRun } from "@securing-tasks/sandbox";
import { AUDIT, doorsWith, functionOf } from "./utils";

const ASKS = functionOf(`
export async function audit(context) {
  const { status, body } = await context.http({ url: "https://example.com/a", method: "POST", body: "ä" });
  const bytes = await context.fetch("00".repeat(32));
  const gone = await context.http({ url: "https://example.com/b" }).catch(({ reason }) => reason);
  context.log([status, body, bytes[1], gone, context.seed.slice(0, 2)].join());
  return status === 200 && gone === "timeout" ? "malicious" : "valid";
}`);

const WORLD = {
  http: ({ url }: { readonly url: string }) =>
    url.endsWith("a")
      ? Promise.resolve({ status: 200, headers: { b: "1", a: "2" }, body: "ö" })
      : Promise.reject(new DoorError("timeout", "192.168.0.7 (my-laptop) had no answer")),
  fetch: () => Promise.resolve(new Uint8Array([0, 255])),
};

describe("a recorded run", () => {
  /** Runs over a world, and gives what is kept of it. */
  async function record(fn = ASKS, world: Partial<Doors> = WORLD): Promise<string | null> {
    const recording = runRecording();
    const ran = await runAudit(fn, AUDIT, recordDoors(doorsWith(world), recording));
    if (!ran.ok) throw new Error(ran.failure.message);
    return recordedText(fn, AUDIT, [], recording, ran.value);
  }

  it("says all that it was told, in one way, and comes to the same verdict again without the world", async () => {
    const text = (await record()) ?? "";
    expect(await record()).to.equal(text);
    const run = JSON.parse(text) as RecordedRun;
    expect(canonicalRun(run)).to.equal(text);
    expect(recordedHash(text)).to.equal(createHash("sha256").update(text).digest("hex"));
    expect(run.function).to.equal(Buffer.from(ASKS.hash).toString("hex"));
    expect([run.verdict, run.facts, run.calls.length]).to.deep.equal(["malicious", AUDIT, 3]);
    const ran = await replayRun(run);
    expect(ran).to.include({ ok: true, value: "malicious" });
    expect(ran.log).to.deep.equal(["200,ö,255,timeout,01"]);
  });

  it("tells nothing of the node that ran it", async () => {
    const text = (await record()) ?? "";
    expect(text).not.to.match(/laptop|192\.168/);
    const { calls } = JSON.parse(text) as RecordedRun;
    expect(calls[2]?.failure).to.deep.equal({ reason: "timeout", message: "timeout" });
  });

  it("is none where the node was in trouble meanwhile, or has no answer yet", async () => {
    const late = functionOf(`
export async function audit(context) {
  context.http({ url: "https://example.com/slow" }).catch(() => {});
  await context.account("x");
  return "malicious";
}`);
    let end: () => void = () => undefined;
    const slow = new Promise<never>((_resolve, reject) => {
      end = () => {
        reject(new DoorError("unreachable", "https://rpc.example/?api-key=SECRET is down", true));
      };
    });
    const world = {
      http: () => slow,
      account: () => {
        setTimeout(end, 50);
        return Promise.resolve(null);
      },
    };
    expect(await record(late, world)).to.equal(null);
  });

  it("has the answers that the function did not wait for", async () => {
    const hasty = functionOf(`
export async function audit(context) {
  context.http({ url: "https://example.com/slow" }).catch(() => {});
  await context.account("x");
  return "malicious";
}`);
    const later = (): Promise<{ status: number; headers: object; body: string }> =>
      new Promise((resolve) => {
        setTimeout(() => {
          resolve({ status: 200, headers: {}, body: "late" });
        }, 50);
      });
    const world = { http: later as Doors["http"], account: () => Promise.resolve(null) };
    const { calls } = JSON.parse((await record(hasty, world)) ?? "") as RecordedRun;
    expect(calls[0]?.answer).to.include({ body: "late" });
  });

  it("is none where it would be too long", async () => {
    const many = functionOf(`
export async function audit(context) {
  for (let at = 0; at < 5; at += 1) await context.http({ url: "https://example.com/" + at });
  return "malicious";
}`);
    const body = "x".repeat(MOST_RECORDED_BYTES / 4);
    const answer = { status: 200, headers: {}, body };
    expect(await record(many, { http: () => Promise.resolve(answer) })).to.equal(null);
    const fits = { ...answer, body: body.slice(body.length / 2) };
    const text = await record(many, { http: () => Promise.resolve(fits) });
    expect(text?.length).to.be.greaterThan(MOST_RECORDED_BYTES / 2);
  });

  it("that was changed asks for what is not there, or says something else", async () => {
    const run = JSON.parse((await record()) ?? "") as RecordedRun;
    const [first, ...rest] = run.calls;
    if (!first) throw new Error("Nothing was asked.");
    const asked = await replayRun({ ...run, calls: rest });
    expect(asked.ok ? "" : asked.failure.message).to.contain("was not recorded");
    const answered = { ...first, answer: { status: 500, headers: {}, body: "" } };
    expect(await replayRun({ ...run, calls: [answered, ...rest] })).to.include({ value: "valid" });
  });
});
