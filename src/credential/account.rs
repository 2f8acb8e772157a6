//! An account as its owner knows it: what it is for, by which name, of which kind, and where its secret is kept.
//!
//! There is no secret here, so that accounts can be listed, written to a file and shown.

use std::fmt;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::expiry::{self, Expiry};
use crate::address::{Address, BaseUrl};
use crate::report::{self, Failure};
use crate::secret::kind::Kind;

/// What a secret is for: everything at a host, a workspace, or a repository and its wiki.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(String);

impl Scope {
    /// Returns the scope of everything at a host.
    pub fn host() -> Self {
        Self(String::new())
    }

    /// Returns the scope of the repository at `address`.
    pub fn of(address: &Address) -> Self {
        Self(address.scope())
    }

    /// Returns the scope that `text` names: a workspace, a repository by any address of it, or the host of `base`.
    pub fn parse(text: &str, base: &BaseUrl) -> Result<Self, Failure> {
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.is_empty() || text.eq_ignore_ascii_case(&base.host_and_port()) {
            return Ok(Self::host());
        }
        if text.contains('/') {
            return Ok(Self::of(&Address::parse(text, base)?));
        }
        // A workspace's name has the rules of an address's first part, which only a whole address is held against.
        match Address::parse(&format!("{text}/x"), base) {
            Ok(address) if address.workspace() == text => Ok(Self(text.to_owned())),
            _ => Err(Failure::new(
                report::Kind::Usage,
                format!("'{text}' is neither a workspace nor a repository"),
            )
            .hint("use '--for <workspace>' or '--for <workspace>/<repository>'")),
        }
    }

    /// Returns the scope that [`Scope::text`] wrote.
    #[cfg(test)]
    pub(super) fn of_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the scope in a file of ours: empty for a host.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Returns the workspace, if it is not for a whole host.
    pub fn workspace(&self) -> Option<&str> {
        self.0.split('/').next().filter(|name| !name.is_empty())
    }

    /// Whether it is for one repository.
    pub fn is_repository(&self) -> bool {
        self.0.contains('/')
    }

    /// How narrow it is, for the most specific to win.
    pub fn rank(&self) -> usize {
        match (self.0.is_empty(), self.is_repository()) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        }
    }

    /// Whether what is in `other` is in this scope too. Bitbucket does not tell names apart by their case.
    pub fn covers(&self, other: &Self) -> bool {
        match self.rank() {
            0 => true,
            1 => other.workspace().is_some_and(|name| name.eq_ignore_ascii_case(&self.0)),
            _ => other.0.eq_ignore_ascii_case(&self.0),
        }
    }
}

/// Where a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// The keychain of the operating system.
    System,
    /// The kernel's key ring, until the computer is restarted.
    Keyutils,
}

impl StoreKind {
    /// Returns the word for it in settings and JSON; [`StoreKind::parse`] reads it back.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keyutils => "keyutils",
            Self::System if cfg!(target_os = "macos") => "keychain",
            Self::System if cfg!(windows) => "credential-manager",
            Self::System => "secret-service",
        }
    }

    /// Returns the place that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::System, Self::Keyutils]
            .into_iter()
            .find(|place| place.word() == word)
    }
}

/// The place in a sentence.
impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "keychain",
            Self::Keyutils => "kernel's key ring",
        })
    }
}

/// An account whose secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The host, and `:port` where it is not the default.
    pub host: String,
    /// What it is for.
    pub scope: Scope,
    /// The user name that git's endpoint gets.
    pub username: String,
    /// The address that the REST API wants beside an API token.
    pub email: Option<String>,
    /// The kind of the secret.
    pub kind: Kind,
    /// Where the secret is.
    pub place: StoreKind,
    /// When it was kept, in seconds since 1970.
    pub created: u64,
    /// When the secret expires, as its owner said, or as is assumed.
    pub expires: Expiry,
    /// The day on which its owner was last reminded of that.
    pub reminded: Option<Date>,
    /// A repository for which the server accepted a secret of this account: the next one is tried there.
    pub repository: Option<String>,
}

impl Account {
    /// Returns the name of its entry in the keychain.
    pub fn entry(&self) -> String {
        format!("{}@{}", self.username, self.place_at_host())
    }

    /// Returns what it is for, as `--for` takes it.
    pub fn target(&self) -> &str {
        if self.scope.text().is_empty() {
            &self.host
        } else {
            self.scope.text()
        }
    }

    /// Returns the host with what the account is for below it.
    pub fn place_at_host(&self) -> String {
        match self.scope.text() {
            "" => self.host.clone(),
            scope => format!("{}/{scope}", self.host),
        }
    }

    /// Whether the two have the same entry in the keychain.
    pub fn is_same(&self, other: &Self) -> bool {
        self.entry() == other.entry()
    }

    /// Returns it as an object for files and scripts.
    pub fn to_json(&self) -> Value {
        json!({
            "host": self.host,
            "for": self.target(),
            "username": self.username,
            "email": self.email,
            "kind": self.kind.word(),
            "store": self.place.word(),
            "created": self.created,
            "expires": self.expires.to_string(),
            "expires_assumed": self.expires.is_assumed(),
            "reminded": self.reminded.map(|day| day.to_string()),
            "repository": self.repository,
        })
    }

    /// Reads what [`Account::to_json`] wrote.
    pub fn from_json(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        let host = text("host")?;
        let scope = text("for").filter(|scope| *scope != host).unwrap_or_default();
        let kind = Kind::parse(&text("kind")?)?;
        let created = value.get("created")?.as_u64()?;
        let assumed = value.get("expires_assumed").and_then(Value::as_bool).unwrap_or(false);
        // Earlier versions wrote no expiry; what a later one may have written is not known.
        let expires = match value.get("expires") {
            None => Expiry::assumed(kind, expiry::day_of(created)),
            Some(_) => text("expires")
                .and_then(|text| Expiry::read(&text, assumed))
                .unwrap_or(Expiry::Unknown),
        };
        Some(Self {
            host,
            scope: Scope(scope),
            username: text("username")?,
            email: text("email"),
            kind,
            place: StoreKind::parse(&text("store")?)?,
            created,
            expires,
            reminded: text("reminded").and_then(|day| day.parse().ok()),
            repository: text("repository"),
        })
    }
}

/// Returns the account for `wanted` at `host`: the most specific, and of these the latest. A user name in the address
/// rules out who has another name of their own; the fixed names of tokens are nobody's own.
pub fn closest<'a>(accounts: &'a [Account], host: &str, wanted: &Scope, username: Option<&str>) -> Option<&'a Account> {
    accounts
        .iter()
        .filter(|account| account.host == host && account.scope.covers(wanted))
        .filter(|account| username.is_none_or(|name| account.username == name || is_fixed(&account.username)))
        .max_by_key(|account| {
            let named = username == Some(account.username.as_str());
            (account.scope.rank(), named, account.created)
        })
}

/// Whether `name` is the name of a kind of token, and not of a person.
pub fn is_fixed(name: &str) -> bool {
    [Kind::ApiToken, Kind::AccessToken]
        .into_iter()
        .any(|kind| kind.fixed_username() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(scope: &str, username: &str, created: u64) -> Account {
        Account {
            host: "bitbucket.org".to_owned(),
            scope: Scope(scope.to_owned()),
            username: username.to_owned(),
            email: None,
            kind: Kind::AppPassword,
            place: StoreKind::System,
            created,
            expires: Expiry::Never,
            reminded: None,
            repository: None,
        }
    }

    fn found(accounts: &[Account], wanted: &str, username: Option<&str>) -> Option<String> {
        closest(accounts, "bitbucket.org", &Scope(wanted.to_owned()), username).map(Account::entry)
    }

    #[test]
    fn the_most_specific_account_wins_and_then_the_latest() {
        let accounts = [
            account("acme/widgets", "ada", 1),
            account("acme", "bob", 2),
            account("", "old", 3),
            account("", "new", 4),
        ];
        for (wanted, username, expected) in [
            ("acme/widgets", None, Some("ada@bitbucket.org/acme/widgets")),
            ("Acme/Widgets", None, Some("ada@bitbucket.org/acme/widgets")),
            ("acme/gadgets", None, Some("bob@bitbucket.org/acme")),
            ("acmes/widgets", None, Some("new@bitbucket.org")),
            ("acme/widgets", Some("old"), Some("old@bitbucket.org")),
            ("acme/widgets", Some("eve"), None),
            ("", None, Some("new@bitbucket.org")),
        ] {
            assert_eq!(
                found(&accounts, wanted, username).as_deref(),
                expected,
                "{wanted} {username:?}"
            );
        }
        assert_eq!(closest(&accounts, "localhost:1", &Scope::host(), None), None);
    }

    #[test]
    fn a_token_is_for_whoever_is_named() {
        let accounts = [account("", "x-bitbucket-api-token-auth", 1), account("", "ada", 2)];
        assert_eq!(
            found(&accounts, "acme/widgets", Some("eve")).as_deref(),
            Some("x-bitbucket-api-token-auth@bitbucket.org")
        );
        assert_eq!(
            found(&accounts, "acme/widgets", Some("ada")).as_deref(),
            Some("ada@bitbucket.org")
        );
    }

    #[test]
    fn what_is_written_is_read() {
        for scope in ["", "acme", "acme/widgets"] {
            let account = account(scope, "ada", 7);
            assert_eq!(Account::from_json(&account.to_json()), Some(account));
        }
        assert_eq!(Account::from_json(&json!({"host": 1})), None);
    }

    #[test]
    fn scopes_are_workspaces_and_repositories() {
        let base = BaseUrl::default();
        for (text, expected) in [
            ("acme", "acme"),
            ("acme/widgets.git", "acme/widgets"),
            ("bbcloud::acme/widgets/wiki", "acme/widgets"),
            ("bitbucket.org", ""),
        ] {
            assert_eq!(Scope::parse(text, &base).expect("a scope").text(), expected);
        }
        for text in ["ac me", "a@b", "acme/", ".."] {
            let scope = Scope::parse(text, &base);
            assert_eq!(scope.is_ok(), text == "acme/", "{text}");
        }
    }
}
