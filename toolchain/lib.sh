# shellcheck shell=bash
# What the scripts of this folder share: where things are, how to say what is going on, how to fail.

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
toolchain=$(realpath -m "${SECURING_TASKS_TOOLCHAIN:-$project/.toolchain}")
export SECURING_TASKS_TOOLCHAIN=$toolchain
# shellcheck source=toolchain/versions.sh
. "$project/toolchain/versions.sh"

# Everything said goes to stderr: stdout is for results.
say() { echo "[$(basename "$0" .sh)] $*" >&2; }

# fail WHAT WAY-OUT
fail() {
  echo "[$(basename "$0" .sh)] ERROR: $1" >&2
  [ $# -lt 2 ] || echo "[$(basename "$0" .sh)] $2" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# long TITLE WAY-OUT COMMAND...: runs a long command with its output in a log, and says every half minute how far it is.
long() {
  local title=$1 way_out=$2 started=$SECONDS log pid far status=0
  shift 2
  mkdir -p "$toolchain/log"
  log=$toolchain/log/$(tr -c 'a-zA-Z0-9\n' '-' <<<"$title").log
  say "$title ..."
  CARGO_TERM_PROGRESS_WHEN=always CARGO_TERM_PROGRESS_WIDTH=100 "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  # shellcheck disable=SC2064 # this very process
  trap "kill $pid 2>/dev/null; exit 130" INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    for _ in {1..60}; do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.5
    done
    kill -0 "$pid" 2>/dev/null || break
    # Cargo counts crates as 12/345; for the rest, the last line says enough.
    far=$(tail -c 4000 "$log" | tr '\r' '\n' | grep -aoE '[0-9]+/[0-9]+: ' | tail -1 || true)
    if [ -n "$far" ]; then far="${far%: } crates"; else far=$(tr '\r' '\n' <"$log" | grep -av '^ *$' | tail -1 | cut -c1-80 || true); fi
    say "$title ... $((SECONDS - started)) s: $far"
  done
  wait "$pid" || status=$?
  trap - INT TERM
  if [ "$status" != 0 ]; then
    tr '\r' '\n' <"$log" | grep -av ' Building \[' | tail -30 >&2
    fail "$title: failed (status $status) after $((SECONDS - started)) s; the whole output is in $log" "$way_out"
  fi
  say "$title: done in $((SECONDS - started)) s"
}

# need_packages PACKAGE...: installs the Debian packages that are missing.
need_packages() {
  local package missing=()
  for package; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
    fail "Debian packages are missing: ${missing[*]}" "Install them as root, or install sudo, and run this again."
  long "fetch Debian's package lists" "Is the machine online, and are its package sources right?" \
    as_root apt-get -o DPkg::Lock::Timeout=120 update
  long "install ${missing[*]}" "Install these Debian packages by hand and run this again." \
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "${missing[@]}"
}

need_platform() {
  [ "$(uname -sm)" = "Linux x86_64" ] ||
    fail "this is $(uname -sm); the toolchain is made for Linux x86_64" "Use a Debian 12 x86-64 machine or container."
  [ "$(. /etc/os-release && echo "$ID-${VERSION_CODENAME:-}")" = debian-bookworm ] ||
    fail "this is $(. /etc/os-release && echo "$PRETTY_NAME"); the toolchain is made from Debian 12's packages" \
      "Use a Debian 12 (bookworm) machine or container."
}

# One hash over files (their names and contents).
hash_of() { (cd "$project" && sha256sum "$@") | sha256sum | cut -c1-32; }

# What an installed compiler was made from. Debian updates rustc in place, and the patched std must match it.
compiler_hash() {
  {
    hash_of toolchain/{compiler.sh,multi3.ll}
    echo "$RUST_VERSION $LINK_LLVM $TOOLS_LLVM $SBPF_LINKER_VERSION"
    dpkg-query -W rustc-web rust-web-src "llvm-$TOOLS_LLVM" 2>/dev/null || true
  } | sha256sum | cut -c1-32
}
