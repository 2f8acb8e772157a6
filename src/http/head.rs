//! Heads: the first line and headers of a request, those of an answer, and what of an answer has come too early.
//!
//! It must not know connections or how a body is framed.

use zeroize::Zeroizing;

use super::retry;
use crate::bridge::outcome::Answerer;
use crate::bridge::refusal::Refusal;

/// How the length of a request's body is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Length {
    /// There is no body: a GET.
    None,
    /// `Content-Length`.
    Known(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// What the first line of a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// The path: the connection leads to the server.
    Path,
    /// The whole URL: plain HTTP through a proxy.
    Whole,
    /// Host and port: `CONNECT`.
    Tunnel,
}

/// The first line and the headers of a request.
pub(super) struct Head<'a> {
    /// `scheme://host[:port]/path?query`.
    pub(super) url: &'a str,
    /// The method, where it is neither git's GET nor its POST.
    pub(super) method: Option<&'a str>,
    /// How the body is told.
    pub(super) length: Length,
    /// Header lines that are sent as they are; the secret is in one of them.
    pub(super) lines: &'a [Zeroizing<String>],
    /// What the first line names.
    pub(super) target: Target,
}

impl Head<'_> {
    /// Puts the caller's header lines into `text`, a whole head, in place of those of the same name, and the first
    /// line that this request wants. Lines are spliced in instead of handed to the library, which would keep copies
    /// of a secret.
    pub(super) fn spliced(&self, text: &[u8]) -> Zeroizing<Vec<u8>> {
        // Sized at once: a vector that grows leaves a copy behind that nobody wipes.
        let size = text.len() + self.url.len() + 32 + self.lines.iter().map(|line| line.len() + 2).sum::<usize>();
        let mut whole = Zeroizing::new(Vec::with_capacity(size));
        let mut own = text.split_inclusive(|byte| *byte == b'\n');
        let first = own.next().unwrap_or_default();
        match self.first_line() {
            Some(line) => whole.extend_from_slice(line.as_bytes()),
            None => whole.extend_from_slice(&self.with_method(first)),
        }
        for line in own.filter(|line| *line != b"\r\n") {
            let is_same = |ours: &Zeroizing<String>| name(line).eq_ignore_ascii_case(name(ours.as_bytes()));
            if !self.lines.iter().any(is_same) {
                whole.extend_from_slice(line);
            }
        }
        for line in self.lines {
            whole.extend_from_slice(line.as_bytes());
            whole.extend_from_slice(b"\r\n");
        }
        whole.extend_from_slice(b"\r\n");
        whole
    }

    fn first_line(&self) -> Option<String> {
        let method = match (self.target, self.length) {
            (Target::Path, _) => return None,
            (Target::Tunnel, _) => {
                let place = self.url.split("://").nth(1).unwrap_or_default();
                let place = place.trim_end_matches('/');
                return Some(format!("CONNECT {place} HTTP/1.1\r\n"));
            }
            (Target::Whole, Length::None) => self.method.unwrap_or("GET"),
            (Target::Whole, _) => self.method.unwrap_or("POST"),
        };
        Some(format!("{method} {} HTTP/1.1\r\n", self.url))
    }
}

impl Head<'_> {
    /// The library's first line, with the method that is wanted. To its state machine a request with a body is a POST
    /// and one without a GET: on the wire all methods are alike but for their names.
    fn with_method(&self, line: &[u8]) -> Vec<u8> {
        match (self.method, line.iter().position(|byte| *byte == b' ')) {
            (Some(method), Some(end)) => [method.as_bytes(), line.get(end..).unwrap_or_default()].concat(),
            _ => line.to_vec(),
        }
    }
}

fn name(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b':').next().unwrap_or_default()
}

/// The status and headers of an answer.
#[derive(Debug)]
pub(super) struct AnswerHead {
    pub(super) status: u16,
    /// Names in lower case, with their values, in order.
    pub(super) headers: Vec<(String, Vec<u8>)>,
}

impl AnswerHead {
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
        let status = match bytes {
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', _, b' ', a, b, c, ..] => [*a, *b, *c],
            _ if bytes.len() < 12 && b"HTTP/1.".starts_with(bytes.get(..7).unwrap_or(bytes)) => return Early::Unknown,
            _ => return Early::Refused,
        };
        match status {
            [b'1', ..] => {
                let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                    return Early::Unknown;
                };
                bytes = bytes.get(end + 4..).unwrap_or_default();
            }
            [b'2', ..] => return Early::Welcome,
            _ => return Early::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spliced(target: Target, lines: &[&str]) -> String {
        let lines: Vec<_> = lines.iter().map(|line| Zeroizing::new((*line).to_owned())).collect();
        let head = Head {
            url: "http://host:80/x",
            method: None,
            length: Length::None,
            lines: &lines,
            target,
        };
        let whole = head.spliced(b"GET /x HTTP/1.1\r\nhost: host\r\n\r\n");
        String::from_utf8(whole.to_vec()).unwrap()
    }

    #[test]
    fn another_method_takes_the_place_of_the_librarys() {
        for (target, line) in [(Target::Path, "DELETE /x"), (Target::Whole, "DELETE http://host:80/x")] {
            let head = Head {
                url: "http://host:80/x",
                method: Some("DELETE"),
                length: Length::None,
                lines: &[],
                target,
            };
            let whole = head.spliced(b"GET /x HTTP/1.1\r\nhost: host\r\n\r\n");
            let whole = String::from_utf8_lossy(&whole).into_owned();
            assert_eq!(whole, format!("{line} HTTP/1.1\r\nhost: host\r\n\r\n"));
        }
    }

    #[test]
    fn lines_are_added_or_replace_what_is_there() {
        assert_eq!(
            spliced(Target::Path, &["A: b"]),
            "GET /x HTTP/1.1\r\nhost: host\r\nA: b\r\n\r\n"
        );
        assert_eq!(
            spliced(Target::Whole, &["Host: other"]),
            "GET http://host:80/x HTTP/1.1\r\nHost: other\r\n\r\n"
        );
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
            ("SSH-2.0-OpenSSH", Early::Refused),
            ("\r\n", Early::Unknown),
        ] {
            assert_eq!(early(bytes.as_bytes()), judged, "{bytes}");
        }
    }
}
