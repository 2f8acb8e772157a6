//! A client's requests, one after the other: each is read, held against the rules, and passed on or refused.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::asking::KnownLogins;
use super::body::Body;
use super::client::{Client, Next, Wait};
use super::log::Line;
use super::passing::Job;
use super::policy::Policy;
use super::pool::Pool;
use super::refusals::Refusals;
use super::request::Request;
use super::route::{Fault, Method, Route};
use super::surroundings::Surroundings;
use crate::bridge::service::Service;
use crate::http::agent::{Said, text};
use crate::report::{Failure, Kind};

/// Everything that requests are served with.
pub(super) struct Serving {
    pub(super) policy: Policy,
    pub(super) surroundings: Surroundings,
    pub(super) pool: Pool,
    pub(super) logins: KnownLogins,
    pub(super) refusals: Refusals,
}

/// Why a request has not been passed on, or its answer not to its end.
pub(super) enum Ended {
    /// It is told so.
    Said(Said, u16, String),
    /// The server has refused this login a moment ago; it is named.
    RefusedBefore(Option<String>),
    /// Nothing can be told any more.
    Cut,
}

impl From<io::Error> for Ended {
    fn from(_error: io::Error) -> Self {
        Self::Cut
    }
}

/// What the rules forbid.
impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Said(Said::Refused, Said::Refused.status(), text(&failure))
    }
}

/// The agent itself refuses, for this `reason`.
pub(super) fn refused(status: u16, reason: impl Into<String>) -> Ended {
    Ended::Said(Said::Refused, status, reason.into())
}

/// No byte has reached the server.
pub(super) fn unsent(failure: &Failure) -> Ended {
    Ended::Said(Said::Unsent, Said::Unsent.status(), text(failure))
}

impl Serving {
    /// Serves a client until it sends no request for a while, and returns it then; nothing once one of the two has ended
    /// the connection. `begins` is told of each request.
    pub(super) fn serve(&self, stream: UnixStream, begins: impl Fn(&Arc<Wait>, bool)) -> Option<UnixStream> {
        let mut client = Client::new(stream).ok()?;
        loop {
            let head = match client.next_head().ok()? {
                Next::Head(head) => head,
                Next::Idle => return Some(client.into_stream()),
                Next::Ended => return None,
            };
            let wait = client.answers.wait.clone();
            begins(&wait, true);
            let goes_on = self.answer(&mut client, &head);
            begins(&wait, false);
            if !goes_on {
                client.part();
                return None;
            }
        }
    }

    /// Answers one request. Returns whether another one may follow.
    fn answer(&self, client: &mut Client, head: &[u8]) -> bool {
        let mut line = Line::default();
        let done = self.pass(client, head, &mut line);
        let goes_on = match &done {
            Ok(goes_on) => *goes_on,
            Err(Ended::Said(said, status, text)) if !client.answers.has_begun() => {
                line.decision = said.word();
                line.status = Some(*status);
                client.answers.say(*status, *said, text).ok();
                false
            }
            Err(Ended::RefusedBefore(account)) => {
                line.decision = "refused before";
                line.status = Some(401);
                client.answers.refuse_again(account.as_deref()).ok();
                false
            }
            Err(_) => {
                if line.decision != "given up" {
                    line.decision = "cut";
                }
                false
            }
        };
        line.bytes = client.answers.bytes;
        self.surroundings.report.say(&line.to_string());
        goes_on
    }

    fn pass(&self, client: &mut Client, head: &[u8], line: &mut Line) -> Result<bool, Ended> {
        let request = Request::parse(head).map_err(|reason| refused(400, format!("malformed request: {reason}")))?;
        let route = self.route(&request)?;
        line.route(&route);
        if route.service == Service::ReceivePack {
            self.policy.check_write(&route.address)?;
        } else {
            self.policy.check_read(&route.address)?;
        }
        if request.gzip && route.service == Service::ReceivePack {
            return Err(refused(403, "compressed pushes are not served"));
        }
        let Client { requests, answers } = client;
        if request.expects && request.method == Method::Post {
            answers.invite()?;
        }
        let mut body = Body::new(requests, request.framing);
        let closes = request.closes;
        let job = Job {
            route: &route,
            request: &request,
            answers,
            line,
        };
        if route.method == Method::Post && route.service == Service::ReceivePack {
            self.push(job, &mut body)?;
        } else {
            self.read(job, &mut body)?;
        }
        Ok(body.is_complete() && !closes)
    }

    fn route(&self, request: &Request) -> Result<Route, Ended> {
        let base = &self.surroundings.base;
        let elsewhere = || {
            let failure = Failure::new(
                Kind::Refused,
                format!("this agent serves only repositories at '{}'", base.url()),
            )
            .hint("set the same BBCLOUD_BASE_URL for git and for the agent")
            .hint("or run git without the agent: 'env -u BBCLOUD_AGENT_SOCK git …'");
            Ended::Said(Said::Elsewhere, Said::Elsewhere.status(), text(&failure))
        };
        if request.host != base.host_and_port() {
            return Err(elsewhere());
        }
        Route::parse(request.method, &request.target, base).map_err(|fault| match fault {
            Fault::Elsewhere => elsewhere(),
            Fault::Unknown => refused(403, "only git's requests for a repository are served"),
        })
    }
}

impl Serving {
    /// Drops connections and secrets that are too old, and the secrets of a keychain that is locked.
    pub(super) fn reap(&self) {
        self.pool.reap();
        self.logins.reap();
        if let Some((index, keychain)) = self.surroundings.keychain()
            && self.logins.forget_locked(&index, &keychain)
        {
            self.pool.clear();
        }
    }
}
