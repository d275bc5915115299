#!/bin/sh
# A container without a runtime: own namespaces and an own root directory, in which the agent is the
# first process. container.sh DIRECTORY AGENT SCRIPT
set -eu
root=$1 agent=$2 script=$3
mount --make-rprivate /
mount -t tmpfs root "$root"
cd "$root"
mkdir -p usr etc/atoll proc dev tmp work
mount --rbind /usr usr
for name in bin sbin lib lib64; do
    if [ -L /$name ]; then cp -P /$name $name; elif [ -d /$name ]; then
        mkdir $name
        mount --rbind /$name $name
    fi
done
mount -t proc proc proc
mount -t tmpfs -o size=1m,nr_inodes=64,mode=700,uid=1000,gid=1000 work work
chmod 1777 tmp
touch dev/null dev/zero etc/atoll/agent
mount --bind /dev/null dev/null
mount --bind /dev/zero dev/zero
mount --bind "$agent" etc/atoll/agent
cp "$script" etc/atoll/zygote.py
exec chroot . /etc/atoll/agent container
