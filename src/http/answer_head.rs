//! The status line and headers of an answer, and what of an answer has come too early.
//!
//! As lenient as curl, because git is: lines may end with LF alone, headers may be folded (RFC 9112, section 5.2), have
//! spaces before their colon and any byte but NUL in their value. Does not depend on connections.

use super::error::Error;
use super::retry;
use crate::bridge::outcome::Answerer;
use crate::bridge::refusal::Refusal;

/// The most headers that an answer may have, as curl has it (`MAX_HTTP_RESP_HEADER_COUNT`).
const MOST: usize = 5000;

/// The status and headers of an answer.
#[derive(Debug, Default)]
pub(super) struct AnswerHead {
    pub(super) status: u16,
    /// Names in lower case, with their values, in order.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    /// Whether the version is one in which a connection stays open unless it is said otherwise.
    pub(super) stays_open: bool,
}

fn malformed(reason: &str) -> Error {
    Error::Malformed(reason.to_owned())
}

impl AnswerHead {
    /// Parses the head that `bytes` begin with. Returns it with its length, or nothing if it is not whole yet.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Error> {
        let begin = bytes.len() - bytes.trim_ascii_start().len();
        let head = bytes.get(begin..).unwrap_or_default();
        // What is not HTTP has no end to be waited for.
        if !head.starts_with(b"HTTP/") && !b"HTTP/".starts_with(head) {
            return Err(malformed("not HTTP"));
        }
        let Some(length) = length(head) else { return Ok(None) };
        let mut lines = head.get(..length).unwrap_or_default().split(|byte| *byte == b'\n');
        let (status, stays_open) = status_line(trimmed(lines.next().unwrap_or_default()))?;
        let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
        for line in lines {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            if line.contains(&0) {
                return Err(malformed("a NUL byte in a header"));
            }
            if let ([b' ' | b'\t', ..], Some((_, value))) = (line, headers.last_mut()) {
                let more = trimmed(line);
                if !value.is_empty() && !more.is_empty() {
                    value.push(b' ');
                }
                value.extend_from_slice(more);
                continue;
            }
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                return Err(malformed("a header line without a colon"));
            };
            let (name, value) = (line.get(..colon), line.get(colon + 1..));
            let name = String::from_utf8_lossy(trimmed(name.unwrap_or_default())).to_ascii_lowercase();
            headers.push((name, trimmed(value.unwrap_or_default()).to_vec()));
            if headers.len() > MOST {
                return Err(malformed("too many headers"));
            }
        }
        let head = Self {
            status,
            headers,
            stays_open,
        };
        Ok(Some((head, begin + length)))
    }

    /// Returns the first value of header `name` (in lower case), or an empty text.
    pub(super) fn text(&self, name: &str) -> &str {
        let named = self.headers.iter().find(|(known, _)| known == name);
        named
            .and_then(|(_, value)| str::from_utf8(value).ok())
            .unwrap_or_default()
    }

    /// Returns every value of header `name` (in lower case).
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let named = self.headers.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_slice())
    }

    /// Returns every word of header `name`, a list, in lower case.
    pub(super) fn words<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        self.all(name).flat_map(|value| {
            let words = value.split(|byte| *byte == b',').map(trimmed);
            let words = words.filter(|word| !word.is_empty());
            words.map(|word| String::from_utf8_lossy(word).to_ascii_lowercase())
        })
    }

    /// Whether the connection may carry another request after the body. Proxies name the header otherwise.
    pub(super) fn keeps_alive(&self) -> bool {
        let says = |wanted: &str| {
            let mut words = self.words("connection").chain(self.words("proxy-connection"));
            words.any(|word| word == wanted)
        };
        !says("close") && (self.stays_open || says("keep-alive"))
    }

    /// Returns the headers as lines.
    pub(super) fn lines(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        for (name, value) in &self.headers {
            for part in [name.as_bytes(), b": ", value, b"\n"] {
                lines.extend_from_slice(part);
            }
        }
        lines
    }

    /// Returns what this answer refuses, with the body's `text`.
    pub(super) fn refusal(&self, host: String, text: &[u8]) -> Refusal {
        let trace = [self.text("atl-traceid"), self.text("x-b3-traceid")];
        let content_type = self.text("content-type").split(';').next().unwrap_or_default();
        Refusal {
            status: self.status,
            host,
            by: Answerer::Server,
            account: None,
            content_type: content_type.trim().to_ascii_lowercase(),
            challenges: self
                .all("www-authenticate")
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect(),
            retry_after: retry::asked_wait(self.text("retry-after")).map(|wait| wait.as_secs()),
            server: self.text("server").to_owned(),
            trace_id: trace
                .into_iter()
                .find(|id| !id.is_empty())
                .unwrap_or_default()
                .to_owned(),
            text: String::from_utf8_lossy(text).into_owned(),
        }
    }
}

fn trimmed(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// Returns the length of a head, its empty line included.
fn length(head: &[u8]) -> Option<usize> {
    let mut ends = head.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.find_map(|(at, _)| match head.get(at + 1..)? {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// Parses `HTTP/1.1 200 OK`. Some servers name a later version in an answer of 1.1, which curl accepts.
fn status_line(line: &[u8]) -> Result<(u16, bool), Error> {
    let invalid = || malformed("invalid status line");
    let line = line.strip_prefix(b"HTTP/").unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let stays_open = match words.next() {
        Some(b"1.0") => false,
        Some([b'1', b'.', b'1'..=b'9'] | b"2" | b"2.0" | b"3" | b"3.0") => true,
        _ => return Err(malformed("not HTTP/1.1")),
    };
    let status = words.next().filter(|digits| digits.len() == 3).ok_or_else(invalid)?;
    let status = str::from_utf8(status).ok().and_then(|digits| digits.parse().ok());
    let status = status.filter(|status| *status >= 100).ok_or_else(invalid)?;
    Ok((status, stays_open))
}

/// What has come of an answer while its request was still being sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Early {
    /// Nothing that tells what the server thinks.
    Unknown,
    /// It is going to do what was asked, and wants the rest of the request.
    Welcome,
    /// It has decided against it, or does not speak HTTP.
    Refused,
}

/// Judges the beginning of an answer. 1xx answers say nothing yet (RFC 9110, section 15.2); with an answer below 300
/// curl goes on sending, from 300 it stops.
pub(super) fn early(mut bytes: &[u8]) -> Early {
    loop {
        // Some servers send an empty line too many after an answer (RFC 9112, section 2.2, has it for requests).
        bytes = bytes.trim_ascii_start();
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let status = match status_line(line) {
            Ok((status, _)) => status,
            // The longest beginning without a whole status.
            Err(_) if line.len() == bytes.len() && is_begun(line) => return Early::Unknown,
            Err(_) => return Early::Refused,
        };
        match status {
            100..=199 => {
                let Some(end) = length(bytes) else {
                    return Early::Unknown;
                };
                bytes = bytes.get(end..).unwrap_or_default();
            }
            200..=299 => return Early::Welcome,
            _ => return Early::Refused,
        }
    }
}

/// Whether `line` may yet become a status line.
fn is_begun(line: &[u8]) -> bool {
    line.len() < b"HTTP/1.1 200".len() && (line.starts_with(b"HTTP/") || b"HTTP/".starts_with(line))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Option<(AnswerHead, usize)>, Error> {
        AnswerHead::parse(text.as_bytes())
    }

    fn whole(text: &str) -> AnswerHead {
        let (head, length) = parse(text).unwrap().expect("a whole head");
        assert_eq!(length, text.len());
        head
    }

    #[test]
    fn a_head_is_parsed_as_curl_does() {
        for (line, status, stays_open) in [
            ("HTTP/1.1 200 OK", 200, true),
            ("HTTP/1.1 200", 200, true),
            ("HTTP/1.0 404 Not Found", 404, false),
            ("HTTP/2 200 ", 200, true),
            ("HTTP/2.0 503 x", 503, true),
        ] {
            let head = whole(&format!(
                "{line}\r\nX-A : b\r\nx-b:\tc\x01\u{fc} \r\n d\r\n\te\r\nX-A:\r\n\r\n"
            ));
            assert_eq!((head.status, head.stays_open), (status, stays_open), "{line}");
            assert_eq!(head.text("x-a"), "b");
            assert_eq!(head.text("x-b"), "c\x01\u{fc} d e");
            assert_eq!(head.all("x-a").count(), 2);
        }
        assert_eq!(whole("\r\nHTTP/1.1 200 OK\nA: b\n\n").text("a"), "b");
        let folded = whole("HTTP/1.1 401 No\r\nA: b\r\n \r\n\tc\r\nB:\r\n d\r\n\r\n");
        assert_eq!((folded.text("a"), folded.text("b")), ("b c", "d"));
        assert_eq!(
            whole(&format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(1000)))
                .headers
                .len(),
            1000
        );
    }

    #[test]
    fn a_head_that_is_not_whole_is_waited_for() {
        for text in ["", "HT", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r"] {
            assert!(parse(text).unwrap().is_none(), "{text:?}");
        }
    }

    #[test]
    fn an_invalid_head_is_refused() {
        for text in [
            "SSH-2.0-OpenSSH_9.2\r\n",
            "<html>",
            "HTTP/0.9 200 OK\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 099 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
            &format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(5001)),
        ] {
            assert!(parse(text).is_err(), "{}", text.get(..40).unwrap_or(text));
        }
    }

    #[test]
    fn a_connection_stays_open_unless_the_head_says_otherwise() {
        for (head, alive) in [
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nConnection: x, Close\r\n\r\n", false),
            ("HTTP/1.1 407 No\r\nProxy-Connection: close\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\n\r\n", false),
            ("HTTP/1.0 407 No\r\nProxy-Connection: keep-alive\r\n\r\n", true),
        ] {
            assert_eq!(whole(head).keeps_alive(), alive, "{head}");
        }
    }

    #[test]
    fn what_comes_early_is_judged_by_its_status() {
        for (bytes, judged) in [
            ("", Early::Unknown),
            ("HTT", Early::Unknown),
            ("HTTP/1.1 4", Early::Unknown),
            ("HTTP/1.1 100 Continue\r\n", Early::Unknown),
            ("HTTP/1.1 100 Continue\r\n\r\n", Early::Unknown),
            ("HTTP/1.1 103 Hints\r\na: b\r\n\r\nHTTP/1.1 413 No", Early::Refused),
            ("HTTP/1.1 413", Early::Refused),
            ("HTTP/1.0 302 Found", Early::Refused),
            ("HTTP/1.1 200 OK", Early::Welcome),
            ("HTTP/2 200", Early::Welcome),
            ("SSH-2.0-OpenSSH", Early::Refused),
            ("\r\n", Early::Unknown),
        ] {
            assert_eq!(early(bytes.as_bytes()), judged, "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            AnswerHead::parse(&bytes).ok();
            AnswerHead::parse(&[b"HTTP/1.1 200 OK\r\n", bytes.as_slice(), b"\r\n\r\n"].concat()).ok();
            early(&bytes);
        }
    }
}
