//! The fields of a DER structure, one after the other.
//!
//! Over `der`, which accepts one encoding of each value only. Does not depend on what the fields mean.

use pkcs8::der::asn1::{AnyRef, BitStringRef};
use pkcs8::der::{Error, Reader as _, SliceReader, Tag, Tagged as _};

/// Bytes that are not what their place asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Malformed;

impl From<Error> for Malformed {
    fn from(_: Error) -> Self {
        Self
    }
}

/// What is left of a structure.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    left: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        // `der` has a limit for lengths.
        SliceReader::new(bytes)?;
        Ok(Self { left: bytes })
    }

    /// Returns the next field with its tag and length.
    pub(super) fn raw(&mut self) -> Result<&'a [u8], Malformed> {
        let mut reader = SliceReader::new(self.left)?;
        let field = reader.tlv_bytes()?;
        self.left = self.left.get(field.len()..).ok_or(Malformed)?;
        Ok(field)
    }

    /// Returns the next field, whatever it is.
    pub(super) fn any(&mut self) -> Result<AnyRef<'a>, Malformed> {
        Ok(AnyRef::try_from(self.raw()?)?)
    }

    /// Returns the next field, which has to be a `tag`.
    pub(super) fn expect(&mut self, tag: Tag) -> Result<AnyRef<'a>, Malformed> {
        self.optional(tag)?.ok_or(Malformed)
    }

    /// Returns the next field if it is a `tag`.
    pub(super) fn optional(&mut self, tag: Tag) -> Result<Option<AnyRef<'a>>, Malformed> {
        if self.left.is_empty() || Tag::peek(&SliceReader::new(self.left)?)? != tag {
            return Ok(None);
        }
        self.any().map(Some)
    }

    /// Returns the fields of the next field, a `SEQUENCE`.
    pub(super) fn sequence(&mut self) -> Result<Self, Malformed> {
        Self::new(self.expect(Tag::Sequence)?.value())
    }

    /// Returns the bytes of the next field, a `BIT STRING` of whole bytes.
    pub(super) fn bits(&mut self) -> Result<&'a [u8], Malformed> {
        let bits = self.expect(Tag::BitString)?.decode_as::<BitStringRef<'a>>()?;
        bits.as_bytes().ok_or(Malformed)
    }

    /// Returns the next field if it is a `BOOLEAN`, and `false`, its default everywhere in X.509, if it is not.
    pub(super) fn flag(&mut self) -> Result<bool, Malformed> {
        match self.optional(Tag::Boolean)? {
            Some(flag) => Ok(flag.decode_as()?),
            None => Ok(false),
        }
    }

    /// Returns what is left, unread.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.left
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.left.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

/// The tag of a field.
pub(super) fn tag(field: AnyRef<'_>) -> Tag {
    field.tag()
}
