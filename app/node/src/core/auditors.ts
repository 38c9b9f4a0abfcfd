import { sha256 } from "@noble/hashes/sha2";
import { bytesToHex } from "@noble/hashes/utils";
import type { Node, Task } from "@securing-tasks/client";
import { minStake } from "@securing-tasks/client";
import { isSignature, signBytes } from "@securing-tasks/sandbox/core";
import type { Keypair } from "@solana/web3.js";
import type { Follower } from "./follower";

/** In a request: `OPERATOR.SLOT.SIGNATURE`, by which the operator of one of the task's nodes says that it asks. */
export const AUDITOR_HEADER = "securing-tasks-auditor";

const SHAPE = /^([1-9A-HJ-NP-Za-km-z]{32,44})\.(\d{1,15})\.([0-9a-f]{128})$/;
/** A signature counts for so many slots before and after its own. Whoever listens on the way can use it again for that long. */
const RECENT_SLOTS = 150n;
/** An operator that is not known has the nodes read again, but not sooner: anybody can name one. */
const UNKNOWN_MS = 30_000;
/** What is older is read again for known ones, whose stake may be gone. */
const KNOWN_MS = 600_000;
/** Most time that a request waits for the nodes, and for the slot: an auditor waits for no more than a few seconds. */
const WAIT_MS = 1_000;

/** What an auditor asks for, and whom. */
export interface Asking {
  /** Address of the task, in base58. */
  readonly task: string;
  /** Owner of the node that is asked, in base58. It can't pass the signature on to have another one's places taken. */
  readonly worker: string;
  readonly method: string;
  /** Path and query, below the address of the node's service. */
  readonly path: string;
}

/** The header by which an operator asks. */
export function auditorHeader(
  operator: Keypair,
  asking: Asking,
  slot: bigint,
): Readonly<Record<string, string>> {
  const name = operator.publicKey.toBase58();
  const signature = signBytes(operator.secretKey, statement(asking, slot));
  return { [AUDITOR_HEADER]: `${name}.${slot.toString()}.${signature}` };
}

/** The path of a URL below a service's address, as that service is asked for it; null where it is another server's. */
export function pathBelow(service: string, url: URL): string | null {
  if (!URL.canParse(service)) return null;
  const { origin, pathname } = new URL(service);
  const root = `${pathname.replace(/\/+$/, "")}/`;
  if (url.origin !== origin || !url.pathname.startsWith(root)) return null;
  return url.pathname.slice(root.length - 1) + url.search;
}

function statement({ task, worker, method, path }: Asking, slot: bigint): Uint8Array {
  const hash = bytesToHex(sha256(path));
  const lines = ["securing-tasks/asking", task, worker, slot.toString(), method, hash];
  // No transaction begins with this byte.
  return Buffer.concat([Buffer.of(255), Buffer.from(lines.join("\n"))]);
}

export interface AuditorsOptions {
  /** Of this node: the task, and itself as the worker. */
  readonly asked: Pick<Asking, "task" | "worker">;
  readonly rules: Task["rules"];
  /** All nodes of the task, from the chain. */
  readonly nodes: () => Promise<readonly Node[]>;
  /** Who hears of no slot for minutes would take auditors for strangers by a guess. */
  readonly follower: Pick<Follower, "now" | "guess">;
}

/**
 * Knows the operators of the task's nodes. All are read at once, since anybody can name operators that are none: asked for one by one, they
 * would cost a call each, or keep those out that are some.
 */
export class Auditors {
  private operators: ReadonlySet<string> = new Set();
  private readAt = -Infinity;
  private reading: Promise<void> = Promise.resolve();

  constructor(private readonly options: AuditorsOptions) {}

  /** The operator that signed this request, in base58; null where none with a stake in the task did. Never rejects. */
  async whoAsks(header: string, { method, path }: Pick<Asking, "method" | "path">) {
    const [, operator = "", text = "", signature = ""] = SHAPE.exec(header) ?? [];
    if (operator === "") return null;
    if (!(await this.knows(operator))) return null;
    const { asked, follower } = this.options;
    const slot = BigInt(text);
    const signed = statement({ ...asked, method, path }, slot);
    if (!isSignature(operator, signed, signature)) return null;
    // Only now: a stranger must not have the chain asked.
    const now = (await soon(follower.now().catch(() => null))) ?? follower.guess;
    return slot + RECENT_SLOTS < now || slot > now + RECENT_SLOTS ? null : operator;
  }

  private async knows(operator: string): Promise<boolean> {
    const known = this.operators.has(operator);
    if (performance.now() - this.readAt >= (known ? KNOWN_MS : UNKNOWN_MS)) {
      this.readAt = performance.now();
      this.reading = this.read();
    }
    if (known) return true;
    await soon(this.reading);
    return this.operators.has(operator);
  }

  private async read(): Promise<void> {
    const { nodes, rules } = this.options;
    try {
      // Without a stake, places would cost no more than the rent of accounts.
      const staked = (await nodes()).filter((node) => node.stake >= minStake(rules, node));
      this.operators = new Set(staked.map(({ operator }) => operator.toBase58()));
    } catch {
      // Those that were known still are, and the others have what all have.
    }
  }
}

/** What comes within the time that a request waits; null where that is nothing. */
async function soon<T>(answer: Promise<T>): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => (timer = setTimeout(resolve, WAIT_MS, null)));
  const found = await Promise.race([answer, late]);
  clearTimeout(timer);
  return found;
}
