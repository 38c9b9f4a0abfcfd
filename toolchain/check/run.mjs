// Runs the compiled check in LiteSVM on a few dozen inputs and compares with answers computed here by BigInt.
// Usage: node run.mjs PROGRAM.so
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(import.meta.url);
const { LiteSVM, FailedTransactionMetadata } = require("litesvm");
// The very kit that this litesvm uses.
const kit = createRequire(require.resolve("litesvm"))("@solana/kit");

const U64 = 1n << 64n;
const U128 = 1n << 128n;

const step = (hash, value) => {
  const product = ((hash ^ value) * 0x0100000001b3n) % U64;
  return ((product << 23n) | (product >> 41n)) % U64;
};

// What the program must return, field by field: [what it shows, bytes, value].
function expected([a, b, c, d, e, f, g, h]) {
  const checked = (product, limit) => (product < limit ? product : 0n);
  const wide = (a + (b << 64n)) * (c + (d << 64n));
  let frame = 0n;
  for (let i = 0n; i < 3920n / 8n; i++) frame += a + i;
  return [
    ["checked u64 multiplication: no overflow", 1, a * b < U64 ? 1n : 0n],
    ["checked u64 multiplication: product", 8, checked(a * b, U64)],
    ["u64 times u64 as u128", 16, a * b],
    ["wrapping u128 multiplication", 16, wide % U128],
    ["checked u128 multiplication: no overflow", 1, wide < U128 ? 1n : 0n],
    ["checked u128 multiplication: product", 16, checked(wide, U128)],
    ["u64 division", 8, b ? a / b : 0n],
    ["u64 remainder", 8, b ? a % b : 0n],
    ["call with six arguments", 8, [a, b, c, d, e, f].reduce(step, 1n)],
    ["call with seven arguments", 8, [a, b, c, d, e, f, g].reduce(step, 2n)],
    [
      "call with eight arguments into a full frame",
      8,
      [b, c, d, e, f, g, h].reduce(step, frame % U64),
    ],
  ];
}

function inputs() {
  const edges = [0n, 1n, 2n, 0xffffffffn, 0x100000000n, 0x100000001n, U64 / 2n, U64 - 1n];
  const all = edges.map((a, i) => edges.map((_, j) => (j === 0 ? a : edges[(i * 3 + j * 5) % 8])));
  // The two largest factors whose product still fits, and the first that does not.
  all.push([0xffffffffn, 0x100000001n, 5n, 0n, 1n, 2n, 3n, 4n]);
  all.push([0x100000000n, 0x100000000n, 5n, 0n, 1n, 2n, 3n, 4n]);
  // Anything else, the same in every run.
  let state = 0x9e3779b97f4a7c15n;
  const next = () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % U64;
    return state ^ (state >> 29n);
  };
  for (let i = 0n; i < 40n; i++)
    all.push(Array.from({ length: 8 }, (_, j) => next() >> ((i * BigInt(j + 1) * 3n) % 64n)));
  return all;
}

const program = (await kit.generateKeyPairSigner()).address;
const svm = new LiteSVM();
svm.addProgram(program, readFileSync(process.argv[2]));
const payer = await kit.generateKeyPairSigner();
svm.airdrop(payer.address, kit.lamports(1_000_000_000n));

async function run(input) {
  const data = new Uint8Array(64);
  input.forEach((value, i) => new DataView(data.buffer).setBigUint64(8 * i, value, true));
  const message = svm.setTransactionMessageLifetimeUsingLatestBlockhash(
    kit.appendTransactionMessageInstruction(
      { programAddress: program, data },
      kit.setTransactionMessageFeePayerSigner(payer, kit.createTransactionMessage({ version: 0 })),
    ),
  );
  const result = svm.sendTransaction(await kit.signTransactionMessageWithSigners(message));
  if (result instanceof FailedTransactionMetadata) {
    throw new Error(`the program failed: ${result.toString()}\n${result.meta().logs().join("\n")}`);
  }
  return { data: result.returnData().data(), units: result.computeUnitsConsumed() };
}

let wrong = 0;
let compared = 0;
const tried = inputs();
for (const input of tried) {
  const { data } = await run(input);
  let at = 0;
  for (const [what, bytes, value] of expected(input)) {
    let got = 0n;
    // Trailing zeros of return data are cut off.
    for (let i = bytes - 1; i >= 0; i--) got = (got << 8n) | BigInt(data[at + i] ?? 0);
    at += bytes;
    compared++;
    if (got !== value) {
      wrong++;
      console.error(
        `WRONG: ${what}, of ${input.join(", ")}: the program says ${got}, right is ${value}`,
      );
    }
  }
}
if (wrong > 0) {
  console.error(`${wrong} of ${compared} answers are wrong`);
  process.exit(1);
}
console.error(`${compared} answers of ${tried.length} runs are right`);
