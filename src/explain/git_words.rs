//! The words of git's own transport for a refusal (`discover_refs` in its `remote-curl.c`): editors and other programs
//! around git look for them in the last line that git writes.
//!
//! Does not depend on the cause and the remedy, which are told to people above this line.

use crate::bridge::Error;

/// Returns what git would say about `error` of the repository at `url`, which has no slash at its end; `None` where
/// programs do not look for it.
pub fn git_words(url: &str, error: &Error) -> Option<String> {
    match error {
        Error::Refused(refusal) => Some(match refusal.status {
            401 => authentication_failed(url),
            404 => format!("repository '{url}/' not found"),
            status => format!("unable to access '{url}/': The requested URL returned error: {status}"),
        }),
        // The server wanted a secret, and the keychain or a setting kept this program from sending one.
        Error::Credentials(_) => Some(authentication_failed(url)),
        Error::ContentType { .. } => Some(format!("{url}/info/refs not valid: is this a git repository?")),
        _ => None,
    }
}

fn authentication_failed(url: &str) -> String {
    format!("Authentication failed for '{url}/'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::refusal::Refusal;
    use crate::report::{Failure, Kind};

    const URL: &str = "https://bitbucket.org/acme/widgets.git";

    #[test]
    fn a_refusal_ends_with_gits_words() {
        for (status, words) in [
            (
                401,
                "Authentication failed for 'https://bitbucket.org/acme/widgets.git/'",
            ),
            (404, "repository 'https://bitbucket.org/acme/widgets.git/' not found"),
            (
                403,
                "unable to access 'https://bitbucket.org/acme/widgets.git/': The requested URL returned error: 403",
            ),
            (
                503,
                "unable to access 'https://bitbucket.org/acme/widgets.git/': The requested URL returned error: 503",
            ),
        ] {
            let refusal = Refusal {
                status,
                ..Refusal::default()
            };
            assert_eq!(
                git_words(URL, &Error::Refused(Box::new(refusal))).as_deref(),
                Some(words)
            );
        }
    }

    #[test]
    fn a_secret_that_could_not_be_read_is_a_failed_authentication() {
        let locked = Error::Credentials(Failure::new(Kind::Keychain, "the keychain is locked"));
        let words = git_words(URL, &locked).expect("words");
        assert!(words.starts_with("Authentication failed for "), "{words}");
    }

    #[test]
    fn other_failures_have_no_such_line() {
        let error = Error::Protocol("nonsense".to_owned());
        assert_eq!(git_words(URL, &error), None);
    }
}
