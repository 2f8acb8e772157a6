//! What a failure means for the user: the cause, in one line, and the command that helps.
//!
//! `refused` has the words for each status, `network` those for what is no answer.

use super::network;
use crate::address::{Address, BaseUrl};
use crate::bridge::Error;
use crate::bridge::service::Service;
use crate::credential::login::Login;
use crate::report::{Failure, Kind};

/// What was asked, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The repository.
    pub address: &'a Address,
    /// Where it is.
    pub base: &'a BaseUrl,
    /// What for.
    pub service: Service,
    /// Who asked; nobody if it was anonymous.
    pub login: Option<&'a Login>,
}

/// Says what `error` means.
pub fn explain(asked: &Asked<'_>, error: Error) -> Failure {
    match error {
        Error::Refused(refusal) => asked.refused(&refusal),
        Error::Http(error) => network::explain(asked.base, error),
        Error::Protocol(message) => asked.protocol(message),
        Error::Reported(text) => Failure::new(
            Kind::Refused,
            format!("'{}' cannot serve '{}'", asked.base.host(), asked.address),
        )
        .remote(text),
        Error::Changed => Failure::new(
            Kind::Protocol,
            format!(
                "'{}' can no longer do what it could when '{}' was fetched last",
                asked.base.host(),
                asked.address
            ),
        )
        .hint("run the command again: what was kept of the server's abilities is forgotten"),
        Error::Unknown(source) => asked.unknown(&explain(asked, *source)),
        Error::AfterAll(source) => asked.after_all(explain(asked, *source)),
        Error::Credentials(failure) => failure,
        Error::FromGit(error) => Failure::new(Kind::Local, "cannot read what git sends").caused_by(&error),
        Error::ToGit(error) => Failure::git_has_gone(&error),
        Error::FetchPack(error) => Failure::new(Kind::Local, "git fetch-pack failed").caused_by(&error),
    }
}

impl Asked<'_> {
    fn protocol(&self, message: String) -> Failure {
        let failure = Failure::new(Kind::Protocol, message);
        let html = failure.message().contains("'text/html'");
        let url = self.address.https_url(self.base);
        if html {
            return failure
                .because("a sign-in page of the network or a proxy may stand between here and the server")
                .hint(format!("look at what answers: 'curl -sI {url}'"));
        }
        failure.hint("nothing has changed here; trying again is safe")
    }

    /// Git has the server's whole report of a push, and shows it.
    fn after_all(&self, cause: Failure) -> Failure {
        if self.service != Service::ReceivePack {
            return cause;
        }
        Failure::new(
            cause.kind(),
            "the push was sent and the server has reported on it, but the end of its answer was lost",
        )
        .because(cause.message())
        .hint(format!(
            "see what is there with 'git ls-remote {}'",
            self.address.bbcloud()
        ))
    }

    fn unknown(&self, cause: &Failure) -> Failure {
        let failure = Failure::new(
            cause.kind(),
            "the push was sent, but its answer was lost: it may or may not have taken effect",
        )
        .because(cause.message())
        .remote(cause.words().unwrap_or_default());
        let failure = cause.causes().iter().cloned().fold(failure, Failure::because);
        failure.hint(format!(
            "see what is there with 'git ls-remote {}', then push again if need be",
            self.address.bbcloud()
        ))
    }
}
