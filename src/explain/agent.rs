//! What an agent's own answers mean, and what it means that none can be reached.

use std::io;

#[cfg(unix)]
use rustix::io::Errno;

use super::{Asked, Who};
use crate::bridge::refusal::Refusal;
use crate::credential::caller::Caller;
use crate::http::agent::{Said, failure};
use crate::report::{Failure, Kind};

impl Asked<'_> {
    /// Explains what the server refused to the agent: the login is the agent's, and so are the commands that help.
    pub(super) fn refused_to_agent(&self, account: &str, refusal: &Refusal) -> Failure {
        let caller = Caller::parse(account);
        let asked = Asked {
            who: caller.as_ref().map(Who::from),
            ..*self
        };
        asked
            .refused(refusal)
            .because("the agent sent the request with its own account; run the commands where the agent runs")
    }
}

/// What the agent said itself: it speaks as we do, and for a person where it runs.
pub(super) fn said(refusal: &Refusal) -> Failure {
    let kind = if refusal.status == Said::Unsent.status() {
        Kind::Network
    } else {
        Kind::Refused
    };
    failure(kind, &refusal.text).because("reported by the agent that sends the requests")
}

/// Says what it means that the agent at `path` cannot be reached.
pub fn unreachable(path: &str, error: &io::Error) -> Failure {
    let failure = Failure::new(Kind::Network, format!("cannot connect to the agent at '{path}'")).caused_by(error);
    let start =
        format!("start it with 'git-remote-bbcloud agent --socket \"{path}\" --allow <workspace>/<repository>'");
    match error.raw_os_error() {
        #[cfg(unix)]
        Some(code) if code == Errno::PERM.raw_os_error() => failure
            .because("this sandbox forbids Unix sockets")
            .hint("allow Unix sockets in the sandbox's settings"),
        #[cfg(unix)]
        Some(code) if code == Errno::ACCESS.raw_os_error() => failure
            .because("the socket or its directory belongs to another user")
            .hint(format!("check the owner: 'ls -ln \"{path}\"'")),
        _ if error.kind() == io::ErrorKind::WouldBlock => failure
            .because("the agent was stopped, or serves too many others")
            .hint("check it where it runs: 'git-remote-bbcloud agent --status'"),
        _ if error.kind() == io::ErrorKind::NotFound => failure
            .hint(start)
            .hint("in a container, check that the socket is mounted"),
        _ => failure.hint(start),
    }
}
