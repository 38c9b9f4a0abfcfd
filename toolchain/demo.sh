#!/bin/bash
# Sets up whatever the demo needs and plays it: on LiteSVM, or with --validator on a validator of its own.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$project"

[ -d node_modules ] || fail "the npm packages are not installed" "Run npm install first."
toolchain/compiler.sh
toolchain/build.sh
for argument; do
  if [ "$argument" = --validator ]; then
    SOLANA_TEST_VALIDATOR=$(toolchain/validator.sh | tail -1)
    export SOLANA_TEST_VALIDATOR
  fi
done
say "compile the client and the demo ..."
npm run --silent build
exec node app/demo/dist/main.js "$@"
