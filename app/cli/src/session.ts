import { ConnectionChain, SecuringTasksClient, isServerTrouble } from "@securing-tasks/client";
import { Keypair } from "@solana/web3.js";
import pc from "picocolors";
import { SLOT_MS } from "./amounts";
import { UsageError } from "./failures";
import { readKeypair } from "./keys";
import { connect } from "./rpc";
import type { Choice, Cluster, Commitment } from "./solana-config";
import { clusterOf, explorerLink, readSettings } from "./solana-config";

/** The flags that every command takes. */
export interface Globals extends Choice {
  readonly json?: boolean | undefined;
  readonly yes?: boolean | undefined;
  /** Micro-lamports for each compute unit. */
  readonly priorityFee?: string | undefined;
}

/** What a command works with. */
export interface Session {
  readonly chain: ConnectionChain;
  /** Its provider pays with {@link wallet} where there is one. */
  readonly client: SecuringTasksClient;
  /** The key of --keypair: signs as creator, owner or operator. Throws where its file can't be read. */
  readonly wallet: Keypair;
  /** Pays rent and fees: {@link wallet}, unless there is another. */
  readonly payer: Keypair;
  readonly rpcUrl: string;
  readonly cluster: Cluster;
  readonly commitment: Commitment;
  readonly json: boolean;
  /** Whether somebody is there to be asked. */
  readonly interactive: boolean;
  readonly yes: boolean;
  /** Micro-lamports for each compute unit. */
  readonly priorityFee: bigint;
  /** Signatures of what the command has sent and was executed, in order. */
  readonly executed: string[];
  /** Where everybody can look a transaction up; null where nobody else can see the chain. */
  explorer(signature: string): string | null;
  /** How long a slot takes here, in milliseconds: measured, else as Solana aims at. */
  slotMs(): Promise<number>;
}

/** Whoever knows a public cluster only by the address of some provider of it. */
const GENESIS: Readonly<Record<string, Cluster>> = {
  "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d": "mainnet-beta",
  EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxkrZBG: "devnet",
  "4uhcVJyU9pJkvQyS88uRDiswHScsCY3XQsjcjtpTbY9": "testnet",
};

/** Reads flags, environment and the Solana CLI's configuration. Asks the chain nothing where its URL says which it is. */
export async function openSession(globals: Globals): Promise<Session> {
  const settings = readSettings(globals);
  const chain = new ConnectionChain(connect(settings));
  let cluster = clusterOf(settings.rpcUrl);
  if (cluster === "custom") {
    const genesis = await chain.connection.getGenesisHash().catch((error: unknown) => {
      // Making a key needs no chain, and what needs one will say so.
      if (isServerTrouble(error)) return "";
      throw error;
    });
    cluster = GENESIS[genesis] ?? cluster;
  }
  const json = globals.json ?? false;
  const yes = globals.yes ?? false;
  let wallet: Keypair | undefined;
  let measured: Promise<number> | undefined;
  const read = (): Keypair => (wallet ??= readKeypair(settings.keypairPath, "key (--keypair)"));
  // Looking needs no key: whoever has none looks with one that never signs.
  const looker = (): Keypair => {
    try {
      return read();
    } catch {
      return Keypair.generate();
    }
  };
  return {
    chain,
    client: new SecuringTasksClient(chain.provider(looker())),
    get wallet() {
      return read();
    },
    get payer() {
      return read();
    },
    rpcUrl: settings.rpcUrl,
    cluster,
    commitment: settings.commitment,
    json,
    yes,
    interactive: !json && !yes && process.stdin.isTTY && process.stderr.isTTY,
    priorityFee: readFee(globals.priorityFee),
    executed: [],
    explorer: (signature) => explorerLink(cluster, signature),
    slotMs: () => (measured ??= measureSlot(chain)),
  };
}

/** The same, with rent and fees paid by the key in a file; by the one that signs where none is given. */
export function withPayer(session: Session, file: string | undefined): Session {
  return file === undefined ? session : { ...session, payer: readKeypair(file, "payer (--payer)") };
}

/** Shows a link in the colours of links. */
export function link(url: string): string {
  return pc.underline(url);
}

async function measureSlot({ connection }: ConnectionChain): Promise<number> {
  try {
    const [sample] = await connection.getRecentPerformanceSamples(1);
    if (sample && sample.numSlots > 0) return (sample.samplePeriodSecs * 1_000) / sample.numSlots;
  } catch {
    // Not every RPC server measures.
  }
  return SLOT_MS;
}

function readFee(text: string | undefined): bigint {
  if (text === undefined) return 0n;
  if (!/^\d{1,15}$/.test(text)) {
    throw new UsageError(
      `--priority-fee "${text}" is no whole number of micro-lamports for each compute unit. Give one, such as 10000.`,
    );
  }
  return BigInt(text);
}
