import type { PublicKey } from "@solana/web3.js";

/** What the core is told, of all that a daemon is. Every key with its unit stands in the package's README. */
export interface Settings {
  readonly task: PublicKey;
  readonly owner: PublicKey;
  readonly http?: { readonly publicUrl: string } | undefined;
  readonly samples: number;
  readonly sampleEvery?: number | undefined;
  readonly recheckMs: number;
  readonly secrets: Readonly<Record<string, string>>;
  readonly evidence: { readonly peers: readonly string[] };
  readonly keepers: readonly string[];
  readonly keepersEarly: boolean;
  readonly keeper?: KeeperSettings | undefined;
  readonly allowPrivateNetwork: boolean;
  readonly workUnpaid: boolean;
  readonly appeal: boolean;
  readonly keepPayloadRounds?: number | undefined;
  readonly chores: {
    readonly resolve: boolean;
    readonly claim: boolean;
    readonly close: boolean;
    readonly spreadSlots: number;
  };
}

export interface KeeperSettings {
  /** Owners in base58. */
  readonly for: "any" | readonly string[];
  readonly max: number;
  readonly maxPerDay: number;
}
