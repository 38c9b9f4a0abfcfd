// Bundles templates into files that tasks can be bound to: ES modules without imports. The same sources give the same bytes.
//   node build.mjs                    all templates, into dist/bundles
//   node build.mjs OUT                all templates, into OUT
//   node build.mjs FOLDER OUT [JSON]  a template of your own: FOLDER holds audit.ts and work.ts, JSON is what they find in PARAMETERS
// Says which files changed, and nothing when all are fresh.
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const COMMON = {
  bundle: true,
  write: false,
  platform: "neutral",
  target: "es2020",
  charset: "utf8",
  legalComments: "inline",
  logLevel: "warning",
  absWorkingDir: HERE,
  // What a folder outside of this package imports is found too.
  nodePaths: [join(HERE, "node_modules"), join(HERE, "../../node_modules")],
  // Nothing but the sources has a say in the result.
  tsconfigRaw: {},
};

/** The parameters' definitions, which are TypeScript too. */
async function definitions() {
  const { outputFiles } = await build({
    ...COMMON,
    format: "esm",
    entryPoints: [join(HERE, "src/parameters.ts")],
  });
  const source = Buffer.from(outputFiles[0].contents).toString("base64");
  return import(`data:text/javascript;base64,${source}`);
}

async function bundle(folder, name, parameters) {
  const entryPoints = ["audit", "work"].map((kind) => join(folder, `${kind}.ts`));
  const result = await build({ ...COMMON, format: "esm", entryPoints, outdir: "/" });
  return result.outputFiles.map(({ path, text }) => {
    const kind = path.endsWith("audit.js") ? "audit" : "work";
    // Comments with the paths of sources would make the hash hang on where they lie.
    const body = text.replace(/^\/\/ (?:\.\.\/|\/)*[\w@./-]+\.[jt]s\n/gm, "");
    const head = `// The ${kind} function of ${name}. What its task's creator set:\nconst PARAMETERS = ${JSON.stringify(parameters)};\n`;
    return { file: `${kind}.js`, text: head + body };
  });
}

async function write(folder, files) {
  await mkdir(folder, { recursive: true });
  for (const { file, text } of files) {
    const path = join(folder, file);
    const old = await readFile(path, "utf8").catch(() => null);
    if (old === text) continue;
    await writeFile(path, text);
    console.log(`bundled ${path}`);
  }
}

const [first, second, json] = process.argv.slice(2);
if (second !== undefined) {
  const files = await bundle(resolve(first), "a task", JSON.parse(json ?? "null"));
  await write(resolve(second), files);
} else {
  const out = resolve(first ?? join(HERE, "dist/bundles"));
  const { TEMPLATES, defaultsOf } = await definitions();
  await Promise.all(
    TEMPLATES.map(async (name) => {
      const title = `the template ${name} of Securing Tasks`;
      const files = await bundle(join(HERE, "src", name), title, defaultsOf(name));
      await write(join(out, name), files);
    }),
  );
}
