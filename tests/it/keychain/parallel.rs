//! Many processes of one command: one question, one answer, and no storm.

use super::desktop::Desktop;
use super::stub::Windows;
use super::terminal::Terminal;
use super::{keep, noted, ours, program, scene};
use crate::support::scene::{Scene, TOKEN};

/// A repository with several remotes, which git fetches at once.
fn many_remotes(scene: &Scene) {
    scene.git_ok("", &["init", "--quiet", "many"]);
    for number in 1..=5 {
        scene.git_ok(
            "many",
            &["remote", "add", &format!("r{number}"), "bbcloud::acme/widgets"],
        );
    }
}

const FETCH: [&str; 4] = ["fetch", "--all", "--jobs=5", "--quiet"];

/// Takes its time, as people do.
fn slow_askpass(scene: &Scene, answer: &str) {
    let log = scene.home().join("questions");
    let record = scene.recorder();
    let script = format!("{record}\necho \"$1\" >>'{}'\nsleep 1\n{answer}", log.display());
    let program = program(scene, "askpass", &script);
    scene.excuse_file(&program);
    scene.set("GIT_ASKPASS", program);
}

#[test]
fn parallel_fetches_ask_once_and_share_the_answer() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    many_remotes(&scene);
    slow_askpass(&scene, &format!("echo {TOKEN}"));
    let output = scene.git_in("many", &FETCH);
    assert!(output.success(), "{}", output.stderr);
    assert_eq!(
        noted(&scene, "questions").lines().count(),
        2,
        "a user name and a password"
    );
    assert_eq!(desktop.secrets().len(), 1);
    assert_eq!(output.stderr, "");
}

#[test]
fn an_expired_secret_is_asked_for_once_as_well() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    many_remotes(&scene);
    keep(&scene, "ATATT-expired", &[]);
    slow_askpass(&scene, &format!("echo {TOKEN}"));
    let output = scene.git_in("many", &FETCH);
    assert!(output.success(), "{}", output.stderr);
    assert_eq!(noted(&scene, "questions").lines().count(), 2, "{}", output.stderr);
    let secrets: Vec<_> = desktop.secrets().into_iter().map(|(_, secret)| secret).collect();
    assert_eq!(secrets, [TOKEN]);
}

#[test]
fn whoever_does_not_want_to_be_asked_is_not_asked_again_by_the_same_command() {
    let scene = scene();
    many_remotes(&scene);
    slow_askpass(&scene, "exit 1");
    let output = scene.git_in("many", &FETCH);
    assert!(!output.success());
    assert_eq!(noted(&scene, "questions").lines().count(), 1, "{}", output.stderr);
    // The next command is another matter.
    assert!(!scene.git_in("many", &["ls-remote", "r1"]).success());
    assert_eq!(noted(&scene, "questions").lines().count(), 2);
}

#[test]
fn a_locked_keychain_shows_one_window_for_all() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    many_remotes(&scene);
    keep(&scene, TOKEN, &[]);
    desktop.lock();
    let windows = Windows::start(&desktop.bus, true);
    scene.set("DISPLAY", ":7");
    let output = scene.git_in("many", &FETCH);
    assert!(!output.success());
    assert_eq!(
        output.stderr.matches("error: the keychain is locked").count(),
        5,
        "{}",
        output.stderr
    );
    assert_eq!(windows.shown(), 1);
}

#[test]
fn submodules_ask_once_at_the_terminal() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    scene.git_ok("", &["init", "--quiet", "whole"]);
    for number in 1..=4 {
        let path = format!("part{number}");
        let allow = "protocol.bbcloud.allow=always";
        scene.git_ok(
            "whole",
            &["-c", allow, "submodule", "--quiet", "add", "bbcloud::acme/parts", &path],
        );
    }
    scene.git_ok("whole", &["commit", "--quiet", "-m", "parts"]);
    assert!(ours(&scene, &["logout"]).success());
    scene.git_ok("", &["clone", "--quiet", "whole", "copy"]);
    let mut git = scene.command("git", &scene.path("copy"));
    git.args([
        "-c",
        "protocol.bbcloud.allow=always",
        "submodule",
        "update",
        "--init",
        "--jobs=4",
    ])
    .env_remove("GIT_TERMINAL_PROMPT");
    let mut terminal = Terminal::start(git);
    terminal.expect("Username for 'https://localhost");
    terminal.enter("");
    terminal.expect("Password for 'https://localhost");
    terminal.enter(TOKEN);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shown.matches("Password for 'https://localhost").count(), 1, "{shown}");
    for number in 1..=4 {
        assert!(scene.path("copy").join(format!("part{number}/part.txt")).exists());
    }
}
