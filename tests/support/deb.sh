#!/bin/sh
# Makes a Debian package of a built program, as target/packages/git-remote-bbcloud_<version>-1_<architecture>.deb, and
# names it on standard output. `make install` fills it, so that a package has what an installation has.
#
# What it needs of the C library is read from the program itself.
set -eu

binary=$1
output=${2:-target/packages}
# Who answers for the package, as Debian's own tools have it.
maintainer="${DEBFULLNAME:-git-remote-bbcloud authors} <${DEBEMAIL:-maintainers@git-remote-bbcloud.invalid}>"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
architecture=$(dpkg --print-architecture)
glibc=$(grep -ao 'GLIBC_2\.[0-9][0-9.]*' "$binary" | sed 's/GLIBC_//' | sort -uV | tail -n 1)
if [ -z "$glibc" ]; then
    echo "error: '$binary' is not linked with the C library of Debian" >&2
    exit 1
fi

root=$(mktemp -d)
pages=$(mktemp -d)
trap 'rm -rf "$root" "$pages"' EXIT
trap 'exit 1' INT TERM
chmod 755 "$root"
umask 022

"$binary" man --install --prefix "$pages" 2>/dev/null
make --no-print-directory install BINARY="$binary" SHARE="$pages/share" DESTDIR="$root" PREFIX=/usr \
    ZSHDIR=/usr/share/zsh/vendor-completions >/dev/null
gzip -9n "$root"/usr/share/man/man1/*.1

documents=$root/usr/share/doc/git-remote-bbcloud
install -d "$documents"
install -m 644 README.md SECURITY.md "$documents"
gzip -9nc CHANGELOG.md >"$documents/changelog.gz"
gzip -9nc >"$documents/changelog.Debian.gz" <<EOF
git-remote-bbcloud ($version-1) unstable; urgency=medium

  * Version $version; changelog.gz says what is new in it.

 -- $maintainer  $(LC_ALL=C date -u -R -r CHANGELOG.md)
EOF
{
    echo 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'
    echo 'Upstream-Name: git-remote-bbcloud'
    echo
    echo 'Files: *'
    sed -n 's/^Copyright (c) /Copyright: /p' LICENSE-MIT
    echo 'License: Apache-2.0 or Expat'
    echo
    echo 'License: Apache-2.0'
    echo ' On Debian systems, its text is in /usr/share/common-licenses/Apache-2.0.'
    echo
    echo 'License: Expat'
    sed -n '/^Permission is hereby granted/,$p' LICENSE-MIT | sed 's/^$/./; s/^/ /'
} >"$documents/copyright"

install -d "$root/DEBIAN"
size=$(du -sk --apparent-size "$root/usr" | cut -f1)
cat >"$root/DEBIAN/control" <<EOF
Package: git-remote-bbcloud
Version: $version-1
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $size
Depends: git (>= 1:2.30), libc6 (>= $glibc), libgcc-s1, ca-certificates
Recommends: gnome-keyring | kwalletmanager | keepassxc
Enhances: git
Section: vcs
Priority: optional
Description: Git remote helper for Bitbucket Cloud
 Lets git clone, fetch and push addresses such as bbcloud::workspace/repository
 over authenticated HTTPS. The secret comes from the keychain of the desktop,
 from a variable on build servers, or from git's credential helpers, and is
 never in a URL, an argument or a log.
EOF
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"

mkdir -p "$output"
package=$output/git-remote-bbcloud_${version}-1_$architecture.deb
dpkg-deb --root-owner-group -Z"${COMPRESSION:-xz}" --build "$root" "$package" >/dev/null
(cd "$output" && sha256sum "${package##*/}" >"${package##*/}.sha256")
echo "$package"
