#!/bin/sh
# Unpacks the oldest git that is supported, Debian 11's, below target/gits, for the tests that run with every git here.
#
# It comes from where this Debian has its packages from. Elsewhere, or where that place has no Debian 11 any more, the
# tests do with the gits that are installed.
set -eu

suite=bullseye
place=$(pwd)/target/gits/$suite
[ ! -e "$place/usr/bin/git" ] || exit 0
command -v apt-get >/dev/null 2>&1 || exit 0
[ "$(. /etc/os-release && echo "$ID")" = debian ] || exit 0
site=$(apt-get indextargets --format '$(SITE)' | grep -v security | head -n 1)
[ -n "$site" ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
: >"$work/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $suite main" >"$work/sources.list"
old_apt() {
    (cd "$work" && apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$work/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" \
        -o Dir::Cache="$work/cache" -o Acquire::Languages=none "$@" >/dev/null)
}
if old_apt update && old_apt download git; then
    mkdir -p "$place.new"
    dpkg -x "$work"/git_*.deb "$place.new"
    mv "$place.new" "$place"
else
    echo "note: git of Debian 11 cannot be had; the tests run with what is installed" >&2
fi
