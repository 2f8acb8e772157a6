//! The journal of a command that changes files: what it changed, in a JSON file, so that `--undo` puts back just that.
//!
//! Does not depend on what a change is. The file is for its owner alone, holds no secret, and is never a link.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::file::{self, Draft, Links};
use crate::git::replace::{Patience, lock};
use crate::report::{Failure, Kind};
use crate::shell;

/// The longest journal that is read, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// A change, with whatever a later version wrote about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry<T> {
    #[serde(flatten)]
    pub(super) change: T,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The changes that a command made and has not undone, in order.
#[derive(Debug)]
pub(super) struct Journal<T> {
    path: PathBuf,
    /// What the list of changes is called.
    list: &'static str,
    pub(super) entries: Vec<Entry<T>>,
    /// What else a later version wrote.
    rest: Map<String, Value>,
    /// Held while it is changed, and the files that it is about with it.
    turn: Option<Draft>,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    /// Reads the journal at `path`, whose changes are in `list`; an empty one if there is none.
    pub(super) fn read(path: PathBuf, list: &'static str) -> Result<Self, Failure> {
        let mut journal = Self {
            path,
            list,
            entries: Vec::new(),
            rest: Map::new(),
            turn: None,
        };
        let text = match file::read_with(&journal.path, Links::Refuse, LONGEST) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(journal),
            Err(error) => return Err(journal.unreadable().caused_by(&error)),
        };
        let whole: Result<Map<String, Value>, _> = serde_json::from_slice(&text);
        journal.rest = whole.map_err(|error| journal.unreadable().caused_by(&error))?;
        let entries = journal.rest.remove(list).unwrap_or_default();
        // Words of serde would quote the file.
        journal.entries =
            serde_json::from_value(entries).map_err(|_| journal.unreadable().because("another version wrote it"))?;
        Ok(journal)
    }

    /// As [`Journal::read`], to be changed while no other process does.
    pub(super) fn lock(path: PathBuf, list: &'static str, patience: Patience) -> Result<Self, Failure> {
        if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
            let made = file::create_private_directory(directory);
            made.map_err(|error| {
                Failure::new(Kind::Local, format!("cannot make '{}'", directory.display())).caused_by(&error)
            })?;
        }
        let turn = lock(&path, patience)?;
        let mut journal = Self::read(path, list)?;
        journal.turn = Some(turn);
        Ok(journal)
    }

    /// Adds `change` to the end; [`Journal::write`] keeps it.
    pub(super) fn push(&mut self, change: T) {
        let rest = Map::new();
        self.entries.push(Entry { change, rest });
    }

    /// Writes the journal, or removes it where there is no change in it.
    pub(super) fn write(&self) -> Result<(), Failure> {
        if self.entries.is_empty() {
            return match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed("remove").caused_by(&error)),
                _ => Ok(()),
            };
        }
        let mut whole = self.rest.clone();
        whole.entry("version").or_insert_with(|| json!(1));
        let entries = serde_json::to_value(&self.entries);
        whole.insert(
            self.list.to_owned(),
            entries.map_err(|error| self.failed("write").caused_by(&error))?,
        );
        let text = format!("{:#}\n", Value::Object(whole));
        let written = file::write_in_place(&self.path, text.as_bytes(), file::PRIVATE);
        written.map_err(|error| self.failed("write").caused_by(&error))
    }

    fn unreadable(&self) -> Failure {
        self.failed("read")
            .hint(format!("put it aside with '{}'", shell::put_aside(&self.path)))
    }

    fn failed(&self, what: &str) -> Failure {
        Failure::new(Kind::Local, format!("cannot {what} '{}'", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Change {
        key: String,
    }

    fn change(key: &str) -> Change {
        Change { key: key.to_owned() }
    }

    #[test]
    fn what_is_written_is_read_and_private() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("new/journal.json");
        let patience = Patience::default();
        let mut journal: Journal<Change> = Journal::lock(path.clone(), "changes", patience).expect("free");
        journal.push(change("a"));
        journal.write().expect("written");
        assert!(Journal::<Change>::lock(path.clone(), "changes", patience).is_err());
        drop(journal);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let mut journal: Journal<Change> = Journal::lock(path.clone(), "changes", patience).expect("free again");
        assert_eq!(journal.entries.pop().map(|entry| entry.change), Some(change("a")));
        journal.write().expect("removed");
        journal.write().expect("nothing to remove");
        assert!(!path.exists());
    }

    #[test]
    fn what_a_later_version_wrote_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("journal.json");
        let text = r#"{"version": 2, "later": 1, "changes": [{"key": "a", "why": "x"}]}"#;
        fs::write(&path, text).expect("written");
        let mut journal: Journal<Change> = Journal::read(path.clone(), "changes").expect("readable");
        journal.push(change("b"));
        journal.write().expect("written");
        let read: Value = serde_json::from_slice(&fs::read(&path).expect("there")).expect("JSON");
        let wanted = r#"{"version": 2, "later": 1, "changes": [{"key": "a", "why": "x"}, {"key": "b"}]}"#;
        assert_eq!(read, serde_json::from_str::<Value>(wanted).expect("JSON"));
        for text in ["{", "[]", r#"{"version": 7}"#, r#"{"changes": [{"name": "a"}]}"#] {
            fs::write(&path, text).expect("written");
            assert!(Journal::<Change>::read(path.clone(), "changes").is_err(), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_neither_read_nor_written_through() {
        let directory = tempfile::tempdir().expect("a directory");
        let (target, path) = (directory.path().join("target"), directory.path().join("journal.json"));
        fs::write(&target, r#"{"changes": []}"#).expect("written");
        std::os::unix::fs::symlink(&target, &path).expect("a link");
        assert!(Journal::<Change>::read(path, "changes").is_err());
    }
}
