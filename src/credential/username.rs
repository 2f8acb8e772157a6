//! Which user name goes with a secret: the one rule, for every source and every command.
//!
//! A name is sent as it was given. Only an e-mail address beside a kind of token that has a fixed name cannot be right
//! (git's endpoint answers 401 to it), so the fixed name takes its place; the REST API wants the address. A secret is
//! never a name: askpass programs that answer every question with the token are common, and names are shown.

use super::account::is_fixed;
use crate::secret::Secret;
use crate::secret::kind::Kind;

/// Where Bitbucket shows the user name.
pub const SHOWN_AT: &str = "https://bitbucket.org/account/settings/";

/// Whether `name` is an e-mail address, which the REST API wants beside an API token, and git's endpoint never.
pub fn is_email(name: &str) -> bool {
    name.contains('@')
}

/// Whether `name` is a secret by its prefix, given where a name was asked for.
pub fn is_secret(name: &str) -> bool {
    Kind::of(&Secret::new(name)) != Kind::Unknown
}

/// Whether `name` is somebody's own: neither the fixed name of a kind of token nor an e-mail address.
pub fn is_own(name: &str) -> bool {
    !is_fixed(name) && !is_email(name)
}

/// The names that go with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The user name for git's endpoint; `None` where none was given and the kind has no fixed one.
    pub username: Option<String>,
    /// The e-mail address that was given in its place, for the REST API.
    pub email: Option<String>,
}

/// Returns the names to send with a secret of `kind` where `given` is what the user, a setting or a helper says. An
/// empty name is none.
pub fn choose(kind: Kind, given: Option<&str>) -> Names {
    let given = given
        .filter(|name| !name.is_empty() && !is_secret(name))
        .map(str::to_owned);
    let fixed = kind.fixed_username().map(str::to_owned);
    match (given, fixed) {
        (Some(email), Some(fixed)) if is_email(&email) => Names {
            username: Some(fixed),
            email: Some(email),
        },
        (given, fixed) => Names {
            username: given.or(fixed),
            email: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_sent_as_it_was_given_unless_it_cannot_be_right() {
        const API: &str = "x-bitbucket-api-token-auth";
        for (kind, given, username, email) in [
            (Kind::ApiToken, Some("a@b.c"), Some(API), Some("a@b.c")),
            (Kind::AccessToken, Some("a@b.c"), Some("x-token-auth"), Some("a@b.c")),
            (Kind::ApiToken, Some("ada"), Some("ada"), None),
            (Kind::ApiToken, Some("x-token-auth"), Some("x-token-auth"), None),
            (Kind::ApiToken, Some(""), Some(API), None),
            (Kind::ApiToken, None, Some(API), None),
            (Kind::ApiToken, Some("ATATTx"), Some(API), None),
            (Kind::AppPassword, Some("ATBBx"), None, None),
            (Kind::AppPassword, Some("a@b.c"), Some("a@b.c"), None),
            (Kind::Unknown, Some("a@b.c"), Some("a@b.c"), None),
            (Kind::Unknown, Some(""), None, None),
            (Kind::AppPassword, None, None, None),
        ] {
            let names = choose(kind, given);
            let found = (names.username.as_deref(), names.email.as_deref());
            assert_eq!(found, (username, email), "{kind:?} {given:?}");
        }
    }
}
