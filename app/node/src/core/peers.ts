import type { Audit, Submission } from "@securing-tasks/client";
import type { AuditFacts, Evidence } from "@securing-tasks/sandbox/core";
import { MOST_EVIDENCE_BYTES, readEvidence } from "@securing-tasks/sandbox/core";
import type { PublicKey } from "@solana/web3.js";
import type { Download } from "./host";
import type { Handover } from "./inbox";

/** Services of accusers, and of other workers, that are asked about one submission. */
export const MOST_ACCUSERS = 8;
const MOST_OTHERS = 16;
/** Pieces of evidence that one peer may bring: friends of the accused must not crowd out who has some. */
const MOST_FROM_ONE = 2;
/** Most bytes of the list of what a peer has. */
const MOST_LIST_BYTES = 8_192;

export interface Question {
  readonly facts: AuditFacts;
  /** Addresses of REST services and gateways. */
  readonly peers: readonly Peer[];
  /** For all of them together, in milliseconds. */
  readonly budgetMs: number;
  readonly download: Download;
}

export interface Peer {
  /** The address below which it serves `/evidence`. */
  readonly base: string;
  readonly allowPrivateNetwork: boolean;
}

/** Of which strangers to ask. Owners in base58. */
export interface Strangers {
  /** Oneself and the accused. */
  readonly but: readonly string[];
  /** Who accused, of malice first: nobody is more likely to have something. */
  readonly accusers: readonly string[];
  readonly allowPrivateNetwork: boolean;
}

/**
 * Who may have heard the accused: the peers of the configuration, and other workers' services. Submissions name those by where their
 * payloads are. Of many, some are drawn: nobody can know whom to be. Each worker has one place, however many submissions it has.
 */
export function peersOf(
  lists: readonly (readonly Submission[])[],
  { but, accusers, allowPrivateNetwork }: Strangers,
  configured: readonly string[],
): Peer[] {
  const bases = new Map(lists.flatMap((submissions) => [...servicesOf(submissions)]));
  for (const name of but) bases.delete(name);
  const first = [...new Set(accusers)].flatMap((name) => bases.get(name) ?? []);
  const rest = [...bases].filter(([name]) => !accusers.includes(name)).map(([, base]) => base);
  const drawn = new Set([...first.slice(0, MOST_ACCUSERS), ...draw(rest, MOST_OTHERS)]);
  // The node's own choice may be on its own network.
  const own = configured.map((url) => ({
    base: url.replace(/\/+$/, ""),
    allowPrivateNetwork: true,
  }));
  return [...own, ...[...drawn].map((base) => ({ base, allowPrivateNetwork }))];
}

/** The same list of submissions is asked about for each of them. */
const services = new WeakMap<readonly Submission[], ReadonlyMap<string, string>>();

/** Services of workers, by their owners in base58. */
function servicesOf(submissions: readonly Submission[]): ReadonlyMap<string, string> {
  const known = services.get(submissions);
  if (known) return known;
  const bases = new Map<string, string>();
  for (const { owner, payloadHash, payloadUri } of newestLast(submissions)) {
    const base = serviceOf(payloadUri, Buffer.from(payloadHash).toString("hex"));
    if (base !== null) bases.set(owner.toBase58(), base);
  }
  services.set(submissions, bases);
  return bases;
}

/** The address of the service that gives a payload out; null where it is elsewhere. */
export function serviceOf(payloadUri: string, payloadHash: string): string | null {
  const ending = `/payload/${payloadHash}`;
  return payloadUri.endsWith(ending) ? payloadUri.slice(0, -ending.length) : null;
}

function newestLast(submissions: readonly Submission[]): readonly Submission[] {
  return [...submissions].sort((a, b) => Number(a.round - b.round));
}

/** Who accused of a submission, in base58: of malice first, and among equals in no order that anybody could choose. */
export function accusersOf(audits: readonly Audit[], submission: PublicKey): string[] {
  const own = audits.filter((one) => one.submission.equals(submission));
  return ["malice", "downtime"].flatMap((accusation) =>
    draw(
      own.filter((one) => one.accusation === accusation).map((one) => one.initiator.toBase58()),
      own.length,
    ),
  );
}

/** Some of many, in an order that nobody can know before. */
export function draw(from: Iterable<string>, most: number): string[] {
  const left = [...from];
  const drawn: string[] = [];
  while (drawn.length < most && left.length > 0) {
    drawn.push(...left.splice(below(left.length), 1));
  }
  return drawn;
}

/** A number that nobody can know before, from 0 on. */
function below(end: number): number {
  const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1));
  return Math.floor((drawn / 2 ** 32) * end);
}

/** What peers have heard of the accused. Never rejects: whoever does not answer, or not in time, has nothing. */
export async function askPeers(question: Question): Promise<readonly Evidence[]> {
  const { facts, peers, budgetMs, download } = question;
  const found = new Map<string, Evidence>();
  const end = performance.now() + budgetMs;
  const get = async ({ base, allowPrivateNetwork }: Peer, path: string, maxBytes: number) => {
    const timeoutMs = Math.floor(end - performance.now());
    const url = new URL(`${base}/evidence/${path}`);
    const { status, bytes } = await download(url, { timeoutMs, maxBytes, allowPrivateNetwork });
    if (status !== 200) throw new Error(`status ${status}`);
    return Buffer.from(bytes).toString("utf8");
  };
  const ask = async (peer: Peer): Promise<void> => {
    const list = await get(peer, `of/${facts.submission.address}`, MOST_LIST_BYTES);
    const { evidence } = JSON.parse(list) as { readonly evidence?: unknown };
    const names = Array.isArray(evidence) ? (evidence as readonly unknown[]) : [];
    for (const hash of names.slice(0, MOST_FROM_ONE)) {
      if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash) || found.has(hash)) continue;
      const piece = readEvidence(facts, await get(peer, hash, MOST_EVIDENCE_BYTES), hash);
      if (piece) found.set(hash, piece);
    }
  };
  await Promise.allSettled(peers.map(ask));
  return [...found.values()];
}

/** Most time for one who takes evidence, and most bytes of what it says to that. */
const HAND_MS = 5_000;
const MOST_REPLY_BYTES = 4_096;

/** Brings others a piece of evidence. Returns how many took it. Never rejects. */
export async function handAround(
  piece: Handover,
  peers: readonly Peer[],
  download: Download,
): Promise<number> {
  const body = JSON.stringify(piece);
  const took = await Promise.allSettled(
    peers.map(async ({ base, allowPrivateNetwork }) => {
      const { status } = await download(new URL(`${base}/evidence`), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        timeoutMs: HAND_MS,
        maxBytes: MOST_REPLY_BYTES,
        allowPrivateNetwork,
      });
      if (status !== 200) throw new Error(`status ${status}`);
    }),
  );
  return took.filter(({ status }) => status === "fulfilled").length;
}
