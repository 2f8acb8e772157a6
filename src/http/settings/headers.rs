//! What git's settings add to each request: `http.extraHeader` and the user agent.
//!
//! It must not know which headers a request has of its own.

use zeroize::Zeroizing;

use super::reader::Reader;
use crate::environment::variable as var;
use crate::report::{Failure, Kind};
use crate::secret::Secret;

/// One `http.extraHeader`, by curl's rules (`CURLOPT_HTTPHEADER`(3)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraHeader {
    /// The header's name, in the user's spelling.
    pub name: String,
    /// What to send in place of our own value, if there is one (often a token); `None` (`Name:`) sends no such header.
    pub value: Option<Secret>,
}

impl ExtraHeader {
    /// Returns the line to send, without its end; `None` where no such header is to be sent.
    pub fn line(&self) -> Option<Zeroizing<String>> {
        let value = self.value.as_ref()?;
        let blank = if value.is_empty() { "" } else { " " };
        Some(Zeroizing::new(format!("{}:{blank}{}", self.name, value.expose())))
    }
}

/// Every extra header, in order.
pub(super) fn extra(reader: &mut Reader<'_>) -> Result<Vec<ExtraHeader>, Failure> {
    let mut headers = Vec::new();
    for line in reader.http.list("extraHeader") {
        match header(&line)? {
            Some(header) => headers.push(header),
            None => reader.warn("ignoring an http.extraHeader that is not 'Name: value'"),
        }
    }
    Ok(headers)
}

/// `Name: value`, `Name:` (not to be sent) or `Name;` (to be sent empty); `None` for anything else.
fn header(line: &str) -> Result<Option<ExtraHeader>, Failure> {
    // As the output of a command has it.
    let line = line.trim_end_matches(['\r', '\n']);
    if line.contains(|c: char| c.is_control() && c != '\t') {
        return Err(
            Failure::new(Kind::Usage, "an http.extraHeader holds a control character")
                .hint("run 'git config --show-origin --get-regexp extraheader' to see where it is set"),
        );
    }
    let (name, value) = match (line.split_once(':'), line.strip_suffix(';')) {
        (Some((name, value)), _) => (name, Some(value).filter(|value| !value.trim().is_empty())),
        (None, Some(name)) => (name, Some("")),
        (None, None) => return Ok(None),
    };
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let good = !name.is_empty() && name.bytes().all(token);
    Ok(good.then(|| ExtraHeader {
        name: name.to_owned(),
        value: value.map(Secret::new),
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
            let header = header(line).expect("no control character")?;
            Some((header.name, header.value.map(|value| value.expose().to_owned())))
        };
        let some = |name: &str, value: Option<&str>| Some((name.to_owned(), value.map(str::to_owned)));
        assert_eq!(shown("X-A: b: c "), some("X-A", Some("b: c")));
        assert_eq!(shown("X-A:b"), some("X-A", Some("b")));
        assert_eq!(shown("X-A:"), some("X-A", None));
        assert_eq!(shown("X-A;"), some("X-A", Some("")));
        assert_eq!(shown("no header"), None);
        assert_eq!(shown("two words: x"), None);
        assert_eq!(shown(": x"), None);
        assert!(header("X-A: b\r\nX-Evil: c").is_err());
        let line = |text: &str| header(text).expect("no control character")?.line();
        assert_eq!(line("X-A:b").as_deref().map(String::as_str), Some("X-A: b"));
        assert_eq!(line("X-A;").as_deref().map(String::as_str), Some("X-A:"));
        assert!(line("X-A:").is_none());
        assert_eq!(line("X-A: b\r\n").as_deref().map(String::as_str), Some("X-A: b"));
    }

    #[test]
    fn a_header_is_not_shown_when_debugged() {
        assert!(!format!("{:?}", header("Authorization: Bearer abc")).contains("abc"));
    }
}
