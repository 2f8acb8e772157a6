//! The list of checks, as people and as scripts read it.

use std::fmt::Write as _;

use serde_json::json;

use crate::address::Address;
use crate::report::{self, Failure, one_line};

/// Every check, in the order in which one depends on the other: each one is always in the list.
const NAMES: [&str; 23] = [
    "git",
    "helper",
    "configuration",
    "url-rewrite",
    "protocol-allow",
    "other-programs",
    "ssh-host",
    "helpers",
    "http-settings",
    "proxy",
    "keychain",
    "secret",
    "dns",
    "tcp",
    "tls",
    "http",
    "clock",
    "latency",
    "read",
    "protocol",
    "push",
    "lfs",
    "rate-limit",
];

/// What has come of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    Warn,
    Fail,
    Skip,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

struct Check {
    name: &'static str,
    status: Status,
    detail: String,
    /// What helps, one way a line.
    remedy: Vec<String>,
}

/// The checks so far.
#[derive(Default)]
pub(super) struct Checks {
    done: Vec<Check>,
    host: Option<String>,
    repository: Option<String>,
}

impl Checks {
    /// Says what they are about.
    pub(super) fn about(&mut self, host: &str, address: Option<&Address>) {
        self.host = Some(host.to_owned());
        self.repository = address.map(ToString::to_string);
    }

    pub(super) fn ok(&mut self, name: &'static str, detail: impl Into<String>) {
        self.add(name, Status::Ok, &detail.into(), &[]);
    }

    pub(super) fn warn(&mut self, name: &'static str, detail: impl Into<String>, remedy: &str) {
        self.add(name, Status::Warn, &detail.into(), &[remedy.to_owned()]);
    }

    pub(super) fn fail(&mut self, name: &'static str, detail: impl Into<String>, remedy: &str) {
        self.add(name, Status::Fail, &detail.into(), &[remedy.to_owned()]);
    }

    pub(super) fn skip(&mut self, name: &'static str, reason: impl Into<String>) {
        self.add(name, Status::Skip, &reason.into(), &[]);
    }

    /// Adds what has failed in the words that git's user would get.
    pub(super) fn failure(&mut self, name: &'static str, failure: &Failure) {
        self.add(name, Status::Fail, &words(failure), failure.hints());
    }

    /// As [`Checks::failure`], where it need not be one.
    pub(super) fn warning(&mut self, name: &'static str, failure: &Failure) {
        self.add(name, Status::Warn, &words(failure), failure.hints());
    }

    fn add(&mut self, name: &'static str, status: Status, detail: &str, remedy: &[String]) {
        let remedy = remedy.iter().filter(|line| !line.is_empty());
        self.done.push(Check {
            name,
            status,
            detail: one_line(detail),
            remedy: remedy.map(|line| one_line(line)).collect(),
        });
    }

    /// Puts them in order; what was not reached is skipped for the sake of the last one that failed.
    pub(super) fn complete(&mut self) {
        let failed = self.done.iter().rfind(|check| check.status == Status::Fail);
        let reason = match failed {
            Some(check) => format!("not looked at, because '{}' fails", check.name),
            None if self.repository.is_none() => "no repository is named: '--for <workspace>/<repository>'".to_owned(),
            None => "not looked at".to_owned(),
        };
        for name in NAMES {
            if !self.done.iter().any(|check| check.name == name) {
                self.skip(name, &*reason);
            }
        }
        let place = |check: &Check| NAMES.iter().position(|name| *name == check.name);
        self.done.sort_by_key(place);
    }

    /// Whether none has failed.
    pub(super) fn are_good(&self) -> bool {
        self.done.iter().all(|check| check.status != Status::Fail)
    }

    pub(super) fn to_json(&self) -> String {
        let checks: Vec<_> = self
            .done
            .iter()
            .map(|check| {
                let remedy = (!check.remedy.is_empty()).then(|| check.remedy.join("\n"));
                json!({
                    "name": check.name,
                    "status": check.status.word(),
                    "detail": check.detail,
                    "remedy": remedy,
                })
            })
            .collect();
        let whole = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "host": self.host,
            "repository": self.repository,
            "healthy": self.are_good(),
            "checks": checks,
        });
        report::json(&whole)
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        for check in &self.done {
            writeln!(text, "{:<4}  {:<14}  {}", check.status.word(), check.name, check.detail).ok();
            for line in &check.remedy {
                writeln!(text, "      {:<14}  -> {line}", "").ok();
            }
        }
        let count = |status| self.done.iter().filter(|check| check.status == status).count();
        let (failed, warned) = (count(Status::Fail), count(Status::Warn));
        let about = match (&self.repository, &self.host) {
            (Some(repository), Some(host)) => format!("'{repository}' at '{host}'"),
            (None, Some(host)) => format!("'{host}'"),
            _ => "this machine".to_owned(),
        };
        writeln!(text, "\n{about}: {failed} failed, {warned} warnings").ok();
        text
    }
}

/// The failure's message and causes as one sentence.
fn words(failure: &Failure) -> String {
    let parts = std::iter::once(failure.message()).chain(failure.causes().iter().map(String::as_str));
    parts.collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Kind;

    #[test]
    fn every_check_is_listed_once_and_in_order() {
        let mut checks = Checks::default();
        checks.ok("helper", "found");
        checks.failure(
            "dns",
            &Failure::new(Kind::Network, "cannot find")
                .because("no network")
                .hint("x"),
        );
        checks.complete();
        let names: Vec<_> = checks.done.iter().map(|check| check.name).collect();
        assert_eq!(names, NAMES);
        assert!(!checks.are_good());
        let text = checks.to_text();
        assert!(
            text.contains("fail  dns             cannot find: no network\n"),
            "{text}"
        );
        assert!(text.contains("-> x\n"), "{text}");
        assert!(
            text.contains("skip  tcp             not looked at, because 'dns' fails\n"),
            "{text}"
        );
    }

    #[test]
    fn a_servers_words_stay_on_their_line() {
        let mut checks = Checks::default();
        checks.ok("tls", "CN=x\nok    read\x1b[2J");
        assert!(checks.to_text().contains("CN=x ok read?[2J\n"));
    }
}
