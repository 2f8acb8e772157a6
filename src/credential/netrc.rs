//! `~/.netrc`: a name and a password for a host, as curl reads them for git.
//!
//! Where it stands in the order is for `logins` to say. As with git, a file that cannot be read is none.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::secret::Secret;
use crate::environment::Environment;

/// The longest file that is read, in bytes.
const MAX: u64 = 1024 * 1024;

/// What a file has for a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `login`.
    pub username: Option<String>,
    /// `password`.
    pub password: Secret,
}

/// Returns the first entry for `host` in the user's file, and for `username` if one is given.
pub(super) fn look(environment: &Environment, host: &str, username: Option<&str>) -> Option<Entry> {
    let file = places(environment).into_iter().find_map(|path| File::open(path).ok())?;
    let length = file.metadata().map(|metadata| metadata.len()).unwrap_or_default();
    // Sized at once: a buffer that grows leaves copies of what is in it behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length.min(MAX)).ok()? + 1));
    file.take(MAX).read_to_end(&mut bytes).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    find(text, host, username)
}

/// Returns the places where the file may be, best first.
fn places(environment: &Environment) -> Vec<PathBuf> {
    let names: &[&str] = if cfg!(windows) {
        &["_netrc", ".netrc"]
    } else {
        &[".netrc"]
    };
    let home = environment.home();
    home.iter()
        .flat_map(|home| names.iter().map(|name| home.join(name)))
        .collect()
}

/// Returns the first entry of `text` that is for `host` (`default` is for each), and for `username` if one is given.
pub fn find(text: &str, host: &str, username: Option<&str>) -> Option<Entry> {
    let mut words = Words { rest: text };
    let mut applies = false;
    let (mut name, mut password): (Option<String>, Option<Secret>) = (None, None);
    let fits = |name: &Option<String>| username.is_none_or(|wanted| name.as_deref().is_none_or(|name| name == wanted));
    loop {
        let word = words.next();
        // Whatever begins a new entry ends the one before it.
        if matches!(word.as_deref(), None | Some("machine" | "default" | "macdef")) {
            if applies
                && fits(&name)
                && let Some(password) = password.take()
            {
                return Some(Entry {
                    username: name.or_else(|| username.map(str::to_owned)),
                    password,
                });
            }
            (applies, name, password) = (false, None, None);
        }
        match word.as_deref() {
            None => return None,
            Some("machine") => applies = words.next()?.eq_ignore_ascii_case(host),
            Some("default") => applies = true,
            Some("macdef") => words.skip_macro(),
            Some("login") => name = Some(words.next()?),
            Some("password") => password = Some(Secret::new(words.next()?)),
            Some("account") => drop(words.next()?),
            Some(_) => {}
        }
    }
}

struct Words<'a> {
    rest: &'a str,
}

impl Words<'_> {
    /// The next word; one in quotes may hold spaces and escapes. A line that begins with `#` is a comment.
    fn next(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        while self.rest.starts_with('#') {
            self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
        }
        if let Some(quoted) = self.rest.strip_prefix('"') {
            return self.quoted(quoted.len());
        }
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }

    fn quoted(&mut self, length: usize) -> Option<String> {
        let start = self.rest.len() - length;
        let mut word = String::new();
        let mut characters = self.rest.get(start..)?.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    self.rest = self.rest.get(start + at + 1..)?;
                    return Some(word);
                }
                '\\' => word.push(match characters.next()?.1 {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                }),
                c => word.push(c),
            }
        }
        None
    }

    /// A macro goes up to an empty line.
    fn skip_macro(&mut self) {
        let end = self.rest.find("\n\n").or_else(|| self.rest.find("\n\r\n"));
        self.rest = end.and_then(|end| self.rest.get(end..)).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, host: &str, username: Option<&str>) -> Option<(String, String)> {
        let entry = find(text, host, username)?;
        Some((entry.username.unwrap_or_default(), entry.password.expose().to_owned()))
    }

    macro_rules! some {
        ($name:literal, $password:literal) => {
            Some(($name.to_owned(), $password.to_owned()))
        };
    }

    const FILE: &str = "# my secrets\n\
        machine example.com login a password pa\n\
        machine bitbucket.org\n\tlogin ada\n\taccount x\n\tpassword \"p \\\"w\\\"\"\n\
        macdef init\ncd /machine bitbucket.org\n\n\
        machine bitbucket.org login bob password pb\n\
        machine no.password login x\n\
        default login anonymous password pd\n";

    #[test]
    fn the_first_entry_of_a_host_counts_and_a_name_selects() {
        assert_eq!(found(FILE, "example.com", None), some!("a", "pa"));
        assert_eq!(found(FILE, "Bitbucket.org", None), some!("ada", "p \"w\""));
        assert_eq!(found(FILE, "bitbucket.org", Some("bob")), some!("bob", "pb"));
        assert_eq!(found(FILE, "other.org", None), some!("anonymous", "pd"));
        assert_eq!(found(FILE, "no.password", None), some!("anonymous", "pd"));
    }

    #[test]
    fn an_entry_may_leave_the_name_out() {
        assert_eq!(found("machine h password p", "h", Some("me")), some!("me", "p"));
    }

    #[test]
    fn no_text_makes_it_fail() {
        for text in [
            "",
            "machine",
            "machine h login",
            "machine h password \"open",
            "macdef x",
            "#",
            "\u{0}",
            "password p",
        ] {
            assert_eq!(found(text, "h", None), None, "{text:?}");
        }
    }
}
