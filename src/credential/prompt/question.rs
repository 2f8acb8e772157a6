//! The questions, byte for byte as git writes them, so that whoever recognises git's prompts recognises these.
//!
//! Does not depend on who is asked.

use std::fmt::Write as _;

use url::Url;

use super::{Echo, Note, Person};
use crate::credential::username::is_secret;
use crate::report::Failure;
use crate::secret::Secret;

/// What a user name and a password are asked for.
#[derive(Debug, Clone)]
pub struct Target {
    scheme: String,
    host: String,
    path: Option<String>,
    sanitize: bool,
}

/// What a person has answered.
#[derive(Debug)]
pub struct Typed {
    /// The user name, which may be empty.
    pub username: String,
    /// The secret.
    pub secret: Secret,
    /// Whether it was typed at the terminal, and not given by a program.
    pub at_terminal: bool,
}

impl Target {
    /// Returns the place of `url`, with its path if `with_path`; `sanitize` is `credential.sanitizePrompt`.
    pub fn of(url: &Url, with_path: bool, sanitize: bool) -> Self {
        let host = url.host_str().unwrap_or_default();
        let path = url.path().trim_matches('/');
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        Self {
            scheme: url.scheme().to_owned(),
            host: url
                .port()
                .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            path: Some(path.into_owned()).filter(|path| with_path && !path.is_empty()),
            sanitize,
        }
    }

    /// Asks for what is not known yet: the user name, then the password. `before` is shown once, above the first
    /// question at a terminal. `None` where the question was dismissed.
    pub fn ask(&self, person: &dyn Person, known: Option<&str>, before: &[Note]) -> Result<Option<Typed>, Failure> {
        let (username, before) = match known {
            Some(name) => (name.to_owned(), before),
            None => match person.ask(&self.username_question(), Echo::On, before)? {
                // A program may answer every question with the token, and the next question would show it.
                Some(answer) if is_secret(&answer.text) => (String::new(), before),
                Some(answer) => (
                    answer.text.as_str().to_owned(),
                    if answer.at_terminal { &[] } else { before },
                ),
                None => return Ok(None),
            },
        };
        let Some(answer) = person.ask(&self.password_question(&username), Echo::Off, before)? else {
            return Ok(None);
        };
        let secret = Secret::new(answer.text.as_str());
        Ok((!secret.is_empty()).then_some(Typed {
            username,
            secret,
            at_terminal: answer.at_terminal,
        }))
    }

    fn username_question(&self) -> String {
        format!("Username for '{}': ", self.shown(""))
    }

    fn password_question(&self, username: &str) -> String {
        format!("Password for '{}': ", self.shown(username))
    }

    /// The URL as `credential_describe` and `credential_format` of git's `credential.c` write it.
    fn shown(&self, username: &str) -> String {
        let plain = |text: &str| text.to_owned();
        let encode = |unsafe_byte: fn(u8) -> bool| move |text: &str| encoded(text, unsafe_byte);
        let mut shown = format!("{}://", self.scheme);
        if self.sanitize {
            if !username.is_empty() {
                shown += &encode(|byte| is_unsafe(byte) || byte == b'/')(username);
                shown.push('@');
            }
            shown += &encode(|byte| !byte.is_ascii_alphanumeric() && !b"-.:[]".contains(&byte))(&self.host);
            if let Some(path) = &self.path {
                write!(shown, "/{}", encode(is_unsafe)(path)).ok();
            }
        } else {
            if !username.is_empty() {
                write!(shown, "{}@", plain(username)).ok();
            }
            shown += &self.host;
            if let Some(path) = &self.path {
                write!(shown, "/{path}").ok();
            }
        }
        shown
    }
}

fn encoded(text: &str, is_unsafe: fn(u8) -> bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte <= 0x1f || byte >= 0x7f || is_unsafe(byte) {
            write!(encoded, "%{byte:02X}").ok();
        } else {
            encoded.push(char::from(byte));
        }
    }
    encoded
}

/// `URL_UNSAFE_CHARS` of git's `strbuf.c`.
fn is_unsafe(byte: u8) -> bool {
    b" <>\"%{}|\\^`:?#[]@!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str, with_path: bool, sanitize: bool) -> Target {
        Target::of(&Url::parse(url).expect("a URL"), with_path, sanitize)
    }

    #[test]
    fn questions_are_gits_own() {
        let url = "https://bitbucket.org/acme/%7Bx%7D.git";
        let plain = place(url, false, true);
        assert_eq!(plain.username_question(), "Username for 'https://bitbucket.org': ");
        assert_eq!(
            plain.password_question("ada"),
            "Password for 'https://ada@bitbucket.org': "
        );
        assert_eq!(plain.password_question(""), "Password for 'https://bitbucket.org': ");
        assert_eq!(
            plain.password_question("a@b.c/d"),
            "Password for 'https://a%40b.c%2Fd@bitbucket.org': "
        );
        let path = place("https://localhost:8443/acme/%7Bx%7D.git/", true, true);
        assert_eq!(
            path.password_question("é"),
            "Password for 'https://%C3%A9@localhost:8443/acme/%7Bx%7D.git': "
        );
        let bare = place(url, true, false);
        assert_eq!(
            bare.password_question("a@b"),
            "Password for 'https://a@b@bitbucket.org/acme/{x}.git': "
        );
    }
}
