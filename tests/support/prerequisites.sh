#!/bin/sh
# Installs what building and testing need and what is not here yet, from Debian's packages.
#
# A compiler is for ring's assembly; the rest are the real parts that the tests drive.
set -eu

missing=
need() { # <command or file> <package>
    case $1 in
    /*) [ -e "$1" ] || missing="$missing $2" ;;
    *) command -v "$1" >/dev/null 2>&1 || missing="$missing $2" ;;
    esac
}

need git git
need cc gcc
need /usr/include/stdio.h libc6-dev
need pkg-config pkg-config
pkg-config --exists libcurl 2>/dev/null || missing="$missing libcurl4-gnutls-dev"
need ssh-keygen openssh-client
need dbus-daemon dbus
need gnome-keyring-daemon gnome-keyring
need git-lfs git-lfs
need groff groff-base
need fakeroot fakeroot

command -v cargo >/dev/null 2>&1 || {
    echo "error: cargo is missing" >&2
    echo "hint: install a Rust toolchain from https://rustup.rs" >&2
    exit 1
}
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "error: please install:$missing" >&2
    exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
    sudo=sudo
fi
echo "installing$missing" >&2
$sudo apt-get update -qq
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
