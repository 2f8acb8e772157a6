//! What stands before the `@`: a user name, and a secret where somebody put one.
//!
//! It must not know what follows the `@`, and its errors quote nothing.

use percent_encoding::percent_decode_str;

use super::fault::Fault;
use crate::redact::is_token;
use crate::secret::Secret;

/// Who the address says is asking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Userinfo {
    /// The user name, never empty.
    pub(super) username: Option<String>,
    /// The secret, never empty.
    pub(super) secret: Option<Secret>,
}

impl Userinfo {
    /// Returns what `user[:secret]` says, percent-decoded.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let (username, secret) = text.split_once(':').unwrap_or((text, ""));
        let username = decoded(username, "the user name")?;
        let secret = Secret::new(decoded(secret, "the secret")?);
        // A token alone is what other hosts' habits make of it; as a user name it would be shown everywhere.
        if is_token(&username) {
            if !secret.is_empty() {
                return Err(Fault::new("a token stands where the user name belongs"));
            }
            return Ok(Self {
                username: None,
                secret: Some(Secret::new(username)),
            });
        }
        if username.contains(':') {
            return Err(Fault::new(
                "the user name holds a colon, which Basic authentication cannot send",
            ));
        }
        Ok(Self {
            username: Some(username).filter(|name| !name.is_empty()),
            secret: Some(secret).filter(|secret| !secret.is_empty()),
        })
    }
}

/// Splits `text` at the last `@` before any of `ends`, so that a mail address needs no encoding to be a user name.
pub(super) fn split<'a>(text: &'a str, ends: &[char]) -> (&'a str, &'a str) {
    let head = text.split(ends).next().unwrap_or_default();
    match head.rsplit_once('@') {
        Some((userinfo, _)) => (userinfo, text.get(userinfo.len() + 1..).unwrap_or_default()),
        None => ("", text),
    }
}

/// A line end would be a second line of git's credential protocol, or a header of HTTP.
fn decoded(text: &str, what: &str) -> Result<String, Fault> {
    let Ok(text) = percent_decode_str(text).decode_utf8() else {
        return Err(Fault::new(format!("{what} is not UTF-8")));
    };
    if text.chars().any(char::is_control) {
        return Err(Fault::new(format!("{what} holds a control character")));
    }
    Ok(text.into_owned())
}
