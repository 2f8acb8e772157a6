# Packages of a Debian suite other than the one that is installed, without changing the machine. To be sourced:
#
#     debian_open trixie-backports    # `deb-src` as second argument: source packages
#     debian_apt update
#     debian_apt download rust-src    # into $debian_work
#     debian_close
#
# The mirror is the one in the machine's own apt configuration, and apt checks the signatures as always.

debian_open() {
    command -v apt-get >/dev/null 2>&1 || return 1
    debian_site=$(apt-get indextargets --format '$(SITE)' | grep -v security | grep /debian | head -n 1)
    [ -n "$debian_site" ] || return 1
    debian_work=$(mktemp -d)
    mkdir -p "$debian_work/lists/partial" "$debian_work/cache/archives/partial"
    : >"$debian_work/status"
    echo "${2:-deb} [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $debian_site $1 main" \
        >"$debian_work/sources.list"
}

debian_apt() {
    (cd "$debian_work" && apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$debian_work/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$debian_work/lists" \
        -o Dir::State::status="$debian_work/status" -o Dir::Cache="$debian_work/cache" \
        -o Acquire::Languages=none "$@" >/dev/null)
}

debian_close() {
    rm -rf "$debian_work"
}
