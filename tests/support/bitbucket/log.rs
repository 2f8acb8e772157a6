//! The request log that tests read.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::account::Presented;
use super::request::{Body, Head};

/// How a request said where its body ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    /// No body.
    #[default]
    None,
    /// `Content-Length`.
    Length,
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// One request as it arrived, and how it was answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// Counted from 1, in the order in which connections were accepted.
    pub(crate) connection: usize,
    pub(crate) method: String,
    /// As on the wire, prefix included, without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    /// As on the wire, except that `Authorization` holds no secret, just the user name.
    pub(crate) headers: Vec<(String, String)>,
    /// The user name of the Basic credentials; `Bearer` for a bearer token.
    pub(crate) user: Option<String>,
    pub(crate) framing: Framing,
    /// Without chunk framing, before any content encoding is undone.
    pub(crate) body_bytes: u64,
    pub(crate) content_encoding: Option<String>,
    /// 0 while nothing has been answered.
    pub(crate) status: u16,
    /// Bytes of the answer's body, without chunk framing.
    pub(crate) answer_bytes: u64,
}

impl Request {
    fn new(connection: usize, head: &Head) -> Self {
        let user = Presented::of(head).map(|presented| presented.name().to_owned());
        let hidden = |(name, value): &(String, String)| {
            let secret = name.eq_ignore_ascii_case("authorization");
            (
                name.clone(),
                if secret {
                    user.clone().unwrap_or_default()
                } else {
                    value.clone()
                },
            )
        };
        Self {
            connection,
            method: head.method.clone(),
            path: head.path().to_owned(),
            query: head.query().to_owned(),
            headers: head.headers.iter().map(hidden).collect(),
            user: user.clone(),
            framing: match head.body() {
                Body::Done => Framing::None,
                Body::Length(_) => Framing::Length,
                _ => Framing::Chunked,
            },
            content_encoding: head.header("content-encoding").map(str::to_owned),
            ..Self::default()
        }
    }

    /// A request header's value, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A request that is being answered. It is in the log from its head on, so that a client that has
/// read the whole answer finds its own request there.
#[derive(Clone)]
pub(crate) struct Entry(Arc<Mutex<Request>>);

impl Entry {
    pub(crate) fn received(&self, bytes: usize) {
        locked(&self.0).body_bytes += bytes as u64;
    }

    pub(crate) fn answered(&self, status: u16) {
        locked(&self.0).status = status;
    }

    pub(crate) fn sent(&self, bytes: usize) {
        locked(&self.0).answer_bytes += bytes as u64;
    }
}

#[derive(Default)]
pub(crate) struct Log {
    entries: Mutex<Vec<Entry>>,
    /// As they came, and not forgotten by [`Log::clear`].
    all: Mutex<Vec<Request>>,
    /// Every user name and secret that has come with a request or been opened an account for.
    secrets: Mutex<BTreeSet<(String, String)>>,
}

impl Log {
    pub(crate) fn begin(&self, connection: usize, head: &Head) -> Entry {
        let request = Request::new(connection, head);
        locked(&self.all).push(request.clone());
        // What large files are fetched with is the server's own, and git-lfs traces it.
        if let Some(Presented::Basic { user, secret }) = Presented::of(head) {
            self.knows(&user, &secret);
        }
        let entry = Entry(Arc::new(Mutex::new(request)));
        locked(&self.entries).push(entry.clone());
        entry
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        let entries = locked(&self.entries);
        entries.iter().map(|entry| locked(&entry.0).clone()).collect()
    }

    pub(crate) fn clear(&self) {
        locked(&self.entries).clear();
    }

    pub(crate) fn all(&self) -> Vec<Request> {
        locked(&self.all).clone()
    }

    pub(crate) fn knows(&self, user: &str, secret: &str) {
        locked(&self.secrets).insert((user.to_owned(), secret.to_owned()));
    }

    pub(crate) fn secrets(&self) -> Vec<(String, String)> {
        locked(&self.secrets).iter().cloned().collect()
    }
}

/// A test that panicked elsewhere must not hide its own message behind a poisoned lock.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
