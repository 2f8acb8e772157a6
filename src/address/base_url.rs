//! Below which URL all repositories are: bitbucket.org, or what somebody put before or in place of it.
//!
//! It must not know where the setting comes from, nor what an address is.

use url::{Host, Url};

use super::fault::Fault;
use super::userinfo::Userinfo;
use crate::origin::Origin;
use crate::report::Failure;

/// An https URL, or an http one on this machine: host, perhaps a port and a path, and a user name beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: Url,
    username: Option<String>,
}

impl BaseUrl {
    /// What is meant where nothing is set.
    pub const DEFAULT: &'static str = "https://bitbucket.org";

    /// Returns the base URL that `text` names.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        Self::read(text).map_err(|fault| fault.in_base_url(text))
    }

    fn read(text: &str) -> Result<Self, Fault> {
        // The parser of `url` would drop some of them without a word.
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(fault("it holds a space or a control character"));
        }
        let mut url = match Url::parse(text) {
            Ok(url) => url,
            Err(url::ParseError::RelativeUrlWithoutBase) => return Err(fault("'https://' is missing")),
            Err(error) => return Err(fault(&error.to_string())),
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
            return Err(fault("only https is safe outside this machine"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(fault("it has a query or a fragment"));
        }
        let user = Userinfo::parse(url.username())?;
        if url.password().is_some() || user.secret.is_some() {
            return Err(Fault::new("it holds a secret")
                .hint("leave the secret out, and keep it in the keychain with 'git-remote-bbcloud login'"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        // This fails only for a URL without a host, which https and http cannot be.
        url.set_username("").ok();
        Ok(Self {
            url,
            username: user.username,
        })
    }

    /// Returns the host alone, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Returns the host, and `:port` where it is not the default: the key under which secrets are kept.
    pub fn host_and_port(&self) -> String {
        Origin::of(&self.url).key()
    }

    /// Returns the URL without the user name.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the user name in it, for addresses that have none.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// Whether this is Bitbucket Cloud itself, and not a proxy or a test.
    pub fn is_bitbucket_org(&self) -> bool {
        self.host_and_port() == "bitbucket.org"
    }

    /// Returns the URL `parts` below this one, each of them exactly one segment.
    pub(super) fn join<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(parts);
        }
        url
    }
}

/// [`BaseUrl::DEFAULT`].
impl Default for BaseUrl {
    fn default() -> Self {
        Self::parse(Self::DEFAULT).expect("the tests parse the default")
    }
}

fn fault(reason: &str) -> Fault {
    Fault::new(reason).hint("use a URL such as 'https://bitbucket.org', or 'http://localhost:8080' for a test")
}

/// RFC 6761, 6.3: what ends in `localhost` is this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
