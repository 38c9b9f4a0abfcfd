import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { loadFunction } from "@securing-tasks/sandbox";
import type { LoadOptions } from "@securing-tasks/sandbox";
import { Web } from "./utils";

const CODE = `export const audit = () => "valid"; // ä`;
const hash = createHash("sha256").update(CODE).digest();
const hex = hash.toString("hex");

async function refusal(uri: string, options: LoadOptions = {}, wanted = hash): Promise<string> {
  try {
    await loadFunction({ hash: wanted, uri }, options);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it was loaded");
}

describe("a task's function", () => {
  let folder: string;
  let web: Web;
  let served = CODE;
  let requests = 0;

  before(async () => {
    web = await Web.serve((request, response) => {
      requests++;
      response.statusCode = request.url === "/f.js" || request.url === `/${hex}` ? 200 : 404;
      response.end(served);
    });
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "securing-tasks-load-"));
    [served, requests] = [CODE, 0];
  });
  afterEach(() => rm(folder, { recursive: true }));
  after(() => web.close());

  it("comes from a file, a server or a gateway, when its hash is the task's", async () => {
    const path = join(folder, "f.js");
    await writeFile(path, CODE);
    for (const [uri, options] of [
      [pathToFileURL(path).href, {}],
      [`${web.url}/f.js`, { allowPrivateNetwork: true }],
      [`${web.url}/gone`, { allowPrivateNetwork: true, gateways: [web.url] }],
      ["ipfs://whatever", { gateways: [`${web.url}/nowhere`, `${web.url}/`] }],
      ["", { gateways: [web.url] }],
    ] as const) {
      expect((await loadFunction({ hash, uri }, options)).code, uri).to.equal(CODE);
    }
  });

  it("is refused otherwise, and told why for each place", async () => {
    served = "something else";
    const found = createHash("sha256").update(served).digest("hex");
    const message = await refusal(`${web.url}/f.js`, {
      allowPrivateNetwork: true,
      gateways: [`${web.url}/nowhere`],
    });
    expect(message).to.contain(hex).and.contain(found).and.contain(`${web.url}/f.js`);
    expect(message).to.contain("status 404").and.contain("gateway");
  });

  it("is not asked of a private address that the task's creator named (SSRF)", async () => {
    expect(await refusal(`${web.url}/f.js`)).to.contain("private address");
    expect(requests).to.equal(0);
  });

  it("shows nothing of a file of this machine that a task's URI names", async () => {
    await writeFile(join(folder, "secret"), "my secret");
    await mkdir(join(folder, "folder"));
    const uri = (name: string): string => pathToFileURL(join(folder, name)).href;
    expect(await refusal(uri("secret"))).not.to.contain("my secret");
    expect(await refusal(uri("folder"))).to.contain("no plain file");
    expect(await refusal("file:///dev/zero")).to.contain("no plain file");
    expect(await refusal(uri("secret"), { maxBytes: 5 })).to.contain("more than 5 bytes");
  });

  it("is no larger than allowed, does not take longer, and is text", async () => {
    served = "x".repeat(2_000);
    const options = { allowPrivateNetwork: true, maxBytes: 1_000 };
    expect(await refusal(`${web.url}/f.js`, options)).to.contain("over 1000 bytes");
    const hung = await Web.serve(() => undefined);
    const slow = await refusal(hung.url, { allowPrivateNetwork: true, timeoutMs: 100 });
    await hung.close();
    expect(slow).to.contain("100 ms");
    const path = join(folder, "binary");
    await writeFile(path, Buffer.from([255, 254]));
    const binary = createHash("sha256")
      .update(Buffer.from([255, 254]))
      .digest();
    expect(await refusal(pathToFileURL(path).href, {}, binary)).to.contain("no UTF-8 text");
  });

  it("is kept in the cache, whole or not at all, and checked when it is taken from there", async () => {
    const cache = join(folder, "a", "cache");
    const load = () =>
      loadFunction({ hash, uri: `${web.url}/f.js` }, { allowPrivateNetwork: true, cache });
    await Promise.all([load(), load(), load()]);
    expect(await readdir(cache)).to.deep.equal([`${hex}.js`]);
    const asked = requests;
    expect((await load()).code).to.equal(CODE);
    expect(requests).to.equal(asked);

    await writeFile(join(cache, `${hex}.js`), CODE.slice(5));
    expect((await load()).code).to.equal(CODE);
    expect(requests).to.equal(asked + 1);
    expect(await readFile(join(cache, `${hex}.js`), "utf8")).to.equal(CODE);
  });

  it("is there all the same where the cache can't be written, and that is told", async () => {
    const cache = join(folder, "file", "cache");
    await writeFile(join(folder, "file"), "in the way of the folder");
    const told: string[] = [];
    const options = { allowPrivateNetwork: true, cache };
    const onTrouble = (message: string): void => void told.push(message);
    const loaded = await loadFunction({ hash, uri: `${web.url}/f.js` }, { ...options, onTrouble });
    expect(loaded.code).to.equal(CODE);
    expect(told.join()).to.match(/^The cache .* can't be written: .*ENOTDIR/);
  });
});
