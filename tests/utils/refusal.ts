/** An error as the chain gives it: with the log lines of the transaction, when it got so far. */
export type Refusal = Error & { readonly logs?: readonly string[] };

/** The error of an attempt that must fail. */
export async function refusal(attempt: Promise<unknown>): Promise<Refusal> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}
