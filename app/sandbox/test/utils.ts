import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import type { RemoteInfo } from "node:dgram";
import { promises } from "node:dns";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { isIPv4 } from "node:net";
import type { AddressInfo } from "node:net";
import * as ipaddr from "ipaddr.js";
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
    caseEnd: 1_500,
  },
  roundSeed: "02".repeat(32),
  seed: "01".repeat(32),
  now: Date.UTC(2024, 1, 29, 12, 34, 56),
};

export const WORK: WorkFacts = {
  task: TASK,
  round: 3,
  owner: AUDIT.submission.owner,
  operator: "Operator111111111111111111111111111111111",
  publicUrl: null,
  secrets: { key: "hidden" },
  seed: AUDIT.seed,
  now: AUDIT.now,
};

export function functionOf(code: string): LoadedFunction {
  return { code, hash: createHash("sha256").update(code).digest() };
}

/** What a promise of a door rejects with. */
export async function rejection(answer: Promise<unknown>): Promise<DoorError> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof DoorError) return error;
    throw error;
  }
  throw new Error("the door gave an answer");
}

/** A loopback port that nothing listens on. */
export async function deadUrl(): Promise<string> {
  const web = await Web.serve(() => undefined);
  const { url } = web;
  await web.close();
  return url;
}

/** Holds up the whole process, as a computation or a paused machine would. */
export function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
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

  onConnection(listener: () => void): void {
    this.server.on("connection", listener);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** What a DNS server knows of a name: its addresses, or that it never answers for one family, or for none. */
export type Name = readonly string[] | "silent" | { readonly silent: 4 | 6; readonly is: string };

/** A real DNS server on loopback, which everything asked of c-ares goes to. It knows no other name. */
export class Dns {
  /** What was asked, as `family name`; of the root as `2 `. */
  readonly asked: string[] = [];
  private readonly socket = createSocket("udp4");
  private readonly Resolver = promises.Resolver;
  private open = true;

  private constructor(private readonly names: Readonly<Record<string, Name>>) {}

  /** @param lateMs How much later than the others the answers for IPv4 come. */
  static async serve(names: Readonly<Record<string, Name>> = {}, lateMs = 0): Promise<Dns> {
    const dns = new Dns(names);
    dns.socket.on("message", (question: Buffer, from: RemoteInfo) => {
      const answer = dns.answer(question);
      if (answer === null) return;
      const send = (): void => {
        if (dns.open) dns.socket.send(answer, from.port, from.address);
      };
      if (dns.asked.at(-1)?.startsWith("4 ") === true) setTimeout(send, lateMs);
      else send();
    });
    await new Promise<void>((resolve) => dns.socket.bind(0, "127.0.0.1", resolve));
    const { port } = dns.socket.address();
    const { Resolver } = dns;
    Object.assign(promises, {
      Resolver: class extends Resolver {
        constructor(...options: ConstructorParameters<typeof Resolver>) {
          super(...options);
          this.setServers([`127.0.0.1:${port}`]);
        }
      },
    });
    return dns;
  }

  /** From here on nobody listens on its port. */
  async stop(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    await new Promise<void>((resolve) => this.socket.close(resolve));
  }

  /** Lets c-ares ask the machine's own servers again. */
  restore(): void {
    Object.assign(promises, { Resolver: this.Resolver });
  }

  private answer(question: Buffer): Buffer | null {
    const labels: string[] = [];
    let at = 12;
    for (let size = question[at] ?? 0; size > 0; size = question[at] ?? 0) {
      labels.push(question.toString("latin1", at + 1, at + 1 + size));
      at += size + 1;
    }
    const host = labels.join(".").toLowerCase();
    const type = question.readUInt16BE(at + 1);
    const family = type === 1 ? 4 : type === 28 ? 6 : type;
    this.asked.push(`${family} ${host}`);
    const known = this.names[host];
    if (known === "silent") return null;
    const silent = known !== undefined && "silent" in known ? known.silent : null;
    if (silent === family) return null;
    const all = known === undefined ? [] : "silent" in known ? [known.is] : known;
    const records = all
      .filter((address) => (isIPv4(address) ? 4 : 6) === family)
      .map((address) => {
        const bytes = Buffer.from(ipaddr.parse(address).toByteArray());
        const fixed = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length]);
        return Buffer.concat([fixed, bytes]);
      });
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(known === undefined ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(records.length, 6);
    head.writeUInt16BE(0, 10);
    return Buffer.concat([head, question.subarray(12, at + 5), ...records]);
  }
}
