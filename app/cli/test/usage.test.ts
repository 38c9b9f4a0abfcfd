import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

const BIN = join(__dirname, "../bin/securing-tasks.js");

/** What the built command line answers, where nothing can be reached. */
describe("the built command line", function () {
  this.timeout(180_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "securing-tasks-usage-"));
    const made = run("key", "create", join(folder, "id.json"));
    expect(made.status, made.stderr).to.equal(0);
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  function run(...args: readonly string[]): ReturnType<typeof spawnSync> & {
    readonly stdout: string;
    readonly stderr: string;
  } {
    return spawnSync(process.execPath, [BIN, ...args], {
      encoding: "utf8",
      env: environment(),
    });
  }

  /** Nothing of the machine's own settings, and a chain that nobody runs. */
  function environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env["PATH"],
      HOME: folder,
      SECURING_TASKS_URL: "http://127.0.0.1:9",
      SECURING_TASKS_KEYPAIR: join(folder, "id.json"),
    };
  }

  it("prints its version and help on standard output", () => {
    expect(run("--version")).to.include({ status: 0, stdout: "0.1.0\n", stderr: "" });
    const help = run("node", "join", "--help");
    expect(help).to.include({ status: 0, stderr: "" });
    expect(help.stdout)
      .to.match(/--role/)
      .and.match(/Global options:/)
      .and.match(/Examples:/);
  });

  it("refuses what it doesn't know with exit code 2 and a guess", () => {
    const unknown = run("task", "shwo");
    expect(unknown).to.include({ status: 2, stdout: "" });
    expect(unknown.stderr)
      .to.match(/unknown command 'shwo'/)
      .and.match(/Did you mean show\?/);
    expect(run("task", "show", "--jsom").stderr).to.match(/Did you mean --json\?/);
    expect(run("task")).to.include({ status: 2, stdout: "" });
  });

  it("names the flag that is missing where nobody can be asked", () => {
    const missing = run("task", "show", "--json");
    expect(missing).to.include({ status: 2, stdout: "" });
    expect(JSON.parse(missing.stderr)).to.have.nested.property("error.name", "UsageError");
    expect(missing.stderr).to.include("TASK is missing");
    for (const args of [
      ["audit", "check"],
      ["node", "run"],
    ]) {
      expect(run(...args), args.join(" ")).to.include({ status: 2, stdout: "" });
    }
  });

  it("takes global options before and behind a command's name, the nearer first", () => {
    const before = run("--url", "nowhere", "task", "show", "--json");
    expect(before.stderr).to.include('\\"nowhere\\" is no chain');
    const both = run("--url", "nowhere", "task", "show", "--url", "elsewhere");
    expect(both.stderr).to.include('"elsewhere" is no chain');
    expect(both.status).to.equal(2);
  });

  it("refuses wrong values of global options", () => {
    expect(run("key", "show", "--commitment", "maybe").status).to.equal(2);
    expect(run("key", "show", "--priority-fee", "-1").status).to.equal(2);
    const noKey = run("key", "show", "--keypair", join(folder, "none.json"));
    expect(noKey.status).to.equal(2);
    expect(noKey.stderr).to.include("securing-tasks key create");
  });

  it("tells a daemon's configuration that is wrong by line", () => {
    const config = join(folder, "node.yaml");
    writeFileSync(config, "rpcUrl: nonsense\n");
    const { status, stderr } = run("node", "run", "--config", config);
    expect(status).to.equal(2);
    expect(stderr).to.match(/node\.yaml:1:9: `rpcUrl`/);
  });

  it("ends with 3 where the chain can't be reached, without a stack trace", () => {
    const { status, stderr } = run("key", "show");
    expect(status).to.equal(3);
    expect(stderr)
      .to.include("The chain can't be reached")
      .and.not.match(/\n\s+at /);
    const traced = spawnSync(process.execPath, [BIN, "key", "show"], {
      encoding: "utf8",
      env: { ...environment(), DEBUG: "securing-tasks" },
    });
    expect(traced.stderr).to.match(/\n\s+at /);
  });
});
