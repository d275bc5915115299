#!/usr/bin/env bash
# Builds Atoll so that single layers of its sandbox can be left out, in a place of its own, and shows
# which attacks notice.
#
# With a layer missing an attack may work. So all of it happens behind a wall: own process ids, own
# network, IPC objects and host name, own parts of the control groups, and every file of the host
# read-only.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

apart=$target_dir/ablation
slice=ablation-$$

# Where the controllers that Atoll uses are mounted, on hosts with one hierarchy for each.
hierarchies() {
    awk '{ for (i = 7; i <= NF; i++) if ($i == "-") break
           if ($(i + 1) == "cgroup" && $(i + 3) ~ /(^|,)(memory|pids|cpu|cpuacct)(,|$)/) print $5 }' \
        /proc/self/mountinfo
}

outside() {
    say "Building Atoll with layers that can be left out, in ${apart#"$root"/}"
    (cd "$root" && cargo build --quiet --release --locked -p atoll-cli -p atoll-jail \
        -p atoll-sandbox-process -p atoll-soak --features atoll-sandbox-process/ablation \
        --target-dir "$apart")
    for program in atoll atoll-launcher; do
        grep -q ATOLL_ABLATION "$apart/$host/release/$program" || die "$program has no switch"
    done
    # All in it has ended with its processes; a layer that is off may leave its group.
    trap 'hierarchies | while read -r mount; do
        find "$mount/$slice" -depth -type d -exec rmdir {} +
    done 2> /dev/null || true' EXIT
    hierarchies | while read -r mount; do
        mkdir "$mount/$slice"
        # As heavy as can be: what is measured inside is not how busy the host is.
        [ ! -e "$mount/$slice/cpu.shares" ] || echo 262144 > "$mount/$slice/cpu.shares"
    done
    unshare --mount --propagation private --pid --fork --mount-proc --net --ipc --uts -- \
        "$0" --inside "$slice"
}

inside() {
    echo canary-host > /proc/sys/kernel/hostname
    /usr/bin/python3 -I -c 'import fcntl, socket
fcntl.ioctl(socket.socket(), 0x8914, b"lo".ljust(16, b"\0") + b"\x41\0" + b"\0" * 22)'
    local mounts
    mapfile -t mounts < <(hierarchies)
    for mount in "${mounts[@]}"; do
        mount --bind "$mount/$1" "$mount"
    done
    mount -t tmpfs -o mode=0755 tmpfs /mnt
    mount -o remount,bind,ro /
    mapfile -t mounts < <(awk '$5 !~ "^/(proc|sys|dev|mnt)?(/|$)" { print $5 }' /proc/self/mountinfo)
    for mount in "${mounts[@]}"; do
        mount -o remount,bind,ro "$mount"
    done
    ! touch "$root/not-read-only" 2> /dev/null || die "the host can still be written to"
    mkdir /mnt/programs # where root of another user namespace may read them, too
    cp "$apart/$host/release"/atoll{,-launcher,-waiting} /mnt/programs
    export TMPDIR=/mnt ATOLL_BIN=/mnt/programs/atoll
    exec "$built/atoll-ablation"
}

case ${1-} in
    "") outside ;;
    --inside) inside "$2" ;;
    *) die "usage: ablation.sh" ;;
esac
