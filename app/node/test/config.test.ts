import { ConfigError, checkNodeConfig, readNodeConfig } from "@securing-tasks/node";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const task = Keypair.generate().publicKey.toBase58();
const owner = Keypair.generate().publicKey.toBase58();

describe("a daemon's configuration", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "securing-tasks-config-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function write(...lines: readonly string[]): string {
    const file = join(folder, "node.yaml");
    writeFileSync(file, `${lines.join("\n")}\n`);
    return file;
  }

  function faults(file: string): readonly string[] {
    try {
      readNodeConfig(file);
    } catch (error) {
      if (error instanceof ConfigError) return error.message.split("\n");
      throw error;
    }
    throw new Error("It was taken.");
  }

  const witness = [
    "rpcUrl: http://127.0.0.1:8899",
    `task: ${task}`,
    `owner: ${owner}`,
    "role: witness",
    "operatorKeypair: keys/operator.json",
    "state: state",
  ];

  it("needs little of a witness, listens nowhere then, and takes paths as relative to the file", () => {
    const config = readNodeConfig(write(...witness));
    expect(config.task.toBase58()).to.equal(task);
    expect(config.owner.toBase58()).to.equal(owner);
    expect([config.http, config.metrics, config.join]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
    expect(config.operatorKeypair).to.equal(join(folder, "keys/operator.json"));
    expect(config.state).to.equal(join(folder, "state"));
    expect([config.samples, config.chores.resolve, config.chores.close]).to.deep.equal([
      1,
      true,
      true,
    ]);
    expect([config.onOtherInstance, config.quietSlots]).to.deep.equal(["wait", 1_500]);
  });

  it("is taken as JSON too, with amounts above what a JSON number holds", () => {
    const file = join(folder, "node.json");
    writeFileSync(
      file,
      JSON.stringify({
        rpcUrl: "http://127.0.0.1:8899",
        task,
        owner,
        role: "worker",
        operatorKeypair: "/keys/operator.json",
        state: "/var/lib/node",
        join: { ownerKeypair: "owner.json", stake: "18446744073709551615" },
        http: { port: 8080, publicUrl: "https://node.example" },
      }),
    );
    const config = readNodeConfig(file);
    expect(config.operatorKeypair).to.equal("/keys/operator.json");
    expect(config.join?.stake).to.equal(18_446_744_073_709_551_615n);
    expect(config.join?.ownerKeypair).to.equal(join(folder, "owner.json"));
    expect([config.http?.host, config.http?.checkSelf]).to.deep.equal(["0.0.0.0", true]);
  });

  it("names file, line and column of every fault, and what to do", () => {
    const file = write(
      "rpcUrl: localhost:8899",
      "task: not-an-address",
      `owner: ${owner}`,
      "role: judge",
      "operatorKeypair: operator.json",
      "sampels: 3",
      "http:",
      "  port: 99999",
      "  publicUrl: https://node.example",
      "  hots: 127.0.0.1",
      "gateways:",
      "  - https://good.example",
      "  - ftp://bad.example",
    );
    const found = faults(file);
    const at = (line: number, column: number): string =>
      found.find((fault) => fault.startsWith(`${file}:${line}:${column}: `)) ?? found.join("\n");
    expect(at(1, 9)).to.match(/`rpcUrl`: is no http:\/\/ or https:\/\/ URL/);
    expect(at(2, 7)).to.match(/`task`: is no address/);
    expect(at(4, 7)).to.match(/`role`.*"worker"\|"witness"/);
    expect(at(1, 1)).to.match(/`state` is missing. Add it./);
    expect(at(6, 1)).to.match(/`sampels` is no setting/);
    expect(at(8, 9)).to.match(/`http.port`.*65535/);
    expect(at(10, 3)).to.match(/`http.hots` is no setting/);
    expect(at(13, 5)).to.match(/`gateways.1`: is no http/);
    expect(found).to.have.length(8);
  });

  it("takes several servers, or one, and not both", () => {
    const rest = witness.slice(1);
    const [a, b] = ["https://a.example", "https://b.example"];
    const both = readNodeConfig(write(`rpcUrls: [${a}, ${b}]`, ...rest));
    expect([both.rpcUrl, both.rpcUrls]).to.deep.equal([a, [a, b]]);
    const one = readNodeConfig(write(...witness));
    expect(one.rpcUrls).to.deep.equal([one.rpcUrl]);
    expect(one.rpcLimits).to.deep.equal({ perSecond: 40, atOnce: 16 });
    const told = (...lines: readonly string[]): string => faults(write(...lines)).join("\n");
    expect(told(...rest)).to.match(/:1:1: `rpcUrl` is missing. Add it.$/);
    expect(told(...witness, `rpcUrls: [${b}]`)).to.match(/:1:1: `rpcUrl` and `rpcUrls`.* Keep one/);
    expect(told(`rpcUrls: [${a}, ${a}]`, ...rest)).to.match(
      /:1:10: `rpcUrls` names a server twice/,
    );
  });

  it("tells where YAML is broken, and what file is not there", () => {
    const file = write(...witness, "  secrets: [");
    expect(faults(file).join("\n")).to.match(new RegExp(`^${file}:\\d+:\\d+: `));
    expect(faults(join(folder, "nothing.yaml")).join("\n")).to.match(/there is no such file/);
  });

  it("refuses a worker that could not serve its payloads, and one whose payloads' URIs would be too long", () => {
    const worker = witness.map((line) => line.replace("witness", "worker"));
    expect(faults(write(...worker)).join("\n")).to.match(/:4:7: a worker serves its payloads/);
    const long = `http://${"a".repeat(60)}.example`;
    const file = write(...worker, "http:", "  port: 80", `  publicUrl: ${long}`);
    expect(faults(file).join("\n")).to.match(/:9:14: `http.publicUrl` is longer than/);
  });

  it("refuses an address that no stranger could get a payload from", () => {
    const worker = witness.map((line) => line.replace("witness", "worker"));
    const fault = (url: string, ...more: readonly string[]): string => {
      const lines = [
        ...worker,
        ...more,
        "http:",
        "  port: 80",
        `  publicUrl: ${JSON.stringify(url)}`,
      ];
      try {
        return readNodeConfig(write(...lines)).http?.publicUrl ?? "";
      } catch (error) {
        return (error as Error).message;
      }
    };
    const taken = [
      "https://node.example",
      "http://node.example:8080/a/b",
      "http://8.8.8.8",
      "http://[2606:4700::1111]",
    ];
    for (const url of taken) {
      expect(fault(url)).to.equal(url);
      expect(fault(`${url}//`)).to.equal(url);
    }
    const local = [
      ...[
        "http://localhost:8080",
        "http://a.localhost",
        "http://node",
        "http://node.local",
        "http://a.internal",
        "http://localhost.",
      ],
      ...[
        "http://127.0.0.1",
        "http://10.1.2.3",
        "http://192.168.0.1",
        "http://169.254.169.254",
        "http://100.64.0.1",
        "http://0.0.0.0",
      ],
      ...["http://[::1]", "http://[fd00::1]", "http://[fe80::1]", "http://[::ffff:7f00:1]"],
    ];
    for (const url of local) {
      expect(fault(url), url).to.match(
        /:9:14: `http.publicUrl` is of this machine or its own network/,
      );
      const plain = new URL(url).href.replace(/\/+$/, "");
      expect(fault(plain, "allowPrivateNetwork: true")).to.equal(plain);
    }
    for (const url of [
      "https://node.example/?a=b",
      "https://node.example/#a",
      "https://node.example/a?",
    ]) {
      expect(fault(url, "allowPrivateNetwork: true"), url).to.match(/has a `\?` or `#`/);
    }
    expect(fault("https://me:secret@node.example")).to.match(/has a user name or password/);
    for (const url of [
      "https://node.example/a b",
      " https://node.example",
      "http://2130706433",
      "HTTP://node.example",
      "http://node.example:80",
    ]) {
      expect(fault(url), url).to.match(/is not written as it will be read. Write `https?:/);
    }
  });

  it("names a sponsor with its bounds, and nobody else pays unless it says so", () => {
    const sponsor = ["sponsor:", "  url: https://me:pw@pay.example/rpc"];
    expect(readNodeConfig(write(...witness)).sponsor).to.equal(undefined);
    expect(readNodeConfig(write(...witness, ...sponsor)).sponsor).to.deep.equal({
      url: "https://me:pw@pay.example/rpc",
      perSecond: 5,
      timeoutMs: 10_000,
      fallback: "none",
    });
    const wrong = [
      "sponsor:",
      "  url: pay.example",
      "  address: nobody",
      '  apiKey: "a b"',
      '  hmacSecret: ""',
      "  perSecond: 0",
      "  maxPerDay: 0",
      "  timeoutMs: 1",
      "  fallback: owner",
      "  key: a",
    ];
    const found = faults(write(...witness, ...wrong)).map((fault) => fault.split(": ")[1]);
    const names = ["url", "address", "apiKey", "hmacSecret", "perSecond", "maxPerDay", "timeoutMs"];
    expect(found).to.have.members([
      ...[...names, "fallback"].map((name) => `\`sponsor.${name}\``),
      "`sponsor.key` is no setting. Remove it, or check how it is spelt.",
    ]);
  });

  it("refuses a keeper whom nobody could reach, one for nobody, and votes that are told early to whoever listens", () => {
    const fault = (...lines: string[]): string => {
      const [first = ""] = faults(write(...witness, ...lines));
      return first;
    };
    expect(fault("keeper:", "  for: any")).to.match(/:7:1: others hand .* `http`/);
    const http = "http: { port: 1, publicUrl: https://node.example }";
    expect(fault(http, "keeper:", "  for: []")).to.match(/:9:8: `keeper.for`: names nobody/);
    expect(fault(http, "keeper:", "  for: everybody")).to.match(/is neither `any` nor/);
    const early = ["keepersEarly: true", "keepers:", "  - https://a.example"];
    expect(fault(...early, "  - http://b.example")).to.match(/:10:5: with `keepersEarly`/);
    const config = readNodeConfig(
      write(...witness, http, ...early, "keeper:", `  for: [${owner}]`),
    );
    expect(config.keeper).to.deep.equal({ for: [owner], max: 256, maxPerDay: 100 });
    expect([config.keepersEarly, config.keepers]).to.deep.equal([true, ["https://a.example"]]);
    const plain = readNodeConfig(write(...witness, "keepers: [http://b.example]"));
    expect([plain.keepersEarly, plain.keeper]).to.deep.equal([false, undefined]);
  });

  it("has a profile, which sets how much is read where nothing else does", () => {
    const read = (...lines: string[]): readonly unknown[] => {
      const { profile, pollMs, sampleEvery, wsUrl } = readNodeConfig(write(...witness, ...lines));
      return [profile, pollMs, sampleEvery, wsUrl];
    };
    expect(read()).to.deep.equal(["full", 5_000, 1, undefined]);
    expect(read("profile: light")).to.deep.equal(["light", 600_000, 8, undefined]);
    const own = ["profile: light", "pollMs: 70", "sampleEvery: 2", "wsUrl: none"];
    expect(read(...own)).to.deep.equal(["light", 70, 2, "none"]);
    expect(faults(write(...witness, "wsUrl: http://a.example"))[0]).to.match(/`wsUrl`: is neither/);
    expect(faults(write(...witness, "profile: tiny"))[0]).to.match(/`profile`/);
  });

  it("is checked the same when a program makes it", () => {
    const input = {
      rpcUrl: "http://127.0.0.1:8899",
      task,
      owner,
      role: "witness" as const,
      operatorKeypair: "a",
      state: "b",
    };
    expect(checkNodeConfig(input, "/folder").state).to.equal("/folder/b");
    expect(() => checkNodeConfig({ ...input, pollMs: 1 })).to.throw(ConfigError, /`pollMs`/);
  });
});
