import type {
  AccountInfo,
  BlockhashWithExpiryBlockHeight,
  Commitment,
  ConnectionConfig,
  EpochInfo,
  GetAccountInfoConfig,
  GetEpochInfoConfig,
  GetLatestBlockhashConfig,
  RpcResponseAndContext,
  SignatureStatus,
  SignatureStatusConfig,
} from "@solana/web3.js";
import { Connection, PublicKey } from "@solana/web3.js";
import { dueTime, within } from "./urgency";

/** For how long one blockhash serves all who need one: a small part of the 150 slots that it lives. */
const BLOCKHASH_MS = 2_000;
/** For how long what was said about the epoch does. */
const EPOCH_MS = 1_000;
/** What serves all is as urgent as what is most so. */
const SHARED_DUE_MS = 1_000;
/** Most signatures, and most accounts, in one question. */
const MOST_SIGNATURES = 256;
const MOST_ACCOUNTS = 100;
/** One call of so many may ask for statuses. */
const STATUS_PART = 8;

type Account = AccountInfo<Buffer> | null;
type Status = RpcResponseAndContext<SignatureStatus | null>;
type Latest = RpcResponseAndContext<BlockhashWithExpiryBlockHeight>;

/**
 * A connection that asks once for what many need: statuses and accounts together, and blockhash and epoch for all who ask at about the same
 * time.
 */
export class SharedConnection extends Connection {
  private readonly shared = new Map<string, { value: Promise<unknown>; until: number }>();
  private readonly accounts = new Map<Commitment | undefined, Together<Account>>();
  private readonly recent: Together<Status>;
  private readonly old: Together<Status>;

  constructor(
    url: string,
    config: ConnectionConfig,
    private readonly servers: Pick<SharedConnection, "msPerCall" | "askAnother">,
  ) {
    super(url, config);
    const statuses = (config?: SignatureStatusConfig): Together<Status> =>
      new Together(
        async (signatures) => {
          const { context, value } = await super.getSignatureStatuses(signatures, config);
          return value.map((one) => ({ context, value: one }));
        },
        MOST_SIGNATURES,
        () => STATUS_PART * this.msPerCall,
      );
    this.recent = statuses();
    this.old = statuses({ searchTransactionHistory: true });
  }

  /** What one call takes of what may be asked, in milliseconds. */
  get msPerCall(): number {
    return this.servers.msPerCall;
  }

  /** Has another server asked from now on, where there is one that takes calls: this one's answers are no use. */
  askAnother(): void {
    this.servers.askAnother();
  }

  override getAccountInfo(
    key: PublicKey,
    given?: Commitment | GetAccountInfoConfig,
  ): Promise<Account> {
    if (typeof given === "object") return super.getAccountInfo(key, given);
    const accounts =
      this.accounts.get(given) ??
      new Together<Account>(
        (keys) =>
          super.getMultipleAccountsInfo(
            keys.map((one) => new PublicKey(one)),
            given,
          ),
        MOST_ACCOUNTS,
      );
    this.accounts.set(given, accounts);
    return accounts.ask(key.toBase58());
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

interface Waiting<T> {
  readonly name: string;
  readonly due: number;
  readonly resolve: (answer: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Asks for all that is waited for in one call, and then for what was asked for in the meantime. */
class Together<T> {
  private waiting: Waiting<T>[] = [];
  private going = false;

  constructor(
    private readonly get: (names: string[]) => Promise<readonly T[]>,
    private readonly most: number,
    private readonly pauseMs: () => number = () => 0,
  ) {}

  ask(name: string): Promise<T> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ name, due: dueTime(), resolve, reject });
      if (!this.going) void this.go();
    });
  }

  private async go(): Promise<void> {
    this.going = true;
    // What is asked for in this same moment comes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, this.most);
      this.waiting = this.waiting.slice(this.most);
      await this.answer(batch);
      await new Promise((resolve) => setTimeout(resolve, this.pauseMs()));
    }
    this.going = false;
  }

  private async answer(batch: readonly Waiting<T>[]): Promise<void> {
    const left = Math.min(...batch.map(({ due }) => due)) - performance.now();
    try {
      const answers = await within(left, () => this.get(batch.map(({ name }) => name)));
      batch.forEach(({ resolve, reject }, index) => {
        const answer = answers[index];
        if (answer === undefined) reject(new Error("The RPC server's list is too short."));
        else resolve(answer);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
