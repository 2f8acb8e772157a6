//! Which repository is meant: an address is parsed once, here, and this is the only place that builds https URLs.
//!
//! Does not depend on the network, git's configuration or the keychain; no text of its errors may hold a secret.

mod base_url;
mod fault;
mod name;
mod pasted;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod userinfo;

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

pub use self::base_url::BaseUrl;
use self::fault::Fault;
use self::name::RepositoryName;
pub use self::pasted::{SSH as SSH_HOSTS, is_old_ssh};
use self::userinfo::Userinfo;
use crate::report::Failure;
use crate::secret::Secret;

/// What git puts before the address of a remote to call this helper.
const PREFIX: &str = "bbcloud::";

/// What of a user name is not written literally: all but RFC 3986's unreserved characters.
const USERNAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A repository or its wiki on Bitbucket Cloud, and who the address says is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    place: RepositoryName,
    user: Userinfo,
}

impl Address {
    /// Returns what `text` means: `[user[:secret]@]workspace/repository[/wiki]`, or a pasted URL of Bitbucket.
    ///
    /// A pasted URL has to be of bitbucket.org or lie below `base`; whatever it was, the connection goes to `base`.
    pub fn parse(text: &str, base: &BaseUrl) -> Result<Self, Failure> {
        let read = |text: &str| Self::read(text, base);
        read(text).map_err(|fault| fault.in_address(text, |shown| read(shown).err()))
    }

    fn read(text: &str, base: &BaseUrl) -> Result<Self, Fault> {
        if text.chars().any(char::is_control) {
            return Err(Fault::new("it holds a control character"));
        }
        let text = text.strip_prefix(PREFIX).unwrap_or(text);
        let text = text.strip_prefix("bbcloud://").unwrap_or(text);
        if let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) {
            return pasted::url(scheme, rest, base);
        }
        let (user, rest) = userinfo::split(text, &['/']);
        let head = rest.split('/').next().unwrap_or_default();
        if let Some((host, _)) = head.split_once(':') {
            let path = rest.split_once(':').map_or("", |(_, path)| path);
            return pasted::scp(host, path, base);
        }
        Ok(Self {
            user: Userinfo::parse(user)?,
            place: RepositoryName::parse(rest)?,
        })
    }

    /// Returns the workspace, as written or as `{uuid}`.
    pub fn workspace(&self) -> &str {
        &self.place.workspace
    }

    /// Returns the repository without `.git`, as written or as `{uuid}`.
    pub fn repository(&self) -> &str {
        &self.place.repository
    }

    /// Whether the repository's wiki is meant.
    pub fn is_wiki(&self) -> bool {
        self.place.wiki
    }

    /// Returns the user name in the address.
    pub fn username(&self) -> Option<&str> {
        self.user.username.as_deref()
    }

    /// Returns the secret in the address, never empty.
    pub fn secret(&self) -> Option<&Secret> {
        self.user.secret.as_ref()
    }

    /// Returns the same repository, without saying who is asking.
    #[must_use]
    pub fn without_user(&self) -> Self {
        Self {
            place: self.place.clone(),
            user: Userinfo::default(),
        }
    }

    /// Returns `workspace/repository`, under which a repository's secret is kept; its wiki has the same.
    pub fn scope(&self) -> String {
        format!("{}/{}", self.workspace(), self.repository())
    }

    /// Returns the URL to ask for it below `base`, without user name and secret.
    pub fn https_url(&self, base: &BaseUrl) -> Url {
        self.below(base, &[])
    }

    /// Returns the URL of its large files, which `remote.<name>.lfsurl` needs: git-lfs does not ask remote helpers.
    pub fn lfs_url(&self, base: &BaseUrl) -> Url {
        self.below(base, &["info", "lfs"])
    }

    fn below(&self, base: &BaseUrl, more: &[&str]) -> Url {
        let repository = format!("{}.git", self.repository());
        let wiki = self.is_wiki().then_some("wiki");
        let place = [self.workspace(), repository.as_str()].into_iter().chain(wiki);
        base.join(place.chain(more.iter().copied()))
    }

    /// Returns `bbcloud::[user@]workspace/repository[/wiki]`, what a remote should say; never the secret.
    pub fn bbcloud(&self) -> String {
        match self.username() {
            Some(name) => format!("{PREFIX}{}@{self}", utf8_percent_encode(name, USERNAME)),
            None => format!("{PREFIX}{self}"),
        }
    }
}

/// `workspace/repository[/wiki]`, never with the user name or the secret.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wiki = if self.is_wiki() { "/wiki" } else { "" };
        write!(f, "{}/{}{wiki}", self.workspace(), self.repository())
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}
