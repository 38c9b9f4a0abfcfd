import { Lane, LaneFull } from "@securing-tasks/node";
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
