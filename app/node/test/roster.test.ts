import { PROGRAM_ID, submissionAddress } from "@securing-tasks/client";
import type { SecuringTasksClient } from "@securing-tasks/client";
import { Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { dice } from "../../../tests/utils/dice";
import { Roster } from "../src/core/roster";
import { sample } from "../src/core/sampling";
import type { View } from "../src/core/view";

const TASK = Keypair.generate().publicKey;
const OWNERS = Array.from({ length: 60 }, () => Keypair.generate().publicKey);
const nameOf = (key: PublicKey): string => key.toBase58();
/** Addresses take long to compute. */
const works = new Map(OWNERS.map((owner) => [nameOf(submissionAddress(TASK, 7n, owner)), owner]));

interface Filter {
  readonly memcmp: { readonly offset: number; readonly bytes: string };
}

/** A task with these nodes and this work in round 7, and a server that has all, or not. */
class Server {
  lists = 0;
  asked = 0;
  hides = 0;
  slot = 500;

  constructor(
    public workers: readonly PublicKey[],
    public witnesses: readonly PublicKey[],
    public submitters: readonly PublicKey[],
    public beforeSlot = 100n,
  ) {}

  get client(): SecuringTasksClient {
    const connection = {
      getProgramAccounts: (_program: PublicKey, { filters }: { filters: readonly Filter[] }) => {
        this.lists += 1;
        const [kind, , by] = filters.map(({ memcmp }) => memcmp.bytes);
        const nodes = by === "1" ? this.workers : this.witnesses;
        const owners = kind === "node" ? nodes : this.submitters;
        const value = owners
          .slice(this.hides)
          .map((owner) => ({ pubkey: owner, account: { data: owner.toBuffer() } }));
        return Promise.resolve({ context: { slot: this.slot }, value });
      },
      getMultipleAccountsInfo: (keys: readonly PublicKey[]) => {
        this.asked += keys.length;
        const there = new Set(this.submitters.map(nameOf));
        return Promise.resolve(
          keys.map((key) => {
            const owner = works.get(nameOf(key));
            return owner && there.has(nameOf(owner)) ? { owner: PROGRAM_ID } : null;
          }),
        );
      },
    };
    const accounts = { memcmp: (bytes: string) => ({ offset: 0, bytes }) };
    const program = { programId: PROGRAM_ID, coder: { accounts }, provider: { connection } };
    return { program } as unknown as SecuringTasksClient;
  }

  view(self: PublicKey, counted = this.submitters.length): View {
    const nodes = this.workers.length + this.witnesses.length;
    return {
      slot: BigInt(this.slot),
      task: { address: TASK, nodes, beforeSlot: this.beforeSlot },
      rounds: [{ number: 7n, liveSubmissions: counted }],
      submissions: this.submitters
        .filter((one) => one.equals(self))
        .map((owner) => ({ round: 7n, owner })),
    } as unknown as View;
  }
}

const seedOf = (text: string): Uint8Array => createHash("sha256").update(text).digest();

describe("samples by address", () => {
  it("are those of the list of all, whoever asks", async () => {
    const roll = dice(11);
    let byAddress = 0;
    for (let turn = 0; turn < 60; turn += 1) {
      const nodes = [...OWNERS].slice(roll(20), 30 + roll(30));
      const workers = nodes.filter(() => roll(4) > 0);
      const witnesses = nodes.filter((one) => !workers.includes(one));
      const share = 1 + roll(4);
      const submitters = workers.filter(() => roll(4) < share);
      const samples = 1 + roll(3);
      const seed = seedOf(`seed ${turn}`);
      const server = new Server(workers, witnesses, submitters);
      for (const self of nodes.filter(() => roll(5) === 0)) {
        const roster = new Roster(server.client);
        const found = await roster.samples(server.view(self), 7n, {
          seed,
          self: nameOf(self),
          samples,
        });
        const wanted = sample({
          seed,
          submitters: submitters.map(nameOf),
          nodes: nodes.map(nameOf),
          self: nameOf(self),
          samples,
        });
        expect(found, `turn ${turn}`).to.deep.equal(wanted);
      }
      if (server.asked > 0) byAddress += 1;
    }
    expect(byAddress).to.be.above(20);
  });

  it("of who submitted cost a few addresses, and no list of the round", async () => {
    const server = new Server(OWNERS, [], OWNERS);
    const [self = TASK] = OWNERS;
    const roster = new Roster(server.client);
    const request = { seed: seedOf("one"), self: nameOf(self), samples: 1 };
    expect(await roster.samples(server.view(self), 7n, request)).to.have.length(1);
    expect([server.lists, server.asked]).to.deep.equal([2, 16]);
    // The nodes are known from then on.
    await roster.samples(server.view(self), 7n, request);
    expect(server.lists).to.equal(2);
  });

  it("are of the nodes that there are: one that came as another went is in the ring", async () => {
    const [self = TASK, gone = TASK, came = TASK, ...others] = OWNERS;
    const before = [self, gone, ...others.slice(0, 1)];
    const after = [self, came, ...others.slice(0, 1)];
    const server = new Server(before, [], before);
    const roster = new Roster(server.client);
    const request = { seed: seedOf("one"), self: nameOf(self), samples: 5 };
    await roster.samples(server.view(self), 7n, request);
    server.workers = server.submitters = after;
    server.beforeSlot = 501n;
    server.slot = 510;
    const found = await roster.samples(server.view(self), 7n, request);
    expect([...(found ?? [])].sort()).to.deep.equal(after.slice(1).map(nameOf).sort());
  });

  it("are put off where the server has less than the chain counts", async () => {
    const [self = TASK, witness = TASK, ...others] = OWNERS;
    const request = { seed: seedOf("one"), self: nameOf(self), samples: 1 };
    const server = new Server([self, ...others], [witness], [self, ...others]);
    server.hides = 1;
    expect(await new Roster(server.client).samples(server.view(self), 7n, request)).to.equal(null);
    server.hides = 0;
    const roster = new Roster(server.client);
    const watcher = { ...request, self: nameOf(witness) };
    expect(await roster.samples(server.view(witness), 7n, watcher)).to.have.length(1);
    server.hides = 1;
    expect(await roster.samples(server.view(witness), 7n, watcher)).to.equal(null);
  });

  it("of neighbours are drawn once for all who ask at about the same time, and anew a little later", async () => {
    const server = new Server(OWNERS, [], []);
    const roster = new Roster(server.client);
    const view = server.view(TASK);
    const ask = (slot: bigint): Promise<unknown> => roster.neighbours({ ...view, slot }, [7n], []);
    await Promise.all(Array.from({ length: 50 }, () => ask(500n)));
    await ask(531n);
    expect(server.asked).to.equal(16);
    await ask(532n);
    expect(server.asked).to.equal(32);
  });
});
