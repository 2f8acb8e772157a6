//! The HTTP client behind gitoxide's [`Http`] trait: connections that are used again, redirects, refusals.
//!
//! A small request is collected and sent when its body is dropped; an upload of unknown length goes to the socket as
//! it is written. An answer with a status of 300 or more is an error of the header reader that holds a
//! [`Refusal`](crate::bridge::refusal::Refusal). It must not know git's protocols.

use std::cell::RefCell;
use std::io::{self, BufRead, Read, Write};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use gix::error::Result as GixResult;
use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use url::Url;

use super::agent;
use super::answer::{Answer, Stage};
use super::family::Family;
use super::lines::Line;
use super::session::Session;
use super::settings::Settings;
#[cfg(unix)]
use super::stream::Stream;
use super::wire::Watch;
use crate::origin::Origin;
use crate::report::Report;
use crate::trace::Trace;

/// Bytes that are handed to git at once.
const BODY: usize = 64 * 1024;

/// A client for one server.
pub struct Client {
    session: Rc<RefCell<Session>>,
}

impl Client {
    /// Returns a client that connects when it has to.
    pub fn new(settings: Settings, report: Report, trace: Trace) -> Self {
        let watch = Watch {
            trace,
            low_speed: settings.low_speed,
            silence: settings.agent.is_some().then_some(agent::SILENCE),
            ..Watch::default()
        };
        Self {
            session: Rc::new(RefCell::new(Session::new(settings, report, watch))),
        }
    }

    /// Begins to connect to the server of `url`, while the caller does something else.
    pub fn open_early(&self, url: &Url) {
        self.session.borrow_mut().connector.open_early(Origin::of(url));
    }

    /// Has the next request sent over `stream`, which leads to the agent of the settings.
    #[cfg(unix)]
    pub fn use_agent(&self, stream: UnixStream, url: &Url) {
        let stream = Stream::Local(stream);
        self.session.borrow_mut().connector.keep(Origin::of(url), stream);
    }

    /// Gives up after `limit`, however slowly the server answers.
    pub fn give_up_after(&self, limit: Duration) {
        self.session.borrow_mut().give_up_at(Instant::now() + limit);
    }

    /// Restricts connections to a family of addresses.
    pub fn set_family(&self, family: Family) {
        self.session.borrow_mut().connector.set_family(family);
    }

    /// Says how much git was told to say: with 0 redirects are followed without a word, above 1 each request that
    /// carries something is told.
    pub fn set_verbosity(&self, verbosity: i64) {
        let mut session = self.session.borrow_mut();
        session.quiet = verbosity == 0;
        session.verbose = verbosity > 1;
    }
}

/// The headers of an answer, a line each.
pub struct Headers {
    answer: Rc<RefCell<Answer>>,
    text: Option<io::Cursor<Vec<u8>>>,
}

/// The decoded body of an answer.
pub struct Body {
    answer: Rc<RefCell<Answer>>,
    buffer: Vec<u8>,
    filled: std::ops::Range<usize>,
}

/// The body of a request, sent when it is dropped or as it is written.
pub struct PostBody {
    answer: Rc<RefCell<Answer>>,
}

impl Http for Client {
    type Headers = Headers;
    type ResponseBody = Body;
    type PostBody = PostBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> GixResult<GetResponse<Headers, Body>> {
        let response = self.request(url, base_url, headers, None)?;
        Ok(response.into())
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        body: PostBodyDataKind,
    ) -> GixResult<PostResponse<Headers, Body, PostBody>> {
        self.request(url, base_url, headers, Some(body))
    }

    /// Everything is set when the client is made, from git's configuration; gitoxide's own options have no place here.
    fn configure(&mut self, _config: &dyn std::any::Any) -> GixResult {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.session.borrow().redirected_base.clone()
    }
}

impl Client {
    fn request(
        &self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        body: Option<PostBodyDataKind>,
    ) -> GixResult<PostResponse<Headers, Body, PostBody>> {
        let url = Url::parse(url).map_err(gix::error::Error::from_error)?;
        let lines = headers
            .into_iter()
            .map(|line| Line::from(line.as_ref().to_owned()))
            .collect();
        let held = (body == Some(PostBodyDataKind::BoundedAndFitsIntoMemory)).then(Vec::new);
        let mut session = self.session.borrow_mut();
        let request = session.request(url, base_url, lines, held);
        let stage = if body == Some(PostBodyDataKind::Unbounded) {
            Stage::upload(&mut session, request)
        } else {
            Stage::Unsent(Box::new(request))
        };
        drop(session);
        let answer = Rc::new(RefCell::new(Answer::new(self.session.clone(), stage)));
        Ok(PostResponse {
            post_body: PostBody { answer: answer.clone() },
            headers: Headers {
                answer: answer.clone(),
                text: None,
            },
            body: Body {
                answer,
                buffer: Vec::new(),
                filled: 0..0,
            },
        })
    }
}

impl Headers {
    fn text(&mut self) -> io::Result<&mut io::Cursor<Vec<u8>>> {
        if self.text.is_none() {
            let lines = self.answer.borrow_mut().headers()?;
            self.text = Some(io::Cursor::new(lines));
        }
        self.text.as_mut().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Read for Headers {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.text()?.read(out)
    }
}

impl BufRead for Headers {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.text()?.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Some(text) = &mut self.text {
            text.consume(amount);
        }
    }
}

impl Read for Body {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(out.len());
        for (to, from) in out.iter_mut().zip(available) {
            *to = *from;
        }
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.filled.is_empty() {
            self.buffer.resize(BODY, 0);
            let count = self.answer.borrow_mut().read(&mut self.buffer)?;
            self.filled = 0..count;
        }
        Ok(self.buffer.get(self.filled.clone()).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.filled.start = self.filled.end.min(self.filled.start + amount);
    }
}

impl Write for PostBody {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.answer.borrow_mut().send(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
