import { createHash } from "node:crypto";

/** Bytes of a number that is drawn. */
const DRAWN_BYTES = 6;
const DRAWN_RANGE = 2 ** (8 * DRAWN_BYTES);

/** Everything that is left to chance comes from here, so that a seed plays the same again, to the unit, on every machine. */
export class Random {
  private block = Buffer.alloc(0);
  private at = 0;
  private blocks = 0;

  constructor(private readonly seed: string) {}

  /** Another stream, which does not depend on how much was drawn from this one. */
  fork(label: string): Random {
    return new Random(`${this.seed}/${label}`);
  }

  /** From 0 to less than 1. */
  next(): number {
    if (this.at + DRAWN_BYTES > this.block.length) {
      this.block = createHash("sha256").update(`${this.seed}#${this.blocks}`).digest();
      this.blocks += 1;
      this.at = 0;
    }
    const drawn = this.block.readUIntBE(this.at, DRAWN_BYTES);
    this.at += DRAWN_BYTES;
    return drawn / DRAWN_RANGE;
  }

  /** True with this chance, from 0 to 1. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** The items in an order of chance. */
  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, key: this.next() }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);
  }

  /** 32 bytes that nobody can guess who does not know the seed: for keys, salts and panels' secrets. */
  static bytes(seed: string, label: string): Uint8Array {
    return createHash("sha256").update(`${seed}|${label}`).digest();
  }
}
