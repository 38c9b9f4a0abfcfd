import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Keypair } from "@solana/web3.js";
import { UsageError } from "../src/failures";
import { createKeypair, readAddress, readKeypair } from "../src/keys";
import { clusterOf, expand, explorerLink, readSettings } from "../src/solana-config";

describe("files of the Solana CLI", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "securing-tasks-cli-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const config = (text: string): string => {
    const path = join(folder, "config.yml");
    writeFileSync(path, text);
    return path;
  };

  /** As `solana config set` writes it. */
  const FULL = [
    "---",
    "json_rpc_url: https://api.devnet.solana.com",
    "websocket_url: ''",
    "keypair_path: /keys/mine.json",
    "address_labels:",
    "  '11111111111111111111111111111111': System Program",
    "commitment: finalized",
    "",
  ].join("\n");

  it("say chain, key and commitment", () => {
    expect(readSettings({ config: config(FULL) }, {})).to.deep.equal({
      rpcUrl: "https://api.devnet.solana.com",
      wsUrl: undefined,
      keypairPath: "/keys/mine.json",
      commitment: "finalized",
    });
  });

  it("give way to the environment, and both to flags", () => {
    const path = config(FULL);
    const env = { SOLANA_CONFIG: path, SECURING_TASKS_URL: "testnet", SECURING_TASKS_KEYPAIR: "e" };
    const fromEnv = readSettings({}, env);
    expect(fromEnv.rpcUrl).to.equal("https://api.testnet.solana.com");
    expect(fromEnv.keypairPath).to.equal("e");
    expect(fromEnv.commitment).to.equal("finalized");
    const flags = { url: "localhost", keypair: "~/f.json", commitment: "processed" };
    expect(readSettings(flags, env)).to.deep.equal({
      rpcUrl: "http://localhost:8899",
      wsUrl: undefined,
      keypairPath: join(homedir(), "f.json"),
      commitment: "processed",
    });
  });

  it("name a web socket for their own RPC server alone", () => {
    const path = config("json_rpc_url: http://a.example\nwebsocket_url: ws://a.example:9\n");
    expect(readSettings({ config: path }, {}).wsUrl).to.equal("ws://a.example:9");
    expect(readSettings({ config: path, url: "http://b.example" }, {}).wsUrl).to.equal(undefined);
  });

  it("may say nothing: then the Solana CLI's own defaults hold", () => {
    expect(readSettings({ config: config("---\n") }, {})).to.deep.equal({
      rpcUrl: "https://api.mainnet-beta.solana.com",
      wsUrl: undefined,
      keypairPath: join(homedir(), ".config/solana/id.json"),
      commitment: "confirmed",
    });
  });

  it("are refused by name where they can't be used", () => {
    const missing = join(folder, "none.yml");
    expect(() => readSettings({ config: missing }, {})).to.throw(UsageError, missing);
    expect(() => readSettings({}, { SOLANA_CONFIG: missing })).to.throw(UsageError, missing);
    for (const [text, reason] of [
      ["json_rpc_url: [", /is no YAML/],
      ["json_rpc_url: ftp://a.example", /"ftp:\/\/a\.example" is no chain/],
      ["commitment: max", /"max" is no commitment/],
      ["websocket_url: http://a.example", /websocket_url/],
    ] as const) {
      const path = config(text);
      expect(() => readSettings({ config: path }, {}), text).to.throw(UsageError, reason);
      expect(() => readSettings({ config: path }, {}), text).to.throw(UsageError, path);
    }
    expect(() => readSettings({ url: "devnett" }, {})).to.throw(
      UsageError,
      /"devnett" is no chain/,
    );
  });

  it("name a cluster by the host of its URL, and link what others can see", () => {
    const seen = (url: string): [string, string | null] => {
      const cluster = clusterOf(url);
      return [cluster, explorerLink(cluster, "SIG")];
    };
    const explorer = "https://explorer.solana.com/tx/SIG";
    expect(seen("https://api.devnet.solana.com")).to.deep.equal([
      "devnet",
      `${explorer}?cluster=devnet`,
    ]);
    expect(seen("https://solana-testnet.g.example.com/v2/key")).to.deep.equal([
      "testnet",
      `${explorer}?cluster=testnet`,
    ]);
    expect(seen("https://mainnet.rpc.example.com/?key=1")).to.deep.equal([
      "mainnet-beta",
      explorer,
    ]);
    for (const local of ["http://localhost:8899", "http://127.0.0.1:1", "http://[::1]:8899"]) {
      expect(seen(local)).to.deep.equal(["localhost", null]);
    }
    expect(seen("https://rpc.example.com/devnet")).to.deep.equal(["custom", null]);
  });

  it("hold keys that only their owner can read, and are never written over", () => {
    const path = join(folder, "deep/key.json");
    const made = createKeypair(path);
    expect(readKeypair(path, "key").publicKey.equals(made.publicKey)).to.equal(true);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(() => createKeypair(path)).to.throw(UsageError, /there already/);
    expect(readKeypair(path, "key").publicKey.equals(made.publicKey)).to.equal(true);
  });

  it("are no keys where they are broken, and what is in them is never shown", () => {
    const path = join(folder, "key.json");
    const secret = [...Keypair.generate().secretKey];
    for (const text of [JSON.stringify(secret.slice(1)), JSON.stringify(secret).slice(2), "{}"]) {
      writeFileSync(path, text);
      expect(() => readKeypair(path, "key"), text)
        .to.throw(UsageError)
        .with.property("message")
        .that.includes(path)
        .and.does.not.match(/\d, ?\d/);
    }
    expect(() => readKeypair(join(folder, "none.json"), "key")).to.throw(UsageError, "key create");
    expect(() => readKeypair("usb://ledger", "key")).to.throw(UsageError, /only keypair files/);
  });

  it("stand for an address as well as the address itself", () => {
    const path = join(folder, "key.json");
    const { publicKey } = createKeypair(path);
    expect(readAddress(path, "owner").equals(publicKey)).to.equal(true);
    expect(readAddress(publicKey.toBase58(), "owner").equals(publicKey)).to.equal(true);
    expect(() => readAddress("nobody", "owner")).to.throw(UsageError, '"nobody" is no owner');
  });

  it("may be in the home folder", () => {
    expect(expand("~/a")).to.equal(join(homedir(), "a"));
    expect(expand("/a/~")).to.equal("/a/~");
  });
});
