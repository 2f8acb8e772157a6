//! One server, one sandbox for git, and one way between them.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::canary::{Canary, TRACES};
use super::fixture;
use super::program::program;
use super::run::{Output, run_with_input};
use crate::bitbucket::{API_TOKEN_USER, Account, Bitbucket, Settings, command};

/// The secret that opens everything. Its shape says that it is an API token.
pub(crate) const TOKEN: &str = "ATATT-full";

/// The setting that [`Scene::slow_down_pushes`] needs.
pub(crate) const SLOW_PUSH: &str = "core.hooksPath=.git/slow";

/// How git gets to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Through the product.
    Bbcloud,
    /// Through git's own `git-remote-https`, the oracle.
    Https,
}

/// A server with the repositories of [`fixture`], and a home for git.
pub(crate) struct Scene {
    pub(crate) bitbucket: Bitbucket,
    pub(crate) transport: Transport,
    sandbox: TempDir,
    variables: RefCell<Vec<(OsString, Option<OsString>)>>,
    canary: Canary,
    /// Whether the canary has been asked already.
    searched: Cell<bool>,
}

impl Scene {
    /// Through the product, as most tests want it.
    pub(crate) fn new() -> Self {
        Self::with(Transport::Bbcloud, 2, Settings::default())
    }

    pub(crate) fn with(transport: Transport, version: u8, settings: Settings) -> Self {
        let sandbox = tempfile::tempdir().expect("a temporary directory");
        let root = sandbox.path().join("server");
        fixture::place(&root);
        let settings = Settings {
            root: Some(root),
            ..settings
        };
        let bitbucket = Bitbucket::start(settings);
        bitbucket.add_account(Account::api_token("ada", TOKEN));
        let scene = Self {
            bitbucket,
            transport,
            canary: Canary::new(sandbox.path()),
            sandbox,
            variables: RefCell::default(),
            searched: Cell::default(),
        };
        fs::create_dir_all(scene.work()).expect("a directory can be made");
        fs::create_dir_all(scene.home()).expect("a directory can be made");
        let config = format!(
            "[protocol]\n\tversion = {version}\n[user]\n\tname = Ada\n\temail = ada@example.com\n\
             [init]\n\tdefaultBranch = main\n[core]\n\tfsync = none\n[advice]\n\tdetachedHead = false\n[gc]\n\tauto = 0\n\
             [maintenance]\n\tauto = false\n"
        );
        fs::write(scene.home().join(".gitconfig"), config).expect("a file can be written");
        if scene.bitbucket.base_url().starts_with("https") {
            scene.set("GIT_SSL_CAINFO", scene.bitbucket.ca_file());
        }
        if transport == Transport::Bbcloud {
            scene.set("BBCLOUD_BASE_URL", scene.bitbucket.base_url());
            scene.set("BBCLOUD_TOKEN", TOKEN);
            for (name, value) in scene.canary.variables() {
                scene.set(name, value);
            }
        }
        scene
    }

    /// Where commands run; the space in its name is on purpose.
    pub(crate) fn work(&self) -> PathBuf {
        self.sandbox.path().join("my work")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.sandbox.path().join("home")
    }

    /// A file or directory below [`Scene::work`].
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.work().join(name)
    }

    /// Sets a variable for all that follows.
    pub(crate) fn set(&self, name: &str, value: impl Into<OsString>) {
        self.variables.borrow_mut().push((name.into(), Some(value.into())));
    }

    pub(crate) fn unset(&self, name: &str) {
        self.variables.borrow_mut().push((name.into(), None));
    }

    /// Says that the test itself has a secret in this file, or will have it there.
    pub(crate) fn excuse_file(&self, path: impl Into<PathBuf>) {
        self.canary.excuse_file(path);
    }

    /// Says that commands of the test itself have secrets in their arguments, as their subject: what git traces of them
    /// is not searched, but what they say is, and what the product hands on.
    pub(crate) fn excuse_traces(&self) {
        self.canary.excuse_traces();
    }

    /// See [`Canary::recorder`].
    pub(crate) fn recorder(&self) -> String {
        self.canary.recorder()
    }

    /// Does `work` without traces: the test itself puts a secret into arguments there, and git traces its arguments.
    pub(crate) fn untraced<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.variables.borrow().len();
        for name in TRACES {
            self.unset(name);
        }
        let done = work();
        let during: Vec<_> = self.variables.borrow_mut().drain(before..).collect();
        let kept = during
            .into_iter()
            .filter(|(name, _)| !TRACES.iter().any(|trace| name == trace));
        self.variables.borrow_mut().extend(kept);
        done
    }

    /// Looks for the secrets now, and not at the end.
    pub(crate) fn search(&self) {
        self.canary.check(&self.bitbucket);
    }

    /// Says that what is found has been seen to.
    pub(crate) fn forget_leaks(&self) {
        self.searched.set(true);
    }

    /// The address of a repository, as the user of this transport writes it.
    pub(crate) fn url(&self, name: &str) -> String {
        match self.transport {
            Transport::Bbcloud => format!("bbcloud::{name}"),
            Transport::Https => self.https_url(name),
        }
    }

    /// The address for `git-remote-https`, secret included.
    pub(crate) fn https_url(&self, name: &str) -> String {
        let base = self.bitbucket.base_url();
        let (scheme, rest) = base.split_once("://").expect("a URL has a scheme");
        let name = match name.strip_suffix("/wiki") {
            Some(repository) => format!("{repository}.git/wiki"),
            None => format!("{name}.git"),
        };
        format!("{scheme}://{API_TOKEN_USER}:{TOKEN}@{rest}/{name}")
    }

    /// `program` in the sandbox, with the product on its path and nothing else of the world outside.
    pub(crate) fn command(&self, program: &str, directory: &Path) -> Command {
        let mut command = command(program, &self.home());
        let helper = Path::new(env!("CARGO_BIN_EXE_git-remote-bbcloud"));
        let mut path = helper
            .parent()
            .expect("a file is in a directory")
            .as_os_str()
            .to_owned();
        let inherited = command
            .get_envs()
            .find(|(name, _)| *name == "PATH")
            .and_then(|(_, value)| value);
        if let Some(inherited) = inherited {
            path.push(if cfg!(windows) { ";" } else { ":" });
            path.push(inherited);
        }
        command
            .env("PATH", path)
            .env("TMPDIR", self.sandbox.path())
            .env("GIT_AUTHOR_DATE", "1760000000 +0000")
            .env("GIT_COMMITTER_DATE", "1760000000 +0000")
            .current_dir(directory);
        for (name, value) in self.variables.borrow().iter() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Runs git in a directory below [`Scene::work`].
    pub(crate) fn git_in(&self, directory: &str, arguments: &[&str]) -> Output {
        self.git_with_input(directory, arguments, &[])
    }

    pub(crate) fn git_with_input(&self, directory: &str, arguments: &[&str], input: &[u8]) -> Output {
        let mut git = self.command("git", &self.path(directory));
        git.args(arguments);
        run_with_input(git, input)
    }

    /// Runs git in [`Scene::work`].
    pub(crate) fn git(&self, arguments: &[&str]) -> Output {
        self.git_in("", arguments)
    }

    /// Succeeds or panics with what git said. Returns what it wrote to standard output.
    pub(crate) fn git_ok(&self, directory: &str, arguments: &[&str]) -> String {
        let output = self.git_in(directory, arguments);
        assert!(
            output.success(),
            "git {arguments:?}: {}{}",
            output.stdout,
            output.stderr
        );
        output.stdout
    }

    /// Runs git on the server, in one of its repositories.
    pub(crate) fn server_git(&self, name: &str, arguments: &[&str]) -> String {
        let mut git = self.command("git", &self.bitbucket.repository_path(name));
        git.args(arguments);
        let output = run_with_input(git, &[]);
        assert!(output.success(), "git {arguments:?}: {}", output.stderr);
        output.stdout
    }

    /// Writes `content` to a file and commits it, in the working tree `directory`.
    pub(crate) fn commit(&self, directory: &str, file: &str, content: &[u8]) {
        fs::write(self.path(directory).join(file), content).expect("a file can be written");
        self.git_ok(directory, &["add", file]);
        self.git_ok(directory, &["commit", "--quiet", "-m", file]);
    }

    /// Clones [`fixture::MAIN`] to `clone`.
    pub(crate) fn cloned(&self) {
        self.git_ok("", &["clone", "--quiet", &self.url(fixture::MAIN), "clone"]);
    }

    /// Makes a hook of a server's repository.
    pub(crate) fn hook(&self, name: &str, hook: &str, script: &str) {
        let hooks = self.bitbucket.repository_path(name).join("hooks");
        fs::create_dir_all(&hooks).expect("a directory can be made");
        program(hooks.join(hook), script);
    }

    /// Has pushes from the working tree `directory` wait between the server's references and their own commands, where
    /// they have [`SLOW_PUSH`] as a setting: what the server does after an answer has come to the client by then.
    pub(crate) fn slow_down_pushes(&self, directory: &str, seconds: &str) {
        let hooks = self.path(directory).join(".git/slow");
        fs::create_dir_all(&hooks).expect("a directory can be made");
        program(hooks.join("pre-push"), &format!("exec sleep {seconds}"));
    }

    /// `text` without what differs from one scene, or one transport, to another.
    pub(crate) fn normalised(&self, text: &str) -> String {
        let base = self.bitbucket.base_url();
        let with_secret = self.https_url("");
        let with_secret = with_secret.trim_end_matches(".git");
        text.replace(with_secret, "<>")
            .replace(&format!("{base}/"), "<>")
            .replace("bbcloud::", "<>")
            .replace(&base, "<>")
            .replace(&format!("localhost:{}", self.bitbucket.port()), "localhost:<port>")
            .replace(&self.sandbox.path().display().to_string(), "<sandbox>")
            .replace(".git/wiki", "/wiki")
            .lines()
            .map(without_git)
            .collect()
    }
}

/// What the product was trusted with is nowhere but with the server.
impl Drop for Scene {
    fn drop(&mut self) {
        // The oracle has the secret in its URLs.
        if !std::thread::panicking() && self.transport == Transport::Bbcloud && !self.searched.get() {
            self.search();
        }
    }
}

/// `<>acme/widgets.git` is `<>acme/widgets`.
fn without_git(line: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("<>") {
        let end = after.find([' ', '\t', '\'']).unwrap_or(after.len());
        let (name, later) = after.split_at(end);
        shown += before;
        shown += "<>";
        shown += name.strip_suffix(".git").unwrap_or(name);
        rest = later;
    }
    shown + rest + "\n"
}
