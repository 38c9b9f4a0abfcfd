#!/bin/bash
# The linker as rustc calls it (found through PATH, by the name in sbpf-solana.json). Links, and refuses stack frames
# that are too big: a frame over its size would run, and write over the frame of its caller.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

symbols='' out='' previous=''
for argument; do
  case $previous in
    --export-symbols) symbols=$argument ;;
    -o | --output) out=$argument ;;
  esac
  previous=$argument
done

# A dependency that is a cdylib as well (solana-zk-sdk) has no entrypoint to link: leave it empty.
if [ -n "$symbols" ] && ! grep -qx entrypoint "$symbols"; then
  : >"$out"
  exit 0
fi

# At this log level the remarks of LLVM's prologepilog tell each function's frame, and its errors name the function.
lib=$toolchain/sid/root/usr/lib/x86_64-linux-gnu
status=0
LD_LIBRARY_PATH=$lib "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$toolchain/bin/sbpf-linker" "$toolchain/multi3.bc" "$@" \
  --llvm-args=-pass-remarks-analysis=prologepilog --log-level=debug >"$out.log" 2>&1 || status=$?

sed -n "s/.* \([0-9]*\) stack bytes in function '\(.*\)'.*/\1 \2/p" "$out.log" | sort -rn | "llvm-cxxfilt-$TOOLS_LLVM" >"$out.frames"
too_big=$(awk -v limit="$FRAME_LIMIT" '$1 > limit' "$out.frames")
if [ -n "$too_big" ]; then
  rm -f "$out"
  echo "stack frames over $FRAME_LIMIT bytes (bytes, function):" >&2
  echo "$too_big" >&2
  fail "a stack frame is too big" "Box what is large, or split the function, and mark the parts #[inline(never)]."
fi
if [ "$status" != 0 ]; then
  grep -vE '^ *(DEBUG|INFO|WARN|$)' "$out.log" >&2 || true
  fail "the linker failed (status $status)" "The whole log is in $out.log"
fi
# Without a line for each function nothing was checked.
grep -q . "$out.frames" || fail "the linker told no frame sizes" "Did its log change? See $out.log"
