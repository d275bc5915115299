#!/usr/bin/env bash
# Lists what carries Atoll's name on this machine, or compares with an earlier list:
#
#   scripts/leak-check.sh list > FILE
#   scripts/leak-check.sh compare FILE
set -euo pipefail

list() {
    {
        # Processes by the file they run, not by a name they can choose.
        for process in /proc/[0-9]*; do
            file=$(readlink "$process/exe" 2> /dev/null) || continue
            case ${file##*/} in
                atoll | atoll-launcher | atoll-analyzer | atoll-wasm-worker | atoll-agent)
                    echo "process ${process#/proc/} $file"
                    continue
                    ;;
            esac
            # Emulators and runtimes are anybody's; ours are in our control groups.
            ! grep -qs '/atoll' "$process/cgroup" || echo "process ${process#/proc/} $file"
        done
        awk '$5 ~ /atoll/ { print "mount " $5 }' /proc/self/mountinfo
        # The group that holds all sandboxes may stay; what is in it may not.
        find /sys/fs/cgroup -mindepth 2 -type d -path '*atoll*/*' -printf 'cgroup %p\n' 2> /dev/null || true # groups come and go meanwhile
        find /tmp /var/tmp /run /dev/shm /dev/mqueue -mindepth 1 -maxdepth 1 -name 'atoll*' \
            -printf 'file %p\n' 2> /dev/null || true
    } | sort
}

case ${1-} in
    list) list ;;
    compare)
        after=$(mktemp)
        trap 'rm -f "$after"' EXIT
        # What was killed a moment ago may need a moment to go.
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            list > "$after"
            new=$(comm -13 "${2:?}" "$after")
            [ -z "$new" ] && { echo "leak check: nothing was left behind"; exit 0; }
            sleep 0.5
        done
        printf 'leak check: these were left behind:\n%s\n' "$new" >&2
        exit 1
        ;;
    *) echo "usage: leak-check.sh list | compare FILE" >&2; exit 2 ;;
esac
