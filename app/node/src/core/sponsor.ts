import { equalBytes } from "@noble/curves/utils";
import { hmac } from "@noble/hashes/hmac";
import { sha256 } from "@noble/hashes/sha2";
import { bytesToHex } from "@noble/hashes/utils";
import { PROGRAM_ID } from "@securing-tasks/client";
import { TooLong, readBounded } from "@securing-tasks/sandbox/core";
import type { Transaction } from "@solana/web3.js";
import { ComputeBudgetProgram, PublicKey } from "@solana/web3.js";
import pRetry from "p-retry";
import { z } from "zod";
import { readAnswer, readRetryAfter } from "./answers";
import type { Urgency } from "./host";
import { UNHURRIED } from "./host";
import { Limiter } from "./limiter";

export interface SponsorOptions {
  /** Of the paymaster's JSON-RPC. A user name and password in it are sent as `Authorization`. */
  readonly url: string;
  /** The one of the paymaster's keys that pays. Default: the one that it names. */
  readonly address?: PublicKey;
  /** Sent as `x-api-key`. */
  readonly apiKey?: string;
  /** Signs what is asked (`x-timestamp`, `x-hmac-signature`). */
  readonly hmacSecret?: string;
  /** By whom the paymaster counts what it gives: the operator. */
  readonly user: PublicKey;
  /** Most calls a second. */
  readonly perSecond: number;
  /** Most transactions in {@link DAY_SLOTS}, but for reveals that are owed. Default: no limit. */
  readonly maxPerDay?: number;
  /** Most time for one answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether the operator pays itself where the sponsor does not. */
  readonly fallback: "none" | "operator";
  /** Told what came of each call: `signed`, or why not. */
  readonly onResult?: (result: "signed" | SponsorTrouble) => void;
  /** Default: all calls are as urgent. */
  readonly urgency?: Urgency;
  /** Ends all waiting. */
  readonly signal?: AbortSignal;
}

/** Why a sponsor pays nothing: what it says, that it says nothing of use, what it did to the transaction, or the bound of what it is asked. */
export type SponsorTrouble =
  | "refused"
  | "busy"
  | "unreachable"
  | "badAnswer"
  | "changedTransaction"
  | "badSignature"
  | "lackOfSol"
  | "maxPerDay";

/** The sponsor does not pay for a transaction. Nothing was sent, and what needs the operator's signature can't be: it was not given yet. */
export class SponsorError extends Error {
  override readonly name = "SponsorError";

  constructor(
    readonly reason: SponsorTrouble,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** About 24 hours. */
export const DAY_SLOTS = 216_000;
/** A transaction has at most 1,232 bytes; a configuration lists some programs and tokens. */
const MOST_BYTES = 262_144;
/** Calls at once. */
const AT_ONCE = 4;
/** Tries of what got no answer, or was too much for now, before it counts as failed. Whoever made it waits longer and asks anew. */
const TRIES = 3;
/** Time for an answer where there is hardly any left, in milliseconds. */
const LEAST_TIMEOUT_MS = 500;
/** What may be so of one key, and not of another. */
const KEY_TROUBLE: ReadonlySet<SponsorTrouble> = new Set(["refused", "badSignature", "lackOfSol"]);
/** Letters of what a sponsor said that are shown. */
const SHOWN = 200;
/** A signature's bytes, behind one byte that counts them. */
const SIGNATURE_BYTES = 64;
/** Our transactions have two signers besides the owner who joins. */
const SIGNATURES = 2;

const AUTHORITY = z.object({ signer_address: z.string() });
const SIGNED = z.object({ signed_transaction: z.string() });
/** What is used of a paymaster's configuration, as far as it tells. */
const CONFIG = z.object({
  fee_payers: z.array(z.string()).optional(),
  validation_config: z
    .object({
      max_signatures: z.number().optional(),
      allowed_programs: z.array(z.string()).optional(),
      price: z.object({ type: z.string() }).optional().catch(undefined),
    })
    .optional(),
  enabled_methods: z.object({ sign_transaction: z.boolean().optional() }).optional(),
});

/**
 * Who pays fees and rents in the operator's place: a paymaster that signs transactions by JSON-RPC, of the kind of Kora.
 *
 * It signs first, and the operator only when what it signed is, byte for byte, what was asked for: so a sponsor can neither change a
 * transaction nor send one of which it said that it refuses.
 */
export class Sponsor {
  readonly limiter: Limiter;
  /** The rest of a URL may be a key. */
  readonly host: string;
  private readonly urgency: Urgency;
  private readonly url: string;
  private readonly secrets: readonly string[];
  private readonly headers: Readonly<Record<string, string>>;
  private known: Promise<PublicKey> | null = null;
  private calls = 0;
  private lastTrouble: SponsorError | null = null;
  private lastKey: PublicKey | null = null;

  constructor(private readonly options: SponsorOptions) {
    const { address, apiKey, hmacSecret, perSecond, signal } = options;
    this.urgency = options.urgency ?? UNHURRIED;
    const url = new URL(options.url);
    const [user, password] = [url.username, url.password].map(decodeURIComponent);
    this.host = url.host;
    // No request is made to a URL with a password.
    url.username = url.password = "";
    this.url = url.href;
    const isNamed = user !== "" || password !== "";
    const basic = Buffer.from(`${user ?? ""}:${password ?? ""}`).toString("base64");
    this.headers = {
      "content-type": "application/json",
      ...(apiKey !== undefined && { "x-api-key": apiKey }),
      ...(isNamed && { authorization: `Basic ${basic}` }),
    };
    const path = url.pathname === "/" ? "" : url.pathname;
    this.secrets = [options.url, url.href, `${path}${url.search}`, password, basic]
      .concat(apiKey, hmacSecret)
      .filter((text) => text !== undefined && text.length > 1)
      .map(String)
      .sort((a, b) => b.length - a.length);
    this.limiter = new Limiter({ perSecond, atOnce: AT_ONCE, ...(signal && { signal }) });
    if (!address) return;
    this.lastKey = address;
    this.known = Promise.resolve(address);
  }

  get maxPerDay(): number | undefined {
    return this.options.maxPerDay;
  }

  get fallback(): "none" | "operator" {
    return this.options.fallback;
  }

  /** Why it paid nothing last; null while it pays, or was not asked. */
  get trouble(): SponsorError | null {
    return this.lastTrouble;
  }

  /** The key that it paid with last, as far as it is known; null before. */
  get key(): PublicKey | null {
    return this.lastKey;
  }

  /** Whose signature it gives, and who gets the rents back. It is asked for once, and again when something went wrong. */
  address(): Promise<PublicKey> {
    this.known ??= this.inTurn(async () => {
      const { signer_address: text } = await this.ask("getPayerSigner", [], AUTHORITY);
      try {
        this.lastKey = new PublicKey(text);
        return this.lastKey;
      } catch {
        throw this.fault("badAnswer", `names a key that is none: ${this.shown(text)}`);
      }
    }).catch((error: unknown) => {
      this.known = null;
      throw error;
    });
    return this.known;
  }

  /**
   * Makes something that the sponsor signs when the turn for that has come: first what is due first. Tried again, from the beginning, where
   * the sponsor gives no answer or takes no more for now; but no longer than half of the time that is left, so that another may still pay.
   */
  async inTurn<T>(make: () => Promise<T>): Promise<T> {
    const due = this.urgency.dueTime();
    const until = performance.now() + (due - performance.now()) / 2;
    try {
      return await pRetry(() => this.turn(make, due, until), {
        retries: TRIES - 1,
        minTimeout: 0,
        shouldRetry: ({ error }) =>
          error instanceof SponsorError &&
          (error.reason === "busy" || error.reason === "unreachable") &&
          performance.now() < until,
      });
    } catch (error) {
      if (error instanceof SponsorError) this.note(error);
      throw error;
    }
  }

  /** Rejects where the turn does not come before that moment of {@link performance}'s clock. */
  private turn<T>(make: () => Promise<T>, due: number, until: number): Promise<T> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = setTimeout(
        () => {
          isLate = true;
          reject(this.fault("busy", "takes no more calls for now"));
        },
        Math.max(until - performance.now(), 0),
      );
      const go = async (): Promise<void> => {
        clearTimeout(timer);
        // The queue runs it on behalf of whoever was before it.
        if (!isLate) await this.urgency.within(due - performance.now(), make).then(resolve);
      };
      this.limiter.run(go, due).catch((error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  private note(error: SponsorError): void {
    this.lastTrouble = error;
    // It may pay with another of its keys by now.
    if (!this.options.address && KEY_TROUBLE.has(error.reason)) this.known = null;
  }

  /**
   * Adds the sponsor's signature, who must be the fee payer. Rejects with {@link SponsorError} where it refuses, or signs anything else. Call
   * it in turn.
   */
  async sign(transaction: Transaction): Promise<void> {
    const { feePayer } = transaction;
    if (!feePayer) throw new Error("The transaction has no fee payer.");
    const message = transaction.serializeMessage();
    const asked = transaction.serialize({ requireAllSignatures: false, verifySignatures: false });
    const given = await this.ask(
      "signTransaction",
      {
        transaction: asked.toString("base64"),
        signer_key: feePayer.toBase58(),
        // The operator signs last.
        sig_verify: false,
        user_id: this.options.user.toBase58(),
      },
      SIGNED,
    );
    const signed = Buffer.from(given.signed_transaction, "base64");
    // Attack: a sponsor that has something else done in the operator's name, or pays less than was asked.
    const isSame =
      signed.length === asked.length &&
      signed[0] === asked[0] &&
      equalBytes(signed.subarray(-message.length), message);
    if (!isSame) {
      throw this.fault(
        "changedTransaction",
        "CHANGED THE TRANSACTION: what it gave back is not what it was asked to sign. Nothing was signed or sent. Use another sponsor, or have it add nothing (Kora: no lighthouse)",
      );
    }
    transaction.addSignature(feePayer, signed.subarray(1, 1 + SIGNATURE_BYTES));
    if (!transaction.verifySignatures(false)) {
      throw this.fault(
        "badSignature",
        `gave a signature that is not ${feePayer.toBase58()}'s. Check \`sponsor.address\``,
      );
    }
    this.lastTrouble = null;
    this.options.onResult?.("signed");
  }

  /** What of its configuration, as far as it tells that, keeps it from paying for a node. Empty where it tells nothing. */
  async faults(): Promise<readonly string[]> {
    const address = (await this.address()).toBase58();
    const found = await this.inTurn(() => this.ask("getConfig", [], CONFIG)).catch(
      (error: unknown) => {
        if (error instanceof SponsorError) return null;
        throw error;
      },
    );
    if (!found) return [];
    const { fee_payers: payers, validation_config: rules, enabled_methods: methods } = found;
    const programs = [PROGRAM_ID, ComputeBudgetProgram.programId].map((id) => id.toBase58());
    const missing = programs.filter((id) => rules?.allowed_programs?.includes(id) === false);
    return [
      ...(payers?.includes(address) === false ? [`it does not pay with ${address}`] : []),
      ...missing.map((id) => `it does not allow the program ${id}`),
      ...((rules?.max_signatures ?? SIGNATURES) < SIGNATURES
        ? [`it allows ${rules?.max_signatures ?? 0} signatures, and ${SIGNATURES} are needed`]
        : []),
      ...((rules?.price?.type ?? "free") === "free" ? [] : ["it asks for tokens (price)"]),
      ...(methods?.sign_transaction === false ? ["it does not answer signTransaction"] : []),
    ];
  }

  /** What a chain's refusal is where it is the sponsor that has too little SOL. */
  poor(message: string): SponsorError {
    return this.fault("lackOfSol", `has too little SOL: ${message.replace(/\.$/, "")}`);
  }

  /** What is over the bound of what it may be asked. */
  spent(): SponsorError {
    const most = this.options.maxPerDay ?? 0;
    return this.fault(
      "maxPerDay",
      `has paid for ${most} transactions in 24 hours, which is \`sponsor.maxPerDay\`. Only reveals go on`,
    );
  }

  /** One try. */
  private async ask<T>(method: string, params: unknown, schema: z.ZodType<T>): Promise<T> {
    const { limiter } = this;
    this.calls += 1;
    const call = { jsonrpc: "2.0", id: this.calls, method, params };
    const madeAt = performance.now();
    const { status, retryAfterMs, text } = await this.post(JSON.stringify(call), madeAt);
    const busy = (code: number): SponsorError => {
      limiter.tooMany(madeAt, retryAfterMs);
      return this.fault("busy", `takes no more calls for now: it answered ${code}`);
    };
    if (status === 429 || (status === 503 && retryAfterMs !== undefined)) throw busy(status);
    if (status >= 500) {
      limiter.silent(madeAt);
      throw this.fault("unreachable", `is in trouble: it answered ${status}`);
    }
    limiter.answered();
    if (status === 401 || status === 403) {
      throw this.fault(
        "refused",
        `does not let this node in: it answered ${status}. Check \`sponsor.apiKey\`, \`sponsor.hmacSecret\` and this machine's clock`,
      );
    }
    const answer = readAnswer(text, { ...call, params: [] });
    if (!answer) {
      const what = `${this.shown(text)} (status ${status})`;
      throw this.fault("badAnswer", `gave no JSON-RPC answer to ${method}: ${what}`);
    }
    if (answer.error) {
      const { code, message } = answer.error;
      // Kora says it in words, with the code of all its refusals.
      if (code === 429 || /rate limit|too many requests/i.test(message)) throw busy(code);
      throw this.fault("refused", `refuses: ${this.shown(message)} (${code})`);
    }
    const read = schema.safeParse("result" in answer ? answer.result : undefined);
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    const where = ["result", ...(issue?.path ?? [])].join(".");
    throw this.fault("badAnswer", `gave no answer to ${method}: ${where}: ${issue?.message ?? ""}`);
  }

  private async post(
    body: string,
    madeAt: number,
  ): Promise<{ status: number; retryAfterMs: number | undefined; text: string }> {
    const { timeoutMs, signal } = this.options;
    // Whoever has little time left must not lose it all to one that is silent.
    const ms = Math.min(
      timeoutMs,
      Math.max((this.urgency.dueTime() - madeAt) / 2, LEAST_TIMEOUT_MS),
    );
    const ends = [AbortSignal.timeout(Math.ceil(ms)), ...(signal ? [signal] : [])];
    try {
      const answer = await fetch(this.url, {
        method: "POST",
        headers: { ...this.headers, ...this.stamp(body) },
        body,
        // Nobody else is told the keys.
        redirect: "error",
        signal: AbortSignal.any(ends),
      });
      const { status, headers } = answer;
      return {
        status,
        retryAfterMs: readRetryAfter(headers.get("retry-after")),
        text: await readBounded(answer, MOST_BYTES),
      };
    } catch (error) {
      this.limiter.silent(madeAt);
      if (error instanceof TooLong) {
        throw this.fault("badAnswer", `gave an answer of over ${MOST_BYTES} bytes`);
      }
      const { cause } = error as { cause?: unknown };
      const why = this.shown(cause instanceof Error ? cause.message : String(error));
      throw this.fault(
        "unreachable",
        `gives no answer (${why}). Check that it runs, and \`sponsor.url\``,
      );
    }
  }

  /** What shows that who knows the secret asked this, and when. */
  private stamp(body: string): Readonly<Record<string, string>> {
    const { hmacSecret } = this.options;
    if (hmacSecret === undefined) return {};
    const timestamp = Math.floor(Date.now() / 1_000).toString();
    const signature = bytesToHex(hmac(sha256, hmacSecret, timestamp + body));
    return { "x-timestamp": timestamp, "x-hmac-signature": signature };
  }

  private fault(reason: SponsorTrouble, what: string): SponsorError {
    this.options.onResult?.(reason);
    return new SponsorError(reason, `The sponsor ${this.host} ${what}.`);
  }

  /** What somebody else said: short, on one line, and without what is secret here. */
  private shown(text: string): string {
    const hidden = this.secrets.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
    const line = hidden.replace(/[\p{C}\s]+/gu, " ").trim();
    return JSON.stringify(line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line);
  }
}
