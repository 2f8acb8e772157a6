//! What a server's certificate says of itself: for whom it is, who has issued it, and until when.
//!
//! For people to read, never to decide about trust.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::x509::X509;

/// A certificate in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// For whom it is.
    pub subject: String,
    /// Who has issued it.
    pub issuer: String,
    /// Until when it may be used.
    pub until: SystemTime,
}

impl Certificate {
    /// Reads a certificate in DER; `None` if it is none.
    pub(in crate::http) fn read(der: &[u8]) -> Option<Self> {
        let read = X509::read(der).ok()?;
        Some(Self {
            subject: read.subject.to_text(),
            issuer: read.issuer.to_text(),
            until: UNIX_EPOCH + Duration::from_secs(read.not_after),
        })
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    #[test]
    fn names_and_the_end_are_read() {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Corp Inspection CA");
        params.distinguished_name.push(DnType::OrganizationName, "Corp Ltd");
        params.distinguished_name.push(DnType::CountryName, "XX");
        params.not_after = rcgen::date_time_ymd(2031, 5, 17);
        let key = KeyPair::generate().expect("a key");
        let der = params.self_signed(&key).expect("a certificate").der().to_vec();
        let read = Certificate::read(&der).expect("it is well-formed");
        assert_eq!(read.issuer, "CN=Corp Inspection CA, O=Corp Ltd");
        assert_eq!(read.subject, read.issuer);
        assert_eq!(read.until, UNIX_EPOCH + Duration::from_secs(1_936_742_400));
        for end in 0..der.len() {
            // No prefix may make it panic.
            Certificate::read(der.get(..end).unwrap_or_default());
        }
        assert_eq!(Certificate::read(b"\x30\x03\x30\x01\x00"), None);
    }
}
