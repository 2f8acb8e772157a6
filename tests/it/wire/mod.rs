//! What goes over the wire: every setting and variable that `git-remote-https` honours, and the two side by side.

mod authentication;
mod connections;
mod matrix;
mod proxies;
mod redirects;
mod retries;
mod traces;
mod trust;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::bitbucket::{API_TOKEN_USER, Account, Bitbucket, Settings, Tls, command, run_limited};
use crate::support::canary::{self, Canary};

const TOKEN: &str = "ATATT-wire";
const LIMIT: Duration = Duration::from_secs(60);

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Helper,
    Git,
}

/// A server with one private repository, and a home for git.
struct Scene {
    bitbucket: Bitbucket,
    home: TempDir,
    canary: Canary,
    settings: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Scene {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        let secure = settings.tls != Tls::Off;
        let bitbucket = Bitbucket::start(settings);
        bitbucket.create_repository("acme/widgets");
        bitbucket.commit("acme/widgets", "main", "Begin", &[("README.md", b"# Widgets\n")]);
        bitbucket.commit("acme/widgets", "main", "Go on", &[("more", b"more\n")]);
        bitbucket.add_account(Account::api_token("ada", TOKEN));
        let ca = bitbucket.ca_file();
        let home = tempfile::tempdir().expect("a temporary directory");
        let scene = Self {
            bitbucket,
            canary: Canary::new(home.path()),
            home,
            settings: Vec::new(),
            variables: Vec::new(),
        };
        if secure { scene.set("http.sslCAInfo", ca) } else { scene }
    }

    /// With `-c key=value`.
    fn set(mut self, key: &str, value: impl AsRef<Path>) -> Self {
        self.settings.push(format!("{key}={}", value.as_ref().display()));
        self
    }

    /// Without what was set for `key`.
    fn unset(mut self, key: &str) -> Self {
        self.settings.retain(|setting| !setting.starts_with(&format!("{key}=")));
        self
    }

    fn variable(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.variables
            .push((name.to_owned(), value.as_ref().display().to_string()));
        self
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn url(&self, by: By, name: &str) -> String {
        let base = self.bitbucket.base_url();
        let (scheme, rest) = base.split_once("://").expect("a URL has a scheme");
        match by {
            By::Helper => format!("bbcloud::{name}"),
            By::Git => format!("{scheme}://{API_TOKEN_USER}:{TOKEN}@{rest}/{name}.git"),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut git = self.program("git");
        git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
            .args(self.settings.iter().flat_map(|setting| ["-c", setting]))
            .args(arguments);
        // Git's own helper has the secret in its URL.
        if arguments.iter().any(|argument| argument.contains(TOKEN)) {
            canary::not_traced(&mut git);
            git.envs(self.variables.iter().map(|(name, value)| (name, value)));
        }
        git
    }

    fn program(&self, name: &str) -> Command {
        let mut program = command(name, self.home.path());
        program
            .env("PATH", path())
            .env("BBCLOUD_BASE_URL", self.bitbucket.base_url())
            .env("BBCLOUD_TOKEN", TOKEN)
            .env("GIT_AUTHOR_DATE", "@1700000000 +0000")
            .env("GIT_COMMITTER_DATE", "@1700000000 +0000")
            .envs(self.canary.variables())
            .current_dir(self.home.path());
        if self.variables.iter().any(|(name, _)| name == "GIT_TRACE_CURL") {
            // A test's own trace is not bounded as the canary's is.
            program.env_remove("GIT_TRACE_CURL_NO_DATA");
        }
        program.envs(self.variables.iter().map(|(name, value)| (name, value)));
        program
    }

    /// Makes the next session begin with asking for the advertisement.
    fn forget_advertisements(&self) {
        std::fs::remove_dir_all(self.file(".cache")).ok();
    }

    fn git(&self, arguments: &[&str]) -> Output {
        let command = self.command(arguments);
        let heard = canary::Heard::of(&command);
        let output = run_limited(command, LIMIT);
        heard.search(&[&told(&output), &said(&output)]);
        output
    }

    /// Lists the server's refs through the helper.
    fn ls_remote(&self) -> Output {
        self.git(&["ls-remote", "--exit-code", "bbcloud::acme/widgets", "main"])
    }

    #[track_caller]
    fn works(&self) -> String {
        let output = self.ls_remote();
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    }

    #[track_caller]
    fn fails(&self) -> String {
        let output = self.ls_remote();
        assert!(!output.status.success(), "it should have failed");
        said(&output)
    }

    #[track_caller]
    fn git_ok(&self, arguments: &[&str]) -> String {
        let output = self.git(arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", said(&output));
        told(&output)
    }
}

/// What the helper was trusted with is nowhere but with the server.
impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.canary.check(&self.bitbucket);
        }
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The helper first, then what the tests were started with.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests' own search path is put behind the helper"
)]
pub(crate) fn path() -> &'static std::ffi::OsStr {
    static PATH: OnceLock<std::ffi::OsString> = OnceLock::new();
    PATH.get_or_init(|| {
        let helper = Path::new(env!("CARGO_BIN_EXE_git-remote-bbcloud"));
        let directory = helper.parent().expect("a program is in a directory").to_owned();
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(directory).chain(std::env::split_paths(&inherited));
        std::env::join_paths(all).expect("directories that were split can be joined")
    })
}

/// A program for `GIT_ASKPASS` that answers every question with `answer` and notes the questions.
#[cfg(unix)]
fn askpass(scene: &Scene, answer: &str) -> PathBuf {
    let program = scene.file("askpass");
    scene.canary.excuse_file(&program);
    let log = scene.file("questions");
    crate::support::program::program(
        &program,
        &format!(
            "{}\necho \"$1\" >>'{}'\necho '{answer}'",
            scene.canary.recorder(),
            log.display()
        ),
    )
}
