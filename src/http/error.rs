//! What can go wrong between the first packet and a complete answer, told apart by what the user can do about it.
//!
//! Refusals of the server are no errors of HTTP: they are [`Refusal`](crate::bridge::refusal::Refusal)s.

use std::io;
use std::path::PathBuf;

use crate::bridge::outcome::{Outcome, Unfinished};

/// A failure of the network, of TLS, of a proxy, or of the other side's HTTP.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name has no address.
    #[error("could not resolve host '{host}'")]
    Dns {
        /// The name that was looked up.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// No address of the host accepts connections.
    #[error("failed to connect to {peer}")]
    Connect {
        /// Host and port.
        peer: String,
        /// What the last attempt said.
        #[source]
        source: io::Error,
    },
    /// The TLS handshake, or a record after it, failed.
    #[error("TLS connection to '{host}' failed")]
    Tls {
        /// The name that the certificate had to be for.
        host: String,
        /// What rustls said.
        #[source]
        source: rustls::Error,
    },
    /// The trust store, a certificate or a key of this machine cannot be used.
    #[error("cannot use {what}")]
    Local {
        /// Which of them.
        what: Material,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The proxy did not open the way.
    #[error("the proxy {proxy} {fault}")]
    Proxy {
        /// Host and port of the proxy.
        proxy: String,
        /// Why.
        fault: ProxyFault,
    },
    /// A password has to be asked for, and this is not the time: the connection is opened only in case it is wanted.
    #[error("a password has to be asked for")]
    MustAsk,
    /// The connection went away before the first byte of an answer.
    #[error("the server closed the connection without a response")]
    NoAnswer,
    /// The answer ended before its end.
    #[error("response truncated after {received} bytes")]
    Cut {
        /// Bytes of the body that had arrived.
        received: u64,
    },
    /// The transfer was too slow for too long.
    #[error("the connection moved less than {limit} bytes a second for {seconds} seconds")]
    Stalled {
        /// `http.lowSpeedLimit`.
        limit: u64,
        /// How long it was slower than that.
        seconds: u64,
    },
    /// What arrived is not HTTP/1.1, or not what its own headers promise.
    #[error("invalid HTTP response: {0}")]
    Malformed(String),
    /// A redirect that is not followed.
    #[error("the server redirected to '{to}', which was not followed")]
    Redirect {
        /// Where to.
        to: String,
        /// Why not.
        reason: &'static str,
    },
    /// The request has been answered before all of it was sent; the answer tells why.
    #[error("the server answered before the upload had ended")]
    AnsweredEarly,
    /// No agent could be reached at the socket that the settings name.
    #[error("cannot connect to the agent at '{path}'")]
    Agent {
        /// The socket.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The agent has given no sign of life.
    #[error("the agent has not answered for {seconds} seconds")]
    SilentAgent {
        /// How long.
        seconds: u64,
    },
    /// Nobody waits for the answer any more.
    #[error("the request was given up")]
    Abandoned,
    /// Reading or writing failed in another way.
    #[error("the connection failed")]
    Broken(#[source] io::Error),
}

/// What TLS needs of this machine, by the setting that names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Material {
    /// Who is trusted: `http.sslCAInfo` and its variables.
    #[error("the certificates of '{}'", .0.display())]
    Authorities(PathBuf),
    /// Whom the system trusts.
    #[error("the system's certificate store")]
    Store,
    /// `http.sslCert`.
    #[error("the certificate '{}'", .0.display())]
    Certificate(PathBuf),
    /// `http.sslKey`.
    #[error("the key '{}'", .0.display())]
    Key(PathBuf),
    /// `http.pinnedPubkey`.
    #[error("the key in '{}'", .0.display())]
    Pin(PathBuf),
    /// The library's own algorithms and versions.
    #[error("the TLS library")]
    Library,
}

/// Why a proxy did not open the way, as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyFault {
    /// Nobody has given it a user name and a password.
    #[error("requires a user name and a password{}", status(*.0))]
    LoginRequired(Option<u16>),
    /// It does not accept those that it was given.
    #[error("rejected the user name and password{}", status(*.0))]
    LoginRejected(Option<u16>),
    /// It offers only methods to sign in that are not spoken here.
    #[error("requires {0} authentication, which this build does not support")]
    Method(String),
    /// The setting wants a method that is not spoken here.
    #[error("cannot be used: this build does not support the method in http.proxyAuthMethod")]
    MethodOfSetting,
    /// What SOCKS tells the length of in one byte: the user name, the password or the host's name.
    #[error("cannot be used: {0} is longer than the 255 bytes that SOCKS allows")]
    TooLong(&'static str),
    /// It refused, or does not speak the protocol.
    #[error("{0}")]
    Refused(String),
}

/// The status of a proxy that speaks HTTP.
fn status(status: Option<u16>) -> String {
    status.map_or_else(String::new, |status| format!(" (HTTP {status})"))
}

impl Error {
    /// Whether the connection was lost, so that another one may serve better.
    pub fn is_lost_connection(&self) -> bool {
        matches!(self, Self::NoAnswer | Self::Cut { .. } | Self::Broken(_))
    }

    /// Returns what became of a request that failed so; `sent` if a server can have received some of it.
    pub fn outcome(&self, sent: bool) -> Outcome {
        match self {
            Self::AnsweredEarly => Outcome::AnsweredEarly,
            Self::Redirect { .. } => Outcome::Elsewhere,
            _ if sent => Outcome::Unanswered,
            _ => Outcome::Unsent,
        }
    }

    /// Returns it as the failure of a request.
    pub fn of_request(self, sent: bool) -> Unfinished {
        Unfinished::new(self.outcome(sent), self)
    }
}

/// The error of a request that was sent.
impl From<Error> for Unfinished {
    fn from(error: Error) -> Self {
        error.of_request(true)
    }
}

/// As [`Unfinished`] has it.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Unfinished::from(error).into()
    }
}
