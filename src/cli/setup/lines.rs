//! The lines that git's global configuration needs, and whether it has them.

use std::fmt;

use crate::address::{BaseUrl, SSH_HOSTS};
use crate::credential::account::{Account, is_fixed};
use crate::git::config::Config;
use crate::git::document::{self, Key};
use crate::git::lfs::CREDENTIAL_HELPER;

/// What the lines are for, above them in the file.
const COMMENT: &str = "# By 'git-remote-bbcloud setup'; 'git-remote-bbcloud setup --undo' takes these lines away.\n";

/// How far https and ssh URLs are taken as `bbcloud::` URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    Workspace(String),
    All,
}

impl Reach {
    /// Returns the text for the record; [`Reach::parse`] reads it back.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Workspace(name) => name,
            Self::All => "",
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        if text.is_empty() {
            Self::All
        } else {
            Self::Workspace(text.to_owned())
        }
    }

    /// What URLs end with where the workspace has been named.
    fn path(&self) -> String {
        match self {
            Self::Workspace(name) => format!("{name}/"),
            Self::All => String::new(),
        }
    }
}

/// One line of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) key: Key,
    pub(super) value: String,
}

impl Line {
    fn new(section: &str, subsection: &str, name: &str, value: impl Into<String>) -> Self {
        Self {
            key: Key::new(section, subsection, name),
            value: value.into(),
        }
    }

    /// Whether it makes git use other URLs than programs are told.
    pub(super) fn is_rewriting(&self) -> bool {
        self.key.section == "url"
    }

    /// Whether git goes by this line, from whichever of the user's or the system's files.
    pub(super) fn is_set(&self, config: &Config, base: &BaseUrl) -> bool {
        let values = config.trusted();
        let key = self.key.to_string();
        match self.key.section.as_str() {
            // The two lines of the helper are one.
            "credential" if self.key.name == "helper" => {
                config.has_credential_helper(&base_text(base), CREDENTIAL_HELPER)
            }
            "credential" => values.flag(&key).ok().flatten() == Some(true),
            "url" => values.all(&key).contains(&self.value),
            _ => values.text(&key).as_ref() == Some(&self.value),
        }
    }
}

/// As `git config` takes it, and a line end.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} = {}", self.key, self.value)
    }
}

/// Returns every line that should be there.
pub(super) fn wanted(reaches: &[Reach], accounts: &[Account], base: &BaseUrl) -> Vec<Line> {
    let place = base_text(base);
    let mut lines = vec![
        Line::new("protocol", "bbcloud", "allow", "always"),
        // The empty one keeps the secret from helpers that would store it.
        Line::new("credential", &place, "helper", ""),
        Line::new("credential", &place, "helper", CREDENTIAL_HELPER),
        Line::new("credential", &place, "usehttppath", "true"),
    ];
    for reach in reaches {
        for start in starts(accounts, base) {
            let path = reach.path();
            let line = Line::new(
                "url",
                &format!("bbcloud::{path}"),
                "insteadof",
                format!("{start}{path}"),
            );
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

/// What URLs of Bitbucket begin with, up to the workspace. A user name cannot be left open, so it is for those who are
/// known.
fn starts(accounts: &[Account], base: &BaseUrl) -> Vec<String> {
    let host = base.host_and_port();
    let mut names: Vec<&str> = base.username().into_iter().collect();
    let known = accounts
        .iter()
        .filter(|account| account.host == host && !is_fixed(&account.username));
    names.extend(known.map(|account| account.username.as_str()));
    names.sort_unstable();
    names.dedup();
    let place = base_text(base);
    let (scheme, rest) = place.split_once("://").unwrap_or(("https", &place));
    let mut starts = vec![format!("{place}/")];
    if base.is_bitbucket_org() {
        starts.extend(SPELLINGS.iter().map(|host| format!("{scheme}://{host}/")));
    }
    starts.extend(names.iter().map(|name| format!("{scheme}://{name}@{rest}/")));
    starts.extend(ssh_starts(base));
    starts
}

/// How people write the host in https URLs, besides the right way.
const SPELLINGS: [&str; 3] = ["www.bitbucket.org", "Bitbucket.org", "BitBucket.org"];

/// Where ssh is served, by `ssh.bitbucket.org` and by `altssh.bitbucket.org`.
const PORTS: [u16; 2] = [22, 443];

/// What ssh URLs begin with. `insteadOf` compares bytes, so each way to write one is a line.
fn ssh_starts(base: &BaseUrl) -> Vec<String> {
    let hosts = if base.is_bitbucket_org() {
        SSH_HOSTS.to_vec()
    } else {
        vec![base.host()]
    };
    let mut starts = Vec::new();
    for host in hosts {
        for user in ["git@", ""] {
            starts.push(format!("{user}{host}:"));
            for scheme in ["ssh", "git+ssh"] {
                starts.push(format!("{scheme}://{user}{host}/"));
                starts.extend(PORTS.map(|port| format!("{scheme}://{user}{host}:{port}/")));
            }
        }
    }
    starts
}

fn base_text(base: &BaseUrl) -> String {
    base.url().as_str().trim_end_matches('/').to_owned()
}

/// Returns the lines as text that can follow `before`.
pub(super) fn block(lines: &[Line], before: &[u8]) -> String {
    let mut text = String::new();
    if !before.is_empty() && !before.ends_with(b"\n") {
        text += "\n";
    }
    text += COMMENT;
    let mut open = None;
    for line in lines {
        let section = (&line.key.section, &line.key.subsection);
        if open != Some(section) {
            text += &document::header(&line.key);
            open = Some(section);
        }
        let name = match line.key.name.as_str() {
            "usehttppath" => "useHttpPath",
            "insteadof" => "insteadOf",
            name => name,
        };
        text += &document::line(name, &line.value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::document::Document;

    #[test]
    fn the_text_says_what_the_lines_say() {
        let lines = wanted(
            &[Reach::Workspace("acme".to_owned()), Reach::All],
            &[],
            &BaseUrl::default(),
        );
        let text = block(&lines, b"[core]");
        assert!(text.starts_with("\n#"));
        let document = Document::parse(text.as_bytes(), "text").expect("sound");
        let read: Vec<(String, String)> = (document.values().iter())
            .map(|value| (value.key.to_string(), value.text.to_string()))
            .collect();
        let meant: Vec<_> = lines
            .iter()
            .map(|line| (line.key.to_string(), line.value.clone()))
            .collect();
        assert_eq!(read, meant);
        assert!(
            text.contains("\tinsteadOf = ssh://git@altssh.bitbucket.org:443/acme/\n"),
            "{text}"
        );
        assert!(
            text.contains("\tinsteadOf = ssh://git@ssh.bitbucket.org/acme/\n"),
            "{text}"
        );
        assert!(
            text.contains("[url \"bbcloud::\"]\n\tinsteadOf = https://bitbucket.org/\n"),
            "{text}"
        );
    }

    #[test]
    fn user_names_cannot_shape_the_configuration() {
        for name in ["a#b", "a\"b", "a\\b", "a;b", " a", "a\u{e9}"] {
            let lines = [Line::new(
                "url",
                "bbcloud::x\"y",
                "insteadof",
                format!("https://{name}@bitbucket.org/"),
            )];
            let text = block(&lines, b"");
            let document = Document::parse(text.as_bytes(), "text").expect("sound");
            let read: Vec<String> = document.values().iter().map(|value| value.text.to_string()).collect();
            assert_eq!(read, [format!("https://{name}@bitbucket.org/")], "{text}");
            assert_eq!(document.values()[0].key, lines[0].key);
        }
    }
}
