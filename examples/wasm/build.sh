#!/usr/bin/env bash
# Compiles the WebAssembly examples: C to WASI modules with clang, and one of them to a component.
#
#     examples/wasm/build.sh [DIRECTORY]        default: target/examples
#     examples/wasm/build.sh --compiler         only sees to it that there is a compiler
#
# Installs clang, its WebAssembly linker and wasi-libc with apt-get when they are missing, once, and
# says so. The step to a component is a small Rust program of its own (componentize), because the
# tools that do it elsewhere are in no package of Debian's.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
examples=$(dirname "$here")
if [ "${1:-}" != --compiler ]; then
    out=${1:-$(dirname "$examples")/target/examples}
    mkdir -p "$out"
    out=$(cd "$out" && pwd)
fi

say() { printf '==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Packages of Debian 12 and later; the names carry no version.
packages=(clang lld wasi-libc libclang-rt-dev-wasm32)
flags=(--target=wasm32-wasi --sysroot=/usr -O2 -s -Wall -Wextra)

# Compiling and linking an empty program needs all four packages.
can_compile() {
    command -v clang > /dev/null &&
        echo 'int main(void) { return 0; }' |
        clang "${flags[@]}" -x c - -o /dev/null 2> /dev/null
}

install_compiler() {
    can_compile && return
    command -v apt-get > /dev/null ||
        die "no C compiler for WebAssembly and no apt-get to install one: ${packages[*]}"
    [ "$(id -u)" -eq 0 ] ||
        die "no C compiler for WebAssembly; as root: apt-get install ${packages[*]}"
    say "Installing ${packages[*]} with apt-get (once)"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${packages[@]}" > /dev/null
    can_compile || die "${packages[*]} are installed, but clang cannot compile for WebAssembly"
}

# stale RESULT SOURCE...: whether the result is missing or older than a source.
stale() {
    local result=$1 source
    shift
    [ -e "$result" ] || return 0
    for source in "$@"; do
        [ "$source" -nt "$result" ] && return 0
    done
    return 1
}

# module RESULT SOURCE...: compiles C to a WASI preview 1 command.
module() {
    local result=$1
    shift
    stale "$result" "$@" || return 0
    install_compiler
    say "Compiling $(basename "$result") (C)"
    clang "${flags[@]}" -o "$result.new" "$@"
    mv "$result.new" "$result"
}

# component RESULT MODULE: wraps a command into a component with the same imports, typed.
component() {
    local result=$1 source=$2
    stale "$result" "$source" || return 0
    say "Making $(basename "$result") (compiles componentize first, once)"
    # Without optimisation it builds in a third of the time, and it runs for milliseconds.
    (cd "$here/componentize" &&
        CARGO_TARGET_DIR="$out/componentize" CARGO_PROFILE_DEV_DEBUG=0 \
            cargo run --quiet --locked -- "$source" "$result.new")
    mv "$result.new" "$result"
}

# For other scripts that compile C to WebAssembly.
if [ "${1:-}" = --compiler ]; then
    install_compiler
    exit
fi

count=$examples/wasm-word-count/word-count.c
module "$out/word-count.wasm" "$count"
module "$out/endless-loop.wasm" "$examples/wasm-endless-loop/endless-loop.c"
module "$out/for-component.wasm" "$count" "$examples/wasm-component/realloc.c"
component "$out/component.wasm" "$out/for-component.wasm"
