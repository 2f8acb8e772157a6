//! An X.509 certificate in its parts (RFC 5280, section 4.1), borrowed from its DER.
//!
//! It reads, and judges nothing: what makes a certificate acceptable is in [`path`](super::path). Does not depend on
//! rustls. The signed bytes are kept as they came, so nothing is ever checked against a re-encoding.

mod extensions;
mod fields;
mod names;

use std::time::Duration;

use pkcs8::der::asn1::{GeneralizedTime, UtcTime};
use pkcs8::der::{Tag, TagNumber};

pub(super) use extensions::{Extensions, NameConstraints};
use fields::Fields;
pub(super) use fields::Malformed;
pub(super) use names::{GeneralName, Name};

/// The versions that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    V1,
    V2,
    V3,
}

/// A certificate.
#[derive(Debug, Clone)]
pub(super) struct X509<'a> {
    /// What is signed.
    pub(super) signed: &'a [u8],
    /// The algorithm of the signature: the contents of its `AlgorithmIdentifier`.
    pub(super) signature_algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) version: Version,
    pub(super) issuer: Name<'a>,
    /// Since when it may be used, in seconds since 1970.
    pub(super) not_before: u64,
    /// Until when it may be used.
    pub(super) not_after: u64,
    pub(super) subject: Name<'a>,
    pub(super) key: PublicKey<'a>,
    pub(super) extensions: Extensions<'a>,
}

/// A `SubjectPublicKeyInfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PublicKey<'a> {
    /// All of it.
    pub(super) der: &'a [u8],
    /// The contents of its `AlgorithmIdentifier`.
    pub(super) algorithm: &'a [u8],
    /// The key itself.
    pub(super) bits: &'a [u8],
}

impl<'a> X509<'a> {
    /// Reads a certificate, and all of its extensions that this program knows.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, Malformed> {
        let (mut outer, mut fields, signed) = open(der)?;
        let signature_algorithm = outer.sequence()?.rest();
        let signature = outer.bits()?;
        outer.end()?;

        let version = version(&mut fields)?;
        // The serial number.
        fields.expect(Tag::Integer)?;
        if fields.sequence()?.rest() != signature_algorithm {
            return Err(Malformed);
        }
        let issuer = Name::new(fields.sequence()?.rest());
        let mut validity = fields.sequence()?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        validity.end()?;
        let subject = Name::new(fields.sequence()?.rest());
        let key = PublicKey::read(fields.raw()?)?;
        // issuerUniqueID and subjectUniqueID.
        for number in [1, 2] {
            fields.optional(TagNumber(number).context_specific(false))?;
        }
        let extensions = match fields.optional(TagNumber(3).context_specific(true))? {
            Some(_) if version != Version::V3 => return Err(Malformed),
            Some(list) => Extensions::read(Fields::new(list.value())?)?,
            None => Extensions::default(),
        };
        fields.end()?;
        Ok(Self {
            signed,
            signature_algorithm,
            signature,
            version,
            issuer,
            not_before,
            not_after,
            subject,
            key,
            extensions,
        })
    }

    /// Whether it names itself as its issuer.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }
}

impl<'a> PublicKey<'a> {
    /// Reads a `SubjectPublicKeyInfo`.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(der)?.sequence()?;
        let algorithm = fields.sequence()?.rest();
        let bits = fields.bits()?;
        fields.end()?;
        Ok(Self { der, algorithm, bits })
    }
}

/// Returns the contents of the subject of a certificate, without reading more of it than needed: a store has many, and
/// a server needs one.
pub(super) fn subject(der: &[u8]) -> Result<Name<'_>, Malformed> {
    let (_, mut fields, _) = open(der)?;
    version(&mut fields)?;
    // The serial number, the algorithm, the issuer, the validity.
    for _ in 0..4 {
        fields.raw()?;
    }
    Ok(Name::new(fields.sequence()?.rest()))
}

/// The fields behind the signed part, those in it, and the signed part as it is.
fn open(der: &[u8]) -> Result<(Fields<'_>, Fields<'_>, &[u8]), Malformed> {
    let mut all = Fields::new(der)?;
    let mut outer = all.sequence()?;
    all.end()?;
    let signed = outer.raw()?;
    Ok((outer, Fields::new(signed)?.sequence()?, signed))
}

/// Version 1 leaves its number out.
fn version(fields: &mut Fields<'_>) -> Result<Version, Malformed> {
    let Some(tagged) = fields.optional(TagNumber(0).context_specific(true))? else {
        return Ok(Version::V1);
    };
    let mut inner = Fields::new(tagged.value())?;
    let version = match inner.expect(Tag::Integer)?.value() {
        [0] => Version::V1,
        [1] => Version::V2,
        [2] => Version::V3,
        _ => return Err(Malformed),
    };
    inner.end()?;
    Ok(version)
}

fn time(fields: &mut Fields<'_>) -> Result<u64, Malformed> {
    let value = fields.any()?;
    let since: Duration = match value.header().tag() {
        Tag::UtcTime => value.decode_as::<UtcTime>()?.to_unix_duration(),
        _ => value.decode_as::<GeneralizedTime>()?.to_unix_duration(),
    };
    Ok(since.as_secs())
}
