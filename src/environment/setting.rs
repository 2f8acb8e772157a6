//! Every setting of our own in git's configuration, each with its meaning, once.
//!
//! It must not read them. Manual pages are made from [`ALL`], and the tests hold the code against it.

use super::variable::{
    BBCLOUD_AGENT_SOCK, BBCLOUD_API_URL, BBCLOUD_BASE_URL, BBCLOUD_CACHE, BBCLOUD_KEYCHAIN_TIMEOUT, Variable,
};

/// A key `bbcloud.*` of git's configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as it is written.
    pub name: &'static str,
    /// The variable that wins over it.
    pub variable: Option<&'static Variable>,
    /// Whether a repository's own configuration is passed over, because it decides about secrets.
    pub trusted: bool,
    /// What it does, in one line of Markdown.
    pub meaning: &'static str,
}

/// All of them.
pub const ALL: &[Setting] = &[
    Setting {
        name: "bbcloud.baseUrl",
        variable: Some(&BBCLOUD_BASE_URL),
        trusted: true,
        meaning: "where repositories are, instead of `https://bitbucket.org`; may have a port, a path and a user name",
    },
    Setting {
        name: "bbcloud.apiUrl",
        variable: Some(&BBCLOUD_API_URL),
        trusted: true,
        meaning: "where the REST API is, instead of `https://api.bitbucket.org/2.0`; it gets the secrets of the base \
            URL, and has to be named where that is another one than Bitbucket's",
    },
    Setting {
        name: "bbcloud.store",
        variable: None,
        trusted: true,
        meaning: "where secrets are kept: `true` for the keychain, `keyutils` for the Linux kernel's key ring until \
            the next restart, `false` for nowhere",
    },
    Setting {
        name: "bbcloud.keychainTimeout",
        variable: Some(&BBCLOUD_KEYCHAIN_TIMEOUT),
        trusted: true,
        meaning: "how long the keychain may take, in seconds",
    },
    Setting {
        name: "bbcloud.agent",
        variable: Some(&BBCLOUD_AGENT_SOCK),
        trusted: true,
        meaning: "the socket of an agent, or `true` for the one where it is by default; without an agent there, requests \
            are sent as always",
    },
    Setting {
        name: "bbcloud.cache",
        variable: Some(&BBCLOUD_CACHE),
        trusted: false,
        meaning: "`false`: do not keep what repositories advertise",
    },
    Setting {
        name: "bbcloud.expiryWarning",
        variable: None,
        trusted: false,
        meaning: "from how many days before its expiry you are reminded of a secret, once a day and at a terminal only: \
            14 unless set; `false` for never",
    },
    Setting {
        name: "bbcloud.tokenPage",
        variable: None,
        trusted: true,
        meaning: "the page that `login` opens to create a token; empty for none",
    },
    Setting {
        name: "bbcloud.lfs",
        variable: None,
        trusted: false,
        meaning: "`false`: do not tell git-lfs where the large files of a `bbcloud::` remote are",
    },
];
