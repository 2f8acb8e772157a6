//! Requests that an agent sends for its clients: one after the other over one connection, and never one by itself.
//!
//! No redirect is followed, nothing is tried again but a request that is held and meets a connection that had ended,
//! and an answer passes as it comes, its content coding included. Does not depend on who asks, or why.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use url::Url;
use zeroize::Zeroizing;

use super::answer_head::AnswerHead;
use super::error::Error;
use super::exchange::Exchange;
use super::head::Length;
use super::lines::Line;
use super::request::{Foreign, Request};
use super::session::Session;
use super::settings::{Retries, Settings};
use super::tls;
use super::wire::Watch;
use crate::bridge::outcome::{Purpose, Unfinished};
use crate::bridge::refusal::{Refusal, TEXT};
use crate::origin::Origin;
use crate::report::Report;
use crate::trace::Trace;

/// How long the server may leave a request of a used connection unacknowledged, where the system can be told that.
const UNHEARD: Duration = Duration::from_secs(10);

/// What the connections of the same settings share: the trust store is read once, and TLS sessions are resumed.
#[derive(Debug, Clone, Default)]
pub struct Shared(Option<tls::Client>);

/// Tells the thread that serves a client that the client has gone.
#[derive(Debug, Clone, Default)]
pub struct Abandon(Arc<AtomicBool>);

impl Abandon {
    /// Gives the request up.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has been given up.
    pub fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// What is asked for.
#[derive(Debug)]
pub struct Ask {
    /// Where.
    pub url: Url,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Whether it changes something there.
    pub purpose: Purpose,
    /// Header lines; the secret is in one of them.
    pub lines: Vec<Zeroizing<String>>,
}

/// A connection to the server, or the means to open one.
pub struct Upstream {
    session: Session,
    abandon: Abandon,
    /// Whether a server that has vanished is noticed on a connection that is kept.
    notices_death: bool,
}

/// A request whose body is being sent.
pub struct Upload {
    request: Request,
    exchange: Exchange,
}

/// How a part of a body was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The next part may follow.
    More,
    /// The server has answered, and does not want the rest.
    Answered,
}

/// An answer, whatever its status, whose body is read from it.
pub struct Reply {
    origin: Origin,
    head: AnswerHead,
    exchange: Exchange,
    /// What was read of the body in advance.
    begun: Vec<u8>,
}

impl Upstream {
    /// Returns an upstream that connects when it has to.
    pub fn new(mut settings: Settings, shared: Shared, report: Report, trace: Trace) -> Self {
        settings.retries = Retries {
            max: Some(0),
            ..Retries::default()
        };
        let abandon = Abandon::default();
        let watch = Watch {
            trace,
            low_speed: settings.low_speed,
            abandon: Some(abandon.clone()),
            ..Watch::default()
        };
        let mut session = Session::new(settings, report, watch);
        session.connector.set_tls(shared.0);
        Self {
            session,
            abandon,
            notices_death: false,
        }
    }

    /// Returns how the next request is given up.
    pub fn abandon(&self) -> Abandon {
        self.abandon.reset();
        self.abandon.clone()
    }

    /// Returns what another connection of the same settings can share.
    pub fn shared(&self) -> Shared {
        Shared(self.session.connector.tls())
    }

    /// Closes the connection that is kept.
    pub fn disconnect(&mut self) {
        self.session.connector.forget();
    }

    /// Whether there is a connection that may carry the next request.
    pub fn is_connected(&mut self) -> bool {
        self.session.connector.has_idle()
    }

    /// Whether a server that has vanished is noticed within seconds when the kept connection is used.
    pub fn notices_death(&self) -> bool {
        self.notices_death
    }

    /// Sends a request with the `body` that is held, and waits for the head of the answer.
    pub fn ask(&mut self, ask: Ask, body: Option<Vec<u8>>) -> Result<Reply, Unfinished> {
        let mut request = self.request(ask, body);
        let answered = self
            .session
            .perform(&mut request)
            .map_err(|error| request.failed(error))?;
        Ok(Reply {
            origin: answered.origin,
            head: answered.head,
            exchange: answered.exchange,
            begun: Vec::new(),
        })
    }

    /// Begins a request whose body follows, of `length` bytes where that is known.
    pub fn upload(&mut self, ask: Ask, length: Option<u64>) -> Result<Upload, Unfinished> {
        let mut request = self.request(ask, None);
        let length = length.map_or(Length::Chunked, Length::Known);
        let exchange = self.session.start_upload(&mut request, length);
        let exchange = exchange.map_err(|error| request.failed(error))?;
        // A server may take its time over what is uploaded, and take nothing meanwhile.
        exchange.set_unheard(None).ok();
        Ok(Upload { request, exchange })
    }

    fn request(&mut self, ask: Ask, body: Option<Vec<u8>>) -> Request {
        let foreign = Foreign {
            method: ask.method,
            follow: false,
            purpose: ask.purpose,
        };
        let url = ask.url;
        self.session
            .request(url, "", ask.lines.into_iter().map(Line::from).collect(), body)
            .foreign(foreign)
    }

    /// Keeps the connection of an answer whose body has been read.
    pub fn keep(&mut self, reply: Reply) {
        if let Some(stream) = reply.exchange.into_stream() {
            self.notices_death = stream.set_unheard(Some(UNHEARD)).is_ok();
            self.session.connector.keep(reply.origin, stream);
        }
    }
}

impl Upload {
    /// Sends the next bytes of the body.
    pub fn write(&mut self, bytes: &[u8]) -> Result<Progress, Unfinished> {
        match self.exchange.write(bytes) {
            Ok(()) => Ok(Progress::More),
            Err(Error::AnsweredEarly) => Ok(Progress::Answered),
            Err(error) => Err(self.request.failed(error)),
        }
    }

    /// Ends the body, or gives it up if the server has answered, and waits for the head of the answer.
    pub fn finish(mut self, progress: Progress) -> Result<Reply, Unfinished> {
        let ended = match progress {
            Progress::More => self.exchange.finish(),
            Progress::Answered => {
                self.exchange.give_up_body();
                Ok(())
            }
        };
        let head = ended.and_then(|()| self.exchange.read_head());
        let head = head.map_err(|error| self.request.failed(error))?;
        Ok(Reply {
            origin: Origin::of(self.request.url()),
            head,
            exchange: self.exchange,
            begun: Vec::new(),
        })
    }
}

impl Reply {
    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// Returns the header fields, their names in lower case, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let fields = self.head.headers.iter();
        fields.map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Returns what this answer refuses, with the beginning of its body, which stays to be read.
    pub fn refusal(&mut self) -> Refusal {
        let mut text = vec![0; TEXT];
        let mut length = 0;
        // What the server has to say is worth having even where its body is cut.
        while let Some(space) = text.get_mut(length..).filter(|space| !space.is_empty())
            && let Ok(count @ 1..) = self.exchange.read(space)
        {
            length += count;
        }
        text.truncate(length);
        let refusal = self.head.refusal(self.origin.host().to_owned(), &text);
        self.begun = text;
        refusal
    }

    /// Reads the body as it came; 0 at its end. An answer that is cut is an error.
    pub fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.begun.is_empty() {
            return Ok(self.exchange.read(out)?);
        }
        let count = self.begun.len().min(out.len());
        for (to, from) in out.iter_mut().zip(self.begun.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }
}
