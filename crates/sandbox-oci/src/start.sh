# Makes the places that a container is built from, and becomes its runtime. The first argument says
# whether the runtime looks for control groups; the others are its command line.
set -e
umask 022
mkdir -m 755 /tmp/bundle /tmp/state
mkdir -m 1777 /tmp/guest
cp /work/config.json /tmp/bundle/
rm /work/config.json
chown 1000:1000 /work
if [ "$1" = groups ]; then
    mount -t cgroup2 -o ro,nosuid,nodev,noexec cgroup2 /sys/fs/cgroup
else
    # gVisor shows its programs as much memory as it finds here.
    printf 'MemTotal: %s kB\nMemFree: %s kB\n' "$MEMORY_KIB" "$MEMORY_KIB" > /tmp/meminfo
    mount -t proc -o nosuid,nodev,noexec proc /whole-proc
    mount --bind /tmp/meminfo /proc/meminfo
fi
shift
exec "$@"
