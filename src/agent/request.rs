//! The head of a client's request, read into what the agent needs of it. Nothing else of it is passed on.
//!
//! Stricter than HTTP (RFC 9112): a head that two programs could read differently is refused. Does not depend on what
//! the target names.

use super::route::Method;

/// The longest head, in bytes.
pub(super) const LONGEST: usize = 16 * 1024;
/// The most header fields.
const FIELDS: usize = 64;

/// How the length of a request's body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is no body.
    None,
    /// `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: Method,
    /// The absolute URL.
    pub(super) target: String,
    pub(super) host: String,
    pub(super) framing: Framing,
    /// The value of `Git-Protocol`.
    pub(super) protocol: Option<&'static str>,
    /// Whether the body is compressed.
    pub(super) gzip: bool,
    pub(super) language: Option<String>,
    pub(super) user: Option<String>,
    /// Whether the client waits for a word before it sends the body.
    pub(super) expects: bool,
    /// Whether the client ends the connection after the answer.
    pub(super) closes: bool,
}

/// Returns where the head ends in `bytes`, if it does.
pub(super) fn end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

impl Request {
    /// Reads a whole head, its empty line included.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        check_lines(bytes)?;
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut parsed = httparse::Request::new(&mut fields);
        match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
            Err(httparse::Error::TooManyHeaders) => return Err("too many header fields"),
            _ => return Err("not a head of HTTP"),
        }
        if parsed.version != Some(1) {
            return Err("not HTTP/1.1");
        }
        let method = match parsed.method {
            Some("GET") => Method::Get,
            Some("POST") => Method::Post,
            _ => return Err("only GET and POST are served"),
        };
        let mut request = Self {
            method,
            target: parsed.path.unwrap_or_default().to_owned(),
            host: String::new(),
            framing: Framing::None,
            protocol: None,
            gzip: false,
            language: None,
            user: None,
            expects: false,
            closes: false,
        };
        let mut seen = Vec::new();
        for field in parsed.headers.iter() {
            let name = field.name.to_ascii_lowercase();
            if request.take(&name, field.value)? {
                if seen.contains(&name) {
                    return Err("a header field twice");
                }
                seen.push(name);
            }
        }
        request.check(&seen)
    }

    /// Takes a field over. Returns whether it is one that may be there once only.
    fn take(&mut self, name: &str, value: &[u8]) -> Result<bool, &'static str> {
        let text = str::from_utf8(value)
            .ok()
            .filter(|text| !text.contains(char::is_control));
        let text = || text.ok_or("a header field that is not text");
        match name {
            "host" => text()?.clone_into(&mut self.host),
            "content-length" => self.framing = Framing::Length(length(text()?)?),
            "transfer-encoding" if text()?.eq_ignore_ascii_case("chunked") => self.framing = Framing::Chunked,
            "transfer-encoding" => return Err("a transfer coding other than chunked"),
            "git-protocol" => {
                self.protocol = match text()? {
                    "version=1" => Some("version=1"),
                    "version=2" => Some("version=2"),
                    _ => return Err("an unknown version of git's protocol"),
                }
            }
            "content-encoding" if text()?.eq_ignore_ascii_case("gzip") => self.gzip = true,
            "content-encoding" => return Err("a content coding other than gzip"),
            "accept-language" => self.language = Some(text()?.to_owned()),
            "bbcloud-agent-user" => self.user = Some(text()?.to_owned()),
            "expect" if text()?.eq_ignore_ascii_case("100-continue") => self.expects = true,
            "expect" => return Err("an expectation other than 100-continue"),
            "connection" => match text()?.to_ascii_lowercase().as_str() {
                "close" => self.closes = true,
                "keep-alive" => {}
                _ => return Err("a Connection field other than close and keep-alive"),
            },
            "upgrade" => return Err("an upgrade"),
            "trailer" | "te" => return Err("trailers"),
            // The client's own secrets, agents and wishes stay here.
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn check(self, seen: &[String]) -> Result<Self, &'static str> {
        let has = |name: &str| seen.iter().any(|seen| seen == name);
        if self.host.is_empty() {
            return Err("no Host");
        }
        if has("content-length") && has("transfer-encoding") {
            return Err("two lengths");
        }
        match (self.method, self.framing) {
            (Method::Get, Framing::None | Framing::Length(0)) => {}
            (Method::Get, _) => return Err("a GET with a body"),
            (Method::Post, Framing::None) => return Err("a POST without a length"),
            (Method::Post, _) => {}
        }
        Ok(self)
    }
}

/// Every line ends with CR LF, neither of them stands alone, and no line goes on in the next one.
fn check_lines(bytes: &[u8]) -> Result<(), &'static str> {
    let mut before = b'\n';
    for (at, byte) in bytes.iter().enumerate() {
        let next = bytes.get(at + 1);
        match *byte {
            b'\n' if before != b'\r' => return Err("a line end without CR"),
            b'\n' if matches!(next, Some(b' ' | b'\t')) => return Err("a folded line"),
            b'\r' if next != Some(&b'\n') => return Err("a CR without a line end"),
            b'\t' => return Err("a tab"),
            0..=0x1f if !matches!(*byte, b'\r' | b'\n') => return Err("a control character"),
            _ => {}
        }
        before = *byte;
    }
    if bytes.starts_with(b"\r\n") {
        return Err("an empty line before the request");
    }
    Ok(())
}

fn length(text: &str) -> Result<u64, &'static str> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text
        .parse()
        .ok()
        .filter(|_| is_number && (text == "0" || !text.starts_with('0')));
    number.ok_or("a length that is not a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = "GET https://bitbucket.org/a/b.git/info/refs?service=git-upload-pack HTTP/1.1\r\n";
    const POST: &str = "POST https://bitbucket.org/a/b.git/git-upload-pack HTTP/1.1\r\n";

    fn parse(first: &str, fields: &str) -> Result<Request, &'static str> {
        Request::parse(format!("{first}{fields}\r\n").as_bytes())
    }

    #[test]
    fn what_the_helper_sends_is_read() {
        let get = parse(
            GET,
            "Host: bitbucket.org\r\nGit-Protocol: version=2\r\nAccept: */*\r\nPragma: no-cache\r\n",
        );
        let get = get.expect("it is good");
        assert_eq!(
            (get.method, get.framing, get.protocol),
            (Method::Get, Framing::None, Some("version=2"))
        );
        assert_eq!((get.host.as_str(), get.closes), ("bitbucket.org", false));
        let post = parse(
            POST,
            "host: bitbucket.org\r\ntransfer-encoding: chunked\r\ncontent-encoding: gzip\r\nexpect: 100-continue\r\n\
             accept-language: de, *;q=0.5\r\nbbcloud-agent-user: mia\r\nconnection: close\r\n",
        );
        let post = post.expect("it is good");
        assert_eq!((post.method, post.framing), (Method::Post, Framing::Chunked));
        assert!(post.gzip && post.expects && post.closes);
        assert_eq!(
            (post.language.as_deref(), post.user.as_deref()),
            (Some("de, *;q=0.5"), Some("mia"))
        );
    }

    #[test]
    fn a_secret_of_the_client_is_not_taken_over() {
        let request = parse(
            GET,
            "Host: bitbucket.org\r\nAuthorization: Basic eA==\r\nCookie: a=b\r\n",
        );
        assert!(!format!("{request:?}").contains("eA=="));
    }

    #[test]
    fn what_two_programs_could_read_differently_is_refused() {
        for (what, first, fields) in [
            (
                "both lengths",
                POST,
                "Host: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            ),
            (
                "the same in the other order",
                POST,
                "Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            ),
            (
                "two lengths",
                POST,
                "Host: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n",
            ),
            ("two in one", POST, "Host: h\r\nContent-Length: 3, 3\r\n"),
            ("a sign", POST, "Host: h\r\nContent-Length: +3\r\n"),
            ("a leading zero", POST, "Host: h\r\nContent-Length: 03\r\n"),
            ("hexadecimal", POST, "Host: h\r\nContent-Length: 0x3\r\n"),
            ("too much", POST, "Host: h\r\nContent-Length: 99999999999999999999\r\n"),
            (
                "two framings",
                POST,
                "Host: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            ),
            (
                "another coding",
                POST,
                "Host: h\r\nTransfer-Encoding: gzip, chunked\r\n",
            ),
            ("identity", POST, "Host: h\r\nTransfer-Encoding: identity\r\n"),
            ("no length", POST, "Host: h\r\n"),
            ("a body of a GET", GET, "Host: h\r\nContent-Length: 3\r\n"),
            ("a chunked GET", GET, "Host: h\r\nTransfer-Encoding: chunked\r\n"),
            ("no host", GET, "Accept: */*\r\n"),
            ("two hosts", GET, "Host: h\r\nHost: h\r\n"),
            ("a folded line", GET, "Host: h\r\nX: a\r\n b\r\n"),
            ("a line folded with a tab", GET, "Host: h\r\nX: a\r\n\tb\r\n"),
            ("a bare LF", GET, "Host: h\nX: a\r\n"),
            ("a bare CR", GET, "Host: h\r\nX: a\rb\r\n"),
            ("a NUL", GET, "Host: h\r\nX: a\0b\r\n"),
            ("a space before the colon", POST, "Host: h\r\nContent-Length : 3\r\n"),
            ("a field without a name", GET, "Host: h\r\n: x\r\n"),
            ("a field without a colon", GET, "Host: h\r\nX\r\n"),
            ("HTTP/1.0", "GET https://h/ HTTP/1.0\r\n", "Host: h\r\n"),
            ("HTTP/2", "GET https://h/ HTTP/2.0\r\n", "Host: h\r\n"),
            (
                "another method",
                "PUT https://h/ HTTP/1.1\r\n",
                "Host: h\r\nContent-Length: 0\r\n",
            ),
            ("a tunnel", "CONNECT h:443 HTTP/1.1\r\n", "Host: h\r\n"),
            (
                "a method in small letters",
                "get https://h/ HTTP/1.1\r\n",
                "Host: h\r\n",
            ),
            ("two spaces", "GET  https://h/ HTTP/1.1\r\n", "Host: h\r\n"),
            ("an empty line first", "\r\nGET https://h/ HTTP/1.1\r\n", "Host: h\r\n"),
            ("an upgrade", GET, "Host: h\r\nUpgrade: h2c\r\n"),
            ("a connection's upgrade", GET, "Host: h\r\nConnection: Upgrade\r\n"),
            (
                "a hop-by-hop field",
                GET,
                "Host: h\r\nConnection: close, authorization\r\n",
            ),
            (
                "trailers",
                POST,
                "Host: h\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n",
            ),
            ("another version", GET, "Host: h\r\nGit-Protocol: version=2:x=y\r\n"),
            (
                "another expectation",
                POST,
                "Host: h\r\nContent-Length: 0\r\nExpect: x\r\n",
            ),
            (
                "deflate",
                POST,
                "Host: h\r\nContent-Length: 0\r\nContent-Encoding: deflate\r\n",
            ),
            ("Latin-1", GET, "Host: h\u{ff}\r\n"),
        ] {
            let latin = format!("{first}{fields}\r\n").replace('\u{ff}', "\u{80}");
            assert!(Request::parse(latin.as_bytes()).is_err() || what == "Latin-1", "{what}");
        }
        let many = "X: y\r\n".repeat(FIELDS + 1);
        assert!(parse(GET, &format!("Host: h\r\n{many}")).is_err());
    }

    #[test]
    fn a_head_ends_with_an_empty_line() {
        assert_eq!(end(b"GET x\r\n\r\nrest"), Some(9));
        assert_eq!(end(b"GET x\r\n\n"), None);
    }
}
