//! `http.<url>.*`, `sideband.<url>.*` and `credential.<url>.*`: which values of git's configuration are for an address, and which of them wins.
//!
//! The rules are git-config(1), `http.<url>.*`, and what git does where that is silent; the tests ask git itself.
//! Does not depend on what the values mean.

use std::collections::HashMap;
use std::path::PathBuf;

use url::Url;

use super::config::Config;
use super::entry::{Entry, Prefixes, reset};
use crate::report::Failure;

/// The values of `http.*` and `http.<url>.*` that are for one address.
///
/// A name is given without its section, as in `text("sslVerify")`, in any case.
pub struct HttpConfig<'a> {
    entries: Vec<&'a Entry>,
    places: &'a Prefixes,
}

impl Config {
    /// Returns the values of `http.*` that are for `url`.
    pub fn http(&self, url: &Url) -> HttpConfig<'_> {
        self.section("http", url)
    }

    /// Returns the values of `sideband.*` that are for `url`, by the same rules.
    pub fn sideband(&self, url: &Url) -> HttpConfig<'_> {
        self.section("sideband", url)
    }

    fn section(&self, section: &str, url: &Url) -> HttpConfig<'_> {
        let address = Parts::of(url.as_str(), false);
        let mut best: HashMap<&str, Rank> = HashMap::new();
        let mut entries = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.section == section) {
            let Some(rank) = rank(entry, address.as_ref()) else {
                continue;
            };
            // What comes later has to be as close at least, also for names whose values add up.
            if best.get(entry.name.as_str()).is_none_or(|best| rank >= *best) {
                best.insert(&entry.name, rank);
                entries.push(entry);
            }
        }
        HttpConfig {
            entries,
            places: &self.places,
        }
    }

    /// Returns the values of `credential.*` that are for `url`. Close or not, all of them count in the order in which
    /// git reads them (`credential.c`, `select_all`), and a pattern need not have a scheme.
    pub fn credential(&self, url: &Url) -> HttpConfig<'_> {
        let address = Parts::of(url.as_str(), false);
        let matches = |entry: &&Entry| {
            let Some(pattern) = &entry.subsection else { return true };
            let Ok(pattern) = std::str::from_utf8(pattern) else {
                return false;
            };
            let pattern = if pattern.contains("://") {
                pattern.to_owned()
            } else {
                format!("{}://{pattern}", url.scheme())
            };
            let parts = Parts::of(&pattern, true).zip(address.as_ref());
            parts.is_some_and(|(pattern, address)| pattern.rank_for(address).is_some())
        };
        let entries = self.entries.iter().filter(|entry| entry.section == "credential");
        HttpConfig {
            entries: entries.filter(matches).collect(),
            places: &self.places,
        }
    }
}

impl HttpConfig<'_> {
    /// Returns the value of `name` as text; `None` if there is none, or a name without `=`.
    pub fn text(&self, name: &str) -> Option<String> {
        self.last(name)?.text()
    }

    /// Returns the values of `name` that add up, in order; an empty one begins anew.
    pub fn list(&self, name: &str) -> Vec<String> {
        reset(self.each(name).filter_map(Entry::text))
    }

    /// As [`Self::list`], byte for byte: a value need not be UTF-8.
    pub fn byte_list(&self, name: &str) -> Vec<Vec<u8>> {
        reset(self.each(name).filter_map(Entry::bytes))
    }

    /// Returns the value of `name` as a boolean; fails on any other word.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.last(name).map(Entry::flag).transpose()
    }

    /// Returns the value of `name` as a number, `k`, `m` and `g` multiplied out; fails if it is none.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.last(name).map(Entry::number).transpose()
    }

    /// Returns the value of `name` as a path with `~` expanded; fails if it cannot be.
    pub fn path(&self, name: &str) -> Result<Option<PathBuf>, Failure> {
        Ok(self
            .last(name)
            .map(|entry| entry.path(self.places))
            .transpose()?
            .flatten())
    }

    fn each(&self, name: &str) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries
            .iter()
            .copied()
            .filter(move |entry| entry.name.eq_ignore_ascii_case(name))
    }

    fn last(&self, name: &str) -> Option<&Entry> {
        self.each(name).next_back()
    }
}

/// How close a pattern is: the length of its host, of its path, and whether it names the user. Greater is closer.
type Rank = (usize, usize, bool);

/// The rank of `entry` for `address`, `None` if it is for another one.
fn rank(entry: &Entry, address: Option<&Parts>) -> Option<Rank> {
    let Some(pattern) = &entry.subsection else {
        return Some((0, 0, false));
    };
    Parts::of(std::str::from_utf8(pattern).ok()?, true)?.rank_for(address?)
}

/// An address, or a pattern for some, in git's normal form.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    scheme: String,
    user: Option<String>,
    host: String,
    /// Empty for the scheme's own port.
    port: String,
    /// With its query, and `/` at least.
    path: String,
}

impl Parts {
    /// Takes `url` apart; `None` where it is not a whole URL. Only a `pattern` may have `*` in its host.
    fn of(url: &str, pattern: bool) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let first = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        if !first
            || !scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
        {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let (authority, path) = rest.split_at_checked(rest.find(['/', '?', '#']).unwrap_or(rest.len()))?;
        let (user, place) = match authority.split_once('@') {
            // The escapes of a password must be right too, though nothing compares it.
            Some((user, place)) => (Some(normal(user)?), place),
            None => (None, authority),
        };
        let user = user.map(|user| user.split_once(':').map_or(user.clone(), |(name, _)| name.to_owned()));
        let (host, port) = split_port(place);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[:]".contains(&byte) || (pattern && byte == b'*');
        if host.is_empty() || !host.bytes().all(allowed) {
            return None;
        }
        let port = normal_port(&scheme, port)?;
        Some(Self {
            scheme,
            user,
            host: host.to_ascii_lowercase(),
            port,
            path: normal_path(path)?,
        })
    }

    /// How close this pattern is to `address`; `None` if it does not match.
    fn rank_for(&self, address: &Self) -> Option<Rank> {
        let user = self.user.is_none() || self.user == address.user;
        if !user || self.scheme != address.scheme || self.port != address.port {
            return None;
        }
        let mut labels = self.host.split('.');
        let mut asked = address.host.split('.');
        loop {
            match (labels.next(), asked.next()) {
                (None, None) => break,
                (Some(label), Some(asked)) if label == "*" || label == asked => {}
                _ => return None,
            }
        }
        Some((self.host.len(), self.path_match(&address.path)?, self.user.is_some()))
    }

    /// The length of the match, with the slash that ends it; only whole segments match.
    fn path_match(&self, path: &str) -> Option<usize> {
        let prefix = self.path.strip_suffix('/').unwrap_or(&self.path);
        let rest = path.strip_prefix(prefix)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(prefix.len() + 1)
    }
}

/// Splits a port off; the colons of an IPv6 address in brackets are none of it.
fn split_port(place: &str) -> (&str, &str) {
    match place.rfind([':', ']']) {
        Some(at) if at > 0 && place.get(at..=at) == Some(":") => (
            place.get(..at).unwrap_or_default(),
            place.get(at + 1..).unwrap_or_default(),
        ),
        _ => (place, ""),
    }
}

/// The port without leading zeros, empty for the scheme's own; `None` where it is none.
fn normal_port(scheme: &str, port: &str) -> Option<String> {
    if port.is_empty() {
        return Some(String::new());
    }
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = port.parse::<u16>().ok().filter(|number| *number > 0)?;
    let own = matches!((scheme, number), ("http", 80) | ("https", 443));
    Some(if own { String::new() } else { number.to_string() })
}

/// The path and query with `.` and `..` resolved; `None` where `..` leaves the root or an escape is broken.
fn normal_path(text: &str) -> Option<String> {
    let (path, query) = text.split_at_checked(text.find(['?', '#']).unwrap_or(text.len()))?;
    let mut segments: Vec<String> = Vec::new();
    for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
        match normal(segment)?.as_str() {
            "." => {}
            ".." => drop(segments.pop()?),
            segment => segments.push(segment.to_owned()),
        }
    }
    Some(format!("/{}{}", segments.join("/"), normal(query)?))
}

/// `text` with the escapes that it needs and no others (RFC 3986, 6.2.2); `None` where one is broken.
fn normal(text: &str) -> Option<String> {
    const UNSAFE: &[u8] = b" <>\"%{}|\\^`";
    const RESERVED: &[u8] = b":/?#[]@!$&'()*+,;=";
    let mut result = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let escaped = byte == b'%';
        let byte = if escaped {
            hex(bytes.next()?)? << 4 | hex(bytes.next()?)?
        } else {
            byte
        };
        if !(0x20..0x7f).contains(&byte) || UNSAFE.contains(&byte) || (escaped && RESERVED.contains(&byte)) {
            result.push('%');
            result.extend(
                [byte >> 4, byte & 15]
                    .into_iter()
                    .filter_map(|digit| char::from_digit(digit.into(), 16)),
            );
        } else {
            result.push(char::from(byte));
        }
    }
    Some(result)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
#[path = "url_match_tests.rs"]
mod tests;
