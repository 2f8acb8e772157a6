//! One repository's configuration files: read, changed together, and written one after the other.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::keep::Keeper;
use super::meaning::Meaning;
use super::no_remote;
use super::plan::{Change, Choice, Plan, choose};
use super::record::{Entry, Record};
use crate::cli::scene::{Scene, print};
use crate::git::config::{Config, Remote};
use crate::git::document::{Document, Key};
use crate::git::lfs;
use crate::git::lfs::edits::Edit;
use crate::git::place::{Place, is_below};
use crate::git::replace::{Locked, Next};
use crate::report::{Failure, Kind};
use crate::repository;

/// What became of a repository.
pub(super) struct Outcome {
    pub(super) good: bool,
    pub(super) changed: usize,
}

/// A configuration file with its text as it was read.
pub(super) struct Text {
    /// Where it is, seen from the directory that all work trees share.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) before: Zeroizing<Vec<u8>>,
    pub(super) document: Document,
}

/// A repository with its configuration files.
pub(super) struct Site {
    pub(super) place: Place,
    pub(super) shown: String,
    config: Config,
    texts: Vec<Text>,
}

impl Site {
    pub(super) fn open(place: Place, scene: &Scene<'_>) -> Result<Self, Failure> {
        let config = Config::load_for(Some(&place.git_dir), scene.environment)?;
        let mut texts = Vec::new();
        for path in [place.common_dir.join("config"), place.git_dir.join("config.worktree")] {
            texts.extend(Text::read(&place, &path, texts.is_empty())?);
        }
        let shown = place.work_tree.as_ref().unwrap_or(&place.git_dir).display().to_string();
        Ok(Self {
            place,
            shown,
            config,
            texts,
        })
    }

    /// Migrates what `choice` means. What cannot be is told and left alone.
    pub(super) fn migrate(
        mut self,
        choice: &Choice,
        dry_run: bool,
        keeper: &Keeper<'_, '_>,
    ) -> Result<Outcome, Failure> {
        let scene = keeper.scene;
        let documents: Vec<&Document> = self.texts.iter().map(|text| &text.document).collect();
        let Some((chosen, others)) = choose(choice, &documents, self.branch().as_deref(), &scene.base) else {
            let Choice::Named(name) = choice else {
                return Ok(Outcome { good: true, changed: 0 });
            };
            return Err(no_remote(name, &self.shown));
        };
        let submodules = !matches!(choice, Choice::Named(_));
        let mut good = true;
        let mut entries = Vec::new();
        let mut lines = String::new();
        for at in 0..self.texts.len() {
            let Some(text) = self.texts.get_mut(at) else { continue };
            let plan = Plan::new(text.document.values(), &chosen, submodules, &scene.base);
            let (changes, failed) = sift(plan, dry_run, keeper);
            good &= !failed;
            for change in changes {
                lines += &change.line();
                text.document.set(&change.key, change.index, &change.to)?;
                entries.push(Entry::changed(&text.name, &change));
            }
        }
        let added = self.tell_lfs(&chosen, scene)?;
        for entry in &added {
            lines += &entry.line();
        }
        entries.extend(added);
        print(&lines)?;
        for name in others.iter().filter(|_| !dry_run) {
            let message = format!(
                "remote '{name}' of '{}' is of Bitbucket too: add '--all-remotes' or '--remote {name}'",
                self.shown
            );
            scene.report.hint(&message);
        }
        let changed = entries.len();
        if !dry_run && changed > 0 {
            self.write(entries)?;
            self.look_for_secrets(scene);
        }
        Ok(Outcome { good, changed })
    }

    /// Adds what git-lfs needs for remotes with a `bbcloud::` address, in a repository that uses it.
    fn tell_lfs(&mut self, chosen: &[String], scene: &Scene<'_>) -> Result<Vec<Entry>, Failure> {
        let locate = |address: &str| repository::lfs_url_of(address, &scene.base);
        let remotes: Vec<Remote> = chosen.iter().map(|name| self.remote(name)).collect();
        let is_ours = |remote: &Remote| {
            self.config
                .route(remote)
                .fetch
                .is_some_and(|url| locate(&url).is_some())
        };
        if !remotes.iter().any(is_ours) || !lfs::is_used(&self.place) {
            return Ok(Vec::new());
        }
        let repository = lfs::follow::Repository::in_place(self.place.clone());
        let Some(text) = self.texts.first_mut() else {
            return Ok(Vec::new());
        };
        let mut added = Vec::new();
        for edit in remotes
            .iter()
            .flat_map(|remote| repository.edits_for(remote, &self.config, &locate))
        {
            edit.apply(&mut text.document)?;
            // What is removed is out of date, and nobody's loss.
            if let Edit::Add(key, value) = edit {
                let entry = Entry::added(&text.name, key, value);
                if !added.contains(&entry) {
                    added.push(entry);
                }
            }
        }
        Ok(added)
    }

    /// Returns the remote as the changed texts have it.
    fn remote(&self, name: &str) -> Remote {
        let values = |variable| {
            let key = Key::new("remote", name, variable);
            let texts = self.texts.iter();
            let values = texts.flat_map(move |text| text.document.all(&key));
            values.map(|value| value.to_string()).collect()
        };
        Remote {
            name: name.to_owned(),
            urls: values("url"),
            push_urls: values("pushurl"),
        }
    }

    /// Writes the record, and then the files. A file that another has changed meanwhile is left to it.
    fn write(&self, entries: Vec<Entry>) -> Result<(), Failure> {
        let told = |failure: Failure| failure.hint(format!("'{}' is not migrated", self.shown));
        let _turn = Record::lock(&self.place).map_err(told)?;
        let mut files = self.prepare().map_err(told)?;
        let before = Record::read(&self.place)?;
        let mut record = before.clone();
        record.entries.extend(entries);
        record.write(&self.place)?;
        for (written, file) in files.iter_mut().enumerate() {
            if let Err(failure) = file.finish() {
                // Where some of it is written, the longer record undoes that, and leaves alone what is not there.
                if written == 0 {
                    before.write(&self.place)?;
                }
                return Err(told(failure));
            }
        }
        Ok(())
    }

    /// Locks the files that are to be changed, and does all but the last step.
    pub(super) fn prepare(&self) -> Result<Vec<Locked>, Failure> {
        let prepared = self.texts.iter().map(Text::prepare);
        prepared.filter_map(Result::transpose).collect()
    }

    /// Whatever still has a secret in it is told, wherever it is.
    fn look_for_secrets(&self, scene: &Scene<'_>) {
        for text in &self.texts {
            for value in text.document.values() {
                let named = value.key.subsection.as_deref().unwrap_or_default();
                let found = [value.text.as_str(), named].into_iter().any(|text| {
                    matches!(Meaning::of(text, &scene.base), Meaning::Ours(address) if address.secret().is_some())
                });
                if found {
                    let section = &value.key.section;
                    let path = text.path.display();
                    scene.report.warning(&format!(
                        "a section '{section}' of '{path}' still has a secret in a URL"
                    ));
                    scene
                        .report
                        .hint(&format!("run 'git config --file \"{path}\" --edit' and look for '@'"));
                    return;
                }
            }
        }
    }

    /// The branch that is checked out.
    fn branch(&self) -> Option<String> {
        let head = std::fs::read_to_string(self.place.git_dir.join("HEAD")).ok()?;
        let name = head.strip_prefix("ref: refs/heads/")?.trim_end();
        Some(name.to_owned())
    }

    /// Returns the file that a record calls `name`; it may be another work tree's. `None` where there is none.
    pub(super) fn named(&mut self, name: &str) -> Result<Option<&mut Text>, Failure> {
        if !self.texts.iter().any(|text| text.name == name) && is_below(Path::new(name)) {
            let path = self.place.common_dir.join(name);
            self.texts.extend(Text::read(&self.place, &path, false)?);
        }
        Ok(self.texts.iter_mut().find(|text| text.name == name))
    }
}

impl Text {
    /// Reads the file at `path`, which is one of `place`. `None` if it is not there and need not be.
    fn read(place: &Place, path: &Path, needed: bool) -> Result<Option<Self>, Failure> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if !needed && error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let message = format!("cannot read '{}'", path.display());
                return Err(Failure::new(Kind::Local, message).caused_by(&error));
            }
        };
        Ok(Some(Self {
            // The record is shared by all work trees, and each has a file of its own.
            name: path
                .strip_prefix(&place.common_dir)
                .unwrap_or(path)
                .display()
                .to_string(),
            document: Document::parse(&text, &path.display().to_string())?,
            path: path.to_owned(),
            before: Zeroizing::new(text),
        }))
    }

    /// Locks the file to be replaced, unless it has another text by now than was read. `None` if it stays as it is.
    fn prepare(&self) -> Result<Option<Locked>, Failure> {
        let after = self.document.to_bytes();
        if after == self.before {
            return Ok(None);
        }
        let mut file = Locked::open(&self.path)?;
        if file.text() != Some(self.before.as_slice()) {
            return Err(changed_meanwhile(&self.path));
        }
        file.prepare(Next::Text(after))?;
        Ok(Some(file))
    }
}

fn changed_meanwhile(path: &Path) -> Failure {
    Failure::new(Kind::Local, format!("'{}' has been changed meanwhile", path.display()))
        .hint("run the same command again")
}

/// Keeps the secrets of what is planned. What cannot be kept is told, and its whole remote left alone.
fn sift(plan: Plan, dry_run: bool, keeper: &Keeper<'_, '_>) -> (Vec<Change>, bool) {
    let mut failed: Vec<String> = Vec::new();
    for (group, failure) in plan.broken {
        let failure = failure.hint(format!("'{group}' is left alone"));
        keeper.scene.report.failure(&failure);
        failed.push(group);
    }
    for change in plan.changes.iter().filter(|_| !dry_run) {
        let group = change.group();
        if failed.contains(&group) {
            continue;
        }
        if let Err(failure) = keeper.keep(&change.address) {
            let failure = failure.hint(format!(
                "'{group}' is left alone, with its secret; to drop the secret knowingly, add '--discard-secrets'"
            ));
            keeper.scene.report.failure(&failure);
            failed.push(group);
        }
    }
    let any = !failed.is_empty();
    let changes = plan.changes.into_iter();
    (
        changes.filter(|change| !failed.contains(&change.group())).collect(),
        any,
    )
}
