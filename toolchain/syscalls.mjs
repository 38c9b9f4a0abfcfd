// Prints the names of the syscalls that a program calls, one a line: node syscalls.mjs PROGRAM.so
// An sBPF v3 file has no symbols: a syscall is the instruction 0x85 with source 0 and, as its number, the hash of the name.
import { readFileSync } from "node:fs";

const NAMES = `
  abort sol_panic_ sol_log_ sol_log_64_ sol_log_compute_units_ sol_log_pubkey sol_log_data
  sol_create_program_address sol_try_find_program_address sol_invoke_signed_c sol_invoke_signed_rust
  sol_sha256 sol_keccak256 sol_blake3 sol_poseidon sol_secp256k1_recover sol_big_mod_exp
  sol_curve_validate_point sol_curve_group_op sol_curve_multiscalar_mul sol_curve_pairing_map
  sol_alt_bn128_group_op sol_alt_bn128_compression
  sol_get_sysvar sol_get_clock_sysvar sol_get_rent_sysvar sol_get_epoch_schedule_sysvar sol_get_fees_sysvar
  sol_get_last_restart_slot sol_get_epoch_rewards_sysvar sol_get_epoch_stake
  sol_memcpy_ sol_memmove_ sol_memset_ sol_memcmp_
  sol_set_return_data sol_get_return_data sol_get_stack_height sol_get_processed_sibling_instruction
  sol_remaining_compute_units
`.match(/\S+/g);

/** MurmurHash3, 32 bits, seed 0. */
function murmur3(text) {
  const bytes = Buffer.from(text);
  const rotate = (x, n) => (x << n) | (x >>> (32 - n));
  const mix = (k) => Math.imul(rotate(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);
  let hash = 0;
  const whole = bytes.length - (bytes.length % 4);
  for (let i = 0; i < whole; i += 4) {
    hash = Math.imul(rotate(hash ^ mix(bytes.readInt32LE(i)), 13), 5) + 0xe6546b64;
  }
  if (whole < bytes.length) hash ^= mix(bytes.readUIntLE(whole, bytes.length - whole));
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const elf = readFileSync(process.argv[2]);
if (elf.readUInt32BE(0) !== 0x7f454c46 || elf.readUInt32LE(48) !== 3) {
  console.error(`${process.argv[2]} is not a program in sBPF v3`);
  process.exit(1);
}
const names = new Map(NAMES.map((name) => [murmur3(name), name]));
const found = new Set();
for (let i = 0; i < elf.readUInt16LE(56); i++) {
  const header = Number(elf.readBigUInt64LE(32)) + 56 * i;
  const executable = (elf.readUInt32LE(header + 4) & 1) === 1;
  if (!executable) continue;
  const start = Number(elf.readBigUInt64LE(header + 8));
  const end = start + Number(elf.readBigUInt64LE(header + 32));
  for (let at = start; at < end; at += 8) {
    // The second half of a 64-bit load has opcode 0, so it is never taken for a call.
    if (elf[at] !== 0x85 || elf[at + 1] >> 4 !== 0) continue;
    const hash = elf.readUInt32LE(at + 4);
    const name = names.get(hash);
    if (name === undefined) {
      console.error(
        `${process.argv[2]} calls 0x${hash.toString(16)}, which is no syscall known here`,
      );
      process.exit(1);
    }
    found.add(name);
  }
}
console.log([...found].sort().join("\n"));
