/** Bytes of the accounts of a task. */
export const ACCOUNT_BYTES = {
  task: 750,
  vault: 165,
  node: 610,
  allowEntry: 106,
  round: 117,
  submission: 317,
  audit: 486,
  vote: 148,
} as const;
export type AccountKind = keyof typeof ACCOUNT_BYTES;

/** Lamports that each signature of a transaction costs. */
export const LAMPORTS_PER_SIGNATURE = 5_000n;

/** What every account costs beside its bytes, in bytes. */
const OVERHEAD_BYTES = 128n;
const LAMPORTS_PER_BYTE = 6_960n;

/** Lamports that an account must hold, and that come back when it is closed: the program goes by this formula on every cluster. */
export function rentOf(bytes: number): bigint {
  return (OVERHEAD_BYTES + BigInt(bytes)) * LAMPORTS_PER_BYTE;
}
