import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { PRESET_TABLE } from "../src/create/presets";
import { parseGate, parseShare, readRules } from "../src/create/rules";
import { parseTaskFile, readTaskFile } from "../src/create/schema";
import { UsageError } from "../src/failures";

const KEY = "5keaxc4yHqGYy8zeiL9AauZhM4TjDPBHJfWPWhXxQoC5";
const OWN = { task: PublicKey.unique(), mint: PublicKey.unique(), group: null };

function faults(content: string): string[] {
  try {
    parseTaskFile(content, "task.yaml");
  } catch (error) {
    expect(error).to.be.instanceOf(UsageError);
    return (error as Error).message.split("\n");
  }
  throw new Error("The file was taken.");
}

describe("a task's file", () => {
  it("is read whole, paths relative to it, and numbers as they were written", async () => {
    const folder = await mkdtemp(join(tmpdir(), "task-file-"));
    const path = join(folder, "task.yaml");
    try {
      await writeFile(
        path,
        [
          "preset: strict",
          "id: 18446744073709551615",
          "mint: SOL",
          "fund: 0.1",
          "allowLargeStake: true",
          "template:",
          "  name: storage",
          "  parameters: { samples: 3, schema: null, kind: content }",
          "out: built",
          "auditFunction:",
          "  file: ./audit.js",
          `  hash: ${"AB".repeat(32)}`,
          "sample: sample.json",
          "rules:",
          "  bounty: 1.10",
          "  roundWindow: 10m",
          "  workerGate: allowlist",
          "  maliceSlash: 75%",
        ].join("\n"),
      );
      const { rules, id, fund, template, auditFunction, sample, out, ...rest } = readTaskFile(path);
      expect(rest).to.deep.equal({
        preset: "strict",
        allowLargeStake: true,
        mint: { text: "SOL", where: `${path}:3:7: \`mint\`` },
      });
      expect(id?.text).to.equal("18446744073709551615");
      expect(fund?.text).to.equal("0.1");
      expect(template).to.deep.equal({
        name: "storage",
        parameters: { samples: 3, schema: null, kind: "content" },
      });
      expect(auditFunction).to.deep.equal({
        file: join(folder, "audit.js"),
        hash: "ab".repeat(32),
      });
      expect([sample, out]).to.deep.equal([join(folder, "sample.json"), join(folder, "built")]);
      expect(rules.bounty).to.deep.equal({
        text: "1.10",
        where: `${path}:15:11: \`rules.bounty\``,
      });
      expect(rules.workerGate?.text).to.equal("allowlist");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("is taken as the example has it", async () => {
    const guide = await readFile(join(__dirname, "../TASKS.md"), "utf8");
    const [, example = ""] = /```yaml\n(.*?)```/s.exec(guide) ?? [];
    const { rules, preset, template } = parseTaskFile(example, "task.yaml");
    expect([preset, template?.name]).to.deep.equal(["seed", "rest"]);
    const read = readRules(
      rules,
      PRESET_TABLE.seed.rules,
      { task: 9, gates: new Map() },
      false,
      OWN,
    );
    expect(read).to.deep.equal({
      ...PRESET_TABLE.seed.rules(100_000_000n),
      roundSlots: 2_250n,
      maliceBps: 8_000,
      initiatorBond: 5_000_000n,
      witnessGate: { kind: "allowlist" },
    });
  });

  it("may be empty, and names what can't be read", () => {
    expect(parseTaskFile("# nothing\n", "task.yaml")).to.deep.equal({ rules: {} });
    expect(() => readTaskFile("/nowhere/task.yaml")).to.throw(
      UsageError,
      "/nowhere/task.yaml can't be read: there is no such file. Give the path of a YAML file.",
    );
  });

  const cases: readonly [title: string, content: string, messages: readonly string[]][] = [
    [
      "an unknown key, near another",
      "preset: seed\nrules:\n  bouny: 1\n",
      ["task.yaml:3:3: `rules.bouny` is no setting. Did you mean `bounty`?"],
    ],
    [
      "a rule outside of rules",
      "bounty: 1\n",
      ["task.yaml:1:1: `bounty` is no setting. It is a rule: write it under `rules`."],
    ],
    [
      "an unknown key, near none",
      "auditFunction:\n  file: a.js\n  colour: blue\n",
      [
        "task.yaml:3:3: `auditFunction.colour` is no setting. Remove it; there are file, uri, hash.",
      ],
    ],
    [
      "two faults at once",
      "preset: sead\nauditFunction: { file: a.js, hash: 12 }\n",
      [
        "task.yaml:1:9: `preset` must be seed or strict. Did you mean `seed`?",
        "task.yaml:2:36: `auditFunction.hash` must be a SHA-256: 64 hex digits.",
      ],
    ],
    [
      "a function that is nowhere",
      `taskFunction:\n  hash: ${"0".repeat(64)}\n`,
      ["task.yaml:2:3: `taskFunction` must have `file`, `uri` or both."],
    ],
    ["an empty value", "rules:\n  bounty:\n", ["task.yaml:2:10: `rules.bounty` must be text."]],
    [
      "a list where settings should be",
      "rules:\n  - bounty: 1\n",
      ["task.yaml:2:3: `rules` must be a mapping, with a line `name: value` for each setting."],
    ],
    [
      "a text where settings should be",
      "hello",
      ["task.yaml:1:1: the file must be a mapping, with a line `name: value` for each setting."],
    ],
    [
      "the wrong kind of value",
      "allowLargeStake: maybe\n",
      ["task.yaml:1:18: `allowLargeStake` must be true or false."],
    ],
    [
      "an unknown template",
      "template: { name: rset }\n",
      [
        "task.yaml:1:19: `template.name` must be rest or bridge-vault or storage or vrf. Did you mean `rest`?",
      ],
    ],
    ["the same key twice", "mint: SOL\nmint: SOL\n", ["task.yaml:2:1: Map keys must be unique."]],
  ];
  for (const [title, content, messages] of cases) {
    it(`is refused with line and column: ${title}`, () => {
      expect(faults(content)).to.deep.equal(messages);
    });
  }

  it("is refused with line and column where it is no YAML", () => {
    const [message = ""] = faults("rules:\n  bounty: [1\n");
    expect(message).to.match(/^task\.yaml:3:1: .+\.$/);
  });
});

describe("rules", () => {
  const decimals = { task: 2, gates: new Map([[KEY, 1]]) };
  const read = (content: string, preset: "seed" | null, allowLargeStake = false) =>
    readRules(
      parseTaskFile(content, "task.yaml").rules,
      preset && PRESET_TABLE[preset].rules,
      decimals,
      allowLargeStake,
      OWN,
    );

  it("are those of the preset, but for those that are written", () => {
    const rules = read(
      "rules: { bounty: 5, bond: 7 base, roundWindow: 1h, quorumStake: 33.33%, quorumVotes: 4, voteWeight: stake, reward: majority }",
      "seed",
    );
    expect(rules).to.deep.equal({
      ...PRESET_TABLE.seed.rules(500n),
      initiatorBond: 7n,
      roundSlots: 9_000n,
      quorumBps: 3_333,
      quorumVotes: 4,
      voteWeight: "stake",
      rewardRule: "majority",
    });
  });

  it("name every one that is missing without a preset, but for gates", () => {
    const attempt = (): unknown => read("rules: { bounty: 5 }", null);
    expect(attempt).to.throw(UsageError, "the rule `roundWindow` is missing");
    expect(attempt).to.throw(UsageError, "or start from a preset");
    try {
      attempt();
    } catch (error) {
      expect((error as Error).message.split("\n")).to.have.length(18);
    }
  });

  it("need a bounty, also with a preset", () => {
    expect(() => read("", "seed")).to.throw(
      UsageError,
      "the rule `bounty` is missing (shared by the workers of a round). Write it under `rules`, or pass --bounty, like",
    );
  });

  it("tell where what can't be read stands, all at once", () => {
    try {
      read("rules:\n  bounty: 1.234\n  maliceSlash: 20\n  voteWeight: coin\n", "seed");
      expect.fail("They were taken.");
    } catch (error) {
      const [first, second, third, ...more] = (error as Error).message.split("\n");
      expect(first).to.match(/^task\.yaml:2:11: `rules\.bounty`: "1\.234" has more than the 2 dec/);
      expect(second).to.match(/^task\.yaml:3:16: `rules\.maliceSlash`: "20" is no share\. Write/);
      expect(third).to.equal(
        'task.yaml:4:15: `rules.voteWeight`: "coin" is none of node, stake. Write one.',
      );
      expect(more).to.deep.equal([]);
    }
  });

  it("tell where what the program would refuse stands", () => {
    expect(() => read("rules:\n  bounty: 1\n  workerStake: 101\n", "seed")).to.throw(
      UsageError,
      "task.yaml:3:16: `rules.workerStake` is over 100 rounds' bounties.",
    );
    expect(read("rules:\n  bounty: 1\n  workerStake: 101\n", "seed", true).workerMinStake).to.equal(
      10_100n,
    );
    expect(() => read("rules:\n  bounty: 1\n  leaveDelay: 3m\n", "seed")).to.throw(
      UsageError,
      "task.yaml:3:15: `rules.leaveDelay` is shorter than the longest case, 2100 slots with all windows, so",
    );
    const faults = (...lines: readonly string[]) =>
      expect(() =>
        read(["rules:", "  bounty: 1", ...lines.map((line) => `  ${line}`)].join("\n"), "seed"),
      ).to.throw(UsageError);
    faults("panelSeats: 31").with.property(
      "message",
      "the rule `appealWindow` is shorter than 150 slots, and audits are judged by a panel: a lucky draw would stand for ever. Set an appeal window of at least so many and an appeal's bond, or no seats.",
    );
    faults("panelSeats: 70000").with.property("message").that.includes("from 0 to 65535");
    faults("appealWindow: 5m")
      .with.property("message")
      .that.includes("the rule `appealBond` is zero, so that appealing would cost nothing");
    const judged = "rules:\n  bounty: 1\n  panelSeats: 31\n  appealWindow: 5m\n  appealBond: 1\n";
    expect(read(judged, "seed")).to.include({
      panelSeats: 31,
      appealSlots: 750n,
      appealBond: 100n,
    });
  });

  it("may give no gate that asks for the task itself or its own mint, nor a node at its minimum no voice", () => {
    expect(() =>
      read(`rules:\n  bounty: 1\n  witnessGate: member:${OWN.task.toBase58()}\n`, "seed"),
    ).to.throw(
      UsageError,
      "task.yaml:3:16: `rules.witnessGate` asks for a node of the task itself",
    );
    expect(() => read("rules:\n  bounty: 1\n  bond: 5.01\n", "seed")).to.throw(
      UsageError,
      "task.yaml:3:9: `rules.bond` is over a role's least stake",
    );
    expect(() => read("rules:\n  bounty: 1\n  quorumStake: 50.01%\n", "seed")).to.throw(
      UsageError,
      "task.yaml:3:16: `rules.quorumStake` is over 50%",
    );
  });

  it("that follow from a huge bounty are refused by name", () => {
    expect(() => read("rules:\n  bounty: 10000000000000000000 base\n", "seed")).to.throw(
      UsageError,
      "the rule `workerStake` is over 18446744073709551615 base units",
    );
  });

  it("read shares to the basis point and refuse what could mean two things", () => {
    expect(parseShare("20%")).to.equal(2_000);
    expect(parseShare("0.5 %")).to.equal(50);
    expect(parseShare("33.33%")).to.equal(3_333);
    expect(parseShare("100%")).to.equal(10_000);
    expect(parseShare("2000 bp")).to.equal(2_000);
    for (let bps = 0; bps <= 10_000; bps += 7) {
      expect(parseShare(`${String(bps / 100)}%`)).to.equal(bps);
      expect(parseShare(`${String(bps)}bps`)).to.equal(bps);
    }
    for (const wrong of ["20", "0.2", "101%", "-1%", "10001 bp", "1.234%", "", "%"]) {
      expect(() => parseShare(wrong), wrong).to.throw();
    }
  });

  it("read every kind of gate", () => {
    const key = new PublicKey(KEY);
    const gates = decimals.gates;
    expect(parseGate("open", gates)).to.deep.equal({ kind: "open" });
    expect(parseGate("allowlist", gates)).to.deep.equal({ kind: "allowlist" });
    expect(parseGate(`token:${KEY}:2.5`, gates)).to.deep.equal({
      kind: "token",
      mint: key,
      least: 25n,
    });
    expect(parseGate(`collection:${KEY}`, gates)).to.deep.equal({ kind: "collection", group: key });
    expect(parseGate(`standing:${KEY}:10:0`, gates)).to.deep.equal({
      kind: "standing",
      task: key,
      leastRoundsPaid: 10n,
      mostConvictions: 0,
    });
    expect(parseGate(`member:${KEY}`, gates)).to.deep.equal({ kind: "member", task: key });
    for (const wrong of [
      "",
      "closed",
      "open:1",
      "token",
      `token:${KEY}`,
      "member:nobody",
      `standing:${KEY}:10`,
      `standing:${KEY}:-1:0`,
    ]) {
      expect(() => parseGate(wrong, gates), wrong).to.throw();
    }
  });
});
