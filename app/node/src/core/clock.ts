/** What a chain's clock is read from. */
export interface SlotSource {
  /** The newest slot. */
  getSlot(): Promise<number>;
}

/** What is told of a slot so far ahead is not believed. */
export const AHEAD_SLOTS = 300n;
/** Until it is measured. */
const SLOT_MS = 400;
/** Between two slots that the pace is measured by: sooner, the way of a word to here would count for much. */
const MEASURE_SLOTS = 10;
const MOST_MEASURE_SLOTS = 10_000;
/** Shorter, and a server that catches up would count. */
const MEASURE_MS = 250;
/** A measure that took so long says all; one that took less counts for that part. */
const WHOLE_MS = 5_000;
/** A date that went on by so much more shows that the machine slept. */
const SLEPT_MS = 2_000;
/** No chain is faster, however close to each other two words come. */
const LEAST_SLOT_MS = 10;
/** A chain that stood still is measured as no slower than this: who slept by that pace would wake when windows are over. */
const MOST_SLOT_MS = 1_000;
/** Time passes at this part of the pace at least: a slot that is not known is never said to be over too soon. */
const SURE = 0.8;
/** After so long without a higher slot, a lower one is believed. */
const BACK_MS = 5_000;
/** A slot lower by more than this is of a chain that was started again, or of a server that is. */
const FAR_BACK = 150n;

/**
 * Tells the slot without being told each: from the newest that is known, the time since, and the time that slots took so far. Who must know better,
 * before what ends at a slot, asks the chain.
 */
export class Clock {
  private newest = 0n;
  /** Moment of {@link performance}'s clock, which nobody sets back. */
  private heardAt = -Infinity;
  private measured: { readonly slot: bigint; readonly at: number; readonly date: number } | null =
    null;
  private msPerSlot = SLOT_MS;
  private asking: Promise<void> | null = null;

  constructor(private readonly source: SlotSource) {}

  /** Takes what an answer or a notification says. */
  hear(slot: bigint): void {
    const now = performance.now();
    const back = this.newest - slot;
    // Answers come out of order, and confirmed banks behind the newest. But slots go back when a fork dies, or a server is started again.
    if (back > 0n && back < FAR_BACK && now - this.heardAt < BACK_MS) return;
    this.newest = slot;
    this.heardAt = now;
    this.measure(slot, now);
  }

  private measure(slot: bigint, now: number): void {
    const passed = this.measured ? Number(slot - this.measured.slot) : -1;
    const took = now - (this.measured?.at ?? now);
    if (passed >= 0 && (passed < MEASURE_SLOTS || took < MEASURE_MS)) return;
    // While a machine sleeps, its clock of performance stands still, and the chain goes on.
    const slept = Date.now() - (this.measured?.date ?? 0) > took + SLEPT_MS;
    if (passed > 0 && passed < MOST_MEASURE_SLOTS && !slept) {
      const found = Math.min(Math.max(took / passed, LEAST_SLOT_MS), MOST_SLOT_MS);
      // Attack, or slip: slots that a server tells late, and all at once, would have the clock run away.
      const weight = Math.min(took / WHOLE_MS, 1);
      this.msPerSlot = (1 - weight) * this.msPerSlot + weight * found;
    }
    this.measured = { slot, at: now, date: Date.now() };
  }

  /** Newest slot that was heard of. */
  get known(): bigint {
    return this.newest;
  }

  /** Slot that is reached by now, for sure unless the chain has become slower by a quarter, or takes over 1,250 ms for a slot. */
  get slot(): bigint {
    return this.newest + this.since(SURE);
  }

  /** Slot that is reached by now, most likely. */
  get guess(): bigint {
    return this.newest + this.since(1);
  }

  /** Milliseconds since a slot was heard of. */
  get age(): number {
    return performance.now() - this.heardAt;
  }

  private since(part: number): bigint {
    if (this.heardAt === -Infinity) return 0n;
    return BigInt(Math.floor((part * this.age) / this.msPerSlot));
  }

  /** The newest slot, asked for where none was heard of for so long. */
  async now(mostAgeMs: number): Promise<bigint> {
    // Who asks at the same time has the same answer: requests of others ask too.
    if (this.age > mostAgeMs) {
      this.asking ??= this.ask().finally(() => (this.asking = null));
      await this.asking;
    }
    return this.slot;
  }

  private async ask(): Promise<void> {
    this.hear(BigInt(await this.source.getSlot()));
  }

  /** How long these many slots will take, in milliseconds. */
  duration(slots: bigint): number {
    return Number(slots) * this.msPerSlot;
  }
}
