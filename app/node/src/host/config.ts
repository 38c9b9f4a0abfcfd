import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { dirname, isAbsolute, resolve } from "node:path";
import { isPublic } from "@securing-tasks/sandbox";
import { PublicKey } from "@solana/web3.js";
import { z } from "zod";
import type { Place } from "./yaml";
import { PlacedYaml } from "./yaml";

const address = z.string().refine(isAddress, "is no address: give 32 bytes in base58");
const webUrl = z
  .string()
  .refine((text) => isUrl(text, ["http:", "https:"]), "is no http:// or https:// URL");
const socketUrl = z
  .string()
  .refine(
    (text) => text === "none" || isUrl(text, ["ws:", "wss:"]),
    "is neither `none` nor a ws:// or wss:// URL",
  );
const path = z.string().min(1, "is empty: give a path");
const amount = z
  .union([z.number().int().nonnegative(), z.string().regex(/^\d+$/, "must be digits")])
  .transform((value) => BigInt(value))
  .refine((value) => value < 2n ** 64n, "is more than 18446744073709551615");
const whole = (least: number, most = Number.MAX_SAFE_INTEGER): z.ZodNumber =>
  z.number().int().min(least).max(most);
const port = whole(0, 65_535);
const headerText = z.string().regex(/^[\x21-\x7e]+$/, "must be visible ASCII, without spaces");

/** Keys that are not given must not be there: they would take the place of the sandbox's defaults. */
const limits = z.strictObject({
  memoryBytes: whole(1_048_576).exactOptional(),
  computeMs: whole(1).exactOptional(),
  totalMs: whole(1).exactOptional(),
  doorCalls: whole(0).exactOptional(),
  answerBytes: whole(1).exactOptional(),
});

const schema = z.strictObject({
  rpcUrl: webUrl.optional(),
  rpcUrls: z.array(webUrl).min(1).max(8).optional(),
  rpcLimits: z
    .strictObject({
      perSecond: whole(1, 10_000).default(40),
      atOnce: whole(1, 1_000).default(16),
    })
    .default({ perSecond: 40, atOnce: 16 }),
  wsUrl: z
    .union([z.literal("none"), socketUrl], "is neither a ws:// or wss:// URL nor `none`")
    .optional(),
  profile: z.enum(["full", "light"]).default("full"),
  task: address.transform((text) => new PublicKey(text)),
  owner: address.transform((text) => new PublicKey(text)),
  role: z.enum(["worker", "witness"]),
  operatorKeypair: path,
  state: path,
  join: z
    .strictObject({
      ownerKeypair: path,
      stake: amount,
    })
    .optional(),
  collectionMint: address.transform((text) => new PublicKey(text)).optional(),
  sponsor: z
    .strictObject({
      url: webUrl,
      address: address.transform((text) => new PublicKey(text)).exactOptional(),
      apiKey: headerText.exactOptional(),
      hmacSecret: z.string().min(1, "is empty: give the secret").exactOptional(),
      perSecond: whole(1, 1_000).default(5),
      maxPerDay: whole(1).exactOptional(),
      timeoutMs: whole(100, 60_000).default(10_000),
      fallback: z.enum(["none", "operator"]).default("none"),
    })
    .optional(),
  http: z
    .strictObject({
      host: z.string().min(1).default("0.0.0.0"),
      port,
      publicUrl: webUrl.transform((text) => text.replace(/\/+$/, "")),
      maxBodyBytes: whole(0).default(65_536),
      concurrency: whole(1, 64).default(2),
      queue: whole(0, 10_000).default(64),
      requestsPerSecond: whole(1).default(100),
      trustProxy: z.boolean().default(false),
      checkSelf: z.boolean().default(true),
    })
    .optional(),
  metrics: z
    .strictObject({
      host: z.string().min(1).default("127.0.0.1"),
      port,
    })
    .optional(),
  samples: whole(0, 1_000).default(1),
  sampleEvery: whole(1, 10_000).optional(),
  recheckMs: whole(0, 3_600_000).default(10_000),
  secrets: z.record(z.string(), z.string()).default({}),
  gateways: z.array(webUrl).default([]),
  evidence: z.strictObject({ peers: z.array(webUrl).max(16).default([]) }).default({ peers: [] }),
  keepers: z.array(webUrl).max(8).default([]),
  keepersEarly: z.boolean().default(false),
  keeper: z
    .strictObject({
      for: z.union(
        [
          z.literal("any"),
          z.array(address).min(1, "names nobody: give addresses of owners, or `any`").max(1_000),
        ],
        "is neither `any` nor a list of at most 1,000 addresses of owners",
      ),
      max: whole(1, 10_000).default(256),
      maxPerDay: whole(1, 100_000).default(100),
    })
    .optional(),
  probes: z.array(webUrl).default([]),
  allowPrivateNetwork: z.boolean().default(false),
  door: z
    .strictObject({ timeoutMs: whole(1).optional(), maxBytes: whole(1).optional() })
    .default({}),
  limits: z.strictObject({ audit: limits, work: limits, respond: limits }).partial().default({}),
  onOtherInstance: z.enum(["wait", "end"]).default("wait"),
  quietSlots: whole(0, 432_000).default(1_500),
  workUnpaid: z.boolean().default(true),
  appeal: z.boolean().default(true),
  keepPayloadRounds: whole(2).optional(),
  priorityFee: amount.default(0n),
  maxFeeLamports: amount.default(1_000_000n),
  computeUnitLimit: whole(1_000, 1_400_000).optional(),
  pollMs: whole(50, 600_000).optional(),
  rpcTimeoutMs: whole(100, 600_000).default(10_000),
  logLevel: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
  chores: z
    .strictObject({
      resolve: z.boolean().default(true),
      claim: z.boolean().default(true),
      close: z.boolean().default(true),
      spreadSlots: whole(0, 100_000).default(25),
    })
    .default({ resolve: true, claim: true, close: true, spreadSlots: 25 }),
});

/** What a daemon is told. Paths are absolute. Every key with its unit stands in the package's README. */
export type NodeConfig = Omit<
  z.output<typeof schema>,
  "rpcUrl" | "rpcUrls" | "pollMs" | "sampleEvery"
> & {
  /** The first of the servers. */
  readonly rpcUrl: string;
  readonly rpcUrls: readonly string[];
  readonly pollMs: number;
  readonly sampleEvery: number;
};
/** The same as it stands in a file, with defaults left out. */
export type NodeConfigInput = z.input<typeof schema>;

/** A configuration that can't be used. The message names file, line and column, and the way out. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads a daemon's configuration from a YAML or JSON file. Relative paths in it are relative to the file. Throws a
 * {@link ConfigError} with every fault, one a line.
 */
export function readNodeConfig(file: string): NodeConfig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError(
      `The configuration ${file} can't be read: ${reasonOf(error)}. Give the path of a YAML or JSON file.`,
    );
  }
  const yaml = new PlacedYaml(text, file);
  if (yaml.faults.length > 0) throw new ConfigError(yaml.faults.join("\n"));
  const place: Place = (keys, atKey) => yaml.place(keys, atKey);
  return check(yaml.document.toJS(), dirname(resolve(file)), place);
}

/** Checks a configuration made in a program, and fills in the defaults. Throws a {@link ConfigError}. */
export function checkNodeConfig(input: NodeConfigInput, folder = process.cwd()): NodeConfig {
  return check(input, folder, () => "configuration");
}

function check(input: unknown, folder: string, place: Place): NodeConfig {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map((issue) => explainIssue(issue, place)).join("\n"),
    );
  }
  const config = parsed.data;
  const faults: string[] = [];
  const rpcUrls = config.rpcUrls ?? (config.rpcUrl === undefined ? [] : [config.rpcUrl]);
  const [rpcUrl = ""] = rpcUrls;
  if (rpcUrls.length === 0) faults.push(`${place([])}: \`rpcUrl\` is missing. Add it.`);
  if (config.rpcUrl !== undefined && config.rpcUrls !== undefined) {
    faults.push(
      `${place(["rpcUrl"], true)}: \`rpcUrl\` and \`rpcUrls\` say the same. Keep one of them.`,
    );
  }
  if (new Set(rpcUrls).size < rpcUrls.length) {
    faults.push(`${place(["rpcUrls"])}: \`rpcUrls\` names a server twice. Remove one.`);
  }
  if (config.http && Buffer.byteLength(config.http.publicUrl) > MOST_PUBLIC_URL) {
    faults.push(
      `${place(["http", "publicUrl"])}: \`http.publicUrl\` is longer than ${MOST_PUBLIC_URL} bytes, so that no payload's URI would fit a submission. Use a shorter one.`,
    );
  }
  const unreachable = config.http && publicUrlFault(config.http.publicUrl, config);
  if (unreachable !== undefined) {
    faults.push(`${place(["http", "publicUrl"])}: \`http.publicUrl\` ${unreachable}`);
  }
  if (config.role === "worker" && !config.http) {
    faults.push(
      `${place(["role"])}: a worker serves its payloads, and \`http\` is missing. Give \`http: { port, publicUrl }\`, or take \`role: witness\`.`,
    );
  }
  if (config.keeper && !config.http) {
    faults.push(
      `${place(["keeper"], true)}: others hand their reveals to \`http\`, and that is missing. Give \`http: { port, publicUrl }\`, or remove \`keeper\`.`,
    );
  }
  const plain = config.keepers.findIndex((url) => url.startsWith("http:"));
  if (config.keepersEarly && plain >= 0 && !config.allowPrivateNetwork) {
    faults.push(
      `${place(["keepers", plain])}: with \`keepersEarly\`, whoever listens on the way to an http:// keeper knows the vote before the others have voted. Use https://, or leave \`keepersEarly\` out.`,
    );
  }
  if (faults.length > 0) throw new ConfigError(faults.join("\n"));
  const full = (name: string): string => (isAbsolute(name) ? name : resolve(folder, name));
  return {
    ...config,
    rpcUrl,
    rpcUrls,
    pollMs: config.pollMs ?? POLL_MS[config.profile],
    sampleEvery: config.sampleEvery ?? SAMPLE_EVERY[config.profile],
    operatorKeypair: full(config.operatorKeypair),
    state: full(config.state),
    ...(config.join && {
      join: { ...config.join, ownerKeypair: full(config.join.ownerKeypair) },
    }),
  };
}

/** Longest time between two looks at the chain. What the task's windows ask for is less. */
const POLL_MS = { full: 5_000, light: 600_000 } as const;
/** Samples are looked at in one round of so many. */
const SAMPLE_EVERY = { full: 1, light: 8 } as const;

/** `/payload/` and 64 hex digits must fit a submission's 128 bytes with it. */
const MOST_PUBLIC_URL = 128 - "/payload/".length - 64;

/** Names that only a machine or its own network knows. */
const LOCAL_NAME = /^[^.]+$|\.(localhost|local|internal|intranet|lan|home|home\.arpa)$/;

/** Why nobody could get a payload from there, and the way out. Who submits it all the same is taken for down. */
function publicUrlFault(
  text: string,
  { allowPrivateNetwork }: Pick<NodeConfig, "allowPrivateNetwork">,
): string | undefined {
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    return "has a user name or password, which would stand on the chain for all to read. Remove it.";
  }
  if (/[?#]/.test(text)) {
    return "has a `?` or `#`, behind which no payload's path is asked for. Remove it.";
  }
  const plain = url.href.replace(/\/+$/, "");
  if (plain !== text) return `is not written as it will be read. Write \`${plain}\`.`;
  const host = url.hostname.replace(/^\[|\]$|\.$/g, "");
  const known = isIP(host) === 0 ? !LOCAL_NAME.test(host) : isPublic(host);
  if (known || allowPrivateNetwork) return undefined;
  return "is of this machine or its own network, where no other node could reach it. Give the address that others see, or `allowPrivateNetwork: true` where all nodes are on this network.";
}

function explainIssue(issue: z.core.$ZodIssue, place: Place): string {
  if (issue.code === "unrecognized_keys") {
    return issue.keys
      .map((key) => {
        const name = [...issue.path, key].join(".");
        return `${place([...issue.path, key], true)}: \`${name}\` is no setting. Remove it, or check how it is spelt.`;
      })
      .join("\n");
  }
  const name = issue.path.join(".");
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  if (missing) return `${place(issue.path)}: \`${name}\` is missing. Add it.`;
  const where = name === "" ? "the configuration" : `\`${name}\``;
  return `${place(issue.path)}: ${where}: ${issue.message}.`;
}

function isAddress(text: string): boolean {
  try {
    return new PublicKey(text).toBase58() === text;
  } catch {
    return false;
  }
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

function reasonOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  if (code === "ENOENT") return "there is no such file";
  return error instanceof Error ? error.message : String(error);
}
