//! The header lines of a request: git's, ours, and those of the user's settings. Does not depend on connections.

use zeroize::Zeroizing;

use super::agent::USER;
use super::decoding;
use super::settings::{ExtraHeader, Settings};

/// What an agent takes from its client. All else is the agent's to send: it may hold a secret, or say who asks.
const FOR_AGENT: [&str; 6] = [
    "git-protocol",
    "content-type",
    "content-encoding",
    "accept",
    "accept-language",
    USER,
];

/// Adds what every request has to the `lines` that one has of its own.
pub(super) fn complete(lines: &mut Vec<Zeroizing<String>>, settings: &Settings) {
    if !settings.user_agent.is_empty() {
        lines.push(format!("User-Agent: {}", settings.user_agent).into());
    }
    lines.push(decoding::ACCEPTED.to_owned().into());
    lines.extend(
        settings
            .accept_language
            .iter()
            .map(|languages| format!("Accept-Language: {languages}").into()),
    );
    // The user's header takes the place of ours, or keeps it from being sent.
    let extras = || settings.extra_headers.iter().filter(|extra| !is_framing(&extra.name));
    lines.retain(|line| !extras().any(|extra| extra.name.eq_ignore_ascii_case(name(line))));
    lines.extend(extras().filter_map(ExtraHeader::line));
    if settings.agent.is_some() {
        lines.retain(|line| FOR_AGENT.iter().any(|taken| taken.eq_ignore_ascii_case(name(line))));
    }
}

fn name(line: &str) -> &str {
    line.split(':').next().unwrap_or_default()
}

/// Whether a header says where a body ends: no setting decides that.
fn is_framing(name: &str) -> bool {
    ["content-length", "transfer-encoding"]
        .iter()
        .any(|framing| name.eq_ignore_ascii_case(framing))
}
