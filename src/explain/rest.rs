//! What a refusal of the REST API means.

use serde_json::Value;

use super::refused::{came_from, noun, support, try_again};
use super::words::Scopes;
use super::{NEW_TOKEN, Who};
use crate::bridge::outcome::Answerer;
use crate::bridge::refusal::Refusal;
use crate::credential::login::{Login, Source};
use crate::report::{Failure, Kind};
use crate::secret::kind::Kind as SecretKind;

/// Says what `refusal` of the request `asked` means.
pub fn explain(refusal: &Refusal, asked: &str, login: Option<&Login>) -> Failure {
    let error = Error::read(refusal);
    let kind = match refusal.status {
        401 => Kind::Unauthenticated,
        429 | 500.. => Kind::Unavailable,
        300..=399 => Kind::Protocol,
        _ => Kind::Refused,
    };
    let message = format!("'{}' refused '{asked}' (HTTP {})", refusal.host, refusal.status);
    let mut failure = Failure::new(kind, message);
    if let Some(scopes) = &error.scopes {
        failure = failure.because(scopes.cause());
    }
    for cause in error.details {
        failure = failure.because(cause);
    }
    if let Some(words) = error.message {
        failure = failure.remote(words);
    }
    if refusal.by == Answerer::Elsewhere {
        // Its answer says nothing about the login.
        return failure.because("a redirect led to this server, and it was sent without the secret");
    }
    let failure = match (refusal.status, login) {
        (401, None) => failure
            .hint("run 'git-remote-bbcloud login'")
            .hint("or, on a build server, set BBCLOUD_TOKEN (and BBCLOUD_EMAIL for an API token)"),
        (401, Some(login)) => unauthenticated(failure, login),
        (403, Some(login)) if error.scopes.is_some() => failure
            .hint(format!("create an API token with these scopes at {NEW_TOKEN}"))
            .hint(format!("then {}", replace(login))),
        (404, None) => failure.hint("if it is private, sign in first: 'git-remote-bbcloud login'"),
        (404, Some(_)) => failure.hint("check the path, and that the account has access to it"),
        (429, _) => failure.hint(try_again(refusal, "a few minutes")),
        (400 | 403, _) => {
            failure.hint("see the API's documentation: https://developer.atlassian.com/cloud/bitbucket/rest/")
        }
        (500.., _) => failure.hint("try again in a minute; see https://bitbucket.status.atlassian.com"),
        _ => failure,
    };
    match support(refusal) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The API cannot be asked with an API token alone.
pub fn no_email(login: &Login) -> Failure {
    let failure = Failure::new(
        Kind::Usage,
        format!(
            "the REST API needs the e-mail address of your Atlassian account with the {} {}",
            login.kind(),
            login.source
        ),
    )
    .hint("set BBCLOUD_EMAIL to your e-mail address");
    match (login.source, &login.target) {
        (Source::Keychain, Some(target)) => failure.hint(format!(
            "or keep it with the token: 'git-remote-bbcloud login --replace --for {target} --email <address>'"
        )),
        _ => failure,
    }
}

/// The command that replaces the secret that was sent.
fn replace(login: &Login) -> &'static str {
    let instead = login.source.instead_of_keychain();
    instead.unwrap_or("run 'git-remote-bbcloud login --replace'")
}

fn unauthenticated(failure: Failure, login: &Login) -> Failure {
    let who = Who::from(login);
    let failure = failure.because(came_from(who));
    if let Some(expired) = who.expired {
        return failure
            .because(format!("the {} {expired}", noun(login.kind())))
            .hint(replace(login));
    }
    match (login.kind(), &login.email) {
        (SecretKind::ApiToken, Some(email)) => failure
            .hint(format!(
                "check that '{email}' is the e-mail address of the Atlassian account that created the token"
            ))
            .hint("the token may be wrong, expired, revoked, or created without scopes"),
        (SecretKind::AppPassword, _) => failure.hint(format!(
            "Bitbucket Cloud no longer accepts app passwords; create an API token at {NEW_TOKEN}"
        )),
        (kind, _) => failure.hint(format!(
            "the {} may be wrong, expired or revoked; {}",
            noun(kind),
            replace(login)
        )),
    }
}

/// The API's error document (`{"type": "error", "error": {"message", "detail"?, "fields"?}}`), as far as there is one.
#[derive(Default)]
struct Error {
    message: Option<String>,
    details: Vec<String>,
    scopes: Option<Scopes>,
}

impl Error {
    fn read(refusal: &Refusal) -> Self {
        let Ok(json) = serde_json::from_str::<Value>(&refusal.text) else {
            let readable = !refusal.content_type.contains("html") && !refusal.text.trim().is_empty();
            return Self {
                message: readable.then(|| refusal.text.clone()),
                ..Self::default()
            };
        };
        let error = json.get("error").unwrap_or(&json);
        let mut details: Vec<String> = error
            .get("detail")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .into_iter()
            .collect();
        for (field, reasons) in error.get("fields").and_then(Value::as_object).into_iter().flatten() {
            details.push(format!("{field}: {}", words(reasons)));
        }
        Self {
            message: error.get("message").and_then(Value::as_str).map(str::to_owned),
            details,
            scopes: Scopes::of(&refusal.text),
        }
    }
}

/// A text, or a list of texts.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// A request that changes something was sent, and its response was lost.
pub fn unknown(cause: &Failure, asked: &str, path: &str) -> Failure {
    let message = format!("'{asked}' was sent but the response was lost; it may or may not have succeeded");
    let failure = Failure::new(cause.kind(), message).because(cause.message());
    let failure = cause.causes().iter().cloned().fold(failure, Failure::because);
    failure.hint(format!("check with 'git-remote-bbcloud api {path}' before retrying"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, text: &str) -> Failure {
        let refusal = Refusal {
            status,
            host: "api.bitbucket.org".to_owned(),
            content_type: "application/json".to_owned(),
            text: text.to_owned(),
            ..Refusal::default()
        };
        explain(&refusal, "GET /2.0/x", None)
    }

    #[test]
    fn another_servers_answer_says_nothing_about_the_login() {
        let refusal = Refusal {
            status: 401,
            by: Answerer::Elsewhere,
            ..Refusal::default()
        };
        let failure = explain(&refusal, "GET /x", None);
        assert_eq!(
            failure.causes(),
            ["a redirect led to this server, and it was sent without the secret"]
        );
        assert!(failure.hints().is_empty());
    }

    #[test]
    fn details_and_fields_are_told() {
        let shown = failure(
            400,
            r#"{"type": "error", "error": {"message": "Bad request", "detail": "no such branch",
                "fields": {"title": ["is required", "is short"]}}}"#,
        );
        assert_eq!(shown.message(), "'api.bitbucket.org' refused 'GET /2.0/x' (HTTP 400)");
        assert_eq!(shown.causes(), ["no such branch", "title: is required; is short"]);
    }

    #[test]
    fn missing_scopes_are_named() {
        let shown = failure(
            403,
            r#"{"error": {"message": "no", "detail": {"granted": [], "required": ["account", "email"]}}}"#,
        );
        assert_eq!(
            shown.causes(),
            ["the token has no scopes; this operation requires account, email"]
        );
    }

    #[test]
    fn what_is_no_error_document_does_no_harm() {
        for text in [
            "",
            "<html>",
            "[]",
            "null",
            r#"{"error": 7}"#,
            r#"{"error": {"detail": []}}"#,
        ] {
            assert!(failure(404, text).causes().is_empty(), "{text}");
        }
    }
}
