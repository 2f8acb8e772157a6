//! Tests that cannot show anything on this machine: they say so, and are counted as skipped with their reason.

use std::path::Path;
use std::sync::OnceLock;

use super::run::run;
use super::scene::Scene;
use crate::bitbucket::command;

/// Says why the test that returns now has shown nothing. `tests/support/run-tests.sh` counts these lines.
#[expect(clippy::print_stdout, reason = "the runner of the tests counts these lines")]
pub(crate) fn skip(reason: &str) {
    println!("skipped: {reason}");
}

/// What git gets archives over HTTP with.
pub(crate) const ARCHIVE: &str = "has archives over HTTP";

/// Whether the git of the tests is `major.minor` or newer; the test that asks is skipped if it is not.
pub(crate) fn has_git(major: u32, minor: u32, why: &str) -> bool {
    let found = git_version();
    if found < (major, minor) {
        skip(&format!(
            "git {major}.{minor} {why}; this is git {}.{}",
            found.0, found.1
        ));
    }
    found >= (major, minor)
}

/// The first two numbers of `git --version`.
pub(crate) fn git_version() -> (u32, u32) {
    static VERSION: OnceLock<(u32, u32)> = OnceLock::new();
    *VERSION.get_or_init(|| {
        let mut git = command("git", Path::new("/"));
        git.arg("--version");
        let said = run(git).stdout;
        let mut numbers = said.trim_start_matches("git version ").split('.').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
            _ => panic!("not a version of git: {said}"),
        }
    })
}

/// Whether `program` is on the search path; the test that asks is skipped if it is not.
pub(crate) fn has_program(scene: &Scene, program: &str) -> bool {
    let mut shell = scene.command("sh", &scene.work());
    shell.args(["-c", &format!("command -v {program}")]);
    let found = run(shell).success();
    if !found {
        skip(&format!("'{program}' is not installed"));
    }
    found
}
