//! Redirects: which are followed, where they lead, and what must not go along.

use url::Url;

use super::answer_head::AnswerHead;
use super::error::Error;
use super::settings::{FollowRedirects, Protocols};
use crate::redact::foreign;

/// curl's limit as git sets it (`CURLOPT_MAXREDIRS`).
const HOPS: usize = 20;

/// Returns the `Location` of an answer that redirects.
pub(super) fn location(head: &AnswerHead) -> Option<String> {
    if !matches!(head.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    // curl takes the last one where there are several.
    let value = head.all("location").last()?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// Whether hop number `hops` may be taken.
///
/// Git lets curl keep the method and the body of a POST whatever the status (`CURLOPT_POSTREDIR`), and with `initial`
/// follows only the requests that find a repository: what they find out holds for all that come after.
pub(super) fn check(hops: usize, is_search: bool, follow: FollowRedirects, location: &str) -> Result<(), Error> {
    let reason = match follow {
        _ if hops > HOPS => "there were too many before it",
        FollowRedirects::Never => "http.followRedirects is false",
        FollowRedirects::Initial if !is_search => {
            "only the first request is redirected unless http.followRedirects is true"
        }
        _ => return Ok(()),
    };
    Err(Error::Redirect {
        to: foreign(location),
        reason,
    })
}

/// Whether a request of `method` may be repeated at `url`: git's own requests only read, of others only a GET does.
pub(super) fn check_method(method: &str, url: &Url) -> Result<(), Error> {
    match method {
        "GET" => Ok(()),
        _ => Err(Error::Redirect {
            to: foreign(url.as_str()),
            reason: "what changes something is not sent to another place",
        }),
    }
}

/// Returns the URL to ask instead of `url`.
pub(super) fn target(url: &Url, location: &str, allowed: Protocols) -> Result<Url, Error> {
    let refused = |reason| {
        Err(Error::Redirect {
            to: foreign(location),
            reason,
        })
    };
    let Ok(target) = url.join(location) else {
        return refused("it is not a URL");
    };
    match target.scheme() {
        "https" if allowed.https => {}
        // Git allows this; a network that answers for the server could take everything over.
        "http" if url.scheme() != "http" => return refused("it leads away from TLS"),
        "http" if allowed.http => {}
        "http" | "https" => return refused("protocol.allow or GIT_ALLOW_PROTOCOL forbids it"),
        _ => return refused("it leads away from HTTP"),
    }
    if !target.username().is_empty() || target.password().is_some() {
        return refused("it has a user name in it");
    }
    Ok(target)
}

/// Returns the base of `target`, what is left without `tail`: the repository's new address.
pub(super) fn base(target: &Url, tail: &str) -> Result<String, Error> {
    // A base in whose query the end of the request stands would have every later request ask for the same thing.
    let base = target.as_str().strip_suffix(tail);
    let base = base.filter(|base| !tail.is_empty() && !base.contains(['?', '#']));
    base.map(str::to_owned).ok_or_else(|| Error::Redirect {
        to: foreign(target.as_str()),
        reason: "it does not end as the request does, so the repository's new address is unknown",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = "/info/refs?service=git-upload-pack";

    fn base_after(location: &str) -> Result<String, Error> {
        let url = Url::parse(&format!("https://bitbucket.org/old/repo.git{TAIL}")).unwrap();
        let all = Protocols {
            http: true,
            https: true,
        };
        base(&target(&url, location, all)?, TAIL)
    }

    #[test]
    fn the_base_is_what_the_tail_leaves() {
        assert_eq!(
            base_after(&format!("/new/repo.git{TAIL}")).unwrap(),
            "https://bitbucket.org/new/repo.git"
        );
        assert_eq!(
            base_after(&format!("https://other.example/x.git{TAIL}")).unwrap(),
            "https://other.example/x.git"
        );
    }

    #[test]
    fn a_redirect_to_clear_text_elsewhere_or_to_a_sign_in_page_is_refused() {
        for location in [
            format!("http://bitbucket.org/new/repo.git{TAIL}"),
            "file:///etc/passwd".to_owned(),
            "/account/signin".to_owned(),
            format!("/sso?next=/acme/widgets.git{TAIL}"),
            format!("https://user:secret@evil.example/x.git{TAIL}"),
            "https://[".to_owned(),
        ] {
            assert!(base_after(&location).is_err(), "{location}");
        }
    }

    #[test]
    fn what_is_followed_is_for_the_settings_to_say() {
        use FollowRedirects::{Always, Initial, Never};
        for (hops, is_search, follow, good) in [
            (1, true, Initial, true),
            (1, false, Initial, false),
            (1, false, Always, true),
            (1, true, Never, false),
            (HOPS + 1, true, Always, false),
        ] {
            assert_eq!(
                check(hops, is_search, follow, "/").is_ok(),
                good,
                "{hops} {is_search} {follow:?}"
            );
        }
    }

    #[test]
    fn a_protocol_that_is_not_allowed_is_not_followed() {
        let url = Url::parse("http://localhost/x").unwrap();
        let only = |http, https| Protocols { http, https };
        assert!(target(&url, "http://localhost/y", only(true, false)).is_ok());
        assert!(target(&url, "http://localhost/y", only(false, true)).is_err());
        assert!(target(&url, "https://localhost/y", only(true, false)).is_err());
    }

    #[test]
    fn a_secret_in_a_location_is_not_shown() {
        let error = check(1, false, FollowRedirects::Never, "https://me:hunter2@x/").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
