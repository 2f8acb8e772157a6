//! Requests that are none of git's: the REST API's, and those that only look what is there.
//!
//! Any method, any status, and the answer as it comes. Redirects of a GET are followed wherever they lead; what is
//! secret stays behind when they lead to another host, as everywhere.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use url::Url;
use zeroize::Zeroizing;

use super::answer_head::AnswerHead;
use super::decoding::Decoding;
use super::exchange::Exchange;
use super::lines::Line;
use super::request::Foreign;
use super::session::Session;
use super::settings::Settings;
use super::wire::Watch;
use crate::bridge::outcome::{Answerer, Purpose, Unfinished};
use crate::bridge::refusal::{Refusal, TEXT};
use crate::origin::Origin;
use crate::report::Report;
use crate::trace::Trace;

/// A client for requests that are none of git's.
pub struct Rest {
    session: Session,
}

/// A request.
pub struct Call {
    /// GET, POST, PUT, PATCH or DELETE.
    pub method: &'static str,
    /// Where to.
    pub url: Url,
    /// Header lines; the secret is in one of them.
    pub lines: Vec<Zeroizing<String>>,
    /// What is sent.
    pub body: Option<Vec<u8>>,
    /// Whether to follow redirects.
    pub follow: bool,
}

/// An answer, whatever its status, whose body is read from it.
pub struct Reply {
    origin: Origin,
    by: Answerer,
    head: AnswerHead,
    body: Decoding,
    url: Url,
    took: Duration,
    ended: bool,
}

impl Rest {
    /// Returns a client that connects when it has to; with a `limit` every answer has to be there by then.
    pub fn new(settings: Settings, report: Report, trace: Trace, limit: Option<Duration>) -> Self {
        let watch = Watch {
            trace,
            low_speed: settings.low_speed,
            deadline: limit.map(|limit| Instant::now() + limit),
            ..Watch::default()
        };
        Self {
            session: Session::new(settings, report, watch),
        }
    }

    /// Sends a request and waits for the head of its answer.
    pub fn send(&mut self, call: Call) -> Result<Reply, Unfinished> {
        let foreign = Foreign {
            method: call.method,
            follow: call.follow,
            purpose: match call.method {
                "GET" => Purpose::Read,
                _ => Purpose::Change,
            },
        };
        // What may have an effect has a length, even of nothing, which servers want to see.
        let body = call
            .body
            .or((call.method != "GET" && call.method != "DELETE").then(Vec::new));
        let request = self
            .session
            .request(call.url, "", call.lines.into_iter().map(Line::from).collect(), body);
        let mut request = request.foreign(foreign);
        let start = Instant::now();
        let answered = self.session.perform(&mut request);
        let answered = answered.map_err(|error| request.failed(error))?;
        let took = start.elapsed();
        let body = Decoding::new(answered.exchange, &answered.head).map_err(|error| request.failed(error))?;
        Ok(Reply {
            origin: answered.origin,
            by: answered.by,
            head: answered.head,
            body,
            url: request.url().clone(),
            took,
            ended: false,
        })
    }

    /// Takes an answer back whose body has been read, so that its connection serves the next request.
    pub fn finish(&mut self, reply: Reply) -> io::Result<()> {
        if reply.ended
            && let Some(stream) = reply.body.finish()?.and_then(Exchange::into_stream)
        {
            self.session.connector.keep(reply.origin, stream);
        }
        Ok(())
    }
}

impl Reply {
    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// Returns who answered: after a redirect it may be a server that was sent no secret.
    pub fn by(&self) -> Answerer {
        self.by
    }

    /// Returns the first value of header `name` (in lower case), or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.head.text(name)
    }

    /// Returns where the answer comes from.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the time from the request to the head of the answer, a new connection included.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// Returns what this answer refuses, with the beginning of its body.
    pub fn refusal(&mut self) -> Refusal {
        let mut text = Vec::new();
        // What the server has to say is worth having even where its body is cut.
        self.take(TEXT as u64).read_to_end(&mut text).ok();
        let mut refusal = self.head.refusal(self.origin.host().to_owned(), &text);
        refusal.by = self.by;
        refusal
    }
}

/// The decoded body. An answer that is cut is an error.
impl Read for Reply {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.ended || out.is_empty() {
            return Ok(0);
        }
        let count = self.body.read(out)?;
        self.ended = count == 0;
        Ok(count)
    }
}
