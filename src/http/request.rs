//! A request as a session needs to know it: what it says, whether it may be repeated, and how far it has come.

use std::io;

use url::Url;
use zeroize::Zeroizing;

use super::error::Error;
use super::retry::Retry;

/// A request that is known in full, or whose upload is still to come.
pub(super) struct Request {
    pub(super) url: Url,
    /// The end of the URL that stays the same when its beginning is redirected.
    pub(super) tail: String,
    pub(super) lines: Vec<Zeroizing<String>>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) retry: Retry,
    /// What is no request of git's, and what it does.
    pub(super) foreign: Option<Foreign>,
    /// Whether it has ever gone to another server than the one that secrets are for.
    pub(super) elsewhere: bool,
    /// Whether any server can have seen some of it.
    pub(super) sent: bool,
}

/// A request of the REST API, or one that only looks what is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Foreign {
    pub(super) method: &'static str,
    /// Whether a redirect is followed, or an answer like any other.
    pub(super) follow: bool,
}

impl Request {
    /// Whether it has no effect, and so may be sent again: everything but a push.
    pub(super) fn may_repeat(&self) -> bool {
        match self.foreign {
            Some(foreign) => foreign.method == "GET",
            // Not what the URL says: a redirect may have changed that.
            None => !self.tail.ends_with("/git-receive-pack"),
        }
    }

    /// Makes it a request that is none of git's.
    pub(super) fn foreign(mut self, foreign: Foreign) -> Self {
        self.foreign = Some(foreign);
        self
    }

    /// Returns where it was sent last: redirects change that.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn is_get(&self) -> bool {
        self.body.is_none()
    }

    /// Returns `error` for the caller, who has to know whether the request can have had an effect.
    pub(super) fn failed(&self, error: Error) -> io::Error {
        if self.sent { error.into() } else { error.unsent() }
    }
}
