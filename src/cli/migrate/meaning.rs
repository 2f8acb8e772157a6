//! What a URL of git's configuration means here: something of Bitbucket, of another host, or neither.

use zeroize::Zeroizing;

use crate::address::{Address, BaseUrl, SSH_HOSTS};
use crate::redact;
use crate::report::Failure;

/// What a URL means.
pub(super) enum Meaning {
    /// Another host's, a file, or a repository's `bbcloud::` address without a secret: it stays.
    Other,
    /// A repository at Bitbucket.
    Ours(Address),
    /// At Bitbucket, and not to be understood.
    Broken(Failure),
}

impl Meaning {
    /// Reads `url` as git would: only what cannot be a path is an address.
    pub(super) fn of(url: &str, base: &BaseUrl) -> Self {
        let is_helper = url.starts_with("bbcloud:");
        if !is_helper && !url.contains("://") && !is_scp(url) {
            return Self::Other;
        }
        match Address::parse(url, base) {
            Ok(_) if is_helper && !redact::hides(url) => Self::Other,
            Ok(address) => Self::Ours(address),
            Err(failure) if is_helper || names(url, base) => Self::Broken(failure),
            Err(_) => Self::Other,
        }
    }
}

/// Whether it is `host:path`, and not a path (git-clone(1), "GIT URLS").
fn is_scp(url: &str) -> bool {
    let host = url.split_once(':').map_or("", |(host, _)| host);
    // One letter is a drive of Windows.
    host.len() > 1 && !host.contains('/')
}

/// Whether `url` has a host of ours in it.
fn names(url: &str, base: &BaseUrl) -> bool {
    let lower = Zeroizing::new(url.to_ascii_lowercase());
    let mut hosts = vec![base.host_and_port()];
    // Nothing answers there but ssh.
    if !lower.starts_with("http") {
        hosts.extend(SSH_HOSTS.map(str::to_owned));
    }
    let places = hosts.iter().flat_map(|host| {
        ["@", "://"]
            .into_iter()
            .flat_map(move |before| ["/", ":"].map(|after| format!("{before}{host}{after}")))
    });
    places.into_iter().any(|place| lower.contains(&place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrated(url: &str) -> Option<String> {
        match Meaning::of(url, &BaseUrl::default()) {
            Meaning::Ours(address) => Some(crate::repository::own_address(&address)),
            Meaning::Other => None,
            Meaning::Broken(failure) => Some(format!("error: {failure}")),
        }
    }

    #[test]
    fn every_form_of_bitbucket_becomes_bbcloud() {
        for (url, expected) in [
            ("https://bitbucket.org/acme/widgets.git", "bbcloud::acme/widgets"),
            ("https://bitbucket.org/acme/widgets", "bbcloud::acme/widgets"),
            (
                "https://ada@bitbucket.org/acme/widgets.git",
                "bbcloud::ada@acme/widgets",
            ),
            (
                "https://ada:hunter2@bitbucket.org/acme/widgets.git",
                "bbcloud::ada@acme/widgets",
            ),
            (
                "https://x-token-auth:ATCTTx@bitbucket.org/acme/widgets.git",
                "bbcloud::acme/widgets",
            ),
            (
                "https://ada%40example.com:ATATTx@bitbucket.org/acme/widgets",
                "bbcloud::acme/widgets",
            ),
            ("git@bitbucket.org:acme/widgets.git", "bbcloud::acme/widgets"),
            ("bitbucket.org:acme/widgets.git", "bbcloud::acme/widgets"),
            ("git@ssh.bitbucket.org:acme/widgets.git", "bbcloud::acme/widgets"),
            ("ssh.bitbucket.org:acme/widgets", "bbcloud::acme/widgets"),
            ("ssh://ssh.bitbucket.org:22/acme/widgets.git", "bbcloud::acme/widgets"),
            (
                "git+ssh://git@ssh.bitbucket.org/acme/widgets.git",
                "bbcloud::acme/widgets",
            ),
            ("https://WWW.Bitbucket.org/acme/widgets", "bbcloud::acme/widgets"),
            ("ssh://git@bitbucket.org/acme/widgets.git", "bbcloud::acme/widgets"),
            (
                "ssh://git@altssh.bitbucket.org:443/acme/widgets.git",
                "bbcloud::acme/widgets",
            ),
            (
                "https://bitbucket.org/acme/widgets.git/wiki",
                "bbcloud::acme/widgets/wiki",
            ),
            ("git@bitbucket.org:acme/widgets.git/wiki", "bbcloud::acme/widgets/wiki"),
            ("bbcloud::ada:hunter2@acme/widgets", "bbcloud::ada@acme/widgets"),
        ] {
            assert_eq!(migrated(url).as_deref(), Some(expected), "{url}");
        }
    }

    #[test]
    fn other_hosts_and_paths_are_left_alone() {
        for url in [
            "https://github.com/acme/widgets.git",
            "https://ada:hunter2@bitbucket.example.com/scm/acme/widgets.git",
            "git@github.com:acme/widgets.git",
            "git@ssh.bitbucket.org.example:acme/widgets.git",
            "ssh://git@xssh.bitbucket.org/acme/widgets.git",
            "https://ssh.bitbucket.org/acme/widgets.git",
            "acme/widgets",
            "../widgets",
            "/srv/git/widgets.git",
            "C:/git/widgets",
            "file:///srv/git/widgets",
            "bbcloud::acme/widgets",
            "bbcloud::ada@acme/widgets",
        ] {
            assert_eq!(migrated(url), None, "{url}");
        }
    }

    #[test]
    fn what_is_at_bitbucket_and_cannot_be_read_is_told_without_its_secret() {
        let told = migrated("https://ada:hun/ter2@bitbucket.org/acme/widgets").expect("it is ours");
        assert!(told.starts_with("error: ") && !told.contains("ter2"), "{told}");
    }
}
