//! Which server a URL leads to: the one answer to whether a server may be sent a secret.
//!
//! A secret is for one scheme, one host and one port; never for the beginning of a URL or a part of a name. Does not
//! depend on where a URL or a secret comes from.

use url::Url;

/// A server: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// Returns the server of `url`, which is an https or an http one.
    pub fn of(url: &Url) -> Self {
        let secure = url.scheme() == "https";
        Self {
            secure,
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or(if secure { 443 } else { 80 }),
        }
    }

    /// Returns the server of the URL `text`; `None` if that is no https or http URL with a host.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_http = matches!(url.scheme(), "https" | "http");
        (is_http && url.host_str().is_some_and(|host| !host.is_empty())).then(|| Self::of(&url))
    }

    /// Returns the server that `host` names, with `:port` where that is not the default, as git's credential protocol
    /// writes it. `None` for what is more or less than a host, and for letters outside ASCII, of which many look like
    /// others or stand for them: what git and the server read in two ways is for nobody.
    pub fn named(scheme: &str, host: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_graphic() && !r"/\?#@%".contains(c);
        if host.is_empty() || !host.chars().all(is_plain) {
            return None;
        }
        Self::parse(&format!("{scheme}://{host}/"))
    }

    /// Returns the host alone.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether connections are made over TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Returns the host, and `:port` where that is not the default: the key under which secrets are kept.
    pub fn key(&self) -> String {
        let default = if self.secure { 443 } else { 80 };
        if self.port == default {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether this server may be sent the secrets of `home`.
    pub fn may_have_secrets_of(&self, home: &Self) -> bool {
        self == home
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(url: &str, home: &str) -> bool {
        let (url, home) = (Origin::parse(url), Origin::parse(home).expect("a URL"));
        url.is_some_and(|url| url.may_have_secrets_of(&home))
    }

    #[test]
    fn a_secret_is_for_one_scheme_host_and_port() {
        let home = "https://bitbucket.org/acme/widgets.git";
        for same in [
            "https://bitbucket.org",
            "https://bitbucket.org/",
            "https://BitBucket.ORG/other/place?x#y",
            "https://bitbucket.org:443/acme",
            "https://ada:pw@bitbucket.org/acme",
            "https://bit\tbucket.org/acme",
            "https://bitbucket%2Eorg/",
        ] {
            assert!(may(same, home), "{same}");
        }
        for other in [
            "http://bitbucket.org/acme/widgets.git",
            "https://bitbucket.org:8443/acme/widgets.git",
            "https://bitbucket.org:80/",
            "https://bitbucket.org.evil.example/acme/widgets.git",
            "https://bitbucket.orgevil.example/",
            "https://evilbitbucket.org/",
            "https://www.bitbucket.org/",
            "https://bitbucket.org@evil.example/acme/widgets.git",
            "https://bitbucket.org:443@evil.example/",
            "https://evil.example/bitbucket.org/acme",
            "https://evil.example/https://bitbucket.org/",
            "https://evil.example#@bitbucket.org/",
            "https://evil.example?@bitbucket.org/",
            "https://evil.example\\@bitbucket.org/",
            "https://bitbucket.org./",
            "https://b\u{456}tbucket.org/",
            "ftp://bitbucket.org/",
            "https:///",
            "bitbucket.org",
            "",
        ] {
            assert!(!may(other, home), "{other}");
        }
    }

    #[test]
    fn an_international_name_is_the_same_in_both_its_forms() {
        assert!(may("https://bücher.example/", "https://xn--bcher-kva.example/x"));
        assert!(may("https://BÜCHER.example/", "https://bücher.example/"));
        assert!(!may("https://bucher.example/", "https://bücher.example/"));
        assert!(may("http://[::1]:80/", "http://[0:0:0:0:0:0:0:1]/"));
    }

    #[test]
    fn a_host_of_gits_protocol_is_a_host_and_nothing_else() {
        let key = |scheme: &str, host: &str| Origin::named(scheme, host).map(|origin| origin.key());
        for (scheme, host, expected) in [
            ("https", "BitBucket.org", Some("bitbucket.org")),
            ("https", "bitbucket.org:443", Some("bitbucket.org")),
            ("https", "bitbucket.org:80", Some("bitbucket.org:80")),
            ("http", "localhost:80", Some("localhost")),
            ("http", "[::1]:8080", Some("[::1]:8080")),
            ("https", "xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("https", "bücher.example", None),
            ("https", "\u{ff42}itbucket.org", None),
            ("https", "evil.example\\.bitbucket.org", None),
            ("https", "evil.example@bitbucket.org", None),
            ("https", "bitbucket.org/x", None),
            ("https", "bitbucket.org#x", None),
            ("https", "bit\tbucket.org", None),
            ("https", "bitbucket.org:x", None),
            ("https", "", None),
            ("imap", "bitbucket.org", None),
        ] {
            assert_eq!(key(scheme, host).as_deref(), expected, "{scheme} {host}");
        }
    }
}
