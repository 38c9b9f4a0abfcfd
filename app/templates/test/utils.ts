import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import type { RequestListener, Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import type {
  AuditFacts,
  Doors,
  LoadedFunction,
  Verdict,
  WorkFacts,
} from "@securing-tasks/sandbox";
import { checkAudit, liveDoors, loadFunction } from "@securing-tasks/sandbox";
import type { TemplateName } from "@securing-tasks/templates";
import { bundleTemplate } from "@securing-tasks/templates";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { pathToFileURL } from "node:url";

const BUILDER = join(__dirname, "../build.mjs");

/** Runs the bundler as `npm run build` does. Returns what it said. */
export async function runBuilder(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [BUILDER, ...args]);
  return stdout;
}

/** A template's two functions with these parameters, loaded as a node does. */
export async function loadTemplate(
  name: TemplateName,
  parameters: object,
): Promise<{ readonly audit: LoadedFunction; readonly work: LoadedFunction }> {
  const folder = await mkdtemp(join(tmpdir(), "securing-tasks-template-"));
  try {
    const { audit, work } = await bundleTemplate(name, parameters, folder);
    const load = (file: typeof audit): Promise<LoadedFunction> =>
      loadFunction({ hash: file.hash, uri: pathToFileURL(file.path).href });
    return { audit: await load(audit), work: await load(work) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Answers whoever looks whether the network is up: the embedded chain's address is nobody's. */
const up = createServer((_request, response) => response.end())
  .listen(0)
  .unref();

/** An HTTP server of a test on a free loopback port. */
export class Web {
  private constructor(
    private readonly server: Server,
    /** Without a slash at its end. */
    readonly url: string,
  ) {}

  static async serve(listener: RequestListener): Promise<Web> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Web(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Serves contents at `/payload/<hash>`. */
export class Shelf {
  private readonly contents = new Map<string, Uint8Array>();

  private constructor(private web: Web | null) {}

  static async open(): Promise<Shelf> {
    const shelf = new Shelf(null);
    shelf.web = await Web.serve(({ url = "" }, response) => {
      const content = shelf.contents.get(url.replace("/payload/", ""));
      response.statusCode = content ? 200 : 404;
      response.end(content);
    });
    return shelf;
  }

  get url(): string {
    if (!this.web) throw new Error("The shelf is closed.");
    return this.web.url;
  }

  /** Keeps a content. Returns its hash in hex and its URI. */
  put(content: string | Uint8Array): { readonly sha256: string; readonly uri: string } {
    const bytes = Buffer.from(content);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    this.contents.set(sha256, bytes);
    return { sha256, uri: `${this.url}/payload/${sha256}` };
  }

  /** Serves something else at a content's URI. */
  replace(sha256: string, content: string): void {
    this.contents.set(sha256, Buffer.from(content));
  }

  remove(sha256: string): void {
    this.contents.delete(sha256);
  }

  async close(): Promise<void> {
    await this.web?.close();
  }
}

/** Doors of a node that reaches servers on this machine, and a chain of its own. */
export function localDoors(timeoutMs = 5_000): Doors {
  const { connection } = EmbeddedChain.start();
  const probes = [`http://127.0.0.1:${(up.address() as AddressInfo).port}`];
  return liveDoors({ connection, allowPrivateNetwork: true, timeoutMs, probes });
}

const address = (): string => Keypair.generate().publicKey.toBase58();

/** Facts of work in a round, as on a chain. */
export function someWorkFacts(facts: Partial<WorkFacts> = {}): WorkFacts {
  return {
    task: {
      address: address(),
      creator: address(),
      id: "1",
      mint: address(),
      startSlot: 1_000,
      roundSlots: 100,
      submissionSlots: 40,
      bountyPerRound: "500",
    },
    seed: randomBytes(32).toString("hex"),
    now: 1_700_000_000_000,
    round: 7,
    owner: address(),
    operator: address(),
    publicUrl: null,
    secrets: {},
    ...facts,
  };
}

/** Facts of the audit of a payload that was submitted for this work. */
export function factsOf(
  { task, owner, round, seed, now }: WorkFacts,
  { sha256, uri }: { readonly sha256: string; readonly uri: string },
): AuditFacts {
  return {
    task,
    roundSeed: seed,
    seed: randomBytes(32).toString("hex"),
    now,
    submission: {
      address: address(),
      owner,
      round,
      slot: task.startSlot + round * task.roundSlots + 1,
      payloadHash: sha256,
      payloadUri: uri,
      caseEnd: task.startSlot + (round + 1) * task.roundSlots,
    },
  };
}

/** The audit must come to this verdict, on any seed, and again over the same inputs. */
export async function expectVerdict(
  fn: LoadedFunction,
  facts: AuditFacts,
  doors: Doors,
  verdict: Verdict,
): Promise<void> {
  const { deterministic, problems, runs } = await checkAudit(fn, facts, doors);
  expect(problems).to.deep.equal([]);
  expect(deterministic).to.equal(true);
  expect(runs.map((run) => run.verdict)).to.deep.equal(Array(4).fill(verdict));
}
