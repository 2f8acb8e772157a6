//! The header fields that pass: from the client to the server, and back. All others stay where they are.

use zeroize::Zeroizing;

use super::request::Request;
use super::route::{Method, Route};
use crate::http::agent::ACCOUNT;
use crate::http::upstream::Reply;

/// What of an answer the client needs: to read its body, and to explain a refusal.
const PASSED: [&str; 9] = [
    "content-type",
    "content-encoding",
    "www-authenticate",
    "retry-after",
    "location",
    "server",
    "date",
    "atl-traceid",
    "x-b3-traceid",
];

/// Returns the lines of the request to the server, the secret's among them.
pub(super) fn to_server(
    route: &Route,
    request: &Request,
    authorization: Option<Zeroizing<String>>,
) -> Vec<Zeroizing<String>> {
    let service = route.service.name();
    let mut lines = match route.method {
        Method::Get => vec!["Accept: */*".to_owned(), "Pragma: no-cache".to_owned()],
        Method::Post => vec![
            format!("Content-Type: application/x-{service}-request"),
            format!("Accept: application/x-{service}-result"),
        ],
    };
    lines.extend(request.protocol.map(|version| format!("Git-Protocol: {version}")));
    lines.extend(
        request
            .language
            .as_ref()
            .map(|language| format!("Accept-Language: {language}")),
    );
    if request.gzip {
        lines.push("Content-Encoding: gzip".to_owned());
    }
    lines.into_iter().map(Zeroizing::new).chain(authorization).collect()
}

/// Returns the lines of the answer to the client, whole.
pub(super) fn to_client(reply: &Reply, account: Option<&str>) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in reply.fields().filter(|(name, _)| PASSED.contains(name)) {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            lines.extend_from_slice(part);
        }
    }
    if let Some(account) = account {
        lines.extend_from_slice(format!("{ACCOUNT}: {account}\r\n").as_bytes());
    }
    lines
}
