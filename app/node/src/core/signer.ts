import {
  SIGNATURE_HEADER,
  SLOT_HEADER,
  SUBMISSION_HEADER,
  operatorOf,
  signAnswer,
} from "@securing-tasks/sandbox/core";
import type { Exchange } from "@securing-tasks/sandbox/core";
import type { Keypair, PublicKey } from "@solana/web3.js";
import type { Follower } from "./follower";
import type { State, Submitted } from "./state";

export interface SignerOptions {
  readonly task: PublicKey;
  readonly owner: PublicKey;
  readonly operator: Keypair;
  readonly store: Pick<State, "submitted">;
  /** A guess that is minutes old would date an answer to when it was not true yet, or no more. */
  readonly follower: Pick<Follower, "now" | "known">;
}

/** What an answer is signed for. */
export interface Signing extends Submitted {
  /** The slot that the answer is dated to: at which it was asked for. */
  readonly askedSlot: bigint;
}

/** Signs what the REST service answers, so that this node is bound by it. */
export class Signer {
  constructor(private readonly options: SignerOptions) {}

  /**
   * The submission that an answer would be signed for: the one asked for, or else the newest. Null where this node did not submit it,
   * where its payload names another key (whoever was the operator then signed then), and before the chain has come to the submission.
   *
   * Call it when the request is there, before the answer is made, at the moment that the function is told as `now`: the answer is dated
   * to the slot of this call. Read afterwards, the slot would say of an answer that was true when it was asked for, and waited for its
   * turn or for a slow server, that it was given when it was true no more: proof of malice against an honest node, for whoever makes it
   * wait. And dated to the asking, no answer is dated after its making. What the function reads of the chain may be newer than the slot,
   * so an audit function that judges by the slot has to take what became true soon after.
   */
  async pick(asked: string | undefined): Promise<Signing | null> {
    const { operator, store, follower } = this.options;
    const askedSlot = await follower.now().catch(() => follower.known);
    const work = store.submitted(asked ?? null);
    if (!work || askedSlot < work.slot) return null;
    return operatorOf(work.payload) === operator.publicKey.toBase58()
      ? { ...work, askedSlot }
      : null;
  }

  /** The headers that sign an answer. */
  headers(signing: Signing, exchange: Omit<Exchange, "slot">): Readonly<Record<string, string>> {
    const { task, owner, operator } = this.options;
    const { askedSlot } = signing;
    const what = {
      task: task.toBase58(),
      submission: signing.submission,
      owner: owner.toBase58(),
      round: Number(signing.round),
      roundSeed: signing.seed,
      payloadHash: signing.hash,
    };
    const said = { ...exchange, slot: Number(askedSlot) };
    return {
      [SUBMISSION_HEADER]: signing.submission,
      [SLOT_HEADER]: askedSlot.toString(),
      [SIGNATURE_HEADER]: signAnswer(operator.secretKey, what, said),
    };
  }
}
