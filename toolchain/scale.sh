#!/bin/bash
# What grows with the nodes of a task: on the chain, or with --off-chain what daemons cost.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$project"

toolchain/build.sh
if [ "${1:-}" = --off-chain ]; then
  shift
  npm run --silent build
  exec ts-node --transpile-only --project tests/tsconfig.json tests/daemons/scale.ts "$@"
fi
exec cargo run --ignore-rust-version --locked --quiet --example scale -- "$@"
