import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PopulationError, parsePopulation, play, summarize } from "@securing-tasks/simulate";
import type { Group } from "@securing-tasks/simulate";
import { expect } from "chai";
import { parseAmount } from "../../cli/src/amounts";
import { PRESET_TABLE } from "../../cli/src/create/presets";
import { BYTECODE } from "./utils";

const rules = PRESET_TABLE.seed.rules(1_000_000n);
const read = (lines: readonly string[], file = "people.yaml"): Promise<Group[]> =>
  parsePopulation(lines.join("\n"), file, { rules, amount: (text) => parseAmount(text, 6) });

async function faults(lines: readonly string[], file?: string): Promise<string[]> {
  try {
    await read(lines, file);
  } catch (error) {
    if (error instanceof PopulationError) return error.message.split("\n");
    throw error;
  }
  throw new Error("The population was taken.");
}

const PRICES = ["workPrice: 0.1", 'checkPrice: "7 base"', "groups:"];

describe("a population's file", () => {
  it("gives groups, with the task's minimum as stake and amounts to the last digit", async () => {
    const groups = await read([
      ...PRICES,
      "  some: { strategy: honest, role: worker, count: 3, faulty: 0.25 }",
      "  rich:",
      ...["    strategy: griefer", "    role: witness", "    count: 1", "    checkPrice: 0.2"],
      ...["    stake: 9007199254.740993", "    parameters: { accusations: 2 }"],
    ]);
    const shown = groups.map(({ make, ...rest }) => ({ ...rest, plays: Object.keys(make()) }));
    expect(shown).to.deep.equal([
      {
        ...{ name: "some", strategy: "honest", role: "worker", count: 3, stake: 20_000_000n },
        ...{ workPrice: 100_000n, checkPrice: 7n, faulty: 0.25, checkError: 0 },
        plays: ["work", "accuse", "vote"],
      },
      {
        ...{ name: "rich", strategy: "griefer", role: "witness", count: 1 },
        ...{ stake: 9_007_199_254_740_993n, workPrice: 100_000n, checkPrice: 200_000n },
        ...{ faulty: 0, checkError: 0, plays: ["accuse"] },
      },
    ]);
  });

  it("tells every fault with its place and the way out", async () => {
    expect(
      await faults([
        ...["workPrice: 1", "checkPrise: 1", "groups:"],
        "  a: { strategy: honest, role: boss, count: 0 }",
        "  b: { strategy: honest, role: worker, count: 1, faulty: 2, extra: 1 }",
      ]),
    ).to.deep.equal([
      'people.yaml:1:1: `checkPrice` must be an amount, like 12.5 or "100 base".',
      "people.yaml:4:32: `groups.a.role` must be worker or witness.",
      "people.yaml:4:45: `groups.a.count` must be 1 or more.",
      "people.yaml:5:58: `groups.b.faulty` must be from 0 to 1.",
      "people.yaml:5:61: `groups.b.extra` is no setting. Remove it; there are strategy, role, count, stake, workPrice, checkPrice, faulty, checkError, parameters.",
      "people.yaml:2:1: `checkPrise` is no setting. Remove it; there are workPrice, checkPrice, groups.",
    ]);
    const [first, ...more] = await faults([
      ...PRICES,
      "  a: { strategy: honset, role: worker, count: 1 }",
      "  b: { strategy: griefer, role: worker, count: 1, parameters: { share: 1 } }",
      "  c: { strategy: lazyValid, role: worker, count: 1, stake: much }",
    ]);
    expect(first).to.match(
      /^people\.yaml:4:18: `groups\.a\.strategy` is no strategy\. One of honest, /,
    );
    expect(more).to.deep.equal([
      "people.yaml:5:65: `share` is no parameter of griefer. There are accusations.",
      'people.yaml:6:60: `groups.c.stake`: "much" is no amount. Write tokens like 12.5, or base units like "100 base".',
    ]);
    expect(
      await faults([...PRICES, "  a: { strategy: honest, role: witness, count: 1, stake: 4.9 }"]),
    ).to.deep.equal([
      "people.yaml:4:58: `groups.a.stake` is below the task's minimum of a witness, 5000000 base units. Raise it, or leave it out.",
    ]);
    expect(await faults(["groups: ["])).to.have.length.above(0);
  });

  describe("with a strategy of the user's own", () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), "population-"));
    });
    after(() => {
      rmSync(folder, { recursive: true });
    });

    it("plays it, by its path from the file", async () => {
      writeFileSync(
        join(folder, "mine.mjs"),
        `export default {
          about: "works in even rounds",
          parameters: { every: 2 },
          make: ({ every }) => ({
            work: ({ round }) => (Number(round) % every === 0 ? "work" : "none"),
          }),
        };`,
      );
      const groups = await read(
        [...PRICES, "  own: { strategy: ./mine.mjs, role: worker, count: 2 }"],
        join(folder, "people.yaml"),
      );
      const run = await play({ bytecode: BYTECODE, rules, groups, rounds: 4, seed: "own" });
      expect(run.task).to.include({ goodWork: 4, badWork: 0, bounty: 2_000_000n });
      expect(run.groups.map(({ work }) => work)).to.deep.equal([400_000n]);
      expect(summarize([run]).groups[0]?.returnPerRound).to.deep.equal({
        mean: 1.6 / 40 / 4,
        deviation: 0,
      });
    });

    it("says what is wrong with it", async () => {
      writeFileSync(join(folder, "empty.mjs"), "export default 1;");
      const one = (path: string): Promise<string[]> =>
        faults(
          [...PRICES, `  own: { strategy: ${path}, role: worker, count: 2 }`],
          join(folder, "people.yaml"),
        );
      expect((await one("./empty.mjs"))[0]).to.match(
        /`groups\.own\.strategy` has no default export with `about` and `make`\. Write one\.$/,
      );
      expect((await one("./none.mjs"))[0]).to.match(/can't be loaded: Cannot find module/);
    });
  });
});
