//! Who may do what: made-up accounts with the three kinds of secret that Bitbucket has.

use base64::Engine as _;

use super::refusal::Refusal;
use super::request::Head;

/// The fixed user name of API tokens.
pub(crate) const API_TOKEN_USER: &str = "x-bitbucket-api-token-auth";
/// The fixed user name of access tokens.
pub(crate) const ACCESS_TOKEN_USER: &str = "x-token-auth";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    AppPassword,
    ApiToken,
    AccessToken,
}

/// As with Bitbucket's API tokens, none implies another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Read,
    Write,
    /// Needed for a wiki beside the other two, by API tokens only.
    Wiki,
}

impl Scope {
    /// Its name in REST answers.
    pub(crate) fn name(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Read, Kind::ApiToken) => "read:repository:bitbucket",
            (Self::Write, Kind::ApiToken) => "write:repository:bitbucket",
            (Self::Wiki, Kind::ApiToken) => "read:wiki:bitbucket",
            (Self::Read, _) => "repository",
            (Self::Write, _) => "repository:write",
            (Self::Wiki, _) => "wiki",
        }
    }
}

/// One secret and what it opens. A person with two secrets is two of these.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// The Bitbucket user name; of no use with an access token.
    pub(crate) username: String,
    /// What REST wants as the user name of an API token.
    pub(crate) email: String,
    pub(crate) secret: String,
    pub(crate) kind: Kind,
    pub(crate) scopes: Vec<Scope>,
    /// `workspace/repo`, as in an address; none means everything.
    pub(crate) repositories: Vec<String>,
    /// Refused in this way whatever it asks for, once the secret has been seen to be right.
    pub(crate) refused: Option<Refusal>,
}

impl Account {
    fn new(username: &str, secret: &str, kind: Kind) -> Self {
        Self {
            username: username.to_owned(),
            email: format!("{username}@example.com"),
            secret: secret.to_owned(),
            kind,
            scopes: vec![Scope::Read, Scope::Write, Scope::Wiki],
            repositories: Vec::new(),
            refused: None,
        }
    }

    /// An app password with every permission.
    pub(crate) fn app_password(username: &str, secret: &str) -> Self {
        Self::new(username, secret, Kind::AppPassword)
    }

    /// An API token with every scope; the e-mail is `<username>@example.com`.
    pub(crate) fn api_token(username: &str, secret: &str) -> Self {
        Self::new(username, secret, Kind::ApiToken)
    }

    /// A repository, project or workspace access token with every scope.
    pub(crate) fn access_token(secret: &str) -> Self {
        Self::new("access-token-bot", secret, Kind::AccessToken)
    }

    /// With these scopes only.
    pub(crate) fn scopes(mut self, scopes: &[Scope]) -> Self {
        self.scopes = scopes.to_vec();
        self
    }

    /// May read repositories and wikis.
    pub(crate) fn read_only(self) -> Self {
        self.scopes(&[Scope::Read, Scope::Wiki])
    }

    /// Has access to `repository` (`workspace/repo`) and to those named before, and to no other.
    pub(crate) fn only(mut self, repository: &str) -> Self {
        self.repositories.push(repository.to_owned());
        self
    }

    /// Always refused in this way.
    pub(crate) fn refused(mut self, refusal: Refusal) -> Self {
        self.refused = Some(refusal);
        self
    }

    /// Whether git may come with this user name.
    pub(crate) fn accepts_git_user(&self, user: &str) -> bool {
        match self.kind {
            Kind::AppPassword => user == self.username,
            Kind::ApiToken => user == API_TOKEN_USER || user == self.username,
            Kind::AccessToken => user == ACCESS_TOKEN_USER,
        }
    }

    /// Whether REST accepts the secret from `presented`.
    pub(crate) fn accepts_rest(&self, presented: &Presented) -> bool {
        match (self.kind, presented) {
            (Kind::AppPassword, Presented::Basic { user, .. }) => *user == self.username,
            (Kind::ApiToken, Presented::Basic { user, .. }) => *user == self.email,
            (Kind::AccessToken, Presented::Bearer { .. }) => true,
            _ => false,
        }
    }

    pub(crate) fn reaches(&self, repository: &str) -> bool {
        self.repositories.is_empty() || self.repositories.iter().any(|name| name == repository)
    }

    pub(crate) fn scope_names(&self) -> Vec<String> {
        self.scopes
            .iter()
            .map(|scope| scope.name(self.kind).to_owned())
            .collect()
    }
}

/// What came in the `Authorization` header.
pub(crate) enum Presented {
    Basic { user: String, secret: String },
    Bearer { secret: String },
}

impl Presented {
    pub(crate) fn of(head: &Head) -> Option<Self> {
        let (scheme, value) = head.header("authorization")?.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::Bearer {
                secret: value.trim().to_owned(),
            });
        }
        let decoded = base64::engine::general_purpose::STANDARD.decode(value.trim()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (user, secret) = text.split_once(':')?;
        scheme.eq_ignore_ascii_case("basic").then(|| Self::Basic {
            user: user.to_owned(),
            secret: secret.to_owned(),
        })
    }

    /// The part that may be shown.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Basic { user, .. } => user,
            Self::Bearer { .. } => "Bearer",
        }
    }

    pub(crate) fn secret(&self) -> &str {
        match self {
            Self::Basic { secret, .. } | Self::Bearer { secret } => secret,
        }
    }
}
