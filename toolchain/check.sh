#!/bin/bash
# Tries the installed compiler: builds a tiny program the way the real one is built, runs it in LiteSVM, compares its
# answers with known ones, and sees that a frame that is too big fails the build. Passed once, it is not tried again until
# something it depends on changes.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

inputs=$(compiler_hash)-$FRAME_BYTES-$FRAME_LIMIT-$(hash_of toolchain/{check,cargo-sbpf,link-sbpf,rustc-sbpf}.sh toolchain/sbpf-solana.json \
  toolchain/check/{Cargo.toml,Cargo.lock,run.mjs,src/lib.rs})
if [ "$(cat "$toolchain/check.stamp" 2>/dev/null)" = "$inputs" ]; then
  say "the compiler passed its check before"
  exit 0
fi
rm -f "$toolchain/check.stamp"

[ -d "$project/node_modules/litesvm" ] || fail "the npm package litesvm is missing" "Run npm install in $project first."
manifest=$project/toolchain/check/Cargo.toml
# The project's target folder, so that std is compiled once for the check and the program.
out=$project/target

cd "$project/toolchain/check"
long "compile the check" "This program and the compiler are known to fit: does toolchain/ have changes?" \
  "$project/toolchain/cargo-sbpf.sh" "$out" --manifest-path "$manifest"
say "run the check in LiteSVM ..."
node run.mjs "$out/sbpf-solana/release/libtoolchain_check.so" ||
  fail "the check in LiteSVM did not pass" "Wrong answers mean a compiler that must not be used: look at the versions of rustc and LLVM (toolchain/versions.sh)."

# must_fail FEATURE MESSAGE: what would run and go wrong must not link.
must_fail() {
  local log=$toolchain/log/$1.log
  say "compile with the feature $1, which must fail ..."
  if "$project/toolchain/cargo-sbpf.sh" "$out" --manifest-path "$manifest" --features "$1" >"$log" 2>&1; then
    fail "the feature $1 passed the build, but the linker should refuse it" "Look at link-sbpf.sh and cargo-sbpf.sh: has the linker changed?"
  fi
  grep -q "$2" "$log" || fail "the build with the feature $1 failed for another reason" "See $log"
}
must_fail frame-too-big "a stack frame is too big"
must_fail u128-division "Symbol __udivti3 is missing"

echo "$inputs" >"$toolchain/check.stamp"
say "the check passed"
