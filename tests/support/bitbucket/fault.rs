//! What tests can ask to go wrong, and for which requests.

use std::sync::Mutex;
use std::time::Duration;

use super::log::locked;
use super::refusal::Refusal;
use super::request::Head;

/// One way of going wrong. Where it says "then closes", the TCP connection ends without TLS `close_notify`.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Refuses instead of answering.
    Refuse(Refusal),
    /// Redirects; `{target}` in the location stands for the request's own path and query.
    Redirect { status: u16, location: String },
    /// Closes cleanly (with `close_notify`) instead of answering.
    Close,
    /// Resets the connection instead of answering.
    Reset,
    /// Sends these bytes instead of an answer, then closes cleanly.
    Raw(Vec<u8>),
    /// Refuses without reading the request's body, waits, then closes.
    RefuseEarly { refusal: Refusal, linger: Duration },
    /// Does nothing for a while, then answers.
    Delay(Duration),
    /// Sends `103 Early Hints` and `100 Continue` before the answer.
    Informational,
    /// Does what was asked, sends this many bytes of the answer's head, then closes. 0 hides that anything was done.
    CutHead { after: usize },
    /// Sends this many bytes of the answer's body (all of it, if it is shorter), then closes without the last chunk.
    CutBody { after: u64 },
    /// Like `CutBody`, but resets the connection.
    ResetBody { after: u64 },
    /// Like `CutBody`, but inside of a chunk whose length has been announced.
    CutChunk { after: u64 },
    /// Sends the first bytes, then the others again and again, until the client has gone.
    Endless(Vec<u8>, Vec<u8>),
    /// Sends bytes below TLS, where only its records belong, then closes.
    BelowTls(Vec<u8>),
    /// Pauses once, after this many bytes of the answer's body; before its end, if it is shorter.
    Stall { after: u64, pause: Duration },
    /// Sends the answer's body this many bytes at a time.
    Drip { bytes: usize, every: Duration },
    /// States a `Content-Length` that is off by this much, then closes.
    WrongLength { delta: i64 },
    /// Calls the answer something else.
    ContentType(String),
    /// Adds this line to the head of the answer.
    Header(Vec<u8>),
    /// Answers fully and says nothing of closing, then closes cleanly.
    CloseAfter,
    /// Answers in HTTP/1.0, where the end of the connection is the end of the body.
    Http10,
    /// Compresses the answer; a broken one has its last half missing, in correct HTTP.
    Gzip { broken: bool },
    /// Compresses the answer, and calls it `deflate` without the header of zlib.
    RawDeflate,
    /// Answers in chunks whose framing has LF alone at its line ends.
    BareLineFeeds,
    /// Compresses the answer and this many bytes of padding after it.
    GzipBomb { inflated: u64 },
    /// Sends this body instead, after doing what was asked.
    ReplaceBody(Vec<u8>),
    /// Leaves out this many bytes at the end of the answer's body, in correct HTTP.
    Truncate { bytes: usize },
}

impl Action {
    /// Whether a client that has sent a request knows afterwards that nothing was done: it was refused or led elsewhere.
    /// A gateway that gives up says nothing of the server behind it.
    pub(crate) fn tells_the_outcome(&self) -> bool {
        match self {
            Self::Refuse(Refusal::Custom { status: 200, body, .. }) => {
                body.get(4..).is_some_and(|text| text.starts_with(b"ERR "))
            }
            Self::Refuse(Refusal::Custom { status, .. }) => *status >= 300 && !matches!(status, 500 | 502 | 504),
            Self::Redirect { .. } => true,
            _ => false,
        }
    }

    /// Whether the connection may end before a request has been read.
    pub(crate) fn may_end_an_upload(&self) -> bool {
        matches!(self, Self::Close | Self::Reset)
    }
}

/// An action and the requests that it is for.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) method: Option<&'static str>,
    /// Part of the request's path and query, as on the wire.
    pub(crate) path_contains: String,
    /// So many matching requests are answered well first.
    pub(crate) skip: usize,
    pub(crate) times: usize,
    pub(crate) action: Action,
}

impl Fault {
    /// For the first request whose path or query contains `path_contains`.
    pub(crate) fn on(path_contains: &str, action: Action) -> Self {
        Self {
            method: None,
            path_contains: path_contains.to_owned(),
            skip: 0,
            times: 1,
            action,
        }
    }

    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = Some(method);
        self
    }

    pub(crate) fn skip(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    pub(crate) fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    pub(crate) fn always(self) -> Self {
        self.times(usize::MAX)
    }

    fn matches(&self, head: &Head) -> bool {
        self.method.is_none_or(|method| method == head.method) && head.target.contains(&self.path_contains)
    }
}

#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        locked(&self.0).push(fault);
    }

    pub(crate) fn clear(&self) {
        locked(&self.0).clear();
    }

    /// The action for this request. Every matching fault counts the request; the first that is due acts.
    pub(crate) fn take(&self, head: &Head) -> Option<Action> {
        let mut due = None;
        for fault in locked(&self.0).iter_mut().filter(|fault| fault.times > 0) {
            if !fault.matches(head) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if due.is_none() {
                fault.times -= 1;
                due = Some(fault.action.clone());
            }
        }
        due
    }
}
