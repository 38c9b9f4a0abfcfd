import { sha256 } from "@noble/hashes/sha2";
import { bytesToHex } from "@noble/hashes/utils";
import type { Node, Task } from "@securing-tasks/client";
import { minStake } from "@securing-tasks/client";
import { isSignature, signBytes } from "@securing-tasks/sandbox/core";
import type { Keypair } from "@solana/web3.js";

/** In a request: `OPERATOR.SLOT.SIGNATURE`, by which the operator of one of the task's nodes says that it asks. */
export const AUDITOR_HEADER = "securing-tasks-auditor";

const SHAPE = /^([1-9A-HJ-NP-Za-km-z]{32,44})\.(\d{1,15})\.([0-9a-f]{128})$/;
/** A signature counts for so many slots before and after its own. Whoever listens on the way can use it again for that long. */
const RECENT_SLOTS = 150n;
/** An operator that is not known has the nodes read again, but not sooner: anybody can name one. */
const UNKNOWN_MS = 30_000;
/** What is older is read again for known ones, whose stake may be gone. */
const KNOWN_MS = 600_000;
/** Most time that a request waits for the nodes: an auditor waits for no more than a few seconds. */
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
  /** Newest slot that the node has heard of. */
  readonly slot: () => bigint;
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
    const [slot, now] = [BigInt(text), this.options.slot()];
    if (slot + RECENT_SLOTS < now || slot > now + RECENT_SLOTS) return null;
    if (!(await this.knows(operator))) return null;
    const signed = statement({ ...this.options.asked, method, path }, slot);
    return isSignature(operator, signed, signature) ? operator : null;
  }

  private async knows(operator: string): Promise<boolean> {
    const known = this.operators.has(operator);
    if (performance.now() - this.readAt >= (known ? KNOWN_MS : UNKNOWN_MS)) {
      this.readAt = performance.now();
      this.reading = this.read();
    }
    if (known) return true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, WAIT_MS)));
    await Promise.race([this.reading, late]);
    clearTimeout(timer);
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
