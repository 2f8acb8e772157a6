//! What is wrong with an address, in words that hold no secret.
//!
//! It must not know how addresses are read: a text that cannot be read has secrets too, so what is hidden is decided
//! on the text alone, and rather too much is hidden than too little.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::report::{Failure, Kind, plain};
use crate::secret::Secret;
use crate::secret::kind::Kind as SecretKind;

/// What an address should look like.
const FORM: &str = "use 'bbcloud::<workspace>/<repository>' or 'bbcloud::<workspace>/<repository>/wiki'";

/// What stands for a secret.
const HIDDEN: &str = "<secret>";

/// The longest text that is quoted, in characters.
const QUOTED: usize = 200;

/// The least length of a token in bytes; the shortest known, an app password, has 36.
const TOKEN: usize = 24;

/// Why an address cannot be used, and how to put it right.
#[derive(Debug)]
pub(super) struct Fault {
    reason: String,
    hint: String,
}

impl Fault {
    /// Returns a fault with the general hint.
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            hint: FORM.to_owned(),
        }
    }

    /// Puts `hint` in the place of the general one.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Returns the failure for the address `text`.
    pub(super) fn in_address(self, text: &str) -> Failure {
        let shown = redact(text);
        // What was read as a name or a host may then be a piece of the secret: the reason must not quote it.
        if hides_a_delimiter(text) {
            return Failure::new(
                Kind::Usage,
                format!("cannot use the address '{shown}': its secret is not percent-encoded"),
            )
            .hint("write '/' as %2F, '?' as %3F, '#' as %23 and '@' as %40 in a user name or a secret")
            .hint(FORM);
        }
        Failure::new(
            Kind::Usage,
            format!("cannot use the address '{shown}': {}", self.reason),
        )
        .hint(self.hint)
    }

    /// Returns the failure for the base URL `text`.
    pub(super) fn in_base_url(self, text: &str) -> Failure {
        let shown = redact(text);
        Failure::new(
            Kind::Usage,
            format!("cannot use '{shown}' as a base URL: {}", self.reason),
        )
        .hint(self.hint)
    }
}

/// Whether `text` is so surely a token that it is treated as one wherever it stands.
pub(super) fn is_token(text: &str) -> bool {
    text.len() >= TOKEN && SecretKind::of(&Secret::new(text)) != SecretKind::Unknown
}

/// Returns a piece of an address for one line of an error: no token, nothing that steers the terminal, not too long.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::new();
    for piece in text.split_inclusive(['/', ':', '@', '?', '#']) {
        let word = piece.trim_end_matches(['/', ':', '@', '?', '#']);
        if is_token(&percent_decode_str(word).decode_utf8_lossy()) {
            shown += HIDDEN;
            shown += piece.strip_prefix(word).unwrap_or_default();
        } else {
            shown += piece;
        }
    }
    let shown = plain(&shown).replace('\n', "?");
    match shown.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", shown.get(..end).unwrap_or_default()),
        None => shown,
    }
}

/// Returns `text` without passwords, query and fragment.
fn redact(text: &str) -> String {
    let (scheme, rest) = split_scheme(text);
    let shown: Cow<'_, str> = match rest.rsplit_once('@') {
        Some((userinfo, after)) => match split_secret(userinfo) {
            Some((user, _)) => format!("{user}:{HIDDEN}@{}", without_query(after)).into(),
            // Without a password the `@` may be one of the query.
            None => without_query(rest),
        },
        None => match forgotten_host(rest, !scheme.is_empty()) {
            Some(user) => format!("{user}:{HIDDEN}").into(),
            None => without_query(rest),
        },
    };
    quoted(&format!("{scheme}{shown}"))
}

/// Whether what is hidden goes beyond the place of a user name and a password.
fn hides_a_delimiter(text: &str) -> bool {
    let (_, rest) = split_scheme(text);
    let userinfo = rest.rsplit_once('@').map_or("", |(userinfo, _)| userinfo);
    split_secret(userinfo).is_some_and(|(_, secret)| secret.contains(['/', '?', '#']))
}

/// Splits off what may precede a user name. Only known schemes: `mia://x@acme/widgets` has a password.
fn split_scheme(text: &str) -> (&str, &str) {
    let mut rest = text.strip_prefix(super::PREFIX).unwrap_or(text);
    for scheme in ["bbcloud", "https", "http", "ssh", "git+ssh", "ssh+git", "git"] {
        if let Some((found, after)) = rest.split_once("://")
            && found.eq_ignore_ascii_case(scheme)
        {
            rest = after;
        }
    }
    let scheme = text.strip_suffix(rest).unwrap_or_default();
    (scheme, rest)
}

/// Splits a user name from its password, at an encoded colon too: that is a mistake, but the password is one still.
fn split_secret(userinfo: &str) -> Option<(&str, &str)> {
    [":", "%3A", "%3a"]
        .into_iter()
        .filter_map(|colon| userinfo.split_once(colon))
        .min_by_key(|(user, _)| user.len())
}

/// Returns the user name where the `@` and what follows it were forgotten: neither a port nor the host of scp follows.
fn forgotten_host(rest: &str, is_url: bool) -> Option<&str> {
    let head = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, after) = head.split_once(':')?;
    let harmless = after.bytes().all(|b| b.is_ascii_digit()) || (!is_url && user.contains('.'));
    (!harmless).then_some(user)
}

/// A query may hold a token, and none means anything to git.
fn without_query(text: &str) -> Cow<'_, str> {
    match text.split_once(['?', '#']) {
        Some((text, _)) => format!("{text}?…").into(),
        None => text.into(),
    }
}
