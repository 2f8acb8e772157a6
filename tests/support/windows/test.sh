#!/bin/sh
# Runs the program for Windows under Wine: its unit tests, then what people do with it, with a git.exe and the local
# Bitbucket. Wine is not Windows: what passes here has not been seen there.
set -eu

top=$(pwd)
here=$top/tests/support/windows
target=x86_64-pc-windows-gnu
wine=$(command -v wine64 || command -v wine || echo /usr/lib/wine/wine64)
for needed in x86_64-w64-mingw32-gcc "$wine" /usr/x86_64-w64-mingw32/lib/libz.a; do
    command -v "$needed" >/dev/null || [ -e "$needed" ] || {
        echo "error: '$needed' is missing" >&2
        echo "hint: 'apt-get install gcc-mingw-w64-x86-64 libz-mingw-w64-dev wine64' (1.2 GB)" >&2
        exit 1
    }
done

cargo=${CARGO:-cargo}
$cargo build --locked --example local-bitbucket
sh "$here/git.sh"
library=$(sh "$here/../std-source.sh")
for_windows() {
    RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT="$library" \
        "$cargo" "$@" --locked -Zbuild-std=std,panic_abort,panic_unwind,test --target $target --target-dir target/platforms/windows
}
for_windows build --bin git-remote-bbcloud
unit=$(for_windows test --lib --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*git_remote_bbcloud[^"]*\.exe\)".*/\1/p' | tail -n 1)

work=$(mktemp -d)
export WINEPREFIX="$work/wine" WINEDEBUG=-all
stop() {
    exec 9>&- || true
    "${wine%/*}/wineserver" -k >/dev/null 2>&1 || wineserver -k >/dev/null 2>&1 || true
    wait || true
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' INT TERM

# A directory with a space and letters of another alphabet, as homes have.
bin="$work/Programme Ж"
mkdir -p "$bin" "$work/home ü" "$work/out"
cp "target/platforms/windows/$target/debug/git-remote-bbcloud.exe" "$bin/"
x86_64-w64-mingw32-gcc -shared -o "$bin/bcryptprimitives.dll" "$here/bcryptprimitives.c" -ladvapi32
"$wine" wineboot --init >/dev/null 2>&1 || true

# The path of a file as Windows has it.
windows() {
    printf 'Z:%s' "$1" | tr / '\\'
}
git_root=$top/target/platforms/git-windows/mingw64
WINEPATH="$(windows "$git_root/bin");$(windows "$bin")"
USERPROFILE=$(windows "$work/home ü")
export WINEPATH USERPROFILE
unset HOME XDG_CONFIG_HOME XDG_CACHE_HOME GIT_DIR BBCLOUD_TOKEN BBCLOUD_TOKEN_FILE SSH_CONNECTION

failed=0
passed=0
# Runs `wine NAME.exe ARGUMENTS` with files for its streams: git.exe under Wine does not bear pipes.
input=/dev/null
run() {
    status=0
    (cd "$directory" && timeout 120 "$wine" "$@") <"$input" >"$work/out/stdout" 2>"$work/out/stderr" || status=$?
}
ours() {
    run "$bin/git-remote-bbcloud.exe" "$@"
}
git_exe() {
    run "$git_root/bin/git.exe" "$@"
}
check() { # <what> <command that says whether it is so>...
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok      $what"
    else
        failed=$((failed + 1))
        echo "FAILED  $what (status $status)"
        sed 's/^/        stdout: /' "$work/out/stdout" | head -n 10
        sed 's/^/        stderr: /' "$work/out/stderr" | head -n 20
    fi
}
succeeded() { [ "$status" = 0 ]; }
refused() { [ "$status" != 0 ]; }
says() { grep -qF -- "$1" "$work/out/stdout" "$work/out/stderr"; }
stdout_is() { printf "$1" | cmp -s - "$work/out/stdout"; }
directory=$work

echo "unit tests"
cp "$work/"*/bcryptprimitives.dll "$(dirname "$unit")/"
(cd "$top" && timeout 600 "$wine" "$unit" --test-threads=2) >"$work/out/stdout" 2>"$work/out/stderr" && status=0 || status=$?
grep -E '^test result|FAILED|panicked' "$work/out/stdout" "$work/out/stderr" | sed 's/^[^:]*://' || true
check 'unit tests' succeeded

mkfifo "$work/stop" "$work/said"
"$top/target/debug/examples/local-bitbucket" --root "$work/server" --seed-from "$top" <"$work/stop" >"$work/said" &
exec 9>"$work/stop"
variables=$(sed '/^ready$/q' <"$work/said")
eval "$(printf '%s\n' "$variables" | grep '^export ' | sed 's/^export \(BBCLOUD_TOKEN\|BBCLOUD_USERNAME\)=/\1=/')"
token=$BBCLOUD_TOKEN
unset BBCLOUD_TOKEN BBCLOUD_USERNAME
GIT_SSL_CAINFO=$(windows "$GIT_SSL_CAINFO")
GIT_CONFIG_NOSYSTEM=1
export GIT_SSL_CAINFO GIT_CONFIG_NOSYSTEM
. "$here/scenes.sh"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
