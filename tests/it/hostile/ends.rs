//! Git that is killed, signals, and a reader that has gone: the helper ends at once and leaves nothing behind.

#![cfg(target_os = "linux")]

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::bitbucket::{Action, Fault, Settings};
use crate::support::fixture::{MAIN, noise};
use crate::support::run::run_with_input;
use crate::support::scene::{Scene, Transport};

/// A second, and what a busy machine adds.
const AT_ONCE: Duration = Duration::from_secs(4);
const LONG: Duration = Duration::from_secs(50);

fn scene(version: u8) -> Scene {
    let scene = Scene::with(Transport::Bbcloud, version, Settings::default());
    scene.cloned();
    scene
        .bitbucket
        .commit(MAIN, "topic", "Later", &[("later", &noise(300_000))]);
    scene.commit("clone", "mine", b"mine\n");
    scene
}

/// Processes of the group that have not ended.
fn living(group: u32) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = processes.filter_map(|process| {
        let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
        let mut fields = stat.rsplit(')').next()?.split_whitespace();
        let (state, of) = (fields.next()?, fields.nth(1)?);
        let arguments = std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        (state != "Z" && of == group.to_string()).then(|| arguments.replace('\0', " "))
    });
    lines.collect()
}

fn start(scene: &Scene, arguments: &[&str]) -> Child {
    let mut git = scene.command("git", &scene.path("clone"));
    git.args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    std::os::unix::process::CommandExt::process_group(&mut git, 0);
    git.spawn().expect("git can be started")
}

fn signal(scene: &Scene, name: &str, target: &str) {
    let mut kill = scene.command("sh", &scene.work());
    kill.args(["-c", &format!("kill -{name} {target}")]);
    // What has ended already need not be ended.
    let _ended = run_with_input(kill, &[]);
}

fn wait_for(what: &str, limit: Duration, mut ready: impl FnMut() -> bool) {
    let started = Instant::now();
    while !ready() {
        assert!(started.elapsed() < limit, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Stops a command in its middle with `name`, sent to git alone or to all, as a terminal does.
fn stopped(version: u8, path: &str, action: Action, arguments: &[&str], name: &str, all: bool) {
    let scene = scene(version);
    let what = format!("v{version} {path} {arguments:?} {name}");
    scene.bitbucket.clear_requests();
    scene.bitbucket.fault(Fault::on(path, action).always());
    let mut git = start(&scene, arguments);
    wait_for(&what, Duration::from_secs(20), || {
        scene
            .bitbucket
            .requests()
            .iter()
            .any(|request| format!("{}?{}", request.path, request.query).contains(path))
    });
    std::thread::sleep(Duration::from_millis(100));
    let target = if all {
        format!("-{}", git.id())
    } else {
        git.id().to_string()
    };
    signal(&scene, name, &target);
    let group = git.id();
    let ended = git.wait().expect("git can be waited for");
    assert!(!ended.success(), "{what}");
    wait_for(&format!("{what}: {:?}", living(group)), AT_ONCE, || {
        living(group).is_empty()
    });
    scene.bitbucket.clear_faults();
    // No lock, no draft: everything goes on.
    scene.git_ok("clone", &["fetch", "--quiet"]);
    scene.git_ok("clone", &["push", "--quiet", "origin", "HEAD:after"]);
    scene.git_ok("clone", &["fsck", "--no-progress"]);
    let cache = std::fs::read_dir(scene.home().join(".cache/git-remote-bbcloud"))
        .into_iter()
        .flatten();
    for file in cache.flatten() {
        assert!(
            !file.file_name().to_string_lossy().contains('.'),
            "{what}: {file:?} was left behind"
        );
    }
}

#[test]
fn whoever_ends_git_ends_the_helper() {
    let fetch: &[&str] = &["fetch", "--quiet"];
    let push: &[&str] = &["push", "--quiet", "origin", "HEAD:new"];
    let stall = Action::Stall {
        after: 2000,
        pause: LONG,
    };
    for (version, path, action, arguments, name, all) in [
        (2, "/git-upload-pack", Action::Delay(LONG), fetch, "KILL", false),
        (2, "/git-upload-pack", stall.clone(), fetch, "TERM", false),
        (0, "/info/refs", Action::Delay(LONG), fetch, "KILL", false),
        (0, "/git-upload-pack", stall, fetch, "KILL", false),
        (2, "/git-receive-pack", Action::Delay(LONG), push, "KILL", false),
        (2, "/git-receive-pack", Action::Delay(LONG), push, "INT", true),
        (2, "/git-upload-pack", Action::Delay(LONG), fetch, "HUP", true),
    ] {
        stopped(version, path, action, arguments, name, all);
    }
}

/// Runs the helper in a shell, which decides what its standard output is.
fn in_shell(script: &str) -> String {
    let scene = Scene::new();
    let mut shell = scene.command("sh", &scene.work());
    shell.args(["-c", script, env!("CARGO_BIN_EXE_git-remote-bbcloud")]);
    let started = Instant::now();
    let output = run_with_input(shell, b"capabilities\nconnect git-upload-pack\n");
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    output.stderr
}

#[test]
fn a_reader_that_has_gone_is_no_panic() {
    // A standard output that is closed (and then /dev/null, for the standard library), one that nobody reads, and one
    // without room.
    assert_eq!(in_shell("\"$0\" origin acme/widgets >&-"), "");
    assert_eq!(in_shell("\"$0\" origin acme/widgets | :"), "");
    let full = in_shell("\"$0\" origin acme/widgets >/dev/full; test $? -eq 128 || echo wrong >&2");
    assert!(
        full.starts_with("error: cannot write to git\n") && !full.contains("wrong"),
        "{full}"
    );
    let silent = in_shell("exec 2>&-; \"$0\" origin no-address; exit 0");
    assert_eq!(silent, "");
}
