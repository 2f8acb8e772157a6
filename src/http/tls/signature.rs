//! Signatures: of issuers below certificates, and of servers in handshakes.
//!
//! Does not depend on who is trusted.

use pkcs8::der::Decode as _;
use pkcs8::der::asn1::{AnyRef, ObjectIdentifier};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};

use super::curves;
use super::untrusted::Fault;
use super::x509::{PublicKey, X509};

/// What signatures can be checked with.
#[derive(Debug, Clone)]
pub(super) struct Algorithms(WebPkiSupportedAlgorithms);

impl Algorithms {
    pub(super) fn new() -> Self {
        Self(curves::algorithms())
    }

    /// Whether the holder of `key` has signed `certificate`.
    pub(super) fn check(&self, certificate: &X509<'_>, key: PublicKey<'_>) -> Result<(), Fault> {
        let fits = self.0.all.iter().find(|algorithm| {
            algorithm.signature_alg_id().as_ref() == certificate.signature_algorithm
                && algorithm.public_key_alg_id().as_ref() == key.algorithm
        });
        let Some(algorithm) = fits else {
            return Err(Fault::Algorithm(described(
                certificate.signature_algorithm,
                key.algorithm,
            )));
        };
        algorithm
            .verify_signature(key.bits, certificate.signed, certificate.signature)
            .map_err(|_| Fault::Signature)
    }
}

impl Algorithms {
    /// Whether a server has signed `message` of a TLS 1.2 handshake with the key of its certificate. The curve of the
    /// key is not part of the scheme there, so each that the scheme may mean is tried.
    pub(super) fn check_tls12(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = key_of(certificate)?;
        let candidates = self.0.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
        let (_, candidates) = candidates.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        let fits = candidates
            .iter()
            .find(|algorithm| algorithm.public_key_alg_id().as_ref() == key.algorithm)
            .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        fits.verify_signature(key.bits, message, signed.signature())
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadSignature))?;
        Ok(HandshakeSignatureValid::assertion())
    }

    /// The same of TLS 1.3, whose schemes name the curve.
    pub(super) fn check_tls13(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(key_of(certificate)?.der);
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.0)
    }

    /// What may be signed with, for the server to choose from.
    pub(super) fn schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

fn key_of<'a>(certificate: &'a CertificateDer<'_>) -> Result<PublicKey<'a>, Error> {
    let read = X509::read(certificate).map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    Ok(read.key)
}

/// The algorithms of signatures by their identifiers, with their hashes.
const SIGNATURES: [(&str, &str, &str); 14] = [
    ("1.2.840.113549.1.1.2", "MD2", "RSA"),
    ("1.2.840.113549.1.1.4", "MD5", "RSA"),
    ("1.2.840.113549.1.1.5", "SHA-1", "RSA"),
    ("1.2.840.113549.1.1.11", "SHA-256", "RSA"),
    ("1.2.840.113549.1.1.12", "SHA-384", "RSA"),
    ("1.2.840.113549.1.1.13", "SHA-512", "RSA"),
    ("1.2.840.113549.1.1.14", "SHA-224", "RSA"),
    ("1.2.840.10040.4.3", "SHA-1", "DSA"),
    ("2.16.840.1.101.3.4.3.2", "SHA-256", "DSA"),
    ("1.2.840.10045.4.1", "SHA-1", "ECDSA"),
    ("1.2.840.10045.4.3.1", "SHA-224", "ECDSA"),
    ("1.2.840.10045.4.3.2", "SHA-256", "ECDSA"),
    ("1.2.840.10045.4.3.3", "SHA-384", "ECDSA"),
    ("1.2.840.10045.4.3.4", "SHA-512", "ECDSA"),
];
/// Those of keys, and of signatures that are called as their keys are.
const KEYS: [(&str, &str); 9] = [
    ("1.2.840.113549.1.1.1", "RSA"),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    ("1.2.840.10040.4.1", "DSA"),
    (EC_KEY, "ECDSA"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
];
/// The curves, whose identifier is the parameter of a key.
const CURVES: [(&str, &str); 7] = [
    ("1.2.840.10045.3.1.1", "P-192"),
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.33", "P-224"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
];
const EC_KEY: &str = "1.2.840.10045.2.1";

/// Returns the name of a signature with a key, each by the contents of its `AlgorithmIdentifier`.
fn described(signature: &[u8], key: &[u8]) -> String {
    let signed = match first_id(signature) {
        Ok((id, _)) => match SIGNATURES.iter().find(|(known, ..)| *known == id) {
            Some((_, hash, kind)) => format!("{kind} and {hash}"),
            None => name(signature),
        },
        Err(_) => name(signature),
    };
    format!("{signed} by a key of the type {}", name(key))
}

/// Returns the name of a key's algorithm by the contents of its `AlgorithmIdentifier`.
fn name(algorithm: &[u8]) -> String {
    let Ok((id, rest)) = first_id(algorithm) else {
        return "unreadable".to_owned();
    };
    let (names, id) = match first_id(rest) {
        Ok((curve, _)) if id == EC_KEY => (&CURVES[..], curve),
        _ => (&KEYS[..], id),
    };
    let found = names.iter().find(|(known, _)| *known == id);
    found.map_or(id, |(_, name)| (*name).to_owned())
}

/// The object identifier that `bytes` begin with, and what follows.
fn first_id(bytes: &[u8]) -> Result<(String, &[u8]), pkcs8::der::Error> {
    let (id, rest) = AnyRef::from_der_partial(bytes)?;
    Ok((id.decode_as::<ObjectIdentifier>()?.to_string(), rest))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::alg_id;

    use super::*;

    #[test]
    fn algorithms_have_names() {
        assert_eq!(
            described(&alg_id::ECDSA_SHA512, &alg_id::ECDSA_P521),
            "ECDSA and SHA-512 by a key of the type P-521"
        );
        assert_eq!(name(&alg_id::RSA_PSS_SHA256), "RSASSA-PSS");
        assert_eq!(name(&alg_id::ED448), "Ed448");
        assert_eq!(name(&[6, 3, 0x2a, 3, 4]), "1.2.3.4");
        assert_eq!(name(&[]), "unreadable");
        for algorithm in curves::algorithms().all {
            let name = described(&algorithm.signature_alg_id(), &algorithm.public_key_alg_id());
            assert!(!name.contains("1."), "{name}");
        }
    }
}
