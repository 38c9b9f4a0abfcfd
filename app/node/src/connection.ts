import type {
  BlockhashWithExpiryBlockHeight,
  Commitment,
  ConnectionConfig,
  EpochInfo,
  GetEpochInfoConfig,
  GetLatestBlockhashConfig,
  RpcResponseAndContext,
  SignatureStatus,
  SignatureStatusConfig,
} from "@solana/web3.js";
import { Connection } from "@solana/web3.js";
import { dueTime, within } from "./limiter";

/** For how long one blockhash serves all who need one: a small part of the 150 slots that it lives. */
const BLOCKHASH_MS = 2_000;
/** For how long what was said about the epoch does. */
const EPOCH_MS = 1_000;
/** What serves all is as urgent as what is most so. */
const SHARED_DUE_MS = 1_000;
/** Most signatures in one question. */
const BATCH = 256;
/** One call of so many may ask for statuses. */
const STATUS_PART = 8;

type Status = RpcResponseAndContext<SignatureStatus | null>;
type Latest = RpcResponseAndContext<BlockhashWithExpiryBlockHeight>;

/** A connection that asks once for what many need: statuses together, and blockhash and epoch for all who ask at about the same time. */
export class SharedConnection extends Connection {
  private readonly shared = new Map<string, { value: Promise<unknown>; until: number }>();
  private readonly recent: Statuses;
  private readonly old: Statuses;

  /** @param msPerCall What one call takes of what may be asked, in milliseconds. */
  constructor(url: string, config: ConnectionConfig, msPerCall: () => number) {
    super(url, config);
    const pauseMs = (): number => STATUS_PART * msPerCall();
    this.recent = new Statuses((all) => super.getSignatureStatuses(all), pauseMs);
    this.old = new Statuses(
      (all) => super.getSignatureStatuses(all, { searchTransactionHistory: true }),
      pauseMs,
    );
  }

  override getSignatureStatus(signature: string, config?: SignatureStatusConfig): Promise<Status> {
    return (config?.searchTransactionHistory === true ? this.old : this.recent).ask(signature);
  }

  override getLatestBlockhashAndContext(
    given?: Commitment | GetLatestBlockhashConfig,
  ): Promise<Latest> {
    return this.share(`blockhash ${JSON.stringify(given)}`, BLOCKHASH_MS, () =>
      super.getLatestBlockhashAndContext(given),
    );
  }

  override getEpochInfo(given?: Commitment | GetEpochInfoConfig): Promise<EpochInfo> {
    return this.share(`epoch ${JSON.stringify(given)}`, EPOCH_MS, () => super.getEpochInfo(given));
  }

  private share<T>(key: string, ms: number, ask: () => Promise<T>): Promise<T> {
    const found = this.shared.get(key);
    if (found && performance.now() < found.until) return found.value as Promise<T>;
    const value = within(SHARED_DUE_MS, ask);
    const entry = { value, until: Infinity };
    this.shared.set(key, entry);
    value.then(
      () => (entry.until = performance.now() + ms),
      () => (entry.until = 0),
    );
    return value;
  }
}

interface Waiting {
  readonly signature: string;
  readonly due: number;
  readonly resolve: (status: Status) => void;
  readonly reject: (error: unknown) => void;
}

/** Asks for the statuses of all that is waited for in one call, and then for those that were asked for in the meantime. */
class Statuses {
  private waiting: Waiting[] = [];
  private going = false;

  constructor(
    private readonly get: (
      signatures: string[],
    ) => Promise<RpcResponseAndContext<(SignatureStatus | null)[]>>,
    private readonly pauseMs: () => number,
  ) {}

  ask(signature: string): Promise<Status> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ signature, due: dueTime(), resolve, reject });
      if (!this.going) void this.go();
    });
  }

  private async go(): Promise<void> {
    this.going = true;
    // What is asked for in this same moment comes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, BATCH);
      this.waiting = this.waiting.slice(BATCH);
      await this.answer(batch);
      await new Promise((resolve) => setTimeout(resolve, this.pauseMs()));
    }
    this.going = false;
  }

  private async answer(batch: readonly Waiting[]): Promise<void> {
    const left = Math.min(...batch.map(({ due }) => due)) - performance.now();
    try {
      const { context, value } = await within(left, () =>
        this.get(batch.map(({ signature }) => signature)),
      );
      batch.forEach(({ resolve }, index) => {
        resolve({ context, value: value[index] ?? null });
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
