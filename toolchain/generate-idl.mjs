// Generates the IDL, its TypeScript type and docs/reference from the program, as `anchor idl build` and `anchor build` do: tests that Anchor's
// macros add print the pieces, this puts them together. With --check it writes nothing and fails if the committed files differ.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { reference } from "./reference.mjs";

const require = createRequire(import.meta.url);
// The conversion that the client applies at run time; the type must agree with it.
const { convertIdlToCamelCase } = require("@coral-xyz/anchor/dist/cjs/idl.js");

const project = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(project, "app/client/src/idl");
const pages = join(project, "docs/reference");
const say = (text) => console.error(`[generate-idl] ${text}`);

/** Runs the printing tests; cargo tells its progress on stderr itself. */
function printed() {
  const args = [
    "test",
    "--ignore-rust-version",
    "--locked",
    "--package",
    "securing-tasks",
    "--lib",
  ];
  args.push(
    "--features",
    "idl-build",
    "__anchor_private_print_idl",
    "--",
    "--show-output",
    "--test-threads=1",
  );
  return new Promise((resolve, reject) => {
    const cargo = spawn("cargo", args, {
      cwd: project,
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        ANCHOR_IDL_BUILD_PROGRAM_PATH: join(project, "programs/securing-tasks"),
      },
    });
    let text = "";
    cargo.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    cargo.on("error", (error) =>
      reject(new Error(`cargo does not start (is Rust installed?): ${error.message}`)),
    );
    cargo.on("close", (code) => {
      if (code === 0) resolve(text);
      else reject(new Error(`cargo test failed (status ${code}); its output:\n${text}`));
    });
  });
}

/** All pieces of one kind, between their markers. */
function pieces(text, kind) {
  const pattern = new RegExp(
    `^--- IDL begin ${kind} ---\\n([\\s\\S]*?)\\n--- IDL end ${kind} ---$`,
    "gm",
  );
  return [...text.matchAll(pattern)].map((match) => match[1]);
}

const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Types are printed with their module's path; the name is enough where it is the only one. */
function withoutModulePaths(idl) {
  let json = JSON.stringify(idl);
  for (const [path, , name] of json.matchAll(/"(\w+::)+(\w+)"/g)) {
    const replaced = json.replaceAll(path, `"${name}"`);
    if (!new RegExp(`"(\\w+::)+${name}"`).test(replaced)) json = replaced;
  }
  return JSON.parse(json);
}

/** The order in which Anchor writes an object's fields; what is not here comes after, as it came. */
const ORDER =
  `kind code name docs writable signer optional address pda relations serialization repr generics
  discriminator`.match(/\S+/g);
/** Left out where they say nothing. */
const OPTIONAL = `docs writable signer optional pda relations serialization repr generics returns
  events errors types constants`.match(/\S+/g);

/** The pieces in the form that Anchor gives to the whole. */
function normal(value) {
  const isDefault = (v) =>
    v === false || v === null || v === "borsh" || (Array.isArray(v) && v.length === 0);
  const place = (key) => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length);
  if (Array.isArray(value)) return value.map(normal);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, v]) => !(OPTIONAL.includes(key) && isDefault(v)))
      .sort(([a], [b]) => place(a) - place(b))
      .map(([key, v]) => [key, normal(v)]),
  );
}

/** A wrong discriminator would let one account or instruction pass for another. */
function verify(idl) {
  for (const kind of ["accounts", "events", "instructions"]) {
    for (const a of idl[kind]) {
      if (a.discriminator.length === 0) throw new Error(`${kind}: ${a.name} has no discriminator`);
      for (const b of idl[kind]) {
        if (a !== b && b.discriminator.every((byte, i) => byte === a.discriminator[i])) {
          throw new Error(`${kind}: the discriminators of ${a.name} and ${b.name} are ambiguous`);
        }
      }
    }
  }
  for (const { name, discriminator } of idl.accounts) {
    if (discriminator.every((byte) => byte === 0))
      throw new Error(`accounts: the discriminator of ${name} is all zero`);
  }
  const defined = new Set(idl.types.map((type) => type.name));
  for (const [, name] of JSON.stringify(idl).matchAll(/"defined":\{"name":"([^"]+)"/g)) {
    if (!defined.has(name)) throw new Error(`the type ${name} is used and not described`);
  }
}

function assemble(text) {
  const [program] = pieces(text, "program");
  const [address] = pieces(text, "address");
  if (!program || !address)
    throw new Error("the program printed no IDL: does its feature idl-build still work?");
  const idl = JSON.parse(program);
  const events = pieces(text, "event").map((piece) => JSON.parse(piece));
  const types = new Map();
  for (const type of [...events.flatMap((event) => event.types), ...idl.types])
    types.set(type.name, type);

  const whole = withoutModulePaths({
    address: address.replace(/[^0-9A-Za-z]/g, ""),
    metadata: idl.metadata,
    instructions: idl.instructions.sort(byName),
    accounts: (idl.accounts ?? []).sort(byName),
    events: events.map(({ event }) => event).sort(byName),
    errors: pieces(text, "errors").flatMap((piece) => JSON.parse(piece)),
    types: [...types.values()],
    constants: pieces(text, "const")
      .map((piece) => JSON.parse(piece))
      .sort(byName),
  });
  whole.types.sort(byName);
  verify(whole);
  return normal(whole);
}

async function files(idl) {
  const json = JSON.stringify(idl, null, 2) + "\n";
  const type = JSON.stringify(convertIdlToCamelCase(idl), null, 2);
  const typescript = `// Generated from the program by \`npm run idl\`. Do not edit.

/**
 * The program's IDL with names in camelCase, as a type. It is not the IDL itself: that is \`securing_tasks.json\`.
 */
export type SecuringTasks = ${type};
`;
  const made = new Map([
    [join(folder, "securing_tasks.json"), json],
    [join(folder, "securing_tasks.ts"), typescript],
  ]);
  for (const [name, text] of reference(idl)) {
    made.set(join(pages, name), await format(text, { parser: "markdown" }));
  }
  return made;
}

const check = process.argv.includes("--check");
try {
  say(
    "ask the program for its IDL (the first time this compiles it for this machine, which takes minutes) ...",
  );
  const generated = await files(assemble(await printed()));
  let stale = 0;
  for (const [path, text] of generated) {
    const name = relative(project, path);
    let before;
    try {
      before = readFileSync(path, "utf8");
    } catch {
      before = undefined;
    }
    if (before === text) {
      say(`${name} is up to date`);
    } else if (check) {
      stale++;
      say(
        `ERROR: ${name} is ${before === undefined ? "missing" : "stale"}: run npm run idl and commit what it writes`,
      );
    } else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      say(`${name} is written`);
    }
  }
  process.exitCode = stale > 0 ? 1 : 0;
} catch (error) {
  say(`ERROR: ${error.message}`);
  process.exitCode = 1;
}
