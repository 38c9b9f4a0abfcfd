import type { TemplateName } from "@securing-tasks/templates";
import { TEMPLATES, bundleTemplate, template, templateInfo } from "@securing-tasks/templates";
import { runWork } from "@securing-tasks/sandbox";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { refusal } from "../../../tests/utils/refusal";
import { localDoors, runBuilder, someWorkFacts } from "./utils";

const FILES = TEMPLATES.flatMap((name) => [`${name}/audit.js`, `${name}/work.js`]);
const vault = Keypair.generate().publicKey.toBase58();

describe("the bundles", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "securing-tasks-bundles-"));
    await runBuilder();
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it("are the same bytes wherever they are made, and not made again without need", async () => {
    const package_ = join(folder, "package");
    for (const part of ["src", "build.mjs"]) {
      await cp(join(__dirname, "..", part), join(package_, part), { recursive: true });
    }
    await symlink(join(__dirname, "../node_modules"), join(package_, "node_modules"));
    await symlink(join(__dirname, "../../../node_modules"), join(folder, "node_modules"));
    const [here, there] = [join(folder, "here"), join(folder, "there")];
    expect((await runBuilder(here)).trim().split("\n")).to.have.length(FILES.length);
    expect(await runBuilder(here)).to.equal("");
    await promisify(execFile)(process.execPath, [join(package_, "build.mjs"), there]);
    for (const file of FILES) {
      const made = await readFile(join(here, file), "utf8");
      const [name, kind] = file.split("/") as [TemplateName, "audit.js" | "work.js"];
      const known = template(name)[kind === "audit.js" ? "audit" : "work"];
      expect(made).to.equal(await readFile(known, "utf8"));
      expect(made, file).to.equal(await readFile(join(there, file), "utf8"));
      expect(made).not.to.match(/^\s*import[ {(*]/m);
      expect(made).not.to.contain("node_modules");
    }
  });

  it("take a creator's parameters, visibly and always in the same way", async () => {
    const parameters = { vault, maxPerRound: "5", destinations: [vault] };
    const made = await bundleTemplate("bridge-vault", parameters, join(folder, "a"));
    const again = await bundleTemplate("bridge-vault", parameters, join(folder, "b"));
    const text = await readFile(made.audit.path, "utf8");
    expect(text.split("\n")[1]).to.contain(`{"vault":"${vault}"`);
    expect(made.audit.hash).to.deep.equal(createHash("sha256").update(text).digest());
    expect([again.audit.hash, again.work.hash]).to.deep.equal([made.audit.hash, made.work.hash]);
    const other = await bundleTemplate(
      "bridge-vault",
      { ...parameters, maxPerRound: "6" },
      join(folder, "b"),
    );
    expect(other.audit.hash).not.to.deep.equal(made.audit.hash);
  });

  it("with the defaults alone are the bundles as they come", async () => {
    for (const name of ["rest", "storage", "vrf"] as const) {
      const { audit, work } = await bundleTemplate(name, {}, folder);
      expect(await readFile(audit.path, "utf8")).to.equal(
        await readFile(template(name).audit, "utf8"),
      );
      expect(await readFile(work.path, "utf8")).to.equal(
        await readFile(template(name).work, "utf8"),
      );
    }
  });

  it("say that they need parameters, where they do", async () => {
    const code = await readFile(template("bridge-vault").work, "utf8");
    const hash = createHash("sha256").update(code).digest();
    const ran = await runWork({ hash, code }, someWorkFacts(), localDoors());
    expect(ran.ok ? "" : ran.failure.message).to.contain("This file has no parameters yet");
  });

  it("can be made of a folder of one's own", async () => {
    const own = join(folder, "own");
    await cp(join(__dirname, "../src/rest"), join(own, "mine"), { recursive: true });
    await cp(join(__dirname, "../src/shared"), join(own, "shared"), { recursive: true });
    await writeFile(
      join(own, "mine/answer.ts"),
      "export const answer = (question: number): string => String(question * 2);\n",
    );
    const out = join(folder, "out");
    const parameters = JSON.stringify({ questions: 1, biggestQuestion: 9, timeoutMs: 100 });
    await runBuilder(join(own, "mine"), out, parameters);
    const text = await readFile(join(out, "work.js"), "utf8");
    expect(text).to.contain("question * 2").and.to.contain(parameters);
  });

  for (const [name, parameters, message] of [
    ["rest", { question: 3 }, "Template rest has no parameter question. It has: questions, "],
    ["rest", { questions: "3" }, 'questions must be a whole number from 1 to 20, and is "3".'],
    [
      "rest",
      { questions: 20, timeoutMs: 5_000 },
      "(questions + 3) × timeoutMs may be 40000 at most",
    ],
    ["rest", { timeoutMs: null }, "timeoutMs must be a whole number"],
    ["bridge-vault", { maxPerRound: "1" }, "Template bridge-vault needs the parameter vault. "],
    ["bridge-vault", { vault: "1", maxPerRound: "1" }, "vault must be an address in base58"],
    [
      "bridge-vault",
      { vault, maxPerRound: 1 },
      "maxPerRound must be an amount in base units as text",
    ],
    [
      "bridge-vault",
      { vault, maxPerRound: "1", mint: vault },
      "mint and tokenAccount belong together",
    ],
    ["bridge-vault", { vault, maxPerRound: "1", refunds: false }, "nobody may be paid"],
    ["storage", { kind: "files" }, 'kind must be "manifest" or "content"'],
    ["storage", { schema: { $ref: "#/nowhere" } }, "schema must be a JSON schema (draft 2020-12)"],
    ["storage", { schema: { items: { $ref: "https://a.b" } } }, "whose $ref all begin with #"],
    ["storage", { schema: { items: { $id: "https://a.b" } } }, "no $id but at its root"],
    ["storage", { schema: { $defs: { a: { uniqueItems: true } } } }, "without uniqueItems"],
    ["storage", { schema: { items: { format: "url" } } }, 'use "uri"'],
    ["storage", { schema: { properties: { a: { $ref: "#/no" } } } }, "leads nowhere"],
    ["storage", { schema: { properties: { a: { pattern: "(" } } } }, "that can be used"],
    ["storage", { samples: 33 }, "samples × mostBytes may be 8388608 at most"],
    ["storage", { leastItems: 9, mostItems: 8 }, "leastItems must not be over mostItems"],
    ["oracle", {}, "There is no template oracle. There are: rest, bridge-vault, storage, vrf."],
  ] as const) {
    it(`refuse ${JSON.stringify(parameters).slice(0, 40)} for ${name}`, async () => {
      const error = await refusal(bundleTemplate(name as TemplateName, parameters, folder));
      expect(error.message).to.contain(message);
    });
  }

  it("are described", () => {
    for (const name of TEMPLATES) {
      const { description, parameters } = templateInfo(name);
      expect(description).to.match(/^[A-Z][^\n]{20,100}$/);
      for (const { about } of Object.values(parameters)) expect(about).to.match(/^["A-Z]/);
    }
  });
});
