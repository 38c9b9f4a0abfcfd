import { FairLane, Lane, LaneFull } from "@securing-tasks/node";
import { expect } from "chai";

describe("a lane", () => {
  /** Runs something that ends when it is told to, and writes down that it began. */
  function enter(
    lane: Lane,
    began: string[],
    name: string,
    until?: bigint,
  ): { readonly end: () => void; readonly done: Promise<void> } {
    let end: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (end = resolve));
    const act = (): Promise<void> => {
      began.push(name);
      return gate;
    };
    return { end, done: lane.run(act, until) };
  }

  it("lets those go first whose time is up first, and who came first where that is the same", async () => {
    const lane = new Lane(1, Infinity);
    const began: string[] = [];
    const all = [
      enter(lane, began, "first", 90n),
      enter(lane, began, "late", 50n),
      enter(lane, began, "late too", 50n),
      enter(lane, began, "soon", 10n),
      enter(lane, began, "last", 70n),
    ];
    for (const { end } of all) end();
    await Promise.all(all.map(({ done }) => done));
    expect(began).to.deep.equal(["first", "soon", "late", "late too", "last"]);
  });

  it("runs so many at once, refuses who would wait behind too many, and goes on after a failure", async () => {
    const lane = new Lane(2, 1);
    const began: string[] = [];
    const [a, b, c] = [
      enter(lane, began, "a"),
      enter(lane, began, "b"),
      enter(lane, began, "c"),
    ] as const;
    expect(began).to.deep.equal(["a", "b"]);
    const refused: unknown = await lane
      .run(() => Promise.resolve())
      .catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(LaneFull);
    a.end();
    await a.done;
    c.end();
    await c.done;
    b.end();
    await b.done;
    const failed: unknown = await lane
      .run(() => Promise.reject(new Error("it fails")))
      .catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(Error);
    await lane.run(() => Promise.resolve());
    expect(began).to.deep.equal(["a", "b", "c"]);
  });
});

describe("a fair lane", () => {
  let lane: FairLane;
  let began: string[];
  let ends: Map<string, () => void>;
  let refused: string[];

  /** `a1` is a question of the stranger `a`, `N1` of the node `N`. */
  async function enter(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      const who = name.charAt(0);
      const caller = { name: who, isNode: who === who.toUpperCase() };
      const act = (): Promise<void> => {
        began.push(name);
        return new Promise((resolve) => ends.set(name, resolve));
      };
      lane.run(caller, act).catch((error: unknown) => {
        expect(error).to.be.instanceOf(LaneFull);
        refused.push(name);
      });
    }
    await new Promise(setImmediate);
  }

  /** Ends runs, and lets what follows begin. */
  async function end(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      ends.get(name)?.();
      await new Promise(setImmediate);
    }
  }

  function start(concurrency: number, queue: number): void {
    lane = new FairLane(concurrency, queue);
    began = [];
    ends = new Map();
    refused = [];
  }

  it("gives callers their turns one after the other, and each its own in its order", async () => {
    start(1, 64);
    await enter("a1", "a2", "a3", "a4", "b1", "b2", "c1");
    await end("a1", "a2", "b1", "c1", "a3", "b2", "a4");
    expect(began).to.deep.equal(["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
    await enter("d1");
    expect(began.at(-1)).to.equal("d1");
  });

  it("keeps a place for nodes, who wait for each other there and have their turns in the others", async () => {
    start(2, 64);
    await enter("a1", "a2", "a3", "N1", "N2", "N3", "M1");
    expect(began).to.deep.equal(["a1", "a2", "N1"]);
    await end("N1", "N2");
    expect(began).to.deep.equal(["a1", "a2", "N1", "N2", "M1"]);
    await end("a1", "a2");
    expect(began.slice(5)).to.deep.equal(["a3", "N3"]);
    // Their own place is for no stranger.
    await enter("a4");
    await end("M1");
    expect(began).to.have.length(7);
    await end("a3");
    expect(began.at(-1)).to.equal("a4");
  });

  it("refuses the newest of the stranger that has most where too many wait, and never a node's", async () => {
    start(1, 4);
    await enter("a1", "a2", "a3", "a4", "b1");
    expect(refused).to.deep.equal([]);
    await enter("c1", "N1", "N2", "N3");
    expect(refused).to.deep.equal(["a4"]);
    // One more than what it has would only change who has it.
    await enter("c2", "d1", "e1");
    expect(refused).to.deep.equal(["a4", "c2", "a3", "e1"]);
    await end("a1", "a2", "b1", "c1", "N1", "N2", "N3", "d1");
    expect([...began].sort()).to.deep.equal(["N1", "N2", "N3", "a1", "a2", "b1", "c1", "d1"]);
    await enter("f1", "f2", "f3", "f4", "f5");
    await end("f1", "f2", "f3", "f4", "f5");
    expect(began).to.have.length(13);
  });
});
