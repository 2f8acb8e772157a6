#!/bin/sh
# Which programs get a private repository from "https://bitbucket.org/…" and "bbcloud::…", after `setup` and after
# `setup --all`, and which switch helps. Writes the rows of README's table "Works with".
#
#   works-with.sh                 every program that is installed
#   works-with.sh cargo pip       only these
#   works-with.sh --install       after installing the Python programs into a folder that goes with the script
#
# The local Bitbucket answers as bitbucket.org in a network namespace of this script's own: nothing reaches the network.
# TARGET names the directory of git-remote-bbcloud and examples/local-bitbucket. A program that is not installed has
# no row; where this machine allows no namespaces, the script ends with 77.
set -eu

here=$(pwd)
TARGET=${TARGET:-$here/target/debug}
script=$0

inside_namespaces() {
    [ "${WORKS_WITH_INSIDE:-}" = yes ]
}

if ! inside_namespaces; then
    [ -x "$TARGET/examples/local-bitbucket" ] || {
        echo "skipped: local-bitbucket is not built: cargo build --example local-bitbucket" >&2
        exit 77
    }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    unshare --user --map-root-user --net --mount true 2>/dev/null || {
        echo "skipped: this machine allows no namespaces" >&2
        exit 77
    }
    if [ "${1:-}" = --install ]; then
        shift
        python3 -m venv "$work/programs"
        "$work/programs/bin/pip" install --quiet --disable-pip-version-check \
            cookiecutter copier dvc GitPython poetry pre-commit pygit2 uv
        PATH=$work/programs/bin:$PATH
    fi
    # Programs that start through a shim need the home that it was installed to.
    RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
    PYENV_ROOT=${PYENV_ROOT:-$HOME/.pyenv}
    export RUSTUP_HOME PYENV_ROOT TARGET WORKS_WITH_INSIDE=yes WORK="$work"
    unshare --user --map-root-user --net --mount --fork --kill-child sh "$script" "$@"
    exit
fi

mkdir "$WORK/home" "$WORK/seed" "$WORK/tmp"
printf '127.0.0.1 localhost bitbucket.org www.bitbucket.org\n' >"$WORK/hosts"
mount --bind "$WORK/hosts" /etc/hosts
ip link set lo up

# A home of its own, and nothing of the caller's that steers git or the programs.
export HOME="$WORK/home" TMPDIR="$WORK/tmp" GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1 CI=
unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_SSL_CAINFO GIT_ASKPASS
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY PIP_INDEX_URL CARGO_NET_GIT_FETCH_WITH_CLI
unset BBCLOUD_BASE_URL BBCLOUD_API_URL BBCLOUD_USERNAME POETRY_SYSTEM_GIT_CLIENT
export CARGO_HOME="$HOME/.cargo" PATH="$TARGET:$PATH" DVC_NO_ANALYTICS=1 PIP_NO_INDEX=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# One repository that is a crate, a Python package, an npm package, a DVC project, a template and a set of hooks.
cd "$WORK/seed"
git init -q -b main .
git config user.name Ada
git config user.email ada@example.com
mkdir -p src widgets .dvc '{{cookiecutter.name}}'
printf '[package]\nname = "widgets"\nversion = "1.0.0"\nedition = "2021"\n' >Cargo.toml
: >src/lib.rs
cat >pyproject.toml <<'EOF'
[project]
name = "widgets"
version = "1.0.0"
dependencies = []
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
EOF
# A backend without dependencies, so that no index of packages is needed.
cat >backend.py <<'EOF'
import os, zipfile
INFO = "widgets-1.0.0.dist-info"
FILES = {
    f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: widgets\nVersion: 1.0.0\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "widgets-1.0.0-py3-none-any.whl"
    files = dict(FILES, **{"widgets/__init__.py": ""})
    files[f"{INFO}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{INFO}/RECORD"])
    with zipfile.ZipFile(os.path.join(directory, name), "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
    return name
EOF
: >widgets/__init__.py
printf '{"name": "widgets", "version": "1.0.0"}\n' >package.json
: >.dvc/config
printf '{"name": "made"}\n' >cookiecutter.json
printf 'made\n' >'{{cookiecutter.name}}/README'
printf '_subdirectory: copier\nname:\n  type: str\n  default: made\n' >copier.yml
mkdir copier && printf 'made\n' >copier/README
cat >.pre-commit-hooks.yaml <<'EOF'
- {id: "true", name: "true", entry: "true", language: system}
EOF
git add --all
git commit -q -m 'Begin'

mkfifo "$WORK/stop" "$WORK/said"
"$TARGET/examples/local-bitbucket" --root "$WORK/server" --seed-from "$WORK/seed" --port 443 <"$WORK/stop" >"$WORK/said" &
server=$!
exec 9>"$WORK/stop"
trap 'exec 9>&-; wait $server || true' EXIT
variables=$(sed '/^ready$/q' <"$WORK/said")
BBCLOUD_TOKEN=$(printf '%s\n' "$variables" | sed -n "s/^export BBCLOUD_TOKEN='\(.*\)'/\1/p")
authority=$(printf '%s\n' "$variables" | sed -n "s/^export GIT_SSL_CAINFO='\(.*\)'/\1/p")
export BBCLOUD_TOKEN
# Each program has its own idea of whom to trust; here it is one file for all.
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || mount --bind "$authority" /etc/ssl/certs/ca-certificates.crt
export SSL_CERT_FILE="$authority" REQUESTS_CA_BUNDLE="$authority"

git config --global user.name Ada
git config --global user.email ada@example.com
git config --global http.sslCAInfo "$authority"
cp "$HOME/.gitconfig" "$WORK/plain"

# What is wrong without this program is no fault of another.
git -c "http.extraHeader=Authorization: Basic $(printf 'x-bitbucket-api-token-auth:%s' "$BBCLOUD_TOKEN" | base64 -w 0)" \
    ls-remote https://bitbucket.org/acme/widgets.git >/dev/null 2>&1 || {
    echo "skipped: local-bitbucket does not answer as bitbucket.org; build it: cargo build --example local-bitbucket" >&2
    exit 77
}

# What each program does with the address $1, in an empty directory. `has_…` tells whether it is installed, if its name
# is not that of a command; `switch_…` is what makes it start git.
try_git() { git clone -q "$1" got; }
try_without_helpers() { git -c credential.helper= clone -q "$1" got; }
has_without_helpers() { true; }
try_cargo() {
    printf '[package]\nname = "user"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\nwidgets = { git = "%s" }\n' "$1" >Cargo.toml
    mkdir src && : >src/lib.rs
    rm -rf "$CARGO_HOME"
    cargo fetch -q
}
switch_cargo='CARGO_NET_GIT_FETCH_WITH_CLI=true'
try_npm() { npm install --no-audit --no-fund --no-update-notifier --silent "git+$1"; }
try_pip() { pip install -q --no-deps --target got "git+$1"; }
try_uv() { uv pip install -q --no-index --no-deps --no-cache --target got "git+$1"; }
try_poetry() {
    printf '[project]\nname = "user"\nversion = "1.0.0"\nrequires-python = ">=3.8"\ndependencies = ["widgets @ git+%s"]\n' "$1" >pyproject.toml
    poetry lock -q --no-interaction --no-cache
}
switch_poetry='POETRY_SYSTEM_GIT_CLIENT=true'
try_dvc() { dvc get -q "$1" backend.py; }
try_pygit2() {
    python3 - "$1" <<'EOF'
import os, sys, pygit2
login = pygit2.UserPass("x-bitbucket-api-token-auth", os.environ["BBCLOUD_TOKEN"])
pygit2.clone_repository(sys.argv[1], "got", callbacks=pygit2.RemoteCallbacks(credentials=login))
EOF
}
has_pygit2() { python3 -c 'import pygit2' 2>/dev/null; }
try_dulwich() {
    python3 - "$1" <<'EOF'
import os, sys
from dulwich import porcelain
porcelain.clone(sys.argv[1], "got", username="x-bitbucket-api-token-auth", password=os.environ["BBCLOUD_TOKEN"])
EOF
}
has_dulwich() { python3 -c 'import dulwich' 2>/dev/null; }
try_GitPython() { python3 -c 'import git, sys; git.Repo.clone_from(sys.argv[1], "got")' "$1"; }
has_GitPython() { python3 -c 'import git' 2>/dev/null; }
try_cookiecutter() { cookiecutter --no-input "$1"; }
try_copier() { copier copy --defaults --quiet "$1" got; }
has_copier() { command -v copier >/dev/null; }
try_pre_commit() {
    git init -q .
    printf 'repos:\n- repo: %s\n  rev: main\n  hooks: [{id: "true"}]\n' "$1" >.pre-commit-config.yaml
    git add --all
    pre-commit run --all-files
}
has_pre_commit() { command -v pre-commit >/dev/null; }

is_installed() {
    if command -v "has_$1" >/dev/null; then "has_$1"; else command -v "$1" >/dev/null; fi
}
# yes or no, and what was said goes to the log.
attempt() { # <program> <address>
    rm -rf "$WORK/try"
    mkdir "$WORK/try"
    echo "== $1 $2" >>"$WORK/log"
    if (cd "$WORK/try" && "try_$1" "$2") </dev/null >>"$WORK/log" 2>&1; then echo yes; else echo no; fi
}
# no, or the switch with which it is yes.
with_switch() { # <program> <address>
    switch=$(eval "echo \${switch_$1:-}")
    # shellcheck disable=SC2016 # Markdown
    if [ -n "$switch" ] && [ "$(export "${switch?}" && attempt "$1" "$2")" = yes ]; then
        printf 'with `%s`\n' "$switch"
    else
        echo no
    fi
}
label() { # <program>
    case $1 in
    # shellcheck disable=SC2016 # Markdown
    without_helpers) echo '`git -c credential.helper=` (JetBrains)' ;;
    pre_commit) echo pre-commit ;;
    dvc) echo DVC ;;
    *) echo "$1" ;;
    esac
}
setup() { # [--all]
    cp "$WORK/plain" "$HOME/.gitconfig"
    rm -rf "$HOME/.config"
    git-remote-bbcloud setup "$@" >/dev/null 2>&1
}

[ $# -gt 0 ] || set -- git without_helpers cargo npm pip uv pre_commit cookiecutter copier GitPython poetry dvc dulwich pygit2
https=https://bitbucket.org/acme/widgets.git
# shellcheck disable=SC2016 # Markdown
echo '| program | https after `setup` | https after `setup --all` | address of its own |
|---|---|---|---|'
for program; do
    is_installed "$program" || { echo "skipped: '$program' is not installed" >&2; continue; }
    setup
    plain=$(attempt "$program" "$https")
    own=no
    [ "$(attempt "$program" bbcloud://acme/widgets)" = no ] || own='`bbcloud://`'
    [ "$(attempt "$program" bbcloud::acme/widgets)" = no ] || own='`bbcloud::`'
    setup --all
    all=$(attempt "$program" "$https")
    [ "$all" = yes ] || all=$(with_switch "$program" "$https")
    echo "| $(label "$program") | $plain | $all | $own |"
done
[ -z "${WORKS_WITH_LOG:-}" ] || cat "$WORK/log" >"$WORKS_WITH_LOG"
