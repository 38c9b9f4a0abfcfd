import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { UsageError } from "./failures";

export const COMMITMENTS = ["processed", "confirmed", "finalized"] as const;
export type Commitment = (typeof COMMITMENTS)[number];

/** Where the money is. `custom` is a chain that nobody else knows by name. */
export type Cluster = "localhost" | "devnet" | "testnet" | "mainnet-beta" | "custom";

/** The Solana CLI's names of clusters, and their short forms. */
const MONIKERS: Readonly<Record<string, string>> = {
  localhost: "http://localhost:8899",
  l: "http://localhost:8899",
  devnet: "https://api.devnet.solana.com",
  d: "https://api.devnet.solana.com",
  testnet: "https://api.testnet.solana.com",
  t: "https://api.testnet.solana.com",
  "mainnet-beta": "https://api.mainnet-beta.solana.com",
  m: "https://api.mainnet-beta.solana.com",
};

/** What the flags say of a chain and a key; every one may be missing. */
export interface Choice {
  readonly url?: string | undefined;
  readonly keypair?: string | undefined;
  readonly config?: string | undefined;
  readonly commitment?: string | undefined;
}

/** What is used, whoever said it. */
export interface Settings {
  readonly rpcUrl: string;
  /** Undefined where it follows from `rpcUrl`. */
  readonly wsUrl: string | undefined;
  readonly keypairPath: string;
  readonly commitment: Commitment;
}

/**
 * Flags first, then `SECURING_TASKS_URL` and `SECURING_TASKS_KEYPAIR`, then the Solana CLI's config file (`--config`, `SOLANA_CONFIG`, or
 * where the Solana CLI has it), then that CLI's defaults. Throws a {@link UsageError} for what can't be used, naming where it stands.
 */
export function readSettings(flags: Choice, env: NodeJS.ProcessEnv = process.env): Settings {
  const folder = join(homedir(), ".config/solana");
  const named = flags.config ?? given(env["SOLANA_CONFIG"]);
  const path = expand(named ?? join(folder, "cli/config.yml"));
  const file = readConfig(path, named !== undefined);
  const flagOrEnv = flags.url ?? given(env["SECURING_TASKS_URL"]);
  const url = flagOrEnv ?? given(file["json_rpc_url"]) ?? "mainnet-beta";
  const rpcUrl = MONIKERS[url] ?? url;
  if (!isUrl(rpcUrl, ["http:", "https:"])) {
    throw new UsageError(
      `"${url}" is no chain. Give an http:// or https:// URL, or localhost, devnet, testnet or mainnet-beta, with --url or in ${path}.`,
    );
  }
  const commitment = flags.commitment ?? given(file["commitment"]) ?? "confirmed";
  const known = COMMITMENTS.find((one) => one === commitment);
  if (!known) {
    throw new UsageError(
      `"${commitment}" is no commitment. Use ${COMMITMENTS.join(", ")} with --commitment or in ${path}.`,
    );
  }
  // It belongs to the file's RPC server, and to no other.
  const wsUrl = flagOrEnv === undefined ? given(file["websocket_url"]) : undefined;
  if (wsUrl !== undefined && !isUrl(wsUrl, ["ws:", "wss:"])) {
    throw new UsageError(
      `${path}: \`websocket_url\` is "${wsUrl}". Make it a ws:// or wss:// URL, or empty.`,
    );
  }
  const keypair =
    flags.keypair ?? given(env["SECURING_TASKS_KEYPAIR"]) ?? given(file["keypair_path"]);
  return {
    rpcUrl,
    wsUrl,
    keypairPath: expand(keypair ?? join(folder, "id.json")),
    commitment: known,
  };
}

/** The cluster behind a URL, by its host. */
export function clusterOf(rpcUrl: string): Cluster {
  const { hostname } = new URL(rpcUrl);
  if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)$/.test(hostname)) return "localhost";
  const named = /(?:^|[.-])(devnet|testnet|mainnet-beta|mainnet)(?=[.-])/.exec(hostname)?.[1];
  if (named === "mainnet") return "mainnet-beta";
  return (named as Cluster | undefined) ?? "custom";
}

/** Where everybody can look a transaction up; null where nobody else can see the chain. */
export function explorerLink(cluster: Cluster, signature: string): string | null {
  if (cluster === "localhost" || cluster === "custom") return null;
  const query = cluster === "mainnet-beta" ? "" : `?cluster=${cluster}`;
  return `https://explorer.solana.com/tx/${signature}${query}`;
}

/** `~` is the user's home folder. */
export function expand(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}

function readConfig(path: string, named: boolean): Readonly<Record<string, string>> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (!named && (error as { code?: unknown }).code === "ENOENT") return {};
    throw new UsageError(
      `The Solana CLI's configuration ${path} can't be read. Give its path with --config, or make one with \`solana config set\`.`,
    );
  }
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new UsageError(`${path} is no YAML: ${first.replace(/:$/, "")}. Correct it.`);
  }
  if (typeof content !== "object" || content === null) return {};
  return Object.fromEntries(
    Object.entries(content as Record<string, unknown>).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

/** The Solana CLI writes an empty string for what is not set. */
function given(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}
