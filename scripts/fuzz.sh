#!/usr/bin/env bash
# Runs every fuzz target for FUZZ_SECONDS (default 60), or only those named as arguments.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

"$root/scripts/setup.sh" g++
if ! command -v cargo-fuzz > /dev/null; then
    say "Installing cargo-fuzz (once)"
    # From outside the repository, whose settings are for Atoll's own programs.
    (cd / && cargo install --locked cargo-fuzz)
fi

# libFuzzer needs options that stable Rust keeps for itself. A sanitizer cannot be linked
# statically, so the repository's own flags are set aside.
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS=
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list)
for target in "${targets[@]}"; do
    say "Fuzzing $target for ${FUZZ_SECONDS:=60} s"
    mkdir -p "fuzz/corpus/$target"
    seeds=()
    [ -d "fuzz/seeds/$target" ] && seeds=("fuzz/seeds/$target")
    cargo fuzz run --target "$host" "$target" "fuzz/corpus/$target" "${seeds[@]}" -- \
        -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1
done
