//! `~/.netrc`: a name and a password for a host, as curl reads them for git.
//!
//! Where it stands in the order is for `logins` to say. As with git, a file that cannot be read is none.

use std::fs::File;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::file;
use crate::secret::Secret;

/// The longest file that is read, in bytes; of a longer one an entry could be cut.
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
    let bytes = file::beginning(file, MAX).ok()?;
    if bytes.len() as u64 > MAX {
        return None;
    }
    // A byte that is no UTF-8, in a comment or in the entry of another host, stands in nobody's way.
    let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
    find(&text, host, username)
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
        // Values keep their case; curl takes keywords in any.
        let word = word.map(|word| word.to_ascii_lowercase());
        // Whatever begins a new entry ends the one before it.
        if matches!(word.as_deref(), None | Some("machine" | "default" | "macdef")) {
            if applies
                && fits(&name)
                && let Some(password) = password.take()
            {
                // What was no UTF-8 is not known any more.
                let is_whole = |text: &str| !text.contains(char::REPLACEMENT_CHARACTER);
                return (is_whole(password.expose()) && name.as_deref().is_none_or(is_whole)).then(|| Entry {
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
        self.rest = self.rest.trim_ascii_start();
        while self.rest.starts_with('#') {
            self.rest = self
                .rest
                .split_once('\n')
                .map_or("", |(_, rest)| rest)
                .trim_ascii_start();
        }
        if let Some(quoted) = self.rest.strip_prefix('"') {
            return self.quoted(quoted.len());
        }
        let end = self
            .rest
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(self.rest.len());
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
        let shouted = "MACHINE example.com Login Ada PASSWORD Pa";
        assert_eq!(found(shouted, "example.com", None), some!("Ada", "Pa"));
    }

    #[test]
    fn bytes_that_are_no_text_stand_in_nobodys_way() {
        let home = tempfile::tempdir().expect("a directory");
        let environment = Environment::from_pairs([("HOME", home.path()), ("USERPROFILE", home.path())]);
        let file = home.path().join(".netrc");
        let text = b"# Andr\xe9's\nmachine other login \xe9 password \xe9\nmachine h login a\xc2\xa0b password p\n";
        std::fs::write(&file, text).expect("written");
        let entry = look(&environment, "h", None).expect("an entry");
        assert_eq!(entry.username.as_deref(), Some("a\u{a0}b"));
        assert_eq!(look(&environment, "other", None), None, "it cannot be sent as it is");
        let padding = "#\n".repeat(usize::try_from(MAX).expect("small") / 2);
        std::fs::write(&file, format!("{padding}machine h login a password p\n")).expect("written");
        assert_eq!(look(&environment, "h", None), None, "a part of it could be cut");
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
