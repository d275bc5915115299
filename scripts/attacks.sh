#!/usr/bin/env bash
# Attacks the levels that have a kernel of their own with the programs that `make test` has attack
# the level `process`, and looks at the host after each. Some minutes for each level.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

cargo build --release --locked --workspace --bins
scripts/build-guest.sh
before=$(mktemp)
trap 'rm -f "$before"; rm -rf target/attacked-snapshots' EXIT
scripts/leak-check.sh list > "$before"
failed=""
for level in ${LEVELS:-gvisor vm}; do
    say "Attacking the level $level"
    ATOLL_ATTACKED_LEVEL=$level ATOLL_BIN=$built/atoll \
        cargo test --release --locked --workspace --test escape -- --test-threads 2 \
        || failed="$failed $level"
done
scripts/leak-check.sh compare "$before"
[ -z "$failed" ] || die "attacks ended otherwise than they must at:$failed"
