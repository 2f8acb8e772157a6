#!/bin/sh
# Puts a built program into an archive with its manual pages, completions and licences, and a checksum beside it; names
# the archive on standard output. A tar for Linux and macOS, a zip for a program that ends with `.exe`.
#
#   archive.sh BINARY SHARE [TARGET] [OUTPUT]
#
# SHARE is what `git-remote-bbcloud man --install` wrote, by a program that runs here: pages are the same everywhere.
# Nothing is signed. Two runs with the same input write the same bytes.
set -eu

binary=$1
share=$2
target=${3:-$(rustc -vV | sed -n 's/^host: //p')}
output=${4:-target/packages}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=git-remote-bbcloud-$version-$target
time=${SOURCE_DATE_EPOCH:-$(date -r CHANGELOG.md +%s)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
umask 022
root=$work/$name
mkdir -p "$root" "$output"
output=$(cd "$output" && pwd)
cp README.md SECURITY.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$root"
cp -R "$share" "$root/share"
case $binary in
*.exe)
    # What Windows has no use for stays out; `git-remote-bbcloud completions powershell` writes its own.
    rm -rf "$root/share/zsh" "$root/share/fish"
    install -m 755 "$binary" "$root/git-remote-bbcloud.exe"
    file=$name.zip
    find "$root" -exec touch -d "@$time" {} +
    rm -f "$output/$file"
    (cd "$work" && find "$name" | LC_ALL=C sort | TZ=UTC zip -q -X -9 "$output/$file" -@)
    ;;
*)
    mkdir "$root/bin"
    install -m 755 "$binary" "$root/bin/git-remote-bbcloud"
    file=$name.tar.gz
    tar --directory "$work" --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner --create "$name" |
        gzip -9n >"$output/$file"
    ;;
esac
(cd "$output" && sha256sum "$file" >"$file.sha256")
echo "$output/$file"
