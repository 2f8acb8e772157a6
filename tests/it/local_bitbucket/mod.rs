//! The local Bitbucket itself, driven by git's own https transport: what the other tests stand on.

mod answers;
mod faults;
mod git;
mod wire;

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use tempfile::TempDir;

use crate::bitbucket::{API_TOKEN_USER, Account, Bitbucket, Settings, command, run_limited};

const TOKEN: &str = "ATATT-full";
const APP_PASSWORD: &str = "ATBB-full";
const LIMIT: Duration = Duration::from_secs(30);

/// A server with one private repository of one commit, and a home for git.
struct Scene {
    bitbucket: Bitbucket,
    home: TempDir,
}

impl Scene {
    fn new(settings: Settings) -> Self {
        let bitbucket = Bitbucket::start(settings);
        bitbucket.create_repository("acme/widgets");
        bitbucket.commit("acme/widgets", "main", "Begin", &[("README.md", b"# Widgets\n")]);
        bitbucket.add_account(Account::api_token("ada", TOKEN));
        bitbucket.add_account(Account::app_password("ada", APP_PASSWORD));
        Self {
            bitbucket,
            home: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    fn url_as(&self, user: &str, secret: &str, path: &str) -> String {
        let base = self.bitbucket.base_url();
        let (scheme, rest) = base.split_once("://").expect("a URL has a scheme");
        format!("{scheme}://{user}:{secret}@{rest}/{path}")
    }

    fn url(&self, path: &str) -> String {
        self.url_as(API_TOKEN_USER, TOKEN, path)
    }

    fn git_in(&self, directory: &Path, arguments: &[&str]) -> Output {
        let mut git = command("git", self.home.path());
        git.env("GIT_SSL_CAINFO", self.bitbucket.ca_file())
            .arg("-C")
            .arg(directory);
        git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
            .args(arguments);
        run_limited(git, LIMIT)
    }

    fn git(&self, arguments: &[&str]) -> Output {
        self.git_in(self.home.path(), arguments)
    }

    /// Succeeds or panics with what git said.
    fn git_ok(&self, arguments: &[&str]) -> String {
        let output = self.git(arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn git_fails(&self, arguments: &[&str]) -> String {
        let output = self.git(arguments);
        assert!(!output.status.success(), "git {arguments:?} should have failed");
        said(&output)
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn wait_for<T>(mut ready: impl FnMut() -> Option<T>) -> T {
    for _ in 0..2000 {
        if let Some(value) = ready() {
            return value;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it has not come to pass in ten seconds");
}
