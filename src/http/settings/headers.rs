//! What git's settings add to each request: `http.extraHeader` and the user agent.
//!
//! Does not depend on which headers a request has of its own.

use std::fmt;

use zeroize::Zeroizing;

use super::reader::Reader;
use crate::environment::variable as var;
use crate::report::{Failure, Kind};

/// One `http.extraHeader`, by curl's rules (`CURLOPT_HTTPHEADER`(3)).
#[derive(Clone, PartialEq, Eq)]
pub struct ExtraHeader {
    /// The header's name, in the user's spelling.
    pub name: String,
    /// What to send in place of our own value, if there is one: often a token, and not always UTF-8. `None` (`Name:`)
    /// sends no such header.
    value: Option<Zeroizing<Vec<u8>>>,
}

impl fmt::Debug for ExtraHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: <secret>", self.name)
    }
}

impl ExtraHeader {
    /// Returns the line to send, without its end; `None` where no such header is to be sent.
    pub fn line(&self) -> Option<Zeroizing<Vec<u8>>> {
        let value = self.value.as_ref()?;
        let blank: &[u8] = if value.is_empty() { b"" } else { b" " };
        Some(Zeroizing::new([self.name.as_bytes(), b":", blank, value].concat()))
    }
}

/// Every extra header, in order.
pub(super) fn extra(reader: &mut Reader<'_>) -> Result<Vec<ExtraHeader>, Failure> {
    let mut headers = Vec::new();
    for line in reader.http.byte_list("extraHeader") {
        match header(&line)? {
            Some(header) => headers.push(header),
            None => reader.warn("ignoring an http.extraHeader that is not 'Name: value'"),
        }
    }
    Ok(headers)
}

/// `Name: value`, `Name:` (not to be sent) or `Name;` (to be sent empty); `None` for anything else.
fn header(line: &[u8]) -> Result<Option<ExtraHeader>, Failure> {
    // What a command prints ends with a line end.
    let mut line = line;
    while let Some(rest) = line.strip_suffix(b"\n").or_else(|| line.strip_suffix(b"\r")) {
        line = rest;
    }
    if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err(
            Failure::new(Kind::Usage, "an http.extraHeader holds a control character")
                .hint("run 'git config --show-origin --get-regexp extraheader' to see where it is set"),
        );
    }
    let mut halves = line.splitn(2, |byte| *byte == b':');
    let (name, value) = match (halves.next(), halves.next(), line.strip_suffix(b";")) {
        (Some(name), Some(value), _) => (name, Some(value.trim_ascii()).filter(|value| !value.is_empty())),
        (_, None, Some(name)) => (name, Some(&b""[..])),
        _ => return Ok(None),
    };
    let Ok(name) = str::from_utf8(name) else {
        return Ok(None);
    };
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let good = !name.is_empty() && name.bytes().all(token);
    Ok(good.then(|| ExtraHeader {
        name: name.to_owned(),
        value: value.map(|value| Zeroizing::new(value.to_vec())),
    }))
}

/// The user agent that is set, else our own in git's manner: servers look for `git/` in front.
pub(super) fn user_agent(reader: &Reader<'_>) -> String {
    let own = || format!("git/git-remote-bbcloud-{}", env!("CARGO_PKG_VERSION"));
    let text = reader.text("userAgent", &var::GIT_HTTP_USER_AGENT).unwrap_or_else(own);
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_curl_reads_them() {
        let shown = |line: &str| {
            let header = header(line.as_bytes()).expect("no control character")?;
            let value = header
                .value
                .map(|value| String::from_utf8(value.to_vec()).expect("UTF-8"));
            Some((header.name, value))
        };
        let some = |name: &str, value: Option<&str>| Some((name.to_owned(), value.map(str::to_owned)));
        assert_eq!(shown("X-A: b: c "), some("X-A", Some("b: c")));
        assert_eq!(shown("X-A:b"), some("X-A", Some("b")));
        assert_eq!(shown("X-A:"), some("X-A", None));
        assert_eq!(shown("X-A;"), some("X-A", Some("")));
        assert_eq!(shown("no header"), None);
        assert_eq!(shown("two words: x"), None);
        assert_eq!(shown(": x"), None);
        assert!(header(b"X-A: b\r\nX-Evil: c").is_err());
        let sent = |line: &[u8]| Some(header(line).expect("no control character")?.line()?.to_vec());
        assert_eq!(sent(b"X-A:b").as_deref(), Some(&b"X-A: b"[..]));
        assert_eq!(sent(b"X-A;").as_deref(), Some(&b"X-A:"[..]));
        assert_eq!(sent(b"X-A:"), None);
        assert_eq!(sent(b"X-A: b\r\n").as_deref(), Some(&b"X-A: b"[..]));
        assert_eq!(sent(b"X-A: M\xfcller").as_deref(), Some(&b"X-A: M\xfcller"[..]));
    }

    #[test]
    fn a_header_is_not_shown_when_debugged() {
        assert!(!format!("{:?}", header(b"Authorization: Bearer abc")).contains("abc"));
    }
}
