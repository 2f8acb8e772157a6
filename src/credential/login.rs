//! A user name and a secret that belong together, and where they came from.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::account::Account;
use super::expiry::Expiry;
use super::username;
use crate::report::{self, Failure};
use crate::secret::Secret;
use crate::secret::kind::Kind;

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
    /// Returns the word for it in keys and traces; [`Source::parse`] reads it back.
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

    /// Returns the source that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        const ALL: [Source; 7] = [
            Source::Address,
            Source::Environment,
            Source::File,
            Source::Keychain,
            Source::Netrc,
            Source::Helper,
            Source::User,
        ];
        ALL.into_iter().find(|source| source.word() == word)
    }

    /// Returns how a secret that comes before those of the keychain is replaced; signing in again would change nothing.
    pub fn instead_of_keychain(self) -> Option<&'static str> {
        match self {
            Self::Address => Some(
                "remove it from the URL with 'git-remote-bbcloud migrate --discard-secrets', then run \
                 'git-remote-bbcloud login'",
            ),
            Self::Environment => Some("set BBCLOUD_TOKEN to a new one"),
            Self::File => Some("put a new token in the file named by BBCLOUD_TOKEN_FILE"),
            Self::Keychain | Self::Netrc | Self::Helper | Self::User => None,
        }
    }
}

impl Source {
    /// Ends the sentence "the token came from …".
    pub fn place(self) -> &'static str {
        match self {
            Self::Address => "the remote's URL",
            Self::Environment => "BBCLOUD_TOKEN",
            Self::File => "the file named by BBCLOUD_TOKEN_FILE",
            Self::Keychain => "the keychain",
            Self::Netrc if cfg!(windows) => "the netrc file",
            Self::Netrc => "~/.netrc",
            Self::Helper => "git's credential helper",
            Self::User => "the prompt",
        }
    }
}

/// Ends the sentence "the token …".
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address | Self::Environment | Self::File | Self::Keychain | Self::Netrc => {
                write!(f, "in {}", self.place())
            }
            Self::Helper => write!(f, "from {}", self.place()),
            Self::User => f.write_str("that was just given"),
        }
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
    /// The scheme of the header, where a helper chose it (`Bearer`); the secret is then the rest of the header.
    pub authtype: Option<String>,
    /// When it last worked, in seconds since 1970, if that is known.
    pub worked: Option<u64>,
    /// When it expires, as its owner said.
    pub expires: Expiry,
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
            authtype: None,
            worked: None,
            expires: Expiry::Unknown,
        }
    }

    /// Returns a login by the name that goes with the kind of `secret`, if there is one (see [`username::choose`]).
    pub(super) fn named(given: Option<&str>, secret: Secret, source: Source) -> Option<Self> {
        let names = username::choose(Kind::of(&secret), given);
        let mut login = Self::new(names.username?, secret, source);
        login.email = names.email;
        Some(login)
    }

    /// Returns the login of an account whose secret was found in the keychain.
    pub fn kept(account: &Account, secret: Secret) -> Self {
        let names = username::choose(account.kind, Some(&account.username));
        Self {
            username: names.username.unwrap_or_default(),
            secret,
            source: Source::Keychain,
            kind: account.kind,
            email: account.email.clone().or(names.email),
            target: Some(account.target().to_owned()),
            authtype: None,
            worked: None,
            expires: account.expires,
        }
    }

    /// Returns the login if its name and its secret are lines of text, wherever they came from.
    pub fn checked(mut self) -> Result<Self, Failure> {
        if self.username.contains(char::is_control) {
            let message = format!("the user name {} holds a control character", self.source);
            return Err(Failure::new(report::Kind::Usage, message).hint("give it as one line, without tabs"));
        }
        if self
            .authtype
            .as_ref()
            .is_some_and(|scheme| scheme.contains(char::is_control))
        {
            let message = format!("the 'authtype' {} holds a control character", self.source);
            return Err(Failure::new(report::Kind::Usage, message).hint("give it as one word, such as Bearer"));
        }
        self.secret = self.secret.checked(&self.source)?;
        Ok(self)
    }

    /// Returns the kind of the secret.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the header line that carries it to the REST API, which wants other names than git's endpoint: an access
    /// token goes alone, an API token with its account's e-mail address. `None` where that address is not known.
    pub fn rest_authorization(&self) -> Option<Zeroizing<String>> {
        if self.authtype.is_some() {
            return Some(self.authorization());
        }
        let fixed = |kind: Kind| kind.fixed_username() == Some(self.username.as_str());
        if self.kind == Kind::AccessToken || fixed(Kind::AccessToken) {
            return Some(self.header("Bearer"));
        }
        if self.kind == Kind::ApiToken || fixed(Kind::ApiToken) {
            let named = Some(&self.username).filter(|name| username::is_email(name));
            let email = self.email.as_ref().or(named)?;
            let login = Self::new(email.as_str(), self.secret.clone(), self.source);
            return Some(login.authorization());
        }
        Some(self.authorization())
    }

    /// The header line whose credential is the secret itself.
    fn header(&self, scheme: &str) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(32 + scheme.len() + self.secret.expose().len()));
        line.push_str("Authorization: ");
        line.push_str(scheme);
        line.push(' ');
        line.push_str(self.secret.expose());
        line
    }

    /// Returns the header line that carries it: Basic (RFC 7617), or as a helper wants it.
    pub fn authorization(&self) -> Zeroizing<String> {
        if let Some(scheme) = &self.authtype {
            return self.header(scheme);
        }
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
    fn the_rest_api_gets_the_name_that_it_wants() {
        let line = |username: &str, secret: &str, email: Option<&str>| {
            let mut login = Login::new(username, Secret::new(secret), Source::Environment);
            login.email = email.map(str::to_owned);
            login.rest_authorization().map(|line| line.to_string())
        };
        let basic = |pair: &str| Some(format!("Authorization: Basic {}", STANDARD.encode(pair)));
        assert_eq!(
            line("x-token-auth", "ATCTTx", None).as_deref(),
            Some("Authorization: Bearer ATCTTx")
        );
        assert_eq!(
            line("x-token-auth", "odd", None).as_deref(),
            Some("Authorization: Bearer odd")
        );
        assert_eq!(line("x-bitbucket-api-token-auth", "ATATTx", None), None);
        assert_eq!(
            line("x-bitbucket-api-token-auth", "ATATTx", Some("a@b.c")),
            basic("a@b.c:ATATTx")
        );
        assert_eq!(line("a@b.c", "ATATTx", None), basic("a@b.c:ATATTx"));
        assert_eq!(line("ada", "ATBBx", Some("a@b.c")), basic("ada:ATBBx"));
    }

    #[test]
    fn nothing_brings_a_line_along() {
        let login = |username: &str, secret: &str| Login::new(username, Secret::new(secret), Source::Netrc).checked();
        assert!(login("ada", "ATBBx").is_ok());
        let message = |username, secret| login(username, secret).expect_err("two lines").message().to_owned();
        assert!(message("ada\nx", "p").starts_with("the user name in "));
        assert!(message("ada", "p\r\nX: y").starts_with("the secret in "));
    }

    #[test]
    fn the_header_is_basic_authentication() {
        let login = Login::new("Aladdin", Secret::new("open sesame"), Source::Environment);
        assert_eq!(
            login.authorization().as_str(),
            "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
    }
}
