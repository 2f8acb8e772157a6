//! ECDSA where ring has none: keys of P-521, and SHA-512 with the other two curves.
//!
//! Cloudflare's inspecting proxy has a P-521 key, and authorities of companies sign with SHA-512 whatever their curve.
//! The hashes are ring's, the curves `RustCrypto`'s. It checks public signatures and holds no secret.

use std::sync::OnceLock;

use p521::ecdsa::signature::hazmat::PrehashVerifier as _;
use ring::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use rustls::SignatureScheme;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring as provider};
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

#[derive(Debug, Clone, Copy)]
enum Curve {
    P256,
    P384,
    P521,
}

/// A curve with a hash.
#[derive(Debug)]
struct Ecdsa {
    curve: Curve,
    hash: &'static Algorithm,
    signature: AlgorithmIdentifier,
}

static P256_SHA512: Ecdsa = Ecdsa::new(Curve::P256, &SHA512, alg_id::ECDSA_SHA512);
static P384_SHA512: Ecdsa = Ecdsa::new(Curve::P384, &SHA512, alg_id::ECDSA_SHA512);
static P521_SHA256: Ecdsa = Ecdsa::new(Curve::P521, &SHA256, alg_id::ECDSA_SHA256);
static P521_SHA384: Ecdsa = Ecdsa::new(Curve::P521, &SHA384, alg_id::ECDSA_SHA384);
static P521_SHA512: Ecdsa = Ecdsa::new(Curve::P521, &SHA512, alg_id::ECDSA_SHA512);

impl Ecdsa {
    const fn new(curve: Curve, hash: &'static Algorithm, signature: AlgorithmIdentifier) -> Self {
        Self { curve, hash, signature }
    }
}

impl SignatureVerificationAlgorithm for Ecdsa {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let hash = digest(self.hash, message);
        let verified = match self.curve {
            Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(public_key)
                .and_then(|key| key.verify_prehash(hash.as_ref(), &p256::ecdsa::Signature::from_der(signature)?)),
            Curve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(public_key)
                .and_then(|key| key.verify_prehash(hash.as_ref(), &p384::ecdsa::Signature::from_der(signature)?)),
            Curve::P521 => p521::ecdsa::VerifyingKey::from_sec1_bytes(public_key)
                .and_then(|key| key.verify_prehash(hash.as_ref(), &p521::ecdsa::Signature::from_der(signature)?)),
        };
        verified.map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        match self.curve {
            Curve::P256 => alg_id::ECDSA_P256,
            Curve::P384 => alg_id::ECDSA_P384,
            Curve::P521 => alg_id::ECDSA_P521,
        }
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

type Mapping = (SignatureScheme, &'static [&'static dyn SignatureVerificationAlgorithm]);

/// TLS 1.3 takes the first of a scheme, 1.2 whichever fits the key.
const P521: Mapping = (
    SignatureScheme::ECDSA_NISTP521_SHA512,
    &[&P521_SHA512, &P384_SHA512, &P256_SHA512],
);

/// Returns what ring can check, and these. It is put together once in a process.
pub(super) fn algorithms() -> WebPkiSupportedAlgorithms {
    static ALL: OnceLock<WebPkiSupportedAlgorithms> = OnceLock::new();
    *ALL.get_or_init(|| {
        let rings = provider::default_provider().signature_verification_algorithms;
        let mut all = rings.all.to_vec();
        all.extend([
            &P256_SHA512 as &dyn SignatureVerificationAlgorithm,
            &P384_SHA512,
            &P521_SHA256,
            &P521_SHA384,
            &P521_SHA512,
        ]);
        let mut mapping: Vec<Mapping> = rings.mapping.to_vec();
        mapping.push(P521);
        WebPkiSupportedAlgorithms {
            all: all.leak(),
            mapping: mapping.leak(),
        }
    })
}
