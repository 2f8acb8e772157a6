//! What git's settings say about TLS: whom to trust, and how to show who we are.
//!
//! It must not read the files that it names.

use std::path::PathBuf;

use base64::Engine as _;
use url::Url;

use super::reader::Reader;
use crate::environment::Variable;
use crate::environment::variable as var;
use crate::report::{Failure, Kind};

/// How to trust a server or a proxy, and how to show who we are to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Whether certificates are checked.
    pub verify: bool,
    /// The file of authorities to trust. Where this and `ca_path` are `None`, the system's store is meant.
    pub ca_file: Option<PathBuf>,
    /// The directory of authorities to trust, too.
    pub ca_path: Option<PathBuf>,
    /// Whether Windows is asked if the server's certificate was revoked.
    pub check_revocation: bool,
    /// The lowest version to accept.
    pub min_version: TlsVersion,
    /// Who we are.
    pub client_certificate: Option<ClientCertificate>,
    /// The keys of which the server must have one.
    pub pin: Option<Pin>,
}

/// A version of TLS that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// 1.2
    Tls12,
    /// 1.3
    Tls13,
}

/// A certificate with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate's file.
    pub cert: PathBuf,
    /// How `cert` is written; `None` is not said, which means PEM to curl.
    pub cert_format: Option<FileFormat>,
    /// The key's file; `None` if it is in `cert`.
    pub key: Option<PathBuf>,
    /// How `key` is written.
    pub key_format: Option<FileFormat>,
    /// Whether to ask for the key's password, as git does by a credential of the protocol `cert`.
    pub password_protected: bool,
}

/// How a certificate or key file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// PEM
    Pem,
    /// DER
    Der,
    /// PKCS#12
    P12,
    /// Not a file but a name for a crypto engine.
    Engine,
}

/// `http.pinnedPubkey`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// SHA-256 digests of public keys (of their `SubjectPublicKeyInfo`), one of which must be the server's.
    Sha256(Vec<[u8; 32]>),
    /// A file with the public key, PEM or DER.
    File(PathBuf),
}

/// The settings for the server at `url`.
pub(super) fn server(reader: &mut Reader<'_>, url: &Url) -> Result<Tls, Failure> {
    let mut ca_file = reader.path("sslCAInfo", &var::GIT_SSL_CAINFO)?;
    // Git for Windows names a file in its own configuration, and means it for OpenSSL only.
    let schannel = reader.http.text("sslBackend").as_deref() == Some("schannel");
    if schannel && !reader.http.flag("schannelUseSSLCAInfo")?.unwrap_or(false) {
        ca_file = None;
    }
    let mut ca_path = reader.path("sslCAPath", &var::GIT_SSL_CAPATH)?;
    if ca_file.is_none() && ca_path.is_none() {
        ca_file = reader.environment.path(&var::SSL_CERT_FILE);
        ca_path = reader.environment.path(&var::SSL_CERT_DIR);
    }
    let verify = !reader.environment.has(&var::GIT_SSL_NO_VERIFY);
    Ok(Tls {
        verify: reader.http.flag("sslVerify")?.unwrap_or(true) && verify,
        ca_file,
        ca_path,
        check_revocation: reader.http.flag("schannelCheckRevoke")?.unwrap_or(true),
        min_version: min_version(reader),
        client_certificate: client_certificate(reader, url)?,
        pin: pin(reader)?,
    })
}

/// The settings for a proxy that is itself reached over TLS.
pub(super) fn proxy(reader: &Reader<'_>) -> Result<Tls, Failure> {
    let protected = reader.http.flag("proxySSLCertPasswordProtected")?.unwrap_or(false);
    let protected = protected || reader.environment.has(&var::GIT_PROXY_SSL_CERT_PASSWORD_PROTECTED);
    let key = reader.path("proxySSLKey", &var::GIT_PROXY_SSL_KEY)?;
    let cert = reader.path("proxySSLCert", &var::GIT_PROXY_SSL_CERT)?;
    let client_certificate = cert.map(|cert| ClientCertificate {
        cert,
        cert_format: None,
        key,
        key_format: None,
        password_protected: protected,
    });
    Ok(Tls {
        verify: true,
        ca_file: reader.path("proxySSLCAInfo", &var::GIT_PROXY_SSL_CAINFO)?,
        ca_path: None,
        check_revocation: reader.http.flag("schannelCheckRevoke")?.unwrap_or(true),
        min_version: TlsVersion::Tls12,
        client_certificate,
        pin: None,
    })
}

/// What is older than 1.2 is nothing that we speak: where git would allow it, 1.2 is still the lowest.
fn min_version(reader: &mut Reader<'_>) -> TlsVersion {
    match reader.text("sslVersion", &var::GIT_SSL_VERSION).as_deref() {
        Some("tlsv1.3") => return TlsVersion::Tls13,
        None | Some("" | "sslv2" | "sslv3" | "tlsv1" | "tlsv1.0" | "tlsv1.1" | "tlsv1.2") => {}
        Some(other) => reader.warn(format!("unsupported ssl version {other}: using default")),
    }
    TlsVersion::Tls12
}

fn client_certificate(reader: &Reader<'_>, url: &Url) -> Result<Option<ClientCertificate>, Failure> {
    let Some(cert) = reader.path("sslCert", &var::GIT_SSL_CERT)? else {
        return Ok(None);
    };
    let asked = url.scheme() == "https" && reader.environment.has(&var::GIT_SSL_CERT_PASSWORD_PROTECTED);
    Ok(Some(ClientCertificate {
        cert,
        cert_format: format(reader, "sslCertType", &var::GIT_SSL_CERT_TYPE)?,
        key: reader.path("sslKey", &var::GIT_SSL_KEY)?,
        key_format: format(reader, "sslKeyType", &var::GIT_SSL_KEY_TYPE)?,
        password_protected: reader.http.flag("sslCertPasswordProtected")?.unwrap_or(false) || asked,
    }))
}

fn format(reader: &Reader<'_>, name: &str, variable: &Variable) -> Result<Option<FileFormat>, Failure> {
    let Some(text) = reader.text(name, variable) else {
        return Ok(None);
    };
    match text.to_ascii_uppercase().as_str() {
        "" => Ok(None),
        "PEM" => Ok(Some(FileFormat::Pem)),
        "DER" => Ok(Some(FileFormat::Der)),
        "P12" => Ok(Some(FileFormat::P12)),
        "ENG" => Ok(Some(FileFormat::Engine)),
        _ => Err(
            Failure::new(Kind::Usage, format!("unknown file type '{text}' for http.{name}"))
                .hint(format!("run 'git config --global http.{name} PEM'")),
        ),
    }
}

/// `sha256//<base64>`, several with semicolons between them, or a file (`CURLOPT_PINNEDPUBLICKEY`(3)).
fn pin(reader: &Reader<'_>) -> Result<Option<Pin>, Failure> {
    let Some(text) = reader.http.text("pinnedPubkey") else {
        return Ok(None);
    };
    // No key fits an empty setting, and git refuses every server then.
    if text.is_empty() {
        return Ok(Some(Pin::Sha256(Vec::new())));
    }
    if !text.starts_with("sha256//") {
        return Ok(reader.http.path("pinnedPubkey")?.map(Pin::File));
    }
    let digest = |part: &str| {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(part.strip_prefix("sha256//")?)
            .ok()?;
        <[u8; 32]>::try_from(bytes).ok()
    };
    let digests: Option<Vec<_>> = text.split(';').filter(|part| !part.is_empty()).map(digest).collect();
    digests.map(|digests| Some(Pin::Sha256(digests))).ok_or_else(|| {
        Failure::new(Kind::Usage, format!("bad digest in http.pinnedPubkey: '{text}'"))
            .hint("run 'git config --global http.pinnedPubkey \"sha256//<base64 of 32 bytes>\"'")
    })
}
