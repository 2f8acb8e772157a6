//! The throw-away certificate authority, and the TLS that the server speaks with it.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rcgen::{KeyUsagePurpose, PublicKeyData as _, SanType};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, version};

/// How the server speaks on its port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Plain HTTP.
    Off,
    /// TLS 1.2 and 1.3.
    #[default]
    On,
    /// TLS 1.2 and nothing newer.
    Only12,
    /// With a certificate whose time is over.
    Expired,
    /// With a certificate for another name.
    OtherHost,
    /// Both versions, and no client without a certificate of our authority.
    ClientCertificate,
}

/// The authority's certificate, for `http.sslCAInfo`.
pub(crate) const CA_FILE: &str = "ca.pem";
/// The server's public key in DER, for `http.pinnedPubkey`.
pub(crate) const SERVER_KEY_FILE: &str = "server.pub";
/// A client's certificate, for `http.sslCert`.
pub(crate) const CLIENT_CERTIFICATE_FILE: &str = "client.pem";
/// Its key, for `http.sslKey`.
pub(crate) const CLIENT_KEY_FILE: &str = "client.key";

/// Makes an authority, leaves what clients need in `directory`, and returns the server's side.
pub(crate) fn acceptor(mode: Tls, directory: &Path) -> Option<TlsAcceptor> {
    if mode == Tls::Off {
        return None;
    }
    let authority = authority();
    std::fs::write(directory.join(CA_FILE), authority.pem()).expect("the CA file can be written");
    let names: &[_] = match mode {
        Tls::OtherHost => &["bitbucket.example"],
        _ => &[
            "localhost",
            "bitbucket.localhost",
            "127.0.0.1",
            "::1",
            // In a network namespace of its own the server has these names, too.
            "bitbucket.org",
            "www.bitbucket.org",
        ],
    };
    let (certificate, key) = issue(
        &authority,
        names,
        "localhost",
        ExtendedKeyUsagePurpose::ServerAuth,
        mode == Tls::Expired,
    );
    std::fs::write(directory.join(SERVER_KEY_FILE), key.subject_public_key_info()).expect("the key can be written");
    let provider = Arc::new(ring::default_provider());
    let versions: &[_] = if mode == Tls::Only12 {
        &[&version::TLS12]
    } else {
        &[&version::TLS13, &version::TLS12]
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .expect("ring speaks both versions");
    let builder = if mode == Tls::ClientCertificate {
        write_client(&authority, directory);
        let mut roots = RootCertStore::empty();
        roots
            .add(authority.der().clone())
            .expect("our own authority is well-formed");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .expect("a verifier with one root");
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let chain = vec![certificate, authority.der().clone()];
    let mut config = builder
        .with_single_cert(chain, der(&key))
        .expect("our own certificate fits its key");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(TlsAcceptor::from(Arc::new(config)))
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
        .distinguished_name
        .push(DnType::CommonName, "Local Bitbucket throw-away CA");
    let key = KeyPair::generate().expect("ring can make a key");
    CertifiedIssuer::self_signed(params, key).expect("a CA can sign itself")
}

fn issue(
    authority: &CertifiedIssuer<'static, KeyPair>,
    names: &[&str],
    common_name: &str,
    purpose: ExtendedKeyUsagePurpose,
    expired: bool,
) -> (CertificateDer<'static>, KeyPair) {
    let mut params = CertificateParams::default();
    params.subject_alt_names = names.iter().map(|name| alternative_name(name)).collect();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    if expired {
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    }
    let key = KeyPair::generate().expect("ring can make a key");
    let certificate = params.signed_by(&key, authority).expect("the CA can sign");
    (certificate.der().clone(), key)
}

fn alternative_name(name: &str) -> SanType {
    name.parse().map_or_else(
        |_| SanType::DnsName(name.try_into().expect("our names are ASCII")),
        SanType::IpAddress,
    )
}

fn write_client(authority: &CertifiedIssuer<'static, KeyPair>, directory: &Path) {
    let (certificate, key) = issue(
        authority,
        &["client.localhost"],
        "client",
        ExtendedKeyUsagePurpose::ClientAuth,
        false,
    );
    let pem = pem("CERTIFICATE", &certificate);
    std::fs::write(directory.join(CLIENT_CERTIFICATE_FILE), pem).expect("the client's certificate can be written");
    std::fs::write(directory.join(CLIENT_KEY_FILE), key.serialize_pem()).expect("the client's key can be written");
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn der(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}
