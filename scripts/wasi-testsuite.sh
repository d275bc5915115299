#!/usr/bin/env bash
# Runs the programs of wasi-testsuite (https://github.com/WebAssembly/wasi-testsuite) at the level
# `instance`, and compares what comes of them with crates/acceptance/wasi-testsuite.txt. With
# --record, writes it. WASI_TESTSUITE names a copy of the suite's branch prod/testsuite-base, which
# has the programs built; it is no part of this repository.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ -n "${WASI_TESTSUITE:-}" ] || die "WASI_TESTSUITE does not name a copy of wasi-testsuite:
  git clone --depth 1 --branch prod/testsuite-base https://github.com/WebAssembly/wasi-testsuite"
exec "$root/scripts/built.sh" atoll-wasi-testsuite "$WASI_TESTSUITE" "$@"
