#!/usr/bin/env bash
# Runs stress-ng, and the Linux kernel's own tests of seccomp and Landlock, inside a sandbox, and
# compares what comes of them with crates/acceptance/third-party.txt. With --record, writes it.
#
# Their sources are fetched as packages of the distribution, and built below the target directory.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

source=linux-source-6.1
place=$target_dir/third-party
"$root/scripts/setup.sh" stress-ng libcap-dev

fetch() {
    say "Fetching the kernel's tests from $source (once)"
    rm -rf "$place"
    mkdir -p "$place"
    cd "$place"
    apt-get download -qq -o APT::Sandbox::User=root "$source"
    local tests=$source/tools/testing/selftests
    dpkg-deb --fsys-tarfile "$source"_*.deb | tar x --to-stdout --wildcards '*.tar.xz' |
        tar xJ --wildcards "$tests/seccomp/*" "$tests/landlock/*" "$tests/clone3/*.h" \
            "$tests/kselftest*.h"
    rm "$source"_*.deb
    # Tests that wait for what a sandbox refuses need not wait for half a minute each.
    sed -i 's/\(TEST_TIMEOUT_DEFAULT\) 30/\1 2/' "$tests/kselftest_harness.h"
    for test in seccomp/seccomp_bpf landlock/base_test landlock/ptrace_test landlock/fs_test; do
        gcc -static -O2 -w -I "$tests" -o "${test##*/}" "$tests/$test.c" -lcap -lpthread
    done
    touch .complete
}

[ -e "$place/.complete" ] || (fetch)
exec "$root/scripts/built.sh" atoll-third-party "$place" "$@"
