//! Which user name goes with a secret, and why a name that was given cannot.

use super::account::is_fixed;
use crate::report::{self, Failure};
use crate::secret::kind::Kind;

/// Where Bitbucket shows the user name.
pub const SHOWN_AT: &str = "https://bitbucket.org/account/settings/";

/// Whether `name` is an e-mail address, which the REST API wants beside an API token, and git's endpoint never.
pub fn is_email(name: &str) -> bool {
    name.contains('@')
}

/// Whether `name` is somebody's own: neither the fixed name of a kind of token nor an e-mail address.
pub fn is_own(name: &str) -> bool {
    !is_fixed(name) && !is_email(name)
}

/// Returns the name to send with a secret of `kind`, and the e-mail address if that is what was `given`. No name is
/// `None`: it has to be asked for.
pub fn choose(kind: Kind, given: Option<&str>) -> Result<(Option<String>, Option<String>), Failure> {
    let fixed = kind.fixed_username().map(str::to_owned);
    match given {
        Some(name) if is_email(name) && fixed.is_none() => Err(Failure::new(
            report::Kind::Usage,
            format!(
                "git wants the Bitbucket user name beside {}, and not the e-mail address '{name}'",
                kind.with_article()
            ),
        )
        .hint(format!(
            "use the name that {SHOWN_AT} shows: '--username <name> --email {name}'"
        ))),
        Some(name) if is_email(name) => Ok((fixed, Some(name.to_owned()))),
        Some(name) if name.contains([':', '\n', '\r', '\0']) => Err(Failure::new(
            report::Kind::Usage,
            "a user name has no colon and no line end in it",
        )
        .hint(format!("use the name that {SHOWN_AT} shows"))),
        Some(name) => Ok((Some(name.to_owned()), None)),
        None => Ok((fixed, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_never_the_name() {
        let (name, email) = choose(Kind::ApiToken, Some("ada@example.com")).expect("a name");
        assert_eq!(name.as_deref(), Some("x-bitbucket-api-token-auth"));
        assert_eq!(email.as_deref(), Some("ada@example.com"));
        let failure = choose(Kind::AppPassword, Some("ada@example.com")).expect_err("no name");
        assert!(failure.message().contains("e-mail address 'ada@example.com'"));
        assert_eq!(choose(Kind::AppPassword, None).expect("none"), (None, None));
        assert_eq!(
            choose(Kind::ApiToken, Some("ada")).expect("given").0.as_deref(),
            Some("ada")
        );
        assert!(choose(Kind::Unknown, Some("a:b")).is_err());
    }
}
