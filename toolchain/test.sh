#!/bin/bash
# Every test there is, set-up included (npm test). A failing step does not stop the ones after it. Ends with the line
# "N passed, N failed", summed over all runners; a step that is no runner of tests counts as one.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$project"

passed=0
failed=0
summary=()
failures=()
logs=$toolchain/log/test
# Lines that are told at the end of one failed step.
told_lines=200
last_lines=25
# What the tests say at their end where their validator ended by itself.
validator_gone="The validator is gone: "
# Seconds for everything, where somebody waits no longer: a step that is not over by then is ended and told, and nothing begins again
# in the second half.
time_for_tests=${TIME_FOR_TESTS:-86400}
rm -rf "$logs"
mkdir -p "$logs"

# sum_of LOG PATTERN: the sum of the numbers that stand where the pattern has its group.
sum_of() { sed 's/\x1b\[[0-9;]*m//g' "$1" | sed -nE "s/$2/\1/p" | awk '{ sum += $1 } END { print sum + 0 }'; }

# step RUNNER TITLE COMMAND...: RUNNER is cargo, mocha, or one (the command itself is the test).
step() {
  local runner=$1 title=$2 started=$SECONDS status=0 log good=0 bad=0
  shift 2
  log=$logs/$(tr -c 'a-zA-Z0-9\n' '-' <<<"$title").log
  printf '\n=== %s\n' "$title"
  # Ended with all that it started.
  if [ "$1" = in_time ]; then set -- timeout --kill-after=20 "$((SECONDS < time_for_tests ? time_for_tests - SECONDS : 1))" "${@:2}"; fi
  # The pipe shows the output while it comes and keeps it to count in.
  "$@" 2>&1 </dev/null | tee "$log" || status=$?
  # A machine that stands still for a while may end a validator: that says nothing about the program. Once, and told.
  if [ "$status" != 0 ] && [ "$((SECONDS * 2))" -lt "$time_for_tests" ] && grep -q "^$validator_gone" "$log"; then
    echo "[test] the validator was gone in the middle of \"$title\": once more from the beginning ..."
    status=0
    "$@" 2>&1 </dev/null | tee "$log" || status=$?
  fi
  case $runner in
    cargo)
      good=$(sum_of "$log" '^test result: .* ([0-9]+) passed;.*')
      bad=$(sum_of "$log" '^test result: .* ([0-9]+) failed;.*')
      ;;
    mocha)
      good=$(sum_of "$log" '^ *([0-9]+) passing.*')
      bad=$(sum_of "$log" '^ *([0-9]+) failing.*')
      ;;
    one) [ "$status" != 0 ] || good=1 ;;
  esac
  if [ "$((good + bad))" = 0 ] && [ "$status" = 0 ]; then
    echo "[test] ERROR: \"$title\" ran no tests at all" >&2
    status=1
  fi
  if [ "$status" = 124 ]; then echo "[test] ERROR: \"$title\" was not over after $time_for_tests s of all tests, and was ended" | tee -a "$log" >&2; fi
  # A runner that did not even start, or broke off, has failed once more than it says.
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  if [ "$bad" != 0 ]; then failures+=("$title" "$log"); fi
  passed=$((passed + good))
  failed=$((failed + bad))
  local line
  line=$(printf '%-44s %5d passed %5d failed %5d s' "$title" "$good" "$bad" $((SECONDS - started)))
  summary+=("$line")
  echo "=== $line"
}

# what_failed LOG: the names and reasons of what failed there, or its last lines where it names nothing.
what_failed() {
  local found
  found=$(sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
    /^ *[0-9]+ failing/ || /^failures:$/ { telling = 1 }
    telling && !/^ *at / { print }' | cut -c1-300 | head -"$told_lines")
  if [ -n "$found" ]; then echo "$found"; else tail -"$last_lines" "$1"; fi
}

validator() { "$project/toolchain/validator.sh" >"$logs/validator.path" && cat "$logs/validator.path"; }

lints_are_there() {
  cargo fmt --version && cargo clippy --version ||
    fail "cargo has no fmt or clippy here" "Install Rust 1.95 or newer with its components rustfmt and clippy."
}

# --ignore-rust-version: some of LiteSVM's crates ask for a newer compiler than they need.
host=(--ignore-rust-version --locked --workspace)

step one "compiler" toolchain/compiler.sh
step one "validator" validator
SOLANA_TEST_VALIDATOR=$(tail -1 "$logs/validator.path" 2>/dev/null || true)
export SOLANA_TEST_VALIDATOR
step one "program" toolchain/build.sh
step one "caller of the program" npm run --silent caller

step one "Rust formatting and lints are installed" lints_are_there
step one "format of Rust" cargo fmt --all --check
step one "format of everything else" npm run --silent format:check
step one "lints of Rust" cargo clippy "${host[@]}" --all-targets -- -D warnings
step one "types of TypeScript" npm run --silent typecheck
step one "lints of TypeScript" npm run --silent lint

step cargo "Rust tests" cargo test "${host[@]}" --no-fail-fast
step one "generated IDL is up to date" node toolchain/generate-idl.mjs --check

step mocha "TypeScript without a validator" in_time npm run --silent test:app
step mocha "client and command line on a validator" in_time npm run --silent test:validator
step mocha "daemons in processes of their own" in_time npm run --silent test:daemons
step one "compute units under their ceilings" npm run --silent bench -- --check
step one "a panel costs the same among 30 nodes and 1,000" npm run --silent bench:scale -- --check

# Whoever sees the end of a long output sees what failed.
for ((at = 0; at < ${#failures[@]}; at += 2)); do
  printf '\n=== failed: %s\n' "${failures[at]}"
  what_failed "${failures[at + 1]}"
done

printf '\n=== summary (%s s)\n' "$SECONDS"
printf '%s\n' "${summary[@]}"
echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
