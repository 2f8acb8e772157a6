#!/bin/sh
# Runs test programs, all of them also after one has failed, and ends with one summary and one exit status.
#
#   run-tests.sh [GIT] [--] [test filters of tests/it]
#
# Without arguments everything runs. With GIT, a program, only tests/it runs, and finds that git first. A test that
# cannot show anything here prints `skipped: <reason>`; cargo would count it as passed.
set -eu

# A run takes minutes; one that takes an hour has come to a stop. At a terminal somebody is there to press Ctrl-C, which
# would not reach what `timeout` starts.
limited=
! command -v timeout >/dev/null 2>&1 || [ -t 0 ] || limited='timeout --kill-after=20 3600'
cargo=${CARGO:-cargo}
log=$(mktemp)
# The tests' own temporary folder: what a killed program leaves behind goes with it.
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work" "$log" "$log.status"' EXIT
trap 'exit 1' HUP INT TERM
export TMPDIR="$work"

run() {
    $limited "$cargo" test --locked --no-fail-fast "$@" || status=$?
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
    echo "$status" >"$log.status"
}

tests "$@" 2>&1 | tee "$log"
status=$(cat "$log.status")
left=$(ls -A "$work")
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
    }' "$log"
exit "$status"
