/** The library has no types of its own. */
declare module "bs58" {
  /** Throws for what is no base58. */
  export function decode(text: string): Uint8Array;
}
