#!/bin/bash
# The first process of the guest in which scripts/vm-test.sh runs tests. What it says with `@` in
# front is a result; what it says with `|` in front is for people.
set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/tmp

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs -o mode=1777 tmp /dev/shm
mount -t tmpfs run /run
chmod 1777 /tmp
chown 1000:1000 /home
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
python3 - << 'END'
import fcntl, socket, struct
# The loopback interface, which the attacks aim at.
interface = struct.pack("16sh", b"lo", 0x1)
fcntl.ioctl(socket.socket(), 0x8914, interface)
END
# Memory that is asked for is granted until a limit says no, as on a machine with more of it.
echo 1 > /proc/sys/vm/overcommit_memory
exec > /dev/ttyS0 2>&1
echo "@begun $(uname -r)"

# A part of the hierarchy for the ordinary user, as `systemd-run --user -p Delegate=yes` hands it
# over. Its tests run in a group below, because a group that hands controllers down is empty.
handed=/sys/fs/cgroup/handed
echo "+cpu +memory +pids" > /sys/fs/cgroup/cgroup.subtree_control
hand() {
    mkdir "$1"
    chown 1000:1000 "$1" "$1"/cgroup.{procs,threads,subtree_control}
}
hand $handed
echo "+cpu +memory +pids" > $handed/cgroup.subtree_control

as_user() {
    (
        echo 0 > "$group/cgroup.procs"
        cd /tmp
        exec setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all "$@"
    )
}

# part NAME COMMAND...: one result.
part() {
    local name=$1 begin=$SECONDS
    shift
    if "$@" > /tmp/log 2>&1; then
        sed 's/^/|/' /tmp/log | grep -a '^|test result' | tail -n 1
        echo "@passed $name in $((SECONDS - begin)) s"
    else
        grep -av '^test .* ok$' /tmp/log | tail -n 400 | sed 's/^/|/'
        echo "@failed $name in $((SECONDS - begin)) s"
    fi
    rm -f /tmp/log
}

export ATOLL_LIBEXEC=/atoll ATOLL_BIN=/atoll/atoll
export ATOLL_POLICY=/atoll/policy.toml ATOLL_TEST_POLICY=/atoll/policy.toml
# The guest is slow; the host runs the races in full, and more of large suites.
export ATOLL_RACES=20 ATOLL_CONFORMANCE=few
too_old=landlock,landlock-scopes

# What this kernel is too old for is refused by name, unless a policy accepts it.
refuses() {
    echo 'echo hello' > /tmp/hello.sh
    local said
    said=$(env -u ATOLL_POLICY /atoll/atoll run --state-dir /run/state /tmp/hello.sh 2>&1)
    local code=$?
    echo "$said"
    [ $code -eq 126 ] && [[ $said == *landlock-scopes* ]] && [[ $said != *hello* ]] || return 1
    said=$(/atoll/atoll run --state-dir /run/state /tmp/hello.sh 2>&1)
    code=$?
    echo "$said"
    [ $code -eq 0 ] && [[ $said == *hello* ]] && [[ $said == *landlock-scopes* ]]
}
part "root: what is missing is refused, or accepted and named" refuses

# An ordinary user's command that is alone in what was handed to it makes room by itself.
alone() {
    hand /sys/fs/cgroup/alone
    local group=/sys/fs/cgroup/alone report
    report=$(as_user /atoll/atoll run --json --state-dir /home/alone /tmp/hello.sh)
    local code=$?
    echo "$report"
    [ $code -eq 0 ] && python3 - "$report" << 'END'
import json, sys
report = json.loads(sys.argv[1])
missing = [l["layer"] for l in report["enforcement"]["layers"] if l["state"] == "missing"]
assert missing == ["own-user", "landlock", "landlock-scopes"], missing
assert report["stdout"] == "hello\n" and report["usage"]["memory_peak_bytes"] > 0, report
END
}
part "user: alone in a group that was handed to it" alone

while read -r suite; do
    export ATOLL_TEST_ACCEPT_MISSING=$too_old
    part "root: $suite" "/atoll/tests/$suite"
    export ATOLL_TEST_ACCEPT_MISSING=$too_old,own-user
    group=$handed/$suite
    hand "$group"
    part "user: $suite" as_user "/atoll/tests/$suite"
done < /atoll/suites

# Neither processes nor groups are left; the one in which a command made room for others is empty.
clean() {
    local left
    left=$(find /sys/fs/cgroup -mindepth 2 -path '*atoll/*' -type d ! -name 'supervisor.*')
    echo "$left"
    ps -eo pid,args | grep -a '[a]toll-' && return 1
    [ -z "$left" ]
}
part "nothing is left" clean
echo "@end"
sync
echo o > /proc/sysrq-trigger
sleep 60
