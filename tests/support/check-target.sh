#!/bin/sh
# Compiles everything for each target that is named, and lints it, with warnings as errors: a change that breaks another
# system is seen on this one. Nothing is linked, so neither that system nor its C compiler is needed.
#
# usage: check-target.sh TARGET...
set -eu

here=$(dirname "$0")
library=$(sh "$here/std-source.sh")
export __CARGO_TESTS_ONLY_SRC_ROOT="$library"
# Cargo builds the standard library only where unstable features are allowed.
export RUSTC_BOOTSTRAP=1
# Apple's targets ask for an SDK, which only a linker needs.
export SDKROOT=/nonexistent
case " $* " in
*-windows-gnu*) command -v x86_64-w64-mingw32-dlltool >/dev/null || PATH=$(sh "$here/dlltool.sh"):$PATH ;;
esac
for target in "$@"; do
    # ring's C code is not compiled, for it is not linked.
    name=$(echo "$target" | tr - _)
    export "CC_$name=true" "AR_$name=true"
    echo "checking $target" >&2
    "${CARGO:-cargo}" clippy --locked -Zbuild-std=std,panic_abort,panic_unwind,test --target "$target" \
        --target-dir target/platforms/build --all-targets -- -D warnings
done
