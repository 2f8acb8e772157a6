#!/bin/sh
# Sees to what is needed for a purpose, and installs what is not here yet from Debian's packages, which it names first.
#
#   prerequisites.sh build    a Rust toolchain that is new enough, and a C compiler for ring's assembly
#   prerequisites.sh test     the real programs that the tests drive, as well
set -eu

purpose=$1
missing=
need() { # <command or file> <package>
    case $1 in
    /*) [ -e "$1" ] || missing="$missing $2" ;;
    *) command -v "$1" >/dev/null 2>&1 || missing="$missing $2" ;;
    esac
}
fail() { # <message> <hint>
    echo "error: $1" >&2
    echo "hint: $2" >&2
    exit 1
}

# First what no package helps with: Debian's own Rust is older than this program needs.
rustup='install Rust from https://rustup.rs, or run "rustup update stable"'
command -v cargo >/dev/null 2>&1 || fail 'cargo is not installed' "$rustup"
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
found=$(rustc --version 2>/dev/null | cut -d ' ' -f 2)
[ -n "$found" ] || fail 'rustc does not run' "$rustup"
oldest=$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)
[ "$oldest" = "$wanted" ] || fail "Rust $wanted or newer is required, and this is $found ($(command -v rustc))" "$rustup"

need git git
need cc gcc
need /usr/include/stdio.h libc6-dev
if [ "$purpose" = test ]; then
    need /usr/include/zlib.h zlib1g-dev
    need pkg-config pkg-config
    pkg-config --exists libcurl 2>/dev/null || missing="$missing libcurl4-gnutls-dev"
    need ssh-keygen openssh-client
    need /usr/sbin/sshd openssh-server
    need dbus-daemon dbus
    need gnome-keyring-daemon gnome-keyring
    need git-lfs git-lfs
    need groff groff-base
    need fakeroot fakeroot
    need zip zip
    need unzip unzip
fi
[ -n "$missing" ] || exit 0

missing=${missing# }
command -v apt-get >/dev/null 2>&1 || fail "missing: $missing" 'install them with the package manager of this system'
command="apt-get install --no-install-recommends $missing"
if [ "$(id -u)" = 0 ]; then
    sudo=
elif ! command -v sudo >/dev/null 2>&1; then
    fail "missing: $missing" "as root: '$command'"
elif [ -t 0 ]; then
    sudo=sudo
else
    sudo='sudo -n'
fi
echo "installing: $missing" >&2
# shellcheck disable=SC2086 # lists of words
{
    $sudo apt-get update -qq &&
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
} || fail "missing: $missing" "as root: '$command'"
