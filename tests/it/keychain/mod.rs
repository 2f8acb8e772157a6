//! Signing in, as a person and as git do it: against a real Secret Service, real terminals and git's own helpers.

mod browser;
mod canary;
mod commands;
pub(crate) mod desktop;
mod early;
mod faults;
mod git_credential;
mod lifetimes;
mod odd;
mod order;
mod parallel;
mod prompts;
mod refusals;
mod status;
mod stores;
pub(crate) mod stub;
pub(crate) mod terminal;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

pub(crate) use self::desktop::Desktop;
use crate::bitbucket::Account;
use crate::support::run::{Output, run_with_input};
use crate::support::scene::Scene;

const PROGRAM: &str = "git-remote-bbcloud";

/// A scene with no secret in the environment, no message bus, and nobody to ask.
pub(crate) fn scene() -> Scene {
    let scene = Scene::new();
    leave_alone(&scene);
    scene
}

fn leave_alone(scene: &Scene) {
    scene.unset("BBCLOUD_TOKEN");
    let runtime = runtime(scene);
    fs::create_dir(&runtime).expect("a directory can be made");
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).expect("it is our own directory");
    scene.set("XDG_RUNTIME_DIR", runtime);
    // What is shown at a terminal is compared as text.
    scene.set("NO_COLOR", "1");
}

/// Gives `scene` a keychain, and takes every other secret from it.
pub(crate) fn desktop(scene: &Scene) -> Desktop {
    leave_alone(scene);
    Desktop::start(scene)
}

/// Short, because a socket's path has at most 107 bytes.
fn runtime(scene: &Scene) -> PathBuf {
    scene.home().join("run")
}

/// Runs the program without any terminal.
fn ours(scene: &Scene, arguments: &[&str]) -> Output {
    ours_with(scene, arguments, "")
}

/// The same, with something to read.
pub(crate) fn ours_with(scene: &Scene, arguments: &[&str], input: &str) -> Output {
    run_with_input(without_terminal(scene, arguments), input.as_bytes())
}

fn without_terminal(scene: &Scene, arguments: &[&str]) -> Command {
    let mut command = scene.command("setsid", &scene.work());
    command.arg("--wait").arg(PROGRAM).args(arguments);
    command
}

/// Keeps `secret`, without asking the server.
#[track_caller]
pub(crate) fn keep(scene: &Scene, secret: &str, more: &[&str]) -> Output {
    let arguments = [&["login", "--token-stdin", "--no-verify"], more].concat();
    let output = ours_with(scene, &arguments, secret);
    assert!(output.success(), "{}", output.stderr);
    output
}

pub(crate) fn ls_remote(scene: &Scene, name: &str) -> Output {
    scene.git(&["ls-remote", &format!("bbcloud::{name}"), "main"])
}

/// The user name of the request that was answered last.
fn last_user(scene: &Scene) -> Option<String> {
    scene
        .bitbucket
        .requests()
        .last()
        .and_then(|request| request.user.clone())
}

/// The user names of all requests, `-` for nobody, each once in a row.
fn users(scene: &Scene) -> Vec<String> {
    let requests = scene.bitbucket.requests();
    let mut users: Vec<String> = requests
        .iter()
        .map(|request| request.user.clone().unwrap_or_else(|| "-".to_owned()))
        .collect();
    users.dedup();
    users
}

/// An app password that is right for the user `name`, as `ATBB-<name>`.
pub(crate) fn person(scene: &Scene, name: &str) -> String {
    let secret = format!("ATBB-{name}");
    scene.bitbucket.add_account(Account::app_password(name, &secret));
    secret
}

/// Writes a program of the user's.
pub(crate) fn program(scene: &Scene, name: &str, script: &str) -> PathBuf {
    crate::support::program::program(scene.home().join(name), script)
}

/// An askpass program that notes the questions in `questions`, and answers them.
fn askpass(scene: &Scene, username: &str, secret: &str) {
    let log = scene.home().join("questions");
    let script = format!(
        "{}\necho \"$1\" >>'{}'\ncase $1 in Username*) echo '{username}' ;; *) echo '{secret}' ;; esac",
        scene.recorder(),
        log.display()
    );
    let program = program(scene, "askpass", &script);
    scene.excuse_file(&program);
    scene.set("GIT_ASKPASS", program);
}

/// A credential helper of git's that knows one login, if any, and notes what it is told in `told`.
pub(crate) fn helper(scene: &Scene, username: &str, secret: &str) {
    let log = scene.home().join("told");
    let answer = if secret.is_empty() {
        String::new()
    } else {
        format!("[ \"$1\" != get ] || printf 'username={username}\\npassword={secret}\\n'")
    };
    let record = scene.recorder();
    let script = format!("{record}\n{{ echo \"== $1\"; cat; }} >>'{}'\n{answer}", log.display());
    let path = program(scene, "helper", &script);
    // It knows the secret, and is told by git which one was good.
    scene.excuse_file(&path);
    scene.excuse_file(log);
    configure(scene, "credential.helper", &format!("!{}", path.display()));
}

pub(crate) fn configure(scene: &Scene, key: &str, value: &str) {
    scene.git_ok("", &["config", "--global", key, value]);
}

/// What a program of [`askpass`] or [`helper`] has noted.
fn noted(scene: &Scene, name: &str) -> String {
    fs::read_to_string(scene.home().join(name)).unwrap_or_default()
}

pub(crate) fn accounts_file(scene: &Scene) -> PathBuf {
    scene.home().join(".config/git-remote-bbcloud/accounts.json")
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Whether all of `words` are in `text`, or the first that is not.
#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "'{word}' is not in:\n{text}");
    }
}
