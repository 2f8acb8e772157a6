//! Git's configuration: every file that git would read here, in git's order, and its command line.
//!
//! It must not know what a key means. A repository's own file is written by whoever made the repository: what
//! decides where secrets go is read through [`Config::trusted`].

use std::fmt;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice as _;

use super::entry::{Entry, Prefixes, reset};
use super::{load, sources};
use crate::environment::Environment;
use crate::environment::variable::GIT_DIR;
use crate::report::Failure;

/// All values of git's configuration, in the order in which later ones win.
pub struct Config {
    pub(super) entries: Vec<Entry>,
    pub(super) places: Prefixes,
}

/// A remote of the repository, as the configuration has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name.
    pub name: String,
    /// Every `url`, in order; git fetches from the first one.
    pub urls: Vec<String>,
    /// Every `pushurl`, in order; where there is none, git pushes to `urls`.
    pub push_urls: Vec<String>,
}

impl Config {
    /// Reads the configuration that git has for `GIT_DIR`, or outside of a repository where that is unset.
    ///
    /// Fails where a file cannot be read or parsed; a file that is not there is none.
    pub fn load(environment: &Environment) -> Result<Self, Failure> {
        Self::load_for(sources::repository(environment).as_deref(), environment)
    }

    /// Like [`Config::load`], but where `GIT_DIR` is unset git is asked for the repository of the current directory.
    ///
    /// For commands that people start. It costs a process, and has git's own say on whom to trust.
    pub fn discover(environment: &Environment) -> Result<Self, Failure> {
        if environment.has(&GIT_DIR) {
            return Self::load(environment);
        }
        let output = super::command().args(["rev-parse", "--absolute-git-dir"]).output();
        let directory = output.ok().filter(|output| output.status.success()).and_then(|output| {
            let line = output.stdout.trim_end_with(|c| matches!(c, '\n' | '\r'));
            Some(gix::path::from_byte_slice(line).ok()?.to_owned())
        });
        Self::load_for(directory.as_deref(), environment)
    }

    /// Reads the configuration that git has for the repository whose directory `git_dir` is.
    pub fn load_for(git_dir: Option<&Path>, environment: &Environment) -> Result<Self, Failure> {
        let mut places = Prefixes {
            home: environment.home(),
            prefix: sources::prefix(environment),
        };
        let entries = load::entries(git_dir, &mut places, environment)?;
        Ok(Self { entries, places })
    }

    /// Returns the same values without those of a repository's own files and what they include.
    pub fn trusted(&self) -> Values<'_> {
        Values {
            config: self,
            only_trusted: true,
        }
    }

    fn values(&self) -> Values<'_> {
        Values {
            config: self,
            only_trusted: false,
        }
    }

    /// Returns the value of `key` as text; the last one wins. `None` if there is none, or a name without `=`.
    pub fn text(&self, key: &str) -> Option<String> {
        self.values().text(key)
    }

    /// Returns every value of `key`, in order, empty ones too.
    pub fn all(&self, key: &str) -> Vec<String> {
        self.values().all(key)
    }

    /// Returns the values of `key` after the last empty one, which begins a list anew.
    pub fn list(&self, key: &str) -> Vec<String> {
        self.values().list(key)
    }

    /// Returns the value of `key` as a boolean; fails on any other word.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, Failure> {
        self.values().flag(key)
    }

    /// Returns the value of `key` as a number, `k`, `m` and `g` multiplied out; fails if it is none.
    pub fn number(&self, key: &str) -> Result<Option<i64>, Failure> {
        self.values().number(key)
    }

    /// Returns the value of `key` as a path with `~` expanded; fails if it cannot be.
    pub fn path(&self, key: &str) -> Result<Option<PathBuf>, Failure> {
        self.values().path(key)
    }

    /// Returns every value of `<section>.<subsection>.<name>` with its subsection, in order.
    pub fn by_subsection(&self, section: &str, name: &str) -> Vec<(String, String)> {
        let of_name =
            |entry: &&Entry| entry.section.eq_ignore_ascii_case(section) && entry.name.eq_ignore_ascii_case(name);
        let pair = |entry: &Entry| Some((entry.subsection.as_ref()?.to_str_lossy().into_owned(), entry.text()?));
        self.entries.iter().filter(of_name).filter_map(pair).collect()
    }

    /// Whether git asks the credential helper `program` about `url`, which has no user name.
    pub fn has_credential_helper(&self, url: &str, program: &str) -> bool {
        let helpers = self
            .entries
            .iter()
            .filter(|entry| entry.section == "credential" && entry.name == "helper");
        let mut found = false;
        for entry in helpers {
            let place = entry.subsection.as_ref().map(|place| place.to_str_lossy());
            let covers = place.is_none_or(|place| {
                let rest = url.strip_prefix(place.trim_end_matches('/'));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            match entry.text() {
                Some(text) if covers && text.is_empty() => found = false,
                Some(text) if covers && text == program => found = true,
                _ => {}
            }
        }
        found
    }

    /// Returns the file that `git config --global` writes to; `None` for a user without a home.
    pub fn global_file(environment: &Environment) -> Option<PathBuf> {
        sources::global_file(environment)
    }

    /// Whether git that runs this process has a remote `name`: in its configuration, or in a file as old gits wrote them
    /// (gitrepository-layout(5), `remotes` and `branches`).
    pub fn has_remote(name: &str, environment: &Environment) -> bool {
        let configured = || {
            Some(
                Self::load(environment)
                    .ok()?
                    .remotes()
                    .iter()
                    .any(|remote| remote.name == name),
            )
        };
        let common = || sources::common(&sources::repository(environment)?, environment).ok();
        let is_file = || {
            common().is_some_and(|common| {
                ["remotes", "branches"]
                    .iter()
                    .any(|kind| common.join(kind).join(name).exists())
            })
        };
        configured() == Some(true) || is_file()
    }

    /// Returns the remotes in the order in which they are first named.
    pub fn remotes(&self) -> Vec<Remote> {
        let mut remotes: Vec<Remote> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.section == "remote") {
            let (Some(name), Some(url)) = (&entry.subsection, entry.text()) else {
                continue;
            };
            let name = name.to_str_lossy();
            let at = remotes
                .iter()
                .position(|remote| remote.name == name)
                .unwrap_or(remotes.len());
            if at == remotes.len() {
                remotes.push(Remote {
                    name: name.into_owned(),
                    urls: Vec::new(),
                    push_urls: Vec::new(),
                });
            }
            match (entry.name.as_str(), remotes.get_mut(at)) {
                ("url", Some(remote)) => remote.urls.push(url),
                ("pushurl", Some(remote)) => remote.push_urls.push(url),
                _ => {}
            }
        }
        remotes
    }
}

/// Their number only: values may hold secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("values", &self.entries.len())
            .finish_non_exhaustive()
    }
}

/// The values of a [`Config`], or the trusted ones among them.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    config: &'a Config,
    only_trusted: bool,
}

impl Values<'_> {
    /// As [`Config::text`].
    pub fn text(&self, key: &str) -> Option<String> {
        self.last(key)?.text()
    }

    /// As [`Config::all`].
    pub fn all(&self, key: &str) -> Vec<String> {
        self.each(key).filter_map(Entry::text).collect()
    }

    /// As [`Config::list`].
    pub fn list(&self, key: &str) -> Vec<String> {
        reset(self.each(key).filter_map(Entry::text))
    }

    /// As [`Config::flag`].
    pub fn flag(&self, key: &str) -> Result<Option<bool>, Failure> {
        self.last(key).map(Entry::flag).transpose()
    }

    /// As [`Config::number`].
    pub fn number(&self, key: &str) -> Result<Option<i64>, Failure> {
        self.last(key).map(Entry::number).transpose()
    }

    /// As [`Config::path`].
    pub fn path(&self, key: &str) -> Result<Option<PathBuf>, Failure> {
        Ok(self
            .last(key)
            .map(|entry| entry.path(&self.config.places))
            .transpose()?
            .flatten())
    }

    fn each(&self, key: &str) -> impl DoubleEndedIterator<Item = &Entry> {
        let counts = |entry: &&Entry| entry.trusted || !self.only_trusted;
        self.config
            .entries
            .iter()
            .filter(counts)
            .filter(move |entry| entry.is(key))
    }

    fn last(&self, key: &str) -> Option<&Entry> {
        self.each(key).next_back()
    }
}
