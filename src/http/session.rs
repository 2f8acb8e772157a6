//! A session with one server: the lines of a request, redirects, retries, cookies, and the connection that is kept.
//!
//! It must not know gitoxide's trait, nor git's protocols beyond the one path that is never asked for twice.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use url::Url;

use super::answer_head::AnswerHead;
use super::connector::Connector;
use super::cookies::Jar;
use super::error::Error;
use super::exchange::Exchange;
use super::head::{Head, Length, Target};
use super::lines::Line;
use super::request::Request;
use super::retry::{self, Retry};
use super::settings::Settings;
use super::stream::Stream;
use super::wire::Watch;
use super::{lines, proxy, redirect};
use crate::bridge::outcome::{Answerer, Outcome, Purpose};
use crate::origin::Origin;
use crate::redact;
use crate::report::Report;

/// The most that is read of an answer that is of no use, so that its connection can be used again.
const USELESS: usize = 64 * 1024;

/// An answer whose body is still to be read.
pub(super) struct Answered {
    pub(super) origin: Origin,
    pub(super) by: Answerer,
    pub(super) exchange: Exchange,
    pub(super) head: AnswerHead,
}

impl Answered {
    fn outcome(&self) -> Outcome {
        Outcome::Refused {
            by: self.by,
            status: self.head.status,
        }
    }
}

/// Whether another connection may serve `request`, and does no harm.
fn may_help(error: &Error, request: &Request) -> bool {
    error.is_lost_connection() && error.outcome(request.sent).may_repeat(request.purpose())
}

/// A session with one server.
pub(super) struct Session {
    pub(super) connector: Connector,
    /// The repository's address after the redirects of the last request.
    pub(super) redirected_base: Option<String>,
    /// Whether redirects are told: git does not with `--quiet`.
    pub(super) quiet: bool,
    /// Whether what is sent is told, as git does with `--verbose`.
    pub(super) verbose: bool,
    settings: Arc<Settings>,
    report: Report,
    watch: Watch,
    jar: Option<Jar>,
    /// The server that secrets are for: the first one that was asked.
    home: Option<Origin>,
    /// Whether a request has been answered: the repository is where it was looked for last.
    found: bool,
}

impl Session {
    pub(super) fn new(settings: Settings, report: Report, watch: Watch) -> Self {
        let settings = Arc::new(settings);
        Self {
            connector: Connector::new(settings.clone(), watch.clone()),
            redirected_base: None,
            quiet: false,
            verbose: false,
            settings,
            report,
            watch,
            jar: None,
            home: None,
            found: false,
        }
    }

    /// Gives every answer up that is not complete by `deadline`, and does not wait longer to ask again.
    pub(super) fn give_up_at(&mut self, deadline: Instant) {
        self.watch.deadline = Some(deadline);
        self.connector.give_up_at(deadline);
    }

    fn has_time_for(&self, wait: Duration) -> bool {
        self.watch
            .deadline
            .is_none_or(|deadline| Instant::now() + wait < deadline)
    }

    /// Returns a request of `url`, which begins with `base`.
    pub(super) fn request(&mut self, url: Url, base: &str, mut lines: Vec<Line>, body: Option<Vec<u8>>) -> Request {
        lines::complete(&mut lines, &self.settings);
        self.redirected_base = None;
        let elsewhere = !self.is_home(&Origin::of(&url));
        if elsewhere {
            lines.retain(|line| !line.is_secret());
        }
        let wants_cookies = self.jar.is_none() && self.settings.agent.is_none();
        if let Some(file) = self.settings.cookie_file.as_ref().filter(|_| wants_cookies) {
            let host = url.host_str().unwrap_or_default();
            self.jar = Some(Jar::open(file, self.settings.save_cookies, host));
        }
        Request {
            tail: url.as_str().strip_prefix(base).unwrap_or(url.as_str()).to_owned(),
            url,
            lines,
            body,
            retry: Retry::new(self.settings.retries),
            foreign: None,
            answerer: if elsewhere {
                Answerer::Elsewhere
            } else {
                Answerer::Server
            },
            sent: false,
        }
    }

    /// Whether requests go to an agent instead of the server.
    pub(super) fn speaks_to_agent(&self) -> bool {
        self.settings.agent.is_some()
    }

    fn is_home(&mut self, origin: &Origin) -> bool {
        origin.may_have_secrets_of(self.home.get_or_insert_with(|| origin.clone()))
    }

    /// Sends the head of a request whose body follows.
    pub(super) fn start_upload(&mut self, request: &mut Request, length: Length) -> Result<Exchange, Error> {
        if let Length::Known(size) = length {
            self.tell_post(request, &format!("{size} bytes"));
        } else {
            self.tell_post(request, "chunked");
        }
        let connection = self.connector.take(&Origin::of(&request.url), request.purpose())?;
        request.sent = true;
        self.start(connection.stream, request, length)
    }

    /// Sends a request that is held in memory, follows redirects, and asks again where that may help.
    pub(super) fn perform(&mut self, request: &mut Request) -> Result<Answered, Error> {
        if let Some(body) = &request.body {
            self.tell_post(request, &format!("{} bytes", body.len()));
        }
        loop {
            match self.follow(request) {
                Ok(answered) if answered.outcome().may_repeat(request.purpose()) => {
                    let status = answered.head.status;
                    let asked = retry::asked_wait(answered.head.text("retry-after"));
                    let Some(wait) = request.retry.next(asked).filter(|wait| self.has_time_for(*wait)) else {
                        return Ok(answered);
                    };
                    self.keep(answered.origin, answered.exchange);
                    self.pause(Some(status), wait);
                }
                Err(error) if may_help(&error, request) => {
                    let Some(wait) = request.retry.next(None).filter(|wait| self.has_time_for(*wait)) else {
                        return Err(error);
                    };
                    self.pause(None, wait);
                }
                done => return done,
            }
        }
    }

    /// Sends a request again whose answer was cut before anybody had seen any of it.
    pub(super) fn repeat(&mut self, request: &mut Request, error: Error) -> Result<Answered, Error> {
        let Some(wait) = request
            .retry
            .next(None)
            .filter(|wait| may_help(&error, request) && self.has_time_for(*wait))
        else {
            return Err(error);
        };
        self.pause(None, wait);
        self.perform(request)
    }

    /// Tells of a request with a body, in git's words (`post_rpc` in its `remote-curl.c`).
    fn tell_post(&self, request: &Request, size: &str) {
        if self.verbose && request.foreign.is_none() {
            let service = request.tail.rsplit('/').next().unwrap_or_default();
            self.report.say(&format!("POST {service} ({size})"));
        }
    }

    fn pause(&self, status: Option<u16>, wait: Duration) {
        self.report.say(&retry::words(status, wait));
        thread::sleep(wait);
    }

    fn follow(&mut self, request: &mut Request) -> Result<Answered, Error> {
        let mut hops = 0;
        loop {
            let origin = Origin::of(&request.url);
            let (exchange, head) = self.send(&origin, request)?;
            let wanted = request.foreign.is_none_or(|foreign| foreign.follow);
            let Some(location) = redirect::location(&head).filter(|_| wanted) else {
                self.found |= head.status < 300;
                if let Some(base) = self.redirected_base.as_ref().filter(|_| hops > 0 && !self.quiet) {
                    self.report.warning(&format!("redirecting to {base}/"));
                }
                return Ok(Answered {
                    origin,
                    by: request.answerer,
                    exchange,
                    head,
                });
            };
            hops += 1;
            // A GET looks for the repository; where none came before it, any request does.
            let is_search = request.is_get() || !self.found;
            redirect::check(hops, is_search, self.settings.follow_redirects, &location)?;
            let url = redirect::target(&request.url, &location, self.settings.redirect_protocols)?;
            if let Some(foreign) = request.foreign {
                redirect::check_method(foreign.method, &url)?;
            } else if is_search {
                self.redirected_base = Some(redirect::base(&url, &request.tail)?);
            }
            self.keep(origin.clone(), exchange);
            if !Origin::of(&url).may_have_secrets_of(&origin) {
                // A secret goes to the host that it was kept for, and to no other.
                request.lines.retain(|line| !line.is_secret());
                request.answerer = Answerer::Elsewhere;
            }
            request.url = url;
            request.sent = false;
        }
    }

    /// Keeps the connection of an answer that is of no use, if it can be used again.
    fn keep(&mut self, origin: Origin, mut exchange: Exchange) {
        exchange.drain(USELESS);
        if let Some(stream) = exchange.into_stream() {
            self.connector.keep(origin, stream);
        }
    }

    /// Sends a request once; but a connection that was kept alive may have ended at any moment, and is replaced if it
    /// has said nothing, and a proxy that relays requests may want a password first.
    fn send(&mut self, origin: &Origin, request: &mut Request) -> Result<(Exchange, AnswerHead), Error> {
        loop {
            let connection = self.connector.take(origin, request.purpose())?;
            let used = connection.used;
            request.sent = true;
            match self.send_once(connection.stream, request) {
                Err(Error::NoAnswer) if used && request.purpose() == Purpose::Read => {}
                Ok((exchange, head)) if head.status == 407 && self.relays(request) => {
                    // The proxy has not passed it on.
                    request.sent = false;
                    self.keep(origin.clone(), exchange);
                    self.connector.proxy_challenged(&head)?;
                }
                Ok((exchange, head)) => {
                    if self.relays(request) {
                        self.connector.proxy_accepted();
                    }
                    if let Some(jar) = &mut self.jar {
                        jar.learn(&request.url, &head);
                    }
                    return Ok((exchange, head));
                }
                failed => return failed,
            }
        }
    }

    fn send_once(&mut self, stream: Stream, request: &Request) -> Result<(Exchange, AnswerHead), Error> {
        let body = request.body.as_ref();
        let length = body.map_or(Length::None, |body| Length::Known(body.len() as u64));
        let mut exchange = self.start(stream, request, length)?;
        if let Some(body) = body {
            match exchange.write(body) {
                Err(Error::AnsweredEarly) => exchange.give_up_body(),
                sent => sent.and_then(|()| exchange.finish())?,
            }
        }
        let head = exchange.read_head()?;
        Ok((exchange, head))
    }

    fn start(&self, stream: Stream, request: &Request, length: Length) -> Result<Exchange, Error> {
        let relayed = self.relays(request);
        let mut lines = request.lines.clone();
        lines.extend(self.jar.as_ref().and_then(|jar| jar.line(&request.url)).map(Line::from));
        if relayed {
            lines.extend(self.connector.proxy_header().map(Line::from));
            lines.push("Proxy-Connection: Keep-Alive".to_owned().into());
        }
        let head = Head {
            url: request.url.as_str(),
            method: request.foreign.map(|foreign| foreign.method),
            length,
            lines: &lines,
            target: if relayed || self.settings.agent.is_some() {
                Target::Whole
            } else {
                Target::Path
            },
        };
        Exchange::start(stream, &head, &self.watch)
    }

    fn relays(&self, request: &Request) -> bool {
        self.settings.agent.is_none() && proxy::relays(self.settings.proxy.as_ref(), &request.url)
    }
}

/// Takes the answer to an upload. What has been uploaded is gone, so a redirect cannot be followed.
pub(super) fn uploaded(request: &Request, mut exchange: Exchange) -> Result<Answered, Error> {
    exchange.finish()?;
    let head = exchange.read_head()?;
    match redirect::location(&head) {
        Some(to) => Err(Error::Redirect {
            to: redact::foreign(&to),
            reason: "the request was too large to be kept and sent again: raise http.postBuffer",
        }),
        None => Ok(Answered {
            origin: Origin::of(&request.url),
            by: request.answerer,
            exchange,
            head,
        }),
    }
}
