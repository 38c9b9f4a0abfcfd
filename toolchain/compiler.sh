#!/bin/bash
# Installs what compiles programs to Solana bytecode into .toolchain (or $SECURING_TASKS_TOOLCHAIN), from package
# registries alone, and tries it out. A second run finds everything in place and does nothing.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
started=$SECONDS

need_platform

rust_packages=(rustc-web cargo-web rust-web-src)
build_packages=("llvm-$TOOLS_LLVM" gcc libc6-dev ca-certificates)

install_debian() {
  need_packages "${rust_packages[@]}" "${build_packages[@]}"
  local version
  version=$(/usr/bin/rustc --version)
  case $version in
    "rustc $RUST_VERSION."*) ;;
    *) fail "Debian's rustc is \"$version\", wanted is $RUST_VERSION" \
      "Set RUST_VERSION in toolchain/versions.sh to what Debian has, and run this again: the check at the end decides." ;;
  esac
}

# LLVM 23, because the BPF of LLVM 22 has no arguments on the stack: a call with six would not compile. With the libc it
# was built for, unpacked beside the system and never installed into it.
sid=$toolchain/sid
llvm_packages=("libllvm$LINK_LLVM" "llvm-$LINK_LLVM-dev" "llvm-$LINK_LLVM" libc6 libstdc++6 libgcc-s1 libedit2 libffi8
  libxml2-16 libz3-4 zlib1g libzstd1 libbsd0 libtinfo6 libmd0 liblzma5)

apt_sid() {
  apt-get -o Dir::Etc::sourcelist="$sid/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$sid/lists" \
    -o Dir::Cache="$sid/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}

download_llvm() {
  cd "$sid/debs"
  apt_sid update
  apt_sid download "${llvm_packages[@]}"
}

unpack_llvm() {
  local deb
  for deb in "$sid"/debs/*.deb; do
    echo "$deb"
    dpkg -x "$deb" "$sid/root"
  done
}

install_llvm() {
  local mirror
  rm -rf "$sid"
  mkdir -p "$sid"/{lists/partial,cache/archives/partial,debs,root}
  mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: bookworm" | sort -u | head -1)
  [ -n "$mirror" ] || fail "no package source of Debian 12 is configured" "Restore /etc/apt/sources.list and run apt-get update."
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$sid/sources.list"
  long "download LLVM $LINK_LLVM" \
    "Debian sid moves: if a package there has another name now, correct llvm_packages in toolchain/compiler.sh." download_llvm
  long "unpack LLVM $LINK_LLVM" "Is the disk full? 700 MB are needed." unpack_llvm
  rm -rf "$sid"/{debs,lists,cache}
}

install_linker() {
  long "compile sbpf-linker $SBPF_LINKER_VERSION (a minute or two)" "If a crate could not be fetched, run this again." \
    env RUSTC=/usr/bin/rustc "LLVM_SYS_${LINK_LLVM}1_PREFIX=$sid/root/usr/lib/llvm-$LINK_LLVM" CARGO_TARGET_DIR="$toolchain/build" \
    /usr/bin/cargo install --locked --force sbpf-linker --version "$SBPF_LINKER_VERSION" --root "$toolchain"
  rm -rf "$toolchain/build"
}

# taught FILE: std's file must mention the target now, or the pattern below found nothing.
taught() {
  grep -qE '"(solana|bpf)"' "$1" ||
    fail "std has changed: no place for the target was found in ${1#"$toolchain"/}" "Adapt install_std in toolchain/compiler.sh."
}

# rustc's std, taught the target: how the memory of "bpf" is aligned, and that "solana" has neither threads nor randomness.
install_std() {
  say "patch the std of rustc $RUST_VERSION"
  local sysroot=$toolchain/sysroot std
  rm -rf "$sysroot"
  mkdir -p "$sysroot/lib/rustlib/src/rust"
  cp -r /usr/lib/rustlib/src/rust/library "$sysroot/lib/rustlib/src/rust/library"
  ln -s /usr/lib/rustlib/x86_64-unknown-linux-gnu /usr/lib/rustlib/etc "$sysroot/lib/rustlib/"
  std=$sysroot/lib/rustlib/src/rust/library/std/src
  sed -i 's/^    target_arch = "hexagon",$/&\n    target_arch = "bpf",/' "$std/sys/alloc/mod.rs"
  taught "$std/sys/alloc/mod.rs"
  sed -i 's/^    target_os = "zkvm" => {$/    target_os = "solana" => {\n        mod solana;\n    }\n&/' "$std/sys/alloc/mod.rs"
  local file
  for file in "$std"/sys/{io/error,random,thread_local}/mod.rs; do
    sed -i 's/^\( *\)target_os = "vexos",$/&\n\1target_os = "solana",/' "$file"
    taught "$file"
  done
  cat >"$std/sys/alloc/solana.rs" <<'RS'
// A program brings its own global allocator; std's System has nothing to give.
use crate::alloc::{GlobalAlloc, Layout, System};
#[stable(feature = "alloc_system_type", since = "1.28.0")]
unsafe impl GlobalAlloc for System {
    #[inline]
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
        crate::ptr::null_mut()
    }
    #[inline]
    unsafe fn dealloc(&self, _ptr: *mut u8, _layout: Layout) {}
}
RS
}

if [ "$(cat "$toolchain/compiler.stamp" 2>/dev/null)" != "$(compiler_hash)" ]; then
  say "install the compiler into $toolchain (about two minutes)"
  mkdir -p "$toolchain"
  rm -f "$toolchain/compiler.stamp"
  install_debian
  install_llvm
  install_linker
  install_std
  # 128-bit multiplication: see multi3.ll.
  "llvm-as-$TOOLS_LLVM" "$project/toolchain/multi3.ll" -o "$toolchain/multi3.bc"
  compiler_hash >"$toolchain/compiler.stamp"
fi

"$project/toolchain/check.sh"
say "the compiler is ready ($((SECONDS - started)) s)"
