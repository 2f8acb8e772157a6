//! The way to a server, one step at a time, for those who look for the step that fails.
//!
//! It sends nothing but what opening a connection needs: no request, and never a secret of the server's.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use url::Url;

use super::dial::{Dialing, dial};
use super::error::Error;
use super::family::Family;
use super::proxy::{Access, Way};
use super::settings::Settings;
use super::stream::Stream;
use super::tls;
use super::wire::Watch;

pub use super::tls::Certificate;

/// The way to one server.
pub struct Probe<'a> {
    settings: &'a Settings,
    host: String,
    port: u16,
    secure: bool,
}

/// A connection on which nothing has been said yet.
pub struct Connected {
    stream: Stream,
    /// How long it took.
    pub took: Duration,
}

/// What TLS has found out.
#[derive(Debug)]
pub struct Secured {
    /// The version and cipher.
    pub security: String,
    /// The server's certificate, if it can be read.
    pub certificate: Option<Certificate>,
    /// How long the handshake took.
    pub took: Duration,
}

impl<'a> Probe<'a> {
    /// Returns the way to the server of `url`, as `settings` have it.
    pub fn new(url: &Url, settings: &'a Settings) -> Self {
        let secure = url.scheme() == "https";
        Self {
            settings,
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or(443),
            secure,
        }
    }

    /// Returns whose name is looked up: the server's, or that of the proxy before it.
    pub fn peer(&self) -> (&str, u16) {
        match &self.settings.proxy {
            Some(proxy) => (&proxy.host, proxy.port),
            None => (&self.host, self.port),
        }
    }

    /// Looks the name up.
    pub fn look_up(&self) -> Result<Vec<SocketAddr>, Error> {
        let (host, port) = self.peer();
        self.dialing().look_up(host, port)
    }

    /// Connects, through the proxy if there is one.
    pub fn connect(&self) -> Result<Connected, Error> {
        let start = Instant::now();
        let watch = Watch::default();
        let dialing = self.dialing();
        let stream = match &self.settings.proxy {
            None => Stream::Plain(dial(&self.host, self.port, &dialing)?),
            Some(proxy) => {
                let way = Way {
                    proxy,
                    dialing,
                    watch: &watch,
                    user_agent: &self.settings.user_agent,
                    may_ask: false,
                };
                way.open(self.secure, &self.host, self.port, &mut Access::default())?
            }
        };
        Ok(Connected {
            stream,
            took: start.elapsed(),
        })
    }

    /// Completes the TLS handshake, with all of the checks that a request would make.
    pub fn secure(&self, connected: Connected) -> Result<Secured, Error> {
        self.secure_with(&self.settings.tls, connected)
    }

    /// Returns the certificate of a server that is not trusted, so that its issuer can be told. The connection is
    /// closed after the handshake, and nothing is sent on it.
    pub fn untrusted_certificate(&self) -> Option<Certificate> {
        let tls = super::settings::Tls {
            verify: false,
            pin: None,
            client_certificate: None,
            ..self.settings.tls.clone()
        };
        let connected = self.connect().ok()?;
        self.secure_with(&tls, connected).ok()?.certificate
    }

    fn secure_with(&self, tls: &super::settings::Tls, connected: Connected) -> Result<Secured, Error> {
        let config = tls::client_config(tls, false)?;
        let start = Instant::now();
        let stream = connected.stream.secure(&config, &self.host, self.dialing().deadline)?;
        Ok(Secured {
            took: start.elapsed(),
            security: stream.security(),
            certificate: stream.certificate().and_then(Certificate::read),
        })
    }

    fn dialing(&self) -> Dialing<'a> {
        Dialing::begin(self.settings, Family::Any, !self.secure)
    }
}
