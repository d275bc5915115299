#!/usr/bin/env bash
# Installs the tools that dependencies of programs are provided with: uv, pinned, from the Python
# package index that pip is configured for, and npm from the distribution where it is missing.
#
#   scripts/provision-tools.sh [DIR]
#
# DIR is where `atoll` looks for uv first: beside its own programs. Nothing is done when both are
# there.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

uv=0.13.9 # its messages are known to crates/provision/src/words.rs

out=${1:-$built}
"$root/scripts/setup.sh" npm

if [ "$("$out/uv" --version 2> /dev/null | cut -d ' ' -f 2)" != "$uv" ]; then
    tool uv "$uv"
    mkdir -p "$out"
    # In one step, because it may be running.
    install -m 0755 "$venv/bin/uv" "$out/uv.new"
    mv "$out/uv.new" "$out/uv"
fi
