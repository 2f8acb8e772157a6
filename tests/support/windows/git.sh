#!/bin/sh
# Builds git for Windows from the source package of the Debian that is installed, below target/platforms/git-windows,
# laid out as Git for Windows is. Without what needs curl, OpenSSL or Perl: only git and its own commands.
set -eu

place=$(pwd)/target/platforms/git-windows
[ ! -e "$place/mingw64/bin/git.exe" ] || exit 0

. "$(dirname "$0")/../debian.sh"
debian_open "$(. /etc/os-release && echo "$VERSION_CODENAME")" deb-src || {
    echo "error: this machine has no Debian mirror in its apt configuration" >&2
    exit 1
}
trap debian_close EXIT
echo "building git for Windows from Debian's source package (5 minutes, once)" >&2
debian_apt update
debian_apt source --download-only git
mkdir "$debian_work/git"
tar -xJf "$debian_work"/git_*.orig.tar.xz -C "$debian_work/git" --strip-components=1
# Windows does not tell upper case from lower case in the names of files, and git's sources rely on it here.
mkdir "$debian_work/include"
echo '#include <ntsecapi.h>' >"$debian_work/include/NTSecAPI.h"
cross=x86_64-w64-mingw32
make -s -C "$debian_work/git" -j"$(nproc)" git.exe \
    uname_S=MINGW uname_R=2 MSYSTEM=MINGW64 HOST_CPU=x86_64 CC=$cross-gcc AR=$cross-ar RC="$cross-windres -O coff" \
    NO_CURL=1 NO_OPENSSL=1 NO_EXPAT=1 NO_GETTEXT=1 NO_ICONV=1 NEEDS_LIBICONV= NO_PERL=1 NO_PYTHON=1 NO_TCLTK=1 USE_LIBPCRE= \
    DEVELOPER= CFLAGS="-O1 -w -I$debian_work/include" >"$debian_work/log" 2>&1 || {
    tail -n 20 "$debian_work/log" >&2
    exit 1
}
mkdir -p "$place.new/mingw64/bin" "$place.new/mingw64/libexec/git-core"
cp "$debian_work/git/git.exe" "$place.new/mingw64/bin/"
# Git starts itself by the names of its commands for these.
for name in git git-upload-pack git-receive-pack; do
    ln "$place.new/mingw64/bin/git.exe" "$place.new/mingw64/libexec/git-core/$name.exe"
done
mv "$place.new" "$place"
