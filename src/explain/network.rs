//! A request without an answer: the network, TLS, a proxy, or an answer that was cut.

use rustls::{AlertDescription, CertificateError};

use super::agent;
use crate::address::BaseUrl;
use crate::bridge::outcome::Unfinished;
use crate::http::error::{Error, Material, ProxyFault};
use crate::http::{Fault, NotPinned, Untrusted};
use crate::report::{Failure, Kind};

/// What to look at where the proxy is to blame.
const PROXY: &str = "check the proxy: 'git config --get-regexp proxy' and 'env | grep -i proxy'";

/// Says what a request that failed means for the user.
pub fn explain(base: &BaseUrl, failed: impl Into<Unfinished>) -> Failure {
    let unfinished = failed.into();
    match unfinished.reason() {
        Some(error) => of(base, error),
        None => Failure::new(Kind::Network, format!("cannot talk to '{}'", base.host())).caused_by(&unfinished),
    }
}

fn of(base: &BaseUrl, error: &Error) -> Failure {
    let failure = |kind| Failure::new(kind, error.to_string());
    let caused = |kind| match std::error::Error::source(error) {
        Some(source) => failure(kind).caused_by(source),
        None => failure(kind),
    };
    match error {
        Error::Agent { path, source } => agent::unreachable(path, source),
        Error::SilentAgent { .. } => failure(Kind::Network)
            .because("the agent was stopped, or serves too many others")
            .hint("check it where it runs: 'git-remote-bbcloud agent --status'"),
        Error::Dns { host, .. } => {
            let failure = caused(Kind::Network);
            if host == base.host() {
                failure.hint("check the network, and BBCLOUD_BASE_URL if it is set")
            } else {
                failure.hint(PROXY)
            }
        }
        Error::Connect { peer, .. } if !is_server(base, peer) => caused(Kind::Network).hint(PROXY),
        Error::Connect { .. } => caused(Kind::Network)
            .hint("check the network; behind a proxy, 'git config --global http.proxy http://<host>:<port>'"),
        Error::Tls { source, .. } if is_pin(source) => failure(Kind::Network)
            .because("the server's key is none of http.pinnedPubkey")
            .hint("somebody else may answer for it; if it has a new key, set http.pinnedPubkey anew"),
        Error::Tls { host, source } => match untrusted(source) {
            Some(why) => distrust(base, host, failure(Kind::Network).because(why.to_string()), why),
            None => tls(base, failure(Kind::Network), source),
        },
        Error::Local { what, .. } => caused(Kind::Local).hint(match what {
            Material::Pin(_) => "check http.pinnedPubkey",
            Material::Certificate(_) | Material::Key(_) => "check http.sslCert and http.sslKey, and their variables",
            Material::Authorities(_) | Material::Store | Material::Library => {
                "check http.sslCAInfo, GIT_SSL_CAINFO and SSL_CERT_FILE"
            }
        }),
        Error::Proxy { fault, .. } => failure(Kind::Network).hint(proxy(fault)),
        Error::Redirect { reason, .. } => failure(Kind::Refused)
            .because(*reason)
            .hint("check the address and BBCLOUD_BASE_URL"),
        Error::NoAnswer | Error::Cut { .. } | Error::Broken(_) => {
            caused(Kind::Network).hint("the connection was lost; nothing was changed and it is safe to retry")
        }
        Error::MustAsk | Error::Abandoned => failure(Kind::Local),
        Error::Stalled { .. } => failure(Kind::Network).hint("check the network, or raise http.lowSpeedTime"),
        Error::Malformed(_) | Error::AnsweredEarly => failure(Kind::Protocol).hint(format!(
            "a proxy may be interfering; check with 'curl -sI {}'",
            base.url()
        )),
    }
}

fn proxy(fault: &ProxyFault) -> &'static str {
    match fault {
        ProxyFault::Method(_) => {
            "install with 'cargo install --path . --locked --features curl' for Digest, NTLM and Kerberos"
        }
        ProxyFault::MethodOfSetting => {
            "unset http.proxyAuthMethod and GIT_HTTP_PROXY_AUTHMETHOD, or install with \
                                        'cargo install --path . --locked --features curl'"
        }
        ProxyFault::LoginRequired(_) => {
            "put its user name into the setting: 'git config --global http.proxy http://<user>@<host>:<port>'"
        }
        ProxyFault::LoginRejected(_) | ProxyFault::TooLong(_) | ProxyFault::Refused(_) => PROXY,
    }
}

/// Whether `peer`, a host and sometimes a port, is the server and not a proxy.
fn is_server(base: &BaseUrl, peer: &str) -> bool {
    let port = base.url().port_or_known_default().unwrap_or_default();
    peer == base.host() || peer == format!("{}:{port}", base.host())
}

fn is_pin(error: &rustls::Error) -> bool {
    use rustls::CertificateError::Other;
    matches!(error, rustls::Error::InvalidCertificate(Other(reason)) if reason.0.is::<NotPinned>())
}

fn untrusted(error: &rustls::Error) -> Option<&Untrusted> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(reason)) => reason.0.downcast_ref(),
        _ => None,
    }
}

/// What helps against `why`, which is about the certificate that `host` has shown.
fn distrust(base: &BaseUrl, host: &str, failure: Failure, why: &Untrusted) -> Failure {
    let clock = "check this machine's clock with 'date'";
    match why {
        Untrusted::NoIssuer(_) | Untrusted::SelfSigned if host != base.host() => failure
            .hint("if you trust it: 'git config --global http.proxySSLCAInfo <file with the issuer's certificate>'"),
        Untrusted::NoIssuer(_) | Untrusted::SelfSigned => failure.hint(format!(
            "if you trust it: 'git config --global http.{}.sslCAInfo <file with the issuer's certificate>'",
            base.url()
        )),
        Untrusted::Server(Fault::Expired(_) | Fault::NotYetValid(_)) => {
            failure.hint(format!("{clock}; if it is right, the server needs a new certificate"))
        }
        Untrusted::Authority {
            fault: Fault::Expired(_) | Fault::NotYetValid(_),
            ..
        } => failure.hint(format!(
            "{clock}; if it is right, the server needs a certificate from another authority"
        )),
        Untrusted::OtherHost { names, .. } if names.is_empty() => {
            failure.hint("the server needs a certificate with its name in subjectAltName")
        }
        Untrusted::OtherHost { .. } => {
            failure.hint("another server may answer for this name: check the network, the proxy and BBCLOUD_BASE_URL")
        }
        Untrusted::Server(_) | Untrusted::Authority { .. } => failure.hint(format!(
            "see its certificates with 'openssl s_client -connect {host}:{} -showcerts'; the server needs another one",
            base.url().port_or_known_default().unwrap_or_default()
        )),
    }
}

/// A handshake that failed for another reason than the certificate. rustls' own words are names of its types.
fn tls(base: &BaseUrl, failure: Failure, error: &rustls::Error) -> Failure {
    use rustls::Error::PeerMisbehaved;
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage, NoApplicationProtocol, PeerIncompatible};
    match error {
        AlertReceived(AlertDescription::CertificateRequired) => failure
            .because("the server requires a client certificate")
            .hint("name a certificate for this server in http.sslCert, and its key in http.sslKey"),
        AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity)
        | PeerIncompatible(_) => failure
            .because(
                "no common TLS parameters: this helper supports TLS 1.3, and TLS 1.2 with ECDHE and AES-GCM or \
                 ChaCha20-Poly1305",
            )
            .hint(format!(
                "the server needs one of these, or a certificate with an RSA, ECDSA or Ed25519 key; see what it has with \
                 'curl -vI {}'",
                base.url()
            )),
        AlertReceived(AlertDescription::NoApplicationProtocol) | NoApplicationProtocol => failure
            .because("the server does not support HTTP/1.1")
            .hint("allow HTTP/1.1 at the server, or at the proxy before it"),
        AlertReceived(AlertDescription::ProtocolVersion) => failure
            .because("the server does not support the TLS version")
            .hint("TLS 1.2 and 1.3 are supported; check http.sslVersion"),
        AlertReceived(alert) => failure
            .because(format!("the server refused the handshake: {}", words(&format!("{alert:?}"))))
            .hint("check for an intercepting proxy, and http.sslCert"),
        InvalidCertificate(_) => failure
            .because("the server's signature does not fit the key of its certificate")
            .hint("RSA keys need 2048 bits at least; check for an intercepting proxy"),
        InvalidMessage(_) | PeerMisbehaved(_) => failure
            .because("the server's handshake is not valid TLS")
            .hint("check for an intercepting proxy, and BBCLOUD_BASE_URL"),
        other => failure
            .because(other.to_string())
            .hint("check for an intercepting proxy, and http.sslVersion"),
    }
}

/// `BadCertificate` as `bad certificate`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}
