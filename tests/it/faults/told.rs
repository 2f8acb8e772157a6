//! The causes that failures of the matrix are told with, where more than one column has them.

use super::operation::Operation;

pub(super) const ADVERTISEMENT_ENDS: &str = "unexpected end of the server's advertisement (missing flush packet)";
pub(super) const ONE_BYTE: &str = "unexpected end of response after 1 bytes (in a packet)";
pub(super) const NOT_THE_FIRST: &str = "only the first request is redirected unless http.followRedirects is true";
/// Git has the report of a push by then.
pub(super) const REPORTED: &str = "the server reported on it, but the end of its response was lost";

/// What is no HTTP, and why.
macro_rules! malformed {
    ($why:literal) => {
        concat!("invalid HTTP response: ", $why)
    };
}
pub(super) use malformed;

/// An answer that calls itself something else.
pub(super) fn answered(operation: Operation, named: &str) -> String {
    let wanted = operation.content_type();
    format!("unexpected content type '{named}' (expected '{wanted}')")
}

/// An answer whose first packet begins with what is no length.
pub(super) fn no_packet(operation: Operation, begin: &str) -> String {
    match operation {
        // Another git reads the answer, and says before us what is wrong with it.
        Operation::FetchV0 => "git fetch-pack failed".to_owned(),
        _ => format!("invalid git protocol data from the server: invalid packet length '{begin}'"),
    }
}

/// A status without a meaning of its own.
pub(super) fn refused(operation: Operation, status: u16) -> String {
    let what = if operation.pushes() {
        "refused a request to push to"
    } else {
        "refused a request to read"
    };
    format!("'localhost' {what} 'acme/widgets' (HTTP {status})")
}
