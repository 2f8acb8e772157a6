#!/bin/sh
# Checks the dependencies where cargo-deny is installed. It takes longer to build than this project, so it is not
# installed on the way; its advisories need a copy of RustSec's database, which only a full `make deny` fetches.
set -eu

if command -v cargo-deny >/dev/null 2>&1; then
    exec cargo deny --offline check bans licenses sources
fi
echo "note: dependencies not checked; 'cargo install --locked cargo-deny' makes 'make check' do so" >&2
