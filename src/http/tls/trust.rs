//! Whom to trust: the system's store, files and directories of authorities, pinned keys, or anybody.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};

use super::super::error::{Error, Material};
use super::super::settings::{Pin, Tls};
use super::anchors::Anchors;
use super::platform;
use super::system::{self, System};
use super::verifier::{Trusted, Verifier};
use super::x509::X509;
use super::{pem, unusable};

/// Returns what checks servers as `settings` ask for. This is the only place that chooses.
pub(super) fn verifier(settings: &Tls, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let verifier: Arc<dyn ServerCertVerifier> = match platform::verifier(settings, provider)? {
        Some(verifier) => verifier,
        None if settings.verify => Arc::new(Verifier::new(trusted(settings)?)),
        None => Arc::new(Verifier::new(Trusted::Anybody)),
    };
    // A pinned key is checked with and without certificates (`CURLOPT_PINNEDPUBLICKEY`(3)).
    Ok(match &settings.pin {
        Some(pin) => Arc::new(Pinned::new(verifier, pin)?),
        None => verifier,
    })
}

/// Whom `settings` name, else whom the system trusts.
fn trusted(settings: &Tls) -> Result<Trusted, Error> {
    let mut anchors = Anchors::default();
    if let Some(directory) = &settings.ca_path {
        add_directory(&mut anchors, directory);
    }
    match (&settings.ca_file, &settings.ca_path) {
        (Some(file), _) => add_file(&mut anchors, file)?,
        (None, None) => return Ok(Trusted::System(System::open()?)),
        // To curl a directory comes on top of its default file.
        (None, Some(_)) => match system::everything() {
            Ok(more) => anchors.join(more),
            Err(error) if anchors.is_empty() => return Err(error),
            Err(_) => {}
        },
    }
    Ok(Trusted::Named(anchors))
}

fn add_file(anchors: &mut Anchors, file: &Path) -> Result<(), Error> {
    let what = || Material::Authorities(file.to_owned());
    let text = std::fs::read(file).map_err(|source| unusable(what(), source))?;
    let certificates: Result<Vec<_>, _> = pem::certificates(&text).into_iter().collect();
    let added = anchors.add(certificates.map_err(|source| unusable(what(), source))?);
    if added == 0 {
        return Err(unusable(what(), "there is no certificate in it"));
    }
    Ok(())
}

/// Every certificate in `directory`, whatever its file is called: OpenSSL's hashes only say where to look. What cannot
/// be read is passed over, as OpenSSL does.
fn add_directory(anchors: &mut Anchors, directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for text in entries.flatten().filter_map(|entry| std::fs::read(entry.path()).ok()) {
        anchors.add(pem::certificates(&text).into_iter().flatten());
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
                let bytes = std::fs::read(file).map_err(|source| unusable(Material::Pin(file.clone()), source))?;
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
    digest.ok_or_else(|| unusable(Material::Library, "it has no SHA-256"))
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
        let key = X509::read(end_entity).map_err(|_| CertificateError::BadEncoding)?.key;
        if sha256(key.der).is_ok_and(|digest| self.digests.contains(&digest)) {
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
