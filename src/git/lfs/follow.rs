//! Brings what a repository's configuration says for git-lfs up to date, while git waits for an answer: it writes the
//! same file itself.
//!
//! Does not depend on which lines are needed.

use std::path::PathBuf;

use super::edits::{Edit, Settings};
use super::endpoint::Moment;
use super::{Locate, is_installed, own, pushes_large_files};
use crate::environment::Environment;
use crate::environment::variable::GIT_WORK_TREE;
use crate::git::config::{Config, Remote};
use crate::git::document::Document;
use crate::git::layout::Layout;
use crate::git::replace::{Next, Patience, replace};
use crate::git::sources;
use crate::report::Failure;

/// The repository whose configuration git-lfs reads.
#[derive(Debug, Clone)]
pub struct Repository {
    git_dir: PathBuf,
    config_file: PathBuf,
    work_tree: PathBuf,
}

impl Repository {
    /// Returns the repository that git runs the helper for, if it has git-lfs and is one.
    pub fn of(config: &Config, environment: &Environment) -> Option<Self> {
        let git_dir = sources::repository(environment).filter(|_| is_installed(config))?;
        Self::at(git_dir, environment)
    }

    fn at(git_dir: PathBuf, environment: &Environment) -> Option<Self> {
        let config_file = sources::common(&git_dir, environment).ok()?.join("config");
        let work_tree = environment.path(&GIT_WORK_TREE);
        config_file.is_file().then(|| Self {
            git_dir,
            config_file,
            // Git runs its programs at the top of the work tree.
            work_tree: work_tree.unwrap_or_else(|| PathBuf::from(".")),
        })
    }

    /// Returns the repository at `place`.
    pub fn in_place(place: Layout) -> Self {
        Self {
            config_file: place.common_dir.join("config"),
            work_tree: place.work_tree.unwrap_or_else(|| place.git_dir.clone()),
            git_dir: place.git_dir,
        }
    }

    /// Whether a push from here uploads large files.
    pub fn pushes_large_files(&self, config: &Config) -> bool {
        pushes_large_files(self.config_file.parent().unwrap_or(&self.git_dir), config)
    }

    /// Reads the configuration anew.
    pub fn config(&self, environment: &Environment) -> Result<Config, Failure> {
        Config::load_for(Some(&self.git_dir), environment)
    }

    /// Returns what is out of date in `config`.
    pub fn edits(&self, config: &Config, pushing: Option<(&str, Moment<'_>)>, locate: Locate<'_>) -> Vec<Edit> {
        let committed = own::values(&self.work_tree);
        Settings { config, committed }.edits(pushing, locate)
    }

    /// As [`Repository::edits`], for `remote` alone, which need not be as `config` has it.
    pub fn edits_for(&self, remote: &Remote, config: &Config, locate: Locate<'_>) -> Vec<Edit> {
        let committed = own::values(&self.work_tree);
        Settings { config, committed }.for_remote(remote, Moment::Between, locate)
    }

    /// Brings every remote up to date. Returns the edits that were needed.
    pub fn follow(
        &self,
        config: &Config,
        pushing: Option<(&str, Moment<'_>)>,
        locate: Locate<'_>,
        environment: &Environment,
    ) -> Result<Vec<Edit>, Failure> {
        if self.edits(config, pushing, locate).is_empty() {
            return Ok(Vec::new());
        }
        let mut done = Vec::new();
        self.change(config, |document| {
            // Another process may have written it since `config` was read; while the file is locked, none does.
            let now = self.config(environment)?;
            done = self.edits(&now, pushing, locate);
            done.iter().try_for_each(|edit| edit.apply(document))
        })?;
        Ok(done)
    }

    /// Returns the lines by which git-lfs finds `endpoint` for a push to the address `name`, which is no remote's name.
    pub fn lent(&self, name: &str, endpoint: &str, config: &Config) -> Vec<Edit> {
        let committed = own::values(&self.work_tree);
        Settings { config, committed }.lent(name, endpoint)
    }

    /// Makes `edits`; how long a locked file is waited for is as `config` says.
    pub fn apply(&self, edits: &[Edit], config: &Config) -> Result<(), Failure> {
        self.change(config, |document| {
            edits.iter().try_for_each(|edit| edit.apply(document))
        })
    }

    fn change(
        &self,
        config: &Config,
        change: impl FnOnce(&mut Document) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // A link may lead to a file of the user's, which whoever made this repository must not change.
        if self.config_file.is_symlink() {
            return Ok(());
        }
        replace(&self.config_file, Patience::of(config)?, |text: Option<&[u8]>| {
            let text = text.unwrap_or_default();
            let mut document = Document::parse(text, &self.config_file.display().to_string())?;
            change(&mut document)?;
            let after = document.to_bytes();
            Ok(if *after == *text { Next::Keep } else { Next::Text(after) })
        })
    }
}
