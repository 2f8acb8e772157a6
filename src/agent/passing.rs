//! A request that the rules allow, on its way to the server and back.
//!
//! If it may have reached the server and no answer came, the connection is closed without one: what the client knows of
//! its request stays true.

use std::io::{BufReader, Read};

use url::Url;

use super::asking::Asking;
use super::client::{Answers, BUFFER, has_body};
use super::commands;
use super::fields;
use super::log::Line;
use super::pool::{Key, Lane};
use super::request::{Framing, Request};
use super::route::{Method, Route};
use super::serving::{Ended, Serving, refused, unsent};
use crate::bridge::outcome::{Outcome, Purpose, Unfinished};
use crate::bridge::packet;
use crate::bridge::service::Service;
use crate::explain::network;
use crate::http::agent::text;
use crate::http::upstream::{Ask, Progress, Reply};
use crate::report::{Failure, Kind};

/// The longest request that is held, and so may be sent again where a connection had ended.
const HELD: u64 = 64 * 1024;

/// A request on its way.
pub(super) struct Job<'a> {
    pub(super) route: &'a Route,
    pub(super) request: &'a Request,
    pub(super) answers: &'a mut Answers,
    pub(super) line: &'a mut Line,
}

impl Serving {
    /// Passes a push on, once its whole list of refs is known to be allowed.
    pub(super) fn push(&self, mut job: Job<'_>, body: &mut impl Read) -> Result<(), Ended> {
        let mut body = BufReader::with_capacity(BUFFER, body);
        let mut begun = Vec::new();
        let commands = commands::read(&mut body, &mut begun).map_err(|fault| match fault {
            commands::Fault::Ended(packet::Error::Read(_) | packet::Error::Truncated) => Ended::Cut,
            commands::Fault::Signed => Failure::new(Kind::Refused, "the agent does not serve signed pushes")
                .hint("push without '--signed': 'git -c push.gpgSign=false push'")
                .into(),
            fault => refused(403, fault.to_string()),
        })?;
        job.line.commands(&commands);
        self.policy.check_push(&job.route.address, &commands)?;
        job.line.decision = "allowed";
        let mut asking = self.asking(&job)?;
        let mut lane = self.lane(&mut asking, &mut job)?;
        self.upload(&mut lane, &mut asking, job, &mut begun.chain(body))?;
        self.pool.give(lane);
        Ok(())
    }

    /// Passes a request on that changes nothing.
    pub(super) fn read(&self, mut job: Job<'_>, body: &mut impl Read) -> Result<(), Ended> {
        job.line.decision = "allowed";
        let mut begun = Vec::new();
        body.take(HELD).read_to_end(&mut begun)?;
        let is_held = match job.request.framing {
            Framing::None => true,
            Framing::Length(length) => length <= HELD,
            Framing::Chunked => (begun.len() as u64) < HELD,
        };
        let mut asking = self.asking(&job)?;
        if is_held {
            let body = (job.route.method == Method::Post).then_some(begun);
            return self.held(asking, job, body.as_deref());
        }
        let mut lane = self.lane(&mut asking, &mut job)?;
        self.upload(&mut lane, &mut asking, job, &mut begun.chain(body))?;
        self.pool.give(lane);
        Ok(())
    }

    /// Passes a request on whose body is here, with one login after the other.
    fn held(&self, mut asking: Asking, mut job: Job<'_>, body: Option<&[u8]>) -> Result<(), Ended> {
        loop {
            let mut lane = self.lane(&mut asking, &mut job)?;
            let ask = self.ask(&mut asking, &job)?;
            let mut reply = lane
                .upstream
                .ask(ask, body.map(<[u8]>::to_vec))
                .map_err(|error| self.failed(error, &mut job))?;
            if reply.status() == 401 {
                let refusal = reply.refusal();
                let again = asking.refused(&refusal, &self.logins);
                if again.map_err(|failure| refused(403, text(&failure)))? {
                    continue;
                }
                self.refusals.note(&asking, &job.route.address);
            }
            self.reply(reply, &mut lane, &mut asking, &mut job)?;
            self.pool.give(lane);
            return Ok(());
        }
    }

    /// Passes a request on whose body follows. It is ended at the server only if the client has ended it.
    fn upload(
        &self,
        lane: &mut Lane,
        asking: &mut Asking,
        mut job: Job<'_>,
        body: &mut impl Read,
    ) -> Result<(), Ended> {
        let ask = self.ask(asking, &job)?;
        let length = match job.request.framing {
            Framing::Length(length) => Some(length),
            Framing::None | Framing::Chunked => None,
        };
        let upload = lane.upstream.upload(ask, length);
        let mut upload = upload.map_err(|error| self.failed(error, &mut job))?;
        let mut buffer = vec![0; BUFFER];
        let mut progress = Progress::More;
        while progress == Progress::More {
            let count = body.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            let bytes = buffer.get(..count).unwrap_or_default();
            progress = upload.write(bytes).map_err(|error| self.failed(error, &mut job))?;
        }
        let reply = upload.finish(progress).map_err(|error| self.failed(error, &mut job))?;
        self.reply(reply, lane, asking, &mut job)
    }

    /// Passes an answer on as it comes. One that breaks is cut before its end.
    fn reply(&self, mut reply: Reply, lane: &mut Lane, asking: &mut Asking, job: &mut Job<'_>) -> Result<(), Ended> {
        let who = asking.who();
        job.line.who(who.as_ref());
        let status = reply.status();
        job.line.status = Some(status);
        match status {
            401 => asking.forget(&self.logins),
            0..=399 => self.logins.accepted(asking),
            _ => {}
        }
        let account = who.map(|who| who.line());
        job.answers
            .begin(status, &fields::to_client(&reply, account.as_deref()))?;
        if has_body(status) {
            job.answers.body(|out| reply.read(out))?;
        }
        lane.upstream.keep(reply);
        Ok(())
    }

    fn asking(&self, job: &Job<'_>) -> Result<Asking, Ended> {
        let address = self.surroundings.address(job.route, job.request.user.as_deref());
        let address = address.map_err(|failure| refused(403, text(&failure)))?;
        let logins = || self.surroundings.logins(&address);
        self.logins
            .asking(address.bbcloud(), logins)
            .map_err(|failure| unsent(&failure))
    }

    /// Returns a connection for the client, unless the server has just refused that login.
    fn lane(&self, asking: &mut Asking, job: &mut Job<'_>) -> Result<Lane, Ended> {
        let authorization = asking.authorization().map_err(|failure| unsent(&failure))?;
        drop(authorization);
        job.line.who(asking.who().as_ref());
        if self.refusals.has(asking, &job.route.address) {
            return Err(Ended::RefusedBefore(asking.who().map(|caller| caller.line())));
        }
        let url = self.url(job.route)?;
        let settings = self.surroundings.settings(&url).map_err(|failure| unsent(&failure))?;
        let key = Key {
            origin: self.surroundings.base.host_and_port(),
            settings,
            account: asking.key(),
        };
        let is_push = job.route.method == Method::Post && job.route.service == Service::ReceivePack;
        let lane = self.pool.take(&key, is_push);
        job.answers.wait.give_up_with(lane.upstream.abandon());
        Ok(lane)
    }

    fn ask(&self, asking: &mut Asking, job: &Job<'_>) -> Result<Ask, Ended> {
        let authorization = asking.authorization().map_err(|failure| unsent(&failure))?;
        let (method, purpose) = match (job.route.method, job.route.service) {
            (Method::Get, _) => ("GET", Purpose::Read),
            (Method::Post, Service::ReceivePack) => ("POST", Purpose::Change),
            (Method::Post, _) => ("POST", Purpose::Read),
        };
        Ok(Ask {
            url: self.url(job.route)?,
            method,
            purpose,
            lines: fields::to_server(job.route, job.request, authorization),
        })
    }

    fn url(&self, route: &Route) -> Result<Url, Ended> {
        let target = route.target(&self.surroundings.base);
        Url::parse(&target).map_err(|error| refused(403, error.to_string()))
    }

    /// What became of a request that got no answer.
    fn failed(&self, unfinished: Unfinished, job: &mut Job<'_>) -> Ended {
        if unfinished.outcome == Outcome::Unsent {
            return unsent(&network::explain(&self.surroundings.base, unfinished));
        }
        job.line.decision = "given up";
        Ended::Cut
    }
}
