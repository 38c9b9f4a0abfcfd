import { randomInt } from "node:crypto";
import type { Submission } from "@securing-tasks/client";
import type { AuditFacts, Evidence } from "@securing-tasks/sandbox";
import { MOST_EVIDENCE_BYTES, download, readEvidence } from "@securing-tasks/sandbox";

/** Strangers that are asked about one submission. */
const MOST_STRANGERS = 16;
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
}

export interface Peer {
  /** The address below which it serves `/evidence`. */
  readonly base: string;
  readonly allowPrivateNetwork: boolean;
}

/**
 * Who may have heard the accused: the peers of the configuration, and other workers' services. Submissions name those by where their
 * payloads are. Of many, some are drawn: nobody can know whom to be.
 */
export function peersOf(
  submissions: readonly Submission[],
  strangers: { readonly but: readonly string[]; readonly allowPrivateNetwork: boolean },
  configured: readonly string[],
): Peer[] {
  const bases = new Set<string>();
  for (const { owner, payloadHash, payloadUri } of submissions) {
    if (strangers.but.includes(owner.toBase58())) continue;
    const ending = `/payload/${Buffer.from(payloadHash).toString("hex")}`;
    if (payloadUri.endsWith(ending)) bases.add(payloadUri.slice(0, -ending.length));
  }
  const left = [...bases];
  const drawn: Peer[] = [];
  while (drawn.length < MOST_STRANGERS && left.length > 0) {
    const { allowPrivateNetwork } = strangers;
    for (const base of left.splice(randomInt(left.length), 1)) {
      drawn.push({ base, allowPrivateNetwork });
    }
  }
  // The node's own choice may be on its own network.
  const own = configured.map((url) => ({
    base: url.replace(/\/+$/, ""),
    allowPrivateNetwork: true,
  }));
  return [...own, ...drawn];
}

/** What peers have heard of the accused. Never rejects: whoever does not answer, or not in time, has nothing. */
export async function askPeers({ facts, peers, budgetMs }: Question): Promise<readonly Evidence[]> {
  const found = new Map<string, Evidence>();
  const end = performance.now() + budgetMs;
  const get = async ({ base, allowPrivateNetwork }: Peer, path: string, maxBytes: number) => {
    const timeoutMs = Math.floor(end - performance.now());
    if (timeoutMs <= 0) throw new Error("The time is over.");
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
