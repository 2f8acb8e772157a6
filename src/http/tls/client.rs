//! Who we are, once a server asks: the certificate and its key are read then, and not before.
//!
//! A global `http.sslCert` must not close the way to servers that ask for nothing, so a file that cannot be used is a
//! failure only where one is asked for. Does not depend on what the server is.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};

use super::super::error::{Error, Material};
use super::super::settings::ClientCertificate;
use super::x509::{PublicKey, X509};
use super::{identity, unusable};

/// The configuration of a client, and what it shows of itself.
#[derive(Debug, Clone)]
pub(in crate::http) struct Client {
    pub(in crate::http) config: Arc<ClientConfig>,
    pub(super) identity: Option<Arc<Identity>>,
}

impl Client {
    /// Whether the key's password may be asked for from now on.
    pub(in crate::http) fn may_ask(&self, may_ask: bool) {
        if let Some(identity) = &self.identity {
            identity.may_ask.store(may_ask, Ordering::Relaxed);
        }
    }

    /// Takes what was wrong with the certificate when a server asked for it.
    pub(in crate::http) fn fault(&self) -> Option<Error> {
        let fault = &self.identity.as_ref()?.fault;
        fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A certificate that is read when a server asks for it.
#[derive(Debug)]
pub(super) struct Identity {
    settings: ClientCertificate,
    provider: Arc<CryptoProvider>,
    may_ask: AtomicBool,
    key: OnceLock<Arc<CertifiedKey>>,
    fault: Mutex<Option<Error>>,
}

impl Identity {
    pub(super) fn new(settings: ClientCertificate, provider: Arc<CryptoProvider>, may_ask: bool) -> Self {
        Self {
            settings,
            provider,
            may_ask: AtomicBool::new(may_ask),
            key: OnceLock::new(),
            fault: Mutex::default(),
        }
    }

    fn read(&self) -> Result<Arc<CertifiedKey>, Error> {
        if let Some(key) = self.key.get() {
            return Ok(Arc::clone(key));
        }
        let (chain, key) = identity::read(&self.settings, self.may_ask.load(Ordering::Relaxed))?;
        let file: &PathBuf = self.settings.key.as_ref().unwrap_or(&self.settings.cert);
        let what = || Material::Key(file.clone());
        let key = self.provider.key_provider.load_private_key(key).map_err(|_| {
            unusable(
                what(),
                "its type is not supported: RSA from 2048 bits, P-256, P-384 and Ed25519 are",
            )
        })?;
        let first = chain.first().and_then(|first| X509::read(first).ok());
        let public = key.public_key();
        let (Some(first), Some(public)) = (first, public.as_ref().and_then(|key| PublicKey::read(key).ok())) else {
            return Err(unusable(
                Material::Certificate(self.settings.cert.clone()),
                "it is malformed",
            ));
        };
        if first.key.bits != public.bits {
            return Err(unusable(what(), "it does not belong to the certificate"));
        }
        Ok(Arc::clone(
            self.key.get_or_init(|| Arc::new(CertifiedKey::new(chain, key))),
        ))
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        match self.read() {
            Ok(key) => Some(key),
            Err(error) => {
                *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                None
            }
        }
    }

    fn has_certs(&self) -> bool {
        true
    }
}
