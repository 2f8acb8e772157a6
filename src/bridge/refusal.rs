//! The server's "no": an answer that HTTP carried well and that is not what was asked for.
//!
//! Only facts: what they mean for the user is said in `http/status.rs`.

use std::io;

use super::outcome::{Answerer, Outcome};

/// The longest text of a refusal that is kept, in bytes.
pub const TEXT: usize = 16 * 1024;

/// An answer with a status of 400 or more.
#[derive(Debug, Clone, Default, thiserror::Error)]
#[error("HTTP {status}")]
pub struct Refusal {
    /// The status, 400 to 999.
    pub status: u16,
    /// The host that refused, which after a redirect is not the one that was asked.
    pub host: String,
    /// Who that is.
    pub by: Answerer,
    /// Who was asking, in the words of the agent that the request was sent to; empty if it was nobody.
    pub account: Option<String>,
    /// The `Content-Type` without its parameters, in lower case.
    pub content_type: String,
    /// The `WWW-Authenticate` values.
    pub challenges: Vec<String>,
    /// `Retry-After`, in seconds, where the server gave it so.
    pub retry_after: Option<u64>,
    /// The `Server` header.
    pub server: String,
    /// Bitbucket's number of the request, for its support.
    pub trace_id: String,
    /// The body, at most [`TEXT`] bytes of it, with what is not UTF-8 replaced.
    pub text: String,
}

impl Refusal {
    /// Returns what became of the request.
    pub fn outcome(&self) -> Outcome {
        Outcome::Refused {
            by: self.by,
            status: self.status,
        }
    }
}

/// As gitoxide's `Http` trait wants it: 401 is [`io::ErrorKind::PermissionDenied`], anything else is another kind.
impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal.status {
            401 => io::ErrorKind::PermissionDenied,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, refusal)
    }
}
