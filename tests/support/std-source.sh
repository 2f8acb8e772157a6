#!/bin/sh
# Prints the directory with the source of Rust's standard library, of the toolchain's own version: with it, cargo can
# build for systems that this machine has no standard library for.
#
# The toolchain may have it (`rustup component add rust-src`). Otherwise it comes from Debian, and is kept below
# target/platforms; only packages whose hash is listed here are used.
set -eu

version=$(rustc -vV | sed -n 's/^release: //p')
case $version in
1.95.0)
    suite=trixie-backports
    package=1.95.0+dfsg1-2~bpo13+1
    hash=7b76db5b880a77f9e52975d2baa6209d2f76d2c9c2789515c3088cb960e2c83b
    ;;
*) suite= ;;
esac

own=$(rustc --print sysroot)/lib/rustlib/src/rust/library
if [ -e "$own/std/Cargo.toml" ]; then
    echo "$own"
    exit 0
fi
place=$(pwd)/target/platforms/rust-$version
if [ -e "$place/library/std/Cargo.toml" ]; then
    echo "$place/library"
    exit 0
fi

give_up() {
    echo "error: the source of the standard library of Rust $version is not available: $1" >&2
    echo "hint: install it with 'rustup component add rust-src'" >&2
    exit 1
}
[ -n "$suite" ] || give_up "no package for this version is listed in $0"

. "$(dirname "$0")/debian.sh"
debian_open "$suite" || give_up "this machine has no Debian mirror in its apt configuration"
trap debian_close EXIT
echo "fetching the source of Rust's standard library from Debian ($suite, 45 MB)" >&2
debian_apt update || give_up "Debian's mirror did not answer"
debian_apt download "rust-src=$package" || give_up "Debian's mirror no longer has rust-src $package"
deb=$(echo "$debian_work"/rust-src_*.deb)
echo "$hash  $deb" | sha256sum --check --status || give_up "the package has another hash than the one listed in $0"

rm -rf "$place.new"
mkdir -p "$place.new"
dpkg-deb --fsys-tarfile "$deb" |
    tar -x -C "$place.new" --strip-components=4 "./usr/src/rustc-$version/library" --exclude "*/library/vendor"
rm -rf "$place"
mv "$place.new" "$place"
echo "$place/library"
