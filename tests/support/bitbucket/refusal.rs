//! Bitbucket's refusals, word for word where the words are known.

/// An answer that is known as a whole before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = if content_type.is_empty() {
            Vec::new()
        } else {
            vec![("Content-Type".to_owned(), content_type.to_owned())]
        };
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::new(status, "text/plain", body)
    }

    pub(crate) fn json(status: u16, body: String) -> Self {
        Self::new(status, "application/json; charset=utf-8", body)
    }

    /// The REST API's error document.
    pub(crate) fn rest_error(status: u16, message: &str) -> Self {
        Self::json(
            status,
            format!(r#"{{"type": "error", "error": {{"message": {}}}}}"#, quoted(message)),
        )
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::new(status, "text/html", "").with("Location", location)
    }
}

/// The ways in which Bitbucket says no.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// 401: the secret is wrong.
    BadSecret,
    /// 401: the same, in the words of 2018.
    LegacyBadSecret,
    /// 401: the secret is the account's password.
    AccountPassword,
    /// 401: no credentials, no access, or a user name that does not fit the secret.
    NoAccess,
    /// 403: the secret lacks a scope.
    MissingScope,
    /// 403: the same as a REST document that names the scopes.
    MissingScopeJson {
        granted: Vec<String>,
        required: Vec<String>,
    },
    /// 403: the client's address is not on the workspace's list.
    IpNotAllowed,
    /// 403: the workspace wants two-step verification.
    TwoStepRequired,
    /// 403: does not exist, or is not for this account.
    Forbidden,
    /// 410: app passwords are no more.
    AppPasswordGone,
    /// 429, with `Retry-After` in seconds.
    RateLimited { retry_after: u64 },
    /// 404.
    NotFound,
    /// 503, as a page for browsers.
    Maintenance,
    /// 403 from the edge, with nothing in it.
    EdgeBlock,
    /// Anything else; no `Content-Type` if that is empty.
    Custom {
        status: u16,
        headers: Vec<(String, String)>,
        content_type: String,
        body: Vec<u8>,
    },
}

const CHALLENGE: &str = r#"Basic realm="Bitbucket.org HTTP""#;
const NO_ACCESS: &str = "You may not have access to this repository or it no longer exists in this workspace. \
    If you think this repository exists and you have access, make sure you are authenticated.";
const FORBIDDEN: &str = "The requested repository either does not exist or you do not have access. \
    If you believe this repository exists and you have access, make sure you're authenticated.";
const LEGACY_BAD_SECRET: &str = "Invalid username or password. If your organization manages your account or you've \
    enabled two-step verification, create an app password to log in: https://confluence.atlassian.com/x/9DJmMQ";
const ACCOUNT_PASSWORD: &str = "Bitbucket Cloud recently stopped supporting account passwords for Git authentication.";
const MISSING_SCOPE: &str = "Your credentials lack one or more required privilege scopes.";
const APP_PASSWORD_GONE: &str = "CHANGE-3222 - Functionality has been deprecated\n\
    App passwords are deprecated and must be replaced with API tokens.\n\
    https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-3222\n";
const MAINTENANCE: &str = "<!DOCTYPE html>\n<html><head><title>Bitbucket is unavailable</title></head>\
    <body><h1>Bitbucket is undergoing maintenance</h1></body></html>\n";

impl Refusal {
    pub(crate) fn response(&self) -> Response {
        let challenge = |text| Response::text(401, text).with("WWW-Authenticate", CHALLENGE);
        match self {
            Self::BadSecret => challenge("Invalid credentials"),
            Self::LegacyBadSecret => challenge(LEGACY_BAD_SECRET),
            Self::AccountPassword => challenge(ACCOUNT_PASSWORD),
            Self::NoAccess => challenge(NO_ACCESS),
            Self::MissingScope => Response::text(403, MISSING_SCOPE),
            Self::MissingScopeJson { granted, required } => missing_scope_json(granted, required),
            Self::IpNotAllowed => Response::text(403, "To access this repository, an admin must whitelist your IP."),
            Self::TwoStepRequired => Response::text(403, "To access this repository, enable two-step authentication."),
            Self::Forbidden => Response::text(403, FORBIDDEN),
            Self::AppPasswordGone => Response::text(410, APP_PASSWORD_GONE),
            Self::RateLimited { retry_after } => Response::text(429, "Rate limit for this resource has been exceeded")
                .with("Retry-After", &retry_after.to_string()),
            Self::NotFound => Response::text(404, "Not Found"),
            Self::Maintenance => Response::new(503, "text/html; charset=utf-8", MAINTENANCE),
            Self::EdgeBlock => Response::new(403, "", "").with("server", "AtlassianEdge"),
            Self::Custom {
                status,
                headers,
                content_type,
                body,
            } => {
                let mut response = Response::new(*status, content_type, body.clone());
                response.headers.extend(headers.iter().cloned());
                response
            }
        }
    }
}

fn missing_scope_json(granted: &[String], required: &[String]) -> Response {
    let list = |names: &[String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let detail = format!(
        r#"{{"granted": [{}], "required": [{}]}}"#,
        list(granted),
        list(required)
    );
    let error = format!(r#"{{"message": {}, "detail": {detail}}}"#, quoted(MISSING_SCOPE));
    Response::json(403, format!(r#"{{"type": "error", "error": {error}}}"#))
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    use std::fmt::Write as _;
    let mut json = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            control if control < ' ' => {
                write!(json, "\\u{:04x}", u32::from(control)).expect("a string can be written to");
            }
            other => json.push(other),
        }
    }
    json.push('"');
    json
}
