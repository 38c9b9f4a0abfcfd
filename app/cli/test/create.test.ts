import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ACCOUNT_BYTES, WRAPPED_SOL } from "@securing-tasks/client";
import type { Doors, LoadedFunction } from "@securing-tasks/sandbox";
import { liveDoors } from "@securing-tasks/sandbox";
import { Connection, Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { refusal } from "../../../tests/utils/refusal";
import { bindFunction, bundle, parseParameter } from "../src/create/functions";
import { PRESET_TABLE, suggestedAppeal } from "../src/create/presets";
import { previewLines } from "../src/create/preview";
import type { Stage } from "../src/create/rehearsal";
import { checkWithSample, readSample, rehearse } from "../src/create/rehearsal";
import { UsageError } from "../src/failures";
import { moneyOf } from "../src/lookup";

const CLI = join(__dirname, "../dist/main.js");
const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("task create", () => {
  let folder: string;
  const servers: { close(): unknown }[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "create-"));
  });
  after(async () => {
    for (const server of servers) server.close();
    await rm(folder, { recursive: true });
  });

  async function file(name: string, text: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  }

  async function serve(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/f.js`;
  }

  async function refused(attempt: Promise<unknown>): Promise<string> {
    const error = await refusal(attempt);
    expect(error).to.be.instanceOf(UsageError);
    return error.message;
  }

  describe("binds a function", () => {
    const text = "export function audit() { return 'valid'; }";
    const hash = hashOf(text);

    it("to the hash of its file, and warns that others can't fetch it", async () => {
      const path = await file("audit.js", text);
      const bound = await bindFunction("audit", { file: path });
      expect(Buffer.from(bound.ref.hash).toString("hex")).to.equal(hash);
      expect(bound.ref.uri).to.equal(pathToFileURL(path).href);
      expect(bound.loaded?.code).to.equal(text);
      expect(bound.warnings.join()).to.include("nodes on other machines can't fetch it");
    });

    it("to what its address gives, compared with file and hash", async () => {
      const path = await file("audit.js", text);
      const uri = await serve((_, response) => response.end(text));
      for (const source of [
        { uri },
        { uri, hash },
        { uri, file: path },
        { uri, file: path, hash },
      ]) {
        const { ref, loaded, warnings } = await bindFunction("audit", source);
        expect(Buffer.from(ref.hash).toString("hex")).to.equal(hash);
        expect([ref.uri, loaded?.code, warnings]).to.deep.equal([uri, text, []]);
      }
      const other = await file("other.js", "export const other = 1;");
      expect(await refused(bindFunction("audit", { uri, file: other }))).to.match(
        new RegExp(`has the SHA-256 ${hash}, not .* nodes would refuse it`),
      );
      expect(await refused(bindFunction("audit", { file: path, hash: "0".repeat(64) }))).to.include(
        `has the SHA-256 ${hash}, not 0000`,
      );
    });

    it("to a hash alone where its address gives nothing yet, with a warning", async () => {
      const missing = await serve((_, response) => response.writeHead(404).end());
      // As nodes: they follow no redirect.
      const moved = await serve((_, response) =>
        response.writeHead(302, { location: missing }).end(),
      );
      for (const [uri, problem] of [
        [missing, "status 404"],
        [moved, "status 302"],
        ["http://127.0.0.1:1/f.js", "127.0.0.1:1"],
      ] as const) {
        const { loaded, warnings } = await bindFunction("task", { uri, hash });
        expect(loaded).to.equal(null);
        expect(warnings.join()).to.include(problem).and.to.include("before nodes join");
        expect(await refused(bindFunction("task", { uri }))).to.include("--task-hash");
      }
      const { ref, warnings } = await bindFunction("task", { uri: "ipfs://content", hash });
      expect([ref.uri, warnings]).to.deep.equal(["ipfs://content", []]);
    });

    it("but none that nodes can't take", async () => {
      const huge = await file("huge.js", "/".repeat(1024 * 1024 + 1));
      expect(await refused(bindFunction("audit", { file: huge }))).to.include("over 1048576 bytes");
      expect(await refused(bindFunction("audit", { file: join(folder, "nowhere.js") }))).to.include(
        "there is none",
      );
      const uri = `ipfs://${"x".repeat(122)}`;
      expect(await refused(bindFunction("audit", { uri, hash }))).to.include(
        "has 129 bytes, and a task stores at most 128",
      );
      const latin = join(folder, "latin.js");
      await writeFile(latin, Buffer.from([0xff, 0xfe]));
      expect(await refused(bindFunction("audit", { file: latin }))).to.include("no UTF-8 text");
    });

    it("made from a template with its parameters, and knows what was meant by a wrong one", async () => {
      const { audit } = await bundle(
        { name: "rest", parameters: { questions: 7 } },
        join(folder, "own"),
      );
      expect(await readFile(audit, "utf8")).to.include('"questions":7');
      expect(await refused(bundle({ name: "rest", parameters: { question: 7 } }, folder))).to.match(
        /has no parameter question.*Did you mean `questions`\?/,
      );
      expect(await refused(bundle({ name: "bridge-vault", parameters: {} }, folder))).to.include(
        "needs the parameter vault",
      );
    });

    it("but over no other file than its own", async () => {
      const out = join(folder, "edited");
      const { audit } = await bundle({ name: "rest", parameters: {} }, out);
      await bundle({ name: "rest", parameters: {} }, out);
      await writeFile(audit, "// mine\n");
      const refusal = await refused(bundle({ name: "rest", parameters: {} }, out));
      expect(refusal).to.include(`${audit} is there already`).and.include("--audit-function");
      expect(await readFile(audit, "utf8")).to.equal("// mine\n");
    });

    it("with parameters as people write them: JSON, or text where the parameter is a text", () => {
      const [rest, storage, vault] = ["rest", "storage", "bridge-vault"] as const;
      expect(parseParameter(rest, "questions=7")).to.deep.equal(["questions", 7]);
      expect(parseParameter(storage, "kind=content")).to.deep.equal(["kind", "content"]);
      const schema = { type: "string", pattern: "a=b" };
      expect(parseParameter(storage, `schema=${JSON.stringify(schema)}`)).to.deep.equal([
        "schema",
        schema,
      ]);
      for (const text of ["1000000", '"1000000"']) {
        expect(parseParameter(vault, `maxPerRound=${text}`)[1]).to.equal("1000000");
      }
      expect(() => parseParameter(vault, "maxPerRound=1.5")).to.throw(UsageError, "and is 1.5");
      expect(() => parseParameter(rest, "question=1")).to.throw(UsageError, "Did you mean");
      expect(() => parseParameter(rest, "questions")).to.throw(UsageError, "NAME=VALUE");
    });
  });

  describe("rehearses", () => {
    const load = (code: string): LoadedFunction => ({
      hash: createHash("sha256").update(code).digest(),
      code,
    });
    const doors = (): Doors =>
      liveDoors({
        connection: new Connection("http://127.0.0.1:1", { disableRetryOnRateLimit: true }),
        allowPrivateNetwork: true,
      });
    const stage = (audit: string, work: string | null = null): Stage => ({
      audit: load(audit),
      work: work === null ? null : load(work),
      task: {
        address: Keypair.generate().publicKey.toBase58(),
        creator: Keypair.generate().publicKey.toBase58(),
        id: "1",
        mint: WRAPPED_SOL.address.toBase58(),
        startSlot: 100,
        roundSlots: 100,
        submissionSlots: 50,
        bountyPerRound: "1000",
      },
      doors: doors(),
      secrets: {},
    });

    it("an honest worker and a dark one, with a template's own service", async () => {
      const template = { name: "rest", parameters: {} } as const;
      const { audit, work } = await bundle(template, join(folder, "played"));
      const played = stage(await readFile(audit, "utf8"), await readFile(work, "utf8"));
      expect(await rehearse(played)).to.deep.equal({
        verdicts: { honest: "valid", dark: "downtime" },
        problems: [],
        warnings: [],
      });
    });

    it("and warns where the functions don't fit each other, or accidents are taken for lies", async () => {
      const harsh = `export async function audit({ submission, fetch }) {
        try { await fetch(submission.payloadHash, submission.payloadUri); } catch { return "malicious"; }
        return "downtime";
      }`;
      const found = await rehearse(stage(harsh, `export const work = () => "done";`));
      expect(found.problems).to.deep.equal([]);
      expect(found.warnings.join()).to.match(/own work as downtime.*does not answer as malicious/);
      const blind = await rehearse(stage(`export const audit = () => "valid";`));
      expect(blind.verdicts).to.deep.equal({ emptyPayload: "valid", dark: "valid" });
      expect(blind.warnings.join()).to.include("nothing shows that a node is down");
    });

    it("with answers that the worker signs where its payload names its operator, as a daemon", async () => {
      const strict = `export async function audit({ submission, fetch, http, proof }) {
        let payload;
        try { payload = await fetch(submission.payloadHash, submission.payloadUri); } catch { return "downtime"; }
        const path = "/task/answer?n=1";
        const got = await http({ url: "http://worker.invalid" + path, headers: { "securing-tasks-submission": submission.address } });
        return got.body !== "7" ? "malicious" : proof(payload, { path }, got) ? "valid" : "downtime";
      }`;
      const worker = (payload: string): string =>
        `export const work = ({ operator }) => JSON.stringify(${payload}); export const respond = () => ({ body: "7" });`;
      const verdict = async (payload: string): Promise<unknown> =>
        (await rehearse(stage(strict, worker(payload)))).verdicts;
      expect(await verdict("{ operator }")).to.deep.equal({ honest: "valid", dark: "downtime" });
      expect(await verdict("{}")).to.deep.equal({ honest: "downtime", dark: "downtime" });
    });

    it("with an empty payload where the task function fails, and says so", async () => {
      const found = await rehearse(
        stage(
          `export const audit = () => "downtime";`,
          `export const work = ({ secrets }) => secrets.key.length;`,
        ),
      );
      expect(found.verdicts).to.have.property("emptyPayload", "downtime");
      expect(found.warnings.join()).to.include("--secret NAME=VALUE");
    });

    it("and finds a function that fails, answers badly or whose verdict moves", async () => {
      for (const [code, problem] of [
        [`export const audit = () => { throw new Error("oops"); };`, "oops"],
        [`export const audit = () => "guilty";`, "guilty"],
        [
          `export const audit = () => Math.random() < 0.5 ? "valid" : "downtime";`,
          "the verdict moves",
        ],
        [`export const other = 1;`, "exports no function"],
      ] as const) {
        const { problems } = await rehearse(stage(code));
        expect(problems.join(), code).to.include(problem);
      }
    });

    it("a sample's submission, with its payload", async () => {
      const payload = "seventeen";
      const submission = {
        address: Keypair.generate().publicKey.toBase58(),
        owner: Keypair.generate().publicKey.toBase58(),
        round: 3,
        slot: 420,
        payloadHash: hashOf(payload),
        payloadUri: "ipfs://payload",
      };
      const path = await file("sample.json", JSON.stringify({ submission, payload }));
      const judge = stage(`export async function audit({ submission, fetch }) {
        const payload = new TextDecoder().decode(await fetch(submission.payloadHash));
        return payload === "seventeen" && submission.round === 3 ? "valid" : "malicious";
      }`);
      expect(await checkWithSample(judge, await readSample(path))).to.deep.equal({
        verdicts: { sample: "valid" },
        problems: [],
        warnings: [],
      });
      const wrong = await file(
        "wrong.json",
        JSON.stringify({ submission: { ...submission, slot: -1 } }),
      );
      expect(await refused(readSample(wrong))).to.include("wrong.json: `submission.slot`");
    });
  });

  it("previews a preset with every number in its place", () => {
    const rent = Object.fromEntries(
      Object.entries(ACCOUNT_BYTES).map(([kind, bytes]) => [kind, BigInt(bytes) * 10n]),
    ) as Record<keyof typeof ACCOUNT_BYTES, bigint>;
    const lines = previewLines({
      rules: PRESET_TABLE.seed.rules(10_000_000n),
      money: moneyOf(WRAPPED_SOL),
      fund: 25_000_000n,
      rent,
      costs: {
        taskRent: 6_680n,
        vaultRent: 1_650n,
        fees: 5_000n,
        pool: 25_000_000n,
        total: 25_013_330n,
      },
    }).join("\n");
    // By hand: 20 bounties of stake; 10% of it is 0.02, of which 40% and a third of 55% are the caller's.
    expect(lines).to.match(/the worker +│ -0\.02 SOL +│ -0\.2 SOL +│ \+0\.002 SOL/);
    expect(lines).to.match(/the caller, with 2 other voters +│ \+0\.011666666 SOL/);
    expect(lines).to.match(/each of 10 other voters +│ \+0\.001 SOL/);
    expect(lines).to.include(
      "The pool of 0.025 SOL lasts 2 rounds, ~20m, and pays 0.005 SOL in one more.",
    );
    expect(lines).to.include(
      "A verdict needs 2 votes besides the initiator's and 20% of all nodes but the accused's on its own side: nobody with less decides, however many sleep, and at least so much must be awake to decide anything.",
    );
    expect(lines).to.include("lost if the worker is acquitted. A vote risks nothing.");
    expect(lines).to.match(/now, in all +│ 0\.02501333 SOL/);
    expect(lines).to.match(/last verdict +│ 2100 +│ +│ 14m/);
  });

  it("previews what a wrong caller loses where one vote is a quorum, and any quorum in no time", () => {
    const rent = Object.fromEntries(Object.keys(ACCOUNT_BYTES).map((kind) => [kind, 0n])) as Record<
      keyof typeof ACCOUNT_BYTES,
      bigint
    >;
    const costs = { taskRent: 0n, vaultRent: 0n, fees: 0n, pool: 0n, total: 0n };
    const money = moneyOf(WRAPPED_SOL);
    const shown = (quorumVotes: number): string => {
      const rules = { ...PRESET_TABLE.seed.rules(10_000_000n), quorumVotes };
      return previewLines({ rules, money, fund: 0n, rent, costs }).join("\n");
    };
    const seed = PRESET_TABLE.seed.rules(10_000_000n);
    const bond = money.say(-seed.initiatorBond).replace(".", "\\.");
    const loss = new RegExp(`the caller, with 2 other voters +│[^│]*│[^│]*│ ${bond}`);
    expect(shown(1)).to.match(loss);
    expect(shown(2)).to.match(loss);
    expect(shown(2 ** 32 - 1)).to.include("the caller, with 10000 other voters");
  });

  it("previews who judges, by which chance, what an appeal costs, and how long a verdict takes", () => {
    const rent = Object.fromEntries(Object.keys(ACCOUNT_BYTES).map((kind) => [kind, 0n])) as Record<
      keyof typeof ACCOUNT_BYTES,
      bigint
    >;
    const costs = { taskRent: 0n, vaultRent: 0n, fees: 0n, pool: 0n, total: 0n };
    const seed = PRESET_TABLE.seed.rules(10_000_000n);
    const shown = (rules: typeof seed): string =>
      previewLines({ rules, money: moneyOf(WRAPPED_SOL), fund: 0n, rent, costs }).join("\n");
    const alone = shown(seed);
    expect(alone).to.include("Every node may check and vote in every audit");
    expect(alone).to.include("A verdict is final 5m after the accusation. Nothing turns it");
    const panel = shown({ ...seed, panelSeats: 31, ...suggestedAppeal(seed) });
    expect(panel).to.include("About 31 nodes are drawn for each audit, by stake");
    expect(panel).to.include(
      "10% of the stake: less than 0.01%; 33% of the stake: 3.4%; 45% of the stake: 32%",
    );
    expect(panel).to.include("with a bond of 0.01 SOL out of its stake");
    expect(panel).to.include(
      "final 10m after the accusation, and 15m after it at most, with an appeal",
    );
    expect(panel).to.include("20% of the 31 seats on its own side");
    expect(panel).to.match(/votes on appeal, at the latest +│ 2850 +│ 3600 +│ 24m/);
    expect(panel).to.match(/each of 30 other voters/);
  });

  describe("by its process", () => {
    async function run(...args: readonly string[]): Promise<readonly [number | null, string]> {
      const child = spawn(process.execPath, [CLI, "task", "create", ...args], {
        cwd: folder,
        env: { ...process.env, HOME: folder },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let stderr = "";
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
      return [code, stderr];
    }

    it("ends with 2 for what is wrong in flags or file, and with 3 where no chain answers", async () => {
      const key = await file("key.json", JSON.stringify([...Keypair.generate().secretKey]));
      await file("task.yaml", "rules:\n  bounti: 1\n");
      await file("audit.js", `export const audit = () => "valid";`);
      const base = ["--url", "http://127.0.0.1:1", "--keypair", key];
      const usual = ["--preset", "seed", "--mint", "SOL"];
      const wanted: readonly [code: number, message: RegExp, args: readonly string[]][] = [
        [2, /task\.yaml:2:3: `rules\.bounti` is no setting\./, ["--file", "task.yaml"]],
        [2, /the rule `bounty` is missing/, [...usual, "--bond", "1"]],
        [2, /There is no audit function/, [...usual, "--bounty", "1"]],
        [
          2,
          /--task-hash alone says nothing of where/,
          [
            ...[...usual, "--bounty", "1", "--audit-function", "audit.js"],
            ...["--task-hash", "ab".repeat(32)],
          ],
        ],
        [3, /can't be reached/, [...usual, "--bounty", "1", "--audit-function", "audit.js"]],
      ];
      for (const [code, message, args] of wanted) {
        const [ended, stderr] = await run(...base, ...args);
        expect(stderr).to.match(message).and.not.to.include("    at ");
        expect(ended, stderr).to.equal(code);
      }
    }).timeout(120_000);
  });
});
