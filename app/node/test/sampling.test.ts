import { sample } from "@securing-tasks/node";
import { expect } from "chai";
import { createHash } from "node:crypto";

const seedOf = (text: string): Uint8Array => createHash("sha256").update(text).digest();
const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** All mixes of this many submitters and witnesses, each with some seeds. */
function* rounds(): Generator<{ seed: Uint8Array; submitters: string[]; nodes: string[] }> {
  for (let workers = 0; workers <= 12; workers += 1) {
    for (const watchers of [0, 1, 2, 3, 7, 20]) {
      for (let turn = 0; turn < 5; turn += 1) {
        const submitters = names("worker", workers);
        const nodes = [...names("witness", watchers), ...submitters];
        yield { seed: seedOf(`${workers} ${watchers} ${turn}`), submitters, nodes };
      }
    }
  }
}

describe("samples", () => {
  it("cover all submitters when there are two or more and each of them checks one", () => {
    for (const round of rounds()) {
      if (round.submitters.length < 2) continue;
      const checked = round.submitters.flatMap((self) => sample({ ...round, self, samples: 1 }));
      expect([...checked].sort()).to.deep.equal([...round.submitters].sort());
    }
  });

  it("cover all submitters when as many witnesses check one each, the submitters being dark", () => {
    for (const round of rounds()) {
      const witnesses = round.nodes.filter((node) => !round.submitters.includes(node));
      if (witnesses.length < round.submitters.length) continue;
      const checked = witnesses.flatMap((self) => sample({ ...round, self, samples: 1 }));
      expect(new Set(checked).size).to.equal(round.submitters.length);
    }
  });

  it("spread the witnesses evenly: nobody is checked by two more of them than anybody else", () => {
    for (const round of rounds()) {
      if (round.submitters.length === 0) continue;
      const counts = new Map(round.submitters.map((submitter) => [submitter, 0]));
      for (const self of round.nodes.filter((node) => !round.submitters.includes(node))) {
        for (const one of sample({ ...round, self, samples: 1 })) {
          counts.set(one, (counts.get(one) ?? 0) + 1);
        }
      }
      expect(Math.max(...counts.values()) - Math.min(...counts.values())).to.be.at.most(1);
    }
  });

  it("are never one's own work, never the same twice, and as many as asked for where there are as many", () => {
    for (const round of rounds()) {
      for (const self of round.nodes) {
        for (const samples of [0, 1, 3, 100]) {
          const owners = sample({ ...round, self, samples });
          const others = round.submitters.filter((one) => one !== self);
          expect(owners).not.to.include(self);
          expect(others).to.include.members(owners);
          expect(new Set(owners).size).to.equal(Math.min(samples, others.length));
        }
      }
    }
  });

  it("are the same whoever computes them, in whatever order it lists the nodes", () => {
    for (const round of rounds()) {
      for (const self of round.nodes) {
        const request = { ...round, self, samples: 2 };
        const turned = {
          ...request,
          submitters: [...round.submitters].reverse(),
          nodes: [...round.nodes].reverse(),
        };
        expect(sample(turned)).to.deep.equal(sample(request));
      }
    }
  });

  it("of another seed are others: each other submitter is drawn about as often", () => {
    const submitters = names("worker", 5);
    const counts = new Map<string, number>();
    const turns = 4_000;
    for (let turn = 0; turn < turns; turn += 1) {
      const [owner = ""] = sample({
        seed: seedOf(String(turn)),
        submitters,
        nodes: submitters,
        self: "worker0",
        samples: 1,
      });
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).to.deep.equal(submitters.slice(1));
    // Six standard deviations of a fair draw.
    const most = 6 * Math.sqrt(turns * 0.25 * 0.75);
    for (const count of counts.values()) expect(Math.abs(count - turns / 4)).to.be.below(most);
  });
});
