//! What a refusal of git's endpoint means: every status has its own words.
//!
//! It is shown with what the server said, and claims no more than that: 404 may mean a hidden repository as well as none,
//! and 401 "no access" as well as "wrong secret".

use super::words::{Scopes, words};
use super::{Asked, NEW_TOKEN, Who};
use crate::bridge::outcome::Answerer;
use crate::bridge::refusal::Refusal;
use crate::bridge::service::Service;
use crate::http::date_of;
use crate::report::{Failure, Kind};
use crate::secret::kind::Kind as SecretKind;

impl Asked<'_> {
    pub(super) fn refused(&self, refusal: &Refusal) -> Failure {
        let failure = match refusal.status {
            _ if refusal.by == Answerer::Elsewhere => self.refused_elsewhere(refusal),
            401 => self.unauthenticated(refusal),
            403 => self.forbidden(refusal),
            404 => self.not_found(),
            410 => self.gone(),
            411 => length_required(refusal),
            413 => self.too_large(refusal),
            429 => self.rate_limited(refusal),
            301 | 302 | 303 | 307 | 308 => redirected(refusal),
            511 => self.captive(),
            500.. => self.unavailable(refusal),
            _ => Failure::new(Kind::Refused, self.sentence("refused a request", refusal)).hint(self.see()),
        };
        let failure = match words(refusal) {
            Some(words) => failure.remote(words),
            None => failure,
        };
        match support(refusal) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// `'<host>' <verb> to read 'ws/repo' (HTTP n)`
    fn sentence(&self, verb: &str, refusal: &Refusal) -> String {
        let (host, action) = (&refusal.host, self.service.action());
        format!("'{host}' {verb} {action} '{}' (HTTP {})", self.address, refusal.status)
    }

    /// The other server was sent no secret, so its answer says nothing about the login.
    fn refused_elsewhere(&self, refusal: &Refusal) -> Failure {
        Failure::new(Kind::Refused, self.sentence("refused a request", refusal))
            .because(format!(
                "'{}' redirected the request there, and it was sent without the secret",
                self.base.host()
            ))
            .hint(format!(
                "see where it leads: 'curl -sI {}/info/refs'",
                self.address.https_url(self.base)
            ))
    }

    /// The command that replaces the secret that was sent. A new one in the keychain would not be used where the secret
    /// came from a source that is asked before the keychain.
    fn replace_login(&self) -> String {
        if let Some(instead) = self.who.and_then(|who| who.source.instead_of_keychain()) {
            return instead.to_owned();
        }
        let kept = self.who.and_then(|who| who.target.map(str::to_owned));
        format!(
            "run 'git-remote-bbcloud login --replace --for {}'",
            kept.unwrap_or_else(|| self.address.scope())
        )
    }

    fn unauthenticated(&self, refusal: &Refusal) -> Failure {
        let Some(who) = self.who else {
            let message = format!(
                "authentication required for '{}' at '{}' (HTTP 401)",
                self.address, refusal.host
            );
            return Failure::new(Kind::Unauthenticated, message)
                .hint(format!("run 'git-remote-bbcloud login --for {}'", self.address.scope()))
                .hint("or, on a build server, set BBCLOUD_TOKEN (and BBCLOUD_USERNAME for an app password)");
        };
        let message = format!(
            "'{}' rejected the {} of '{}' for '{}' (HTTP 401)",
            refusal.host, who.kind, who.username, self.address
        );
        let failure = Failure::new(Kind::Unauthenticated, message).because(came_from(who));
        if let Some(expired) = who.expired {
            return failure
                .because(format!("the {} {expired}", noun(who.kind)))
                .hint(self.replace_login());
        }
        match wrong_username(who) {
            Some(hint) => failure.hint(hint),
            None if refusal.text.contains("may not have access") => failure
                .hint("check that the account has access to the repository, and that the token is for this workspace")
                .hint(self.replace_login()),
            None => failure.hint(format!(
                "the {} may be wrong, expired or revoked; {}",
                noun(who.kind),
                self.replace_login()
            )),
        }
    }

    fn forbidden(&self, refusal: &Refusal) -> Failure {
        let who = self.who_asked();
        let (host, action) = (&refusal.host, self.service.action());
        let message = format!("'{host}' does not allow {who} {action} '{}' (HTTP 403)", self.address);
        let failure = Failure::new(Kind::Refused, message);
        let text = refusal.text.as_str();
        if text.contains("privilege scopes") {
            let cause = Scopes::of(text).map(|scopes| scopes.cause());
            return self.new_token(failure.because(cause.unwrap_or_else(|| "the token lacks a scope".to_owned())));
        }
        if text.contains("whitelist your IP") || text.contains("allowlist") {
            return failure
                .because("the workspace allows only certain IP addresses, and this network's is not one of them")
                .hint("use the company's network or VPN, or ask a workspace admin to allow this address");
        }
        if text.contains("two-step") {
            return failure
                .because("the workspace requires two-step verification")
                .hint("turn it on at https://id.atlassian.com/manage-profile/security/two-step-verification");
        }
        if text.trim().is_empty() && refusal.server.contains("AtlassianEdge") {
            return failure
                .because("Atlassian's edge blocked the request before Bitbucket saw it")
                .hint("try again in a minute");
        }
        failure.hint(format!(
            "check the address and the account: 'git-remote-bbcloud status --check --for {}'",
            self.address.scope()
        ))
    }

    /// The permissions that this service and repository need, in the words of Atlassian's page for API tokens.
    fn scopes(&self) -> &'static str {
        match (self.address.is_wiki(), self.service) {
            (true, _) => "read:wiki:bitbucket and write:wiki:bitbucket",
            (false, Service::ReceivePack) => "read:repository:bitbucket and write:repository:bitbucket",
            (false, _) => "read:repository:bitbucket",
        }
    }

    /// Who asked, as the object of a sentence.
    fn who_asked(&self) -> String {
        self.who
            .map_or_else(|| "anonymous users".to_owned(), |who| format!("'{}'", who.username))
    }

    /// How to get a token that is allowed more.
    fn new_token(&self, failure: Failure) -> Failure {
        failure
            .hint(format!("create an API token with {} at {NEW_TOKEN}", self.scopes()))
            .hint(format!("then {}", self.replace_login()))
    }

    fn not_found(&self) -> Failure {
        let (who, have) = match self.who {
            Some(who) => (format!("'{}'", who.username), "has"),
            None => ("anonymous users".to_owned(), "have"),
        };
        let message = format!(
            "repository '{}' not found, or {who} {have} no access to it (HTTP 404)",
            self.address
        );
        let failure = Failure::new(Kind::Refused, message);
        if self.address.is_wiki() && self.base.is_bitbucket_org() {
            return failure.because("Bitbucket Cloud removed its wikis on 2026-08-20");
        }
        let web = self.address.https_url(self.base);
        let web = web.as_str().trim_end_matches(".git");
        if self.who.is_none() {
            return failure
                .hint(format!("check that {web} opens in a browser"))
                .hint(format!(
                    "if it is private, sign in first: 'git-remote-bbcloud login --for {}'",
                    self.address.scope()
                ));
        }
        failure.hint(format!(
            "check that {web} opens in a browser, and that the account has access to it"
        ))
    }

    fn gone(&self) -> Failure {
        let may_be_app_password = self
            .who
            .is_some_and(|who| matches!(who.kind, SecretKind::AppPassword | SecretKind::Unknown));
        if may_be_app_password {
            let message = format!("'{}' no longer accepts app passwords (HTTP 410)", self.base.host());
            return self.new_token(Failure::new(Kind::Unauthenticated, message));
        }
        Failure::new(
            Kind::Refused,
            format!("'{}' no longer offers '{}' (HTTP 410)", self.base.host(), self.address),
        )
    }

    fn rate_limited(&self, refusal: &Refusal) -> Failure {
        let failure = Failure::new(
            Kind::Unavailable,
            format!("rate limit exceeded at '{}' (HTTP 429)", refusal.host),
        );
        let failure = failure.hint(try_again(refusal, "a few minutes"));
        if self.who.is_some() {
            return failure;
        }
        failure.hint("anonymous requests have a much lower limit: run 'git-remote-bbcloud login'")
    }

    fn unavailable(&self, refusal: &Refusal) -> Failure {
        let failure = Failure::new(
            Kind::Unavailable,
            format!("'{}' is unavailable (HTTP {})", refusal.host, refusal.status),
        );
        let failure = match self.service {
            Service::ReceivePack => {
                failure.hint("check with 'git ls-remote' whether the push took effect before retrying")
            }
            _ => failure.hint(try_again(refusal, "a minute")),
        };
        if self.base.is_bitbucket_org() {
            return failure.hint("see https://bitbucket.status.atlassian.com");
        }
        failure
    }

    /// RFC 6585, section 6: the network answers instead of the server.
    fn captive(&self) -> Failure {
        Failure::new(Kind::Network, "this network requires you to sign in (HTTP 511)")
            .hint(format!("open {} in a browser to see its sign-in page", self.base.url()))
    }

    fn too_large(&self, refusal: &Refusal) -> Failure {
        if self.service != Service::ReceivePack {
            let message = format!("request rejected by '{}': too large (HTTP 413)", refusal.host);
            return Failure::new(Kind::Refused, message)
                .hint("fetch fewer branches at once: 'git fetch origin <branch>'");
        }
        Failure::new(
            Kind::Refused,
            format!("push rejected by '{}': too large (HTTP 413)", refusal.host),
        )
        .hint("push in smaller batches: 'git push origin <an older commit>:refs/heads/<branch>', then the rest")
    }
}

/// The server, or a proxy before it, takes no request of unknown length (`Transfer-Encoding: chunked`).
fn length_required(refusal: &Refusal) -> Failure {
    Failure::new(
        Kind::Refused,
        format!(
            "'{}' requires the length of a request in advance (HTTP 411)",
            refusal.host
        ),
    )
    .hint("raise http.postBuffer above the size of the push: 'git config --global http.postBuffer 500m'")
}

/// When the same request may be answered.
pub(super) fn try_again(refusal: &Refusal, otherwise: &str) -> String {
    match refusal.retry_after {
        Some(seconds) => format!("try again in {seconds} seconds"),
        None => format!("try again in {otherwise}"),
    }
}

/// The number by which Bitbucket's support finds the request.
pub(super) fn support(refusal: &Refusal) -> Option<String> {
    let id = refusal.trace_id.as_str();
    let failed = matches!(refusal.status, 500..=510);
    (failed && !id.is_empty()).then(|| format!("Bitbucket's support can look up the request '{id}'"))
}

/// Where the secret came from, and when it last worked, as a cause.
pub(super) fn came_from(who: Who<'_>) -> String {
    let (kind, place) = (noun(who.kind), who.source.place());
    match who.worked {
        Some(worked) => {
            let day = date_of(worked);
            format!("the {kind} came from {place}, and last worked on {day}")
        }
        None => format!("the {kind} came from {place}"),
    }
}

/// A kind of secret in one word or two, where the sentence before has said which.
pub(super) fn noun(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::ApiToken | SecretKind::AccessToken => "token",
        SecretKind::AppPassword => "app password",
        SecretKind::Unknown => "secret",
    }
}

fn redirected(refusal: &Refusal) -> Failure {
    Failure::new(
        Kind::Protocol,
        format!(
            "'{}' sent a redirect without a target (HTTP {})",
            refusal.host, refusal.status
        ),
    )
    .hint("check BBCLOUD_BASE_URL and the proxy: 'git config --get-regexp \"proxy|bbcloud\"'")
}

/// A user name that cannot belong to this kind of secret.
fn wrong_username(who: Who<'_>) -> Option<String> {
    let Who { username, kind, .. } = who;
    if username.contains('@') {
        let instead = kind.fixed_username().map_or_else(
            || "use your Bitbucket user name (see https://bitbucket.org/account/settings/)".to_owned(),
            |fixed| format!("omit it and '{fixed}' is used"),
        );
        return Some(format!(
            "git's endpoint does not accept the e-mail address '{username}' as user name; {instead}"
        ));
    }
    let of_tokens = [SecretKind::ApiToken, SecretKind::AccessToken].map(|kind| (kind, kind.fixed_username()));
    let (other, _) = of_tokens.iter().find(|(_, fixed)| *fixed == Some(username))?;
    match kind.fixed_username() {
        Some(right) if username != right => Some(format!(
            "'{username}' is the user name for {other}s; omit it and '{right}' is used"
        )),
        None if kind == SecretKind::AppPassword => Some(format!(
            "'{username}' is the user name for {other}s; an app password needs your Bitbucket user name"
        )),
        _ => None,
    }
}
