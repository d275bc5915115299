# Shared by the scripts beside it; sourced, not run.
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
host=$(rustc -vV | sed -n 's/^host: //p')
target_dir=${CARGO_TARGET_DIR:-$root/target}
built=$target_dir/$host/release
export ATOLL_EXAMPLES=${ATOLL_EXAMPLES:-$target_dir/examples}

say() { printf '==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# tool PACKAGE VERSION: installs a package for Python into a directory of its own, `venv`.
tool() {
    venv=$target_dir/tools/$1-$2
    [ ! -e "$venv/.complete" ] || return 0
    say "Installing $1 $2 with pip (once)"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
        --only-binary=:all: "$1==$2"
    touch "$venv/.complete"
}

# Debian's kernel for clouds, unpacked once and not installed: sets kernel_release, kernel (the
# bootable image) and kernel_modules (a directory).
fetch_kernel() {
    local package unpacked
    package=$(apt-cache depends linux-image-cloud-amd64 2> /dev/null \
        | awk '/Depends: linux-image/ { print $2; exit }')
    [ -n "$package" ] || die "apt does not know linux-image-cloud-amd64: run apt-get update"
    package_version=$(apt-cache show --no-all-versions "$package" | sed -n 's/^Version: //p')
    unpacked=$target_dir/kernel/${package}_${package_version//:/_}
    if [ ! -e "$unpacked/.complete" ]; then
        say "Fetching $package $package_version (once)"
        rm -rf "$unpacked"
        mkdir -p "$unpacked"
        (cd "$unpacked" && apt-get download -qq "$package=$package_version" 2> download.log) \
            || die "apt-get could not download $package: $(cat "$unpacked/download.log")"
        dpkg-deb --fsys-tarfile "$unpacked/$package"_*.deb \
            | tar -xf - -C "$unpacked" ./boot ./lib/modules
        rm -f "$unpacked/$package"_*.deb
        touch "$unpacked/.complete"
    fi
    kernel_release=${package#linux-image-}
    kernel=$unpacked/boot/vmlinuz-$kernel_release
    kernel_modules=$unpacked/lib/modules/$kernel_release
    [ -e "$kernel" ] || die "$package holds no kernel $kernel_release"
}

# Packages and everything they depend on, of what is installed on this machine.
packages_of() {
    apt-cache depends --recurse --installed --no-recommends --no-suggests \
        --no-conflicts --no-breaks --no-replaces --no-enhances "$@" | grep '^[a-z]' | LC_ALL=C sort -u
}

# Files of packages and of everything they depend on, as they are on this machine.
files_of() {
    local packages
    mapfile -t packages < <(packages_of "$@")
    # Some of the names are not of packages, but of what packages provide.
    { dpkg -L "${packages[@]}" 2> /dev/null || true; } \
        | grep -vE '^/usr/share/(doc|man|locale|info|lintian|bash-completion|icons)/|^/(boot|dev|proc|run|sys|tmp|var)/' \
        | sed -E 's,^/(bin|sbin|lib|lib64)(/|$),/usr/\1\2,' \
        | grep -E '^/(usr|etc)/' | LC_ALL=C sort -u \
        | while read -r file; do
            if [ -L "$file" ] || [ -f "$file" ]; then echo "${file#/}"; fi
        done
}
