//! The first line and headers of a request. Does not depend on connections.
//!
//! Written here and not by a library, which would keep copies of the secret in one of the lines.

use zeroize::Zeroizing;

use super::lines::{Line, name};

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
    pub(super) lines: &'a [Line],
    /// What the first line names.
    pub(super) target: Target,
}

impl Head<'_> {
    /// Returns the whole head as it is sent. The caller's lines take the place of ours of the same name.
    pub(super) fn text(&self) -> Zeroizing<Vec<u8>> {
        let (authority, path) = self.place();
        let target = match self.target {
            Target::Path => path,
            Target::Whole => self.url.split('#').next().unwrap_or_default(),
            Target::Tunnel => authority,
        };
        let mut own = vec![format!("Host: {authority}")];
        match self.length {
            Length::None => {}
            Length::Known(length) => own.push(format!("Content-Length: {length}")),
            Length::Chunked => own.push("Transfer-Encoding: chunked".to_owned()),
        }
        own.retain(|line| {
            !self
                .lines
                .iter()
                .any(|given| given.name().eq_ignore_ascii_case(name(line.as_bytes())))
        });
        let first = format!("{} {target} HTTP/1.1", self.method());
        let lines = own
            .iter()
            .map(String::as_bytes)
            .chain(self.lines.iter().map(Line::bytes));
        let lines = || std::iter::once(first.as_bytes()).chain(lines.clone());
        // Sized at once: a vector that grows leaves a copy of a secret behind that nobody wipes.
        let size = lines().map(|line| line.len() + 2).sum::<usize>() + 2;
        let mut whole = Zeroizing::new(Vec::with_capacity(size));
        for line in lines() {
            whole.extend_from_slice(line);
            whole.extend_from_slice(b"\r\n");
        }
        whole.extend_from_slice(b"\r\n");
        whole
    }

    fn method(&self) -> &str {
        match (self.target, self.length) {
            (Target::Tunnel, _) => "CONNECT",
            (_, Length::None) => self.method.unwrap_or("GET"),
            _ => self.method.unwrap_or("POST"),
        }
    }

    /// Returns `host[:port]` and `/path?query` of the URL.
    fn place(&self) -> (&str, &str) {
        let rest = self.url.split_once("://").map_or(self.url, |(_, rest)| rest);
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.find(['/', '?']).map_or((rest, "/"), |at| rest.split_at(at));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        (host, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head<'_> = Head {
        url: "http://host:80/x?y#z",
        method: None,
        length: Length::None,
        lines: &[],
        target: Target::Path,
    };

    fn text(head: &Head<'_>) -> String {
        String::from_utf8_lossy(&head.text()).into_owned()
    }

    #[test]
    fn the_first_line_names_what_is_wanted() {
        assert_eq!(text(&HEAD), "GET /x?y HTTP/1.1\r\nHost: host:80\r\n\r\n");
        for (target, method, length, line) in [
            (
                Target::Path,
                None,
                Length::Known(7),
                "POST /x?y HTTP/1.1\r\nHost: host:80\r\nContent-Length: 7",
            ),
            (
                Target::Path,
                Some("DELETE"),
                Length::None,
                "DELETE /x?y HTTP/1.1\r\nHost: host:80",
            ),
            (
                Target::Whole,
                None,
                Length::None,
                "GET http://host:80/x?y HTTP/1.1\r\nHost: host:80",
            ),
            (
                Target::Whole,
                Some("PUT"),
                Length::Chunked,
                "PUT http://host:80/x?y HTTP/1.1\r\nHost: host:80\r\nTransfer-Encoding: chunked",
            ),
            (
                Target::Tunnel,
                None,
                Length::None,
                "CONNECT host:80 HTTP/1.1\r\nHost: host:80",
            ),
        ] {
            let head = Head {
                method,
                length,
                target,
                ..HEAD
            };
            assert_eq!(text(&head), format!("{line}\r\n\r\n"));
        }
    }

    #[test]
    fn given_lines_are_added_or_take_the_place_of_ours() {
        let lines = ["A: b", "host: other"].map(|line| Line::from(line.to_owned()));
        for (count, told) in [(1, "Host: host:80\r\nA: b"), (2, "A: b\r\nhost: other")] {
            let head = Head {
                lines: &lines[..count],
                ..HEAD
            };
            assert_eq!(text(&head), format!("GET /x?y HTTP/1.1\r\n{told}\r\n\r\n"));
        }
    }

    #[test]
    fn a_url_without_a_path_asks_for_the_root() {
        let head = Head {
            url: "https://me@[::1]",
            ..HEAD
        };
        assert_eq!(text(&head), "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n");
    }
}
