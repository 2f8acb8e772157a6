//! What is refused or breaks: git fails, nothing has changed on either side, and the user reads why and what to do.

mod answers;
mod broken;
mod unreachable;

use crate::bitbucket::{Action, Fault, Settings};
use crate::support::fixture::MAIN;
use crate::support::scene::{Scene, Transport};
use crate::support::state;

const FETCH: &[&str] = &["fetch", "--quiet"];
const PUSH: &[&str] = &["push", "--quiet", "origin", "main"];

/// A clone that has something to push, of a server that has something to fetch.
fn scene() -> Scene {
    scene_with(2)
}

fn scene_with(version: u8) -> Scene {
    let scene = Scene::with(Transport::Bbcloud, version, Settings::default());
    // The first request is to be refused, too.
    scene.set("BBCLOUD_CACHE", "false");
    scene.cloned();
    scene.bitbucket.commit(MAIN, "topic", "Later", &[("later", b"later\n")]);
    scene.commit("clone", "mine", b"mine\n");
    scene
}

/// Runs git, which must fail and change nothing. Returns our lines of what it said.
fn refused(scene: &Scene, arguments: &[&str]) -> String {
    let before = (state::describe_clients(scene), refs(scene));
    let output = scene.git_in("clone", arguments);
    assert!(
        !output.success(),
        "git {arguments:?} should have failed: {}",
        output.stderr
    );
    // A pack that came whole before something broke leaves objects that nothing names.
    scene.git_ok("clone", &["prune", "--expire=now"]);
    let after = (state::describe_clients(scene), refs(scene));
    assert_eq!(before.1, after.1, "the server has changed");
    assert_eq!(before.0, after.0, "the clone has changed");
    ours(scene, &output.stderr)
}

fn refs(scene: &Scene) -> String {
    scene.server_git(MAIN, &["for-each-ref"])
}

/// The lines that are not git's own.
fn ours(scene: &Scene, stderr: &str) -> String {
    let lines = stderr.lines().filter(|line| {
        ["error: ", "caused by: ", "remote: ", "hint: ", "warning: "]
            .iter()
            .any(|prefix| line.starts_with(prefix))
            // What git adds after its transport has failed.
            && !line.starts_with("error: failed to push some refs")
    });
    let said = scene.normalised(&lines.collect::<Vec<_>>().join("\n"));
    // The local Bitbucket numbers its requests.
    match said.split_once("5ca1ab1e") {
        Some((before, after)) => format!(
            "{before}<id>{}",
            after.trim_start_matches(|c: char| c.is_ascii_hexdigit())
        ),
        None => said,
    }
}

fn check(said: &str, expected: &str) {
    assert!(said == expected, "--- said\n{said}--- expected\n{expected}");
}

/// Like [`refused`], with `action` for every request whose path contains `path`.
fn refused_with(scene: &Scene, path: &str, action: Action, arguments: &[&str]) -> String {
    scene.bitbucket.fault(Fault::on(path, action).always());
    let said = refused(scene, arguments);
    scene.bitbucket.clear_faults();
    said
}
