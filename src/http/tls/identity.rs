//! Who we are: a client certificate and its key, from the files that the settings name.
//!
//! PEM and DER are read; a key that a password protects is PKCS#8, the format that OpenSSL writes since 1.0. For
//! anything else the message names the command that converts it.

use std::path::Path;

use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::der::Document;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::super::error::{Error, Material};
use super::super::settings::{ClientCertificate, FileFormat};
use super::{pem, unusable};
use crate::git::credential::Credential;

const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &str = "-----END ENCRYPTED PRIVATE KEY-----";

/// Reads the certificate, with what it was issued by, and its key.
pub(super) fn read(
    settings: &ClientCertificate,
    may_ask: bool,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    let chain = chain(&settings.cert, settings.cert_format)?;
    let (file, format) = match &settings.key {
        Some(key) => (key, settings.key_format),
        None => (&settings.cert, settings.cert_format),
    };
    if settings.password_protected && !may_ask {
        return Err(Error::MustAsk);
    }
    Ok((chain, key(file, format, &settings.cert, may_ask)?))
}

fn chain(file: &Path, format: Option<FileFormat>) -> Result<Vec<CertificateDer<'static>>, Error> {
    let failed =
        |source: Box<dyn std::error::Error + Send + Sync>| unusable(Material::Certificate(file.to_owned()), source);
    let bytes = match format {
        Some(FileFormat::P12 | FileFormat::Engine) => return Err(failed(convert(file, format).into())),
        _ => std::fs::read(file).map_err(|source| failed(source.into()))?,
    };
    if format == Some(FileFormat::Der) {
        return Ok(vec![CertificateDer::from(bytes)]);
    }
    let chain: Vec<_> = pem::certificates(&bytes)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|source| failed(source.into()))?;
    if chain.is_empty() {
        return Err(failed("there is no certificate in it".into()));
    }
    Ok(chain)
}

/// The command that makes PEM of a file that cannot be read.
fn convert(file: &Path, format: Option<FileFormat>) -> String {
    match format {
        Some(FileFormat::Engine) => "keys of crypto engines are not supported, only files".to_owned(),
        Some(FileFormat::P12) => format!(
            "PKCS#12 is not read: convert it with 'openssl pkcs12 -in {} -out client.pem', name that in http.sslCert, \
             and unset http.sslCertType",
            file.display()
        ),
        _ => format!(
            "it is encrypted in an old way: convert it with 'openssl pkcs8 -topk8 -in {} -out client.key' and name \
             that in http.sslKey",
            file.display()
        ),
    }
}

fn key(
    file: &Path,
    format: Option<FileFormat>,
    certificate: &Path,
    may_ask: bool,
) -> Result<PrivateKeyDer<'static>, Error> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| unusable(Material::Key(file.to_owned()), source);
    if matches!(format, Some(FileFormat::P12 | FileFormat::Engine)) {
        return Err(failed(convert(file, format).into()));
    }
    let bytes = Zeroizing::new(std::fs::read(file).map_err(|source| failed(source.into()))?);
    // Editors on Windows put a byte order mark in front.
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    if format == Some(FileFormat::Der) {
        return match EncryptedPrivateKeyInfoRef::try_from(bytes) {
            Ok(_) => decrypted(bytes, certificate, may_ask, &failed),
            Err(_) => PrivateKeyDer::try_from(bytes.to_vec()).map_err(|reason| failed(reason.into())),
        };
    }
    let text = str::from_utf8(bytes).unwrap_or_default();
    if let Some(pem) = encrypted_block(text) {
        let (_, document) = Document::from_pem(pem).map_err(|source| failed(source.to_string().into()))?;
        return decrypted(document.as_bytes(), certificate, may_ask, &failed);
    }
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(failed(convert(file, format).into()));
    }
    PrivateKeyDer::from_pem_slice(bytes).map_err(|source| failed(source.into()))
}

fn encrypted_block(text: &str) -> Option<&str> {
    let start = text.find(ENCRYPTED)?;
    let end = text.find(ENCRYPTED_END)? + ENCRYPTED_END.len();
    text.get(start..end)
}

/// Asks for the password as git does, by a credential of the protocol `cert`, and tells what became of it.
fn decrypted(
    der: &[u8],
    certificate: &Path,
    may_ask: bool,
    failed: &dyn Fn(Box<dyn std::error::Error + Send + Sync>) -> Error,
) -> Result<PrivateKeyDer<'static>, Error> {
    if !may_ask {
        return Err(Error::MustAsk);
    }
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|source| failed(source.to_string().into()))?;
    let question = Credential::of_certificate(certificate);
    let answer = question.fill().map_err(|source| failed(source.into()))?;
    let answer = answer.ok_or_else(|| failed("it needs a password, and none was given".into()))?;
    if let Ok(key) = info.decrypt(answer.password().expose()) {
        answer.approve();
        return Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into());
    }
    answer.reject();
    Err(failed("the password does not open it".into()))
}
