/** The lane has as many runs waiting as it takes. */
export class LaneFull extends Error {
  override readonly name = "LaneFull";
}

interface Waiting {
  readonly until: bigint;
  readonly go: () => void;
}

/** Lets so many runs go on at once, and so many wait for their turn: first those whose time is up first, then who came first. */
export class Lane {
  private going = 0;
  private readonly waiting: Waiting[] = [];

  constructor(
    private readonly concurrency: number,
    private readonly queue: number,
  ) {}

  /**
   * Rejects with {@link LaneFull} when too many wait.
   *
   * @param until Slot at which it is too late.
   */
  async run<T>(act: () => Promise<T>, until = 0n): Promise<T> {
    if (this.going < this.concurrency) this.going += 1;
    else if (this.waiting.length >= this.queue) {
      throw new LaneFull("Too many runs wait for their turn. Try again later.");
    } else {
      // Whoever ends hands its place on.
      await new Promise<void>((go) => {
        const behind = this.waiting.findIndex((other) => other.until > until);
        const place = behind === -1 ? this.waiting.length : behind;
        this.waiting.splice(place, 0, { until, go });
      });
    }
    try {
      return await act();
    } finally {
      const next = this.waiting.shift();
      if (next) next.go();
      else this.going -= 1;
    }
  }
}

/** Who asks in a {@link FairLane}. */
export interface Caller {
  /** An address, or a node's operator. */
  readonly name: string;
  readonly isNode: boolean;
}

interface Turn {
  readonly go: (giveBack: () => void) => void;
  readonly refuse: (why: LaneFull) => void;
}

interface Line {
  readonly isNode: boolean;
  readonly turns: Turn[];
}

/**
 * A lane for strangers and nodes, in which nobody waits for all that somebody else has asked: callers have their turns one after the other,
 * each for one run. Nodes have a place besides, so that no stranger's long run keeps them waiting.
 */
export class FairLane {
  /** Whose turn is next is first. */
  private readonly lines = new Map<string, Line>();
  private readonly forAll: { free: number };
  private readonly forNodes = { free: 1 };
  private strangers = 0;

  /** @param queue Strangers' runs that may wait. Whoever lets nodes in bounds theirs. */
  constructor(
    concurrency: number,
    private readonly queue: number,
  ) {
    this.forAll = { free: concurrency };
  }

  /** Rejects with {@link LaneFull} when too many strangers' runs wait, and none has more of them than this one; else one of those ends so. */
  async run<T>(caller: Caller, act: () => Promise<T>): Promise<T> {
    const giveBack = await this.turn(caller);
    try {
      return await act();
    } finally {
      giveBack();
    }
  }

  private turn({ name, isNode }: Caller): Promise<() => void> {
    return new Promise((go, refuse) => {
      const line = this.lines.get(name) ?? { isNode, turns: [] };
      line.turns.push({ go, refuse });
      this.lines.set(name, line);
      if (!isNode) this.strangers += 1;
      this.next();
      if (this.strangers > this.queue) this.refuseOneOf(name, line);
    });
  }

  private next(): void {
    for (const [name, line] of this.lines) {
      const places = line.isNode ? [this.forNodes, this.forAll] : [this.forAll];
      const place = places.find(({ free }) => free > 0);
      const turn = place && line.turns.shift();
      if (!turn) continue;
      this.lines.delete(name);
      if (line.turns.length > 0) this.lines.set(name, line);
      if (!line.isNode) this.strangers -= 1;
      place.free -= 1;
      turn.go(() => {
        place.free += 1;
        this.next();
      });
      return;
    }
  }

  /** The newest run of the stranger that has most, or of the one that came last where nobody has more. */
  private refuseOneOf(name: string, line: Line): void {
    let [who, most] = [name, line];
    for (const [other, its] of this.lines) {
      if (!its.isNode && its.turns.length > most.turns.length) [who, most] = [other, its];
    }
    most.turns.pop()?.refuse(new LaneFull("Too many runs wait for their turn. Try again later."));
    if (most.turns.length === 0) this.lines.delete(who);
    this.strangers -= 1;
  }
}
