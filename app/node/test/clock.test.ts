import { expect } from "chai";
import { Clock } from "../src/core/clock";

describe("the clock between known slots", () => {
  /** What {@link performance} says. */
  let now: number;
  const real = performance.now.bind(performance);

  beforeEach(() => {
    now = 1_000;
    performance.now = () => now;
  });
  afterEach(() => {
    performance.now = real;
  });

  const clockAt = (slot: bigint): Clock => {
    const clock = new Clock({ getSlot: () => Promise.resolve(0) });
    clock.hear(slot);
    return clock;
  };

  it("goes on by itself at the pace of the slots before, and is measured by them", () => {
    const clock = clockAt(100n);
    now += 4_000;
    expect(clock.guess).to.equal(110n);
    for (let slot = 100n; slot <= 1_000n; slot += 10n) {
      clock.hear(slot);
      now += 10 * 250;
    }
    expect(Math.round(clock.duration(100n))).to.be.within(24_900, 25_500);
    expect(Number(clock.guess)).to.be.within(1_009, 1_010);
  });

  it("does not run away after the machine slept, while its own clock stood still", () => {
    const realDate = Date.now.bind(Date);
    let date = 1_000_000;
    Date.now = () => date;
    try {
      const clock = clockAt(1_000n);
      const pass = (ms: number): void => {
        now += ms;
        date += ms;
      };
      let slot = 1_000n;
      for (let count = 0; count < 50; count += 1) {
        clock.hear(slot);
        pass(5_000);
        slot += 12n;
      }
      slot += 1_500n;
      date += 600_000;
      clock.hear(slot);
      pass(4_000);
      expect(clock.slot <= slot + 10n).to.equal(true);
    } finally {
      Date.now = realDate;
    }
  });

  it("says of no slot that it is there before it is, on a chain that has become slower by a fifth", () => {
    const clock = clockAt(0n);
    for (let slot = 0n; slot < 5_000n; slot += 1n) {
      // Nothing is heard of for 500 slots.
      now += 500;
      expect(clock.slot <= slot + 1n).to.equal(true);
      if (slot % 500n === 0n) clock.hear(slot + 1n);
    }
  });

  it("does not run away after a server has told many slots at once", () => {
    const clock = clockAt(100n);
    now += 300;
    clock.hear(600n);
    now += 1_000;
    expect(clock.slot <= 603n).to.equal(true);
  });

  it("takes a chain that stood still for no slower than one slot a second, and finds its pace again", () => {
    const clock = clockAt(1_000n);
    // Ten minutes, in which all that is heard is the same.
    for (let ms = 0; ms < 600_000; ms += 5_000) {
      clock.hear(1_000n);
      now += 5_000;
    }
    clock.hear(1_010n);
    expect(clock.duration(1n)).to.equal(1_000);
    for (let slot = 1_020n; slot <= 1_200n; slot += 10n) {
      now += 4_000;
      clock.hear(slot);
    }
    expect(Math.round(clock.duration(1n))).to.equal(400);
  });

  it("takes a word that comes late for what it is, and a chain that went back for what that is", () => {
    const clock = clockAt(1_000n);
    clock.hear(990n);
    expect(clock.slot).to.equal(1_000n);
    clock.hear(10n);
    expect(clock.slot).to.equal(10n);
    clock.hear(1_000n);
    now += 6_000;
    clock.hear(990n);
    expect(clock.slot).to.equal(990n);
  });

  it("asks the chain where it has heard of no slot for too long", async () => {
    let asked = 0;
    const clock = new Clock({
      getSlot: () => {
        asked += 1;
        return Promise.resolve(500);
      },
    });
    expect(await clock.now(1_000)).to.equal(500n);
    expect(await clock.now(1_000)).to.equal(500n);
    now += 1_001;
    expect(await clock.now(1_000)).to.equal(500n);
    expect(asked).to.equal(2);
  });
});
