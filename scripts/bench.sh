#!/usr/bin/env bash
# Measures this build on this machine: the decision's own cost, then a whole run beside bubblewrap
# and bare Python, then sandboxes that wait beside processes that are started, one after the other
# in the same minutes.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

say "Machine: $(nproc) cores, $(uname -sr), load $(cut -d' ' -f1 /proc/loadavg)"
"$built/atoll" bench loop
"$built/atoll" bench run
# crun refuses hosts that mount version 2 of cgroups without controllers beside version 1. Everybody
# is measured without that mount then.
hybrid=/sys/fs/cgroup/unified
beside_crun() {
    if mountpoint -q "$hybrid" && command -v crun > /dev/null; then
        unshare --mount sh -c 'umount "$1" && shift && exec "$@"' - "$hybrid" "$@"
    else
        "$@"
    fi
}
beside_crun "$built/atoll" bench process
# What virtual machines start from.
"$root/scripts/build-guest.sh"
beside_crun "$built/atoll" bench vm
cargo build --quiet --release --locked --workspace --example raw-wasmtime
# The runtime's own command, of the version that workers use. It is no package of Debian's.
runtime=$(sed -n '/^name = "wasmtime"$/{n;s/^version = "\(.*\)"$/\1/p}' "$root/Cargo.lock")
peers=$target_dir/peers
if ! "$peers/bin/wasmtime" --version 2> /dev/null | grep -qF " $runtime"; then
    say "Installing wasmtime-cli $runtime into target/peers with cargo (once, takes minutes)"
    cargo install --quiet --locked --root "$peers" --version "$runtime" wasmtime-cli ||
        say "wasmtime-cli cannot be installed; its rows are left out"
fi
PATH=$peers/bin:$PATH "$built/atoll" bench instance
