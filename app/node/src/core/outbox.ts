import type { Outbox } from "./sender";
import type { Letter, State } from "./state";

/** What the chain does once, however often it is asked: there is one account for it, or its state has moved on. */
const REPEATABLE = /^(reveal|vote|submit):/;

export interface PatientOutboxOptions {
  /** Told of every write that failed. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * An outbox over one that may fail to write, such as a state on a full disk. What harms nobody when it is sent twice goes out all the same:
 * a reveal that waits for the disk costs its deposit. Everything else waits.
 */
export class PatientOutbox implements Outbox {
  /** On their way, and not in the outbox below. */
  private readonly unkept = new Map<string, Letter>();
  /** Signatures whose fate is known, and which the outbox below still holds, by their keys. */
  private readonly settled = new Map<string, string>();
  /** Signatures that the outbox below never had. */
  private readonly unrecorded = new Set<string>();

  constructor(
    private readonly kept: Outbox & Pick<State, "hasSent">,
    private readonly options: PatientOutboxOptions,
  ) {}

  letters(): Letter[] {
    return [...this.kept.letters().filter((one) => this.isOpen(one)), ...this.unkept.values()];
  }

  letter(key: string): Letter | null {
    const kept = this.unkept.get(key) ?? this.kept.letter(key);
    return kept && this.isOpen(kept) ? kept : null;
  }

  lettersOf(key: string): Letter[] {
    const unkept = [...this.unkept.values()].filter(({ keys }) => keys.includes(key));
    return [...this.kept.lettersOf(key).filter((one) => this.isOpen(one)), ...unkept];
  }

  post(letter: Letter): void {
    for (const key of this.settled.keys()) this.forget(key);
    try {
      this.kept.post(letter);
    } catch (error) {
      if (!letter.keys.every((key) => REPEATABLE.test(key))) throw error;
      this.unkept.set(letter.key, letter);
      this.unrecorded.add(letter.signature);
      this.options.onTrouble(error);
    }
  }

  /** Whether this node sent it lately. */
  hasSent(signature: string): boolean {
    return this.unrecorded.has(signature) || this.kept.hasSent(signature);
  }

  sentSince(slot: number): number {
    return this.kept.sentSince(slot);
  }

  settle(key: string): void {
    if (this.unkept.delete(key)) return;
    const kept = this.kept.letter(key);
    if (!kept) return;
    this.settled.set(key, kept.signature);
    this.forget(key);
  }

  private forget(key: string): void {
    try {
      this.kept.settle(key);
      this.settled.delete(key);
    } catch (error) {
      this.options.onTrouble(error);
    }
  }

  private isOpen({ key, signature }: Letter): boolean {
    return this.settled.get(key) !== signature;
  }
}
