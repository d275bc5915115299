#!/usr/bin/env bash
# Builds what the examples cannot ship as text: native programs, WebAssembly, installed libraries.
# Everything goes to target/examples; nothing is installed into the system.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

mkdir -p "$ATOLL_EXAMPLES"

# Whether a result is missing or older than what it is made from.
stale() { [ ! -e "$1" ] || [ "$2" -nt "$1" ]; }

native() {
    local result=$ATOLL_EXAMPLES/$1 source=$root/examples/$2
    if stale "$result" "$source"; then
        say "Compiling $1 (C, static)"
        gcc -O2 -Wall -Wextra -static -o "$result" "$source"
    fi
}
native mandelbrot native-mandelbrot/mandelbrot.c
native fork-bomb fork-bomb-native/bomb.c

requirements=$root/examples/thumbnail/requirements.txt
pillow=$ATOLL_EXAMPLES/pillow
if stale "$pillow/.complete" "$requirements"; then
    say "Installing Pillow into ${pillow#"$root"/} with pip (once)"
    rm -rf "$pillow"
    # The interpreter that runs scripts under Atoll is the system's, so its own pip chooses the wheel.
    /usr/bin/python3 -I -m pip install --quiet --disable-pip-version-check --no-cache-dir \
        --root-user-action=ignore --only-binary=:all: --target "$pillow" -r "$requirements"
    touch "$pillow/.complete"
fi

if [ -x "$root/examples/wasm/build.sh" ]; then
    "$root/examples/wasm/build.sh" "$ATOLL_EXAMPLES"
fi
