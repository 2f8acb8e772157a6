//! The certificates that are trusted.
//!
//! They are kept as they came: a store has 140 of them and a server needs one, so no more is read of the others than
//! their subject, and that when a server is asked. Does not depend on where they came from.

use rustls::pki_types::CertificateDer;

use super::x509::{self, Name};

/// A set of trusted certificates.
#[derive(Debug, Clone, Default)]
pub(super) struct Anchors {
    all: Vec<CertificateDer<'static>>,
}

impl Anchors {
    /// Adds those that have the shape of a certificate, and returns how many these were.
    pub(super) fn add(&mut self, certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> usize {
        let before = self.all.len();
        let found = certificates.into_iter().filter(|der| x509::subject(der).is_ok());
        self.all.extend(found);
        self.all.len() - before
    }

    pub(super) fn join(&mut self, more: Self) {
        self.all.extend(more.all);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether this very certificate is one of them.
    pub(super) fn have(&self, certificate: &CertificateDer<'_>) -> bool {
        self.all.contains(certificate)
    }

    /// Those whose subject is `name`.
    pub(super) fn named<'a>(&'a self, name: Name<'a>) -> impl Iterator<Item = &'a CertificateDer<'static>> {
        self.all.iter().filter(move |der| x509::subject(der) == Ok(name))
    }
}
