#!/usr/bin/env bash
# Builds what the virtual machines of the level vm start from:
#
#   vmlinux        Debian's kernel for clouds, as it is once it has unpacked itself
#   initrd         Atoll's agent, and the kernel's modules that it loads, in their order
#   root.erofs     the root directory: interpreters and tools from this machine's Debian packages
#   manifest.json  what the others are, with their hashes
#
#   scripts/build-guest.sh [DIR]
#
# DIR is where `atoll` looks for them by default: `guest` beside it. Nothing is done when they are
# there already and what they are made of is the same; from the same packages the same bytes come.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"
export LC_ALL=C SOURCE_DATE_EPOCH=0 TZ=UTC

out=${1:-$built/guest}
# What programs find inside; python3-numpy only where this machine has it.
packages=(bash coreutils dash findutils grep mawk nodejs python3 sed)
# The modules that the agent needs, without those that they need themselves.
modules=(virtio_mmio virtio_console virtio_blk erofs)
helpers=("$built/atoll-agent" "$built/atoll-launcher")

[ "$(uname -m)" = x86_64 ] || die "there is a guest for x86-64 only"
"$root/scripts/setup.sh" erofs-utils lz4 cpio
for helper in "${helpers[@]}"; do
    [ -x "$helper" ] || die "$helper is missing: run \`make build\` first"
done
if dpkg-query -W -f '${Status}' python3-numpy 2> /dev/null | grep -q ' installed$'; then
    packages+=(python3-numpy)
fi
fetch_kernel

# Everything that the root directory depends on.
root_inputs() {
    sha256sum < "$root/scripts/build-guest.sh"
    sha256sum < "$root/scripts/lib.sh"
    packages_of "${packages[@]}" \
        | xargs dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' 2> /dev/null || true
    mkfs.erofs -V 2>&1 || true # it does not call that a success
}
root_made_of=$(root_inputs | sha256sum | cut -d ' ' -f 1)

# Everything that the result depends on.
made_of=$({
    echo "$root_made_of"
    for file in "$kernel" "${helpers[@]}"; do sha256sum < "$file"; done
} | sha256sum | cut -d ' ' -f 1)
if grep -qs "\"inputs\": \"$made_of\"" "$out/manifest.json"; then exit 0; fi

say "Building the guest of virtual machines (about a minute)"
mkdir -p "$(dirname "$out")"
scratch=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/guest"

# The kernel unpacks itself from an LZ4 payload; unpacking it here saves each guest that.
make_kernel() {
    python3 - "$kernel" > "$scratch/payload" << 'PYTHON'
import struct, sys
image = open(sys.argv[1], "rb").read()
setup_sectors = image[0x1F1] or 4
offset, length = struct.unpack_from("<II", image, 0x248)
start = (setup_sectors + 1) * 512 + offset
# The payload ends with its unpacked size, which is no part of the LZ4 stream.
payload = image[start:start + length - 4]
if not payload.startswith(b"\x02\x21\x4c\x18"):
    sys.exit("error: the kernel's payload is not LZ4")
sys.stdout.buffer.write(payload)
PYTHON
    lz4 -q -d -c "$scratch/payload" > "$scratch/guest/vmlinux"
}

# Prints the files of modules and of those that they need, each after what it needs.
in_order() {
    python3 - "$kernel_modules" "$@" << 'PYTHON'
import pathlib, re, sys
files = {
    path.name.removesuffix(".ko").replace("-", "_"): path
    for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.ko"))
}
done = []
def add(name):
    if name in done:
        return
    needed = re.search(rb"\0depends=([^\0]*)\0", files[name].read_bytes())
    for other in needed.group(1).decode().split(",") if needed else []:
        if other:
            add(other.replace("-", "_"))
    done.append(name)
for name in sys.argv[2:]:
    add(name)
print(*(files[name] for name in done), sep="\n")
PYTHON
}

make_initrd() {
    local tree=$scratch/initrd file
    mkdir -p "$tree"/{dev,proc,sys,root,modules,libexec}
    install -m 0755 "$built/atoll-agent" "$tree/init"
    install -m 0755 "$built/atoll-launcher" "$tree/libexec"
    in_order "${modules[@]}" > "$scratch/modules"
    while read -r file; do
        install -m 0644 "$file" "$tree/modules"
        basename "$file"
    done < "$scratch/modules" > "$tree/modules/list"
    find "$tree" -exec touch -h -d @0 {} +
    (cd "$tree" && find . -mindepth 1 | sort \
        | cpio --quiet --create --format newc --reproducible --owner 0:0) \
        > "$scratch/guest/initrd"
}

make_root() {
    local tree=$scratch/root
    if grep -qs "\"root_inputs\": \"$root_made_of\"" "$out/manifest.json"; then
        cp --reflink=auto "$out/root.erofs" "$scratch/guest/root.erofs"
        return
    fi
    mkdir -p "$tree"/{usr/{bin,sbin,lib,lib64},etc/ssl/certs,dev,proc,sys,tmp,run,var,root,home,work}
    ln -s usr/bin usr/sbin usr/lib usr/lib64 "$tree"
    # Without what is for building programs.
    files_of "${packages[@]}" \
        | grep -vE '^usr/(include|lib/node_modules/(npm|corepack)|lib/x86_64-linux-gnu/.*\.a$)' \
        > "$scratch/files"
    # Links that update-alternatives has made belong to no package.
    (cd / && find usr/bin usr/lib -lname '/etc/alternatives/*') >> "$scratch/files"
    tar -C / -cf - -T "$scratch/files" | tar -xf - -C "$tree"
    cp -a /etc/alternatives "$tree/etc"
    # The dynamic linker's own index of exactly these libraries.
    cp -a /etc/ld.so.conf /etc/ld.so.conf.d "$tree/etc" 2> /dev/null || true
    ldconfig -r "$tree"
    # Packages compile their modules when they are installed. Never checked against the sources,
    # which cannot change, so that a start looks at fewer files.
    find "$tree" -depth -name __pycache__ -exec rm -rf {} +
    SOURCE_DATE_EPOCH=0 PYTHONHASHSEED=0 /usr/bin/python3 -m compileall -q -q -s "$tree" \
        --invalidation-mode unchecked-hash "$tree/usr/lib/python3" "$tree"/usr/lib/python3.* \
        > "$scratch/compileall.log" || true # some packages hold files that are not meant to compile
    printf 'root:x:0:0::/root:/bin/sh\n' > "$tree/etc/passwd"
    printf 'root:x:0:\n' > "$tree/etc/group"
    : > "$tree/etc/machine-id"
    rm -rf "$tree"/etc/{shadow,gshadow}* "$tree/var/cache"
    mkfs.erofs -T 0 -U 00000000-0000-0000-0000-000000000000 --all-root --quiet \
        "$scratch/guest/root.erofs" "$tree" > "$scratch/mkfs.log" 2>&1 \
        || die "$(cat "$scratch/mkfs.log")"
}

make_manifest() {
    python3 - "$scratch/guest" "$made_of" "$root_made_of" "$kernel_release" << 'PYTHON'
import hashlib, json, pathlib, sys
guest, inputs, root_inputs, kernel = sys.argv[1:]
files = {}
for name in ("vmlinux", "initrd", "root.erofs"):
    content = (pathlib.Path(guest) / name).read_bytes()
    files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
manifest = {
    "version": 1,
    "kernel": kernel,
    "inputs": inputs,
    "root_inputs": root_inputs,
    "files": files,
}
(pathlib.Path(guest) / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
PYTHON
}

make_kernel
make_initrd
make_root
make_manifest
chmod 0755 "$scratch/guest"
chmod 0644 "$scratch/guest"/*
rm -rf "$out"
mv "$scratch/guest" "$out"
say "Built $out ($(du -sh "$out" | cut -f 1))"
