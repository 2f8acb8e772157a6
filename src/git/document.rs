//! The text of one configuration file, changed without touching what is not meant: comments, order and spaces stay.
//!
//! Does not depend on where the file is, nor on what a key means.

use std::fmt;

use gix::bstr::{BStr, ByteSlice as _};
use gix::config::File;
use gix::config::file::{Metadata, init};
use zeroize::Zeroizing;

use crate::report::{Failure, Kind};

/// What is said of a change that gitoxide refuses; only a key that is none could be the reason.
const NO_KEY: &str = "git's configuration cannot hold the key";

/// A key as git writes it: `section.subsection.name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// In lower case.
    pub section: String,
    /// As it is written.
    pub subsection: Option<String>,
    /// In lower case.
    pub name: String,
}

impl Key {
    /// Returns the key of `name` in `[section "subsection"]`.
    pub fn new(section: &str, subsection: &str, name: &str) -> Self {
        Self {
            section: section.to_ascii_lowercase(),
            subsection: Some(subsection.to_owned()),
            name: name.to_ascii_lowercase(),
        }
    }

    /// Returns the key that `text` names; the subsection is all between the first dot and the last.
    pub fn parse(text: &str) -> Option<Self> {
        let (section, rest) = text.split_once('.')?;
        let (subsection, name) = match rest.rsplit_once('.') {
            Some((subsection, name)) => (Some(subsection.to_owned()), name),
            None => (None, rest),
        };
        Some(Self {
            section: section.to_ascii_lowercase(),
            subsection,
            name: name.to_ascii_lowercase(),
        })
    }

    fn subsection(&self) -> Option<&BStr> {
        self.subsection.as_deref().map(Into::into)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subsection {
            Some(subsection) => write!(f, "{}.{subsection}.{}", self.section, self.name),
            None => write!(f, "{}.{}", self.section, self.name),
        }
    }
}

/// One value of a file, with its place among those of the same key.
pub struct Value {
    /// Its key.
    pub key: Key,
    /// How many values of this key come before it.
    pub index: usize,
    /// The value, which may hold a secret.
    pub text: Zeroizing<String>,
}

/// The text of one configuration file.
pub struct Document {
    /// As the user knows it.
    name: String,
    file: File,
}

impl Document {
    /// Reads the text of the file that the user knows as `name`.
    pub fn parse(text: &[u8], name: &str) -> Result<Self, Failure> {
        let meta = Metadata::from(gix::config::Source::Local);
        let file = File::from_bytes_no_includes(text, meta, init::Options::default()).map_err(|_| {
            // Gitoxide's words quote the line, which may hold a secret.
            Failure::new(Kind::Local, format!("bad git configuration in '{name}'"))
                .hint(format!("run 'git config --file \"{name}\" --list' to see the line"))
        })?;
        let name = name.to_owned();
        Ok(Self { name, file })
    }

    /// Returns the text of the file.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.file.to_bstring().into())
    }

    /// Returns every value that is written with `=`; keys and values that are not UTF-8 are left out.
    pub fn values(&self) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        for section in self.file.sections() {
            let header = section.header();
            let Ok(name) = header.name().to_str() else { continue };
            let subsection = header.subsection_name().map(|subsection| subsection.to_str());
            let Ok(subsection) = subsection.transpose() else {
                continue;
            };
            for (key, value) in section.body() {
                let key = Key {
                    section: name.to_ascii_lowercase(),
                    subsection: subsection.map(str::to_owned),
                    name: key.to_ascii_lowercase(),
                };
                let index = values.iter().filter(|value| value.key == key).count();
                let text = Zeroizing::new(value.to_str_lossy().into_owned());
                values.push(Value { key, index, text });
            }
        }
        values
    }

    /// Returns the values of `key`, in order.
    pub fn all(&self, key: &Key) -> Vec<Zeroizing<String>> {
        let values = self.values().into_iter().filter(|value| value.key == *key);
        values.map(|value| value.text).collect()
    }

    /// Puts `text` in the place of a value.
    pub fn set(&mut self, key: &Key, index: usize, text: &str) -> Result<(), Failure> {
        let values = self.file.raw_values_mut_by(&key.section, key.subsection(), &key.name);
        let done = values.map_err(drop).and_then(|mut values| {
            if index < values.len() {
                values.set_string_at(index, text).map_err(drop)
            } else {
                Err(())
            }
        });
        done.map_err(|()| Failure::new(Kind::Local, format!("{NO_KEY} '{key}'")))
    }

    /// Adds a value after all others of its section, and the section after all others where there is none.
    pub fn add(&mut self, key: &Key, text: &str) -> Result<(), Failure> {
        let line = line(&key.name, text);
        let mut whole: Vec<u8> = self.file.to_bstring().into();
        if let Some(end) = self.end_of_section(key, &whole) {
            let ends_line = whole.get(..end).is_some_and(|before| before.ends_with(b"\n"));
            let line = if ends_line { line } else { format!("\n{line}") };
            whole.splice(end..end, line.into_bytes());
        } else {
            if !whole.is_empty() && !whole.ends_with(b"\n") {
                whole.push(b'\n');
            }
            whole.extend_from_slice(header(key).as_bytes());
            whole.extend_from_slice(line.as_bytes());
        }
        *self = Self::parse(&Zeroizing::new(whole), &self.name)?;
        Ok(())
    }

    /// Where the last line with something on it ends in the last section of `key`.
    fn end_of_section(&self, key: &Key, whole: &[u8]) -> Option<usize> {
        let (mut at, mut end) = (0, None);
        for section in self.file.sections() {
            let text = section.to_bstring();
            // The sections follow each other: none is looked for before the end of the last.
            at += whole.get(at..)?.find(text.as_bytes())?;
            let header = section.header();
            if header.name().eq_ignore_ascii_case(key.section.as_bytes())
                && header.subsection_name() == key.subsection()
            {
                let body = text.trim_end();
                let line_end = text
                    .get(body.len()..)?
                    .find_byte(b'\n')
                    .map_or(0, |line_end| line_end + 1);
                end = Some(at + body.len() + line_end);
            }
            at += text.len();
        }
        end
    }

    /// Takes a value away, and its section if nothing is left in that. Returns whether it was there.
    pub fn remove(&mut self, key: &Key, text: &str) -> Result<bool, Failure> {
        let Some(index) = self.all(key).iter().rposition(|value| **value == *text) else {
            return Ok(false);
        };
        let before = self.to_bytes();
        match self.file.raw_values_mut_by(&key.section, key.subsection(), &key.name) {
            Ok(mut values) => values.delete(index),
            Err(_) => return Ok(false),
        }
        let emptied = self.file.section(&key.section, key.subsection());
        if emptied.is_ok_and(|section| section.body().num_values() == 0) {
            self.file.remove_section(&key.section, key.subsection());
        } else {
            *self = Self::parse(&without_blank(&before, self.to_bytes()), &self.name)?;
        }
        Ok(true)
    }
}

/// Returns `after` without the blank line that was left where it begins to differ from `before`.
fn without_blank(before: &[u8], mut after: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    let same = before
        .iter()
        .zip(after.iter())
        .take_while(|(one, other)| one == other)
        .count();
    let head = after.get(..same).unwrap_or_default();
    let start = head.rfind_byte(b'\n').map_or(0, |line_end| line_end + 1);
    let rest = after.get(start..).unwrap_or_default();
    let Some(length) = rest.find_byte(b'\n') else {
        return after;
    };
    if rest.get(..length).is_some_and(|line| line.trim().is_empty()) {
        after.drain(start..=start + length);
    }
    after
}

/// Returns the line that begins the section of `key`.
pub fn header(key: &Key) -> String {
    match &key.subsection {
        Some(subsection) => {
            let escaped = subsection.replace('\\', "\\\\").replace('"', "\\\"");
            format!("[{} \"{escaped}\"]\n", key.section)
        }
        None => format!("[{}]\n", key.section),
    }
}

/// Returns the line that gives `name` a value.
pub fn line(name: &str, text: &str) -> String {
    let value = quoted(text);
    let space = if value.is_empty() { "" } else { " " };
    format!("\t{name} ={space}{value}\n")
}

/// The value as git reads it back (git-config(1), "Values").
fn quoted(text: &str) -> String {
    if text.trim() == text && !text.contains(['#', ';', '"', '\\', '\n', '\t', '\r']) {
        return text.to_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n").replace('\t', "\\t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# mine\n[core]\n\tbare = false ; no\n[remote \"origin\"]\n  url = \"https://a/b\" # where\n\
        \tpushurl = one\n\tpushurl = two\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\n[Lfs]\n\tonly\n";

    fn document() -> Document {
        Document::parse(TEXT.as_bytes(), "config").expect("sound")
    }

    fn text(document: &Document) -> String {
        String::from_utf8(document.to_bytes().to_vec()).expect("text")
    }

    #[test]
    fn what_is_not_changed_stays_as_it_is() {
        let mut document = document();
        assert_eq!(text(&document), TEXT);
        document
            .set(&Key::new("remote", "origin", "pushurl"), 1, "bbcloud::acme/widgets")
            .expect("a value");
        assert_eq!(text(&document), TEXT.replace("two", "bbcloud::acme/widgets"));
        document
            .set(&Key::new("remote", "origin", "url"), 0, "bbcloud::ada@acme/widgets")
            .expect("a value");
        assert!(text(&document).contains("  url = bbcloud::ada@acme/widgets # where\n\tpushurl = one\n"));
        assert!(document.set(&Key::new("remote", "origin", "url"), 1, "x").is_err());
    }

    #[test]
    fn what_is_added_can_be_taken_away_again() {
        let mut document = document();
        let lfs = Key::new("remote", "origin", "lfsurl");
        let helper = Key::new("credential", "https://a/b", "helper");
        document.add(&lfs, "https://a/b/info/lfs").expect("added");
        document.add(&helper, "").expect("added");
        document.add(&helper, "!git-remote-bbcloud credential").expect("added");
        let read = Document::parse(&document.to_bytes(), "config").expect("sound");
        assert_eq!(read.all(&lfs).len(), 1);
        assert_eq!(
            read.all(&helper).iter().map(|text| text.as_str()).collect::<Vec<_>>(),
            ["", "!git-remote-bbcloud credential"]
        );
        assert!(text(&document).contains("origin/*\n\tlfsurl = https://a/b/info/lfs\n\n[Lfs]"));
        let mut remove = |key: &Key, text: &str| document.remove(key, text).expect("sound");
        assert!(remove(&lfs, "https://a/b/info/lfs"));
        assert!(remove(&helper, "!git-remote-bbcloud credential"));
        assert!(remove(&helper, ""));
        assert!(!remove(&helper, ""));
        assert_eq!(text(&document), TEXT);
    }

    #[test]
    fn what_needs_quotes_gets_them() {
        for value in ["a # b", "a\"b\\c", " a", "", "a b", "a\n[core]\n\tpager = x"] {
            let mut document = Document::parse(b"[core]\n\tbare = true", "config").expect("sound");
            let key = Key::new("url", "a\"b\\c", "insteadof");
            document.add(&key, value).expect("added");
            document
                .add(&Key::parse("core.name").expect("a key"), value)
                .expect("added");
            assert_eq!(document.all(&key).first().map(|text| text.as_str()), Some(value));
            assert!(
                text(&document).starts_with("[core]\n\tbare = true\n\tname ="),
                "{}",
                text(&document)
            );
        }
    }

    #[test]
    fn a_bad_file_is_told_without_its_text() {
        let Err(failure) = Document::parse(b"[remote \"o\"\nurl = https://u:secret@h/\n", "config") else {
            panic!("that is no configuration");
        };
        assert!(!format!("{failure:?}").contains("secret"));
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        for text in ["remote.origin.url", "lfs.url", "url.https://a.b/c.git.insteadof"] {
            assert_eq!(Key::parse(text).expect("a key").to_string(), text);
        }
    }
}
