//! When a secret last worked, and since when it is refused: so that one false refusal of a server is not believed.
//!
//! A file beside the list of accounts, a line for each secret: times, where it came from, for what and by which user
//! name. Neither a secret nor a hash of one is in it; a file that cannot be read or written is no memory, and no error.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use super::index::Index;
use super::lock::Lock;
use super::login::Source;
use crate::file;

/// The most lines that are kept.
const MOST: usize = 256;
/// The longest file that is read, in bytes.
const MAX: u64 = 1024 * 1024;
/// How old a time may be before it is written again, in seconds: a fetch that writes nothing is faster.
pub const FRESH: u64 = 60 * 60;

/// Whose secret, for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Where it came from.
    pub source: Source,
    /// The host, and `:port` where it is not the default.
    pub host: String,
    /// What it is for at the host: a repository, a workspace, or everything.
    pub place: String,
    /// The user name that was sent.
    pub username: String,
}

/// What is known about a secret, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// When it last worked.
    pub worked: u64,
    /// Since when it has been refused, if it was refused since it last worked.
    pub refused: Option<u64>,
}

/// The memory.
pub trait History {
    /// Returns what is known about the secret of `key`.
    fn recall(&self, key: &Key) -> Option<Record>;

    /// Notes `record`.
    fn note(&self, key: &Key, record: Record);

    /// Returns the source that served the repository `place` at `host` last, of those that need no keychain.
    fn last_source(&self, host: &str, place: &str) -> Option<Source>;
}

/// The memory in a file of the user's configuration.
#[derive(Debug, Clone)]
pub struct Remembered {
    path: Option<PathBuf>,
}

impl Remembered {
    /// Returns the memory beside the list of accounts; a user without one has none.
    pub fn of(index: Option<&Index>) -> Self {
        Self {
            path: index.map(|index| index.path().with_file_name("worked")),
        }
    }

    fn lines(&self) -> Vec<(Key, Record)> {
        let Some(path) = &self.path else { return Vec::new() };
        let bytes = file::read(path, MAX).unwrap_or_default();
        String::from_utf8_lossy(&bytes).lines().filter_map(parse).collect()
    }

    fn try_to_note(&self, key: &Key, record: Record) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let _lock = Lock::acquire(&path.with_extension("lock"), || {})?;
        let mut lines = self.lines();
        lines.retain(|(other, _)| other != key);
        lines.push((key.clone(), record));
        let surplus = lines.len().saturating_sub(MOST);
        let mut text = String::new();
        for (key, record) in lines.iter().skip(surplus) {
            writeln!(text, "{}", line(key, *record)).ok();
        }
        file::write(path, text.as_bytes(), file::PRIVATE)
    }
}

impl History for Remembered {
    fn recall(&self, key: &Key) -> Option<Record> {
        self.lines()
            .into_iter()
            .find_map(|(other, record)| (other == *key).then_some(record))
    }

    fn note(&self, key: &Key, record: Record) {
        // A line end or tab in a name would break the file's format.
        let is_plain = |text: &str| !text.contains(char::is_control);
        if [&key.host, &key.place, &key.username]
            .into_iter()
            .all(|text| is_plain(text))
        {
            self.try_to_note(key, record).ok();
        }
    }

    fn last_source(&self, host: &str, place: &str) -> Option<Source> {
        last_source(self.lines(), host, place)
    }
}

/// Returns the source of the latest of `lines` that is for `place`.
pub(super) fn last_source(lines: Vec<(Key, Record)>, host: &str, place: &str) -> Option<Source> {
    let mut lines = lines;
    lines.retain(|(key, _)| key.source != Source::Keychain && key.host == host && key.place == place);
    let latest = lines.into_iter().max_by_key(|(_, record)| record.worked);
    latest.map(|(key, _)| key.source)
}

fn line(key: &Key, record: Record) -> String {
    format!(
        "{}\t{}\t{}\t{}\t{}\t{}",
        record.worked,
        record.refused.unwrap_or_default(),
        key.source.word(),
        key.host,
        key.place,
        key.username
    )
}

fn parse(line: &str) -> Option<(Key, Record)> {
    let mut parts = line.splitn(6, '\t');
    let mut next = || parts.next();
    let worked = next()?.parse().ok()?;
    let refused: u64 = next()?.parse().ok()?;
    let source = Source::parse(next()?)?;
    let (host, place, username) = (next()?.to_owned(), next()?.to_owned(), next()?.to_owned());
    let key = Key {
        source,
        host,
        place,
        username,
    };
    let refused = Some(refused).filter(|time| *time != 0);
    Some((key, Record { worked, refused }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    fn key(source: Source, place: &str) -> Key {
        Key {
            source,
            host: "bitbucket.org".to_owned(),
            place: place.to_owned(),
            username: "ada b".to_owned(),
        }
    }

    #[test]
    fn times_are_remembered_and_the_latest_are_kept() {
        let home = tempfile::tempdir().expect("a directory");
        let index = Index::of(&Environment::from_pairs([("XDG_CONFIG_HOME", home.path())]));
        let history = Remembered::of(index.as_ref());
        let helper = key(Source::Helper, "acme/widgets");
        assert_eq!(history.recall(&helper), None);
        let record = Record {
            worked: 7,
            refused: Some(9),
        };
        history.note(&helper, record);
        assert_eq!(history.recall(&helper), Some(record));
        assert_eq!(
            history.last_source("bitbucket.org", "acme/widgets"),
            Some(Source::Helper)
        );
        let later = Record {
            worked: 8,
            refused: None,
        };
        history.note(&key(Source::Netrc, "acme/widgets"), later);
        history.note(&key(Source::Keychain, "acme/widgets"), later);
        assert_eq!(
            history.last_source("bitbucket.org", "acme/widgets"),
            Some(Source::Netrc)
        );
        assert_eq!(history.last_source("bitbucket.org", "acme/other"), None);
        (0..MOST).for_each(|n| history.note(&key(Source::Helper, &n.to_string()), later));
        assert_eq!(history.recall(&helper), None);
        assert_eq!(history.lines().len(), MOST);
        Remembered::of(None).note(&helper, record);
        let odd = Key {
            username: "a\nb".to_owned(),
            ..helper
        };
        history.note(&odd, record);
        assert_eq!(history.recall(&odd), None);
    }
}
