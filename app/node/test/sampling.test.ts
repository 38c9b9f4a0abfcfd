import { roundSeed, sample } from "@securing-tasks/node";
import { Connection, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { refusal } from "../../../tests/utils/refusal";
import { RpcServer, blockAt } from "../../../tests/utils/rpc_server";

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

describe("the seed of a round's samples", () => {
  const task = new PublicKey(Buffer.alloc(32, 1));
  /** Slots of the chain's blocks; all others were skipped. */
  const CHAIN = [995, 1_003, 1_004, 1_020];
  /** Those of them that the server lacks. */
  let lacks: readonly number[];
  let server: RpcServer;

  before(async () => {
    server = await RpcServer.start({
      answer: (method, params) => ({ result: answer(method, params.map(Number)) }),
    });
  });
  after(() => server.close());

  function answer(method: string, [first = 0, last = 0]: readonly number[]): unknown {
    const has = CHAIN.filter((slot) => !lacks.includes(slot));
    if (method === "getBlocks") return has.filter((slot) => slot >= first && slot <= last);
    return blockAt(first, Math.max(...CHAIN.filter((slot) => slot < first)));
  }

  const seed = async (without: readonly number[], end = 1_000n): Promise<string | null> => {
    lacks = without;
    const found = await roundSeed(new Connection(server.url, "confirmed"), task, 7n, end);
    return found && Buffer.from(found).toString("hex");
  };

  it("comes from the first block behind the submission window, whatever else a server lacks", async () => {
    const right = await seed([]);
    expect(right).to.match(/^[0-9a-f]{64}$/);
    expect(await seed([995, 1_004])).to.equal(right);
    expect(await seed([], 1_003n)).to.equal(right);
    expect(await seed([], 1_004n)).not.to.equal(right);
    expect(await seed([], 1_021n)).to.equal(null);
  });

  it("is not taken from a later block where the server lacks the first: others would have another ring", async () => {
    for (const without of [[1_003], [1_003, 1_004], [995, 1_003]]) {
      const error = await refusal(seed(without));
      expect(error.message).to.match(
        /^The RPC server 127\.0\.0\.1:\d+ gives the block of slot \d+ as the first from slot 1000 on, .* blocks are missing/,
      );
    }
  });
});
