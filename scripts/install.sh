#!/usr/bin/env bash
# Installs the built programs below a prefix: `atoll` for people, its helpers beside it in
# libexec, where it looks for them.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

prefix=${1:?usage: install.sh PREFIX}
install -D -m 0755 "$built/atoll" "$prefix/bin/atoll"
install -D -m 0755 -t "$prefix/libexec/atoll" "$built"/atoll-{launcher,analyzer,wasm-worker,agent}
if [ -x "$built/uv" ]; then
    install -D -m 0755 -t "$prefix/libexec/atoll" "$built/uv"
fi
if [ -e "$built/runtimes/runtimes.json" ]; then
    install -D -m 0644 -t "$prefix/libexec/atoll/runtimes" \
        "$built/runtimes/"{runtimes.json,python.wasm,python.modules,javascript.wasm,javascript.modules}
fi
if [ -e "$built/guest/manifest.json" ]; then
    install -D -m 0644 -t "$prefix/libexec/atoll/guest" \
        "$built/guest/"{manifest.json,vmlinux,initrd,root.erofs}
fi
say "Installed $prefix/bin/atoll"
"$prefix/bin/atoll" --version
