//! Cookies: `http.cookieFile` and `http.saveCookies`, with the files and rules of curl's cookie engine (RFC 6265).
//!
//! Does not depend on connections. A server sets cookies for its own host and its parents, but not for a public suffix
//! (`co.uk`): everybody's hosts are below it.

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use url::Url;
use zeroize::Zeroizing;

use super::answer_head::AnswerHead;
use crate::file::{self, Draft};

/// The most that is read of a file, and kept of what servers set.
const MAX_FILE: u64 = 4 * 1024 * 1024;
const MAX_COOKIES: usize = 3000;
/// The most that goes into one request, and the longest cookie: curl's own limits (`MAX_COOKIE_HEADER_LEN`,
/// `MAX_COOKIE_SEND_AMOUNT`, `MAX_NAME`).
const MAX_LINE: usize = 8190;
const MAX_SENT: usize = 150;
const MAX_COOKIE: usize = 4096;

/// A cookie. Its value may be a session's secret.
#[derive(Clone, PartialEq, Eq)]
struct Cookie {
    domain: String,
    /// Whether hosts below `domain` get it, too.
    subdomains: bool,
    path: String,
    secure: bool,
    http_only: bool,
    /// Seconds since 1970; 0 is until the session ends.
    expires: u64,
    name: String,
    value: Zeroizing<String>,
}

/// The cookies of a session.
pub(super) struct Jar {
    cookies: Vec<Cookie>,
    /// Where they are written to in the end.
    file: Option<PathBuf>,
    changed: bool,
}

impl Jar {
    /// Reads `file`; an empty path and a file that cannot be read are no cookies, as with curl.
    pub(super) fn open(file: &Path, save: bool, host: &str) -> Self {
        let bytes = File::open(file).and_then(|file| file::beginning(file, MAX_FILE));
        let bytes = bytes.unwrap_or_default();
        let is_whole = bytes.len() as u64 <= MAX_FILE;
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        let mut jar = Self {
            cookies: Vec::new(),
            // What was not read would be lost.
            file: (save && is_whole).then(|| file.to_owned()),
            changed: false,
        };
        for line in text.lines() {
            let header = line.get(..11).filter(|name| name.eq_ignore_ascii_case("set-cookie:"));
            let cookie = match header {
                Some(_) => line.get(11..).and_then(|value| set_cookie(value, host, None)),
                None => netscape(line),
            };
            if let Some(cookie) = cookie {
                jar.put(cookie);
            }
        }
        jar.changed = false;
        jar
    }

    /// Returns the `Cookie` line for a request of `url`.
    pub(super) fn line(&self, url: &Url) -> Option<Zeroizing<String>> {
        let (host, now) = (url.host_str()?.to_ascii_lowercase(), now());
        let is_private = url.scheme() == "https" || matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        let mut fitting: Vec<_> = self
            .cookies
            .iter()
            .filter(|cookie| cookie.is_for(&host, url.path()) && (is_private || !cookie.secure))
            .filter(|cookie| cookie.expires == 0 || cookie.expires > now)
            .collect();
        if fitting.is_empty() {
            return None;
        }
        // RFC 6265, section 5.4: longer paths first.
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let mut size = 0;
        fitting.truncate(MAX_SENT);
        fitting.retain(|cookie| {
            let with = size + cookie.name.len() + cookie.value.len() + 3;
            let fits = with <= MAX_LINE;
            size = if fits { with } else { size };
            fits
        });
        let mut line = Zeroizing::new(String::with_capacity(8 + size));
        line.push_str("Cookie: ");
        for (number, cookie) in fitting.iter().enumerate() {
            for part in [if number > 0 { "; " } else { "" }, &cookie.name, "=", &cookie.value] {
                line.push_str(part);
            }
        }
        Some(line)
    }

    /// Keeps what the answer to a request of `url` sets.
    pub(super) fn learn(&mut self, url: &Url, head: &AnswerHead) {
        for value in head.all("set-cookie") {
            if let Some(cookie) = set_cookie(&String::from_utf8_lossy(value), "", Some(url)) {
                self.put(cookie);
            }
        }
    }

    fn put(&mut self, cookie: Cookie) {
        self.changed = true;
        self.cookies
            .retain(|known| known.name != cookie.name || known.domain != cookie.domain || known.path != cookie.path);
        let is_short = cookie.name.len() + cookie.value.len() <= MAX_COOKIE;
        if is_short && (cookie.expires == 0 || cookie.expires > now()) && self.cookies.len() < MAX_COOKIES {
            self.cookies.push(cookie);
        }
    }

    /// Writes the file beside its place and moves it there, readable for its owner only: no reader sees half of it.
    fn save(&self) -> io::Result<()> {
        let Some(file) = self.file.as_ref().filter(|_| self.changed) else {
            return Ok(());
        };
        let target = file::target(file)?;
        // As `/dev/null`, which some name so that cookies are kept for a session only.
        if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(());
        }
        let mut text = Zeroizing::new(String::from("# Netscape HTTP Cookie File\n\n"));
        for cookie in &self.cookies {
            text.push_str(&cookie.netscape());
        }
        let beside = target.with_extension(format!("{}.lock", std::process::id()));
        let mut draft = Draft::create(beside, file::PRIVATE)?;
        draft.file().write_all(text.as_bytes())?;
        draft.replace(&target)
    }
}

impl Drop for Jar {
    /// As with curl, a file that cannot be written is no failure of what git was asked to do.
    fn drop(&mut self) {
        self.save().ok();
    }
}

impl Cookie {
    fn is_for(&self, host: &str, path: &str) -> bool {
        let below = self.path.trim_end_matches('/');
        let path_fits = path
            .strip_prefix(below)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        path_fits && is_within(host, &self.domain, self.subdomains)
    }

    fn netscape(&self) -> Zeroizing<String> {
        let flag = |set| if set { "TRUE" } else { "FALSE" };
        let dot = if self.subdomains { "." } else { "" };
        Zeroizing::new(format!(
            "{}{dot}{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
            if self.http_only { "#HttpOnly_" } else { "" },
            self.domain,
            flag(self.subdomains),
            self.path,
            flag(self.secure),
            self.expires,
            self.name,
            *self.value
        ))
    }
}

/// RFC 6265, section 5.1.3; an address has no hosts below it.
fn is_within(host: &str, domain: &str, subdomains: bool) -> bool {
    let is_name = host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('[');
    host == domain || (subdomains && is_name && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

/// Whether people who have nothing to do with each other have hosts below `domain`, as the Public Suffix List has it
/// (RFC 6265, section 5.3, step 5).
fn is_public_suffix(domain: &str) -> bool {
    psl::suffix_str(domain).is_none_or(|suffix| suffix == domain)
}

/// A line of Netscape's format: domain, whether it has hosts below it, path, secure, expiry, name, value.
fn netscape(line: &str) -> Option<Cookie> {
    let (http_only, line) = match line.strip_prefix("#HttpOnly_") {
        Some(line) => (true, line),
        None => (false, line),
    };
    if line.starts_with('#') {
        return None;
    }
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    let (domain, subdomains, path, secure) = (next()?, next()?, next()?, next()?);
    let (expires, name, value) = (next()?, next()?, next().unwrap_or_default());
    let is_true = |text: &str| text.eq_ignore_ascii_case("true");
    let cookie = Cookie {
        domain: domain.trim_start_matches('.').to_ascii_lowercase(),
        subdomains: is_true(subdomains),
        path: path.to_owned(),
        secure: is_true(secure),
        http_only,
        expires: expires.trim().parse().ok()?,
        name: name.to_owned(),
        value: value.to_owned().into(),
    };
    cookie.is_sound().then_some(cookie)
}

/// A `Set-Cookie` value (RFC 6265, section 5.2), from the answer to a request of `url`, or from a file: there it is for
/// `host` if it names no domain. (curl would send it to every host.)
fn set_cookie(value: &str, host: &str, url: Option<&Url>) -> Option<Cookie> {
    let mut parts = value.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let host = url.and_then(Url::host_str).unwrap_or(host).to_ascii_lowercase();
    // With the slash at its end, as curl writes it into the file.
    let directory = url.and_then(|url| {
        let path = url.path();
        path.get(..=path.rfind('/')?)
    });
    let mut cookie = Cookie {
        domain: host.clone(),
        subdomains: false,
        path: directory.unwrap_or("/").to_owned(),
        secure: false,
        http_only: false,
        expires: 0,
        name: name.trim().to_owned(),
        value: value.trim().to_owned().into(),
    };
    let mut max_age = None;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match key.trim().to_ascii_lowercase().as_str() {
            "domain" if !value.is_empty() => {
                cookie.domain = value.trim().trim_start_matches('.').to_ascii_lowercase();
                cookie.subdomains = true;
            }
            "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
            "secure" => cookie.secure = true,
            "httponly" => cookie.http_only = true,
            "expires" => cookie.expires = date(value),
            "max-age" => max_age = value.trim().parse::<i64>().ok(),
            _ => {}
        }
    }
    if let Some(age) = max_age {
        // An age below one is over; 1 stands for that, because 0 is the session.
        cookie.expires = u64::try_from(age)
            .ok()
            .filter(|age| *age > 0)
            .map_or(1, |age| now().saturating_add(age));
    }
    let may = url.is_none()
        || host == cookie.domain
        || (is_within(&host, &cookie.domain, true) && !is_public_suffix(&cookie.domain));
    (may && cookie.is_sound()).then_some(cookie)
}

impl Cookie {
    /// Whether it can be sent and saved without changing what is around it.
    fn is_sound(&self) -> bool {
        let clean = |text: &str| !text.contains(|c: char| c.is_control());
        !self.name.is_empty()
            && !self.domain.is_empty()
            && self.path.starts_with('/')
            && [&self.name, &self.domain, &self.path, &*self.value]
                .into_iter()
                .all(|text| clean(text))
    }
}

/// Dates of cookies come with dashes as well. One that cannot be read means the session.
fn date(text: &str) -> u64 {
    let parsed = httpdate::parse_http_date(&text.trim().replace('-', " "));
    let since = parsed.ok().and_then(|date| date.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs().max(1))
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs()
}
