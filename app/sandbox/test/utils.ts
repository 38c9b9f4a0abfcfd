import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { runAudit } from "@securing-tasks/sandbox";
import type {
  AuditFacts,
  Doors,
  Limits,
  LoadedFunction,
  Ran,
  Verdict,
  WorkFacts,
} from "@securing-tasks/sandbox";
import { DoorError } from "@securing-tasks/sandbox";

export const TASK = {
  address: "Task11111111111111111111111111111111111111",
  creator: "Creator1111111111111111111111111111111111",
  id: "7",
  mint: "So11111111111111111111111111111111111111112",
  startSlot: 1_000,
  roundSlots: 100,
  submissionSlots: 40,
  bountyPerRound: "500",
};

export const AUDIT: AuditFacts = {
  task: TASK,
  submission: {
    address: "Submission11111111111111111111111111111111",
    owner: "Owner11111111111111111111111111111111111111",
    round: 3,
    slot: 1_310,
    payloadHash: "00".repeat(32),
    payloadUri: "https://example.com/payload",
  },
  roundSeed: "02".repeat(32),
  seed: "01".repeat(32),
  now: Date.UTC(2024, 1, 29, 12, 34, 56),
};

export const WORK: WorkFacts = {
  task: TASK,
  round: 3,
  owner: AUDIT.submission.owner,
  publicUrl: null,
  secrets: { key: "hidden" },
  seed: AUDIT.seed,
  now: AUDIT.now,
};

export function functionOf(code: string): LoadedFunction {
  return { code, hash: createHash("sha256").update(code).digest() };
}

/** Doors that all refuse, but for those given. */
export function doorsWith(doors: Partial<Doors> = {}): Doors {
  const none = () => Promise.reject(new DoorError("unreachable", "nobody is there"));
  return { http: none, account: none, transaction: none, signatures: none, fetch: none, ...doors };
}

/** Runs the body of an audit function; `c` is the context. */
export function audit(
  body: string,
  limits: Limits = {},
  doors: Partial<Doors> = {},
): Promise<Ran<Verdict>> {
  const code = `export async function audit(c) { ${body} }`;
  return runAudit(functionOf(code), AUDIT, doorsWith(doors), limits);
}

/** A real server on loopback. */
export class Web {
  private constructor(private readonly server: Server) {}

  static async serve(listener: RequestListener): Promise<Web> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Web(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
