#!/usr/bin/env bash
# Installs what is missing to build Atoll and run its examples. Says what it does, and does nothing
# when everything is there. Extra packages can be named as arguments.
set -euo pipefail

command -v cargo > /dev/null || {
    echo "error: Rust is missing: install rustc and cargo 1.95 or later, then try again" >&2
    exit 1
}

# A command or file that tells whether a package is there, and the package. Atoll itself needs a C
# compiler to build; the examples need the interpreters.
needed=(
    "command:gcc gcc"
    "command:make make"
    "file:/usr/include/stdio.h libc6-dev"
    "command:unshare util-linux"
    "file:/usr/bin/python3 python3"
    "module:pip python3-pip"
    "command:node nodejs"
)
for extra in "$@"; do
    case $extra in
        bubblewrap) needed+=("command:bwrap bubblewrap") ;;
        crun) needed+=("command:crun crun") ;;
        runsc) needed+=("command:runsc runsc") ;;
        runc) needed+=("command:runc runc") ;;
        stress-ng) needed+=("command:stress-ng stress-ng") ;;
        libcap-dev) needed+=("file:/usr/include/sys/capability.h libcap-dev") ;;
        qemu-system-x86) needed+=("command:qemu-system-x86_64 qemu-system-x86") ;;
        erofs-utils) needed+=("command:mkfs.erofs erofs-utils") ;;
        lz4) needed+=("command:lz4 lz4") ;;
        cpio) needed+=("command:cpio cpio") ;;
        e2fsprogs) needed+=("command:mke2fs e2fsprogs") ;;
        python3-numpy) needed+=("module:numpy python3-numpy") ;;
        g++) needed+=("command:g++ g++") ;;
        npm) needed+=("command:npm npm") ;;
        *) echo "error: unknown extra package $extra" >&2; exit 1 ;;
    esac
done

is_there() {
    case $1 in
        command:*) command -v "${1#command:}" > /dev/null ;;
        file:*) [ -e "${1#file:}" ] ;;
        module:*) /usr/bin/python3 -c "import ${1#module:}" 2> /dev/null ;;
    esac
}

missing=()
for entry in "${needed[@]}"; do
    read -r probe package <<< "$entry"
    is_there "$probe" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

command -v apt-get > /dev/null || {
    echo "error: these are missing and apt-get is not there to install them: ${missing[*]}" >&2
    exit 1
}
[ "$(id -u)" -eq 0 ] || {
    echo "error: these are missing; install them as root: apt-get install ${missing[*]}" >&2
    exit 1
}
echo "==> Installing ${missing[*]} with apt-get (once)"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
