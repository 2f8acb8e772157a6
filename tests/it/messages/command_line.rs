//! What a command line gets wrong, and what git would never say.

use std::fs;

use super::{Table, shell};
use crate::support::run::{Output, run_with_input};
use crate::support::scene::Scene;

const COMMANDS: &[(&str, &str)] = &[
    (
        "a workspace that is none, to sign in for",
        "login --for ada@acme --token-stdin <list",
    ),
    (
        "a user name that cannot be sent",
        "login --username a:b --token-stdin <list",
    ),
    ("the secret cannot be read", "login --token-stdin </"),
    ("there is no secret", "login --token-stdin --no-verify </dev/null"),
    ("there is nobody to ask for the secret", "login"),
    ("a token as an argument", "login ATATT-full"),
    ("a secret of another shape as an argument", "login hunter2"),
    (
        "a URL with a secret in it as an argument",
        "login --for=https://ada:ATATT-full@bitbucket.org/acme/widgets",
    ),
    ("the file of the secret is not there", "login --token-file nowhere"),
    ("nobody is signed in, to be signed out", "logout --for acme/widgets"),
    ("nobody is signed in at all, to be signed out", "logout --all"),
    ("a workspace that is none, for setup", "setup --workspace acme/widgets"),
    ("a file is sent with GET", "api -X GET --input x /user"),
    ("pages of what is no GET", "api -X POST --paginate /user"),
    ("the file to be sent is not there", "api -X POST --input nowhere /user"),
    ("a path without a slash", "api user"),
    ("a path that leads out of the API", "api /../../x"),
    (
        "a path to be filled in where there is no remote",
        "api '/repositories/{workspace}/x'",
    ),
    ("a remote that is not there", "migrate --remote nowhere repository"),
    ("a repository to look at that is none", "doctor --for 'ac me/widgets'"),
];

/// What git's commands would have to be, which the program reads from its standard input.
const SESSIONS: &[(&str, &[u8])] = &[
    (
        "git asks for what is not offered",
        b"push refs/heads/main:refs/heads/main\n",
    ),
    ("git fetches before it lists", b"fetch 0123 refs/heads/main\n\n"),
    ("git's command is cut", b"list"),
];

fn git_says(scene: &Scene, commands: &[u8]) -> Output {
    let mut program = scene.command("git-remote-bbcloud", &scene.work());
    program.args(["origin", "acme/widgets"]);
    run_with_input(program, commands)
}

#[test]
fn command_line() {
    let mut table = Table::new("command_line");
    let scene = Scene::new();
    scene.unset("BBCLOUD_TOKEN");
    scene.set("BBCLOUD_API_URL", scene.bitbucket.api_url());
    scene.git_ok("", &["init", "--quiet", "repository"]);
    fs::write(scene.path("list"), "list\n\n").expect("a file can be written");
    for (title, arguments) in COMMANDS {
        let output = shell(&scene, &format!("git-remote-bbcloud {arguments}"));
        table.add(title, &scene, &output);
    }
    scene.unset("BBCLOUD_API_URL");
    let output = shell(&scene, "git-remote-bbcloud api /user");
    table.fails("nobody knows where the REST API is", &scene, &output);
    for (title, commands) in SESSIONS {
        table.fails(title, &scene, &git_says(&scene, commands));
    }
    // Git shows these itself, or leaves it at that.
    let answers = git_says(&scene, b"option depth x\noption progress \xff\n");
    table.add_text("values of options that are none, as git gets it told", &answers.stdout);
    table.end();
}
