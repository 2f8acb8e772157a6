# What people do with the program on Windows. Sourced by test.sh, which has the words for it.

echo "the program"
ours --version
check 'it says its version' says git-remote-bbcloud
printf 'capabilities\n\n' >"$work/commands"
input=$work/commands ours origin acme/widgets
check 'capabilities end with a line feed alone' eval 'succeeded && ! grep -q "$(printf "\r")" "$work/out/stdout" && says stateless-connect'
input=/dev/null

echo "signing in"
printf '%s\r\n' "$token" >"$work/token"
input=$work/token ours login --for acme --token-stdin
check 'login' succeeded
ours status
check 'status knows who is signed in' eval 'succeeded && says acme'
ours status --json
check 'the Credential Manager is the store' says credential-manager
printf 'protocol=https\r\nhost=%s\r\npath=acme/widgets\r\n\r\n' "${BBCLOUD_BASE_URL#https://}" >"$work/question"
input=$work/question ours credential get
check 'credential get answers a question with CRLF' says "password=$token"
head -c 2561 /dev/zero | tr '\0' A >"$work/long"
input=$work/long ours login --for acme/long --no-verify --kind api-token --token-stdin
check 'a secret of 2,561 bytes is refused' eval 'refused && says 2560'
head -c 2560 /dev/zero | tr '\0' A >"$work/long"
input=$work/long ours login --for acme/long --no-verify --kind api-token --token-stdin
check 'a secret of 2,560 bytes is kept' succeeded
ours logout --for acme/long
check 'logout' succeeded
input=/dev/null

echo "git"
git_exe config --global user.name 'Ada'
check 'git.exe runs' succeeded
git_exe config --global user.email ada@example.com
git_exe ls-remote bbcloud::acme/widgets
check 'ls-remote' eval 'succeeded && says refs/heads/'
git_exe clone bbcloud::acme/widgets 'clone дом'
check 'clone' succeeded
git_exe clone bbcloud::acme/widgets other
directory="$work/clone дом"
echo text >"$directory/new.txt"
git_exe add new.txt
git_exe commit -m 'A line'
git_exe push origin HEAD
check 'push' succeeded
directory=$work/other
git_exe fetch origin
check 'fetch' succeeded
git_exe log --oneline -1 '@{upstream}'
check 'the pushed commit arrives' says 'A line'
directory=$work
ours status
check 'the account is the same for git and for a person' says acme

echo "configuration"
ours setup
check 'setup' succeeded
ours setup --check
check 'setup --check' succeeded
ours setup --undo
check 'setup --undo' succeeded
git init -q "$work/plain"
git -C "$work/plain" remote add origin "$BBCLOUD_BASE_URL/acme/widgets.git"
ours migrate "$(windows "$work/plain")"
check 'migrate of a path with a drive letter' succeeded
check 'the remote is changed' eval 'git -C "$work/plain" remote get-url origin | grep -qx bbcloud::acme/widgets'
check 'no lock is left' eval '[ ! -e "$work/plain/.git/config.lock" ]'
ours migrate --undo plain
check 'migrate --undo' eval 'git -C "$work/plain" remote get-url origin | grep -q ^https:'
directory="$work/clone дом"
ours doctor
check 'doctor finds git and this program' eval 'says "git finds git-remote-bbcloud" && ! says "fail "'
directory=$work

echo "the platform"
{ printf '\377\376' && printf '%s\r\n' "$token" | iconv -f UTF-8 -t UTF-16LE; } >"$work/utf16"
BBCLOUD_TOKEN_FILE=$(windows "$work/utf16") && export BBCLOUD_TOKEN_FILE
git_exe ls-remote bbcloud::acme/widgets
check 'a token file in UTF-16' eval 'succeeded && says refs/heads/'
unset BBCLOUD_TOKEN_FILE
ours logout --for acme
check 'logout of the last account' succeeded
git_exe ls-remote bbcloud::acme/widgets
check 'signed out, the refusal names the command' eval 'refused && says "git-remote-bbcloud login"'
