//! What `setup` has written, so that `--undo` takes away just that.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::lines::Reach;
use crate::credential::index::Index;
use crate::credential::lock::Lock;
use crate::environment::Environment;
use crate::file;
use crate::git::document::Document;
use crate::git::replace::Next;
use crate::report::{Failure, Kind};

/// The longest record that is read, in bytes.
const MAX: u64 = 4 * 1024 * 1024;

/// A piece of text that was added to the end of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) file: PathBuf,
    /// Whether there was no such file before.
    pub(super) created: bool,
    pub(super) block: String,
    /// How far it reaches.
    pub(super) reaches: Vec<Reach>,
}

impl Written {
    fn to_json(&self) -> Value {
        json!({
            "file": self.file.to_string_lossy(),
            "created": self.created,
            "text": self.block,
            "reaches": self.reaches.iter().map(Reach::text).collect::<Vec<_>>(),
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let reaches = value.get("reaches")?.as_array()?;
        Some(Self {
            file: value.get("file")?.as_str()?.into(),
            created: value.get("created")?.as_bool()?,
            block: value.get("text")?.as_str()?.to_owned(),
            reaches: reaches.iter().filter_map(Value::as_str).map(Reach::parse).collect(),
        })
    }
}

/// Everything that was written and not taken away, in order.
pub(super) struct Record {
    path: PathBuf,
    written: Vec<Written>,
    /// Held by whoever changes it, with the file that it is about.
    turn: Option<Lock>,
}

impl Record {
    /// Opens the record of the user whose environment this is, to be read.
    pub(super) fn open(environment: &Environment) -> Result<Self, Failure> {
        Self::at(path(environment)?).read()
    }

    /// Opens it to be changed, while nobody else does.
    pub(super) fn lock(environment: &Environment) -> Result<Self, Failure> {
        let mut record = Self::at(path(environment)?);
        let turn = Lock::acquire(&record.path.with_extension("lock"), || {});
        record.turn = Some(turn.map_err(|error| record.failed("lock").caused_by(&error))?);
        record.read()
    }

    fn at(path: PathBuf) -> Self {
        Self {
            path,
            written: Vec::new(),
            turn: None,
        }
    }

    fn read(self) -> Result<Self, Failure> {
        let mut record = self;
        let text = match file::read(&record.path, MAX) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(record),
            Err(error) => return Err(record.unreadable().caused_by(&error)),
        };
        let value: Value = serde_json::from_slice(&text).map_err(|error| record.unreadable().caused_by(&error))?;
        let written = value.get("written").and_then(Value::as_array);
        let written = written.map(|written| written.iter().map(Written::from_json).collect::<Option<_>>());
        record.written = written
            .flatten()
            .ok_or_else(|| record.unreadable().because("it is of another version"))?;
        Ok(record)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    pub(super) fn last(&self) -> Option<&Written> {
        self.written.last()
    }

    /// How far what was written reaches.
    pub(super) fn reaches(&self) -> Vec<Reach> {
        self.written
            .iter()
            .flat_map(|written| written.reaches.clone())
            .collect()
    }

    pub(super) fn add(&mut self, written: Written) -> Result<(), Failure> {
        self.written.push(written);
        self.write()
    }

    pub(super) fn drop_last(&mut self) -> Result<(), Failure> {
        self.written.pop();
        if self.written.is_empty() {
            return fs::remove_file(&self.path).map_err(|error| self.failed("remove").caused_by(&error));
        }
        self.write()
    }

    fn write(&self) -> Result<(), Failure> {
        let written: Vec<Value> = self.written.iter().map(Written::to_json).collect();
        let text = format!("{:#}\n", json!({ "version": 1, "written": written }));
        let done = file::write(&self.path, text.as_bytes(), file::PRIVATE);
        done.map_err(|error| self.failed("write").caused_by(&error))
    }

    fn unreadable(&self) -> Failure {
        let path = self.path.display();
        self.failed("read")
            .hint(format!("put it aside with 'mv \"{path}\" \"{path}.bad\"'"))
    }

    fn failed(&self, what: &str) -> Failure {
        Failure::new(Kind::Local, format!("cannot {what} '{}'", self.path.display()))
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
        Written {
            file: "config".into(),
            created: true,
            block: block.to_owned(),
            reaches: vec![Reach::All, Reach::Workspace("acme".to_owned())],
        }
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
        let mut record = Record::lock(&environment).expect("none");
        record.add(written("x")).expect("written");
        drop(record);
        let mut read = Record::lock(&environment).expect("read");
        assert_eq!(read.last(), Some(&written("x")));
        assert_eq!(read.reaches().len(), 2);
        read.drop_last().expect("removed");
        assert!(Record::open(&environment).expect("none").is_empty());
    }
}
