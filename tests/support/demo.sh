#!/bin/sh
# The main job, seen: against the local Bitbucket, with this project's own history, and nothing left behind.
set -eu

here=$(pwd)
if [ -z "${CARGO_TARGET_DIR:-}" ] && ! [ -w . ]; then
    CARGO_TARGET_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/git-remote-bbcloud/build
    echo "note: '$here' is not writable; building in '$CARGO_TARGET_DIR'" >&2
    export CARGO_TARGET_DIR
fi
target=${CARGO_TARGET_DIR:-$here/target}
"${CARGO:-cargo}" build --locked --bin git-remote-bbcloud --example local-bitbucket

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/home"
export HOME="$work/home" PATH="$target/debug:$PATH" GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1
unset XDG_CONFIG_HOME XDG_CACHE_HOME GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
# The server is on this machine, and a proxy is not.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
git config --global user.name 'A Newcomer'
git config --global user.email newcomer@example.com
git config --global init.defaultBranch main
git config --global advice.detachedHead false
# The clone may be another user's.
git config --global safe.directory '*'

# The project's history where there is one, else its files as one commit.
git init -q --bare "$work/seed"
if [ "$(git rev-parse --is-shallow-repository 2>/dev/null)" = false ] && git rev-parse -q --verify HEAD >/dev/null; then
    git -C "$work/seed" fetch -q "$here" HEAD:refs/heads/main
else
    git --git-dir="$work/seed" --work-tree=. add --all
    git --git-dir="$work/seed" --work-tree=. commit -q -m 'All files'
fi

mkfifo "$work/stop" "$work/said"
"$target/debug/examples/local-bitbucket" --root "$work/server" --seed-from "$work/seed" <"$work/stop" >"$work/said" &
server=$!
# The server ends when this end of its input does, however this script ends.
exec 9>"$work/stop"
trap 'exec 9>&-; wait $server || true; rm -rf "$work"' EXIT

variables=$(sed '/^ready$/q' <"$work/said")
eval "$(printf '%s\n' "$variables" | grep '^export ')"

run() {
    printf '\n$ %s\n' "$*"
    "$@" 2>&1 || return 1
}
fail() {
    printf '\ndemo failed: %s\n' "$1" >&2
    exit 1
}

printf 'A local Bitbucket listens at %s. It has the repository acme/widgets, with its wiki.\n' "$BBCLOUD_BASE_URL"
printf 'The token is in BBCLOUD_TOKEN, as on a build server.\n'
cd "$work"
run git clone bbcloud::acme/widgets mine || fail 'clone'
run git clone bbcloud::acme/widgets theirs || fail 'second clone'
cd mine
echo 'Seen working.' >DEMO.md
git add DEMO.md
run git commit -q -m 'Add a note' || fail 'commit'
run git push origin HEAD || fail 'push'
cd ../theirs
run git fetch || fail 'fetch'
run git log --oneline -1 '@{upstream}' || fail 'log'
[ "$(git rev-parse '@{upstream}')" = "$(git -C ../mine rev-parse HEAD)" ] || fail 'the push did not arrive'
cd ..
run git clone bbcloud::acme/widgets/wiki || fail 'wiki'
run ls wiki

printf '\nAnd a refusal: a token that may only read.\n'
cd mine
echo 'Not allowed.' >>DEMO.md
git commit -q -a -m 'Add more'
before=$(git ls-remote origin)
export BBCLOUD_TOKEN="$LOCAL_BITBUCKET_READ_ONLY_TOKEN"
if run git push origin HEAD; then
    fail 'a push without permission succeeded'
fi
[ "$(git ls-remote origin)" = "$before" ] || fail 'a refused push changed the server'

cat <<'EOF'

It works: cloned, pushed, fetched and refused, as it should be. Next, with your own account:

  make release && sudo make install       (or, for yourself alone: cargo install --path . --locked)
  git remote-bbcloud login
  git clone bbcloud::<workspace>/<repository>
EOF
