import type { Ledger, TaskEvent } from "@securing-tasks/client";
import { MissingEvent, TaskIndex, nodeAddress } from "@securing-tasks/client";
import { Keypair } from "@solana/web3.js";
import type { PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { RULES } from "../../../tests/utils/games";

const key = (seed: number): PublicKey => Keypair.fromSeed(new Uint8Array(32).fill(seed)).publicKey;
const [task, creator, mint, funder, owner] = [1, 2, 3, 4, 5].map(key) as [
  PublicKey,
  PublicKey,
  PublicKey,
  PublicKey,
  PublicKey,
];

const EVENTS: readonly TaskEvent[] = [
  { name: "taskCreated", data: { task, creator, payer: creator, mint, slot: 10n } },
  { name: "taskFunded", data: { task, funder, amount: 7n, pool: 7n, slot: 11n } },
  {
    name: "nodeJoined",
    data: { task, owner, operator: owner, payer: owner, role: "worker", stake: 5_000n, slot: 12n },
  },
  {
    name: "leaveRequested",
    data: { task, owner, amount: 2_000n, leaving: 2_000n, leaveSlot: 150n, slot: 20n },
  },
];

function indexOf(events: readonly TaskEvent[]): TaskIndex {
  const index = new TaskIndex(task, RULES);
  for (const event of events) index.apply(event);
  return index;
}

/** A chain that says what the index says. */
function chainOf(index: TaskIndex): Ledger {
  return {
    task: index.task && { ...index.task, rules: RULES },
    nodes: [...index.nodes.values()],
    entries: [],
    rounds: [],
    submissions: [],
    audits: [],
    votes: [],
  } as unknown as Ledger;
}

// That it follows every event, the games of the demo and of the tests show: they compare after each transaction.
describe("the index of a task", () => {
  it("agrees with a chain that says the same", () => {
    const index = indexOf(EVENTS);
    expect(index.task?.pool).to.equal(7n);
    expect(index.task?.electorate).to.deep.equal({ stake: 3_000n, nodes: 1 });
    expect(index.differences(chainOf(index))).to.deep.equal([]);
  });

  it("lists what the chain says otherwise, lacks, or has besides", () => {
    const index = indexOf(EVENTS);
    const ledger = chainOf(index);
    const address = nodeAddress(task, owner);
    const [node] = ledger.nodes;
    if (!node) throw new Error("There is no node.");
    const other = { ...ledger, nodes: [{ ...node, stake: 4_999n }] };
    expect(index.differences(other)).to.deep.equal([
      { of: "node", address, field: "stake", events: "5000", chain: "4999" },
    ]);
    const gone = { ...ledger, nodes: [] };
    expect(index.differences(gone)).to.deep.equal([
      { of: "node", address, field: "account", events: "there", chain: "not there" },
    ]);
    const more = { ...ledger, nodes: [node, { ...node, address: key(9) }] };
    expect(index.differences(more)).to.deep.equal([
      { of: "node", address: key(9), field: "account", events: "not there", chain: "there" },
    ]);
    expect(index.differences(null).map(({ of }) => of)).to.deep.equal(["task", "node"]);
  });

  it("names an event that is missing by what later ones say", () => {
    const more: TaskEvent = {
      name: "taskFunded",
      data: { task, funder, amount: 1n, pool: 8n, slot: 30n },
    };
    const without = (kind: TaskEvent["name"]): TaskEvent[] =>
      EVENTS.filter(({ name }) => name !== kind);
    expect(() => indexOf([...without("taskFunded"), more]))
      .to.throw(
        MissingEvent,
        /before taskFunded is missing: it says that pool is 8, and by the events before it that is 1\./,
      )
      .with.property("event", more);
    expect(() => indexOf(without("nodeJoined"))).to.throw(
      MissingEvent,
      /before leaveRequested is missing: it tells of the node .* Feed the index every event/,
    );
    expect(() => indexOf(without("taskCreated"))).to.throw(MissingEvent, /tells of the task/);
  });

  it("takes over accounts, says what it had otherwise, and goes on from there", () => {
    const chain = chainOf(indexOf(EVENTS));
    const index = new TaskIndex(task, RULES);
    expect(() => {
      for (const event of EVENTS.slice(1)) index.apply(event);
    }).to.throw(MissingEvent);
    const address = nodeAddress(task, owner);
    expect(index.takeOver(chain).map(({ of, field }) => `${of} ${field}`)).to.deep.equal([
      "task account",
      "node account",
    ]);
    expect(index.differences(chain)).to.deep.equal([]);
    index.apply({ name: "leaveCancelled", data: { task, owner, amount: 2_000n, slot: 31n } });
    expect(index.nodes.get(address.toBase58())?.leaving).to.equal(0n);
    // What was read is not changed by what comes after.
    expect(chain.nodes[0]?.leaving).to.equal(2_000n);
    expect(index.takeOver(null).map(({ of, chain: now }) => `${of} ${now}`)).to.deep.equal([
      "task not there",
      "node not there",
    ]);
  });

  it("does not know the rules of a task that was made again", () => {
    const index = indexOf(EVENTS.slice(0, 1));
    index.takeOver(null);
    expect(() => {
      for (const event of EVENTS.slice(0, 1)) index.apply(event);
    }).to.throw(MissingEvent, /made again/);
  });

  it("passes over other tasks", () => {
    const other = key(8);
    const index = indexOf([
      ...EVENTS,
      { name: "taskFunded", data: { task: other, funder, amount: 1n, pool: 1n, slot: 30n } },
      {
        name: "voteRevealed",
        data: { audit: other, voter: owner, opinion: "valid", weight: 1n, slot: 31n },
      },
    ]);
    expect(index.differences(chainOf(index))).to.deep.equal([]);
  });
});
