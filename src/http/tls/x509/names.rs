//! The names in a certificate: those of its subject and issuer, and the alternative ones.

use std::net::IpAddr;

use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Tag, TagNumber};

use super::fields::{Fields, Malformed, tag};

/// The attributes that tell who it is, with the last byte of their identifiers (2.5.4.n), and their usual order of
/// importance.
const ATTRIBUTES: [(&str, [u8; 3]); 3] = [("CN", COMMON_NAME), ("O", [0x55, 0x04, 10]), ("OU", [0x55, 0x04, 11])];
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 3];

/// A distinguished name: the contents of its `SEQUENCE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Name<'a>(&'a [u8]);

/// One attribute of a name.
#[derive(Debug, Clone, Copy)]
struct Attribute<'a> {
    id: &'a [u8],
    value: AnyRef<'a>,
}

/// An alternative name, or what it is compared with in a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum GeneralName<'a> {
    /// A host, or what was written for one.
    Dns(&'a [u8]),
    /// 4 or 16 bytes; twice as many, with a mask, in a constraint.
    Ip(&'a [u8]),
    Directory(Name<'a>),
    /// Any other kind, by its number: e-mail addresses, URIs and what no server is called by.
    Other(u32),
}

impl<'a> Name<'a> {
    pub(super) fn new(contents: &'a [u8]) -> Self {
        Self(contents)
    }

    /// Whether there is nothing in it.
    pub(in super::super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is `other` or something below it: its first parts are those of `other`.
    pub(in super::super) fn is_within(self, other: Self) -> Result<bool, Malformed> {
        let (mut ours, mut theirs) = (Fields::new(self.0)?, Fields::new(other.0)?);
        while !theirs.is_empty() {
            if ours.is_empty() {
                return Ok(false);
            }
            let (our, their) = (Self(ours.raw()?), Self(theirs.raw()?));
            if our != their && !same(&our.attributes()?, &their.attributes()?) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the common name, if there is one and no more.
    pub(in super::super) fn common_name(self) -> Option<&'a str> {
        let all = self.attributes().ok()?;
        let mut found = all.iter().filter(|attribute| attribute.id == COMMON_NAME);
        let first = found.next()?;
        if found.next().is_some() || !is_text(first.value) {
            return None;
        }
        str::from_utf8(first.value.value()).ok()
    }

    /// Returns `CN=…, O=…`, in the order of the certificate.
    pub(in super::super) fn to_text(self) -> String {
        let word = |attribute: &Attribute<'_>| {
            let (word, _) = ATTRIBUTES.iter().find(|(_, id)| id == attribute.id)?;
            Some(format!("{word}={}", harmless(attribute.value.value())))
        };
        let parts: Vec<_> = self.attributes().unwrap_or_default().iter().filter_map(word).collect();
        parts.join(", ")
    }

    /// Every attribute; a name may be of one set, too.
    fn attributes(self) -> Result<Vec<Attribute<'a>>, Malformed> {
        let mut sets = Fields::new(self.0)?;
        let mut all = Vec::new();
        while !sets.is_empty() {
            let mut set = Fields::new(sets.expect(Tag::Set)?.value())?;
            while !set.is_empty() {
                let mut pair = set.sequence()?;
                all.push(Attribute {
                    id: pair.expect(Tag::ObjectIdentifier)?.value(),
                    value: pair.any()?,
                });
                pair.end()?;
            }
        }
        Ok(all)
    }
}

/// Whether two sets have the same attributes: texts are compared without regard to case and repeated spaces (RFC 5280,
/// section 7.1).
fn same(ours: &[Attribute<'_>], theirs: &[Attribute<'_>]) -> bool {
    let equal = |one: &Attribute<'_>, other: &Attribute<'_>| {
        one.id == other.id
            && (one.value == other.value
                || is_text(one.value)
                    && is_text(other.value)
                    && folded(one.value.value()) == folded(other.value.value()))
    };
    ours.len() == theirs.len() && theirs.iter().all(|their| ours.iter().any(|our| equal(our, their)))
}

/// Whether it is a text in a superset of ASCII.
fn is_text(value: AnyRef<'_>) -> bool {
    matches!(
        tag(value),
        Tag::Utf8String | Tag::PrintableString | Tag::TeletexString | Tag::Ia5String
    )
}

fn folded(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    text.split_whitespace().map(str::to_lowercase).collect()
}

/// Returns the text without what a terminal would obey: whoever issues a certificate chooses it.
fn harmless(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let shown = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    shown.collect()
}

impl<'a> GeneralName<'a> {
    pub(super) fn read(field: AnyRef<'a>) -> Result<Self, Malformed> {
        let Tag::ContextSpecific {
            number: TagNumber(number),
            ..
        } = tag(field)
        else {
            return Err(Malformed);
        };
        Ok(match number {
            2 => Self::Dns(field.value()),
            4 => {
                let mut inner = Fields::new(field.value())?;
                let name = Name::new(inner.sequence()?.rest());
                inner.end()?;
                Self::Directory(name)
            }
            7 => Self::Ip(field.value()),
            _ => Self::Other(number),
        })
    }

    /// Returns it as a person writes it; `None` for what no server is called by.
    pub(in super::super) fn to_text(&self) -> Option<String> {
        match self {
            Self::Dns(name) => Some(harmless(name)),
            Self::Ip(bytes) => {
                let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from).ok();
                let v6 = || <[u8; 16]>::try_from(*bytes).map(IpAddr::from).ok();
                v4.or_else(v6).map(|address| address.to_string())
            }
            Self::Directory(_) | Self::Other(_) => None,
        }
    }
}
