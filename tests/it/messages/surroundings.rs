//! A machine that lacks something, and files that cannot be read or written.

use std::fs;

use super::{Table, shell};
use crate::support::scene::Scene;

const VARIABLES: &[(&str, &str)] = &[
    (
        "a number of settings that is none",
        "GIT_CONFIG_COUNT=x git-remote-bbcloud status",
    ),
    (
        "a setting without its name",
        "GIT_CONFIG_COUNT=1 git-remote-bbcloud status",
    ),
    (
        "a setting without its value",
        "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=a.b git-remote-bbcloud status",
    ),
    (
        "settings of the command line that are cut",
        "GIT_CONFIG_PARAMETERS=\"'a\" git-remote-bbcloud status",
    ),
    (
        "a setting of the command line without a section",
        "GIT_CONFIG_PARAMETERS=\"'nokey'\" git-remote-bbcloud status",
    ),
    (
        "a boolean variable that is none",
        "GIT_TERMINAL_PROMPT=maybe git-remote-bbcloud status",
    ),
    ("no home directory", "env -u HOME git-remote-bbcloud status"),
    (
        "no home directory for setup",
        "env -u HOME XDG_CONFIG_HOME=/tmp git-remote-bbcloud setup",
    ),
    (
        "no home directory for the record of setup",
        "env -u HOME -u XDG_CONFIG_HOME GIT_CONFIG_GLOBAL=own git-remote-bbcloud setup",
    ),
    (
        "no git",
        "PATH=\"$(dirname \"$(command -v git-remote-bbcloud)\")\" git-remote-bbcloud migrate",
    ),
    ("no repository", "git-remote-bbcloud migrate"),
    ("standard output is full", "git-remote-bbcloud status --json >/dev/full"),
    (
        "a manual that cannot be written",
        "git-remote-bbcloud man --output /dev/null/x",
    ),
    (
        "git's commands cannot be read",
        "git-remote-bbcloud origin acme/widgets </",
    ),
    ("git's question cannot be read", "git-remote-bbcloud credential get </"),
    (
        "a trace that is a name",
        "GIT_TRACE_CURL=trace git ls-remote bbcloud::acme/widgets",
    ),
    (
        "a trace that cannot be written",
        "GIT_TRACE_CURL=/dev/null/trace git ls-remote bbcloud::acme/widgets",
    ),
];

#[test]
fn surroundings() {
    let mut table = Table::new("surroundings");
    let scene = Scene::new();
    for (title, script) in VARIABLES {
        table.add(title, &scene, &shell(&scene, script));
    }
    fs::write(scene.path("broken"), "[user\n\tname").expect("a file can be written");
    fs::create_dir(scene.path("directory")).expect("a directory can be made");
    for (title, script) in [
        (
            "configuration that git could not read either",
            "GIT_CONFIG_GLOBAL=\"$PWD/broken\" git-remote-bbcloud status",
        ),
        (
            "configuration that is a directory",
            "GIT_CONFIG_GLOBAL=\"$PWD/directory\" git-remote-bbcloud status",
        ),
        (
            "an included file that git could not read either",
            "GIT_CONFIG_PARAMETERS=\"'include.path'='$PWD/broken'\" git-remote-bbcloud status",
        ),
        (
            "the file of the secret is not there",
            "env -u BBCLOUD_TOKEN BBCLOUD_TOKEN_FILE=nowhere git-remote-bbcloud origin acme/widgets <list",
        ),
        (
            "the file of the secret is another one",
            "head -c 70000 /dev/zero | tr '\\0' a >long; env -u BBCLOUD_TOKEN BBCLOUD_TOKEN_FILE=long git-remote-bbcloud origin acme/widgets <list",
        ),
        (
            "the secret has two lines",
            "BBCLOUD_TOKEN=$(printf 'ATBBa\\nb') git-remote-bbcloud origin acme/widgets <list",
        ),
        (
            "the secret is in another character set",
            "BBCLOUD_TOKEN=$(printf 'ATBB\\344') git-remote-bbcloud origin acme/widgets <list",
        ),
        (
            "the user name has two lines",
            "BBCLOUD_USERNAME=$(printf 'mia\\nx') git-remote-bbcloud origin acme/widgets <list",
        ),
        (
            "the user name of ~/.netrc has a tab in it",
            "printf 'machine localhost login \"a\\\\tb\" password ATBBx\\n' >\"$HOME/.netrc\"; env -u BBCLOUD_TOKEN BBCLOUD_API_URL=https://localhost:1 git-remote-bbcloud api /user; code=$?; rm \"$HOME/.netrc\"; exit $code",
        ),
        (
            "the list of accounts is a pipe",
            "mkdir -p \"$HOME/.config/git-remote-bbcloud\" && mkfifo \"$HOME/.config/git-remote-bbcloud/accounts.json\" && git-remote-bbcloud status",
        ),
        (
            "the configuration is a link to itself",
            "ln -s own own; GIT_CONFIG_GLOBAL=$PWD/own git-remote-bbcloud setup",
        ),
        (
            "clear text that would leave the machine",
            "BBCLOUD_BASE_URL=http://localhost:1 http_proxy=http://192.0.2.1:3128 git-remote-bbcloud origin acme/widgets <list",
        ),
        (
            "the file of the secret is empty",
            "env -u BBCLOUD_TOKEN BBCLOUD_TOKEN_FILE=/dev/null git-remote-bbcloud origin acme/widgets <list",
        ),
    ] {
        fs::write(scene.path("list"), "list\n\n").expect("a file can be written");
        table.fails(title, &scene, &shell(&scene, script));
    }
    table.end();
}
