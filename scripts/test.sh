#!/usr/bin/env bash
# Runs every test of the workspace against the release build, checks that nothing was left behind
# on this machine, and runs the tests of the sandboxes in a guest.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

# Tests and programs in one go: with other features chosen by the tests' own dependencies, building
# the programs apart would compile every library twice.
cargo build --release --locked --workspace --all-targets

# What the virtual machines of the tests start from.
[ "$(uname -m)" != x86_64 ] || { scripts/setup.sh qemu-system-x86 && scripts/build-guest.sh; }

# What the tests of dependencies install with. ATOLL_OFFLINE=1 says that there is no network.
[ "${ATOLL_OFFLINE-}" = 1 ] || scripts/provision-tools.sh

before=$(mktemp)
trap 'rm -f "$before"' EXIT
scripts/leak-check.sh list > "$before"
# Without these, tests that need privilege or a guest would be skipped in silence where they must
# run.
ATOLL_GUEST_REQUIRED=1 ATOLL_BIN=$built/atoll cargo test --release --locked --workspace "$@"
scripts/leak-check.sh compare "$before"
# On another kernel, with the other version of cgroups, and as an ordinary user, too. The attacks
# there take longer: `make test-guest` runs them as well.
[ $# -gt 0 ] || scripts/vm-test.sh jail process instance
