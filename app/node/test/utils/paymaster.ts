import { createHmac } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PROGRAM_ID } from "@securing-tasks/client";
import type { Connection, TransactionInstruction } from "@solana/web3.js";
import {
  ComputeBudgetInstruction,
  ComputeBudgetProgram,
  Keypair,
  PublicKey,
  SystemProgram,
  Transaction,
  VersionedTransaction,
} from "@solana/web3.js";

/** What a paymaster may do besides its duty. */
export type Mode =
  | "honest"
  /** Says no, with {@link PaymasterOptions.excuse}. */
  | "refuse"
  /** Takes no more for now, and says so in Kora's words. */
  | "limit"
  /** Takes the request and says nothing. */
  | "silent"
  /** Status 503. */
  | "down"
  /** Signs something else: with one instruction more, another amount, or another blockhash. */
  | "addInstruction"
  | "changeAmount"
  | "changeBlockhash"
  /** Gives a signature of another key, or none. */
  | "forge"
  | "unsigned"
  /** Answers with a web page, another call's answer, or without end. */
  | "page"
  | "otherId"
  | "endless"
  /** Sends whoever asks to another address. */
  | "redirect";

export interface PaymasterOptions {
  readonly connection: Connection;
  /** Default: a new one without SOL. */
  readonly payer?: Keypair;
  /** Default: that of the tasks, and the compute budget's. */
  readonly allowedPrograms?: readonly PublicKey[];
  /** Most fee of one transaction, in lamports. Default: 100,000. */
  readonly maxLamports?: number;
  /** Calls within any second; more get 429. Default: no limit. */
  readonly perSecond?: number;
  /** With 429, in seconds. */
  readonly retryAfter?: number;
  readonly apiKey?: string;
  readonly hmacSecret?: string;
  /** `user:password` */
  readonly basic?: string;
  readonly excuse?: string;
  /** Where it says that it is. */
  readonly elsewhere?: string;
}

interface Asked {
  readonly method: string;
  readonly params: Record<string, unknown>;
  readonly headers: IncomingMessage["headers"];
  readonly status: number;
  /** Moment of {@link performance}'s clock. */
  readonly at: number;
}

class Refusal extends Error {
  constructor(
    message: string,
    readonly code = -32_000,
  ) {
    super(message);
  }
}

const SECOND = 1_000;
const MOST_AGE_S = 300;

/**
 * A paymaster of the kind of Kora: JSON-RPC over HTTP, with a key of its own, which pays. It simulates what it is asked to sign, and signs
 * where programs, signatures and fee are as it allows.
 */
export class Paymaster {
  mode: Mode = "honest";
  /** Tried and answered, in order. */
  readonly asked: Asked[] = [];
  /** What it signed. */
  readonly signed: Transaction[] = [];
  /** Bytes of an answer without end that were taken. */
  sentBytes = 0;
  payer: Keypair;

  private constructor(
    private readonly server: Server,
    private readonly options: PaymasterOptions,
  ) {
    this.payer = options.payer ?? Keypair.generate();
  }

  static async start(options: PaymasterOptions): Promise<Paymaster> {
    const server = createServer();
    const made = new Paymaster(server, options);
    server.on("request", (request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        void made.take(request, Buffer.concat(parts).toString(), response);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get address(): PublicKey {
    return this.payer.publicKey;
  }

  /** How often a method was asked for, whatever came of it. */
  count(method: string): number {
    return this.asked.filter((one) => one.method === method).length;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  private async take(
    request: IncomingMessage,
    body: string,
    response: ServerResponse,
  ): Promise<void> {
    const { method, params, id } = JSON.parse(body) as {
      method: string;
      params: Record<string, unknown>;
      id: number;
    };
    const at = performance.now();
    const status = this.statusFor(request, body, at);
    this.asked.push({ method, params, headers: request.headers, status, at });
    response.setHeader("content-type", "application/json");
    if (status === 429 && this.options.retryAfter !== undefined) {
      response.setHeader("retry-after", this.options.retryAfter);
    }
    if (status === 307) response.setHeader("location", this.options.elsewhere ?? "");
    if (status !== 200) {
      response.writeHead(status).end();
      return;
    }
    if (this.mode === "silent") return;
    if (this.mode === "page") {
      response.end("<!DOCTYPE html><html><body>Welcome</body></html>");
      return;
    }
    if (this.mode === "endless") {
      this.pour(response);
      return;
    }
    try {
      const result = await this.call(method, params);
      const told = this.mode === "otherId" ? id + 1 : id;
      response.end(JSON.stringify({ jsonrpc: "2.0", id: told, result }));
    } catch (error) {
      const { code, message } = error instanceof Refusal ? error : new Refusal(String(error));
      response.end(JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } }));
    }
  }

  private statusFor({ headers }: IncomingMessage, body: string, at: number): number {
    const { perSecond = Infinity } = this.options;
    const taken = this.asked.filter((one) => one.status === 200 && one.at > at - SECOND);
    if (taken.length >= perSecond) return 429;
    if (this.mode === "down") return 503;
    if (this.mode === "redirect") return 307;
    return this.letsIn(headers, body) ? 200 : 401;
  }

  private letsIn(headers: IncomingMessage["headers"], body: string): boolean {
    const { apiKey, hmacSecret, basic } = this.options;
    if (apiKey !== undefined && headers["x-api-key"] !== apiKey) return false;
    if (basic !== undefined) {
      const expected = `Basic ${Buffer.from(basic).toString("base64")}`;
      if (headers.authorization !== expected) return false;
    }
    if (hmacSecret === undefined) return true;
    const timestamp = String(headers["x-timestamp"]);
    const age = Math.abs(Date.now() / SECOND - Number(timestamp));
    const expected = createHmac("sha256", hmacSecret).update(`${timestamp}${body}`).digest("hex");
    return age <= MOST_AGE_S && headers["x-hmac-signature"] === expected;
  }

  private pour(response: ServerResponse): void {
    const part = Buffer.alloc(65_536, " ");
    const more = (): void => {
      while (!response.destroyed && response.write(part)) this.sentBytes += part.length;
      this.sentBytes += part.length;
    };
    response.on("drain", more);
    more();
  }

  private async call(method: string, params: Record<string, unknown>): Promise<unknown> {
    const address = this.address.toBase58();
    if (this.mode === "limit") throw new Refusal("Rate limit exceeded");
    switch (method) {
      case "getPayerSigner":
        return { signer_address: address, payment_address: address };
      case "getSupportedTokens":
        return { tokens: [] };
      case "getConfig":
        return {
          fee_payers: [address],
          validation_config: {
            max_allowed_lamports: this.maxLamports,
            max_signatures: 2,
            price_source: "Mock",
            allowed_programs: this.allowedPrograms.map((one) => one.toBase58()),
            allowed_tokens: [],
            allowed_spl_paid_tokens: [],
            disallowed_accounts: [],
            price: { type: "free" },
          },
          enabled_methods: { sign_transaction: true },
        };
      case "signTransaction":
        return { signed_transaction: await this.sign(params), signer_pubkey: address };
      default:
        throw new Refusal(`Method not found: ${method}`, -32_601);
    }
  }

  private get maxLamports(): number {
    return this.options.maxLamports ?? 100_000;
  }

  private get allowedPrograms(): readonly PublicKey[] {
    return this.options.allowedPrograms ?? [PROGRAM_ID, ComputeBudgetProgram.programId];
  }

  private async sign(params: Record<string, unknown>): Promise<string> {
    const { transaction: text, signer_key: key } = params as Record<string, string | undefined>;
    if (this.mode === "refuse") throw new Refusal(this.options.excuse ?? "Invalid transaction: no");
    if (key !== undefined && key !== this.address.toBase58()) {
      throw new Refusal(`Validation error: Signer with pubkey ${key} not found`);
    }
    const bytes = Buffer.from(text ?? "", "base64");
    const transaction = Transaction.from(bytes);
    await this.validate(transaction, bytes);
    const changed = this.change(transaction);
    if (this.mode === "forge") {
      const other = Keypair.generate();
      const forged = Transaction.from(bytes);
      forged.feePayer = other.publicKey;
      forged.partialSign(other);
      changed.addSignature(this.address, forged.signature ?? Buffer.alloc(64));
    } else if (this.mode !== "unsigned") changed.partialSign(this.payer);
    this.signed.push(changed);
    return changed
      .serialize({ requireAllSignatures: false, verifySignatures: false })
      .toString("base64");
  }

  private async validate(transaction: Transaction, bytes: Buffer): Promise<void> {
    if (transaction.feePayer?.equals(this.address) !== true) {
      throw new Refusal("Invalid transaction: the fee payer is not this server's");
    }
    for (const { programId } of transaction.instructions) {
      if (this.allowedPrograms.some((one) => one.equals(programId))) continue;
      throw new Refusal(
        `Invalid transaction: Program ${programId.toBase58()} is not in the allowed list`,
      );
    }
    const fee = feeOf(transaction);
    if (fee > this.maxLamports) {
      throw new Refusal(
        `Invalid transaction: Fee ${fee} exceeds maximum allowed ${this.maxLamports}`,
      );
    }
    const { value } = await this.options.connection.simulateTransaction(
      VersionedTransaction.deserialize(bytes),
      { sigVerify: false },
    );
    if (value.err !== null) {
      throw new Refusal(
        `Invalid transaction: Transaction simulation failed: ${JSON.stringify(value.err)}`,
      );
    }
  }

  private change(transaction: Transaction): Transaction {
    switch (this.mode) {
      case "addInstruction":
        return transaction.add(this.payment(1));
      case "changeAmount": {
        // Of the same length, byte for byte but one.
        const [last] = transaction.instructions.slice(-1);
        const end = (last?.data.length ?? 0) - 1;
        if (last) last.data[end] = (last.data[end] ?? 0) ^ 1;
        return transaction;
      }
      case "changeBlockhash":
        transaction.recentBlockhash = Keypair.generate().publicKey.toBase58();
        return transaction;
      default:
        return transaction;
    }
  }

  private payment(lamports: number): TransactionInstruction {
    const [fromPubkey, toPubkey] = [this.address, Keypair.generate().publicKey];
    return SystemProgram.transfer({ fromPubkey, toPubkey, lamports });
  }
}

/** Lamports of a transaction's fee: for each signature, and for its priority. */
export function feeOf(transaction: Transaction): number {
  const { numRequiredSignatures } = transaction.compileMessage().header;
  let [units, price] = [200_000, 0n];
  for (const one of transaction.instructions) {
    if (!one.programId.equals(ComputeBudgetProgram.programId)) continue;
    const kind = ComputeBudgetInstruction.decodeInstructionType(one);
    if (kind === "SetComputeUnitLimit") {
      ({ units } = ComputeBudgetInstruction.decodeSetComputeUnitLimit(one));
    } else if (kind === "SetComputeUnitPrice") {
      price = BigInt(ComputeBudgetInstruction.decodeSetComputeUnitPrice(one).microLamports);
    }
  }
  return 5_000 * numRequiredSignatures + Math.ceil((units * Number(price)) / 1_000_000);
}
