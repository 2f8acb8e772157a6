//! A user name and a secret that belong together, and where they came from.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::account::Account;
use super::kind::Kind;
use super::secret::Secret;

/// Where a login came from, as the user would say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The address that git was given.
    Address,
    /// `BBCLOUD_TOKEN`.
    Environment,
    /// `BBCLOUD_TOKEN_FILE`.
    File,
    /// The keychain.
    Keychain,
    /// `~/.netrc`.
    Netrc,
    /// One of git's credential helpers.
    Helper,
    /// The user, who has just been asked or has given it to `login`.
    User,
}

impl Source {
    /// Returns the word for it in keys and traces.
    pub fn word(self) -> &'static str {
        match self {
            Self::Address => "url",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Keychain => "keychain",
            Self::Netrc => "netrc",
            Self::Helper => "helper",
            Self::User => "user",
        }
    }
}

/// Ends the sentence "the token …".
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "in the remote's URL",
            Self::Environment => "in BBCLOUD_TOKEN",
            Self::File => "in the file of BBCLOUD_TOKEN_FILE",
            Self::Keychain => "in the keychain",
            Self::Netrc if cfg!(windows) => "in the netrc file",
            Self::Netrc => "in ~/.netrc",
            Self::Helper => "from git's credential helper",
            Self::User => "that has just been given",
        })
    }
}

/// What is sent to the server to say who is asking.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user name that git's endpoint gets.
    pub username: String,
    /// The secret.
    pub secret: Secret,
    /// Where they came from.
    pub source: Source,
    /// The kind of the secret.
    pub kind: Kind,
    /// The address that the REST API wants beside an API token.
    pub email: Option<String>,
    /// What it is kept for, if it is kept, as `--for` takes it.
    pub target: Option<String>,
}

impl Login {
    /// Returns a login of the kind that the secret seems to be.
    pub fn new(username: impl Into<String>, secret: Secret, source: Source) -> Self {
        Self {
            username: username.into(),
            kind: Kind::of(&secret),
            secret,
            source,
            email: None,
            target: None,
        }
    }

    /// Returns the login of an account whose secret was found in the keychain.
    pub(super) fn kept(account: &Account, secret: Secret) -> Self {
        Self {
            username: account.username.clone(),
            secret,
            source: Source::Keychain,
            kind: account.kind,
            email: account.email.clone(),
            target: Some(account.target().to_owned()),
        }
    }

    /// Returns the kind of the secret.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the header line that carries it (RFC 7617).
    pub fn authorization(&self) -> Zeroizing<String> {
        let pair = Zeroizing::new(format!("{}:{}", self.username, self.secret.expose()));
        // The size is known in advance: a string that grows leaves copies of the secret behind.
        let mut line = Zeroizing::new(String::with_capacity(32 + pair.len().div_ceil(3) * 4));
        line.push_str("Authorization: Basic ");
        STANDARD.encode_string(pair.as_bytes(), &mut line);
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_basic_authentication() {
        let login = Login::new("Aladdin", Secret::new("open sesame"), Source::Environment);
        assert_eq!(
            login.authorization().as_str(),
            "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
    }
}
