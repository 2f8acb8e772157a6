//! Whether a server is who it says: the step of the handshake that decides about its certificate.
//!
//! The verdict is [`path`]'s, the signatures are [`signature`](super::signature)'s; this joins them to rustls.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::anchors::Anchors;
use super::path::{self, Question};
use super::signature::Algorithms;
use super::system::System;
use super::untrusted::Untrusted;

/// Whose word counts.
#[derive(Debug)]
pub(super) enum Trusted {
    /// Whom the settings name.
    Named(Anchors),
    /// Whom the system trusts.
    System(System),
    /// Anybody, as `http.sslVerify=false` asks for.
    Anybody,
}

/// Checks the certificate of a server, and that the server has its key.
#[derive(Debug)]
pub(super) struct Verifier {
    trusted: Trusted,
    algorithms: Algorithms,
}

impl Verifier {
    pub(super) fn new(trusted: Trusted) -> Self {
        Self {
            trusted,
            algorithms: Algorithms::new(),
        }
    }

    fn judge(&self, question: &Question<'_>) -> Result<(), Untrusted> {
        match &self.trusted {
            Trusted::Named(anchors) => path::verify(question, anchors, &self.algorithms),
            Trusted::System(system) => {
                let first = path::verify(question, system.first(), &self.algorithms);
                // Whatever is wrong with the way to one authority, another may have a better one.
                first.or_else(|error| match system.all() {
                    Some(all) => path::verify(question, all, &self.algorithms),
                    None => Err(error),
                })
            }
            Trusted::Anybody => Ok(()),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let question = Question {
            end_entity,
            intermediates,
            host,
            stapled,
            now,
        };
        self.judge(&question)
            .map_err(|why| CertificateError::Other(OtherError(Arc::new(why))))?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.algorithms.check_tls12(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.algorithms.check_tls13(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.schemes()
    }
}
