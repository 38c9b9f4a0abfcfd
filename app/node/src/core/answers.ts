import { z } from "zod";

/** A JSON-RPC request. */
export interface Call {
  readonly jsonrpc: string;
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** A JSON-RPC answer: a result, or an error. */
export type Answer = z.infer<typeof answer>;

const answer = z.union([
  z.object({
    id: z.unknown(),
    error: z.object({ code: z.number(), message: z.string().default("") }),
  }),
  z.object({ id: z.unknown(), error: z.null().optional(), result: z.unknown() }),
]);

const whole = z.int().nonnegative();
const of = (value: z.ZodType): z.ZodType => z.object({ context: z.object({ slot: whole }), value });
const account = z.object({ lamports: whole, owner: z.string(), data: z.unknown() });
const listed = z.array(z.object({ pubkey: z.string(), account }));

/** What is used of the answers that a daemon waits for. */
const RESULTS: Readonly<Record<string, z.ZodType>> = {
  getAccountInfo: of(account.nullable()),
  getBlock: z.object({ blockhash: z.string(), parentSlot: whole }).nullable(),
  getBlocks: z.array(whole),
  getEpochInfo: z.object({ absoluteSlot: whole }),
  getGenesisHash: z.string(),
  getLatestBlockhash: of(z.object({ blockhash: z.string(), lastValidBlockHeight: whole })),
  getMultipleAccounts: of(z.array(account.nullable())),
  getProgramAccounts: z.union([of(listed), listed]),
  getRecentPrioritizationFees: z.array(z.object({ prioritizationFee: whole })),
  getSignatureStatuses: of(z.array(z.object({ slot: whole, err: z.unknown() }).nullable())),
  getSlot: whole,
  getTransaction: z.object({ slot: whole }).nullable(),
  sendTransaction: z.string(),
  simulateTransaction: of(z.object({ err: z.unknown() })),
};

/** Questions about many that are answered one by one. */
const LISTS: readonly string[] = ["getMultipleAccounts", "getSignatureStatuses"];

/** What a server's text says; null where it is no answer to this call. */
export function readAnswer(text: string, { id }: Call): Answer | null {
  try {
    const read = answer.parse(JSON.parse(text));
    return read.id === id ? read : null;
  } catch {
    return null;
  }
}

/** The slot of which a result says that it is; null where it says none. */
export function slotOf({ method }: Call, result: unknown): number | null {
  if (method === "getSlot") return result as number;
  const { context } = (result ?? {}) as { readonly context?: { readonly slot: number } };
  return context?.slot ?? null;
}

/** Why a result can't be the answer to a call; null where it can. */
export function faultOf({ method, params }: Call, result: unknown): string | null {
  if (result === undefined) return "there is no result";
  const read = (RESULTS[method] ?? z.unknown()).safeParse(result);
  if (!read.success) {
    const [issue] = read.error.issues;
    return `${["result", ...(issue?.path ?? [])].join(".")}: ${issue?.message ?? ""}`;
  }
  const { context, value } = (result ?? {}) as { context?: { slot: number }; value?: unknown };
  const { minContextSlot } = (params.at(-1) ?? {}) as { minContextSlot?: number };
  if (context && minContextSlot !== undefined && context.slot < minContextSlot) {
    return `it is of slot ${context.slot}, before ${minContextSlot}`;
  }
  if (LISTS.includes(method)) {
    const asked = (params[0] as readonly unknown[]).length;
    const got = (value as readonly unknown[]).length;
    if (got !== asked) return `it has ${got} entries for ${asked}`;
  }
  return null;
}

/** Milliseconds of a `Retry-After`, which is in seconds or a date. */
export function readRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(header)
    ? Number(header) * 1_000
    : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}
