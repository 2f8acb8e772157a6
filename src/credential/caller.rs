//! Who asked, named in an explanation: a login without its secret.
//!
//! An agent says it in one line of a header, because the explanation is given by another program than the one that has
//! the secret.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::expiry::Expiry;
use super::login::{Login, Source};
use crate::secret::kind::Kind;

/// A login without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user name that git's endpoint gets.
    pub username: String,
    /// The kind of the secret.
    pub kind: Kind,
    /// Where it came from.
    pub source: Source,
    /// What it is kept for, if it is kept, as `--for` takes it.
    pub target: Option<String>,
    /// When the secret last worked, in seconds since 1970, if that is known.
    pub worked: Option<u64>,
    /// When the secret expires.
    pub expires: Expiry,
}

impl From<&Login> for Caller {
    fn from(login: &Login) -> Self {
        Self {
            username: login.username.clone(),
            kind: login.kind(),
            source: login.source,
            target: login.target.clone(),
            worked: login.worked,
            expires: login.expires,
        }
    }
}

impl Caller {
    /// Returns it as the value of a header; [`Caller::parse`] reads it back.
    pub fn line(&self) -> String {
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let mut line = format!(
            "username={}; kind={}; source={}",
            escaped(&self.username),
            self.kind.word(),
            self.source.word()
        );
        if let Some(target) = &self.target {
            line = format!("{line}; for={}", escaped(target));
        }
        if let Some(worked) = self.worked {
            line = format!("{line}; worked={worked}");
        }
        if self.expires != Expiry::Unknown {
            line = format!(
                "{line}; expires={}; assumed={}",
                self.expires,
                self.expires.is_assumed()
            );
        }
        line
    }

    /// Returns what `line` says.
    pub fn parse(line: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut fields = line.split("; ").filter_map(|field| field.split_once('='));
            let value = fields.find(|(found, _)| *found == name)?.1;
            let value = percent_decode_str(value).decode_utf8().ok()?;
            Some(value.into_owned()).filter(|value| !value.contains(char::is_control))
        };
        Some(Self {
            username: value("username")?,
            kind: Kind::parse(&value("kind")?)?,
            source: Source::parse(&value("source")?)?,
            target: value("for"),
            worked: value("worked").and_then(|time| time.parse().ok()),
            expires: value("expires")
                .and_then(|text| Expiry::read(&text, value("assumed").as_deref() == Some("true")))
                .unwrap_or(Expiry::Unknown),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let day = jiff::civil::date(2027, 11, 28);
        for (username, target, worked, expires) in [
            ("ada", None, None, Expiry::Unknown),
            (
                "a; b=c\u{e4}@x",
                Some("acme/widgets".to_owned()),
                Some(1_800_000_000),
                Expiry::AtLatest(day),
            ),
            ("ada", None, None, Expiry::On(day)),
        ] {
            let who = Caller {
                username: username.to_owned(),
                kind: Kind::ApiToken,
                source: Source::Keychain,
                target,
                worked,
                expires,
            };
            assert_eq!(Caller::parse(&who.line()), Some(who));
        }
    }

    #[test]
    fn what_is_not_written_so_says_nothing() {
        for line in [
            "",
            "username=ada",
            "username=a%0ab; kind=api-token; source=keychain",
            "username=a; kind=x; source=y",
        ] {
            assert_eq!(Caller::parse(line), None, "{line}");
        }
    }
}
