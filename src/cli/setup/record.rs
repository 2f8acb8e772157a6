//! What `setup` has written, so that `--undo` takes away just that.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::lines::Reach;
use crate::cli::journal::Journal;
use crate::credential::index::Index;
use crate::environment::Environment;
use crate::git::document::Document;
use crate::git::replace::{Next, Patience};
use crate::report::{Failure, Kind};

/// What the list of the journal is called.
const LIST: &str = "written";

/// A piece of text that was added to the end of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    pub(super) file: PathBuf,
    /// Whether there was no such file before.
    pub(super) created: bool,
    #[serde(rename = "text")]
    pub(super) block: String,
    /// How far it reaches, as [`Reach::text`] says it.
    reaches: Vec<String>,
}

impl Written {
    pub(super) fn new(file: &Path, created: bool, block: String, reaches: &[Reach]) -> Self {
        Self {
            file: file.to_owned(),
            created,
            block,
            reaches: reaches.iter().map(|reach| reach.text().to_owned()).collect(),
        }
    }
}

/// Everything that was written and not taken away, in order.
pub(super) struct Record(Journal<Written>);

impl Record {
    /// Opens the record of the user whose environment this is, to be read.
    pub(super) fn open(environment: &Environment) -> Result<Self, Failure> {
        Ok(Self(Journal::read(path(environment)?, LIST)?))
    }

    /// Opens it to be changed, while nobody else does.
    pub(super) fn lock(environment: &Environment, patience: Patience) -> Result<Self, Failure> {
        Ok(Self(Journal::lock(path(environment)?, LIST, patience)?))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    pub(super) fn last(&self) -> Option<&Written> {
        self.0.entries.last().map(|entry| &entry.change)
    }

    /// How far what was written reaches.
    pub(super) fn reaches(&self) -> Vec<Reach> {
        let entries = self.0.entries.iter();
        let reaches = entries.flat_map(|entry| &entry.change.reaches);
        reaches.map(|text| Reach::parse(text)).collect()
    }

    pub(super) fn add(&mut self, written: Written) -> Result<(), Failure> {
        self.0.push(written);
        self.0.write()
    }

    pub(super) fn drop_last(&mut self) -> Result<(), Failure> {
        self.0.entries.pop();
        self.0.write()
    }
}

fn path(environment: &Environment) -> Result<PathBuf, Failure> {
    let index = Index::of(environment)
        .ok_or_else(|| Failure::new(Kind::Local, "there is no home directory to keep a record in").hint("set HOME"))?;
    Ok(index.path().with_file_name("setup.json"))
}

/// Returns what is left of a file's `text` without what was `written`, and whether that was still as it was.
pub(super) fn without(written: &Written, text: Option<&[u8]>) -> Result<(Next, bool), Failure> {
    let Some(text) = text else {
        return Ok((Next::Keep, false));
    };
    let block = written.block.as_bytes();
    let at = text.windows(block.len()).rposition(|part| part == block);
    if let Some(at) = at {
        let mut rest = Zeroizing::new(Vec::with_capacity(text.len()));
        rest.extend_from_slice(text.get(..at).unwrap_or_default());
        let after = text.get(at + block.len()..).unwrap_or_default();
        // A line end that was only put there for this block.
        if !after.is_empty() && block.starts_with(b"\n") {
            rest.push(b'\n');
        }
        rest.extend_from_slice(after);
        let gone = written.created && rest.is_empty();
        return Ok((if gone { Next::Gone } else { Next::Text(rest) }, true));
    }
    let name = written.file.display().to_string();
    let mut document = Document::parse(text, &name)?;
    for value in Document::parse(block, &name)?.values() {
        document.remove(&value.key, &value.text)?;
    }
    Ok((Next::Text(document.to_bytes()), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(block: &str) -> Written {
        let reaches = [Reach::All, Reach::Workspace("acme".to_owned())];
        Written::new(Path::new("config"), true, block.to_owned(), &reaches)
    }

    fn rest(block: &str, text: &str) -> (Option<String>, bool) {
        let (next, whole) = without(&written(block), Some(text.as_bytes())).expect("sound");
        let rest = match next {
            Next::Text(text) => Some(String::from_utf8(text.to_vec()).expect("text")),
            Next::Gone => None,
            Next::Keep => Some(text.to_owned()),
        };
        (rest, whole)
    }

    #[test]
    fn what_was_there_is_there_again() {
        const BLOCK: &str = "# ours\n[protocol \"bbcloud\"]\n\tallow = always\n";
        assert_eq!(rest(BLOCK, BLOCK), (None, true));
        assert_eq!(
            rest(BLOCK, &format!("[a]\nb=c\n{BLOCK}")),
            (Some("[a]\nb=c\n".to_owned()), true)
        );
        assert_eq!(
            rest(&format!("\n{BLOCK}"), &format!("[a]\nb=c\n{BLOCK}")),
            (Some("[a]\nb=c".to_owned()), true)
        );
        assert_eq!(
            rest(&format!("\n{BLOCK}"), &format!("[a]\nb=c\n{BLOCK}[d]\ne=f\n")),
            (Some("[a]\nb=c\n[d]\ne=f\n".to_owned()), true)
        );
        let changed = format!("{}\tallow = never\n", BLOCK.replace("# ours\n", ""));
        assert_eq!(
            rest(BLOCK, &changed),
            (Some("[protocol \"bbcloud\"]\n\tallow = never\n".to_owned()), false)
        );
    }

    #[test]
    fn what_is_recorded_is_read() {
        let home = tempfile::tempdir().expect("a directory");
        let environment = Environment::from_pairs([("XDG_CONFIG_HOME", home.path())]);
        let mut record = Record::lock(&environment, Patience::default()).expect("none");
        record.add(written("x")).expect("written");
        drop(record);
        let mut read = Record::lock(&environment, Patience::default()).expect("read");
        assert_eq!(read.last(), Some(&written("x")));
        assert_eq!(read.reaches().len(), 2);
        read.drop_last().expect("removed");
        assert!(Record::open(&environment).expect("none").is_empty());
    }
}
