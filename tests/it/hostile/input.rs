//! Standard input that is not what git says: cut at every byte, with impossible packets, or noise.

use crate::bitbucket::Request;
use crate::support::fixture::{MAIN, noise};
use crate::support::run::{Output, run_with_input};
use crate::support::scene::Scene;
use crate::support::skip::git_version;

fn helper(scene: &Scene, input: &[u8]) -> Output {
    let mut helper = scene.command(env!("CARGO_BIN_EXE_git-remote-bbcloud"), &scene.work());
    helper.args(["origin", MAIN]);
    let output = run_with_input(helper, input);
    let told = &output.stderr;
    // 0 and 1 are the two ways in which git ends a session, 128 is a failure; nothing else, and no signal.
    assert!(matches!(output.code, Some(0 | 1 | 128)), "{:?} {told}", output.code);
    assert!(!told.contains("panicked"), "{told}");
    assert!(output.code != Some(128) || told.starts_with("error: "), "{told}");
    output
}

fn scene() -> Scene {
    let scene = Scene::new();
    scene.set("BBCLOUD_CACHE", "false");
    scene
}

fn posts(scene: &Scene) -> Vec<Request> {
    let mut requests = scene.bitbucket.requests();
    requests.retain(|request| request.method == "POST");
    requests
}

/// Without what the scene says of the client's repository.
fn server_git(scene: &Scene, name: &str, arguments: &[&str]) -> String {
    let mut git = scene.command("git", &scene.bitbucket.repository_path(name));
    git.env_remove("GIT_DIR").args(arguments);
    let output = run_with_input(git, &[]);
    assert!(output.success(), "{}", output.stderr);
    output.stdout
}

const LS_REFS: &str = "capabilities\noption verbosity 1\noption progress false\nconnect git-upload-pack\n\
    0014command=ls-refs\n0016object-format=sha10001000csymrefs\n00000000";

#[test]
fn a_fetch_may_end_anywhere() {
    let scene = scene();
    let whole = helper(&scene, LS_REFS.as_bytes());
    assert_eq!((whole.code, posts(&scene).len()), (Some(0), 1), "{}", whole.stderr);
    for end in 0..LS_REFS.len() {
        scene.bitbucket.clear_requests();
        let cut = helper(&scene, &LS_REFS.as_bytes()[..end]);
        assert!(whole.stdout.starts_with(&cut.stdout), "{end}: {}", cut.stdout);
        // A request is sent when it is complete, and not before.
        let is_asked = end >= LS_REFS.len() - 4;
        assert_eq!(posts(&scene).len(), usize::from(is_asked), "{end}");
    }
}

#[test]
fn a_push_may_end_anywhere_and_changes_nothing() {
    let scene = scene();
    let id = scene.server_git(MAIN, &["rev-parse", "main"]);
    let none = "0".repeat(40);
    let line = format!("{none} {} refs/heads/new\0report-status\n", id.trim());
    let mut input = b"capabilities\nconnect git-receive-pack\n".to_vec();
    input.extend_from_slice(format!("{:04x}{line}0000", line.len() + 4).as_bytes());
    let pack = input.len();
    // The pack of a push of what is there already has nothing in it; its checksum comes last.
    input.extend_from_slice(b"PACK\0\0\0\x02\0\0\0\0");
    input.extend_from_slice(&[
        0x02, 0x9d, 0x08, 0x82, 0x3b, 0xd8, 0xa8, 0xea, 0xb5, 0x10, 0xad, 0x6a, 0xc7, 0x5c, 0x82, 0x3c, 0xfd, 0x3e,
        0xd3, 0x1e,
    ]);
    let before = scene.server_git(MAIN, &["for-each-ref"]);
    for end in 0..input.len() {
        scene.bitbucket.clear_requests();
        helper(&scene, &input[..end]);
        assert_eq!(scene.server_git(MAIN, &["for-each-ref"]), before, "{end}");
        assert!(end >= pack || posts(&scene).is_empty(), "{end}");
    }
    assert_eq!(helper(&scene, &input).code, Some(0));
    assert!(scene.server_git(MAIN, &["for-each-ref"]).contains("refs/heads/new"));
}

/// Sessions that begin in other ways. Where one ends early nothing changes, and what git gets is the beginning of what
/// it would have got.
#[test]
fn every_other_session_may_end_anywhere() {
    let scene = scene();
    scene.git_ok("", &["config", "--global", "protocol.version", "0"]);
    scene.git_ok("", &["init", "--quiet", "--bare", "into"]);
    scene.set("GIT_DIR", scene.path("into"));
    let id = server_git(&scene, MAIN, &["rev-parse", "main"]);
    let id = id.trim();
    let archive = "connect git-upload-archive\n0012argument main\n0000";
    let list = "capabilities\noption verbosity 0\noption progress false\nlist\n\n";
    let fetch = format!("capabilities\noption cloning true\nlist\nfetch {id} refs/heads/main\n\n\n");
    let line = format!("{} {id} refs/heads/opt\0report-status push-options\n", "0".repeat(40));
    let options = format!(
        "connect git-receive-pack\n{:04x}{line}00000008one\n0000",
        line.len() + 4
    );
    let before = server_git(&scene, MAIN, &["for-each-ref"]);
    // The server is git too, and archives over HTTP from 2.44 on.
    let archives = (git_version() >= (2, 44)).then_some((archive, 1, "0008ACK\n"));
    for (session, step, answer) in archives.into_iter().chain([
        (list, 2, "refs/heads/main\n"),
        (fetch.as_str(), 3, "refs/heads/main\n"),
        // Its pack is missing at any rate.
        (options.as_str(), 2, "push-options"),
    ]) {
        let whole = helper(&scene, session.as_bytes());
        assert!(
            whole.stdout.contains(answer),
            "{session:?}: {}{}",
            whole.stdout,
            whole.stderr
        );
        for end in (0..session.len()).step_by(step) {
            let cut = helper(&scene, &session.as_bytes()[..end]);
            // An archive is made anew, and the advertisement of a push has a number that is used once.
            let is_new = session == archive || session == options;
            assert!(
                is_new || whole.stdout.starts_with(&cut.stdout),
                "{session:?} {end}: {}",
                cut.stdout
            );
            let after = server_git(&scene, MAIN, &["for-each-ref"]);
            assert_eq!(after, before, "{session:?} {end}");
        }
    }
}

#[test]
fn impossible_lengths_in_the_middle_are_refused() {
    let scene = scene();
    let none = "0".repeat(40);
    let update = format!("{none} {} refs/heads/bad\0report-status\n", "1".repeat(40));
    let update = format!("{:04x}{update}", update.len() + 4);
    for (service, begin) in [
        ("upload-pack", "0014command=ls-refs\n"),
        ("upload-pack", "0014command=ls-refs\n0016object-format=sha10001"),
        ("receive-pack", update.as_str()),
        ("upload-archive", "0012argument main\n"),
    ] {
        for packet in [
            "0003", "fff1", "FFFF", "zzzz", "+004", "-001", " 004", "0x04", "\0\0\0\0",
        ] {
            scene.bitbucket.clear_requests();
            let said = helper(&scene, format!("connect git-{service}\n{begin}{packet}").as_bytes());
            let what = format!("{service} {begin:?} {packet:?}: {}", said.stderr);
            assert!(said.stderr.starts_with("error: cannot read from git\n"), "{what}");
            assert!(posts(&scene).is_empty(), "{what}");
        }
    }
}

#[test]
fn packets_of_impossible_lengths_are_refused() {
    let scene = scene();
    for service in ["upload-pack", "receive-pack", "upload-archive"] {
        for packet in [
            "0003", "fff1", "ffff", "FFFF", "zzzz", "+004", "-001", " 004", "0x04", "00 4", "\0\0\0\0", "\n\n\n\n",
            "00000004",
        ] {
            scene.bitbucket.clear_requests();
            let said = helper(&scene, format!("connect git-{service}\n{packet}").as_bytes());
            let is_good = packet == "00000004";
            assert!(is_good || !said.success(), "{service} {packet:?}");
            let is_told = said.stderr.contains("cannot read from git");
            assert!(is_good || is_told, "{service} {packet:?}: {}", said.stderr);
            assert!(is_good || posts(&scene).is_empty(), "{service} {packet:?}");
        }
    }
}

#[test]
fn noise_is_refused() {
    let scene = scene();
    let noise = noise(40_000);
    for piece in noise.chunks(400) {
        assert!(!helper(&scene, piece).success());
    }
    // A line without an end is read up to a bound.
    assert!(!helper(&scene, &vec![b'a'; 10_000_000]).success());
    assert!(
        !helper(&scene, &[&b"option depth "[..], &vec![b'9'; 60_000], b"\n\n"].concat())
            .stdout
            .contains("ok")
    );
    assert!(scene.bitbucket.requests().is_empty());
}
