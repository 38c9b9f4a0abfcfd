#!/bin/bash
# Runs a solana-test-validator with the program in it, in the foreground, until it is interrupted (npm run localnet). Everything it
# needs is set up first. The ledger stays in the toolchain's folder: the next start goes on with it, unless --reset is given. Further
# arguments go to the validator.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$project"

[ -d node_modules ] || fail "the npm packages are not installed" "Run npm install first."
toolchain/compiler.sh
toolchain/build.sh
validator=$(toolchain/validator.sh | tail -1)
program=$(node -p 'require("./app/client/src/idl/securing_tasks.json").address')
ledger=$toolchain/localnet
mkdir -p "$ledger"

say "program $program on http://127.0.0.1:8899; Ctrl-C ends it, --reset begins anew"
# History of some hours: every slot takes 32 shreds or more, and audits ask for what happened rounds ago.
# Ports of its own, so that it lives beside the validators of tests, which take what is free from 8000 on.
exec "$validator" --ledger "$ledger" --gossip-port 10900 --dynamic-port-range 10901-10999 --limit-ledger-size 2000000 \
  --bpf-program "$program" target/deploy/securing_tasks.so "$@"
