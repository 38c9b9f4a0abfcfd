#!/bin/bash
# Builds the program to target/deploy/securing_tasks.so and refuses a result that cannot be right. With unchanged sources
# it takes a second.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$project"
long "build the program" "The compiler's message says what is wrong." \
  "$project/toolchain/cargo-sbpf.sh" "$project/target" --package securing-tasks --lib

out=$project/target/sbpf-solana/release
built=$out/libsecuring_tasks.so
[ -s "$built" ] || fail "the build left no program in $out" "Is the library of programs/securing-tasks a cdylib named securing_tasks?"

syscalls=$(node "$project/toolchain/syscalls.mjs" "$built") || fail "the program is not what it should be" "See above."
lists() { grep -qxF "$1" <<<"$syscalls"; }
for syscall in "${REQUIRED_SYSCALLS[@]}"; do
  lists "$syscall" || fail "the program does not call $syscall" \
    "Was a call lost while linking, or is it really not needed any more (REQUIRED_SYSCALLS in toolchain/versions.sh)?"
done
for syscall in "${REQUIRED_CLOCK_SYSCALLS[@]}" ''; do
  [ -n "$syscall" ] || fail "the program calls none of ${REQUIRED_CLOCK_SYSCALLS[*]}" "Without a clock it could not keep its windows."
  ! lists "$syscall" || break
done

size=$(stat -c %s "$built")
[ "$size" -le "$PROGRAM_SIZE_LIMIT" ] || fail "the program has $size bytes, over the limit of $PROGRAM_SIZE_LIMIT" \
  "See what grew; if it must be, raise PROGRAM_SIZE_LIMIT in toolchain/versions.sh."

mkdir -p target/deploy
cmp -s "$built" target/deploy/securing_tasks.so || cp "$built" target/deploy/securing_tasks.so
read -r bytes function <"$out/deps/libsecuring_tasks.so.frames"
say "target/deploy/securing_tasks.so: $size bytes of at most $PROGRAM_SIZE_LIMIT; largest stack frame $bytes of $FRAME_LIMIT bytes ($function)"
say "it calls $(paste -sd ' ' <<<"$syscalls")"
