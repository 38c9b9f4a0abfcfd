import { Engine, Random } from "@securing-tasks/simulate";
import { Keypair, SystemProgram } from "@solana/web3.js";
import { expect } from "chai";
import { BYTECODE } from "./utils";

const MUCH = 10_000_000n;

describe("the simulator's engine", () => {
  const engine = Engine.start(BYTECODE, Keypair.generate());
  const transfers = (...amounts: readonly bigint[]) =>
    amounts.map((lamports) => {
      const [fromPubkey, toPubkey] = [Keypair.generate().publicKey, Keypair.generate().publicKey];
      engine.give(fromPubkey, MUCH);
      return {
        to: toPubkey,
        instruction: SystemProgram.transfer({ fromPubkey, toPubkey, lamports }),
      };
    });

  it("sends many in few transactions", () => {
    const all = transfers(...Array.from({ length: 17 }, () => MUCH));
    const before = engine.transactions;
    engine.sendAll(all);
    expect(engine.transactions - before).to.equal(3);
    expect(all.map(({ to }) => engine.lamports(to))).to.deep.equal(all.map(() => MUCH));
  });

  it("sends each alone where one of a transaction is refused, and tells of each what became of it", () => {
    const all = transfers(MUCH, MUCH + 1n, MUCH);
    const before = engine.transactions;
    const told: (string | null)[] = [];
    engine.sendAll(
      all.map(({ instruction }) => ({ instruction, done: (refusal) => told.push(refusal) })),
    );
    // The system program's number for who has too little.
    expect(told).to.deep.equal([null, "error 1", null]);
    expect(engine.transactions - before).to.equal(4);
    expect(all.map(({ to }) => engine.lamports(to))).to.deep.equal([MUCH, 0n, MUCH]);
  });

  it("draws the same numbers by the same seed, in streams that do not depend on each other", () => {
    const draw = (random: Random): number[] => Array.from({ length: 20 }, () => random.next());
    const [one, other] = [new Random("a"), new Random("a")];
    draw(other);
    expect(draw(other.fork("x"))).to.deep.equal(draw(one.fork("x")));
    expect(draw(one)).not.to.deep.equal(draw(new Random("b")));
    const many = Array.from({ length: 10_000 }, () => one.next());
    expect(Math.min(...many)).to.be.within(0, 0.001);
    expect(Math.max(...many)).to.be.within(0.999, 1);
    expect(many.reduce((sum, next) => sum + next, 0) / many.length).to.be.closeTo(0.5, 0.02);
    expect(one.shuffled([1, 2, 3, 4, 5]).toSorted()).to.deep.equal([1, 2, 3, 4, 5]);
  });
});
