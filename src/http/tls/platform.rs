//! The verifier of Windows and of macOS, which knows more than a list of authorities: what administrators and users have
//! allowed or forbidden, authorities that are fetched when they are needed, and on Windows revoked certificates.
//!
//! Linux has none. Does not depend on what is trusted where the settings name files.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;

use super::super::error::Error;
use super::super::settings::Tls;

/// Returns the system's own verifier, where it is the one that `settings` mean: they name no authorities of their own. On
/// Windows it always asks for revoked certificates, so whoever does not want that (`http.schannelCheckRevoke=false`) gets
/// the authorities of the system's store, and our own checks.
#[cfg(any(windows, target_os = "macos"))]
pub(super) fn verifier(
    settings: &Tls,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ServerCertVerifier>>, Error> {
    let names_authorities = settings.ca_file.is_some() || settings.ca_path.is_some();
    if !settings.verify || names_authorities || (cfg!(windows) && !settings.check_revocation) {
        return Ok(None);
    }
    let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(provider))
        .map_err(|source| super::unusable(super::super::error::Material::Store, source))?;
    Ok(Some(Arc::new(verifier)))
}

/// Returns nothing: there is none.
#[cfg(not(any(windows, target_os = "macos")))]
#[expect(clippy::unnecessary_wraps, reason = "other systems have one, which may fail")]
pub(super) fn verifier(
    _settings: &Tls,
    _provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ServerCertVerifier>>, Error> {
    Ok(None)
}
