//! Which proxy to go through, if any: `remote.<name>.proxy`, `http.proxy`, then the variables, as git decides.
//!
//! It must not connect. A proxy's address holds a secret: no message shows more of it than its scheme.

use std::path::PathBuf;

use url::Url;
use zeroize::Zeroizing;

use super::reader::Reader;
use super::{Tls, no_proxy, tls};
use crate::environment::Variable;
use crate::environment::variable as var;
use crate::report::{Failure, Kind};
use crate::secret::Secret;

/// The port of a proxy that names none, as curl has it.
const DEFAULT_PORT: u16 = 1080;

/// A proxy and how to sign in at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proxy {
    /// How to talk to it.
    pub scheme: ProxyScheme,
    /// Its name or address; an IPv6 address is without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The socket of a SOCKS proxy on this machine, to be used in place of host and port.
    pub socket: Option<PathBuf>,
    /// The name to sign in with; where there is one without a password, git asks for it.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// How to sign in.
    pub auth: ProxyAuth,
    /// How to trust it, for `https`.
    pub tls: Tls,
}

/// How to talk to a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyScheme {
    /// HTTP, in clear text up to the tunnel.
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS 4: the host's IPv4 address is looked up here.
    Socks4,
    /// SOCKS 4a: the proxy looks the host up.
    Socks4a,
    /// SOCKS 5: the host is looked up here.
    Socks5,
    /// SOCKS 5: the proxy looks the host up.
    Socks5h,
}

/// How to sign in at a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyAuth {
    /// The best that it offers.
    Any,
    /// Basic
    Basic,
    /// Digest
    Digest,
    /// Kerberos or NTLM by SPNEGO.
    Negotiate,
    /// NTLM
    Ntlm,
}

/// The proxy for `url`, an address of `remote`.
pub(super) fn choose(reader: &mut Reader<'_>, url: &Url, remote: &str) -> Result<Option<Proxy>, Failure> {
    let Some((text, source)) = address(reader, url, remote).filter(|(text, _)| !text.is_empty()) else {
        return Ok(None);
    };
    // Git hands this list to curl for a configured proxy as well.
    let direct = first(reader, &[&var::NO_PROXY_LOWER, &var::NO_PROXY])
        .map(|(list, _)| list)
        .unwrap_or_default();
    if url.host().is_some_and(|host| no_proxy::lists(&direct, &host)) {
        return Ok(None);
    }
    let auth = auth(reader, remote);
    let tls = tls::proxy(reader)?;
    parse(&text, auth, tls).map(Some).map_err(|reason| {
        Failure::new(Kind::Usage, format!("invalid proxy address in {source}: {reason}")).hint(format!(
            "give it as 'http://host:port' in {source}, or empty for no proxy"
        ))
    })
}

/// The proxy's address and who gave it.
fn address(reader: &Reader<'_>, url: &Url, remote: &str) -> Option<(String, String)> {
    let key = format!("remote.{remote}.proxy");
    if let Some(text) = reader.config.text(&key) {
        return Some((text, key));
    }
    if let Some(text) = reader.http.text("proxy") {
        return Some((text, "http.proxy".to_owned()));
    }
    let own: &[&Variable] = if url.scheme() == "https" {
        &[&var::HTTPS_PROXY_LOWER, &var::HTTPS_PROXY]
    } else {
        &[&var::HTTP_PROXY_LOWER]
    };
    first(reader, own).or_else(|| first(reader, &[&var::ALL_PROXY_LOWER, &var::ALL_PROXY]))
}

fn first(reader: &Reader<'_>, variables: &[&Variable]) -> Option<(String, String)> {
    let found = |variable: &&Variable| Some((reader.environment.text(variable)?.to_owned(), variable.name.to_owned()));
    variables.iter().find_map(found)
}

fn auth(reader: &mut Reader<'_>, remote: &str) -> ProxyAuth {
    let given = reader
        .environment
        .text(&var::GIT_HTTP_PROXY_AUTHMETHOD)
        .map(str::to_owned);
    let own = || reader.config.text(&format!("remote.{remote}.proxyAuthMethod"));
    let method = given.or_else(own).or_else(|| reader.http.text("proxyAuthMethod"));
    match method.as_deref() {
        None | Some("anyauth") => ProxyAuth::Any,
        Some("basic") => ProxyAuth::Basic,
        Some("digest") => ProxyAuth::Digest,
        Some("negotiate") => ProxyAuth::Negotiate,
        Some("ntlm") => ProxyAuth::Ntlm,
        Some(other) => {
            reader.warn(format!(
                "unsupported proxy authentication method {other}: using anyauth"
            ));
            ProxyAuth::Any
        }
    }
}

/// Takes a proxy's address apart; the error is a reason without any of its secrets.
///
/// Not by `Url`, to which a port of 80 is the same as none: here none is 1080.
fn parse(text: &str, auth: ProxyAuth, tls: Tls) -> Result<Proxy, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => ProxyScheme::Http,
        "https" => ProxyScheme::Https,
        "socks" | "socks4" => ProxyScheme::Socks4,
        "socks4a" => ProxyScheme::Socks4a,
        "socks5" => ProxyScheme::Socks5,
        "socks5h" => ProxyScheme::Socks5h,
        other => return Err(format!("unsupported proxy scheme '{other}'")),
    };
    let (authority, path) = match rest.split_once(['/', '?', '#']) {
        Some((authority, path)) => (authority, path),
        None => (rest, ""),
    };
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, authority),
    };
    let (name, password) = match user.map(|user| user.split_once(':').ok_or(user)) {
        Some(Ok((name, password))) => (Some(name), Some(password)),
        Some(Err(name)) => (Some(name), None),
        None => (None, None),
    };
    let (host, port) = place_of(place, scheme)?;
    let socks = !matches!(scheme, ProxyScheme::Http | ProxyScheme::Https);
    let socket = match path {
        "" => None,
        _ if !socks => return Err("only SOCKS proxies support paths".to_owned()),
        _ if !host.eq_ignore_ascii_case("localhost") => return Err("its host must be localhost for a path".to_owned()),
        path => Some(PathBuf::from(format!("/{}", decode(path)?))),
    };
    Ok(Proxy {
        scheme,
        host,
        port,
        socket,
        username: name.map(decode).transpose()?,
        password: password.map(decode).transpose()?.map(Secret::new),
        auth,
        tls,
    })
}

fn place_of(place: &str, scheme: ProxyScheme) -> Result<(String, u16), String> {
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or(rest)),
        None => place.rsplit_once(':').unwrap_or((place, "")),
    };
    let port = match port {
        "" if scheme == ProxyScheme::Https => 443,
        "" => DEFAULT_PORT,
        port => port.parse().map_err(|_| "its port is no number".to_owned())?,
    };
    let good = |c: char| c.is_alphanumeric() || ".-_:%".contains(c);
    if host.is_empty() || !host.chars().all(good) {
        return Err("it has no host".to_owned());
    }
    Ok((decode(host)?, port))
}

/// `text` with its `%XX` escapes undone. As git has it (`url.c`), a `%` that begins none, or that of a NUL, stays.
fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((byte, later)) = rest.split_first() {
        let escape = (*byte == b'%').then(|| later.split_at_checked(2)).flatten();
        let escaped = escape.and_then(|(digits, later)| Some((hexadecimal(digits)?, later)));
        let (byte, later) = escaped.unwrap_or((*byte, later));
        bytes.push(byte);
        rest = later;
    }
    let text = str::from_utf8(&bytes).map_err(|_| "an escape in it is not UTF-8".to_owned())?;
    Ok(text.to_owned())
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok().filter(|byte| *byte != 0)
}
