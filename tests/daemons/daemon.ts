import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { NodeConfigInput } from "@securing-tasks/node";

export const CLI = join(__dirname, "../../app/cli/dist/main.js");

/** What a daemon on a phone, or on a metered line, is told. */
export const LIGHT: Partial<NodeConfigInput> = { profile: "light" };

/** A daemon that was told to stop does so within this. */
const STOP_LIMIT_MS = 60_000;
/** As service managers wait before they start again what ended. */
const RESTART_MS = 1_000;
/** A throttled process runs for a quarter of each 100 ms, as a container with a quarter of a processor does. */
const RUNS_MS = 25;
const STANDS_MS = 75;
const POLL_MS = 100;
/** Of Linux, for all that it tells programs. */
const TICKS_PER_SECOND = 100;
/** Takes no byte. */
const FULL_DEVICE = "/dev/full";

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
  /** Why it ended without being told to, each time. */
  readonly ends: string[] = [];
  /** Most megabytes that it held at once, resident, when it was ended by us. */
  mostMemory = 0;
  private process: ChildProcess | undefined;
  private ended: Promise<unknown> = Promise.resolve();
  /** Whether it was told to end. */
  private told = false;
  private kept = false;
  private throttled = false;
  private readonly watchers = new Set<(line: LogLine) => void>();

  private constructor(
    readonly name: string,
    private readonly config: NodeConfigInput,
    private readonly configFile: string,
    private readonly logFile: string,
    private readonly logLost: boolean,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /**
   * Writes the configuration; {@link start} runs it.
   *
   * @param logLost Its log goes to a device that is full.
   * @param env More of its environment.
   */
  static async make(
    folder: string,
    name: string,
    config: NodeConfigInput,
    logLost = false,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Daemon> {
    const file = join(folder, `${name}.json`);
    await writeFile(file, JSON.stringify(config, null, 2));
    return new Daemon(name, config, file, join(folder, `${name}.log`), logLost, env);
  }

  get owner(): string {
    return this.config.owner;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** Starts the process and waits until it says that it runs. */
  async start(): Promise<void> {
    const full = this.logLost ? openSync(FULL_DEVICE, "w") : null;
    const child = spawn(process.execPath, [CLI, "node", "run", "--config", this.configFile], {
      stdio: ["ignore", full ?? "pipe", "pipe"],
      env: { ...process.env, ...this.env },
    });
    if (full !== null) closeSync(full);
    this.process = child;
    this.told = false;
    const wordsBefore = this.words.length;
    child.once("close", (code, signal) => {
      if (this.told) return;
      const why = this.words.slice(wordsBefore).trim();
      this.ends.push(why === "" ? `code ${code ?? signal ?? "unknown"}, without a word` : why);
      setTimeout(() => {
        if (this.kept && !this.told && this.process === child) this.start().catch(nothing);
      }, RESTART_MS);
    });
    this.ended = new Promise((resolve) => child.once("close", resolve));
    child.stderr?.on("data", (part: Buffer) => (this.words += part.toString()));
    if (child.stdout) {
      createInterface({ input: child.stdout }).on("line", (text) => {
        this.take(text);
      });
    }
    const running = this.logLost ? this.serves(child) : this.next((line) => line.msg === "running");
    await Promise.race([
      running,
      this.ended.then(() => {
        throw new Error(`${this.name} ended before it ran: ${this.words}`);
      }),
    ]);
  }

  /** From now on it is started again whenever it ends by itself, as a service manager would. */
  keep(): void {
    this.kept = true;
  }

  /** From now on it runs for a quarter of the time only, until it is stopped. */
  throttle(): void {
    if (this.throttled) return;
    this.throttled = true;
    const stand = (): void => {
      if (!this.throttled) return;
      this.process?.kill("SIGSTOP");
      setTimeout(run, STANDS_MS);
    };
    const run = (): void => {
      this.process?.kill("SIGCONT");
      setTimeout(stand, RUNS_MS);
    };
    stand();
  }

  unthrottle(): void {
    this.throttled = false;
    this.process?.kill("SIGCONT");
  }

  /** One of its metrics, without the prefix of all; null where it does not answer. */
  async metric(name: string): Promise<number | null> {
    const port = this.config.http?.port;
    const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      (answer) => answer.text(),
      () => "",
    );
    const found = new RegExp(`^securing_tasks_${name} (\\S+)$`, "m").exec(text)?.[1];
    return found === undefined ? null : Number(found);
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
    await this.end("SIGKILL");
  }

  /** As a service manager would. */
  async stop(): Promise<void> {
    this.kept = false;
    this.unthrottle();
    const late = setTimeout(() => {
      this.ends.push(`killed: it did not end within ${STOP_LIMIT_MS} ms of SIGTERM`);
      this.process?.kill("SIGKILL");
    }, STOP_LIMIT_MS);
    await this.end("SIGTERM");
    clearTimeout(late);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.told = true;
    await this.noteMemory();
    this.process?.kill(signal);
    await this.ended;
  }

  private async noteMemory(): Promise<void> {
    const { pid } = this;
    if (pid === undefined) return;
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const most = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_000;
    this.mostMemory = Math.max(this.mostMemory, most);
  }

  /** Waits until its service answers: there is no slot to wait for. */
  private async serves(child: ChildProcess): Promise<void> {
    while (child.exitCode === null && child.signalCode === null) {
      if ((await this.metric("slot")) !== null) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
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

/** Processor time that a process has had, in seconds, with that of its threads. */
export function processorSeconds(pid: number): number {
  // Behind the name, which may hold anything, the 12th and 13th field.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Memory that a process holds resident, in MB. */
export function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_000;
}

function nothing(): void {
  // It is started again.
}
