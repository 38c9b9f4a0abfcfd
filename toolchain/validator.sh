#!/bin/bash
# Finds or makes a solana-test-validator of the wanted version, sees that it starts, and prints its path (the only line on
# stdout). Looked for on PATH, in .toolchain/bin, as a stripped copy in ../shared/cache; else compiled from the published crate.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cached=$project/../shared/cache/solana-test-validator-$VALIDATOR_VERSION-x86_64.xz
installed=$toolchain/bin/solana-test-validator

# is_wanted FILE: it runs here and is of the wanted version.
is_wanted() { "$1" --version 2>/dev/null | grep -qF "solana-test-validator $VALIDATOR_VERSION "; }

unpack() {
  xz --decompress --stdout "$cached" >"$installed.part"
  chmod +x "$installed.part"
}

install_validator() {
  need_platform
  mkdir -p "$toolchain/bin"
  if [ -f "$cached" ]; then
    need_packages xz-utils
    say "unpack solana-test-validator $VALIDATOR_VERSION from the cache ..."
    unpack || fail "the copy in the cache cannot be unpacked: $cached" "Remove it; the validator is then compiled."
    is_wanted "$installed.part" || fail "the copy in the cache is not version $VALIDATOR_VERSION, or does not run: $cached" \
      "Remove it; the validator is then compiled."
    mv "$installed.part" "$installed"
    return
  fi
  # OpenSSL is compiled in (perl, make); rocksdb is C++ with bindings made by libclang; the interface to its own tools is protobuf.
  need_packages build-essential clang libclang-dev llvm-dev pkg-config libssl-dev libudev-dev zlib1g-dev protobuf-compiler \
    libprotobuf-dev cmake perl ca-certificates
  command -v cargo >/dev/null || need_packages rustc-web cargo-web
  # Without link-time optimisation and debug information it takes about half an hour on two cores, and less memory.
  long "compile solana-test-validator $VALIDATOR_VERSION (about half an hour)" \
    "A validator of this version on PATH is taken instead." \
    env CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_TARGET_DIR="$toolchain/build-validator" \
    cargo install --locked --force agave-validator --version "$VALIDATOR_VERSION" --bin solana-test-validator --root "$toolchain"
  rm -rf "$toolchain/build-validator"
  is_wanted "$installed" || fail "the compiled validator is not version $VALIDATOR_VERSION: $installed" "Remove it and run this again."
}

# ask PORT METHOD: a JSON RPC call without parameters.
ask() {
  node -e '
    const [url, method] = process.argv.slice(1);
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method }),
    }).then((answer) => answer.text()).then(console.log, () => process.exit(1));
  ' "http://127.0.0.1:$1" "$2" 2>/dev/null
}

# Ports that nobody listens on: RPC (the next one is its websocket), faucet, gossip, and thirty more.
free_ports() {
  local base port
  for base in $(shuf -i 200-600 -n 50); do
    base=$((base * 50))
    for port in $(seq "$base" $((base + 49))); do
      ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue 2
    done
    echo "$base"
    return
  done
  fail "no free ports were found between 10000 and 30000"
}

# try_out FILE: it starts, is healthy, and says the version over RPC.
try_out() {
  local ledger base pid answer='' version='' started=$SECONDS
  say "start it for a moment ..."
  ledger=$(mktemp -d)
  base=$(free_ports)
  "$1" --quiet --reset --ledger "$ledger" --bind-address 127.0.0.1 --rpc-port "$base" --faucet-port $((base + 2)) \
    --gossip-port $((base + 3)) --dynamic-port-range $((base + 10))-$((base + 49)) >"$ledger/output" 2>&1 &
  pid=$!
  # shellcheck disable=SC2064 # these very values
  trap "kill $pid 2>/dev/null || true; rm -rf '$ledger'" EXIT
  while [ $((SECONDS - started)) -lt 60 ]; do
    kill -0 "$pid" 2>/dev/null || break
    answer=$(ask "$base" getHealth || true)
    if [[ $answer == *'"result":"ok"'* ]]; then
      version=$(ask "$base" getVersion || true)
      break
    fi
    sleep 0.5
  done
  if [[ $version != *"\"solana-core\":\"$VALIDATOR_VERSION\""* ]]; then
    tail -20 "$ledger/output" >&2
    fail "the validator did not become healthy: it answered \"$answer\" and the version \"$version\"" \
      "Start it by hand to see why: $1 --reset --ledger /tmp/ledger"
  fi
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  trap - EXIT
  rm -rf "$ledger"
  say "it is healthy and answers as version $VALIDATOR_VERSION"
}

found=$(command -v solana-test-validator || true)
if [ -z "$found" ] || ! is_wanted "$found"; then
  is_wanted "$installed" || install_validator
  found=$installed
fi
say "solana-test-validator $VALIDATOR_VERSION: $found"

stamp="$found $(stat -c '%s %Y' "$found") $(hash_of toolchain/validator.sh)"
if [ "$(cat "$toolchain/validator.stamp" 2>/dev/null)" != "$stamp" ]; then
  try_out "$found"
  mkdir -p "$toolchain"
  echo "$stamp" >"$toolchain/validator.stamp"
fi
echo "$found"
