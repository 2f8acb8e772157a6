//! One repository: its configuration files are changed together, and what was changed is written to its journal.

use super::files::{Text, prepare};
use super::keep::Keeper;
use super::meaning::Meaning;
use super::no_remote;
use super::plan::{Change, Choice, Plan, choose};
use super::record::{self, Line};
use crate::cli::scene::{Scene, print};
use crate::file;
use crate::git::config::{Config, Remote};
use crate::git::document::{Document, Key};
use crate::git::layout::Layout;
use crate::git::lfs::edits::Edit;
use crate::git::replace::Patience;
use crate::git::{LONGEST, lfs};
use crate::redact;
use crate::report::Failure;
use crate::repository;
use crate::shell::{quoted, word};

/// What became of a repository.
pub(super) struct Outcome {
    pub(super) good: bool,
    pub(super) changed: usize,
}

/// A repository with its configuration files.
pub(super) struct Site {
    pub(super) place: Layout,
    pub(super) shown: String,
    pub(super) texts: Vec<Text>,
    pub(super) patience: Patience,
    config: Config,
}

impl Site {
    pub(super) fn open(place: Layout, scene: &Scene<'_>) -> Result<Self, Failure> {
        let config = Config::load_for(Some(&place.git_dir), scene.environment)?;
        let texts = Text::of(&place)?;
        let shown = place.work_tree.as_ref().unwrap_or(&place.git_dir).display().to_string();
        Ok(Self {
            place,
            shown,
            texts,
            patience: Patience::of(&config)?,
            config,
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
                entries.push(Line::changed(&text.name, &change));
            }
        }
        let added = self.tell_lfs(&chosen, scene)?;
        for entry in &added {
            lines += &entry.shown();
        }
        entries.extend(added);
        print(&lines)?;
        for name in others.iter().filter(|_| !dry_run) {
            scene.report.hint(&format!(
                "remote '{name}' also points to Bitbucket; to include it, run 'git-remote-bbcloud migrate --remote {} {}'",
                word(name),
                quoted(&self.shown)
            ));
        }
        let changed = entries.len();
        if !dry_run && changed > 0 {
            self.write(entries)?;
            self.look_for_secrets(scene);
        }
        Ok(Outcome { good, changed })
    }

    /// Adds what git-lfs needs for remotes with a `bbcloud::` address, in a repository that uses it.
    fn tell_lfs(&mut self, chosen: &[String], scene: &Scene<'_>) -> Result<Vec<Line>, Failure> {
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
                let entry = Line::added(&text.name, &key, value);
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

    /// Writes the journal, and then the files. A file that another has changed meanwhile is left to it.
    fn write(&self, lines: Vec<Line>) -> Result<(), Failure> {
        let told = |failure: Failure| failure.hint(format!("'{}' is not migrated", self.shown));
        let mut journal = record::lock(&self.place, self.patience).map_err(told)?;
        let mut files = prepare(&self.texts, self.patience).map_err(told)?;
        let before = journal.entries.len();
        for line in lines {
            journal.push(line);
        }
        journal.write()?;
        for (written, file) in files.iter_mut().enumerate() {
            if let Err(failure) = file.finish() {
                // Where some of it is written, the longer journal undoes that, and leaves alone what is not there.
                if written == 0 {
                    journal.entries.truncate(before);
                    journal.write()?;
                }
                return Err(told(failure));
            }
        }
        Ok(())
    }

    /// Whatever still has a secret in it is told, wherever it is.
    fn look_for_secrets(&self, scene: &Scene<'_>) {
        for text in &self.texts {
            for value in text.document.values() {
                let named = value.key.subsection.as_deref().unwrap_or_default();
                let found = [value.text.as_str(), named]
                    .into_iter()
                    .any(|text| redact::hides(text) && !matches!(Meaning::of(text, &scene.base), Meaning::Other));
                if found {
                    let section = &value.key.section;
                    let path = text.path.display();
                    scene.report.warning(&format!(
                        "a section '{section}' of '{path}' still has a secret in a URL"
                    ));
                    scene.report.hint(&format!(
                        "run 'git config --file {} --edit' and look for '@'",
                        quoted(&path.to_string())
                    ));
                    return;
                }
            }
        }
    }

    /// The branch that is checked out.
    fn branch(&self) -> Option<String> {
        let head = file::read(&self.place.git_dir.join("HEAD"), LONGEST).ok()?;
        let name = std::str::from_utf8(&head)
            .ok()?
            .strip_prefix("ref: refs/heads/")?
            .trim_end();
        Some(name.to_owned())
    }
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
        if let Err(failure) = keeper.keep(change) {
            let failure = failure.hint(format!(
                "'{group}' was not changed and still contains a secret; use '--discard-secrets' to remove it"
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
