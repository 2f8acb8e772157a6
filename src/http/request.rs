//! A request as a session needs to know it: what it says, whether it may be repeated, and how far it has come.

use url::Url;

use super::error::Error;
use super::lines::Line;
use super::retry::Retry;
use crate::bridge::outcome::{Answerer, Purpose, Unfinished};

/// A request that is known in full, or whose upload is still to come.
pub(super) struct Request {
    pub(super) url: Url,
    /// The end of the URL that stays the same when its beginning is redirected.
    pub(super) tail: String,
    pub(super) lines: Vec<Line>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) retry: Retry,
    /// What is no request of git's, and what it does.
    pub(super) foreign: Option<Foreign>,
    /// Who answers it: another server than the one that secrets are for, once a redirect has led there.
    pub(super) answerer: Answerer,
    /// Whether the server that it goes to now can have received some of it. One that redirected it did nothing.
    pub(super) sent: bool,
}

/// A request of the REST API, or one that only looks what is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Foreign {
    pub(super) method: &'static str,
    /// Whether a redirect is followed, or an answer like any other.
    pub(super) follow: bool,
    /// Whether it changes something at the server.
    pub(super) purpose: Purpose,
}

impl Request {
    /// Whether it changes something at the server, as a push does.
    pub(super) fn purpose(&self) -> Purpose {
        match self.foreign {
            Some(foreign) => foreign.purpose,
            // Not what the URL says: a redirect may have changed that.
            None if self.tail.ends_with("/git-receive-pack") => Purpose::Change,
            None => Purpose::Read,
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

    /// Returns `error` with what became of the request.
    pub(super) fn failed(&self, error: Error) -> Unfinished {
        error.of_request(self.sent)
    }
}
