#!/bin/sh
# Runs git's own HTTP tests with this program in the place of git's transport for http:// and https://.
#
#   run.sh [<script of t/ in git>...]      without one: CORE below
#
# It wants Debian's source of the git that is installed, Apache and a C compiler; git's tests do not run as root, so root
# runs them as 'nobody'. It fails for each test that fails and is not in differences.txt, and for each that is there and
# passes.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
program=${PROGRAM:-$top/target/debug/git-remote-bbcloud}
place=${SUITE_PLACE:-/var/tmp/git-suite-$(id -u)}
CORE='t5539-fetch-http-shallow t5541-http-push-smart t5542-push-http-shallow t5549-fetch-push-http
t5550-http-fetch-as-smart t5551-http-fetch-smart t5563-simple-http-auth t5564-http-proxy t5581-http-curl-verbose
t5702-protocol-v2'

fail() {
    echo "error: $1" >&2
    echo "hint: $2" >&2
    exit 1
}
[ -x "$program" ] || fail "there is no program at $program" "run 'make build'"
command -v apache2 >/dev/null 2>&1 || [ -x /usr/sbin/apache2 ] ||
    fail 'apache2 is not installed' "as root: 'apt-get install --no-install-recommends apache2'"

git=$(dirname "$(command -v git)")
own=$(git --exec-path)
version=$(git --version | cut -d ' ' -f 3)
source=$place/git-$version
mkdir -p "$place"
chmod 755 "$place"

if [ ! -x "$source/t/helper/test-tool" ]; then
    [ -f "$source/Makefile" ] || {
        echo "fetching the source of git $version" >&2
        site=$(apt-get indextargets --format '$(SITE)' | grep -v security | head -n 1)
        lists=$place/apt
        mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
        : >"$lists/status"
        for release in stable oldstable testing sid; do
            echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $release main"
        done >"$lists/sources.list"
        apt() { # <program> <argument>...
            program_of_apt=$1
            shift
            (cd "$place" && "$program_of_apt" -qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$lists/sources.list" \
                -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$lists/lists" \
                -o Dir::State::status="$lists/status" -o Dir::Cache="$lists/cache" -o Acquire::Languages=none "$@")
        }
        apt apt-get update
        found=$(apt apt-cache showsrc git | sed -n 's/^Version: //p' | grep -F "$version" | head -n 1)
        [ -n "$found" ] || fail "Debian has no source of git $version" "put it at $source"
        apt apt-get --download-only source "git=$found"
        tar -xf "$place/git_$version.orig.tar.xz" -C "$place"
    }
    echo "building the test programs of git $version" >&2
    make -s -C "$source" -j"$(nproc)" CFLAGS='-O0 -w' NO_CURL=1 NO_OPENSSL=1 NO_EXPAT=1 NO_GETTEXT=1 NO_TCLTK=1 \
        NO_PYTHON=1 t/helper/test-tool GIT-BUILD-OPTIONS >"$place/build.log" 2>&1
    make -s -C "$source/templates" >>"$place/build.log" 2>&1
    # The git that is installed has what this build leaves out.
    sed -i "s/NO_CURL='1'/NO_CURL=''/; s/NO_EXPAT='1'/NO_EXPAT=''/" "$source/GIT-BUILD-OPTIONS"
fi
# Bitbucket does not serve the dumb protocol; what these tests ask about signing in holds for the smart one.
sed 's#/dumb/#/smart/#g' "$source/t/t5550-http-fetch-dumb.sh" >"$source/t/t5550-http-fetch-as-smart.sh"

# Git's own programs, but for the two that this program stands in for.
rm -rf "$place/exec"
mkdir "$place/exec"
ln -s "$own"/* "$place/exec/"
for name in http https; do
    rm -f "$place/exec/git-remote-$name"
    cp "$here/git-remote-http" "$place/exec/git-remote-$name"
done
cp "$program" "$place/git-remote-bbcloud"

as=
if [ "$(id -u)" = 0 ]; then
    chown -R nobody "$source/t" "$source/templates"
    as='setpriv --reuid=65534 --regid=65534 --clear-groups'
fi
export GIT_TEST_INSTALLED="$git" GIT_TEST_EXEC_PATH="$place/exec" BBCLOUD_CACHE=false
export SUITE="$source/t" SUITE_GIT_EXEC="$own" SUITE_PROGRAM="$place/git-remote-bbcloud"
rm -f "$SUITE/passed-on"

failed=0 passed=0 unexpected=0
for script in ${*:-$CORE}; do
    log=$place/$script.log
    (cd "$source/t" && $as sh "./$script.sh" --root="$source/t/trash" --verbose-log) >"$log" 2>&1 || true
    tail -n 1 "$log" | grep -q '^1\.\.' || {
        echo "$script: did not run to its end; see $log" >&2
        unexpected=$((unexpected + 1))
    }
    passed=$((passed + $(grep -c '^ok' "$log" || true)))
    for number in $(sed -n 's/^not ok \([0-9]*\) .*/\1/p' "$log"); do
        failed=$((failed + 1))
        grep -q "^$script $number " "$here/differences.txt" || {
            echo "$script: not ok $number, and not in differences.txt" >&2
            unexpected=$((unexpected + 1))
        }
    done
    for number in $(sed -n "s/^$script \([0-9]*\) .*/\1/p" "$here/differences.txt"); do
        grep -q "^not ok $number " "$log" || {
            echo "$script: $number is in differences.txt, and passes" >&2
            unexpected=$((unexpected + 1))
        }
    done
done
echo "$passed of $((passed + failed)) tests of git $version pass"
[ "$unexpected" = 0 ]
