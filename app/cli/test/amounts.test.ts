import { expect } from "chai";
import {
  formatDuration,
  formatShare,
  formatSlots,
  formatTokens,
  formatWhen,
  parseAmount,
  parseSlots,
} from "../src/amounts";
import { UsageError } from "../src/failures";

const MOST = 2n ** 64n - 1n;

/** Amounts at all edges where digits come and go, and many between them. */
function* amounts(): Generator<bigint> {
  for (let power = 1n; power <= MOST; power *= 10n) {
    for (const near of [power - 1n, power, power + 1n, 7n * power]) if (near <= MOST) yield near;
  }
  for (let one = 1n; one < MOST; one = one * 3n + 1n) yield one;
  yield MOST;
}

describe("amounts", () => {
  it("are read as they are written, to the unit, for every number of decimals", () => {
    for (const decimals of [0, 1, 2, 6, 9, 18]) {
      for (const amount of amounts()) {
        const [text = ""] = formatTokens(amount, decimals).split(" ");
        const plain = text.replaceAll(",", "");
        expect(parseAmount(plain, decimals), plain).to.equal(amount);
        expect(parseAmount(`${amount.toString()} base`, decimals)).to.equal(amount);
      }
    }
  });

  it("may be written in tokens, in base units and with grouped digits", () => {
    expect(parseAmount("12.5", 6)).to.equal(12_500_000n);
    expect(parseAmount(" .5 ", 1)).to.equal(5n);
    expect(parseAmount("1_000", 2)).to.equal(100_000n);
    expect(parseAmount("100 base", 9)).to.equal(100n);
    expect(parseAmount("7base", 9)).to.equal(7n);
  });

  it("may end in zeros that the mint has no decimals for, and in no other digit", () => {
    expect(parseAmount("1.500", 1)).to.equal(15n);
    expect(parseAmount("2.0", 0)).to.equal(2n);
    expect(() => parseAmount("1.55", 1)).to.throw(UsageError, /more than the 1 decimals/);
  });

  it("are refused where they are none or more than 64 bits hold", () => {
    for (const text of ["", " ", "-1", "1e9", "0x10", "1,5", "1.2.3", "ten", ".", "_1", "1 SOL"]) {
      expect(() => parseAmount(text, 9), text).to.throw(UsageError, /is no amount/);
    }
    expect(() => parseAmount(`${(MOST + 1n).toString()} base`, 9)).to.throw(UsageError, /is over/);
    expect(() => parseAmount(MOST.toString(), 1)).to.throw(UsageError, /is over/);
  });

  it("are shown with groups and unit", () => {
    expect(formatTokens(1_234_567_500_000n, 6, "SOL")).to.equal("1,234,567.5 SOL");
    expect(formatTokens(0n, 9)).to.equal("0 tokens");
  });
});

describe("slots", () => {
  it("are read as numbers, with and without their name", () => {
    for (const text of ["150", "150 slots", "150slots", " 150 slot"]) {
      expect(parseSlots(text)).to.equal(150n);
    }
    expect(parseSlots("78,840,000")).to.equal(78_840_000n);
    expect(parseSlots("0")).to.equal(0n);
  });

  it("are as many as a duration lasts at 400 ms, rounded up", () => {
    expect(parseSlots("10m")).to.equal(1_500n);
    expect(parseSlots("1h30m")).to.equal(13_500n);
    expect(parseSlots("1.5h")).to.equal(13_500n);
    expect(parseSlots("2d")).to.equal(432_000n);
    expect(parseSlots("1ms")).to.equal(1n);
    expect(parseSlots("400ms")).to.equal(1n);
    expect(parseSlots("401ms")).to.equal(2n);
  });

  it("never last less than the duration, and never a slot more", () => {
    for (let ms = 1; ms < 200_000; ms += 137) {
      const lasts = Number(parseSlots(`${ms}ms`)) * 400;
      expect(lasts).to.be.within(ms, ms + 399);
    }
  });

  it("may be grouped by commas, which are no decimal points", () => {
    expect(parseSlots("1,500")).to.equal(1_500n);
    expect(parseSlots("12,345,678 slots")).to.equal(12_345_678n);
    for (const text of ["1,5", "1,5h", "0,5h", "2,25d", "1,5000", ",500"]) {
      expect(() => parseSlots(text), text).to.throw(UsageError, "is no time");
    }
  });

  it("are refused where they are no time", () => {
    for (const text of ["", "m", "10 minutes", "-5", "1.5", "10m!", "1h,30m"]) {
      expect(() => parseSlots(text), text).to.throw(UsageError, /is no time/);
    }
    expect(() => parseSlots((MOST + 1n).toString())).to.throw(UsageError, /more slots/);
  });

  it("are shown with the time that they take", () => {
    expect(formatSlots(1_500n)).to.equal("1,500 slots (~10m)");
    expect(formatSlots(1n)).to.equal("1 slot (~1s)");
    expect(formatSlots(1_500n, 50)).to.equal("1,500 slots (~1m 15s)");
    expect(formatDuration(0n)).to.equal("0s");
    expect(formatDuration(216_000n + 9_000n)).to.equal("1d 1h");
    expect(formatDuration(216_000n + 150n)).to.equal("1d");
  });

  it("are seen from now", () => {
    expect(formatWhen(1_600n, 100n)).to.equal("in ~10m");
    expect(formatWhen(100n, 1_600n)).to.equal("~10m ago");
    expect(formatWhen(5n, 5n)).to.equal("now");
  });
});

describe("shares", () => {
  it("are shown in percent", () => {
    expect([1, 50, 1_250, 10_000].map(formatShare)).to.deep.equal([
      "0.01%",
      "0.5%",
      "12.5%",
      "100%",
    ]);
  });
});
