import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

const ROOT = join(__dirname, "../..");
const PAGE = join(ROOT, "docs/quickstart.md");
/** What a block that is tried again may take in all, in seconds: the chain has 400 ms slots. */
const PATIENCE = 240;

interface Block {
  /** "terminal": runs beside the others until the end. "retry": is tried until it passes. */
  readonly kind: "" | "terminal" | "retry";
  readonly text: string;
}

/** A terminal that somebody types a page's commands into. What fails ends it. */
class Terminal {
  private readonly shell: ChildProcess;
  private output = "";

  constructor() {
    // A group of its own, so that all that it started ends with it.
    this.shell = spawn("bash", ["-e"], { cwd: ROOT, detached: true });
    for (const stream of [this.shell.stdout, this.shell.stderr]) {
      stream?.on("data", (part: Buffer) => (this.output += part.toString()));
    }
  }

  /** Types a block, and does not wait. */
  type(text: string): void {
    this.shell.stdin?.write(`${text}\n`);
  }

  /** Types a block, and waits until all of it has passed. */
  async run({ kind, text }: Block): Promise<void> {
    const from = this.output.length;
    const done = `done ${Math.random()}`;
    const tries = `until (set -e; ${text}); do test $SECONDS -lt $limit; sleep 1; done`;
    this.type(kind === "retry" ? `limit=$((SECONDS + ${PATIENCE}))\n${tries}` : text);
    this.type(`echo "${done}"`);
    while (!this.output.includes(done, from)) {
      if (this.shell.exitCode !== null) {
        throw new Error(
          `This failed:\n${text}\nIt said:\n${this.output.slice(from).slice(-3_000)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async close(): Promise<void> {
    const { pid } = this.shell;
    if (pid === undefined || this.shell.exitCode !== null) return;
    const ended = new Promise((resolve) => this.shell.once("close", resolve));
    process.kill(-pid, "SIGTERM");
    await ended;
  }
}

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```sh ?(\w*)\n([^]*?)^```$/gm)].map(([, kind, text]) => ({
    kind: kind as Block["kind"],
    text: text ?? "",
  }));
}

describe("the newcomer's page", () => {
  const terminals: Terminal[] = [];
  const folder = join(ROOT, "first-task");

  before(() => rm(folder, { recursive: true, force: true }));
  after(async () => {
    await Promise.all(terminals.map((terminal) => terminal.close()));
    await rm(folder, { recursive: true, force: true });
  });

  it("works as it is written", async () => {
    const blocks = blocksOf(await readFile(PAGE, "utf8"));
    const first = new Terminal();
    terminals.push(first);
    for (const block of blocks) {
      if (block.kind === "terminal") {
        const another = new Terminal();
        terminals.push(another);
        another.type(block.text);
      } else await first.run(block);
    }
  });
});
