//! What is shown and written of an address, a URL or a header: everything but its secrets. The only place that decides.
//!
//! Does not depend on how addresses are read: a text that cannot be read may hold a secret too, so the text alone decides,
//! and in doubt more is hidden. Every text that it returns is also safe for a terminal.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::report::plain;
use crate::secret::Secret;
use crate::secret::kind::Kind as SecretKind;

/// Stands for a secret in an address.
pub const HIDDEN: &str = "<secret>";

/// Stands for a secret in a trace, where git's own word is expected.
const REDACTED: &str = "<redacted>";

/// Stands for a URL of which nothing can be shown.
const NOTHING: &str = "…";

/// The longest text that is quoted, in characters.
const QUOTED: usize = 200;

/// The least length of a token in bytes; the shortest known, an app password, has 36.
const TOKEN: usize = 24;

/// What precedes an address that names this helper.
const PREFIX: &str = "bbcloud::";

/// Schemes that may precede a user name. Only known ones: `mia://x@acme/widgets` has a password.
const SCHEMES: [&str; 8] = ["bbcloud", "https", "http", "ssh", "git+ssh", "ssh+git", "git", "file"];

/// Words in the name of a query's parameter whose value may let somebody in.
const TELLING: [&str; 11] = [
    "token",
    "secret",
    "passw",
    "key",
    "auth",
    "sig",
    "credential",
    "code",
    "jwt",
    "session",
    "pwd",
];

/// Returns the address `text` for its owner: the user name stays; password, query, fragment and tokens do not.
pub fn address(text: &str) -> String {
    one_line(&masked(text))
}

fn masked(text: &str) -> String {
    let (scheme, rest) = split_scheme(text);
    let shown: Cow<'_, str> = match rest.rsplit_once('@') {
        Some((userinfo, after)) => match split_secret(userinfo) {
            // The last `@` may be one of a query, or of a password with a `?` in it: nothing behind it is sure.
            Some((user, _)) if userinfo.contains(['?', '#']) => {
                format!("{}:{HIDDEN}@{NOTHING}", without_query(user)).into()
            }
            Some((user, _)) => format!("{}:{HIDDEN}@{}", without_query(user), without_query(after)).into(),
            // Without a password the `@` may be one of the query.
            None => without_query(rest),
        },
        None => match forgotten_host(rest, !scheme.is_empty()) {
            Some(user) => format!("{user}:{HIDDEN}").into(),
            None => without_query(rest),
        },
    };
    without_tokens(&format!("{scheme}{shown}"))
}

/// Whether [`address`] hides anything of `text`.
pub fn hides(text: &str) -> bool {
    let shown = masked(text);
    shown.contains(HIDDEN) || shown.ends_with(NOTHING)
}

/// Returns the address `text` as it may be written to a file, with nothing in the place of its secrets.
///
/// `None` if it cannot be written so: something that looks like a secret would be left.
pub fn bare(text: &str) -> Option<String> {
    if hides_a_delimiter(text) {
        return None;
    }
    let (scheme, rest) = split_scheme(text);
    let head = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let userinfo = head.rsplit_once('@').map(|(userinfo, _)| userinfo);
    let after = userinfo.map_or(rest, |userinfo| rest.get(userinfo.len() + 1..).unwrap_or_default());
    let after = after.split(['?', '#']).next().unwrap_or_default();
    let name = userinfo.map(|userinfo| split_secret(userinfo).map_or(userinfo, |(name, _)| name));
    let name = name.filter(|name| !name.is_empty() && !is_token(&decoded(name)));
    let bare = match name {
        Some(name) => format!("{scheme}{name}@{after}"),
        None => format!("{scheme}{after}"),
    };
    (!hides(&bare)).then_some(bare)
}

/// Returns the URL that a server named: no part of the user before its host, and no telling value in its query.
pub fn foreign(text: &str) -> String {
    // Any base will do to see whether there is a user, where the scheme or the slashes are missing.
    let joined = || Url::parse("https://host.invalid/").and_then(|base| base.join(text));
    let shown = match Url::parse(text).or_else(|_| joined()) {
        Ok(url) if url.cannot_be_a_base() && text.contains('@') => NOTHING.to_owned(),
        Ok(url) if url.username().is_empty() && url.password().is_none() => text.to_owned(),
        Ok(mut url) => match url.set_username("").and_then(|()| url.set_password(None)) {
            Ok(()) => url.into(),
            Err(()) => NOTHING.to_owned(),
        },
        Err(_) if text.contains('@') => NOTHING.to_owned(),
        Err(_) => text.to_owned(),
    };
    plain(&quiet_query(&shown, HIDDEN)).replace('\n', "?")
}

/// Returns a piece of an address for one line of an error: no token, nothing that steers the terminal, not too long.
pub fn piece(text: &str) -> String {
    one_line(&without_tokens(text))
}

fn without_tokens(text: &str) -> String {
    let mut shown = String::new();
    for piece in text.split_inclusive(['/', ':', '@', '?', '#']) {
        let word = piece.trim_end_matches(['/', ':', '@', '?', '#']);
        if is_token(&decoded(word)) {
            shown += HIDDEN;
            shown += piece.strip_prefix(word).unwrap_or_default();
        } else {
            shown += piece;
        }
    }
    shown
}

fn one_line(text: &str) -> String {
    let shown = plain(text).replace('\n', "?");
    match shown.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}{NOTHING}", shown.get(..end).unwrap_or_default()),
        None => shown,
    }
}

/// Whether `text` is so surely a token that it is treated as one wherever it stands.
pub fn is_token(text: &str) -> bool {
    text.len() >= TOKEN && SecretKind::of(&Secret::new(text)) != SecretKind::Unknown
}

/// Whether the password of an address has a delimiter of addresses in it, so that its reader may have taken a piece of
/// it for something else.
pub fn hides_a_delimiter(text: &str) -> bool {
    let (_, rest) = split_scheme(text);
    let userinfo = rest.rsplit_once('@').map_or("", |(userinfo, _)| userinfo);
    let delimiters = ['/', '?', '#'];
    split_secret(userinfo).is_some_and(|(user, secret)| user.contains(delimiters) || secret.contains(delimiters))
}

/// Returns a line of a request's or an answer's head for a trace: as `redact_sensitive_header` in git's `http.c`, and
/// in two places that git leaves open: `Set-Cookie`, and every URL.
pub fn header(line: &str) -> String {
    let Some((name, value)) = line.split_once(':') else {
        return urls(line);
    };
    let value = value.trim_start();
    match name.to_ascii_lowercase().as_str() {
        "authorization" | "proxy-authorization" => {
            let scheme = value.split(' ').next().unwrap_or_default();
            if scheme.len() == value.len() {
                return format!("{name}: {REDACTED}");
            }
            format!("{name}: {scheme} {REDACTED}")
        }
        "cookie" => {
            let hidden = value.split("; ").map(cookie).collect::<Vec<_>>();
            format!("{name}: {}", hidden.join("; "))
        }
        "set-cookie" => match value.split_once(';') {
            Some((first, rest)) => format!("{name}: {};{rest}", cookie(first)),
            None => format!("{name}: {}", cookie(value)),
        },
        _ => urls(line),
    }
}

fn cookie(text: &str) -> String {
    match text.split_once('=') {
        Some((name, _)) => format!("{name}={REDACTED}"),
        None => REDACTED.to_owned(),
    }
}

/// Returns a line without the users and the telling values of the URLs in it, those without a scheme as well.
fn urls(line: &str) -> String {
    let line = quiet_query(line, REDACTED);
    let mut parts = line.split("//");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(['/', '?', '#', ' ']).unwrap_or(part.len());
        let (authority, tail) = part.split_at_checked(end).unwrap_or((part, ""));
        match authority.rsplit_once('@') {
            Some((_, host)) => shown.extend(["//", REDACTED, "@", host, tail]),
            None => shown.extend(["//", part]),
        }
    }
    shown
}

/// Returns `text` with `mark` in the place of every `value` of `name=value` whose name tells of a secret.
fn quiet_query(text: &str, mark: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    // A fragment may be written like a query (OAuth's implicit grant).
    let Some(begin) = text.find(['?', '#']) else {
        return text.to_owned();
    };
    let (before, query) = text.split_at_checked(begin).unwrap_or((text, ""));
    shown += before;
    for part in query.split_inclusive(['?', '#', '&', ';', ' ']) {
        let word = part.trim_end_matches(['?', '#', '&', ';', ' ']);
        let end = part.strip_prefix(word).unwrap_or_default();
        match word.split_once('=') {
            Some((name, _)) if tells(name) => shown.extend([name, "=", mark, end]),
            _ if is_token(&decoded(word)) => shown.extend([mark, end]),
            _ => shown += part,
        }
    }
    shown
}

fn tells(name: &str) -> bool {
    let name = decoded(name).to_ascii_lowercase();
    TELLING.iter().any(|word| name.contains(word))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Splits off what may precede a user name.
fn split_scheme(text: &str) -> (&str, &str) {
    let mut rest = text.strip_prefix(PREFIX).unwrap_or(text);
    for scheme in SCHEMES {
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
    let split = |colon| userinfo.split_once(colon);
    let found = [":", "%3A", "%3a"].into_iter().filter_map(split);
    found.min_by_key(|(user, _)| user.len())
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
        Some((text, _)) => format!("{text}?{NOTHING}").into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests;
