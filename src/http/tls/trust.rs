//! Whom to trust: the system's store, files and directories of authorities, pinned keys, or anybody.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::super::error::Error;
use super::super::settings::{Pin, Tls};
use super::system::{self, System};
use super::{pem, unusable};

/// Returns who trusts the authorities that `settings` name, else the system's.
pub(super) fn authorities(settings: &Tls, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let mut store = RootCertStore::empty();
    if let Some(directory) = &settings.ca_path {
        add_directory(&mut store, directory);
    }
    match (&settings.ca_file, &settings.ca_path) {
        (Some(file), _) => add_file(&mut store, file)?,
        (None, None) => return Ok(Arc::new(System::open(provider)?)),
        // To curl a directory comes on top of its default file.
        (None, Some(_)) => match system::everything() {
            Ok(more) => store.roots.extend(more.roots),
            Err(error) if store.is_empty() => return Err(error),
            Err(_) => {}
        },
    }
    Ok(verifier(store, provider)?)
}

/// Returns who trusts those in `store`.
pub(super) fn verifier(
    store: RootCertStore,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Error> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
        .build()
        .map_err(|source| unusable("the trusted certificates", source))
}

fn add_file(store: &mut RootCertStore, file: &Path) -> Result<(), Error> {
    let what = format!("the certificates of '{}'", file.display());
    let text = std::fs::read(file).map_err(|source| unusable(&what, source))?;
    let certificates: Result<Vec<_>, _> = pem::certificates(&text).into_iter().collect();
    let (added, _) = store.add_parsable_certificates(certificates.map_err(|source| unusable(&what, source))?);
    if added == 0 {
        return Err(unusable(&what, "there is no certificate in it"));
    }
    Ok(())
}

/// Every certificate in `directory`, whatever its file is called: OpenSSL's hashes only say where to look. What cannot
/// be read is passed over, as OpenSSL does.
fn add_directory(store: &mut RootCertStore, directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for text in entries.flatten().filter_map(|entry| std::fs::read(entry.path()).ok()) {
        store.add_parsable_certificates(pem::certificates(&text).into_iter().flatten());
    }
}

/// `http.pinnedPubkey`: the server's key has to be a given one, whatever else is checked.
#[derive(Debug)]
pub(super) struct Pinned {
    inner: Arc<dyn ServerCertVerifier>,
    digests: Vec<[u8; 32]>,
}

impl Pinned {
    pub(super) fn new(inner: Arc<dyn ServerCertVerifier>, pin: &Pin) -> Result<Self, Error> {
        let digests = match pin {
            Pin::Sha256(digests) => digests.clone(),
            Pin::File(file) => {
                let what = format!("the key in '{}'", file.display());
                let bytes = std::fs::read(file).map_err(|source| unusable(&what, source))?;
                let key = match SubjectPublicKeyInfoDer::from_pem_slice(&bytes) {
                    Ok(key) => key,
                    Err(_) => SubjectPublicKeyInfoDer::from(bytes),
                };
                vec![sha256(&key)?]
            }
        };
        Ok(Self { inner, digests })
    }
}

fn sha256(key: &[u8]) -> Result<[u8; 32], Error> {
    let suite = TLS13_AES_128_GCM_SHA256.tls13();
    let digest = suite.map(|suite| suite.common.hash_provider.hash(key));
    let digest = digest.and_then(|digest| digest.as_ref().try_into().ok());
    digest.ok_or_else(|| unusable("SHA-256", "ring has none"))
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self
            .inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        let key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        if sha256(&key).is_ok_and(|digest| self.digests.contains(&digest)) {
            return Ok(verified);
        }
        Err(CertificateError::Other(rustls::OtherError(Arc::new(NotPinned))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The server's key is none of `http.pinnedPubkey`.
#[derive(Debug, thiserror::Error)]
#[error("the server's key is none of http.pinnedPubkey")]
pub struct NotPinned;

/// `http.sslVerify=false`: any certificate will do, as the user has asked; signatures are still checked.
#[derive(Debug)]
pub(super) struct Unverified(pub(super) Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
