#!/bin/sh
# Runs all test programs, also after one has failed, and ends with one summary and one exit status.
#
#   run-tests.sh [OTHER_GIT]
#
# What depends on git's version runs again with OTHER_GIT, a program, if that is another git than the first on the search
# path. A test that cannot show anything here prints `skipped: <reason>`; cargo would count it as passed.
set -eu

other=${1:-}
# A run takes minutes; one that takes an hour has come to a stop. At a terminal somebody is there to press Ctrl-C, which
# would not reach what `timeout` starts.
limited=
! command -v timeout >/dev/null 2>&1 || [ -t 0 ] || limited='timeout --kill-after=20 3600'
cargo=${CARGO:-cargo}
# Many tests wait for something to happen, or not to.
threads=$(($(nproc 2>/dev/null || echo 2) * 2))
log=$(mktemp)
# The tests' own temporary folder: what a killed program leaves behind goes with it. In memory, where there is plenty, the
# thousands of small repositories cost half of the processor's time that they cost on a disk.
in_memory() {
    free=$(df -Pk /dev/shm 2>/dev/null | awk '$1 == "tmpfs" { print $4 }')
    memory=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo 2>/dev/null)
    [ "${free:-0}" -ge 4194304 ] && [ "${memory:-0}" -ge 8388608 ] || return 1
    probe=$(mktemp -p /dev/shm) || return 1
    echo 'exit 0' >"$probe" && chmod 700 "$probe" && "$probe" 2>/dev/null && runs=0 || runs=1
    rm -f "$probe"
    return "$runs"
}
if [ -z "${TMPDIR:-}" ] && in_memory; then
    work=$(mktemp -d -p /dev/shm)
else
    work=$(mktemp -d)
fi
chmod 755 "$work"
trap 'rm -rf "$work" "$log" "$log.status"' EXIT
trap 'exit 1' HUP INT TERM
export TMPDIR="$work"

run() { # <arguments of cargo test> -- <arguments of the test programs>
    $limited "$cargo" test --locked --no-fail-fast "$@" --show-output --test-threads="$threads" || status=$?
}

tests() {
    status=0
    echo "tests with $(git --version)"
    run --
    run --all-features --test it wire::proxies --
    if [ -x "$other" ] && [ "$("$other" --version)" != "$(git --version)" ]; then
        echo "tests with $("$other" --version) as well"
        PATH="$(dirname "$other"):$PATH"
        run --test it -- everyday:: oracle:: commands:: kept:: recipes::
    fi
    echo "$status" >"$log.status"
}

tests 2>&1 | tee "$log"
status=$(cat "$log.status")
left=$(ls -A "$work")
[ -z "$left" ] || printf '\nleft in the temporary folder, and removed:\n%s\n' "$left"
awk '
    # Where a program is shown again: what it has said while it passed, and what while it failed.
    /^---- .* stdout ----$/ { test = $2; next }
    /^skipped: / && test != "" { reasons[++skips] = test ": " substr($0, 10); test = ""; next }
    /^test .* \.\.\. FAILED$/ { failures[++failed] = $2 }
    /^test result: / {
        for (i = 1; i < NF; i++) {
            if ($(i + 1) ~ /^passed/) passed += $i
            if ($(i + 1) ~ /^ignored/) ignored += $i
        }
    }
    END {
        print ""
        for (i = 1; i <= skips; i++) print "skipped  " reasons[i]
        for (i = 1; i <= failed; i++) print "failed   " failures[i]
        if (skips + failed) print ""
        printf "%d passed, %d failed, %d skipped\n", passed - skips, failed, skips + ignored
    }' "$log"
exit "$status"
