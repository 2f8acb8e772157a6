//! The way to a server through a proxy: SOCKS, or `CONNECT` over HTTP with or without TLS.
//!
//! Plain HTTP is relayed: then the way ends at the proxy, and requests carry [`Access::header`]. It must not know
//! requests to servers.

mod access;
#[cfg(feature = "curl")]
mod negotiated;
mod socks;

use url::Url;

pub(super) use access::Access;

use super::answer_head::AnswerHead;
use super::dial::{Dialing, dial};
use super::error::{Error, ProxyFault};
use super::exchange::Exchange;
use super::head::{Head, Length, Target};
use super::lines::Line;
use super::settings::{Proxy, ProxyScheme};
use super::stream::Stream;
use super::tls;
use super::wire::Watch;

/// The most of a refusal that is read so that its connection can be used again.
const REFUSAL: usize = 64 * 1024;
/// How often a proxy may want another password.
const ROUNDS: usize = 3;

/// A proxy, and what is needed to go through it.
pub(super) struct Way<'a> {
    pub(super) proxy: &'a Proxy,
    pub(super) dialing: Dialing<'a>,
    pub(super) watch: &'a Watch,
    pub(super) user_agent: &'a str,
    /// Whether a password may be asked for: not while a thread only hopes that the connection will be wanted.
    pub(super) may_ask: bool,
}

/// `host:port` as requests and messages have it.
pub(super) fn place(host: &str, port: u16) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

impl Way<'_> {
    /// Opens a stream that ends at `host:port`; where plain HTTP is relayed, at the proxy.
    pub(super) fn open(&self, secure: bool, host: &str, port: u16, access: &mut Access) -> Result<Stream, Error> {
        match self.proxy.scheme {
            ProxyScheme::Http | ProxyScheme::Https if secure => self.tunnel(&place(host, port), access),
            ProxyScheme::Http | ProxyScheme::Https => self.connect(access),
            _ => {
                access.prepare(self.proxy, self.may_ask)?;
                let mut stream = self.reach()?;
                let opened = socks::open(&mut stream, self, host, port, access.login());
                if matches!(
                    opened,
                    Err(Error::Proxy {
                        fault: ProxyFault::LoginRejected(_) | ProxyFault::LoginRequired(_),
                        ..
                    })
                ) {
                    access.reject();
                }
                opened?;
                access.approve();
                Ok(stream)
            }
        }
    }

    /// Returns the proxy's name for messages.
    pub(super) fn name(&self) -> String {
        place(&self.proxy.host, self.proxy.port)
    }

    /// Returns the error that the proxy did not open the way because of `fault`.
    pub(super) fn failed(&self, fault: ProxyFault) -> Error {
        Error::Proxy {
            proxy: self.name(),
            fault,
        }
    }

    /// Returns the error that the proxy did what `words` say, the end of a sentence.
    pub(super) fn refused(&self, words: impl Into<String>) -> Error {
        self.failed(ProxyFault::Refused(words.into()))
    }

    fn reach(&self) -> Result<Stream, Error> {
        let name = self.name();
        self.watch.trace.info(|| format!("Connecting to the proxy {name}"));
        if let Some(path) = &self.proxy.socket {
            return reach_local(path);
        }
        Ok(Stream::Plain(dial(&self.proxy.host, self.proxy.port, &self.dialing)?))
    }

    /// Connects to the proxy itself, and over TLS if it wants that.
    fn connect(&self, access: &mut Access) -> Result<Stream, Error> {
        access.prepare(self.proxy, self.may_ask)?;
        let stream = self.reach()?;
        if self.proxy.scheme != ProxyScheme::Https {
            return Ok(stream);
        }
        let config = access.tls(|| tls::client_config(&self.proxy.tls, self.may_ask))?;
        config.may_ask(self.may_ask);
        stream.secure(&config, &self.proxy.host, self.dialing.deadline)
    }

    /// Asks for a tunnel to `target` (RFC 9110, section 9.3.6), again with a password where the proxy wants one.
    fn tunnel(&self, target: &str, access: &mut Access) -> Result<Stream, Error> {
        #[cfg(feature = "curl")]
        if negotiated::is_wanted(self.proxy, None) {
            return negotiated::tunnel(self, target, access);
        }
        let mut kept = None;
        let mut rounds = 0;
        while rounds < ROUNDS {
            let is_kept = kept.is_some();
            let stream = match kept.take() {
                Some(stream) => stream,
                None => self.connect(access)?,
            };
            let (mut exchange, head) = match self.ask(stream, target, access) {
                // The proxy has closed the connection behind its 407, and did not say so in the answer.
                Err(error) if is_kept && error.is_lost_connection() => continue,
                asked => asked.map_err(|error| self.unanswered(error, target))?,
            };
            match head.status {
                200..=299 => {
                    access.approve();
                    return exchange.into_tunnel();
                }
                #[cfg(feature = "curl")]
                407 if negotiated::is_wanted(self.proxy, Some(&head)) => {
                    return negotiated::tunnel(self, target, access);
                }
                407 => {
                    rounds += 1;
                    exchange.drain(REFUSAL);
                    kept = exchange.into_stream();
                    access.challenged(self, &head)?;
                }
                status => return Err(self.refused(format!("refused to connect to '{target}' (HTTP {status})"))),
            }
        }
        Err(self.failed(ProxyFault::LoginRejected(Some(407))))
    }

    /// Words for a proxy that has not answered `CONNECT`.
    fn unanswered(&self, error: Error, target: &str) -> Error {
        match error {
            Error::NoAnswer => self.refused(format!("closed the connection instead of connecting to '{target}'")),
            Error::Broken(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                self.refused("did not respond in time")
            }
            Error::Malformed(reason) => self.refused(format!("sent an invalid HTTP response: {reason}")),
            error => error,
        }
    }

    fn ask(&self, stream: Stream, target: &str, access: &Access) -> Result<(Exchange, AnswerHead), Error> {
        let mut lines: Vec<Line> = vec![format!("Host: {target}").into()];
        lines.extend(access.header().map(Line::from));
        if !self.user_agent.is_empty() {
            lines.push(format!("User-Agent: {}", self.user_agent).into());
        }
        lines.push("Proxy-Connection: Keep-Alive".to_owned().into());
        let head = Head {
            url: &format!("http://{target}/"),
            method: None,
            length: Length::None,
            lines: &lines,
            target: Target::Tunnel,
        };
        let watch = Watch {
            deadline: Some(self.dialing.deadline),
            ..self.watch.clone()
        };
        let mut exchange = Exchange::start(stream, &head, &watch)?;
        let head = exchange.read_head()?;
        Ok((exchange, head))
    }
}

/// Whether requests for `url` name it whole, because the proxy relays them.
pub(super) fn relays(proxy: Option<&Proxy>, url: &Url) -> bool {
    let http = proxy.is_some_and(|proxy| matches!(proxy.scheme, ProxyScheme::Http | ProxyScheme::Https));
    http && url.scheme() == "http"
}

/// The TLS of an https proxy, made once.
type Config = tls::Client;

#[cfg(unix)]
fn reach_local(path: &std::path::Path) -> Result<Stream, Error> {
    let socket = std::os::unix::net::UnixStream::connect(path);
    socket.map(Stream::Local).map_err(|source| Error::Connect {
        peer: format!("the proxy at '{}'", path.display()),
        source,
    })
}

#[cfg(not(unix))]
fn reach_local(path: &std::path::Path) -> Result<Stream, Error> {
    Err(Error::Connect {
        peer: format!("the proxy at '{}'", path.display()),
        source: std::io::ErrorKind::Unsupported.into(),
    })
}
