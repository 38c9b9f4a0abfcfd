import type { Audit, SealedReveal, SecuringTasksClient } from "@securing-tasks/client";
import {
  PROGRAM_ID,
  readSealedReveal,
  sealedSecret,
  secretOf,
  voteAddress,
} from "@securing-tasks/client";
import type { Download } from "./host";
import { Lane } from "./lane";
import { canReveal } from "./plan";
import type { KeeperSettings } from "./settings";
import { DAY_SLOTS } from "./sponsor";
import type { State } from "./state";
import type { View } from "./view";

export interface KeeperOptions {
  readonly config: KeeperSettings;
  readonly client: SecuringTasksClient;
  readonly store: Pick<State, "keepReveal" | "keptReveals" | "paidReveals">;
  /** What the node saw last on the chain; null before the first look. */
  readonly view: () => View | null;
}

/** What came of a sealed reveal that was brought: a status of HTTP, and words. */
export interface Kept {
  readonly status: 200 | 400 | 403 | 404 | 409 | 429 | 503;
  readonly message: string;
}

/** Asked for at once, and waiting: what comes in costs a call to the RPC server. */
const AT_ONCE = 2;
const WAITING = 32;
/** Votes that are remembered. */
const MOST_KNOWN = 1_000;
/** Slots of a day. */
const DAY = BigInt(DAY_SLOTS);
/** What comes so close to the end of the window would come too late. */
const MARGIN = 8n;

/**
 * Takes reveals that other nodes' daemons hand over, to reveal their votes if they don't by themselves.
 *
 * Strangers may bring what they like: nothing is kept but what opens a vote that stands committed on the chain, so places and fees go to real
 * votes alone, each once.
 */
export class Keeper {
  private readonly lane = new Lane(AT_ONCE, WAITING);
  /** Of votes that were asked for: they never change. */
  private readonly commitments = new Map<string, Uint8Array>();

  constructor(private readonly options: KeeperOptions) {}

  /** Rejects with `LaneFull`, or with what the RPC server has. */
  async take(body: string): Promise<Kept> {
    const { config } = this.options;
    const view = this.options.view();
    if (!view) return { status: 503, message: "This node has not seen the chain yet." };
    let sealed: SealedReveal;
    try {
      sealed = readSealedReveal(body);
    } catch (error) {
      return { status: 400, message: error instanceof Error ? error.message : String(error) };
    }
    const { voter } = sealed;
    if (sealed.program !== PROGRAM_ID.toBase58() || sealed.task !== view.task.address.toBase58()) {
      return { status: 403, message: "This node keeps reveals of another task." };
    }
    if (config.for !== "any" && !config.for.includes(voter)) {
      return { status: 403, message: "This node keeps no reveals of yours." };
    }
    const audit = view.audits.find(({ address }) => address.toBase58() === sealed.audit);
    if (!audit) return { status: 404, message: "This node knows no such audit." };
    if (audit.outcome !== "open" || view.slot + MARGIN >= audit.endSlot) {
      return { status: 409, message: "No vote of this audit is revealed any more." };
    }
    return this.lane.run(() => this.keep(view, sealed, audit), audit.endSlot);
  }

  private async keep({ slot }: View, sealed: SealedReveal, about: Audit): Promise<Kept> {
    const { config, store } = this.options;
    const secret = sealedSecret(sealed);
    const address = voteAddress(secret.audit, secret.voter);
    // What was made up costs no call, however much of it comes.
    const known = this.commitments.get(address.toBase58()) ?? null;
    if (known && !secretOf(known, [secret])) return NO_KEY;
    const vote = await this.options.client.find("vote", address);
    if (!vote) return { status: 404, message: "There is no such vote." };
    // After it is revealed everybody knows the salt, and could fill the places with it.
    if (!canReveal(about, vote) || !vote.commitment) {
      return { status: 409, message: "The vote is not secret, or not any more." };
    }
    this.remember(address.toBase58(), vote.commitment);
    if (!secretOf(vote.commitment, [secret])) return NO_KEY;
    const kept = store.keptReveals();
    const isKept = kept.some(
      ({ audit, voter }) => audit === sealed.audit && voter === sealed.voter,
    );
    if (!isKept) {
      // What is kept may all have to be paid for.
      const day = slot > DAY ? slot - DAY : 0n;
      const owed = kept.length + store.paidReveals(day);
      if (kept.length >= config.max || owed >= config.maxPerDay) {
        return { status: 429, message: "This node keeps as many reveals as it takes." };
      }
      store.keepReveal(sealed, about.endSlot);
    }
    return { status: 200, message: "Kept." };
  }

  private remember(vote: string, commitment: Uint8Array): void {
    this.commitments.set(vote, commitment);
    const [oldest] = this.commitments.keys();
    if (this.commitments.size > MOST_KNOWN && oldest !== undefined) {
      this.commitments.delete(oldest);
    }
  }
}

const NO_KEY: Kept = { status: 400, message: "This does not open the vote." };

/** What a keeper said to a reveal that was handed to it. */
export interface Entrusted {
  /** As it was given. */
  readonly keeper: string;
  readonly taken: boolean;
  /** Whether it would say the same again. */
  readonly final: boolean;
  readonly message: string;
}

/** Most time for one keeper, and most bytes of what it says. */
const HAND_MS = 5_000;
const MOST_REPLY_BYTES = 4_096;
/** Statuses after which another try is of no use. */
const FINAL: readonly number[] = [400, 403, 409];

/** Hands a sealed reveal to all these keepers (`URL/reveals`). Never rejects. */
export function entrust(
  sealed: SealedReveal,
  keepers: readonly string[],
  download: Download,
): Promise<Entrusted[]> {
  const hand = async (keeper: string): Promise<Entrusted> => {
    try {
      const { status, bytes } = await download(new URL(`${keeper.replace(/\/+$/, "")}/reveals`), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(sealed),
        timeoutMs: HAND_MS,
        maxBytes: MOST_REPLY_BYTES,
        // The node's own choice may be on its own network.
        allowPrivateNetwork: true,
      });
      const message = wordsOf(Buffer.from(bytes).toString("utf8")) ?? `status ${status}`;
      return { keeper, taken: status === 200, final: FINAL.includes(status), message };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { keeper, taken: false, final: false, message };
    }
  };
  return Promise.all(keepers.map(hand));
}

function wordsOf(reply: string): string | null {
  try {
    const { message } = JSON.parse(reply) as { readonly message?: unknown };
    // It may end in a terminal.
    return typeof message === "string" ? message.slice(0, 200).replace(/\p{C}/gu, "?") : null;
  } catch {
    return null;
  }
}
