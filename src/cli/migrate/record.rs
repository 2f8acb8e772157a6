//! What was changed in a repository, so that it can be put back: a file beside its configuration, without secrets.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::plan::Change;
use super::site::{Outcome, Site};
use crate::cli::scene::{Scene, print};
use crate::file::{self, Draft};
use crate::git::document::Key;
use crate::git::lfs;
use crate::git::place::Place;
use crate::git::replace::lock;
use crate::report::{Failure, Kind};

/// The record's name in a repository's directory.
const NAME: &str = "bbcloud-migrated.json";

/// One line that was changed or added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The configuration file itself, as in [`super::site::Text::name`].
    file: String,
    pub(super) key: Key,
    /// `None` for a line that was added.
    before: Option<String>,
    pub(super) after: String,
    /// Whether a secret was in it.
    secret: bool,
}

impl Entry {
    pub(super) fn changed(file: &str, change: &Change) -> Self {
        Self {
            file: file.to_owned(),
            key: change.key.clone(),
            before: Some(change.before()),
            after: change.to.clone(),
            secret: change.address.secret().is_some(),
        }
    }

    pub(super) fn added(file: &str, key: Key, value: String) -> Self {
        Self {
            file: file.to_owned(),
            key,
            before: None,
            after: value,
            secret: false,
        }
    }

    /// The line for the user: what was done, or what is undone.
    pub(super) fn line(&self) -> String {
        match &self.before {
            Some(before) => format!("{}: {} -> {before}\n", self.key, self.after),
            None => format!("{} = {}\n", self.key, self.after),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "file": self.file,
            "key": self.key.to_string(),
            "before": self.before,
            "after": self.after,
            "secret": self.secret,
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            file: text("file")?,
            key: Key::parse(&text("key")?)?,
            before: text("before"),
            after: text("after")?,
            secret: value.get("secret")?.as_bool()?,
        })
    }
}

/// Everything that was changed in a repository, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) entries: Vec<Entry>,
}

impl Record {
    /// Returns the record of the repository, an empty one if there is none.
    pub(super) fn read(place: &Place) -> Result<Self, Failure> {
        let path = path(place);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(place).caused_by(&error)),
        };
        let value: Value = serde_json::from_slice(&text).map_err(|error| unreadable(place).caused_by(&error))?;
        let entries = value.get("changes").and_then(Value::as_array);
        let entries = entries.map(|entries| entries.iter().map(Entry::from_json).collect::<Option<_>>());
        match entries.flatten() {
            Some(entries) => Ok(Self { entries }),
            None => Err(unreadable(place).because("it is of another version")),
        }
    }

    /// Writes the record, or takes it away where there is nothing in it.
    pub(super) fn write(&self, place: &Place) -> Result<(), Failure> {
        if self.entries.is_empty() {
            return match fs::remove_file(path(place)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", place).caused_by(&error)),
                _ => Ok(()),
            };
        }
        let entries: Vec<Value> = self.entries.iter().map(Entry::to_json).collect();
        let text = format!("{:#}\n", json!({ "version": 1, "changes": entries }));
        let written = file::write(&path(place), text.as_bytes(), file::SHARED);
        written.map_err(|error| failed("write", place).caused_by(&error))
    }

    /// Keeps others from changing the record, and the files that it is about, while the value lives.
    pub(super) fn lock(place: &Place) -> Result<Draft, Failure> {
        lock(&path(place))
    }
}

fn unreadable(place: &Place) -> Failure {
    failed("read", place).hint(format!(
        "put it aside with 'mv \"{0}\" \"{0}.bad\"'",
        path(place).display()
    ))
}

/// Puts back what the record says, as far as nobody has changed it since.
pub(super) fn undo(mut site: Site, dry_run: bool, scene: &Scene<'_>) -> Result<Outcome, Failure> {
    let mut record = Record::read(&site.place)?;
    let turn = if dry_run || record.entries.is_empty() {
        None
    } else {
        Some(Record::lock(&site.place)?)
    };
    if turn.is_some() {
        record = Record::read(&site.place)?;
    }
    let (mut lines, mut changed) = (String::new(), 0);
    let mut lost = Vec::new();
    for entry in record.entries.iter().rev() {
        let put_back = match site.named(&entry.file)? {
            Some(text) if lfs::edits::is_followed(&entry.key) => {
                // The helper has brought it up to date since; it goes with the address that it is for.
                for (key, value) in lfs::edits::forget(&mut text.document, &entry.key)? {
                    lines.extend([key.to_string().as_str(), " = ", &value, "\n"]);
                    changed += 1;
                }
                continue;
            }
            Some(text) => put_back(entry, text)?,
            None => false,
        };
        if put_back {
            lines += &entry.line();
            changed += 1;
            if entry.secret {
                lost.push(entry.key.to_string());
            }
        } else {
            scene
                .report
                .warning(&format!("'{}' has been changed since, and stays as it is", entry.key));
        }
    }
    print(&lines)?;
    if turn.is_none() {
        return Ok(Outcome { good: true, changed });
    }
    for file in &mut site.prepare()? {
        file.finish()?;
    }
    Record::default().write(&site.place)?;
    for key in lost {
        scene.report.warning(&format!(
            "'{key}' has its user name back, and not its secret, which stays in the keychain"
        ));
    }
    Ok(Outcome { good: true, changed })
}

fn put_back(entry: &Entry, text: &mut super::site::Text) -> Result<bool, Failure> {
    match &entry.before {
        None => text.document.remove(&entry.key, &entry.after),
        Some(before) => {
            let values = text.document.all(&entry.key);
            let Some(index) = values.iter().rposition(|value| **value == entry.after) else {
                return Ok(false);
            };
            text.document.set(&entry.key, index, before)?;
            Ok(true)
        }
    }
}

fn path(place: &Place) -> PathBuf {
    place.common_dir.join(NAME)
}

fn failed(what: &str, place: &Place) -> Failure {
    Failure::new(Kind::Local, format!("cannot {what} '{}'", path(place).display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = Place {
            git_dir: directory.path().to_owned(),
            common_dir: directory.path().to_owned(),
            work_tree: None,
        };
        assert_eq!(Record::read(&place).expect("none"), Record::default());
        let key = Key::new("remote", "origin", "lfsurl");
        let turn = Record::lock(&place).expect("nobody else has it");
        assert!(Record::lock(&place).is_err());
        drop(turn);
        let record = Record {
            entries: vec![Entry::added(
                "config",
                key,
                "https://bitbucket.org/a/b.git/info/lfs".to_owned(),
            )],
        };
        record.write(&place).expect("written");
        assert_eq!(Record::read(&place).expect("read"), record);
        Record::default().write(&place).expect("removed");
        assert!(!path(&place).exists());
        Record::default().write(&place).expect("nothing to remove");
        fs::write(path(&place), "{}").expect("written");
        assert!(Record::read(&place).is_err());
    }
}
