import {
  DerivedSaltStore,
  deriveSaltKey,
  keypairSigner,
  saltOf,
  secretOf,
  voteAddress,
} from "@securing-tasks/client";
import { sample } from "@securing-tasks/node";
import { Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { build } from "esbuild";
import type { BuildResult } from "esbuild";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import type { Context } from "node:vm";
import { RpcServer, chainAnswers } from "../../../tests/utils/rpc_server";
import type * as Page from "./browser/page";
import { gather } from "./utils/crowd";

/** What a page has besides the language. */
const WEB = {
  ...{ AbortController, AbortSignal, Event, EventTarget, Headers, Request, Response, URL },
  ...{ URLSearchParams, TextDecoder, TextEncoder, atob, btoa, crypto, fetch, performance },
  ...{ clearInterval, clearTimeout, queueMicrotask, setInterval, setTimeout, structuredClone },
  // Those of this side, so that what it gives is of the same kind there.
  ...{ ArrayBuffer, BigInt64Array, BigUint64Array, DataView, Float32Array, Float64Array },
  ...{ Int8Array, Int16Array, Int32Array, Uint8Array, Uint8ClampedArray, Uint16Array, Uint32Array },
};
const NOTHING_OF_NODE = ["process", "require", "module", "Buffer", "global", "setImmediate"];

type Built = BuildResult<{ metafile: true; write: false }>;

function bundle(contents?: string): Promise<Built> {
  return build({
    ...(contents === undefined
      ? { entryPoints: [join(__dirname, "browser/page.ts")] }
      : { stdin: { contents, resolveDir: __dirname } }),
    bundle: true,
    write: false,
    metafile: true,
    platform: "browser",
    format: "iife",
    globalName: "page",
    target: "es2022",
    define: { global: "globalThis", "import.meta.url": '"https://page.test/"' },
    inject: [join(__dirname, "browser/buffer.ts")],
    logLevel: "silent",
  });
}

/** Modules of Node.js that something in the bundle imports, and that the bundler took from a package or left out. */
function builtins({ metafile }: Built): readonly string[] {
  const inputs = Object.values(metafile.inputs);
  const names = inputs.flatMap(({ imports }) => imports.map(({ original }) => original ?? ""));
  const bare = names.map((name) => name.replace(/^node:|\/$/g, ""));
  return [...new Set(bare)].filter((name) => builtinModules.includes(name));
}

/** A page, or a worker of one. */
function open(code: string): { readonly context: Context; readonly page: typeof Page } {
  const context = createContext({ ...WEB });
  runInContext("globalThis.self = globalThis", context);
  runInContext(code, context);
  return { context, page: runInContext("page", context) as typeof Page };
}

describe("core, client and the sandbox's engine in a browser", function () {
  this.timeout(60_000);
  let built: Built;
  let code: string;

  before(async () => {
    built = await bundle();
    code = built.outputFiles[0]?.text ?? "";
  });

  it("are bundled without anything of Node.js but a Buffer that they bring along", async () => {
    expect(builtins(built)).to.deep.equal(["buffer"]);
    expect(built.warnings.map(({ text }) => text)).to.deep.equal([]);
    // As it would be seen.
    for (const entry of ["@securing-tasks/node", "@securing-tasks/client/files", "node:crypto"]) {
      const failed = await bundle(`export * from "${entry}"`).then(
        () => null,
        (error: unknown) => error as { readonly errors: readonly { readonly text: string }[] },
      );
      expect(failed?.errors[0]?.text, entry).to.match(/^Could not resolve "/);
    }
    expect(builtins(await bundle('import "string_decoder"'))).to.include("string_decoder");
  });

  it("run where a page's own things are all there is", () => {
    const { context } = open(code);
    for (const name of NOTHING_OF_NODE) {
      expect(runInContext(`typeof ${name}`, context), name).to.equal("undefined");
    }
  });

  it("draw and derive what a daemon does", async () => {
    const { page } = open(code);
    const nodes = Array.from({ length: 40 }, () => Keypair.generate().publicKey.toBase58());
    for (const self of nodes) {
      const request = { nodes, self, submitters: nodes.slice(0, 25), samples: 3 };
      const seed = [...crypto.getRandomValues(new Uint8Array(32))];
      const own = sample({ ...request, seed: Uint8Array.from(seed) });
      expect([...page.drawn({ ...request, seed })]).to.deep.equal(own);
    }
    const operator = Keypair.generate();
    const [audit = "", voter = ""] = nodes;
    const key = await deriveSaltKey(keypairSigner(operator));
    const own = saltOf(key, new PublicKey(audit), new PublicKey(voter), "malice");
    expect(await page.salt([...operator.secretKey], audit, voter, "malice")).to.equal(
      Buffer.from(own).toString("hex"),
    );
  });

  it("look at a chain, judge in a thread of their own, and vote", async () => {
    const { chain, client, task, owner, operator } = await gather(2);
    const server = await RpcServer.start({ answer: chainAnswers(chain) });
    try {
      const path = require.resolve("@jitl/quickjs-wasmfile-release-sync/wasm");
      const wasm = await readFile(path);
      const { page } = open(code);
      const witness = new page.Witness({
        rpcUrl: server.url,
        task: task.toBase58(),
        owner: owner.toBase58(),
        operatorSecret: [...operator.secretKey],
        startWorker: (hear) => {
          const { page: thread, context } = open(code);
          const compile = runInContext("(bytes) => WebAssembly.compile(bytes)", context) as (
            bytes: Uint8Array,
          ) => Promise<object>;
          // As messages between threads are: copies, and later.
          const send = <T>(hear: (message: T) => void) => {
            return (message: T): void => {
              setTimeout(hear, 0, structuredClone(message));
            };
          };
          return send(thread.worker(compile(wasm), send(hear)));
        },
      });
      let { duties, wakeAt } = await witness.look();
      while (!duties.some(({ kind }) => kind === "judge")) {
        await chain.waitForSlot(wakeAt ?? 0n);
        ({ duties, wakeAt } = await witness.look());
      }
      const judge = duties.find((one) => one.kind === "judge");
      if (!judge) throw new Error("Nothing is to be judged.");
      const ran = await witness.judge(
        judge,
        `export async function audit(context) {
           const { submission, signatures, sha256, log, now } = context;
           log([submission.owner, (await signatures(submission.owner)).join(), Date.now() === now, typeof process].join(" "));
           log(globalThis.sha256("a text"));
           return Math.random() < 1 && submission.payloadHash === "02".repeat(32) ? "malicious" : "valid";
         }`,
      );
      expect(ran.ok && ran.value, JSON.stringify(ran)).to.equal("malicious");
      const accused = judge.submission.owner.toBase58();
      expect(ran.log[0]).to.equal(`${accused} one,two true undefined`);
      expect(ran.log[1]).to.equal(createHash("sha256").update("a text").digest("hex"));

      ({ duties } = await witness.look());
      const commit = duties.find(({ kind }) => kind === "commit");
      if (commit?.kind !== "commit") throw new Error("No vote is due.");
      expect(commit.audit.address.toBase58()).to.equal(judge.audit.address.toBase58());
      const address = new PublicKey(judge.audit.address.toBase58());
      expect((await witness.commit(commit)).status).to.equal("landed");
      const vote = await client.fetch("vote", voteAddress(address, owner));
      expect(vote.state).to.equal("committed");
      // The daemon's own salts open it.
      const salts = new DerivedSaltStore(await deriveSaltKey(keypairSigner(operator)));
      const opened = secretOf(vote.commitment, await salts.find(address, owner));
      expect(opened?.opinion).to.equal("malice");
    } finally {
      await server.close();
    }
  });
});
