//! The text of one configuration file, changed without touching what is not meant: comments, order and spaces stay.
//!
//! It must not know where the file is, nor what a key means.

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
        Ok(Self { file })
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

    /// Adds a value after all others of its section.
    pub fn add(&mut self, key: &Key, text: &str) -> Result<(), Failure> {
        let subsection = key.subsection.clone().map(Into::into);
        let section = match self.file.section_mut(&key.section, key.subsection()) {
            Ok(section) => Ok(section),
            Err(_) => self.file.new_section(&key.section, subsection),
        };
        let added = section.and_then(|mut section| {
            let text: &BStr = text.into();
            section.push(&key.name, Some(text)).map(drop)
        });
        added.map_err(|_| Failure::new(Kind::Local, format!("{NO_KEY} '{key}'")))
    }

    /// Takes a value away, and its section if nothing is left in that. Returns whether it was there.
    pub fn remove(&mut self, key: &Key, text: &str) -> bool {
        let Some(index) = self.all(key).iter().position(|value| **value == *text) else {
            return false;
        };
        match self.file.raw_values_mut_by(&key.section, key.subsection(), &key.name) {
            Ok(mut values) => values.delete(index),
            Err(_) => return false,
        }
        let emptied = self.file.section(&key.section, key.subsection());
        if emptied.is_ok_and(|section| section.body().num_values() == 0) {
            self.file.remove_section(&key.section, key.subsection());
        }
        true
    }
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
        assert!(document.remove(&lfs, "https://a/b/info/lfs"));
        assert!(document.remove(&helper, "!git-remote-bbcloud credential"));
        assert!(document.remove(&helper, ""));
        assert!(!document.remove(&helper, ""));
        assert_eq!(text(&document).trim_end(), TEXT.trim_end());
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
