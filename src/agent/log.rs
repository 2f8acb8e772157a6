//! One line on standard error for each request: who, which repository, what, and what became of it. Never a secret.

use std::fmt;

use super::commands::{Command, Effect};
use super::policy::shown;
use super::route::{Method, Route};
use crate::bridge::service::Service;
use crate::credential::caller::Caller;

/// The most refs that a line names.
const NAMED: usize = 10;

/// What is known of a request so far.
#[derive(Debug, Default)]
pub(super) struct Line {
    account: Option<String>,
    place: Option<String>,
    verb: &'static str,
    refs: Vec<String>,
    pub(super) decision: &'static str,
    pub(super) status: Option<u16>,
    pub(super) bytes: u64,
}

impl Line {
    pub(super) fn route(&mut self, route: &Route) {
        self.place = Some(route.address.to_string());
        self.verb = match (route.method, route.service) {
            (Method::Get, Service::ReceivePack) => "list-for-push",
            (Method::Get, _) => "list",
            (Method::Post, Service::UploadPack) => "fetch",
            (Method::Post, Service::ReceivePack) => "push",
            (Method::Post, Service::UploadArchive) => "archive",
        };
    }

    pub(super) fn commands(&mut self, commands: &[Command]) {
        let named = commands.iter().take(NAMED).map(|command| {
            let mark = match command.effect() {
                Effect::Create => "+",
                Effect::Update => "",
                Effect::Delete => "-",
            };
            format!("{mark}{}", shown(&command.name))
        });
        self.refs = named.collect();
        if let Some(more @ 1..) = commands.len().checked_sub(NAMED) {
            self.refs.push(format!("(and {more} more)"));
        }
    }

    pub(super) fn who(&mut self, who: Option<&Caller>) {
        self.account = Some(who.map_or_else(|| "anonymous".to_owned(), |who| who.username.clone()));
    }
}

/// `ada acme/widgets push refs/heads/x: allowed, HTTP 200, 123 bytes`
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            self.account.as_deref().unwrap_or("-"),
            self.place.as_deref().unwrap_or("-"),
            self.verb,
        ];
        let words: Vec<_> = words.into_iter().chain(self.refs.iter().map(String::as_str)).collect();
        write!(f, "{}: {}", words.join(" ").trim_end(), self.decision)?;
        if let Some(status) = self.status {
            write!(f, ", HTTP {status}, {} bytes", self.bytes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::BaseUrl;

    #[test]
    fn a_line_tells_what_was_done() {
        let mut line = Line::default();
        let target = "https://bitbucket.org/acme/widgets.git/git-receive-pack";
        line.route(&Route::parse(Method::Post, target, &BaseUrl::default()).expect("a route"));
        let command = |new: &str, name: &[u8]| Command {
            old: "0".repeat(40),
            new: new.repeat(40),
            name: name.to_owned(),
        };
        line.commands(&[command("1", b"refs/heads/a"), command("0", b"refs/heads/\x1b[2Jb")]);
        line.who(None);
        line.decision = "refused";
        assert_eq!(
            line.to_string(),
            "anonymous acme/widgets push +refs/heads/a -refs/heads/?[2Jb: refused"
        );
        line.status = Some(403);
        assert!(line.to_string().ends_with(": refused, HTTP 403, 0 bytes"));
    }
}
