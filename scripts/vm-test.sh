#!/usr/bin/env bash
# Runs the tests of the sandboxes in a virtual machine whose only hierarchy of control groups is
# version 2: as root, and as an ordinary user to whom a part of it was handed.
#
#   scripts/vm-test.sh [SUITE]...
#
# Suites: jail, process, instance, attacks; all of them by default. Nothing is installed: the
# guest's kernel is Debian's for clouds, unpacked into the target directory, and its programs are
# this machine's own. Results come over the serial console, whose log stays in target/vm.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

# A guest that has not begun by then hangs, as emulated ones sometimes do, and is started again.
BOOT_SECONDS=90
BOOT_ATTEMPTS=3
# Far more than it takes.
RUN_SECONDS=3600

vm=$target_dir/vm
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(jail process instance attacks)

"$root/scripts/setup.sh" qemu-system-x86 e2fsprogs
cargo build --release --locked --workspace --all-targets
mkdir -p "$vm"

scratch=$(mktemp -d "$vm/run-XXXXXX")
guest=
cleanup() {
    if [ -n "$guest" ]; then
        kill -9 "$guest" 2> /dev/null || true # it may have ended
        wait "$guest" 2> /dev/null || true    # by the line above
    fi
    rm -rf "$scratch"
}
trap cleanup EXIT

# The executable of a test target: target_of PACKAGE TARGET
target_of() {
    python3 -c '
import json, sys
for line in open(sys.argv[1]):
    line = json.loads(line)
    target = line.get("target", {})
    package = line.get("package_id", "").split("#")[0].rsplit("/", 1)[-1]
    if line.get("executable") and (package, target["name"]) == (sys.argv[2], sys.argv[3]):
        if line["profile"]["test"]:
            print(line["executable"])
' "$scratch/targets.json" "$1" "$2"
}

make_image() {
    local tree=$scratch/root
    mkdir -p "$tree"/{usr/{bin,sbin,lib,lib64},etc/ssl/certs,dev,proc,sys,tmp,run,var,root,home,atoll/{examples,tests}}
    ln -s usr/bin usr/sbin usr/lib usr/lib64 "$tree"
    files_of bash coreutils dash findutils grep mawk mount nodejs procps python3 python3-numpy sed \
        util-linux > "$scratch/files"
    # Links that update-alternatives has made belong to no package.
    (cd / && find usr/bin usr/lib -lname '/etc/alternatives/*') >> "$scratch/files"
    tar -C / -cf - -T "$scratch/files" | tar -xf - -C "$tree"
    cp -a /etc/alternatives "$tree/etc"
    printf 'root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n' > "$tree/etc/passwd"
    printf 'root:x:0:\nuser:x:1000:\n' > "$tree/etc/group"
    install -m 0755 -t "$tree/atoll" "$built"/atoll{,-launcher,-analyzer,-wasm-worker}
    install -m 0755 -t "$tree/atoll/examples" "$built/examples/taken-over"
    install -m 0755 scripts/guest/init.sh "$tree/atoll/init"
    cp scripts/guest/policy.toml "$tree/atoll"
    # Tests look for their programs where the repository was when they were built.
    mkdir -p "$tree$root/crates/acceptance/tests"
    cp -a crates/acceptance/tests/escape "$tree$root/crates/acceptance/tests"
    cargo test --release --locked --workspace --no-run --message-format=json \
        > "$scratch/targets.json" 2> "$scratch/cargo.log" || die "$(cat "$scratch/cargo.log")"
    local name
    for name in jail/it:jail sandbox-process/it:process sandbox-wasm/it:instance \
        acceptance/escape:attacks; do
        local from=${name%:*} to=${name#*:} found
        found=$(target_of "${from%/*}" "${from#*/}")
        [ -x "$found" ] || die "no test executable $from was built"
        install -m 0755 "$found" "$tree/atoll/tests/$to"
    done
    printf '%s\n' "${suites[@]}" > "$tree/atoll/suites"
    mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$tree" "$scratch/image" \
        "$(($(du -sm "$tree" | cut -f1) * 5 / 4 + 256))m"
    rm -rf "$tree"
}

start_guest() {
    : > "$log"
    qemu-system-x86_64 -accel tcg,thread=multi -machine q35 -cpu max -smp 2 -m 1536 \
        -nodefaults -no-user-config -display none -monitor none -no-reboot \
        -serial "file:$log" \
        -drive "file=$scratch/image,if=none,id=root,format=raw,snapshot=on" \
        -device nvme,serial=root,drive=root \
        -kernel "$kernel" -append "console=ttyS0 root=/dev/nvme0n1 rw rootfstype=ext4 \
            init=/atoll/init quiet panic=-1 nokaslr cryptomgr.notests tsc=reliable" &
    guest=$!
}

# Waits until the guest says that it has begun.
begun() {
    local second
    for ((second = 0; second < BOOT_SECONDS; second++)); do
        grep -q '^@begun' "$log" && return 0
        kill -0 "$guest" 2> /dev/null || return 1
        sleep 1
    done
    return 1
}

boot() {
    local attempt
    for ((attempt = 1; attempt <= BOOT_ATTEMPTS; attempt++)); do
        start_guest
        begun && return
        say "The guest did not begin within $BOOT_SECONDS s (attempt $attempt); its last words:"
        tail -n 20 "$log"
        kill -9 "$guest" 2> /dev/null || true # it may have ended
        wait "$guest" || true                 # by the line above
        guest=
    done
    die "the guest did not begin in $BOOT_ATTEMPTS attempts; see $log"
}

# Shows results as they come, until the guest ends.
follow() {
    tail -n +1 -f --pid="$guest" "$log" | tr -d '\r' | grep --line-buffered -a '^[@|]' \
        | sed -u 's/^|//' &
    local shown=$! second
    for ((second = 0; second < RUN_SECONDS; second++)); do
        kill -0 "$guest" 2> /dev/null || break
        sleep 1
    done
    kill -0 "$guest" 2> /dev/null && die "the guest did not end within $RUN_SECONDS s; see $log"
    wait "$guest" || die "the virtual machine failed; see $log"
    guest=
    wait "$shown" || true # tail is ended by the guest's end
}

fetch_kernel
say "Building the guest"
make_image
log=$vm/serial.log
say "Starting the guest"
boot
follow
tr -d '\r' < "$log" > "$scratch/results"
expected=$((2 * ${#suites[@]} + 3))
passed=$(grep -c '^@passed ' "$scratch/results" || true)
grep -q '^@failed ' "$scratch/results" && die "tests failed in the guest; see $log"
grep -q '^@end' "$scratch/results" || die "the guest ended before its tests did; see $log"
[ "$passed" -eq "$expected" ] || die "$passed of $expected parts passed in the guest; see $log"
say "All $passed parts passed in the guest"
