//! What a failure means for the user: the cause, in one line, and the command that helps. All of this prose is here.
//!
//! `refused` has the words for each status of git's endpoint, `git_words` those of git itself, `rest` those of the REST
//! API, `network` those for a request without an answer, `words` what the server itself said, `agent` what an agent did.
//! Facts come typed from [`bridge`](crate::bridge), [`http`](crate::http) and [`credential`](crate::credential). Does not
//! depend on who asks for an explanation.

pub mod agent;
mod git_words;
pub mod network;
mod refused;
pub mod rest;
mod words;

pub use self::git_words::git_words;
use crate::address::{Address, BaseUrl};
use crate::bridge::Error;
use crate::bridge::outcome::Answerer;
use crate::bridge::service::Service;
use crate::credential::caller::Caller;
use crate::credential::expiry::{self, Expired};
use crate::credential::keeping;
use crate::credential::login::{Login, Source};
use crate::report::{Failure, Kind};
use crate::secret::kind::Kind as SecretKind;

/// Where an API token for Bitbucket is made.
const NEW_TOKEN: &str = "https://id.atlassian.com/manage-profile/security/api-tokens";

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
    pub who: Option<Who<'a>>,
}

/// Who asked, without the secret.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// The user name that the server was sent.
    pub username: &'a str,
    /// The kind of the secret.
    pub kind: SecretKind,
    /// Where both came from.
    pub source: Source,
    /// What the secret is kept for, if it is kept, as `--for` takes it.
    pub target: Option<&'a str>,
    /// When the secret last worked, in seconds since 1970, if that is known.
    pub worked: Option<u64>,
    /// That it has expired, if that is known.
    pub expired: Option<Expired>,
}

impl<'a> From<&'a Login> for Who<'a> {
    fn from(login: &'a Login) -> Self {
        Self {
            username: &login.username,
            kind: login.kind(),
            source: login.source,
            target: login.target.as_deref(),
            worked: login.worked,
            expired: login.expires.passed(expiry::day_of(keeping::now())),
        }
    }
}

impl<'a> From<&'a Caller> for Who<'a> {
    fn from(caller: &'a Caller) -> Self {
        Self {
            username: &caller.username,
            kind: caller.kind,
            source: caller.source,
            target: caller.target.as_deref(),
            worked: caller.worked,
            expired: caller.expires.passed(expiry::day_of(keeping::now())),
        }
    }
}

/// Says what `error` means.
pub fn explain(asked: &Asked<'_>, error: Error) -> Failure {
    match error {
        Error::Refused(refusal) if refusal.by == Answerer::Agent => agent::said(&refusal),
        Error::Refused(refusal) => match refusal.account.as_deref() {
            Some(account) => asked.refused_to_agent(account, &refusal),
            None => asked.refused(&refusal),
        },
        Error::Http(unfinished) => network::explain(asked.base, unfinished),
        Error::ContentType { found, expected } => asked.content_type(&found, &expected),
        Error::Protocol(message) => Failure::new(Kind::Protocol, message).hint(NOTHING_CHANGED),
        Error::Reported(text) => Failure::new(
            Kind::Refused,
            format!("'{}' reported an error for '{}'", asked.base.host(), asked.address),
        )
        .remote(text),
        Error::Told => Failure::new(Kind::Hangup, "git was told what the server reports"),
        Error::Changed => Failure::new(
            Kind::Protocol,
            format!(
                "the server's capabilities changed since the last fetch of '{}'",
                asked.address
            ),
        )
        .hint("run the command again; the cached capabilities were discarded"),
        Error::Unknown(source) => asked.unknown(&explain(asked, *source)),
        Error::AfterAll(source) => asked.after_all(explain(asked, *source)),
        Error::Credentials(failure) => failure,
        Error::FromGit(error) => Failure::new(Kind::Local, "cannot read from git").caused_by(&error),
        Error::ToGit(error) => Failure::git_has_gone(&error),
        Error::FetchPack(error) => Failure::new(Kind::Local, "git fetch-pack failed").caused_by(&error),
    }
}

/// After an answer that is not git's protocol.
const NOTHING_CHANGED: &str = "nothing was changed; it is safe to try again";

impl Asked<'_> {
    fn content_type(&self, found: &str, expected: &str) -> Failure {
        let failure = Failure::new(
            Kind::Protocol,
            format!("unexpected content type '{found}' (expected '{expected}')"),
        );
        if found.eq_ignore_ascii_case("text/html") {
            return failure
                .because("a proxy or a sign-in page of this network may have answered instead of the server")
                .hint(self.see());
        }
        failure.hint(NOTHING_CHANGED)
    }

    /// The command that shows what the server returns.
    fn see(&self) -> String {
        format!(
            "see what the server returns: 'curl -sI {}'",
            self.address.https_url(self.base)
        )
    }

    /// Git has the server's whole report of a push, and shows it.
    fn after_all(&self, cause: Failure) -> Failure {
        if self.service != Service::ReceivePack {
            return cause;
        }
        Failure::new(
            cause.kind(),
            "the push was sent and the server reported on it, but the end of its response was lost",
        )
        .because(cause.message())
        .hint(format!(
            "check the result with 'git ls-remote {}'",
            self.address.bbcloud()
        ))
    }

    fn unknown(&self, cause: &Failure) -> Failure {
        let failure = Failure::new(
            cause.kind(),
            "the push was sent but the response was lost; it may or may not have succeeded",
        )
        .because(cause.message())
        .remote(cause.words().unwrap_or_default());
        let failure = cause.causes().iter().cloned().fold(failure, Failure::because);
        failure.hint(format!(
            "check with 'git ls-remote {}' before pushing again",
            self.address.bbcloud()
        ))
    }
}

/// The objects here are of the format `ours`, and those of the repository at `address` of `theirs`.
pub fn formats(address: &Address, ours: &str, theirs: &str) -> Failure {
    let message =
        format!("the objects of '{address}' are of the format {theirs}, and those of this repository of {ours}");
    Failure::new(Kind::Refused, message)
        .because("git cannot fetch or push between the two")
        .hint(format!(
            "make a repository for it: 'git init --object-format={theirs} <directory>'"
        ))
}
