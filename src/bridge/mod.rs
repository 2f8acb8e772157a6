//! Git's stream on one side, HTTP requests on the other.
//!
//! What it needs from HTTP is gitoxide's [`Http`](gix_transport::client::blocking_io::http::Http) trait, what it needs
//! from the keychain is [`Credentials`]. Does not depend on sockets, settings or stores, and never holds a pack.

pub mod controls;
pub mod discovery;
pub mod fallback;
pub mod framing;
mod harmless;
pub mod outcome;
pub mod packet;
pub mod receive_pack;
pub mod refusal;
pub mod relay;
pub mod remote;
pub mod report_status;
pub mod service;
pub mod sideband;
mod text;
pub mod upload_archive;
pub mod upload_pack;

use std::io;

use zeroize::Zeroizing;

use self::discovery::Advertisement;
use self::outcome::{Outcome, Unfinished};
use self::refusal::Refusal;
use crate::report::Failure;

/// Why a conversation between git and the server could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server said no.
    #[error("the server refused: {0}")]
    Refused(#[source] Box<Refusal>),
    /// Network, TLS, proxy or HTTP failed; what became of the request is told with it.
    #[error("the request failed")]
    Http(#[source] Unfinished),
    /// The answer is not of the type that the service has.
    #[error("unexpected content type '{found}' (expected '{expected}')")]
    ContentType {
        /// The type that the answer names.
        found: String,
        /// The service's.
        expected: String,
    },
    /// The server does not speak git's protocol, or not all of it.
    #[error("{0}")]
    Protocol(String),
    /// The server says in git's protocol that it cannot do this (an `ERR` packet).
    #[error("the server reports an error")]
    Reported(String),
    /// The same, and git has been passed that packet: it says so itself.
    #[error("git was told that the server reports an error")]
    Told,
    /// What was kept of the server's advertisement no longer holds, and what git was told of it cannot be taken back.
    #[error("the server's capabilities changed")]
    Changed,
    /// The push has been sent, and its answer is lost: nobody here knows whether it took place.
    #[error("the push was sent, but its answer was lost")]
    Unknown(#[source] Box<Self>),
    /// Everything that git waited for has been passed on, and then the answer broke.
    #[error("the answer broke after its last packet")]
    AfterAll(#[source] Box<Self>),
    /// Git's end of the pipe cannot be read.
    #[error("cannot read from git")]
    FromGit(#[source] io::Error),
    /// Git's end of the pipe cannot be written: git has gone.
    #[error("cannot write to git")]
    ToGit(#[source] io::Error),
    /// Git's own `fetch-pack` could not be started, or failed; it has said why.
    #[error("git fetch-pack failed")]
    FetchPack(#[source] io::Error),
    /// No credential could be had.
    #[error(transparent)]
    Credentials(Failure),
}

impl Error {
    /// Returns what became of the request, if it is the request that failed and not this side.
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Refused(refusal) => Some(refusal.outcome()),
            Self::Http(unfinished) => Some(unfinished.outcome),
            Self::ContentType { .. } | Self::Protocol(_) => Some(Outcome::Unanswered),
            _ => None,
        }
    }
}

/// Sorts what a read of an answer returned.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Refusal>() {
            Ok(refusal) => Self::Refused(Box::new(refusal)),
            Err(error) => Self::Http(error.into()),
        }
    }
}

/// A kept advertisement, which git has been told instead of the server's own.
pub trait Kept {
    /// The first request is about to be sent, with this `Authorization` header line: a time to look after the copy.
    fn used(&mut self, authorization: Option<Zeroizing<String>>);
    /// Keeps `fresh` from now on.
    fn replace(&mut self, fresh: &Advertisement);
    /// Keeps nothing.
    fn forget(&mut self);
}

/// Who is asking, as far as a request needs to know.
pub trait Credentials {
    /// Returns the `Authorization` header line for the next request, or nothing to ask anonymously.
    fn authorization(&mut self) -> Result<Option<Zeroizing<String>>, Failure>;

    /// A request was accepted; `elsewhere` if by another host, which was not shown what
    /// [`authorization`](Self::authorization) returned last.
    fn accepted(&mut self, elsewhere: bool);

    /// A request was refused. Returns whether to send it once more, with what [`authorization`](Self::authorization)
    /// returns then; `may_repeat` if the very same request may be sent again.
    fn refused(&mut self, refusal: &Refusal, may_repeat: bool) -> Result<bool, Failure>;
}
