//! What a refusal of the server means: every status has its own words.
//!
//! It is shown with what the server said; what it did not say is not claimed: 404 may hide a repository as well as miss
//! it, and 401 may mean "no access" as well as "wrong secret".

use super::said::{Scopes, words};
use super::status::Asked;
use crate::bridge::outcome::Answerer;
use crate::bridge::refusal::Refusal;
use crate::bridge::service::Service;
use crate::credential::login::Login;
use crate::report::{Failure, Kind};
use crate::secret::kind::Kind as SecretKind;

/// Where an API token for Bitbucket is made.
const NEW_TOKEN: &str = "https://id.atlassian.com/manage-profile/security/api-tokens";

impl Asked<'_> {
    pub(super) fn refused(&self, refusal: &Refusal) -> Failure {
        let failure = match refusal.status {
            _ if refusal.by == Answerer::Elsewhere => self.refused_elsewhere(refusal),
            401 => self.unauthenticated(refusal),
            403 => self.forbidden(refusal),
            404 => self.not_found(),
            410 => self.gone(),
            413 => self.too_large(refusal),
            429 => self.rate_limited(refusal),
            301 | 302 | 303 | 307 | 308 => redirected(refusal),
            511 => self.captive(),
            500.. => self.unavailable(refusal),
            _ => Failure::new(Kind::Refused, self.sentence("refused a request", refusal)).hint(self.look()),
        };
        let failure = match words(refusal) {
            Some(words) => failure.remote(words),
            None => failure,
        };
        match (refusal.status, refusal.trace_id.as_str()) {
            (500..=510, id) if !id.is_empty() => {
                failure.hint(format!("Bitbucket's support can look up the request '{id}'"))
            }
            _ => failure,
        }
    }

    /// `'<host>' <verb> to read 'ws/repo' (HTTP n)`
    fn sentence(&self, verb: &str, refusal: &Refusal) -> String {
        let (host, action) = (&refusal.host, self.service.action());
        format!("'{host}' {verb} {action} '{}' (HTTP {})", self.address, refusal.status)
    }

    /// What the other server says is about somebody it does not know, and nothing that it says is about the login.
    fn refused_elsewhere(&self, refusal: &Refusal) -> Failure {
        Failure::new(Kind::Refused, self.sentence("refused a request", refusal))
            .because(format!(
                "a redirect of '{}' leads there, and no secret goes along",
                self.base.host()
            ))
            .hint(format!(
                "see where it leads: 'curl -sI {}/info/refs'",
                self.address.https_url(self.base)
            ))
    }

    fn look(&self) -> String {
        let url = self.address.https_url(self.base);
        format!("look at what answers: 'curl -sI {url}'")
    }

    /// What puts another secret in the place of the one that was sent: what comes before the keychain would stay first.
    fn replace_login(&self) -> String {
        if let Some(instead) = self.login.and_then(|login| login.source.instead_of_keychain()) {
            return instead.to_owned();
        }
        let kept = self.login.and_then(|login| login.target.clone());
        format!(
            "run 'git-remote-bbcloud login --replace --for {}'",
            kept.unwrap_or_else(|| self.address.scope())
        )
    }

    fn unauthenticated(&self, refusal: &Refusal) -> Failure {
        let Some(login) = self.login else {
            return Failure::new(Kind::Unauthenticated, self.sentence("wants to know who asks", refusal))
                .hint(format!("run 'git-remote-bbcloud login --for {}'", self.address.scope()))
                .hint("or, on a build server, set BBCLOUD_TOKEN (and BBCLOUD_USERNAME for an app password)");
        };
        let message = format!(
            "'{}' rejected the {} of '{}' for '{}' (HTTP 401)",
            refusal.host,
            login.kind(),
            login.username,
            self.address
        );
        let failure = Failure::new(Kind::Unauthenticated, message).because(format!("it is the one {}", login.source));
        match wrong_username(login) {
            Some(hint) => failure.hint(hint),
            None if refusal.text.contains("may not have access") => failure
                .hint("check that the account has access to the repository, and that the token is for this workspace")
                .hint(self.replace_login()),
            None => failure.hint(format!("it may be wrong, expired or revoked: {}", self.replace_login())),
        }
    }

    fn forbidden(&self, refusal: &Refusal) -> Failure {
        let who = self
            .login
            .map_or_else(|| "anybody".to_owned(), |login| format!("'{}'", login.username));
        let (host, action) = (&refusal.host, self.service.action());
        let message = format!("'{host}' does not allow {who} {action} '{}' (HTTP 403)", self.address);
        let failure = Failure::new(Kind::Refused, message);
        let text = refusal.text.as_str();
        if text.contains("privilege scopes") {
            let failure = match Scopes::of(text) {
                Some(Scopes { granted, required }) => {
                    failure.because(format!("the token has {granted}, and this needs {required}"))
                }
                None => failure.because("the token lacks a permission"),
            };
            return failure
                .hint(format!("create one with {} at {NEW_TOKEN}", self.scopes()))
                .hint(format!("then {}", self.replace_login()));
        }
        if text.contains("whitelist your IP") || text.contains("allowlist") {
            return failure
                .because("this network is not on the workspace's list of allowed addresses")
                .hint("use the company's network or VPN, or ask an admin of the workspace to add this address");
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

    fn not_found(&self) -> Failure {
        let from = self.login.map_or_else(
            || "anonymous requests".to_owned(),
            |login| format!("'{}'", login.username),
        );
        let message = format!(
            "'{}' has no '{}', or hides it from {from} (HTTP 404)",
            self.base.host(),
            self.address
        );
        let failure = Failure::new(Kind::Refused, message);
        if self.address.is_wiki() && self.base.is_bitbucket_org() {
            return failure.because("Bitbucket Cloud removed its wikis on 2026-08-20");
        }
        let web = self.address.https_url(self.base);
        let web = web.as_str().trim_end_matches(".git");
        if self.login.is_none() {
            return failure
                .hint(format!("check that {web} opens in a browser"))
                .hint(format!(
                    "what is private is hidden: run 'git-remote-bbcloud login --for {}'",
                    self.address.scope()
                ));
        }
        failure.hint(format!(
            "check that {web} opens in a browser, and that the account has access to it"
        ))
    }

    fn gone(&self) -> Failure {
        let is_app_password = self
            .login
            .is_some_and(|login| matches!(login.kind(), SecretKind::AppPassword | SecretKind::Unknown));
        if is_app_password {
            return Failure::new(
                Kind::Unauthenticated,
                format!(
                    "'{}' does not accept app passwords any more (HTTP 410)",
                    self.base.host()
                ),
            )
            .hint(format!("create an API token with {} at {NEW_TOKEN}", self.scopes()))
            .hint(format!("then {}", self.replace_login()));
        }
        Failure::new(
            Kind::Refused,
            format!(
                "'{}' does not offer '{}' any more (HTTP 410)",
                self.base.host(),
                self.address
            ),
        )
    }

    fn rate_limited(&self, refusal: &Refusal) -> Failure {
        let failure = Failure::new(
            Kind::Unavailable,
            format!("'{}' has had too many requests (HTTP 429)", refusal.host),
        );
        let failure = failure.hint(when(refusal, "a few minutes"));
        if self.login.is_some() {
            return failure;
        }
        failure.hint("anonymous requests have a much lower limit: run 'git-remote-bbcloud login'")
    }

    fn unavailable(&self, refusal: &Refusal) -> Failure {
        let failure = Failure::new(
            Kind::Unavailable,
            format!("'{}' is in trouble (HTTP {})", refusal.host, refusal.status),
        );
        let failure = match self.service {
            Service::ReceivePack => failure.hint("look at what arrived with 'git ls-remote' before you push again"),
            _ => failure.hint(when(refusal, "a minute")),
        };
        if self.base.is_bitbucket_org() {
            return failure.hint("look at https://bitbucket.status.atlassian.com");
        }
        failure
    }

    /// RFC 6585, section 6: it is not the server that answers.
    fn captive(&self) -> Failure {
        Failure::new(
            Kind::Network,
            "this network wants to be signed in to before it lets anybody through (HTTP 511)",
        )
        .hint(format!(
            "open {} in a browser, which shows its sign-in page",
            self.base.url()
        ))
    }

    fn too_large(&self, refusal: &Refusal) -> Failure {
        if self.service != Service::ReceivePack {
            let message = format!("the request is too large for '{}' (HTTP 413)", refusal.host);
            return Failure::new(Kind::Refused, message)
                .hint("fetch fewer branches at once: 'git fetch origin <branch>'");
        }
        Failure::new(
            Kind::Refused,
            format!("the push is too large for '{}' (HTTP 413)", refusal.host),
        )
        .hint("push the history in parts: 'git push origin <an older commit>:refs/heads/<branch>', then the rest")
    }
}

/// When the same request may be answered.
fn when(refusal: &Refusal, otherwise: &str) -> String {
    match refusal.retry_after {
        Some(seconds) => format!("try again in {seconds} seconds"),
        None => format!("try again in {otherwise}"),
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

/// A user name that cannot go with this kind of secret.
fn wrong_username(login: &Login) -> Option<String> {
    let name = login.username.as_str();
    let kind = login.kind();
    if name.contains('@') {
        let right = kind.fixed_username().map_or_else(
            || "your Bitbucket user name (https://bitbucket.org/account/settings/ shows it)".to_owned(),
            |fixed| format!("'{fixed}', which is sent by itself if no name is given"),
        );
        return Some(format!(
            "git wants a user name and not the e-mail address '{name}': use {right}"
        ));
    }
    let fixed = [SecretKind::ApiToken, SecretKind::AccessToken].map(SecretKind::fixed_username);
    match kind.fixed_username() {
        Some(right) if name != right && fixed.contains(&Some(name)) => Some(format!(
            "the name '{name}' is for another kind of token; leave it away, and '{right}' is sent"
        )),
        None if kind == SecretKind::AppPassword && fixed.contains(&Some(name)) => Some(format!(
            "an app password goes with your Bitbucket user name, not with '{name}'"
        )),
        _ => None,
    }
}
