//! The TLS of a connection: which roots are trusted, who we are, and what the settings change about that.
//!
//! rustls with ring, because the process lives for milliseconds: aws-lc, rustls' default, spends 20 ms of CPU at its
//! first use on collecting jitter. There are never fewer checks than git has: only `http.sslVerify=false` drops any.

mod certificate;
mod identity;
mod pem;
mod system;
mod trust;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;

use super::error::Error;
use super::settings::{Tls, TlsVersion};
pub use certificate::Certificate;
pub use trust::NotPinned;
use trust::{Pinned, Unverified};

/// Returns the client configuration that `settings` ask for. `may_ask` is whether a key's password may be asked for.
pub(super) fn client_config(settings: &Tls, may_ask: bool) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[_] = match settings.min_version {
        TlsVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsVersion::Tls13 => &[&rustls::version::TLS13],
    };
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|source| unusable("ring with TLS 1.2 and 1.3", source))?;
    let verifier: Arc<dyn ServerCertVerifier> = if settings.verify {
        trust::authorities(settings, provider)?
    } else {
        Arc::new(Unverified(provider))
    };
    // A pinned key is checked with and without certificates (`CURLOPT_PINNEDPUBLICKEY`(3)).
    let verifier = match &settings.pin {
        Some(pin) => Arc::new(Pinned::new(verifier, pin)?),
        None => verifier,
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match &settings.client_certificate {
        None => builder.with_no_client_auth(),
        Some(certificate) => {
            let (chain, key) = identity::read(certificate, may_ask)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|source| unusable(&format!("the certificate '{}'", certificate.cert.display()), source))?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn unusable(what: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Trust {
        what: what.to_owned(),
        source: source.into(),
    }
}
