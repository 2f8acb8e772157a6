//! What sort of secret this is, and which user name Bitbucket wants beside it when git asks.
//!
//! The prefixes are a hint only (Atlassian says that shapes may change): a user name given by the user always wins.

use std::fmt;

use super::Secret;

/// The sort of a secret, as Bitbucket Cloud tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `ATBB…`, sent with the Bitbucket user name. bitbucket.org answers 410 to them since 2026-07-28.
    AppPassword,
    /// `ATATT…`, sent with the fixed name `x-bitbucket-api-token-auth`.
    ApiToken,
    /// `ATCTT…`, a repository's, project's or workspace's own token, sent with the fixed name `x-token-auth`.
    AccessToken,
    /// No known prefix.
    Unknown,
}

impl Kind {
    /// Returns the kind that the secret's prefix suggests.
    pub fn of(secret: &Secret) -> Self {
        let text = secret.expose();
        if text.starts_with("ATBB") {
            Self::AppPassword
        } else if text.starts_with("ATATT") {
            Self::ApiToken
        } else if text.starts_with("ATCTT") {
            Self::AccessToken
        } else {
            Self::Unknown
        }
    }

    /// Returns the user name that is the same for everybody, where this kind has one.
    pub fn fixed_username(self) -> Option<&'static str> {
        match self {
            Self::ApiToken => Some("x-bitbucket-api-token-auth"),
            Self::AccessToken => Some("x-token-auth"),
            Self::AppPassword | Self::Unknown => None,
        }
    }

    /// Returns the word for it in settings and JSON; [`Kind::parse`] reads it back.
    pub fn word(self) -> &'static str {
        match self {
            Self::AppPassword => "app-password",
            Self::ApiToken => "api-token",
            Self::AccessToken => "access-token",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the kind with its article.
    pub fn with_article(self) -> String {
        match self {
            Self::Unknown => format!("a {self}"),
            _ => format!("an {self}"),
        }
    }

    /// Returns the kind that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::AppPassword, Self::ApiToken, Self::AccessToken, Self::Unknown]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// The kind in a sentence.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AppPassword => "app password",
            Self::ApiToken => "API token",
            Self::AccessToken => "access token",
            Self::Unknown => "secret",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_tells_the_kind_and_the_kind_the_name() {
        for (secret, kind, name) in [
            ("ATBBabc", Kind::AppPassword, None),
            ("ATATT3xFf", Kind::ApiToken, Some("x-bitbucket-api-token-auth")),
            ("ATCTT3xFf", Kind::AccessToken, Some("x-token-auth")),
            ("hunter2", Kind::Unknown, None),
        ] {
            assert_eq!(Kind::of(&Secret::new(secret)), kind);
            assert_eq!(kind.fixed_username(), name);
            assert_eq!(Kind::parse(kind.word()), Some(kind));
        }
    }
}
