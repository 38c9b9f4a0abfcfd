/*
 * What the functions of a task see: the contract between whoever writes an audit or a task function and the nodes that run it.
 * Everything crosses the sandbox's wall as plain JSON values or bytes; there is nothing else in there.
 */

/** What an audit function may answer. */
export const VERDICTS = ["valid", "downtime", "malicious"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** The task, as both functions see it. Amounts are decimal strings of base units; addresses are base58. */
export interface TaskFacts {
  readonly address: string;
  readonly creator: string;
  readonly id: string;
  readonly mint: string;
  /** First slot of round 0. */
  readonly startSlot: number;
  readonly roundSlots: number;
  readonly submissionSlots: number;
  readonly bountyPerRound: string;
}

/** Work that is audited. */
export interface SubmissionFacts {
  readonly address: string;
  /** Owner of the node that submitted it, in base58. */
  readonly owner: string;
  readonly round: number;
  /** Slot in which it was submitted. */
  readonly slot: number;
  /** SHA-256 of the payload, as 64 hex digits. */
  readonly payloadHash: string;
  /** At most 128 bytes. */
  readonly payloadUri: string;
  /** Last slot at which an audit of it can be open: what the accused signed later is no evidence. */
  readonly caseEnd: number;
}

export interface HttpRequest {
  /** http or https. */
  readonly url: string;
  /** Default: GET. */
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default and most: what the node allows. */
  readonly timeoutMs?: number;
  /**
   * Milliseconds to wait before it is asked, 5,000 at most: for servers that said "later". Up to half of it more, by each node's own chance,
   * so that nodes don't all come back at once. It is part of the time that strangers' servers may take in a run.
   */
  readonly waitMs?: number;
}

/** An answer of a server, whatever its status. Redirects are not followed. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** As UTF-8 text. */
  readonly body: string;
}

export interface ChainAccount {
  /** The owning program. */
  readonly owner: string;
  readonly lamports: string;
  /** In base64. */
  readonly data: string;
}

/** A confirmed transaction. */
export interface ChainTransaction {
  readonly signature: string;
  readonly slot: number;
  /** Milliseconds since 1970; null where the chain doesn't say. */
  readonly blockTime: number | null;
  /** Whether it failed. */
  readonly failed: boolean;
  /** Signers and others, in the order of the message, those of look-up tables last. */
  readonly accounts: readonly string[];
  readonly signers: readonly string[];
  /** Lamports of each account before and after, as decimal strings. */
  readonly lamportsBefore: readonly string[];
  readonly lamportsAfter: readonly string[];
  /** Token balances that the transaction touched. */
  readonly tokens: readonly TokenChange[];
  readonly logs: readonly string[];
}

export interface TokenChange {
  readonly account: string;
  readonly mint: string;
  readonly owner: string;
  /** Base units as decimal strings; "0" where the account did not exist. */
  readonly before: string;
  readonly after: string;
}

/**
 * The only ways out of the sandbox. Each call and its answer is recorded. A call that fails rejects with a {@link DoorError}
 * whose `reason` a function may look at.
 */
export interface Doors {
  /**
   * Asks a server. Rejects as `unreachable`, `timeout`, `tooLarge` or `refused` (an address that the node never calls, or a request that
   * is none).
   */
  http(request: HttpRequest): Promise<HttpAnswer>;
  /** The account at an address, or null. Chain doors reject as `refused` what is no address or signature. */
  account(address: string): Promise<ChainAccount | null>;
  /** A confirmed transaction, or null. */
  transaction(signature: string): Promise<ChainTransaction | null>;
  /** Signatures of the transactions that touched an address, newest first, at most 1,000. `before` is a signature. */
  signatures(
    address: string,
    options?: { readonly before?: string; readonly limit?: number },
  ): Promise<readonly string[]>;
  /**
   * The bytes with this SHA-256 (64 hex digits): from the URI if one is given, else from the node's gateways. What has another hash is
   * not returned but rejected as `wrongHash`; what is nowhere as `unreachable`. Rejects as `timeout`, `tooLarge` and `refused` too.
   */
  fetch(hash: string, uri?: string): Promise<Uint8Array>;
}

export const DOOR_REASONS = ["unreachable", "timeout", "tooLarge", "refused", "wrongHash"] as const;
export type DoorReason = (typeof DOOR_REASONS)[number];

/** Why a door gave no answer. Inside the sandbox it is an Error with the same `reason`. */
export class DoorError extends Error {
  /**
   * @param ours Whether this node itself is at fault: its RPC server, network or set-up. Such a failure ends the whole run, whatever the
   * function would make of it: nobody may be accused because the node that looks is in trouble.
   */
  constructor(
    readonly reason: DoorReason,
    message: string,
    readonly ours = false,
  ) {
    super(message);
    this.name = "DoorError";
  }
}

/** What was asked of the accused's REST service. */
export interface AskedFor {
  /** Default: GET. */
  readonly method?: "GET" | "POST";
  /** Path and query as the node's service sees them: they begin with `/task`. */
  readonly path: string;
  readonly body?: string;
}

/** An answer of a node's REST service, signed by its operator. */
export interface SignedAnswer {
  readonly method: string;
  /** Path and query of the request. */
  readonly path: string;
  /** Of the request. */
  readonly body: string;
  readonly status: number;
  /** Body of the answer. */
  readonly answer: string;
  /** At which it was signed. */
  readonly slot: number;
  /** 128 hex digits. */
  readonly signature: string;
}

/** What the accused is bound by, whether it still answers or not: its payload, whose hash is on the chain, and what its key signed. */
export interface Evidence {
  /** Address of the submission. */
  readonly submission: string;
  /** The payload in base64. */
  readonly payload: string;
  /** Null where the payload alone says it all. */
  readonly said: SignedAnswer | null;
}

/** What an audit function is given besides facts and doors. */
export interface Proofs {
  /**
   * What this node or others were told and kept. Payload, signature and slot are checked: it is the accused's word. Whether that is wrong is
   * for the function to say.
   */
  readonly evidence: readonly Evidence[];
  /**
   * The payload, and the answer with it, as evidence. Null where the payload is not the submitted one, or where the key that it names as
   * `operator` did not sign the answer for this submission and request, at a slot from the submission to the end of the case. Anybody between
   * node and accused can have made such an answer. The request must have had the header `securing-tasks-submission`.
   */
  proof(payload: Uint8Array, asked?: AskedFor, answer?: HttpAnswer): Evidence | null;
  /** Has the node keep evidence of malice, for others and for later. Counts where the verdict is malicious. */
  keep(evidence: Evidence): void;
}

/** What both functions are given besides the doors. */
export interface CommonFacts {
  readonly task: TaskFacts;
  /** 64 hex digits: seeds `Math.random` too. */
  readonly seed: string;
  /** Milliseconds since 1970; `Date` stands still at it. */
  readonly now: number;
}

/**
 * Facts of `audit(context)`. The seed comes from the hash of the block of the submission's slot, and `now` is its time, so that every
 * node has the same.
 */
export interface AuditFacts extends CommonFacts {
  readonly submission: SubmissionFacts;
  /** The seed that `work` was given in the submission's round: nobody knew it before the round. 64 hex digits. */
  readonly roundSeed: string;
}

/** Facts of `work(context)`. The seed comes from the block of the slot in which the round began, or of the first one after. */
export interface WorkFacts extends CommonFacts {
  readonly round: number;
  /** Owner of the working node, in base58. */
  readonly owner: string;
  /** The node's hot key, in base58. A payload that names it as `operator` has the node's answers signed by it. */
  readonly operator: string;
  /** Where the node's REST service can be reached; null where it has none. */
  readonly publicUrl: string | null;
  /** From the node's configuration: what the function needs and nobody else may know. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Facts of `respond(request, context)`. */
export interface RespondFacts extends Omit<WorkFacts, "round"> {
  /** Of the submission that the answer is signed for; null where it is not signed. */
  readonly round: number | null;
}

/** A request to the node's REST service that the task function answers: all below `/task`. */
export interface ServiceRequest {
  readonly method: string;
  /** What follows `/task`, begins with a slash. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ServiceResponse {
  /** Default: 200. */
  readonly status?: number;
  /** Default: application/json. */
  readonly contentType?: string;
  readonly body: string;
}

/**
 * What a context holds inside the sandbox: the facts, the doors, and `log`. A task's file is an ES module without imports.
 * An audit file exports `audit(context: AuditContext): Verdict | Promise<Verdict>`; a task file exports
 * `work(context: Context<WorkFacts>)`, which gives the payload as text or bytes or a promise of them, and may export
 * `respond(request: ServiceRequest, context: Context<RespondFacts>): ServiceResponse | Promise<ServiceResponse>`.
 */
export type Context<Facts> = Facts & Doors & { log(text: string): void };
export type AuditContext = Context<AuditFacts> & Proofs;
