//! What a login is wanted for: a repository, a workspace, a whole host, or what git's credential protocol names.

use url::Url;

use crate::address::{Address, BaseUrl};
use crate::credential::account::Scope;
use crate::secret::Secret;

/// What a login is wanted for, and what the address itself says about it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The host, and `:port` where it is not the default.
    pub(super) host: String,
    /// What there.
    pub(super) scope: Scope,
    /// The URL that is asked, without a user.
    pub(super) url: Url,
    /// How the user calls it.
    pub(super) shown: String,
    /// The user name in the address, else the one in the base URL, else none.
    pub(super) username: Option<String>,
    /// The secret in the address.
    pub(super) secret: Option<Secret>,
    /// Whether `BBCLOUD_TOKEN` is for this host.
    pub(super) is_base: bool,
}

impl Wanted {
    /// The repository at `address`.
    pub fn repository(address: &Address, base: &BaseUrl) -> Self {
        Self {
            scope: Scope::of(address),
            url: address.https_url(base),
            shown: address.to_string(),
            username: address.username().or(base.username()).map(str::to_owned),
            secret: address.secret().cloned(),
            ..Self::place(Scope::host(), base)
        }
    }

    /// Whatever `scope` is at `base`.
    pub fn place(scope: Scope, base: &BaseUrl) -> Self {
        let host = base.host_and_port();
        Self {
            shown: if scope.text().is_empty() {
                host.clone()
            } else {
                scope.text().to_owned()
            },
            host,
            scope,
            url: base.url().clone(),
            username: base.username().map(str::to_owned),
            secret: None,
            is_base: true,
        }
    }

    /// What git's credential protocol names: `scope` at `host`, which need not be the host of `base`.
    pub fn question(host: &str, scope: Scope, username: Option<&str>, base: &BaseUrl) -> Self {
        let is_base = host == base.host_and_port();
        Self {
            host: host.to_owned(),
            username: username.map(str::to_owned),
            is_base,
            ..Self::place(scope, base)
        }
    }

    /// The user name by which an account is chosen: an e-mail address is the name of none.
    pub(super) fn own_name(&self) -> Option<&str> {
        let name = self.username.as_deref().filter(|name| !name.is_empty());
        name.filter(|name| !crate::credential::username::is_email(name))
    }
}

/// What the server wants to see, as `WWW-Authenticate` values.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wants<'a> {
    /// It has not said; this is what is expected.
    Perhaps(&'a [String]),
    /// It has refused, and said so.
    This(&'a [String]),
}
