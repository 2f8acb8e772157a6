#!/bin/sh
# Prints a directory with `x86_64-w64-mingw32-dlltool`, which the standard library of Windows is built with: of Debian's
# package for the suite that is installed, unpacked below target/platforms.
set -eu

place=$(pwd)/target/platforms/binutils-mingw
if [ ! -e "$place/usr/bin/x86_64-w64-mingw32-dlltool" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    echo "fetching dlltool from Debian (binutils-mingw-w64-x86-64, 3 MB)" >&2
    if ! (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download binutils-mingw-w64-x86-64 >/dev/null); then
        echo "error: dlltool for Windows is missing" >&2
        echo "hint: 'apt-get update && apt-get install binutils-mingw-w64-x86-64', or your system's package of it" >&2
        exit 1
    fi
    mkdir -p "$place.new"
    dpkg-deb -x "$work"/binutils-mingw-w64-x86-64_*.deb "$place.new"
    mv "$place.new" "$place"
fi
echo "$place/usr/bin"
