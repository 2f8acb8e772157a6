//! The system's store, of which no more is read than a server needs.
//!
//! Debian's store is a file with all certificates, and a directory with a file for each: read together, as
//! `rustls-native-certs` does, they cost twice the time. The file is nearly always enough. A server that it does not
//! vouch for is looked up in all there is, so nobody is trusted less than before.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::super::error::Error;
use super::{pem, trust, unusable};

/// Trusts whom the system trusts.
#[derive(Debug)]
pub(super) struct System {
    provider: Arc<CryptoProvider>,
    /// With the certificates of the file, or with all where there is none.
    first: Arc<WebPkiServerVerifier>,
    /// With all certificates, once they were needed; nothing if that is no more than the first has.
    all: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
}

impl System {
    pub(super) fn open(provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let mut store = RootCertStore::empty();
        if let Some(file) = file().and_then(|file| std::fs::read(file).ok()) {
            store.add_parsable_certificates(pem::certificates(&file).into_iter().flatten());
        }
        let all = OnceLock::new();
        if store.is_empty() {
            store = everything()?;
            all.get_or_init(|| None);
        }
        let first = trust::verifier(store, provider.clone())?;
        Ok(Self { provider, first, all })
    }

    fn all(&self) -> Option<&Arc<WebPkiServerVerifier>> {
        let open = || trust::verifier(everything().ok()?, self.provider.clone()).ok();
        self.all.get_or_init(open).as_ref()
    }
}

/// Where the system keeps all certificates in one file.
#[cfg(all(unix, not(target_vendor = "apple")))]
fn file() -> Option<PathBuf> {
    openssl_probe::probe().cert_file
}

/// The store is no file.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
fn file() -> Option<PathBuf> {
    None
}

/// Returns all that the system trusts, wherever it keeps them.
pub(super) fn everything() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(found.certs);
    if store.is_empty() {
        let why = found
            .errors
            .first()
            .map_or_else(|| "it is empty".to_owned(), ToString::to_string);
        return Err(unusable("the system's certificate store", why));
    }
    Ok(store)
}

impl ServerCertVerifier for System {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let by = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        // Whatever is wrong with the way to one authority, another may have a better one.
        by(&self.first).or_else(|error| self.all().map_or(Err(error), |all| by(all)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.first.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.first.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.first.supported_verify_schemes()
    }
}
