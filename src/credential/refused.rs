//! Secrets that a server has just refused, as git's credential protocol tells (`erase`).
//!
//! They stay in the keychain. But a program that asks again at once is not given the same one: git-lfs would ask, be
//! refused and ask again, without an end. There is no secret in the file, and nothing in it counts for long.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::index::Index;
use super::keeping;
use super::lock::Lock;
use crate::file;

/// How long a refusal counts, in seconds: longer than a program takes to ask again, shorter than a person.
const MEMORY: u64 = 10;
/// The most refusals that are kept.
const MOST: usize = 64;
/// The longest file that is read, in bytes.
const MAX: u64 = 1024 * 1024;

/// What was refused: whose secret, for which host and path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused<'a> {
    /// The host, and `:port` where it is not the default.
    pub host: &'a str,
    /// The path that git named, if it did.
    pub path: &'a str,
    /// The user name that was sent.
    pub username: &'a str,
}

impl Refused<'_> {
    /// Keeps it for a while. Where it cannot be kept, nothing is worse than before.
    pub fn note(self, index: &Index) {
        self.try_to_note(&file(index)).ok();
    }

    fn try_to_note(self, file: &Path) -> io::Result<()> {
        let _lock = Lock::acquire(&file.with_extension("lock"), || {})?;
        let now = keeping::now();
        let text = read(file).unwrap_or_default();
        let recent: Vec<&str> = text.lines().filter(|line| is_recent(line, now)).collect();
        let mut kept = String::new();
        for line in recent.iter().skip((recent.len() + 1).saturating_sub(MOST)) {
            writeln!(kept, "{line}").ok();
        }
        writeln!(kept, "{now}\t{}", self.line()).ok();
        file::write(file, kept.as_bytes(), file::PRIVATE)
    }

    /// Returns when it was refused, if that was a moment ago, in seconds since 1970.
    pub fn when(self, index: &Index) -> Option<u64> {
        let text = read(&file(index)).ok()?;
        let now = keeping::now();
        let lines = text.lines().filter(|line| is_recent(line, now));
        let (time, _) = lines
            .filter_map(|line| line.split_once('\t'))
            .rfind(|(_, rest)| *rest == self.line())?;
        time.parse().ok()
    }

    fn line(self) -> String {
        let parts = [self.host, self.path, self.username];
        parts.map(|part| part.replace(['\t', '\n', '\r'], " ")).join("\t")
    }
}

fn is_recent(line: &str, now: u64) -> bool {
    let time = line.split_once('\t').and_then(|(time, _)| time.parse::<u64>().ok());
    time.is_some_and(|time| now.abs_diff(time) < MEMORY)
}

fn file(index: &Index) -> PathBuf {
    index.path().with_file_name("refused")
}

fn read(file: &Path) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&file::read(file, MAX)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    #[test]
    fn many_at_once_are_all_remembered_and_the_latest_are_kept() {
        let home = tempfile::tempdir().expect("a directory");
        let index = Index::of(&Environment::from_pairs([("XDG_CONFIG_HOME", home.path())])).expect("a directory");
        let note = |path: &str| {
            Refused {
                host: "bitbucket.org",
                path,
                username: "ada",
            }
            .note(&index);
        };
        std::thread::scope(|scope| {
            for n in 0..8 {
                scope.spawn(move || (0..4).for_each(|m| note(&format!("{n}/{m}"))));
            }
        });
        assert_eq!(read(&file(&index)).expect("a file").lines().count(), 32);
        (0..MOST).for_each(|n| note(&format!("late/{n}")));
        let text = read(&file(&index)).expect("a file");
        assert_eq!(text.matches("\tlate/").count(), MOST);
    }

    #[test]
    fn it_is_remembered_for_the_same_and_not_for_long() {
        let home = tempfile::tempdir().expect("a directory");
        let index = Index::of(&Environment::from_pairs([("XDG_CONFIG_HOME", home.path())])).expect("a directory");
        let refused = Refused {
            host: "bitbucket.org",
            path: "acme/widgets.git/info/lfs",
            username: "ada",
        };
        assert_eq!(refused.when(&index), None);
        refused.note(&index);
        assert!(refused.when(&index).is_some());
        let other = Refused {
            username: "bob",
            ..refused
        };
        assert_eq!(other.when(&index), None);
        let now = keeping::now();
        assert!(is_recent(&format!("{now}\tx"), now + 1));
        assert!(!is_recent(&format!("{now}\tx"), now + MEMORY) && !is_recent("x\ty", now));
    }
}
