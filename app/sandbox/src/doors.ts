import type { Connection } from "@solana/web3.js";
import type { Doors } from "./api";

export interface DoorOptions {
  readonly connection: Connection;
  /** Bases of content-addressed stores: `BASE/<hash>`. */
  readonly gateways?: readonly string[];
  /** Most time for one answer, in milliseconds. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Most bytes of one answer. Default: 1 MiB. */
  readonly maxBytes?: number;
  /** Lets functions call private and loopback addresses: for tests and home networks. Default: false. */
  readonly allowPrivateNetwork?: boolean;
}

/** The doors to the real world. */
export function liveDoors(options: DoorOptions): Doors {
  throw new Error(`not built yet: ${options.connection.rpcEndpoint}`);
}
