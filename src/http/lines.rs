//! The header lines of a request: git's, ours, and those of the user's settings. Does not depend on connections.
//!
//! A secret may stand in a line, and bytes that are not UTF-8: of a value beyond ASCII HTTP says only that it is passed
//! on as it is (RFC 9110, section 5.5).

use zeroize::Zeroizing;

use super::agent::USER;
use super::decoding;
use super::settings::{ExtraHeader, Settings};

/// `Name: value`, without a line end; wiped when dropped.
#[derive(Clone)]
pub(super) struct Line(Zeroizing<Vec<u8>>);

impl Line {
    /// Returns the header's name, as it is spelt here.
    pub(super) fn name(&self) -> &str {
        name(&self.0)
    }

    /// Returns the line as it is sent.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it must not leave the host that it was meant for.
    pub(super) fn is_secret(&self) -> bool {
        ["authorization", "proxy-authorization", "cookie"]
            .iter()
            .any(|secret| self.name().trim().eq_ignore_ascii_case(secret))
    }
}

/// What stands before the first colon of `line`; nothing where that is no name.
pub(super) fn name(line: &[u8]) -> &str {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    str::from_utf8(name).unwrap_or_default()
}

impl From<Zeroizing<Vec<u8>>> for Line {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl From<Zeroizing<String>> for Line {
    /// Takes the text over where it lies: a copy would have to be wiped as well.
    fn from(mut text: Zeroizing<String>) -> Self {
        Self(Zeroizing::new(std::mem::take(&mut *text).into_bytes()))
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text.into_bytes()))
    }
}

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
pub(super) fn complete(lines: &mut Vec<Line>, settings: &Settings) {
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
    lines.retain(|line| !extras().any(|extra| extra.name.eq_ignore_ascii_case(line.name())));
    lines.extend(extras().filter_map(ExtraHeader::line).map(Line::from));
    if settings.agent.is_some() {
        lines.retain(|line| FOR_AGENT.iter().any(|taken| taken.eq_ignore_ascii_case(line.name())));
    }
}

/// Whether a header says where a body ends: no setting decides that.
fn is_framing(name: &str) -> bool {
    ["content-length", "transfer-encoding"]
        .iter()
        .any(|framing| name.eq_ignore_ascii_case(framing))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line::from(text.to_owned())
    }

    #[test]
    fn secrets_are_known_by_their_header() {
        for secret in ["authorization: Basic eA==", "Cookie: a=b", "Proxy-Authorization : x"] {
            assert!(line(secret).is_secret(), "{secret}");
        }
        for other in ["Accept: */*", "X-Cookie: a", "Cookies: a", ""] {
            assert!(!line(other).is_secret(), "{other}");
        }
    }

    #[test]
    fn bytes_stay_as_they_are() {
        let latin = Line::from(Zeroizing::new(b"X-Name: M\xfcller".to_vec()));
        assert_eq!((latin.name(), latin.bytes()), ("X-Name", &b"X-Name: M\xfcller"[..]));
    }
}
