//! Git's settings for HTTP, typed: `http.*`, `http.<url>.*`, `remote.<name>.*` and the variables, as git weighs them.
//!
//! Everything is parsed here, so that nothing behind it sees a word of configuration. It must not open a connection
//! or a file. The rules are git-config(1), git(1) and, where they are silent, what git does.

mod headers;
mod language;
mod no_proxy;
mod protocols;
mod proxy;
mod reader;
mod resolve;
#[cfg(test)]
mod tests;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

pub use headers::ExtraHeader;
pub use protocols::Protocols;
pub use proxy::{Proxy, ProxyAuth, ProxyScheme};
pub use resolve::Resolve;
pub use tls::{ClientCertificate, FileFormat, Pin, Tls, TlsVersion};

use crate::environment::Environment;
use crate::environment::variable as var;
use crate::git::config::Config;
use crate::report::{Failure, Kind};
use reader::Reader;

/// Git's longest packet, in bytes: `http.postBuffer` is at least this and by default 16 of them.
const LARGE_PACKET_MAX: usize = 65_520;

/// The names that are accepted without an effect; the first two are set by installers on Windows.
const IGNORED: [&str; 5] = [
    "sslBackend",
    "schannelUseSSLCAInfo",
    "schannelCheckRevoke",
    "sslCipherList",
    "delegation",
];

/// How to talk to one address.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The socket of the agent that requests are sent to instead of the server. It is never read from settings here.
    pub agent: Option<PathBuf>,
    /// How to trust the server, and how to show who we are to it.
    pub tls: Tls,
    /// The proxy to go through; `None` is a connection of our own.
    pub proxy: Option<Proxy>,
    /// What to send with each request, in order, or not to send.
    pub extra_headers: Vec<ExtraHeader>,
    /// The `User-Agent`; an empty one is not sent.
    pub user_agent: String,
    /// The `Accept-Language`.
    pub accept_language: Option<String>,
    /// The longest body that is sent with its length instead of in chunks, in bytes; 65520 at least.
    pub post_buffer: usize,
    /// Which redirects to follow.
    pub follow_redirects: FollowRedirects,
    /// To what a redirect may lead.
    pub redirect_protocols: Protocols,
    /// How long connecting may take; `None` is the client's own limit.
    pub connect_timeout: Option<Duration>,
    /// When to give a slow transfer up.
    pub low_speed: Option<LowSpeed>,
    /// How TCP notices a dead connection. It is always on, as git has it; these are its times.
    pub keepalive: Keepalive,
    /// How often to try again after 429.
    pub retries: Retries,
    /// Where cookies are read from; an empty path keeps them in memory only.
    pub cookie_file: Option<PathBuf>,
    /// Whether cookies are written to `cookie_file` in the end; never with an empty one.
    pub save_cookies: bool,
    /// Hosts whose addresses are given.
    pub resolve: Vec<Resolve>,
    /// Whether git's credential helpers are asked before the server asks (`http.proactiveAuth`).
    pub proactive_auth: ProactiveAuth,
    /// What git would warn about, ready to print.
    pub warnings: Vec<String>,
    /// The keys that are set and have no effect here, for those who look for the reason of something.
    pub ignored: Vec<String>,
}

/// Whether git's credential helpers are asked before the server asks (`http.proactiveAuth`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProactiveAuth {
    /// They are not asked.
    None,
    /// They are asked, and choose the scheme.
    Auto,
    /// They are asked for what Basic needs.
    Basic,
}

impl ProactiveAuth {
    /// Returns the challenges that helpers are told before the server has sent any; `None` if they are not asked.
    pub fn challenges(self) -> Option<Vec<String>> {
        match self {
            Self::None => None,
            Self::Auto => Some(Vec::new()),
            Self::Basic => Some(vec!["Basic".to_owned()]),
        }
    }
}

/// `http.followRedirects`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowRedirects {
    /// Each one.
    Always,
    /// Only that of the first request, on whose target the others are then built.
    Initial,
    /// None.
    Never,
}

/// A transfer is given up when it is slower than `limit` for as long as `time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LowSpeed {
    /// In bytes a second, 1 at least.
    pub limit: u64,
    /// One second at least.
    pub time: Duration,
}

/// The times of TCP's keepalive; `None` is the system's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keepalive {
    /// Before the first probe.
    pub idle: Option<Duration>,
    /// Between probes.
    pub interval: Option<Duration>,
    /// How many probes may fail.
    pub count: Option<u32>,
}

/// `http.maxRetries`, `http.retryAfter` and `http.maxRetryTime`; `None` is not set by the user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retries {
    /// How often to try again; git's default is never.
    pub max: Option<u32>,
    /// The wait where the server names none; git's default is none.
    pub after: Option<Duration>,
    /// The longest wait to accept; git's default is 300 seconds.
    pub max_time: Option<Duration>,
}

impl Settings {
    /// Reads what is set for `url`, an address of the remote `remote` (its name, or an address where it has none).
    ///
    /// Fails on words that git fails on, and on a proxy that nobody could use.
    pub fn read(url: &Url, remote: &str, config: &Config, environment: &Environment) -> Result<Self, Failure> {
        let mut reader = Reader::new(url, config, environment);
        check_smart(environment)?;
        let (cookie_file, save_cookies) = cookies(&mut reader)?;
        check_unused(&mut reader)?;
        Ok(Self {
            agent: None,
            tls: tls::server(&mut reader, url)?,
            proxy: proxy::choose(&mut reader, url, remote)?,
            extra_headers: headers::extra(&mut reader)?,
            user_agent: headers::user_agent(&reader),
            accept_language: language::accept(environment),
            post_buffer: post_buffer(&mut reader)?,
            follow_redirects: follow_redirects(&reader)?,
            redirect_protocols: protocols::after_redirect(config, environment)?,
            connect_timeout: reader
                .number("connectTimeoutMs", &[&var::GIT_HTTP_CONNECT_TIMEOUT_MS])?
                .filter(|time| *time > 0)
                .map(Duration::from_millis),
            low_speed: low_speed(&mut reader)?,
            keepalive: keepalive(&mut reader)?,
            retries: retries(&mut reader)?,
            cookie_file,
            save_cookies,
            resolve: resolve::all(&mut reader),
            proactive_auth: proactive_auth(&mut reader),
            ignored: ignored(&mut reader),
            warnings: reader.warnings,
        })
    }
}

fn cookies(reader: &mut Reader<'_>) -> Result<(Option<PathBuf>, bool), Failure> {
    let mut file = reader.http.path("cookieFile")?;
    if file.as_ref().is_some_and(|file| file.as_os_str() == "-") {
        reader.warn("refusing to read cookies from http.cookieFile '-'");
        file = None;
    }
    let mut save = reader.http.flag("saveCookies")?.unwrap_or(false);
    if save && file.as_ref().is_none_or(|file| file.as_os_str().is_empty()) {
        reader.warn("ignoring http.saveCookies for empty http.cookieFile");
        save = false;
    }
    Ok((file, save))
}

fn post_buffer(reader: &mut Reader<'_>) -> Result<usize, Failure> {
    let Some(size) = reader.http.number("postBuffer")? else {
        return Ok(16 * LARGE_PACKET_MAX);
    };
    if size < 0 {
        reader.warn(format!(
            "negative value for http.postBuffer; defaulting to {LARGE_PACKET_MAX}"
        ));
        return Ok(LARGE_PACKET_MAX);
    }
    Ok(usize::try_from(size).unwrap_or(usize::MAX).max(LARGE_PACKET_MAX))
}

fn follow_redirects(reader: &Reader<'_>) -> Result<FollowRedirects, Failure> {
    if reader.http.text("followRedirects").as_deref() == Some("initial") {
        return Ok(FollowRedirects::Initial);
    }
    Ok(match reader.http.flag("followRedirects")? {
        None => FollowRedirects::Initial,
        Some(true) => FollowRedirects::Always,
        Some(false) => FollowRedirects::Never,
    })
}

fn low_speed(reader: &mut Reader<'_>) -> Result<Option<LowSpeed>, Failure> {
    let limit = reader
        .number("lowSpeedLimit", &[&var::GIT_HTTP_LOW_SPEED_LIMIT])?
        .filter(|limit| *limit > 0);
    let time = reader
        .seconds("lowSpeedTime", &[&var::GIT_HTTP_LOW_SPEED_TIME])?
        .filter(|time| !time.is_zero());
    Ok(limit.zip(time).map(|(limit, time)| LowSpeed { limit, time }))
}

/// Git reads the first name of each pair; its manual names the second.
fn keepalive(reader: &mut Reader<'_>) -> Result<Keepalive, Failure> {
    Ok(Keepalive {
        idle: reader.seconds(
            "keepAliveIdle",
            &[&var::GIT_TCP_KEEPIDLE, &var::GIT_HTTP_KEEPALIVE_IDLE],
        )?,
        interval: reader.seconds(
            "keepAliveInterval",
            &[&var::GIT_TCP_KEEPINTVL, &var::GIT_HTTP_KEEPALIVE_INTERVAL],
        )?,
        count: reader.count(
            "keepAliveCount",
            &[&var::GIT_TCP_KEEPCNT, &var::GIT_HTTP_KEEPALIVE_COUNT],
        )?,
    })
}

fn retries(reader: &mut Reader<'_>) -> Result<Retries, Failure> {
    Ok(Retries {
        max: reader.count("maxRetries", &[&var::GIT_HTTP_MAX_RETRIES])?,
        after: reader.seconds("retryAfter", &[&var::GIT_HTTP_RETRY_AFTER])?,
        max_time: reader.seconds("maxRetryTime", &[&var::GIT_HTTP_MAX_RETRY_TIME])?,
    })
}

/// Git without its smart protocol reads files of the server's, which Bitbucket does not serve.
fn check_smart(environment: &Environment) -> Result<(), Failure> {
    match environment.flag(&var::GIT_SMART_HTTP)? {
        Some(false) => Err(Failure::new(
            Kind::Usage,
            "git's smart protocol is turned off (GIT_SMART_HTTP), and there is no other",
        )
        .hint("unset GIT_SMART_HTTP")),
        Some(true) | None => Ok(()),
    }
}

/// What has no effect here, because HTTP/1.1 and Basic are always used, and is checked as git checks it.
fn check_unused(reader: &mut Reader<'_>) -> Result<(), Failure> {
    if reader.http.text("emptyAuth").as_deref() != Some("auto") {
        reader.http.flag("emptyAuth")?;
    }
    if let Some(other) = reader.http.text("version")
        && !matches!(other.as_str(), "HTTP/1.1" | "HTTP/2")
    {
        reader.warn(format!("unknown value given to http.version: '{other}'"));
    }
    Ok(())
}

/// `auto` leaves the method to the helper, and `basic` names the only one that is used.
fn proactive_auth(reader: &mut Reader<'_>) -> ProactiveAuth {
    match reader.http.text("proactiveAuth").as_deref() {
        None | Some("none") => ProactiveAuth::None,
        Some("auto") => ProactiveAuth::Auto,
        Some("basic") => ProactiveAuth::Basic,
        Some(other) => {
            reader.warn(format!("unknown value for http.proactiveAuth: '{other}'"));
            ProactiveAuth::None
        }
    }
}

fn ignored(reader: &mut Reader<'_>) -> Vec<String> {
    let keys = IGNORED
        .iter()
        .filter(|name| reader.http.text(name).is_some())
        .map(|name| format!("http.{name}"));
    let variable = reader
        .environment
        .path(&var::GIT_SSL_CIPHER_LIST)
        .map(|_| var::GIT_SSL_CIPHER_LIST.name.to_owned());
    let names: Vec<_> = keys.chain(variable).collect();
    // The others are set by installers, for everybody and in passing; these somebody has thought about.
    for name in &names {
        if ["http.sslCipherList", "http.delegation", var::GIT_SSL_CIPHER_LIST.name].contains(&name.as_str()) {
            reader.warn(format!("{name} has no effect here"));
        }
    }
    names
}
