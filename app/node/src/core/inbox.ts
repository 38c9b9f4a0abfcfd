import type { Node, SecuringTasksClient, Submission } from "@securing-tasks/client";
import { nodeAddress, weightOn } from "@securing-tasks/client";
import type { AuditFacts } from "@securing-tasks/sandbox/core";
import {
  MOST_EVIDENCE_BYTES,
  auditFacts,
  isSignature,
  readEvidence,
  sha256Hex,
  signBytes,
} from "@securing-tasks/sandbox/core";
import type { Connection, Keypair } from "@solana/web3.js";
import { PublicKey } from "@solana/web3.js";
import { z } from "zod";
import { Lane } from "./lane";
import type { State } from "./state";
import type { View } from "./view";

/** Evidence that a node brings another, as JSON. */
export interface Handover {
  /** Address of the submission, in base58. */
  readonly submission: string;
  /** Owner of the node that brings it, in base58. */
  readonly sender: string;
  /** The canonical text. */
  readonly evidence: string;
  /** By the operator of that node, in 128 hex digits. */
  readonly signature: string;
}

const schema = z.strictObject({
  submission: z.string().max(44),
  sender: z.string().max(44),
  evidence: z.string().max(MOST_EVIDENCE_BYTES),
  signature: z.string().regex(/^[0-9a-f]{128}$/),
});

/** Most bytes of a handover: a text of JSON in JSON. */
export const MOST_HANDOVER_BYTES = 2 * MOST_EVIDENCE_BYTES + 1_024;

/** What came of one: a status of HTTP, and words. */
export interface Taken {
  readonly status: 200 | 400 | 403 | 404 | 503;
  readonly message: string;
}

/** Evidence as a node of the task brings it. */
export function handover(
  { owner, operator }: { readonly owner: PublicKey; readonly operator: Keypair },
  submission: PublicKey,
  evidence: string,
): Handover {
  const about = { submission: submission.toBase58(), sender: owner.toBase58(), evidence };
  return { ...about, signature: signBytes(operator.secretKey, statement(about)) };
}

function statement({ submission, sender, evidence }: Omit<Handover, "signature">): Uint8Array {
  const hash = sha256Hex(evidence);
  const lines = ["securing-tasks/handover", submission, sender, hash];
  // No transaction begins with this byte.
  return Buffer.concat([Buffer.of(255), Buffer.from(lines.join("\n"))]);
}

export interface InboxOptions {
  readonly client: SecuringTasksClient;
  readonly connection: Connection;
  readonly store: Pick<State, "keepTold">;
  /** What the node saw last on the chain; null before the first look. */
  readonly view: () => View | null;
}

const UNKNOWN: Taken = { status: 404, message: "This node knows no such submission." };

/** Asked for at once, and waiting: what comes in costs calls to the RPC server. */
const AT_ONCE = 2;
const WAITING = 32;
/** Nodes and submissions that are remembered. */
const MOST_KNOWN = 1_000;

/**
 * Takes evidence that other nodes heard, so that it is with many before anybody is accused of it: who heard a lie alone may have no service
 * to give it out by, or be shut up, and would lose its bond to the liar.
 *
 * Only nodes with a say on the work are heard, a few pieces each: the accused itself can sign as many answers as it likes that prove
 * nothing, and strangers would fill the places with them.
 */
export class Inbox {
  private readonly lane = new Lane(AT_ONCE, WAITING);
  private readonly facts = new Map<string, Promise<AuditFacts>>();

  constructor(private readonly options: InboxOptions) {}

  /** Rejects with `LaneFull`, or with what the RPC server has. */
  async take(body: string): Promise<Taken> {
    const read = parse(body);
    if (!read) return { status: 400, message: "This is no handover of evidence." };
    const view = this.options.view();
    if (!view) return UNKNOWN;
    return this.lane.run(async () => {
      const submission =
        view.submissions.find(({ address }) => address.toBase58() === read.submission) ??
        (await this.find(view, read));
      if (!submission) return UNKNOWN;
      const facts = await this.factsOf(view, submission);
      const hash = sha256Hex(read.evidence);
      // Before anything is asked of the chain for it: nobody but the accused can make such a text.
      if (!readEvidence(facts, read.evidence, hash)) {
        return { status: 400, message: "This proves nothing about the submission." };
      }
      const node = await this.senderOf(view, read);
      const weight = node ? weightOn(node, view.task.rules, submission.slot) : 0n;
      if (!node || weight === 0n || node.owner.equals(submission.owner)) {
        return { status: 403, message: "Only nodes with a say on the work bring evidence." };
      }
      const { caseEnd } = facts.submission;
      const piece = { hash, submission: read.submission, sender: read.sender, weight };
      this.options.store.keepTold({ ...piece, caseEnd, content: read.evidence }, view.slot);
      return { status: 200, message: "Kept." };
    });
  }

  /** Work that this node has nothing else to do with; only a node of the task has it looked for. */
  private async find(view: View, read: Handover): Promise<Submission | null> {
    if (!(await this.senderOf(view, read))) return null;
    const found = await this.options.client.find("submission", new PublicKey(read.submission));
    return found?.task.equals(view.task.address) === true ? found : null;
  }

  private factsOf(view: View, submission: View["submissions"][number]): Promise<AuditFacts> {
    const name = submission.address.toBase58();
    const known = this.facts.get(name);
    if (known) return known;
    const asked = auditFacts(this.options.connection, view.task, submission);
    this.facts.set(name, asked);
    asked.catch(() => this.facts.delete(name));
    const [oldest] = this.facts.keys();
    if (this.facts.size > MOST_KNOWN && oldest !== undefined) this.facts.delete(oldest);
    return asked;
  }

  /** The node that brings it, if its operator signed that. */
  private async senderOf({ task }: View, read: Handover): Promise<Node | null> {
    const owner = new PublicKey(read.sender);
    const node = await this.options.client.find("node", nodeAddress(task.address, owner));
    return node && isSignature(node.operator.toBase58(), statement(read), read.signature)
      ? node
      : null;
  }
}

function parse(body: string): Handover | null {
  try {
    const { data } = schema.safeParse(JSON.parse(body));
    const isAddress = (text: string): boolean => new PublicKey(text).toBase58() === text;
    return data && isAddress(data.sender) && isAddress(data.submission) ? data : null;
  } catch {
    return null;
  }
}
