//! What a server's certificate says of itself: for whom it is, who has issued it, and until when.
//!
//! For people to read, never to decide about trust: that is rustls' part. It reads the few fields that come before
//! everything else in RFC 5280, section 4.1.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pkcs8::der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use pkcs8::der::{Decode as _, Error, Reader as _, SliceReader, Tag, Tagged as _};

/// The parts of a name that tell who it is, with the bytes of their object identifiers (2.5.4.n).
const ATTRIBUTES: [(&str, [u8; 3]); 3] = [
    ("CN", [0x55, 0x04, 3]),
    ("O", [0x55, 0x04, 10]),
    ("OU", [0x55, 0x04, 11]),
];

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
        read(der).ok()
    }
}

fn read(der: &[u8]) -> Result<Certificate, Error> {
    let certificate = AnyRef::from_der(der)?;
    let signed = SliceReader::new(certificate.value())?.decode::<AnyRef<'_>>()?;
    let mut fields = SliceReader::new(signed.value())?;
    let first: AnyRef<'_> = fields.decode()?;
    // Version 1 leaves its number out.
    if first.tag() != Tag::Integer {
        fields.decode::<AnyRef<'_>>()?;
    }
    fields.decode::<AnyRef<'_>>()?;
    let issuer: AnyRef<'_> = fields.decode()?;
    let validity: AnyRef<'_> = fields.decode()?;
    let subject: AnyRef<'_> = fields.decode()?;
    let mut times = SliceReader::new(validity.value())?;
    times.decode::<AnyRef<'_>>()?;
    Ok(Certificate {
        subject: name(subject)?,
        issuer: name(issuer)?,
        until: UNIX_EPOCH + time(times.decode()?)?,
    })
}

fn time(value: AnyRef<'_>) -> Result<Duration, Error> {
    match value.tag() {
        Tag::UtcTime => Ok(value.decode_as::<UtcTime>()?.to_unix_duration()),
        _ => Ok(value.decode_as::<GeneralizedTime>()?.to_unix_duration()),
    }
}

/// `CN=…, O=…`, in the order of the certificate.
fn name(value: AnyRef<'_>) -> Result<String, Error> {
    let mut parts = Vec::new();
    let mut sets = SliceReader::new(value.value())?;
    while !sets.is_finished() {
        let set: AnyRef<'_> = sets.decode()?;
        let mut pairs = SliceReader::new(set.value())?;
        while !pairs.is_finished() {
            let pair: AnyRef<'_> = pairs.decode()?;
            let mut pair = SliceReader::new(pair.value())?;
            let (kind, text): (AnyRef<'_>, AnyRef<'_>) = (pair.decode()?, pair.decode()?);
            if let Some((word, _)) = ATTRIBUTES.iter().find(|(_, id)| id == kind.value()) {
                parts.push(format!("{word}={}", String::from_utf8_lossy(text.value())));
            }
        }
    }
    Ok(parts.join(", "))
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
