#!/bin/sh
# Unpacks gits of other Debian releases below target/gits, for the tests that run with every git here: the oldest that is
# supported, Debian 11's, and the newest that Debian has.
#
# They come from where this Debian has its packages from. Elsewhere, or where that place does not have a release any
# more, the tests do with the gits that are installed. A git that needs a newer C library than this system has is built
# from its source, which takes a minute or two, once.
set -eu

gits=$(pwd)/target/gits
command -v apt-get >/dev/null 2>&1 || exit 0
[ "$(. /etc/os-release && echo "$ID")" = debian ] || exit 0
site=$(apt-get indextargets --format '$(SITE)' | grep -v security | head -n 1)
[ -n "$site" ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
other_apt() {
    (cd "$work" && apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$work/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" \
        -o Dir::Cache="$work/cache" -o Acquire::Languages=none "$@" >/dev/null)
}
unpack() { # <release>
    place=$gits/$1
    [ ! -e "$place/usr/bin/git" ] && [ ! -e "$place/unusable" ] || return 0
    rm -rf "$work"/* "$place.new"
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$place.new"
    : >"$work/status"
    for kind in deb deb-src; do
        echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $1 main"
    done >"$work/sources.list"
    if ! other_apt update || ! other_apt download git; then
        echo "note: git of Debian $1 is not available; the tests run without it" >&2
        rm -rf "$place.new"
        return 0
    fi
    dpkg -x "$work"/git_*.deb "$place.new"
    if ! "$place.new/usr/bin/git" --version >/dev/null 2>&1; then
        rm -rf "$place.new"
        mkdir -p "$place.new"
        build "$place.new" || {
            rm -rf "$place.new"
            mkdir -p "$place.new"
            : >"$place.new/unusable"
        }
    fi
    rm -rf "$place"
    mv "$place.new" "$place"
}

# Without what the tests do not use: they reach their servers through this program.
build() { # <directory>
    echo "building git of Debian $release, which does not run here as it is" >&2
    other_apt --download-only source git || return 1
    mkdir "$work/source"
    tar -xf "$work"/git_*.orig.tar.xz -C "$work/source" --strip-components=1 || return 1
    make -C "$work/source" -j"$(nproc)" CFLAGS=-O0 prefix=/usr gitexecdir=/usr/lib/git-core NO_RUST=1 NO_CURL=1 \
        NO_OPENSSL=1 NO_EXPAT=1 NO_GETTEXT=1 NO_PERL=1 NO_PYTHON=1 NO_TCLTK=1 DESTDIR="$1" all install >"$work/log" 2>&1 || {
        tail -n 5 "$work/log" >&2
        return 1
    }
}

for release in bullseye sid; do
    unpack "$release"
done
