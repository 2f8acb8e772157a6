//! The TLS of a connection: which roots are trusted, who we are, and what the settings change about that.
//!
//! rustls with ring, because the process lives for milliseconds: aws-lc, rustls' default, spends 20 ms of CPU at its
//! first use on collecting jitter. Certificates are checked here and not by webpki, which is made for the public web
//! and knows neither keyUsage nor the rules for the authority at the end of a path, and refuses much that companies
//! use; [`path`] says what is checked. A server that git refuses with OpenSSL or with GnuTLS is refused, but for what
//! `tests/it/certificates` lists with its reason; only `http.sslVerify=false` drops any check.

mod anchors;
mod certificate;
mod client;
mod curves;
mod identity;
mod path;
mod pem;
mod platform;
mod signature;
mod system;
mod trust;
mod untrusted;
mod verifier;
mod x509;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;

use super::error::{Error, Material};
use super::settings::{Tls, TlsVersion};
pub use certificate::Certificate;
pub(super) use client::Client;
use client::Identity;
pub use trust::NotPinned;
pub use untrusted::{Fault, Untrusted};

/// Returns the client configuration that `settings` ask for. `may_ask` is whether a key's password may be asked for.
pub(super) fn client_config(settings: &Tls, may_ask: bool) -> Result<Client, Error> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[_] = match settings.min_version {
        TlsVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsVersion::Tls13 => &[&rustls::version::TLS13],
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|source| unusable(Material::Library, source))?;
    let verifier = trust::verifier(settings, &provider)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let identity = settings.client_certificate.as_ref();
    let identity = identity.map(|settings| Arc::new(Identity::new(settings.clone(), provider, may_ask)));
    let mut config = match &identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder.with_client_cert_resolver(Arc::<Identity>::clone(identity)),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Client {
        config: Arc::new(config),
        identity,
    })
}

fn unusable(what: Material, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Local {
        what,
        source: source.into(),
    }
}
