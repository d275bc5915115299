#!/usr/bin/env bash
# Builds the language runtimes: python.wasm and javascript.wasm, two components that export `prepare`
# and `run` of runtimes/wit/runner.wit, and runtimes.json, which says what a host has to know of them.
#
#     scripts/build-runtimes.sh        prints the directory they are in
#
# Each is built once for each state of what it is made of: the result goes to a directory named
# after a hash of the sources and the versions of the tools, target/runtimes/HASH, and
# target/runtimes/current leads to the newest. Tools go to target/tools; nothing but a
# missing C compiler (see examples/wasm/build.sh) is installed into the system.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

componentize_py=0.25.1 # brings CPython 3.14
wasmtime_py=50.0.1      # runs the engine once while it is built, for its snapshot
quickjs=0.14.0         # the version of rquickjs-sys, which brings the sources of QuickJS-ng 0.16
sources=$root/runtimes
runtimes=$target_dir/runtimes

# What it says goes to standard error: standard output is the result.
say() { printf '==> %s\n' "$*" >&2; }

hash() {
    {
        echo "componentize-py $componentize_py, rquickjs-sys $quickjs, wasmtime-py $wasmtime_py"
        cd "$root"
        sha256sum scripts/build-runtimes.sh runtimes/*.py
        find runtimes/wit runtimes/python runtimes/javascript \
            -type f ! -path '*/__pycache__/*' ! -path '*/target/*' -print0 |
            LC_ALL=C sort -z | xargs -0 sha256sum
    } | sha256sum | cut -c 1-16
}

text_in_python() {
    grep -a -o -z -P "(?s)atoll-$1-begin\\n\\K[\\w.\\n]+(?=\\natoll-$1-end)" "$work/python.wasm" |
        tr -d '\0'
}

python() {
    local venv
    tool componentize-py "$componentize_py"
    say "Building python.wasm (about a minute)"
    # Without an environment of its own it would take in whatever is installed for this Python.
    mkdir -p "$work/empty/lib/python3/site-packages"
    cp "$sources"/python/*.py "$work"
    (cd "$work" && VIRTUAL_ENV=$work/empty "$venv/bin/componentize-py" --quiet \
        -d "$sources/wit" -w runner componentize runner -o "$work/python.wasm")
    python3 "$sources/immortalize.py" "$work/python.wasm" >&2
    # The component carries them as text, because only it knows what could be imported.
    text_in_python modules > "$work/python.modules"
    python_version=$(text_in_python version)
    [ -s "$work/python.modules" ] || die "python.wasm has no list of its modules"
    [ -n "$python_version" ] || die "python.wasm does not say which Python it is"
}

javascript() {
    local manifest=$sources/javascript/sources/Cargo.toml engine venv
    say "Building javascript.wasm (C; fetches QuickJS and compiles componentize first, once)"
    cargo fetch --quiet --locked --manifest-path "$manifest"
    engine=$(cargo metadata --quiet --locked --format-version 1 --manifest-path "$manifest" |
        python3 -c 'import json, sys, os
print(*(os.path.dirname(p["manifest_path"]) for p in json.load(sys.stdin)["packages"]
        if p["name"] == "rquickjs-sys"))')/quickjs
    quickjs_version=$(awk '/^#define QJS_VERSION_(MAJOR|MINOR|PATCH)/ { printf "%s%s", dot, $3; dot = "." }
        ' "$engine/quickjs.h")
    "$root/examples/wasm/build.sh" --compiler
    # Byte code is the same for every machine, so a native compiler can make it.
    gcc -O1 -w -D_GNU_SOURCE -I"$engine" -o "$work/compile" "$sources/javascript/compile.c" \
        "$engine"/{quickjs,libregexp,libunicode,dtoa}.c -lm -lpthread
    "$work/compile" < "$sources/javascript/runner.js" > "$work/runner_js.c"
    local stack=2097152
    local flags=(--target=wasm32-wasi --sysroot=/usr -O2 -DNDEBUG -D_GNU_SOURCE
        -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_SIGNAL -I"$engine")
    # QuickJS counts its stack everywhere but under WASI; there, recursion without end would be a trap
    # instead of a RangeError. clang keeps a stack in linear memory that can be counted as well.
    sed '/^static void update_stack_limit/,/^}/s/defined(__wasi__)/0/' "$engine/quickjs.c" \
        > "$work/quickjs.c"
    # It seeds itself from the clock, once; every instance of a snapshot would have the same seeds.
    printf '%s\n' 'void JS_SetSeeds(JSContext *ctx, uint64_t random, uint32_t hash) {' \
        '    ctx->random_state = random;' '    ctx->hash_seed = hash;' '}' >> "$work/quickjs.c"
    clang "${flags[@]}" -w -c "$work/quickjs.c" -o "$work/quickjs.o"
    local file
    for file in libregexp libunicode dtoa; do
        clang "${flags[@]}" -w -c "$engine/$file.c" -o "$work/$file.o"
    done
    clang "${flags[@]}" -Wall -Wextra -Wno-unused-parameter -s -mexec-model=reactor \
        -Wl,-z,stack-size=$stack -Wl,--export=__stack_pointer -o "$work/empty.wasm" \
        "$sources/javascript/runner.c" "$work/runner_js.c" "$work"/*.o \
        -lwasi-emulated-process-clocks -lwasi-emulated-signal
    tool wasmtime "$wasmtime_py"
    "$venv/bin/python" "$sources/javascript/snapshot.py" "$work/empty.wasm" "$work/engine.wasm" $stack
    (cd "$root/examples/wasm/componentize" &&
        CARGO_TARGET_DIR="$ATOLL_EXAMPLES/componentize" CARGO_PROFILE_DEV_DEBUG=0 \
            cargo run --quiet --locked -- \
            "$work/engine.wasm" "$work/javascript.wasm" "$sources/wit" runner)
    cp "$sources/javascript/modules.txt" "$work/javascript.modules"
}

result=$runtimes/$(hash)
if [ ! -e "$result/.complete" ]; then
    mkdir -p "$runtimes"
    work=$(mktemp -d "$runtimes/building.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    python
    javascript
    python3 "$sources/manifest.py" "$work" "$sources/wit/runner.wit" \
        "python=CPython=$python_version" "javascript=QuickJS-ng=$quickjs_version"
    rm -rf "$result"
    mkdir "$result"
    mv "$work"/{python,javascript}.{wasm,modules} "$work/runtimes.json" "$result"
    touch "$result/.complete"
fi
ln -sfn "$(basename "$result")" "$runtimes/current"
# Atoll looks for interpreters beside its helper programs.
mkdir -p "$built"
ln -sfn "$runtimes/current" "$built/runtimes"
printf '%s\n' "$result"
