import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { NodeConfigInput } from "@securing-tasks/node";

export const CLI = join(__dirname, "../../app/cli/dist/main.js");

/** A line of a daemon's log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A daemon in a process of its own, as its owner would run it: `securing-tasks node run --config FILE`. */
export class Daemon {
  /** Everything that it logged, over all its lives. */
  readonly lines: LogLine[] = [];
  /** What it said that is no log line: reasons why it could not run. */
  words = "";
  private process: ChildProcess | undefined;
  private ended: Promise<unknown> = Promise.resolve();
  private readonly watchers = new Set<(line: LogLine) => void>();

  constructor(
    readonly name: string,
    readonly owner: string,
    private readonly configFile: string,
    private readonly logFile: string,
  ) {}

  /** Writes the configuration; {@link start} runs it. */
  static async make(folder: string, name: string, config: NodeConfigInput): Promise<Daemon> {
    const file = join(folder, `${name}.json`);
    await writeFile(file, JSON.stringify(config, null, 2));
    return new Daemon(name, config.owner, file, join(folder, `${name}.log`));
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** Starts the process and waits until it says that it runs. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [CLI, "node", "run", "--config", this.configFile], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = child;
    this.ended = new Promise((resolve) => child.once("close", resolve));
    child.stderr.on("data", (part: Buffer) => (this.words += part.toString()));
    createInterface({ input: child.stdout }).on("line", (text) => {
      this.take(text);
    });
    const running = this.next((line) => line.msg === "running");
    await Promise.race([
      running,
      this.ended.then(() => {
        throw new Error(`${this.name} ended before it ran: ${this.words}`);
      }),
    ]);
  }

  /** The next line that it logs and that this is true of. */
  next(wanted: (line: LogLine) => boolean): Promise<LogLine> {
    return new Promise((resolve) => {
      const watcher = (line: LogLine): void => {
        if (!wanted(line)) return;
        this.watchers.delete(watcher);
        resolve(line);
      };
      this.watchers.add(watcher);
    });
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    this.process?.kill("SIGKILL");
    await this.ended;
  }

  /** As a service manager would. */
  async stop(): Promise<void> {
    this.process?.kill("SIGTERM");
    await this.ended;
  }

  private take(text: string): void {
    void appendFile(this.logFile, `${text}\n`);
    let line: LogLine;
    try {
      line = JSON.parse(text) as LogLine;
    } catch {
      this.words += `${text}\n`;
      return;
    }
    this.lines.push(line);
    for (const watcher of this.watchers) watcher(line);
  }
}
