//! Secrets are not accepted as arguments, and an error about one does not show it.
//!
//! Other programs see arguments, shells keep them in a file, and clap would repeat them.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::report::{Failure, Kind};
use crate::secret::Secret;
use crate::secret::kind::Kind as SecretKind;

/// Fails if one of `arguments` has the shape of a secret, or is a URL with one in it.
pub(super) fn refuse(arguments: &[String]) -> Result<(), Failure> {
    let is_secret = |argument: &String| {
        let value = match argument.split_once('=') {
            Some((option, value)) if option.starts_with("--") => value,
            _ => argument,
        };
        SecretKind::of(&Secret::new(value)) != SecretKind::Unknown || has_password(value)
    };
    if arguments.iter().any(is_secret) {
        return Err(refused());
    }
    Ok(())
}

/// Returns the failure to show in place of clap's `error`, which would repeat the word behind `login`: not every
/// secret has a shape of its own.
pub(super) fn instead_of(error: &clap::Error, arguments: &[String]) -> Option<Failure> {
    let is_login = arguments.iter().any(|argument| argument == "login");
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    (is_login && error.kind() == ErrorKind::UnknownArgument && !word.starts_with('-')).then(refused)
}

fn refused() -> Failure {
    Failure::new(Kind::Usage, "secrets are not accepted as arguments")
        .because("other programs can see arguments, and shells keep them in their history")
        .hint("run 'git-remote-bbcloud login' and paste the secret, or use 'login --token-stdin'")
        .hint("if others use this machine, revoke this secret and create a new one")
}

/// Whether `text` is a URL with a password, as far as its first part tells.
fn has_password(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let userinfo = authority.rsplit_once('@').map(|(userinfo, _)| userinfo);
    let password = userinfo.and_then(|userinfo| userinfo.split_once(':'));
    password.is_some_and(|(_, password)| !password.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_shape() {
        let refused = |argument: &str| refuse(&["login".to_owned(), argument.to_owned()]).is_err();
        for secret in [
            "ATATT3xFf",
            "ATBBabc",
            "--username=ATCTT3xFf",
            "--for=https://ada:hunter2@bitbucket.org/acme/widgets",
            "bbcloud://ada:hunter2@acme/widgets",
        ] {
            assert!(refused(secret), "{secret}");
        }
        for other in [
            "acme/widgets",
            "--for=acme",
            "https://ada@bitbucket.org/acme/widgets",
            "https://ada:@bitbucket.org/acme",
            "../ATATT",
        ] {
            assert!(!refused(other), "{other}");
        }
    }
}
