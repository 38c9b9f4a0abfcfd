import type { LoadedFunction, Verdict } from "@securing-tasks/sandbox";
import { runWork } from "@securing-tasks/sandbox";
import { expect } from "chai";
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
    tags: { type: "array", items: { $ref: "#/$defs/tag" }, uniqueItems: true },
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
      article("Tags", { tags: ["art", "art"] }),
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
