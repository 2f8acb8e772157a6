//! What people give in place of a secret: the secret in quotes, after `Bearer ` or `user:`, or a variable's name.
//!
//! Pure; does not depend on where the text came from. No part of the secret is in what it returns for people to read.

use std::fmt;

use super::Secret;
use super::kind::Kind;

/// What stood around a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrapping {
    /// `"…"` or `'…'`.
    Quotes,
    /// `Bearer …`, with or without the header's name before it.
    Bearer,
    /// A user name and a colon.
    UserName,
}

/// The words for it.
impl fmt::Display for Wrapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quotes => "quotes around the secret",
            Self::Bearer => "'Bearer' before the secret",
            Self::UserName => "a user name and a colon before the secret",
        })
    }
}

/// A text that was given as a secret.
#[derive(Debug, PartialEq, Eq)]
pub enum Pasted {
    /// As it should be.
    Plain(Secret),
    /// The secret, with something around it that is not part of it.
    Wrapped(Secret, Wrapping),
    /// The name of a variable that no shell has replaced by its value, as in `$TOKEN` or `%TOKEN%`.
    Unexpanded(String),
}

impl Pasted {
    /// Looks at `secret` as it was given.
    pub fn recognize(secret: Secret) -> Self {
        let text = secret.expose();
        if let Some(name) = variable(text) {
            return Self::Unexpanded(name.to_owned());
        }
        if let Some(inner) = unquoted(text) {
            return Self::Wrapped(Secret::new(inner), Wrapping::Quotes);
        }
        if let Some(inner) = after_bearer(text) {
            return Self::Wrapped(Secret::new(inner), Wrapping::Bearer);
        }
        if let Some(inner) = after_user_name(text) {
            return Self::Wrapped(Secret::new(inner), Wrapping::UserName);
        }
        Self::Plain(secret)
    }
}

/// Returns the variable that the whole of `text` names, as shells, CI files and `cmd.exe` write it.
fn variable(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('$').and_then(|rest| {
        let braces = rest.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let doubled = rest.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        doubled.or(braces).or(Some(rest))
    });
    let percent = text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%'));
    let name = rest.or(percent)?.trim();
    let name = name.strip_prefix("env:").unwrap_or(name);
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    (first && rest).then_some(name)
}

fn unquoted(text: &str) -> Option<&str> {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    ['"', '\'', '`']
        .into_iter()
        .find_map(inside)
        .filter(|inner| !inner.is_empty())
}

fn after_bearer(text: &str) -> Option<&str> {
    let value = after(text, "authorization:").map_or(text, str::trim_start);
    after(value, "bearer ").map(str::trim).filter(|inner| !inner.is_empty())
}

/// Returns what follows `prefix`, which is in lower case and counts in any case.
fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Only where a token of a known kind follows: other secrets may have colons of their own.
fn after_user_name(text: &str) -> Option<&str> {
    let (name, inner) = text.split_once(':')?;
    let known = Kind::of(&Secret::new(inner)) != Kind::Unknown;
    (known && !name.is_empty()).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_bearer_and_user_names_are_taken_off() {
        for (text, wrapping) in [
            ("\"ATATTx\"", Wrapping::Quotes),
            ("'ATATTx'", Wrapping::Quotes),
            ("Bearer ATATTx", Wrapping::Bearer),
            ("authorization:  bearer ATATTx", Wrapping::Bearer),
            ("ada:ATATTx", Wrapping::UserName),
            ("ada@example.com:ATATTx", Wrapping::UserName),
        ] {
            let expected = Pasted::Wrapped(Secret::new("ATATTx"), wrapping);
            assert_eq!(Pasted::recognize(Secret::new(text)), expected, "{text}");
        }
    }

    #[test]
    fn names_of_variables_are_no_secrets() {
        for (text, name) in [
            ("$BBCLOUD_TOKEN", "BBCLOUD_TOKEN"),
            ("${BBCLOUD_TOKEN}", "BBCLOUD_TOKEN"),
            ("%BBCLOUD_TOKEN%", "BBCLOUD_TOKEN"),
            ("$env:BBCLOUD_TOKEN", "BBCLOUD_TOKEN"),
            ("${{ secrets.TOKEN }}", "secrets.TOKEN"),
        ] {
            assert_eq!(
                Pasted::recognize(Secret::new(text)),
                Pasted::Unexpanded(name.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for text in [
            "ATATTx=", "pa:ss", "$1abc", "$a-b", "$$", "%", "\"", "''", "Bearer", "bearer ", "x\"y\"",
        ] {
            assert_eq!(
                Pasted::recognize(Secret::new(text)),
                Pasted::Plain(Secret::new(text)),
                "{text}"
            );
        }
    }
}
