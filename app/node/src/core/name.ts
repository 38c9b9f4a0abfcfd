import type { PublicKey } from "@solana/web3.js";

const names = new WeakMap<PublicKey, string>();

/** An address in base58. What a view keeps is asked for its name at each look, and to write one takes longer than all else there. */
export function nameOf(address: PublicKey): string {
  const known = names.get(address);
  if (known !== undefined) return known;
  const name = address.toBase58();
  names.set(address, name);
  return name;
}
