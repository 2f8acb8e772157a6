//! The extensions of a certificate (RFC 5280, section 4.2).
//!
//! Those that decide something are read; those that OpenSSL and GnuTLS know and let pass are passed over; any other is
//! kept if it is critical, because whoever does not know it has to refuse the certificate.

use pkcs8::der::asn1::BitStringRef;
use pkcs8::der::{Tag, TagNumber};

use super::fields::{Fields, Malformed};
use super::names::GeneralName;

/// id-ce, 2.5.29.
const ID_CE: [u8; 2] = [0x55, 0x1d];
const KEY_USAGE: u8 = 15;
const SUBJECT_ALT_NAME: u8 = 17;
const BASIC_CONSTRAINTS: u8 = 19;
const NAME_CONSTRAINTS: u8 = 30;
const CRL_DISTRIBUTION_POINTS: u8 = 31;
const CERTIFICATE_POLICIES: u8 = 32;
const EXTENDED_KEY_USAGE: u8 = 37;
const INHIBIT_ANY_POLICY: u8 = 54;

/// id-pe-tlsfeature, 1.3.6.1.5.5.7.1.24 (RFC 7633).
const TLS_FEATURE: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 1, 24];
/// The feature that is a stapled OCSP response: `status_request`.
const STATUS_REQUEST: [u8; 1] = [5];

/// id-kp, 1.3.6.1.5.5.7.3, with `serverAuth`.
const SERVER_AUTH: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 1];

/// What the extensions of a certificate say.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Extensions<'a> {
    pub(in super::super) basic_constraints: Option<BasicConstraints>,
    pub(in super::super) key_usage: Option<KeyUsage>,
    /// Whether it may be a TLS server's, where its purposes are restricted.
    pub(in super::super) server_auth: Option<bool>,
    /// The names of its subject, where it has a list of them.
    pub(in super::super) names: Option<Vec<GeneralName<'a>>>,
    pub(in super::super) name_constraints: Option<NameConstraints<'a>>,
    /// Whether its server has to show an OCSP response.
    pub(in super::super) must_staple: bool,
    /// The identifier of a critical extension that is not known here.
    pub(in super::super) unknown: Option<&'a [u8]>,
}

/// Whether it is an authority, and how many there may be below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct BasicConstraints {
    pub(in super::super) authority: bool,
    pub(in super::super) path_length: Option<u32>,
}

/// What the key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct KeyUsage {
    /// Whether it signs certificates.
    pub(in super::super) cert_sign: bool,
    /// Whether it signs anything but certificates: handshakes.
    pub(in super::super) digital_signature: bool,
}

/// For which names certificates below an authority may be.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct NameConstraints<'a> {
    pub(in super::super) permitted: Vec<GeneralName<'a>>,
    pub(in super::super) excluded: Vec<GeneralName<'a>>,
}

impl<'a> Extensions<'a> {
    pub(super) fn read(mut fields: Fields<'a>) -> Result<Self, Malformed> {
        let mut list = fields.sequence()?;
        fields.end()?;
        let mut read = Self::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        while !list.is_empty() {
            let mut extension = list.sequence()?;
            let id = extension.expect(Tag::ObjectIdentifier)?.value();
            let critical = extension.flag()?;
            let value = extension.expect(Tag::OctetString)?.value();
            extension.end()?;
            if seen.contains(&id) {
                return Err(Malformed);
            }
            seen.push(id);
            if !read.add(id, value)? && critical {
                read.unknown.get_or_insert(id);
            }
        }
        Ok(read)
    }

    /// Returns whether the extension is known.
    fn add(&mut self, id: &[u8], value: &'a [u8]) -> Result<bool, Malformed> {
        if id == TLS_FEATURE {
            self.must_staple = features(value)?;
            return Ok(true);
        }
        let Some(&[number]) = id.strip_prefix(&ID_CE) else {
            return Ok(false);
        };
        match number {
            BASIC_CONSTRAINTS => self.basic_constraints = Some(basic_constraints(value)?),
            KEY_USAGE => self.key_usage = Some(key_usage(value)?),
            EXTENDED_KEY_USAGE => self.server_auth = Some(server_auth(value)?),
            SUBJECT_ALT_NAME => self.names = Some(general_names(value)?),
            NAME_CONSTRAINTS => self.name_constraints = Some(name_constraints(value)?),
            // No policy is asked for (RFC 5280, section 6.1.1: no initial explicit policy), by git neither, and no list
            // of revoked certificates is fetched. policyConstraints and policyMappings are refused where they are
            // critical, as GnuTLS does; identifiers of keys, which must not be, as OpenSSL does.
            CERTIFICATE_POLICIES | INHIBIT_ANY_POLICY | CRL_DISTRIBUTION_POINTS => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn basic_constraints(value: &[u8]) -> Result<BasicConstraints, Malformed> {
    let mut outer = Fields::new(value)?;
    let mut fields = outer.sequence()?;
    outer.end()?;
    let authority = fields.flag()?;
    let path_length = match fields.optional(Tag::Integer)? {
        Some(number) => Some(number.decode_as::<u32>()?),
        None => None,
    };
    fields.end()?;
    Ok(BasicConstraints { authority, path_length })
}

fn key_usage(value: &[u8]) -> Result<KeyUsage, Malformed> {
    let mut fields = Fields::new(value)?;
    let bits = fields.expect(Tag::BitString)?.decode_as::<BitStringRef<'_>>()?;
    fields.end()?;
    let has = |position| bits.get(position).unwrap_or(false);
    let (digital_signature, cert_sign) = (0, 5);
    Ok(KeyUsage {
        cert_sign: has(cert_sign),
        digital_signature: has(digital_signature),
    })
}

fn server_auth(value: &[u8]) -> Result<bool, Malformed> {
    let mut outer = Fields::new(value)?;
    let mut list = outer.sequence()?;
    outer.end()?;
    let mut found = false;
    if list.is_empty() {
        return Err(Malformed);
    }
    while !list.is_empty() {
        let purpose = list.expect(Tag::ObjectIdentifier)?.value();
        // OpenSSL does not take `anyExtendedKeyUsage` for it either.
        found |= purpose == SERVER_AUTH;
    }
    Ok(found)
}

fn general_names(value: &[u8]) -> Result<Vec<GeneralName<'_>>, Malformed> {
    let mut outer = Fields::new(value)?;
    let mut list = outer.sequence()?;
    outer.end()?;
    let mut names = Vec::new();
    while !list.is_empty() {
        names.push(GeneralName::read(list.any()?)?);
    }
    Ok(names)
}

fn name_constraints(value: &[u8]) -> Result<NameConstraints<'_>, Malformed> {
    let mut outer = Fields::new(value)?;
    let mut fields = outer.sequence()?;
    outer.end()?;
    let mut lists = [Vec::new(), Vec::new()];
    for (number, list) in (0..).zip(&mut lists) {
        let Some(subtrees) = fields.optional(TagNumber(number).context_specific(true))? else {
            continue;
        };
        let mut subtrees = Fields::new(subtrees.value())?;
        while !subtrees.is_empty() {
            let mut subtree = subtrees.sequence()?;
            list.push(GeneralName::read(subtree.any()?)?);
            // A minimum other than zero and a maximum are not used (RFC 5280, section 4.2.1.10).
            subtree.end()?;
        }
    }
    fields.end()?;
    let [permitted, excluded] = lists;
    Ok(NameConstraints { permitted, excluded })
}

fn features(value: &[u8]) -> Result<bool, Malformed> {
    let mut outer = Fields::new(value)?;
    let mut list = outer.sequence()?;
    outer.end()?;
    let mut found = false;
    while !list.is_empty() {
        found |= list.expect(Tag::Integer)?.value() == STATUS_REQUEST;
    }
    Ok(found)
}
