#!/bin/sh
# Runs test programs, all of them also after one has failed, and ends with one summary and one exit status.
#
#   run-tests.sh [GIT] [--] [test filters of tests/it]
#
# Without arguments everything runs. With GIT, a program, only tests/it runs, and finds that git first. A test that
# cannot show anything here prints `skipped: <reason>`; cargo would count it as passed.
set -eu

# A run takes minutes; one that takes an hour has come to a stop.
limit=3600
cargo=${CARGO:-cargo}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# What a killed program leaves behind goes with it.
mkdir "$work/tmp"
chmod 755 "$work" "$work/tmp"
export TMPDIR="$work/tmp"

run() {
    if command -v timeout >/dev/null 2>&1; then
        timeout --kill-after=20 "$limit" "$cargo" test --locked --no-fail-fast "$@" || status=$?
    else
        "$cargo" test --locked --no-fail-fast "$@" || status=$?
    fi
}

tests() {
    status=0
    if [ "$#" = 0 ]; then
        run -- --show-output
        run --all-features --test it wire::proxies -- --show-output
    else
        PATH="$(dirname "$1"):$PATH"
        export PATH
        shift
        run --test it -- --show-output "$@"
    fi
    echo "$status" >"$work/status"
}

tests "$@" 2>&1 | tee "$work/log"
status=$(cat "$work/status")
left=$(ls -A "$work/tmp")
[ -z "$left" ] || printf '\nleft in the temporary folder:\n%s\n' "$left"
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
    }' "$work/log"
[ -z "$left" ] || status=1
exit "$status"
