import {
  SIGNATURE_HEADER,
  SLOT_HEADER,
  SUBMISSION_HEADER,
  operatorOf,
  signAnswer,
} from "@securing-tasks/sandbox";
import type { Exchange } from "@securing-tasks/sandbox";
import type { Keypair, PublicKey } from "@solana/web3.js";
import type { Store, Submitted } from "./store";

export interface SignerOptions {
  readonly task: PublicKey;
  readonly owner: PublicKey;
  readonly operator: Keypair;
  readonly store: Pick<Store, "submitted">;
  /** Newest slot that the node has heard of. */
  readonly slot: () => bigint;
}

/** Signs what the REST service answers, so that this node is bound by it. */
export class Signer {
  constructor(private readonly options: SignerOptions) {}

  /**
   * The submission that an answer would be signed for: the one asked for, or else the newest. Null where this node did not submit it, or
   * where its payload names another key: whoever was the operator then signed then.
   */
  pick(asked: string | undefined): Submitted | null {
    const { operator, store } = this.options;
    const work = store.submitted(asked ?? null);
    return work && operatorOf(work.payload) === operator.publicKey.toBase58() ? work : null;
  }

  /** The headers that sign an answer; none before the chain has come to the submission. */
  headers(work: Submitted, exchange: Omit<Exchange, "slot">): Readonly<Record<string, string>> {
    const { task, owner, operator } = this.options;
    const slot = this.options.slot();
    if (slot < work.slot) return {};
    const what = {
      task: task.toBase58(),
      submission: work.submission,
      owner: owner.toBase58(),
      round: Number(work.round),
      roundSeed: work.seed,
      payloadHash: work.hash,
    };
    const said = { ...exchange, slot: Number(slot) };
    return {
      [SUBMISSION_HEADER]: work.submission,
      [SLOT_HEADER]: slot.toString(),
      [SIGNATURE_HEADER]: signAnswer(operator.secretKey, what, said),
    };
  }
}
