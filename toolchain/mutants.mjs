// Tries that the tests can fail: takes each check of the program away, moves each edge by one, leaves each step out, and runs the
// tests. All mutants are in one program, built once; a number in its data says which one is live.
//
//   npm run mutants                  every mutant
//   npm run mutants -- --list        say which there are
//   npm run mutants -- 12 40 vote    these numbers, or those whose place contains the word
//   npm run mutants -- --test model  by these test files alone; more of them with commas
//
// Works on a copy of the sources in target/mutants and changes nothing else.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const work = join(project, "target", "mutants");
const source = join(work, "programs", "securing-tasks", "src");

// The switch is found in the program by these three numbers.
const MARK = [0x5eedface, 0xdead10cc, 0x0ddba11e];
const SWITCH = `
/// Which mutant is live; 0 is none.
#[no_mangle]
pub static MUTANT: [u32; 4] = [${MARK.map((n) => `0x${n.toString(16)}`).join(", ")}, 0];
#[inline(never)]
pub fn mutant(number: u32) -> bool {
    unsafe { core::ptr::read_volatile(&MUTANT[3]) == number }
}
`;

const mutants = [];
/** Notes a mutant and answers the switch that makes it live. */
function live(place, what) {
  mutants.push({ place, what: what.replace(/\s+/g, " ").trim() });
  return `crate::mutant(${mutants.length})`;
}

/** End of the bracket that opens at `start`. */
function closing(text, start) {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if ("([{".includes(text[at])) depth++;
    if (")]}".includes(text[at]) && --depth === 0) return at;
  }
  throw new Error("a bracket is not closed");
}

/** Parts of `text` between the separators that stand in no bracket. */
function split(text, separators) {
  const parts = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if ("([{".includes(text[at])) depth++;
    if (")]}".includes(text[at])) depth--;
    const hit = depth === 0 && separators.find((separator) => text.startsWith(separator, at));
    if (hit) {
      parts.push(text.slice(from, at), hit);
      at += hit.length - 1;
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

const EDGES = { " >= ": " > ", " > ": " >= ", " <= ": " < ", " < ": " <= " };

/** A comparison with its edge moved. */
function moveEdge(part, place) {
  const sides = split(part, Object.keys(EDGES));
  if (sides.length !== 3 || part.includes("if ") || part.includes("|")) return part;
  const [left, operator, right] = sides;
  const edge = EDGES[operator];
  const on = live(place, `${part} -> ${edge.trim()}`);
  return ` (if ${on} { ${left}${edge}${right} } else { ${left}${operator}${right} }) `;
}

/** A condition with its edges moved, and with `taken` (what it is without the check) as another mutant. */
function condition(text, place, taken) {
  const joined = split(text, [" && ", " || "]);
  const moved = joined.map((part) => moveEdge(part, place)).join("");
  if (taken === undefined) return moved;
  return `${live(place, `without ${text}`)} || (${moved})`;
}

/** Parts of a condition left out, one at a time: of several that must hold, or of several of which one is enough. */
function leftOut(text, place) {
  const parts = split(text, [" && ", " || "]);
  const kinds = new Set(parts.filter((_, index) => index % 2 === 1));
  if (kinds.size !== 1) return text;
  return parts
    .map((part, index) => {
      if (index % 2 === 1) return part;
      const on = live(place, `without ${part} of ${text}`);
      const moved = moveEdge(part, place);
      return kinds.has(" && ") ? `(${on} || ${moved})` : `(!${on} && (${moved}))`;
    })
    .join("");
}

/** What a function answers that says yes or no: its last expression. Parts of it left out; where it is only one, always or never. */
function answers(code, place) {
  let from = 0;
  for (;;) {
    const at = code.indexOf("-> bool {\n", from);
    if (at < 0) return code;
    const end = closing(code, at + 8);
    const start = code.lastIndexOf(";\n", end) > at ? code.lastIndexOf(";\n", end) + 2 : at + 10;
    const last = code.slice(start, end);
    from = end;
    // A block, a closure or a comment stays as it is.
    if (/[{}]|(?<!\|)\|(?!\|)|\/\/|mutant/.test(last)) continue;
    const text = last.replace(/\s+/g, " ").trim();
    let changed = leftOut(text, place);
    if (changed === text)
      changed = `${live(place, `always ${text}`)} || (!${live(place, `never ${text}`)} && (${text}))`;
    code = `${code.slice(0, start)}${changed}\n${code.slice(end)}`;
    from = start + changed.length;
  }
}

function mutate(text, place) {
  const inTests = text.indexOf("#[cfg(test)]");
  const tail = inTests < 0 ? "" : text.slice(inTests);
  let code = inTests < 0 ? text : text.slice(0, inTests);

  // Checks.
  let from = 0;
  for (;;) {
    const at = code.indexOf("require!(", from);
    if (at < 0) break;
    const end = closing(code, at + 8);
    const [check, , ...rest] = split(code.slice(at + 9, end), [","]);
    const changed = `require!(${condition(check, place, true)}, ${rest.join("")})`;
    code = code.slice(0, at) + changed + code.slice(end + 1);
    from = at + changed.length;
  }
  // Relations between accounts. An address is a constraint whose field stands below.
  code = code.replace(
    /constraint = ([^@]*?) @/g,
    (_, check) => `constraint = (${live(place, `without ${check}`)} || ${check}) @`,
  );
  code = code.replace(
    /address = ([^@\n]*?) @ (TaskError::\w+)([^]*?pub (\w+):)/g,
    (_, address, error, rest, field) =>
      `constraint = (${live(place, `without ${field} = ${address}`)} || *${field}.address() == ${address}) @ ${error}${rest}`,
  );
  code = answers(code, place);
  // Parts of what decides an appeal and a draw.
  code = code.replace(/^( *if )(outcome == [^{\n]* && [^{\n]*) \{$/gm, (_, start, check) => {
    return `${start}${leftOut(check, place)} {`;
  });
  // Edges of branches.
  code = code.replace(/^( *(?:\} else )?if )([^{\n]*) \{$/gm, (line, start, check) =>
    /\blet\b|mutant/.test(check) ? line : `${start}${condition(check, place)} {`,
  );
  // What an appeal, a draw or an accusation keeps.
  code = code.replace(/^( +)((?:self|audit|vote)\.[a-z_]+ = [^;\n]*;)$/gm, (line, indent, step) =>
    step.includes("mutant") ||
    !["audit", "cast_vote", "open_audit"].includes(basename(place, ".rs"))
      ? line
      : `${indent}if !${live(place, `without ${step}`)} { ${step} }`,
  );
  // Steps: statements of one line that can fail, and counters. Invariants are a second net: the tests' harness holds them too.
  code = code.replace(
    /^( +)((?:self|node|task|audit|appellant)\.[^\n=]*\)\?;)$/gm,
    (line, indent, step) =>
      step.includes("invariant") || step.includes("mutant")
        ? line
        : `${indent}if !${live(place, `without ${step}`)} { ${step} }`,
  );
  code = code.replace(/^( +)(count\(&mut [^\n]*\)\?;)$/gm, (_, indent, step) => {
    return `${indent}if !${live(place, `without ${step}`)} { ${step} }`;
  });
  return code + tail;
}

function prepare() {
  rmSync(join(work, "programs"), { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const part of ["Cargo.toml", "Cargo.lock", "programs"]) {
    cpSync(join(project, part), join(work, part), { recursive: true });
  }
  for (const file of readdirSync(source, { recursive: true, encoding: "utf8" }).sort()) {
    if (!file.endsWith(".rs") || ["error.rs", "events.rs", "constants.rs"].includes(file)) continue;
    const path = join(source, file);
    let text = readFileSync(path, "utf8");
    if (file === "lib.rs") {
      text = text.replace(/^declare_id!/m, `${SWITCH}\ndeclare_id!`).replace("deny(", "allow(");
    } else {
      text = mutate(text, file);
    }
    writeFileSync(path, text);
  }
}

/** Test binaries by name, the slow random ones last. */
function testBinaries() {
  const cargo = ["test", "--no-run", "--ignore-rust-version", "--locked", "--message-format=json"];
  for (const name of tests) cargo.push("--test", name);
  const output = execFileSync("cargo", cargo, {
    cwd: project,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const slow = ["conservation", "model"];
  return output
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .filter((message) => message.executable && message.target.kind.includes("test"))
    .map((message) => ({ name: message.target.name, path: message.executable }))
    .sort((a, b) => slow.includes(a.name) - slow.includes(b.name) || a.name.localeCompare(b.name));
}

/** Names of the tests that fail. */
async function failures(binary, program) {
  const run = spawn(binary.path, [], {
    cwd: join(project, "programs", "securing-tasks"),
    env: { ...process.env, SECURING_TASKS_PROGRAM: program, RUST_BACKTRACE: "0" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  for await (const part of run.stdout) output += part;
  if (!/^test result/m.test(output)) throw new Error(`${binary.name} did not run to its end`);
  return [...output.matchAll(/^test (\S+) \.\.\. FAILED/gm)].map((match) => match[1]);
}

/** The tests that should notice first. */
function order(binaries, place) {
  const name = basename(place, ".rs");
  const near = {
    audit: ["resolve_audit", "claim_vote", "cast_vote", "draw_panel", "appeal_audit"],
    node: ["say", "withdraw", "request_leave", "open_audit"],
    panel: ["draw_panel", "cast_vote"],
    slot_hashes: ["draw_panel"],
    task: ["create_task", "submit_work"],
    round: ["claim_bounty", "close_accounts"],
    gate: ["gates"],
    vote: ["reveal_vote", "claim_vote"],
    submission: ["open_audit", "claim_bounty"],
    majority: ["resolve_audit"],
    ratio: ["resolve_audit"],
    slash: ["resolve_audit"],
    resume_task: ["pause_task"],
    tokens: ["mints"],
  };
  const first = [
    name,
    ...(near[name] ?? []),
    ...(name.startsWith("close_") ? ["close_accounts"] : []),
  ];
  const rank = (binary) =>
    first.includes(binary.name) ? first.indexOf(binary.name) : first.length;
  return binaries.toSorted((a, b) => rank(a) - rank(b));
}

const words = process.argv.slice(2).filter((word) => word !== "--list");
const only = words.indexOf("--test");
/** Names of the test files; none: all. */
const tests = only < 0 ? [] : words.splice(only, 2)[1].split(",");
const wanted = words;
prepare();
const chosen = mutants
  .map((mutant, index) => ({ ...mutant, number: index + 1 }))
  .filter(
    ({ number, place }) =>
      wanted.length === 0 || wanted.some((word) => word === String(number) || place.includes(word)),
  );
if (process.argv.includes("--list")) {
  for (const { number, place, what } of chosen) console.log(`${number} ${place}: ${what}`);
  process.exit(0);
}

console.log(`${mutants.length} mutants; building the program that holds them all ...`);
// Built where cargo finds the copy's manifest; the toolchain's flags are the same.
execFileSync(
  join(project, "toolchain", "cargo-sbpf.sh"),
  [
    join(work, "target"),
    "--package",
    "securing-tasks",
    "--lib",
    "--manifest-path",
    join(work, "Cargo.toml"),
  ],
  { stdio: ["ignore", "inherit", "inherit"] },
);
const built = readFileSync(join(work, "target", "sbpf-solana", "release", "libsecuring_tasks.so"));
const mark = Buffer.alloc(12);
MARK.forEach((number, index) => mark.writeUInt32LE(number, 4 * index));
const at = built.indexOf(mark) + mark.length;
if (at < mark.length) throw new Error("the program does not hold the mutants' switch");
/** The program with one mutant live, in a file of its own. */
const write = (number, worker) => {
  const program = join(work, `mutant-${worker}.so`);
  const bytes = Buffer.from(built);
  bytes.writeUInt32LE(number, at);
  writeFileSync(program, bytes);
  return program;
};

const binaries = testBinaries();
console.log("running every test without a mutant ...");
for (const binary of binaries) {
  const failed = await failures(binary, write(0, 0));
  if (failed.length > 0)
    throw new Error(`${binary.name} fails without a mutant: ${failed.join(", ")}`);
}

const survivors = [];
const waiting = [...chosen];
let done = 0;
async function workOff(worker) {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const program = write(mutant.number, worker);
    let killer;
    for (const binary of order(binaries, mutant.place)) {
      const failed = await failures(binary, program);
      if (failed.length > 0) {
        killer = `${binary.name}::${failed[0]}`;
        break;
      }
    }
    if (killer === undefined) survivors.push(mutant);
    const said = killer === undefined ? "SURVIVED" : `killed by ${killer}`;
    done += 1;
    console.log(
      `${done}/${chosen.length} ${mutant.number} ${mutant.place}: ${mutant.what} | ${said}`,
    );
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, (_, worker) => workOff(worker)));
console.log(`\n${chosen.length - survivors.length} killed, ${survivors.length} survived`);
for (const { number, place, what } of survivors) console.log(`  ${number} ${place}: ${what}`);
console.log(`Sources: ${relative(project, source)}`);
process.exit(survivors.length === 0 ? 0 : 1);
