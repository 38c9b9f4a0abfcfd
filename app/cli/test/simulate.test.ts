import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

const BIN = join(__dirname, "../bin/securing-tasks.js");

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function simulate(...args: readonly string[]): Promise<Ended> {
  return new Promise((ended) => {
    execFile(process.execPath, [BIN, "simulate", ...args], (error, out, err) => {
      ended({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}

/** The command as users have it, without any chain. */
describe("securing-tasks simulate", () => {
  let folder: string;
  let population: string;
  let task: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "simulate-"));
    population = join(folder, "population.yaml");
    task = join(folder, "task.yaml");
    writeFileSync(
      population,
      [
        ...["workPrice: 0.01", "checkPrice: 0.001", "groups:"],
        "  workers: { strategy: honest, role: worker, count: 4 }",
        "  cartel: { strategy: convictingCartel, role: witness, count: 1 }",
      ].join("\n"),
    );
    writeFileSync(task, "preset: seed\nmint: SOL\nrules:\n  bounty: 2\n  witnessGate: allowlist\n");
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("answers with groups and task, the same each time", async () => {
    const args = ["--file", task, "--population", population, "--rounds", "2", "--json"];
    const [first, again] = [await simulate(...args), await simulate(...args)];
    expect(first.code, first.err).to.equal(0);
    expect(again.out).to.equal(first.out);
    const { groups, seeds, runs } = JSON.parse(first.out) as {
      readonly groups: readonly { readonly name: string; readonly stake: string }[];
      readonly seeds: readonly string[];
      readonly runs: readonly unknown[];
    };
    expect(groups.map(({ name, stake }) => [name, stake])).to.deep.equal([
      ["workers", "160000000000"],
      ["cartel", "10000000000"],
    ]);
    expect(seeds).to.deep.equal(["1"]);
    expect(runs).to.have.length(1);
  });

  it("says in one sentence with how many nodes a cartel robs the preset `seed`", async () => {
    const args = ["--preset", "seed", "--population", population, "--rounds", "2", "--find"];
    const { code, out, err } = await simulate(...args);
    expect(code, err).to.equal(0);
    // Three that are honest vote on the fourth: it takes the accuser and three more.
    expect(out).to.match(
      /^cartel gains from 4 nodes on, 50\.00% of all nodes and 20\.00% of all stake: 20 tokens staked bring \d+(\.\d+)? tokens over 2 rounds, against 4 others that stake 80 tokens\.\n$/,
    );
  });

  it("says what is missing or wrong, and the way out", async () => {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [[], "There are no rules to play by. Give --preset seed or strict, or --file task.yaml."],
      [["--preset", "sed"], '--preset can\'t be "sed". Use seed or strict.'],
      [["--preset", "seed", "--rounds", "0"], '--rounds "0" is no whole number'],
      [["--preset", "seed", "--program", "none.so"], "There is no program at none.so. Build it"],
      [["--preset", "seed", "--population", "none.yaml"], "none.yaml can't be read"],
      [["--preset", "seed", "--decimals", "x"], '--decimals "x" is no number of decimals.'],
    ];
    for (const [args, message] of cases) {
      const { code, err } = await simulate(...args);
      expect(code, err).to.equal(2);
      expect(err).to.contain(message);
    }
  });
});
