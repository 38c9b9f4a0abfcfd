import type { LoadedFunction, Verdict } from "@securing-tasks/sandbox";
import { runAudit, runWork } from "@securing-tasks/sandbox";
import { expect } from "chai";
import { encodeText } from "../src/shared/bytes";
import { fits, itemsOf } from "../src/storage/content";
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

const SCHEMA = {
  type: "object",
  required: ["title", "at", "link"],
  properties: {
    title: { type: "string", minLength: 1, pattern: "^[A-Z]" },
    at: { type: "string", format: "date-time" },
    link: { type: "string", format: "uri" },
    tags: { type: "array", items: { $ref: "#/$defs/tag" } },
  },
  additionalProperties: false,
  $defs: { tag: { enum: ["news", "art"] } },
};

function article(title: string, more: object = {}): string {
  return JSON.stringify({ title, at: "2024-01-31T12:00:00Z", link: "https://a.b/c", ...more });
}

describe("the storage template", function () {
  this.timeout(120_000);
  const doors = localDoors();
  const facts = someWorkFacts();
  let audit: LoadedFunction;
  let work: LoadedFunction;
  let shelf: Shelf;
  let index: Web;
  let listed: unknown;

  before(async () => {
    await runBuilder();
    ({ audit, work } = await loadTemplate("storage", { schema: SCHEMA, samples: 3 }));
  });

  beforeEach(async () => {
    shelf = await Shelf.open();
    index = await Web.serve((_request, response) => {
      response.end(typeof listed === "string" ? listed : JSON.stringify(listed));
    });
  });

  afterEach(async () => {
    await shelf.close();
    await index.close();
  });

  async function made(fn: LoadedFunction): Promise<string> {
    const ran = await runWork(fn, { ...facts, secrets: { source: index.url } }, doors);
    return ran.ok ? Buffer.from(ran.value).toString() : ran.failure.message;
  }

  interface Listed {
    readonly items: readonly {
      readonly sha256: string;
      readonly uri: string;
      readonly size: number;
    }[];
  }

  /** Audits a manifest, changed by this. */
  async function expectOf(verdict: Verdict, change: (manifest: Listed) => object = (same) => same) {
    const manifest = JSON.parse(await made(work)) as Listed;
    const payload = shelf.put(JSON.stringify(change(manifest)));
    await expectVerdict(audit, factsOf(facts, payload), doors, verdict);
  }

  it("clears a manifest of contents that are there", async () => {
    listed = ["A", "B", "C", "D", "E", "F"].map((title) =>
      shelf.put(article(title, { tags: ["news", "art"] })),
    );
    await expectOf("valid");
  });

  it("lists what it can vouch for and nothing else", async () => {
    const good = shelf.put(article("É".normalize("NFD")));
    const bad = shelf.put(article("lower case"));
    const gone = shelf.put(article("Gone"));
    shelf.remove(gone.sha256);
    listed = [good, bad, gone, good];
    const { items } = JSON.parse(await made(work)) as Listed;
    const size = Buffer.byteLength(article("É".normalize("NFD")));
    expect(items).to.deep.equal([{ ...good, size }]);
    // An address that the door can ask, and the audit would call malice.
    const named = { ...good, uri: good.uri.replace("//", "//user@") };
    listed = [named];
    expect(await made(work)).to.contain("Only 0 of the least 1 items can be had.");
    listed = [bad];
    expect(await made(work)).to.contain("Only 0 of the least 1 items can be had.");
    listed = [{ sha256: "no hash" }];
    expect(await made(work)).to.contain("is no { sha256, uri }");
    listed = "no JSON";
    expect(await made(work)).to.contain("gives no JSON list");
  });

  it("calls contents that are not at their place down, whatever is there instead", async () => {
    listed = [shelf.put(article("Here"))];
    await expectOf("downtime", ({ items: [item] }) => {
      shelf.remove(item?.sha256 ?? "");
      return { owner: facts.owner, round: facts.round, items: [item] };
    });
    listed = [shelf.put(article("There"))];
    await expectOf("downtime", ({ items: [item] }) => {
      shelf.replace(item?.sha256 ?? "", article("Something else"));
      return { owner: facts.owner, round: facts.round, items: [item] };
    });
  });

  it("convicts of malice for a wrong size and for contents that break the schema", async () => {
    listed = [shelf.put(article("Right"))];
    await expectOf("malicious", (manifest) => ({
      ...manifest,
      items: manifest.items.map((item) => ({ ...item, size: item.size + 1 })),
    }));
    for (const content of [
      article(""),
      article("lower"),
      article("Tag", { tags: ["sport"] }),
      article("At", { at: "yesterday" }),
      article("Link", { link: "nowhere" }),
      article("More", { more: 1 }),
      "[]",
      "no JSON",
    ]) {
      const item = { ...shelf.put(content), size: Buffer.byteLength(content) };
      await expectOf("malicious", (manifest) => ({ ...manifest, items: [item] }));
    }
  });

  it("lets no missing content hide a lie", async () => {
    const lie = { ...shelf.put("no JSON"), size: 7 };
    const gone = { ...shelf.put(article("Gone")), size: 1 };
    shelf.remove(gone.sha256);
    listed = [shelf.put(article("Right"))];
    await expectOf("malicious", (manifest) => ({
      ...manifest,
      items: [gone, ...manifest.items, lie],
    }));
  });

  it("convicts a manifest that is not what it must be of malice", async () => {
    listed = [shelf.put(article("Right"))];
    const { owner, round } = facts;
    for (const change of [
      () => ({ owner, round }),
      () => ({ owner, round, items: [] }),
      ({ items }: Listed) => ({ owner, round: round + 1, items }),
      ({ items }: Listed) => ({ owner: "another", round, items }),
      ({ items }: Listed) => ({ owner, round, items: [...items, ...items] }),
      ({ items }: Listed) => ({
        owner,
        round,
        items: items.map((item) => ({ ...item, uri: "a" })),
      }),
      ({ items }: Listed) => ({
        owner,
        round,
        items: items.map((item) => ({ ...item, size: 1e9 })),
      }),
      ({ items: [item] }: Listed) => ({
        owner,
        round,
        items: Array.from({ length: 81 }, (_, at) => ({
          ...item,
          sha256: at.toString(16).padStart(64, "0"),
        })),
      }),
    ]) {
      await expectOf("malicious", change);
    }
  });

  it("audits one content", async () => {
    const one = await loadTemplate("storage", { kind: "content", schema: SCHEMA, mostBytes: 200 });
    const check = (content: string, verdict: Verdict) =>
      expectVerdict(one.audit, factsOf(facts, shelf.put(content)), doors, verdict);
    listed = article("Right");
    await check(await made(one.work), "valid");
    await check(article("wrong"), "malicious");
    await check(article("Long".repeat(50)), "malicious");
    const gone = shelf.put(article("Gone"));
    shelf.remove(gone.sha256);
    await expectVerdict(one.audit, factsOf(facts, gone), doors, "downtime");
    listed = article("wrong");
    expect(await made(one.work)).to.contain("breaks the task's schema");
  });

  it("lists every address that its audit takes", async () => {
    const { sha256, uri } = shelf.put(article("Right"));
    const upper = { sha256, uri: uri.replace("http", "HTTP") };
    listed = [upper];
    await expectOf("valid", (manifest) => {
      expect(manifest.items[0]?.uri).to.equal(upper.uri);
      return manifest;
    });
    for (const address of [
      "http://a_b.c/d",
      "https://a.b?c=d",
      `http://a.b/${"c".repeat(1_900)}`,
    ]) {
      const item = { sha256, uri: address, size: 1 };
      const payload = encodeText(JSON.stringify({ owner: "me", round: 1, items: [item] }));
      const limits = { leastItems: 1, mostItems: 1, mostBytes: 1 };
      expect(itemsOf(payload, "me", 1, limits), address).to.deep.equal([item]);
    }
  });

  it("submits no content that its audit would not clear", async () => {
    const schema = { type: "object" };
    const one = await loadTemplate("storage", { kind: "content", schema, mostBytes: 20 });
    listed = '{"a":"ééé"}';
    await expectVerdict(one.audit, factsOf(facts, shelf.put(await made(one.work))), doors, "valid");
    // 15 characters, but 22 bytes.
    listed = '{"a":"ééééééé"}';
    expect(await made(one.work)).to.contain("bytes, and the task takes 20 at most");
    const any = await loadTemplate("storage", { kind: "content" });
    const binary = await Web.serve((_request, response) => response.end(Buffer.of(97, 255)));
    const ran = await runWork(any.work, { ...facts, secrets: { source: binary.url } }, doors);
    await binary.close();
    expect(ran.ok ? "" : ran.failure.message).to.contain("is no UTF-8 text");
  });

  it("has a verdict on content that is made to hold it up", async () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    const many = (values: number) => `[${"1,".repeat(values - 2)}1]`;
    const named = (length: number) => `{"${"n".repeat(length)}":1}`;
    // Each level takes three calls of the validator.
    const deep = { anyOf: [{ type: ["object", "number"] }, { allOf: [{ items: { $ref: "#" } }] }] };
    const limits = { schema: deep, kind: "content", samples: 5 } as const;
    for (const make of [() => nested(65), () => many(50_000), () => named(1_000)]) {
      expect(fits(make(), limits)).to.equal(true);
    }
    for (const make of [() => nested(66), () => many(50_001), () => named(1_001)]) {
      expect(fits(make(), limits)).to.equal(false);
    }
    // An audit of a manifest looks at all its samples.
    expect(fits(many(10_000), { ...limits, kind: "manifest" })).to.equal(true);
    expect(fits(many(10_001), { ...limits, kind: "manifest" })).to.equal(false);
    expect(
      fits('{"a":1}', { ...limits, schema: { properties: { a: { $ref: "#/no" } } } }),
    ).to.equal(false);

    const one = await loadTemplate("storage", { kind: "content", schema: deep, mostBytes: 1e6 });
    for (const content of [nested(66), nested(500_000), many(60_000)]) {
      const { audit: judge, work: make } = one;
      await expectVerdict(judge, factsOf(facts, shelf.put(content)), doors, "malicious");
      listed = content;
      expect(await made(make)).to.contain("breaks the task's schema");
    }
    // What the one submits, the other clears, however little stack is left for it.
    for (const depth of [20, 40, 65]) {
      listed = nested(depth);
      const said = await made(one.work);
      if (said.startsWith("[")) {
        await expectVerdict(one.audit, factsOf(facts, shelf.put(said)), doors, "valid");
      } else {
        const payload = shelf.put(nested(depth));
        await expectVerdict(one.audit, factsOf(facts, payload), doors, "malicious");
      }
    }
  });

  it("has a verdict on long texts for plain patterns, which take a time that grows with the square of them", async () => {
    for (const [schema, text] of [
      [{ pattern: "a.*b" }, "a".repeat(200_000)],
      [{ pattern: "\\s+$" }, " ".repeat(200_000) + "a"],
      [{ patternProperties: { "a.*b": false } }, { ["a".repeat(900)]: 1 }],
      [{ items: { pattern: "a.*b" } }, Array.from({ length: 200 }, () => "a".repeat(999))],
    ] as const) {
      const one = await loadTemplate("storage", { kind: "content", schema, mostBytes: 1e6 });
      const content = JSON.stringify(text);
      const fine = typeof text === "object" && !Array.isArray(text);
      const ran = await runAudit(one.audit, factsOf(facts, shelf.put(content)), doors);
      expect(ran.ok ? ran.value : ran.failure.message).to.equal(fine ? "valid" : "malicious");
      listed = content;
      expect(await made(one.work)).to.contain(fine ? content : "breaks the task's schema");
    }
    // Texts that no pattern is for may be long.
    const schema = { properties: { id: { pattern: "a.*b" }, when: { format: "date-time" } } };
    const said = { id: `a${"c".repeat(2_000)}b`, when: "2026-01-01T00:00:00Z" };
    const long = JSON.stringify({ ...said, text: "a".repeat(200_000) });
    expect(fits(long, { schema, kind: "content", samples: 5 })).to.equal(true);
  });

  it("leaves out of a manifest what it could not vouch for in an audit", async () => {
    const { audit: judge, work: make } = await loadTemplate("storage", { schema: { items: {} } });
    const good = shelf.put("[1]");
    listed = [
      shelf.put("[".repeat(70) + "]".repeat(70)),
      shelf.put(`[${"1,".repeat(10_000)}1]`),
      good,
    ];
    const said = await made(make);
    expect((JSON.parse(said) as Listed).items).to.deep.equal([{ ...good, size: 3 }]);
    await expectVerdict(judge, factsOf(facts, shelf.put(said)), doors, "valid");
  });

  it("takes any bytes where there is no schema", async () => {
    const any = await loadTemplate("storage", {});
    const bytes = Uint8Array.of(0, 255, 254, 0);
    const items = [{ ...shelf.put(bytes), size: 4 }];
    const payload = shelf.put(JSON.stringify({ owner: facts.owner, round: facts.round, items }));
    await expectVerdict(any.audit, factsOf(facts, payload), doors, "valid");
  });

  it("says what to do when a worker has no source", async () => {
    const ran = await runWork(work, facts, doors);
    expect(ran.ok ? "" : ran.failure.message).to.contain("Set secrets.source");
  });
});
