import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { localnet } from "./validator";

export const BIN = join(__dirname, "../../app/cli/bin/securing-tasks.js");

/** What a process of the command line ended with. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command fails, for scripts. */
export interface Failed {
  readonly exit: number | null;
  readonly name: string;
  readonly code: number | null;
  readonly message: string;
  /** Of the transaction that it is about. */
  readonly signature: string;
}

/** Somebody with a key of their own. */
export interface Person {
  readonly key: Keypair;
  readonly file: string;
}

/** The command line as users have it: a process for each command, in a home of its own. */
export class CommandLine {
  private constructor(
    readonly folder: string,
    /** Where the chain is. */
    private readonly where: readonly string[],
  ) {}

  /** Beside a Solana CLI that says where the chain is, in its configuration; else on the validator that all tests share. */
  static async open(config?: {
    readonly url: string;
    readonly websocket: string;
  }): Promise<CommandLine> {
    const folder = await mkdtemp(join(tmpdir(), "securing-tasks-cli-"));
    if (!config) return new CommandLine(folder, ["--url", localnet().connection.rpcEndpoint]);
    const file = join(folder, "solana.yml");
    await writeFile(file, `json_rpc_url: ${config.url}\nwebsocket_url: ${config.websocket}\n`);
    return new CommandLine(folder, ["--config", file]);
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** Keeps a key as the Solana CLI does. Whole SOL. */
  async person(name: string, sol = 0n, key = Keypair.generate()): Promise<Person> {
    const file = join(this.folder, `${name}.json`);
    await writeFile(file, JSON.stringify([...key.secretKey]), { mode: 0o600 });
    if (sol > 0n) await localnet().fund(key.publicKey, sol * 1_000_000_000n);
    return { key, file };
  }

  /** A command's program and its arguments. */
  words(args: readonly string[], who: Person): [program: string, ...args: string[]] {
    return [process.execPath, BIN, ...args, ...this.where, "--keypair", who.file];
  }

  start(args: readonly string[], who: Person): ChildProcess {
    const [program, ...rest] = this.words(args, who);
    return this.spawn(program, rest);
  }

  /** Any program, where the command line's would be. Nothing of the machine's own settings shows. */
  spawn(program: string, args: readonly string[]): ChildProcess {
    const { PATH, TERM } = process.env;
    return spawn(program, args, { cwd: this.folder, env: { PATH, TERM, HOME: this.folder } });
  }

  run(args: readonly string[], who: Person): Promise<Ran> {
    return ended(this.start(args, who));
  }

  /** What a command prints for scripts. */
  async json<T>(args: readonly string[], who: Person): Promise<T> {
    const { code, stdout, stderr } = await this.run([...args, "--json"], who);
    expect(code, `${args.join(" ")}\n${stdout}${stderr}`).to.equal(0);
    expect(stderr).to.equal("");
    return JSON.parse(stdout) as T;
  }

  async failure(args: readonly string[], who: Person): Promise<Failed> {
    return failed(await this.run([...args, "--json"], who));
  }
}

/** Waits for the end of a process and gives all that it said. */
export async function ended(child: ChildProcess): Promise<Ran> {
  let [stdout, stderr] = ["", ""];
  child.stdin?.end();
  child.stdout?.on("data", (part: Buffer) => (stdout += part.toString()));
  child.stderr?.on("data", (part: Buffer) => (stderr += part.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr };
}

/** What a failed command says to scripts: one JSON document, and nothing of its own code. */
export function failed({ code, stdout, stderr }: Ran): Failed {
  expect(stdout).to.equal("");
  expect(stderr).not.to.match(/\n\s+at /);
  const { error } = JSON.parse(stderr) as { readonly error: Omit<Failed, "exit"> };
  return { ...error, exit: code };
}

/** A command that goes on until it is stopped: what it says, as it comes. */
export class Following {
  readonly lines: string[] = [];
  /** Its standard error. */
  words = "";
  private readonly waiting = new Set<() => void>();

  constructor(private readonly child: ChildProcess) {
    const wake = (): void => {
      for (const check of [...this.waiting]) check();
    };
    if (!child.stdout || !child.stderr) throw new Error("Its output goes elsewhere.");
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.lines.push(line);
      wake();
    });
    child.stderr.on("data", (part: Buffer) => {
      this.words += part.toString();
      wake();
    });
    child.once("close", wake);
  }

  /** Waits until something holds of what it has said. Rejects when it ends before. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const { exitCode, signalCode } = this.child;
        const over = exitCode !== null || signalCode !== null;
        if (!holds() && !over) return;
        this.waiting.delete(check);
        if (holds()) resolve();
        else reject(new Error(`It ended with ${exitCode ?? signalCode ?? ""}: ${this.words}`));
      };
      this.waiting.add(check);
      check();
    });
  }

  /** Waits for its end, and gives its exit code. */
  async end(): Promise<number | null> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once("close", resolve));
    }
    return child.exitCode;
  }

  stop(): void {
    this.child.kill();
  }
}
