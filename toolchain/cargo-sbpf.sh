#!/bin/bash
# cargo build for Solana: cargo-sbpf.sh TARGET-FOLDER [cargo's arguments]. The .so lies in TARGET-FOLDER/sbpf-solana/release.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
target=$(realpath -m "$1")
shift

[ -x "$toolchain/bin/sbpf-linker" ] && [ -f "$toolchain/multi3.bc" ] && [ -d "$toolchain/sysroot" ] ||
  fail "the compiler is not installed in $toolchain" "Run toolchain/compiler.sh."

# Cargo notices a changed source, not a changed linker or std.
inputs=$(compiler_hash)-$FRAME_BYTES-$FRAME_LIMIT-$(hash_of toolchain/{cargo-sbpf.sh,link-sbpf.sh,rustc-sbpf.sh,sbpf-solana.json})
if [ "$(cat "$target/sbpf-solana/toolchain.stamp" 2>/dev/null)" != "$inputs" ]; then
  rm -rf "$target/sbpf-solana"
  mkdir -p "$target/sbpf-solana"
  echo "$inputs" >"$target/sbpf-solana/toolchain.stamp"
fi

flags=(
  # Syscalls by hash. Declared as extern "C" they lose their arguments in the linker, and nothing tells.
  -Aexplicit_builtin_cfgs_in_flags --cfg 'target_feature="static-syscalls"'
  # A panic is a trap. Its message would need formatting, and most of the size.
  -Zunstable-options -Cpanic=immediate-abort
  -Ctarget-cpu=v4 -Crelocation-model=static -Ctarget-feature=+allows-misaligned-mem-access
  # sBPF v3: the frames of v0 differ between LiteSVM and the validator.
  -Clink-arg=--arch=v3 "-Clink-arg=--llvm-args=-bpf-stack-size=$FRAME_BYTES"
  -Clink-arg=--export=__multi3,memcmp,memset,memcpy,memmove,bcmp -Clink-arg=--llvm-args=--bpf-max-stores-per-memfunc=5
  # Instructions that the newest BPF has and sBPF has not.
  -Clink-arg=--llvm-args=--disable-gotox -Clink-arg=--llvm-args=--disable-ldsx -Clink-arg=--llvm-args=--disable-movsx
  -Clink-arg=--llvm-args=--disable-bswap
  # Without these, u128 division and floats fail to link. With them, they would link and be wrong: LLVM calls them as it
  # calls __multi3 (see multi3.ll), and nobody wrote them anew.
  -Clink-arg=--disable-math-builtins
  # The linker's own copy of the result would go by a fixed name into the current folder.
  -Clink-arg=--deploy=false
)
CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}")
export CARGO_ENCODED_RUSTFLAGS
export PATH=$project/toolchain:$PATH RUSTC=$project/toolchain/rustc-sbpf.sh
# A distributed rustc takes -Z options only with this. The synthetic target is the one described by the file.
export RUSTC_BOOTSTRAP=1 RUSTC_BOOTSTRAP_SYNTHETIC_TARGET=1
# Debian's cargo by its path: the PATH may have another one first, of another version.
exec /usr/bin/cargo build --release --locked --target "$project/toolchain/sbpf-solana.json" --target-dir "$target" \
  -Zjson-target-spec -Zbuild-std=core,alloc,std,panic_abort -Zbuild-std-features=compiler-builtins-mem "$@"
