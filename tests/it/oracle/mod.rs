//! The same operation through the product and through `git-remote-https`: whatever it is, the end must be the same.
//!
//! Each operation begins twice with the same repositories, once for each transport, and that for each version of
//! git's protocol. What git says to a person may differ; what it does, and what it says to a program, may not.

mod clone;
mod fetch;
mod kinds;
mod misc;
mod push;
mod push_more;
mod queries;

use std::cell::RefCell;
use std::fmt::Write as _;

use crate::bitbucket::Settings;
use crate::support::fixture;
use crate::support::run::Output;
use crate::support::scene::{Scene, Transport};
use crate::support::state;

/// One of the two ways, with a record of what has come of each command.
pub(crate) struct Side {
    scene: Scene,
    version: u8,
    record: RefCell<String>,
}

impl Side {
    /// Runs git in a directory; its exit status is compared.
    fn git(&self, directory: &str, arguments: &[&str]) -> Output {
        let output = self.scene.git_in(directory, arguments);
        let arguments = self.scene.normalised(&arguments.join(" "));
        self.note(&format!("git {}: {:?}", arguments.trim_end(), output.code));
        output
    }

    /// Like [`Side::git`], and must succeed.
    fn ok(&self, directory: &str, arguments: &[&str]) {
        let output = self.git(directory, arguments);
        assert!(
            output.success(),
            "{:?} v{}: git {arguments:?}: {}{}",
            self.scene.transport,
            self.version,
            output.stdout,
            output.stderr
        );
    }

    /// Runs git, which must fail; how is not compared: a push that git does itself ends with 128 where
    /// `git-remote-https` fails on its behalf and git ends with 1.
    fn fails(&self, directory: &str, arguments: &[&str]) -> String {
        let output = self.scene.git_in(directory, arguments);
        assert!(
            !output.success(),
            "{:?}: git {arguments:?} should have failed",
            self.scene.transport
        );
        output.stderr
    }

    /// Like [`Side::git`]; standard output, made for programs, is compared too.
    fn data(&self, directory: &str, arguments: &[&str]) -> Output {
        let output = self.git(directory, arguments);
        self.note(&self.scene.normalised(&output.stdout));
        output
    }

    fn note(&self, text: &str) {
        writeln!(self.record.borrow_mut(), "{text}").expect("a string can be written to");
    }

    fn url(&self) -> String {
        self.scene.url(fixture::MAIN)
    }

    /// Clones the main repository to `clone`.
    fn cloned(&self) {
        self.ok("", &["clone", "--quiet", &self.url(), "clone"]);
    }

    /// The server's main branch gets one more commit.
    fn server_commits(&self, message: &str) {
        let content = format!("{message}\n");
        self.scene
            .bitbucket
            .commit(fixture::MAIN, "main", message, &[(message, content.as_bytes())]);
    }

    fn server(&self, arguments: &[&str]) -> String {
        self.scene.server_git(fixture::MAIN, arguments)
    }

    fn finish(self) -> String {
        let state = state::describe(&self.scene);
        self.record.into_inner() + &state
    }
}

/// Does `operation` both ways, in the oldest and the newest version of the protocol.
fn same(operation: impl Fn(&Side)) {
    same_with(&[0, 2], &Settings::default(), operation);
}

/// Like [`same`], and in version 1 too, which git's own side treats as version 0 with one more line.
fn same_in_all(operation: impl Fn(&Side)) {
    same_with(&[0, 1, 2], &Settings::default(), operation);
}

/// Like [`same`], for what is the same in every version: of a push, there is but one.
fn same_now(operation: impl Fn(&Side)) {
    same_with(&[2], &Settings::default(), operation);
}

fn same_with(versions: &[u8], settings: &Settings, operation: impl Fn(&Side)) {
    for &version in versions {
        let [ours, theirs] = [Transport::Bbcloud, Transport::Https].map(|transport| {
            let side = Side {
                scene: Scene::with(transport, version, settings.clone()),
                version,
                record: RefCell::default(),
            };
            operation(&side);
            side.finish()
        });
        for (ours, theirs) in ours.lines().zip(theirs.lines()) {
            assert_eq!(ours, theirs, "version {version}");
        }
        assert_eq!(ours, theirs, "version {version}");
    }
}
