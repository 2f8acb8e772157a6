//! `agent -- COMMAND`: a socket for one command, and nothing left of it.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::wait_until;
use crate::support::fixture::MAIN;
use crate::support::run::{Output, run};
use crate::support::scene::{Scene, TOKEN};

fn with_agent(scene: &Scene, command: &[&str]) -> Output {
    let runtime = scene.path("run");
    scene.set("XDG_RUNTIME_DIR", &runtime);
    let rules = [
        "agent",
        "--allow",
        "acme/widgets",
        "acme/widgets:create=refs/heads/ai/*",
        "--",
    ];
    scene.bbcloud("", &[&rules[..], command].concat())
}

#[test]
fn the_command_has_the_socket_and_not_the_secret_and_its_status_is_ours() {
    let scene = Scene::new();
    let script = format!("env; git ls-remote {}; exit 7", scene.url(MAIN));
    let output = with_agent(&scene, &["sh", "-c", &script]);
    assert_eq!(output.code, Some(7), "{}", output.stderr);
    assert!(
        output.stdout.contains("BBCLOUD_AGENT_SOCK=") && output.stdout.contains("refs/heads/main"),
        "{}",
        output.stdout
    );
    assert!(!output.stdout.contains(TOKEN));
    assert_eq!(
        fs::read_dir(scene.path("run/git-remote-bbcloud"))
            .expect("it is there")
            .count(),
        0
    );
    assert_eq!(with_agent(&scene, &["sh", "-c", "kill -TERM $$"]).code, Some(128 + 15));
    let missing = with_agent(&scene, &["no-such-program"]);
    assert!(
        missing.stderr.contains("cannot run 'no-such-program'"),
        "{}",
        missing.stderr
    );
    assert_eq!(
        fs::read_dir(scene.path("run/git-remote-bbcloud"))
            .expect("it is there")
            .count(),
        0
    );
}

/// A shell that waits for the output, and one that holds a lock: neither waits for anything but the command.
#[test]
fn nothing_is_left_that_holds_a_pipe_or_a_lock() {
    let scene = Scene::new();
    scene.set("XDG_RUNTIME_DIR", scene.path("run"));
    let script = format!(
        "listed=$(git-remote-bbcloud agent --allow acme/widgets -- git ls-remote {}); echo \"$listed\" | grep -c main
         (flock 9; git-remote-bbcloud agent --allow acme/widgets -- true) 9>lock; flock --nonblock lock echo free",
        scene.url(MAIN)
    );
    let mut shell = scene.command("sh", &scene.work());
    shell.args(["-euc", &script]);
    let output = run(shell);
    assert!(
        output.success() && output.stdout.ends_with("free\n"),
        "{}{}",
        output.stdout,
        output.stderr
    );
}

#[test]
fn a_signal_reaches_the_command() {
    let scene = Scene::new();
    scene.set("XDG_RUNTIME_DIR", scene.path("run"));
    let mut command = scene.command("git-remote-bbcloud", &scene.work());
    let script = "trap 'echo told >told; exit 3' TERM; echo ready >ready; while :; do sleep 0.1; done";
    command
        .args(["agent", "--allow", "acme/widgets", "--", "sh", "-c", script])
        .stdout(Stdio::null());
    let mut agent = command.spawn().expect("it starts");
    wait_until("the command runs", || scene.path("ready").exists());
    let mut kill = crate::bitbucket::command("kill", &scene.work());
    kill.args(["-TERM", &agent.id().to_string()]);
    assert!(run(kill).success());
    let start = Instant::now();
    assert_eq!(agent.wait().expect("it ends").code(), Some(3));
    assert!(scene.path("told").exists() && start.elapsed() < Duration::from_secs(10));
}
