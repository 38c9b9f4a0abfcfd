import { expect } from "chai";
import { RULES } from "../../../tests/utils/games";
import { habitsOf } from "../src/core/pace";

describe("how often a light node looks", () => {
  const poll = (commitSlots: bigint, revealSlots: bigint): readonly (bigint | undefined)[] => {
    const { pollSlots } = habitsOf("light", { ...RULES, commitSlots, revealSlots });
    return [pollSlots?.told, pollSlots?.untold];
  };

  it("leaves time to judge and vote in the window in which votes are taken, whatever is told", () => {
    for (const window of [1n, 4n, 10n, 75n, 150n, 300n, 528n, 5_000n, 200_000n]) {
      for (const [told = 0n, untold = 0n] of [poll(window, 20n), poll(0n, window)]) {
        const left = window - told;
        expect(4n * left >= window, String(window)).to.equal(true);
        expect(left >= 75n || 2n * left >= window, String(window)).to.equal(true);
        expect(untold <= 4n || 4n * untold <= window).to.equal(true);
      }
    }
    expect(poll(528n, 20n)).to.deep.equal([396n, 132n]);
    expect(poll(0n, 100n)).to.deep.equal([50n, 25n]);
  });

  it("sees in time that an appeal was made, and that nobody is at the other end of a socket", () => {
    for (const window of [10n, 300n, 5_000n]) {
      const rules = { ...RULES, commitSlots: window, appealSlots: window / 2n };
      const { pace, pingMs } = habitsOf("light", rules);
      expect(pace.appeal <= 4n || 8n * pace.appeal <= window).to.equal(true);
      // Two pings go without an answer.
      expect(2 * pingMs <= (Number(window) * 400) / 2).to.equal(true);
    }
  });
});
