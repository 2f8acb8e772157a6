//! Proxies for tests: HTTP with `CONNECT` and relaying, the same over TLS, and SOCKS 4, 4a and 5, on TCP or a Unix
//! socket, each with an optional name and password and with a log of what it was asked for.

mod http;
mod ntlm;
mod socks;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Http,
    Https,
    Socks,
}

/// What is fixed when a proxy starts.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) kind: Kind,
    /// Who is let through; everybody if nobody is named.
    pub(crate) login: Option<(&'static str, &'static str)>,
    /// The `Proxy-Authenticate` of a refusal.
    pub(crate) challenge: &'static str,
    /// Ends the connection after a challenge, which has this header more.
    pub(crate) hangs_up: Option<&'static str>,
    /// Refuses everything with this status.
    pub(crate) broken: Option<u16>,
    /// Whether an https proxy wants a certificate of its clients: its own, which is the only one it knows.
    pub(crate) certificate: bool,
}

impl Rules {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            login: None,
            challenge: "Basic realm=\"test\"",
            hangs_up: None,
            broken: None,
            certificate: false,
        }
    }

    pub(crate) fn login(mut self, name: &'static str, password: &'static str) -> Self {
        self.login = Some((name, password));
        self
    }
}

/// The log: `CONNECT host:port`, `GET http://…`, `socks5 host:port`, each with ` as <name>` where somebody signed in,
/// and with ` refused` where that was not enough.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

/// A running proxy. Dropping it ends its connections.
pub(crate) struct Proxy {
    log: Log,
    runtime: Option<Runtime>,
    port: u16,
    directory: TempDir,
}

pub(crate) trait Bytes: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Bytes for T {}

impl Proxy {
    pub(crate) fn start(rules: Rules) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let acceptor = (rules.kind == Kind::Https).then(|| acceptor(directory.path(), rules.certificate));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port of our own");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let log = Log::default();
        #[cfg(unix)]
        if rules.kind == Kind::Socks {
            let _guard = runtime.enter();
            let local = tokio::net::UnixListener::bind(directory.path().join("socket")).expect("a socket of our own");
            let (rules, log) = (rules.clone(), log.clone());
            runtime.spawn(async move {
                while let Ok((stream, _)) = local.accept().await {
                    tokio::spawn(socks::serve(stream, rules.clone(), log.clone()));
                }
            });
        }
        runtime.spawn(accept(listener, acceptor, rules, log.clone()));
        Self {
            log,
            runtime: Some(runtime),
            port,
            directory,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The authority that an https proxy's certificate is to be checked with.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.directory.path().join("proxy.pem")
    }

    /// The key of that certificate.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.directory.path().join("proxy.key")
    }

    /// The Unix socket of a SOCKS proxy.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, rules: Rules, log: Log) {
    while let Ok((stream, _)) = listener.accept().await {
        let (rules, log, acceptor) = (rules.clone(), log.clone(), acceptor.clone());
        tokio::spawn(async move {
            match (rules.kind, acceptor) {
                (Kind::Socks, _) => socks::serve(stream, rules, log).await,
                (_, None) => http::serve(stream, rules, log).await,
                (_, Some(acceptor)) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        http::serve(stream, rules, log).await;
                    }
                }
            }
        });
    }
}

fn note(log: &Log, line: String) {
    log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
}

fn acceptor(directory: &Path, with_certificate: bool) -> TlsAcceptor {
    let key = KeyPair::generate().expect("ring can make a key");
    let params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("our names are ASCII");
    let certificate = params.self_signed(&key).expect("a key can sign");
    std::fs::write(directory.join("proxy.pem"), certificate.pem()).expect("the certificate can be written");
    std::fs::write(directory.join("proxy.key"), key.serialize_pem()).expect("the key can be written");
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring speaks both versions");
    let builder = if with_certificate {
        let mut roots = RootCertStore::empty();
        roots
            .add(certificate.der().clone())
            .expect("our own certificate is well-formed");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .expect("a verifier with one root");
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let config = builder
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .expect("our own certificate fits its key");
    TlsAcceptor::from(Arc::new(config))
}
