//! The system's store, of which no more is read than a server needs.
//!
//! Debian's store is a file with all certificates, and a directory with a file for each: read together, as
//! `rustls-native-certs` does, they cost twice the time. The file is nearly always enough. A server that it does not
//! vouch for is looked up in all there is, so nobody is trusted less than before.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::super::error::{Error, Material};
use super::anchors::Anchors;
use super::{pem, unusable};

/// Whom the system trusts.
#[derive(Debug)]
pub(super) struct System {
    /// The certificates of the file, or all where there is none.
    first: Anchors,
    /// All certificates, once they were needed; nothing if that is no more than the first are.
    all: OnceLock<Option<Anchors>>,
}

impl System {
    pub(super) fn open() -> Result<Self, Error> {
        let mut first = Anchors::default();
        if let Some(file) = file().and_then(|file| std::fs::read(file).ok()) {
            first.add(pem::certificates(&file).into_iter().flatten());
        }
        let all = OnceLock::new();
        if first.is_empty() {
            first = everything()?;
            all.get_or_init(|| None);
        }
        Ok(Self { first, all })
    }

    pub(super) fn first(&self) -> &Anchors {
        &self.first
    }

    /// For a server that the first do not vouch for.
    pub(super) fn all(&self) -> Option<&Anchors> {
        self.all.get_or_init(|| everything().ok()).as_ref()
    }
}

/// Where the system keeps all certificates in one file.
#[cfg(all(unix, not(target_vendor = "apple")))]
fn file() -> Option<PathBuf> {
    openssl_probe::probe().cert_file
}

/// The store is no file.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
fn file() -> Option<PathBuf> {
    None
}

/// Returns all that the system trusts, wherever it keeps them.
pub(super) fn everything() -> Result<Anchors, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut all = Anchors::default();
    all.add(found.certs);
    if all.is_empty() {
        let why = found
            .errors
            .first()
            .map_or_else(|| "it is empty".to_owned(), ToString::to_string);
        return Err(unusable(Material::Store, why));
    }
    Ok(all)
}
